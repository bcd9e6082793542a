"""Syncs over loopback HTTP that are killed at random instants, beside a twin that never is.

Run as a module this is the worker: warm, with one thread, it forks a process for each sync it is told
of, which runs the command line over real HTTP and a real file, and which signal 9 really ends. Its clock
is set ahead, from one sync to the next by more than a lease, so that no test waits for one.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from threading import Condition
from time import sleep
from typing import Any, Final, Self

from attrs import define, evolve, field

from acumatica_b2b import ContactSync, SyncPolicy
from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.cli import commands, connect
from acumatica_b2b.cli.config import PASSWORD, TOKEN
from acumatica_b2b.cli.watching import StoppableClock
from acumatica_b2b.http import Request, Response
from acumatica_b2b.policy import Limits
from acumatica_b2b.simulators import AcumaticaSettings, AcumaticaSimulator, BigCommerceSimulator
from acumatica_b2b.simulators.acumatica import (
    CONTACT_REFERENCE,
    ENABLED,
    AddressRow,
    ContactRow,
    CustomerRow,
)
from acumatica_b2b.simulators.bigcommerce.records import ADMIN
from acumatica_b2b.simulators.server import Handles, Server
from acumatica_b2b.stores import MemoryStore

HOUR: Final = 3600.0
ROOT: Final = Path(__file__).parents[2]
HERE: Final = AddressRow(line1="1 Main St", city="Austin", state="TX", postal_code="78701", country="US")
LIMITS: Final = 1_000_000
STORE, SECRET = "simulated", "simulated-token"
TOML: Final = f"""\
[acumatica]
url = "{{acumatica}}/Simulated"
tenant = "Company"
name = "sync"
opt_in = "{ENABLED}"
reference_contact = "{CONTACT_REFERENCE}"

[bigcommerce]
url = "{{bigcommerce}}/api/v3/io"
core_url = "{{bigcommerce}}"
store_hash = "{STORE}"
requests_per_minute = 1000000

[log]
file = "log.sqlite"

[policy]
lease = {{lease}}

[policy.limits]
removals = {LIMITS}
hand_overs = {LIMITS}
email_changes = {LIMITS}
share_from = {LIMITS}
half_of_company_from = {LIMITS}
"""
POLICY: Final = SyncPolicy(
    limits=Limits(
        removals=LIMITS,
        hand_overs=LIMITS,
        email_changes=LIMITS,
        share_from=LIMITS,
        half_of_company_from=LIMITS,
    )
)


# ------------------------------------------------------------------ the worker
def work() -> None:
    """Fork a sync for each line that is read; tell its process id, and how it ended."""
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if not pid:
            _sync(told["config"], told["ahead"])
        _tell({"pid": pid})
        _tell({"status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _sync(config: str, ahead: float) -> None:
    """Run the command line in this process, its clock set ahead, and end."""

    class Ahead(StoppableClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(seconds=ahead)

    vars(connect)["StoppableClock"] = Ahead  # in a process of its own
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    code = 99
    with suppress(BaseException):  # nothing may get back into the worker
        try:
            commands.cli(["sync", "--all", "--config", config], prog_name="acumatica-b2b")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 98
        except BaseException as error:  # the test sees it
            print(repr(error), file=sys.stderr, flush=True)  # noqa: T201  # as above
    os._exit(code)


def _tell(what: Mapping[str, int]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  # it is a pipe


# ------------------------------------------------------------------ both systems
@define
class Kill:
    """Signal 9, on cue of the request with a number: before it, with its answer unsent, or later."""

    at: int
    moment: str
    delay: float


@define
class Wire:
    """Counts the requests of both systems, and kills on cue; looks at the shop after every write."""

    shop: BigCommerceSimulator
    pid: int = 0
    seen: int = 0
    kill: Kill | None = None
    killed: bool = False
    complaints: list[str] = field(factory=list[str])
    _under_way: int = 0
    _had_admin: set[int] = field(factory=set[int])
    _changed: Condition = field(factory=Condition)

    def handle(self, request: Request, to: Handles) -> Response:
        """Return the answer, if the process lives to have it."""
        with self._changed:
            self.seen += 1
            mine = self.kill if self.kill and self.seen == self.kill.at else None
            self._under_way += 1
        try:
            self._strike(mine, "before")
            response = to.handle(request)
            with self._changed:
                self.look()
            self._strike(mine, "unanswered")
            return response
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
            if mine and mine.moment == "later":
                sleep(mine.delay)
                self._strike(mine, "later")

    def _strike(self, mine: Kill | None, moment: str) -> None:
        if mine and mine.moment == moment and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def quiet(self) -> None:
        """Wait until no request is under way: a server goes on with what it has."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, timeout=30)

    def look(self) -> None:
        """Check what must hold at every instant."""
        users = list(self.shop.users.values())
        with_admin = {user.company_id for user in users if self.shop.role_of(user).legacy == ADMIN}
        lost = self._had_admin & set(self.shop.companies) - with_admin
        self._had_admin |= with_admin
        uuids, emails = [user.uuid for user in users if user.uuid], [user.email.lower() for user in users]
        self.complaints += [f"company {company} lost its last admin" for company in sorted(lost)]
        self.complaints += ["a person is there twice"] * (
            len(set(uuids)) < len(uuids) or len(set(emails)) < len(emails)
        )


@define
class Watched:
    """One system, its requests watched."""

    wire: Wire
    system: Handles

    def handle(self, request: Request) -> Response:
        """Return the system's answer."""
        return self.wire.handle(request, self.system)


@define
class World:
    """A tenant and a shop over loopback HTTP, their log in a file, and a worker that syncs them."""

    folder: Path
    lease: float = 180.0
    tenant: AcumaticaSimulator = field(init=False)
    shop: BigCommerceSimulator = field(init=False)
    wire: Wire = field(init=False)
    _worker: subprocess.Popen[str] = field(init=False)
    _open: ExitStack = field(factory=ExitStack, init=False)
    _ahead: float = field(default=0.0, init=False)

    def __enter__(self) -> Self:
        # who is killed does not sign out
        self.tenant = AcumaticaSimulator(settings=AcumaticaSettings(seats=LIMITS))
        self.shop = BigCommerceSimulator(token=SECRET, store_hash=STORE, requests_per_minute=None)
        self.wire = Wire(self.shop)
        erp = self._open.enter_context(Server(Watched(self.wire, self.tenant)))
        shop = self._open.enter_context(Server(Watched(self.wire, self.shop)))
        self.config.write_text(TOML.format(acumatica=erp.url, bigcommerce=shop.url, lease=self.lease))
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "tests.systems.kills"],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._worker.stdin and self._worker.stdout:
            self._worker.stdin.close()
            self._worker.wait(timeout=30)
            self._worker.stdout.close()
        self._open.close()

    @property
    def environ(self) -> dict[str, str]:
        """The secrets, in the environment there is."""
        return {**os.environ, PASSWORD: "secret", TOKEN: SECRET}

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "acumatica-b2b.toml"

    def sync(self, kill: Kill | None = None, *, pause: float = HOUR) -> int:
        """Return the exit code of a sync, so long after the last one; -9: it was killed."""
        self._ahead += pause
        self.wire.seen, self.wire.kill, self.wire.pid = 0, kill, 0
        said = {"config": str(self.config), "ahead": self._ahead}
        if self._worker.stdin is None or self._worker.stdout is None:
            raise RuntimeError
        self._worker.stdin.write(json.dumps(said) + "\n")
        self._worker.stdin.flush()
        self.wire.pid = json.loads(self._worker.stdout.readline())["pid"]
        status: int = json.loads(self._worker.stdout.readline())["status"]
        self.wire.pid = 0
        self.wire.quiet()
        self.wire.look()
        return status

    def integrity(self) -> str:
        """Return what SQLite says of the file; it must be there once something was synced."""
        with closing(sqlite3.connect(self.folder / "log.sqlite")) as database:
            return str(database.execute("PRAGMA integrity_check").fetchone()[0])


# ------------------------------------------------------------------ the twin
@define
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = field(factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


@define
class Twin:
    """The same tenant beside a shop of its own, synced in this process, never killed."""

    tenant: AcumaticaSimulator = field(factory=lambda: AcumaticaSimulator(settings=AcumaticaSettings(seats=LIMITS)))
    shop: BigCommerceSimulator = field(
        factory=lambda: BigCommerceSimulator(token=SECRET, store_hash=STORE, requests_per_minute=None)
    )
    clock: Clock = field(factory=Clock)
    store: MemoryStore = field(factory=MemoryStore)

    def sync(self) -> None:
        """Sync everything."""
        self.clock.sleep(HOUR)
        config = AcumaticaConfig(
            url="https://erp.example/Simulated",
            tenant="Company",
            contact_opt_in=ENABLED,
            contact_reference=CONTACT_REFERENCE,
        )
        shop = BigCommerce(BigCommerceConfig(store_hash=STORE, token=SECRET), self.shop, clock=self.clock)
        with Acumatica(config, Password("sync", "secret"), self.tenant, clock=self.clock) as erp:
            policy = evolve(POLICY, write_back=frozenset())
            contact_sync = ContactSync(
                erp=erp, storefront=shop, store=self.store, policy=policy, clock=self.clock, workers=1
            )
            report = contact_sync.sync_all()
        if not report.ok:
            raise RuntimeError(report)


def people(shop: BigCommerceSimulator) -> dict[str, tuple[str, str, str]]:
    """Return company, address and role of everybody in the shop by first name."""
    return {
        user.first_name: (shop.companies[user.company_id].company_name, user.email, shop.role_of(user).name)
        for user in shop.users.values()
    }


def references(world: World) -> list[str]:
    """Return the contacts whose commerce reference ID is not that of their user."""
    users = {user.first_name: str(user.id) for user in world.shop.users.values()}
    rows = world.tenant.snapshot().contacts
    return [
        row.first_name for row in rows if (row.custom.get(CONTACT_REFERENCE) or "") != users.get(row.first_name, "")
    ]


# ------------------------------------------------------------------ what people do
@define
class Office:
    """People who edit the tenant and its twin alike."""

    die: Random
    tenants: tuple[AcumaticaSimulator, AcumaticaSimulator]
    names: Iterator[int] = field(factory=lambda: count(1))
    primary: dict[str, int] = field(factory=dict[str, int])

    def open(self, customers: int) -> None:
        """Let there be customers with two or three contacts each."""
        for number in range(customers):
            key = f"C{number}"
            row = CustomerRow(id=key, name=f"{key} Inc", email=f"{key}@office.example", phone="555-0100", address=HERE)
            for tenant in self.tenants:
                tenant.put_customer(row)
            ids = [self._hire(key) for _ in range(self.die.randint(2, 3))]
            self._mark(key, ids[0])

    def edit(self) -> None:
        """Change something."""
        key = self.die.choice(sorted(self.primary))
        rows = [row for row in self.tenants[0].contacts_of(key) if row.custom.get(ENABLED)]
        others = [row for row in rows if row.id != self.primary[key]]
        row = self.die.choice(others) if others else rows[0]
        match self.die.choice(("mark", "mark", "mark", "address", "phone", "hire", "leave", "move")):
            case "mark":
                self._mark(key, row.id or 0)
            case "address":
                self._put(row, email=f"new{next(self.names)}@mail.example")
            case "phone":
                self._put(row, phones=(f"555-{next(self.names):04}",))
            case "leave" if len(others) > 1:
                self._put(row, custom={**row.custom, ENABLED: False})
            case "move" if len(others) > 1:
                self._put(row, customer=self.die.choice(sorted(self.primary)))
            case _:
                self._hire(key)

    def _hire(self, customer: str) -> int:
        name = f"P{next(self.names)}"
        row = ContactRow(
            customer=customer,
            first_name=name,
            last_name="Doe",
            email=f"{name.lower()}@mail.example",
            custom={ENABLED: True},
        )
        first, second = (tenant.put_contact(row) for tenant in self.tenants)
        if first != second:
            raise RuntimeError
        return first

    def _put(self, row: ContactRow, **fields: Any) -> None:
        for tenant in self.tenants:
            tenant.put_contact(evolve(tenant.contact(row.id or 0), **fields))

    def _mark(self, customer: str, contact: int) -> None:
        self.primary[customer] = contact
        for tenant in self.tenants:
            tenant.set_primary(customer, contact)


# ------------------------------------------------------------------ kill after kill
@define
class Tally:
    """How often what was done."""

    kills: int = 0
    syncs: int = 0
    worlds: int = 0
    missed: int = 0
    moments: dict[str, int] = field(factory=dict[str, int])


def killed(die: Random, folder: Path, wanted: int) -> Tally:
    """Kill syncs so often, world after world; raise AssertionError where one does not end right."""
    tally = Tally()
    while tally.kills < wanted:
        tally.worlds += 1
        place = folder / str(tally.worlds)
        place.mkdir()
        with World(place) as world:
            _lived(world, die, min(10, wanted - tally.kills), tally)
    return tally


def _lived(world: World, die: Random, wanted: int, tally: Tally) -> None:
    """Let one world be edited, its syncs killed, and each time set right by the next."""
    twin = Twin()
    office = Office(die, (world.tenant, twin.tenant))
    office.open(3)
    long, begun = 60, tally.kills  # so many requests has a first load, or some more
    while tally.kills - begun < wanted:
        for _ in range(1 if die.random() < 0.8 else 2):
            if tally.kills - begun < wanted:
                moment = die.choice(("before", "unanswered", "later"))
                status = world.sync(Kill(die.randint(1, long), moment, die.random() * 0.03))
                tally.syncs += 1
                tally.kills += status == -signal.SIGKILL
                tally.missed += status != -signal.SIGKILL
                if status == -signal.SIGKILL:
                    tally.moments[moment] = tally.moments.get(moment, 0) + 1
                assert status in {0, -signal.SIGKILL}, status
        _set_right(world, twin)
        tally.syncs += 1
        for _ in range(die.randint(1, 3)):
            office.edit()
        long = 36


def _set_right(world: World, twin: Twin) -> None:
    assert world.sync() == 0
    twin.sync()
    assert world.wire.complaints == []
    assert world.integrity() == "ok"
    assert people(world.shop) == people(twin.shop)
    assert references(world) == []
    assert len(world.shop.companies) == len(twin.shop.companies)


if __name__ == "__main__":
    work()
