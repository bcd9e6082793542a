"""Answers recorded from a real store, where they are at hand: they decode, and the simulator's are like them."""

import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import frozen

from acumatica_b2b.bigcommerce.records import (
    AddressRecord,
    CreatedAddress,
    CreatedCompany,
    CreatedUser,
    One,
    PageOf,
    UserRecord,
    decoded,
)
from acumatica_b2b.http import Response
from tests.simulators.bigcommerce.conftest import Api, company_body, user_body
from tests.simulators.bigcommerce.specification import Specification

FOLDER: Final = Path(__file__).parents[4] / "shared" / "samples" / "bigcommerce"
RECORDS: Final[dict[str, Any]] = {
    "create_company": One[CreatedCompany],
    "update_company": One[CreatedCompany],
    "create_user": One[CreatedUser],
    "get_user": One[UserRecord],
    "company_users_items": PageOf[UserRecord],
    "users_by_email_items": PageOf[UserRecord],
    "company_addresses_items": PageOf[AddressRecord],
    "update_address": One[CreatedAddress],
}
"""Each recorded answer, and what the client reads it as."""


@frozen
class Sample:
    """A recorded answer in its envelope, and the request that it answered."""

    name: str
    method: str
    target: str
    body: Any

    @classmethod
    def read(cls, name: str) -> "Sample":
        path = FOLDER / f"bc_{name}.json"
        if not path.exists():
            pytest.skip("the recorded samples are not here")
        recorded = json.loads(path.read_text())
        # the recorder put one answer into a list, or left nothing of it but its rows
        body = page(recorded) if name.endswith("_items") else recorded[0]
        source = path.with_name(f"{path.name}.source").read_text()
        request = re.search(r"endpoint: (\w+) (/\S+)", source)
        assert request
        return cls(name, request[1], request[2], body)

    @property
    def response(self) -> Response:
        return Response(status=200, body=json.dumps(self.body).encode())


def page(rows: list[Any]) -> dict[str, Any]:
    pagination = {"totalCount": len(rows), "limit": 10, "offset": 0}
    return {"code": 200, "data": rows, "meta": {"message": "Success", "pagination": pagination}}


def shape(value: Any) -> Any:
    """Return keys and types; of a list, those of its first record."""
    match value:
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case list():
            return [shape(item) for item in value[:1]]
        case _:
            return type(value).__name__


@pytest.fixture(params=RECORDS)
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample.read(request.param)


def test_recorded_answers_decode(sample: Sample) -> None:
    """Every recorded answer is what the client's records expect."""
    read = decoded(sample.response, RECORDS[sample.name], sample.name)
    ids = [record.id for record in read.data] if isinstance(read, PageOf) else [read.data]
    assert ids


def test_recorded_answers_follow_the_specification(sample: Sample, specification: Specification | None) -> None:
    """Every recorded answer is of the shape that the vendor's specification, as repaired, documents."""
    if specification is None:
        pytest.skip("the specification is not part of the project")
    path = urlsplit(sample.target).path.replace("{id}", "1")
    assert specification.template(sample.method, path)
    specification.check(sample.method, path, sample.response)


def test_the_same_requests_get_the_same_shapes(sample: Sample, api: Api) -> None:
    """The recorded requests, made to the simulator, get answers of the recorded keys and types."""
    company = api.company()
    user, address = api.user(company, "max@aero.example"), api.address(company)
    target = urlsplit(sample.target)
    resource = target.path.split("/")[1]
    path = target.path.replace("{id}", str({"companies": company, "users": user, "addresses": address}[resource]))
    known = {"companyId": company, "email": "max@aero.example"}
    query = {name: known[name] for name, _ in parse_qsl(target.query, keep_blank_values=True)}
    new = {"companies": company_body("New"), "users": user_body(company, "new@aero.example")}
    bodies = {"POST": new.get(resource), "PUT": {"city": "Waco"}, "GET": None}
    reply = api(sample.method, path, bodies[sample.method], **query)
    assert shape(reply.body) == shape(sample.body)
    if not sample.name.endswith("_items"):
        assert reply.message == sample.body["meta"]["message"]


def test_ids_are_like_recorded_ones(api: Api) -> None:
    """The simulator's first ids are those of the recorded store."""
    made = api("POST", "/companies", company_body()).data
    assert made == Sample.read("create_company").body["data"]
