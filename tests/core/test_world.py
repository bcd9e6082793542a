"""The world of one customer: what observing and stepping make of it, and what the log learns by that."""

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings

from acumatica_b2b.actions import CreateUser, Step, UpdateUser, WriteReference
from acumatica_b2b.adopting import adopted, read_back
from acumatica_b2b.errors import (
    LeaseEndedError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.logstate import Link, LogState
from acumatica_b2b.mapping import map_customer
from acumatica_b2b.matching import Pairs
from acumatica_b2b.model import (
    Company,
    CompanyID,
    CompanyRef,
    CompanyUser,
    Contact,
    Customer,
    HandOver,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
)
from acumatica_b2b.plan import next_steps
from acumatica_b2b.policy import FirstAdmin, SyncPolicy
from acumatica_b2b.settling import intended, settle, settled
from acumatica_b2b.synclog import Done, Linked, NotSent, Refused, Unanswered, Unlinked
from acumatica_b2b.testing import MemoryErp, MemoryShop, strategies
from acumatica_b2b.world import World, company_ref
from tests.bench import ANNA, HERE, MARK, FrozenClock, contact, customer, note, storefront_id
from tests.core.worlds import user_of

POLICY = SyncPolicy()
KEY = CompanyID(StorefrontID("1"))
M, A = storefront_id("11"), storefront_id("12")
UNTIL = FrozenClock().now()


def world(*contacts: Contact, primary: Contact | None = MARK, state: LogState | None = None) -> World:
    """Return a world that knows the ERP's side and the log's."""
    one = customer(*contacts, primary=primary)
    return World(
        customer=one,
        desired=map_customer(one, POLICY),
        policy=POLICY,
        capabilities=MemoryShop().capabilities,
        state=state or LogState(),
    )


def company(*users: CompanyUser) -> Company:
    """Return a company."""
    return Company(
        id=KEY, name="Acme", email="office@acme.example", phone="555-0100", external_id=note(1, 1), users=users
    )


def user(one: Contact, key: str, role: str = "Senior Buyer") -> CompanyUser:
    """Return the user that a contact should have."""
    return CompanyUser(
        id=storefront_id(key),
        company=KEY,
        email=one.email,
        first_name=one.first_name,
        last_name=one.last_name,
        role=role,
        external_id=one.note_id,
    )


def linked(**ids: str) -> LogState:
    """Return a log that links contacts, given by id with a leading c, to users."""
    return LogState(links={Record(RecordKind.CONTACT, key[1:]): Link(id=value) for key, value in ids.items()})


# ------------------------------------------------------------------ observing
def test_observing_links() -> None:
    """What is found out by observing is to be logged: the company and each user that is a contact's."""
    seen = adopted(world(MARK, ANNA), company(user(MARK, "11")))
    assert seen.pairs == Pairs(users={MARK.id: M})
    assert seen.unsaved == (
        Linked(record=Record(RecordKind.CUSTOMER, HERE), id="1"),
        Linked(record=Record(RecordKind.CONTACT, MARK.id), id="11"),
    )


def test_observing_again_logs_nothing() -> None:
    """What is known already is not logged again."""
    seen = adopted(world(MARK), company(user(MARK, "11")))
    assert adopted(evolve(seen, unsaved=()), company(user(MARK, "11"))).unsaved == ()


def test_observing_no_company() -> None:
    """Where there is no company nobody is anybody's user, and nothing is to be logged."""
    seen = adopted(world(MARK), None)
    assert (seen.pairs, seen.unsaved) == (Pairs(users={}), ())
    assert [one.contact for one in seen.contest.users] == [MARK.id]


def test_relinking() -> None:
    """A user that goes from one contact to another is unlinked from the former in the same commit."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    seen = adopted(world(zoe, primary=zoe, state=linked(c102="12")), company(user(ANNA, "12")))
    assert seen.pairs.users == {zoe.id: A}
    assert Unlinked(record=Record(RecordKind.CONTACT, ANNA.id)) in seen.unsaved
    assert seen.state.contacts == {zoe.id: A}


def test_deleted_user_stays_linked() -> None:
    """A linked user who is not there stays linked: so it is known that people deleted it."""
    seen = adopted(world(MARK, ANNA, state=linked(c102="12")), company(user(MARK, "11")))
    assert seen.state.contacts[ANNA.id] == A
    assert seen.linked == {MARK.id: M}


def test_reading_back() -> None:
    """What the shop made of a value that it was sent in this run is remembered, an e-mail address is not."""
    start = adopted(world(evolve(MARK, phones=("555",))), company())
    (create,) = next_steps(start)
    assert isinstance(create, CreateUser)
    taken = settle(intended(start, (create,), UNTIL), create, Ok(StorefrontID("11")))
    kept = evolve(user(MARK, "11", role="Admin"), phone="+1 555", email="MARK@acme.example")
    back = read_back(taken, company(kept))
    (link,) = [link for record, link in back.state.links.items() if record.kind is RecordKind.CONTACT]
    assert set(link.seen) == {"phone"}
    assert not [step for step in next_steps(back) if isinstance(step, UpdateUser) and "phone" in dict(step.changes)]


# ------------------------------------------------------------------ stepping
def stepped(outcome: Outcome[StorefrontID | None]) -> tuple[World, Step]:
    """Return the world after the creation of a user, and that step."""
    start = adopted(world(MARK), company())
    (create,) = next_steps(start)
    return settle(intended(start, (create,), UNTIL), create, outcome), create


def test_success() -> None:
    """A step that took effect is logged with its id, and the world has what it made."""
    after, create = stepped(Ok(StorefrontID("11")))
    assert isinstance(after.unsaved[-1], Done)
    assert after.unsaved[-1].id == "11"
    assert after.taken == (create,)
    assert after.pairs.users == {MARK.id: M}
    assert after.users[M].role == "Admin"
    assert after.state.grants == {M}


@pytest.mark.parametrize(
    ("error", "entry", "open_"),
    [
        (RejectedError(Reason.INVALID, "no"), Refused, False),
        (NotSentError("down"), NotSent, False),
        (RateLimitedError("later"), NotSent, False),
        (OutcomeUnknownError("lost"), Unanswered, True),
        (ValueError("a bug"), Unanswered, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_failure(error: Exception, entry: type, open_: bool) -> None:  # noqa: FBT001  # a table's column
    """A step that failed is logged as what it came to, and not proposed again in this run."""
    after, create = stepped(Failed(error))
    assert isinstance(after.unsaved[-1], entry)
    assert after.refused == {create: error}
    assert create not in next_steps(after)
    assert bool(after.state.open) is open_
    assert after.pairs.users == {}


def test_refusal_counts() -> None:
    """Only a refusal counts as an attempt."""
    for error, count in ((RejectedError(Reason.OTHER), 1), (NotSentError("down"), 0), (OutcomeUnknownError("?"), 0)):
        assert sum(one.times for one in stepped(Failed(error))[0].state.refusals.values()) == count


def test_lease_ended() -> None:
    """A step whose lease ended before it was sent is proposed anew: nothing is wrong with it."""
    after, create = stepped(Failed(LeaseEndedError("too late")))
    assert after.refused == {}
    assert next_steps(after) == (create,)


def test_reference_is_written() -> None:
    """A written reference stands in the ERP's record: it is not written twice."""
    start = adopted(world(MARK), company(user(MARK, "11", role="Admin")))
    write = WriteReference(
        reference=Reference(record=Record(RecordKind.CONTACT, MARK.id), note_id=MARK.note_id, customer=HERE, value="11")
    )
    after = settle(intended(start, (write,), UNTIL), write, Ok(None))
    assert after.customer.contacts[0].reference == "11"
    assert start.customer.contacts[0].reference == ""


def test_a_world_is_never_changed() -> None:
    """Stepping makes a new world and leaves the old one as it was."""
    start = adopted(world(MARK), company())
    (create,) = next_steps(start)
    before = intended(start, (create,), UNTIL)
    copy = evolve(before)
    settle(before, create, Ok(StorefrontID("11")))
    assert before == copy


def test_company_ref() -> None:
    """A company is named by its id where one is known, and always by the customer's note id."""
    known = CompanyRef(customer=HERE, external_id=note(1, 1), id=KEY)
    assert company_ref(world(MARK), KEY) == known
    assert company_ref(world(MARK), None, again=True) == evolve(known, id=None, again=True)


def test_once() -> None:
    """A question is asked once of a world, and anew of each that comes of it."""
    asked: list[World] = []

    def users(one: World) -> int:
        asked.append(one)
        return len(one.users)

    empty = adopted(world(MARK), company())
    assert [empty.once(users) for _ in range(3)] == [0, 0, 0]
    assert evolve(empty, company=company(user_of(MARK))).once(users) == 1
    assert len(asked) == 2


# ------------------------------------------------------------------ the law of settling
Perform = Callable[[Step], Outcome[StorefrontID | None]]


def performing(shop: MemoryShop, erp: MemoryErp) -> Perform:
    """Return what really takes a step."""

    def perform(step: Step) -> Outcome[StorefrontID | None]:
        if isinstance(step, WriteReference):
            (written,) = erp.write_references([step.reference])
            return written
        (made,) = shop.perform([step])
        return made

    return perform


@pytest.mark.parametrize("regime", HandOver, ids=lambda regime: regime.value)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.customers(ordinary=True))
def test_settling_foresees_the_shop(regime: HandOver, one: Customer) -> None:
    """After each step, as after all at once, the world's company is what the shop has, role by role, field by field."""
    shop, erp = MemoryShop(hand_over=regime), MemoryErp()
    erp.put(one)
    perform = performing(shop, erp)
    policy = SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT)
    made = World(customer=one, desired=map_customer(one, policy), policy=policy, capabilities=shop.capabilities)
    at = adopted(made, None)
    while steps := next_steps(at):
        before = at = intended(at, steps, UNTIL)
        outcomes = [perform(step) for step in steps]
        for step, outcome in zip(steps, outcomes, strict=True):
            at = settle(at, step, outcome)
        assert settled(before, steps, outcomes) == at
        assert at.refused == {}
        (there,) = shop.snapshot().values()
        assert at.company
        assert {u.id: u for u in at.company.users} == {u.id: u for u in there.users}
        assert {a.id: a for a in at.company.addresses} == {a.id: a for a in there.addresses}
        assert evolve(at.company, users=(), addresses=()) == evolve(there, users=(), addresses=())
    assert erp.snapshot()[one.id].reference == at.customer.reference
