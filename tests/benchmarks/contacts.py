# /// script
# requires-python = ">=3.11"
# dependencies = ["attrs>=23.2", "cattrs>=25.2", "httpx>=0.27", "typing-extensions>=4.10", "pydantic>=2"]
# ///
"""What an unchanged contact costs, from the bytes of the ERP's answer to "there is nothing to do".

    python tests/benchmarks/contacts.py               2,000 contacts, with their customers and locations
    python tests/benchmarks/contacts.py 500 --rounds 5

A made-up tenant is loaded once; then its customers are read as a run reads them, 200 at a time. The bytes of
each such wave are given in turn to `json.loads`, to this library, to a plain loop and to models of pydantic
(where it is installed), round after round. Of each wave the best round counts, in CPU time.
"""

import argparse
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from tests.benchmarks import unchanged
from tests.benchmarks.unchanged import Ground, Wave, ground

ALONE: Final = "json.loads alone"
WHOLE: Final[dict[str, Callable[[Wave], object]]] = {
    ALONE: unchanged.loads,
    "this library": unchanged.ours,
    "plain loop": unchanged.plain_loop,
}
PARTS: Final[dict[str, Callable[[Wave, Any], object]]] = {
    "  json.loads, rows, keys, their order": unchanged.rows,
    "  what stands for their cells": unchanged.undecoded,
    "  comparison with the end of its log": unchanged.settled,
}
CHANGED: Final[dict[str, Callable[[Wave, Any], object]]] = {
    "who changed: json.loads, rows, keys": unchanged.rows,
    "  records made of rows": unchanged.records,
    "  what should be made of them": unchanged.mapped,
    "  digest, and comparison with the log's": unchanged.compare,
}


def pieces() -> dict[str, Callable[[Wave], object]]:
    """Return what is measured as a whole, by the name of its line."""
    if find_spec("pydantic") is None:
        return WHOLE
    from tests.benchmarks import modelled  # noqa: PLC0415  # it may not be installed

    return {
        **WHOLE,
        "pydantic models, from bytes": lambda wave: modelled.of_bytes(wave.bodies),
        "pydantic models, after json.loads": lambda wave: modelled.of_parsed(wave.bodies),
    }


def measured(on: Ground, rounds: int) -> dict[str, float]:
    """Return CPU microseconds a contact, line by line; of each wave the best round counts."""
    best: dict[str, dict[int, float]] = defaultdict(dict)
    gc.collect()
    gc.freeze()  # what is there is no part of what is measured
    for _ in range(rounds):
        for number, wave in enumerate(on.waves):
            for line, seconds in _round(wave):
                best[line][number] = min(seconds, best[line].get(number, seconds))
    return {line: sum(of.values()) / on.size.contacts * 1e6 for line, of in best.items()}


def _round(wave: Wave) -> Iterator[tuple[str, float]]:
    for line, piece in pieces().items():
        began = time.thread_time()
        piece(wave)
        yield line, time.thread_time() - began
    for parts in (PARTS, CHANGED):
        made: Any = None
        for line, part in parts.items():
            began = time.thread_time()
            made = part(wave, made)
            yield line, time.thread_time() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", nargs="?", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    on = ground(asked.contacts, asked.seed)
    size = sum(len(body) for wave in on.waves for _, body in wave.bodies)
    lines = measured(on, asked.rounds)
    order = ["this library", *PARTS, *(line for line in lines if line not in {"this library", *PARTS})]
    say(
        f"{on.size.contacts:,} contacts, {on.size.customers:,} customers, {on.size.locations:,} locations: "
        f"{size / on.size.contacts:,.0f} bytes a contact"
    )
    say(f"{'CPU of an unchanged contact':<42} {'µs':>7} {'ratio':>6}")
    for line in order:
        say(f"{line:<42} {lines[line]:>7.1f} {lines[line] / lines[ALONE]:>6.2f}")
    if find_spec("pydantic") is None:
        say("pydantic is not installed: its lines are left out")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
