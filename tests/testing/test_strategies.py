"""The strategies: every world they make is legal, and the odd cases are really reached."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from acumatica_b2b.model import UNSET, Contact, Customer, Location, LocationID, NoteID
from acumatica_b2b.policy import FirstAdmin, SyncPolicy
from acumatica_b2b.testing import MemoryErp, strategies
from acumatica_b2b.testing.strategies import (
    LONG_NAME,
    ErpEdit,
    MoveContact,
    PutContact,
    PutCustomer,
    RemoveContact,
    SetPrimary,
)

T = TypeVar("T")
Worlds = tuple[Customer, ...]

SAMPLE = settings(
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@cache
def sample(strategy: st.SearchStrategy[T], examples: int = 800) -> list[T]:
    """Return what a strategy makes in one ordinary run."""
    drawn: list[T] = []

    @settings(SAMPLE, max_examples=examples)
    @given(strategy)
    def collect(one: T) -> None:
        drawn.append(one)

    collect()
    return drawn


CUSTOMERS = strategies.customers()
WORLDS = strategies.erps()


def some(meets: Callable[[Contact], bool]) -> Callable[[Customer], bool]:
    return lambda customer: any(map(meets, customer.contacts))


def first(customer: Customer) -> str:
    return customer.contacts[0].email if customer.contacts else "?"


ODD_CUSTOMERS: dict[str, Callable[[Customer], bool]] = {
    "no e-mail": some(lambda one: one.email == ""),
    "malformed e-mail": some(lambda one: "@" not in one.email and one.email != ""),
    "e-mail without a dot": some(lambda one: one.email.endswith("@less")),
    "list with a semicolon": some(lambda one: ";" in one.email),
    "list with a comma": some(lambda one: "," in one.email),
    "padded e-mail": some(lambda one: one.email != one.email.strip()),
    "capitals": some(lambda one: one.email != one.email.lower()),
    "shared e-mail": lambda c: (
        len({one.email.lower() for one in c.contacts if "@" in one.email}) < sum("@" in one.email for one in c.contacts)
    ),
    "no first name": some(lambda one: one.first_name == ""),
    "no last name": some(lambda one: one.last_name == ""),
    "long name": some(lambda one: one.last_name == LONG_NAME),
    "inactive": some(lambda one: not one.active),
    "not enabled": some(lambda one: one.association.enabled is False),
    "unreadable opt-in": some(lambda one: one.association.enabled is UNSET),
    "other connection type": some(lambda one: one.association.connection_type == "B2C"),
    "no connection type": some(lambda one: one.association.connection_type == ""),
    "unreadable connection type": some(lambda one: one.association.connection_type is UNSET),
    "no phone of its own": some(lambda one: one.phones == ()),
    "no contacts": lambda c: not c.contacts,
    "no primary": lambda c: bool(c.contacts) and c.primary_contact is None,
    "dangling primary": lambda c: c.primary_contact not in {None, *(one.id for one in c.contacts)},
    "inactive primary": some(lambda one: not one.active),
    "ids that sort otherwise as text": lambda c: (
        sorted(one.id for one in c.contacts) != sorted((one.id for one in c.contacts), key=int)
    ),
    "no phone": lambda c: not c.phones,
    "no customer e-mail": lambda c: not c.email,
    "customer e-mail": lambda c: bool(c.email),
    "no country": lambda c: not c.address.country,
    "long company name": lambda c: c.name == LONG_NAME,
    "other class": lambda c: c.customer_class == "RETAIL",
    "other status": lambda c: c.status == "On Hold",
    "individual": lambda c: c.category == "Individual",
    "no category": lambda c: c.category == "",
    "an organization": lambda c: c.category == "Organization",
    "guest": lambda c: c.guest,
    "no default location": lambda c: bool(c.locations) and not any(place.default for place in c.locations),
    "default location": lambda c: any(place.default for place in c.locations),
    "inactive location": lambda c: any(not p.active for p in c.locations),
    "location with half a name": lambda c: any(bool(p.first_name) != bool(p.last_name) for p in c.locations),
    "location with a name": lambda c: any(p.first_name and p.last_name for p in c.locations),
    "two at the main address": lambda c: sum(p.address == c.address for p in c.locations) > 1,
    "location without street": lambda c: any(not p.address.line1 for p in c.locations),
}


@pytest.mark.parametrize("odd", ODD_CUSTOMERS)
def test_odd_customers(odd: str) -> None:
    """Customers come with every oddity that the rules speak of."""
    assert any(map(ODD_CUSTOMERS[odd], sample(CUSTOMERS)))


def shared_across(world: Worlds) -> bool:
    found = [{one.email.lower() for one in customer.contacts if "@" in one.email} for customer in world]
    return len(set[str]().union(*found)) < sum(map(len, found))


ODD_WORLDS: dict[str, Callable[[Worlds], bool]] = {
    "address shared across customers": shared_across,
    "several customers": lambda world: len(world) == 3,
    "a customer without contacts beside one with": lambda world: {bool(one.contacts) for one in world} == {True, False},
    "two customers of one name": lambda world: len({one.name for one in world}) < len(world),
}


@pytest.mark.parametrize("odd", ODD_WORLDS)
def test_odd_worlds(odd: str) -> None:
    """Customers of one ERP share names and addresses."""
    assert any(map(ODD_WORLDS[odd], sample(WORLDS, 400)))


@given(strategies.erps())
def test_legal_worlds(world: Worlds) -> None:
    """Ids and NoteIDs are unique, NoteIDs are GUIDs in lower case, one location at most is the default."""
    contacts = [one for customer in world for one in customer.contacts]
    places = [place for customer in world for place in customer.locations]
    notes = [one.note_id for one in world] + [one.note_id for one in contacts] + [place.note_id for place in places]
    assert len({one.id for one in contacts}) == len(contacts)
    assert len(set(notes)) == len(notes)
    assert all(note == str(UUID(note)) for note in notes)
    assert all(sum(place.default for place in customer.locations) <= 1 for customer in world)
    assert all(one.customer == customer.id for customer in world for one in customer.contacts)


@given(strategies.customers(ordinary=True))
def test_ordinary_customers(customer: Customer) -> None:
    """An ordinary customer takes part by itself, and its primary contact is one of its contacts or nobody."""
    assert (customer.status, customer.category, customer.guest) == ("Active", "", False)
    assert customer.phones
    assert customer.address.country
    assert customer.primary_contact in {None, *(one.id for one in customer.contacts)}


def stocked(world: Worlds) -> MemoryErp:
    erp = MemoryErp()
    erp.put(*world)
    return erp


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(strategies.erps(), st.data())
def test_edits(world: Worlds, data: st.DataObject) -> None:
    """Edits are legal one after another, and the world stays legal."""
    erp = stocked(world)
    for _ in range(4):
        strategies.edit(erp, data.draw(strategies.erp_edits(erp)))
    contacts = [one for customer in erp.snapshot().values() for one in customer.contacts]
    assert len({one.id for one in contacts}) == len(contacts)
    assert all(sum(place.default for place in one.locations) <= 1 for one in erp.snapshot().values())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_edited_locations(data: st.DataObject) -> None:
    """A location that stays keeps its NoteID and its reference, whoever made it."""
    place = Location(id=LocationID("MAIN"), note_id=NoteID("its-own"), reference="7")
    world = (evolve(data.draw(strategies.customers()), locations=(place,)),)
    change = data.draw(strategies.erp_edits(stocked(world)))
    for held in change.customer.locations if isinstance(change, PutCustomer) else ():
        assert (held.note_id, held.reference) == (("its-own", "7") if held.id == "MAIN" else (held.note_id, ""))


def differs(name: str) -> Callable[[tuple[Worlds, ErpEdit]], bool]:
    """Return whether an edit changes this one field of a contact that is there."""

    def meets(drawn: tuple[Worlds, ErpEdit]) -> bool:
        world, change = drawn
        held = {one.id: one for customer in world for one in customer.contacts}
        there = isinstance(change, PutContact) and change.contact.id in held
        return (
            isinstance(change, PutContact)
            and there
            and getattr(held[change.contact.id], name) != getattr(change.contact, name)
        )

    return meets


EDITED = WORLDS.flatmap(
    lambda world: st.tuples(st.just(world), st.lists(strategies.erp_edits(stocked(world)), min_size=4, max_size=8))
)
EDITS: dict[str, Callable[[tuple[Worlds, ErpEdit]], bool]] = {
    "new contact": lambda d: (
        isinstance(d[1], PutContact)
        and d[1].contact.id not in {one.id for customer in d[0] for one in customer.contacts}
    ),
    "removal": lambda d: isinstance(d[1], RemoveContact),
    "move": lambda d: isinstance(d[1], MoveContact) and d[1].to is not None,
    "detachment": lambda d: isinstance(d[1], MoveContact) and d[1].to is None,
    "new primary": lambda d: isinstance(d[1], SetPrimary) and d[1].contact is not None,
    "no primary": lambda d: isinstance(d[1], SetPrimary) and d[1].contact is None,
    "customer leaves": lambda d: isinstance(d[1], PutCustomer) and d[1].customer.status == "Inactive",
    "locations": lambda d: (
        isinstance(d[1], PutCustomer)
        and d[1].customer.locations != next(one for one in d[0] if one.id == d[1].customer.id).locations
    ),
    "new e-mail": differs("email"),
    "activity": differs("active"),
    "opt-in": differs("association"),
    "first name": differs("first_name"),
    "last name": differs("last_name"),
    "phones": differs("phones"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_every_edit(kind: str) -> None:
    """Every kind of edit that the rules speak of is reached."""
    assert any(EDITS[kind]((world, change)) for world, changes in sample(EDITED) for change in changes)


CHOICES = strategies.policies()
POLICIES: dict[str, Callable[[SyncPolicy], bool]] = {
    "any status": lambda p: p.customer_statuses is None,
    "one class": lambda p: p.customer_classes is not None,
    "one connection type": lambda p: p.connection_types == frozenset({"B2B"}),
    "no contacts": lambda p: not p.include_contacts,
    "no locations": lambda p: not p.include_locations,
    "filler": lambda p: bool(p.first_name_filler),
    "lowest contact": lambda p: p.first_admin is FirstAdmin.LOWEST_CONTACT,
    "short names": lambda p: p.lengths.name < len(LONG_NAME),
    "guests": lambda p: p.guests,
}


@pytest.mark.parametrize("kind", POLICIES)
def test_policies(kind: str) -> None:
    """Policies differ in everything that decides who takes part."""
    assert any(map(POLICIES[kind], sample(CHOICES)))
