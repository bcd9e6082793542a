from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.acumatica.changes import since
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, at, json_body
from acumatica_b2b.model import ContactID, Customer, CustomerID
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, PrimaryMarks, Query, Watermark
from acumatica_b2b.simulators.acumatica import (
    AcumaticaSettings,
    AcumaticaSimulator,
    ContactRow,
    CustomerRow,
    Dataset,
    LocationRow,
)
from tests.acumatica.conftest import URL, configured

MORNING = datetime(2026, 5, 1, 8, tzinfo=UTC)


@define
class Time:
    """Our clock, and how far the server's is ahead of it."""

    ours: datetime = MORNING
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return our time."""
        return self.ours

    def server(self) -> datetime:
        """Return the server's time."""
        return self.ours + self.ahead

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        self.ours += timedelta(seconds=seconds)


def tenant(time: Time, customers: int, contacts: int, **settings: Any) -> AcumaticaSimulator:
    """Return a tenant whose records were all made the year before."""
    made = MORNING - timedelta(days=365)
    names = [f"C{i:05}" for i in range(customers)]
    each = contacts // customers
    data = Dataset(
        customers=tuple(
            CustomerRow(id=name, name=name, primary_contact=100 + each * i, modified=made)
            for i, name in enumerate(names)
        ),
        contacts=tuple(
            ContactRow(id=100 + i, customer=names[i // each], first_name="Ann", last_name="Ames", modified=made)
            for i in range(contacts)
        ),
        locations=tuple(LocationRow(id="MAIN", customer=name, name="Main", modified=made) for name in names),
    )
    return AcumaticaSimulator(settings=AcumaticaSettings(**settings), now=time.server).load(data)


@define
class Watcher:
    """Reads a tenant again and again, each time what changed since the last."""

    simulator: AcumaticaSimulator
    time: Time
    erp: Acumatica
    watermark: Watermark

    def read(self, query: Query) -> dict[str, Customer]:
        """Return all customers of a reading, and keep its watermark."""
        found: dict[str, Customer] = {}
        after: Cursor | None = None
        while True:
            page = self.erp.read(query, after)
            assert page.unreadable == ()
            found |= {customer.id: customer for customer in page.items}
            self.watermark, after = page.watermark or self.watermark, page.next
            if after is None:
                return found

    def changed(self) -> set[str]:
        """Return the customers that changed since the last reading."""
        return set(self.read(ChangedSince(watermark=self.watermark)))

    def requests(self) -> list[str]:
        """Return the entities that were asked for since the last call."""
        asked = [path.rpartition("/")[2] for _, path in self.simulator.log if "/Default/" in path]
        self.simulator.log.clear()
        return asked

    def rename(self, contact: int, name: str) -> None:
        """Give a contact another name."""
        self.simulator.put_contact(evolve(self.simulator.contact(contact), first_name=name, modified=None))

    def close(self, customer: str) -> None:
        """Delete a customer, as a person does who is signed in."""
        login = {"name": "sync", "password": "secret", "tenant": "Company"}
        kind = (("Content-Type", "application/json"),)
        request = Request(method="POST", url=at(URL, "entity", "auth", "login"), headers=kind, body=json_body(login))
        cookies = [line.partition(";")[0] for line in self.simulator.send(request).header_values("set-cookie")]
        headers = (("Cookie", "; ".join(cookies)),)
        url = at(URL, "entity", "Default", "24.200.001", "Customer", customer)
        assert self.simulator.send(Request(method="DELETE", url=url, headers=headers)).status == 204


def watching(time: Time, customers: int = 20, contacts: int = 60, **settings: Any) -> Iterator[Watcher]:
    """Yield a watcher that has read everything once."""
    simulator = tenant(time, customers, contacts, **settings)
    config = configured(tenant="Company")
    with Acumatica(config, Password("sync", "secret"), simulator, clock=time, parallel=1) as erp:
        watcher = Watcher(simulator, time, erp, since(MORNING))
        yield watcher


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """Return who watches a small tenant."""
    for watcher in watching(Time()):
        watcher.read(Everything())
        watcher.requests()
        yield watcher


# ------------------------------------------------------------------ what it costs
def test_one_of_a_hundred_thousand() -> None:
    """Of 100,000 contacts the one that changed is found in four reads; three more bring its customer whole."""
    for watcher in watching(Time(), customers=1_000, contacts=100_000):
        assert len(watcher.read(PrimaryMarks())) == 1_000
        assert watcher.changed() == set()
        watcher.requests()
        watcher.time.sleep(500)
        watcher.rename(70_000, "Bea")
        watcher.read(PrimaryMarks())
        found = watcher.read(ChangedSince(watermark=watcher.watermark))
        (customer,) = found.values()
        assert customer.id == "C00699"
        assert customer.complete
        assert len(customer.contacts) == 100
        sweep, delta, whole = ["Customer"], ["Customer", "Contact", "CustomerLocation"], 3
        asked = watcher.requests()
        assert asked[:4] == [*sweep, *delta]
        assert len(asked) == 4 + whole


# ------------------------------------------------------------------ what no stamp tells
@pytest.mark.parametrize("moves", [True, False])
def test_a_primary_that_moves(*, moves: bool) -> None:
    """A primary contact that moves is noticed by the sweep of the marks, whether or not a stamp moves."""
    for watcher in watching(Time(), primary_moves_stamp=moves):
        before = watcher.read(PrimaryMarks())
        assert watcher.changed() == set()
        watcher.time.sleep(3600)
        watcher.simulator.set_primary("C00004", 113)
        after = watcher.read(PrimaryMarks())
        moved = {name for name in after if after[name].primary_contact != before[name].primary_contact}
        assert moved == {"C00004"}
        assert after[CustomerID("C00004")].primary_contact == "113"
        assert watcher.changed() == (moved if moves else set())


def test_a_contact_that_is_deleted(watcher: Watcher) -> None:
    """A deleted contact moves no stamp; the run over everything lacks it, and the ERP says that it is gone."""
    watcher.time.sleep(3600)
    watcher.simulator.delete_contact(113)
    assert watcher.changed() == set()
    customer = watcher.read(Everything())["C00004"]
    assert customer.complete
    assert [contact.id for contact in customer.contacts] == ["112", "114"]
    assert watcher.erp.contacts([ContactID("113")]) == [Ok(None)]


def test_a_customer_that_is_deleted(watcher: Watcher) -> None:
    """A deleted customer is missing among the marks, and the ERP says that it is gone."""
    known = set(watcher.read(PrimaryMarks()))
    watcher.close("C00004")
    missing = known - set(watcher.read(PrimaryMarks()))
    assert missing == {"C00004"}
    assert watcher.erp.customers([CustomerID("C00004")]) == [Ok(None)]


# ------------------------------------------------------------------ clocks and stamps
@pytest.mark.parametrize("digits", range(8))
def test_fractions_of_stamps(digits: int) -> None:
    """Stamps of no to seven fraction digits are read, and a change at the very moment of a reading is not missed."""
    for watcher in watching(Time(MORNING + timedelta(microseconds=987_654)), fraction_digits=digits):
        watcher.read(Everything())
        watcher.rename(113, "Bea")
        assert watcher.changed() == {"C00004"}


def test_a_late_transaction(watcher: Watcher) -> None:
    """A change that becomes visible 300 seconds after its stamp is not missed by the readings in between."""
    watcher.time.sleep(3600)
    late = watcher.simulator.begin()
    late.put(evolve(watcher.simulator.contact(113), first_name="Bea", modified=None))
    for _ in range(3):
        watcher.time.sleep(100)
        assert watcher.changed() == set()
    late.commit()
    assert watcher.changed() == {"C00004"}


@pytest.mark.parametrize("hours", [-2, -1, 1, 2])
def test_a_clock_that_jumps(watcher: Watcher, hours: int) -> None:
    """Where the server's clock jumps and is set right again, no change is missed in between."""
    time = watcher.time
    time.sleep(3600)
    for ahead in (timedelta(hours=hours), timedelta()):
        watcher.changed()
        time.sleep(60)
        time.ahead = ahead
        watcher.rename(113, f"Bea {ahead}")
        assert "C00004" in watcher.changed()
        for minutes in (1, 10, 200):
            time.sleep(60 * minutes)
            watcher.rename(101, f"Ann {ahead} {minutes}")
            assert "C00000" in watcher.changed()
    time.sleep(24 * 3600)
    watcher.changed()
    time.sleep(24 * 3600)
    assert watcher.changed() == set()


def test_a_clock_set_right_long_before(watcher: Watcher) -> None:
    """A clock that was ahead at one reading and is right at the next, much later: what came between is found."""
    time = watcher.time
    time.ahead = timedelta(hours=1)
    watcher.changed()
    time.ahead = timedelta()
    time.sleep(300)
    watcher.rename(113, "Bea")
    time.sleep(2 * 3600)
    assert watcher.changed() == {"C00004"}


# ------------------------------------------------------------------ by date
def test_by_date(watcher: Watcher) -> None:
    """Changes are read from any moment on, which has to have its zone."""
    watcher.time.sleep(3600)
    watcher.rename(113, "Bea")
    watcher.time.sleep(24 * 3600)
    assert set(watcher.read(ChangedSince(watermark=since(MORNING)))) == {"C00004"}
    assert watcher.read(ChangedSince(watermark=since(MORNING + timedelta(hours=12)))) == {}
    with pytest.raises(ConfigurationError, match="zone"):
        since(datetime(2026, 5, 1))  # noqa: DTZ001 -- the point of the test
