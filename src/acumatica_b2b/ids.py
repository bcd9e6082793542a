"""Ids that were met, held in little: of a million customers or companies nothing else is kept in memory."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, TypeVar

from attrs import define, field

ID = TypeVar("ID", bound=str)

_PARTS: Final = 256
"""Marks are sorted part by part, so that sorting takes little as well."""


@define
class Census:
    """The customers that a reading listed, or other ids, at eight bytes each: a million of them is not much."""

    _parts: "list[array[int]]" = field(factory=lambda: [array("Q") for _ in range(_PARTS)], init=False, repr=False)
    _sorted: bool = field(default=True, init=False, repr=False)

    def count(self, ids: Iterable[str]) -> None:
        """Note that these were listed."""
        for mark in map(_mark, ids):
            self._parts[mark % _PARTS].append(mark)
            self._sorted = False

    def missing(self, ids: Iterable[ID]) -> list[ID]:
        """Return those of these that were not listed."""
        if not self._sorted:
            self._parts = [array("Q", sorted(part)) for part in self._parts]
            self._sorted = True
        return [one for one in ids if not self._has(_mark(one))]

    def _has(self, mark: int) -> bool:
        part = self._parts[mark % _PARTS]
        place = bisect_left(part, mark)
        return place < len(part) and part[place] == mark


def _mark(identifier: str) -> int:
    return int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest())
