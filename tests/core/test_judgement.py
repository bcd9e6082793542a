"""The findings of one world, as values: exactly what is said of which record, and in which order."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateCompany, CreateUser, Step, UpdateUser
from acumatica_b2b.errors import NotSentError, Reason, RejectedError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.judgement import explained, findings
from acumatica_b2b.logstate import Refusals
from acumatica_b2b.mapping import contact_record, customer_record, map_contact, map_customer
from acumatica_b2b.model import (
    AddressID,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    Contact,
    ContactID,
    CustomerID,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    Record,
    RecordKind,
    StorefrontID,
)
from acumatica_b2b.policy import CustomerLeaves, ExistingShoppers, Guarded, SyncPolicy
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import Home
from tests.bench import ANNA, BILL, CARL, HERE, MARK, contact, customer, location, storefront_id
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, links, seen, stranger, user_of, world_of

M, A, B, C = (user_of(one).id for one in (MARK, ANNA, BILL, CARL))
ELSEWHERE = CompanyID(StorefrontID("2"))
ONE = customer_record(HERE)


def wanted(one: Contact) -> DesiredUser:
    """Return the user that a contact should become."""
    user = map_contact(one, POLICY)
    assert isinstance(user, DesiredUser)
    return user


def of(record: Record | Contact, kind: FindingKind, detail: str = "") -> Finding:
    """Return a finding."""
    return Finding(kind=kind, record=record if isinstance(record, Record) else contact_record(record.id), detail=detail)


# ------------------------------------------------------------------ of the whole
def test_all_is_well() -> None:
    """Of a company that is as it should be there is nothing to say."""
    assert findings(world_of(MARK, ANNA, primary=MARK, there=company(admin_of(MARK), user_of(ANNA)))) == ()


def test_order() -> None:
    """What to act on now comes first, then all by record; nothing is said twice."""
    bad = contact(99, email="")
    there = company(admin_of(MARK), user_of(ANNA))
    one = customer(evolve(MARK, active=False), ANNA, bad, primary=MARK)
    assert findings(seen(one, there, state=links(MARK, ANNA))) == (
        of(MARK, FindingKind.PROTECTED_ADMIN, M),
        of(MARK, FindingKind.INACTIVE),
        of(bad, FindingKind.MISSING_EMAIL),
        of(ONE, FindingKind.PRIMARY_NOT_ELIGIBLE, "'101'"),
    )


def test_what_the_map_and_the_contest_say() -> None:
    """Bad records and lost contests are told as they were found."""
    zoe = contact(105, "Zoe", email=ANNA.email)
    world = world_of(MARK, ANNA, zoe, primary=MARK, there=company(admin_of(MARK), user_of(ANNA)))
    assert findings(world) == (of(zoe, FindingKind.DUPLICATE_EMAIL, "contact '102'"),)


def test_late_reference() -> None:
    """A contact whose reference names another's user is told so."""
    anna = evolve(ANNA, reference="7")
    there = company(admin_of(MARK, id=storefront_id("7")))
    said = findings(world_of(MARK, anna, primary=MARK, there=there))
    assert of(ANNA, FindingKind.REFERENCE_CONFLICT, "it names company user 7, who is another contact's") in said


# ------------------------------------------------------------------ of the company
OFF = evolve(SHOP, deactivates_companies=True)


@pytest.mark.parametrize(
    ("state", "there", "policy", "shop", "told"),
    [
        ({"state": links()}, None, POLICY, SHOP, True),
        ({}, company(), POLICY, SHOP, True),
        ({}, None, POLICY, SHOP, False),
        ({"state": links()}, company(), SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE), OFF, False),
        ({"state": links()}, company(), SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE), SHOP, True),
    ],
    ids=["linked", "there", "never", "switched-off", "shop-can-t"],
)
def test_customer_left(state: Any, there: Any, policy: SyncPolicy, shop: Any, told: bool) -> None:  # noqa: FBT001  # column
    """A customer that left and has a company is told with the reason, unless its company is switched off."""
    said = findings(seen(customer(status="Inactive"), there, policy, capabilities=shop, **state))
    left = of(ONE, FindingKind.CUSTOMER_LEFT, "its status is 'Inactive'")
    assert [found for found in said if found.kind is not FindingKind.CUSTOMER_FILTERED] == ([left] if told else [])


def test_customer_that_left_and_was_not_said_why() -> None:
    """A customer whose host's mapping gives no reason is told without one."""
    world = seen(customer(status="Inactive"), company())
    assert findings(evolve(world, desired=evolve(world.desired, findings=()))) == (of(ONE, FindingKind.CUSTOMER_LEFT),)


def test_ambiguous() -> None:
    """A customer of whom several companies may be is told with them."""
    world = world_of(MARK, primary=MARK, there=None, ambiguous="companies 1 and 2")
    assert findings(world) == (
        of(MARK, FindingKind.COMPANY_WAITS),
        of(ONE, FindingKind.COMPANY_AMBIGUOUS, "companies 1 and 2"),
    )


def test_deleted_company() -> None:
    """A company that people deleted is told with its id, until they say retry; its users wait."""
    world = world_of(MARK, primary=MARK, there=None, state=links())
    waits = of(MARK, FindingKind.COMPANY_WAITS)
    assert findings(world) == (waits, of(ONE, FindingKind.DELETED_IN_SHOP, "company 1"))
    state = links(retried=frozenset({ONE}))
    assert findings(world_of(MARK, primary=MARK, there=None, state=state)) == (waits,)
    assert findings(world_of(MARK, primary=MARK, there=None)) == (waits,)


@pytest.mark.parametrize(
    ("primary", "found"),
    [(None, of(ONE, FindingKind.NO_PRIMARY)), (ANNA, of(ONE, FindingKind.PRIMARY_NOT_ELIGIBLE, "'102'"))],
    ids=["nobody", "not-eligible"],
)
def test_no_company_for_want_of_an_admin(primary: Contact | None, found: Finding) -> None:
    """A company that can't be made for want of an admin is told, naming who would have been."""
    assert findings(world_of(MARK, primary=primary, there=None)) == (of(MARK, FindingKind.COMPANY_WAITS), found)


def test_incomplete_readings() -> None:
    """What could not be read in full is told: the company's users, the customer's contacts."""
    there = company(admin_of(MARK), complete=False)
    one = customer(MARK, primary=MARK, complete=False)
    assert findings(seen(one, there)) == (
        of(ONE, FindingKind.READ_INCOMPLETE, "its company's users"),
        of(ONE, FindingKind.READ_INCOMPLETE, "its contacts"),
    )
    assert findings(seen(one, None)) == (
        of(MARK, FindingKind.COMPANY_WAITS),
        of(ONE, FindingKind.READ_INCOMPLETE, "its contacts"),
    )


# ------------------------------------------------------------------ of the admins
def test_other_admins() -> None:
    """Admins whose grant is not ours are one finding that names them all."""
    there = company(admin_of(MARK), stranger("s", role="Admin"), stranger("t", role="Admin"))
    assert findings(world_of(MARK, primary=MARK, there=there)) == (of(ONE, FindingKind.OTHER_ADMIN, "s, t"),)


def test_nobody_is_primary() -> None:
    """A company whose customer names no primary is told so, without more words."""
    assert findings(world_of(MARK, there=company(admin_of(MARK)))) == (of(ONE, FindingKind.NO_PRIMARY),)


def test_primary_may_not() -> None:
    """A primary who may not be a user is named."""
    world = world_of(MARK, primary=BILL, there=company(admin_of(MARK)))
    assert findings(world) == (of(ONE, FindingKind.PRIMARY_NOT_ELIGIBLE, "'103'"),)


def test_last_admins_left() -> None:
    """Of the last admins who left each is told by its contact, with its user; who else left is not."""
    left = [evolve(one, active=False) for one in (MARK, ANNA, BILL)]
    there = company(admin_of(MARK), admin_of(ANNA), user_of(BILL), user_of(CARL))
    said = findings(world_of(*left, CARL, there=there, state=links(MARK, ANNA, BILL, CARL)))
    assert [found for found in said if found.kind is FindingKind.PROTECTED_ADMIN] == [
        of(MARK, FindingKind.PROTECTED_ADMIN, M),
        of(ANNA, FindingKind.PROTECTED_ADMIN, A),
    ]
    assert said[0].act_now


def test_admins_of_a_customer_that_takes_no_part() -> None:
    """Of a customer that takes no part nobody's role is told."""
    said = findings(seen(customer(MARK, status="Inactive"), company(admin_of(MARK))))
    assert FindingKind.NO_PRIMARY not in {found.kind for found in said}


# ------------------------------------------------------------------ of addresses
PLACED = {LocationID("MAIN"): "7"}
PLACE = Record(RecordKind.LOCATION, "MAIN")


@pytest.mark.parametrize(
    ("fields", "there", "told"),
    [
        ({"state": links(MARK, places=PLACED)}, {}, True),
        ({"state": links(MARK)}, {}, False),
        ({"state": links(MARK, places=PLACED)}, {"complete": False}, False),
        ({"state": links(MARK, places=PLACED), "capabilities": evolve(SHOP, addresses=False)}, {}, False),
        ({"state": links(MARK, places=PLACED, retried=frozenset({PLACE}))}, {}, False),
        (
            {"state": links(MARK, places=PLACED)},
            {"addresses": (CompanyAddress(id=AddressID(StorefrontID("7"))),)},
            False,
        ),
    ],
    ids=["deleted", "never", "unproven", "no-addresses", "retried", "there"],
)
def test_deleted_address(fields: dict[str, Any], there: dict[str, Any], told: bool) -> None:  # noqa: FBT001  # a column
    """An address that people deleted is told by its location, with its id."""
    one = customer(MARK, primary=MARK, locations=(location("MAIN"),))
    said = [found for found in findings(seen(one, company(admin_of(MARK), **there), **fields)) if found.record == PLACE]
    assert said == ([of(PLACE, FindingKind.DELETED_IN_SHOP, "address 7")] if told else [])


# ------------------------------------------------------------------ of people
def moved(email: str = "new@acme.example", policy: SyncPolicy = POLICY, **fields: Any) -> tuple[Finding, ...]:
    """Return the findings of a company in which Anna is to get another address."""
    one = customer(MARK, evolve(ANNA, email=email), BILL, primary=MARK)
    there = company(admin_of(MARK), user_of(ANNA), user_of(BILL))
    return findings(seen(one, there, policy, state=links(MARK, ANNA, BILL), **fields))


OTHER = {"new@acme.example": stranger("s", company=ELSEWHERE)}


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        ({"capabilities": evolve(SHOP, changes_email=False)}, FindingKind.EMAIL_FIXED, ""),
        ({"holders": OTHER}, FindingKind.EMAIL_OWNED_ELSEWHERE, "company user s of company 2"),
        ({"shoppers": {"new@acme.example": "77"}}, FindingKind.SHOPPER_REFUSED, "shopper 77"),
        (
            {
                "shoppers": {"new@acme.example": "77"},
                "policy": SyncPolicy(existing_shoppers=ExistingShoppers.HOLD),
            },
            FindingKind.SHOPPER_HELD,
            "shopper 77",
        ),
        ({"super_admins": frozenset({"new@acme.example"})}, FindingKind.SUPER_ADMIN_EMAIL, ""),
        (
            {"rings": {ANNA.id: (ANNA.id, ContactID("900"))}},
            FindingKind.EMAIL_CYCLE,
            "contact '102', contact '900'",
        ),
    ],
    ids=["fixed", "elsewhere", "refused", "held", "super-admin", "ring"],
)
def test_address_that_can_t_change(fields: dict[str, Any], kind: FindingKind, detail: str) -> None:
    """An address that can't change is told by its contact, with what is in its way."""
    assert moved(**fields) == (of(ANNA, kind, detail),)


def test_address_that_changes() -> None:
    """Of an address that can change nothing is said, nor of one that stays and somebody else wants."""
    assert moved() == ()
    assert moved(email=ANNA.email, shoppers={ANNA.email: "77"}, super_admins=frozenset({ANNA.email})) == ()


def test_address_within_the_company() -> None:
    """An address of another user of the company is told with that one."""
    assert moved(email=BILL.email) == (
        of(ANNA, FindingKind.EMAIL_OWNED_ELSEWHERE, f"company user {B} of company 1"),
        of(BILL, FindingKind.DUPLICATE_EMAIL, "contact '102'"),
    )
    zoe = stranger("z", email="zoe@acme.example")
    one = customer(MARK, evolve(ANNA, email="zoe@acme.example"), primary=MARK)
    said = findings(seen(one, company(admin_of(MARK), user_of(ANNA), zoe), state=links(MARK, ANNA)))
    assert said == (of(ANNA, FindingKind.EMAIL_OWNED_ELSEWHERE, "company user z of company 1"),)


def test_ring() -> None:
    """Each of a ring is told, and the whole ring."""
    mark, anna = evolve(MARK, email=ANNA.email), evolve(ANNA, email=MARK.email)
    there = company(admin_of(MARK), user_of(ANNA))
    said = findings(world_of(mark, anna, primary=MARK, there=there, state=links(MARK, ANNA)))
    ring = "contact '101', contact '102'"
    assert said == (of(MARK, FindingKind.EMAIL_CYCLE, ring), of(ANNA, FindingKind.EMAIL_CYCLE, ring))


def test_obstacle() -> None:
    """What is in the way of a new user is told; of one who is there it is not."""
    home = {ANNA.id: Home(customer=CustomerID("C2"), user=storefront_id("9"))}
    told = of(ANNA, FindingKind.MOVE_WAITS, "company user 9 of customer 'C2'")
    assert findings(world_of(MARK, ANNA, primary=MARK, there=company(admin_of(MARK)), elsewhere=home)) == (told,)
    there = company(admin_of(MARK), user_of(ANNA))
    assert findings(world_of(MARK, ANNA, primary=MARK, there=there, elsewhere=home)) == ()


def test_people_of_a_customer_that_takes_no_part() -> None:
    """Of a customer that takes no part nobody is told but as filtered."""
    one = customer(MARK, evolve(ANNA, active=False), status="Inactive")
    world = seen(one, company(user_of(MARK), user_of(ANNA)), state=links(MARK, ANNA))
    assert {found.kind for found in findings(world)} == {FindingKind.CUSTOMER_FILTERED, FindingKind.CUSTOMER_LEFT}


def test_last_user_who_left() -> None:
    """What may not become of a leaver is told."""
    said = findings(world_of(evolve(ANNA, active=False), there=company(user_of(ANNA)), state=links(ANNA)))
    assert of(ANNA, FindingKind.PROTECTED_LAST_USER, A) in said


# ------------------------------------------------------------------ of users who were left behind
LEFT = evolve(ANNA, active=False, note_id=NoteID("abcdef00-0000-0000-0000-000000000102"))


def behind(*users: CompanyUser, one: Contact = LEFT, **fields: Any) -> list[Finding]:
    """Return what is told of users who were left behind by a contact."""
    there = company(admin_of(MARK), user_of(BILL), *users)
    said = findings(seen(customer(MARK, one, BILL, primary=MARK), there, **fields))
    return [found for found in said if found.kind is FindingKind.LEFT_BEHIND]


def test_left_behind() -> None:
    """A user with the external id of a contact who left, whom nobody linked, is told by that contact."""
    left = stranger("s", external_id=LEFT.note_id.upper())
    assert behind(left) == [of(ANNA, FindingKind.LEFT_BEHIND, "s")]
    again = stranger("t", external_id=LEFT.note_id)
    assert behind(left, stranger("x"), again) == [of(ANNA, FindingKind.LEFT_BEHIND, user) for user in ("s", "t")]


@pytest.mark.parametrize(
    ("user", "one", "state"),
    [
        ({"external_id": "somebody"}, LEFT, {}),
        ({"active": False}, LEFT, {}),
        ({}, evolve(LEFT, active=True, email=""), {}),
        ({"id": A}, LEFT, {"state": links(ANNA)}),
        ({}, LEFT, {"state": links(apart=frozenset({(contact_record(ANNA.id), "s")}))}),
        ({}, evolve(LEFT, active=True), {}),
    ],
    ids=["another", "inactive", "bad-record", "linked", "apart", "paired"],
)
def test_not_left_behind(user: dict[str, Any], one: Contact, state: dict[str, Any]) -> None:
    """A user is not left behind who is linked, switched off or parted, or whose contact has not left."""
    assert behind(stranger("s", **{"external_id": LEFT.note_id, **user}), one=one, **state) == []


# ------------------------------------------------------------------ of what was stopped
def often_refused(step: Step) -> dict[str, Refusals]:
    """Return the log's note of a step that was refused five times."""
    return {digest(step): Refusals(record=None, times=5)}


def test_aborted() -> None:
    """A step that was refused too often is told by its record, with what it would have done."""
    step = CreateUser(company=KEY, user=wanted(ANNA), role="Senior Buyer")
    there = company(admin_of(MARK))
    world = world_of(MARK, ANNA, primary=MARK, there=there, state=links(MARK, refusals=often_refused(step)))
    assert findings(world) == (of(ANNA, FindingKind.ABORTED, "CreateUser"),)


def test_aborted_primary() -> None:
    """A primary who can't be made is told of the company, too."""
    step = CreateUser(company=KEY, user=wanted(MARK), role="Admin")
    world = world_of(MARK, ANNA, primary=MARK, there=company(), state=links(refusals=often_refused(step)))
    assert findings(world) == (
        of(MARK, FindingKind.ABORTED, "CreateUser"),
        of(ONE, FindingKind.PRIMARY_NOT_ELIGIBLE, "'101'"),
    )


def test_aborted_change_of_the_primary() -> None:
    """A primary of whom a change can't be made is still the primary."""
    step = UpdateUser(company=KEY, user=M, contact=MARK.id, changes=(("phone", "555"),))
    mark = evolve(MARK, phones=("555",))
    world = world_of(mark, primary=MARK, there=company(admin_of(MARK)), state=links(MARK, refusals=often_refused(step)))
    assert findings(world) == (of(MARK, FindingKind.ABORTED, "UpdateUser"),)


def test_held() -> None:
    """What the guard holds is told of the company, kind by kind."""
    held = frozenset({Guarded.REMOVALS, Guarded.EMAIL_CHANGES})
    assert findings(world_of(MARK, primary=MARK, there=company(admin_of(MARK)), held=held)) == (
        of(ONE, FindingKind.GUARD_HELD, "its e-mail changes"),
        of(ONE, FindingKind.GUARD_HELD, "its removals"),
    )


def test_refused() -> None:
    """A step that was refused is told by its record with the shop's words; one that was not sent is not told."""
    step = UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("phone", "555"),))
    error = RejectedError(Reason.INVALID, "no such phone")
    there = company(admin_of(MARK), user_of(ANNA))
    world = world_of(MARK, ANNA, primary=MARK, there=there, refused={step: error})
    assert findings(world) == (of(ANNA, FindingKind.REFUSED, str(error)),)
    assert findings(evolve(world, refused={step: NotSentError("down")})) == ()


def desired_company() -> DesiredCompany:
    """Return the company that a customer should become."""
    made = map_customer(customer(MARK, primary=MARK), POLICY).company
    assert made
    return made


TAKEN = RejectedError(Reason.EMAIL_TAKEN, "taken")
ADDRESS = (("email", ANNA.email),)


@pytest.mark.parametrize(
    ("step", "error", "known", "expected"),
    [
        (CreateUser(company=KEY, user=wanted(ANNA), role="x"), TAKEN, True, True),
        (CreateUser(company=KEY, user=wanted(ANNA), role="x"), TAKEN, False, False),
        (CreateUser(company=KEY, user=wanted(ANNA), role="x"), RejectedError(Reason.OTHER, "no"), True, False),
        (CreateUser(company=KEY, user=wanted(ANNA), role="x"), NotSentError("down"), True, False),
        (CreateUser(company=KEY, user=wanted(BILL), role="x"), TAKEN, True, False),
        (UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=ADDRESS), TAKEN, True, True),
        (UpdateUser(company=KEY, user=C, contact=CARL.id, changes=ADDRESS), TAKEN, True, False),
        (CreateCompany(company=desired_company(), admin=wanted(ANNA), role="x"), TAKEN, True, True),
        (CreateCompany(company=desired_company(), admin=None, role="x"), TAKEN, True, False),
    ],
    ids=["user", "unknown", "other", "not-sent", "another", "change", "no-contact", "admin", "no-admin"],
)
def test_explained(step: Step, error: Exception, known: bool, expected: bool) -> None:  # noqa: FBT001  # table's columns
    """A refusal is explained where the address is known to be somebody's."""
    holders = {ANNA.email: stranger("s", company=ELSEWHERE)} if known else {}
    world = world_of(MARK, ANNA, BILL, primary=MARK, there=company(admin_of(MARK)), holders=holders)
    assert explained(world, step, error) is expected


def test_explained_refusal_is_not_told_twice() -> None:
    """A refusal that another finding explains is not told for itself."""
    step = CreateUser(company=KEY, user=wanted(ANNA), role="x")
    holders = {ANNA.email: stranger("s", company=ELSEWHERE)}
    there = company(admin_of(MARK))
    world = world_of(MARK, ANNA, primary=MARK, there=there, holders=holders, refused={step: TAKEN})
    assert findings(world) == (of(ANNA, FindingKind.EMAIL_OWNED_ELSEWHERE, "company user s of company 2"),)


def test_references() -> None:
    """What is in the way of a reference is told."""
    one = customer(MARK, primary=MARK, reference="SHOP/7")
    assert findings(seen(one, company(admin_of(MARK)))) == (of(ONE, FindingKind.REFERENCE_CONFLICT, "'SHOP/7'"),)
