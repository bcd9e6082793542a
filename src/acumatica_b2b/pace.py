"""How many requests go out at once: so many as spend a quota at the latency that is seen, and no more."""

import threading
from math import inf
from statistics import fmean
from typing import Final

from attrs import define, field

_AT_FIRST: Final = 4
_AS_QUICK: Final = 1.5
"""Answers that take no longer than so many times the quickest ones show that the system is not at its limit."""
_SLOW: Final = 2.0
"""Those that take longer than this show that requests wait for one another there."""
_FADES: Final = 1.1
"""So much longer the quickest answers are remembered to have taken, each time the width is looked at."""


@define
class Pace:
    """A width between 4 and `most` that follows the answers, shared by all workers of a client.

    More go out at once while answers come as quickly as ever and no budget holds requests back; one less when
    a budget does; fewer when answers take twice as long, since the system then queues them itself.

    >>> pace = Pace(16)
    >>> for _ in range(8):
    ...     pace.heard(2.0, held=False)
    >>> pace.at_once
    6
    """

    most: int
    at_once: int = field(init=False)
    _took: list[float] = field(factory=list[float], init=False, repr=False)
    _held: int = field(default=0, init=False, repr=False)
    _quickest: float = field(default=inf, init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self.at_once = self._least

    @property
    def _least(self) -> int:
        return min(_AT_FIRST, self.most)

    def heard(self, seconds: float, *, held: bool) -> None:
        """Hear how long an answer took, and whether a budget had held the request back."""
        if seconds < 0:
            return  # the clock was set back
        with self._lock:
            self._took.append(seconds)
            self._held += held
            if len(self._took) >= 2 * self.at_once:
                self.at_once = min(self.most, max(self._least, self._next(fmean(self._took))))
                self._took, self._held = [], 0

    def _next(self, mean: float) -> int:
        # a system that has become slower, or is asked for more by now, is not at its limit for ever
        self._quickest = min(self._quickest * _FADES, mean)
        if mean > _SLOW * self._quickest:
            return self.at_once * 2 // 3
        if self._held:
            return self.at_once - 1
        return self.at_once * 3 // 2 if mean <= _AS_QUICK * self._quickest else self.at_once
