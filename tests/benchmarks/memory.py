"""How much memory and CPU runs over a whole tenant take, each in a process of its own.

    python tests/benchmarks/memory.py                    tenants of 10,000 and 100,000 contacts
    python tests/benchmarks/memory.py 1000000            of another size, in whole thousands
    python tests/benchmarks/memory.py --load             load an empty shop first, instead of linking what is there
    python tests/benchmarks/memory.py --opts-out         half of the contacts take no part: something to tell of each
    python tests/benchmarks/memory.py --traced           say also what Python's own objects take at most: slow

The ERP and the shop hold nothing: they work out each record when it is asked for. The log is a SQLite file.
"""

import argparse
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from attrs import frozen

sys.path.insert(0, str(Path(__file__).parents[2]))

from acumatica_b2b import ContactSync
from acumatica_b2b.report import Plan, RunReport
from acumatica_b2b.stores import SqliteStore
from tests.benchmarks.arithmetic import Tenant, making
from tests.benchmarks.arithmetic_shop import Shop

Work: TypeAlias = Callable[[ContactSync], RunReport | Plan]
FIRST: Final = "sync_all, the first"
RUNS: Final[Mapping[str, Work]] = {
    FIRST: ContactSync.sync_all,
    "sync_all, unchanged": ContactSync.sync_all,
    "sync_changed, unchanged": ContactSync.sync_changed,
    "plan, unchanged": ContactSync.plan,
}
HEAD: Final = (
    "  contacts customers what                     | peak MB heap MB "
    "|  CPU s µs/contact made up in |   wall s |     steps"
)


@frozen(kw_only=True)
class Scene:
    """What is measured."""

    contacts: int
    log: Path
    load: bool
    opts_out: bool
    traced: bool


@frozen(kw_only=True)
class Taken:
    """What a run took."""

    resident: float
    """Megabytes of its process, at most."""
    heap: float
    """Megabytes of Python's objects, at most; 0: not measured."""
    cpu: float
    """Seconds, without those that making the records took."""
    making: float
    wall: float
    steps: int


def measured(what: str, scene: Scene) -> Taken:
    """Run it here and now."""
    tenant = Tenant(scene.contacts, fresh=scene.load and what == FIRST, opts_out=scene.opts_out)
    if scene.traced:
        tracemalloc.start()
    began, cpu = time.perf_counter(), time.process_time()
    with SqliteStore(scene.log) as store:
        found = RUNS[what](ContactSync(erp=tenant, storefront=Shop(tenant), store=store))
    spent, wall = time.process_time() - cpu, time.perf_counter() - began
    heap = tracemalloc.get_traced_memory()[1] / 1e6 if scene.traced else 0.0
    if found.troubles or found.held or (found.steps and not tenant.fresh) or (found.findings and not scene.opts_out):
        raise RuntimeError(f"{what}: {found.troubles[:3]} {found.findings[:3]} {found.held} {found.steps[:3]}")
    return Taken(
        resident=resident(),
        heap=heap,
        cpu=spent - making.seconds,
        making=making.seconds,
        wall=wall,
        steps=found.counts.steps.total() if isinstance(found, RunReport) else len(found.steps),
    )


def resident() -> float:
    """Return how many megabytes this process had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main() -> None:
    """Print the table, a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--load", action="store_true", help="load an empty shop first")
    parser.add_argument("--opts-out", action="store_true", help="let half of the contacts take no part")
    parser.add_argument("--traced", action="store_true", help="say also what Python's objects take")
    parser.add_argument("--only", choices=[*RUNS], action="append", help="only these runs; the first before, if needed")
    parser.add_argument("--keep", type=Path, help="keep the logs in this directory, and go on from them")
    asked = parser.parse_args()
    say(HEAD)
    with TemporaryDirectory() as place:
        for contacts in asked.contacts:
            scene = Scene(
                contacts=contacts,
                log=(asked.keep or Path(place)) / f"{contacts}.db",
                load=asked.load,
                opts_out=asked.opts_out,
                traced=asked.traced,
            )
            first = [] if asked.only is None or scene.log.exists() else [FIRST]
            show(scene, [*first, *(what for what in RUNS if what in (asked.only or RUNS) and what not in first)])


def show(scene: Scene, runs: Sequence[str]) -> None:
    """Print what each run over a tenant takes."""
    # a process each, so that none measures what another left behind
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for what in runs:
            taken = pool.submit(measured, what, scene).result()
            heap = f"{taken.heap:>7.1f}" if scene.traced else " " * 7
            say(
                f"{scene.contacts:>10,} {Tenant(scene.contacts).customers_in_all:>9,} {what:<24} "
                f"| {taken.resident:>7.1f} {heap} "
                f"| {taken.cpu:>6.1f} {taken.cpu / scene.contacts * 1e6:>10.0f} {taken.making:>10.1f} "
                f"| {taken.wall:>8.1f} | {taken.steps:>9,}"
            )


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
