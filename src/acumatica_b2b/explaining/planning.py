"""What the next sync would do about a contact, what the guard says of it, and what happened last."""

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from acumatica_b2b.actions import CreateCompany, CreateUser, MoveAdmin, RemoveUser, SetRole, Step, WriteReference
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.explaining.dossier import Dossier, Side
from acumatica_b2b.explaining.explanation import Line, Mark, of_finding
from acumatica_b2b.explaining.standing import OF_MATCH
from acumatica_b2b.findings import FindingKind, Status
from acumatica_b2b.guard import is_approved, most, spent_lately, within
from acumatica_b2b.policy import Guarded
from acumatica_b2b.steps import record_of
from acumatica_b2b.words import PRIMARY_ADMIN, describe

_LAST: Final = 8
"""So many of the last outcomes are told."""


# ------------------------------------------------------------------ plan
def of_plan(dossier: Dossier) -> Iterator[Line]:
    """Yield the steps about the contact, what each waits for, and what keeps the rest from being done."""
    for side in dossier.sides:
        at = dossier.at(side)
        if side.plan is None:
            yield Line(text=f"{at}no plan can be made: {side.error}", mark=Mark.WAITS)
        for step in side.steps:
            what = f"{at}{describe(step, dossier.terms.policy.primary_role)}{_once(step, side)}"
            yield Line(text=what, mark=Mark.STEP, kind=type(step).__name__)
        for step in side.on_approval:
            what = f"{at}{describe(step, dossier.terms.policy.primary_role)}, once a person approves it"
            yield Line(text=what, mark=Mark.WAITS, kind=type(step).__name__)
        yield from (of_finding(f) for f in side.findings if f not in side.mapped and _of_plan(f.kind))
    if not any(side.steps or side.error for side in dossier.sides):
        yield Line(text="nothing to do", mark=Mark.GOOD)


def _of_plan(kind: FindingKind) -> bool:
    return kind not in OF_MATCH and kind is not FindingKind.GUARD_HELD


def _once(step: Step, side: Side) -> str:
    """Return what a step waits for, as the end of a sentence."""
    steps = side.plan.steps if side.plan else ()
    before = steps[: steps.index(step)]
    makes_company = any(isinstance(other, CreateCompany) for other in before)
    match step:
        case CreateUser() if makes_company:
            return ", once its company is there"
        case SetRole() if any(_gives(other, step, side) for other in before):
            return f", once another user is {PRIMARY_ADMIN}"
        case SetRole() | MoveAdmin() if any(_makes(other, side) for other in before):
            return ", once it is a company user"
        case RemoveUser():
            return ", in the second pass, once nothing else is left to do"
        case WriteReference() if any(_makes(other, side) for other in before):
            return ", once it is a company user"
        case _:
            return ""


def _gives(other: Step, step: SetRole, side: Side) -> bool:
    """Tell whether a step makes somebody else the admin who this one's user is no more."""
    role = side.world.policy.primary_role if side.world else ""
    gives = isinstance(other, SetRole | CreateUser) and other.role == role
    return gives and step.role != role and record_of(other) != side.record


def _makes(step: Step, side: Side) -> bool:
    """Tell whether a step makes the contact's user."""
    return isinstance(step, CreateUser | CreateCompany) and step in side.steps


# ------------------------------------------------------------------ guard
def of_guard(dossier: Dossier) -> Iterator[Line]:
    """Yield which of the steps are counted, what is held back, and how much of each limit is spent."""
    counted = [(step, kind, side) for side in dossier.sides for step, kind in side.counted.items()]
    for step, kind, side in counted:
        yield _judged(step, kind, dossier, side)
    for side in dossier.sides:
        yield from (of_finding(f) for f in side.findings if f.kind is FindingKind.GUARD_HELD)
    if not counted:
        yield Line(text="none of its steps is counted", mark=Mark.QUIET)
    used = ", ".join(_used(kind, dossier) for kind in Guarded)
    yield Line(text=f"in the last {dossier.terms.policy.limits.hours:g} hours: {used}", mark=Mark.QUIET)


def _judged(step: Step, kind: Guarded, dossier: Dossier, side: Side) -> Line:
    what = f"“{describe(step, dossier.terms.policy.primary_role)}” counts among the {kind.value}"
    if _is_approved(step, dossier):
        return Line(text=f"{what}; somebody approved it", mark=Mark.GOOD, kind=kind.name)
    if step in side.steps and _fits(kind, dossier):
        return Line(text=f"{what} and may go out", mark=Mark.GOOD, kind=kind.name)
    why = "of which no more may go out now" if step in side.steps else "too many for one company"
    return Line(text=f"{what}, {why}: it is held", way_out=_APPROVE, mark=Mark.WAITS, kind=kind.name)


def is_held(dossier: Dossier) -> bool:
    """Tell whether the guard would hold one of the steps back."""
    counted = (one for side in dossier.sides for one in side.counted.items() if one[0] in side.steps)
    return any(not (_is_approved(step, dossier) or _fits(kind, dossier)) for step, kind in counted)


def _is_approved(step: Step, dossier: Dossier) -> bool:
    return is_approved(step, dossier.tally.approved(dossier.terms.policy.limits, dossier.now))


def _fits(kind: Guarded, dossier: Dossier) -> bool:
    return within(dossier.terms.policy.limits, dossier.tally, kind, 1, dossier.now)


_APPROVE: Final = "look at the plan, and approve it if it is right"


def _used(kind: Guarded, dossier: Dossier) -> str:
    """Return how much of a limit is spent: so many of those that may go out in all."""
    limits, tally = dossier.terms.policy.limits, dossier.tally
    return f"{kind.value} {spent_lately(limits, tally, kind, dossier.now)} of {most(limits, tally, kind)}"


# ------------------------------------------------------------------ what happened
def of_outcomes(dossier: Dossier) -> Iterator[Line]:
    """Yield who is at work, what is under way, what people decided, and the last rows of the Customer Log."""
    for side in dossier.sides:
        at = dossier.at(side)
        if side.busy_until:
            until = side.busy_until.astimezone(UTC)
            text = f"{at}another run is at work on it, or was cut off: it has it until {until:%H:%M:%S} UTC"
            yield Line(text=text, way_out="ask again after that: it may change what is said here", mark=Mark.WAITS)
        yield from _under_way(side, at)
        yield from _decided(side, at)
    rows = sorted((row for side in dossier.sides for row in side.rows), key=lambda row: row.at)
    if len(rows) > _LAST:
        yield Line(text=f"{len(rows) - _LAST} earlier rows are in the Customer Log", mark=Mark.QUIET)
    yield from map(_row, rows[-_LAST:])
    if not rows:
        yield Line(text="nothing has happened to it yet", mark=Mark.QUIET)


def _under_way(side: Side, at: str) -> Iterator[Line]:
    for intent in side.before.open.values():
        if intent.step.record == side.record or intent.step.admin == side.contact:
            text = f"{at}{intent.step.do} was begun and nobody knows what came of it; the next sync looks first"
            yield Line(text=text, mark=Mark.WAITS, kind=intent.step.do)


def _decided(side: Side, at: str) -> Iterator[Line]:
    """Yield what people decided and is in force; that it is skipped stands among the reasons."""
    for record, identifier in sorted(side.before.apart):
        if record == side.record:
            yield Line(text=f"{at}somebody said that it is not company user {identifier}", mark=Mark.QUIET)
    if side.record in side.before.retried:
        yield Line(text=f"{at}somebody said that it is to be tried again", mark=Mark.QUIET)


def _row(row: LogRow) -> Line:
    bad = row.status in {Status.FAILED, Status.ABORTED}
    named = f" ({row.id})" if row.id else ""
    message = f": {row.message}" if row.message else ""
    mark = Mark.WAITS if bad else Mark.QUIET if row.message else Mark.SAID
    return Line(text=f"{row.what}{named}{message}", mark=mark, at=row.at)
