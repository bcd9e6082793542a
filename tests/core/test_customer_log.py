"""The Customer Log: exactly which row each entry comes to, and what is kept of logs that were cut short."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.codec import encode
from acumatica_b2b.customer_log import Kept, LogRow, customer_log, merged, read_history, rows_kept, write_history
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.errors import DecodeError, Reason
from acumatica_b2b.findings import Finding, FindingKind, Status
from acumatica_b2b.logstate import LogState
from acumatica_b2b.model import Record, RecordKind
from acumatica_b2b.synclog import (
    SCHEMA,
    Body,
    Cleared,
    Decided,
    Done,
    Entry,
    Found,
    Grant,
    Intended,
    Linked,
    LoggedStep,
    NotSent,
    Refused,
    Snapshot,
    Unanswered,
    Unlinked,
)

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)
MARK = Record(RecordKind.CONTACT, "101")


def intended(do: str = "CreateUser", **fields: Any) -> Intended:
    """Return an intent."""
    return Intended(step=evolve(LoggedStep(hash="h", do=do, record=MARK), **fields), until=LATER)


def body(*entries: Entry, at: datetime = NOW) -> Body:
    """Return a commit's body."""
    return Body(run="r1", at=at, entries=entries)


def row(what: str, status: Status, *, identifier: str = "", message: str = "", at: datetime = NOW) -> LogRow:
    """Return a row about Mark."""
    return LogRow(at=at, record=MARK, what=what, status=status, id=identifier, message=message)


def rows(*entries: Entry) -> tuple[LogRow, ...]:
    """Return the rows of one commit."""
    return customer_log([body(*entries)])


DONE, REFUSED = Done(step="h", id="7"), Refused(step="h", reason=Reason.OTHER, message="no")


# ------------------------------------------------------------------ rows
@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("CreateCompany", "company created"),
        ("UpdateCompany", "company updated"),
        ("CreateUser", "company user created"),
        ("UpdateUser", "company user updated"),
        ("CreateAddress", "address created"),
        ("UpdateAddress", "address updated"),
        ("RemoveUser", "company user removed"),
        ("RemoveAddress", "address removed"),
    ],
)
def test_what_was_done(do: str, said: str) -> None:
    """Each kind of step has its words, with the counterpart's id; a removal deletes, all else is processed."""
    status = Status.DELETED if do.startswith("Remove") else Status.PROCESSED
    assert rows(intended(do), DONE) == (row(said, status, identifier="7"),)
    assert rows(intended(do), REFUSED) == (row(f"not {said}", Status.FAILED, message="no"),)
    lost = "the answer was lost; the next run looks before it sends again"
    assert rows(intended(do), Unanswered(step="h")) == (row(said, Status.PREPARED, message=lost),)


@pytest.mark.parametrize("do", ["SetRole", "MoveAdmin"])
@pytest.mark.parametrize(
    ("grant", "said"),
    [
        ("give", "made Primary Admin"),
        ("move", "made Primary Admin"),
        ("take", "Primary Admin role taken back"),
        ("suspend", "left without permissions"),
        ("restore", "former role given back"),
    ],
)
def test_roles(do: str, grant: Grant, said: str) -> None:
    """A change of role is told by what became of the Primary Admin's, or of the permissions."""
    assert rows(intended(do, grant=grant), DONE) == (row(said, Status.PROCESSED, identifier="7"),)


def test_creations_of_admins() -> None:
    """A creation tells of the role that comes along."""
    done: dict[str, Any] = {"status": Status.PROCESSED, "identifier": "7"}
    assert rows(intended(grant="give"), DONE) == (row("company user created as Primary Admin", **done),)
    made = rows(intended("CreateCompany", admin="101", grant="give"), DONE)
    assert made == (row("company created with its Primary Admin", **done),)
    assert rows(intended("CreateUser", admin="101"), DONE) == (row("company user created", **done),)


def test_references() -> None:
    """A written reference is told with its value, a cleared one without any."""
    assert rows(intended("WriteReference", reference="B2B-9"), DONE) == (
        row("commerce reference ID written", Status.PROCESSED, identifier="B2B-9"),
    )
    assert rows(intended("WriteReference"), DONE) == (row("commerce reference ID cleared", Status.PROCESSED),)


def test_links() -> None:
    """A link is told with its counterpart, and whether that is admin; what was read back of it is not."""
    assert rows(Linked(record=MARK, id="7")) == (row("linked", Status.PROCESSED, identifier="7"),)
    granted = Linked(record=MARK, id="7", granted=True)
    assert rows(granted) == (row("linked as Primary Admin", Status.PROCESSED, identifier="7"),)
    assert rows(Linked(record=MARK, id="7", seen={"phone": "x"})) == ()
    assert rows(Unlinked(record=MARK)) == (row("unlinked", Status.DELETED),)


@pytest.mark.parametrize(
    ("choice", "said", "status"),
    [
        (Choice.RETRY, "to be tried again", Status.PREPARED),
        (Choice.SKIP, "to be skipped", Status.SKIPPED),
        (Choice.LINK, "linked by a person", Status.PREPARED),
        (Choice.UNLINK, "unlinked by a person", Status.PREPARED),
        (Choice.ADOPT, "company adopted by a person", Status.PREPARED),
    ],
)
def test_decisions(choice: Choice, said: str, status: Status) -> None:
    """A person's decision is told with who made it and the counterpart that it names."""
    decided = Decided(by="Eve", decision=Decision(choice=choice, record=MARK, id="7"))
    assert rows(decided) == (row(said, status, identifier="7", message="said by Eve"),)


def test_findings() -> None:
    """A finding is told by its kind's name, with its meaning and the way out; that it is gone is not told."""
    finding = Finding(record=MARK, kind=FindingKind.EMAIL_OWNED_ELSEWHERE, detail="company user 7 of company 1")
    message = f"{finding.meaning}; {finding.way_out}"
    assert rows(Found(finding=finding)) == (row("email owned elsewhere", Status.HELD, message=message),)
    assert rows(Cleared(finding=finding)) == ()


@pytest.mark.parametrize("entry", [intended(), NotSent(step="h"), DONE, REFUSED, Unanswered(step="h")])
def test_no_row(entry: Entry) -> None:
    """An intent is nothing for people, nor what never went out, nor the end of a step that nobody intended."""
    assert rows(entry) == ()


# ------------------------------------------------------------------ over commits
def test_order() -> None:
    """Rows stand in the order of commits and entries, each at its commit's time, also of steps intended before."""
    first = body(intended(), Unlinked(record=MARK), Linked(record=MARK, id="7"))
    assert customer_log([first, body(DONE, at=LATER)]) == (
        row("unlinked", Status.DELETED),
        row("linked", Status.PROCESSED, identifier="7"),
        row("company user created", Status.PROCESSED, identifier="7", at=LATER),
    )


def test_kept() -> None:
    """What is kept of commits is known by their versions; those without rows are left out."""
    commits = [(3, body(Unlinked(record=MARK))), (4, body(intended())), (7, body(DONE, at=LATER))]
    assert rows_kept(commits) == (
        Kept(version=3, at=NOW, rows=(row("unlinked", Status.DELETED),)),
        Kept(version=7, at=LATER, rows=(row("company user created", Status.PROCESSED, identifier="7", at=LATER),)),
    )


def test_snapshot() -> None:
    """A step that was open when the log was cut short is known by the snapshot, beside those intended since."""
    other = evolve(intended("UpdateUser"), step=evolve(intended("UpdateUser").step, hash="k"))
    snapshot = Snapshot(state=encode(LogState(open={"h": intended()})))
    assert rows(other, snapshot, DONE, Done(step="k", id="8")) == (
        row("company user created", Status.PROCESSED, identifier="7"),
        row("company user updated", Status.PROCESSED, identifier="8"),
    )


def test_merged() -> None:
    """Rows of several readings are put in the order of their commits, each commit once."""
    one, two = row("linked", Status.PROCESSED), row("unlinked", Status.DELETED)
    kept = [Kept(version=5, at=LATER, rows=(two,)), Kept(version=2, at=NOW, rows=(one,))]
    assert merged([*kept, *kept]) == (one, two)


# ------------------------------------------------------------------ history
def test_history_is_read_back() -> None:
    """What is written as history is read back, letter by letter."""
    kept = (Kept(version=3, at=NOW, rows=(row("linked", Status.PROCESSED, message="said by Änne"),)),)
    text = write_history(kept, run="r1", at=LATER)
    assert read_history(text) == kept
    assert "Änne" in text
    assert ", " not in text
    head = json.loads(text)
    assert (head["schema"], head["run"], head["at"]) == (SCHEMA, "r1", LATER.isoformat())


@pytest.mark.parametrize(
    "text", ["", "[]", json.dumps({"schema": SCHEMA + 1, "run": "", "at": NOW.isoformat(), "entries": []})]
)
def test_bad_history(text: str) -> None:
    """What is no history, or one of a newer version, is refused."""
    with pytest.raises(DecodeError):
        read_history(text)
