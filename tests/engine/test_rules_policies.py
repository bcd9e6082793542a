"""What a host may decide otherwise: parked addresses, suspended leavers, shoppers who are there already."""

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import SetRole, UpdateUser
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.findings import Status
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import RecordKind
from acumatica_b2b.policy import ExistingShoppers, Limits, ProtectedLeaver, SyncPolicy
from acumatica_b2b.testing import MemoryShop
from tests.bench import (
    ANNA,
    BILL,
    CARL,
    HERE,
    MARK,
    THERE,
    Bench,
    contact,
    customer,
    done,
    finding,
    kinds,
)

PARKING = SyncPolicy(parking_domain="parked.example")
SUSPENDING = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Suspended")
HOLDING = SyncPolicy(existing_shoppers=ExistingShoppers.HOLD)
REFUSING = SyncPolicy(existing_shoppers=ExistingShoppers.REFUSE)


def started(**fields: object) -> Bench:
    """Return a bench with two companies: Mark and Anna here, Bill and Carl there."""
    bench = Bench(**fields)  # type: ignore[arg-type]  # settings of the bench
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.sync().ok
    return bench


def rename(bench: Bench, **emails: str) -> None:
    """Give contacts other addresses, by first name: mark="anna" gives Mark Anna's."""
    people = {one.first_name.lower(): one for one in (MARK, ANNA, BILL, CARL)}
    for name, email in emails.items():
        bench.change(people[name], email=f"{email}@acme.example")


def email_of(bench: Bench) -> dict[str, str]:
    """Return the address of each user by first name, up to the @."""
    users = (user for company in bench.shop.snapshot().values() for user in company.users)
    return {user.first_name.lower(): user.email.partition("@")[0] for user in users}


# ------------------------------------------------------------------ parked addresses
def test_swap_within_a_company() -> None:
    """Two who swap their addresses: one steps aside for a while, and both have the other's in one run."""
    bench = started(policy=PARKING)
    users = {one.id: bench.user(one).id for one in (MARK, ANNA)}
    rename(bench, mark="anna", anna="mark")
    plan, report = bench.plan(), bench.sync()
    assert done(plan) == done(report) == ["UpdateUser 101", "UpdateUser 102", "UpdateUser 101"]
    assert email_of(bench) | {"mark": "anna", "anna": "mark"} == email_of(bench)
    assert users == {one.id: bench.user(one).id for one in (MARK, ANNA)}
    assert plan.findings == report.findings == ()
    assert bench.sync().steps == ()


def test_swap_across_companies() -> None:
    """Two of different companies who swap have each other's address at the end of one run."""
    bench = started(policy=PARKING)
    rename(bench, mark="bill", bill="mark")
    report = bench.sync()
    assert email_of(bench) == {"mark": "bill", "anna": "anna", "bill": "mark", "carl": "carl"}
    assert report.ok
    assert report.findings == ()
    assert bench.sync().steps == ()


def test_parked_address_is_the_users_own() -> None:
    """The address taken meanwhile is the user's id at the parking domain."""
    bench = started(policy=PARKING)
    rename(bench, mark="anna", anna="mark")
    parked = next(step for step in bench.plan().steps if isinstance(step, UpdateUser))
    assert dict(parked.changes) == {"email": f"parked-{bench.user(MARK).id}@parked.example"}


def test_no_parking_beyond_the_guard() -> None:
    """What the guard holds is not parked either: nobody is left with an address of nobody's."""
    bench = started(policy=SyncPolicy(parking_domain="parked.example", limits=Limits(email_changes=0)))
    rename(bench, mark="anna", anna="mark")
    before = email_of(bench)
    bench.sync()
    assert email_of(bench) == before


def test_no_parking_without_a_domain() -> None:
    """Without a parking domain a swap is held, and everybody in it is named."""
    bench = started()
    rename(bench, mark="anna", anna="mark")
    assert {("EMAIL_CYCLE", MARK.id), ("EMAIL_CYCLE", ANNA.id)} <= kinds(bench.sync())


def test_parked_by_a_run_that_was_cut_off() -> None:
    """Who was parked and left so gets the right address by the next run, also without the policy."""
    bench = started(policy=PARKING)
    rename(bench, mark="anna", anna="mark")
    bench.shop.edit_user(bench.user(MARK).id, (("email", f"parked-{bench.user(MARK).id}@parked.example"),))
    bench.policy = SyncPolicy()
    assert bench.sync().ok
    assert email_of(bench) == {"mark": "anna", "anna": "mark", "bill": "bill", "carl": "carl"}


@settings(max_examples=60, deadline=None)
@given(st.permutations(["mark", "anna", "bill", "carl"]))
def test_any_exchange_of_addresses(names: list[str]) -> None:
    """However four people of two companies exchange their addresses, each has the right one after one run."""
    bench = started(policy=PARKING)
    wanted = dict(zip(["mark", "anna", "bill", "carl"], names, strict=True))
    rename(bench, **wanted)
    bench.sync()
    assert email_of(bench) == wanted
    assert bench.sync().steps == ()


@pytest.mark.parametrize("domain", ["Parked.Example", "a@b.example", "two words"])
def test_parking_domain_is_a_domain(domain: str) -> None:
    """A parking domain that is none is refused when the policy is made."""
    with pytest.raises(ConfigurationError, match="parking_domain"):
        SyncPolicy(parking_domain=domain)


# ------------------------------------------------------------------ suspended leavers
def suspending(**fields: object) -> Bench:
    shop = MemoryShop(roles=("Admin", "Senior Buyer", "Suspended"))
    return started(shop=shop, policy=SUSPENDING, **fields)


def test_last_admin_is_suspended() -> None:
    """The last admin whose contact left gets the role without permissions, and stays to be acted on."""
    bench = suspending()
    bench.change(MARK, active=False)
    plan, report = bench.plan(), bench.sync()
    assert done(plan) == done(report) == ["SetRole 101"]
    assert bench.roles() == {"mark": "Suspended", "anna": "Senior Buyer"}
    assert finding(report, "PROTECTED_ADMIN", MARK.id).act_now
    again = bench.sync()
    assert again.steps == ()
    assert finding(again, "PROTECTED_ADMIN", MARK.id).act_now


def test_last_user_is_suspended() -> None:
    """So is the last user of a company."""
    bench = Bench(shop=MemoryShop(roles=("Admin", "Senior Buyer", "Suspended")), policy=SUSPENDING)
    bench.put(customer(MARK, primary=MARK))
    bench.sync()
    bench.change(MARK, active=False)
    assert finding(bench.sync(), "PROTECTED_LAST_USER", MARK.id).act_now
    assert bench.roles() == {"mark": "Suspended"}
    assert bench.sync().steps == ()


def test_suspended_goes_when_there_is_another_admin() -> None:
    """Who was suspended is removed once somebody else is the admin."""
    bench = suspending()
    bench.change(MARK, active=False)
    bench.sync()
    bench.erp.set_primary(HERE, ANNA.id)
    assert bench.sync().ok
    assert bench.roles() == {"anna": "Admin"}


@pytest.mark.parametrize("primary", [True, False])
def test_suspended_comes_back(*, primary: bool) -> None:
    """A suspended user whose contact takes part again gets a role again: the primary's, or that of the others."""
    bench = suspending()
    bench.change(MARK, active=False)
    bench.sync()
    bench.change(MARK, active=True)
    if not primary:
        bench.erp.set_primary(HERE, ANNA.id)
    assert bench.sync().ok
    assert bench.roles()["mark"] == ("Admin" if primary else "Senior Buyer")
    assert len(bench.admins()) == 1
    assert bench.sync().steps == ()
    bench.erp.set_primary(HERE, ANNA.id)
    assert bench.sync().ok
    assert bench.roles() == {"mark": "Senior Buyer", "anna": "Admin"}


def test_suspended_by_people_stays_so() -> None:
    """A user to whom people gave that role keeps it."""
    bench = suspending()
    bench.shop.set_role(bench.user(ANNA).id, "Suspended")
    assert bench.sync().steps == ()
    assert bench.roles()["anna"] == "Suspended"


def test_suspensions_are_guarded() -> None:
    """A suspension counts as a removal: beyond the limit it is held."""
    shop = MemoryShop(roles=("Admin", "Senior Buyer", "Suspended"))
    policy = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Suspended", limits=Limits(removals=0))
    bench = started(shop=shop, policy=policy)
    bench.change(MARK, active=False)
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())
    assert bench.admins() == {"mark"}


def test_last_admin_is_kept_by_default() -> None:
    """Without the policy nobody's role is taken for having left."""
    bench = started()
    bench.change(MARK, active=False)
    assert not any(isinstance(step, SetRole) for step in bench.sync().steps)


@pytest.mark.parametrize("role", ["", "Admin", "Senior Buyer"])
def test_suspended_role_is_one_of_its_own(role: str) -> None:
    """Suspending takes a role that nobody else gets."""
    with pytest.raises(ConfigurationError, match="suspended_role"):
        SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role=role)


# ------------------------------------------------------------------ existing shoppers
def with_shopper(policy: SyncPolicy, email: str) -> Bench:
    """Return a bench whose shop has a shopper of that address, and a customer not synced yet."""
    bench = Bench(policy=policy)
    bench.shop.shoppers[email] = "S99"
    bench.put(customer(MARK, ANNA, primary=MARK))
    return bench


def test_shopper_is_adopted() -> None:
    """By default a shopper becomes the company user, and nobody is asked who shops."""
    bench = with_shopper(SyncPolicy(), "anna@acme.example")
    assert bench.sync().ok
    assert set(bench.roles()) == {"mark", "anna"}


@pytest.mark.parametrize(
    ("policy", "kind", "status"),
    [(HOLDING, "SHOPPER_HELD", Status.HELD), (REFUSING, "SHOPPER_REFUSED", Status.SKIPPED)],
)
def test_shopper_is_not_made_a_company_user(policy: SyncPolicy, kind: str, status: Status) -> None:
    """Held or refused, a shopper stays a shopper; the others of the company are made."""
    bench = with_shopper(policy, "anna@acme.example")
    plan, report = bench.plan(), bench.sync()
    assert set(bench.roles()) == {"mark"}
    for found in (finding(plan, kind, ANNA.id), finding(report, kind, ANNA.id)):
        assert found.kind.about.status is status
        assert "S99" in found.detail
    assert done(plan) == done(report)
    assert bench.sync().steps == ()


def test_shopper_who_is_primary() -> None:
    """A company is not made with a shopper whom the policy holds as its admin."""
    bench = with_shopper(HOLDING, "mark@acme.example")
    report = bench.sync()
    assert bench.find_company() is None
    assert ("PRIMARY_NOT_ELIGIBLE", HERE) in kinds(report)


def test_new_address_of_a_shopper() -> None:
    """Nor is a user's address changed to a shopper's."""
    bench = started(policy=HOLDING)
    bench.shop.shoppers["ann@acme.example"] = "S99"
    rename(bench, anna="ann")
    assert ("SHOPPER_HELD", ANNA.id) in kinds(bench.sync())
    assert email_of(bench)["anna"] == "anna"
    bench.policy = SyncPolicy()
    bench.sync()
    assert email_of(bench)["anna"] == "ann"


@pytest.mark.parametrize("to", [HERE, THERE])
def test_former_user_of_ours_is_no_stranger(to: str) -> None:
    """Who was a user of ours and came back, in whichever company, under whichever contact, is made again."""
    bench = started(policy=HOLDING)
    bench.change(ANNA, active=False)
    bench.sync()
    assert "anna@acme.example" in bench.shop.shoppers
    bench.put(bench.customer(THERE))
    again = contact(150, "Anna")
    bench.add(again, next(key for key in (HERE, THERE) if key == to))
    assert bench.sync().ok
    assert bench.user(again).email == "anna@acme.example"


def test_taken_address_says_more_than_a_shopper() -> None:
    """An address of another company's user is told as that, though that user shops too."""
    bench = Bench(policy=HOLDING)
    other = bench.shop.add_company("Other")
    bench.shop.add_user(other, "someone@else.example", role="Admin")
    bench.shop.add_user(other, "anna@acme.example", role="Senior Buyer")
    bench.put(customer(MARK, ANNA, primary=MARK))
    assert ("EMAIL_OWNED_ELSEWHERE", ANNA.id) in kinds(bench.sync())


def test_shop_that_does_not_know_its_shoppers() -> None:
    """Where the shop can't tell, holding shoppers is a mistake, named before the first write."""

    class Plain:
        """A shop with the four members only."""

        def __init__(self, shop: MemoryShop) -> None:
            self.capabilities, self.observe = shop.capabilities, shop.observe
            self.find_users, self.perform = shop.find_users, shop.perform

    bench = Bench(policy=HOLDING)
    bench.put(customer(MARK, primary=MARK))
    shop = bench.shop
    bench.shop = Plain(shop)  # type: ignore[assignment]  # a storefront all the same
    with pytest.raises(ConfigurationError, match="find_shoppers"):
        bench.sync()
    assert shop.writes == 0


# ------------------------------------------------------------------ super admins
@define(kw_only=True, eq=False)
class Telling(MemoryShop):
    """A shop that says whose addresses no company user can have."""

    def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return for each address whether it is reserved."""
        return [Ok(email in self.reserved) for email in emails]


def test_super_admin_is_known_beforehand() -> None:
    """Where the shop tells, plan and run say SUPER_ADMIN_EMAIL, and nothing is tried in vain."""
    bench = Bench(shop=Telling(reserved={"anna@acme.example"}))
    bench.put(customer(MARK, ANNA, primary=MARK))
    plan, report = bench.plan(), bench.sync()
    for source in (plan, report):
        assert ("SUPER_ADMIN_EMAIL", ANNA.id) in kinds(source)
    assert done(plan) == done(report)
    assert all(settled.failures == 0 for settled in report.settled)
    assert set(bench.roles()) == {"mark"}


def test_new_address_of_a_super_admin() -> None:
    """Nor is a user's address changed to a super admin's, as long as it is one."""
    bench = started(shop=Telling())
    bench.shop.reserved.add("ann@acme.example")
    rename(bench, anna="ann")
    assert ("SUPER_ADMIN_EMAIL", ANNA.id) in kinds(bench.sync())
    assert email_of(bench)["anna"] == "anna"
    bench.shop.reserved.clear()
    assert bench.sync().ok
    assert email_of(bench)["anna"] == "ann"


def test_sets_of_any_kind() -> None:
    """A policy takes a plain set, or a list, wherever it keeps a set."""
    given: dict[str, Any] = {"admin_roles": ["Junior Buyer"], "write_back": {RecordKind.CONTACT}}
    bench = Bench(policy=SyncPolicy(**given, owned_user_fields=["email"]))
    bench.put(customer(MARK, primary=MARK))
    assert bench.sync().ok
    assert hash(bench.policy) == hash(evolve(bench.policy))
