import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.http import Headers, Request, Response, Transport, at, json_body
from acumatica_b2b.model import UNSET
from acumatica_b2b.simulators import (
    AcumaticaSettings,
    AcumaticaSimulator,
    AddressRow,
    ContactRow,
    CustomerRow,
    CustomField,
    LocationRow,
    dataset,
)
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE, ENABLED
from acumatica_b2b.simulators.acumatica.filters import Scope, candidates
from acumatica_b2b.simulators.acumatica.odata import parse
from acumatica_b2b.simulators.acumatica.state import collate

ROOT = "http://erp.example/Site"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "acumatica"
START = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
CREDENTIALS = {"name": "sync", "password": "secret", "tenant": "Company"}


@define
class Clock:
    """A clock that a test moves."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def on(self, **span: float) -> None:
        self.time += timedelta(**span)


@define
class Erp:
    """A simulator with a client that is as plain as can be: it keeps cookies and nothing else."""

    simulator: AcumaticaSimulator
    clock: Clock
    version: str = "24.200.001"
    headers: Headers = ()
    cookies: dict[str, str] = field(factory=dict[str, str])

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Headers = (),
        query: Mapping[str, str] | None = None,
    ) -> Response:
        url = at(ROOT, *path.split("/"), query={f"${name}": value for name, value in (query or {}).items()})
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = b"" if body is None else json_body(body)
        sent = (*self.headers, *headers, ("Cookie", cookie))
        return self.simulator.handle(Request(method=method, url=url, headers=sent, body=data))

    def log_in(self, **changes: str | None) -> Response:
        body = {key: value for key, value in {**CREDENTIALS, **changes}.items() if value is not None}
        response = self.ask("POST", "entity/auth/login", body)
        for line in response.header_values("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response

    def entity(self, method: str, path: str, body: object = None, headers: Headers = (), **query: str) -> Response:
        return self.ask(method, f"entity/Default/{self.version}/{path}", body, headers, query)

    def get(self, path: str, **query: str) -> Response:
        return self.ask("GET", f"entity/Default/{self.version}/{path}", query=query)

    def rows(self, entity: str, **query: str) -> list[dict[str, Any]]:
        response = self.get(entity, **query)
        assert response.status == 200, response.body
        return cast("list[dict[str, Any]]", response.json())

    def keys(self, entity: str, **query: str) -> list[object]:
        name = {"Customer": "CustomerID", "Contact": "ContactID", "CustomerLocation": "LocationID"}[entity]
        return [row[name]["value"] for row in self.rows(entity, select=name, **query)]

    def one(self, path: str, **query: str) -> dict[str, Any]:
        response = self.get(path, **query)
        assert response.status == 200, response.body
        return cast("dict[str, Any]", response.json())

    def put(self, entity: str, headers: Headers = (), **values: object) -> Response:
        return self.entity("PUT", entity, cells(values), headers)


def cells(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, dict) else {"value": value} for name, value in values.items()}


def make(**changes: Any) -> Erp:
    clock = Clock()
    return Erp(AcumaticaSimulator(settings=AcumaticaSettings(**changes), now=clock), clock)


def furnish(erp: Erp) -> Erp:
    erp.log_in()
    address = AddressRow(line1="1 Main St", city="Bellevue", state="WA", postal_code="98004", country="US")
    tenant = erp.simulator
    tenant.put_customer(
        CustomerRow(id="ABAKERY", name="A Bakery", email="office@bakery.example", phone="555-0100", address=address)
    )
    tenant.put_customer(CustomerRow(id="bcorp", name="B Corp", customer_class="KEY"))
    tenant.put_customer(CustomerRow(id="CMILL", name="C Mill", status="Inactive"))
    tenant.put_contact(
        ContactRow(
            id=5,
            customer="ABAKERY",
            first_name="Ann",
            last_name="Lee",
            email="ann@bakery.example",
            custom={ENABLED: True, CONTACT_REFERENCE: "42"},
        )
    )
    tenant.put_contact(ContactRow(id=40, customer="ABAKERY", first_name="Bo", last_name="O'Neil"))
    tenant.put_contact(ContactRow(id=300, customer="bcorp", last_name="Zed", email="zed@corp.example", active=False))
    tenant.put_location(LocationRow(id="MAIN", customer="ABAKERY", name="Shop", default=True, address=address))
    tenant.put_location(LocationRow(id="MAIN", customer="bcorp", name="Plant"))
    tenant.put_location(LocationRow(id="DEPOT", customer="ABAKERY", name="Depot"))
    return erp


@pytest.fixture
def erp() -> Erp:
    return furnish(make())


def exception(response: Response) -> tuple[int, str, str]:
    body = response.json()
    return response.status, body["exceptionMessage"], body["exceptionType"].rpartition(".")[2]


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the recorded samples are not here")
    return json.loads(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------ sign-in
def test_sign_in_sets_each_cookie_twice() -> None:
    """A sign-in answers 204 with every cookie twice, the session's one httponly and not secure over plain http."""
    response = make().log_in()
    cookies = response.header_values("Set-Cookie")
    assert response.status == 204
    assert [name.partition("=")[0] for name in cookies[::2]] == [name.partition("=")[0] for name in cookies[1::2]]
    assert "ASP.NET_SessionId" in cookies[2]
    assert "HttpOnly" in cookies[2]
    assert not any("secure" in cookie for cookie in cookies)


def test_cookies_have_the_recorded_names() -> None:
    """The cookies of a sign-in have the names and attributes of the recorded ones, in their order."""
    recorded = sample("login_logout_headers.json")["login_204"]["headers"]["Set-Cookie"]
    expected = [re.sub(r"=[^;]*", "", line, count=1) for line in recorded if not line.startswith("request")]
    erp = make()
    cookies = erp.simulator.handle(
        Request(method="POST", url="https://erp.example/entity/auth/login", body=json_body(CREDENTIALS))
    ).header_values("set-cookie")
    found = [re.sub(r"=[^;]*", "", line, count=1) for line in cookies]
    dates = re.compile(r"expires=[^;]*")
    assert [dates.sub("", line) for line in found] == [dates.sub("", line) for line in expected]


def test_sign_in_reads_a_form() -> None:
    """A sign-in may be sent as a form."""
    simulator = make().simulator
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    body = urlencode(CREDENTIALS).encode()
    url = f"{ROOT}/entity/auth/login"
    assert simulator.handle(Request(method="POST", url=url, headers=headers, body=body)).status == 204


def test_wrong_password_is_a_500() -> None:
    """A wrong password gets the recorded 500, not a 401."""
    expected = (500, "Error: Invalid credentials. Please try again.", "PXException")
    assert exception(make().log_in(password="wrong")) == expected
    recorded = sample("login_500_invalid_credentials.json")
    assert (500, recorded["exceptionMessage"], recorded["exceptionType"].rpartition(".")[2]) == expected


def test_company_beside_tenant_is_refused() -> None:
    """Company and tenant sent together fail; the older company alone works."""
    assert make().log_in(company="Company").status == 500
    assert make().log_in(company="Company", tenant=None).status == 204


def test_unknown_tenant_matters_with_several_only() -> None:
    """A single tenant accepts any name; several refuse an unknown one and take the first for none."""
    assert make().log_in(tenant="Elsewhere").status == 204
    several = make(tenants=("East", "West"))
    assert exception(several.log_in(tenant="North"))[2] == "PXUndefinedCompanyException"
    several.log_in(tenant="west")
    assert several.cookies["CompanyID"] == "West"
    several.log_in(tenant=None)
    assert several.cookies["CompanyID"] == "East"


def test_last_seat_taken_refuses_the_next() -> None:
    """With all seats taken a sign-in is a 500 "API Login Limit"; after a sign-out it works again."""
    erp = make(seats=2)
    erp.log_in()
    erp.log_in()
    assert exception(erp.log_in())[:2] == (500, "API Login Limit")
    assert erp.ask("POST", "entity/auth/logout").status == 204
    assert erp.simulator.open_sessions == 1
    assert erp.log_in().status == 204


def test_session_ends_after_ten_idle_minutes(erp: Erp) -> None:
    """A session lives for ten minutes after its last request; then requests get 401 and the seat is free."""
    erp.clock.on(minutes=9)
    assert erp.get("Contact/5").status == 200
    erp.clock.on(minutes=9)
    assert erp.get("Contact/5").status == 200
    erp.clock.on(minutes=10)
    assert erp.get("Contact/5").status == 401
    assert erp.simulator.open_sessions == 0


def test_sign_out_ends_the_session(erp: Erp) -> None:
    """After a sign-out the cookies are good for nothing, and the answer expires them."""
    gone = erp.ask("POST", "entity/auth/logout").header_values("set-cookie")
    assert all("1999" in cookie for cookie in gone)
    assert erp.get("Contact").status == 401


def test_session_needs_both_cookies(erp: Erp) -> None:
    """A request with only one of the two session cookies is not signed in."""
    del erp.cookies[".ASPXAUTH"]
    assert erp.get("Contact").status == 401


def test_length_is_demanded_by_switch() -> None:
    """By switch a POST without Content-Length gets 411."""
    erp = make(demands_length=True)
    assert erp.log_in().status == 411
    assert erp.ask("POST", "entity/auth/logout", None, (("Content-Length", "0"),)).status == 204


# ------------------------------------------------------------------ OAuth
def token(erp: Erp, **form: str) -> Response:
    given = {
        "grant_type": "password",
        "client_id": erp.simulator.settings.client_id,
        "client_secret": "client-secret",
        "username": "sync",
        "password": "secret",
        "scope": "api offline_access",
    }
    body = urlencode({**given, **form}).encode()
    return erp.simulator.handle(Request(method="POST", url=f"{ROOT}/identity/connect/token", body=body))


def bearer(response: Response) -> Headers:
    return (("Authorization", f"Bearer {response.json()['access_token']}"),)


def test_password_grant_gives_an_hour() -> None:
    """A password grant gives a bearer token for 3600 s, with the keys of the documented answer."""
    erp = furnish(make())
    erp.cookies.clear()
    answer = token(erp)
    assert answer.json() | {"access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
        "refresh_token": "",
        "scope": "api offline_access",
    }
    assert erp.entity("GET", "Contact/5", None, bearer(answer)).status == 200
    erp.clock.on(seconds=3600)
    assert erp.entity("GET", "Contact/5", None, bearer(answer)).status == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"password": "wrong"}, "invalid_grant"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"),
    ],
)
def test_token_endpoint_names_the_error(form: dict[str, str], error: str) -> None:
    """The token endpoint answers 400 with OAuth's error code; there are no client credentials."""
    response = token(make(), **form)
    assert (response.status, response.json()) == (400, {"error": error})


def test_refresh_token_rotates() -> None:
    """A refresh gives a new refresh token, and the old one is void."""
    erp = make()
    first = token(erp).json()["refresh_token"]
    second = token(erp, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert token(erp, grant_type="refresh_token", refresh_token=first).status == 400
    assert token(erp, grant_type="refresh_token", refresh_token=second).status == 200


def test_refresh_token_lasts_thirty_days() -> None:
    """A refresh token is void after thirty days."""
    erp = make()
    refresh = token(erp).json()["refresh_token"]
    erp.clock.on(days=30)
    assert token(erp, grant_type="refresh_token", refresh_token=refresh).status == 400


def test_offline_grant_takes_one_seat() -> None:
    """A grant with offline access takes one seat, which its refreshed tokens share."""
    erp = make()
    first = token(erp)
    assert erp.simulator.open_sessions == 0
    erp.entity("GET", "Contact", None, bearer(first))
    second = token(erp, grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    erp.entity("GET", "Contact", None, bearer(second))
    assert erp.simulator.open_sessions == 1


def test_api_scope_takes_a_seat_a_token() -> None:
    """With scope api alone every token takes a seat, and keeps it for its hour unless signed out."""
    erp = make()
    for answer in (token(erp, scope="api"), token(erp, scope="api")):
        assert "refresh_token" not in answer.json()
        erp.entity("GET", "Contact", None, bearer(answer))
    erp.clock.on(minutes=59)
    assert erp.simulator.open_sessions == 2
    erp.clock.on(minutes=1)
    assert erp.simulator.open_sessions == 0


def test_concurrent_access_takes_a_seat_a_session() -> None:
    """With concurrent access every call without cookies takes another seat, until none is left."""
    erp = make(seats=2)
    answer = token(erp, scope="api:concurrent_access")
    first = erp.entity("GET", "Contact", None, bearer(answer))
    assert any("ASP.NET_SessionId" in cookie for cookie in first.header_values("set-cookie"))
    erp.entity("GET", "Contact", None, bearer(answer))
    assert exception(erp.entity("GET", "Contact", None, bearer(answer)))[1] == "API Login Limit"


def test_signing_out_with_a_bearer_frees_the_seat() -> None:
    """Signing out with a token frees its seat; using the token again opens one anew; revoking does not free it."""
    erp = make()
    answer = token(erp)
    erp.entity("GET", "Contact", None, bearer(answer))
    erp.ask("POST", "entity/auth/logout", None, bearer(answer))
    assert erp.simulator.open_sessions == 0
    assert erp.entity("GET", "Contact", None, bearer(answer)).status == 200
    form = urlencode({"token": answer.json()["access_token"]}).encode()
    erp.simulator.handle(Request(method="POST", url=f"{ROOT}/identity/connect/revocation", body=form))
    assert erp.simulator.open_sessions == 1
    assert erp.entity("GET", "Contact", None, bearer(answer)).status == 401


# ------------------------------------------------------------------ versions and routes
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


# ------------------------------------------------------------------ reading
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


# ------------------------------------------------------------------ filters
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ContactID eq 5", [5]),
        ("5 lt ContactID", [40, 300]),
        ("ContactID ge 40 and ContactID lt 300L", [40]),
        ("ContactID gt 4.5M", [5, 40, 300]),
        ("BusinessAccount eq 'abakery'", [5, 40]),
        ("BusinessAccount ge 'ABAKERY' and BusinessAccount le 'BCORP'", [5, 40, 300]),
        ("BusinessAccount gt 'ABAKERY'", [300]),
        ("BusinessAccount eq 'BCORP' or ContactID eq 5", [5, 300]),
        ("LastName eq 'O''Neil'", [40]),
        ("Email eq null", [40]),
        ("Email ne null", [5, 300]),
        ("Email ne 'x'", [5, 300]),
        ("not (Email eq 'x')", [5, 300]),
        ("not Active", [300]),
        ("Active eq false or Email eq null", [40, 300]),
        ("Active", [5, 40]),
        ("startswith(LastName,'o')", [40]),
        ("endswith(Email,'CORP.example')", [300]),
        ("substringof('e', LastName)", [5, 40, 300]),
        ("substringof('e', LastName) eq true", []),
        ("not startswith(LastName,'o')", [5, 300]),
        ("startswith(LastName,'o') eq false", [5, 300]),
        ("Status eq 'Inactive'", [300]),
        ("DisplayName eq 'Ann Lee'", [5]),
        ("cf.String(f='Contact.UsrKCReferenceID') eq '42'", [5]),
        ("cf.Boolean(f='Contact.UsrKCEnabled') eq true", [5]),
        ("cf.Boolean(f='Contact.UsrKCEnabled') eq null", [40, 300]),
        ("LastModifiedDateTime ge datetimeoffset'2026-03-01T10:00:00+01:00'", [5, 40, 300]),
        ("LastModifiedDateTime gt datetimeoffset'2026-03-01T09:00:00.0000000Z'", []),
        ("LastModifiedDateTime lt date'2026-03-02'", [5, 40, 300]),
        ("Active eq true and Active eq true or ContactID eq 300", [5, 40, 300]),
    ],
)
def test_filters(erp: Erp, text: str, found: list[int]) -> None:
    """A filter finds what the database would: texts whatever the case, empty fields neither equal nor unequal."""
    assert erp.keys("Contact", filter=text) == found


@pytest.mark.parametrize(
    "text",
    [
        "contains(Email,'x')",
        "tolower(Email) eq 'x'",
        "not substringof('x',Email)",
        "ContactID eq '5'",
        "Email eq 5",
        "Active eq 1",
        "Active gt false",
        "NoteID eq '6a47c888-0b10-4911-9fbe-7c5cf8918e20'",
        "LastModifiedDateTime gt '2026-03-01'",
        "LastModifiedDateTime gt datetimeoffset'2026-03-01T10:00:00 01:00'",
        "startswith(ContactID,'5')",
        "ContactID",
        "ContactID eq",
        "ContactID eq 5 6",
        "(ContactID eq 5",
        "ContactID eq 5 and",
        "ContactID ~ 5",
        "Attributes/Value eq 'x'",
        "cf.String(f='Contact.UsrKCEnabled') eq 'x'",
        "cf.String(f='Contact.UsrNobody') eq 'x'",
    ],
)
def test_filters_that_fail(erp: Erp, text: str) -> None:
    """A function that OData v3 lacks, a type that does not fit and a broken filter are a 500, not an empty list."""
    assert exception(erp.get("Contact", filter=text))[2] == "ODataException"


def test_filter_by_linked_fields_and_ids(erp: Erp) -> None:
    """A filter follows linked entities, and a GUID literal is `guid'…'`."""
    assert erp.keys("Customer", filter="MainContact/Email eq 'office@bakery.example'") == ["ABAKERY"]
    assert erp.keys("Customer", filter="MainContact/Address/City eq 'BELLEVUE'") == ["ABAKERY"]
    erp.simulator.set_primary("bcorp", 300)
    assert erp.keys("Customer", filter="PrimaryContact/LastName eq 'Zed'") == ["bcorp"]
    note = erp.one("Contact/40")["id"]
    assert erp.keys("Contact", filter=f"NoteID eq guid'{note.upper()}'") == [40]
    after = "Customer gt 'ABAKERY' or (Customer eq 'ABAKERY' and LocationID gt 'DEPOT')"
    assert erp.keys("CustomerLocation", filter=after) == ["MAIN", "MAIN"]


def test_plus_in_a_query_is_a_blank(erp: Erp) -> None:
    """A plus sign that was not encoded is read as a blank, so that the moment is none."""
    query = "$filter=LastModifiedDateTime%20gt%20datetimeoffset'2026-03-01T10:00:00+01:00'"
    cookie = "; ".join(f"{name}={value}" for name, value in erp.cookies.items())
    url = f"{ROOT}/entity/Default/24.200.001/Contact?{query}"
    request = Request(method="GET", url=url, headers=(("Cookie", cookie),))
    assert erp.simulator.handle(request).status == 500
    assert erp.simulator.handle(evolve(request, url=url.replace("+", "%2B"))).status == 200


Row = Mapping[str, Any]
Check = Any
TEXTS = st.sampled_from(["", "a", "B", "ab", "Ba", "b_1", "it's", "Ann "])
NUMBERS = st.integers(1, 6)
FIELDS = {"ContactID": NUMBERS, "LastName": TEXTS, "BusinessAccount": TEXTS, "Active": st.booleans()}
OPERATORS: Mapping[str, Any] = {
    "eq": lambda one, two: one == two,
    "ne": lambda one, two: one != two,
    "lt": lambda one, two: one < two,
    "le": lambda one, two: one <= two,
    "gt": lambda one, two: one > two,
    "ge": lambda one, two: one >= two,
}


def literal(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def comparable(value: Any) -> Any:
    """Order texts as the oracle understands the database: no case, no blanks behind, punctuation first."""
    if not isinstance(value, str):
        return value
    return [(char.isalnum(), char) for char in value.rstrip().lower()]


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Check]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    value = draw(FIELDS[name])
    operator = draw(st.sampled_from(["eq", "ne"] if name == "Active" else sorted(OPERATORS)))

    def check(row: Row) -> bool | None:
        return None if row[name] is None else OPERATORS[operator](comparable(row[name]), comparable(value))

    return f"{name} {operator} {literal(value)}", check


@st.composite
def nulls(draw: st.DrawFn) -> tuple[str, Check]:
    name = draw(st.sampled_from(["LastName", "BusinessAccount"]))
    operator = draw(st.sampled_from(["eq", "ne"]))
    return f"{name} {operator} null", lambda row: (row[name] is None) is (operator == "eq")


def _and(one: Check, two: Check) -> Check:
    def check(row: Row) -> bool | None:
        values = {one(row), two(row)}
        return False if False in values else None if None in values else True

    return check


def _or(one: Check, two: Check) -> Check:
    def check(row: Row) -> bool | None:
        values = {one(row), two(row)}
        return True if True in values else None if None in values else False

    return check


def _not(one: Check) -> Check:
    def check(row: Row) -> bool | None:
        value = one(row)
        return None if value is None else not value

    return check


def compound(inner: st.SearchStrategy[tuple[str, Check]]) -> st.SearchStrategy[tuple[str, Check]]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]}) and ({pair[1][0]})", _and(pair[0][1], pair[1][1]))),
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]}) or ({pair[1][0]})", _or(pair[0][1], pair[1][1]))),
        inner.map(lambda one: (f"not ({one[0]})", _not(one[1]))),
    )


FILTERS = st.recursive(st.one_of(comparisons(), nulls()), compound, max_leaves=6)
ROWS = st.lists(st.tuples(NUMBERS, TEXTS, TEXTS, st.booleans()), max_size=6, unique_by=lambda row: row[0])


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, wanted=FILTERS)
def test_filter_equals_a_predicate(rows: list[tuple[int, str, str, bool]], wanted: tuple[str, Check]) -> None:
    """A filter leaves exactly those rows for which its three-valued predicate is true."""
    text, check = wanted
    erp = make()
    erp.log_in()
    for number, last_name, customer, active in rows:
        erp.simulator.put_contact(ContactRow(id=number, last_name=last_name, customer=customer or None, active=active))
    plain = [
        {"ContactID": number, "LastName": last or None, "BusinessAccount": customer or None, "Active": active}
        for number, last, customer, active in sorted(rows)
    ]
    assert erp.keys("Contact", filter=text) == [row["ContactID"] for row in plain if check(row) is True]


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, wanted=FILTERS)
def test_index_leaves_out_no_match(rows: list[tuple[int, str, str, bool]], wanted: tuple[str, Check]) -> None:
    """The indexes narrow a search to a set that holds every match."""
    simulator = make().simulator
    for number, last_name, customer, active in rows:
        simulator.put_contact(ContactRow(id=number, last_name=last_name, customer=customer or None, active=active))
    state = simulator._state
    node = parse(wanted[0])
    scope = Scope(state=state, settings=simulator.settings, entity="Contact", version="24.200.001")
    holds = scope.compiled(node)
    keys = candidates(node, state.contacts)
    matching = {key for key, record in state.contacts.records.items() if holds(record)}
    assert keys is None or matching <= keys


@given(texts=st.lists(st.text(alphabet="aAbB01_- ", max_size=4), max_size=5))
def test_collation_ignores_case_and_blanks_behind(texts: list[str]) -> None:
    """Texts that differ by case or blanks behind are the same; every text sorts before its continuations."""
    for text in texts:
        assert collate(text) == collate(text.upper() + " ")
        assert collate(text.rstrip()) < collate(text.rstrip() + "a")


# ------------------------------------------------------------------ writing
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
    assert erp.entity("PATCH", "Contact", cells({"ContactID": 6, "LastName": "New"})).status == 404
    assert erp.entity("PATCH", "Contact", cells({"ContactID": 5}), (("If-None-Match", "*"),)).status == 412
    erp.clock.on(minutes=5)
    same = cells({"ContactID": 5, "LastName": "Lee"})
    assert erp.entity("PUT", "Contact", same).json()["LastModifiedDateTime"]["value"] == "2026-03-01T09:00:00+00:00"
    assert erp.entity("PATCH", "Contact", same).json()["LastModifiedDateTime"]["value"] == "2026-03-01T09:05:00+00:00"


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


# ------------------------------------------------------------------ the primary contact
def click_primary(erp: Erp, customer: str, contact: object) -> int:
    return erp.ask("POST", f"simulator/customers/{customer}/primary", {"contact": contact}).status


def test_set_as_primary_moves_the_customers_stamp_only(erp: Erp) -> None:
    """The click on "Set as Primary" needs no session and moves the customer's stamp, not the contact's."""
    erp.cookies, cookies = {}, erp.cookies
    erp.clock.on(minutes=1)
    requests = erp.simulator.requests
    assert click_primary(erp, "ABAKERY", 40) == 204
    erp.cookies = cookies
    assert erp.simulator.requests == requests
    row = erp.one("Customer/ABAKERY", expand="PrimaryContact")
    assert row["PrimaryContactID"] == {"value": 40}
    assert row["PrimaryContact"]["LastName"] == {"value": "O'Neil"}
    assert row["LastModifiedDateTime"]["value"] == "2026-03-01T09:01:00+00:00"
    assert erp.simulator.contact(40).modified == START
    assert click_primary(erp, "ABAKERY", None) == 204
    assert erp.simulator.customer("ABAKERY").primary_contact is None


def test_set_as_primary_may_move_nothing() -> None:
    """By switch the mark moves without moving any stamp."""
    erp = furnish(make(primary_moves_stamp=False))
    erp.clock.on(minutes=5)
    click_primary(erp, "ABAKERY", 40)
    assert erp.simulator.customer("ABAKERY").primary_contact == 40
    assert erp.simulator.customer("ABAKERY").modified == START


def test_set_as_primary_needs_an_active_contact_of_the_customer(erp: Erp) -> None:
    """An unknown customer is a 404; another's, a deleted or an inactive contact a 409; no contact at all a 400."""
    assert click_primary(erp, "NOBODY", 5) == 404
    assert click_primary(erp, "ABAKERY", 300) == 409
    assert click_primary(erp, "bcorp", 300) == 409
    assert click_primary(erp, "ABAKERY", "5") == 400
    assert erp.ask("POST", "simulator/customers/ABAKERY/primary", {}).status == 400
    erp.simulator.delete_contact(5)
    assert click_primary(erp, "ABAKERY", 5) == 409


def test_customer_without_primary_shows_a_temporary_contact_by_key(erp: Erp) -> None:
    """Without a primary a list shows an empty contact, a read by key one with a number below zero."""
    query = {"expand": "PrimaryContact", "select": "PrimaryContact/ContactID"}
    assert erp.rows("Customer", **query)[0]["PrimaryContact"]["ContactID"] == {}
    assert erp.one("Customer/ABAKERY", **query)["PrimaryContact"]["ContactID"]["value"] < 0


def test_leaving_the_account_clears_the_mark(erp: Erp) -> None:
    """A primary contact that is moved to another account is primary no more, and the customer's stamp moves."""
    erp.simulator.set_primary("ABAKERY", 5)
    erp.clock.on(minutes=5)
    erp.put("Contact", ContactID=5, BusinessAccount="bcorp")
    assert erp.simulator.customer("ABAKERY").primary_contact is None
    assert erp.simulator.customer("ABAKERY").modified == START + timedelta(minutes=5)
    assert [one.id for one in erp.simulator.contacts_of("bcorp")] == [5, 300]
    assert erp.keys("Contact", filter="BusinessAccount eq 'bcorp'") == [5, 300]


# ------------------------------------------------------------------ faults, counts, state
def test_declined_requests_are_429(erp: Erp) -> None:
    """Requests declined for the licence get 429 and change nothing; signing out passes."""
    erp.simulator.decline_next(2)
    assert erp.put("Contact", ContactID=5, LastName="Doe").status == 429
    assert erp.ask("POST", "entity/auth/logout").status == 204
    assert erp.ask("GET", "entity").status == 429
    assert erp.ask("GET", "entity").status == 200
    assert erp.simulator.contact(5).last_name == "Lee"


def test_faults_come_on_cue(erp: Erp) -> None:
    """Faults are answered as often as said, to the requests that fit, and change nothing."""
    erp.simulator.fail_next(503, b"{}", times=2, on=r"^PUT .*/Contact")
    assert erp.get("Contact").status == 200
    assert [erp.put("Contact", ContactID=5, LastName="Doe").status for _ in range(3)] == [503, 503, 200]


def test_requests_and_writes_are_counted(erp: Erp) -> None:
    """Requests, entity writes, and method and path of each request are kept."""
    before = erp.simulator.requests
    erp.get("Contact", top="1")
    erp.put("Contact", ContactID=5, LastName="Doe")
    erp.entity("DELETE", "Contact/40")
    assert (erp.simulator.requests - before, erp.simulator.writes) == (3, 2)
    assert erp.simulator.log[-3:] == [
        ("GET", "/Site/entity/Default/24.200.001/Contact"),
        ("PUT", "/Site/entity/Default/24.200.001/Contact"),
        ("DELETE", "/Site/entity/Default/24.200.001/Contact/40"),
    ]


def test_simulator_is_a_transport(erp: Erp) -> None:
    """The simulator sends as a transport does, and stamps its answers with its own clock."""
    transport: Transport = erp.simulator
    response = transport.send(Request(method="GET", url=f"{ROOT}/entity"))
    assert response.header("Date") == "Sun, 01 Mar 2026 09:00:00 GMT"
    assert transport.send(Request(method="GET", url="http://erp.example/")).status == 404


def test_restart_ends_all_sessions(erp: Erp) -> None:
    """A restart of the site closes every session."""
    erp.simulator.end_sessions()
    assert erp.get("Contact").status == 401


def test_same_requests_give_the_same_answers() -> None:
    """Two simulators given the same requests at the same times answer the same bytes."""
    bodies = []
    for erp in (furnish(make()), furnish(make())):
        answers = [erp.log_in(), erp.put("Contact", LastName="New"), erp.get("Contact")]
        bodies.append([(answer.headers, answer.body) for answer in answers])
    assert bodies[0] == bodies[1]


def test_rows_come_back_as_they_were_put(erp: Erp) -> None:
    """What was put is read back, with stamp and id; putting again keeps the id and moves the stamp."""
    row = ContactRow(
        id=9,
        customer="bcorp",
        first_name="Ann",
        last_name="Lee",
        email="a@b.example",
        phones=("1", "2"),
        job_title="Buyer",
        reference_number="7",
        address=AddressRow(city="Austin"),
        custom={ENABLED: False},
        attributes={"A": "b"},
    )
    erp.simulator.put_contact(row)
    found = erp.simulator.contact(9)
    assert found == evolve(row, note_id=found.note_id, modified=START)
    erp.clock.on(minutes=5)
    erp.simulator.put_contact(evolve(found, email=""))
    assert erp.simulator.contact(9) == evolve(found, email="", modified=START + timedelta(minutes=5))
    with pytest.raises(KeyError):
        erp.simulator.contact(10)


def test_snapshot_loads_into_the_same_tenant() -> None:
    """A data set that was loaded comes back as snapshot, and a fresh tenant loaded with that is equal."""
    rows = dataset(40, seed=3)
    first = make().simulator.load(rows)
    assert sorted(one.id or 0 for one in first.snapshot().contacts) == [one.id for one in rows.contacts]
    assert make().simulator.load(first.snapshot()).snapshot() == first.snapshot()
    assert first.snapshot().customers[0] == rows.customers[0]


def test_threads_do_not_lose_requests(erp: Erp) -> None:
    """Requests from several threads are handled one after the other: no number is given twice."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda place: erp.put("Contact", LastName=f"New {place}").json(), range(64)))
    assert len({answer["ContactID"]["value"] for answer in answers}) == 64
    assert erp.simulator.writes == 64


def test_decimals_keep_four_places(erp: Erp) -> None:
    """Decimals are written with four places."""
    erp.put("Customer", CustomerID="ABAKERY", CreditLimit=1200.5)
    assert b'"CreditLimit":{"value":1200.5000}' in erp.get("Customer/ABAKERY").body
    assert erp.keys("Customer", filter="CreditLimit gt 1000M") == ["ABAKERY"]
    assert erp.keys("Customer", filter=f"CreditLimit eq {Decimal('1200.50')}") == ["ABAKERY"]


def test_rendered_secrets_stay_out_of_repr(erp: Erp) -> None:
    """No password and no client secret is in the repr of simulator or settings."""
    assert "secret" not in repr(erp.simulator).replace("secrets", "")
