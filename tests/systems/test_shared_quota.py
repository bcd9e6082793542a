"""A quota that another integration spends as well."""

import asyncio
from contextlib import suppress
from random import Random

from attrs import define, field, frozen

from acumatica_b2b import AsyncContactSync, CreateCompany, CreateUser, RunReport
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce
from acumatica_b2b.http import Request
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
    wanted: int
    """Requests of the other integration."""
    got: int
    """Those of them that were not refused."""


@define
class Neighbour:
    """Another integration of the same store."""

    shop: BigCommerceSimulator
    die: Random
    a_minute: float
    statuses: list[int] = field(factory=list[int])

    async def live(self) -> None:
        """Send requests at random moments."""
        request = Request(method="GET", url=f"{SHOP.url}/companies?limit=1", headers=SHOP.headers)
        while True:
            await asyncio.sleep(self.die.expovariate(self.a_minute / 60))
            self.statuses.append(self.shop.send(request).status)


async def first_load(*, seed: int, customers: int, a_minute: float) -> Load:
    """Load a tenant into an empty store beside another integration."""
    die, clock = Random(seed), LoopClock()
    tenant = AcumaticaSimulator(now=clock.now).load(dataset(customers, seed, bad=False))
    shop = BigCommerceSimulator(now=clock.now)
    way = Distant(shop, 0.4, die)
    neighbour = Neighbour(shop, die, a_minute)
    living = asyncio.ensure_future(neighbour.live())
    begun = clock.now()
    async with AsyncAcumatica(ERP, Password("sync", "secret"), Distant(tenant, 0.3, die), clock=clock) as erp:
        storefront = AsyncBigCommerce(SHOP, way, clock=clock)
        sync = AsyncContactSync(erp=erp, storefront=storefront, store=AsyncMemoryStore(), clock=clock)
        report = await sync.sync_all()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living
    seconds = (clock.now() - begun).total_seconds()
    return Load(
        report,
        seconds,
        requests=len(way.statuses),
        refused=way.statuses.count(429),
        wanted=len(neighbour.statuses),
        got=neighbour.statuses.count(200),
    )


def test_first_load_beside_another_integration() -> None:
    """While another integration wants half of the quota, under 1 % of our requests are refused, and few of its.

    The load ends within a tenth of the time in which the other half of the quota allows its requests.
    """
    load = run(first_load(seed=5, customers=550, a_minute=75))
    users = sum(type(step) in {CreateUser, CreateCompany} for step in load.report.steps)
    assert load.report.ok
    assert users >= 2000
    assert load.refused < 0.01 * load.requests
    assert load.got > 0.8 * load.wanted
    assert load.seconds <= 1.1 * load.requests * 60 / 75
