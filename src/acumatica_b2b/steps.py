"""Steps as data: the fields they send, and what the sync log keeps of them."""

from collections.abc import Mapping
from typing import assert_never

from acumatica_b2b.actions import (
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    Step,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
    WriteReference,
)
from acumatica_b2b.mapping import plain_email
from acumatica_b2b.model import (
    Company,
    CompanyAddress,
    CompanyUser,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    Record,
    RecordKind,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.synclog import Grant, LoggedStep, digest


# ------------------------------------------------------------------ fields
def company_fields(company: DesiredCompany | Company) -> dict[str, str]:
    """Return the fields of a company that may follow the ERP."""
    fields = {"name": company.name, "email": company.email, "phone": company.phone, "external_id": company.external_id}
    return fields | ({} if isinstance(company, Company) else _extra(company.extra_fields))


def user_fields(user: DesiredUser | CompanyUser) -> dict[str, str]:
    """Return the fields of a company user that may follow the ERP."""
    return {
        "email": plain_email(user.email),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "external_id": user.external_id,
    } | _extra(user.extra_fields)


def address_fields(address: DesiredAddress | CompanyAddress) -> dict[str, str]:
    """Return the one value that stands for all of an address."""
    place = address.address
    whole = (
        (address.external_id, address.label, address.first_name, address.last_name, address.phone),
        (place.line1, place.line2, place.city, place.state, place.postal_code, place.country),
        (address.default_shipping, address.default_billing),
    )
    return {"address": repr(whole)}


def _extra(fields: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {f"extra_fields.{name}": value for name, value in fields}


def digests(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with digests for their values."""
    return {name: digest(value) for name, value in fields.items()}


# ------------------------------------------------------------------ steps
def record_of(step: Step) -> Record:
    """Return the ERP record that a step is about."""
    match step:
        case CreateCompany(company=company):
            return Record(RecordKind.CUSTOMER, company.customer)
        case UpdateCompany(customer=customer):
            return Record(RecordKind.CUSTOMER, customer)
        case CreateUser(user=user):
            return Record(RecordKind.CONTACT, user.contact)
        case UpdateUser(contact=contact) | MoveAdmin(contact=contact) | RemoveUser(contact=contact):
            return Record(RecordKind.CONTACT, contact)
        case SetRole():
            return Record(RecordKind.CONTACT, step.contact or f"of user {step.user}")
        case CreateAddress(address=address) | UpdateAddress(address=address):
            return Record(RecordKind.LOCATION, address.location)
        case RemoveAddress(location=location):
            return Record(RecordKind.LOCATION, location)
        case WriteReference(reference=reference):
            return reference.record
        case _:
            assert_never(step)


def logged(step: Step, policy: SyncPolicy, roles: Mapping[str, str]) -> LoggedStep:
    """Return what the log keeps of a step; `roles` are those of the company's users now."""
    target = target_of(step)
    former = roles.get(target, "") if isinstance(step, SetRole) else ""
    return LoggedStep(
        hash=digest(step),
        do=type(step).__name__,
        record=record_of(step),
        id=target,
        email=_address_of_creation(step),
        admin=step.admin.contact if isinstance(step, CreateCompany) and step.admin else "",
        grant=_grant(step, policy, former),
        former_role="" if former == policy.suspended_role else former,
        reference=step.reference.value if isinstance(step, WriteReference) else "",
        fields=digests(sent_fields(step)),
    )


def target_of(step: Step) -> str:
    """Return the storefront's id of what a step changes; "" where it makes it, or is no business of the storefront."""
    match step:
        case UpdateUser(user=user) | SetRole(user=user) | MoveAdmin(user=user) | RemoveUser(user=user):
            return user
        case UpdateCompany(company=company):
            return company
        case UpdateAddress(id=address) | RemoveAddress(id=address):
            return address
        case CreateCompany() | CreateUser() | CreateAddress() | WriteReference():
            return ""
        case _:
            assert_never(step)


def _address_of_creation(step: Step) -> str:
    match step:
        case CreateCompany(admin=admin) if admin:
            return admin.email
        case CreateUser(user=user):
            return user.email
        case _:
            return ""


def _grant(step: Step, policy: SyncPolicy, former: str) -> Grant:
    match step:
        case MoveAdmin():
            return "move"
        case SetRole(role=role):
            return _of_role(role, policy, former)
        case CreateUser(role=role) if role == policy.primary_role:
            return "give"
        case CreateCompany(admin=admin) if admin:
            return "give"
        case _:
            return ""


def _of_role(role: str, policy: SyncPolicy, former: str) -> Grant:
    match role:
        case policy.primary_role:
            return "give"
        case policy.suspended_role:
            return "suspend"
        case _ if policy.suspended_role and former == policy.suspended_role:
            return "restore"
        case _:
            return "take"


def sent_fields(step: Step) -> Mapping[str, str]:
    """Return the fields whose values a step sends."""
    match step:
        case CreateCompany(company=company):
            return company_fields(company)
        case CreateUser(user=user):
            return user_fields(user)
        case CreateAddress(address=address) | UpdateAddress(address=address):
            return address_fields(address)
        case UpdateCompany(changes=changes) | UpdateUser(changes=changes):
            return dict(changes)
        case _:
            return {}
