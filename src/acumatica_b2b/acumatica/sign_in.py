"""Signing in and out: a session is a value, the headers that its requests carry."""

from typing import assert_never
from urllib.parse import urlencode

from attrs import define, evolve, field

from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import Credentials, OAuthPassword, Password
from acumatica_b2b.acumatica.errors import classify, complaint
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import Headers, Request, Response, Retries, Session, at, json_body, send, with_session

ONCE = Retries(attempts=1, patience=0)


@define(eq=False)
class SignIn:
    """Gives sessions for one set of credentials; once refused, these are not sent again."""

    config: AcumaticaConfig
    credentials: Credentials = field(repr=False)
    _refused: AuthenticationError | None = field(default=None, init=False, repr=False)
    _refresh_token: str = field(default="", init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.credentials, OAuthPassword):
            _check(self.config, self.credentials)

    def __call__(self) -> Flow[Session]:
        """Return a fresh session.

        Raises:
            AuthenticationError: the credentials are wrong; each further call raises it without asking,
                since Acumatica locks an account after some tries.
            RateLimitedError: no seat became free within the patience of the retries.

        """
        if self._refused is not None:
            raise AuthenticationError(*self._refused.args)
        try:
            return (yield from self._by_kind())
        except AuthenticationError as error:
            self._refused = error
            raise

    def _by_kind(self) -> Flow[Session]:
        match self.credentials:
            case Password() as password:
                return (yield from _by_cookie(self.config, password))
            case OAuthPassword() as application:
                return (yield from self._by_token(application))
            case _:
                assert_never(self.credentials)

    def _by_token(self, application: OAuthPassword) -> Flow[Session]:
        token = None
        if self._refresh_token:
            # A refreshed token goes on with its session; a new grant would take another seat.
            refresh, self._refresh_token = self._refresh_token, ""
            token = yield from _refreshed(self.config, application, refresh)
        if token is None:
            owner = {
                "grant_type": "password",
                "username": application.name,
                "password": application.password,
                "scope": application.scope,
            }
            token = yield from _token(self.config, application, owner)
        access, self._refresh_token = token
        branch: Headers = (("PX-CbApiBranch", self.config.branch),) if self.config.branch else ()
        return Session(headers=(("Authorization", f"Bearer {access}"), *branch))


def _check(config: AcumaticaConfig, application: OAuthPassword) -> None:
    if "api:concurrent_access" in application.scope.split():
        message = "scope 'api:concurrent_access' opens a session a request here; use 'api offline_access'"
        raise ConfigurationError(message)
    _, _, tenant = application.client_id.partition("@")
    if config.tenant and tenant and tenant.casefold() != config.tenant.casefold():
        message = f"client_id signs in to tenant {tenant!r}, but `tenant` is {config.tenant!r}; make them the same"
        raise ConfigurationError(message)


def classify_sign_in(response: Response) -> Outcome[Response]:
    """Return what an answer to a sign-in means: what Acumatica itself words as a refusal is one."""
    outcome = classify(response)
    match outcome:
        case Ok() | Failed(RateLimitedError() | ConfigurationError() | DecodeError()):
            return outcome
        case Failed(OutcomeUnknownError()) if not complaint(response).types:
            return outcome
        case Failed(error):
            message = (
                f"the sign-in to Acumatica failed and is not tried again: {error}; check name, password and tenant"
            )
            return Failed(AuthenticationError(message))


# ------------------------------------------------------------------ by cookie
def _by_cookie(config: AcumaticaConfig, password: Password) -> Flow[Session]:
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
    response = yield from send(request, classify_sign_in, config.retries, repeatable=True)
    return Session(headers=(("Cookie", _cookies(response)),))


def _cookies(response: Response) -> str:
    """Return the cookies of a sign-in as one header; Acumatica sets each of them twice."""
    cookies: dict[str, str] = {}
    for line in response.header_values("set-cookie"):
        name, _, value = line.partition(";")[0].strip().partition("=")
        cookies[name] = value
    if not any(cookies.values()):
        message = "Acumatica answered the sign-in without a cookie; check that `url` is the instance's"
        raise ConfigurationError(message)
    return "; ".join(f"{name}={value}" for name, value in cookies.items() if value)


# ------------------------------------------------------------------ by token
def _token(config: AcumaticaConfig, application: OAuthPassword, grant: dict[str, str]) -> Flow[tuple[str, str]]:
    form = {**grant, "client_id": application.client_id, "client_secret": application.client_secret}
    request = Request(
        method="POST",
        url=at(config.url, "identity", "connect", "token"),
        headers=(("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")),
        body=urlencode(form).encode(),
        deadline=config.read_deadline,
    )
    repeatable = grant["grant_type"] == "password"  # a refresh token is void once it was used
    response = yield from send(request, classify_sign_in, config.retries, repeatable=repeatable)
    match response.json():
        case {"access_token": str(access), "refresh_token": str(refresh)}:
            return access, refresh
        case {"access_token": str(access)}:
            return access, ""
        case _:
            message = "the token endpoint answered without an access token"
            raise DecodeError(message, "access_token")


def _refreshed(config: AcumaticaConfig, application: OAuthPassword, refresh: str) -> Flow[tuple[str, str] | None]:
    grant = {"grant_type": "refresh_token", "refresh_token": refresh}
    try:
        return (yield from _token(config, application, grant))
    except (AuthenticationError, RejectedError, OutcomeUnknownError):
        return None


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
    yield from send(request, classify, ONCE, repeatable=False)
