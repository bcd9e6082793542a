import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b import ContactSync, SyncPolicy
from acumatica_b2b.codec import decode, encode
from acumatica_b2b.errors import StoreError
from acumatica_b2b.folding import fold
from acumatica_b2b.model import (
    Company,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    NoteID,
    PostalAddress,
    SiteAssociation,
)
from acumatica_b2b.policy import ExistingShoppers, ProtectedLeaver
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.runlog import fold_runs
from acumatica_b2b.stores import SqliteStore
from acumatica_b2b.synclog import read_body
from acumatica_b2b.testing import MemoryErp, MemoryShop

KEY = LogKey("shop/customer/C000000288")
FIRST = Commit(key=KEY, version=1, body="{}")
WAVE = [Commit(key=KEY, version=version, body="{}") for version in range(1, 41)]

APPEND_THEN_WAIT = """
import sys
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import SqliteStore
kept = SqliteStore(sys.argv[1]).append([Commit(key=LogKey("shop/customer/C000000288"), version=1, body="{}")])
print(list(kept), flush=True)
sys.stdin.read()
"""
APPEND_IN_TURN = """
import sys
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import SqliteStore
sys.stdin.read()
with SqliteStore(sys.argv[1]) as store:
    wave = [Commit(key=LogKey("shop/customer/C000000288"), version=version, body="{}") for version in range(1, 41)]
    print(sum(store.append([commit])[0] for commit in wave))
"""


@contextmanager
def child(script: str, path: Path) -> Generator[subprocess.Popen[str]]:
    """Run a script in a process of its own that ends with the block."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own script
        try:
            yield process
        finally:
            process.kill()


def refused(path: Path, sentence: str) -> None:
    """Assert that the file is not opened, and why; the message names the file."""
    whole = f"sync log {str(path)!r} {sentence}"
    with pytest.raises(StoreError, match=re.escape(whole)):
        SqliteStore(path)


# ------------------------------------------------------------------ durable, and shared
def test_what_was_appended_outlives_a_killed_process(path: Path) -> None:
    """A commit is found after its process was killed the moment append had returned."""
    with child(APPEND_THEN_WAIT, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "[True]\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        with SqliteStore(path) as store:
            assert list(store.load([KEY])[0]) == [FIRST]


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    """The write-ahead log is flushed at each commit: SQLite's level FULL, which is 2."""
    with SqliteStore(path) as store:
        assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_connections_that_race_for_a_version_have_one_winner(path: Path) -> None:
    """Of four connections to one file that append the same versions, one wins each of them."""

    def race(start: int) -> int:
        with SqliteStore(path) as store:
            return sum(store.append([commit])[0] for commit in WAVE[start:] + WAVE[:start])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(race, range(4))) == len(WAVE)


def test_connections_that_make_the_same_file_wait_for_each_other(tmp_path: Path) -> None:
    """Of six connections that open the same new file at the same moment, each gets in; forty times."""
    line = Barrier(6)

    def enter(name: str) -> None:
        line.wait()
        with SqliteStore(tmp_path / name) as store:
            assert list(store.load([KEY])[0]) == []

    with ThreadPoolExecutor(6) as pool:
        for name in map(str, range(40)):
            list(pool.map(enter, [name] * 6))


def test_processes_that_race_to_make_the_file_share_it(path: Path) -> None:
    """Of three processes that make the file at once, each gets in and one wins each version."""
    with child(APPEND_IN_TURN, path) as a, child(APPEND_IN_TURN, path) as b, child(APPEND_IN_TURN, path) as c:
        for process in (a, b, c):
            assert process.stdin is not None
            process.stdin.close()
        assert sum(int(process.stdout.read()) for process in (a, b, c) if process.stdout is not None) == len(WAVE)


def test_one_append_is_one_transaction(path: Path) -> None:
    """Nothing of an append is kept when the file fills up in the middle of it."""
    large = [Commit(key=KEY, version=version, body="x" * 50_000) for version in range(2, 40)]
    with SqliteStore(path) as store:
        store.append([FIRST])
        (pages,) = store._database.execute("PRAGMA page_count").fetchone()
        store._database.execute(f"PRAGMA max_page_count = {pages + 100}")
        with pytest.raises(StoreError, match="can't be written to: database or disk is full; free some space"):
            store.append(large)
        assert list(store.load([KEY])[0]) == [FIRST]
        assert list(store.append(large[:2])) == [True, True]


# ------------------------------------------------------------------ dropped without a trace
def traces(path: Path, *words: str) -> list[str]:
    """Return those words that are in any of the database's files, whatever processes have them open."""
    files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    held = b"".join(file.read_bytes() for file in files if file.exists())
    return [word for word in words if word.encode() in held]


def test_what_was_dropped_is_in_no_file(path: Path) -> None:
    """After a scrub no byte of the file, its write-ahead log or its index has the body; others may have it open."""
    body = "somebody@private.example " * 400
    with SqliteStore(path) as other, SqliteStore(path) as store:
        store.append([FIRST, Commit(key=KEY, version=2, body=body)])
        other.append([Commit(key=LogKey("shop/contact/1"), version=1, body=body)])
        assert other.load([KEY])[0][1].body == body
        assert traces(path, "somebody@private") == ["somebody@private"]
        store.append([Commit(key=KEY, version=3, body="{}", snapshot=True)])
        store.drop(KEY, 3)
        store.drop(LogKey("shop/contact/1"), 2)
        store.scrub()
        assert traces(path, "somebody@private", "shop/contact/1") == []
        assert [commit.version for commit in other.load([KEY])[0]] == [3]


@pytest.mark.parametrize("seed", range(4))
def test_a_log_dropped_whole_leaves_nothing_of_any_size(path: Path, seed: int) -> None:
    """Of logs dropped whole nothing is left, though pages were split and merged in between, zeroed or not."""
    die, versions, words = random.Random(seed), Counter[LogKey](), dict[LogKey, list[str]]()
    with SqliteStore(path) as store:
        store._database.execute("PRAGMA synchronous = OFF")  # the test is in a hurry
        store._database.execute("PRAGMA secure_delete = OFF")  # as in a file that an earlier version filled
        for number in range(600):
            key = LogKey(f"shop/customer/C{die.randint(1, 30):03}")
            versions[key] += 1
            words.setdefault(key, []).append(word := f"<{seed}:{number}>")
            body = word + "x" * die.choice((0, 50, 300, 900, 5000, 20000)) + word
            store.append([Commit(key=key, version=versions[key], body=body)])
            if die.random() < 0.05:  # cut short, as every long log is now and then
                store.drop(key, versions[key] - 1)
    with SqliteStore(path) as store:
        gone = sorted(versions)[:10]
        for key in gone:
            store.drop(key, versions[key] + 1)
        store.scrub()
        assert traces(path, *gone, *(word for key in gone for word in words[key])) == []
        kept = sorted(set(versions) - set(gone))
        assert list(store.keys("", None, 100)) == kept
        assert traces(path, *(words[key][-1] for key in kept)) == [words[key][-1] for key in kept]


def test_a_log_cut_short_is_overwritten_where_it_stands(path: Path) -> None:
    """To drop what a snapshot stands for writes no file anew: zeros stand there, in a file as large as before."""
    with SqliteStore(path) as store:
        store.append([evolve(commit, body="<private>" * 900, snapshot=commit.version == 20) for commit in WAVE])
    size = path.stat().st_size
    with SqliteStore(path) as store:
        store.drop(KEY, 20)
        assert [commit.version for commit in store.load([KEY])[0]] == list(range(20, 41))
    assert path.stat().st_size == size
    assert path.read_bytes().count(b"<private>") < 21 * 900 + 9


def test_a_drop_waits_for_nobody(path: Path) -> None:
    """A log is cut short while another process reads the file, and commits wait for the disk afterwards as before."""
    with SqliteStore(path, patience=0.0) as store, closing(sqlite3.connect(path)) as other:
        store.append(WAVE)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM commits").fetchone()
        store.drop(KEY, 20)
        assert [commit.version for commit in store.load([KEY])[0]] == list(range(20, 41))
        assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_reader_that_stays_is_named(path: Path) -> None:
    """StoreError: while another process reads, old pages can't go; when the last one closes the file, they do."""
    with SqliteStore(path, patience=0.05) as store:
        store.append([FIRST, Commit(key=KEY, version=2, body="<private>")])
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM commits").fetchone()
            store.drop(KEY, 3)
            with pytest.raises(StoreError, match="keeps what was dropped in its write-ahead log: another process"):
                store.scrub()
            assert list(store.load([KEY])[0]) == []
            assert traces(path, "<private>") == ["<private>"]
    assert traces(path, "<private>") == []


SCRUB_AND_DIE = """
import os, sys
from acumatica_b2b.protocols import LogKey
from acumatica_b2b.stores import SqliteStore
SqliteStore._clean = lambda self: os._exit(9)
store = SqliteStore(sys.argv[1])
store.drop(LogKey("shop/contact/1"), 2)
store.scrub()
"""


def test_a_scrub_that_was_cut_off_is_finished_by_whoever_opens_the_file(path: Path) -> None:
    """A process that died before the file was written anew leaves a mark, and the next one finishes it."""
    with SqliteStore(path) as store:
        store.append([FIRST, Commit(key=LogKey("shop/contact/1"), version=1, body="<private>")])
    with child(SCRUB_AND_DIE, path) as process:
        assert process.wait() == 9
    with SqliteStore(path) as store:
        assert list(store.keys("", None, 9)) == [KEY]
        assert traces(path, "<private>") == []
        assert store._database.execute("PRAGMA application_id").fetchone() == (0,)


# ------------------------------------------------------------------ what can be wrong with a file
def test_a_closed_store_says_so(path: Path) -> None:
    """StoreError: a closed store is neither read nor written; closing it twice does no harm."""
    with SqliteStore(path) as store:
        store.close()
    with pytest.raises(StoreError, match="can't be read: Cannot operate on a closed database"):
        store.load([KEY])
    with pytest.raises(StoreError, match="can't be written to"):
        store.append([FIRST])


def test_a_locked_file_names_the_way_out(path: Path) -> None:
    """StoreError: another process writes for longer than our patience; afterwards it works."""
    with SqliteStore(path, patience=0.0) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked; end the process that keeps it locked, or wait"):
            store.append([FIRST])
        other.rollback()
        assert list(store.append([FIRST])) == [True]


def test_a_file_locked_while_it_is_opened_names_the_way_out(path: Path) -> None:
    """StoreError: a file whose writer keeps it is not opened."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="can't be opened: database is locked"):
            SqliteStore(path, patience=0.0)


def test_a_store_that_may_not_write_says_so(path: Path) -> None:
    """StoreError: a database that has become read-only is still read, but not written."""
    with SqliteStore(path) as store:
        store.append([FIRST])
        store._database.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="attempt to write a readonly database; let this user write to it"):
            store.drop(KEY, 2)
        assert list(store.load([KEY])[0]) == [FIRST]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """StoreError: the file's directory is not made on the way."""
    path = tmp_path / "nowhere" / "log.sqlite"
    refused(path, "can't be opened: unable to open database file; check that its directory exists")


def test_a_file_of_something_else_is_refused_untouched(path: Path) -> None:
    """StoreError: what is no database is left as it was."""
    path.write_text("not a database, but somebody's notes\n" * 100)
    refused(path, "can't be opened: file is not a database; name another file, or restore it from a backup")
    assert path.read_text() == "not a database, but somebody's notes\n" * 100


def test_a_corrupted_file_is_named(path: Path) -> None:
    """StoreError: a database whose pages are damaged is not opened as if it were empty, and stays as it is."""
    with SqliteStore(path) as store:
        store.append(WAVE)
    pages = bytearray(path.read_bytes())
    pages[4096:] = b"\xff" * (len(pages) - 4096)
    path.write_bytes(pages)
    refused(path, "can't be opened: database disk image is malformed; restore it from a backup")
    assert path.read_bytes() == pages


def test_the_database_of_another_program_is_refused_untouched(path: Path) -> None:
    """StoreError: a database with tables that are not ours gets none of ours."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")
        refused(path, "is the database of another program; name another file")
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]


def test_a_newer_schema_is_refused_untouched(path: Path) -> None:
    """StoreError: a file made by a later version of this library is left to that version."""
    with SqliteStore(path) as store:
        store.append([FIRST])
        store._database.execute("PRAGMA user_version = 2")
    refused(path, "has schema 2, newer than 1; update acumatica-b2b")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM commits").fetchone() == (1,)


def test_a_log_that_would_be_forgotten_is_refused() -> None:
    """StoreError: SQLite's own memory is no file; MemoryStore is for that."""
    with pytest.raises(StoreError, match="sync log ':memory:' can't keep a write-ahead log; put it in a file"):
        SqliteStore(":memory:")


def test_a_store_shows_where_it_is_and_nothing_else(path: Path) -> None:
    """The repr names the file and the patience."""
    with SqliteStore(path, patience=5.0) as store:
        assert repr(store) == f"SqliteStore(path={path!r}, patience=5.0)"


# ------------------------------------------------------------------ a sync whose file fails
HERE = PostalAddress(line1="1 Main St", city="Springfield", state="IL", country="US")


def tenant() -> MemoryErp:
    """Return one customer with two contacts."""
    people = tuple(
        Contact(
            id=ContactID(str(number)),
            note_id=NoteID(f"00000000-0000-4000-8000-{number:012}"),
            customer=CustomerID("ACME"),
            first_name=name,
            last_name="Lee",
            email=f"{name.lower()}@acme.example",
            association=SiteAssociation(enabled=True),
        )
        for number, name in enumerate(("Pat", "Quinn"), 1)
    )
    erp = MemoryErp()
    erp.put(
        Customer(
            id=CustomerID("ACME"),
            note_id=NoteID("00000000-0000-4000-8000-000000000100"),
            name="Acme",
            email="office@acme.example",
            phones=("555",),
            address=HERE,
            primary_contact=people[0].id,
            contacts=people,
        )
    )
    return erp


@define
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = datetime(2026, 11, 23, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


def test_a_sync_whose_disk_fills_up_goes_on_when_there_is_space(tmp_path: Path) -> None:
    """StoreError, at whichever commit the disk is full; with space again the next sync ends right, nobody twice."""
    failures = 0
    for pages in range(40):
        erp, shop, clock = tenant(), MemoryShop(), Clock()
        path = tmp_path / f"{pages}.sqlite"
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("VACUUM")  # small pages, so that there are many of them to be full at
        with SqliteStore(path) as store:
            sync = ContactSync(erp=erp, storefront=shop, store=store, clock=clock, workers=1)
            store._database.execute("PRAGMA synchronous = OFF")  # the test is in a hurry
            (used,) = store._database.execute("PRAGMA page_count").fetchone()
            store._database.execute(f"PRAGMA max_page_count = {used + pages}")
            try:
                sync.sync_all()
            except StoreError as error:
                failures += 1
                assert "database or disk is full; free some space on its disk" in str(error)  # noqa: PT017 -- not each is full
            store._database.execute("PRAGMA max_page_count = 100000")
            clock.sleep(1000)
            assert sync.sync_all().ok
            assert sync.sync_all().steps == ()
        (company,) = shop.snapshot().values()
        assert {user.first_name: user.role for user in company.users} == {"Pat": "Admin", "Quinn": "Senior Buyer"}
        if failures and failures <= pages:
            break
    assert failures


FILL_UP = """
import resource, signal, sys
from acumatica_b2b.errors import StoreError
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import SqliteStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
kept = 0
try:
    for version in range(1, 100):
        kept += store.append([Commit(key=LogKey("k"), version=version, body="x" * 10_000)])[0]
except StoreError as error:
    print(kept, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_what_was_kept_before_the_disk_refused_stays(path: Path) -> None:
    """StoreError names the disk that refuses to write; every commit that was said to be kept is kept."""
    with child(FILL_UP, path) as process:
        assert process.stdout is not None
        kept, _, sentence = process.stdout.readline().partition(" ")
    assert re.search(r"can't be written to: disk I/O error; check its disk|disk is full; free some space", sentence)
    with SqliteStore(path) as store:
        assert len(store.load([LogKey("k")])[0]) == int(kept) > 0
        assert list(store.append([Commit(key=LogKey("k"), version=int(kept) + 1, body="{}")])) == [True]


OPEN_AS_NOBODY = """
import os, sys
from acumatica_b2b.errors import StoreError
from acumatica_b2b.stores import SqliteStore
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    SqliteStore(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="who may do what is said otherwise here")
@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o777), (0o644, 0o555), (0o000, 0o777)])
def test_a_file_that_its_user_may_not_write_is_left_as_it_is(file: int, folder: int) -> None:
    """StoreError, for root's processes that became nobody's too: the file stays as it was to the byte."""
    with TemporaryDirectory() as name:
        path = Path(name, "log.sqlite")
        with SqliteStore(path) as store:
            store.append(WAVE)
        before = path.read_bytes()
        path.chmod(file)
        Path(name).chmod(folder)
        with child(OPEN_AS_NOBODY, path) as process:
            assert process.stdout is not None
            sentence = process.stdout.read()
        Path(name).chmod(0o755)
        path.chmod(0o644)
        assert re.search(r"can't be opened: (attempt to write a readonly|unable to open) database", sentence), sentence
        assert path.read_bytes() == before


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_is_never_taken_for_an_empty_one(path: Path, seed: int) -> None:
    """Of a file with bytes flipped or cut off each log is whole or StoreError; what a text says is not looked at."""
    die = random.Random(seed)
    with SqliteStore(path) as store:
        store.append([Commit(key=LogKey(f"k{n % 9}"), version=n // 9 + 1, body=f"<{n}>" * 200) for n in range(200)])
    held = bytearray(path.read_bytes())
    if seed % 3 == 0:
        held = held[: die.randrange(1, len(held))]
    else:  # in the header, in the head of a page, or anywhere
        start = die.randrange(100) if seed % 3 == 1 else die.randrange(len(held) // 4096) * 4096 + die.randrange(12)
        for place in range(start, min(start + die.randint(1, 16), len(held))):
            held[place] ^= die.randint(1, 255)
    path.write_bytes(held)
    lengths: list[int] = []
    try:
        with SqliteStore(path) as store:
            lengths = [len(store.load([LogKey(f"k{n}")])[0]) for n in range(9)]
    except StoreError as error:
        assert str(path) in str(error)  # noqa: PT017 -- damage that does no harm is well
        return
    assert sum(lengths) == 200


# ------------------------------------------------------------------ a log of an older version
def test_a_file_with_an_index_of_snapshots_loses_it(path: Path) -> None:
    """A file that an earlier version made is read as it was, and no longer keeps each snapshot's key twice."""
    with SqliteStore(path) as store:
        store.append([evolve(commit, snapshot=commit.version in {5, 30}) for commit in WAVE])
        store._database.execute("CREATE INDEX snapshots ON commits (key, version) WHERE snapshot")
        before = store.load([KEY])
    with SqliteStore(path) as store:
        assert store.load([KEY]) == before
        assert [commit.version for commit in before[0]] == list(range(30, 41))
        assert not store._database.execute("SELECT name FROM sqlite_master WHERE name = 'snapshots'").fetchall()


RECORDED = Path(__file__).with_name("data")


@pytest.fixture
def recorded(path: Path) -> dict[str, Any]:
    """Return the world in which version 1's log was written, the log itself being at the path."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript((RECORDED / "schema1.sql").read_text())
    world: dict[str, Any] = json.loads((RECORDED / "schema1.json").read_text())
    return world


def test_a_log_of_the_first_schema_folds_to_what_it_said(path: Path, recorded: dict[str, Any]) -> None:
    """Links, grants, references, refusals, findings, intents and the guard's counts are as version 1 had them."""
    with SqliteStore(path) as store:
        for key, said in recorded["states"].items():
            (commits,) = store.load([LogKey(key)])
            assert commits
            found = folded_run(commits) if key.endswith("/run") else folded(commits)
            assert found == {name: said[name] for name in found}


def folded(commits: Sequence[Commit]) -> dict[str, Any]:
    """Return a customer's state as it was recorded."""
    state = fold(read_body(commit.body) for commit in commits)
    return {
        "links": {f"{record.kind.value} {record.id}": link.id for record, link in state.links.items()},
        "granted": sorted(state.granted),
        "former_roles": dict(state.former_roles),
        "suspended": sorted(state.suspended),
        "references": {f"{record.kind.value} {record.id}": value for record, value in state.references.items()},
        "open": sorted(f"{i.step.do} {i.step.record.id} until {i.until.isoformat()}" for i in state.open.values()),
        "refusals": sorted(refused.times for refused in state.refusals.values()),
        "findings": sorted(f"{f.kind.name} {f.record.kind.value} {f.record.id}" for f in state.findings),
        "primary": state.primary,
        "gave_way": state.gave_way,
    }


def folded_run(commits: Sequence[Commit]) -> dict[str, Any]:
    """Return the run log's state as it was recorded."""
    state = fold_runs((commit.version, commit.body) for commit in commits)
    return {
        "watermark": state.watermark,
        "open": sorted(state.open),
        "users": state.tally.users,
        "companies": state.tally.companies,
        "spent": [encode(one) for one in state.tally.spent],
    }


def test_a_sync_goes_on_from_a_log_of_the_first_schema(path: Path, recorded: dict[str, Any]) -> None:
    """What version 1 was cut off in is finished, nothing else is touched, and then there is nothing to do."""
    erp, shop = MemoryErp(), MemoryShop(roles=("Admin", "Senior Buyer", "Junior Buyer", "Nothing"))
    erp.put(*map(customer_of, recorded["erp"]))
    shop._companies = {company.id: company for company in (decode(one, Company) for one in recorded["shop"])}
    shop._holders = {user.email: user for company in shop._companies.values() for user in company.users}
    shop._ids, shop.shoppers = recorded["ids"], recorded["shoppers"]
    policy = SyncPolicy(
        existing_shoppers=ExistingShoppers.HOLD,
        protected_leaver=ProtectedLeaver.SUSPEND,
        suspended_role="Nothing",
        adopt_companies=True,
        parking_domain="parked.example",
    )
    clock = Clock(datetime.fromisoformat(recorded["at"]) + timedelta(hours=1))
    with SqliteStore(path) as store:
        sync = ContactSync(erp=erp, storefront=shop, store=store, clock=clock, policy=policy, workers=1)
        steps = sync.sync_all().steps
        assert [(type(step).__name__, getattr(step, "contact", "")) for step in steps] == FINISHED
        (fern,) = (company for company in shop.snapshot().values() if company.name == "Fern")
        assert {user.first_name: user.role for user in fern.users} == {"Fay": "Senior Buyer", "Flo": "Admin"}
        assert sync.sync_all().steps == sync.sync_changed().steps == ()


FINISHED = [
    ("CreateUser", ""),  # that was refused five times: version 1 told steps apart by other digests
    ("WriteReference", ""),
    ("WriteReference", ""),
    ("SetRole", ContactID("51")),
]


def customer_of(said: dict[str, Any]) -> Customer:
    """Return a customer as it was recorded."""
    address = decode(said["address"], PostalAddress)
    contacts = tuple(
        Contact(
            **{
                **one,
                "phones": tuple(one["phones"]),
                "association": SiteAssociation(enabled=one.get("association", {}).get("enabled", False)),
                "modified": datetime.fromisoformat(one["modified"]),
            }
        )
        for one in said["contacts"]
    )
    places = tuple(
        Location(
            **{
                **one,
                "address": decode(one["address"], PostalAddress),
                "modified": datetime.fromisoformat(one["modified"]),
            }
        )
        for one in said["locations"]
    )
    plain: dict[str, Any] = {"phones": tuple(said["phones"]), "modified": datetime.fromisoformat(said["modified"])}
    return Customer(**{**said, **plain, "address": address, "contacts": contacts, "locations": places})
