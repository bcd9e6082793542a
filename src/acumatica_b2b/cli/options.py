"""What the commands have in common: exit codes and options."""

import enum
import getpass
from pathlib import Path
from typing import Final

import click

DEFAULT_FILE: Final = "acumatica-b2b.toml"


class Code(enum.IntEnum):
    """What an exit code means."""

    DONE = 0
    FAILURES = 1
    """Something failed, a finding says to act now, or a check found something wrong."""
    USAGE = 2
    """The command line, the configuration or a plan's file is wrong."""
    HELD = 3
    """The guard held something back, or a plan needs a person's approval."""
    TO_DO = 10
    """There is something to do; of `plan` only."""
    INTERRUPTED = 130


EPILOG: Final = (
    "Exit codes: 0 done; 1 failures, a finding to act on now, or something wrong in a check; 2 usage or configuration; "
    "3 the guard held something back, or a plan needs an approval; of plan, 10: there is something to do."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="The configuration in TOML; secrets come from the environment.",
)


def _login_name() -> str:
    """Return under whose name somebody is logged in here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container there may be none
        raise click.UsageError("nobody is logged in here by name; say who decides with --by NAME") from None


by_option = click.option(
    "--by",
    metavar="NAME",
    default=_login_name,
    show_default="your login name",
    help="Who decides it, for the Customer Log.",
)
