"""Budgets for one process: how many requests may go out is counted, and learned from the answers."""

import threading
from collections import deque
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Allowance

_LOOK_AGAIN: Final = 0.05
"""Seconds after which to ask again where too many requests are under way: nobody knows when one ends."""

_TICK: Final = 1e-6
"""Seconds that a moment can tell apart: after a shorter wait it would still be the same moment."""

_AT_ONCE: Final = 0.2
"""This share of a window's requests goes out as fast as it is asked for; the rest is spread over the window."""

_LONGEST: Final = 86_400.0
"""Seconds after which a window ends, whatever an answer says of it."""

_UNTOLD_REFUSAL: Final = 5.0
"""Seconds to hold back after a refusal that names no time; twice as many after each further one."""


@frozen
class _Window:
    """What the server told of its present window."""

    left: int
    ends: datetime


@define(kw_only=True)
class Quota:
    """The quota of one account, shared by every client that is given it: a `Budget` for one process.

    At most `requests` go out in `window` seconds; where answers tell what is left, their word counts
    instead, and what is left is spread over what remains of the window: so the account's other
    integrations find some of it at any time, and none is left unspent. At most `concurrent` are under
    way at once. `keep` requests of each window are left to others. None: no bound.

    >>> quota = Quota(requests=1, window=60.0)
    >>> noon = datetime(2026, 1, 1, 12, 0)
    >>> quota.take(noon), quota.take(noon + timedelta(seconds=20))
    (0.0, 40.0)

    Raises:
        ConfigurationError: a bound lets nothing out.

    """

    requests: int | None = None
    window: float = 60.0
    concurrent: int | None = None
    keep: int = 0
    _let_out: deque[datetime] = field(factory=deque[datetime], init=False, repr=False)
    _under_way: int = field(default=0, init=False)
    _told: _Window | None = field(default=None, init=False, repr=False)
    _most: int = field(default=0, init=False, repr=False)
    _last: datetime | None = field(default=None, init=False, repr=False)
    _refusals: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        bounds = {"requests": self.requests, "window": self.window, "concurrent": self.concurrent}
        for name, bound in bounds.items():
            if bound is not None and bound <= 0:
                message = f"{name} of a Quota is {bound}; it must be more than 0, or None for no bound"
                raise ConfigurationError(message)
        if not 0 <= self.keep < (self.requests or self.keep + 1):
            message = f"keep of a Quota is {self.keep}; of {self.requests} requests some must be left to send"
            raise ConfigurationError(message)

    def take(self, now: datetime, /) -> float:
        """Return 0.0: one request may go out now, and counts; else the seconds after which to ask again."""
        with self._lock:
            if self.concurrent is not None and self._under_way >= self.concurrent:
                return _LOOK_AGAIN
            if (wait := self._wait(now)) >= _TICK:
                return wait
            self._under_way += 1
            self._last = now
            if self.requests is not None:
                self._let_out.append(now)
            return 0.0

    def answered(self, now: datetime, told: Allowance | None, /) -> None:
        """Hear that a request which was let out has ended, and what its answer tells."""
        with self._lock:
            self._under_way -= 1
            if told is not None and told.left is not None:
                self._learn(now, told.left, told.resets)

    def _wait(self, now: datetime) -> float:
        if self._told is not None and now >= self._told.ends:
            self._told = None  # a new window: nothing of it is spent that we know of
            self._let_out.clear()
        if self._told is not None:
            return self._spread(self._told, now)
        if self.requests is None:
            return 0.0
        span = timedelta(seconds=self.window)
        while self._let_out and now - self._let_out[0] >= span:
            self._let_out.popleft()
        free = len(self._let_out) < self.requests - self.keep
        return 0.0 if free else (self._let_out[0] + span - now).total_seconds()

    def _spread(self, told: _Window, now: datetime) -> float:
        ahead = (told.ends - now).total_seconds()
        free = told.left - self._under_way - self.keep  # what is under way may be counted already, or not yet
        if free <= 0:
            return ahead
        if self._last is None or free > (1 - _AT_ONCE) * self._most:
            return 0.0
        return max(0.0, (self._last - now).total_seconds() + ahead / free)

    def _learn(self, now: datetime, left: int, resets: float | None) -> None:
        self._most = max(self._most, left)
        if resets is None:
            resets = self.window if left else self._untold(now)
        if left:
            self._refusals = 0
        # Answers overtake one another, and each was on its way for a while: the lowest count and
        # the earliest end are the truest of a window.
        ends = now + timedelta(seconds=min(resets, _LONGEST))
        if self._told is not None and abs((ends - self._told.ends).total_seconds()) < self.window / 2:
            left, ends = min(left, self._told.left), min(ends, self._told.ends)
        self._told = _Window(left, ends)

    def _untold(self, now: datetime) -> float:
        """Return how long to hold back; what was under way together is refused together, and counts as one."""
        if self._told is None or self._told.left or now >= self._told.ends:
            self._refusals += 1
        return min(self.window, _UNTOLD_REFUSAL * 2.0 ** min(max(self._refusals - 1, 0), 10))


@define
class AsyncQuota:
    """The same, awaited; give several clients one `Quota`, sync and async alike, to share an account."""

    quota: Quota = field(factory=Quota)

    async def take(self, now: datetime, /) -> float:
        """Return 0.0, or the seconds after which to ask again."""
        return self.quota.take(now)

    async def answered(self, now: datetime, told: Allowance | None, /) -> None:
        """Hear that a request which was let out has ended."""
        self.quota.answered(now, told)
