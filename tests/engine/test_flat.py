"""Memory of a run: what is kept of a customer when its wave is done."""

import gc
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b import ContactSync
from acumatica_b2b.effects import Event, WaveRead
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Failed, Outcome
from acumatica_b2b.model import Company, CompanyRef
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Plan, RunReport
from acumatica_b2b.stores import SqliteStore
from acumatica_b2b.world import World
from tests.benchmarks.arithmetic import BLOCK, CUSTOMERS, LOCATIONS, Tenant
from tests.benchmarks.arithmetic_shop import Shop

BLOCKS = 5
"""One page each, and so all pages are alike."""


@define
class Scales:
    """A listener that counts what there is in memory whenever a page was read."""

    blocks: list[int] = field(factory=list[int])

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        if isinstance(event, WaveRead):
            gc.collect()
            self.blocks.append(sys.getallocatedblocks())

    @property
    def kept(self) -> float:
        """How many blocks of memory each customer left behind, of the page that left the fewest."""
        return min(after - before for before, after in pairwise(self.blocks[1:])) / CUSTOMERS


def tenant(blocks: int = BLOCKS, **settings: Any) -> Tenant:
    """Return a tenant whose pages are alike."""
    return Tenant(blocks * BLOCK, wave=CUSTOMERS, **settings)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the log of a tenant that is in step with its shop."""
    file = tmp_path_factory.mktemp("flat") / "log.db"
    with SqliteStore(file) as store:
        one = tenant()
        assert ContactSync(erp=one, storefront=Shop(one), store=store).sync_all().ok
    return file


@pytest.mark.parametrize("work", [ContactSync.sync_all, ContactSync.plan])
def test_unchanged_customers(log: Path, work: Callable[[ContactSync], RunReport | Plan]) -> None:
    """Of a customer with nothing to do or to tell a run or a plan keeps nothing but that it was looked at."""
    one, scales = tenant(), Scales()
    with SqliteStore(log) as store:
        found = work(ContactSync(erp=one, storefront=Shop(one), store=store, workers=1, listener=scales))
    assert found.customers == BLOCKS * CUSTOMERS
    assert (found.steps, found.findings, found.troubles) == ((), (), ())
    assert (found.settled if isinstance(found, RunReport) else found.companies) == ()
    assert scales.kept < 0.5, scales


def test_a_first_load(tmp_path: Path) -> None:
    """A run that does very much counts all of it, and keeps so many steps as it is told to."""
    one, scales = tenant(4, fresh=True), Scales()
    with SqliteStore(tmp_path / "log.db") as store:
        sync = ContactSync(erp=one, storefront=Shop(one), store=store, workers=1, listener=scales, told=1000)
        report = sync.sync_all()
    steps = {kind.__name__: count for kind, count in report.counts.steps.items()}
    made = {name: count for name, count in steps.items() if name.startswith("Create")}
    assert made == {
        "CreateCompany": 4 * CUSTOMERS,
        "CreateUser": 4 * (BLOCK - CUSTOMERS),
        "CreateAddress": 4 * LOCATIONS,
    }
    assert steps == {**made, "WriteReference": 4 * (BLOCK + CUSTOMERS + LOCATIONS)}
    assert 0 < len(report.steps) <= 1000
    assert report.ok
    assert scales.kept < 0.5, scales


def test_many_findings(tmp_path: Path) -> None:
    """The same goes for what is to be told: of the contacts that take no part all are counted."""
    one, scales = tenant(opts_out=True), Scales()
    with SqliteStore(tmp_path / "log.db") as store:
        sync = ContactSync(erp=one, storefront=Shop(one), store=store, workers=1, listener=scales, told=100)
        report = sync.sync_all()
    out = sum(not one.takes_part(contact) for contact in range(BLOCKS * BLOCK))
    assert report.counts.findings == {FindingKind.NOT_ENABLED: out}
    assert 0 < len(report.findings) <= 100
    assert scales.kept < 0.5, scales


@define
class _Failing(Shop):
    """A shop that can't show every tenth company."""

    def observe(self, companies: Any, /) -> list[Outcome[Company | None]]:
        """Return companies, or why not."""
        return [_shown(ref, outcome) for ref, outcome in zip(companies, super().observe(companies), strict=True)]


def _shown(ref: CompanyRef, outcome: Outcome[Company | None]) -> Outcome[Company | None]:
    return Failed(RejectedError(Reason.OTHER, "it can't be shown")) if ref.customer.endswith("0") else outcome


def test_many_troubles(tmp_path: Path) -> None:
    """Who could not be synced is named in the report, whose errors keep no more of them alive."""
    one = tenant(1)
    with SqliteStore(tmp_path / "log.db") as store:
        report = ContactSync(
            erp=one, storefront=_Failing(one), store=store, policy=SyncPolicy(store="flat"), workers=1
        ).sync_all()
    assert len(report.troubles) == len(range(0, CUSTOMERS, 10)) == report.counts.troubles
    assert isinstance(report.troubles[0].error, RejectedError)
    gc.collect()
    worlds = [found for found in gc.get_objects() if isinstance(found, World) and found.policy.store == "flat"]
    assert worlds == []
