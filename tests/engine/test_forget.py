"""Forgetting a person: the log keeps what happened, and not to whom."""

import asyncio
from collections.abc import Callable

import pytest
from attrs import define, evolve, field

from acumatica_b2b import AsyncContactSync, ContactSync, DecisionError, SyncPolicy, in_threads
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.forgetting import SOMEBODY
from acumatica_b2b.model import Contact, Record, RecordKind
from acumatica_b2b.policy import ExistingShoppers
from acumatica_b2b.protocols import AsyncSyncLogStore, LogKey, SyncLogStore
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.synclog import digest
from acumatica_b2b.terms import LeftToAnotherError
from acumatica_b2b.testing import (
    AsyncFaultyStore,
    AsyncStoreOf,
    Crash,
    Fault,
    FaultyShop,
    FaultyStore,
    MemoryErp,
    MemoryShop,
    at,
    whenever,
)
from tests.bench import BILL, HERE, MARK, THERE, Bench, contact, customer

ZORA = contact(987_001, "Zora", last_name="Quibble", phones=("555-0187",))
RECORD = Record(RecordKind.CONTACT, ZORA.id)


def stored(bench: Bench) -> str:
    """Return all that the store holds, keys included."""
    commits = (commit for log in bench.store._logs.values() for commit in log.values())
    return "\n".join(f"{commit.key} {commit.body}" for commit in commits)


def traces(one: Contact, user: str, *more: str) -> set[str]:
    """Return the texts that must not be found: values, ids, and the digests of values."""
    values = (one.first_name, one.last_name, one.email, *one.phones, *more)
    return {one.id, one.note_id, f'"id":"{user}"', *values, *(digest(value) for value in (*values, one.note_id))}


@define(eq=False)
class Hoarding(MemoryStore):
    """A store whose runs die before they drop anything."""

    hoards: bool = True

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits, at last."""
        if not self.hoards:
            super().drop(key, before)


def left(bench: Bench) -> str:
    """Have Zora come, become primary, change her address, and be deleted; return her company user's id."""
    bench.put(customer(MARK, BILL, ZORA, primary=ZORA))
    bench.sync()
    user = bench.user(ZORA).id
    bench.change(ZORA, email="zora.new@acme.example")
    bench.sync()
    bench.change_customer(primary_contact=MARK.id)
    bench.sync()
    bench.erp.remove_contact(ZORA.id)
    assert bench.sync().ok
    assert not bench.find_user(ZORA)
    return user


POLICIES = (
    SyncPolicy(),
    SyncPolicy(snapshot_every=2),
    SyncPolicy(existing_shoppers=ExistingShoppers.HOLD),
    SyncPolicy(retention_days=None),
)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("inline", [False, True])
def test_nothing_is_left_of_a_person(policy: SyncPolicy, inline: bool) -> None:  # noqa: FBT001  # a table's column
    """After forgetting, the store holds no name, address, phone number, id or digest of the person, in no key."""
    shop = MemoryShop(admin_at_creation=inline, keeps_admin_external_id=False)
    bench = Bench(policy=evolve(policy, external_ids_at_once=True), shop=shop)
    user = left(bench)
    words = traces(ZORA, user, "zora.new@acme.example")
    assert any(word in stored(bench) for word in words)
    assert bench.contact_sync.forget(ZORA.id).customers == (HERE,)
    assert {word for word in words if word in stored(bench)} == set()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_shape_is_kept(policy: SyncPolicy) -> None:
    """The Customer Log has as many rows as before, at the same times; what was about the person is about somebody."""
    bench = Bench(policy=policy)
    left(bench)
    before = bench.log()
    forgotten = bench.contact_sync.forget(ZORA.id)
    after = bench.log()
    assert [(row.at, row.what, row.status) for row in after] == [(row.at, row.what, row.status) for row in before]
    assert [row for row in after if row.record != SOMEBODY] == [row for row in before if row.record != RECORD]
    assert forgotten.rows == sum(row.record == RECORD for row in before) > 4


def test_the_others_are_not_touched() -> None:
    """Links and grants of the others are known as before: the next sync does nothing."""
    bench = Bench(shop=MemoryShop(addresses=True))
    left(bench)
    bench.contact_sync.forget(ZORA.id)
    assert bench.sync().steps == ()
    bench.change_customer(primary_contact=BILL.id)
    assert bench.sync().ok
    assert bench.admins() == {"bill"}


def test_who_has_a_company_user_is_not_forgotten() -> None:
    """A contact whose user is there would be written of again: the error says how to go about it."""
    bench = Bench()
    bench.put(customer(MARK, ZORA, primary=MARK))
    bench.sync()
    before = stored(bench)
    with pytest.raises(DecisionError, match="delete it in Acumatica and sync"):
        bench.contact_sync.forget(ZORA.id)
    assert stored(bench) == before


def test_somebody_unknown_is_forgotten_at_once() -> None:
    """Of a contact that the log never heard of nothing is erased, and nothing written."""
    bench = Bench()
    left(bench)
    before = bench.versions()
    assert bench.contact_sync.forget("424242").customers == ()
    assert bench.versions() == before


def test_somebody_else_may_be_forgotten_later() -> None:
    """Who is forgotten after another one is forgotten in its own logs only."""
    bench = Bench()
    left(bench)
    bench.contact_sync.forget(ZORA.id)
    before = bench.versions()
    assert bench.contact_sync.forget("424242").customers == ()
    assert bench.versions() == before


def test_what_a_snapshot_stands_for_goes_too() -> None:
    """Commits below a snapshot that names the person no more go as well: nobody reads them, but they are there."""
    bench = Bench(store=Hoarding(), policy=SyncPolicy(retention_days=1))
    bench.put(customer(MARK, ZORA, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.erp.move_contact(ZORA.id, THERE)
    bench.sync()
    user = bench.user(ZORA).id
    bench.clock.sleep(2 * 86_400)
    bench.erp.remove_contact(ZORA.id)
    bench.sync()
    (here,) = bench.store.load([LogKey("store/customer/C1")])
    assert here[0].snapshot
    assert ZORA.id not in here[0].body
    assert any(ZORA.id in commit.body for commit in bench.store._logs[here[0].key].values())
    bench.store.hoards = False  # type: ignore[attr-defined]  # as above
    bench.contact_sync.forget(ZORA.id)
    assert {word for word in traces(ZORA, user) if word in stored(bench)} == set()


@define(eq=False)
class Remanent(MemoryStore):
    """A store in whose files what was dropped may be found until it is scrubbed."""

    happened: list[str] = field(factory=list[str])

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits."""
        super().drop(key, before)
        self.happened.append("drop")

    def scrub(self) -> None:
        """Leave nothing of them."""
        self.happened.append("scrub")


@pytest.mark.parametrize("wrapped", [lambda store: store, lambda store: FaultyStore(store, ())])
def test_a_store_is_scrubbed_when_a_person_was_forgotten(wrapped: Callable[[SyncLogStore], SyncLogStore]) -> None:
    """Forgetting ends with one scrub, behind all that it drops; who was forgotten before is scrubbed once more."""
    bench, store = Bench(policy=SyncPolicy(snapshot_every=2)), Remanent()
    bench.store = bench.contact_sync.store = store
    left(bench)
    assert "scrub" not in store.happened
    bench.contact_sync.store = wrapped(store)
    del store.happened[:]
    bench.contact_sync.forget(ZORA.id)
    assert store.happened[-2:] == ["drop", "scrub"]
    assert store.happened.count("scrub") == 1
    bench.contact_sync.forget(ZORA.id)
    assert store.happened.count("scrub") == 2


@pytest.mark.parametrize("awaited", [in_threads, AsyncStoreOf, lambda store: AsyncFaultyStore(in_threads(store), ())])
def test_an_awaited_store_is_scrubbed_too(awaited: Callable[[SyncLogStore], AsyncSyncLogStore]) -> None:
    """A store that can scrub does so in threads, awaited and with faults on cue; one that can't is left alone."""
    for store in (Remanent(), MemoryStore()):
        sync = AsyncContactSync(erp=in_threads(MemoryErp()), storefront=in_threads(MemoryShop()), store=awaited(store))
        asyncio.run(sync.forget(ZORA.id))
        assert isinstance(store, Remanent) is (getattr(store, "happened", []) == ["scrub"])


def test_what_other_customers_logs_say_of_a_person_goes_too() -> None:
    """A mover is forgotten in the logs of both customers, and where a finding named the contact."""
    bench = Bench()
    bench.put(customer(MARK, ZORA, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.add(contact(105, "Double", email=ZORA.email), THERE)
    bench.sync()
    bench.change(contact(105), email="double@acme.example")
    bench.erp.move_contact(ZORA.id, THERE)
    bench.sync()
    user = bench.user(ZORA).id
    bench.erp.remove_contact(ZORA.id)
    bench.erp.remove_contact(contact(105).id)
    assert bench.sync().ok
    assert bench.contact_sync.forget(ZORA.id).customers == (HERE, THERE)
    assert {word for word in traces(ZORA, user) if word in stored(bench)} == set()


def test_decisions_about_a_person_go_too() -> None:
    """What people decided about the contact stays as a row about somebody."""
    bench = Bench()
    bench.put(customer(MARK, ZORA, primary=MARK))
    bench.sync()
    user = bench.user(ZORA).id
    bench.contact_sync.decide(HERE, Decision(choice=Choice.UNLINK, record=RECORD), by="kim")
    bench.erp.remove_contact(ZORA.id)
    bench.sync()
    bench.contact_sync.forget(ZORA.id)
    assert {word for word in traces(ZORA, user) if word in stored(bench)} == set()
    assert (SOMEBODY, "unlinked by a person") in {(row.record, row.what) for row in bench.log()}


def test_a_run_at_work_comes_first() -> None:
    """While a run is at work on a customer whose log names the person, nothing is erased."""
    bench = Bench()
    left(bench)
    bench.change(BILL, first_name="William")
    dying = FaultyShop(bench.shop, whenever(lambda what: hasattr(what, "changes"), Fault.CRASH_AFTER))
    with pytest.raises(Crash):
        ContactSync(erp=bench.erp, storefront=dying, store=bench.store, clock=bench.clock, workers=1).sync_all()
    with pytest.raises(LeftToAnotherError, match="until"):
        bench.contact_sync.forget(ZORA.id)
    bench.clock.sleep(bench.policy.lease + 1)
    bench.sync()
    assert bench.contact_sync.forget(ZORA.id).customers == (HERE,)


def test_forgetting_that_is_cut_off_is_finished_by_the_next() -> None:
    """Wherever forgetting dies, asking for it again leaves nothing, and no row is lost or doubled."""
    number = 0
    while True:
        number += 1
        bench = Bench(policy=SyncPolicy(snapshot_every=3, existing_shoppers=ExistingShoppers.HOLD))
        user = left(bench)
        rows = len(bench.log())
        faults = at(number, Fault.CRASH_AFTER)
        dying = ContactSync(
            erp=bench.erp,
            storefront=bench.shop,
            store=FaultyStore(bench.store, faults),
            clock=bench.clock,
            policy=bench.policy,
        )
        try:
            dying.forget(ZORA.id)
        except Crash:
            bench.contact_sync.forget(ZORA.id)
        else:
            break
        assert {w for w in traces(ZORA, user, "zora.new@acme.example") if w in stored(bench)} == set(), number
        assert len(bench.log()) == rows, number
        assert bench.sync().steps == ()
    assert number > 8


def test_who_is_left_over_can_be_unlinked_and_forgotten() -> None:
    """A contact whose customer and company are both gone is still linked in the log: it is unlinked, then forgotten."""
    bench = Bench()
    bench.put(customer(ZORA, primary=ZORA), customer(MARK, number=2, primary=MARK))
    bench.sync()
    user = bench.user(ZORA).id
    bench.shop.delete_company(bench.company().id)
    bench.erp.remove_contact(ZORA.id)
    bench.erp.remove_customer(HERE)
    bench.sync()
    with pytest.raises(DecisionError, match="or unlink it where its company is gone"):
        bench.contact_sync.forget(ZORA.id)
    bench.contact_sync.decide(HERE, Decision(choice=Choice.UNLINK, record=RECORD), by="kim")
    bench.contact_sync.forget(ZORA.id)
    assert {word for word in traces(ZORA, user) if word in stored(bench)} == set()


def test_the_index_keys_of_others_stay() -> None:
    """Only the person's own key goes from the index over all customers."""
    bench = Bench()
    left(bench)
    keys = {LogKey(f"store/contact/{one.id}") for one in (MARK, BILL, ZORA)}
    assert keys <= bench.store._logs.keys()
    bench.contact_sync.forget(ZORA.id)
    assert keys & bench.store._logs.keys() == keys - {LogKey(f"store/contact/{ZORA.id}")}


def test_who_took_over_a_user_keeps_what_is_known_of_it() -> None:
    """Forgetting a contact whose user went over to another one takes neither grant nor former role from that one."""
    bench = Bench()
    bench.put(customer(MARK, BILL, primary=MARK))
    bench.sync()
    anew = evolve(MARK, id=contact(105).id, note_id=contact(105).note_id)
    bench.erp.remove_contact(MARK.id)
    bench.add(anew)
    bench.change_customer(primary_contact=anew.id)
    bench.sync()
    assert bench.admins() == {"mark"}
    bench.contact_sync.forget(MARK.id)
    bench.change_customer(primary_contact=BILL.id)
    assert bench.sync().ok
    assert bench.admins() == {"bill"}


def test_a_number_is_not_a_name() -> None:
    """A customer whose records have the same number as the contact, being something else, is not touched."""
    bench = Bench()
    left(bench)
    before = stored(bench)
    assert bench.contact_sync.forget(bench.user(BILL).id).customers == ()
    assert stored(bench) == before


def test_an_address_that_somebody_has_now_stays_known() -> None:
    """Forgetting who had an address first leaves it known as one of ours for who has it now."""
    bench = Bench(policy=SyncPolicy(existing_shoppers=ExistingShoppers.HOLD))
    bench.put(customer(MARK, ZORA, primary=MARK))
    bench.sync()
    bench.change(ZORA, email="zora.new@acme.example")
    bench.sync()
    bench.add(evolve(BILL, email=ZORA.email))
    bench.sync()
    bench.erp.remove_contact(ZORA.id)
    bench.sync()
    bench.contact_sync.forget(ZORA.id)
    bench.change(BILL, active=False)
    bench.sync()
    bench.change(BILL, active=True)
    bench.sync()
    assert bench.user(BILL).email == ZORA.email
