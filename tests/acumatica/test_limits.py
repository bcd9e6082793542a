"""The licence's limits, and the budget that those who share it are given."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Password
from acumatica_b2b.errors import RateLimitedError
from acumatica_b2b.flow import Failed
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import ContactID
from acumatica_b2b.protocols import Everything
from acumatica_b2b.quota import AsyncQuota, Quota
from acumatica_b2b.simulators.acumatica import AcumaticaSettings, AcumaticaSimulator, Licence
from acumatica_b2b.simulators.datasets import dataset
from tests.acumatica.conftest import Driver, Script, answer, configured, row

PASSWORD = Password("sync", "secret")


@define
class Time:
    """A clock that who waits moves."""

    moment: datetime = datetime(2026, 5, 1, tzinfo=UTC)
    lock: threading.Lock = field(factory=threading.Lock)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        with self.lock:
            self.moment += timedelta(seconds=seconds)


@define
class AsyncTime:
    time: Time

    def now(self) -> datetime:
        return self.time.now()

    async def sleep(self, seconds: float, /) -> None:
        self.time.sleep(seconds)


@define
class AsyncSimulator:
    simulator: AcumaticaSimulator

    async def send(self, request: Request, /) -> Response:
        return self.simulator.send(request)


def licensed(time: Time, **limits: Any) -> AcumaticaSimulator:
    """Return a tenant with a licence."""
    settings = AcumaticaSettings(licence=Licence(**limits))
    return AcumaticaSimulator(settings=settings, now=time.now, sleep=time.sleep).load(dataset(40, seed=7))


def read_twice(simulator: AcumaticaSimulator, time: Time, quota: Quota) -> None:
    """Read everything by a client in threads and by one in tasks, which share a quota."""
    config = configured(tenant="Company", wave=4)
    with Acumatica(config, PASSWORD, simulator, clock=time, budget=quota) as erp:
        page = erp.read(Everything(), None)
        while page.next:
            page = erp.read(Everything(), page.next)

    async def in_tasks() -> None:
        clock, budget = AsyncTime(time), AsyncQuota(quota)
        async with AsyncAcumatica(config, PASSWORD, AsyncSimulator(simulator), clock=clock, budget=budget) as erp:
            page = await erp.read(Everything(), None)
            while page.next:
                page = await erp.read(Everything(), page.next)

    asyncio.run(in_tasks())


def test_without_a_quota_the_licence_delays() -> None:
    """Who asks as fast as he can is delayed from half of the licence's requests a minute on."""
    time = Time()
    simulator = licensed(time, requests=40)
    read_twice(simulator, time, Quota())
    assert simulator.delays


@pytest.mark.parametrize("requests", [5, 20])
def test_within_half_of_the_licence_nothing_is_delayed(requests: int) -> None:
    """A quota of half of the licence's requests, shared by two clients, keeps each of them from being delayed."""
    time = Time()
    simulator = licensed(time, requests=2 * requests + 1)
    read_twice(simulator, time, Quota(requests=requests))
    assert simulator.delays == ()
    assert simulator.requests > 3 * requests
    assert simulator.open_sessions == 0


def test_no_more_at_once_than_the_licence_takes() -> None:
    """Of many reads no more go out at once than the quota says, so that none waits in the licence's queue."""
    inside, most, lock, never = [0], [0], threading.Lock(), threading.Event()

    def answers(request: Request) -> Response:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        never.wait(0.002)
        with lock:
            inside[0] -= 1
        return answer(row(ContactID=int(request.url.partition("/Contact/")[2].partition("?")[0])))

    ids = [ContactID(str(i)) for i in range(1, 30)]
    with Acumatica(configured(), PASSWORD, Script(answers), parallel=8, budget=Quota(concurrent=3)) as erp:
        erp.contacts(ids)
    assert most[0] == 3


@pytest.mark.parametrize("wait", [None, 30])
def test_a_full_queue_holds_all_back(wait: int | None) -> None:
    """After a 429 nobody who shares the budget asks before it is time, and the record is read in the end."""
    time = Time()
    refusals = [Response(status=429, headers=() if wait is None else (("Retry-After", str(wait)),))]
    sent: list[datetime] = []

    def answers(_: Request) -> Response:
        sent.append(time.now())
        return refusals.pop() if refusals else answer(row(ContactID=7))

    quota, script = Quota(), Script(answers)
    for _ in range(2):
        with Acumatica(configured(), PASSWORD, script, clock=time, budget=quota) as erp:
            assert not isinstance(erp.contacts([ContactID("7")])[0], Failed)
    first, second, _ = sent
    assert (second - first).total_seconds() >= (wait or 1)
    assert quota.take(time.now()) == 0.0


def test_signing_out_waits_for_no_budget() -> None:
    """The sign-out, which the licence lets pass, goes out although the budget has nothing left."""
    time = Time()
    script = Script(lambda _: answer(row(ContactID=7)))
    with Acumatica(configured(), PASSWORD, script, clock=time, budget=Quota(requests=2, window=3600.0)) as erp:
        erp.contacts([ContactID("7")])
    assert script.requests[-1].url.endswith("/logout")
    assert time.now() == datetime(2026, 5, 1, tzinfo=UTC)


def test_patience_ends(driver: Driver) -> None:
    """A queue that stays full is waited for as long as the settings say, then it is that record's error."""
    script = Script(lambda _: Response(status=429))
    (outcome,) = driver.call(script, "contacts", [ContactID("7")], retries=Retries(first_pause=1, patience=10))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RateLimitedError)
    assert "SM604000" in str(outcome.error)


def test_a_read_may_take_long(driver: Driver) -> None:
    """Reads wait longer than writes, since the licence lets requests wait in its queue."""
    script = Script(lambda _: answer(row(ContactID=7)))
    driver.call(script, "contacts", [ContactID("7")])
    (request,) = script.asked
    assert request.deadline == 300.0
