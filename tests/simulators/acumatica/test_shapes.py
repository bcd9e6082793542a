import re
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from acumatica_b2b.model import UNSET
from acumatica_b2b.simulators import (
    ContactRow,
    CustomField,
)
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE, ENABLED
from tests.simulators.acumatica.conftest import SAMPLES, START, Erp, furnish, make, sample


# ------------------------------------------------------------------ shapes
def test_new_customer_has_the_recorded_shape() -> None:
    """A new customer through 20.200.001 has the recorded keys, in the recorded order, with the recorded values."""
    recorded = (SAMPLES / "customer_put_200.20.200.001.json") if SAMPLES.exists() else None
    if recorded is None:
        pytest.skip("the recorded samples are not here")
    erp = make(links=False, absent={"Customer": frozenset({"ShippingBranch"})})
    erp.version = "20.200.001"
    erp.clock.time = datetime(2023, 12, 14, 17, 20, 45, 160_000, tzinfo=UTC)
    erp.log_in()
    response = erp.put("Customer", CustomerID="C1165", CustomerName="ACME", TaxZone="AVALARA")
    ours = re.sub(rb'^{"id":"[^"]*"', b"", response.body)
    assert ours == re.sub(rb'^{"id":"[^"]*"', b"", recorded.read_bytes().strip())


def test_new_contact_fills_the_recorded_fields() -> None:
    """A new contact with names and e-mail has a value in those fields in which a real one has."""
    expected = set(sample("contact_put_response_shape.json")["populated_keys"])
    erp = make()
    erp.log_in()
    body = erp.put("Contact", LastName="Lee", FirstName="Ann", Email="ann@bakery.example").json()
    filled = {name for name, value in body.items() if value and name not in {"note", "custom", "_links"}}
    assert filled == {name for name in expected if not name.startswith("_links")}
    assert set(body["_links"]) == {"self", "files:put"}


def test_keys_stand_in_alphabetical_order(erp: Erp) -> None:
    """Head, then fields by name whatever the case with expanded ones in their place, then custom and links."""
    names = list(erp.one("Customer/ABAKERY", expand="MainContact,Contacts,PrimaryContact"))
    assert names[:3] == ["id", "rowNumber", "note"]
    assert names[-2:] == ["custom", "_links"]
    assert names[3:-2] == sorted(names[3:-2], key=str.lower)
    assert {"MainContact", "Contacts", "PrimaryContact"} < set(names)


def test_attributes_have_the_documented_shape() -> None:
    """Attributes come as the guide shows them: selected fields only, row by row."""
    erp = furnish(make(links=False))
    erp.simulator.put_contact(
        ContactRow(id=7, first_name="Stephane", last_name="Sans", job_title="Manager", attributes={"INTEREST": ""})
    )
    (row,) = erp.rows(
        "Contact",
        filter="ContactID eq 7",
        expand="Attributes",
        select="FirstName,LastName,JobTitle,Attributes/AttributeID,Attributes/Value",
    )
    (expected,) = sample("contact_list_select_attributes.25.200.001_guide.json")
    assert list(row) == list(expected)
    assert list(row["Attributes"][0]) == list(expected["Attributes"][0])
    assert row["Attributes"][0] | {"id": ""} == expected["Attributes"][0] | {"id": ""}


def test_empty_fields_are_empty_objects(erp: Erp) -> None:
    """A field without a value is `{}`, and the note is an empty value."""
    row = erp.one("Contact/40")
    assert row["Email"] == {}
    assert row["note"] == {"value": ""}
    assert row["custom"] == {}


def test_links_are_of_newer_builds(erp: Erp) -> None:
    """Links begin with the name of the instance; a build without them sends none."""
    row = erp.one("Contact/5")
    assert row["_links"]["self"] == f"/Site/entity/Default/24.200.001/Contact/{row['id']}"
    assert "_links" not in furnish(make(links=False)).one("Contact/5")


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "2026-03-01T09:00:00+00:00"), (160_000, "2026-03-01T09:00:00.16+00:00"), (1, "2026-03-01T09:00:00+00:00")],
)
def test_stamps_are_utc_with_zeros_cut(microseconds: int, text: str) -> None:
    """A stamp is in UTC, without zeros at the end of the fraction, and as coarse as the database's."""
    erp = make()
    erp.clock.time = START + timedelta(microseconds=microseconds)
    erp.simulator.put_contact(ContactRow(id=1, last_name="Lee"))
    erp.log_in()
    assert erp.one("Contact/1")["LastModifiedDateTime"] == {"value": text}


# ------------------------------------------------------------------ custom fields
def test_custom_fields_come_when_asked_for(erp: Erp) -> None:
    """Custom fields come by view and name with their type; one that the tenant lacks does not come at all."""
    names = f"{ENABLED},{CONTACT_REFERENCE},Contact.UsrNobody,Other.UsrKCEnabled"
    assert erp.one("Contact/5", custom=names)["custom"] == {
        "Contact": {
            "UsrKCEnabled": {"type": "CustomBooleanField", "value": True},
            "UsrKCReferenceID": {"type": "CustomStringField", "value": "42"},
        }
    }
    assert erp.one("Contact/5")["custom"] == {}


def test_empty_custom_field_has_no_value(erp: Erp) -> None:
    """An empty custom field has its type and no value, or by switch a null; UNSET does not come back."""
    assert erp.one("Contact/40", custom=ENABLED)["custom"]["Contact"]["UsrKCEnabled"] == {"type": "CustomBooleanField"}
    null = furnish(make(empty_custom_is_null=True)).one("Contact/40", custom=ENABLED)
    assert null["custom"]["Contact"]["UsrKCEnabled"] == {"type": "CustomBooleanField", "value": None}
    erp.simulator.put_contact(evolve(erp.simulator.contact(40), custom={ENABLED: UNSET}))
    assert erp.one("Contact/40", custom=ENABLED)["custom"] == {}


def test_schema_tells_the_custom_fields(erp: Erp) -> None:
    """`$adHocSchema` names every custom field with view and type."""
    schema = erp.one("Contact/$adHocSchema")
    assert schema["custom"]["Contact"]["UsrKCEnabled"] == {"type": "CustomBooleanField", "value": None}
    assert set(schema["custom"]["Contact"]) == {"UsrKCEnabled", "UsrKCConnectionType", "UsrKCReferenceID"}
    assert erp.one("Customer/$adHocSchema")["custom"]["BAccount"]
    assert erp.one("CustomerLocation/$adHocSchema")["custom"]["Location"]


def test_tenant_has_the_custom_fields_it_was_given() -> None:
    """The custom fields of a tenant are configured, with any view and name."""
    fields = {"Contact": (CustomField(name="ContactCurrent.AttributeSHOP"),)}
    erp = furnish(make(custom_fields=fields))
    erp.simulator.put_contact(ContactRow(id=9, last_name="Lee", custom={"ContactCurrent.AttributeSHOP": "x"}))
    assert erp.one("Contact/9", custom=f"ContactCurrent.AttributeSHOP,{ENABLED}")["custom"] == {
        "ContactCurrent": {"AttributeSHOP": {"type": "CustomStringField", "value": "x"}}
    }
