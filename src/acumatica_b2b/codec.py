"""The strict converter between JSON and attrs classes: the only module that imports cattrs.

A text is never made of a number, a number never of a text, `True` never of `"False"`, a list never
of a text. Unknown fields are ignored. What is wrong is named by its path, never shown.
"""

import enum
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from operator import attrgetter
from types import GenericAlias, NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter, StructureHandlerNotFoundError, transform_error
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]  # partly untyped in cattrs
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from acumatica_b2b.errors import DecodeError

T = TypeVar("T")
Structure: TypeAlias = Callable[[Any, Any], Any]
"""Makes a value of plain data, or raises; the second argument is the wanted type."""


# ------------------------------------------------------------------ leaves
def _exactly(*types: type) -> Structure:
    def structure(value: object, _: object) -> object:
        if type(value) not in types:
            wanted = " or ".join(kind.__name__ for kind in types)
            raise TypeError(f"expected {wanted}, not {type(value).__name__}")
        return value

    return structure


def _number(value: object, wanted: object) -> float:
    try:
        return float(_exactly(int, float)(value, wanted))
    except OverflowError:
        raise ValueError("expected a number that fits") from None


def _moment(value: object, wanted: object) -> datetime:
    """Read ISO 8601 with a zone and any number of fraction digits."""
    text: str = _exactly(str)(value, wanted)
    moment = datetime.fromisoformat(re.sub(r"\.(\d{6})\d+", r".\1", text))
    if moment.tzinfo is None:
        raise ValueError("expected a moment with its zone")
    return moment


def _text_of_moment(moment: datetime) -> str:
    return moment.isoformat()


def _is_choice(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def _choice(cls: type[enum.Enum]) -> Structure:
    def structure(value: object, _: object) -> enum.Enum:
        name: str = _exactly(str)(value, cls)
        return cls[name]

    return structure


def _name(choice: enum.Enum) -> str:
    return choice.name


# ------------------------------------------------------------------ collections
def _checked(kind: type, structure: Structure) -> Structure:
    """Return the hook for values of one JSON kind only: cattrs would take any iterable."""
    check = _exactly(kind)
    return lambda value, cls: structure(check(value, cls), cls)


def _is_row(cls: Any) -> bool:
    return get_origin(cls) is tuple and get_args(cls)[-1:] == (...,)


def _is_pair(cls: Any) -> bool:
    return get_origin(cls) is tuple and not _is_row(cls)


def _is_mapping(cls: Any) -> bool:
    return get_origin(cls) in {dict, Mapping}


def _is_pairs(cls: Any) -> bool:
    """Tell whether a mapping's keys are records: JSON has no such keys."""
    return _is_mapping(cls) and attrs.has(get_args(cls)[0])


def _is_set(cls: Any) -> bool:
    return get_origin(cls) is frozenset


def _pair(cls: Any, converter: Converter) -> Structure:
    kinds = get_args(cls)
    hooks: list[Structure] = [converter.get_structure_hook(kind) for kind in kinds]

    def structure(value: list[Any], _: object) -> tuple[Any, ...]:
        if len(value) != len(kinds):
            raise ValueError(f"expected {len(kinds)} items, not {len(value)}")
        return tuple(hook(item, kind) for hook, item, kind in zip(hooks, value, kinds, strict=True))

    return _checked(list, structure)


# ------------------------------------------------------------------ converters
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _converter(rename: Callable[[str], str]) -> Converter:
    converter = Converter(detailed_validation=True)

    def renamed(cls: type) -> dict[str, Any]:
        names = {field.name: rename(field.name) for field in attrs.fields(cls)}
        return {name: override(rename=other) for name, other in names.items() if other != name}

    def record(cls: type[Any]) -> Structure:
        return _checked(dict, make_dict_structure_fn(cls, converter, **renamed(cls)))

    def written(cls: type) -> Callable[[Any], Any]:
        return make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **renamed(cls))

    def row(cls: Any) -> Structure:
        return _checked(list, homogenous_tuple_structure_factory(cls, converter))

    def pair(cls: Any) -> Structure:
        return _pair(cls, converter)

    def pairs(cls: Any) -> Structure:
        listed = GenericAlias(tuple, (GenericAlias(tuple, get_args(cls)), ...))
        return _made_of(row(listed), listed, dict)

    def collected(cls: Any) -> Structure:
        listed = GenericAlias(tuple, (*get_args(cls), ...))
        return _made_of(row(listed), listed, frozenset)

    def table(cls: Any) -> Structure:
        return _checked(dict, cast(Structure, mapping_structure_factory(cls, converter, dict)))

    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(datetime, _text_of_moment)
    converter.register_unstructure_hook(enum.Enum, _name)
    hooks = (
        (_is_choice, _choice),
        (_is_row, row),
        (_is_pair, pair),
        (_is_mapping, table),
        (_is_pairs, pairs),
        (_is_set, collected),
        (attrs.has, record),
    )
    for fits, factory in hooks:  # the last that fits is taken
        converter.register_structure_hook_factory(fits, factory)
    converter.register_unstructure_hook_factory(attrs.has, written)

    def written_pairs(_: Any) -> Callable[[Any], Any]:
        return lambda value: _listed(value.items(), converter)

    def written_set(_: Any) -> Callable[[Any], Any]:
        return lambda value: _listed(value, converter)

    converter.register_unstructure_hook_factory(_is_pairs, written_pairs)
    converter.register_unstructure_hook_factory(_is_set, written_set)
    return converter


def _made_of(structure: Structure, listed: Any, make: Callable[[Any], Any]) -> Structure:
    return lambda value, _: make(structure(value, listed))


def _listed(items: Iterable[Any], converter: Converter) -> list[Any]:
    """Return items without an order of their own in one that is always the same."""
    return sorted((converter.unstructure(item) for item in items), key=repr)


@cache
def snake() -> Converter:
    """Return the converter for JSON whose names are ours, such as the sync log's."""
    return _converter(lambda name: name)


@cache
def camel() -> Converter:
    """Return the converter for JSON whose names are camelCase, such as BigCommerce's."""
    return _converter(_camel)


# ------------------------------------------------------------------ reading and writing
def decode(data: object, cls: type[T], converter: Converter | None = None) -> T:
    """Return `data`, parsed JSON, as an instance of `cls`.

    Raises:
        DecodeError: with the path of the first field that is not of the declared type.

    """
    hook = (converter or snake()).get_structure_hook(cls)
    try:
        decoded: T = hook(data, cls)
    except StructureHandlerNotFoundError:  # the class is at fault, not the data
        raise
    except Exception as error:  # cattrs raises groups of anything
        raise DecodeError(*_first_complaint(error)) from None
    return decoded


def encode(value: object, converter: Converter | None = None) -> Any:
    """Return a value as plain data for JSON; what equals its default is left out."""
    return (converter or snake()).unstructure(value)


def decode_tagged(data: object, union: Any) -> Any:
    """Return `data` as the member of a closed union that its key "is" names.

    Raises:
        DecodeError: no such member, or not of its shape.

    """
    members = _members(union)
    if not isinstance(data, dict):
        raise DecodeError(f"expected dict, not {type(data).__name__}")
    name = cast(dict[str, object], data).get("is")
    if not isinstance(name, str) or name not in members:
        raise DecodeError(f"expected one of {', '.join(members)}", "is")
    return decode(cast(object, data), members[name])


@cache
def _members(union: Any) -> Mapping[str, Any]:
    return {member.__name__: member for member in get_args(union)}


def encode_tagged(value: object) -> dict[str, Any]:
    """Return a member of a closed union as plain data with the key "is"."""
    return {"is": type(value).__name__, **encode(value)}


def plain(value: object) -> object:
    """Return a value with its records as tuples, whose `repr` hides nothing; texts and numbers as they are."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, tuple):
        return tuple([item if type(item) in _PLAIN else plain(item) for item in cast("tuple[object, ...]", value)])
    if attrs.has(kind):
        items = _values(cast("Any", kind))(value)
        return (kind.__name__, *[item if type(item) in _PLAIN else plain(item) for item in items])
    return value


_PLAIN: Final = frozenset({str, int, bool, float, NoneType})


@cache
def _values(cls: Any) -> Callable[[object], tuple[Any, ...]]:
    """Return what gets the values of a record's fields, in their order."""
    names = [field.name for field in attrs.fields(cls)]
    if len(names) < 2:  # attrgetter gives no tuple then
        return lambda value: tuple([getattr(value, name) for name in names])
    return attrgetter(*names)


def json_object(body: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object that a body is; `what` names it in an error.

    Raises:
        DecodeError: it is none.

    """
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        message = f"{what} of {len(body)} bytes is no JSON"
        raise DecodeError(message) from None
    return an_object(data, "")


def an_object(value: object, path: str) -> dict[str, Any]:
    """Return a value that is a JSON object.

    Raises:
        DecodeError: it is none.

    """
    return cast("dict[str, Any]", typed(value, dict, path))


def typed(value: object, kind: type[T], path: str) -> T:
    """Return a value that is of exactly this type.

    Raises:
        DecodeError: it is of another.

    """
    if type(value) is kind:
        return value
    message = f"expected {kind.__name__}, not {type(value).__name__}"
    raise DecodeError(message, path)


def _first_complaint(error: Exception) -> tuple[str, str]:
    """Return what is wrong and where, without the value that stood there."""
    complaint, _, path = transform_error(error)[0].rpartition(" @ ")
    return complaint or "not of the documented shape", path.removeprefix("$").removeprefix(".")
