from collections.abc import Iterator
from pathlib import Path

import pytest

from acumatica_b2b.protocols import SyncLogStore
from acumatica_b2b.stores import MemoryStore, SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a sync log may be made."""
    return tmp_path / "log.sqlite"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[SyncLogStore]:
    """Return an empty store, of each kind in turn."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        with SqliteStore(path) as opened:
            yield opened
