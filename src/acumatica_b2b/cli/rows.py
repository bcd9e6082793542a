"""The rows of the Customer Log, for people and as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from acumatica_b2b.cli.looks import MANY, counted, named, status_text, table
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.model import Record

Shape: TypeAlias = Mapping[str, Any]


def log_table(title: str, rows: Sequence[tuple[str, LogRow]], *, timed: bool, many: int = MANY) -> Table:
    """Return Customer Log rows, each with its customer; no column says what is the same in all."""
    several = len({customer for customer, _ in rows}) > 1
    lead = [*(["Time"] if timed else []), *(["Customer"] if several else [])]
    made = table(title, *lead, "Record", "Status", "What happened", "Reference ID")
    before = None
    for customer, row in rows[:many]:
        cells = [Text(row.at.astimezone().strftime("%Y-%m-%d %H:%M:%S"), style="dim")] if timed else []
        cells += [Text(customer if customer != before else "")] if several else []
        message = Text(f"\n{row.message}", style="dim") if row.message else Text()
        record = row.record.kind.value if several and row.record.id == customer else named(row.record)
        made.add_row(*cells, record, status_text(row.status), Text.assemble(row.what, message), row.id)
        before = customer
    if len(rows) > many:
        made.caption = f"… and {counted(len(rows) - many, 'more row')}"
        made.caption_justify = "left"
    return made


def row_shape(row: LogRow) -> Shape:
    """Return one line of the Customer Log."""
    return {
        "at": row.at.isoformat(),
        "record": record_shape(row.record),
        "what": row.what,
        "status": row.status.value,
        "commerce_reference": row.id,
        "message": row.message,
    }


def record_shape(record: Record) -> Shape:
    """Return which ERP record it is."""
    return {"kind": record.kind.value, "id": record.id}
