from datetime import UTC, datetime
from typing import Any

import pytest

from acumatica_b2b.acumatica import queries, records
from acumatica_b2b.acumatica.rows import Row, row_of
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.model import UNSET, Contact, Customer, PostalAddress, SiteAssociation
from tests.acumatica.conftest import configured, custom, linked, row

ADDRESS = linked(
    AddressLine1="1 Main St", AddressLine2=None, City="Austin", State="TX", PostalCode="73301", Country="US"
)


def contact(data: dict[str, Any], **settings: Any) -> Contact:
    """Return the contact of a row."""
    return records.contact(row_of(data, queries.CONTACT_KEYS), configured(**settings))


def customer(data: dict[str, Any], **settings: Any) -> Customer:
    """Return the customer of a row."""
    made = row_of(data, queries.CUSTOMER_KEYS)
    return records.customer(made, configured(**settings), (), (), complete=True)


def test_contact() -> None:
    """A contact is read with its fields trimmed, its phones in order and its NoteID in lower case."""
    data = row(
        ContactID=100073,
        NoteID="ABCDEF00-0B10-E911-9FBE-7C5CF8918E20",
        BusinessAccount="C1 ",
        Active=True,
        FirstName="Anna",
        LastName=" Berg ",
        Email=" Anna@Example.com; b@example.com",
        Phone1=None,
        Phone2="2",
        Phone3="3",
        JobTitle="Buyer",
        LastModifiedDateTime="2023-12-14T17:20:45.16+00:00",
    )
    assert contact(data) == Contact(
        id=contact(data).id,
        note_id=contact(data).note_id,
        customer=contact(data).customer,
        first_name="Anna",
        last_name="Berg",
        email="Anna@Example.com; b@example.com",
        phones=("2", "3"),
        job_title="Buyer",
        association=SiteAssociation(enabled=True),
        reference=UNSET,
        modified=datetime(2023, 12, 14, 17, 20, 45, 160000, tzinfo=UTC),
    )
    assert (contact(data).id, contact(data).customer) == ("100073", "C1")
    assert contact(data).note_id == "abcdef00-0b10-e911-9fbe-7c5cf8918e20"


def test_no_place_for_a_reference() -> None:
    """Where no place is configured for the commerce reference ID it is UNSET: none is written either."""
    assert contact(row(ContactID=1)).reference is UNSET
    assert contact(row(ContactID=1, ExtRefNbr=None), contact_reference="ExtRefNbr").reference == ""


def test_empty_fields() -> None:
    """An empty object, a null value and an absent ordinary field are all empty."""
    empties: list[dict[str, Any]] = [{}, {"Email": {}}, {"Email": {"value": None}}, {"Email": None}]
    for empty in empties:
        found = contact(row(ContactID=1) | empty)
        assert (found.email, found.customer, found.active) == ("", None, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (None, False), ("1", True), ("YES", True), ("0", False), ("", False), (1, True)],
)
def test_opt_in(value: object, *, expected: bool) -> None:
    """The opt-in is a boolean, or one of the accepted texts; empty is no."""
    data = row(ContactID=1, custom=custom("Contact", UsrOn=value))
    assert contact(data, contact_opt_in="Contact.UsrOn").association.enabled is expected


def test_accepted_texts_are_configurable() -> None:
    """A tenant may word its opt-in otherwise."""
    data = row(ContactID=1, custom=custom("Contact", UsrOn="ENABLED"))
    assert contact(data, contact_opt_in="Contact.UsrOn").association.enabled is False
    settings: dict[str, Any] = {"contact_opt_in": "Contact.UsrOn", "enabled_texts": ("Enabled",)}
    assert contact(data, **settings).association.enabled is True


@pytest.mark.parametrize(
    "stands", [{}, {"custom": {}}, {"custom": {"Contact": {}}}, {"custom": custom("Other", UsrOn=True)}]
)
def test_unset(stands: dict[str, Any]) -> None:
    """A configured field whose key is missing is UNSET, neither yes nor no."""
    found = contact(
        row(ContactID=1) | stands,
        contact_opt_in="Contact.UsrOn",
        connection_type="Contact.UsrType",
        contact_reference="ExtRefNbr",
        contact_attributes={"department": "Contact.AttributeDEPT"},
    )
    assert found.association == SiteAssociation(enabled=UNSET, connection_type=UNSET)
    assert found.reference is UNSET
    assert found.attributes == {}


def test_configured_fields() -> None:
    """Connection type, reference and attributes are read from where they are configured, as texts."""
    data = row(ContactID=1, ExtRefNbr="42", custom=custom("Contact", UsrType="Both", AttributeDEPT=7) | {"X": {}})
    found = contact(
        data,
        connection_type="Contact.UsrType",
        contact_reference="ExtRefNbr",
        contact_attributes={"department": "Contact.AttributeDEPT"},
    )
    assert found.association.connection_type == "Both"
    assert (found.reference, found.attributes) == ("42", {"department": "7"})
    without_value = row(ContactID=1, custom={"Contact": {"UsrType": {"type": "CustomStringField"}}})
    assert contact(without_value, connection_type="Contact.UsrType").association.connection_type == ""


@pytest.mark.parametrize(
    ("field", "cell", "path"),
    [
        ("Email", {"value": 5}, "Contact[1].Email.value"),
        ("Active", {"value": "False"}, "Contact[1].Active.value"),
        ("FirstName", "Anna", "Contact[1].FirstName"),
        ("LastModifiedDateTime", {"value": "yesterday"}, "Contact[1].LastModifiedDateTime"),
        ("custom", [], "Contact[1].custom"),
    ],
)
def test_wrong_types(field: str, cell: object, path: str) -> None:
    """A value of a wrong type is never made a right one: the error names the path."""
    with pytest.raises(DecodeError) as caught:
        contact(row(ContactID=1) | {field: cell}, contact_opt_in="Contact.UsrOn")
    assert caught.value.path == path


def test_a_number_is_no_boolean() -> None:
    """A boolean is no contact id."""
    with pytest.raises(DecodeError, match="expected int, not bool"):
        contact(row(ContactID=True))


@pytest.mark.parametrize("fraction", ["", ".1", ".16", ".837", ".1234567"])
def test_moments(fraction: str) -> None:
    """A moment has up to seven digits behind its point, trailing zeros cut."""
    found = Row(row(LastModifiedDateTime=f"2023-12-14T17:20:45{fraction}+00:00"), "X").moment("LastModifiedDateTime")
    assert found is not None
    assert found.utcoffset() is not None
    assert f"{found.microsecond:06}" == fraction[1:7].ljust(6, "0")


def test_customer() -> None:
    """A customer has its main contact's address and phones, and its own e-mail before the main contact's."""
    main = linked(Email="main@example.com", Phone1="1", Phone2="2", Address=ADDRESS)
    data = row(CustomerID="C1", CustomerName="ACME", Email="own@example.com", MainContact=main, PrimaryContactID=7)
    found = customer(data)
    assert (found.email, found.phones, found.primary_contact) == ("own@example.com", ("1", "2"), "7")
    assert found.address == PostalAddress(
        line1="1 Main St", city="Austin", state="TX", postal_code="73301", country="US"
    )
    assert customer(data | {"Email": {}}).email == "main@example.com"


@pytest.mark.parametrize(
    "mark", [{}, {"PrimaryContactID": {}}, {"PrimaryContactID": {"value": 0}}, {"PrimaryContact": row(ContactID=-3)}]
)
def test_no_primary(mark: dict[str, Any]) -> None:
    """Nothing, zero and a temporary contact are no primary contact."""
    assert customer(row(CustomerID="C1") | mark).primary_contact is None


def test_primary_of_older_versions() -> None:
    """Older versions name the primary contact by a linked entity."""
    assert customer(row(CustomerID="C1", PrimaryContact=linked(ContactID=9))).primary_contact == "9"


def test_id_stands_for_the_note_id() -> None:
    """Where a version has no NoteID, the record's id is it; without both, the record is unreadable."""
    assert customer(row(CustomerID="C1")).note_id == "6a47c888-0b10-e911-9fbe-7c5cf8918e20"
    with pytest.raises(DecodeError, match="NoteID"):
        customer({"CustomerID": {"value": "C1"}})


def test_location() -> None:
    """A location has its contact's names, phone and address; an attention line is not split into names."""
    person = linked(FirstName="Bo", LastName="Ek", Attention="Store Manager", Phone1="5", Address=ADDRESS)
    data = row(
        Customer="C1", LocationID="MAIN", LocationName="Shop", Active=False, Default=True, LocationContact=person
    )
    shape = queries.LOCATION_KEYS
    found = records.location(row_of(data, shape), configured())
    assert (found.id, found.name, found.active, found.default) == ("MAIN", "Shop", False, True)
    assert (found.first_name, found.last_name, found.phone, found.address.city) == ("Bo", "Ek", "5", "Austin")
    assert row_of(data, shape).path == "CustomerLocation[C1,MAIN]"
    nameless = row(Customer="C1", LocationID="MAIN", LocationContact=linked(Attention="Store Manager"))
    assert records.location(row_of(nameless, shape), configured()).first_name == ""


# ------------------------------------------------------------------ rows of details
def details(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Return detail rows."""
    return [{name: {"value": value} for name, value in fields.items()} for fields in rows]


def with_details(name: str, rows: object, **settings: Any) -> Contact:
    """Return a contact that has a list of details."""
    return contact(row(ContactID=7, NoteID="n") | {name: rows}, **settings)


ATTRIBUTES = details({"AttributeID": "COLOUR", "Value": "red"}, {"AttributeID": "SHOP ", "Value": "1"})


def test_attributes() -> None:
    """Attributes are read from their rows, whatever the case of their ids."""
    found = with_details(
        "Attributes",
        ATTRIBUTES,
        contact_opt_in="Attributes[Shop]",
        contact_reference="Attributes[COLOUR]",
        contact_attributes={"colour": "Attributes[COLOUR]", "size": "Attributes[SIZE]"},
    )
    assert found.association.enabled is True
    assert found.reference == "red"
    assert found.attributes == {"colour": "red"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (details({"AttributeID": "SHOP", "Value": "0"}), False),
        ([{"AttributeID": {"value": "SHOP"}, "Value": {}}], False),
        ([], UNSET),
        (None, UNSET),
    ],
)
def test_missing_attributes(rows: object, expected: object) -> None:
    """An attribute without a value is no; one whose row or list did not come is neither yes nor no."""
    assert with_details("Attributes", rows, contact_opt_in="Attributes[SHOP]").association.enabled is expected


SITES = details(
    {"Site": "North", "On": True, "Kind": "B2B"},
    {"Site": "South", "On": "yes", "Kind": "B2B"},
    {"Site": "East", "On": False, "Kind": "B2B"},
    {"Site": "West", "On": True, "Kind": "B2C"},
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, SiteAssociation(enabled=True, connection_type=UNSET, sites=("North", "South", "West"))),
        (
            {"sites": ("SOUTH", "North")},
            SiteAssociation(enabled=True, connection_type="B2B", sites=("North", "SOUTH")),
        ),
        ({"sites": ("West",)}, SiteAssociation(enabled=True, connection_type="B2C", sites=("West",))),
        ({"site_types": ("b2b",)}, SiteAssociation(enabled=True, connection_type="B2B", sites=("North", "South"))),
        ({"sites": ("West",), "site_types": ("B2B",)}, SiteAssociation(enabled=False)),
        ({"sites": ("East",)}, SiteAssociation(enabled=False)),
        ({"sites": ("Nowhere",)}, SiteAssociation(enabled=False)),
    ],
)
def test_sites(settings: dict[str, Any], expected: SiteAssociation) -> None:
    """A contact is opted in by the enabled rows of the store's sites, with the types that count."""
    found = with_details("Sites", SITES, contact_opt_in="Sites[Site, On, Kind]", **settings)
    assert found.association == expected


def test_missing_sites() -> None:
    """No row of sites is no; a list that did not come, or rows without the flag, are neither yes nor no."""
    neither = SiteAssociation(enabled=UNSET, connection_type=UNSET)
    assert with_details("Sites", [], contact_opt_in="Sites[Site, On]").association == SiteAssociation(enabled=False)
    assert with_details("Sites", None, contact_opt_in="Sites[Site, On, Kind]").association == neither
    blind = details({"Site": "North"})
    assert with_details("Sites", blind, contact_opt_in="Sites[Site, On]").association.enabled is UNSET


@pytest.mark.parametrize("rows", [{}, "x", ["x"]])
def test_details_of_another_shape(rows: object) -> None:
    """Details that are no list of objects are an error with its path."""
    with pytest.raises(DecodeError) as caught:
        with_details("Sites", rows, contact_opt_in="Sites[Site, On]")
    assert caught.value.path.startswith("Contact[7].Sites")
