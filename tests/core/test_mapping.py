"""The default map, line by line, and every bad record that an ERP holds."""

from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from acumatica_b2b.findings import Finding, FindingKind, Status
from acumatica_b2b.locations import id_order, map_location
from acumatica_b2b.mapping import first_admin, map_contact, map_customer, passed_over, plain_email
from acumatica_b2b.model import (
    UNSET,
    Contact,
    ContactID,
    Customer,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    PostalAddress,
    Record,
    RecordKind,
    SiteAssociation,
)
from acumatica_b2b.policy import FirstAdmin, SyncPolicy
from acumatica_b2b.testing import strategies
from tests.bench import ADDRESS, ANNA, BILL, MARK, NO, contact, customer, kinds, location

POLICY = SyncPolicy()


def user_of(one: Contact, policy: SyncPolicy = POLICY) -> DesiredUser:
    """Return the user that a contact becomes."""
    user = map_contact(one, policy)
    assert isinstance(user, DesiredUser)
    return user


def reason(one: Contact, policy: SyncPolicy = POLICY) -> FindingKind:
    """Return why a contact becomes no user."""
    found = map_contact(one, policy)
    assert isinstance(found, Finding)
    assert found.record.id == one.id
    return found.kind


def company_of(one: Customer, policy: SyncPolicy = POLICY) -> DesiredCompany:
    """Return the company that a customer becomes."""
    company = map_customer(one, policy).company
    assert company
    return company


def company_reason(one: Customer, policy: SyncPolicy = POLICY) -> tuple[FindingKind, str]:
    """Return why a customer becomes no company, and the finding's detail."""
    desired = map_customer(one, policy)
    assert desired.company is None
    (found,) = [f for f in desired.findings if f.record.kind is RecordKind.CUSTOMER]
    return found.kind, found.detail


# ------------------------------------------------------------------ who takes part
@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"active": False}, FindingKind.INACTIVE),
        ({"association": NO}, FindingKind.NOT_ENABLED),
        ({"association": SiteAssociation()}, FindingKind.NOT_ENABLED),
        ({"association": SiteAssociation(enabled=UNSET)}, FindingKind.OPT_IN_UNREADABLE),
        ({"email": ""}, FindingKind.MISSING_EMAIL),
        ({"email": "  "}, FindingKind.MISSING_EMAIL),
        ({"email": " ; ,"}, FindingKind.MISSING_EMAIL),
        ({"email": "mark"}, FindingKind.INVALID_EMAIL),
        ({"email": "mark@acme"}, FindingKind.INVALID_EMAIL),
        ({"email": "@acme.example"}, FindingKind.INVALID_EMAIL),
        ({"email": "mark@acme..example"}, FindingKind.INVALID_EMAIL),
        ({"email": "mark ames@acme.example"}, FindingKind.INVALID_EMAIL),
        ({"email": "mark@acme@acme.example"}, FindingKind.INVALID_EMAIL),
        ({"email": "Mark Ames <mark@acme.example>"}, FindingKind.INVALID_EMAIL),
        ({"first_name": ""}, FindingKind.MISSING_FIRST_NAME),
        ({"first_name": " "}, FindingKind.MISSING_FIRST_NAME),
        ({"last_name": ""}, FindingKind.MISSING_LAST_NAME),
        ({"last_name": "  "}, FindingKind.MISSING_LAST_NAME),
        ({"first_name": "x" * 101}, FindingKind.TOO_LONG),
        ({"last_name": "x" * 101}, FindingKind.TOO_LONG),
        ({"phones": ("5" * 51,)}, FindingKind.TOO_LONG),
        ({"email": f"{'x' * 88}@acme.example"}, FindingKind.TOO_LONG),
    ],
    ids=str,
)
def test_bad_contacts(fields: dict[str, Any], kind: FindingKind) -> None:
    """A contact that can be no company user becomes a finding, which says why; most need no more words."""
    one = contact(101, **fields)
    assert reason(one) is kind
    found = map_contact(one, POLICY)
    assert isinstance(found, Finding)
    assert bool(found.detail) is (kind in {FindingKind.TOO_LONG, FindingKind.OPT_IN_UNREADABLE})


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "x" * 100},
        {"last_name": "x" * 100},
        {"phones": ("5" * 50,)},
        {"email": f"{'x' * 87}@acme.example"},
        {"email": "o'hara+shop@mail.acme.example"},
        {"association": SiteAssociation(enabled=True, connection_type=UNSET)},
    ],
    ids=str,
)
def test_good_contacts(fields: dict[str, Any]) -> None:
    """A contact that is just within what the shop allows becomes a user."""
    user_of(contact(101, **fields))


@pytest.mark.parametrize(
    ("kind", "accepted", "expected"),
    [
        ("B2B", {"B2B"}, None),
        ("B2B", {"B2B", "Both"}, None),
        ("B2C", {"B2B"}, FindingKind.CONNECTION_TYPE),
        ("b2b", {"B2B"}, FindingKind.CONNECTION_TYPE),
        ("", {"B2B"}, FindingKind.CONNECTION_TYPE),
        ("", {"B2B", ""}, None),
        (UNSET, {"B2B"}, FindingKind.OPT_IN_UNREADABLE),
        ("whatever", None, None),
        ("B2B", set[str](), FindingKind.CONNECTION_TYPE),
    ],
)
def test_connection_types(kind: str, accepted: set[str] | None, expected: FindingKind | None) -> None:
    """A contact takes part with an accepted connection type only; one that can't be read is no no."""
    one = contact(101, association=SiteAssociation(enabled=True, connection_type=kind))
    policy = SyncPolicy(connection_types=None if accepted is None else frozenset(accepted))
    found = map_contact(one, policy)
    assert (found.kind if isinstance(found, Finding) else None) is expected
    if expected is FindingKind.CONNECTION_TYPE:
        assert isinstance(found, Finding)
        assert found.detail == repr(kind)


def test_a_leaver_is_not_hidden_by_an_unreadable_field() -> None:
    """An inactive contact is inactive, whatever can't be read of it."""
    assert reason(contact(101, active=False, association=SiteAssociation(enabled=UNSET))) is FindingKind.INACTIVE


def test_who_leaves() -> None:
    """Only a contact that takes part no more is a leaver: a bad record, or an unreadable one, is none."""
    leaves = {kind for kind in FindingKind if kind.about.leaves}
    assert leaves == {FindingKind.INACTIVE, FindingKind.NOT_ENABLED, FindingKind.CONNECTION_TYPE}


@pytest.mark.parametrize(
    ("association", "said"),
    [
        (SiteAssociation(enabled=UNSET), "for the site association"),
        (SiteAssociation(enabled=True, connection_type=UNSET), "for the connection type"),
    ],
    ids=["association", "type"],
)
def test_which_field_is_unreadable(association: SiteAssociation, said: str) -> None:
    """An opt-in that can't be read is a finding that names the field."""
    found = map_contact(contact(101, association=association), SyncPolicy(connection_types=frozenset({"B2B"})))
    assert found == Finding(kind=FindingKind.OPT_IN_UNREADABLE, record=Record(RecordKind.CONTACT, "101"), detail=said)


def test_contacts_not_included() -> None:
    """Where the policy includes no contacts, none becomes a user."""
    found = map_contact(MARK, SyncPolicy(include_contacts=False))
    assert found == Finding(kind=FindingKind.NOT_INCLUDED, record=Record(RecordKind.CONTACT, "101"))


def test_too_long_names_field_and_numbers() -> None:
    """What is too long is named with its length and the shop's, and nothing is cut."""
    found = map_contact(contact(101, first_name="x" * 120), POLICY)
    assert isinstance(found, Finding)
    assert "first name (120 of 100 characters)" in str(found)


# ------------------------------------------------------------------ the user
@pytest.mark.parametrize(
    ("field", "email"),
    [
        ("mark@acme.example", "mark@acme.example"),
        (" Mark@ACME.Example ", "mark@acme.example"),
        ("mark@acme.example;anna@acme.example", "mark@acme.example"),
        ("; mark@acme.example", "mark@acme.example"),
        ("mark@acme.example, anna@acme.example", "mark@acme.example"),
        pytest.param("ÄNNA@acme.example", "Änna@acme.example", id="not-ascii"),
    ],
)
def test_email(field: str, email: str) -> None:
    """The user's address is the first of the field, trimmed, in ASCII lower case."""
    assert user_of(contact(101, email=field)).email == email


def test_email_list() -> None:
    """Several addresses in one field are a finding; the first is used."""
    desired = map_customer(customer(contact(101, email="mark@acme.example; m@home.example"), primary=MARK), POLICY)
    assert kinds(desired.findings) == {("EMAIL_LIST", "101")}
    assert [found.detail for found in desired.findings] == ["2"]
    assert desired.users[0].email == "mark@acme.example"


def test_first_of_a_list_is_malformed() -> None:
    """The first address of a field counts, also where only the second is well formed."""
    assert reason(contact(101, email="mark; mark@acme.example")) is FindingKind.INVALID_EMAIL


@pytest.mark.parametrize(
    ("phones", "phone"),
    [((), ""), (("", "2", "3"), "2"), ((" 1 ", "2"), "1"), (("", " ", "3"), "3"), (("", ""), "")],
)
def test_phone(phones: tuple[str, ...], phone: str) -> None:
    """The user's phone is the first of the contact's that is not empty, or none."""
    assert user_of(contact(101, phones=phones)).phone == phone


def test_names() -> None:
    """First and last name are the contact's, trimmed."""
    user = user_of(contact(101, first_name=" Mark ", last_name=" von Ames "))
    assert (user.first_name, user.last_name) == ("Mark", "von Ames")


def test_filler() -> None:
    """By policy a filler stands for a missing first name, and for no other."""
    policy = SyncPolicy(first_name_filler="-")
    assert user_of(contact(101, first_name=" "), policy).first_name == "-"
    assert user_of(MARK, policy).first_name == "Mark"
    assert reason(contact(101, last_name=""), policy) is FindingKind.MISSING_LAST_NAME


def test_ids_and_sites() -> None:
    """The user keeps the contact's id and note id, and the sites that it is enabled for."""
    one = contact(101, association=SiteAssociation(enabled=True, sites=("north", "south")))
    user = user_of(one)
    assert (user.contact, user.external_id, user.sites) == (one.id, one.note_id, ("north", "south"))


# ------------------------------------------------------------------ the company
def test_desired_is_of_the_customer() -> None:
    """What there should be names the customer, and the primary contact that the ERP names, eligible or not."""
    desired = map_customer(customer(ANNA, primary=MARK), POLICY)
    assert (desired.customer, desired.primary) == ("C1", MARK.id)


def test_company() -> None:
    """Name, e-mail, phone and address of the company are the customer's."""
    company = company_of(customer(MARK, primary=MARK, name=" Acme Inc. "))
    assert company.name == "Acme Inc."
    assert (company.email, company.phone, company.address) == ("office@acme.example", "555-0100", ADDRESS)
    assert company.external_id == customer().note_id


def test_company_phones() -> None:
    """The company's phone is the first of the customer's that is not empty."""
    assert company_of(customer(MARK, primary=MARK, phones=("", "555-0111"))).phone == "555-0111"


def test_company_falls_back_to_its_admin() -> None:
    """Where the customer has no e-mail or phone, the company gets those of its admin."""
    mark = evolve(MARK, phones=("555-0123",))
    company = company_of(customer(ANNA, mark, primary=mark, email="", phones=()))
    assert (company.email, company.phone) == (MARK.email, "555-0123")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email": ""}, (FindingKind.MISSING_COMPANY_EMAIL, "")),
        ({"email": "acme"}, (FindingKind.INVALID_EMAIL, "")),
        ({"phones": ()}, (FindingKind.MISSING_PHONE, "")),
        ({"phones": ("", " ")}, (FindingKind.MISSING_PHONE, "")),
        ({"address": PostalAddress()}, (FindingKind.MISSING_COUNTRY, "")),
        ({"address": evolve(ADDRESS, country=" ")}, (FindingKind.MISSING_COUNTRY, "")),
        ({"name": "x" * 201}, (FindingKind.TOO_LONG, "name (201 of 200 characters)")),
        (
            {"address": evolve(ADDRESS, city="x" * 101)},
            (FindingKind.TOO_LONG, "city (101 of 100 characters)"),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_customers(fields: dict[str, Any], expected: tuple[FindingKind, str]) -> None:
    """A customer that can be no company is Held with a finding that says why; its contacts are mapped all the same."""
    one = customer(MARK, ANNA, **fields)
    assert company_reason(one) == expected
    assert len(map_customer(one, POLICY).users) == 2


@pytest.mark.parametrize(
    ("fields", "policy", "said"),
    [
        ({"status": "Inactive"}, {}, "its status is 'Inactive'"),
        ({"status": "On Hold"}, {}, "its status is 'On Hold'"),
        ({"guest": True}, {}, "it is a guest customer"),
        ({"category": "Individual"}, {}, "its category is 'Individual'"),
        ({"customer_class": "RETAIL"}, {"customer_classes": {"WHOLESALE"}}, "its class is 'RETAIL'"),
        ({"customer_class": ""}, {"customer_classes": {"WHOLESALE"}}, "its class is ''"),
    ],
    ids=str,
)
def test_filtered_customers(fields: dict[str, Any], policy: dict[str, set[str]], said: str) -> None:
    """A customer that takes no part is Filtered with its contacts and locations, each by name and with the reason."""
    one = customer(MARK, primary=MARK, locations=(location(),), **fields)
    desired = map_customer(one, SyncPolicy(customer_classes=policy.get("customer_classes")))
    assert (desired.takes_part, desired.company, desired.users, desired.addresses) == (False, None, (), ())
    assert (desired.customer, desired.primary) == (one.id, MARK.id)
    assert [found.record.id for found in desired.findings] == ["C1", "101", "MAIN"]
    assert {(found.status, found.detail) for found in desired.findings} == {(Status.FILTERED, said)}


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({}, POLICY),
        ({"category": ""}, POLICY),
        ({"guest": True}, SyncPolicy(guests=True)),
        ({"status": "On Hold"}, SyncPolicy(customer_statuses=None)),
        ({"category": "Individual"}, SyncPolicy(customer_categories=None)),
        ({"customer_class": "WHOLESALE"}, SyncPolicy(customer_classes=frozenset({"WHOLESALE"}))),
    ],
    ids=lambda value: str(value)[:40],
)
def test_customers_that_take_part(fields: dict[str, Any], policy: SyncPolicy) -> None:
    """A customer takes part by class, status, category where the version has one, and not as a guest."""
    assert map_customer(customer(MARK, primary=MARK, **fields), policy).takes_part


# ------------------------------------------------------------------ locations
def address_of(one: Customer, policy: SyncPolicy = POLICY) -> DesiredAddress:
    """Return the address that a customer's first location becomes."""
    address = map_location(one.locations[0], one, policy)
    assert isinstance(address, DesiredAddress)
    return address


def test_location() -> None:
    """Label, names, phone and address of a company address are the location's."""
    address = address_of(customer(locations=(location(name="Depot", phone=" 555-0199 "),)))
    assert (address.label, address.first_name, address.last_name) == ("Depot", "Lou", "Lane")
    assert (address.phone, address.address) == ("555-0199", ADDRESS)


@pytest.mark.parametrize(("first", "last"), [("", ""), ("Lou", ""), ("", "Lane")])
def test_location_without_a_contact(first: str, last: str) -> None:
    """A location without a full name of its own bears the primary's, not a mixture of both."""
    place = location(first_name=first, last_name=last)
    address = address_of(customer(ANNA, MARK, primary=MARK, locations=(place,)))
    assert (address.first_name, address.last_name) == ("Mark", "Ames")


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"first_name": "", "last_name": ""}, "first name, last name"),
        ({"address": evolve(ADDRESS, line1="")}, "street"),
        ({"address": evolve(ADDRESS, city=" ", country="")}, "city, country"),
    ],
    ids=str,
)
def test_bad_locations(fields: dict[str, Any], missing: str) -> None:
    """A location that lacks what an address needs is Held, and all that is missing is named."""
    one = customer(MARK, locations=(location(**fields),))
    found = map_location(one.locations[0], one, POLICY)
    assert isinstance(found, Finding)
    assert (found.kind, found.detail, found.status) == (FindingKind.MISSING_ADDRESS_FIELD, missing, Status.HELD)


@pytest.mark.parametrize(
    ("fields", "policy", "kind"),
    [
        ({"active": False}, POLICY, FindingKind.INACTIVE),
        ({}, SyncPolicy(include_locations=False), FindingKind.NOT_INCLUDED),
        ({"name": "x" * 201}, POLICY, FindingKind.TOO_LONG),
        ({"address": evolve(ADDRESS, line2="x" * 201)}, POLICY, FindingKind.TOO_LONG),
    ],
    ids=lambda value: str(value)[:40],
)
def test_locations_left_out(fields: dict[str, Any], policy: SyncPolicy, kind: FindingKind) -> None:
    """A location that is inactive, not included or too long becomes a finding."""
    one = customer(MARK, primary=MARK, locations=(location(**fields),))
    found = map_location(one.locations[0], one, policy)
    assert isinstance(found, Finding)
    assert found.kind is kind
    assert bool(found.detail) is (kind is FindingKind.TOO_LONG)


# ------------------------------------------------------------------ what is too long
LONG = "x" * 300
STREETS = PostalAddress(line1=LONG, line2=LONG, city=LONG, country="DE")


def test_all_that_is_too_long_of_a_contact() -> None:
    """Every text of a contact that is too long is named, with its length and the shop's most, in one finding."""
    email = f"{'x' * 300}@acme.example"
    found = map_contact(contact(101, first_name=LONG, last_name=LONG, email=email, phones=(LONG,)), POLICY)
    assert isinstance(found, Finding)
    assert found.detail == (
        "e-mail address (313 of 100 characters), first name (300 of 100 characters), "
        "last name (300 of 100 characters), phone number (300 of 50 characters)"
    )


def test_all_that_is_too_long_of_a_customer() -> None:
    """Every text of a customer that is too long is named, with its length and the shop's most, in one finding."""
    email = f"{'x' * 300}@acme.example"
    one = customer(MARK, primary=MARK, name=LONG, email=email, phones=(LONG,), address=STREETS)
    kind, detail = company_reason(one)
    assert kind is FindingKind.TOO_LONG
    assert detail == (
        "name (300 of 200 characters), e-mail address (313 of 200 characters), phone number (300 of 50 characters), "
        "first street line (300 of 200 characters), second street line (300 of 200 characters), "
        "city (300 of 100 characters)"
    )


def test_all_that_is_too_long_of_a_location() -> None:
    """Every text of a location that is too long is named, with its length and the shop's most, in one finding."""
    place = location(name=LONG, first_name=LONG, last_name=LONG, phone=LONG, address=STREETS)
    one = customer(MARK, primary=MARK, locations=(place,))
    found = map_location(place, one, POLICY)
    assert isinstance(found, Finding)
    assert found.detail == (
        "name (300 of 200 characters), first name (300 of 100 characters), last name (300 of 100 characters), "
        "phone number (300 of 50 characters), first street line (300 of 200 characters), "
        "second street line (300 of 200 characters), city (300 of 100 characters)"
    )


def test_defaults() -> None:
    """The default location ships by default; the one at the customer's main address is billed by default."""
    main, east = location("MAIN", address=ADDRESS), location("EAST", address=evolve(ADDRESS, city="Bonn"), default=True)
    desired = map_customer(customer(MARK, primary=MARK, locations=(main, east)), POLICY)
    flags = {a.location: (a.default_shipping, a.default_billing) for a in desired.addresses}
    assert flags == {"MAIN": (False, True), "EAST": (True, False)}


def test_one_billing_address() -> None:
    """Of several locations at the main address one is billed by default: the default one."""
    places = (location("A"), location("B", default=True), location("C"))
    desired = map_customer(customer(MARK, primary=MARK, locations=places), POLICY)
    assert [a.location for a in desired.addresses if a.default_billing] == ["B"]


def test_billing_address_that_can_be_made() -> None:
    """A location that becomes no address leaves the billing to another one at the main address."""
    places = (location("A", default=True, first_name=""), location("B", first_name="Lou", last_name="Lane"))
    desired = map_customer(customer(MARK, locations=places), POLICY)
    assert [(a.location, a.default_billing) for a in desired.addresses] == [("B", True)]


# ------------------------------------------------------------------ what people want left as it is
def test_passed_over() -> None:
    """What people said is to be skipped is made of nothing, keeps no other finding, and is told as skipped."""
    bad, closed = contact(103, "Bill", email=""), location("WEST", active=False)
    places = (location("MAIN"), location("EAST"), closed)
    desired = map_customer(customer(MARK, ANNA, bad, primary=MARK, locations=places), POLICY)
    skipped = {
        Record(RecordKind.CONTACT, ANNA.id),
        Record(RecordKind.CONTACT, "103"),
        Record(RecordKind.LOCATION, "EAST"),
        Record(RecordKind.CUSTOMER, "MAIN"),
    }
    after = passed_over(desired, frozenset(skipped))
    assert after == evolve(
        desired,
        users=(desired.users[0],),
        addresses=(desired.addresses[0],),
        findings=(
            Finding(kind=FindingKind.INACTIVE, record=Record(RecordKind.LOCATION, "WEST")),
            *(Finding(kind=FindingKind.SKIPPED, record=record) for record in sorted(skipped)),
        ),
    )


# ------------------------------------------------------------------ the first admin
def users_of(*contacts: Contact) -> tuple[DesiredUser, ...]:
    """Return the users that contacts become."""
    return map_customer(customer(*contacts), POLICY).users


def test_first_admin() -> None:
    """The first admin of a new company is its primary, wherever that one stands."""
    admin = first_admin(users_of(ANNA, BILL, MARK), MARK.id, POLICY)
    assert admin
    assert admin.contact == MARK.id


@pytest.mark.parametrize("primary", [None, ContactID("999")])
def test_no_first_admin(primary: ContactID | None) -> None:
    """Without an eligible primary a new company has no admin, or by policy the lowest contact."""
    users = users_of(contact(1000, "Zoe"), contact(99, "Nina"), ANNA)
    assert first_admin(users, primary, POLICY) is None
    admin = first_admin(users, primary, SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT))
    assert admin
    assert admin.contact == "99"


def test_id_order() -> None:
    """Ids sort as people sort numbers: 9 before 10."""
    assert sorted(["10", "9", "100", "A1"], key=id_order) == ["A1", "9", "10", "100"]


# ------------------------------------------------------------------ laws
@given(strategies.customers(), strategies.policies())
def test_every_record_ends(one: Customer, policy: SyncPolicy) -> None:
    """Every contact, location and customer ends as what it should become or with a finding: never neither or both."""
    desired = map_customer(one, policy)
    made: set[str] = {user.contact for user in desired.users} | {address.location for address in desired.addresses}
    made |= {one.id} if desired.company else set()
    found = {f.record.id for f in desired.findings if f.kind is not FindingKind.EMAIL_LIST}
    assert made.isdisjoint(found)
    assert made | found == {one.id, *(c.id for c in one.contacts), *(place.id for place in one.locations)}


@given(strategies.customers(), strategies.policies())
def test_every_user_is_whole(one: Customer, policy: SyncPolicy) -> None:
    """A desired user has one address in lower case and names that fit; no finding says an address."""
    desired, most = map_customer(one, policy), policy.lengths
    for user in desired.users:
        assert user.email == plain_email(user.email)
        assert user.email.count("@") == 1
        assert 0 < len(user.first_name) <= most.name
        assert 0 < len(user.last_name) <= most.name
    assert not any("@" in str(found) for found in desired.findings)


def test_every_finding_says_what_and_how() -> None:
    """Every kind of finding has a meaning and a way out, and takes its detail wherever it has a place for it."""
    for kind, detail in product(FindingKind, ("", "x")):
        found = Finding(kind=kind, record=Record(RecordKind.CONTACT, "101"), detail=detail)
        assert found.meaning
        assert found.way_out
        assert "{}" not in str(found)
