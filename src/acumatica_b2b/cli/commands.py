"""The commands, their options and their exit codes."""

from pathlib import Path
from typing import Any, Final, Never

import click

from acumatica_b2b.cli import deciding
from acumatica_b2b.cli.options import EPILOG, Code, config_option, json_option
from acumatica_b2b.errors import AcumaticaB2BError, AuthenticationError, ConfigurationError, StoreError

_SECTIONS: Final = {
    "Every day": ("plan", "sync", "log", "explain", "check"),
    "With a plan in a file": ("approve", "apply"),
    "What people decide": ("retry", "skip", "link", "unlink", "adopt", "forget"),
    "To try it": ("demo", "simulate"),
}


class _Explaining(click.Group):
    """Lists its commands by what they are for, and says what went wrong in one sentence, without a traceback."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in _SECTIONS.items():
            with formatter.section(title):
                known = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl([(name, one.get_short_help_str(100)) for name, one in known if one])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigurationError, AuthenticationError, StoreError) as error:
            _end(str(error), Code.USAGE)
        except AcumaticaB2BError as error:
            _end(str(error), Code.FAILURES)
        except KeyboardInterrupt:
            _end("stopped; what is done stays, and the next sync goes on from there", Code.INTERRUPTED)


def _end(message: str, code: Code) -> Never:
    from acumatica_b2b.cli import looks

    looks.show_failure(looks.console(stderr=True), message)
    raise click.exceptions.Exit(code)


@click.group(
    cls=_Explaining, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="acumatica-b2b")
def cli() -> None:
    """Keep the company users of a B2B storefront in step with the contacts of Acumatica customers."""


# ------------------------------------------------------------------ work
@cli.command(short_help="Show what a sync would do; write nothing.")
@click.argument("customers", nargs=-1)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Keep the plan in this file, for approve and apply."
)
@config_option
@json_option
@click.pass_context
def plan(ctx: click.Context, customers: tuple[str, ...], out: Path | None, config_file: Path, *, as_json: bool) -> None:
    """Show what a sync of CUSTOMERS, or of all, would do; write nothing to either system."""
    from acumatica_b2b.cli import doing

    ctx.exit(doing.plan(customers, out, config_file, as_json=as_json))


@cli.command(short_help="Bring companies in step with their customers.")
@click.argument("customers", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Sync every customer.")
@click.option("--changed", is_flag=True, help="Sync what changed since the last run (the default).")
@config_option
@json_option
@click.pass_context
def sync(
    ctx: click.Context,
    customers: tuple[str, ...],
    config_file: Path,
    *,
    everything: bool,
    changed: bool,
    as_json: bool,
) -> None:
    """Bring the companies of CUSTOMERS in step, or of those that changed since the last run."""
    from acumatica_b2b.cli import doing

    if bool(customers) + everything + changed > 1:
        raise click.UsageError("name customers, or --all, or --changed: one of the three")
    ctx.exit(doing.sync(customers, config_file, everything=everything, as_json=as_json))


@cli.command(short_help="Show the Customer Log of one customer.")
@click.argument("customer")
@config_option
@json_option
def log(customer: str, config_file: Path, *, as_json: bool) -> None:
    """Show the Customer Log of CUSTOMER: what the syncs did with it, oldest first."""
    from acumatica_b2b.cli import logged

    logged.log(customer, config_file, as_json=as_json)


@cli.command(short_help="Look at the set-up; say what is wrong, and the way out.")
@config_option
@json_option
@click.pass_context
def check(ctx: click.Context, config_file: Path, *, as_json: bool) -> None:
    """Look at the whole set-up: credentials, tenant, fields, roles, channels, rights, the sync log.

    Nothing is written to either system. What is wrong is said with its way out; it stops only what rests on it.
    """
    from acumatica_b2b.cli import doing

    ctx.exit(doing.check(config_file, as_json=as_json))


@cli.command(short_help="Tell all that is known of one contact, and why.")
@click.argument("contact")
@config_option
@json_option
@click.pass_context
def explain(ctx: click.Context, contact: str, config_file: Path, *, as_json: bool) -> None:
    """Tell what Acumatica, the shop and the log have of CONTACT, what the next sync would do, and why not more.

    Nothing is written anywhere.
    """
    from acumatica_b2b.cli import doing

    ctx.exit(doing.explain(contact, config_file, as_json=as_json))


for _command in deciding.COMMANDS:
    cli.add_command(_command)


# ------------------------------------------------------------------ trying it
@cli.command(short_help="Play a contact's way to Primary Admin, on simulators.")
@click.option("--seed", type=int, help="Play 50 made-up customers, drawn from this number, instead of the story.")
@json_option
@click.pass_context
def demo(ctx: click.Context, seed: int | None, *, as_json: bool) -> None:
    """Play a contact's way to Primary Admin against simulators of both systems."""
    from acumatica_b2b.cli import scenes

    ctx.exit(Code.DONE if scenes.tell(seed, as_json=as_json) else Code.FAILURES)


@cli.command(short_help="Serve simulators of both systems, to try everything on.")
@click.option("--seed", type=int, default=1, show_default=True, help="Draw the made-up customers from this number.")
@click.option("--customers", type=click.IntRange(min=0), default=12, show_default=True, help="How many of them.")
@click.option("--port-acumatica", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option("--port-bigcommerce", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=0),
    default=150,
    show_default=True,
    help="What BigCommerce allows; 0: any number.",
)
@click.option("--write-config", type=click.Path(path_type=Path, dir_okay=False), help="Write the configuration here.")
@json_option
def simulate(
    seed: int,
    customers: int,
    port_acumatica: int,
    port_bigcommerce: int,
    requests_per_minute: int,
    write_config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Serve simulators of both systems until Ctrl-C; print their addresses and a ready configuration."""
    from acumatica_b2b.cli import simulate as serve

    wanted = serve.Wanted(
        seed=seed,
        customers=customers,
        ports=(port_acumatica, port_bigcommerce),
        requests_per_minute=requests_per_minute or None,
    )
    serve.serve(wanted, write_config, as_json=as_json)
