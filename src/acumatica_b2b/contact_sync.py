"""`ContactSync` and `AsyncContactSync`: what most users meet."""

from collections.abc import Iterable
from typing import Any, TypeVar

from attrs import define, evolve, field

from acumatica_b2b import checking
from acumatica_b2b.check import CheckResult
from acumatica_b2b.customer_log import LogRow, customer_log
from acumatica_b2b.drivers import Listener, Parties, Tasks, Threads, nobody
from acumatica_b2b.effects import Chosen, Load, NewID, Source
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.mapping import CustomerMapping, map_customer
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import (
    AsyncClock,
    AsyncErp,
    AsyncStorefront,
    AsyncSyncLogStore,
    Clock,
    Erp,
    Everything,
    Storefront,
    SyncLogStore,
)
from acumatica_b2b.report import Plan, RunReport
from acumatica_b2b.run import plan_run, sync_changed, sync_run
from acumatica_b2b.runtime import AsyncSystemClock, SystemClock
from acumatica_b2b.synclog import read_body
from acumatica_b2b.terms import Terms, customer_key
from acumatica_b2b.whose import customers_of

T = TypeVar("T")


@define(kw_only=True)
class _Flows:
    """The flows behind both classes."""

    storefront: Any
    policy: SyncPolicy = field(factory=SyncPolicy)
    mapping: CustomerMapping = map_customer
    listener: Listener = nobody
    workers: int = 2
    wave: int = 200

    def __attrs_post_init__(self) -> None:
        for name, value in (("workers", self.workers), ("wave", self.wave)):
            if value < 1:
                message = f"{name} of {type(self).__name__} is {value}; it must be 1 or more"
                raise ConfigurationError(message)

    def _filled(self) -> checking.Fills:
        """Return which extra fields the mapping fills: ours none; what another one fills nobody knows."""
        return frozenset() if self.mapping is map_customer else None

    def _terms(self) -> Flow[Terms]:
        run = yield from ask(NewID())
        return Terms(policy=self.policy, capabilities=self.storefront.capabilities, mapping=self.mapping, run=run)

    def _planned(self, customers: Iterable[str] | None) -> Flow[Plan]:
        terms = yield from self._terms()
        return (yield from plan_run(_source(customers), terms, wave=self.wave))

    def _synced(self, source: Source) -> Flow[RunReport]:
        terms = yield from self._terms()
        return (yield from sync_run(source, terms, width=self.workers, wave=self.wave))

    def _applied(self, plan: Plan) -> Flow[RunReport]:
        terms = evolve((yield from self._terms()), expected={company.customer: company for company in plan.companies})
        source = Chosen(customers=tuple(company.customer for company in plan.companies))
        return (yield from sync_run(source, terms, width=self.workers, wave=self.wave))

    def _changed(self) -> Flow[RunReport]:
        terms = yield from self._terms()
        return (yield from sync_changed(terms, width=self.workers, wave=self.wave))

    def _logged(self, customer: str) -> Flow[tuple[LogRow, ...]]:
        commits = yield from ask(Load(customer_key(self.policy, CustomerID(customer))))
        return customer_log(read_body(commit.body) for commit in commits)


def _source(customers: Iterable[str] | None) -> Source:
    if customers is None:
        return Everything()
    return Chosen(customers=tuple(dict.fromkeys(CustomerID(customer) for customer in customers)))


@define(kw_only=True)
class ContactSync(_Flows):
    """Keeps the companies of one store in step with the customers of one tenant.

    Its clients, its store and its listener are used from `workers` threads at once.
    """

    erp: Erp
    storefront: Storefront
    store: SyncLogStore
    clock: Clock = field(factory=SystemClock)

    def plan(self, customers: Iterable[str] | None = None) -> Plan:
        """Return what `sync` would do for these customers, or for all; nothing is written."""
        return self._run(self._planned(customers))

    def apply(self, plan: Plan) -> RunReport:
        """Do what a plan says; a customer whose basis has changed since is left as it is, by name."""
        return self._run(self._applied(plan))

    def sync(self, customers: Iterable[str]) -> RunReport:
        """Bring the companies of these customers as near to them as may be."""
        return self._run(self._synced(_source(customers)))

    def sync_changed(self) -> RunReport:
        """Do the same for what changed since the last run, and for what it left open."""
        return self._run(self._changed())

    def sync_all(self) -> RunReport:
        """Do the same for every customer."""
        return self._run(self._synced(Everything()))

    def check(self) -> CheckResult:
        """Return what is right and wrong with the set-up; nothing is written to either system."""
        return checking.check(self.erp, self.storefront, self.store, self.policy, fills=self._filled())

    def log(self, customer: str) -> tuple[LogRow, ...]:
        """Return the Customer Log of one customer, oldest first."""
        return self._run(self._logged(customer))

    def customers_of(self, companies: Iterable[str]) -> tuple[CustomerID, ...]:
        """Return the customers whose companies these are, by the log; the shop's ids of others lead to nobody."""
        return self._run(customers_of(companies, self.policy))

    def _run(self, flow: Flow[T]) -> T:
        parties = Parties(
            erp=self.erp, storefront=self.storefront, store=self.store, clock=self.clock, listener=self.listener
        )
        return Threads(parties).run(flow)


@define(kw_only=True)
class AsyncContactSync(_Flows):
    """The same, awaited, over async clients and an async store. asyncio only."""

    erp: AsyncErp
    storefront: AsyncStorefront
    store: AsyncSyncLogStore
    clock: AsyncClock = field(factory=AsyncSystemClock)

    async def plan(self, customers: Iterable[str] | None = None) -> Plan:
        """Return what `sync` would do for these customers, or for all; nothing is written."""
        return await self._run(self._planned(customers))

    async def apply(self, plan: Plan) -> RunReport:
        """Do what a plan says; a customer whose basis has changed since is left as it is, by name."""
        return await self._run(self._applied(plan))

    async def sync(self, customers: Iterable[str]) -> RunReport:
        """Bring the companies of these customers as near to them as may be."""
        return await self._run(self._synced(_source(customers)))

    async def sync_changed(self) -> RunReport:
        """Do the same for what changed since the last run, and for what it left open."""
        return await self._run(self._changed())

    async def sync_all(self) -> RunReport:
        """Do the same for every customer."""
        return await self._run(self._synced(Everything()))

    async def check(self) -> CheckResult:
        """Return what is right and wrong with the set-up; nothing is written to either system."""
        return await checking.acheck(self.erp, self.storefront, self.store, self.policy, fills=self._filled())

    async def log(self, customer: str) -> tuple[LogRow, ...]:
        """Return the Customer Log of one customer, oldest first."""
        return await self._run(self._logged(customer))

    async def customers_of(self, companies: Iterable[str]) -> tuple[CustomerID, ...]:
        """Return the customers whose companies these are, by the log; the shop's ids of others lead to nobody."""
        return await self._run(customers_of(companies, self.policy))

    async def _run(self, flow: Flow[T]) -> T:
        parties = Parties(
            erp=self.erp, storefront=self.storefront, store=self.store, clock=self.clock, listener=self.listener
        )
        return await Tasks(parties).run(flow)
