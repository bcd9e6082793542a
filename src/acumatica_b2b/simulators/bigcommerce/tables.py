"""Records by id, and which of them the lists show by now."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, ValuesView
from datetime import datetime, timedelta
from itertools import takewhile
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
    _written: dict[int, float] = field(factory=dict[int, float], init=False)
    """When each record was last written, the latest last."""
    _ascending: bool = field(default=True, init=False)
    """Whether that is so: somebody may set the clock back."""

    def __getitem__(self, key: int) -> R:
        return self._rows[key]

    def __setitem__(self, key: int, value: R) -> None:
        self._note(key)
        self._rows[key] = value
        self._wrote(key, value)

    def __delitem__(self, key: int) -> None:
        self._note(key)
        del self._rows[key], self._written[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(self._rows)

    def values(self) -> ValuesView[R]:
        """Return the records."""
        return self._rows.values()

    def listed(self, among: Iterable[int] | None = None) -> Mapping[int, R]:
        """Return the records as lists show them: what changed within the lag is still as it was.

        Of those `among` some, and perhaps of others; None: all.
        """
        former = {} if self.settled else {change.id: change.former for change in reversed(self._changes)}
        if not former and among is None:
            return self._rows
        rows = dict(self._rows) if among is None else {id_: self._rows[id_] for id_ in among if id_ in self._rows}
        for id_, record in former.items():
            if record is None:
                rows.pop(id_, None)
            else:
                rows[id_] = record
        return rows

    def written_since(self, stamp: int) -> Iterable[int]:
        """Return the ids of the records that were written at a stamp or later, and perhaps of others."""
        if not self._ascending:
            return self._rows
        return [id_ for id_, _ in takewhile(lambda item: item[1] >= stamp, reversed(self._written.items()))]

    @property
    def settled(self) -> bool:
        """Whether lists show the records as they are."""
        seen_by_all = self._now() - timedelta(seconds=self._lag())
        while self._changes and self._changes[0].at <= seen_by_all:
            self._changes.popleft()
        return not self._changes

    def _wrote(self, key: int, value: R) -> None:
        at = max(self._now().timestamp(), getattr(value, "updated_at", 0))
        self._ascending &= at >= next(reversed(self._written.values()), at)
        self._written.pop(key, None)
        self._written[key] = at

    def _note(self, key: int) -> None:
        if self._lag():
            self._changes.append(_Change(at=self._now(), id=key, former=self._rows.get(key)))
