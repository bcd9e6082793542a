"""What the log knows of a person, erased: what happened stays, whom it happened to does not."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from acumatica_b2b.customer_log import Log, LogRow
from acumatica_b2b.effects import Append, Drop, Keys, Load, Now, Scrub
from acumatica_b2b.errors import DecisionError
from acumatica_b2b.findings import Finding, Status
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.folding import fold
from acumatica_b2b.keys import address_key, contact_key, customer_key, customer_of
from acumatica_b2b.logstate import Link, LogState
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import ContactID, CustomerID, Record, RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.saving import logs_of, replaced
from acumatica_b2b.synclog import Body, Done, Entry, Intended, Linked, LoggedStep, digest, read_body, write_body
from acumatica_b2b.terms import LeftToAnotherError, Terms

SOMEBODY: Final = Record(RecordKind.CONTACT, "forgotten")
"""Stands in the Customer Log for whoever was forgotten."""
_PAGE: Final = 200
"""Logs that are read at once."""


@frozen(kw_only=True)
class Forgotten:
    """Where a person was found in the log, and is no more."""

    contact: ContactID
    customers: tuple[CustomerID, ...] = ()
    """In whose logs."""
    rows: int = 0
    """Rows of the Customer Log that are about somebody now."""


def forget(contact: ContactID, terms: Terms) -> Flow[Forgotten]:
    """Erase what the log knows of a contact: its links, addresses and words; that something happened stays.

    Every customer's log is read. Cut off, it is to be asked for again. A contact that Acumatica still has
    is written of again by the next sync.

    Raises:
        DecisionError: the contact has a company user still, so the next sync would write of it again.
        LeftToAnotherError: a lease is running on a customer whose log names the contact, or a run came first.

    """
    named: list[Log] = []
    now = yield from ask(Now())
    prefix, after = customer_key(terms.policy, CustomerID("")), None
    while keys := (yield from ask(Keys(prefix, _PAGE, after))):
        for log in (yield from logs_of([customer_of(terms.policy, key) for key in keys], terms.policy)):
            if _is_named(contact, log):
                _require_free(contact, log, now)
                named.append(log)
            elif log.commits and log.commits[0].snapshot:  # what it stands for may be there still
                yield from ask(Drop(log.commits[0].key, log.commits[0].version))
        after = keys[-1]
    yield from _dropped((contact_key(terms.policy, contact),))
    yield from _addresses_dropped(contact, named, terms.policy)
    rows, users = 0, frozenset[str]().union(*(_users(contact, log) for log in named))
    for log in named:
        rows += yield from _erased(contact, users, log, terms)
    yield from ask(Scrub())
    return Forgotten(contact=contact, customers=tuple(log.customer for log in named), rows=rows)


def _is_named(contact: ContactID, log: Log) -> bool:
    name = json.dumps(contact, ensure_ascii=False)
    words = f'"kind":"CONTACT","id":{name}', f'"admin":{name}', f'"primary":{name}', repr(str(contact))
    return any(word in commit.body for commit in (*log.commits, *log.history) for word in words)


def _require_free(contact: ContactID, log: Log, now: datetime) -> None:
    state = fold(log.bodies())
    if until := state.busy_until(now):
        message = f"customer {log.customer!r}, whose log names it, is left to another run until {until:%H:%M:%S}"
        raise LeftToAnotherError(message, until)
    if user := state.contacts.get(contact):
        raise DecisionError(
            f"{contact_record(contact)} is linked to company user {user} of customer {log.customer!r}: delete it in "
            "Acumatica and sync, or unlink it where its company is gone too, and then forget it"
        )


# ------------------------------------------------------------------ what stands by itself
def _dropped(keys: Iterable[LogKey]) -> Flow[None]:
    asked = tuple(keys)
    logs = yield from ask_all(Load(key) for key in asked)
    for log in logs:
        if log:
            yield from ask(Drop(log[-1].key, log[-1].version + 1))


def _addresses_dropped(contact: ContactID, named: Sequence[Log], policy: SyncPolicy) -> Flow[None]:
    """Drop what says that a user of ours had an address of this contact's; say it anew of who has it now."""
    had = {one for log in named for one in _addresses(contact, log)}
    yield from _dropped(address_key(policy, one) for one in had)
    prefix, after = address_key(policy, ""), None
    while keys := (yield from ask(Keys(prefix, _PAGE, after))):
        logs = yield from ask_all(Load(key) for key in keys)
        yield from _dropped(key for key, log in zip(keys, logs, strict=True) if log and _is_of(contact, log[-1]))
        after = keys[-1]
    states = [(log, fold(log.bodies())) for log in named]
    for log, state in states:
        has = {link.sent.get("email", ""): record for record, link in state.links.items() if _is_contact(record)}
        yield from _said_again({one: has[one] for one in had & has.keys()}, log, policy)


def _is_contact(record: Record) -> bool:
    return record.kind is RecordKind.CONTACT


def _said_again(holders: Mapping[str, Record], log: Log, policy: SyncPolicy) -> Flow[None]:
    """Say of these contacts that users of ours have their addresses."""
    for fingerprint, record in holders.items():
        last = log.bodies()[-1]
        body = write_body(Body(run=last.run, at=last.at, entries=(Linked(record=record, id=""),)))
        yield from ask(Append(Commit(key=address_key(policy, fingerprint), version=1, body=body)))


def _addresses(contact: ContactID, log: Log) -> set[str]:
    """Return the digests of the addresses that a log's steps gave this contact."""
    steps = [step for step in _steps(log.bodies()) if _is_about(step, contact)]
    return {digest(step.email) for step in steps if step.email} | {
        step.fields["email"] for step in steps if step.record.kind is RecordKind.CONTACT and "email" in step.fields
    }


def _is_of(contact: ContactID, commit: Commit) -> bool:
    record = contact_record(contact)
    return any(isinstance(entry, Linked) and entry.record == record for entry in read_body(commit.body).entries)


# ------------------------------------------------------------------ one log
def _erased(contact: ContactID, had: frozenset[str], log: Log, terms: Terms) -> Flow[int]:
    """Let a snapshot without the contact stand for a log; return how many rows are about somebody now."""
    state = fold(log.bodies())
    kept = log.kept()
    users = had - set(state.contacts.values())  # who took over a user of the contact's keeps what is known of it
    rows = tuple(evolve(one, rows=tuple(_told_of_nobody(row, contact, users) for row in one.rows)) for one in kept)
    now = yield from ask(Now())
    if not (yield from replaced(log, _without(state, contact, users), rows, terms, now)):
        raise LeftToAnotherError(f"customer {log.customer!r}, whose log names the contact, was written to meanwhile")
    past = log.history[-1].version + 1 if log.history else 0
    for commits, before in ((log.commits, log.version + 1), (log.history, past)):
        if commits:
            yield from ask(Drop(commits[0].key, before))
    return sum(row.record == SOMEBODY for one in rows for row in one.rows)


def _users(contact: ContactID, log: Log) -> frozenset[str]:
    """Return the ids of the company users that the contact ever had here."""
    record = contact_record(contact)
    shown = {row.id for one in log.kept() for row in one.rows if row.record == record and "reference" not in row.what}
    entries = [entry for body in log.bodies() for entry in body.entries]
    mine = {step.hash for step in _steps(log.bodies()) if step.record == record}
    linked = {entry.id for entry in entries if isinstance(entry, Linked) and entry.record == record}
    done = {entry.id for entry in entries if isinstance(entry, Done) and entry.step in mine}
    return frozenset({*shown, *linked, *done} - {""})


def _steps(bodies: Iterable[Body]) -> Iterable[LoggedStep]:
    entries: Iterable[Entry] = (entry for body in bodies for entry in body.entries)
    return (entry.step for entry in entries if isinstance(entry, Intended))


def _is_about(step: LoggedStep, contact: ContactID) -> bool:
    return step.record == contact_record(contact) or step.admin == contact


def _told_of_nobody(row: LogRow, contact: ContactID, users: AbstractSet[str]) -> LogRow:
    """Return a row without the contact: what happened and when stays."""
    mine = {contact_record(contact), *(Record(RecordKind.CONTACT, f"of user {user}") for user in users)}
    if row.record in mine:
        return evolve(row, record=SOMEBODY, id="", message="")
    # a refusal is in the other system's words, and they may name anybody
    says = row.status is Status.FAILED or _names(row.message, contact, users)
    return evolve(row, message="") if says else row


def _names(text: str, contact: ContactID, users: AbstractSet[str]) -> bool:
    """Tell whether a text names the contact or one of its users."""
    words = "|".join(re.escape(word) for word in (contact, *users))
    return re.search(rf"(?<!\w)(?:{words})(?!\w)", text) is not None


def _without(state: LogState, contact: ContactID, users: frozenset[str]) -> LogState:
    """Return the state without the contact, and without digests and refusals that its values may have gone into."""
    record = contact_record(contact)

    def stays(finding: Finding) -> bool:
        says = finding.status is Status.FAILED or _names(finding.detail, contact, users)
        return finding.record != record and not says

    # a company lends its admin's e-mail address and phone number, an address its name
    lent = {one: evolve(link, sent={}, seen={}) for one, link in state.links.items() if one.kind in _LENDING}
    links: dict[Record, Link] = {**state.links, **lent}
    return evolve(
        state,
        links=links,
        granted=state.granted - users,
        awaited=state.awaited - {contact},
        former_roles={user: role for user, role in state.former_roles.items() if user not in users},
        switched_off=state.switched_off - {(RecordKind.CONTACT, user) for user in users},
        suspended=state.suspended - users,
        gave_way="" if state.gave_way in users else state.gave_way,
        references={one: value for one, value in state.references.items() if one != record},
        open={key: intent for key, intent in state.open.items() if not _is_about(intent.step, contact)},
        refusals={key: one for key, one in state.refusals.items() if one.record not in {None, record, *lent}},
        skipped=state.skipped - {record},
        retried=state.retried - {record},
        apart=frozenset(pair for pair in state.apart if pair[0] != record),
        findings=frozenset(filter(stays, state.findings)),
        digest="",
        places="",
        basis="",
        primary="" if state.primary == contact else state.primary,
    )


_LENDING: Final = frozenset({RecordKind.CUSTOMER, RecordKind.LOCATION})
