"""An explanation, for people and as plain data."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from acumatica_b2b.cli.rows import Shape
from acumatica_b2b.cli.shapes import finding_shape
from acumatica_b2b.explaining import Explanation, Line, Mark, Section

_MARKS: Final = {
    Mark.SAID: (" ", " ", ""),
    Mark.GOOD: ("✓", "+", "green"),
    Mark.STEP: ("→", ">", "bold cyan"),
    Mark.WAITS: ("•", "!", "yellow"),
    Mark.ACT_NOW: ("✗", "!!", "bold red"),
    Mark.QUIET: (" ", " ", "dim"),
}
"""Each mark's sign, the same in ASCII, and its colour."""


def show_explanation(out: Console, told: Explanation) -> None:
    """Print the one sentence, then section after section."""
    out.print(Text(told.summary, style="bold"))
    for section in told.sections:
        out.print()
        out.print(Text(section.title, style="bold"))
        out.print(_table(section, ascii_only=out.options.ascii_only))
    out.print()
    out.print("Nothing was written to either system, nor to the log.", style="dim")


def _table(section: Section, *, ascii_only: bool) -> Table:
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column(no_wrap=True, min_width=2, justify="right")
    if timed := any(line.at for line in section.lines):
        made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold", ratio=1)
    for line in section.lines:
        sign, plain, colour = _MARKS[line.mark]
        when = [_when(line)] if timed else []
        made.add_row(Text(plain if ascii_only else sign, style=colour), *when, _said(line, colour))
    return made


def _when(line: Line) -> str:
    return line.at.astimezone().strftime("%Y-%m-%d %H:%M") if line.at else ""


def _said(line: Line, colour: str) -> Text:
    act_now = "act now: " if line.mark is Mark.ACT_NOW else ""
    style = colour if line.mark in {Mark.QUIET, Mark.ACT_NOW} else ""
    way_out = f"\nway out: {line.way_out}" if line.way_out else ""
    return Text.assemble((act_now + line.text, style), (way_out, "dim"))


def explanation_shape(told: Explanation) -> Shape:
    """Return all of an explanation."""
    return {
        "contact": told.contact,
        "summary": told.summary,
        "known": told.known,
        "trouble": told.trouble,
        "customer": told.customer,
        "takes_part": told.takes_part,
        "company": told.company,
        "user": told.user,
        "steps": told.steps,
        "busy_until": told.busy_until.isoformat() if told.busy_until else None,
        "sections": [
            {"title": section.title, "lines": [_line_shape(line) for line in section.lines]}
            for section in told.sections
        ],
        "findings": [finding_shape(finding) for finding in told.findings],
    }


def _line_shape(line: Line) -> Shape:
    return {
        "mark": line.mark.name.lower(),
        "text": line.text,
        "way_out": line.way_out,
        "kind": line.kind,
        "at": line.at.isoformat() if line.at else None,
    }
