"""The flows that read and write the run log, and the guard's answers from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from acumatica_b2b.effects import Append, Drop, Load, Now, Reserve
from acumatica_b2b.flow import Batch, Flow, ask
from acumatica_b2b.guard import Spent, within
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.report import Trouble
from acumatica_b2b.runlog import (
    Closed,
    Grown,
    Opened,
    RunEntry,
    RunState,
    fold_runs,
    run_snapshot,
    write_entries,
)
from acumatica_b2b.saving import is_read
from acumatica_b2b.terms import Settled, Terms

_LONG: Final = 100
"""After so many commits one snapshot stands for the run log."""


def run_state(terms: Terms) -> Flow[RunState]:
    """Return what the run log says."""
    return _folded((yield from ask(Load(_key(terms)))))


def _folded(commits: Sequence[Commit]) -> RunState:
    return fold_runs((commit.version, commit.body) for commit in commits)


def _key(terms: Terms) -> LogKey:
    return LogKey(f"{terms.policy.store}/run")


def recorded(terms: Terms, entries: Callable[[RunState], Sequence[RunEntry]]) -> Flow[None]:
    """Add to the run log what follows from its state; again, from the new state, if another came first."""
    while True:
        commits = yield from ask(Load(_key(terms)))
        state = _folded(commits)
        todo = entries(state)
        if not todo:
            return
        now = yield from ask(Now())
        if (yield from _added(terms, state.version, todo, now)):
            break
    if len(commits) >= _LONG:
        yield from _shortened(terms, now)


def _added(
    terms: Terms, version: int, entries: Sequence[RunEntry], now: datetime, *, snapshot: bool = False
) -> Flow[bool]:
    body = write_entries(entries, run=terms.run, at=now)
    commit = Commit(key=_key(terms), version=version + 1, body=body, snapshot=snapshot)
    return (yield from ask(Append(commit))) and (yield from is_read(commit))


def _shortened(terms: Terms, now: datetime) -> Flow[None]:
    """Let one snapshot stand for the run log, and forget what it stands for."""
    commits = yield from ask(Load(_key(terms)))
    version = commits[-1].version
    entry = run_snapshot(_folded(commits), now - timedelta(hours=terms.policy.limits.hours))
    if (yield from _added(terms, version, (entry,), now, snapshot=True)):
        yield from ask(Drop(_key(terms), version + 1))


def wave_entries(state: RunState, results: Iterable[Settled | Trouble]) -> Sequence[RunEntry]:
    """Return what a wave adds: how the store grew, and which customers stay open."""
    every = tuple(results)
    settled = [result for result in every if isinstance(result, Settled)]
    troubled = {result.customer for result in every if isinstance(result, Trouble)}
    now_open = troubled.union(result.customer for result in settled if result.open)
    closed = {result.customer for result in settled if not result.open} & state.open
    users, companies = sum(s.users for s in settled), sum(s.companies for s in settled)
    entries: list[RunEntry] = [Grown(users=users, companies=companies)] if users or companies else []
    if opened := now_open - state.open:
        entries.append(Opened(customers=tuple(sorted(opened))))
    if closed:
        entries.append(Closed(customers=tuple(sorted(closed))))
    return entries


def reserve(batch: Batch, terms: Terms) -> Flow[Sequence[Any]]:
    """Answer reservations from the run log, all of one kind alike; pass every other batch on."""
    wanted = Counter[Any]()
    for effect in batch:
        if not isinstance(effect, Reserve):
            return (yield batch)
        wanted[effect.kind] += effect.count
    said: dict[Any, bool] = {}

    def spent(state: RunState) -> Sequence[RunEntry]:
        said.update({k: within(terms.policy.limits, state.tally, k, n, now) for k, n in wanted.items()})
        return [Spent(kind=kind, count=wanted[kind], at=now) for kind, allowed in said.items() if allowed]

    now = yield from ask(Now())
    yield from recorded(terms, spent)
    return [said[effect.kind] for effect in batch if isinstance(effect, Reserve)]
