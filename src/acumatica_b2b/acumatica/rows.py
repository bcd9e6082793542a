"""Rows of the contract-based REST API, decoded strictly: a wrong type is an error with its path.

`{}`, `{"value": null}` and an absent ordinary field are empty. A field that the configuration names
and whose key is absent is UNSET.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, assert_never, cast

from attrs import field, frozen

from acumatica_b2b.acumatica.config import AttributeRow, Everyone, OptIn, PlainField, SiteRows, Source, UserField
from acumatica_b2b.acumatica.queries import Key, Shape
from acumatica_b2b.codec import decode
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Response
from acumatica_b2b.model import UNSET, MaybeUnset, NoteID

T = TypeVar("T")


@frozen
class Row:
    """One row, with the path that leads to it."""

    data: Mapping[str, Any] = field(repr=False)
    path: str

    def text(self, name: str) -> str:
        """Return a text without the blanks around it; empty: ""."""
        return (self._typed(name, str) or "").strip()

    def number(self, name: str) -> int | None:
        """Return a whole number; empty: None."""
        return self._typed(name, int)

    def flag(self, name: str, *, empty: bool) -> bool:
        """Return yes or no, or what an empty field stands for."""
        found = self._typed(name, bool)
        return empty if found is None else found

    def moment(self, name: str) -> datetime | None:
        """Return a moment with its zone; empty: None."""
        found = _value(self.data.get(name), f"{self.path}.{name}")
        if found is None:
            return None
        try:
            return decode(found, datetime)
        except DecodeError as error:
            raise DecodeError(str(error.args[0]), f"{self.path}.{name}") from None

    def linked(self, name: str) -> "Row":
        """Return a linked entity; one that is not there is a row of empty fields."""
        return Row(_mapping(self.data.get(name), f"{self.path}.{name}"), f"{self.path}.{name}")

    def details(self, name: str) -> "tuple[Row, ...] | None":
        """Return the rows of a detail entity; None: it did not come."""
        path = f"{self.path}.{name}"
        found = self.data.get(name)
        if found is None:
            return None
        if not isinstance(found, list):
            message = f"expected a list, not {type(found).__name__}"
            raise DecodeError(message, path)
        rows = enumerate(cast("list[object]", found))
        return tuple(Row(_mapping(row, f"{path}[{i}]"), f"{path}[{i}]") for i, row in rows)

    def at(self, source: Source) -> object:
        """Return what is kept where the configuration says; empty: None; no such key: UNSET."""
        match source:
            case PlainField(name):
                return _cell(self.data, name, self.path)
            case UserField(view, name):
                custom = _mapping(self.data.get("custom"), f"{self.path}.custom")
                path = f"{self.path}.custom.{view}"
                return _cell(_mapping(custom.get(view), path), name, path)
            case AttributeRow(name):
                rows = self.details("Attributes") or ()
                same = (row for row in rows if row.text("AttributeID").casefold() == name.casefold())
                row = next(same, None)
                return UNSET if row is None else _value(row.data.get("Value"), f"{row.path}.Value")
            case _:
                assert_never(source)

    def has(self, source: OptIn) -> bool:
        """Return whether the place came; a list of details that did may still lack the row."""
        match source:
            case Everyone():
                return True
            case PlainField() | UserField():
                return self.at(source) is not UNSET
            case AttributeRow():
                return self.details("Attributes") is not None
            case SiteRows(detail):
                return self.details(detail) is not None
            case _:
                assert_never(source)

    def note_id(self) -> NoteID:
        """Return the record's lasting id: `NoteID`, which is `id` where the version has no such field."""
        plain = self.data.get("id")
        found = self.text("NoteID") or (plain if isinstance(plain, str) else "")
        if not found:
            message = "neither NoteID nor id came"
            raise DecodeError(message, self.path)
        return NoteID(found.lower())

    def _typed(self, name: str, kind: type[T]) -> T | None:
        found = _value(self.data.get(name), f"{self.path}.{name}")
        if found is None or type(found) is kind:
            return found
        message = f"expected {kind.__name__}, not {type(found).__name__}"
        raise DecodeError(message, f"{self.path}.{name}.value")


def _mapping(data: object, path: str) -> Mapping[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        message = f"expected an object, not {type(data).__name__}"
        raise DecodeError(message, path)
    return cast("dict[str, Any]", data)


def _value(cell: object, path: str) -> Any:
    return _mapping(cell, path).get("value")


def _cell(fields: Mapping[str, Any], name: str, path: str) -> object:
    return _value(fields[name], f"{path}.{name}") if name in fields else UNSET


def row_of(data: object, shape: Shape) -> Row:
    """Return one parsed row of an entity, its path naming the record by its keys."""
    row = _mapping(data or None, shape.entity)
    keys = (_value(row.get(name), f"{shape.entity}.{name}") for name in shape.keys)
    return Row(row, f"{shape.entity}[{','.join('?' if key is None else str(key).strip() for key in keys)}]")


def rows_of(response: Response, shape: Shape) -> tuple[Row, ...]:
    """Return the rows of a list."""
    data = response.json()
    if not isinstance(data, list):
        message = f"expected a list, not {type(data).__name__}"
        raise DecodeError(message, shape.entity)
    return tuple(row_of(item, shape) for item in cast("list[object]", data))


def key_of(row: Row, shape: Shape) -> Key:
    """Return the key fields of a row."""
    key = tuple(row.number(name) if name == "ContactID" else row.text(name) for name in shape.keys)
    full = tuple(part for part in key if part is not None and part != "")
    if len(full) < len(key):
        message = f"a row came without its key {', '.join(shape.keys)}"
        raise DecodeError(message, row.path)
    return full


def newest(rows: Iterable[Row]) -> datetime | None:
    """Return the latest stamp of some rows."""
    stamps = (row.moment("LastModifiedDateTime") for row in rows)
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def text_at(row: Row, source: Source | None) -> str | MaybeUnset:
    """Return what is kept at a configured place as a text; no place: ""."""
    if source is None:
        return ""
    match row.at(source):
        case None:
            return ""
        case str(text):
            return text.strip()
        case bool(flag):
            return "true" if flag else "false"
        case int() | float() as number:
            return str(number)
        case found if found is UNSET:
            return UNSET
        case found:
            message = f"expected a plain value, not {type(found).__name__}"
            raise DecodeError(message, f"{row.path}.{source}")
