"""A tenant and its shop that hold nothing: every record is worked out from its number when it is asked for.

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

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    HandOver,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Reference,
    SiteAssociation,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, Query, Watermark

P = ParamSpec("P")
T = TypeVar("T")

BLOCK: Final = 1_000
"""Contacts of a block; a tenant has whole blocks."""
WAVE: Final = 200
"""Customers on a page; of those with nothing but their primary mark ten times as many."""
_POLICY: Final = SyncPolicy()
_CAPABILITIES: Final = Capabilities(hand_over=HandOver.PROMOTE_FIRST, admin_at_creation=True, addresses=True, bulk=10)
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
def _key(customer: int) -> CustomerID:
    return CustomerID(f"C{customer:08}")


def _note(kind: int, number: int) -> NoteID:
    return NoteID(f"{kind:08}-0000-0000-0000-{number:012}")


def _number(identifier: str) -> int:
    return int(identifier.lstrip("C")[-12:])


def _id(number: int) -> StorefrontID:
    return StorefrontID(str(number + 1))


def _email(contact: int) -> str:
    return f"person{contact}@c{customer_of(contact)}.example"


def _phone(number: int) -> str:
    return f"+1 (512) 555-{number % 10_000:04}"


def _address(number: int) -> PostalAddress:
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
        return [Ok(self.customer(_number(key))) for key in ids]

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
        return Customer(id=_key(number), note_id=_note(1, number), name="", primary_contact=primary, complete=False)

    def customer(self, number: int) -> Customer:
        """Return a customer, whole."""
        return Customer(
            id=_key(number),
            note_id=_note(1, number),
            name=f"Supply {number}",
            category="Organization",
            email=f"office@c{number}.example",
            phones=(_phone(number),),
            address=_address(locations_of(number)[0]),
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
            note_id=_note(2, number),
            customer=_key(customer_of(number)),
            first_name=f"Ann{number}",
            last_name="Ames",
            email=_email(number),
            phones=(_phone(number),),
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
            note_id=_note(3, number),
            name=f"Warehouse {number}",
            default=is_first(number),
            first_name="Lou",
            last_name="Lane",
            phone=_phone(number),
            address=_address(number),
            reference=self._reference(number),
        )

    def _reference(self, number: int) -> str:
        return "" if self.fresh else _id(number)


# ------------------------------------------------------------------ the shop
@define
class Shop:
    """The tenant's shop: all companies are there, or none at first; then what is made is counted, and no more."""

    tenant: Tenant
    capabilities: Capabilities = _CAPABILITIES
    _begun: dict[int, set[ContactID | LocationID]] = field(factory=dict[int, "set[ContactID | LocationID]"])
    """What was made of companies that are not whole yet."""
    _whole: bytearray = field(factory=bytearray)

    def __attrs_post_init__(self) -> None:
        self._whole = bytearray(int(not self.tenant.fresh).to_bytes() * self.tenant.customers_in_all)

    @making.timed
    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return companies by their id or external id."""
        return [Ok(self.company(_number(ref.external_id))) for ref in companies]

    @making.timed
    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return nobody: no address is another company's."""
        return [Ok(None) for _ in emails]

    @making.timed
    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Make companies, users and addresses; nothing else has to be done in this shop."""
        return [Ok(self._made(action)) for action in actions]

    def _made(self, action: Action) -> StorefrontID:
        match action:
            case CreateCompany(company=company, admin=admin) if admin:
                number = _number(company.customer)
                self._begun[number] = {admin.contact}
                return self._counted(number, _id(number))
            case CreateUser(company=company, user=user):
                self._begun[int(company) - 1].add(user.contact)
                return self._counted(int(company) - 1, _id(_number(user.contact)))
            case CreateAddress(company=company, address=address):
                self._begun[int(company) - 1].add(address.location)
                return self._counted(int(company) - 1, _id(_number(address.external_id)))
            case _:
                message = f"nothing of the kind has to be done: {action}"
                raise AssertionError(message)

    def _counted(self, customer: int, made: StorefrontID) -> StorefrontID:
        if len(self._begun[customer]) == len(self._users(customer)) + len(locations_of(customer)):
            self._whole[customer] = True
            del self._begun[customer]
        return made

    def company(self, number: int) -> Company | None:
        """Return the company of a customer, as far as it was made."""
        begun = None if self._whole[number] else self._begun.get(number, set())
        if begun is not None and not begun:
            return None
        users, addresses = map(_user, self._users(number)), map(_place, locations_of(number))
        return Company(
            id=CompanyID(_id(number)),
            name=f"Supply {number}",
            email=f"office@c{number}.example",
            phone=_phone(number),
            external_id=_note(1, number),
            users=tuple(u for u in users if begun is None or ContactID(str(int(u.id) - 1)) in begun),
            addresses=tuple(a for a in addresses if begun is None or LocationID(f"L{int(a.id) - 1}") in begun),
        )

    def _users(self, customer: int) -> list[int]:
        return [contact for contact in contacts_of(customer) if self.tenant.takes_part(contact)]


def _user(contact: int) -> CompanyUser:
    customer = customer_of(contact)
    return CompanyUser(
        id=UserID(_id(contact)),
        company=CompanyID(_id(customer)),
        email=_email(contact),
        first_name=f"Ann{contact}",
        last_name="Ames",
        phone=_phone(contact),
        role=_POLICY.primary_role if contact == contacts_of(customer)[0] else _POLICY.user_role,
        external_id=_note(2, contact),
    )


def _place(location: int) -> CompanyAddress:
    return CompanyAddress(
        id=AddressID(_id(location)),
        external_id=_note(3, location),
        label=f"Warehouse {location}",
        first_name="Lou",
        last_name="Lane",
        phone=_phone(location),
        address=_address(location),
        default_shipping=is_first(location),
        default_billing=is_first(location),
    )
