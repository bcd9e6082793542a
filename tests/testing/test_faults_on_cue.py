import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from acumatica_b2b import (
    AsyncContactSync,
    Company,
    CompanyID,
    CompanyRef,
    ConfigurationError,
    Contact,
    ContactID,
    ContactSync,
    CreateUser,
    Customer,
    CustomerID,
    DecodeError,
    DesiredUser,
    NoteID,
    NotSentError,
    OutcomeUnknownError,
    PostalAddress,
    Reason,
    RejectedError,
    Request,
    Response,
    SetRole,
    SiteAssociation,
    StorefrontID,
    SyncPolicy,
    UserID,
)
from acumatica_b2b.errors import StoreError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.protocols import ChangedSince, Commit, Cursor, Everything, LogKey, Page, Query, Unreadable
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import (
    AsyncErpOf,
    AsyncFaultyErp,
    AsyncFaultyShop,
    AsyncFaultyStore,
    AsyncFaultyTransport,
    AsyncShopOf,
    AsyncStoreOf,
    Crash,
    Cue,
    Fault,
    Faults,
    FaultyErp,
    FaultyShop,
    FaultyStore,
    FaultyTransport,
    Late,
    MemoryErp,
    MemoryShop,
    at,
    randomly,
    whenever,
)


@define(eq=False)
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


@define(eq=False)
class AsyncClock:
    """The same, awaited."""

    clock: Clock = field(factory=Clock)

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.time

    async def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.clock.sleep(seconds)


def a_customer(number: int, *names: str) -> Customer:
    """Return a customer whose first contact is primary."""
    key = CustomerID(f"C{number}")
    people = tuple(
        Contact(
            id=ContactID(f"{number}{i}"),
            note_id=NoteID(f"note-{number}{i}"),
            customer=key,
            first_name=name,
            last_name="Doe",
            email=f"{name.lower()}@c{number}.example",
            association=SiteAssociation(enabled=True),
        )
        for i, name in enumerate(names, 1)
    )
    return Customer(
        id=key,
        note_id=NoteID(f"note-{number}"),
        name=f"Company {number}",
        email=f"office@c{number}.example",
        phones=("555",),
        address=PostalAddress(line1="1 Main St", city="Springfield", state="IL", country="US"),
        primary_contact=people[0].id,
        contacts=people,
    )


def an_erp(customers: int = 1) -> MemoryErp:
    """Return an ERP with some customers of three contacts each."""
    erp = MemoryErp()
    erp.put(*(a_customer(number, "Pat", "Quinn", "Rory") for number in range(1, customers + 1)))
    return erp


@frozen
class Played:
    """A shop with one company of one user, and faults on it."""

    shop: MemoryShop
    company: CompanyID
    user: UserID
    faulty: FaultyShop

    @classmethod
    def of(cls, faults: Faults) -> "Played":
        """Return a shop that plays these faults."""
        shop = MemoryShop()
        company = shop.add_company("Acme", external_id="note-acme")
        user = shop.add_user(company, "pat@acme.example", role="Admin")
        shop.journal.clear()
        return cls(shop, company, user, FaultyShop(shop, faults))

    def hire(self, name: str = "quinn") -> Any:
        """Return what comes of the creation of one user."""
        person = DesiredUser(
            contact=ContactID(name),
            external_id=NoteID(f"note-{name}"),
            email=f"{name}@acme.example",
            first_name=name,
            last_name="Doe",
        )
        outcomes = self.faulty.perform([CreateUser(company=self.company, user=person, role="Senior Buyer")])
        return outcomes[0] if outcomes else None

    def users(self) -> int:
        """Return how many users there are now."""
        return len(self.shop.snapshot()[self.company].users)


# ------------------------------------------------------------------ what each fault does
def test_a_delayed_effect_happens_when_it_is_delivered() -> None:
    """Nobody knows of a delayed effect until the test delivers it, and then it takes effect once."""
    faults = at(1, Fault.DELAYED)
    played = Played.of(faults)
    outcome = played.hire()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert (played.users(), faults.under_way) == (1, 1)
    (unheard,) = faults.deliver()
    assert isinstance(unheard, Ok)
    assert (played.users(), faults.under_way, faults.deliver()) == (2, 0, [])


def test_a_delayed_effect_outlives_its_sender() -> None:
    """What is in the network arrives although the process that sent it has died."""
    faults = Faults([Fault.DELAYED, Fault.CRASH_BEFORE])
    played = Played.of(faults)
    played.hire()
    with pytest.raises(Crash):
        played.hire("rory")
    faults.deliver()
    assert played.users() == 2


def test_delayed_effects_come_in_their_order() -> None:
    """What was sent first arrives first."""
    faults = Faults([Fault.DELAYED, Fault.DELAYED])
    played = Played.of(faults)
    played.hire("quinn")
    played.hire("rory")
    faults.deliver()
    assert [action.user.first_name for action in played.shop.journal if isinstance(action, CreateUser)] == [
        "quinn",
        "rory",
    ]


def test_a_repeated_effect_happens_twice() -> None:
    """A repeated step reaches the shop twice, and the second answer is the one that comes."""
    played = Played.of(Faults([Fault.REPEATED, Fault.REPEATED]))
    outcome = played.hire()
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RejectedError)
    assert outcome.error.reason is Reason.EMAIL_TAKEN
    step = SetRole(company=played.company, user=played.user, contact=None, role="Junior Buyer")
    assert played.faulty.perform([step]) == [Ok(StorefrontID(played.user))]
    assert [type(action) for action in played.shop.journal] == [CreateUser, SetRole, SetRole]


def test_a_garbled_answer_hides_an_effect() -> None:
    """A garbled answer is a DecodeError, and the step took effect."""
    played = Played.of(at(1, Fault.GARBLED))
    assert isinstance(played.hire().error, DecodeError)
    assert played.users() == 2


def test_a_late_answer_comes_after_its_time() -> None:
    """A late answer is the real one; the step took effect before the time passed."""
    clock = Clock()
    played = Played.of(at(1, Late(clock, 600.0)))
    written: list[datetime] = []
    played.shop.on_write = lambda: written.append(clock.now())
    assert isinstance(played.hire(), Ok)
    assert (clock.now() - written[0]).total_seconds() == 600.0


def test_a_late_answer_does_not_hold_up_other_threads() -> None:
    """While one caller waits for a late answer, who shares its faults goes on: the clock is asked outside the lock."""
    order: list[str] = []

    @define(eq=False)
    class Meanwhile(Clock):
        def sleep(self, seconds: float, /) -> None:
            with ThreadPoolExecutor(1) as pool:
                assert isinstance(pool.submit(played.hire, "rory").result(timeout=seconds), Ok)
            order.append("other")

    played = Played.of(at(1, Late(Meanwhile(), 600.0)))
    played.hire()
    order.append("late")
    assert order == ["other", "late"]


def test_a_late_answer_needs_the_right_clock() -> None:
    """ConfigurationError: a sync wrapper can't await a clock."""
    played = Played.of(at(1, Late(AsyncClock(), 600.0)))
    with pytest.raises(ConfigurationError, match="give a sync wrapper a sync one"):
        played.hire()


def test_an_exception_in_the_script_comes_instead() -> None:
    """Any exception can be what comes of an effect, which then does not happen."""
    error = RejectedError(Reason.EMAIL_TAKEN, "taken on cue")
    played = Played.of(at(1, error))
    assert played.hire() == Failed(error)
    assert played.users() == 1


def test_a_response_is_for_transports() -> None:
    """ConfigurationError: a storefront does not answer in HTTP."""
    played = Played.of(at(1, Response(status=503)))
    with pytest.raises(ConfigurationError, match="only a FaultyTransport can give it"):
        played.hire()


def test_a_shortened_company_says_so() -> None:
    """Half of a company's users come, and the company is not complete; one that is not there stays so."""
    played = Played.of(whenever(lambda what: isinstance(what, CompanyRef), Fault.SHORTENED))
    played.hire()
    known = CompanyRef(customer=CustomerID("C1"), external_id=NoteID("note-acme"), id=None)
    unknown = evolve(known, external_id=NoteID("nobody"))
    awaited = AsyncFaultyShop(AsyncShopOf(played.shop), played.faulty.faults)
    half, nothing = played.faulty.observe([known, unknown])
    assert asyncio.run(awaited.observe([known, unknown])) == [half, nothing]
    assert isinstance(half, Ok)
    assert isinstance(half.value, Company)
    assert (len(half.value.users), half.value.complete) == (1, False)
    assert nothing == Ok(None)


def test_a_shortened_customer_says_so() -> None:
    """Half of a customer's contacts come, and the customer is not complete."""
    erp = FaultyErp(an_erp(), whenever(lambda _: True, Fault.SHORTENED))
    (outcome,) = erp.customers([CustomerID("C1")])
    assert isinstance(outcome, Ok)
    assert outcome.value is not None
    assert ([c.first_name for c in outcome.value.contacts], outcome.value.complete) == (["Pat"], False)


@pytest.mark.parametrize("query", [Everything(), "changes"], ids=["all", "changes"])
def test_shortened_pages_lead_to_all_records(query: Query | str) -> None:
    """However often pages are cut, their cursors lead to every record, once and in order, with one watermark."""
    erp = an_erp(9)
    erp.page_size = 4
    mark = erp.read(Everything(), None).watermark
    assert mark is not None
    asked = ChangedSince(watermark=mark) if isinstance(query, str) else query
    erp.put(*(evolve(customer, name="Renamed") for customer in erp.snapshot().values()))
    whole, cut = pages(erp, asked), pages(FaultyErp(erp, whenever(lambda _: True, Fault.SHORTENED)), asked)
    assert [c.id for page in cut for c in page.items] == [c.id for page in whole for c in page.items]
    assert {page.watermark for page in cut} == {page.watermark for page in whole}
    assert [len(page.items) for page in cut] == [2, 1, 1, 2, 1, 1, 1]


def pages(erp: MemoryErp | FaultyErp, query: Query) -> list[Page[Customer]]:
    """Return a whole reading."""
    found: list[Page[Customer]] = []
    after: Cursor | None = None
    while not found or after is not None:
        found.append(erp.read(query, after))
        after = found[-1].next
    return found


def test_a_cut_page_tells_of_everything_once() -> None:
    """Records that could not be read, and strays, come with one part of a page that was cut."""

    @frozen
    class Odd:
        erp: MemoryErp

        def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
            page = self.erp.read(query, after)
            bad = Unreadable(customer=CustomerID("C9"), error=DecodeError("no JSON"))
            return evolve(page, unreadable=(bad,), strays=(ContactID("77"),))

    erp: Any = Odd(an_erp(4))
    cut = pages(FaultyErp(erp, whenever(lambda _: True, Fault.SHORTENED)), Everything())
    assert [len(page.items) for page in cut] == [2, 1, 1]
    assert [bad.customer for page in cut for bad in page.unreadable] == [CustomerID("C9")]
    assert [stray for page in cut for stray in page.strays] == [ContactID("77")]


def test_questions_that_a_shop_may_answer_are_cues_where_it_does() -> None:
    """Super admins are asked for through the faults where the shop knows them, and nowhere else."""

    class Knowing(MemoryShop):
        def super_admins(self, emails: Sequence[str], /) -> Sequence[Any]:
            return [Ok(value=email.startswith("root")) for email in emails]

    class AsyncKnowing(AsyncShopOf):
        async def super_admins(self, emails: Sequence[str], /) -> Sequence[Any]:
            return Knowing().super_admins(emails)

    emails, expected = ["root@x", "pat@x"], [Ok(value=True), Failed]
    knowing, awaited = at(2, Fault.LOST), at(2, Fault.LOST)
    for told in (
        FaultyShop(Knowing(), knowing).super_admins(emails),
        asyncio.run(AsyncFaultyShop(AsyncKnowing(MemoryShop()), awaited).super_admins(emails)),
    ):
        assert [told[0], type(told[1])] == expected
    faults = at(1, Fault.LOST)
    assert FaultyShop(MemoryShop(), faults).super_admins(emails) == [Ok(value=False)] * 2
    assert (knowing.seen, awaited.seen, faults.seen) == (2, 2, 0)


# ------------------------------------------------------------------ choosing
def test_a_condition_may_hold_a_few_times_only() -> None:
    """`times` lets the first effects that meet a condition fail, and no later ones."""
    played = Played.of(whenever(lambda what: isinstance(what, CreateUser), Fault.LOST, times=2))
    outcomes = [type(played.hire(name)) for name in ("quinn", "rory", "sam")]
    assert outcomes == [Failed, Failed, Ok]


def test_the_same_seed_gives_the_same_faults() -> None:
    """Chances are met by a die: the same seed throws the same, another one something else."""
    chances: dict[Cue, float] = {Fault.LOST: 0.3, Fault.REFUSED: 0.2}
    thrown = [[randomly(seed, chances).script(None) for _ in range(1)] for seed in range(40)]
    assert thrown == [[randomly(seed, chances).script(None) for _ in range(1)] for seed in range(40)]
    faults = randomly(7, chances)
    many = [faults.script(None) for _ in range(2000)]
    assert set(many) == {Fault.NONE, Fault.LOST, Fault.REFUSED}
    assert 500 < many.count(Fault.LOST) < 700
    assert many[:50] != [randomly(8, chances).script(None) for _ in range(50)]


@pytest.mark.parametrize("chances", [{Fault.LOST: 0.7, Fault.REFUSED: 0.4}, {Fault.LOST: -0.1}])
def test_chances_that_can_not_be(chances: dict[Cue, float]) -> None:
    """ValueError: chances are not negative, and together at most 1."""
    with pytest.raises(ValueError, match="together at most 1"):
        randomly(1, chances)


# ------------------------------------------------------------------ a whole run
def run(erp: Any, shop: Any, store: Any, clock: Clock) -> Any:
    """Return the report of a run over everything."""
    return ContactSync(erp=erp, storefront=shop, store=store, clock=clock, workers=1).sync_all()


def people(shop: MemoryShop) -> list[tuple[str, str]]:
    """Return who is there, and as what."""
    return sorted((user.email, user.role) for company in shop.snapshot().values() for user in company.users)


def test_shortened_readings_lose_nobody() -> None:
    """A run whose every page is cut syncs every customer; cut looks at companies remove nobody."""
    erp, shop, store, clock = an_erp(5), MemoryShop(), MemoryStore(), Clock()
    reading = whenever(lambda what: isinstance(what, Everything), Fault.SHORTENED)
    assert run(FaultyErp(erp, reading), shop, store, clock).ok
    whole = people(shop)
    assert len(whole) == 15
    looking = whenever(lambda what: isinstance(what, CompanyRef), Fault.SHORTENED)
    run(erp, FaultyShop(shop, looking), store, clock)
    assert people(shop) == whole


def test_a_late_answer_outlives_its_lease() -> None:
    """A run whose answer comes after its lease ended sends none of its later steps; the next run makes them."""
    erp, shop, store, clock = an_erp(), MemoryShop(), MemoryStore(), Clock()
    late = Late(clock, SyncPolicy().lease + 1)
    first = whenever(lambda what: isinstance(what, CreateUser), late, times=1)
    run(erp, FaultyShop(shop, first), store, clock)
    run(erp, shop, store, clock)
    assert [user for user, _ in people(shop)] == ["pat@c1.example", "quinn@c1.example", "rory@c1.example"]
    assert run(erp, shop, store, clock).steps == ()


@pytest.mark.parametrize("number", range(1, 25))
def test_an_effect_that_comes_late_changes_nothing_in_the_end(number: int) -> None:
    """Whichever effect arrives only after the next run has gone by, one more run finds all right."""
    erp, shop, store, clock = an_erp(), MemoryShop(), MemoryStore(), Clock()
    faults = at(number, Fault.DELAYED)
    with suppress(StoreError):
        run(FaultyErp(erp, faults), FaultyShop(shop, faults), FaultyStore(store, faults), clock)
    for _ in range(2):
        clock.sleep(SyncPolicy().lease + 1)
        run(erp, shop, store, clock)
        faults.deliver()
    run(erp, shop, store, clock)
    assert [user for user, _ in people(shop)] == ["pat@c1.example", "quinn@c1.example", "rory@c1.example"]
    assert run(erp, shop, store, clock).steps == ()


# ------------------------------------------------------------------ awaited
SCRIPTS: dict[str, Callable[[Clock], Faults]] = {
    "lost": lambda _: whenever(lambda what: isinstance(what, CreateUser), Fault.ANSWER_LOST, times=1),
    "refused": lambda _: whenever(lambda what: isinstance(what, CreateUser), Fault.REFUSED, times=2),
    "repeated": lambda _: whenever(lambda what: isinstance(what, CreateUser), Fault.REPEATED, times=1),
    "shortened": lambda _: whenever(lambda what: isinstance(what, Everything | CompanyRef), Fault.SHORTENED),
    "late": lambda clock: whenever(lambda what: isinstance(what, CreateUser), Late(clock, 200.0), times=1),
    "random": lambda _: randomly(5, {Fault.ANSWER_LOST: 0.05, Fault.LOST: 0.05, Fault.REPEATED: 0.05}),
    "crash": lambda _: at(20, Fault.CRASH_AFTER),
    "none": lambda _: Faults(()),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_async_wrappers_play_the_same(name: str) -> None:
    """The same script over async clients ends in the same shop, after the same number of effects."""
    synced, awaited = in_threads(SCRIPTS[name]), asyncio.run(in_tasks(SCRIPTS[name]))
    assert synced == awaited


def in_threads(script: Callable[[Clock], Faults]) -> tuple[object, ...]:
    """Return how a sync run with faults ends."""
    erp, shop, store, clock = an_erp(3), MemoryShop(), MemoryStore(), Clock()
    faults = script(clock)
    try:
        report = run(FaultyErp(erp, faults), FaultyShop(shop, faults), FaultyStore(store, faults), clock)
    except (Crash, StoreError) as error:
        return type(error), faults.seen, people(shop), shop.journal, clock.time
    return report.ok, faults.seen, people(shop), shop.journal, clock.time


async def in_tasks(script: Callable[[Clock], Faults]) -> tuple[object, ...]:
    """Return how an async run with the same faults ends."""
    erp, shop, store, clock = an_erp(3), MemoryShop(), MemoryStore(), Clock()
    faults = script(clock)
    sync = AsyncContactSync(
        erp=AsyncFaultyErp(AsyncErpOf(erp), faults),
        storefront=AsyncFaultyShop(AsyncShopOf(shop), faults),
        store=AsyncFaultyStore(AsyncStoreOf(store), faults),
        clock=AsyncClock(clock),
        workers=1,
    )
    try:
        report = await sync.sync_all()
    except (Crash, StoreError) as error:
        return type(error), faults.seen, people(shop), shop.journal, clock.time
    return report.ok, faults.seen, people(shop), shop.journal, clock.time


def test_delayed_effects_of_async_clients_are_awaited() -> None:
    """`adeliver` lets the delayed effects of async wrappers happen; a late answer awaits its clock."""

    async def scene() -> tuple[list[Any], int, datetime]:
        store, clock = MemoryStore(), AsyncClock()
        faults = Faults([Fault.DELAYED, Late(clock, 5.0)])
        faulty = AsyncFaultyStore(AsyncStoreOf(store), faults)
        with pytest.raises(StoreError, match="delayed on cue"):
            await faulty.append([Commit(key=KEY, version=1, body="{}")])
        await faulty.append([Commit(key=KEY, version=2, body="{}")])
        return await faults.adeliver(), len(store.load([KEY])[0]), clock.now()

    assert asyncio.run(scene()) == ([Ok(value=True)], 2, datetime(2026, 11, 22, 0, 0, 5, tzinfo=UTC))


KEY = LogKey("shop/run")


def test_a_crash_stops_tasks_that_wait_for_an_answer() -> None:
    """A task whose answer is on its way when another one crashes gets none: its process is dead."""

    @frozen
    class Slow:
        inner: AsyncShopOf

        async def find_users(self, emails: Sequence[str], /) -> Any:
            await asyncio.sleep(0)
            return await self.inner.find_users(emails)

    async def scene() -> Sequence[Any]:
        shop: Any = Slow(AsyncShopOf(MemoryShop()))
        faulty = AsyncFaultyShop(shop, at(2, Fault.CRASH_BEFORE))
        return await asyncio.gather(faulty.find_users(["a@x"]), faulty.find_users(["b@x"]), return_exceptions=True)

    assert [type(result) for result in asyncio.run(scene())] == [Crash, Crash]


# ------------------------------------------------------------------ HTTP
@define(eq=False)
class Echo:
    """A server that tells what it was sent."""

    heard: list[Request] = field(factory=list[Request])

    def send(self, request: Request, /) -> Response:
        """Return JSON."""
        self.heard.append(request)
        return Response(status=201, headers=(("Content-Type", "application/json"),), body=b'{"number": 12345}')


@define(eq=False)
class AsyncEcho:
    """The same, awaited."""

    echo: Echo

    async def send(self, request: Request, /) -> Response:
        """Return JSON."""
        return self.echo.send(request)


def asked(cue: Cue, *, awaited: bool) -> tuple[Response | Exception, int, Faults]:
    """Return what comes of one POST that meets the cue, and how many requests reached the server."""
    echo, faults, request = Echo(), at(1, cue), Request(method="POST", url="https://shop.example/users")
    try:
        if awaited:
            told: Any = asyncio.run(AsyncFaultyTransport(AsyncEcho(echo), faults).send(request))
        else:
            told = FaultyTransport(echo, faults).send(request)
    except (NotSentError, OutcomeUnknownError, RuntimeError) as error:
        told = error
    return told, len(echo.heard), faults


ANSWERS: list[tuple[Cue, int, int, bytes]] = [
    (Fault.NONE, 1, 201, b'{"number": 12345}'),
    (Fault.REFUSED, 0, 400, b'{"title":"refused on cue"}'),
    (Fault.RATE_LIMITED, 0, 429, b"{}"),
    (Fault.SHORTENED, 1, 201, b'{"number'),
    (Fault.LEFT_OUT, 1, 200, b""),
    (Fault.REPEATED, 2, 201, b'{"number": 12345}'),
    (Response(status=503, body=b"busy"), 0, 503, b"busy"),
]


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("cue", "reached", "status", "body"), ANSWERS)
def test_faults_that_are_answers(*, cue: Cue, reached: int, status: int, body: bytes, awaited: bool) -> None:
    """A transport on cue answers with other statuses, half a body or none; what goes nowhere is not sent."""
    told, heard, _ = asked(cue, awaited=awaited)
    assert isinstance(told, Response)
    assert (heard, told.status, told.body) == (reached, status, body)


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
def test_a_garbled_answer_is_a_page_of_html(*, awaited: bool) -> None:
    """A page of HTML with status 200 comes for a request that took effect; it is no JSON."""
    told, heard, _ = asked(Fault.GARBLED, awaited=awaited)
    assert isinstance(told, Response)
    assert (heard, told.status, told.header("content-type")) == (1, 200, "text/html")
    with pytest.raises(DecodeError, match="is no JSON"):
        told.json()


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("cue", "reached", "error"),
    [
        (Fault.NOT_SENT, 0, NotSentError),
        (Fault.LOST, 0, OutcomeUnknownError),
        (Fault.ANSWER_LOST, 1, OutcomeUnknownError),
        (Fault.DELAYED, 0, OutcomeUnknownError),
        (RuntimeError("a bug"), 0, RuntimeError),
    ],
)
def test_faults_that_are_errors(*, cue: Cue, reached: int, error: type[Exception], awaited: bool) -> None:
    """A transport on cue raises what a network makes of a request: not sent, or unknown whether it was."""
    told, heard, _ = asked(cue, awaited=awaited)
    assert (type(told), heard) == (error, reached)


def test_a_delayed_request_arrives() -> None:
    """A delayed request reaches the server when it is delivered."""
    _, heard, faults = asked(Fault.DELAYED, awaited=False)
    (answer,) = faults.deliver()
    assert (heard, answer.status) == (0, 201)


def test_a_rate_limit_says_for_how_long() -> None:
    """A rate limit on cue asks for one second of patience."""
    told, _, _ = asked(Fault.RATE_LIMITED, awaited=False)
    assert isinstance(told, Response)
    assert told.header("retry-after") == "1"
