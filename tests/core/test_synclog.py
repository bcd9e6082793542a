"""The sync log: what is written is read back, what folds to which state, and what people read in it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.customer_log import customer_log
from acumatica_b2b.decisions import Decision
from acumatica_b2b.errors import DecodeError, Reason
from acumatica_b2b.findings import Finding, FindingKind, Status
from acumatica_b2b.folding import applied, fold, snapshot
from acumatica_b2b.logstate import LogState, Refusals
from acumatica_b2b.model import Record, RecordKind
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.sweep import known_primary
from acumatica_b2b.synclog import (
    SCHEMA,
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
    last_fingerprint,
    primary_told,
    read_body,
    write_body,
)

NOW: Final = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(minutes=2)
MARK: Final = Record(RecordKind.CONTACT, "101")
ANNA: Final = Record(RecordKind.CONTACT, "102")
ACME: Final = Record(RecordKind.CUSTOMER, "C1")


def step(do: str, record: Record = MARK, **fields: Any) -> LoggedStep:
    """Return a logged step."""
    return LoggedStep(**{"hash": f"{do} {record.id}", "do": do, "record": record, **fields})


def intended(do: str, record: Record = MARK, **fields: Any) -> Intended:
    """Return an intent."""
    return Intended(step=step(do, record, **fields), until=LATER)


def did(do: str, record: Record = MARK, made: str = "7", **fields: Any) -> tuple[Entry, Entry]:
    """Return an intent and its end."""
    return intended(do, record, **fields), Done(step=f"{do} {record.id}", id=made)


def body(*entries: Entry, run: str = "r1", at: datetime = NOW) -> Body:
    """Return a commit's body."""
    return Body(run=run, at=at, entries=entries)


def state(*entries: Entry) -> LogState:
    """Return what entries of one run fold to."""
    return fold([body(*entries)])


# ------------------------------------------------------------------ writing and reading
texts = st.text(max_size=8)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds have none
records = st.builds(Record, st.sampled_from(RecordKind), texts)
fields = st.dictionaries(texts, texts, max_size=2)
steps = st.builds(LoggedStep, grant=st.sampled_from(("", "give", "take", "move")), fields=fields, record=records)
findings = st.builds(Finding, record=records, kind=st.sampled_from(FindingKind), detail=texts)
entries: dict[type, st.SearchStrategy[Any]] = {
    Intended: st.builds(Intended, step=steps, until=moments),
    Done: st.builds(Done),
    Refused: st.builds(Refused, reason=st.sampled_from(Reason)),
    Unanswered: st.builds(Unanswered),
    NotSent: st.builds(NotSent),
    Linked: st.builds(Linked, record=records, seen=fields),
    Unlinked: st.builds(Unlinked, record=records),
    Found: st.builds(Found, finding=findings),
    Cleared: st.builds(Cleared, finding=findings),
    SettledAt: st.builds(SettledAt),
    Decided: st.builds(Decided, decision=st.builds(Decision, record=records)),
    Snapshot: st.just(Snapshot(state={})),
}
bodies = st.builds(Body, run=texts, at=moments, entries=st.lists(st.one_of(*entries.values()), max_size=4).map(tuple))


def test_every_entry_is_drawn() -> None:
    """The round trip is tried with every kind of entry there is."""
    assert set(entries) == set(Entry.__args__)


@given(bodies)
def test_round_trip(one: Body) -> None:
    """What is written is read back, entry by entry."""
    assert read_body(write_body(one)) == one


told = st.one_of(
    st.builds(SettledAt, digest=texts, primary=texts),
    st.builds(LogState, primary=texts, digest=texts).map(snapshot),
    *entries.values(),
)
histories = st.lists(st.lists(told, max_size=4).map(lambda some: body(*some)), max_size=4)


@given(histories)
def test_the_primary_contact_is_told_without_folding(history: list[Body]) -> None:
    """The newest commit that tells the primary contact tells the one that all commits fold to."""
    commits = [Commit(key=LogKey("k"), version=i, body=write_body(one)) for i, one in enumerate(history, 1)]
    assert known_primary(commits) == fold(history).primary


@pytest.mark.parametrize(
    "bad", ["", "[]", "{}", '{"schema": 99, "run": "", "at": "2024-05-01T12:00:00Z", "entries": []}']
)
def test_no_primary_contact_is_read_from_what_is_no_commit(bad: str) -> None:
    """What is no commit, or one of a later schema, tells no primary contact: it is refused."""
    with pytest.raises(DecodeError):
        primary_told(bad)


fingerprints = st.sampled_from(["", "0123456789abcdef"])
settled = st.builds(
    SettledAt, digest=fingerprints, primary=texts, places=fingerprints, basis=fingerprints, fingerprint=fingerprints
)


@given(bodies, st.lists(settled, max_size=2))
def test_fingerprint_at_the_end(one: Body, more: list[SettledAt]) -> None:
    """The fingerprint that a log ends with is told from the text as from the entries; at worst none is told."""
    one = evolve(one, entries=(*one.entries, *more))
    last = one.entries[-1] if one.entries else None
    found = last_fingerprint(write_body(one))
    known = last.fingerprint if isinstance(last, SettledAt) and last.digest else ""
    plain = isinstance(last, SettledAt) and last.primary.isalnum()
    assert found == known if plain else found in {"", known}


@pytest.mark.parametrize("said", ['{"is":"SettledAt","digest":"d","fingerprint":"f"}]}', '"fingerprint":"f"}]}'])
def test_what_others_say_is_no_fingerprint(said: str) -> None:
    """A text within an entry is never taken for the end of the log."""
    assert last_fingerprint(write_body(body(Refused(step="x", reason=Reason.INVALID, message=said)))) == ""
    assert last_fingerprint(write_body(body(SettledAt(digest="d", primary=said, fingerprint="f")))) == ""


def test_schema() -> None:
    """A body names its schema, run and moment."""
    data = json.loads(write_body(body(Unanswered(step="x"))))
    assert (data["schema"], data["run"], data["at"]) == (SCHEMA, "r1", NOW.isoformat())


def text(**changes: Any) -> str:
    """Return a body as text, with something wrong in it."""
    return json.dumps({**json.loads(write_body(body(Done(step="x", id="7")))), **changes})


BAD = {
    "empty": "",
    "a list": "[]",
    "null": "null",
    "cut off": "{",
    "half of it": '{"schema": 1}',
    "schema is a text": text(schema="1"),
    "no schema": text(schema=None),
    "run is a number": text(run=7),
    "no moment": text(at="yesterday"),
    "no zone": text(at="2024-05-01T12:00:00"),
    "no entries": text(entries=None),
    "entries are a number": text(entries=7),
    "unknown entry": text(entries=[{"is": "Exploded"}]),
    "wrong field": text(entries=[{"is": "Done", "step": 7, "id": "7"}]),
    "missing field": text(entries=[{"is": "Done", "step": "x"}]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_bodies(bad: str) -> None:
    """A commit that is not of the documented shape is a DecodeError, never anything else."""
    with pytest.raises(DecodeError):
        read_body(bad)


def test_newer_schema() -> None:
    """A newer schema is refused, naming both."""
    with pytest.raises(DecodeError, match=rf"schema {SCHEMA + 1}; this version reads up to {SCHEMA}"):
        read_body(text(schema=SCHEMA + 1))


def test_unknown_fields() -> None:
    """What a later version of this schema adds to an entry is ignored."""
    assert read_body(text(entries=[{"is": "Done", "step": "x", "id": "7", "colour": "red"}])).entries == (
        Done(step="x", id="7"),
    )


# ------------------------------------------------------------------ folding: links
def test_creation_links() -> None:
    """A creation that took effect links its record to the id it made, with what was sent."""
    made = state(*did("CreateUser", fields={"phone": "p"}))
    assert made.links[MARK].id == "7"
    assert made.links[MARK].sent == {"phone": "p"}
    assert made.contacts == {"101": "7"}


def test_update_adds_to_what_was_sent() -> None:
    """What an update sent stands beside what was sent before, and what was read back of it is forgotten."""
    seen = Linked(record=MARK, id="7", seen={"phone": "P", "name": "N"})
    after = state(*did("CreateUser", fields={"phone": "p"}), seen, *did("UpdateUser", id="7", fields={"name": "n"}))
    assert (after.links[MARK].sent, after.links[MARK].seen) == ({"phone": "p", "name": "n"}, {"phone": "P"})


def test_another_counterpart() -> None:
    """A record linked to another counterpart knows nothing of what was sent to the old one."""
    again = state(*did("CreateUser", fields={"phone": "p"}), Linked(record=MARK, id="8"))
    assert (again.links[MARK].id, again.links[MARK].sent) == ("8", {})


@pytest.mark.parametrize("do", ["RemoveUser", "RemoveAddress"])
def test_removal_unlinks(do: str) -> None:
    """A removal ends the link, and with it the grant."""
    after = state(*did("CreateUser", grant="give"), *did(do, id="7"))
    assert MARK not in after.links
    assert after.grants == set()


def test_unlinked() -> None:
    """An ended link takes its grant along."""
    assert state(*did("CreateUser", grant="give"), Unlinked(record=MARK)) == evolve(state(), run="r1")


def test_reference() -> None:
    """A written reference is remembered as ours, a cleared one is not."""
    written = did("WriteReference", made="", reference="B2B-7")
    assert state(*written).references == {MARK: "B2B-7"}
    assert state(*written, *did("WriteReference", made="", reference="")).references == {}
    assert state(*written).links == {}


# ------------------------------------------------------------------ folding: grants
def test_grants() -> None:
    """A grant is ours from the intent on; taken back it is nobody's of ours."""
    given_ = intended("SetRole", id="7", grant="give")
    assert state(given_).grants == {"7"}
    assert state(given_, Done(step="SetRole 101", id="7")).grants == {"7"}
    assert state(*did("SetRole", id="7", grant="give"), *did("SetRole", id="7", grant="take")).grants == set()


@pytest.mark.parametrize("end", [Refused(step="SetRole 101", reason=Reason.OTHER), NotSent(step="SetRole 101")])
def test_grant_that_was_not_given(end: Entry) -> None:
    """A grant that was refused or never sent is not ours."""
    assert state(intended("SetRole", id="7", grant="give"), end).grants == set()


def test_grant_that_was_not_answered() -> None:
    """A grant whose answer was lost counts as ours."""
    assert state(intended("SetRole", id="7", grant="give"), Unanswered(step="SetRole 101")).grants == {"7"}


def test_moved_grant() -> None:
    """A moved role is the only grant of ours."""
    both = state(*did("SetRole", ANNA, "8", id="8", grant="give"), *did("MoveAdmin", id="7", grant="move"))
    assert both.grants == {"7"}


def test_former_role() -> None:
    """The role that a user had before our grant is remembered, and who gave way last."""
    after = state(
        *did("SetRole", id="7", grant="give", former_role="Junior Buyer"),
        *did("SetRole", ANNA, "8", id="8", grant="take"),
    )
    assert after.former_roles == {"7": "Junior Buyer"}
    assert after.gave_way == "8"


def test_admin_made_with_its_company() -> None:
    """The admin of a new company is awaited by its contact until its user is found, and then has the role from us."""
    made = state(*did("CreateCompany", ACME, "70", admin="101", grant="give"))
    assert made.awaited == {"101"}
    assert not made.grants
    found = applied(made, Linked(record=MARK, id="7", granted=True))
    assert found.grants == {"7"}
    assert not found.awaited


@pytest.mark.parametrize("end", [Refused(step="CreateUser 101", reason=Reason.OTHER), NotSent(step="CreateUser 101")])
def test_admin_that_was_not_made(end: Entry) -> None:
    """Nobody is awaited of a creation that was refused or never sent."""
    assert state(intended("CreateUser", grant="give"), end).awaited == set()


# ------------------------------------------------------------------ folding: what is open
def test_open() -> None:
    """An intent is open until its end is known; an answer that was lost leaves it open."""
    intent = intended("CreateUser")
    assert set(state(intent).open) == {"CreateUser 101"}
    assert set(state(intent, Unanswered(step="CreateUser 101")).open) == {"CreateUser 101"}
    for end in (Done(step="CreateUser 101", id="7"), NotSent(step="CreateUser 101")):
        assert state(intent, end).open == {}
    assert state(intent, Refused(step="CreateUser 101", reason=Reason.OTHER)).open == {}


def test_a_later_run_closes_what_was_open() -> None:
    """Who writes in a later run has looked first: nothing of an earlier run is open then."""
    first = body(intended("CreateUser"))
    assert fold([first, body(run="r2")]).open == {}
    assert fold([first, body(run="r1")]).open != {}


def test_lease() -> None:
    """A log with a running lease is busy until the last one ends."""
    far = Intended(step=step("CreateUser", ANNA), until=LATER + timedelta(minutes=1))
    after = state(intended("CreateUser"), far)
    assert after.busy_until(NOW) == far.until
    assert after.busy_until(far.until) is None
    assert state(*did("CreateUser")).busy_until(NOW) is None


def test_end_without_an_intent() -> None:
    """An end whose intent nobody knows changes nothing."""
    assert state(Done(step="?", id="7")) == state()


# ------------------------------------------------------------------ folding: refusals, findings, digest
def test_refusals_count() -> None:
    """Refusals of a step are counted until it took effect; those of another step are not touched."""
    refused = (intended("UpdateUser", id="7"), Refused(step="UpdateUser 101", reason=Reason.INVALID))
    other = (intended("UpdateUser", ANNA, id="8"), Refused(step="UpdateUser 102", reason=Reason.INVALID))
    anna = Refusals(record=ANNA, times=1)
    assert state(*refused, *refused, *other).refusals == {
        "UpdateUser 101": Refusals(record=MARK, times=2),
        "UpdateUser 102": anna,
    }
    assert state(*refused, *other, *did("UpdateUser", id="7")).refusals == {"UpdateUser 102": anna}


def test_findings() -> None:
    """A finding stands from when it came up until it is cleared."""
    found = Finding(record=MARK, kind=FindingKind.MISSING_EMAIL)
    assert state(Found(finding=found)).findings == {found}
    assert state(Found(finding=found), Cleared(finding=found)).findings == set()
    assert state(Found(finding=found), Cleared(finding=evolve(found, detail="x"))).findings == {found}


def test_settled() -> None:
    """The last digest and primary stand, and nobody is awaited any more."""
    after = state(intended("CreateUser", grant="give"), SettledAt(digest="a"), SettledAt(digest="b", primary="101"))
    assert (after.digest, after.primary) == ("b", "101")
    assert not after.awaited


@given(st.lists(bodies, max_size=4), st.integers(0, 4))
def test_fold_goes_on(all_: list[Body], cut: int) -> None:
    """A log folds the same in one go or from a state in its middle."""
    assert fold(all_) == fold(all_[cut:], fold(all_[:cut]))


@given(st.lists(bodies, max_size=4))
def test_fold_is_the_same_after_reading(all_: list[Body]) -> None:
    """A log folds the same whether it was kept as text or as values."""
    assert fold(all_) == fold(read_body(write_body(one)) for one in all_)


def test_digest() -> None:
    """A digest stands for a value: short, the same for the same value, another for another."""
    assert digest(("a", "b")) == digest(("a", "b")) != digest(("ab",))
    assert len(digest("")) == 16


# ------------------------------------------------------------------ the Customer Log
@pytest.mark.parametrize(
    ("logged", "what", "status"),
    [
        (did("CreateCompany", ACME), "company created", Status.PROCESSED),
        (did("CreateUser"), "company user created", Status.PROCESSED),
        (did("CreateUser", grant="give"), "company user created as Primary Admin", Status.PROCESSED),
        (did("UpdateUser"), "company user updated", Status.PROCESSED),
        (did("SetRole", grant="give"), "made Primary Admin", Status.PROCESSED),
        (did("MoveAdmin", grant="move"), "made Primary Admin", Status.PROCESSED),
        (did("SetRole", grant="take"), "Primary Admin role taken back", Status.PROCESSED),
        (did("RemoveUser"), "company user removed", Status.DELETED),
        (did("RemoveAddress"), "address removed", Status.DELETED),
        (did("WriteReference", reference="7"), "commerce reference ID written", Status.PROCESSED),
        (did("WriteReference"), "commerce reference ID cleared", Status.PROCESSED),
        ((Linked(record=MARK, id="7"),), "linked", Status.PROCESSED),
        ((Unlinked(record=MARK),), "unlinked", Status.DELETED),
        ((Found(finding=Finding(record=MARK, kind=FindingKind.MISSING_EMAIL)),), "missing email", Status.INVALID),
        ((Found(finding=Finding(record=MARK, kind=FindingKind.NOT_ENABLED)),), "not enabled", Status.FILTERED),
        ((Found(finding=Finding(record=MARK, kind=FindingKind.ABORTED)),), "aborted", Status.ABORTED),
    ],
)
def test_rows(logged: tuple[Entry, ...], what: str, status: Status) -> None:
    """The Customer Log says of each record what happened, with Acumatica's statuses."""
    (row,) = customer_log([body(*logged)])
    assert (row.what, row.status, row.at) == (what, status, NOW)
    assert row.record in {MARK, ACME}


def test_row_of_a_refusal() -> None:
    """A refused step is a Failed row with what the other system said."""
    (row,) = customer_log(
        [body(intended("CreateUser"), Refused(step="CreateUser 101", reason=Reason.INVALID, message="no"))]
    )
    assert (row.status, row.what, row.message) == (Status.FAILED, "not company user created", "no")


def test_row_of_a_lost_answer() -> None:
    """A step whose answer was lost is a Prepared row that says what comes next."""
    (row,) = customer_log([body(intended("CreateUser"), Unanswered(step="CreateUser 101"))])
    assert row.status is Status.PREPARED
    assert "looks before it sends again" in row.message


@pytest.mark.parametrize(
    "entry", [intended("CreateUser"), SettledAt(digest="x"), Linked(record=MARK, id="7", seen={"phone": "x"})]
)
def test_no_rows(entry: Entry) -> None:
    """Intents, digests and what was read back are nothing for people."""
    assert customer_log([body(entry)]) == ()


def test_rows_over_commits() -> None:
    """An end that stands in a later commit than its intent has its row, at its own time."""
    (row,) = customer_log([body(intended("CreateUser")), body(Done(step="CreateUser 101", id="7"), at=LATER)])
    assert (row.at, row.id) == (LATER, "7")
