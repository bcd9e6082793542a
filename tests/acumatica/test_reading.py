import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Password
from acumatica_b2b.errors import ConfigurationError, DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import UNSET, Customer
from acumatica_b2b.protocols import (
    AsyncErp,
    ChangedSince,
    Cursor,
    Erp,
    Everything,
    Page,
    PrimaryMarks,
    Query,
    Watermark,
)
from tests.acumatica.conftest import (
    NO_ENTITY,
    Driver,
    Script,
    answer,
    configured,
    custom,
    entity,
    fault,
    linked,
    query,
    row,
)

STAMP = "2023-12-14T02:00:00+00:00"
OPTIMIZE = fault("PX.Api.ContractBased.OptimizedExport.CannotOptimizeException", "Optimization cannot be performed.")


def guid(n: int) -> str:
    """Return an id."""
    return f"00000000-0000-0000-0000-{n:012}"


def a_customer(key: str, primary: int | None = None, stamp: str = STAMP, **fields: Any) -> dict[str, Any]:
    """Return a customer's row."""
    told = {"CustomerID": key, "CustomerName": key.title(), "Status": "Active", "PrimaryContactID": primary}
    return row(**(told | {"LastModifiedDateTime": stamp} | fields))


def a_contact(key: int, customer: str | None, stamp: str = STAMP, **fields: Any) -> dict[str, Any]:
    """Return a contact's row."""
    told = {"ContactID": key, "NoteID": guid(key), "BusinessAccount": customer, "Active": True}
    return row(**(told | {"LastModifiedDateTime": stamp} | fields))


def a_location(customer: str, key: str, stamp: str = STAMP) -> dict[str, Any]:
    """Return a location's row."""
    return row(Customer=customer, LocationID=key, NoteID=guid(9), Active=True, LastModifiedDateTime=stamp)


@define
class Tables:
    """Rows in the order of their keys, of which a filter in Python's words chooses."""

    rows: Mapping[str, list[dict[str, Any]]]
    refused: Callable[[Request], Response | None] = field(default=lambda _: None)

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        refusal = self.refused(request)
        if refusal is not None:
            return refusal
        name, *key = entity(request).split("/")
        if key:
            return next((answer(item) for item in self.rows[name] if self.key(item, name) == key), NO_ENTITY)
        options = query(request)
        chosen = [item for item in self.rows[name] if self.fits(item, options.get("$filter", ""))]
        return answer(chosen[: int(options["$top"])])

    @staticmethod
    def key(item: dict[str, Any], name: str) -> list[str]:
        """Return the key of a row."""
        names = {"Customer": ["CustomerID"], "Contact": ["ContactID"], "CustomerLocation": ["Customer", "LocationID"]}
        return [str(item[part]["value"]) for part in names[name]]

    @staticmethod
    def fits(item: dict[str, Any], where: str) -> bool:
        """Return whether a row fits a filter."""
        expression = where.replace("datetimeoffset", "")
        for word, sign in ((" eq ", "=="), (" gt ", ">"), (" ge ", ">="), (" le ", "<=")):
            expression = expression.replace(word, sign)
        values = {name: cell.get("value") or "" for name, cell in item.items() if isinstance(cell, dict)}
        return not where or bool(eval(expression, {}, values))  # noqa: S307 -- our own filters


def tables(
    customers: list[dict[str, Any]],
    contacts: list[dict[str, Any]] | None = None,
    locations: list[dict[str, Any]] | None = None,
    refused: Callable[[Request], Response | None] = lambda _: None,
) -> Script:
    """Return a script that answers from tables."""
    return Script(
        Tables({"Customer": customers, "Contact": contacts or [], "CustomerLocation": locations or []}, refused)
    )


def pages(driver: Driver, script: Script, what: Query, **settings_: Any) -> list[Page[Customer]]:
    """Return all pages of a reading."""
    found: list[Page[Customer]] = []
    after: Cursor | None = None
    while not found or after:
        found.append(driver.call(script, "read", what, after, **settings_))
        after = found[-1].next
    return found


def whole(found: list[Page[Customer]]) -> dict[str, tuple[list[str], list[str], bool]]:
    """Return of each customer its contacts, its locations, and whether it is complete."""
    return {
        customer.id: (
            [contact.id for contact in customer.contacts],
            [location.id for location in customer.locations],
            customer.complete,
        )
        for page in found
        for customer in page.items
    }


WORLD = (
    [a_customer("A", 1), a_customer("B"), a_customer("C", 4)],
    [
        a_contact(1, "A"),
        a_contact(2, "B"),
        a_contact(3, None),
        a_contact(4, "C"),
        a_contact(5, "BX"),
        a_contact(6, "A"),
    ],
    [a_location("A", "EAST"), a_location("A", "MAIN"), a_location("B", "MAIN")],
)
EXPECTED = {
    "A": (["1", "6"], ["EAST", "MAIN"], True),
    "B": (["2"], ["MAIN"], True),
    "C": (["4"], [], True),
}


def filters(script: Script, name: str) -> list[str]:
    """Return the filters that lists of an entity were asked with."""
    return [query(request).get("$filter", "") for request in script.asked if entity(request) == name]


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
    assert json.loads(first.watermark or "") == dict.fromkeys(
        ("customers", "contacts", "locations"), "2023-12-14T02:14:00+00:00"
    )


def test_no_customers(driver: Driver) -> None:
    """An ERP without customers is one empty, last page."""
    page = driver.call(tables([]), "read", Everything(), None)
    assert (page.items, page.next) == ((), None)


@pytest.mark.parametrize("at", range(3))
def test_keys_that_do_not_ascend(driver: Driver, at: int) -> None:
    """A page whose keys do not ascend proves nothing: none of its customers is complete."""
    world = [list(rows) for rows in WORLD]
    world[at][0], world[at][1] = world[at][1], world[at][0]
    customers, contacts, locations = world
    found = pages(driver, tables(customers, contacts, locations), Everything())
    assert not any(customer.complete for page in found for customer in page.items)


def test_a_list_that_does_not_move_on(driver: Driver) -> None:
    """A list that ignores where it should go on is named instead of read for ever."""
    script = Script(lambda request: answer([a_customer("A"), a_customer("B")] if entity(request) == "Customer" else []))
    with pytest.raises(DecodeError, match="does not move on"):
        pages(driver, script, Everything(), wave=2)
    same = [a_contact(1, "A"), a_contact(2, "A")]
    script = Script(lambda request: answer({"Customer": [a_customer("A")], "Contact": same}.get(entity(request), [])))
    assert whole(pages(driver, script, Everything(), page=2)) == {"A": (["1", "2"], [], False)}


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


# ------------------------------------------------------------------ primary marks
def test_primary_marks(driver: Driver) -> None:
    """Primary marks are read by full pages of ids and marks, and no such customer is complete."""
    script = tables(*WORLD)
    found = pages(driver, script, PrimaryMarks(), keys_page=2)
    marks = [(customer.id, customer.primary_contact, customer.complete) for page in found for customer in page.items]
    assert marks == [("A", "1", False), ("B", None, False), ("C", "4", False)]
    assert [query(request) for request in script.asked] == [
        {"$top": "2", "$select": "CustomerID,PrimaryContactID"},
        {"$filter": "CustomerID gt 'B'", "$top": "2", "$select": "CustomerID,PrimaryContactID"},
    ]


def test_primary_marks_of_older_versions(driver: Driver) -> None:
    """Before 23.200 the mark is read from the linked primary contact, by key where the list can't have it."""
    customers = [row(CustomerID="A", PrimaryContact=linked(ContactID=7)), row(CustomerID="B", PrimaryContact={})]

    def refused(request: Request) -> Response | None:
        return OPTIMIZE if "$expand" in query(request) and entity(request) == "Customer" else None

    for script in (tables(customers), tables(customers, refused=refused)):
        (page,) = pages(driver, script, PrimaryMarks(), version="22.200.001")
        assert [customer.primary_contact for customer in page.items] == ["7", None]
        assert query(script.asked[0])["$expand"] == "PrimaryContact"


def test_unreadable_marks(driver: Driver) -> None:
    """A mark that can't be decoded is told as such."""
    (page,) = pages(driver, tables([a_customer("A", PrimaryContactID="x")]), PrimaryMarks())
    assert [bad.customer for bad in page.unreadable] == ["A"]


# ------------------------------------------------------------------ changes
OLD = Watermark(json.dumps(dict.fromkeys(("customers", "contacts", "locations"), "2023-12-14T01:00:00+00:00")))
LATE = "2023-12-14T01:30:00.000+00:00"
EARLY = "2023-12-14T00:30:00.000+00:00"


def test_changes(driver: Driver) -> None:
    """A changed customer, contact or location brings its whole customer; the watermark moves on."""
    script = tables(
        [a_customer(key, stamp=LATE if key == "A" else EARLY) for key in "ABCD"],
        [a_contact(1, "B", LATE), a_contact(2, "B", EARLY), a_contact(3, "V", LATE), a_contact(4, None, LATE)],
        [a_location("C", "MAIN", LATE), a_location("D", "MAIN", EARLY)],
    )
    found = pages(driver, script, ChangedSince(watermark=OLD), wave=2)
    assert whole(found) == {"A": ([], [], True), "B": (["1", "2"], [], True), "C": ([], ["MAIN"], True)}
    assert [len(page.items) for page in found] == [2, 1]
    assert {page.watermark for page in found} == {found[0].watermark}
    assert json.loads(found[0].watermark or "")["contacts"] == "2023-12-14T02:14:00+00:00"
    assert filters(script, "Customer")[0] == "LastModifiedDateTime ge datetimeoffset'2023-12-14T00:55:00.000+00:00'"


def test_nothing_changed(driver: Driver) -> None:
    """Where nothing changed, three requests tell so."""
    script = tables([a_customer("A", stamp=EARLY)])
    (page,) = pages(driver, script, ChangedSince(watermark=OLD))
    assert (page.items, page.next) == ((), None)
    assert len(script.asked) == 3


def test_overlap_covers_the_queue(driver: Driver) -> None:
    """The overlap is never shorter than a request may wait in the licence's queue."""
    script = tables([])
    pages(driver, script, ChangedSince(watermark=OLD), overlap=0.0, read_deadline=900.0)
    assert filters(script, "Contact") == ["LastModifiedDateTime ge datetimeoffset'2023-12-14T00:45:00.000+00:00'"]


def test_unproven_changes_hold_their_watermark(driver: Driver) -> None:
    """A list of changes whose keys do not ascend does not move its watermark."""
    contacts = [a_contact(2, None, LATE), a_contact(1, None, LATE)]
    (page,) = pages(driver, tables([], contacts), ChangedSince(watermark=OLD))
    marks = json.loads(page.watermark or "")
    assert (marks["contacts"], marks["customers"]) == ("2023-12-14T01:00:00+00:00", "2023-12-14T02:14:00+00:00")


def test_a_server_without_a_date(driver: Driver) -> None:
    """Where the server tells no time, the latest stamps that were read are the watermark."""

    def undated(script: Script) -> Script:
        dated = script.answers

        def answers(request: Request) -> Response:
            response = dated(request)
            return Response(status=response.status, body=response.body)

        return Script(answers)

    script = undated(tables([a_customer("A", stamp=LATE)], [a_contact(1, "A", EARLY)]))
    (page,) = pages(driver, script, Everything())
    assert json.loads(page.watermark or "") == {
        "customers": "2023-12-14T01:30:00+00:00",
        "contacts": "2023-12-14T00:30:00+00:00",
    }
    (page,) = pages(driver, script, ChangedSince(watermark=OLD))
    marks = json.loads(page.watermark or "")
    assert (marks["customers"], marks["contacts"]) == ("2023-12-14T01:30:00+00:00", "2023-12-14T01:00:00+00:00")


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


def test_no_names(driver: Driver) -> None:
    """Who asks for nothing gets nothing, without a request."""
    script = tables(*WORLD)
    assert driver.call(script, "customers", []) == driver.call(script, "contacts", []) == []
    assert script.requests == []


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
@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(["A", "A-1", "B B", "B1", "C"]), unique=True),
    owners=st.lists(st.sampled_from(["A", "A-1", "B B", "B1", "C", "ZZ", None])),
    wave=st.integers(1, 4),
    page=st.integers(1, 3),
    ranges=st.booleans(),
)
def test_pages_hold_everything(
    names: list[str], owners: list[str | None], wave: int, page: int, *, ranges: bool
) -> None:
    """Whatever the sizes of waves and pages, each customer comes once, with exactly what belongs to it."""
    customers = [a_customer(name) for name in sorted(names)]
    contacts = [a_contact(i, owner) for i, owner in enumerate(owners, 1)]
    locations = sorted(
        {(owner, f"L{i % 3}") for i, owner in enumerate(owners) if owner},
    )
    rows = Tables(
        {"Customer": customers, "Contact": contacts, "CustomerLocation": [a_location(*key) for key in locations]}
    )
    config = configured(wave=wave, page=page, ranges=ranges, group=2)
    found: list[Customer] = []
    with Acumatica(config, Password("sync", "secret"), Script(rows), parallel=1) as erp:
        after = None
        while True:
            got = erp.read(Everything(), after)
            found += got.items
            after = got.next
            if after is None:
                break
    expected = {
        name: (
            [str(i) for i, owner in enumerate(owners, 1) if owner == name],
            [key for owner, key in locations if owner == name],
        )
        for name in names
    }
    assert len(found) == len(names)
    assert {
        one.id: ([contact.id for contact in one.contacts], [place.id for place in one.locations]) for one in found
    } == expected


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
