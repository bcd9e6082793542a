"""A tenant that holds nothing: every record is worked out from its number when it is asked for.

So what a run over them takes is the run's own. Customers come in blocks of a thousand contacts that are all alike in
their sizes: companies of 1 to 200 users, long-tailed, each with one to twenty locations.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import accumulate
from random import Random
from threading import get_ident
from typing import Final, ParamSpec, TypeVar

from attrs import define, field

from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import (
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Reference,
    SiteAssociation,
    StorefrontID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, Query, Watermark

P = ParamSpec("P")
T = TypeVar("T")

BLOCK: Final = 1_000
"""Contacts of a block; a tenant has whole blocks."""
WAVE: Final = 200
"""Customers on a page; of those with nothing but their primary mark ten times as many."""
POLICY: Final = SyncPolicy()
_OPTED_IN: Final = SiteAssociation(enabled=True, connection_type="B2B")


# ------------------------------------------------------------------ sizes
def _sizes() -> Iterator[tuple[int, int]]:
    """Yield how many contacts and locations the customers of a block have."""
    die, left = Random(5), BLOCK
    while left:
        contacts = min(left, 200, int(die.paretovariate(1.1)))
        left -= contacts
        yield contacts, min(20, int(die.paretovariate(1.8)))


_CONTACTS: Final = (0, *accumulate(contacts for contacts, _ in _sizes()))
_LOCATIONS: Final = (0, *accumulate(locations for _, locations in _sizes()))
CUSTOMERS: Final = len(_CONTACTS) - 1
"""Customers of a block."""
LOCATIONS: Final = _LOCATIONS[-1]
"""Locations of a block."""


def contacts_of(customer: int) -> range:
    """Return the numbers of a customer's contacts."""
    block, place = divmod(customer, CUSTOMERS)
    return range(block * BLOCK + _CONTACTS[place], block * BLOCK + _CONTACTS[place + 1])


def locations_of(customer: int) -> range:
    """Return the numbers of a customer's locations."""
    block, place = divmod(customer, CUSTOMERS)
    return range(block * LOCATIONS + _LOCATIONS[place], block * LOCATIONS + _LOCATIONS[place + 1])


def customer_of(contact: int) -> int:
    """Return the number of a contact's customer."""
    block, place = divmod(contact, BLOCK)
    return block * CUSTOMERS + bisect_right(_CONTACTS, place) - 1


def is_first(location: int) -> bool:
    """Tell whether a location is the first of its customer, at whose main address it is."""
    return location % LOCATIONS in _LOCATIONS


# ------------------------------------------------------------------ ids, and back
def key_of(customer: int) -> CustomerID:
    """Return a customer's id."""
    return CustomerID(f"C{customer:08}")


def note_id(kind: int, number: int) -> NoteID:
    """Return a record's own lasting id."""
    return NoteID(f"{kind:08}-0000-0000-0000-{number:012}")


def number_of(identifier: str) -> int:
    """Return the number that any id of ours stands for."""
    return int(identifier.lstrip("C")[-12:])


def shop_id(number: int) -> StorefrontID:
    """Return the id of a record's counterpart in the shop."""
    return StorefrontID(str(number + 1))


def email_of(contact: int) -> str:
    """Return a contact's address."""
    return f"person{contact}@c{customer_of(contact)}.example"


def phone_of(number: int) -> str:
    """Return a phone number."""
    return f"+1 (512) 555-{number % 10_000:04}"


def address_of(number: int) -> PostalAddress:
    """Return where something is."""
    return PostalAddress(
        line1=f"{number % 9_999 + 1} Main St", city="Austin", state="TX", postal_code="78701", country="US"
    )


# ------------------------------------------------------------------ CPU that is not the run's own
@define
class Stopwatch:
    """The CPU seconds that making records took, of all threads."""

    _spent: dict[int, float] = field(factory=dict[int, float])

    @property
    def seconds(self) -> float:
        """All of them."""
        return sum(self._spent.values())

    def timed(self, call: Callable[P, T]) -> Callable[P, T]:
        """Return a call whose time counts."""

        @wraps(call)
        def counted(*args: P.args, **kwargs: P.kwargs) -> T:
            began, thread = time.thread_time(), get_ident()
            try:
                return call(*args, **kwargs)
            finally:
                self._spent[thread] = self._spent.get(thread, 0.0) + time.thread_time() - began

        return counted


making: Final = Stopwatch()
"""Of all records of this module."""


# ------------------------------------------------------------------ the tenant
@define
class Tenant:
    """An ERP of so many contacts, on pages of so many customers.

    Its records hold their commerce reference IDs unless it is `fresh`; where it `opts_out`, every second contact has
    not opted in, but for the primary ones.
    """

    size: int
    fresh: bool = False
    opts_out: bool = False
    wave: int = WAVE

    @property
    def customers_in_all(self) -> int:
        """How many customers there are."""
        return self.size // BLOCK * CUSTOMERS

    @making.timed
    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers: all of them, their marks alone, or those that changed, which nobody did."""
        size = self.wave if isinstance(query, Everything) else 10 * self.wave
        begin = int(after or 0)
        end = 0 if isinstance(query, ChangedSince) else min(begin + size, self.customers_in_all)
        make = self.customer if isinstance(query, Everything) else self.mark
        return Page(
            items=tuple(make(number) for number in range(begin, end)),
            next=Cursor(str(end)) if 0 < end < self.customers_in_all else None,
            watermark=Watermark("now"),
        )

    @making.timed
    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return [Ok(self.customer(number_of(key))) for key in ids]

    @making.timed
    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts."""
        return [Ok(self.contact(int(key))) for key in ids]

    @making.timed
    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Take note of none."""
        return [Ok(None) for _ in references]

    def mark(self, number: int) -> Customer:
        """Return nothing but a customer's id and primary contact."""
        primary = ContactID(str(contacts_of(number)[0]))
        return Customer(id=key_of(number), note_id=note_id(1, number), name="", primary_contact=primary, complete=False)

    def customer(self, number: int) -> Customer:
        """Return a customer, whole."""
        return Customer(
            id=key_of(number),
            note_id=note_id(1, number),
            name=f"Supply {number}",
            category="Organization",
            email=f"office@c{number}.example",
            phones=(phone_of(number),),
            address=address_of(locations_of(number)[0]),
            primary_contact=ContactID(str(contacts_of(number)[0])),
            contacts=tuple(map(self.contact, contacts_of(number))),
            locations=tuple(map(self.location, locations_of(number))),
            reference=self._reference(number),
        )

    def contact(self, number: int) -> Contact:
        """Return a contact."""
        takes_part = self.takes_part(number)
        return Contact(
            id=ContactID(str(number)),
            note_id=note_id(2, number),
            customer=key_of(customer_of(number)),
            first_name=f"Ann{number}",
            last_name="Ames",
            email=email_of(number),
            phones=(phone_of(number),),
            job_title="Buyer",
            association=_OPTED_IN if takes_part else SiteAssociation(),
            reference=self._reference(number) if takes_part else "",
        )

    def takes_part(self, contact: int) -> bool:
        """Tell whether a contact becomes a user."""
        return not self.opts_out or contact % 2 == 0 or contact == contacts_of(customer_of(contact))[0]

    def location(self, number: int) -> Location:
        """Return a location."""
        return Location(
            id=LocationID(f"L{number}"),
            note_id=note_id(3, number),
            name=f"Warehouse {number}",
            default=is_first(number),
            first_name="Lou",
            last_name="Lane",
            phone=phone_of(number),
            address=address_of(number),
            reference=self._reference(number),
        )

    def _reference(self, number: int) -> str:
        return "" if self.fresh else shop_id(number)
