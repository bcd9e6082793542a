"""Made-up tenants: customers, contacts and locations as they are found in the wild, and a day of changes.

Everything is drawn from a seed: the same arguments always give the same records.
"""

import re
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Final
from uuid import UUID

from attrs import define, evolve, field

from acumatica_b2b.simulators.acumatica.edits import Edit, edits
from acumatica_b2b.simulators.acumatica.flaws import FIRST_CONTACT, FLAWS, Draft
from acumatica_b2b.simulators.acumatica.rows import AddressRow, ContactRow, CustomerRow, Dataset, LocationRow
from acumatica_b2b.simulators.acumatica.settings import CONNECTION_TYPE, ENABLED

__all__ = ["Edit", "dataset", "edits"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "Ann Ben Carla Derek Elena Frank Grace Hector Irene Jack Karen Luis Maria Nate Olga Peter Quinn Rosa "
    "Sam Tina Uma Victor Wendy Xavier Yara Zoe Dmitri Fatima Hiro Ingrid Jamal Kofi Leila Mei Noor Priya "
    "Søren Thandiwe"
)
_LAST: Final = _words(
    "Adams Baker Chen Diaz Edwards Fischer Garcia Hughes Ivanov Johnson Kim Lopez Miller Nguyen O'Brien "
    "Patel Quigley Roberts Smith Turner Underwood Vargas Weber Xu Young Zimmerman Okafor Lindqvist Haddad "
    "Müller Rossi Tanaka"
)
_TRADES: Final = _words("Bakery Builders Dental Electric Foods Hardware Machining Medical Paper Tools")
_SORTS: Final = ("Inc", "LLC", "Supply", "& Sons", "Group", "Partners")
_TITLES: Final = ("Buyer", "Owner", "Purchasing Manager", "Office Manager", "Accounts Payable", "Technician", "")
_CLASSES: Final = ("LOCAL", "KEY", "INTL", "WHOLESALE", "DEFAULT")
_STREETS: Final = ("Main St", "Oak Ave", "Maple Dr", "Industrial Pkwy", "2nd St", "River Rd", "Commerce Blvd")
_CITIES: Final = (
    ("Bellevue", "WA", "98004"),
    ("Austin", "TX", "78701"),
    ("Chicago", "IL", "60601"),
    ("New York", "NY", "10001"),
    ("Denver", "CO", "80202"),
    ("Portland", "OR", "97201"),
    ("Atlanta", "GA", "30303"),
    ("Boston", "MA", "02108"),
    ("Phoenix", "AZ", "85001"),
    ("Columbus", "OH", "43004"),
)
_ODD_IDS: Final = (
    "C-{:05}",
    "c{:05}",
    "O'Hara {}",
    "co-op{}",
    "COOP {}",
    "A/C {}",
    "Æther{}",
    "a|b {}",
    "ümlaut-{}",
    "_{}",
)
_BEGINNING: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)


def dataset(customers: int, seed: int, *, bad: bool = True, odd_ids: bool = False) -> Dataset:
    """Return a tenant of that many customers with their contacts and locations.

    Contacts per customer have a long tail (1 to 30), locations are 1 to 4. With `bad`, about a third of the
    customers have one of the `FLAWS`, taken in turn, and some contacts are not enabled; without it every
    contact is fit to become a company user. With `odd_ids` customers have ids as people type them in:
    in mixed case, with hyphens, quotes, slashes, blanks and letters beyond ASCII.
    """
    maker = _Maker(random=Random(seed), odd_ids=odd_ids)  # noqa: S311  # made-up records, not secrets
    drafts = [maker.customer(number) for number in range(1, customers + 1)]
    if bad:
        _spoil(drafts, Random(seed + 1))  # noqa: S311  # as above
    return Dataset(
        customers=tuple(draft.customer for draft in drafts),
        contacts=tuple(contact for draft in drafts for contact in draft.contacts),
        locations=tuple(location for draft in drafts for location in draft.locations),
    )


@define(kw_only=True)
class _Maker:
    random: Random
    odd_ids: bool = False
    next_contact: int = field(default=FIRST_CONTACT)

    def customer(self, number: int) -> Draft:
        name = f"{self.random.choice(_LAST)} {self.random.choice(_TRADES)}"
        customer_id = _ODD_IDS[number % len(_ODD_IDS)].format(number) if self.odd_ids else f"C{number:09}"
        domain = f"{_slug(name)}{number}.example"
        contacts = [self._contact(customer_id, domain, place) for place in range(self._how_many_contacts())]
        address = self._address()
        row = CustomerRow(
            id=customer_id,
            name=f"{name} {self.random.choice(_SORTS)} #{number}",
            note_id=self._note(),
            customer_class=self.random.choice(_CLASSES),
            email=f"office@{domain}",
            phone=self._phone(),
            address=address,
            primary_contact=contacts[0].id,
            modified=self._moment(),
        )
        locations = [self._location(row, place, address) for place in range(self._how_many_locations())]
        return Draft(customer=row, contacts=contacts, locations=locations)

    def _how_many_contacts(self) -> int:
        return min(30, int(self.random.paretovariate(1.1)))

    def _how_many_locations(self) -> int:
        return self.random.choices((1, 2, 3, 4), weights=(70, 18, 8, 4))[0]

    def _contact(self, customer: str, domain: str, place: int) -> ContactRow:
        first, last = self.random.choice(_FIRST), self.random.choice(_LAST)
        number = self.next_contact
        self.next_contact += 1
        return ContactRow(
            id=number,
            note_id=self._note(),
            customer=customer,
            first_name=first,
            last_name=last,
            email=f"{_slug(first)}.{_slug(last)}{place or ''}@{domain}",
            phones=tuple(self._phone() for _ in range(self.random.choice((1, 1, 1, 2, 3)))),
            job_title=self.random.choice(_TITLES),
            custom={ENABLED: True, CONNECTION_TYPE: "B2B"},
            modified=self._moment(),
        )

    def _location(self, customer: CustomerRow, place: int, address: AddressRow) -> LocationRow:
        return LocationRow(
            id="MAIN" if place == 0 else f"LOC{place:03}",
            customer=customer.id,
            name="Primary Location" if place == 0 else f"Warehouse {place}",
            note_id=self._note(),
            default=place == 0,
            phone=customer.phone,
            address=address if place == 0 else self._address(),
            modified=self._moment(),
        )

    def _address(self) -> AddressRow:
        city, state, postal_code = self.random.choice(_CITIES)
        return AddressRow(
            line1=f"{self.random.randint(1, 9999)} {self.random.choice(_STREETS)}",
            line2=f"Suite {self.random.randint(1, 400)}" if self.random.random() < 0.2 else "",
            city=city,
            state=state,
            postal_code=postal_code,
            country="US",
        )

    def _phone(self) -> str:
        return f"+1 ({self.random.randint(201, 989)}) 555-{self.random.randint(100, 199):04}"

    def _note(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _moment(self) -> datetime:
        return _BEGINNING - timedelta(seconds=self.random.randint(0, 300 * 86_400))


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower().replace("ø", "o").replace("ü", "u"))


def _spoil(drafts: list[Draft], random: Random) -> None:
    flaws = cycle(FLAWS.values())
    for draft in drafts:
        if random.random() < 0.35:
            next(flaws)(draft, random)
        for place, contact in enumerate(draft.contacts):
            if place and random.random() < 0.08:
                draft.change(place, evolve(contact, custom={**contact.custom, ENABLED: False}))
