"""Count what the tests made of mutmut's mutants: `nox -s mutation` runs mutmut, then this.

Fails where less than 90 % were killed, where a mutant survived that `survivors.toml` does not explain, and where that
file explains one that survives no more. A mutant is known by its function and by the lines that it changes, so the
file stays true when lines move.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

LEAST: Final = 0.9
MUTANTS: Final = Path("mutants") / "src"
EXPLAINED: Final = Path(__file__).with_name("survivors.toml")
KILLED: Final = {1, 3}
TIMED_OUT: Final = {24, 36, 152, 255, -24}
"""What mutmut notes of a mutant whose tests did not end: it was noticed, too."""


class Mutant(NamedTuple):
    """A mutant, by its function and its changed lines."""

    function: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        changed = "\n".join(self.lines)
        return f"[[survivor]]\nfunction = \"{self.function}\"\nmutation = '''\n{changed}\n'''\nreason = \"\"\n"


class Score(NamedTuple):
    """What became of one module's mutants."""

    module: str
    killed: int
    timed_out: int
    survivors: tuple[Mutant, ...]

    @property
    def total(self) -> int:
        """Return how many there were."""
        return self.killed + self.timed_out + len(self.survivors)

    @property
    def rate(self) -> float:
        """Return how many of them were noticed."""
        return (self.killed + self.timed_out) / (self.total or 1)

    def line(self, known: Collection[Mutant]) -> str:
        """Return the module's line of the table."""
        explained = sum(mutant in known for mutant in self.survivors)
        left = len(self.survivors) - explained
        numbers = f"{self.total:8}{self.killed:8}{self.timed_out:8}{explained:11}{left:6}"
        return f"{self.module:15}{numbers}{self.rate:9.1%}"


def scores(modules: set[str]) -> Iterator[Score]:
    """Yield the scores of these modules, or of all that were run."""
    for path in sorted(MUTANTS.rglob("*.py.meta")):
        module = path.name.removesuffix(".py.meta")
        verdicts = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        ran = {name: code for name, code in verdicts.items() if code is not None}
        if not ran or (modules and module not in modules):
            continue
        alive = [name for name, code in ran.items() if code not in KILLED | TIMED_OUT]
        yield Score(
            module=module,
            killed=sum(code in KILLED for code in ran.values()),
            timed_out=sum(code in TIMED_OUT for code in ran.values()),
            survivors=tuple(_mutant(name) for name in alive),
        )


def _mutant(name: str) -> Mutant:
    """Return a mutant by the name that mutmut gave it."""
    shown = subprocess.run(  # noqa: S603 - the name is mutmut's own
        [sys.executable, "-m", "mutmut", "show", name], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    changed = (line for line in shown.stdout.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"})
    module, _, mangled = name.rpartition(".")
    function = mangled.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Mutant(f"{module.rpartition('.')[2]}.{function}", _lines(changed))


def _lines(changed: Iterable[str]) -> tuple[str, ...]:
    """Return changed lines without their indentation; comments are no code."""
    plain = (f"{line[0]} {line[1:].strip()}" for line in changed if line.strip())
    return tuple(line for line in plain if line[2:] and not line[2:].startswith("#"))


def explained(modules: set[str]) -> dict[Mutant, str]:
    """Return the survivors that were explained, with their reasons."""
    listed = tomllib.loads(EXPLAINED.read_text("utf-8")).get("survivor", [])
    known = {Mutant(one["function"], _lines(one["mutation"].splitlines())): one["reason"] for one in listed}
    without = [mutant.function for mutant, reason in known.items() if not reason.strip()]
    if without:
        sys.exit(f"survivors without a reason: {', '.join(without)}")
    return {mutant: why for mutant, why in known.items() if mutant.function.partition(".")[0] in modules}


def report(counted: Sequence[Score], known: Collection[Mutant]) -> Iterator[str]:
    """Yield the lines that tell of each module, of all, and of what is to be done."""
    alive = tuple(mutant for score in counted for mutant in score.survivors)
    killed, timed_out = sum(score.killed for score in counted), sum(score.timed_out for score in counted)
    yield f"{'module':15}{'mutants':>8}{'killed':>8}{'timeout':>8}{'explained':>11}{'open':>6}{'noticed':>9}"
    for score in (*counted, Score("all", killed, timed_out, alive)):
        yield score.line(known)
    for mutant in sorted(set(alive) - set(known)):
        yield f"\nno test kills this, and nothing explains it:\n{mutant}"
    for mutant in sorted(set(known) - set(alive)):
        yield f"\nthis is explained, and survives no more:\n{mutant}"


def main(modules: set[str]) -> int:
    """Print the report; return 1 where something is to be done."""
    counted = tuple(scores(modules))
    known = explained({score.module for score in counted})
    sys.stdout.writelines(f"{line}\n" for line in report(counted, known))
    alive = [mutant for score in counted for mutant in score.survivors]
    total = sum(score.total for score in counted)
    return int(len(alive) > (1 - LEAST) * total or set(alive) != set(known))


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
