"""The page of promises, held against the tests that it names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def functions(file: Path) -> set[str]:
    """Return the tests of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)} | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_every_promise_has_its_test(file: str, function: str) -> None:
    """The test that a promise names is there."""
    assert function in functions(ROOT / file)


def test_every_row_names_a_test() -> None:
    """No promise stands without a test that holds it."""
    rows = [line for line in PAGE.partition("## Not promised")[0].splitlines() if line.startswith("| ")]
    promises = [row for row in rows if row != "| promise | held by |"]
    assert [row for row in promises if not re.search(r"`tests/[\w/]+\.py::\w+`", row)] == []
    assert len(promises) > 20
