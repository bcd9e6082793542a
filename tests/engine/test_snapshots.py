"""Logs stay short: a snapshot stands for what it came to, and the Customer Log is kept beside it."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import ConfigurationError, SyncPolicy
from acumatica_b2b.flow import Outcome
from acumatica_b2b.folding import applied, fold, snapshot
from acumatica_b2b.logstate import LogState
from acumatica_b2b.model import Company, CompanyRef, HandOver
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.synclog import Body, read_body, write_body
from acumatica_b2b.terms import LeftToAnotherError
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


def test_what_a_snapshot_stands_for_goes() -> None:
    """Commits that a snapshot stands for are forgotten at once."""
    bench = Bench(policy=SyncPolicy(snapshot_every=4))
    busy(bench, 10)
    (log,) = bench.store.load([LOG])
    assert stored(bench, LOG) == list(log)
    assert log[0].version > 10


def test_a_run_goes_on_from_a_snapshot() -> None:
    """Links, grants and former roles are known from a snapshot as from the commits it stands for."""
    bench = Bench(policy=SyncPolicy(snapshot_every=2), shop=MemoryShop(hand_over=HandOver.DEMOTE_FIRST, strict=True))
    busy(bench, 5)
    assert bench.sync().steps == ()
    bench.change(MARK, active=False)
    assert bench.sync().ok
    assert bench.roles() == {"anna": "Admin"}


@define(kw_only=True, eq=False)
class Slow(MemoryShop):
    """A shop in which much happens while somebody looks at a company."""

    meanwhile: Callable[[], object] | None = None

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they were before all that."""
        seen = super().observe(companies)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return seen


@pytest.mark.parametrize("forgets", [False, True])
def test_nobody_writes_below_a_snapshot(forgets: bool) -> None:  # noqa: FBT001  # a table's column
    """Whose next version was taken, snapped and dropped meanwhile leaves the customer alone: it only looks free."""
    shop = Slow()
    bench = Bench(shop=shop, policy=SyncPolicy(snapshot_every=2))
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    bench.change_customer(primary_contact=ANNA.id)

    def meanwhile() -> None:
        bench.sync()
        bench.change(MARK, phones=("1",))
        bench.sync()
        if forgets:
            bench.contact_sync.forget("424242")

    shop.meanwhile = meanwhile
    (trouble,) = bench.sync().troubles
    assert isinstance(trouble.error, LeftToAnotherError)
    assert bench.admins() == {"anna"}
    assert bench.sync().steps == ()


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
