"""The instance as it answers HTTP: routes, sessions, faults."""

import json
import re
from collections import deque
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from attrs import define, evolve, field, frozen

from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.simulators.acumatica.answers import JSON_TYPE, RefusedError, bad_request, json_response, plain
from acumatica_b2b.simulators.acumatica.entities import Target, check_rights, read
from acumatica_b2b.simulators.acumatica.schema import TOP_LEVEL
from acumatica_b2b.simulators.acumatica.sessions import Seat, Sessions
from acumatica_b2b.simulators.acumatica.tenant import Tenant
from acumatica_b2b.simulators.acumatica.writing import delete, patch, put

_ROOT: Final = re.compile(r"(?P<prefix>.*?)/(?P<root>entity|identity|simulator)(?:/(?P<rest>.*))?", re.DOTALL)


@frozen(kw_only=True)
class _Fault:
    pattern: re.Pattern[str]
    response: Response


@define(kw_only=True)
class AcumaticaSimulator(Tenant):
    """An instance of Acumatica ERP with one tenant: `handle` answers every request.

    It is a transport as well (`send`), so that a client can be tried without a socket. Whatever stands
    before `/entity` in a URL is taken as the name of the instance.

        >>> simulator = AcumaticaSimulator()
        >>> simulator.handle(Request(method="GET", url="http://erp/entity/Default/24.200.001/Customer")).status
        401
    """

    requests: int = field(default=0, init=False)
    """How many requests came in, the control route's aside."""
    writes: int = field(default=0, init=False)
    """How many PUT, PATCH and DELETE of entities were let in, whatever they were answered."""
    log: list[tuple[str, str]] = field(factory=list[tuple[str, str]], init=False, repr=False)
    """Method and path of every request counted."""
    _sessions: Sessions = field(init=False, repr=False)
    _faults: deque[_Fault] = field(factory=deque[_Fault], init=False, repr=False)
    _declines: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._sessions = Sessions(settings=self.settings, now=self._time)

    @property
    def open_sessions(self) -> int:
        """How many seats of the licence are taken."""
        with self._lock:
            return self._sessions.open

    def end_sessions(self) -> None:
        """Close every session, as a restart of the site does; tokens stay good."""
        with self._lock:
            self._sessions.end_all()

    def fail_next(self, status: int, body: bytes = b"", *, times: int = 1, on: str = "") -> None:
        """Answer the next requests so, without looking at them.

        `on` is a regular expression that is searched in `METHOD /path?query`; others go through.
        """
        response = Response(status=status, headers=(JSON_TYPE,), body=body)
        with self._lock:
            self._faults.extend(_Fault(pattern=re.compile(on), response=response) for _ in range(times))

    def decline_next(self, times: int = 1) -> None:
        """Answer the next requests with 429, as when the licence's queue is full; signing out passes."""
        with self._lock:
            self._declines += times

    def send(self, request: Request, /) -> Response:
        """Return the answer: this makes the simulator a transport."""
        return self.handle(request)

    def handle(self, request: Request) -> Response:
        """Return the answer to a request, and change the tenant accordingly."""
        parts = urlsplit(request.url)
        found = _ROOT.fullmatch(parts.path)
        with self._lock:
            try:
                response = self._route(request, parts, found)
            except RefusedError as error:
                response = error.response
            stamp = format_datetime(self._time(), usegmt=True)
            return evolve(response, headers=(*response.headers, ("Date", stamp)))

    def _route(self, request: Request, parts: SplitResult, found: re.Match[str] | None) -> Response:
        rest = _segments(found["rest"] if found else None)
        if found is not None and found["root"] == "simulator":
            return self._control(request, rest)
        self.requests += 1
        self.log.append((request.method, parts.path))
        cue = self._cue(request, parts, signing_out=rest == ("auth", "logout"))
        if cue is not None:
            return cue
        if found is None:
            raise _no_resource(request)
        if found["root"] == "identity":
            return self._identity(request, rest)
        if self.settings.broken_metadata:
            return Response(status=302, headers=(("Location", f"{found['prefix']}/ui/error"),))
        return self._entity(request, parts, f"{found['prefix']}/entity", rest)

    def _cue(self, request: Request, parts: SplitResult, *, signing_out: bool) -> Response | None:
        line = f"{request.method} {parts.path}?{unquote(parts.query)}"
        for fault in self._faults:
            if fault.pattern.search(line):
                self._faults.remove(fault)
                return fault.response
        if self._declines and not signing_out:
            self._declines -= 1
            return Response(status=429)
        has_length = any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in request.headers)
        if self.settings.demands_length and request.method == "POST" and not has_length:
            return Response(status=411)
        return None

    def _identity(self, request: Request, rest: tuple[str, ...]) -> Response:
        match request.method, rest:
            case "POST", ("connect", "token"):
                return self._sessions.token(request)
            case "POST", ("connect", "revocation"):
                return self._sessions.revoke(request)
            case _:
                raise _no_resource(request)

    def _entity(self, request: Request, parts: SplitResult, base: str, rest: tuple[str, ...]) -> Response:
        match request.method, rest:
            case "POST", ("auth", "login"):
                return self._sessions.log_in(request)
            case "POST", ("auth", "logout"):
                return self._sessions.log_out(request)
            case "GET", ():
                return self._versions(base)
            case "GET", _ if (document := self.settings.documents.get("/".join(rest))) is not None:
                return Response(status=200, headers=(JSON_TYPE,), body=document)
            case _:
                seat, cookies = self._sessions.seat(request)
                target = self._target(request, parts, base, rest, seat)
                response = self._on_entity(target)
                return evolve(response, headers=(*response.headers, *cookies, *_session_cookies()))

    def _versions(self, base: str) -> Response:
        rows = [
            {"name": "Default", "version": version, "href": f"{base}/Default/{version}/"}
            for version in self.settings.versions
        ]
        build = {"acumaticaBuildVersion": self.settings.build, "databaseVersion": self.settings.build}
        return json_response(200, rows if self.settings.bare_versions else {"version": build, "endpoints": rows})

    def _target(self, request: Request, parts: SplitResult, base: str, rest: tuple[str, ...], seat: Seat) -> Target:
        match rest:
            case ("Default", version, entity, *keys) if version in self.settings.versions and entity in TOP_LEVEL:
                return Target(
                    state=self._state,
                    settings=self.settings,
                    request=request,
                    entity=entity,
                    version=version,
                    keys=tuple(keys),
                    query=_query(parts.query),
                    base=f"{base}/Default/{version}",
                    salt=seat.id,
                )
            case _:
                raise _no_resource(request)

    def _on_entity(self, target: Target) -> Response:
        check_rights(target)
        method = target.request.method
        self.writes += method in {"PUT", "PATCH", "DELETE"}
        match method:
            case "GET":
                return read(target)
            case "PUT":
                return put(target, self._time())
            case "PATCH":
                return patch(target, self._time())
            case "DELETE":
                return delete(target)
            case _:
                raise _no_resource(target.request)

    def _control(self, request: Request, rest: tuple[str, ...]) -> Response:
        """Answer what no Acumatica has: a person's click on "Set as Primary"."""
        match request.method, rest:
            case "POST", ("customers", customer, "primary"):
                number = _wanted_contact(request)
                self._check_primary(customer, number)
                self.set_primary(customer, number)
                return Response(status=204)
            case _:
                raise _no_resource(request)

    def _check_primary(self, customer: str, number: int | None) -> None:
        if self._state.customer(customer) is None:
            raise plain(404, f"There is no customer '{customer}'.")
        if number is None:
            return
        contact = self._state.contacts.records.get(number)
        if contact is None or contact not in self._state.contacts.of(customer):
            raise plain(409, f"Customer '{customer}' has no contact {number}.")
        if not contact.get("Active"):
            raise plain(409, f"Contact {number} is inactive: it can't be made primary.")


def _wanted_contact(request: Request) -> int | None:
    try:
        number = json.loads(request.body)["contact"]
    except (ValueError, KeyError, TypeError):
        raise bad_request(text='The body is {"contact": <number or null>}.') from None
    if number is not None and type(number) is not int:
        raise bad_request(text="The contact is a number or null.", path="contact")
    return number


def _segments(rest: str | None) -> tuple[str, ...]:
    return tuple(unquote(part) for part in (rest or "").split("/") if part)


def _query(text: str) -> Mapping[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _session_cookies() -> Headers:
    locale, branch = "Locale=TimeZone=GMTM0800A&Culture=en-US; path=/", "UserBranch=1; path=/"
    return tuple(("Set-Cookie", cookie) for cookie in (locale, locale, branch, branch))


def _no_resource(request: Request) -> RefusedError:
    path = urlsplit(request.url).path
    return plain(404, f"No HTTP resource was found that matches the request URI '{path}'.")
