"""Addresses of companies."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, Literal

from attrs import evolve

from acumatica_b2b.simulators.bigcommerce import extra_fields, places
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
    rows_of,
    stamp_tests,
    too_many_rows,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.records import StoredAddress
from acumatica_b2b.simulators.bigcommerce.state import Shop

_ADDRESS: Final = (
    Field(name="firstName", required=True),
    Field(name="lastName", required=True),
    Field(name="phoneNumber", longest=50),
    Field(name="addressLine1", required=True),
    Field(name="addressLine2"),
    Field(name="city", required=True),
    Field(name="zipCode", longest=50),
    Field(name="isBilling", kind="flag"),
    Field(name="isShipping", kind="flag"),
    Field(name="isDefaultBilling", kind="flag"),
    Field(name="isDefaultShipping", kind="flag"),
    Field(name="label"),
)
_PLACE: Final = (
    Field(name="countryName"),
    Field(name="countryCode"),
    Field(name="stateName"),
    Field(name="stateCode"),
)
_EXTERNAL_ID: Final = Field(name="externalId")
_COMPANY: Final = Field(name="companyId", kind="integer", required=True)
_USES: Final[tuple[Literal["billing", "shipping"], ...]] = ("billing", "shipping")


def answer(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/addresses`."""
    match call.method, call.path:
        case "GET", ():
            return call.query.page(_wanted(shop, call.query), _renderer(call.query))
        case "POST", ():
            return _told(shop, "created", _create(shop, call.body))
        case "POST", ("bulk",):
            return _create_many(shop, call.body)
        case "GET", ("extra-fields",):
            return extra_fields.answer_configuration(shop, "addresses", call.query)
        case method, (number,):
            return _answer_one(shop, call, _found(shop, number), method)
        case _:
            raise no_such_route(call)


def _answer_one(shop: Shop, call: Call, address: StoredAddress, method: str) -> Answer:
    match method:
        case "GET":
            return done(_shown(address, extra=True))
        case "PUT":
            return _told(shop, "updated", _update(shop, address, as_object(call.body)))
        case "DELETE":
            shop.drop_address(address)
            return _told(shop, "deleted", address)
        case _:
            raise no_such_route(call)


def _found(shop: Shop, number: str) -> StoredAddress:
    missing = not_found("Address matching query does not exist.")
    address = shop.addresses.get(number_in(number, missing))
    if address is None:
        raise missing
    return address


def _told(shop: Shop, what: str, address: StoredAddress) -> Answer:
    shop.tell(f"company/address/{what}", company_id=address.company_id, address_id=address.id)
    return done({"addressId": address.id})


# ------------------------------------------------------------------ reading
def _wanted(shop: Shop, query: Query) -> list[StoredAddress]:
    tests = _tests(query)
    listed = shop.listed_addresses(query.number("companyId"), earliest(query))
    kept = [address for address in listed if all(test(address) for test in tests)]
    if shop.latest_first:
        return sorted(kept, key=lambda address: (-address.updated_at, address.id))
    return sorted(kept, key=attrgetter("id"))


def _tests(query: Query) -> list[Callable[[StoredAddress], bool]]:
    """Return what the query asks of an address, and nothing that it doesn't ask."""
    tests: list[Callable[[StoredAddress], bool]] = stamp_tests(query)
    if external_ids := query.every("externalId[]"):
        tests.append(lambda address: address.external_id in external_ids)
    if (billing := query.flag("isBilling")) is not None:
        tests.append(lambda address: address.is_billing == billing)
    if (shipping := query.flag("isShipping")) is not None:
        tests.append(lambda address: address.is_shipping == shipping)
    return tests


def _renderer(query: Query) -> Callable[[StoredAddress], Mapping[str, Any]]:
    extra = query.flag("isIncludeExtraFields") or False
    return lambda address: _shown(address, extra=extra)


def _shown(address: StoredAddress, *, extra: bool) -> Mapping[str, Any]:
    shown = {
        "addressId": address.id,
        "firstName": address.first_name,
        "lastName": address.last_name,
        "phoneNumber": address.phone_number,
        "zipCode": address.zip_code,
        "addressLine1": address.address_line1,
        "addressLine2": address.address_line2,
        "city": address.city,
        "stateName": address.place.state_name,
        "countryName": address.place.country_name,
        "stateCode": address.place.state_code,
        "countryCode": address.place.country_code,
        "companyId": str(address.company_id),  # a text here, a number everywhere else
        "isBilling": address.is_billing,
        "isShipping": address.is_shipping,
        "isDefaultBilling": address.is_default_billing,
        "isDefaultShipping": address.is_default_shipping,
        "label": address.label,
        "externalId": address.external_id,
    }
    of_extra = [one | {"fieldType": 0} for one in map(dict, extra_fields.shown(address.extra_fields))]
    return shown | ({"extraFields": of_extra} if extra else {})


# ------------------------------------------------------------------ writing
def _create(shop: Shop, body: Any) -> StoredAddress:
    given = as_object(body)
    company = read(given, (_COMPANY,), creating=True)
    values = _values(shop, given, known=None)
    if company["company_id"] not in shop.companies:
        raise invalid({"company_id": ["Company does not exist."]})
    shop.require_no_objection(given)
    stamp = shop.stamp()
    address = StoredAddress(id=shop.new_address_id(), created_at=stamp, updated_at=stamp, **company, **values)
    return _keep(shop, address)


def _update(shop: Shop, address: StoredAddress, given: Mapping[str, Any]) -> StoredAddress:
    values = _values(shop, given, known=address)
    return _keep(shop, evolve(address, updated_at=shop.stamp(), **values))


def _values(shop: Shop, given: Mapping[str, Any], known: StoredAddress | None) -> dict[str, Any]:
    values = read(given, _ADDRESS, creating=known is None)
    for use in _USES:
        _check_default(values, use)
    values["place"] = places.place_of(read(given, _PLACE, creating=False), known.place if known else None)
    if "externalId" in given:
        # It may be null, unlike all others.
        external_id = given["externalId"] and read(given, (_EXTERNAL_ID,), creating=False)["external_id"]
        values["external_id"] = external_id or None
    return values | extra_fields.read(shop, "addresses", given, of=known.id if known else None)


def _check_default(values: Mapping[str, Any], use: Literal["billing", "shipping"]) -> None:
    default, plain_use = values.get(f"is_default_{use}"), values.get(f"is_{use}")
    if default is not None and (plain_use is None or (default and not plain_use)):
        raise _default_alone()


def _default_alone() -> RefusedError:
    return illogical("Check is default fields and corresponding field.")


def _keep(shop: Shop, address: StoredAddress) -> StoredAddress:
    """Store an address; a company has one default of a kind, so the former ones end."""
    for other in shop.addresses_of(address.company_id):
        former = evolve(
            other,
            is_default_billing=other.is_default_billing and not address.is_default_billing,
            is_default_shipping=other.is_default_shipping and not address.is_default_shipping,
        )
        if former != other:
            shop.keep_address(former)
    return shop.keep_address(address)


def _create_many(shop: Shop, body: Any) -> Answer:
    rows = rows_of(body, too_many_rows())
    bulk = in_bulk(rows, lambda row: _create(shop, row), shop.undo_of(shop.drop_address))
    for address in bulk.made:
        _told(shop, "created", address)
    if bulk.failures:
        raise bulk_refusal(bulk)
    return done([_shown(address, extra=True) for address in shop.in_answer_order(bulk.made)])
