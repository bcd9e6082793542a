import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.flow import Batch, Effect, Flow, SideBySide, arun, ask, ask_all, run, side_by_side, through, together

T = TypeVar("T")


@frozen
class Early(Effect[str]):
    """An effect of the first stage."""

    name: str


@frozen
class Late(Effect[str]):
    """An effect of a later stage."""

    stage = 7
    name: str


class Lost(Exception):  # noqa: N818 -- a word of these tests
    """What the world may raise."""


def driven(flow: Flow[T], answer: Callable[[Batch], Sequence[Any]]) -> T:
    """Return what the flow comes to."""
    return run(flow, answer)


def driven_in_a_task(flow: Flow[T], answer: Callable[[Batch], Sequence[Any]]) -> T:
    """Return what the flow comes to, awaited."""

    async def later(batch: Batch) -> Sequence[Any]:
        await asyncio.sleep(0)
        return answer(batch)

    return asyncio.run(arun(flow, later))


Driver = Callable[[Flow[Any], Callable[[Batch], Sequence[Any]]], Any]


@pytest.fixture(params=[driven, driven_in_a_task], ids=["run", "arun"])
def drive(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn."""
    driver: Driver = request.param
    return driver


class World:
    """Answers each effect with its name in capitals and keeps the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def __call__(self, batch: Batch) -> list[str]:
        """Return an answer to each effect."""
        self.batches.append(batch)
        return [effect.name.upper() for effect in batch if isinstance(effect, Early | Late)]


def conversation(*effects: Effect[str]) -> Flow[tuple[str, ...]]:
    """Return the answers to effects asked for one after another."""
    answers: tuple[str, ...] = ()
    for effect in effects:
        answers += ((yield from ask(effect)),)
    return answers


# ------------------------------------------------------------------ one flow
def test_an_answer_goes_to_who_asked(drive: Driver) -> None:
    """A flow gets the answer to each effect and returns a value, run or awaited."""
    world = World()
    assert drive(conversation(Early("a"), Late("b")), world) == ("A", "B")
    assert world.batches == [(Early("a"),), (Late("b"),)]


def test_effects_asked_for_at_once_are_one_batch(drive: Driver) -> None:
    """Three effects make one batch, and their answers keep its order."""
    world = World()
    assert drive(ask_all(Early(name) for name in "abc"), world) == ("A", "B", "C")
    assert [len(batch) for batch in world.batches] == [3]


def test_no_effects_are_no_question(drive: Driver) -> None:
    """A flow that asks for nothing, or brings no flows together, makes no batch."""
    world = World()
    assert drive(ask_all([]), world) == ()
    assert drive(together([]), world) == ()
    assert world.batches == []


@pytest.mark.parametrize("given", [0, 1, 3])
@pytest.mark.parametrize(
    "flow",
    [
        lambda: ask_all([Early("a"), Late("b")]),
        lambda: together([ask(Early("a")), ask(Early("b"))]),
        lambda: together([ask_all([Early("a"), Early("b")])]),
    ],
    ids=["ask_all", "together", "together-one"],
)
def test_two_effects_need_two_answers(drive: Driver, flow: Callable[[], Flow[Any]], given: int) -> None:
    """ValueError: too few answers, or too many, are never dealt out; the message has both numbers."""
    with pytest.raises(ValueError, match=rf"{given} answers to 2 effects \(.*Early.*\)"):
        drive(flow(), lambda _: ["x"] * given)


@pytest.mark.parametrize("given", [0, 2])
def test_one_effect_needs_one_answer(drive: Driver, given: int) -> None:
    """ValueError: one effect was answered not once."""
    with pytest.raises(ValueError, match=rf"{given} answers to 1 effects \(Early\)"):
        drive(ask(Early("a")), lambda _: ["x"] * given)


def test_what_an_answer_raises_is_raised_inside_the_flow(drive: Driver) -> None:
    """A flow may catch what the world raised, and go on."""

    def careful() -> Flow[str]:
        try:
            return (yield from ask(Early("a")))
        except Lost:
            return (yield from ask(Late("b")))

    def answer(batch: Batch) -> Sequence[str]:
        if batch == (Early("a"),):
            raise Lost
        return ["second"]

    assert drive(careful(), answer) == "second"


def test_what_a_flow_does_not_catch_ends_it(drive: Driver) -> None:
    """The error that the world raised comes out as it is."""
    error = Lost()

    def answer(_: Batch) -> Sequence[str]:
        raise error

    with pytest.raises(Lost) as caught:
        drive(conversation(Early("a")), answer)
    assert caught.value is error


def test_a_stopped_driver_closes_its_flow(drive: Driver) -> None:
    """What is no error, such as Ctrl-C, is not offered to the flow; it closes the flow on its way."""
    seen: list[str] = []

    def answer(_: Batch) -> Sequence[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(noting_its_end(seen, "a"), answer)
    assert seen == ["GeneratorExit a"]


def test_a_cancelled_task_closes_its_flow() -> None:
    """Cancelling the task that drives a flow closes the flow before the task ends."""
    seen: list[str] = []

    async def never(_: Batch) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async def main() -> None:
        task = asyncio.create_task(arun(noting_its_end(seen, "a"), never))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(main())
    assert seen == ["GeneratorExit a"]


def noting_its_end(seen: list[str], name: str) -> Flow[str]:
    """Return the answer to the second of two effects; note how the flow was ended otherwise."""
    try:
        yield from ask(Early("before"))
        return (yield from ask(Early(name)))
    except BaseException as error:
        seen.append(f"{type(error).__name__} {name}")
        raise


# ------------------------------------------------------------------ in step
def test_flows_brought_together_share_a_call(drive: Driver) -> None:
    """What two flows ask for at the same stage goes out as one batch, in their order."""
    world = World()
    flows = [conversation(Early("a"), Early("b")), conversation(Early("c"), Early("d"))]
    assert drive(together(flows), world) == (("A", "B"), ("C", "D"))
    assert world.batches == [(Early("a"), Early("c")), (Early("b"), Early("d"))]


def test_a_low_stage_goes_first(drive: Driver) -> None:
    """A flow that waits at a later stage waits until no flow is at an earlier one."""
    world = World()
    flows = [conversation(Late("late")), conversation(Early("a"), Early("b"), Late("c"))]
    assert drive(together(flows), world) == (("LATE",), ("A", "B", "C"))
    assert world.batches == [(Early("a"),), (Early("b"),), (Late("late"), Late("c"))]


def test_results_keep_the_order_of_their_flows(drive: Driver) -> None:
    """Results come in the order of the flows, whichever ended first."""
    flows = [conversation(*map(Early, "abc")), conversation(), conversation(Early("d"))]
    assert drive(together(flows), World()) == (("A", "B", "C"), (), ("D",))


def test_flows_brought_together_can_be_brought_together_again(drive: Driver) -> None:
    """Groups of groups share calls as one group does."""
    world = World()
    inner = [together([ask(Early("a")), ask(Early("b"))]), together([ask(Early("c"))])]
    assert drive(together(inner), world) == (("A", "B"), ("C",))
    assert world.batches == [(Early("a"), Early("b"), Early("c"))]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_what_one_flow_raises_closes_the_others(drive: Driver, failing: int) -> None:
    """The first flow that raises ends all of them, and those that still wait are closed."""
    seen: list[str] = []

    def fails() -> Flow[str]:
        yield from ask(Early("fails"))
        raise Lost

    flows = [noting_its_end(seen, name) for name in ("a", "b")]
    flows.insert(failing, fails())
    with pytest.raises(Lost):
        drive(together(flows), World())
    assert seen == ["GeneratorExit a", "GeneratorExit b"]


def test_what_the_world_raises_closes_all_flows(drive: Driver) -> None:
    """An error that no answer came with closes every flow brought together."""
    seen: list[str] = []

    def answer(_: Batch) -> Sequence[str]:
        raise Lost

    with pytest.raises(Lost):
        drive(together([noting_its_end(seen, "a"), noting_its_end(seen, "b")]), answer)
    assert seen == ["GeneratorExit a", "GeneratorExit b"]


SCRIPTS = st.lists(
    st.lists(st.builds(Early, st.sampled_from("abc")) | st.builds(Late, st.sampled_from("xyz")), max_size=4), max_size=5
)


@given(SCRIPTS)
def test_together_changes_calls_and_not_results(scripts: list[list[Effect[str]]]) -> None:
    """Flows brought together come to what each comes to alone, in no more calls, each of one stage."""
    alone, shared = World(), World()
    expected = tuple(run(conversation(*script), alone) for script in scripts)
    assert run(together(conversation(*script) for script in scripts), shared) == expected
    assert all(len({effect.stage for effect in batch}) == 1 for batch in shared.batches)
    assert sorted(map(repr, sum(shared.batches, ()))) == sorted(map(repr, sum(alone.batches, ())))
    assert len(shared.batches) <= len(alone.batches)


@given(SCRIPTS)
def test_run_and_arun_ask_the_same(scripts: list[list[Effect[str]]]) -> None:
    """A flow puts forward the same batches and comes to the same value in threads and in tasks."""
    worlds = World(), World()
    results = [
        drive(together(conversation(*script) for script in scripts), world)
        for drive, world in zip((driven, driven_in_a_task), worlds, strict=True)
    ]
    assert results[0] == results[1]
    assert worlds[0].batches == worlds[1].batches


# ------------------------------------------------------------------ through another flow
def answering_early(batch: Batch) -> Flow[Sequence[Any]]:
    """Answer early effects here, and pass on the others."""
    if all(isinstance(effect, Early) for effect in batch):
        return ["here"] * len(batch)
    return (yield from ask_all(batch))


def test_a_flow_between_answers_some_and_passes_on_others(drive: Driver) -> None:
    """What the flow between answers never reaches the world; the rest does, answer and all."""
    world = World()
    assert drive(through(conversation(Early("a"), Late("b"), Early("c")), answering_early), world) == (
        "here",
        "B",
        "here",
    )
    assert world.batches == [(Late("b"),)]


def test_an_error_passes_the_flow_between(drive: Driver) -> None:
    """What the world raises is raised inside the inner flow, which may go on."""

    def careful() -> Flow[str]:
        try:
            return (yield from ask(Late("b")))
        except Lost:
            return (yield from ask(Early("a")))

    def answer(_: Batch) -> Sequence[str]:
        raise Lost

    assert drive(through(careful(), answering_early), answer) == "here"


def test_a_flow_between_closes_the_flow_inside(drive: Driver) -> None:
    """Ctrl-C closes both."""
    seen: list[str] = []

    def answer(_: Batch) -> Sequence[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(through(noting_its_end(seen, "a"), ask_all), answer)
    assert seen == ["GeneratorExit a"]


# ------------------------------------------------------------------ side by side
def test_flows_side_by_side_are_one_effect(drive: Driver) -> None:
    """Whoever answers is given the flows themselves, to drive each with calls of its own."""
    flows = [conversation(Early("a")), conversation(Early("b"), Early("c"))]
    batches: list[Batch] = []

    def answer(batch: Batch) -> Sequence[Any]:
        batches.append(batch)
        (effect,) = batch
        assert isinstance(effect, SideBySide)
        return [tuple(run(flow, World()) for flow in effect.flows)]

    assert drive(side_by_side(flows), answer) == (("A",), ("B", "C"))
    assert len(batches) == 1


def test_an_effect_that_holds_flows_is_equal_to_itself_only() -> None:
    """Two waits for the same flows are two effects: a flow can be driven once."""
    flows: tuple[Generator[Batch, Sequence[Any], str], ...] = (ask(Early("a")),)
    assert SideBySide(flows) != SideBySide(flows)
    for flow in flows:
        flow.close()
