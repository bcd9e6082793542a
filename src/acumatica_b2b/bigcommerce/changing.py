"""Flows that change or remove one record."""

from collections.abc import Mapping
from typing import assert_never

from acumatica_b2b.actions import (
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce.api import Api, record_id
from acumatica_b2b.bigcommerce.errors import classify, classify_removal
from acumatica_b2b.bigcommerce.records import RoleRecord
from acumatica_b2b.bigcommerce.updating import set_role, update_address, update_company, update_user
from acumatica_b2b.errors import OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, ask
from acumatica_b2b.http import Classify, Pause, Response
from acumatica_b2b.model import StorefrontID

Change = UpdateCompany | UpdateUser | UpdateAddress | SetRole | MoveAdmin | RemoveUser | RemoveAddress


def change(api: Api, action: Change, roles: Mapping[str, RoleRecord]) -> Flow[StorefrontID]:
    """Do it and return the record's id; but for a role, whoever looks at the company again reads it anew.

    Raises:
        RemoteError: it was not done, or nobody knows; a refusal names the record.

    """
    if not isinstance(action, UpdateCompany | SetRole):
        api.known.lost_sight(action.company)
    try:
        return (yield from _change(api, action, roles))
    except RejectedError as error:
        raise RejectedError(error.reason, f"{name_of(action)}: {error}") from error


def _change(api: Api, action: Change, roles: Mapping[str, RoleRecord]) -> Flow[StorefrontID]:
    match action:
        case UpdateCompany():
            try:
                return (yield from update_company(api, action))
            finally:
                api.known.changed_company(action.company)
        case UpdateUser():
            return (yield from update_user(api, action))
        case SetRole():
            return (yield from set_role(api, action, roles[action.role]))
        case UpdateAddress():
            return (yield from update_address(api, action))
        case RemoveUser():
            yield from _remove(api, "users", action.user, classify_removal)
            api.known.users.pop(int(action.user), None)
            return action.user
        case RemoveAddress():
            yield from _remove(api, "addresses", action.id, classify)
            return action.id
        case MoveAdmin():
            message = "this storefront has no single call for it; promote first, then demote"
            raise RejectedError(Reason.UNSUPPORTED, message)
        case _:
            assert_never(action)


# ------------------------------------------------------------------ removals
def _remove(api: Api, path: str, id_: str, classify: Classify) -> Flow[None]:
    """Remove it; where the first answer was lost, a second "not found" says that it is done."""
    try:
        yield from api.write("DELETE", path, record_id(id_), repeatable=False, classify=classify)
    except OutcomeUnknownError:
        if api.config.retries.attempts < 2:
            raise
        yield from ask(Pause(api.config.retries.first_pause))
        yield from api.write("DELETE", path, record_id(id_), repeatable=True, classify=_gone_is_done(classify))


def _gone_is_done(classify: Classify) -> Classify:
    def classify_again(response: Response) -> Outcome[Response]:
        outcome = classify(response)
        match outcome:
            case Failed(RejectedError(reason=Reason.GONE)):
                return Ok(response)
            case _:
                return outcome

    return classify_again


# ------------------------------------------------------------------ names
def name_of(action: Change) -> str:
    """Return what is about to be done, for an error."""
    match action:
        case UpdateCompany():
            name = f"update company {action.company} of customer {action.customer!r}"
        case UpdateUser():
            name = f"update company user {action.user} of contact {action.contact!r}"
        case UpdateAddress():
            name = f"update address {action.id} of location {action.address.location!r}"
        case SetRole():
            name = f"give company user {action.user} the role {action.role!r}"
        case MoveAdmin():
            name = f"move the Primary Admin to company user {action.user}"
        case RemoveUser():
            name = f"remove company user {action.user} of contact {action.contact!r}"
        case RemoveAddress():
            name = f"remove address {action.id} of location {action.location!r}"
        case _:
            assert_never(action)
    return name
