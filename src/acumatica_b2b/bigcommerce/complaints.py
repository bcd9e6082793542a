"""What a refusal says, whichever of the API's five shapes it has."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

_ADDRESS: Final = re.compile(r"[\w.!#$%&*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]*@[\w-]+(?:\.[\w-]+)*")
_ADDRESS_LIST: Final = re.compile(rf"\s*\[(?:\s*['\"]?{_ADDRESS.pattern}['\"]?\s*,?)+\]")
_SNAKE: Final = re.compile(r"[a-z]+(_[a-z0-9]+)+")
_NOT_A_FIELD: Final = frozenset({"non_field_errors", "_detail", "detail"})


def complaints(body: object) -> tuple[str, ...]:
    """Return what a parsed body says, as "field: text" with the names that requests use."""
    top = fields(body)
    data = top.get("data")
    inner = fields(data)
    rows = None if isinstance(data, dict) else cast("object", data)  # of bulk super admins, parallel to the request
    message = fields(top.get("meta")).get("message")
    for said in (inner.get("errMsg"), inner.get("errors"), rows, top.get("errors"), message, top.get("message")):
        if texts := tuple(_texts(said)):
            return texts
    return tuple(_texts(top.get("title")))


def without_addresses(text: str) -> str:
    """Return a text with its e-mail addresses taken out."""
    return _ADDRESS.sub("<e-mail>", _ADDRESS_LIST.sub("", text))


def addresses_in(text: str) -> frozenset[str]:
    """Return the e-mail addresses of a text, in lower case."""
    return frozenset(address.casefold() for address in _ADDRESS.findall(text))


def fields(value: object) -> Mapping[str, Any]:
    """Return a JSON object as it is, anything else as an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _texts(node: object, name: str = "") -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("Sequence[object]", node):
            yield from _texts(item, name)
    elif isinstance(node, dict):
        yield from _texts_of_fields(fields(cast("object", node)), name)
    elif node is not None and node != "":
        yield f"{name}: {node}" if name else str(node)


def _texts_of_fields(said: Mapping[str, Any], name: str) -> Iterator[str]:
    for key, value in said.items():
        if key == "id" and _NOT_A_FIELD & said.keys():
            continue  # which row of a bulk call, by a number that nobody can check
        part = "" if key in _NOT_A_FIELD or key.isdigit() else _camel(key)
        yield from _texts(value, ".".join(filter(None, (name, part))))


def _camel(name: str) -> str:
    """Return a field's name as requests have it: errors name it in snake case, but for a store's extra fields."""
    return name if not _SNAKE.fullmatch(name) else re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
