"""The strict converter between JSON and attrs classes: the only module that imports cattrs.

A text is never made of a number, a number never of a text, `True` never of `"False"`. Unknown
fields are ignored. What is wrong is named by its path.
"""

import enum
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.strategies import configure_tagged_union

from acumatica_b2b.errors import DecodeError

T = TypeVar("T")


def _exactly(*types: type) -> Callable[[object, Any], Any]:
    def structure(value: object, _: object) -> object:
        if type(value) not in types:
            wanted = " or ".join(kind.__name__ for kind in types)
            message = f"expected {wanted}, not {type(value).__name__}"
            raise TypeError(message)
        return value

    return structure


def _number(value: object, _: object) -> float:
    return float(_exactly(int, float)(value, _))


def _moment(value: object, _: object) -> datetime:
    """Read ISO 8601 with a zone and any number of fraction digits."""
    text: str = _exactly(str)(value, _)
    moment = datetime.fromisoformat(re.sub(r"\.(\d{6})\d+", r".\1", text))
    if moment.tzinfo is None:
        message = "expected a moment with its zone"
        raise ValueError(message)
    return moment


def _text_of_moment(moment: datetime) -> str:
    return moment.isoformat()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _converter(rename: Callable[[str], str]) -> Converter:
    converter = Converter(detailed_validation=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(datetime, _text_of_moment)

    converter.register_structure_hook_factory(
        lambda cls: isinstance(cls, type) and issubclass(cls, enum.Enum),
        lambda cls: lambda name, _: cls[_exactly(str)(name, _)],
    )
    converter.register_unstructure_hook(enum.Enum, lambda member: member.name)

    def names(cls: type) -> dict[str, Any]:
        return {
            field.name: override(rename=renamed)
            for field in attrs.fields(cls)
            if (renamed := rename(field.name)) != field.name
        }

    converter.register_structure_hook_factory(
        attrs.has, lambda cls: make_dict_structure_fn(cls, converter, **names(cls))
    )
    converter.register_unstructure_hook_factory(
        attrs.has, lambda cls: make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **names(cls))
    )
    return converter


@cache
def snake() -> Converter:
    """Return the converter for JSON whose names are ours, such as the sync log's."""
    return _converter(lambda name: name)


@cache
def camel() -> Converter:
    """Return the converter for JSON whose names are camelCase, such as BigCommerce's."""
    return _converter(_camel)


@cache
def _tagged(union: Any) -> None:
    configure_tagged_union(union, snake(), tag_name="is")


def decode(data: object, cls: type[T], converter: Converter | None = None) -> T:
    """Return `data`, parsed JSON, as an instance of `cls`.

    Raises:
        DecodeError: with the path of the first field that is not of the declared type.

    """
    try:
        return (converter or snake()).structure(data, cls)
    except Exception as error:  # cattrs raises groups of anything
        raise DecodeError(*_first_complaint(error)) from None


def encode(value: object, converter: Converter | None = None) -> Any:
    """Return a value as plain data for JSON; what equals its default is left out."""
    return (converter or snake()).unstructure(value)


def decode_tagged(data: object, union: Any) -> Any:
    """Return `data` as the member of a closed union that its key "is" names.

    Raises:
        DecodeError: no such member, or not of its shape.

    """
    _tagged(union)
    return decode(data, union)


def encode_tagged(value: object, union: Any) -> Any:
    """Return a member of a closed union as plain data with the key "is"."""
    _tagged(union)
    return snake().unstructure(value, unstructure_as=union)


def _first_complaint(error: Exception) -> tuple[str, str]:
    complaint, _, path = transform_error(error)[0].rpartition(" @ ")
    return complaint or "not of the documented shape", path.removeprefix("$").removeprefix(".")
