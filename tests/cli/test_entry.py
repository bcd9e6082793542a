import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from acumatica_b2b.cli.commands import cli
from tests.cli.conftest import Desk

DECLARED = {"", ".lazily", ".errors", ".cli", ".cli.commands", ".cli.deciding", ".cli.options"}
"""What of ours tells of the commands, and does nothing."""


def python(script: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a process of its own."""
    return subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", script], env=os.environ | environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("library", ["click", "rich"])
def test_a_missing_extra_is_named(library: str) -> None:
    """Without the extra the entry point says in one sentence what to install, and ends with 2."""
    script = "sys.argv = ['acumatica-b2b', 'log', 'C1']; from acumatica_b2b.cli import main; main()"
    done = python(f"import sys; sys.modules[{library!r}] = None; {script}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'acumatica-b2b[cli]'" in done.stderr
    assert library in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_missing_module_is_no_missing_extra() -> None:
    """A module of the library's own that can't be imported is told as the bug it is."""
    script = "sys.argv = ['acumatica-b2b', 'log', 'C1']; from acumatica_b2b.cli import main; main()"
    done = python(f"import sys; sys.modules['acumatica_b2b.cli.logged'] = None; {script}")
    assert (done.returncode, "acumatica_b2b.cli" in done.stderr) == (1, True)
    assert "[cli]" not in done.stderr


def loaded(*arguments: str) -> set[str]:
    """Return the modules that a command loads that ends well."""
    done = python(
        f"import sys; sys.argv = ['acumatica-b2b', *{arguments!r}]\n"
        "from acumatica_b2b.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    assert done.returncode == 0
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), *((name, "--help") for name in sorted(cli.commands))]
)
def test_help_loads_what_tells_of_the_commands(arguments: tuple[str, ...]) -> None:
    """`--help`, of all and of each command, and `--version` load click and the declarations; no attrs class is made."""
    seen = loaded(*arguments)
    assert {module for module in seen if module.partition(".")[0] == "acumatica_b2b"} == {
        f"acumatica_b2b{module}" for module in DECLARED
    }
    assert not seen & {"attr", "cattrs", "httpx", "rich", "sqlite3", "asyncio"}


def test_log_loads_no_client(desk: Desk) -> None:
    """`log CUSTOMER` reads the log's file: no HTTP library, no client, no engine and no event loop is loaded for it."""
    assert desk.run("sync", "--all").exit_code == 0
    seen = loaded("log", "C000000001", "--config", str(desk.file))
    ours = "world", "plan", "engine", "runtime", "acumatica.client", "bigcommerce.client", "simulators"
    assert not seen & {"httpx", "asyncio", *(f"acumatica_b2b.{module}" for module in ours)}


def test_a_narrow_code_page_does_no_harm() -> None:
    """Where the output's encoding has no star or arrow, a question mark stands for it."""
    script = "import sys; sys.argv = ['acumatica-b2b', 'demo']; from acumatica_b2b.cli import main; main()"
    done = python(script, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "? Primary Admin" in done.stdout


def test_the_version_is_the_packages() -> None:
    """`--version` tells the version that is installed."""
    result = CliRunner().invoke(cli, ["--version"])
    assert version("acumatica-b2b") in result.stdout


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_explains_itself(command: str) -> None:
    """Each command has help, and --json."""
    result = CliRunner().invoke(cli, [command, "--help"])
    assert (result.exit_code, "--json" in result.stdout) == (0, True)
    assert command in CliRunner().invoke(cli, ["--help"]).stdout
