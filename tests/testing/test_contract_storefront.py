"""The storefronts that we have ourselves pass the contract that hosts run on theirs."""

import re
import sqlite3
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from attrs import define

from acumatica_b2b.actions import Action
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import CompanyID, HandOver
from acumatica_b2b.protocols import AsyncStorefront
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator, ExtraField
from acumatica_b2b.simulators.server import Server
from acumatica_b2b.testing import AsyncShopOf, MemoryShop
from acumatica_b2b.testing.contract import (
    AsyncStorefrontContract,
    BrokenContractError,
    ShopTraits,
    StorefrontContract,
    storefront_machine,
)
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.transports.httpx import HttpxTransport
from docs.examples.inhouse_shop import TABLES, InHouseShop
from tests.systems.conftest import Clock

pytest_plugins = ["pytester"]

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with an admin": {"admin_at_creation": True},
    "with an admin, external ids by updates": {
        "admin_at_creation": True,
        "keeps_external_id": False,
        "keeps_admin_external_id": False,
    },
    "watches over admins": {"strict": True},
    "atomic": {"hand_over": HandOver.ATOMIC},
    "atomic, watches": {"hand_over": HandOver.ATOMIC, "strict": True, "deactivates": True},
    "demote first": {"hand_over": HandOver.DEMOTE_FIRST, "strict": True, "admin_at_creation": True},
    "switches off": {"deactivates": True, "addresses": False},
    "fixed addresses": {"changes_email": False, "addresses": False},
}


class TestMemoryShop(StorefrontContract):
    """A shop in memory of every kind."""

    traits = ShopTraits(extra_field="Title")

    @pytest.fixture(params=[*KINDS], ids=str)
    def storefront(self, request: pytest.FixtureRequest) -> MemoryShop:
        """Return a shop of this kind."""
        self.shop_now = MemoryShop(**KINDS[request.param])
        return self.shop_now

    def tidy_up(self, companies: Sequence[CompanyID]) -> None:
        """Delete what was made: nothing else is there."""
        for company in companies:
            self.shop_now.delete_company(company)
        assert self.shop_now.snapshot() == {}


class TestAsyncMemoryShop(AsyncStorefrontContract):
    """The same, awaited."""

    @pytest.fixture
    def storefront(self) -> AsyncShopOf:
        """Return a shop."""
        return AsyncShopOf(MemoryShop(deactivates=True))


class HeedsCase(MemoryShop):
    """Finds an address only as it is written."""

    def find_users(self, emails: Sequence[str], /) -> Any:
        found = super().find_users(emails)
        return [o if email.islower() else Ok(None) for email, o in zip(emails, found, strict=True)]


class TestInHouseShop(StorefrontContract):
    """The example of the documentation."""

    traits = ShopTraits(primary_role="Primary Admin", user_role="Buyer", other_role="Guest")

    @pytest.fixture
    def storefront(self) -> Iterator[InHouseShop]:
        """Yield the example over two empty tables."""
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as db:
            db.row_factory = sqlite3.Row
            db.executescript(TABLES)
            yield InHouseShop(db)


# ------------------------------------------------------------------ BigCommerce
STORES: dict[str, dict[str, Any]] = {
    "drops ids, shuffles bulk answers": {
        "drops_uuid_on_create": True,
        "drops_uuid_on_bulk_update": True,
        "shuffle_bulk": True,
    },
    "all or none in bulk, several storefronts": {"bulk_atomic": True, "multi_storefront": True, "latest_first": True},
    "lists lag": {"listing_lag": 3.0},
}
DOCS = Path(__file__).parents[2] / "docs"
OVER_HTTP = ShopTraits(many=30, companies=11)
"""A page and what the client reads from whole lists, and no more."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each client the reading of certificates that nobody needs on loopback."""
NAMED = "Acumatica"
"""The unique extra field by which some stores keep the external id of a company."""


def store(clock: Clock, **switches: Any) -> BigCommerceSimulator:
    """Return a store whose limits are no hindrance."""
    shop = BigCommerceSimulator(now=clock.now, requests_per_minute=None, core_requests=None, **switches)
    shop.extra_fields["users"] = (ExtraField(name="Title"),)
    return shop


def settings_of(shop: BigCommerceSimulator, **settings: Any) -> BigCommerceConfig:
    """Return how such a store is reached, by small pages."""
    return BigCommerceConfig(store_hash=shop.store_hash, token=shop.token, page_size=25, **settings)


class TestBigCommerce(StorefrontContract):
    """The client over the simulated store, with each of its oddities."""

    clock = Clock()
    traits = ShopTraits(extra_field="Title", clock=clock, patience=10.0, pause=1.0)

    @pytest.fixture(params=[*STORES], ids=str)
    def storefront(self, request: pytest.FixtureRequest) -> BigCommerce:
        """Return a client of such a store."""
        shop = store(self.clock, **STORES[request.param])
        return BigCommerce(settings_of(shop), shop, clock=self.clock, parallel=1)


class TestBigCommerceWithoutPatience(StorefrontContract):
    """The client shows at once what it wrote, where lists do; it keeps external ids in an extra field."""

    @pytest.fixture
    def storefront(self) -> BigCommerce:
        """Return a client of such a store."""
        shop = store(Clock())
        shop.extra_fields["companies"] = (ExtraField(name=NAMED, unique=True),)
        return BigCommerce(settings_of(shop, company_id_field=NAMED), shop, clock=Clock(), parallel=1)


class TestBigCommerceOverHttp(StorefrontContract):
    """The same over real HTTP."""

    traits = OVER_HTTP

    @pytest.fixture
    def storefront(self) -> Iterator[BigCommerce]:
        """Yield a client of a store behind a server."""
        shop = store(Clock())
        with Server(shop) as server, httpx.Client(verify=NO_TLS) as client:
            config = settings_of(shop, url=f"{server.url}/api/v3/io", core_url=server.url)
            yield BigCommerce(config, HttpxTransport(client))


@define
class Awaited:
    """The store as an async transport."""

    shop: BigCommerceSimulator

    async def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        return self.shop.handle(request)


class TestAsyncBigCommerce(AsyncStorefrontContract):
    """The async client over the simulated store."""

    @pytest.fixture
    def storefront(self) -> AsyncBigCommerce:
        """Return a client of a store."""
        shop = store(Clock())
        return AsyncBigCommerce(settings_of(shop), Awaited(shop))

    async def close(self, storefront: AsyncStorefront) -> None:
        """See that the client is still of use in the loop of its calls."""
        assert await storefront.find_users(["nobody@contract.example"]) == (Ok(None),)


# ------------------------------------------------------------------ random steps
TestMemoryShopUnderRandomSteps = storefront_machine(MemoryShop)
TestAtomicShopUnderRandomSteps = storefront_machine(lambda: MemoryShop(hand_over=HandOver.ATOMIC, strict=True))
TestStrictShopUnderRandomSteps = storefront_machine(lambda: MemoryShop(hand_over=HandOver.DEMOTE_FIRST, strict=True))


def bigcommerce() -> BigCommerce:
    """Return a client of a store that answers bulk calls in an order of its own."""
    clock = Clock()
    shop = store(clock, shuffle_bulk=True)
    return BigCommerce(settings_of(shop), shop, clock=clock, parallel=1)


TestBigCommerceUnderRandomSteps = storefront_machine(bigcommerce, examples=8)


# ------------------------------------------------------------------ the contract itself
def test_every_kind_of_action_is_observed() -> None:
    """The contract performs and observes each kind of action there is, and does so first."""
    kinds = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in get_args(Action)}
    assert {f"test_performed_is_observed_{kind}" for kind in kinds} == {
        name for name in dir(StorefrontContract) if "performed_is_observed" in name
    }


def test_the_first_check_is_that_what_was_performed_is_observed(pytester: pytest.Pytester) -> None:
    """A host's class collects every check of the contract, that of what was performed before all others."""
    pytester.makepyfile(
        """
        import pytest
        from acumatica_b2b.testing import MemoryShop
        from acumatica_b2b.testing.contract import StorefrontContract

        class TestOurs(StorefrontContract):
            @pytest.fixture
            def storefront(self):
                return MemoryShop()
        """
    )
    run = pytester.runpytest("-v", "-p", "no:cacheprovider")
    names = [line.split("::")[2].split()[0] for line in run.outlines if "::test_" in line]
    assert len(names) == len([name for name in dir(StorefrontContract) if name.startswith("test_")])
    assert names[0] == "test_performed_is_observed_create_company"
    assert run.ret == 0


def test_a_failure_says_what_to_do() -> None:
    """A broken promise is told as what was done, what should have come, what came, what it does, and where to look."""
    with pytest.raises(BrokenContractError) as told:
        StorefrontContract().test_users_are_found_in_any_case(ShopBench(HeedsCase()))
    did, should, but, harm, look = str(told.value).splitlines()
    assert re.fullmatch(r"find_users with 'ANN\.[0-9A-F]{12}@CONTRACT\.EXAMPLE'", did)
    assert should.strip() == "it should: be seen as id '3'"
    assert but.strip() == "but:       it shows id 'missing'"
    assert harm.strip().startswith("therefore: the engine would think the address free")
    assert look.strip() == "look at:   find_users"


def test_the_page_is_true(pytester: pytest.Pytester) -> None:
    """The classes that the guide shows for a storefront and an ERP collect every check, and pass."""
    page = (DOCS / "contract.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    shown = [block for block in blocks if "StorefrontContract" in block or "ErpContract" in block]
    pytester.syspathinsert(DOCS / "examples")
    pytester.makepyfile(*shown)
    run = pytester.runpytest("-p", "no:cacheprovider")
    assert len(shown) == 2
    assert run.ret == 0
    assert run.parseoutcomes()["passed"] > 50
