"""What entries make of the state of a customer's log."""

from collections.abc import Iterable
from typing import assert_never

from attrs import evolve

from acumatica_b2b.codec import decode, encode
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.logstate import Draft, Link, LogState, Refusals, draft_of
from acumatica_b2b.model import Record, RecordKind
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
)


def fold(bodies: Iterable[Body], state: LogState | None = None) -> LogState:
    """Return the state that commits imply, in the order of their versions."""
    draft = draft_of(state or LogState())
    for body in bodies:
        if body.run != draft.run:  # whoever writes has observed first: what was open is answered by that
            draft.run, draft.open = body.run, {}
        for entry in body.entries:
            draft = _added(draft, entry)
    return draft.state()


def applied(state: LogState, *entries: Entry) -> LogState:
    """Return the state after more entries."""
    draft = draft_of(state)
    for entry in entries:
        draft = _added(draft, entry)
    return draft.state()


def snapshot(state: LogState) -> Snapshot:
    """Return what stands for all entries that a state was folded from."""
    return Snapshot(state=encode(state))


# ------------------------------------------------------------------ entries
def _added(draft: Draft, entry: Entry) -> Draft:
    """Return the draft with one more entry."""
    match entry:
        case Intended(step=step):
            draft.open[step.hash] = entry
            _intend(draft, step)
        case Done(step=key, id=identifier):
            if intent := draft.open.pop(key, None):
                _do(draft, intent.step, identifier)
        case Refused(step=key):
            refusals = _once_more(draft, entry)
            _undo(draft, key)
            draft.refusals[key] = refusals
        case NotSent(step=key):
            _undo(draft, key)
        case Unanswered():
            pass
        case Linked():
            _link(draft, entry)
        case Unlinked(record=record):
            _unlink(draft, record)
        case Found(finding=finding):
            draft.findings.add(finding)
        case Cleared(finding=finding):
            draft.findings.discard(finding)
        case SettledAt():
            draft.digest, draft.primary = entry.digest, entry.primary
            draft.places, draft.basis = entry.places, entry.basis
            if entry.digest:
                draft.awaited, draft.retried = set(), set()
        case Decided(decision=decision):
            draft.digest = ""
            _decide(draft, decision)
        case Snapshot(state=kept):
            return draft_of(decode(kept, LogState))
        case _:
            assert_never(entry)
    return draft


def _intend(draft: Draft, step: LoggedStep) -> None:
    """Keep what must be known if nobody hears whether the step took effect."""
    if _creates_admin(step):
        draft.awaited.add(step.admin or step.record.id)
    if step.fields.get("active") == _OFF:
        draft.switched_off.add(_counterpart(step))
    match step.grant:
        case "give" if step.id and step.former_role:
            draft.former_roles[step.id] = step.former_role
        case "take":
            draft.gave_way = step.id
        case "suspend":
            draft.suspended.add(step.id)
        case _:
            pass


def _undo(draft: Draft, key: str) -> None:
    """Forget that a step was intended."""
    intent = draft.open.pop(key, None)
    if intent is None:
        return
    step = intent.step
    if _creates_admin(step):
        draft.awaited.discard(step.admin or step.record.id)
    if step.fields.get("active") == _OFF:
        draft.switched_off.discard(_counterpart(step))
    if step.grant == "take" and draft.gave_way == step.id:
        draft.gave_way = ""


def _creates_admin(step: LoggedStep) -> bool:
    return step.grant == "give" and step.do in {"CreateCompany", "CreateUser"}


def _counterpart(step: LoggedStep) -> tuple[RecordKind, str]:
    return step.record.kind, step.id


_ON, _OFF = digest("yes"), digest("no")
"""What a field *active* is switched to."""


def _once_more(draft: Draft, refused: Refused) -> Refusals:
    before, intent = draft.refusals.get(refused.step), draft.open.get(refused.step)
    record = refused.record or (intent.step.record if intent else None)
    return Refusals(record=record, times=before.times + 1 if before else 1)


def _decide(draft: Draft, decision: Decision) -> None:
    record, pair = decision.record, (decision.record, decision.id)
    match decision.choice:
        case Choice.RETRY if record.kind is RecordKind.CUSTOMER:
            draft.refusals, draft.skipped = {}, set()
            draft.retried |= {record, *draft.links}
        case Choice.RETRY:
            draft.refusals = {key: one for key, one in draft.refusals.items() if one.record not in {None, record}}
            draft.skipped.discard(record)
            draft.retried.add(record)
        case Choice.SKIP:
            draft.skipped.add(record)
        case Choice.LINK | Choice.ADOPT:
            draft.apart.discard(pair)
        case Choice.UNLINK:
            draft.apart.add(pair)
        case _:
            assert_never(decision.choice)


def _link(draft: Draft, entry: Linked) -> None:
    old = _link_to(draft, entry.record, entry.id)
    draft.links[entry.record] = evolve(old, seen={**old.seen, **entry.seen})
    draft.awaited.discard(entry.record.id)
    if entry.granted:
        draft.granted.add(entry.id)


def _link_to(draft: Draft, record: Record, identifier: str) -> Link:
    """Return the link of a record; a new one where it led to somebody else."""
    old = draft.links.get(record)
    return old if old and old.id == identifier else Link(id=identifier)


def _unlink(draft: Draft, record: Record) -> None:
    if old := draft.links.pop(record, None):
        draft.granted.discard(old.id)


def _do(draft: Draft, step: LoggedStep, identifier: str) -> None:
    if step.do != "UpdateUser" or "email" not in step.fields:  # whether the shop took an address is read back
        draft.refusals.pop(step.hash, None)
    match step.do:
        case "WriteReference" if step.reference:
            draft.references[step.record] = step.reference
        case "WriteReference":
            draft.references.pop(step.record, None)
        case "RemoveUser" | "RemoveAddress":
            _unlink(draft, step.record)
        case "SetRole" | "MoveAdmin":
            _change_role(draft, step, identifier)
        case _:
            _send(draft, step, identifier)
            _change_role(draft, step, identifier)


def _send(draft: Draft, step: LoggedStep, identifier: str) -> None:
    old = _link_to(draft, step.record, identifier)
    seen = {name: value for name, value in old.seen.items() if name not in step.fields}
    draft.links[step.record] = Link(id=identifier, sent={**old.sent, **step.fields}, seen=seen)
    if step.fields.get("active") == _ON:
        draft.switched_off.discard(_counterpart(step))
    if step.do.startswith("Create"):  # what was to be made again is made: once
        draft.retried.discard(step.record)


def _change_role(draft: Draft, step: LoggedStep, identifier: str) -> None:
    if step.grant not in {"", "suspend"}:
        draft.suspended.discard(identifier)
    match step.grant:
        case "give" if step.do == "CreateCompany":
            pass  # the admin's own id comes with its link
        case "give":
            draft.granted.add(identifier)
            draft.awaited.discard(step.record.id)
            draft.gave_way = ""
            if step.former_role:
                draft.former_roles[identifier] = step.former_role
        case "move":
            draft.granted = {identifier}
        case "take":
            draft.granted.discard(identifier)
            draft.gave_way = identifier
        case "suspend":
            draft.granted.discard(identifier)
        case "restore" | "":
            pass
        case _:
            assert_never(step.grant)
