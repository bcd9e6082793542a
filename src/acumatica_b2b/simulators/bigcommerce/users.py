"""Company users: one e-mail address in one company, and no company without its last user."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.simulators.bigcommerce import extra_fields
from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    Query,
    RefusedError,
    bulk_refusal,
    done,
    illogical,
    in_bulk,
    invalid,
    no_such_route,
    not_found,
    number_in,
    rows_of,
    too_many_rows,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.records import Role, StoredUser
from acumatica_b2b.simulators.bigcommerce.state import ICON, Shop

_USER: Final = (
    Field(name="firstName", longest=100, required=True),
    Field(name="lastName", longest=100, required=True),
    Field(name="email", kind="email", longest=150, required=True),
    Field(name="phoneNumber", longest=50),
    Field(name="role", kind="integer"),
    Field(name="companyRoleId", kind="integer"),
    Field(name="channelIds", kind="integers"),
    Field(name="uuid"),
)
_COMPANY: Final = Field(name="companyId", kind="integer", required=True)


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/users`."""
    match call.method, call.path:
        case "GET", ():
            return call.query.page(_wanted(shop, call.query), _renderer(shop, call.query))
        case "POST", ():
            return done(_ids(_create(shop, call.body)))
        case "POST", ("bulk",):
            return _create_many(shop, call.body)
        case "GET", ("extra-fields",):
            return extra_fields.answer_configuration(shop, "users", call.query)
        case "GET", ("customer", number):
            return done(_shown(shop, _by_customer(shop, number), extra=True))
        case method, (number,):
            return _answer_one(shop, call, _found(shop, number), method)
        case _:
            raise no_such_route(call)


def _answer_one(shop: Shop, call: Call, user: StoredUser, method: str) -> Answer:
    match method:
        case "GET":
            return done(_shown(shop, user, extra=True))
        case "PUT":
            return done(_update(shop, user, as_object(call.body)))
        case "DELETE":
            return _delete(shop, user)
        case _:
            raise no_such_route(call)


def _found(shop: Shop, number: str) -> StoredUser:
    user = shop.users.get(number_in(number, _no_such_user()))
    if user is None:
        raise _no_such_user()
    return user


def _by_customer(shop: Shop, number: str) -> StoredUser:
    for user in shop.users.values():
        if str(user.customer_id) == number:
            return user
    raise _no_such_user()


def _no_such_user() -> RefusedError:
    return not_found("User matching query does not exist.")


# ------------------------------------------------------------------ reading
def _wanted(shop: Shop, query: Query) -> list[StoredUser]:
    company, email = query.number("companyId"), query.one("email")
    users: Iterable[StoredUser] = shop.users.values() if company is None else shop.users_of(company)
    if email is not None:
        holder = shop.user_by_email(email)
        users = [holder] if holder and company in {None, holder.company_id} else []
    return sorted(filter(_filter(shop, query), users), key=lambda user: user.id)


def _filter(shop: Shop, query: Query) -> Callable[[StoredUser], bool]:
    roles, channel = _roles_in(query), query.number("channelId")
    text = (query.one("q") or "").lower()
    after = query.number("minCreated"), query.number("minModified")
    before = query.number("maxCreated"), query.number("maxModified")

    def keeps(user: StoredUser) -> bool:
        return (
            (not roles or shop.role_of(user).legacy in roles)
            and (channel is None or channel in user.channel_ids)
            and (not text or text in _searched(shop, user))
            and _between(after[0], user.created_at, before[0])
            and _between(after[1], user.updated_at, before[1])
        )

    return keeps


def _roles_in(query: Query) -> set[int]:
    wanted = query.every("roles", "roles[]")
    if wrong := {
        str(place): [f'"{role}" is not a valid choice.'] for place, role in enumerate(wanted) if role not in "012"
    }:
        raise invalid({"roles": wrong})
    return {int(role) for role in wanted}


def _searched(shop: Shop, user: StoredUser) -> str:
    company = shop.companies[user.company_id].company_name
    return f"{company}\n{user.email}\n{user.first_name} {user.last_name}".lower()


def _between(after: int | None, stamp: int, before: int | None) -> bool:
    """Tell whether a stamp is later and earlier than the bounds, which themselves are outside."""
    return (after is None or stamp > after) and (before is None or stamp < before)


def _renderer(shop: Shop, query: Query) -> Callable[[StoredUser], Mapping[str, Any]]:
    extra = query.flag("isIncludeExtraFields") or False
    return lambda user: _shown(shop, user, extra=extra)


def _shown(shop: Shop, user: StoredUser, *, extra: bool) -> dict[str, Any]:
    role = shop.role_of(user)
    channels = [channel for channel in shop.channels if channel.channel_id in user.channel_ids]
    return {
        "id": user.id,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "phoneNumber": user.phone_number,
        "role": role.legacy,
        "customerId": user.customer_id,
        "companyId": user.company_id,
        "uuid": user.uuid,
        **({"extraFields": extra_fields.shown(user.extra_fields)} if extra else {}),
        "channelList": [
            {"channelId": channel.channel_id, "channelName": channel.name, "iconUrl": ICON} for channel in channels
        ],
        "companyRoleId": role.id,
        "companyRoleName": role.name,
    }


def _ids(user: StoredUser) -> Mapping[str, int]:
    return {"userId": user.id, "bcId": user.customer_id}


# ------------------------------------------------------------------ creating
def _create(shop: Shop, body: Any) -> StoredUser:
    given = as_object(body)
    values = read(given, (*_USER, _COMPANY), creating=True)
    if values["company_id"] not in shop.companies:
        raise invalid({"company_id": ["Company does not exist."]})
    role = _role_in(shop, values)
    if role is None:
        raise invalid({"non_field_errors": ["User must have a role."]})
    values |= extra_fields.read(shop, "users", given)
    channels = shop.chosen_channels(values.pop("channel_ids", ()))
    shop.require_free(values["email"])
    user = store_new_user(shop, company_role_id=role.id, channel_ids=channels, **values)
    if given.get("acceptWelcomeEmail"):
        shop.welcomed.append(user.id)
    return user


def store_new_user(shop: Shop, *, email: str, **values: Any) -> StoredUser:
    """Store a user whose values have been checked, linked to the shopper of its address."""
    stamp, customer = shop.stamp(), shop.shopper(email)
    user = StoredUser(
        id=shop.new_user_id(), customer_id=customer, email=email, created_at=stamp, updated_at=stamp, **values
    )
    return shop.keep_user(user)


def _role_in(shop: Shop, values: dict[str, Any]) -> Role | None:
    """Take the role out of the values; `companyRoleId` counts more than `role`."""
    legacy, wanted = values.pop("role", None), values.pop("company_role_id", None)
    if wanted is not None and wanted not in shop.roles:
        raise invalid({"company_role_id": [f'"{wanted}" is not a valid choice.']})
    if legacy is not None and legacy not in range(3):
        raise invalid({"role": [f'"{legacy}" is not a valid choice.']})
    if wanted is not None:
        return shop.roles[wanted]
    return None if legacy is None else shop.predefined_role(legacy)


def _create_many(shop: Shop, body: Any) -> Answer:
    rows = rows_of(body, too_many_rows())
    bulk = in_bulk(rows, lambda row: _create(shop, row), shop.undo_of(shop.drop_user))
    if bulk.failures:
        raise bulk_refusal(bulk)
    return done([_ids(user) for user in shop.in_answer_order(bulk.made)])


# ------------------------------------------------------------------ changing
def _update(shop: Shop, user: StoredUser, given: Mapping[str, Any]) -> Mapping[str, Any]:
    values = read(given, _USER, creating=False)
    role = _role_in(shop, values) or shop.role_of(user)
    values |= extra_fields.read(shop, "users", given, of=user.id)
    if "channel_ids" in values:
        values["channel_ids"] = shop.chosen_channels(values["channel_ids"])
    if "email" in values:
        shop.require_free(values["email"], user.id)
        values["customer_id"] = shop.readdressed_shopper(user, values["email"])
    changed = shop.keep_user(evolve(user, company_role_id=role.id, updated_at=shop.stamp(), **values))
    return _shown_after_update(shop, changed)


def _shown_after_update(shop: Shop, user: StoredUser) -> Mapping[str, Any]:
    """Return a user whose channels bear B2B Edition's own ids, as recorded answers do."""
    channels = [channel for channel in shop.channels if channel.channel_id in user.channel_ids]
    return _shown(shop, user, extra=True) | {
        "channelList": [
            {"channelId": channel.id, "bcChannelId": channel.channel_id, "channelName": channel.name, "iconUrl": ICON}
            for channel in channels
        ]
    }


def _delete(shop: Shop, user: StoredUser) -> Answer:
    if len(shop.users_of(user.company_id)) == 1:
        raise _last_user()
    shop.drop_user(user)
    return done({"userId": user.id})


def _last_user() -> RefusedError:
    return illogical("The last user in company can not be deleted.")
