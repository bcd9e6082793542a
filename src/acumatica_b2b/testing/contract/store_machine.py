"""The laws of a store as a Hypothesis machine: anything may be asked in any order."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from unittest import TestCase
from uuid import uuid4

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from acumatica_b2b.protocols import Commit, LogKey, SyncLogStore
from acumatica_b2b.testing.contract.broken import BrokenContractError

_NAMES: Final = ("a", "a%", "a*b", "a/1", "a/10", "a/2", "a_b", "aXb", "A/1", " ", "~")
_KEYS: Final = st.sampled_from([LogKey(name) for name in _NAMES])
_PREFIXES: Final = st.sampled_from(["", "a", "a/", "a/1", "a%", "a_", "a*", "[a]", "A", "ab"])
_COMMITS: Final = st.builds(
    Commit,
    key=_KEYS,
    version=st.integers(1, 12),
    body=st.text("ä'x\n\U0001f600", min_size=1, max_size=3),
    snapshot=st.booleans(),
)


class StoreMachine(RuleBasedStateMachine):
    """A store of yours against the plainest thing that obeys the protocol: a dict of what was kept.

    `store_machine` makes a test of it. Who needs more subclasses it, and says how to open a log, how to
    open it once more and how to close it; `TestMyStore = MyMachine.TestCase` is the test then. The log need
    not be empty: its keys are unique. An async store goes through a `PlainStoreOf`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[tuple[LogKey, int], Commit] = {}
        self.root = f"machine-{uuid4().hex}/"
        self.store: Any = self.opened()

    def opened(self) -> SyncLogStore:
        """Return the store that is tried."""
        raise NotImplementedError

    def reopened(self, store: Any) -> SyncLogStore:
        """Return the store in the place of which the log goes on; the same one where it can't be opened again."""
        same: SyncLogStore = store
        return same

    def closed(self, store: Any) -> None:
        """Do what you like with the store when the machine stops."""

    @rule(commits=st.lists(_COMMITS, max_size=5))
    def append(self, commits: Sequence[Commit]) -> None:
        """Append: a commit is kept if and only if its key and version are free, each by itself."""
        wave = [evolve(commit, key=self.key(commit.key)) for commit in commits]
        expected: list[bool] = []
        for commit in wave:
            expected.append((commit.key, commit.version) not in self.model)
            self.model.setdefault((commit.key, commit.version), commit)
        _agree(f"append({wave})", expected, list(self.store.append(wave)))

    @rule(names=st.lists(_KEYS, max_size=4))
    def load(self, names: Sequence[str]) -> None:
        """Load: each asked key's commits come by version, from its last snapshot on or from an earlier one."""
        keys = [self.key(name) for name in names]
        logs = [list(log) for log in self.store.load(keys)]
        _agree(f"how many logs load({keys}) gives", len(keys), len(logs))
        for key, found in zip(keys, logs, strict=True):
            whole = self.whole(key)
            most = max(self.needed(key), min(len(found), len(whole)))
            _agree(f"the log of {key!r}", whole[len(whole) - most :], found)

    @rule(prefix=_PREFIXES, after=st.none() | _KEYS, limit=st.integers(1, 5))
    def keys(self, prefix: str, after: LogKey | None, limit: int) -> None:
        """List: keys come in order, behind `after`, and a prefix means no more than it says."""
        begin, behind = self.key(prefix), None if after is None else self.key(after)
        known = sorted({key for key, _ in self.model})
        expected = [key for key in known if key.startswith(begin) and (behind is None or key > behind)][:limit]
        _agree(f"keys({begin!r}, {behind!r}, {limit})", expected, list(self.store.keys(begin, behind, limit)))

    @rule(name=_KEYS, before=st.integers(1, 13))
    def drop(self, name: str, before: int) -> None:
        """Drop: a key forgets its commits below a version, and no other key does."""
        key = self.key(name)
        self.store.drop(key, before)
        self.model = {(k, v): commit for (k, v), commit in self.model.items() if k != key or v >= before}

    @rule()
    def reopen(self) -> None:
        """Open the log once more: what was appended to one store, the next one finds."""
        self.store = self.reopened(self.store)

    def teardown(self) -> None:
        """Close the store."""
        self.closed(self.store)

    def key(self, name: str) -> LogKey:
        """Return a key of this machine."""
        return LogKey(self.root + name)

    def whole(self, key: LogKey) -> list[Commit]:
        """Return all that was kept of a key."""
        return [self.model[found] for found in sorted(self.model) if found[0] == key]

    def needed(self, key: LogKey) -> int:
        """Return how many commits of a key have to come at least: those from the last snapshot on."""
        mine = self.whole(key)
        return len(mine) - max((i for i, commit in enumerate(mine) if commit.snapshot), default=0)


def store_machine(make: Callable[[], SyncLogStore], *, examples: int = 50, steps: int = 30) -> type[TestCase]:
    """Return a test that asks anything in any order, each trial of a store of its own.

    Example::

        TestMyStoreUnderRandomSteps = store_machine(lambda: MyStore(DSN), examples=200)

    """

    class TriedStore(StoreMachine):
        def opened(self) -> SyncLogStore:
            return make()

    case: type[TestCase] = TriedStore.TestCase
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    case.settings = chosen  # type: ignore[attr-defined]  # hypothesis reads it there
    return case


def _agree(what: str, expected: object, found: object) -> None:
    if found != expected:
        raise BrokenContractError(f"{what}\n  it should be: {expected!r}\n  but it is:    {found!r}")
