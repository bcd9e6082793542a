"""Records by id, and which of them the lists show by now."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping, ValuesView
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from attrs import define, field, frozen

R = TypeVar("R")


@frozen(kw_only=True)
class _Change(Generic[R]):
    """What a record was before it was written; None: it was not there."""

    at: datetime
    id: int
    former: R | None


@define(eq=False, repr=False)
class Table(MutableMapping[int, R]):
    """Records by id; a list may show them as they were a while ago (`listed`)."""

    _now: Callable[[], datetime]
    _lag: Callable[[], float]
    _rows: dict[int, R] = field(factory=dict[int, R], init=False)
    _changes: deque[_Change[R]] = field(factory=deque[_Change[R]], init=False)

    def __getitem__(self, key: int) -> R:
        return self._rows[key]

    def __setitem__(self, key: int, value: R) -> None:
        self._note(key)
        self._rows[key] = value

    def __delitem__(self, key: int) -> None:
        self._note(key)
        del self._rows[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(self._rows)

    def values(self) -> ValuesView[R]:
        """Return the records."""
        return self._rows.values()

    def listed(self) -> Mapping[int, R]:
        """Return the records as lists show them: what changed within the lag is still as it was."""
        if self.settled:
            return self._rows
        rows = dict(self._rows)
        for change in reversed(self._changes):
            if change.former is None:
                rows.pop(change.id, None)
            else:
                rows[change.id] = change.former
        return rows

    @property
    def settled(self) -> bool:
        """Whether lists show the records as they are."""
        seen_by_all = self._now() - timedelta(seconds=self._lag())
        while self._changes and self._changes[0].at <= seen_by_all:
            self._changes.popleft()
        return not self._changes

    def _note(self, key: int) -> None:
        if self._lag():
            self._changes.append(_Change(at=self._now(), id=key, former=self._rows.get(key)))
