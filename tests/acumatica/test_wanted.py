"""Changes are read by groups of ids, or by ranges where that is cheaper, and no location that nobody changed."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import Customer
from acumatica_b2b.protocols import ChangedSince, Cursor, Page, Watermark
from tests.acumatica.conftest import Driver, Script, configured, entity
from tests.acumatica.tables import Tables, a_contact, a_customer, a_location, as_written, filters, pages, tables, whole
from tests.acumatica.test_paging import COLLATIONS, NAMES, hyphens_last

OLD = Watermark(json.dumps(dict.fromkeys(("customers", "contacts", "locations"), "2023-12-14T01:00:00+00:00")))
LATE = "2023-12-14T01:30:00.000+00:00"
EARLY = "2023-12-14T00:30:00.000+00:00"
WITHOUT = ChangedSince(watermark=OLD, locations=False)


def crowd(
    number: int, changed: Callable[[int], bool], refused: Callable[[Request], Response | None] = lambda _: None
) -> Script:
    """Return a tenant of customers with a contact and a location each; of some the contact changed."""
    names = [f"C{n:04}" for n in range(number)]
    return tables(
        [a_customer(name, stamp=EARLY) for name in names],
        [a_contact(n, name, LATE if changed(n) else EARLY) for n, name in enumerate(names)],
        [a_location(name, "MAIN", EARLY) for name in names],
        refused,
    )


def counted(script: Script) -> Counter[str]:
    """Return how many requests there were about each entity, but for the three that list what changed."""
    return Counter(map(entity, script.asked[3:]))


# ------------------------------------------------------------------ groups and ranges
def test_many_changes_are_read_by_ranges(driver: Driver) -> None:
    """Where all customers changed, each wave of 200 takes a page of customers and the ranges of what is theirs."""
    script = crowd(300, lambda _: True)
    found = pages(driver, script, ChangedSince(watermark=OLD))
    assert counted(script) == {"Customer": 2, "Contact": 2, "CustomerLocation": 2}
    assert whole(found) == {f"C{n:04}": ([str(n)], ["MAIN"], True) for n in range(300)}


@pytest.mark.parametrize(("each", "groups"), [(10, 3), (4, 7)])
def test_scattered_changes_are_read_by_groups(driver: Driver, each: int, groups: int) -> None:
    """Where few of many changed, twenty ids share a filter; one page of customers shows that they are few."""
    script = crowd(500, lambda n: not n % each)
    found = pages(driver, script, ChangedSince(watermark=OLD))
    assert counted(script) == {"Customer": 1 + groups, "Contact": groups, "CustomerLocation": groups}
    assert {*whole(found)} == {f"C{n:04}" for n in range(0, 500, each)}


def test_few_changes_ask_for_no_range(driver: Driver) -> None:
    """Up to two groups of ids are read as such at once."""
    script = crowd(100, lambda n: n < 40)
    pages(driver, script, ChangedSince(watermark=OLD))
    assert counted(script) == {"Customer": 2, "Contact": 2, "CustomerLocation": 2}
    assert not any(" ge 'C" in asked for asked in filters(script, "Customer"))


def test_ranges_may_be_switched_off(driver: Driver) -> None:
    """Without ranges all is read by groups."""
    script = crowd(100, lambda _: True)
    found = pages(driver, script, ChangedSince(watermark=OLD), ranges=False)
    assert counted(script) == {"Customer": 5, "Contact": 5, "CustomerLocation": 5}
    assert len(whole(found)) == 100


def test_who_is_gone_does_not_hold_up_a_range(driver: Driver) -> None:
    """An id without a customer is asked for once more at the end; the others go on by ranges."""
    script = crowd(300, lambda _: True)
    rows = script.answers.rows["Customer"]  # type: ignore[attr-defined]  # they are Tables
    del rows[0]
    found = pages(driver, script, ChangedSince(watermark=OLD))
    assert counted(script) == {"Customer": 3, "Contact": 3, "CustomerLocation": 3}
    assert {*whole(found)} == {f"C{n:04}" for n in range(1, 300)}


# ------------------------------------------------------------------ locations
def test_locations_that_did_not_change_are_not_read(driver: Driver) -> None:
    """Who asks without locations gets the customers of changed contacts without theirs, all others whole."""
    script = tables(
        [a_customer(key, stamp=LATE if key == "A" else EARLY) for key in "ABCD"],
        [a_contact(n, key, LATE if key in "ABC" else EARLY) for n, key in enumerate("ABCD", 1)],
        [a_location(key, "MAIN", LATE if key == "C" else EARLY) for key in "ABCD"],
    )
    found = pages(driver, script, WITHOUT)
    assert whole(found) == {"A": (["1"], ["MAIN"], True), "B": (["2"], [], True), "C": (["3"], ["MAIN"], True)}
    assert {customer.id for page in found for customer in page.items if not customer.locations_read} == {"B"}
    assert counted(script) == {"Customer": 1, "Contact": 1, "CustomerLocation": 1}
    assert filters(script, "CustomerLocation")[-1] == "Customer eq 'A' or Customer eq 'C'"


def test_one_changed_contact_takes_two_requests(driver: Driver) -> None:
    """Where one contact changed, its customer and the contacts are read, and no location."""
    script = crowd(3, lambda n: n == 1)
    (page,) = pages(driver, script, WITHOUT)
    assert [(one.id, one.locations_read, one.complete) for one in page.items] == [("C0001", False, True)]
    assert counted(script) == {"Customer": 1, "Contact": 1}


@pytest.mark.parametrize("entity_", ["Customer", "CustomerLocation"])
def test_a_list_that_proves_nothing_spares_nothing(driver: Driver, entity_: str) -> None:
    """Where a list of changes may have left some out, every customer is read with its locations."""
    names = ["B", "A"]  # in no order
    world: dict[str, list[dict[str, Any]]] = {
        "Customer": [a_customer(key, stamp=EARLY) for key in "XYZ"],
        "Contact": [a_contact(1, "Z", LATE)],
        "CustomerLocation": [a_location("Z", "MAIN", EARLY)],
    }
    late = {"Customer": [a_customer(key, stamp=LATE) for key in names]}
    late["CustomerLocation"] = [a_location(key, "MAIN", LATE) for key in names]
    world[entity_] += late[entity_]
    found = pages(driver, Script(Tables(world)), WITHOUT)
    assert all(customer.locations_read for page in found for customer in page.items)
    assert whole(found)["Z"][:2] == (["1"], ["MAIN"])


def test_a_customer_spelled_in_another_case(driver: Driver) -> None:
    """Where keys compare without case and a contact spells its customer otherwise, nothing of it comes twice."""
    names = [f"C{n:04}" for n in range(25)]
    rows = {
        "Customer": [a_customer(name, stamp=LATE) for name in names],
        "Contact": [a_contact(n, name if n else name.lower(), LATE) for n, name in enumerate(names)],
        "CustomerLocation": [a_location(name, "MAIN", LATE) for name in names],
    }
    script = Script(Tables(rows, collate=str.casefold))
    found = [one for page in pages(driver, script, ChangedSince(watermark=OLD)) for one in page.items]
    assert [one.id for one in found] == names
    assert all((len(one.contacts), len(one.locations)) == (1, 1) for one in found)


def test_customers_that_differ_by_case_alone(driver: Driver) -> None:
    """Where keys compare by case, a customer of that name in lower case is another one, and is read as well."""
    names = [f"C{n:04}" for n in range(300)]
    script = tables(
        [a_customer(name, stamp=EARLY) for name in [*names, "c0001"]],
        [
            *(a_contact(n, name, LATE if n < 60 else EARLY) for n, name in enumerate(names)),
            a_contact(900, "c0001", LATE),
        ],
        [],
    )
    found = {one.id for page in pages(driver, script, ChangedSince(watermark=OLD)) for one in page.items}
    assert {*names[:60], "c0001"} <= found


# ------------------------------------------------------------------ whatever the shape
def read_all(script: Script, asked: ChangedSince, **settings: Any) -> list[Page[Customer]]:
    """Return all pages of a reading."""
    found: list[Page[Customer]] = []
    after: Cursor | None = None
    with Acumatica(configured(**settings), Password("sync", "secret"), script, clock=script, parallel=1) as erp:
        while not found or after:
            found.append(erp.read(asked, after))
            after = found[-1].next
    return found


@given(
    names=st.lists(NAMES, unique_by=hyphens_last, min_size=4, max_size=14),
    stamps=st.lists(st.tuples(*[st.booleans()] * 3), min_size=14, max_size=14),
    wave=st.integers(3, 8),
    group=st.sampled_from((1, 1, 1, 2)),
    collate=st.sampled_from(COLLATIONS),
    locations=st.booleans(),
    ranges=st.booleans(),
)
def test_every_change_comes_once(
    names: list[str],
    stamps: list[tuple[bool, bool, bool]],
    wave: int,
    group: int,
    collate: Callable[[str], Any],
    *,
    locations: bool,
    ranges: bool,
) -> None:
    """However keys are collated and whoever changed, each comes once and whole, but for what nobody changed."""
    changed = dict(zip(names, stamps, strict=False))
    stamp = {True: LATE, False: EARLY}
    rows = {
        "Customer": [a_customer(name, stamp=stamp[its[0]]) for name, its in changed.items()],
        "Contact": [a_contact(n, name, stamp[its[1]]) for n, (name, its) in enumerate(changed.items(), 1)],
        "CustomerLocation": [a_location(name, "MAIN", stamp[its[2]]) for name, its in changed.items()],
    }
    script = Script(Tables(rows, collate=collate, in_order=True))
    asked = ChangedSince(watermark=OLD, locations=locations)
    found = [
        one for page in read_all(script, asked, wave=wave, group=group, page=3, ranges=ranges) for one in page.items
    ]
    event(f"by ranges: {any(' ge ' in asked and 'Modified' not in asked for asked in filters(script, 'Customer'))}")
    assert Counter(one.id for one in found) == Counter(name for name, its in changed.items() if any(its))
    for one in found:
        bare = not locations and changed[one.id] == (False, True, False)
        if collate is as_written:  # else a list may prove nothing
            assert one.locations_read == (not bare)
        assert one.locations_read or bare
        assert [place.id for place in one.locations] == (["MAIN"] if one.locations_read else [])
        assert [contact.id for contact in one.contacts] == [str(names.index(one.id) + 1)]
        assert one.complete
