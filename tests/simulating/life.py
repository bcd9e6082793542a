"""One life of a store: drawn from a seed, lived act by act, judged after every write and every calm run."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from attrs import evolve, frozen

from acumatica_b2b import ContactSync, Everything, HandOver
from acumatica_b2b.actions import Action, MoveAdmin, SetRole
from acumatica_b2b.drivers import Parties
from acumatica_b2b.effects import Chosen
from acumatica_b2b.errors import AcumaticaB2BError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Flow
from acumatica_b2b.model import ContactID, CustomerID
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
from tests.simulating.past import Past
from tests.simulating.people import ANYTHING, HARMLESS, Clerks, Shopkeepers, customer
from tests.simulating.runner import Runner
from tests.simulating.shop import BrokenError, Door, Truth
from tests.simulating.surroundings import SUSPENDED, Clock, Noted, a_policy

HOUR = 3600.0


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
    "duel": 8,
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
        self.policy = a_policy(die)
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
        self.clerks = Clerks(self.erp)
        self.past = Past(self.erp, self.shop, self.policy, self.truth, self.clerks.movers)
        self.shopkeepers = Shopkeepers(self.shop, self.policy, self.truth)
        self.width, self.wave = die.choice((1, 2, 2)), die.choice((1, 2, 200))
        self.sleepers: list[Runner] = []
        self.unstamped = False
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
            case "duel":
                self.duel(die)
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
        with self.past.edited():
            text = self.shopkeepers.edit(die, kinds)
        self.step("edits in the shop", text)

    def jump(self, die: random.Random) -> None:
        """Move the clock: hours ahead, or some seconds back."""
        seconds = die.choice((die.uniform(0, 200), die.uniform(0, 30 * HOUR), 25 * HOUR, -die.uniform(0, 20)))
        self.clock.sleep(seconds)
        self.step("jumps of the clock", f"the clock moves by {seconds:.0f} s")

    def lose_log(self) -> None:
        """The log is gone."""
        self.sleepers.clear()
        self.store = MemoryStore()
        self.unstamped = self.past.ragged = True
        self.past.forget()
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
        self.past.ragged = True
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
        fault: Fault | Late = die.choice(
            (*Fault, Fault.DELAYED, Fault.DELAYED, Late(self.clock, die.uniform(0, 2 * self.policy.lease)))
        )
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
        self.past.ragged = True
        if die.random() < 0.7:
            self.clerk(die)
        else:
            self.shopkeeper(die, HARMLESS)

    def interleaved(self, runners: list[Runner], die: random.Random) -> None:
        """Let runs go on batch by batch, in any order, people and clock among them."""
        self.past.ragged = True
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
        self.past.ragged = True
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

    def duel(self, die: random.Random) -> None:
        """Let a run be late with a hand-over, while another has a newer one to do."""
        held = [one for one in self.erp.snapshot().values() if len(one.contacts) > 1]
        if not held:
            return
        customer = die.choice(sorted(held, key=lambda one: one.id))
        self.crown(customer.id, die.choice(customer.contacts).id)
        first = self.aimed(die) if die.random() < 0.5 else self.any_run(die)
        for _ in range(die.randint(1, 2)):  # what is second takes the role from the one who had it
            self.until_handing_over(first)
        self.clock.sleep(die.choice((0.0, die.uniform(0, 2 * self.policy.lease), self.policy.lease + 1)))
        other = die.choice(customer.contacts).id
        self.crown(customer.id, die.choice((customer.primary_contact, other)))
        self.interleaved([self.any_run(die)], die)
        self.interleaved([first], die)
        self.clock.sleep(die.uniform(0, self.policy.lease))

    def until_handing_over(self, runner: Runner) -> None:
        """Let a run go on until it is about to give or take a role, again if it is already."""
        if not runner.over:
            self.gently(runner)
        while not runner.over and not runner.about_to_hand_over:
            self.gently(runner)

    def crown(self, customer: CustomerID, contact: ContactID | None) -> None:
        """Somebody names another primary contact, or nobody."""
        self.erp.set_primary(customer, contact)
        self.step("edits in the ERP", f"{customer}: contact {contact} is primary")

    def aimed(self, die: random.Random) -> Runner:
        """Return a run that meets a fault where it gives or takes a role."""
        self.past.ragged = True
        faults = Faults(())
        faults.script = lambda what: (
            self.fault(what, die, faults)
            if isinstance(what, SetRole | MoveAdmin) and die.random() < 0.7
            else Fault.NONE
        )
        return self.any_run(die, faults)

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
            self.past.ragged = True

    def calm_part(self, kind: str, die: random.Random) -> None:
        """Sync some customers, or plan and then apply."""
        if kind == "chosen":
            ids = sorted(self.erp.snapshot())
            chosen = Chosen(customers=tuple(die.sample(ids, die.randint(1, len(ids)))))
            self.quiet(kind, lambda sync: sync._synced(chosen), die)
            self.past.ragged = True
            return
        before = self.shop.writes, self.erp.writes
        plan = self.quiet("plan", lambda sync: sync._planned(None), die)
        self.require((self.shop.writes, self.erp.writes) == before, "a plan wrote something")
        for _ in range(die.choice((0, 0, 1))):
            self.meddle(die)
        report: RunReport = self.quiet("apply", lambda sync: sync._applied(plan), die)
        self.past.ragged = True
        self.note(f"applied with {len(report.troubles)} troubles")

    def quiet(self, what: str, flow: Callable[[ContactSync], Flow[Any]], die: random.Random) -> Any:
        """Return what a run without faults comes to."""
        self.past.look()
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
        after = self.past.companies()
        step = self.past.judged(report)
        complaints = oracle.check_step(step, after)
        self.require(not complaints, f"{complaints}")
        self.require(not self.truth.leaderless, f"companies {sorted(self.truth.leaderless)} were left without an admin")
        self.past.settle(step, oracle.remember(step, after))
        self.unstamped &= not whole

    def require(self, holds: object, otherwise: str) -> None:
        """Raise unless something is so."""
        if not holds:
            raise BrokenError(otherwise)


def _planned_and_applied(sync: ContactSync) -> Flow[RunReport]:
    plan = yield from sync._planned(None)
    return (yield from sync._applied(plan))
