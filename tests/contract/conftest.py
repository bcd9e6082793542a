"""The way to Prism, and the specification that it serves."""

import asyncio
import json
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx
import pytest
from attrs import define, evolve, field, frozen

from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.http import Allowance, AsyncTransport, Request, Response, Retries, Transport
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport

Act: TypeAlias = Callable[[Any], Any]

URL: Final = os.environ.get("PRISM_URL", "")
SPECIFICATION: Final = Path(os.environ.get("PRISM_SPECIFICATION", ""))
BASE: Final = "/api/v3/io/"
TLS: Final = ssl.create_default_context()
"""Made once: it takes longer than all the requests of a test."""
PEOPLE: Final = re.compile(r"/(users|super-admins)\b(?!/extra-fields)")

UNSERVED: Final = (("POST addresses/bulk", 413), ("POST addresses/bulk", 422))
"""Their examples are not of their own schemas, so Prism does not serve them."""


# ------------------------------------------------------------------ the way to Prism
@frozen
class Free:
    """A budget without bounds."""

    def take(self, _now: datetime, /) -> float:
        """Let it out."""
        return 0.0

    def answered(self, _now: datetime, _told: Allowance | None, /) -> None:
        """Learn nothing."""


@frozen
class AsyncFree:
    """The same, awaited."""

    async def take(self, _now: datetime, /) -> float:
        """Let it out."""
        return 0.0

    async def answered(self, _now: datetime, _told: Allowance | None, /) -> None:
        """Learn nothing."""


@frozen
class Impatient:
    """A clock on which nobody waits."""

    def now(self) -> datetime:
        """Return always the same moment."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, _seconds: float, /) -> None:
        """Go on at once."""


@frozen
class AsyncImpatient(Impatient):
    """The same, awaited."""

    async def sleep(self, _seconds: float, /) -> None:  # type: ignore[override] # the async twin of its protocol
        """Go on at once."""


@frozen(kw_only=True)
class Forced:
    """The answer that one route is to give."""

    route: str = ""
    prefer: str = ""


@define
class Wire:
    """What went to Prism, with the routes of the specification, and what it says of it."""

    forced: Forced = Forced()
    routes: list[str] = field(factory=list[str])
    violations: list[str] = field(factory=list[str])
    answers: list[Response] = field(factory=list[Response])

    def prepared(self, request: Request) -> Request:
        """Return the request with the wish for an answer, if it is its turn."""
        route = route_of(request)
        self.routes.append(route)
        wish = (("Prefer", self.forced.prefer),) if route == self.forced.route else ()
        return evolve(request, headers=(*request.headers, *wish))

    def noted(self, request: Request, response: Response) -> Response:
        """Note an answer, and what Prism says against the request."""
        said = json.loads(response.header("sl-violations") or "[]")
        self.violations += [f"{request.method} {request.url}: {one}" for one in said if one["location"][0] == "request"]
        if route_of(request) == self.forced.route:
            self.answers.append(response)
        return with_ids(request, response)


def with_ids(request: Request, response: Response) -> Response:
    """Return an answer about people with their ids, which Prism leaves out of the examples."""
    if request.method != "GET" or not PEOPLE.search(request.url) or response.status != 200:
        return response
    said = response.json()
    for row in said["data"] if isinstance(said["data"], list) else [said["data"]]:
        row["id"] = 42
    return evolve(response, body=json.dumps(said).encode())


@frozen
class Way:
    """A transport to Prism."""

    transport: Transport
    wire: Wire

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return self.wire.noted(request, self.transport.send(self.wire.prepared(request)))


@frozen
class AsyncWay:
    """The same, awaited."""

    transport: AsyncTransport
    wire: Wire

    async def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return self.wire.noted(request, await self.transport.send(self.wire.prepared(request)))


def settings(**fields: Any) -> BigCommerceConfig:
    """Return a configuration that never waits nor tries again."""
    retries = Retries(attempts=1, patience=0.0)
    return BigCommerceConfig(**{"store_hash": "h", "token": "t", "url": URL + BASE, "retries": retries, **fields})


def played(act: Act, forced: Forced = Forced(), **fields: Any) -> tuple[Any, Wire]:
    """Return what an act comes to; on the async client it comes to the same, by the same requests."""
    wire, twin = Wire(forced), Wire(forced)
    with httpx.Client(verify=TLS) as http:
        way = Way(HttpxTransport(http), wire)
        result = _result(act, BigCommerce(settings(**fields), way, clock=Impatient(), budget=Free(), parallel=1))

    async def awaited() -> Any:
        async with httpx.AsyncClient(verify=TLS) as http:
            way = AsyncWay(AsyncHttpxTransport(http), twin)
            client = AsyncBigCommerce(settings(**fields), way, clock=AsyncImpatient(), budget=AsyncFree(), parallel=1)
            return await _aresult(act, client)

    assert repr(asyncio.run(awaited())) == repr(result)
    assert twin.routes == wire.routes
    assert twin.violations == wire.violations
    return result, wire


def _result(act: Act, client: BigCommerce) -> Any:
    try:
        return act(client)
    except Exception as error:
        return error


async def _aresult(act: Act, client: AsyncBigCommerce) -> Any:
    try:
        return await act(client)
    except Exception as error:
        return error


# ------------------------------------------------------------------ the specification
@cache
def specification() -> Mapping[str, Any]:
    """Return the document that Prism serves."""
    yaml: Any = pytest.importorskip("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: Mapping[str, Any] = yaml.load(SPECIFICATION.read_text(encoding="utf-8"), Loader=loader)
    return loaded


def templates() -> Sequence[str]:
    """Return the paths of the specification, those without variables first."""
    paths = [path.removeprefix(BASE) for path in specification()["paths"]] if URL else []
    return sorted(paths, key=lambda path: path.count("{"))


TEMPLATES: Final = templates()


def route_of(request: Request) -> str:
    """Return method and path of a request, as the specification writes it."""
    path = request.url.partition("?")[0].partition(BASE)[2]
    fits = (one for one in TEMPLATES if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path))
    return f"{request.method} {next(fits, path)}"


def documented_errors(route: str) -> Iterator[tuple[int, str]]:
    """Yield each error that the specification has for a route, with what makes Prism answer it."""
    method, _, path = route.partition(" ")
    document = specification()
    for code, told in document["paths"][BASE + path][method.lower()]["responses"].items():
        if int(code) >= 400 and (route, int(code)) not in UNSERVED:
            said = document["components"]["responses"][told["$ref"].rpartition("/")[2]] if "$ref" in told else told
            examples = said["content"]["application/json"].get("examples", {})
            for name in examples or [""]:
                yield int(code), f"code={code}, example={name}" if name else f"code={code}"
