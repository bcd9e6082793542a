from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.check import Book, Check, Needs, Part, Verdict, good
from acumatica_b2b.checking import check, needs_of
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.keys import customer_key
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.simulators import AcumaticaSimulator, ExtraField
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    ENABLED,
)
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.check.conftest import CUSTOMERS, Setup, right


def quiet(setup: Setup, about: str) -> Check:
    """Return what a set-up without fault says of something."""
    result = setup.check()
    assert result.ok, result.wrong
    return next(one for one in result.checks if one.about == about)


def test_the_newest_version_is_told() -> None:
    """Where no version is configured, the check tells which one is taken, and looks at its fields."""
    setup = right()
    setup.erp_config = evolve(setup.erp_config, version="")
    assert "Default 25.200.001" in quiet(setup, "endpoint").said
    assert any("25.200.001/Contact" in path for _, path in setup.erp.log)


def test_a_field_may_be_written_without_its_view() -> None:
    """A custom field that is written without its view is found in the one that has it."""
    setup = right()
    setup.erp_config = evolve(setup.erp_config, contact_opt_in="UsrKCEnabled", contact_reference="ExtRefNbr")
    spoken = {one.about: one.said for one in setup.check().checks}
    assert spoken["opt-in"].startswith(f"{ENABLED} is there")
    assert spoken["reference of contacts"] == "ExtRefNbr is there"


def test_who_takes_part_is_told() -> None:
    """Contacts none of whom is opted in, or none with an accepted connection type, are noted."""
    setup = right()
    assert "are opted in" in quiet(setup, "contacts").said
    setup.policy = evolve(setup.policy, connection_types={"Wholesale"})
    other = quiet(setup, "contacts")
    assert (other.verdict, "B2B" in other.way_out) == (Verdict.NOTE, True)
    setup.erp_config = evolve(setup.erp_config, enabled_texts=(), contact_opt_in=CONNECTION_TYPE)
    assert "none of the first" in quiet(setup, "contacts").said


def test_a_session_elsewhere_is_noted() -> None:
    """An instance with one tenant takes any name; the check tells where the session really is."""
    setup = right()
    setup.erp_config = evolve(setup.erp_config, tenant="Live")
    found = quiet(setup, "sign-in")
    assert (found.verdict, found.said) == (Verdict.NOTE, "the session is in tenant 'Company', not in 'Live'")


def test_the_right_tenant_is_proved_by_the_log() -> None:
    """A customer that was synced before and is there proves the tenant; the probe of the log leaves nothing."""
    setup = right()
    (customer, *_) = CUSTOMERS.customers
    key = customer_key(setup.policy, CustomerID(customer.id))
    setup.store.append([Commit(key=key, version=1, body="{}")])
    assert quiet(setup, "tenant").verdict is Verdict.GOOD
    assert setup.store.keys("", None, 9) == [key]


def test_a_licence_of_two_seats_is_enough() -> None:
    """With one of two seats taken a check finds nothing wrong, and frees its own seat each time."""
    setup = right()
    setup.erp = AcumaticaSimulator(settings=evolve(setup.erp.settings, seats=2)).load(CUSTOMERS)
    other = Acumatica(setup.erp_config, Password("sync", setup.password), setup.erp)
    other.customers([CustomerID("NOBODY")])
    for _ in range(5):
        assert "it takes one seat" in quiet(setup, "sign-in").said
        assert setup.erp.open_sessions == 1


def test_locations_left_out_are_not_asked_for() -> None:
    """Where locations take no part, neither their form nor the shop's fields of addresses are looked at."""
    setup = right()
    setup.erp = AcumaticaSimulator(settings=evolve(setup.erp.settings, forbidden=frozenset({"CustomerLocation"}))).load(
        CUSTOMERS
    )
    setup.shop.define_extra_field("addresses", ExtraField(name="Dock", required=True))
    assert len(setup.check().wrong) == 2
    setup.policy = evolve(setup.policy, include_locations=False)
    assert setup.check().ok


def test_a_log_that_cannot_be_understood_is_wrong() -> None:
    """A log that a later version wrote is named, and the tenant, which rests on it, is not looked at."""
    setup = right()
    body = '{"schema": 99, "run": "1", "at": "2026-05-01T09:00:00+00:00", "entries": []}'
    setup.store.append([Commit(key=LogKey("store/run"), version=1, body=body)])
    result = setup.check()
    assert [(one.part, one.about, "99" in one.said) for one in result.wrong] == [(Part.LOG, "reading", True)]
    tenant = next(one for one in result.checks if one.about == "tenant")
    assert (tenant.verdict, tenant.said) == (Verdict.NOT_LOOKED_AT, "because of the sync log")


def test_lists_that_cannot_be_exported_are_noted() -> None:
    """Where a list can't show the primary contact, the check says what that costs."""
    setup = right()
    unoptimised = {"Customer": {"PrimaryContactID": "CurrentCustomer"}}
    setup.erp = AcumaticaSimulator(settings=evolve(setup.erp.settings, unoptimised=unoptimised)).load(CUSTOMERS)
    found = quiet(setup, "customers")
    assert (found.verdict, "PrimaryContactID" in found.said) == (Verdict.NOTE, True)


def test_required_fields_that_a_mapping_fills_are_no_fault() -> None:
    """A required extra field is fine where the host's mapping fills it, and a note where nobody knows."""
    setup = right()
    setup.shop.define_extra_field("users", ExtraField(name="Cost centre", required=True))
    setup.fills = frozenset({"Cost centre"})
    assert quiet(setup, "extra fields of users").verdict is Verdict.GOOD
    setup.fills = None
    assert quiet(setup, "extra fields of users").verdict is Verdict.NOTE


def test_companies_without_price_list_look_independent() -> None:
    """A catalog_id is noted where no company has a price list, as where companies are Independent."""
    setup = right()
    body = {"companyName": "Facebook", "companyPhone": "1", "companyEmail": "info@example.com", "country": "India"}
    body |= {"adminFirstName": "Mark", "adminLastName": "Z", "adminEmail": "markz@example.com"}
    setup.shop.by_hand("POST", "/companies", body)
    assert quiet(setup, "company behaviour").said == "companies are Independent"
    setup.shop_config = evolve(setup.shop_config, catalog_id=12)
    assert quiet(setup, "company behaviour").verdict is Verdict.NOTE


def test_people_learn_how_passwords_are_made() -> None:
    """With the welcome mail on, the check says that everybody who is made gets one."""
    setup = right()
    setup.shop_config = evolve(setup.shop_config, welcome_mail=True)
    assert "welcome mail" in quiet(setup, "passwords").said


# ------------------------------------------------------------------ clients of a host's own
def test_any_client_can_be_checked() -> None:
    """Of a client without a check of its own, that it answers and has the roles is looked at."""
    result = check(MemoryErp(), MemoryShop(), MemoryStore(), SyncPolicy())
    assert result.ok
    assert [one.about for one in result.checks if one.part is not Part.LOG] == ["client", "tenant", "client"]
    shop = MemoryShop(roles=("Admin",))
    wrong = check(MemoryErp(), shop, MemoryStore(), SyncPolicy()).wrong
    assert [(one.part, "Senior Buyer" in one.said + one.way_out) for one in wrong] == [(Part.STOREFRONT, True)]


def test_a_check_that_breaks_is_that_clients_fault() -> None:
    """What a client's own check raises is said of that client, and the rest is looked at."""

    class Broken(MemoryErp):
        def check(self, needs: Needs, /) -> Sequence[Check]:
            raise KeyError(needs.roles)

    result = check(Broken(), MemoryShop(), MemoryStore(), SyncPolicy())
    assert [(one.part, one.about, "KeyError" in one.said) for one in result.wrong] == [(Part.ERP, "client", True)]
    assert any(one.part is Part.STOREFRONT for one in result.checks)


def test_a_look_that_raises_is_wrong_by_what_it_says() -> None:
    """An error's last clause is its way out; one without gets that of the look; a stray exception is a bug."""

    def raising(error: Exception) -> Any:
        yield from ()
        raise error

    def fine() -> Any:
        yield from ()
        return (good("fine"),)

    book = Book(Part.ERP)
    for name, flow in (
        ("told", raising(ConfigurationError("a is b; make it c"))),
        ("untold", raising(ConfigurationError("a is b"))),
        ("bug", raising(ValueError("hunter2-token"))),
        ("fine", fine()),
    ):
        for _ in book.look(name, flow, "look there"):
            pytest.fail("nothing was to be asked")
    said = {one.about: (one.said, one.way_out) for one in book.checks}
    assert said["told"] == ("a is b", "make it c")
    assert said["untold"] == ("a is b", "look there")
    assert said["bug"] == ("looking at it raised ValueError", "correct the client")
    assert (book.stands("fine"), book.stands("bug"), book.stands("never")) == (True, False, False)


def test_needs_are_the_policys() -> None:
    """What the systems are asked for is what the policy names: its roles once each, its references, its shoppers."""
    needs = needs_of(SyncPolicy(admin_roles=frozenset({"Owner"}), existing_shoppers=ExistingShoppers.REFUSE), None)
    assert needs.roles == ("Admin", "Senior Buyer", "Owner")
    assert (needs.shoppers, needs.fills, needs.reference_length) == (True, None, 40)
