"""The count of what tests made of mutants: what is explained, what is open, what is explained in vain."""

import tomllib
from pathlib import Path

import pytest

from tests.mutation import score
from tests.mutation.score import Mutant, Score, explained, report

ONE = Mutant("guard.most", ("- return a", "+ return b"))
TWO = Mutant("guard.most", ("- return a", "+ return None"))
HERE = Path(__file__).parent


def test_survivors_are_of_the_core() -> None:
    """Every survivor that is explained is of a module that mutmut is told to change, and has a reason."""
    modules = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["only_mutate"]
    names = {Path(module).stem for module in modules}
    listed = tomllib.loads(score.EXPLAINED.read_text("utf-8"))["survivor"]
    assert {one["function"].partition(".")[0] for one in listed} <= names
    assert len(explained(names)) == len(listed)
    assert all(explained(names).values())


def test_indentation_and_comments_are_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survivor is known by its function and the code that changes, wherever that stands."""
    file = tmp_path / "survivors.toml"
    lines = "\n-     return a\n-     # why\n+         return b\n"
    file.write_text(f"[[survivor]]\nfunction = 'guard.most'\nmutation = '''{lines}'''\nreason = 'it is so'\n", "utf-8")
    monkeypatch.setattr(score, "EXPLAINED", file)
    assert explained({"guard"}) == {ONE: "it is so"}
    assert explained({"people"}) == {}


def test_reasons_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survivor without a reason is named and not counted."""
    file = tmp_path / "survivors.toml"
    file.write_text(str(ONE), "utf-8")
    monkeypatch.setattr(score, "EXPLAINED", file)
    with pytest.raises(SystemExit, match=r"without a reason: guard\.most"):
        explained({"guard"})


def test_report() -> None:
    """The report tells of each module and of all, then what is open, then what is explained in vain."""
    guard = Score(module="guard", killed=7, timed_out=1, survivors=(ONE, TWO))
    plan = Score(module="plan", killed=10, timed_out=0, survivors=())
    gone = Mutant("plan.unfolded", ("- x", "+ y"))
    lines = list(report((guard, plan), {ONE, gone}))
    assert [line.split() for line in lines[1:4]] == [
        ["guard", "10", "7", "1", "1", "1", "80.0%"],
        ["plan", "10", "10", "0", "0", "0", "100.0%"],
        ["all", "20", "17", "1", "1", "1", "90.0%"],
    ]
    assert [line for line in lines[4:] if "[[survivor]]" in line] == [
        f"\nno test kills this, and nothing explains it:\n{TWO}",
        f"\nthis is explained, and survives no more:\n{gone}",
    ]
