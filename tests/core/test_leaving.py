"""Leavers, as values: who has left, who goes, who stays for want of another, and what is too much at once."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import RemoveUser, SetRole, Step, UpdateUser
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.leaving import Leaver, Leaving, admins, leavers, leaving, removal, suspension
from acumatica_b2b.mapping import contact_record, customer_record
from acumatica_b2b.model import CompanyUser, Contact, CustomerID
from acumatica_b2b.policy import Limits, ProtectedLeaver, SyncPolicy
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, CARL, HERE, MARK, THERE, crowd, customer
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, user_of

FOUR = (MARK, ANNA, BILL, CARL)
M, A, B, C = (user_of(one).id for one in FOUR)
SUSPENDS = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Nothing")
ONE = customer_record(HERE)


def leaver(one: Contact, to: CustomerID | None = None) -> Leaver:
    """Return a contact who left."""
    return Leaver(contact=one.id, user=user_of(one).id, to=to)


def of(*gone: Contact, users: tuple[CompanyUser, ...] = (), policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return a company of four, linked, of whose contacts some are inactive."""
    people = [evolve(one, active=False) if one in gone else one for one in FOUR]
    there = company(*(users or map(user_of, FOUR)))
    return seen(customer(*people, primary=MARK), there, policy, state=links(*FOUR), **fields)


def found(record: Contact | None, kind: FindingKind, detail: str) -> Finding:
    """Return a finding of a contact, or of the customer."""
    return Finding(kind=kind, record=contact_record(record.id) if record else ONE, detail=detail)


# ------------------------------------------------------------------ who is admin, who has left
def test_admins() -> None:
    """Admins are the active users who have the primary role or one of the policy's."""
    policy = SyncPolicy(admin_roles=frozenset({"Boss"}))
    users = (admin_of(MARK), user_of(ANNA, role="Boss"), user_of(BILL), admin_of(CARL, active=False))
    assert [admin.id for admin in admins(of(users=users, policy=policy))] == [M, A]
    assert [admin.id for admin in admins(of(users=users))] == [M]


def test_nobody_has_left() -> None:
    """Where all take part nobody has left, and nothing is said."""
    assert leavers(of()) == ()
    assert leaving(of()) == Leaving()


def test_who_has_left() -> None:
    """Who takes part no more has left, in the order of the links."""
    assert leavers(of(BILL, ANNA)) == (leaver(ANNA), leaver(BILL))


@pytest.mark.parametrize(
    "world",
    [
        evolve(of(ANNA), company=None),
        evolve(of(ANNA), company=company(*map(user_of, FOUR), complete=False)),
        evolve(of(ANNA), customer=evolve(of(ANNA).customer, complete=False)),
        evolve(of(ANNA), state=links(MARK, BILL, CARL)),
        of(ANNA, users=tuple(map(user_of, (MARK, BILL, CARL)))),
        of(ANNA, users=(user_of(MARK), user_of(ANNA, active=False), user_of(BILL))),
    ],
    ids=["no-company", "listing", "reading", "not-ours", "gone", "inactive"],
)
def test_who_is_no_leaver(world: World) -> None:
    """Nobody has left who is not surely gone, was not linked, or is no active user any more."""
    assert leavers(evolve(world)) == ()  # what was once asked of a case's world it would know still


def test_bad_record_is_no_leaver() -> None:
    """A linked contact whose record is bad stays."""
    people = (MARK, evolve(ANNA, email=""))
    world = seen(customer(*people, primary=MARK), company(*map(user_of, people)), state=links(*people))
    assert leavers(world) == ()


def test_user_that_is_another_contacts_now_is_no_leaver() -> None:
    """The user of a contact who left is not removed where another contact has it now."""
    zoe = evolve(ANNA, id=FOUR[3].id, note_id=CARL.note_id)
    gone = evolve(ANNA, active=False, email="")
    there = company(user_of(MARK), user_of(ANNA, external_id=CARL.note_id))
    world = seen(customer(MARK, gone, zoe, primary=MARK), there, state=links(MARK, ANNA))
    assert world.pairs.users[zoe.id] == A
    assert leavers(evolve(world, state=links(MARK, ANNA))) == ()


def test_gone_contacts() -> None:
    """A contact who is this customer's no more has left, by its deletion or to another customer."""
    people = (MARK, BILL, CARL)
    there = company(*map(user_of, FOUR))
    for now, to in ((None, None), (evolve(ANNA, customer=THERE), THERE)):
        world = seen(customer(*people, primary=MARK), there, state=links(*FOUR), gone={ANNA.id: now})
        assert leavers(world) == (leaver(ANNA, to),)


def test_customer_that_left() -> None:
    """Of a customer that takes no part only those leave who are another's now."""
    there = company(*map(user_of, FOUR))
    gone = {ANNA.id: evolve(ANNA, customer=THERE), BILL.id: None, CARL.id: evolve(CARL, customer=None)}
    one = customer(evolve(MARK, active=False), status="Inactive")
    world = seen(one, there, state=links(*FOUR), gone=gone)
    assert leavers(world) == (leaver(ANNA, THERE),)


# ------------------------------------------------------------------ what becomes of them
def test_leaver_goes() -> None:
    """Who left goes, up to half of the company."""
    assert leaving(of(ANNA)) == Leaving(go=(leaver(ANNA),))
    assert leaving(of(ANNA, BILL)) == Leaving(go=(leaver(ANNA), leaver(BILL)))


def test_too_many() -> None:
    """More than half of a company, or all of it, needs an approval; the finding says how many."""
    said = "the removal of 3 of its 4 linked company users"
    assert leaving(of(ANNA, BILL, CARL)) == Leaving(findings=(found(None, FindingKind.GUARD_HELD, said),))
    said = "the removal of all its 4 linked company users"
    assert leaving(of(*FOUR)) == Leaving(findings=(found(None, FindingKind.GUARD_HELD, said),))


def test_small_companies() -> None:
    """Of fewer than four linked users more than half may go, but never all."""
    people = (MARK, evolve(ANNA, active=False), evolve(BILL, active=False))
    there = company(*map(user_of, people))
    world = seen(customer(*people, primary=MARK), there, state=links(*people))
    assert leaving(world) == Leaving(go=(leaver(ANNA), leaver(BILL)))
    strict = evolve(world, policy=SyncPolicy(limits=Limits(half_of_company_from=3)))
    said = "the removal of 2 of its 3 linked company users"
    assert leaving(strict) == Leaving(findings=(found(None, FindingKind.GUARD_HELD, said),))


def test_only_active_linked_users_count() -> None:
    """Of how many it would be too much is told by the linked users who are active."""
    users = (user_of(MARK), user_of(ANNA), user_of(BILL), user_of(CARL, active=False))
    assert leaving(of(ANNA, BILL, users=users)) == Leaving(go=(leaver(ANNA), leaver(BILL)))
    strict = SyncPolicy(limits=Limits(half_of_company_from=3))
    said = "the removal of 2 of its 3 linked company users"
    world = of(ANNA, BILL, users=users, policy=strict)
    assert leaving(world) == Leaving(findings=(found(None, FindingKind.GUARD_HELD, said),))


def test_approved() -> None:
    """Approved step by step, or shown as if it were, all go who left; the last user never."""
    world = of(ANNA, BILL, CARL)
    steps = [removal(world, leaver(one)) for one in (ANNA, BILL, CARL)]
    everybody = Leaving(go=(leaver(ANNA), leaver(BILL), leaver(CARL)))
    assert leaving(evolve(world, approved=frozenset(map(digest, steps)))) == everybody
    assert leaving(evolve(world, unguarded=True)) == everybody
    held = leaving(evolve(world, approved=frozenset(map(digest, steps[1:]))))
    assert held.go == ()
    assert leaving(evolve(of(*FOUR), unguarded=True)) == Leaving(
        go=(leaver(ANNA), leaver(BILL), leaver(CARL)), findings=(found(MARK, FindingKind.PROTECTED_LAST_USER, M),)
    )


def test_approved_suspensions() -> None:
    """An approval has to name the suspensions, too."""
    users = (admin_of(MARK), user_of(ANNA), user_of(BILL), user_of(CARL))
    world = of(MARK, ANNA, BILL, users=users, policy=SUSPENDS)
    going = [removal(world, leaver(one)) for one in (ANNA, BILL)]
    assert leaving(evolve(world, approved=frozenset(map(digest, going)))).go == ()
    steps: list[Step] = [*going, suspension(world, leaver(MARK))]
    assert leaving(evolve(world, approved=frozenset(map(digest, steps)))) == Leaving(
        go=(leaver(ANNA), leaver(BILL)),
        suspend=(leaver(MARK),),
        findings=(found(MARK, FindingKind.PROTECTED_ADMIN, M),),
    )


@pytest.mark.parametrize(
    ("policy", "role", "suspended"),
    [(POLICY, "Admin", False), (SUSPENDS, "Admin", True), (SUSPENDS, "Nothing", False)],
    ids=["keep", "suspend", "suspended"],
)
def test_last_user(policy: SyncPolicy, role: str, suspended: bool) -> None:  # noqa: FBT001  # a table's column
    """The last user of a company stays and is told of; by policy it is suspended, once."""
    world = seen(customer(evolve(MARK, active=False)), company(user_of(MARK, role=role)), policy, state=links(MARK))
    said = found(MARK, FindingKind.PROTECTED_LAST_USER, M)
    assert leaving(world) == Leaving(suspend=(leaver(MARK),) if suspended else (), findings=(said,))


def test_last_user_who_moves() -> None:
    """The last user of a company who is another customer's now can't move; the finding names the contact."""
    gone = {MARK.id: evolve(MARK, customer=THERE)}
    world = seen(customer(), company(user_of(MARK)), state=links(MARK), gone=gone)
    said = found(None, FindingKind.MOVE_BLOCKED_LAST_USER, "contact '101'")
    assert leaving(world) == Leaving(findings=(said,))


def test_last_of_several_who_moves() -> None:
    """Where all leave, approved, the first of them stays for want of another, also where it would move."""
    gone = {MARK.id: evolve(MARK, customer=THERE), ANNA.id: None}
    there = company(user_of(MARK), user_of(ANNA))
    world = seen(customer(), there, state=links(MARK, ANNA), gone=gone, unguarded=True)
    said = found(None, FindingKind.MOVE_BLOCKED_LAST_USER, "contact '101'")
    assert leaving(world) == Leaving(go=(leaver(ANNA),), findings=(said,))


def test_last_user_beside_one_who_is_switched_off() -> None:
    """A user who is switched off is no company for the last one."""
    people = (evolve(MARK, active=False), ANNA)
    there = company(user_of(MARK), user_of(ANNA, active=False))
    world = seen(customer(*people), there, state=links(*people))
    assert leaving(world) == Leaving(findings=(found(MARK, FindingKind.PROTECTED_LAST_USER, M),))


def test_leaver_beside_a_stranger() -> None:
    """One leaver beside a user who is not ours is all of our users, and held."""
    people = (evolve(MARK, active=False),)
    there = company(user_of(MARK), user_of(ANNA))
    world = seen(customer(*people), there, state=links(*people))
    said = "the removal of all its 1 linked company users"
    assert leaving(world) == Leaving(findings=(found(None, FindingKind.GUARD_HELD, said),))


# ------------------------------------------------------------------ the last admins
def test_last_admins_stay() -> None:
    """Where nobody else is admin those who left keep the role, and by policy are suspended; the others go."""
    users = (admin_of(MARK), user_of(ANNA), user_of(BILL), user_of(CARL))
    said = found(MARK, FindingKind.PROTECTED_ADMIN, M)
    assert leaving(of(MARK, ANNA, users=users)) == Leaving(go=(leaver(ANNA),), findings=(said,))
    assert leaving(of(MARK, ANNA, users=users, policy=SUSPENDS)) == Leaving(
        go=(leaver(ANNA),), suspend=(leaver(MARK),), findings=(said,)
    )


def test_admin_goes_where_another_is() -> None:
    """An admin who left goes where somebody else is admin."""
    users = (admin_of(MARK), admin_of(ANNA), user_of(BILL), user_of(CARL))
    assert leaving(of(MARK, users=users)) == Leaving(go=(leaver(MARK),))


def test_suspended_admin_stays() -> None:
    """Who was suspended for want of another admin stays so, and is not suspended again."""
    users = (user_of(MARK, role="Nothing"), user_of(ANNA), user_of(BILL), user_of(CARL))
    said = found(MARK, FindingKind.PROTECTED_ADMIN, M)
    assert leaving(of(MARK, ANNA, users=users, policy=SUSPENDS)) == Leaving(go=(leaver(ANNA),), findings=(said,))
    assert leaving(of(MARK, ANNA, users=users)) == Leaving(go=(leaver(MARK), leaver(ANNA)))


# ------------------------------------------------------------------ the steps
def test_steps() -> None:
    """A leaver is removed, or switched off where the shop can; a mover is removed, for its address is needed."""
    world = of(ANNA)
    assert removal(world, leaver(ANNA)) == RemoveUser(company=KEY, user=A, contact=ANNA.id)
    off = evolve(world, capabilities=evolve(SHOP, deactivates=True))
    changes = (("active", "no"),)
    assert removal(off, leaver(ANNA)) == UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=changes)
    assert removal(off, leaver(ANNA, THERE)) == RemoveUser(company=KEY, user=A, contact=ANNA.id)
    suspended = suspension(of(ANNA, policy=SUSPENDS), leaver(ANNA))
    assert suspended == SetRole(company=KEY, user=A, contact=ANNA.id, role="Nothing")


def test_half_of_a_large_company() -> None:
    """Exactly half of a company may go, one more may not."""
    everybody = crowd(10)
    for number, goes in ((5, True), (6, False)):
        people = [evolve(one, active=i >= number) for i, one in enumerate(everybody)]
        world = seen(customer(*people), company(*map(user_of, everybody)), state=links(*everybody))
        assert bool(leaving(world).go) is goes
