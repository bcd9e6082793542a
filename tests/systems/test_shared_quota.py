"""A quota that another integration spends as well."""

import asyncio
from contextlib import suppress
from random import Random

from attrs import frozen

from acumatica_b2b import AsyncContactSync, RunReport
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator, dataset
from tests.systems.conftest import ERP, SHOP
from tests.virtual_time import AsyncMemoryStore, Distant, LoopClock, run


@frozen
class Load:
    """What a first load came to."""

    report: RunReport
    seconds: float
    requests: int
    refused: int


async def others(shop: BigCommerceSimulator, die: Random, *, a_minute: float) -> None:
    """Spend requests of the store as another integration does, at random moments."""
    while True:
        await asyncio.sleep(die.expovariate(a_minute / 60))
        shop.spend(1)


async def first_load(*, seed: int, customers: int, a_minute: float) -> Load:
    """Load a tenant into an empty store beside another integration."""
    die, clock = Random(seed), LoopClock()
    tenant = AcumaticaSimulator(now=clock.now).load(dataset(customers, seed, bad=False))
    shop = BigCommerceSimulator(now=clock.now)
    way = Distant(shop, 0.4, die)
    neighbour = asyncio.ensure_future(others(shop, die, a_minute=a_minute))
    begun = clock.now()
    async with AsyncAcumatica(ERP, Password("sync", "secret"), Distant(tenant, 0.3, die), clock=clock) as erp:
        storefront = AsyncBigCommerce(SHOP, way, clock=clock)
        sync = AsyncContactSync(erp=erp, storefront=storefront, store=AsyncMemoryStore(), clock=clock)
        report = await sync.sync_all()
    neighbour.cancel()
    with suppress(asyncio.CancelledError):
        await neighbour
    seconds = (clock.now() - begun).total_seconds()
    return Load(report, seconds, len(way.statuses), way.statuses.count(429))


def test_first_load_beside_another_integration() -> None:
    """While others spend half of the quota, under 1 % of the requests are refused, and the rest of it is used up.

    The time is within a tenth of what the remaining quota allows, to the minute's window in which it ends.
    """
    load = run(first_load(seed=5, customers=850, a_minute=75))
    users = sum(type(step).__name__ in {"CreateUser", "CreateCompany"} for step in load.report.steps)
    print(
        load.report.customers,
        users,
        load.requests,
        load.refused,
        load.seconds,
        load.requests / 75 * 60,
        load.report.stopped,
    )
    assert load.report.ok
    assert users >= 2000
    assert load.refused < 0.01 * load.requests
    assert load.seconds <= 1.1 * load.requests / 75 * 60
