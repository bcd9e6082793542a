"""Reads tables of a TOML file into records, every key and type checked and named."""

import difflib
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeGuard, TypeVar, cast

import attrs
from attrs import frozen

from acumatica_b2b.errors import ConfigurationError

T = TypeVar("T")
Table: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Any
"""A type as attrs knows it, `frozenset[str] | None` and `float | None` included."""


def is_table(given: object) -> TypeGuard[Table]:
    """Tell whether it is a table of a TOML file."""
    return isinstance(given, dict)


def _is_list(given: object) -> TypeGuard[list[object]]:
    return isinstance(given, list)


def _is(kind: type) -> Callable[[object], bool]:
    return lambda given: type(given) is kind


def _lists(kind: type) -> Callable[[object], bool]:
    return lambda given: _is_list(given) and all(type(one) is kind for one in given)


def _tables(kind: type) -> Callable[[object], bool]:
    return lambda given: is_table(given) and all(type(one) is kind for one in given.values())


@frozen
class _Shape:
    """How a kind is written, in words and as a test, and what is made of it."""

    words: str
    fits: Callable[[object], bool]
    make: Callable[[Any], object]


def _any_or_texts(given: object) -> bool:
    return given == "any" or _lists(str)(given)


def _forever_or_number(given: object) -> bool:
    return given == "forever" or type(given) in {int, float}


def _none_or_number(given: Any) -> float | None:
    return None if given == "forever" else float(given)


def _none_or_texts(given: Any) -> frozenset[str] | None:
    return None if given == "any" else frozenset(given)


_SHAPES: Final[Mapping[Kind, _Shape]] = {
    str: _Shape("a text", _is(str), str),
    bool: _Shape("true or false", _is(bool), bool),
    int: _Shape("a whole number", _is(int), int),
    float: _Shape("a number", lambda given: type(given) in {int, float}, float),
    float | None: _Shape('a number, or "forever"', _forever_or_number, _none_or_number),
    frozenset[str]: _Shape("a list of texts", _lists(str), frozenset[str]),
    frozenset[str] | None: _Shape('a list of texts, or "any"', _any_or_texts, _none_or_texts),
    tuple[str, ...]: _Shape("a list of texts", _lists(str), tuple[str, ...]),
    tuple[int, ...]: _Shape("a list of whole numbers", _lists(int), tuple[int, ...]),
    Mapping[str, str]: _Shape("a table of texts", _tables(str), dict[str, str]),
    Mapping[str, int]: _Shape("a table of whole numbers", _tables(int), dict[str, int]),
}


def check_keys(table: Table, known: Iterable[str], where: str) -> None:
    """Refuse keys that nobody knows, each with the nearest known ones.

    Raises:
        ConfigurationError: there is such a key.

    """
    names = sorted(known)
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=3, cutoff=0.5) or names
            choice = ", ".join(repr(name) for name in near)
            raise ConfigurationError(f"{where} has the unknown key {key!r}; known and nearest: {choice}")


def read_values(table: Table, kinds: Mapping[str, Kind], where: str) -> dict[str, Any]:
    """Return the values of a table by key, each of its kind.

    Raises:
        ConfigurationError: an unknown key, or a value of another kind.

    """
    check_keys(table, kinds, where)
    return {key: _value(given, kinds[key], f"{where} {key}") for key, given in table.items()}


def read_record(table: Table, cls: type[T], where: str, *, without: frozenset[str] = frozenset()) -> T:
    """Return a table as an attrs record whose fields are its keys; tables in it are its records.

    Raises:
        ConfigurationError: an unknown key, a value of another kind, or one that the record refuses.

    """
    fields = attrs.fields(cast("Any", cls))
    return cls(**read_values(table, {one.name: one.type for one in fields if one.name not in without}, where))


def _value(given: object, kind: Kind, where: str) -> object:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _choice(given, kind, where)
    if isinstance(kind, type) and attrs.has(kind):
        if not is_table(given):
            raise ConfigurationError(f"{where} has to be a table")
        return read_record(given, kind, where)
    shape = _SHAPES[kind]
    if not shape.fits(given):
        raise ConfigurationError(f"{where} has to be {shape.words}, not {_called(given)}")
    return shape.make(given)


def _choice(given: object, kind: type[enum.Enum], where: str) -> enum.Enum:
    for member in kind:
        if member.value == given:
            return member
    choices = ", ".join(repr(member.value) for member in kind)
    raise ConfigurationError(f"{where} has to be one of {choices}")


def _called(given: object) -> str:
    match given:
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list of something else" if given else "an empty list"
        case _:
            return "a table" if is_table(given) else "that"
