"""Steps as data: of which record each is, what it sends, and what the log keeps of it."""

from typing import Any

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
from acumatica_b2b.model import (
    AddressID,
    CompanyAddress,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    PostalAddress,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
)
from acumatica_b2b.policy import ProtectedLeaver, SyncPolicy
from acumatica_b2b.steps import address_fields, company_fields, digests, logged, record_of, sent_fields, user_fields
from acumatica_b2b.synclog import LoggedStep, digest
from tests.bench import ADDRESS, HERE, MARK, note, storefront_id
from tests.core.worlds import KEY, company, user_of

POLICY = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Nothing")
USER = DesiredUser(
    contact=MARK.id,
    external_id=MARK.note_id,
    email="Mark@Acme.Example",
    first_name="Mark",
    last_name="Ames",
    phone="555",
    extra_fields=(("size", "L"),),
)
COMPANY = DesiredCompany(
    customer=HERE,
    external_id=note(1, 1),
    name="Acme",
    email="office@acme.example",
    phone="555-0100",
    address=ADDRESS,
    extra_fields=(("class", "A"),),
)
PLACE = DesiredAddress(
    location=LocationID("MAIN"),
    external_id=note(3, 1),
    label="Depot",
    first_name="Lou",
    last_name="Lane",
    phone="5",
    address=PostalAddress(line1="1", line2="2", city="C", state="S", postal_code="9", country="DE"),
)
SEVEN = AddressID(StorefrontID("7"))
CUSTOMER, CONTACT, LOCATION = (
    Record(kind, key)
    for kind, key in ((RecordKind.CUSTOMER, HERE), (RecordKind.CONTACT, MARK.id), (RecordKind.LOCATION, "MAIN"))
)
WRITTEN = Reference(record=LOCATION, note_id=note(3, 1), customer=HERE, value="7")
M = storefront_id("11")
FIELDS_OF_USER = {
    "email": "mark@acme.example",
    "first_name": "Mark",
    "last_name": "Ames",
    "phone": "555",
    "external_id": MARK.note_id,
    "extra_fields.size": "L",
}
FIELDS_OF_COMPANY = {
    "name": "Acme",
    "email": "office@acme.example",
    "phone": "555-0100",
    "external_id": note(1, 1),
    "extra_fields.class": "A",
}
NEW_PHONE = (("phone", "9"),)

STEPS: tuple[tuple[Step, Record, dict[str, str], dict[str, str]], ...] = (
    (
        CreateCompany(company=COMPANY, admin=None, role="Admin"),
        CUSTOMER,
        FIELDS_OF_COMPANY,
        {},
    ),
    (
        CreateCompany(company=COMPANY, admin=USER, role="Admin"),
        CUSTOMER,
        FIELDS_OF_COMPANY,
        {"email": USER.email, "admin": MARK.id, "grant": "give"},
    ),
    (UpdateCompany(company=KEY, customer=HERE, changes=NEW_PHONE), CUSTOMER, {"phone": "9"}, {"id": KEY}),
    (CreateUser(company=KEY, user=USER, role="Junior"), CONTACT, FIELDS_OF_USER, {"email": USER.email}),
    (CreateUser(company=KEY, user=USER, role="Admin"), CONTACT, FIELDS_OF_USER, {"email": USER.email, "grant": "give"}),
    (UpdateUser(company=KEY, user=M, contact=MARK.id, changes=NEW_PHONE), CONTACT, {"phone": "9"}, {"id": M}),
    (SetRole(company=KEY, user=M, contact=MARK.id, role="Admin"), CONTACT, {}, {"id": M, "grant": "give"}),
    (SetRole(company=KEY, user=M, contact=MARK.id, role="Nothing"), CONTACT, {}, {"id": M, "grant": "suspend"}),
    (SetRole(company=KEY, user=M, contact=MARK.id, role="Junior"), CONTACT, {}, {"id": M, "grant": "take"}),
    (
        SetRole(company=KEY, user=M, contact=None, role="Junior"),
        Record(RecordKind.CONTACT, "of user 11"),
        {},
        {"id": M, "grant": "take"},
    ),
    (MoveAdmin(company=KEY, user=M, contact=MARK.id, role="Admin"), CONTACT, {}, {"id": M, "grant": "move"}),
    (RemoveUser(company=KEY, user=M, contact=MARK.id), CONTACT, {}, {"id": M}),
    (CreateAddress(company=KEY, address=PLACE), LOCATION, address_fields(PLACE), {}),
    (UpdateAddress(company=KEY, id=SEVEN, address=PLACE), LOCATION, address_fields(PLACE), {"id": SEVEN}),
    (RemoveAddress(company=KEY, id=SEVEN, location=LocationID("MAIN")), LOCATION, {}, {"id": SEVEN}),
    (WriteReference(reference=WRITTEN), LOCATION, {}, {"reference": "7"}),
)


@pytest.mark.parametrize(("step", "record", "fields", "more"), STEPS, ids=lambda value: type(value).__name__)
def test_what_the_log_keeps(step: Step, record: Record, fields: dict[str, str], more: dict[str, str]) -> None:
    """The log keeps what a step does, of which record and counterpart, and digests of what it sends."""
    assert record_of(step) == record
    assert sent_fields(step) == fields
    kept = LoggedStep(hash=digest(step), do=type(step).__name__, record=record, fields=digests(fields))
    changes: dict[str, Any] = dict(more)
    assert logged(step, POLICY, {}) == evolve(kept, **changes)
    assert logged(step, POLICY, {}).fields == {name: digest(value) for name, value in fields.items()}


@pytest.mark.parametrize(
    ("role", "had", "grant", "former"),
    [
        ("Admin", "Junior", "give", "Junior"),
        ("Admin", "Nothing", "give", ""),
        ("Nothing", "Junior", "suspend", "Junior"),
        ("Junior", "Nothing", "restore", ""),
        ("Junior", "Admin", "take", "Admin"),
        ("Junior", "", "take", ""),
    ],
)
def test_former_role(role: str, had: str, grant: str, former: str) -> None:
    """A change of role is kept with the role that the user had; the one without permissions is none to go back to."""
    step = SetRole(company=KEY, user=M, contact=MARK.id, role=role)
    kept = logged(step, POLICY, {M: had, "12": "Boss"})
    assert (kept.grant, kept.former_role) == (grant, former)


def test_nobody_is_suspended_without_a_role_for_it() -> None:
    """Where the policy knows no role without permissions, a role that is taken is taken."""
    step = SetRole(company=KEY, user=M, contact=MARK.id, role="Junior")
    assert logged(step, SyncPolicy(), {}).grant == "take"


def test_only_a_change_of_role_has_a_former_role() -> None:
    """Other steps keep no role."""
    step = RemoveUser(company=KEY, user=M, contact=MARK.id)
    assert logged(step, POLICY, {M: "Boss"}).former_role == ""


def test_fields_of_a_company_that_is_there() -> None:
    """Of a company in the shop name, e-mail, phone and external id are compared."""
    assert company_fields(company()) == {
        "name": "Acme",
        "email": "office@acme.example",
        "phone": "555-0100",
        "external_id": note(1, 1),
    }


def test_fields_of_a_user_that_is_there() -> None:
    """A user in the shop is compared in all the fields of a desired one, its address in lower case."""
    there = user_of(MARK, email=" MARK@acme.example", phone="555", extra_fields=(("size", "L"),))
    assert user_fields(there) == FIELDS_OF_USER


def place(name: str) -> PostalAddress:
    """Return the place with another value in one field."""
    changes: dict[str, Any] = {name: "x"}
    return evolve(PLACE.address, **changes)


@pytest.mark.parametrize(
    "fields",
    [
        {"external_id": "x"},
        {"label": "x"},
        {"first_name": "x"},
        {"last_name": "x"},
        {"phone": "x"},
        {"default_shipping": True},
        {"default_billing": True},
        *({"address": place(name)} for name in ("line1", "line2", "city", "state")),
        *({"address": place(name)} for name in ("postal_code", "country")),
    ],
    ids=str,
)
def test_any_field_makes_another_address(fields: dict[str, Any]) -> None:
    """An address is one value: any of its fields makes it another; a desired one and the shop's are compared so."""
    there = CompanyAddress(
        id=SEVEN,
        external_id=PLACE.external_id,
        label=PLACE.label,
        first_name=PLACE.first_name,
        last_name=PLACE.last_name,
        phone=PLACE.phone,
        address=PLACE.address,
    )
    assert address_fields(there) == address_fields(PLACE)
    assert address_fields(PLACE).keys() == {"address"}
    assert address_fields(evolve(there, **fields)) != address_fields(PLACE)
    assert address_fields(evolve(PLACE, **fields)) != address_fields(PLACE)
