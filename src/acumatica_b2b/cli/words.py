"""Steps in people's words."""

import enum
from collections.abc import Iterator
from typing import Final, assert_never

from acumatica_b2b.actions import (
    Changes,
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
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.report import Plan
from acumatica_b2b.shop import is_pending

PRIMARY_ADMIN = "Primary Admin"
_DEFAULT_ROLE = SyncPolicy().primary_role
_FEW: Final = 20
"""So many companies that are taken over are named."""


class Sort(enum.Enum):
    """What a step does to what is there; the value is its sign in a table."""

    ADDS = "+"
    CHANGES = "~"
    HANDS_OVER = "★"
    REMOVES = "-"
    WRITES_BACK = "←"


def sort_of(step: Step) -> Sort:
    """Return what a step does to what is there."""
    match step:
        case CreateCompany() | CreateUser() | CreateAddress():
            return Sort.ADDS
        case UpdateCompany() | UpdateUser() | UpdateAddress():
            return Sort.CHANGES
        case SetRole() | MoveAdmin():
            return Sort.HANDS_OVER
        case RemoveUser() | RemoveAddress():
            return Sort.REMOVES
        case WriteReference():
            return Sort.WRITES_BACK
        case _:
            assert_never(step)


def describe(step: Step, primary_role: str = _DEFAULT_ROLE) -> str:
    """Return what a step does, without the record it is about; never an e-mail address."""
    match step:
        case CreateCompany(company=company, admin=admin):
            whom = f" with {admin.first_name} {admin.last_name} as {PRIMARY_ADMIN}" if admin else ""
            return f"create company {company.name}{whom}"
        case UpdateCompany(changes=changes):
            return f"change the company's {_fields(changes)}"
        case CreateUser(user=user, role=role):
            return f"create company user {user.first_name} {user.last_name} as {role_words(role, primary_role)}"
        case UpdateUser(changes=(("active", value),)):
            return f"{'activate' if value == 'yes' else 'deactivate'} the company user"
        case UpdateUser(changes=changes):
            return f"change the company user's {_fields(changes)}"
        case CreateAddress(address=address):
            return f"create address {address.label}"
        case UpdateAddress(address=address):
            return f"change address {address.label}"
        case MoveAdmin():
            return f"make the company user {PRIMARY_ADMIN}"
        case SetRole(role=role):
            return f"make the company user {role_words(role, primary_role)}"
        case RemoveUser():
            return "remove the company user"
        case RemoveAddress():
            return "remove the address"
        case WriteReference(reference=reference):
            return _written(reference.value)
        case _:
            assert_never(step)


def role_words(role: str, primary_role: str = _DEFAULT_ROLE) -> str:
    """Return a role's name; that of the primary contact under the name people know."""
    return PRIMARY_ADMIN if role == primary_role else role


def _fields(changes: Changes) -> str:
    words = {"email": "e-mail", "external_id": "external ID"}
    names = (name.removeprefix("extra_fields.") for name, _ in changes)
    return ", ".join(words.get(name, name.replace("_", " ")) for name in names)


def _written(reference: str) -> str:
    if not reference:
        return "clear its commerce reference ID in Acumatica"
    shown = (
        "its commerce reference ID"
        if is_pending(reference) or "new:" in reference
        else f"commerce reference ID {reference}"
    )
    return f"write {shown} to Acumatica"


_KINDS = {
    CreateCompany: "companies created",
    UpdateCompany: "companies changed",
    CreateUser: "company users created",
    UpdateUser: "company users changed",
    CreateAddress: "addresses created",
    UpdateAddress: "addresses changed",
    SetRole: "roles given",
    MoveAdmin: f"{PRIMARY_ADMIN}s moved",
    RemoveUser: "company users removed",
    RemoveAddress: "addresses removed",
    WriteReference: "commerce reference IDs written to Acumatica",
}


def plural(step: Step) -> str:
    """Return what many steps of this kind come to."""
    return _KINDS[type(step)]


def notes(plan: Plan, policy: SyncPolicy) -> Iterator[str]:
    """Yield what a plan's steps bring with them in BigCommerce, which no step says."""
    if adopted := [f"{one.adopts} by {one.customer}" for one in plan.companies if one.adopts]:
        more = f", and {len(adopted) - _FEW} more" if len(adopted) > _FEW else ""
        yield f"Companies of the shop that customers take over: {', '.join(adopted[:_FEW])}{more}."
    makes_users = any(isinstance(step, CreateCompany | CreateUser) for step in plan.steps)
    if makes_users and policy.existing_shoppers is ExistingShoppers.ADOPT:
        yield "A shopper with a new company user's address becomes that user: past orders move to the company."
    if any(isinstance(step, RemoveUser) for step in plan.steps):
        yield "Who is removed from a company keeps a plain shop login."
