"""A temporary table of rows, for lists that are too long to be held in memory."""

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final
from weakref import finalize

from attrs import define, field

SpoolError = sqlite3.Error
"""What any call may raise: the disk is full, most likely."""

_TABLES: Final = (
    "PRAGMA journal_mode = OFF",  # who is cut off begins anew
    "CREATE TABLE rows (list TEXT, id INTEGER, company TEXT, body TEXT)",
    "CREATE UNIQUE INDEX by_id ON rows (list, id)",
    "CREATE INDEX by_company ON rows (company, list, id)",
    "CREATE TABLE left_out (company TEXT PRIMARY KEY)",
)
_ADD: Final = "INSERT OR IGNORE INTO rows (list, id, company, body) VALUES (:list, :id, :company, :body)"
_REPLACE: Final = "UPDATE rows SET company = :company, body = :body WHERE list = :list AND id = :id"
_CLEAR: Final = "DELETE FROM rows WHERE list = ?"
_OF: Final = """
    SELECT list, body FROM rows WHERE company = :company
    AND NOT EXISTS (SELECT 1 FROM left_out WHERE company = :company) ORDER BY list, id
"""
_ALL: Final = "SELECT id, body FROM rows WHERE list = ? AND id > ? ORDER BY id LIMIT 1000"
_OWNER: Final = "SELECT company FROM rows WHERE list = ? AND id = ?"
_LEAVE_OUT: Final = "INSERT OR IGNORE INTO left_out VALUES (?)"


@define(eq=False)
class Spool:
    """Rows of several lists, by their ids and by company; gone with the last who knows of it.

    They are kept in a file without a name in the directory for temporary files, and in memory as long as they are
    few (https://sqlite.org/inmemorydb.html#temp_db). Threads may share it.
    """

    _database: sqlite3.Connection = field(init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        finalize(self, self._database.close)
        for statement in _TABLES:
            self._database.execute(statement)

    def put(self, of: str, rows: Iterable[tuple[int, str, str]]) -> int:
        """Keep rows of a list, each with its id, its company and its text; return how many of them are new."""
        given = [{"list": of, "id": id_, "company": company, "body": body} for id_, company, body in rows]
        with self._lock, self._at_once():
            new = self._database.executemany(_ADD, given).rowcount
            if new < len(given):
                self._database.executemany(_REPLACE, given)
        return new

    @contextmanager
    def _at_once(self) -> Generator[None]:
        self._database.execute("BEGIN")
        yield
        self._database.execute("COMMIT")

    def clear(self, of: str) -> None:
        """Drop what was read of a list."""
        with self._lock:
            self._database.execute(_CLEAR, (of,))

    def of(self, company: str) -> Mapping[str, Sequence[str]]:
        """Return the texts of a company's rows by list; none where the company is left out."""
        with self._lock:
            found = self._database.execute(_OF, {"company": company}).fetchall()
        lists: dict[str, list[str]] = {}
        for of, body in found:
            lists.setdefault(of, []).append(body)
        return lists

    def texts(self, of: str) -> Iterator[str]:
        """Yield the texts of all rows of a list, some at a time, by their ids; also of companies left out."""
        last = -1
        while found := self._some(of, last):
            yield from (body for _, body in found)
            last = found[-1][0]

    def _some(self, of: str, behind: int) -> Sequence[tuple[int, str]]:
        with self._lock:
            return self._database.execute(_ALL, (of, behind)).fetchall()

    def owner(self, of: str, id_: int) -> str | None:
        """Return the company of a row; None: there is no such row."""
        with self._lock:
            found: Any = self._database.execute(_OWNER, (of, id_)).fetchone()
        return None if found is None else str(found[0])

    def leave_out(self, companies: Iterable[str]) -> None:
        """Show these companies no more."""
        with self._lock:
            self._database.executemany(_LEAVE_OUT, [(company,) for company in companies])
