"""How a storefront answers: one outcome for each, in order, and refusals that say why."""

from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser, RemoveAddress, UpdateAddress
from acumatica_b2b.errors import Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import (
    AddressID,
    CompanyID,
    CompanyRef,
    CustomerID,
    HandOver,
    NoteID,
    StorefrontID,
    UserID,
)
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.shop_actions import (
    creating,
    granting,
    moving_admin,
    removing,
    told,
    updating,
    updating_company,
)
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import Home, Person, new_address, new_company, new_user, nowhere

_MIXED: Final = "the engine would write down one record's outcome as another's"
_ORDER: Final = "a bulk call that answers in an order of its own: pair by what is the record's, never by position"

_LOST: Final = Why(
    "a record that is in no company is never seen again, and keeps its address taken",
    "perform: where a creation names its company",
)


class Answers:
    """One outcome for each item, in order; a refusal says why."""

    def test_actions_are_answered_in_order(self, shop: ShopBench) -> None:
        """Of several actions each is answered in its place, with the id of its own record."""
        home = shop.company()
        wanted = [new_user(shop.traits) for _ in range(5)]
        actions = [creating(home.id, user, shop.traits.user_role) for user in wanted]
        made = [shop.done(a, outcome) for a, outcome in zip(actions, shop.perform(*actions), strict=True)]
        emails = [user.email for user in wanted]
        held = shop.until(lambda: [_id(shop, email) for email in emails], lambda ids: None not in ids)
        if held != made:
            but = f"the ids are {made}, and find_users says {held}"
            should = "answer each with the id of the user with its e-mail address"
            raise broken(
                did="perform(CreateUser, 5 times)", should=should, but=but, why=Why(_MIXED, f"perform: {_ORDER}")
            )

    def test_one_bad_action_does_not_stop_the_others(self, shop: ShopBench) -> None:
        """Of several actions the one that can't be done fails, and all others are done."""
        home = shop.company()
        wanted = [new_user(shop.traits) for _ in range(4)]
        wanted[1] = evolve(wanted[1], email=home.admin.wanted.email)
        actions = [creating(home.id, user, shop.traits.user_role) for user in wanted]
        outcomes = shop.perform(*actions)
        why = Why("one bad record would cost all that share its call", "perform: what it does behind the first refusal")
        for place, (action, outcome) in enumerate(zip(actions, outcomes, strict=True)):
            if place == 1:
                shop.require_refusal(action, outcome, None, "with an e-mail address that is taken", why)
            else:
                shop.done(action, outcome, why)
        expected = frozenset(user.email for user in wanted)
        seen = shop.until(lambda: shop.emails_of([home])[home.id], lambda emails: emails == expected)
        if seen != expected:
            but = f"{len(seen)} of {len(expected)} users are there"
            raise broken(did="perform(CreateUser, 3 good and 1 bad)", should="make the 3 good ones", but=but, why=why)

    def test_companies_are_answered_in_order(self, shop: ShopBench) -> None:
        """Of several companies each is answered in its place: one asked for twice, and one that is not there, too."""
        first, second = shop.company(), shop.company()
        missing = CompanyRef(customer=CustomerID("C0"), external_id=new_company(shop.traits).external_id)
        refs = [second.ref, missing, first.by_external_id, second.ref]
        expected = [second.id, None, first.id, second.id]

        def look() -> list[object]:
            return [o.value and o.value.id if isinstance(o, Ok) else o for o in shop.observe(*refs)]

        found = shop.until(look, lambda found: found == expected)
        if found != expected:
            should = f"answer the companies {expected}"
            but, why = f"it answered {found}", Why(_MIXED, f"observe: {_ORDER}")
            raise broken(did="observe(second, missing, first, second)", should=should, but=but, why=why)

    def test_addresses_are_answered_in_order(self, shop: ShopBench) -> None:
        """Of several e-mail addresses each is answered in its place: one asked for twice, and nobody's, too."""
        home = shop.company()
        one, two, nobody = shop.user(home), shop.user(home), new_user(shop.traits)
        emails = [two.wanted.email, nobody.email, one.wanted.email, two.wanted.email]
        expected = [two.id, None, one.id, two.id]

        def look() -> list[object]:
            return [o.value and o.value.id if isinstance(o, Ok) else o for o in shop.find(*emails)]

        found = shop.until(look, lambda found: found == expected)
        if found != expected:
            should, but = f"answer the users {expected}", f"it answered {found}"
            why = Why(_MIXED, f"find_users: {_ORDER}")
            raise broken(did="find_users(two, nobody, one, two)", should=should, but=but, why=why)

    def test_what_concerns_one_record_is_returned(self, shop: ShopBench) -> None:
        """Odd ids and addresses are answered one by one, and nothing is raised."""
        home, odd = shop.company(), CompanyID(StorefrontID("not-an-id!"))
        wild = CompanyRef(customer=CustomerID("C0"), external_id=NoteID("'; --"), id=odd)
        shop.observe(wild, CompanyRef(customer=CustomerID("C0"), external_id=NoteID("'; --")), home.ref)
        shop.find("nobody", "two words@", "'@%&?#.example", home.admin.wanted.email)
        person = Person(id=UserID(odd), company=home.id, wanted=new_user(shop.traits), role="")
        why = Why("the engine would take it for done", "perform: ids that the shop can't have made")
        for action in (updating(person, ("first_name", "Bea")), removing(person)):
            shop.refused(action, None, "of an id that the shop can't have made", why)

    def test_a_write_to_what_is_not_there_is_gone(self, shop: ShopBench) -> None:
        """A change of a company, user or address that is not there fails with GONE; a creation in no company fails."""
        home = shop.company()
        for action in self._on_nothing(shop, home):
            if isinstance(action, CreateUser | CreateAddress):
                shop.refused(action, None, "in a company that is not there", _LOST)
            else:
                shop.refused(action, Reason.GONE, "whose record is not there")

    def _on_nothing(self, shop: ShopBench, home: Home) -> list[Action]:
        traits = shop.traits
        person, nothing = shop.user(home), nowhere(traits)
        shop.do(removing(person))
        lost = Home(id=nothing, wanted=home.wanted, admin=home.admin)
        actions: list[Action] = [
            updating(person, ("first_name", "Bea")),
            granting(person, traits.user_role),
            updating_company(lost, ("name", "Nothing")),
            creating(nothing, new_user(traits), traits.user_role),
        ]
        if shop.can.hand_over is HandOver.ATOMIC:
            actions.append(moving_admin(person, traits.primary_role))
        if shop.can.addresses:
            key, address = shop.address(home)
            shop.do(RemoveAddress(company=home.id, id=key, location=address.location))
            actions.append(UpdateAddress(company=home.id, id=key, address=address))
            actions.append(CreateAddress(company=nothing, address=new_address(traits)))
        return actions

    def test_a_repeated_removal_is_gone(self, shop: ShopBench) -> None:
        """What was removed already, user or address, fails with GONE when it is removed again."""
        home = shop.company()
        person = shop.user(home)
        shop.do(removing(person))
        shop.refused(removing(person), Reason.GONE, "which was removed already")
        if shop.can.addresses:
            key, address = shop.address(home)
            removal = RemoveAddress(company=home.id, id=key, location=address.location)
            shop.do(removal)
            shop.refused(removal, Reason.GONE, "which was removed already")

    def test_a_taken_address_is_email_taken(self, shop: ShopBench) -> None:
        """Nobody gets an e-mail address that a user has, in the same company or another, in whatever case."""
        home, other = shop.company(), shop.company()
        person, role = shop.user(home), shop.traits.user_role
        taken, capitals = person.wanted.email, person.wanted.email.upper()
        rival = new_user(shop.traits)
        for company in (home.id, other.id):
            for email in (taken, capitals):
                creation = creating(company, evolve(rival, email=email), role)
                shop.refused(creation, Reason.EMAIL_TAKEN, f"whose e-mail address user {person.id!r} has")
        if shop.can.changes_email:
            for one in (home.admin, other.admin):
                shop.refused(updating(one, ("email", taken)), Reason.EMAIL_TAKEN, "to an address that is taken")

    def test_a_company_with_a_taken_admin_is_not_made(self, shop: ShopBench) -> None:
        """Where company and admin are made at once, a taken address makes neither."""
        if not shop.can.admin_at_creation:
            pytest.skip("the shop declares that companies are made without an admin")
        home, wanted = shop.company(), new_company(shop.traits)
        action = CreateCompany(company=wanted, admin=home.admin.wanted, role=shop.traits.primary_role)
        shop.refused(action, Reason.EMAIL_TAKEN, "whose admin has an address that is taken")
        (left,) = shop.observe(CompanyRef(customer=wanted.customer, external_id=wanted.external_id))
        if left != Ok(None):
            why = Why(
                "a company without an admin would be left behind", "perform of CreateCompany: undo the first half"
            )
            raise broken(did=f"perform({told(action)}) was refused", should="make nothing", but=f"{left!r}", why=why)

    def test_what_is_refused_leaves_no_trace(self, shop: ShopBench) -> None:
        """A change that is refused changes nothing, the fields that were fine included."""
        if not shop.can.changes_email:
            pytest.skip("the shop declares that e-mail addresses can't be changed")
        home = shop.company()
        person = shop.user(home)
        action = updating(person, ("first_name", "Bea"), ("email", home.admin.wanted.email))
        shop.refused(action, Reason.EMAIL_TAKEN, "to an address that is taken")
        should = {"first_name": person.wanted.first_name, "email": person.wanted.email}
        why = Why("a refusal says that nothing happened; the log would be wrong", "perform of UpdateUser: one write")
        shop.shows("perform(UpdateUser), refused", lambda: shop.user_seen(home, person.id), should, why)

    def test_an_unknown_action_is_unsupported(self, shop: ShopBench) -> None:
        """An action that the capabilities leave out fails with UNSUPPORTED."""
        home, traits = shop.company(), shop.traits
        actions: list[Action] = []
        if shop.can.hand_over is not HandOver.ATOMIC:
            actions.append(moving_admin(home.admin, traits.primary_role))
        if not shop.can.addresses:
            wanted, key = new_address(traits), AddressID(StorefrontID(traits.unknown_id))
            actions.append(CreateAddress(company=home.id, address=wanted))
            actions.append(UpdateAddress(company=home.id, id=key, address=wanted))
            actions.append(RemoveAddress(company=home.id, id=key, location=wanted.location))
        if not actions:
            pytest.skip("the shop declares that it knows every action")
        for action in actions:
            shop.refused(action, Reason.UNSUPPORTED, "which the capabilities leave out")

    def test_ids_are_those_that_are_observed(self, shop: ShopBench) -> None:
        """A change answers the id of the record that it changed."""
        home = shop.company()
        person = shop.user(home)
        pairs = {
            "UpdateCompany": (shop.change_company(home, ("phone", shop.traits.phones[1])), home.id),
            "UpdateUser": (shop.change(person, ("first_name", "Bea")), person.id),
            "SetRole": (shop.do(granting(person, shop.traits.user_role)), person.id),
            "RemoveUser": (shop.do(removing(person)), person.id),
        }
        why = Why("the engine keeps that id, and would look for another record from now on", "perform: what it returns")
        for name, (answered, meant) in pairs.items():
            if answered != meant:
                raise broken(
                    did=f"perform({name})", should=f"answer {meant!r}", but=f"it answered {answered!r}", why=why
                )

    def test_ids_are_never_used_again(self, shop: ShopBench) -> None:
        """A user that is made after another was removed gets an id of its own."""
        home = shop.company()
        former = shop.user(home)
        shop.do(removing(former))
        if (person := shop.user(home)).id == former.id:
            why = Why(
                "who is linked with the former user, in the log or the ERP, would get hold of the new one",
                "how the shop numbers its users: SQLite needs AUTOINCREMENT",
            )
            but = f"both are {person.id!r}"
            raise broken(did="perform(CreateUser) after RemoveUser", should="answer a new id", but=but, why=why)


def _id(shop: ShopBench, email: str) -> StorefrontID | None:
    found = shop.holder(email)
    return found.id if found else None
