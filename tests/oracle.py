"""What a complete, fault-free sync has to come to, told from the rules by other means than the product.

Nothing here is imported from mapping, matching, primary_admin, plan or engine. `check` judges a fresh
world to the last field. `check_step` judges one more sync of a world with a past: where the rules leave
several ends open, or where one depends on another that is open, it says nothing (`Fate.FREE`).

Readings taken where the rules can be read in two ways:

- An address is competed for by contacts who could become users, not by those held for a missing name.
- A customer whose company can't be made claims no address against other customers.
- An empty piece of an e-mail list is no address.
- The filler for first names is for contacts, not for the names on an address.
"""

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TypeAlias

from attrs import evolve, field, frozen

from acumatica_b2b.model import (
    UNSET,
    Company,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Record,
    RecordKind,
    UserID,
)
from acumatica_b2b.policy import FirstAdmin, ProtectedLeaver, SyncPolicy, TakeBack

ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


@frozen(kw_only=True)
class ExpectedUser:
    """What the storefront must say of a contact's user."""

    email: str
    first_name: str
    last_name: str
    phone: str


@frozen(kw_only=True)
class ExpectedCompany:
    """What the storefront must say of a customer's company."""

    name: str
    email: str
    phone: str


@frozen(kw_only=True)
class ExpectedAddress:
    """What the storefront must say of a location's address."""

    label: str
    first_name: str
    last_name: str
    phone: str
    address: PostalAddress
    default_shipping: bool
    default_billing: bool


# ------------------------------------------------------------------ who takes part, one predicate each
CUSTOMER_TESTS: tuple[Callable[[Customer, SyncPolicy], bool], ...] = (
    lambda c, p: p.customer_statuses is None or c.status in p.customer_statuses,
    lambda c, p: p.customer_categories is None or c.category in {"", *p.customer_categories},
    lambda c, p: p.customer_classes is None or c.customer_class in p.customer_classes,
    lambda c, p: p.guests or not c.guest,
)


class Standing(enum.Enum):
    """How a contact stands by its own fields."""

    FIT = enum.auto()
    """It may have a user."""
    UNFIT = enum.auto()
    """Something is missing or unreadable: no user is made, none is taken away."""
    OUT = enum.auto()
    """It takes part no more."""
    UNCLEAR = enum.auto()
    """Unreadable in one respect and out in another."""


def joins(customer: Customer, policy: SyncPolicy) -> bool:
    """Whether the customer takes part."""
    return all(test(customer, policy) for test in CUSTOMER_TESTS)


def lowered(text: str) -> str:
    """Return a text without capitals, as far as ASCII goes."""
    return re.sub("[A-Z]", lambda capital: capital[0].lower(), text.strip())


def address_of(text: str) -> str:
    """Return the first address of an e-mail field in lower case; "" where there is none."""
    pieces = [piece.strip() for piece in re.split("[;,]", text)]
    first = next(filter(None, pieces), "")
    return lowered(first) if ADDRESS.fullmatch(first) else ""


Companies: TypeAlias = Mapping[CustomerID, Company | None]


def comparable(companies: Companies) -> Companies:
    """Return the companies with the addresses of their users as they are compared: without case."""
    return {
        key: company and evolve(company, users=tuple(evolve(one, email=lowered(one.email)) for one in company.users))
        for key, company in companies.items()
    }


def standing(contact: Contact, policy: SyncPolicy) -> Standing:
    """Return how the contact stands, its customer taking part."""
    enabled, kind = contact.association.enabled, contact.association.connection_type
    accepted = policy.connection_types is None or (None if kind is UNSET else kind in policy.connection_types)
    if not policy.include_contacts:
        return Standing.UNFIT
    if not contact.active or enabled is False or (enabled is True and accepted is False):
        return Standing.OUT
    if enabled is UNSET and accepted is False:
        return Standing.UNCLEAR
    person, limit = made_of(contact, policy), policy.lengths
    complete = all((person.email, person.first_name, person.last_name))
    fits = len(person.email) <= limit.email and len(person.phone) <= limit.phone
    fits = fits and max(len(person.first_name), len(person.last_name)) <= limit.name
    return Standing.FIT if enabled is True and accepted and complete and fits else Standing.UNFIT


def made_of(contact: Contact, policy: SyncPolicy) -> ExpectedUser:
    """Return the user that a contact would be."""
    return ExpectedUser(
        email=address_of(contact.email),
        first_name=contact.first_name or policy.first_name_filler,
        last_name=contact.last_name,
        phone=next(filter(None, contact.phones), ""),
    )


def rank(key: str) -> tuple[bool, int, str]:
    """Return what ids are ordered by: numbers as numbers."""
    return (not key.isdigit(), int(key) if key.isdigit() else 0, key)


def lowest(keys: Iterable[ContactID]) -> ContactID | None:
    """Return the lowest id, None of none."""
    return min(keys, key=rank, default=None)


# ------------------------------------------------------------------ a fresh world
def expected_users(
    customer: Customer, policy: SyncPolicy, linked: AbstractSet[ContactID] = frozenset()
) -> dict[ContactID, ExpectedUser]:
    """Return who must have a user once the company is there, the customer seen by itself."""
    if not joins(customer, policy):
        return {}
    fit = [contact for contact in customer.contacts if standing(contact, policy) is Standing.FIT]
    people = {contact.id: made_of(contact, policy) for contact in fit}
    by_claim = sorted(people, key=lambda key: (key != customer.primary_contact, key not in linked, rank(key)))
    winners = {people[key].email: key for key in reversed(by_claim)}
    chosen = set(winners.values())
    return {key: person for key, person in people.items() if key in chosen}


def expected_admin(customer: Customer, policy: SyncPolicy) -> ContactID | None:
    """Return who must be Primary Admin; None: whoever is, stays."""
    return next((key for key in expected_users(customer, policy) if key == customer.primary_contact), None)


def expected_first_admin(
    customer: Customer, policy: SyncPolicy, taken: AbstractSet[str] = frozenset()
) -> ContactID | None:
    """Return with whom a company that is not there yet is made; None: it is not made."""
    able = {key for key, person in expected_users(customer, policy).items() if person.email not in taken}
    if customer.primary_contact in able:
        return customer.primary_contact
    return lowest(able) if policy.first_admin is FirstAdmin.LOWEST_CONTACT else None


def expected_company(
    customer: Customer, policy: SyncPolicy, taken: AbstractSet[str] = frozenset()
) -> ExpectedCompany | None:
    """Return the company as it must be made; None: there is nobody to make it with."""
    admin = expected_first_admin(customer, policy, taken)
    if admin is None:
        return None
    person = expected_users(customer, policy)[admin]
    return ExpectedCompany(
        name=customer.name,
        email=address_of(customer.email) or person.email,
        phone=next(filter(None, (*customer.phones, person.phone)), ""),
    )


def company_can_be_made(customer: Customer, policy: SyncPolicy, taken: AbstractSet[str] = frozenset()) -> bool:
    """Whether the company is made, given the addresses that belong to others."""
    company, limit = expected_company(customer, policy, taken), policy.lengths
    return company is not None and all(
        (
            company.phone,
            customer.address.country,
            0 < len(company.name) <= limit.company_name,
            len(company.email) <= limit.company_email,
            len(company.phone) <= limit.phone,
        )
    )


def expected_addresses(customer: Customer, policy: SyncPolicy) -> dict[LocationID, ExpectedAddress]:
    """Return the addresses that a company must have."""
    if not (joins(customer, policy) and policy.include_locations):
        return {}
    primary = next((one for one in customer.contacts if one.id == customer.primary_contact), None)
    fallback = (primary.first_name, primary.last_name) if primary else ("", "")
    named = {
        place.id: (place, (place.first_name, place.last_name) if place.first_name and place.last_name else fallback)
        for place in customer.locations
        if place.active
    }
    whole = {key: found for key, found in named.items() if _is_whole(*found, policy)}
    main = sorted(
        (place for place, _ in whole.values() if place.address == customer.address),
        key=lambda place: (not place.default, rank(place.id)),
    )
    return {
        key: ExpectedAddress(
            label=place.name,
            first_name=first,
            last_name=last,
            phone=place.phone,
            address=place.address,
            default_shipping=place.default,
            default_billing=place in main[:1],
        )
        for key, (place, (first, last)) in whole.items()
    }


def _is_whole(place: Location, names: tuple[str, str], policy: SyncPolicy) -> bool:
    where, limit = place.address, policy.lengths
    sized = (
        *((name, limit.name) for name in names),
        (where.line1, limit.address),
        (where.city, limit.city),
        (where.country, limit.address),
    )
    return all(0 < len(text) <= size for text, size in sized) and max(len(where.line2), 0) <= limit.address


def expected_world(
    customers: Mapping[CustomerID, Customer], policy: SyncPolicy
) -> dict[CustomerID, dict[ContactID, ExpectedUser] | None]:
    """Return the users of each customer's company in a fresh world; None: there is no company."""
    taken: set[str] = set()
    world: dict[CustomerID, dict[ContactID, ExpectedUser] | None] = {}
    for key in sorted(customers):
        world[key] = None
        if company_can_be_made(customers[key], policy, taken):
            users = expected_users(customers[key], policy)
            world[key] = mine = {one: person for one, person in users.items() if person.email not in taken}
            taken |= {person.email for person in mine.values()}
    return world


def companies_of(
    customers: Mapping[CustomerID, Customer], found: Iterable[Company]
) -> dict[CustomerID, Company | None]:
    """Return each customer's company, told by the external id."""
    by_note = {company.external_id: company for company in found}
    return {key: by_note.get(customer.note_id) for key, customer in customers.items()}


def check(
    customers: Mapping[CustomerID, Customer],
    companies: Companies,
    policy: SyncPolicy,
    *,
    addresses: bool = True,
) -> list[str]:
    """Return complaints about a world in which nothing existed before one sync."""
    world, complaints = expected_world(customers, policy), []
    companies = comparable(companies)
    taken: set[str] = set()
    for key in sorted(customers):
        users, company = world[key], companies.get(key)
        if (users is None) is not (company is None):
            complaints.append(f"{key}: a company {'is there' if company else 'is missing'}")
        if users is not None and company is not None:
            wanted = expected_company(customers[key], policy, taken)
            complaints += [f"{key}: {text}" for text in _company_complaints(company, wanted)]
            admin = expected_first_admin(customers[key], policy, taken)
            complaints += [f"{key}: {text}" for text in _user_complaints(company, users, admin, policy)]
            complaints += [f"{key}: {text}" for text in _reference_complaints(customers[key], company, users, policy)]
            if addresses:
                complaints += [f"{key}: {text}" for text in _address_complaints(customers[key], company, policy)]
        elif company is None:
            complaints += [f"{key}: {text}" for text in _stray_references(customers[key])]
        taken |= {person.email for person in (users or {}).values()}
    return complaints


def _differences(what: str, found: object, wanted: object, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if getattr(found, name) != getattr(wanted, name):
            yield f"{what}: {name} is {getattr(found, name)!r}, not {getattr(wanted, name)!r}"


def _company_complaints(company: Company, wanted: ExpectedCompany | None) -> Iterator[str]:
    yield from _differences("company", company, wanted, ("name", "email", "phone"))
    if not company.active:
        yield "company: it is inactive"


def _user_complaints(
    company: Company, users: Mapping[ContactID, ExpectedUser], admin: ContactID | None, policy: SyncPolicy
) -> Iterator[str]:
    found = {user.email: user for user in company.users}
    wanted = {person.email: key for key, person in users.items()}
    for email in sorted(wanted.keys() - found):
        yield f"contact {wanted[email]}: it has no user"
    for email in sorted(found.keys() - wanted):
        yield f"user {found[email].id}: nobody should have it"
    for email in sorted(wanted.keys() & found):
        key, user = wanted[email], found[email]
        yield from _differences(f"user of contact {key}", user, users[key], ("first_name", "last_name", "phone"))
        role = policy.primary_role if key == admin else policy.user_role
        if user.role != role:
            yield f"user of contact {key}: role is {user.role!r}, not {role!r}"


def _address_complaints(customer: Customer, company: Company, policy: SyncPolicy) -> Iterator[str]:
    notes = {place.note_id: place.id for place in customer.locations}
    found = {notes.get(one.external_id, one.external_id): one for one in company.addresses}  # type: ignore[call-overload]  # any text
    wanted = expected_addresses(customer, policy)
    if len(found) != len(company.addresses):
        yield "addresses: a location has two"
    for key in sorted(wanted.keys() - found):
        yield f"location {key}: it has no address"
    for key in sorted(found.keys() - wanted):
        yield f"address {found[key].id}: nothing should have it"
    for key in sorted(wanted.keys() & found):
        names = ("first_name", "last_name", "phone", "address", "default_shipping", "default_billing")
        yield from _differences(f"address of location {key}", found[key], wanted[key], names)
        if wanted[key].label:
            yield from _differences(f"address of location {key}", found[key], wanted[key], ("label",))


# ------------------------------------------------------------------ references
def written(key: str, policy: SyncPolicy) -> str | None:
    """Return the commerce reference ID for a storefront's id; None where it is too long."""
    value = policy.reference_format.replace("{id}", key)
    return value if len(value) <= policy.reference_length else None


def is_ours(reference: object, policy: SyncPolicy) -> bool:
    """Whether a value could have been written by the sync, or is none."""
    head, tail = map(re.escape, policy.reference_format.split("{id}"))
    return isinstance(reference, str) and (
        not reference or re.fullmatch(f"{head}{policy.reference_id}{tail}", reference) is not None
    )


def _reference_complaints(
    customer: Customer, company: Company, users: Iterable[ContactID], policy: SyncPolicy
) -> Iterator[str]:
    by_email: dict[str, str] = {user.email: user.id for user in company.users}
    by_note: dict[str, str] = {one.external_id: one.id for one in company.addresses}
    has_user = set(users)
    due: list[tuple[RecordKind, str, object, str | None]] = []
    due.append((RecordKind.CUSTOMER, customer.id, customer.reference, company.id))
    for contact in customer.contacts:
        counterpart = by_email.get(address_of(contact.email)) if contact.id in has_user else None
        due.append((RecordKind.CONTACT, contact.id, contact.reference, counterpart))
    due += [(RecordKind.LOCATION, one.id, one.reference, by_note.get(one.note_id)) for one in customer.locations]
    for kind, key, held, counterpart in due:
        value = written(counterpart, policy) if counterpart else ""
        wanted = value if kind in policy.write_back else ""
        if value is not None and is_ours(held, policy) and held != wanted:
            yield f"{kind.value} {key}: reference is {held!r}, not {wanted!r}"


def _stray_references(customer: Customer) -> Iterator[str]:
    held: list[tuple[str, object]] = [(f"customer {customer.id}", customer.reference)]
    held += [(f"contact {one.id}", one.reference) for one in customer.contacts]
    held += [(f"location {one.id}", one.reference) for one in customer.locations]
    yield from (f"{what}: reference {value!r} names nothing" for what, value in held if value not in {"", UNSET})


# ------------------------------------------------------------------ a world with a past
class Fate(enum.Enum):
    """What one more sync must come to for one contact."""

    USER = enum.auto()
    """It has a user as expected, and keeps the one that it had in this company."""
    KEPT = enum.auto()
    """The user that it had stays."""
    NONE = enum.auto()
    """No user is made of it."""
    GONE = enum.auto()
    """The user that it had is taken away."""
    FREE = enum.auto()
    """The rules leave it open, or it hangs on what they leave open."""


@frozen(kw_only=True)
class History:
    """What earlier syncs left behind, as far as the rules look back."""

    users: Mapping[ContactID, tuple[CustomerID, UserID]] = field(factory=dict[ContactID, tuple[CustomerID, UserID]])
    companies: frozenset[CustomerID] = frozenset()
    granted: Mapping[CustomerID, UserID] = field(factory=dict[CustomerID, UserID])
    """Who has the primary role from the sync, by company."""
    deleted: frozenset[ContactID] = frozenset()
    """Whose user people deleted in the shop."""
    open: frozenset[ContactID] = frozenset()
    """Of whom nothing is said any more: deleted in the shop, and taking part no more since."""
    open_places: frozenset[tuple[CustomerID, LocationID]] = frozenset()
    """Of which nothing is said any more: people deleted their addresses, or the log of them is lost."""


@frozen(kw_only=True)
class Step:
    """One sync to be judged: the ERP, the shop as the sync found it, and the past.

    `outsiders` are addresses held in the shop by nobody of these companies. `excused` are records of
    which the run itself says that the guard, or something else that is not modelled here, stopped them.
    """

    customers: Mapping[CustomerID, Customer]
    before: Companies = field(converter=comparable)
    policy: SyncPolicy
    history: History = History()
    outsiders: AbstractSet[str] = frozenset()
    excused: AbstractSet[Record] = frozenset()
    changes_email: bool = True
    leaderless: AbstractSet[CustomerID] = frozenset()
    """Customers whose company lost its admin in a hand-over that came to no end: the role may go back."""

    # ---- look-ups
    @cached_property
    def users(self) -> dict[UserID, tuple[CustomerID, CompanyUser]]:
        """Return every user found, with the customer of its company."""
        found = self.before.items()
        return {user.id: (key, user) for key, company in found if company for user in company.users}

    @cached_property
    def linked(self) -> dict[ContactID, tuple[CustomerID, UserID]]:
        """Return the links that still lead to a user."""
        there = self.users
        return {contact: link for contact, link in self.history.users.items() if link[1] in there}

    @cached_property
    def deleted(self) -> frozenset[ContactID]:
        """Return the contacts whose users people deleted."""
        return self.history.deleted | (self.history.users.keys() - self.linked.keys())

    @cached_property
    def contacts(self) -> dict[ContactID, tuple[Customer, Contact]]:
        """Return every contact of a customer."""
        return {one.id: (customer, one) for customer in self.customers.values() for one in customer.contacts}

    def stands(self, key: CustomerID) -> bool:
        """Whether the customer's company is there already."""
        return self.before.get(key) is not None

    def claims(self, key: ContactID) -> str:
        """Return the address that a contact asks for; "" where it asks for none."""
        return self.claims_by_itself(key) if key not in self.deleted else ""

    def claims_by_itself(self, key: ContactID) -> str:
        """Return the same, whatever people deleted."""
        return self._claims[key]

    @cached_property
    def _claims(self) -> dict[ContactID, str]:
        """Return the address that each contact asks for: asked thousands of times a step."""
        return {
            key: made_of(contact, self.policy).email
            if joins(customer, self.policy) and standing(contact, self.policy) is Standing.FIT
            else ""
            for key, (customer, contact) in self.contacts.items()
        }

    # ---- fates
    def fate(self, key: ContactID, asked: frozenset[ContactID] = frozenset()) -> Fate:
        """Return what must come of a contact; `asked` are those whose fate this one is asked for."""
        link = self.linked.get(key)
        if self._unsettled(key):
            return Fate.FREE
        if key not in self.contacts:
            return Fate.NONE if not link else Fate.GONE if joins(self.customers[link[0]], self.policy) else Fate.KEPT
        customer, contact = self.contacts[key]
        moved = link is not None and link[0] != customer.id
        idle = Fate.FREE if moved else Fate.KEPT if link else Fate.NONE
        if not joins(customer, self.policy):
            return idle
        if key in self.deleted:
            return Fate.FREE if self.policy.recreate_deleted else Fate.NONE
        if self.claims(key):
            got = self._settles(key, asked | {key})
            return Fate.FREE if got is None else Fate.USER if got else idle
        without = {Standing.OUT: Fate.GONE if link else Fate.NONE, Standing.UNCLEAR: Fate.FREE}
        return without.get(standing(contact, self.policy), idle)

    def _settles(self, key: ContactID, asked: frozenset[ContactID]) -> bool | None:
        """Whether a fit contact gets its address, and there is a company for it; None: open."""
        customer = self.contacts[key][0]
        got = self._gets(key, asked)
        return self.made(customer, asked, sure=key) if got and not self.stands(customer.id) else got

    def _unsettled(self, key: ContactID) -> bool:
        """Whether nothing can be said of a contact, since nothing can of a company it concerns."""
        link, found = self.history.users.get(key), self.contacts.get(key)
        homes = {link[0]} if link else set[CustomerID]()
        homes |= {found[0].id} if found else set()
        lost = any(home in self.history.companies and not self.stands(home) for home in homes)
        left = link is not None and link[0] not in self.customers
        records = {Record(RecordKind.CONTACT, key), *(Record(RecordKind.CUSTOMER, home) for home in homes)}
        return lost or left or key in self.history.open or not records.isdisjoint(self.excused)

    def _gets(self, key: ContactID, asked: frozenset[ContactID]) -> bool | None:
        """Whether a fit contact gets its address; None: open."""
        customer, _ = self.contacts[key]
        email, link, there = self.claims(key), self.linked.get(key), self.users
        winner = self._winner(email)
        if winner != key:
            return None if winner is None or link else False
        if link and link[0] != customer.id:
            return self.removable(link[1], asked) if there[link[1]][1].email == email else None
        if link and not self.changes_email and there[link[1]][1].email != email:
            return False
        holder = next((user for _, user in there.values() if user.email == email), None)
        if holder is None or (link and link[1] == holder.id):
            return holder is not None or email not in self.outsiders
        return self._takes_over(key, holder, asked)

    def _takes_over(self, key: ContactID, holder: CompanyUser, asked: frozenset[ContactID]) -> bool | None:
        """Whether a contact gets the address, or the user, of somebody else's user; None: open."""
        home, customer = self.users[holder.id][0], self.contacts[key][0].id
        other = next((one for one, (_, user) in self.linked.items() if user == holder.id), None)
        if other is None and home != customer:
            return False
        if home == customer and (
            other is None or other not in self.contacts or self._beats(key, other, self.claims(key))
        ):
            return None if key in self.linked else True
        return self._releases(other, holder.id, asked) if other is not None else None

    def _beats(self, key: ContactID, other: ContactID, email: str) -> bool:
        """Whether the winner takes the user of another contact of its customer who asks for the address too."""
        found = self.contacts
        return other in found and found[other][0].id == found[key][0].id and self.claims(other) == email

    def _winner(self, email: str) -> ContactID | None:
        """Return who gets an address that several ask for; None: open."""
        asking: dict[CustomerID, list[ContactID]] = {}
        for key, (customer, contact) in self.contacts.items():
            if self.claims(key) == email:
                asking.setdefault(customer.id, []).append(key)
            elif key in self.deleted and made_of(contact, self.policy).email == email:
                return None
        if sum(map(len, asking.values())) > 1 and any(self._unsettled(key) for keys in asking.values() for key in keys):
            return None
        best = {customer: self._best(customer, keys, email) for customer, keys in asking.items()}
        if len(best) == 1:
            return next(iter(best.values()))
        linked = [key for key in best.values() if key in self.linked]
        if len(linked) == 1 and linked[0] and self.users[self.linked[linked[0]][1]][1].email == email:
            return linked[0]
        return None if linked or None in best.values() or not all(map(self.stands, best)) else best[min(best)]

    def _best(self, customer: CustomerID, keys: list[ContactID], email: str) -> ContactID | None:
        primary, linked = self.customers[customer].primary_contact, self.linked
        if primary in keys or len(keys) == 1:
            return primary if primary in keys else keys[0]
        claimants = [key for key in keys if key in linked]
        if not claimants:
            return lowest(keys)
        holds = self.users[linked[claimants[0]][1]][1].email == email
        return claimants[0] if len(claimants) == 1 and (holds or claimants[0] == lowest(keys)) else None

    def _releases(self, key: ContactID, user: UserID, asked: frozenset[ContactID]) -> bool | None:
        """Whether a linked user gives up the address it has; those who wait for one another never do."""
        if key in asked:
            return False
        match self.fate(key, asked):
            case Fate.GONE:
                return self.removable(user, asked | {key})
            case Fate.USER:
                return True if self.claims(key) != self.users[user][1].email else None
            case Fate.KEPT | Fate.NONE:
                return False
            case Fate.FREE:
                return None

    def removable(self, user: UserID, asked: frozenset[ContactID] = frozenset()) -> bool | None:
        """Whether a user may be taken away for sure."""
        home, mine = self.users[user]
        contact_of = {link[1]: key for key, link in self.linked.items()}
        members = [one for where, one in self.users.values() if where == home]
        leaving = {one.id for one in members if one.id in contact_of and self._may_go(contact_of[one.id], home)}
        staying = [one for one in members if one.id not in leaving]
        ours = [one for one in members if one.id in contact_of]
        half = len(ours) >= self.policy.limits.half_of_company_from and 2 * len(leaving) > len(ours)
        if not staying or len(leaving) == len(ours) or half or self._guarded():
            return None
        if not (self.is_admin(mine) or self.is_suspended(mine)) or any(map(self.is_admin, staying)):
            return True
        primary = self.customers[home].primary_contact
        members_of = {one.id for one in self.customers[home].contacts}
        able = primary in members_of - asked and self.fate(primary, asked) is Fate.USER
        return True if able else None

    def _may_go(self, key: ContactID, home: CustomerID) -> bool:
        found = self.contacts.get(key)
        if found is None or found[0].id != home:
            return True
        return standing(found[1], self.policy) in {Standing.OUT, Standing.UNCLEAR}

    def _guarded(self) -> bool:
        """Whether so many leave that the guard may have something to say."""
        linked, limits = self.linked, self.policy.limits
        leaving = sum(self._may_go(key, home) for key, (home, _) in linked.items())
        return leaving > limits.removals or (len(linked) >= limits.share_from and leaving > limits.share * len(linked))

    def is_admin(self, user: CompanyUser) -> bool:
        """Whether a user is an admin in the eyes of the policy."""
        return user.role in {self.policy.primary_role, *self.policy.admin_roles}

    def is_suspended(self, user: CompanyUser) -> bool:
        """Whether a user has the role that the policy leaves to last admins who left: it stays as they do."""
        return self.policy.protected_leaver is ProtectedLeaver.SUSPEND and user.role == self.policy.suspended_role

    def made(self, customer: Customer, asked: frozenset[ContactID], sure: ContactID | None = None) -> bool | None:
        """Whether a company that is not there is made; `sure` is known to get its address."""
        if not company_can_be_made(customer, self.policy):
            return False
        gets: dict[ContactID, bool | None] = {
            one.id: one.id == sure or (None if self._unsettled(one.id) else self._gets(one.id, asked | {one.id}))
            for one in customer.contacts
            if self.claims(one.id) and one.id not in asked - {sure}
        }
        primary = customer.primary_contact
        if primary in asked - {sure}:
            return None
        if primary in gets and gets[primary] is not False:
            return gets[primary]
        if self.policy.first_admin is FirstAdmin.PRIMARY_ONLY:
            return False
        return None  # whose e-mail and phone stand in for the company's is open


def check_step(step: Step, companies: Companies, *, addresses: bool = True) -> list[str]:
    """Return complaints about what one sync made of a world with a past; `step.customers` as they are after it."""
    complaints: list[str] = []
    companies = comparable(companies)
    for key in sorted(step.customers):
        customer, was, now = step.customers[key], step.before.get(key), companies.get(key)
        found = list(_existence(step, customer, now))
        if now is not None and Record(RecordKind.CUSTOMER, key) not in step.excused:
            found += _step_company(step, customer, now)
            found += _step_admins(step, customer, was, now)
            found += _step_strangers(step, customer, was, now)
            if addresses and joins(customer, step.policy) and step.policy.include_locations:
                found += _step_addresses(step, customer, now)
        complaints += [f"{key}: {text}" for text in found]
    after = {user.id: (key, user) for key, company in companies.items() if company for user in company.users}
    for one in sorted({*step.contacts, *step.history.users}, key=rank):
        complaints += [f"contact {one}: {text}" for text in _step_contact(step, one, after)]
    return complaints


def _existence(step: Step, customer: Customer, now: Company | None) -> Iterator[str]:
    if step.stands(customer.id):
        due: bool | None = True
    elif customer.id in step.history.companies:
        due = None if step.policy.recreate_deleted else False
    elif Record(RecordKind.CUSTOMER, customer.id) in step.excused:
        due = None
    else:
        due = joins(customer, step.policy) and step.made(customer, frozenset())
    if due is True and now is None:
        yield "its company is missing"
    if due is False and now is not None:
        yield "a company was made that should not be"


def _step_company(step: Step, customer: Customer, now: Company) -> Iterator[str]:
    limit = step.policy.lengths
    alone = all((address_of(customer.email), any(customer.phones), customer.address.country))
    whole = alone or company_can_be_made(customer, step.policy)  # what lacks something is held as a whole
    wanted = {
        "name": (customer.name, limit.company_name),
        "email": (address_of(customer.email), limit.company_email),
        "phone": (next(filter(None, customer.phones), ""), limit.phone),
    }
    for name, (value, size) in wanted.items():
        owned = name in step.policy.owned_company_fields and joins(customer, step.policy) and whole
        if owned and 0 < len(value) <= size and getattr(now, name) != value:
            yield f"company: {name} is {getattr(now, name)!r}, not {value!r}"
    reference = written(now.id, step.policy)
    due = joins(customer, step.policy) and RecordKind.CUSTOMER in step.policy.write_back and reference is not None
    if due and is_ours(customer.reference, step.policy) and customer.reference != reference:
        yield f"reference is {customer.reference!r}, not {reference!r}"


def _step_admins(step: Step, customer: Customer, was: Company | None, now: Company) -> Iterator[str]:
    role, primary = step.policy.primary_role, customer.primary_contact
    had = {user.id: user for user in was.users if step.is_admin(user)} if was else {}
    has = {user.id: user for user in now.users if step.is_admin(user)}
    if had and not has and not _suspended(step, now):
        yield "its company lost its last admin"
    fate = step.fate(primary) if primary in step.contacts and step.contacts[primary][0].id == customer.id else Fate.NONE
    mine = step.claims(primary) if primary in step.contacts and fate in {Fate.USER, Fate.FREE} else ""
    chosen = {user.id for user in now.users if mine and user.email == mine}
    if fate is Fate.KEPT and primary in step.linked:
        chosen.add(step.linked[primary][1])  # held for something else than its right to the role
    returned = customer.id in step.leaderless
    if was is not None and not returned and (was.users or step.policy.first_admin is FirstAdmin.PRIMARY_ONLY):
        for gained in sorted(has.keys() - had - chosen if fate is not Fate.FREE else ()):
            yield f"user {gained}: it was made admin and is nobody's primary"
    if fate is not Fate.USER:
        return
    if not chosen & has.keys():
        yield f"contact {primary}: its user is not admin"
    linked = {user for key, (_, user) in step.linked.items() if key not in step.history.open}
    back = {TakeBack.ALL: has.keys(), TakeBack.LINKED: has.keys() & linked, TakeBack.OURS: frozenset[UserID]()}
    ours = {step.history.granted.get(customer.id)} | back[step.policy.take_back]
    for other in sorted(has.keys() - chosen):
        if has[other].role == role and (step.policy.role_is_ours or other in ours):
            yield f"user {other}: the primary role was not taken back"


def _suspended(step: Step, company: Company) -> bool:
    """Whether the policy takes permissions from a last admin who left, and has done so."""
    return any(map(step.is_suspended, company.users))


def _step_strangers(step: Step, customer: Customer, was: Company | None, now: Company) -> Iterator[str]:
    """Nobody vanishes whom the sync did not link, and nobody appears who is no contact."""
    before = {user.id for user in was.users} if was else set()
    linked = {user: key for key, (_, user) in step.linked.items()}
    for lost in sorted(before - {user.id for user in now.users}):
        if lost not in linked or step.fate(linked[lost]) in {Fate.KEPT, Fate.NONE}:
            yield f"user {lost}: it is gone and should not be"
    able = {step.claims_by_itself(one.id) for one in customer.contacts if step.fate(one.id) in {Fate.USER, Fate.FREE}}
    for user in now.users:
        if user.id not in before and user.email not in able:
            yield f"user {user.id}: it was made and should not be"


def _step_addresses(step: Step, customer: Customer, now: Company) -> Iterator[str]:
    policy, left_open = step.policy, step.history.open_places
    wanted = expected_addresses(customer, policy)
    by_note = {place.note_id: place for place in customer.locations}
    others = {place.note_id for one in step.customers.values() for place in one.locations} - by_note.keys()
    found: dict[str, list[str]] = {}
    for one in now.addresses:
        found.setdefault(one.external_id, []).append(one.id)
        place = by_note.get(NoteID(one.external_id))
        if place is None and one.external_id in others:
            continue  # it came along with a company that was adopted
        if place is not None and (customer.id, place.id) in left_open:
            continue
        if one.external_id and (place is None or not place.active):
            yield f"address {one.id}: its location left"
        elif place is not None and place.id in wanted:
            names = ("first_name", "last_name", "phone", "address", "default_shipping", "default_billing")
            yield from _differences(f"address of location {place.id}", one, wanted[place.id], names)
            due = RecordKind.LOCATION in policy.write_back and is_ours(place.reference, policy)
            if due and place.reference != (written(one.id, policy) or place.reference):
                yield f"location {place.id}: reference is {place.reference!r}, not that of address {one.id}"
    for place in customer.locations:
        said = place.id in wanted and (customer.id, place.id) not in left_open
        if said and len(found.get(place.note_id, ())) != 1:
            yield f"location {place.id}: it has {len(found.get(place.note_id, ()))} addresses"


def _step_contact(step: Step, key: ContactID, after: Mapping[UserID, tuple[CustomerID, CompanyUser]]) -> Iterator[str]:
    link, fate = step.linked.get(key), step.fate(key)
    if fate is Fate.USER:
        yield from _step_user(step, key, after)
    if fate is Fate.KEPT and link and link[1] not in after:
        yield f"user {link[1]} is gone and should have stayed"
    if fate is Fate.GONE and link and step.removable(link[1]):
        email = step.users[link[1]][1].email
        if link[1] in after and email not in map(step.claims, step.contacts):
            yield f"user {link[1]} should be gone"
        held = step.contacts[key][1].reference if key in step.contacts else ""
        if held and held == written(link[1], step.policy) and link[1] not in after:
            yield "its reference was not cleared"


def _step_user(step: Step, key: ContactID, after: Mapping[UserID, tuple[CustomerID, CompanyUser]]) -> Iterator[str]:
    customer, contact = step.contacts[key]
    wanted, link = made_of(contact, step.policy), step.linked.get(key)
    found = [user for home, user in after.values() if user.email == wanted.email and home == customer.id]
    if len(found) != 1:
        yield f"it has {len(found)} users with its address"
        return
    (user,) = found
    owned = sorted({"first_name", "last_name", "phone"} & step.policy.owned_user_fields)
    yield from _differences("user", user, wanted, owned)
    if link and link[0] == customer.id and user.id != link[1]:
        yield f"its user {link[1]} was replaced by {user.id}"
    reference = written(user.id, step.policy)
    due = RecordKind.CONTACT in step.policy.write_back and reference is not None
    if due and is_ours(contact.reference, step.policy) and contact.reference != reference:
        yield f"reference is {contact.reference!r}, not {reference!r}"


def remember(step: Step, companies: Companies) -> History:
    """Return what is to be known before the next step is judged."""
    there = [(key, company) for key, company in comparable(companies).items() if company]
    after = {user.id: (key, user) for key, company in there for user in company.users}
    users: dict[ContactID, tuple[CustomerID, UserID]] = {}
    for home, user in after.values():
        contacts = step.customers[home].contacts if home in step.customers else ()
        able = [one for one in contacts if step.claims(one.id) == user.email and step.fate(one.id) is Fate.USER]
        for one in able or [one for one in contacts if one.note_id == user.external_id]:
            users[one.id] = (home, user.id)
    claimed = {user for _, user in users.values()}
    kept = {key: link for key, link in step.linked.items() if link[1] in after and link[1] not in claimed}
    out = {key for key in step.deleted if key not in step.contacts or not step.claims_by_itself(key)}
    return History(
        users=kept | users,
        companies=step.history.companies | {key for key, _ in there},
        granted=_granted(step, there),
        deleted=step.deleted - out - users.keys(),
        open=(step.history.open | out) - users.keys(),
        open_places=step.history.open_places,
    )


def _granted(step: Step, there: Iterable[tuple[CustomerID, Company]]) -> dict[CustomerID, UserID]:
    role = step.policy.primary_role
    granted: dict[CustomerID, UserID] = {}
    for key, company in there:
        was = step.before.get(key)
        had = {user.id for user in was.users if user.role == role} if was else set()
        has = {user.id for user in company.users if user.role == role}
        old = step.history.granted.get(key)
        granted.update((key, user) for user in (old, *sorted(has - had)) if user in has)
    return granted
