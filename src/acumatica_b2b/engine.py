"""The engine: one customer as one straight line. See `run` for many of them."""

from datetime import timedelta

from attrs import evolve

from acumatica_b2b.actions import CreateCompany, CreateUser, Step, UpdateCompany, UpdateUser, WriteReference
from acumatica_b2b.adopting import adopted, movers, read_back
from acumatica_b2b.effects import Load, Now, Perform, Reserve
from acumatica_b2b.errors import NotSentError, RateLimitedError, Reason, RejectedError, RemoteError, StalePlanError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.guard import counted, guarded, is_approved, is_held, weight
from acumatica_b2b.judgement import explained, findings
from acumatica_b2b.keys import customer_key
from acumatica_b2b.leaving import Leaving, leavers, leaving
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import Company, Customer, Undecoded
from acumatica_b2b.observing import (
    company_of,
    holders_asked,
    is_surveyed,
    loaded,
    observed,
    observed_again,
    observed_now,
)
from acumatica_b2b.plan import CompanyPlan, next_steps, plan_company
from acumatica_b2b.policy import Guarded
from acumatica_b2b.proposals import admin_to_be, lost_places
from acumatica_b2b.saving import saved, shortened
from acumatica_b2b.settling import intended, settled
from acumatica_b2b.sparing import (
    fingerprint,
    is_linked,
    is_settled,
    may_be_bare,
    places_settled,
    settled_at,
    settled_before,
    whole,
    without_places,
)
from acumatica_b2b.steps import record_of, sent_fields
from acumatica_b2b.synclog import Cleared, Entry, Found, SettledAt, digest, last_fingerprint
from acumatica_b2b.terms import Settled, Terms
from acumatica_b2b.world import World, noted


def plan_customer(read: Customer | Undecoded, terms: Terms) -> Flow[CompanyPlan]:
    """Return what would be done for one customer; nothing is written anywhere."""
    world = yield from loaded((yield from whole(read)), terms)
    if world.record in world.state.skipped:
        return CompanyPlan(customer=read.id, steps=(), findings=_passed_over(world).findings)
    world = evolve(world, planning=True)
    return plan_company((yield from observed(world, terms.owners, (yield from company_of(world)))))


def sync_customer(read: Customer | Undecoded, terms: Terms) -> Flow[Settled]:
    """Bring one company as near to its customer as may be, and say how it stands.

    Raises:
        LeftToAnotherError: another runner is at work on this customer.
        StalePlanError: what the expected plan was made from has changed.
        RemoteError: the company could not be observed.
        DecodeError: what was read of the customer is none.

    """
    if isinstance(read, Undecoded) and terms.trust_digest and (yield from _stands_as_read(read, terms)):
        return Settled(customer=read.id)
    if not may_be_bare(read.id, terms):
        read = yield from whole(read)
    before = yield from loaded(read, terms)
    customer = before.customer
    if before.record in before.state.skipped:
        return _passed_over(before)
    bare = terms.trust_digest and places_settled(before)
    if not (customer.locations_read or bare):
        return (yield from sync_customer((yield from whole(customer)), terms))
    if terms.trust_digest and is_settled(before):
        return Settled(customer=customer.id)
    if bare:
        before = without_places(before)
    company = yield from company_of(before)
    if bare and not is_linked(before, company):  # what its addresses are to be is asked for after all
        return (yield from sync_customer((yield from whole(customer)), evolve(terms, trust_digest=False)))
    return (yield from _synced(before, company, terms))


def _synced(before: World, company: Company | str | None, terms: Terms) -> Flow[Settled]:
    """Do what is to be done for a customer whose company is known, and say how it stands."""
    world = yield from observed(before, terms.owners, company)
    if is_surveyed(world):
        stands = _settled(before, world)
        learnt = _learnt(before, world, stands, terms)
        if not _is_news(before, world, stands, learnt):
            return (yield from _closed(world, learnt, stands, terms))
        # what was so a while ago decides nothing, and is not recorded
        world = yield from observed_now(before, world, terms.owners)
    _check_expected(world, terms)
    world = yield from _advanced(world, terms)
    if any(not isinstance(step, WriteReference) for step in world.taken):
        world = read_back(world, (yield from observed_again(world, anew=_sent_twice(before, world))))
    stands = _settled(before, world)
    return (yield from _closed(world, _learnt(before, world, stands, terms), stands, terms))


def _sent_twice(before: World, world: World) -> bool:
    """Tell whether a value went out that had gone out before: the shop made something else of it, or people did."""
    return any(
        link.sent.get(name) == digest(value)
        for step in world.taken
        if (link := before.state.links.get(record_of(step)))
        for name, value in sent_fields(step).items()
    )


def _stands_as_read(read: Undecoded, terms: Terms) -> Flow[bool]:
    """Tell whether the log ends with what was read: decoding it would lead to the same digest."""
    commits = yield from ask(Load(customer_key(terms.policy, read.id)))
    known = last_fingerprint(commits[-1].body) if commits else ""
    return bool(known) and known == fingerprint(read, terms)


def _passed_over(world: World) -> Settled:
    """Return how a customer stands that people want left as it is."""
    return Settled(
        customer=world.customer.id,
        findings=(Finding(kind=FindingKind.SKIPPED, record=world.record),),
        linked_users=len(world.state.contacts),
        linked_companies=int(world.record in world.state.links),
    )


def _check_expected(world: World, terms: Terms) -> None:
    expected = terms.expected.get(world.customer.id)
    if expected is None or not terms.first_pass or world.held:
        return
    if digest(plan_company(world)) != expected.digest:
        message = f"customer {world.customer.id!r} or its company has changed since the plan was made; plan again"
        raise StalePlanError(message)


# ------------------------------------------------------------------ steps
def _advanced(world: World, terms: Terms) -> Flow[World]:
    """Return the world when nothing can be done any more, or a system can't be reached."""
    while not _outage(world) and (steps := next_steps(world)):
        if emails := _first_addresses(world, steps) - world.holders.keys():
            world = yield from holders_asked(world, emails)
            continue
        world = yield from _allowed(world, steps)
        steps = tuple(step for step in steps if not is_held(world, step))
        if not steps:
            continue
        world = yield from _taken(world, steps, terms)
        if any(isinstance(step, CreateCompany) for step in steps) and world.company:
            world = adopted(world, (yield from observed_again(world)) or world.company)
        if any(isinstance(step, UpdateCompany) and "external_id" in dict(step.changes) for step in steps):
            yield from _still_ours(world)
        world = yield from holders_asked(world, _found_taken(world))
    return world


def _still_ours(world: World) -> Flow[None]:
    """Raise where another customer claimed the very same company in this wave."""
    company = yield from observed_again(world)
    if company and company.external_id.lower() not in {"", world.customer.note_id}:
        raise RejectedError(Reason.AMBIGUOUS, f"company {company.id} was claimed by another customer as well")


def _first_addresses(world: World, steps: tuple[Step, ...]) -> set[str]:
    """Return the address of whom a company without admin is made for: taken, it would be made in vain."""
    empty = any(isinstance(step, CreateCompany) and step.admin is None for step in steps)
    admin = admin_to_be(world) if empty else None
    return {admin.email} if admin else set()


def _allowed(world: World, steps: tuple[Step, ...]) -> Flow[World]:
    """Return the world with what the guard says of the steps, where it has to be asked."""
    asked = [step for step in steps if not is_approved(step, world.approved)]
    kinds = (kind for step in asked for kind in [guarded(world, step)] * weight(world, step))
    counts = counted(kind for kind in kinds if kind and kind not in world.allowed)
    answers = yield from ask_all(Reserve(kind, count) for kind, count in counts.items())
    said = dict(zip(counts, answers, strict=True))
    once = {kind for kind, allowed in said.items() if allowed and kind is Guarded.HAND_OVERS}
    held = {kind for kind, allowed in said.items() if not allowed}
    return evolve(world, allowed=world.allowed | once, held=world.held | held)


def _taken(world: World, steps: tuple[Step, ...], terms: Terms) -> Flow[World]:
    """Record the intent, take the steps, settle each."""
    now = yield from ask(Now())
    lease = timedelta(seconds=world.policy.lease)
    world = yield from saved(intended(world, steps, now + lease), terms, now)
    # the second half of the lease is for what was sent at the end of the first: its waits and retries
    outcomes = yield from ask_all(Perform(step, now + lease / 2, step.stage) for step in steps)
    return settled(world, steps, outcomes)


def _outage(world: World) -> RemoteError | None:
    return next((e for e in world.refused.values() if isinstance(e, NotSentError | RateLimitedError)), None)


def _found_taken(world: World) -> set[str]:
    """Return the addresses that were refused as taken, and nobody asked yet who has them."""
    emails: set[str] = set()
    for step, error in world.refused.items():
        if isinstance(error, RejectedError) and error.reason is Reason.EMAIL_TAKEN:
            match step:
                case CreateUser(user=user):
                    emails.add(user.email)
                case CreateCompany(admin=admin) if admin:
                    emails.add(admin.email)
                case UpdateUser(changes=changes):
                    emails |= {value for name, value in changes if name == "email"}
                case _:
                    pass
    return emails - world.holders.keys()


# ------------------------------------------------------------------ the end
def _closed(world: World, learnt: list[Entry], stands: Settled, terms: Terms) -> Flow[Settled]:
    """Record how the customer stands, where that has changed, and say it."""
    now = yield from ask(Now())
    world = yield from saved(noted(world, *learnt), terms, now)
    yield from shortened(world, terms, now)
    return stands


def _learnt(before: World, world: World, stands: Settled, terms: Terms) -> list[Entry]:
    """Return what the log does not say yet of how the customer stands."""
    known = before.state
    entries: list[Entry] = [Found(finding=finding) for finding in stands.findings if finding not in known.findings]
    entries += [Cleared(finding=finding) for finding in sorted(known.findings.difference(stands.findings))]
    learned = settled_at(world, done=not stands.open)
    # whoever trusts a fingerprint does not fold the log: nothing may be open in it
    quiet = learned.digest and not (known.open or world.state.open)
    seen = fingerprint(world.customer, terms) if quiet else ""
    if learned != settled_before(known) or known.open or seen not in {"", before.fingerprint}:
        entries.append(evolve(learned, fingerprint=seen))
    return entries


def _is_news(before: World, world: World, stands: Settled, learnt: list[Entry]) -> bool:
    """Tell whether anything is to be done, or to be recorded beyond what the ERP's data look like."""
    looks = [one for one in learnt if isinstance(one, SettledAt) and not before.state.open]
    same = all(evolve(one, fingerprint="") == settled_before(before.state) for one in looks)
    return len(looks) < len(learnt) or not same or bool(world.unsaved or stands.second_pass or next_steps(world))


def _settled(before: World, world: World) -> Settled:
    found = findings(world)
    due, places = leavers(world), lost_places(world)
    going = leaving(world)
    moved = {leaver.to for leaver in due if leaver.to}
    homes = {home.customer for contact, home in world.elsewhere.items() if contact not in world.pairs.users}
    return Settled(
        customer=world.customer.id,
        steps=world.taken,
        findings=found,
        failures=sum(not explained(world, step, error) for step, error in world.refused.items())
        + sum(f.kind is FindingKind.ABORTED for f in found),
        removals=len(_unapproved(world, going)),
        second_pass=bool(going.go or going.suspend or places) and not world.may_remove,
        look_at=frozenset(moved | homes),
        released=bool(before.state.contacts.keys() - world.state.contacts.keys())
        or any(
            isinstance(step, UpdateUser) and dict(step.changes).get("email") and step not in world.refused
            for step in world.taken
        ),
        waits=any(f.kind in _WAITING for f in found),
        open=bool(
            world.refused or going.go or going.suspend or places or any(f.kind.about.looked_at_again for f in found)
        )
        or any(user.contact in world.state.awaited for user in world.desired.users)
        or _waits_for_movers(world)
        or _kept_back(world),
        linked_users=len(world.state.contacts),
        linked_companies=int(world.record in world.state.links),
        users=len(world.state.contacts) - len(before.state.contacts),
        companies=(world.record in world.state.links) - (before.record in before.state.links),
        held=world.held | _too_much(going),
        outage=_outage(world),
    )


def _kept_back(world: World) -> bool:
    """Tell whether the plan that is followed did not show something that could be done now."""
    return world.expected is not None and bool(next_steps(evolve(world, expected=None)))


def _waits_for_movers(world: World) -> bool:
    """Tell whether somebody's address is still spoken for by one who is on the way to another customer."""
    away = {str(contact_record(contact)) for contact in movers(world).values()}
    return any(f.kind is FindingKind.DUPLICATE_EMAIL and f.detail in away for f in world.contest.findings)


def _too_much(going: Leaving) -> frozenset[Guarded]:
    """Return what is held because it is too much of one company."""
    return frozenset(Guarded.REMOVALS for finding in going.findings if finding.kind is FindingKind.GUARD_HELD)


def _unapproved(world: World, going: Leaving) -> tuple[Step, ...]:
    """Return the steps that end with somebody gone and that nobody approved."""
    return tuple(step for step in going.steps(world) if not is_approved(step, world.approved))


_WAITING = frozenset(
    {
        FindingKind.EMAIL_CYCLE,
        FindingKind.EMAIL_OWNED_ELSEWHERE,
        FindingKind.MOVE_WAITS,
        # the address may have been given up between the refusal and the question
        FindingKind.SUPER_ADMIN_EMAIL,
    }
)
