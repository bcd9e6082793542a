from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.simulators.bigcommerce.tables import Table
from tests.simulators.bigcommerce.conftest import Clock

STEPS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4), st.none() | st.integers(0, 9)), max_size=30)
"""Seconds to wait, then a key, and what it holds from then on; None: nothing."""


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 6))
def test_lists_show_what_was_there_a_lag_ago(steps: list[tuple[int, int, int | None]], lag: int) -> None:
    """What a table lists is what it held a lag ago, whatever happened since."""
    clock = Clock()
    table: Table[int] = Table(clock, lambda: lag)
    history: list[tuple[datetime, dict[int, int]]] = [(clock.time, {})]
    for seconds, key, value in steps:
        clock.pass_by(seconds)
        if value is not None:
            table[key] = value
        elif key in table:
            del table[key]
        history.append((clock.time, dict(table)))
        expected = [held for at, held in history if at <= clock.time - timedelta(seconds=lag)]
        assert dict(table.listed()) == (expected[-1] if expected else {})


def test_a_table_is_a_mapping() -> None:
    """A table has a length, keys and values in the order of their making, and shows itself as its records."""
    table: Table[str] = Table(Clock(), lambda: 0)
    table.update({2: "b", 1: "a"})
    assert (len(table), list(table), list(table.values()), repr(table)) == (2, [2, 1], ["b", "a"], "{2: 'b', 1: 'a'}")
