"""Every schedule of two runners and of people who edit, over one small world; each state visited once.

A schedule is an order in which the actors take their moves: a batch of effects of a runner, or one
edit. Between moves everything that is, is a value: the shop, the ERP, the log, the clock, and of a
runner the answers that it has had, which is all that its generators can know. Two schedules that lead
to equal values have the same future, so the future is looked at once: by this, moves that commute
(two readings, say) cost nothing extra. Values are compared, not digests of them: nothing is left out.

What only its own runner sees (a new id, a tale, what customers of one wave claim) is answered at once:
no other actor can change it or be changed by it.
"""

import json
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from acumatica_b2b import Company, CompanyID, ContactSync, Everything, HandOver, RunReport, SyncPolicy, UserID
from acumatica_b2b.actions import CreateUser, RemoveUser, UpdateUser
from acumatica_b2b.drivers import Parties, _Reading, _talked
from acumatica_b2b.effects import (
    Append,
    Chosen,
    Claim,
    FindShopper,
    FindUser,
    IsSuperAdmin,
    Keys,
    Load,
    NewID,
    NextPage,
    Now,
    Observe,
    Perform,
    ReadContact,
    ReadCustomer,
    RequireRoles,
    Tell,
    Wait,
)
from acumatica_b2b.flow import Effect, Failed, Flow, SideBySide
from acumatica_b2b.protocols import Commit
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop

OWN: Final = (NewID, Tell, Claim, RequireRoles, IsSuperAdmin)
"""Effects between a runner and itself; that nobody is above all companies, this shop says always."""
READS: Final = (
    *OWN,
    FindShopper,
    FindUser,
    Keys,
    Load,
    NextPage,
    Now,
    Observe,
    ReadContact,
    ReadCustomer,
)
"""Effects that change nothing but who asks."""


@define(kw_only=True, eq=False)
class LaxShop(MemoryShop):
    """A shop whose server enforces nothing: not one address, not the last user, not the last admin."""

    def _do_user(self, action: CreateUser | UpdateUser | RemoveUser) -> UserID:
        if not isinstance(action, RemoveUser):
            return MemoryShop._do_user(self, action)
        company = self._company(action.company)
        self._user(company.id, action.user)
        self._put(evolve(company, users=tuple(user for user in company.users if user.id != action.user)))
        return action.user

    def _put(self, new: Company) -> None:
        self._companies[new.id] = new
        self._hold()

    def _hold(self) -> None:
        everybody = (user for company in self._companies.values() for user in company.users)
        self._holders = {user.email.lower(): user for user in sorted(everybody, key=lambda one: -int(one.id))}


@define
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = datetime(2026, 11, 23, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


# ------------------------------------------------------------------ the world as a value
@frozen(cache_hash=True)
class Shop:
    """What the shop holds."""

    companies: tuple[Company, ...]
    ids: int


@frozen(cache_hash=True)
class Frozen:
    """All that is outside of the runners."""

    shop: Shop
    erp: Hashable
    log: tuple[tuple[Commit, ...], ...]
    time: datetime


@define(kw_only=True)
class Scene:
    """One ERP, one shop that enforces nothing, one log, and the clock of all."""

    hand_over: HandOver = HandOver.PROMOTE_FIRST
    policy: SyncPolicy = field(factory=SyncPolicy)
    whole: bool = False
    """Runners take everything there is; else they are told the customers."""
    erp: MemoryErp = field(factory=MemoryErp)
    shop: LaxShop = field(init=False)
    store: MemoryStore = field(factory=MemoryStore)
    clock: Clock = field(factory=Clock)

    def __attrs_post_init__(self) -> None:
        self.shop = LaxShop(hand_over=self.hand_over)

    def sync(self) -> ContactSync:
        """Return what runs here; with one worker, so that its batches come in one line."""
        return ContactSync(
            erp=self.erp,
            storefront=self.shop,
            store=self.store,
            clock=self.clock,
            policy=self.policy,
            workers=1,
        )

    def flow(self) -> Flow[RunReport]:
        """Return a run that is about to begin."""
        return self.sync()._synced(Everything() if self.whole else Chosen(customers=tuple(self.erp.snapshot())))

    def freeze(self) -> Frozen:
        """Return everything as it is now."""
        erp = self.erp
        logs = self.store._logs = {
            key: {version: _plain(commit) for version, commit in log.items()} for key, log in self.store._logs.items()
        }
        return Frozen(
            Shop(tuple(self.shop._companies.values()), self.shop._ids),
            (tuple(erp._customers.values()), tuple(erp._unattached.values()), erp._highest, erp._ticks),
            tuple(tuple(logs[key].values()) for key in sorted(logs)),
            self.clock.time,
        )

    def thaw(self, frozen: Frozen) -> None:
        """Make everything as it was."""
        self.shop._companies = {company.id: company for company in frozen.shop.companies}
        self.shop._ids = frozen.shop.ids
        self.shop._hold()
        self._thaw_erp(frozen.erp)
        self.store._logs = {log[0].key: {commit.version: commit for commit in log} for log in frozen.log}
        self.clock.time = frozen.time

    def _thaw_erp(self, frozen: Any) -> None:
        erp = self.erp
        customers, unattached, erp._highest, erp._ticks = frozen
        erp._customers = {customer.id: customer for customer in customers}
        erp._unattached = {contact.id: contact for contact in unattached}
        erp._whose = {contact.id: customer.id for customer in customers for contact in customer.contacts}
        erp._whose |= {contact.id: None for contact in unattached}


@cache
def _plain(commit: Commit) -> Commit:
    """Return a commit without what nobody ever reads of it: in all logs but a customer's, who wrote it and when."""
    if "/customer/" in commit.key:
        return commit
    body = json.loads(commit.body) | {"run": "either", "at": "2026-11-23T00:00:00+00:00"}
    return evolve(commit, body=json.dumps(body))


# ------------------------------------------------------------------ a runner as a value
@define(eq=False)
class Line:
    """A run in the making: its generators, and what they ask next."""

    flow: Flow[RunReport]
    asks: tuple[tuple[Effect[Any], bool], ...] = ()
    """Each effect, and whether it asks for the first page of its source."""
    report: RunReport | None = None
    _stack: list[Flow[Any]] = field(init=False)
    _sources: set[int] = field(factory=set[int], init=False)

    def __attrs_post_init__(self) -> None:
        self._stack = [self.flow]
        self.answered(None)

    def answered(self, answers: Sequence[Any] | None) -> None:
        """Go on to the next question."""
        line = self._stack[-1]
        try:
            batch = next(line) if answers is None else line.send(answers)
        except StopIteration as stop:
            self._stack.pop()
            if self._stack:
                self.answered([(stop.value,)])
            else:
                self.asks, self.report = (), stop.value
            return
        if isinstance(batch[0], SideBySide):
            (worker,) = batch[0].flows
            self._stack.append(worker)
            self.answered(None)
        else:
            self.asks = tuple((effect, self._is_first(effect)) for effect in batch)

    def _is_first(self, effect: Effect[Any]) -> bool:
        if not isinstance(effect, NextPage):
            return False
        first = id(effect.source) not in self._sources
        self._sources.add(id(effect.source))
        return first


@define(eq=False)
class Knot:
    """A runner after certain answers; the same answers lead to the same knot."""

    history: tuple[Sequence[Any], ...]
    asks: tuple[tuple[Effect[Any], bool], ...]
    ended: bool
    parked: list[Line]
    after: dict[str, "Knot"] = field(factory=dict[str, "Knot"])


@define(eq=False)
class Runner:
    """All that one runner may come to know, as a tree of its knots."""

    name: str
    scene: Scene
    first: Knot = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.first = _knot((), Line(self.scene.flow()))

    def go(self, knot: Knot, answers: Sequence[Any]) -> Knot:
        """Return the runner that has had these answers as well."""
        key = _shown(answers)
        if key not in knot.after:
            line = knot.parked.pop() if knot.parked else self._again(knot)
            line.answered(answers)
            knot.after[key] = _knot((*knot.history, answers), line)
        return knot.after[key]

    def _again(self, knot: Knot) -> Line:
        line = Line(self.scene.flow())
        for answers in knot.history:
            line.answered(answers)
        return line


def _knot(history: tuple[Sequence[Any], ...], line: Line) -> Knot:
    return Knot(history, line.asks, line.report is not None, [line])


def _shown(answers: Sequence[Any]) -> str:
    """Return a text that is equal for equal answers only."""
    return repr([(answer, vars(answer.error)) if isinstance(answer, Failed) else answer for answer in answers])


# ------------------------------------------------------------------ the search
Edit: TypeAlias = Callable[[MemoryErp], None]


@frozen
class Standing:
    """Where a runner is: its knot, and what its batch was answered so far."""

    knot: Knot
    said: tuple[Any, ...] = ()

    def asks(self, kind: type[Effect[Any]]) -> bool:
        """Tell whether it asks for this next."""
        return not self.knot.ended and isinstance(self.knot.asks[len(self.said)][0], kind)


@frozen
class Node:
    """Everything: the world, both runners, and how many edits are done."""

    world: Frozen
    runners: tuple[Standing, Standing]
    edits: int = 0


@define(kw_only=True)
class Search:
    """All schedules of two runners and some edits from where a scene is now.

    `on_write` is called after every change of the shop with what it was and is; `at_end` where all have
    come to their end. `singly` lets the other actors move between any two writes of one batch, too.

    To read the clock commutes with all but another's waiting. So a reading and the move behind it are
    one move here, and besides, a reading and another's waiting.
    """

    scene: Scene
    edits: tuple[Edit, ...] = ()
    on_write: Callable[[Shop, Shop], None]
    at_end: Callable[[Frozen], None]
    singly: bool = False
    parties: type[Parties] = Parties
    """What answers the runners; others for showing that the search sees their faults."""
    ends: dict[Frozen, None] = field(factory=dict[Frozen, None], init=False, repr=False)
    _known: dict[Node, int] = field(factory=dict[Node, int], init=False, repr=False)
    _same: dict[Any, Any] = field(factory=dict[Any, Any], init=False, repr=False)
    _runners: tuple[Runner, Runner] = field(init=False, repr=False)
    _now: Frozen | None = field(default=None, init=False, repr=False)
    _begin: Node | None = field(default=None, init=False, repr=False)

    @property
    def states(self) -> int:
        """How many different states the schedules lead through."""
        return len(self._known)

    def run(self) -> int:
        """Return the number of schedules, all of them looked at."""
        schedules = self._from(self._start())
        for end in self.ends:
            self.at_end(end)
        return schedules

    def walk(self, die: Random) -> None:
        """Look at one schedule, drawn from all of them."""
        if self._begin is None:
            self._begin = self._start()
        node = self._begin
        while followers := self._followers(node):
            node = die.choice(followers)
        self.ends[node.world] = None
        self.at_end(node.world)
        self._now = None

    def _start(self) -> Node:
        self._runners = (Runner("first", self.scene), Runner("second", self.scene))
        world = self.scene.freeze()
        first, second = (self._settled(i, self._begun(i)) for i in (0, 1))
        return Node(world, (first, second))

    def _from(self, node: Node) -> int:
        known = self._known.get(node)
        if known is not None:
            return known
        followers = self._followers(node)
        if not followers:
            self.ends[node.world] = None
        self._known[node] = schedules = sum(map(self._from, followers)) if followers else 1
        return schedules

    def _followers(self, node: Node) -> list[Node]:
        found: list[Node] = []
        if node.edits < len(self.edits):
            self._go_to(node.world)
            self.edits[node.edits](self.scene.erp)
            found.append(evolve(node, world=self._here(node.world), edits=node.edits + 1))
        for i in (0, 1):
            if node.runners[i].asks(Now):
                timed = node
                while timed.runners[i].asks(Now):
                    timed = self._moved(timed, i)
                found.append(timed if timed.runners[i].knot.ended else self._moved(timed, i))
                if node.runners[1 - i].asks(Wait):
                    found.append(self._moved(timed, 1 - i))
            elif not node.runners[i].knot.ended:
                found.append(self._moved(node, i))
        return found

    def _moved(self, node: Node, i: int) -> Node:
        """Return where the next move of a runner leads."""
        runner, world = node.runners[i], node.world
        asked = runner.knot.asks[len(runner.said) :]
        if self.singly and isinstance(asked[0][0], Append | Perform):
            asked = asked[:1]
        self._go_to(world)
        said = (*runner.said, *self._answers(asked))
        if not all(isinstance(effect, READS) for effect, _ in asked):
            world = self._here(node.world)
            if world.shop is not node.world.shop:
                self.on_write(node.world.shop, world.shop)
        moved = self._settled(i, Standing(runner.knot, said))
        return Node(world, (moved, node.runners[1]) if i == 0 else (node.runners[0], moved), node.edits)

    def _begun(self, i: int) -> Standing:
        first = self._runners[i].first
        return Standing(first, (self._runners[i].name,))  # a run begins by asking for its id

    def _settled(self, i: int, runner: Standing) -> Standing:
        """Return the runner after what concerns nobody else."""
        knot, said = runner.knot, runner.said
        while len(said) == len(knot.asks) and not knot.ended:
            knot, said = self._runners[i].go(knot, said), ()
            if knot.asks and all(isinstance(effect, OWN) for effect, _ in knot.asks):
                said = tuple(self._own(i, effect) for effect, _ in knot.asks)
        return Standing(knot, said)

    def _own(self, i: int, effect: Effect[Any]) -> Any:
        return self._runners[i].name if isinstance(effect, NewID) else self._answers([(effect, False)])[0]

    def _answers(self, asked: Sequence[tuple[Effect[Any], bool]]) -> Sequence[Any]:
        scene = self.scene
        parties = self.parties(erp=scene.erp, storefront=scene.shop, store=scene.store, clock=scene.clock)
        for effect, first in asked:
            if isinstance(effect, NextPage) and not first:
                parties._readings[effect.source] = _Reading(ended=True)  # small worlds have one page
        return _talked(parties.talk(tuple(effect for effect, _ in asked)))

    # ---- the scene is where the search is: to go there is needed only from elsewhere
    def _go_to(self, world: Frozen) -> None:
        if self._now is not world:
            self.scene.thaw(world)
        self._now = None

    def _here(self, before: Frozen) -> Frozen:
        """Return the world as it is now; what is equal to something known is that."""
        now = self.scene.freeze()
        shop = before.shop if now.shop == before.shop else self._same.setdefault(now.shop, now.shop)
        now = evolve(now, shop=shop)
        self._now = self._same.setdefault(now, now)
        return self._now


def last_admins(was: Shop, now: Shop, role: str = "Admin") -> list[CompanyID]:
    """Return the companies that had an admin and have none any more."""
    had = {company.id for company in was.companies if _admins(company, role)}
    return [company.id for company in now.companies if company.id in had and not _admins(company, role)]


def doubled(now: Shop) -> list[str]:
    """Return the external ids that more than one user, or more than one company, has."""
    users = [user.external_id for company in now.companies for user in company.users]
    companies = [company.external_id for company in now.companies]
    return [key for ids in (users, companies) for key in set(ids) if key and ids.count(key) > 1]


def _admins(company: Company, role: str) -> int:
    return sum(user.role == role for user in company.users)
