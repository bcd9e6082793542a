"""The command line of `loads.py`: measures, prints tables, draws the plot."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tests.benchmarks import bound
from tests.benchmarks.loading import Load, ours, plainly
from tests.benchmarks.plot import Panel, Points, drawn
from tests.benchmarks.stage import ONCE
from tests.benchmarks.steady import Again, steady

SIZES: Final = (1_000, 10_000)
MOST: Final = 100_000
PLOT: Final = Path(__file__).parents[2] / "docs" / "images" / "loads.svg"


def main(described: str | None) -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", nargs="*", type=int, default=SIZES, help="sizes of tenants; 1000 and 10000")
    parser.add_argument("--all", action="store_true", help=f"a tenant of {MOST:,} contacts as well: takes long")
    parser.add_argument("--steady", action="store_true", help="the runs after a first load instead")
    parser.add_argument("--kinds", action="store_true", help="say as well how many requests there were of each kind")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--away", type=float, help="seconds until a system answers, both alike")
    parser.add_argument("--jobs", type=int, default=1, help="how many to measure at once, each in its own process")
    parser.add_argument("--plot", type=Path, default=PLOT, help="where to draw it")
    asked = parser.parse_args()
    sizes = sorted({*asked.contacts, MOST} if asked.all else {*asked.contacts})
    # A process each, so that none measures what another left behind.
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        if asked.steady:
            show_steady([pool.submit(steady, size, asked.seed) for size in sizes], kinds=asked.kinds)
            return
        own = [pool.submit(ours, size, asked.seed, asked.away) for size in sizes]
        plain = [pool.submit(plainly, size, asked.seed, asked.away) for size in sizes]
        loads = show_loads(own, kinds=asked.kinds)
        loops = show_loops(plain)
    asked.plot.parent.mkdir(parents=True, exist_ok=True)
    asked.plot.write_text(picture(loads, loops))


# ------------------------------------------------------------------ tables
def show_loads(measured: Sequence[Future[Load]], *, kinds: bool) -> list[Load]:
    """Print what first loads came to, each as soon as it is measured."""
    say("First loads. Requests beside the physical bound; simulated time beside the slower system's quota.")
    say("contacts companies locations |  shop  bound ratio |    ERP   bound ratio |  429s | hours  quota ratio | CPU s")
    loads: list[Load] = []
    for future in measured:
        loads.append(load := future.result())
        size, least = load.size, bound.first_load(load.size)
        say(
            f"{size.contacts:>8,} {size.customers:>9,} {size.locations:>9,} "
            f"| {load.shop:>5,} {least.shop:>6,} {load.shop / least.shop:>5.2f} "
            f"| {load.erp:>6,} {least.erp:>7,} {load.erp / least.erp:>5.2f} "
            f"| {load.refused / (load.shop + load.erp):>5.2%} "
            f"| {load.seconds / 3600:>5.2f} {least.seconds / 3600:>6.2f} {load.seconds / least.seconds:>5.2f} "
            f"| {load.cpu:>5.0f}"
        )
        if kinds:
            show_kinds("shop", load.shop_kinds)
            show_kinds("ERP", load.erp_kinds)
    return loads


def show_loops(measured: Sequence[Future[Load]]) -> list[Load]:
    """Print what the plain loop came to."""
    say("\nThe plain loop, one record at a time.")
    say("contacts |    shop     ERP |  429s |  hours | CPU s")
    loads: list[Load] = []
    for future in measured:
        loads.append(load := future.result())
        say(
            f"{load.size.contacts:>8,} | {load.shop:>7,} {load.erp:>7,} | {load.refused / (load.shop + load.erp):>5.2%}"
            f" | {load.seconds / 3600:>6.2f} | {load.cpu:>5.0f}"
        )
    return loads


def show_steady(measured: Sequence[Future[list[Again]]], *, kinds: bool) -> None:
    """Print what later runs came to."""
    say("Runs over what changed. Requests to both systems beside what the design grants.")
    say("contacts what                           | changed | shop   ERP granted | a contact | steps | seconds | CPU s")
    for future in measured:
        for again in future.result():
            more = again.shop + again.erp - bound.unchanged(again.size).erp
            say(
                f"{again.size.contacts:>8,} {again.what:<30} | {again.changed:>7,} | {again.shop:>4,} {again.erp:>5,} "
                f"{again.allowed:>7,} | {more / again.changed if again.changed else more:>9.1f} | {again.steps:>5,} "
                f"| {again.seconds:>7.0f} | {again.cpu:>5.1f}"
            )
            if kinds:
                show_kinds("shop", again.shop_kinds)
                show_kinds("ERP", again.erp_kinds)


def show_kinds(system: str, kinds: Counter[str]) -> None:
    """Print how many requests there were of each kind; in brackets what is asked once a process."""
    for kind, number in kinds.most_common():
        once = any(part in kind for part in ONCE)
        say(f"    {system:<4} {number:>7,}  {f'({kind})' if once else kind}")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# ------------------------------------------------------------------ the plot
def picture(loads: Sequence[Load], loops: Sequence[Load]) -> str:
    """Return the plot of first loads: requests to both systems, and time."""
    least = [bound.first_load(load.size) for load in loads]
    sizes = [load.size.contacts for load in loads]

    def lines(mine: Iterator[float], bounds: Iterator[float], theirs: Iterator[float]) -> dict[str, Points]:
        named = {"a plain loop, record by record": theirs, "acumatica-b2b": mine, "the physical bound": bounds}
        return {label: list(zip(sizes, values, strict=True)) for label, values in named.items()}

    panels = (
        Panel(
            title="requests to the storefront",
            lines=lines((x.shop for x in loads), (x.shop for x in least), (x.shop for x in loops)),
        ),
        Panel(
            title="requests to the ERP",
            lines=lines((x.erp for x in loads), (x.erp for x in least), (x.erp for x in loops)),
        ),
        Panel(
            title="hours",
            lines=lines(
                (x.seconds / 3600 for x in loads), (x.seconds / 3600 for x in least), (x.seconds / 3600 for x in loops)
            ),
        ),
    )
    return drawn(panels, across="contacts")
