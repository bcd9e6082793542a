"""The simulation: people, faults, clocks and second runners, by the seed (`nox -s simulation` runs more of it)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulating.life import Act, Life, acts
from tests.simulation import KEPT, Simulation, kept, lived, smallest

ROOT = Path(__file__).parents[2]
STEPS = 4_000
TOLD = "from tests.simulation import Simulation; one = Simulation(3); one.run(lambda it: it.lives); print(one.digest)"


@pytest.mark.parametrize("seed", kept())
def test_what_once_broke_a_promise_does_so_no_more(seed: int) -> None:
    """No promise is broken in a life in which one once was."""
    assert lived(Life(seed), acts(seed)) is None


def test_no_promise_is_broken_in_thousands_of_steps() -> None:
    """Whatever people, faults, clocks and second runners do: every promise holds after each single write."""
    simulation = Simulation(2)
    broken = simulation.run(lambda so_far: so_far.steps >= STEPS)
    assert broken is None, broken
    assert simulation.counts.keys() >= {"batches", "edits in the ERP", "edits in the shop", "faults", "crashes"}


def test_the_same_seed_gives_the_same_trace() -> None:
    """Two lives of a seed have the same trace, to the last commit of the log."""
    first, second = list[str](), list[str]()
    for lines in (first, second):
        lived(Life(5, lines.append), acts(5))
    assert first == second
    assert len(first) > 1_000


def test_the_trace_depends_on_the_seed_alone() -> None:
    """Processes whose hashes differ come to the same trace."""
    digests = {
        subprocess.run(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", TOLD],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_failing_life_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a life that fails, only the acts that make it fail are left."""

    def live(self: Life, act: Act) -> None:
        assert act.seed != 7, "seven"
        self.steps += 1

    monkeypatch.setattr(Life, "live", live)
    course = [Act("calm", number) for number in range(20)]
    assert smallest(1, course) == [Act("calm", 7)]


def test_seeds_are_kept_with_what_they_found() -> None:
    """Each kept seed says what it once found."""
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    told = [line.partition("#")[2].strip() for line in lines if not line.startswith("#") and line.strip()]
    assert told
    assert all(told)
