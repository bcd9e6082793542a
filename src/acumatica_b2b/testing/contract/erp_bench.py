"""The bench on which an ERP is tried: it enters records, reads, and says what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar
from uuid import uuid4

from attrs import define, evolve, field, frozen

from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    NoteID,
    Record,
    RecordKind,
    Reference,
)
from acumatica_b2b.protocols import Clock, Cursor, Erp, Page, Query, Watermark
from acumatica_b2b.runtime import SystemClock
from acumatica_b2b.testing.contract.asking import answers
from acumatica_b2b.testing.contract.broken import Why, broken, differences
from acumatica_b2b.testing.contract.patience import until
from acumatica_b2b.testing.contract.shop_actions import told_error
from acumatica_b2b.testing.contract.tenant import Tenant

__tracebackhide__ = True  # pytest shows the check that failed, and not the way through here

K = TypeVar("K")
T = TypeVar("T")

_GONE: Final = Why(
    "the engine would take it for deleted, and its users for leavers",
    "customers and contacts: how one is found by its id",
)
_TWICE: Final = Why(
    "a customer would be synced twice in one run, side by side",
    "read: where each page begins, and how the list is sorted",
)
_NO_CUSTOMER: Final = CustomerID("NOSUCHONE")
_NO_CONTACT: Final = ContactID("999999999")
_ENDLESS: Final = Why("the run would never end", "read: Page.next is None on the last page")


def as_text(customer: CustomerID) -> str:
    """Return what ids are ordered by: their letters, without case."""
    return customer.casefold()


@frozen(kw_only=True)
class ErpTraits:
    """What a check has to know of an ERP.

    `order` is the key by which the ids of customers ascend. `references` are the kinds of records that
    have a field for the commerce reference ID. `patience` is for how many seconds a reading may not
    show yet what was entered.
    """

    many: int = 25
    """How many customers are entered to see whether all are read: more than a page has."""
    patience: float = 0.0
    pause: float = 0.5
    clock: Clock = field(factory=SystemClock, repr=False, eq=False)
    unknown_customer: CustomerID = _NO_CUSTOMER
    unknown_contact: ContactID = _NO_CONTACT
    references: frozenset[RecordKind] = frozenset(RecordKind)
    order: Callable[[CustomerID], str] = as_text
    domain: str = "contract.example"


@frozen(kw_only=True)
class Entered:
    """A customer that was entered, with the names of what belongs to it."""

    id: CustomerID
    name: str
    contacts: Mapping[ContactID, Mapping[str, object]]
    locations: Mapping[LocationID, str]

    @property
    def contact(self) -> ContactID:
        """The first contact."""
        return next(iter(self.contacts))

    @property
    def location(self) -> LocationID:
        """The first location."""
        return next(iter(self.locations))

    @property
    def view(self) -> dict[str, object]:
        """What it must show."""
        contacts = {key: dict(fields) for key, fields in self.contacts.items()}
        return {"name": self.name, "contacts": contacts, "locations": dict(self.locations), "complete": True}

    def with_contact(self, contact: ContactID, fields: Mapping[str, object]) -> dict[str, object]:
        """Return what it must show with one contact more, or another than it had."""
        return evolve(self, contacts={**self.contacts, contact: fields}).view


@frozen(kw_only=True)
class Reading:
    """All pages of a reading."""

    pages: tuple[Page[Customer], ...]

    @property
    def items(self) -> list[Customer]:
        """All customers, in the order in which they came."""
        return [customer for page in self.pages for customer in page.items]

    @property
    def by_id(self) -> dict[CustomerID, Customer]:
        """All customers by their ids."""
        return {customer.id: customer for customer in self.items}

    @property
    def watermark(self) -> Watermark:
        """The watermark of the last page."""
        return self.pages[-1].watermark or Watermark("")


def view(customer: Customer) -> dict[str, object]:
    """Return what a customer shows, under the names that `Entered.view` has."""
    contacts = {contact.id: contact_view(contact) for contact in customer.contacts}
    locations = {location.id: location.name for location in customer.locations}
    return {"name": customer.name, "contacts": contacts, "locations": locations, "complete": customer.complete}


def contact_view(contact: Contact) -> dict[str, object]:
    """Return what a contact shows."""
    names = {"first_name": contact.first_name, "last_name": contact.last_name}
    return {**names, "email": contact.email, "customer": contact.customer}


@define(eq=False)
class ErpBench:
    """One ERP under trial, and what people do in it."""

    erp: Erp
    tenant: Tenant
    traits: ErpTraits = field(factory=ErpTraits)

    # ---- entering
    def customer(self, *, contacts: int = 1, locations: int = 0) -> Entered:
        """Enter a customer with contacts and locations."""
        name = f"Contract {uuid4().hex[:12]}"
        made = self.tenant.add_customer(name)
        people = dict(self.contact(made) for _ in range(contacts))
        names = [f"Dock {number}" for number in range(locations)]
        places = {self.tenant.add_location(made, place): place for place in names}
        return Entered(id=made, name=name, contacts=people, locations=places)

    def contact(self, customer: CustomerID) -> tuple[ContactID, Mapping[str, object]]:
        """Enter a contact; return its id, and what it must show."""
        mark = uuid4().hex[:12]
        email, last_name = f"ann.{mark}@{self.traits.domain}", f"Contract {mark}"
        made = self.tenant.add_contact(customer, first_name="Ann", last_name=last_name, email=email)
        return made, {"first_name": "Ann", "last_name": last_name, "email": email, "customer": customer}

    # ---- reading
    def read(self, query: Query) -> Reading:
        """Return all pages of a reading; no cursor comes twice, and no customer."""
        reading = self.rest(query, self.erp.read(query, None))
        ids = [customer.id for customer in reading.items]
        if twice := sorted({key for key in ids if ids.count(key) > 1}):
            did = f"read({type(query).__name__}) over {len(reading.pages)} pages"
            raise broken(did=did, should="give each customer once", but=f"{twice[0]!r} comes twice", why=_TWICE)
        return reading

    def rest(self, query: Query, first: Page[Customer]) -> Reading:
        """Return a reading from its first page on; no cursor comes twice."""
        pages, cursors = [first], set[Cursor]()
        while (after := pages[-1].next) is not None:
            if after in cursors:
                did = f"read({type(query).__name__}), page {len(pages)}"
                raise broken(did=did, should="go on", but=f"its next cursor is an earlier one: {after!r}", why=_ENDLESS)
            cursors.add(after)
            pages.append(self.erp.read(query, after))
        return Reading(pages=tuple(pages))

    def customers(self, *ids: CustomerID) -> list[Outcome[Customer | None]]:
        """Return what is said of customers by their ids."""
        return answers("customers", self.erp.customers, ids)

    def contacts(self, *ids: ContactID) -> list[Outcome[Contact | None]]:
        """Return what is said of contacts by their ids."""
        return answers("contacts", self.erp.contacts, ids)

    def seen(self, customer: CustomerID) -> Customer:
        """Return a customer that has to be there."""
        (outcome,) = self.until(lambda: self.customers(customer), lambda found: _there(found[0]))
        return self._found(outcome, f"customers([{customer!r}])")

    def contact_seen(self, contact: ContactID) -> Contact:
        """Return a contact that has to be there."""
        (outcome,) = self.until(lambda: self.contacts(contact), lambda found: _there(found[0]))
        return self._found(outcome, f"contacts([{contact!r}])")

    def _found(self, outcome: Outcome[T | None], did: str) -> T:
        match outcome:
            case Ok(found) if found is not None:
                return found
            case Ok():
                but = "it answered Ok(None)"
            case Failed(error):
                but = f"it failed with {told_error(error)}"
        raise broken(did=f"{did}, which was entered just now", should="answer it", but=but, why=_GONE)

    def until(self, look: Callable[[], T], good: Callable[[T], bool]) -> T:
        """Return what is seen, as soon as it is good or patience ends."""
        return until(self.traits, look, good)

    def shows(self, did: str, look: Callable[[], Mapping[K, object]], should: Mapping[K, object], why: Why) -> None:
        """Check that what is seen has these values."""
        found = self.until(look, lambda seen: differences(should, seen) == ("", ""))
        wanted, but = differences(should, found)
        if wanted:
            raise broken(did=did, should=f"show {wanted}", but=f"it shows {but}", why=why)

    # ---- commerce reference IDs
    def write(self, *references: Reference) -> list[Outcome[None]]:
        """Return what came of writing references."""
        return answers("write_references", self.erp.write_references, references)

    def wrote(self, reference: Reference) -> None:
        """Write a reference, which has to work."""
        (outcome,) = self.write(reference)
        if isinstance(outcome, Failed):
            why = Why("people and other programs would not find the user of the contact", "write_references")
            but = f"it failed with {told_error(outcome.error)}"
            did = f"write_references({reference.record})"
            raise broken(did=did, should="be done", but=but, why=why) from outcome.error


def _there(outcome: Outcome[T | None]) -> bool:
    return isinstance(outcome, Ok) and outcome.value is not None


# ------------------------------------------------------------------ references
def refer(customer: Customer, part: Customer | Contact | Location, value: str) -> Reference:
    """Return the reference of a customer, or of a contact or location of it."""
    match part:
        case Customer():
            kind = RecordKind.CUSTOMER
        case Contact():
            kind = RecordKind.CONTACT
        case Location():
            kind = RecordKind.LOCATION
    return Reference(record=Record(kind, part.id), note_id=part.note_id, customer=customer.id, value=value)


def references_of(customer: Customer) -> dict[Record, object]:
    """Return the references of a customer and of all that belongs to it."""
    parts: Sequence[Customer | Contact | Location] = (customer, *customer.contacts, *customer.locations)
    return {refer(customer, part, "").record: part.reference for part in parts}


def nowhere() -> NoteID:
    """Return the NoteID of nothing."""
    return NoteID(str(uuid4()))
