"""Company users: one e-mail address in one company, and no company without its last user."""

from collections.abc import Callable, Mapping
from operator import attrgetter
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
    earliest,
    illogical,
    in_bulk,
    invalid,
    no_such_route,
    not_found,
    number_in,
    plain,
    rows_of,
    stamp_tests,
    too_many_rows,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.hooks import tells
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
_NAMES: Final = ("first_name", "last_name")


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/users`."""
    match call.method, call.path:
        case "GET", ():
            return call.query.page(_wanted(shop, call.query), _renderer(shop, call.query))
        case "POST", ():
            return done(_ids(_told(shop, _create(shop, call.body))))
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
    shopper = shop.shoppers.rows.get(number_in(number, _no_such_user()))
    user = shop.user_by_email(shopper.email) if shopper else None
    if shopper is None or user is None or user.customer_id != shopper.id:
        raise _no_such_user()
    return user


def _no_such_user() -> RefusedError:
    return not_found("User matching query does not exist.")


# ------------------------------------------------------------------ reading
def _wanted(shop: Shop, query: Query) -> list[StoredUser]:
    users = shop.listed_users(query.number("companyId"), query.one("email"), earliest(query))
    tests = _tests(shop, query)
    kept = [user for user in users if all(test(user) for test in tests)] if tests else users
    if shop.latest_first:
        return sorted(kept, key=lambda user: (-user.updated_at, user.id))
    return sorted(kept, key=attrgetter("id"))


def _tests(shop: Shop, query: Query) -> list[Callable[[StoredUser], bool]]:
    """Return what the query asks of a user, and nothing that it doesn't ask."""
    tests: list[Callable[[StoredUser], bool]] = stamp_tests(query)
    if roles := _roles_in(query):
        tests.append(lambda user: shop.role_of(user).legacy in roles)
    if (channel := query.number("channelId")) is not None:
        tests.append(lambda user: channel in user.channel_ids)
    if text := (query.one("q") or "").lower():
        tests.append(lambda user: text in _searched(shop, user))
    return tests


def _roles_in(query: Query) -> set[int]:
    wanted = query.every("roles", "roles[]")
    if wrong := {
        str(place): [f'"{role}" is not a valid choice.'] for place, role in enumerate(wanted) if role not in "012"
    }:
        raise invalid({"roles": wrong})
    return {int(role) for role in wanted}


def _searched(shop: Shop, user: StoredUser) -> str:
    company = shop.companies.listed().get(user.company_id)
    name = company.company_name if company else ""
    return f"{name}\n{user.email}\n{user.first_name} {user.last_name}".lower()


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
    shop.require_no_objection(given)
    user = store_new_user(shop, company_role_id=role.id, channel_ids=channels, **values)
    if given.get("acceptWelcomeEmail"):
        shop.welcomed.append(user.id)
    return user


def _told(shop: Shop, user: StoredUser) -> StoredUser:
    shop.tell("company/user/created", company_id=user.company_id, user_id=user.id)
    return user


def store_new_user(shop: Shop, *, email: str, company_id: int, **values: Any) -> StoredUser:
    """Store a user whose values have been checked, linked to the shopper of its address."""
    stamp, company = shop.stamp(), shop.companies[company_id]
    names = {name: values[name] for name in _NAMES}
    of_company = {"company": company.company_name, "customer_group_id": company.customer_group_id}
    shopper = shop.shoppers.link(email, company_id=company_id, **names, **of_company)
    return shop.keep_user(
        StoredUser(
            id=shop.new_user_id(),
            customer_id=shopper.id,
            email=email,
            company_id=company_id,
            created_at=stamp,
            updated_at=stamp,
            **values,
        )
    )


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
    for user in bulk.made:
        _told(shop, user)
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
        values["customer_id"] = shop.shoppers.readdress(user.customer_id, values["email"]).id
    changed = shop.keep_user(evolve(user, company_role_id=role.id, updated_at=shop.stamp(), **values))
    shop.shoppers.change(changed.customer_id, **{name: getattr(changed, name) for name in _NAMES})
    if tells(user, changed):
        shop.tell("company/user/updated", company_id=changed.company_id, user_id=changed.id)
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
        raise illogical("The last user in company can not be deleted.")
    if shop.protects_last_admin and shop.admins_of(user.company_id) == (user,):
        raise plain(500, "Internal Server Error")
    shop.drop_user(user)
    shop.tell("company/user/deleted", company_id=user.company_id, user_id=user.id)
    return done({"userId": user.id})
