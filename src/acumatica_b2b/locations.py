"""The map of locations: what address of a company each should become."""

from collections.abc import Iterable
from typing import TypeAlias

from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.model import Contact, Customer, DesiredAddress, Location, LocationID, Record, RecordKind
from acumatica_b2b.policy import Lengths, SyncPolicy

Measured: TypeAlias = tuple[tuple[str, str, int], ...]
"""Texts by their names, each with the number of characters that it may have."""


def id_order(identifier: str) -> tuple[int, str]:
    """Return the key that sorts ids as people do: 9 before 10."""
    return (len(identifier), identifier) if identifier.isdigit() else (0, identifier)


def too_long(texts: Measured) -> str:
    """Return which texts are longer than they may be; "" where none is."""
    excess = [f"{name} ({len(text)} of {most} characters)" for name, text, most in texts if len(text) > most]
    return ", ".join(excess)


def first_of(texts: Iterable[str]) -> str:
    """Return the first text that is not blank, trimmed; "" where all are."""
    for text in texts:
        if plain := text.strip():
            return plain
    return ""


def map_location(location: Location, customer: Customer, policy: SyncPolicy) -> DesiredAddress | Finding:
    """Return the address that a location should become, or the reason why it becomes none."""
    others = [one for one in map_locations(customer, policy) if isinstance(one, DesiredAddress)]
    billing = any(one.default_billing and one.location == location.id for one in others)
    return _map_place(location, _primary(customer), policy, billing=billing)


def map_locations(customer: Customer, policy: SyncPolicy) -> list[DesiredAddress | Finding]:
    """Return what each of a customer's locations should become.

    Bills go to the location at the customer's main address that becomes one: the default one, else the lowest id.
    """
    primary = _primary(customer)
    at_home = [place for place in customer.locations if place.address == customer.address]
    mapped: dict[LocationID, DesiredAddress | Finding] = {}
    billing = True
    for place in sorted(at_home, key=lambda place: (not place.default, id_order(place.id))):
        mapped[place.id] = one = _map_place(place, primary, policy, billing=billing)
        billing = billing and isinstance(one, Finding)
    return [mapped.get(one.id) or _map_place(one, primary, policy, billing=False) for one in customer.locations]


def is_named(location: Location) -> bool:
    """Tell whether a location names a person of its own; else its address bears the primary contact's name."""
    return bool(location.first_name.strip() and location.last_name.strip())


def _primary(customer: Customer) -> Contact | None:
    return next((contact for contact in customer.contacts if contact.id == customer.primary_contact), None)


def _map_place(
    location: Location, primary: Contact | None, policy: SyncPolicy, *, billing: bool
) -> DesiredAddress | Finding:
    def because(kind: FindingKind, detail: str = "") -> Finding:
        return Finding(kind=kind, record=Record(RecordKind.LOCATION, location.id), detail=detail)

    if not policy.include_locations:
        return because(FindingKind.NOT_INCLUDED)
    if not location.active:
        return because(FindingKind.INACTIVE)
    named = location if is_named(location) else primary
    address = DesiredAddress(
        location=location.id,
        external_id=location.note_id,
        label=location.name.strip(),
        first_name=named.first_name.strip() if named else "",
        last_name=named.last_name.strip() if named else "",
        phone=location.phone.strip(),
        address=location.address,
        default_shipping=location.default,
        default_billing=billing,
    )
    if missing := ", ".join([name for name, text in _address_needs(address) if not text.strip()]):
        return because(FindingKind.MISSING_ADDRESS_FIELD, missing)
    excess = too_long(_address_lengths(address, policy.lengths))
    return because(FindingKind.TOO_LONG, excess) if excess else address


def _address_needs(address: DesiredAddress) -> tuple[tuple[str, str], ...]:
    place = address.address
    return (
        ("first name", address.first_name),
        ("last name", address.last_name),
        ("street", place.line1),
        ("city", place.city),
        ("country", place.country),
    )


def _address_lengths(address: DesiredAddress, most: Lengths) -> Measured:
    place = address.address
    return (
        ("name", address.label, most.address),
        ("first name", address.first_name, most.name),
        ("last name", address.last_name, most.name),
        ("phone number", address.phone, most.phone),
        ("first street line", place.line1, most.address),
        ("second street line", place.line2, most.address),
        ("city", place.city, most.city),
    )
