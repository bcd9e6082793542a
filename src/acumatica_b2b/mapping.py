"""The map: from what the ERP has to the company, users and addresses there should be.

`map_contact`, `map_location` and `map_customer` are plain functions of values. A host wraps one of
them, or hands its own callable of `map_customer`'s type to `ContactSync(mapping=…)`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from attrs import evolve, frozen

from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.locations import Measured, first_of, id_order, map_locations, too_long
from acumatica_b2b.model import (
    UNSET,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    Record,
    RecordKind,
)
from acumatica_b2b.policy import FirstAdmin, Lengths, SyncPolicy

_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[^@\s,;:<>()\[\]\\\".]+(\.[^@\s,;:<>()\[\]\\\".]+)+")
DELETED: Final = "it was deleted in Acumatica"
"""Why a customer that is gone takes no part."""

_UPPER_TO_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})


@frozen(kw_only=True)
class Desired:
    """What one customer should become.

    `company` is None where there must be none, or where the ERP's data can't make one; a finding
    says which. `primary` is the contact that the ERP names, eligible or not.
    """

    customer: CustomerID
    takes_part: bool
    company: DesiredCompany | None = None
    users: tuple[DesiredUser, ...] = ()
    addresses: tuple[DesiredAddress, ...] = ()
    primary: ContactID | None = None
    findings: tuple[Finding, ...] = ()


CustomerMapping: TypeAlias = Callable[[Customer, SyncPolicy], Desired]


def contact_record(contact: ContactID) -> Record:
    """Return the name of a contact's record."""
    return Record(RecordKind.CONTACT, contact)


def customer_record(customer: CustomerID) -> Record:
    """Return the name of a customer's record."""
    return Record(RecordKind.CUSTOMER, customer)


def plain_email(text: str) -> str:
    """Return an address trimmed and in ASCII lower case, as addresses are compared.

    >>> plain_email(" Mark@Test.COM ")
    'mark@test.com'
    """
    plain = text.strip()
    return plain.lower() if plain.isascii() else plain.translate(_UPPER_TO_LOWER)


# ------------------------------------------------------------------ contacts
def map_contact(contact: Contact, policy: SyncPolicy) -> DesiredUser | Finding:
    """Return the user that a contact should become, or the reason why it becomes none."""
    emails = emails_of(contact.email)
    first_name = contact.first_name.strip() or policy.first_name_filler
    last_name = contact.last_name.strip()
    out = _takes_no_part(contact, policy) or _incomplete(emails, first_name, last_name)
    if out is None:
        user = DesiredUser(
            contact=contact.id,
            external_id=contact.note_id,
            email=emails[0],
            first_name=first_name,
            last_name=last_name,
            phone=first_of(contact.phones),
            sites=contact.association.sites,
        )
        excess = too_long(_user_lengths(user, policy.lengths))
        if not excess:
            return user
        out = FindingKind.TOO_LONG, excess
    kind, detail = out
    return Finding(kind=kind, record=contact_record(contact.id), detail=detail)


def _incomplete(emails: tuple[str, ...], first_name: str, last_name: str) -> tuple[FindingKind, str] | None:
    if not emails:
        return FindingKind.MISSING_EMAIL, ""
    if not _EMAIL.fullmatch(emails[0]):
        return FindingKind.INVALID_EMAIL, ""
    if not first_name:
        return FindingKind.MISSING_FIRST_NAME, ""
    return None if last_name else (FindingKind.MISSING_LAST_NAME, "")


def _takes_no_part(contact: Contact, policy: SyncPolicy) -> tuple[FindingKind, str] | None:
    association = contact.association
    if not policy.include_contacts:
        return FindingKind.NOT_INCLUDED, ""
    if not contact.active:
        return FindingKind.INACTIVE, ""
    if association.enabled is UNSET:
        return FindingKind.OPT_IN_UNREADABLE, "for the site association"
    if not association.enabled:
        return FindingKind.NOT_ENABLED, ""
    if policy.connection_types is None:
        return None
    if association.connection_type is UNSET:
        return FindingKind.OPT_IN_UNREADABLE, "for the connection type"
    if association.connection_type not in policy.connection_types:
        return FindingKind.CONNECTION_TYPE, repr(association.connection_type)
    return None


def emails_of(text: str) -> tuple[str, ...]:
    """Return the addresses that an e-mail field holds, as they are compared."""
    parts = (text,) if _is_one(text) else re.split("[;,]", text)
    return tuple([plain for part in parts if (plain := plain_email(part))])


def _is_one(text: str) -> bool:
    return ";" not in text and "," not in text


def _user_lengths(user: DesiredUser, most: Lengths) -> Measured:
    return (
        ("e-mail address", user.email, most.email),
        ("first name", user.first_name, most.name),
        ("last name", user.last_name, most.name),
        ("phone number", user.phone, most.phone),
    )


# ------------------------------------------------------------------ customers
def map_customer(customer: Customer, policy: SyncPolicy) -> Desired:
    """Return what a customer, its contacts and its locations should become.

    Every contact ends as a desired user or with a finding.
    """
    if reason := _customer_left_out(customer, policy):
        return left_out(customer, reason)
    contacts = [map_contact(contact, policy) for contact in customer.contacts]
    users = tuple([user for user in contacts if isinstance(user, DesiredUser)])
    places = map_locations(customer, policy)
    admin = first_admin(users, customer.primary_contact, policy)
    company = _map_company(customer, admin, policy)
    found = [one for one in (company, *contacts, *places) if isinstance(one, Finding)]
    return Desired(
        customer=customer.id,
        takes_part=True,
        company=company if isinstance(company, DesiredCompany) else None,
        users=users,
        addresses=tuple([address for address in places if isinstance(address, DesiredAddress)]),
        primary=customer.primary_contact,
        findings=(*found, *_lists(customer, users)),
    )


def first_admin(users: tuple[DesiredUser, ...], primary: ContactID | None, policy: SyncPolicy) -> DesiredUser | None:
    """Return who is to be the admin of a company that does not exist yet."""
    return next(first_admins(users, primary, policy), None)


def first_admins(
    users: tuple[DesiredUser, ...], primary: ContactID | None, policy: SyncPolicy
) -> Iterator[DesiredUser]:
    """Yield who may be the admin of a company that does not exist yet, the first choice first."""
    yield from (user for user in users if user.contact == primary)
    if policy.first_admin is FirstAdmin.LOWEST_CONTACT:
        yield from sorted(users, key=lambda user: id_order(user.contact))


def _customer_left_out(customer: Customer, policy: SyncPolicy) -> str:
    def outside(value: str, accepted: frozenset[str] | None) -> bool:
        return accepted is not None and value not in accepted

    if customer.guest and not policy.guests:
        return "it is a guest customer"
    if outside(customer.status, policy.customer_statuses):
        return f"its status is {customer.status!r}"
    if customer.category and outside(customer.category, policy.customer_categories):
        return f"its category is {customer.category!r}"
    if outside(customer.customer_class, policy.customer_classes):
        return f"its class is {customer.customer_class!r}"
    return ""


def left_out(customer: Customer, reason: str) -> Desired:
    """Return what there should be of a customer that takes no part."""
    records = (
        customer_record(customer.id),
        *(contact_record(contact.id) for contact in customer.contacts),
        *(Record(RecordKind.LOCATION, location.id) for location in customer.locations),
    )
    return Desired(
        customer=customer.id,
        takes_part=False,
        primary=customer.primary_contact,
        findings=tuple(Finding(kind=FindingKind.CUSTOMER_FILTERED, record=r, detail=reason) for r in records),
    )


def passed_over(desired: Desired, skipped: frozenset[Record]) -> Desired:
    """Return what there should be without the records that people want left as they are."""
    if not skipped:
        return desired
    users = tuple(user for user in desired.users if contact_record(user.contact) not in skipped)
    addresses = tuple(a for a in desired.addresses if Record(RecordKind.LOCATION, a.location) not in skipped)
    kept = tuple(finding for finding in desired.findings if finding.record not in skipped)
    said = tuple(Finding(kind=FindingKind.SKIPPED, record=record) for record in sorted(skipped))
    return evolve(desired, users=users, addresses=addresses, findings=(*kept, *said))


def _map_company(customer: Customer, admin: DesiredUser | None, policy: SyncPolicy) -> DesiredCompany | Finding:
    def because(kind: FindingKind, detail: str = "") -> Finding:
        return Finding(kind=kind, record=customer_record(customer.id), detail=detail)

    email = next(iter(emails_of(customer.email)), admin.email if admin else "")
    phone = first_of(customer.phones) or (admin.phone if admin else "")
    if not email:
        return because(FindingKind.MISSING_COMPANY_EMAIL)
    if not _EMAIL.fullmatch(email):
        return because(FindingKind.INVALID_EMAIL)
    if not phone:
        return because(FindingKind.MISSING_PHONE)
    if not customer.address.country.strip():
        return because(FindingKind.MISSING_COUNTRY)
    company = DesiredCompany(
        customer=customer.id,
        external_id=customer.note_id,
        name=customer.name.strip(),
        email=email,
        phone=phone,
        address=customer.address,
    )
    excess = too_long(_company_lengths(company, policy.lengths))
    return because(FindingKind.TOO_LONG, excess) if excess else company


def _company_lengths(company: DesiredCompany, most: Lengths) -> Measured:
    return (
        ("name", company.name, most.company_name),
        ("e-mail address", company.email, most.company_email),
        ("phone number", company.phone, most.phone),
        ("first street line", company.address.line1, most.address),
        ("second street line", company.address.line2, most.address),
        ("city", company.address.city, most.city),
    )


def _lists(customer: Customer, users: tuple[DesiredUser, ...]) -> Iterator[Finding]:
    """Yield a finding for each user whose contact has several addresses in one field."""
    several = [contact for contact in customer.contacts if not _is_one(contact.email)]
    made = {user.contact for user in users} if several else set[ContactID]()
    for contact in several:
        count = len(emails_of(contact.email))
        if contact.id in made and count > 1:
            yield Finding(kind=FindingKind.EMAIL_LIST, record=contact_record(contact.id), detail=str(count))
