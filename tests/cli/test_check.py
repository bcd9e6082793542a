import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from acumatica_b2b.check import Check, CheckResult, Part, Verdict
from acumatica_b2b.cli.checked import show_result
from acumatica_b2b.cli.watching import StoppableClock
from tests.cli.conftest import Desk


def written(desk: Desk) -> tuple[int, int]:
    """Return how often both systems were written to."""
    return desk.stage.acumatica.writes, desk.stage.bigcommerce.writes


def words(result: Result) -> str:
    """Return what was printed, in one line."""
    return " ".join(result.stdout.split())


def wrong(desk: Desk, **environ: str) -> list[dict[str, Any]]:
    """Return what `check --json` finds wrong."""
    result = desk.run("check", "--json", **environ)
    found = json.loads(result.stdout)
    assert (found["ok"], result.exit_code) == ((False, 1) if result.exit_code else (True, 0))
    return [one for one in found["checks"] if one["verdict"] == "wrong"]


def test_a_right_set_up_is_good(desk: Desk) -> None:
    """The check of a right set-up says so part by part, ends with 0, and leaves nothing behind."""
    before, files = written(desk), set(desk.folder.iterdir())
    result = desk.run("check")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line for line in lines if line in {"Acumatica", "BigCommerce", "Sync log"}] == [
        "Acumatica",
        "BigCommerce",
        "Sync log",
    ]
    assert lines[-2].startswith("Nothing is wrong: ")
    assert lines[-1] == "Nothing was written to either system."
    assert "Forgot your password?" in words(result)
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in result.stdout
    assert written(desk) == before
    assert set(desk.folder.iterdir()) == files
    assert desk.stage.acumatica.open_sessions == 0
    assert wrong(desk) == []


@pytest.mark.parametrize(
    ("old", "new", "part", "about", "way_out"),
    [
        ("[policy]", '[policy]\nprimary_role = "Owner"', "storefront", "roles", "'Admin'"),
        ('opt_in = "Contact.', 'opt_in = "ContactCurrent.', "ERP", "opt-in", "'Contact.UsrKCEnabled'"),
        ("[log]", '[log]\nfile = "nowhere/sync.sqlite" #', "sync log", "reading", "make its folder"),
        ('tenant = "', 'endpoint_version = "19.200.001"\ntenant = "', "ERP", "endpoint", "24.200.001"),
        ('store_hash = "simulated"', 'store_hash = "other"', "storefront", "token", "store hash"),
    ],
)
def test_a_fault_is_named_with_its_way_out(desk: Desk, old: str, new: str, part: str, about: str, way_out: str) -> None:
    """A fault of the configuration is named, in the tables and as JSON, with its way out, and ends the check with 1."""
    desk.configure()
    text = desk.file.read_text(encoding="utf-8").replace(old, new)
    lines = text.splitlines()
    if "nowhere" in new:
        lines = [line for line in lines if not line.startswith("file = '")]
    desk.file.write_text("\n".join(lines), encoding="utf-8")
    before = written(desk)
    (found,) = wrong(desk)
    assert (found["part"], found["about"], way_out in found["way_out"]) == (part, about, True)
    shown = desk.run("check")
    assert (shown.exit_code, f"way out: {found['way_out']}" in words(shown)) == (1, True)
    assert shown.stdout.splitlines()[-2].startswith("1 of ")
    assert written(desk) == before


def test_credentials_are_named_and_never_shown(desk: Desk) -> None:
    """Both a wrong password and a wrong token are named in one check; neither is printed."""
    environ = {"ACUMATICA_PASSWORD": "hunter2-hunter2", "BIGCOMMERCE_TOKEN": "hunter3-hunter3"}
    found = wrong(desk, **environ)
    assert [one["about"] for one in found] == ["sign-in", "token"]
    shown = desk.run("check", **environ)
    assert "not looked at, because of the sign-in" in words(shown)
    assert "not looked at, because of the token" in words(shown)
    assert [secret for secret in (*environ.values(), *desk.environ.values()) if secret in shown.output] == []
    missing = desk.run("check", BIGCOMMERCE_TOKEN="")
    assert (missing.exit_code, "BIGCOMMERCE_TOKEN is not set" in missing.stderr) == (2, True)


def test_a_system_that_is_away_is_named_soon(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that can't be reached is named after one more try; the other one is looked at all the same."""
    pauses: list[float] = []
    monkeypatch.setattr(StoppableClock, "sleep", lambda _, seconds: pauses.append(seconds))
    desk.configure(desk.stage.acumatica_url, "http://127.0.0.1:9/Live")
    assert [(one["part"], one["about"]) for one in wrong(desk)] == [("ERP", "address")]
    assert len(pauses) == 1


def test_a_log_is_left_as_it_was(desk: Desk) -> None:
    """The check of a log that is there proves the tenant by it, and leaves none of its rows changed."""
    desk.run("sync")
    rows = dump(desk.folder / "sync.sqlite")
    assert "it holds customers that were synced before" in words(desk.run("check"))
    assert dump(desk.folder / "sync.sqlite") == rows


def dump(file: Path) -> list[Any]:
    """Return the rows of a sync log."""
    database = sqlite3.connect(file)
    try:
        return database.execute("SELECT * FROM commits ORDER BY key, version").fetchall()
    finally:
        database.close()


def test_a_log_that_is_another_programs_is_named(desk: Desk) -> None:
    """A file that is another program's database is named as what is wrong with the log."""
    with sqlite3.connect(desk.folder / "sync.sqlite") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    (found,) = wrong(desk)
    assert (found["part"], "another program" in found["said"]) == ("sync log", True)


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "✗ "), ("ascii", "XX ")])
def test_signs_fit_the_terminal(encoding: str, sign: str) -> None:
    """What is wrong has a cross before it, or letters where the terminal has no such sign."""
    check = Check(part=Part.ERP, about="roles", verdict=Verdict.WRONG, said="[bold] is :bad:", way_out="mend it")
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    show_result(Console(file=out, width=80, markup=False, emoji=False), CheckResult(checks=(check,)))
    out.flush()
    text = raw.getvalue().decode(encoding)
    assert sign in text
    assert "[bold] is :bad:" in text
