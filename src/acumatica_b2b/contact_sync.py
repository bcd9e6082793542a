"""`ContactSync` and `AsyncContactSync`: what most users meet."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from attrs import define, evolve, field

from acumatica_b2b import checking
from acumatica_b2b.check import CheckResult
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.deciding import decide
from acumatica_b2b.decisions import Decision
from acumatica_b2b.drivers import Listener, Parties, Tasks, Threads, nobody
from acumatica_b2b.effects import Chosen, NewID, Now, Source
from acumatica_b2b.errors import ConfigurationError, StalePlanError
from acumatica_b2b.explaining import Explanation, explain
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.forgetting import Forgotten, forget
from acumatica_b2b.mapping import CustomerMapping, map_customer
from acumatica_b2b.model import ContactID, CustomerID
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
from acumatica_b2b.runlog import Approved
from acumatica_b2b.runs import recorded
from acumatica_b2b.runtime import AsyncSystemClock, SystemClock
from acumatica_b2b.saving import log_of
from acumatica_b2b.sealed import SealedPlan, seal
from acumatica_b2b.terms import Terms
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
    told: int = 100_000
    """So many steps and findings a report keeps one by one, however much was done; all are counted."""

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
        return Terms(
            policy=self.policy,
            capabilities=self.storefront.capabilities,
            mapping=self.mapping,
            run=run,
            told=self.told,
        )

    def _planned(self, customers: Iterable[str] | None) -> Flow[Plan]:
        terms = yield from self._terms()
        return (yield from plan_run(_source(customers), terms, wave=self.wave))

    def _synced(self, source: Source) -> Flow[RunReport]:
        terms = yield from self._terms()
        return (yield from sync_run(source, terms, width=self.workers, wave=self.wave))

    def _applied(self, plan: Plan | SealedPlan) -> Flow[RunReport]:
        expected = self._sealed(plan, (yield from ask(Now()))).expected
        terms = evolve((yield from self._terms()), expected=expected)
        source = Chosen(customers=tuple(expected))
        return (yield from sync_run(source, terms, width=self.workers, wave=self.wave))

    def _sealed(self, plan: Plan | SealedPlan, now: datetime) -> SealedPlan:
        sealed = plan if isinstance(plan, SealedPlan) else seal(plan, self.policy.store, now)
        if sealed.store != self.policy.store:
            message = f"the plan is for store {sealed.store!r}, and this is {self.policy.store!r}; plan again here"
            raise StalePlanError(message)
        return sealed

    def _approved(self, plan: Plan | SealedPlan, by: str) -> Flow[int]:
        terms, now = (yield from self._terms()), (yield from ask(Now()))
        names = tuple(sorted(self._sealed(plan, now).guarded))
        yield from recorded(terms, lambda _: [Approved(by=by, at=now, steps=names)] if names else [])
        return len(names)

    def _decided(self, customer: str, decision: Decision, by: str) -> Flow[None]:
        return (yield from decide(CustomerID(customer), decision, by, (yield from self._terms())))

    def _forgotten(self, contact: str) -> Flow[Forgotten]:
        return (yield from forget(ContactID(contact), (yield from self._terms())))

    def _explained(self, contact: str) -> Flow[Explanation]:
        return (yield from explain(ContactID(contact), (yield from self._terms())))

    def _changed(self) -> Flow[RunReport]:
        terms = yield from self._terms()
        return (yield from sync_changed(terms, width=self.workers, wave=self.wave))

    def _logged(self, customer: str) -> Flow[tuple[LogRow, ...]]:
        log = yield from log_of(CustomerID(customer), self.policy)
        return log.told()


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

    def apply(self, plan: Plan | SealedPlan) -> RunReport:
        """Do what a plan says, no more; a customer whose basis has changed since is left as it is, by name."""
        return self._run(self._applied(plan))

    def approve(self, plan: Plan | SealedPlan, *, by: str) -> int:
        """Let exactly these guarded steps go out, whatever the limits, for as long as the limits look back.

        Return how many there are. `by` says who it was, for the log.
        """
        return self._run(self._approved(plan, by))

    def decide(self, customer: str, decision: Decision, *, by: str) -> None:
        """Record what a person decided of a record of this customer; the next run acts on it.

        Raises:
            DecisionError: it does not fit what there is; nothing was recorded.

        """
        self._run(self._decided(customer, decision, by))

    def forget(self, contact: str) -> Forgotten:
        """Erase what the log knows of a contact that has no company user any more; every log is read.

        Raises:
            DecisionError: it has one still; nothing was erased.

        """
        return self._run(self._forgotten(contact))

    def explain(self, contact: str) -> Explanation:
        """Return what is known of one contact, what the next sync would do and why not more; nothing is written."""
        return self._run(self._explained(contact))

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

    async def apply(self, plan: Plan | SealedPlan) -> RunReport:
        """Do what a plan says, no more; a customer whose basis has changed since is left as it is, by name."""
        return await self._run(self._applied(plan))

    async def approve(self, plan: Plan | SealedPlan, *, by: str) -> int:
        """Let exactly these guarded steps go out, whatever the limits, for as long as the limits look back."""
        return await self._run(self._approved(plan, by))

    async def decide(self, customer: str, decision: Decision, *, by: str) -> None:
        """Record what a person decided of a record of this customer; the next run acts on it."""
        await self._run(self._decided(customer, decision, by))

    async def forget(self, contact: str) -> Forgotten:
        """Erase what the log knows of a contact that has no company user any more; every log is read."""
        return await self._run(self._forgotten(contact))

    async def explain(self, contact: str) -> Explanation:
        """Return what is known of one contact, what the next sync would do and why not more; nothing is written."""
        return await self._run(self._explained(contact))

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
