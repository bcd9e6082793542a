"""How companies are made, each with its first admin, and changed."""

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, frozen

from acumatica_b2b.simulators.bigcommerce import extra_fields, places
from acumatica_b2b.simulators.bigcommerce.envelope import (
    NOT_NULL,
    Answer,
    Bulk,
    RefusedError,
    done,
    enveloped,
    in_bulk,
    invalid,
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
    Field(name="catalogId", kind="number"),
)
_ADMIN: Final = (
    Field(name="adminFirstName", longest=100, required=True),
    Field(name="adminLastName", longest=100, required=True),
    Field(name="adminEmail", kind="email", longest=100, required=True),
    Field(name="adminPhoneNumber", longest=100),
    Field(name="channelIds", kind="integers"),
)
SUCCESS: Final = "SUCCESS"


@frozen
class _Made:
    company: StoredCompany
    admin: StoredUser


def found(shop: Shop, number: str | int) -> StoredCompany:
    """Return a company by its id.

    Raises:
        RefusedError: there is none.

    """
    missing = plain(404, "This resource is not found.")
    company = shop.companies.get(number_in(str(number), missing))
    if company is None:
        raise missing
    return company


# ------------------------------------------------------------------ creating
def create(shop: Shop, body: Any) -> Answer:
    """Make one company."""
    made = _make(shop, as_object(body), welcome="acceptCreationEmail")
    shop.tell("company/created", company_id=made.company.id)
    shop.tell("company/user/created", company_id=made.company.id, user_id=made.admin.id)
    ids = {"customerId": made.admin.customer_id, "customerGroupId": made.company.customer_group_id}
    return done({"companyId": made.company.id, **ids}, SUCCESS)


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
    shop.require_no_objection(given)

    company = _company(shop, _assigned(shop, given, values))
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
    if shop.dependent:
        values["customer_group_id"] = _group_of_its_own(shop, values["company_name"])
    values.setdefault("customer_group_id", shop.default_group)
    stamp = shop.stamp()
    return StoredCompany(id=shop.new_company_id(), created_at=stamp, updated_at=stamp, **values)


def _group_of_its_own(shop: Shop, name: str) -> int:
    # names of groups are unique, those of companies are not
    return shop.add_group(f"{name} {len(shop.groups)}" if name in shop.groups.values() else name)


def create_many(shop: Shop, body: Any) -> Answer:
    """Make up to ten companies."""
    rows = rows_of(body, plain(413, "Request Entity Too Large"))
    # Only here the welcome mail's flag has this name.
    bulk = in_bulk(
        rows,
        lambda row: _make(shop, as_object(row), welcome="acceptWelcomeEmail"),
        shop.undo_of(lambda made: shop.drop_company(made.company)),
    )
    if bulk.failures:
        raise _refusal(bulk, [str(place) for place in range(len(rows))])
    return done([{"companyId": made.company.id} for made in shop.in_answer_order(bulk.made)], SUCCESS)


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


# ------------------------------------------------------------------ groups and price lists
def _assigned(
    shop: Shop, given: Mapping[str, Any], values: dict[str, Any], known: StoredCompany | None = None
) -> dict[str, Any]:
    """Return the values without those that this kind of store passes over; the group or price list is checked."""
    catalog = values.pop("catalog_id", None)
    if not shop.dependent:
        return values
    values.pop("customer_group_id", None)
    if shop.multi_storefront:
        return values | _price_lists(given)
    if catalog is None and known is None:
        raise invalid({"catalog_id": [NOT_NULL]})
    return values if catalog is None else values | {"catalog_id": int(catalog)}


def _price_lists(given: Mapping[str, Any]) -> dict[str, Any]:
    if "priceListAssign" not in given:
        return {}
    try:
        pairs = tuple((int(item["channelId"]), int(item["priceListId"])) for item in given["priceListAssign"])
    except (TypeError, KeyError, ValueError):
        raise invalid({"price_list_assign": ["Expected a list of channelId and priceListId."]}) from None
    return {"price_lists": pairs}


def set_catalog(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> Answer:
    """Give a company a price list."""
    if not shop.dependent:
        raise plain(405, "Not Allowed")
    values = read(given, (Field(name="catalogId", kind="number", required=True),), creating=True)
    return _keep(shop, company, catalog_id=int(values["catalog_id"]))


# ------------------------------------------------------------------ changing
@frozen
class _Changed:
    before: StoredCompany
    after: StoredCompany


def _update(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> _Changed:
    values = read(given, _COMPANY, creating=False)
    if "country" in values:
        values["country"] = places.country_name(values["country"])
    values.update(extra_fields.read(shop, "companies", given, of=company.id))
    values = _assigned(shop, given, values, known=company)
    changed = evolve(company, updated_at=shop.stamp(), **values)
    shop.companies[company.id] = changed
    return _Changed(company, changed)


def update(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> Answer:
    """Change one company."""
    _tell_update(shop, _update(shop, company, given))
    return done({"companyId": company.id}, SUCCESS)


def _tell_update(shop: Shop, changed: _Changed) -> None:
    if evolve(changed.before, updated_at=changed.after.updated_at) != changed.after:
        shop.tell("company/updated", company_id=changed.after.id)


def update_many(shop: Shop, body: Any) -> Answer:
    """Change up to ten companies."""
    rows = [_bulk_row(shop, as_object(row)) for row in rows_of(body, plain(413, "Request Entity Too Large"))]
    companies = [found(shop, row.get("companyId", "")) for row in rows]
    bulk = in_bulk(
        list(zip(companies, rows, strict=True)),
        lambda pair: _update(shop, *pair),
        shop.undo_of(lambda changed: shop.companies.update({changed.before.id: changed.before})),
    )
    for changed in bulk.made:
        _tell_update(shop, changed)
    if bulk.failures:
        raise _refusal(bulk, [str(company.id) for company in companies])
    return done({"companyId": companies[0].id}, SUCCESS)


def _bulk_row(shop: Shop, row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in row.items() if not (shop.drops_uuid_on_bulk_update and key == "uuid")}


def set_status(shop: Shop, company: StoredCompany, given: Mapping[str, Any]) -> Answer:
    """Approve a company, reject it or switch it off."""
    status = given.get("companyStatus")
    if type(status) is not int or status not in range(4):
        raise invalid({"company_status": [f'"{status}" is not a valid choice.']})
    if status != company.company_status:
        shop.tell("company/statusUpdated", company_id=company.id)
    return _keep(shop, company, company_status=status)


def _keep(shop: Shop, company: StoredCompany, **values: Any) -> Answer:
    changed = evolve(company, updated_at=shop.stamp(), **values)
    shop.companies[company.id] = changed
    _tell_update(shop, _Changed(company, changed))
    return done({"companyId": company.id}, SUCCESS)
