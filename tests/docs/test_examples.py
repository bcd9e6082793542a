"""The examples of the documentation, run; and the pages, held against the code they speak of."""

import asyncio
import io
import json
import re
import runpy
import shlex
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import tokenize
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve
from hypothesis import settings

from acumatica_b2b import (
    Commit,
    CompanyID,
    Contact,
    ContactID,
    ContactSync,
    CreateAddress,
    Customer,
    CustomerID,
    DesiredAddress,
    Failed,
    FindingKind,
    LocationID,
    LogKey,
    NoteID,
    NotSentError,
    OutcomeUnknownError,
    PostalAddress,
    Reason,
    RejectedError,
    Request,
    Response,
    SetRole,
    SiteAssociation,
    StorefrontID,
    SyncPolicy,
    UserID,
    in_threads,
)
from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.cli.commands import cli
from acumatica_b2b.cli.config import parse_config
from acumatica_b2b.simulators import AcumaticaSettings, AcumaticaSimulator, dataset
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.simulators.server import Server
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp
from docs import findings
from docs.examples import first_program_async, host_unit_test
from docs.examples.inhouse_shop import TABLES, InHouseShop
from docs.examples.own_store import TABLE, OwnStore
from docs.examples.own_transport import StandardTransport
from tests.stores.test_laws import StoreLaws

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


# ------------------------------------------------------------------ how they are written
def lines_of_code(source: str) -> int:
    """Return how many lines are neither blank nor comment nor docstring."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in skipped]
    rows: set[int] = set()
    for token in tokens:
        if not (token.type == tokenize.STRING and token.line.lstrip().startswith('"""')):
            rows.update(range(token.start[0], token.end[0] + 1))
    return len(rows)


@pytest.mark.parametrize(("name", "limit"), [("first_program", 16), ("first_program_async", 16), ("inhouse_shop", 80)])
def test_a_short_example_is_short(name: str, limit: int) -> None:
    """A first program has at most 15 lines and a storefront less than 80, blank ones and all."""
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < limit


@pytest.mark.parametrize(("name", "limit"), [("own_store", 30), ("own_transport", 25)])
def test_a_replacement_is_small(name: str, limit: int) -> None:
    """A store has less than 30 lines of code and a transport less than 25; blank lines and docstrings are none."""
    assert lines_of_code((EXAMPLES / f"{name}.py").read_text()) < limit


def test_lines_of_code_are_counted_as_said() -> None:
    """Blank lines, comments and docstrings do not count; a text over two lines does."""
    assert lines_of_code('"""A\n\nb."""\n\n# c\ndef f():\n    """D."""\n    return """x\n    y"""\n') == 3


def test_the_examples_are_formatted() -> None:
    """Nothing is made short by odd formatting: ruff leaves every example as it is."""
    command = [sys.executable, "-m", "ruff", "format", "--check", str(EXAMPLES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own files
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------ the first programs
def test_the_first_program_syncs_a_customer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first program makes a company with its users, writes the ids back and tells the Customer Log."""
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "first_program.py"))
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first == "all well"
    assert second.startswith("customer 'C000000001': company created with its Primary Admin")
    assert any("commerce reference ID written" in line for line in rest)
    assert (tmp_path / "sync.sqlite").exists()


def test_the_first_async_program_syncs_a_customer() -> None:
    """The async program does the same, and writes a reference to each of the customer's contacts."""
    tenant, shop = AcumaticaSimulator().load(dataset(3, seed=1, bad=False)), BigCommerceSimulator()
    transports = in_threads(tenant), in_threads(shop)
    report = asyncio.run(first_program_async.main(*transports, in_threads(MemoryStore())))
    assert report.ok
    assert len(shop.companies) == 1
    assert all(contact.reference_number for contact in tenant.contacts_of("C000000001"))


@pytest.mark.parametrize("name", [name for name in vars(host_unit_test) if name.startswith("test_")])
def test_the_example_of_a_unit_test_passes(name: str) -> None:
    """Each test in the example of a host's unit test passes."""
    vars(host_unit_test)[name]()


# ------------------------------------------------------------------ the in-house shop
FACEBOOK, MARK, ANNA = CustomerID("C1"), ContactID("1"), ContactID("2")
POLICY = SyncPolicy(primary_role="Primary Admin", user_role="Buyer")


def person(number: ContactID, name: str) -> Contact:
    """Return an enabled contact."""
    return Contact(
        id=number,
        note_id=NoteID(f"note-{number}"),
        customer=FACEBOOK,
        first_name=name,
        last_name="Example",
        email=f"{name.lower()}@facebook.example",
        association=SiteAssociation(enabled=True),
    )


def facebook(*contacts: Contact, primary: ContactID | None = MARK) -> Customer:
    """Return a customer that may become a company."""
    return Customer(
        id=FACEBOOK,
        note_id=NoteID("note-facebook"),
        name="Facebook",
        email="info@facebook.example",
        phones=("555",),
        address=PostalAddress(line1="1 Hacker Way", city="Menlo Park", state="CA", country="US"),
        primary_contact=primary,
        contacts=contacts,
    )


@pytest.fixture
def shop() -> Iterator[InHouseShop]:
    """Return an empty in-house shop."""
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.executescript(TABLES)
    yield InHouseShop(db)
    db.close()


def roles(shop: InHouseShop) -> dict[str, str]:
    """Return the roles of all users by e-mail address."""
    return dict(map(tuple, shop.db.execute("SELECT email, role FROM user")))


def synced(shop: InHouseShop, erp: MemoryErp, store: MemoryStore) -> Any:
    """Return the report of a run over the one customer, after which a second run does nothing."""
    sync = ContactSync(erp=erp, storefront=shop, store=store, policy=POLICY)
    report = sync.sync([FACEBOOK])
    assert sync.sync([FACEBOOK]).steps == ()
    return report


def test_the_in_house_shop_follows_the_erp(shop: InHouseShop) -> None:
    """Company and users are made, the Primary Admin is handed over, names follow, and who leaves is removed."""
    erp, store = MemoryErp(), MemoryStore()
    erp.put(facebook(person(MARK, "Mark"), person(ANNA, "Anna")))
    assert synced(shop, erp, store).ok
    assert roles(shop) == {"mark@facebook.example": "Primary Admin", "anna@facebook.example": "Buyer"}

    erp.set_primary(FACEBOOK, ANNA)
    assert synced(shop, erp, store).ok
    assert roles(shop) == {"mark@facebook.example": "Buyer", "anna@facebook.example": "Primary Admin"}

    (mark, anna) = erp.snapshot()[FACEBOOK].contacts
    erp.put(evolve(erp.snapshot()[FACEBOOK], name="Meta", contacts=(mark, evolve(anna, email="anna@meta.example"))))
    assert synced(shop, erp, store).ok
    assert roles(shop) == {"mark@facebook.example": "Buyer", "anna@meta.example": "Primary Admin"}
    assert shop.db.execute("SELECT name FROM company").fetchone()["name"] == "Meta"

    erp.remove_contact(MARK)
    assert synced(shop, erp, store).ok
    assert roles(shop) == {"anna@meta.example": "Primary Admin"}


def test_the_in_house_shop_keeps_addresses_apart(shop: InHouseShop) -> None:
    """An address that another company's user has is refused in whatever case, and its holder is named."""
    shop.db.execute("INSERT INTO user VALUES (7, '3', '', 'ANNA@facebook.example', 'A', 'B', '', 'Buyer')")
    erp = MemoryErp()
    erp.put(facebook(person(MARK, "Mark"), person(ANNA, "Anna")))
    (finding,) = synced(shop, erp, MemoryStore()).findings
    assert (finding.kind, finding.record.id) == (FindingKind.EMAIL_OWNED_ELSEWHERE, ANNA)
    assert "7" in finding.detail


def test_the_in_house_shop_says_what_it_can_not_do(shop: InHouseShop) -> None:
    """A company that is gone is GONE, and an address is UNSUPPORTED; neither ends the run."""
    erp, store = MemoryErp(), MemoryStore()
    erp.put(facebook(person(MARK, "Mark")))
    synced(shop, erp, store)
    place = DesiredAddress(
        location=LocationID("MAIN"), external_id=NoteID("n"), label="Main", first_name="A", last_name="B"
    )
    company = CompanyID(StorefrontID("1"))
    nobody = SetRole(company=company, user=UserID(StorefrontID("99")), contact=None, role="Buyer")
    outcomes = shop.perform([nobody, CreateAddress(company=company, address=place)])
    reasons = [o.error.reason for o in outcomes if isinstance(o, Failed) and isinstance(o.error, RejectedError)]
    assert reasons == [Reason.GONE, Reason.UNSUPPORTED]


# ------------------------------------------------------------------ the own store
class OwnStoreLaws(StoreLaws):
    """The laws of every store, on the example; `load` may give more than what follows the last snapshot."""

    def __init__(self) -> None:
        super().__init__()
        name = f"file:laws-{id(self)}?mode=memory&cache=shared"
        self.kept = sqlite3.connect(name, uri=True)
        self.kept.execute(TABLE)
        self.store = OwnStore(lambda: sqlite3.connect(name, uri=True))

    def log(self, key: LogKey) -> list[Commit]:
        """Return every commit of a key."""
        return [self.model[found] for found in sorted(self.model) if found[0] == key]

    def teardown(self) -> None:
        """Leave no database."""
        self.kept.close()


TestOwnStore = OwnStoreLaws.TestCase
TestOwnStore.settings = settings(max_examples=50, deadline=None)


def test_of_many_who_want_a_version_one_gets_it(tmp_path: Path) -> None:
    """Eight threads that append the same twenty versions store each of them once, and each is told of its own."""
    path = tmp_path / "own.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(TABLE)
    database.close()
    store = OwnStore(lambda: sqlite3.connect(path, timeout=60))
    start = threading.Barrier(8)

    def append(who: int) -> list[bool]:
        start.wait()
        body = f"by {who}"
        return [*store.append([Commit(key=LogKey("shop/run"), version=v, body=body) for v in range(1, 21)])]

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(append, range(8)))
    (log,) = store.load([LogKey("shop/run")])
    assert [commit.version for commit in log] == list(range(1, 21))
    assert [{f"by {who}" for who, all_of in enumerate(said) if all_of[v]} for v in range(20)] == [{c.body} for c in log]


# ------------------------------------------------------------------ the own transport
@define
class Handler:
    """Serves what a function answers."""

    answer: Callable[[Request], Response]

    def handle(self, request: Request) -> Response:
        """Return the answer."""
        return self.answer(request)


@contextmanager
def raw_server(*parts: bytes, pause: float = 0.0) -> Generator[str]:
    """Serve one connection with these bytes, each behind a pause, until the block ends."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(ConnectionError):  # a client may have had enough
            connection.recv(65_536)
            for part in parts:
                if over.wait(pause):
                    return
                connection.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join()


def test_the_own_transport_carries_a_whole_sync() -> None:
    """A customer is synced between both simulators, each behind real HTTP, with the example as transport."""
    tenant = AcumaticaSimulator(settings=AcumaticaSettings(demands_length=True)).load(dataset(2, seed=2, bad=False))
    shop, transport = BigCommerceSimulator(), StandardTransport()
    with Server(tenant) as erp_server, Server(shop) as shop_server:
        config = AcumaticaConfig(url=erp_server.url, contact_opt_in="everyone")
        account = BigCommerceConfig(
            store_hash=shop.store_hash, token=shop.token, url=f"{shop_server.url}/api/v3/io", deadline=5
        )
        policy = SyncPolicy(write_back=frozenset())
        with Acumatica(config, Password("sync", "secret"), transport) as erp:
            storefront = BigCommerce(account, transport)
            sync = ContactSync(erp=erp, storefront=storefront, store=MemoryStore(), policy=policy)
            report = sync.sync(["C000000001"])
    assert report.ok, report
    assert len(shop.companies) == 1
    assert tenant.open_sessions == 0


def test_the_own_transport_sends_and_returns_what_it_is_given() -> None:
    """Method, path, query, header and body arrive as they are; a redirect comes back as it is."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(
            status=302, headers=(("Location", "/b"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")), body=b"x"
        )

    with Server(Handler(answer)) as server:
        request = Request(method="PUT", url=f"{server.url}/a%2Fb?q=1%202", headers=(("X-Name", "v"),), body=b"{}")
        response = StandardTransport().send(request)
    (got,) = seen
    assert (got.method, got.url, got.body) == ("PUT", request.url, b"{}")
    assert ("X-Name", "v") in got.headers
    assert (response.status, response.body) == (302, b"x")
    assert response.header_values("set-cookie") == ("a=1", "b=2")


def test_the_own_transport_knows_what_was_not_sent() -> None:
    """Where nobody listens the request was not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSentError, match="was not sent"):
        StandardTransport().send(Request(method="GET", url=f"http://127.0.0.1:{port}/x"))


@pytest.mark.parametrize("begun", [(), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",)], ids=["silent", "begun"])
def test_the_own_transport_ends_at_the_deadline(begun: tuple[bytes, ...]) -> None:
    """A server that says nothing, and one that begins and stalls, cost the deadline and no more."""
    pause = 0.5 if begun else 20.0
    began = time.monotonic()
    with raw_server(*begun, b"late", pause=pause) as url, pytest.raises((OutcomeUnknownError, TimeoutError)):
        StandardTransport().send(Request(method="GET", url=url, deadline=0.8))
    assert time.monotonic() - began < 10


def test_the_own_transport_is_not_fooled_by_half_an_answer() -> None:
    """An answer that ends before its length, one larger than allowed and one that goes on too long are none."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    for parts, most, deadline, pause in (
        ((head + b"abc",), 99, 5.0, 0.0),
        ((head + b"abcabcabc",), 8, 5.0, 0.0),
        ((endless, b"0\r\n\r\n"), 0x3000, 0.3, 0.2),
    ):
        with raw_server(*parts, pause=pause) as url, pytest.raises((OutcomeUnknownError, TimeoutError)):
            StandardTransport().send(Request(method="GET", url=url, deadline=deadline, max_bytes=most))


def test_the_own_transport_does_not_listen_for_ever() -> None:
    """An answer that never ends and never pauses is given up at the deadline."""
    flood = (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", *([b"x" * 65_536] * 60_000))
    with raw_server(*flood) as url:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError, match="too late"):
            StandardTransport().send(Request(method="GET", url=url, deadline=0.2, max_bytes=10**10))
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
    ],
)
def test_the_own_transport_reads_every_kind_of_answer(answer: bytes) -> None:
    """A body may have a length, come in chunks, or end with its connection."""
    with raw_server(answer) as url:
        assert StandardTransport().send(Request(method="GET", url=url, max_bytes=3)).body == b"abc"


# ------------------------------------------------------------------ the pages
def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", ["first_program", "first_program_async"])
def test_the_readme_shows_the_first_programs(name: str) -> None:
    """What the README shows is, character by character, what the tests run."""
    assert (EXAMPLES / f"{name}.py").read_text() in blocks(ROOT / "README.md", "python")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page run, one after another, in one namespace and an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)  # noqa: S102 -- our own page


def test_the_rules_name_every_finding() -> None:
    """The table of findings in rules.md is the code's: `python docs/findings.py` prints it."""
    assert findings.table() in (ROOT / "docs" / "rules.md").read_text()


def test_every_example_is_shown() -> None:
    """No example is left that no page shows."""
    text = "".join(page.read_text() for page in PAGES)
    shown = set(re.findall(r"\{literalinclude\} examples/(\w+)\.py", text)) | {"first_program", "first_program_async"}
    assert shown == {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_leads_to_files_that_are_there(page: Path) -> None:
    """Every relative link of a page leads to a file of the project."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_configurations_shown_are_read() -> None:
    """Every TOML block of the pages is a configuration that the command line takes."""
    shown = [block for page in PAGES for block in blocks(page, "toml")]
    assert shown
    for block in shown:
        parse_config(block)


def test_the_commands_shown_exist() -> None:
    """Every command line of the pages names a command, and options that it has."""
    text = "\n".join(block for page in PAGES for kind in ("sh", "console") for block in blocks(page, kind))
    lines = re.findall(r"acumatica-b2b ([a-z]+)([^#|>\n]*)", text)
    assert {name for name, _ in lines} >= {"demo", "simulate", "plan", "sync", "log"}
    for name, rest in lines:
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, name


# ------------------------------------------------------------------ the tutorial
_CLI = (sys.executable, "-c", "from acumatica_b2b.cli import main; main()")


def dialogue(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a page's console blocks with the lines that it is shown to print."""
    for block in blocks(page, "console"):
        for part in block.removeprefix("$ ").split("\n$ "):
            command, *shown = part.splitlines()
            yield command, [" ".join(line.split()) for line in shown if line != "…"]


def click_primary(url: str, contact: str) -> None:
    """Do what the page does with curl."""
    answer = StandardTransport().send(Request(method="POST", url=url, body=contact.encode()))
    assert answer.status == 204


def served(command: Sequence[str], directory: Path, environ: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    """Return the running simulators, on free ports, and the address of their Acumatica."""
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [*command, "--port-acumatica", "0", "--requests-per-minute", "0", "--json"],  # who reads is slower than a test
        cwd=directory,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, str(json.loads(process.stdout.readline())["acumatica"])


def test_the_tutorial_is_true(tmp_path: Path) -> None:
    """Every command of the tutorial runs, and prints every line that the page shows."""
    environ = {"PATH": "", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    process: subprocess.Popen[str] | None = None
    erp = ""
    try:
        for command, shown in dialogue(ROOT / "docs" / "tutorial.md"):
            match shlex.split(command):
                case ["export", setting]:
                    name, _, value = setting.partition("=")
                    environ[name] = value
                case ["curl", "-X", "POST", url, "-d", contact]:
                    click_primary(f"{erp}/simulator/{url.partition('/simulator/')[2]}", contact)
                case ["acumatica-b2b", "simulate", *rest]:
                    process, erp = served([*_CLI, "simulate", *rest], tmp_path, environ)
                case ["acumatica-b2b", *rest]:
                    done = subprocess.run(  # noqa: S603 -- as above
                        [*_CLI, *rest], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
                    )
                    printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
                    assert [line for line in shown if not any(line in text for text in printed)] == [], done.stdout
                    assert done.returncode == (10 if any("to take" in line for line in printed) else 0), done.stderr
                case _:
                    pytest.fail(f"nobody tries {command!r}")
    finally:
        if process:
            process.terminate()
            process.communicate()
