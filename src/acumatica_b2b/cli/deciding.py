"""The commands of people who decide: what a plan may do, and what the rules leave to them."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from acumatica_b2b.cli import render, shapes
from acumatica_b2b.cli.config import read_config
from acumatica_b2b.cli.options import by_option, code_of_report, config_option, json_option, print_json
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.model import Record, RecordKind

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


# ------------------------------------------------------------------ plans in files
@click.command(short_help="Let a plan's guarded steps go out.")
@_file
@by_option
@config_option
@json_option
def approve(file: Path, by: str, config_file: Path, *, as_json: bool) -> None:
    """Let exactly those steps of the plan in FILE go out that the guard counts, whatever the limits.

    It lasts as long as the limits look back, a day by default, for these steps and no others. `apply FILE` then does
    what the plan says; so does a sync that comes to the same steps.
    """
    from acumatica_b2b.cli import connect, planfile  # noqa: PLC0415  # --help loads no HTTP library

    config = read_config(config_file)
    plan = planfile.read_plan(file)
    with connect.hosted(config, os.environ, "approving") as host:
        number = connect.approve(host, plan.sealed, by)
        until = host.clock.now() + timedelta(hours=config.policy.limits.hours)
    approved = list(_guarded(plan.shown))
    if as_json:
        print_json({"approved": number, "by": by, "until": until.isoformat(), "steps": approved})
    elif number:
        render.show_approved(render.console(), approved, str(file), by=by, until=until)
    else:
        render.console().print("Nothing in this plan is counted by the guard, so it needs no approval.")


def _guarded(shown: Mapping[str, Any]) -> Iterator[shapes.Shape]:
    """Yield what people were shown of the steps that an approval is about."""
    for company in shown["companies"]:
        customer = company["customer"]
        if company["adopts"]:
            what = {"what": f"take over company {company['adopts']}", "counts_as": "adoptions"}
            yield {"customer": customer, "record": {"kind": "customer", "id": customer}, **what}
        for step in (*company["steps"], *company["on_approval"]):
            if step["counts_as"]:
                yield {"customer": customer, **step}


@click.command(short_help="Do what a plan in a file says.")
@_file
@config_option
@json_option
@click.pass_context
def apply(ctx: click.Context, file: Path, config_file: Path, *, as_json: bool) -> None:
    """Do what the plan in FILE says and no more.

    A customer that has changed since, or whose company has, is left as it is, by name: plan again.
    """
    from acumatica_b2b.cli import connect, planfile  # noqa: PLC0415  # as above

    config = read_config(config_file)
    plan = planfile.read_plan(file)
    with connect.hosted(config, os.environ, "applying") as host:
        report = connect.apply(host, plan.sealed)
    if as_json:
        print_json(shapes.report_shape(report, config.policy.primary_role))
    else:
        render.show_report(render.console(), report, config.policy.primary_role)
    ctx.exit(code_of_report(report))


# ------------------------------------------------------------------ one record
def _decision(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what every decision needs."""
    for option in (json_option, config_option, by_option):
        command = option(command)
    return command


def _of_record(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the choice of a record: the customer, one of its contacts or one of its locations."""
    contact = click.option("--contact", metavar="ID", help="Only this contact of it.")
    location = click.option("--location", metavar="ID", help="Only this location of it.")
    return click.argument("customer")(contact(location(_decision(command))))


@click.command(short_help="Try again what was refused, skipped or deleted.")
@_of_record
def retry(
    customer: str, contact: str | None, location: str | None, by: str, config_file: Path, *, as_json: bool
) -> None:
    """Have CUSTOMER, or one record of it, tried again by the next sync.

    What was refused too often is tried anew, what people deleted in the shop is made again, what was to be skipped is
    skipped no more. A shopper whose address was held becomes the company user.
    """
    record = _record(customer, contact, location)
    _decide(config_file, customer, Decision(choice=Choice.RETRY, record=record), by, as_json=as_json)


@click.command(short_help="Leave a record as it is, whatever it became.")
@_of_record
def skip(
    customer: str, contact: str | None, location: str | None, by: str, config_file: Path, *, as_json: bool
) -> None:
    """Have CUSTOMER, or one record of it, left as it is until somebody says retry."""
    record = _record(customer, contact, location)
    _decide(config_file, customer, Decision(choice=Choice.SKIP, record=record), by, as_json=as_json)


@click.command(short_help="Say which company user a contact is.")
@click.argument("customer")
@click.argument("contact")
@click.argument("user")
@_decision
def link(customer: str, contact: str, user: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CONTACT of CUSTOMER is the company user with the id USER."""
    decision = Decision(choice=Choice.LINK, record=Record(RecordKind.CONTACT, contact), id=user)
    _decide(config_file, customer, decision, by, as_json=as_json)


@click.command(short_help="Say that a contact is not the company user it is taken for.")
@click.argument("customer")
@click.argument("contact")
@_decision
def unlink(customer: str, contact: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CONTACT of CUSTOMER is not the company user that it is linked to, nor ever to be taken for it again."""
    decision = Decision(choice=Choice.UNLINK, record=Record(RecordKind.CONTACT, contact))
    _decide(config_file, customer, decision, by, as_json=as_json)


@click.command(short_help="Say which company of the shop a customer is.")
@click.argument("customer")
@click.argument("company")
@_decision
def adopt(customer: str, company: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CUSTOMER is the company with the id COMPANY; its users are matched to the customer's contacts."""
    decision = Decision(choice=Choice.ADOPT, record=Record(RecordKind.CUSTOMER, customer), id=company)
    _decide(config_file, customer, decision, by, as_json=as_json)


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


def _decide(config_file: Path, customer: str, decision: Decision, by: str, *, as_json: bool) -> None:
    """Record a decision and say it back."""
    from acumatica_b2b.cli import connect  # noqa: PLC0415  # as above

    config = read_config(config_file)
    with connect.hosted(config, os.environ, "recording") as host:
        connect.decide(host, customer, decision, by)
    if as_json:
        print_json(shapes.decision_shape(customer, decision, by))
        return
    out = render.console()
    out.print(_SAID[decision.choice].format(record=_named(customer, decision.record), id=decision.id))
    out.print(f"The next sync acts on it; `plan {customer}` shows what it would do.")


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


# ------------------------------------------------------------------ a person
@click.command(short_help="Erase a person from the sync log.")
@click.argument("contact")
@click.option("--yes", is_flag=True, help="Don't ask first.")
@config_option
@json_option
def forget(contact: str, config_file: Path, *, yes: bool, as_json: bool) -> None:
    """Erase what the sync log knows of CONTACT, who has no company user any more.

    That something happened stays, whom it happened to does not. Neither system is written to. Every customer's log is
    read, so it may take a while; cut off, it is to be said again.
    """
    from acumatica_b2b.cli import connect  # noqa: PLC0415  # as above

    config = read_config(config_file)
    if not yes:
        click.confirm(
            f"Erase all that the sync log knows of contact {contact}? It can't be undone", abort=True, err=True
        )
    with connect.hosted(config, os.environ, "forgetting") as host:
        done = connect.forget(host, contact)
    if as_json:
        print_json({"contact": done.contact, "customers": list(done.customers), "rows": done.rows})
    elif done.customers:
        where = ", ".join(done.customers)
        render.console().print(f"Contact {contact} is forgotten; it was in the logs of {where}.")
    else:
        render.console().print(f"The sync log knows nothing of contact {contact}.")


COMMANDS: Final[tuple[click.Command, ...]] = (apply, approve, retry, skip, link, unlink, adopt, forget)
