"""What a change leaves as it was."""

from collections.abc import Mapping
from typing import Final

from acumatica_b2b.actions import RemoveAddress, UpdateAddress
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.shop_actions import removing
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import (
    Home,
    Person,
    address_view,
    company_view,
    new_address,
    person_view,
    seen_address,
    seen_company,
)

_LOST: Final = "what people entered in the shop, or an earlier run wrote, would be lost without a word"


class LeavesAlone:
    """A change changes what it names, and nothing else."""

    def test_a_change_leaves_the_other_fields(self, shop: ShopBench) -> None:
        """A user of whom one field is changed keeps all others, its role and external id included."""
        home = shop.company()
        person = shop.user(home)
        should = person_view(person, shop.traits)
        why = Why(_LOST, "perform of UpdateUser: does it send a whole record with empty fields?")
        for name, value in (("first_name", "Bea"), ("phone", shop.traits.phones[1]), ("last_name", "Changed")):
            shop.change(person, (name, value))
            should = {**should, name: shop.traits.kept(name, value)}
            did = f"perform(UpdateUser of {name} alone)"
            shop.shows(did, lambda: shop.user_seen(home, person.id), should, why)

    def test_a_change_of_a_company_leaves_the_rest(self, shop: ShopBench) -> None:
        """A company of which one field is changed keeps all others, and its users."""
        home = shop.company()
        should = {**company_view(home.wanted, shop.traits), "users": 1}
        why = Why(_LOST, "perform of UpdateCompany: does it send a whole record with empty fields?")
        for name, value in (("phone", shop.traits.phones[1]), ("name", f"{home.wanted.name} Ltd")):
            shop.change_company(home, (name, value))
            should = {**should, name: shop.traits.kept(name, value)}
            did = f"perform(UpdateCompany of {name} alone)"
            shop.shows(did, lambda: _company(shop, home), should, why)

    def test_a_role_leaves_the_fields(self, shop: ShopBench) -> None:
        """A user that is given a role keeps its fields and its external id."""
        home = shop.company()
        person = shop.set_role(shop.user(home), shop.traits.other_role or shop.traits.user_role)
        should = person_view(person, shop.traits)
        why = Why(_LOST, "perform of SetRole: does it send a whole record with empty fields?")
        shop.shows("perform(SetRole)", lambda: shop.user_seen(home, person.id), should, why)

    def test_a_change_leaves_other_users(self, shop: ShopBench) -> None:
        """While one user is changed, the others of its company and of another stay as they are."""
        home, elsewhere = shop.company(), shop.company()
        person, other, stranger = shop.user(home), shop.user(home), shop.user(elsewhere)
        shop.change(person, ("first_name", "Bea"), ("last_name", "Changed"))
        shop.set_role(person, shop.traits.other_role or shop.traits.user_role)
        why = Why("one contact's data would end up with another person", "perform: which record an action is about")
        for where, one in ((home, other), (home, home.admin), (elsewhere, stranger)):
            _require_same(shop, where, one, "perform(UpdateUser and SetRole) of another user", why)

    def test_a_removal_removes_one_user(self, shop: ShopBench) -> None:
        """While one user is removed, the others of its company and of another stay."""
        home, elsewhere = shop.company(), shop.company()
        person, other, stranger = shop.user(home), shop.user(home), shop.user(elsewhere)
        shop.do(removing(person))
        expected = {home.id: {home.admin.wanted.email, other.wanted.email}}
        expected[elsewhere.id] = {elsewhere.admin.wanted.email, stranger.wanted.email}
        seen = shop.until(lambda: shop.emails_of([home, elsewhere]), lambda emails: emails == expected)
        if seen != expected:
            why = Why("people would lose their access", "perform of RemoveUser: which record it is about")
            left = {key: len(emails) for key, emails in seen.items()}
            should = f"leave 2 users in each of {[*expected]}"
            raise broken(
                did="perform(RemoveUser) of 1 of 3", should=should, but=f"there are {left}, or others", why=why
            )

    def test_a_change_leaves_other_addresses(self, shop: ShopBench) -> None:
        """While one address is changed and one removed, the third stays as it is, and so do the users."""
        home = shop.company()
        (first, _), (second, place), (third, kept) = (shop.address(home) for _ in range(3))
        shop.do(UpdateAddress(company=home.id, id=first, address=new_address(shop.traits)))
        shop.do(RemoveAddress(company=home.id, id=second, location=place.location))
        why = Why("goods would go to the wrong place", "perform: which address an action is about")

        def look() -> Mapping[str, object]:
            seen = shop.seen(home)
            there = {address.id: seen_address(address) for address in seen.addresses}
            return {**there.get(third, {}), "addresses": len(there), "users": len(seen.users)}

        should = {**address_view(kept, shop.traits), "addresses": 2, "users": 1}
        shop.shows("perform(UpdateAddress, RemoveAddress) of two others", look, should, why)


def _company(shop: ShopBench, home: Home) -> dict[str, object]:
    seen = shop.seen(home)
    return {**seen_company(seen), "users": len(seen.users)}


def _require_same(shop: ShopBench, home: Home, person: Person, did: str, why: Why) -> None:
    should = person_view(person, shop.traits)
    shop.shows(did, lambda: shop.user_seen(home, person.id), should, why)
