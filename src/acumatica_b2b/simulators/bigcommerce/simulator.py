"""The store behind its API: credentials, rate limit, faults on cue, and the way to each resource."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from attrs import define, field

from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.simulators.bigcommerce import addresses, companies, places, settings, users
from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    Query,
    RefusedError,
    enveloped,
    plain,
)
from acumatica_b2b.simulators.bigcommerce.state import Shop

BASE: Final = "/api/v3/io"
_WRITES: Final = frozenset({"POST", "PUT", "DELETE"})
_WINDOW: Final = timedelta(seconds=60)
_RESOURCES: Final[Mapping[str, Callable[[Shop, Call], Answer]]] = {
    "companies": companies.answer,
    "users": users.answer,
    "addresses": addresses.answer,
    "super-admins": settings.answer_super_admins,
    "channels": settings.answer_channels,
    "countries": places.answer_country,
    "states": places.answer_state,
}


@define(kw_only=True)
class _Fault:
    response: Response
    left: int
    concerns: Callable[[Request], bool]
    applied: bool


@define(kw_only=True, eq=False, repr=False)
class BigCommerceSimulator(Shop):
    """A B2B Edition store that answers requests, without any I/O: `handle`, or `send` as a transport.

    Its switches and tables are those of `Shop`. `calls` lists what arrived as (method, path), the
    path without its base.

    >>> shop = BigCommerceSimulator()
    >>> shop.handle(Request(method="GET", url="https://shop.example/api/v3/io/companies")).status
    401
    """

    token: str = "simulated-token"  # noqa: S105 - opens nothing
    store_hash: str = "simulated"
    requests_per_minute: int | None = 150

    calls: list[tuple[str, str]] = field(factory=list[tuple[str, str]], init=False)
    _faults: list[_Fault] = field(factory=list[_Fault], init=False)
    _window: datetime | None = field(default=None, init=False)
    _spent: int = field(default=0, init=False)

    # -------------------------------------------------------------- for tests
    @property
    def requests(self) -> int:
        """How many requests arrived, refused ones included."""
        return len(self.calls)

    @property
    def writes(self) -> int:
        """How many of them would change something."""
        return sum(method in _WRITES for method, _ in self.calls)

    @property
    def credentials(self) -> Headers:
        """The headers that sign a request in."""
        return (("X-Auth-Token", self.token), ("X-Store-Hash", self.store_hash))

    def fail_next(
        self,
        status: int,
        body: object = b"",
        times: int = 1,
        *,
        headers: Headers = (),
        concerns: Callable[[Request], bool] = lambda _: True,
        applied: bool = False,
    ) -> None:
        """Answer the next requests that `concerns` picks with this; `applied` ones take effect nevertheless.

        A `body` that is not bytes is sent as JSON.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = Response(status=status, headers=(*headers, ("Content-Type", "application/json")), body=raw)
        self._faults.append(_Fault(response=response, left=times, concerns=concerns, applied=applied))

    def by_hand(self, method: str, path: str, body: Any = None) -> Any:
        """Do what a person does in the control panel; return the data that the API would answer.

        The rules are the API's; it is neither counted nor limited. `path` begins behind the base
        and may hold a query.

        Raises:
            RefusedError: the store says no.

        """
        with self.lock:
            return self._route(method, path, body).data

    # -------------------------------------------------------------- requests
    def send(self, request: Request, /) -> Response:
        """Return what `handle` returns; it makes this a transport."""
        return self.handle(request)

    def handle(self, request: Request) -> Response:
        """Return the store's answer to a request."""
        with self.lock:
            path = urlsplit(request.url).path
            self.calls.append((request.method, path.removeprefix(BASE)))
            fault = self._due_fault(request)
            if fault is None:
                return self._answered(request)
            if fault.applied:
                self._answered(request)
            return fault.response

    def _due_fault(self, request: Request) -> _Fault | None:
        fault = next((fault for fault in self._faults if fault.concerns(request)), None)
        if fault:
            fault.left -= 1
            if fault.left <= 0:
                self._faults.remove(fault)
        return fault

    def _answered(self, request: Request) -> Response:
        refusal = self._credentials_refused(request) or self._rate_refused()
        return self._response(refusal or self._routed(request))

    def _routed(self, request: Request) -> Answer:
        url = urlsplit(request.url)
        if not url.path.startswith(f"{BASE}/"):
            return enveloped(404, {}, "Resource not found")
        try:
            body = json.loads(request.body) if request.body else None
            return self._route(request.method, f"{url.path.removeprefix(BASE)}?{url.query}", body)
        except ValueError:
            return enveloped(400, {}, "Convert failed for the API call.")
        except RefusedError as refusal:
            return refusal.answer

    def _route(self, method: str, path: str, body: Any) -> Answer:
        where, _, query = path.partition("?")
        resource, *rest = [unquote(part) for part in where.strip("/").split("/")]
        call = Call(method=method, path=tuple(rest), query=Query.parse(query), body=body)
        if resource not in _RESOURCES:
            raise _no_such_resource()
        return _RESOURCES[resource](self, call)

    # -------------------------------------------------------------- who may ask, and how often
    def _credentials_refused(self, request: Request) -> Answer | None:
        given = {name.lower(): value for name, value in request.headers}
        if "authtoken" in given and "x-store-hash" in given:
            return enveloped(500, {}, "Internal Server Error")
        if (given.get("x-auth-token"), given.get("x-store-hash")) == (self.token, self.store_hash):
            return None
        words = "No credentials provided." if "x-auth-token" not in given else "Invalid credentials."
        return enveloped(401, {"errMsg": f"Invalid token header. {words}"}, f"Invalid token header. {words}")

    def _rate_refused(self) -> Answer | None:
        now = self.now()
        if self._window is None or now - self._window >= _WINDOW:
            self._window, self._spent = now, 0
        if self.requests_per_minute is None or self._spent < self.requests_per_minute:
            self._spent += 1
            return None
        return enveloped(429, {}, "Too Many Requests")

    def _response(self, answer: Answer) -> Response:
        headers = (
            ("Content-Type", "application/json"),
            ("X-Request-Id", f"simulated-{len(self.calls)}"),
            *self._rate_headers(),
        )
        return Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode())

    def _rate_headers(self) -> Headers:
        if self.requests_per_minute is None or self._window is None:
            return ()
        left = (self._window + _WINDOW - self.now()).total_seconds()
        return (
            ("X-Requests-Allocated", f"{self.requests_per_minute} times/60 s"),
            ("X-Requests-Window-Length", "60 s"),
            ("X-Requests-Remaining", f"{self.requests_per_minute - self._spent} times"),
            ("X-Request-Window-Resets-After", f"{max(0.0, left):.3f} s"),
        )


def _no_such_resource() -> RefusedError:
    return plain(404, "Resource not found")
