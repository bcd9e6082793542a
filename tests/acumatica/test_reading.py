import json

import pytest
from attrs import evolve

from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica
from acumatica_b2b.errors import ConfigurationError, DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import UNSET
from acumatica_b2b.protocols import AsyncErp, ChangedSince, Cursor, Erp, Everything, Watermark
from tests.acumatica.conftest import (
    NO_ENTITY,
    Driver,
    Script,
    answer,
    custom,
    entity,
    query,
)
from tests.acumatica.tables import (
    EXPECTED,
    OPTIMIZE,
    WORLD,
    a_contact,
    a_customer,
    filters,
    pages,
    tables,
    whole,
)


# ------------------------------------------------------------------ everything
def test_everything(driver: Driver) -> None:
    """Everything is read in waves of customers, whose contacts and locations are read by the wave's range."""
    script = tables(*WORLD)
    found = pages(driver, script, Everything(), wave=2, page=2)
    assert whole(found) == EXPECTED
    assert [len(page.items) for page in found] == [2, 1]
    assert filters(script, "Customer") == ["", "CustomerID gt 'B'"]
    assert filters(script, "Contact") == [
        "BusinessAccount ge 'A' and BusinessAccount le 'B'",
        "BusinessAccount ge 'A' and BusinessAccount le 'B' and ContactID gt 2",
        "BusinessAccount ge 'C' and BusinessAccount le 'C'",
    ]
    assert filters(script, "CustomerLocation")[1] == (
        "Customer ge 'A' and Customer le 'B' and (Customer gt 'A' or (Customer eq 'A' and LocationID gt 'MAIN'))"
    )
    assert {request.deadline for request in script.asked} == {300.0}


def test_groups_instead_of_ranges(driver: Driver) -> None:
    """Where ranges are switched off, contacts and locations are read by groups of ids."""
    script = tables(*WORLD)
    assert whole(pages(driver, script, Everything(), ranges=False, group=2)) == EXPECTED
    assert filters(script, "Contact") == [
        "BusinessAccount eq 'A' or BusinessAccount eq 'B'",
        "BusinessAccount eq 'C'",
    ]


def test_one_watermark(driver: Driver) -> None:
    """Each page of a reading has the watermark of its first: the server's time of the first answer."""
    script = tables(*WORLD)
    dated, moments = script.answers, iter(range(10))

    def answers(request: Request) -> Response:
        return evolve(dated(request), headers=(("Date", f"Thu, 14 Dec 2023 02:14:0{next(moments)} GMT"),))

    script.answers = answers
    first, second = pages(driver, script, Everything(), wave=2)
    assert first.watermark == second.watermark
    moment = "2023-12-14T02:14:00+00:00"
    marks = dict.fromkeys(("customers", "contacts", "locations"), moment)
    assert json.loads(first.watermark or "") == marks | {"ahead": 8040.0}


def test_no_customers(driver: Driver) -> None:
    """An ERP without customers is one empty, last page."""
    page = driver.call(tables([]), "read", Everything(), None)
    assert (page.items, page.next) == ((), None)


def test_unreadable_records(driver: Driver) -> None:
    """A record that can't be decoded costs its customer, with the path, and nobody else."""
    broken = [a_contact(1, "A"), a_contact(2, "B", Email=5)]
    (page,) = pages(driver, tables([*WORLD[0][:2], a_customer("D", CustomerName=1)], broken), Everything())
    assert [customer.id for customer in page.items] == ["A"]
    assert [(bad.customer, getattr(bad.error, "path", "")) for bad in page.unreadable] == [
        ("B", "Contact[2].Email.value"),
        ("D", "Customer[D].CustomerName.value"),
    ]


def test_a_field_that_the_tenant_lacks(driver: Driver) -> None:
    """A configured field that comes with no contact of a page ends the reading, naming view and field."""
    with pytest.raises(ConfigurationError, match=r"Contact\.UsrOn.*adHocSchema"):
        pages(driver, tables(*WORLD), Everything(), contact_opt_in="Contact.UsrOn")
    with pytest.raises(ConfigurationError, match=r"AccountRef"):
        pages(driver, tables(*WORLD), Everything(), customer_reference="AccountRef")
    with pytest.raises(ConfigurationError, match=r"CustomerLocation.*ExtRefNbr"):
        pages(driver, tables(*WORLD), Everything(), location_reference="ExtRefNbr")


def test_a_field_that_some_contacts_lack(driver: Driver) -> None:
    """A configured field that comes with some contacts is UNSET for the others."""
    contacts = [a_contact(1, "A", custom=custom("Contact", UsrOn=True)), a_contact(2, "A")]
    (page,) = pages(driver, tables([a_customer("A")], contacts), Everything(), contact_opt_in="Contact.UsrOn")
    assert [contact.association.enabled for contact in page.items[0].contacts] == [True, UNSET]


def test_lists_that_cannot_be_optimized(driver: Driver) -> None:
    """Where a list can't be exported, its keys are listed and each record is read by its key."""

    def refused(request: Request) -> Response | None:
        full = "/" not in entity(request) and len(query(request).get("$select", "").split(",")) > 2
        return OPTIMIZE if full else None

    script = tables(*WORLD, refused=refused)
    assert whole(pages(driver, script, Everything(), wave=2, page=2)) == EXPECTED
    by_key = [entity(request) for request in script.asked if "/" in entity(request)]
    assert {"Customer/A", "Contact/6", "CustomerLocation/A/EAST"} <= set(by_key)


def test_a_record_that_vanishes_between_list_and_key(driver: Driver) -> None:
    """A record that is deleted after its key was listed is left out."""

    def refused(request: Request) -> Response | None:
        if entity(request) == "Contact" and "Email" in query(request)["$select"]:
            return OPTIMIZE
        return NO_ENTITY if entity(request) == "Contact/6" else None

    found = whole(pages(driver, tables(*WORLD, refused=refused), Everything()))
    assert found == EXPECTED | {"A": (["1"], ["EAST", "MAIN"], True)}


def test_a_key_that_fits_into_no_path(driver: Driver) -> None:
    """A record whose key fits into no path is read by its id."""

    def answers(request: Request) -> Response:
        if entity(request) == "Customer":
            return OPTIMIZE if "Status" in query(request)["$select"] else answer([a_customer("A/B")])
        return answer(a_customer("A/B")) if entity(request).startswith("Customer/") else answer([])

    script = Script(answers)
    assert set(whole(pages(driver, script, Everything()))) == {"A/B"}
    assert "Customer/6A47C888-0B10-E911-9FBE-7C5CF8918E20" in [entity(request) for request in script.asked]


def test_a_page_that_fails(driver: Driver) -> None:
    """A page that can't be read is tried again, and then raised."""
    script = Script(lambda _: Response(status=502))
    with pytest.raises(OutcomeUnknownError):
        pages(driver, script, Everything())
    assert len(script.asked) == 4


def test_foreign_cursors(driver: Driver) -> None:
    """A cursor or watermark that another client made is a ConfigurationError."""
    with pytest.raises(ConfigurationError, match="cursor"):
        driver.call(tables([]), "read", Everything(), Cursor("page 2"))
    with pytest.raises(ConfigurationError, match="watermark"):
        driver.call(tables([]), "read", ChangedSince(watermark=Watermark("[]")), None)


# ------------------------------------------------------------------ by name
def test_customers_by_name(driver: Driver) -> None:
    """Customers are read whole in groups, in the order asked for; None is the ERP's own word."""
    script = tables(*WORLD)
    found = driver.call(script, "customers", ["C", "X", "A", "C"], group=2)
    assert [outcome.value and outcome.value.id for outcome in found] == ["C", None, "A", "C"]
    assert found[2].value.complete
    assert [contact.id for contact in found[2].value.contacts] == ["1", "6"]
    assert [entity(request) for request in script.asked if "/" in entity(request)] == ["Customer/X"]
    assert len(script.asked) == 3 + 3 + 1


def test_named_customers_that_are_not_proven(driver: Driver) -> None:
    """A named customer whose contacts do not ascend is not complete."""
    (found,) = driver.call(tables([a_customer("A")], [a_contact(2, "A"), a_contact(1, "A")]), "customers", ["A"])
    assert not found.value.complete


def test_a_customer_that_the_list_hides(driver: Driver) -> None:
    """A customer that a list lacks but its key finds is there, with what belongs to it."""

    def refused(request: Request) -> Response | None:
        return answer([]) if entity(request) == "Customer" else None

    (found,) = driver.call(tables(*WORLD, refused=refused), "customers", ["A"])
    assert [contact.id for contact in found.value.contacts] == ["1", "6"]


def test_customers_that_fail(driver: Driver) -> None:
    """A group that can't be read fails for its own customers only; so does a broken record."""

    def refused(request: Request) -> Response | None:
        return Response(status=503) if "'A'" in query(request).get("$filter", "") else None

    script = tables([*WORLD[0][:2], a_customer("D", Status=False)], refused=refused)
    first, second, third = driver.call(script, "customers", ["A", "B", "D"], group=1)
    assert isinstance(first.error, OutcomeUnknownError)
    assert isinstance(second, Ok)
    assert isinstance(third.error, DecodeError)


def test_an_id_that_is_spelled_otherwise(driver: Driver) -> None:
    """A customer that the server finds under another spelling of its id is not taken for gone."""
    script = Script(lambda request: answer(a_customer("CAFÉ") if entity(request) == "Customer/CAFE" else []))
    (outcome,) = driver.call(script, "customers", ["CAFE"])
    assert outcome.value.id == "CAFÉ"


def test_no_names(driver: Driver) -> None:
    """Who asks for nothing gets nothing, without asking."""
    script = tables(*WORLD)
    assert driver.call(script, "customers", []) == driver.call(script, "contacts", []) == []
    assert script.asked == []


def test_contacts_by_name(driver: Driver) -> None:
    """Contacts are read by key, whosever they are; gone is None, and an id that is no number is refused."""
    script = tables(*WORLD)
    found = driver.call(script, "contacts", ["6", "3", "99", "x"])
    assert [outcome.value and outcome.value.id for outcome in found[:3]] == ["6", "3", None]
    assert [outcome.value.customer for outcome in found[:2]] == ["A", None]
    assert isinstance(found[3], Failed)
    assert isinstance(found[3].error, RejectedError)
    assert found[3].error.reason is Reason.INVALID


# ------------------------------------------------------------------ laws
def test_both_drivers_ask_the_same() -> None:
    """Threads and tasks send the same requests in the same order, and get the same customers."""
    scripts = tables(*WORLD), tables(*WORLD)
    found = [
        (
            pages(Driver(asynchronous=asynchronous), script, Everything(), wave=2, page=2),
            Driver(asynchronous=asynchronous).call(script, "customers", ["A", "X"]),
        )
        for asynchronous, script in zip((False, True), scripts, strict=True)
    ]
    assert found[0] == found[1]
    assert scripts[0].requests == scripts[1].requests


def test_protocols() -> None:
    """Both clients are what the protocols ask for."""
    erps: tuple[type[Erp], type[AsyncErp]] = (Acumatica, AsyncAcumatica)
    assert all(callable(getattr(erp, name)) for erp in erps for name in ("read", "customers", "contacts"))
