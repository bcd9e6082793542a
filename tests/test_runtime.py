import asyncio
import inspect
from pathlib import Path

from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.protocols import (
    AsyncKnowsRoles,
    AsyncScrubs,
    KnowsRoles,
    KnowsShoppers,
    KnowsSuperAdmins,
    Surveys,
)
from acumatica_b2b.runtime import in_threads
from acumatica_b2b.simulators import BigCommerceSimulator
from acumatica_b2b.stores import MemoryStore, SqliteStore
from acumatica_b2b.testing import MemoryErp


def test_what_a_client_can_tell_shows_in_threads() -> None:
    """The async twin of a shop knows roles, shoppers and super admins as the shop does, and takes surveys."""
    config = BigCommerceConfig(store_hash="simulated", token="simulated-token")
    twin = in_threads(BigCommerce(config, BigCommerceSimulator()))
    for protocol in (KnowsRoles, KnowsShoppers, KnowsSuperAdmins, Surveys):
        assert isinstance(twin, protocol)
    for name in ("require_roles", "find_shoppers", "super_admins", "survey"):
        assert inspect.getattr_static(twin, name)  # as `isinstance` looks from Python 3.12 on
    assert isinstance(twin, AsyncKnowsRoles)
    asyncio.run(twin.require_roles(["Admin"]))


def test_a_store_that_scrubs_does_so_in_threads(tmp_path: Path) -> None:
    """The async twin of a store shows that it can scrub, if it can."""
    with SqliteStore(tmp_path / "log.sqlite") as store:
        twin = in_threads(store)
        assert isinstance(twin, AsyncScrubs)
        asyncio.run(twin.scrub())
    assert not isinstance(in_threads(MemoryStore()), AsyncScrubs)


def test_what_a_client_cannot_tell_does_not_show() -> None:
    """The async twin of an ERP does not seem to know roles."""
    assert not isinstance(in_threads(MemoryErp()), KnowsRoles)
