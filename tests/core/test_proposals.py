"""Proposals, as values: exactly which steps each part of the rules would take next."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import (
    Changes,
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
)
from acumatica_b2b.logstate import Link, Refusals
from acumatica_b2b.mapping import contact_record, customer_record, map_contact, map_customer
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    HandOver,
    LocationID,
    Record,
    RecordKind,
    StorefrontID,
)
from acumatica_b2b.policy import CustomerLeaves, FirstAdmin, Guarded, ProtectedLeaver, SyncPolicy, TakeBack
from acumatica_b2b.proposals import PROPOSALS, aborted, admin_to_be, can_have_users, deleted_company, lost_places
from acumatica_b2b.steps import address_fields, digests, user_fields
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World
from tests.bench import ANNA, BILL, CARL, HERE, MARK, contact, customer, location, storefront_id
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, stranger, unseen, user_of, world_of

CREATION, CHANGES, ROLES, REMOVALS, _ = PROPOSALS
M, A, B, C = (user_of(one).id for one in (MARK, ANNA, BILL, CARL))
ELSEWHERE = CompanyID(StorefrontID("2"))


def wanted(one: Contact, policy: SyncPolicy = POLICY) -> DesiredUser:
    """Return the user that a contact should become."""
    user = map_contact(one, policy)
    assert isinstance(user, DesiredUser)
    return user


def of(part: Any, world: World) -> list[Step]:
    """Return what a part of the rules proposes."""
    return list(part(world))


# ------------------------------------------------------------------ refused too often
@pytest.mark.parametrize(
    ("step", "stops"),
    [
        (UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("phone", "5"),)), True),
        (SetRole(company=KEY, user=M, contact=MARK.id, role="Admin"), False),
        (MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin"), False),
    ],
    ids=["change", "role", "move"],
)
def test_aborted(step: Step, stops: bool) -> None:  # noqa: FBT001  # a table's column
    """A step that was refused as often as the policy says is not tried again; a hand-over always is."""
    for times, often in ((4, False), (5, True)):
        state = links(refusals={digest(step): Refusals(record=None, times=times)})
        assert aborted(world_of(MARK, there=company(), state=state), step) is (stops and often)
    assert not aborted(world_of(MARK, there=company(), state=links()), step)
    others = links(refusals={"another": Refusals(record=None, times=9)})
    assert not aborted(world_of(MARK, there=company(), state=others), step)


# ------------------------------------------------------------------ the company
NEW = customer(ANNA, MARK, primary=MARK)


def desired_company() -> DesiredCompany:
    """Return the company that the customer should become."""
    company = map_customer(NEW, POLICY).company
    assert company
    return company


def test_company_is_made() -> None:
    """A customer without a company gets the desired one, by itself where the shop can make it so."""
    assert of(CREATION, seen(NEW, None)) == [CreateCompany(company=desired_company(), admin=None, role="Admin")]


def test_company_is_made_with_its_admin() -> None:
    """Where the shop can't make a company without its admin, the primary comes along."""
    world = seen(NEW, None, capabilities=evolve(SHOP, admin_at_creation=True))
    assert of(CREATION, world) == [CreateCompany(company=desired_company(), admin=wanted(MARK), role="Admin")]


@pytest.mark.parametrize(
    "fields",
    [
        {"ambiguous": "companies 1 and 2"},
        {"held": frozenset({Guarded.ADOPTIONS})},
        {"state": links()},
        {"holders": {MARK.email: stranger("s", company=ELSEWHERE)}},
    ],
    ids=["ambiguous", "adoption-held", "deleted", "no-admin"],
)
def test_company_is_not_made(fields: dict[str, Any]) -> None:
    """No company is made where there may be one, where people deleted it, or where nobody could be its admin."""
    world = seen(NEW, None, **fields)
    assert of(CREATION, world) == []
    assert not can_have_users(world)


def test_company_that_is_there_is_not_made() -> None:
    """A company that is there is not made again."""
    world = seen(NEW, company())
    assert of(CREATION, world) == []
    assert can_have_users(world)


def test_who_can_have_users() -> None:
    """A customer whose company may be made can have users; one whose data makes none can't."""
    assert can_have_users(seen(NEW, None))
    assert not can_have_users(seen(evolve(NEW, email="acme"), None))


@pytest.mark.parametrize(
    ("policy", "fields", "deleted"),
    [
        (POLICY, {"state": links()}, True),
        (POLICY, {}, False),
        (SyncPolicy(recreate_deleted=True), {"state": links()}, False),
        (POLICY, {"state": links(retried=frozenset({customer_record(HERE)}))}, False),
    ],
    ids=["linked", "never-linked", "policy", "retried"],
)
def test_deleted_company(policy: SyncPolicy, fields: dict[str, Any], deleted: bool) -> None:  # noqa: FBT001  # a column
    """A linked company that is not there was deleted by people; by policy, or when they say so, it is made again."""
    assert deleted_company(seen(NEW, None, policy, **fields)) is deleted
    assert bool(of(CREATION, seen(NEW, None, policy, **fields))) is not deleted
    assert not deleted_company(seen(NEW, company(), policy, **fields))


LOWEST = SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT)
TAKEN = {MARK.email: stranger("s", company=ELSEWHERE)}


def test_admin_to_be() -> None:
    """The first admin is the primary, or by policy the lowest contact whose address is free."""
    assert admin_to_be(seen(NEW, None)) == wanted(MARK)
    assert admin_to_be(seen(NEW, None, holders=TAKEN)) is None
    assert admin_to_be(seen(NEW, None, LOWEST, holders=TAKEN)) == wanted(ANNA)


@pytest.mark.parametrize(
    ("fields", "email", "phone"),
    [
        ({}, "office@acme.example", "555-0100"),
        ({"email": " "}, ANNA.email, "555-0100"),
        ({"phones": (" ",)}, "office@acme.example", "22"),
        ({"email": "", "phones": ()}, ANNA.email, "22"),
        ({"email": MARK.email, "phones": ("11",)}, MARK.email, "11"),
    ],
    ids=["own", "no-email", "no-phone", "neither", "the-same"],
)
def test_what_the_admin_lends(fields: dict[str, Any], email: str, phone: str) -> None:
    """What the customer lacks comes from who is really to be its admin, and what it has is its own."""
    anna, bill = evolve(ANNA, phones=("22",)), evolve(BILL, phones=("33",))
    mark = evolve(MARK, id=ContactID("104"), phones=("11",))
    one = customer(bill, mark, anna, primary=mark, **fields)
    (create,) = of(CREATION, seen(one, None, LOWEST, holders=TAKEN))
    assert isinstance(create, CreateCompany)
    assert (create.company.email, create.company.phone) == (email, phone)
    own = map_customer(one, LOWEST).company
    assert own
    assert create.company == evolve(own, email=email, phone=phone)


@pytest.mark.parametrize(
    ("policy", "fields"),
    [(POLICY, {"email": "", "phones": ()}), (LOWEST, {"email": "acme", "phones": ()})],
    ids=["no-admin", "no-company"],
)
def test_nobody_lends_anything(policy: SyncPolicy, fields: dict[str, Any]) -> None:
    """Where nobody is to be admin nothing is lent, nor where the customer's data makes no company."""
    mark = evolve(MARK, phones=("11",))
    assert of(CREATION, seen(customer(mark, ANNA, primary=mark, **fields), None, policy, holders=TAKEN)) == []


def test_admin_without_a_phone_lends_none() -> None:
    """An admin without a phone leaves the company that of the mapped one: it can't be without."""
    mark = evolve(MARK, phones=("11",))
    one = customer(mark, ANNA, primary=mark, phones=())
    (create,) = of(CREATION, seen(one, None, LOWEST, holders=TAKEN))
    assert isinstance(create, CreateCompany)
    assert create.company.phone == "11"


# ------------------------------------------------------------------ changes of the company
def changes_of(world: World) -> Changes:
    """Return the changes of the company."""
    return next((step.changes for step in CHANGES(world) if isinstance(step, UpdateCompany)), ())


def test_company_changes() -> None:
    """A company's fields that differ from the customer's are written, in one step that names both."""
    world = seen(customer(name="New", phones=("1",)), company(), state=links())
    changes = (("name", "New"), ("phone", "1"))
    assert of(CHANGES, world) == [UpdateCompany(company=KEY, customer=HERE, changes=changes)]


def test_fields_that_are_not_owned() -> None:
    """A field that the ERP does not own is left alone; the external id always is ours."""
    policy = SyncPolicy(owned_company_fields=frozenset({"phone"}))
    world = seen(customer(name="New", phones=("1",)), company(external_id=""), policy)
    assert changes_of(world) == (("phone", "1"), ("external_id", customer().note_id))


def test_company_as_the_shop_rewrote_it_is_left_alone() -> None:
    """A company's value that the shop made of the one it was sent is not written again for that."""
    link = Link(id=KEY, sent={"phone": digest("1")}, seen={"phone": digest("+1")})
    state = evolve(links(), links={customer_record(HERE): link})
    one = customer(phones=("1",))
    assert changes_of(seen(one, company(phone="+1"), state=state)) == ()
    assert changes_of(seen(one, company(phone="+2"), state=state)) == (("phone", "1"),)


def test_extra_fields_of_a_company_are_of_its_creation() -> None:
    """A company's extra fields are not compared: the shop does not list them."""
    world = seen(
        customer(MARK, primary=MARK), company(), SyncPolicy(owned_company_fields=frozenset({"extra_fields.x"}))
    )
    made = world.desired.company
    assert made
    desired = evolve(world.desired, company=evolve(made, extra_fields=(("x", "1"),)))
    assert changes_of(evolve(world, desired=desired)) == ()


def test_company_is_claimed_first() -> None:
    """A company that does not bear the external id gets that first; a plan shows all that follows."""
    world = world_of(MARK, primary=MARK, there=company(external_id=""))
    assert [type(step) for step in CHANGES(world)] == [UpdateCompany]
    assert [type(step) for step in CHANGES(evolve(world, planning=True))] == [UpdateCompany, CreateUser]


def test_nothing_changes_without_a_company() -> None:
    """Where there is no company nothing of it changes."""
    assert of(CHANGES, world_of(MARK, primary=MARK, there=None)) == []


OFF = evolve(SHOP, deactivates_companies=True)
LEAVES = SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE)


@pytest.mark.parametrize(
    ("policy", "shop", "fields", "linked", "changes"),
    [
        (LEAVES, OFF, {}, True, (("active", "no"),)),
        (LEAVES, OFF, {"active": False}, True, ()),
        (LEAVES, OFF, {}, False, ()),
        (LEAVES, SHOP, {}, True, ()),
        (POLICY, OFF, {}, True, ()),
    ],
    ids=["left", "already", "not-ours", "shop-can-t", "policy"],
)
def test_customer_leaves(
    policy: SyncPolicy,
    shop: Any,
    fields: dict[str, Any],
    linked: bool,  # noqa: FBT001  # a column
    changes: Changes,
) -> None:
    """The company of a customer that left is switched off where the policy says so, the shop can and it is ours."""
    one = customer(MARK, primary=MARK, status="Inactive", name="New")
    state = {"state": links(MARK)} if linked else {}
    world = seen(one, company(user_of(MARK, phone="9"), **fields), policy, capabilities=shop, **state)
    if not linked:
        world = evolve(world, state=evolve(world.state, links={}))
    expected = [UpdateCompany(company=KEY, customer=HERE, changes=changes)] if changes else []
    assert of(CHANGES, world) == expected


@pytest.mark.parametrize(("ours", "changes"), [(True, (("active", "yes"),)), (False, ())])
def test_customer_comes_back(ours: bool, changes: Changes) -> None:  # noqa: FBT001  # a table's column
    """A company that we switched off is switched on again; one that people switched off stays so."""
    state = links(switched_off=frozenset({(RecordKind.CUSTOMER, KEY)} if ours else ()))
    assert changes_of(seen(customer(), company(active=False), state=state)) == changes
    assert changes_of(seen(customer(), company(), state=state)) == ()


# ------------------------------------------------------------------ what is owed
@pytest.mark.parametrize(
    ("sent", "seen_as", "there", "owed"),
    [
        (None, None, "555", False),
        (None, None, "9", True),
        ("555", None, "555", False),
        ("555", None, "9", True),
        ("555", "+1 555", "+1 555", False),
        ("555", "+1 555", "9", True),
        ("4", None, "4", True),
        ("4", "+1 4", "+1 4", True),
        ("555", None, "", True),
    ],
)
def test_owed(sent: str | None, seen_as: str | None, there: str, owed: bool) -> None:  # noqa: FBT001  # a column
    """A field is written when its value is not the one sent last, or the shop has not what it had made of that."""
    mark = evolve(MARK, phones=("555",))
    link = Link(
        id=M,
        sent={"phone": digest(sent)} if sent else {},
        seen={"phone": digest(seen_as)} if seen_as else {},
    )
    state = evolve(links(MARK), links={**links(MARK).links, contact_record(MARK.id): link})
    world = world_of(mark, primary=MARK, there=company(user_of(mark, phone=there)), state=state)
    changes = (("phone", "555"),)
    expected = [UpdateUser(company=KEY, user=M, contact=MARK.id, changes=changes)] if owed else []
    assert of(CHANGES, world) == expected


def test_extra_fields_of_users() -> None:
    """An extra field that the policy owns is written where the shop lacks it."""
    policy = SyncPolicy(owned_user_fields=frozenset({"extra_fields.size"}))
    world = seen(customer(MARK, primary=MARK), company(user_of(MARK, phone="9")), policy)
    (mark,) = world.contest.users
    contest = evolve(world.contest, users=(evolve(mark, extra_fields=(("size", "L"), ("shoe", "9"))),))
    changes = (("extra_fields.size", "L"),)
    assert of(CHANGES, evolve(world, contest=contest)) == [
        UpdateUser(company=KEY, user=M, contact=MARK.id, changes=changes)
    ]


@pytest.mark.parametrize(
    ("value", "sent", "owed"), [("", None, False), ("L", None, True), ("L", "L", False), ("L", "M", True)]
)
def test_extra_field_that_the_shop_lacks(value: str, sent: str | None, owed: bool) -> None:  # noqa: FBT001  # a column
    """A field that the shop does not have is an empty one: also where that is what it had made of the value sent."""
    policy = SyncPolicy(owned_user_fields=frozenset({"extra_fields.size"}))
    fields = {"extra_fields.size": digest(sent)} if sent else {}
    link = Link(id=M, sent=fields, seen={"extra_fields.size": digest("")} if sent else {})
    state = evolve(links(MARK), links={**links(MARK).links, contact_record(MARK.id): link})
    world = seen(customer(MARK, primary=MARK), company(user_of(MARK)), policy, state=state)
    (mark,) = world.contest.users
    contest = evolve(world.contest, users=(evolve(mark, extra_fields=(("size", value),)),))
    assert bool(of(CHANGES, evolve(world, contest=contest))) is owed


# ------------------------------------------------------------------ users
def users_of(world: World) -> list[Step]:
    """Return what is proposed for users."""
    return [step for step in CHANGES(world) if isinstance(step, CreateUser | UpdateUser)]


def test_user_is_made() -> None:
    """A contact without a user gets one: with the role of users, the primary with its own."""
    assert users_of(world_of(MARK, ANNA, primary=MARK, there=company())) == [
        CreateUser(company=KEY, user=wanted(MARK), role="Admin"),
        CreateUser(company=KEY, user=wanted(ANNA), role="Senior Buyer"),
    ]


def test_user_whose_role_is_held_is_made_without_it() -> None:
    """A primary whose role the guard holds is made with the role of users; an approval lets it have its own."""
    held: dict[str, Any] = {"held": frozenset({Guarded.HAND_OVERS}), "state": links(ANNA, granted=frozenset({A}))}
    world = world_of(MARK, ANNA, primary=MARK, there=company(admin_of(ANNA)), **held)
    made = CreateUser(company=KEY, user=wanted(MARK), role="Admin")
    assert users_of(world) == [evolve(made, role="Senior Buyer")]
    assert users_of(evolve(world, approved=frozenset({digest(made)}))) == [made]


@pytest.mark.parametrize("regime", [HandOver.ATOMIC, HandOver.DEMOTE_FIRST], ids=lambda regime: regime.value)
@pytest.mark.parametrize(
    ("others", "role"),
    [((), "Admin"), ((user_of(ANNA),), "Senior Buyer"), ((admin_of(ANNA),), "Senior Buyer")],
    ids=["first", "not-first", "beside-an-admin"],
)
def test_role_of_a_new_primary(regime: HandOver, others: tuple[CompanyUser, ...], role: str) -> None:
    """Where two admins may not stand side by side the primary gets the role at once as the first user only."""
    shop = evolve(SHOP, hand_over=regime)
    world = world_of(MARK, ANNA, primary=MARK, there=company(*others), capabilities=shop)
    assert users_of(world)[0] == CreateUser(company=KEY, user=wanted(MARK), role=role)


def test_first_admin_who_is_not_primary() -> None:
    """By policy the lowest contact gets the role as the first user, and no second one."""
    one = customer(BILL, ANNA)
    assert [step.role for step in users_of(seen(one, company(), LOWEST)) if isinstance(step, CreateUser)] == [
        "Senior Buyer",
        "Admin",
    ]
    there = company(user_of(CARL))
    assert [step.role for step in users_of(seen(one, there, LOWEST)) if isinstance(step, CreateUser)] == [
        "Senior Buyer",
        "Senior Buyer",
    ]


def test_user_without_external_id_gets_it() -> None:
    """Who was found by its address gets the external id at once where the policy says so, whoever owns the fields."""
    policy = SyncPolicy(owned_user_fields=frozenset(), external_ids_at_once=True)
    world = seen(customer(MARK, primary=MARK), company(user_of(MARK, external_id="")), policy)
    changes = (("external_id", MARK.note_id),)
    assert users_of(world) == [UpdateUser(company=KEY, user=M, contact=MARK.id, changes=changes)]


def test_user_without_external_id_gets_it_along() -> None:
    """Who was found by its address gets the contact's external id along with another change, and not alone."""
    there = company(user_of(MARK, external_id=""))
    assert users_of(seen(customer(MARK, primary=MARK), there)) == []
    there = company(user_of(MARK, external_id="", last_name="Other"))
    [step] = users_of(seen(customer(MARK, primary=MARK), there))
    assert isinstance(step, UpdateUser)
    assert dict(step.changes) == {"last_name": MARK.last_name, "external_id": MARK.note_id}


@pytest.mark.parametrize(("there", "sent"), [("other", False), ("", True)], ids=["other", "sent-before"])
def test_external_id_that_is_not_merely_missing(there: str, sent: bool) -> None:  # noqa: FBT001  # a table's column
    """An external id that is another, or was sent and is gone, is written by itself."""
    state = links(MARK)
    if sent:
        link = Link(id=user_of(MARK).id, sent={"external_id": digest(MARK.note_id)}, seen={"external_id": digest("x")})
        state = evolve(state, links={**state.links, contact_record(MARK.id): link})
    (step,) = users_of(world_of(MARK, there=company(user_of(MARK, external_id=there)), state=state))
    assert isinstance(step, UpdateUser)
    assert step.changes == (("external_id", MARK.note_id),)


def test_user_that_an_unproven_listing_lacks_is_not_made_again() -> None:
    """A linked user who is not there is not made anew where the listing is not proven."""
    there = company(user_of(MARK), complete=False)
    assert users_of(world_of(MARK, ANNA, there=there, state=links(MARK, ANNA))) == []
    made = users_of(world_of(MARK, ANNA, there=there, state=links(MARK)))
    assert made == [CreateUser(company=KEY, user=wanted(ANNA), role="Senior Buyer")]


def test_user_waits_for_its_address() -> None:
    """A user whose address is to be released first is not made yet, nor one whose address is somebody's."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    there = company(user_of(ANNA, email="old@acme.example"), user_of(MARK, email=ANNA.email))
    world = world_of(MARK, zoe, there=there, state=links(MARK))
    assert [type(step) for step in users_of(world)] == [UpdateUser]
    held = world_of(MARK, ANNA, there=company(user_of(MARK)), super_admins=frozenset({ANNA.email}))
    assert users_of(held) == []


def test_user_that_we_switched_off_is_switched_on() -> None:
    """A user who comes back is switched on where we switched it off, along with other changes; else it stays off."""
    mark = evolve(MARK, phones=("555",))
    there = company(user_of(MARK, active=False))
    ours = links(MARK, switched_off=frozenset({(RecordKind.CONTACT, M)}))
    assert users_of(world_of(mark, primary=MARK, there=there, state=ours)) == [
        UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("phone", "555"), ("active", "yes")))
    ]
    assert users_of(world_of(MARK, primary=MARK, there=there, state=links(MARK))) == []
    assert users_of(world_of(MARK, primary=MARK, there=company(user_of(MARK)), state=ours)) == []


NEW_EMAIL = evolve(MARK, email="new@acme.example", phones=("555",))
BOTH: Changes = (("email", "new@acme.example"), ("phone", "555"))
PHONE: Changes = (("phone", "555"),)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({}, BOTH),
        ({"capabilities": evolve(SHOP, changes_email=False)}, PHONE),
        ({"held": frozenset({Guarded.EMAIL_CHANGES})}, PHONE),
        ({"held": frozenset({Guarded.REMOVALS})}, BOTH),
        ({"holders": {"new@acme.example": stranger("s", company=ELSEWHERE)}}, PHONE),
        ({"shoppers": {"new@acme.example": "77"}}, PHONE),
        ({"super_admins": frozenset({"new@acme.example"})}, PHONE),
        ({"rings": {MARK.id: (MARK.id, BILL.id)}}, PHONE),
    ],
    ids=["free", "fixed", "held", "other-held", "taken", "shopper", "super-admin", "ring"],
)
def test_address_changes(fields: dict[str, Any], changes: Changes) -> None:
    """An address that can't change now waits, and the other fields of the user go out all the same."""
    world = world_of(NEW_EMAIL, primary=MARK, there=company(user_of(MARK)), state=links(MARK), **fields)
    assert users_of(world) == [UpdateUser(company=KEY, user=M, contact=MARK.id, changes=changes)]


def test_held_address_alone_is_nothing() -> None:
    """A user of whom only the address would change, and is held, is left alone."""
    one = evolve(MARK, email="new@acme.example")
    held = frozenset({Guarded.EMAIL_CHANGES})
    assert users_of(world_of(one, there=company(user_of(MARK)), state=links(MARK), held=held)) == []


def test_one_of_a_ring_is_parked() -> None:
    """In a ring the lowest contact takes a parking address, and the others wait."""
    mark, anna = evolve(MARK, email=ANNA.email), evolve(ANNA, email=MARK.email)
    policy = SyncPolicy(parking_domain="parked.example")
    world = seen(customer(mark, anna), company(user_of(MARK), user_of(ANNA)), policy, state=links(MARK, ANNA))
    changes = (("email", f"parked-{M}@parked.example"),)
    assert users_of(world) == [UpdateUser(company=KEY, user=M, contact=MARK.id, changes=changes)]


def test_letter_case_of_an_address_is_no_change() -> None:
    """An address that the shop keeps in other letters is the same."""
    assert users_of(world_of(MARK, there=company(user_of(MARK, email="MARK@acme.example")))) == []


def test_customer_that_takes_no_part() -> None:
    """Nobody is made or changed for a customer that takes no part."""
    one = customer(evolve(MARK, phones=("555",)), ANNA, status="Inactive")
    assert of(CHANGES, seen(one, company(user_of(MARK)), state=links(MARK))) == []


# ------------------------------------------------------------------ addresses
PLACE = location("MAIN")
ADDRESS_ID = AddressID(StorefrontID("7"))
PLACED = {LocationID("MAIN"): "7"}


def desired_place() -> DesiredAddress:
    """Return the address that the location should become."""
    (address,) = map_customer(customer(MARK, primary=MARK, locations=(PLACE,)), POLICY).addresses
    return address


def place_there(**fields: Any) -> CompanyAddress:
    """Return that address as the shop should have it."""
    one = desired_place()
    made = CompanyAddress(
        id=ADDRESS_ID,
        external_id=one.external_id,
        label=one.label,
        first_name=one.first_name,
        last_name=one.last_name,
        phone=one.phone,
        address=one.address,
        default_shipping=one.default_shipping,
        default_billing=one.default_billing,
    )
    return evolve(made, **fields)


def with_place(*addresses: CompanyAddress, policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return the world of a customer with a location."""
    one = customer(MARK, primary=MARK, locations=(PLACE,))
    return seen(one, company(user_of(MARK), addresses=addresses), policy, **fields)


def test_address_is_made() -> None:
    """A location without an address gets one, where the shop has addresses."""
    assert of(CHANGES, with_place()) == [CreateAddress(company=KEY, address=desired_place())]
    assert of(CHANGES, with_place(capabilities=evolve(SHOP, addresses=False))) == []


def test_address_is_changed() -> None:
    """An address that differs from its location is written as a whole; one that does not is left alone."""
    assert of(CHANGES, with_place(place_there())) == []
    assert of(CHANGES, with_place(place_there(label="Old"))) == [
        UpdateAddress(company=KEY, id=ADDRESS_ID, address=desired_place())
    ]


def test_address_as_the_shop_rewrote_it_is_left_alone() -> None:
    """An address of which the shop made something else when it was sent is not written again for that."""
    there = place_there(label="Rewritten")
    (made,) = (link for link in [Link(id="7", sent=sent_of(desired_place()), seen=sent_of(there))])
    state = links(MARK, places=PLACED)
    state = evolve(state, links={**state.links, Record(RecordKind.LOCATION, "MAIN"): made})
    assert of(CHANGES, with_place(there, state=state)) == []
    assert len(of(CHANGES, with_place(evolve(there, label="Again"), state=state))) == 1


def sent_of(address: DesiredAddress | CompanyAddress) -> dict[str, str]:
    """Return the digest of an address."""
    return digests(address_fields(address))


def test_deleted_address() -> None:
    """An address that people deleted is made again by policy, or when they say so."""
    gone = links(MARK, places=PLACED)
    retried = evolve(gone, retried=frozenset({Record(RecordKind.LOCATION, "MAIN")}))
    create = CreateAddress(company=KEY, address=desired_place())
    assert of(CHANGES, with_place(state=gone)) == []
    assert of(CHANGES, with_place(state=gone, policy=SyncPolicy(recreate_deleted=True))) == [create]
    assert of(CHANGES, with_place(state=retried)) == [create]


# ------------------------------------------------------------------ lost addresses
def test_address_of_a_location_that_left() -> None:
    """An address of ours whose location takes part no more is taken away in the second pass."""
    one = customer(MARK, primary=MARK, locations=(evolve(PLACE, active=False),))
    there = company(user_of(MARK), addresses=(place_there(),))
    world = seen(one, there, state=links(MARK, places=PLACED), may_remove=True)
    assert of(REMOVALS, world) == [RemoveAddress(company=KEY, id=ADDRESS_ID, location=LocationID("MAIN"))]
    assert of(REMOVALS, evolve(world, may_remove=False)) == []


@pytest.mark.parametrize(
    ("place", "fields", "lost"),
    [
        (None, {}, True),
        (evolve(PLACE, active=False), {}, True),
        (PLACE, {}, False),
        (evolve(PLACE, address=evolve(PLACE.address, city="")), {}, False),
        (None, {"there": {"complete": False}}, False),
        (None, {"one": {"complete": False}}, False),
        (None, {"one": {"status": "Inactive"}}, False),
        (None, {"capabilities": evolve(SHOP, addresses=False)}, False),
        (None, {"gone": True}, False),
    ],
    ids=["gone", "inactive", "there", "bad", "listing", "reading", "left", "no-addresses", "deleted"],
)
def test_lost_places(place: Any, fields: dict[str, Any], lost: bool) -> None:  # noqa: FBT001  # a table's column
    """An address is lost when its location was surely seen to take part no more, not when it only is a bad record."""
    one = customer(MARK, primary=MARK, locations=(place,) if place else (), **fields.get("one", {}))
    addresses = () if fields.get("gone") else (place_there(external_id=""),)
    there = company(user_of(MARK), addresses=addresses, **fields.get("there", {}))
    shop = fields.get("capabilities", SHOP)
    world = seen(one, there, state=links(MARK, places=PLACED), capabilities=shop)
    assert lost_places(world) == (PLACED if lost else {})


def test_address_that_another_location_has_now_is_not_lost() -> None:
    """An address that is another location's now is not taken away with the location it was linked to before."""
    east = location("EAST")
    one = customer(MARK, primary=MARK, locations=(east,))
    there = company(user_of(MARK), addresses=(place_there(external_id=east.note_id),))
    world = unseen(one, state=links(MARK, places=PLACED))
    world = evolve(world, company=there, places={LocationID("EAST"): ADDRESS_ID})
    assert lost_places(world) == {}


def test_no_company_loses_no_address() -> None:
    """Where there is no company no address is lost, and nobody is removed."""
    world = seen(customer(), None, state=links(places=PLACED), may_remove=True)
    assert (lost_places(world), of(REMOVALS, world)) == ({}, [])


# ------------------------------------------------------------------ roles
def granted(
    *people: CompanyUser, policy: SyncPolicy = POLICY, regime: HandOver = SHOP.hand_over, **state: Any
) -> World:
    """Return a world in which Mark is primary and all are linked."""
    one = customer(MARK, ANNA, BILL, primary=MARK)
    log = links(MARK, ANNA, BILL, **state)
    return seen(one, company(*people), policy, state=log, capabilities=evolve(SHOP, hand_over=regime))


def role(one: Contact, name: str) -> SetRole:
    """Return the step that gives a contact's user a role."""
    return SetRole(company=KEY, user=user_of(one).id, contact=one.id, role=name)


def test_role_is_given() -> None:
    """A primary who is no admin is given the role."""
    assert of(ROLES, granted(user_of(MARK), user_of(ANNA))) == [role(MARK, "Admin")]


def test_role_is_moved() -> None:
    """Where one call moves the role it is moved."""
    world = granted(user_of(MARK), admin_of(ANNA), regime=HandOver.ATOMIC, granted=frozenset({A}))
    assert of(ROLES, world) == [MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin")]


@pytest.mark.parametrize(
    ("former", "policy", "given"),
    [
        ({}, POLICY, "Senior Buyer"),
        ({A: "Junior"}, POLICY, "Junior"),
        ({A: "Admin"}, POLICY, "Senior Buyer"),
        ({A: "Boss"}, SyncPolicy(admin_roles=frozenset({"Boss"})), "Boss"),
        ({A: "Boss"}, SyncPolicy(admin_roles=frozenset({"Boss"}), take_back=TakeBack.LINKED), "Senior Buyer"),
        ({A: "Junior"}, SyncPolicy(take_back=TakeBack.ALL), "Junior"),
    ],
    ids=["unknown", "known", "primary", "admin", "admin-to-be-taken-back", "all"],
)
def test_role_is_taken_back(former: dict[str, str], policy: SyncPolicy, given: str) -> None:
    """Who gives the role back gets the one it had, unless that would be taken back too."""
    world = granted(
        admin_of(MARK), admin_of(ANNA), user_of(BILL), policy=policy, granted=frozenset({A}), former_roles=former
    )
    assert of(ROLES, world) == [role(ANNA, given)]


def test_role_of_a_stranger_is_taken_back() -> None:
    """A user whom no contact has is named without a contact."""
    policy = SyncPolicy(take_back=TakeBack.ALL)
    world = granted(admin_of(MARK), stranger("s", role="Admin"), policy=policy)
    assert of(ROLES, world) == [SetRole(company=KEY, user=storefront_id("s"), contact=None, role="Senior Buyer")]


def test_role_is_given_back() -> None:
    """Who gave way gets the role back when the primary was refused it, by its contact's name."""
    world = granted(user_of(MARK), user_of(ANNA), regime=HandOver.DEMOTE_FIRST, gave_way=A)
    assert of(ROLES, evolve(world, refused={role(MARK, "Admin"): ValueError()})) == [role(ANNA, "Admin")]


SUSPENDS = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Nothing")


@pytest.mark.parametrize(
    ("there", "suspended", "steps"),
    [
        ("Nothing", {A}, [role(ANNA, "Junior")]),
        ("Nothing", set[str](), []),
        ("Senior Buyer", {A}, []),
    ],
    ids=["ours", "not-ours", "has-another"],
)
def test_suspended_user_comes_back(there: str, suspended: set[str], steps: list[Step]) -> None:
    """Who was suspended by us and takes part again gets its role back."""
    world = granted(
        admin_of(MARK),
        user_of(ANNA, role=there),
        policy=SUSPENDS,
        suspended=frozenset(suspended),
        former_roles={A: "Junior"},
        granted=frozenset({M}),
    )
    assert of(ROLES, world) == steps


@pytest.mark.parametrize("regime", [HandOver.PROMOTE_FIRST, HandOver.ATOMIC], ids=lambda regime: regime.value)
def test_suspended_primary_comes_back(regime: HandOver) -> None:
    """A suspended primary is given the primary role, and no other beside it."""
    world = granted(user_of(MARK, role="Nothing"), policy=SUSPENDS, suspended=frozenset({M}), regime=regime)
    expected: Step = role(MARK, "Admin")
    if regime is HandOver.ATOMIC:
        expected = MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin")
    assert of(ROLES, world) == [expected]


def test_roles_of_a_customer_that_takes_no_part() -> None:
    """Roles of a customer that takes no part, or has no company, are left alone."""
    one = customer(MARK, primary=MARK, status="Inactive")
    assert of(ROLES, seen(one, company(user_of(MARK)), state=links(MARK))) == []
    assert of(ROLES, seen(customer(MARK, primary=MARK), None)) == []


# ------------------------------------------------------------------ removals
def gone(one: Contact) -> Contact:
    """Return a contact that takes part no more."""
    return evolve(one, active=False)


def test_leaver_is_removed() -> None:
    """A leaver is removed, or switched off where the shop can, in the second pass only."""
    there = company(admin_of(MARK), user_of(ANNA), user_of(BILL))
    world = world_of(MARK, gone(ANNA), BILL, primary=MARK, there=there, state=links(MARK, ANNA, BILL), may_remove=True)
    assert of(REMOVALS, world) == [RemoveUser(company=KEY, user=A, contact=ANNA.id)]
    assert of(REMOVALS, evolve(world, may_remove=False)) == []
    off = evolve(world, capabilities=evolve(SHOP, deactivates=True))
    assert of(REMOVALS, off) == [UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("active", "no"),))]


def test_last_admin_is_suspended() -> None:
    """The last admin who left is suspended by policy, and who else left is removed."""
    one = customer(gone(MARK), ANNA, BILL, CARL)
    there = company(admin_of(MARK), user_of(ANNA), user_of(BILL), user_of(CARL))
    world = seen(one, there, SUSPENDS, state=links(MARK, ANNA, BILL, CARL), may_remove=True)
    assert of(REMOVALS, world) == [role(MARK, "Nothing")]


def test_fields_of_the_right_user_are_compared() -> None:
    """What a user should have is compared with what its own user has."""
    there = company(*(user_of(one) for one in (ANNA, MARK)))
    assert of(CHANGES, world_of(MARK, ANNA, primary=MARK, there=there, state=links(MARK, ANNA))) == []
    assert user_fields(user_of(MARK)) == user_fields(wanted(MARK))


def test_customer_without_data_for_a_company_changes_no_field() -> None:
    """A customer whose data makes no company leaves the company that is there as it is, and makes its users."""
    one: Customer = customer(MARK, primary=MARK, email="acme", name="New")
    there: Company = company()
    assert of(CHANGES, seen(one, there)) == [CreateUser(company=KEY, user=wanted(MARK), role="Admin")]
