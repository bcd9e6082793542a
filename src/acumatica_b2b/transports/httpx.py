"""Sends requests over an httpx client that belongs to the caller.

Of that client are used its connections, proxies and event hooks, and the way it verifies TLS: httpx
verifies unless it was told otherwise, and nothing here changes that. Not used are its cookies,
headers, parameters, credentials and timeouts. So any number of sessions can share one client.
"""

import asyncio
import copy
import logging
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, TypeVar
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

    The deadline is exact, also where an answer arrives drop by drop. The exception is the first request
    over a connection that the caller's own requests opened: while its headers come drop by drop, it goes on.

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
        way = _Way(timer, prepared.extensions["timeout"])

        def heard(phase: str, info: Mapping[str, Any]) -> None:
            way.heard(phase, info)
            if phase.endswith(_OPENED):
                _end_in_time(info.get("return_value"))

        prepared.extensions["trace"] = heard
        with _mapped(way):
            answer = self._twin.send(prepared, stream=True, auth=httpx.Auth(), follow_redirects=False)
            try:
                _end_in_time(answer.extensions.get("network_stream"))
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
        way = _Way(timer, prepared.extensions["timeout"])

        async def heard(phase: str, info: Mapping[str, Any]) -> None:
            way.heard(phase, info)

        prepared.extensions["trace"] = heard
        try:
            async with asyncio.timeout(request.deadline):
                with _mapped(way):
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
def _mapped(way: "_Way") -> Generator[None]:
    """Turn httpx's errors into ours; meanwhile the request is known to be under way."""
    name, token = _named(way.timer.request), _UNDER_WAY.set(way.timer)
    try:
        yield
    except BEFORE_SENDING as error:
        message = f"{name} was not sent: {type(error).__name__}; check the address and the network"
        raise NotSentError(message) from error
    except httpx.HTTPError as error:
        if way.unwritten:
            # its words may hold a header's
            raise NotSentError(f"{name} was not sent: {type(error).__name__}; a header is malformed") from None
        message = f"{name} lost its answer: {type(error).__name__}; it may have taken effect"
        # what is no word of the network's may quote the URL or a header
        in_short = isinstance(error, httpx.NetworkError | httpx.TimeoutException)
        raise OutcomeUnknownError(message) from (error if in_short else None)
    finally:
        _UNDER_WAY.reset(token)


def _response(answer: httpx.Response, body: bytearray) -> Response:
    headers: Any = answer.headers.multi_items()
    return Response(status=answer.status_code, headers=tuple(headers), body=bytes(body))


@frozen
class _Timer:
    request: Request
    ends: float

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends

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
        if self.is_over:
            raise self.too_late()

    def too_late(self) -> OutcomeUnknownError:
        message = f"{_named(self.request)} took longer than {self.request.deadline:g} seconds; it may have taken effect"
        return OutcomeUnknownError(message)


_UNDER_WAY: Final[ContextVar[_Timer | None]] = ContextVar("_UNDER_WAY", default=None)
"""The request of ours that this thread or task is sending."""


# ------------------------------------------------------------------ what httpx tells of a request on its way
_OPENED: Final = (".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")


@define
class _Way:
    """The phases of one request, as they are told by the `trace` of httpcore."""

    timer: _Timer
    timeouts: dict[str, float]
    unwritten: bool = False
    """Whether it was refused before its first byte was written."""

    def heard(self, phase: str, info: Mapping[str, Any]) -> None:
        """Hear that a phase begins, before it is looked up how long that may take, or that it is over."""
        self.timeouts["read"] = self.timeouts["write"] = self.timer.left()
        if phase.endswith(".send_request_headers.started") and self.timer.is_over:
            message = f"{_named(self.timer.request)} was not sent: to connect took all of its time; check the network"
            raise NotSentError(message)
        if phase.endswith(".send_request_headers.failed"):
            self.unwritten = type(info.get("exception")).__name__ == "LocalProtocolError"


def _end_in_time(stream: Any) -> None:
    """Let each read of a connection end at the deadline of the request for which it is read."""
    # httpcore gives each single read the same time, and of an answer's headers there may be many.
    if stream is None or "read" in getattr(stream, "__dict__", {"read": None}):
        return
    read = stream.read

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        timer = _UNDER_WAY.get()
        if timer is not None:
            if timer.is_over:
                raise httpx.ReadTimeout("the deadline of the request has passed")
            timeout = timer.left() if timeout is None else min(timeout, timer.left())
        received: bytes = read(max_bytes, timeout)
        return received

    stream.read = read_in_time


# ------------------------------------------------------------------ what others log of it
_HIDDEN: Final = (
    (re.compile(r"""(://)[^\s/@"']*@"""), r"\1"),
    (re.compile(r"""(://[^\s?"']*\?)[^\s"']*"""), r"\1<hidden>"),
    (re.compile(r"""(?i)(b['"](?:set-cookie|location)['"], )b(?:'[^']*'|"[^"]*")"""), r"\1<hidden>"),
    (re.compile(r"(exception=\w*ProtocolError).*"), r"\1"),
)


def _discreet(record: logging.LogRecord) -> bool:
    """Take out of what is logged of our requests what belongs into no log: queries and headers, which hold secrets."""
    if _UNDER_WAY.get() is None:
        return True
    line = record.getMessage()
    for pattern, instead in _HIDDEN:
        line = pattern.sub(instead, line)
    record.msg, record.args = line, None
    return not record.name.startswith("hpack")  # it tells every header of HTTP/2, the session's as well


for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "hpack.hpack"):
    logging.getLogger(_name).addFilter(_discreet)
