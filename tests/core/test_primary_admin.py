"""The Primary Admin table, row by row, on `primary_admin(Standing)`; through the engine: test_rules_primary_admin."""

from itertools import product
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.findings import FindingKind
from acumatica_b2b.model import HandOver, UserID
from acumatica_b2b.primary_admin import Primary, Standing, Verdict, primary_admin
from tests.bench import REGIMES, SIDE_BY_SIDE, storefront_id

P: Final = storefront_id("p")
Q: Final = storefront_id("q")
R: Final = storefront_id("r")
NOTHING: Final = Verdict()

regimes = pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.value)


# ------------------------------------------------------------------ the rows
@regimes
def test_primary_is_admin(regime: HandOver) -> None:
    """Primary P is admin: nothing."""
    assert primary_admin(Standing(primary=Primary.ADMIN, user=P, hand_over=regime)) == NOTHING


@pytest.mark.parametrize(
    ("regime", "first"),
    [
        (HandOver.ATOMIC, Verdict(move=P)),
        (HandOver.PROMOTE_FIRST, Verdict(give=P)),
        (HandOver.DEMOTE_FIRST, Verdict(take=(Q,))),
    ],
    ids=lambda value: value.value if isinstance(value, HandOver) else "",
)
def test_hand_over_begins(regime: HandOver, first: Verdict) -> None:
    """Primary P, Q is admin by our grant: the role is handed over in the storefront's regime."""
    assert primary_admin(Standing(primary=Primary.USER, user=P, ours=(Q,), hand_over=regime)) == first


@pytest.mark.parametrize("regime", [HandOver.PROMOTE_FIRST, HandOver.DEMOTE_FIRST], ids=lambda regime: regime.value)
def test_hand_over_ends(regime: HandOver) -> None:
    """Primary P and Q are admins, Q by our grant: Q gives it back."""
    assert primary_admin(Standing(primary=Primary.ADMIN, user=P, ours=(Q,), hand_over=regime)) == Verdict(take=(Q,))


@pytest.mark.parametrize("regime", [HandOver.PROMOTE_FIRST, HandOver.DEMOTE_FIRST], ids=lambda regime: regime.value)
def test_foreign_admins_stay(regime: HandOver) -> None:
    """Primary P, admins whose grant is not ours: P is granted, they are left, one finding names the way out."""
    said = primary_admin(Standing(primary=Primary.USER, user=P, foreign=(Q, R), hand_over=regime))
    assert said == Verdict(give=P, findings=(FindingKind.OTHER_ADMIN,))


@regimes
def test_foreign_admins_stay_beside_the_primary(regime: HandOver) -> None:
    """Primary P is admin beside admins whose grant is not ours: nothing but the one finding."""
    said = primary_admin(Standing(primary=Primary.ADMIN, user=P, foreign=(Q, R), hand_over=regime))
    assert said == Verdict(findings=(FindingKind.OTHER_ADMIN,))


@pytest.mark.parametrize("regime", [HandOver.PROMOTE_FIRST, HandOver.DEMOTE_FIRST], ids=lambda regime: regime.value)
def test_foreign_admins_are_named_when_a_hand_over_ends(regime: HandOver) -> None:
    """Primary P and Q are admins, Q by our grant and R not: Q gives it back, the finding tells of R."""
    said = primary_admin(Standing(primary=Primary.ADMIN, user=P, ours=(Q,), foreign=(R,), hand_over=regime))
    assert said == Verdict(take=(Q,), findings=(FindingKind.OTHER_ADMIN,))


@pytest.mark.parametrize(
    ("regime", "first"),
    [(HandOver.PROMOTE_FIRST, Verdict(give=P)), (HandOver.DEMOTE_FIRST, Verdict(take=(Q,)))],
    ids=lambda value: value.value if isinstance(value, HandOver) else "",
)
def test_foreign_admins_are_named_when_a_hand_over_begins(regime: HandOver, first: Verdict) -> None:
    """Primary P, Q is admin by our grant and R not: the hand-over begins, the finding tells of R."""
    said = primary_admin(Standing(primary=Primary.USER, user=P, ours=(Q,), foreign=(R,), hand_over=regime))
    assert said == evolve(first, findings=(FindingKind.OTHER_ADMIN,))


def test_one_call_moves_it_from_a_foreign_admin() -> None:
    """Primary P, Q is admin, not by our grant: where one call moves the role, P gets it and no admin is left over."""
    said = primary_admin(Standing(primary=Primary.USER, user=P, foreign=(Q,), hand_over=HandOver.ATOMIC))
    assert said == Verdict(move=P)


@pytest.mark.parametrize(
    ("regime", "grant"),
    [
        (HandOver.ATOMIC, Verdict(move=P)),
        (HandOver.PROMOTE_FIRST, Verdict(give=P)),
        (HandOver.DEMOTE_FIRST, Verdict(give=P)),
    ],
    ids=lambda value: value.value if isinstance(value, HandOver) else "",
)
def test_no_admin(regime: HandOver, grant: Verdict) -> None:
    """Primary P, no admin: P is granted."""
    assert primary_admin(Standing(primary=Primary.USER, user=P, hand_over=regime)) == grant


@regimes
@pytest.mark.parametrize("ours", [(), (Q,)], ids=["nobody", "q"])
def test_primary_is_no_user_yet(regime: HandOver, ours: tuple[UserID, ...]) -> None:
    """Primary P is no user yet, Q is admin or nobody: no role changes before P is created."""
    assert primary_admin(Standing(primary=Primary.NOT_YET_A_USER, ours=ours, hand_over=regime)) == NOTHING


@regimes
def test_primary_may_not(regime: HandOver) -> None:
    """Primary P may not be a user, Q is admin: Q keeps it, PRIMARY_NOT_ELIGIBLE."""
    said = primary_admin(Standing(primary=Primary.NOT_ELIGIBLE, ours=(Q,), hand_over=regime))
    assert said == Verdict(findings=(FindingKind.PRIMARY_NOT_ELIGIBLE,))


@regimes
@pytest.mark.parametrize("ours", [(), (Q,)], ids=["nobody", "q"])
def test_nobody_is_primary(regime: HandOver, ours: tuple[UserID, ...]) -> None:
    """Nobody is primary, Q is admin or nobody: nothing changes, NO_PRIMARY."""
    said = primary_admin(Standing(primary=Primary.NOBODY, ours=ours, hand_over=regime))
    assert said == Verdict(findings=(FindingKind.NO_PRIMARY,))


@regimes
@pytest.mark.parametrize(
    ("primary", "why"),
    [(Primary.NOBODY, FindingKind.NO_PRIMARY), (Primary.NOT_ELIGIBLE, FindingKind.PRIMARY_NOT_ELIGIBLE)],
)
def test_last_admin_left(regime: HandOver, primary: Primary, why: FindingKind) -> None:
    """Q's contact left and no P is eligible: Q keeps the role, PROTECTED_ADMIN."""
    said = primary_admin(Standing(primary=primary, ours=(Q,), left=(Q,), hand_over=regime))
    assert said == Verdict(findings=(why, FindingKind.PROTECTED_ADMIN))


@pytest.mark.parametrize(
    ("primary", "why"),
    [(Primary.NOBODY, FindingKind.NO_PRIMARY), (Primary.NOT_ELIGIBLE, FindingKind.PRIMARY_NOT_ELIGIBLE)],
)
def test_hand_over_that_came_to_no_end(primary: Primary, why: FindingKind) -> None:
    """Q gave way and P may not get the role any more: Q gets it back, unless somebody has it."""
    standing = Standing(primary=primary, gave_way=Q, hand_over=HandOver.DEMOTE_FIRST)
    assert primary_admin(standing) == Verdict(give=Q)
    assert primary_admin(evolve(standing, ours=(R,))) == Verdict(findings=(why,))
    assert primary_admin(evolve(standing, foreign=(R,))) == Verdict(findings=(why,))
    assert primary_admin(evolve(standing, gave_way=None)) == Verdict(findings=(why,))


@regimes
def test_another_admin_is_left(regime: HandOver) -> None:
    """Q's contact left, but R is admin too: nobody is protected."""
    said = primary_admin(Standing(primary=Primary.NOBODY, ours=(Q,), foreign=(R,), left=(Q,), hand_over=regime))
    assert said == Verdict(findings=(FindingKind.NO_PRIMARY,))


@pytest.mark.parametrize("regime", SIDE_BY_SIDE, ids=lambda regime: regime.value)
def test_grant_refused(regime: HandOver) -> None:
    """P's grant is refused, Q is admin: Q keeps it."""
    said = primary_admin(Standing(primary=Primary.USER, user=P, ours=(Q,), refused=True, hand_over=regime))
    assert said == NOTHING


def test_grant_refused_after_q_gave_way() -> None:
    """P's grant is refused under DEMOTE_FIRST after Q gave way: Q gets the role back."""
    refused = Standing(primary=Primary.USER, user=P, refused=True, gave_way=Q, hand_over=HandOver.DEMOTE_FIRST)
    assert primary_admin(refused) == Verdict(give=Q)


def test_grant_refused_and_nobody_to_give_it_back_to() -> None:
    """P's grant is refused and Q can't have it back: NO_ADMIN_LEFT, to be acted on now."""
    refused = Standing(primary=Primary.USER, user=P, refused=True, hand_over=HandOver.DEMOTE_FIRST)
    assert primary_admin(refused) == Verdict(findings=(FindingKind.NO_ADMIN_LEFT,))
    assert FindingKind.NO_ADMIN_LEFT.about.act_now


# ------------------------------------------------------------------ laws
@st.composite
def standings(draw: st.DrawFn, regimes: tuple[HandOver, ...] = REGIMES) -> Standing:
    """Return how people may stand: nobody is both ours and foreign, and the primary is neither."""
    primary = draw(st.sampled_from(Primary))
    others = draw(st.lists(st.sampled_from((Q, R, storefront_id("s"))), unique=True))
    cut = draw(st.integers(0, len(others)))
    return Standing(
        primary=primary,
        user=P if primary in {Primary.USER, Primary.ADMIN} else None,
        ours=tuple(others[:cut]),
        foreign=tuple(others[cut:]),
        left=tuple(draw(st.sets(st.sampled_from(others)))) if others else (),
        hand_over=draw(st.sampled_from(regimes)),
        refused=draw(st.booleans()),
        gave_way=draw(st.sampled_from((None, Q, R))),
    )


def admins(standing: Standing) -> set[UserID]:
    """Return who has the role."""
    own = {P} if standing.primary is Primary.ADMIN else set[UserID]()
    return own | set(standing.ours) | set(standing.foreign)


def after(standing: Standing, said: Verdict) -> Standing:
    """Return how people stand once the verdict was carried out."""
    got = said.give or said.move
    ours = tuple(u for u in standing.ours if u not in said.take and not said.move)
    foreign = () if said.move else standing.foreign
    if got == P:
        return evolve(standing, primary=Primary.ADMIN, ours=ours, foreign=foreign)
    return evolve(standing, ours=(*ours, got) if got else ours, foreign=foreign)


@given(standings(SIDE_BY_SIDE))
def test_never_without_an_admin(standing: Standing) -> None:
    """Under ATOMIC and PROMOTE_FIRST no verdict takes the role from a company's only admin."""
    said = primary_admin(standing)
    assert bool(admins(after(standing, said))) >= bool(admins(standing))
    assert not said.take or admins(standing) - set(said.take)


@given(standings())
def test_one_thing_at_a_time(standing: Standing) -> None:
    """A verdict gives, moves or takes, never two of these."""
    said = primary_admin(standing)
    assert sum(map(bool, (said.give, said.move, said.take))) <= 1


@given(standings())
def test_foreign_grants_are_never_taken(standing: Standing) -> None:
    """A verdict takes the role from nobody whose grant is not ours."""
    assert set(primary_admin(standing).take) <= set(standing.ours)


@given(standings())
def test_the_rule_comes_to_rest(standing: Standing) -> None:
    """After two verdicts nothing is left to do, and where P may be admin at most P's grant is ours."""
    standing = evolve(standing, refused=False)
    may = standing.primary in {Primary.USER, Primary.ADMIN}
    for _ in range(2):
        standing = after(standing, primary_admin(standing))
    rest = primary_admin(standing)
    assert (rest.give, rest.move, rest.take) == (None, None, ())
    assert not may or (standing.primary is Primary.ADMIN and not standing.ours)


def test_every_standing_has_a_verdict() -> None:
    """The table has a row for every combination of what it looks at."""
    flags = (False, True)
    for primary, regime, ours, foreign, refused, gave_way in product(Primary, REGIMES, flags, flags, flags, flags):
        standing = Standing(
            primary=primary,
            user=P if primary in {Primary.USER, Primary.ADMIN} else None,
            ours=(Q,) if ours else (),
            foreign=(R,) if foreign else (),
            hand_over=regime,
            refused=refused,
            gave_way=Q if gave_way else None,
        )
        assert isinstance(primary_admin(standing), Verdict)
