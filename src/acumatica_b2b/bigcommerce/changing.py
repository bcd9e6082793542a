"""Flows that change or remove one record."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from acumatica_b2b.actions import (
    Changes,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce.api import Api, number
from acumatica_b2b.bigcommerce.complaints import fields
from acumatica_b2b.bigcommerce.creations import address_fields, extra_fields
from acumatica_b2b.bigcommerce.errors import classify, classify_removal
from acumatica_b2b.bigcommerce.records import (
    CompanyRecord,
    ExtraFieldRecord,
    One,
    RoleRecord,
    UserRecord,
    decoded,
    folded,
    pairs,
)
from acumatica_b2b.bigcommerce.roles import role_fields
from acumatica_b2b.errors import OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, ask
from acumatica_b2b.http import Classify, Pause, Response
from acumatica_b2b.model import StorefrontID

Change = UpdateCompany | UpdateUser | UpdateAddress | SetRole | MoveAdmin | RemoveUser | RemoveAddress
_COMPANY: Final = {"name": "companyName", "email": "companyEmail", "phone": "companyPhone", "external_id": "uuid"}
_USER: Final = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phoneNumber",
    "external_id": "uuid",
}
_STATUS: Final = {"yes": 1, "no": 3}
_EXTRA: Final = "extra_fields."


def change(api: Api, action: Change, roles: Mapping[str, RoleRecord]) -> Flow[StorefrontID]:
    """Do it and return the record's id.

    Raises:
        RemoteError: it was not done, or nobody knows; a refusal names the record.

    """
    try:
        return (yield from _change(api, action, roles))
    except RejectedError as error:
        raise RejectedError(error.reason, f"{_name(action)}: {error}") from error


def _change(api: Api, action: Change, roles: Mapping[str, RoleRecord]) -> Flow[StorefrontID]:
    match action:
        case UpdateCompany():
            return (yield from _update_company(api, action))
        case UpdateUser():
            return (yield from _update_user(api, action))
        case SetRole():
            yield from _put_user(api, action.user, role_fields(roles[action.role]))
            return action.user
        case UpdateAddress():
            yield from _put(api, "addresses", action.id, address_fields(api, action.address))
            return action.id
        case RemoveUser():
            yield from _remove(api, "users", action.user, classify_removal)
            return action.user
        case RemoveAddress():
            yield from _remove(api, "addresses", action.id, classify)
            return action.id
        case MoveAdmin():
            message = "this storefront has no single call for it; promote first, then demote"
            raise RejectedError(Reason.UNSUPPORTED, message)
        case _:
            assert_never(action)


# ------------------------------------------------------------------ updates
def _update_company(api: Api, action: UpdateCompany) -> Flow[StorefrontID]:
    changes = dict(action.changes)
    status = changes.pop("active", None)
    if (id_field := api.config.company_id_field) is not None and "external_id" in changes:
        changes[f"{_EXTRA}{id_field}"] = changes.pop("external_id")
    if changes:
        plain, extra = _split(tuple(changes.items()), _COMPANY)
        yield from _put_company(api, action.company, plain, extra)
    if status is not None:
        yield from _put_status(api, action.company, status)
    return action.company


def _put_company(api: Api, id_: str, plain: Mapping[str, str], extra: Mapping[str, str]) -> Flow[None]:
    """Send the changed fields; with all extra fields where one changes, or the store insists on them."""
    if extra:
        held = yield from _company_extra_fields(api, id_)
        yield from _put(api, "companies", id_, {**plain, **extra_fields({**held, **extra})})
        return
    try:
        yield from _put(api, "companies", id_, plain)
    except RejectedError as error:
        # a store may want its required extra fields with every update; only a refusal tells
        if error.reason is not Reason.INVALID:
            raise
        if not (held := (yield from _company_extra_fields(api, id_))):
            raise
        yield from _put(api, "companies", id_, {**plain, **extra_fields(held)})


def _put_status(api: Api, id_: str, active: str) -> Flow[None]:
    if active not in _STATUS:
        raise RejectedError(Reason.INVALID, f"active is {active!r}; it may be 'yes' or 'no'")
    yield from api.write(
        "PUT", "companies", _id(id_), "status", body={"companyStatus": _STATUS[active]}, repeatable=True
    )


def _company_extra_fields(api: Api, id_: str) -> Flow[Mapping[str, str]]:
    response = yield from api.get("companies", _id(id_))
    return _held(decoded(response, One[CompanyRecord], f"companies/{id_}").data.extra_fields)


def _update_user(api: Api, action: UpdateUser) -> Flow[StorefrontID]:
    plain, extra = _split(action.changes, _USER)
    if extra:
        response = yield from api.get("users", _id(action.user))
        held = _held(decoded(response, One[UserRecord], f"users/{action.user}").data.extra_fields)
        extra = {**held, **extra}
    yield from _put_user(api, action.user, {**plain, **extra_fields(extra)})
    return action.user


def _held(rows: tuple[ExtraFieldRecord, ...] | None) -> Mapping[str, str]:
    """Return the extra fields that have a value; whether an update merges or replaces them is not documented."""
    return {name: value for name, value in pairs(rows) if value}


def _put_user(api: Api, id_: str, body: Mapping[str, Any]) -> Flow[None]:
    response = yield from _put(api, "users", id_, body)
    said = _said(response)
    # what the API does not know or will not change it ignores, with status 200
    for name, what in (("email", "e-mail address"), ("companyRoleId", "role")):
        if name in body and name in said and folded(str(said[name])) != folded(str(body[name])):
            raise RejectedError(Reason.INVALID, f"the storefront answered with success and kept the old {what}")


def _put(api: Api, path: str, id_: str, body: Mapping[str, Any]) -> Flow[Response]:
    return api.write("PUT", path, _id(id_), body=body, repeatable=True)


def _said(response: Response) -> Mapping[str, Any]:
    """Return what an update tells of the record, if anything."""
    return fields(fields(response.json()).get("data")) if response.body else {}


def _split(changes: Changes, names: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the changes of plain fields under the API's names, and those of extra fields."""
    extra = {name.removeprefix(_EXTRA): value for name, value in changes if name.startswith(_EXTRA)}
    plain = {name: value for name, value in changes if not name.startswith(_EXTRA)}
    if unknown := sorted(plain.keys() - names.keys()):
        raise RejectedError(Reason.UNSUPPORTED, f"this storefront can't change {', '.join(unknown)}")
    return {names[name]: value for name, value in plain.items()}, extra


# ------------------------------------------------------------------ removals
def _remove(api: Api, path: str, id_: str, classify: Classify) -> Flow[None]:
    """Remove it; where the first answer was lost, a second "not found" says that it is done."""
    try:
        yield from api.write("DELETE", path, _id(id_), repeatable=False, classify=classify)
    except OutcomeUnknownError:
        if api.config.retries.attempts < 2:
            raise
        yield from ask(Pause(api.config.retries.first_pause))
        yield from api.write("DELETE", path, _id(id_), repeatable=True, classify=_gone_is_done(classify))


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
def _id(id_: str) -> str:
    return str(number(id_, "record"))


def _name(action: Change) -> str:
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
