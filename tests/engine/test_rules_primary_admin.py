"""The Primary Admin table, row by row, through the engine in each of the three regimes."""

from collections.abc import Callable

import pytest
from attrs import evolve

from acumatica_b2b import ContactSync
from acumatica_b2b.actions import Action, CreateUser, MoveAdmin, SetRole
from acumatica_b2b.findings import Status
from acumatica_b2b.model import Contact, ContactID, HandOver
from acumatica_b2b.policy import FirstAdmin, SyncPolicy, TakeBack
from acumatica_b2b.testing import Crash, Fault, FaultyShop, MemoryShop, whenever
from tests.bench import (
    ANNA,
    BILL,
    HERE,
    MARK,
    NO,
    REGIMES,
    THERE,
    Bench,
    Refusing,
    contact,
    customer,
    done,
    finding,
    kinds,
)

every_regime = pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.value)
two_calls = pytest.mark.parametrize(
    "regime", [HandOver.PROMOTE_FIRST, HandOver.DEMOTE_FIRST], ids=lambda regime: regime.value
)
inline = pytest.mark.parametrize("admin_at_creation", [False, True], ids=["created-empty", "created-with-admin"])


def started(regime: HandOver, *, policy: SyncPolicy | None = None, shop: MemoryShop | None = None) -> Bench:
    """Return a bench whose company has Mark, its primary, as admin, and Anna."""
    bench = Bench(shop=shop or MemoryShop(hand_over=regime, strict=True), policy=policy or SyncPolicy())
    bench.put(customer(MARK, ANNA, primary=MARK))
    assert bench.sync().ok
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer"}
    return bench


# ------------------------------------------------------------------ P may take part
@every_regime
def test_primary_is_admin(regime: HandOver) -> None:
    """P is admin: a second sync does nothing."""
    bench = started(regime)
    assert done(bench.sync()) == []


@every_regime
def test_handed_over(regime: HandOver) -> None:
    """P, Q is admin by our grant: P gets the role, Q loses it, and no finding is left."""
    bench = started(regime)
    bench.erp.set_primary(HERE, ANNA.id)
    report = bench.sync()
    assert bench.roles() == {"mark": "Senior Buyer", "anna": "Admin"}
    assert report.findings == ()


@pytest.mark.parametrize(
    ("regime", "calls"),
    [
        (HandOver.ATOMIC, ["MoveAdmin 102"]),
        (HandOver.PROMOTE_FIRST, ["SetRole 102", "SetRole 101"]),
        (HandOver.DEMOTE_FIRST, ["SetRole 101", "SetRole 102"]),
    ],
    ids=lambda value: value.value if isinstance(value, HandOver) else "",
)
def test_calls_of_a_hand_over(regime: HandOver, calls: list[str]) -> None:
    """A hand-over is one call under ATOMIC, otherwise two, in the regime's order."""
    bench = started(regime)
    bench.erp.set_primary(HERE, ANNA.id)
    assert done(bench.sync()) == calls


@every_regime
def test_plan_of_a_hand_over(regime: HandOver) -> None:
    """The plan of a hand-over is what the run then does and finds, step by step."""
    bench = started(regime)
    bench.erp.set_primary(HERE, ANNA.id)
    plan, report = bench.plan(), bench.sync()
    assert done(plan) == done(report)
    assert plan.findings == report.findings == ()


@every_regime
def test_handed_back(regime: HandOver) -> None:
    """The role goes back to who had it when the ERP's mark goes back."""
    bench = started(regime)
    for primary in (ANNA, MARK):
        bench.erp.set_primary(HERE, primary.id)
        bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer"}


@two_calls
def test_q_gets_back_the_role_it_had(regime: HandOver) -> None:
    """Q gets back the role it had before we made it admin, not the one that new users get."""
    bench = started(regime)
    bench.shop.set_role(bench.user(ANNA).id, "Junior Buyer")
    for primary in (ANNA, MARK):
        bench.erp.set_primary(HERE, primary.id)
        bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Junior Buyer"}


@two_calls
def test_foreign_admins_stay(regime: HandOver) -> None:
    """P, admins whose grant is not ours: P is granted, they stay, and one finding names them and the way out."""
    bench = started(regime, shop=MemoryShop(hand_over=regime))
    bench.shop.set_role(bench.user(MARK).id, "Senior Buyer")
    bench.shop.set_role(bench.user(ANNA).id, "Admin")
    by_hand = bench.shop.add_user(bench.company().id, "boss@shop.example", role="Admin")
    report = bench.sync()
    assert bench.admins() == {"mark", "anna", "boss"}
    found = finding(report, "OTHER_ADMIN", HERE)
    assert bench.user(ANNA).id in found.detail
    assert by_hand in found.detail
    assert "take_back" in found.way_out
    assert report.ok


@pytest.mark.parametrize(
    ("take_back", "left"),
    [(TakeBack.OURS, {"mark", "anna", "boss"}), (TakeBack.LINKED, {"mark", "boss"}), (TakeBack.ALL, {"mark"})],
    ids=lambda value: value.value if isinstance(value, TakeBack) else "",
)
def test_take_back(take_back: TakeBack, left: set[str]) -> None:
    """`take_back` says whose role is taken back: that of our grants, of linked users, or everybody's."""
    bench = started(HandOver.PROMOTE_FIRST, policy=SyncPolicy(take_back=take_back))
    bench.shop.set_role(bench.user(ANNA).id, "Admin")
    bench.shop.add_user(bench.company().id, "boss@shop.example", role="Admin")
    bench.sync()
    assert bench.admins() == left


@two_calls
def test_the_role_is_exclusive_to_us(regime: HandOver) -> None:
    """Where the policy says that the role is exclusive to us, whoever has it gives it back."""
    bench = started(regime, policy=SyncPolicy(role_is_ours=True), shop=MemoryShop(hand_over=regime))
    bench.shop.add_user(bench.company().id, "boss@shop.example", role="Admin")
    bench.sync()
    assert bench.admins() == {"mark"}


def test_an_exclusive_role_is_the_primary_role_only() -> None:
    """A further admin role is nobody's of ours, also where the primary role is exclusive to us."""
    roles = ("Admin", "Owner", "Senior Buyer")
    policy = SyncPolicy(role_is_ours=True, admin_roles=frozenset({"Owner"}))
    bench = started(HandOver.PROMOTE_FIRST, policy=policy, shop=MemoryShop(roles=roles))
    bench.shop.add_user(bench.company().id, "boss@shop.example", role="Owner")
    report = bench.sync()
    assert bench.roles()["boss"] == "Owner"
    assert ("OTHER_ADMIN", HERE) in kinds(report)


def test_a_primary_with_a_further_admin_role_is_admin() -> None:
    """P has one of the policy's admin roles: P is admin, nothing."""
    roles = ("Admin", "Owner", "Senior Buyer")
    policy = SyncPolicy(admin_roles=frozenset({"Owner"}))
    bench = started(HandOver.PROMOTE_FIRST, policy=policy, shop=MemoryShop(roles=roles))
    bench.shop.set_role(bench.user(MARK).id, "Owner")
    assert done(bench.sync()) == []


@every_regime
def test_no_admin(regime: HandOver) -> None:
    """P, no admin: P is granted, however the role was lost."""
    bench = started(regime, shop=MemoryShop(hand_over=regime))
    bench.shop.set_role(bench.user(MARK).id, "Senior Buyer")
    assert bench.admins() == set()
    bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer"}


@every_regime
def test_primary_is_no_user_yet(regime: HandOver) -> None:
    """P is not yet a user, Q is admin: P is created and ends as the only admin of ours."""
    bench = started(regime)
    bench.add(BILL)
    bench.erp.set_primary(HERE, BILL.id)
    bench.sync()
    assert bench.roles() == {"mark": "Senior Buyer", "anna": "Senior Buyer", "bill": "Admin"}


@pytest.mark.parametrize(
    ("regime", "role"),
    [(HandOver.ATOMIC, "Senior Buyer"), (HandOver.PROMOTE_FIRST, "Admin"), (HandOver.DEMOTE_FIRST, "Senior Buyer")],
    ids=lambda value: value.value if isinstance(value, HandOver) else "",
)
def test_primary_is_created_with_the_role_where_two_may_stand(regime: HandOver, role: str) -> None:
    """P is created with the role where two may stand side by side, else created and then handed to."""
    bench = started(regime)
    bench.add(BILL)
    bench.erp.set_primary(HERE, BILL.id)
    bench.sync()
    (created,) = [a for a in bench.shop.journal if isinstance(a, CreateUser) and a.user.contact == BILL.id]
    assert created.role == role


@every_regime
@inline
def test_a_new_company_begins_with_its_admin(regime: HandOver, *, admin_at_creation: bool) -> None:
    """A new company has P as its one admin, whether the shop makes it with its admin or without."""
    bench = Bench(shop=MemoryShop(hand_over=regime, admin_at_creation=admin_at_creation, strict=True))
    bench.put(customer(ANNA, MARK, BILL, primary=MARK))
    assert bench.sync().ok
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer", "bill": "Senior Buyer"}
    assert done(bench.sync()) == []


@every_regime
@inline
def test_the_admin_made_with_the_company_is_ours(regime: HandOver, *, admin_at_creation: bool) -> None:
    """The admin that a company was made with has the role by our grant: it is handed over later."""
    bench = Bench(shop=MemoryShop(hand_over=regime, admin_at_creation=admin_at_creation, strict=True))
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    bench.erp.set_primary(HERE, ANNA.id)
    bench.sync()
    assert bench.admins() == {"anna"}


# ------------------------------------------------------------------ P may not take part
def no_email(bench: Bench) -> None:
    """Take P's address away."""
    bench.change(ANNA, email="")


def inactive(bench: Bench) -> None:
    """Make P inactive."""
    bench.change(ANNA, active=False)


def not_enabled(bench: Bench) -> None:
    """End P's site association."""
    bench.change(ANNA, association=NO)


def deleted(bench: Bench) -> None:
    """Delete P."""
    bench.erp.remove_contact(ANNA.id)


def of_another(bench: Bench) -> None:
    """Move P to another customer."""
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.erp.move_contact(ANNA.id, THERE)


def unknown(bench: Bench) -> None:
    """Name a contact that there never was."""
    bench.erp.set_primary(HERE, ContactID("999"))


def nameless(bench: Bench) -> None:
    """Take P's first name away."""
    bench.change(ANNA, first_name="")


@every_regime
@pytest.mark.parametrize("lose", [no_email, inactive, not_enabled, deleted, of_another, unknown, nameless])
def test_primary_may_not(regime: HandOver, lose: Callable[[Bench], None]) -> None:
    """P has no e-mail, is inactive, deleted, out of scope or moved: Q stays admin, PRIMARY_NOT_ELIGIBLE."""
    bench = started(regime)
    bench.erp.set_primary(HERE, ANNA.id)
    lose(bench)
    report = bench.sync()
    assert bench.admins() == {"mark"}
    assert ("PRIMARY_NOT_ELIGIBLE", HERE) in kinds(report)
    named = "999" if lose is unknown else ANNA.id
    assert named in finding(report, "PRIMARY_NOT_ELIGIBLE", HERE).detail


@every_regime
def test_primary_s_address_belongs_elsewhere(regime: HandOver) -> None:
    """P's address belongs to a user of another company: Q stays admin, PRIMARY_NOT_ELIGIBLE."""
    bench = started(regime)
    other = bench.shop.add_company("Other")
    bench.shop.add_user(other, BILL.email, role="Senior Buyer")
    bench.add(BILL)
    bench.erp.set_primary(HERE, BILL.id)
    report = bench.sync()
    assert bench.admins() == {"mark"}
    assert {("PRIMARY_NOT_ELIGIBLE", HERE), ("EMAIL_OWNED_ELSEWHERE", BILL.id)} <= kinds(report)


@every_regime
def test_primary_is_aborted(regime: HandOver) -> None:
    """P was refused too often and is Aborted: Q stays admin, PRIMARY_NOT_ELIGIBLE."""
    shop = Refusing(hand_over=regime, strict=True)
    bench = started(regime, shop=shop)
    shop.refuses = lambda action: isinstance(action, CreateUser)
    bench.add(BILL)
    bench.erp.set_primary(HERE, BILL.id)
    for _ in range(5):
        bench.sync()
    report = bench.sync()
    assert ("ABORTED", BILL.id) in kinds(report)
    assert ("PRIMARY_NOT_ELIGIBLE", HERE) in kinds(report)
    assert bench.admins() == {"mark"}


@every_regime
def test_primary_shares_an_address(regime: HandOver) -> None:
    """P shares an address with R: P gets it, and R's user with it."""
    bench = started(regime)
    before = bench.user(ANNA)
    bench.add(contact(105, "Bill", email=ANNA.email))
    bench.erp.set_primary(HERE, ContactID("105"))
    report = bench.sync()
    assert bench.admins() == {"anna"}
    assert bench.company().users[1].id == before.id
    assert kinds(report) == {("DUPLICATE_EMAIL", ANNA.id)}


# ------------------------------------------------------------------ nobody is primary
@every_regime
def test_nobody_is_primary(regime: HandOver) -> None:
    """Nobody is primary, Q is admin: Q keeps it, NO_PRIMARY."""
    bench = started(regime)
    bench.erp.set_primary(HERE, None)
    report = bench.sync()
    assert bench.admins() == {"mark"}
    assert kinds(report) == {("NO_PRIMARY", HERE)}


@every_regime
def test_nobody_is_primary_and_nobody_admin(regime: HandOver) -> None:
    """Nobody is primary, nobody is admin, the company exists: nothing, NO_PRIMARY."""
    bench = started(regime, shop=MemoryShop(hand_over=regime))
    bench.erp.set_primary(HERE, None)
    bench.shop.set_role(bench.user(MARK).id, "Senior Buyer")
    report = bench.sync()
    assert done(report) == []
    assert kinds(report) == {("NO_PRIMARY", HERE)}


@every_regime
def test_no_company_without_a_primary(regime: HandOver) -> None:
    """Nobody is primary and no company exists: the company and all its contacts are Held, NO_PRIMARY."""
    bench = Bench(shop=MemoryShop(hand_over=regime))
    bench.put(customer(MARK, ANNA))
    report = bench.sync()
    assert bench.shop.snapshot() == {}
    assert ("NO_PRIMARY", HERE) in kinds(report)
    assert finding(report, "NO_PRIMARY", HERE).status is Status.HELD


@inline
@pytest.mark.parametrize("primary", [None, MARK, contact(999)], ids=["nobody", "no-email", "unknown"])
def test_no_company_without_an_eligible_primary(primary: Contact | None, *, admin_at_creation: bool) -> None:
    """Nobody eligible is primary and no company exists: every contact who could be a user is Held, by name."""
    bench = Bench(shop=MemoryShop(admin_at_creation=admin_at_creation))
    bench.put(customer(evolve(MARK, email=""), ANNA, BILL, primary=primary))
    report = bench.sync()
    assert bench.shop.snapshot() == {}
    assert {HERE, ANNA.id, BILL.id} <= {f.record.id for f in report.findings if f.status is Status.HELD}


@every_regime
@inline
def test_the_lowest_contact_is_the_first_admin(regime: HandOver, *, admin_at_creation: bool) -> None:
    """By policy the lowest eligible contact becomes the first admin of a company without a primary."""
    shop = MemoryShop(hand_over=regime, admin_at_creation=admin_at_creation, strict=True)
    bench = Bench(shop=shop, policy=SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT))
    bench.put(customer(contact(9, "Nina", active=False), contact(1000, "Zoe"), ANNA, MARK))
    report = bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer", "zoe": "Senior Buyer"}
    assert ("NO_PRIMARY", HERE) in kinds(report)


@every_regime
def test_the_first_admin_is_admin_until_the_primary_may(regime: HandOver) -> None:
    """The lowest contact's grant is ours: it goes over to the primary as soon as that one may have it."""
    bench = Bench(
        shop=MemoryShop(hand_over=regime, strict=True), policy=SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT)
    )
    bench.put(customer(MARK, evolve(ANNA, email=""), primary=ANNA))
    bench.sync()
    assert bench.admins() == {"mark"}
    bench.change(ANNA, email=ANNA.email)
    bench.sync()
    assert bench.roles() == {"mark": "Senior Buyer", "anna": "Admin"}


# ------------------------------------------------------------------ Q's contact left
@every_regime
def test_last_admin_left(regime: HandOver) -> None:
    """Q's contact left and no P is eligible: Q stays a user and admin, PROTECTED_ADMIN, to be acted on now."""
    bench = started(regime)
    bench.add(BILL)
    bench.sync()
    bench.erp.set_primary(HERE, None)
    bench.erp.remove_contact(MARK.id)
    report = bench.sync()
    assert bench.admins() == {"mark"}
    assert finding(report, "PROTECTED_ADMIN", MARK.id).act_now
    assert not report.ok


@every_regime
def test_last_admin_left_and_the_primary_may(regime: HandOver) -> None:
    """Q's contact left and P is eligible: P gets the role and Q goes, in one run."""
    bench = started(regime)
    bench.add(BILL)
    bench.sync()
    bench.erp.set_primary(HERE, ANNA.id)
    bench.erp.remove_contact(MARK.id)
    report = bench.sync()
    assert bench.roles() == {"anna": "Admin", "bill": "Senior Buyer"}
    assert report.ok


@two_calls
def test_another_admin_stays(regime: HandOver) -> None:
    """Q's contact left, but somebody else is admin too: Q goes."""
    bench = started(regime, shop=MemoryShop(hand_over=regime))
    bench.shop.add_user(bench.company().id, "boss@shop.example", role="Admin")
    bench.erp.set_primary(HERE, None)
    bench.add(BILL)
    bench.add(contact(106, "Dora"))
    bench.sync()
    bench.erp.remove_contact(MARK.id)
    bench.sync()
    assert "mark" not in bench.roles()
    assert bench.admins() == {"boss"}


# ------------------------------------------------------------------ refusals
def grants_to(bench: Bench, one: Contact) -> Callable[[Action], bool]:
    """Return a predicate of grants to a contact's user."""
    user = bench.user(one).id

    def refuses(action: Action) -> bool:
        return isinstance(action, SetRole | MoveAdmin) and action.user == user and action.role == "Admin"

    return refuses


@every_regime
def test_grant_refused(regime: HandOver) -> None:
    """P's grant is refused: Q has the role at the end of the run, P's refusal is Failed."""
    shop = Refusing(hand_over=regime, strict=True)
    bench = started(regime, shop=shop)
    shop.refuses = grants_to(bench, ANNA)
    bench.erp.set_primary(HERE, ANNA.id)
    report = bench.sync()
    assert bench.admins() == {"mark"}
    assert finding(report, "REFUSED", ANNA.id).status is Status.FAILED
    assert not report.ok


@every_regime
def test_grant_refused_once(regime: HandOver) -> None:
    """P's grant was refused: the next run tries it again."""
    shop = Refusing(hand_over=regime, strict=True)
    bench = started(regime, shop=shop)
    shop.refuses = grants_to(bench, ANNA)
    bench.erp.set_primary(HERE, ANNA.id)
    bench.sync()
    shop.refuses = lambda _: False
    assert bench.sync().ok
    assert bench.admins() == {"anna"}


@every_regime
def test_an_open_hand_over_is_never_aborted(regime: HandOver) -> None:
    """However often P's grant is refused, it is tried again and never Aborted."""
    shop = Refusing(hand_over=regime, strict=True)
    bench = started(regime, shop=shop)
    shop.refuses = grants_to(bench, ANNA)
    bench.erp.set_primary(HERE, ANNA.id)
    for _ in range(8):
        report = bench.sync()
        assert bench.admins() == {"mark"}
        assert "ABORTED" not in {kind for kind, _ in kinds(report)}
    shop.refuses = lambda _: False
    bench.sync()
    assert bench.admins() == {"anna"}


def test_no_admin_left() -> None:
    """Under DEMOTE_FIRST P's grant is refused and so is Q's: NO_ADMIN_LEFT, to be acted on now."""
    shop = Refusing(hand_over=HandOver.DEMOTE_FIRST, strict=True)
    bench = started(HandOver.DEMOTE_FIRST, shop=shop)
    shop.refuses = lambda action: isinstance(action, SetRole) and action.role == "Admin"
    bench.erp.set_primary(HERE, ANNA.id)
    report = bench.sync()
    assert bench.admins() == set()
    assert finding(report, "NO_ADMIN_LEFT", HERE).act_now
    assert report.findings[0].kind.name == "NO_ADMIN_LEFT"
    shop.refuses = lambda _: False
    assert bench.sync().ok
    assert bench.admins() == {"anna"}


@two_calls
def test_take_back_refused(regime: HandOver) -> None:
    """Q's role can't be taken back: the refusal is Failed, the company has an admin, the rest goes on."""
    shop = Refusing(hand_over=regime)
    bench = started(regime, shop=shop)
    shop.refuses = lambda action: isinstance(action, SetRole) and action.role != "Admin"
    bench.erp.set_primary(HERE, ANNA.id)
    bench.add(BILL)
    report = bench.sync()
    assert "mark" in bench.admins()
    assert ("REFUSED", MARK.id) in kinds(report)
    assert "bill" in bench.roles()


@pytest.mark.parametrize("nobody", [True, False])
def test_a_hand_over_that_came_to_no_end_is_taken_back(nobody: bool) -> None:  # noqa: FBT001  # a table's column
    """Where the run died between the two calls and nobody may get the role any more, it goes back to who had it."""
    bench = started(HandOver.DEMOTE_FIRST)
    bench.change_customer(primary_contact=ANNA.id)
    dying = FaultyShop(bench.shop, whenever(lambda what: isinstance(what, SetRole), Fault.CRASH_AFTER))
    with pytest.raises(Crash):
        ContactSync(erp=bench.erp, storefront=dying, store=bench.store, clock=bench.clock, workers=1).sync_all()
    assert bench.admins() == set()
    bench.change_customer(primary_contact=None) if nobody else bench.change(ANNA, email="")
    bench.clock.sleep(bench.policy.lease + 1)
    bench.sync()
    assert bench.admins() == {"mark"}
    assert bench.sync().steps == ()


@pytest.mark.parametrize("take_back", [TakeBack.OURS, TakeBack.LINKED])
def test_an_exclusive_role_is_taken_back_from_anybody(take_back: TakeBack) -> None:
    """Where the primary role is ours alone, whoever has it beside the primary contact loses it."""
    bench = started(HandOver.PROMOTE_FIRST)
    bench.policy = SyncPolicy(role_is_ours=True, take_back=take_back)
    bench.shop.add_user(bench.company().id, "boss@acme.example", role="Admin")
    bench.sync()
    assert bench.admins() == {"mark"}


def test_a_first_admin_whose_creation_was_lost_is_admin_all_the_same() -> None:
    """Where a colleague was made and the first admin was not, the next run makes the first admin with the role."""
    bench = Bench(policy=SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT))
    bench.put(customer(evolve(MARK, email=""), ANNA, BILL, primary=MARK))
    lost = whenever(lambda what: isinstance(what, CreateUser) and what.user.contact == ANNA.id, Fault.LOST)
    ContactSync(
        erp=bench.erp,
        storefront=FaultyShop(bench.shop, lost),
        store=bench.store,
        clock=bench.clock,
        policy=bench.policy,
        workers=1,
    ).sync_all()
    assert bench.roles() == {"bill": "Senior Buyer"}
    bench.clock.sleep(bench.policy.lease + 1)
    bench.sync()
    assert bench.roles() == {"anna": "Admin", "bill": "Senior Buyer"}
