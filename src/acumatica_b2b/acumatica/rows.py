"""Rows of the contract-based REST API, decoded strictly: a wrong type is an error with its path.

`{}`, `{"value": null}` and an absent ordinary field are empty. A field that the configuration names
and whose key is absent is UNSET.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar, assert_never, cast

from attrs import define, field

from acumatica_b2b.acumatica.config import AttributeRow, Everyone, OptIn, PlainField, SiteRows, Source, UserField
from acumatica_b2b.acumatica.queries import Key, Shape
from acumatica_b2b.codec import decode
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Response
from acumatica_b2b.model import UNSET, MaybeUnset, NoteID

T = TypeVar("T")


@define  # not frozen, as there is one for each row of a tenant, and frozen ones take twice the time to make
class Row:
    """One row, and where it stands: its path, its entity, or the row that it is linked from with its name there.

    What is as it should be is read in one look. Whatever is not is looked at once more, exactly, with its path.
    """

    data: Mapping[str, Any] = field(repr=False)
    place: "str | Shape | tuple[Row, str]"

    @property
    def path(self) -> str:
        """The path that leads to it, which names a record by its keys."""
        match self.place:
            case str(path):
                return path
            case Shape(entity=entity, keys=names):
                keys = [_value(self.data.get(name), f"{entity}.{name}") for name in names]
                return f"{entity}[{','.join('?' if key is None else str(key).strip() for key in keys)}]"
            case (row, name):
                return f"{row.path}.{name}"

    def text(self, name: str) -> str:
        """Return a text without the blanks around it; empty: ""."""
        try:
            return _stripped(self.data[name]["value"])
        except (KeyError, TypeError):  # it is empty, or wrong
            return (self._typed(name, str) or "").strip()

    def texts(self, *names: str) -> list[str]:
        """Return several texts."""
        cell = self.data.get
        try:
            return ["" if (text := cell(name, _EMPTY).get("value")) is None else _stripped(text) for name in names]
        except (AttributeError, TypeError):  # one is null, or wrong
            return [self.text(name) for name in names]

    def number(self, name: str) -> int | None:
        """Return a whole number; empty: None."""
        found = self._value(name)
        return found if type(found) is int else self._typed(name, int)

    def flag(self, name: str, *, empty: bool) -> bool:
        """Return yes or no, or what an empty field stands for."""
        found = self._typed(name, bool)
        return empty if found is None else found

    def moment(self, name: str) -> datetime | None:
        """Return a moment with its zone; empty: None."""
        found = self._value(name)
        if found is None:
            return None
        try:
            moment = datetime.fromisoformat(found)
        except (TypeError, ValueError):
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return moment
        try:
            return decode(found, datetime)
        except DecodeError as error:
            raise DecodeError(str(error.args[0]), f"{self.path}.{name}") from None

    def linked(self, name: str) -> "Row":
        """Return a linked entity; one that is not there is a row of empty fields."""
        return self._within(self.data.get(name), name)

    def details(self, name: str) -> "tuple[Row, ...] | None":
        """Return the rows of a detail entity; None: it did not come."""
        found = self.data.get(name)
        if found is None:
            return None
        if not isinstance(found, list):
            message = f"expected a list, not {type(found).__name__}"
            raise DecodeError(message, f"{self.path}.{name}")
        rows = enumerate(cast("list[object]", found))
        return tuple(self._within(row, f"{name}[{i}]") for i, row in rows)

    def at(self, source: Source) -> object:
        """Return what is kept where the configuration says; empty: None; no such key: UNSET."""
        match source:
            case UserField(view, name):
                try:
                    return self.data["custom"][view][name].get("value")
                except (AttributeError, KeyError, TypeError):  # it is not there, or wrong
                    custom = self.linked("custom").linked(view)
                    return _cell(custom, name)
            case PlainField(name):
                return _cell(self, name)
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

    def _within(self, data: Any, name: str) -> "Row":
        if type(data) not in _OBJECTS:
            data = _mapping(data, f"{self.path}.{name}")
        return Row(data, (self, name))

    def _value(self, name: str) -> Any:
        try:
            return self.data.get(name, _EMPTY).get("value")
        except AttributeError:  # it is null, or wrong
            return _value(self.data[name], f"{self.path}.{name}")

    def _typed(self, name: str, kind: type[T]) -> T | None:
        found = self._value(name)
        if found is None or type(found) is kind:
            return found
        message = f"expected {kind.__name__}, not {type(found).__name__}"
        raise DecodeError(message, f"{self.path}.{name}.value")


_EMPTY: Final[Mapping[str, Any]] = {}
_OBJECTS: Final = frozenset({dict})
_stripped: Final = str.strip


def _mapping(data: object, path: str) -> Mapping[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        message = f"expected an object, not {type(data).__name__}"
        raise DecodeError(message, path)
    return cast("dict[str, Any]", data)


def _value(cell: object, path: str) -> Any:
    return _mapping(cell, path).get("value")


def _cell(row: Row, name: str) -> Any:
    return _value(row.data[name], f"{row.path}.{name}") if name in row.data else UNSET


def row_of(data: Any, shape: Shape) -> Row:
    """Return one parsed row of an entity."""
    if not data or type(data) not in _OBJECTS:
        data = _mapping(data or None, shape.entity)
    return Row(data, shape)


Keep: TypeAlias = Callable[[Row, str], T]
"""Makes of a row and its text what is kept of it."""


def as_row(row: Row, _: str) -> Row:
    """Keep a row as it is."""
    return row


def kept_of(response: Response, shape: Shape, keep: Keep[T]) -> list[tuple[Key, T]]:
    """Return what is kept of the rows of a list, by their keys; one row at a time lies there parsed."""
    try:
        items = _items(response.body.decode())
        return [(key_of(row := row_of(data, shape), shape), keep(row, text)) for data, text in items]
    except (ValueError, IndexError, RecursionError, DecodeError):  # written otherwise than expected, or wrong
        rows = rows_of(response, shape)
        keys = [key_of(row, shape) for row in rows]
        return [(key, keep(row, json.dumps(row.data))) for key, row in zip(keys, rows, strict=True)]


def _items(text: str) -> Iterator[tuple[Any, str]]:
    """Yield the items of a JSON list that is written without blanks, each with its text."""
    if text[0] != "[":
        raise ValueError
    at, decoded = (1 if text[1] == "]" else 0), _decoder.raw_decode
    while text[at] == ("," if at else "["):
        item, end = decoded(text, at + 1)
        yield item, text[at + 1 : end]
        at = end
    if text[at:].rstrip() != "]":
        raise ValueError


_decoder: Final = json.JSONDecoder()
_NUMBERED: Final = ("ContactID",)


def rows_of(response: Response, shape: Shape) -> tuple[Row, ...]:
    """Return the rows of a list."""
    data = response.json()
    if not isinstance(data, list):
        message = f"expected a list, not {type(data).__name__}"
        raise DecodeError(message, shape.entity)
    return tuple(row_of(item, shape) for item in cast("list[object]", data))


def key_of(row: Row, shape: Shape) -> Key:
    """Return the key fields of a row."""
    key = (row.number("ContactID"),) if shape.keys == _NUMBERED else tuple(row.texts(*shape.keys))
    if None in key or "" in key:
        message = f"a row came without its key {', '.join(shape.keys)}"
        raise DecodeError(message, row.path)
    return cast("Key", key)


def newest(rows: Iterable[Row]) -> datetime | None:
    """Return the latest stamp of some rows."""
    stamps = (row.moment("LastModifiedDateTime") for row in rows)
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def text_at(row: Row, source: Source | None) -> str | MaybeUnset:
    """Return what is kept at a configured place as a text; no place: ""."""
    if source is None:
        return ""
    found = row.at(source)
    if type(found) is str:
        return found.strip()
    match found:
        case None:
            return ""
        case bool(flag):
            return "true" if flag else "false"
        case int() | float() as number:
            return str(number)
        case found if found is UNSET:
            return UNSET
        case found:
            message = f"expected a plain value, not {type(found).__name__}"
            raise DecodeError(message, f"{row.path}.{source}")
