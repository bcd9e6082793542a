"""The guard: what is counted as what, and how much of it may go out."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.actions import CreateUser, RemoveUser, SetRole, Step, UpdateUser, WriteReference
from acumatica_b2b.adopting import adopted
from acumatica_b2b.guard import Spent, Tally, guarded, within
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import map_customer
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyID,
    CompanyUser,
    ContactID,
    HandOver,
    NoteID,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
)
from acumatica_b2b.policy import Guarded, Limits, SyncPolicy
from acumatica_b2b.world import World
from tests.bench import ANNA, HERE, MARK, customer, storefront_id

NOW: Final = datetime(2024, 5, 1, 12, tzinfo=UTC)
LIMITS: Final = Limits()
BIG: Final = Tally(users=10_000, companies=10_000)


def spent(count: int, hours: float = 0, kind: Guarded = Guarded.REMOVALS) -> Spent:
    """Return what went out so many hours ago."""
    return Spent(kind=kind, count=count, at=NOW - timedelta(hours=hours))


# ------------------------------------------------------------------ how much
@pytest.mark.parametrize(
    ("kind", "most"),
    [(Guarded.REMOVALS, 25), (Guarded.HAND_OVERS, 25), (Guarded.EMAIL_CHANGES, 50), (Guarded.ADOPTIONS, 50)],
)
def test_numbers(kind: Guarded, most: int) -> None:
    """However big the store, so many of a kind may go out in a day and not one more."""
    assert within(LIMITS, BIG, kind, most, NOW)
    assert not within(LIMITS, BIG, kind, most + 1, NOW)


@pytest.mark.parametrize(
    ("users", "count", "may"),
    [(3, 1, True), (3, 9, True), (0, 9, True), (49, 10, False), (50, 10, True), (100, 20, True), (100, 21, False)],
)
def test_share_of_users(users: int, count: int, may: bool) -> None:  # noqa: FBT001  # a table's column
    """From ten on never more than a fifth of the linked users; below ten the share is not looked at."""
    assert within(LIMITS, Tally(users=users), Guarded.REMOVALS, count, NOW) is may
    assert within(LIMITS, Tally(users=users), Guarded.EMAIL_CHANGES, count, NOW) is may


@pytest.mark.parametrize(("companies", "count", "may"), [(3, 3, True), (49, 10, False), (50, 10, True)])
def test_share_of_companies(companies: int, count: int, may: bool) -> None:  # noqa: FBT001  # a table's column
    """Hand-overs are compared with the companies, not with the users."""
    assert within(LIMITS, Tally(companies=companies, users=10_000), Guarded.HAND_OVERS, count, NOW) is may


@pytest.mark.parametrize(
    ("before", "may"),
    [
        ((), True),
        ((spent(24),), True),
        ((spent(25, 23.9),), False),
        ((spent(25, 24),), True),
        ((spent(25, 24.1),), True),
        ((spent(12, 20), spent(12, 1)), True),
        ((spent(12, 20), spent(13, 1)), False),
        ((spent(25, 1, Guarded.HAND_OVERS),), True),
    ],
)
def test_over_time(before: tuple[Spent, ...], may: bool) -> None:  # noqa: FBT001  # a table's column
    """What went out within 24 hours counts, whoever sent it; what is older does not, nor another kind."""
    tally = Tally(users=10_000, spent=before)
    assert within(LIMITS, tally, Guarded.REMOVALS, 1, NOW) is may


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(0, 200))
def test_never_over(asked: list[int], users: int) -> None:
    """However it is asked for, no more than the limit goes out in a day."""
    tally = Tally(users=users)
    for count in asked:
        if within(LIMITS, tally, Guarded.REMOVALS, count, NOW):
            tally = Tally(users=users, spent=(*tally.spent, spent(count)))
    total = sum(one.count for one in tally.spent)
    assert total <= 25
    assert total < 10 or total <= users / 5


# ------------------------------------------------------------------ what
COMPANY = CompanyID(StorefrontID("1"))
M, A = storefront_id("11"), storefront_id("12")


def world(*, ours: bool) -> World:
    """Return a company whose admin is Mark, by our grant or not, and whose primary is Anna."""
    people = (
        CompanyUser(id=M, company=COMPANY, email=MARK.email, external_id=MARK.note_id, role="Admin"),
        CompanyUser(id=A, company=COMPANY, email=ANNA.email, external_id=ANNA.note_id, role="Senior Buyer"),
    )
    one = customer(MARK, ANNA, primary=ANNA)
    made = World(
        customer=one,
        desired=map_customer(one, SyncPolicy()),
        policy=SyncPolicy(),
        capabilities=Capabilities(hand_over=HandOver.PROMOTE_FIRST),
        state=LogState(granted=frozenset({M} if ours else ())),
    )
    return adopted(made, Company(id=COMPANY, name="Acme", users=people))


def update(*changes: tuple[str, str]) -> UpdateUser:
    """Return an update of Anna's user."""
    return UpdateUser(company=COMPANY, user=A, contact=ANNA.id, changes=changes)


GRANT = SetRole(company=COMPANY, user=A, contact=ANNA.id, role="Admin")
TAKE = SetRole(company=COMPANY, user=M, contact=MARK.id, role="Senior Buyer")
REFERENCE = Reference(record=Record(RecordKind.CONTACT, "102"), note_id=NoteID(""), customer=HERE, value="12")


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (RemoveUser(company=COMPANY, user=A, contact=ContactID("102")), Guarded.REMOVALS),
        (update(("active", "no")), Guarded.REMOVALS),
        (update(("active", "yes")), None),
        (update(("phone", "555"), ("email", "a@acme.example")), Guarded.EMAIL_CHANGES),
        (update(("phone", "555")), None),
        (GRANT, Guarded.HAND_OVERS),
        (TAKE, Guarded.HAND_OVERS),
        (CreateUser(company=COMPANY, user=world(ours=True).desired.users[0], role="Admin"), Guarded.HAND_OVERS),
        (CreateUser(company=COMPANY, user=world(ours=True).desired.users[0], role="Senior Buyer"), None),
        (WriteReference(reference=REFERENCE), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Step) else str(value),
)
def test_counted_as(step: Step, kind: Guarded | None) -> None:
    """Removals, switching off, e-mail changes and hand-overs are counted; additions and plain updates are not."""
    assert guarded(world(ours=True), step) is kind


def test_a_grant_from_nobody() -> None:
    """A grant that takes the role from nobody of ours is no hand-over."""
    assert guarded(world(ours=False), GRANT) is None
