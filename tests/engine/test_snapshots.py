"""Logs stay short: a snapshot stands for what it came to, and the Customer Log is kept beside it."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import ConfigurationError, SyncPolicy
from acumatica_b2b.flow import Outcome
from acumatica_b2b.logstate import LogState, applied, fold, snapshot
from acumatica_b2b.model import CompanyUser, HandOver
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.saving import STALE
from acumatica_b2b.synclog import Body, read_body, write_body
from acumatica_b2b.testing import MemoryShop
from tests.bench import ANNA, BILL, HERE, MARK, Bench, customer, kinds

LOG, HISTORY, RUN = LogKey("store/customer/C1"), LogKey("store/history/C1"), LogKey("store/run")


def busy(bench: Bench, days: int, *, apart: timedelta = timedelta(hours=1)) -> None:
    """Have the primary mark move from one to the other and back, again and again."""
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    for day in range(days):
        bench.clock.sleep(apart.total_seconds())
        bench.change_customer(primary_contact=(ANNA, MARK)[day % 2].id)
        assert bench.sync().ok


def stored(bench: Bench, key: LogKey) -> list[Commit]:
    """Return all commits that are stored of a key, those below a snapshot too."""
    return [commit for _, commit in sorted(bench.store._logs.get(key, {}).items())]


def test_a_long_log_is_one_snapshot() -> None:
    """What is loaded of a busy customer's log never grows beyond the policy's number of commits."""
    bench = Bench(policy=SyncPolicy(snapshot_every=6))
    busy(bench, 12)
    (log,) = bench.store.load([LOG])
    assert log[0].snapshot
    assert len(log) <= 6


@pytest.mark.parametrize("every", [2, 5, 50])
def test_the_customer_log_is_the_same_however_often_it_is_cut(every: int) -> None:
    """Cutting logs short costs no row of the Customer Log, doubles none, and keeps their order."""
    bench, whole = Bench(policy=SyncPolicy(snapshot_every=every)), Bench(policy=SyncPolicy(snapshot_every=10_000))
    for one in (bench, whole):
        busy(one, 9)
    assert [evolve(row, at=bench.clock.time) for row in bench.log()] == [
        evolve(row, at=bench.clock.time) for row in whole.log()
    ]
    assert len(whole.log()) > 20


def test_old_commits_go() -> None:
    """What a snapshot of long ago stands for is forgotten; what is younger is kept for whoever may be at work."""
    bench = Bench(policy=SyncPolicy(snapshot_every=4))
    busy(bench, 10, apart=timedelta(minutes=1))
    assert stored(bench, LOG)[0].version == 1
    busy(bench, 10, apart=3 * STALE)
    assert stored(bench, LOG)[0].version > 1
    assert stored(bench, LOG)[0].snapshot
    assert len(stored(bench, LOG)) < 12


def test_a_run_goes_on_from_a_snapshot() -> None:
    """Links, grants and former roles are known from a snapshot as from the commits it stands for."""
    bench = Bench(policy=SyncPolicy(snapshot_every=2), shop=MemoryShop(hand_over=HandOver.DEMOTE_FIRST, strict=True))
    busy(bench, 5)
    assert bench.sync().steps == ()
    bench.change(MARK, active=False)
    assert bench.sync().ok
    assert bench.roles() == {"anna": "Admin"}


def test_a_runner_that_slept_too_long_writes_nothing() -> None:
    """Who read a log hours ago leaves the customer to the next run: its next version may only look free."""

    class Sleepy(MemoryShop):
        def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
            bench.clock.sleep(STALE.total_seconds() + 1)
            return super().find_users(emails)

    bench = Bench(shop=Sleepy())
    bench.put(customer(MARK, primary=MARK))
    (trouble,) = bench.sync().troubles
    assert "was read too long ago" in str(trouble.error)
    assert bench.shop.journal == []


# ------------------------------------------------------------------ retention
def test_rows_are_kept_for_the_time_of_the_policy() -> None:
    """The full run lets go of Customer Log rows that are older than the policy keeps them, and of nothing younger."""
    bench = Bench(policy=SyncPolicy(retention_days=30))
    busy(bench, 1)
    bench.clock.sleep(29 * 86_400)
    bench.sync()
    assert bench.log()
    bench.clock.sleep(2 * 86_400)
    bench.change(ANNA, first_name="Anne")
    bench.sync()
    assert {row.what for row in bench.log()} == {"company user updated"}
    bench.clock.sleep(31 * 86_400)
    bench.sync()
    assert bench.log() == ()
    bench.clock.sleep(86_400)
    bench.sync()
    assert stored(bench, HISTORY) == []
    assert len(stored(bench, LOG)) <= 2
    assert bench.sync().steps == ()


def test_rows_may_be_kept_for_ever() -> None:
    """With retention_days=None no row is ever let go."""
    bench = Bench(policy=SyncPolicy(retention_days=None))
    busy(bench, 1)
    before = bench.log()
    bench.clock.sleep(10_000 * 86_400)
    bench.sync()
    assert bench.log() == before


@pytest.mark.parametrize("wrong", [{"snapshot_every": 1}, {"retention_days": 0.5}])
def test_what_can_not_be_kept_is_refused(wrong: dict[str, float]) -> None:
    """A log needs room for two commits, and rows a day; else the policy says so."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SyncPolicy(**wrong)  # type: ignore[arg-type]  # on purpose


# ------------------------------------------------------------------ the run log
def test_the_run_log_is_cut_short_too() -> None:
    """However many runs there were, what a run loads of the run log is bounded, and the guard still counts."""
    bench = Bench()
    busy(bench, 150, apart=timedelta(hours=7))
    (log,) = bench.store.load([RUN])
    assert len(log) <= 101
    assert len(stored(bench, RUN)) < 260
    assert log[0].snapshot


def test_the_guard_counts_across_a_snapshot() -> None:
    """Hand-overs of today count, those of last week don't, whether a snapshot lies between or not."""
    bench = Bench(policy=evolve(SyncPolicy(), limits=evolve(SyncPolicy().limits, hand_overs=9)))
    busy(bench, 9, apart=timedelta(minutes=1))
    for _ in range(120):
        bench.clock.sleep(1)
        bench.change(ANNA, phones=(str(bench.clock.time),))
        bench.sync()
    bench.change_customer(primary_contact=MARK.id)
    assert ("GUARD_HELD", HERE) in kinds(bench.sync())
    bench.clock.sleep(86_400)
    assert ("GUARD_HELD", HERE) not in kinds(bench.sync())


# ------------------------------------------------------------------ laws
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(2, 4))
def test_folding_a_snapshot_is_folding_what_it_stands_for(days: list[int], every: int) -> None:
    """Wherever a log is cut, the rest folds to the same state."""
    bench = Bench(shop=MemoryShop(deactivates=True))
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    bench.sync()
    for day in days:
        who = (MARK, ANNA, BILL)[day % 3]
        bench.change_customer(primary_contact=who.id) if day < 3 else bench.change(who, active=day % 2 == 0)
        bench.sync()
    bodies = [read_body(commit.body) for commit in stored(bench, LOG)]
    for cut in range(1, len(bodies), every):
        before = fold(bodies[:cut])
        short = Body(run=bodies[cut - 1].run, at=bodies[cut - 1].at, entries=(snapshot(before),))
        assert fold([read_body(write_body(short)), *bodies[cut:]]) == fold(bodies)


def test_a_snapshot_replaces_whatever_was_folded_before() -> None:
    """A log is folded from its last snapshot on, also by a store that gives more than that."""
    state = LogState(run="r", granted=frozenset({"7"}), digest="abc")
    assert applied(LogState(suspended=frozenset({"9"})), snapshot(state)) == state


def test_bodies_say_their_schema() -> None:
    """A store's commits of snapshots and history name schema 2, so that an older version refuses them in words."""
    bench = Bench(policy=SyncPolicy(snapshot_every=2))
    busy(bench, 2)
    bodies = [json.loads(commit.body) for key in (LOG, HISTORY, RUN) for commit in stored(bench, key)]
    assert {body["schema"] for body in bodies} == {2}
