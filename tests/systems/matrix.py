"""Every call of both clients, over both simulated systems, on a way that httpx thinks is the network."""

import asyncio
import copy
import inspect
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import anyio
import httpx
from attrs import define, evolve, field, frozen

from acumatica_b2b import AsyncContactSync, ContactSync, SyncPolicy
from acumatica_b2b.actions import (
    CreateAddress,
    CreateCompany,
    CreateUser,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Credentials, OAuthPassword, Password
from acumatica_b2b.acumatica.changes import since
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce
from acumatica_b2b.check import Needs
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import (
    AddressID,
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
    Record,
    RecordKind,
    Reference,
    StorefrontID,
    UserID,
)
from acumatica_b2b.protocols import ChangedSince, Everything, PrimaryMarks
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator
from acumatica_b2b.simulators.acumatica import ENABLED, AcumaticaSettings, ContactRow, CustomerRow, LocationRow
from acumatica_b2b.simulators.server import Handles
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import AsyncStoreOf
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport
from tests.systems.conftest import ERP as WITH_FIELDS
from tests.systems.conftest import HERE, NO_LIMITS, SHOP, Clock, Watched

PERSON: Final = "ann.ames@mail.example"
HUSH: Final = ("ann.ames", "s3cret", "t0ken", "c00kie")
"""What the words of every fault hold and no error of ours may repeat."""
WORDS: Final = f"boom at https://ann:s3cret@erp.example/users?email={PERSON}&access_token=t0ken .ASPXAUTH=c00kie"


ERP: Final = evolve(WITH_FIELDS, contact_opt_in="everyone", contact_reference="ExtRefNbr", customer_reference=None)
"""Asks for no field of a customization, so that a call has no more requests than it needs."""


# ------------------------------------------------------------------ what may come out of a transport
def _made(kind: type[BaseException]) -> BaseException:
    """Return an exception, with words that nobody should repeat."""
    request = httpx.Request("GET", "https://erp.example/users", params={"email": PERSON})
    given = {"message": WORDS, "request": request, "response": httpx.Response(500, request=request)}
    try:
        wanted = inspect.signature(kind).parameters
    except ValueError:
        return kind(WORDS)
    named = {name: given[name] for name in wanted if name in given}
    return kind(**named) if named or not wanted else kind(WORDS)


def _of_httpx() -> dict[str, type[BaseException]]:
    """Return every exception that httpx has: one that a later release adds is another row."""
    found = (getattr(httpx, name) for name in dir(httpx))
    return {f"httpx.{kind.__name__}": kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)}


EXCEPTIONS: Final[Mapping[str, type[BaseException]]] = {
    **_of_httpx(),
    "ssl.SSLError": ssl.SSLError,
    "ssl.SSLCertVerificationError": ssl.SSLCertVerificationError,
    "OSError": OSError,
    "ConnectionResetError": ConnectionResetError,
    "BrokenPipeError": BrokenPipeError,
    "TimeoutError": TimeoutError,
    "anyio.EndOfStream": anyio.EndOfStream,
    "anyio.ClosedResourceError": anyio.ClosedResourceError,
    "anyio.BrokenResourceError": anyio.BrokenResourceError,
    "RuntimeError": RuntimeError,
    "UnicodeDecodeError": UnicodeError,
    "MemoryError": MemoryError,
    "asyncio.CancelledError": asyncio.CancelledError,
    "KeyboardInterrupt": KeyboardInterrupt,
}
NEVER_LEFT: Final = frozenset(
    {"httpx.ConnectError", "httpx.ConnectTimeout", "httpx.PoolTimeout", "httpx.ProxyError", "httpx.UnsupportedProtocol"}
)
"""With these nothing has gone out; with all else something may have."""
INTERRUPTS: Final = frozenset(name for name, kind in EXCEPTIONS.items() if not issubclass(kind, Exception))


# ------------------------------------------------------------------ the way
@frozen(kw_only=True)
class Meets:
    """What becomes of a request: whether the server gets it, and what comes instead of its answer."""

    comes: type[BaseException] | Callable[[Response], Response]
    acts: bool = False

    def play(self, do: Callable[[], Response]) -> Response:
        """Return or raise what comes."""
        answer = do() if self.acts else Response(status=200)
        if isinstance(self.comes, type):
            raise _made(self.comes)
        return self.comes(answer)


Script: TypeAlias = Callable[[int, str], Meets | None]
"""What a request meets, by its number from 0 on, and by its method and path."""


def nothing(_number: int, _line: str) -> None:
    """Let all be well."""


def once(number: int, meets: Meets) -> Script:
    """Let one request meet it."""
    return lambda now, _: meets if now == number else None


def ever(pattern: str, meets: Meets) -> Script:
    """Let each request meet it that a pattern fits."""
    return lambda _, line: meets if re.search(pattern, line) else None


@define(eq=False)
class Way(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """What httpx takes for the network: it leads to both simulators."""

    tenant: Handles
    shop: Handles
    script: Script = nothing
    lines: list[str] = field(factory=list[str])
    """Method and path of all that was sent, whether it arrived or not."""
    bodies: list[bytes] = field(factory=list[bytes])
    arrived: list[int] = field(factory=list[int])
    """The numbers of those that a server got."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, or what comes instead."""
        plain = Request(
            method=request.method,
            url=str(request.url),
            headers=tuple((name.title(), value) for name, value in request.headers.multi_items()),
            body=request.read(),
        )
        system = self.tenant if request.url.host == "erp.example" else self.shop
        line = f"{request.method} {request.url.path}"
        number = len(self.lines)
        met = self.script(number, line)
        self.lines.append(line)
        self.bodies.append(plain.body)
        if met is None or met.acts:
            self.arrived.append(number)
        answer = system.handle(plain) if met is None else met.play(lambda: system.handle(plain))
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        return httpx.Response(answer.status, headers=headers, content=answer.body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the same, awaited."""
        return self.handle_request(request)


# ------------------------------------------------------------------ the world
PLACE: Final = PostalAddress(line1="1 Main St", city="Austin", state="TX", postal_code="78701", country="US")


def note(kind: int, number: int) -> NoteID:
    """Return a GUID."""
    return NoteID(f"{kind:08}-0000-4000-8000-{number:012}")


def person(number: int) -> DesiredUser:
    """Return a user as it should be."""
    return DesiredUser(
        contact=ContactID(str(number)),
        external_id=note(2, number),
        email=f"u{number}@mail.example",
        first_name="Ann",
        last_name="Lee",
        phone="555-0100",
    )


def company(number: int) -> CreateCompany:
    """Return the creation of a company, whose admin has the same number."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{number}"),
        external_id=note(1, number),
        name=f"Acme {number}",
        email=f"office{number}@mail.example",
        phone="555-0100",
        address=PLACE,
    )
    return CreateCompany(company=desired, admin=person(number), role="Admin")


def place(number: int) -> DesiredAddress:
    """Return an address as it should be."""
    return DesiredAddress(
        location=LocationID(f"L{number}"),
        external_id=note(3, number),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        phone="555-0100",
        address=PLACE,
    )


@define(eq=False)
class World:
    """A tenant with customers, a shop with companies, and a clock that only sleepers move."""

    empty: bool = field(default=False, kw_only=True)
    clock: Clock = field(factory=Clock, init=False)
    tenant: AcumaticaSimulator = field(init=False)
    shop: BigCommerceSimulator = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tenant = AcumaticaSimulator(settings=AcumaticaSettings(seats=50), now=self.clock.now)
        self.shop = BigCommerceSimulator(now=self.clock.now, requests_per_minute=None, core_requests=None)
        if not self.empty:
            self._fill()

    def _fill(self) -> None:
        for number in (1, 2):
            name, contact = f"C{number}", 100 + number
            self.tenant.put_customer(CustomerRow(id=name, name=f"Acme {number}", phone="555", address=HERE))
            enabled: dict[str, Any] = {ENABLED: True}
            self.tenant.put_contact(
                ContactRow(
                    id=contact, customer=name, first_name="Ann", last_name="Lee", email="a@b.example", custom=enabled
                )
            )
            self.tenant.put_location(LocationRow(id="MAIN", customer=name, name="Main", address=HERE))
        self.shop.add_shopper("u7@mail.example")
        direct = BigCommerce(SHOP, self.shop, clock=self.clock, parallel=1)
        made = direct.perform([company(1), company(2)])
        homes = [CompanyID(one.value) for one in made if isinstance(one, Ok)]
        direct.perform([CreateUser(company=homes[0], user=person(n), role="Junior Buyer") for n in (3, 4)])
        direct.perform([CreateAddress(company=homes[0], address=place(n)) for n in (1, 2)])
        self.shop.calls.clear()

    def copied(self) -> "World":
        """Return another world, in which all is as it is now."""
        locks = (self.shop.lock, self.tenant._lock, self.tenant._gate._lock)
        return copy.deepcopy(self, {id(lock): lock for lock in locks})

    def lent(self, call: "Call") -> "World":
        """Return a world for one call: this one, where the call only reads."""
        self.tenant.end_sessions()
        self.tenant.log.clear()
        self.shop.calls.clear()
        return self.copied() if call.writes else self

    def company(self, number: int) -> CompanyID:
        """Return the id of a company."""
        return CompanyID(StorefrontID(str(list(self.shop.companies)[number - 1])))

    def user(self, number: int) -> UserID:
        """Return the id of a user."""
        found = self.shop.user_by_email(person(number).email)
        return UserID(StorefrontID(str(found.id if found else 0)))

    def address(self, number: int) -> AddressID:
        """Return the id of an address."""
        return AddressID(StorefrontID(str(list(self.shop.addresses)[number - 1])))

    def state(self) -> Any:
        """Return what is there, without stamps."""
        shop = self.shop
        people = {
            user.email: (user.company_id, user.first_name, user.phone_number, shop.role_of(user).name, user.uuid)
            for user in shop.users.values()
        }
        companies = {
            one.id: (one.company_name, one.company_phone, one.company_status, one.uuid)
            for one in shop.companies.values()
        }
        places = {one.external_id: (one.company_id, one.label, one.city) for one in shop.addresses.values()}
        held = {row.id: row.reference_number for row in self.tenant.snapshot().contacts}
        return (people, len(shop.users), companies, places, len(shop.addresses), held)


# ------------------------------------------------------------------ the calls
Act: TypeAlias = Callable[[Any, World], Any]


def _whole(result: Any) -> Any:
    return result


def _shown(page: Any) -> Any:
    return (page.items, page.unreadable, page.strays)


@frozen(kw_only=True)
class Call:
    """Something that a client can be asked for."""

    act: Act
    main: str = ""
    """The request that is meant by its name; empty: the one that writes, else the last that reads."""
    erp: bool = False
    writes: bool = False
    shown: Callable[[Any], Any] = _whole
    settings: Mapping[str, Any] = field(factory=dict[str, Any])
    credentials: Credentials | None = None


def _erp(act: Act, **more: Any) -> Call:
    return Call(act=act, erp=True, **more)


def _doing(*actions: Callable[[World], Any]) -> Call:
    return Call(act=lambda shop, world: shop.perform([make(world) for make in actions]), writes=True)


def _ref(number: int) -> CompanyRef:
    return CompanyRef(customer=CustomerID(f"C{number}"), external_id=note(1, number))


def _reference(contact: str) -> Reference:
    record = Record(RecordKind.CONTACT, contact)
    return Reference(record=record, note_id=note(2, 1), customer=CustomerID("C1"), value="42")


PASSWORD: Final = Password("sync", "secret")
APPLICATION: Final = OAuthPassword(
    client_id=AcumaticaSettings().client_id, client_secret="client-secret", name="sync", password="secret"
)
NEEDS: Final = Needs(roles=("Admin",), shoppers=True, references=frozenset(RecordKind))
CONTACT: Final = [ContactID("101")]
AGO: Final = Clock().time - timedelta(days=1)

CALLS: Final[Mapping[str, Call]] = {
    # Acumatica: each signs in first and out at last
    "sign-in": _erp(lambda erp, _: erp.contacts(CONTACT), main="/auth/login"),
    "sign-out": _erp(lambda erp, _: erp.contacts(CONTACT), main="/auth/logout"),
    "token": _erp(lambda erp, _: erp.contacts(CONTACT), main="/connect/token", credentials=APPLICATION),
    "everything": _erp(lambda erp, _: erp.read(Everything(), None), shown=_shown),
    "changes": _erp(lambda erp, _: erp.read(ChangedSince(watermark=since(AGO)), None), shown=_shown),
    "primary marks": _erp(lambda erp, _: erp.read(PrimaryMarks(), None), shown=_shown),
    "customers": _erp(lambda erp, _: erp.customers([CustomerID("C1"), CustomerID("C9")])),
    "contacts": _erp(lambda erp, _: erp.contacts([*CONTACT, ContactID("999")])),
    "contacts, with fields": _erp(
        lambda erp, _: erp.contacts(CONTACT), settings={"version": "", "contact_opt_in": ENABLED}
    ),
    "session of a token": _erp(lambda erp, _: erp.contacts(CONTACT), main="/auth/logout", credentials=APPLICATION),
    "reference": _erp(lambda erp, _: erp.write_references([_reference("101")]), writes=True),
    "references": _erp(lambda erp, _: erp.write_references([_reference("101"), _reference("102")]), writes=True),
    "check of the ERP": _erp(lambda erp, _: erp.check(NEEDS)),
    # BigCommerce
    "roles": Call(act=lambda shop, _: shop.require_roles(["Admin"])),
    "company": Call(act=lambda shop, world: shop.observe([evolve(_ref(1), id=world.company(1))])),
    "company by external id": Call(act=lambda shop, _: shop.observe([_ref(2)])),
    "company that is not there": Call(act=lambda shop, _: shop.observe([_ref(9)])),
    "users": Call(act=lambda shop, _: shop.find_users([person(3).email, "nobody@mail.example"])),
    "many users": Call(act=lambda shop, _: shop.find_users([person(n).email for n in range(12)])),
    "super admins": Call(act=lambda shop, _: shop.super_admins(["x@mail.example"])),
    "shoppers": Call(act=lambda shop, _: shop.find_shoppers(["u7@mail.example", "x@mail.example"])),
    "check of the shop": Call(act=lambda shop, _: shop.check(NEEDS)),
    "new company": _doing(lambda _: company(11)),
    "new companies": _doing(lambda _: company(11), lambda _: company(12)),
    "new user": _doing(lambda w: CreateUser(company=w.company(1), user=person(11), role="Junior Buyer")),
    "new users": _doing(
        lambda w: CreateUser(company=w.company(1), user=person(11), role="Junior Buyer"),
        lambda w: CreateUser(company=w.company(2), user=person(12), role="Senior Buyer"),
    ),
    "new address": _doing(lambda w: CreateAddress(company=w.company(1), address=place(11))),
    "new addresses": _doing(
        lambda w: CreateAddress(company=w.company(1), address=place(11)),
        lambda w: CreateAddress(company=w.company(2), address=place(12)),
    ),
    "company's change": _doing(
        lambda w: UpdateCompany(company=w.company(1), customer=CustomerID("C1"), changes=(("name", "New"),))
    ),
    "companies' changes": _doing(
        lambda w: UpdateCompany(company=w.company(1), customer=CustomerID("C1"), changes=(("name", "New"),)),
        lambda w: UpdateCompany(company=w.company(2), customer=CustomerID("C2"), changes=(("name", "Newer"),)),
    ),
    "company off": _doing(
        lambda w: UpdateCompany(company=w.company(1), customer=CustomerID("C1"), changes=(("active", "no"),))
    ),
    "user's change": _doing(
        lambda w: UpdateUser(
            company=w.company(1), user=w.user(3), contact=ContactID("3"), changes=(("email", "new@mail.example"),)
        )
    ),
    "role": _doing(lambda w: SetRole(company=w.company(1), user=w.user(3), contact=ContactID("3"), role="Admin")),
    "address's change": _doing(
        lambda w: UpdateAddress(company=w.company(1), id=w.address(1), address=evolve(place(1), label="Gate"))
    ),
    "user's removal": _doing(lambda w: RemoveUser(company=w.company(1), user=w.user(3), contact=ContactID("3"))),
    "address's removal": _doing(
        lambda w: RemoveAddress(company=w.company(1), id=w.address(1), location=LocationID("L1"))
    ),
}


# ------------------------------------------------------------------ asking
PATIENT: Final = Retries(attempts=3, first_pause=1.0, patience=300.0)


@frozen(kw_only=True)
class Came:
    """What a call came to: what it returned, or raised; and what was sent for it."""

    value: Any = None
    raised: BaseException | None = None
    lines: tuple[str, ...] = ()
    bodies: tuple[bytes, ...] = ()

    def errors(self) -> list[BaseException]:
        """Return what was raised, or else the failures among the outcomes."""
        if self.raised is not None:
            return [self.raised]
        outcomes = self.value if isinstance(self.value, Sequence) else ()
        return [outcome.error for outcome in outcomes if hasattr(outcome, "error")]


@define(eq=False)
class AsyncTime:
    """A clock, awaited."""

    clock: Clock

    def now(self) -> Any:
        """Return the time."""
        return self.clock.now()

    async def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.clock.sleep(seconds)


def ask(call: Call, world: World, script: Script = nothing, *, awaited: bool) -> Came:
    """Return what a call comes to, by one client, which is closed afterwards."""
    way = Way(world.tenant, world.shop, script)
    try:
        value = asyncio.run(_awaited(call, world, way)) if awaited else _called(call, world, way)
    except BaseException as error:  # whatever it is, it is looked at
        return Came(raised=error, lines=tuple(way.lines), bodies=tuple(way.bodies))
    return Came(value=call.shown(value), lines=tuple(way.lines), bodies=tuple(way.bodies))


def _called(call: Call, world: World, way: Way) -> Any:
    with httpx.Client(transport=way, trust_env=False) as client:
        transport = HttpxTransport(client)
        if not call.erp:
            settings = evolve(SHOP, **{"retries": PATIENT, **call.settings})
            return call.act(BigCommerce(settings, transport, clock=world.clock, parallel=1), world)
        config, credentials = evolve(ERP, **{"retries": PATIENT, **call.settings}), call.credentials or PASSWORD
        with Acumatica(config, credentials, transport, clock=world.clock, parallel=1) as erp:
            return call.act(erp, world)


async def _awaited(call: Call, world: World, way: Way) -> Any:
    time = AsyncTime(world.clock)
    async with httpx.AsyncClient(transport=way, trust_env=False) as client:
        transport = AsyncHttpxTransport(client)
        if not call.erp:
            settings = evolve(SHOP, **{"retries": PATIENT, **call.settings})
            return await call.act(AsyncBigCommerce(settings, transport, clock=time, parallel=1), world)
        config, credentials = evolve(ERP, **{"retries": PATIENT, **call.settings}), call.credentials or PASSWORD
        async with AsyncAcumatica(config, credentials, transport, clock=time, parallel=1) as erp:
            return await call.act(erp, world)


# ------------------------------------------------------------------ what a request is
def role(line: str) -> str:
    """Return what kind of request a line is."""
    method, _, path = line.partition(" ")
    if path.endswith(("/auth/login", "/connect/token")):
        return "sign-in"
    if path.endswith("/auth/logout"):
        return "sign-out"
    if path.endswith(("/states", "/countries")):
        return "look-up"
    return {"GET": "read", "POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "removal"}[method]


def main_request(call: Call, lines: Sequence[str]) -> int:
    """Return the number of the request that is meant by a call's name."""
    if call.main:
        return next(i for i, line in enumerate(lines) if line.endswith(call.main))
    writes = [i for i, line in enumerate(lines) if role(line) in {"create", "change", "removal"}]
    return (writes or [i for i, line in enumerate(lines) if role(line) == "read"])[-1]


def told(error: BaseException | None) -> str:
    """Return all that an error of ours shows, of itself and of those of ours that led to it."""
    seen = ""
    while error is not None:
        if type(error).__module__.startswith("acumatica_b2b"):
            seen += f"{error} {error!r} {error.args!r}\n"
        error = error.__cause__ or error.__context__
    return seen


# ------------------------------------------------------------------ whole runs
@frozen
class Seen:
    """The shop, looked at after each write."""

    watched: Watched

    def handle(self, request: Request) -> Response:
        """Return the shop's answer."""
        return self.watched.send(request)


def kept_in_step(world: World, script: Script = nothing, *, store: MemoryStore, awaited: bool) -> tuple[Any, Way]:
    """Return the report of one run over everything, or what it raised, and what was sent for it."""
    way = Way(world.tenant, Seen(Watched(world.shop)), script)
    try:
        return (asyncio.run(_arun(world, way, store)) if awaited else _run(world, way, store)), way
    except (Exception, asyncio.CancelledError) as error:  # whatever it is, the next run is to mend it
        return error, way


POLICY: Final = SyncPolicy(limits=NO_LIMITS)


def _run(world: World, way: Way, store: MemoryStore) -> Any:
    with httpx.Client(transport=way, trust_env=False) as client:
        transport, clock = HttpxTransport(client), world.clock
        shop = BigCommerce(SHOP, transport, clock=clock, parallel=1)
        with Acumatica(WITH_FIELDS, PASSWORD, transport, clock=clock, parallel=1) as erp:
            sync = ContactSync(erp=erp, storefront=shop, store=store, policy=POLICY, clock=clock, workers=1)
            return sync.sync_all()


async def _arun(world: World, way: Way, store: MemoryStore) -> Any:
    async with httpx.AsyncClient(transport=way, trust_env=False) as client:
        transport, clock = AsyncHttpxTransport(client), AsyncTime(world.clock)
        shop = AsyncBigCommerce(SHOP, transport, clock=clock, parallel=1)
        async with AsyncAcumatica(WITH_FIELDS, PASSWORD, transport, clock=clock, parallel=1) as erp:
            sync = AsyncContactSync(
                erp=erp, storefront=shop, store=AsyncStoreOf(store), policy=POLICY, clock=clock, workers=1
            )
            return await sync.sync_all()
