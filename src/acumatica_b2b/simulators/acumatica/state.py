"""The tables of a simulated tenant: records by key, by NoteID and by customer."""

import string
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

from attrs import define, field

from acumatica_b2b.simulators.acumatica.defaults import DEFAULTS
from acumatica_b2b.simulators.acumatica.rows import CustomValue
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION

Value: TypeAlias = str | int | bool | Decimal | datetime | None
Key: TypeAlias = Any
"""A ContactID, a collated CustomerID, or the collated pair of customer and LocationID."""

_NAMESPACE: Final = UUID("b6a1c2f0-7d35-4f51-9a55-5a0f6f0f6e01")
_PUNCTUATION: Final = {ord(char): place for place, char in enumerate(" " + string.punctuation, 1)}

PARENT: Final[Mapping[str, str]] = {CONTACT: "BusinessAccount", CUSTOMER: "CustomerID", LOCATION: "Customer"}
"""The field that names a record's customer."""


def collate(text: str) -> str:
    """Return what texts are compared and ordered by: without case and trailing blanks, punctuation first.

    >>> sorted(["b", "A_2", "a1", "B "], key=collate)
    ['A_2', 'a1', 'b', 'B ']
    """
    return text.rstrip().casefold().translate(_PUNCTUATION)


def database_time(moment: datetime) -> datetime:
    """Return a moment as SQL Server keeps it: in UTC, to the nearest 1/300 of a second, shown in milliseconds."""
    moment = moment.astimezone(UTC)
    ticks = round(moment.microsecond * 300 / 1_000_000)
    return moment.replace(microsecond=0) + timedelta(milliseconds=round(ticks * 10 / 3))


def note_id_of(*parts: object) -> str:
    """Return a GUID made from the parts, always the same one."""
    return str(uuid5(_NAMESPACE, "/".join(str(part) for part in parts)))


@define(kw_only=True, eq=False)
class Record:
    """One record. `values` holds what was set, by path; an address is `Address/City` and so on."""

    entity: str
    key: Key
    note_id: str
    values: dict[str, Value] = field(factory=dict[str, Value])
    custom: dict[str, CustomValue] = field(factory=dict[str, CustomValue])
    attributes: dict[str, str] = field(factory=dict[str, str])

    def get(self, path: str) -> Value:
        """Return the value at a path, else the screen's default."""
        return self.values.get(path, DEFAULTS[self.entity].get(path))


@define
class Table:
    """The records of one entity, in the order of their keys."""

    entity: str
    records: dict[Key, Record] = field(factory=dict[Key, Record])
    notes: dict[str, Record] = field(factory=dict[str, Record])
    families: dict[str, set[Key]] = field(factory=dict[str, set[Key]])
    """The keys of the records of one customer, by its collated id."""
    _order: list[Key] | None = field(default=None, init=False)

    @property
    def order(self) -> Sequence[Key]:
        """All keys, ascending."""
        if self._order is None:
            self._order = sorted(self.records)
        return self._order

    def add(self, record: Record) -> None:
        """Put a record in, in the place of the one with its key."""
        old = self.records.get(record.key)
        if old is not None:
            del self.notes[old.note_id]
            self._leave(old)
        elif self._order and record.key > self._order[-1]:
            self._order.append(record.key)
        else:
            self._order = None
        self.records[record.key] = record
        self.notes[record.note_id] = record
        self.families.setdefault(self._family(record), set()).add(record.key)

    def discard(self, key: Key) -> None:
        """Take a record out, if it is there."""
        record = self.records.pop(key, None)
        if record is not None:
            self._order = None
            del self.notes[record.note_id]
            self._leave(record)

    def change(self, record: Record, changes: Mapping[str, Value]) -> None:
        """Set values, keeping the index by customer."""
        self._leave(record)
        record.values.update(changes)
        self.families.setdefault(self._family(record), set()).add(record.key)

    def of(self, customer: str) -> list[Record]:
        """Return the records of one customer in the order of their keys."""
        return [self.records[key] for key in sorted(self.families.get(collate(customer), ()))]

    def _family(self, record: Record) -> str:
        return collate(str(record.get(PARENT[self.entity]) or ""))

    def _leave(self, record: Record) -> None:
        family = self.families[self._family(record)]
        family.discard(record.key)
        if not family:
            del self.families[self._family(record)]

    # -------------------------------------------------------------- narrowing a search
    def narrow(self, name: str, operator: str, value: object) -> set[Key] | None:
        """Return the keys that a comparison leaves; None where no index knows."""
        if operator == "ne":
            return None
        if self.entity == CONTACT and name == "ContactID" and isinstance(value, int):
            return set(self._range(operator, value))
        if name == PARENT[self.entity] and isinstance(value, str):
            return self._of_families(operator, collate(value))
        return None

    def _range(self, operator: str, value: int) -> Iterable[Key]:
        low, high = bisect_left(self.order, value), bisect_right(self.order, value)
        parts = {"eq": (low, high), "gt": (high, None), "ge": (low, None), "lt": (0, low), "le": (0, high)}
        return self.order[slice(*parts[operator])]

    def _of_families(self, operator: str, value: str) -> set[Key]:
        if operator == "eq":
            return set(self.families.get(value, ()))
        fits = COMPARISONS[operator]
        return {key for family, keys in self.families.items() if family and fits(family, value) for key in keys}


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}


@define
class State:
    """All records of a tenant, with those contacts that were deleted."""

    customers: Table = field(factory=lambda: Table(CUSTOMER))
    contacts: Table = field(factory=lambda: Table(CONTACT))
    locations: Table = field(factory=lambda: Table(LOCATION))
    deleted: dict[int, Record] = field(factory=dict[int, Record])
    """Deleted contacts: a customer's primary may still be one of them."""
    last_contact: int = 100_000
    last_account: int = 6_000

    def table(self, entity: str) -> Table:
        """Return the table of an entity."""
        return {CUSTOMER: self.customers, CONTACT: self.contacts, LOCATION: self.locations}[entity]

    def customer(self, customer: str) -> Record | None:
        """Return a customer by its id, whatever its case."""
        return self.customers.records.get(collate(customer))

    def primary(self, customer: Record) -> Record | None:
        """Return the contact that a customer names as primary, even a deleted one."""
        number = customer.values.get("PrimaryContactID")
        found = self.contacts.records.get(number)
        return found or self.deleted.get(number if isinstance(number, int) else 0)

    def read(self, record: Record, path: str) -> Value:
        """Return the value at a path, followed into what belongs to other records."""
        head, _, rest = path.partition("/")
        if rest and record.entity == CUSTOMER:
            if head == "PrimaryContact":
                primary = self.primary(record)
                return None if primary is None else self.read(primary, rest)
            kind = "Address" if rest.startswith("Address/") else "Contact"
            if head in ("BillingContact", "ShippingContact") and not record.get(f"{head[:-7]}{kind}Override"):
                return self.read(record, f"MainContact/{rest}")
        composed = _COMPOSED.get((record.entity, path))
        return composed(record) if composed else record.get(path)

    def reader(self, entity: str, path: str) -> Callable[[Record], Value]:
        """Return `read` for one path, with all that can be decided beforehand decided."""
        if "/" in path and entity == CUSTOMER:
            return lambda record: self.read(record, path)
        default = DEFAULTS[entity].get(path)
        return _COMPOSED.get((entity, path)) or (lambda record: record.values.get(path, default))


def _display_name(record: Record) -> Value:
    return " ".join(str(part) for name in ("FirstName", "LastName") if (part := record.get(name)))


def _status(record: Record) -> Value:
    return "Active" if record.get("Active") else "Inactive"


def _company_name(record: Record) -> Value:
    return record.get("MainContact/FullName") or record.get("CustomerName")


_COMPOSED: Final[Mapping[tuple[str, str], Callable[[Record], Value]]] = {
    (CONTACT, "DisplayName"): _display_name,
    (CONTACT, "Status"): _status,
    (LOCATION, "Status"): _status,
    (CUSTOMER, "Email"): lambda record: record.get("MainContact/Email"),
    (CUSTOMER, "MainContact/DisplayName"): _company_name,
    (CUSTOMER, "MainContact/CompanyName"): _company_name,
    (CUSTOMER, "MainContact/FullName"): _company_name,
    **{(entity, "NoteID"): lambda record: record.note_id for entity in (CONTACT, CUSTOMER, LOCATION)},
}
