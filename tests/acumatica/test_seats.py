import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from acumatica_b2b import AsyncContactSync, ContactSync, SyncPolicy
from acumatica_b2b.acumatica import (
    Acumatica,
    AcumaticaConfig,
    AsyncAcumatica,
    Credentials,
    OAuthPassword,
    Password,
)
from acumatica_b2b.errors import NotSentError, OutcomeUnknownError, RateLimitedError
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import CustomerID
from acumatica_b2b.protocols import Everything, PrimaryMarks
from acumatica_b2b.runtime import in_threads
from acumatica_b2b.simulators.acumatica import AcumaticaSettings, AcumaticaSimulator
from acumatica_b2b.simulators.datasets import dataset
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryShop
from tests.acumatica.conftest import configured

SETTINGS = AcumaticaSettings(seats=2)
PASSWORD = Password("sync", "secret")
APPLICATION = OAuthPassword(
    client_id=SETTINGS.client_id, client_secret=SETTINGS.client_secret, name="sync", password="secret"
)
WAYS: dict[str, Credentials] = {
    "password": PASSWORD,
    "api": evolve(APPLICATION, scope="api"),
    "api offline_access": APPLICATION,
}
IDLE = timedelta(minutes=10)


class Broken(BaseException):
    """What no handler of exceptions catches, like a KeyboardInterrupt."""


@define
class Line:
    """The way to an instance, of both kinds, with a clock: it breaks at one request, before or behind it."""

    simulator: AcumaticaSimulator
    breaks: Callable[[], object] = lambda: None
    at: int = -1
    behind: bool = False
    count: int = 0
    lock: threading.Lock = field(factory=threading.Lock)

    def send(self, request: Request, /) -> Response:
        """Answer a request, unless it is the one at which the line breaks."""
        with self.lock:
            number, self.count = self.count, self.count + 1
        if number == self.at and not self.behind:
            self.breaks()
        response = self.simulator.handle(request)
        if number == self.at:
            self.breaks()
        return response


@define
class AsyncLine:
    """The same, awaited: what is cancelled at a request hears of it there."""

    line: Line

    async def send(self, request: Request, /) -> Response:
        """Answer a request."""
        line = self.line
        number, line.count = line.count, line.count + 1
        if number == line.at and not line.behind:
            line.breaks()
            await asyncio.sleep(0)
        response = line.simulator.handle(request)
        if number == line.at and line.behind:
            line.breaks()
        await asyncio.sleep(0)
        return response


@define
class Time:
    """A clock of both kinds, which waiting moves."""

    moment: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        self.moment += timedelta(seconds=seconds)


@define
class AsyncTime:
    """The same, awaited."""

    time: Time

    def now(self) -> datetime:
        """Return the time."""
        return self.time.now()

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        self.time.sleep(seconds)


TENANT = dataset(6, seed=3)


def instance(time: Time, **settings: Any) -> AcumaticaSimulator:
    """Return an instance with two seats."""
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(**({"seats": 2} | settings)), now=time.now)
    return simulator.load(TENANT)


def config(**settings: Any) -> AcumaticaConfig:
    """Return a configuration that asks for the version and reads in many requests."""
    told = {"tenant": "Company", "version": "", "wave": 4, "retries": Retries(first_pause=0.1)}
    return configured(**(told | settings))


def read(erp: Acumatica) -> None:
    """Read this and that."""
    page = erp.read(Everything(), None)
    erp.read(Everything(), page.next)
    erp.customers([CustomerID("C000000001"), CustomerID("NONE")])


async def aread(erp: AsyncAcumatica) -> None:
    """Read the same."""
    page = await erp.read(Everything(), None)
    await erp.read(Everything(), page.next)
    await erp.customers([CustomerID("C000000001"), CustomerID("NONE")])


def synchronously(line: Line, time: Time, credentials: Credentials, **settings: Any) -> None:
    """Read, and close whatever happens."""
    with Acumatica(config(**settings), credentials, line, clock=time, parallel=2) as erp:
        read(erp)


async def awaited(line: Line, time: Time, credentials: Credentials, **settings: Any) -> None:
    """Read, and close whatever happens."""
    both = AsyncLine(line)
    async with AsyncAcumatica(config(**settings), credentials, both, clock=AsyncTime(time), parallel=2) as erp:
        await aread(erp)


def raising(error: BaseException) -> Callable[[], None]:
    """Return what raises an error."""

    def breaks() -> None:
        raise error

    return breaks


def requests(credentials: Credentials) -> int:
    """Return how many requests the reading takes when nothing breaks."""
    time = Time()
    line = Line(instance(time))
    synchronously(line, time, credentials)
    assert line.simulator.open_sessions == 0
    assert line.count > 8
    return line.count


def lost(line: Line, credentials: Credentials) -> bool:
    """Return whether what broke was the answer to a sign-in by cookie: its session is known to nobody."""
    return line.behind and line.at == 0 and isinstance(credentials, Password)


ERRORS: dict[str, Callable[[], Exception]] = {
    "not sent": lambda: NotSentError("no way"),
    "lost": lambda: OutcomeUnknownError("no answer"),
    "a bug": lambda: ValueError("a bug"),
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "tasks"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ERRORS)
def test_no_seat_after_an_error(way: str, kind: str, *, asynchronous: bool) -> None:
    """Whatever request fails, in whatever way, before or behind the server, no session stays open.

    But one: a sign-in whose answer was lost leaves a session that nobody can sign out, and that ends by itself.
    """
    credentials = WAYS[way]
    for behind in (False, True):
        for at in range(requests(credentials)):
            time = Time()
            line = Line(instance(time), raising(ERRORS[kind]()), at, behind)
            try:
                if asynchronous:
                    asyncio.run(awaited(line, time, credentials))
                else:
                    synchronously(line, time, credentials)
            except (NotSentError, OutcomeUnknownError):
                pass
            assert line.simulator.open_sessions == int(lost(line, credentials))
            time.sleep(IDLE.total_seconds())
            assert line.simulator.open_sessions == 0


@pytest.mark.parametrize("way", WAYS)
def test_no_seat_after_an_interrupt(way: str) -> None:
    """Whatever request is interrupted in a thread, also the sign-out, no session stays open that is known."""
    credentials = WAYS[way]
    for behind in (False, True):
        for at in range(requests(credentials)):
            time = Time()
            line = Line(instance(time), raising(Broken()), at, behind)
            with pytest.raises(Broken):
                synchronously(line, time, credentials)
            assert line.simulator.open_sessions == int(lost(line, credentials))


@pytest.mark.parametrize("way", WAYS)
def test_no_seat_after_a_cancellation(way: str) -> None:
    """Whatever request a task is cancelled at, also the sign-in and the sign-out, no session stays open."""
    credentials = WAYS[way]

    async def cancelled(line: Line, time: Time) -> None:
        task = asyncio.ensure_future(awaited(line, time, credentials))
        line.breaks = task.cancel
        with pytest.raises(asyncio.CancelledError):
            await task
        assert line.simulator.open_sessions == 0

    for behind in (False, True):
        for at in range(requests(credentials)):
            time = Time()
            asyncio.run(cancelled(Line(instance(time), at=at, behind=behind), time))


def test_cancelled_while_waiting_for_a_seat() -> None:
    """A task that is cancelled while it waits for a seat ends at once, and signs in no more."""
    time = Time()
    line = Line(instance(time, seats=0))

    async def endless() -> None:
        class Still(AsyncTime):
            async def sleep(self, seconds: float, /) -> None:
                await asyncio.sleep(3600 + seconds)

        erp = AsyncAcumatica(config(), PASSWORD, AsyncLine(line), clock=Still(time))
        async with asyncio.timeout(0.05), erp:
            await erp.read(PrimaryMarks(), None)

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(endless(), 2))
    assert line.count == 1


def test_a_cancelled_sign_out_is_sent_again() -> None:
    """A sign-out at which a task is cancelled is sent once more."""
    time = Time()
    line = Line(instance(time))

    async def cancelled() -> None:
        erp = AsyncAcumatica(config(), PASSWORD, AsyncLine(line), clock=AsyncTime(time))
        await erp.read(PrimaryMarks(), None)
        task = asyncio.ensure_future(erp.close())
        line.at, line.breaks = line.count, task.cancel
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert line.simulator.open_sessions == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_full_house(way: str) -> None:
    """A full licence is waited for as long as the retries' patience allows; then the error says what to do."""
    time = Time()
    simulator = instance(time)
    for _ in range(2):
        Acumatica(config(), PASSWORD, simulator, clock=time).read(PrimaryMarks(), None)
    erp = Acumatica(config(), WAYS[way], simulator, clock=time)
    with pytest.raises(RateLimitedError, match="SM604000"):
        erp.read(PrimaryMarks(), None)
    assert simulator.requests < 30
    patient = Acumatica(config(retries=Retries(patience=IDLE.total_seconds())), WAYS[way], simulator, clock=time)
    assert len(patient.read(PrimaryMarks(), None).items) == 6


# ------------------------------------------------------------------ many runs
@pytest.mark.parametrize(
    ("way", "asynchronous"), [("password", False), ("api offline_access", True)], ids=["cookie-threads", "token-tasks"]
)
def test_two_hundred_runs(way: str, *, asynchronous: bool) -> None:
    """Two hundred runs in a row, some of which fail, succeed on a licence of two seats, the other being taken."""
    time = Time()
    simulator = AcumaticaSimulator(settings=SETTINGS, now=time.now).load(dataset(1, seed=3))
    other = Acumatica(config(), PASSWORD, simulator, clock=time)
    shop, store = MemoryShop(), MemoryStore()
    for number in range(200):
        other.read(PrimaryMarks(), None)
        line = Line(simulator, raising(NotSentError("no way")), at=number % 20 // 10 if number % 10 == 9 else -1)
        run = _arun if asynchronous else _run
        try:
            succeeded = not run(line, time, shop, store, way).stopped
        except NotSentError:
            succeeded = False
        assert succeeded == (number % 10 < 9), number
        assert simulator.open_sessions == 1
    other.close()
    assert simulator.open_sessions == 0


def impatient() -> AcumaticaConfig:
    """Return a configuration that tries nothing again."""
    return config(retries=Retries(attempts=1))


def _run(line: Line, time: Time, shop: MemoryShop, store: MemoryStore, way: str) -> Any:
    with Acumatica(impatient(), WAYS[way], line, clock=time) as erp:
        return ContactSync(erp=erp, storefront=shop, store=store, policy=SyncPolicy(), clock=time).sync_all()


def _arun(line: Line, time: Time, shop: MemoryShop, store: MemoryStore, way: str) -> Any:
    async def run() -> Any:
        both, clock = AsyncLine(line), AsyncTime(time)
        async with AsyncAcumatica(impatient(), WAYS[way], both, clock=clock) as erp:
            sync = AsyncContactSync(
                erp=erp, storefront=in_threads(shop), store=in_threads(store), policy=SyncPolicy(), clock=clock
            )
            return await sync.sync_all()

    return asyncio.run(run())
