"""The ERPs that we have ourselves pass the contract that hosts run on theirs."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import define, evolve, field
from hypothesis import Phase, settings

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, AsyncAcumatica, Password
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, Location, LocationID, NoteID
from acumatica_b2b.protocols import AsyncErp, Cursor, Page, Query
from acumatica_b2b.simulators.acumatica import (
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
    AcumaticaSettings,
    AcumaticaSimulator,
    ContactRow,
    CustomerRow,
    LocationRow,
)
from acumatica_b2b.simulators.server import Server
from acumatica_b2b.testing import AsyncErpOf, MemoryErp
from acumatica_b2b.testing.contract import (
    AsyncErpContract,
    BrokenContractError,
    ErpContract,
    ErpTraits,
    Tenant,
    erp_machine,
)
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport
from tests.systems.conftest import Clock


def note(kind: str, key: str) -> NoteID:
    """Return the NoteID of a record."""
    return NoteID(f"{kind}-{key}".lower())


@define(eq=False)
class People(Tenant):
    """What people do in an ERP in memory."""

    erp: MemoryErp
    count: int = field(default=0, init=False)

    def add_customer(self, name: str) -> CustomerID:
        self.count += 1
        key = CustomerID(f"C{self.count:04}")
        self.erp.put(Customer(id=key, note_id=note("customer", key), name=name))
        return key

    def add_contact(self, customer: CustomerID, *, first_name: str, last_name: str, email: str) -> ContactID:
        key = self.erp.next_contact_id()
        whole = Contact(
            id=key,
            note_id=note("contact", key),
            customer=customer,
            first_name=first_name,
            last_name=last_name,
            email=email,
        )
        self.erp.put_contact(customer, whole)
        return key

    def add_location(self, customer: CustomerID, name: str) -> LocationID:
        held = self.erp.snapshot()[customer]
        key = LocationID(f"L{len(held.locations)}")
        place = Location(id=key, note_id=note(f"location-{customer}", key), name=name)
        self.erp.put(evolve(held, locations=(*held.locations, place)))
        return key

    def rename_customer(self, customer: CustomerID, name: str) -> None:
        self.erp.put(evolve(self.erp.snapshot()[customer], name=name))

    def rename_contact(self, contact: ContactID, first_name: str) -> None:
        (held,) = (one for c in self.erp.snapshot().values() for one in c.contacts if one.id == contact)
        assert held.customer
        self.erp.put_contact(held.customer, evolve(held, first_name=first_name))

    def rename_location(self, customer: CustomerID, location: LocationID, name: str) -> None:
        held = self.erp.snapshot()[customer]
        places = tuple(evolve(place, name=name) if place.id == location else place for place in held.locations)
        self.erp.put(evolve(held, locations=places))

    def set_primary(self, customer: CustomerID, contact: ContactID | None) -> None:
        self.erp.set_primary(customer, contact)

    def move_contact(self, contact: ContactID, customer: CustomerID | None) -> None:
        self.erp.move_contact(contact, customer)

    def delete_contact(self, contact: ContactID) -> None:
        self.erp.remove_contact(contact)

    def delete_customer(self, customer: CustomerID) -> None:
        self.erp.remove_customer(customer)


class TestMemoryErp(ErpContract):
    """An ERP in memory, by small pages and by one."""

    @pytest.fixture(params=[7, 1000])
    def erp(self, request: pytest.FixtureRequest) -> MemoryErp:
        """Return an empty ERP."""
        return MemoryErp(page_size=request.param)

    @pytest.fixture
    def tenant(self, erp: MemoryErp) -> Tenant:
        """Return its people."""
        return People(erp)


class TestAsyncMemoryErp(AsyncErpContract):
    """The same, awaited."""

    @pytest.fixture
    def memory(self) -> MemoryErp:
        """Return an empty ERP."""
        return MemoryErp(page_size=7)

    @pytest.fixture
    def erp(self, memory: MemoryErp) -> AsyncErpOf:
        """Return it awaited."""
        return AsyncErpOf(memory)

    @pytest.fixture
    def tenant(self, memory: MemoryErp) -> Tenant:
        """Return its people."""
        return People(memory)


# ------------------------------------------------------------------ Acumatica
FIELDS: dict[str, Any] = {
    "tenant": "Company",
    "contact_opt_in": ENABLED,
    "contact_reference": CONTACT_REFERENCE,
    "customer_reference": CUSTOMER_REFERENCE,
    "location_reference": LOCATION_REFERENCE,
    "wave": 7,
    "page": 9,
    "keys_page": 11,
    "group": 3,
}
PASSWORD = Password("sync", "secret")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each client the reading of certificates that nobody needs on loopback."""
INSTANCES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "20 R2, coarse stamps": ({"version": "20.200.001"}, {"linked_moves_stamp": True, "fraction_digits": 0}),
    "25 R2, by groups, with PATCH": (
        {"version": "25.200.001", "ranges": False, "patch": True},
        {"links": False, "key_width": 15, "empty_custom_is_null": True},
    ),
}
OVER_HTTP = ErpTraits(many=12)


@define(eq=False)
class Staff(Tenant):
    """What people do in the simulated tenant; an edit takes them a minute."""

    tenant: AcumaticaSimulator
    clock: Clock
    count: int = field(default=0, init=False)

    def add_customer(self, name: str) -> CustomerID:
        self.count += 1
        key = CustomerID(f"C{self.count:04}")
        self._later().put_customer(CustomerRow(id=key, name=name, email=f"{key}@contract.example"))
        return key

    def add_contact(self, customer: CustomerID, *, first_name: str, last_name: str, email: str) -> ContactID:
        row = ContactRow(
            customer=customer, first_name=first_name, last_name=last_name, email=email, custom={ENABLED: True}
        )
        return ContactID(str(self._later().put_contact(row)))

    def add_location(self, customer: CustomerID, name: str) -> LocationID:
        key = LocationID(f"L{len(self.tenant.locations_of(customer))}")
        self._later().put_location(LocationRow(id=key, customer=customer, name=name))
        return key

    def rename_customer(self, customer: CustomerID, name: str) -> None:
        self._later().put_customer(evolve(self.tenant.customer(customer), name=name))

    def rename_contact(self, contact: ContactID, first_name: str) -> None:
        self._later().put_contact(evolve(self.tenant.contact(int(contact)), first_name=first_name))

    def rename_location(self, customer: CustomerID, location: LocationID, name: str) -> None:
        self._later().put_location(evolve(self.tenant.location(customer, location), name=name))

    def set_primary(self, customer: CustomerID, contact: ContactID | None) -> None:
        self._later().set_primary(customer, int(contact) if contact else None)

    def move_contact(self, contact: ContactID, customer: CustomerID | None) -> None:
        self._later().put_contact(evolve(self.tenant.contact(int(contact)), customer=customer))

    def delete_contact(self, contact: ContactID) -> None:
        self._later().delete_contact(int(contact))

    def _later(self) -> AcumaticaSimulator:
        self.clock.sleep(60)
        return self.tenant


@pytest.fixture
def clock() -> Clock:
    """Return a clock that waits for nobody."""
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> AcumaticaSimulator:
    """Return an empty tenant."""
    return AcumaticaSimulator(now=clock.now)


class TestAcumatica(ErpContract):
    """The client over simulated instances."""

    @pytest.fixture(params=[*INSTANCES], ids=str)
    def instance(self, request: pytest.FixtureRequest, clock: Clock) -> tuple[AcumaticaSimulator, AcumaticaConfig]:
        """Return an instance, and how it is reached."""
        config, settings = INSTANCES[request.param]
        simulator = AcumaticaSimulator(settings=AcumaticaSettings(**settings), now=clock.now)
        return simulator, AcumaticaConfig(url="https://erp.example/Live", **(FIELDS | config))

    @pytest.fixture
    def erp(self, instance: tuple[AcumaticaSimulator, AcumaticaConfig], clock: Clock) -> Iterator[Acumatica]:
        """Yield a client."""
        simulator, config = instance
        with Acumatica(config, PASSWORD, simulator, clock=clock, parallel=1) as erp:
            yield erp

    @pytest.fixture
    def tenant(self, instance: tuple[AcumaticaSimulator, AcumaticaConfig], clock: Clock) -> Tenant:
        """Return its people."""
        return Staff(instance[0], clock)


class TestAcumaticaOverHttp(ErpContract):
    """The client over real HTTP."""

    traits = OVER_HTTP

    @pytest.fixture
    def erp(self, simulator: AcumaticaSimulator) -> Iterator[Acumatica]:
        """Yield a client."""
        with Server(simulator) as server, httpx.Client(verify=NO_TLS) as http:
            config = AcumaticaConfig(url=server.url, **FIELDS)
            with Acumatica(config, PASSWORD, HttpxTransport(http)) as erp:
                yield erp

    @pytest.fixture
    def tenant(self, simulator: AcumaticaSimulator, clock: Clock) -> Tenant:
        """Return its people."""
        return Staff(simulator, clock)


class TestAsyncAcumaticaOverHttp(AsyncErpContract):
    """The async client over real HTTP."""

    traits = OVER_HTTP

    @pytest.fixture
    def erp(self, simulator: AcumaticaSimulator) -> Iterator[AsyncAcumatica]:
        """Yield a client."""
        with Server(simulator) as server:
            self.http = httpx.AsyncClient(verify=NO_TLS)
            config = AcumaticaConfig(url=server.url, **FIELDS)
            yield AsyncAcumatica(config, PASSWORD, AsyncHttpxTransport(self.http))

    @pytest.fixture
    def tenant(self, simulator: AcumaticaSimulator, clock: Clock) -> Tenant:
        """Return its people."""
        return Staff(simulator, clock)

    async def close(self, erp: AsyncErp) -> None:
        """Sign out, and close the connections."""
        assert isinstance(erp, AsyncAcumatica)
        await erp.close()
        await self.http.aclose()


# ------------------------------------------------------------------ random edits
def memory() -> tuple[MemoryErp, Tenant]:
    """Return an ERP in memory, by small pages, and its people."""
    erp = MemoryErp(page_size=2)
    return erp, People(erp)


def acumatica() -> tuple[Acumatica, Tenant]:
    """Return a client of a simulated tenant that stamps no primary mark, by small pages, and its people."""
    clock = Clock()
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(primary_moves_stamp=False), now=clock.now)
    config = AcumaticaConfig(url="https://erp.example/Live", **{**FIELDS, "wave": 2, "page": 3, "keys_page": 2})
    return Acumatica(config, PASSWORD, simulator, clock=clock, parallel=1), Staff(simulator, clock)


TestMemoryErpUnderRandomEdits = erp_machine(memory)
TestAcumaticaUnderRandomEdits = erp_machine(acumatica, examples=6)


class ForgetsMoves(MemoryErp):
    """Says nothing of contacts that are no customer's any more."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        return evolve(super().read(query, after), strays=())


def test_random_edits_find_what_is_missed() -> None:
    """An ERP that tells nobody of a detached contact is caught by random edits as well."""

    def make() -> tuple[MemoryErp, Tenant]:
        erp = ForgetsMoves()
        return erp, People(erp)

    machine: Any = erp_machine(make)
    machine.settings = settings(machine.settings, max_examples=100, derandomize=True, phases=[Phase.generate])
    with pytest.raises(BrokenContractError, match=r"ChangedSince.*after the edits above"):
        machine("runTest").debug()
