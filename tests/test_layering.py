import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import acumatica_b2b

ROOT = Path(acumatica_b2b.__file__).parent
OURS = "acumatica_b2b"

SPINE = """
    flow errors
    model
    actions policy
    mapping primary_admin synclog
    matching
    guard
    plan
    engine
    runtime drivers
    contact_sync
"""
"""The core, to be read downwards: no module leads to one of its own line or of a later one, by whatever way."""

BESIDE = {
    "codec": "errors",
    "lazily": "",
    "check": "flow errors model",
    "http": "flow errors",
    "protocols": "flow errors model actions",
    "pace": "",
    "quota": "errors http",
    "stores": "errors model protocols lazily",
    "transports": "errors http",
    "acumatica": "flow errors model actions check http protocols codec quota runtime lazily",
    "bigcommerce": "flow errors model actions check http protocols codec quota runtime lazily",
    "simulators": "errors model http codec",
}
"""Rooms beside the core, each with all that it knows of ours. Every other module belongs to the core."""

LENT = {
    "check": "checking contact_sync",
    "codec": "synclog folding customer_log runlog sealed",
    "protocols": (
        "effects keys observing sweep saving customer_log forgetting explaining run runs surveys tally runtime drivers "
        "checking contact_sync"
    ),
    "http": "runtime",
    "pace": "runtime",
    "quota": "runtime",
    "stores": "contact_sync",
}
"""What the core borrows from beside it, and which of its modules do."""

OUTERMOST = {"": "cli testing simulators transports", "testing": "cli", "cli": "testing"}
"""What knows everything but this; "" is what `import acumatica_b2b` offers."""

THEIRS = {
    "cattrs": "codec",
    "httpx": "transports cli",
    "click": "cli",
    "rich": "cli",
    "hypothesis": "testing",
    "pytest": "testing",
    "asyncio": "runtime drivers transports testing cli",
    "concurrent": "runtime drivers testing cli",
    "threading": "runtime drivers pace quota bigcommerce stores simulators testing cli",
    "time": "runtime transports testing cli",
    "sqlite3": "stores bigcommerce",
    "os": "stores cli",
    "random": "drivers simulators testing",
    "secrets": "simulators cli",
    "socket": "simulators testing",
    "subprocess": "",
    "urllib.request": "",
    "uuid": "drivers simulators testing",
}
"""Other people's modules that only some rooms may know: what does I/O, reads a clock, or is an extra."""


def room(module: str) -> str:
    """Return the room that a module of ours is in: its first name below the package."""
    return module.removeprefix(OURS).removeprefix(".").partition(".")[0]


def name_of(file: Path) -> str:
    """Return the dotted name of a source file."""
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(ROOT.rglob("*.py"))}


def imported(tree: ast.AST, modules: Iterable[str] = MODULES) -> Iterator[str]:
    """Yield the dotted names of the modules that a module imports, wherever in it."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                whole = [f"{module}.{alias.name}" for alias in names]
                yield from (name if name in modules else module for name in whole)
            case ast.ImportFrom():
                pytest.fail("an import that begins with a dot does not say whose it is")
            case _:
                pass


KNOWN = {
    module: {name for name in imported(tree) if name.partition(".")[0] == OURS} for module, tree in MODULES.items()
}
ROOMS = {room(module) for module in MODULES}
CORE = ROOMS - BESIDE.keys() - OUTERMOST.keys()


def may_know(place: str) -> set[str]:
    """Return the rooms that the modules of a room may import, itself included."""
    if place in OUTERMOST:
        return ROOMS - set(OUTERMOST[place].split())
    if place in BESIDE:
        return {place, *BESIDE[place].split()}
    return CORE | {lent for lent, borrowers in LENT.items() if place in borrowers.split()}


def leads_to(place: str) -> set[str]:
    """Return the rooms that a room knows, by whatever way."""
    found: set[str] = set()
    ahead = {place}
    while ahead:
        found |= ahead
        ahead = {room(name) for module in MODULES if room(module) in ahead for name in KNOWN[module]} - found
    return found - {place}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_knows_only_what_it_may(module: str) -> None:
    """Core and rooms import what the tables above allow, and nothing else of ours."""
    assert {name for name in KNOWN[module] if room(name) not in may_know(room(module))} == set()


@pytest.mark.parametrize("module", SPINE.split())
def test_the_core_can_be_read_downwards(module: str) -> None:
    """Nothing in the core leads to what is told later, not even through a helper of its own."""
    lines = [set(line.split()) for line in SPINE.splitlines()]
    own = next(number for number, line in enumerate(lines) if module in line)
    assert leads_to(module) & set[str]().union(*lines[own:]) == set()


def test_no_import_leads_back() -> None:
    """No module imports, by whatever way, itself."""
    TopologicalSorter(KNOWN).prepare()


@pytest.mark.parametrize("library", THEIRS)
def test_only_some_rooms_know_the_world_outside(library: str) -> None:
    """Converters, HTTP libraries, threads, the clock and chance each have their rooms."""
    users = {
        room(module)
        for module, tree in MODULES.items()
        if any(f"{name}.".startswith(f"{library}.") for name in imported(tree))
    }
    assert users <= set(THEIRS[library].split())


@pytest.mark.parametrize("module", MODULES)
def test_only_runtime_and_simulators_read_the_clock(module: str) -> None:
    """`datetime.now` and its like are called where a clock is made, nowhere else: time is an effect."""
    calls = [node.func for node in ast.walk(MODULES[module]) if isinstance(node, ast.Call)]
    reads = {
        f"{func.value.id}.{func.attr}"
        for func in calls
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
    } & {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    assert not reads or room(module) in {"runtime", "simulators", "testing", "cli"}


# ------------------------------------------------------------------ what is loaded
def loaded(script: str) -> set[str]:
    """Return the modules that a script loads, in a process of its own."""
    whole = f"import sys; early = set(sys.modules)\n{script}\nprint(*(set(sys.modules) - early))"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)  # noqa: S603 -- our own script
    return set(done.stdout.split())


def of_ours(modules: Iterable[str]) -> set[str]:
    """Return those of some modules that are ours."""
    return {module for module in modules if module.partition(".")[0] == OURS}


def test_importing_the_library_loads_next_to_nothing() -> None:
    """`import acumatica_b2b` makes no attrs class: each name, and what it needs, is loaded when it is first used."""
    seen = loaded(f"import {OURS}")
    assert of_ours(seen) == {OURS, f"{OURS}.lazily"}
    assert not seen & {"attr", "attrs", "cattrs", "asyncio", "typing", "json", "logging"}


def test_the_records_load_nothing_of_the_engine() -> None:
    """Who imports records, errors and the policy gets their modules and no other."""
    seen = loaded(f"from {OURS} import Customer, Contact, RejectedError, SyncPolicy")
    assert of_ours(seen) == {f"{OURS}{module}" for module in ("", ".lazily", ".errors", ".model", ".policy")}


def test_the_library_loads_no_http_library() -> None:
    """All that `acumatica_b2b` offers loads nothing that opens a connection, no client and none of the extras."""
    heavy = {"click", "http.client", "httpx", "hypothesis", "pytest", "requests", "rich", "urllib.request", "urllib3"}
    seen = loaded(f"from {OURS} import *")
    assert not seen & {*heavy, "sqlite3"}
    assert {room(module) for module in of_ours(seen)} & {*OUTERMOST, *BESIDE} == {*BESIDE, ""} - {
        "acumatica",
        "bigcommerce",
        "simulators",
        "stores",
        "transports",
    }


def test_configuring_a_client_loads_no_client() -> None:
    """The configuration of both systems is read without what talks to them."""
    seen = loaded(f"from {OURS}.acumatica import AcumaticaConfig; from {OURS}.bigcommerce import BigCommerceConfig")
    rooms = {module for module in of_ours(seen) if room(module) in {"acumatica", "bigcommerce"}}
    assert {module.rpartition(".")[2] for module in rooms} == {"acumatica", "bigcommerce", "config"}


STUBS = {name_of(file.with_suffix(".py")): file for file in sorted(ROOT.rglob("*.pyi"))}
"""What type checkers read of the packages that load their names lazily."""


@pytest.mark.parametrize("package", STUBS)
def test_a_stub_says_what_the_package_does(package: str) -> None:
    """What type checkers see of a package is what there is at run time: the same names, from the same modules."""
    stub = ast.parse(STUBS[package].read_text(encoding="utf-8"))
    homes = {
        alias.name: str(node.module) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    (said,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    offered = import_module(package)
    assert sorted(offered.__all__) == sorted(said) == sorted(homes)
    for name, home in homes.items():
        assert getattr(offered, name) is getattr(import_module(home), name)
        assert f"{package}.{name}" not in MODULES
    assert set(said) <= set(dir(offered))


def test_a_name_that_is_not_there_is_named() -> None:
    """AttributeError, as of any module, and so ImportError where it is imported."""
    with pytest.raises(AttributeError, match="module 'acumatica_b2b' has no attribute 'Kontakt'"):
        acumatica_b2b.Kontakt  # type: ignore[attr-defined]  # noqa: B018  # on purpose
    with pytest.raises(ImportError, match="Kontakt"):
        from acumatica_b2b import Kontakt  # type: ignore[attr-defined]  # noqa: F401, PLC0415  # on purpose


# ------------------------------------------------------------------ the test itself
def test_imports_are_seen_wherever_they_stand() -> None:
    """A submodule taken from its package counts as that submodule, and a hidden import counts."""
    source = f"import time\nfrom {OURS} import codec, ContactSync\ndef f():\n    from {OURS}.plan import Plan\n"
    seen = set(imported(ast.parse(source), {f"{OURS}.codec"}))
    assert seen == {"time", f"{OURS}.codec", OURS, f"{OURS}.plan"}


def test_the_tables_say_what_they_mean() -> None:
    """The core knows nothing of clients, transports and simulators; simulators know nothing of clients."""
    outside = {"acumatica", "bigcommerce", "transports", "simulators", "testing", "cli", ""}
    assert all(may_know(module) & outside == set() for module in CORE)
    assert may_know("simulators") == {"simulators", "errors", "model", "http", "codec"}
    assert leads_to("flow") == leads_to("errors") == set()
    assert "runtime" not in leads_to("engine")


def test_every_test_has_its_sentence() -> None:
    """Each test function is described by a sentence about the product."""
    silent = [
        f"{path.name}: {node.name}"
        for path in sorted(Path(__file__).parent.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []
