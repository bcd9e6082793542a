import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, example, given
from hypothesis import strategies as st

from acumatica_b2b.acumatica import reading
from acumatica_b2b.acumatica.config import AcumaticaConfig, PlainField, UserField
from acumatica_b2b.acumatica.kept import Kept, keeping
from acumatica_b2b.acumatica.queries import CONTACT_KEYS
from acumatica_b2b.acumatica.rows import Row, kept_of, key_of, rows_of
from acumatica_b2b.codec import decode
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Response
from acumatica_b2b.model import UNSET, Customer
from acumatica_b2b.protocols import AsyncReadsUndecoded, ChangedSince, ReadsUndecoded, Watermark
from tests.acumatica.conftest import Driver, configured, custom, linked
from tests.acumatica.tables import STAMP, a_contact, a_customer, a_location, pages, tables

# ------------------------------------------------------------------ cells, read quickly and exactly
texts = st.text(alphabet=" aé\x00\ud800", max_size=3)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.just(1.5), texts, st.just([]), st.just({}), st.just("7")
)
stamps = st.sampled_from(
    ["2023-12-14T17:20:45.16+00:00", "2023-12-14T17:20:45.1234567Z", "2023-12-14T17:20:45", "2023-12-14", "soon", "", 3]
)
cells = st.one_of(st.builds(lambda value: {"value": value}, values | stamps), st.just({}), values)
fields = st.dictionaries(st.sampled_from("ABC"), cells, max_size=3)
rows = st.builds(
    lambda plain, view: plain | view, fields, st.just({}) | st.builds(lambda one: {"custom": one}, values | fields)
) | st.builds(lambda plain, view: plain | {"custom": {"V": view}}, fields, fields | values)


def result(work: Callable[[], object]) -> object:
    """Return what something comes to: its result with the type, or its error with the path."""
    try:
        found = work()
    except DecodeError as error:
        return ("error", error.args[0], error.path)
    return (type(found), found)


def exact_value(data: Any, name: str) -> Any:
    """Return the value of a cell."""
    cell = data.get(name)
    if cell is not None and not isinstance(cell, dict):
        raise DecodeError(f"expected an object, not {type(cell).__name__}", f"X.{name}")
    return (cell or {}).get("value")


def exact(data: Any, name: str, kind: type) -> Any:
    """Return a value of one kind."""
    found = exact_value(data, name)
    if found is not None and type(found) is not kind:
        raise DecodeError(f"expected {kind.__name__}, not {type(found).__name__}", f"X.{name}.value")
    return found


def exact_text(data: Any, name: str) -> str:
    """Return a text without the blanks around it."""
    return (exact(data, name, str) or "").strip()


def exact_moment(data: Any, name: str) -> Any:
    """Return a moment."""
    found = exact_value(data, name)
    try:
        return None if found is None else decode(found, datetime)
    except DecodeError as error:
        raise DecodeError(error.args[0], f"X.{name}") from None


@given(rows)
def test_cells_are_read_quickly_as_they_are_exactly(data: Any) -> None:
    """A quick look at a row comes to what the exact one does, or to the same error at the same path."""
    row = Row(data, "X")
    assert result(lambda: row.text("A")) == result(partial(exact_text, data, "A"))
    assert result(lambda: row.texts("A", "B")) == result(lambda: [exact_text(data, name) for name in ("A", "B")])
    assert result(lambda: row.number("A")) == result(lambda: exact(data, "A", int))
    assert result(lambda: row.flag("A", empty=True)) == result(lambda: exact(data, "A", bool) is not False)
    assert result(lambda: row.moment("A")) == result(partial(exact_moment, data, "A"))


@given(rows)
def test_configured_fields_are_read_quickly_as_they_are_exactly(data: Any) -> None:
    """So it is with a custom field; what has no key is UNSET."""

    def expected() -> object:
        path, found = "X", data
        for name in ("custom", "V"):
            path, found = f"{path}.{name}", found.get(name)
            if found is not None and not isinstance(found, dict):
                raise DecodeError(f"expected an object, not {type(found).__name__}", path)
            found = found or {}
        if "A" not in found:
            return UNSET
        if found["A"] is not None and not isinstance(found["A"], dict):
            raise DecodeError(f"expected an object, not {type(found['A']).__name__}", f"{path}.A")
        return (found["A"] or {}).get("value")

    assert result(lambda: Row(data, "X").at(UserField("V", "A"))) == result(expected)
    plain = UNSET if "A" not in data else result(lambda: exact_value(data, "A"))
    found = result(lambda: Row(data, "X").at(PlainField("A")))
    assert found == (plain if isinstance(plain, tuple) else (type(UNSET), UNSET))


# ------------------------------------------------------------------ lists, row by row
def both(row: Row, text: str) -> tuple[Any, Any]:
    """Keep a row and what its text says."""
    return row.data, json.loads(text)


def row_by_row(response: Response) -> object:
    """Return all rows twice, one at a time."""
    return kept_of(response, CONTACT_KEYS, both)


def at_once(response: Response) -> object:
    """Return them twice, all parsed at once."""
    return [(key_of(row, CONTACT_KEYS), (row.data, row.data)) for row in rows_of(response, CONTACT_KEYS)]


lists = st.lists(
    st.one_of(
        st.builds(lambda key, more: {"ContactID": {"value": key}} | more, st.integers(0, 5), fields),
        st.sampled_from([{}, None, 1, "x", {"ContactID": 3}, {"ContactID": {"value": "3"}}]),
    ),
    max_size=4,
)


@given(lists | values, st.sampled_from([None, 1]), st.integers(0, 60), st.sampled_from(["", ",", "]", "[", " ", '"']))
@example([], None, 1, " ")
@example([{"ContactID": {"value": 1}}], None, 0, ",")
def test_a_list_is_read_row_by_row_as_it_is_at_once(data: Any, indent: int | None, at: int, what: str) -> None:
    """However a list is written, and whatever is wrong with it, its rows are those of the list read at once."""
    body = json.dumps(data, indent=indent, separators=None if indent else (",", ":"))
    for text in (body, body[:at] + what + body[at:], body[:at] + body[at + 1 :]):
        response = Response(status=200, body=text.encode())
        found, whole = result(partial(row_by_row, response)), result(partial(at_once, response))
        event(str(whole)[:20])
        assert found == whole


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings(encoding: str) -> None:
    """A list is read in every encoding that JSON may have."""
    body = json.dumps([{"ContactID": {"value": 1}, "A": {"value": "é"}}], ensure_ascii=False).encode(encoding)
    ((key, (data, again)),) = kept_of(Response(status=200, body=body), CONTACT_KEYS, both)
    assert (key, data["A"]["value"], again == data) == ((1,), "é", True)


# ------------------------------------------------------------------ what stands for a customer
SETTINGS: dict[str, Any] = {
    "contact_opt_in": "Contact.UsrOn",
    "contact_reference": "ExtRefNbr",
    "customer_reference": "BAccount.UsrID",
    "contact_attributes": {"size": "Attributes[SIZE]"},
}
CONFIG = configured(**SETTINGS)
KEYS = {"CustomerID", "ContactID", "LocationID", "Customer", "BusinessAccount"}
ADDRESS = dict.fromkeys(("AddressLine1", "AddressLine2", "City", "State", "PostalCode", "Country"), "x")


def whole(entity: str, row: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a row with all that is asked for, empty where nothing is said."""
    shape = {one.shape.entity: one.shape for one in every(CONFIG)}[entity]
    names = (name for name in shape.select if "/" not in name)
    person = linked(Email=None, FirstName="Bo", LastName="Ek", Phone1="5", Phone2=None, Address=linked(**ADDRESS))
    return (
        {name: {} for name in names}
        | {"MainContact": person, "LocationContact": person, "Attributes": []}
        | row
        | fields
    )


def every(config: AcumaticaConfig) -> tuple[Any, ...]:
    """Return how each entity is kept."""
    keep = keeping(config)
    return keep.customers, keep.contacts, keep.locations


def people() -> tuple[list[dict[str, Any]], ...]:
    """Return the rows of a customer with two contacts and a location."""
    customer = whole("Customer", a_customer("C1", 1), custom=custom("BAccount", UsrID=None))
    contacts = [whole("Contact", a_contact(key, "C1"), custom=custom("Contact", UsrOn=True)) for key in (1, 2)]
    return [customer], contacts, [whole("CustomerLocation", a_location("C1", "MAIN"))]


def wave(made: tuple[list[dict[str, Any]], ...], config: AcumaticaConfig = CONFIG) -> reading.Wave:
    """Return rows as they are kept."""
    kept: list[tuple[Kept, ...]] = [
        tuple(keep(Row(row, keep.shape), json.dumps(row)) for row in of)
        for keep, of in zip(every(config), made, strict=True)
    ]
    return reading.Wave(customers=kept[0], contacts=kept[1], locations=kept[2])


def told(made: tuple[list[dict[str, Any]], ...], config: AcumaticaConfig = CONFIG) -> str:
    """Return what stands for the one customer."""
    (one,) = reading.undecoded_of(config, wave(made, config))
    return one.as_read


def decoded(made: tuple[list[dict[str, Any]], ...]) -> Customer | None:
    """Return the customer without what this library writes and without stamps; None: it can't be decoded."""
    match reading.customers_of(CONFIG, wave(made)).popitem()[1]:
        case Ok(found):
            contacts = [evolve(one, reference="", modified=None) for one in found.contacts]
            places = [evolve(one, reference="", modified=None) for one in found.locations]
            return evolve(found, reference="", modified=None, contacts=tuple(contacts), locations=tuple(places))
        case Failed():
            return None


@given(st.integers(0, 2), st.integers(0, 1), st.data())
def test_what_makes_another_record_is_told_apart(kind: int, at: int, data: st.DataObject) -> None:
    """Rows that make another customer stand for something else, or for nothing that is known."""
    before, after = people(), people()
    row = after[kind][min(at, len(after[kind]) - 1)]
    name = data.draw(st.sampled_from(sorted(row.keys() - KEYS)))
    if isinstance(row[name], dict) and "id" in row[name]:
        row, name = row[name], data.draw(st.sampled_from(sorted(row[name])))
    if name == "custom" and row[name]:
        (row,) = row[name].values()
        name = data.draw(st.sampled_from(sorted(row)))
    attribute = [{"AttributeID": {"value": "SIZE"}, "Value": {"value": "L"}}]
    row[name] = data.draw(st.just(attribute) | cells)
    assert told(before)
    if decoded(before) != decoded(after):
        event(f"another {name}")
        assert told(before) != told(after)


def test_what_stands_for_a_customer_stays() -> None:
    """Neither stamps, nor the numbers of rows, nor references that this library writes change what stands for it."""
    before, after = people(), people()
    for of in after:
        for row in of:
            row |= {"LastModifiedDateTime": {"value": "2024-01-01T00:00:00+00:00"}, "rowNumber": 9, "_links": {}}
    after[1][0]["ExtRefNbr"] = {"value": "42"}
    after[0][0]["custom"] = custom("BAccount", UsrID="7")
    assert told(after) == told(before) != ""
    (one,) = reading.undecoded_of(CONFIG, wave(after))
    found = one.decode()
    assert (one.id, one.references, one.complete) == (found.id, found.references, found.complete)
    assert (found.as_read, found.references) == (one.as_read, ("7", "42", "", UNSET))


@pytest.mark.parametrize(
    "changed",
    [
        {"contact_opt_in": "everyone"},
        {"enabled_texts": ("on",)},
        {"contact_reference": "none"},
        {"contact_attributes": {}},
    ],
)
def test_another_configuration(changed: dict[str, Any]) -> None:
    """What was read under another configuration may have meant something else."""
    assert told(people(), configured(**(SETTINGS | changed))) not in {"", told(people())}


@pytest.mark.parametrize("broken", ["Phone3", "custom", "ExtRefNbr"])
def test_rows_of_which_nothing_is_said(broken: str) -> None:
    """Where something did not come, or is no plain value, nothing stands for the customer."""
    made = people()
    if broken == "ExtRefNbr":
        made[1][1][broken] = {"value": []}
    else:
        del made[1][1][broken]
    assert told(made) == ""


# ------------------------------------------------------------------ reading
def test_changes_read_undecoded(driver: Driver) -> None:
    """What is read undecoded comes to the same customers, and the same errors, as what is read."""
    world = (
        [a_customer("A", 1), a_customer("B")],
        [a_contact(1, "A"), a_contact(2, "B") | {"Email": {"value": 5}}],
        [a_location("A", "MAIN")],
    )
    mark = ChangedSince(watermark=Watermark(json.dumps({"customers": STAMP})))
    (page,) = pages(driver, tables(*world), mark)
    undecoded = driver.call(tables(*world), "read_undecoded", mark, None)
    found = {one.id: result(one.decode) for one in undecoded.items}
    ((name, error),) = [(one.customer, one.error) for one in page.unreadable]
    assert found == {"A": (Customer, page.items[0]), name: ("error", *error.args)}
    assert undecoded.watermark == page.watermark


def test_clients_read_undecoded() -> None:
    """Both clients offer it; other ERPs need not."""
    from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica  # noqa: PLC0415  # what the test is about
    from acumatica_b2b.testing import MemoryErp  # noqa: PLC0415  # as above

    assert issubclass(Acumatica, ReadsUndecoded)
    assert issubclass(AsyncAcumatica, AsyncReadsUndecoded)
    assert not issubclass(MemoryErp, ReadsUndecoded)
