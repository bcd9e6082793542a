"""A state machine for ERPs: random edits by people, and what is read of them, held against a plain model."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final
from unittest import TestCase

from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from acumatica_b2b.model import ContactID, Customer, CustomerID, LocationID
from acumatica_b2b.protocols import ChangedSince, Erp, Everything, PrimaryMarks, Watermark
from acumatica_b2b.testing.contract.broken import Why, broken, differences
from acumatica_b2b.testing.contract.erp_bench import ErpBench, ErpTraits, contact_view, refer
from acumatica_b2b.testing.contract.tenant import Tenant, offers

_NAMES: Final = ("Ann", "Bea", "Zoë", "O'Neil")
_WHY: Final = Why(
    "what people did in the ERP would not reach the shop, or reach the wrong company",
    "the edits above: which of them did the reading not see?",
)
_CUSTOMERS: Final = Bundle[CustomerID]("customers")
_CONTACTS: Final = Bundle[ContactID]("contacts")
_LOCATIONS: Final = Bundle[tuple[CustomerID, LocationID]]("locations")


@define
class Known:
    """Some customers, their primary contacts and locations, and whose each contact is."""

    names: dict[CustomerID, str] = field(factory=dict[CustomerID, str])
    primaries: dict[CustomerID, ContactID | None] = field(factory=dict[CustomerID, ContactID | None])
    places: dict[tuple[CustomerID, LocationID], str] = field(factory=dict[tuple[CustomerID, LocationID], str])
    people: dict[ContactID, dict[str, object]] = field(factory=dict[ContactID, dict[str, object]])

    @property
    def told(self) -> Mapping[str, object]:
        """All of it, by what a failure calls it."""
        customers = {f"customer {key}": name for key, name in self.names.items()}
        primaries = {f"primary contact of {key}": contact for key, contact in self.primaries.items()}
        places = {f"location {place} of {key}": name for (key, place), name in self.places.items()}
        people = {f"contact {key}": fields for key, fields in self.people.items() if fields["customer"]}
        return {**customers, **primaries, **places, **people}

    def learn(self, customer: Customer) -> None:
        """Take in what a reading says of a customer."""
        self.names[customer.id] = customer.name
        mine = {key for key in self.places if key[0] == customer.id}
        for place in mine:
            del self.places[place]
        self.places |= {(customer.id, place.id): place.name for place in customer.locations}
        for contact, fields in self.people.items():
            if fields["customer"] == customer.id:
                self.people[contact] = {**fields, "customer": None}
        self.people |= {contact.id: contact_view(contact) for contact in customer.contacts}


def _can(edit: str) -> Callable[["ErpMachine"], bool]:
    return lambda machine: offers(machine.bench.tenant, edit)


class ErpMachine(RuleBasedStateMachine):
    """Random edits; what is read of everything, and of changes, is what was entered. Subclass it with `make`."""

    traits: ClassVar[ErpTraits] = ErpTraits()

    def __init__(self) -> None:
        super().__init__()
        erp, tenant = self.make()
        self.bench = ErpBench(erp, tenant, self.traits)
        self.there, self.seen = Known(), Known()
        self.mark = Watermark("")
        self.away = 0

    def make(self) -> tuple[Erp, Tenant]:
        """Return an ERP of yours, empty or not, and its people."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        """Read everything once, as a first run does."""
        self.mark = self.bench.read(Everything()).watermark

    # ---- what people do
    @rule(target=_CUSTOMERS)
    def add_customer(self) -> CustomerID:
        """Enter a customer."""
        made = self.bench.customer(contacts=0)
        self.there.names[made.id], self.there.primaries[made.id] = made.name, None
        return made.id

    @rule(target=_CONTACTS, customer=_CUSTOMERS)
    def add_contact(self, customer: CustomerID) -> ContactID:
        """Enter a contact."""
        key, fields = self.bench.contact(customer)
        self.there.people[key] = dict(fields)
        return key

    @precondition(_can("add_location"))
    @rule(target=_LOCATIONS, customer=_CUSTOMERS, name=st.sampled_from(_NAMES))
    def add_location(self, customer: CustomerID, name: str) -> tuple[CustomerID, LocationID]:
        """Enter a location."""
        key = (customer, self.bench.tenant.add_location(customer, name))
        self.there.places[key] = name
        return key

    @precondition(_can("rename_customer"))
    @rule(customer=_CUSTOMERS, name=st.sampled_from(_NAMES))
    def rename_customer(self, customer: CustomerID, name: str) -> None:
        """Give a customer another name."""
        self.bench.tenant.rename_customer(customer, name)
        self.there.names[customer] = name

    @precondition(_can("rename_contact"))
    @rule(contact=_CONTACTS, name=st.sampled_from(_NAMES))
    def rename_contact(self, contact: ContactID, name: str) -> None:
        """Give a contact of a customer another first name."""
        if self.there.people[contact]["customer"]:
            self.bench.tenant.rename_contact(contact, name)
            self.there.people[contact]["first_name"] = name

    @precondition(_can("rename_location"))
    @rule(place=_LOCATIONS, name=st.sampled_from(_NAMES))
    def rename_location(self, place: tuple[CustomerID, LocationID], name: str) -> None:
        """Give a location another name."""
        self.bench.tenant.rename_location(*place, name)
        self.there.places[place] = name

    @precondition(_can("set_primary"))
    @rule(contact=_CONTACTS)
    def set_primary(self, contact: ContactID) -> None:
        """Make a contact its customer's primary one."""
        customer = self.there.people[contact]["customer"]
        if customer in self.there.names:
            home = next(key for key in self.there.names if key == customer)
            self.bench.tenant.set_primary(home, contact)
            self.there.primaries[home] = contact

    @precondition(_can("move_contact"))
    @rule(contact=_CONTACTS, customer=st.none() | _CUSTOMERS)
    def move_contact(self, contact: ContactID, customer: CustomerID | None) -> None:
        """Attach a contact that is nobody's primary one to a customer, or to none."""
        if contact not in self.there.primaries.values():
            self.bench.tenant.move_contact(contact, customer)
            self.there.people[contact]["customer"] = customer

    @rule(contact=_CONTACTS, value=st.sampled_from(["", "12345"]))
    def write_reference(self, contact: ContactID, value: str) -> None:
        """Write a reference, which changes nothing that people entered."""
        home = next((key for key in self.there.names if key == self.there.people[contact]["customer"]), None)
        if home is not None:
            customer, part = self.bench.seen(home), self.bench.contact_seen(contact)
            self.bench.wrote(refer(customer, part, value))

    # ---- what is read
    @rule()
    def read_everything(self) -> None:
        """Read everything: it is what was entered."""

        def look() -> Mapping[str, object]:
            return self._known(self.bench.read(Everything()).by_id, Known()).told

        self._require("read(Everything())", self.bench.until(look, self._is_all))

    @rule(steps=st.integers(1, 3))
    def look_away(self, steps: int) -> None:
        """Read no changes for some steps."""
        self.away = steps + 1

    @invariant()
    def read_changes(self) -> None:
        """Read what changed: with all that was read before it makes what was entered."""
        self.away = max(0, self.away - 1)
        if self.away:
            return

        def look() -> Mapping[str, object]:
            reading = self.bench.read(ChangedSince(watermark=self.mark))
            strays = {contact for page in reading.pages for contact in page.strays}
            self.seen.people |= {
                key: {**self.seen.people[key], "customer": None} for key in strays & {*self.seen.people}
            }
            self.mark = reading.watermark
            return self._known(reading.by_id, self.seen).told

        self._require("read(ChangedSince), again and again", self.bench.until(look, self._is_all))

    def _known(self, found: Mapping[CustomerID, Customer], known: Known) -> Known:
        for key in found.keys() & self.there.names.keys():
            known.learn(found[key])
        marks = self.bench.read(PrimaryMarks()).by_id
        known.primaries = {key: marks[key].primary_contact for key in self.there.names if key in marks}
        return known

    def _is_all(self, seen: Mapping[str, object]) -> bool:
        return seen == self.there.told

    def _require(self, did: str, seen: Mapping[str, object]) -> None:
        wanted, but = differences(self.there.told, seen)
        if wanted:
            raise broken(did=f"{did}, after the edits above", should=f"show {wanted}", but=f"it shows {but}", why=_WHY)
        if more := sorted(seen.keys() - self.there.told.keys()):
            raise broken(did=f"{did}, after the edits above", should="show no more", but=f"{more[0]} too", why=_WHY)


def erp_machine(
    make: Callable[[], tuple[Erp, Tenant]], traits: ErpTraits | None = None, *, examples: int = 20, steps: int = 20
) -> type[TestCase]:
    """Return a test that tries random edits, each trial on an ERP of its own.

    Example::

        TestMyErpUnderRandomEdits = erp_machine(lambda: (erp := MyErp(...), MyTenant(erp)), examples=50)

    """
    chosen = traits or ErpTraits()

    class TriedErp(ErpMachine):
        traits = chosen

        def make(self) -> tuple[Erp, Tenant]:
            return make()

    case: type[TestCase] = TriedErp.TestCase
    slow = (HealthCheck.too_slow, HealthCheck.filter_too_much)
    case.settings = settings(  # type: ignore[attr-defined]  # hypothesis reads it there
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=slow
    )
    return case
