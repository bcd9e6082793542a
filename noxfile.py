"""The one entry point for all checks: `nox` runs them all, `nox -s lint` one of them.

Sessions run in the environment that nox itself is in, with the extra `dev` installed; only `wheel`
makes a new one, as a user of the package would.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", "lint", "types", "docs", "wheel", "prism", "simulation", "kills"]

HERE = Path(__file__).parent
PYTHON = sys.executable
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
NOTHING_ELSE = {"PYTHONPATH": ""}  # what is imported was installed
SPECIFICATION = HERE.parent / "shared" / "openapi" / "bigcommerce" / "b2b_merged.yaml"  # unlicensed: never part of us
PRISM = "@stoplight/prism-cli@5.14.2"
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


@nox.session
def prism(session: nox.Session) -> None:
    """Hold the BigCommerce client's requests against the official specification, where that and Node are present."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        session.skip("there is no Node here, so no request was held against the official specification")
    if not SPECIFICATION.exists():
        session.skip("the official specification is not here, so no request was held against it")
    program = _prism(session, npm)
    with _served(program) as url:
        env = {"PRISM_URL": url, "PRISM_SPECIFICATION": str(SPECIFICATION)}
        session.run(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", env=env)


@nox.session
def simulation(session: nox.Session) -> None:
    """Simulate people, faults, clocks and second runners: 100,000 steps; arguments behind `--` go to the command."""
    session.run(PYTHON, "tests/simulation.py", *(session.posargs or ("--seed", "3", "--steps", "100000")))


@nox.session
def kills(session: nox.Session) -> None:
    """Kill a sync 200 times, at any instant, and see that the next one makes it good."""
    shared = Path("/dev/shm")  # noqa: S108 - no secret is in it, and it need not be there: it waits for no disk
    base = shared if os.access(shared, os.W_OK) else None
    with TemporaryDirectory(dir=base) as directory:
        command = ("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--basetemp", str(Path(directory, "kills")))
        session.run(PYTHON, *command, "tests/systems/test_kills.py", env={"ACUMATICA_B2B_KILLS": "200"})


@nox.session
def interleavings(session: nox.Session) -> None:
    """Try every interleaving of two runners, in the larger worlds as well."""
    whole = {"ACUMATICA_B2B_INTERLEAVINGS": "whole"}
    session.run(PYTHON, "-m", "pytest", "-q", "-s", "tests/engine/test_two_runners.py", env=whole)


@nox.session
def crashes(session: nox.Session) -> None:
    """Crash before and after every effect, and every pair of crashes, in all worlds and regimes."""
    files = ("tests/engine/test_crashes.py", "tests/engine/test_faults.py")
    whole = {"ACUMATICA_B2B_CRASHES": "whole"}
    session.run(PYTHON, "-m", "pytest", "-q", "-n", "auto", *files, *session.posargs, env=whole)


@nox.session
def http_faults(session: nox.Session) -> None:
    """Meet every request of every call with every fault there is."""
    session.run(PYTHON, "-m", "pytest", "-q", "-n", "auto", "tests/systems", env={"ACUMATICA_B2B_HTTP_FAULTS": "whole"})


@nox.session
def mutation(session: nox.Session) -> None:
    """Change the core in thousands of small ways and see that its tests notice; arguments are names of modules."""
    if not session.posargs:
        shutil.rmtree(HERE / "mutants", ignore_errors=True)  # what mutmut remembers may be out of date
    chosen = [f"acumatica_b2b.{module}.*" for module in session.posargs]
    session.run(PYTHON, "-m", "mutmut", "run", *chosen, silent=not sys.stdout.isatty())
    session.run(PYTHON, "tests/mutation/score.py", *session.posargs)


def _prism(session: nox.Session, npm: str) -> Path:
    """Return Prism's program, installed once into the user's cache."""
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "acumatica-b2b" / PRISM.rpartition("@")[2]
    )
    program = cache / "node_modules" / ".bin" / ("prism.cmd" if os.name == "nt" else "prism")
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--prefix", str(cache), PRISM, "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(install, check=False).returncode:  # noqa: S603 - all of it is written above
            session.skip(f"npm could not install {PRISM}, so no request was held against the official specification")
    return program


@contextmanager
def _served(program: Path) -> Iterator[str]:
    """Serve the specification on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(program), "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(SPECIFICATION)]
    with TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log) as server:  # noqa: S603 - as above
        try:
            _wait_for(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server listens, for a minute at most."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.2)
    message = "Prism did not start"
    raise RuntimeError(message)
