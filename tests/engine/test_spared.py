"""Where no location changed, neither locations nor addresses are looked at; and nothing is lost by it."""

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from acumatica_b2b.errors import OutcomeUnknownError
from acumatica_b2b.flow import Failed, Outcome
from acumatica_b2b.folding import fold
from acumatica_b2b.keys import customer_key
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import Desired, map_customer
from acumatica_b2b.model import Company, CompanyRef, Customer, CustomerID, PostalAddress
from acumatica_b2b.policy import Limits, SyncPolicy
from acumatica_b2b.protocols import Cursor, Page, Query
from acumatica_b2b.synclog import read_body
from acumatica_b2b.testing import MemoryErp, MemoryShop, strategies
from tests.bench import ANNA, BILL, CARL, HERE, MARK, Bench, contact, customer, done, finding, kinds, location

NO_LIMITS = Limits(removals=10**6, hand_overs=10**6, email_changes=10**6, share=1e6, half_of_company_from=10**6)


@define(kw_only=True, eq=False)
class Watched(MemoryShop):
    """A shop that notes which companies were looked at, and fails to show them when it is told to."""

    looked: list[CompanyRef] = field(factory=list[CompanyRef])
    fails: bool = False

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        self.looked += companies
        found = super().observe(companies)
        return [Failed(OutcomeUnknownError("on cue"))] * len(companies) if self.fails else found


@define(kw_only=True, eq=False)
class Reading(MemoryErp):
    """An ERP that notes what was read of it."""

    pages: list[Page[Customer]] = field(factory=list[Page[Customer]])
    named: list[CustomerID] = field(factory=list[CustomerID])

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers."""
        self.pages.append(super().read(query, after))
        return self.pages[-1]

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        """Return these customers whole."""
        self.named += ids
        return super().customers(ids)

    @property
    def left_out(self) -> set[CustomerID]:
        """Who came without its locations."""
        return {one.id for page in self.pages for one in page.items if not one.locations_read}

    def forget(self) -> None:
        """Note from here on."""
        self.pages, self.named = [], []


def started(*places: Any, **settings_: Any) -> Bench:
    """Return a bench with a synced customer of two contacts and these locations, whose writes have come back."""
    both: dict[str, Any] = {"shop": Watched(), "erp": Reading()}
    bench = Bench(**(both | settings_))
    bench.put(customer(MARK, ANNA, primary=MARK, locations=places or (location(), location("DOCK"))))
    for _ in range(2):
        assert bench.contact_sync.sync_changed().ok
    erp, shop = parts(bench)
    erp.forget()
    shop.looked.clear()
    return bench


def parts(bench: Bench) -> tuple[Reading, Watched]:
    """Return both systems."""
    assert isinstance(bench.erp, Reading)
    assert isinstance(bench.shop, Watched)
    return bench.erp, bench.shop


def state(bench: Bench, key: CustomerID = HERE) -> LogState:
    """Return what the log knows of a customer."""
    (commits,) = bench.store.load([customer_key(bench.policy, key)])
    return fold(read_body(commit.body) for commit in commits)


# ------------------------------------------------------------------ what is not read
def test_a_changed_contact_needs_no_location() -> None:
    """Where a contact changed, its customer comes without locations, and the company without addresses."""
    bench = started()
    erp, shop = parts(bench)
    bench.change(ANNA, last_name="Bell")
    assert done(bench.contact_sync.sync_changed()) == ["UpdateUser 102"]
    assert (erp.left_out, erp.named) == ({HERE}, [])
    assert [ref.addresses for ref in shop.looked] == [False, False]
    assert set(bench.addresses()) == {"Main", "Dock"}
    assert done(bench.sync()) == []


def test_settled_places_are_not_looked_at_wherever_they_were_read() -> None:
    """Where the customer itself changed, its locations are read, and being as they were no address is looked at."""
    bench = started()
    erp, shop = parts(bench)
    bench.change_customer(name="Bolt")
    assert done(bench.contact_sync.sync_changed()) == ["UpdateCompany C1"]
    assert erp.left_out == set()
    assert [ref.addresses for ref in shop.looked] == [False, False]


def test_a_changed_location_is_looked_at() -> None:
    """Where a location changed, all is looked at, and its address follows."""
    bench = started()
    main, dock = bench.customer().locations
    bench.change_customer(locations=(main, evolve(dock, name="Yard")))
    assert done(bench.contact_sync.sync_changed()) == ["UpdateAddress DOCK"]
    assert all(ref.addresses for ref in parts(bench)[1].looked)
    assert set(bench.addresses()) == {"Main", "Yard"}


def test_a_full_run_looks_at_all() -> None:
    """A full run reads every location and looks at every address: what people did to one by hand is found by it."""
    bench = started()
    company = bench.company()
    bench.shop._put(evolve(company, addresses=company.addresses[1:]))
    bench.change(ANNA, last_name="Bell")
    assert bench.contact_sync.sync_changed().ok
    report = bench.sync()
    assert ("DELETED_IN_SHOP", "MAIN") in kinds(report)
    assert all(ref.addresses for ref in parts(bench)[1].looked[-1:])


# ------------------------------------------------------------------ what depends on more
def test_an_address_in_the_name_of_the_primary() -> None:
    """A location without a name of its own has the primary contact's: where that changes, its locations are read."""
    bench = started(location(first_name="", last_name=""))
    bench.change(MARK, last_name="Bell")
    assert sorted(done(bench.contact_sync.sync_changed())) == ["UpdateAddress MAIN", "UpdateUser 101"]
    assert parts(bench)[0].named == [HERE]
    assert bench.addresses()["Main"].last_name == "Bell"


def test_a_moved_primary_is_all_the_same_to_who_names_somebody() -> None:
    """Where each location has a name of its own, no address is looked at when the primary contact moves."""
    bench = started()
    erp, shop = parts(bench)
    bench.change_customer(primary_contact=ANNA.id)
    assert sorted(done(bench.contact_sync.sync_changed())) == ["SetRole 101", "SetRole 102"]
    assert erp.named == []
    assert not any(ref.addresses for ref in shop.looked)


def test_a_moved_primary_renames_the_addresses_of_nobody_else() -> None:
    """Where a location has no name of its own, its address bears the new primary contact's."""
    bench = started(location(first_name="", last_name=""), location("DOCK", name="Dock"))
    bench.change_customer(primary_contact=ANNA.id)
    report = bench.contact_sync.sync_changed()
    assert sorted(done(report)) == ["SetRole 101", "SetRole 102", "UpdateAddress MAIN"]
    assert bench.addresses()["Main"].last_name == ANNA.last_name


def test_another_mapping() -> None:
    """What another mapping makes addresses of nobody knows: every customer comes with its locations."""

    def named_after_all(one: Customer, policy: SyncPolicy) -> Desired:
        names = " and ".join(contact.first_name for contact in one.contacts)
        desired = map_customer(one, policy)
        return evolve(desired, addresses=tuple(evolve(a, label=names) for a in desired.addresses))

    bench = started(location(), mapping=named_after_all)
    bench.change(ANNA, first_name="Bea")
    assert sorted(done(bench.contact_sync.sync_changed())) == ["UpdateAddress MAIN", "UpdateUser 102"]
    assert parts(bench)[0].left_out == set()


@pytest.mark.parametrize("asks", [True, False])
def test_another_policy(*, asks: bool) -> None:
    """Where the policy says something else of locations since, they are read with the next change of a contact."""
    bench = started(policy=SyncPolicy(include_locations=asks))
    bench.policy = SyncPolicy(include_locations=not asks)
    bench.change(ANNA, last_name="Bell")
    assert ("NOT_INCLUDED", "MAIN") in kinds(bench.contact_sync.sync_changed()) or not asks
    assert parts(bench)[0].named == [HERE]
    assert {"Main", "Dock"} == set(bench.addresses())


def test_an_erp_that_leaves_out_what_nobody_let_it() -> None:
    """A client that leaves out locations though a full run asks for them is asked for the customers whole."""

    class Sparing(Reading):
        def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
            page = super().read(query, after)
            return evolve(page, items=tuple(evolve(c, locations=(), locations_read=False) for c in page.items))

    bench = Bench(erp=Sparing(), shop=Watched())
    bench.put(customer(MARK, primary=MARK, locations=(location(),)))
    assert "CreateAddress MAIN" in done(bench.plan())
    assert bench.sync().ok
    assert set(bench.addresses()) == {"Main"}
    assert done(bench.sync()) == []


# ------------------------------------------------------------------ what must not be lost
def test_findings_about_locations_stay() -> None:
    """What is known of locations stays known while they are not read, and is told."""
    nowhere = PostalAddress(line1="1 Main Street", postal_code="10115", country="DE")
    bench = started(location(), location("DOCK", address=nowhere))
    before = state(bench)
    bench.change(ANNA, last_name="Bell")
    report = bench.contact_sync.sync_changed()
    assert finding(report, "MISSING_ADDRESS_FIELD", "DOCK").detail == "city"
    assert (state(bench).findings, state(bench).places) == (before.findings, before.places)
    assert parts(bench)[0].left_out == {HERE}
    assert kinds(bench.sync()) == kinds(report)


def test_a_failed_change_of_a_location_is_not_forgotten() -> None:
    """A location whose change met a failure is read again with the next run, though only a contact changed since."""
    bench = started()
    main, dock = bench.customer().locations
    bench.change_customer(locations=(main, evolve(dock, name="Yard")))
    _, shop = parts(bench)
    shop.fails = True
    assert not bench.contact_sync.sync_changed().ok
    shop.fails = False
    bench.change(ANNA, last_name="Bell")
    assert sorted(done(bench.contact_sync.sync_changed())) == ["UpdateAddress DOCK", "UpdateUser 102"]


def test_a_company_that_is_made_again_gets_its_addresses() -> None:
    """Where the company is gone and may be made again, its locations are read after all."""
    bench = started(policy=SyncPolicy(recreate_deleted=True))
    bench.shop.delete_company(bench.company().id)
    bench.change(ANNA, last_name="Bell")
    assert bench.contact_sync.sync_changed().ok
    assert parts(bench)[0].named == [HERE]
    assert set(bench.addresses()) == {"Main", "Dock"}


def test_a_company_that_could_not_be_made_gets_its_addresses() -> None:
    """A customer that had no company yet is read with its locations when a contact changes, and gets all of it."""
    bench = Bench(shop=Watched(), erp=Reading())
    bench.put(customer(evolve(MARK, email=""), primary=MARK, locations=(location(),)))
    for _ in range(2):
        bench.contact_sync.sync_changed()
    assert not bench.find_company()
    bench.change(MARK, email="mark@acme.example")
    assert bench.contact_sync.sync_changed().ok
    assert parts(bench)[0].left_out == {HERE}
    assert set(bench.addresses()) == {"Main"}


@define(kw_only=True, eq=False)
class ShowsAll(Watched):
    """A shop that shows addresses, whether anybody looks at them or not."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        return super().observe([evolve(ref, addresses=True) for ref in companies])


def test_a_shop_that_shows_addresses_all_the_same() -> None:
    """Addresses that nobody looked at, and that are shown all the same, are left alone."""
    bench = started(shop=ShowsAll())
    company = bench.company()
    bench.change(ANNA, last_name="Bell")
    assert done(bench.contact_sync.sync_changed()) == ["UpdateUser 102"]
    assert bench.company().addresses == company.addresses
    assert parts(bench)[0].named == []  # nor is the customer looked at a second time


def test_a_customer_that_is_gone_when_it_is_asked_for() -> None:
    """A customer that was deleted while its locations were asked for is left open, and known as deleted next time."""

    class Gone(Reading):
        def customers(self, ids: Sequence[CustomerID], /) -> Any:
            self.remove_customer(HERE)
            return super().customers(ids)

    bench = started(location(first_name="", last_name=""), erp=Gone())
    bench.policy = SyncPolicy(check_tenant=False)
    bench.change(MARK, last_name="Bell")
    (trouble,) = bench.contact_sync.sync_changed().troubles
    assert "no customer 'C1'" in str(trouble.error)


# ------------------------------------------------------------------ whatever happened
def fork(bench: Bench) -> Bench:
    """Return another bench that is as this one is now."""
    erp, shop = MemoryErp(page_size=bench.erp.page_size), MemoryShop(hand_over=bench.shop.hand_over)
    for name in ("_customers", "_unattached", "_whose"):
        setattr(erp, name, dict(getattr(bench.erp, name)))
    erp._highest, erp._ticks = bench.erp._highest, bench.erp._ticks
    for name in ("_companies", "_holders", "shoppers"):
        setattr(shop, name, dict(getattr(bench.shop, name)))
    shop._ids = bench.shop._ids
    made = Bench(erp=erp, shop=shop, policy=bench.policy, wave=bench.wave)
    made.store._logs = {key: dict(log) for key, log in bench.store._logs.items()}
    made.clock.time = bench.clock.time
    return made


def stands(bench: Bench) -> Any:
    """Return all that came of it but for ids: companies, users, addresses, and what the log knows of each customer."""
    companies = {
        one.external_id: (
            (one.name, one.email, one.phone, one.active),
            {(u.external_id, u.email, u.first_name, u.last_name, u.phone, u.role) for u in one.users},
            {(a.external_id, a.label, a.first_name, a.last_name, a.address, a.default_billing) for a in one.addresses},
        )
        for one in bench.shop.snapshot().values()
    }
    states = {key: state(bench, key) for key in bench.erp.snapshot()}
    known = {
        key: (set(one.links), {(f.kind, f.record) for f in one.findings}, one.digest == "", one.places, one.basis)
        for key, one in states.items()
    }
    return companies, known


def by_hand(data: st.DataObject, shop: MemoryShop) -> None:
    """Do something by hand to a company's address or user."""
    companies = [company for company in shop.snapshot().values() if company.addresses]
    if not companies:
        return
    company = data.draw(st.sampled_from(companies))
    if data.draw(st.booleans()):
        shop._put(evolve(company, addresses=company.addresses[1:]))
    else:
        shop._put(evolve(company, addresses=tuple(evolve(a, label="By hand") for a in company.addresses)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.booleans().flatmap(lambda odd: strategies.erps(max_customers=2, ordinary=not odd)), st.data())
def test_a_sparing_run_and_a_full_one_come_to_what_a_full_one_does(
    world: tuple[Customer, ...], data: st.DataObject
) -> None:
    """Whatever happened, what was left unread is made good by a full run: it comes to what a full run alone does."""
    shop = data.draw(st.sampled_from((MemoryShop, ShowsAll)))
    bench = Bench(erp=Reading(), shop=shop(), policy=SyncPolicy(limits=NO_LIMITS))
    bench.put(*world)
    bench.contact_sync.sync_changed()
    for _ in range(data.draw(st.integers(1, 4))):
        for _ in range(data.draw(st.integers(0, 2))):
            strategies.edit(bench.erp, data.draw(strategies.erp_edits(bench.erp)))
        if data.draw(st.integers(0, 3)) == 0:
            by_hand(data, bench.shop)
        other = fork(bench)
        assert isinstance(bench.erp, Reading)
        bench.erp.forget()
        bench.contact_sync.sync_changed()
        event(f"left out: {bool(bench.erp.left_out)}, read after all: {bool(bench.erp.named)}")
        after = fork(bench)
        for one in (after, other):
            one.sync()
            one.sync()
        assert stands(after) == stands(other)


# ------------------------------------------------------------------ in step with the wave
def test_who_is_read_whole_swaps_with_who_is_not() -> None:
    """A customer whose locations have to be read keeps in step: an exchange of addresses with another one is seen."""
    bench = started(location(first_name="", last_name=""), policy=SyncPolicy(parking_domain="parked.example.com"))
    bench.put(customer(BILL, CARL, number=2, primary=BILL))
    for _ in range(2):
        assert bench.contact_sync.sync_changed().ok
    bench.change(MARK, last_name="Bell")
    bench.change(ANNA, email=CARL.email)
    bench.change(CARL, email=ANNA.email)
    report = bench.contact_sync.sync_changed()
    assert report.ok
    assert kinds(report) == set()
    assert sorted(done(report)).count("UpdateUser 102") == 2


def test_who_is_read_whole_claims_with_the_others() -> None:
    """Of two who want one address at once one gets it and the other is told, before anything is sent."""
    bench = started(location(first_name="", last_name=""))
    bench.put(customer(BILL, CARL, number=2, primary=BILL))
    for _ in range(2):
        assert bench.contact_sync.sync_changed().ok
    bench.change(MARK, last_name="Bell")
    bench.add(contact(201, "Eve", email="eve@acme.example"))
    bench.add(contact(202, "Eva", email="eve@acme.example"), CustomerID("C2"))
    report = bench.contact_sync.sync_changed()
    assert ("DUPLICATE_EMAIL", "202") in kinds(report)
    assert [step for step in done(report) if step.startswith("CreateUser")] == ["CreateUser 201"]
