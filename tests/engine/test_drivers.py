"""Threads, tasks and the seeded runtime drive the same flows to the same end."""

import asyncio
import random
import threading
from collections.abc import Sequence

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import (
    Action,
    AsyncContactSync,
    AuthenticationError,
    ContactSync,
    Customer,
    CustomerID,
    CustomerSettled,
    Event,
    Everything,
    Guarded,
    LeaseEndedError,
    Outcome,
    RunReport,
    RunStarted,
    SetRole,
    StorefrontID,
    SyncPolicy,
    UnsafePlanError,
    WaveRead,
    in_threads,
)
from acumatica_b2b.drivers import SLICE, Parties, Seeded
from acumatica_b2b.flow import Failed
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.synclog import read_body
from acumatica_b2b.testing import AsyncErpOf, AsyncShopOf, MemoryErp, MemoryShop
from acumatica_b2b.testing.strategies import erps


@define
class Side:
    """One ERP, shop and log of its own."""

    erp: MemoryErp
    shop: MemoryShop
    store: MemoryStore

    @classmethod
    def of(cls, customers: Sequence[Customer]) -> "Side":
        """Return a side with these customers, nothing synced."""
        erp = MemoryErp(page_size=2)
        erp.put(*customers)
        return cls(erp, MemoryShop(), MemoryStore())

    def log(self) -> dict[str, list[str]]:
        """Return the entries of every customer's log, without times and runs."""
        keys = self.store.keys("store/customer/", None, 1000)
        return {
            key: [repr(read_body(commit.body).entries) for commit in commits]
            for key, commits in zip(keys, self.store.load(keys), strict=True)
        }


def timeless(log: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return a log without the ends of its leases."""
    return {key: [body.split("until=")[0] for body in bodies] for key, bodies in log.items()}


WORLDS = erps(ordinary=True, max_customers=4)


@settings(max_examples=25, deadline=None)
@given(WORLDS)
def test_sync_and_async_write_the_same_log(customers: tuple[Customer, ...]) -> None:
    """The same customers come to the same log and the same shop, in a thread and in a task."""
    one, two = Side.of(customers), Side.of(customers)
    ContactSync(erp=one.erp, storefront=one.shop, store=one.store, workers=1).sync_all()
    awaited = AsyncContactSync(
        erp=AsyncErpOf(two.erp), storefront=AsyncShopOf(two.shop), store=in_threads(two.store), workers=1
    )
    asyncio.run(awaited.sync_all())
    assert timeless(one.log()) == timeless(two.log())
    assert one.shop.snapshot() == two.shop.snapshot()


@settings(max_examples=25, deadline=None)
@given(WORLDS, st.integers(0, 99))
def test_the_same_seed_gives_the_same_run(customers: tuple[Customer, ...], seed: int) -> None:
    """A seed decides whose turn it is, so a run of two workers can be played again."""
    sides = [Side.of(customers), Side.of(customers)]
    for side in sides:
        sync = ContactSync(erp=side.erp, storefront=side.shop, store=side.store)
        parties = Parties(erp=side.erp, storefront=side.shop, store=side.store, clock=sync.clock)
        Seeded(parties, random.Random(seed)).run(sync._synced(Everything()))
    assert sides[0].shop.journal == sides[1].shop.journal
    assert timeless(sides[0].log()) == timeless(sides[1].log())


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_comes_to_the_same_shop(workers: int) -> None:
    """Waves that run side by side in threads leave nobody out and make nobody twice."""
    customers = [customer(number) for number in range(1, 30)]
    side = Side.of(customers)
    sync = ContactSync(erp=side.erp, storefront=side.shop, store=side.store, workers=workers, wave=3)
    report = sync.sync_all()
    assert report.ok
    assert report.customers == len(customers)
    assert {company.name for company in side.shop.snapshot().values()} == {one.name for one in customers}
    assert sync.sync_all().steps == ()


def customer(number: int) -> Customer:
    """Return an ordinary customer of its own."""
    from tests import bench  # noqa: PLC0415  # only builders are wanted of it

    who = bench.contact(1000 + number, f"Person{number}", email=f"person{number}@acme.example")
    return evolve(bench.customer(who, number=number, primary=who), name=f"Company {number}")


class Closed(MemoryShop):
    """A shop whose credential is wrong from some call on."""

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Refuse the credential, whatever is asked."""
        del actions
        raise AuthenticationError("the token is wrong")


def test_what_a_client_raises_ends_the_run_in_threads() -> None:
    """AuthenticationError: the first worker that fails stops the others, and the caller gets that error."""
    side = Side.of([customer(number) for number in range(1, 9)])
    with pytest.raises(AuthenticationError):
        ContactSync(erp=side.erp, storefront=Closed(), store=side.store, wave=1).sync_all()
    assert threading.active_count() == 1


def test_what_a_client_raises_ends_the_run_in_tasks() -> None:
    """AuthenticationError: in tasks the caller gets the very same, no group of errors."""
    side = Side.of([customer(number) for number in range(1, 9)])
    sync = AsyncContactSync(
        erp=AsyncErpOf(side.erp), storefront=AsyncShopOf(Closed()), store=in_threads(side.store), wave=1
    )
    with pytest.raises(AuthenticationError):
        asyncio.run(sync.sync_all())


def test_nobody_sends_after_its_own_lease() -> None:
    """A step whose lease ended before its turn came is not sent: it is asked for anew."""
    side = Side.of([])
    sync = ContactSync(erp=side.erp, storefront=side.shop, store=side.store)
    parties = Parties(erp=side.erp, storefront=side.shop, store=side.store, clock=sync.clock)
    from acumatica_b2b.effects import Perform  # noqa: PLC0415  # beside its one use
    from acumatica_b2b.model import CompanyID, UserID  # noqa: PLC0415  # likewise

    step = SetRole(company=CompanyID(StorefrontID("1")), user=UserID(StorefrontID("2")), contact=None, role="Admin")
    late = Perform(step, sync.clock.now(), step.stage)
    (answer,) = Seeded(parties, random.Random(0))((late,))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, LeaseEndedError)
    assert side.shop.requests == 0


def test_steps_go_to_a_client_in_slices() -> None:
    """However large a wave, a client gets at most so many steps at once, so that leases hold."""
    sizes: list[int] = []

    class Counting(MemoryShop):
        def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
            sizes.append(len(actions))
            return super().perform(actions)

    side = Side.of([customer(number) for number in range(1, SLICE + 12)])
    side.erp.page_size = 1000
    ContactSync(erp=side.erp, storefront=Counting(), store=side.store, workers=1).sync_all()
    assert max(sizes) == SLICE


def test_the_listener_hears_of_waves_and_customers() -> None:
    """A listener is told of the run, of each wave and of each customer."""
    heard: list[Event] = []
    side = Side.of([customer(1), customer(2)])
    ContactSync(erp=side.erp, storefront=side.shop, store=side.store, listener=heard.append).sync_all()
    assert isinstance(heard[0], RunStarted)
    assert sum(event.customers for event in heard if isinstance(event, WaveRead)) == 2
    assert {event.customer for event in heard if isinstance(event, CustomerSettled)} == {"C1", "C2"}


def test_a_changed_customer_that_was_left_open_is_handled_once() -> None:
    """A customer is synced once in a run of changes, whether it changed, was left open, or both."""
    side = Side.of([customer(1), customer(2)])
    sync = ContactSync(erp=side.erp, storefront=side.shop, store=side.store, policy=SyncPolicy())
    sync.sync_changed()
    sync.sync_changed()  # our own write-backs come back, and cause nothing
    side.erp.set_primary(CustomerID("C1"), None)
    side.erp.set_primary(CustomerID("C1"), side.erp.snapshot()[CustomerID("C1")].contacts[0].id)
    assert sync.sync_changed().customers == 1


def test_a_host_may_want_an_error_for_what_the_guard_held() -> None:
    """UnsafePlanError: a report can be asked to raise for what went beyond the limits; otherwise it is silent."""
    RunReport(run="r").require_unheld()
    with pytest.raises(UnsafePlanError, match="limits on hand-overs, removals"):
        RunReport(run="r", held=frozenset({Guarded.REMOVALS, Guarded.HAND_OVERS})).require_unheld()
