from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from acumatica_b2b.protocols import Commit, LogKey, SyncLogStore
from acumatica_b2b.stores import MemoryStore, SqliteStore

KEYS = st.sampled_from([LogKey(key) for key in ("a", "a%", "a*b", "a/1", "a/10", "a/2", "a_b", "aXb", "A/1", " ", "~")])
PREFIXES = st.sampled_from(["", "a", "a/", "a/1", "a%", "a_", "a*", "[a]", "A", "ab", "é"])
COMMITS = st.builds(
    Commit, key=KEYS, version=st.integers(1, 6), body=st.text("ä\0'x\n", max_size=3), snapshot=st.booleans()
)


class StoreLaws(RuleBasedStateMachine):
    """A store against the plainest thing that obeys the protocol: a dict of what was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[tuple[LogKey, int], Commit] = {}
        self.store: SyncLogStore = MemoryStore()

    @rule(commits=st.lists(COMMITS, max_size=5))
    def append(self, commits: Sequence[Commit]) -> None:
        """A commit is kept if and only if its key and version are free, each by itself."""
        expected: list[bool] = []
        for commit in commits:
            expected.append((commit.key, commit.version) not in self.model)
            self.model.setdefault((commit.key, commit.version), commit)
        assert list(self.store.append(commits)) == expected

    @rule(keys=st.lists(KEYS, max_size=4))
    def load(self, keys: Sequence[LogKey]) -> None:
        """Each asked key's commits come by version, from its last snapshot on."""
        assert [list(log) for log in self.store.load(keys)] == [self.log(key) for key in keys]

    @rule(prefix=PREFIXES, after=st.none() | KEYS, limit=st.integers(0, 5))
    def keys(self, prefix: str, after: LogKey | None, limit: int) -> None:
        """Keys come in order, behind `after`, and a prefix means no more than it says."""
        known = sorted({key for key, _ in self.model})
        expected = [key for key in known if key[: len(prefix)] == prefix and (after is None or key > after)]
        assert list(self.store.keys(prefix, after, limit)) == expected[:limit]

    @rule(key=KEYS, before=st.integers(0, 7))
    def drop(self, key: LogKey, before: int) -> None:
        """A key forgets its commits below a version, and no other key does."""
        self.store.drop(key, before)
        self.model = {(k, v): commit for (k, v), commit in self.model.items() if k != key or v >= before}

    def log(self, key: LogKey) -> list[Commit]:
        """Return what a load of the key has to give."""
        mine = [self.model[found] for found in sorted(self.model) if found[0] == key]
        starts = [i for i, commit in enumerate(mine) if commit.snapshot]
        return mine[starts[-1] :] if starts else mine


class SqliteLaws(StoreLaws):
    """The same laws on a file that is closed and opened again now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name) / "log.sqlite"
        self.sqlite = SqliteStore(self.path)
        self.store = self.sqlite

    @rule()
    def reopen(self) -> None:
        """What one connection appended, the next one finds."""
        self.sqlite.close()
        self.sqlite = SqliteStore(self.path)
        self.store = self.sqlite

    def teardown(self) -> None:
        """Leave no file."""
        with self.directory, closing(self.sqlite):
            pass


TestMemoryStore = StoreLaws.TestCase
TestMemoryStore.settings = settings(deadline=None)
TestSqliteStore = SqliteLaws.TestCase
TestSqliteStore.settings = settings(max_examples=50, deadline=None)
