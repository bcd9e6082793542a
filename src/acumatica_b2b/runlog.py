"""The log of what belongs to no customer: watermark, open customers, and what the guard counts."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any, TypeAlias, assert_never

from attrs import evolve, frozen

from acumatica_b2b.codec import decode, decode_tagged, encode, encode_tagged
from acumatica_b2b.guard import Spent, Tally
from acumatica_b2b.model import CustomerID
from acumatica_b2b.synclog import read_envelope

SCHEMA = 2
"""Of the bodies that are written. 1 knew no counting and no approvals; all its entries fold."""


@frozen(kw_only=True)
class Grown:
    """The store has so many more linked users and companies."""

    users: int = 0
    companies: int = 0


@frozen(kw_only=True)
class Counted:
    """The store has so many linked users and companies: a run over everything counted them."""

    users: int
    companies: int


@frozen(kw_only=True)
class Approved:
    """A person approved these steps, each by the name that `guard.approval` gives it."""

    by: str
    at: datetime
    steps: tuple[str, ...]


@frozen(kw_only=True)
class Watermarked:
    """Changes of the ERP have been read up to here."""

    watermark: str


@frozen(kw_only=True)
class Opened:
    """These customers are to be looked at again, changed or not."""

    customers: tuple[CustomerID, ...]


@frozen(kw_only=True)
class Closed:
    """These customers have nothing left to do."""

    customers: tuple[CustomerID, ...]


@frozen(kw_only=True)
class RunSnapshot:
    """All that the entries before it came to, as plain data."""

    state: Any


RunEntry: TypeAlias = Spent | Grown | Counted | Approved | Watermarked | Opened | Closed | RunSnapshot


@frozen(kw_only=True)
class RunState:
    """What the run log says, folded."""

    version: int = 0
    tally: Tally = Tally()
    watermark: str = ""
    open: frozenset[CustomerID] = frozenset()


def write_entries(entries: Iterable[RunEntry], *, run: str, at: datetime) -> str:
    """Return a commit's body."""
    rows = [encode_tagged(entry) for entry in entries]
    return json.dumps({"schema": SCHEMA, "run": run, "at": at.isoformat(), "entries": rows}, separators=(",", ":"))


def run_snapshot(state: RunState, since: datetime) -> RunSnapshot:
    """Return what stands for all entries that a state was folded from; what was counted before `since` is let go."""
    tally = state.tally
    spent = tuple(one for one in tally.spent if one.at > since)
    approvals = {name: at for name, at in tally.approvals.items() if at > since}
    return RunSnapshot(state=encode(evolve(state, tally=evolve(tally, spent=spent, approvals=approvals))))


def fold_runs(commits: Iterable[tuple[int, str]]) -> RunState:
    """Return the state that the run log's versions and bodies imply.

    Raises:
        DecodeError: a body is not of this or an older schema.

    """
    state = RunState()
    for version, text in commits:
        entries = (decode_tagged(entry, RunEntry) for entry in read_envelope(text, SCHEMA).entries)
        state = reduce(_applied, entries, evolve(state, version=version))
    return state


def _applied(state: RunState, entry: RunEntry) -> RunState:
    tally = state.tally
    match entry:
        case Spent():
            return evolve(state, tally=evolve(tally, spent=(*tally.spent, entry)))
        case Grown(users=users, companies=companies):
            grown = evolve(tally, users=tally.users + users, companies=tally.companies + companies)
            return evolve(state, tally=grown)
        case Counted(users=users, companies=companies):
            return evolve(state, tally=evolve(tally, users=users, companies=companies))
        case Approved(at=at, steps=steps):
            approvals = {**tally.approvals, **dict.fromkeys(steps, at)}
            return evolve(state, tally=evolve(tally, approvals=approvals))
        case Watermarked(watermark=watermark):
            return evolve(state, watermark=watermark)
        case Opened(customers=customers):
            return evolve(state, open=state.open | frozenset(customers))
        case Closed(customers=customers):
            return evolve(state, open=state.open - frozenset(customers))
        case RunSnapshot(state=kept):
            return evolve(decode(kept, RunState), version=state.version)
        case _:
            assert_never(entry)
