"""Customers that are deleted in the ERP."""

import pytest
from attrs import evolve

from acumatica_b2b.errors import NotSentError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.ids import Census
from acumatica_b2b.model import ContactID, Customer, CustomerID
from acumatica_b2b.policy import CustomerLeaves, SyncPolicy
from acumatica_b2b.protocols import ChangedSince, Cursor, Page, Query
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.bench import ANNA, BILL, CARL, HERE, MARK, THERE, Bench, customer, done, finding, kinds


def started(**settings: object) -> Bench:
    """Return a bench with two companies: Mark and Anna here, Bill and Carl there."""
    bench = Bench(**settings)  # type: ignore[arg-type]  # settings of the bench
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.sync().ok
    assert bench.contact_sync.sync_changed().ok
    return bench


@pytest.mark.parametrize("run", ["sync_all", "sync_changed"])
def test_deleted_customer_keeps_its_company(run: str) -> None:
    """A deleted customer is told as CUSTOMER_LEFT, once; its company and users stay as they are."""
    bench = started()
    before = bench.shop.snapshot()
    bench.erp.remove_customer(HERE)
    report = getattr(bench.contact_sync, run)()
    assert "deleted in Acumatica" in finding(report, "CUSTOMER_LEFT", HERE).detail
    assert report.troubles == ()
    assert (report.steps, bench.shop.snapshot()) == ((), before)
    log = bench.log(HERE)
    assert bench.sync().steps == ()
    assert bench.log(HERE) == log


def test_deleted_customer_costs_no_call_afterwards() -> None:
    """A run by changes does not ask again for a customer that is known to be deleted."""
    bench = started()
    bench.erp.remove_customer(HERE)
    bench.contact_sync.sync_changed()
    requests = bench.shop.requests, bench.erp.requests
    bench.contact_sync.sync_changed()
    asked_erp = bench.erp.requests
    bench.contact_sync.sync_changed()
    assert bench.shop.requests == requests[0]
    assert bench.erp.requests - asked_erp == asked_erp - requests[1]


def test_deleted_customer_is_switched_off() -> None:
    """Where the policy says so, the company of a deleted customer is deactivated, once."""
    policy = SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE)
    bench = started(shop=MemoryShop(deactivates=True), policy=policy)
    bench.erp.remove_customer(HERE)
    assert done(bench.contact_sync.sync_changed()) == [f"UpdateCompany {HERE}"]
    assert not bench.company().active
    assert bench.contact_sync.sync_changed().steps == ()
    assert bench.sync().steps == ()


def test_deleted_customer_whose_contact_moved() -> None:
    """Of a deleted customer's people only those go who are another customer's now."""
    bench = started()
    bench.erp.move_contact(ANNA.id, THERE)
    bench.erp.remove_customer(HERE)
    assert bench.sync().ok
    assert set(bench.roles(THERE)) == {"bill", "carl", "anna"}
    assert set(bench.roles(HERE)) == {"mark"}


def test_deleted_and_made_anew() -> None:
    """A customer that is made anew under its old id takes its company up again."""
    bench = started()
    company = bench.company().id
    here = bench.customer()
    bench.erp.remove_customer(HERE)
    bench.sync()
    bench.put(evolve(here, contacts=()))
    for one in here.contacts:
        bench.erp.move_contact(one.id, HERE)
    bench.erp.set_primary(HERE, MARK.id)
    assert bench.sync().ok
    assert bench.company().id == company
    assert kinds(bench.sync()) == set()


def test_customer_that_never_was() -> None:
    """Asked for by an id that the log does not know, a customer that is not there is an error that names it."""
    bench = started()
    (trouble,) = bench.sync(CustomerID("C9")).troubles
    assert "C9" in str(trouble.error)


class BreaksOff(MemoryErp):
    """A tenant of which only the first page can be read."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return the first page."""
        if after is not None:
            raise NotSentError("no route")
        return super().read(query, after)


def test_nobody_is_gone_after_a_reading_that_ended_early() -> None:
    """Nobody is taken for deleted by a run that could not read to the end."""
    bench = started()
    bench.erp = BreaksOff(page_size=1)
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    report = bench.sync()
    assert report.stopped
    assert not [found for found in report.findings if found.kind is FindingKind.CUSTOMER_LEFT]


def test_deletion_in_a_large_tenant() -> None:
    """Of several pages of customers only those that are gone are found missing."""
    customers = [CustomerID(f"C{n:05}") for n in range(3000)]
    census = Census()
    census.count(one for one in customers if one != "C02000")
    assert census.missing(customers) == ["C02000"]
    census.count([CustomerID("C02000")])
    assert census.missing(customers) == []


class Straying(MemoryErp):
    """A tenant that tells of a contact which is no customer's any more by its id only, as Acumatica does."""

    strays: tuple[ContactID, ...] = ()

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return nothing but the strays where changes are asked for."""
        page = super().read(query, after)
        return evolve(page, items=(), strays=self.strays) if isinstance(query, ChangedSince) else page


def test_contact_that_is_no_customers_any_more() -> None:
    """A run by changes looks at the customer that a stray contact was with, and takes its user out."""
    bench = Bench(erp=Straying())
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    bench.erp.move_contact(ANNA.id, None)
    bench.erp.strays = (ANNA.id, ContactID("999"))  # type: ignore[attr-defined]  # of the tenant above
    assert done(bench.contact_sync.sync_changed())[0] == f"RemoveUser {ANNA.id}"
    assert set(bench.roles()) == {"mark"}
