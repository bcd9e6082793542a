"""The sync log in a table of our own database."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from attrs import frozen

from acumatica_b2b import Commit, LogKey

TABLE = "CREATE TABLE sync_log (key TEXT, version INTEGER, body TEXT, snapshot INTEGER, PRIMARY KEY (key, version))"
LOAD = "SELECT key, version, body, snapshot FROM sync_log WHERE key = ? ORDER BY version"
APPEND = "INSERT INTO sync_log (key, version, body, snapshot) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
KEYS = "SELECT DISTINCT key FROM sync_log WHERE substr(key, 1, ?) = ? AND key > ? ORDER BY key LIMIT ?"
DROP = "DELETE FROM sync_log WHERE key = ? AND version < ?"


@frozen
class OwnStore:
    """A sync log store; `connect` makes a connection for each call, or takes one from a pool."""

    connect: Callable[[], sqlite3.Connection]

    def load(self, keys: Sequence[LogKey], /) -> list[list[Commit]]:
        logs = self._run(LOAD, [(key,) for key in keys])
        return [[Commit(key=k, version=v, body=b, snapshot=bool(s)) for k, v, b, s in log] for log in logs]

    def append(self, commits: Sequence[Commit], /) -> list[bool]:
        return [bool(stored) for stored in self._run(APPEND, [(c.key, c.version, c.body, c.snapshot) for c in commits])]

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> list[LogKey]:
        (rows,) = self._run(KEYS, [(len(prefix), prefix, after or "", limit)])
        return [LogKey(key) for (key,) in rows]

    def drop(self, key: LogKey, before: int, /) -> None:
        self._run(DROP, [(key, before)])

    def _run(self, sql: str, values: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
        with closing(self.connect()) as db, db:
            return [db.execute(sql, row).fetchall() for row in values]
