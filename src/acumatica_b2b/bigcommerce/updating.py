"""Flows that change fields of one record, and look whether the shop took them.

What the API does not know, or will not change, it ignores with status 200. Whether an update keeps what it
does not name is nowhere documented, so an update of a user's fields names those that he has, and one of
extra fields all of them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from acumatica_b2b.actions import Changes, SetRole, UpdateAddress, UpdateCompany, UpdateUser
from acumatica_b2b.bigcommerce.api import Api, number, record_id
from acumatica_b2b.bigcommerce.bodies import address_fields, extra_fields
from acumatica_b2b.bigcommerce.records import One, RoleRecord, UserRecord, WithExtraFields, decoded, folded, pairs
from acumatica_b2b.bigcommerce.roles import role_fields
from acumatica_b2b.errors import DecodeError, Reason, RejectedError
from acumatica_b2b.flow import Flow
from acumatica_b2b.http import Response
from acumatica_b2b.model import StorefrontID

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
_EXACT: Final = {"email": "e-mail address", "companyRoleId": "role"}
"""What an answer has to tell as it was sent."""
_LOOSE: Final = {"firstName": "first name", "lastName": "last name", "phoneNumber": "phone"}
"""What a shop may tell in its own way, but not as it was."""


# ------------------------------------------------------------------ companies
def update_company(api: Api, action: UpdateCompany) -> Flow[StorefrontID]:
    """Send what changes of a company, its status by a call of its own."""
    changes = dict(action.changes)
    status = changes.pop("active", None)
    plain, extra = company_fields(api, tuple(changes.items()))
    if changes:
        yield from _put(api, "companies", action.company, plain, extra)
    if status is not None:
        yield from _put_status(api, action.company, status)
    return action.company


def company_fields(api: Api, changes: Changes) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the changed fields of a company under the API's names, and its changed extra fields.

    Raises:
        RejectedError: a field can't be changed.

    """
    name = api.config.company_id_field
    where = {} if name is None else {"external_id": f"{_EXTRA}{name}"}
    return _split(tuple((where.get(field, field), value) for field, value in changes), _COMPANY)


def _put_status(api: Api, id_: str, active: str) -> Flow[None]:
    if active not in _STATUS:
        raise RejectedError(Reason.INVALID, f"active is {active!r}; it may be 'yes' or 'no'")
    body = {"companyStatus": _STATUS[active]}
    yield from api.write("PUT", "companies", record_id(id_), "status", body=body, repeatable=True)


# ------------------------------------------------------------------ users
def update_user(api: Api, action: UpdateUser) -> Flow[StorefrontID]:
    """Send what changes of a user, beside the fields that he has."""
    plain, extra = _split(action.changes, _USER)
    before = yield from _user(api, action.user)
    response = yield from _put(api, "users", action.user, {**_held_fields(before), **plain}, extra)
    after = yield from _took(api, action.user, response, plain, before)
    api.known.sights.told(action.company, after, {**plain, **({"extraFields": extra} if extra else {})})
    return action.user


def set_role(api: Api, action: SetRole, role: RoleRecord) -> Flow[StorefrontID]:
    """Send a user's role, and nothing else: a hand-over must not fail because of another field."""
    body = role_fields(role)
    try:
        response = yield from _put(api, "users", action.user, body, {})
        after = yield from _took(api, action.user, response, body, api.known.users.get(number(action.user, "record")))
    except BaseException:
        api.known.lost_sight(action.company)
        raise
    api.known.changed_user(action.company, int(action.user))
    api.known.sights.told(action.company, after, body)
    return action.user


def _user(api: Api, id_: str) -> Flow[UserRecord]:
    """Return a user as he was seen last."""
    seen = api.known.users.get(number(id_, "record"))
    return seen if seen is not None else (yield from _read_user(api, id_))


def _read_user(api: Api, id_: str) -> Flow[UserRecord]:
    response = yield from api.get("users", record_id(id_))
    user = decoded(response, One[UserRecord], f"users/{id_}").data
    api.known.saw([user])
    return user


def _held_fields(user: UserRecord) -> Mapping[str, str]:
    """Return the fields that an update might drop; an address that does not change is better not sent."""
    fields = {"firstName": user.first_name, "lastName": user.last_name, "phoneNumber": user.phone_number}
    return {name: value for name, value in (fields | {"uuid": user.uuid}).items() if value}


def _took(
    api: Api, id_: str, response: Response, sent: Mapping[str, Any], before: UserRecord | None
) -> Flow[UserRecord | None]:
    """Return what an update made of a user; a new address or role is read where the answer doesn't tell it.

    Raises:
        RejectedError: the shop kept an old value.

    """
    after = _told(response)
    told = _said(after)
    if any(told.get(name) is None for name in sent.keys() & _EXACT.keys()):
        after = yield from _read_user(api, id_)
    if after is None:
        api.known.users.pop(number(id_, "record"), None)
        return None
    api.known.saw([after])
    if kept := tuple(_kept(sent, _said(after), _said(before))):
        raise RejectedError(Reason.INVALID, f"the storefront answered with success and kept the old {', '.join(kept)}")
    return after


def _kept(sent: Mapping[str, Any], after: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was sent and not taken."""
    for name, value in sent.items():
        wanted, told = _compared(name, value), after.get(name)
        if name in _EXACT and told is not None and told != wanted:
            yield _EXACT[name]
        if name in _LOOSE and told == before.get(name) != wanted:
            yield _LOOSE[name]


def _told(response: Response) -> UserRecord | None:
    """Return the user that an update answers, if it does."""
    try:
        return decoded(response, One[UserRecord], "users").data
    except DecodeError:
        return None


def _said(user: UserRecord | None) -> Mapping[str, Any]:
    """Return what a user has, under the names that requests use, as it is compared."""
    if user is None:
        return {}
    fields = {
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "phoneNumber": user.phone_number,
    }
    texts = {name: _compared(name, value or "") for name, value in fields.items()}
    return {**texts, "companyRoleId": user.company_role_id}


def _compared(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return re.sub(r"\D", "", value) if name == "phoneNumber" else folded(value)


# ------------------------------------------------------------------ addresses
def update_address(api: Api, action: UpdateAddress) -> Flow[StorefrontID]:
    """Send all of an address."""
    address = action.address
    yield from _put(api, "addresses", action.id, address_fields(api, address), dict(address.extra_fields))
    return action.id


# ------------------------------------------------------------------ whatever it is
def _put(api: Api, path: str, id_: str, plain: Mapping[str, Any], extra: Mapping[str, str]) -> Flow[Response]:
    """Send fields; with all extra fields where one changes, or the store insists on them."""
    if extra:
        held = yield from _extra_fields_of(api, path, id_)
        return (yield from _send(api, path, id_, {**plain, **extra_fields({**held, **extra})}))
    try:
        return (yield from _send(api, path, id_, plain))
    except RejectedError as error:
        # a store may want its required extra fields with every update; only a refusal tells
        if error.reason is not Reason.INVALID:
            raise
        if not (held := (yield from _extra_fields_of(api, path, id_))):
            raise
        return (yield from _send(api, path, id_, {**plain, **extra_fields(held)}))


def _send(api: Api, path: str, id_: str, body: Mapping[str, Any]) -> Flow[Response]:
    return api.write("PUT", path, record_id(id_), body=body, repeatable=True)


def _extra_fields_of(api: Api, path: str, id_: str) -> Flow[Mapping[str, str]]:
    """Return the extra fields of a record that have a value."""
    response = yield from api.get(path, record_id(id_))
    record = decoded(response, One[WithExtraFields], f"{path}/{id_}").data
    return {name: value for name, value in pairs(record.extra_fields) if value}


def _split(changes: Changes, names: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the changes of plain fields under the API's names, and those of extra fields."""
    extra = {name.removeprefix(_EXTRA): value for name, value in changes if name.startswith(_EXTRA)}
    plain = {name: value for name, value in changes if not name.startswith(_EXTRA)}
    if unknown := sorted(plain.keys() - names.keys()):
        raise RejectedError(Reason.UNSUPPORTED, f"this storefront can't change {', '.join(unknown)}")
    return {names[name]: value for name, value in plain.items()}, extra
