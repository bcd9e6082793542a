"""The state machine: people edit both sides, runs are cut off, refused and left unanswered."""

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import define, evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

sys.path.insert(0, str(Path(__file__).parents[1]))

import oracle

from acumatica_b2b import ContactSync, Everything, HandOver, SyncPolicy
from acumatica_b2b.drivers import Parties, Seeded
from acumatica_b2b.errors import AcumaticaB2BError
from acumatica_b2b.model import Company, Customer, CustomerID
from acumatica_b2b.report import RunReport
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import Crash, Fault, Faults, FaultyErp, FaultyShop, FaultyStore, MemoryErp, MemoryShop
from acumatica_b2b.testing.strategies import edit, erp_edits, erps

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

    @initialize(
        customers=erps(),
        hand_over=st.sampled_from(HandOver),
        inline=st.booleans(),
        kept=st.booleans(),
    )
    def begin(self, customers: tuple[Customer, ...], hand_over: HandOver, *, inline: bool, kept: bool) -> None:
        """Load the ERP, open the shop."""
        self.erp.put(*customers)
        self.shop = MemoryShop(
            hand_over=hand_over,
            admin_at_creation=inline,
            strict=hand_over is HandOver.DEMOTE_FIRST,
            keeps_external_id=kept,
            on_write=self.check_write,
        )
        self.was = self.shop.snapshot()

    # ---- people
    @rule(data=st.data())
    def somebody_edits_the_erp(self, data: st.DataObject) -> None:
        """Change something in Acumatica."""
        edit(self.erp, data.draw(erp_edits(self.erp)))

    @precondition(lambda self: any(company.users for company in self.shop.snapshot().values()))
    @rule(data=st.data())
    def somebody_edits_the_shop(self, data: st.DataObject) -> None:
        """Change something by hand in the shop."""
        companies = sorted(self.shop.snapshot().values(), key=lambda company: int(company.id))
        company = data.draw(st.sampled_from([company for company in companies if company.users]))
        user = data.draw(st.sampled_from(company.users))
        match data.draw(st.sampled_from(("name", "role", "add", "delete"))):
            case "name":
                self.shop.edit_user(user.id, (("first_name", "Changed"),))
            case "role":
                self.shop.edit_user(user.id, (("last_name", "Too"),))
            case "add":
                self.people += 1
                self.shop.add_user(company.id, f"person{self.people}@outside.example", role="Junior Buyer")
            case _ if len(company.users) > 1:
                self.shop.delete_user(user.id)
            case _:
                pass
        self.was = self.shop.snapshot()

    # ---- runs
    @rule(script=st.lists(FAULTS, min_size=1, max_size=60), seed=st.integers(0, 9))
    def a_run_goes_wrong(self, script: list[Fault], seed: int) -> None:
        """Run with faults on every side; then let its leases run out."""
        faults = Faults(script)
        try:
            self.run(seed, FaultyErp(self.erp, faults), FaultyShop(self.shop, faults), FaultyStore(self.store, faults))
        except (AcumaticaB2BError, Crash):
            pass
        self.clock.sleep(self.policy.lease + 1)

    @rule(seed=st.integers(0, 9))
    def a_run_goes_well(self, seed: int) -> None:
        """Run without faults: the end is as the oracle says, and nothing is left to do."""
        before = self.companies(self.shop.snapshot())
        report = self.run(seed, self.erp, self.shop, self.store)
        assert not report.stopped
        held = frozenset(f.record for f in report.findings if f.kind.name in {"GUARD_HELD", "ABORTED", "REFUSED"})
        step = oracle.Step(
            customers=self.erp.snapshot(), before=before, policy=self.policy, history=self.history, excused=held
        )
        after = self.companies(self.shop.snapshot())
        assert oracle.check_step(step, after) == []
        self.history = oracle.remember(step, after)
        again = self.run(seed, self.erp, self.shop, self.store)
        assert again.steps == ()

    def run(self, seed: int, erp: object, shop: object, store: object) -> RunReport:
        """Sync everything in one thread, in an order that the seed decides."""
        sync = ContactSync(erp=erp, storefront=shop, store=store, policy=self.policy, clock=self.clock)  # type: ignore[arg-type]  # fakes
        self.was = self.shop.snapshot()
        parties = Parties(erp=erp, storefront=shop, store=store, clock=self.clock)
        return Seeded(parties, random.Random(seed)).run(sync._synced(Everything()))

    def companies(self, shop: dict[object, Company]) -> dict[CustomerID, Company | None]:
        """Return the shop's companies by customer."""
        by_note = {customer.note_id: key for key, customer in self.erp.snapshot().items()}
        admins = self.journal_owner()
        found: dict[CustomerID, Company | None] = dict.fromkeys(self.erp.snapshot())
        for company in shop.values():
            key = by_note.get(company.external_id) or admins.get(company.id)
            if key:
                found[key] = company
        return found

    def journal_owner(self) -> dict[object, CustomerID]:
        """Return which company was made for which customer, where the external id got lost."""
        return {}

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
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
