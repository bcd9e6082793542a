"""What observing makes of a world, as values: who is who, who is kept, what the log learns, what is read back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateAddress, CreateUser, RemoveUser, Step, UpdateCompany, UpdateUser
from acumatica_b2b.adopting import adopted, movers, read_back
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.logstate import Link
from acumatica_b2b.mapping import contact_record, customer_record, map_customer
from acumatica_b2b.model import (
    AddressID,
    CompanyAddress,
    CompanyUser,
    Contact,
    CustomerID,
    LocationID,
    NoteID,
    Record,
    RecordKind,
    StorefrontID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.steps import address_fields, company_fields, digests, logged, user_fields
from acumatica_b2b.synclog import Done, Entry, Grant, Intended, Linked, LoggedStep, Refused, Unlinked, digest
from acumatica_b2b.world import Home, World, deleted_users, may_be_made_again, noted
from tests.bench import ANNA, BILL, CARL, HERE, MARK, THERE, contact, customer, location, storefront_id
from tests.core.test_steps import USER
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, stranger, unseen, user_of, world_of

M, A, B, C = (user_of(one).id for one in (MARK, ANNA, BILL, CARL))
UNTIL = datetime(2024, 5, 1, tzinfo=UTC)
ONE = customer_record(HERE)
MAIN = Record(RecordKind.LOCATION, "MAIN")
SEVEN = AddressID(StorefrontID("7"))
LETTERS = NoteID("abcdef00-0000-0000-0000-000000000102")


# ------------------------------------------------------------------ views
def test_views() -> None:
    """A world knows its users by id, who of the linked contacts is there, and which locations are linked."""
    state = links(MARK, ANNA, places={LocationID("MAIN"): "7"})
    world = world_of(MARK, there=company(user_of(MARK), user_of(BILL)), state=state)
    assert world.record == ONE
    assert world.users == {M: user_of(MARK), B: user_of(BILL)}
    assert world.linked == {MARK.id: M}
    assert world.locations == {"MAIN": "7"}
    assert unseen(customer()).users == {}


def test_noting() -> None:
    """What is noted changes the state and waits to be saved; what is unlinked by it is known as lost."""
    world = unseen(customer(), state=links(MARK, ANNA), unsaved=(Done(step="x", id=""),), unlinked={MAIN: "7"})
    entries = (Unlinked(record=contact_record(MARK.id)), Linked(record=contact_record(BILL.id), id=B))
    after = noted(world, *entries)
    assert after.state.contacts == {ANNA.id: A, BILL.id: B}
    assert after.unsaved == (*world.unsaved, *entries)
    assert after.unlinked == {MAIN: "7", contact_record(MARK.id): M}


# ------------------------------------------------------------------ who is who
def waits(one: Contact) -> Finding:
    """Return the finding that a contact waits for the removal of its user elsewhere."""
    return Finding(kind=FindingKind.MOVE_WAITS, record=contact_record(one.id))


def pairs(world: World) -> dict[str, str]:
    """Return who is who."""
    return {str(contact): str(user) for contact, user in world.pairs.users.items()}


def test_observing_again_forgets_what_was_paired() -> None:
    """Each observation pairs anew."""
    world = evolve(world_of(MARK, there=company(user_of(MARK))), places={LocationID("X"): SEVEN})
    again = adopted(evolve(world, state=links()), company())
    assert (pairs(again), again.places) == ({}, {})
    gone = adopted(world, None)
    assert (pairs(gone), gone.places, gone.company) == ({}, {}, None)


def test_addresses_are_paired() -> None:
    """Locations are paired with the addresses they are linked to."""
    one = customer(MARK, locations=(location("MAIN"),))
    there = company(user_of(MARK), addresses=(CompanyAddress(id=SEVEN),))
    assert seen(one, there, state=links(MARK, places={LocationID("MAIN"): "7"})).places == {"MAIN": "7"}


def test_addresses_that_were_parted_stay_so() -> None:
    """A location and an address that people said are no pair are none."""
    one = customer(MARK, locations=(location("MAIN"),))
    there = company(user_of(MARK), addresses=(CompanyAddress(id=SEVEN),))
    state = links(MARK, places={LocationID("MAIN"): "7"}, apart=frozenset({(MAIN, "7")}))
    assert seen(one, there, state=state).places == {}


def test_references_are_a_sign() -> None:
    """A reference in the policy's format names a contact's user."""
    there = company(stranger("7"), stranger("8"))
    people = (evolve(MARK, reference="7"), evolve(ANNA, reference="x8"))
    assert pairs(world_of(*people, there=there)) == {MARK.id: "7"}


def test_people_who_were_parted_stay_so() -> None:
    """A pair that people said is none is none."""
    state = links(apart=frozenset({(contact_record(MARK.id), M)}))
    assert pairs(world_of(MARK, there=company(user_of(MARK)), state=state)) == {}


def test_who_is_linked_wins_a_shared_address() -> None:
    """Who has a user here, by its link or its external id, gets an address before who has none."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    early = evolve(zoe, id=contact(99).id)
    linked = world_of(early, ANNA, there=company(stranger(A)), state=links(ANNA))
    assert [user.contact for user in linked.contest.users] == [ANNA.id]
    known = world_of(early, evolve(ANNA, note_id=LETTERS), there=company(stranger("s", external_id=LETTERS.upper())))
    assert [user.contact for user in known.contest.users] == [ANNA.id]
    neither = world_of(early, ANNA, there=company(user_of(MARK)))
    assert [user.contact for user in neither.contest.users] == [early.id]


@pytest.mark.parametrize(
    ("fields", "winner"),
    [
        ({"elsewhere": {ANNA.id: Home(customer=THERE, user=storefront_id("9"))}}, ANNA),
        ({"state": links(findings=frozenset({waits(ANNA)}))}, ANNA),
        ({"state": links(findings=frozenset({waits(BILL)}))}, None),
        ({"state": links(findings=frozenset({evolve(waits(ANNA), kind=FindingKind.ABORTED)}))}, None),
    ],
    ids=["elsewhere", "waits", "another-waits", "another-finding"],
)
def test_who_comes_from_elsewhere_is_known(fields: dict[str, Any], winner: Contact | None) -> None:
    """Who has a user elsewhere, or waited for its removal there, keeps its address before who has none."""
    early = contact(99, "Zoe", email=ANNA.email)
    world = world_of(early, ANNA, there=company(), **fields)
    assert [user.contact for user in world.contest.users] == [(winner or early).id]


def test_whose_user_was_deleted_comes_last() -> None:
    """Who is linked to a user that people deleted gives a shared address to who is not."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    world = world_of(ANNA, zoe, there=company(user_of(MARK)), state=links(ANNA))
    assert [user.contact for user in world.contest.users] == [zoe.id]


def test_addresses_that_go_to_other_customers() -> None:
    """An address that another customer's contact gets, or that one takes along who moves, is nobody's here."""
    zoe, yan = contact(105, "Zoe", email="zoe@acme.example"), contact(106, "Yan", email="yan@acme.example")
    moved = evolve(contact(107, "Max", email="yan@acme.example"), customer=THERE)
    gone = {moved.id: moved, BILL.id: None, CARL.id: evolve(CARL, customer=None)}
    world = world_of(zoe, yan, CARL, there=company(), lost={"zoe@acme.example": MARK.id}, gone=gone)
    assert [user.contact for user in world.contest.users] == [CARL.id]
    assert {found.record.id: found.detail for found in world.contest.findings} == {
        zoe.id: "contact '101'",
        yan.id: "contact '107'",
    }


def test_mover_that_can_be_no_user_takes_no_address_along() -> None:
    """A contact that moves and becomes no user there leaves its address to who is here."""
    moved = evolve(contact(107, "Max", email=ANNA.email, active=False), customer=THERE)
    world = world_of(ANNA, there=company(), gone={moved.id: moved})
    assert [user.contact for user in world.contest.users] == [ANNA.id]


def test_mover_takes_no_address_along_that_is_somebodys_here() -> None:
    """An address that a linked user here has stays here, also where a contact who moves has it; not for a mover."""
    moved = evolve(contact(107, "Max", email=ANNA.email), customer=THERE)
    there = company(user_of(ANNA, email=f" {ANNA.email.upper()}"))
    fields: dict[str, Any] = {"there": there, "state": links(ANNA)}
    assert movers(world_of(ANNA, gone={moved.id: moved}, **fields)) == {}
    assert movers(world_of(gone={moved.id: moved, ANNA.id: None}, **fields)) == {ANNA.email: moved.id}
    assert movers(world_of(ANNA, gone={moved.id: moved}, there=there)) == {ANNA.email: moved.id}
    assert movers(world_of(ANNA, gone={moved.id: evolve(moved, email="x@x.example")}, **fields)) == {
        "x@x.example": moved.id
    }


def test_user_in_another_company_is_the_only_one() -> None:
    """A contact with a user in another company gets none here by its address, but by its external id."""
    home = {ANNA.id: Home(customer=CustomerID("C2"), user=storefront_id("9"))}
    there = company(stranger("s", email=ANNA.email))
    assert pairs(world_of(ANNA, there=there, elsewhere=home)) == {}
    assert pairs(world_of(ANNA, there=there)) == {ANNA.id: "s"}
    own = company(stranger("s", external_id=LETTERS.upper()))
    assert pairs(world_of(evolve(ANNA, note_id=LETTERS), there=own, elsewhere=home)) == {ANNA.id: "s"}


@pytest.mark.parametrize(
    ("linked", "found"),
    [((ANNA, BILL), {}), ((ANNA,), {ANNA.id: "u103"}), ((BILL,), {ANNA.id: "u103"})],
    ids=["deleted-and-taken", "deleted", "taken"],
)
def test_deleted_user_is_not_replaced_by_somebody_elses(linked: tuple[Contact, ...], found: dict[str, str]) -> None:
    """Who lost its user to people may not take the linked user of somebody who had the same address."""
    there = company(user_of(BILL, email=f" {ANNA.email.upper()} ", external_id=""))
    world = world_of(ANNA, evolve(BILL, email="new@acme.example", active=False), there=there, state=links(*linked))
    assert pairs(world) == found


# ------------------------------------------------------------------ what people deleted
@pytest.mark.parametrize(
    ("policy", "retried", "again"),
    [(POLICY, (), False), (SyncPolicy(recreate_deleted=True), (), True), (POLICY, (contact_record(ANNA.id),), True)],
    ids=["no", "policy", "people"],
)
def test_made_again(policy: SyncPolicy, retried: tuple[Record, ...], again: bool) -> None:  # noqa: FBT001  # a column
    """What people deleted is made again by policy, or when they say so of the record."""
    state = links(MARK, ANNA, retried=frozenset(retried))
    world = seen(customer(MARK, ANNA), company(user_of(MARK)), policy, state=state)
    assert may_be_made_again(world, contact_record(ANNA.id)) is again
    assert deleted_users(world) == (set() if again else {ANNA.id})
    assert may_be_made_again(world, contact_record(MARK.id)) is policy.recreate_deleted


def test_nobody_was_deleted_where_nothing_is_proven() -> None:
    """Where there is no company, or its listing is not proven, nobody is known to be deleted."""
    state = links(MARK, ANNA)
    assert deleted_users(world_of(MARK, there=None, state=state)) == set()
    assert deleted_users(world_of(MARK, there=company(complete=False), state=state)) == set()


# ------------------------------------------------------------------ who keeps its user
def test_bad_record_keeps_its_user() -> None:
    """A linked contact whose record is bad keeps its user: nobody else gets it by its address."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    bad = evolve(ANNA, email="")
    world = world_of(bad, zoe, there=company(user_of(ANNA)), state=links(ANNA))
    assert pairs(world) == {}
    assert world.unsaved == ()


@pytest.mark.parametrize("fields", [{"active": False}, {"association": evolve(ANNA.association, enabled=False)}])
def test_leaver_keeps_no_user(fields: dict[str, Any]) -> None:
    """A contact who left keeps no user: another one with its address gets it."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    world = world_of(evolve(ANNA, **fields), zoe, there=company(user_of(ANNA)), state=links(ANNA))
    assert pairs(world) == {zoe.id: A}
    assert world.unsaved == (
        Unlinked(record=contact_record(ANNA.id)),
        Linked(record=contact_record(zoe.id), id=A),
    )


def test_loser_of_an_address_keeps_a_user_with_another() -> None:
    """A linked contact whose address went to another keeps its user, unless that is the user with the very address."""
    zoe = contact(99, "Zoe", email="both@acme.example")
    anna = evolve(ANNA, email="both@acme.example")
    state = links(ANNA)
    kept = world_of(zoe, anna, primary=zoe, there=company(user_of(ANNA, external_id="")), state=state)
    assert pairs(kept) == {}
    assert kept.linked == {ANNA.id: A}
    there = company(user_of(ANNA, email="BOTH@acme.example", external_id=""))
    assert pairs(world_of(zoe, anna, primary=zoe, there=there, state=state)) == {zoe.id: A}


def test_mover_keeps_its_user() -> None:
    """A contact on its way to another customer keeps its user until that is removed; a deleted one does not."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    there = company(user_of(ANNA))
    for now, kept in (
        (evolve(ANNA, customer=THERE, email="x"), True),
        (evolve(ANNA, customer=None), False),
        (None, False),
    ):
        world = world_of(zoe, there=there, state=links(ANNA), gone={ANNA.id: now})
        assert pairs(world) == ({} if kept else {zoe.id: A})


# ------------------------------------------------------------------ what the log learns
def test_addresses_are_linked() -> None:
    """An address that was found is linked; one that another location has now is unlinked from the former."""
    east = location("EAST")
    one = customer(MARK, locations=(east,))
    there = company(user_of(MARK), addresses=(CompanyAddress(id=SEVEN, external_id=east.note_id),))
    state = links(MARK, places={LocationID("MAIN"): "7"})
    assert seen(one, there, state=state).unsaved == (
        Unlinked(record=MAIN),
        Linked(record=Record(RecordKind.LOCATION, "EAST"), id="7"),
    )


def test_ids_of_different_kinds_are_no_ones_business() -> None:
    """A user and an address may have the same id: neither is unlinked for the other's sake."""
    there = company(stranger("7", external_id=MARK.note_id))
    state = links(places={LocationID("GONE"): "7"})
    assert seen(customer(MARK), there, state=state).unsaved == (Linked(record=contact_record(MARK.id), id="7"),)


def test_new_counterpart_is_linked() -> None:
    """A record whose counterpart is another one now is linked anew."""
    there = company(user_of(MARK, id=storefront_id("new")))
    assert world_of(MARK, there=there, state=links(MARK)).unsaved == (Linked(record=contact_record(MARK.id), id="new"),)
    assert world_of(there=company(id=KEY), state=links()).unsaved == ()


def step_of(do: str, grant: Grant, user: str) -> LoggedStep:
    """Return what the log keeps of a step."""
    return LoggedStep(hash="h", do=do, record=contact_record(MARK.id), id=user, grant=grant)


@pytest.mark.parametrize(
    ("role", "state", "granted"),
    [
        ("Admin", {"awaited": frozenset({MARK.id})}, True),
        ("Admin", {"granted": frozenset({M})}, True),
        ("Admin", {"open": {"h": Intended(step=step_of("SetRole", "give", M), until=UNTIL)}}, True),
        ("Admin", {"open": {"h": Intended(step=step_of("MoveAdmin", "move", M), until=UNTIL)}}, True),
        ("Admin", {"open": {"h": Intended(step=step_of("SetRole", "take", M), until=UNTIL)}}, False),
        ("Admin", {"open": {"h": Intended(step=step_of("SetRole", "give", A), until=UNTIL)}}, False),
        ("Admin", {}, False),
        ("Senior Buyer", {"awaited": frozenset({MARK.id})}, False),
    ],
    ids=["awaited", "granted", "given", "moved", "taken", "another", "foreign", "no-admin"],
)
def test_grants_that_were_ours(role: str, state: dict[str, Any], granted: bool) -> None:  # noqa: FBT001  # a column
    """An admin who is found is linked as ours where we gave it the role, also by a step that nobody answered."""
    world = world_of(MARK, primary=MARK, there=company(user_of(MARK, role=role)), state=links(**state))
    assert world.unsaved == (Linked(record=contact_record(MARK.id), id=M, granted=granted),)


def test_known_grant_is_not_noted_again() -> None:
    """A grant that the log knows is noted once; one that was only intended is noted when it is seen."""
    there = company(admin_of(MARK))
    assert world_of(MARK, primary=MARK, there=there, state=links(MARK, granted=frozenset({M}))).unsaved == ()
    given = {"h": Intended(step=step_of("SetRole", "give", M), until=UNTIL)}
    world = world_of(MARK, primary=MARK, there=there, state=links(MARK, open=given))
    assert world.unsaved == (Linked(record=contact_record(MARK.id), id=M, granted=True),)


# ------------------------------------------------------------------ what a run that was cut off had made
GONE = evolve(BILL, active=False, note_id=LETTERS)
OF_BILL = contact_record(BILL.id)


def cut_off(*users: CompanyUser, people: tuple[Contact, ...] = (GONE,), **fields: Any) -> tuple[Entry, ...]:
    """Return what the log learns where a run that was cut off was about to make Bill's user, wanted no more."""
    kept = evolve(LoggedStep(hash="h", do="CreateUser", record=OF_BILL, email=BILL.email), **fields)
    state = links(open={"h": Intended(step=kept, until=UNTIL)})
    return seen(customer(*people), company(*users), state=state).unsaved


@pytest.mark.parametrize(
    ("external_id", "people", "linked"),
    [
        ("", (GONE,), True),
        (LETTERS, (GONE,), True),
        (LETTERS.upper(), (GONE,), True),
        ("somebody", (GONE,), False),
        ("somebody", (), True),
        ("SOMEBODY", (), True),
    ],
    ids=["none", "its-own", "capitals", "another", "contact-gone", "contact-gone-capitals"],
)
def test_user_made_before_a_crash(external_id: str, people: tuple[Contact, ...], linked: bool) -> None:  # noqa: FBT001  # column
    """A user that a run made before it was cut off is its contact's, unless it bears another's external id."""
    made = stranger("s", email=f" {BILL.email.upper()}", external_id=external_id)
    expected = (Linked(record=OF_BILL, id="s"),) if linked else ()
    assert cut_off(stranger("t"), made, people=people) == expected


def test_nothing_made_before_a_crash() -> None:
    """Where nobody has the address nothing was made; a change of a user makes none."""
    assert cut_off(stranger("t")) == ()
    assert cut_off(stranger("s", email=BILL.email), do="UpdateUser") == ()


def test_user_that_is_somebodys_was_not_made_before_a_crash() -> None:
    """A user that another contact has is not also the one that was to be made."""
    zoe = contact(105, "Zoe", email=BILL.email)
    assert cut_off(stranger("s", email=BILL.email), people=(GONE, zoe)) == (
        Linked(record=contact_record(zoe.id), id="s"),
    )


def test_record_that_has_a_counterpart_needs_none() -> None:
    """A contact that is linked, or paired anew, is not linked to what was made as well."""
    kept = LoggedStep(hash="h", do="CreateUser", record=OF_BILL, email="old@acme.example")
    state: dict[str, Any] = {"open": {"h": Intended(step=kept, until=UNTIL)}}
    there = company(stranger("s", email="old@acme.example"), user_of(BILL))
    assert seen(customer(BILL), there, state=links(**state)).unsaved == (Linked(record=OF_BILL, id=B),)
    assert seen(customer(GONE), there, state=links(BILL, **state)).unsaved == ()


def test_admin_made_with_its_company_before_a_crash() -> None:
    """The admin that came along with a company is linked by its contact, and has its role from us."""
    made: dict[str, Any] = {"do": "CreateCompany", "record": ONE, "admin": BILL.id, "grant": "give"}
    admin = stranger("s", email=BILL.email, role="Admin")
    assert cut_off(admin, **made) == (Linked(record=OF_BILL, id="s"),)
    kept = evolve(LoggedStep(hash="h", do="CreateUser", record=ONE, email=BILL.email, admin=BILL.id))
    state = links(open={"h": Intended(step=kept, until=UNTIL)}, awaited=frozenset({BILL.id}))
    linked = Linked(record=OF_BILL, id="s", granted=True)
    assert seen(customer(GONE), company(admin), state=state).unsaved == (linked,)


def test_address_made_before_a_crash() -> None:
    """An address that a run made before it was cut off is its location's, which wants none any more."""
    one = customer(MARK, primary=MARK, locations=(location("MAIN"),))
    (wanted,) = map_customer(one, POLICY).addresses
    step = CreateAddress(company=KEY, address=wanted)
    there = CompanyAddress(
        id=SEVEN,
        external_id=wanted.external_id,
        label=wanted.label,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        phone=wanted.phone,
        address=wanted.address,
        default_shipping=wanted.default_shipping,
        default_billing=wanted.default_billing,
    )
    intent = Intended(step=logged(step, POLICY, {}), until=UNTIL)
    other = CompanyAddress(id=AddressID(StorefrontID("8")))
    closed = customer(MARK, primary=MARK, locations=(location("MAIN", active=False),))
    found = company(user_of(MARK), addresses=(there, other))
    assert seen(closed, found, state=links(MARK, open={"h": intent})).unsaved == (Linked(record=MAIN, id="7"),)
    missing = company(user_of(MARK), addresses=(other,))
    assert seen(closed, missing, state=links(MARK, open={"h": intent})).unsaved == ()


# ------------------------------------------------------------------ reading back
def sent(step: Step, identifier: str, world: World) -> World:
    """Return the world in which a step took effect."""
    key = logged(step, POLICY, {}).hash
    after = noted(world, Intended(step=logged(step, POLICY, {}), until=UNTIL), Done(step=key, id=identifier))
    return evolve(after, taken=(*after.taken, step), unsaved=())


PHONE = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("phone", "555"), ("first_name", "M")))


def test_user_read_back() -> None:
    """What the shop made of a user's values that it was sent is noted, field by field."""
    world = sent(PHONE, M, world_of(MARK, there=company(user_of(MARK)), state=links(MARK)))
    back = read_back(world, company(user_of(MARK, phone="+1 555", first_name="M", last_name="?")))
    assert back.unsaved == (Linked(record=contact_record(MARK.id), id=M, seen={"phone": digest("+1 555")}),)
    assert read_back(evolve(back, unsaved=()), back.company).unsaved == ()
    assert read_back(world, company(user_of(MARK, phone="555", first_name="M"))).unsaved == ()


def test_address_of_a_user_is_not_remembered() -> None:
    """An e-mail address that the shop did not take is refused, not remembered."""
    step = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("email", "new@acme.example"), ("phone", "5")))
    world = sent(step, M, world_of(MARK, there=company(user_of(MARK)), state=links(MARK)))
    back = read_back(world, company(user_of(MARK, phone="5")))
    error = RejectedError(Reason.INVALID, "the shop did not take the new e-mail address")
    (refused,) = back.unsaved
    assert refused == Refused(
        step=digest(step), reason=Reason.INVALID, message=str(error), record=contact_record(MARK.id)
    )
    assert list(back.refused) == [step]
    assert (type(back.refused[step]), str(back.refused[step])) == (RejectedError, str(error))
    taken = read_back(world, company(user_of(MARK, phone="5", email=" NEW@acme.example")))
    assert (taken.unsaved, taken.refused) == ((), {})
    assert read_back(world, company()).refused == {}


def test_last_change_of_an_address_counts() -> None:
    """Of a user whose address was changed twice in a run the last change is read back; what was refused stays so."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK), user_of(ANNA)), state=links(MARK, ANNA))
    steps = [
        UpdateUser(company=KEY, user=user, contact=one.id, changes=(("email", email),))
        for user, one, email in ((M, MARK, "parked@x.example"), (A, ANNA, "a@x.example"), (M, MARK, "m@x.example"))
    ]
    for step in steps:
        world = sent(step, step.user, world)
    remove = RemoveUser(company=KEY, user=B, contact=BILL.id)
    world = evolve(world, refused={remove: ValueError()})
    there = company(user_of(MARK, email="m@x.example"), user_of(ANNA, email="a@x.example"))
    assert list(read_back(world, there).refused) == [remove]
    there = company(user_of(MARK, email="parked@x.example"), user_of(ANNA, email="b@x.example"))
    assert set(read_back(world, there).refused) == {remove, steps[1], steps[2]}


def test_company_read_back() -> None:
    """What the shop made of the company's values is noted."""
    step = UpdateCompany(company=KEY, customer=HERE, changes=(("name", "New"), ("phone", "5")))
    world = sent(step, KEY, world_of(there=company(), state=links()))
    back = read_back(world, company(name="NEW", phone="5", email="other@acme.example"))
    assert back.unsaved == (Linked(record=ONE, id=KEY, seen={"name": digest("NEW")}),)


def test_address_read_back() -> None:
    """What the shop made of an address is noted as a whole."""
    one = customer(MARK, locations=(location("MAIN"),))
    (wanted,) = map_customer(evolve(one, primary_contact=MARK.id), POLICY).addresses
    step = CreateAddress(company=KEY, address=wanted)
    there = CompanyAddress(id=SEVEN, external_id=wanted.external_id, label="?")
    other = CompanyAddress(id=AddressID(StorefrontID("8")))
    world = sent(step, "7", seen(one, company(user_of(MARK)), state=links(MARK)))
    back = read_back(world, company(user_of(MARK), addresses=(other, there)))
    assert back.unsaved == (Linked(record=MAIN, id="7", seen=digests(address_fields(there))),)


def test_only_what_was_sent_is_read_back() -> None:
    """Fields that were not sent in this run are left alone, and records that are there no more."""
    step = CreateUser(company=KEY, user=USER, role="Junior")
    world = sent(step, M, world_of(MARK, there=company(user_of(MARK)), state=links(MARK)))
    assert read_back(world, company()).unsaved == ()
    link = Link(id=M, sent={**digests(user_fields(USER)), "job": "x"})
    world = evolve(world, state=evolve(world.state, links={**world.state.links, contact_record(MARK.id): link}))
    assert set(world.state.links[contact_record(MARK.id)].sent) > set(user_fields(user_of(MARK)))
    back = read_back(world, company(user_of(MARK, phone="9", extra_fields=(("size", "L"), ("more", "1")))))
    assert back.unsaved == (Linked(record=contact_record(MARK.id), id=M, seen={"phone": digest("9")}),)


def test_no_company_to_read_back() -> None:
    """Where there is no company any more nothing is read back."""
    world = sent(PHONE, M, world_of(MARK, there=company(user_of(MARK)), state=links(MARK)))
    assert (read_back(world, None).company, read_back(world, None).unsaved) == (None, ())


def test_everything_known_of_the_company_is_compared() -> None:
    """The fields of the company in the shop are those that the log knows by name."""
    assert company_fields(company()).keys() == {"name", "email", "phone", "external_id"}
    assert SHOP.addresses
