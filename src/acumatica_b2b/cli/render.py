"""Tables for people: plans and reports."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from acumatica_b2b.actions import Step
from acumatica_b2b.cli.looks import MANY, counted, named, status_text, table
from acumatica_b2b.cli.words import Sort, notes, plural, sort_of
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Plan, RunReport, Trouble
from acumatica_b2b.steps import record_of
from acumatica_b2b.words import describe

_FEW: Final = 20
"""So many customers that could not be handled are named."""
_COLOURS: Final = {
    Sort.ADDS: "green",
    Sort.CHANGES: "yellow",
    Sort.HANDS_OVER: "bold magenta",
    Sort.REMOVES: "red",
    Sort.WRITES_BACK: "cyan",
}
Todo = tuple[CustomerID, Step]


# ------------------------------------------------------------------ plan and report
def show_plan(out: Console, plan: Plan, policy: SyncPolicy, file: str = "FILE") -> None:
    """Print what would be done and what comes with it, why the rest would not, and how much it is.

    `file` is where the plan is kept.
    """
    if plan.steps:
        _apart(out, plan_table(plan, policy.primary_role))
    if told := list(notes(plan, policy)):
        out.print("\n".join(told), style="dim")
        out.print()
    _show_findings(out, plan.findings)
    _show_troubles(out, plan.troubles)
    _show_held(out, plan, policy, file)
    customers = counted(plan.customers, "customer")
    if plan.steps:
        concerned = sum(bool(company.steps) for company in plan.companies)
        out.print(f"{counted(len(plan.steps), 'step')} to take for {concerned} of {customers}.")
    else:
        out.print(f"Nothing to do for {customers}.")


def _show_held(out: Console, plan: Plan, policy: SyncPolicy, file: str) -> None:
    """Print what waits for a person's approval, and how it is given."""
    waiting = [(company.customer, step) for company in plan.companies for step in company.on_approval]
    if waiting:
        _apart(out, _steps("Only with an approval", waiting, policy.primary_role))
    kinds = ", ".join(sorted(kind.value for kind in plan.held))
    if kinds:
        hours = f"{policy.limits.hours:g} hours"
        out.print(Text.assemble(("Beyond the limits: ", "bold yellow"), f"{kinds}, counted over the last {hours}."))
    if waiting or kinds:
        first = "`plan --out FILE`, then " if file == "FILE" else ""
        out.print(f"If it is right: {first}`approve {file}` and `apply {file}`.")
        out.print()


def show_approved(out: Console, steps: Sequence[Mapping[str, Any]], file: str, *, by: str, until: datetime) -> None:
    """Print what somebody approved, as it was shown when the plan in the file was made."""
    made = table("Approved", "Customer", "Record", "Step", "Counts as")
    for step in steps[:MANY]:
        record = f"{step['record']['kind']} {step['record']['id']}"
        made.add_row(step["customer"], record, step["what"], step["counts_as"])
    if len(steps) > MANY:
        made.add_row("", "", f"… and {len(steps) - MANY} more", "")
    _apart(out, made)
    when = until.astimezone().strftime("%Y-%m-%d %H:%M")
    out.print(f"{counted(len(steps), 'step')} approved by {by}, until {when}. Next: `apply {file}`, or a sync.")


def plan_table(plan: Plan, primary_role: str) -> Table:
    """Return the steps of a plan, in order."""
    todo = [(company.customer, step) for company in plan.companies for step in company.steps]
    return _steps("Plan", todo, primary_role)


def show_report(out: Console, report: RunReport, primary_role: str) -> None:
    """Print what was done, what was found, and how it ended."""
    done = [(settled.customer, step) for settled in report.settled for step in settled.steps]
    if steps := report.counts.steps.total():
        _apart(out, _steps("Done", done, primary_role, report.counts.steps))
    _show_findings(out, report.findings, report.counts.findings)
    _show_troubles(out, report.troubles)
    for kind in sorted(report.held, key=lambda kind: kind.value):
        way_out = "look at the plan, and approve it if it is right"
        out.print(Text.assemble(("Held by the guard: ", "bold yellow"), f"{kind.value}; {way_out}"))
    if report.stopped:
        out.print(Text(f"The run ended early: {report.stopped}", style="bold red"))
    failures = report.counts.failures + report.counts.troubles
    looked_at = counted(report.customers, "customer")
    taken = f"{counted(steps, 'step')} taken" if steps else "nothing to do"
    failed = f", {failures} failed" if failures else ""
    out.print(f"{looked_at} looked at: {taken}{failed}.")


def _steps(
    title: str, todo: Sequence[Todo], primary_role: str, in_all: Mapping[type[Step], int] | None = None
) -> Table:
    counts = Counter(type(step) for _, step in todo) if in_all is None else in_all
    if sum(counts.values()) >= MANY:
        return _summed_up(title, counts)
    several = len({customer for customer, _ in todo}) > 1
    made = table(title, "", *(["Customer"] if several else []), "Record", "Step")
    before = None
    for customer, step in todo:
        shown = [customer if customer != before else ""] if several else []
        record = record_of(step)
        name = record.kind.value if several and record.id == customer else named(record)
        made.add_row(_sign(type(step)), *shown, name, describe(step, primary_role))
        before = customer
    return made


def _summed_up(title: str, counts: Mapping[type[Step], int]) -> Table:
    made = table(title, "", "Steps", "What")
    made.columns[1].justify = "right"
    for kind, count in counts.items():
        made.add_row(_sign(kind), str(count), plural(kind))
    return made


def _sign(kind: type[Step]) -> Text:
    sort = sort_of(kind)
    return Text(sort.value, style=_COLOURS[sort])


def _apart(out: Console, made: Table) -> None:
    out.print(made)
    out.print()


def _show_findings(out: Console, findings: Sequence[Finding], in_all: Mapping[FindingKind, int] | None = None) -> None:
    counts = Counter(finding.kind for finding in findings) if in_all is None else in_all
    if not counts:
        return
    if sum(counts.values()) >= MANY:
        _apart(out, _findings_summed_up(findings, counts))
        return
    made = table("Findings", "Record", "Status", "Why, and the way out")
    for finding in findings:
        made.add_row(named(finding.record), status_text(finding.status), _why(finding))
    _apart(out, made)


def _findings_summed_up(findings: Sequence[Finding], counts: Mapping[FindingKind, int]) -> Table:
    made = table("Findings", "Records", "Status", "Why", "Such as")
    made.columns[0].justify = "right"
    for kind, count in sorted(counts.items(), key=lambda item: (-item[1], not item[0].about.act_now)):
        words = kind.name.lower().replace("_", " ")
        examples = islice((str(finding.record.id) for finding in findings if finding.kind is kind), 3)
        made.add_row(str(count), status_text(kind.about.status), words, ", ".join(examples))
    return made


def _why(finding: Finding) -> Text:
    act_now = Text("act now: ", style="bold red") if finding.act_now else Text()
    return Text.assemble(act_now, finding.meaning, (f"; {finding.way_out}", "dim"))


def _show_troubles(out: Console, troubles: Sequence[Trouble]) -> None:
    if troubles:
        made = table("Could not be handled", "Customer", "Why")
        for trouble in troubles[:_FEW]:
            made.add_row(trouble.customer, Text(str(trouble.error), style="red"))
        if len(troubles) > _FEW:
            made.add_row("", f"… and {counted(len(troubles) - _FEW, 'more customer')}")
        _apart(out, made)
