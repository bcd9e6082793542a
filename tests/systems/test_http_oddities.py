"""What servers, proxies and clocks do that nobody expects: it ends, soon, and in words."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count, cycle
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from attrs import define, evolve, field

from acumatica_b2b.actions import CreateAddress, CreateUser
from acumatica_b2b.acumatica import Acumatica, Credentials
from acumatica_b2b.acumatica import listing as erp_lists
from acumatica_b2b.acumatica.changes import since
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import (
    AcumaticaB2BError,
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import Company, CompanyID, CompanyRef, Customer, CustomerID, PostalAddress, StorefrontID
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, PrimaryMarks, Query
from acumatica_b2b.runtime import in_threads
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport
from tests.systems.conftest import SHOP, Clock
from tests.systems.matrix import (
    AGO,
    APPLICATION,
    CALLS,
    ERP,
    PASSWORD,
    PATIENT,
    AsyncTime,
    Meets,
    Way,
    World,
    ask,
    ever,
    main_request,
    note,
    once,
    person,
    place,
    role,
)

WAYS_IN: Final[dict[str, Credentials]] = {"cookie": PASSWORD, "token": APPLICATION}
WORLD: Final = World()
DATA: Final = ("read", "look-up", "create", "change", "removal")


# ------------------------------------------------------------------ sessions that end in mid-run
UNAUTHORIZED: Final = Meets(comes=lambda _: Response(status=401))


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.erp])
def test_a_session_that_ends_at_any_request(name: str, way_in: str, *, awaited: bool) -> None:
    """A session or token that ends at whichever request of a call is renewed once, and the call succeeds."""
    call = evolve(CALLS[name], credentials=WAYS_IN[way_in])
    clean = ask(call, WORLD.lent(call), awaited=awaited)
    for number, line in enumerate(clean.lines):
        if role(line) not in DATA or (name == "check of the ERP" and number == 0):  # the first look needs no session
            continue
        world = WORLD.lent(call)
        came = ask(call, world, once(number, UNAUTHORIZED), awaited=awaited)
        assert came.value == clean.value, (line, came)
        # what is asked of the tenant once is asked once more before somebody signs in anew
        assert sum(role(sent) == "sign-in" for sent in came.lines) in ({1, 2} if "fields" in name else {2})
        assert world.tenant.open_sessions == 0


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.erp and "check" not in name])
def test_a_session_that_is_never_taken(name: str, way_in: str, *, awaited: bool) -> None:
    """A fresh session that is refused as well is an AuthenticationError; nobody signs in a third time."""
    world = WORLD.copied()
    came = ask(
        evolve(CALLS[name], credentials=WAYS_IN[way_in]), world, ever("/Default/", UNAUTHORIZED), awaited=awaited
    )
    assert isinstance(came.raised, AuthenticationError), came
    assert sum(role(sent) == "sign-in" for sent in came.lines) == 2
    assert world.tenant.open_sessions == 0


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not call.erp and "check" not in name])
def test_a_token_of_the_shop_that_is_taken_back(name: str, *, awaited: bool) -> None:
    """A token that the shop refuses at whichever request ends the call at once: there is no other."""
    clean = ask(CALLS[name], WORLD.lent(CALLS[name]), awaited=awaited)
    for number in range(len(clean.lines)):
        came = ask(CALLS[name], WORLD.lent(CALLS[name]), once(number, UNAUTHORIZED), awaited=awaited)
        assert isinstance(came.raised, AuthenticationError), came
        assert {role(line) for line in came.lines[number + 1 :]} <= {"read", "look-up"}  # of the same batch


# ------------------------------------------------------------------ how long to wait, and what time it is
HOUR: Final = timedelta(hours=1)
TIMES: Final = {
    "past": "-1",
    "none": "0",
    "31 years": "1000000000",
    "for ever": "9" * 400,
    "more digits than a number may have": "9" * 5000,
    "exponent": "1e99",
    "infinite": "inf",
    "no number": "nan",
    "a word": "soon",
    "nothing": "",
    "blank": " ",
    "1970": "Thu, 01 Jan 1970 00:00:00 GMT",
    "9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "other digits": "\u0663\u0663",
    "half": "3.5",
}
HEADERS: Final = ("Retry-After", "X-Request-Window-Resets-After", "X-Rate-Limit-Time-Reset-Ms", "X-Requests-Remaining")
TOLD_TO_WAIT: Final = ("contacts", "sign-in", "reference", "users", "shoppers", "new user", "new users", "role")


def refusal(*headers: tuple[str, str]) -> Meets:
    """Return that a server asks for patience."""
    return Meets(comes=lambda _: Response(status=429, headers=headers))


@pytest.mark.parametrize("name", TOLD_TO_WAIT)
@pytest.mark.parametrize("told", TIMES)
def test_absurd_times_to_wait(told: str, name: str) -> None:
    """Whatever a refusal says of how long to wait, the request is sent again after a while, and succeeds."""
    clean = ask(CALLS[name], WORLD.lent(CALLS[name]), awaited=False)
    number = max(i for i, line in enumerate(clean.lines) if role(line) != "sign-out")
    for i, headers in enumerate(((h, TIMES[told]),) for h in HEADERS):
        world = WORLD.copied()
        came = ask(CALLS[name], world, once(number, refusal(*headers)), awaited=i % 2 == 1)
        assert came.value == clean.value, came
        assert world.clock.time - Clock().time < 0.5 * HOUR


@pytest.mark.parametrize("name", TOLD_TO_WAIT)
@pytest.mark.parametrize("told", TIMES)
def test_refusals_without_end(told: str, name: str) -> None:
    """Whoever is refused for ever gives up within the hour, after a request a second at most: RateLimitedError."""
    several = refusal(("Retry-After", TIMES[told]), ("Retry-After", "1000000000"))
    world, retries = WORLD.copied(), Retries(attempts=3, patience=60.0)
    came = ask(evolve(CALLS[name], settings={"retries": retries}), world, ever("", several), awaited=len(told) % 2 == 1)
    assert came.errors()
    assert all(isinstance(error, RateLimitedError) for error in came.errors()), came
    assert max(Counter(came.lines).values()) <= 2 * 60 + 10
    assert world.clock.time - Clock().time < HOUR


DATES: Final = (
    "",
    "0",
    "yesterday",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sun, 01 Mar 2026 12:00:00",
    "Sun, 01 Mar 2026 12:00:00 -0000",
    "Sun, 01 Mar 2026 12:00:00 +99999999999999",
)


@pytest.mark.parametrize("name", CALLS)
def test_absurd_dates(name: str) -> None:
    """Whatever the server says of what time it is, a call succeeds, or says that nobody knows what came of it."""
    clean = ask(CALLS[name], WORLD.lent(CALLS[name]), awaited=False)
    for i, date in enumerate(DATES):
        came = ask(CALLS[name], WORLD.lent(CALLS[name]), ever("", dated(date)), awaited=i % 2 == 1)
        if "9999" in date and name in {"new companies", "new users", "new addresses"}:
            assert {type(error) for error in came.errors()} <= {OutcomeUnknownError}, came
        else:
            assert came.value == clean.value, came


def dated(date: str) -> Meets:
    """Return that a server says another time."""

    def comes(answer: Response) -> Response:
        others = (pair for pair in answer.headers if pair[0] != "Date")
        return evolve(answer, headers=(*others, ("Date", date)))

    return Meets(comes=comes, acts=True)


# ------------------------------------------------------------------ lists without end
def shown(*rows: object) -> Response:
    """Return a page of the ERP's."""
    return Response(status=200, headers=(("Content-Type", "application/json"),), body=json.dumps(rows).encode())


def erp_row(number: int) -> dict[str, Any]:
    """Return a row that may be a customer, a contact or a location."""
    fields: dict[str, object] = {"CustomerID": f"K{number:09}", "ContactID": number, "LocationID": f"K{number:09}"}
    fields |= {"Customer": "C1", "BusinessAccount": "C1", "CustomerName": "Acme", "ExtRefNbr": ""}
    return {"id": note(1, number), **{name: {"value": value} for name, value in fields.items()}}


def the_same() -> Callable[[], list[int]]:
    """Return what says the same page for ever."""
    return lambda: [1, 2]


def in_turn() -> Callable[[], list[int]]:
    """Return what says three pages in turn."""
    pages = cycle(([1, 2], [3, 4], [5, 6]))
    return lambda: next(pages)


def always_more() -> Callable[[], list[int]]:
    """Return what says a new page for ever."""
    numbers = count(1)
    return lambda: [next(numbers), next(numbers)]


ENDLESS: Final = {"the same": the_same, "in turn": in_turn, "always more": always_more}
READINGS: Final[dict[str, Query]] = {
    "everything": Everything(),
    "changes": ChangedSince(watermark=since(AGO)),
    "primary marks": PrimaryMarks(),
}


@pytest.mark.parametrize("entity", ["Customer", "Contact", "CustomerLocation"])
@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("reading", READINGS)
def test_lists_of_the_erp_without_end(reading: str, kind: str, entity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list whose every page is full ends: in an error that names it, or as one of which nothing is proven."""
    monkeypatch.setattr(erp_lists, "MOST_PAGES", 50)
    pages, world = ENDLESS[kind](), WORLD.copied()
    answer = Meets(comes=lambda _: shown(*map(erp_row, pages())))
    way = Way(world.tenant, world.shop, ever(f"/{entity}$", answer))
    config = evolve(ERP, wave=2, page=2, keys_page=2, retries=PATIENT)
    read: list[Page[Customer]] = []
    error: DecodeError | None = None
    with httpx.Client(transport=way, trust_env=False) as client:
        erp = Acumatica(config, PASSWORD, HttpxTransport(client), clock=world.clock, parallel=1)
        after: Cursor | None = None
        try:
            while not read or (after := read[-1].next) is not None:
                read.append(erp.read(READINGS[reading], after))
        except DecodeError as caught:
            error = caught
    assert len(way.lines) < 300
    if error is not None:
        assert error.path == entity
        assert {"the same": "move on", "in turn": "circles", "always more": "does not end"}[kind] in str(error)
    elif any(line.endswith(f"/{entity}") for line in way.lines):
        assert not_proven(reading, read), read


def not_proven(reading: str, read: Sequence[Page[Customer]]) -> bool:
    """Return whether nothing will be concluded from what was read."""
    if reading == "changes":
        return read[-1].watermark is not None and AGO.isoformat() in read[-1].watermark
    return not any(customer.complete for page in read for customer in page.items)


@define
class Lists:
    """A shop each of whose lists has pages of this total and these rows, both told by their offset and size."""

    total: Callable[[int, int], int]
    rows: Callable[[int, int], Iterable[int]]
    asked: list[str] = field(factory=list[str])

    def send(self, request: Request, /) -> Response:
        """Return a page, or a company by its id."""
        url = urlsplit(request.url)
        self.asked.append(f"{request.method} {url.path}")
        if url.path.endswith("/companies/5"):
            return answered(data=_row(5))
        if request.method == "POST":
            return answered(data={})
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        offset, size = int(query["offset"]), int(query["limit"])
        paging = {"totalCount": self.total(offset, size), "offset": offset, "limit": size}
        return answered(data=[_row(number) for number in self.rows(offset, size)], meta={"pagination": paging})


def answered(**body: object) -> Response:
    """Return an answer of the shop's."""
    return Response(status=200, headers=(("Date", DATES[3]),), body=json.dumps({"code": 200, **body}).encode())


def _row(number: int) -> dict[str, object]:
    names = {"id": number, "companyId": 5, "addressId": number, "companyName": "Acme", "companyStatus": 1}
    return {**names, "email": f"u{number}@mail.example", "name": f"Role {number}", "roleType": 2, "companyRoleId": 1}


def _first(_offset: int, size: int) -> Iterable[int]:
    return range(size)


def _next(offset: int, size: int) -> Iterable[int]:
    return range(offset, offset + size)


LISTS: Final = {
    "a total that grows": (lambda offset, size: offset + 2 * size, _next),
    "a total that no shop has": (lambda _o, _s: 10**12, _next),
    "the same page": (lambda _o, _s: 10_000, _first),
    "nothing on any page": (lambda _o, _s: 10_000, lambda _o, _s: ()),
}
HOME: Final = CompanyID(StorefrontID("5"))
NEWCOMERS: Final = [CreateUser(company=HOME, user=person(n), role="Role 1") for n in (90_001, 90_002)]
ASKING: Final[dict[str, Callable[[Any], Any]]] = {
    "company": lambda shop: shop.observe([CompanyRef(customer=CustomerID("C1"), external_id=note(1, 1), id=HOME)]),
    "by external id": lambda shop: shop.observe([CompanyRef(customer=CustomerID("C1"), external_id=note(1, 1))]),
    "users": lambda shop: shop.find_users(["nobody@mail.example"]),
    "roles": lambda shop: shop.require_roles(["Role 1"]),
    "super admins": lambda shop: shop.super_admins(["nobody@mail.example"]),
    "new users": lambda shop: shop.perform(NEWCOMERS),
}


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("name", ASKING)
def test_lists_of_the_shop_without_end(name: str, kind: str, *, awaited: bool) -> None:
    """A list that does not end, or lies about its total, costs few requests and ends in an error that names it.

    Where only its total lies, it counts as not proven: it shows nobody's absence.
    """
    total, rows = LISTS[kind]
    lists, clock = Lists(total, rows), Clock()
    config = evolve(SHOP, page_size=10, retries=PATIENT)
    try:
        if awaited:
            twin = AsyncBigCommerce(config, in_threads(lists), clock=AsyncTime(clock), parallel=1)
            value = asyncio.run(ASKING[name](twin))
        else:
            value = ASKING[name](BigCommerce(config, lists, clock=clock, parallel=1))
    except AcumaticaB2BError as error:
        value = [Failed(error)]
    assert len(lists.asked) < 500
    assert sum(line.startswith("POST") for line in lists.asked) <= 1
    for outcome in value or ():
        assert tells_no_lie(outcome, ends="total" not in kind), outcome


def tells_no_lie(outcome: Outcome[Any], *, ends: bool) -> bool:
    """Return whether an outcome concludes nothing from what a list does not show."""
    match outcome:
        case Failed(DecodeError(path=path)):
            return path in {"users", "companies", "addresses", "companies/roles", "companies/super-admins"}
        case Failed(OutcomeUnknownError()):
            return True
        case Failed(ConfigurationError()) | Ok(None | False):
            return ends
        case Ok(Company(complete=complete)):
            return ends and not complete
        case _:
            return False


# ------------------------------------------------------------------ answers that are too large, or do not come
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", ["everything", "reference", "company", "shoppers", "new user", "user's removal"])
def test_answers_too_large(name: str, *, awaited: bool) -> None:
    """An answer larger than a request allows is cut off, and what came of it is not known."""
    clean = ask(CALLS[name], WORLD.lent(CALLS[name]), awaited=awaited)
    line = clean.lines[main_request(CALLS[name], clean.lines)]
    large = Meets(comes=lambda _: Response(status=200, body=LARGE))
    came = ask(CALLS[name], WORLD.lent(CALLS[name]), ever(f"^{line}$", large), awaited=awaited)
    assert {type(error) for error in came.errors()} == {OutcomeUnknownError}
    assert "larger than 32000000 bytes" in str(came.errors()[0])


LARGE: Final = b" " * 32_000_001


@define
class Dripping:
    """A server on this machine that answers drop by drop, for ever."""

    head: bytes
    listener: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    requests: int = 0
    done: Event = field(factory=Event)

    def __enter__(self) -> str:
        Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            self.requests += 1
            connection.sendall(self.head)
            while not self.done.wait(0.01):
                connection.sendall(b".")


DRIPS: Final = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "headers": b"HTTP/1.1 200 OK\r\nX-Drops: ",
    "status": b"HTTP/1.1 200 ",
    "interim answers": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 ",
}


@pytest.mark.parametrize("awaited", [False, True])
def test_dripping_servers(*, awaited: bool) -> None:
    """A server that drips for ever, wherever, holds nobody up: a read is tried twice, a create is sent once."""

    def drip(head: bytes) -> tuple[int, Outcome[Any], Outcome[Any]]:
        with (dripping := Dripping(head)) as url:
            retries = Retries(attempts=2, first_pause=0.01)
            config = evolve(SHOP, url=url, deadline=0.8, retries=retries)
            read, made = asyncio.run(_dripped_on(config)) if awaited else _dripped(config)
        return dripping.requests, read, made

    with ThreadPoolExecutor(len(DRIPS)) as pool:
        for requests, read, made in pool.map(drip, DRIPS.values()):
            assert requests == 3
            for outcome in (read, made):
                assert isinstance(outcome, Failed)
                assert isinstance(outcome.error, OutcomeUnknownError)


SOMEBODY: Final = [CreateAddress(company=HOME, address=evolve(place(1), address=PostalAddress()))]


def _dripped(config: BigCommerceConfig) -> tuple[Outcome[Any], Outcome[Any]]:
    with httpx.Client(trust_env=False) as client:
        shop = BigCommerce(config, HttpxTransport(client))
        return shop.super_admins(["x@mail.example"])[0], shop.perform(SOMEBODY)[0]


async def _dripped_on(config: BigCommerceConfig) -> tuple[Outcome[Any], Outcome[Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        shop = AsyncBigCommerce(config, AsyncHttpxTransport(client))
        return (await shop.super_admins(["x@mail.example"]))[0], (await shop.perform(SOMEBODY))[0]
