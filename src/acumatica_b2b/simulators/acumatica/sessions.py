"""Sign-in by cookie and by OAuth, and the seats that sessions take."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.simulators.acumatica import cookies
from acumatica_b2b.simulators.acumatica.answers import RefusedError, bad_request, declined, fault, json_response
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings

IDLE: Final = timedelta(minutes=10)
_TOKEN_LIFE: Final = timedelta(hours=1)
_REFRESH_LIFE: Final = timedelta(days=30)


@define(kw_only=True)
class Seat:
    """One open session: it counts against the licence until it is signed out or idle for too long."""

    id: str
    tenant: str
    ends: datetime
    idle: timedelta | None = IDLE
    auth: str = ""
    """The value of its `.ASPXAUTH`."""


@define(kw_only=True)
class Grant:
    """What a user granted an application; a refresh belongs to the same one."""

    id: str
    tenant: str
    scope: str
    refresh: str | None = None
    refresh_ends: datetime | None = None


@frozen(kw_only=True)
class AccessToken:
    """An access token of a grant."""

    grant: Grant
    ends: datetime


@define(kw_only=True)
class Sessions:
    """All seats and tokens of an instance."""

    settings: AcumaticaSettings
    now: Callable[[], datetime]
    wrong_passwords: int = 0
    """How many were tried."""
    _seats: dict[str, Seat] = field(factory=dict[str, Seat])
    _tokens: dict[str, AccessToken] = field(factory=dict[str, AccessToken])
    _grants: list[Grant] = field(factory=list[Grant])
    _secrets: int = 0

    @property
    def open(self) -> int:
        """How many seats are taken."""
        self._expire()
        return len(self._seats)

    def end_all(self) -> None:
        """Close every session."""
        self._seats.clear()

    def _secret(self) -> str:
        """Return a value that nobody else was given: a counter in disguise, so that runs can be repeated."""
        self._secrets += 1
        seed = f"{self.settings.tenants}{self.settings.client_id}{self.settings.password}{self._secrets}"
        return sha256(seed.encode()).hexdigest()

    # -------------------------------------------------------------- cookies
    def log_in(self, request: Request) -> Response:
        """Answer a sign-in.

        Raises:
            RefusedError: wrong credentials, an unknown tenant, or no seat left.

        """
        body = _credentials(request)
        if not body.get("name"):
            raise bad_request(text="The name is required.", path="credentials.name")
        if body.get("company") and body.get("tenant"):
            raise fault(text="Both the company and the tenant are specified. Specify one.", kind="PX.Data.PXException")
        if refused := self._refused(body["name"], body.get("password")):
            raise fault(text=f"Error: {refused}", kind="PX.Data.PXException", trace="   at the sign-in\r\n")
        seat = self._take_seat(self._secret()[:24], self._tenant(body.get("tenant") or body.get("company")), IDLE)
        return Response(status=204, headers=self._cookies(request, seat))

    def _refused(self, name: str | None, password: str | None) -> str:
        """Return why a user can't sign in; nothing: the user can."""
        locks_after = self.settings.locks_after
        if locks_after is not None and self.wrong_passwords >= locks_after:
            return "The account is locked. Contact the system administrator."
        if (name, password) == (self.settings.username, self.settings.password):
            return ""
        self.wrong_passwords += 1
        return "Invalid credentials. Please try again."

    def log_out(self, request: Request) -> Response:
        """Answer a sign-out: the seat is free again, whoever asks."""
        for seat in (self._seat_of_cookies(request), self._seat_of_token(_bearer(request))):
            if seat is not None:
                del self._seats[seat.id]
        return Response(status=204, headers=cookies.signed_out(self.now()))

    def _tenant(self, name: str | None) -> str:
        tenants = self.settings.tenants
        if name is None or len(tenants) == 1:
            return tenants[0]
        known = {tenant.lower(): tenant for tenant in tenants}
        if name.lower() not in known:
            raise fault(
                text="A proper company ID cannot be determined for the request.",
                kind="PX.Data.PXUndefinedCompanyException",
            )
        return known[name.lower()]

    def _cookies(self, request: Request, seat: Seat) -> Headers:
        # a standard cookie jar would not send a secure cookie over plain http
        secure = request.url.startswith("https:")
        return cookies.signed_in(auth=seat.auth, session=seat.id, tenant=seat.tenant, now=self.now(), secure=secure)

    # -------------------------------------------------------------- who asks
    def seat(self, request: Request) -> tuple[Seat, Headers]:
        """Return the seat of a request, opened where a bearer token opens one, and the cookies to set.

        Raises:
            RefusedError: 401, there is no session; or no seat is left for the token's.

        """
        self._expire()
        found = self._seat_of_cookies(request)
        token = self._tokens.get(_bearer(request) or "")
        if found is None and token is None:
            raise RefusedError(json_response(401, {"message": "Authorization has been denied for this request."}))
        new: Headers = ()
        if found is None:
            found, new = self._seat_for_token(request)
        if found.idle is not None:
            found.ends = self.now() + found.idle
        return found, new

    def _seat_for_token(self, request: Request) -> tuple[Seat, Headers]:
        bearer = _bearer(request) or ""
        token = self._tokens[bearer]
        if "api:concurrent_access" in token.grant.scope.split():
            seat = self._take_seat(self._secret()[:24], token.grant.tenant, IDLE)
            return seat, self._cookies(request, seat)
        found = self._seat_of_token(bearer)
        if found is None:
            offline = token.grant.refresh is not None
            found = self._take_seat(_seat_id(bearer, token), token.grant.tenant, IDLE if offline else None, token.ends)
        return found, ()

    def _seat_of_cookies(self, request: Request) -> Seat | None:
        pairs = (pair.strip().partition("=") for pair in _header(request, "cookie").split(";"))
        sent = {name: value for name, _, value in pairs}
        seat = self._seats.get(sent.get("ASP.NET_SessionId", ""))
        return seat if seat is not None and seat.auth == sent.get(".ASPXAUTH") else None

    def _seat_of_token(self, bearer: str | None) -> Seat | None:
        token = self._tokens.get(bearer or "")
        return None if token is None else self._seats.get(_seat_id(str(bearer), token))

    def _take_seat(self, seat_id: str, tenant: str, idle: timedelta | None, ends: datetime | None = None) -> Seat:
        self._expire()
        if len(self._seats) >= self.settings.seats:
            raise self._full_house()
        until = self.now() + idle if idle else ends or self.now()
        seat = Seat(id=seat_id, tenant=tenant, ends=until, idle=idle, auth=self._secret())
        self._seats[seat_id] = seat
        return seat

    def _full_house(self) -> RefusedError:
        if self.settings.full_house_is_429:
            return RefusedError(declined("The custom error module does not recognize this error."))
        return fault(text="API Login Limit", kind="PX.Data.PXException")

    def is_signed_in(self, request: Request) -> bool:
        """Return whether a request comes from a session, or with a token that could open one."""
        self._expire()
        return self._seat_of_cookies(request) is not None or (_bearer(request) or "") in self._tokens

    def _expire(self) -> None:
        now = self.now()
        for seat in [seat for seat in self._seats.values() if seat.ends <= now]:
            del self._seats[seat.id]
        for bearer in [bearer for bearer, token in self._tokens.items() if token.ends <= now]:
            del self._tokens[bearer]

    # -------------------------------------------------------------- OAuth
    def token(self, request: Request) -> Response:
        """Answer the token endpoint: the password grant, and refreshing with rotation."""
        form = dict(parse_qsl(request.body.decode()))
        client = (form.get("client_id"), form.get("client_secret"))
        if client != (self.settings.client_id, self.settings.client_secret):
            return _oauth_error("invalid_client")
        match form.get("grant_type"):
            case "password":
                return self._password_grant(form)
            case "refresh_token":
                return self._refresh_grant(form)
            case _:
                return _oauth_error("unsupported_grant_type")

    def _password_grant(self, form: Mapping[str, str]) -> Response:
        if self._refused(form.get("username"), form.get("password")):
            return _oauth_error("invalid_grant")
        scope = form.get("scope", "")
        if not {"api", "api:concurrent_access"} & set(scope.split()):
            return _oauth_error("invalid_scope")
        tenant = self.settings.client_id.partition("@")[2]
        grant = Grant(id=self._secret(), tenant=tenant, scope=scope)
        self._grants.append(grant)
        if "offline_access" in scope.split():
            grant.refresh_ends = self.now() + _REFRESH_LIFE
            grant.refresh = self._secret()
        return self._issue(grant)

    def _refresh_grant(self, form: Mapping[str, str]) -> Response:
        given = form.get("refresh_token", "")
        grant = next((one for one in self._grants if one.refresh and one.refresh == given), None)
        if grant is None or grant.refresh_ends is None or grant.refresh_ends <= self.now():
            return _oauth_error("invalid_grant")
        grant.refresh = self._secret()
        return self._issue(grant)

    def _issue(self, grant: Grant) -> Response:
        bearer = self._secret()
        self._tokens[bearer] = AccessToken(grant=grant, ends=self.now() + _TOKEN_LIFE)
        answer: dict[str, object] = {"access_token": bearer, "expires_in": 3600, "token_type": "Bearer"}
        answer |= {"refresh_token": grant.refresh} if grant.refresh else {}
        return json_response(200, answer | {"scope": grant.scope})

    def revoke(self, request: Request) -> Response:
        """Answer the revocation endpoint: the token is void, its seat stays taken."""
        token = dict(parse_qsl(request.body.decode())).get("token", "")
        self._tokens.pop(token, None)
        self._grants = [grant for grant in self._grants if grant.refresh != token]
        return Response(status=200)


def _seat_id(bearer: str, token: AccessToken) -> str:
    return f"grant {token.grant.id}" if token.grant.refresh else f"token {bearer}"


def _credentials(request: Request) -> dict[str, Any]:
    if _header(request, "content-type").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode()))
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise bad_request(text="The request body is not a JSON document.") from None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _bearer(request: Request) -> str | None:
    found = re.fullmatch(r"(?i)bearer\s+(\S+)", _header(request, "authorization"))
    return found[1] if found else None


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers if key.lower() == name), "")


def _oauth_error(code: str) -> Response:
    return json_response(400, {"error": code})
