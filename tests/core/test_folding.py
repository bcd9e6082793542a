"""What each entry makes of a state, as values: the customer's log and the log of runs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.errors import DecodeError, Reason
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.folding import applied, fold, snapshot
from acumatica_b2b.guard import Spent, Tally
from acumatica_b2b.logstate import Link, LogState, Refusals, own_contacts
from acumatica_b2b.model import ContactID, CustomerID, Record, RecordKind
from acumatica_b2b.policy import Guarded
from acumatica_b2b.runlog import (
    Approved,
    Counted,
    Grown,
    Opened,
    RunEntry,
    RunState,
    Watermarked,
    fold_runs,
    run_snapshot,
    write_entries,
)
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
    SettledAt,
    Snapshot,
    Unanswered,
    Unlinked,
    digest,
    read_body,
    write_body,
)

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
MARK, ANNA = Record(RecordKind.CONTACT, "101"), Record(RecordKind.CONTACT, "102")
ACME, MAIN = Record(RecordKind.CUSTOMER, "C1"), Record(RecordKind.LOCATION, "MAIN")
OFF, ON = {"active": digest("no")}, {"active": digest("yes")}


def intent(do: str = "UpdateUser", record: Record = MARK, key: str = "h", **fields: Any) -> Intended:
    """Return an intent."""
    return Intended(step=evolve(LoggedStep(hash=key, do=do, record=record), **fields), until=NOW)


def after(*entries: Entry, start: LogState | None = None) -> LogState:
    """Return what entries make of a state."""
    state = start or LogState()
    for entry in entries:
        state = applied(state, entry)
    return state


def done(identifier: str = "7", key: str = "h") -> Done:
    """Return the end of an intent."""
    return Done(step=key, id=identifier)


REFUSED = Refused(step="h", reason=Reason.OTHER, message="no")


# ------------------------------------------------------------------ intents
def test_intents_are_open() -> None:
    """What is intended is open, beside what is open already."""
    first, second = intent(key="h"), intent(key="k")
    assert after(first, second) == LogState(open={"h": first, "k": second})
    assert after(first, Unanswered(step="h")) == after(first)


@pytest.mark.parametrize("do", ["CreateCompany", "CreateUser"])
def test_awaited_admin(do: str) -> None:
    """The admin of a creation is awaited until it ends otherwise, by the contact's id or the one that comes along."""
    made = intent(do, grant="give")
    assert after(made).awaited == {"101"}
    assert after(intent(do, ACME, admin="102", grant="give")).awaited == {"102"}
    assert after(intent(do)).awaited == set()
    assert after(intent("SetRole", grant="give")).awaited == set()
    start = LogState(awaited=frozenset({"101", "999"}))
    for end in (REFUSED, NotSent(step="h")):
        assert after(made, end, start=start).awaited == {"999"}
    assert after(intent(do, ACME, admin="102", grant="give"), NotSent(step="h")).awaited == set()
    assert after(intent("SetRole", grant="give"), NotSent(step="h"), start=start).awaited == {"101", "999"}


def test_switching_off() -> None:
    """Who is to be switched off counts as such at once, by kind and id, until it is refused or switched on."""
    off = intent(id="7", fields=OFF)
    both = {(RecordKind.CONTACT, "7"), (RecordKind.CUSTOMER, "7")}
    assert after(off).switched_off == {(RecordKind.CONTACT, "7")}
    assert after(intent(id="7", fields=ON)).switched_off == set()
    start = LogState(switched_off=frozenset(both))
    for end in (REFUSED, NotSent(step="h")):
        assert after(off, end, start=start).switched_off == {(RecordKind.CUSTOMER, "7")}
        assert after(intent(id="7", fields=ON), end, start=start).switched_off == both
    assert after(off, done()).switched_off == {(RecordKind.CONTACT, "7")}
    assert after(intent(id="7", fields=ON), done(), start=start).switched_off == {(RecordKind.CUSTOMER, "7")}
    assert after(intent(id="7", fields={"phone": "x"}), done(), start=start).switched_off == both


@pytest.mark.parametrize(
    ("fields", "former", "gave_way", "suspended"),
    [
        ({"grant": "give", "id": "7", "former_role": "Junior"}, {"1": "x", "7": "Junior"}, "9", {"8"}),
        ({"grant": "give", "id": "", "former_role": "Junior"}, {"1": "x"}, "9", {"8"}),
        ({"grant": "give", "id": "7"}, {"1": "x"}, "9", {"8"}),
        ({"grant": "take", "id": "7", "former_role": "Admin"}, {"1": "x"}, "7", {"8"}),
        ({"grant": "suspend", "id": "7"}, {"1": "x"}, "9", {"7", "8"}),
        ({"grant": "restore", "id": "8"}, {"1": "x"}, "9", {"8"}),
    ],
    ids=["give", "give-to-nobody", "no-former", "take", "suspend", "restore"],
)
def test_intended_roles(fields: dict[str, Any], former: dict[str, str], gave_way: str, suspended: set[str]) -> None:
    """What must be known of a change of role if nobody hears whether it took effect is known from the intent on."""
    start = LogState(former_roles={"1": "x"}, gave_way="9", suspended=frozenset({"8"}))
    state = after(intent("SetRole", **fields), start=start)
    assert (state.former_roles, state.gave_way) == (former, gave_way)
    assert state.suspended == suspended


@pytest.mark.parametrize(
    ("grant", "user", "gave_way"), [("take", "9", ""), ("suspend", "9", "9"), ("give", "9", "9")], ids=str
)
def test_taking_that_came_to_nothing(grant: Grant, user: str, gave_way: str) -> None:
    """Who was to give way and was not asked, or kept the role, did not give way."""
    start = LogState(gave_way="9")
    for end in (REFUSED, NotSent(step="h")):
        assert after(intent("SetRole", grant=grant, id=user), end, start=start).gave_way == gave_way
    later = after(intent("SetRole", grant="take", id="7"), intent("SetRole", key="k", grant="take", id="8"))
    assert after(NotSent(step="h"), start=later).gave_way == "8"
    assert after(NotSent(step="k"), start=later).gave_way == ""


# ------------------------------------------------------------------ ends
def test_end_of_nothing() -> None:
    """An end without its intent changes nothing, but that a refusal is counted."""
    start = after(intent(key="k"))
    assert after(done(), start=start) == start
    assert after(NotSent(step="h"), start=start) == start
    refusals = {"h": Refusals(record=None, times=1)}
    assert after(REFUSED, start=start) == evolve(start, refusals=refusals)


def test_refusals() -> None:
    """Refusals are counted by step, with the record that it is about, and end with a success of that step."""
    others = {"k": Refusals(record=None, times=3)}
    one = after(intent(), REFUSED, start=LogState(refusals=others))
    assert one.refusals == {**others, "h": Refusals(record=MARK, times=1)}
    assert one.open == {}
    two = after(intent(), evolve(REFUSED, record=ANNA), start=one)
    assert two.refusals == {**others, "h": Refusals(record=ANNA, times=2)}
    assert after(intent(), done(), start=two).refusals == others


def test_address_that_may_not_have_been_taken() -> None:
    """A change of a user's address is refused as often as it was, whatever the shop answers: it is read back."""
    start = LogState(refusals={"h": Refusals(record=None, times=1)})
    assert after(intent(fields={"email": "x"}), done(), start=start).refusals == start.refusals
    assert after(intent(fields={"phone": "x"}), done(), start=start).refusals == {}
    assert after(intent("UpdateCompany", ACME, fields={"email": "x"}), done(), start=start).refusals == {}


def test_what_was_sent() -> None:
    """What was sent is kept by field with the counterpart; what came back of a field that is sent anew is forgotten."""
    old = Link(id="7", sent={"phone": "1", "name": "n"}, seen={"phone": "2", "name": "m"})
    start = LogState(links={MARK: old, ANNA: Link(id="8")})
    same = after(intent(fields={"phone": "3"}), done(), start=start)
    kept = Link(id="7", sent={"phone": "3", "name": "n"}, seen={"name": "m"})
    assert same.links == {MARK: kept, ANNA: Link(id="8")}
    other = after(intent(fields={"phone": "3"}), done("9"), start=start)
    assert other.links[MARK] == Link(id="9", sent={"phone": "3"})
    new = after(intent("CreateUser", MAIN, fields={"phone": "3"}), done("9"), start=start)
    assert new.links == {**start.links, MAIN: Link(id="9", sent={"phone": "3"})}


def test_what_was_to_be_made_again_is_made_once() -> None:
    """What was to be made again is made by its creation, and by no change of it."""
    start = LogState(retried=frozenset({MARK, ANNA}))
    assert after(intent("CreateUser"), done(), start=start).retried == {ANNA}
    assert after(intent("UpdateUser"), done(), start=start).retried == {MARK, ANNA}


@pytest.mark.parametrize("do", ["RemoveUser", "RemoveAddress"])
def test_removals(do: str) -> None:
    """Who was removed is linked no more, and has no role of ours."""
    start = LogState(links={MARK: Link(id="7"), ANNA: Link(id="8")}, granted=frozenset({"7", "8"}))
    state = after(intent(do), done(), start=start)
    assert state == LogState(links={ANNA: Link(id="8")}, granted=frozenset({"8"}))
    assert after(Unlinked(record=MAIN), start=start) == start


def test_references() -> None:
    """A written reference is known until it is cleared; a write-back links nobody."""
    start = LogState(references={ACME: "1"})
    state = after(intent("WriteReference", reference="7"), done(""), start=start)
    assert state == LogState(references={ACME: "1", MARK: "7"})
    assert after(intent("WriteReference"), done(""), start=state) == start
    again = after(intent("WriteReference", reference="8"), done(""), start=state)
    assert again.references == {ACME: "1", MARK: "8"}


ROLES = LogState(
    granted=frozenset({"5", "7"}),
    suspended=frozenset({"6", "7"}),
    gave_way="9",
    former_roles={"5": "x"},
    awaited=frozenset({"101", "999"}),
)


@pytest.mark.parametrize(
    ("do", "grant", "fields", "changes"),
    [
        (
            "SetRole",
            "give",
            {"former_role": "Junior"},
            {
                "granted": {"5", "7"},
                "suspended": {"6"},
                "gave_way": "",
                "former_roles": {"5": "x", "7": "Junior"},
                "awaited": {"999"},
            },
        ),
        ("SetRole", "give", {}, {"suspended": {"6"}, "gave_way": "", "awaited": {"999"}}),
        ("MoveAdmin", "move", {}, {"granted": {"7"}, "suspended": {"6"}}),
        ("SetRole", "take", {"id": "7"}, {"granted": {"5"}, "suspended": {"6"}, "gave_way": "7"}),
        ("SetRole", "suspend", {"id": "7"}, {"granted": {"5"}}),
        ("SetRole", "restore", {}, {"suspended": {"6"}}),
    ],
    ids=["give", "give-from-nothing", "move", "take", "suspend", "restore"],
)
def test_roles(do: str, grant: Grant, fields: dict[str, Any], changes: dict[str, Any]) -> None:
    """A change of role that took effect is known: whose grant is ours, who is suspended, who gave way to whom."""
    state = after(intent(do, grant=grant, **fields), done(), start=ROLES)
    assert state == evolve(ROLES, **changes)


def test_role_of_a_creation() -> None:
    """A user made with the role has it from us, and is linked; a company's admin has it once it is linked."""
    state = after(intent("CreateUser", grant="give"), done("7"), start=LogState(gave_way="9"))
    assert state == LogState(granted=frozenset({"7"}), links={MARK: Link(id="7")})
    company = after(intent("CreateCompany", ACME, admin="101", grant="give"), done("1"), start=LogState(gave_way="9"))
    assert company == LogState(awaited=frozenset({"101"}), links={ACME: Link(id="1")}, gave_way="9")
    assert after(intent("CreateUser"), done("7"), start=ROLES) == evolve(ROLES, links={MARK: Link(id="7")})


# ------------------------------------------------------------------ links
def test_links() -> None:
    """A link keeps what is known of the same counterpart, ends the wait for it, and tells whose grant is ours."""
    start = LogState(
        links={MARK: Link(id="7", sent={"a": "1"}, seen={"b": "2"})},
        awaited=frozenset({"101", "102"}),
        granted=frozenset({"5"}),
    )
    same = after(Linked(record=MARK, id="7", seen={"c": "3"}), start=start)
    assert same.links == {MARK: Link(id="7", sent={"a": "1"}, seen={"b": "2", "c": "3"})}
    assert same.awaited == {"102"}
    assert same.granted == {"5"}
    assert after(Linked(record=MARK, id="8"), start=start).links == {MARK: Link(id="8")}
    granted = after(Linked(record=ANNA, id="8", granted=True), start=start)
    assert granted.links == {**start.links, ANNA: Link(id="8")}
    assert granted.granted == {"5", "8"}


def test_settled() -> None:
    """Once nothing is left to do nobody is awaited and nothing is to be retried; until then all that stays."""
    start = LogState(awaited=frozenset({"101"}), retried=frozenset({MARK}), digest="old", primary="1")
    assert after(SettledAt(digest="d", primary="101"), start=start) == LogState(digest="d", primary="101")
    assert after(SettledAt(digest="", primary="2"), start=start) == evolve(start, digest="", primary="2")


def test_settled_places() -> None:
    """What the places were settled for is what was said of it last."""
    first = after(SettledAt(digest="d", places="p", basis="b"))
    assert (first.places, first.basis) == ("p", "b")
    assert after(SettledAt(digest=""), start=first) == LogState()


# ------------------------------------------------------------------ what people decided
def decided(choice: Choice, record: Record, identifier: str = "") -> Decided:
    """Return a decision."""
    return Decided(by="Eve", decision=Decision(choice=choice, record=record, id=identifier))


OF_MARK, OF_ANNA, OF_NOBODY = (Refusals(record=record, times=5) for record in (MARK, ANNA, None))
BEFORE = LogState(
    links={ACME: Link(id="1"), MARK: Link(id="7")},
    refusals={"m": OF_MARK, "a": OF_ANNA, "n": OF_NOBODY},
    skipped=frozenset({MARK, ANNA, ACME}),
    retried=frozenset({MAIN}),
    apart=frozenset({(MARK, "7"), (MARK, "8"), (ANNA, "7"), (ACME, "7")}),
    digest="d",
)


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (
            decided(Choice.RETRY, MARK),
            {"refusals": {"a": OF_ANNA}, "skipped": {ANNA, ACME}, "retried": {MAIN, MARK}},
        ),
        (
            decided(Choice.RETRY, ACME),
            {"refusals": {}, "skipped": frozenset[Record](), "retried": {MAIN, ACME, MARK}},
        ),
        (decided(Choice.SKIP, MAIN), {"skipped": {MARK, ANNA, ACME, MAIN}}),
        (decided(Choice.LINK, MARK, "7"), {"apart": {(MARK, "8"), (ANNA, "7"), (ACME, "7")}}),
        (decided(Choice.ADOPT, ACME, "7"), {"apart": {(MARK, "7"), (MARK, "8"), (ANNA, "7")}}),
        (decided(Choice.UNLINK, ANNA, "9"), {"apart": BEFORE.apart | {(ANNA, "9")}}),
    ],
    ids=["retry", "retry-all", "skip", "link", "adopt", "unlink"],
)
def test_decisions(decision: Decided, changes: dict[str, Any]) -> None:
    """A decision is kept for its record, and the customer is looked at again."""
    assert after(decision, start=BEFORE) == evolve(BEFORE, digest="", **changes)


# ------------------------------------------------------------------ what states tell
def test_grants() -> None:
    """A grant that is intended counts as given, where it names its user."""
    steps = {
        key: intent("SetRole", key=key, grant=grant, id=user)
        for key, grant, user in (("1", "give", "7"), ("2", "move", "8"), ("3", "take", "9"), ("4", "give", ""))
    }
    assert LogState(granted=frozenset({"5"}), open=steps).grants == {"5", "7", "8"}


def test_contacts() -> None:
    """The links of contacts are told apart from those of customers and locations."""
    assert LogState(links={ACME: Link(id="1"), MARK: Link(id="7"), MAIN: Link(id="9")}).contacts == {"101": "7"}


def test_leases() -> None:
    """The last lease that still runs says until when the customer is left alone."""
    leases = {key: evolve(intent(key=key), until=NOW + timedelta(minutes=i)) for i, key in enumerate("abc")}
    assert LogState(open=leases).busy_until(NOW) == NOW + timedelta(minutes=2)
    assert LogState(open=leases).busy_until(NOW + timedelta(minutes=1.5)) == NOW + timedelta(minutes=2)
    assert LogState(open=leases).busy_until(NOW + timedelta(minutes=2)) is None
    assert LogState().busy_until(NOW) is None


def test_own_contacts() -> None:
    """A customer's own contacts are linked, or about to get a user or to come along with their company."""
    steps = {
        "1": intent("CreateUser", ANNA, key="1", email="a"),
        "2": intent("CreateCompany", ACME, key="2", email="b", admin="103"),
        "3": intent("UpdateUser", Record(RecordKind.CONTACT, "104"), key="3"),
    }
    state = LogState(links={MARK: Link(id="7"), MAIN: Link(id="9")}, open=steps)
    assert own_contacts(state) == {ContactID("101"), ContactID("102"), ContactID("103")}


def test_later_run() -> None:
    """A commit of another run closes what was open; one of the same run does not; folding goes on where it stood."""
    first = Body(run="r1", at=NOW, entries=(intent(),))
    empty = Body(run="r1", at=NOW, entries=())
    assert fold([first, empty]) == LogState(run="r1", open={"h": intent()})
    assert fold([first, evolve(empty, run="r2")]) == LogState(run="r2")
    assert fold([empty], fold([first])) == fold([first])


def test_two_gave_way() -> None:
    """Who gave way last is remembered, though another was to as well and the shop refused it."""
    first, second = (intent("SetRole", grant="take", id=user, key=user) for user in ("7", "8"))
    assert after(first, second, done("7", "7"), NotSent(step="8")).gave_way == "7"


ENTRIES: tuple[Entry, ...] = (
    *(
        intent(do, record, key=do, fields=OFF, email="a")
        for do in ("CreateUser", "UpdateUser")
        for record in (MARK, ANNA)
    ),
    *(intent("SetRole", MARK, key=grant, id="7", grant=grant) for grant in ("give", "take", "suspend", "restore")),
    *(done("7", key) for key in ("CreateUser", "UpdateUser", "give", "take", "suspend", "restore")),
    *(Linked(record=record, id="7", granted=True, seen={"name": "x"}) for record in (MARK, ANNA, MAIN)),
    *(Unlinked(record=record) for record in (MARK, MAIN)),
    *(end(finding=Finding(kind=FindingKind.ABORTED, record=MARK)) for end in (Found, Cleared)),
    Refused(step="CreateUser", reason=Reason.OTHER),
    NotSent(step="UpdateUser"),
    SettledAt(digest="d", primary="101"),
    *(Decided(by="me", decision=Decision(choice=choice, record=MARK, id="7")) for choice in Choice),
)


@given(st.lists(st.sampled_from(ENTRIES)), st.lists(st.sampled_from(ENTRIES)))
def test_all_at_once(past: list[Entry], now: list[Entry]) -> None:
    """Entries come to the same all at once and one by one, and the state that they are added to stays as it is."""
    start = after(*past)
    before = snapshot(start)
    assert applied(start, *now) == after(*now, start=start)
    assert snapshot(start) == before
    assert applied(start, before) == start


def test_nothing_gets_lost() -> None:
    """What an entry says nothing of stays as it was."""
    finding = Finding(kind=FindingKind.ABORTED, record=MARK)
    whole = LogState(
        run="r1",
        links={MARK: Link(id="7")},
        granted=frozenset({"7"}),
        awaited=frozenset({"102"}),
        former_roles={"7": "Buyer"},
        switched_off=frozenset({(RecordKind.CONTACT, "8")}),
        suspended=frozenset({"9"}),
        gave_way="9",
        references={MARK: "7"},
        open={"h": intent()},
        refusals={"k": Refusals(record=ANNA, times=1)},
        skipped=frozenset({ANNA}),
        retried=frozenset({MAIN}),
        apart=frozenset({(ANNA, "7")}),
        findings=frozenset({finding}),
        digest="d",
        primary="101",
        places="p",
        basis="b",
        archived=True,
    )
    assert applied(whole, Unanswered(step="h")) == whole
    assert all(getattr(whole, one.name) != getattr(LogState(), one.name) for one in fields(LogState))


def test_snapshot() -> None:
    """A snapshot stands for all before it, also after it was written and read."""
    state = evolve(
        BEFORE,
        run="r1",
        open={"h": intent()},
        findings=frozenset({Finding(kind=FindingKind.ABORTED, record=MARK, detail="x")}),
        switched_off=frozenset({(RecordKind.CONTACT, "7")}),
    )
    body = Body(run="r2", at=NOW, entries=(snapshot(state),))
    assert after(*read_body(write_body(body)).entries, start=LogState(digest="other")) == state
    assert isinstance(snapshot(state), Snapshot)


def test_body() -> None:
    """A commit's body is JSON without spaces, letter by letter, with its schema, run and time."""
    text = write_body(Body(run="r1", at=NOW, entries=(Done(step="h", id="Ä"),)))
    assert (" " in text, "Ä" in text) == (False, True)
    data = json.loads(text)
    assert (data["schema"], data["run"], data["at"]) == (SCHEMA, "r1", NOW.isoformat())


def test_no_body() -> None:
    """What is no JSON is no commit, and nothing of it is told."""
    with pytest.raises(DecodeError, match=r"^a commit of the log is no JSON$"):
        read_body("secret")


# ------------------------------------------------------------------ the log of runs
C1 = CustomerID("C1")


def runs(*entries: RunEntry, version: int = 3) -> RunState:
    """Return what one commit of the run log comes to."""
    return fold_runs([(version, write_entries(entries, run="r1", at=NOW))])


def test_counts() -> None:
    """What a run over everything counted stands for all growth before it, and growth is added since."""
    tally = runs(Grown(users=5, companies=6), Counted(users=10, companies=20), Grown(users=1, companies=-2)).tally
    assert tally == Tally(users=11, companies=18)


def test_approvals() -> None:
    """What was approved is known by name with its time; the last one counts."""
    later = NOW + timedelta(hours=1)
    first, second = Approved(by="Eve", at=NOW, steps=("a", "b")), Approved(by="Bob", at=later, steps=("b", "c"))
    assert runs(first, second).tally == Tally(approvals={"a": NOW, "b": later, "c": later})


def test_snapshot_of_runs() -> None:
    """A snapshot of the run log stands for all before it, but for what was counted before the window."""
    old, new = (Spent(kind=Guarded.REMOVALS, count=2, at=NOW - timedelta(hours=hours)) for hours in (24, 23))
    state = runs(
        Counted(users=10, companies=20),
        old,
        new,
        Approved(by="Eve", at=NOW - timedelta(hours=24), steps=("a",)),
        Approved(by="Eve", at=NOW, steps=("b",)),
        Watermarked(watermark="w"),
        Opened(customers=(C1,)),
    )
    kept = runs(Grown(users=99), run_snapshot(state, NOW - timedelta(hours=24)), version=8)
    tally = Tally(users=10, companies=20, spent=(new,), approvals={"b": NOW})
    assert kept == RunState(version=8, tally=tally, watermark="w", open=frozenset({C1}))


def test_body_of_runs() -> None:
    """A commit of the run log is JSON without spaces, with its schema, run and time."""
    text = write_entries([Watermarked(watermark="w")], run="r1", at=NOW)
    data = json.loads(text)
    assert (data["schema"], data["run"], data["at"]) == (SCHEMA, "r1", NOW.isoformat())
    assert " " not in text
