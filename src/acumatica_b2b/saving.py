"""The flows that write a customer's log and keep it short, and the index over all customers."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve

from acumatica_b2b.customer_log import Kept, Log, read_history, write_history
from acumatica_b2b.effects import Append, Drop, Load
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.folding import snapshot
from acumatica_b2b.keys import address_key, contact_key, customer_key, history_key
from acumatica_b2b.logstate import LogState, own_contacts
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import ContactID, CustomerID, Record
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.protocols import Commit
from acumatica_b2b.synclog import (
    Body,
    Entry,
    Intended,
    Linked,
    LoggedStep,
    SettledAt,
    Unlinked,
    digest,
    last_fingerprint,
    write_body,
)
from acumatica_b2b.terms import LeftToAnotherError, Terms
from acumatica_b2b.world import World


# ------------------------------------------------------------------ adding
def is_read(commit: Commit) -> Flow[bool]:
    """Tell whether a commit that was stored counts: a version that was dropped looks free, and a snapshot hides it."""
    log = yield from ask(Load(commit.key))
    return bool(log) and log[0].version <= commit.version


def saved(world: World, terms: Terms, now: datetime) -> Flow[World]:
    """Make the unsaved entries durable, unless another runner came first.

    Raises:
        LeftToAnotherError: it did.

    """
    if not world.unsaved:
        return world
    body = Body(run=terms.run, at=now, entries=world.unsaved)
    key = customer_key(terms.policy, world.customer.id)
    commit = Commit(key=key, version=world.version + 1, body=write_body(body))
    own = own_contacts(world.state)
    index = yield from _index(world, terms, now, own ^ world.indexed)
    claimed = _addresses(world, terms, now)
    stored, *kept = yield from ask_all(Append(c) for c in (commit, *index.values(), *claimed))
    if not (stored and (yield from is_read(commit))):
        raise LeftToAnotherError(f"customer {world.customer.id!r} is left to another run, which came first")
    world = _indexed(evolve(world, version=commit.version, unsaved=(), indexed=own), index, kept)
    return (yield from _said_again(world, terms, now, own & (index.keys() - world.index.keys())))


def _indexed(world: World, index: Mapping[ContactID, Commit], kept: Sequence[bool]) -> World:
    """Return the world that knows the versions of its index, but for those that were taken."""
    known = {c: version for c, version in world.index.items() if c not in index}
    stored = {c: commit.version for (c, commit), done in zip(index.items(), kept, strict=False) if done}
    return evolve(world, index=known | stored)


def _said_again(world: World, terms: Terms, now: datetime, lost: AbstractSet[ContactID]) -> Flow[World]:
    """Return the world whose index was said once more, behind what another customer said first."""
    while lost:
        index = yield from _index(world, terms, now, lost)
        world = _indexed(world, index, (yield from ask_all(Append(commit) for commit in index.values())))
        lost = index.keys() - world.index.keys()
    return world


def _index(
    world: World, terms: Terms, now: datetime, contacts: AbstractSet[ContactID]
) -> Flow[dict[ContactID, Commit]]:
    """Return the commits that tell all customers which contacts have a user here, or no longer."""
    own, changed = own_contacts(world.state), sorted(contacts)
    unknown = [contact for contact in changed if contact not in world.index]
    logs = yield from ask_all(Load(contact_key(terms.policy, contact)) for contact in unknown)
    versions = dict(world.index) | {c: log[-1].version if log else 0 for c, log in zip(unknown, logs, strict=True)}
    commits: dict[ContactID, Commit] = {}
    for contact in changed:
        link: Entry = Linked(record=world.record, id=world.state.contacts.get(contact, ""))
        entry = link if contact in own else Unlinked(record=world.record)
        body = write_body(Body(run=terms.run, at=now, entries=(entry,)))
        key = contact_key(terms.policy, contact)
        commits[contact] = Commit(key=key, version=versions[contact] + 1, body=body, snapshot=True)
    return commits


def _addresses(world: World, terms: Terms, now: datetime) -> list[Commit]:
    """Return the commits that tell all customers of the addresses which users of ours are about to have."""
    if world.policy.existing_shoppers is ExistingShoppers.ADOPT:
        return []
    steps = [entry.step for entry in world.unsaved if isinstance(entry, Intended)]
    wanted = {digest(step.email): step for step in steps if step.email}
    wanted |= {step.fields["email"]: step for step in steps if step.do == "UpdateUser" and "email" in step.fields}
    return [
        Commit(
            key=address_key(terms.policy, fingerprint),
            version=1,  # one such commit says it all
            body=write_body(Body(run=terms.run, at=now, entries=(Linked(record=_whose(step), id=step.id),))),
        )
        for fingerprint, step in wanted.items()
    ]


def _whose(step: LoggedStep) -> Record:
    return contact_record(ContactID(step.admin)) if step.admin else step.record


# ------------------------------------------------------------------ cutting short
def shortened(world: World, terms: Terms, now: datetime) -> Flow[None]:
    """Let one snapshot stand for a log that has grown long or old; its rows are kept beside it."""
    begins = world.first.version if world.first else 1
    length = world.version - begins + 1
    oldest = world.first.at if world.first else now
    is_old = oldest < _since(terms.policy, now) and (length > 1 or world.state.archived)
    if length >= terms.policy.snapshot_every or is_old:
        log = yield from log_of(world.customer.id, terms.policy)
        if log.version == world.version and (yield from replaced(log, world.state, log.rows(), terms, now)):
            yield from _tidied(log, terms, now)


def log_of(customer: CustomerID, policy: SyncPolicy) -> Flow[Log]:
    """Return all that is stored of a customer's log."""
    (log,) = yield from logs_of([customer], policy)
    return log


def logs_of(customers: Sequence[CustomerID], policy: SyncPolicy) -> Flow[list[Log]]:
    """Return the same of several customers at once."""
    logs = yield from ask_all(Load(customer_key(policy, customer)) for customer in customers)
    past = yield from ask_all(Load(history_key(policy, customer)) for customer in customers)
    three = zip(customers, logs, past, strict=True)
    return [Log(customer=customer, commits=log, history=history) for customer, log, history in three]


def replaced(log: Log, state: LogState, rows: Sequence[Kept], terms: Terms, now: datetime) -> Flow[bool]:
    """Let a snapshot stand for a log, with rows that are not too old beside it; tell whether nobody came first."""
    since = _since(terms.policy, now)
    kept = tuple(one for one in rows if one.at >= since)
    if kept:  # before the snapshot hides them; should the snapshot fail, they are merged with what is still there
        body = write_history(kept, run=terms.run, at=now)
        key = history_key(terms.policy, log.customer)
        if not (yield from ask(Append(Commit(key=key, version=_next(log.history), body=body)))):
            return False
    entry = snapshot(evolve(state, archived=bool(kept or log.history)))
    known = last_fingerprint(log.commits[-1].body) if log.commits and state.digest else ""
    settled = SettledAt(
        digest=state.digest, primary=state.primary, places=state.places, basis=state.basis, fingerprint=known
    )
    body = write_body(Body(run=terms.run, at=now, entries=(entry, settled) if known else (entry,)))
    key = customer_key(terms.policy, log.customer)
    return (yield from ask(Append(Commit(key=key, version=log.version + 1, body=body, snapshot=True))))


def _next(commits: Sequence[Commit]) -> int:
    return commits[-1].version + 1 if commits else 1


def _since(policy: SyncPolicy, now: datetime) -> datetime:
    """Return since when rows are kept."""
    return now - timedelta(days=policy.retention_days) if policy.retention_days is not None else _EVER


_EVER: Final = datetime.min.replace(tzinfo=UTC)


def _tidied(log: Log, terms: Terms, now: datetime) -> Flow[None]:
    """Forget what a snapshot stands for now, and rows that were kept long enough."""
    yield from ask(Drop(log.commits[0].key, log.version + 1))
    since = _since(terms.policy, now)
    old = [commit for commit in log.history if all(one.at < since for one in read_history(commit.body))]
    if old:
        yield from ask(Drop(old[-1].key, old[-1].version + 1))
