"""Both simulated systems with our clients between them, on one clock that only sleepers move."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from acumatica_b2b import ContactSync, Limits, RunReport, SyncPolicy
from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator
from acumatica_b2b.simulators.acumatica import ENABLED, AddressRow, ContactRow, CustomerRow
from acumatica_b2b.simulators.bigcommerce.records import ADMIN
from acumatica_b2b.stores import MemoryStore

ERP = AcumaticaConfig(
    url="https://erp.example/Live",
    tenant="Company",
    contact_opt_in=ENABLED,
    contact_reference="Contact.UsrKCReferenceID",
    customer_reference="BAccount.UsrKCReferenceID",
)
SHOP = BigCommerceConfig(store_hash="simulated", token="simulated-token")
HERE = AddressRow(line1="1 Main St", city="Austin", state="TX", postal_code="78701", country="US")
NO_LIMITS = Limits(removals=10_000, hand_overs=10_000, email_changes=10_000, adoptions=10_000, share_from=10_000)


@define
class Clock:
    """A clock that passes only when somebody sleeps."""

    time: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Let it pass at once."""
        self.time += timedelta(seconds=seconds)


@define(eq=False)
class Watched:
    """A way to the shop on which the shop is looked at after every single write."""

    shop: BigCommerceSimulator
    had_admin: set[int] = field(factory=set[int])
    writes: int = 0

    def send(self, request: Request, /) -> Response:
        """Return the shop's answer."""
        response = self.shop.send(request)
        if request.method != "GET":
            self.writes += 1
            self.check()
        return response

    def check(self) -> None:
        """Check what must hold at every instant."""
        users = self.shop.users.values()
        with_admin = {user.company_id for user in users if self.shop.role_of(user).legacy == ADMIN}
        assert self.had_admin & set(self.shop.companies) <= with_admin, "a company lost its last admin"
        self.had_admin |= with_admin
        external = [user.uuid for user in users if user.uuid]
        assert len(external) == len(set(external)), "two users are one contact's"
        emails = [user.email.lower() for user in users]
        assert len(emails) == len(set(emails)), "two users have one address"


@define(kw_only=True)
class Systems:
    """A tenant, a shop, a log, and what keeps them in step."""

    clock: Clock
    tenant: AcumaticaSimulator
    shop: BigCommerceSimulator
    erp: Acumatica
    way: Watched
    store: MemoryStore = field(factory=MemoryStore)
    policy: SyncPolicy = field(factory=lambda: SyncPolicy(limits=NO_LIMITS))

    def sync(self, *, changed: bool = False) -> RunReport:
        """Run over everything, or over what changed, with a client that remembers nothing."""
        storefront = BigCommerce(SHOP, self.way, clock=self.clock)
        sync = ContactSync(
            erp=self.erp, storefront=storefront, store=self.store, policy=self.policy, clock=self.clock, workers=1
        )
        return sync.sync_changed() if changed else sync.sync_all()

    # ---- what people do
    def customer(self, key: str, *names: str) -> list[int]:
        """Add a customer whose first contact is primary; return the ContactIDs."""
        self.tenant.put_customer(
            CustomerRow(
                id=key, name=f"{key} Inc", email=f"office@{key.lower()}.example", phone="555-0100", address=HERE
            )
        )
        ids = [self.contact(key, name) for name in names]
        self.tenant.set_primary(key, ids[0])
        return ids

    def contact(self, key: str, name: str, email: str = "") -> int:
        """Add a contact."""
        return self.tenant.put_contact(
            ContactRow(
                customer=key,
                first_name=name,
                last_name="Doe",
                email=email or f"{name.lower()}@mail.example",
                custom={ENABLED: True},
            )
        )

    def change(self, contact: int, **fields: Any) -> None:
        """Change a contact."""
        self.tenant.put_contact(evolve(self.tenant.contact(contact), **fields))

    # ---- what is there
    def people(self) -> dict[str, tuple[str, str, str]]:
        """Return company, address and role of everybody in the shop by first name."""
        return {
            user.first_name: (
                self.shop.companies[user.company_id].company_name,
                user.email.partition("@")[0],
                self.shop.role_of(user).name,
            )
            for user in self.shop.users.values()
        }

    def references(self) -> dict[str, object]:
        """Return the commerce reference ID of every contact by first name."""
        rows = self.tenant.snapshot().contacts
        return {row.first_name: row.custom.get("Contact.UsrKCReferenceID") for row in rows}


@pytest.fixture
def systems() -> Iterator[Systems]:
    """Two empty systems."""
    clock = Clock()
    tenant, shop = AcumaticaSimulator(now=clock.now), BigCommerceSimulator(now=clock.now)
    with Acumatica(ERP, Password("sync", "secret"), tenant, clock=clock) as erp:
        yield Systems(clock=clock, tenant=tenant, shop=shop, erp=erp, way=Watched(shop))
    assert tenant.open_sessions == 0
