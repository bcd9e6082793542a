"""The sync log in memory: for tests, and for looking at a plan that leaves no trace."""

from collections.abc import Sequence
from threading import Lock

from attrs import define, field

from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores.shape import require_commits, require_keys


@define(eq=False)
class MemoryStore:
    """A sync log that is gone with its process; threads may share it.

    >>> store = MemoryStore()
    >>> first = Commit(key=LogKey("shop/run"), version=1, body="{}")
    >>> store.append([first, first])
    [True, False]
    """

    _logs: dict[LogKey, dict[int, Commit]] = field(factory=dict[LogKey, dict[int, Commit]], init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version, from its last snapshot on."""
        require_keys(keys)
        with self._lock:
            return [self._log(key) for key in keys]

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit True: kept; or False: its version is taken."""
        require_commits(commits)
        with self._lock:
            return [self._keep(commit) for commit in commits]

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`, in order, behind `after`."""
        with self._lock:
            found = [key for key in self._logs if key.startswith(prefix) and key > (after or "")]
        return sorted(found)[:limit]

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`."""
        require_keys([key])
        with self._lock:
            kept = {version: commit for version, commit in self._logs.pop(key, {}).items() if version >= before}
            if kept:
                self._logs[key] = kept

    def _keep(self, commit: Commit) -> bool:
        log = self._logs.setdefault(commit.key, {})
        free = commit.version not in log
        if free:
            log[commit.version] = commit
        return free

    def _log(self, key: LogKey) -> tuple[Commit, ...]:
        commits = self._logs.get(key, {})
        start = max((version for version, commit in commits.items() if commit.snapshot), default=0)
        return tuple(commits[version] for version in sorted(commits) if version >= start)
