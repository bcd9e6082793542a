"""Which customers the companies of a shop belong to."""

import asyncio

import pytest

from acumatica_b2b import AsyncContactSync, in_threads, whose
from acumatica_b2b.model import CustomerID
from tests.bench import Bench, contact, customer


def bench(customers: int) -> Bench:
    """Return a bench on which so many customers have become companies."""
    made = Bench()
    for number in range(1, customers + 1):
        one = contact(100 + number, f"Name{number}")
        made.put(customer(one, number=number, primary=one))
    assert made.sync().ok
    return made


def test_linked_companies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Companies lead to their customers, however many logs there are; strange and unknown ones lead to nobody."""
    monkeypatch.setattr(whose, "_PAGE", 2)
    made = bench(5)
    ids = {key: made.company(CustomerID(key)).id for key in ("C1", "C3", "C5")}
    assert made.contact_sync.customers_of([ids["C5"], "999", ids["C1"]]) == ("C1", "C5")
    assert made.contact_sync.customers_of([ids["C3"]]) == ("C3",)
    assert made.contact_sync.customers_of([]) == ()


def test_awaited() -> None:
    """The same holds when awaited."""
    made = bench(2)
    sync = AsyncContactSync(
        erp=in_threads(made.erp), storefront=in_threads(made.shop), store=in_threads(made.store), policy=made.policy
    )
    assert asyncio.run(sync.customers_of([made.company(CustomerID("C2")).id])) == ("C2",)
