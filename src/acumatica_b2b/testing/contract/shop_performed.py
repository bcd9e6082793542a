"""What was performed is observed: one check for each kind of action."""

from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateAddress, RemoveAddress, UpdateAddress
from acumatica_b2b.model import AddressID, CompanyAddress, HandOver, StorefrontID
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.shop_actions import moving_admin, removing
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import (
    Home,
    Person,
    address_view,
    company_view,
    new_address,
    new_company,
    new_user,
    person_view,
    seen_address,
    seen_company,
    seen_user,
)

_AGAIN: Final = "the engine would write it again in every run, and the plan would never be empty"
_DROPPED: Final = "what came of the write and what is read differ; either perform drops a field, or observe does"


class Performed:
    """What was performed is observed."""

    def test_performed_is_observed_create_company(self, shop: ShopBench) -> None:
        """A company that was created is seen with its name, e-mail, phone and external id."""
        home = shop.company()
        should = company_view(home.wanted, shop.traits)
        why = Why(_AGAIN, f"perform of CreateCompany and observe: {_DROPPED}")
        shop.shows("perform(CreateCompany)", lambda: seen_company(shop.seen(home)), should, why)

    def test_performed_is_observed_update_company(self, shop: ShopBench) -> None:
        """A company that was changed is seen with its new name, e-mail, phone and external id."""
        home, other = shop.company(), new_company(shop.traits)
        fields = {"name": other.name, "email": other.email, "phone": shop.traits.phones[1]}
        shop.change_company(home, *fields.items(), ("external_id", other.external_id))
        kept = {name: shop.traits.kept(name, value) for name, value in fields.items()}
        why = Why(_AGAIN, f"perform of UpdateCompany and observe: {_DROPPED}")
        should = {**kept, "external_id": other.external_id}
        shop.shows("perform(UpdateCompany)", lambda: seen_company(shop.seen(home)), should, why)

    def test_performed_is_observed_create_user(self, shop: ShopBench) -> None:
        """A user that was created is seen with its fields, external id and role, in its company and by its address."""
        home = shop.company()
        person = shop.user(home)
        _require_user(shop, home, person, "perform(CreateUser)")

    def test_performed_is_observed_update_user(self, shop: ShopBench) -> None:
        """A user that was changed is seen with its new names, phone and external id."""
        home, other = shop.company(), new_user(shop.traits)
        person = shop.user(home)
        fields = {"first_name": "Bea", "last_name": "Changed", "phone": shop.traits.phones[1]}
        shop.change(person, *fields.items(), ("external_id", other.external_id))
        kept = {name: shop.traits.kept(name, value) for name, value in fields.items()}
        should = {**kept, "external_id": other.external_id}
        why = Why(_AGAIN, f"perform of UpdateUser and observe: {_DROPPED}")
        shop.shows("perform(UpdateUser)", lambda: shop.user_seen(home, person.id), should, why)

    def test_performed_is_observed_set_role(self, shop: ShopBench) -> None:
        """A user that was given another role is seen with it."""
        if not shop.traits.other_role:
            pytest.skip("the traits name no third role")
        home = shop.company()
        person = shop.set_role(shop.user(home), shop.traits.other_role)
        why = Why("the engine would take a grant for done that is none", "perform of SetRole, and the role in observe")
        should = {"role": person.role}
        shop.shows("perform(SetRole)", lambda: shop.user_seen(home, person.id), should, why)

    def test_performed_is_observed_move_admin(self, shop: ShopBench) -> None:
        """A user that the Primary Admin's role was moved to is seen with it."""
        if shop.can.hand_over is not HandOver.ATOMIC:
            pytest.skip("only where the hand-over is declared ATOMIC the action MoveAdmin comes")
        home = shop.company()
        person, role = shop.user(home), shop.traits.primary_role
        shop.do(moving_admin(person, role))
        why = Why("the engine would take the hand-over for done", "perform of MoveAdmin, and the role in observe")
        shop.shows("perform(MoveAdmin)", lambda: shop.user_seen(home, person.id), {"role": role}, why)

    def test_performed_is_observed_remove_user(self, shop: ShopBench) -> None:
        """A user that was removed is seen no more, neither in its company nor by its address."""
        home = shop.company()
        person = shop.user(home)
        shop.do(removing(person))
        why = Why("who left would go on buying for the company, and the engine would take it for done", "RemoveUser")
        left = shop.until(lambda: person.id in shop.users(home), lambda there: not there)
        holder = shop.until(lambda: shop.holder(person.wanted.email), lambda found: found is None)
        if left or holder:
            where = "its company" if left else "find_users"
            raise broken(did="perform(RemoveUser)", should="be seen no more", but=f"{where} shows it still", why=why)

    def test_performed_is_observed_create_address(self, shop: ShopBench) -> None:
        """An address that was created is seen with all its fields."""
        shop.require_addresses()
        home, wanted = shop.company(), new_address(shop.traits)
        made = AddressID(shop.do(CreateAddress(company=home.id, address=wanted)))
        why = Why(_AGAIN, f"perform of CreateAddress and observe: {_DROPPED}")
        should = address_view(wanted, shop.traits)
        shop.shows("perform(CreateAddress)", lambda: _address(shop, home, made), should, why)

    def test_performed_is_observed_update_address(self, shop: ShopBench) -> None:
        """An address that was updated is seen as it was sent, all of it, as a default as well."""
        shop.require_addresses()
        home = shop.company()
        key, former = shop.address(home)
        place, phone = shop.traits.places[1], shop.traits.phones[1]
        wanted = evolve(former, label="Yard", first_name="Bea", phone=phone, address=place, default_shipping=True)
        shop.do(UpdateAddress(company=home.id, id=key, address=wanted))
        why = Why(_AGAIN, f"perform of UpdateAddress and observe: {_DROPPED}")
        should = address_view(wanted, shop.traits)
        shop.shows("perform(UpdateAddress)", lambda: _address(shop, home, key), should, why)

    def test_performed_is_observed_remove_address(self, shop: ShopBench) -> None:
        """An address that was removed is seen no more."""
        shop.require_addresses()
        home = shop.company()
        key, wanted = shop.address(home)
        shop.do(RemoveAddress(company=home.id, id=key, location=wanted.location))
        if shop.until(lambda: _address(shop, home, key), lambda seen: not seen):
            why = Why("orders would go to a place that was given up", "perform of RemoveAddress, and observe")
            raise broken(did="perform(RemoveAddress)", should="be seen no more", but="its company shows it", why=why)


def _require_user(shop: ShopBench, home: Home, person: Person, did: str) -> None:
    should = person_view(person, shop.traits)
    why = Why(_AGAIN, f"{did} and observe: {_DROPPED}")
    shop.shows(did, lambda: shop.user_seen(home, person.id), should, why)

    def found() -> dict[str, object]:
        holder = shop.holder(person.wanted.email)
        return {} if holder is None else {"id": holder.id, **seen_user(holder)}

    why = Why("the engine would not know that the address is taken, and by whom", "find_users: it has no older list")
    shop.shows(f"{did}, then find_users", found, {"id": person.id, **should}, why)


def _address(shop: ShopBench, home: Home, key: StorefrontID) -> dict[str, object]:
    there: dict[str, CompanyAddress] = {address.id: address for address in shop.seen(home).addresses}
    return seen_address(there[key]) if key in there else {}
