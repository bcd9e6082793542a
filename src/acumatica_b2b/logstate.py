"""The state that a customer's log implies: links, grants, what may still be under way, and the rest."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import assert_never

from attrs import evolve, field, frozen

from acumatica_b2b.codec import decode, encode
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.findings import Finding
from acumatica_b2b.model import ContactID, Record, RecordKind, StorefrontID, UserID
from acumatica_b2b.synclog import (
    Body,
    Cleared,
    Decided,
    Done,
    Entry,
    Found,
    Intended,
    Linked,
    LoggedStep,
    NotSent,
    Refused,
    SettledAt,
    Snapshot,
    Unanswered,
    Unlinked,
    digest,
    no_fields,
)


@frozen(kw_only=True)
class Link:
    """A record's counterpart, with digests of what was last sent to it and what came back of that."""

    id: str
    sent: Mapping[str, str] = field(factory=no_fields, hash=False)
    seen: Mapping[str, str] = field(factory=no_fields, hash=False)


@frozen(kw_only=True)
class Refusals:
    """How often a step about a record was refused."""

    record: Record | None
    times: int


@frozen(kw_only=True)
class LogState:
    """What a customer's log says, folded."""

    run: str = ""
    links: Mapping[Record, Link] = field(factory=dict[Record, Link])
    granted: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    """Contacts whose user is created with the Primary Admin's role; its id is not known yet."""
    former_roles: Mapping[str, str] = field(factory=dict[str, str])
    switched_off: frozenset[tuple[RecordKind, str]] = frozenset()
    """Users and companies that we deactivated, or were about to, and did not activate again."""
    suspended: frozenset[str] = frozenset()
    """Users to whom we gave, or were about to give, the role without permissions, and no other since."""
    gave_way: str = ""
    """Who lost the Primary Admin's role to us last."""
    references: Mapping[Record, str] = field(factory=dict[Record, str])
    open: Mapping[str, Intended] = field(factory=dict[str, Intended])
    refusals: Mapping[str, Refusals] = field(factory=dict[str, Refusals])
    skipped: frozenset[Record] = frozenset()
    """What people said is to be left as it is."""
    retried: frozenset[Record] = frozenset()
    """What people said is to be made again, should it be gone."""
    apart: frozenset[tuple[Record, str]] = frozenset()
    """What people said is not to be linked."""
    findings: frozenset[Finding] = frozenset()
    digest: str = ""
    primary: str = ""
    """The primary contact that was last seen."""
    archived: bool = False
    """Whether rows of the Customer Log are kept beside the log."""

    @property
    def grants(self) -> frozenset[UserID]:
        """Whose Primary Admin role is ours; one that was intended counts as given."""
        intended = {i.step.id for i in self.open.values() if i.step.grant in {"give", "move"} and i.step.id}
        return frozenset(UserID(StorefrontID(user)) for user in self.granted | intended)

    @property
    def contacts(self) -> Mapping[ContactID, UserID]:
        """The links of contacts."""
        return {
            ContactID(record.id): UserID(StorefrontID(link.id))
            for record, link in self.links.items()
            if record.kind is RecordKind.CONTACT
        }

    def busy_until(self, now: datetime) -> datetime | None:
        """Return when the last running lease ends, None where none runs."""
        leases = [intent.until for intent in self.open.values() if intent.until > now]
        return max(leases, default=None)


def own_contacts(state: LogState) -> frozenset[ContactID]:
    """Return the contacts who have a user of this customer's company, or are about to get one."""
    coming = {ContactID(i.step.admin or i.step.record.id) for i in state.open.values() if i.step.email}
    return frozenset(coming.union(state.contacts))


def fold(bodies: Iterable[Body], state: LogState | None = None) -> LogState:
    """Return the state that commits imply, in the order of their versions."""
    return reduce(_commit, bodies, state or LogState())


def _commit(state: LogState, body: Body) -> LogState:
    if body.run != state.run:  # whoever writes has observed first: what was open is answered by that
        state = evolve(state, run=body.run, open={})
    return reduce(applied, body.entries, state)


def applied(state: LogState, entry: Entry) -> LogState:
    """Return the state after one more entry."""
    match entry:
        case Intended(step=step):
            return _intended(evolve(state, open={**state.open, step.hash: entry}), step)
        case Done(step=key, id=identifier):
            intent = state.open.get(key)
            return _done(_closed(state, key), intent.step, identifier) if intent else state
        case Refused(step=key):
            return evolve(_without(state, key), refusals={**state.refusals, key: _once_more(state, entry)})
        case NotSent(step=key):
            return _without(state, key)
        case Unanswered():
            return state
        case Linked():
            return _linked(state, entry)
        case Unlinked(record=record):
            return _unlinked(state, record)
        case Found(finding=finding):
            return evolve(state, findings=state.findings | {finding})
        case Cleared(finding=finding):
            return evolve(state, findings=state.findings - {finding})
        case SettledAt():
            state = evolve(state, digest=entry.digest, primary=entry.primary)
            return evolve(state, awaited=frozenset(), retried=frozenset()) if entry.digest else state
        case Decided(decision=decision):
            return _decided(evolve(state, digest=""), decision)
        case Snapshot(state=kept):
            return decode(kept, LogState)
        case _:
            assert_never(entry)


def _intended(state: LogState, step: LoggedStep) -> LogState:
    """Return the state with what must be known if nobody hears whether the step took effect."""
    if _creates_admin(step):
        state = evolve(state, awaited=state.awaited | {step.admin or step.record.id})
    if step.fields.get("active") == digest("no"):
        state = evolve(state, switched_off=state.switched_off | {_counterpart(step)})
    match step.grant:
        case "give" if step.id and step.former_role:
            return evolve(state, former_roles={**state.former_roles, step.id: step.former_role})
        case "take":
            return evolve(state, gave_way=step.id)
        case "suspend":
            return evolve(state, suspended=state.suspended | {step.id})
        case _:
            return state


def snapshot(state: LogState) -> Snapshot:
    """Return what stands for all entries that a state was folded from."""
    return Snapshot(state=encode(state))


def _counterpart(step: LoggedStep) -> tuple[RecordKind, str]:
    return step.record.kind, step.id


def _once_more(state: LogState, refused: Refused) -> Refusals:
    before, intent = state.refusals.get(refused.step), state.open.get(refused.step)
    record = refused.record or (intent.step.record if intent else None)
    return Refusals(record=record, times=before.times + 1 if before else 1)


def _decided(state: LogState, decision: Decision) -> LogState:
    record, pair = decision.record, (decision.record, decision.id)
    match decision.choice:
        case Choice.RETRY:
            whole = record.kind is RecordKind.CUSTOMER
            about = {record, *state.links} if whole else {record}
            kept = {key: one for key, one in state.refusals.items() if not whole and one.record not in {None, record}}
            skipped = frozenset[Record]() if whole else state.skipped - {record}
            return evolve(state, refusals=kept, skipped=skipped, retried=state.retried | about)
        case Choice.SKIP:
            return evolve(state, skipped=state.skipped | {record})
        case Choice.LINK | Choice.ADOPT:
            return evolve(state, apart=state.apart - {pair})
        case Choice.UNLINK:
            return evolve(state, apart=state.apart | {pair})
        case _:
            assert_never(decision.choice)


def _closed(state: LogState, key: str) -> LogState:
    return evolve(state, open={k: intent for k, intent in state.open.items() if k != key})


def _without(state: LogState, key: str) -> LogState:
    """Return the state as if the step had not been intended."""
    intent = state.open.get(key)
    if intent and _creates_admin(intent.step):
        state = evolve(state, awaited=state.awaited - {intent.step.admin or intent.step.record.id})
    if intent and intent.step.fields.get("active") == digest("no"):
        state = evolve(state, switched_off=state.switched_off - {_counterpart(intent.step)})
    if intent and intent.step.grant == "take" and state.gave_way == intent.step.id:
        state = evolve(state, gave_way="")
    return _closed(state, key)


def _creates_admin(step: LoggedStep) -> bool:
    return step.grant == "give" and step.do in {"CreateCompany", "CreateUser"}


def _linked(state: LogState, entry: Linked) -> LogState:
    old = state.links.get(entry.record)
    old = old if old and old.id == entry.id else Link(id=entry.id)
    links = {**state.links, entry.record: evolve(old, seen={**old.seen, **entry.seen})}
    granted = state.granted | {entry.id} if entry.granted else state.granted
    return evolve(state, links=links, granted=granted, awaited=state.awaited - {entry.record.id})


def _unlinked(state: LogState, record: Record) -> LogState:
    old = state.links.get(record)
    links = {key: link for key, link in state.links.items() if key != record}
    return evolve(state, links=links, granted=state.granted - {old.id} if old else state.granted)


def _done(state: LogState, step: LoggedStep, identifier: str) -> LogState:
    if step.do != "UpdateUser" or "email" not in step.fields:  # whether the shop took an address is read back
        state = evolve(state, refusals={key: n for key, n in state.refusals.items() if key != step.hash})
    match step.do:
        case "WriteReference":
            kept = {record: value for record, value in state.references.items() if record != step.record}
            return evolve(state, references={**kept, step.record: step.reference} if step.reference else kept)
        case "RemoveUser" | "RemoveAddress":
            return _unlinked(state, step.record)
        case "SetRole" | "MoveAdmin":
            return _role_changed(state, step, identifier)
        case _:
            return _role_changed(_sent(state, step, identifier), step, identifier)


def _sent(state: LogState, step: LoggedStep, identifier: str) -> LogState:
    old = state.links.get(step.record)
    old = old if old and old.id == identifier else Link(id=identifier)
    seen = {name: value for name, value in old.seen.items() if name not in step.fields}
    link = Link(id=identifier, sent={**old.sent, **step.fields}, seen=seen)
    off = state.switched_off
    if step.fields.get("active") == digest("yes"):
        off -= {_counterpart(step)}
    # what was to be made again is made: once
    retried = state.retried - {step.record} if step.do.startswith("Create") else state.retried
    return evolve(state, links={**state.links, step.record: link}, switched_off=off, retried=retried)


def _role_changed(state: LogState, step: LoggedStep, identifier: str) -> LogState:
    if step.grant not in {"", "suspend"}:
        state = evolve(state, suspended=state.suspended - {identifier})
    match step.grant:
        case "give" if step.do == "CreateCompany":
            return state  # the admin's own id comes with its link
        case "give":
            former = {**state.former_roles, identifier: step.former_role} if step.former_role else state.former_roles
            awaited = state.awaited - {step.record.id}
            granted = state.granted | {identifier}
            return evolve(state, granted=granted, former_roles=former, awaited=awaited, gave_way="")
        case "move":
            return evolve(state, granted=frozenset({identifier}))
        case "take":
            return evolve(state, granted=state.granted - {identifier}, gave_way=identifier)
        case "suspend":
            return evolve(state, granted=state.granted - {identifier})
        case "restore":
            return state
        case "":
            return state
        case _:
            assert_never(step.grant)
