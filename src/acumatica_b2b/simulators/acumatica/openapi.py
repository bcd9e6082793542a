"""The OpenAPI document of an endpoint, made from the same fields that its answers have."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from acumatica_b2b.simulators.acumatica.schema import TOP_LEVEL, Contract, Field, Kind

Json: TypeAlias = dict[str, Any]

_VALUES: Final[Mapping[Kind, tuple[str, Json]]] = {
    Kind.STRING: ("StringValue", {"type": "string"}),
    Kind.INT: ("IntValue", {"type": "integer", "format": "int32"}),
    Kind.BOOLEAN: ("BooleanValue", {"type": "boolean"}),
    Kind.DECIMAL: ("DecimalValue", {"type": "number", "format": "double"}),
    Kind.MOMENT: ("DateTimeValue", {"type": "string", "format": "date-time"}),
    Kind.GUID: ("GuidValue", {"type": "string", "format": "uuid"}),
}
_TEXT: Final[Json] = {"type": "string"}
_QUERY: Final[Mapping[str, Json]] = {
    **dict.fromkeys(("select", "filter", "expand", "custom"), _TEXT),
    **{name: {"type": "integer", "format": "int32"} for name in ("skip", "top")},
}


def document(contract: Contract, base: str) -> Json:
    """Return the document: paths and shapes of every entity the endpoint serves."""
    return {
        "openapi": "3.0.1",
        "info": {"title": f"{contract.name}/{contract.version}", "version": "4"},
        "servers": [{"url": base}],
        "paths": {path: item for entity in TOP_LEVEL for path, item in _paths(entity).items()},
        "components": {"schemas": _schemas(contract), "parameters": _parameters()},
        "tags": [{"name": entity} for entity in TOP_LEVEL],
    }


def _ref(name: str, room: str = "schemas") -> Json:
    return {"$ref": f"#/components/{room}/{name}"}


def _parameters() -> Json:
    query = {name: {"name": f"${name}", "in": "query", "schema": shape} for name, shape in _QUERY.items()}
    path = {name: {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in ("ids", "id")}
    return query | path


# ------------------------------------------------------------------ paths
def _paths(entity: str) -> Json:
    one = _content(_ref(entity))
    wanted = ("select", "filter", "expand", "custom")
    put = _operation(entity, "PutEntity", wanted, {200: one, 422: one}) | {"requestBody": one | {"required": True}}
    rows = _content({"type": "array", "items": _ref(entity)})
    listed = _operation(entity, "GetList", tuple(_QUERY), {200: rows})
    return {
        f"/{entity}": {"get": listed, "put": put},
        f"/{entity}/$adHocSchema": {"get": _operation(entity, "GetAdHocSchema", (), {200: one})},
        f"/{entity}/{{ids}}": _single(entity, "Keys", ("ids", *wanted)),
        f"/{entity}/{{id}}": _single(entity, "Id", ("id", *wanted)),
    }


def _single(entity: str, way: str, parameters: tuple[str, ...]) -> Json:
    return {
        "get": _operation(entity, f"GetBy{way}", parameters, {200: _content(_ref(entity))}),
        "delete": _operation(entity, f"DeleteBy{way}", parameters[:1], {204: {}}),
    }


def _operation(entity: str, name: str, parameters: tuple[str, ...], answers: Mapping[int, Json]) -> Json:
    return {
        "tags": [entity],
        "operationId": f"{entity}_{name}",
        "parameters": [_ref(one, "parameters") for one in parameters],
        "responses": {str(status): {"description": ""} | content for status, content in answers.items()},
    }


def _content(shape: Json) -> Json:
    return {"content": {"application/json": {"schema": shape}}}


# ------------------------------------------------------------------ shapes
def _schemas(contract: Contract) -> Json:
    error: Json = {"error": _TEXT}
    cells = {name: _object({"value": shape} | error) for name, shape in _VALUES.values()}
    names = dict.fromkeys(name for entity in TOP_LEVEL for name in _reached(contract, entity, set()))
    return {"Entity": _entity()} | cells | {name: _shape(contract, name) for name in names}


def _entity() -> Json:
    row: Json = {"id": _TEXT | {"format": "uuid"}, "rowNumber": {"type": "integer", "format": "int64"}}
    return _object(row | {"note": _ref("StringValue"), "custom": {"type": "object"}, "error": _TEXT})


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _shape(contract: Contract, entity: str) -> Json:
    own = {name: _property(one) for name, one in contract.fields(entity).items()}
    return {"allOf": [_ref("Entity"), _object(own)]}


def _property(one: Field) -> Json:
    if one.kind is not None:
        return _ref(_VALUES[one.kind][0])
    return _ref(one.linked) if one.linked else {"type": "array", "items": _ref(str(one.detail))}


def _reached(contract: Contract, entity: str, seen: set[str]) -> Iterator[str]:
    if entity in seen:
        return
    seen.add(entity)
    yield entity
    for one in contract.fields(entity).values():
        if inner := one.linked or one.detail:
            yield from _reached(contract, inner, seen)
