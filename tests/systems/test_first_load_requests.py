"""What a first load costs the storefront, kind by kind, against the least that its API allows."""

import re
from collections import Counter
from math import ceil
from random import Random
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b import AsyncContactSync
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce
from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator, dataset
from tests.systems.conftest import ERP, SHOP
from tests.virtual_time import AsyncMemoryStore, Distant, LoopClock, run

WAVE, BULK, PAGE = 200, 10, 200
LOOK_UPS = {"GET companies/roles", "GET companies/super-admins", "GET states", "GET countries"}


@define(eq=False)
class Counted:
    """A way to the shop that counts requests by kind."""

    way: Distant
    kinds: Counter[str] = field(factory=Counter[str])
    refused: int = 0

    async def send(self, request: Request) -> Response:
        """Send a request and count it."""
        response = await self.way.send(request)
        path = request.url.partition("/io/")[2].partition("?")[0]
        self.kinds[f"{request.method} {re.sub('[0-9]+', 'ID', path)}"] += 1
        self.refused += response.status == 429
        return response


async def first_load(customers: int, switches: dict[str, Any]) -> Counted:
    """Load a tenant into an empty shop."""
    die, clock = Random(5), LoopClock()
    tenant = AcumaticaSimulator(now=clock.now).load(dataset(customers, 5, bad=False))
    shop = BigCommerceSimulator(now=clock.now, **switches)
    way = Counted(Distant(shop, 0.4, die))
    async with AsyncAcumatica(ERP, Password("sync", "secret"), Distant(tenant, 0.3, die), clock=clock) as erp:
        storefront = AsyncBigCommerce(SHOP, way, clock=clock)
        sync = AsyncContactSync(erp=erp, storefront=storefront, store=AsyncMemoryStore(), clock=clock)
        report = await sync.sync_all()
    assert report.ok
    assert len(shop.companies) == customers
    return way


def least(customers: int, *, drops: bool) -> Counter[str]:
    """Return the requests that nobody could do without: full bulk calls, and each row that tells something once."""
    made = dataset(customers, 5, bad=False)
    people, places = len(made.contacts), len(made.locations)
    waves = ceil(customers / WAVE)
    return Counter(
        {
            "POST companies/bulk": ceil(customers / BULK),
            "PUT companies/bulk": drops * ceil(customers / BULK),
            "POST users/bulk": ceil((people - customers) / BULK),
            "POST addresses/bulk": ceil(places / BULK),
            # who is there before; then the ids of what each wave made: of companies, their admins, users, addresses
            "GET companies": 1 + waves + drops * waves,
            "GET users": waves + ceil(people / PAGE),
            "GET addresses": waves + ceil(places / PAGE),
        }
    )


@pytest.mark.parametrize("drops", [False, True], ids=["keeps", "drops"])
@pytest.mark.parametrize("customers", [90, 270])
def test_a_first_load_is_near_the_least(customers: int, drops: bool) -> None:  # noqa: FBT001 - the shop's way
    """A first load sends the fewest writes, and reads no row of the shop twice, but for the ends of pages."""
    way = run(first_load(customers, {"drops_uuid_on_create": drops}))
    bound = least(customers, drops=drops)
    sent = Counter({kind: n for kind, n in way.kinds.items() if kind not in LOOK_UPS})
    assert sent.keys() - bound.keys() <= {"POST users", "POST addresses", "POST companies"}, sent
    writes = sum(n for kind, n in sent.items() if not kind.startswith("GET"))
    assert writes <= 1.02 * sum(n for kind, n in bound.items() if not kind.startswith("GET"))
    # a shop that drops external ids has them written, which moves the rows that the other worker reads
    assert sum(sent.values()) <= (1.10 if drops else 1.05) * sum(bound.values()), (sent, bound)
    assert way.refused <= 0.01 * sum(way.kinds.values())


@pytest.mark.parametrize("switches", [{"listing_lag": 2.0}, {"latest_first": True}], ids=["late", "latest first"])
def test_a_shop_with_other_habits(switches: dict[str, Any]) -> None:
    """Lists that are late cost a few looks more; those in another order are read in full, and all is made the same."""
    way = run(first_load(90, switches))
    bound = sum(least(90, drops=False).values())
    assert sum(way.kinds.values()) <= (2.2 if "latest_first" in switches else 1.5) * bound, way.kinds
