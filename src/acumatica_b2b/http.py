"""HTTP as values and flows: no I/O, no clock, no library.

A client is a set of flows that yield `Send`, `Pause`, `Renew` and `AskHost`. A transport, four lines on any
HTTP library, does the sending.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

from attrs import evolve, field, frozen

from acumatica_b2b.errors import (
    AuthenticationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    RemoteError,
    without_emails,
)
from acumatica_b2b.flow import Effect, Failed, Flow, Ok, Outcome, ask

Headers: TypeAlias = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Request:
    """One HTTP request; `url` holds the encoded query, `deadline` is the whole of it in seconds."""

    method: str
    url: str = field(repr=lambda url: without_emails(repr(url)))
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    deadline: float = 30.0
    max_bytes: int = 32_000_000


@frozen(kw_only=True)
class Response:
    """One HTTP answer. Headers are pairs: a sign-in sends several `Set-Cookie`."""

    status: int
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    held: float = field(default=0.0, eq=False, repr=False)
    """Seconds for which the budget held the request back; a transport leaves it alone."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return all values of a header, whatever its case."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            DecodeError: it is no JSON.

        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.header("content-type") or "no content type"
            message = f"the answer with status {self.status} ({kind}, {len(self.body)} bytes) is no JSON"
            raise DecodeError(message) from None


def server_time(response: Response) -> datetime | None:
    """Return when the server answered, by its own clock; None where it doesn't say, or nobody can read it."""
    try:
        said = parsedate_to_datetime(response.header("date") or "")
    except (ValueError, OverflowError):
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)  # what names no zone is meant as UTC


class Transport(Protocol):
    """Sends one request: keeps no cookies, adds no credentials, follows no redirect."""

    def send(self, request: Request, /) -> Response:
        """Return the answer, whatever its status.

        Ends at `request.deadline` seconds in all and `request.max_bytes` of body.

        Raises:
            NotSentError: the request did not reach the server.
            OutcomeUnknownError: it may have; anything else a transport raises counts as this.

        """
        ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, request: Request, /) -> Response:
        """Return the answer, whatever its status."""
        ...


# ------------------------------------------------------------------ budgets
@frozen(kw_only=True)
class Allowance:
    """What an answer tells of an account's quota; None: not told. A 429 is `left=0`."""

    left: int | None = None
    """Requests that may still go out in this window, whosever they are."""
    resets: float | None = None
    """Seconds until the next window begins."""


class Budget(Protocol):
    """Lets requests out as fast as an account allows: one for all who share the account, in any thread."""

    def take(self, now: datetime, /) -> float:
        """Return 0.0: one request may go out now, and counts; else the seconds after which to ask again."""
        ...

    def answered(self, now: datetime, told: Allowance | None, /) -> None:
        """Hear that a request which was let out has ended, and what its answer tells."""
        ...


class AsyncBudget(Protocol):
    """The same, awaited."""

    async def take(self, now: datetime, /) -> float:
        """Return 0.0, or the seconds after which to ask again."""
        ...

    async def answered(self, now: datetime, told: Allowance | None, /) -> None:
        """Hear that a request which was let out has ended."""
        ...


@frozen(kw_only=True)
class Session:
    """What a sign-in gave: the headers that each request of it carries."""

    headers: Headers = field(default=(), repr=False)


# ------------------------------------------------------------------ effects
@frozen
class Send(Effect[Outcome[Response]]):
    """Send it once, as soon as the budget lets it out; `free` ones do not wait for that."""

    request: Request
    free: bool = False


@frozen
class Pause(Effect[None]):
    """Wait."""

    seconds: float


@frozen
class Renew(Effect[Session]):
    """A session other than the refused one: asked for by many at once, signed in for once."""

    refused: Session | None


@frozen
class AskHost(Effect[Any]):
    """What an object of the host's gives: called, or awaited where the transport is awaited too."""

    call: Callable[[], Any]


# ------------------------------------------------------------------ building requests
def at(base: str, *path: str, query: Mapping[str, str] | None = None) -> str:
    """Return a URL below `base`, path segments and query encoded.

    >>> at("http://h/x", "Contact", "a/b", query={"$filter": "ID gt 1"})
    'http://h/x/Contact/a%2Fb?$filter=ID%20gt%201'

    Raises:
        RejectedError: a segment is empty or made of dots, and would lead to something else.

    """
    for part in path:
        if part in {"", ".", ".."}:
            raise RejectedError(Reason.INVALID, f"{part!r} can't stand in the path of a URL; correct the id")
    url = "/".join((base.rstrip("/"), *(quote(part, safe="") for part in path)))
    pairs = "&".join(f"{quote(k, safe='$')}={quote(v, safe='$,')}" for k, v in (query or {}).items())
    return f"{url}?{pairs}" if pairs else url


def json_body(value: object) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


# ------------------------------------------------------------------ retries
@frozen(kw_only=True)
class Retries:
    """When a request is worth sending again; all times in seconds."""

    attempts: int = 4
    first_pause: float = 1.0
    longest_pause: float = 60.0
    patience: float = 120.0
    """How long rate limits may hold up one request from its first refusal on; no later try begins after that."""

    def pause(self, error: RemoteError, attempt: int, waited: float, *, repeatable: bool) -> float | None:
        """Return the seconds to wait before the next try; None: give up."""
        backoff = min(self.longest_pause, self.first_pause * 2.0 ** min(attempt - 1, 30))
        match error:
            case RateLimitedError():
                said = backoff if error.retry_after is None else error.retry_after
                asked = min(max(said, self.first_pause), self.longest_pause)
                return asked if waited + asked <= self.patience else None
            case NotSentError():
                return backoff if attempt < self.attempts else None
            case OutcomeUnknownError() if repeatable:
                return backoff if attempt < self.attempts else None
            case _:
                return None


Classify: TypeAlias = Callable[[Response], Outcome[Response]]
"""Tells an answer from an error; each vendor has its own."""


def send(
    request: Request, classify: Classify, retries: Retries, *, repeatable: bool, free: bool = False
) -> Flow[Response]:
    """Return the answer; sent again while that is safe and worth it.

    `repeatable` says that sending twice does no more than sending once, `free` that no budget counts it.

    Raises:
        RemoteError: what `classify` or the transport made of the last try.

    """
    attempt, refused, waited = 0, 0, 0.0
    while True:
        reply = yield from ask(Send(request, free))
        outcome = classify(reply.value) if isinstance(reply, Ok) else reply
        if isinstance(outcome, Ok):
            return outcome.value
        if refused and isinstance(reply, Ok):
            waited += reply.value.held  # beyond the pause, for the budget of all
        pause = None
        limited = isinstance(outcome.error, RateLimitedError)  # then nothing was tried
        attempt, refused = attempt + (not limited), refused + limited
        if isinstance(outcome.error, RemoteError):
            tries = refused if limited else attempt
            pause = retries.pause(outcome.error, tries, waited, repeatable=repeatable)
        if pause is None:
            raise outcome.error
        waited += pause
        yield from ask(Pause(pause))


def send_signed(request: Request, classify: Classify, retries: Retries, *, repeatable: bool) -> Flow[Response]:
    """Return the answer to a request that carries the session; a refused session is renewed once.

    Raises:
        AuthenticationError: a fresh session was refused as well.
        RemoteError: as `send` does.

    """
    session = yield from ask(Renew(None))
    try:
        return (yield from send(with_session(request, session), classify, retries, repeatable=repeatable))
    except AuthenticationError:
        session = yield from ask(Renew(session))
    return (yield from send(with_session(request, session), classify, retries, repeatable=repeatable))


def with_session(request: Request, session: Session) -> Request:
    """Return the request with the session's headers added."""
    return evolve(request, headers=(*request.headers, *session.headers))


def attempt(flow: Flow[Any]) -> Flow[Outcome[Any]]:
    """Return what a flow comes to as a value; a wrong credential still ends the run."""
    try:
        return Ok((yield from flow))
    except AuthenticationError:
        raise
    except (RemoteError, DecodeError) as error:
        return Failed(error)
