"""The core in five lines each: every function is called with values, and what it returns is looked at."""

from acumatica_b2b import (
    Finding,
    FindingKind,
    Ok,
    SyncPolicy,
    World,
    adopted,
    map_contact,
    map_customer,
    map_location,
    next_steps,
    plan_company,
    settle,
)
from acumatica_b2b.actions import CreateCompany, CreateUser, WriteReference
from acumatica_b2b.model import Capabilities, DesiredAddress, DesiredUser, HandOver, StorefrontID
from acumatica_b2b.settling import intended
from tests.bench import ANNA, MARK, FrozenClock, contact, customer, location

POLICY = SyncPolicy()
ACME = customer(MARK, ANNA, primary=MARK)
SHOP = Capabilities(hand_over=HandOver.PROMOTE_FIRST)
ACME_KNOWN = World(customer=ACME, desired=map_customer(ACME, POLICY), policy=POLICY, capabilities=SHOP)
NEW = adopted(ACME_KNOWN, None)


def test_map_contact() -> None:
    """A contact becomes a user with its first address, in lower case."""
    mark = contact(101, "Mark", email="Mark@Acme.example; mark@home.example")
    user = map_contact(mark, POLICY)
    assert isinstance(user, DesiredUser)
    assert user.email == "mark@acme.example"


def test_map_contact_without_an_email() -> None:
    """A contact without an e-mail address becomes a finding that says so."""
    found = map_contact(contact(101, "Mark", email=""), POLICY)
    assert isinstance(found, Finding)
    assert found.kind is FindingKind.MISSING_EMAIL
    assert str(found) == "contact '101': it has no e-mail address; enter one in Acumatica"


def test_map_location() -> None:
    """A location becomes an address under its own name, in its own contact's name."""
    address = map_location(location("MAIN", name="Head office"), ACME, POLICY)
    assert isinstance(address, DesiredAddress)
    assert (address.label, address.first_name, address.last_name) == ("Head office", "Lou", "Lane")


def test_map_customer() -> None:
    """A customer becomes a company, its contacts become users, and its primary contact is named."""
    desired = map_customer(ACME, POLICY)
    assert desired.company is not None
    assert [user.first_name for user in desired.users] == ["Mark", "Anna"]
    assert desired.primary == MARK.id
    assert desired.findings == ()


def test_next_steps() -> None:
    """The first step of a new customer is its company, and nothing else."""
    (step,) = next_steps(NEW)
    assert isinstance(step, CreateCompany)
    assert step.company.name == "Acme"


def test_settle() -> None:
    """What came of a step makes a new world: the company is there, and its users are next."""
    (create,) = next_steps(NEW)
    world = intended(NEW, (create,), until=FrozenClock().now())
    world = settle(world, create, Ok(StorefrontID("7")))
    assert [type(step) for step in next_steps(world)] == [CreateUser, CreateUser]


def test_plan_company() -> None:
    """A plan is all steps in their order: the company, its users, the references."""
    plan = plan_company(NEW)
    assert [type(step) for step in plan.steps] == [CreateCompany, CreateUser, CreateUser] + [WriteReference] * 3
    assert plan.findings == ()
