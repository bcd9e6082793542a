"""Sorted columns of a table, and which of its records a filter may leave."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from attrs import define, field

Axis: TypeAlias = str
Box: TypeAlias = Mapping[Axis, range]
"""Ranges of places in sorted columns; a record in it is in each of them."""

KEY: Final = "key"
FAMILY: Final = "family"
STAMP: Final = "stamp"
_MOST_BOXES: Final = 500


def _itself(item: object) -> object:
    return item


@define
class Column:
    """Items in order: sorted when first asked for, kept so by every change from then on."""

    source: Callable[[], Iterable[Any]]
    _items: list[Any] | None = field(default=None, init=False)

    @property
    def items(self) -> list[Any]:
        """All items, ascending."""
        if self._items is None:
            self._items = sorted(self.source())
        return self._items

    def add(self, item: object) -> None:
        """Put an item in its place."""
        if self._items is not None:
            insort(self._items, item)

    def drop(self, item: object) -> None:
        """Take an item out."""
        if self._items is not None:
            del self._items[bisect_left(self._items, item)]

    def span(self, operator: str, value: Any, part: Callable[[Any], Any] = _itself) -> range:
        """Return the places of the items, or of their parts, for which a comparison with a value holds."""
        items: list[Any] = self.items
        low, high = bisect_left(items, value, key=part), bisect_right(items, value, key=part)
        spans = {"eq": (low, high), "gt": (high, None), "ge": (low, None), "lt": (0, low), "le": (0, high)}
        return range(len(items))[slice(*spans[operator])]


def both(left: tuple[Box, ...] | None, right: tuple[Box, ...] | None) -> tuple[Box, ...] | None:
    """Return boxes that hold all records of both sides; None knows nothing."""
    if left is None or right is None:
        return left if right is None else right
    if len(left) * len(right) > _MOST_BOXES:
        return left  # too many to tell apart: one side alone holds them too
    return tuple(_meet(one, two) for one in left for two in right)


def _meet(one: Box, two: Box) -> Box:
    return {axis: _common([box[axis] for box in (one, two) if axis in box]) for axis in (*one, *two)}


def _common(spans: list[range]) -> range:
    return range(max(span.start for span in spans), min(span.stop for span in spans))
