"""What the body of a PUT or PATCH asks to be changed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from attrs import define, field, frozen

from acumatica_b2b.http import Request
from acumatica_b2b.simulators.acumatica.answers import bad_request
from acumatica_b2b.simulators.acumatica.rows import CustomValue
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOM_KINDS, CUSTOMER, LOCATION, Contract, Field, Kind
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings, CustomField
from acumatica_b2b.simulators.acumatica.tables import Value

_LENGTHS: Final[Mapping[str, int]] = {
    "AddressLine1": 50,
    "AddressLine2": 50,
    "City": 50,
    "Country": 2,
    "CustomerName": 255,
    "Email": 255,
    "ExtRefNbr": 40,
    "FirstName": 50,
    "JobTitle": 255,
    "LastName": 100,
    "LocationName": 60,
    "Phone1": 50,
    "Phone2": 50,
    "Phone3": 50,
    "PostalCode": 20,
    "State": 50,
}
_STAMPS: Final = frozenset({"LastModifiedDateTime", "CreatedDateTime", "NoteID"})
_READ_ONLY: Final[Mapping[str, frozenset[str]]] = {
    CONTACT: _STAMPS | {"DisplayName", "Status", "Type"},
    CUSTOMER: _STAMPS | {"BAccountID", "PrimaryContactID", "PrimaryContact"},
    LOCATION: _STAMPS | {"Status"},
}
"""What the screens compute or forbid. The API ignores it in silence; so with the primary contact."""


@frozen(kw_only=True)
class DetailChange:
    """What a body asks of one detail row."""

    id: str | None
    delete: bool
    values: Mapping[str, CustomValue]


@define(kw_only=True)
class Changes:
    """The values a body holds, by path; `errors` says by path what the screen objects to."""

    id: str | None = None
    values: dict[str, Value] = field(factory=dict[str, Value])
    custom: dict[str, CustomValue] = field(factory=dict[str, CustomValue])
    attributes: dict[str, str] = field(factory=dict[str, str])
    details: dict[str, list[DetailChange]] = field(factory=dict[str, list[DetailChange]])
    errors: dict[str, str] = field(factory=dict[str, str])


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises:
        RefusedError: 400, there is none.

    """
    if not request.body.strip():
        raise bad_request(text="The request body should not be empty.")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise bad_request(text="The request body is not a JSON document.") from None
    return _object(body, "")


@frozen(kw_only=True)
class BodyReader:
    """Reads bodies of one entity."""

    settings: AcumaticaSettings
    entity: str
    contract: Contract

    def read(self, body: Mapping[str, Any]) -> Changes:
        """Return what a body asks for; what it should not name is left out, as the API does.

        Raises:
            RefusedError: 400, a value that is not of its field's type.

        """
        note = body.get("id")
        changes = Changes(id=note.lower() if isinstance(note, str) else None)
        self._fields(body, self.entity, "", changes)
        for view, inner in _object(body.get("custom") or {}, "custom").items():
            for name, item in _object(inner, f"custom.{view}").items():
                self._custom(f"{view}.{name}", item, changes)
        return changes

    def _fields(self, body: Mapping[str, Any], entity: str, prefix: str, changes: Changes) -> None:
        known = self.contract.fields(entity)
        for name, item in body.items():
            one = known.get(name)
            forbidden = not prefix and name in _READ_ONLY[self.entity]
            if one is not None and item is not None and not forbidden:
                self._field(one, item, prefix + name, changes)

    def _field(self, one: Field, item: object, path: str, changes: Changes) -> None:
        if one.custom is not None:
            declared = self.settings.custom_field(self.entity, one.custom) or CustomField(name=one.custom)
            changes.custom[one.custom] = self._custom_value(declared, _object(item, path).get("value"), changes)
        elif one.kind is not None:
            self._scalar(one, _object(item, path).get("value"), path, changes)
        elif one.linked is not None:
            self._fields(_object(item, path), one.linked, f"{path}/", changes)
        elif isinstance(item, list):
            rows = [_object(row, path) for row in cast("list[object]", item)]
            self._details(one, rows, changes)

    def _details(self, one: Field, rows: list[dict[str, Any]], changes: Changes) -> None:
        if one.detail == "AttributeValue":
            for row in rows:
                _attribute(row, changes)
        elif one.name in {added.name for added in self.contract.details(self.entity)}:
            changes.details[one.name] = [self._detail(str(one.detail), row) for row in rows]

    def _detail(self, entity: str, row: Mapping[str, Any]) -> DetailChange:
        known = self.contract.fields(entity)
        given = {name: item for name, item in row.items() if name in known and item is not None}
        return DetailChange(
            id=row.get("id"),
            delete=row.get("delete") is True,
            values={
                name: _custom_typed(known[name].kind, _object(item, name).get("value"), name)
                for name, item in given.items()
            },
        )

    def _scalar(self, one: Field, raw: object, path: str, changes: Changes) -> None:
        value = _typed(one.kind, raw, path)
        changes.values[_ALIASES.get((self.entity, path), path)] = value
        longest = _LENGTHS.get(one.name)
        if longest is not None and isinstance(value, str) and len(value) > longest:
            changes.errors[path] = (
                f"The text of '{one.name}' has {len(value)} characters, at most {longest} are stored."
            )

    def _custom(self, name: str, item: object, changes: Changes) -> None:
        cell = _object(item, f"custom.{name}")
        if not isinstance(cell.get("type"), str):
            raise bad_request(text="The type of a custom field is required.", path=f"custom.{name}")
        declared = self.settings.custom_field(self.entity, name)
        if declared is not None:
            changes.custom[name] = self._custom_value(declared, cell.get("value"), changes)

    def _custom_value(self, declared: CustomField, raw: object, changes: Changes) -> CustomValue:
        value = _custom_typed(CUSTOM_KINDS[declared.kind], raw, f"custom.{declared.name}")
        if declared.length is not None and isinstance(value, str) and len(value) > declared.length:
            changes.errors[f"custom.{declared.name}"] = (
                f"The text of '{declared.name}' has {len(value)} characters, at most {declared.length} are stored."
            )
        return value


_ALIASES: Final[Mapping[tuple[str, str], str]] = {
    (CUSTOMER, "Email"): "MainContact/Email",
    (CUSTOMER, "MainContact/CompanyName"): "MainContact/FullName",
    (CUSTOMER, "MainContact/DisplayName"): "MainContact/FullName",
}


def _attribute(row: Mapping[str, Any], changes: Changes) -> None:
    name = _typed(Kind.STRING, _object(row.get("AttributeID") or {}, "Attributes").get("value"), "Attributes")
    value = _typed(Kind.STRING, _object(row.get("Value") or {}, "Attributes").get("value"), "Attributes")
    if name:
        changes.attributes[str(name)] = str(value or "")


def _custom_typed(kind: Kind | None, raw: object, path: str) -> str | bool | int | None:
    return cast("str | bool | int | None", _typed(kind, raw, path))


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_request(text="A JSON object is expected here.", path=path)
    return cast("dict[str, Any]", value)


def _typed(kind: Kind | None, raw: object, path: str) -> Value:
    """Return a value as its field's type, with the conversions that .NET's reader of JSON makes."""
    if raw is None:
        return None
    try:
        return _converted(kind, raw)
    except (ValueError, InvalidOperation):
        raise bad_request(text=f"The value is not of the type {kind.value if kind else ''}.", path=path) from None


def _converted(kind: Kind | None, raw: object) -> Value:
    text = str(raw).rstrip()
    match kind:
        case Kind.BOOLEAN:
            return {"true": True, "false": False}[text.lower()] if text.lower() in {"true", "false"} else _refuse()
        case Kind.INT:
            return _refuse() if isinstance(raw, bool) else int(text)
        case Kind.DECIMAL:
            return Decimal(text)
        case Kind.MOMENT:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        case _:
            return _refuse() if isinstance(raw, dict | list) else text or None


def _refuse() -> Value:
    raise ValueError
