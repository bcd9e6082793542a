"""The bench on which a store is tried: it appends, loads, races, and says what is wrong."""

from asyncio import Runner, gather
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Any, Final, TypeVar
from uuid import uuid4

import pytest
from attrs import define, evolve, field, frozen

from acumatica_b2b.protocols import AsyncSyncLogStore, Commit, LogKey, SyncLogStore
from acumatica_b2b.testing.contract.broken import Why, broken

T = TypeVar("T")
Race = Callable[[Sequence[SyncLogStore], Sequence[Sequence[Sequence[Commit]]]], list[list[bool]]]
"""For each store, what it said to the appends that it was given, all stores at once."""

_RAISED: Final = Why(
    "whatever a store raises ends the run, and the customers that were left have to wait for the next one",
    "the statement of this method; a taken version is an answer, no error",
)
_COUNT: Final = Why(
    "nobody can tell which answer is whose, and the run ends with an error that names this method",
    "what it does with keys and commits that it skips, joins or answers twice; a generator is no answer",
)
_TRUTH: Final = Why("the engine takes the answer for what it says", "it is True or False, as `cursor.rowcount == 1` is")


@frozen
class PlainStoreOf:
    """An async store as a `SyncLogStore`; each call runs to its end in the runner's loop."""

    store: AsyncSyncLogStore
    runner: Runner

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version."""
        return self.runner.run(awaited(self.store.load(keys)))

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit whether it is durable."""
        return self.runner.run(awaited(self.store.append(commits)))

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`."""
        return self.runner.run(awaited(self.store.keys(prefix, after, limit)))

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`."""
        self.runner.run(awaited(self.store.drop(key, before)))


async def awaited(answer: Awaitable[T]) -> T:
    """Return an answer; what can't be awaited fails here, inside the store's own call."""
    return await answer


# ------------------------------------------------------------------ races
def race_in_threads(stores: Sequence[SyncLogStore], appends: Sequence[Sequence[Sequence[Commit]]]) -> list[list[bool]]:
    """Return what each store said, each asked in a thread of its own, append by append."""
    start = Barrier(len(stores))

    def run(store: SyncLogStore, mine: Sequence[Sequence[Commit]]) -> list[bool]:
        answers: list[bool] = []
        try:
            for commits in mine:
                start.wait()
                answers += store.append(commits)
        except Exception:
            start.abort()  # the others would wait for ever
            raise
        return answers

    with ThreadPoolExecutor(len(stores)) as pool:
        racers = [pool.submit(run, store, mine) for store, mine in zip(stores, appends, strict=True)]
    failed = [error for racer in racers if (error := racer.exception())]
    for error in sorted(failed, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise _raised("append", "several callers appended to the same key at the same time", error) from error
    return [racer.result() for racer in racers]


def race_in_tasks(runner: Runner) -> Race:
    """Return the race of plain stores whose async ones are asked in tasks of one loop."""

    async def run(store: AsyncSyncLogStore, mine: Sequence[Sequence[Commit]]) -> list[bool]:
        return [said for commits in mine for said in await store.append(commits)]

    async def all_at_once(stores: Sequence[Any], appends: Sequence[Sequence[Sequence[Commit]]]) -> list[list[bool]]:
        return list(await gather(*(run(plain.store, mine) for plain, mine in zip(stores, appends, strict=True))))

    return lambda stores, appends: runner.run(all_at_once(stores, appends))


# ------------------------------------------------------------------ the bench
@define(eq=False)
class StoreBench:
    """One store under trial. Its keys are unique, so the store need not be empty."""

    store: SyncLogStore
    opened_again: Callable[[], SyncLogStore | None]
    """Opens the same log once more, as another process does; None where nobody else can."""
    race: Race = race_in_threads
    root: str = field(factory=lambda: f"contract-{uuid4().hex}/")

    def key(self, name: str = "customer/C1") -> LogKey:
        """Return a key of this trial."""
        return LogKey(self.root + name)

    def commit(self, version: int = 1, body: str = '{"schema":1}', name: str = "customer/C1") -> Commit:
        """Return a commit to be appended."""
        return Commit(key=self.key(name), version=version, body=body)

    def append(self, *commits: Commit) -> list[bool]:
        """Return what the store said to one append."""
        did = f"append was given {len(commits)} commits"
        said = _answers("append", did, lambda: self.store.append(commits), len(commits))
        for place, answer in enumerate(said):
            if answer is not True and answer is not False:
                but = f"answer number {place + 1} is {answer!r}"
                raise broken(did=did, should="say True or False of each", but=but, why=_TRUTH)
        return said

    def stored(self, *commits: Commit) -> None:
        """Append commits whose versions are free."""
        said = self.append(*commits)
        if False in said:
            place = said.index(False)
            commit = commits[place]
            raise broken(
                did=f"version {commit.version} was appended to {self.short(commit.key)}, where it was free",
                should="answer True",
                but="it answered False",
                why=Why("every run would leave the customer to another, and nobody would ever do it", "append"),
            )

    def load(self, *keys: LogKey) -> list[list[Commit]]:
        """Return the log of each key."""
        did = f"load was asked for {len(keys)} keys"
        logs = _answers("load", did, lambda: self.store.load(keys), len(keys))
        return [list(log) for log in logs]

    def log(self, name: str = "customer/C1") -> list[Commit]:
        """Return one log."""
        return self.load(self.key(name))[0]

    def keys(self, prefix: str = "", after: str | None = None, limit: int = 100) -> list[str]:
        """Return the names of some keys of this trial."""
        behind = None if after is None else self.key(after)
        found = _answers("keys", "keys was asked", lambda: self.store.keys(self.root + prefix, behind, limit), None)
        strange = [key for key in found if not key.startswith(self.root)]
        if strange:
            but = f"it gave {strange[0][:80]!r}"
            why = Why("a run would read the logs of another store", "the condition on the prefix")
            raise broken(did=f"keys({self.root + prefix!r}, …)", should="give keys that begin so", but=but, why=why)
        return [key.removeprefix(self.root) for key in found]

    def drop(self, before: int, name: str = "customer/C1") -> None:
        """Forget commits."""
        try:
            self.store.drop(self.key(name), before)
        except Exception as error:
            raise _raised("drop", f"drop(key, {before})", error) from error

    def other(self) -> SyncLogStore:
        """Return the same log as another process sees it; skip the check where nobody else can."""
        found = self.opened_again()
        if found is None:
            pytest.skip("the contract has no reopen(): this log is gone with its process")
        return found

    def again(self) -> "StoreBench":
        """Return the bench of the same log as another process sees it."""
        return evolve(self, store=self.other())

    def short(self, key: LogKey) -> str:
        """Return a key as it reads in a sentence."""
        return repr(key.removeprefix(self.root))

    def same(self, did: str, expected: Sequence[Commit], found: Sequence[Commit], why: Why) -> None:
        """Raise where a log is not what it should be."""
        if list(found) != list(expected):
            should, but = told(expected), told(found)
            raise broken(did=did, should=f"give {should}", but=f"it gave {but}", why=why)


def _raised(method: str, did: str, error: BaseException) -> AssertionError:
    but = f"it raised {type(error).__name__}: {error}"
    return broken(did=did, should="answer", but=but, why=Why(_RAISED.harm, f"{method}: {_RAISED.look}"))


def _answers(method: str, did: str, call: Callable[[], Sequence[T]], count: int | None) -> list[T]:
    try:
        found = call()
        number = len(found)
        answers = list(found)
    except Exception as error:
        raise _raised(method, did, error) from error
    if count is not None and number != count:
        why = Why(_COUNT.harm, f"{method}: {_COUNT.look}")
        raise broken(
            did=did, should=f"give {count} answers, in the order asked", but=f"it gave {len(answers)}", why=why
        )
    return answers


def told(commits: Sequence[Commit]) -> str:
    """Return commits as a sentence tells of them."""
    if not commits:
        return "nothing"
    shown = ", ".join(_told_one(commit) for commit in commits[:6])
    return shown if len(commits) <= 6 else f"{shown} and {len(commits) - 6} more"


def _told_one(commit: Commit) -> str:
    body = repr(commit.body) if len(commit.body) <= 60 else f"{commit.body[:40]!r}… ({len(commit.body)} characters)"
    return f"version {commit.version!r}{' (snapshot)' * bool(commit.snapshot)} {body}"
