"""How long it takes to import the library and to ask the command line for help: `python tests/benchmarks/imports.py`.

    python tests/benchmarks/imports.py                the library, and the command line
    python tests/benchmarks/imports.py --rounds 50    more often
    python tests/benchmarks/imports.py --commands     --help of each command as well

Each line is a process of its own. They take turns, so that what else the machine does concerns all of them alike.
Told are the best and the median time of all rounds, and the median of the processor's: how much more than a bare
interpreter takes, and how many times as much as attrs and cattrs, or click.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from typing import Final

from attrs import define, field, frozen

SOURCES: Final = Path(__file__).parents[2] / "src"
BYTECODE: Final = Path(gettempdir(), "acumatica-b2b-bytecode")
"""As an installed library has it beside its sources."""
COMMANDS: Final = (
    *("plan", "sync", "log", "explain", "check", "approve", "apply"),
    *("retry", "skip", "link", "unlink", "adopt", "forget", "demo", "simulate"),
)
COUNT: Final = """
import gc, sys
made = {(kind.__module__, kind.__qualname__) for kind in gc.get_objects() if isinstance(kind, type)
        and "__attrs_attrs__" in vars(kind)}
ours = [name for name in sys.modules if name.partition(".")[0] == "acumatica_b2b"]
print(len(sys.modules), len(ours), len(made), file=sys.stderr)
"""


@frozen
class Case:
    """What a process is to do, and the name of the line that it is compared with."""

    name: str
    script: str
    beside: str = ""


@define
class Measured:
    """What a case came to: seconds of all rounds, and of the processor; how many modules, of ours, attrs classes."""

    seconds: list[float] = field(factory=list[float])
    cpu: list[float] = field(factory=list[float])
    counts: tuple[int, ...] = ()


def command(*arguments: str) -> str:
    """Return a script that runs the command line and goes on."""
    return (
        f"import sys; sys.argv = ['acumatica-b2b', *{arguments!r}]\n"
        "from acumatica_b2b.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    )


NOTHING: Final = Case("python -c pass", "pass")
ATTRS, CLICK = "attrs, cattrs", "click"
LIBRARY: Final = (
    NOTHING,
    Case(ATTRS, "import attrs, cattrs"),
    Case("acumatica_b2b", "import acumatica_b2b", ATTRS),
    Case("its records and policy", "from acumatica_b2b import Contact, Customer, SyncPolicy", ATTRS),
    Case("ContactSync", "from acumatica_b2b import ContactSync", ATTRS),
    Case("all its names", "from acumatica_b2b import *", ATTRS),
    Case(
        "ContactSync, clients, httpx",
        "from acumatica_b2b import ContactSync\nfrom acumatica_b2b.acumatica import Acumatica\n"
        "from acumatica_b2b.bigcommerce import BigCommerce\nfrom acumatica_b2b.transports.httpx import HttpxTransport",
        ATTRS,
    ),
    Case("httpx alone", "import httpx", ATTRS),
)


def command_line(*, each: bool) -> tuple[Case, ...]:
    """Return the cases of the command line."""
    asked = [("--help",), ("--version",), *([(name, "--help") for name in COMMANDS] if each else [("plan", "--help")])]
    return (
        NOTHING,
        Case(CLICK, "import click"),
        *(Case(" ".join(words), command(*words), CLICK) for words in asked),
        Case("log C1, no log there", command("log", "C1"), CLICK),
    )


def run(script: str) -> tuple[float, float, str]:
    """Return how long a process took, and the processor, and what it said on standard error."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"PYTHONPATH": str(SOURCES), "PYTHONPYCACHEPREFIX": str(BYTECODE)}
    began, used = time.perf_counter(), of_children()
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", script], env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return time.perf_counter() - began, of_children() - used, done.stderr.decode()


def of_children() -> float:
    """Return the processor's seconds of all processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(cases: Sequence[Case], rounds: int) -> dict[str, Measured]:
    """Run all cases in turn, so many times."""
    found = {case.name: Measured() for case in cases}
    for case in cases:  # counted apart, and so each is compiled, and in the disk's cache, before it is timed
        found[case.name].counts = tuple(map(int, run(case.script + COUNT)[2].split()[-3:]))
    for _ in range(rounds):
        for case in cases:
            seconds, cpu, _ = run(case.script)
            found[case.name].seconds.append(seconds)
            found[case.name].cpu.append(cpu)
    return found


def show(title: str, cases: Sequence[Case], rounds: int) -> None:
    """Measure and print a table."""
    say(f"{title}: milliseconds of a fresh process, {rounds} rounds")
    say(f"{'':<30} {'best':>6} {'median':>7} | {'more CPU':>8} {'ratio':>6} | {'modules':>7} {'ours':>5} attrs")
    found = measure(cases, rounds)
    bare = median(found[NOTHING.name].cpu)
    for case in cases:
        one = found[case.name]
        net = median(one.cpu) - bare
        ratio = f"{net / (median(found[case.beside].cpu) - bare):.2f}" if case.beside else ""
        modules, ours, made = one.counts
        say(
            f"{case.name:<30} {min(one.seconds) * 1e3:>6.0f} {median(one.seconds) * 1e3:>7.0f} "
            f"| {net * 1e3:>8.0f} {ratio:>6} | {modules:>7} {ours:>5} {made:>5}"
        )
    say("")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--commands", action="store_true")
    asked = parser.parse_args()
    show("Importing", LIBRARY, asked.rounds)
    show("The command line", command_line(each=asked.commands), asked.rounds)


if __name__ == "__main__":
    main()
