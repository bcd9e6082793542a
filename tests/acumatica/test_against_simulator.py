from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b.acumatica import Acumatica, OAuthPassword, Password
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, RateLimitedError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Retries
from acumatica_b2b.model import (
    UNSET,
    ContactID,
    Customer,
    CustomerID,
    NoteID,
    Record,
    RecordKind,
    Reference,
    SiteAssociation,
)
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, PrimaryMarks, Query, Watermark
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
    AcumaticaSettings,
    AcumaticaSimulator,
    AddedDetail,
    AddedField,
    CustomEndpoint,
    CustomKind,
)
from acumatica_b2b.simulators.datasets import dataset
from tests.acumatica.conftest import configured

FIELDS = {
    "contact_opt_in": ENABLED,
    "connection_type": CONNECTION_TYPE,
    "contact_reference": CONTACT_REFERENCE,
    "customer_reference": CUSTOMER_REFERENCE,
    "location_reference": LOCATION_REFERENCE,
    "tenant": "Company",
}
PASSWORD = Password("sync", "secret")


@define
class Time:
    """A clock that a test moves; who waits moves it as well."""

    moment: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    """Return a clock."""
    return Time()


@pytest.fixture
def simulator(time: Time) -> AcumaticaSimulator:
    """Return a tenant of 30 customers."""
    return simulated(time)


def simulated(time: Time, customers: int = 30, **settings: Any) -> AcumaticaSimulator:
    """Return a tenant."""
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(**settings), now=time.now)
    return simulator.load(dataset(customers, seed=7))


def connected(simulator: AcumaticaSimulator, time: Time, credentials: Any = PASSWORD, **settings: Any) -> Acumatica:
    """Return a client of a tenant."""
    return Acumatica(configured(**(FIELDS | settings)), credentials, simulator, clock=time, parallel=1)


def pages(erp: Acumatica, what: Query) -> Iterator[Page[Customer]]:
    """Yield the pages of a reading."""
    after: Cursor | None = None
    while True:
        page = erp.read(what, after)
        yield page
        after = page.next
        if after is None:
            return


def read(erp: Acumatica, what: Query) -> dict[str, Customer]:
    """Return all customers of a reading, none of them unreadable and each once."""
    found = list(pages(erp, what))
    customers = [customer for page in found for customer in page.items]
    assert [bad for page in found for bad in page.unreadable] == []
    assert len({customer.id for customer in customers}) == len(customers)
    return {customer.id: customer for customer in customers}


def text(value: Any) -> Any:
    """Return a custom value as the client reads it."""
    return UNSET if value is UNSET else "" if value is None else str(value)


@pytest.mark.parametrize("version", ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"])
@pytest.mark.parametrize("ranges", [True, False])
def test_everything(time: Time, simulator: AcumaticaSimulator, version: str, *, ranges: bool) -> None:
    """What a tenant holds is what is read of it, in whatever version and by whatever filters."""
    with connected(simulator, time, version=version, ranges=ranges, wave=7, page=9, group=3) as erp:
        found = read(erp, Everything())
    rows = simulator.snapshot()
    assert set(found) == {row.id for row in rows.customers}
    for row in rows.customers:
        customer = found[row.id]
        assert customer.complete
        assert (customer.name, customer.status, customer.email) == (row.name, row.status, row.email)
        assert customer.primary_contact == (str(row.primary_contact) if row.primary_contact else None)
        assert [(one.id, one.active, one.email) for one in customer.contacts] == [
            (str(one.id), one.active, one.email.strip()) for one in rows.contacts if one.customer == row.id
        ]
        assert {(one.id, one.name, one.phone, one.address.city) for one in customer.locations} == {
            (one.id, one.name, one.phone, one.address.city) for one in rows.locations if one.customer == row.id
        }
    assert simulator.open_sessions == 0


def test_custom_fields(time: Time, simulator: AcumaticaSimulator) -> None:
    """Opt-ins, connection types and references are those of the tenant; what does not come back is UNSET."""
    with connected(simulator, time) as erp:
        found = {contact.id: contact for customer in read(erp, Everything()).values() for contact in customer.contacts}
    rows = {str(row.id): row for row in simulator.snapshot().contacts if str(row.id) in found}
    assert len(rows) == len(found) > 30
    for name, row in rows.items():
        enabled = row.custom.get(ENABLED)
        assert found[ContactID(name)].association.enabled is (UNSET if enabled is UNSET else bool(enabled))
        assert found[ContactID(name)].association.connection_type == text(row.custom.get(CONNECTION_TYPE))
        assert found[ContactID(name)].reference == text(row.custom.get(CONTACT_REFERENCE))


def test_primary_marks(time: Time, simulator: AcumaticaSimulator) -> None:
    """The sweep of the marks sees a primary contact that moved, for one request."""
    row = simulator.snapshot().customers[0]
    simulator.set_primary(row.id, None)
    with connected(simulator, time) as erp:
        marks = read(erp, PrimaryMarks())
    assert marks[row.id].primary_contact is None
    assert [path for _, path in simulator.log if path.endswith("/Customer")] == [
        "/Live/entity/Default/24.200.001/Customer"
    ]


def test_changes(time: Time, simulator: AcumaticaSimulator) -> None:
    """Changes of a customer, a contact and a location each bring their customer whole; nothing else comes."""
    time.sleep(3600)
    with connected(simulator, time) as erp:
        watermark = next(pages(erp, Everything())).watermark or Watermark("")
        time.sleep(3600)
        rows = simulator.snapshot()
        customers = sorted(row.id for row in rows.customers)
        simulator.set_primary(customers[0], None)
        contact = next(row for row in rows.contacts if row.customer == customers[5])
        simulator.put_contact(evolve(contact, first_name="Changed"))
        simulator.put_location(evolve(next(row for row in rows.locations if row.customer == customers[9]), name="New"))
        found = read(erp, ChangedSince(watermark=watermark))
        assert set(found) == {customers[0], customers[5], customers[9]}
        assert "Changed" in [one.first_name for one in found[customers[5]].contacts]
        assert all(customer.complete for customer in found.values())


def test_by_name(time: Time, simulator: AcumaticaSimulator) -> None:
    """Customers and contacts are read by name; what is not there, or was deleted, is None."""
    rows = simulator.snapshot()
    customer, contact = rows.customers[3], rows.contacts[3]
    simulator.delete_contact(contact.id or 0)
    with connected(simulator, time) as erp:
        there, absent = erp.customers([CustomerID(customer.id), CustomerID("NOBODY")])
        gone, kept = erp.contacts([ContactID(str(contact.id)), ContactID(str(rows.contacts[4].id))])
    assert isinstance(there, Ok)
    assert there.value is not None
    assert there.value.name == customer.name
    assert absent == gone == Ok(None)
    assert isinstance(kept, Ok)
    assert kept.value is not None
    assert kept.value.customer == rows.contacts[4].customer


def reference(kind: RecordKind, record: str, customer: str, value: str) -> Reference:
    """Return a reference."""
    return Reference(record=Record(kind, record), note_id=NoteID(""), customer=CustomerID(customer), value=value)


def test_references(time: Time, simulator: AcumaticaSimulator) -> None:
    """References are kept, cleared, refused when too long, and never make a record."""
    rows = simulator.snapshot()
    location = rows.locations[0]
    contact = next(row for row in rows.contacts if row.customer == location.customer)
    owner = location.customer
    with connected(simulator, time) as erp:
        kept = erp.write_references(
            [
                reference(RecordKind.CONTACT, str(contact.id), owner, "42"),
                reference(RecordKind.CUSTOMER, owner, owner, "43"),
                reference(RecordKind.LOCATION, location.id, owner, "44"),
            ]
        )
        assert kept == [Ok(None)] * 3
        assert simulator.contact(contact.id or 0).custom[CONTACT_REFERENCE] == "42"
        assert simulator.customer(owner).custom[CUSTOMER_REFERENCE] == "43"
        assert simulator.location(owner, location.id).custom[LOCATION_REFERENCE] == "44"
        assert evolve(simulator.contact(contact.id or 0), custom={}, modified=None) == evolve(
            contact, custom={}, modified=None
        )
        long, nobody, cleared = erp.write_references(
            [
                reference(RecordKind.CUSTOMER, owner, owner, "4" * 41),
                reference(RecordKind.CONTACT, "999999", owner, "42"),
                reference(RecordKind.CONTACT, str(contact.id), owner, ""),
            ]
        )
        (again,) = erp.contacts([ContactID(str(contact.id))])
    assert isinstance(long, Failed)
    assert isinstance(long.error, RejectedError)
    assert long.error.reason is Reason.INVALID
    assert isinstance(nobody, Failed)
    assert isinstance(nobody.error, RejectedError)
    assert nobody.error.reason is Reason.GONE
    assert cleared == Ok(None)
    assert isinstance(again, Ok)
    assert again.value is not None
    assert again.value.reference == ""
    assert len(simulator.snapshot().contacts) == len(rows.contacts)


@pytest.mark.parametrize(
    "fields", [{"Customer": {"PrimaryContactID": "BAccount"}}, {"Contact": {"Email": "ContactCurrent"}}]
)
def test_lists_that_cannot_be_optimized(time: Time, simulator: AcumaticaSimulator, fields: Any) -> None:
    """A field that lists can't export is read record by record."""
    with connected(simulator, time) as erp:
        expected = read(erp, Everything())
    with connected(simulated(time, unoptimised=fields), time, wave=7) as erp:
        assert read(erp, Everything()) == expected


def test_a_field_that_the_tenant_lacks(time: Time) -> None:
    """A tenant without the configured field stops a run before its first write."""
    with (
        connected(simulated(time, custom_fields={}), time) as erp,
        pytest.raises(ConfigurationError, match="UsrKCEnabled"),
    ):
        erp.read(Everything(), None)


def test_fields_without_their_view(time: Time, simulator: AcumaticaSimulator) -> None:
    """Custom fields written without their view are found, for one look at the schema of each entity."""
    short = {name: text.partition(".")[2] for name, text in FIELDS.items() if "." in text}
    with connected(simulator, time) as erp:
        expected = read(erp, Everything())
    simulator.log.clear()
    with connected(simulator, time, **short) as erp:
        assert read(erp, Everything()) == expected
        read(erp, Everything())
    asked = [path.split("/")[-2] for _, path in simulator.log if path.endswith("adHocSchema")]
    assert asked == ["Contact", "Customer", "CustomerLocation"]


def sites(kind: str, **enabled: bool) -> tuple[dict[str, Any], ...]:
    """Return rows of sites."""
    return tuple({"SiteName": name, "Enabled": on, "ConnectionType": kind} for name, on in enabled.items())


def test_sites_of_an_extended_endpoint(time: Time) -> None:
    """Rows of sites that a tenant's own endpoint shows are read: who is enabled where, and with which type."""
    fields = (
        AddedField(name="SiteName"),
        AddedField(name="Enabled", kind=CustomKind.BOOLEAN),
        AddedField(name="ConnectionType"),
    )
    rows = AddedDetail(name="SiteAssociations", entity="SiteAssociation", fields=fields)
    endpoint = CustomEndpoint(name="KCF", version="24.200.001", details={"Contact": (rows,)})
    simulator = simulated(time, endpoints=(endpoint,))
    first, second, third, *_ = simulator.snapshot().contacts
    for contact, here in ((first, sites("B2B", North=True, South=True)), (second, sites("B2B", North=False))):
        simulator.put_contact(evolve(contact, details={"SiteAssociations": here}))
    opt_in = "SiteAssociations[SiteName, Enabled, ConnectionType]"
    settings = {"endpoint": "KCF", "extends": "24.200.001", "contact_opt_in": opt_in, "connection_type": None}
    with connected(simulator, time, **settings) as erp:
        found = erp.contacts([ContactID(str(contact.id)) for contact in (first, second, third)])
        everyone = {contact.id: contact for one in read(erp, Everything()).values() for contact in one.contacts}
    associations = [outcome.value.association for outcome in found if isinstance(outcome, Ok) and outcome.value]
    assert associations == [
        SiteAssociation(enabled=True, connection_type="B2B", sites=("North", "South")),
        SiteAssociation(enabled=False),
        SiteAssociation(enabled=False),
    ]
    assert everyone[ContactID(str(first.id))].association == associations[0]


def test_attributes(time: Time) -> None:
    """An attribute is read as opt-in, and written as reference, with no other attribute touched."""
    simulator = simulated(time, attributes={"Contact": ("SHOP", "REF")})
    contact = simulator.snapshot().contacts[0]
    simulator.put_contact(evolve(contact, attributes={"SHOP": "1"}))
    settings = {"contact_opt_in": "Attributes[SHOP]", "connection_type": None, "contact_reference": "Attributes[REF]"}
    with connected(simulator, time, **settings) as erp:
        assert erp.write_references([reference(RecordKind.CONTACT, str(contact.id), "", "42 - Acme")]) == [Ok(None)]
        (found,) = erp.contacts([ContactID(str(contact.id))])
        (refused,) = erp.write_references([reference(RecordKind.CONTACT, "999999", "", "42")])
    assert isinstance(found, Ok)
    assert found.value is not None
    assert (found.value.association.enabled, found.value.reference) == (True, "42 - Acme")
    assert simulator.contact(contact.id or 0).attributes["SHOP"] == "1"
    assert isinstance(refused, Failed)


def test_patch(time: Time, simulator: AcumaticaSimulator) -> None:
    """With PATCH, where the version has it, a reference is written and no record is made."""
    contact = simulator.snapshot().contacts[0]
    with connected(simulator, time, version="25.200.001", patch=True) as erp:
        kept, nobody = erp.write_references(
            [reference(RecordKind.CONTACT, number, "", "42") for number in (str(contact.id), "999999")]
        )
    assert kept == Ok(None)
    assert simulator.contact(contact.id or 0).custom[CONTACT_REFERENCE] == "42"
    assert isinstance(nobody, Failed)
    assert isinstance(nobody.error, RejectedError)
    assert nobody.error.reason is Reason.GONE


def test_a_screen_without_rights(time: Time) -> None:
    """A screen that the user may not open ends the run; its session is closed."""
    simulator = simulated(time, forbidden=frozenset({"CustomerLocation"}))
    with connected(simulator, time) as erp, pytest.raises(ConfigurationError):
        erp.read(Everything(), None)
    assert simulator.open_sessions == 0


def test_damaged_endpoint(time: Time) -> None:
    """A damaged endpoint is told as such, not followed to its error page."""
    with (
        connected(simulated(time, broken_metadata=True), time) as erp,
        pytest.raises(ConfigurationError, match="redirect"),
    ):
        erp.read(Everything(), None)


def test_ended_sessions(time: Time, simulator: AcumaticaSimulator) -> None:
    """A session that ended meanwhile is renewed without anybody noticing."""
    with connected(simulator, time, wave=10) as erp:
        found: list[Customer] = []
        for page in pages(erp, Everything()):
            found += page.items
            simulator.end_sessions()
    assert len(found) == 30
    assert simulator.open_sessions == 0


def test_wrong_password(time: Time, simulator: AcumaticaSimulator) -> None:
    """A wrong password is sent once."""
    with connected(simulator, time, Password("sync", "wrong")) as erp:
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                erp.read(Everything(), None)
    assert simulator.requests == 1


def test_parallel_requests_share_a_session(time: Time, simulator: AcumaticaSimulator) -> None:
    """Requests in several threads take one seat, and bring what a single thread brings."""
    with connected(simulator, time, page=9) as erp:
        expected = read(erp, Everything())
    config = configured(**(FIELDS | {"page": 9, "ranges": False}))
    with Acumatica(config, PASSWORD, simulator, clock=time, parallel=6) as erp:
        assert read(erp, Everything()) == expected
        assert simulator.open_sessions == 1


def test_seats(time: Time) -> None:
    """A seat that another client holds is waited for until its session has ended; closing frees ours."""
    simulator = simulated(time, seats=1)
    first = connected(simulator, time)
    first.read(PrimaryMarks(), None)
    with connected(simulator, time, retries=Retries(patience=30)) as second, pytest.raises(RateLimitedError):
        second.read(PrimaryMarks(), None)
    with connected(simulator, time, retries=Retries(patience=900)) as second:
        assert len(second.read(PrimaryMarks(), None).items) == 30
    first.close()
    assert simulator.open_sessions == 0


def test_a_full_queue(time: Time, simulator: AcumaticaSimulator) -> None:
    """A declined request is asked again, and costs nothing but time."""
    with connected(simulator, time) as erp:
        simulator.decline_next(3)
        assert len(read(erp, Everything())) == 30


def test_connected_application(time: Time, simulator: AcumaticaSimulator) -> None:
    """A connected application reads on over an hour, its token refreshed, and frees its seat."""
    application = OAuthPassword(
        client_id=simulator.settings.client_id, client_secret="client-secret", name="sync", password="secret"
    )
    with connected(simulator, time, application) as erp:
        first = read(erp, Everything())
        time.sleep(3700)
        assert read(erp, Everything()) == first
        assert simulator.open_sessions == 1
    assert simulator.open_sessions == 0
