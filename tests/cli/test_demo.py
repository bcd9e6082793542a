import json
import time
from typing import Any

import pytest
from click.testing import CliRunner

from acumatica_b2b.cli.commands import cli
from acumatica_b2b.cli.demo import play
from acumatica_b2b.cli.stage import staged
from acumatica_b2b.cli.story import FACEBOOK, facebook, generated
from acumatica_b2b.policy import SyncPolicy
from tests import oracle
from tests.cli.conftest import world

POLICY = SyncPolicy(connection_types=frozenset({"B2B"}))


@pytest.fixture(scope="module")
def told() -> Any:
    """Return what `demo --json` prints."""
    result = CliRunner().invoke(cli, ["demo", "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def users(step: Any) -> dict[str, str]:
    """Return the company users after a step by e-mail address, with their roles."""
    return {user["email"]: user["role"] for company in step["companies"] for user in company["users"]}


# ------------------------------------------------------------------ the story
def test_the_story_goes_as_it_should(told: Any) -> None:
    """No user while not enabled or not Primary; then Mark as Admin, colleagues as buyers, Priya as the only Admin."""
    steps = told["steps"]
    assert [users(step) for step in steps[:3]] == [{}, {}, {"markz@test.com": "Admin"}]
    colleagues = {"priya@test.com": "Senior Buyer", "tom@test.com": "Senior Buyer"}
    assert users(steps[3]) == {"markz@test.com": "Admin", **colleagues}
    assert users(steps[4]) == {**colleagues, "markz@test.com": "Senior Buyer", "priya@test.com": "Admin"}
    assert users(steps[5]) == users(told) == users(steps[4])


def test_both_systems_hold_each_others_ids(told: Any) -> None:
    """Every user has a contact, and company, contacts and locations the commerce reference ID that Acumatica holds."""
    (company,) = told["companies"]
    assert (company["customer"], company["name"]) == (FACEBOOK, "Facebook")
    assert company["commerce_reference"] == company["company"]
    people = {user["contact_id"]: user for user in company["users"]}
    assert len(people) == 3
    assert len({user["commerce_reference"] for user in people.values()}) == 3
    assert all(user["commerce_reference"] for user in people.values())
    assert [place["id"] for place in company["locations"]] == ["DOCK", "MAIN"]
    assert all(place["commerce_reference"] for place in company["locations"])
    assert [user["email"] for user in people.values() if user["primary_admin"]] == ["priya@test.com"]


def test_the_last_step_writes_nothing(told: Any) -> None:
    """Where nothing changed, the sync writes to neither system; where something did, its writes are counted."""
    writes = [step["writes"] for step in told["steps"]]
    assert writes[-1] == {"acumatica": 0, "bigcommerce": 0}
    assert [sum(write.values()) for write in writes[:2]] == [0, 0]
    assert all(sum(write.values()) for write in writes[2:5])
    assert writes[2]["acumatica"] == 3
    assert writes[4] == {"acumatica": 0, "bigcommerce": 2}
    assert all(step["requests"]["acumatica"] > step["writes"]["acumatica"] for step in told["steps"])


def test_each_sync_does_what_its_plan_said(told: Any) -> None:
    """The plan shown before a sync holds the very steps that the sync takes."""
    for step in told["steps"]:
        planned = [one for company in step["plan"]["companies"] for one in company["steps"]]
        done = [{key: one[key] for key in ("kind", "record")} for one in step["report"]["steps"]]
        assert [{key: one[key] for key in ("kind", "record")} for one in planned] == done


def test_the_customer_log_tells_it_all(told: Any) -> None:
    """The Customer Log holds the rows of every step, each with customer, record, status and reference ID."""
    rows = told["customer_log"]
    assert rows == [row for step in told["steps"] for row in step["customer_log"]]
    assert {row["customer"] for row in rows} == {FACEBOOK}
    assert [row["what"] for row in told["steps"][0]["customer_log"]] == ["not enabled", "no primary"]
    said = [(row["record"]["id"], row["what"]) for row in told["steps"][4]["customer_log"]]
    assert said == [("100002", "made Primary Admin"), ("100001", "Primary Admin role taken back")]
    assert told["steps"][5]["customer_log"] == []


def test_people_see_it_in_100_columns() -> None:
    """The demo names each act, shows plan, Customer Log and users, and fits 100 columns; no escape codes in a pipe."""
    result = CliRunner().invoke(cli, ["demo"], catch_exceptions=False)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "\x1b" not in result.stdout
    for act in facebook().acts:
        assert act.title in result.stdout
    for words in (
        "“Enable Kensium Commerce Framework” is checked",
        "★ Primary Admin",
        "Customer Log",
        "Commerce Reference ID",
    ):
        assert words in result.stdout
    assert "simulated-password" not in result.stdout


# ------------------------------------------------------------------ seeds
@pytest.mark.parametrize("seed", [3, 23, 31])
def test_a_seed_ends_where_the_oracle_says(seed: int) -> None:
    """Fifty made-up customers and a day of changes end as the oracle says, and then nothing is written."""
    story = generated(50, seed)
    with staged(story.dataset) as stage:
        found, history = world(stage)[1], oracle.History()
        for scene in play(story, stage):
            customers, now = world(stage)
            step = oracle.Step(customers=customers, before=found, policy=POLICY, history=history)
            assert oracle.check_step(step, now) == []
            assert not scene.report.troubles
            found, history = now, oracle.remember(step, now)
    assert scene.writes == 0


def test_a_seed_has_bad_records(capfd: pytest.CaptureFixture[str]) -> None:
    """With `--seed` the demo finds bad records, tells them, and still ends with nothing to write."""
    began = time.monotonic()
    result = CliRunner().invoke(cli, ["demo", "--seed", "4", "--json"], catch_exceptions=False)
    assert time.monotonic() - began < 60
    told = json.loads(result.stdout)
    kinds = {finding["kind"] for finding in told["steps"][0]["report"]["findings"]}
    assert kinds >= {"MISSING_EMAIL", "NOT_ENABLED"}
    assert len(told["companies"]) > 30
    assert sum(told["steps"][-1]["writes"].values()) == 0
    assert result.exit_code == 0
    assert capfd.readouterr().err == ""


def test_the_same_seed_plays_the_same() -> None:
    """A seed always plays the same customers and the same edits; another seed plays others."""
    assert generated(50, 4) == generated(50, 4)
    assert generated(50, 4) != generated(50, 5)


def test_people_see_a_seed_summed_up() -> None:
    """Many customers are summed up: the first plan by kinds of steps, long tables by their first rows."""
    result = CliRunner().invoke(cli, ["demo", "--seed", "4"], catch_exceptions=False)
    assert max(map(len, result.stdout.splitlines())) <= 100
    for words in ("companies created", "more rows", "company users in all", "Nothing changed"):
        assert words in result.stdout
    assert len(result.stdout.splitlines()) < 200
