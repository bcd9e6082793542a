"""The sync log: commits, their entries, the state they fold to, and the Customer Log for people.

It holds what observing can't tell: which links and grants are ours, what was sent and what was
read back after it, what may still be under way, who was refused how often, which findings are known.
Values of fields are kept as digests.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any, Literal, TypeAlias, assert_never

from attrs import evolve, field, frozen

from acumatica_b2b.codec import decode, decode_tagged, encode_tagged
from acumatica_b2b.errors import DecodeError, Reason
from acumatica_b2b.findings import Finding, Status
from acumatica_b2b.model import ContactID, Record, RecordKind, StorefrontID, UserID

SCHEMA = 1


def digest(value: object) -> str:
    """Return 16 hexadecimal digits that stand for a value made of texts, numbers and tuples."""
    return hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()


def _no_fields() -> Mapping[str, str]:
    return {}


@frozen(kw_only=True)
class LoggedStep:
    """What the log keeps of a step; `fields` are digests of what is sent."""

    hash: str
    do: str
    record: Record
    id: str = ""
    email: str = ""
    """Of a creation only: it is found by it when its answer is lost."""
    admin: str = ""
    """Of a company's creation only: the contact who is its first admin."""
    grant: Literal["", "give", "take", "move"] = ""
    former_role: str = ""
    reference: str = ""
    fields: Mapping[str, str] = field(factory=_no_fields, hash=False)


# ------------------------------------------------------------------ entries
@frozen(kw_only=True)
class Intended:
    """A step is about to go out, and may be sent until then."""

    step: LoggedStep
    until: datetime


@frozen(kw_only=True)
class Done:
    """The intended step with that hash took effect on the record with that id."""

    step: str
    id: str


@frozen(kw_only=True)
class Refused:
    """The other system said no to the intended step with that hash."""

    step: str
    reason: Reason
    message: str = ""


@frozen(kw_only=True)
class Unanswered:
    """Nobody knows whether the intended step with that hash took effect."""

    step: str


@frozen(kw_only=True)
class NotSent:
    """The intended step with that hash never went out."""

    step: str


@frozen(kw_only=True)
class Linked:
    """A record and its counterpart belong together; `seen` is what was read back of what was sent."""

    record: Record
    id: str
    granted: bool = False
    seen: Mapping[str, str] = field(factory=_no_fields, hash=False)


@frozen(kw_only=True)
class Unlinked:
    """A record has no counterpart any more."""

    record: Record


@frozen(kw_only=True)
class Found:
    """A finding came up."""

    finding: Finding


@frozen(kw_only=True)
class Cleared:
    """A finding is no longer so."""

    finding: Finding


@frozen(kw_only=True)
class SettledAt:
    """For ERP values with this digest there is nothing left to do; "": there is."""

    digest: str
    primary: str = ""


Entry: TypeAlias = Intended | Done | Refused | Unanswered | NotSent | Linked | Unlinked | Found | Cleared | SettledAt


@frozen(kw_only=True)
class Body:
    """What one commit says."""

    run: str
    at: datetime
    entries: tuple[Entry, ...]


def write_body(body: Body) -> str:
    """Return a commit's body as JSON text."""
    entries = [encode_tagged(entry) for entry in body.entries]
    return json.dumps(
        {"schema": SCHEMA, "run": body.run, "at": body.at.isoformat(), "entries": entries},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def read_body(text: str) -> Body:
    """Return what a commit's text says.

    Raises:
        DecodeError: it is not a body of this or an older schema.

    """
    envelope = read_envelope(text, SCHEMA)
    return Body(
        run=envelope.run,
        at=envelope.at,
        entries=tuple(decode_tagged(entry, Entry) for entry in envelope.entries),
    )


@frozen(kw_only=True)
class Envelope:
    """What every commit of the log has, whatever its entries."""

    schema: int
    run: str
    at: datetime
    entries: tuple[Any, ...]


def read_envelope(text: str, newest: int) -> Envelope:
    """Return a commit's text with its entries as plain data.

    Raises:
        DecodeError: it is not of the documented shape, or of a schema above the newest.

    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("a commit of the log is no JSON") from None
    envelope = decode(data, Envelope)
    if envelope.schema > newest:
        raise DecodeError(f"a commit of the log has schema {envelope.schema}; this version reads up to {newest}")
    return envelope


# ------------------------------------------------------------------ state
@frozen(kw_only=True)
class Link:
    """A record's counterpart, with digests of what was last sent to it and what came back of that."""

    id: str
    sent: Mapping[str, str] = field(factory=_no_fields, hash=False)
    seen: Mapping[str, str] = field(factory=_no_fields, hash=False)


@frozen(kw_only=True)
class LogState:
    """What a customer's log says, folded."""

    run: str = ""
    links: Mapping[Record, Link] = field(factory=dict[Record, Link])
    granted: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    """Contacts whose user is created with the Primary Admin's role; its id is not known yet."""
    former_roles: Mapping[str, str] = field(factory=dict[str, str])
    gave_way: str = ""
    """Who lost the Primary Admin's role to us last."""
    references: Mapping[Record, str] = field(factory=dict[Record, str])
    open: Mapping[str, Intended] = field(factory=dict[str, Intended])
    refusals: Mapping[str, int] = field(factory=dict[str, int])
    findings: frozenset[Finding] = frozenset()
    digest: str = ""
    primary: str = ""
    """The primary contact that was last seen."""

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
            awaited = state.awaited | {step.admin or step.record.id} if _creates_admin(step) else state.awaited
            return evolve(state, open={**state.open, step.hash: entry}, awaited=awaited)
        case Done(step=key, id=identifier):
            intent = state.open.get(key)
            return _done(_closed(state, key), intent.step, identifier) if intent else state
        case Refused(step=key):
            refusals = {**state.refusals, key: state.refusals.get(key, 0) + 1}
            return evolve(_without(state, key), refusals=refusals)
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
            awaited = frozenset[str]() if entry.digest else state.awaited
            return evolve(state, digest=entry.digest, primary=entry.primary, awaited=awaited)
        case _:
            assert_never(entry)


def _closed(state: LogState, key: str) -> LogState:
    return evolve(state, open={k: intent for k, intent in state.open.items() if k != key})


def _without(state: LogState, key: str) -> LogState:
    """Return the state as if the step had not been intended."""
    intent = state.open.get(key)
    if intent and _creates_admin(intent.step):
        state = evolve(state, awaited=state.awaited - {intent.step.admin or intent.step.record.id})
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
    return evolve(state, links={**state.links, step.record: link})


def _role_changed(state: LogState, step: LoggedStep, identifier: str) -> LogState:
    match step.grant:
        case "give" if step.do == "CreateCompany":
            return state  # the admin's own id comes with its link
        case "give":
            former = {**state.former_roles, identifier: step.former_role} if step.former_role else state.former_roles
            awaited = state.awaited - {step.record.id}
            return evolve(state, granted=state.granted | {identifier}, former_roles=former, awaited=awaited)
        case "move":
            return evolve(state, granted=frozenset({identifier}))
        case "take":
            return evolve(state, granted=state.granted - {identifier}, gave_way=identifier)
        case "":
            return state
        case _:
            assert_never(step.grant)


# ------------------------------------------------------------------ the Customer Log
@frozen(kw_only=True)
class LogRow:
    """One line of the Customer Log."""

    at: datetime
    record: Record
    what: str
    status: Status
    id: str = ""
    message: str = ""


_SAID: Mapping[str, str] = {
    "CreateCompany": "company created",
    "UpdateCompany": "company updated",
    "CreateUser": "company user created",
    "UpdateUser": "company user updated",
    "CreateAddress": "address created",
    "UpdateAddress": "address updated",
    "RemoveUser": "company user removed",
    "RemoveAddress": "address removed",
    "WriteReference": "commerce reference ID written",
}
_SAID_OF_ROLE: Mapping[str, str] = {
    "give": "made Primary Admin",
    "move": "made Primary Admin",
    "take": "Primary Admin role taken back",
}


def customer_log(bodies: Iterable[Body]) -> tuple[LogRow, ...]:
    """Return what happened to a customer and its records, oldest first."""
    rows: list[LogRow] = []
    steps: dict[str, LoggedStep] = {}
    for body in bodies:
        for entry in body.entries:
            if isinstance(entry, Intended):
                steps[entry.step.hash] = entry.step
            elif row := _row(body.at, entry, steps):
                rows.append(row)
    return tuple(rows)


def _row(at: datetime, entry: Entry, steps: Mapping[str, LoggedStep]) -> LogRow | None:
    match entry:
        case Done(step=key) if step := steps.get(key):
            status = Status.DELETED if step.do.startswith("Remove") else Status.PROCESSED
            shown = step.reference if step.do == "WriteReference" else entry.id
            return LogRow(at=at, record=step.record, what=_said(step), status=status, id=shown)
        case Refused(step=key) if step := steps.get(key):
            return LogRow(
                at=at, record=step.record, what=f"not {_said(step)}", status=Status.FAILED, message=entry.message
            )
        case Unanswered(step=key) if step := steps.get(key):
            message = "the answer was lost; the next run looks before it sends again"
            return LogRow(at=at, record=step.record, what=_said(step), status=Status.PREPARED, message=message)
        case Linked(seen=seen) if not seen:
            return LogRow(at=at, record=entry.record, what="linked", status=Status.PROCESSED, id=entry.id)
        case Unlinked():
            return LogRow(at=at, record=entry.record, what="unlinked", status=Status.DELETED)
        case Found(finding=finding):
            what = finding.kind.name.lower().replace("_", " ")
            message = f"{finding.meaning}; {finding.way_out}"
            return LogRow(at=at, record=finding.record, what=what, status=finding.status, message=message)
        case _:
            return None


def _said(step: LoggedStep) -> str:
    if step.do in {"SetRole", "MoveAdmin"}:
        return _SAID_OF_ROLE[step.grant]
    if step.do == "WriteReference" and not step.reference:
        return "commerce reference ID cleared"
    if step.do == "CreateCompany" and step.admin:
        return "company created with its Primary Admin"
    return _SAID[step.do] + (" as Primary Admin" if step.grant == "give" else "")
