import asyncio
import inspect

from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.protocols import AsyncKnowsRoles, KnowsRoles, KnowsShoppers, KnowsSuperAdmins
from acumatica_b2b.runtime import in_threads
from acumatica_b2b.simulators import BigCommerceSimulator
from acumatica_b2b.testing import MemoryErp


def test_what_a_client_can_tell_shows_in_threads() -> None:
    """The async twin of a shop knows roles, shoppers and super admins as the shop does, in every Python."""
    config = BigCommerceConfig(store_hash="simulated", token="simulated-token")
    twin = in_threads(BigCommerce(config, BigCommerceSimulator()))
    for protocol in (KnowsRoles, KnowsShoppers, KnowsSuperAdmins):
        assert isinstance(twin, protocol)
    for name in ("require_roles", "find_shoppers", "super_admins"):
        assert inspect.getattr_static(twin, name)  # as `isinstance` looks from Python 3.12 on
    assert isinstance(twin, AsyncKnowsRoles)
    asyncio.run(twin.require_roles(["Admin"]))


def test_what_a_client_cannot_tell_does_not_show() -> None:
    """The async twin of an ERP does not seem to know roles."""
    assert not isinstance(in_threads(MemoryErp()), KnowsRoles)
