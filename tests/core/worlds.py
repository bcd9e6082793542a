"""Builders of worlds: one customer, its company and its log as values; a case names only what it is about."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.adopting import adopted
from acumatica_b2b.logstate import Link, LogState
from acumatica_b2b.mapping import map_customer
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    Contact,
    Customer,
    HandOver,
    LocationID,
    Record,
    RecordKind,
    StorefrontID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.world import World
from tests.bench import customer, note, storefront_id

POLICY: Final = SyncPolicy()
SHOP: Final = Capabilities(hand_over=HandOver.PROMOTE_FIRST, addresses=True)
KEY: Final = CompanyID(StorefrontID("1"))


def user_of(one: Contact, **fields: Any) -> CompanyUser:
    """Return the user that a contact should have; its id is the contact's with a leading u."""
    made = CompanyUser(
        id=storefront_id(f"u{one.id}"),
        company=KEY,
        email=one.email,
        first_name=one.first_name,
        last_name=one.last_name,
        role=POLICY.user_role,
        external_id=one.note_id,
    )
    return evolve(made, **fields)


def admin_of(one: Contact, **fields: Any) -> CompanyUser:
    """Return the same with the Primary Admin's role."""
    return user_of(one, role=POLICY.primary_role, **fields)


def stranger(key: str, **fields: Any) -> CompanyUser:
    """Return a user whom nobody of the ERP made."""
    made = CompanyUser(id=storefront_id(key), company=KEY, email=f"{key}@shop.example", role=POLICY.user_role)
    return evolve(made, **fields)


def company(*users: CompanyUser, addresses: tuple[CompanyAddress, ...] = (), **fields: Any) -> Company:
    """Return the company of customer C1 with these users."""
    made = Company(
        id=KEY,
        name="Acme",
        email="office@acme.example",
        phone="555-0100",
        external_id=note(1, 1),
        users=users,
        addresses=addresses,
    )
    return evolve(made, **fields)


def links(*contacts: Contact, places: Mapping[LocationID, str] | None = None, **fields: Any) -> LogState:
    """Return a log that links contacts to the users that `user_of` makes of them, and locations to addresses."""
    of_contacts = {Record(RecordKind.CONTACT, one.id): Link(id=user_of(one).id) for one in contacts}
    of_places = {Record(RecordKind.LOCATION, key): Link(id=address) for key, address in (places or {}).items()}
    of_company = {Record(RecordKind.CUSTOMER, "C1"): Link(id=KEY)}
    return LogState(links={**of_company, **of_contacts, **of_places}, **fields)


def unseen(one: Customer, policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return the world of a customer before the shop was looked at."""
    made = World(customer=one, desired=map_customer(one, policy), policy=policy, capabilities=SHOP)
    return evolve(made, **fields)


def seen(one: Customer, there: Company | None, policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return the world of a customer whose company was just looked at."""
    return adopted(unseen(one, policy, **fields), there)


def world_of(*contacts: Contact, primary: Contact | None = None, there: Company | None, **fields: Any) -> World:
    """Return the same of a customer with these contacts."""
    return seen(customer(*contacts, primary=primary), there, **fields)
