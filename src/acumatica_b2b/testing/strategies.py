"""Hypothesis strategies: customers as ERPs really have them, odd ones included, edits and policies.

The alphabets are small on purpose: addresses and names collide, within a customer and across.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, TypeAlias, assert_never
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
from acumatica_b2b.testing.memory import MemoryErp

LONG_NAME: Final = "Wolfeschlegelsteinhausen"
"""Longer than what the `policies` with short lengths allow."""

_PEOPLE: Final = ("ann", "bob", "cy", "dee", "eve")
_DOMAINS: Final = ("a.example", "b.example")
_NO_ADDRESSES: Final = ("", "no-at-sign", "dot@less", "@nobody.example", "two words@a.example")
_PLACES: Final = ("MAIN", "EAST", "WEST")
_SHORT: Final = Lengths(name=20, company_name=20)


def _usually(likely: st.SearchStrategy[str], *odd: str) -> st.SearchStrategy[str]:
    """Return mostly the likely, now and then something odd; shrinks to the likely."""
    return st.one_of(likely, likely, likely, st.sampled_from(odd))


# ------------------------------------------------------------------ parts
def emails() -> st.SearchStrategy[str]:
    """Return legal addresses, few enough to collide; some differ in case only."""
    names = st.sampled_from((*_PEOPLE, *(name.title() for name in _PEOPLE)))
    return st.builds("{}@{}".format, names, st.sampled_from(_DOMAINS))


def email_fields() -> st.SearchStrategy[str]:
    """Return e-mail fields: one address, several, one with spaces, none, or something malformed."""
    listed = st.builds("{}{} {}".format, emails(), st.sampled_from(";,"), emails())
    padded = st.builds(" {} ".format, emails())
    return st.one_of(emails(), emails(), emails(), emails(), listed, padded, st.sampled_from(_NO_ADDRESSES))


def phones() -> st.SearchStrategy[tuple[str, ...]]:
    """Return none, one or two phone numbers."""
    numbers = st.sampled_from(("555-0100", "555-0111", "+49 30 555-0122"))
    return st.lists(numbers, max_size=2, unique=True).map(tuple)


def addresses() -> st.SearchStrategy[PostalAddress]:
    """Return postal addresses; some lack street, city or country."""
    return st.builds(
        PostalAddress,
        line1=_usually(st.sampled_from(("1 Main Street", "2 Side Street")), ""),
        city=_usually(st.just("Berlin"), ""),
        state=st.sampled_from(("", "BE")),
        postal_code=st.just("10115"),
        country=_usually(st.just("DE"), ""),
    )


def associations() -> st.SearchStrategy[SiteAssociation]:
    """Return opt-ins: enabled, not enabled, or unreadable, with a connection type or without."""
    return st.builds(
        SiteAssociation,
        enabled=st.sampled_from((True, True, True, True, False, UNSET)),
        connection_type=st.sampled_from(("B2B", "B2B", "B2B", "B2C", "", UNSET)),
    )


def note_id(kind: int, number: int) -> NoteID:
    """Return the GUID of a record, the same for the same kind and number."""
    return NoteID(str(UUID(int=(kind << 96) + number)))


def contacts(key: ContactID, customer: CustomerID) -> st.SearchStrategy[Contact]:
    """Return contacts of this id, most of whom may become company users."""
    return st.builds(
        Contact,
        id=st.just(key),
        note_id=st.just(note_id(2, int(key))),
        customer=st.just(customer),
        active=st.sampled_from((True, True, True, True, True, False)),
        first_name=_usually(st.sampled_from(("Ann", "Bob", "Cy")), "", LONG_NAME),
        last_name=_usually(st.sampled_from(("Ames", "Bell", "Cole")), "", LONG_NAME),
        email=email_fields(),
        phones=phones(),
        association=associations(),
    )


@st.composite
def locations(draw: st.DrawFn, customer_number: int, main_address: PostalAddress) -> tuple[Location, ...]:
    """Return up to three locations of a customer; at most one is the default."""
    keys = draw(st.lists(st.sampled_from(_PLACES), max_size=3, unique=True))
    default = draw(st.sampled_from((None, *keys)))
    return tuple(
        Location(
            id=LocationID(key),
            note_id=note_id(3, customer_number * 100 + _PLACES.index(key)),
            name=draw(st.sampled_from((key.title(), key))),
            active=draw(st.sampled_from((True, True, True, False))),
            default=key == default,
            first_name=draw(st.sampled_from(("", "Lou"))),
            last_name=draw(st.sampled_from(("", "Lane"))),
            phone=draw(st.sampled_from(("", "555-0199"))),
            address=draw(st.one_of(st.just(main_address), addresses())),
        )
        for key in keys
    )


# ------------------------------------------------------------------ whole customers
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
    drawn = draw(addresses())
    main = evolve(drawn, country="DE") if ordinary else drawn
    strangers = () if ordinary else (ContactID("999999"),)
    customer = Customer(
        id=key,
        note_id=note_id(1, number),
        name=draw(st.sampled_from(("Acme", "Bolt & Sons", "Acme"))),
        email=draw(st.sampled_from(("", "", f"office{number}@a.example"))),
        phones=draw(phones()),
        address=main,
        primary_contact=draw(st.sampled_from((*ids, None, *strangers))),
        contacts=tuple(draw(contacts(one, key)) for one in ids),
        locations=draw(locations(number, main)),
    )
    if ordinary:
        return evolve(customer, phones=customer.phones or ("555-0100",))
    return evolve(
        customer,
        name=draw(_usually(st.just(customer.name), LONG_NAME)),
        customer_class=draw(st.sampled_from(("WHOLESALE", "WHOLESALE", "RETAIL", ""))),
        status=draw(_usually(st.just("Active"), "On Hold", "Inactive")),
        category=draw(_usually(st.sampled_from(("Organization", "")), "Individual")),
        guest=draw(st.sampled_from((False, False, False, False, True))),
    )


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
    customer = draw(st.sampled_from(sorted(erp.snapshot().values(), key=lambda held: held.id)))
    made = PutContact(customer=customer.id, contact=draw(contacts(erp.next_contact_id(), customer.id)))
    ids = tuple(contact.id for contact in customer.contacts)
    choices: list[st.SearchStrategy[ErpEdit]] = [
        st.just(made),
        st.sampled_from((*ids, None)).map(lambda key: SetPrimary(customer=customer.id, contact=key)),
        _customer_edits(customer).map(lambda changed: PutCustomer(customer=changed)),
    ]
    if ids:
        choices += [
            st.sampled_from(customer.contacts).flatmap(partial(_contact_edits, customer.id)),
            st.sampled_from(customer.contacts).flatmap(partial(_contact_edits, customer.id)),
            st.sampled_from(ids).map(lambda key: RemoveContact(contact=key)),
            st.builds(MoveContact, contact=st.sampled_from(ids), to=st.sampled_from((*sorted(erp.snapshot()), None))),
        ]
    return draw(st.one_of(choices))


def _contact_edits(owner: CustomerID, contact: Contact) -> st.SearchStrategy[PutContact]:
    """Return changes of one field of a contact."""
    changed = st.one_of(
        email_fields().map(lambda email: evolve(contact, email=email)),
        email_fields().map(lambda email: evolve(contact, email=email)),
        st.booleans().map(lambda active: evolve(contact, active=active)),
        associations().map(lambda association: evolve(contact, association=association)),
        st.sampled_from(("Ann", "Zoe", "")).map(lambda name: evolve(contact, first_name=name)),
        st.sampled_from(("Ames", "Zed", "")).map(lambda name: evolve(contact, last_name=name)),
        phones().map(lambda numbers: evolve(contact, phones=numbers)),
    )
    return changed.map(lambda one: PutContact(customer=owner, contact=one))


def _customer_edits(customer: Customer) -> st.SearchStrategy[Customer]:
    """Return changes of one field of a customer, or of its locations."""
    number = int(customer.id.lstrip("C"))
    return st.one_of(
        st.sampled_from(("Acme", "Zenith")).map(lambda name: evolve(customer, name=name)),
        phones().map(lambda numbers: evolve(customer, phones=numbers)),
        st.sampled_from(("", f"office{number}@b.example")).map(lambda email: evolve(customer, email=email)),
        st.sampled_from(("Active", "Inactive")).map(lambda status: evolve(customer, status=status)),
        locations(number, customer.address).map(lambda places: evolve(customer, locations=_referred(customer, places))),
    )


def _referred(customer: Customer, places: Sequence[Location]) -> tuple[Location, ...]:
    """Return new versions of locations with the references of those that were there."""
    held = {place.id: place.reference for place in customer.locations}
    return tuple(evolve(place, reference=held.get(place.id, "")) for place in places)


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
