"""The command line of `store.py`: records a first load, plays it into SQLite files, prints tables."""

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define, evolve, field

from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.cli.config import read_config
from acumatica_b2b.cli.logged import rows_of
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import SqliteStore
from acumatica_b2b.synclog import read_body
from tests.benchmarks.loading import syncing
from tests.benchmarks.stage import ERP, stage
from tests.benchmarks.tenants import size_of, tenant
from tests.virtual_time import AsyncMemoryStore, run

ROOT: Final = Path(__file__).parents[2]
WAVE: Final = 200
CONTACTS: Final = 1_000
BUSY: Final = "BUSY"
"""The customer with very many commits and no snapshot."""
CONFIG: Final = """
[acumatica]
url = "https://erp.example/Live"
name = "sync"
opt_in = "everyone"
[bigcommerce]
store_hash = "simulated"
[log]
file = "log.sqlite"
"""
COMMAND: Final = "from acumatica_b2b.cli import main\nmain()"
LOADING: Final = "import acumatica_b2b.cli.commands, acumatica_b2b.cli.logged"
INSERT: Final = "INSERT INTO commits (key, version, snapshot, body) VALUES (?, ?, ?, ?)"


# ------------------------------------------------------------------ a first load's commits
@define(eq=False)
class Recording(AsyncMemoryStore):
    """A store that remembers what it was asked, in order."""

    appended: list[tuple[Commit, ...]] = field(factory=list[tuple[Commit, ...]])
    calls: list[tuple[str, tuple[Commit, ...] | tuple[LogKey, ...]]] = field(factory=list)

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits."""
        self.calls.append(("load", tuple(keys)))
        return await super().load(keys)

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return which commits were stored."""
        self.calls.append(("append", tuple(commits)))
        self.appended.append(tuple(commits))
        return await super().append(commits)


def recorded(contacts: int) -> tuple[Recording, int]:
    """Return what a first load asked of its store, and of how many customers it was."""
    rows, store = tenant(contacts, 5), Recording()

    async def load() -> None:
        place = stage(rows, 5)
        async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
            if not (await syncing(place, erp, store).sync_all()).ok:
                raise RuntimeError("the first load did not end well")

    run(load())
    return store, size_of(rows).customers


def renamed(key: LogKey, number: int) -> LogKey:
    """Return the key of the same log of another tenant."""
    store, _, rest = key.partition("/")
    kind, _, name = rest.partition("/")
    return LogKey(f"{store}/{kind}/{number:05}-{name}")


def is_customers(commit: Commit) -> bool:
    """Tell whether a commit is of a customer's log, not of the index or the run log."""
    return "/customer/" in commit.key


def rows(commits: Sequence[Commit], number: int = 0) -> Iterator[tuple[LogKey, int, bool, str]]:
    """Yield commits as rows of the table, under other names."""
    return ((renamed(one.key, number), one.version, one.snapshot, one.body) for one in commits)


# ------------------------------------------------------------------ waves
def timed(call: Callable[..., object], *arguments: object) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


def flushes(folder: Path, number: int = 400) -> float:
    """Return how many pages a second the disk takes, one flush each."""
    file = os.open(folder / "flushed", os.O_RDWR | os.O_CREAT)
    flush = getattr(os, "fdatasync", os.fsync)

    def all_of_them() -> None:
        for place in range(number):
            os.pwrite(file, b"x" * 4096, place * 4096)
            flush(file)

    seconds = timed(all_of_them)
    os.close(file)
    return number / seconds


def waves(bodies: Sequence[str], number: int) -> list[list[Commit]]:
    """Return waves of one commit for each of so many customers, who take turns as in a real run."""
    body = cycle(bodies)
    return [
        [
            Commit(key=LogKey(f"store/customer/C{turn % 20 * WAVE + n:08}"), version=turn // 20 + 1, body=next(body))
            for n in range(WAVE)
        ]
        for turn in range(number)
    ]


def alone(path: Path, made: Sequence[Sequence[Commit]]) -> float:
    """Return how many commits a second sqlite3 alone makes durable, one transaction for each group."""
    with SqliteStore(path):
        pass
    groups = [[(one.key, one.version, one.snapshot, one.body) for one in group] for group in made]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")

        def all_of_them() -> None:
            for group in groups:
                database.execute("BEGIN IMMEDIATE")
                database.executemany(INSERT, group)
                database.execute("COMMIT")

        return sum(map(len, groups)) / timed(all_of_them)


def appended(store: SqliteStore, made: Sequence[Sequence[Commit]]) -> float:
    """Return how many commits a second the store makes durable."""

    def all_of_them() -> None:
        for group in made:
            if not all(store.append(group)):
                raise RuntimeError("a version was taken")

    return sum(map(len, made)) / timed(all_of_them)


def show_waves(folder: Path, load: Recording, number: int) -> None:
    """Print what appends cost, beside what they can't go below."""
    bodies = [one.body for call in load.appended for one in call if is_customers(one)]
    sizes = sorted(len(body.encode()) for body in bodies)
    say(f"Commits of customers: median {sizes[len(sizes) // 2]:,} bytes, mean {sum(sizes) // len(sizes):,}")
    made = waves(bodies, number)
    singles = [[one] for group in made[: max(number // 10, 1)] for one in group]
    say(f"{'the disk alone: flushes of one page':<52} {flushes(folder):>9,.0f} a second")
    say(f"{'sqlite3 alone, one transaction a wave of 200':<52} {alone(folder / 'a', made):>9,.0f} commits a second")
    with SqliteStore(folder / "b") as store:
        say(f"{'the store, one append a wave of 200':<52} {appended(store, made):>9,.0f} commits a second")
        show_reads(store)
    say(f"{'sqlite3 alone, one transaction a commit':<52} {alone(folder / 'c', singles):>9,.0f} commits a second")
    with SqliteStore(folder / "d") as store:
        say(f"{'the store, one append a commit':<52} {appended(store, singles):>9,.0f} commits a second")


def show_reads(store: SqliteStore) -> None:
    """Print what it costs to read waves, to list keys, to cut logs short."""
    wanted = [[LogKey(f"store/customer/C{turn * WAVE + n:08}") for n in range(WAVE)] for turn in range(20)]
    (found,) = {len(log) for log in store.load(wanted[0])}
    tell(f"load of 200 logs of {found} commits", median(timed(store.load, keys) for keys in wanted))
    tell("keys, a page of 200", median(timed(store.keys, "store/customer/", keys[0], WAVE) for keys in wanted))
    tell("drop of all but the last commit of a log", median(timed(store.drop, key, found) for key in wanted[0]))


# ------------------------------------------------------------------ a first load's calls, again
def show_load(folder: Path, load: Recording, customers: int, times: int) -> None:
    """Print what a first load's calls cost the store, and how large its file gets."""
    calls = [
        (name, [evolve(one, key=renamed(one.key, n)) if isinstance(one, Commit) else renamed(one, n) for one in items])
        for n in range(times)
        for name, items in load.calls
    ]
    path = folder / "first"
    with SqliteStore(path) as store:
        spent = dict.fromkeys(("load", "append"), 0.0)
        for name, items in calls:
            spent[name] += timed(getattr(store, name), items)
    contacts = CONTACTS * times
    said = f"{contacts:,} contacts of {customers * times:,} customers"
    say(f"\nThe calls of a first load of {said}, in the order in which the engine makes them:")
    for name, seconds in spent.items():
        sizes = [len(items) for kind, items in calls if kind == name]
        each = seconds / sum(sizes) * 1e6
        say(f"  {name:<8} {len(sizes):>6,} calls of {sum(sizes):>9,} {seconds:>7.2f} s {each:>6.1f} µs each")
    size = path.stat().st_size
    each_of_both = f"{size / contacts:,.0f} bytes a contact, {size / customers / times:,.0f} a customer"
    say(f"  the file: {size / 1e6:,.0f} MB, {each_of_both}")


# ------------------------------------------------------------------ a long log
def long_log(folder: Path, load: Recording, entries: int) -> tuple[int, int]:
    """Make a log of so many entries, by the store's own schema but without waiting for the disk; count its commits."""
    said = [one for call in load.appended for one in call]
    a_load = sum(len(read_body(one.body).entries) for one in said if is_customers(one))
    busy = [one for one in said if is_customers(one) and len(one.body) < 3_000]
    with SqliteStore(folder / "log.sqlite") as store:
        store._database.execute("PRAGMA synchronous = OFF")
        store._database.execute("BEGIN")
        for number in range(-(-entries // a_load)):
            store._database.executemany(INSERT, rows(said, number))
        many = ((f"store/customer/{BUSY}", n, False, one.body) for n, one in zip(count(1), cycle(busy), strict=False))
        store._database.executemany(INSERT, islice(many, 10_000))
        store._database.execute("COMMIT")
        (commits,) = store._database.execute("SELECT count(*) FROM commits").fetchone()
    return -(-entries // a_load) * a_load, commits


def show_long(folder: Path, load: Recording, entries: int) -> None:
    """Print what people wait for whose log is long."""
    entries, commits = long_log(folder, load, entries)
    path = folder / "log.sqlite"
    size = path.stat().st_size / 1e6
    say(f"\nA log of {entries:,} entries in {commits:,} commits, {size:,.0f} MB, {BUSY}'s 10,000 commits among them")
    file = folder / "acumatica-b2b.toml"
    file.write_text(CONFIG)
    last = next(one.key for call in load.appended[::-1] for one in call if is_customers(one))
    for customer in (renamed(last, 0).rpartition("/")[2], BUSY):
        show_customer(customer, file, times=1 if customer == BUSY else 5)
    tell("Python starts and loads what `log` needs", median(timed(process, LOADING) for _ in range(5)))
    with SqliteStore(path) as store:
        tell("the first page of 200 keys", median(timed(store.keys, "store/customer/", None, WAVE) for _ in range(5)))
        tell(f"keys, behind {BUSY}", median(timed(store.keys, f"store/customer/{BUSY}", None, WAVE) for _ in range(5)))
        wave = [renamed(last, n) for n in range(min(50, entries // 10_000 + 1))]
        tell("drop, as each snapshot does", median(timed(store.drop, key, 2) for key in wave))
        tell("scrub, once when a person is forgotten", timed(store.scrub))


def show_customer(customer: str, file: Path, *, times: int) -> None:
    """Print how long it takes to see one customer's log, the median of so many times."""
    config = read_config(file)
    with SqliteStore(config.log) as store:
        key = LogKey(f"store/customer/{customer}")
        query = median(timed(store.load, [key]) for _ in range(times))
        length = len(store.load([key])[0])
    say(f"{customer}: {length:,} commits come to {len(rows_of(customer, config)):,} rows")
    tell("  the query alone", query)
    tell("  the file opened, read, and told in rows", median(timed(rows_of, customer, config) for _ in range(times)))
    for options in ((), ("--json",)):
        words = ("log", customer, *options)
        script = f"import sys; sys.argv = ['x', *{words!r}, '--config', {str(file)!r}]\n{COMMAND}"
        tell(f"  acumatica-b2b {' '.join(words)}", median(timed(process, script) for _ in range(times)))


def process(script: str) -> None:
    """Run a script in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    subprocess.run([sys.executable, "-c", script], env=environ, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own


def tell(what: str, seconds: float) -> None:
    """Print how long something took."""
    say(f"{what:<52} {seconds * 1e3:>9.2f} ms")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(described: str | None) -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waves", type=int, default=200)
    parser.add_argument("--loads", type=int, default=30, help="how many first loads of 1,000 contacts to play again")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="on which disk")
    asked = parser.parse_args()
    load, customers = recorded(CONTACTS)
    with TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        show_waves(folder, load, asked.waves)
        show_load(folder, load, customers, asked.loads)
        show_long(folder, load, asked.entries)
