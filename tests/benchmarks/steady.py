"""Runs after a first load: what it costs when nothing changed, and when something did."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final

from attrs import evolve, frozen

from acumatica_b2b import Limits, SyncPolicy
from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.simulators.acumatica import Dataset
from tests.benchmarks import bound
from tests.benchmarks.loading import check, syncing
from tests.benchmarks.stage import ERP, Stage, stage
from tests.benchmarks.tenants import Size, size_of, tenant
from tests.virtual_time import AsyncMemoryStore, run

_LATER: Final = 3600.0
"""Seconds between two runs."""
_OPEN: Final = SyncPolicy(limits=Limits(hand_overs=10_000_000))


@frozen(kw_only=True)
class Again:
    """What one run over what changed came to."""

    size: Size
    what: str
    changed: int
    """Contacts."""
    allowed: int
    """Requests to both systems that section 9 of the design grants."""
    shop: int
    erp: int
    seconds: float
    cpu: float
    steps: int
    shop_kinds: Counter[str]
    erp_kinds: Counter[str]


@frozen(kw_only=True)
class _Scene:
    what: str
    changed: int
    allowed: int
    after: float = _LATER


def steady(contacts: int, seed: int) -> list[Again]:
    """Return what several runs after a first load came to."""
    rows = tenant(contacts, seed)
    return run(_steady(rows, size_of(rows), seed))


async def _steady(rows: Dataset, size: Size, seed: int) -> list[Again]:
    place, store = stage(rows, seed), AsyncMemoryStore()
    async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
        check(await syncing(place, erp, store).sync_all(), place, size)
    return [await _again(place, store, size, scene) for scene in _scenes(place, rows, size, Random(seed))]


def _scenes(place: Stage, rows: Dataset, size: Size, die: Random) -> Iterator[_Scene]:
    """Yield one scene after the other, each when its change has been made."""
    nothing = bound.unchanged(size).erp
    yield _Scene(what="our own references come back", changed=0, allowed=nothing, after=0.0)
    yield _Scene(what="and once more, by the overlap", changed=0, allowed=nothing)
    yield _Scene(what="nothing changed", changed=0, allowed=nothing)
    ids = [row.id for row in rows.contacts if row.id is not None]
    _rename(place, ids[len(ids) // 2])
    yield _Scene(what="one contact changed", changed=1, allowed=bound.changed(size, 1))
    primaries = {row.primary_contact for row in rows.customers}
    other = next(row for row in rows.contacts if row.id not in primaries and row.customer)
    place.tenant.set_primary(str(other.customer), other.id)
    yield _Scene(what="one primary moved", changed=1, allowed=bound.changed(size, 1, hand_overs=1))
    several = die.sample(ids, size.contacts // 100)
    for contact in several:
        _rename(place, contact)
    yield _Scene(what="1 % of the contacts changed", changed=len(several), allowed=bound.changed(size, len(several)))


def _rename(place: Stage, contact: int) -> None:
    row = place.tenant.contact(contact)
    place.tenant.put_contact(evolve(row, last_name=f"{row.last_name}-Smith"))


async def _again(place: Stage, store: AsyncMemoryStore, size: Size, scene: _Scene) -> Again:
    await asyncio.sleep(scene.after)
    place.to_erp.forget()
    place.to_shop.forget()
    began, cpu = place.clock.now(), time.process_time()
    async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
        report = await evolve(syncing(place, erp, store), policy=_OPEN).sync_changed()
    check(report, place, size)
    return Again(
        size=size,
        what=scene.what,
        changed=scene.changed,
        allowed=scene.allowed,
        shop=place.to_shop.counted,
        erp=place.to_erp.counted,
        seconds=(place.clock.now() - began).total_seconds(),
        cpu=time.process_time() - cpu,
        steps=len(report.steps),
        shop_kinds=Counter(place.to_shop.kinds),
        erp_kinds=Counter(place.to_erp.kinds),
    )
