"""Sends requests over an httpx client that belongs to the caller.

Of that client are used its connections, proxies and event hooks, and the way it verifies TLS: httpx
verifies unless it was told otherwise, and nothing here changes that. Not used are its cookies,
headers, parameters, credentials and timeouts. So any number of sessions can share one client.
"""

import asyncio
import copy
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from attrs import define, field, frozen

from acumatica_b2b.errors import NotSentError, OutcomeUnknownError
from acumatica_b2b.http import Request, Response

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@define(eq=False)
class HttpxTransport:
    """A `Transport` over an `httpx.Client`, which the caller opens and closes.

    The deadline is exact while an answer's body arrives chunk by chunk, and while one operation of the
    network stalls; only a server that sends its headers drop by drop can draw a request out beyond it.

    >>> with httpx.Client() as client:
    ...     transport = HttpxTransport(client)
    """

    client: httpx.Client = field(repr=False)
    _twin: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._twin = _without_cookies(self.client)

    def send(self, request: Request, /) -> Response:
        """Return the answer, its content decoded, whatever its status.

        Raises:
            NotSentError: no connection was made, or the request is none that could be sent.
            OutcomeUnknownError: the answer was lost, too late or too large.

        """
        timer = _Timer(request, time.monotonic() + request.deadline)
        prepared = _prepared(request, self.client)
        timeouts: dict[str, float] = prepared.extensions["timeout"]

        def begin_phase(_name: str, _info: object) -> None:
            # httpx tells that a phase begins, and then looks up how long it may take.
            timeouts["read"] = timeouts["write"] = timer.left()

        prepared.extensions["trace"] = begin_phase
        with _mapped(request):
            answer = self._twin.send(prepared, stream=True, auth=httpx.Auth(), follow_redirects=False)
            try:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    timer.check(len(body))
                timer.check(len(body))
            finally:
                answer.close()
        return _response(answer, body)


@define(eq=False)
class AsyncHttpxTransport:
    """An `AsyncTransport` over an `httpx.AsyncClient`, in asyncio; its deadline is exact."""

    client: httpx.AsyncClient = field(repr=False)
    _twin: httpx.AsyncClient = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._twin = _without_cookies(self.client)

    async def send(self, request: Request, /) -> Response:
        """Return the answer, its content decoded, whatever its status."""
        timer = _Timer(request, time.monotonic() + request.deadline)
        prepared = _prepared(request, self.client)
        try:
            async with asyncio.timeout(request.deadline):
                with _mapped(request):
                    answer = await self._twin.send(prepared, stream=True, auth=httpx.Auth(), follow_redirects=False)
                    try:
                        body = bytearray()
                        async for chunk in answer.aiter_bytes():
                            body += chunk
                            timer.check(len(body))
                    finally:
                        await answer.aclose()
        except TimeoutError as error:
            raise timer.too_late() from error
        return _response(answer, body)


def _without_cookies(client: C) -> C:
    """Return a client with the same connections, whose own jar takes no cookie."""
    # httpx.Client.send() puts what an answer sets into the client's jar, and the caller's own
    # requests would send it.
    twin = copy.copy(client)
    twin.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return twin


def _prepared(request: Request, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
    """Return what httpx sends: this request, and that its answer may be compressed."""
    if client.is_closed:
        message = f"{_named(request)} was not sent: the httpx client is closed"
        raise NotSentError(message)
    asks = {name.lower() for name, _ in request.headers}
    headers = request.headers if "accept-encoding" in asks else (*request.headers, ("Accept-Encoding", "gzip"))
    try:
        return httpx.Request(
            request.method,
            request.url,
            headers=list(headers),
            content=request.body,
            extensions={"timeout": _timeouts(request.deadline)},
        )
    except (httpx.InvalidURL, ValueError) as error:
        message = f"{_named(request)} was not sent: {type(error).__name__}; its URL or a header is malformed"
        raise NotSentError(message) from None  # its words may hold the header's


def _timeouts(deadline: float) -> dict[str, float]:
    # To wait for a connection and to make one, TLS included, ends before the deadline does: what
    # then ends at the deadline has begun to be sent.
    return {"pool": deadline / 4, "connect": min(15.0, deadline / 4), "read": deadline, "write": deadline}


def _named(request: Request) -> str:
    """Return which request it is, without user and query, which may hold what belongs into no message."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return f"{request.method} to a malformed URL"
    return f"{request.method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def _mapped(request: Request) -> Generator[None]:
    """Turn httpx's errors into ours."""
    try:
        yield
    except BEFORE_SENDING as error:
        message = f"{_named(request)} was not sent: {type(error).__name__}; check the address and the network"
        raise NotSentError(message) from error
    except httpx.HTTPError as error:
        message = f"{_named(request)} lost its answer: {type(error).__name__}; it may have taken effect"
        raise OutcomeUnknownError(message) from error


def _response(answer: httpx.Response, body: bytearray) -> Response:
    headers: Any = answer.headers.multi_items()
    return Response(status=answer.status_code, headers=tuple(headers), body=bytes(body))


@frozen
class _Timer:
    request: Request
    ends: float

    def left(self) -> float:
        return max(self.ends - time.monotonic(), 0.001)

    def check(self, size: int) -> None:
        """Raise OutcomeUnknownError where the answer is too large or too late."""
        if size > self.request.max_bytes:
            limit = self.request.max_bytes
            message = (
                f"{_named(self.request)} was cut off: its answer is larger than {limit} bytes; ask for less at once"
            )
            raise OutcomeUnknownError(message)
        if time.monotonic() > self.ends:
            raise self.too_late()

    def too_late(self) -> OutcomeUnknownError:
        message = f"{_named(self.request)} took longer than {self.request.deadline:g} seconds; it may have taken effect"
        return OutcomeUnknownError(message)
