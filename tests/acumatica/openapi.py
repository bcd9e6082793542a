"""The vendor's OpenAPI documents, made strict, to hold requests and answers against."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from attrs import define, frozen

from acumatica_b2b.http import Request, Response

jsonschema = pytest.importorskip("jsonschema")

ELSEWHERE = {("GET", ()), ("POST", ("auth", "login")), ("POST", ("auth", "logout"))}
"""What lies beside an endpoint: the documents are of the endpoint Default alone."""
UNDECLARED = {403, 404, 429}
"""Statuses that the guide and live instances have, and the documents lack."""

# What comes though the documents lack it, each recorded or in the guide.
BESIDE = {
    "_links": {"type": "object", "additionalProperties": {"type": "string"}},
    "_workflowActions": {"type": "array"},
}
_NAME = re.compile(r"(?<![\w'./])[A-Za-z]\w*(?:/\w+)*(?!\w*\s*[('])")
_WORDS = {"eq", "ne", "gt", "ge", "lt", "le", "and", "or", "not", "null", "true", "false"}


@frozen
class Exchange:
    request: Request
    response: Response


@define
class Document:
    """One OpenAPI document, of either generation, made strict: what it does not declare is refused."""

    version: str
    data: dict[str, Any]

    @cached_property
    def schemas(self) -> dict[str, Any]:
        found = self.data.get("definitions") or self.data["components"]["schemas"]
        strict = {name: self.strict(schema) for name, schema in found.items()}
        entity = strict["Entity"]["properties"]
        for schema in strict.values():
            if entity.keys() <= schema.get("properties", {}).keys():
                schema["properties"] |= BESIDE | {"note": {"anyOf": [entity["note"], {"type": "null"}]}}
        customs = [name for name in strict if re.fullmatch(r"Custom\w+Field", name)]
        strict["CustomField"] = {"oneOf": [self.custom(name, strict[name]) for name in customs]}
        return strict

    def custom(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        value = {"anyOf": [schema["properties"]["value"], {"type": "null"}]}  # null in $adHocSchema
        return with_properties(schema, type={"const": name}, value=value)

    def strict(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return an object's schema with its bases drawn in, and closed where it is not declared open."""
        properties: dict[str, Any] = {}
        required: list[str] = []
        for part in (schema, *schema.get("allOf", ())):
            whole = self.strict(self.resolved(part)) if "$ref" in part else part
            properties |= {name: nullable(one) for name, one in whole.get("properties", {}).items()}
            required += whole.get("required", ())
        closed = schema.get("additionalProperties", False)
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": closed,
        }

    def resolved(self, part: Any) -> Any:
        while "$ref" in part:
            node: Any = self.data
            for step in part["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            part = node
        return part

    def validate(self, value: object, schema: dict[str, Any]) -> None:
        place = "definitions" if "definitions" in self.data else "components"
        inside = self.schemas if place == "definitions" else {"schemas": self.schemas}
        whole = {**schema, place: inside}
        jsonschema.Draft202012Validator(whole, format_checker=FORMATS).validate(value)

    # -------------------------------------------------------------- operations
    def operation(self, method: str, path: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        """Return the template of a path and what the document says of the method there."""
        methods = self.data["paths"].get(template := self.template(method, path), {})
        wanted = "put" if method == "PATCH" else method.lower()  # not declared: as PUT, in the guide
        assert wanted in methods, f"the document has no {method} {template}"
        return template, methods[wanted]

    def template(self, method: str, path: tuple[str, ...]) -> str:
        entity, *rest = path
        plain = "/" + "/".join(path)
        if plain in self.data["paths"] or not rest:
            return plain
        if method == "POST":
            assert len(rest) == 1
            return f"/{entity}/{{actionName}}"
        # several keys are parted by slashes, in the 24.200 document by its own words
        single = len(rest) == 1 and re.fullmatch(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", rest[0])
        return f"/{entity}/{{id}}" if single else f"/{entity}/{{ids}}"

    def entity_has(self, entity: str, path: str) -> str | None:
        """Return the schema's name behind a path of fields; None: no such field."""
        name, _, rest = path.partition("/")
        found = self.schemas[entity]["properties"].get(name)
        if found is None:
            return None
        target = str((found.get("items") or found).get("$ref", "")).rpartition("/")[2]
        return self.entity_has(target, rest) if rest else target

    # -------------------------------------------------------------- checks
    def check(self, exchange: Exchange) -> None:
        """Raise AssertionError or ValidationError unless request and answer are as the document says."""
        parts = urlsplit(exchange.request.url)
        path = tuple(unquote(part) for part in parts.path.partition("/entity")[2].split("/") if part)
        method, status = exchange.request.method, exchange.response.status
        if (method, path) in ELSEWHERE:
            return
        assert path[:2] == ("Default", self.version)
        if status == 404 and method != "PATCH":
            return  # what the document does not know either
        template, operation = self.operation(method, path[2:])
        self.check_query(path[2], operation, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))))
        self.check_request(exchange.request, operation)
        assert str(status) in operation["responses"] or status in UNDECLARED, f"{status} is not declared"
        if str(status) in operation["responses"]:
            self.check_answer(exchange.response, operation["responses"][str(status)], template)

    def check_query(self, entity: str, operation: dict[str, Any], query: Mapping[str, str]) -> None:
        known = {one["name"]: one for one in map(self.resolved, operation.get("parameters", ()))}
        for name, value in query.items():
            assert known.get(name, {}).get("in") == "query", f"{name} is no option of {operation['operationId']}"
            kind = known[name].get("type") or known[name]["schema"]["type"]
            assert kind != "integer" or value.isdecimal()
        for path in paths(query.get("$select", "")):
            assert self.entity_has(entity, path) is not None, f"$select={path}"
        for path in paths(query.get("$expand", "")):
            target = self.entity_has(entity, path)
            assert path == "files" or (target and "value" not in self.schemas[target]["properties"]), f"$expand={path}"
        for path in paths(query.get("$custom", "")):
            assert re.fullmatch(r"(\w+/)*\w+\.\w+", path), f"$custom={path}"
        for path in filtered(query.get("$filter", "")):
            assert self.entity_has(entity, path), f"$filter={path}"

    def check_request(self, request: Request, operation: dict[str, Any]) -> None:
        declared = [one["schema"] for one in operation.get("parameters", ()) if one.get("in") == "body"]
        if content := operation.get("requestBody", {}).get("content"):
            declared = [content["application/json"]["schema"]]
        if not declared:
            assert not request.body
            return
        kinds = [value for name, value in request.headers if name.lower() == "content-type"]
        assert kinds == ["application/json"]
        if request.body:  # one without is answered with 400
            self.validate(json.loads(request.body), declared[0])

    def check_answer(self, response: Response, declared: dict[str, Any], template: str) -> None:
        declared = self.resolved(declared)
        content = declared.get("content", {}).get("application/json", declared)
        if "schema" not in content or (response.status == 401 and not response.body):
            assert not response.body, template
            return
        assert (response.header("content-type") or "").startswith("application/json")
        self.validate(response.json(), content["schema"])


def with_properties(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return schema | {"properties": schema["properties"] | properties}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if schema.get("nullable") else schema


def paths(text: str) -> Iterator[str]:
    return filter(None, text.split(","))


def filtered(text: str) -> Iterator[str]:
    """Yield the fields that a filter names, its literals aside."""
    bare = re.sub(r"datetimeoffset'[^']*'|guid'[^']*'|cf\.\w+\(f='[^']*'\)|'(?:[^']|'')*'", "?", text)
    return (name for name in _NAME.findall(bare) if name not in _WORDS)


def is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


FORMATS = jsonschema.FormatChecker(formats=["uuid"])
FORMATS.checks("date-time", raises=ValueError)(is_moment)
FORMATS.checks("int32")(is_int32)
