"""The Customer Log: what happened to a customer and its records, for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from acumatica_b2b.codec import decode, encode
from acumatica_b2b.decisions import Choice
from acumatica_b2b.findings import Status
from acumatica_b2b.logstate import LogState
from acumatica_b2b.model import CustomerID, Record
from acumatica_b2b.protocols import Commit
from acumatica_b2b.synclog import (
    SCHEMA,
    Body,
    Decided,
    Done,
    Entry,
    Found,
    Intended,
    Linked,
    LoggedStep,
    Refused,
    Snapshot,
    Unanswered,
    Unlinked,
    read_body,
    read_envelope,
)


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
    "suspend": "left without permissions",
    "restore": "former role given back",
}


_SAID_BY_PEOPLE: Mapping[Choice, str] = {
    Choice.RETRY: "to be tried again",
    Choice.SKIP: "to be skipped",
    Choice.LINK: "linked by a person",
    Choice.UNLINK: "unlinked by a person",
    Choice.ADOPT: "company adopted by a person",
}


@frozen(kw_only=True)
class Kept:
    """The rows that one commit of a customer's log came to."""

    version: int
    at: datetime
    rows: tuple[LogRow, ...]


def customer_log(bodies: Iterable[Body]) -> tuple[LogRow, ...]:
    """Return what happened to a customer and its records, oldest first."""
    return merged(rows_kept(enumerate(bodies)))


def merged(kept: Iterable[Kept]) -> tuple[LogRow, ...]:
    """Return the rows of commits in their order, each once."""
    rows = {one.version: one.rows for one in kept}
    return tuple(row for version in sorted(rows) for row in rows[version])


def rows_kept(commits: Iterable[tuple[int, Body]]) -> tuple[Kept, ...]:
    """Return the rows that commits come to, by their versions; commits without any are left out."""
    kept: list[Kept] = []
    steps: dict[str, LoggedStep] = {}
    for version, body in commits:
        rows: list[LogRow] = []
        for entry in body.entries:
            match entry:
                case Intended(step=step):
                    steps[step.hash] = step
                case Snapshot(state=state):
                    steps |= {key: intent.step for key, intent in decode(state, LogState).open.items()}
                case _ if row := _row(body.at, entry, steps):
                    rows.append(row)
                case _:
                    pass
        if rows:
            kept.append(Kept(version=version, at=body.at, rows=tuple(rows)))
    return tuple(kept)


def write_history(kept: Iterable[Kept], *, run: str, at: datetime) -> str:
    """Return the body of a commit that keeps rows of logs that were cut short."""
    entries = [encode(one) for one in kept]
    body = {"schema": SCHEMA, "run": run, "at": at.isoformat(), "entries": entries}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def read_history(text: str) -> tuple[Kept, ...]:
    """Return the rows that such a commit keeps.

    Raises:
        DecodeError: it is none of this or an older schema.

    """
    return tuple(decode(entry, Kept) for entry in read_envelope(text, SCHEMA).entries)


@frozen(kw_only=True)
class Log:
    """A customer's log as it is stored, and what is kept of its past."""

    customer: CustomerID
    commits: Sequence[Commit]
    history: Sequence[Commit]

    @property
    def version(self) -> int:
        """The last one; 0: there is none."""
        return self.commits[-1].version if self.commits else 0

    def bodies(self) -> list[Body]:
        """Return what its commits say."""
        return [read_body(commit.body) for commit in self.commits]

    def rows(self) -> tuple[Kept, ...]:
        """Return the rows of the Customer Log that its own commits come to."""
        return rows_kept(zip((commit.version for commit in self.commits), self.bodies(), strict=True))

    def kept(self) -> tuple[Kept, ...]:
        """Return what is kept of the past, and what the log itself says."""
        return (*(one for commit in self.history for one in read_history(commit.body)), *self.rows())

    def told(self) -> tuple[LogRow, ...]:
        """Return the Customer Log, oldest first."""
        return merged(self.kept())


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
            return LogRow(
                at=at,
                record=entry.record,
                what="linked as Primary Admin" if entry.granted else "linked",
                status=Status.PROCESSED,
                id=entry.id,
            )
        case Decided(by=by, decision=decision):
            what, message = _SAID_BY_PEOPLE[decision.choice], f"said by {by}"
            status = Status.SKIPPED if decision.choice is Choice.SKIP else Status.PREPARED
            return LogRow(at=at, record=decision.record, what=what, status=status, id=decision.id, message=message)
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
