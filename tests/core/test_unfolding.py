"""A company's plan, as a value: what it would do, what it holds back, and what of it people have to approve."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import (
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveUser,
    SetRole,
    Step,
    UpdateUser,
    WriteReference,
)
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.guard import approval, approval_of_adoption
from acumatica_b2b.logstate import Refusals
from acumatica_b2b.mapping import contact_record, customer_record, map_contact
from acumatica_b2b.model import Contact, DesiredUser, HandOver
from acumatica_b2b.plan import CompanyPlan, kind_of, next_steps, plan_company, unfolded
from acumatica_b2b.policy import Guarded, SyncPolicy
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, CARL, HERE, MARK, customer, location
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, user_of, world_of

FOUR = (MARK, ANNA, BILL, CARL)
M, A, B, C = (user_of(one).id for one in FOUR)


def referenced(one: Contact, **fields: Any) -> Contact:
    """Return a contact that bears its user's reference in a format of its own."""
    return evolve(one, reference=user_of(one).id, **fields)


def four(*gone: Contact, **fields: Any) -> World:
    """Return a company of four of whose contacts some are inactive, as it should be in all else."""
    people = [referenced(one, active=one not in gone) for one in FOUR]
    one = customer(*people, primary=MARK, reference="1")
    there = company(admin_of(MARK), *(user_of(one) for one in FOUR[1:]))
    return seen(one, there, state=links(*FOUR, granted=frozenset({M})), **fields)


def remove(one: Contact) -> RemoveUser:
    """Return the removal of a contact's user."""
    return RemoveUser(company=KEY, user=user_of(one).id, contact=one.id)


def wanted(one: Contact) -> DesiredUser:
    """Return the user that a contact should become."""
    user = map_contact(one, POLICY)
    assert isinstance(user, DesiredUser)
    return user


# ------------------------------------------------------------------ the plan
def test_nothing_to_do() -> None:
    """The plan of a company that is as it should be is empty."""
    assert plan_company(four()) == CompanyPlan(customer=HERE, steps=(), findings=())


def test_removals() -> None:
    """Removals come into the plan, are counted, and are named for an approval by kind and step."""
    plan = plan_company(four(ANNA, BILL))
    assert [step for step in plan.steps if isinstance(step, RemoveUser)] == [remove(ANNA), remove(BILL)]
    assert (plan.removals, plan.on_approval) == (2, ())
    assert plan.guarded == tuple((Guarded.REMOVALS, approval(remove(one))) for one in (ANNA, BILL))


def test_on_approval() -> None:
    """What is too much of one company is no part of the plan, but shown besides, with what it is approved by."""
    plan = plan_company(four(ANNA, BILL, CARL))
    assert (plan.steps, plan.removals) == ((), 0)
    assert [found.kind for found in plan.findings if found.record == customer_record(HERE)] == [FindingKind.GUARD_HELD]
    assert [step for step in plan.on_approval if isinstance(step, RemoveUser)] == [remove(one) for one in FOUR[1:]]
    assert plan.guarded == tuple((Guarded.REMOVALS, approval(remove(one))) for one in FOUR[1:])


def test_an_approval_does_not_change_the_plan() -> None:
    """A plan shows what there would be without any approval, and without another plan that is followed."""
    world = four(ANNA, BILL, CARL)
    approved = evolve(world, approved=frozenset(approval(remove(one)) for one in FOUR), expected=frozenset())
    assert plan_company(approved) == plan_company(world)


def test_hand_over_is_guarded() -> None:
    """A hand-over is named with both its halves; a grant that takes from nobody of ours is not."""
    there = company(user_of(MARK), admin_of(ANNA))
    people = (referenced(MARK), referenced(ANNA))
    one = customer(*people, primary=MARK, reference="1")
    give = SetRole(company=KEY, user=M, contact=MARK.id, role="Admin")
    take = SetRole(company=KEY, user=A, contact=ANNA.id, role="Senior Buyer")
    plan = plan_company(seen(one, there, state=links(*people, granted=frozenset({A}))))
    assert plan.steps == (give, take)
    assert plan.guarded == ((Guarded.HAND_OVERS, approval(give)), (Guarded.HAND_OVERS, approval(take)))
    assert plan_company(seen(one, there, state=links(*people))).guarded == ()


def test_ring_is_guarded_as_a_whole() -> None:
    """Two who swap their addresses by way of a parking address are two changes, approved by the first step."""
    people = (referenced(MARK, email=ANNA.email), referenced(ANNA, email=MARK.email))
    one = customer(*people, primary=MARK, reference="1")
    policy = SyncPolicy(parking_domain="parked.example")
    ring = (MARK.id, ANNA.id)
    there = company(admin_of(MARK), user_of(ANNA))
    plan = plan_company(seen(one, there, policy, state=links(*people), rings=dict.fromkeys(ring, ring)))
    aside, second, first = plan.steps
    assert isinstance(aside, UpdateUser)
    assert aside.changes == (("email", f"parked-{M}@parked.example"),)
    assert [step.contact for step in (second, first) if isinstance(step, UpdateUser)] == [ANNA.id, MARK.id]
    assert plan.guarded == ((Guarded.EMAIL_CHANGES, approval(aside)),) * 2


def test_adoption_is_guarded() -> None:
    """A company that is taken over is named, and comes first among what people approve."""
    people = (referenced(MARK), referenced(ANNA, active=False))
    there = company(admin_of(MARK), user_of(ANNA), user_of(BILL))
    one = customer(*people, referenced(BILL), primary=MARK, reference="1")
    plan = plan_company(seen(one, there, state=links(*people), adopts="1"))
    assert plan.adopts == "1"
    assert plan.guarded == (
        (Guarded.ADOPTIONS, approval_of_adoption(HERE, "1")),
        (Guarded.REMOVALS, approval(remove(ANNA))),
    )


# ------------------------------------------------------------------ what may go out
PHONE = UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "5"),))


def changing(**fields: Any) -> World:
    """Return a world in which a phone and a name are to be changed."""
    people = (referenced(MARK, first_name="M"), referenced(ANNA, phones=("5",)))
    there = company(admin_of(MARK), user_of(ANNA))
    state = fields.pop("state", {})
    one = customer(*people, primary=MARK, reference="1")
    return seen(one, there, state=links(*people, granted=frozenset({M}), **state), **fields)


NAME = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("first_name", "M"),))


@pytest.mark.parametrize(
    "fields",
    [
        {"refused": {PHONE: ValueError()}},
        {"taken": (PHONE,)},
        {"state": {"refusals": {digest(PHONE): Refusals(record=None, times=5)}}},
        {"expected": frozenset({("UpdateUser", contact_record(MARK.id)), ("CreateUser", contact_record(ANNA.id))})},
    ],
    ids=["refused", "taken", "aborted", "not-expected"],
)
def test_what_does_not_go_out(fields: dict[str, Any]) -> None:
    """A step that was refused or taken in this run, is Aborted or not in the plan that is followed stays behind."""
    assert next_steps(changing()) == (NAME, PHONE)
    assert next_steps(changing(**fields)) == (NAME,)


def test_held_does_not_go_out() -> None:
    """What the guard holds stays behind, until people approve it."""
    world = four(ANNA, may_remove=True)
    held = evolve(world, held=frozenset({Guarded.REMOVALS}))
    assert next_steps(world) == (remove(ANNA),)
    assert next_steps(held) == ()
    assert next_steps(evolve(held, approved=frozenset({approval(remove(ANNA))}))) == (remove(ANNA),)


def test_kind_of_a_step() -> None:
    """A plan is followed by what is done to which record."""
    assert kind_of(PHONE) == ("UpdateUser", contact_record(ANNA.id))
    assert next_steps(changing(expected=frozenset({kind_of(PHONE)}))) == (PHONE,)
    assert next_steps(changing(expected=frozenset())) == ()


# ------------------------------------------------------------------ the unfolding
def test_unfolding() -> None:
    """A new customer unfolds turn by turn, with ids that stand for those to come."""
    one = customer(MARK, ANNA, primary=MARK, locations=(location("MAIN"),))
    end = unfolded(evolve(seen(one, None), planning=True))
    assert [type(step) for step in end.taken] == [
        CreateCompany,
        CreateUser,
        CreateUser,
        CreateAddress,
        WriteReference,
        WriteReference,
        WriteReference,
        WriteReference,
    ]
    assert end.company
    assert end.company.id == "new:C1"
    assert [user.id for user in end.company.users] == ["new:101", "new:102"]
    assert [address.id for address in end.company.addresses] == ["new:MAIN"]
    assert end.state.open == {}


def test_known_ids_stay() -> None:
    """A step about somebody who is there is unfolded with the known id."""
    end = unfolded(changing())
    assert {user.id: (user.first_name, user.phone) for user in end.users.values()} == {M: ("M", ""), A: ("Anna", "5")}
    assert end.state.contacts == {MARK.id: M, ANNA.id: A}


def test_move_unfolds() -> None:
    """A role that one call moves is moved in one turn."""
    shop = evolve(SHOP, hand_over=HandOver.ATOMIC)
    people = (referenced(MARK), referenced(ANNA))
    one = customer(*people, primary=MARK, reference="1")
    state = links(*people, granted=frozenset({A}))
    plan = plan_company(seen(one, company(user_of(MARK), admin_of(ANNA)), state=state, capabilities=shop))
    move: Step = MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin")
    assert plan.steps == (move,)
    assert plan.guarded == ((Guarded.HAND_OVERS, approval(move)),)


def test_plan_begins_with_what_is_missing() -> None:
    """A plan begins with the company where there is none, else with the users it lacks."""
    assert isinstance(plan_company(world_of(MARK, primary=MARK, there=None)).steps[0], CreateCompany)
    assert (
        CreateUser(company=KEY, user=wanted(MARK), role="Admin")
        in plan_company(world_of(MARK, primary=MARK, there=company())).steps
    )
