"""Crashes before and after every effect, in worlds that meet every action, in every regime.

What runs by default crosses each world with each way of handing over, and takes the other traits of a
regime in turn. With `ACUMATICA_B2B_CRASHES=whole` every world meets every regime, and every pair of crashes.
"""

import gc
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, get_args

import pytest
from attrs import evolve

from acumatica_b2b.actions import MoveAdmin, SetRole, Step
from acumatica_b2b.model import HandOver
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import Crash, Fault, at, whenever
from tests import oracle
from tests.bench import ANNA, FrozenClock
from tests.engine.crash_cases import COMPLETE, LATER, case_of, every, in_regimes, picture, regimes_of, told_of
from tests.engine.crash_worlds import (
    LOADS,
    OF_SEVERAL,
    WORLDS,
    cleared,
    customer_left,
    first_load,
    handed_over,
    switched_on,
)
from tests.engine.crashes import REGIMES, Regime, Scene, Tape, World

Property = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    """Let no collection of garbage look at a hundred forks of everything, again and again."""
    gc.disable()
    yield
    gc.enable()


# ------------------------------------------------------------------ single crashes
@in_regimes(WORLDS, everywhere=WORLDS if COMPLETE else [first_load])
def test_a_crash_at_any_effect_is_recovered_from(world: World, regime: Regime, record_property: Property) -> None:
    """Cut off before or after any effect, a run is made good by the next: the oracle's world, and nothing left."""
    recoveries, states = 0, 0
    effects: list[tuple[str, int, int]] = []
    for changed, backwards in plays(world, regime):
        case = case_of(world, regime, changed=changed, backwards=backwards)
        for number, left in enumerate(case.tape.leftovers):
            for later, by_changes in ways(world, number):
                with told_of(case.tape, number):
                    scene = case.recover(left, later=later, changed=by_changes)
                    if COMPLETE or world.small or number % 3 == 1:
                        case.judge_next_day(scene)
                recoveries += 1
        states += len(case.tape.leftovers)
        effects += case.tape.effects
    counts = Counter(kind for kind, _, _ in effects)
    record_property("crashes", json.dumps([world.name, str(regime), counts, states, recoveries]))


def plays(world: World, regime: Regime) -> list[tuple[bool, bool]]:
    """Return whether the run that is crashed reads changes only, and whether its batches are done backwards."""
    if not COMPLETE:
        return [(False, regime.hand_over is HandOver.ATOMIC)]
    return [(False, False), (False, True), *([(True, False)] if world.seen else [])]


def ways(world: World, number: int) -> list[tuple[float, bool]]:
    """Return how long after a crash the next run comes, and whether it reads changes only."""
    late = (0.0, LATER) if world.waits else (LATER,)
    found = [(later, changed) for later in late for changed in ((False, True) if world.seen else (False,))]
    return found if COMPLETE else [found[number % len(found)]]


@pytest.mark.parametrize("hand_over", HandOver)
def test_the_worlds_meet_every_action(hand_over: HandOver) -> None:
    """Every kind of step there is, every grant and every log is crashed in each regime that has it."""
    kinds: set[str] = set()
    for world in WORLDS:
        for regime in regimes_of(world):
            if regime.hand_over is hand_over:
                kinds |= {kind for kind, _, _ in case_of(world, regime).tape.effects}
    moves = {"MoveAdmin"} if hand_over is HandOver.ATOMIC else set[str]()
    steps = {step.__name__ for step in get_args(Step)} - {"MoveAdmin"} | moves
    assert steps == {kind.partition(" ")[0] for kind in kinds} - {"append", "drop", "load", "question"}
    grants = {"suspend", "restore"} | (set() if moves else {"give", "take"})
    assert {kind for kind in kinds if kind.startswith("SetRole")} == {f"SetRole {grant}" for grant in grants}
    assert kinds >= KINDS
    short = {"append snapshot of customer log", "drop customer log"}
    assert kinds & short == (short if Regime(hand_over=hand_over).short_logs else set())


KINDS: Final = {
    *("append customer log", "append run log", "append snapshot of contact index", "append address index"),
    *("load customer log", "load run log", "load contact index", "load address index"),
    *("CreateCompany with its admin", "CreateUser"),
    *("UpdateCompany", "UpdateCompany external id", "UpdateCompany active: no", "UpdateCompany active: yes"),
    *("UpdateUser e-mail", "UpdateUser e-mail parked", "UpdateUser active: no", "UpdateUser active: yes"),
    *("CreateAddress", "UpdateAddress", "RemoveAddress", "RemoveUser"),
    *(f"WriteReference {what}" for what in ("customer set", "contact set", "location set", "contact cleared")),
    "question",
}


# ------------------------------------------------------------------ pairs of crashes
@in_regimes(*((WORLDS, LOADS) if COMPLETE else ([handed_over, customer_left, switched_on],)))
def test_a_crash_in_the_run_that_recovers_is_recovered_from(
    world: World, regime: Regime, record_property: Property
) -> None:
    """Cut off at any effect, and the recovering run cut off at any effect of its own: the third run makes it good."""
    case, pairs = case_of(world, regime), 0
    for number, left in enumerate(case.tape.leftovers):
        second = Tape.of(left.revived(later=LATER))
        for further, again in enumerate(second.leftovers[1:], 1):
            with told_of(case.tape, number, further):
                case.recover(again, later=LATER)
            pairs += 1
    record_property("crashes", json.dumps([world.name, str(regime), {}, 0, pairs]))


# ------------------------------------------------------------------ leases
class ImpatientClock(FrozenClock):
    """A clock that lets nobody sleep."""

    def sleep(self, _: float, /) -> None:
        """Say that somebody wanted to."""
        raise TimeoutError


@in_regimes(WORLDS, everywhere=WORLDS if COMPLETE else ())
def test_a_lease_is_respected_to_its_last_second(world: World, regime: Regime) -> None:
    """What a dead run was about to do is left alone until its lease has ended, wherever the run died."""
    case, left_alone = case_of(world, regime), 0
    for number, left in enumerate(case.tape.leftovers):
        scene = left.revived(later=LATER - 2).scene
        scene.clock = ImpatientClock(scene.clock.time)
        if not (leased := scene.leased()):
            continue
        before = (scene.shop.writes, scene.erp.writes, scene.said())
        with told_of(case.tape, number), pytest.raises(TimeoutError):
            scene.run(only=leased)
        assert (scene.shop.writes, scene.erp.writes, scene.said()) == before
        left_alone += 1
    assert left_alone


# ------------------------------------------------------------------ a crash, and then a refusal
@in_regimes([handed_over])
def test_a_refusal_after_a_crash_leaves_an_admin(world: World, regime: Regime) -> None:
    """Where the new admin is refused after a crash, the old one keeps the role or gets it back; later all is right."""
    case = case_of(world, regime)
    for number, left in enumerate(case.tape.leftovers):
        scene = left.revived(later=LATER).scene
        with told_of(case.tape, number):
            scene.run(whenever(grants_anna, Fault.REFUSED))
            assert scene.admins()
            scene.run()
            assert scene.admins() == {"anna"}


def grants_anna(what: object) -> bool:
    """Whether Anna is to become Primary Admin."""
    return isinstance(what, SetRole | MoveAdmin) and what.contact == ANNA.id and what.role == "Admin"


# ------------------------------------------------------------------ people go on meanwhile
@in_regimes(WORLDS, everywhere=WORLDS if COMPLETE else ())
def test_people_go_on_after_a_crash(world: World, regime: Regime) -> None:
    """What people change between a crash and the next run comes to what the rules say, as if nobody had died."""
    case = case_of(world, regime)
    for number, left in every(1 if world is first_load else 6, case.tape.leftovers):
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
@in_regimes(*((WORLDS, WORLDS) if COMPLETE else (OF_SEVERAL,)))
def test_a_lost_index_costs_nothing(world: World, regime: Regime) -> None:
    """Where the index over all customers is lost, the next run makes the same of it."""
    case = case_of(world, regime)
    for number, left in every(4, case.tape.leftovers):
        one = left.revived()
        for key in [key for key in one.scene.store._logs if "/contact/" in key]:
            del one.scene.store._logs[key]
        with told_of(case.tape, number):
            case.recover(one, later=LATER)


@in_regimes(WORLDS, everywhere=WORLDS if COMPLETE else ())
def test_a_lost_log_costs_adoption(world: World, regime: Regime) -> None:
    """Where the log is lost, with or without the references, all is found again: nobody is made twice, nobody lost."""
    case = case_of(world, regime)
    for turn, (number, left) in enumerate(every(5, case.tape.leftovers)):
        for references_too in (True, False) if COMPLETE else (turn % 2 == 0,):
            scene = left.revived(later=LATER).scene
            scene.store = MemoryStore()
            exclusive = regime.hand_over is HandOver.DEMOTE_FIRST  # else the shop lets nobody have the role
            scene.policy = evolve(scene.policy, adopt_companies=True, role_is_ours=exclusive)
            if references_too:
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
