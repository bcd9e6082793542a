import json

from acumatica_b2b.http import Request, Response
from acumatica_b2b.protocols import ChangedSince, Everything, PrimaryMarks, Watermark
from tests.acumatica.conftest import (
    Driver,
    Script,
    entity,
    linked,
    query,
    row,
)
from tests.acumatica.tables import (
    OPTIMIZE,
    WORLD,
    a_contact,
    a_customer,
    a_location,
    filters,
    pages,
    tables,
    whole,
)


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


def test_marks_that_a_list_cannot_have(driver: Driver) -> None:
    """From 23.200 on the mark is a field; where a list can't have it, the linked contact is, and then the record."""
    linked_marks = [a_customer("A", 7, PrimaryContact=linked(ContactID=7)), a_customer("B", PrimaryContact={})]

    def refusing(*parts: str) -> Script:
        def refused(request: Request) -> Response | None:
            asked = query(request).get("$select", "").split(",") if "/" not in entity(request) else []
            return OPTIMIZE if set(parts) & set(asked) else None

        return tables(linked_marks, refused=refused)

    by_link, by_key = refusing("PrimaryContactID"), refusing("PrimaryContactID", "PrimaryContact/ContactID")
    for script in (by_link, by_key):
        (page,) = pages(driver, script, PrimaryMarks())
        assert [customer.primary_contact for customer in page.items] == ["7", None]
    assert [entity(request) for request in by_link.asked] == ["Customer"] * 2
    assert [entity(request) for request in by_key.asked] == ["Customer"] * 3 + ["Customer/A", "Customer/B"]


def test_a_contact_that_was_never_saved(driver: Driver) -> None:
    """The contact that a form makes up for a customer without primary, numbered from zero down, is none."""
    customers = [a_customer("A", -2147483648), a_customer("B", 0), a_customer("C", PrimaryContact=linked(ContactID=-1))]
    (page,) = pages(driver, tables(customers), PrimaryMarks())
    assert [customer.primary_contact for customer in page.items] == [None] * 3


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
    assert filters(script, "Customer")[0] == "LastModifiedDateTime ge datetimeoffset'2023-12-14T00:54:30.000+00:00'"


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
    assert filters(script, "Contact") == ["LastModifiedDateTime ge datetimeoffset'2023-12-14T00:44:30.000+00:00'"]


def test_unproven_changes_hold_their_watermark(driver: Driver) -> None:
    """A list of changes whose keys do not ascend does not move its watermark."""
    contacts = [a_contact(2, None, LATE), a_contact(1, None, LATE)]
    (page,) = pages(driver, tables([], contacts), ChangedSince(watermark=OLD))
    marks = json.loads(page.watermark or "")
    assert (marks["contacts"], marks["customers"]) == ("2023-12-14T01:00:00+00:00", "2023-12-14T02:14:00+00:00")


def test_unproven_changes_hold_what_their_clock_was(driver: Driver) -> None:
    """A watermark that stays where it was goes with the server's clock of then, one that moves with that of now."""
    watermark = Watermark(json.dumps({**json.loads(OLD), "ahead": 5.0}))
    for numbers, ahead in (([2, 1], 5.0), ([1, 2], 2 * 3600 + 14 * 60)):
        contacts = [a_contact(number, None, LATE) for number in numbers]
        (page,) = pages(driver, tables([], contacts), ChangedSince(watermark=watermark))
        assert json.loads(page.watermark or "")["ahead"] == ahead


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
