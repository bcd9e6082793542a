"""The log of what belongs to no customer: watermark, open customers, and what the guard counts."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import TypeAlias, assert_never

from attrs import evolve, frozen

from acumatica_b2b.codec import decode_tagged, encode_tagged
from acumatica_b2b.guard import Spent, Tally
from acumatica_b2b.model import CustomerID
from acumatica_b2b.synclog import read_envelope

SCHEMA = 1


@frozen(kw_only=True)
class Grown:
    """The store has so many more linked users and companies."""

    users: int = 0
    companies: int = 0


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


RunEntry: TypeAlias = Spent | Grown | Watermarked | Opened | Closed


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
        case Watermarked(watermark=watermark):
            return evolve(state, watermark=watermark)
        case Opened(customers=customers):
            return evolve(state, open=state.open | frozenset(customers))
        case Closed(customers=customers):
            return evolve(state, open=state.open - frozenset(customers))
        case _:
            assert_never(entry)
