"""The names of records."""

import pytest

from acumatica_b2b.model import UNSET, Record, RecordKind


def test_record_names_itself() -> None:
    """A record is named as people name it."""
    assert str(Record(RecordKind.CONTACT, "101")) == "contact '101'"


def test_records_sort() -> None:
    """Records sort by kind, then by id."""
    records = [Record(kind, key) for kind in reversed(RecordKind) for key in ("2", "1")]
    assert [(r.kind.value, r.id) for r in sorted(records)] == [
        (kind, key) for kind in ("contact", "customer", "location") for key in ("1", "2")
    ]


def test_same_id_of_another_kind() -> None:
    """The same id of another kind is another record."""
    assert Record(RecordKind.CONTACT, "1") != Record(RecordKind.LOCATION, "1")


def test_unset() -> None:
    """What was not answered is a value of its own: neither yes nor no, nor empty."""
    others: tuple[object, ...] = (True, False, "", None)
    assert UNSET not in others


def test_records_are_frozen() -> None:
    """A record can't be changed."""
    with pytest.raises(AttributeError):
        Record(RecordKind.CONTACT, "1").id = "2"  # type: ignore[misc]  # that is the point
