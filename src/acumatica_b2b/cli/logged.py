"""The Customer Log of one customer, read from the file alone: no client and no HTTP library is loaded for it."""

import json
from pathlib import Path

import click

from acumatica_b2b.cli import looks, rows
from acumatica_b2b.cli.config import Config, read_config
from acumatica_b2b.customer_log import Log, LogRow
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.keys import customer_key, history_key
from acumatica_b2b.model import CustomerID
from acumatica_b2b.stores import SqliteStore


def log(customer: str, config_file: Path, *, as_json: bool) -> None:
    """Show the Customer Log, oldest first."""
    told = rows_of(customer, read_config(config_file))
    if as_json:
        print_json({"customer": customer, "rows": [rows.row_shape(row) for row in told]})
    elif told:
        every = [(customer, row) for row in told]
        looks.console().print(rows.log_table(f"Customer Log of {customer}", every, timed=True, many=len(told)))
    else:
        click.echo(f"No sync has anything to tell of customer {customer}.")


def rows_of(customer: str, config: Config) -> tuple[LogRow, ...]:
    """Return the Customer Log of one customer, oldest first; neither system is asked.

    Raises:
        ConfigurationError: nothing was ever synced into this log.

    """
    require_log(config)
    with SqliteStore(config.log) as store:
        keys = customer_key(config.policy, CustomerID(customer)), history_key(config.policy, CustomerID(customer))
        commits, history = store.load(keys)
    return Log(customer=CustomerID(customer), commits=commits, history=history).told()


def require_log(config: Config) -> None:
    """Pass when something was synced into the log.

    Raises:
        ConfigurationError: nothing was, ever.

    """
    if not config.log.exists():
        raise ConfigurationError(f"there is no sync log {str(config.log)!r} yet; the first sync makes it")


def print_json(shape: rows.Shape) -> None:
    """Print plain data."""
    click.echo(json.dumps(shape, indent=2))
