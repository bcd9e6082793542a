"""Both simulators on loopback, and a person at a command line in an empty folder."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen
from click.testing import CliRunner, Result

from acumatica_b2b.acumatica import Acumatica
from acumatica_b2b.bigcommerce import BigCommerce
from acumatica_b2b.cli.commands import cli
from acumatica_b2b.cli.config import parse_config
from acumatica_b2b.cli.connect import Host, connected
from acumatica_b2b.cli.stage import Clerk, Stage, staged
from acumatica_b2b.cli.story import FACEBOOK, Story, mixed
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import Company, CompanyRef, Customer, CustomerID
from acumatica_b2b.protocols import Everything
from acumatica_b2b.simulators import Edit
from acumatica_b2b.stores import MemoryStore

_UNCONFIGURED = {"demo", "simulate"}
COMMAND = (sys.executable, "-c", "from acumatica_b2b.cli import main; main()")
"""The command line as a process of its own."""


@frozen
class Desk:
    """A folder with a configuration, and the secrets around it."""

    folder: Path
    stage: Stage
    environ: Mapping[str, str] = field(repr=False)

    @property
    def file(self) -> Path:
        """Return the configuration file."""
        return self.folder / "acumatica-b2b.toml"

    def configure(self, old: str = "", new: str = "", *, more: str = "") -> None:
        """Write the stage's configuration, one text of it replaced, one added; the log lies in the folder."""
        toml = self.stage.toml
        assert old in toml
        lines = [
            f"file = '{self.folder / 'sync.sqlite'}'" if line.startswith("file = ") else line
            for line in toml.replace(old, new).splitlines()
        ]
        self.file.write_text("\n".join([*lines, more]), encoding="utf-8")

    def run(self, *arguments: str, typed: str = "", **environ: str) -> Result:
        """Return what a command came to, after what somebody typed."""
        arguments = arguments if arguments[0] in _UNCONFIGURED else (*arguments, "--config", str(self.file))
        return CliRunner().invoke(cli, arguments, typed, env={**self.environ, **environ}, catch_exceptions=False)

    def json(self, *arguments: str) -> Any:
        """Return what a command prints with `--json`."""
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def story() -> Story:
    """Return Facebook among ten made-up customers."""
    return mixed(10, seed=5)


@pytest.fixture
def stage(story: Story) -> Iterator[Stage]:
    """Serve both systems, the story's edits made."""
    with staged(story.dataset) as both:
        play(story, both)
        yield both


@pytest.fixture
def desk(stage: Stage, tmp_path: Path) -> Desk:
    """Return a folder with the stage's configuration in it."""
    made = Desk(tmp_path, stage, stage.environ)
    made.configure()
    return made


def play(story: Story, stage: Stage) -> None:
    """Make all edits of a story."""
    with Clerk(stage) as clerk:
        for act in story.acts:
            for edit in act.edits:
                clerk.do(edit)


def disable(stage: Stage, *contacts: int) -> None:
    """Take contacts out of the site, at the screen."""
    with Clerk(stage) as clerk:
        for contact in contacts:
            custom = {"Contact": {"UsrKCEnabled": {"type": "CustomBooleanField", "value": False}}}
            body = json.dumps({"ContactID": {"value": contact}, "custom": custom}).encode()
            clerk.do(Edit(description="", method="PUT", path="/entity/Default/24.200.001/Contact", body=body))


def contacts(stage: Stage, customer: str = FACEBOOK) -> list[int]:
    """Return the contacts of a customer."""
    return [contact.id or 0 for contact in stage.acumatica.contacts_of(customer)]


def world(stage: Stage) -> tuple[dict[CustomerID, Customer], dict[CustomerID, Company | None]]:
    """Return how both systems stand, through clients of their own."""
    host = Host(config=parse_config(stage.toml), environ=stage.environ)
    with connected(host, MemoryStore) as contact_sync:
        erp, shop = contact_sync.erp, contact_sync.storefront
        assert isinstance(erp, Acumatica)
        assert isinstance(shop, BigCommerce)
        customers = {one.id: one for one in _all(erp)}
        refs = [CompanyRef(customer=one.id, external_id=one.note_id) for one in customers.values()]
        found = [outcome.value for outcome in shop.observe(refs) if isinstance(outcome, Ok)]
        return customers, dict(zip(customers, found, strict=True))


def _all(erp: Acumatica) -> Iterator[Customer]:
    page = erp.read(Everything(), None)
    yield from page.items
    while page.next is not None:
        page = erp.read(Everything(), page.next)
        yield from page.items
