"""The tables of a simulated tenant: records by key, by NoteID, by customer and by stamp."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeAlias

from attrs import define, field

from acumatica_b2b.simulators.acumatica.collation import Collation
from acumatica_b2b.simulators.acumatica.defaults import DEFAULTS
from acumatica_b2b.simulators.acumatica.index import FAMILY, KEY, STAMP, Axis, Box, Column
from acumatica_b2b.simulators.acumatica.rows import CustomValue, DetailRow
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION

Value: TypeAlias = str | int | bool | Decimal | datetime | None
Key: TypeAlias = Any
"""A ContactID, a collated CustomerID, or the collated pair of customer and LocationID."""

PARENT: Final[Mapping[str, str]] = {CONTACT: "BusinessAccount", CUSTOMER: "CustomerID", LOCATION: "Customer"}
"""The field that names a record's customer."""

_STAMP_FIELD: Final = "LastModifiedDateTime"


@define(kw_only=True, eq=False)
class Record:
    """One record. `values` holds what was set, by path; an address is `Address/City` and so on."""

    entity: str
    key: Key
    note_id: str
    values: dict[str, Value] = field(factory=dict[str, Value])
    custom: dict[str, CustomValue] = field(factory=dict[str, CustomValue])
    attributes: dict[str, str] = field(factory=dict[str, str])
    details: dict[str, tuple[DetailRow, ...]] = field(factory=dict[str, tuple[DetailRow, ...]])

    def get(self, path: str) -> Value:
        """Return the value at a path, else the screen's default."""
        return self.values.get(path, DEFAULTS[self.entity].get(path))


@define
class Table:
    """The records of one entity, in the order of their keys."""

    entity: str
    collation: Collation = Collation.CASE_INSENSITIVE
    records: dict[Key, Record] = field(factory=dict[Key, Record], init=False)
    notes: dict[str, Record] = field(factory=dict[str, Record], init=False)
    families: dict[str, set[Key]] = field(factory=dict[str, set[Key]], init=False)
    """The keys of the records of one customer, by its collated id."""
    _columns: Mapping[Axis, Column] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._columns = {
            KEY: Column(lambda: self.records),
            FAMILY: Column(lambda: self.families),
            STAMP: Column(lambda: map(_stamped, self.records.values())),
        }

    @property
    def order(self) -> Sequence[Key]:
        """All keys, ascending."""
        return self._columns[KEY].items

    def add(self, record: Record) -> None:
        """Put a record in, in the place of the one with its key."""
        old = self.records.get(record.key)
        if old is None:
            self._columns[KEY].add(record.key)
        else:
            del self.notes[old.note_id]
            self._leave(old)
        self.records[record.key] = record
        self.notes[record.note_id] = record
        self._enter(record)

    def discard(self, key: Key) -> None:
        """Take a record out, if it is there."""
        record = self.records.pop(key, None)
        if record is not None:
            self._columns[KEY].drop(key)
            del self.notes[record.note_id]
            self._leave(record)

    def change(self, record: Record, changes: Mapping[str, Value]) -> None:
        """Set values, keeping the indexes."""
        self._leave(record)
        record.values.update(changes)
        self._enter(record)

    def of(self, customer: str) -> list[Record]:
        """Return the records of one customer in the order of their keys."""
        return [self.records[key] for key in sorted(self.families.get(self.collation.key(customer), ()))]

    def _family(self, record: Record) -> str:
        return self.collation.key(str(record.get(PARENT[self.entity]) or ""))

    def _enter(self, record: Record) -> None:
        name = self._family(record)
        if name not in self.families:
            self.families[name] = set()
            self._columns[FAMILY].add(name)
        self.families[name].add(record.key)
        self._columns[STAMP].add(_stamped(record))

    def _leave(self, record: Record) -> None:
        name = self._family(record)
        self.families[name].discard(record.key)
        if not self.families[name]:
            del self.families[name]
            self._columns[FAMILY].drop(name)
        self._columns[STAMP].drop(_stamped(record))

    # -------------------------------------------------------------- narrowing a search
    def box(self, name: str, operator: str, value: object) -> Box | None:
        """Return where all records are for which a comparison holds; None where no index knows."""
        if operator == "ne":
            return None
        if name == _STAMP_FIELD and isinstance(value, datetime):
            return {STAMP: self._columns[STAMP].span(operator, value, itemgetter(0))}
        if self.entity == CONTACT and name == "ContactID" and isinstance(value, int):
            return {KEY: self._columns[KEY].span(operator, value)}
        if name == PARENT[self.entity] and isinstance(value, str):
            axis = FAMILY if self.entity == CONTACT else KEY
            column, wanted = self._columns[axis], self.collation.key(value)
            if self.entity == LOCATION:
                return {axis: column.span(operator, wanted, itemgetter(0))}
            return {axis: column.span(operator, wanted)}
        return None

    def walk(self, boxes: tuple[Box, ...] | None) -> Iterator[Record]:
        """Return the records in some boxes, and perhaps others, in the order of their keys; None: all."""
        return map(self.records.__getitem__, self.order if boxes is None else self._keys(boxes))

    def _keys(self, boxes: tuple[Box, ...]) -> Iterable[Key]:
        cheapest = [min(box.items(), key=self._cost) for box in boxes]
        if all(axis == KEY for axis, _ in cheapest):
            return map(self.order.__getitem__, chain.from_iterable(_apart([span for _, span in cheapest])))
        if sum(map(self._cost, cheapest)) > len(self.records):
            return self.order
        return sorted({key for axis, span in cheapest for key in self._of(axis, span)})

    def _cost(self, way: tuple[Axis, range]) -> float:
        axis, span = way
        if axis == FAMILY:
            return 2.0 * len(span) * len(self.records) / max(len(self.families), 1)
        return len(span) * (1.0 if axis == KEY else 2.0)

    def _of(self, axis: Axis, span: range) -> Iterable[Key]:
        items = self._columns[axis].items[span.start : span.stop]
        if axis == FAMILY:
            return chain.from_iterable(map(self.families.__getitem__, items))
        return (key for _, key in items) if axis == STAMP else items


def _stamped(record: Record) -> tuple[Value, Key]:
    return record.values.get(_STAMP_FIELD), record.key


def _apart(spans: list[range]) -> Iterator[range]:
    """Return the same places in order, each once."""
    end = 0
    for span in sorted(spans, key=lambda one: one.start):
        yield range(max(span.start, end), span.stop)
        end = max(end, span.stop)
