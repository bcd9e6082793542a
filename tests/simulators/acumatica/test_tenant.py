from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from acumatica_b2b.http import Request, Transport
from acumatica_b2b.simulators import (
    AddressRow,
    ContactRow,
    dataset,
)
from acumatica_b2b.simulators.acumatica import ENABLED
from tests.simulators.acumatica.conftest import ROOT, START, Erp, furnish, make


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
