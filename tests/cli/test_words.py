from typing import get_args

import pytest

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
from acumatica_b2b.cli.words import Sort, notes, plural, sort_of
from acumatica_b2b.model import (
    AddressID,
    CompanyID,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    PostalAddress,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
    UserID,
)
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.report import Plan
from acumatica_b2b.words import describe, role_words

NOTE = NoteID("00000000-0000-0000-0000-000000000001")
HOME, USER, ADDRESS = CompanyID(StorefrontID("7")), UserID(StorefrontID("8")), AddressID(StorefrontID("9"))
MARK = DesiredUser(
    contact=ContactID("1"), external_id=NOTE, email="markz@test.com", first_name="Mark", last_name="Z", phone="444"
)
FACEBOOK = DesiredCompany(
    customer=CustomerID("C1"),
    external_id=NOTE,
    name="Facebook",
    email="info@test.com",
    phone="1",
    address=PostalAddress(),
)
DOCK = DesiredAddress(
    location=LocationID("DOCK"), external_id=NOTE, label="Warehouse", first_name="Ana", last_name="Lima"
)


def reference(value: str) -> WriteReference:
    """Return the write-back of a contact's reference."""
    record = Record(RecordKind.CONTACT, "1")
    return WriteReference(reference=Reference(record=record, note_id=NOTE, customer=CustomerID("C1"), value=value))


def changed(*changes: tuple[str, str]) -> UpdateUser:
    """Return a change of Mark's user."""
    return UpdateUser(company=HOME, user=USER, contact=MARK.contact, changes=changes)


STEPS: list[tuple[Step, str, Sort]] = [
    (
        CreateCompany(company=FACEBOOK, admin=MARK, role="Admin"),
        "create company Facebook with Mark Z as Primary Admin",
        Sort.ADDS,
    ),
    (CreateCompany(company=FACEBOOK, admin=None, role="Admin"), "create company Facebook", Sort.ADDS),
    (
        UpdateCompany(company=HOME, customer=FACEBOOK.customer, changes=(("name", "X"), ("phone", "2"))),
        "change the company's name, phone",
        Sort.CHANGES,
    ),
    (CreateUser(company=HOME, user=MARK, role="Admin"), "create company user Mark Z as Primary Admin", Sort.ADDS),
    (CreateUser(company=HOME, user=MARK, role="Senior Buyer"), "create company user Mark Z as Senior Buyer", Sort.ADDS),
    (
        changed(("email", "m@test.com"), ("first_name", "M")),
        "change the company user's e-mail, first name",
        Sort.CHANGES,
    ),
    (changed(("external_id", NOTE)), "change the company user's external ID", Sort.CHANGES),
    (changed(("extra_fields.Floor", "2")), "change the company user's Floor", Sort.CHANGES),
    (changed(("active", "no")), "deactivate the company user", Sort.CHANGES),
    (changed(("active", "yes")), "activate the company user", Sort.CHANGES),
    (CreateAddress(company=HOME, address=DOCK), "create address Warehouse", Sort.ADDS),
    (UpdateAddress(company=HOME, id=ADDRESS, address=DOCK), "change address Warehouse", Sort.CHANGES),
    (
        SetRole(company=HOME, user=USER, contact=MARK.contact, role="Admin"),
        "make the company user Primary Admin",
        Sort.HANDS_OVER,
    ),
    (
        SetRole(company=HOME, user=USER, contact=None, role="Senior Buyer"),
        "make the company user Senior Buyer",
        Sort.HANDS_OVER,
    ),
    (
        MoveAdmin(company=HOME, user=USER, contact=MARK.contact, role="Admin"),
        "make the company user Primary Admin",
        Sort.HANDS_OVER,
    ),
    (RemoveUser(company=HOME, user=USER, contact=MARK.contact), "remove the company user", Sort.REMOVES),
    (RemoveAddress(company=HOME, id=ADDRESS, location=DOCK.location), "remove the address", Sort.REMOVES),
    (reference("18382087"), "write commerce reference ID 18382087 to Acumatica", Sort.WRITES_BACK),
    (reference("shop-new:1"), "write its commerce reference ID to Acumatica", Sort.WRITES_BACK),
    (reference(""), "clear its commerce reference ID in Acumatica", Sort.WRITES_BACK),
]


@pytest.mark.parametrize(("step", "words", "sort"), STEPS)
def test_a_step_is_told_in_words(step: Step, words: str, sort: Sort) -> None:
    """Each step reads as what a person would call it, and is sorted by what it does to what is there."""
    assert (describe(step), sort_of(type(step))) == (words, sort)
    assert "@" not in describe(step)


def test_every_kind_of_step_has_words() -> None:
    """No kind of step is left without words, for one or for many."""
    assert {type(step) for step, _, _ in STEPS} == set(get_args(Step))
    assert all(plural(type(step)) for step, _, _ in STEPS)


def test_the_primary_role_goes_by_the_name_people_know() -> None:
    """Whatever role the policy gives the primary contact, it is called Primary Admin; others keep their names."""
    assert role_words("Owner", "Owner") == "Primary Admin"
    assert role_words("Admin", "Owner") == "Admin"
    assert describe(CreateUser(company=HOME, user=MARK, role="Owner"), "Owner").endswith("as Primary Admin")


# ------------------------------------------------------------------ what comes with a plan
LOGIN = "Who is removed from a company keeps a plain shop login."
ORDERS = "A shopper with a new company user's address becomes that user: past orders move to the company."
REMOVAL = RemoveUser(company=HOME, user=USER, contact=MARK.contact)
NEW_COMPANY = CreateCompany(company=FACEBOOK, admin=MARK, role="Admin")
NEW_USER = CreateUser(company=HOME, user=MARK, role="Admin")


def planned(*steps: Step, adopts: str = "", customers: int = 1) -> Plan:
    """Return a plan in which so many customers take the same steps."""
    names = [CustomerID(f"C{number}") for number in range(1, customers + 1)]
    return Plan(companies=tuple(CompanyPlan(customer=name, steps=steps, findings=(), adopts=adopts) for name in names))


@pytest.mark.parametrize(
    ("plan", "shoppers", "told"),
    [
        (planned(REMOVAL), "adopt", [LOGIN]),
        (planned(NEW_USER), "adopt", [ORDERS]),
        (planned(NEW_COMPANY), "adopt", [ORDERS]),
        (planned(NEW_USER, REMOVAL), "hold", [LOGIN]),
        (planned(NEW_USER), "refuse", []),
        (planned(reference("7")), "adopt", []),
        (planned(adopts="7"), "adopt", ["Companies of the shop that customers take over: 7 by C1."]),
    ],
)
def test_what_comes_with_steps_is_told(plan: Plan, shoppers: str, told: list[str]) -> None:
    """Logins that stay, orders that move, and companies that are taken over are told once, where they happen."""
    assert list(notes(plan, SyncPolicy(existing_shoppers=ExistingShoppers(shoppers)))) == told


def test_of_many_companies_that_are_taken_over_some_are_named() -> None:
    """Of 22 companies that customers take over twenty are named, and the rest counted."""
    (told,) = notes(planned(adopts="7", customers=22), SyncPolicy())
    assert told.count(" by ") == 20
    assert told.endswith("7 by C20, and 2 more.")
