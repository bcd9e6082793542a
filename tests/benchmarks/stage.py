"""Both simulated systems far away, with their quotas, on a clock that jumps; every request is counted."""

import asyncio
import re
from collections import Counter
from random import Random
from typing import Final

from attrs import define, field

from acumatica_b2b.acumatica import AcumaticaConfig
from acumatica_b2b.bigcommerce import BigCommerceConfig
from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator
from acumatica_b2b.simulators.acumatica import (
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
    AcumaticaSettings,
    Dataset,
    Licence,
)
from tests.benchmarks.bound import A_MINUTE
from tests.virtual_time import Answers, LoopClock

ERP_LATENCY: Final = 0.3
SHOP_LATENCY: Final = 0.4
LISTING_LAG: Final = 2.0
ERP: Final = AcumaticaConfig(
    url="https://erp.example/Live",
    tenant="Company",
    contact_opt_in=ENABLED,
    contact_reference=CONTACT_REFERENCE,
    customer_reference=CUSTOMER_REFERENCE,
    location_reference=LOCATION_REFERENCE,
)
SHOP: Final = BigCommerceConfig(store_hash="simulated", token="simulated-token")
ONCE: Final = ("/auth/", "/countries", "/states", "/roles", "/super-admins", "adHocSchema", "/channels")
"""What is asked once a process, wherever in a path."""


@define
class Delay:
    """What the ERP's licence holds the request back for that was just answered, in seconds."""

    seconds: float = 0.0

    def __call__(self, seconds: float, /) -> None:
        """Hear of it."""
        self.seconds = seconds


@define(eq=False)
class Way:
    """The way to a system: so many seconds, more or less by half, and what its licence adds; a transport.

    The system sees a request half-way.
    """

    system: Answers
    latency: float
    die: Random
    kinds: Counter[str] = field(factory=Counter[str])
    refused: int = 0
    delay: Delay = field(factory=Delay)

    async def send(self, request: Request, /) -> Response:
        """Return the answer."""
        half = self.latency * self.die.uniform(0.5, 1.5) / 2
        await asyncio.sleep(half)
        self.delay(0.0)
        response = self.system.send(request)
        self.kinds[_kind(request)] += 1
        self.refused += response.status == 429
        await asyncio.sleep(half + self.delay.seconds)
        return response

    @property
    def counted(self) -> int:
        """Requests, without those that are sent once a process."""
        return sum(number for kind, number in self.kinds.items() if not any(part in kind for part in ONCE))

    def forget(self) -> None:
        """Count from here on."""
        self.kinds.clear()
        self.refused = 0


def _kind(request: Request) -> str:
    """Return what a request does: `PUT /users/#`, `GET /users?minCreated`."""
    where, _, query = request.url.partition("?")
    path = re.sub(r".*/(?:io|[\d.]{8,}|entity)(?=/)", "", where)
    names = {pair.partition("=")[0] for pair in query.split("&")} & {"minCreated", "minModified", "companyId", "email"}
    return f"{request.method} {re.sub(r'(?<=/)[0-9]+', '#', path)}{'?' if names else ''}{'&'.join(sorted(names))}"


@define(eq=False)
class Stage:
    """A tenant, an empty shop, and the ways there."""

    die: Random
    clock: LoopClock
    tenant: AcumaticaSimulator
    shop: BigCommerceSimulator
    to_erp: Way
    to_shop: Way


def stage(rows: Dataset, seed: int, away: float | None = None) -> Stage:
    """Return a stage with a full tenant and an empty shop; both so many seconds away, if it is said."""
    die, clock = Random(seed), LoopClock()
    settings = AcumaticaSettings(licence=Licence(requests=A_MINUTE))
    delay = Delay()
    tenant = AcumaticaSimulator(now=clock.now, settings=settings, sleep=delay).load(rows)
    shop = BigCommerceSimulator(now=clock.now, requests_per_minute=A_MINUTE, listing_lag=LISTING_LAG)
    to_erp, to_shop = Way(tenant, away or ERP_LATENCY, die, delay=delay), Way(shop, away or SHOP_LATENCY, die)
    return Stage(die, clock, tenant, shop, to_erp, to_shop)
