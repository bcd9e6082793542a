"""Companies: their list, and the way to what is done to them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.simulators.bigcommerce import company_writing as writing
from acumatica_b2b.simulators.bigcommerce import extra_fields, settings, super_admins
from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    Query,
    done,
    earliest,
    no_such_route,
    stamp_tests,
)
from acumatica_b2b.simulators.bigcommerce.fields import as_object
from acumatica_b2b.simulators.bigcommerce.records import StoredCompany
from acumatica_b2b.simulators.bigcommerce.state import Shop

_SUCCESS: Final = writing.SUCCESS


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/companies`."""
    match call.method, call.path:
        case "GET", ():
            return call.query.page(_wanted(shop, call.query), _renderer(shop, call.query), _SUCCESS)
        case "POST", ():
            return writing.create(shop, call.body)
        case "POST", ("bulk",):
            return writing.create_many(shop, call.body)
        case "PUT", ("bulk",):
            return writing.update_many(shop, call.body)
        case "GET", ("extra-fields",):
            return extra_fields.answer_configuration(shop, "companies", call.query)
        case _, ("roles", *below):
            return settings.answer_roles(shop, evolve(call, path=tuple(below)))
        case "GET", ("super-admins",):
            return super_admins.answer_all(shop, call.query)
        case method, (number, *rest):
            return _answer_one(shop, call, writing.found(shop, number), method, tuple(rest))
        case _:
            raise no_such_route(call)


def _answer_one(shop: Shop, call: Call, company: StoredCompany, method: str, rest: tuple[str, ...]) -> Answer:
    match method, rest:
        case "GET", ():
            return done(_shown(shop, company, extra=True), _SUCCESS)
        case "PUT", ():
            return writing.update(shop, company, as_object(call.body))
        case "PUT", ("status",):
            return writing.set_status(shop, company, as_object(call.body))
        case "PUT", ("catalogs",):
            return writing.set_catalog(shop, company, as_object(call.body))
        case (("GET" | "PUT"), ("super-admins",)):
            return super_admins.answer_of_company(shop, call, company.id)
        case "DELETE", ():
            shop.drop_company(company)
            shop.tell("company/deleted", company_id=company.id)
            return done({}, _SUCCESS)
        case _:
            raise no_such_route(call)


# ------------------------------------------------------------------ reading
def _wanted(shop: Shop, query: Query) -> list[StoredCompany]:
    tests = _tests(shop, query)
    since = earliest(query)
    listed = shop.companies.listed(None if since is None else shop.companies.written_since(since)).values()
    by_name = query.one("sortBy") == "companyName"
    return sorted(
        (company for company in listed if all(test(company) for test in tests)),
        key=lambda company: (company.company_name.lower() if by_name else company.updated_at, company.id),
        reverse=query.one("orderBy") != "ASC",
    )


def _tests(shop: Shop, query: Query) -> list[Callable[[StoredCompany], bool]]:
    """Return what the query asks of a company, and nothing that it doesn't ask."""
    tests: list[Callable[[StoredCompany], bool]] = stamp_tests(query, inclusive=True)
    if text := (query.one("q") or "").lower():
        tests.append(lambda company: text in company.company_name.lower())
    if (status := query.number("companyStatus")) is not None:
        tests.append(lambda company: company.company_status == status)
    if (group := query.number("bcGroupId")) is not None:
        tests.append(lambda company: company.customer_group_id == group)
    if (customer := query.number("customerId")) is not None:
        of_customer = {user.company_id for user in shop.users.values() if user.customer_id == customer}
        tests.append(lambda company: company.id in of_customer)
    if query.every("extraFields"):
        fits = extra_fields.matcher(query)
        tests.append(lambda company: fits(company.extra_fields))
    return tests


def _renderer(shop: Shop, query: Query) -> Callable[[StoredCompany], Mapping[str, Any]]:
    extra = query.flag("isIncludeExtraFields") or False
    return lambda company: _shown(shop, company, extra=extra)


def _shown(shop: Shop, company: StoredCompany, *, extra: bool) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "companyId": company.id,
        "companyName": company.company_name,
        "bcGroupName": shop.groups.get(company.customer_group_id, ""),
        "companyStatus": company.company_status,
        "catalogId": company.catalog_id,
        "catalogName": None if company.catalog_id is None else f"Price List {company.catalog_id}",
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
        "priceListAssign": [_shown_price_list(shop, *pair) for pair in company.price_lists],
        "bcGroupId": company.customer_group_id,
        "parentCompany": {"id": None, "name": ""},
    }
    return shown | ({"extraFields": extra_fields.shown_in_full(shop, company.extra_fields)} if extra else {})


def _shown_price_list(shop: Shop, channel: int, price_list: int) -> Mapping[str, Any]:
    names = {known.channel_id: known.name for known in shop.channels}
    lists = {"priceListId": price_list, "priceListName": f"Price List {price_list}"}
    return {"channelId": channel, "channelName": names.get(channel, ""), **lists}
