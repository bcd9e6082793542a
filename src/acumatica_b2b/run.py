"""A run: wave after wave of customers; first what adds and changes, then what removes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve

from acumatica_b2b import guard
from acumatica_b2b.census import homes_of, unlisted
from acumatica_b2b.effects import (
    Chosen,
    CustomerSettled,
    Keys,
    Load,
    NextPage,
    Now,
    ReadCustomer,
    RequireRoles,
    RequireShoppers,
    RunStarted,
    Source,
    Tell,
    Wait,
    Waiting,
    WaveRead,
)
from acumatica_b2b.engine import plan_customer, sync_customer
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    Reason,
    RejectedError,
    RemoteError,
    StalePlanError,
)
from acumatica_b2b.flow import Flow, Ok, ask, ask_all, side_by_side, through, together
from acumatica_b2b.guard import within
from acumatica_b2b.ids import Census
from acumatica_b2b.keys import customer_key, customer_of
from acumatica_b2b.mapping import map_customer
from acumatica_b2b.model import Customer, CustomerID, NoteID, Undecoded
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import ExistingShoppers, Guarded
from acumatica_b2b.protocols import ChangedSince, Everything, Page, Watermark
from acumatica_b2b.report import Plan, Result, RunReport, Trouble
from acumatica_b2b.runlog import Counted, RunEntry, Watermarked
from acumatica_b2b.runs import recorded, reserve, run_state, wave_entries
from acumatica_b2b.shared import claims_settled
from acumatica_b2b.surveys import survey_over, surveyed
from acumatica_b2b.sweep import moved_marks
from acumatica_b2b.tally import Tally, added, replaced, report_of, tally_of, too_many_failures, trouble_of, without
from acumatica_b2b.terms import LeftToAnotherError, Settled, Terms


# ------------------------------------------------------------------ the run
def sync_run(
    source: Source,
    terms: Terms,
    *,
    also: frozenset[CustomerID] = frozenset(),
    listed: Census | None = None,
    width: int = 2,
    wave: int = 200,
) -> Flow[RunReport]:
    """Bring the companies of all these customers as near to them as may be, and of some others also.

    `listed` are the customers that the ERP is known to have.

    Raises:
        ConfigurationError: a role or field is not there, or the ERP looks like another tenant.
        AuthenticationError: a credential is wrong.

    """
    yield from _ready(terms, listed)
    state, now = (yield from run_state(terms)), (yield from ask(Now()))
    terms = evolve(terms, approved=state.tally.approved(terms.policy.limits, now))
    yield from ask(Tell(RunStarted(run=terms.run)))
    census = Census()
    each = evolve((yield from surveyed(source, state, terms, wave)), told=terms.told // width)
    first = added((yield from side_by_side(_worker(source, each, wave, census) for _ in range(width))))
    yield from survey_over(each)
    if isinstance(source, Everything) and not first.stopped:
        also = yield from unlisted(census, terms, known=True)
    first = yield from _joined(first, census.missing(first.look_at | also), terms, wave)
    last, held = (first, frozenset[Guarded]()) if first.stopped else (yield from _second_pass(first, terms, wave))
    if not last.stopped:
        whole = isinstance(source, Everything)
        yield from recorded(terms, lambda now: tuple(_ending(last, state.tally, now.tally, whole=whole)))
    return report_of(last, terms, held)


def _ending(last: Tally, before: guard.Tally, now: guard.Tally, *, whole: bool) -> Iterator[RunEntry]:
    """Yield what the run log learns from a run that came to its end."""
    if last.watermark:
        yield Watermarked(watermark=last.watermark)
    if whole and not last.counts.troubles:
        # what others added meanwhile was not counted
        users = last.linked_users + now.users - before.users - last.users
        companies = last.linked_companies + now.companies - before.companies - last.companies
        yield Counted(users=users, companies=companies)


def sync_changed(terms: Terms, *, width: int = 2, wave: int = 200) -> Flow[RunReport]:
    """Do the same for what changed in the ERP since the last run, and for what was left open."""
    state = yield from run_state(terms)
    if not state.watermark:
        return (yield from sync_run(Everything(), terms, width=width, wave=wave))
    try:
        listed = Census()
        moved = yield from moved_marks(listed, terms, wave)
    except AuthenticationError:
        raise
    except RemoteError as error:
        return report_of(Tally(stopped=f"the primary marks could not be read: {error}"), terms, frozenset())
    # what another mapping makes addresses of nobody knows
    changed = ChangedSince(watermark=Watermark(state.watermark), locations=terms.mapping is not map_customer)
    terms = evolve(terms, trust_digest=True, left_open=state.open)
    return (yield from sync_run(changed, terms, also=state.open | moved, listed=listed, width=width, wave=wave))


def plan_run(source: Source, terms: Terms, *, wave: int = 200) -> Flow[Plan]:
    """Return what a run would do; nothing is written anywhere."""
    yield from _ready(terms)
    state = yield from run_state(terms)
    terms = yield from surveyed(source, state, terms, wave)
    customers = 0
    companies: list[CompanyPlan] = []
    troubles: list[Trouble] = []
    while page := (yield from ask(NextPage(source, wave))):
        yield from ask(Tell(WaveRead(customers=len(page.items))))
        troubles += [trouble_of(u.customer, u.error) for u in page.unreadable]
        flows = (_alone(customer.id, plan_customer(customer, terms)) for customer in page.items)
        results = yield from through(together(flows), claims_settled)
        customers += len(results)
        plans = [result for result in results if isinstance(result, CompanyPlan)]
        companies += plans if isinstance(source, Chosen) else [plan for plan in plans if plan.says]
        troubles += [result for result in results if isinstance(result, Trouble)]
    yield from survey_over(terms)
    tally, now = state.tally, (yield from ask(Now()))
    approved = tally.approved(terms.policy.limits, now)
    wanted = Counter[Guarded]()
    for company in companies:
        wanted.update(guard.counted(kind for kind, name in company.guarded if name not in approved))
    held = frozenset(kind for kind, n in wanted.items() if not within(terms.policy.limits, tally, kind, n, now))
    return Plan(customers=customers, companies=tuple(companies), troubles=tuple(troubles), held=held, approved=approved)


def _ready(terms: Terms, listed: Census | None = None) -> Flow[None]:
    """Stop before the first write where a role is missing, or the ERP is not the one we know.

    One known customer among those it listed shows that it is; else some are asked for.
    """
    yield from ask(RequireRoles(tuple(dict.fromkeys(terms.policy.roles))))
    if terms.policy.existing_shoppers is not ExistingShoppers.ADOPT:
        yield from ask(RequireShoppers())
    known = yield from ask(Keys(customer_key(terms.policy, CustomerID("")), 3))
    customers = [customer_of(terms.policy, key) for key in known]
    there = len(customers) - len(listed.missing(customers)) if listed else 0
    if not known or not terms.policy.check_tenant or there:
        return
    probes = yield from ask_all(ReadCustomer(customer) for customer in customers)
    if all(isinstance(probe, Ok) and probe.value is None for probe in probes):
        names = ", ".join(repr(str(customer)) for customer in customers)
        raise ConfigurationError(
            f"the ERP holds none of the customers {names} that store {terms.policy.store!r} was synced with before: "
            "it looks like another tenant; correct the tenant, or set the policy's check_tenant to False"
        )


# ------------------------------------------------------------------ waves
def _worker(source: Source, terms: Terms, size: int, census: Census) -> Flow[Tally]:
    """Take wave after wave until the source is empty, or something ends the run; count whom it listed."""
    tally = Tally()
    while not tally.stopped:
        try:
            page = yield from ask(NextPage(source, size))
        except AuthenticationError:
            raise
        except RemoteError as error:
            return evolve(tally, stopped=f"the ERP could not be read to the end: {error}")
        if page is None:
            break
        census.count(customer.id for customer in page.items)
        census.count(unreadable.customer for unreadable in page.unreadable)
        room = evolve(terms, told=terms.told - tally.told)
        tally = added((tally, (yield from _page(page, room, whole=isinstance(source, Everything)))))
        tally = evolve(tally, stopped=tally.stopped or too_many_failures(tally, terms))
    return tally


def _page(page: Page[Customer | Undecoded], terms: Terms, *, whole: bool) -> Flow[Tally]:
    yield from ask(Tell(WaveRead(customers=len(page.items))))
    known = yield from ask_all(Load(customer_key(terms.policy, u.customer)) for u in page.unreadable)
    gone = {u.customer for u, log in zip(page.unreadable, known, strict=True) if log and _is_gone(u.error)}
    deleted = (Customer(id=customer, note_id=NoteID(""), name="", deleted=True) for customer in gone)
    results = yield from _wave((*page.items, *deleted), terms)
    unreadable = [trouble_of(u.customer, u.error) for u in page.unreadable if u.customer not in gone]
    for trouble in unreadable:
        yield from _told(trouble)
    every = (*results, *unreadable)
    yield from recorded(terms, lambda state: wave_entries(state, every))
    tally = evolve(tally_of(every, terms.told), watermark=page.watermark)
    if whole:  # whoever is named is listed as well
        return evolve(tally, look_at=frozenset())
    homes = yield from homes_of(page.strays, terms.policy)
    return evolve(tally, look_at=tally.look_at.union(homes.values()))


def _is_gone(error: Exception) -> bool:
    return isinstance(error, RejectedError) and error.reason is Reason.GONE


def _wave(customers: Iterable[Customer | Undecoded], terms: Terms) -> Flow[tuple[Result, ...]]:
    """Sync customers in step: their calls are shared, their reservations counted together."""
    flows = (_alone(customer.id, sync_customer(customer, terms)) for customer in customers)
    claimed = through(together(flows), claims_settled)
    results = yield from through(claimed, lambda batch: reserve(batch, terms))
    for result in results:
        yield from _told(result)
    return results


def _alone(customer: CustomerID, flow: Flow[Any]) -> Flow[Any]:
    """Return what a flow comes to, or its customer's trouble: one bad record never stops the others."""
    try:
        return (yield from flow)
    except AuthenticationError:
        raise
    except (RemoteError, DecodeError, StalePlanError, LeftToAnotherError) as error:
        return trouble_of(customer, error)


def _told(result: Result) -> Flow[None]:
    match result:
        case Trouble():
            event = CustomerSettled(customer=result.customer, steps=(), findings=(), error=result.error)
        case Settled():
            event = CustomerSettled(customer=result.customer, steps=result.steps, findings=result.findings)
    yield from ask(Tell(event))


# ------------------------------------------------------------------ what follows the first reading
def _joined(first: Tally, named: Sequence[CustomerID], terms: Terms, size: int) -> Flow[Tally]:
    """Look at the customers that others named, and at those whose lease has run out meanwhile."""
    tally = first
    if named and not terms.expected and not tally.stopped:
        tally = added((tally, (yield from _chosen(named, terms, size))))
    left = [result for result in tally.results if _lease(result)]
    until = max(filter(None, map(_lease, left)), default=None)
    if until is None or tally.stopped:
        return tally
    pause = (until - (yield from ask(Now()))).total_seconds() + 0.01
    if pause > 0:
        yield from ask(Tell(Waiting(seconds=pause, reason=f"{len(left)} customers are left to a run that was cut off")))
        yield from ask(Wait(pause))
    again = yield from _chosen((result.customer for result in left), terms, size)
    return added((without(tally, left), again))


def _lease(result: Result) -> datetime | None:
    """Return until when a customer is left to another run."""
    error = result.error if isinstance(result, Trouble) else None
    return error.until if isinstance(error, LeftToAnotherError) else None


def _chosen(customers: Iterable[CustomerID], terms: Terms, size: int) -> Flow[Tally]:
    return (yield from _worker(Chosen(customers=tuple(sorted(customers))), terms, size, Census()))


def _second_pass(first: Tally, terms: Terms, size: int) -> Flow[tuple[Tally, frozenset[Guarded]]]:
    """Remove, behind the guard, then look again at those who waited for what was released."""
    held: frozenset[Guarded] = frozenset()
    if first.removals:
        # all of them or none; what really goes out is counted as it does
        state, now = (yield from run_state(terms)), (yield from ask(Now()))
        fits = within(terms.policy.limits, state.tally, Guarded.REMOVALS, first.removals, now)
        held = frozenset() if fits else frozenset({Guarded.REMOVALS})
    terms = evolve(terms, may_remove=True, held=held, trust_digest=False, first_pass=False)
    tally = first
    if first.second_pass:
        # who waits stands beside who releases, so that their claims are settled together
        due = first.second_pass | first.waits
        tally = replaced(tally, due, (yield from _chosen(due, terms, size)))
    released = tally.released
    while released and tally.waits and not tally.stopped:
        again = yield from _chosen(tally.waits, terms, size)
        tally = replaced(tally, tally.waits, again)
        released = again.released  # who waits may wait for one another
    return tally, held
