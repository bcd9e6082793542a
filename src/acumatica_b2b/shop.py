"""What a company is after a step: the storefront's side of `settle`, for plans and within a run."""

from collections.abc import Iterable
from typing import Any, assert_never

from attrs import define, evolve, field

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
    company: Company | None, done: Iterable[tuple[Step, str]], capabilities: Capabilities, policy: SyncPolicy
) -> Company | None:
    """Return the company as it is once steps took effect, each with the id of what it made or changed."""
    draft = _Draft(company) if company else None
    for step, identifier in done:
        if draft:
            _change(draft, step, identifier, policy)
        elif isinstance(step, CreateCompany):
            draft = _Draft(_created(step, CompanyID(StorefrontID(identifier)), capabilities))
    return draft.made() if draft else None


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


@define
class _Draft:
    """A company while steps change it."""

    company: Company
    users: dict[UserID, CompanyUser] = field(init=False)
    addresses: dict[AddressID, CompanyAddress] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.users = {user.id: user for user in self.company.users}
        self.addresses = {address.id: address for address in self.company.addresses}

    def made(self) -> Company:
        """Return what it has come to."""
        return evolve(self.company, users=tuple(self.users.values()), addresses=tuple(self.addresses.values()))

    def edit(self, user: UserID, **changes: Any) -> None:
        """Change fields of a user, if there is one."""
        if user in self.users:
            self.users[user] = evolve(self.users[user], **changes)


def _change(draft: _Draft, step: Step, identifier: str, policy: SyncPolicy) -> None:
    match step:
        case UpdateCompany(changes=changes):
            draft.company = evolve(draft.company, **_as_fields(changes))
        case CreateUser(user=wanted, role=role):
            made = _user(wanted, draft.company.id, identifier, role, external_id=wanted.external_id)
            draft.users[made.id] = made
        case UpdateUser(user=user, changes=changes):
            draft.edit(user, extra_fields=_extra(draft.users.get(user), changes), **_as_fields(changes))
        case SetRole(user=user, role=role):
            draft.edit(user, role=role)
        case MoveAdmin(user=user, role=role):
            for other in [other.id for other in draft.users.values() if other.role == role]:
                draft.edit(other, role=policy.user_role)
            draft.edit(user, role=role)
        case RemoveUser(user=user):
            draft.users.pop(user, None)
        case CreateAddress(address=address):
            draft.addresses[AddressID(StorefrontID(identifier))] = _address(address, identifier)
        case UpdateAddress(id=changed, address=address):
            draft.addresses[changed] = _address(address, changed)
        case RemoveAddress(id=removed):
            draft.addresses.pop(removed, None)
        case CreateCompany() | WriteReference():
            pass
        case _:
            assert_never(step)


def _as_fields(changes: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: value for name, value in changes if not name.startswith("extra_fields.")}
    return fields | ({"active": fields["active"] == "yes"} if "active" in fields else {})


def _extra(user: CompanyUser | None, changes: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    old = dict(user.extra_fields) if user else {}
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
