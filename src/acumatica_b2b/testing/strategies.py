"""Hypothesis strategies: customers as ERPs really have them, odd ones included, edits and policies.

The alphabets are small on purpose: addresses and names collide, within a customer and across.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, TypeVar, assert_never
from uuid import UUID

from attrs import evolve, frozen
from hypothesis import strategies as st

from acumatica_b2b.model import (
    UNSET,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    SiteAssociation,
)
from acumatica_b2b.policy import FirstAdmin, Lengths, SyncPolicy, TakeBack
from acumatica_b2b.testing.memory_erp import MemoryErp

T = TypeVar("T")

LONG_NAME: Final = "Wolfeschlegelsteinhausen"
"""Longer than what the `policies` with short lengths allow."""

_PEOPLE: Final = ("ann", "bob", "cy", "dee", "eve")
_PLAIN: Final = tuple(f"{name}@{domain}" for domain in ("a.example", "b.example") for name in _PEOPLE)
_CAPITALS: Final = ("Ann@a.example", "BOB@A.EXAMPLE", "Cy@b.example")
_NO_ADDRESSES: Final = ("", "no-at-sign", "dot@less", "@nobody.example", "two words@a.example")
_LISTS: Final = ("ann@a.example; bob@a.example", "dee@a.example, eve@b.example", "Eve@b.example;", "; ann@b.example")
_PADDED: Final = (" ann@a.example ", "dee@b.example ")
_PLACES: Final = ("MAIN", "EAST", "WEST")
_SHORT: Final = Lengths(name=20, company_name=20)


def _mostly(likely: Sequence[T], odd: Sequence[T], times: int = 3) -> st.SearchStrategy[T]:
    """Return one draw of either; the odd are one in so many more or less, and shrink to the likely."""
    weight = max(1, times * len(odd) // len(likely))
    return st.sampled_from((*likely, *(tuple(likely) * (weight - 1)), *odd))


# ------------------------------------------------------------------ parts: one draw each, so that worlds are quick
_EMAILS: Final = st.sampled_from((*_PLAIN, *_CAPITALS))
_EMAIL_FIELDS: Final = _mostly(_PLAIN, (*_CAPITALS, *_LISTS, *_PADDED, *_NO_ADDRESSES), 4)
_PHONES: Final = st.sampled_from((("555-0100",), (), ("555-0111", "555-0100"), ("+49 30 555-0122",)))
_NAMES: Final = _mostly(
    (("Ann", "Ames"), ("Bob", "Bell"), ("Cy", "Cole")),
    (("", "Ames"), ("Ann", ""), ("", ""), (LONG_NAME, "Bell"), ("Bob", LONG_NAME)),
    6,
)
_STREETS: Final = (("1 Main Street", "Berlin", "DE"), ("2 Side Street", "Berlin", "DE"))
_ADDRESSES: Final = _mostly(
    _STREETS, (("", "Berlin", "DE"), ("1 Main Street", "", "DE"), ("1 Main Street", "Berlin", ""))
).map(lambda parts: PostalAddress(line1=parts[0], city=parts[1], postal_code="10115", country=parts[2]))
_ASSOCIATIONS: Final = _mostly(
    (SiteAssociation(enabled=True, connection_type="B2B"),),
    (
        SiteAssociation(enabled=True, connection_type="B2C"),
        SiteAssociation(enabled=True),
        SiteAssociation(enabled=True, connection_type=UNSET),
        SiteAssociation(enabled=False, connection_type="B2B"),
        SiteAssociation(),
        SiteAssociation(enabled=UNSET, connection_type="B2B"),
        SiteAssociation(enabled=UNSET, connection_type="B2C"),
    ),
    6,
)
_ACTIVITY: Final = _mostly((True,), (False,), 6)


def emails() -> st.SearchStrategy[str]:
    """Return legal addresses, few enough to collide; some differ in case only."""
    return _EMAILS


def email_fields() -> st.SearchStrategy[str]:
    """Return e-mail fields: one address, several, one with spaces, none, or something malformed."""
    return _EMAIL_FIELDS


def phones() -> st.SearchStrategy[tuple[str, ...]]:
    """Return none, one or two phone numbers."""
    return _PHONES


def addresses() -> st.SearchStrategy[PostalAddress]:
    """Return postal addresses; some lack street, city or country."""
    return _ADDRESSES


def associations() -> st.SearchStrategy[SiteAssociation]:
    """Return opt-ins: enabled, not enabled, or unreadable, with a connection type or without."""
    return _ASSOCIATIONS


def note_id(kind: int, number: int) -> NoteID:
    """Return the GUID of a record, the same for the same kind and number."""
    return NoteID(str(UUID(int=(kind << 96) + number)))


@st.composite
def contacts(draw: st.DrawFn, key: ContactID, customer: CustomerID) -> Contact:
    """Return a contact of this id; most may become company users."""
    first_name, last_name = draw(_NAMES)
    return Contact(
        id=key,
        note_id=note_id(2, int(key)),
        customer=customer,
        active=draw(_ACTIVITY),
        first_name=first_name,
        last_name=last_name,
        email=draw(_EMAIL_FIELDS),
        phones=draw(_PHONES),
        association=draw(_ASSOCIATIONS),
    )


_PLACE_NAMES: Final = st.sampled_from((("", ""), ("Lou", "Lane"), ("Lou", ""), ("", "Lane")))
_PLACE_LISTS: Final = st.lists(st.sampled_from(_PLACES), max_size=3, unique=True)
_DEFAULTS: Final = st.sampled_from((0, 1, 2, None))


@st.composite
def locations(draw: st.DrawFn, customer_number: int, main_address: PostalAddress) -> tuple[Location, ...]:
    """Return up to three locations of a customer; at most one is the default."""
    keys, default = draw(_PLACE_LISTS), draw(_DEFAULTS)
    made: list[Location] = []
    for number, key in enumerate(keys):
        first_name, last_name = draw(_PLACE_NAMES)
        made.append(
            Location(
                id=LocationID(key),
                note_id=note_id(3, customer_number * 100 + _PLACES.index(key)),
                name=key.title(),
                active=draw(_ACTIVITY),
                default=number == default,
                first_name=first_name,
                last_name=last_name,
                phone="555-0199" if first_name else "",
                address=main_address if draw(st.booleans()) else draw(_ADDRESSES),
            )
        )
    return tuple(made)


# ------------------------------------------------------------------ whole customers
_AS_IT_IS: Final[dict[str, Any]] = {}
_CUSTOMER_NAMES: Final = st.sampled_from(("Acme", "Bolt & Sons"))
_ODD_CUSTOMERS: Final[st.SearchStrategy[dict[str, Any]]] = _mostly(
    (_AS_IT_IS,),
    (
        {"name": LONG_NAME},
        {"customer_class": "RETAIL"},
        {"status": "On Hold"},
        {"category": "Individual"},
        {"category": "Organization"},
        {"guest": True},
        {"phones": ()},
        {"primary_contact": ContactID("999999")},
        {"address": PostalAddress(line1="1 Main Street", city="Berlin")},
    ),
    3,
)


@st.composite
def customers(
    draw: st.DrawFn, number: int = 1, contact_ids: Sequence[ContactID] | None = None, *, ordinary: bool = False
) -> Customer:
    """Return a legal customer with contacts and locations.

    `ordinary` leaves out what concerns the customer as a whole: such a one takes part, has a country
    and a phone, and its primary contact is one of its contacts or nobody.
    """
    key = CustomerID(f"C{number:09}")
    ids = draw(contact_id_lists()) if contact_ids is None else tuple(contact_ids)
    line1, city, country = draw(st.sampled_from(_STREETS))
    main = PostalAddress(line1=line1, city=city, postal_code="10115", country=country)
    customer = Customer(
        id=key,
        note_id=note_id(1, number),
        name=draw(_CUSTOMER_NAMES),
        customer_class="WHOLESALE",
        email=f"office{number}@a.example" if draw(st.booleans()) else "",
        phones=draw(_PHONES) or ("555-0155",),
        address=main,
        primary_contact=draw(st.sampled_from((*ids, None))),
        contacts=tuple(draw(contacts(one, key)) for one in ids),
        locations=draw(locations(number, main)),
    )
    return customer if ordinary else evolve(customer, **draw(_ODD_CUSTOMERS))


def contact_id_lists(*, max_size: int = 4) -> st.SearchStrategy[tuple[ContactID, ...]]:
    """Return distinct contact ids; as texts they sort otherwise than as numbers."""
    numbers = st.lists(st.integers(1, 120), max_size=max_size, unique=True)
    return numbers.map(lambda found: tuple(ContactID(str(number)) for number in found))


@st.composite
def erps(
    draw: st.DrawFn, *, max_customers: int = 3, max_contacts: int = 8, ordinary: bool = False
) -> tuple[Customer, ...]:
    """Return the customers of an ERP; ids are unique, addresses collide across customers too."""
    count = draw(st.integers(1, max_customers))
    shared: list[list[ContactID]] = [[] for _ in range(count)]
    for key in draw(contact_id_lists(max_size=max_contacts)):
        shared[draw(st.integers(0, count - 1))].append(key)
    return tuple(draw(customers(number, ids, ordinary=ordinary)) for number, ids in enumerate(shared, 1))


# ------------------------------------------------------------------ edits by people in the ERP
@frozen(kw_only=True)
class PutContact:
    """A contact is made or changed."""

    customer: CustomerID
    contact: Contact


@frozen(kw_only=True)
class RemoveContact:
    """A contact is deleted."""

    contact: ContactID


@frozen(kw_only=True)
class MoveContact:
    """A contact is attached to another customer, or to none."""

    contact: ContactID
    to: CustomerID | None


@frozen(kw_only=True)
class SetPrimary:
    """Another contact becomes primary, or nobody."""

    customer: CustomerID
    contact: ContactID | None


@frozen(kw_only=True)
class PutCustomer:
    """A customer's own fields or its locations change."""

    customer: Customer


ErpEdit: TypeAlias = PutContact | RemoveContact | MoveContact | SetPrimary | PutCustomer


def edit(erp: MemoryErp, change: ErpEdit) -> None:
    """Do what a person did."""
    match change:
        case PutContact():
            erp.put_contact(change.customer, change.contact)
        case RemoveContact():
            erp.remove_contact(change.contact)
        case MoveContact():
            erp.move_contact(change.contact, change.to)
        case SetPrimary():
            erp.set_primary(change.customer, change.contact)
        case PutCustomer():
            erp.put(change.customer)
        case _:
            assert_never(change)


@st.composite
def erp_edits(draw: st.DrawFn, erp: MemoryErp) -> ErpEdit:
    """Return one edit that is legal in the ERP as it is now; do it with `edit`."""
    there = erp.snapshot()
    customer = there[draw(st.sampled_from(sorted(there)))]
    ids = tuple(contact.id for contact in customer.contacts)
    match draw(st.sampled_from(("contact", "contact", "contact", *_EDITS) if ids else ("new", "primary", "customer"))):
        case "contact":
            one = customer.contacts[draw(st.integers(0, len(ids) - 1))]
            return PutContact(customer=customer.id, contact=draw(_contact_edits(one)))
        case "remove":
            return RemoveContact(contact=draw(st.sampled_from(ids)))
        case "move":
            return MoveContact(contact=draw(st.sampled_from(ids)), to=draw(st.sampled_from((*sorted(there), None))))
        case "primary":
            return SetPrimary(customer=customer.id, contact=draw(st.sampled_from((*ids, None))))
        case "customer":
            return PutCustomer(customer=draw(_customer_edits(customer)))
        case _:
            return PutContact(customer=customer.id, contact=draw(contacts(erp.next_contact_id(), customer.id)))


_EDITS: Final = ("new", "remove", "move", "primary", "primary", "customer")


_EDITED: Final = ("email", "email", "email", "active", "association", "first_name", "last_name", "phones")


@st.composite
def _contact_edits(draw: st.DrawFn, contact: Contact) -> Contact:
    """Return a contact with one field changed."""
    match draw(st.sampled_from(_EDITED)):
        case "email":
            return evolve(contact, email=draw(_EMAIL_FIELDS))
        case "active":
            return evolve(contact, active=not contact.active)
        case "association":
            return evolve(contact, association=draw(_ASSOCIATIONS))
        case "first_name":
            return evolve(contact, first_name=draw(st.sampled_from(("Zoe", "", LONG_NAME))))
        case "last_name":
            return evolve(contact, last_name=draw(st.sampled_from(("Zed", "", LONG_NAME))))
        case _:
            return evolve(contact, phones=draw(_PHONES))


@st.composite
def _customer_edits(draw: st.DrawFn, customer: Customer) -> Customer:
    """Return a customer with one field changed, or its locations."""
    number = int(customer.id.lstrip("C"))
    match draw(st.sampled_from(("name", "phones", "email", "status", "locations", "locations"))):
        case "name":
            return evolve(customer, name=draw(st.sampled_from(("Acme", "Zenith"))))
        case "phones":
            return evolve(customer, phones=draw(_PHONES))
        case "email":
            return evolve(customer, email="" if customer.email else f"office{number}@b.example")
        case "status":
            return evolve(customer, status="Active" if customer.status == "Inactive" else "Inactive")
        case _:
            places = draw(locations(number, customer.address))
            return evolve(customer, locations=_referred(customer, places))


def _referred(customer: Customer, places: Sequence[Location]) -> tuple[Location, ...]:
    """Return new versions of locations with the references and NoteIDs of those that were there."""
    held = {place.id: place for place in customer.locations}
    return tuple(
        evolve(place, reference=held[place.id].reference, note_id=held[place.id].note_id) if place.id in held else place
        for place in places
    )


# ------------------------------------------------------------------ policies
def policies() -> st.SearchStrategy[SyncPolicy]:
    """Return policies that differ in who takes part, who becomes admin and what is too long."""
    return st.builds(
        SyncPolicy,
        customer_classes=st.sampled_from((None, None, frozenset({"WHOLESALE"}))),
        customer_statuses=st.sampled_from((frozenset({"Active"}), None)),
        customer_categories=st.sampled_from((frozenset({"Organization"}), None)),
        guests=st.booleans(),
        connection_types=st.sampled_from((None, frozenset({"B2B"}), frozenset({"B2B", ""}))),
        include_contacts=st.sampled_from((True, True, True, True, False)),
        include_locations=st.booleans(),
        take_back=st.sampled_from(TakeBack),
        first_admin=st.sampled_from(FirstAdmin),
        first_name_filler=st.sampled_from(("", "-")),
        lengths=st.sampled_from((Lengths(), _SHORT)),
    )
