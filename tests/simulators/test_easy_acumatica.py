from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import CustomerID, NoteID, Record, RecordKind, Reference
from acumatica_b2b.simulators import AcumaticaSettings, AcumaticaSimulator, ContactRow, CustomerRow, Server
from acumatica_b2b.transports.httpx import HttpxTransport

easy = pytest.importorskip("easy_acumatica")
QueryOptions = pytest.importorskip("easy_acumatica.odata").QueryOptions

PASSWORD = "secret"
NUMBER = 100_001
CONTACT = ContactRow(
    id=NUMBER,
    customer="ABAKERY",
    first_name="Ann",
    last_name="Lee",
    email="ann@bakery.example",
    note_id="11111111-2222-4333-8444-555555555555",
)


@pytest.fixture
def simulator() -> AcumaticaSimulator:
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(demands_length=True))
    simulator.put_customer(CustomerRow(id="ABAKERY", name="A Bakery", primary_contact=NUMBER))
    simulator.put_contact(CONTACT)
    simulator.put_contact(ContactRow(customer="ABAKERY", last_name="Zed", active=False))
    return simulator


@pytest.fixture
def url(simulator: AcumaticaSimulator) -> Iterator[str]:
    with Server(simulator) as server:
        yield server.url


def connected(url: str, folder: Path, *, password: str = PASSWORD) -> Any:
    return easy.AcumaticaClient(
        base_url=url,
        username="sync",
        password=password,
        tenant="Company",
        endpoint_name="Default",
        endpoint_version="24.200.001",
        cache_dir=folder,
    )


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Any]:
    with connected(url, tmp_path) as client:
        yield client


def test_signs_in_and_out(simulator: AcumaticaSimulator, url: str, tmp_path: Path) -> None:
    """Another client signs in with its own cookie jar, describes itself by our document, and frees its seat."""
    with connected(url, tmp_path) as client:
        assert simulator.open_sessions == 1
        assert {"contact", "customer", "customer_location"} <= set(dir(client))
    assert simulator.open_sessions == 0


def test_wrong_password(simulator: AcumaticaSimulator, url: str, tmp_path: Path) -> None:
    """A wrong password ends another client's sign-in, with no seat taken."""
    with pytest.raises(easy.AcumaticaAuthError):
        connected(url, tmp_path, password="wrong")
    assert (simulator.wrong_passwords, simulator.open_sessions) == (1, 0)


def test_lists(client: Any) -> None:
    """Another client lists all contacts, and with its own query options the active ones."""
    assert [row["ContactID"]["value"] for row in client.contact.get_list()] == [NUMBER, NUMBER + 1]
    options = QueryOptions(filter="Active eq true", select=["ContactID", "LastName"], top=5)
    (row,) = client.contact.get_list(options=options)
    assert (row["ContactID"], row["LastName"]) == ({"value": NUMBER}, {"value": "Lee"})
    assert "Email" not in row


def test_reads_by_key(client: Any) -> None:
    """Another client reads by key and by id, linked entities where it expands them."""
    found = client.customer.get_by_keys(CustomerID="ABAKERY", options=QueryOptions(expand=["PrimaryContact"]))
    assert found["PrimaryContactID"] == found["PrimaryContact"]["ContactID"] == {"value": NUMBER}
    assert client.contact.get_by_id(CONTACT.note_id)["Email"] == {"value": CONTACT.email}


def test_missing_record(client: Any) -> None:
    """A missing record is, to another client, a fault of the server: that is how Acumatica answers."""
    with pytest.raises(easy.AcumaticaServerError, match="No entity satisfies the condition"):
        client.contact.get_by_id("7")


def test_creates(simulator: AcumaticaSimulator, client: Any) -> None:
    """Another client creates a contact with a plain dict, and gets its number back."""
    body = {"LastName": {"value": "New"}, "BusinessAccount": {"value": "ABAKERY"}}
    number = client.contact.put_entity(body)["ContactID"]["value"]
    assert (simulator.contact(number).last_name, simulator.contact(number).active) == ("New", True)


def test_its_write_of_one_field_deactivates(simulator: AcumaticaSimulator, client: Any) -> None:
    """Another client's write of one field sends every switch as off, and so deactivates the contact."""
    client.contact.put_entity(client.models.Contact(LastName="Doe", ContactID=NUMBER))
    assert (simulator.contact(NUMBER).last_name, simulator.contact(NUMBER).active) == ("Doe", False)


@pytest.mark.parametrize("field", ["ExtRefNbr", "Contact.UsrKCReferenceID"])
def test_ours_changes_one_field_only(simulator: AcumaticaSimulator, url: str, field: str) -> None:
    """Our write of a reference changes its field and the stamp: the contact stays as it was, and active."""
    before = simulator.contact(NUMBER)
    config = AcumaticaConfig(
        url=url, tenant="Company", version="24.200.001", contact_opt_in="everyone", contact_reference=field
    )
    record = Record(RecordKind.CONTACT, str(NUMBER))
    reference = Reference(record=record, note_id=NoteID(CONTACT.note_id), customer=CustomerID("ABAKERY"), value="42")
    with httpx.Client() as http, Acumatica(config, Password("sync", PASSWORD), HttpxTransport(http)) as erp:
        (outcome,) = erp.write_references([reference])
    after = simulator.contact(NUMBER)
    assert isinstance(outcome, Ok)
    assert {after.reference_number, after.custom.get("Contact.UsrKCReferenceID")} >= {"42"}
    assert after.active
    assert evolve(after, reference_number="", custom={}, modified=None) == evolve(before, custom={}, modified=None)
