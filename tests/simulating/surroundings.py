"""What a life is surrounded by: a clock, a store that is looked at, a policy drawn by a die."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from attrs import define, field

from acumatica_b2b import SyncPolicy
from acumatica_b2b.policy import FirstAdmin, Limits, ProtectedLeaver, TakeBack
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import MemoryStore

SUSPENDED = "Suspended"


Due: TypeAlias = tuple[datetime, int, Callable[[], None]]
"""When something is to happen, in which order, and what."""


@define(eq=False)
class Clock:
    """A clock that the simulation moves; what is due on the way happens at its own time."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)
    _due: list[Due] = field(factory=list[Due], init=False)
    _count: Iterator[int] = field(factory=count, init=False)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        until = self.time + timedelta(seconds=seconds)
        while self._due and self._due[0][0] <= until:
            at, _, do = heappop(self._due)
            self.time = max(at, self.time)
            do()
        self.time = max(until, self.time) if seconds >= 0 else until

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen after some time."""
        heappush(self._due, (self.time + timedelta(seconds=seconds), next(self._count), do))


@define(eq=False)
class Noted:
    """A store that writes every commit into the trace."""

    store: MemoryStore
    tell: Callable[[str], None]

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return the commits of each key."""
        return self.store.load(keys)

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store the commits."""
        stored = self.store.append(commits)
        for commit, kept in zip(commits, stored, strict=True):
            self.tell(f"  log: {commit.key} {commit.version} {kept} {commit.body}")
        return stored

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return keys."""
        return self.store.keys(prefix, after, limit)

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits."""
        self.store.drop(key, before)


def a_policy(die: random.Random) -> SyncPolicy:
    """Return a policy that the die decides."""
    suspends = die.random() < 0.3
    return SyncPolicy(
        take_back=die.choice((TakeBack.OURS, TakeBack.OURS, TakeBack.LINKED, TakeBack.ALL)),
        role_is_ours=die.random() < 0.2,
        first_admin=die.choice((FirstAdmin.PRIMARY_ONLY, FirstAdmin.LOWEST_CONTACT)),
        protected_leaver=ProtectedLeaver.SUSPEND if suspends else ProtectedLeaver.KEEP,
        suspended_role=SUSPENDED if suspends else "",
        parking_domain=die.choice(("", "", "parked.example")),
        adopt_companies=die.random() < 0.4,
        recreate_deleted=die.random() < 0.2,
        limits=die.choice((Limits(), Limits(), Limits(removals=2, hand_overs=2, email_changes=2, adoptions=1))),
        snapshot_every=die.choice((2, 3, 20)),
    )
