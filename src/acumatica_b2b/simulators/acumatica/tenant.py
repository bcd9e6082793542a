"""The records of a tenant as a test or a demonstration handles them, without HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import RLock
from typing import Self

from attrs import define, field

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
from acumatica_b2b.simulators.acumatica.state import Record, State, Value, collate, database_time
from acumatica_b2b.simulators.acumatica.writing import remove


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
    _state: State = field(factory=State, init=False, repr=False)
    _lock: RLock = field(factory=RLock, init=False, repr=False)

    def load(self, dataset: Dataset) -> Self:
        """Add all records of a data set."""
        with self._lock:
            now = self._time()
            for customer in dataset.customers:
                self._add_customer(customer, customer.modified or now)
            for contact in dataset.contacts:
                self._add_contact(contact, contact.modified or now)
            for location in dataset.locations:
                self._state.locations.add(location_record(location, modified=location.modified or now))
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
        with self._lock:
            self._add_customer(row, self._time())

    def put_contact(self, row: ContactRow) -> int:
        """Add a contact, or put it in the place of the one with its number; return the number."""
        with self._lock:
            return self._add_contact(row, self._time())

    def put_location(self, row: LocationRow) -> None:
        """Add a location, or put it in the place of the one with its customer and id."""
        with self._lock:
            self._state.locations.add(location_record(row, modified=self._time()))

    def set_primary(self, customer: CustomerID | str, contact: int | None) -> None:
        """Name a customer's primary contact; nothing is checked, so that odd states can be made.

        Raises:
            KeyError: there is no such customer.

        """
        with self._lock:
            changes: dict[str, Value] = {"PrimaryContactID": contact}
            if self.settings.primary_moves_stamp:
                changes["LastModifiedDateTime"] = self._time()
            self._state.customers.change(self._state.customers.records[collate(customer)], changes)

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
            remove(self._state, self._state.locations.records[collate(customer), collate(location)])

    def customer(self, customer: CustomerID | str) -> CustomerRow:
        """Return a customer as it is now; KeyError where there is none."""
        with self._lock:
            return customer_row(self._state.customers.records[collate(customer)])

    def contact(self, contact: int) -> ContactRow:
        """Return a contact as it is now; KeyError where there is none, or none any more."""
        with self._lock:
            return contact_row(self._state.contacts.records[contact])

    def location(self, customer: CustomerID | str, location: str) -> LocationRow:
        """Return a location as it is now; KeyError where there is none."""
        with self._lock:
            return location_row(self._state.locations.records[collate(customer), collate(location)])

    def contacts_of(self, customer: CustomerID | str) -> tuple[ContactRow, ...]:
        """Return the contacts of a customer, by number."""
        with self._lock:
            return tuple(map(contact_row, self._state.contacts.of(customer)))

    def locations_of(self, customer: CustomerID | str) -> tuple[LocationRow, ...]:
        """Return the locations of a customer, by id."""
        with self._lock:
            return tuple(map(location_row, self._state.locations.of(customer)))

    def _time(self) -> datetime:
        return database_time(self.now())

    def _add_customer(self, row: CustomerRow, modified: datetime) -> None:
        old = self._state.customer(row.id)
        number = old.get("BAccountID") if old is not None else None
        if not isinstance(number, int):
            self._state.last_account += 1
            number = self._state.last_account
        record = customer_record(row, number=number, modified=modified)
        self._state.customers.add(_with_history(record, old))

    def _add_contact(self, row: ContactRow, modified: datetime) -> int:
        number = self._state.last_contact + 1 if row.id is None else row.id
        self._state.last_contact = max(self._state.last_contact, number)
        record = contact_record(row, number=number, modified=modified)
        self._state.contacts.add(_with_history(record, self._state.contacts.records.get(number)))
        self._state.deleted.pop(number, None)
        return number


def _ordered(state: State, entity: str) -> list[Record]:
    table = state.table(entity)
    return [table.records[key] for key in table.order]


def _with_history(record: Record, old: Record | None) -> Record:
    if old is not None:
        record.values = old.values | record.values | {"CreatedDateTime": old.get("CreatedDateTime")}
        record.note_id = old.note_id
    return record
