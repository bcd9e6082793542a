"""Awaited clients as plain ones, so that one set of checks serves both."""

from asyncio import Runner
from collections.abc import Callable, Coroutine, Sequence
from inspect import iscoroutine
from typing import Any, TypeVar

from attrs import frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.flow import Outcome
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
from acumatica_b2b.protocols import AsyncErp, AsyncStorefront, Cursor, Page, Query

T = TypeVar("T")


@frozen
class PlainShopOf:
    """An async storefront as a `Storefront`; each call runs to its end in the runner's loop."""

    shop: AsyncStorefront
    runner: Runner

    @property
    def capabilities(self) -> Capabilities:
        """What the shop can do."""
        return self.shop.capabilities

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        return self.runner.run(_awaited(self.shop.observe(companies)))

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address."""
        return self.runner.run(_awaited(self.shop.find_users(emails)))

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions."""
        return self.runner.run(_awaited(self.shop.perform(actions)))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self.shop, name)  # one of those that a shop may add, such as require_roles

        def call(*arguments: object) -> Any:
            answer = method(*arguments)
            return self.runner.run(answer) if iscoroutine(answer) else answer

        return call


@frozen
class PlainErpOf:
    """An async ERP as an `Erp`; each call runs to its end in the runner's loop."""

    erp: AsyncErp
    runner: Runner

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers."""
        return self.runner.run(_awaited(self.erp.read(query, after)))

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return self.runner.run(_awaited(self.erp.customers(ids)))

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts."""
        return self.runner.run(_awaited(self.erp.contacts(ids)))

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs."""
        return self.runner.run(_awaited(self.erp.write_references(references)))


async def _awaited(answer: Coroutine[Any, Any, T]) -> T:
    """Await it: what is no coroutine fails here, inside the client's own call."""
    return await answer
