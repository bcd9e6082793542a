"""Faults on cue: what goes wrong, where a test says so.

Every single effect (an action, a reference, a commit, a question, a request) is one cue, answered by the
script. The wrappers of `faulty` and `faulty_awaited` play it; those that share one `Faults` die together,
as the parts of one process do.
"""

import enum
import inspect
import random
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, NoReturn, Protocol, TypeAlias, TypeGuard, TypeVar

from attrs import define, field, frozen

from acumatica_b2b.errors import (
    ConfigurationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Response
from acumatica_b2b.protocols import AsyncClock, Clock

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")


class Crash(BaseException):
    """The process dies here: no error that anyone may catch."""


class Fault(enum.Enum):
    """What becomes of one effect."""

    NONE = "none"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    RATE_LIMITED = "rate-limited"
    LOST = "lost"
    """It did not take effect, but nobody can know."""
    ANSWER_LOST = "answer-lost"
    """It took effect, but nobody can know."""
    DELAYED = "delayed"
    """Nobody can know, and it takes effect only when the test calls `Faults.deliver`."""
    REPEATED = "repeated"
    """It took effect twice, as by a proxy that sends again; the second answer is the one that comes."""
    GARBLED = "garbled"
    """It took effect, and its answer can't be read."""
    SHORTENED = "shortened"
    """Half of what was asked for comes, and says so; where nothing can be halved, all is well."""
    LEFT_OUT = "left-out"
    """It took effect, and its answer is missing in the list."""
    CRASH_BEFORE = "crash-before"
    CRASH_AFTER = "crash-after"


@frozen(eq=False)
class Late:
    """It takes effect, and its answer comes so many seconds later by this clock; a lease may end meanwhile.

    The clock sleeps; one that is awaited serves the async wrappers only.
    """

    clock: Clock | AsyncClock = field(repr=False)
    seconds: float


Cue: TypeAlias = Fault | Late | Exception | Response
"""What becomes of one effect. An exception, or for a FaultyTransport a response, comes instead of taking effect."""
Script: TypeAlias = Callable[[Any], Cue] | Iterable[Cue]
"""Cues by the effect that is about to happen, or one after another and then none."""

Words: TypeAlias = Mapping[Fault, Callable[[], Exception | Response]]

SAID: Final[Words] = {
    Fault.REFUSED: lambda: RejectedError(Reason.OTHER, "refused on cue"),
    Fault.NOT_SENT: lambda: NotSentError("not sent on cue"),
    Fault.RATE_LIMITED: lambda: RateLimitedError("rate-limited on cue", 1.0),
    Fault.LOST: lambda: OutcomeUnknownError("lost on cue"),
    Fault.DELAYED: lambda: OutcomeUnknownError("delayed on cue"),
    Fault.ANSWER_LOST: lambda: OutcomeUnknownError("the answer was lost on cue"),
    Fault.GARBLED: lambda: DecodeError("the answer was garbled on cue"),
}
"""What the caller hears of a fault."""
_UNTOUCHED: Final = frozenset({Fault.REFUSED, Fault.NOT_SENT, Fault.RATE_LIMITED, Fault.LOST, Fault.DELAYED})


class Manner(Protocol[A]):
    """How one kind of call tells its caller of a fault."""

    def instead(self, cue: Fault | Exception | Response, /) -> A:
        """Return, or raise, what comes instead of an answer."""
        ...

    def shortened(self, answer: A, /) -> A:
        """Return half of an answer."""
        ...

    def left_out(self) -> A:
        """Return what is there where an answer is missing."""
        ...


def _whole(value: T) -> T:
    return value


@frozen
class Outcomes(Manner[Outcome[T] | None]):
    """Tells of faults as `Failed`, and of an answer that is left out as None."""

    half: Callable[[T], T] = _whole

    def instead(self, cue: Fault | Exception | Response, /) -> Outcome[T]:
        """Return the failure that this fault is."""
        told = SAID[cue]() if isinstance(cue, Fault) else cue
        if isinstance(told, Response):
            raise ConfigurationError("a Response on cue is an HTTP answer; only a FaultyTransport can give it")
        return Failed(told)

    def shortened(self, answer: Outcome[T] | None, /) -> Outcome[T] | None:
        """Return half of an outcome's value."""
        return Ok(self.half(answer.value)) if isinstance(answer, Ok) else answer

    def left_out(self) -> None:
        """Return nothing."""


def _in_turn(cues: Iterator[Cue]) -> Callable[[Any], Cue]:
    return lambda _: next(cues, Fault.NONE)


def _callable(script: Script) -> Callable[[Any], Cue]:
    return script if callable(script) else _in_turn(iter(script))


@define
class Faults:
    """A script being played. `seen` counts the effects so far; after a crash nothing happens any more."""

    script: Callable[[Any], Cue] = field(converter=_callable, repr=False)
    seen: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)
    _under_way: list[Callable[[], Any]] = field(factory=list[Callable[[], Any]], init=False, repr=False, eq=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False, eq=False)

    def play(self, what: object, do: Callable[[], Outcome[T]]) -> Outcome[T] | None:
        """Return what comes of one effect; None where its answer is left out."""
        return self.play_by(Outcomes[T](), what, do)

    def play_all(
        self, items: Sequence[S], do: Callable[[S], Outcome[T]], half: Callable[[T], T] = _whole
    ) -> list[Outcome[T]]:
        """Return what comes of each item, without those whose answers are left out."""
        played = (self.play_by(Outcomes(half), item, partial(do, item)) for item in items)
        return [outcome for outcome in played if outcome is not None]

    async def aplay_all(
        self, items: Sequence[S], do: Callable[[S], Awaitable[Outcome[T]]], half: Callable[[T], T] = _whole
    ) -> list[Outcome[T]]:
        """Return the same, awaited one after another."""
        played = [await self.aplay_by(Outcomes(half), item, partial(do, item)) for item in items]
        return [outcome for outcome in played if outcome is not None]

    def play_by(self, manner: Manner[A], what: object, do: Callable[[], A]) -> A:
        """Return what a caller hears of one effect."""
        with self._lock:
            cue = self._cue(what)
            if self._is_instead(cue, do):
                return manner.instead(cue)
            answer = do()
            if cue is Fault.REPEATED:
                answer = do()
            heard = self._heard(cue, manner, answer)
        if isinstance(cue, Late):
            _require_passed(cue.clock.sleep(cue.seconds))
        return heard

    async def aplay_by(self, manner: Manner[A], what: object, do: Callable[[], Awaitable[A]]) -> A:
        """Return the same, awaited."""
        cue = self._cue(what)
        if self._is_instead(cue, do):
            return manner.instead(cue)
        answer = await do()
        if cue is Fault.REPEATED:
            answer = await do()
        if self.dead:
            raise Crash
        heard = self._heard(cue, manner, answer)
        if isinstance(cue, Late) and (waiting := cue.clock.sleep(cue.seconds)):
            await waiting
        return heard

    def revive(self) -> None:
        """Begin a new process: the script goes on where it stopped."""
        self.dead = False

    @property
    def under_way(self) -> int:
        """How many delayed effects have not been delivered."""
        return len(self._under_way)

    def deliver(self) -> list[Any]:
        """Let the delayed effects happen, in their order, whoever has died since; return what nobody heard."""
        late, self._under_way = self._under_way, []
        return [do() for do in late]

    async def adeliver(self) -> list[Any]:
        """Let the delayed effects of async wrappers happen."""
        return [await do for do in self.deliver()]

    def _cue(self, what: object) -> Cue:
        with self._lock:
            if self.dead:
                raise Crash
            self.seen += 1
            cue = self.script(what)
            if cue is Fault.CRASH_BEFORE:
                self._die()
            return cue

    def _is_instead(self, cue: Cue, do: Callable[[], Any]) -> TypeGuard[Fault | Exception | Response]:
        if cue is Fault.DELAYED:
            self._under_way.append(do)
        return isinstance(cue, Exception | Response) or cue in _UNTOUCHED

    def _heard(self, cue: Cue, manner: Manner[A], answer: A) -> A:
        if cue is Fault.CRASH_AFTER:
            self._die()
        match cue:
            case Fault.ANSWER_LOST | Fault.GARBLED:
                return manner.instead(cue)
            case Fault.SHORTENED:
                return manner.shortened(answer)
            case Fault.LEFT_OUT:
                return manner.left_out()
            case _:
                return answer

    def _die(self) -> NoReturn:
        self.dead = True
        raise Crash


def _require_passed(slept: object) -> None:
    if inspect.iscoroutine(slept):
        slept.close()
        raise ConfigurationError("the clock of a late answer is awaited; give a sync wrapper a sync one")


# ------------------------------------------------------------------ choosing
def at(number: int, fault: Cue) -> Faults:
    """Return the script in which the effect of this number, from 1 on, meets a fault."""
    return Faults((*(Fault.NONE for _ in range(1, number)), fault))


def whenever(meets: Callable[[Any], bool], fault: Cue, *, times: int | None = None) -> Faults:
    """Return the script in which every effect that meets a condition meets the fault; or only the first `times`."""
    met = count(1)
    return Faults(lambda what: fault if meets(what) and (times is None or next(met) <= times) else Fault.NONE)


def randomly(seed: int, chances: Mapping[Cue, float]) -> Faults:
    """Return the script in which each effect meets each fault with its chance: the same seed, the same faults.

    >>> faults = randomly(7, {Fault.LOST: 0.05, Fault.CRASH_AFTER: 0.01})

    Raises:
        ValueError: a chance is negative, or they come to more than 1.

    """
    left = 1.0 - sum(chances.values())
    if left < 0 or any(chance < 0 for chance in chances.values()):
        raise ValueError(f"chances of {sorted(chances.values())} can't be; give each 0 to 1, and together at most 1")
    die = random.Random(seed)  # noqa: S311 -- it has to give the same again
    cues, weights = (*chances, Fault.NONE), (*chances.values(), left)
    return Faults(lambda _: die.choices(cues, weights)[0])
