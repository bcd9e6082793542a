"""One life of a store: drawn from a seed, lived act by act, judged after every write and every calm run."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from attrs import define, evolve, field, fields, frozen

from acumatica_b2b import ContactSync, Everything, HandOver, SyncPolicy
from acumatica_b2b.actions import Action
from acumatica_b2b.drivers import Parties
from acumatica_b2b.effects import Chosen
from acumatica_b2b.errors import AcumaticaB2BError, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Flow
from acumatica_b2b.model import Company, CompanyUser, ContactID, CustomerID, LocationID, NoteID, Record, RecordKind, StorefrontID, UserID
from acumatica_b2b.policy import FirstAdmin, Limits, ProtectedLeaver, TakeBack
from acumatica_b2b.protocols import Commit
from acumatica_b2b.report import RunReport
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import (
    Crash,
    Cue,
    Fault,
    Faults,
    FaultyErp,
    FaultyShop,
    FaultyStore,
    Late,
    MemoryErp,
    MemoryShop,
)
from tests import oracle
from tests.simulating.people import ANYTHING, HARMLESS, STREETS, Clerks, Shopkeepers, customer
from tests.simulating.runner import Runner
from tests.simulating.shop import STRANGE, BrokenError, Door, Truth

HOUR = 3600.0
SUSPENDED = "Suspended"


@define(eq=False)
class Clock:
    """A clock that the simulation moves; what is due on the way happens at its own time."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(factory=list[Any], init=False)
    _count: Iterator[int] = field(factory=count, init=False)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        until = self.time + timedelta(seconds=seconds)
        while self._due and self._due[0][0] <= until:
            at, _, do = heappop(self._due)
            self.time = max(at, self.time)
            do()
        self.time = max(until, self.time) if seconds >= 0 else until

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen after some time."""
        heappush(self._due, (self.time + timedelta(seconds=seconds), next(self._count), do))


@frozen
class Act:
    """One thing that happens in a life, with a seed of its own: it stays the same when others are left out."""

    kind: str
    seed: int


ACTS = {
    "clerks": 24,
    "shopkeepers": 14,
    "calm": 24,
    "changed": 10,
    "chosen": 4,
    "plan": 5,
    "trouble": 22,
    "two": 14,
    "sleeper": 4,
    "clock": 6,
    "log lost": 1.5,
    "references lost": 1.5,
}


def acts(seed: int, number: int = 60) -> list[Act]:
    """Return what happens in the life of a seed."""
    die = random.Random(f"acts {seed}")
    kinds = die.choices(tuple(ACTS), tuple(ACTS.values()), k=number)
    return [Act("calm", 0), *(Act(kind, die.getrandbits(32)) for kind in kinds), Act("calm", 1)]


class Life:
    """A store with everything around it, as the seed has it."""

    def __init__(self, seed: int, listener: Callable[[str], None] | None = None) -> None:
        """Draw the shop, the policy and the customers."""
        die = random.Random(f"life {seed}")
        self.digest = hashlib.blake2b(digest_size=16)
        self.listener = listener
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.runs = 0
        self.clock = Clock()
        self.store = MemoryStore()
        self.hand_over = die.choice(tuple(HandOver))
        self.policy = _policy(die)
        self.erp = MemoryErp(page_size=die.choice((1, 2, 100)), stamps_primary=die.random() < 0.5)
        self.truth = Truth()
        self.shop = MemoryShop(
            hand_over=self.hand_over,
            admin_at_creation=die.random() < 0.5,
            strict=self.hand_over is HandOver.DEMOTE_FIRST,
            keeps_external_id=die.random() < 0.6,
            keeps_admin_external_id=die.random() < 0.7,
            roles=("Admin", "Senior Buyer", "Junior Buyer", SUSPENDED),
        )
        self.door = Door(self.shop, self.erp, self.policy, self.truth, self.note, self.clock.now)
        self.movers: set[ContactID] = set()
        self.clerks = Clerks(self.erp, self.movers)
        self.shopkeepers = Shopkeepers(self.shop, self.policy, self.truth)
        self.width, self.wave = die.choice((1, 2, 2)), die.choice((1, 2, 200))
        self.history = oracle.History()
        self.sleepers: list[Runner] = []
        self.lost: set[CustomerID] = set()
        self.sure: set[str] = set()
        self.pending: set[ContactID] = set()
        self.places: set[tuple[CustomerID, str]] = set()
        self.ragged = False
        self.unstamped = False
        self.before: dict[CustomerID, Company | None] = {}
        self.outsiders: frozenset[str] = frozenset()
        self.erp.put(*(customer(number, die.randint(1, 4)) for number in range(1, die.randint(1, 3) + 1)))
        self.note(f"{self.hand_over}, {self.policy.take_back}, {self.policy.protected_leaver}")

    # ---- the trace
    def note(self, text: str) -> None:
        """Write into the trace what is no step by itself."""
        self.digest.update(text.encode())
        if self.listener:
            self.listener(text)

    def step(self, kind: str, text: str) -> None:
        """Count one step, and write it into the trace."""
        self.steps += 1
        self.counts[kind] += 1
        self.note(f"{self.steps} {text}")

    # ---- acts
    def live(self, act: Act) -> None:
        """Let one thing happen."""
        die = random.Random(act.seed)
        self.note(f"-- {act.kind} {act.seed}")
        match act.kind:
            case "clerks":
                for _ in range(die.randint(1, 3)):
                    self.clerk(die)
            case "shopkeepers":
                for _ in range(die.randint(1, 2)):
                    self.shopkeeper(die, ANYTHING)
            case "calm":
                self.calm(die)
            case "changed":
                self.calm_changed(die)
            case "chosen" | "plan":
                self.calm_part(act.kind, die)
            case "trouble":
                self.prepare(die)
                self.troubled(self.faulty(die), die)
            case "two":
                self.prepare(die)
                self.interleaved([self.faulty(die) if die.random() < 0.3 else self.any_run(die) for _ in range(2)], die)
            case "sleeper":
                self.sleeper(die)
            case "clock":
                self.jump(die)
            case "log lost":
                self.lose_log()
            case _:
                self.lose_references()

    def prepare(self, die: random.Random) -> None:
        """Give the next run something to do."""
        for _ in range(die.choice((0, 1, 2))):
            self.clerk(die)

    def clerk(self, die: random.Random) -> None:
        """Somebody edits the ERP."""
        text = self.clerks.edit(die)
        self.unstamped |= text.startswith("!")
        self.step("edits in the ERP", text)

    def shopkeeper(self, die: random.Random, kinds: Sequence[str]) -> None:
        """Somebody edits the shop."""
        self.unstamped = True
        before = {user.id for company in self.shop.snapshot().values() for user in company.users}
        self.places = self._places()
        homes = {key: company.id for key, company in self.companies().items() if company}
        text = self.shopkeepers.edit(die, kinds)
        after = {user.id for company in self.shop.snapshot().values() for user in company.users}
        self.open_places(self.places - self._places())
        for user in before - after - self.sure:
            self._unsure(user)
        there = self.shop.snapshot()
        self.lost |= {key for key, company in homes.items() if company not in there and company not in self.sure}
        self.step("edits in the shop", text)

    def _places(self) -> set[tuple[CustomerID, str]]:
        """Return the addresses there are, by customer and external id."""
        there = self.companies()
        return {(key, one.external_id) for key, company in there.items() if company for one in company.addresses}

    def open_places(self, lost: Iterable[tuple[CustomerID, str]]) -> None:
        """Say nothing any more of locations whose addresses people deleted, or left without their external id."""
        places = {(key, one.note_id): one.id for key, held in self.erp.snapshot().items() for one in held.locations}
        new = {(key, places[key, note]) for key, note in lost if (key, note) in places}  # type: ignore[index]
        self.history = evolve(self.history, open_places=self.history.open_places | new)

    def _unsure(self, user: str) -> None:
        """Note that nobody can say whether the log had a deleted user."""
        contact = next((one for key, one in self.truth.contact_of.items() if key == user), None)
        if contact is not None:
            self.history = evolve(self.history, open=self.history.open | {contact})

    def jump(self, die: random.Random) -> None:
        """Move the clock: hours ahead, or some seconds back."""
        seconds = die.choice((die.uniform(0, 200), die.uniform(0, 30 * HOUR), 25 * HOUR, -die.uniform(0, 20)))
        self.clock.sleep(seconds)
        self.step("jumps of the clock", f"the clock moves by {seconds:.0f} s")

    def lose_log(self) -> None:
        """The log is gone."""
        self.sleepers.clear()
        self.store = MemoryStore()
        self.unstamped = self.ragged = True
        self._forget()
        self.step("losses", "the log is lost")

    def lose_references(self) -> None:
        """Somebody wipes every reference in the ERP."""
        for held in self.erp.snapshot().values():
            contacts = tuple(evolve(one, reference="") for one in held.contacts)
            places = tuple(evolve(one, reference="") for one in held.locations)
            self.erp.put(evolve(held, reference="", contacts=contacts, locations=places))
        self.step("losses", "every reference is wiped")

    # ---- runs
    def any_run(self, die: random.Random, faults: Faults | None = None) -> Runner:
        """Return a run of any kind, not yet begun."""
        what = die.choice(("all", "all", "changed", "chosen", "apply"))
        ids = sorted(self.erp.snapshot())
        chosen = die.sample(ids, die.randint(1, len(ids)))
        erp, shop, store = self.parties(faults)
        sync = self.sync(erp, shop, store)
        match what:
            case "all":
                flow: Flow[Any] = sync._synced(Everything())
            case "changed":
                flow = sync._changed()
            case "chosen":
                flow = sync._synced(Chosen(customers=tuple(chosen)))
            case _:
                flow = _planned_and_applied(sync)
        return self.runner(what, flow, erp, shop, store, die)

    def parties(self, faults: Faults | None) -> tuple[Any, Any, Any]:
        """Return both systems and the store, with faults or without."""
        store = Noted(self.store, self.note)
        if faults is None:
            return self.erp, self.door, store
        return FaultyErp(self.erp, faults), FaultyShop(self.door, faults), FaultyStore(store, faults)

    def sync(self, erp: Any, shop: Any, store: Any) -> ContactSync:
        """Return what a host would make."""
        return ContactSync(
            erp=erp,
            storefront=shop,
            store=store,
            policy=self.policy,
            clock=self.clock,
            workers=self.width,
            wave=self.wave,
        )

    def runner(self, what: str, flow: Flow[Any], erp: Any, shop: Any, store: Any, die: random.Random) -> Runner:
        """Return a run."""
        self.runs += 1
        name = f"{what}-{self.runs}"
        ids = count(1)
        parties = Parties(erp=erp, storefront=shop, store=store, clock=self.clock)
        seeded = random.Random(die.getrandbits(32))
        return Runner(name, flow, parties, seeded, lambda: f"{name}.{next(ids)}")

    def faulty(self, die: random.Random) -> Runner:
        """Return a run with faults on every side."""
        self.ragged = True
        faults = Faults(())
        faults.script = self.script(die, faults)
        return self.any_run(die, faults)

    def script(self, die: random.Random, faults: Faults) -> Callable[[object], Cue]:
        """Return what meets each effect: quiet and then some faults in a row, noise, or an outage."""
        quiet, length = die.randint(0, 35), die.randint(1, 3)
        kind = die.choice(("late", "late", "noise", "outage"))
        outage = die.choice((Fault.RATE_LIMITED, Fault.NOT_SENT))
        seen = count(1)

        def fault(what: object) -> Cue:
            number = next(seen)
            if kind == "noise":
                return self.fault(what, die, faults) if die.random() < 0.1 else Fault.NONE
            if number <= quiet or number > quiet + (length if kind == "late" else 9 * length):
                return Fault.NONE
            if kind == "outage":
                return outage if isinstance(what, Action) else Fault.NONE
            return self.fault(what, die, faults)

        return fault

    def fault(self, what: object, die: random.Random, faults: Faults) -> Cue:
        """Return any fault; one of them has the request take effect when nobody waits for its answer any more."""
        fault = die.choice((*Fault, Fault.DELAYED, Late(self.clock, die.uniform(0, 2 * self.policy.lease))))
        self.step("faults", f"{fault.value if isinstance(fault, Fault) else fault.seconds}: {type(what).__name__}")
        if fault is Fault.DELAYED:
            # an intent is sent in the first half of its lease: half of it is what a request may be late
            self.clock.later(die.uniform(0, self.policy.lease / 2), lambda: self.arrive(faults))
        return fault

    def arrive(self, faults: Faults) -> None:
        """Let late requests take effect."""
        if faults.under_way:
            self.step("late arrivals", f"{faults.under_way} late requests arrive")
            faults.deliver()

    def turn(self, runner: Runner) -> None:
        """Let a run go on by one batch."""
        runner.turn()
        self.step("batches", f"{runner.name}: {runner.said}")

    def troubled(self, runner: Runner, die: random.Random) -> None:
        """Let a run go on to its end, whatever that is."""
        busy = die.random() < 0.4
        while not runner.over:
            if busy and die.random() < 0.05:
                self.meddle(die)
            self.gently(runner)
        if die.random() < 0.4:
            self.clock.sleep(self.policy.lease + 1)

    def gently(self, runner: Runner) -> None:
        """Let a run go on by a batch: errors of the library's own and crashes end it, and nothing else may."""
        try:
            self.turn(runner)
        except Crash:
            self.step("crashes", f"{runner.name} dies")
        if runner.over:
            self.counts["runs"] += 1
            if runner.error and not isinstance(runner.error, AcumaticaB2BError):
                raise runner.error
            self.note(f"{runner.name} ends: {type(runner.error).__name__ if runner.error else 'well'}")

    def meddle(self, die: random.Random) -> None:
        """Somebody edits while runs are under way."""
        self.ragged = True
        if die.random() < 0.7:
            self.clerk(die)
        else:
            self.shopkeeper(die, HARMLESS)

    def interleaved(self, runners: list[Runner], die: random.Random) -> None:
        """Let runs go on batch by batch, in any order, people and clock among them."""
        self.ragged = True
        frozen_at, thaws = die.choice(((999, 0), (die.randint(1, 30), die.randint(5, 60)))), 0
        killed = die.choice((999, 999, die.randint(1, 60)))
        for number in count():
            alive = [runner for runner in runners if not runner.over]
            if not alive:
                return
            if number == frozen_at[0] and len(alive) > 1:
                thaws = number + frozen_at[1]
                self.clock.sleep(die.uniform(0, 2 * self.policy.lease))
                self.step("jumps of the clock", f"{alive[0].name} freezes")
            if number == killed:
                self.kill(alive.pop())
                continue
            free = alive[1:] if number < thaws and len(alive) > 1 else alive
            if die.random() < 0.04:
                self.meddle(die)
            self.gently(die.choice(free))

    def kill(self, runner: Runner) -> None:
        """End a run where it stands."""
        runner.over = True
        runner.flow.close()
        self.step("crashes", f"{runner.name} is killed")

    def sleeper(self, die: random.Random) -> None:
        """Wake the runs that were stopped in the middle, or stop one there."""
        self.ragged = True
        if self.sleepers:
            woken, self.sleepers = self.sleepers, []
            self.interleaved(woken, die)
            return
        runner = self.any_run(die)
        for _ in range(die.randint(3, 40)):
            if not runner.over:
                self.gently(runner)
        if not runner.over:
            self.sleepers.append(runner)

    # ---- calm runs
    def calm(self, die: random.Random) -> None:
        """Sync everything: the world must be the oracle's, and the next run empty."""
        report = self.quiet("all", lambda sync: sync._synced(Everything()), die)
        self.judge(report, whole=True)
        again = self.quiet("again", lambda sync: sync._synced(Everything()), die)
        if again.steps and any(f.kind is FindingKind.DUPLICATE_EMAIL for f in report.findings):
            # whose address was kept for somebody on the way to another customer gets it in the next run
            self.judge(again, whole=True)
            again = self.quiet("again", lambda sync: sync._synced(Everything()), die)
        self.require(not again.steps, f"the next run was not empty: {again.steps}")

    def calm_changed(self, die: random.Random) -> None:
        """Sync what changed: no less is done than by a run over everything, where the ERP tells of it."""
        told = not self.unstamped
        report = self.quiet("changed", lambda sync: sync._changed(), die)
        if told:
            self.judge(report, whole=False)
        else:
            self.ragged = True

    def calm_part(self, kind: str, die: random.Random) -> None:
        """Sync some customers, or plan and then apply."""
        if kind == "chosen":
            ids = sorted(self.erp.snapshot())
            chosen = Chosen(customers=tuple(die.sample(ids, die.randint(1, len(ids)))))
            self.quiet(kind, lambda sync: sync._synced(chosen), die)
            self.ragged = True
            return
        before = self.shop.writes, self.erp.writes
        plan = self.quiet("plan", lambda sync: sync._planned(None), die)
        self.require((self.shop.writes, self.erp.writes) == before, "a plan wrote something")
        for _ in range(die.choice((0, 0, 1))):
            self.meddle(die)
        report: RunReport = self.quiet("apply", lambda sync: sync._applied(plan), die)
        self.ragged = True
        self.note(f"applied with {len(report.troubles)} troubles")

    def quiet(self, what: str, flow: Callable[[ContactSync], Flow[Any]], die: random.Random) -> Any:
        """Return what a run without faults comes to."""
        self.before = self.companies()
        homes = {company.id for company in self.before.values() if company}
        outside = (company for key, company in self.shop.snapshot().items() if key not in homes)
        self.outsiders = frozenset(oracle.lowered(user.email) for company in outside for user in company.users)
        self.remember()
        erp, shop, store = self.parties(None)
        runner = self.runner(what, flow(self.sync(erp, shop, store)), erp, shop, store, die)
        while not runner.over:
            self.turn(runner)
        self.counts["runs"] += 1
        if runner.error:
            raise runner.error
        return runner.result

    def judge(self, report: RunReport, *, whole: bool) -> None:
        """Hold the world against the oracle's, and remember what came of it."""
        self.require(not report.stopped, f"a calm run stopped: {report.stopped}")
        self.counts["worlds judged"] += 1
        after = self.companies()
        step = self.judged(report)
        complaints = oracle.check_step(step, after)
        self.require(not complaints, f"{complaints}")
        self.require(not self.truth.leaderless, f"companies {sorted(self.truth.leaderless)} were left without an admin")
        self.settle(step, oracle.remember(step, after))
        self.unstamped &= not whole

    def judged(self, report: RunReport) -> oracle.Step:
        """Return what the oracle is to judge."""
        excused = {f.record for f in report.findings if f.kind.name in {"GUARD_HELD", "ABORTED", "REFUSED"}}
        step = self.asked()
        # whether people's deletion holds for a contact that moves on is left open
        excused |= {Record(RecordKind.CONTACT, one) for one in step.deleted & self.movers}
        lost = {key for key, company in self.before.items() if key in self.lost or (self.lost and company is None)}
        excused |= {Record(RecordKind.CUSTOMER, one) for one in lost}
        return evolve(step, excused=frozenset(excused))

    def asked(self) -> oracle.Step:
        """Return the world as the last run found it."""
        return oracle.Step(
            customers=self.erp.snapshot(),
            before=self.before,
            policy=self.policy,
            history=self.history,
            outsiders=self.outsiders,
        )

    def require(self, holds: object, otherwise: str) -> None:
        """Raise unless something is so."""
        if not holds:
            raise BrokenError(otherwise)

    # ---- what is known of the past
    def companies(self) -> dict[CustomerID, Company | None]:
        """Return the shop's companies by customer: by the external id, or as they were made."""
        there = self.shop.snapshot()
        by_note = {company.external_id: company for company in there.values() if company.external_id}
        made = {owner: there[key] for key, owner in self.truth.customer_of.items() if key in there}
        return {
            key: by_note.get(held.note_id) or made.get(key) for key, held in self.erp.snapshot().items()
        }

    def remember(self) -> None:
        """Bring the past up to what really happened since the last judged run."""
        unknown = {key: company for key, company in self.before.items() if company and company.id in self.truth.unlogged}
        self.lost |= {key for key, company in unknown.items() if not self.tells(key, company)}
        unlike = {key for key in self.pending if not self.looks_linked(key)}
        self.history = evolve(self.history, open=self.history.open | unlike)
        if not self.ragged:
            return
        history, truth = self.history, self.truth
        users = {key: link for key, link in history.users.items() if link[1] not in truth.removed}
        moved = {key for key, (_, user) in users.items() if truth.contact_of.get(user, key) != key}
        users = {key: link for key, link in users.items() if key not in moved}
        there = {user.id: (home, user) for home, company in self.before.items() if company for user in company.users}
        for user, contact in truth.contact_of.items():
            if user in there and user not in truth.orphaned:
                users[contact] = (there[user][0], user)
        deleted = history.deleted | {key for key, (_, user) in users.items() if user not in there}
        step = oracle.Step(customers=self.erp.snapshot(), before=self.before, policy=self.policy)
        linked = {user: key for key, (_, user) in users.items()}
        unsure: dict[ContactID, tuple[CustomerID, UserID]] = {}
        for user, (home, held) in there.items():
            for one in self.erp.snapshot()[home].contacts:
                if step.claims_by_itself(one.id) == held.email and linked.get(user) != one.id:
                    unsure |= {one.id: (home, user)} if one.id not in users else {}
                    unsure |= {linked[user]: users[linked[user]]} if user in linked else {}
        homes = {key for key, company in self.before.items() if company}
        self.history = oracle.History(
            users=users | unsure,
            companies=history.companies | homes | set(truth.customer_of.values()),
            granted={home: user for home, user in truth.granted.items() if user in there},
            deleted=frozenset(),
            open=history.open | deleted | moved | unsure.keys(),
            open_places=history.open_places,
        )
        self.ragged = False

    def looks_linked(self, key: ContactID) -> bool:
        """Tell whether a contact whose link was lost is sure to be linked again."""
        step = self.asked()
        home, user = self.history.users.get(key, (None, UserID(StorefrontID(""))))
        return user in step.users and home is not None and self.is_linked(key, step, home, step.users[user][1])

    def settle(self, step: oracle.Step, history: oracle.History) -> None:
        """Take what the oracle says of the past for the truth."""
        after = self.companies()
        there = {user.id: (key, user) for key, company in after.items() if company for user in company.users}
        surely = {key for key, (_, user) in history.users.items() if self.is_linked(key, step, *there[user])}
        stranded = {
            contact
            for contact, (home, _) in step.history.users.items()
            if home in step.history.companies and not step.stands(home)
        }
        for contact in surely:
            user = history.users[contact][1]
            self.truth.contact_of[user] = contact
            self.truth.orphaned.discard(user)
            self.truth.unlogged.discard(user)
        found = {key for key, company in after.items() if company and self.tells(key, company)}
        self.truth.unlogged -= {company.id for key, company in after.items() if company and key in found}
        granted = {home: user for home, user in self.truth.granted.items() if home in history.granted}
        stranded |= self.pending - surely
        self.pending.clear()
        self.history = evolve(history, granted=granted, open=(history.open | step.history.open) - surely | stranded)
        companies = {key: company.id for key, company in self.companies().items() if company}
        self.lost -= found
        self.sure = {*there, *companies.values()}

    def is_linked(self, key: ContactID, step: oracle.Step, home: CustomerID, user: CompanyUser) -> bool:
        """Tell whether a run without faults can't but have linked a contact to a user."""
        if key not in step.contacts or home in self.lost:
            return False
        customer, contact = step.contacts[key]
        same = step.claims_by_itself(key) == oracle.lowered(user.email) and contact.note_id == user.external_id
        return same and customer.id == home

    def tells(self, customer: CustomerID, company: Company) -> bool:
        """Tell whether a customer and its company name one another, whatever the log says."""
        held = self.erp.snapshot()[customer]
        named = held.reference == company.id and not self.policy.adopt_companies  # another may come first
        return held.note_id == company.external_id or named

    def _forget(self) -> None:
        """Work out what can still be known without the log."""
        truth, there = self.truth, self.shop.snapshot()
        truth.customer_of = {key: owner for key, owner in truth.customer_of.items() if key in there}
        truth.granted.clear()
        truth.given.clear()
        truth.counted = {kind: [] for kind in truth.counted}
        truth.unlogged = {*there, *(user.id for company in there.values() for user in company.users)}
        self.before = self.companies()
        known: set[CustomerID] = set()
        for key, company in self.before.items():
            if company and not self.tells(key, company):
                self.lost.add(key)
            elif company:
                known.add(key)
        step = self.asked()
        users: dict[ContactID, Any] = {}
        astray: set[ContactID] = set()
        for home, company in self.before.items():
            for user in company.users if company else ():
                contact = truth.contact_of.get(user.id)
                found = step.contacts.get(contact) if contact else None
                if contact is None or found is None:
                    continue
                if user.external_id == found[1].note_id or found[1].reference == user.id:
                    users[contact] = (home, user.id)
                    astray |= {contact} if found[0].id != home else set()
                else:
                    truth.orphaned.add(user.id)
        claims = Counter(step.claims_by_itself(key) for key in step.contacts)
        unfit = {key for key in step.contacts if not step.claims_by_itself(key) or claims[step.claims(key)] > 1}
        self.history = oracle.History(
            users=users,
            companies=frozenset(known),
            open=frozenset(unfit | astray | self._gone(truth.contact_of.values())),
            open_places=self.history.open_places,
        )
        self.pending = set(users)
        self.open_places(self._places())

    def _gone(self, contacts: Any) -> set[ContactID]:
        """Return the contacts of these that no customer has."""
        return set(contacts) - {one.id for held in self.erp.snapshot().values() for one in held.contacts}


@define(eq=False)
class Noted:
    """A store that writes every commit into the trace."""

    store: MemoryStore
    tell: Callable[[str], None]

    def load(self, keys: Sequence[Any], /) -> Sequence[Sequence[Commit]]:
        """Return the commits of each key."""
        return self.store.load(keys)

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store the commits."""
        stored = self.store.append(commits)
        for commit, kept in zip(commits, stored, strict=True):
            self.tell(f"  log: {commit.key} {commit.version} {kept} {commit.body}")
        return stored

    def keys(self, prefix: str, after: Any, limit: int, /) -> Sequence[Any]:
        """Return keys."""
        return self.store.keys(prefix, after, limit)

    def drop(self, key: Any, before: int, /) -> None:
        """Forget old commits."""
        self.store.drop(key, before)


def _planned_and_applied(sync: ContactSync) -> Flow[RunReport]:
    plan = yield from sync._planned(None)
    return (yield from sync._applied(plan))


def _policy(die: random.Random) -> SyncPolicy:
    suspends = die.random() < 0.3
    policy = SyncPolicy(
        take_back=die.choice((TakeBack.OURS, TakeBack.OURS, TakeBack.LINKED, TakeBack.ALL)),
        role_is_ours=die.random() < 0.2,
        first_admin=die.choice((FirstAdmin.PRIMARY_ONLY, FirstAdmin.LOWEST_CONTACT)),
        protected_leaver=ProtectedLeaver.SUSPEND if suspends else ProtectedLeaver.KEEP,
        suspended_role=SUSPENDED if suspends else "",
        parking_domain=die.choice(("", "", "parked.example")),
        adopt_companies=die.random() < 0.4,
        recreate_deleted=die.random() < 0.2,
        limits=die.choice((Limits(), Limits(), Limits(removals=2, hand_overs=2, email_changes=2, adoptions=1))),
    )
    every = die.choice((2, 3, 20))
    known = any(one.name == "snapshot_every" for one in fields(SyncPolicy))
    return evolve(policy, snapshot_every=every) if known else policy
