"""The licence: which requests wait, for how long, and which are declined."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest

from acumatica_b2b.simulators.acumatica import AcumaticaSettings, AcumaticaSimulator, Licence
from tests.simulators.acumatica.conftest import Clock, Erp, furnish, make


def limited(licence: Licence, nap: Callable[[float], None] | None = None) -> Erp:
    clock = Clock()
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(licence=licence), now=clock, sleep=nap)
    return furnish(Erp(simulator, clock))


def test_nothing_is_limited_unless_told() -> None:
    """An instance whose licence names no limit delays nothing."""
    erp = furnish(make())
    for _ in range(200):
        erp.get("Contact/5")
    assert erp.simulator.delays == ()


def test_delay_begins_at_half_of_the_minute() -> None:
    """From half of a minute's requests on, each is delayed by the seconds left through the requests left."""
    erp = limited(Licence(requests=50))
    erp.clock.on(seconds=40)
    for _ in range(24):
        assert erp.get("Contact/5").status == 200
    assert not erp.simulator.delays
    erp.get("Contact/5")
    erp.get("Contact/5")
    assert erp.simulator.delays == pytest.approx((20 / 25, 20 / 24))


def test_minute_begins_with_its_first_request() -> None:
    """A minute after its first request the count begins anew; beyond the limit a request waits for that."""
    erp = limited(Licence(requests=2))
    erp.get("Contact/5")
    erp.get("Contact/5")
    erp.clock.on(seconds=15)
    erp.get("Contact/5")
    assert erp.simulator.delays == (60, 60, 45)
    erp.clock.on(seconds=45)
    erp.get("Contact/5")
    assert len(erp.simulator.delays) == 3


def test_delay_is_slept_where_there_is_a_way_to() -> None:
    """With a way to sleep a delay is waited for before the answer is made: a stamp tells."""
    clock = Clock()
    simulator = AcumaticaSimulator(
        settings=AcumaticaSettings(licence=Licence(requests=2)),
        now=clock,
        sleep=lambda seconds: clock.on(seconds=seconds),
    )
    erp = furnish(Erp(simulator, clock))
    erp.put("Contact", ContactID=5, LastName="New")
    assert simulator.contact(5).modified == clock.time
    assert simulator.delays == (60,)


def test_signing_out_is_not_delayed() -> None:
    """Signing out passes the licence's limits."""
    erp = limited(Licence(requests=2))
    erp.ask("POST", "entity/auth/logout")
    assert erp.simulator.delays == ()
    assert erp.simulator.open_sessions == 0


def test_queue_that_is_full_declines() -> None:
    """Twenty requests may wait for the only place; one more is a 429, and the others get their answers."""
    begun, go_on = Event(), Event()

    def nap(_: float) -> None:
        begun.set()
        go_on.wait(5)

    erp = limited(Licence(requests=2, concurrent=1, queue=20), nap)
    with ThreadPoolExecutor(21) as pool:
        waiting = [pool.submit(erp.get, "Contact/5") for _ in range(21)]
        begun.wait(5)
        end = monotonic() + 5
        while erp.simulator.requests < 22 and monotonic() < end:
            sleep(0.001)
        refused = erp.get("Contact/5")
        go_on.set()
        statuses = [one.result().status for one in waiting]
    assert (refused.status, refused.body) == (429, b"")
    assert statuses == [200] * 21


def test_wait_that_is_too_long_declines() -> None:
    """A request that waited longer than the licence has patience is a 429."""
    begun, go_on = Event(), Event()

    def nap(_: float) -> None:
        begun.set()
        go_on.wait(5)

    erp = limited(Licence(requests=2, concurrent=1, patience=0.01), nap)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(erp.get, "Contact/5")
        begun.wait(5)
        assert erp.get("Contact/5").status == 429
        go_on.set()
        assert first.result().status == 200
