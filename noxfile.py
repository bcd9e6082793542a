"""The one entry point for all checks: `nox` runs them all, `nox -s lint` one of them.

Sessions run in the environment that nox itself is in, with the extra `dev` installed; only `wheel`
makes a new one, as a user of the package would.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", "lint", "types", "docs", "wheel"]

HERE = Path(__file__).parent
PYTHON = sys.executable
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
NOTHING_ELSE = {"PYTHONPATH": ""}  # what is imported was installed
LACKS_TEST_LIBRARIES = """
from importlib.util import find_spec
found = [name for name in ("hypothesis", "pytest") if find_spec(name)]
assert not found, f"{found} came along with the command line"
"""


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments behind `--` go to pytest."""
    session.run(PYTHON, "-m", "pytest", "-q", "-n", "auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and form."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with both checkers, in their strict modes."""
    session.run(PYTHON, "-m", "mypy")
    session.run(PYTHON, "-m", "pyright", "--pythonpath", PYTHON)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation and run its examples, and those of the docstrings."""
    built = HERE / "docs" / "_build"
    for builder in ("html", "doctest"):
        session.run(PYTHON, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", builder, "docs", str(built / builder))
    session.run(PYTHON, "-m", "pytest", "-q", "--doctest-modules", "src")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the package, install it with its command line far from its sources, and use it as a user would."""
    with TemporaryDirectory() as directory:
        away = Path(directory)
        session.run(PYTHON, "-m", "build", "--outdir", str(away / "dist"), ".", silent=True)
        (built,) = (away / "dist").glob("*.whl")
        session.run(PYTHON, "-m", "venv", str(away / "venv"))
        scripts = away / "venv" / SCRIPTS
        session.run(str(scripts / "python"), "-m", "pip", "install", "-q", f"{built}[cli]", env=NOTHING_ELSE)
        (away / "empty").mkdir()
        with session.chdir(away / "empty"):
            session.run(str(scripts / "python"), "-c", LACKS_TEST_LIBRARIES, env=NOTHING_ELSE)
            session.run(str(scripts / "acumatica-b2b"), "--version", env=NOTHING_ELSE)
            session.run(str(scripts / "acumatica-b2b"), "demo", "--json", env=NOTHING_ELSE, silent=True)
