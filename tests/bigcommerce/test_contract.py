"""Requests held against the vendor's specification, where that is present."""

from pathlib import Path
from typing import Any

import pytest

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
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
    StorefrontID,
    UserID,
)
from tests.bigcommerce.conftest import Shop, listed, one, user_row

SPECIFICATION = Path(__file__).parents[3] / "shared" / "openapi" / "bigcommerce" / "b2b_merged.yaml"
COMPANY = CompanyID(StorefrontID("5"))
OTHER = CompanyID(StorefrontID("6"))
PLACE = PostalAddress(line1="1 Main", city="Austin", state="TX", country="US", postal_code="1")
PERSON = DesiredUser(
    contact=ContactID("K1"),
    external_id=NoteID("n"),
    email="a@example.com",
    first_name="Ann",
    last_name="Lee",
    phone="5",
    extra_fields=(("Title", "CEO"),),
)
NEW_COMPANY = CreateCompany(
    company=DesiredCompany(
        customer=CustomerID("C1"), external_id=NoteID("n"), name="N", email="n@example.com", phone="1", address=PLACE
    ),
    admin=PERSON,
    role="Admin",
)
NEW_USER = CreateUser(company=COMPANY, user=PERSON, role="Junior Buyer")
PLACED = DesiredAddress(
    location=LocationID("L1"), external_id=NoteID("n"), label="Dock", first_name="Ann", last_name="Lee", address=PLACE
)
NEW_ADDRESS = CreateAddress(company=COMPANY, address=PLACED)
CHANGES = (("email", "b@example.com"), ("phone", "1"), ("external_id", "n"))


@pytest.fixture(scope="module")
def validate() -> Any:
    """Return what holds a body against the specification of its route."""
    yaml = pytest.importorskip("yaml")
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing.jsonschema")
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not part of the project")
    loaded = yaml.load(SPECIFICATION.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    resource = referencing.DRAFT202012.create_resource(loaded)
    registry = pytest.importorskip("referencing").Registry().with_resource("urn:b2b", resource)

    def check(method: str, path: str, body: object) -> None:
        pointer = f"/api/v3/io/{path}".replace("/", "~1")
        schema = {"$ref": f"urn:b2b#/paths/{pointer}/{method}/requestBody/content/application~1json/schema"}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(body)

    return check


@pytest.mark.parametrize(
    ("actions", "route", "template"),
    [
        ([NEW_COMPANY], "POST companies", "companies"),
        ([NEW_COMPANY] * 2, "POST companies/bulk", "companies/bulk"),
        ([NEW_USER], "POST users", "users"),
        ([NEW_USER] * 2, "POST users/bulk", "users/bulk"),
        ([NEW_ADDRESS], "POST addresses", "addresses"),
        ([NEW_ADDRESS] * 2, "POST addresses/bulk", "addresses/bulk"),
        (
            [UpdateCompany(company=COMPANY, customer=CustomerID("C1"), changes=(("name", "N"), *CHANGES))],
            "PUT companies/5",
            "companies/{companyId}",
        ),
        (
            [UpdateCompany(company=each, customer=CustomerID("C1"), changes=CHANGES[:2]) for each in (COMPANY, OTHER)],
            "PUT companies/bulk",
            "companies/bulk",
        ),
        (
            [UpdateCompany(company=COMPANY, customer=CustomerID("C1"), changes=(("active", "no"),))],
            "PUT companies/5/status",
            "companies/{companyId}/status",
        ),
        (
            [UpdateUser(company=COMPANY, user=UserID(COMPANY), contact=ContactID("K1"), changes=CHANGES)],
            "PUT users/5",
            "users/{userId}",
        ),
        (
            [SetRole(company=COMPANY, user=UserID(COMPANY), contact=None, role="Primary Admin")],
            "PUT users/5",
            "users/{userId}",
        ),
        (
            [UpdateAddress(company=COMPANY, id=AddressID(COMPANY), address=PLACED)],
            "PUT addresses/5",
            "addresses/{addressId}",
        ),
    ],
)
def test_requests(shop: Shop, validate: Any, actions: list[Action], route: str, template: str) -> None:
    """Every write is of the documented shape."""
    shop.on("GET states", one(stateName="Texas")).on("GET countries", one(countryName="United States"))
    shop.on("GET companies", listed()).on("GET users", listed(user_row(1))).on("GET addresses", listed())
    shop.on("GET users/5", one(**user_row(5))).on(route, one(companyId=5, userId=5, addressId=5))
    shop.ask(lambda client: client.perform(actions))
    bodies = shop.bodies(route)
    assert bodies
    for body in bodies:
        validate(route.partition(" ")[0].lower(), template, body)
