"""Super admins: the seller's own people, who hold addresses that no company user can have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.simulators.bigcommerce.envelope import (
    PARAMETER_ERROR,
    Answer,
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
    stamp_tests,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.records import StoredCompany, SuperAdmin
from acumatica_b2b.simulators.bigcommerce.state import ICON, Shop

LARGEST_PAGE: Final = 200
_SUPER_ADMIN: Final = (
    Field(name="firstName", required=True),
    Field(name="lastName", required=True),
    Field(name="email", kind="email", required=True),
    Field(name="phone"),
    Field(name="uuid"),
    Field(name="channelIds", kind="integers"),
)
_CHANGEABLE: Final = tuple(field for field in _SUPER_ADMIN if field.name != "email")
_MISSING: Final = "The ID provided does not match an available resource of the appropriate type."


# ------------------------------------------------------------------ below /super-admins
def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/super-admins`."""
    match call.method, call.path:
        case "POST", ():
            admin = _create(shop, call.body)
            return done({"userId": admin.id, "customerId": admin.customer_id})
        case "POST", ("bulk",):
            return _create_many(shop, call.body)
        case "GET", ("companies",):
            return call.query.page(
                _in_order(shop.companies.values(), call.query), _renderer_of_companies(shop), largest=LARGEST_PAGE
            )
        case method, ("info", number):
            return _answer_one(shop, call, _found(shop, number), method)
        case "GET", (number, "companies"):
            admin = _found(shop, number)
            assigned = [shop.companies[company] for company in sorted(admin.company_ids) if company in shop.companies]
            return call.query.page(assigned, _named, largest=LARGEST_PAGE)
        case "PUT", (number,):
            return _assign(shop, (_found(shop, number),), call.body)
        case _:
            raise no_such_route(call)


def _answer_one(shop: Shop, call: Call, admin: SuperAdmin, method: str) -> Answer:
    match method:
        case "GET":
            return done(_shown_in_full(shop, admin))
        case "PUT":
            values = read(call.body, _CHANGEABLE, creating=False)
            changed = evolve(admin, updated_at=shop.stamp(), **values)
            shop.super_admins[admin.id] = changed
            shop.tell("superadmin/updated", user_id=admin.id)
            return done(_shown(shop, changed))
        case _:
            raise no_such_route(call)


def _found(shop: Shop, number: str) -> SuperAdmin:
    missing = plain(404, _MISSING)
    admin = shop.super_admins.get(number_in(number, missing))
    if admin is None:
        raise missing
    return admin


# ------------------------------------------------------------------ below /companies
def answer_all(shop: Shop, query: Query) -> Answer:
    """Answer `GET /companies/super-admins`."""
    return _page(shop, shop.super_admins.values(), query)


def answer_of_company(shop: Shop, call: Call, company_id: int) -> Answer:
    """Answer `GET` or `PUT /companies/{companyId}/super-admins`."""
    if call.method == "GET":
        assigned = [admin for admin in shop.super_admins.values() if company_id in admin.company_ids]
        return _page(shop, assigned, call.query)
    wanted = _assignments(call.body, "superAdmins", "superAdminId")
    admins = {number: _found(shop, str(number)) for number in wanted}
    for number, admin in admins.items():
        _set_assigned(shop, admin, {company_id: wanted[number]})
    return done({})


def _page(shop: Shop, admins: Iterable[SuperAdmin], query: Query) -> Answer:
    tests, text, uuid = stamp_tests(query), (query.one("q") or "").lower(), query.one("uuid")
    wanted = [
        admin
        for admin in admins
        if all(test(admin) for test in tests) and uuid in {None, admin.uuid} and text in _searched(admin)
    ]
    return query.page(_in_order(wanted, query), lambda admin: _shown(shop, admin), largest=LARGEST_PAGE)


def _searched(admin: SuperAdmin) -> str:
    return f"{admin.first_name} {admin.last_name}\n{admin.email}".lower()


def _in_order(records: Iterable[Any], query: Query) -> Sequence[Any]:
    return sorted(records, key=lambda record: record.id, reverse=query.one("orderBy") != "ASC")


# ------------------------------------------------------------------ creating
def _create(shop: Shop, body: Any) -> SuperAdmin:
    values = read(body, _SUPER_ADMIN, creating=True)
    if shop.user_by_email(values["email"]) or shop.super_admin_by_email(values["email"]):
        raise plain(400, "The user already exists.")
    shopper = shop.shoppers.by_email(values["email"]) or shop.shoppers.add(
        values["email"], first_name=values["first_name"], last_name=values["last_name"]
    )
    channels = tuple(values.pop("channel_ids", ())) or tuple(channel.channel_id for channel in shop.channels)
    admin = SuperAdmin(
        id=shop.new_user_id(),
        customer_id=shopper.id,
        channel_ids=channels,
        created_at=shop.stamp(),
        updated_at=shop.stamp(),
        **values,
    )
    shop.super_admins[admin.id] = admin
    shop.tell("superadmin/created", user_id=admin.id)
    return admin


def _create_many(shop: Shop, body: Any) -> Answer:
    rows = rows_of(body, plain(413, "Request Entity Too Large"))
    bulk = in_bulk(
        rows, lambda row: _create(shop, row), shop.undo_of(lambda made: shop.super_admins.__delitem__(made.id))
    )
    if any(failure.answer.status == 422 for failure in bulk.failures):
        # parallel to the request, unlike every other bulk call without `errMsg`
        parallel: list[Any] = [{} if refusal is None else refusal.detail for refusal in bulk.refused]
        raise RefusedError(enveloped(422, parallel, PARAMETER_ERROR), parallel)
    if bulk.failures:
        raise RefusedError(enveloped(400, {"errMsg": "The super admin already exists"}, "API logic error"), "exists")
    return done({"superAdminIds": [admin.id for admin in shop.in_answer_order(bulk.made)]})


# ------------------------------------------------------------------ assigning
def _assign(shop: Shop, admins: Sequence[SuperAdmin], body: Any) -> Answer:
    wanted = _assignments(body, "companies", "companyId")
    if not all(company in shop.companies for company in wanted):
        raise plain(404, _MISSING)
    for admin in admins:
        _set_assigned(shop, admin, wanted)
    return done({})


def _assignments(body: Any, key: str, id_key: str) -> Mapping[int, bool]:
    try:
        return {int(one[id_key]): bool(one["isAssigned"]) for one in as_object(body)[key]}
    except (TypeError, KeyError, ValueError):
        raise invalid({key: [f"Expected a list of {id_key} and isAssigned."]}) from None


def _set_assigned(shop: Shop, admin: SuperAdmin, wanted: Mapping[int, bool]) -> None:
    """Assign and unassign; companies that are not named stay as they are."""
    taken = {company for company, assigned in wanted.items() if assigned}
    companies = (admin.company_ids - wanted.keys()) | taken
    shop.super_admins[admin.id] = evolve(admin, company_ids=frozenset(companies), updated_at=shop.stamp())
    shop.tell("superadmin/assignmentUpdated", user_id=admin.id)
    for company in wanted:
        shop.tell("company/superadmin/assignmentUpdated", company_id=company)


# ------------------------------------------------------------------ answers
def _shown(shop: Shop, admin: SuperAdmin) -> Mapping[str, Any]:
    return {
        "id": admin.id,
        "firstName": admin.first_name,
        "lastName": admin.last_name,
        "email": admin.email,
        "phone": admin.phone,
        # left out where nobody gave one
        **({"uuid": admin.uuid} if admin.uuid else {}),
        "createdAt": admin.created_at,
        "updatedAt": admin.updated_at,
        "channelList": [
            {"channelId": channel.channel_id, "channelName": channel.name, "iconUrl": ICON}
            for channel in shop.channels
            if channel.channel_id in admin.channel_ids
        ],
        "extraFields": [],
    }


def _shown_in_full(shop: Shop, admin: SuperAdmin) -> Mapping[str, Any]:
    return {**_shown(shop, admin), "customerId": admin.customer_id}


def _named(company: StoredCompany) -> Mapping[str, Any]:
    return {
        "companyId": company.id,
        "companyName": company.company_name,
        "companyEmail": company.company_email,
    }


def _renderer_of_companies(shop: Shop) -> Any:
    def render(company: StoredCompany) -> Mapping[str, Any]:
        assigned = sum(company.id in admin.company_ids for admin in shop.super_admins.values())
        return {
            **_named(company),
            "addressLine1": company.address_line1,
            "addressLine2": company.address_line2,
            "city": company.city,
            "state": company.state,
            "catalogId": None if company.catalog_id is None else str(company.catalog_id),
            "description": company.company_name,
            "country": company.country,
            "zipCode": company.zip_code,
            "superAdminCount": assigned,
        }

    return render
