"""What all output for people looks like: the console, tables, a record, a number, a status, a failure."""

from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from acumatica_b2b.findings import Status
from acumatica_b2b.model import Record

MANY: Final = 40
"""From so many rows on, a table is summed up."""
WIDTH: Final = 100
"""Columns where the output is no terminal."""

_STATUS_COLOURS: Final = {
    Status.PROCESSED: "green",
    Status.PREPARED: "yellow",
    Status.HELD: "yellow",
    Status.FAILED: "bold red",
    Status.ABORTED: "bold red",
    Status.INVALID: "red",
    Status.DELETED: "magenta",
    Status.SKIPPED: "dim",
    Status.FILTERED: "dim",
}


def console(*, stderr: bool = False) -> Console:
    """Return where to print: as wide as the terminal, or `WIDTH` columns."""
    # what others wrote into a name is no markup
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = WIDTH
    return made


def table(title: str, *columns: str) -> Table:
    """Return an empty table of the house's look."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        show_edge=False,
    )
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def named(record: Record) -> str:
    """Return a record in a table's words."""
    return f"{record.kind.value} {record.id}"


def status_text(status: Status) -> Text:
    """Return a status in its colour."""
    return Text(status.value, style=_STATUS_COLOURS[status])


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things in words."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def show_failure(out: Console, message: str) -> None:
    """Print why a command ended."""
    out.print(Text.assemble(("acumatica-b2b: ", "bold red"), message), soft_wrap=True)
