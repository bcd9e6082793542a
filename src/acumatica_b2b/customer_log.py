"""The Customer Log: what happened to a customer and its records, for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from acumatica_b2b.findings import Status
from acumatica_b2b.model import Record
from acumatica_b2b.synclog import Body, Done, Entry, Found, Intended, Linked, LoggedStep, Refused, Unanswered, Unlinked


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
            return LogRow(
                at=at,
                record=entry.record,
                what="linked as Primary Admin" if entry.granted else "linked",
                status=Status.PROCESSED,
                id=entry.id,
            )
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
