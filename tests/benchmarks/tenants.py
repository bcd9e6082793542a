"""Made-up tenants of a wanted size: companies of 1 to 200 people, long-tailed, with their locations."""

from random import Random
from typing import Final
from uuid import UUID

from attrs import frozen

from acumatica_b2b.simulators.acumatica import (
    ENABLED,
    AddressRow,
    ContactRow,
    CustomerRow,
    Dataset,
    LocationRow,
)

_FIRST: Final = ("Ann", "Ben", "Carla", "Dmitri", "Elena", "Fatima", "Grace", "Hiro", "Irene", "Jack", "Søren", "Zoe")
_LAST: Final = ("Adams", "Baker", "Chen", "Diaz", "Fischer", "Kim", "Müller", "Nguyen", "O'Brien", "Patel", "Weber")
_PLACES: Final = (
    ("Austin", "TX", "78701"),
    ("Bellevue", "WA", "98004"),
    ("Boston", "MA", "02108"),
    ("Chicago", "IL", "60601"),
    ("Denver", "CO", "80202"),
    ("New York", "NY", "10001"),
)
_LARGEST: Final = 200
_MOST_LOCATIONS: Final = 20


@frozen(kw_only=True)
class Size:
    """How much there is of a tenant; a contact and a location are each of one customer."""

    contacts: int
    customers: int
    locations: int

    @property
    def records(self) -> int:
        """All of it."""
        return self.contacts + self.customers + self.locations


def size_of(tenant: Dataset) -> Size:
    """Return how much there is of a tenant."""
    return Size(contacts=len(tenant.contacts), customers=len(tenant.customers), locations=len(tenant.locations))


def tenant(contacts: int, seed: int) -> Dataset:
    """Return a tenant of exactly so many contacts; the same arguments always give the same records."""
    die = Random(seed)
    customers: list[CustomerRow] = []
    people: list[ContactRow] = []
    locations: list[LocationRow] = []
    while left := contacts - len(people):
        key, address = f"C{len(customers):08}", _address(die)
        size = min(left, _LARGEST, int(die.paretovariate(1.1)))
        staff = [_contact(die, key, len(people) + place) for place in range(size)]
        customers.append(_customer(die, key, staff[0].id, address))
        people += staff
        locations += _locations(die, key, address)
    return Dataset(customers=tuple(customers), contacts=tuple(people), locations=tuple(locations))


def _customer(die: Random, key: str, primary: int | None, address: AddressRow) -> CustomerRow:
    return CustomerRow(
        id=key,
        name=f"{die.choice(_LAST)} Supply {key}",
        note_id=_note(die),
        email=f"office@{key.lower()}.example",
        phone=_phone(die),
        address=address,
        primary_contact=primary,
    )


def _contact(die: Random, customer: str, number: int) -> ContactRow:
    first, last = die.choice(_FIRST), die.choice(_LAST)
    return ContactRow(
        id=1000 + number,
        note_id=_note(die),
        customer=customer,
        first_name=first,
        last_name=last,
        email=f"person{number}@{customer.lower()}.example",
        phones=(_phone(die),),
        job_title="Buyer",
        custom={ENABLED: True},
    )


def _locations(die: Random, customer: str, address: AddressRow) -> list[LocationRow]:
    several = min(_MOST_LOCATIONS, int(die.paretovariate(1.8)))
    return [
        LocationRow(
            id=f"LOC{place:03}" if place else "MAIN",
            customer=customer,
            name=f"Warehouse {place}" if place else "Primary Location",
            note_id=_note(die),
            default=not place,
            first_name=_FIRST[place % len(_FIRST)],
            last_name=_LAST[place % len(_LAST)],
            phone=_phone(die),
            address=_address(die) if place else address,
        )
        for place in range(several)
    ]


def _address(die: Random) -> AddressRow:
    city, state, code = die.choice(_PLACES)
    line = f"{die.randint(1, 9999)} Main St"
    return AddressRow(line1=line, city=city, state=state, postal_code=code, country="US")


def _phone(die: Random) -> str:
    return f"+1 ({die.randint(201, 989)}) 555-{die.randint(100, 199):04}"


def _note(die: Random) -> str:
    return str(UUID(int=die.getrandbits(128), version=4))
