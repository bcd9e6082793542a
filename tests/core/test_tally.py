"""What passes come to, and how they add up to a report."""

import traceback
import weakref
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.actions import RemoveUser, Step
from acumatica_b2b.errors import NotSentError, RateLimitedError, Reason, RejectedError, StalePlanError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import customer_record
from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.policy import Guarded, Limits, SyncPolicy
from acumatica_b2b.report import Counts, RunReport, Trouble, counts_of
from acumatica_b2b.tally import (
    Tally,
    added,
    fitting,
    replaced,
    report_of,
    tally_of,
    too_many_failures,
    trouble_of,
    without,
)
from acumatica_b2b.terms import LeftToAnotherError, Settled, Terms
from tests.bench import storefront_id
from tests.core.worlds import KEY, SHOP

C1, C2, C3, C4 = (CustomerID(f"C{n}") for n in (1, 2, 3, 4))
FOUND = (Finding(kind=FindingKind.NO_PRIMARY, record=customer_record(C1)),)
DOWN = NotSentError("the line is dead")
WATERMARK: Any = datetime(2024, 5, 1, tzinfo=UTC)


def step(name: str) -> Step:
    """Return a step."""
    return RemoveUser(company=KEY, user=storefront_id(name), contact=ContactID(name))


def terms(**limits: Any) -> Terms:
    """Return the terms of a run with these limits."""
    return Terms(policy=SyncPolicy(limits=Limits(**limits)), capabilities=SHOP, run="r1")


# ------------------------------------------------------------------ of one page
def test_page() -> None:
    """A page comes to the sums and sets of its customers; only those with something to tell are kept."""
    one = Settled(
        customer=C1,
        findings=FOUND,
        second_pass=True,
        waits=True,
        look_at=frozenset({C3}),
        linked_users=5,
        linked_companies=1,
        users=2,
        companies=1,
        removals=3,
        failures=1,
    )
    two = Settled(customer=C2, look_at=frozenset({C4}), linked_users=7, linked_companies=1, users=1, removals=1)
    three = Trouble(customer=C3, error=RejectedError(Reason.OTHER, "no"))
    assert tally_of([one, two, three], 100) == Tally(
        customers=3,
        results=(one, three),
        told=2,
        counts=Counts(findings=Counter({FindingKind.NO_PRIMARY: 1}), failures=1, troubles=1),
        second_pass=frozenset({C1}),
        waits=frozenset({C1}),
        look_at=frozenset({C3, C4}),
        linked_users=12,
        linked_companies=2,
        users=3,
        companies=1,
        removals=4,
        failed=2,
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, False),
        ({"steps": (step("1"),)}, True),
        ({"findings": FOUND}, True),
        ({"failures": 1}, True),
        ({"released": True}, True),
        ({"linked_users": 3}, False),
    ],
    ids=["nothing", "steps", "findings", "failures", "released", "counts"],
)
def test_worth_telling(fields: dict[str, Any], told: bool) -> None:  # noqa: FBT001  # a table's column
    """A customer is kept with whom something was done, is to be told, or had to be released."""
    one = Settled(customer=C1, **fields)
    assert tally_of([one], 100).results == ((one,) if told else ())


def test_failures() -> None:
    """A customer fails whose step was refused or that gave trouble; one that is left to another run does not."""
    left = Trouble(customer=C3, error=LeftToAnotherError("busy"))
    assert tally_of([Trouble(customer=C3, error=StalePlanError("changed"))], 100).failed == 0
    results: list[Settled | Trouble] = [
        Settled(customer=C1, failures=2),
        Settled(customer=C2),
        left,
        Trouble(customer=C4, error=ValueError()),
    ]
    assert tally_of(results, 100).failed == 2
    assert left in tally_of(results, 100).results


@pytest.mark.parametrize("error", [DOWN, RateLimitedError("wait")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("make", [lambda e: Trouble(customer=C1, error=e), lambda e: Settled(customer=C1, outage=e)])
def test_outage(error: Any, make: Any) -> None:
    """A system that could not be reached ends the run, with the reason; any other trouble does not."""
    assert tally_of([Settled(customer=C2), make(error)], 100).stopped == f"a system could not be reached: {error}"
    assert tally_of([Trouble(customer=C1, error=ValueError("a bug"))], 100).stopped == ""


# ------------------------------------------------------------------ of several pages
FIRST = Tally(
    customers=1,
    results=(Settled(customer=C1, findings=FOUND),),
    told=4,
    counts=Counts(findings=Counter({FindingKind.NO_PRIMARY: 2}), failures=3),
    released=True,
    second_pass=frozenset({C1}),
    waits=frozenset({C1}),
    look_at=frozenset({C2}),
    linked_users=2,
    linked_companies=3,
    users=4,
    companies=5,
    removals=6,
    failed=7,
)
SECOND = Tally(
    customers=10,
    results=(Settled(customer=C2, findings=FOUND),),
    told=5,
    counts=Counts(findings=Counter({FindingKind.NO_PRIMARY: 3}), troubles=1),
    second_pass=frozenset({C2}),
    waits=frozenset({C2}),
    look_at=frozenset({C3}),
    linked_users=20,
    linked_companies=30,
    users=40,
    companies=50,
    removals=60,
    failed=70,
    stopped="enough",
    watermark=WATERMARK,
)


def test_sum() -> None:
    """Several tallies add up; the first reason to stop and the first watermark are those of all."""
    both = Tally(
        customers=11,
        results=(*FIRST.results, *SECOND.results),
        told=9,
        counts=Counts(findings=Counter({FindingKind.NO_PRIMARY: 5}), failures=3, troubles=1),
        released=True,
        second_pass=frozenset({C1, C2}),
        waits=frozenset({C1, C2}),
        look_at=frozenset({C2, C3}),
        linked_users=22,
        linked_companies=33,
        users=44,
        companies=55,
        removals=66,
        failed=77,
        stopped="enough",
        watermark=WATERMARK,
    )
    assert added([FIRST, SECOND]) == both
    assert added([FIRST, SECOND, Tally(stopped="later")]) == both
    assert added([]) == Tally()
    assert added([FIRST]) == FIRST


# ------------------------------------------------------------------ of two passes
def test_second_pass() -> None:
    """Customers of the second pass stand as they stand later, with the steps of both; the others as they stood."""
    old = evolve(
        FIRST,
        results=(
            Settled(customer=C1, steps=(step("1"),), findings=FOUND, released=True),
            Settled(customer=C2, findings=FOUND),
            Settled(customer=C3, findings=FOUND),
        ),
        waits=frozenset({C1, C3}),
    )
    old = evolve(old, told=4, counts=counts_of(old.results), released=False)
    new = Tally(
        customers=2,
        results=(Settled(customer=C1, steps=(step("2"),), failures=1),),
        told=1,
        counts=Counts(steps=Counter({RemoveUser: 1}), failures=1),
        released=True,
        waits=frozenset({C4}),
        users=-1,
        companies=-2,
        stopped="enough",
    )
    assert replaced(old, frozenset({C1, C2}), new) == evolve(
        old,
        results=(
            Settled(customer=C3, findings=FOUND),
            Settled(customer=C1, steps=(step("1"), step("2")), failures=1, released=True),
        ),
        told=5,
        counts=Counts(steps=Counter({RemoveUser: 2}), findings=Counter({FindingKind.NO_PRIMARY: 1}), failures=1),
        released=True,
        waits=frozenset({C3, C4}),
        users=old.users - 1,
        companies=old.companies - 2,
        linked_users=old.linked_users - 1,
        linked_companies=old.linked_companies - 2,
        stopped="enough",
    )


def test_second_pass_releases() -> None:
    """What was released in the second pass is released."""
    old = Tally(results=(Settled(customer=C1, findings=FOUND),))
    new = Tally(results=(Settled(customer=C1, released=True),))
    assert replaced(old, frozenset({C1}), new).results == (Settled(customer=C1, released=True),)
    assert replaced(old, frozenset({C1}), Tally()).results == ()
    done = Tally(results=(Settled(customer=C1, steps=(step("1"),), findings=FOUND),))
    assert replaced(done, frozenset({C1}), Tally()).results == (Settled(customer=C1, steps=(step("1"),)),)


def test_trouble_in_either_pass() -> None:
    """A customer that gave trouble in one pass stands as it came out of the second."""
    trouble, fine = Trouble(customer=C1, error=ValueError()), Settled(customer=C1, steps=(step("1"),))
    both = frozenset({C1})
    assert replaced(Tally(results=(trouble,)), both, Tally(results=(fine,))).results == (fine,)
    assert replaced(Tally(results=(fine,)), both, Tally(results=(trouble,))).results == (trouble,)


# ------------------------------------------------------------------ how much is kept
TOLD: list[Settled | Trouble] = [
    Settled(customer=C1, steps=(step("1"), step("2"))),
    Settled(customer=C1, findings=FOUND),
    Settled(customer=C1, findings=(Finding(kind=FindingKind.NO_ADMIN_LEFT, record=customer_record(C1)),)),
    Settled(customer=C1, steps=(step("3"),), failures=1),
    Settled(customer=C1, steps=(step("4"),), second_pass=True),
    Settled(customer=C1, steps=(step("5"),), waits=True),
    Settled(customer=C1, released=True),
    Settled(customer=C1),
    Trouble(customer=C1, error=DOWN),
]
NEEDED = {2, 3, 4, 5, 8}
"""Places of what is kept whether there is room or not."""


@given(st.lists(st.sampled_from(range(len(TOLD)))), st.integers(-2, 12))
def test_room(places: list[int], room: int) -> None:
    """Results are kept in their order while there is room; failures, what to act on and who comes again always are."""
    results = [evolve(TOLD[place], customer=CustomerID(f"C{n}")) for n, place in enumerate(places)]
    kept = fitting(results, room)
    assert list(kept) == [result for result in results if result in kept]
    assert {result for result, place in zip(results, places, strict=True) if place in NEEDED} <= set(kept)
    size = {result.customer: [2, 1, 1, 1, 1, 1, 1, 1, 1][place] for result, place in zip(results, places, strict=True)}
    beside = [result for result, place in zip(results, places, strict=True) if result in kept and place not in NEEDED]
    assert sum(size[result.customer] for result in beside) <= max(room, 0)
    if sum(size.values()) < room:
        assert kept == tuple(results)


@given(st.lists(st.sampled_from(range(len(TOLD)))), st.integers(0, 12))
def test_all_is_counted(places: list[int], room: int) -> None:
    """However little is kept, the counts are of all; and with room for everything they are those of what is kept."""
    results = [evolve(TOLD[place], customer=CustomerID(f"C{n}")) for n, place in enumerate(places)]
    tally = tally_of(results, room)
    assert tally.counts == counts_of(results)
    assert counts_of(tally_of(results, 1000).results) == tally.counts
    report = report_of(tally, terms(), frozenset())
    assert report.counts == tally.counts
    assert report.ok == report_of(tally_of(results, 1000), terms(), frozenset()).ok


@given(st.lists(st.tuples(st.integers(0, len(TOLD) - 1), st.none() | st.integers(0, len(TOLD) - 1)), max_size=6))
def test_counts_of_two_passes(places: list[tuple[int, int | None]]) -> None:
    """Who is synced twice counts as it stands later, with the steps of both passes; so does who is left out first."""
    names = [CustomerID(f"C{n}") for n in range(len(places))]
    first = [evolve(TOLD[place], customer=name) for name, (place, _) in zip(names, places, strict=True)]
    second = [
        evolve(TOLD[place], customer=name) for name, (_, place) in zip(names, places, strict=True) if place is not None
    ]
    redone = frozenset(result.customer for result in second)
    tally = replaced(tally_of(first, 1000), redone, tally_of(second, 1000))
    stays = [result for result in first if result.customer not in redone]
    later = counts_of([*stays, *second])
    assert tally.counts == evolve(later, steps=counts_of([*first, *second]).steps)
    left = without(tally_of(first, 1000), [result for result in first if result.customer in redone])
    same = tally_of(stays, 1000)
    assert (left.customers, left.results, left.told) == (same.customers, same.results, same.told)
    assert left.counts == evolve(same.counts, steps=counts_of(first).steps)


def _refused(at_hand: object) -> None:
    try:
        list[object]().remove(at_hand)
    except ValueError as cause:
        raise RejectedError(Reason.OTHER, "no") from cause


def test_an_error_holds_nothing_of_what_was_at_hand() -> None:
    """An error that is kept for the report says where it was raised, and keeps no customer's world alive."""
    world = Counter("a world")
    alive = weakref.ref(world)

    def raised(at_hand: object) -> RejectedError:
        try:
            _refused(at_hand)
        except RejectedError as error:
            return error
        raise AssertionError

    error = raised(world)
    del world
    assert alive()
    trouble = trouble_of(C1, error)
    assert trouble == Trouble(customer=C1, error=error)
    assert alive() is None
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["raised", "_refused"]


# ------------------------------------------------------------------ stops and reports
@pytest.mark.parametrize(
    ("customers", "failed", "stops"),
    [(19, 19, False), (20, 7, False), (20, 8, True), (100, 39, False), (100, 41, True)],
)
def test_too_many_failures(customers: int, failed: int, stops: bool) -> None:  # noqa: FBT001  # a table's column
    """A run stops in which 40 % fail, from 20 customers on, and says how many."""
    why = too_many_failures(Tally(customers=customers, failed=failed), terms())
    said = f"{failed} of {customers} customers failed; see the first of them before going on"
    assert why == (said if stops else "")


def test_report() -> None:
    """The report names the run, and tells apart who stands how and who gave trouble; what was held is of all."""
    fine = Settled(customer=C1, held=frozenset({Guarded.REMOVALS}))
    trouble = Trouble(customer=C2, error=ValueError())
    counts = Counts(held=Counter({Guarded.REMOVALS: 3}), troubles=1)
    tally = Tally(customers=9, results=(fine, trouble), counts=counts, stopped="enough")
    assert report_of(tally, terms(), frozenset({Guarded.ADOPTIONS})) == RunReport(
        run="r1",
        customers=9,
        settled=(fine,),
        troubles=(trouble,),
        held=frozenset({Guarded.REMOVALS, Guarded.ADOPTIONS}),
        stopped="enough",
        counts=counts,
    )
