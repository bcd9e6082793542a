"""What the guard holds back, as values: what a step counts as, what people approved, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import (
    Changes,
    CreateUser,
    MoveAdmin,
    RemoveUser,
    SetRole,
    Step,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.guard import (
    Spent,
    Tally,
    approval,
    approval_of_adoption,
    counted,
    guarded,
    is_approved,
    is_held,
    most,
    ring_of,
    spent_lately,
    weight,
    within,
)
from acumatica_b2b.model import ContactID, CustomerID, HandOver
from acumatica_b2b.policy import Guarded, Limits, ProtectedLeaver, SyncPolicy
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, HERE, MARK, customer, storefront_id
from tests.core.test_steps import USER
from tests.core.worlds import KEY, SHOP, admin_of, company, links, seen, user_of

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
M, A, B = (user_of(one).id for one in (MARK, ANNA, BILL))
SUSPENDS = SyncPolicy(
    protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Nothing", parking_domain="parked.example"
)
OFF: Changes = (("phone", "5"), ("active", "no"))
EMAIL: Changes = (("phone", "5"), ("email", "new@acme.example"))


def world(*others: Any, regime: HandOver = SHOP.hand_over, **state: Any) -> World:
    """Return the world of a company in which Mark is primary and no admin."""
    there = company(user_of(MARK), *others)
    fields = {"capabilities": evolve(SHOP, hand_over=regime)}
    return seen(
        customer(MARK, ANNA, BILL, primary=MARK), there, SUSPENDS, state=links(MARK, ANNA, BILL, **state), **fields
    )


def role(user: Any, name: str) -> SetRole:
    """Return the step that gives a user a role."""
    return SetRole(company=KEY, user=user, contact=None, role=name)


# ------------------------------------------------------------------ what a step counts as
@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (RemoveUser(company=KEY, user=A, contact=ANNA.id), Guarded.REMOVALS),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=OFF), Guarded.REMOVALS),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("active", "yes"),)), None),
        (UpdateCompany(company=KEY, customer=HERE, changes=OFF), Guarded.REMOVALS),
        (UpdateCompany(company=KEY, customer=HERE, changes=EMAIL), None),
        (role(A, "Nothing"), Guarded.REMOVALS),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=EMAIL), Guarded.EMAIL_CHANGES),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "5"),)), None),
        (CreateUser(company=KEY, user=USER, role="Admin"), None),
    ],
    ids=["removal", "off", "on", "company-off", "company-email", "suspension", "email", "phone", "creation"],
)
def test_counted_as(step: Step, kind: Guarded | None) -> None:
    """Removals, what switches off or suspends, and changes of addresses are counted; all else goes out."""
    assert guarded(world(user_of(ANNA)), step) is kind


def test_the_way_back_from_parking_is_not_counted_again() -> None:
    """A user who comes from its parking address was counted when it went there."""
    step = UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=EMAIL)
    assert guarded(world(user_of(ANNA, email=f"parked-{A}@parked.example")), step) is None
    assert guarded(world(user_of(ANNA), user_of(BILL, email=f"parked-{B}@parked.example")), step) is not None


@pytest.mark.parametrize(
    ("others", "state", "step", "kind"),
    [
        ((), {}, role(M, "Admin"), None),
        ((admin_of(ANNA),), {}, role(M, "Admin"), None),
        ((admin_of(ANNA),), {"granted": frozenset({A})}, role(M, "Admin"), Guarded.HAND_OVERS),
        ((admin_of(ANNA),), {"granted": frozenset({A})}, role(A, "Admin"), None),
        ((admin_of(ANNA),), {"granted": frozenset({A})}, role(A, "Junior"), Guarded.HAND_OVERS),
        ((user_of(ANNA),), {"suspended": frozenset({A})}, role(A, "Junior"), None),
        ((admin_of(BILL),), {"suspended": frozenset({A}), "granted": frozenset({B})}, role(A, "Junior"), None),
        (
            (admin_of(BILL),),
            {"suspended": frozenset({A}), "granted": frozenset({B})},
            role(A, "Admin"),
            Guarded.HAND_OVERS,
        ),
        ((), {"suspended": frozenset({M})}, role(M, "Admin"), None),
    ],
    ids=[
        "nobody",
        "foreign",
        "ours",
        "its-own",
        "taken",
        "restored",
        "beside",
        "restored-as-admin",
        "primary-restored",
    ],
)
def test_roles_counted_as(others: tuple[Any, ...], state: dict[str, Any], step: Step, kind: Guarded | None) -> None:
    """A role that passes from one of ours, or is taken, is a hand-over; a grant where none of ours is admin is not."""
    assert guarded(world(*others, **state), step) is kind


def test_creations_counted_as() -> None:
    """A primary who is made with the role beside an admin of ours is a hand-over; any other creation is none."""
    beside = world(admin_of(ANNA), granted=frozenset({A}))
    assert guarded(beside, CreateUser(company=KEY, user=USER, role="Admin")) is Guarded.HAND_OVERS
    assert guarded(beside, CreateUser(company=KEY, user=USER, role="Junior")) is None
    assert guarded(world(admin_of(ANNA)), CreateUser(company=KEY, user=USER, role="Admin")) is None


def test_rings_count_as_a_whole() -> None:
    """Who steps aside first counts for its whole ring, the others of it for nothing; without parking each for one."""
    ring = (ANNA.id, BILL.id, ContactID("900"))
    at = evolve(world(user_of(ANNA), user_of(BILL)), rings=dict.fromkeys(ring, ring))
    first, second = (
        UpdateUser(company=KEY, user=user_of(one).id, contact=one.id, changes=EMAIL) for one in (ANNA, BILL)
    )
    assert (guarded(at, first), weight(at, first)) == (Guarded.EMAIL_CHANGES, 3)
    assert (guarded(at, second), weight(at, second)) == (None, 1)
    phone = evolve(first, changes=(("phone", "5"),))
    assert (guarded(at, phone), weight(at, phone)) == (None, 1)
    alone = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=EMAIL)
    assert (guarded(at, alone), weight(at, alone)) == (Guarded.EMAIL_CHANGES, 1)
    assert ring_of(at, first) == ring
    assert ring_of(at, alone) == ring_of(at, REMOVE) == ()
    assert weight(at, REMOVE) == 1
    unparked = evolve(at, policy=SyncPolicy())
    assert [(guarded(unparked, one), weight(unparked, one)) for one in (first, second)] == [
        (Guarded.EMAIL_CHANGES, 1)
    ] * 2


def test_moves_counted_as() -> None:
    """A role that one call moves is a hand-over from whoever has it, but from nobody."""
    move = MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin")
    atomic = HandOver.ATOMIC
    assert guarded(world(regime=atomic), move) is None
    assert guarded(world(admin_of(ANNA), regime=atomic), move) is Guarded.HAND_OVERS
    assert guarded(world(admin_of(ANNA), regime=atomic, granted=frozenset({A})), move) is Guarded.HAND_OVERS
    own = MoveAdmin(company=KEY, user=A, contact=ANNA.id, role="Admin")
    assert guarded(world(admin_of(ANNA), regime=atomic, granted=frozenset({A})), own) is None


def test_hand_over_counts_once() -> None:
    """A company's hand-over, which takes and gives, is one; everything else is counted one by one."""
    kinds = [Guarded.HAND_OVERS, Guarded.REMOVALS, Guarded.HAND_OVERS, Guarded.REMOVALS]
    assert counted(kinds) == {Guarded.HAND_OVERS: 1, Guarded.REMOVALS: 2}
    assert counted([]) == {}


# ------------------------------------------------------------------ what people approved
REMOVE = RemoveUser(company=KEY, user=A, contact=ANNA.id)


def test_approval_is_of_all_of_a_step() -> None:
    """An approval is of exactly one step, or of one company for one customer."""
    assert is_approved(REMOVE, frozenset({approval(REMOVE)}))
    assert not is_approved(REMOVE, frozenset({approval(evolve(REMOVE, contact=BILL.id))}))
    assert not is_approved(REMOVE, frozenset())
    names = {approval_of_adoption(customer_id, key) for customer_id in (HERE, CustomerID("C2")) for key in ("1", "2")}
    assert len(names) == 4
    assert approval_of_adoption(HERE, "1") == digest(("adopt", HERE, "1"))  # logs and files keep it


@pytest.mark.parametrize(
    ("step", "shown", "approved"),
    [
        (SetRole(company=KEY, user=A, contact=ANNA.id, role="Admin"), "new:102", True),
        (MoveAdmin(company=KEY, user=A, contact=ANNA.id, role="Admin"), "new:102", True),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=EMAIL), "new:102", True),
        (SetRole(company=KEY, user=A, contact=ANNA.id, role="Admin"), "new:103", False),
        (SetRole(company=KEY, user=A, contact=None, role="Admin"), "new:102", False),
        (SetRole(company=KEY, user=storefront_id("new:103"), contact=ANNA.id, role="Admin"), "new:102", False),
        (REMOVE, "new:102", False),
    ],
    ids=["role", "move", "change", "another", "nobody", "pending", "removal"],
)
def test_step_that_was_shown_before_its_user_was_made(step: Any, shown: str, approved: bool) -> None:  # noqa: FBT001  # col.
    """A step about a user who was still to be made when it was shown is approved by its contact."""
    as_shown = evolve(step, user=storefront_id(shown))
    assert is_approved(step, frozenset({approval(as_shown)})) is approved


def test_held() -> None:
    """What is counted as held is held, unless people approved it."""
    at = evolve(world(user_of(ANNA)), held=frozenset({Guarded.REMOVALS}))
    assert is_held(at, REMOVE)
    assert not is_held(evolve(at, approved=frozenset({approval(REMOVE)})), REMOVE)
    assert not is_held(evolve(at, held=frozenset({Guarded.ADOPTIONS})), REMOVE)
    assert not is_held(at, CreateUser(company=KEY, user=USER, role="Junior"))


def test_approvals_last_as_long_as_the_window() -> None:
    """An approval lasts for the hours that the limits look back."""
    tally = Tally(approvals={"a": NOW, "b": NOW - timedelta(hours=23.9), "c": NOW - timedelta(hours=24)})
    assert tally.approved(Limits(), NOW) == {"a", "b"}
    assert tally.approved(Limits(hours=48), NOW) == {"a", "b", "c"}


# ------------------------------------------------------------------ how much
def test_what_went_out_lately() -> None:
    """What of a kind went out within the window adds up."""
    tally = Tally(
        spent=(
            Spent(kind=Guarded.REMOVALS, count=3, at=NOW),
            Spent(kind=Guarded.REMOVALS, count=4, at=NOW - timedelta(hours=23)),
            Spent(kind=Guarded.REMOVALS, count=5, at=NOW - timedelta(hours=24)),
            Spent(kind=Guarded.ADOPTIONS, count=6, at=NOW),
        )
    )
    assert spent_lately(Limits(), tally, Guarded.REMOVALS, NOW) == 7
    assert spent_lately(Limits(), tally, Guarded.ADOPTIONS, NOW) == 6
    assert within(Limits(removals=8, share_from=100), tally, Guarded.REMOVALS, 1, NOW)
    assert not within(Limits(removals=8, share_from=100), tally, Guarded.REMOVALS, 2, NOW)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Guarded.REMOVALS, 20), (Guarded.HAND_OVERS, 11), (Guarded.EMAIL_CHANGES, 20), (Guarded.ADOPTIONS, 11)],
    ids=lambda value: getattr(value, "value", ""),
)
def test_share(kind: Guarded, expected: int) -> None:
    """A share is of the users for removals and addresses, of the companies for hand-overs and adoptions."""
    assert most(Limits(), Tally(users=104, companies=57), kind) == expected
