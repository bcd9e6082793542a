"""Crashes before and after every effect, in worlds that meet every action, in every regime.

What runs by default crosses each world with each way of handing over, and takes the other traits of a
regime in turn. `CRASHES=all` crosses everything with everything, pairs of crashes included.
"""

import gc
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Final, TypeVar, get_args

import pytest
from attrs import evolve

from acumatica_b2b.actions import Step
from acumatica_b2b.model import HandOver
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import Crash, Fault, Faults, at
from tests import oracle
from tests.bench import FrozenClock
from tests.engine.crash_worlds import WORLDS, cleared, first_load
from tests.engine.crashes import KEEPING, REGIMES, Case, Leftover, Regime, Scene, Tape, World, picture

T = TypeVar("T")

COMPLETE: Final = os.environ.get("CRASHES") == "all"
LEASE: Final = SyncPolicy().lease
LATER: Final = LEASE + 1


def regimes_of(world: World) -> list[Regime]:
    """Return the regimes in which a world is crashed: one of each way of handing over at least."""
    if COMPLETE or world is first_load:
        return list(REGIMES)
    kept = KEEPING[WORLDS.index(world) % len(KEEPING)]
    return [regime for regime in REGIMES if (regime.inline, regime.keeps, regime.keeps_admin) == kept]


def in_all_regimes(*worlds: World) -> pytest.MarkDecorator:
    """Have a test run for these worlds, or for all, in their regimes."""
    every = [(world, regime) for world in worlds or WORLDS for regime in regimes_of(world)]
    return pytest.mark.parametrize(("world", "regime"), every, ids=[f"{w}-{r}" for w, r in every])


@cache
def case_of(world: World, regime: Regime, *, changed: bool = False) -> Case:
    """Return a world in a regime, played once."""
    return Case.of(world, regime, changed=changed)


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    """Let no collection of garbage look at a hundred forks of everything, again and again."""
    gc.disable()
    yield
    gc.enable()


def every(number: int, items: Sequence[T]) -> list[tuple[int, T]]:
    """Return a sample with its numbers, the first and the last among them; all of them where all is asked for."""
    last = len(items) - 1
    return [(i, item) for i, item in enumerate(items) if COMPLETE or i in {0, last} or i % number == 0]


# ------------------------------------------------------------------ single crashes
@in_all_regimes()
def test_a_crash_at_any_effect_is_recovered_from(
    world: World, regime: Regime, record_property: Callable[[str, object], None]
) -> None:
    """Cut off before or after any effect, a run is made good by the next: the oracle's world, and nothing left."""
    recoveries, states = 0, 0
    effects: list[tuple[str, int, int]] = []
    for by_changes in (False, True) if COMPLETE and world.seen else (False,):
        case = case_of(world, regime, changed=by_changes)
        for number, left in enumerate(case.tape.leftovers):
            for later, changed in ways(world, number):
                with told_of(case.tape, number):
                    scene = case.recover(left, later=later, changed=changed)
                    if COMPLETE or number % 2:
                        case.judge_next_day(scene)
                recoveries += 1
        states += len(case.tape.leftovers)
        effects += case.tape.effects
    record_property("crashes", summary(regime, effects, states, recoveries))


def ways(world: World, number: int) -> list[tuple[float, bool]]:
    """Return how long after a crash the next run comes, and whether it reads changes only."""
    late = (0.0, LATER) if world.waits else (LATER,)
    every = [(later, changed) for later in late for changed in ((False, True) if world.seen else (False,))]
    return every if COMPLETE else [every[number % len(every)]]


class told_of(suppress):  # noqa: N801 - reads as a clause of `with`
    """Says of a failure at which crash it happened."""

    def __init__(self, tape: Tape, *numbers: int) -> None:
        self.where = ", then ".join(f"left behind as {number}" for number in numbers)
        around = [kind for kind, before, after in tape.effects if before <= numbers[0] <= after]
        self.where += f" (around {', '.join(around)})"

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Add a note."""
        if error is not None:
            error.add_note(self.where)
        return False


def summary(regime: Regime, effects: list[tuple[str, int, int]], states: int, recoveries: int) -> str:
    """Return what the summary of the session counts."""
    kinds = Counter(kind for kind, _, _ in effects)
    return json.dumps([regime.hand_over.value, kinds, states, recoveries])


@pytest.mark.parametrize("hand_over", HandOver)
def test_the_worlds_meet_every_action(hand_over: HandOver) -> None:
    """Every kind of step there is, and every grant, is crashed before and after in each regime that has it."""
    kinds: set[str] = set()
    for world in WORLDS:
        for regime in regimes_of(world):
            if regime.hand_over is hand_over:
                kinds |= {kind for kind, _, _ in case_of(world, regime).tape.effects}
    met = {kind.partition(" ")[0] for kind in kinds}
    moves = {"MoveAdmin"} if hand_over is HandOver.ATOMIC else set[str]()
    assert {step.__name__ for step in get_args(Step)} - {"MoveAdmin"} | moves == met - {"append", "load", "question"}
    grants = {"suspend", "restore"} | (set() if moves else {"give", "take"})
    assert {kind for kind in kinds if kind.startswith("SetRole")} == {f"SetRole {grant}" for grant in grants}
    assert kinds >= KINDS


KINDS: Final = {
    *(f"append {log}" for log in ("customer log", "run log", "contact index", "address index")),
    *(f"load {log}" for log in ("customer log", "run log", "contact index", "address index")),
    *("CreateCompany", "CreateCompany with its admin", "CreateUser"),
    *("UpdateCompany", "UpdateCompany external id", "UpdateCompany active: no", "UpdateCompany active: yes"),
    *("UpdateUser e-mail", "UpdateUser e-mail parked", "UpdateUser active: no", "UpdateUser active: yes"),
    *("CreateAddress", "UpdateAddress", "RemoveAddress", "RemoveUser"),
    *(f"WriteReference {what}" for what in ("customer set", "contact set", "location set", "contact cleared")),
    "question",
}


# ------------------------------------------------------------------ pairs of crashes
SMALL: Final = [world for world in WORLDS if world.small]


@in_all_regimes(*(WORLDS if COMPLETE else SMALL))
def test_a_crash_in_the_run_that_recovers_is_recovered_from(
    world: World, regime: Regime, record_property: Callable[[str, object], None]
) -> None:
    """Cut off at any effect, and the recovering run cut off at any effect of its own: the third run makes it good."""
    case, pairs = case_of(world, regime), 0
    for number, left in enumerate(case.tape.leftovers):
        second = Tape.of(left.revived(later=LATER))
        for further, again in enumerate(second.leftovers[1:], 1):
            with told_of(case.tape, number, further):
                case.recover(again, later=LATER)
            pairs += 1
    record_property("pairs", pairs)


# ------------------------------------------------------------------ leases
class ImpatientClock(FrozenClock):
    """A clock that lets nobody sleep."""

    def sleep(self, _: float, /) -> None:
        """Say that somebody wanted to."""
        raise TimeoutError


@in_all_regimes()
def test_a_lease_is_respected_to_its_last_second(world: World, regime: Regime) -> None:
    """What a dead run was about to do is left alone until its lease has ended, wherever the run died."""
    case, left_alone = case_of(world, regime), 0
    for number, left in enumerate(case.tape.leftovers):
        scene = left.revived(later=LEASE - 1).scene
        scene.clock = ImpatientClock(scene.clock.time)
        if not (leased := scene.leased()):
            continue
        before = (scene.shop.writes, scene.erp.writes, scene.customer_versions())
        with told_of(case.tape, number), pytest.raises(TimeoutError):
            scene.run(only=leased)
        assert (scene.shop.writes, scene.erp.writes, scene.customer_versions()) == before
        left_alone += 1
    assert left_alone


# ------------------------------------------------------------------ people go on meanwhile
@in_all_regimes()
def test_people_go_on_after_a_crash(world: World, regime: Regime) -> None:
    """What people change between a crash and the next run comes to what the rules say, as if nobody had died."""
    case = case_of(world, regime)
    for number, left in every(3, case.tape.leftovers):
        scene = left.revived(later=LATER).scene
        world.then(scene)
        with told_of(case.tape, number):
            report = scene.run()
            assert not report.stopped
            assert not report.troubles
            if world.judged:
                case.judge_by_rules(scene)
            else:
                assert picture(scene, case.old) == case.later
            case.judge_rest(scene)


# ------------------------------------------------------------------ lost logs
@in_all_regimes()
def test_a_lost_index_costs_nothing(world: World, regime: Regime) -> None:
    """Where the index over all customers is lost, the next run makes the same of it."""
    case = case_of(world, regime)
    for number, left in every(3, case.tape.leftovers):
        one = left.revived()
        for key in [key for key in one.scene.store._logs if "/contact/" in key]:
            del one.scene.store._logs[key]
        with told_of(case.tape, number):
            case.recover(one, later=LATER)


@in_all_regimes()
@pytest.mark.parametrize("references", [True, False], ids=["references-left", "references-lost"])
def test_a_lost_log_costs_adoption(world: World, regime: Regime, references: bool) -> None:  # noqa: FBT001
    """Where the log is lost, and the references too, users and companies are found again: none made twice, none lost."""
    case = case_of(world, regime)
    for number, left in every(4, case.tape.leftovers):
        scene = left.revived(later=LATER).scene
        scene.store = MemoryStore()
        exclusive = regime.hand_over is HandOver.DEMOTE_FIRST  # else nobody could take the role from whom it was given
        scene.policy = evolve(scene.policy, adopt_companies=True, role_is_ours=exclusive)
        if not references:
            cleared(scene)
        with told_of(case.tape, number):
            adopt(scene, judged=world.judged)
            case.judge_rest(scene)


def adopt(scene: Scene, *, judged: bool) -> None:
    """Sync with no memory of the past; the oracle knows none either."""
    before, there = scene.companies(), users_of(scene)
    report = scene.run()
    assert not report.stopped
    assert not report.troubles
    assert there <= users_of(scene), "somebody was removed who is no longer known to be ours"
    if judged:
        excused = {f.record for f in report.findings if f.kind.name in {"GUARD_HELD", "REFUSED", "SHOPPER_HELD"}}
        step = oracle.Step(customers=scene.erp.snapshot(), before=before, policy=scene.policy, excused=excused)
        complaints = oracle.check_step(step, scene.companies())
        # whose an address was nobody knows any more
        assert not (wrong := [one for one in complaints if "its location left" not in one]), wrong


def users_of(scene: Scene) -> set[str]:
    """Return the ids of all users."""
    return {user.id for company in scene.shop.snapshot().values() for user in company.users}


# ------------------------------------------------------------------ forks and real crashes
@pytest.mark.parametrize("regime", REGIMES[:3], ids=str)
def test_a_fork_is_what_a_crash_leaves(regime: Regime) -> None:
    """A process that really dies before or after an effect leaves exactly what the fork there holds."""
    case = case_of(first_load, regime)
    for number, (_, before, after) in enumerate(case.tape.effects, 1):
        for fault, kept in ((Fault.CRASH_BEFORE, before), (Fault.CRASH_AFTER, after)):
            died = case.begun.revived().scene
            with pytest.raises(Crash):
                died.run(at(number, fault))
            assert contents(died) == contents(case.tape.leftovers[kept].scene)


def contents(scene: Scene) -> object:
    """Return all that is durable, but for the ids of runs."""
    logs = [[re.sub(r'"run":"\w+"', "", commit.body) for commit in log.values()] for log in scene.store._logs.values()]
    return scene.shop.snapshot(), scene.erp.snapshot(), list(scene.store._logs), logs, scene.clock.time
