"""What a step makes of the world, as values; that the shop agrees is the law in test_world."""

from datetime import UTC, datetime

import pytest
from attrs import evolve

from acumatica_b2b.actions import (
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    Step,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
    WriteReference,
)
from acumatica_b2b.errors import (
    LeaseEndedError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.logstate import Link
from acumatica_b2b.mapping import contact_record, customer_record
from acumatica_b2b.model import AddressID, LocationID, Record, RecordKind, Reference, StorefrontID
from acumatica_b2b.settling import intended, settle, settled
from acumatica_b2b.steps import logged
from acumatica_b2b.synclog import Done, Intended, NotSent, Refused, Unanswered
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, HERE, MARK, customer, location, note, storefront_id
from tests.core.test_steps import COMPANY, PLACE, SEVEN, USER
from tests.core.worlds import KEY, POLICY, admin_of, company, links, seen, user_of, world_of

UNTIL = datetime(2024, 5, 1, tzinfo=UTC)
M, A = (user_of(one).id for one in (MARK, ANNA))
SET_ROLE = SetRole(company=KEY, user=A, contact=ANNA.id, role="Admin")


def known() -> World:
    """Return the world of a company with two users."""
    there = company(admin_of(MARK), user_of(ANNA))
    return evolve(world_of(MARK, ANNA, primary=MARK, there=there, state=links(MARK, ANNA)), unsaved=())


def after(world: World, step: Step, identifier: str | None = None) -> World:
    """Return the world after a step that took effect."""
    return settle(intended(world, (step,), UNTIL), step, Ok(StorefrontID(identifier) if identifier else None))


def test_intended() -> None:
    """Steps that are about to go out are noted with their lease, and a role with the one the user has now."""
    remove = RemoveUser(company=KEY, user=M, contact=MARK.id)
    world = intended(known(), (SET_ROLE, remove), UNTIL)
    kept = logged(SET_ROLE, POLICY, {A: "Senior Buyer"})
    assert kept.former_role == "Senior Buyer"
    assert world.unsaved == (
        Intended(step=kept, until=UNTIL),
        Intended(step=logged(remove, POLICY, {}), until=UNTIL),
    )


def test_refused() -> None:
    """A refusal is noted with its reason, its words and the record."""
    error = RejectedError(Reason.INVALID, "no such role")
    world = settle(intended(known(), (SET_ROLE,), UNTIL), SET_ROLE, Failed(error))
    key = logged(SET_ROLE, POLICY, {}).hash
    refused = Refused(step=key, reason=Reason.INVALID, message=str(error), record=contact_record(ANNA.id))
    assert world.unsaved[-1] == refused
    assert world.refused == {SET_ROLE: error}
    assert world.company == known().company


@pytest.mark.parametrize(
    ("error", "entry", "again"),
    [
        (LeaseEndedError("late"), NotSent, True),
        (NotSentError("down"), NotSent, False),
        (RateLimitedError("wait"), NotSent, False),
        (OutcomeUnknownError("lost"), Unanswered, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_not_done(error: Exception, entry: type[NotSent | Unanswered], again: bool) -> None:  # noqa: FBT001  # a column
    """What did not surely take effect is noted by the step's hash; only a lease that ended lets it go out again."""
    world = settle(intended(known(), (SET_ROLE,), UNTIL), SET_ROLE, Failed(error))
    assert world.unsaved[1:] == (entry(step=logged(SET_ROLE, POLICY, {}).hash),)
    assert world.refused == ({} if again else {SET_ROLE: error})


def test_refusals_add_up() -> None:
    """Refusals of several steps are all kept."""
    remove = RemoveUser(company=KEY, user=A, contact=ANNA.id)
    world = intended(known(), (SET_ROLE, remove), UNTIL)
    for step in (SET_ROLE, remove):
        world = settle(world, step, Failed(ValueError()))
    assert world.refused.keys() == {SET_ROLE, remove}


def test_all_at_once() -> None:
    """Steps that go out together come to the same as one after another, whatever came of each."""
    email = UpdateUser(
        company=KEY, user=M, contact=MARK.id, changes=(("email", "m@x.example"), ("extra_fields.a", "b"))
    )
    remove = RemoveUser(company=KEY, user=A, contact=ANNA.id)
    make = CreateUser(company=KEY, user=evolve(USER, contact=BILL.id), role="Junior")
    place = CreateAddress(company=KEY, address=PLACE)
    lost = SetRole(company=KEY, user=M, contact=MARK.id, role="Junior")
    steps: tuple[Step, ...] = (email, SET_ROLE, remove, make, place, lost)
    outcomes: tuple[Outcome[StorefrontID | None], ...] = (
        Ok(StorefrontID(M)),
        Failed(RejectedError(Reason.INVALID, "no")),
        Ok(StorefrontID(A)),
        Ok(StorefrontID("11")),
        Ok(StorefrontID("7")),
        Failed(LeaseEndedError("late")),
    )
    start = evolve(known(), holders={"m@x.example": None, "old": user_of(MARK), "other": user_of(BILL)})
    start = alone = intended(start, steps, UNTIL)
    for step, outcome in zip(steps, outcomes, strict=True):
        alone = settle(alone, step, outcome)
    assert settled(start, steps, outcomes) == alone
    assert alone.taken == (email, remove, make, place)
    assert alone.holders.keys() == {"m@x.example", "other"}


def test_an_outcome_for_each() -> None:
    """A step without an outcome is a mistake of whoever took it."""
    with pytest.raises(ValueError, match="shorter"):
        settled(known(), (SET_ROLE,), ())


def test_done() -> None:
    """What took effect is noted with the id of what it was done to, or without any."""
    world = after(known(), SET_ROLE, A)
    assert world.unsaved[-1] == Done(step=logged(SET_ROLE, POLICY, {}).hash, id=A)
    write = WriteReference(
        reference=Reference(record=customer_record(HERE), note_id=note(1, 1), customer=HERE, value="1")
    )
    again = after(world, write)
    assert again.unsaved[-1] == Done(step=logged(write, POLICY, {}).hash, id="")
    assert again.taken == (SET_ROLE, write)


def test_company_with_its_admin() -> None:
    """The admin who comes along with a company is paired with the user to come."""
    world = after(
        world_of(MARK, primary=MARK, there=None), CreateCompany(company=COMPANY, admin=USER, role="Admin"), "1"
    )
    assert world.company
    assert world.company.id == "1"
    assert world.pairs.users == {MARK.id: "new:101"}


def test_company_alone() -> None:
    """A company that comes alone pairs nobody."""
    world = after(
        world_of(MARK, primary=MARK, there=None), CreateCompany(company=COMPANY, admin=None, role="Admin"), "1"
    )
    assert world.pairs.users == {}


def test_new_user() -> None:
    """A new user is paired with its contact, beside the others."""
    there = company(user_of(ANNA))
    world = after(world_of(MARK, ANNA, there=there), CreateUser(company=KEY, user=USER, role="Admin"), "11")
    assert world.pairs.users == {MARK.id: "11", ANNA.id: A}


def test_removed_user() -> None:
    """Who was removed is paired no more."""
    assert after(known(), RemoveUser(company=KEY, user=A, contact=ANNA.id), A).pairs.users == {MARK.id: M}


@pytest.mark.parametrize(
    ("step", "released"),
    [
        (RemoveUser(company=KEY, user=A, contact=ANNA.id), True),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "9"), ("email", "new@x.example"))), True),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "9"),)), False),
    ],
    ids=["removal", "new-address", "new-phone"],
)
def test_released_address(step: Step, released: bool) -> None:  # noqa: FBT001  # a table's column
    """Who was removed or got another address holds the old one no more; what is known of others stays."""
    holders = {"a@x.example": user_of(ANNA), "m@x.example": user_of(MARK), "free@x.example": None}
    kept = {email: holder for email, holder in holders.items() if not (released and email.startswith("a"))}
    assert after(evolve(known(), holders=holders), step, A).holders == kept


def test_new_address() -> None:
    """A new address is its location's, beside the others."""
    east = LocationID("EAST")
    world = evolve(known(), places={east: AddressID(StorefrontID("8"))})
    made = after(world, CreateAddress(company=KEY, address=PLACE), "7")
    assert made.places == {east: "8", PLACE.location: "7"}


@pytest.mark.parametrize(
    "step",
    [
        UpdateCompany(company=KEY, customer=HERE, changes=(("phone", "9"),)),
        UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "9"),)),
        SET_ROLE,
        MoveAdmin(company=KEY, user=A, contact=ANNA.id, role="Admin"),
        UpdateAddress(company=KEY, id=SEVEN, address=PLACE),
        RemoveAddress(company=KEY, id=SEVEN, location=LocationID("MAIN")),
    ],
    ids=lambda step: type(step).__name__,
)
def test_pairs_stay(step: Step) -> None:
    """A change of what is there pairs nobody anew."""
    world = after(known(), step, "7")
    assert (world.pairs, world.places) == (known().pairs, known().places)
    assert world.taken == (step,)


@pytest.mark.parametrize("kind", RecordKind, ids=lambda kind: kind.value)
def test_reference_is_held_by_its_record(kind: RecordKind) -> None:
    """A written reference stands in its record, and in no other."""
    one = customer(MARK, ANNA, primary=MARK, locations=(location("MAIN"), location("EAST")))
    world = seen(one, company(user_of(MARK), user_of(ANNA)))
    ids = {RecordKind.CUSTOMER: HERE, RecordKind.CONTACT: ANNA.id, RecordKind.LOCATION: "EAST"}
    reference = Reference(record=Record(kind, ids[kind]), note_id=note(1, 1), customer=HERE, value="7")
    written = after(world, WriteReference(reference=reference)).customer
    expected = {
        RecordKind.CUSTOMER: evolve(one, reference="7"),
        RecordKind.CONTACT: evolve(one, contacts=(one.contacts[0], evolve(one.contacts[1], reference="7"))),
        RecordKind.LOCATION: evolve(one, locations=(one.locations[0], evolve(one.locations[1], reference="7"))),
    }
    assert written == expected[kind]


def test_cleared_reference_is_lost_no_more() -> None:
    """Once the reference to what was lost is cleared, that is forgotten; other losses are not."""
    mark, anna = contact_record(MARK.id), contact_record(ANNA.id)
    world = evolve(known(), unlinked={mark: "1", anna: "2"})
    reference = Reference(record=anna, note_id=ANNA.note_id, customer=HERE, value="")
    assert after(world, WriteReference(reference=reference)).unlinked == {mark: "1"}


def test_link_of_a_new_user() -> None:
    """A new user is linked with digests of what it was sent."""
    world = after(world_of(MARK, there=company()), CreateUser(company=KEY, user=USER, role="Junior"), "11")
    link = world.state.links[contact_record(MARK.id)]
    assert link == Link(id=storefront_id("11"), sent=logged(world.taken[0], POLICY, {}).fields)
