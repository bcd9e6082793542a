"""The records of a tenant as a test or a demonstration handles them, without HTTP."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import RLock
from typing import Self, TypeAlias, assert_never

from attrs import Factory, define, evolve, field

from acumatica_b2b.model import CustomerID
from acumatica_b2b.simulators.acumatica.convert import (
    contact_record,
    contact_row,
    customer_record,
    customer_row,
    location_record,
    location_row,
)
from acumatica_b2b.simulators.acumatica.rows import ContactRow, CustomerRow, Dataset, LocationRow
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings
from acumatica_b2b.simulators.acumatica.state import State, database_time
from acumatica_b2b.simulators.acumatica.tables import Record, Value
from acumatica_b2b.simulators.acumatica.writing import remove

Row: TypeAlias = CustomerRow | ContactRow | LocationRow


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@define(kw_only=True)
class Tenant:
    """Customers, contacts and locations, put and read as plain rows.

    What is put has the current time as its stamp, whatever the row says; what is loaded keeps the
    stamp of its row.
    """

    settings: AcumaticaSettings = field(factory=AcumaticaSettings)
    now: Callable[[], datetime] = utc_now
    _state: State = field(
        default=Factory(lambda tenant: State(tenant.settings.collation), takes_self=True), init=False, repr=False
    )
    _lock: RLock = field(factory=RLock, init=False, repr=False)

    def load(self, dataset: Dataset) -> Self:
        """Add all records of a data set."""
        with self._lock:
            rows: tuple[Row, ...] = (*dataset.customers, *dataset.contacts, *dataset.locations)
            now = self._time()
            self._add((row, row.modified or now) for row in rows)
        return self

    def snapshot(self) -> Dataset:
        """Return all records as they are now, deleted contacts left out."""
        with self._lock:
            return Dataset(
                customers=tuple(map(customer_row, _ordered(self._state, "Customer"))),
                contacts=tuple(map(contact_row, _ordered(self._state, "Contact"))),
                locations=tuple(map(location_row, _ordered(self._state, "CustomerLocation"))),
            )

    def put_customer(self, row: CustomerRow) -> None:
        """Add a customer, or put it in the place of the one with its id."""
        self._add([self._stamped(row)])

    def put_contact(self, row: ContactRow) -> int:
        """Add a contact, or put it in the place of the one with its number; return the number."""
        numbered = self._numbered(row)
        self._add([self._stamped(numbered)])
        return numbered.id or 0

    def put_location(self, row: LocationRow) -> None:
        """Add a location, or put it in the place of the one with its customer and id."""
        self._add([self._stamped(row)])

    def begin(self) -> "Transaction":
        """Return changes that others will see at their commit, with the stamps of when they were made."""
        return Transaction(self._stamped, self._add)

    def set_primary(self, customer: CustomerID | str, contact: int | None) -> None:
        """Name a customer's primary contact; nothing is checked, so that odd states can be made.

        Raises:
            KeyError: there is no such customer.

        """
        with self._lock:
            changes: dict[str, Value] = {"PrimaryContactID": contact}
            if self.settings.primary_moves_stamp:
                changes["LastModifiedDateTime"] = self._time()
            self._state.customers.change(self._state.customers.records[self._state.collate(customer)], changes)

    def delete_contact(self, contact: int) -> None:
        """Delete a contact as the screen does: it vanishes from every answer.

        Raises:
            KeyError: there is no such contact.

        """
        with self._lock:
            remove(self._state, self._state.contacts.records[contact])

    def delete_location(self, customer: CustomerID | str, location: str) -> None:
        """Delete a location.

        Raises:
            KeyError: there is no such location.

        """
        with self._lock:
            remove(
                self._state, self._state.locations.records[self._state.collate(customer), self._state.collate(location)]
            )

    def customer(self, customer: CustomerID | str) -> CustomerRow:
        """Return a customer as it is now; KeyError where there is none."""
        with self._lock:
            return customer_row(self._state.customers.records[self._state.collate(customer)])

    def contact(self, contact: int) -> ContactRow:
        """Return a contact as it is now; KeyError where there is none, or none any more."""
        with self._lock:
            return contact_row(self._state.contacts.records[contact])

    def location(self, customer: CustomerID | str, location: str) -> LocationRow:
        """Return a location as it is now; KeyError where there is none."""
        with self._lock:
            return location_row(
                self._state.locations.records[self._state.collate(customer), self._state.collate(location)]
            )

    def contacts_of(self, customer: CustomerID | str) -> tuple[ContactRow, ...]:
        """Return the contacts of a customer, by number."""
        with self._lock:
            return tuple(map(contact_row, self._state.contacts.of(customer)))

    def locations_of(self, customer: CustomerID | str) -> tuple[LocationRow, ...]:
        """Return the locations of a customer, by id."""
        with self._lock:
            return tuple(map(location_row, self._state.locations.of(customer)))

    def _time(self) -> datetime:
        return database_time(self.now(), self.settings.fraction_digits)

    def _stamped(self, row: Row) -> tuple[Row, datetime]:
        """Return a row as it is written now: with a stamp and, a new contact, with its number."""
        return self._numbered(row) if isinstance(row, ContactRow) else row, self._time()

    def _numbered(self, row: ContactRow) -> ContactRow:
        if row.id is not None:
            return row
        with self._lock:
            self._state.last_contact += 1
            return evolve(row, id=self._state.last_contact)

    def _add(self, made: Iterable[tuple[Row, datetime]]) -> None:
        with self._lock:
            for row, modified in made:
                match row:
                    case CustomerRow():
                        self._add_customer(row, modified)
                    case ContactRow():
                        self._add_contact(row, modified)
                    case LocationRow():
                        self._state.locations.add(location_record(self._state, row, modified=modified))
                    case _:
                        assert_never(row)

    def _add_customer(self, row: CustomerRow, modified: datetime) -> None:
        old = self._state.customer(row.id)
        number = old.get("BAccountID") if old is not None else None
        if not isinstance(number, int):
            self._state.last_account += 1
            number = self._state.last_account
        record = customer_record(self._state, row, number=number, modified=modified)
        self._state.customers.add(_with_history(record, old))

    def _add_contact(self, row: ContactRow, modified: datetime) -> None:
        number = self._state.last_contact + 1 if row.id is None else row.id
        self._state.last_contact = max(self._state.last_contact, number)
        record = contact_record(row, number=number, modified=modified)
        self._state.contacts.add(_with_history(record, self._state.contacts.records.get(number)))
        self._state.deleted.pop(number, None)


@define
class Transaction:
    """Changes that were made and not committed: their stamps are earlier than they can be seen."""

    _stamped: Callable[[Row], tuple[Row, datetime]]
    _add: Callable[[Iterable[tuple[Row, datetime]]], None]
    _made: list[tuple[Row, datetime]] = field(factory=list[tuple[Row, datetime]], init=False)

    def put(self, row: Row) -> None:
        """Make a change now: add a record, or put it in the place of the one with its key."""
        self._made.append(self._stamped(row))

    def commit(self) -> None:
        """Let everybody see the changes."""
        self._add(self._made)
        self._made.clear()


def _ordered(state: State, entity: str) -> list[Record]:
    table = state.table(entity)
    return [table.records[key] for key in table.order]


def _with_history(record: Record, old: Record | None) -> Record:
    if old is not None:
        record.values = old.values | record.values | {"CreatedDateTime": old.get("CreatedDateTime")}
        record.note_id = old.note_id
    return record
