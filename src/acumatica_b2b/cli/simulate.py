"""`simulate`: both simulators, served until somebody ends it."""

import json
from pathlib import Path
from typing import Final

import click
from attrs import frozen
from rich.text import Text

from acumatica_b2b.cli.looks import console
from acumatica_b2b.cli.options import DEFAULT_FILE
from acumatica_b2b.cli.stage import FIRST_LINE, Clerk, Stage, staged
from acumatica_b2b.cli.story import FACEBOOK, Story, mixed
from acumatica_b2b.cli.watching import stoppable
from acumatica_b2b.errors import ConfigurationError

_NAP: Final = 1.0


@frozen(kw_only=True)
class Wanted:
    """What is to be served, and how."""

    seed: int
    customers: int
    ports: tuple[int, int]
    requests_per_minute: int | None


def serve(wanted: Wanted, config_file: Path | None, *, as_json: bool) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: a port is taken, or the file is somebody's own.

    """
    story = mixed(wanted.customers, wanted.seed)
    try:
        with (
            stoppable() as stop,
            staged(story.dataset, requests_per_minute=wanted.requests_per_minute, ports=wanted.ports) as stage,
        ):
            _play(story, stage)
            if config_file:
                _write(config_file, stage.toml)
            if as_json:
                click.echo(json.dumps(_shape(stage)))
            else:
                _show(stage, config_file)
            while not stop.wait(_NAP):
                pass
    except (KeyboardInterrupt, SystemExit):  # the way it is meant to end
        return


def _play(story: Story, stage: Stage) -> None:
    with Clerk(stage) as clerk:
        for act in story.acts:
            for edit in act.edits:
                clerk.do(edit)


def _write(path: Path, toml: str) -> None:
    try:
        if path.exists() and not path.read_bytes().startswith(FIRST_LINE.encode()):
            raise ConfigurationError(
                f"{str(path)!r} was not written by `simulate` and stays as it is; name another file"
            )
        path.write_text(toml, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{str(path)!r} can't be written: {error.strerror}") from None


def _shape(stage: Stage) -> dict[str, object]:
    return {
        "acumatica": stage.acumatica_url,
        "bigcommerce": stage.bigcommerce_url,
        "environment": dict(stage.environ),
        "config": stage.toml,
    }


def _show(stage: Stage, config_file: Path | None) -> None:
    limit, out = stage.bigcommerce.requests_per_minute, console()
    allowed = f"  {limit or 'any number of'} requests a minute"
    out.print(Text.assemble(("Acumatica    ", "bold"), stage.acumatica_url))
    out.print(Text.assemble(("BigCommerce  ", "bold"), stage.bigcommerce_url, (allowed, "dim")))
    where = f"written to {config_file}" if config_file else f"to be saved as {DEFAULT_FILE}"
    out.print(f"\nThe configuration, {where}:\n", style="dim", soft_wrap=True)
    click.echo(stage.toml)
    out.print("In another terminal, there:\n", style="dim")
    for name, value in stage.environ.items():
        click.echo(f"export {name}={value}")
    option = f" --config {config_file}" if config_file and config_file != Path(DEFAULT_FILE) else ""
    for command in ("check", "plan", "sync", f"log {FACEBOOK}"):
        click.echo(f"acumatica-b2b {command}{option}")
    out.print("\nCtrl-C ends both; what they held is gone then.", style="dim")
