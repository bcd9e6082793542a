import json

import pytest

from tests.simulators.acumatica.conftest import (
    SAMPLES,
    Erp,
    furnish,
    make,
)


def test_versions_are_listed_without_sign_in() -> None:
    """`GET /entity` names build and endpoints, below the instance's name; older builds give a bare array."""
    body = make().ask("GET", "entity").json()
    assert body["endpoints"][-1] == {
        "name": "Default",
        "version": "25.200.001",
        "href": "/Site/entity/Default/25.200.001/",
    }
    assert set(body["version"]) == {"acumaticaBuildVersion", "databaseVersion"}
    assert make(bare_versions=True).ask("GET", "entity").json() == body["endpoints"]


@pytest.mark.parametrize(
    "path", ["entity/Default/19.200.001/Contact", "entity/Other/24.200.001/Contact", "entity/Default/24.200.001/Shoe"]
)
def test_unknown_endpoint_or_entity_is_404(erp: Erp, path: str) -> None:
    """An unknown endpoint, version or entity is a 404; so is an action that nobody defined."""
    assert erp.ask("GET", path).status == 404
    assert erp.entity("POST", "Contact/Nonsense", {}).status == 404


def test_versions_served_are_chosen() -> None:
    """A version that the instance does not serve is a 404."""
    erp = furnish(make(versions=("22.200.001",)))
    assert erp.get("Contact").status == 404
    erp.version = "22.200.001"
    assert erp.get("Contact").status == 200


def test_documents_are_served_as_given() -> None:
    """A document that the instance was given, such as an OpenAPI file, is served without a sign-in."""
    erp = make(documents={"Default/24.200.001/swagger.json": b"{}"})
    assert erp.ask("GET", "entity/Default/24.200.001/swagger.json").body == b"{}"
    assert erp.ask("GET", "entity/Default/22.200.001/swagger.json").status == 401


def test_endpoint_describes_itself(erp: Erp) -> None:
    """Where no document was given, an endpoint has one of its own, in which every reference leads somewhere."""
    body = erp.ask("GET", "entity/Default/24.200.001/swagger.json").json()
    assert body["openapi"].startswith("3.")
    rooms = body["components"]
    texts = [part.split('"')[0] for part in json.dumps(body).split("#/components/")[1:]]
    assert all(name in rooms[room] for room, name in (text.split("/") for text in texts))
    assert body["paths"]["/Contact"]["put"]["operationId"] == "Contact_PutEntity"
    answered = erp.one("Contact/5", expand="Address,Attributes")
    described = rooms["schemas"]["Contact"]["allOf"][1]["properties"]
    assert set(answered) - set(described) == {"id", "rowNumber", "note", "custom", "_links"}


def test_document_is_that_of_its_version(erp: Erp) -> None:
    """The document of an older version lacks what later ones added."""
    found = {
        version: erp.ask("GET", f"entity/Default/{version}/swagger.json").json()["components"]["schemas"]
        for version in ("22.200.001", "24.200.001")
    }
    fields = {version: schemas["Customer"]["allOf"][1]["properties"] for version, schemas in found.items()}
    assert "PrimaryContactID" in fields["24.200.001"]
    assert "PrimaryContactID" not in fields["22.200.001"]


def test_broken_metadata_redirects() -> None:
    """By switch every entity URL redirects to an error page, as with damaged metadata in 26.x."""
    response = make(broken_metadata=True).ask("GET", "entity")
    assert (response.status, response.header("Location")) == (302, "/Site/ui/error")


def test_forbidden_entity_is_403() -> None:
    """An entity whose screen is out of bounds is a 403 that names the screen."""
    erp = furnish(make(forbidden=frozenset({"Customer"})))
    assert erp.get("Customer").status == 403
    assert "AR303000" in erp.get("Customer").json()["message"]
    assert erp.get("Contact").status == 200


@pytest.mark.parametrize(
    ("entity", "name", "since"),
    [
        ("Customer", "PrimaryContactID", "23.200.001"),
        ("Customer", "CustomerCategory", "23.200.001"),
        ("Customer", "Email", "23.200.001"),
        ("Customer", "NoteID", "22.200.001"),
        ("CustomerLocation", "NoteID", "22.200.001"),
        ("CustomerLocation", "Default", "23.200.001"),
        ("CustomerLocation", "Status", "23.200.001"),
        ("Contact", "ExtRefNbr", "24.200.001"),
        ("Contact", "NoteID", "20.200.001"),
    ],
)
def test_fields_depend_on_the_version(erp: Erp, entity: str, name: str, since: str) -> None:
    """A field comes back from the version on that introduced it; before that, naming it is an error."""
    for version in erp.simulator.settings.versions:
        erp.version = version
        assert (name in erp.rows(entity)[0]) is (erp.version >= since)
        assert erp.get(entity, select=name).status == (200 if erp.version >= since else 500)
        wanted = f"{name} ne null"
        assert erp.get(entity, filter=wanted).status == (200 if erp.version >= since else 500)


def test_fields_are_those_of_the_vendors_definition(erp: Erp) -> None:
    """Every field that the vendor's endpoint definition has comes back, and no other."""
    path = SAMPLES.parents[1] / "openapi" / "acumatica" / "contact_customer_fields.derived.json"
    if not path.exists():
        pytest.skip("the vendor's definitions are not here")
    for version, entities in json.loads(path.read_text(encoding="utf-8")).items():
        erp.version = version
        for entity in ("Contact", "Customer", "CustomerLocation"):
            declared = {name for name, kind in entities[entity]["fields"].items() if kind.endswith("Value")}
            assert set(erp.rows(entity)[0]) - {"id", "rowNumber", "note", "custom", "_links"} == declared
