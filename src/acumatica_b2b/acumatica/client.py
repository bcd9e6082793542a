"""The clients: flows bound to a transport, in threads or in tasks."""

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from attrs import define, field

from acumatica_b2b.acumatica import changes, reading, references
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import Credentials
from acumatica_b2b.acumatica.errors import told
from acumatica_b2b.acumatica.sign_in import SignIn, sign_out
from acumatica_b2b.flow import Outcome
from acumatica_b2b.http import AsyncBudget, AsyncTransport, Budget, Transport
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, Reference
from acumatica_b2b.protocols import AsyncClock, Clock, Cursor, Page, Query
from acumatica_b2b.quota import AsyncQuota, Quota
from acumatica_b2b.runtime import AsyncCaller, AsyncSystemClock, Caller, SystemClock


@define(eq=False)
class Acumatica:
    """One tenant over the contract-based REST API: an `Erp`.

    Signs in with the first request, signs out when it is closed, and takes one seat of the licence
    meanwhile. `parallel` requests go out at once. The transport belongs to the caller.

        with Acumatica(config, Password("sync", secret), HttpxTransport(client)) as erp:
            page = erp.read(Everything(), None)
    """

    config: AcumaticaConfig
    credentials: Credentials = field(repr=False)
    transport: Transport = field(repr=False)
    clock: Clock = field(factory=SystemClock, kw_only=True, repr=False)
    budget: Budget = field(factory=Quota, kw_only=True, repr=False)
    parallel: int = field(default=4, kw_only=True)
    _caller: Caller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        sign_in = SignIn(self.config, self.credentials)
        self._caller = Caller(
            self.transport, sign_in, clock=self.clock, parallel=self.parallel, budget=self.budget, told=told
        )

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations.

        Raises:
            ConfigurationError: a configured field came with no record of the page.
            RemoteError: the page could not be read.

        """
        return self._caller.call(changes.read(self.config, query, after))

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole; None is the ERP's own word that there is none."""
        return self._caller.call(reading.customers(self.config, ids))

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now; None proves that one is gone."""
        return self._caller.call(reading.contacts(self.config, ids))

    def write_references(self, references_: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else, and never make a record by it."""
        return self._caller.call(references.write_references(self.config, references_))

    def close(self) -> None:
        """Sign out, if signed in. What fails is left to the ERP, which ends an idle session itself."""
        session, self._caller.session = self._caller.session, None
        if session is not None:
            with suppress(Exception):  # nothing may hide the error that led here
                self._caller.call(sign_out(self.config, session))

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
    parallel: int = field(default=4, kw_only=True)
    _caller: AsyncCaller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        sign_in = SignIn(self.config, self.credentials)
        self._caller = AsyncCaller(
            self.transport, sign_in, clock=self.clock, parallel=self.parallel, budget=self.budget, told=told
        )

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations."""
        return await self._caller.call(changes.read(self.config, query, after))

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return await self._caller.call(reading.customers(self.config, ids))

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now."""
        return await self._caller.call(reading.contacts(self.config, ids))

    async def write_references(self, references_: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else."""
        return await self._caller.call(references.write_references(self.config, references_))

    async def close(self) -> None:
        """Sign out, if signed in."""
        session, self._caller.session = self._caller.session, None
        if session is not None:
            with suppress(Exception):  # nothing may hide the error that led here
                await self._caller.call(sign_out(self.config, session))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
