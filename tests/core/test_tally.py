"""What passes come to, and how they add up to a report."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import RemoveUser, Step
from acumatica_b2b.errors import NotSentError, RateLimitedError, Reason, RejectedError, StalePlanError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import customer_record
from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.policy import Guarded, Limits, SyncPolicy
from acumatica_b2b.report import RunReport, Trouble
from acumatica_b2b.tally import Tally, added, replaced, report_of, tally_of, too_many_failures
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
    assert tally_of([one, two, three]) == Tally(
        customers=3,
        results=(one, three),
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
    assert tally_of([one]).results == ((one,) if told else ())


def test_failures() -> None:
    """A customer fails whose step was refused or that gave trouble; one that is left to another run does not."""
    left = Trouble(customer=C3, error=LeftToAnotherError("busy"))
    assert tally_of([Trouble(customer=C3, error=StalePlanError("changed"))]).failed == 0
    results: list[Settled | Trouble] = [
        Settled(customer=C1, failures=2),
        Settled(customer=C2),
        left,
        Trouble(customer=C4, error=ValueError()),
    ]
    assert tally_of(results).failed == 2
    assert left in tally_of(results).results


@pytest.mark.parametrize("error", [DOWN, RateLimitedError("wait")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("make", [lambda e: Trouble(customer=C1, error=e), lambda e: Settled(customer=C1, outage=e)])
def test_outage(error: Any, make: Any) -> None:
    """A system that could not be reached ends the run, with the reason; any other trouble does not."""
    assert tally_of([Settled(customer=C2), make(error)]).stopped == f"a system could not be reached: {error}"
    assert tally_of([Trouble(customer=C1, error=ValueError("a bug"))]).stopped == ""


# ------------------------------------------------------------------ of several pages
FIRST = Tally(
    customers=1,
    results=(Settled(customer=C1, findings=FOUND),),
    second_pass=frozenset({C1}),
    waits=frozenset({C1}),
    look_at=frozenset({C2}),
    seen=frozenset({C1}),
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
    second_pass=frozenset({C2}),
    waits=frozenset({C2}),
    look_at=frozenset({C3}),
    seen=frozenset({C2}),
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
        second_pass=frozenset({C1, C2}),
        waits=frozenset({C1, C2}),
        look_at=frozenset({C2, C3}),
        seen=frozenset({C1, C2}),
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
    new = Tally(
        customers=2,
        results=(Settled(customer=C1, steps=(step("2"),), failures=1),),
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
    tally = Tally(customers=9, results=(fine, trouble), stopped="enough")
    assert report_of(tally, terms(), frozenset({Guarded.ADOPTIONS})) == RunReport(
        run="r1",
        customers=9,
        settled=(fine,),
        troubles=(trouble,),
        held=frozenset({Guarded.REMOVALS, Guarded.ADOPTIONS}),
        stopped="enough",
    )
