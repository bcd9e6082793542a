"""The contract of a store has teeth: each broken store is caught, and by the check that is named for it."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from inspect import getmembers

import pytest
from attrs import define, evolve, field

from acumatica_b2b.protocols import Commit, LogKey, SyncLogStore
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing.contract.store import AsyncStoreContract, StoreContract
from acumatica_b2b.testing.contract.store_bench import PlainStoreOf, StoreBench, race_in_tasks


@define(eq=False)
class Plain:
    """A sound store: what the broken ones are made of. `disk` is what another process sees."""

    disk: dict[tuple[LogKey, int], Commit] = field(factory=dict[tuple[LogKey, int], Commit])

    def reopened(self) -> SyncLogStore | None:
        """Return what another process opens."""
        return type(self)(self.disk)

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return whole logs."""
        return [[self.disk[place] for place in self.places(key)] for key in keys]

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Keep the first of each key and version."""
        return [self.disk.setdefault((commit.key, commit.version), commit) is commit for commit in commits]

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys in order."""
        known = sorted({key for key, _ in [*self.disk]})
        return [key for key in known if key.startswith(prefix) and key > (after or "")][:limit]

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget what is below."""
        for place in self.places(key):
            if place[1] < before:
                del self.disk[place]

    def places(self, key: LogKey) -> list[tuple[LogKey, int]]:
        """Return where a log's commits are."""
        return sorted(place for place in [*self.disk] if place[0] == key)


class NotAtomic(Plain):
    """Looks first, and writes then."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [self.kept(commit) for commit in commits]

    def kept(self, commit: Commit) -> bool:
        """Keep one."""
        if free := (commit.key, commit.version) not in self.disk:
            time.sleep(0.0002)  # the way to the database and back
            self.disk[commit.key, commit.version] = commit
        return free


class RaisesInARace(Plain):
    """Lets a serialization failure out."""

    busy = 0

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        RaisesInARace.busy += 1
        try:
            time.sleep(0.0002)
            if RaisesInARace.busy > 1:
                raise InterruptedError("could not serialize access")
            return Plain.append(self, commits)
        finally:
            RaisesInARace.busy -= 1


class AllOrNothing(Plain):
    """One transaction, rolled back by a conflict."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        free = all((commit.key, commit.version) not in self.disk for commit in commits)
        return Plain.append(self, commits) if free else [False for _ in commits]


class RaisesOnConflict(Plain):
    """Lets the database's own error out."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        if not all(said := [*Plain.append(self, commits)]):
            raise KeyError("UNIQUE constraint failed")
        return said


class Overwrites(Plain):
    """An upsert that tells the truth."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        free = [(commit.key, commit.version) not in self.disk for commit in commits]
        self.disk.update({(commit.key, commit.version): commit for commit in commits})
        return free


class LooksOnce(Plain):
    """Looks which versions are free, and then takes them all."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        free = [(commit.key, commit.version) not in self.disk for commit in commits]
        Plain.append(self, commits)
        return free


class StopsAtAConflict(Plain):
    """Tells of all what it knows of, and stores what comes before the first that is taken."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        free = [(commit.key, commit.version) not in self.disk for commit in commits]
        Plain.append(self, commits[: free.index(False)] if False in free else commits)
        return free


class KeepsTheLast(Plain):
    """Tells the first that it won, and keeps the body of the last."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        said = Plain.append(self, commits)
        self.disk.update({(commit.key, commit.version): commit for commit in commits})
        return said


class KeepsAHundred(Plain):
    """Writes one batch of a hundred, and forgets the rest."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [*Plain.append(self, commits[:100]), *(True for _ in commits[100:])]


class SaysNo(Plain):
    """A count of rows that is always 0."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [False for _ in Plain.append(self, commits)]


class AlwaysTrue(Plain):
    """INSERT OR IGNORE, whose count nobody looks at."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [Plain.append(self, [commit]) is not None for commit in commits]


class TrueWhereItIsTheSame(Plain):
    """Takes a commit that is there already for its own."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [self.disk.setdefault((commit.key, commit.version), commit) == commit for commit in commits]


class WantsTheNextVersion(Plain):
    """Counts the commits of a log instead of looking whether the version is free."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [self.is_next(commit) and Plain.append(self, [commit])[0] for commit in commits]

    def is_next(self, commit: Commit) -> bool:
        """Tell whether a commit continues its log."""
        return commit.version == len(self.places(commit.key)) + 1


class OneVersion(Plain):
    """Keeps the last commit of a key: its version is no part of the primary key."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [self.replaced(commit) for commit in commits]

    def replaced(self, commit: Commit) -> bool:
        """Keep one, in the place of all others."""
        for place in self.places(commit.key):
            del self.disk[place]
        return Plain.append(self, [commit])[0]


class TextVersions(Plain):
    """Keeps versions as text."""

    def places(self, key: LogKey) -> list[tuple[LogKey, int]]:
        """Return places in the order of text."""
        return sorted(Plain.places(self, key), key=lambda place: str(place[1]))


class InTheOrderOfArrival(Plain):
    """Sorts by the time of writing."""

    def places(self, key: LogKey) -> list[tuple[LogKey, int]]:
        """Return places as they came."""
        return [place for place in [*self.disk] if place[0] == key]


class LikePrefix(Plain):
    """LIKE, with `_` and `%` at work."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        known = Plain.keys(self, "", after, 10_000)
        like = re.compile(re.escape(prefix).replace("%", ".*").replace("_", "."))
        return [key for key in known if like.match(key)][:limit]


class IgnoresThePrefix(Plain):
    """Gives all keys there are, another store's as well."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        return [LogKey("another/run"), *Plain.keys(self, prefix, after, limit)]


class AnywhereInTheKey(Plain):
    """`in` instead of startswith."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        part = prefix.rpartition("/")[2]
        return [key for key in Plain.keys(self, "", after, 10_000) if part in key][:limit]


class AfterIncluded(Plain):
    """`>=` instead of `>`."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        known = Plain.keys(self, prefix, None, 10_000)
        return [key for key in known if key >= (after or "")][:limit]


class Unordered(Plain):
    """No ORDER BY."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        known = dict.fromkeys(key for key, _ in self.disk)
        return [key for key in known if key.startswith(prefix) and key > (after or "")][:limit]


class OrderOfADictionary(Plain):
    """A collation that sorts as people do."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        return sorted(Plain.keys(self, prefix, after, 10_000), key=lambda key: (key.lower(), key))[:limit]


class OncePerCommit(Plain):
    """No DISTINCT."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        known = sorted(key for key, _ in self.disk)
        return [key for key in known if key.startswith(prefix) and key > (after or "")][:limit]


class Unlimited(Plain):
    """No LIMIT."""

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        return Plain.keys(self, prefix, after, max(limit, 10_000))


class Buffered(Plain):
    """Writes to the disk when it is closed."""

    def reopened(self) -> SyncLogStore | None:
        """Return what is on the disk."""
        return Plain()


@define(eq=False)
class DropsLater(Plain):
    """Drops in a transaction that is never committed."""

    dropped: dict[tuple[LogKey, int], Commit] = field(factory=dict[tuple[LogKey, int], Commit], init=False)

    def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""
        self.dropped.update({place: self.disk[place] for place in self.places(key)})
        Plain.drop(self, key, before)

    def reopened(self) -> SyncLogStore | None:
        """Return what is on the disk."""
        return Plain({**self.disk, **self.dropped})


class BehindTheSnapshot(Plain):
    """Begins one too late."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        logs = Plain.load(self, keys)
        starts = [max((i + 1 for i, commit in enumerate(log) if commit.snapshot), default=0) for log in logs]
        return [log[start:] for log, start in zip(logs, starts, strict=True)]


class OnlyTheSnapshot(Plain):
    """Gives the snapshot, and nothing of what came after it."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        logs = Plain.load(self, keys)
        return [[commit for commit in log if commit.snapshot][-1:] or log for log in logs]


class NoMarks(Plain):
    """Forgets which commits are snapshots."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        return [[evolve(commit, snapshot=False) for commit in log] for log in Plain.load(self, keys)]


class DropsIncluded(Plain):
    """`<=` instead of `<`."""

    def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""
        Plain.drop(self, key, before + 1)


class DropsNothing(Plain):
    """A drop that is never committed."""

    def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""


class DropsByPrefix(Plain):
    """Drops all that begin so."""

    def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""
        for other in {k for k, _ in self.disk if k.startswith(key)}:
            Plain.drop(self, other, before)


class CountsAfterADrop(Plain):
    """Begins to count anew when something was dropped."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [commit.version <= self.next(commit) and Plain.append(self, [commit])[0] for commit in commits]

    def next(self, commit: Commit) -> int:
        """Return which version may come at most."""
        log = self.places(commit.key)
        return len(log) + 1 if log and log[0][1] != 1 else commit.version


class DropsWholeLogs(Plain):
    """Drops a key, whatever the version."""

    def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""
        Plain.drop(self, key, max(before, 10_000))


class CutsBodies(Plain):
    """A column of 65,535 characters."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return Plain.append(self, [evolve(commit, body=commit.body[:65_535]) for commit in commits])


class Latin(Plain):
    """A character set that lacks most letters."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        ours = [evolve(commit, body=commit.body.encode("latin-1", "replace").decode("latin-1")) for commit in commits]
        return Plain.append(self, ours)


class Trims(Plain):
    """A column of fixed width."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return Plain.append(self, [evolve(commit, body=commit.body.strip()) for commit in commits])


class CaseInsensitive(Plain):
    """A collation that takes capitals for small letters."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        return Plain.load(self, [LogKey(key.lower()) for key in keys])

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return Plain.append(self, [evolve(commit, key=LogKey(commit.key.lower())) for commit in commits])


class ShortKeys(Plain):
    """A column of 200 characters."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return Plain.append(self, [evolve(commit, key=LogKey(commit.key[:200])) for commit in commits])


class LeavesOutTheUnknown(Plain):
    """Answers what it knows of."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        return [log for log in Plain.load(self, keys) if log]


class EachKeyOnce(Plain):
    """Answers in the order of the database, each key once."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        logs = Plain.load(self, sorted(set(keys)))
        return [*logs, *([] for _ in range(len(keys) - len(logs)))]


class FewParameters(Plain):
    """A database that takes 999 parameters in a statement."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        if len(keys) > 999:
            raise OverflowError("too many SQL variables")
        return Plain.load(self, keys)


class NothingIsTooLittle(Plain):
    """An IN () with nothing in it."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        if not keys:
            raise ValueError('syntax error at or near ")"')
        return Plain.load(self, keys)


class Generates(Plain):
    """Answers with a generator."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        return (log for log in Plain.load(self, keys))  # type: ignore[return-value]  # what is wrong with it


class Counts(Plain):
    """Answers with the numbers of rows."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        return [int(kept) for kept in Plain.append(self, commits)]  # type: ignore[misc]  # what is wrong with it


BROKEN: list[tuple[Callable[[], Plain], str]] = [
    (NotAtomic, "of_appends_that_race_one_wins"),
    (NotAtomic, "of_processes_that_race_one_wins"),
    (RaisesInARace, "of_appends_that_race_one_wins"),
    (AllOrNothing, "each_commit_of_a_wave_stands_alone"),
    (RaisesOnConflict, "a_taken_version_is_refused"),
    (Overwrites, "a_taken_version_is_refused"),
    (LooksOnce, "a_version_twice_in_one_append_is_taken_once"),
    (StopsAtAConflict, "each_commit_of_a_wave_stands_alone"),
    (KeepsTheLast, "of_appends_that_race_one_wins"),
    (KeepsAHundred, "many_commits_fit_into_one_append"),
    (SaysNo, "what_was_appended_is_loaded"),
    (IgnoresThePrefix, "a_prefix_means_what_it_says"),
    (AlwaysTrue, "a_taken_version_is_refused"),
    (TrueWhereItIsTheSame, "the_same_commit_is_refused_as_well"),
    (WantsTheNextVersion, "a_version_is_free_whatever_else_is_there"),
    (OneVersion, "what_was_appended_is_there_for_another_process"),
    (OneVersion, "a_taken_version_is_refused"),
    (TextVersions, "commits_come_by_version"),
    (InTheOrderOfArrival, "commits_come_by_version"),
    (LikePrefix, "a_prefix_means_what_it_says"),
    (AnywhereInTheKey, "a_prefix_means_what_it_says"),
    (AfterIncluded, "keys_go_on_behind_the_last_one"),
    (Unordered, "keys_come_in_order"),
    (OrderOfADictionary, "keys_come_in_order"),
    (OncePerCommit, "keys_come_in_order"),
    (Unlimited, "keys_are_limited"),
    (Buffered, "what_was_appended_is_there_for_another_process"),
    (DropsLater, "what_was_dropped_is_gone_for_another_process"),
    (BehindTheSnapshot, "a_load_begins_at_the_last_snapshot_or_before"),
    (OnlyTheSnapshot, "a_load_begins_at_the_last_snapshot_or_before"),
    (NoMarks, "a_load_begins_at_the_last_snapshot_or_before"),
    (DropsIncluded, "a_drop_forgets_what_is_below"),
    (DropsNothing, "a_drop_forgets_what_is_below"),
    (DropsNothing, "a_key_without_commits_vanishes"),
    (DropsByPrefix, "a_drop_leaves_other_keys_alone"),
    (CountsAfterADrop, "a_log_goes_on_after_a_drop"),
    (DropsWholeLogs, "a_drop_of_nothing_is_nothing"),
    (CutsBodies, "bodies_come_back_to_the_letter"),
    (Latin, "bodies_come_back_to_the_letter"),
    (Trims, "bodies_come_back_to_the_letter"),
    (CaseInsensitive, "keys_tell_upper_from_lower_case"),
    (ShortKeys, "long_keys_are_kept_apart"),
    (LeavesOutTheUnknown, "each_key_gets_its_own_log"),
    (EachKeyOnce, "each_key_gets_its_own_log"),
    (FewParameters, "many_commits_fit_into_one_append"),
    (NothingIsTooLittle, "an_append_of_nothing_is_nothing"),
    (Generates, "what_was_appended_is_loaded"),
    (Counts, "what_was_appended_is_loaded"),
]
CHECKS = {name.removeprefix("test_"): check for name, check in getmembers(StoreContract) if name.startswith("test_")}


def bench(store: SyncLogStore, reopened: Callable[[], SyncLogStore | None]) -> StoreBench:
    """Return a bench on which a store is tried."""
    return StoreBench(store, reopened)


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_a_broken_store_is_caught(broken: Callable[[], Plain], check: str) -> None:
    """The check that is named for what is wrong fails, and says what was done and what came of it."""
    store = broken()
    with pytest.raises(AssertionError) as caught:
        CHECKS[check](StoreContract(), bench(store, store.reopened))
    lines = str(caught.value).splitlines()
    assert [line[:13] for line in lines[1:]] == ["  it should: ", "  but:       ", "  therefore: ", "  look at:   "]


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_store_passes(check: str) -> None:
    """What all the broken stores are made of passes every check: what each was caught for is its own."""
    store = Plain()
    CHECKS[check](StoreContract(), bench(store, store.reopened))


def test_no_check_is_idle() -> None:
    """Each check catches some broken store."""
    assert CHECKS.keys() == {name for _, name in BROKEN}


@define(eq=False)
class AsyncNotAtomic:
    """An async store that looks first, and writes when it is its turn again."""

    inner: NotAtomic = field(factory=NotAtomic)

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return logs."""
        return self.inner.load(keys)

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Append."""
        free = [(commit.key, commit.version) not in self.inner.disk for commit in commits]
        await asyncio.sleep(0)
        self.inner.append([commit for commit, kept in zip(commits, free, strict=True) if kept])
        return free

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        return self.inner.keys(prefix, after, limit)

    async def drop(self, key: LogKey, before: int, /) -> None:
        """Drop."""
        self.inner.drop(key, before)


def test_a_store_that_is_not_atomic_in_tasks_is_caught() -> None:
    """Tasks of one loop race as well: who awaits something between looking and writing is caught."""
    store = AsyncNotAtomic()
    with asyncio.Runner() as runner:
        tried = StoreBench(PlainStoreOf(store, runner), lambda: None, race_in_tasks(runner))
        with pytest.raises(AssertionError, match=r"answer one of them True\n .*it told 4 so"):
            CHECKS["of_appends_that_race_one_wins"](AsyncStoreContract(), tried)


def test_what_can_not_be_opened_again_is_not_tried() -> None:
    """A store that nobody else can open skips the checks of durability, and tells why."""
    store = MemoryStore()
    with pytest.raises(pytest.skip.Exception, match="has no reopen"):
        CHECKS["what_was_appended_is_there_for_another_process"](StoreContract(), bench(store, lambda: None))


def test_the_first_check_is_that_what_was_appended_is_loaded() -> None:
    """Who is wrong in everything reads first that what was appended is not loaded."""
    order = [name for base in reversed(StoreContract.__mro__) for name in vars(base) if name.startswith("test_")]
    assert order[0] == "test_what_was_appended_is_loaded"
