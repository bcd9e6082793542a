"""An event loop whose time jumps to whatever is due next, and what a simulation over it needs."""

import asyncio
import selectors
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol, TypeVar

from attrs import define, field

from acumatica_b2b.http import Request, Response
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import MemoryStore

T = TypeVar("T")
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: the time that was to be waited has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; else let the time pass."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the time that has passed, in seconds."""
        return self._jumping.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine comes to, in no time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


class LoopClock:
    """The time of the running loop."""

    def now(self) -> datetime:
        """Return the time."""
        return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Answers(Protocol):
    """A simulated system."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        ...


@define(eq=False)
class Distant:
    """A system that is so many seconds away, more or less by half; it sees a request half-way."""

    system: Answers
    latency: float
    die: Random
    statuses: list[int] = field(factory=list[int])

    async def send(self, request: Request, /) -> Response:
        """Return the answer."""
        way = self.latency * self.die.uniform(0.5, 1.5)
        await asyncio.sleep(way / 2)
        response = self.system.send(request)
        await asyncio.sleep(way / 2)
        self.statuses.append(response.status)
        return response


@define
class AsyncMemoryStore:
    """A store in memory, awaited."""

    store: MemoryStore = field(factory=MemoryStore)

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits."""
        return self.store.load(keys)

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return which commits were stored."""
        return self.store.append(commits)

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return some keys."""
        return self.store.keys(prefix, after, limit)

    async def drop(self, key: LogKey, before: int, /) -> None:
        """Forget older commits."""
        self.store.drop(key, before)
