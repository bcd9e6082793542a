"""The contract of a store, to be run by who made one."""

from asyncio import Runner
from collections.abc import Callable, Iterator
from functools import partial
from inspect import isawaitable
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b.protocols import AsyncSyncLogStore, SyncLogStore
from acumatica_b2b.testing.contract.store_appending import Appends, Durable, Races
from acumatica_b2b.testing.contract.store_bench import (
    PlainStoreOf,
    StoreBench,
    race_in_tasks,
    race_in_threads,
)
from acumatica_b2b.testing.contract.store_loading import Drops, Finds, Loads


@define(eq=False)
class _Reopened:
    """Opens a log once more, as often as it is asked, and closes what it opened."""

    open: Callable[[], Any]
    close: Callable[[Any], object]
    plain: Callable[[Any], SyncLogStore]
    opened: list[Any] = field(factory=list[Any])

    def __call__(self) -> SyncLogStore | None:
        store = self.open()
        if store is None:
            return None
        self.opened.append(store)
        return self.plain(store)

    def close_all(self) -> None:
        while self.opened:
            self.close(self.opened.pop())


def _as_it_is(store: SyncLogStore) -> SyncLogStore:
    return store


# pytest runs the checks of the last base first: what was appended is loaded
class _Checks(Drops, Finds, Loads, Races, Appends, Durable):
    """All checks of a store."""


class StoreContract(_Checks):
    """Every promise that the engine relies on, one test each, for a store of yours.

    Subclass it in your tests, with a fixture `store`. The keys of the checks are unique, so a database
    that others use as well will do. A store that outlives its process says how to open it once more.

    Example::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self) -> MyStore:
                return MyStore(DSN)

            def reopen(self, store: MyStore) -> MyStore:
                return MyStore(DSN)

    """

    def reopen(self, store: Any) -> SyncLogStore | None:
        """Return the same log opened once more, the first one still open; None where nobody else can see it."""
        del store
        return None

    def close(self, store: Any) -> None:
        """Close what `reopen` returned: by its own `close`, if it has one."""
        getattr(store, "close", _nothing)()

    @pytest.fixture
    def log(self, store: SyncLogStore) -> Iterator[StoreBench]:
        """Yield the bench on which your store is tried."""
        again = _Reopened(lambda: self.reopen(store), self.close, _as_it_is)
        yield StoreBench(store, again, race_in_threads)
        again.close_all()


class AsyncStoreContract(_Checks):
    """The same for an async store: `store` returns one, and `end` may close it.

    All calls, `reopen`, `close` and `end` run in one event loop, a fresh one for each check.
    """

    async def reopen(self, store: Any) -> AsyncSyncLogStore | None:
        """Return the same log opened once more, the first one still open; None where nobody else can see it."""
        del store
        return None

    async def close(self, store: Any) -> None:
        """Close what `reopen` returned: by its own `close`, if it has one."""
        closing = getattr(store, "close", _nothing)()
        if isawaitable(closing):
            await closing

    async def end(self, store: Any) -> None:
        """Do what you like with the store when its check is over."""

    @pytest.fixture
    def log(self, store: AsyncSyncLogStore) -> Iterator[StoreBench]:
        """Yield the bench on which your store is tried."""
        with Runner() as runner:
            again = _Reopened(
                lambda: runner.run(self.reopen(store)),
                lambda opened: runner.run(self.close(opened)),
                partial(PlainStoreOf, runner=runner),
            )
            yield StoreBench(PlainStoreOf(store, runner), again, race_in_tasks(runner))
            again.close_all()
            runner.run(self.end(store))


def _nothing() -> None:
    """Do nothing."""
