"""What workers and passes come to, and how they add up to a report."""

from collections.abc import Iterable
from typing import TypeAlias

from attrs import evolve, frozen

from acumatica_b2b.errors import NotSentError, RateLimitedError, StalePlanError
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import Guarded
from acumatica_b2b.protocols import Watermark
from acumatica_b2b.report import RunReport, Trouble
from acumatica_b2b.terms import LeftToAnotherError, Settled, Terms

Result: TypeAlias = Settled | Trouble


@frozen(kw_only=True)
class Tally:
    """What a worker, or a pass, came to."""

    customers: int = 0
    results: tuple[Result, ...] = ()
    second_pass: frozenset[CustomerID] = frozenset()
    waits: frozenset[CustomerID] = frozenset()
    look_at: frozenset[CustomerID] = frozenset()
    seen: frozenset[CustomerID] = frozenset()
    """Who was synced, where others may name them again: not in a run over everything."""
    linked_users: int = 0
    """How many users these customers have now, those left out who could not be looked at."""
    linked_companies: int = 0
    users: int = 0
    """How many more than before."""
    companies: int = 0
    removals: int = 0
    failed: int = 0
    stopped: str = ""
    watermark: Watermark | None = None


def tally_of(results: Iterable[Result]) -> Tally:
    """Return what the results of one page come to."""
    every = tuple(results)
    settled = [result for result in every if isinstance(result, Settled)]
    errors = (result.error if isinstance(result, Trouble) else result.outage for result in every)
    outage = next((error for error in errors if isinstance(error, NotSentError | RateLimitedError)), None)
    return Tally(
        customers=len(every),
        results=tuple(result for result in every if _worth_telling(result)),
        second_pass=frozenset(result.customer for result in settled if result.second_pass),
        waits=frozenset(result.customer for result in settled if result.waits),
        look_at=frozenset(customer for result in settled for customer in result.look_at),
        linked_users=sum(result.linked_users for result in settled),
        linked_companies=sum(result.linked_companies for result in settled),
        users=sum(result.users for result in settled),
        companies=sum(result.companies for result in settled),
        removals=sum(result.removals for result in settled),
        failed=sum(_is_failure(result) for result in every),
        stopped=f"a system could not be reached: {outage}" if outage else "",
    )


def _is_failure(result: Result) -> bool:
    """Tell whether something went wrong: neither being left to another run, nor to another plan."""
    if isinstance(result, Trouble):
        return not isinstance(result.error, LeftToAnotherError | StalePlanError)
    return result.failures > 0


def _worth_telling(result: Result) -> bool:
    return isinstance(result, Trouble) or bool(result.steps or result.findings or result.failures or result.released)


def added(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    parts = tuple(tallies)
    return Tally(
        customers=sum(part.customers for part in parts),
        results=tuple(result for part in parts for result in part.results),
        second_pass=frozenset[CustomerID]().union(*(part.second_pass for part in parts)),
        waits=frozenset[CustomerID]().union(*(part.waits for part in parts)),
        look_at=frozenset[CustomerID]().union(*(part.look_at for part in parts)),
        seen=frozenset[CustomerID]().union(*(part.seen for part in parts)),
        linked_users=sum(part.linked_users for part in parts),
        linked_companies=sum(part.linked_companies for part in parts),
        users=sum(part.users for part in parts),
        companies=sum(part.companies for part in parts),
        removals=sum(part.removals for part in parts),
        failed=sum(part.failed for part in parts),
        stopped=next((part.stopped for part in parts if part.stopped), ""),
        watermark=next((part.watermark for part in parts if part.watermark), None),
    )


def replaced(old: Tally, redone: frozenset[CustomerID], new: Tally) -> Tally:
    """Return both passes as one: how customers stand later, with the steps of both."""
    later: dict[CustomerID, Result] = {customer: Settled(customer=customer) for customer in redone}
    later |= {result.customer: result for result in new.results}
    before = {result.customer: result for result in old.results}
    merged = [_both(before.get(customer), result) for customer, result in later.items()]
    kept = [result for result in old.results if result.customer not in later]
    return evolve(
        old,
        results=(*kept, *(result for result in merged if _worth_telling(result))),
        waits=(old.waits - redone) | new.waits,
        linked_users=old.linked_users + new.users,
        linked_companies=old.linked_companies + new.companies,
        users=old.users + new.users,
        companies=old.companies + new.companies,
        stopped=new.stopped,
    )


def _both(before: Result | None, after: Result) -> Result:
    if isinstance(before, Settled) and isinstance(after, Settled):
        return evolve(after, steps=(*before.steps, *after.steps), released=before.released or after.released)
    return after


def too_many_failures(tally: Tally, terms: Terms) -> str:
    """Return why a run has to stop, where so many customers failed; "" where it may go on."""
    limits = terms.policy.limits
    if tally.customers < limits.failures_from or tally.failed < limits.failures * tally.customers:
        return ""
    return f"{tally.failed} of {tally.customers} customers failed; see the first of them before going on"


def report_of(tally: Tally, terms: Terms, held: frozenset[Guarded]) -> RunReport:
    """Return the report of a run that has come to its end."""
    settled = tuple(result for result in tally.results if isinstance(result, Settled))
    return RunReport(
        run=terms.run,
        customers=tally.customers,
        settled=settled,
        troubles=tuple(result for result in tally.results if isinstance(result, Trouble)),
        held=held | frozenset(kind for result in settled for kind in result.held),
        stopped=tally.stopped,
    )
