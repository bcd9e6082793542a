"""Who is who: which company user is which contact's, and who gets an address that several want."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from types import MappingProxyType

from attrs import frozen

from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.locations import id_order
from acumatica_b2b.mapping import Desired, contact_record, plain_email
from acumatica_b2b.model import (
    UNSET,
    AddressID,
    Company,
    CompanyUser,
    ContactID,
    DesiredAddress,
    DesiredUser,
    LocationID,
    MaybeUnset,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy


def reference_to(identifier: str, policy: SyncPolicy) -> str:
    """Return the commerce reference ID that stands for a storefront's id."""
    return policy.reference_format.replace("{id}", identifier)


def referred(reference: str | MaybeUnset, policy: SyncPolicy) -> str | None:
    """Return the storefront's id that a commerce reference ID names; None for a foreign value."""
    pattern = _pattern(policy.reference_format, policy.reference_id)
    found = None if reference is UNSET else pattern.fullmatch(reference.strip())
    return found[1] if found else None


@cache
def _pattern(reference_format: str, identifier: str) -> re.Pattern[str]:
    before, after = map(re.escape, reference_format.split("{id}"))
    return re.compile(f"{before}({identifier}){after}")


@frozen(kw_only=True)
class Contest:
    """Who of the desired users may have its address, and why the others may not."""

    users: tuple[DesiredUser, ...]
    findings: tuple[Finding, ...] = ()

    @cached_property
    def by_contact(self) -> Mapping[ContactID | None, DesiredUser]:
        """The users, by the contacts who are to become them."""
        return {user.contact: user for user in self.users}


_NOBODY: Mapping[str, ContactID] = MappingProxyType({})


def contested(
    desired: Desired,
    linked: frozenset[ContactID] = frozenset(),
    deleted: frozenset[ContactID] = frozenset(),
    spoken_for: Mapping[str, ContactID] = _NOBODY,
) -> Contest:
    """Give each address to one contact: the primary, else one already linked, else the lowest id.

    Contacts whose user was `deleted` in the shop come last: none is made for them anyway. Addresses
    that are `spoken_for` go to contacts of other customers.
    """

    def rank(user: DesiredUser) -> tuple[bool, bool, bool, tuple[int, str]]:
        contact = user.contact
        return contact in deleted, contact != desired.primary, contact not in linked, id_order(contact)

    winners = dict(spoken_for)
    for user in sorted(desired.users, key=rank):
        winners.setdefault(user.email, user.contact)
    losers = [user for user in desired.users if winners[user.email] != user.contact]
    return Contest(
        users=tuple(user for user in desired.users if winners[user.email] == user.contact),
        findings=tuple(
            Finding(
                kind=FindingKind.DUPLICATE_EMAIL,
                record=contact_record(user.contact),
                detail=str(contact_record(winners[user.email])),
            )
            for user in losers
        ),
    )


@frozen(kw_only=True)
class Pairs:
    """Which contact is which user, and which contacts came too late for the user they name."""

    users: Mapping[ContactID, UserID]
    late: tuple[tuple[ContactID, UserID], ...] = ()

    @cached_property
    def contacts(self) -> Mapping[UserID, ContactID]:
        """The contacts, by their users."""
        return {user: contact for contact, user in self.users.items()}


def match_users(
    wanted: Iterable[DesiredUser],
    company: Company,
    links: Mapping[ContactID, UserID],
    references: Mapping[ContactID, UserID],
    kept: frozenset[ContactID],
    apart: frozenset[tuple[ContactID, str]] = frozenset(),
) -> Pairs:
    """Pair contacts with company users: by link, else external id, else reference, else e-mail.

    `links` and `references` are those of all contacts, also of those who want no user; `kept` names
    the contacts who keep the user that they are linked to although they want none now; `apart` the
    pairs that people said are none.
    A user is claimed once; a contact whose link or reference names a user claimed before is late.
    """
    users = tuple(wanted)
    there = {user.id: user for user in company.users}
    reserved = frozenset(links[contact] for contact in kept if contact in links)
    claims: tuple[Callable[[DesiredUser], UserID | None], ...] = (
        lambda user: links.get(user.contact),
        _finder(company, lambda user: user.external_id.lower(), lambda user: user.external_id),
        lambda user: references.get(user.contact),
        _finder(company, lambda user: plain_email(user.email), lambda user: user.email),
    )
    pairs: dict[ContactID, UserID] = {}
    taken = set(reserved)
    late: list[tuple[ContactID, UserID]] = []
    for claim in claims:
        for user in users:
            found = claim(user)
            if found is None or user.contact in pairs or found not in there or (user.contact, found) in apart:
                continue
            if found in taken:
                late.append((user.contact, found))
            else:
                pairs[user.contact] = found
                taken.add(found)
    return Pairs(users=pairs, late=tuple(pair for pair in late if pair[0] not in pairs))


def _finder(
    company: Company, of_user: Callable[[CompanyUser], str], of_desired: Callable[[DesiredUser], str]
) -> Callable[[DesiredUser], UserID | None]:
    by = {key: user.id for user in company.users if (key := of_user(user))}
    return lambda desired: by.get(of_desired(desired))


def match_addresses(
    desired: Desired,
    company: Company,
    links: Mapping[LocationID, AddressID],
    apart: frozenset[tuple[LocationID, str]] = frozenset(),
) -> Mapping[LocationID, AddressID]:
    """Pair locations with addresses of their company: by link, else external id; `apart` as with users."""
    there = {address.id for address in company.addresses}
    by_external = {a.external_id.lower(): a.id for a in company.addresses if a.external_id}
    pairs: dict[LocationID, AddressID] = {}
    taken: set[AddressID] = set()
    claims: tuple[Callable[[DesiredAddress], AddressID | None], ...] = (
        lambda address: links.get(address.location),
        lambda address: by_external.get(address.external_id),
    )
    for claim in claims:
        for address in desired.addresses:
            found = claim(address)
            if found is None or address.location in pairs or found not in there or (address.location, found) in apart:
                continue
            if found not in taken:
                pairs[address.location] = found
                taken.add(found)
    return pairs


def adoptable(holders: Iterable[CompanyUser | None], primary_holder: CompanyUser | None, wanted: int) -> frozenset[str]:
    """Return the companies that hold the primary's address or more than half of all wanted ones."""
    counts: dict[str, int] = {}
    for holder in holders:
        if holder:
            counts[holder.company] = counts.get(holder.company, 0) + 1
    found = {company for company, count in counts.items() if count * 2 > wanted}
    return frozenset(found | ({primary_holder.company} if primary_holder else set()))
