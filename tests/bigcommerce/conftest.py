"""A scripted shop: answers by route, counts requests, and drives both clients alike."""

import asyncio
import json
from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import (
    CompanyID,
    CompanyRef,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    PostalAddress,
    StorefrontID,
)

Answer: TypeAlias = Response | Exception | Callable[[Request], Response]
URL = "https://api-b2b.bigcommerce.com/api/v3/io/"
DATE = "Thu, 01 Jan 2026 00:10:00 GMT"
STAMP = 1767226200
"""`DATE` in unix seconds."""


def answer(status: int, body: object, **headers: str) -> Response:
    """Return an answer with a JSON body."""
    pairs = [(name.replace("_", "-"), value) for name, value in {"Date": DATE, **headers}.items()]
    return Response(status=status, headers=tuple(pairs), body=json.dumps(body).encode())


def one(**data: object) -> Response:
    """Return the answer about one record."""
    return answer(200, {"code": 200, "data": data, "meta": {"message": "SUCCESS"}})


def listed(*rows: dict[str, Any], total: int | None = None) -> Response:
    """Return one page of a listing."""
    count = len(rows) if total is None else total
    meta = {"message": "Success", "pagination": {"totalCount": count, "limit": 200, "offset": 0}}
    return answer(200, {"code": 200, "data": list(rows), "meta": meta})


def refused(said: object, status: int = 422) -> Response:
    """Return a refusal that says so."""
    return answer(status, {"code": status, "data": {"errMsg": said}, "meta": {"message": "Parameter Error"}})


def company_row(id_: int, *, uuid: str = "", **fields: object) -> dict[str, Any]:
    """Return a company as the API answers it."""
    named = {"companyId": id_, "companyName": f"Company {id_}", "companyEmail": "", "companyStatus": 1}
    return {**named, "companyPhone": "1", "uuid": uuid, "extraFields": [], **fields}


def user_row(id_: int, *, company: int = 5, email: str = "", role: int = 12793, **fields: object) -> dict[str, Any]:
    """Return a company user as the API answers it."""
    named = {"id": id_, "companyId": company, "email": email or f"u{id_}@example.com", "companyRoleId": role}
    return {**named, "firstName": "Ann", "lastName": "Lee", "role": 0, "companyRoleName": "Admin", "uuid": "", **fields}


def address_row(
    id_: int, *, company: int | str = "5", external_id: str | None = None, **fields: object
) -> dict[str, Any]:
    """Return an address as the API answers it."""
    named = {"addressId": id_, "companyId": company, "externalId": external_id, "label": "", "stateCode": "CA"}
    return {**named, "stateName": "California", "countryCode": "US", "countryName": "United States", **fields}


ROLES = (
    {"id": 12793, "name": "Admin", "roleType": 1, "roleLevel": 1},
    {"id": 12794, "name": "Senior Buyer", "roleType": 1, "roleLevel": 1},
    {"id": 12795, "name": "Junior Buyer", "roleType": 1, "roleLevel": 1},
    {"id": 900, "name": "Primary Admin", "roleType": 2, "roleLevel": 1},
)


@define
class Clock:
    """A clock on which time passes by waiting only, and that notes it."""

    slept: list[float] = field(factory=list[float])

    def now(self) -> datetime:
        """Return the start and what was waited for."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=sum(self.slept))

    def sleep(self, seconds: float, /) -> None:
        """Note it."""
        self.slept.append(seconds)


@define
class AsyncClock:
    """The same, awaited."""

    slept: list[float] = field(factory=list[float])

    def now(self) -> datetime:
        """Return the start and what was waited for."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=sum(self.slept))

    async def sleep(self, seconds: float, /) -> None:
        """Note it."""
        self.slept.append(seconds)


@define
class Wire:
    """One run's way to the script: each route's answers in turn, the last one for ever."""

    script: dict[str, list[Answer]]
    sent: list[Request] = field(factory=list[Request])

    def send(self, request: Request, /) -> Response:
        """Return the next answer of the request's route."""
        self.sent.append(request)
        route = f"{request.method} {urlsplit(request.url.removeprefix(URL)).path}"
        answers = self.script.get(route)
        if answers is None:
            return refused(f"no route {route}", 418)
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(now, Exception):
            raise now
        return now if isinstance(now, Response) else now(request)


@define
class AsyncWire:
    """The same, awaited."""

    wire: Wire

    async def send(self, request: Request, /) -> Response:
        """Return the next answer of the request's route."""
        await asyncio.sleep(0)
        return self.wire.send(request)


@define
class Shop:
    """A script, and what came of playing it."""

    script: dict[str, list[Answer]] = field(factory=dict[str, list[Answer]])
    sent: list[Request] = field(factory=list[Request])
    slept: list[float] = field(factory=list[float])

    def on(self, route: str, *answers: Answer) -> "Shop":
        """Answer a route so; the last answer is given for ever."""
        self.script[route] = list(answers)
        return self

    def play(self, *acts: Callable[[Any], Any], **config: Any) -> list[Any]:
        """Return what each act comes to, on one sync client; an async client must do the very same."""
        settings = BigCommerceConfig(**{"store_hash": "hash", "token": "secret-token", **config})
        wire, clock = self._wire(), Clock()
        client = BigCommerce(settings, wire, clock=clock, parallel=1)
        results = [_result(act, client) for act in acts]
        twin_wire, twin_clock = self._wire(), AsyncClock()

        async def twin() -> list[Any]:
            async_client = AsyncBigCommerce(settings, AsyncWire(twin_wire), clock=twin_clock, parallel=1)
            return [await _aresult(act, async_client) for act in acts]

        twins = asyncio.run(twin())
        assert repr(twins) == repr(results)
        assert [(r, r.headers, r.body) for r in twin_wire.sent] == [(r, r.headers, r.body) for r in wire.sent]
        assert twin_clock.slept == clock.slept
        self.sent, self.slept = wire.sent, clock.slept
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    def ask(self, act: Callable[[Any], Any], **config: Any) -> Any:
        """Return what one act comes to."""
        return self.play(act, **config)[0]

    def routes(self) -> list[str]:
        """Return the routes of what was sent, in order."""
        return [f"{r.method} {urlsplit(r.url.removeprefix(URL)).path}" for r in self.sent]

    def queries(self, route: str) -> list[dict[str, str]]:
        """Return the queries of what was sent on a route."""
        return [
            dict(parse_qsl(urlsplit(r.url).query))
            for r, sent in zip(self.sent, self.routes(), strict=True)
            if sent == route
        ]

    def bodies(self, route: str) -> list[Any]:
        """Return the bodies of what was sent on a route."""
        return [json.loads(r.body) for r, sent in zip(self.sent, self.routes(), strict=True) if sent == route]

    def _wire(self) -> Wire:
        return Wire({route: copy(answers) for route, answers in self.script.items()})


def _result(act: Callable[[Any], Any], client: BigCommerce) -> Any:
    try:
        return act(client)
    except Exception as error:
        return error


async def _aresult(act: Callable[[Any], Any], client: AsyncBigCommerce) -> Any:
    try:
        done = act(client)
        return await done if asyncio.iscoroutine(done) else done
    except Exception as error:
        return error


# ------------------------------------------------------------------ creations
SINCE = str(STAMP - 150)
BULK = answer(200, {"code": 200, "data": [{"userId": 999, "bcId": 1}], "meta": {"message": "Success"}})


def person(i: int, **fields: Any) -> DesiredUser:
    """Return the user that contact number i should become."""
    named = {"contact": ContactID(f"K{i}"), "external_id": NoteID(f"note-{i}"), "email": f"u{i}@example.com"}
    return DesiredUser(**{**named, "first_name": "Ann", "last_name": "Lee", **fields})


def user(i: int, company: str = "5", role: str = "Junior Buyer", **fields: Any) -> CreateUser:
    """Return the creation of user number i."""
    return CreateUser(company=CompanyID(StorefrontID(company)), user=person(i, **fields), role=role)


def company(i: int, *, admin: bool = True, **fields: Any) -> CreateCompany:
    """Return the creation of company number i, its admin being user number i."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{i}"),
        external_id=NoteID(f"cnote-{i}"),
        name=f"Company {i}",
        email="office@example.com",
        phone="555",
        **{"address": PostalAddress(line1="1 Main", city="Austin", country="US"), **fields},
    )
    return CreateCompany(company=desired, admin=person(i) if admin else None, role="Admin")


def address(i: int, company: str = "5", **fields: Any) -> CreateAddress:
    """Return the creation of address number i."""
    desired = DesiredAddress(
        location=LocationID(f"L{i}"),
        external_id=NoteID(f"anote-{i}"),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        **{"address": PostalAddress(line1="1 Main", city="Austin", country="DK"), **fields},
    )
    return CreateAddress(company=CompanyID(StorefrontID(company)), address=desired)


def doing(*actions: Action) -> Callable[[Any], Any]:
    """Return the act of performing."""
    return lambda client: client.perform(actions)


def reasons(outcomes: Sequence[Any]) -> list[object]:
    """Return each outcome's id, or its reason, or its error's class."""
    told: list[object] = []
    for outcome in outcomes:
        match outcome:
            case Ok(id_):
                told.append(id_)
            case Failed(RejectedError(reason=reason)):
                told.append(reason)
            case Failed(error):
                told.append(type(error))
    return told


# ------------------------------------------------------------------ looking
GUID = "0a1b2c3d-0000-4000-8000-00000000000f"


def ref(id_: str | None = None, *, external_id: str = GUID, customer: str = "C1") -> CompanyRef:
    """Return which company to look at."""
    company = None if id_ is None else CompanyID(StorefrontID(id_))
    return CompanyRef(customer=CustomerID(customer), external_id=NoteID(external_id), id=company)


def observing(*refs: CompanyRef) -> Callable[[Any], Any]:
    """Return the act of observing."""
    return lambda client: client.observe(refs)


def with_company(shop: Shop, id_: int = 5, **fields: Any) -> Shop:
    """Return the shop with one company that has two users and an address."""
    shop.on(f"GET companies/{id_}", one(**company_row(id_, **fields)))
    shop.on("GET users", listed(user_row(12, company=id_, role=12795), user_row(9, company=id_, uuid=GUID.upper())))
    return shop.on("GET addresses", listed(address_row(3, company=str(id_), external_id=GUID, isDefaultShipping=True)))


@pytest.fixture
def shop() -> Shop:
    """Return a shop with roles and nothing else."""
    return Shop().on("GET companies/roles", listed(*ROLES))
