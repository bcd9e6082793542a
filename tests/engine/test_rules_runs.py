"""A run as a whole: what stops it, what costs one record, applied plans, mappings of a host, runs by changes."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b import map_customer
from acumatica_b2b.actions import Action, CreateUser, UpdateUser
from acumatica_b2b.errors import ConfigurationError, DecodeError, StalePlanError
from acumatica_b2b.findings import Finding, FindingKind, Status
from acumatica_b2b.mapping import Desired, contact_record
from acumatica_b2b.model import Customer, CustomerID
from acumatica_b2b.policy import Limits, SyncPolicy
from acumatica_b2b.protocols import LogKey
from acumatica_b2b.runlog import fold_runs
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.bench import (
    ANNA,
    BILL,
    CARL,
    HERE,
    MARK,
    REGIMES,
    THERE,
    Bench,
    Refusing,
    contact,
    crowd,
    customer,
    done,
    finding,
    kinds,
)


def started(**settings: Any) -> Bench:
    """Return a bench with two companies: Mark and Anna here, Bill and Carl there."""
    bench = Bench(**settings)
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.sync().ok
    return bench


# ------------------------------------------------------------------ what stops a run
@pytest.mark.parametrize("policy", [SyncPolicy(primary_role="Emperor"), SyncPolicy(user_role="Emperor")])
def test_unknown_role(policy: SyncPolicy) -> None:
    """A role that the shop lacks stops the run before its first write, naming it."""
    bench = Bench(policy=policy)
    bench.put(customer(MARK, primary=MARK))
    with pytest.raises(ConfigurationError, match="Emperor"):
        bench.sync()
    assert (bench.shop.writes, bench.erp.writes, bench.versions()) == (0, 0, 0)


def test_another_tenant() -> None:
    """An ERP that holds none of the customers we linked stops the run before its first write: another tenant."""
    bench = started()
    bench.erp = MemoryErp()
    dora = contact(105, "Dora")
    bench.put(customer(dora, number=9, primary=dora))
    writes = bench.shop.writes
    with pytest.raises(ConfigurationError, match="another tenant"):
        bench.sync()
    assert bench.shop.writes == writes
    bench.policy = SyncPolicy(check_tenant=False)
    assert bench.sync().steps


def test_the_same_tenant_is_known_by_what_it_lists() -> None:
    """Where the sweep of the primary marks lists a customer we know, none is read to see whether it is that tenant."""
    bench = started()
    bench.contact_sync.sync_changed()
    before = bench.erp.requests
    assert bench.contact_sync.sync_changed().ok
    assert bench.erp.requests - before == 2  # the marks, and what changed: no customer by name


def test_another_tenant_shows_in_changes() -> None:
    """A run over what changed stops before its first write where none of the customers we linked is there."""
    bench = started()
    bench.erp = MemoryErp()
    dora = contact(105, "Dora")
    bench.put(customer(dora, number=9, primary=dora))
    writes = bench.shop.writes
    with pytest.raises(ConfigurationError, match="another tenant"):
        bench.contact_sync.sync_changed()
    assert bench.shop.writes == writes


def test_tenant_with_one_customer_gone() -> None:
    """An ERP that lost one of the customers we linked is the same tenant."""
    bench = started()
    bench.erp.remove_customer(HERE)
    assert not bench.sync().stopped


def test_two_stores() -> None:
    """Two stores in one log know nothing of each other."""
    bench = started()
    other = Bench(erp=bench.erp, store=bench.store, policy=SyncPolicy(store="other"))
    assert other.sync().ok
    assert set(other.roles()) == {"mark", "anna"}


# ------------------------------------------------------------------ what costs one record
def test_a_bad_record_costs_that_record() -> None:
    """A refused user costs that user: the company's other users and the other companies go on."""
    shop = Refusing(refuses=lambda a: isinstance(a, CreateUser) and a.user.contact == ANNA.id)
    bench = Bench(shop=shop)
    bench.put(customer(MARK, ANNA, BILL, primary=MARK), customer(CARL, number=2, primary=CARL))
    report = bench.sync()
    assert (set(bench.roles(HERE)), set(bench.roles(THERE))) == ({"mark", "bill"}, {"carl"})
    assert finding(report, "REFUSED", ANNA.id).status is Status.FAILED
    assert bench.contact(ANNA).reference == ""
    assert bench.contact(BILL).reference
    assert not report.ok


def test_refused_once() -> None:
    """What was refused is tried again by the next run."""
    shop = Refusing(refuses=lambda a: isinstance(a, CreateUser) and a.user.contact == ANNA.id)
    bench = Bench(shop=shop)
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    shop.refuses = lambda _: False
    assert bench.sync().ok
    assert set(bench.roles()) == {"mark", "anna"}


def refusing_anna() -> tuple[Bench, Refusing, list[Action]]:
    """Return a bench whose shop refuses changes of Anna, and what it was asked."""
    asked: list[Action] = []

    def refuses(action: Action) -> bool:
        no = isinstance(action, UpdateUser) and action.contact == ANNA.id
        asked.extend([action] * no)
        return no

    shop = Refusing()
    bench = started(shop=shop)
    shop.refuses = refuses
    bench.change(ANNA, last_name="Bell")
    return bench, shop, asked


def test_aborted() -> None:
    """After five refusals a step is Aborted: it is not tried again, and the rest of the company goes on."""
    bench, _, asked = refusing_anna()
    for _ in range(5):
        assert ("REFUSED", ANNA.id) in kinds(bench.sync())
    bench.change(MARK, last_name="Bell")
    for _ in range(3):
        report = bench.sync()
        assert finding(report, "ABORTED", ANNA.id).status is Status.ABORTED
    assert len(asked) == 5
    assert bench.user(MARK).last_name == "Bell"


def test_aborted_until_the_source_changes() -> None:
    """An Aborted record is tried again when it changes in the ERP."""
    bench, shop, asked = refusing_anna()
    for _ in range(7):
        bench.sync()
    shop.refuses = lambda _: False
    assert ("ABORTED", ANNA.id) in kinds(bench.sync())
    bench.change(ANNA, last_name="Cole")
    assert bench.sync().findings == ()
    assert bench.user(ANNA).last_name == "Cole"
    assert len(asked) == 5


def test_chosen_customer_that_there_is_not() -> None:
    """A chosen customer that the ERP does not have is trouble of its own; the others are synced."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK))
    report = bench.sync(CustomerID("C404"), HERE)
    assert [trouble.customer for trouble in report.troubles] == ["C404"]
    assert set(bench.roles()) == {"mark"}


# ------------------------------------------------------------------ plans that are applied
def test_applied() -> None:
    """An applied plan does what it says, no more and no less."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, number=2, primary=BILL))
    plan = bench.plan(HERE)
    report = bench.contact_sync.apply(plan)
    assert done(report) == done(plan)
    assert bench.find_company(THERE) is None


@pytest.mark.parametrize("side", ["erp", "shop"])
def test_stale(side: str) -> None:
    """A plan whose basis changed since is not applied to that customer, by name; the others' is."""
    bench = started()
    bench.change(ANNA, last_name="Bell")
    bench.change(CARL, last_name="Bell")
    plan = bench.plan()
    if side == "erp":
        bench.change(ANNA, last_name="Cole")
    else:
        bench.shop.edit_user(bench.user(ANNA).id, (("phone", "1"),))
    report = bench.contact_sync.apply(plan)
    (trouble,) = report.troubles
    assert trouble.customer == HERE
    assert isinstance(trouble.error, StalePlanError)
    assert (bench.user(ANNA).last_name, bench.user(CARL).last_name) == ("Ames", "Bell")
    assert not report.ok


def test_plan_for_everybody() -> None:
    """A plan for everybody names those with something to do or to tell, and applying it looks at nobody else."""
    bench = started()
    bench.put(customer(contact(300, "Dora", active=False), number=3))
    bench.change(ANNA, last_name="Bell")
    plan = bench.plan()
    assert [company.customer for company in plan.companies] == [HERE, "C3"]
    assert plan.customers == 3
    bench.change(CARL, last_name="Cole")
    report = bench.contact_sync.apply(plan)
    assert (done(report), report.troubles, report.customers) == (["UpdateUser 102"], (), 2)
    assert [company.customer for company in bench.plan(HERE, THERE).companies] == [HERE, THERE]


def test_applied_removals() -> None:
    """An applied plan removes whom it says it would."""
    bench = Bench()
    bench.put(customer(MARK, *crowd(3), primary=MARK))
    bench.sync()
    bench.change(crowd(3)[0], active=False)
    plan = bench.plan()
    assert done(bench.contact_sync.apply(plan)) == done(plan)
    assert len(bench.roles()) == 3


# ------------------------------------------------------------------ mappings of a host
def with_job_title(one: Customer, policy: SyncPolicy) -> Desired:
    """Map as always, and hand on the job title."""
    desired = map_customer(one, policy)
    titles = {c.id: c.job_title for c in one.contacts}
    users = tuple(evolve(user, extra_fields=(("title", titles[user.contact]),)) for user in desired.users)
    return evolve(desired, users=users)


def test_wrapped_mapping() -> None:
    """A host's mapping stands in for ours, for plan and sync alike."""
    bench = Bench(mapping=with_job_title)
    bench.put(customer(evolve(MARK, job_title="Buyer"), primary=MARK))
    assert done(bench.plan()) == done(bench.sync())
    assert dict(bench.user(MARK).extra_fields) == {"title": "Buyer"}
    assert done(bench.sync()) == []


@pytest.mark.parametrize("owned", [False, True])
def test_extra_field_of_a_host(*, owned: bool) -> None:
    """An extra field is set on creation, and follows the ERP only where the policy owns it by its name."""
    names = SyncPolicy().owned_user_fields | ({"extra_fields.title"} if owned else set())
    bench = Bench(mapping=with_job_title, policy=SyncPolicy(owned_user_fields=names))
    bench.put(customer(evolve(MARK, job_title="Buyer"), primary=MARK))
    bench.sync()
    bench.change(MARK, job_title="Chief")
    bench.sync()
    assert dict(bench.user(MARK).extra_fields) == {"title": "Chief" if owned else "Buyer"}


def test_mapping_that_leaves_someone_out() -> None:
    """A host's mapping may leave a contact out with a finding of its choice: no user, no leaver."""

    def no_annas(one: Customer, policy: SyncPolicy) -> Desired:
        desired = map_customer(one, policy)
        out = Finding(kind=FindingKind.NOT_INCLUDED, record=contact_record(ANNA.id))
        users = tuple(user for user in desired.users if user.contact != ANNA.id)
        return evolve(desired, users=users, findings=(*desired.findings, out))

    bench = Bench(mapping=no_annas)
    bench.put(customer(MARK, ANNA, primary=MARK))
    report = bench.sync()
    assert set(bench.roles()) == {"mark"}
    assert kinds(report) == {("NOT_INCLUDED", ANNA.id)}


def test_mapping_that_raises() -> None:
    """A mapping that raises costs its customer, named with the error's class; the others go on."""

    def picky(one: Customer, policy: SyncPolicy) -> Desired:
        if one.id == HERE:
            raise ZeroDivisionError
        return map_customer(one, policy)

    bench = Bench(mapping=picky)
    bench.put(customer(MARK, primary=MARK), customer(BILL, number=2, primary=BILL))
    for came in (bench.plan(), bench.sync()):
        (trouble,) = came.troubles
        assert trouble.customer == HERE
        assert isinstance(trouble.error, DecodeError)
        assert "ZeroDivisionError" in str(trouble.error)
    assert bench.find_company(HERE) is None
    assert bench.admins(THERE) == {"bill"}


# ------------------------------------------------------------------ the log
def test_nothing_new_is_not_logged() -> None:
    """A run that finds nothing new writes nothing into the log, with standing findings too."""
    bench = started()
    bench.change(ANNA, email="")
    bench.sync()
    before = bench.versions()
    bench.sync(HERE, THERE)
    assert bench.versions() == before


def test_findings_are_logged_once() -> None:
    """A finding has one row in the Customer Log, however many runs meet it, and another when it comes back."""
    bench = started()
    for email in ("", "", "", ANNA.email, ""):
        bench.change(ANNA, email=email)
        bench.sync()
    assert [row.what for row in bench.log()].count("missing email") == 2


def test_no_address_is_told() -> None:
    """Neither a finding nor the Customer Log says an e-mail address."""
    bench = Bench(shop=MemoryShop(reserved={CARL.email}))
    other = bench.shop.add_company("Other")
    bench.shop.add_user(other, BILL.email, role="Senior Buyer")
    bench.put(customer(MARK, evolve(ANNA, email="bad@"), BILL, CARL, contact(110, "Mark"), primary=MARK))
    report = bench.sync()
    assert len(report.findings) >= 4
    assert not any("@" in str(found) for found in report.findings)
    assert not any("@" in f"{row.what} {row.message}" for row in bench.log())


# ------------------------------------------------------------------ changed runs
@define(kw_only=True, eq=False)
class Counting(MemoryShop):
    """A shop that counts its calls."""

    def calls(self, do: Callable[[], object]) -> int:
        """Return how many calls something made."""
        before = self.requests
        do()
        return self.requests - before


def changed(**settings: Any) -> tuple[Bench, Counting]:
    """Return a bench that has run once by changes, and its shop."""
    shop = Counting()
    bench = Bench(shop=shop, **settings)
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.contact_sync.sync_changed().ok
    return bench, shop


def test_first_changed_run() -> None:
    """The first run by changes takes everything."""
    bench, _ = changed()
    assert set(bench.roles(HERE)) == {"mark", "anna"}
    assert set(bench.roles(THERE)) == {"bill", "carl"}


def test_own_write_backs_come_back() -> None:
    """Our own write-backs, coming back as changes, cause no call to the shop and no write."""
    bench, shop = changed()
    before = bench.erp.writes
    assert shop.calls(bench.contact_sync.sync_changed) == 0
    assert bench.erp.writes == before


def test_nothing_changed() -> None:
    """A run in which nothing changed asks the shop nothing, run after run."""
    bench, shop = changed()
    bench.contact_sync.sync_changed()
    assert shop.calls(bench.contact_sync.sync_changed) == 0


def test_one_change() -> None:
    """A changed contact is synced; customers without a change are not looked at."""
    bench, _ = changed()
    bench.change(ANNA, last_name="Bell")
    report = bench.contact_sync.sync_changed()
    assert bench.user(ANNA).last_name == "Bell"
    assert {settled.customer for settled in report.settled} == {HERE}


def test_irrelevant_change() -> None:
    """A change of a field that decides nothing causes no call to the shop."""
    bench, shop = changed()
    bench.change(ANNA, attributes={"SHOE": "42"})
    assert shop.calls(bench.contact_sync.sync_changed) == 0


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.value)
def test_primary_mark_without_a_stamp(regime: Any) -> None:
    """A moved primary mark is seen though it left no stamp."""
    bench = Bench(erp=MemoryErp(stamps_primary=False), shop=MemoryShop(hand_over=regime, strict=True))
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.contact_sync.sync_changed()
    bench.erp.set_primary(HERE, ANNA.id)
    bench.contact_sync.sync_changed()
    assert bench.admins() == {"anna"}


def test_deleted_without_a_stamp() -> None:
    """A deletion leaves no stamp: the next full run sees it."""
    bench = Bench()
    bench.put(customer(MARK, *crowd(3), primary=MARK))
    bench.contact_sync.sync_changed()
    bench.erp.remove_contact(crowd(3)[0].id)
    bench.sync()
    assert len(bench.roles()) == 3


@pytest.mark.parametrize("times", [1, 3])
def test_failed_is_taken_up_again(times: int) -> None:
    """What failed is taken up again by the next run by changes, though nothing changed in the ERP."""
    shop = Refusing()
    bench = started(shop=shop)
    bench.contact_sync.sync_changed()
    shop.refuses = lambda a: isinstance(a, UpdateUser)
    bench.change(ANNA, last_name="Bell")
    for _ in range(times):
        assert not bench.contact_sync.sync_changed().ok
    shop.refuses = lambda _: False
    assert bench.contact_sync.sync_changed().ok
    assert bench.user(ANNA).last_name == "Bell"


def open_customers(bench: Bench) -> frozenset[CustomerID]:
    """Return who is to be looked at again, changed or not."""
    (log,) = bench.store.load([LogKey("store/run")])
    return fold_runs((commit.version, commit.body) for commit in log).open


def test_what_is_solved_is_looked_at_no_more() -> None:
    """A customer that was open and is solved is not looked at by later runs by changes."""
    bench, shop = changed()
    other = shop.add_company("Other")
    shop.add_user(other, "someone@else.example", role="Senior Buyer")
    stranger = shop.add_user(other, "dora@acme.example", role="Senior Buyer")
    bench.add(contact(105, "Dora"))
    bench.contact_sync.sync_changed()
    assert shop.calls(bench.contact_sync.sync_changed) > 0
    assert open_customers(bench) == {HERE}
    shop.delete_user(stranger)
    bench.contact_sync.sync_changed()
    bench.contact_sync.sync_changed()
    assert shop.calls(bench.contact_sync.sync_changed) == 0
    assert open_customers(bench) == set()


def test_raising_mapping_is_taken_up_again() -> None:
    """A customer whose mapping raised is looked at again, and holds nobody else's changes back."""
    broken = [True]

    def picky(one: Customer, policy: SyncPolicy) -> Desired:
        if one.id == HERE and broken:
            raise ValueError
        return map_customer(one, policy)

    bench = Bench(mapping=picky)
    bench.put(customer(MARK, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.contact_sync.sync_changed()
    bench.change(BILL, last_name="Bell")
    bench.contact_sync.sync_changed()
    assert bench.user(BILL).last_name == "Bell"
    broken.clear()
    bench.contact_sync.sync_changed()
    assert bench.admins(HERE) == {"mark"}


def test_held_is_looked_at_again() -> None:
    """An address that was freed in the shop is seen by the next run by changes."""
    bench, shop = changed()
    other = shop.add_company("Other")
    shop.add_user(other, "someone@else.example", role="Senior Buyer")
    stranger = shop.add_user(other, "dora@acme.example", role="Senior Buyer")
    dora = contact(105, "Dora")
    bench.add(dora)
    bench.contact_sync.sync_changed()
    assert bench.find_user(dora) is None
    shop.delete_user(stranger)
    bench.contact_sync.sync_changed()
    assert bench.find_user(dora)


def test_guarded_removal_is_taken_up_again() -> None:
    """What the guard held goes out by itself when its day is over."""
    bench = Bench(policy=SyncPolicy(limits=Limits(removals=1)))
    people = crowd(6)
    bench.put(customer(MARK, *people, primary=MARK))
    bench.contact_sync.sync_changed()
    for one in people[:2]:
        bench.change(one, active=False)
    assert bench.contact_sync.sync_changed().held
    bench.change(people[1], active=True)
    assert not bench.contact_sync.sync_changed().held
    assert len(bench.roles()) == 6
    bench.change(people[1], active=False)
    assert bench.contact_sync.sync_changed().held
    bench.clock.sleep(25 * 3600)
    assert not bench.contact_sync.sync_changed().held
    assert len(bench.roles()) == 5


def test_changed_role_policy() -> None:
    """A policy that names another primary role is followed by the next run by changes of a customer."""
    shop = MemoryShop(roles=("Admin", "Boss", "Senior Buyer"))
    bench = Bench(shop=shop)
    bench.put(customer(MARK, primary=MARK))
    bench.sync()
    bench.policy = SyncPolicy(primary_role="Boss")
    bench.sync()
    assert bench.roles() == {"mark": "Boss"}


def test_waves_and_pages() -> None:
    """However small pages and waves are, and with several workers, every customer is synced once."""
    bench = Bench(wave=2, workers=3)
    bench.erp.page_size = 3
    for n in range(1, 12):
        one = contact(1000 + n, f"Guest{n}")
        bench.put(customer(one, number=n, primary=one))
    report = bench.sync()
    assert report.customers == 11
    assert report.ok
    assert len(bench.shop.snapshot()) == 11
