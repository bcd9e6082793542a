"""The run log: watermark, open customers, and what the guard counts."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.errors import DecodeError
from acumatica_b2b.guard import Spent, Tally
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import Guarded
from acumatica_b2b.runlog import (
    SCHEMA,
    Closed,
    Grown,
    Opened,
    RunEntry,
    RunState,
    Watermarked,
    fold_runs,
    write_entries,
)

NOW: Final = datetime(2024, 5, 1, 12, tzinfo=UTC)
C1, C2 = CustomerID("C1"), CustomerID("C2")

customers = st.lists(st.sampled_from((C1, C2)), max_size=2).map(tuple)
entries = st.one_of(
    st.builds(Spent, kind=st.sampled_from(Guarded), count=st.integers(0, 9), at=st.just(NOW)),
    st.builds(Grown, users=st.integers(-9, 9), companies=st.integers(-9, 9)),
    st.builds(Watermarked),
    st.builds(Opened, customers=customers),
    st.builds(Closed, customers=customers),
)


def folded(*commits: RunEntry) -> RunState:
    """Return what commits of one entry each fold to."""
    return fold_runs((i, write_entries([one], run="r1", at=NOW)) for i, one in enumerate(commits, 1))


@given(entries)
def test_round_trip(entry: RunEntry) -> None:
    """Every entry is read back as it was written: it folds as its like does in one commit with others."""
    twice = fold_runs([(1, write_entries([entry, entry], run="r1", at=NOW))])
    once_each = folded(entry, entry)
    assert twice.tally == once_each.tally
    assert (twice.watermark, twice.open) == (once_each.watermark, once_each.open)


def test_fold() -> None:
    """The log folds to its version, the last watermark, who is open, and what the store has."""
    spent = Spent(kind=Guarded.REMOVALS, count=2, at=NOW)
    state = folded(
        Grown(users=5, companies=1),
        Opened(customers=(C1, C2)),
        Watermarked(watermark="a"),
        spent,
        Grown(users=-2),
        Closed(customers=(C1,)),
        Watermarked(watermark="b"),
    )
    tally = Tally(users=3, companies=1, spent=(spent,))
    assert state == RunState(version=7, tally=tally, watermark="b", open=frozenset({C2}))


def test_nothing() -> None:
    """A store that never ran has an empty log."""
    assert fold_runs([]) == RunState()


def text(**changes: Any) -> str:
    """Return a commit's body with something wrong in it."""
    return json.dumps({**json.loads(write_entries([Watermarked(watermark="a")], run="r1", at=NOW)), **changes})


BAD = {
    "empty": "",
    "a list": "[]",
    "nothing in it": "{}",
    "schema is a text": text(schema="1"),
    "no schema": text(schema=None),
    "no entries": text(entries=None),
    "unknown entry": text(entries=[{"is": "Shrunk"}]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_bodies(bad: str) -> None:
    """A commit that is not of the documented shape is a DecodeError, never anything else."""
    with pytest.raises(DecodeError):
        fold_runs([(1, bad)])


def test_newer_schema() -> None:
    """A newer schema is refused, naming both."""
    with pytest.raises(DecodeError, match=rf"schema {SCHEMA + 1}; this version reads up to {SCHEMA}"):
        fold_runs([(1, text(schema=SCHEMA + 1))])
