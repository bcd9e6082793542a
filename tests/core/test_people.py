"""The people of one company, as values: who stands where, who is in whose way, who swaps addresses with whom."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.actions import CreateCompany, CreateUser, MoveAdmin, SetRole, Step, UpdateUser
from acumatica_b2b.errors import NotSentError, Reason, RejectedError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import contact_record, map_contact
from acumatica_b2b.model import (
    Capabilities,
    CompanyID,
    CompanyUser,
    Contact,
    ContactID,
    CustomerID,
    DesiredCompany,
    DesiredUser,
    HandOver,
    NoteID,
    StorefrontID,
)
from acumatica_b2b.people import (
    email_changes,
    email_cycles,
    holder,
    is_super_admins,
    obstacle,
    parking,
    refused_as_taken,
    rings,
    shopper_in_the_way,
    standing,
    unbroken_rings,
)
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy, TakeBack
from acumatica_b2b.primary_admin import Primary, Standing
from acumatica_b2b.world import Home, World
from tests.bench import ANNA, BILL, CARL, MARK, contact, customer, storefront_id
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, stranger, user_of, world_of

M, A, B, C = (user_of(one).id for one in (MARK, ANNA, BILL, CARL))
NO = RejectedError(Reason.OTHER, "no")
REGIME = SHOP.hand_over


def wanted(one: Contact) -> DesiredUser:
    """Return the user that a contact should become."""
    user = map_contact(one, POLICY)
    assert isinstance(user, DesiredUser)
    return user


def role_of(one: Contact, role: str = POLICY.primary_role) -> SetRole:
    """Return the step that gives a contact's user a role."""
    return SetRole(company=KEY, user=user_of(one).id, contact=one.id, role=role)


# ------------------------------------------------------------------ how people stand
def test_who_stands_where() -> None:
    """Other admins are ours where the log says that the grant is, else foreign."""
    there = company(user_of(MARK), admin_of(ANNA), admin_of(BILL), user_of(CARL))
    state = links(MARK, ANNA, BILL, CARL, granted=frozenset({A}))
    world = world_of(MARK, ANNA, BILL, CARL, primary=MARK, there=there, state=state)
    assert standing(world) == Standing(primary=Primary.USER, user=M, ours=(A,), foreign=(B,), hand_over=REGIME)


def test_primary_is_none_of_the_others() -> None:
    """The primary who is admin is not among the other admins."""
    world = world_of(MARK, ANNA, primary=MARK, there=company(admin_of(MARK), admin_of(ANNA)))
    assert standing(world) == Standing(primary=Primary.ADMIN, user=M, foreign=(A,), hand_over=REGIME)


def test_admins_who_left() -> None:
    """Admins whose contact takes part no more are named, of both kinds, and no other who left."""
    gone = [evolve(one, active=False) for one in (ANNA, BILL, CARL)]
    there = company(user_of(MARK), admin_of(ANNA), admin_of(BILL), user_of(CARL))
    state = links(MARK, ANNA, BILL, CARL, granted=frozenset({A}))
    people = standing(world_of(MARK, *gone, primary=MARK, there=there, state=state))
    assert (people.ours, people.foreign, people.left) == ((A,), (B,), (A, B))


@pytest.mark.parametrize("step", [SetRole, MoveAdmin])
def test_refused_roles(step: type[SetRole | MoveAdmin]) -> None:
    """An admin whose role the shop would not change counts as foreign; a primary who was refused it is refused."""
    steps = [step(company=KEY, user=user_of(one).id, contact=one.id, role="x") for one in (MARK, ANNA)]
    there = company(user_of(MARK), admin_of(ANNA), admin_of(BILL))
    state = links(MARK, ANNA, BILL, granted=frozenset({A, B}))
    world = world_of(MARK, ANNA, BILL, primary=MARK, there=there, state=state, refused=dict.fromkeys(steps, NO))
    people = standing(world)
    assert (people.refused, people.ours, people.foreign) == (True, (B,), (A,))


def test_another_refusal_is_none_of_a_role() -> None:
    """A primary of whom the shop refused another change was not refused the role."""
    step = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("phone", "555"),))
    world = world_of(MARK, primary=MARK, there=company(user_of(MARK)), refused={step: NO})
    assert standing(world) == Standing(primary=Primary.USER, user=M, hand_over=REGIME)


@pytest.mark.parametrize(
    ("regime", "there", "refused", "expected"),
    [
        (HandOver.DEMOTE_FIRST, user_of(ANNA), (), A),
        (HandOver.PROMOTE_FIRST, user_of(ANNA), (), None),
        (HandOver.DEMOTE_FIRST, user_of(ANNA, active=False), (), None),
        (HandOver.DEMOTE_FIRST, user_of(BILL), (), None),
        (HandOver.DEMOTE_FIRST, user_of(ANNA), (role_of(ANNA),), None),
    ],
    ids=["gave-way", "regime", "inactive", "gone", "refused"],
)
def test_who_gave_way(regime: HandOver, there: CompanyUser, refused: tuple[Step, ...], expected: str | None) -> None:
    """Who lost the role last may get it back under DEMOTE_FIRST: an active user who was not refused it."""
    world = world_of(
        MARK,
        primary=MARK,
        there=company(user_of(MARK), there),
        state=links(MARK, gave_way=A),
        capabilities=Capabilities(hand_over=regime),
        refused=dict.fromkeys(refused, NO),
    )
    assert standing(world).gave_way == expected


def test_nobody_is_named() -> None:
    """A customer that names no primary has none, whoever its users are."""
    world = world_of(MARK, there=company(admin_of(MARK)), state=links(MARK, granted=frozenset({M})))
    assert standing(world) == Standing(primary=Primary.NOBODY, ours=(M,), hand_over=REGIME)


@pytest.mark.parametrize(
    ("primary", "user", "expected"),
    [
        (evolve(MARK, email=""), user_of(MARK), Primary.NOT_ELIGIBLE),
        (evolve(MARK, email=""), None, Primary.NOT_ELIGIBLE),
        (MARK, None, Primary.NOT_YET_A_USER),
        (MARK, stranger("s", email=MARK.email, company=CompanyID(StorefrontID("2"))), Primary.NOT_ELIGIBLE),
        (MARK, user_of(MARK, active=False), Primary.NOT_ELIGIBLE),
        (MARK, admin_of(MARK, active=False), Primary.NOT_ELIGIBLE),
        (MARK, user_of(MARK), Primary.USER),
        (MARK, admin_of(MARK), Primary.ADMIN),
    ],
    ids=["no-address", "neither", "no-user", "taken", "inactive", "inactive-admin", "user", "admin"],
)
def test_how_the_primary_stands(primary: Contact, user: CompanyUser | None, expected: Primary) -> None:
    """The primary is not eligible without an address of its own or switched off; else it is a user or is to be one."""
    here = [user] if user and user.company == KEY else []
    elsewhere = {MARK.email: user} if user and user.company != KEY else {}
    there = company(*here, user_of(ANNA))
    world = world_of(primary, ANNA, primary=primary, there=there, state=links(MARK) if here else links())
    assert standing(evolve(world, holders=elsewhere)).primary is expected


@pytest.mark.parametrize(
    ("policy", "ours"),
    [
        (SyncPolicy(), {A}),
        (SyncPolicy(role_is_ours=True), {A, B, "s"}),
        (SyncPolicy(take_back=TakeBack.LINKED), {A, B}),
        (SyncPolicy(take_back=TakeBack.ALL), {A, B, "s", "t"}),
        (SyncPolicy(admin_roles=frozenset({"Boss"})), {A}),
        (SyncPolicy(admin_roles=frozenset({"Boss"}), role_is_ours=True), {A, B, "s"}),
        (SyncPolicy(admin_roles=frozenset({"Boss"}), take_back=TakeBack.ALL), {A, B, "s", "t"}),
    ],
    ids=["ours", "exclusive", "linked", "all", "ours-of-two", "exclusive-of-two", "all-of-two"],
)
def test_whose_grant_is_ours(policy: SyncPolicy, ours: set[str]) -> None:
    """By policy the grants that are ours are those in the log, those of the role, those of linked users, or all."""
    others = (admin_of(ANNA), admin_of(BILL), stranger("s", role="Admin"), stranger("t", role="Boss"))
    one = customer(MARK, ANNA, BILL, primary=MARK)
    state = links(MARK, ANNA, BILL, granted=frozenset({A}))
    people = standing(seen(one, company(user_of(MARK), *others), policy, state=state))
    admins = {A, B, "s", "t"} if policy.admin_roles else {A, B, "s"}
    assert set(people.ours) == ours & admins
    assert set(people.foreign) == admins - ours


@pytest.mark.parametrize(("exclusive", "ours"), [(False, {A, "s"}), (True, {A, "s", "t"})])
def test_grants_to_strangers(exclusive: bool, ours: set[str]) -> None:  # noqa: FBT001  # a table's column
    """Where the grants of linked users are taken back, so are those that the log, or the role, says are ours."""
    policy = SyncPolicy(take_back=TakeBack.LINKED, role_is_ours=exclusive)
    there = company(user_of(MARK), admin_of(ANNA), stranger("s", role="Admin"), stranger("t", role="Admin"))
    state = links(MARK, ANNA, granted=frozenset({"s"}))
    assert set(standing(seen(customer(MARK, ANNA, primary=MARK), there, policy, state=state)).ours) == ours


# ------------------------------------------------------------------ who has an address
@pytest.mark.parametrize("email", [ANNA.email, " Anna@ACME.example "])
def test_holder_in_the_company(email: str) -> None:
    """An address is held by the user of the company who has it, trimmed and in lower case."""
    other = stranger("s", email=email)
    world = world_of(MARK, there=company(user_of(MARK), other))
    assert holder(world, wanted(ANNA)) == other


def test_own_user_holds_nothing() -> None:
    """A contact's own user is in nobody's way."""
    world = world_of(MARK, there=company(user_of(MARK)))
    assert holder(world, wanted(MARK)) is None


def test_holder_elsewhere() -> None:
    """An address may be held by a user of another company, as far as the shop was asked."""
    other = stranger("s", company=CompanyID(StorefrontID("2")))
    world = world_of(MARK, there=company(user_of(MARK)), holders={ANNA.email: other, BILL.email: None})
    assert holder(world, wanted(ANNA)) == other
    assert holder(world, wanted(BILL)) is None
    assert holder(world, wanted(CARL)) is None


def test_what_was_said_of_a_user_of_the_company_is_out_of_date() -> None:
    """What the shop said first of a user of this company is no longer so: its users are looked at themselves."""
    before = stranger("s", email=ANNA.email)
    world = world_of(MARK, there=company(stranger("s", email="new@acme.example")), holders={ANNA.email: before})
    assert holder(world, wanted(ANNA)) is None


# ------------------------------------------------------------------ what is in the way of a new user
def why(world: World, one: Contact) -> tuple[FindingKind, str] | None:
    """Return what is in the way of a contact's user, which names the contact."""
    found = obstacle(world, wanted(one))
    assert found is None or found.record == contact_record(one.id)
    return (found.kind, found.detail) if found else None


def test_nothing_in_the_way() -> None:
    """A free address is no obstacle."""
    assert why(world_of(MARK, ANNA, there=company(user_of(MARK))), ANNA) is None


def test_deleted_by_people() -> None:
    """A user whom people deleted is not made again; the finding names it."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), state=links(MARK, ANNA))
    assert why(world, ANNA) == (FindingKind.DELETED_IN_SHOP, f"company user {A}")


def test_not_deleted_where_the_listing_is_not_proven() -> None:
    """A linked user whom an unproven listing lacks was not deleted."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK), complete=False), state=links(MARK, ANNA))
    assert why(world, ANNA) is None


def test_user_in_another_company() -> None:
    """A contact who still has a user of another customer's company waits; the finding names both."""
    home = {ANNA.id: Home(customer=CustomerID("C2"), user=storefront_id("9"))}
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), elsewhere=home)
    assert why(world, ANNA) == (FindingKind.MOVE_WAITS, "company user 9 of customer 'C2'")


def test_own_user_in_another_company() -> None:
    """A user with the contact's external id in another company is the contact's: it waits for its removal there."""
    anna = evolve(ANNA, note_id=NoteID("abcdef00-0000-0000-0000-000000000102"))
    other = user_of(anna, company=CompanyID(StorefrontID("2")), external_id=anna.note_id.upper())
    world = world_of(MARK, anna, there=company(user_of(MARK)), holders={anna.email: other})
    assert why(world, anna) == (FindingKind.MOVE_WAITS, f"company user {A} of company 2")


def test_parted_user_in_another_company() -> None:
    """A user whom people parted from the contact is not waited for: the address is somebody else's."""
    other = user_of(ANNA, company=CompanyID(StorefrontID("2")))
    state = links(MARK, apart=frozenset({(contact_record(ANNA.id), other.id)}))
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), holders={ANNA.email: other}, state=state)
    assert why(world, ANNA) == (FindingKind.EMAIL_OWNED_ELSEWHERE, f"company user {A} of company 2")


@pytest.mark.parametrize("external_id", ["", "somebody"])
def test_address_of_somebody_else(external_id: str) -> None:
    """An address of another company's user is owned elsewhere; the finding names user and company."""
    other = stranger("s", company=CompanyID(StorefrontID("2")), external_id=external_id)
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), holders={ANNA.email: other})
    assert why(world, ANNA) == (FindingKind.EMAIL_OWNED_ELSEWHERE, "company user s of company 2")


def test_address_that_is_about_to_be_free() -> None:
    """An address whose user here gets another one is no obstacle; one whose user keeps it is."""
    zoe, yan = contact(105, "Zoe", email=ANNA.email), contact(106, "Yan", email=BILL.email)
    there = company(user_of(ANNA, email="old@acme.example"), user_of(MARK, email=ANNA.email), user_of(BILL))
    world = world_of(MARK, BILL, zoe, there=there, state=links(MARK, BILL))
    assert why(world, zoe) is None
    assert why(world, yan) == (FindingKind.EMAIL_OWNED_ELSEWHERE, f"company user {B} of company 1")


def test_super_admin() -> None:
    """An address of a person above all companies is an obstacle, and no user is named."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), super_admins=frozenset({ANNA.email}))
    assert why(world, ANNA) == (FindingKind.SUPER_ADMIN_EMAIL, "")


def test_shopper() -> None:
    """A shopper's address is an obstacle where the policy asks for it; the finding names the shopper."""
    there = company(user_of(MARK))
    for policy, kind in (
        (ExistingShoppers.HOLD, FindingKind.SHOPPER_HELD),
        (ExistingShoppers.REFUSE, FindingKind.SHOPPER_REFUSED),
    ):
        one = customer(MARK, ANNA)
        world = seen(one, there, SyncPolicy(existing_shoppers=policy), shoppers={ANNA.email: "77"})
        assert why(world, ANNA) == (kind, "shopper 77")
        assert why(world, BILL) is None


def test_shopper_of_whom_people_said_retry() -> None:
    """Who was held for a shopper's sake goes on when people say so; who was refused does not."""
    for policy, free in ((ExistingShoppers.HOLD, True), (ExistingShoppers.REFUSE, False)):
        state = links(retried=frozenset({contact_record(ANNA.id)}))
        world = seen(
            customer(MARK, ANNA),
            company(user_of(MARK)),
            SyncPolicy(existing_shoppers=policy),
            shoppers={ANNA.email: "77"},
            state=state,
        )
        assert (shopper_in_the_way(world, wanted(ANNA)) is None) is free


# ------------------------------------------------------------------ refused because it is taken
def company_with(admin: Contact | None) -> CreateCompany:
    """Return the creation of a company with its admin."""
    one = customer()
    made = DesiredCompany(
        customer=one.id, external_id=one.note_id, name="Acme", email="a@acme.example", phone="5", address=one.address
    )
    return CreateCompany(company=made, admin=wanted(admin) if admin else None, role="Admin")


CLAIMS: tuple[Step, ...] = (
    CreateUser(company=KEY, user=wanted(ANNA), role="Senior Buyer"),
    company_with(ANNA),
    UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "5"), ("email", ANNA.email))),
)
TAKEN = RejectedError(Reason.EMAIL_TAKEN, "taken")


@pytest.mark.parametrize("step", CLAIMS, ids=lambda step: type(step).__name__)
def test_taken_by_an_unknown(step: Step) -> None:
    """An address that was asked for, that no company user has and that the shop calls taken is a super admin's."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), refused={step: TAKEN}, holders={ANNA.email: None})
    assert refused_as_taken(world, wanted(ANNA))
    assert is_super_admins(world, wanted(ANNA))
    assert not refused_as_taken(world, wanted(evolve(ANNA, email="a@acme.example")))
    assert not refused_as_taken(world, wanted(evolve(ANNA, id=BILL.id)))
    assert not is_super_admins(evolve(world, holders={}), wanted(ANNA))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (CLAIMS[0], NO),
        (CLAIMS[0], NotSentError("down")),
        (company_with(None), TAKEN),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", ANNA.email),)), TAKEN),
        (role_of(ANNA), TAKEN),
    ],
    ids=["another-reason", "not-sent", "no-admin", "no-address", "a-role"],
)
def test_not_refused_as_taken(step: Step, error: Exception) -> None:
    """What the shop refused for another reason, or of another kind, says nothing of an address."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), refused={step: error}, holders={ANNA.email: None})
    assert not refused_as_taken(world, wanted(ANNA))


def test_known_super_admin() -> None:
    """An address that the shop names as a super admin's is one without any refusal."""
    world = world_of(MARK, there=company(user_of(MARK)), super_admins=frozenset({ANNA.email}))
    assert is_super_admins(world, wanted(ANNA))
    assert not is_super_admins(world, wanted(BILL))


# ------------------------------------------------------------------ changes and rings of addresses
def swapping(*steps: tuple[Contact, Contact], policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return a world in which each first contact is to get the address of the second, all linked."""
    new = {one.id: evolve(one, email=other.email) for one, other in steps}
    people = [new.get(one.id, one) for one in (MARK, ANNA, BILL, CARL)]
    there = company(*map(user_of, (MARK, ANNA, BILL, CARL)))
    return seen(customer(*people, primary=MARK), there, policy, state=links(MARK, ANNA, BILL, CARL), **fields)


def test_changes_of_addresses() -> None:
    """Changes are of those whose user has another address now; letter case and spaces are none."""
    there = company(user_of(MARK, email=" MARK@acme.example "), user_of(ANNA, email="old@acme.example"))
    world = world_of(MARK, ANNA, BILL, there=there, state=links(MARK, ANNA))
    assert email_changes(world) == {ANNA.id: wanted(ANNA)}


def test_addresses_that_are_not_owned() -> None:
    """Where the ERP does not own the addresses nobody's changes."""
    policy = SyncPolicy(owned_user_fields=frozenset({"phone"}))
    assert email_changes(swapping((MARK, ANNA), (ANNA, MARK), policy=policy)) == {}


def test_swap_is_a_ring() -> None:
    """Two who wait for each other's address are a ring, which begins with the lowest contact."""
    world = swapping((MARK, ANNA), (ANNA, MARK))
    assert list(email_cycles(world)) == [(MARK.id, ANNA.id)]
    assert unbroken_rings(world) == dict.fromkeys((MARK.id, ANNA.id), (MARK.id, ANNA.id))


def test_chain_is_no_ring() -> None:
    """Who waits for one who moves away to a free address, or does not move, is in no ring."""
    free = contact(107, "Free")
    assert list(email_cycles(swapping((MARK, ANNA), (ANNA, free)))) == []
    there = company(*map(user_of, (MARK, BILL)), stranger("s", email=ANNA.email))
    mark = evolve(MARK, email=ANNA.email)
    assert list(email_cycles(world_of(mark, BILL, there=there, state=links(MARK, BILL)))) == []


def test_ring_over_customers_is_unbroken() -> None:
    """A ring over several customers holds until one of it has moved here."""
    ring = (MARK.id, ContactID("900"))
    world = swapping((MARK, contact(900, "Far")), rings={MARK.id: ring})
    assert unbroken_rings(world) == {MARK.id: ring}
    assert unbroken_rings(swapping(rings={MARK.id: ring})) == {}


@pytest.mark.parametrize(
    ("domain", "changes_email", "expected"),
    [("parked.example", True, {MARK.id: f"parked-{M}@parked.example"}), ("", True, {}), ("parked.example", False, {})],
)
def test_parking(domain: str, changes_email: bool, expected: dict[ContactID, str]) -> None:  # noqa: FBT001  # a column
    """Of each ring the lowest contact steps aside, to an address of the policy's domain that bears its user's id."""
    capabilities = evolve(SHOP, changes_email=changes_email)
    world = swapping((MARK, ANNA), (ANNA, MARK), policy=SyncPolicy(parking_domain=domain), capabilities=capabilities)
    assert parking(world) == expected


def test_lowest_of_a_ring() -> None:
    """The lowest contact of a ring is the lowest number: 9 before 10."""
    nine, ten = contact(9, "Nina"), contact(10, "Tina")
    people = (evolve(nine, email=ten.email), evolve(ten, email=nine.email))
    there = company(user_of(nine), user_of(ten))
    world = seen(customer(*people), there, SyncPolicy(parking_domain="parked.example"), state=links(nine, ten))
    assert parking(world) == {nine.id: "parked-u9@parked.example"}


def test_two_rings() -> None:
    """Two rings have one who steps aside each."""
    policy = SyncPolicy(parking_domain="parked.example")
    world = swapping((MARK, ANNA), (ANNA, MARK), (BILL, CARL), (CARL, BILL), policy=policy)
    assert parking(world).keys() == {MARK.id, BILL.id}


def test_parked_is_moved() -> None:
    """A ring of whom one is parked is still a ring, and nobody else steps aside for it."""
    policy = SyncPolicy(parking_domain="parked.example")
    there = company(
        user_of(MARK, id=storefront_id("UX"), email="PARKED-ux@parked.example"), user_of(ANNA), user_of(BILL)
    )
    mark, anna = evolve(MARK, email=ANNA.email), evolve(ANNA, email=MARK.email)
    world = seen(customer(mark, anna, BILL), there, policy, rings={MARK.id: (MARK.id, ANNA.id)})
    assert world.pairs.users[MARK.id] == "UX"
    assert unbroken_rings(world) == {}
    assert parking(world) == {}


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        ({}, []),
        ({"1": "2"}, []),
        ({"1": "1"}, [("1",)]),
        ({"1": "2", "2": "1"}, [("1", "2")]),
        ({"2": "1", "1": "2", "3": "1"}, [("1", "2")]),
        ({"1": "2", "2": "3", "3": "2"}, [("2", "3")]),
        ({"10": "9", "9": "10"}, [("9", "10")]),
        ({"1": "2", "2": "1", "3": "4", "4": "3", "5": "3"}, [("1", "2"), ("3", "4")]),
    ],
)
def test_rings(waits: dict[str, str], found: list[tuple[str, ...]]) -> None:
    """A ring is everybody who comes back to itself, in the order of waiting, and whoever only leads to it is not."""
    assert list(rings({ContactID(a): ContactID(b) for a, b in waits.items()})) == found


@given(st.dictionaries(st.sampled_from("123456"), st.sampled_from("123456")))
def test_in_a_ring_each_waits_for_the_next(waits: dict[str, str]) -> None:
    """In a ring each waits for the next and the last for the first; nobody is in two."""
    found = list(rings({ContactID(a): ContactID(b) for a, b in waits.items()}))
    for ring in found:
        assert [waits[one] for one in ring] == [*ring[1:], ring[0]]
    everybody = [one for ring in found for one in ring]
    assert len(everybody) == len(set(everybody))


def test_obstacle_is_a_finding_of_the_contact() -> None:
    """An obstacle is a finding about the contact, ready for the report."""
    world = world_of(MARK, ANNA, there=company(user_of(MARK)), super_admins=frozenset({ANNA.email}))
    record = contact_record(ANNA.id)
    assert obstacle(world, wanted(ANNA)) == Finding(kind=FindingKind.SUPER_ADMIN_EMAIL, record=record)
