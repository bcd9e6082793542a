"""Who was forgotten has left no trace in the log's file, and everybody else is still there."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define, field
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from acumatica_b2b import ContactSync, SyncPolicy
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.errors import DecisionError
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, Record, RecordKind, SiteAssociation
from acumatica_b2b.policy import ExistingShoppers
from acumatica_b2b.stores import SqliteStore
from acumatica_b2b.synclog import digest
from acumatica_b2b.testing import Fault, FaultyShop, MemoryErp, MemoryShop, randomly
from acumatica_b2b.testing.faults import Cue
from acumatica_b2b.testing.strategies import erps, note_id
from tests.systems.conftest import NO_LIMITS, Clock

VERA: Final = ContactID("7300519")
RECORD: Final = Record(RecordKind.CONTACT, VERA)
LOOKS: Final = (
    ("Vera", "Verazq", "vera.zq1@one.example", "555-7300-1"),
    ("Verena", "Vosszq", "vera.zq2@two.example", "555-7300-2"),
)
"""First name, last name, address and phone of the person, one day and another."""


def texts() -> set[str]:
    """Return all that tells of her, and what the log might keep instead: digests."""
    plain = {VERA, str(note_id(2, int(VERA))), *(text for look in LOOKS for text in look)}
    return plain | {digest(text) for text in plain} | {digest((text,)) for text in plain}


@define(eq=False)
class Scene:
    """An ERP, a shop and a log in a file, in which one person is to be forgotten."""

    customers: Sequence[Customer]
    policy: SyncPolicy
    store: SqliteStore
    shop: MemoryShop = field(factory=MemoryShop)
    clock: Clock = field(factory=Clock)
    erp: MemoryErp = field(factory=MemoryErp)

    def __attrs_post_init__(self) -> None:
        self.erp.put(*self.customers)

    def host(self, seed: int | None = None) -> ContactSync:
        """Return what syncs, over a shop that fails by chance where a seed is given."""
        chances: dict[Cue, float] = dict.fromkeys((Fault.REFUSED, Fault.LOST, Fault.ANSWER_LOST, Fault.NOT_SENT), 0.04)
        shop = self.shop if seed is None else FaultyShop(self.shop, randomly(seed, chances))
        return ContactSync(
            erp=self.erp, storefront=shop, store=self.store, policy=self.policy, clock=self.clock, workers=1
        )

    def day(self, seed: int | None = None) -> None:
        """Sync, and let a day pass."""
        self.host(seed).sync_all()
        self.clock.sleep(86_400)

    def she_is(self, look: int, customer: CustomerID) -> None:
        """Let her look so, and be a customer's."""
        first_name, last_name, email, phone = LOOKS[look]
        vera = Contact(
            id=VERA,
            note_id=note_id(2, int(VERA)),
            customer=customer,
            first_name=first_name,
            last_name=last_name,
            email=email,
            phones=(phone,),
            association=SiteAssociation(enabled=True, connection_type="B2B"),
        )
        self.erp.put_contact(customer, vera)

    def leaves(self) -> None:
        """Let her be removed everywhere, by people too; where she is taken for a user still, somebody says no."""
        for customer in self.erp.snapshot().values():
            if customer.primary_contact == VERA:
                self.erp.set_primary(customer.id, None)
        self.erp.remove_contact(VERA)
        self.day()
        emails = {look[2] for look in LOOKS}
        for company in self.shop.snapshot().values():
            for user in company.users:
                if user.email in emails or user.external_id == note_id(2, int(VERA)):
                    if len(company.users) == 1:  # the shop lets nobody remove the last one
                        self.shop.add_user(company.id, f"boss{company.id}@else.example", role="Admin")
                    self.shop.delete_user(user.id)
        for _ in range(3):
            self.day()

    def forgotten(self) -> None:
        """Forget her; whom the log links still, she is not."""
        try:
            self.host().forget(VERA)
        except DecisionError:
            event("linked still")
            for customer in self.customers:
                try:
                    unlink = Decision(choice=Choice.UNLINK, record=RECORD)
                    self.host().decide(customer.id, unlink, by="Olga")
                except DecisionError:
                    pass  # not with this one
            self.day()
            self.host().forget(VERA)

    def rows(self) -> dict[CustomerID, tuple[LogRow, ...]]:
        """Return the Customer Logs."""
        return {customer.id: self.host().log(customer.id) for customer in self.customers}


def contents(path: Path) -> bytes:
    """Return all that is in the file, and in those beside it."""
    return b"\n".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.name.startswith(path.name))


def traces(path: Path) -> list[str]:
    """Return which of her texts and their digests the file holds."""
    found = contents(path)
    return sorted(text for text in texts() if len(text) > 4 and text.encode() in found)


def others(rows: dict[CustomerID, tuple[LogRow, ...]]) -> Iterator[LogRow]:
    """Yield the rows that are about nobody but others."""
    return (
        row for some in rows.values() for row in some if row.record.kind is RecordKind.CONTACT and row.record != RECORD
    )


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    customers=erps(max_customers=3, max_contacts=6, ordinary=True),
    primary=st.booleans(),
    moves=st.booleans(),
    shoppers=st.sampled_from((ExistingShoppers.ADOPT, ExistingShoppers.HOLD)),
    snapshots=st.sampled_from((2, 5, 50)),
    seed=st.none() | st.integers(0, 999),
)
def test_no_trace_of_who_was_forgotten(
    customers: Sequence[Customer],
    primary: bool,  # noqa: FBT001 - drawn
    moves: bool,  # noqa: FBT001 - drawn
    shoppers: ExistingShoppers,
    snapshots: int,
    seed: int | None,
) -> None:
    """After forget neither a text of the person's, old or new, nor its digest is in the file or beside it.

    The rows of the Customer Log are as many as before, those of others say what they said, and the next run finds
    nothing to do.
    """
    policy = SyncPolicy(limits=NO_LIMITS, existing_shoppers=shoppers, snapshot_every=snapshots)
    with TemporaryDirectory() as folder, SqliteStore(path := Path(folder, "sync.sqlite")) as store:
        scene = Scene(customers, policy, store)
        scene.day(seed)
        scene.she_is(0, customers[0].id)
        if primary:
            scene.erp.set_primary(customers[0].id, VERA)
        scene.day(seed)
        if moves:
            scene.erp.move_contact(VERA, customers[-1].id)
        scene.she_is(1, customers[-1 if moves else 0].id)
        scene.day(seed)
        scene.day()
        event(f"{'known' if traces(path) else 'unknown'} to the log")
        scene.leaves()
        before = scene.rows()
        scene.forgotten()
        assert traces(path) == []
        after = scene.rows()
        assert {key: len(rows) for key, rows in after.items()} == {key: len(rows) for key, rows in before.items()}
        told = [(row.at, row.record, row.what, row.status, row.id) for row in others(before)]
        assert [
            one for row in others(after) if (one := (row.at, row.record, row.what, row.status, row.id)) in told
        ] == told
        report = scene.host().sync_all()
        assert report.steps == ()
        assert traces(path) == []
        store.close()
        assert traces(path) == []
