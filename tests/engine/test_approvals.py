"""What the guard holds, what people approve, and plans that are kept in a file and followed to the letter."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import (
    Action,
    ContactID,
    DecodeError,
    Guarded,
    HandOver,
    Limits,
    Outcome,
    Plan,
    RemoveUser,
    SealedPlan,
    StalePlanError,
    StorefrontID,
    SyncPolicy,
    UpdateUser,
    read_sealed,
    seal,
    write_sealed,
)
from acumatica_b2b.guard import most, within
from acumatica_b2b.runlog import fold_runs
from acumatica_b2b.testing import MemoryShop
from tests.bench import ANNA, BILL, CARL, HERE, MARK, THERE, Bench, contact, crowd, customer, done, kinds

NONE = Limits(removals=0, hand_overs=0, email_changes=0, adoptions=0, share_from=0)
FEW = SyncPolicy(limits=NONE)


def started(policy: SyncPolicy = FEW, **settings: object) -> Bench:
    """Return a bench with a synced customer of four contacts."""
    bench = Bench(policy=policy, **settings)  # type: ignore[arg-type]  # as given
    bench.put(customer(MARK, ANNA, BILL, CARL, primary=MARK))
    assert bench.sync().ok
    return bench


def approve(bench: Bench, plan: Plan | SealedPlan) -> int:
    """Approve a plan."""
    return bench.contact_sync.approve(plan, by="kim")


def sealed(bench: Bench, plan: Plan) -> SealedPlan:
    """Return a plan as it comes back from its file."""
    return read_sealed(write_sealed(seal(plan, bench.policy.store, bench.clock.now()), {"shown": "to people"}))


# ------------------------------------------------------------------ approvals
def one_leaves(bench: Bench) -> None:
    """Anna leaves."""
    bench.change(ANNA, active=False)


def all_but_one_leave(bench: Bench) -> None:
    """Everybody but the primary contact leaves: too much of one company."""
    for one in (ANNA, BILL, CARL):
        bench.change(one, active=False)


def the_mark_moves(bench: Bench) -> None:
    """Anna becomes primary."""
    bench.change_customer(primary_contact=ANNA.id)


def an_address_changes(bench: Bench) -> None:
    """Anna gets another address, and another name."""
    bench.change(ANNA, email="ann@acme.example", last_name="Other")


def a_new_primary_comes(bench: Bench) -> None:
    """The primary contact is somebody who has no user yet."""
    bench.add(contact(150, "Zoe"))
    bench.change_customer(primary_contact=ContactID("150"))


CHANGES = (one_leaves, all_but_one_leave, the_mark_moves, an_address_changes, a_new_primary_comes)
CASES = [(change, hand_over) for change in CHANGES for hand_over in HandOver]


@pytest.mark.parametrize(("change", "hand_over"), CASES)
def test_what_is_approved_goes_out_and_only_that(change: object, hand_over: HandOver) -> None:
    """The guard holds what goes beyond the limits; approved, the very same plan goes out, and nothing like it later."""
    bench = started(shop=MemoryShop(hand_over=hand_over, strict=True))
    change(bench)  # type: ignore[operator]  # one of the above
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())
    plan = bench.plan()
    expected = unguarded(change, hand_over)
    assert approve(bench, plan) > 0
    assert bench.sync().held == frozenset()
    assert bench.roles() == expected
    bench.add(contact(160, "Yan"))
    bench.sync()
    bench.change_customer(primary_contact=ContactID("160"))
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())


def unguarded(change: object, hand_over: HandOver) -> Mapping[str, str]:
    """Return what comes of a change where nothing is guarded."""
    bench = started(
        SyncPolicy(limits=evolve(Limits(), half_of_company_from=100)),
        shop=MemoryShop(hand_over=hand_over, strict=True),
    )
    change(bench)  # type: ignore[operator]  # one of the above
    assert bench.sync().ok
    return bench.roles()


def test_an_approval_is_bound_to_what_was_shown() -> None:
    """Who leaves after the plan was shown is not among those approved."""
    bench = started()
    bench.change(ANNA, active=False)
    approve(bench, bench.plan())
    bench.change(BILL, active=False)
    report = bench.sync()
    assert done(step for step in report.steps if isinstance(step, RemoveUser)) == ["RemoveUser 102"]
    assert Guarded.REMOVALS in report.held


def test_an_approved_address_is_that_address() -> None:
    """An approved change of address does not let another address of the same contact through."""
    bench = started()
    bench.change(ANNA, email="ann@acme.example")
    approve(bench, bench.plan())
    bench.change(ANNA, email="anne@acme.example")
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())
    assert bench.user(ANNA).email == "anna@acme.example"


def test_an_approval_lasts_as_long_as_the_limits_look_back() -> None:
    """An approval that nobody used is void a day later."""
    bench = started()
    one_leaves(bench)
    approve(bench, bench.plan())
    bench.clock.sleep(timedelta(hours=24).total_seconds())
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())


def test_what_was_approved_is_not_counted() -> None:
    """Approved removals leave the limits as they were for others."""
    bench = started(SyncPolicy(limits=Limits(removals=1, share_from=100)))
    bench.change(ANNA, active=False)
    approve(bench, bench.plan())
    assert bench.sync().ok
    bench.change(BILL, active=False)
    assert bench.sync().ok
    bench.change(CARL, active=False)
    assert not bench.sync().ok or ("GUARD_HELD", HERE) in kinds(bench.sync())
    assert bench.find_user(CARL)


def test_the_last_user_stays_whatever_is_approved() -> None:
    """A company is never emptied: of users who may all go, one stays."""
    bench = started(shop=MemoryShop(strict=False))
    bench.shop.set_role(bench.user(MARK).id, "Senior Buyer")
    for one in (MARK, ANNA, BILL, CARL):
        bench.change(one, active=False)
    approve(bench, bench.plan())
    bench.sync()
    assert len(bench.company().users) == 1


def test_an_approved_adoption_goes_out() -> None:
    """A company that may not be adopted under the limits is once the plan that shows it was approved."""
    bench = Bench(policy=SyncPolicy(limits=NONE, adopt_companies=True))
    company = bench.shop.add_company("Old")
    bench.shop.add_user(company, MARK.email, role="Admin")
    bench.put(customer(MARK, primary=MARK))
    plan = bench.plan()
    assert plan.held == {Guarded.ADOPTIONS}
    bench.sync()
    assert bench.find_company() is None
    approve(bench, plan)
    bench.sync()
    assert bench.company().id == company


def test_approving_nothing_records_nothing() -> None:
    """A plan without guarded steps needs no approval, and none is written."""
    bench = started()
    before = bench.versions()
    assert approve(bench, bench.plan()) == 0
    assert bench.versions() == before


# ------------------------------------------------------------------ what a plan says of it
def test_a_plan_says_what_the_guard_would_hold() -> None:
    """A plan names the kinds of which it has more than the limits allow, counted with what went out today."""
    bench = started(SyncPolicy(limits=Limits(removals=1, share_from=100)))
    bench.change(ANNA, active=False)
    assert bench.plan().held == frozenset()
    bench.sync()
    bench.change(BILL, active=False)
    plan = bench.plan()
    assert plan.held == {Guarded.REMOVALS}
    approve(bench, plan)
    assert bench.plan().held == frozenset()


def test_a_plan_shows_what_an_approval_would_let_out() -> None:
    """Removals of more than half of a company are shown beside the plan's steps, as waiting for an approval."""
    bench = started(SyncPolicy())
    all_but_one_leave(bench)
    (company,) = bench.plan().companies
    assert company.steps == ()
    assert done(company.on_approval)[:3] == ["RemoveUser 102", "RemoveUser 103", "RemoveUser 104"]


# ------------------------------------------------------------------ plans in files
def test_a_sealed_plan_is_applied() -> None:
    """A plan that went through its file does the same as the plan itself."""
    bench = started(SyncPolicy())
    bench.change(ANNA, first_name="Anne", active=True)
    bench.change(BILL, active=False)
    plan = sealed(bench, bench.plan())
    assert done(bench.contact_sync.apply(plan)) == ["UpdateUser 102", "RemoveUser 103", "WriteReference 103"]
    assert bench.sync().steps == ()


@pytest.mark.parametrize("kept", [False, True])
def test_a_plan_whose_basis_changed_is_refused(kept: bool) -> None:  # noqa: FBT001  # a table's column
    """A customer that changed since is left as it is, by name; the others are done."""
    bench = started(SyncPolicy())
    bench.put(customer(contact(301, "Olga"), contact(302, "Pavel"), number=2, primary=contact(301, "Olga")))
    bench.sync()
    bench.change(ANNA, first_name="Anne")
    bench.change(contact(302), last_name="Other")
    plan = bench.plan()
    bench.change(BILL, phones=("1",))
    report = bench.contact_sync.apply(sealed(bench, plan) if kept else plan)
    (trouble,) = report.troubles
    assert (trouble.customer, type(trouble.error)) == (HERE, StalePlanError)
    assert done(report) == ["UpdateUser 302"]
    assert not report.ok


def test_what_people_change_in_the_shop_makes_a_plan_stale_too() -> None:
    """A company that people edited since the plan was made is left as it is, where that changes the plan."""
    bench = started(SyncPolicy())
    bench.change(ANNA, first_name="Anne")
    plan = bench.plan()
    bench.shop.edit_user(bench.user(BILL).id, (("last_name", "Edited"),))
    assert [type(one.error) for one in bench.contact_sync.apply(plan).troubles] == [StalePlanError]


def test_a_plan_is_for_its_store() -> None:
    """A plan for another store is refused as a whole."""
    bench = started()
    other = evolve(sealed(bench, bench.plan()), store="elsewhere")
    with pytest.raises(StalePlanError, match="for store 'elsewhere'"):
        bench.contact_sync.apply(other)
    with pytest.raises(StalePlanError, match="for store 'elsewhere'"):
        approve(bench, other)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-10], "is no JSON"),
        (lambda text: "[]", "expected dict, not list"),  # noqa: ARG005  # as the others
        (lambda text: "{}", 'no part "sealed"'),  # noqa: ARG005  # as above
        (lambda text: text.replace('"shown": "to people"', '"shown": "to nobody"'), "was changed after it was written"),
        (lambda text: text.replace('"store": "store"', '"store": "other"'), "was changed after it was written"),
        (lambda text: text.replace('"schema": 1', '"schema": 9'), "has schema 9"),
    ],
)
def test_a_damaged_plan_is_refused(damage: object, words: str) -> None:
    """A plan file that was cut, edited or written by another version is refused in words."""
    bench = started()
    one_leaves(bench)
    text = write_sealed(seal(bench.plan(), "store", bench.clock.now()), {"shown": "to people"})
    assert read_sealed(text)
    with pytest.raises(DecodeError, match=words):
        read_sealed(damage(text))  # type: ignore[operator]  # one of the above


def test_a_sealed_plan_holds_no_values() -> None:
    """The sealed part of a plan names records and digests: no address, no name."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    text = json.dumps(json.loads(write_sealed(seal(bench.plan(), "store", bench.clock.now()), {}))["sealed"])
    assert not {word for word in ("acme", "Mark", "Ames", "555-") if word in text}


def test_applying_takes_no_step_that_was_not_shown() -> None:
    """What comes up while a plan is applied waits for the next plan, removals above all."""

    class Busy(MemoryShop):
        """Somebody leaves while the first pass is under way."""

        def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
            if any(isinstance(action, UpdateUser) for action in actions):
                bench.change(BILL, active=False)
            return super().perform(actions)

    bench = started(SyncPolicy(), shop=Busy())
    bench.change(ANNA, active=False)
    bench.change(CARL, first_name="Carlo")
    report = bench.contact_sync.apply(bench.plan())
    assert "RemoveUser 102" in done(report)
    assert "RemoveUser 103" not in done(report)
    assert bench.find_user(BILL)


# ------------------------------------------------------------------ what is counted
def test_a_full_run_counts_the_store() -> None:
    """After a run over everything the totals are what the log's customers add up to, whatever they were before."""
    bench = started(SyncPolicy())
    bench.put(customer(*crowd(7), number=2, primary=crowd(1)[0]))
    bench.sync()
    bench.store._logs.pop("store/run")  # type: ignore[call-overload]  # a log that lost its counts
    bench.change(ANNA, active=False)
    bench.sync()
    (log,) = bench.store.load(["store/run"])  # type: ignore[list-item]  # a key
    tally = fold_runs((commit.version, commit.body) for commit in log).tally
    assert (tally.users, tally.companies) == (10, 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(Guarded), st.integers(0, 12))
def test_the_most_is_the_most(users: int, companies: int, kind: Guarded, share_from: int) -> None:
    """So many of a kind may go out on a fresh day, and not one more."""
    bench = started(SyncPolicy())
    limits = Limits(share_from=share_from)
    tally = evolve(fold_runs(()).tally, users=users, companies=companies)
    number = most(limits, tally, kind)
    assert within(limits, tally, kind, number, bench.clock.now())
    assert not within(limits, tally, kind, number + 1, bench.clock.now())


@pytest.mark.parametrize("key", [HERE, THERE])
def test_the_guard_counts_over_all_runs(key: str) -> None:
    """Two runs of one customer each count together, as one run of both does."""
    bench = Bench(policy=SyncPolicy(limits=Limits(hand_overs=1, share_from=100)))
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    bench.sync()
    bench.change_customer(HERE, primary_contact=ANNA.id)
    bench.change_customer(THERE, primary_contact=CARL.id)
    first, second = (HERE, THERE) if key == HERE else (THERE, HERE)
    assert bench.sync(first).ok
    assert Guarded.HAND_OVERS in bench.sync(second).held


@pytest.mark.parametrize(("limit", "parked"), [(1, False), (2, False)])
def test_a_swap_goes_round_or_stays(limit: int, parked: bool) -> None:  # noqa: FBT001  # a table's column
    """An exchange of addresses goes out whole or not at all: nobody is left on a parked address by the limits."""
    bench = started(SyncPolicy(parking_domain="parked.example", limits=Limits(email_changes=limit, share_from=100)))
    bench.change(ANNA, email=BILL.email)
    bench.change(BILL, email=ANNA.email)
    bench.sync()
    assert any(name.startswith("parked") for name in bench.roles()) is parked
    assert (bench.user(ANNA).email == BILL.email) is (limit > 1)


def test_a_new_contact_as_primary_is_a_hand_over() -> None:
    """Beyond the limit a new contact that is primary becomes a plain user, and the admin stays."""
    bench = started()
    a_new_primary_comes(bench)
    bench.sync()
    assert bench.admins() == {"mark"}
    assert bench.roles()["zoe"] == "Senior Buyer"


def test_a_plan_that_was_applied_in_part_is_finished() -> None:
    """However many customers were done before, applying a plan again goes on to those that were not."""
    bench = Bench(wave=5)
    contacts = [contact(1000 + number, f"Person{number}") for number in range(60)]
    bench.put(*(customer(one, number=number + 1, primary=one) for number, one in enumerate(contacts)))
    plan = bench.plan()
    bench.sync(*(company.customer for company in plan.companies[:20]))
    assert not bench.contact_sync.apply(plan).stopped
    assert len(bench.shop.snapshot()) == 60
