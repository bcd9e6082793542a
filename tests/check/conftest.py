"""A right set-up over both simulators, and what may be asked of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field, frozen

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.check import CheckResult
from acumatica_b2b.checking import acheck, check
from acumatica_b2b.http import Transport
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.runtime import in_threads
from acumatica_b2b.simulators import AcumaticaSettings, AcumaticaSimulator, BigCommerceSimulator, ExtraField, dataset
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
)
from acumatica_b2b.stores import MemoryStore

CUSTOMERS = dataset(4, seed=3)
SECRETS = ("hunter2-password", "hunter2-token", "wrong-password", "wrong-token")


@define
class Time:
    """A clock that who waits moves."""

    moment: datetime = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@frozen
class AsyncTime:
    """The same, awaited."""

    time: Time

    def now(self) -> datetime:
        """Return the moment."""
        return self.time.now()

    async def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        self.time.sleep(seconds)


@define
class Setup:
    """Both systems and how they are reached, all of it right until a test spoils something."""

    erp: AcumaticaSimulator
    shop: BigCommerceSimulator
    erp_config: AcumaticaConfig
    shop_config: BigCommerceConfig
    password: str = "hunter2-password"
    policy: SyncPolicy = field(factory=lambda: SyncPolicy(connection_types={"B2B"}))
    store: Any = field(factory=MemoryStore)
    fills: frozenset[str] | None = frozenset()
    to_erp: Callable[[AcumaticaSimulator], Transport] = lambda erp: erp

    def check(self) -> CheckResult:
        """Return what a check finds, signed out again afterwards."""
        time, credentials = Time(), Password("sync", self.password)
        shop = BigCommerce(self.shop_config, self.shop, clock=time)
        with Acumatica(self.erp_config, credentials, self.to_erp(self.erp), clock=time) as erp:
            return check(erp, shop, self.store, self.policy, fills=self.fills)

    async def acheck(self) -> CheckResult:
        """Return the same over async clients."""
        time, credentials = AsyncTime(Time()), Password("sync", self.password)
        shop = AsyncBigCommerce(self.shop_config, in_threads(self.shop), clock=time)
        transport = in_threads(self.to_erp(self.erp))
        async with AsyncAcumatica(self.erp_config, credentials, transport, clock=time) as erp:
            return await acheck(erp, shop, in_threads(self.store), self.policy, fills=self.fills)


def right() -> Setup:
    """Return a set-up in which nothing is wrong."""
    settings = AcumaticaSettings(username="sync", password="hunter2-password")
    shop = BigCommerceSimulator(token="hunter2-token", requests_per_minute=None)
    shop.define_extra_field("companies", ExtraField(name="ERP ID", unique=True))
    return Setup(
        AcumaticaSimulator(settings=settings).load(CUSTOMERS),
        shop,
        AcumaticaConfig(
            url="https://erp.example/Live",
            tenant="Company",
            contact_opt_in=ENABLED,
            connection_type=CONNECTION_TYPE,
            contact_reference=CONTACT_REFERENCE,
            customer_reference=CUSTOMER_REFERENCE,
            location_reference=LOCATION_REFERENCE,
        ),
        BigCommerceConfig(store_hash=shop.store_hash, token=shop.token, company_id_field="ERP ID"),
    )
