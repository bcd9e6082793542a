"""Drives the engine's flows over a host's clients: in threads, in tasks, or seeded for tests."""

import asyncio
import random
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from attrs import define, field

from acumatica_b2b.actions import CreateAddress, CreateCompany, CreateUser, Step, WriteReference
from acumatica_b2b.effects import (
    Append,
    Chosen,
    Claim,
    Claimed,
    Drop,
    Event,
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
    RequireShoppers,
    Scrub,
    Source,
    Survey,
    Tell,
    Wait,
)
from acumatica_b2b.errors import ConfigurationError, LeaseEndedError, Reason, RejectedError
from acumatica_b2b.flow import Batch, Effect, Failed, Flow, Ok, Outcome, SideBySide, arun, run
from acumatica_b2b.model import Customer, Undecoded
from acumatica_b2b.protocols import (
    ChangedSince,
    Cursor,
    KnowsRoles,
    KnowsShoppers,
    KnowsSuperAdmins,
    Page,
    Scrubs,
    Surveys,
    Unreadable,
)

T = TypeVar("T")
Listener = Callable[[Event], None]
Talk = Generator[Callable[[], Any], Any, T]
"""A generator of calls to a host's clients: who drives it makes each call, or awaits it."""

SLICE = 50
"""So many calls' worth of steps goes to a client at once; before each slice the leases are looked at."""


def nobody(_: Event) -> None:
    """Listen to nothing."""


@define(kw_only=True)
class Parties:
    """Whom a run deals with. The clients may be sync or async, all of one kind."""

    erp: Any
    storefront: Any
    store: Any
    clock: Any
    listener: Listener = nobody
    _readings: dict[Source, "_Reading"] = field(factory=dict[Source, "_Reading"], init=False)

    def talk(self, batch: Batch) -> Talk[list[Any]]:
        """Answer a batch: one plural call for the effects of each kind."""
        answers: dict[int, Any] = {}
        kinds: dict[type, list[int]] = {}
        for i, effect in enumerate(batch):
            kinds.setdefault(type(effect), []).append(i)
        for places in kinds.values():
            said = yield from self._ask([batch[i] for i in places])
            answers.update(zip(places, said, strict=True))
        return [answers[i] for i in range(len(batch))]

    def _ask(self, effects: Sequence[Any]) -> Talk[Sequence[Any]]:
        match effects[0]:
            case Load():
                return (yield from _counted(self.store.load, [effect.key for effect in effects]))
            case Append():
                return (yield from _counted(self.store.append, [effect.commit for effect in effects]))
            case Observe():
                return (yield from _counted(self.storefront.observe, [effect.company for effect in effects]))
            case FindShopper():
                return (yield from _counted(self.storefront.find_shoppers, [effect.email for effect in effects]))
            case IsSuperAdmin():
                if not isinstance(self.storefront, KnowsSuperAdmins):
                    return [Ok(value=False) for _ in effects]
                return (yield from _counted(self.storefront.super_admins, [effect.email for effect in effects]))
            case FindUser():
                return (yield from _counted(self.storefront.find_users, [effect.email for effect in effects]))
            case ReadCustomer():
                return (yield from _counted(self.erp.customers, [effect.customer for effect in effects]))
            case ReadContact():
                return (yield from _counted(self.erp.contacts, [effect.contact for effect in effects]))
            case Perform():
                return (yield from self._perform(effects))
            case _:
                answers: list[Any] = []
                for effect in effects:
                    answer = yield from self._one(effect)
                    answers.append(answer)
                return answers

    def _one(self, effect: Effect[Any]) -> Talk[Any]:
        match effect:
            case NextPage(source, size):
                return (yield from self._next_page(source, size))
            case Keys(prefix, limit, after):
                return (yield lambda: self.store.keys(prefix, after, limit))
            case Drop(key, before):
                return (yield lambda: self.store.drop(key, before))
            case Scrub():
                return (yield self.store.scrub) if isinstance(self.store, Scrubs) else None
            case Claim():
                return Claimed()  # a customer by itself has no rivals
            case Now():
                return self.clock.now()
            case NewID():
                return uuid.uuid4().hex
            case Wait(seconds):
                return (yield lambda: self.clock.sleep(seconds))
            case Tell(event):
                return self.listener(event)
            case RequireRoles(names):
                knows = isinstance(self.storefront, KnowsRoles)
                return (yield lambda: self.storefront.require_roles(names)) if knows else None
            case RequireShoppers():
                return self._require_shoppers()
            case Survey(companies):
                surveys = isinstance(self.storefront, Surveys)
                return (yield lambda: self.storefront.survey(companies)) if surveys else None
            case _:
                raise TypeError(effect)

    def _require_shoppers(self) -> None:
        if not isinstance(self.storefront, KnowsShoppers):
            raise ConfigurationError(
                "existing_shoppers of the policy holds or refuses shoppers, and this storefront can't tell who is one:"
                " give it find_shoppers(), or set existing_shoppers to adopt"
            )

    # -------------------------------------------------------------- steps
    def _perform(self, effects: Sequence[Perform]) -> Talk[Sequence[Any]]:
        """Send steps slice by slice, and none after its lease; those of one kind stand together, to share calls."""
        answers: dict[int, Any] = {}
        order = sorted(range(len(effects)), key=lambda i: type(effects[i].step).__name__)
        for places in self._slices(effects, order):
            now = self.clock.now()
            sent = [i for i in places if now < effects[i].until]
            answers |= dict.fromkeys(places, Failed(LeaseEndedError("its lease ended before it was sent")))
            answers |= zip(sent, (yield from self._send([effects[i].step for i in sent])), strict=True)
        return [answers[i] for i in range(len(effects))]

    def _slices(self, effects: Sequence[Perform], order: Sequence[int]) -> Iterator[list[int]]:
        """Yield the places of steps that go out at once, so many calls' worth of them."""
        bulk = self.storefront.capabilities.bulk
        part: list[int] = []
        weight = 0.0
        for i in order:
            part.append(i)
            weight += 1 / bulk if isinstance(effects[i].step, CreateCompany | CreateUser | CreateAddress) else 1
            if weight >= SLICE:
                yield part
                part, weight = [], 0.0
        if part:
            yield part

    def _send(self, steps: Sequence[Step]) -> Talk[list[Any]]:
        references = [step.reference for step in steps if isinstance(step, WriteReference)]
        actions = [step for step in steps if not isinstance(step, WriteReference)]
        written = iter((yield from _counted(self.erp.write_references, references)) if references else ())
        performed = iter((yield from _counted(self.storefront.perform, actions)) if actions else ())
        return [next(written) if isinstance(step, WriteReference) else next(performed) for step in steps]

    # -------------------------------------------------------------- reading
    def _next_page(self, source: Source, size: int) -> Talk[Page[Customer | Undecoded] | None]:
        reading = self._readings.setdefault(source, _Reading())
        if reading.ended:
            return None
        if isinstance(source, Chosen):
            return (yield from self._chosen(source, reading, size))
        read = self._read_undecoded if isinstance(source, ChangedSince) else self.erp.read
        page: Page[Customer | Undecoded] = yield lambda: read(source, reading.cursor)
        reading.cursor, reading.ended = page.next, page.next is None
        return page

    @property
    def _read_undecoded(self) -> Any:
        """How the ERP reads without decoding; a class that only inherits it may have a `read` of its own."""
        of_its_own = "read_undecoded" in vars(type(cast("object", self.erp)))
        return self.erp.read_undecoded if of_its_own else self.erp.read

    def _chosen(self, source: Chosen, reading: "_Reading", size: int) -> Talk[Page[Customer | Undecoded] | None]:
        asked = source.customers[reading.taken : reading.taken + size]
        reading.taken += len(asked)
        reading.ended = reading.taken >= len(source.customers)
        if not asked:
            return None
        found: Sequence[Outcome[Customer | None]] = yield from _counted(self.erp.customers, list(asked))
        pairs = list(zip(asked, found, strict=True))
        gone = [
            Unreadable(customer=c, error=RejectedError(Reason.GONE, f"the ERP has no customer {str(c)!r}"))
            for c, outcome in pairs
            if isinstance(outcome, Ok) and outcome.value is None
        ]
        failed = [Unreadable(customer=c, error=o.error) for c, o in pairs if isinstance(o, Failed)]
        items = tuple(o.value for _, o in pairs if isinstance(o, Ok) and o.value is not None)
        return Page(items=items, unreadable=(*gone, *failed))


@define
class _Reading:
    """How far one source has been read in this run."""

    cursor: Cursor | None = None
    taken: int = 0
    ended: bool = False


def _counted(call: Callable[[Any], Any], items: Sequence[Any]) -> Talk[Sequence[Any]]:
    """Return one answer for each item; name the client that gives too few or too many."""
    answers: Sequence[Any] = yield lambda: call(items)
    if len(answers) != len(items):
        name = getattr(call, "__qualname__", repr(call))
        message = (
            f"{name}() answered {len(answers)} outcomes for {len(items)} items; it has to give one for each, in order"
        )
        raise ConfigurationError(message)
    return answers


def _talked(talk: Talk[T]) -> T:
    """Make a talk's calls one after another."""
    try:
        call = next(talk)
        while True:
            call = talk.send(call())
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _atalked(talk: Talk[T]) -> T:
    """Make a talk's calls one after another, awaiting each."""
    try:
        call = next(talk)
        while True:
            call = talk.send(await call())
    except StopIteration as stop:
        result: T = stop.value
        return result


# ------------------------------------------------------------------ threads
class _StoppedError(Exception):
    """Another worker of this run failed."""


@define
class Threads:
    """Answers batches; flows side by side run in threads, and the first that fails stops all."""

    parties: Parties
    _one_at_a_time: threading.RLock = field(factory=threading.RLock, init=False)
    _stopped: threading.Event = field(factory=threading.Event, init=False)

    def run(self, flow: Flow[T]) -> T:
        """Return what a flow comes to."""
        return run(flow, self)

    def __call__(self, batch: Batch) -> Sequence[Any]:
        """Answer one batch."""
        if self._stopped.is_set():
            raise _StoppedError
        match batch:
            case (SideBySide(flows),):
                return [self._side_by_side(flows)]
            case (NextPage() | Tell(), *_):
                with self._one_at_a_time:
                    return _talked(self.parties.talk(batch))
            case _:
                return _talked(self.parties.talk(batch))

    def _side_by_side(self, flows: tuple[Flow[Any], ...]) -> tuple[Any, ...]:
        with ThreadPoolExecutor(len(flows)) as pool:
            try:
                futures = [pool.submit(self._one, flow) for flow in flows]
                errors = [error for future in futures if (error := future.exception())]
            except BaseException:  # an interrupt from the keyboard reaches this thread only
                self._stopped.set()
                raise
        for error in sorted(errors, key=lambda error: isinstance(error, _StoppedError)):
            raise error
        return tuple(future.result() for future in futures)

    def _one(self, flow: Flow[T]) -> T:
        try:
            return run(flow, self)
        except BaseException:
            self._stopped.set()
            raise


# ------------------------------------------------------------------ tasks
@define
class Tasks:
    """The same in tasks, over async clients."""

    parties: Parties
    _one_at_a_time: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def run(self, flow: Flow[T]) -> T:
        """Return what a flow comes to."""
        return await arun(flow, self)

    async def __call__(self, batch: Batch) -> Sequence[Any]:
        """Answer one batch."""
        match batch:
            case (SideBySide(flows),):
                return [await self._side_by_side(flows)]
            case (NextPage(), *_):
                async with self._one_at_a_time:
                    return await _atalked(self.parties.talk(batch))
            case _:
                return await _atalked(self.parties.talk(batch))

    async def _side_by_side(self, flows: tuple[Flow[Any], ...]) -> tuple[Any, ...]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(arun(flow, self)) for flow in flows]
        except BaseExceptionGroup as failed:  # sync and async raise the same
            raise failed.exceptions[0] from None
        return tuple(task.result() for task in tasks)


# ------------------------------------------------------------------ tests
@define
class Seeded:
    """One thread and a die: after every batch it says whose turn is next. The same seed, the same run."""

    parties: Parties
    die: random.Random

    def run(self, flow: Flow[T]) -> T:
        """Return what a flow comes to."""
        return run(flow, self)

    def __call__(self, batch: Batch) -> Sequence[Any]:
        """Answer one batch."""
        match batch:
            case (SideBySide(flows),):
                return [self._side_by_side(flows)]
            case _:
                return _talked(self.parties.talk(batch))

    def _answered(self, flow: Flow[Any], batch: Batch) -> Batch:
        """Return what a flow asks next; an error of its batch is raised where it asked, as in threads."""
        try:
            answers = self(batch)
        except Exception as error:
            return flow.throw(error)
        return flow.send(answers)

    def _side_by_side(self, flows: tuple[Flow[Any], ...]) -> tuple[Any, ...]:
        waiting: dict[int, Batch] = {}
        done: dict[int, Any] = {}

        def advance(i: int, batch: Batch | None) -> None:
            try:
                waiting[i] = self._answered(flows[i], batch) if batch else next(flows[i])
            except StopIteration as stop:
                done[i] = stop.value

        try:
            for i in range(len(flows)):
                advance(i, None)
            while waiting:
                i = self.die.choice(sorted(waiting))
                advance(i, waiting.pop(i))
        finally:
            for flow in flows:
                flow.close()
        return tuple(done[i] for i in range(len(flows)))
