"""The clients: flows bound to a transport, in threads or in tasks."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from attrs import define, field

from acumatica_b2b.acumatica import changes, checking, reading, references
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import Credentials
from acumatica_b2b.acumatica.errors import told
from acumatica_b2b.acumatica.sign_in import SignIn
from acumatica_b2b.check import Check, Needs
from acumatica_b2b.flow import Flow, Outcome
from acumatica_b2b.http import AsyncBudget, AsyncTransport, Budget, Transport
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, Reference, Undecoded
from acumatica_b2b.protocols import AsyncClock, Clock, Cursor, Page, Query
from acumatica_b2b.quota import AsyncQuota, Quota
from acumatica_b2b.runtime import AsyncCaller, AsyncSystemClock, Caller, SystemClock

T = TypeVar("T")


@define(eq=False)
class Acumatica:
    """One tenant over the contract-based REST API: an `Erp`.

    Signs in with the first request, signs out when it is closed, and takes one seat of the licence
    meanwhile; used again after that, it signs in again. So many requests go out at once as the answers' times
    suggest, and never more than `parallel`. The transport belongs to the caller.

        with Acumatica(config, Password("sync", secret), HttpxTransport(client)) as erp:
            page = erp.read(Everything(), None)
    """

    config: AcumaticaConfig
    credentials: Credentials = field(repr=False)
    transport: Transport = field(repr=False)
    clock: Clock = field(factory=SystemClock, kw_only=True, repr=False)
    budget: Budget = field(factory=Quota, kw_only=True, repr=False)
    parallel: int = field(default=16, kw_only=True)
    _sign_in: SignIn = field(init=False, repr=False)
    _caller: Caller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._sign_in = SignIn(self.config, self.credentials, self.clock.now)
        self._caller = Caller(
            self.transport, self._sign_in, clock=self.clock, parallel=self.parallel, budget=self.budget, told=told
        )

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations.

        Raises:
            ConfigurationError: a configured field came with no record of the page.
            RemoteError: the page could not be read.

        """
        return self._within(lambda config: changes.read(config, query, after, now=self.clock.now()))

    def read_undecoded(self, query: Query, after: Cursor | None, /) -> Page[Customer | Undecoded]:
        """Return the same as `read`, of what changed as it came: most of it is known, and need not be decoded."""
        return self._within(lambda config: changes.read_undecoded(config, query, after, now=self.clock.now()))

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole; None is the ERP's own word that there is none."""
        return self._within(lambda config: reading.customers(config, ids))

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now; None proves that one is gone."""
        return self._within(lambda config: reading.contacts(config, ids))

    def write_references(self, references_: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else, and never make a record by it."""
        return self._within(lambda config: references.write_references(config, references_))

    def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at of the set-up; what is wrong is a value, and nothing is written."""
        return self._caller.call(checking.check(self.config, needs))

    def close(self) -> None:
        """Sign out, if signed in. What fails is left to the ERP, which ends an idle session itself."""
        try:
            self._caller.call(self._sign_in.leave())
        except BaseException:
            # Who interrupts the sign-out has it sent once more: else the seat is taken for ten minutes.
            self._caller.call(self._sign_in.leave())
            raise
        finally:
            self._caller.session = None

    def _within(self, flow: Callable[[AcumaticaConfig], Flow[T]]) -> T:
        return self._caller.call(self._sign_in.within(flow))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@define(eq=False)
class AsyncAcumatica:
    """The same in tasks: an `AsyncErp`."""

    config: AcumaticaConfig
    credentials: Credentials = field(repr=False)
    transport: AsyncTransport = field(repr=False)
    clock: AsyncClock = field(factory=AsyncSystemClock, kw_only=True, repr=False)
    budget: AsyncBudget = field(factory=AsyncQuota, kw_only=True, repr=False)
    parallel: int = field(default=16, kw_only=True)
    _sign_in: SignIn = field(init=False, repr=False)
    _caller: AsyncCaller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._sign_in = SignIn(self.config, self.credentials, self.clock.now)
        self._caller = AsyncCaller(
            self.transport, self._sign_in, clock=self.clock, parallel=self.parallel, budget=self.budget, told=told
        )

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations."""
        return await self._within(lambda config: changes.read(config, query, after, now=self.clock.now()))

    async def read_undecoded(self, query: Query, after: Cursor | None, /) -> Page[Customer | Undecoded]:
        """Return the same as `read`, of what changed as it came."""
        return await self._within(lambda config: changes.read_undecoded(config, query, after, now=self.clock.now()))

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return await self._within(lambda config: reading.customers(config, ids))

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now."""
        return await self._within(lambda config: reading.contacts(config, ids))

    async def write_references(self, references_: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else."""
        return await self._within(lambda config: references.write_references(config, references_))

    async def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at of the set-up."""
        return await self._caller.call(checking.check(self.config, needs))

    async def close(self) -> None:
        """Sign out, if signed in: also while the task is being cancelled."""
        try:
            await self._caller.call(self._sign_in.leave())
        except BaseException:
            await self._caller.call(self._sign_in.leave())
            raise
        finally:
            self._caller.session = None

    async def _within(self, flow: Callable[[AcumaticaConfig], Flow[T]]) -> T:
        return await self._caller.call(self._sign_in.within(flow))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
