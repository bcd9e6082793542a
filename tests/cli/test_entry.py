import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from acumatica_b2b.cli.commands import cli

HEAVY = {"httpx", "http.server", "acumatica_b2b.simulators", "acumatica_b2b.transports.httpx"}


def python(script: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a process of its own."""
    return subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", script], env=os.environ | environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("library", ["click", "rich"])
def test_a_missing_extra_is_named(library: str) -> None:
    """Without the extra the entry point says in one sentence what to install, and ends with 2."""
    done = python(f"import sys; sys.modules[{library!r}] = None; from acumatica_b2b.cli import main; main()")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'acumatica-b2b[cli]'" in done.stderr
    assert library in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_missing_module_is_no_missing_extra() -> None:
    """A module of the library's own that can't be imported is told as the bug it is."""
    script = "import sys; sys.modules['acumatica_b2b.cli.render'] = None; from acumatica_b2b.cli import main; main()"
    done = python(script)
    assert (done.returncode, "acumatica_b2b.cli" in done.stderr) == (1, True)
    assert "[cli]" not in done.stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_neither_client_nor_simulator(option: str) -> None:
    """`--help` and `--version` load no HTTP library and no simulator."""
    script = (
        f"import sys; sys.argv = ['acumatica-b2b', {option!r}]\n"
        "from acumatica_b2b.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    done = python(script)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


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
