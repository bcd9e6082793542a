from datetime import timedelta
from typing import Any

from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE
from tests.simulators.acumatica.conftest import START, Erp, cells, furnish, make, sample


def test_put_changes_what_is_there(erp: Erp) -> None:
    """A PUT finds the record by its key, changes the fields sent, moves its stamp and answers all fields."""
    erp.clock.on(minutes=5)
    response = erp.put("Contact", ContactID=5, LastName="Doe")
    assert response.json()["LastName"] == {"value": "Doe"}
    assert response.json()["FirstName"] == {"value": "Ann"}
    assert response.json()["LastModifiedDateTime"] == {"value": "2026-03-01T09:05:00+00:00"}
    assert erp.one("Contact/5")["DisplayName"] == {"value": "Ann Doe"}


def test_put_finds_by_id_and_by_filter(erp: Erp) -> None:
    """A PUT finds the record by id or by filter too; a filter that fits several is refused."""
    note = erp.one("Contact/5")["id"]
    erp.entity("PUT", "Contact", {"id": note, "JobTitle": {"value": "Buyer"}})
    erp.entity("PUT", "Contact", {"Active": {"value": False}}, filter="FirstName eq 'Bo'")
    assert erp.simulator.contact(5).job_title == "Buyer"
    assert erp.simulator.contact(40).active is False
    assert erp.one("Contact/40")["Status"] == {"value": "Inactive"}
    assert erp.entity("PUT", "Contact", {"Active": {"value": False}}, filter="ContactID gt 0").status == 500


def test_put_creates_what_is_not_there(erp: Erp) -> None:
    """A PUT that finds nothing creates: a contact gets the next number, even when one was given."""
    first = erp.put("Contact", ContactID=777, LastName="New", BusinessAccount="abakery").json()
    second = erp.entity("PUT", "Contact", cells({"LastName": "Newer"}), filter="FirstName eq 'Nobody'").json()
    assert first["ContactID"] == {"value": 100_001}
    assert first["BusinessAccount"] == {"value": "ABAKERY"}
    assert second["ContactID"] == {"value": 100_002}
    assert erp.put("Customer", CustomerName="New").json()["CustomerID"] == {"value": "C000006004"}
    assert erp.put("CustomerLocation", Customer="bcorp", LocationID="L2").status == 200
    assert erp.keys("CustomerLocation", filter="Customer eq 'bcorp'") == ["L2", "MAIN"]


def test_if_match_only_updates(erp: Erp) -> None:
    """`If-Match: *` never creates and `If-None-Match: *` never updates: 412."""
    only_update, only_insert = (("If-Match", "*"),), (("If-None-Match", "*"),)
    assert erp.put("Contact", only_update, ContactID=6, LastName="New").status == 412
    assert erp.put("Contact", only_insert, ContactID=5, LastName="New").status == 412
    assert erp.put("Contact", only_update, ContactID=5, LastName="Old").status == 200
    assert erp.put("Contact", only_insert, LastName="New").status == 200
    assert len(erp.keys("Contact")) == 4


def test_patch_only_updates(erp: Erp) -> None:
    """A PATCH of a missing record is a 404 and creates nothing; it moves the stamp even when nothing differs."""
    erp.version = "25.200.001"
    assert erp.entity("PATCH", "Contact", cells({"ContactID": 6, "LastName": "New"})).status == 404
    assert erp.entity("PATCH", "Contact", cells({"ContactID": 5}), (("If-None-Match", "*"),)).status == 412
    erp.clock.on(minutes=5)
    same = cells({"ContactID": 5, "LastName": "Lee"})
    assert erp.entity("PUT", "Contact", same).json()["LastModifiedDateTime"]["value"] == "2026-03-01T09:00:00+00:00"
    assert erp.entity("PATCH", "Contact", same).json()["LastModifiedDateTime"]["value"] == "2026-03-01T09:05:00+00:00"


def test_patch_is_for_versions_that_have_it(erp: Erp) -> None:
    """A version without PATCH answers 405 and writes nothing; by switch it takes one."""
    body = cells({"ContactID": 5, "LastName": "New"})
    assert erp.entity("PATCH", "Contact", body).status == 405
    assert erp.simulator.contact(5).last_name == "Lee"
    older = furnish(make(patches=frozenset({"24.200.001"})))
    assert older.entity("PATCH", "Contact", body).status == 200
    assert older.simulator.contact(5).last_name == "New"


def test_custom_fields_are_written(erp: Erp) -> None:
    """A custom field is written by view and name, moves the stamp, and is echoed when asked for."""
    erp.clock.on(minutes=5)
    body = {
        "ContactID": {"value": 40},
        "custom": {"Contact": {"UsrKCReferenceID": {"type": "CustomStringField", "value": "7"}}},
    }
    response = erp.entity("PUT", "Contact", body, (("If-Match", "*"),), custom=CONTACT_REFERENCE)
    assert response.json()["custom"]["Contact"]["UsrKCReferenceID"]["value"] == "7"
    assert erp.simulator.contact(40).custom == {CONTACT_REFERENCE: "7"}
    assert erp.simulator.contact(40).modified == START + timedelta(minutes=5)
    assert erp.entity("PUT", "Contact", body).json()["custom"] == {}


def test_unknown_custom_field_is_lost_in_silence(erp: Erp) -> None:
    """A custom field that the tenant lacks is neither stored nor echoed; one without its type is a 400."""
    body: dict[str, Any] = {
        "ContactID": {"value": 40},
        "custom": {"Contact": {"UsrX": {"type": "CustomStringField", "value": "7"}}},
    }
    assert erp.entity("PUT", "Contact", body, custom="Contact.UsrX").json()["custom"] == {}
    assert erp.simulator.contact(40).custom == {}
    body["custom"]["Contact"] = {"UsrKCReferenceID": {"value": "7"}}
    assert erp.entity("PUT", "Contact", body).status == 400


def test_null_and_blank_clear(erp: Erp) -> None:
    """A null or blank value clears a field, while a field that is null itself stays."""
    erp.put("Contact", ContactID=5, FirstName="  ", Email={"value": None})
    assert (erp.simulator.contact(5).first_name, erp.simulator.contact(5).email) == ("", "")
    erp.entity("PUT", "Contact", {"ContactID": {"value": 5}, "LastName": None})
    assert erp.simulator.contact(5).last_name == "Lee"


def test_empty_body_is_a_400(erp: Erp) -> None:
    """An empty body gets the recorded 400; so does what is not JSON, not an object, or not of the field's type."""
    response = erp.entity("PUT", "Customer")
    assert response.status == 400
    assert erp.put("Contact", ContactID=5, Active="maybe").status == 400
    assert erp.entity("PUT", "Contact", [1]).status == 400
    assert erp.entity("PUT", "Contact", {"ContactID": 5}).status == 400
    assert response.json() == sample("customer_put_400_empty_body.20.200.001.json")


def test_field_error_is_echoed(erp: Erp) -> None:
    """A value that the screen objects to is a 422: the entity, with the error in its field and on its row."""
    response = erp.put("Contact", ContactID=5, ExtRefNbr="x" * 41)
    body = response.json()
    assert response.status == 422
    assert list(body)[:3] == ["id", "rowNumber", "error"]
    assert "note" not in body
    assert body["ExtRefNbr"]["value"] == "x" * 41
    assert "41 characters" in body["ExtRefNbr"]["error"]
    assert "error" not in body["LastName"]
    assert erp.simulator.contact(5).reference_number == ""
    recorded = sample("bill_put_422_field_and_row_errors.20.200.001.json")
    assert list(recorded)[:3] == list(body)[:3]
    assert set(recorded["Details"][0]["Project"]) == set(body["ExtRefNbr"])


def test_long_custom_value_is_a_422(erp: Erp) -> None:
    """A custom value that is too long for its field is a 422 too, and nothing is stored."""
    body = {
        "ContactID": {"value": 5},
        "custom": {"Contact": {"UsrKCReferenceID": {"type": "CustomStringField", "value": "x" * 41}}},
    }
    response = erp.entity("PUT", "Contact", body, custom=CONTACT_REFERENCE)
    assert response.status == 422
    assert "error" in response.json()["custom"]["Contact"]["UsrKCReferenceID"]
    assert erp.simulator.contact(5).custom[CONTACT_REFERENCE] == "42"


def test_missing_account_or_name_is_a_422(erp: Erp) -> None:
    """A contact needs a last name, and an account that exists."""
    assert erp.put("Contact", FirstName="Ann").json()["LastName"]["error"]
    response = erp.put("Contact", ContactID=5, BusinessAccount="NOBODY")
    assert response.status == 422
    assert "NOBODY" in response.json()["BusinessAccount"]["error"]
    assert erp.put("CustomerLocation", Customer="NOBODY", LocationID="X").status == 422
    assert erp.simulator.contact(5).customer == "ABAKERY"


def test_any_email_is_taken(erp: Erp) -> None:
    """The ERP takes any text as e-mail."""
    assert erp.put("Contact", ContactID=5, Email="a; b@@c").json()["Email"] == {"value": "a; b@@c"}


def test_primary_is_read_only(erp: Erp) -> None:
    """The primary contact sent in a PUT is ignored in silence, and so are composed fields and stamps."""
    response = erp.put(
        "Customer",
        CustomerID="ABAKERY",
        PrimaryContactID=40,
        PrimaryContact={"ContactID": {"value": 40}},
        LastModifiedDateTime="2020-01-01T00:00:00+00:00",
    )
    assert response.json()["PrimaryContactID"] == {}
    assert response.json()["LastModifiedDateTime"] == {"value": "2026-03-01T09:00:00+00:00"}
    assert erp.put("Contact", ContactID=5, DisplayName="Nobody").json()["DisplayName"] == {"value": "Ann Lee"}


def test_linked_change_leaves_the_stamp() -> None:
    """A change of a main contact or an address does not move the record's stamp, except by switch."""
    for moves in (False, True):
        erp = furnish(make(linked_moves_stamp=moves))
        erp.clock.on(minutes=5)
        erp.put("Customer", CustomerID="ABAKERY", MainContact={"Email": {"value": "new@bakery.example"}})
        erp.entity(
            "PUT",
            "CustomerLocation",
            {
                **cells({"Customer": "ABAKERY", "LocationID": "MAIN"}),
                "LocationContact": {"Address": {"City": {"value": "Austin"}}},
            },
        )
        assert erp.one("Customer/ABAKERY")["Email"] == {"value": "new@bakery.example"}
        assert erp.simulator.location("ABAKERY", "MAIN").address.city == "Austin"
        expected = START + timedelta(minutes=5 if moves else 0)
        assert erp.simulator.customer("ABAKERY").modified == expected
        assert erp.simulator.location("ABAKERY", "MAIN").modified == expected


def test_attributes_are_written(erp: Erp) -> None:
    """Attributes are written as detail rows."""
    row = {"AttributeID": {"value": "SHOP"}, "Value": {"value": "yes"}}
    erp.entity("PUT", "Contact", {"ContactID": {"value": 5}, "Attributes": [row]})
    assert erp.simulator.contact(5).attributes == {"SHOP": "yes"}


def test_attributes_are_those_of_the_class() -> None:
    """With its class's attributes known, a record has a row for each, empty or not; another is a 422."""
    erp = furnish(make(attributes={"Contact": ("SHOPID", "ROLE")}))
    body = {"ContactID": {"value": 5}, "Attributes": [cells({"AttributeID": "SHOPID", "Value": "42"})]}
    assert erp.entity("PUT", "Contact", body).status == 200
    rows = erp.one("Contact/5", expand="Attributes", select="Attributes/AttributeID,Attributes/Value")["Attributes"]
    assert [(row["AttributeID"]["value"], row["Value"].get("value")) for row in rows] == [
        ("SHOPID", "42"),
        ("ROLE", None),
    ]
    body["Attributes"] = [cells({"AttributeID": "SHOE", "Value": "42"})]
    refused = erp.entity("PUT", "Contact", body)
    assert (refused.status, erp.simulator.contact(5).attributes) == (422, {"SHOPID": "42"})
    (row,) = refused.json()["Attributes"]
    assert row["AttributeID"] == {"value": "SHOE", "error": "Attribute 'SHOE' cannot be found in the system."}
    assert list(refused.json())[-2:] == ["custom", "_links"]


def test_deleted_contact_vanishes(erp: Erp) -> None:
    """A deleted contact is in no list and not found by key, while a customer may still name it as primary."""
    erp.simulator.set_primary("ABAKERY", 5)
    assert erp.entity("DELETE", "Contact/5").status == 204
    assert erp.keys("Contact") == [40, 300]
    assert erp.get("Contact/5").status == 500
    assert erp.entity("DELETE", "Contact/5").status == 500
    row = erp.one("Customer/ABAKERY", expand="PrimaryContact,Contacts")
    assert row["PrimaryContactID"] == {"value": 5}
    assert row["PrimaryContact"]["LastName"] == {"value": "Lee"}
    assert [one["ContactID"]["value"] for one in row["Contacts"]] == [40]
    assert erp.entity("DELETE", "Contact").status == 405


def test_locations_and_customers_are_deleted(erp: Erp) -> None:
    """A location is deleted by its two keys, a customer by its one."""
    assert erp.entity("DELETE", "CustomerLocation/ABAKERY/DEPOT").status == 204
    assert erp.entity("DELETE", "Customer/CMILL").status == 204
    assert erp.keys("CustomerLocation", filter="Customer eq 'ABAKERY'") == ["MAIN"]
    assert erp.keys("Customer") == ["ABAKERY", "bcorp"]
