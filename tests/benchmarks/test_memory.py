"""The benchmark of memory is worth reading: its tenant is whole, and its shop is the tenant's."""

from pathlib import Path

from acumatica_b2b.flow import Ok
from acumatica_b2b.model import ContactID, Customer
from acumatica_b2b.protocols import Cursor, Everything, PrimaryMarks
from tests.benchmarks.arithmetic import BLOCK, CUSTOMERS, LOCATIONS, Tenant, contacts_of, customer_of
from tests.benchmarks.arithmetic_shop import Shop
from tests.benchmarks.memory import FIRST, RUNS, Scene, measured


def test_the_tenant_is_whole() -> None:
    """Each contact and location is one customer's, the pages show all, and what is asked for by its id is the same."""
    one = Tenant(3 * BLOCK)
    customers, after = list[Customer](), None
    while page := one.read(Everything(), after):
        customers += page.items
        if (after := page.next) is None:
            break
    assert len(customers) == one.customers_in_all == 3 * CUSTOMERS
    contacts = [contact for customer in customers for contact in customer.contacts]
    assert [contact.id for contact in contacts] == [str(number) for number in range(3 * BLOCK)]
    assert len({contact.email for contact in contacts}) == 3 * BLOCK
    assert len({place.note_id for customer in customers for place in customer.locations}) == 3 * LOCATIONS
    assert one.customers([customer.id for customer in customers]) == [Ok(customer) for customer in customers]
    assert one.contacts([ContactID("1234")]) == [Ok(contacts[1234])]
    assert all(number in contacts_of(customer_of(number)) for number in range(3 * BLOCK))
    sizes = [len(customer.contacts) for customer in customers]
    assert (min(sizes), max(sizes)) == (1, 200)


def test_marks_are_those_of_the_customers() -> None:
    """The pages of marks name each customer with its primary contact, ten times as many on a page."""
    one = Tenant(2 * BLOCK, wave=20)
    first, second = one.read(PrimaryMarks(), None), one.read(PrimaryMarks(), Cursor("200"))
    assert (len(first.items), first.next, second.next) == (200, "200", None)
    whole = one.customers([mark.id for mark in (*first.items, *second.items)])
    told = [(mark.id, mark.primary_contact) for mark in (*first.items, *second.items)]
    assert told == [(one.value.id, one.value.primary_contact) for one in whole if isinstance(one, Ok) and one.value]


def test_every_run_is_measured(tmp_path: Path) -> None:
    """A first load takes steps for all there is, and every later run none."""
    scene = Scene(contacts=BLOCK, log=tmp_path / "log.db", load=True, opts_out=False, traced=False)
    taken = {what: measured(what, scene) for what in RUNS}
    made = CUSTOMERS + (BLOCK - CUSTOMERS) + LOCATIONS
    assert taken[FIRST].steps == made + CUSTOMERS + BLOCK + LOCATIONS
    assert {what: each.steps for what, each in taken.items() if what != FIRST} == dict.fromkeys([*RUNS][1:], 0)
    assert all(each.resident > each.heap == 0 and each.wall > 0 for each in taken.values())


def test_a_shop_that_is_empty_at_first() -> None:
    """A company of a fresh tenant's shop is there once it was made."""
    one = Tenant(BLOCK, fresh=True)
    assert [Shop(one).company(0), Shop(Tenant(BLOCK)).company(0) is None] == [None, False]
