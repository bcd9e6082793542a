import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define, field

from acumatica_b2b.http import Headers, Request, Response, at, json_body
from acumatica_b2b.simulators import (
    AcumaticaSettings,
    AcumaticaSimulator,
    AddressRow,
    ContactRow,
    CustomerRow,
    LocationRow,
)
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE, ENABLED

ROOT = "http://erp.example/Site"
SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "acumatica"
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
    endpoint: str = ""
    """Empty: that version of Default."""
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
        return self.ask(method, f"entity/{self.endpoint or f'Default/{self.version}'}/{path}", body, headers, query)

    def get(self, path: str, **query: str) -> Response:
        return self.entity("GET", path, None, (), **query)

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
