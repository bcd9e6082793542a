"""The instance as it answers HTTP: routes, sessions, faults."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from email.utils import format_datetime
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import define, evolve, field, frozen

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.acumatica import control, cookies
from acumatica_b2b.simulators.acumatica.answers import (
    JSON_TYPE,
    RefusedError,
    declined,
    json_response,
    plain,
)
from acumatica_b2b.simulators.acumatica.entities import Target, check_rights, read
from acumatica_b2b.simulators.acumatica.licence import Gate
from acumatica_b2b.simulators.acumatica.openapi import document
from acumatica_b2b.simulators.acumatica.schema import TOP_LEVEL, Contract, default
from acumatica_b2b.simulators.acumatica.sessions import Sessions
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings
from acumatica_b2b.simulators.acumatica.tenant import Tenant
from acumatica_b2b.simulators.acumatica.writing import delete, patch, put

_ROOT: Final = re.compile(r"(?P<prefix>.*?)/(?P<root>entity|identity|simulator)(?:/(?P<rest>.*))?", re.DOTALL)


@frozen(kw_only=True)
class _Fault:
    pattern: re.Pattern[str]
    response: Response


@frozen(kw_only=True)
class _Call:
    """A request with its URL taken apart."""

    request: Request
    path: str
    query: str
    prefix: str
    """What stands before the root: the name of the instance."""
    root: str
    rest: tuple[str, ...]

    @property
    def signs_out(self) -> bool:
        return self.rest == ("auth", "logout")


@define(kw_only=True)
class AcumaticaSimulator(Tenant):
    """An instance of Acumatica ERP with one tenant: `handle` answers every request.

    It is a transport as well (`send`), so that a client can be tried without a socket. Whatever stands
    before `/entity` in a URL is taken as the name of the instance. Delays of the licence are waited for
    by `sleep`, where there is one; `delays` tells them.

        >>> simulator = AcumaticaSimulator()
        >>> simulator.handle(Request(method="GET", url="http://erp/entity/Default/24.200.001/Customer")).status
        401
    """

    sleep: Callable[[float], None] | None = None
    requests: int = field(default=0, init=False)
    """How many requests came in, the control route's aside."""
    writes: int = field(default=0, init=False)
    """How many PUT, PATCH and DELETE of entities were let in, whatever they were answered."""
    log: list[tuple[str, str]] = field(factory=list[tuple[str, str]], init=False, repr=False)
    """Method and path of every request counted."""
    _contracts: Mapping[tuple[str, str], Contract] = field(init=False, repr=False)
    _sessions: Sessions = field(init=False, repr=False)
    _gate: Gate = field(init=False, repr=False)
    _faults: deque[_Fault] = field(factory=deque[_Fault], init=False, repr=False)
    _declines: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._contracts = {(one.name, one.version): one for one in _contracts(self.settings)}
        self._sessions = Sessions(settings=self.settings, now=self._time)
        self._gate = Gate(licence=self.settings.licence, now=self._time, sleep=self.sleep)

    @property
    def open_sessions(self) -> int:
        """How many seats of the licence are taken."""
        with self._lock:
            return self._sessions.open

    @property
    def wrong_passwords(self) -> int:
        """How many wrong passwords were tried."""
        return self._sessions.wrong_passwords

    @property
    def delays(self) -> tuple[float, ...]:
        """The seconds of each request that the licence delayed."""
        return tuple(self._gate.delays)

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
        call = _call(request)
        try:
            response = self._control(call) if call.root == "simulator" else self._admitted(call)
        except RefusedError as error:
            response = error.response
        stamp = format_datetime(self._time(), usegmt=True)
        return evolve(response, headers=(*response.headers, ("Date", stamp)))

    def _admitted(self, call: _Call) -> Response:
        with self._lock:
            self.requests += 1
            self.log.append((call.request.method, call.path))
        with nullcontext() if call.signs_out else self._gate.passing(), self._lock:
            return self._route(call)

    def _route(self, call: _Call) -> Response:
        cue = self._cue(call)
        if cue is not None:
            return cue
        match call.root:
            case "identity":
                return self._identity(call)
            case "entity" if self.settings.broken_metadata:
                return Response(status=302, headers=(("Location", f"{call.prefix}/ui/error"),))
            case "entity":
                response = self._below_entity(call)
                tracking = cookies.tracking("".join(f"/{part}" for part in call.rest), self.requests, self._time())
                return evolve(response, headers=(*response.headers, *tracking))
            case _:
                raise _no_resource(call.request)

    def _cue(self, call: _Call) -> Response | None:
        line = f"{call.request.method} {call.path}?{unquote(call.query)}"
        for fault in self._faults:
            if fault.pattern.search(line):
                self._faults.remove(fault)
                return fault.response
        if self._declines and not call.signs_out:
            self._declines -= 1
            return declined()
        has_length = any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in call.request.headers)
        if self.settings.demands_length and call.request.method == "POST" and not has_length:
            return Response(status=411)
        return None

    def _identity(self, call: _Call) -> Response:
        match call.request.method, call.rest:
            case "POST", ("connect", "token"):
                return self._sessions.token(call.request)
            case "POST", ("connect", "revocation"):
                return self._sessions.revoke(call.request)
            case _:
                raise _no_resource(call.request)

    def _below_entity(self, call: _Call) -> Response:
        match call.request.method, call.rest:
            case "POST", ("auth", "login"):
                return self._sessions.log_in(call.request)
            case "POST", ("auth", "logout"):
                return self._sessions.log_out(call.request)
            case "GET", ():
                return self._versions(call)
            case "GET", _ if (given := self.settings.documents.get("/".join(call.rest))) is not None:
                return Response(status=200, headers=(JSON_TYPE,), body=given)
            case _:
                return self._signed_in(call)

    def _versions(self, call: _Call) -> Response:
        known = self._sessions.is_signed_in(call.request)
        rows = [
            {"name": one.name, "version": one.version, "href": f"{call.prefix}/entity/{one.name}/{one.version}/"}
            for one in self._contracts.values()
            if one.added is None or known
        ]
        build = {"acumaticaBuildVersion": self.settings.build, "databaseVersion": self.settings.build}
        return json_response(200, rows if self.settings.bare_versions else {"version": build, "endpoints": rows})

    def _signed_in(self, call: _Call) -> Response:
        seat, new = self._sessions.seat(call.request)
        contract = self._contracts.get((call.rest[0], call.rest[1])) if len(call.rest) > 2 else None
        if contract is None:
            raise _no_resource(call.request)
        base = f"{call.prefix}/entity/{contract.name}/{contract.version}"
        match call.rest[2:]:
            case ("swagger.json",) if call.request.method == "GET":
                response = json_response(200, document(contract, base))
            case (entity, *keys) if entity in TOP_LEVEL:
                response = self._on_entity(self._target(call, contract, base, entity, tuple(keys), seat.id))
            case _:
                raise _no_resource(call.request)
        return evolve(response, headers=(*response.headers, *new, *cookies.of_data()))

    def _target(
        self, call: _Call, contract: Contract, base: str, entity: str, keys: tuple[str, ...], salt: str
    ) -> Target:
        return Target(
            state=self._state,
            settings=self.settings,
            request=call.request,
            entity=entity,
            contract=contract,
            keys=keys,
            query=dict(parse_qsl(call.query, keep_blank_values=True)),
            base=base,
            salt=salt,
        )

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

    def _control(self, call: _Call) -> Response:
        match call.request.method, call.rest:
            case "POST", ("customers", customer, "primary"):
                with self._lock:
                    return control.primary(self, self._state, customer, call.request)
            case _:
                raise _no_resource(call.request)


def _call(request: Request) -> _Call:
    parts = urlsplit(request.url)
    found = _ROOT.fullmatch(parts.path)
    prefix, root, rest = found.group("prefix", "root", "rest") if found else ("", "", "")
    segments = tuple(unquote(part) for part in (rest or "").split("/") if part)
    return _Call(request=request, path=parts.path, query=parts.query, prefix=prefix, root=root, rest=segments)


def _contracts(settings: AcumaticaSettings) -> tuple[Contract, ...]:
    return (
        *map(default, settings.versions),
        *(Contract(name=one.name, version=one.version, extends=one.extends, added=one) for one in settings.endpoints),
    )


def _no_resource(request: Request) -> RefusedError:
    path = urlsplit(request.url).path
    return plain(404, f"No HTTP resource was found that matches the request URI '{path}'.")
