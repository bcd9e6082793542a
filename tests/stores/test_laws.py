"""Our stores on the published machine."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from acumatica_b2b.protocols import SyncLogStore
from acumatica_b2b.stores import MemoryStore, SqliteStore
from acumatica_b2b.testing.contract import StoreMachine


class StoreLaws(StoreMachine):
    """The laws of every store, on one in memory."""

    def opened(self) -> SyncLogStore:
        """Return an empty store."""
        return MemoryStore()


class SqliteLaws(StoreMachine):
    """The same laws on a file that is closed and opened again now and then."""

    def opened(self) -> SqliteStore:
        """Return a store in a new file."""
        self.directory = TemporaryDirectory()
        return SqliteStore(Path(self.directory.name) / "log.sqlite")

    def reopened(self, store: SqliteStore) -> SqliteStore:
        """Return a store in the same file."""
        store.close()
        return SqliteStore(store.path)

    def closed(self, store: SqliteStore) -> None:
        """Leave no file."""
        store.close()
        self.directory.cleanup()


TestMemoryStore = StoreLaws.TestCase
TestMemoryStore.settings = settings(max_examples=60, deadline=None)
TestSqliteStore = SqliteLaws.TestCase
TestSqliteStore.settings = settings(max_examples=30, deadline=None)
