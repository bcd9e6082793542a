"""What happens to people and their addresses, from one simulated system to the other over our clients."""

from typing import TypeVar

import pytest
from attrs import evolve

from acumatica_b2b import SyncPolicy
from acumatica_b2b.policy import ProtectedLeaver
from acumatica_b2b.simulators.acumatica import ContactRow, CustomerRow
from acumatica_b2b.stores import MemoryStore
from tests.systems.conftest import HERE, NO_LIMITS, Systems

PARKING = SyncPolicy(limits=NO_LIMITS, parking_domain="parked.example")


def settled(systems: Systems) -> bool:
    """Tell whether nothing is left to do, and the references say who is who."""
    users = {user.first_name: str(user.id) for user in systems.shop.users.values()}
    references = {name: value for name, value in systems.references().items() if value}
    return systems.sync().steps == () and references == users


def test_move(systems: Systems) -> None:
    """A contact that moves to another customer is removed there and made here, and never in two companies."""
    systems.customer("AAA", "Ann", "Abe")
    systems.customer("BBB", "Bea")
    systems.sync()
    abe = next(row for row in systems.tenant.contacts_of("AAA") if row.first_name == "Abe")
    systems.change(abe.id or 0, customer="BBB")
    assert systems.sync().ok
    assert systems.people()["Abe"] == ("BBB Inc", "abe", "Senior Buyer")
    assert settled(systems)


def test_contact_that_is_no_customers_any_more(systems: Systems) -> None:
    """A contact whose customer was cleared is noticed by the next run by changes, and its user removed."""
    _, abe = systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    systems.sync(changed=True)
    systems.clock.sleep(3600)
    systems.change(abe, customer=None)
    assert systems.sync(changed=True).ok
    assert set(systems.people()) == {"Ann"}


def test_swap_with_a_parking_domain(systems: Systems) -> None:
    """Three people of two companies who swap their addresses in a ring all have the right ones after one run."""
    systems.policy = PARKING
    ann, abe = systems.customer("AAA", "Ann", "Abe")
    (bea,) = systems.customer("BBB", "Bea")
    systems.sync()
    ids = {user.first_name: user.id for user in systems.shop.users.values()}
    for contact, name in ((ann, "abe"), (abe, "bea"), (bea, "ann")):
        systems.change(contact, email=f"{name}@mail.example")
    assert systems.sync().ok
    assert {name: person[1] for name, person in systems.people().items()} == {"Ann": "abe", "Abe": "bea", "Bea": "ann"}
    assert ids == {user.first_name: user.id for user in systems.shop.users.values()}
    assert settled(systems)


def test_swap_without_a_parking_domain(systems: Systems) -> None:
    """Without one the swap is held, everybody in it is named, and nothing is written."""
    ann, abe = systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    before, writes = systems.people(), systems.shop.writes
    systems.change(ann, email="abe@mail.example")
    systems.change(abe, email="ann@mail.example")
    report = systems.sync()
    assert {(f.kind.name, f.record.id) for f in report.findings} == {
        ("EMAIL_CYCLE", str(ann)),
        ("EMAIL_CYCLE", str(abe)),
    }
    assert (systems.people(), systems.shop.writes) == (before, writes)


def test_hire_on_a_leavers_mailbox(systems: Systems) -> None:
    """Who is hired on the mailbox of one who left gets that user, under the new name: an address has one user."""
    _, abe = systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    old = next(user.id for user in systems.shop.users.values() if user.first_name == "Abe")
    systems.change(abe, active=False)
    amy = systems.contact("AAA", "Amy", email="abe@mail.example")
    assert systems.sync().ok
    assert systems.people()["Amy"] == ("AAA Inc", "abe", "Senior Buyer")
    assert [user.id for user in systems.shop.users.values() if user.first_name == "Amy"] == [old]
    assert "Abe" not in systems.people()
    assert systems.tenant.contact(amy).custom["Contact.UsrKCReferenceID"] == str(old)
    assert systems.sync().steps == ()


def test_last_admin_who_left_is_suspended(systems: Systems) -> None:
    """A role without permissions is told apart from Junior Buyer, though both are role 2; who has it goes later."""
    role = systems.shop.add_role("No access")
    systems.policy = SyncPolicy(
        limits=NO_LIMITS, protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="No access", user_role="Junior Buyer"
    )
    ann, abe = systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    systems.way.had_admin.clear()  # the policy says so
    systems.change(ann, active=False)
    systems.sync()
    assert systems.people() == {"Ann": ("AAA Inc", "ann", role.name), "Abe": ("AAA Inc", "abe", "Junior Buyer")}
    assert systems.sync().steps == ()
    systems.tenant.set_primary("AAA", abe)
    assert systems.sync().ok
    assert systems.people() == {"Abe": ("AAA Inc", "abe", "Admin")}


# ------------------------------------------------------------------ a shop that is there already
COMPANIES = 500
Row = TypeVar("Row", ContactRow, CustomerRow)


def existing_shop(systems: Systems) -> None:
    """Fill tenant and shop with the same companies and people, made by hand on both sides."""
    for i in range(COMPANIES):
        names = [f"P{i}X{n}" for n in range(1 + i % 4)]
        systems.customer(f"C{i:04d}", *names)
        admin = {"adminFirstName": names[0], "adminLastName": "Doe", "adminEmail": f"{names[0].lower()}@mail.example"}
        made = systems.shop.by_hand(
            "POST",
            "/companies",
            {
                "companyName": f"Shop's own name {i}",
                "companyPhone": "555-0100",
                "companyEmail": f"shop@c{i}.example",
                "country": "US",
                **admin,
            },
        )
        for name in names[1:]:
            user = {"firstName": name, "lastName": "Doe", "email": f"{name.lower()}@mail.example", "role": 1}
            systems.shop.by_hand("POST", "/users", {**user, "companyId": made["companyId"], "channelIds": [1]})


@pytest.mark.parametrize("at_once", [True, False])
def test_existing_shop_is_adopted(systems: Systems, at_once: bool) -> None:  # noqa: FBT001 - a switch of the policy
    """500 companies that are there already are adopted, each as it is: no company and no user is made twice.

    Neither is any when the sync log is lost afterwards.
    """
    existing_shop(systems)
    companies, users = set(systems.shop.companies), set(systems.shop.users)
    systems.policy = SyncPolicy(limits=NO_LIMITS, adopt_companies=True, external_ids_at_once=at_once)
    report = systems.sync()
    assert (set(systems.shop.companies), set(systems.shop.users)) == (companies, users)
    assert report.troubles == ()
    assert {bool(user.uuid) for user in systems.shop.users.values()} == {at_once}
    assert systems.sync().steps == ()
    writes = systems.way.writes
    systems.store = MemoryStore()
    systems.sync()
    assert (set(systems.shop.companies), set(systems.shop.users)) == (companies, users)
    assert systems.way.writes == writes
    assert settled(systems)


def test_log_and_references_lost(systems: Systems) -> None:
    """Without log and without references everybody is found by external id: nobody is made twice."""
    systems.customer("AAA", "Ann", "Abe")
    systems.customer("BBB", "Bea")
    systems.sync()
    users, writes = set(systems.shop.users), systems.way.writes
    for row in systems.tenant.snapshot().contacts:
        systems.tenant.put_contact(_unreferenced(row))
    for customer in systems.tenant.snapshot().customers:
        systems.tenant.put_customer(_unreferenced(customer))
    systems.store = MemoryStore()
    assert systems.sync().ok
    assert set(systems.shop.users) == users
    assert systems.way.writes == writes
    assert settled(systems)


def test_everything_lost(systems: Systems) -> None:
    """Without log, references and external ids the companies are adopted by their people's addresses."""
    systems.customer("AAA", "Ann", "Abe")
    systems.customer("BBB", "Bea")
    systems.sync()
    companies, users = set(systems.shop.companies), set(systems.shop.users)
    for row in systems.tenant.snapshot().contacts:
        systems.tenant.put_contact(_unreferenced(row))
    for customer in systems.tenant.snapshot().customers:
        systems.tenant.put_customer(_unreferenced(customer))
    for kind, ids in (("companies", companies), ("users", users)):
        for key in ids:
            systems.shop.by_hand("PUT", f"/{kind}/{key}", {"uuid": ""})
    systems.store = MemoryStore()
    systems.policy = SyncPolicy(limits=NO_LIMITS, adopt_companies=True)
    assert systems.sync().ok
    assert (set(systems.shop.companies), set(systems.shop.users)) == (companies, users)
    assert settled(systems)


def test_deleted_contact(systems: Systems) -> None:
    """A contact that is deleted in the ERP is noticed by a full run, and its user removed."""
    _, abe = systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    systems.tenant.delete_contact(abe)
    assert systems.sync().ok
    assert set(systems.people()) == {"Ann"}


def _unreferenced(row: Row) -> Row:
    return evolve(row, custom={name: value for name, value in row.custom.items() if "Reference" not in name})


def test_the_watch_sees_what_it_is_for(systems: Systems) -> None:
    """The look after every write sees a company that lost its admin."""
    systems.customer("AAA", "Ann", "Abe")
    systems.sync()
    company = next(iter(systems.shop.companies))
    (admin,) = systems.shop.admins_of(company)
    systems.shop.by_hand("PUT", f"/users/{admin.id}", {"role": 1})
    try:
        systems.way.check()
    except AssertionError:
        return
    raise AssertionError(HERE)
