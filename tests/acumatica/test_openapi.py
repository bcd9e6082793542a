"""Requests and answers held against the vendor's OpenAPI documents, where these are present."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b import ContactSync, in_threads
from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Password
from acumatica_b2b.check import Needs
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import ContactID, CustomerID, NoteID, Record, RecordKind, Reference
from acumatica_b2b.protocols import ChangedSince, Everything, PrimaryMarks
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
    AcumaticaSettings,
    AcumaticaSimulator,
)
from acumatica_b2b.simulators.datasets import dataset
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryShop
from tests.acumatica.conftest import configured
from tests.acumatica.openapi import BESIDE, Document, Exchange, jsonschema

DOCUMENTS = Path(__file__).parents[3] / "shared" / "openapi" / "acumatica"
VERSIONS = ("22.200.001", "24.200.001")
PASSWORD = Password("sync", "secret")


@define
class Recorder:
    """A transport that passes requests on to a simulator and keeps what was said."""

    simulator: AcumaticaSimulator
    exchanges: list[Exchange] = field(factory=list[Exchange])

    def send(self, request: Request, /) -> Response:
        response = self.simulator.send(request)
        self.exchanges.append(Exchange(request, response))
        return response


@pytest.fixture(scope="module", params=VERSIONS)
def document(request: pytest.FixtureRequest) -> Document:
    """Return the vendor's document of each version."""
    path = DOCUMENTS / f"Default_{request.param}.swagger.json"
    if not path.exists():
        pytest.skip("the vendor's documents are not part of the project")
    return Document(request.param, json.loads(path.read_text()))


# ------------------------------------------------------------------ the client
FIELDS = {
    "tenant": "Company",
    "contact_opt_in": ENABLED,
    "connection_type": CONNECTION_TYPE,
    "contact_reference": CONTACT_REFERENCE,
    "customer_reference": CUSTOMER_REFERENCE,
    "location_reference": LOCATION_REFERENCE,
    "retries": Retries(attempts=1, patience=0),
}


def recorder(customers: int = 12, **settings: Any) -> Recorder:
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(**settings))
    return Recorder(simulator.load(dataset(customers, seed=7)))


def client(document: Document, said: Recorder, **settings: Any) -> Acumatica:
    return Acumatica(configured(**(FIELDS | {"version": document.version} | settings)), PASSWORD, said, parallel=1)


def checked(document: Document, said: Recorder, *statuses: int) -> None:
    """Hold every exchange against the document; these are the statuses that came besides 200 and 204."""
    assert said.exchanges
    for exchange in said.exchanges:
        document.check(exchange)
    assert {one.response.status for one in said.exchanges} - {200, 204} == set(statuses)


def everything(erp: Acumatica) -> Iterator[Any]:
    """Yield the pages of all three readings."""
    for query in (Everything(), PrimaryMarks()):
        page = erp.read(query, None)
        yield page
        while page.next:
            page = erp.read(query, page.next)
            yield page
        if page.watermark:
            yield erp.read(ChangedSince(watermark=page.watermark), None)


def reference(kind: RecordKind, record: str, customer: str, value: str = "42") -> Reference:
    return Reference(record=Record(kind, record), note_id=NoteID("n"), customer=CustomerID(customer), value=value)


@pytest.mark.parametrize("settings", [{"ranges": True}, {"ranges": False, "group": 3}], ids=["ranges", "groups"])
def test_the_client_asks_as_documented(document: Document, settings: dict[str, Any]) -> None:
    """Every request of every reading is declared, down to the fields it names, and so is every answer."""
    said = recorder()
    with client(document, said, wave=5, page=4, keys_page=5, **settings) as erp:
        assert sum(len(page.items) for page in everything(erp)) == 24
        customer = said.simulator.snapshot().customers[0]
        (contact, *_) = said.simulator.contacts_of(customer.id)
        assert erp.customers([CustomerID(customer.id)])
        assert erp.contacts([ContactID(str(contact.id))])
    checked(document, said)


def test_the_client_writes_as_documented(document: Document) -> None:
    """A write-back to each kind of record, kept, too long or of no record, is declared, and so are the refusals."""
    said = recorder()
    (row, *_) = said.simulator.snapshot().customers
    (contact, *_) = said.simulator.contacts_of(row.id)
    (place, *_) = [one for one in said.simulator.snapshot().locations if one.customer == row.id]
    with client(document, said) as erp:
        outcomes = erp.write_references(
            [
                reference(RecordKind.CONTACT, str(contact.id), row.id),
                reference(RecordKind.CUSTOMER, row.id, row.id),
                reference(RecordKind.LOCATION, place.id, row.id),
                reference(RecordKind.CONTACT, str(contact.id), row.id, "x" * 41),
                reference(RecordKind.CONTACT, "999999", row.id),
            ]
        )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Ok"] * 3 + ["Failed"] * 2
    checked(document, said, 412, 422)


def test_plain_fields_are_written_as_documented(document: Document) -> None:
    """A reference kept in an ordinary field goes where the version has that field."""
    said = recorder()
    (row, *_) = said.simulator.snapshot().customers
    with client(document, said, customer_reference="AccountRef", contact_opt_in="everyone") as erp:
        erp.write_references([reference(RecordKind.CUSTOMER, row.id, row.id)])
    checked(document, said)


def test_attributes_are_asked_for_as_documented(document: Document) -> None:
    """An opt-in that is an attribute is read from the details of contacts, and a reference written there."""
    said = recorder(2)
    (row, *_) = said.simulator.snapshot().customers
    (contact, *_) = said.simulator.contacts_of(row.id)
    attribute = {"AttributeID": {"value": "WEBSHOP"}, "Value": {"value": "yes"}}
    change = {"ContactID": {"value": contact.id}, "Attributes": [attribute]}
    talk(document, said, ("PUT", "Contact", change))
    with client(document, said, contact_opt_in="Attributes[WEBSHOP]", contact_reference="Attributes[WEBSHOP]") as erp:
        assert len(list(everything(erp))) >= 3
        assert erp.write_references([reference(RecordKind.CONTACT, str(contact.id), row.id)]) == [Ok(None)]
    checked(document, said)


def test_a_patch_is_a_put_by_another_name(document: Document) -> None:
    """Where writes go out as PATCH, they are all that the document says of PUT."""
    said = recorder(patches=frozenset({document.version}))
    (row, *_) = said.simulator.snapshot().customers
    with client(document, said, patch=True) as erp:
        good, lost = erp.write_references(
            [reference(RecordKind.CUSTOMER, row.id, row.id), reference(RecordKind.CONTACT, "999999", row.id)]
        )
    assert good == Ok(None)
    assert isinstance(lost, Failed)
    checked(document, said, 404)


def test_a_version_that_nobody_named(document: Document) -> None:
    """The version that an instance offers is asked for, and spoken."""
    said = recorder(2, versions=(document.version,))
    with client(document, said, version="") as erp:
        assert len(erp.read(Everything(), None).items) == 2
    checked(document, said)


def test_record_by_record(document: Document) -> None:
    """Where lists can't be optimised, what is read by keys is declared, the refused list as well."""
    views = {"Contact": {"Email": "ContactCurrent"}, "CustomerLocation": {"LocationContact": "Contact"}}
    said = recorder(3, unoptimised=views)
    with client(document, said, contact_reference=None, connection_type=None) as erp:
        assert len(list(everything(erp))) >= 3
    assert any(re.search(r"/CustomerLocation/\w+/\w+\?", one.request.url) for one in said.exchanges)
    checked(document, said, 500)


def test_refusals_are_declared(document: Document) -> None:
    """A session that is gone, and a record that is not there, are answered as declared."""
    said = recorder()
    with client(document, said) as erp:
        erp.contacts([ContactID("100001")])
        said.simulator.end_sessions()
        assert erp.contacts([ContactID("999999")]) == [Ok(None)]
    checked(document, said, 401, 500)


def test_a_check_looks_as_documented(document: Document) -> None:
    """What the check of a set-up asks, schemas of custom fields among it, is declared, and it writes nothing."""
    said = recorder(2)
    with client(document, said) as erp:
        assert erp.check(Needs(references=frozenset(RecordKind)))
    assert said.simulator.writes == 0
    assert any("adHocSchema" in one.request.url for one in said.exchanges)
    checked(document, said)


def test_in_tasks(document: Document) -> None:
    """What the client asks in tasks is declared as well."""
    said = recorder()

    async def read() -> int:
        config = configured(**(FIELDS | {"version": document.version}))
        async with AsyncAcumatica(config, PASSWORD, in_threads(said), parallel=1) as erp:
            return len((await erp.read(Everything(), None)).items)

    assert asyncio.run(read()) == 12
    checked(document, said)


def test_a_whole_run(document: Document) -> None:
    """A run over everything, and one over what changed, ask and write as documented."""
    said = recorder(4)
    with client(document, said) as erp:
        sync = ContactSync(erp=erp, storefront=MemoryShop(), store=MemoryStore())
        assert sync.sync_all().stopped == ""
        sync.sync_changed()
    assert said.simulator.writes > 0
    checked(document, said)


# ------------------------------------------------------------------ the simulator
def talk(document: Document, said: Recorder, *lines: tuple[str, str, object]) -> list[Response]:
    """Return the answers to requests of somebody who is signed in."""
    login = json.dumps({"name": "sync", "password": "secret"}).encode()
    headers = (("Content-Type", "application/json"),)
    base = "https://erp.example.com/Live/entity"
    signed = said.send(Request(method="POST", url=f"{base}/auth/login", headers=headers, body=login))
    cookies = "; ".join(dict.fromkeys(value.partition(";")[0] for value in signed.header_values("set-cookie")))
    answers: list[Response] = []
    for method, path, body in lines:
        kind = headers if method in {"PUT", "PATCH", "POST"} else ()
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{base}/Default/{document.version}/{path}"
        answers.append(said.send(Request(method=method, url=url, headers=(*kind, ("Cookie", cookies)), body=content)))
    return answers


def test_what_only_others_ask(document: Document) -> None:
    """Whole records with all they can expand, by key, by id, schemas and deletions are answered as declared."""
    said = recorder()
    (row, *_) = said.simulator.snapshot().customers
    (contact, *_) = said.simulator.contacts_of(row.id)
    (whole,) = talk(document, said, ("GET", f"Contact/{contact.id}", None))
    note = whole.json()["id"]
    expand = "MainContact,MainContact/Address,PrimaryContact,Contacts,Contacts/Contact,Attributes"
    answers = talk(
        document,
        said,
        ("GET", "Customer?$top=2&$skip=1", None),
        ("GET", f"Customer/{row.id}?$expand={expand}", None),
        ("GET", f"Contact/{note}?$expand=Address,Attributes", None),
        ("GET", f"CustomerLocation?$filter=Customer%20eq%20'{row.id}'&$expand=LocationContact/Address", None),
        *(("GET", f"{entity}/$adHocSchema", None) for entity in ("Contact", "Customer", "CustomerLocation")),
        ("PUT", "Contact", {"LastName": {"value": "New"}, "Email": {"value": "new@example.com"}}),
        ("PUT", "Contact", {}),
        ("PUT", "Contact", None),
        ("DELETE", f"Contact/{note}", None),
        ("DELETE", f"Contact/{contact.id}", None),
    )
    assert [answer.status for answer in answers] == [200] * 8 + [422, 400, 204, 500]
    checked(document, said, 400, 422, 500)


@pytest.mark.parametrize("entity", ["Contact", "Customer", "CustomerLocation", "Customer/Contacts"])
def test_the_simulator_knows_every_field(document: Document, entity: str) -> None:
    """The simulator's records have the fields that the document gives them, no more and no less."""
    said = recorder(1)
    name, _, detail = entity.partition("/")
    if detail:
        (answer,) = talk(document, said, ("GET", "Customer/C000000001?$expand=Contacts/Contact", None))
        (shown, *_), declared = answer.json()["Contacts"], document.schemas["CustomerContact"]
    else:
        (answer,) = talk(document, said, ("GET", f"{name}/$adHocSchema", None))
        shown, declared = answer.json(), document.schemas[name]
    assert shown.keys() - BESIDE.keys() == declared["properties"].keys() - BESIDE.keys() - {"error", "files"}


def test_what_the_documents_lack(document: Document) -> None:
    """PATCH, 403, 404 and 429 are in the guide and on live instances, and in no document: they are known here."""
    operations = [
        (method, set(operation["responses"]))
        for path in document.data["paths"].values()
        for method, operation in path.items()
    ]
    assert "patch" not in {method for method, _ in operations}
    assert not {"403", "404", "429"} & set().union(*(statuses for _, statuses in operations))
    said = recorder(forbidden=frozenset({"CustomerLocation"}), patches=frozenset({document.version}))
    (row, *_) = said.simulator.snapshot().customers
    (contact, *_) = said.simulator.contacts_of(row.id)
    change = {"ContactID": {"value": contact.id}, "JobTitle": {"value": "CEO"}}
    lines = (
        ("PATCH", "Contact", change),
        ("PATCH", "Contact", {"ContactID": {"value": 999_999}}),
        ("GET", "CustomerLocation?$top=1", None),
        ("GET", "Nothing", None),
    )
    assert [answer.status for answer in talk(document, said, *lines)] == [200, 404, 403, 404]
    said.simulator.fail_next(429, on="Customer")
    assert talk(document, said, ("GET", "Customer?$top=1", None))[-1].status == 429
    checked(document, said, 403, 404, 429)


# ------------------------------------------------------------------ the check itself
ROW = {"id": "6a47c888-0b10-e911-9fbe-7c5cf8918e20", "rowNumber": 1, "note": None, "custom": {}}
JSON = (("Content-Type", "application/json; charset=utf-8"),)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        ("GET", "Contact?$orderby=ContactID", None, 200, []),
        ("GET", "Contact?$top=x", None, 200, []),
        ("GET", "Contact?$select=Nonsense", None, 200, []),
        ("GET", "Contact?$expand=LastName", None, 200, []),
        ("GET", "Contact?$filter=Nonsense%20eq%201", None, 200, []),
        ("GET", "Customer?$select=MainContact/Nonsense", None, 200, []),
        ("POST", "Contact", {"LastName": {"value": "x"}}, 200, ROW),
        ("PUT", "Contact", {"LastName": "x"}, 200, ROW),
        ("PUT", "Contact", {"Nonsense": {"value": "x"}}, 200, ROW),
        ("PUT", "Contact", {"ContactID": {"value": "x"}}, 200, ROW),
        ("PUT", "Contact", {"custom": {"Contact": {"UsrX": {"value": "x"}}}}, 200, ROW),
        ("GET", "Contact", None, 418, {}),
        ("GET", "Contact", None, 200, ROW),
        ("GET", "Contact/7", None, 200, [ROW]),
        ("GET", "Contact/7", None, 200, ROW | {"LastName": {"value": 7}}),
        ("GET", "Contact/7", None, 200, ROW | {"LastName": None}),
        ("GET", "Contact/7", None, 200, ROW | {"id": "x"}),
        ("GET", "Contact/7", None, 200, ROW | {"LastModifiedDateTime": {"value": "2026-01-01T00:00:00"}}),
        (
            "GET",
            "Contact/7",
            None,
            200,
            ROW | {"custom": {"Contact": {"UsrX": {"type": "CustomIntField", "value": ""}}}},
        ),
        ("GET", "Contact/7", None, 500, {"exceptionMessage": 7}),
        ("DELETE", "Contact/7", None, 204, {}),
    ],
)
def test_the_check_can_fail(
    document: Document, method: str, path: str, body: object, status: int, answer: object
) -> None:
    """An option, field, type, status or shape that the document does not have is found."""
    url = f"https://erp.example.com/entity/Default/{document.version}/{path}"
    content = b"" if body is None else json.dumps(body).encode()
    headers = (("Content-Type", "application/json"),) if content else ()
    request = Request(method=method, url=url, headers=headers, body=content)
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        document.check(Exchange(request, Response(status=status, headers=JSON, body=json.dumps(answer).encode())))
