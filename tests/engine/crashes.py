"""Crashes at every point of a run: what a dead process leaves behind, and what the next run makes of it.

A crash is final for the process and touches nothing else. So what one leaves behind is the state of
ERP, shop, log and clock between two effects, and need not be reached by dying: one run is played, its
world is forked before every effect, and each fork is recovered. Between two writes nothing changes:
the crashes there leave the same behind, which is recovered once (`Tape.leftovers`).
`test_a_fork_is_what_a_crash_leaves` holds the forks against real crashes.
"""

import copy
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import attrs
from attrs import define, evolve, field, frozen

from acumatica_b2b import Everything, Plan, RunReport
from acumatica_b2b.actions import CreateCompany, CreateUser, SetRole, UpdateCompany, UpdateUser
from acumatica_b2b.drivers import Parties, Seeded
from acumatica_b2b.effects import Chosen
from acumatica_b2b.flow import Flow
from acumatica_b2b.model import Company, CompanyUser, Contact, CustomerID, HandOver, Reference
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import Commit
from acumatica_b2b.testing import Fault, Faults, FaultyErp, FaultyShop, FaultyStore, MemoryShop
from tests import oracle
from tests.bench import Bench, FrozenClock
from tests.engine.crash_watch import Watch

T = TypeVar("T")


# ------------------------------------------------------------------ regimes
@frozen(kw_only=True)
class Regime:
    """How a shop hands the primary role over, makes a company, and keeps external ids at that."""

    hand_over: HandOver
    inline: bool = False
    """Companies are made with their admin."""
    keeps: bool = True
    """The external id of a company survives its creation."""
    keeps_admin: bool = True
    """So does that of the admin made along with it."""

    def __str__(self) -> str:
        said = ("-inline" * self.inline, "-drops" * (not self.keeps), "-forgets" * (not self.keeps_admin))
        return self.hand_over.value + "".join(said)

    @property
    def short_logs(self) -> bool:
        """Whether a snapshot stands for a log at every turn: so it is in one way of handing over."""
        return self.hand_over is HandOver.DEMOTE_FIRST

    @property
    def pause(self) -> float:
        """How many seconds pass before the run that is crashed: with short logs, what they were before is dropped."""
        return 13 * 3600.0 if self.short_logs else 0.0

    def shop(self, **settings: Any) -> MemoryShop:
        """Return such a shop. It watches over no admin itself: only DEMOTE_FIRST refuses a second one."""
        return MemoryShop(
            hand_over=self.hand_over,
            admin_at_creation=self.inline,
            keeps_external_id=self.keeps,
            keeps_admin_external_id=self.keeps_admin,
            strict=self.hand_over is HandOver.DEMOTE_FIRST,
            roles=("Admin", "Senior Buyer", "Junior Buyer", "Suspended"),
            **settings,
        )


KEEPING = ((False, True, True), (True, True, True), (True, True, False), (True, False, True), (True, False, False))
"""Without admin and without external id nothing would lead to a company whose creation went unanswered."""
REGIMES = tuple(
    Regime(hand_over=hand_over, inline=inline, keeps=keeps, keeps_admin=keeps_admin)
    for inline, keeps, keeps_admin in KEEPING
    for hand_over in HandOver
)


# ------------------------------------------------------------------ scenes
@frozen
class Backwards:
    """A party that does what it is asked at once from the last to the first."""

    party: object

    def __getattr__(self, name: str) -> Any:
        """Return what the party has, turned round where it changes something."""
        said = getattr(self.party, name)
        turned = name in {"perform", "append"}
        return (lambda items: said(items[::-1])[::-1]) if turned else said


@define(kw_only=True)
class Scene(Bench):
    """A bench that can be forked, and knows what the oracle has to know of its past."""

    history: oracle.History = field(factory=oracle.History)
    backwards: bool = False
    """What is asked at once is done from the last to the first: a crash leaves the other half of it."""

    def companies(self) -> dict[CustomerID, Company | None]:
        """Return each customer's company: by its external id, or that which is to be adopted."""
        customers, found = self.erp.snapshot(), self.shop.snapshot().values()
        companies = oracle.companies_of(customers, found)
        if self.policy.adopt_companies:
            for key, customer in customers.items():
                emails = {oracle.address_of(c.email) for c in customer.contacts if c.id == customer.primary_contact}
                free = [one for one in found if not one.external_id and emails & {user.email for user in one.users}]
                companies[key] = companies[key] or next(iter(free), None)
        return companies

    def adoptable(self) -> dict[str, str]:
        """Return whose the users are who become ours by the addresses that people gave them."""
        people = [one for customer in self.erp.snapshot().values() for one in customer.contacts]
        note_of = {oracle.address_of(one.email): one.note_id for one in people if self.policy.adopt_companies}
        users = [user for company in self.shop.snapshot().values() for user in company.users]
        return {user.id: note_of[user.email] for user in users if user.email in note_of}

    def linked(self) -> dict[str, str]:
        """Return whose the users are whom the past made: an admin made with its company may lack an external id."""
        contacts = [one for customer in self.erp.snapshot().values() for one in customer.contacts]
        note_of = {one.id: one.note_id for one in contacts}
        return {user: note_of[one] for one, (_, user) in self.history.users.items() if one in note_of}

    def find_user(self, one: Contact) -> CompanyUser | None:
        """Return a contact's user: by its external id, or by the reference where it has none yet."""
        users = [user for company in self.shop.snapshot().values() for user in company.users]
        customers = self.erp.snapshot().values()
        named = {now.reference for customer in customers for now in customer.contacts if now.id == one.id}
        referred = (user for user in users if not user.external_id and user.id in named)
        return next((user for user in users if user.external_id == one.note_id), None) or next(referred, None)

    def settle(self) -> None:
        """Sync once more, well: a part of the past."""
        before = self.companies()
        report = self.run()
        assert not report.stopped, report.stopped
        step = oracle.Step(customers=self.erp.snapshot(), before=before, policy=self.policy, history=self.history)
        self.history = oracle.remember(step, self.companies())

    def run(self, faults: Faults | None = None, *, changed: bool = False, only: Iterable[str] = ()) -> RunReport:
        """Sync all, what changed, or only some, in one thread."""
        sync = self.contact_sync
        source = Chosen(customers=tuple(CustomerID(one) for one in only)) if only else Everything()
        return self.driven(sync._changed() if changed else sync._synced(source), faults)

    def planned(self) -> Plan:
        """Return what would be done."""
        return self.driven(self.contact_sync._planned(None))

    def driven(self, flow: Flow[T], faults: Faults | None = None) -> T:
        """Return what a flow comes to."""
        erp, shop, store = self.erp, self.shop, self.store
        parties = Parties(
            erp=self._turned(FaultyErp(erp, faults) if faults else erp),
            storefront=self._turned(FaultyShop(shop, faults) if faults else shop),
            store=self._turned(FaultyStore(store, faults) if faults else store),
            clock=self.clock,
        )
        return Seeded(parties, random.Random(0)).run(flow)

    def _turned(self, party: object) -> object:
        return Backwards(party) if self.backwards else party

    def forked(self) -> "Scene":
        """Return a scene that is the same now and goes its own way."""
        erp, shop, store = _copied(self.erp), _copied(self.shop), _copied(self.store)
        return evolve(self, erp=erp, shop=shop, store=store, clock=FrozenClock(self.clock.time))

    def mark(self) -> tuple[object, ...]:
        """Return what differs after every write."""
        return self.shop.writes, self.erp.writes, self.versions(), self.clock.time

    def said(self) -> set[tuple[str, int]]:
        """Return the commits of all logs, but for those of runs, and for what stands for others."""
        logs = ((key, log) for key, log in self.store._logs.items() if not re.search("/(run|history/.*)$", key))
        return {(key, n) for key, log in logs for n, one in log.items() if not (one.snapshot and "/customer/" in key)}

    def leased(self) -> list[str]:
        """Return the customers whose log ends with intents: somebody was at work on them."""
        found = []
        for key, log in self.store._logs.items():
            kind, _, customer = key.removeprefix(f"{self.policy.store}/").partition("/")
            if kind == "customer" and '"Intended"' in json.dumps(json.loads(log[max(log)].body)["entries"]):
                found.append(customer)
        return found


def _copied(thing: T) -> T:
    made = copy.copy(thing)
    for a in attrs.fields(type(thing)):  # type: ignore[arg-type]  # the parts of a bench are of attrs
        value = getattr(thing, a.name)
        if isinstance(value, dict):
            setattr(made, a.name, {k: dict(v) if isinstance(v, dict) else v for k, v in value.items()})
        elif isinstance(value, list | set):
            setattr(made, a.name, copy.copy(value))
    return made


# ------------------------------------------------------------------ one run, forked between its effects
@frozen(kw_only=True)
class Leftover:
    """What a crash leaves behind, with what is known of the time before."""

    scene: Scene
    watch: Watch

    def revived(self, *, later: float = 0.0) -> "Leftover":
        """Return a fork, some time later."""
        scene = self.scene.forked()
        scene.clock.sleep(later)
        return Leftover(scene=scene, watch=self.watch.over_fork(scene.shop))


@define
class Tape:
    """A run that is played to its end, with all that a crash could have left behind."""

    live: Leftover
    leftovers: list[Leftover] = field(factory=list[Leftover], init=False)
    """What differs, in the order of the run; the last is what the whole run left."""
    effects: list[tuple[str, int, int]] = field(factory=list[tuple[str, int, int]], init=False)
    """Each effect, with the leftover of a crash before it and after it."""
    report: RunReport | None = field(default=None, init=False)
    _mark: tuple[object, ...] = field(default=(), init=False)

    @classmethod
    def of(cls, begun: Leftover, *, changed: bool = False) -> "Tape":
        """Play a run from here."""
        tape = cls(begun.revived())
        tape.report = tape.live.scene.run(Faults(tape), changed=changed)
        tape._fork()
        return tape

    def __call__(self, what: object) -> Fault:
        """Fork before an effect."""
        self._fork()
        here = len(self.leftovers) - 1
        self.effects.append((kind_of(what, self.live.scene), here, here))
        return Fault.NONE

    def _fork(self) -> None:
        mark = self.live.scene.mark()
        if mark != self._mark:
            self._mark = mark
            self.leftovers.append(self.live.revived())
        if self.effects:
            kind, before, _ = self.effects[-1]
            after = len(self.leftovers) - 1
            dropped = kind.startswith("load") and after > before
            self.effects[-1] = (kind.replace("load", "drop") if dropped else kind, before, after)


def kind_of(what: object, scene: Scene) -> str:
    """Return what kind of effect it is: each action, and what distinguishes it."""
    name, policy = type(what).__name__, scene.policy
    match what:
        case Reference(record=record, value=value):
            return f"WriteReference {record.kind.value} {'set' if value else 'cleared'}"
        case Commit(key=key, snapshot=snapshot):
            return f"append {'snapshot of ' * snapshot}{_log_of(key, policy)}"
        case str() if what.startswith(f"{policy.store}/"):
            return f"load {_log_of(what, policy)}"
        case CreateCompany(admin=admin):
            return f"{name} with its admin" if admin else name
        case CreateUser(role=role):
            return f"{name} as admin" if role == policy.primary_role else name
        case UpdateUser(changes=changes) | UpdateCompany(changes=changes):
            return f"{name} {_said(dict(changes), policy)}".strip()
        case SetRole(role=role):
            users = {user.id: user for company in scene.shop.snapshot().values() for user in company.users}
            restores = users[what.user].role == policy.suspended_role if what.user in users else False
            also = {policy.primary_role: "give", policy.suspended_role: "suspend"}
            return f"{name} {also.get(role) or ('restore' if restores else 'take')}"
        case _ if hasattr(what, "stage"):
            return name
        case _:
            return "question"


def _log_of(key: str, policy: SyncPolicy) -> str:
    kind = key.removeprefix(f"{policy.store}/").partition("/")[0]
    return f"{kind} {'index' if kind in {'contact', 'address'} else 'log'}"


def _said(changes: Mapping[str, str], policy: SyncPolicy) -> str:
    if "active" in changes:
        return f"active: {changes['active']}"
    if policy.parking_domain and changes.get("email", "").endswith(policy.parking_domain):
        return "e-mail parked"
    return "external id" if "external_id" in changes else "e-mail" if "email" in changes else ""


# ------------------------------------------------------------------ worlds
@frozen(kw_only=True, eq=False)
class World:
    """A past, and edits that one run is to follow; `then` is the day after."""

    name: str
    begin: Callable[[Scene], None]
    then: Callable[[Scene], None]
    policy: SyncPolicy = field(factory=SyncPolicy)
    settings: Mapping[str, Any] = field(factory=dict[str, Any])
    small: bool = False
    """The day after every crash is tried by default."""
    seen: bool = True
    """The edits are in the ERP, with their stamps: a run of changes sees them."""
    waits: bool = True
    """All is the same where a run finds customers left to one that died, and waits. Not so where customers of one
    wave want the same: who is left alone has no say, and what follows of that takes one run more."""
    judged: bool = True
    """The oracle knows the policy; else `ends` says what is to come of it."""
    ends: str = ""

    def __str__(self) -> str:
        return self.name
