"""The store behind its API: credentials, rate limit, faults on cue, and the way to each resource."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from attrs import define, field

from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.simulators.bigcommerce import addresses, companies, places, settings, super_admins, users
from acumatica_b2b.simulators.bigcommerce.core import Core, problem
from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    Query,
    RefusedError,
    enveloped,
    plain,
)
from acumatica_b2b.simulators.bigcommerce.limits import Window, b2b_headers, core_headers
from acumatica_b2b.simulators.bigcommerce.state import Shop

BASE: Final = "/api/v3/io"
_WRITES: Final = frozenset({"POST", "PUT", "DELETE"})
_RESOURCES: Final[Mapping[str, Callable[[Shop, Call], Answer]]] = {
    "companies": companies.answer,
    "users": users.answer,
    "addresses": addresses.answer,
    "super-admins": super_admins.answer,
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

    Its switches are those of `Switches`, its tables those of `Shop`. `calls` lists what arrived as
    (method, path), the path without the base of the B2B API. The core API is below
    `/stores/{store_hash}/v3`: customers, with a limit of their own, and webhooks.

    >>> shop = BigCommerceSimulator()
    >>> shop.handle(Request(method="GET", url="https://shop.example/api/v3/io/companies")).status
    401
    """

    token: str = "simulated-token"  # noqa: S105 - opens nothing

    calls: list[tuple[str, str]] = field(factory=list[tuple[str, str]], init=False)
    _faults: list[_Fault] = field(factory=list[_Fault], init=False)
    _core: Core = field(init=False)
    _b2b_window: Window = field(factory=lambda: Window(length=timedelta(seconds=60)), init=False)
    _core_window: Window = field(factory=lambda: Window(length=timedelta(seconds=30)), init=False)

    def __attrs_post_init__(self) -> None:
        Shop.__attrs_post_init__(self)
        self._core = Core(self)

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

    def spend(self, requests: int, *, core: bool = False) -> None:
        """Let another integration send so many requests, which spend the limit that all share."""
        with self.lock:
            window = self._core_window if core else self._b2b_window
            window.spend(requests, self.now())

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
        path = urlsplit(request.url).path
        return self._core_answered(request) if path.startswith("/stores/") else self._b2b_answered(request)

    def _b2b_answered(self, request: Request) -> Response:
        now, allowed, window = self.now(), self.requests_per_minute, self._b2b_window
        refusal = self._credentials_refused(request)
        if not refusal and not window.admits(allowed, now):
            refusal = enveloped(429, {}, "Too Many Requests")
        answer = refusal or self._routed(request)
        return self._response(answer, () if allowed is None else b2b_headers(window, allowed, now))

    def _routed(self, request: Request) -> Answer:
        url = urlsplit(request.url)
        if not url.path.startswith(f"{BASE}/"):
            return enveloped(404, {}, "Resource not found")
        shoppers = len(self.shoppers)
        try:
            return self._route(request.method, f"{url.path.removeprefix(BASE)}?{url.query}", _body(request))
        except ValueError:
            return enveloped(400, {}, "Convert failed for the API call.")
        except RefusedError as refusal:
            return refusal.answer
        finally:
            self.spend(len(self.shoppers) - shoppers, core=True)

    def _route(self, method: str, path: str, body: Any) -> Answer:
        where, _, query = path.partition("?")
        resource, *rest = [unquote(part) for part in where.strip("/").split("/")]
        call = Call(method=method, path=tuple(rest), query=Query.parse(query), body=body)
        if resource not in _RESOURCES:
            raise _no_such_resource()
        return _RESOURCES[resource](self, call)

    def _core_answered(self, request: Request) -> Response:
        now, allowed, window = self.now(), self.core_requests, self._core_window
        refusal = self._core_refused(request)
        if not refusal and not window.admits(allowed, now):
            refusal = problem(429, "Too Many Requests")
        answer = refusal or self._core_routed(request)
        return self._response(answer, () if allowed is None else core_headers(window, allowed, now))

    def _core_routed(self, request: Request) -> Answer:
        url = urlsplit(request.url)
        root = f"/stores/{self.store_hash}/v3/"
        if not url.path.startswith(root):
            return problem(404, "The store was not found.")
        try:
            path = tuple(url.path.removeprefix(root).strip("/").split("/"))
            call = Call(method=request.method, path=path, query=Query.parse(url.query), body=_body(request))
            return self._core.answer(call)
        except ValueError:
            return problem(400, "Input is invalid")
        except RefusedError:
            return problem(422, "JSON data is missing or invalid")

    # -------------------------------------------------------------- who may ask
    def _credentials_refused(self, request: Request) -> Answer | None:
        given = {name.lower(): value for name, value in request.headers}
        if "authtoken" in given and "x-store-hash" in given:
            return enveloped(500, {}, "Internal Server Error")
        if (given.get("x-auth-token"), given.get("x-store-hash")) == (self.token, self.store_hash):
            return None if self.b2b_scope else enveloped(self.scope_refusal, {}, "You don't have the required scope.")
        words = "No credentials provided." if "x-auth-token" not in given else "Invalid credentials."
        return enveloped(401, {"errMsg": f"Invalid token header. {words}"}, f"Invalid token header. {words}")

    def _core_refused(self, request: Request) -> Answer | None:
        given = {name.lower(): value for name, value in request.headers}
        if given.get("x-auth-token") != self.token:
            return problem(401, "Unauthorized")
        if not self.customers_scope:
            return problem(403, "You don't have a required scope to access the endpoint")
        return None

    def _response(self, answer: Answer, limit: Headers) -> Response:
        told = self.limit_headers == "always" or (self.limit_headers == "unless_refused" and answer.status != 429)
        headers = (
            ("Content-Type", "application/json"),
            ("Date", format_datetime(self.now().astimezone(UTC), usegmt=True)),
            ("X-Request-Id", f"simulated-{len(self.calls)}"),
            *(limit if told else ()),
        )
        return Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode())


def _body(request: Request) -> Any:
    return json.loads(request.body) if request.body else None


def _no_such_resource() -> RefusedError:
    return plain(404, "Resource not found")
