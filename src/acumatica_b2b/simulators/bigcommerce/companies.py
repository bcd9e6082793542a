"""Companies: each is made together with its first admin."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve, frozen

from acumatica_b2b.simulators.bigcommerce import extra_fields, places, settings
from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Bulk,
    Call,
    Query,
    RefusedError,
    done,
    enveloped,
    in_bulk,
    invalid,
    no_such_route,
    number_in,
    plain,
    rows_of,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.records import ADMIN, StoredCompany, StoredUser
from acumatica_b2b.simulators.bigcommerce.state import Shop
from acumatica_b2b.simulators.bigcommerce.users import store_new_user

_COMPANY: Final = (
    Field(name="companyName", longest=200, required=True),
    Field(name="companyPhone", longest=50, required=True),
    Field(name="companyEmail", kind="email", longest=200, required=True),
    Field(name="country", longest=200, required=True),
    Field(name="addressLine1", longest=200),
    Field(name="addressLine2", longest=200),
    Field(name="city", longest=100),
    Field(name="state", longest=50),
    Field(name="zipCode", longest=50),
    Field(name="uuid"),
    Field(name="customerGroupId", kind="integer"),
)
_ADMIN: Final = (
    Field(name="adminFirstName", longest=100, required=True),
    Field(name="adminLastName", longest=100, required=True),
    Field(name="adminEmail", kind="email", longest=100, required=True),
    Field(name="adminPhoneNumber", longest=100),
    Field(name="channelIds", kind="integers"),
)
_SUCCESS: Final = "SUCCESS"


@frozen
class _Made:
    company: StoredCompany
    admin: StoredUser


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/companies`."""
    match call.method, call.path:
        case "GET", ():
            return call.query.page(_wanted(shop, call.query), _renderer(shop, call.query), _SUCCESS)
        case "POST", ():
            return _create(shop, call.body)
        case (("POST" | "PUT"), ("bulk",)):
            return _create_many(shop, call.body) if call.method == "POST" else _update_many(shop, call.body)
        case "GET", ("extra-fields",):
            return extra_fields.answer_configuration(shop, "companies", call.query)
        case _, ("roles", *below):
            return settings.answer_roles(shop, evolve(call, path=tuple(below)))
        case method, (number, *rest):
            return _answer_one(shop, call, _found(shop, number), method, tuple(rest))
        case _:
            raise no_such_route(call)


def _answer_one(shop: Shop, call: Call, company: StoredCompany, method: str, rest: tuple[str, ...]) -> Answer:
    match method, rest:
        case "GET", ():
            return done(_shown(shop, company, extra=True), _SUCCESS)
        case "PUT", ():
            _update(shop, company, as_object(call.body))
            return done({"companyId": company.id}, _SUCCESS)
        case "PUT", ("status",):
            return _set_status(shop, company, as_object(call.body))
        case "DELETE", ():
            shop.drop_company(company)
            return done({}, _SUCCESS)
        case _:
            raise no_such_route(call)


def _found(shop: Shop, number: str | int) -> StoredCompany:
    missing = plain(404, "This resource is not found.")
    company = shop.companies.get(number_in(str(number), missing))
    if company is None:
        raise missing
    return company


# ------------------------------------------------------------------ reading
def _wanted(shop: Shop, query: Query) -> list[StoredCompany]:
    keeps = _filter(shop, query)
    by_name = query.one("sortBy") == "companyName"
    return sorted(
        filter(keeps, shop.companies.values()),
        key=lambda company: (company.company_name.lower() if by_name else company.updated_at, company.id),
        reverse=query.one("orderBy") != "ASC",
    )


def _filter(shop: Shop, query: Query) -> Callable[[StoredCompany], bool]:
    fits_extra = extra_fields.matcher(query)
    text = (query.one("q") or "").lower()
    status, group, customer = query.number("companyStatus"), query.number("bcGroupId"), query.number("customerId")
    of_customer = {user.company_id for user in shop.users.values() if user.customer_id == customer}
    earliest = query.number("minCreated") or 0, query.number("minModified") or 0
    latest = query.number("maxCreated"), query.number("maxModified")

    def keeps(company: StoredCompany) -> bool:
        return (
            text in company.company_name.lower()
            and status in {None, company.company_status}
            and group in {None, company.customer_group_id}
            and (customer is None or company.id in of_customer)
            and earliest[0] <= company.created_at <= (latest[0] or company.created_at)
            and earliest[1] <= company.updated_at <= (latest[1] or company.updated_at)
            and fits_extra(company.extra_fields)
        )

    return keeps


def _renderer(shop: Shop, query: Query) -> Callable[[StoredCompany], Mapping[str, Any]]:
    extra = query.flag("isIncludeExtraFields") or False
    return lambda company: _shown(shop, company, extra=extra)


def _shown(shop: Shop, company: StoredCompany, *, extra: bool) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "companyId": company.id,
        "companyName": company.company_name,
        "bcGroupName": f"Group {company.customer_group_id}" if company.customer_group_id else "",
        "companyStatus": company.company_status,
        "catalogId": None,
        "catalogName": None,
        "companyEmail": company.company_email,
        "companyPhone": company.company_phone,
        "addressLine1": company.address_line1,
        "addressLine2": company.address_line2,
        "city": company.city,
        "state": company.state,
        "country": company.country,
        "zipCode": company.zip_code,
        "createdAt": company.created_at,
        "updatedAt": company.updated_at,
        "uuid": company.uuid,
        "priceListAssign": [],
        "bcGroupId": company.customer_group_id,
        "parentCompany": {"id": None, "name": ""},
    }
    return shown | ({"extraFields": extra_fields.shown_in_full(shop, company.extra_fields)} if extra else {})


# ------------------------------------------------------------------ creating
def _create(shop: Shop, body: Any) -> Answer:
    made = _make(shop, as_object(body), welcome="acceptCreationEmail")
    ids = {"customerId": made.admin.customer_id, "customerGroupId": made.company.customer_group_id}
    return done({"companyId": made.company.id, **ids}, _SUCCESS)


def _make(shop: Shop, given: Mapping[str, Any], *, welcome: str) -> _Made:
    if not given.get("companyName"):
        raise plain(422, "The company name is required.")
    values = read(given, _COMPANY, creating=True)
    admin = read(given, _ADMIN, creating=True)
    values["country"] = places.country_name(values["country"])
    values.update(extra_fields.read(shop, "companies", given))
    of_user = extra_fields.read(shop, "users", given, key="userExtraFields")
    channels = shop.chosen_channels(admin.get("channel_ids", ()))
    shop.require_free(admin["admin_email"])

    company = _company(shop, values)
    shop.companies[company.id] = company
    user = store_new_user(
        shop,
        company_id=company.id,
        company_role_id=shop.predefined_role(ADMIN).id,
        channel_ids=channels,
        email=admin["admin_email"],
        first_name=admin["admin_first_name"],
        last_name=admin["admin_last_name"],
        phone_number=admin.get("admin_phone_number", ""),
        **of_user,
    )
    if given.get(welcome):
        shop.welcomed.append(user.id)
    return _Made(company, user)


def _company(shop: Shop, values: dict[str, Any]) -> StoredCompany:
    if shop.drops_uuid_on_create:
        values.pop("uuid", None)
    values.setdefault("customer_group_id", shop.default_group)
    stamp = shop.stamp()
    return StoredCompany(id=shop.new_company_id(), created_at=stamp, updated_at=stamp, **values)


def _create_many(shop: Shop, body: Any) -> Answer:
    rows = rows_of(body, plain(413, "Request Entity Too Large"))
    # Only here the welcome mail's flag has this name.
    bulk = in_bulk(
        rows,
        lambda row: _make(shop, as_object(row), welcome="acceptWelcomeEmail"),
        shop.undo_of(lambda made: shop.drop_company(made.company)),
    )
    if bulk.failures:
        raise _refusal(bulk, [str(place) for place in range(len(rows))])
    return done([{"companyId": made.company.id} for made in shop.in_answer_order(bulk.made)], _SUCCESS)


def _refusal(bulk: Bulk, ids: list[str]) -> RefusedError:
    errors = [
        {"id": row, "_detail": _in_words(refusal)} for row, refusal in zip(ids, bulk.refused, strict=True) if refusal
    ]
    status, message = 422, "Company was not valid."
    if bulk.made:
        status, message = 400, "Some companies updated failed, you can see these in errors."
    elif any(failure.conflict for failure in bulk.failures):
        status, message = 409, "Company was in conflict with another company."
    return RefusedError(enveloped(status, {"errors": errors}, message), errors)


def _in_words(refusal: RefusedError) -> str:
    return refusal.detail if isinstance(refusal.detail, str) else json.dumps(refusal.detail)


# ------------------------------------------------------------------ changing
def _update(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> StoredCompany:
    values = read(given, _COMPANY, creating=False)
    if "country" in values:
        values["country"] = places.country_name(values["country"])
    values.update(extra_fields.read(shop, "companies", given, of=company.id))
    changed = evolve(company, updated_at=shop.stamp(), **values)
    shop.companies[company.id] = changed
    return company


def _update_many(shop: Shop, body: Any) -> Answer:
    rows = [as_object(row) for row in rows_of(body, plain(413, "Request Entity Too Large"))]
    companies = [_found(shop, row.get("companyId", "")) for row in rows]
    bulk = in_bulk(
        list(zip(companies, rows, strict=True)),
        lambda pair: _update(shop, *pair),
        shop.undo_of(lambda before: shop.companies.update({before.id: before})),
    )
    if bulk.failures:
        raise _refusal(bulk, [str(company.id) for company in companies])
    return done({"companyId": companies[0].id}, _SUCCESS)


def _set_status(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> Answer:
    status = given.get("companyStatus")
    if type(status) is not int or status not in range(4):
        raise invalid({"company_status": [f'"{status}" is not a valid choice.']})
    shop.companies[company.id] = evolve(company, company_status=status, updated_at=shop.stamp())
    return done({"companyId": company.id}, _SUCCESS)
