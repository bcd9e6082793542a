from acumatica_b2b.simulators.acumatica import ENABLED
from tests.simulators.acumatica.conftest import Erp, exception, furnish, make, sample


def test_lists_come_in_the_order_of_keys(erp: Erp) -> None:
    """Lists are ordered by key: numbers as numbers, texts whatever the case."""
    assert erp.keys("Contact") == [5, 40, 300]
    assert erp.keys("Customer") == ["ABAKERY", "bcorp", "CMILL"]
    assert erp.keys("CustomerLocation") == ["DEPOT", "MAIN", "MAIN"]


def test_skip_comes_before_top(erp: Erp) -> None:
    """`$skip` is applied before `$top`, rows are numbered from 1, `$orderby` is ignored."""
    rows = erp.rows("Contact", skip="1", top="1", orderby="LastName desc")
    assert [(row["ContactID"]["value"], row["rowNumber"]) for row in rows] == [(40, 1)]
    assert erp.rows("Contact", top="0") == []
    assert erp.get("Contact", top="-1").status == 500


def test_list_without_a_match_is_empty(erp: Erp) -> None:
    """A list that nothing fits is `[]`, while a missing record is a 500."""
    assert erp.rows("Contact", filter="ContactID eq 6") == []
    recorded = ("No entity satisfies the condition.", "NoEntitySatisfiesTheConditionException")
    assert exception(erp.get("Contact/6")) == (500, *recorded)
    body = sample("error_500_bodies.json")["missing_record_by_key"]["body"]
    assert erp.get("Contact/6").json() == body


def test_records_are_found_by_key_and_by_id(erp: Erp) -> None:
    """A record is read by its keys in the path, joined by a bar, or by its lasting id."""
    location = erp.one("CustomerLocation/ABAKERY/main")
    assert location["LocationName"] == {"value": "Shop"}
    assert erp.one("CustomerLocation/ABAKERY|MAIN") == location
    assert erp.one(f"CustomerLocation/{location['id'].upper()}") == location
    assert location["NoteID"] == {"value": location["id"]}
    for path in ("Contact/abc", "Customer/nobody", "CustomerLocation/ABAKERY", f"Contact/{location['id']}"):
        assert exception(erp.get(path))[2] == "NoEntitySatisfiesTheConditionException"


def test_select_leaves_out_the_rest(erp: Erp) -> None:
    """`$select` leaves head, custom and the fields named; nested paths need their `$expand`."""
    row = erp.one("Customer/ABAKERY", select="CustomerID,MainContact/Email", expand="MainContact")
    assert set(row) == {"id", "rowNumber", "note", "CustomerID", "MainContact", "custom", "_links"}
    assert set(row["MainContact"]) == {"id", "rowNumber", "note", "Email", "custom"}
    assert row["MainContact"]["Email"] == {"value": "office@bakery.example"}
    assert "MainContact" not in erp.one("Customer/ABAKERY", select="CustomerID,MainContact/Email")


def test_linked_entities_need_expand(erp: Erp) -> None:
    """A linked entity comes only when expanded, and what it links to only when that is expanded too."""
    assert "MainContact" not in erp.one("Customer/ABAKERY")
    contact = erp.one("Customer/ABAKERY", expand="MainContact")["MainContact"]
    assert contact["CompanyName"] == {"value": "A Bakery"}
    assert "Address" not in contact
    row = erp.one("Customer/ABAKERY", expand="MainContact,MainContact/Address")
    assert row["MainContact"]["Address"]["City"] == {"value": "Bellevue"}
    place = erp.one("CustomerLocation/ABAKERY/MAIN", expand="LocationContact,LocationContact/Address")
    assert place["LocationContact"]["Address"]["PostalCode"] == {"value": "98004"}


def test_billing_contact_is_the_main_one_unless_overridden(erp: Erp) -> None:
    """Billing and shipping contact repeat the main contact until their override is on."""
    row = erp.one("Customer/ABAKERY", expand="BillingContact,ShippingContact,ShippingContact/Address")
    assert row["BillingContact"]["Email"] == {"value": "office@bakery.example"}
    assert row["ShippingContact"]["Address"]["City"] == {"value": "Bellevue"}
    erp.put("Customer", CustomerID="ABAKERY", BillingContactOverride=True)
    assert erp.one("Customer/ABAKERY", expand="BillingContact")["BillingContact"]["Email"] == {}


def test_grid_of_contacts_is_thin(erp: Erp) -> None:
    """The contacts of a customer have no NoteID, no account and no custom fields; their row ids do not last."""
    query = {"expand": "Contacts,Contacts/Contact", "custom": ENABLED}
    rows = erp.one("Customer/ABAKERY", **query)["Contacts"]
    assert [row["ContactID"]["value"] for row in rows] == [5, 40]
    assert rows[0]["Contact"]["Email"] == {"value": "ann@bakery.example"}
    assert rows[0]["Contact"]["NoteID"] == rows[0]["Contact"]["BusinessAccount"] == rows[0]["custom"] == {}
    erp.log_in()
    assert erp.one("Customer/ABAKERY", **query)["Contacts"][0]["id"] != rows[0]["id"]


def test_unknown_names_are_errors(erp: Erp) -> None:
    """An unknown or wrongly cased field in select, expand or filter is a 500."""
    for query in ({"select": "email"}, {"expand": "Nobody"}, {"filter": "contactid eq 5"}, {"filter": "Address eq 5"}):
        assert erp.get("Contact", **query).status == 500


def test_list_names_what_cannot_be_optimised() -> None:
    """A list that shows or filters by a field with a delegate is a 500 naming it; by key it is read."""
    erp = furnish(make(unoptimised={"Customer": {"PrimaryContact": "PrimaryContactCurrent", "Terms": "Customers"}}))
    expected = "Optimization cannot be performed.The following fields cause the error:\r\n"
    assert exception(erp.get("Customer"))[1:] == (
        f"{expected}Terms: View Customers has BQL delegate\r\n",
        "CannotOptimizeException",
    )
    query = {"select": "CustomerID,PrimaryContact/ContactID"}
    assert "PrimaryContact:" in exception(erp.get("Customer", **query, expand="PrimaryContact"))[1]
    assert erp.get("Customer", select="CustomerID", filter="PrimaryContact/ContactID eq 5").status == 500
    assert erp.get("Customer", select="CustomerID").status == 200
    assert erp.get("Customer/ABAKERY", **query, expand="PrimaryContact").status == 200


def test_module_that_was_never_set_up() -> None:
    """By switch an entity whose module was not configured answers 500, naming the form with what is missing."""
    erp = furnish(make(not_set_up=frozenset({"Customer"})))
    status, text, kind = exception(erp.get("Customer"))
    assert (status, kind) == (500, "PXSetupNotEnteredException")
    assert "Accounts Receivable Preferences" in text
    assert erp.get("Contact").status == 200
