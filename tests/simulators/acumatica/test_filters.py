from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.http import Request
from acumatica_b2b.simulators import ContactRow, CustomerRow, Dataset, LocationRow
from acumatica_b2b.simulators.acumatica.collation import Collation
from acumatica_b2b.simulators.acumatica.filters import candidates
from acumatica_b2b.simulators.acumatica.odata import parse
from tests.simulators.acumatica.conftest import ROOT, START, Erp, exception, make


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ContactID eq 5", [5]),
        ("5 lt ContactID", [40, 300]),
        ("ContactID gt 5 or ContactID lt 300 or ContactID eq 40", [5, 40, 300]),
        ("ContactID ge 40 and ContactID lt 300L", [40]),
        ("ContactID gt 4.5M", [5, 40, 300]),
        ("BusinessAccount eq 'abakery'", [5, 40]),
        ("BusinessAccount ge 'ABAKERY' and BusinessAccount le 'BCORP'", [5, 40, 300]),
        ("BusinessAccount gt 'ABAKERY'", [300]),
        ("BusinessAccount eq 'BCORP' or ContactID eq 5", [5, 300]),
        ("LastName eq 'O''Neil'", [40]),
        ("Email eq null", [40]),
        ("Email ne null", [5, 300]),
        ("Email ne 'x'", [5, 300]),
        ("not (Email eq 'x')", [5, 300]),
        ("not Active", [300]),
        ("Active eq false or Email eq null", [40, 300]),
        ("Active", [5, 40]),
        ("startswith(LastName,'o')", [40]),
        ("endswith(Email,'CORP.example')", [300]),
        ("substringof('e', LastName)", [5, 40, 300]),
        ("substringof('e', LastName) eq true", []),
        ("not startswith(LastName,'o')", [5, 300]),
        ("startswith(LastName,'o') eq false", [5, 300]),
        ("Status eq 'Inactive'", [300]),
        ("DisplayName eq 'Ann Lee'", [5]),
        ("cf.String(f='Contact.UsrKCReferenceID') eq '42'", [5]),
        ("cf.Boolean(f='Contact.UsrKCEnabled') eq true", [5]),
        ("cf.Boolean(f='Contact.UsrKCEnabled') eq null", [40, 300]),
        ("LastModifiedDateTime ge datetimeoffset'2026-03-01T10:00:00+01:00'", [5, 40, 300]),
        ("LastModifiedDateTime gt datetimeoffset'2026-03-01T09:00:00.0000000Z'", []),
        ("LastModifiedDateTime lt date'2026-03-02'", [5, 40, 300]),
        ("Active eq true and Active eq true or ContactID eq 300", [5, 40, 300]),
    ],
)
def test_filters(erp: Erp, text: str, found: list[int]) -> None:
    """A filter finds what the database would: texts whatever the case, empty fields neither equal nor unequal."""
    assert erp.keys("Contact", filter=text) == found


@pytest.mark.parametrize(
    "text",
    [
        "contains(Email,'x')",
        "tolower(Email) eq 'x'",
        "not substringof('x',Email)",
        "ContactID eq '5'",
        "Email eq 5",
        "Active eq 1",
        "Active gt false",
        "NoteID eq '6a47c888-0b10-4911-9fbe-7c5cf8918e20'",
        "LastModifiedDateTime gt '2026-03-01'",
        "LastModifiedDateTime gt datetimeoffset'2026-03-01T10:00:00 01:00'",
        "startswith(ContactID,'5')",
        "ContactID",
        "ContactID eq",
        "ContactID eq 5 6",
        "(ContactID eq 5",
        "ContactID eq 5 and",
        "ContactID ~ 5",
        "Attributes/Value eq 'x'",
        "cf.String(f='Contact.UsrKCEnabled') eq 'x'",
        "cf.String(f='Contact.UsrNobody') eq 'x'",
    ],
)
def test_filters_that_fail(erp: Erp, text: str) -> None:
    """A function that OData v3 lacks, a type that does not fit and a broken filter are a 500, not an empty list."""
    assert exception(erp.get("Contact", filter=text))[2] == "ODataException"


def test_filter_by_linked_fields_and_ids(erp: Erp) -> None:
    """A filter follows linked entities, and a GUID literal is `guid'…'`."""
    assert erp.keys("Customer", filter="MainContact/Email eq 'office@bakery.example'") == ["ABAKERY"]
    assert erp.keys("Customer", filter="MainContact/Address/City eq 'BELLEVUE'") == ["ABAKERY"]
    erp.simulator.set_primary("bcorp", 300)
    assert erp.keys("Customer", filter="PrimaryContact/LastName eq 'Zed'") == ["bcorp"]
    note = erp.one("Contact/40")["id"]
    assert erp.keys("Contact", filter=f"NoteID eq guid'{note.upper()}'") == [40]
    after = "Customer gt 'ABAKERY' or (Customer eq 'ABAKERY' and LocationID gt 'DEPOT')"
    assert erp.keys("CustomerLocation", filter=after) == ["MAIN", "MAIN"]


def test_plus_in_a_query_is_a_blank(erp: Erp) -> None:
    """A plus sign that was not encoded is read as a blank, so that the moment is none."""
    query = "$filter=LastModifiedDateTime%20gt%20datetimeoffset'2026-03-01T10:00:00+01:00'"
    cookie = "; ".join(f"{name}={value}" for name, value in erp.cookies.items())
    url = f"{ROOT}/entity/Default/24.200.001/Contact?{query}"
    request = Request(method="GET", url=url, headers=(("Cookie", cookie),))
    assert erp.simulator.handle(request).status == 500
    assert erp.simulator.handle(evolve(request, url=url.replace("+", "%2B"))).status == 200


Row = Mapping[str, Any]
Check = Any
TEXTS = st.sampled_from(["", "a", "B", "ab", "Ba", "b_1", "it's", "Ann "])
NUMBERS = st.integers(1, 6)
STAMPS = st.integers(0, 3).map(lambda minute: START + timedelta(minutes=minute))
FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "ContactID": NUMBERS,
    "LastName": TEXTS,
    "BusinessAccount": TEXTS,
    "Active": st.booleans(),
    "LastModifiedDateTime": STAMPS,
}
OPERATORS: Mapping[str, Any] = {
    "eq": lambda one, two: one == two,
    "ne": lambda one, two: one != two,
    "lt": lambda one, two: one < two,
    "le": lambda one, two: one <= two,
    "gt": lambda one, two: one > two,
    "ge": lambda one, two: one >= two,
}


def literal(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case datetime():
            return f"datetimeoffset'{value.isoformat()}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def comparable(value: Any) -> Any:
    """Order texts as the oracle understands the database: no case, no blanks behind, punctuation first."""
    if not isinstance(value, str):
        return value
    return [(char.isalnum(), char) for char in value.rstrip().lower()]


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Check]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    value = draw(FIELDS[name])
    operator = draw(st.sampled_from(["eq", "ne"] if name == "Active" else sorted(OPERATORS)))

    def check(row: Row) -> bool | None:
        return None if row[name] is None else OPERATORS[operator](comparable(row[name]), comparable(value))

    return f"{name} {operator} {literal(value)}", check


@st.composite
def nulls(draw: st.DrawFn) -> tuple[str, Check]:
    name = draw(st.sampled_from(["LastName", "BusinessAccount"]))
    operator = draw(st.sampled_from(["eq", "ne"]))
    return f"{name} {operator} null", lambda row: (row[name] is None) is (operator == "eq")


def _and(one: Check, two: Check) -> Check:
    def check(row: Row) -> bool | None:
        values = {one(row), two(row)}
        return False if False in values else None if None in values else True

    return check


def _or(one: Check, two: Check) -> Check:
    def check(row: Row) -> bool | None:
        values = {one(row), two(row)}
        return True if True in values else None if None in values else False

    return check


def _not(one: Check) -> Check:
    def check(row: Row) -> bool | None:
        value = one(row)
        return None if value is None else not value

    return check


def compound(inner: st.SearchStrategy[tuple[str, Check]]) -> st.SearchStrategy[tuple[str, Check]]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]}) and ({pair[1][0]})", _and(pair[0][1], pair[1][1]))),
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]}) or ({pair[1][0]})", _or(pair[0][1], pair[1][1]))),
        inner.map(lambda one: (f"not ({one[0]})", _not(one[1]))),
    )


FILTERS = st.recursive(st.one_of(comparisons(), nulls()), compound, max_leaves=6)
CONTACTS = st.builds(
    ContactRow, id=NUMBERS, last_name=TEXTS, customer=st.none() | TEXTS, active=st.booleans(), modified=STAMPS
)
CROWD = tuple(ContactRow(id=100 + number, customer="zz", modified=START - timedelta(days=1)) for number in range(20))
"""Enough rows for an index to be worth its while."""
ROWS = st.lists(CONTACTS, max_size=6, unique_by=lambda row: row.id)


def plain(row: ContactRow) -> Row:
    return {
        "ContactID": row.id,
        "LastName": row.last_name or None,
        "BusinessAccount": row.customer or None,
        "Active": row.active,
        "LastModifiedDateTime": row.modified,
    }


@settings(max_examples=200, deadline=None)
@given(first=ROWS, then=ROWS, deleted=st.sets(NUMBERS), wanted=FILTERS)
def test_filter_equals_a_predicate(
    first: list[ContactRow], then: list[ContactRow], deleted: set[int], wanted: tuple[str, Check]
) -> None:
    """A filter leaves exactly those rows for which its three-valued predicate is true, before and after changes."""
    text, check = wanted
    erp = make()
    erp.log_in()
    erp.simulator.load(Dataset(contacts=(*CROWD, *first)))
    now = {row.id or 0: row for row in (*CROWD, *first)}
    assert erp.keys("Contact", filter=text) == [key for key in sorted(now) if check(plain(now[key])) is True]
    erp.simulator.load(Dataset(contacts=tuple(then)))
    now |= {row.id or 0: row for row in then}
    for key in deleted & set(now):
        erp.simulator.delete_contact(key)
        del now[key]
    assert erp.keys("Contact", filter=text) == [key for key in sorted(now) if check(plain(now[key])) is True]


def looked_at(erp: Erp, entity: str, text: str) -> int:
    table = erp.simulator._state.table(entity)
    return len(list(table.walk(candidates(parse(text), table))))


@pytest.mark.parametrize(
    ("entity", "text", "most"),
    [
        ("Contact", "ContactID gt 1990", 10),
        ("Contact", "LastModifiedDateTime ge datetimeoffset'2026-03-01T10:39:00Z'", 20),
        ("Contact", "LastModifiedDateTime ge datetimeoffset'2026-03-01T09:00:00Z' and ContactID gt 1990", 10),
        ("Contact", "BusinessAccount ge 'c010' and BusinessAccount le 'C012'", 60),
        ("Contact", "BusinessAccount eq 'C010' or BusinessAccount eq 'C090'", 40),
        ("Contact", "(BusinessAccount ge 'C010' and BusinessAccount le 'C099') and ContactID gt 1980", 20),
        ("Customer", "CustomerID gt 'C097'", 2),
        ("CustomerLocation", "Customer gt 'C098' or (Customer eq 'C098' and LocationID gt 'MAIN')", 2),
    ],
)
def test_index_spares_the_rest(entity: str, text: str, most: int) -> None:
    """Of 2,000 contacts of 100 customers a filter by key, customer or stamp looks at no more than it must."""
    erp = make()
    numbers = range(100)
    erp.simulator.load(
        Dataset(
            customers=tuple(CustomerRow(id=f"C{number:03}", name="A", modified=START) for number in numbers),
            contacts=tuple(
                ContactRow(
                    id=number + 1, customer=f"C{number // 20:03}", modified=START + timedelta(seconds=number * 3)
                )
                for number in range(2000)
            ),
            locations=tuple(LocationRow(id="MAIN", customer=f"C{number:03}", modified=START) for number in numbers),
        )
    )
    assert 0 < looked_at(erp, entity, text) <= most


@given(texts=st.lists(st.text(alphabet="aAbB01_- ", max_size=4), max_size=5))
def test_collation_ignores_case_and_blanks_behind(texts: list[str]) -> None:
    """Texts that differ by case or blanks behind are the same; every text sorts before its continuations."""
    for text in texts:
        assert Collation.CASE_INSENSITIVE.key(text) == Collation.CASE_INSENSITIVE.key(text.upper() + " ")
        assert Collation.CASE_INSENSITIVE.key(text.rstrip()) < Collation.CASE_INSENSITIVE.key(text.rstrip() + "a")
