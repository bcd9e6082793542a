from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import bound
from tests.benchmarks.loading import Load, ours, plainly
from tests.benchmarks.measuring import picture
from tests.benchmarks.steady import steady
from tests.benchmarks.tenants import Size, size_of, tenant


def test_tenants_of_the_benchmark() -> None:
    """A made-up tenant has exactly the contacts asked for, 1 to 200 a customer, and is the same again."""
    rows = tenant(3_000, seed=1)
    people = Counter(contact.customer for contact in rows.contacts)
    assert size_of(rows) == Size(contacts=3_000, customers=len(rows.customers), locations=len(rows.locations))
    assert set(people) == {customer.id for customer in rows.customers}
    assert (min(people.values()), max(people.values())) == (1, 200)
    assert len({contact.email for contact in rows.contacts}) == 3_000
    assert tenant(3_000, seed=1) == rows != tenant(3_000, seed=2)


def test_bound_of_a_first_load() -> None:
    """What ten companies with a user more each and 11 locations cost at least can be counted by hand."""
    size = Size(contacts=20, customers=10, locations=11)
    bulk_calls, listings, looks = 1 + 1 + 2, 3, 1
    assert bound.first_load(size) == bound.Bound(shop=bulk_calls + listings + looks, erp=3 + 41)
    assert bound.Bound(shop=10, erp=300).seconds == 120
    assert bound.unchanged(size) == bound.Bound(shop=0, erp=4)
    assert bound.changed(size, 3, hand_overs=1) == 4 + 3 * 5 + 1


@pytest.mark.parametrize("load", [ours, plainly])
def test_nobody_beats_the_bound(load: Callable[[int, int], Load]) -> None:
    """No program takes fewer requests than the physical bound, and few of either's are refused."""
    measured = load(60, 3)
    least = bound.first_load(measured.size)
    assert measured.shop >= least.shop
    assert measured.erp >= least.erp
    assert measured.refused < 0.01 * measured.shop


def test_runs_after_a_first_load() -> None:
    """Where nothing changed the shop is asked nothing; for one changed contact both systems get what is granted."""
    runs = {again.what: again for again in steady(120, seed=3)}
    assert runs["nothing changed"].shop == runs["nothing changed"].steps == 0
    assert all((again.shop > 0) == (again.changed > 0) for again in runs.values())
    assert runs["nothing changed"].erp == runs["nothing changed"].allowed
    one = runs["one contact changed"]
    assert one.shop + one.erp == one.allowed


def test_plot_of_first_loads() -> None:
    """The plot is well-formed, and has a line for each of three programs on each of three panels."""
    loads = [_load(1_000), _load(10_000)]
    drawn = ET.fromstring(picture(loads, loads))  # noqa: S314 - it was made two lines above
    colours = Counter(line.get("stroke") for line in drawn.iter("{http://www.w3.org/2000/svg}polyline"))
    del colours["#d0d7de"]
    assert list(colours.values()) == [4, 4, 4], "three lines and one in the legend"


def _load(contacts: int) -> Load:
    size = Size(contacts=contacts, customers=contacts // 5, locations=contacts // 3)
    kinds = Counter[str]()
    return Load(size=size, shop=1000, erp=contacts, refused=0, seconds=60.0, cpu=1.0, shop_kinds=kinds, erp_kinds=kinds)
