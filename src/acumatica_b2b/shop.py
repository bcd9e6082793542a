"""What a company is after a step: the storefront's side of `settle`, for plans and within a run."""

from typing import Any, assert_never

from attrs import evolve

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
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    DesiredAddress,
    DesiredUser,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy


def pending(identifier: str) -> str:
    """Return what stands for an id that nobody knows yet."""
    return f"new:{identifier}"


def is_pending(identifier: str) -> bool:
    """Tell whether an id only stands for one that nobody knows yet."""
    return identifier.startswith("new:")


def after(
    company: Company | None, step: Step, identifier: str, capabilities: Capabilities, policy: SyncPolicy
) -> Company | None:
    """Return the company as it is once the step took effect; `identifier` is what the step made."""
    match step, company:
        case CreateCompany(), None:
            return _created(step, CompanyID(StorefrontID(identifier)), capabilities)
        case WriteReference(), _:
            return company
        case _, None:
            return None
        case _:
            return _changed(company, step, identifier, policy)


def _created(step: CreateCompany, identifier: CompanyID, capabilities: Capabilities) -> Company:
    role = capabilities.admin_role or step.role
    # an admin made along with its company has no external id yet: a step of its own writes it
    admins = (_user(step.admin, identifier, pending(step.admin.contact), role, external_id=""),) if step.admin else ()
    wanted = step.company
    return Company(
        id=identifier,
        name=wanted.name,
        email=wanted.email,
        phone=wanted.phone,
        external_id=wanted.external_id,
        users=admins,
    )


def _changed(company: Company, step: Step, identifier: str, policy: SyncPolicy) -> Company:
    match step:
        case UpdateCompany(changes=changes):
            return evolve(company, **_as_fields(changes))
        case CreateUser(user=user, role=role):
            made = _user(user, company.id, identifier, role, external_id=user.external_id)
            return evolve(company, users=(*company.users, made))
        case UpdateUser(user=user, changes=changes):
            extra = _extra(company, user, changes)
            return _edited(company, user, extra_fields=extra, **_as_fields(changes))
        case SetRole(user=user, role=role):
            return _edited(company, user, role=role)
        case MoveAdmin(user=user, role=role):
            for other in company.users:
                if other.role == role:
                    company = _edited(company, other.id, role=policy.user_role)
            return _edited(company, user, role=role)
        case RemoveUser(user=user):
            return evolve(company, users=tuple(u for u in company.users if u.id != user))
        case CreateAddress(address=address):
            return evolve(company, addresses=(*company.addresses, _address(address, identifier)))
        case UpdateAddress(id=changed, address=address):
            kept = tuple(a for a in company.addresses if a.id != changed)
            return evolve(company, addresses=(*kept, _address(address, changed)))
        case RemoveAddress(id=removed):
            return evolve(company, addresses=tuple(a for a in company.addresses if a.id != removed))
        case CreateCompany() | WriteReference():
            return company
        case _:
            assert_never(step)


def _edited(company: Company, user: UserID, **changes: Any) -> Company:
    return evolve(company, users=tuple(evolve(u, **changes) if u.id == user else u for u in company.users))


def _as_fields(changes: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: value for name, value in changes if not name.startswith("extra_fields.")}
    return fields | ({"active": fields["active"] == "yes"} if "active" in fields else {})


def _extra(company: Company, user: UserID, changes: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    old = {name: value for u in company.users if u.id == user for name, value in u.extra_fields}
    new = {name.removeprefix("extra_fields."): value for name, value in changes if name.startswith("extra_fields.")}
    return tuple((old | new).items())


def _user(user: DesiredUser, company: CompanyID, identifier: str, role: str, *, external_id: str) -> CompanyUser:
    return CompanyUser(
        id=UserID(StorefrontID(identifier)),
        company=company,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        phone=user.phone,
        role=role,
        external_id=external_id,
        extra_fields=user.extra_fields,
    )


def _address(address: DesiredAddress, identifier: str) -> CompanyAddress:
    return CompanyAddress(
        id=AddressID(StorefrontID(identifier)),
        external_id=address.external_id,
        label=address.label,
        first_name=address.first_name,
        last_name=address.last_name,
        phone=address.phone,
        address=address.address,
        default_shipping=address.default_shipping,
        default_billing=address.default_billing,
    )
