"""Sessions as values, and the requests that open and end them.

An open session takes a seat of the licence. One whose cookies never arrived can't be signed out by
anybody: it ends by itself after ten idle minutes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import Password
from acumatica_b2b.acumatica.errors import classify, complaint, full_house
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
)
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import Headers, Request, Response, Retries, Session, at, json_body, send, with_session

IDLE: Final = timedelta(minutes=10)
"""After which an idle session ends by itself."""

_IDENTITY: Final = (".ASPXAUTH", "ASP.NET_SessionId")
"""The cookies that are the session. Data answers set others again, which only tell of the request."""

_LAST_TRIES: Final = Retries(attempts=2, first_pause=1.0, patience=5.0)


class UnansweredError(NotSentError):
    """A sign-in went out and its answer was lost: what rests on it was not sent."""


@frozen(kw_only=True, eq=False)
class Cookies(Session):
    """A session by cookie; `first` is how the sign-in gave it, where its cookies changed since."""

    values: Mapping[str, str] = field(repr=False)
    first: Session | None = field(default=None, repr=False)

    def told(self, request: Request, response: Response) -> "Cookies":
        """Return the session with the cookies that an answer to one of its requests renewed."""
        new = {name: value for name, value in cookies_of(response).items() if name in _IDENTITY and value}
        if new.items() <= self.values.items() or self.headers[0] not in request.headers:
            return self
        return cookie_session({**self.values, **new}, first=self.first or self)


@frozen(kw_only=True, eq=False)
class Bearer(Session):
    """A session by access token, which is to be renewed at `ends`."""

    token: str = field(repr=False)
    ends: datetime | None = None


def cookie_session(values: Mapping[str, str], first: Session | None = None) -> Cookies:
    """Return the session of some cookies."""
    text = "; ".join(f"{name}={value}" for name, value in values.items() if value)
    return Cookies(headers=(("Cookie", text),), values=values, first=first)


def bearer_session(config: AcumaticaConfig, token: str, ends: datetime | None = None) -> Bearer:
    """Return the session of an access token."""
    branch: Headers = (("PX-CbApiBranch", config.branch),) if config.branch else ()
    return Bearer(headers=(("Authorization", f"Bearer {token}"), *branch), token=token, ends=ends)


# ------------------------------------------------------------------ signing in
def log_in(config: AcumaticaConfig, password: Password) -> Flow[Cookies]:
    """Return a session by cookie, which takes a seat.

    Raises:
        AuthenticationError: name or password is wrong.
        RateLimitedError: no seat became free within the patience of the retries.
        UnansweredError: the answer was lost; a seat may be taken.

    """
    # `company`, the older name of `tenant`, must not stand beside it.
    login = {"name": password.name, "password": password.password}
    login |= {key: value for key, value in (("tenant", config.tenant), ("branch", config.branch)) if value}
    request = Request(
        method="POST",
        url=at(config.url, "entity", "auth", "login"),
        headers=(("Accept", "application/json"), ("Content-Type", "application/json")),
        body=json_body(login),
        deadline=config.read_deadline,
    )
    values = cookies_of((yield from answered(request, config, "it may hold a seat for up to 10 minutes")))
    if not any(values.values()):
        message = "Acumatica answered the sign-in without a cookie; check that `url` is the instance's"
        raise ConfigurationError(message)
    return cookie_session(values)


def cookies_of(response: Response) -> dict[str, str]:
    """Return the cookies that an answer sets; a sign-in sets each of them twice."""
    pairs = (line.partition(";")[0].strip().partition("=") for line in response.header_values("set-cookie"))
    return {name: value for name, _, value in pairs}


def answered(request: Request, config: AcumaticaConfig, perhaps: str) -> Flow[Response]:
    """Return the answer to a sign-in; one whose answer was lost is not sent again: the password may be wrong."""
    try:
        return (yield from send(request, classify_sign_in, config.retries, repeatable=False))
    except OutcomeUnknownError as error:
        raise UnansweredError(f"the sign-in to Acumatica went unanswered ({error}); {perhaps}") from error


def classify_sign_in(response: Response) -> Outcome[Response]:
    """Return what an answer to a sign-in means: what Acumatica itself words as a refusal is one."""
    outcome = classify(response)
    match outcome:
        case Failed(RateLimitedError()):
            return Failed(full_house(response))  # also a 429 that does not say so: the queue seldom is what is full
        case Ok() | Failed(ConfigurationError() | DecodeError()):
            return outcome
        case Failed(OutcomeUnknownError() as error) if not complaint(response).types:
            # A site that is being restarted answers 503 by itself; a gateway's 502 or 504 hides an answer.
            return Failed(NotSentError(str(error))) if response.status == 503 else outcome
        case Failed(error):
            message = (
                f"the sign-in to Acumatica failed and is not tried again: {error}; check name, password and tenant"
            )
            return Failed(AuthenticationError(message))


# ------------------------------------------------------------------ signing out
def sign_out(config: AcumaticaConfig, session: Session) -> Flow[None]:
    """End a session, which frees its seat at once instead of in ten minutes."""
    # Without a length IIS answers 411.
    request = Request(
        method="POST",
        url=at(config.url, "entity", "auth", "logout"),
        headers=(("Content-Length", "0"),),
        deadline=min(15.0, config.write_deadline),
    )
    request = evolve(with_session(request, session), max_bytes=1_000_000)
    yield from send(request, classify, _LAST_TRIES, repeatable=True, free=True)
