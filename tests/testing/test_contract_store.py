"""Our stores, and the example of a host's own, keep the published contract."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, settings

from acumatica_b2b import in_threads
from acumatica_b2b.protocols import AsyncSyncLogStore, Commit, LogKey
from acumatica_b2b.stores import MemoryStore, SqliteStore
from acumatica_b2b.testing import AsyncStoreOf
from acumatica_b2b.testing.contract import (
    AsyncStoreContract,
    BrokenContractError,
    PlainStoreOf,
    StoreContract,
    StoreMachine,
    store_machine,
)
from docs.examples.own_store import TABLE, OwnStore
from tests.virtual_time import AsyncMemoryStore


class TestMemoryStore(StoreContract):
    """A store that is gone with its process."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Return an empty store."""
        return MemoryStore()


class TestSqliteStore(StoreContract):
    """A store in a file, shared by connections."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        """Yield an empty store."""
        with SqliteStore(tmp_path / "log.sqlite") as opened:
            yield opened

    def reopen(self, store: SqliteStore) -> SqliteStore:
        """Return a second connection."""
        return SqliteStore(store.path)


class TestOwnStore(StoreContract):
    """The example of the guide: a connection for each call."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> OwnStore:
        """Return an empty store."""
        path = tmp_path / "own.sqlite"
        with sqlite3.connect(path) as database:
            database.execute(TABLE)
        database.close()
        return OwnStore(lambda: sqlite3.connect(path, timeout=60))

    def reopen(self, store: OwnStore) -> OwnStore:
        """Return a store with connections of its own."""
        return OwnStore(store.connect)


class TestAsyncMemoryStore(AsyncStoreContract):
    """The async store of our own simulations."""

    @pytest.fixture
    def store(self) -> AsyncMemoryStore:
        """Return an empty store."""
        return AsyncMemoryStore()


class TestAsyncStoreOf(AsyncStoreContract):
    """A store in memory, awaited."""

    @pytest.fixture
    def store(self) -> AsyncStoreOf:
        """Return an empty store."""
        return AsyncStoreOf(MemoryStore())


class TestSqliteStoreInThreads(AsyncStoreContract):
    """A blocking store, lifted."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return where the log is."""
        return tmp_path / "log.sqlite"

    @pytest.fixture
    def store(self, path: Path) -> Iterator[AsyncSyncLogStore]:
        """Yield an empty store."""
        with SqliteStore(path) as opened:
            yield in_threads(opened)


class AsyncMachine(StoreMachine):
    """The machine drives an async store through the bridge."""

    def opened(self) -> PlainStoreOf:
        """Return an empty store."""
        self.runner = asyncio.Runner()
        return PlainStoreOf(AsyncMemoryStore(), self.runner)

    def closed(self, store: PlainStoreOf) -> None:
        """End the loop."""
        del store
        self.runner.close()


TestAsyncMachine = AsyncMachine.TestCase
TestAsyncMachine.settings = settings(max_examples=10, deadline=None)
TestMemoryStoreUnderRandomSteps = store_machine(MemoryStore, examples=10)


def test_a_machine_finds_what_is_wrong() -> None:
    """A store that forgets the mark of snapshots, or answers too few, is found by random steps."""

    class Forgets(MemoryStore):
        def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
            return [[evolve(commit, snapshot=False) for commit in log] for log in MemoryStore.load(self, keys)]

    class AnswersTooFew(MemoryStore):
        def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
            return [log for log in MemoryStore.load(self, keys) if log]

    for broken, words in ((Forgets, "the log of"), (AnswersTooFew, "how many logs")):
        case: Any = store_machine(broken)
        case.settings = settings(
            case.settings,
            phases=[Phase.generate],  # to make it small takes long
            derandomize=True,
            report_multiple_bugs=False,
            max_examples=300,
            suppress_health_check=list(HealthCheck),
        )
        with pytest.raises(BrokenContractError, match=words):
            case("runTest").debug()


def test_a_machine_needs_a_store() -> None:
    """NotImplementedError: a machine that was given no store says so before its first step."""
    with pytest.raises(NotImplementedError):
        StoreMachine()
