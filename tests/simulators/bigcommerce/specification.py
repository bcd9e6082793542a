"""The vendor's specification as a judge of answers. It is no part of the project: where it is absent, nobody judges."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import getitem
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from attrs import define, field

from acumatica_b2b.http import Response

_FILE: Final = Path(__file__).parents[4] / "shared" / "openapi" / "bigcommerce" / "b2b_merged.yaml"
_BASE: Final = "/api/v3/io"
_ROOT: Final = "urn:b2b"
_Route: TypeAlias = tuple[str, str, int]

# A 422 tells of fields, or says a sentence. Each route documents one of the two, some the other one in their prose
# (and bulk calls a list in theirs), so what is held against the schema is the shape that came.
_FIELDS: Final[_Route] = ("POST", f"{_BASE}/addresses", 422)
_SENTENCE: Final[_Route] = ("DELETE", f"{_BASE}/users/{{userId}}", 422)


@define
class Specification:
    """Routes, and for each of their documented statuses what validates its body."""

    document: Any
    seen: set[_Route] = field(factory=set[_Route])
    """Method, path and status of every answer that was held against a schema."""
    answers: dict[tuple[str, str], list[Any]] = field(factory=lambda: defaultdict(list))
    """The bodies that were answered with 200, by route."""
    _validators: dict[_Route, Any] = field(factory=dict[_Route, Any])
    _registry: Any = None

    @classmethod
    def load(cls) -> Self | None:
        """Return the specification; None where the file or what reads it is absent."""
        try:
            yaml, _ = import_module("yaml"), import_module("jsonschema")
        except ImportError:
            return None
        if not _FILE.exists():
            return None
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return cls(_repaired(yaml.load(_FILE.read_text(), Loader=loader)))

    def check(self, method: str, path: str, response: Response) -> None:
        """Hold an answer against the schema of its route and status, if it is documented.

        Raises:
            jsonschema.ValidationError: it is of another shape.

        """
        template = self.template(method, path)
        if template is None:
            return
        route, body = (method, template, response.status), response.json()
        said = body["data"].get("errMsg") if response.status == 422 and isinstance(body.get("data"), dict) else None
        for judge, judged in _judgements(route, body, said):
            validator = self._validator(*judge)
            if validator is not None:
                validator.validate(judged)
                self.seen.add(route)
                if response.status == 200:
                    self.answers[method, template].append(body)

    def template(self, method: str, path: str) -> str | None:
        """Return the documented path that a path follows; one without parameters first."""
        fitting = [
            template
            for template, operations in self.document["paths"].items()
            if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), f"{_BASE}{path}")
        ]
        return min(fitting, key=lambda template: template.count("{"), default=None)

    def schema(self, method: str, template: str, status: int) -> Any:
        """Return the schema of a documented answer; None: it has none, or is not documented."""
        answer = self._followed(self.document["paths"][template][method.lower()]["responses"].get(str(status), {}))
        return answer.get("content", {}).get("application/json", {}).get("schema")

    def _followed(self, node: Any) -> Any:
        while "$ref" in node:
            steps = node["$ref"].removeprefix(f"{_ROOT}#/").split("/")
            node = reduce(getitem, steps, self.document)
        return node

    def differences(self, method: str, template: str, body: Any) -> set[str]:
        """Return the keys of an answer that are not documented (+) or documented and not there (-)."""
        return set(self._differences(body, [self.schema(method, template, 200)], ""))

    def _differences(self, value: Any, schemas: list[Any], where: str) -> Iterator[str]:
        parts = list(self._parts(schemas))
        if isinstance(value, list):
            for item in value:
                yield from self._differences(item, [part["items"] for part in parts if "items" in part], f"{where}[]")
            return
        known: defaultdict[str, list[Any]] = defaultdict(list)
        for part in parts:
            for name, schema in part.get("properties", {}).items():
                known[name].append(schema)
        if not isinstance(value, dict) or not known:
            return
        yield from (f"+{where}.{name}" for name in value.keys() - known.keys())
        yield from (f"-{where}.{name}" for name in known.keys() - value.keys())
        for name in value.keys() & known.keys():
            yield from self._differences(value[name], known[name], f"{where}.{name}")

    def _parts(self, schemas: list[Any]) -> Iterator[Any]:
        """Return schemas with all that they are made of."""
        for schema in schemas:
            followed = self._followed(schema)
            yield followed
            yield from self._parts(followed.get("allOf", []))

    def _validator(self, method: str, template: str, status: int) -> Any:
        key = (method, template, status)
        if key not in self._validators:
            self._validators[key] = self._compiled(*key) if self.schema(*key) else None
        return self._validators[key]

    def _compiled(self, method: str, template: str, status: int) -> Any:
        jsonschema, referencing = import_module("jsonschema"), import_module("referencing")
        if self._registry is None:
            resource = import_module("referencing.jsonschema").DRAFT202012.create_resource(self.document)
            self._registry = referencing.Registry().with_resource(_ROOT, resource)
        return jsonschema.Draft202012Validator(self.schema(method, template, status), registry=self._registry)


def _judgements(route: _Route, body: Any, said: Any) -> list[tuple[_Route, Any]]:
    """Return what is held against which route's schema."""
    match said:
        case None:
            return [(route, body)]
        case str():
            return [(_SENTENCE, body)]
        case dict():
            return [(_FIELDS, body)]
        case _:
            return [(_FIELDS, {**body, "data": {"errMsg": row}}) for row in said]


def _repaired(node: Any) -> Any:
    """Return the document with `nullable` as JSON Schema says it, and without types that contradict their examples.

    References name the document, so that each schema can be held against an answer by itself.
    """
    if isinstance(node, list):
        return [_repaired(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _repaired(value) for key, value in node.items() if key != "nullable"}
    if "$ref" in plain:
        plain["$ref"] = f"{_ROOT}{plain['$ref']}"
    if node.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    if plain.get("type") == "object" and isinstance(plain.get("example"), str):
        del plain["type"]
    return plain
