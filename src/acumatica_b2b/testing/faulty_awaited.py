"""The wrappers of `faulty`, awaited; scripts and faults are the same."""

from collections.abc import Sequence

from attrs import field, frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.flow import Ok, Outcome, value_of
from acumatica_b2b.http import AsyncTransport, Request, Response
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Reference,
    StorefrontID,
)
from acumatica_b2b.protocols import (
    AsyncErp,
    AsyncKnowsRoles,
    AsyncKnowsShoppers,
    AsyncKnowsSuperAdmins,
    AsyncScrubs,
    AsyncStorefront,
    AsyncSurveys,
    AsyncSyncLogStore,
    Commit,
    Cursor,
    LogKey,
    Page,
    Query,
)
from acumatica_b2b.testing.faults import Faults, Outcomes
from acumatica_b2b.testing.faulty import (
    CutPages,
    HttpAnswers,
    faults_of,
    half_company,
    half_customer,
    only,
    page_of,
    stored,
)


@frozen
class AsyncFaultyShop:
    """`FaultyShop`, awaited."""

    shop: AsyncStorefront
    faults: Faults = field(converter=faults_of)

    @property
    def capabilities(self) -> Capabilities:
        """What the storefront can do."""
        return self.shop.capabilities

    async def require_roles(self, names: Sequence[str], /) -> None:
        """Ask the storefront, if it knows its roles."""
        if isinstance(self.shop, AsyncKnowsRoles):
            await self.shop.require_roles(names)

    async def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies, or what the script makes of the questions."""

        async def do(ref: CompanyRef) -> Outcome[Company | None]:
            return only(await self.shop.observe([ref]))

        return await self.faults.aplay_all(companies, do, half_company)

    async def survey(self, companies: int, /) -> None:
        """Ask the storefront, if it takes surveys; what the script makes of it is raised."""
        if not isinstance(self.shop, AsyncSurveys):
            return
        shop = self.shop

        async def do(count: int) -> Outcome[None]:
            await shop.survey(count)
            return Ok(None)

        for outcome in await self.faults.aplay_all([companies], do):
            value_of(outcome)

    async def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return the holders, or what the script makes of the questions."""

        async def do(email: str) -> Outcome[CompanyUser | None]:
            return only(await self.shop.find_users([email]))

        return await self.faults.aplay_all(emails, do)

    async def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the shoppers, or what the script makes of the questions; a shop that can't tell has none."""
        if not isinstance(self.shop, AsyncKnowsShoppers):
            return [Ok(None) for _ in emails]
        shop = self.shop

        async def do(email: str) -> Outcome[str | None]:
            return only(await shop.find_shoppers([email]))

        return await self.faults.aplay_all(emails, do)

    async def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return who is above all companies, or what the script makes of the questions; where unknown, nobody."""
        if not isinstance(self.shop, AsyncKnowsSuperAdmins):
            return [Ok(value=False) for _ in emails]
        shop = self.shop

        async def do(email: str) -> Outcome[bool]:
            return only(await shop.super_admins([email]))

        return await self.faults.aplay_all(emails, do)

    async def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions, as far as the script lets them happen."""

        async def do(action: Action) -> Outcome[StorefrontID]:
            return only(await self.shop.perform([action]))

        return await self.faults.aplay_all(actions, do)


@frozen
class AsyncFaultyErp:
    """`FaultyErp`, awaited."""

    erp: AsyncErp
    faults: Faults = field(converter=faults_of)
    _cut: CutPages = field(factory=CutPages, init=False, repr=False, eq=False)

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page, or raise what the script makes of it."""
        rest = self._cut.rest.get(after)

        async def do() -> Outcome[Page[Customer]]:
            return Ok(rest or await self.erp.read(query, after))

        return page_of(await self.faults.aplay_by(Outcomes(self._cut.half), query, do))

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return the customers, or what the script makes of the questions."""

        async def do(key: CustomerID) -> Outcome[Customer | None]:
            return only(await self.erp.customers([key]))

        return await self.faults.aplay_all(ids, do, half_customer)

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return the contacts, or what the script makes of the questions."""

        async def do(key: ContactID) -> Outcome[Contact | None]:
            return only(await self.erp.contacts([key]))

        return await self.faults.aplay_all(ids, do)

    async def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write the references, as far as the script lets it happen."""

        async def do(reference: Reference) -> Outcome[None]:
            return only(await self.erp.write_references([reference]))

        return await self.faults.aplay_all(references, do)


@frozen
class AsyncFaultyStore:
    """`FaultyStore`, awaited."""

    store: AsyncSyncLogStore
    faults: Faults = field(converter=faults_of)

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return the commits of each key."""

        async def do(key: LogKey) -> Outcome[Sequence[Commit]]:
            return Ok(only(await self.store.load([key])))

        return stored(await self.faults.aplay_all(keys, do))

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store the commits one by one, as far as the script lets it happen."""

        async def do(commit: Commit) -> Outcome[bool]:
            return Ok(only(await self.store.append([commit])))

        return stored(await self.faults.aplay_all(commits, do))

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return the keys that begin with `prefix`."""

        async def do(_: str) -> Outcome[Sequence[LogKey]]:
            return Ok(await self.store.keys(prefix, after, limit))

        return [key for keys in stored(await self.faults.aplay_all([prefix], do)) for key in keys]

    async def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits."""

        async def do(_: LogKey) -> Outcome[None]:
            await self.store.drop(key, before)
            return Ok(None)

        stored(await self.faults.aplay_all([key], do))

    async def scrub(self) -> None:
        """Leave nothing of what was dropped, as far as the store can tell."""
        if isinstance(self.store, AsyncScrubs):
            await self.store.scrub()


@frozen
class AsyncFaultyTransport:
    """`FaultyTransport`, awaited."""

    transport: AsyncTransport
    faults: Faults = field(converter=faults_of)

    async def send(self, request: Request, /) -> Response:
        """Return the answer, or what the script makes of it."""
        return await self.faults.aplay_by(HttpAnswers(), request, lambda: self.transport.send(request))
