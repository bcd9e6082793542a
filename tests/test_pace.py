"""How many requests go out at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.pace import Pace

QUICK, SLOW = 0.3, 0.9


def heard(pace: Pace, seconds: float, answers: int, *, held: bool = False) -> int:
    """Return how many go out at once after so many answers."""
    for _ in range(answers):
        pace.heard(seconds, held=held)
    return pace.at_once


def test_it_widens_while_answers_stay_quick() -> None:
    """Nothing says that the system is at its limit: half as many more go out at once, up to the bound."""
    pace = Pace(16)
    assert [pace.at_once, *(heard(pace, QUICK, 2 * pace.at_once) for _ in range(4))] == [4, 6, 9, 13, 16]
    assert heard(pace, QUICK, 100) == 16


def test_it_narrows_where_the_system_queues() -> None:
    """Answers that take much longer than the quickest were waiting for one another."""
    pace = Pace(16)
    heard(pace, QUICK, 8 + 12 + 18 + 26)
    assert [heard(pace, SLOW, 2 * pace.at_once) for _ in range(4)] == [10, 6, 4, 4]
    assert heard(pace, QUICK, 8) == 6


def test_a_budget_that_holds_back_is_enough() -> None:
    """Where the quota is spent anyway, more at once would only wait."""
    pace = Pace(16)
    heard(pace, QUICK, 8 + 12)
    assert pace.at_once == 9
    assert heard(pace, QUICK, 18, held=True) == 8


@pytest.mark.parametrize("most", [1, 3, 4])
def test_a_low_bound_stays(most: int) -> None:
    """Who allows no more than one at once never sees two."""
    assert Pace(most).at_once == most
    assert heard(Pace(most), QUICK, 100) == most


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=300),
)
def test_it_keeps_its_bounds(most: int, answers: list[tuple[float, bool]]) -> None:
    """Whatever is heard, at least one and at most the bound go out at once, and never fewer than at first."""
    pace = Pace(most)
    for seconds, held in answers:
        pace.heard(seconds, held=held)
        assert min(4, most) <= pace.at_once <= most


def test_a_clock_that_was_set_back() -> None:
    """An answer that came before it was asked for tells nothing."""
    pace = Pace(16)
    heard(pace, QUICK, 8)
    pace.heard(-3600.0, held=False)
    assert heard(pace, QUICK, 100) == 16
