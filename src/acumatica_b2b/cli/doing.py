"""What the commands do. Nothing of this is loaded before one is called: `--help` needs none of it."""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from acumatica_b2b.cli import checked, connect, explained, looks, planfile, render, shapes
from acumatica_b2b.cli.config import read_config
from acumatica_b2b.cli.logged import print_json
from acumatica_b2b.cli.options import Code
from acumatica_b2b.cli.rows import Shape
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.model import Record, RecordKind
from acumatica_b2b.report import Plan, RunReport


# ------------------------------------------------------------------ every day
def plan(customers: tuple[str, ...], out: Path | None, config_file: Path, *, as_json: bool) -> Code:
    """Show what a sync would do."""
    config = read_config(config_file)
    with connect.hosted(config, os.environ, "planning") as host:
        found = connect.plan(host, customers)
        before = planfile.write_plan(out, found, config.policy, host.clock.now()) if out else None
    if as_json:
        print_json(shapes.plan_shape(found, config.policy))
    else:
        render.show_plan(looks.console(), found, config.policy, str(out or "FILE"))
    if out:
        _say_where(out, before)
    return _code_of_plan(found)


def _say_where(file: Path, before: planfile.PlanFile | None) -> None:
    instead = f", in place of that of {before.sealed.made.astimezone():%Y-%m-%d %H:%M}" if before else ""
    click.echo(f"The plan is in {str(file)!r}{instead}; `apply` does what it says.", err=True)


def _code_of_plan(found: Plan) -> Code:
    if found.troubles or (not found.steps and any(finding.act_now for finding in found.findings)):
        return Code.FAILURES
    if found.held or any(company.on_approval for company in found.companies):
        return Code.HELD
    return Code.TO_DO if found.steps else Code.DONE


def sync(customers: tuple[str, ...], config_file: Path, *, everything: bool, as_json: bool) -> Code:
    """Bring companies in step: of these customers, of all, or of those that changed."""
    config = read_config(config_file)
    asked: connect.Asked = customers or (connect.Scope.ALL if everything else connect.Scope.CHANGED)
    with connect.hosted(config, os.environ, "syncing") as host:
        report = connect.sync(host, asked)
    return _shown(report, config.policy.primary_role, as_json=as_json)


def _shown(report: RunReport, primary_role: str, *, as_json: bool) -> Code:
    if as_json:
        print_json(shapes.report_shape(report, primary_role))
    else:
        render.show_report(looks.console(), report, primary_role)
    return _code_of_report(report)


def _code_of_report(report: RunReport) -> Code:
    """Return what a run comes to; what somebody has to act on now comes first."""
    if any(finding.act_now for finding in report.findings):
        return Code.FAILURES
    if report.held:
        return Code.HELD
    return Code.DONE if report.ok else Code.FAILURES


def check(config_file: Path, *, as_json: bool) -> Code:
    """Look at the set-up."""
    config = read_config(config_file)
    with connect.hosted(config, os.environ, "checking") as host:
        result = connect.check(host)
    if as_json:
        print_json(checked.result_shape(result))
    else:
        checked.show_result(looks.console(), result)
    return Code.DONE if result.ok else Code.FAILURES


def explain(contact: str, config_file: Path, *, as_json: bool) -> Code:
    """Tell all that is known of a contact."""
    config = read_config(config_file)
    with connect.hosted(config, os.environ, "looking") as host:
        told = connect.explain(host, contact.strip())
    if as_json:
        print_json(explained.explanation_shape(told))
    else:
        explained.show_explanation(looks.console(), told)
    return Code.DONE if told.known and not told.trouble else Code.FAILURES


# ------------------------------------------------------------------ plans in files
def approve(file: Path, by: str, config_file: Path, *, as_json: bool) -> None:
    """Let the guarded steps of a plan go out."""
    config = read_config(config_file)
    plan = planfile.read_plan(file)
    with connect.hosted(config, os.environ, "approving") as host:
        number = connect.approve(host, plan.sealed, by)
        until = host.clock.now() + timedelta(hours=config.policy.limits.hours)
    approved = list(_guarded(plan.shown))
    if as_json:
        print_json({"approved": number, "by": by, "until": until.isoformat(), "steps": approved})
    elif number:
        render.show_approved(looks.console(), approved, str(file), by=by, until=until)
    else:
        looks.console().print("Nothing in this plan is counted by the guard, so it needs no approval.")


def _guarded(shown: Mapping[str, Any]) -> Iterator[Shape]:
    """Yield what people were shown of the steps that an approval is about."""
    for company in shown["companies"]:
        customer = company["customer"]
        if company["adopts"]:
            what = {"what": f"take over company {company['adopts']}", "counts_as": "adoptions"}
            yield {"customer": customer, "record": {"kind": "customer", "id": customer}, **what}
        for step in (*company["steps"], *company["on_approval"]):
            if step["counts_as"]:
                yield {"customer": customer, **step}


def apply(file: Path, config_file: Path, *, as_json: bool) -> Code:
    """Do what a plan says."""
    config = read_config(config_file)
    plan = planfile.read_plan(file)
    with connect.hosted(config, os.environ, "applying") as host:
        report = connect.apply(host, plan.sealed)
    return _shown(report, config.policy.primary_role, as_json=as_json)


# ------------------------------------------------------------------ what people decide
def decide(
    choice: str,
    customer: str,
    config_file: Path,
    *,
    by: str,
    contact: str | None = None,
    location: str | None = None,
    to: str = "",
    as_json: bool,
) -> None:
    """Record what a person chose for a record, and say it back."""
    decision = Decision(choice=Choice[choice.upper()], record=_record(customer, contact, location), id=to)
    config = read_config(config_file)
    with connect.hosted(config, os.environ, "recording") as host:
        connect.decide(host, customer, decision, by)
    if as_json:
        print_json(shapes.decision_shape(customer, decision, by))
        return
    out = looks.console()
    out.print(_SAID[decision.choice].format(record=_named(customer, decision.record), id=decision.id))
    out.print(f"The next sync acts on it; `plan {customer}` shows what it would do.")


def _record(customer: str, contact: str | None, location: str | None) -> Record:
    match contact, location:
        case None, None:
            return Record(RecordKind.CUSTOMER, customer)
        case str(contact), None:
            return Record(RecordKind.CONTACT, contact)
        case None, str(location):
            return Record(RecordKind.LOCATION, location)
        case _:
            raise click.UsageError("name a contact or a location, not both; without either it is the customer")


_SAID: Final[Mapping[Choice, str]] = {
    Choice.RETRY: "{record} is to be tried again.",
    Choice.SKIP: "{record} is left as it is until somebody says retry.",
    Choice.LINK: "{record} is company user {id} from now on.",
    Choice.UNLINK: "{record} and its company user are two from now on, and are not taken for one another again.",
    Choice.ADOPT: "{record} is company {id} from now on; its users are matched to the customer's contacts.",
}


def _named(customer: str, record: Record) -> str:
    if record.kind is RecordKind.CUSTOMER:
        return f"Customer {customer}"
    return f"{record.kind.value.title()} {record.id} of customer {customer}"


def forget(contact: str, config_file: Path, *, asked: bool, as_json: bool) -> None:
    """Erase a person from the log; ask first, unless somebody has."""
    config = read_config(config_file)
    if not asked:
        click.confirm(
            f"Erase all that the sync log knows of contact {contact}? It can't be undone", abort=True, err=True
        )
    with connect.hosted(config, os.environ, "forgetting") as host:
        done = connect.forget(host, contact)
    if as_json:
        print_json({"contact": done.contact, "customers": list(done.customers), "rows": done.rows})
    elif done.customers:
        where = ", ".join(done.customers)
        looks.console().print(f"Contact {contact} is forgotten; it was in the logs of {where}.")
    else:
        looks.console().print(f"The sync log knows nothing of contact {contact}.")
