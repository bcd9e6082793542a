"""An ERP in memory, for unit tests of this library and of its hosts.

Edits by people are methods of their own; they count neither as requests nor as writes.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar, assert_never

from attrs import define, evolve, field

from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    Company,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    NoteID,
    RecordKind,
    Reference,
)
from acumatica_b2b.protocols import (
    ChangedSince,
    Cursor,
    Everything,
    Page,
    PrimaryMarks,
    Query,
    Watermark,
)

R = TypeVar("R", Contact, Location)
A = TypeVar("A", Customer, Contact, Location)
U = TypeVar("U", Company, CompanyUser)

_BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)


def _nothing() -> None:
    """Do nothing."""


def _gone(reference: Reference) -> RejectedError:
    record = reference.record
    return RejectedError(Reason.GONE, f"there is no {record.kind.value} {record.id!r}")


@define(kw_only=True, eq=False)
class MemoryErp:
    """Customers with contacts and locations, read by pages and written to by commerce reference ID only.

    Every change moves a counter, which is the watermark and, as seconds, the stamp `modified` of the
    changed record. A deletion leaves no stamp, and `stamps_primary=False` lets the primary mark leave
    none either.
    """

    page_size: int = 100
    reference_length: int = 40
    cuts: bool = False
    """Cut a longer reference without a word instead of refusing it."""
    stamps_primary: bool = True
    on_write: Callable[[], None] = field(default=_nothing, repr=False)
    """Called after every single write that took effect."""
    requests: int = field(default=0, init=False)
    writes: int = field(default=0, init=False)
    _customers: dict[CustomerID, Customer] = field(factory=dict[CustomerID, Customer], init=False, repr=False)
    _unattached: dict[ContactID, Contact] = field(factory=dict[ContactID, Contact], init=False, repr=False)
    _whose: dict[ContactID, CustomerID | None] = field(
        factory=dict[ContactID, CustomerID | None], init=False, repr=False
    )
    _highest: int = field(default=0, init=False, repr=False)
    _ticks: int = field(default=0, init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)

    # ---- as the sync sees it
    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers in the order of their ids."""
        with self._lock:
            self.requests += 1
            began, _, behind = (after or f"{self._ticks} ").partition(" ")
            found = sorted(key for key, held in self._customers.items() if key > behind and _asked(query, held))
            page = found[: self.page_size]
            return Page(
                items=tuple(_shown(query, self._customers[key]) for key in page),
                strays=self._strays(query),
                next=Cursor(f"{began} {page[-1]}") if len(found) > len(page) else None,
                watermark=Watermark(began),
            )

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        with self._lock:
            self.requests += 1
            return [Ok(self._customers.get(key)) for key in ids]

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now."""
        with self._lock:
            self.requests += 1
            return [Ok(self._contact(key)) for key in ids]

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else."""
        with self._lock:
            self.requests += 1
            return [self._written(reference) for reference in references]

    # ---- as people edit it
    def snapshot(self) -> dict[CustomerID, Customer]:
        """Return every customer as it is now."""
        with self._lock:
            return dict(self._customers)

    def next_contact_id(self) -> ContactID:
        """Return an id that no contact here ever had."""
        with self._lock:
            return ContactID(str(self._highest + 1))

    def put(self, *customers: Customer) -> None:
        """Add or replace customers whole, with the contacts and locations they have here."""
        with self._lock:
            self._ticks += 1
            for customer in customers:
                self._put(customer)

    def put_contact(self, customer_id: CustomerID, contact: Contact) -> None:
        """Add a contact to a customer, or replace it there."""
        with self._lock:
            customer = self._customers[customer_id]
            kept = {held.id: held for held in customer.contacts} | {contact.id: contact}
            self.put(evolve(customer, contacts=tuple(kept.values())))

    def remove_contact(self, contact_id: ContactID) -> None:
        """Delete a contact; who named it as primary goes on to."""
        with self._lock:
            owner = self._whose.pop(contact_id)
            if owner is None:
                del self._unattached[contact_id]
                return
            customer = self._customers[owner]
            kept = tuple(contact for contact in customer.contacts if contact.id != contact_id)
            self._customers[owner] = evolve(customer, contacts=kept)

    def move_contact(self, contact_id: ContactID, to_customer: CustomerID | None) -> None:
        """Attach a contact to another customer, or to none."""
        with self._lock:
            contact = self._contact(contact_id)
            if contact is None or (to_customer is not None and to_customer not in self._customers):
                raise KeyError(contact_id if contact is None else to_customer)
            self.remove_contact(contact_id)
            if to_customer is not None:
                self.put_contact(to_customer, contact)
                return
            self._ticks += 1
            self._whose[contact_id] = None
            self._unattached[contact_id] = evolve(contact, customer=None, modified=self._now())

    def set_primary(self, customer_id: CustomerID, contact_id: ContactID | None) -> None:
        """Make a contact the customer's primary one, or nobody."""
        with self._lock:
            customer = evolve(self._customers[customer_id], primary_contact=contact_id)
            if self.stamps_primary:
                self.put(customer)
            else:
                self._customers[customer_id] = customer

    def remove_customer(self, customer_id: CustomerID) -> None:
        """Delete a customer; its contacts stay, attached to none."""
        with self._lock:
            for contact in self._customers[customer_id].contacts:
                self.move_contact(contact.id, None)
            del self._customers[customer_id]

    # ---- inside
    def _now(self) -> datetime:
        return _BEGINNING + timedelta(seconds=self._ticks)

    def _strays(self, query: Query) -> tuple[ContactID, ...]:
        """Return the contacts that changed and are no customer's."""
        if not isinstance(query, ChangedSince):
            return ()
        since = _moment(query.watermark)
        return tuple(key for key, held in sorted(self._unattached.items()) if held.modified and held.modified > since)

    def _contact(self, key: ContactID) -> Contact | None:
        owner = self._whose.get(key)
        if owner is None:
            return self._unattached.get(key)
        return next(contact for contact in self._customers[owner].contacts if contact.id == key)

    def _put(self, new: Customer) -> None:
        for contact in new.contacts:
            if self._whose.get(contact.id, new.id) != new.id:
                message = f"contact {contact.id!r} is not of customer {new.id!r}; move it with move_contact"
                raise ValueError(message)
        old = self._customers.get(new.id)
        held = old or evolve(new, contacts=(), locations=())
        contacts = tuple(evolve(contact, customer=new.id) for contact in new.contacts)
        new = evolve(
            new,
            contacts=self._stamped(held.contacts, contacts),
            locations=self._stamped(held.locations, new.locations),
            modified=held.modified,
        )
        if old is None or evolve(new, contacts=old.contacts, locations=old.locations) != old:
            new = evolve(new, modified=self._now())
        for contact in held.contacts:
            del self._whose[contact.id]
        for contact in new.contacts:
            self._whose[contact.id] = new.id
            self._highest = max(self._highest, int(contact.id) if contact.id.isdecimal() else 0)
        self._customers[new.id] = new

    def _stamped(self, old: Sequence[R], new: Sequence[R]) -> tuple[R, ...]:
        """Return the new records, stamped where they differ from the old."""
        held = {record.id: record for record in old}
        return tuple(
            record
            if record.id in held and evolve(record, modified=held[record.id].modified) == held[record.id]
            else evolve(record, modified=self._now())
            for record in new
        )

    def _written(self, reference: Reference) -> Outcome[None]:
        value = reference.value
        if len(value) > self.reference_length:
            if not self.cuts:
                message = f"the reference of {reference.record} has {len(value)} of {self.reference_length} characters"
                return Failed(RejectedError(Reason.INVALID, message))
            value = value[: self.reference_length]
        try:
            self._refer(reference, value)
        except RejectedError as error:
            return Failed(error)
        self.writes += 1
        self.on_write()
        return Ok(None)

    def _refer(self, reference: Reference, value: str) -> None:
        record, owner = reference.record, reference.customer
        if record.kind is RecordKind.CONTACT:
            contact = self._contact(ContactID(record.id))
            if contact is not None and contact.customer is None:
                self._ticks += 1
                (written,) = self._stamped((contact,), _referring((contact,), reference, value))
                self._unattached[contact.id] = written
                return
            owner = contact.customer if contact is not None and contact.customer else owner
        customer = self._customers.get(owner)
        if customer is None:
            raise _gone(reference)
        self.put(_with_reference(customer, reference, value))


def _moment(watermark: Watermark) -> datetime:
    return _BEGINNING + timedelta(seconds=int(watermark))


def _asked(query: Query, customer: Customer) -> bool:
    match query:
        case Everything() | PrimaryMarks():
            return True
        case ChangedSince(watermark=watermark):
            since = _moment(watermark)
            contacts, locations = customer.contacts, customer.locations
            stamps = (customer.modified, *(c.modified for c in contacts), *(place.modified for place in locations))
            return any(stamp is not None and stamp > since for stamp in stamps)
        case _:
            assert_never(query)


def _shown(query: Query, customer: Customer) -> Customer:
    match query:
        case Everything():
            return customer
        case ChangedSince(watermark=watermark, locations=wanted):
            since = _moment(watermark)
            stamps = (customer.modified, *(place.modified for place in customer.locations))
            more = any(stamp is not None and stamp > since for stamp in stamps)
            return customer if wanted or more else evolve(customer, locations=(), locations_read=False)
        case PrimaryMarks():
            marked = customer.primary_contact
            return Customer(id=customer.id, note_id=NoteID(""), name="", primary_contact=marked, complete=False)
        case _:
            assert_never(query)


def _with_reference(customer: Customer, reference: Reference, value: str) -> Customer:
    match reference.record.kind:
        case RecordKind.CUSTOMER:
            (written,) = _referring((customer,), reference, value)
            return written
        case RecordKind.CONTACT:
            return evolve(customer, contacts=_referring(customer.contacts, reference, value))
        case RecordKind.LOCATION:
            return evolve(customer, locations=_referring(customer.locations, reference, value))
        case _:
            assert_never(reference.record.kind)


def _referring(records: Sequence[A], reference: Reference, value: str) -> tuple[A, ...]:
    """Return the records with a reference set on the one that is meant, which has to be there."""
    if (reference.record.id, reference.note_id) not in {(record.id, record.note_id) for record in records}:
        raise _gone(reference)
    return tuple(evolve(record, reference=value) if record.id == reference.record.id else record for record in records)
