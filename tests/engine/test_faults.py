"""Faults as ordinary inputs: refused, unanswered, not sent, cut off, answered too briefly."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import (
    Company,
    ConfigurationError,
    Contact,
    ContactID,
    ContactSync,
    CreateCompany,
    CreateUser,
    Customer,
    CustomerID,
    FindingKind,
    HandOver,
    Location,
    LocationID,
    NoteID,
    NotSentError,
    PostalAddress,
    RejectedError,
    RemoveUser,
    RunReport,
    SetRole,
    SiteAssociation,
    StoreError,
    SyncPolicy,
)
from acumatica_b2b.protocols import Cursor, Page, Query
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import (
    Crash,
    Fault,
    Faults,
    FaultyErp,
    FaultyShop,
    FaultyStore,
    MemoryErp,
    MemoryShop,
    at,
    whenever,
)
from tests.engine.crash_cases import COMPLETE, LATER, case_of, regimes_of, told_of
from tests.engine.crash_worlds import WORLDS, a_day_of_changes, first_load, hired_again, swapped
from tests.engine.crashes import REGIMES, Regime, World

HERE = PostalAddress(line1="1 Main St", city="Springfield", state="IL", country="US")
ACME = CustomerID("ACME")
PAT, QUINN, RORY = ContactID("1"), ContactID("2"), ContactID("3")


@define
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


def person(key: ContactID, name: str) -> Contact:
    """Return a contact of ACME who takes part."""
    return Contact(
        id=key,
        note_id=NoteID(f"note-{key}"),
        customer=ACME,
        first_name=name,
        last_name="Doe",
        email=f"{name.lower()}@acme.example",
        association=SiteAssociation(enabled=True),
    )


def acme(*names: str) -> Customer:
    """Return a customer whose first contact is primary."""
    people = tuple(person(ContactID(str(n)), name) for n, name in enumerate(names, 1))
    return Customer(
        id=ACME,
        note_id=NoteID("note-acme"),
        name="Acme",
        email="office@acme.example",
        phones=("555",),
        address=HERE,
        primary_contact=PAT,
        contacts=people,
        locations=(
            Location(id=LocationID("MAIN"), note_id=NoteID("note-main"), name="Main", default=True, address=HERE),
        ),
    )


@define(kw_only=True)
class Scene:
    """One ERP, one shop, one log."""

    hand_over: HandOver = HandOver.PROMOTE_FIRST
    inline: bool = False
    keeps: bool = True
    erp: MemoryErp
    shop: MemoryShop
    store: MemoryStore
    clock: Clock

    @classmethod
    def of(cls, hand_over: HandOver, *, inline: bool = False, keeps: bool = True) -> "Scene":
        """Return a scene with Pat, Quinn and Rory, nothing synced yet."""
        erp = MemoryErp()
        erp.put(acme("Pat", "Quinn", "Rory"))
        shop = MemoryShop(
            hand_over=hand_over,
            admin_at_creation=inline,
            keeps_external_id=keeps,
            strict=hand_over is HandOver.DEMOTE_FIRST,
        )
        return cls(erp=erp, shop=shop, store=MemoryStore(), clock=Clock())

    def run(self, faults: Faults | None = None) -> RunReport:
        """Sync everything, with faults on all sides."""
        played = faults or Faults(())
        sync = ContactSync(
            erp=FaultyErp(self.erp, played),
            storefront=FaultyShop(self.shop, played),
            store=FaultyStore(self.store, played),
            clock=self.clock,
            workers=1,
        )
        return sync.sync_all()

    def company(self) -> Company:
        """Return the one company there is."""
        (company,) = self.shop.snapshot().values()
        return company

    def roles(self) -> dict[str, str]:
        """Return who has which role, by first name."""
        return {user.first_name: user.role for user in self.company().users}

    def is_right(self) -> None:
        """Check that the shop and the references are as the ERP says, and nothing is left to do."""
        customer = self.erp.snapshot()[ACME]
        primary = customer.primary_contact
        users = {user.external_id: user for user in self.company().users}
        wanted = {c.note_id: c for c in customer.contacts if c.association.enabled}
        assert users.keys() == wanted.keys()
        for note, contact in wanted.items():
            assert users[note].email == contact.email
            assert users[note].role == ("Admin" if contact.id == primary else "Senior Buyer")
            assert contact.reference == users[note].id
        assert customer.reference == self.company().id
        assert [address.label for address in self.company().addresses] == ["Main"]
        assert self.run().steps == ()


def changed(scene: Scene) -> None:
    """Move the primary mark, change an address, take one person out, let another come."""
    scene.erp.put_contact(ACME, evolve(person(RORY, "Rory"), association=SiteAssociation(enabled=False)))
    scene.erp.put_contact(ACME, person(ContactID("4"), "Sam"))
    scene.erp.put_contact(ACME, evolve(scene.erp.snapshot()[ACME].contacts[1], email="quinn@new.example"))
    scene.erp.set_primary(ACME, QUINN)


# ------------------------------------------------------------------ answers that nobody gets
PLAYED: Final = [(world, regime) for world in WORLDS if COMPLETE or world.small for regime in regimes_of(world)]
LARGE: Final = (first_load, a_day_of_changes, hired_again, swapped)


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.LOST])
@pytest.mark.parametrize(("world", "regime"), [*PLAYED, *zip(LARGE, REGIMES, strict=False)], ids=str)
def test_an_answer_lost_at_any_effect_is_made_good(world: World, regime: Regime, fault: Fault) -> None:
    """Where any single write goes unanswered, whether it took effect or not, the next run makes all good."""
    case = case_of(world, regime)
    for number, (kind, before, _) in enumerate(case.tape.effects, 1):
        if COMPLETE or kind.partition(" ")[0] not in {"load", "question"}:
            one = case.begun.revived()
            with suppress(StoreError):  # the one that may not go unanswered
                one.scene.run(at(number, fault))
            with told_of(case.tape, before):
                case.judge_next_day(case.recover(one, later=LATER))


@pytest.mark.parametrize("hand_over", HandOver)
def test_a_crash_after_a_grant_then_another_primary_leaves_one_admin(hand_over: HandOver) -> None:
    """One admin is left when the process died after a grant and the primary mark moved on meanwhile."""
    scene = Scene.of(hand_over)
    scene.run()
    scene.erp.set_primary(ACME, QUINN)
    granting = lambda what: type(what).__name__ in {"SetRole", "MoveAdmin"} and what.role == "Admin"  # noqa: E731 - it is an argument
    with pytest.raises(Crash):
        scene.run(whenever(granting, Fault.CRASH_AFTER))
    scene.erp.set_primary(ACME, RORY)
    scene.clock.sleep(1000)
    scene.run()
    assert scene.roles() == {"Pat": "Senior Buyer", "Quinn": "Senior Buyer", "Rory": "Admin"}


def test_a_lost_creation_is_found_by_the_admins_address() -> None:
    """A company whose creation went unanswered is found by its admin's e-mail, even without external id."""
    scene = Scene.of(HandOver.PROMOTE_FIRST, inline=True, keeps=False)
    scene.run(whenever(lambda what: isinstance(what, CreateCompany), Fault.ANSWER_LOST))
    assert scene.company().external_id == ""
    scene.clock.sleep(1000)
    scene.run()
    scene.is_right()


def test_a_lost_creation_is_not_sent_again_in_the_same_run() -> None:
    """A creation that went unanswered is open, and looked for by the next run."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    report = scene.run(whenever(lambda what: isinstance(what, CreateUser), Fault.ANSWER_LOST))
    assert [settled.failures for settled in report.settled] == [3]
    assert len(scene.company().users) == 3


def test_a_refused_step_holds_what_rests_on_it_and_nothing_else() -> None:
    """A refused company user is a finding; the others of its company are synced."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    quinn = lambda what: isinstance(what, CreateUser) and what.user.contact == QUINN  # noqa: E731
    report = scene.run(whenever(quinn, Fault.REFUSED))
    assert scene.roles() == {"Pat": "Admin", "Rory": "Senior Buyer"}
    assert FindingKind.REFUSED in {finding.kind for finding in report.findings}
    assert not report.ok


def test_five_refusals_abort_a_step_until_its_source_changes() -> None:
    """After five refusals a step is tried no more, until the record changes in the ERP."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    quinn = lambda what: isinstance(what, CreateUser) and what.user.contact == QUINN  # noqa: E731
    for _ in range(5):
        scene.run(whenever(quinn, Fault.REFUSED))
    report = scene.run()
    assert FindingKind.ABORTED in {finding.kind for finding in report.findings}
    assert "Quinn" not in scene.roles()
    scene.erp.put_contact(ACME, evolve(person(QUINN, "Quinn"), phones=("1",)))
    scene.run()
    assert "Quinn" in scene.roles()


def test_an_open_hand_over_is_never_aborted() -> None:
    """However often a grant is refused, it is tried again with the next run."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    scene.run()
    scene.erp.set_primary(ACME, QUINN)
    for _ in range(7):
        scene.run(whenever(lambda what: isinstance(what, SetRole), Fault.REFUSED))
        assert scene.roles()["Pat"] == "Admin"
    scene.run()
    assert scene.roles() == {"Pat": "Senior Buyer", "Quinn": "Admin", "Rory": "Senior Buyer"}


def test_a_refused_grant_gives_the_role_back_where_it_was_taken_first() -> None:
    """Under DEMOTE_FIRST the old admin gets the role back in the same run."""
    scene = Scene.of(HandOver.DEMOTE_FIRST)
    scene.run()
    scene.erp.set_primary(ACME, QUINN)
    of_quinn = lambda what: isinstance(what, SetRole) and what.contact == QUINN and what.role == "Admin"  # noqa: E731
    scene.run(whenever(of_quinn, Fault.REFUSED))
    assert scene.roles() == {"Pat": "Admin", "Quinn": "Senior Buyer", "Rory": "Senior Buyer"}


def test_nobody_left_with_the_role_is_to_be_acted_on_now() -> None:
    """NO_ADMIN_LEFT is an act-now finding: the new admin was refused, and so was the old one."""
    scene = Scene.of(HandOver.DEMOTE_FIRST)
    scene.run()
    scene.erp.set_primary(ACME, QUINN)
    report = scene.run(whenever(lambda what: isinstance(what, SetRole) and what.role == "Admin", Fault.REFUSED))
    (finding,) = (one for one in report.findings if one.act_now)
    assert finding.kind is FindingKind.NO_ADMIN_LEFT
    assert not report.ok


@pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.RATE_LIMITED])
def test_an_outage_ends_the_run_and_spends_no_attempt(fault: Fault) -> None:
    """A system that can't be reached ends the run; what is done stays, no record counts as failed often."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    for _ in range(6):
        report = scene.run(whenever(lambda what: isinstance(what, CreateUser), fault))
        assert "could not be reached" in report.stopped
    scene.run()
    scene.is_right()


def test_a_page_that_fails_half_way_ends_the_reading_and_keeps_what_is_done() -> None:
    """What was read before the failing page is synced; the run says what it could not read."""

    class HalfErp(MemoryErp):
        def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
            if after is not None:
                raise NotSentError("connection refused")
            return super().read(query, after)

    erp = HalfErp(page_size=1)
    erp.put(acme("Pat"), evolve(acme(), id=CustomerID("BOLT"), note_id=NoteID("note-bolt")))
    shop = MemoryShop()
    report = ContactSync(erp=erp, storefront=shop, store=MemoryStore(), workers=1).sync_all()
    assert "could not be read to the end" in report.stopped
    assert [company.name for company in shop.snapshot().values()] == ["Acme"]


def test_a_client_that_answers_too_few_items_is_named() -> None:
    """A storefront that leaves an answer out is named, with what it was asked, and the run ends."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    with pytest.raises(ConfigurationError, match=r"FaultyShop\.perform\(\) answered 3 outcomes for 4 items"):
        scene.run(whenever(lambda what: isinstance(what, CreateUser) and what.user.contact == QUINN, Fault.LEFT_OUT))


def test_a_running_lease_is_waited_for() -> None:
    """A run that follows one that was cut off waits for its leases, then ends right, with no duplicate."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    with pytest.raises(Crash):
        scene.run(whenever(lambda what: isinstance(what, CreateUser), Fault.CRASH_AFTER))
    begun = scene.clock.now()
    scene.run()
    assert scene.clock.now() - begun > timedelta(seconds=SyncPolicy().lease - 1)
    scene.is_right()


@settings(max_examples=40, deadline=None)
@given(
    hand_over=st.sampled_from(HandOver),
    numbers=st.sets(st.integers(1, 80), max_size=12),
    change=st.booleans(),
)
def test_any_pattern_of_refusals_ends(hand_over: HandOver, numbers: set[int], change: bool) -> None:  # noqa: FBT001
    """Whichever steps are refused, the run comes to its end, and a later one sets all right."""
    scene = Scene.of(hand_over)
    if change:
        scene.run()
        changed(scene)
    acts = iter(range(1, 1000))
    refused = lambda what: hasattr(what, "stage") and next(acts) in numbers  # noqa: E731
    scene.run(whenever(refused, Fault.REFUSED))
    scene.run()
    scene.is_right()


def test_a_wrong_mapping_costs_its_customer_only() -> None:
    """A host's mapping that raises for one customer leaves the others alone."""
    erp, shop = MemoryErp(), MemoryShop()
    erp.put(acme("Pat"), evolve(acme(), id=CustomerID("BOLT"), note_id=NoteID("note-bolt")))

    def mapping(customer: Customer, policy: SyncPolicy):  # type: ignore[no-untyped-def]  # noqa: ANN202
        from acumatica_b2b import map_customer  # noqa: PLC0415

        if customer.id == "BOLT":
            raise KeyError("industry")
        return map_customer(customer, policy)

    report = ContactSync(erp=erp, storefront=shop, store=MemoryStore(), mapping=mapping).sync_all()
    (trouble,) = report.troubles
    assert "the mapping of customer 'BOLT' raised KeyError" in str(trouble.error)
    assert len(shop.snapshot()) == 1


def test_removals_are_the_second_pass() -> None:
    """Nobody is removed before everybody who is to come has come."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    scene.run()
    before = len(scene.shop.journal)
    changed(scene)
    scene.run()
    kinds = [type(action) for action in scene.shop.journal[before:]]
    assert kinds.index(RemoveUser) > max(i for i, kind in enumerate(kinds) if kind is CreateUser)
    scene.is_right()


def test_a_customer_that_the_erp_lacks_is_named() -> None:
    """A customer asked for by id that is not there is a trouble with its name."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    sync = ContactSync(erp=scene.erp, storefront=scene.shop, store=scene.store)
    (trouble,) = sync.sync(["NOBODY"]).troubles
    assert isinstance(trouble.error, RejectedError)
    assert "'NOBODY'" in str(trouble.error)


def test_another_tenant_is_noticed_before_the_first_write() -> None:
    """An ERP that holds none of the customers known is taken for another tenant."""
    scene = Scene.of(HandOver.PROMOTE_FIRST)
    scene.run()
    other = MemoryErp()
    other.put(evolve(acme("Zoe"), id=CustomerID("ZETA"), note_id=NoteID("note-zeta")))
    with pytest.raises(ConfigurationError, match="looks like another tenant"):
        ContactSync(erp=other, storefront=scene.shop, store=scene.store).sync_all()
