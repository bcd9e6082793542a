"""A store to call as a client would; each of its answers is held against the vendor's specification where that is."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from attrs import define, field, frozen

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.simulators.bigcommerce.specification import Specification

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@define
class Clock:
    """Stands still until told."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@frozen
class Reply:
    status: int
    body: Any

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def error(self) -> Any:
        return self.data["errMsg"]

    @property
    def message(self) -> str:
        return str(self.body["meta"]["message"])


@define
class Api:
    """Calls a store as a client would, signed in."""

    shop: BigCommerceSimulator
    clock: Clock = field(factory=Clock)
    specification: Specification | None = None

    def __call__(self, method: str, path: str, body: object = None, **query: object) -> Reply:
        response = self.response(method, f"/api/v3/io{path}", body, **query)
        if self.specification:
            self.specification.check(method, path.partition("?")[0], response)
        return Reply(response.status, response.json())

    def core(self, method: str, path: str, body: object = None, **query: object) -> Reply:
        response = self.response(method, f"/stores/{self.shop.store_hash}/v3{path}", body, **query)
        return Reply(response.status, response.json())

    def response(self, method: str, path: str, body: object = None, **query: object) -> Response:
        url = f"https://shop.example{path}{'&' if '?' in path else '?'}{urlencode(query, doseq=True)}"
        raw = b"" if body is None else json.dumps(body).encode()
        return self.shop.handle(Request(method=method, url=url, headers=self.shop.credentials, body=raw))

    def company(self, name: str = "Aero", *, email: str | None = None, **fields: object) -> int:
        body = company_body(name, email=email, **fields)
        return int(self("POST", "/companies", body).data["companyId"])

    def user(self, company: int, email: str, **fields: object) -> int:
        return int(self("POST", "/users", user_body(company, email, **fields)).data["userId"])

    def address(self, company: int, **fields: object) -> int:
        return int(self("POST", "/addresses", address_body(company, **fields)).data["addressId"])

    def super_admin(self, email: str, **fields: object) -> int:
        body = {"firstName": "S", "lastName": "A", "email": email, **fields}
        return int(self("POST", "/super-admins", body).data["userId"])

    def emails(self, **query: object) -> list[str]:
        return [user["email"] for user in self("GET", "/users", **query).data]


def company_body(name: str = "Aero", *, email: str | None = None, **fields: object) -> dict[str, object]:
    return {
        "companyName": name,
        "companyPhone": "555-0100",
        "companyEmail": f"office@{name.lower()}.example",
        "country": "US",
        "adminFirstName": "Ada",
        "adminLastName": "Byron",
        "adminEmail": email or f"admin@{name.lower()}.example",
        **fields,
    }


def user_body(company: int, email: str, **fields: object) -> dict[str, object]:
    return {
        "companyId": company,
        "email": email,
        "firstName": "Max",
        "lastName": "Born",
        "role": 2,
        "channelIds": [1],
        **fields,
    }


def address_body(company: int, **fields: object) -> dict[str, object]:
    return {
        "companyId": company,
        "firstName": "Max",
        "lastName": "Born",
        "addressLine1": "1 Main St",
        "city": "Austin",
        "stateCode": "TX",
        "countryCode": "US",
        **fields,
    }


def without(body: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in body.items() if key not in keys}


@pytest.fixture(scope="session")
def specification() -> Specification | None:
    """Return the vendor's specification; None where it is not at hand."""
    return Specification.load()


@pytest.fixture
def make(specification: Specification | None) -> Callable[..., Api]:
    def build(**switches: Any) -> Api:
        clock = Clock()
        return Api(BigCommerceSimulator(now=clock, **switches), clock, specification)

    return build


@pytest.fixture
def api(make: Callable[..., Api]) -> Api:
    return make()
