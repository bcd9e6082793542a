"""What a company is after a step: the same as in the shop, field by field."""

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
from acumatica_b2b.model import AddressID, Company, CompanyAddress, CompanyUser, LocationID, StorefrontID
from acumatica_b2b.shop import after, is_pending, pending
from tests.bench import ANNA, BILL, HERE, MARK, storefront_id
from tests.core.test_steps import COMPANY, PLACE, SEVEN, USER, WRITTEN
from tests.core.worlds import KEY, POLICY, SHOP, admin_of, company, user_of

M, A, B = (user_of(one).id for one in (MARK, ANNA, BILL))
EIGHT = AddressID(StorefrontID("8"))
THERE = company(
    admin_of(MARK),
    user_of(ANNA, extra_fields=(("size", "L"), ("shoe", "9"))),
    user_of(BILL),
    addresses=(CompanyAddress(id=SEVEN, label="Old"), CompanyAddress(id=EIGHT, label="Other")),
)


def done(step: Step, there: Company | None = THERE, identifier: str = "99") -> Company | None:
    """Return the company after a step."""
    return after(there, ((step, identifier),), SHOP, POLICY)


def with_user(one: CompanyUser) -> Company:
    """Return the company in which one user is another now."""
    return evolve(THERE, users=tuple(one if user.id == one.id else user for user in THERE.users))


MADE = Company(id=KEY, name=COMPANY.name, email=COMPANY.email, phone=COMPANY.phone, external_id=COMPANY.external_id)
NEW_USER = CompanyUser(
    id=storefront_id("99"),
    company=KEY,
    email=USER.email,
    first_name="Mark",
    last_name="Ames",
    phone="555",
    role="Junior",
    external_id=USER.external_id,
    extra_fields=(("size", "L"),),
)
NEW_PLACE = CompanyAddress(
    id=SEVEN,
    external_id=PLACE.external_id,
    label="Depot",
    first_name="Lou",
    last_name="Lane",
    phone="5",
    address=PLACE.address,
)


def test_pending() -> None:
    """What stands for an id that nobody knows yet is told from one that somebody knows."""
    assert pending("101") == "new:101"
    assert is_pending(pending("101"))
    assert not is_pending("101")


def test_company_is_made() -> None:
    """A company is made as desired, without users where it comes alone."""
    assert done(CreateCompany(company=COMPANY, admin=None, role="Admin"), None, "1") == MADE


def test_nobody() -> None:
    """A step about a user who is not there changes nothing."""
    gone = storefront_id("99")
    assert done(RemoveUser(company=KEY, user=gone, contact=MARK.id)) == THERE
    assert done(UpdateUser(company=KEY, user=gone, contact=MARK.id, changes=(("phone", "1"),))) == THERE


@pytest.mark.parametrize(("given", "role"), [("", "Admin"), ("Owner", "Owner")])
def test_company_is_made_with_its_admin(given: str, role: str) -> None:
    """An admin that comes along has no known id and no external id, and the role that the shop gives."""
    step = CreateCompany(company=COMPANY, admin=USER, role="Admin")
    made = after(None, ((step, "1"),), evolve(SHOP, admin_role=given), POLICY)
    admin = evolve(NEW_USER, id=storefront_id("new:101"), role=role, external_id="")
    assert made == evolve(MADE, users=(admin,))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            UpdateCompany(company=KEY, customer=HERE, changes=(("name", "New"), ("phone", "9"))),
            evolve(THERE, name="New", phone="9"),
        ),
        (UpdateCompany(company=KEY, customer=HERE, changes=(("active", "no"),)), evolve(THERE, active=False)),
        (CreateUser(company=KEY, user=USER, role="Junior"), evolve(THERE, users=(*THERE.users, NEW_USER))),
        (
            UpdateUser(company=KEY, user=B, contact=BILL.id, changes=(("phone", "9"), ("active", "no"))),
            with_user(user_of(BILL, phone="9", active=False)),
        ),
        (
            UpdateUser(company=KEY, user=A, contact=ANNA.id, changes=(("extra_fields.size", "M"), ("phone", "9"))),
            with_user(user_of(ANNA, phone="9", extra_fields=(("size", "M"), ("shoe", "9")))),
        ),
        (
            UpdateUser(company=KEY, user=B, contact=BILL.id, changes=(("extra_fields.hat", "7"),)),
            with_user(user_of(BILL, extra_fields=(("hat", "7"),))),
        ),
        (SetRole(company=KEY, user=B, contact=BILL.id, role="Admin"), with_user(admin_of(BILL))),
        (
            MoveAdmin(company=KEY, user=B, contact=BILL.id, role="Admin"),
            evolve(THERE, users=(user_of(MARK), THERE.users[1], admin_of(BILL))),
        ),
        (RemoveUser(company=KEY, user=A, contact=ANNA.id), evolve(THERE, users=(THERE.users[0], THERE.users[2]))),
        (
            CreateAddress(company=KEY, address=evolve(PLACE, default_shipping=True)),
            evolve(
                THERE,
                addresses=(
                    *THERE.addresses,
                    evolve(NEW_PLACE, id=AddressID(StorefrontID("99")), default_shipping=True),
                ),
            ),
        ),
        (
            UpdateAddress(company=KEY, id=SEVEN, address=evolve(PLACE, default_billing=True)),
            evolve(THERE, addresses=(evolve(NEW_PLACE, default_billing=True), THERE.addresses[1])),
        ),
        (
            RemoveAddress(company=KEY, id=SEVEN, location=LocationID("MAIN")),
            evolve(THERE, addresses=THERE.addresses[1:]),
        ),
        (CreateCompany(company=COMPANY, admin=None, role="Admin"), THERE),
        (WriteReference(reference=WRITTEN), THERE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_company_after(step: Step, expected: Company) -> None:
    """A step changes what it is about, and nothing else of the company."""
    assert done(step) == expected


@pytest.mark.parametrize(
    "step",
    [WriteReference(reference=WRITTEN), RemoveUser(company=KEY, user=A, contact=ANNA.id)],
    ids=lambda step: type(step).__name__,
)
def test_no_company_after(step: Step) -> None:
    """Where there is no company a step that makes none leaves none."""
    assert done(step, None) is None


def test_switched_on() -> None:
    """A user or company is active after "yes" only."""
    yes = (("active", "yes"),)
    off = evolve(THERE, active=False, users=(user_of(BILL, active=False),))
    on = done(UpdateUser(company=KEY, user=B, contact=BILL.id, changes=yes), off)
    assert on
    assert on.users[0].active
    assert not on.active
    assert done(UpdateCompany(company=KEY, customer=HERE, changes=yes), evolve(THERE, active=False)) == THERE
