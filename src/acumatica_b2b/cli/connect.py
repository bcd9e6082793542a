"""Builds clients, store and engine from a configuration, and closes them again."""

import enum
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import httpx
from attrs import evolve, field, frozen

from acumatica_b2b.acumatica import Acumatica
from acumatica_b2b.bigcommerce import BigCommerce
from acumatica_b2b.check import CheckResult
from acumatica_b2b.cli.config import Config
from acumatica_b2b.cli.logged import require_log
from acumatica_b2b.cli.looks import console
from acumatica_b2b.cli.watching import StoppableClock, stoppable, watched
from acumatica_b2b.contact_sync import ContactSync
from acumatica_b2b.decisions import Decision
from acumatica_b2b.drivers import Listener, nobody
from acumatica_b2b.errors import StoreError
from acumatica_b2b.explaining import Explanation
from acumatica_b2b.forgetting import Forgotten
from acumatica_b2b.http import Retries
from acumatica_b2b.protocols import Clock, SyncLogStore
from acumatica_b2b.report import Plan, RunReport
from acumatica_b2b.runtime import SystemClock
from acumatica_b2b.sealed import SealedPlan
from acumatica_b2b.stores import MemoryStore, SqliteStore
from acumatica_b2b.transports.httpx import HttpxTransport


class Scope(enum.Enum):
    """Which customers, where none is named."""

    ALL = "all"
    CHANGED = "changed"


Asked: TypeAlias = Scope | tuple[str, ...]


@frozen(kw_only=True)
class Host:
    """What a command runs on: its configuration, the secrets around it, who listens."""

    config: Config
    environ: Mapping[str, str] = field(repr=False)
    listener: Listener = nobody
    clock: Clock = field(factory=SystemClock)


@contextmanager
def hosted(config: Config, environ: Mapping[str, str], what: str) -> Generator[Host]:
    """Give a command its host: a bar on a terminal, and an orderly end at Ctrl-C."""
    with stoppable() as stop, watched(console(stderr=True), what) as watcher:
        clock = StoppableClock(stop, watcher.wait)
        yield Host(config=config, environ=environ, listener=watcher.hear, clock=clock)


def plan(host: Host, customers: tuple[str, ...]) -> Plan:
    """Return what a sync of these customers would do, or of all where none is named; nothing is written."""
    with connected(host, _reading(host.config)) as contact_sync:
        return contact_sync.plan(customers or None)


def _reading(config: Config) -> Callable[[], SyncLogStore]:
    """Return the log as who only looks opens it: no file is left behind where nothing was synced yet."""
    return partial(SqliteStore, config.log) if config.log.exists() else MemoryStore


def sync(host: Host, asked: Asked) -> RunReport:
    """Return what one sync did."""
    with connected(host, partial(SqliteStore, host.config.log)) as contact_sync:
        match asked:
            case Scope.ALL:
                return contact_sync.sync_all()
            case Scope.CHANGED:
                return contact_sync.sync_changed()
            case customers:
                return contact_sync.sync(customers)


def apply(host: Host, plan: SealedPlan) -> RunReport:
    """Return what a run did that followed a plan."""
    with connected(host, partial(SqliteStore, host.config.log)) as contact_sync:
        return contact_sync.apply(plan)


def approve(host: Host, plan: SealedPlan, by: str) -> int:
    """Let a plan's guarded steps go out; return how many there are."""
    with connected(host, partial(SqliteStore, host.config.log)) as contact_sync:
        return contact_sync.approve(plan, by=by)


def decide(host: Host, customer: str, decision: Decision, by: str) -> None:
    """Record what a person decided."""
    with connected(host, partial(SqliteStore, host.config.log)) as contact_sync:
        contact_sync.decide(customer, decision, by=by)


def forget(host: Host, contact: str) -> Forgotten:
    """Erase a person from the sync log.

    Raises:
        ConfigurationError: nothing was ever synced into this log.

    """
    require_log(host.config)
    with connected(host, partial(SqliteStore, host.config.log)) as contact_sync:
        return contact_sync.forget(contact)


def explain(host: Host, contact: str) -> Explanation:
    """Return what is known of one contact; nothing is written."""
    with connected(host, _reading(host.config)) as contact_sync:
        return contact_sync.explain(contact)


def check(host: Host) -> CheckResult:
    """Return what is right and wrong with the set-up; a log that is not there yet is not made by it."""
    # nobody wants to wait for a system that is away to be told that it is
    hasty = Retries(attempts=2, patience=20.0)
    config = host.config
    config = evolve(
        config,
        acumatica=evolve(config.acumatica, retries=hasty),
        bigcommerce={**config.bigcommerce, "retries": hasty},
    )
    with _Stores() as stores, connected(evolve(host, config=config), partial(stores.beside, config.log)) as on:
        return on.check()


class _Stores(ExitStack):
    """Opens the sync log for a trial, or one beside it that is removed again."""

    def beside(self, log: Path) -> SyncLogStore:
        """Return the log's store, else one in its folder; where there can't be any, one that says so."""
        try:
            if log.exists():
                return self.enter_context(SqliteStore(log))
            folder = self.enter_context(TemporaryDirectory(prefix=f".{log.name}-", dir=log.parent))
            return self.enter_context(SqliteStore(Path(folder, log.name)))
        except StoreError as error:
            return _Unusable(error)
        except OSError as error:
            why = f"sync log {str(log)!r} can't be kept: {error.strerror}"
            return _Unusable(StoreError(f"{why}; make its folder, and let this user write to it"))


@frozen
class _Unusable:
    """A store that could not be opened."""

    error: StoreError

    def _refuse(self, *_: object) -> Any:
        raise self.error

    load = append = keys = drop = _refuse


@contextmanager
def connected(host: Host, make_store: Callable[[], SyncLogStore]) -> Generator[ContactSync]:
    """Hold both systems open while the block runs; sign out and close everything, whatever happens."""
    config = host.config
    credentials, shop = config.credentials(host.environ), config.storefront(host.environ)
    with ExitStack() as closing:
        store = make_store()
        if isinstance(store, SqliteStore):
            closing.enter_context(store)
        transport = HttpxTransport(closing.enter_context(_http()))
        erp_budget, shop_budget = config.budgets()
        erp = Acumatica(config.acumatica, credentials, transport, clock=host.clock, budget=erp_budget)
        yield ContactSync(
            erp=closing.enter_context(erp),
            storefront=BigCommerce(shop, transport, clock=host.clock, budget=shop_budget),
            store=store,
            policy=config.policy,
            listener=host.listener,
            clock=host.clock,
        )


def _http() -> httpx.Client:
    # each request's own deadline comes first; a proxy has no way to this machine's simulators
    return httpx.Client(timeout=60.0, mounts={"all://127.0.0.1": None, "all://localhost": None})
