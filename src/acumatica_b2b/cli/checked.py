"""What a check found, for people and as plain data."""

from collections import Counter
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from acumatica_b2b.check import Check, CheckResult, Part, Verdict
from acumatica_b2b.cli.looks import counted
from acumatica_b2b.cli.rows import Shape

_MARKS: Final = {
    Verdict.GOOD: ("✓", "ok", "green"),
    Verdict.NOTE: ("•", "..", "yellow"),
    Verdict.WRONG: ("✗", "XX", "bold red"),
    Verdict.NOT_LOOKED_AT: ("·", "--", "dim"),
}
"""Each verdict's sign, the same in ASCII, and its colour."""
_TITLES: Final = {Part.ERP: "Acumatica", Part.STOREFRONT: "BigCommerce", Part.LOG: "Sync log"}


def show_result(out: Console, result: CheckResult) -> None:
    """Print what was looked at, part by part, with the way out of what is wrong."""
    width = max((len(check.about) for check in result.checks), default=0)
    for part in Part:
        if found := [check for check in result.checks if check.part is part]:
            out.print(Text(_TITLES[part], style="bold"))
            out.print(_table(found, width, ascii_only=out.options.ascii_only))
            out.print()
    out.print(_summary(result))
    out.print("Nothing was written to either system.", style="dim")


def _table(checks: list[Check], width: int, *, ascii_only: bool) -> Table:
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(min_width=min(width, 32), overflow="fold")
    made.add_column(overflow="fold", ratio=1)
    for check in checks:
        sign, plain, colour = _MARKS[check.verdict]
        quiet = "dim" if check.verdict is Verdict.NOT_LOOKED_AT else ""
        about = colour if check.verdict is Verdict.WRONG else quiet
        made.add_row(Text(plain if ascii_only else sign, style=colour), Text(check.about, style=about), _said(check))
    return made


def _said(check: Check) -> Text:
    if check.verdict is Verdict.NOT_LOOKED_AT:
        return Text(f"not looked at, {check.said}", style="dim")
    wrong = check.verdict is Verdict.WRONG
    way_out = f"\n{'way out' if wrong else 'hint'}: {check.way_out}" if check.way_out else ""
    return Text.assemble(check.said, (way_out, "cyan" if wrong else "dim"))


def _summary(result: CheckResult) -> Text:
    number = Counter(check.verdict for check in result.checks)
    wrong, skipped, noted = number[Verdict.WRONG], number[Verdict.NOT_LOOKED_AT], number[Verdict.NOTE]
    looked_at = f"{counted(len(result.checks) - skipped, 'thing')} looked at"
    if not wrong:
        return Text(f"Nothing is wrong: {looked_at}, {noted} of them worth knowing.", style="bold green")
    rest = f"; {skipped} not looked at because of {'it' if wrong == 1 else 'them'}" if skipped else ""
    return Text(f"{wrong} of {looked_at} {'is' if wrong == 1 else 'are'} wrong{rest}.", style="bold red")


def result_shape(result: CheckResult) -> Shape:
    """Return what was looked at."""
    return {
        "ok": result.ok,
        "checks": [
            {
                "part": check.part.value,
                "about": check.about,
                "verdict": check.verdict.value,
                "said": check.said,
                "way_out": check.way_out,
            }
            for check in result.checks
        ],
    }
