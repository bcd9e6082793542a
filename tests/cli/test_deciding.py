"""Plans in files, approvals, decisions about records, and people to be forgotten."""

import errno
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from acumatica_b2b.cli.story import FACEBOOK
from tests.cli.conftest import Desk, contacts, disable

BY_HAND = {
    "companyName": "Facebook Inc",
    "companyPhone": "555-0100",
    "companyEmail": "office@facebook.example",
    "country": "US",
    "adminFirstName": "Ada",
    "adminLastName": "Byron",
    "adminEmail": "ada@facebook.example",
}
"""A company as people make it in the shop."""
HELD = "[policy.limits]\nremovals = 0"


@pytest.fixture
def synced(desk: Desk) -> Desk:
    """Return a folder in which Facebook is in step."""
    assert desk.run("sync", FACEBOOK).exit_code == 0
    return desk


def plan_file(desk: Desk) -> str:
    """Return where a plan is kept."""
    return str(desk.folder / "plan.json")


def person(desk: Desk, place: int = 1) -> str:
    """Return one of Facebook's contacts; the first is primary."""
    return str(contacts(desk.stage)[place])


def user_of(desk: Desk, contact: str) -> str:
    """Return the company user of a contact, by its explanation."""
    user: str = desk.json("explain", contact)["user"]
    return user


# ------------------------------------------------------------------ plans in files
def test_plan_in_a_file_and_apply(desk: Desk) -> None:
    """A plan kept in a file is its owner's only, says where it is, and is done by apply; done twice it is stale."""
    file = plan_file(desk)
    planned = desk.run("plan", FACEBOOK, "--out", file)
    assert (planned.exit_code, f"The plan is in '{file}'" in planned.stderr) == (10, True)
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
    assert "@" not in Path(file).read_text(encoding="utf-8")
    assert desk.stage.bigcommerce.writes == 0
    applied = desk.run("apply", file)
    assert (applied.exit_code, applied.stdout.splitlines()[-1]) == (0, "1 customer looked at: 11 steps taken.")
    again = desk.run("apply", file)
    assert (again.exit_code, "has changed since the plan was made; plan again" in again.stdout) == (1, True)
    assert desk.json("apply", file)["troubles"][0]["customer"] == FACEBOOK
    assert desk.run("plan", FACEBOOK).exit_code == 0


def test_a_plan_in_a_file_reads_like_the_printed_one(desk: Desk) -> None:
    """The file holds what `plan --json` prints, and a seal."""
    printed = desk.json("plan", FACEBOOK, "--out", plan_file(desk))
    kept = json.loads(Path(plan_file(desk)).read_text(encoding="utf-8"))
    assert kept.keys() - printed.keys() == {"sealed"}
    assert {key: kept[key] for key in printed} == printed


def test_a_plan_in_place_of_an_older_one(desk: Desk) -> None:
    """A plan takes the place of an older one and says so."""
    first, second = (desk.run("plan", FACEBOOK, "--out", plan_file(desk)) for _ in range(2))
    assert ("in place of that of" in first.stderr, "in place of that of" in second.stderr) == (False, True)


@pytest.mark.parametrize("content", ["my own notes", "[1, 2]", '{"sealed": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_plan_is_left_alone(desk: Desk, content: str | bytes) -> None:
    """What is no plan is neither written over nor applied: one sentence, and the exit code is 2."""
    file = desk.folder / "plan.json"
    before = content if isinstance(content, bytes) else content.encode()
    file.write_bytes(before)
    for command in (("plan", FACEBOOK, "--out", str(file)), ("apply", str(file)), ("approve", str(file))):
        result = desk.run(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert str(file) in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert file.read_bytes() == before
    assert desk.stage.bigcommerce.writes == 0


def test_a_plan_that_was_changed_by_hand(desk: Desk) -> None:
    """A plan that was changed after it was written is refused: it may do what it does not show."""
    file = Path(plan_file(desk))
    desk.run("plan", FACEBOOK, "--out", str(file))
    file.write_text(file.read_text(encoding="utf-8").replace("create address", "forget address"), encoding="utf-8")
    result = desk.run("apply", str(file))
    assert (result.exit_code, "was changed after it was written" in result.stderr) == (2, True)


def test_a_file_that_is_not_there_or_can_t_be(desk: Desk) -> None:
    """A plan that is not there is named with the way out, and so is a folder in which none can be kept."""
    missing = desk.run("apply", plan_file(desk))
    assert (missing.exit_code, "write one with plan --out" in missing.stderr) == (2, True)
    nowhere = desk.run("plan", FACEBOOK, "--out", str(desk.folder / "none" / "plan.json"))
    assert (nowhere.exit_code, "can't be written to" in nowhere.stderr) == (2, True)
    folder = desk.run("plan", FACEBOOK, "--out", str(desk.folder))
    assert (folder.exit_code, "is a directory" in folder.stderr) == (2, True)


def test_a_plan_that_can_t_be_written_to_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full an older plan stays, and no half of a new one does."""
    desk.run("plan", FACEBOOK, "--out", plan_file(desk))
    before = Path(plan_file(desk)).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    result = desk.run("plan", FACEBOOK, "--out", plan_file(desk))
    assert (result.exit_code, "can't be written to" in result.stderr) == (2, True)
    assert "No space left on device" in result.stderr
    assert Path(plan_file(desk)).read_bytes() == before
    assert [file.name for file in desk.folder.iterdir() if "plan" in file.name] == ["plan.json"]


def test_a_plan_of_another_store(desk: Desk) -> None:
    """A plan that was made for another store is not applied."""
    desk.run("plan", FACEBOOK, "--out", plan_file(desk))
    desk.configure("[policy]", '[policy]\nstore = "other"')
    result = desk.run("apply", plan_file(desk))
    assert (result.exit_code, "the plan is for store 'store', and this is 'other'" in result.stderr) == (1, True)


# ------------------------------------------------------------------ approvals
def test_what_the_guard_holds_goes_out_when_approved(synced: Desk) -> None:
    """What is beyond a limit makes plan and apply say 3; approved by name it goes out, and nothing else does."""
    disable(synced.stage, int(person(synced)))
    synced.configure(more=HELD)
    file = plan_file(synced)
    planned = synced.run("plan", FACEBOOK, "--out", file)
    assert (planned.exit_code, "Beyond the limits: removals" in planned.stdout) == (3, True)
    assert f"`approve {file}` and `apply {file}`" in " ".join(planned.stdout.split())
    assert synced.run("apply", file).exit_code == 3
    assert synced.run("plan", FACEBOOK, "--out", file).exit_code == 3
    approved = synced.run("approve", file, "--by", "Sandra")
    assert (approved.exit_code, "1 step approved by Sandra" in approved.stdout) == (0, True)
    assert "remove the company user" in approved.stdout
    applied = synced.run("apply", file)
    assert (applied.exit_code, "company user" in applied.stdout) == (0, True)
    disable(synced.stage, int(person(synced, 2)))
    assert synced.run("sync", FACEBOOK).exit_code == 3


def test_an_approval_as_json(synced: Desk) -> None:
    """`approve --json` tells who approved which steps, and until when."""
    disable(synced.stage, int(person(synced)))
    synced.run("plan", FACEBOOK, "--out", plan_file(synced))
    told = synced.json("approve", plan_file(synced), "--by", "Sandra")
    assert (told["approved"], told["by"]) == (1, "Sandra")
    assert [(step["what"], step["counts_as"]) for step in told["steps"]] == [("remove the company user", "removals")]


def test_an_adoption_that_was_approved(desk: Desk) -> None:
    """A company that a plan takes over is shown, and approved, as an adoption."""
    desk.stage.bigcommerce.by_hand("POST", "/companies", {**BY_HAND, "adminEmail": "markz@test.com"})
    desk.configure("[policy]", "[policy]\nadopt_companies = true", more="[policy.limits]\nadoptions = 0")
    assert desk.run("plan", FACEBOOK, "--out", plan_file(desk)).exit_code == 3
    approved = desk.run("approve", plan_file(desk)).stdout
    assert "take over company" in approved
    assert "adoptions" in approved
    assert desk.run("apply", plan_file(desk)).exit_code == 0
    assert len(desk.stage.bigcommerce.companies) == 1


def test_a_plan_that_needs_no_approval(desk: Desk) -> None:
    """Where the guard counts nothing, an approval says so."""
    desk.run("plan", FACEBOOK, "--out", plan_file(desk))
    result = desk.run("approve", plan_file(desk))
    assert (result.exit_code, "it needs no approval" in result.stdout) == (0, True)


def test_too_many_of_one_company(synced: Desk) -> None:
    """What is too much for one company is told apart from what would be done; plan and sync say 3 until approved."""
    disable(synced.stage, *contacts(synced.stage)[1:])
    synced.configure(more="[policy.limits]\nhalf_of_company_from = 2")
    file = plan_file(synced)
    planned = synced.run("plan", FACEBOOK, "--out", file)
    assert (planned.exit_code, "Only with an approval" in planned.stdout) == (3, True)
    assert "Nothing to do for 1 customer." in planned.stdout
    assert synced.run("sync", FACEBOOK).exit_code == 3
    assert synced.json("plan", FACEBOOK, "--out", file)["companies"][0]["on_approval"][0]["counts_as"] == "removals"
    assert "2 steps approved by" in synced.run("approve", file).stdout
    applied = synced.run("apply", file)
    assert (applied.exit_code, applied.stdout.count("remove the company user")) == (0, 2)


# ------------------------------------------------------------------ decisions
def test_skip_and_retry(synced: Desk) -> None:
    """A contact that is skipped is left as it is, by whom the log tells, until somebody says retry."""
    one = person(synced)
    disable(synced.stage, int(one))
    said = synced.run("skip", FACEBOOK, "--contact", one, "--by", "Sandra")
    assert (said.exit_code, f"Contact {one} of customer {FACEBOOK} is left as it is" in said.stdout) == (0, True)
    assert synced.run("plan", FACEBOOK).exit_code == 0
    assert "said by Sandra" in synced.run("log", FACEBOOK).stdout
    again = synced.run("retry", FACEBOOK, "--contact", one)
    assert (again.exit_code, "is to be tried again" in again.stdout) == (0, True)
    assert synced.run("plan", FACEBOOK).exit_code == 10


def test_a_user_deleted_in_the_shop_is_made_again(synced: Desk) -> None:
    """A user that people deleted is made again once somebody says retry, for the contact or for its customer."""
    one = person(synced)
    for record in (["--contact", one], []):
        synced.stage.bigcommerce.by_hand("DELETE", f"/users/{user_of(synced, one)}")
        assert synced.run("plan", FACEBOOK).exit_code == 0
        assert synced.run("retry", FACEBOOK, *record).exit_code == 0
        assert synced.run("sync", FACEBOOK).exit_code == 0
        assert user_of(synced, one)


def test_unlink_and_link(synced: Desk) -> None:
    """A contact that is unlinked has no user; linked to one of its company, it has that."""
    one = person(synced)
    user = user_of(synced, one)
    parted = synced.run("unlink", FACEBOOK, one)
    assert (parted.exit_code, "are not taken for one another again" in " ".join(parted.stdout.split())) == (0, True)
    assert synced.json("explain", one)["user"] is None
    paired = synced.run("link", FACEBOOK, one, user)
    assert (paired.exit_code, f"is company user {user} from now on" in paired.stdout) == (0, True)
    assert user_of(synced, one) == user


def test_adopt(desk: Desk) -> None:
    """A customer adopts the company that a person names: none is made, and its users are matched."""
    company = desk.stage.bigcommerce.by_hand("POST", "/companies", BY_HAND)["companyId"]
    said = desk.run("adopt", FACEBOOK, str(company))
    assert (said.exit_code, f"is company {company} from now on" in said.stdout) == (0, True)
    kinds = [step["kind"] for step in desk.json("plan", FACEBOOK)["companies"][0]["steps"]]
    assert ("CreateCompany" in kinds, "CreateUser" in kinds) == (False, True)


@pytest.mark.parametrize(
    ("words", "record", "identifier"),
    [
        (("skip", FACEBOOK), {"kind": "customer", "id": FACEBOOK}, None),
        (("skip", FACEBOOK, "--location", "DOCK"), {"kind": "location", "id": "DOCK"}, None),
        (("retry", FACEBOOK, "--location", "DOCK"), {"kind": "location", "id": "DOCK"}, None),
    ],
)
def test_decisions_as_json(desk: Desk, words: tuple[str, ...], record: Any, identifier: str | None) -> None:
    """`--json` says a decision back: the record, the choice, the counterpart and who said it."""
    told = desk.json(*words, "--by", "Sandra")
    expected = {"customer": FACEBOOK, "record": record, "choice": words[0], "id": identifier, "by": "Sandra"}
    assert told == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("retry", FACEBOOK, "--contact", "999"), "contact '999' is not one of customer"),
        (("skip", "NOBODY"), "Acumatica has no customer 'NOBODY'"),
        (("adopt", FACEBOOK, "999"), "the shop has no company '999'"),
        (("unlink", FACEBOOK, "999"), "contact '999' is not one of customer"),
        (("forget", "{primary}", "--yes"), "is linked to company user"),
    ],
)
def test_decisions_that_don_t_fit(synced: Desk, words: tuple[str, ...], said: str) -> None:
    """A decision that does not fit what there is ends with 1 and one sentence; nothing is recorded."""
    before = synced.run("log", FACEBOOK).stdout
    result = synced.run(*(word.format(primary=person(synced, 0)) for word in words))
    assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True)
    assert len(result.stderr.splitlines()) == 1
    assert synced.run("log", FACEBOOK).stdout == before


def test_a_contact_and_a_location_at_once(desk: Desk) -> None:
    """A decision is about one record: a contact and a location at once are refused with 2."""
    result = desk.run("skip", FACEBOOK, "--contact", "1", "--location", "MAIN")
    assert (result.exit_code, "name a contact or a location, not both" in result.stderr) == (2, True)


def test_who_decides_is_the_login_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who decides is who is logged in, unless --by says otherwise; where nobody is, --by is needed."""
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    assert desk.json("skip", FACEBOOK)["by"] == "anna"

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    result = desk.run("skip", FACEBOOK)
    assert (result.exit_code, "say who decides with --by NAME" in result.stderr) == (2, True)
    assert desk.json("skip", FACEBOOK, "--by", "Sandra")["by"] == "Sandra"


# ------------------------------------------------------------------ a person
def test_forget_asks_first(synced: Desk) -> None:
    """Nobody is forgotten before somebody confirms it; then the file knows nothing of the person."""
    one = person(synced)
    disable(synced.stage, int(one))
    synced.run("sync", FACEBOOK)
    refused = synced.run("forget", one, typed="n\n")
    assert (refused.exit_code, "It can't be undone" in refused.stderr) == (1, True)
    assert f"contact {one}" in synced.run("log", FACEBOOK).stdout
    done = synced.run("forget", one, typed="y\n")
    assert (done.exit_code, f"Contact {one} is forgotten" in done.stdout) == (0, True)
    shown = synced.run("log", FACEBOOK).stdout
    assert (f"contact {one}" in shown, "contact forgotten" in shown) == (False, True)


def test_forget_whom_nobody_knows(synced: Desk) -> None:
    """Of a contact that the log does not know it says so; without a log there is nothing to be forgotten."""
    told = synced.run("forget", "4711", "--yes")
    assert (told.exit_code, told.stdout) == (0, "The sync log knows nothing of contact 4711.\n")
    assert synced.json("forget", "4711", "--yes") == {"contact": "4711", "customers": [], "rows": 0}
    (synced.folder / "sync.sqlite").unlink()
    result = synced.run("forget", "4711", "--yes")
    assert (result.exit_code, "there is no sync log" in result.stderr) == (2, True)
