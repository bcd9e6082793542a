"""Level-triggered: what is left after a sync, what people change, what a shop makes of a value; laws over any ERP."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acumatica_b2b import RunReport
from acumatica_b2b.actions import Action, UpdateUser
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.mapping import plain_email
from acumatica_b2b.model import Company, CompanyRef, CompanyUser, Contact, Customer, HandOver, RecordKind, StorefrontID
from acumatica_b2b.policy import Limits, SyncPolicy
from acumatica_b2b.testing import MemoryShop, strategies
from tests import oracle
from tests.bench import (
    ANNA,
    MARK,
    REGIMES,
    Bench,
    Rewriting,
    customer,
    done,
    location,
)

NO_LIMITS = Limits(removals=10**6, hand_overs=10**6, email_changes=10**6, share=1e6, half_of_company_from=10**6)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

either = st.booleans()


@st.composite
def shops(draw: st.DrawFn, *, plain: bool = False) -> MemoryShop:
    """Return shops of all kinds; `plain` ones keep what they are sent, and make companies without users."""
    return MemoryShop(
        hand_over=draw(st.sampled_from(HandOver)),
        admin_at_creation=not plain and draw(either),
        addresses=draw(either),
        deactivates=draw(either),
        keeps_external_id=plain or draw(either),
        strict=True,
    )


def state(bench: Bench) -> tuple[object, ...]:
    """Return all that the ERP and the shop hold."""
    return bench.erp.snapshot(), bench.shop.snapshot()


def one_by_one(bench: Bench) -> RunReport:
    """Sync until nothing is done any more, at most a few times."""
    for _ in range(6):
        report = bench.sync()
        if not report.steps:
            return report
    raise AssertionError(report.steps)


# ------------------------------------------------------------------ rest
@quick
@given(strategies.erps(ordinary=True), strategies.policies(), shops())
def test_a_second_sync_takes_no_step(world: tuple[Customer, ...], policy: SyncPolicy, shop: MemoryShop) -> None:
    """A sync leaves nothing to do: the next one takes no step and changes nothing."""
    bench = Bench(shop=shop, policy=policy)
    bench.put(*world)
    bench.sync()
    before = state(bench)
    assert done(bench.sync()) == []
    assert state(bench) == before


@quick
@given(strategies.erps(), strategies.policies(), shops())
def test_after_a_sync_the_plan_is_empty(world: tuple[Customer, ...], policy: SyncPolicy, shop: MemoryShop) -> None:
    """After a sync the plan has no step, and its findings are those of the sync."""
    bench = Bench(shop=shop, policy=policy)
    bench.put(*world)
    report = bench.sync()
    plan = bench.plan()
    assert done(plan) == []
    assert Counter(plan.findings) == Counter(report.findings)


@quick
@given(strategies.customers(), strategies.policies(), shops(plain=True))
def test_a_run_takes_exactly_its_plan(one: Customer, policy: SyncPolicy, shop: MemoryShop) -> None:
    """A run without faults takes exactly the plan, step by step."""
    bench = Bench(shop=shop, policy=policy)
    bench.put(one)
    plan = bench.plan()
    report = bench.sync()
    assert done(report) == done(plan)
    assert report.findings == plan.findings


@pytest.mark.parametrize("admin_at_creation", [True, False], ids=["with-admin", "empty"])
def test_a_run_that_makes_a_company_takes_exactly_its_plan(*, admin_at_creation: bool) -> None:
    """A run takes exactly the plan also where a company is made with its admin."""
    bench = Bench(shop=MemoryShop(admin_at_creation=admin_at_creation, keeps_admin_external_id=False))
    bench.put(customer(MARK, ANNA, primary=MARK))
    plan = bench.plan()
    assert done(bench.sync()) == done(plan)


@pytest.mark.parametrize("admin_at_creation", [True, False], ids=["with-admin", "empty"])
@quick
@given(strategies.erps(), strategies.policies(), st.data())
def test_as_the_oracle_says(
    admin_at_creation: bool,  # noqa: FBT001  # hypothesis hands on by name
    world: tuple[Customer, ...],
    policy: SyncPolicy,
    data: st.DataObject,
) -> None:
    """A first sync makes what the rules say, as told by other means than the product."""
    shop = data.draw(shops())
    shop.admin_at_creation = admin_at_creation
    bench = Bench(shop=shop, policy=policy)
    bench.put(*world)
    bench.sync()
    held = bench.erp.snapshot()
    companies = {key: bench.find_company(key) for key in held}
    assert oracle.check(held, companies, policy, addresses=shop.addresses) == []


@quick
@given(strategies.erps(ordinary=True), st.data(), st.sampled_from(REGIMES))
def test_after_edits_it_comes_to_rest(world: tuple[Customer, ...], data: st.DataObject, regime: HandOver) -> None:
    """However people edit the ERP, sync by sync, it comes to rest, and no company that had an admin loses it."""
    bench = Bench(shop=MemoryShop(hand_over=regime, strict=True), policy=SyncPolicy(limits=NO_LIMITS))
    bench.put(*world)
    bench.sync()
    had = {company.id for company in bench.shop.snapshot().values() if _admins(company)}
    for _ in range(3):
        for _ in range(data.draw(st.integers(1, 3))):
            strategies.edit(bench.erp, data.draw(strategies.erp_edits(bench.erp)))
        one_by_one(bench)
        for key in had:
            assert _admins(bench.shop.snapshot()[key])
        assert done(bench.plan()) == []


def _admins(company: Company) -> list[str]:
    return [user.id for user in company.users if user.role == "Admin"]


@quick
@given(strategies.erps(ordinary=True), strategies.policies())
def test_nobody_is_neither(world: tuple[Customer, ...], policy: SyncPolicy) -> None:
    """After a sync every contact has a user of its own, or a finding stands against it or its customer."""
    bench = Bench(policy=policy)
    bench.put(*world)
    report = bench.sync()
    found = {(f.record.kind, f.record.id) for f in report.findings if f.kind is not FindingKind.EMAIL_LIST}
    users = {user.external_id for company in bench.shop.snapshot().values() for user in company.users}
    for one in world:
        for contact in one.contacts:
            named = (RecordKind.CONTACT, contact.id) in found or (RecordKind.CUSTOMER, one.id) in found
            assert contact.note_id in users or named


@quick
@given(strategies.erps(), strategies.policies())
def test_addresses_are_unique(world: tuple[Customer, ...], policy: SyncPolicy) -> None:
    """No two users have one address, and every user has its contact's first address in lower case."""
    bench = Bench(policy=policy)
    bench.put(*world)
    bench.sync()
    contacts: dict[str, Contact] = {c.note_id: c for one in world for c in one.contacts}
    for company in bench.shop.snapshot().values():
        for user in company.users:
            assert user.email in plain_email(contacts[user.external_id].email)


# ------------------------------------------------------------------ people's edits in the shop
def started(**settings_: Any) -> Bench:
    """Return a bench whose company has Mark and Anna and an address."""
    bench = Bench(**settings_)
    bench.put(customer(MARK, evolve(ANNA, phones=("555-0102",)), primary=MARK, locations=(location(),)))
    assert bench.sync().ok
    return bench


USER_EDITS = (("first_name", "Zoe"), ("last_name", "Zed"), ("phone", "1"), ("email", "zoe@acme.example"))
COMPANY_EDITS = (("name", "Zenith"), ("email", "z@acme.example"), ("phone", "1"))


@pytest.mark.parametrize("edit", USER_EDITS, ids=lambda edit: edit[0])
def test_owned_field_of_a_user(edit: tuple[str, str]) -> None:
    """An owned field of a user that people changed is put back, and it alone is written."""
    bench = started()
    user = bench.user(ANNA)
    bench.shop.edit_user(user.id, (edit,))
    report = bench.sync()
    assert done(report) == ["UpdateUser 102"]
    assert bench.user(ANNA) == user
    assert [name for name, _ in bench.shop.journal[-1].changes] == [edit[0]]  # type: ignore[union-attr]  # an update


@pytest.mark.parametrize("edit", USER_EDITS, ids=lambda edit: edit[0])
def test_field_of_a_user_that_is_not_owned(edit: tuple[str, str]) -> None:
    """A field of a user that is not owned is left as people made it, also when another one is written."""
    owned = SyncPolicy().owned_user_fields - {edit[0]}
    bench = started(policy=SyncPolicy(owned_user_fields=owned))
    bench.shop.edit_user(bench.user(ANNA).id, (edit,))
    assert done(bench.sync()) == []
    bench.change(ANNA, first_name="Ann", last_name="Bell", phones=("555-7",))
    bench.sync()
    assert getattr(bench.user(ANNA), edit[0]) == edit[1]


@pytest.mark.parametrize("edit", COMPANY_EDITS, ids=lambda edit: edit[0])
@pytest.mark.parametrize("owned", [True, False])
def test_field_of_a_company(edit: tuple[str, str], *, owned: bool) -> None:
    """A field of a company that people changed is put back where it is owned, and else left alone."""
    names = SyncPolicy().owned_company_fields
    bench = started(policy=SyncPolicy(owned_company_fields=names if owned else names - {edit[0]}))
    company = bench.company()
    changed = evolve(company, **{edit[0]: edit[1]})  # type: ignore[arg-type]  # a text field
    bench.shop._put(changed)
    assert done(bench.sync()) == (["UpdateCompany C1"] if owned else [])
    assert bench.company() == (company if owned else changed)


def test_role_of_a_user() -> None:
    """The role of a non-primary is set on creation and then people's to change."""
    bench = started()
    bench.shop.set_role(bench.user(ANNA).id, "Junior Buyer")
    bench.change(ANNA, last_name="Bell")
    bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Junior Buyer"}


def test_external_id() -> None:
    """An external id that people took away is written again."""
    bench = started()
    bench.shop.edit_user(bench.user(ANNA).id, (("external_id", ""),))
    bench.sync()
    assert bench.find_user(ANNA)


def test_address() -> None:
    """An address of ours that people changed is put back whole."""
    bench = started()
    company = bench.company()
    bench.shop._put(evolve(company, addresses=tuple(evolve(a, label="By hand") for a in company.addresses)))
    bench.sync()
    assert bench.company() == company


def test_extra_fields() -> None:
    """Extra fields that the mapping does not set stay as people made them."""
    bench = started()
    bench.shop.edit_user(bench.user(ANNA).id, (("extra_fields.colour", "red"),))
    bench.change(ANNA, last_name="Bell")
    bench.sync()
    assert dict(bench.user(ANNA).extra_fields) == {"colour": "red"}


# ------------------------------------------------------------------ shops that rewrite
def dashless(user: CompanyUser) -> CompanyUser:
    """Keep phones without dashes."""
    return evolve(user, phone=user.phone.replace("-", ""))


def shouting(user: CompanyUser) -> CompanyUser:
    """Keep names in capitals."""
    return evolve(user, first_name=user.first_name.upper(), last_name=user.last_name.upper())


def upper_ids(user: CompanyUser) -> CompanyUser:
    """Keep external ids in capitals."""
    return evolve(user, external_id=user.external_id.upper())


@pytest.mark.parametrize("how", [dashless, shouting, upper_ids])
def test_rewritten_on_creation(how: Any) -> None:
    """A shop that makes something else of a value on creation is not written to again."""
    bench = started(shop=Rewriting(how).shop())
    for _ in range(2):
        assert done(bench.sync()) == []


@pytest.mark.parametrize("how", [dashless, shouting])
def test_rewritten_on_update(how: Any) -> None:
    """A changed value is written once, whatever the shop makes of it."""
    bench = started(shop=Rewriting(how).shop())
    bench.change(ANNA, last_name="Bell", phones=("555-7",))
    assert done(bench.sync()) == ["UpdateUser 102"]
    assert done(bench.sync()) == []


@pytest.mark.parametrize("how", [dashless, shouting])
def test_changed_by_people_in_a_shop_that_rewrites(how: Any) -> None:
    """Where the shop rewrites a value, people's change of it is put back all the same, once."""
    bench = started(shop=Rewriting(how).shop())
    bench.shop.edit_user(bench.user(ANNA).id, (("last_name", "Zed"), ("phone", "1")))
    bench.sync()
    assert (bench.user(ANNA).last_name.lower(), bench.user(ANNA).phone[:3]) == ("ames", "555")
    assert done(bench.sync()) == []


class Echoing(MemoryShop):
    """A shop without dashes in its phones, whose client shows again what the answer to a change echoed."""

    told: dict[str, dict[str, str]]

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do it, and note what the answers echo."""
        changes = (action for action in actions if isinstance(action, UpdateUser))
        self.told = {change.user: dict(change.changes) for change in changes}
        return super().perform(actions)

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return companies; again, as the answers told."""
        found = zip(companies, super().observe(companies), strict=True)
        return [Ok(self._as_told(o.value)) if isinstance(o, Ok) and o.value and ref.again else o for ref, o in found]

    def _as_told(self, company: Company) -> Company:
        users = (evolve(user, **self.told.get(user.id, {})) for user in company.users)  # type: ignore[arg-type]  # text fields
        return evolve(company, users=tuple(users))

    def _put(self, new: Company) -> None:
        super()._put(evolve(new, users=tuple(map(dashless, new.users))))


def test_a_shop_whose_answers_only_echo() -> None:
    """Where an answer tells what was sent and not what became of it, a value is written twice, and not for ever."""
    shop = Echoing()
    shop.told = {}
    bench = started(shop=shop)
    bench.change(ANNA, phones=("555-7",))
    assert [done(bench.sync()) for _ in range(3)] == [["UpdateUser 102"], ["UpdateUser 102"], []]


def test_company_that_is_rewritten() -> None:
    """A shop that keeps a company's name its own way is not written to for ever."""

    class Loud(MemoryShop):
        def _put(self, new: Company) -> None:
            super()._put(evolve(new, name=new.name.upper()))

    bench = started(shop=Loud())
    assert done(bench.sync()) == []
    bench.change_customer(name="Bolt")
    assert done(bench.sync()) == ["UpdateCompany C1"]
    assert done(bench.sync()) == []


def test_addresses_that_are_rewritten() -> None:
    """A shop that writes states and countries its own way is not written to for ever."""

    class Spelling(MemoryShop):
        def _put(self, new: Company) -> None:
            places = tuple(evolve(a, address=evolve(a.address, country="Germany")) for a in new.addresses)
            super()._put(evolve(new, addresses=places))

    bench = started(shop=Spelling())
    assert done(bench.sync()) == []


@pytest.mark.parametrize("keeps", [True, False])
def test_external_id_of_a_new_company(*, keeps: bool) -> None:
    """A shop that drops the external id on creation gets it by an update, once."""
    bench = started(shop=MemoryShop(keeps_external_id=keeps))
    assert bench.find_company()
    assert done(bench.sync()) == []
