"""The plan: what may go out now, in which order, what is held, and its unfolding."""

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateCompany, CreateUser, RemoveUser, SetRole, UpdateUser, WriteReference
from acumatica_b2b.adopting import adopted
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.mapping import map_customer
from acumatica_b2b.model import Capabilities, Contact, HandOver, StorefrontID
from acumatica_b2b.plan import next_steps, plan_company, unfolded
from acumatica_b2b.policy import Guarded, SyncPolicy
from acumatica_b2b.report import Plan
from acumatica_b2b.settling import intended, settle
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, MARK, Bench, FrozenClock, customer, done, kinds, location

POLICY = SyncPolicy()
UNTIL = FrozenClock().now()


PLAIN = Capabilities(hand_over=HandOver.PROMOTE_FIRST)


def new(*contacts: Contact, primary: Contact | None = None, shop: Capabilities = PLAIN) -> World:
    """Return the world of a customer without a company."""
    one = customer(*contacts, primary=primary, locations=(location(),))
    made = World(customer=one, desired=map_customer(one, POLICY), policy=POLICY, capabilities=shop)
    return adopted(made, None)


def unfolded_company(world: World) -> World:
    """Return the world once its company is made."""
    (create,) = next_steps(world)
    return settle(intended(world, (create,), UNTIL), create, Ok(StorefrontID("1")))


def test_order() -> None:
    """A new customer: its company, then users and addresses side by side, then the references."""
    plan = plan_company(new(MARK, ANNA, primary=MARK, shop=evolve(PLAIN, addresses=True)))
    assert done(plan.steps) == [
        "CreateCompany C1",
        "CreateUser 101",
        "CreateUser 102",
        "CreateAddress MAIN",
        "WriteReference C1",
        "WriteReference 101",
        "WriteReference 102",
        "WriteReference MAIN",
    ]


def test_steps_of_one_turn_are_independent() -> None:
    """What goes out at once concerns each record at most once."""
    world = new(MARK, ANNA, BILL, primary=MARK, shop=evolve(PLAIN, addresses=True))
    turns = 0
    while steps := next_steps(world):
        turns += 1
        assert len({record.partition(" ")[2] for record in done(steps)}) == len(steps)
        world = intended(world, steps, UNTIL)
        for i, step in enumerate(steps):
            world = settle(world, step, Ok(StorefrontID(f"{turns}{i}")))
    assert turns == 3


def test_nothing_to_do() -> None:
    """What is unfolded to its end has no next step, and a plan of it is empty."""
    end = unfolded(evolve(new(MARK, primary=MARK), planning=True))
    assert next_steps(end) == ()
    assert plan_company(evolve(end, taken=())).steps == ()


def test_plan_without_a_primary() -> None:
    """Without a primary the plan is empty and says why."""
    plan = plan_company(new(MARK, ANNA))
    assert plan.steps == ()
    assert ("NO_PRIMARY", "C1") in kinds(plan.findings)


def test_role_of_the_first() -> None:
    """The primary is created with the primary role, everybody else with the role of users."""
    steps = plan_company(new(ANNA, MARK, primary=MARK)).steps
    assert [(s.user.contact, s.role) for s in steps if isinstance(s, CreateUser)] == [
        (ANNA.id, "Senior Buyer"),
        (MARK.id, "Admin"),
    ]


def test_company_with_its_admin() -> None:
    """Where the shop can't make a company without its admin, that one comes with it and is not made again."""
    steps = plan_company(new(MARK, ANNA, primary=MARK, shop=evolve(PLAIN, admin_at_creation=True))).steps
    create = steps[0]
    assert isinstance(create, CreateCompany)
    assert create.admin
    assert create.admin.contact == MARK.id
    assert [s.user.contact for s in steps if isinstance(s, CreateUser)] == [ANNA.id]


def test_ids_to_come() -> None:
    """A plan writes back ids that nobody knows yet; a run waits for them."""
    planned = unfolded(evolve(new(MARK, primary=MARK), planning=True))
    assert any(isinstance(step, WriteReference) for step in planned.taken)
    run = unfolded(new(MARK, primary=MARK))
    assert not any(isinstance(step, WriteReference) for step in run.taken)


def test_refused_step_is_not_proposed_again() -> None:
    """A refused step is a fact: it is not proposed again, what does not rest on it goes on, what does is not."""
    world = unfolded_company(new(MARK, ANNA, primary=MARK))
    steps = next_steps(world)
    world = intended(world, steps, UNTIL)
    for step in steps:
        assert isinstance(step, CreateUser)
        world = settle(world, step, Failed(RejectedError(Reason.OTHER, "no")))
    left = next_steps(world)
    assert not any(isinstance(step, CreateUser | SetRole) for step in left)
    assert {kind for kind, _ in kinds(plan_company(world).findings)} == {"REFUSED"}


@pytest.mark.parametrize("attempts", [4, 5])
def test_aborted(attempts: int) -> None:
    """A step that was refused five times is Aborted: the plan leaves it out and says so."""
    world = unfolded_company(new(MARK, ANNA, primary=MARK))
    for _ in range(attempts):
        steps = next_steps(world)
        world = intended(world, steps, UNTIL)
        for step in steps:
            world = settle(world, step, Failed(RejectedError(Reason.OTHER, "no")))
        world = evolve(world, refused={})  # another run
    assert any(isinstance(step, CreateUser) for step in next_steps(world)) == (attempts < 5)
    assert (("ABORTED", ANNA.id) in kinds(plan_company(world).findings)) == (attempts == 5)


def test_guard_holds_one_kind() -> None:
    """What the guard holds is not proposed, a finding says so, and other fields of the same user go out."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    bench.change(ANNA, email="a@acme.example", phones=("555",))
    one = bench.customer()
    world = evolve(new(MARK), customer=one, desired=map_customer(one, POLICY), held=frozenset({Guarded.EMAIL_CHANGES}))
    world = adopted(world, bench.company())
    (update,) = next_steps(world)
    assert isinstance(update, UpdateUser)
    assert update.changes == (("phone", "555"),)
    assert ("GUARD_HELD", "C1") in kinds(plan_company(world).findings)


# ------------------------------------------------------------------ plans of leavers
def test_removals_come_last() -> None:
    """A plan's removals come behind all else, and are counted."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    bench.sync()
    bench.change(ANNA, active=False)
    bench.change(BILL, phones=("555",))
    (company,) = bench.plan().companies
    assert done(company.steps) == ["UpdateUser 103", "RemoveUser 102", "WriteReference 102"]
    assert company.removals == 1


def test_plan_writes_nothing() -> None:
    """A plan writes nothing anywhere: not to the shop, not to the ERP, not to the log."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    plan = bench.plan()
    assert plan.steps
    assert (bench.shop.writes, bench.erp.writes, bench.versions()) == (0, 0, 0)


def test_findings_to_act_on_come_first() -> None:
    """In a plan and in a company's plan findings to act on now come first."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    bench.sync()
    bench.change(ANNA, email="")
    bench.change(MARK, active=False)
    plan: Plan = bench.plan()
    flags = [found.act_now for found in plan.findings]
    assert flags == sorted(flags, reverse=True)
    assert flags[0]
    assert not any(isinstance(step, RemoveUser) for step in plan.steps)
