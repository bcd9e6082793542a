"""An ERP, a storefront and a store in memory, awaited."""

from collections.abc import Sequence

from attrs import frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.flow import Ok, Outcome
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
    Commit,
    Cursor,
    Erp,
    KnowsRoles,
    KnowsShoppers,
    LogKey,
    Page,
    Query,
    Scrubs,
    Storefront,
    Surveys,
    SyncLogStore,
)


@frozen
class AsyncErpOf:
    """An ERP that answers at once, such as MemoryErp, as `AsyncErp`."""

    erp: Erp

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers."""
        return self.erp.read(query, after)

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return self.erp.customers(ids)

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts."""
        return self.erp.contacts(ids)

    async def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs."""
        return self.erp.write_references(references)


@frozen
class AsyncShopOf:
    """A storefront that answers at once, such as MemoryShop, as `AsyncStorefront`."""

    shop: Storefront

    @property
    def capabilities(self) -> Capabilities:
        """What the shop can do."""
        return self.shop.capabilities

    async def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        if isinstance(self.shop, KnowsRoles):
            self.shop.require_roles(names)

    async def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        return self.shop.observe(companies)

    async def survey(self, companies: int, /) -> None:
        """Read all companies at once, if the shop does."""
        if isinstance(self.shop, Surveys):
            self.shop.survey(companies)

    async def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address."""
        return self.shop.find_users(emails)

    async def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the shopper who has each address."""
        return self.shop.find_shoppers(emails) if isinstance(self.shop, KnowsShoppers) else [Ok(None) for _ in emails]

    async def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions."""
        return self.shop.perform(actions)


@frozen
class AsyncStoreOf:
    """A store that answers at once, such as MemoryStore, as `AsyncSyncLogStore`."""

    store: SyncLogStore

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version."""
        return self.store.load(keys)

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit whether it was stored."""
        return self.store.append(commits)

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`."""
        return self.store.keys(prefix, after, limit)

    async def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`."""
        self.store.drop(key, before)

    async def scrub(self) -> None:
        """Leave nothing of what was dropped, as far as the store can tell."""
        if isinstance(self.store, Scrubs):
            self.store.scrub()
