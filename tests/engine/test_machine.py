"""The state machine: people edit both sides, runs are cut off, refused and left unanswered."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from attrs import define, evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from acumatica_b2b import ContactSync, Everything, HandOver, SyncPolicy
from acumatica_b2b.drivers import Parties, Seeded
from acumatica_b2b.errors import AcumaticaB2BError
from acumatica_b2b.model import (
    Company,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Record,
    RecordKind,
    SiteAssociation,
)
from acumatica_b2b.report import RunReport
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import Crash, Fault, Faults, FaultyErp, FaultyShop, FaultyStore, MemoryErp, MemoryShop
from acumatica_b2b.testing.strategies import MoveContact, edit, erp_edits, note_id
from tests import oracle

POOL = tuple(f"{name}@b.example" for name in ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"))
ON, OFF = SiteAssociation(enabled=True), SiteAssociation(enabled=False)


def good_contact(key: ContactID, customer: CustomerID, email: str) -> Contact:
    """Return a contact with whom nothing is wrong."""
    return Contact(
        id=key,
        note_id=note_id(2, int(key)),
        customer=customer,
        first_name="Given",
        last_name=f"Family{key}",
        email=email,
        phones=("555-0101",),
        association=ON,
    )


def good_customer(number: int, people: int) -> Customer:
    """Return a customer with whom nothing is wrong; the addresses of its contacts are the pool's."""
    key = CustomerID(f"C{number}")
    address = PostalAddress(line1="1 Main St", city="Springfield", state="IL", country="US")
    ids = [ContactID(str(number * 100 + n)) for n in range(people)]
    return Customer(
        id=key,
        note_id=note_id(1, number),
        name=f"Customer {number}",
        email=f"office{number}@a.example",
        phones=("555-0100",),
        address=address,
        primary_contact=ids[0] if ids else None,
        contacts=tuple(good_contact(one, key, POOL[(4 * number + n) % len(POOL)]) for n, one in enumerate(ids)),
        locations=(
            Location(id=LocationID("MAIN"), note_id=note_id(3, number), name="Main", default=True, address=address),
        ),
    )


SEEDS = st.integers(0, 2**32)
LATE = st.builds(
    lambda quiet, faults: [Fault.NONE] * quiet + faults,
    st.integers(1, 40),
    st.lists(st.sampled_from(Fault), min_size=1, max_size=3),
)
FAULTS = st.sampled_from((*(Fault.NONE,) * 6, *Fault))


@define
class Clock:
    """A clock that tests move."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


class Syncs(RuleBasedStateMachine):
    """Whatever happens: after a clean run the shop is as the oracle says, and was never unsafe before."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.clock = Clock()
        self.store = MemoryStore()
        self.erp = MemoryErp()
        self.policy = SyncPolicy()
        self.history = oracle.History()
        self.people = 0
        self.movers: set[ContactID] = set()

    @initialize(
        people=st.lists(st.integers(1, 4), min_size=1, max_size=2),
        hand_over=st.sampled_from(HandOver),
        inline=st.booleans(),
        kept=st.booleans(),
    )
    def begin(self, people: list[int], hand_over: HandOver, *, inline: bool, kept: bool) -> None:
        """Load the ERP, open the shop."""
        self.erp.put(*(good_customer(number, count) for number, count in enumerate(people, 1)))
        self.shop = MemoryShop(
            hand_over=hand_over,
            admin_at_creation=inline,
            strict=hand_over is HandOver.DEMOTE_FIRST,
            keeps_external_id=kept,
            on_write=self.check_write,
        )
        self.was = self.shop.snapshot()

    # ---- people
    @rule(seeds=st.lists(SEEDS, min_size=1, max_size=4))
    def people_work_in_acumatica(self, seeds: list[int]) -> None:
        """Change what matters."""
        for seed in seeds:
            self.edit_erp(random.Random(seed))

    @rule(data=st.data())
    def somebody_edits_anything(self, data: st.DataObject) -> None:
        """Change anything, to something odd as likely as not."""
        change = data.draw(erp_edits(self.erp))
        self.movers |= {change.contact} if isinstance(change, MoveContact) else set()
        edit(self.erp, change)

    @precondition(lambda self: any(company.users for company in self.shop.snapshot().values()))
    @rule(seed=SEEDS)
    def somebody_edits_the_shop(self, seed: int) -> None:
        """Change something by hand in the shop."""
        die = random.Random(seed)
        companies = sorted(self.shop.snapshot().values(), key=lambda company: int(company.id))
        company = die.choice([company for company in companies if company.users])
        user = die.choice(company.users)
        match die.choice(("name", "phone", "add", "delete")):
            case "name":
                self.shop.edit_user(user.id, (("first_name", "Changed"),))
            case "phone":
                self.shop.edit_user(user.id, (("phone", "555-0999"),))
            case "add":
                self.people += 1
                self.shop.add_user(company.id, f"person{self.people}@outside.example", role="Junior Buyer")
            case _ if len(company.users) > 1:
                self.shop.delete_user(user.id)
            case _:
                pass
        self.was = self.shop.snapshot()

    def edit_erp(self, die: random.Random) -> None:
        """Change what matters: who is primary, who has which address, who takes part, whose contact it is."""
        customer = die.choice(sorted(self.erp.snapshot().values(), key=lambda held: held.id))
        what = die.choice(("primary", "primary", "email", "email", "opt-in", "add", "remove", "move"))
        if what == "add":
            self.erp.put_contact(customer.id, good_contact(self.erp.next_contact_id(), customer.id, die.choice(POOL)))
        elif customer.contacts:
            self.edit_contact(what, customer, die.choice(customer.contacts), die)

    def edit_contact(self, what: str, customer: Customer, contact: Contact, die: random.Random) -> None:
        """Change one contact."""
        match what:
            case "primary":
                self.erp.set_primary(customer.id, contact.id)
            case "email":
                self.erp.put_contact(customer.id, evolve(contact, email=die.choice(POOL)))
            case "opt-in":
                association = OFF if contact.association == ON else ON
                self.erp.put_contact(customer.id, evolve(contact, association=association, active=True))
            case "remove":
                self.erp.remove_contact(contact.id)
            case _:
                self.movers.add(contact.id)
                self.erp.move_contact(contact.id, die.choice(sorted(self.erp.snapshot())))

    # ---- runs
    @rule(script=st.one_of(LATE, st.lists(FAULTS, min_size=1, max_size=60)), seed=st.integers(0, 9))
    def a_run_goes_wrong(self, script: list[Fault], seed: int) -> None:
        """Run with faults on every side; then let its leases run out."""
        faults = Faults(script)
        with suppress(AcumaticaB2BError, Crash):
            self.run(seed, FaultyErp(self.erp, faults), FaultyShop(self.shop, faults), FaultyStore(self.store, faults))
        self.clock.sleep(self.policy.lease + 1)
        self.history = self.remembered()

    @rule(seed=st.integers(0, 9))
    def a_run_goes_well(self, seed: int) -> None:
        """Run without faults: the end is as the oracle says, and nothing is left to do."""
        report = self.run(seed, self.erp, self.shop, self.store)
        assert not report.stopped
        held = frozenset(f.record for f in report.findings if f.kind.name in {"GUARD_HELD", "ABORTED", "REFUSED"})
        # whether people's deletion holds for a contact that moves on is left open
        movers = {Record(RecordKind.CONTACT, one) for one in self.step().deleted & self.movers}
        step = evolve(self.step(), excused=held | movers)
        after = self.companies()
        complaints = oracle.check_step(step, after)
        assert not complaints, complaints
        self.history = oracle.remember(step, after)
        again = self.run(seed, self.erp, self.shop, self.store)
        assert not again.steps, again.steps

    def remembered(self) -> oracle.History:
        """Return the past after a run that was cut off: the external ids tell whose users there are."""
        after = self.companies()
        history = oracle.remember(self.step(), after)
        notes = {one.note_id: one.id for customer in self.erp.snapshot().values() for one in customer.contacts}
        there = {user.id: (key, user) for key, company in after.items() if company for user in company.users}
        users = {
            notes[note]: (key, one) for one, (key, user) in there.items() if (note := NoteID(user.external_id)) in notes
        }
        claimed = {user for _, user in users.values()}
        old = {key: link for key, link in self.history.users.items() if link[1] in there and link[1] not in claimed}
        return evolve(history, users=old | users)

    def step(self) -> oracle.Step:
        """Return what the oracle is to judge."""
        return oracle.Step(customers=self.erp.snapshot(), before=self.found, policy=self.policy, history=self.history)

    def run(self, seed: int, erp: object, shop: object, store: object) -> RunReport:
        """Sync everything in one thread, in an order that the seed decides."""
        self.found = self.companies()
        # a wave of one: the shop is surveyed wherever there are two companies
        sync = ContactSync(
            erp=erp,  # type: ignore[arg-type]  # fakes
            storefront=shop,  # type: ignore[arg-type]  # fakes
            store=store,  # type: ignore[arg-type]  # fakes
            policy=self.policy,
            clock=self.clock,
            wave=seed % 2 or 200,
        )
        self.was = self.shop.snapshot()
        parties = Parties(erp=erp, storefront=shop, store=store, clock=self.clock)
        return Seeded(parties, random.Random(seed)).run(sync._synced(Everything()))

    def companies(self) -> dict[CustomerID, Company | None]:
        """Return the shop's companies by customer."""
        by_note = {company.external_id: company for company in self.shop.snapshot().values()}
        return {key: by_note.get(customer.note_id) for key, customer in self.erp.snapshot().items()}

    # ---- always
    def check_write(self) -> None:
        """After each single write: nobody lost the last admin, no person is there twice."""
        now = self.shop.snapshot()
        for key, company in now.items():
            had = self.was.get(key)
            if had and self.shop.hand_over is not HandOver.DEMOTE_FIRST and _admins(had):
                assert _admins(company), f"company {key} lost its last admin"
        ids = [user.external_id for company in now.values() for user in company.users if user.external_id]
        assert len(ids) == len(set(ids)), "a person is there twice"
        outside = {u.id for c in self.was.values() for u in c.users if u.email.endswith("outside.example")}
        assert outside <= {u.id for c in now.values() for u in c.users}, "somebody who was not ours was removed"
        self.was = now


def _admins(company: Company) -> int:
    return sum(user.role == "Admin" for user in company.users)


TestSyncs = Syncs.TestCase
TestSyncs.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
