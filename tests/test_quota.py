from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Allowance
from acumatica_b2b.quota import Quota

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def taken(quota: Quota, seconds: float, times: int) -> list[float]:
    """Take so often at one moment, each answered at once without a word."""
    waits = []
    for _ in range(times):
        waits.append(quota.take(at(seconds)))
        if not waits[-1]:
            quota.answered(at(seconds), None)
    return waits


def test_no_bound() -> None:
    """A quota without bounds lets everything out at once, and remembers nothing of it."""
    quota = Quota()
    assert set(taken(quota, 0.0, 1000)) == {0.0}
    assert quota._let_out == type(quota._let_out)()


def test_requests_a_window() -> None:
    """So many go out in any window; the next one when the first of them is a window ago."""
    quota = Quota(requests=2, window=60.0)
    assert taken(quota, 0.0, 1) + taken(quota, 10.0, 2) == [0.0, 0.0, 50.0]
    assert taken(quota, 60.0, 2) == [0.0, 10.0]


def test_some_are_kept_for_others() -> None:
    """What is kept for other integrations is never taken, counted or told."""
    assert taken(Quota(requests=5, keep=3), 0.0, 3) == [0.0, 0.0, 60.0]
    quota = Quota(requests=150, keep=3)
    quota.take(at(0))
    quota.answered(at(0), Allowance(left=4, resets=7.0))
    assert taken(quota, 6.5, 1) == [0.0]
    quota.take(at(6.75))
    quota.answered(at(6.75), Allowance(left=3, resets=0.25))
    assert quota.take(at(6.875)) == 0.125


def test_concurrent() -> None:
    """Of `concurrent` requests each has to end before another goes out."""
    quota = Quota(concurrent=2)
    assert [quota.take(at(0)), quota.take(at(0))] == [0.0, 0.0]
    assert quota.take(at(0)) > 0
    quota.answered(at(1), None)
    assert quota.take(at(1)) == 0.0


def test_what_is_told_counts_more() -> None:
    """The server's word replaces our own count, until its window ends."""
    quota = Quota(requests=1)
    quota.take(at(0))
    quota.answered(at(0), Allowance(left=2, resets=30.0))
    assert quota.take(at(1)) == 0.0
    quota.answered(at(1), Allowance(left=1, resets=29.0))
    assert quota.take(at(29)) == 0.0
    quota.answered(at(29), Allowance(left=0, resets=1.0))
    assert quota.take(at(29.5)) == 0.5
    assert quota.take(at(30)) == 0.0


def test_what_is_under_way_is_not_promised_twice() -> None:
    """Of two that are left only two are under way, however many ask."""
    quota = Quota()
    quota.take(at(0))
    quota.answered(at(0), Allowance(left=2, resets=30.0))
    assert [quota.take(at(t)) for t in (1, 28, 29)] == [0.0, 0.0, 1.0]


def test_spread_over_the_window() -> None:
    """A fifth of what there is goes out at once, the rest evenly up to the window's end."""
    quota, spent, now, times = Quota(), 0, 0.0, list[float]()
    while now < 60.0:
        if wait := quota.take(at(now)):
            now += wait
            continue
        spent += 1
        times.append(now)
        quota.answered(at(now), Allowance(left=100 - spent, resets=60.0 - now))
    assert times[:20] == [0.0] * 20
    gaps = [later - sooner for sooner, later in pairwise(times[20:])]
    assert max(gaps) - min(gaps) < 0.02
    assert len(times) >= 99


def test_answers_overtake_one_another() -> None:
    """An older answer that comes later does not give back what is spent."""
    quota = Quota()
    for _ in range(2):
        quota.take(at(0))
    quota.answered(at(1), Allowance(left=0, resets=30.0))
    quota.answered(at(2), Allowance(left=1, resets=29.5))
    assert quota.take(at(3)) == 28.0


def test_refused_without_a_word() -> None:
    """After refusals that name no time the pauses double, up to a window; a success ends that."""
    quota = Quota(window=60.0)
    pauses, now = [], 0.0
    for _ in range(6):
        assert quota.take(at(now)) == 0.0
        quota.answered(at(now), Allowance(left=0))
        pauses.append(quota.take(at(now)))
        now += pauses[-1]
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    quota.take(at(now))
    quota.answered(at(now), Allowance(left=9, resets=1.0))
    quota.take(at(now + 1))
    quota.answered(at(now + 1), Allowance(left=0))
    assert quota.take(at(now + 1)) == 5.0


def test_refused_together() -> None:
    """Requests that are refused together, without a word, count as one refusal: the next pause only doubles."""
    quota = Quota(window=60.0)
    for _ in range(4):
        quota.take(at(0))
    for _ in range(4):
        quota.answered(at(1), Allowance(left=0))
    assert quota.take(at(1)) == 5.0
    assert quota.take(at(6)) == 0.0
    quota.answered(at(6), Allowance(left=0))
    assert quota.take(at(6)) == 10.0


@pytest.mark.parametrize("bounds", [{"requests": 0}, {"window": 0.0}, {"concurrent": -1}, {"requests": 3, "keep": 3}])
def test_a_quota_lets_something_out(bounds: dict[str, int]) -> None:
    """A bound that lets nothing out is a mistake, named when the quota is made."""
    with pytest.raises(ConfigurationError, match=f"{list(bounds)[-1]} of a Quota"):
        Quota(**bounds)


@given(
    seed=st.integers(0, 2**32),
    of=st.integers(5, 60),
    others=st.floats(0.0, 0.5),
    latency=st.floats(0.05, 1.0),
    width=st.integers(1, 8),
)
def test_against_a_server(seed: int, of: int, others: float, latency: float, width: int) -> None:
    """Against a server with fixed windows and others who spend, few are refused and little is left unspent."""
    die = Random(seed)
    quota = Quota(window=60.0)
    began, spent, ours, refused = 0.0, 0, 0, 0
    under_way: list[tuple[float, Allowance]] = []
    now = 0.0
    while now < 300.0:
        for ends, told in [one for one in under_way if one[0] <= now]:
            quota.answered(at(ends), told)
            under_way.remove((ends, told))
        if now - began >= 60.0:
            began, spent = now, 0
        if die.random() < others * of / 60.0 * 0.05:
            spent += spent < of
        while len(under_way) < width and not quota.take(at(now)):
            refused += spent >= of
            ours += spent < of
            spent += spent < of
            told = Allowance(left=of - spent, resets=60.0 - (now - began))
            under_way.append((now + latency * die.uniform(0.5, 1.5), told))
        now = round(now + 0.05, 3)
    assert refused <= width * 5
    assert ours >= 5 * of * (1 - others) * 0.5
    assert ours <= 5 * of


@pytest.mark.parametrize("resets", [86_400.0, 1e300, float("inf")])
def test_a_window_ends_within_a_day(resets: float) -> None:
    """However late a window is said to end, nothing is held back for longer than a day."""
    quota = Quota()
    quota.take(at(0.0))
    quota.answered(at(0.0), Allowance(left=0, resets=resets))
    assert quota.take(at(1.0)) == 86_399.0
    assert quota.take(at(86_401.0)) == 0.0


def test_no_wait_is_too_short_to_pass() -> None:
    """A clock counts microseconds: who was told to wait for less would ask again at the very same moment, for ever."""
    quota = Quota(requests=150, keep=3)
    quota.take(at(0))
    quota.answered(at(0), Allowance(left=149, resets=60.0))
    quota.take(at(10))
    quota.answered(at(10), Allowance(left=49, resets=35.143216))
    assert quota.take(at(10.5)) == pytest.approx(0.248, abs=0.01)
    assert quota.take(at(10.747728)) == 0.0
