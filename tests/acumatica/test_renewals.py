import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Password
from acumatica_b2b.errors import AuthenticationError
from acumatica_b2b.http import Request, Response
from acumatica_b2b.protocols import PrimaryMarks
from acumatica_b2b.simulators.acumatica import AcumaticaSimulator
from tests.acumatica.test_seats import WAYS, AsyncTime, Time, config, instance


@define
class Crowd:
    """A line that, once `meeting`, answers no request for data before twenty of them are under way."""

    simulator: AcumaticaSimulator
    meeting: bool = False
    gate: threading.Barrier = field(factory=lambda: threading.Barrier(20, timeout=10))
    all_there: asyncio.Event = field(factory=asyncio.Event)
    under_way: int = 0
    bearer: str = ""

    def send(self, request: Request, /) -> Response:
        """Answer a request."""
        data = "/Default/" in request.url
        if data and self.meeting:
            self.gate.wait()
        response = self.handle(request)
        if data and self.meeting:
            self.gate.wait()
            self.meeting = False
        return response

    def handle(self, request: Request) -> Response:
        """Answer a request, and remember its token."""
        found = dict(request.headers).get("Authorization", "")
        self.bearer = found.removeprefix("Bearer ") or self.bearer
        return self.simulator.handle(request)

    def end_session(self) -> None:
        """End the session, and its token if it has one, without a word to the client."""
        self.meeting = True
        self.simulator.end_sessions()
        url = "http://erp/identity/connect/revocation"
        self.simulator.handle(Request(method="POST", url=url, body=f"token={self.bearer}".encode()))


@define
class AsyncCrowd:
    """The same, awaited."""

    crowd: Crowd

    async def send(self, request: Request, /) -> Response:
        """Answer a request."""
        if "/Default/" in request.url and self.crowd.meeting:
            self.crowd.under_way += 1
            if self.crowd.under_way == 20:
                self.crowd.all_there.set()
            await self.crowd.all_there.wait()
        response = self.crowd.handle(request)
        await asyncio.sleep(0)
        return response


def sign_ins(simulator: AcumaticaSimulator) -> int:
    """Return how often somebody signed in or had a token renewed."""
    return sum(path.endswith(("/auth/login", "/connect/token")) for _, path in simulator.log)


@pytest.mark.parametrize("way", WAYS)
def test_twenty_threads_renew_once(way: str) -> None:
    """Twenty threads whose requests meet an expired session or token renew it once, and all succeed."""
    time = Time()
    crowd = Crowd(instance(time))
    with Acumatica(config(), WAYS[way], crowd, clock=time) as erp, ThreadPoolExecutor(20) as pool:
        erp.read(PrimaryMarks(), None)
        crowd.end_session()
        pages = list(pool.map(lambda _: erp.read(PrimaryMarks(), None), range(20)))
    assert [len(page.items) for page in pages] == [6] * 20
    assert sign_ins(crowd.simulator) == 2
    assert crowd.simulator.open_sessions == 0


@pytest.mark.parametrize("way", WAYS)
def test_twenty_tasks_renew_once(way: str) -> None:
    """Twenty tasks whose requests meet an expired session or token renew it once, and all succeed."""
    time = Time()
    crowd = Crowd(instance(time))

    async def twenty() -> list[int]:
        async with AsyncAcumatica(config(), WAYS[way], AsyncCrowd(crowd), clock=AsyncTime(time)) as erp:
            await erp.read(PrimaryMarks(), None)
            crowd.end_session()
            pages = await asyncio.gather(*(erp.read(PrimaryMarks(), None) for _ in range(20)))
            return [len(page.items) for page in pages]

    assert asyncio.run(twenty()) == [6] * 20
    assert sign_ins(crowd.simulator) == 2
    assert crowd.simulator.open_sessions == 0


@pytest.mark.parametrize("way", ["api", "api offline_access"])
def test_twenty_threads_renew_an_old_token_once(way: str) -> None:
    """Twenty threads that find the token about to expire renew it once, before any request is refused."""
    time = Time()
    simulator = instance(time)
    with Acumatica(config(), WAYS[way], simulator, clock=time) as erp, ThreadPoolExecutor(20) as pool:
        erp.read(PrimaryMarks(), None)
        time.sleep(3599)
        list(pool.map(lambda _: erp.read(PrimaryMarks(), None), range(20)))
        assert sign_ins(simulator) == 2
    assert simulator.open_sessions == 0


def test_a_wrong_password_is_sent_once_by_twenty_threads() -> None:
    """A wrong password is sent once, whichever of twenty threads ask at once, and later."""
    time = Time()
    simulator = instance(time)
    erp = Acumatica(config(), Password("sync", "wrong"), simulator, clock=time)

    def refused(_: int) -> bool:
        with pytest.raises(AuthenticationError):
            erp.read(PrimaryMarks(), None)
        return True

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(refused, range(40)))
    assert sign_ins(simulator) == 1
