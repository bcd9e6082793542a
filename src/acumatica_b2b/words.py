"""Steps and roles in people's words; never an e-mail address."""

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
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.shop import is_pending

PRIMARY_ADMIN: Final = "Primary Admin"
_DEFAULT_ROLE: Final = SyncPolicy().primary_role


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
