"""The two clients: the same flows, bound to a transport of the caller's."""

from collections.abc import Sequence
from functools import partial

from attrs import define, field

from acumatica_b2b.actions import Action
from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.checking import check
from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.creating import BULK
from acumatica_b2b.bigcommerce.errors import told
from acumatica_b2b.bigcommerce.observing import observe
from acumatica_b2b.bigcommerce.outsiders import find_shoppers, super_admins
from acumatica_b2b.bigcommerce.performing import perform
from acumatica_b2b.bigcommerce.roles import require
from acumatica_b2b.bigcommerce.searching import find_users
from acumatica_b2b.bigcommerce.surveying import survey
from acumatica_b2b.check import Check, Needs
from acumatica_b2b.flow import Flow, Outcome
from acumatica_b2b.http import AsyncBudget, AsyncTransport, Budget, Session, Transport
from acumatica_b2b.model import Capabilities, Company, CompanyRef, CompanyUser, HandOver, StorefrontID
from acumatica_b2b.protocols import AsyncClock, Clock
from acumatica_b2b.quota import AsyncQuota, Quota
from acumatica_b2b.runtime import AsyncCaller, AsyncSystemClock, Caller, SystemClock

# admins may be any number, and the API would let one delete them all: we never leave a company without
_CAPABILITIES = Capabilities(
    hand_over=HandOver.PROMOTE_FIRST,
    admin_at_creation=True,
    admin_role="Admin",
    addresses=True,
    deactivates_companies=True,
    bulk=BULK,
)


def _quota() -> Quota:
    # 150 a minute of one store, which all its integrations share; its headers tell what is left
    return Quota(requests=150, keep=3)


def _core_quota() -> Quota:
    # 150 in 30 seconds on the smallest plan; its headers tell where there are more
    return Quota(requests=150, window=30.0, keep=3)


def _no_sign_in() -> Flow[Session]:
    yield from ()  # the token goes with each request
    return Session()


@define
class BigCommerce:
    """B2B Edition of one BigCommerce store, as a `Storefront` that knows its roles, super admins and shoppers.

    Roles, super admins, names of states and countries, and which company holds which external id are
    read once and remembered; a miss is looked up again. `forget()` drops them, say between two runs.
    `budget` is for B2B Edition, `core_budget` for the store's core API, which has a quota of its own.

    Example::

        shop = BigCommerce(BigCommerceConfig(store_hash="abc", token=token), transport)
        shop.require_roles(["Admin", "Junior Buyer"])

    """

    config: BigCommerceConfig
    transport: Transport = field(repr=False)
    clock: Clock = field(factory=SystemClock, kw_only=True, repr=False)
    budget: Budget = field(factory=_quota, kw_only=True, repr=False)
    core_budget: Budget = field(factory=_core_quota, kw_only=True, repr=False)
    parallel: int = field(default=16, kw_only=True)
    _api: Api = field(init=False, repr=False)
    _caller: Caller = field(init=False, repr=False)
    _core: Caller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._api = Api(self.config)
        bind = partial(Caller, self.transport, _no_sign_in, clock=self.clock, parallel=self.parallel, told=told)
        self._caller, self._core = bind(budget=self.budget), bind(budget=self.core_budget)

    @property
    def capabilities(self) -> Capabilities:
        """What the engine may ask of it."""
        return _CAPABILITIES

    def survey(self, companies: int, /) -> None:
        """Read all companies where that takes fewer requests than so many one by one; 0: let go what was read."""
        self._caller.call(survey(self._api, companies))

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now, with users and addresses; None: there is none."""
        return self._caller.call(observe(self._api, companies))

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address in the whole store; super admins are never shown."""
        return self._caller.call(find_users(self._api, emails))

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do independent steps; return for each the id of the record it made or changed."""
        return self._caller.call(perform(self._api, actions))

    def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        self._caller.call(require(self._api, names))

    def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return for each address whether it is a super admin's, who can't become a company user."""
        return self._caller.call(super_admins(self._api, emails))

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the store's customer with each address, company users among them; None: nobody."""
        return self._core.call(find_shoppers(self._api, emails))

    def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at of the set-up; what is wrong is a value, and nothing is written."""
        return self._caller.call(check(self.config, needs))

    def forget(self) -> None:
        """Read anew what is remembered, when it is next needed."""
        self._api.known.forget()


@define
class AsyncBigCommerce:
    """`BigCommerce`, awaited."""

    config: BigCommerceConfig
    transport: AsyncTransport = field(repr=False)
    clock: AsyncClock = field(factory=AsyncSystemClock, kw_only=True, repr=False)
    budget: AsyncBudget = field(factory=lambda: AsyncQuota(_quota()), kw_only=True, repr=False)
    core_budget: AsyncBudget = field(factory=lambda: AsyncQuota(_core_quota()), kw_only=True, repr=False)
    parallel: int = field(default=16, kw_only=True)
    _api: Api = field(init=False, repr=False)
    _caller: AsyncCaller = field(init=False, repr=False)
    _core: AsyncCaller = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._api = Api(self.config)
        bind = partial(AsyncCaller, self.transport, _no_sign_in, clock=self.clock, parallel=self.parallel, told=told)
        self._caller, self._core = bind(budget=self.budget), bind(budget=self.core_budget)

    @property
    def capabilities(self) -> Capabilities:
        """What the engine may ask of it."""
        return _CAPABILITIES

    async def survey(self, companies: int, /) -> None:
        """Read all companies where that takes fewer requests than so many one by one; 0: let go what was read."""
        await self._caller.call(survey(self._api, companies))

    async def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now, with users and addresses; None: there is none."""
        return await self._caller.call(observe(self._api, companies))

    async def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address in the whole store; super admins are never shown."""
        return await self._caller.call(find_users(self._api, emails))

    async def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do independent steps; return for each the id of the record it made or changed."""
        return await self._caller.call(perform(self._api, actions))

    async def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        await self._caller.call(require(self._api, names))

    async def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return for each address whether it is a super admin's, who can't become a company user."""
        return await self._caller.call(super_admins(self._api, emails))

    async def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the store's customer with each address, company users among them; None: nobody."""
        return await self._core.call(find_shoppers(self._api, emails))

    async def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at of the set-up; what is wrong is a value, and nothing is written."""
        return await self._caller.call(check(self.config, needs))

    def forget(self) -> None:
        """Read anew what is remembered, when it is next needed."""
        self._api.known.forget()
