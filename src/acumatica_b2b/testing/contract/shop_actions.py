"""Actions on what a contract made, and how a failure tells of them."""

from acumatica_b2b.actions import Action, CreateUser, MoveAdmin, RemoveUser, SetRole, UpdateCompany, UpdateUser
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.model import CompanyID, DesiredUser
from acumatica_b2b.testing.contract.shop_made import Home, Person


def updating(person: Person, *changes: tuple[str, str]) -> UpdateUser:
    """Return the change of a user."""
    return UpdateUser(company=person.company, user=person.id, contact=person.wanted.contact, changes=changes)


def updating_company(home: Home, *changes: tuple[str, str]) -> UpdateCompany:
    """Return the change of a company."""
    return UpdateCompany(company=home.id, customer=home.wanted.customer, changes=changes)


def creating(company: CompanyID, user: DesiredUser, role: str) -> CreateUser:
    """Return the creation of a user."""
    return CreateUser(company=company, user=user, role=role)


def removing(person: Person) -> RemoveUser:
    """Return the removal of a user."""
    return RemoveUser(company=person.company, user=person.id, contact=person.wanted.contact)


def granting(person: Person, role: str) -> SetRole:
    """Return the giving of a role."""
    return SetRole(company=person.company, user=person.id, contact=person.wanted.contact, role=role)


def moving_admin(person: Person, role: str) -> MoveAdmin:
    """Return the move of the Primary Admin's role to a user."""
    return MoveAdmin(company=person.company, user=person.id, contact=person.wanted.contact, role=role)


# ------------------------------------------------------------------ words
def told(action: Action) -> str:
    """Return an action in a few words."""
    match action:
        case UpdateUser(changes=changes) | UpdateCompany(changes=changes):
            return f"{type(action).__name__} of {', '.join(name for name, _ in changes)}"
        case SetRole(role=role) | CreateUser(role=role):
            return f"{type(action).__name__} with the role {role!r}"
        case _:
            return type(action).__name__


def told_error(error: Exception) -> str:
    """Return an error with its class, and its reason where it has one."""
    reason = f", Reason.{error.reason.name}" if isinstance(error, RejectedError) else ""
    return f"{type(error).__name__}{reason}: {error}"
