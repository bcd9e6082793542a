"""The sync log in one SQLite file: no server, nothing to set up, any number of processes.

What `append` has returned survives the loss of the process and of power
(https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from os import PathLike, fspath
from threading import RLock
from typing import Final, Self

from attrs import define, field

from acumatica_b2b.errors import StoreError
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores.shape import require_commits, require_keys

SCHEMA_VERSION: Final = 1

_TABLES: Final = (
    """
    CREATE TABLE commits (
        key TEXT NOT NULL, version INTEGER NOT NULL, snapshot INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (key, version)
    )
    """,
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_LEAN: Final = "DROP INDEX IF EXISTS snapshots"
"""Earlier versions kept an index of snapshots; a log is read backwards, and ends where its snapshot is."""

_LOAD: Final = "SELECT version, body, snapshot FROM commits WHERE key = ? ORDER BY version DESC"
_APPEND: Final = "INSERT INTO commits (key, version, snapshot, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEYS: Final = "SELECT DISTINCT key FROM commits WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?"
_DROP: Final = "DELETE FROM commits WHERE key = ? AND version < ?"

_MARK_UNCLEAN: Final = "PRAGMA application_id = 1"
"""In the file's head, for whoever opens it next: what was dropped may be found in it still, and is not to be."""

_ABOVE_ALL_KEYS: Final = "\x7f"
"""Sorts behind every printable ASCII character."""

_WAYS_OUT: Final = {
    sqlite3.SQLITE_BUSY: "end the process that keeps it locked, or wait for it",
    sqlite3.SQLITE_CANTOPEN: "check that its directory exists and can be written to",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup",
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_IOERR: "check its disk",
    sqlite3.SQLITE_NOTADB: "name another file, or restore it from a backup",
    sqlite3.SQLITE_PERM: "let this user write to it and to its directory",
    sqlite3.SQLITE_READONLY: "let this user write to it and to its directory",
}


@define(eq=False)
class SqliteStore:
    """A sync log in the file `path`, made when there is none; threads and processes may share it.

    `patience` is how many seconds a call waits for other processes that are writing. Close the
    store, or use it as a context manager.

    Raises:
        StoreError: the file can't be read or written, or a newer version of this library made it.

    """

    path: str | PathLike[str]
    patience: float = field(default=30.0, kw_only=True)
    _database: sqlite3.Connection = field(init=False, repr=False)
    _lock: RLock = field(factory=RLock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        with self._explained("opened"):
            # autocommit: transactions begin where we say, not where the module guesses
            self._database = sqlite3.connect(
                self.path, timeout=self.patience, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained("opened"):
                self._prepare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        with self._lock:
            self._database.close()

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version, from its last snapshot on."""
        require_keys(keys)
        # one transaction: else each log is a lock of the file for itself
        with self._lock, self._explained("read"), self._transaction("DEFERRED"):
            return [self._log(key) for key in keys]

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit True: on the disk; or False: its version is taken.

        Raises:
            StoreError: none of them was stored.

        """
        require_commits(commits)
        rows = [(commit.key, commit.version, commit.snapshot, commit.body) for commit in commits]
        with self._lock, self._explained("written to"), self._transaction():
            return [self._database.execute(_APPEND, row).rowcount == 1 for row in rows]

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`, in order, behind `after`."""
        bounds = (prefix, prefix + _ABOVE_ALL_KEYS, after or "", limit)
        with self._lock, self._explained("read"):
            return [LogKey(key) for (key,) in self._database.execute(_KEYS, bounds)]

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`; `scrub` wipes out what is left of them.

        Raises:
            StoreError: none of them was dropped.

        """
        require_keys([key])
        with self._lock, self._explained("written to"), self._in_no_hurry(), self._transaction():
            self._database.execute(_DROP, (key, before))

    def scrub(self) -> None:
        """Leave nothing in any file of what was dropped; the whole log is written anew.

        Raises:
            StoreError: it can't be written to, or another process has kept the old pages open for too long.

        """
        with self._lock, self._explained("written to"):
            self._database.execute(_MARK_UNCLEAN)
            if self._clean():
                return
        message = (
            f"sync log {fspath(self.path)!r} keeps what was dropped in its write-ahead log: another process has "
            f"been using it for {self.patience:g} seconds; end that process, then open the log once more"
        )
        raise StoreError(message)

    def _clean(self) -> bool:
        """Leave nothing in the files that was dropped; tell whether no other process was in the way."""
        # deleting merges pages, and may leave copies of rows in what they don't use
        self._database.execute("VACUUM")
        (busy, _, _) = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            self._database.execute("PRAGMA application_id = 0")
        return not busy

    def _log(self, key: LogKey) -> tuple[Commit, ...]:
        log: list[Commit] = []
        with closing(self._database.execute(_LOAD, (key,))) as rows:
            for version, body, snapshot in rows:
                log.append(Commit(key=key, version=version, body=body, snapshot=bool(snapshot)))
                if snapshot:
                    break
        return tuple(reversed(log))

    def _prepare(self) -> None:
        with self._transaction():
            self._require_schema()
            # nothing is to be written yet, but who may not write is to hear of it now
            self._database.execute(_DROP, ("", 0))
            self._database.execute(_LEAN)
        if self._write_ahead() != "wal":
            message = f"sync log {fspath(self.path)!r} can't keep a write-ahead log; put it in a file on a local disk"
            raise StoreError(message)
        self._database.execute("PRAGMA synchronous = FULL")
        # what is deleted is overwritten with zeros
        self._database.execute("PRAGMA secure_delete = ON")
        if self._database.execute("PRAGMA application_id").fetchone() != (0,):
            with suppress(sqlite3.OperationalError):  # whoever is in the way now, it can wait
                self._clean()
        # macOS answers fsync before the disk has it; elsewhere this changes nothing
        self._database.execute("PRAGMA fullfsync = ON")

    def _write_ahead(self, tries: int = 100) -> str:
        """Return the journal mode that the file has now."""
        try:
            return str(self._database.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not tries:
                raise
        # another process is making the same file: this switch does not wait for it, a transaction does
        with self._transaction():
            pass
        return self._write_ahead(tries - 1)

    def _require_schema(self) -> None:
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        fault = None
        if found > SCHEMA_VERSION:
            fault = f"has schema {found}, newer than {SCHEMA_VERSION}; update acumatica-b2b"
        elif found == 0 and tables:
            fault = "is the database of another program; name another file"
        if fault:
            message = f"sync log {fspath(self.path)!r} {fault}"
            raise StoreError(message)
        if found == 0:
            for statement in _TABLES:
                self._database.execute(statement)

    @contextmanager
    def _in_no_hurry(self) -> Generator[None]:
        """Write without waiting for the disk: whoever appends next waits for this as well."""
        self._database.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Generator[None]:
        # IMMEDIATE: a transaction that begins by reading can't wait for another writer later on
        self._database.execute(f"BEGIN {kind}")
        try:
            yield
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    @contextmanager
    def _explained(self, done: str) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the high bits tell subcases apart
            way_out = _WAYS_OUT.get(code, "open the store again")
            message = f"sync log {fspath(self.path)!r} can't be {done}: {error}; {way_out}"
            raise StoreError(message) from error
