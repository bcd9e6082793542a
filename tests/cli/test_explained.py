"""`explain`, as people and programs see it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from acumatica_b2b.cli.commands import cli
from acumatica_b2b.cli.explained import show_explanation
from acumatica_b2b.cli.story import FACEBOOK
from acumatica_b2b.cli.watching import StoppableClock
from acumatica_b2b.explaining import Explanation, Line, Mark, Section
from acumatica_b2b.model import ContactID
from tests.cli.conftest import Desk, contacts, disable


def test_explain_is_for_people(desk: Desk) -> None:
    """An explanation has at most 100 columns, no colour without a terminal, no address, and leaves no file behind."""
    one = str(contacts(desk.stage)[1])
    before = desk.run("explain", one)
    assert (before.exit_code, "The next sync would: create company user" in before.stdout) == (0, True)
    assert not (desk.folder / "sync.sqlite").exists()
    assert desk.stage.bigcommerce.writes == 0
    desk.run("sync", FACEBOOK)
    after = desk.run("explain", one)
    disable(desk.stage, int(one))
    leaving = desk.run("explain", f" {one} ")
    assert "Nothing to do." in after.stdout
    assert "takes part no more: it is not enabled for the site" in " ".join(leaving.stdout.split())
    for result in (before, after, leaving):
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= 100
        assert "@" not in result.stdout
        assert "\x1b" not in result.stdout
        assert result.stdout.endswith("Nothing was written to either system, nor to the log.\n")


def test_explain_as_json(desk: Desk) -> None:
    """`explain --json` gives the sections line by line, each with its mark, and the findings."""
    one = str(contacts(desk.stage)[0])
    told = desk.json("explain", one)
    assert (told["contact"], told["customer"], told["takes_part"], told["known"]) == (one, FACEBOOK, True, True)
    plan = next(section for section in told["sections"] if section["title"] == "What the next sync would do")
    steps = [line["kind"] for line in plan["lines"] if line["mark"] == "step"]
    assert len(steps) == told["steps"]
    assert steps[0] == "CreateCompany"


def test_1_where_nobody_knows_the_contact(desk: Desk) -> None:
    """A contact that nobody knows ends with 1, also one whose id no contact can have."""
    for key in ("999999", "somebody"):
        result = desk.run("explain", key)
        assert (result.exit_code, result.stderr) == (1, "")
        assert f"'{key}'" in result.stdout


def test_1_where_a_system_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the shop can't be reached the rest is told, and the exit code is 1."""
    one = str(contacts(desk.stage)[0])
    monkeypatch.setattr(StoppableClock, "sleep", lambda _, __: None)
    desk.configure(desk.stage.bigcommerce_url, "http://127.0.0.1:9/api/v3/io")
    result = desk.run("explain", one)
    assert (result.exit_code, result.stderr) == (1, "")
    assert f"Contact '{one}' can't be explained to the end: " in result.stdout
    assert "it is the primary contact" in result.stdout


def test_every_mark_has_a_sign_and_a_plain_one() -> None:
    """Each mark is shown, with its way out, on wide and on narrow terminals, in ASCII too."""
    lines = tuple(Line(text=f"word {mark.name} " * 9, way_out="go " * 30, mark=mark) for mark in Mark)
    empty = Section(title="Empty", lines=())
    told = Explanation(
        contact=ContactID("1"),
        summary="Contact '1' names x@example.com.",
        read=Section(title="Read", lines=lines),
        eligibility=empty,
        match=empty,
        plan=empty,
        guard=empty,
        outcomes=empty,
    )
    for width, encoding in ((40, "utf-8"), (40, "ascii"), (120, "utf-8")):
        with Path("/dev/null").open("w", encoding=encoding) as nowhere:
            out = Console(file=nowhere, width=width, record=True, markup=False, highlight=False, emoji=False)
            show_explanation(out, told)
        shown = out.export_text()
        assert all(f"word {mark.name}" in shown for mark in Mark)
        assert shown.count("way out:") == len(Mark)
        assert max(map(len, shown.splitlines())) <= width
        assert ("act now: " in shown, "Empty" in shown, "<e-mail>" in shown) == (True, False, True)
        assert encoding != "ascii" or shown.isascii()


def test_help_names_every_command_once() -> None:
    """`--help` lists each command once, by what it is for."""
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    for name in cli.commands:
        assert sum(line.split()[:1] == [name] for line in shown.splitlines()) == 1
