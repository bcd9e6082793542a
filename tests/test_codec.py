import enum
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeAlias

import attrs
import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.codec import camel, decode, decode_tagged, encode, encode_tagged, snake
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.model import NoteID

NOBODY = NoteID("")


class Colour(enum.Enum):
    """A closed choice."""

    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Wheel:
    """A record in a record."""

    size: int
    name: str = ""


@frozen(kw_only=True)
class Cart:
    """A record with a field of every kind."""

    text: str = ""
    flag: bool = False
    count: int = 0
    amount: float = 0.0
    maybe: str | None = None
    note_id: NoteID = NOBODY
    moment: datetime | None = None
    colour: Colour = Colour.RED
    wheels: tuple[Wheel, ...] = ()
    tags: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    spare_wheel: Wheel | None = None


@frozen(kw_only=True)
class Horse:
    """Another record."""

    name: str


Thing: TypeAlias = Wheel | Horse


# ------------------------------------------------------------------ strict
WRONG: list[tuple[object, str]] = [
    ({"text": None}, "text"),
    ({"text": 7}, "text"),
    ({"text": True}, "text"),
    ({"text": ["a"]}, "text"),
    ({"flag": "False"}, "flag"),
    ({"flag": 0}, "flag"),
    ({"flag": None}, "flag"),
    ({"count": 7.9}, "count"),
    ({"count": 7.0}, "count"),
    ({"count": "7"}, "count"),
    ({"count": True}, "count"),
    ({"count": None}, "count"),
    ({"amount": "7.5"}, "amount"),
    ({"amount": True}, "amount"),
    ({"amount": 10**400}, "amount"),
    ({"maybe": 7}, "maybe"),
    ({"note_id": 7}, "note_id"),
    ({"note_id": None}, "note_id"),
    ({"colour": "green"}, "colour"),
    ({"colour": "red"}, "colour"),
    ({"colour": None}, "colour"),
    ({"moment": 1_700_000_000}, "moment"),
    ({"moment": "2024-05-01T10:00:00"}, "moment"),
    ({"moment": "yesterday"}, "moment"),
    ({"wheels": [{"size": 1}, {"size": "2"}]}, "wheels[1].size"),
    ({"wheels": [{}]}, "wheels[0].size"),
    ({"wheels": ["size"]}, "wheels[0]"),
    ({"wheels": {"size": 1}}, "wheels"),
    ({"wheels": None}, "wheels"),
    ({"tags": "abc"}, "tags"),
    ({"tags": {"a": "b"}}, "tags"),
    ({"tags": ["a", 7]}, "tags[1]"),
    ({"pairs": [["a", "b"], ["c"]]}, "pairs[1]"),
    ({"pairs": ["ab"]}, "pairs[0]"),
    ({"pairs": [["a", None]]}, "pairs[0]"),
    ({"labels": {"a": None}}, "labels['a']"),
    ({"labels": [["a", "b"]]}, "labels"),
    ({"spare_wheel": []}, "spare_wheel"),
    ({"spare_wheel": {"size": None}}, "spare_wheel.size"),
    ([], ""),
    ("text", ""),
    (None, ""),
]


@pytest.mark.parametrize(("data", "path"), WRONG, ids=str)
def test_nothing_is_made_of_something_else(data: object, path: str) -> None:
    """DecodeError: a value of another type is refused, and the path leads to it."""
    with pytest.raises(DecodeError) as caught:
        decode(data, Cart)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: " if path else "")


@pytest.mark.parametrize("value", ["jo@example.com", ["jo@example.com"], {"to": "jo@example.com"}])
@pytest.mark.parametrize("name", [attribute.name for attribute in attrs.fields(Cart) if attribute.name != "labels"])
def test_an_error_does_not_show_the_value(name: str, value: object) -> None:
    """The message names the field and the type; what stood there may be an e-mail address."""
    wrong = {"maybe": 1, "text": 1, "note_id": 1, "tags": [1, value]}.get(name, value)
    with pytest.raises(DecodeError) as caught:
        decode({name: wrong}, Cart)
    assert "jo@example.com" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


def test_the_first_of_several_faults_is_named() -> None:
    """One error is raised for one record, about its first field that is wrong."""
    with pytest.raises(DecodeError) as caught:
        decode({"count": "7", "text": None}, Cart)
    assert caught.value.path == "text"


def test_what_is_missing_has_its_default_and_what_is_unknown_is_ignored() -> None:
    """A vendor may add a field, and leave out one that has a default."""
    assert decode({"unknown": {"x": 1}}, Cart) == Cart()


def test_a_whole_number_is_a_float() -> None:
    """JSON has one kind of number: 7 is an amount of 7.0."""
    amount = decode({"amount": 7}, Cart).amount
    assert (amount, type(amount)) == (7.0, float)


def test_a_type_that_can_t_be_decoded_is_no_fault_of_the_data() -> None:
    """A record class that the converter does not know how to fill is our bug, and no DecodeError."""

    @frozen(kw_only=True)
    class Odd:
        what: int | str | Cart

    with pytest.raises(Exception, match="Unsupported type") as caught:
        decode({"what": 1}, Odd)
    assert not isinstance(caught.value, DecodeError)


def test_a_choice_is_written_by_its_name() -> None:
    """A member of an enumeration stands in JSON by its name; its value may be for people."""
    assert encode(Cart(colour=Colour.BLUE)) == {"colour": "BLUE"}
    assert decode({"colour": "BLUE"}, Cart).colour is Colour.BLUE


# ------------------------------------------------------------------ moments
@pytest.mark.parametrize("digits", range(9))
@pytest.mark.parametrize(
    ("zone", "expected"), [("+00:00", UTC), ("Z", UTC), ("-05:30", timezone(-timedelta(hours=5, minutes=30)))]
)
def test_a_moment_has_any_number_of_digits(digits: int, zone: str, expected: timezone) -> None:
    """Fractions of a second have none to eight digits; .NET writes seven; we keep six."""
    fraction = "12345678"[:digits]
    moment = decode({"moment": f"2024-05-01T10:00:00{'.' if digits else ''}{fraction}{zone}"}, Cart).moment
    assert moment == datetime(2024, 5, 1, 10, 0, 0, int(f"{fraction:0<6}"[:6]), tzinfo=expected)


# ------------------------------------------------------------------ names
def test_names_are_ours_or_camel_case() -> None:
    """The converter for camelCase reads and writes those names on every level."""
    cart = Cart(spare_wheel=Wheel(size=1), note_id=NoteID("n"))
    assert encode(cart, camel()) == {"noteId": "n", "spareWheel": {"size": 1}}
    assert decode({"noteId": "n", "spareWheel": {"size": 1}}, Cart, camel()) == cart
    assert encode(cart, snake()) == encode(cart) == {"note_id": "n", "spare_wheel": {"size": 1}}


def test_an_error_names_the_field_as_the_other_side_does() -> None:
    """The path is made of the names that stood in the answer, or of ours where they are the same."""
    with pytest.raises(DecodeError) as caught:
        decode({"spareWheel": {"size": "1"}}, Cart, camel())
    assert caught.value.path in {"spareWheel.size", "spare_wheel.size"}


# ------------------------------------------------------------------ closed unions
def test_a_member_of_a_union_is_tagged_with_its_name() -> None:
    """The key "is" says which member it is, both ways."""
    assert encode_tagged(Horse(name="Blitz")) == {"is": "Horse", "name": "Blitz"}
    assert decode_tagged({"is": "Horse", "name": "Blitz"}, Thing) == Horse(name="Blitz")
    assert decode_tagged({"is": "Wheel", "size": 1, "later": True}, Thing) == Wheel(size=1)


@pytest.mark.parametrize("tag", [{}, {"is": "Cart"}, {"is": None}, {"is": 7}, {"is": ["Horse"]}], ids=str)
def test_a_member_that_is_not_there_is_refused(tag: dict[str, object]) -> None:
    """DecodeError: the message lists the members, the path is the tag's."""
    with pytest.raises(DecodeError, match="is: expected one of Wheel, Horse"):
        decode_tagged({"name": "Blitz", **tag}, Thing)


@pytest.mark.parametrize("data", [None, 7, "Horse", ["is"], ["is", "Horse"]], ids=str)
def test_what_is_no_object_is_no_member(data: object) -> None:
    """DecodeError: a member is a JSON object."""
    with pytest.raises(DecodeError):
        decode_tagged(data, Thing)


def test_a_member_of_the_wrong_shape_is_refused() -> None:
    """DecodeError: a member is as strict as any record."""
    with pytest.raises(DecodeError) as caught:
        decode_tagged({"is": "Wheel", "size": "1"}, Thing)
    assert caught.value.path == "size"


# ------------------------------------------------------------------ there and back
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
WHEELS = st.builds(Wheel, size=st.integers(), name=st.text())
CARTS = st.builds(
    Cart,
    text=st.text(),
    flag=st.booleans(),
    count=st.integers(),
    amount=st.floats(allow_nan=False),
    maybe=st.none() | st.text(),
    note_id=st.builds(NoteID, st.text()),
    moment=st.none() | MOMENTS,
    colour=st.sampled_from(Colour),
    wheels=st.lists(WHEELS).map(tuple),
    tags=st.lists(st.text()).map(tuple),
    pairs=st.lists(st.tuples(st.text(), st.text())).map(tuple),
    labels=st.dictionaries(st.text(), st.text()),
    spare_wheel=st.none() | WHEELS,
)


def through_json(data: object) -> Any:
    """Return the data as it comes out of a file."""
    return json.loads(json.dumps(data))


@given(CARTS, st.sampled_from([snake, camel]))
def test_a_record_comes_back_from_json(cart: Cart, names: Any) -> None:
    """What is encoded decodes to an equal value, with either kind of names."""
    assert decode(through_json(encode(cart, names())), Cart, names()) == cart


@given(WHEELS | st.builds(Horse, name=st.text()))
def test_a_member_comes_back_from_json(thing: Thing) -> None:
    """What is encoded as a member of a union decodes to the same member."""
    assert decode_tagged(through_json(encode_tagged(thing)), Thing) == thing


@given(CARTS)
def test_only_what_differs_from_its_default_is_written(cart: Cart) -> None:
    """An encoded record has no field that decoding would fill in by itself."""
    default = Cart()
    differing = {a.name for a in attrs.fields(Cart) if getattr(cart, a.name) != getattr(default, a.name)}
    assert set(encode(cart)) == differing


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([attribute.name for attribute in attrs.fields(Cart)])


@given(st.dictionaries(NAMES, JSON))
def test_whatever_comes_is_a_record_or_a_decode_error(data: dict[str, object]) -> None:
    """No JSON makes decoding raise anything else; what is accepted is written as it was read."""
    try:
        cart = decode(data, Cart)
    except DecodeError:
        return
    again = encode(cart)
    assert all(again[name] == data[name] for name in again.keys() - {"moment", "wheels", "pairs", "spare_wheel"})
