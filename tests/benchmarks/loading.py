"""First loads of made-up tenants: ours and the plain loop's, beside the physical bound."""

import time
from collections import Counter

from attrs import frozen

from acumatica_b2b import AsyncContactSync, RunReport
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce
from acumatica_b2b.simulators.bigcommerce import ExtraField
from tests.benchmarks.plain import EXTERNAL_ID, PlainLoop
from tests.benchmarks.stage import ERP, SHOP, Stage, stage
from tests.benchmarks.tenants import Size, size_of, tenant
from tests.virtual_time import BEGINNING, AsyncMemoryStore, run


@frozen(kw_only=True)
class Load:
    """What a first load came to; requests without those that are sent once a process."""

    size: Size
    shop: int
    erp: int
    refused: int
    seconds: float
    """Simulated."""
    cpu: float
    """Of this machine's, the simulators' included."""
    shop_kinds: Counter[str]
    erp_kinds: Counter[str]


def ours(contacts: int, seed: int, away: float | None = None) -> Load:
    """Load a tenant with this library."""
    rows = tenant(contacts, seed)

    async def load() -> Load:
        place, began = stage(rows, seed, away), time.process_time()
        async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
            report = await syncing(place, erp, AsyncMemoryStore()).sync_all()
        check(report, place, size_of(rows))
        return _load(place, size_of(rows), began)

    return run(load())


def plainly(contacts: int, seed: int, away: float | None = None) -> Load:
    """Load it with the plain loop."""
    rows = tenant(contacts, seed)

    async def load() -> Load:
        place, began = stage(rows, seed, away), time.process_time()
        place.shop.define_extra_field("companies", ExtraField(name=EXTERNAL_ID))
        loop = PlainLoop(place.to_erp, place.to_shop, role=place.shop.predefined_role(2).id)
        await loop.run()
        if loop.records != size_of(rows).records or len(place.shop.users) != contacts:
            raise RuntimeError(f"the plain loop synced {loop.records} of {size_of(rows).records} records")
        return _load(place, size_of(rows), began)

    return run(load())


def syncing(place: Stage, erp: AsyncAcumatica, store: AsyncMemoryStore) -> AsyncContactSync:
    """Return a sync as a new process makes it: its client of the shop remembers nothing."""
    storefront = AsyncBigCommerce(SHOP, place.to_shop, clock=place.clock)
    return AsyncContactSync(erp=erp, storefront=storefront, store=store, clock=place.clock)


def check(report: RunReport, place: Stage, size: Size) -> None:
    """Raise unless the shop has all that the tenant has."""
    there = (len(place.shop.users), len(place.shop.companies), len(place.shop.addresses))
    if not report.ok or there != (size.contacts, size.customers, size.locations):
        kinds = sorted({finding.kind.value for finding in report.findings})
        raise RuntimeError(f"{there} of {size} are there; {kinds}, {report.stopped}, {report.troubles[:3]}")


def _load(place: Stage, size: Size, began: float) -> Load:
    return Load(
        size=size,
        shop=place.to_shop.counted,
        erp=place.to_erp.counted,
        refused=place.to_shop.refused + place.to_erp.refused,
        seconds=(place.clock.now() - BEGINNING).total_seconds(),
        cpu=time.process_time() - began,
        shop_kinds=place.to_shop.kinds,
        erp_kinds=place.to_erp.kinds,
    )
