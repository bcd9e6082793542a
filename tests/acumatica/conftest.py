"""A scripted Acumatica: what it is asked is kept, what it answers is up to each test."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, AsyncAcumatica, Credentials, Password
from acumatica_b2b.http import Request, Response

URL = "https://erp.example.com/Live"
COOKIES = (("Set-Cookie", ".ASPXAUTH=abc; path=/; secure"), ("Set-Cookie", "ASP.NET_SessionId=def; path=/"))
DATE = ("Date", "Thu, 14 Dec 2023 02:14:00 GMT")


def answer(body: object = None, status: int = 200, *headers: tuple[str, str]) -> Response:
    """Return an answer with a JSON body."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = (("Content-Type", "application/json; charset=utf-8"),) if content else ()
    return Response(status=status, headers=(*kind, DATE, *headers), body=content)


def fault(kind: str, text: str, status: int = 500) -> Response:
    """Return an exception as the API words it."""
    return answer({"message": "An error has occurred.", "exceptionMessage": text, "exceptionType": kind}, status)


NO_ENTITY = fault("PX.Api.ContractBased.NoEntitySatisfiesTheConditionException", "No entity satisfies the condition.")
BAD_PASSWORD = fault("PX.Data.PXException", "Error: Invalid credentials. Please try again.")


def row(**fields: Any) -> dict[str, Any]:
    """Return a row; a mapping stands for a linked entity or `custom`, None for an empty field."""
    shown: dict[str, Any] = {"id": "6A47C888-0B10-E911-9FBE-7C5CF8918E20", "rowNumber": 1, "note": None}
    for name, value in fields.items():
        shown[name] = value if isinstance(value, Mapping) else {} if value is None else {"value": value}
    return shown


def linked(**fields: Any) -> dict[str, Any]:
    """Return a linked entity."""
    return row(**fields)


def custom(view: str, **fields: Any) -> dict[str, Any]:
    """Return what stands under `custom`."""
    return {view: {name: {"type": "CustomStringField", "value": value} for name, value in fields.items()}}


def entity(request: Request) -> str:
    """Return the path of a request below the endpoint."""
    return unquote(urlsplit(request.url).path).partition("/Default/")[2].partition("/")[2]


def query(request: Request) -> dict[str, str]:
    """Return the query options of a request."""
    return dict(parse_qsl(urlsplit(request.url).query))


@define
class Script:
    """Signs in, and leaves the rest to a function; a transport of both kinds, with a clock."""

    answers: Callable[[Request], Response]
    requests: list[Request] = field(factory=list[Request])
    pauses: list[float] = field(factory=list[float])
    sign_in: Callable[[Request], Response] = lambda _: answer(None, 204, *COOKIES)
    sign_out: Callable[[Request], Response] = lambda _: answer(None, 204)
    lock: threading.Lock = field(factory=threading.Lock)

    def send(self, request: Request, /) -> Response:
        """Answer a request."""
        with self.lock:
            self.requests.append(request)
        path = urlsplit(request.url).path
        if path.endswith(("/auth/login", "/connect/token")):
            return self.sign_in(request)
        return self.sign_out(request) if path.endswith("/auth/logout") else self.answers(request)

    def now(self) -> datetime:
        """Return a moment."""
        return datetime(2023, 12, 14, tzinfo=UTC)

    def sleep(self, seconds: float, /) -> None:
        """Wait for nothing."""
        self.pauses.append(seconds)

    @property
    def asked(self) -> list[Request]:
        """The requests besides signing in and out."""
        return [request for request in self.requests if "/auth/" not in request.url and "/connect/" not in request.url]


@define
class AsyncScript:
    """The same, awaited."""

    script: Script

    async def send(self, request: Request, /) -> Response:
        """Answer a request."""
        await asyncio.sleep(0)
        return self.script.send(request)

    def now(self) -> datetime:
        """Return a moment."""
        return self.script.now()

    async def sleep(self, seconds: float, /) -> None:
        """Wait for nothing."""
        self.script.sleep(seconds)


def configured(**settings: Any) -> AcumaticaConfig:
    """Return a configuration of the scripted tenant."""
    return AcumaticaConfig(**({"url": URL, "tenant": "Live", "contact_opt_in": "everyone"} | settings))


@define
class Driver:
    """Calls a client in threads or in tasks, so that each case is told once."""

    asynchronous: bool

    def call(
        self,
        script: Script,
        method: str,
        *arguments: Any,
        credentials: Credentials = Password("sync", "secret"),  # noqa: B008 -- frozen
        **settings: Any,
    ) -> Any:
        """Return what a method of a client comes to; the client is closed afterwards."""
        config = configured(**settings)
        if not self.asynchronous:
            with Acumatica(config, credentials, script, clock=script, parallel=1) as erp:
                return getattr(erp, method)(*arguments)

        async def awaited() -> Any:
            both = AsyncScript(script)
            async with AsyncAcumatica(config, credentials, both, clock=both, parallel=1) as erp:
                return await getattr(erp, method)(*arguments)

        return asyncio.run(awaited())


@pytest.fixture(params=[False, True], ids=["threads", "tasks"])
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each of the two drivers."""
    return Driver(asynchronous=request.param)
