import io
import json
import sqlite3
from collections import Counter

import pytest
from attrs import evolve
from rich.console import Console

from acumatica_b2b.actions import CreateCompany, RemoveUser
from acumatica_b2b.cli import render, shapes
from acumatica_b2b.cli.story import FACEBOOK
from acumatica_b2b.cli.watching import StoppableClock
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.model import CustomerID, Record, RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Counts, RunReport
from acumatica_b2b.terms import Settled
from tests import oracle
from tests.cli.conftest import Desk, contacts, disable, world

B2B = SyncPolicy(connection_types=frozenset({"B2B"}))


# ------------------------------------------------------------------ the whole way
def test_plan_sync_plan_sync(desk: Desk) -> None:
    """A plan says 10 and writes nothing, the sync does just that and says 0, a second one has nothing to write."""
    stage = desk.stage
    planned = desk.run("plan", "--json")
    assert (planned.exit_code, stage.acumatica.writes, stage.bigcommerce.writes) == (10, stage.acumatica.writes, 0)
    assert not (desk.folder / "sync.sqlite").exists()
    synced = desk.run("sync", "--json")
    assert synced.exit_code == 0
    steps = [step for company in json.loads(planned.stdout)["companies"] for step in company["steps"]]
    done = json.loads(synced.stdout)["steps"]
    kinds = [sorted(f"{step['kind']} {step['record']}" for step in some) for some in (steps, done)]
    assert kinds[0] == kinds[1]
    customers, companies = world(stage)
    assert oracle.check(customers, companies, B2B) == []
    assert desk.run("plan").exit_code == 0
    before = stage.acumatica.writes, stage.bigcommerce.writes
    for scope in ((), ("--changed",), ("--all",), (FACEBOOK,)):
        again = desk.run("sync", *scope)
        assert (again.exit_code, again.stdout.splitlines()[-1].partition(": ")[2]) == (0, "nothing to do.")
    assert (stage.acumatica.writes, stage.bigcommerce.writes) == before
    assert stage.acumatica.open_sessions == 0


def test_tables_are_for_people(desk: Desk) -> None:
    """Plan, report and Customer Log are tables of at most 100 columns where the output is no terminal."""
    plan, sync, log = desk.run("plan", FACEBOOK), desk.run("sync", FACEBOOK), desk.run("log", FACEBOOK)
    for result in (plan, sync, log):
        assert max(map(len, result.stdout.splitlines())) <= 100
        assert "\x1b" not in result.stdout
    assert "create company Facebook with Mark Z as Primary Admin" in plan.stdout
    assert "11 steps to take for 1 of 1 customer." in plan.stdout
    assert "1 customer looked at: 11 steps taken." in sync.stdout
    assert "commerce reference ID written" in log.stdout
    assert (plan.exit_code, sync.exit_code, log.exit_code) == (10, 0, 0)


def test_a_plan_says_what_comes_with_it(desk: Desk) -> None:
    """A plan tells, to people and programs, that shoppers bring their orders and that who is removed may still shop."""
    told = "past orders move to the company."
    assert told in desk.run("plan", FACEBOOK).stdout
    assert [told in note for note in desk.json("plan", FACEBOOK)["notes"]] == [True]
    desk.run("sync", FACEBOOK)
    disable(desk.stage, contacts(desk.stage)[-1])
    assert "Who is removed from a company keeps a plain shop login." in desk.run("plan", FACEBOOK).stdout
    assert "login" not in desk.run("log", FACEBOOK).stdout


def test_the_simulated_shop_knows_its_shoppers(desk: Desk) -> None:
    """Where shoppers are held, the printed configuration asks the simulator for them, and no store of anybody's."""
    desk.configure("[policy]\n", '[policy]\nexisting_shoppers = "hold"\n')
    desk.stage.bigcommerce.add_shopper("markz@test.com")
    found = desk.json("plan", FACEBOOK)
    assert (found["troubles"], found["notes"]) == ([], [])
    assert "SHOPPER_HELD" in {finding["kind"] for one in found["companies"] for finding in one["findings"]}


def test_names_are_printed_as_they_are(desk: Desk) -> None:
    """A customer's name is printed letter by letter, though it may look like markup."""
    name = "[/bold] :smile: [red]"
    desk.stage.acumatica.put_customer(evolve(desk.stage.acumatica.customer(FACEBOOK), name=name))
    assert f"create company {name} with Mark Z" in desk.run("plan", FACEBOOK).stdout


def test_the_log_as_json_has_the_rows(desk: Desk) -> None:
    """`log --json` gives every row with time, record, status and reference ID."""
    desk.run("sync")
    rows = desk.json("log", FACEBOOK)["rows"]
    written = [row for row in rows if row["what"] == "commerce reference ID written"]
    (company,) = [one for one in desk.stage.bigcommerce.companies.values() if one.company_name == "Facebook"]
    assert written[0]["commerce_reference"] == str(company.id)
    assert written[0]["record"] == {"kind": "customer", "id": FACEBOOK}
    assert {row["status"] for row in written} == {"Processed"}
    assert sorted(row["at"] for row in rows) == [row["at"] for row in rows]


def test_a_log_of_nothing(desk: Desk) -> None:
    """A customer of whom no sync has anything to tell has an empty log; without any sync there is no log to show."""
    none = desk.run("log", FACEBOOK)
    assert (none.exit_code, "there is no sync log" in none.stderr) == (2, True)
    desk.run("sync", FACEBOOK)
    other = desk.run("log", "C999999999")
    assert (other.exit_code, other.stdout) == (0, "No sync has anything to tell of customer C999999999.\n")
    assert desk.json("log", "C999999999") == {"customer": "C999999999", "rows": []}


def test_many_steps_are_summed_up(desk: Desk) -> None:
    """From forty steps on, a plan counts them by kind; bad records are told with the way out."""
    plan = desk.run("plan").stdout
    assert "companies created" in plan
    assert "create company" not in plan
    desk.configure('connection_types = ["B2B"]', 'connection_types = ["elsewhere"]')
    assert "its connection type 'B2B' is not accepted" in " ".join(desk.run("plan", FACEBOOK).stdout.split())


def test_a_report_that_does_not_hold_everything() -> None:
    """Of a run that did more than its report holds, all is counted: steps, findings and failures."""
    one = Finding(kind=FindingKind.NO_PRIMARY, record=Record(RecordKind.CUSTOMER, "C7"))
    counts = Counts(
        steps=Counter({CreateCompany: 30, RemoveUser: 1_200}),
        findings=Counter({FindingKind.NOT_ENABLED: 70, FindingKind.NO_PRIMARY: 400}),
        failures=5,
        troubles=1,
    )
    settled = Settled(customer=CustomerID("C7"), findings=(one,))
    report = RunReport(run="1", customers=9_000, settled=(settled,), counts=counts)
    text = io.StringIO()
    render.show_report(Console(file=text, width=100), report, "Admin")
    told = " ".join(text.getvalue().split())
    assert "+ 30 companies created - 1200 company users removed" in told
    assert "400 Held no primary C7 70 Filtered not enabled" in told
    assert told.endswith("9000 customers looked at: 1230 steps taken, 6 failed.")
    shape = shapes.report_shape(report, "Admin")
    assert shape["counts"] == {
        "steps": {"CreateCompany": 30, "RemoveUser": 1_200},
        "findings": {"NOT_ENABLED": 70, "NO_PRIMARY": 400},
    }
    assert (shape["failures"], shape["steps"], shape["ok"]) == (5, [], False)


# ------------------------------------------------------------------ exit codes
def test_1_where_a_customer_cannot_be_handled(desk: Desk) -> None:
    """A customer that Acumatica does not have is named, and the exit code is 1."""
    for command in ("plan", "sync"):
        result = desk.run(command, "NOBODY", FACEBOOK)
        assert result.exit_code == 1
        assert "the ERP has no customer 'NOBODY'" in result.stdout
    assert desk.json("sync", "NOBODY")["troubles"][0]["customer"] == "NOBODY"


def test_1_where_a_step_is_refused(desk: Desk) -> None:
    """A step that the shop refuses is counted and told, and the exit code is 1."""
    said = {"code": 422, "data": {"errMsg": "no"}, "meta": {"message": "no"}}
    desk.stage.bigcommerce.fail_next(422, said, times=99, concerns=lambda request: request.method == "POST")
    result = desk.run("sync", FACEBOOK)
    assert (result.exit_code, "1 failed" in result.stdout) == (1, True)
    assert desk.json("sync", FACEBOOK)["ok"] is False


def test_1_where_somebody_has_to_act_now(desk: Desk) -> None:
    """A finding to act on now, such as a last user who should go, makes the exit code 1."""
    desk.run("sync", FACEBOOK)
    disable(desk.stage, *contacts(desk.stage))
    result = desk.run("sync", FACEBOOK)
    assert result.exit_code == 1
    assert "act now: " in result.stdout
    assert any(finding["act_now"] for finding in desk.json("sync", FACEBOOK)["findings"])
    assert desk.run("plan", FACEBOOK).exit_code == 1


def test_3_where_the_guard_refuses(desk: Desk) -> None:
    """What the guard holds back is told, and the exit code is 3; with its approval the sync goes on."""
    desk.run("sync", FACEBOOK)
    disable(desk.stage, contacts(desk.stage)[-1])
    desk.configure(more="[policy.limits]\nremovals = 0")
    held = desk.run("sync", FACEBOOK)
    assert (held.exit_code, "Held by the guard: removals" in held.stdout) == (3, True)
    assert desk.json("sync", FACEBOOK)["held"] == ["removals"]
    desk.configure()
    assert desk.run("sync", FACEBOOK).exit_code == 0


def test_2_where_the_command_line_is_wrong(desk: Desk) -> None:
    """A customer and --all together, an unknown option or no command at all are refused with 2."""
    assert desk.run("sync", FACEBOOK, "--all").exit_code == 2
    assert desk.run("sync", "--all", "--changed").exit_code == 2
    assert desk.run("sync", "--everything").exit_code == 2
    assert desk.run("demo", "--seed", "x").exit_code == 2


def test_2_where_the_configuration_is_wrong(desk: Desk) -> None:
    """What is wrong with the configuration is said in one sentence, without a traceback, and the exit code is 2."""
    for command in (("plan",), ("sync",), ("log", FACEBOOK)):
        desk.file.write_text("[acumatica]\nurll = 1", encoding="utf-8")
        result = desk.run(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("acumatica-b2b: configuration file")
        assert "'urll'" in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["ACUMATICA_PASSWORD", "BIGCOMMERCE_TOKEN"])
def test_2_where_a_secret_is_missing_or_wrong(desk: Desk, name: str) -> None:
    """A missing or refused credential ends the command with 2; it is named, and never printed."""
    missing, wrong = desk.run("sync", **{name: ""}), desk.run("sync", **{name: "hunter2-hunter2"})
    assert (missing.exit_code, f"{name} is not set" in missing.stderr) == (2, True)
    assert (wrong.exit_code, "Traceback" in wrong.stderr) == (2, False)
    assert "hunter2" not in wrong.output
    assert desk.stage.acumatica.open_sessions == 0


def test_2_where_the_log_cannot_be_kept(desk: Desk) -> None:
    """A sync log that is another program's file is left alone, and the exit code is 2."""
    file = desk.folder / "sync.sqlite"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    result = desk.run("sync")
    assert (result.exit_code, "is the database of another program" in result.stderr) == (2, True)


def test_a_role_that_is_not_there_is_named(desk: Desk) -> None:
    """A role that the shop does not have ends the command with 2 before anything is written."""
    desk.configure("[policy]", '[policy]\nprimary_role = "Owner"')
    result = desk.run("sync")
    assert (result.exit_code, "Owner" in result.stderr) == (2, True)
    assert desk.stage.bigcommerce.writes == 0


def test_1_where_a_system_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that can't be reached is named, and the exit code is 1."""
    monkeypatch.setattr(StoppableClock, "sleep", lambda _, __: None)
    desk.configure(desk.stage.bigcommerce_url, "http://127.0.0.1:9/api/v3/io")
    result = desk.run("sync")
    assert (result.exit_code, "was not sent" in result.stderr) == (1, True)


# ------------------------------------------------------------------ what is kept secret
def test_no_output_holds_a_secret(desk: Desk) -> None:
    """Neither password nor token stands in anything that a command prints; no e-mail address in an error."""
    outputs = [desk.run(*words).output for words in (("plan",), ("sync",), ("sync", "--json"), ("log", FACEBOOK))]
    outputs += [desk.run("sync", "NOBODY").output, desk.run("sync", BIGCOMMERCE_TOKEN="wrong-token").output]
    one = str(contacts(desk.stage)[0])
    file = str(desk.folder / "plan.json")
    more = (
        ("explain", one),
        ("plan", "--out", file),
        ("approve", file),
        ("apply", file),
        ("skip", FACEBOOK),
        ("forget", one, "--yes"),
    )
    outputs = [desk.run(*words).output for words in more] + outputs
    secrets = [*desk.environ.values(), "wrong-token"]
    assert [secret for secret in secrets for output in outputs if secret in output] == []
    assert "@" not in outputs[-1]
