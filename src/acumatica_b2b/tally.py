"""What workers and passes come to, and how they add up to a report."""

import traceback
from collections.abc import Iterable, Sequence

from attrs import evolve, field, frozen

from acumatica_b2b.errors import NotSentError, RateLimitedError, StalePlanError
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import Guarded
from acumatica_b2b.protocols import Watermark
from acumatica_b2b.report import Counts, Result, RunReport, Trouble, counts_of
from acumatica_b2b.terms import LeftToAnotherError, Settled, Terms


def trouble_of(customer: CustomerID, error: Exception) -> Trouble:
    """Return a customer's trouble: the error says where it was raised, and holds nothing of what was at hand there."""
    one: BaseException | None = error
    met = set[int]()
    while one and id(one) not in met:
        traceback.clear_frames(one.__traceback__)
        met.add(id(one))
        one = one.__cause__ or one.__context__
    return Trouble(customer=customer, error=error)


@frozen(kw_only=True)
class Tally:
    """What a worker, or a pass, came to."""

    customers: int = 0
    results: tuple[Result, ...] = ()
    """Of whom something is to be told: as many as there is room for, and all that are looked at again in this run."""
    told: int = 0
    """How many steps and findings these have, one each at least."""
    counts: Counts = field(factory=Counts)
    """Of all customers."""
    released: bool = False
    """Whether something was given up in the shop that others may wait for."""
    second_pass: frozenset[CustomerID] = frozenset()
    waits: frozenset[CustomerID] = frozenset()
    look_at: frozenset[CustomerID] = frozenset()
    """Whom others named; nobody in a run over everything, which looks at all."""
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


def tally_of(results: Iterable[Result], room: int) -> Tally:
    """Return what the results of one page come to; there is room for so many steps and findings."""
    every = tuple(results)
    settled = [result for result in every if isinstance(result, Settled)]
    errors = (result.error if isinstance(result, Trouble) else result.outage for result in every)
    outage = next((error for error in errors if isinstance(error, NotSentError | RateLimitedError)), None)
    kept = fitting([result for result in every if _worth_telling(result)], room)
    return Tally(
        customers=len(every),
        results=kept,
        told=sum(map(_size, kept)),
        counts=counts_of(every),
        released=any(result.released for result in settled),
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


def fitting(results: Iterable[Result], room: int) -> tuple[Result, ...]:
    """Return the results that there is room for, and those that are needed whether there is or not."""
    kept: list[Result] = []
    for result in results:
        if _needed(result) or (room > 0 and _size(result) <= room):
            kept.append(result)
            room -= _size(result)
    return tuple(kept)


def _size(result: Result) -> int:
    return 1 if isinstance(result, Trouble) else max(1, len(result.steps) + len(result.findings))


def _needed(result: Result) -> bool:
    """Tell whether somebody has to hear of it, or the run itself comes back to it."""
    if isinstance(result, Trouble) or result.failures or result.second_pass or result.waits:
        return True
    return any(finding.act_now for finding in result.findings)


def _worth_telling(result: Result) -> bool:
    return isinstance(result, Trouble) or bool(result.steps or result.findings or result.failures or result.released)


def added(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    parts = tuple(tallies)
    return Tally(
        customers=sum(part.customers for part in parts),
        results=tuple(result for part in parts for result in part.results),
        told=sum(part.told for part in parts),
        counts=sum((part.counts for part in parts), Counts()),
        released=any(part.released for part in parts),
        second_pass=frozenset[CustomerID]().union(*(part.second_pass for part in parts)),
        waits=frozenset[CustomerID]().union(*(part.waits for part in parts)),
        look_at=frozenset[CustomerID]().union(*(part.look_at for part in parts)),
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
    before = {result.customer: result for result in old.results if result.customer in later}
    merged = [_both(before.get(customer), result) for customer, result in later.items()]
    kept = [result for result in old.results if result.customer not in later]
    return evolve(
        old,
        results=(*kept, *(result for result in merged if _worth_telling(result))),
        told=old.told + new.told,
        counts=old.counts.replacing(counts_of(before.values())) + new.counts,
        released=old.released or new.released,
        waits=(old.waits - redone) | new.waits,
        linked_users=old.linked_users + new.users,
        linked_companies=old.linked_companies + new.companies,
        users=old.users + new.users,
        companies=old.companies + new.companies,
        stopped=new.stopped,
    )


def without(tally: Tally, left: Sequence[Result]) -> Tally:
    """Return a tally without some of its customers."""
    gone = {result.customer for result in left}
    kept = tuple(result for result in tally.results if result.customer not in gone)
    return evolve(
        tally,
        customers=tally.customers - len(gone),
        results=kept,
        told=sum(map(_size, kept)),
        counts=tally.counts.replacing(counts_of(left)),
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
    return RunReport(
        run=terms.run,
        customers=tally.customers,
        settled=tuple(result for result in tally.results if isinstance(result, Settled)),
        troubles=tuple(result for result in tally.results if isinstance(result, Trouble)),
        held=held.union(tally.counts.held),
        stopped=tally.stopped,
        counts=tally.counts,
    )
