"""The licence's limits on requests: which wait, how long, and which are declined."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock, Semaphore
from typing import Final

from attrs import Factory, define, field

from acumatica_b2b.simulators.acumatica.answers import RefusedError, declined
from acumatica_b2b.simulators.acumatica.settings import Licence

_MINUTE: Final = timedelta(minutes=1)


@define(kw_only=True)
class Gate:
    """Lets requests in one by one, as the licence allows."""

    licence: Licence
    now: Callable[[], datetime]
    sleep: Callable[[float], None] | None = None
    """How a delay is waited for; None: it is noted only."""
    delays: list[float] = field(factory=list[float], init=False)
    """Seconds of each request that was delayed."""
    _begun: datetime | None = field(default=None, init=False)
    _done: int = field(default=0, init=False)
    _inside: int = field(default=0, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _places: Semaphore | None = field(
        default=Factory(
            lambda gate: Semaphore(gate.licence.concurrent) if gate.licence.concurrent is not None else None,
            takes_self=True,
        ),
        init=False,
    )

    @contextmanager
    def passing(self) -> Generator[None]:
        """Hold a place while its body runs, after waiting for it.

        Raises:
            RefusedError: 429, the queue is full or the wait would be too long.

        """
        self._join()
        try:
            with self._place():
                self._wait()
                yield
        finally:
            with self._lock:
                self._inside -= 1

    @contextmanager
    def _place(self) -> Generator[None]:
        if self._places is None:
            yield
            return
        if not self._places.acquire(timeout=self.licence.patience):
            raise RefusedError(declined())
        try:
            yield
        finally:
            self._places.release()

    def _join(self) -> None:
        with self._lock:
            places = self.licence.concurrent
            if places is not None and self._inside >= places + self.licence.queue:
                raise RefusedError(declined())
            self._inside += 1

    def _wait(self) -> None:
        with self._lock:
            delay = self._delay()
            if delay:
                self.delays.append(delay)
        if delay and self.sleep is not None:
            self.sleep(delay)

    def _delay(self) -> float:
        """Return the seconds by which the next request is delayed, and count it."""
        limit, now = self.licence.requests, self.now()
        if limit is None:
            return 0.0
        if self._begun is None or not timedelta(0) <= now - self._begun < _MINUTE:
            self._begun, self._done = now, 0
        left, self._done = limit - self._done, self._done + 1
        if left * 2 > limit:
            return 0.0
        return (self._begun + _MINUTE - now).total_seconds() / max(left, 1)
