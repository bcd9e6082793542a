"""The map of locations: what address of a company each should become."""

from collections.abc import Iterator

from attrs import evolve

from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.model import Customer, DesiredAddress, Location, Record, RecordKind
from acumatica_b2b.policy import Lengths, SyncPolicy


def id_order(identifier: str) -> tuple[int, str]:
    """Return the key that sorts ids as people do: 9 before 10."""
    return (len(identifier), identifier) if identifier.isdigit() else (0, identifier)


def too_long(lengths: Iterator[tuple[str, str, int]]) -> str:
    """Return which texts are longer than they may be; "" where none is."""
    return ", ".join(f"{name} ({len(text)} of {most} characters)" for name, text, most in lengths if len(text) > most)


def map_location(location: Location, customer: Customer, policy: SyncPolicy) -> DesiredAddress | Finding:
    """Return the address that a location should become, or the reason why it becomes none."""
    address = _map_place(location, customer, policy)
    if isinstance(address, Finding) or location.id != _billing_location(customer, policy):
        return address
    return evolve(address, default_billing=True)


def _map_place(location: Location, customer: Customer, policy: SyncPolicy) -> DesiredAddress | Finding:
    def because(kind: FindingKind, detail: str = "") -> Finding:
        return Finding(kind=kind, record=Record(RecordKind.LOCATION, location.id), detail=detail)

    if not policy.include_locations:
        return because(FindingKind.NOT_INCLUDED)
    if not location.active:
        return because(FindingKind.INACTIVE)
    primary = next((c for c in customer.contacts if c.id == customer.primary_contact), None)
    named = location if location.first_name.strip() and location.last_name.strip() else primary
    address = DesiredAddress(
        location=location.id,
        external_id=location.note_id,
        label=location.name.strip(),
        first_name=named.first_name.strip() if named else "",
        last_name=named.last_name.strip() if named else "",
        phone=location.phone.strip(),
        address=location.address,
        default_shipping=location.default,
    )
    if missing := ", ".join(name for name, text in _address_needs(address) if not text.strip()):
        return because(FindingKind.MISSING_ADDRESS_FIELD, missing)
    excess = too_long(_address_lengths(address, policy.lengths))
    return because(FindingKind.TOO_LONG, excess) if excess else address


def _billing_location(customer: Customer, policy: SyncPolicy) -> str | None:
    """Return the location at the customer's main address that becomes one: the default one, else the lowest id."""
    at_home = [place for place in customer.locations if place.address == customer.address]
    there = [place for place in at_home if isinstance(_map_place(place, customer, policy), DesiredAddress)]
    return min(there, key=lambda place: (not place.default, id_order(place.id))).id if there else None


def _address_needs(address: DesiredAddress) -> Iterator[tuple[str, str]]:
    yield "first name", address.first_name
    yield "last name", address.last_name
    yield "street", address.address.line1
    yield "city", address.address.city
    yield "country", address.address.country


def _address_lengths(address: DesiredAddress, most: Lengths) -> Iterator[tuple[str, str, int]]:
    yield "name", address.label, most.address
    yield "first name", address.first_name, most.name
    yield "last name", address.last_name, most.name
    yield "phone number", address.phone, most.phone
    yield "first street line", address.address.line1, most.address
    yield "second street line", address.address.line2, most.address
    yield "city", address.address.city, most.city
