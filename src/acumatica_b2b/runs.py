"""The flows that read and write the run log, and the guard's answers from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from acumatica_b2b.effects import Append, Load, Now, Reserve
from acumatica_b2b.flow import Batch, Flow, ask
from acumatica_b2b.guard import Spent, within
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.report import Trouble
from acumatica_b2b.runlog import Closed, Grown, Opened, RunEntry, RunState, fold_runs, write_entries
from acumatica_b2b.terms import Settled, Terms


def run_state(terms: Terms) -> Flow[RunState]:
    """Return what the run log says."""
    commits = yield from ask(Load(_key(terms)))
    return fold_runs((commit.version, commit.body) for commit in commits)


def _key(terms: Terms) -> LogKey:
    return LogKey(f"{terms.policy.store}/run")


def recorded(terms: Terms, entries: Callable[[RunState], Sequence[RunEntry]]) -> Flow[None]:
    """Add to the run log what follows from its state; again, from the new state, if another came first."""
    while True:
        state = yield from run_state(terms)
        todo = entries(state)
        if not todo:
            return
        body = write_entries(todo, run=terms.run, at=(yield from ask(Now())))
        if (yield from ask(Append(Commit(key=_key(terms), version=state.version + 1, body=body)))):
            return


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
