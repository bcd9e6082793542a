"""People, faults, clocks and second runners, by the seed: `python tests/simulation.py --seed 1 --steps 1000000`.

A *life* is one store with one to three customers, in a regime and with a policy that its seed draws. It is lived act
by act: people edit the ERP or the shop, runs go well or wrong, two runs are interleaved, one sleeps and goes on, the
log or every reference is lost, the clock jumps.

A *step* is one turn of somebody: one edit by a person, one batch of one run answered (a call or a few), one fault met,
one late request that takes effect, one crash, one loss, one jump of the clock. Nothing else is counted.

After every single write to the shop: no company is without the admin it had (but between the two calls of
DEMOTE_FIRST, or where the policy suspends), nobody has two users and no customer two companies, nobody is touched who
is not ours, no role is taken that people gave, no more goes out than the guard allows. After every calm run: the
oracle's world, and an empty next run.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from attrs import define, field, frozen

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.simulating.life import Act, Life, acts

KEPT = Path(__file__).with_name("simulation_seeds.txt")
"""Seeds of lives in which a promise was once broken, each with what it found."""


def kept() -> list[int]:
    """Return the seeds that are kept."""
    lines = (line.partition("#")[0].strip() for line in KEPT.read_text(encoding="utf-8").splitlines())
    return [int(line) for line in lines if line]


@frozen(kw_only=True)
class Failure:
    """What went wrong, and in which step of a life."""

    kind: str
    message: str
    step: int

    @property
    def likeness(self) -> tuple[str, str]:
        """What two failures of the same fault have in common: all but the numbers."""
        return self.kind, "".join("#" if sign.isdigit() else sign for sign in self.message)[:60]


def lived(life: Life, course: Sequence[Act]) -> Failure | None:
    """Return what went wrong in a life, if anything did."""
    try:
        for act in course:
            life.live(act)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Failure(kind=type(error).__name__, message=str(error), step=life.steps)
    return None


def smallest(seed: int, course: Sequence[Act]) -> list[Act]:
    """Return as few acts of a life that fails as fail alike."""
    failure = lived(Life(seed), course)
    kept, size = list(course), len(course) // 2
    while failure and size:
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            found = lived(Life(seed), fewer)
            if found and found.likeness == failure.likeness:
                kept = fewer
            else:
                start += size
        size //= 2
    return kept


@define
class Simulation:
    """Life after life, each with a seed that follows from the first one and its number."""

    seed: int
    steps: int = 0
    lives: int = 0
    counts: Counter[str] = field(factory=Counter[str])
    digest: str = ""

    def run(self, enough: Callable[["Simulation"], bool]) -> tuple[int, Failure] | None:
        """Live until it is enough or something breaks: then the life's seed, and what broke."""
        while not enough(self):
            seed = self.seed * 1_000_000 + self.lives
            life = Life(seed)
            failure = lived(life, acts(seed))
            self.steps += life.steps
            self.counts += life.counts
            self.lives += 1
            self.digest = blake2b((self.digest + life.digest.hexdigest()).encode(), digest_size=16).hexdigest()
            if failure:
                return seed, failure
        return None

    def told(self) -> str:
        """Return what was done so far."""
        counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(self.counts.items()))
        return f"{self.steps:,} steps in {self.lives:,} lives: {counts}"


def trace(seed: int, course: Sequence[Act]) -> Iterator[str]:
    """Yield what happens in a life."""
    lines: list[str] = []
    failure = lived(Life(seed, lines.append), course)
    yield from lines
    yield f"{failure}" if failure else "nothing broke"


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=100_000, help="end behind so many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many")
    parser.add_argument("--brief", action="store_true", help="say what broke, and not how")
    parser.add_argument("--life", type=int, help="show one life, by its own seed, in as few acts as break it")
    asked = parser.parse_args(arguments)
    if asked.life is not None:
        print(*trace(asked.life, smallest(asked.life, acts(asked.life))), sep="\n")
        return 0
    began = told = time.monotonic()

    def enough(simulation: Simulation) -> bool:
        nonlocal told
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(simulation.told(), flush=True)
        late: bool = time.monotonic() - began >= asked.seconds
        return late or simulation.steps >= asked.steps

    simulation = Simulation(asked.seed)
    broken = simulation.run(enough)
    print(f"seed {asked.seed}: {simulation.told()}; trace {simulation.digest}; {time.monotonic() - began:.1f} s")
    if broken is None:
        return 0
    seed, failure = broken
    print(f"broken in step {failure.step} of life {seed}: {failure.kind}: {failure.message}", flush=True)
    if not asked.brief:
        print(*trace(seed, smallest(seed, acts(seed))), sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
