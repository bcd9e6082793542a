"""What a storefront declares is what it does: capabilities, hand-over, and the methods that it adds."""

from collections.abc import Mapping
from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateCompany
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import CompanyRef, HandOver
from acumatica_b2b.testing.contract.asking import answers
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.shop_actions import granting, moving_admin, updating
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import new_company, new_user

_HAND_OVER: Final = "capabilities.hand_over, and perform of SetRole and MoveAdmin"


class Declares:
    """The shop does what its capabilities say."""

    def test_capabilities_do_not_change(self, shop: ShopBench) -> None:
        """The capabilities are the same before and after every kind of call."""
        before = shop.can
        home = shop.company()
        shop.user(home)
        if (after := shop.can) != before:
            why = Why("a plan is made on what was declared; it would not fit what is done", "capabilities: a constant")
            raise broken(did="capabilities, read twice", should=f"stay {before}", but=f"they are {after}", why=why)

    def test_admin_at_creation_is_as_declared(self, shop: ShopBench) -> None:
        """A company is made with its admin, or without one, as declared, and never the other way."""
        wanted, role = new_company(shop.traits), shop.traits.primary_role
        if not shop.can.admin_at_creation:
            home = shop.company()
            if home.admin.id not in shop.users(home) or len(shop.users(home)) != 1:
                why = Why("there would be users that nobody asked for", "perform of CreateCompany without an admin")
                raise broken(
                    did="perform(CreateCompany, CreateUser)", should="have 1 user", but="it has others", why=why
                )
            return
        why = Why(
            "the engine would make companies in a way that the shop does not have", "capabilities.admin_at_creation"
        )
        alone = CreateCompany(company=wanted, admin=None, role=role)
        shop.refused(alone, None, "without an admin, where admin_at_creation is declared", why)
        (left,) = shop.observe(CompanyRef(customer=wanted.customer, external_id=wanted.external_id))
        if left != Ok(None):
            raise broken(did="a refused CreateCompany", should="make nothing", but=f"observe answers {left!r}", why=why)
        home = shop.company()
        should = {"email": home.admin.wanted.email, "role": role, "first_name": home.admin.wanted.first_name}
        shop.shows("perform(CreateCompany with an admin)", lambda: shop.user_seen(home, home.admin.id), should, why)

    # ---- hand-over
    def test_atomic_leaves_one_admin(self, shop: ShopBench) -> None:
        """Where the hand-over is ATOMIC, MoveAdmin leaves one Primary Admin, and the former one a user."""
        _require(shop, HandOver.ATOMIC)
        home, role = shop.company(), shop.traits.primary_role
        person = shop.user(home)
        shop.do(moving_admin(person, role))
        why = Why("two would be Primary Admin, or none, and no later run would mend it", _HAND_OVER)
        shop.require_holders(home, {person.id}, "perform(MoveAdmin)", why)
        if home.admin.id not in shop.users(home):
            raise broken(did="perform(MoveAdmin)", should="keep the former admin", but="the user is gone", why=why)

    def test_promote_first_lets_two_stand(self, shop: ShopBench) -> None:
        """Where the hand-over is PROMOTE_FIRST, two may be Primary Admin, and then the first gives it back."""
        _require(shop, HandOver.PROMOTE_FIRST)
        home, traits = shop.company(), shop.traits
        person = shop.user(home)
        why = Why("a company would be without a Primary Admin between two calls, or for ever", _HAND_OVER)
        shop.do(granting(person, traits.primary_role), why)
        both = {home.admin.id, person.id}
        shop.require_holders(home, both, "perform(SetRole) of a second admin", why)
        shop.do(granting(home.admin, traits.user_role), why)
        shop.require_holders(home, {person.id}, "perform(SetRole) of the first", why)

    def test_demote_first_refuses_a_second(self, shop: ShopBench) -> None:
        """Where the hand-over is DEMOTE_FIRST, a second Primary Admin is refused until the first gave it back."""
        _require(shop, HandOver.DEMOTE_FIRST)
        home, traits = shop.company(), shop.traits
        person = shop.user(home)
        why = Why("who lets two stand should say PROMOTE_FIRST: it has no moment without an admin", _HAND_OVER)
        shop.refused(granting(person, traits.primary_role), None, "beside another, where DEMOTE_FIRST is declared", why)
        shop.require_holders(home, {home.admin.id}, "a refused SetRole", why)
        shop.do(granting(home.admin, traits.user_role), why)
        shop.do(granting(person, traits.primary_role), why)
        shop.require_holders(home, {person.id}, "perform(SetRole), twice", why)

    # ---- switching off
    def test_deactivated_users_are_listed_as_inactive(self, shop: ShopBench) -> None:
        """A user that is switched off is listed, inactive, keeps its address, and is switched on again."""
        if not shop.can.deactivates:
            pytest.skip("the shop declares that it can't switch users off")
        home = shop.company()
        person = shop.user(home)
        why = Why("the user would be taken for deleted, or be made a second time", "active in UpdateUser and observe")
        for value, active in (("no", False), ("yes", True)):
            shop.change(person, ("active", value))
            should = {"active": active, "role": person.role, "email": person.wanted.email}
            did = f"perform(UpdateUser of active to {value!r})"
            shop.shows(did, lambda: shop.user_seen(home, person.id), should, why)
            holds = {"holder": person.id}
            shop.shows(f"{did}, then find_users", lambda: _holder(shop, person.wanted.email), holds, why)

    def test_deactivated_companies_are_shown_as_inactive(self, shop: ShopBench) -> None:
        """A company that is switched off is shown, inactive, with its users, and is switched on again."""
        if not shop.can.deactivates_companies:
            pytest.skip("the shop declares that it can't switch companies off")
        home = shop.company()
        why = Why(
            "the company would be taken for deleted, or stay open for orders", "active in UpdateCompany and observe"
        )
        for value, active in (("no", False), ("yes", True)):
            shop.change_company(home, ("active", value))

            def look() -> Mapping[str, object]:
                seen = shop.seen(home)
                return {"active": seen.active, "users": len(seen.users), "name": seen.name}

            should = {"active": active, "users": 1, "name": shop.traits.kept("name", home.wanted.name)}
            shop.shows(f"perform(UpdateCompany of active to {value!r})", look, should, why)

    def test_changes_of_email_are_as_declared(self, shop: ShopBench) -> None:
        """An e-mail address is changed and the former one free, where declared; elsewhere the change is refused."""
        home, fresh = shop.company(), new_user(shop.traits).email
        person = shop.user(home)
        change = updating(person, ("email", fresh))
        why = Why(
            "mail would go to an address that is not the person's any more", "email in UpdateUser, and find_users"
        )
        if not shop.can.changes_email:
            shop.refused(change, None, "where changes_email is declared as no", why)
            fresh = person.wanted.email
        else:
            shop.do(change, why)

        def look() -> Mapping[str, object]:
            new, old = shop.holder(fresh), shop.holder(person.wanted.email)
            seen = shop.user_seen(home, person.id)
            return {**seen, "found by it": new and new.id, "found by the former": old and old.id}

        former = person.id if fresh == person.wanted.email else None
        should = {"email": fresh, "found by it": person.id, "found by the former": former}
        shop.shows("perform(UpdateUser of email)", look, should, why)

    def test_addresses_are_as_declared(self, shop: ShopBench) -> None:
        """A shop that declares no addresses shows none."""
        if shop.can.addresses:
            pytest.skip("the shop declares that it keeps addresses")
        home = shop.company()
        if addresses := shop.seen(home).addresses:
            why = Why("the engine would never look after them", "capabilities.addresses")
            raise broken(did="observe", should="show no addresses", but=f"there are {len(addresses)}", why=why)

    # ---- what a shop may add
    def test_required_roles_are_known(self, shop: ShopBench) -> None:
        """The roles that the traits name are all there, and one that is not is told before a run."""
        require, traits = shop.optional("require_roles"), shop.traits
        require([role for role in (traits.primary_role, traits.user_role, traits.other_role) if role])
        try:
            require([f"No Such Role {traits.unknown_id}"])
        except ConfigurationError:
            return
        why = Why("the run would find out in the middle of its first write", "require_roles")
        raise broken(did="require_roles of no role", should="raise ConfigurationError", but="it did not", why=why)

    def test_strangers_are_no_shoppers(self, shop: ShopBench) -> None:
        """Who never shopped is no shopper, and each address is answered in its place."""
        method, emails = shop.optional("find_shoppers"), [new_user(shop.traits).email for _ in range(3)]
        found = answers("find_shoppers", method, emails)
        if found != [Ok(None)] * 3:
            why = Why("new people would be held or refused", "find_shoppers")
            raise broken(did="find_shoppers of nobodies", should="answer Ok(None)", but=f"it answered {found}", why=why)

    def test_company_users_are_no_super_admins(self, shop: ShopBench) -> None:
        """Neither a company user nor a stranger is a super admin."""
        method = shop.optional("super_admins")
        emails = [shop.company().admin.wanted.email, new_user(shop.traits).email]
        found = answers("super_admins", method, emails)
        if found != [Ok(value=False)] * 2:
            why = Why("the person could never become a company user", "super_admins")
            raise broken(did="super_admins", should="answer Ok(False) twice", but=f"it answered {found}", why=why)

    def test_a_survey_shows_what_is_there(self, shop: ShopBench) -> None:
        """Once a survey was taken a company is shown whole, and what was written to it since is seen."""
        survey, home = shop.optional("survey"), shop.company()
        person = shop.user(home)
        why = Why("what was done would be done once more, or taken for undone", "survey, and observe of what it read")

        def look() -> Mapping[str, object]:
            (outcome,) = shop.observe(evolve(home.ref, surveyed=True))
            users = outcome.value.users if isinstance(outcome, Ok) and outcome.value else ()
            return {"users": len(users), **{user.id: user.first_name for user in users if user.id == person.id}}

        def surveyed() -> Mapping[str, object]:
            survey(1_000_000)
            return look()

        should = {"users": 2, person.id: person.wanted.first_name}
        shop.shows("observe of a company that was surveyed", surveyed, should, why)
        shop.change(person, ("first_name", "Anew"))
        shop.shows("observe of a company that was surveyed, and changed since", look, {person.id: "Anew"}, why)
        survey(0)


def _require(shop: ShopBench, regime: HandOver) -> None:
    if shop.can.hand_over is not regime:
        pytest.skip(f"the shop declares the hand-over {shop.can.hand_over.name}")


def _holder(shop: ShopBench, email: str) -> Mapping[str, object]:
    found = shop.holder(email)
    return {} if found is None else {"holder": found.id}
