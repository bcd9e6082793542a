"""The commands of people who decide: what a plan may do, and what the rules leave to them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from acumatica_b2b.cli.options import by_option, config_option, json_option

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
    from acumatica_b2b.cli import doing

    doing.approve(file, by, config_file, as_json=as_json)


@click.command(short_help="Do what a plan in a file says.")
@_file
@config_option
@json_option
@click.pass_context
def apply(ctx: click.Context, file: Path, config_file: Path, *, as_json: bool) -> None:
    """Do what the plan in FILE says and no more.

    A customer that has changed since, or whose company has, is left as it is, by name: plan again.
    """
    from acumatica_b2b.cli import doing

    ctx.exit(doing.apply(file, config_file, as_json=as_json))


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
    from acumatica_b2b.cli import doing

    doing.decide("retry", customer, config_file, contact=contact, location=location, by=by, as_json=as_json)


@click.command(short_help="Leave a record as it is, whatever it became.")
@_of_record
def skip(
    customer: str, contact: str | None, location: str | None, by: str, config_file: Path, *, as_json: bool
) -> None:
    """Have CUSTOMER, or one record of it, left as it is until somebody says retry."""
    from acumatica_b2b.cli import doing

    doing.decide("skip", customer, config_file, contact=contact, location=location, by=by, as_json=as_json)


@click.command(short_help="Say which company user a contact is.")
@click.argument("customer")
@click.argument("contact")
@click.argument("user")
@_decision
def link(customer: str, contact: str, user: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CONTACT of CUSTOMER is the company user with the id USER."""
    from acumatica_b2b.cli import doing

    doing.decide("link", customer, config_file, contact=contact, to=user, by=by, as_json=as_json)


@click.command(short_help="Say that a contact is not the company user it is taken for.")
@click.argument("customer")
@click.argument("contact")
@_decision
def unlink(customer: str, contact: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CONTACT of CUSTOMER is not the company user that it is linked to, nor ever to be taken for it again."""
    from acumatica_b2b.cli import doing

    doing.decide("unlink", customer, config_file, contact=contact, by=by, as_json=as_json)


@click.command(short_help="Say which company of the shop a customer is.")
@click.argument("customer")
@click.argument("company")
@_decision
def adopt(customer: str, company: str, by: str, config_file: Path, *, as_json: bool) -> None:
    """Say that CUSTOMER is the company with the id COMPANY; its users are matched to the customer's contacts."""
    from acumatica_b2b.cli import doing

    doing.decide("adopt", customer, config_file, to=company, by=by, as_json=as_json)


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
    from acumatica_b2b.cli import doing

    doing.forget(contact, config_file, asked=yes, as_json=as_json)


COMMANDS: Final[tuple[click.Command, ...]] = (apply, approve, retry, skip, link, unlink, adopt, forget)
