"""Endpoints of the tenant's own: more fields and detail rows than Default has."""

from typing import Any

import pytest

from acumatica_b2b.simulators import ContactRow, CustomKind
from acumatica_b2b.simulators.acumatica import ENABLED, AddedDetail, AddedField, CustomEndpoint, DetailRow
from tests.simulators.acumatica.conftest import Erp, cells, furnish, make

SITES = AddedDetail(
    name="SiteAssociations",
    entity="SiteAssociation",
    fields=(
        AddedField(name="SiteName"),
        AddedField(name="Enabled", kind=CustomKind.BOOLEAN),
        AddedField(name="ConnectionType"),
    ),
)
ENDPOINT = CustomEndpoint(
    name="Shop",
    version="1.0",
    extends="24.200.001",
    fields={"Contact": (AddedField(name="CommerceEnabled", kind=CustomKind.BOOLEAN, shows=ENABLED),)},
    details={"Contact": (SITES,)},
)
ROWS: tuple[DetailRow, ...] = (
    {"SiteName": "US", "Enabled": True, "ConnectionType": "B2B"},
    {"SiteName": "EU", "Enabled": False},
)


@pytest.fixture
def erp() -> Erp:
    erp = furnish(make(endpoints=(ENDPOINT,)))
    erp.endpoint = "Shop/1.0"
    erp.simulator.put_contact(ContactRow(id=6, customer="ABAKERY", last_name="Doe", details={"SiteAssociations": ROWS}))
    return erp


def sites(erp: Erp, number: int = 6) -> list[dict[str, Any]]:
    rows = erp.one(f"Contact/{number}", expand="SiteAssociations")["SiteAssociations"]
    return [{name: row[name].get("value") for name in ("SiteName", "Enabled", "ConnectionType")} for row in rows]


def test_own_endpoint_is_listed_to_the_signed_in(erp: Erp) -> None:
    """`GET /entity` names the tenant's own endpoints to who is signed in, and to nobody else."""

    def names() -> set[str]:
        return {one["name"] for one in erp.ask("GET", "entity").json()["endpoints"]}

    assert names() == {"Default", "Shop"}
    erp.cookies.clear()
    assert names() == {"Default"}


def test_added_field_shows_the_custom_one(erp: Erp) -> None:
    """A field that the endpoint adds stands among the others by name, and is the custom field under another name."""
    found = erp.one("Contact/5")
    assert found["CommerceEnabled"] == {"value": True}
    assert list(found).index("CommerceEnabled") == list(found).index("CompanyName") - 1
    assert erp.keys("Contact", filter="CommerceEnabled eq true") == [5]
    erp.put("Contact", ContactID=5, CommerceEnabled=False)
    assert erp.simulator.contact(5).custom[ENABLED] is False


def test_added_field_is_not_in_default(erp: Erp) -> None:
    """Default knows nothing of what the endpoint adds, and the endpoint has what its version of Default has."""
    assert erp.get("Contact", select="CommerceEnabled").status == 200
    erp.endpoint = ""
    assert erp.get("Contact", select="CommerceEnabled").status == 500
    assert "CommerceEnabled" not in erp.one("Contact/5")


def test_detail_rows_are_read(erp: Erp) -> None:
    """Detail rows come with `$expand`, one by one or in a list, and `$select` picks their fields."""
    assert sites(erp) == [
        {"SiteName": "US", "Enabled": True, "ConnectionType": "B2B"},
        {"SiteName": "EU", "Enabled": False, "ConnectionType": None},
    ]
    query = {"expand": "SiteAssociations", "select": "ContactID,SiteAssociations/SiteName"}
    row = erp.rows("Contact", filter="ContactID eq 6", **query)[0]["SiteAssociations"][0]
    assert (row["SiteName"], "Enabled" in row, row["custom"]) == ({"value": "US"}, False, {})
    assert "SiteAssociations" not in erp.one("Contact/6")


def test_detail_rows_are_written(erp: Erp) -> None:
    """A detail row is found by its id or its key, else added; `delete` removes it; the rest stays."""
    first = erp.one("Contact/6", expand="SiteAssociations")["SiteAssociations"][0]["id"]
    changes = [
        {"id": first, **cells({"ConnectionType": "B2C"})},
        cells({"SiteName": "EU", "Enabled": True}),
        cells({"SiteName": "UK"}),
    ]
    erp.put("Contact", ContactID=6)
    body = {"ContactID": {"value": 6}, "SiteAssociations": changes}
    assert erp.entity("PUT", "Contact", body).status == 200
    assert [(row["SiteName"], row["Enabled"], row["ConnectionType"]) for row in sites(erp)] == [
        ("US", True, "B2C"),
        ("EU", True, None),
        ("UK", None, None),
    ]
    body["SiteAssociations"] = [{"delete": True, **cells({"SiteName": "US"})}]
    erp.entity("PUT", "Contact", body)
    assert [row["SiteName"] for row in sites(erp)] == ["EU", "UK"]
    assert erp.simulator.contact(6).details["SiteAssociations"][0]["Enabled"] is True


def test_own_endpoint_describes_itself(erp: Erp) -> None:
    """Its OpenAPI document and its schema of custom fields name what it adds."""
    schemas = erp.ask("GET", "entity/Shop/1.0/swagger.json").json()["components"]["schemas"]
    assert {"CommerceEnabled", "SiteAssociations"} <= set(schemas["Contact"]["allOf"][1]["properties"])
    assert set(schemas["SiteAssociation"]["allOf"][1]["properties"]) == {"SiteName", "Enabled", "ConnectionType"}
    skeleton = erp.one("Contact/$adHocSchema")
    assert (skeleton["CommerceEnabled"], skeleton["SiteAssociations"]) == ({}, [])


def test_links_lead_back_to_the_endpoint(erp: Erp) -> None:
    """The links of a record are those of the endpoint that it was read through."""
    found = erp.one("Contact/6")
    assert found["_links"]["self"] == f"/Site/entity/Shop/1.0/Contact/{found['id']}"
