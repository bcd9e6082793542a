"""Extra fields: their rules when written, their filter, and how answers show them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from acumatica_b2b.simulators.bigcommerce.envelope import Answer, Query, RefusedError, illogical, invalid
from acumatica_b2b.simulators.bigcommerce.records import (
    ExtraField,
    ExtraValues,
    Resource,
    StoredAddress,
    StoredCompany,
    StoredUser,
)
from acumatica_b2b.simulators.bigcommerce.state import Shop


def read(
    shop: Shop, resource: Resource, given: Any, *, of: int | None = None, key: str = "extraFields"
) -> dict[str, Any]:
    """Return the values of a body's extra fields, ready to be stored; {} where it names none.

    What comes replaces all there was. `of` is the id of the record that is written, if it exists.

    Raises:
        RefusedError: one is unknown, too long, missing though required, or taken though unique.

    """
    configured = {known.name: known for known in shop.extra_fields.get(resource, ())}
    values = _pairs(given.get(key))
    for name, value in values.items():
        if name not in configured:
            raise _unknown(name)
        _check(shop, resource, configured[name], value, of)
    missing = [known.name for known in configured.values() if known.required and not values.get(known.name)]
    # They must come with every update: documented of companies, the safe reading for the others.
    if missing:
        raise invalid({"extra_fields": [f"{missing[0]} is required."]})
    return {"extra_fields": tuple(values.items())} if key in given else {}


def _pairs(items: Any) -> dict[str, str]:
    if items is None:
        return {}
    try:
        return {str(item["fieldName"]): str(item["fieldValue"]) for item in items}
    except (TypeError, KeyError):
        raise invalid({"extra_fields": ["Expected a list of fieldName and fieldValue."]}) from None


def _check(shop: Shop, resource: Resource, known: ExtraField, value: str, of: int | None) -> None:
    if len(value) > known.longest:
        raise _too_long(known)
    if known.unique and any(
        (known.name, value) in record.extra_fields for record in _records(shop, resource) if record.id != of
    ):
        raise _taken(known)


def _unknown(name: str) -> RefusedError:
    return illogical(f"The extra field {name} does not exist.")


def _too_long(known: ExtraField) -> RefusedError:
    return illogical(f"The value of {known.name} has more than {known.longest} characters.")


def _taken(known: ExtraField) -> RefusedError:
    return illogical(f"The value of {known.name} already exists.", conflict=True)


def _records(shop: Shop, resource: Resource) -> Sequence[StoredCompany | StoredUser | StoredAddress]:
    match resource:
        case "companies":
            return tuple(shop.companies.values())
        case "users":
            return tuple(shop.users.values())
        case "addresses":
            return tuple(shop.addresses.values())


def matcher(query: Query) -> Callable[[ExtraValues], bool]:
    """Return the filter `extraFields=name:value`; all of them must hold, by part unless exact."""
    wanted = [text.partition(":") for text in query.every("extraFields")]
    if query.one("extraFieldFilterType") == "exact-match":
        pairs = {(name, value) for name, _, value in wanted}
        return pairs.issubset

    def matches(values: ExtraValues) -> bool:
        held = dict(values)
        return all(name in held and value.lower() in held[name].lower() for name, _, value in wanted)

    return matches


def shown(values: ExtraValues) -> list[Mapping[str, Any]]:
    """Return extra fields as users and addresses show them."""
    return [{"fieldName": name, "fieldValue": value} for name, value in values]


def shown_in_full(shop: Shop, values: ExtraValues) -> list[Mapping[str, Any]]:
    """Return extra fields as companies show them."""
    required = {known.name for known in shop.extra_fields.get("companies", ()) if known.required}
    return [
        {
            "fieldName": name,
            "fieldValue": value,
            "labelName": name,
            "isRequired": "1" if name in required else "0",
            "dataType": "0",
            "fieldType": 0,
        }
        for name, value in values
    ]


def answer_configuration(shop: Shop, resource: Resource, query: Query) -> Answer:
    """Answer `GET /companies/extra-fields` and its like."""
    configured = list(enumerate(shop.extra_fields.get(resource, ()), start=1))
    return query.page(configured, _configuration)


def _configuration(numbered: tuple[int, ExtraField]) -> Mapping[str, Any]:
    number, known = numbered
    return {
        "id": number,
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "fieldName": known.name,
        "fieldType": 0,
        "isRequired": known.required,
        "isUnique": known.unique,
        "visibleToEnduser": True,
        "configType": 2,
        "defaultValue": "",
        "maximumLength": str(known.longest),
        "numberOfRows": "",
        "maximumValue": "",
        "listOfValue": [],
    }
