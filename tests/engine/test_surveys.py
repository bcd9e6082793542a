"""A survey of the shop before a run over everything: it may confirm what we know, and decides nothing."""

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import (
    Action,
    AsyncContactSync,
    AuthenticationError,
    Company,
    CompanyRef,
    ContactSync,
    Customer,
    CustomerID,
    DecodeError,
    FindingKind,
    Limits,
    NotSentError,
    Outcome,
    RunReport,
    StorefrontID,
    SyncPolicy,
    UserID,
    in_threads,
)
from acumatica_b2b.actions import CreateCompany
from acumatica_b2b.flow import Ok
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import AsyncErpOf, AsyncShopOf, MemoryErp, MemoryShop
from acumatica_b2b.testing.strategies import edit, erp_edits
from tests.bench import ANNA, BILL, MARK, FrozenClock, contact, customer
from tests.engine.test_machine import good_customer

OPEN = SyncPolicy(limits=Limits(hand_overs=10_000, removals=10_000, email_changes=10_000, share_from=10_000))


@define(eq=False)
class Surveyed(MemoryShop):
    """A shop in which people are at work right after it was surveyed; it notes how it was looked at."""

    meanwhile: Callable[[], None] | None = None
    can: bool = True
    fails: Exception | None = None
    asked: list[int] = field(factory=list[int], init=False)
    looks: list[CompanyRef] = field(factory=list[CompanyRef], init=False)
    seen: set[str] = field(factory=set[str], init=False)
    """The companies that were shown as they are, or made, since the survey."""
    unseen: list[Action] = field(factory=list[Action], init=False)
    """What was done to others."""

    def survey(self, companies: int, /) -> None:
        """Remember all companies, and let people go on."""
        self.asked.append(companies)
        if self.fails:
            raise self.fails
        if self.can:
            MemoryShop.survey(self, companies)
        if companies:
            self.seen.clear()
        if companies and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Note who is looked at."""
        self.looks += companies
        found = MemoryShop.observe(self, companies)
        self.seen |= {ref.id for ref in companies if ref.id}
        self.seen |= {one.value.id for one in found if isinstance(one, Ok) and one.value}
        self.seen -= {one.value.id for one in found if isinstance(one, Ok) and one.value and one.value.surveyed}
        return found

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Note to whom something is done who was not looked at."""
        self.unseen += [one for one in actions if not isinstance(one, CreateCompany) and one.company not in self.seen]
        made = MemoryShop.perform(self, actions)
        self.seen |= {one.value for one in made if isinstance(one, Ok)}
        return made


@define
class Side:
    """A tenant read by so many customers at a time, a shop, and a log."""

    customers: Sequence[Customer]
    page: int = 1
    policy: SyncPolicy = OPEN
    erp: MemoryErp = field(init=False)
    shop: Surveyed = field(factory=Surveyed, init=False)
    store: MemoryStore = field(factory=MemoryStore, init=False)
    clock: FrozenClock = field(factory=FrozenClock, init=False)

    def __attrs_post_init__(self) -> None:
        self.erp = MemoryErp(page_size=self.page)
        self.erp.put(*self.customers)
        self.sync_all()
        self.sync_all()
        self.forget()

    @property
    def sync(self) -> ContactSync:
        """Return what syncs them; two companies are more than a wave."""
        return ContactSync(
            erp=self.erp,
            storefront=self.shop,
            store=self.store,
            clock=self.clock,
            policy=self.policy,
            wave=1,
            workers=1,
        )

    def sync_all(self, *, plainly: bool = False) -> RunReport:
        """Sync everything, with a survey or without."""
        self.shop.can = not plainly
        return self.sync.sync_all()

    def forget(self) -> None:
        """Note what happens from here on."""
        self.shop.looks.clear()
        self.shop.asked.clear()
        self.shop.journal.clear()

    def commits(self) -> dict[str, int]:
        """Return how many commits each log has."""
        return {key: len(log) for key, log in self.store._logs.items()}

    def user(self, email: str) -> UserID:
        """Return who has an address."""
        (found,) = self.shop.find_users([email])
        return found.value.id  # type: ignore[union-attr]  # a test names who is there


def several(number: int = 3) -> Side:
    """Return so many customers with a contact each, all synced."""
    people = [contact(100 + i, f"Person{i}") for i in range(number)]
    return Side([customer(who, number=i, primary=who) for i, who in enumerate(people, 1)])


# ------------------------------------------------------------------ whatever people do
WORLDS = st.lists(st.integers(1, 3), min_size=3, max_size=4).map(
    lambda sizes: tuple(good_customer(number, people) for number, people in enumerate(sizes, 1))
)


def work(shop: MemoryShop, die: random.Random) -> None:
    """Do something in the shop, as people do; what it refuses is not done."""
    users = [user for company in shop.snapshot().values() for user in company.users]
    user = die.choice(users) if users else None
    company = die.choice(sorted(shop.snapshot()) or [None])
    emails = [user.email for user in users] + ["new@people.example"]
    match user and company and die.randrange(7):
        case 0 | 1 if user:
            shop.edit_user(user.id, ((die.choice(("first_name", "phone")), f"By hand {die.randrange(9)}"),))
        case 2 if user:
            shop.edit_user(user.id, (("email", die.choice(emails)),))
        case 3 if user:
            shop.set_role(user.id, die.choice(shop.roles))
        case 4 if user:
            shop.delete_user(user.id)
        case 5 if company:
            shop.add_user(company, die.choice(emails), role=die.choice(shop.roles))
        case 6 if company:
            shop.delete_company(company)
        case _:
            pass


def worked(shop: MemoryShop, seeds: Sequence[int]) -> None:
    """Do several things."""
    for seed in seeds:
        try:
            work(shop, random.Random(seed))
        except Exception as error:
            if type(error).__name__ != "RejectedError":
                raise


@settings(max_examples=150, deadline=None)
@given(
    customers=WORLDS,
    page=st.integers(1, 3),
    edits=st.integers(0, 2),
    before=st.lists(st.integers(0, 2**32), max_size=2),
    meanwhile=st.lists(st.integers(0, 2**32), max_size=4),
    data=st.data(),
)
def test_nothing_rests_on_a_survey(
    customers: tuple[Customer, ...], page: int, edits: int, before: list[int], meanwhile: list[int], data: st.DataObject
) -> None:
    """Whatever people do after the survey, who is written to, in the shop or in the log, was looked at before that."""
    side = Side(customers, page)
    for _ in range(edits):
        edit(side.erp, data.draw(erp_edits(side.erp)))
    worked(side.shop, before)
    logs, companies = side.commits(), side.shop.snapshot()
    side.shop.meanwhile = lambda: worked(side.shop, meanwhile)
    side.sync_all()
    assert side.shop.asked[1:] == [0]
    assert side.shop.unseen == []
    owners = {company.external_id: id_ for id_, company in companies.items()}
    told = {key for key, number in side.commits().items() if number != logs.get(key)}
    homes = {owners.get(one.note_id) for one in customers if f"store/customer/{one.id}" in told}
    assert homes - {None} <= side.shop.seen
    assert not side.sync_all(plainly=True).troubles


@settings(max_examples=60, deadline=None)
@given(
    customers=WORLDS,
    page=st.integers(1, 3),
    edits=st.integers(0, 2),
    before=st.lists(st.integers(0, 2**32), max_size=3),
    data=st.data(),
)
def test_a_survey_changes_nothing(
    customers: tuple[Customer, ...], page: int, edits: int, before: list[int], data: st.DataObject
) -> None:
    """Where nobody is at work meanwhile, a run with a survey does what a run without one does, and logs the same."""
    sides = surveyed, looked = Side(customers, page), Side(customers, page)
    for _ in range(edits):
        change = data.draw(erp_edits(surveyed.erp))
        for side in sides:
            edit(side.erp, change)
    for side in sides:
        worked(side.shop, before)
    reports = surveyed.sync_all(), looked.sync_all(plainly=True)
    assert surveyed.shop.journal == looked.shop.journal
    assert surveyed.shop.snapshot() == looked.shop.snapshot()
    assert {f.kind for f in reports[0].findings} == {f.kind for f in reports[1].findings}
    assert surveyed.commits() == looked.commits()


# ------------------------------------------------------------------ one by one
def test_nothing_changed() -> None:
    """Of companies that stand as they should each is looked at once, as it was surveyed."""
    side = several()
    report = side.sync_all()
    assert report.customers == 3
    assert (side.shop.asked, report.steps) == ([3, 0], ())
    assert [(ref.customer, ref.surveyed) for ref in side.shop.looks] == [("C1", True), ("C2", True), ("C3", True)]


def test_who_has_something_to_do_is_looked_at_afresh() -> None:
    """Somebody who changed in the ERP, or in the shop before the survey, is looked at before anything is written."""
    side = several()
    side.shop.edit_user(side.user("person1@acme.example"), (("first_name", "By hand"),))
    report = side.sync_all()
    assert [type(step).__name__ for step in report.steps] == ["UpdateUser"]
    looks = [ref.surveyed for ref in side.shop.looks if ref.customer == "C2"]
    assert looks == [True, False, False], "from the survey, before the write, and after it"
    assert len(side.shop.looks) == 2 + len(looks)


def test_what_people_undid_after_the_survey() -> None:
    """A change that people took back after the survey is seen to be none, and nothing is written."""
    side = several()
    user = side.user("person1@acme.example")
    side.shop.edit_user(user, (("first_name", "By hand"),))
    side.shop.meanwhile = lambda: side.shop.edit_user(user, (("first_name", "Person1"),))
    assert side.sync_all().steps == ()
    assert side.shop.journal == []


def test_who_was_made_after_the_survey_is_not_called_deleted() -> None:
    """A user that another run made after the survey, and logged, is neither called deleted nor made once more."""
    side = several()
    side.erp.put_contact(CustomerID("C2"), BILL)
    side.shop.meanwhile = lambda: _synced(side, "C2")
    report = side.sync_all()
    assert (report.steps, report.findings) == ((), ())
    assert side.user("bill@acme.example")


def _synced(side: Side, *customers: str) -> None:
    report = side.sync.sync(customers)
    assert report.steps


def test_who_lost_the_address_after_the_survey() -> None:
    """Who is seen to have an address comes before who had it when the shop was surveyed."""
    shared = evolve(BILL, email="shared@acme.example")
    side = Side([customer(MARK, ANNA, number=1, primary=MARK), customer(shared, number=2, primary=shared)], page=2)
    side.erp.put_contact(CustomerID("C2"), evolve(shared, first_name="William"))
    assert side.sync_all().findings == ()


def test_a_plan_rests_on_the_survey() -> None:
    """A plan for everything looks at each company once, and tells what the survey showed."""
    side = several()
    side.shop.edit_user(side.user("person1@acme.example"), (("first_name", "By hand"),))
    plan = side.sync.plan()
    assert [type(step).__name__ for company in plan.companies for step in company.steps] == ["UpdateUser"]
    assert (side.shop.asked, len(side.shop.looks)) == ([3, 0], 3)


def test_a_company_gone_after_the_survey() -> None:
    """A company that people deleted after the survey is noticed by the next run; by this one if something is due."""
    side = several()
    gone = [id_ for id_, company in side.shop.snapshot().items() if company.external_id.endswith(("1", "2"))]
    side.erp.put_contact(CustomerID("C1"), evolve(contact(100, "Person0"), last_name="Changed"))

    def meanwhile() -> None:
        for id_ in gone:
            side.shop.delete_company(id_)

    side.shop.meanwhile = meanwhile
    kinds = {(found.record.id, found.kind) for found in side.sync_all().findings}
    assert ("C1", FindingKind.DELETED_IN_SHOP) in kinds
    assert ("C2", FindingKind.DELETED_IN_SHOP) not in kinds
    assert ("C2", FindingKind.DELETED_IN_SHOP) in {(f.record.id, f.kind) for f in side.sync_all().findings}


@pytest.mark.parametrize("act", ["first load", "some", "changed", "one wave"])
def test_when_no_survey_is_taken(act: str) -> None:
    """Nobody surveys an empty shop, for some customers, for what changed, or for what one wave looks at anyhow."""
    side = several()
    match act:
        case "first load":
            side = Side([])
            side.erp.put(*several().customers)
            side.sync_all()
        case "some":
            side.sync.sync(["C1", "C2", "C3"])
        case "changed":
            side.sync.sync_changed()
        case _:
            evolve(side.sync, wave=3).sync_all()
    assert side.shop.asked == []
    assert not any(ref.surveyed for ref in side.shop.looks)


@pytest.mark.parametrize("error", [NotSentError("the network is down"), DecodeError("odd", "users")])
def test_a_survey_that_fails(error: Exception) -> None:
    """A survey that can't be taken, or not be put away, costs nothing but what it would have saved."""
    side = several()
    side.shop.edit_user(side.user("person1@acme.example"), (("first_name", "By hand"),))

    side.shop.fails = error
    report = side.sync_all()
    assert report.ok
    assert len(report.steps) == 1
    assert [ref.customer for ref in side.shop.looks] == ["C1", "C2", "C2", "C3"]


def test_a_wrong_credential_ends_the_run() -> None:
    """Where the shop refuses the credential of the survey, the run ends before it reads a customer."""
    side = several()
    side.shop.fails = AuthenticationError("the token is wrong")
    with pytest.raises(AuthenticationError):
        side.sync_all()
    assert side.shop.looks == []


def test_in_tasks() -> None:
    """An async shop is surveyed as well, by whatever way it is async."""
    for awaited in (AsyncShopOf, in_threads):
        side = several()
        sync = AsyncContactSync(
            erp=AsyncErpOf(side.erp),
            storefront=awaited(side.shop),
            store=in_threads(side.store),
            wave=1,
            policy=OPEN,
        )
        assert asyncio.run(sync.sync_all()).steps == ()
        assert side.shop.asked == [3, 0]
        assert [ref.surveyed for ref in side.shop.looks] == [True] * 3


def test_several_workers() -> None:
    """Workers side by side share the one survey."""
    side = several(9)
    report = evolve(side.sync, workers=3).sync_all()
    assert (report.customers, report.steps) == (9, ())
    assert side.shop.asked == [9, 0]
    assert len(side.shop.looks) == 9
