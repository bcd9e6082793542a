"""Flows: straight-line code that asks for effects and is answered by whoever drives it.

A flow is a generator. It yields batches of independent effects, is sent their answers in the same
order, and returns a value. It does nothing by itself, so the same flow runs in threads, in tasks
and in a unit test.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from itertools import islice
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import frozen

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Effect(Generic[T_co]):
    """One thing a flow asks for; `T_co` is what it is answered with."""

    __slots__ = ()
    stage: int = 0
    """Effects of one stage share a call; those of a low stage go out first."""


@frozen
class Ok(Generic[T_co]):
    """It happened, and this is what came of it."""

    value: T_co


@frozen
class Failed:
    """It did not happen, or nobody knows: the error says which."""

    error: Exception


Outcome: TypeAlias = Ok[T] | Failed
Batch: TypeAlias = tuple[Effect[Any], ...]
Flow: TypeAlias = Generator[Batch, Sequence[Any], T]


@frozen(eq=False)
class SideBySide(Effect[tuple[Any, ...]]):
    """Flows that may go on at the same time, each with calls of its own."""

    flows: tuple[Flow[Any], ...]


def value_of(outcome: Outcome[T]) -> T:
    """Return what came of it; raise the error where it did not happen."""
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome.value


def ask(effect: Effect[T]) -> Flow[T]:
    """Return the answer to one effect."""
    (answer,) = yield from ask_all((effect,))
    return answer


def ask_all(effects: Iterable[Effect[T]]) -> Flow[tuple[T, ...]]:
    """Return the answers to independent effects of one stage; no effects, no question."""
    batch = tuple(effects)
    return tuple(_each_answered(batch, (yield batch))) if batch else ()


def _each_answered(batch: Batch, answers: Sequence[Any]) -> Sequence[Any]:
    """Return the answers, one for each effect: too few or too many are never dealt out."""
    if len(answers) != len(batch):
        kinds = ", ".join(dict.fromkeys(type(effect).__name__ for effect in batch))
        raise ValueError(f"{len(answers)} answers to {len(batch)} effects ({kinds})")
    return answers


def side_by_side(flows: Iterable[Flow[T]]) -> Flow[tuple[T, ...]]:
    """Return the results of flows driven at the same time, in threads or in tasks."""
    return (yield from ask(SideBySide(tuple(flows))))


def together(flows: Iterable[Flow[T]]) -> Flow[tuple[T, ...]]:
    """Return the results of flows driven in step, so that their effects share calls.

    Of all the effects that the flows wait for, those of the lowest stage go out as one batch.
    What a flow raises ends them all: a flow that may fail alone has to catch it.
    """
    lines = tuple(flows)
    waiting: dict[int, Batch] = {}
    results: dict[int, T] = {}

    def advance(i: int, answers: Sequence[Any] | None) -> None:
        try:
            waiting[i] = next(lines[i]) if answers is None else lines[i].send(answers)
        except StopIteration as stop:
            waiting.pop(i, None)
            results[i] = stop.value

    try:
        for i in range(len(lines)):
            advance(i, None)
        while waiting:
            stage = min(batch[0].stage for batch in waiting.values())
            ready = [i for i, batch in waiting.items() if batch[0].stage == stage]
            asked = tuple(effect for i in ready for effect in waiting[i])
            rest = iter(_each_answered(asked, (yield asked)))
            for i in ready:
                advance(i, tuple(islice(rest, len(waiting[i]))))
    finally:
        for line in lines:
            line.close()
    return tuple(results[i] for i in range(len(lines)))


def through(flow: Flow[T], answer: Callable[[Batch], Flow[Sequence[Any]]]) -> Flow[T]:
    """Return what a flow comes to when its batches are answered by a flow themselves.

    So a caller steps between a flow and whoever drives it: to answer some effects, to pass on others.
    """
    try:
        batch = next(flow)
        while True:
            try:
                answers = yield from answer(batch)
            except Exception as error:  # as in run()
                batch = flow.throw(error)
            else:
                batch = flow.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


def run(flow: Flow[T], answer: Callable[[Batch], Sequence[Any]]) -> T:
    """Drive a flow to its end; what `answer` raises is raised inside the flow."""
    try:
        batch = next(flow)
        while True:
            try:
                answers = answer(batch)
            except Exception as error:  # the flow may know what to do with it
                batch = flow.throw(error)
            else:
                batch = flow.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


async def arun(flow: Flow[T], answer: Callable[[Batch], Awaitable[Sequence[Any]]]) -> T:
    """Drive a flow to its end, awaiting its answers."""
    try:
        batch = next(flow)
        while True:
            try:
                answers = await answer(batch)
            except Exception as error:  # as in run()
                batch = flow.throw(error)
            else:
                batch = flow.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()
