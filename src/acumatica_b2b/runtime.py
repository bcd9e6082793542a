"""Answers effects, in threads or in tasks: the only module that knows threading, asyncio, the clock."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar, overload

from attrs import define, evolve, field

from acumatica_b2b.errors import ConfigurationError, NotSentError, OutcomeUnknownError
from acumatica_b2b.flow import Batch, Effect, Failed, Flow, Ok, Outcome, arun, run
from acumatica_b2b.http import (
    Allowance,
    AskHost,
    AsyncBudget,
    AsyncTransport,
    Budget,
    Pause,
    Renew,
    Response,
    Send,
    Session,
    Transport,
)
from acumatica_b2b.pace import Pace
from acumatica_b2b.protocols import (
    AsyncClock,
    AsyncErp,
    AsyncStorefront,
    AsyncSyncLogStore,
    Clock,
    Erp,
    Storefront,
    SyncLogStore,
)
from acumatica_b2b.quota import AsyncQuota, Quota

T = TypeVar("T")

_GRACE: Final = 15.0
"""Seconds that who cancels a sign-in waits for its answer."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        time.sleep(seconds)


class AsyncSystemClock:
    """The machine's own time, awaited."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


# ------------------------------------------------------------------ flows of requests
def _lost(error: Exception) -> Failed:
    """Return what a transport's exception means for the request."""
    if isinstance(error, NotSentError | OutcomeUnknownError):
        return Failed(error)
    unknown = OutcomeUnknownError(f"the transport raised {type(error).__name__}; the request may have been sent")
    unknown.__cause__ = error
    return Failed(unknown)


def _longest(batch: Batch) -> float:
    """Return how long a batch has to wait: its pauses run side by side."""
    return max((effect.seconds for effect in batch if isinstance(effect, Pause)), default=0.0)


def _later(before: datetime, seconds: float, now: datetime) -> datetime:
    """Return the time after a pause, which has passed even where a clock was set back or stands still."""
    return max(now, before + timedelta(seconds=seconds))


def _held(reply: Outcome[Response], back: timedelta) -> Outcome[Response]:
    """Return a reply that says for how long its request was held back."""
    if not (back and isinstance(reply, Ok)):
        return reply
    return Ok(evolve(reply.value, held=back.total_seconds()))


def _name_of(call: Callable[[], Any]) -> str:
    whole = getattr(call, "func", call)
    return getattr(whole, "__qualname__", type(whole).__name__)


def _untold(_: Response) -> Allowance | None:
    return None


@define
class Caller:
    """Drives a client's flows over a transport, at its `pace`: never more than `parallel` requests at once.

    `told` reads from an answer what it tells the `budget` of the quota.
    """

    transport: Transport
    sign_in: Callable[[], Flow[Session]]
    clock: Clock = field(factory=SystemClock)
    parallel: int = 16
    budget: Budget = field(factory=Quota)
    told: Callable[[Response], Allowance | None] = _untold
    session: Session | None = field(default=None, init=False, repr=False)
    pace: Pace = field(init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.pace = Pace(self.parallel)

    def call(self, flow: Flow[T]) -> T:
        """Return what a flow of requests comes to."""
        return run(flow, self._answer)

    def _answer(self, batch: Batch) -> Sequence[Any]:
        if pause := _longest(batch):
            self.clock.sleep(pause)
        if len(batch) == 1 or self.pace.at_once == 1:
            return [self._one(effect) for effect in batch]
        with ThreadPoolExecutor(min(self.pace.at_once, len(batch))) as pool:
            return list(pool.map(self._one, batch))

    def _one(self, effect: Effect[Any]) -> Any:
        match effect:
            case Send():
                return self._send(effect)
            case Pause():
                return None  # waited for by the whole batch
            case AskHost(call):
                answer = call()
                if inspect.iscoroutine(answer):
                    answer.close()
                    message = f"{_name_of(call)}() is async; give a sync client the sync one"
                    raise ConfigurationError(message)
                return answer
            case Renew(refused):
                with self._lock:
                    if self.session is None or self.session is refused:
                        self.session = None
                        self.session = self.call(self.sign_in())
                    return self.session
            case _:
                raise TypeError(effect)

    def _send(self, effect: Send) -> Outcome[Response]:
        if effect.free:
            return self._sent(effect)
        began = now = self.clock.now()
        while wait := self.budget.take(now):
            self.clock.sleep(wait)
            now = _later(now, wait, self.clock.now())
        told, sent = None, self.clock.now()
        try:
            reply = self._sent(effect)
            told = self.told(reply.value) if isinstance(reply, Ok) else None
        finally:
            ended = self.clock.now()
            self.budget.answered(ended, told)
            self.pace.heard((ended - sent).total_seconds(), held=now > began)
        return _held(reply, now - began)

    def _sent(self, effect: Send) -> Outcome[Response]:
        try:
            return Ok(self.transport.send(effect.request))
        except Exception as error:  # a host's transport may raise anything
            return _lost(error)


@define
class AsyncCaller:
    """The same in tasks."""

    transport: AsyncTransport
    sign_in: Callable[[], Flow[Session]]
    clock: AsyncClock = field(factory=AsyncSystemClock)
    parallel: int = 16
    budget: AsyncBudget = field(factory=AsyncQuota)
    told: Callable[[Response], Allowance | None] = _untold
    session: Session | None = field(default=None, init=False, repr=False)
    pace: Pace = field(init=False, repr=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.pace = Pace(self.parallel)

    async def call(self, flow: Flow[T]) -> T:
        """Return what a flow of requests comes to."""
        return await arun(flow, self._answer)

    async def _answer(self, batch: Batch) -> Sequence[Any]:
        if pause := _longest(batch):
            await self.clock.sleep(pause)
        return await in_tasks([partial(self._one, effect) for effect in batch], self.pace.at_once)

    async def _one(self, effect: Effect[Any]) -> Any:
        match effect:
            case Send():
                return await self._send(effect)
            case Pause():
                return None  # as above
            case AskHost(call):
                answer = call()
                if not inspect.isawaitable(answer):
                    message = f"{_name_of(call)}() is not async; give an async client the async twin"
                    raise ConfigurationError(message)
                return await answer
            case Renew(refused):
                async with self._lock:
                    if self.session is None or self.session is refused:
                        self.session = None
                        self.session = await self._signed_in()
                    return self.session
            case _:
                raise TypeError(effect)

    async def _signed_in(self) -> Session:
        """Return a new session.

        Who cancels it waits for the answer that is on its way: a session that nobody heard of would hold
        its seat, and a refresh token that was not saved would be lost.
        """
        given_up: asyncio.CancelledError | None = None

        async def answer(batch: Batch) -> Sequence[Any]:
            nonlocal given_up
            if given_up is not None:
                raise given_up
            task = asyncio.ensure_future(self._answer(batch))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError as error:
                given_up = error
                await asyncio.wait([task], timeout=0.0 if _longest(batch) else _GRACE)
                if not task.done():
                    raise
                return task.result()
            finally:
                task.cancel()

        try:
            return await arun(self.sign_in(), answer)
        finally:
            if given_up is not None:
                raise given_up

    async def _send(self, effect: Send) -> Outcome[Response]:
        if effect.free:
            return await self._sent(effect)
        began = now = self.clock.now()
        while wait := await self.budget.take(now):
            await self.clock.sleep(wait)
            now = _later(now, wait, self.clock.now())
        told, sent = None, self.clock.now()
        try:
            reply = await self._sent(effect)
            told = self.told(reply.value) if isinstance(reply, Ok) else None
        finally:
            ended = self.clock.now()
            await self.budget.answered(ended, told)
            self.pace.heard((ended - sent).total_seconds(), held=now > began)
        return _held(reply, now - began)

    async def _sent(self, effect: Send) -> Outcome[Response]:
        try:
            return Ok(await self.transport.send(effect.request))
        except Exception as error:  # a host's transport may raise anything
            return _lost(error)


# ------------------------------------------------------------------ sync clients in async code
@overload
def in_threads(client: SyncLogStore, /) -> AsyncSyncLogStore: ...
@overload
def in_threads(client: Storefront, /) -> AsyncStorefront: ...
@overload
def in_threads(client: Erp, /) -> AsyncErp: ...
@overload
def in_threads(client: Transport, /) -> AsyncTransport: ...
def in_threads(client: object, /) -> object:
    """Return the async twin of a sync store, storefront, ERP or transport: each call runs in a thread."""
    return _InThreads(client)


_OPTIONAL: Final = ("require_roles", "find_shoppers", "super_admins", "survey", "check", "scrub")
"""The methods by which a client shows that it can tell more than the engine asks for."""


class _InThreads:
    """Awaits the calls of another object, which has to stand being called from any thread."""

    def __init__(self, client: object) -> None:
        self._client = client
        for name in _OPTIONAL:  # from Python 3.12 on `isinstance` does not see what `__getattr__` answers
            if callable(getattr(client, name, None)):
                setattr(self, name, self.__getattr__(name))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return partial(asyncio.to_thread, found) if callable(found) else found


async def in_tasks(calls: Sequence[Callable[[], Awaitable[T]]], parallel: int) -> list[T]:
    """Return the answers of calls made in tasks; the first error is raised when all have stopped."""
    gate = asyncio.Semaphore(parallel)

    async def guarded(call: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await call()

    tasks = [asyncio.ensure_future(guarded(call)) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
