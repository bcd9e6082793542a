"""What a run over everything costs the storefront after a first load: its lists once, and who has something to do."""

from collections import Counter
from math import ceil
from random import Random

import pytest
from attrs import define, evolve

from acumatica_b2b import AsyncContactSync, RunReport
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator, dataset
from tests.systems.conftest import ERP, SHOP
from tests.systems.test_first_load_requests import LOOK_UPS, Counted
from tests.virtual_time import AsyncMemoryStore, Distant, LoopClock, run

CUSTOMERS, WAVE, PAGE = 60, 10, 20


@define
class Twice:
    """A tenant that was loaded into a shop, and is synced as a whole once more, an hour later."""

    edits: int
    """Users whose phone somebody changed in the shop meanwhile, each of another company."""

    async def synced(self) -> tuple[Counter[str], RunReport, BigCommerceSimulator]:
        """Return the requests of the second run, what came of it, and the shop."""
        die, clock = Random(5), LoopClock()
        tenant = AcumaticaSimulator(now=clock.now).load(dataset(CUSTOMERS, 5, bad=False))
        shop, store = BigCommerceSimulator(now=clock.now), AsyncMemoryStore()
        for again in (False, True):
            way = Counted(Distant(shop, 0.4, die))
            async with AsyncAcumatica(
                evolve(ERP, wave=WAVE), Password("sync", "secret"), Distant(tenant, 0.3, die), clock=clock
            ) as erp:
                storefront = AsyncBigCommerce(evolve(SHOP, page_size=PAGE), way, clock=clock)
                sync = AsyncContactSync(erp=erp, storefront=storefront, store=store, clock=clock, wave=WAVE)
                report = await sync.sync_all()
            assert report.ok
            if not again:
                await clock.sleep(3600)
                self.edit(shop)
                await clock.sleep(3600)
        return Counter({kind: n for kind, n in way.kinds.items() if kind not in LOOK_UPS}), report, shop

    def edit(self, shop: BigCommerceSimulator) -> None:
        """Change what the ERP owns, by hand."""
        users = {user.company_id: user.id for user in shop.users.values()}
        for id_ in list(users.values())[: self.edits]:
            shop.by_hand("PUT", f"/users/{id_}", {"phoneNumber": "5550000"})


def pages(rows: int) -> int:
    """Return how many pages a list takes whose pages share a row, and what closes several."""
    return 1 if rows <= PAGE else 2 + ceil((rows - PAGE) / (PAGE - 1))


@pytest.mark.parametrize("edits", [0, 1, 2])
def test_everything_once_more(edits: int) -> None:
    """Each list is read once, page by page; who was edited is looked at, written to, and read back, and nobody else."""
    sent, report, shop = run(Twice(edits).synced())
    assert len(report.steps) == edits
    lists = {
        f"GET {name}": pages(len(rows))
        for name, rows in (("companies", shop.companies), ("users", shop.users), ("addresses", shop.addresses))
    }
    assert Counter(lists) <= sent
    more = sent - Counter(lists)
    assert more.pop("PUT users/ID", 0) == edits
    # what the answer to a write told need not be read back
    assert more.keys() <= {"GET companies/ID", "GET users", "GET addresses"}
    assert all(edits <= number <= 2 * edits for number in more.values())
