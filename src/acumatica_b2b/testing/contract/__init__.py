"""Contracts: what the engine relies on, as tests that a host runs on clients of its own (extra `testing`)."""

from acumatica_b2b.testing.contract.bridge import PlainErpOf, PlainShopOf
from acumatica_b2b.testing.contract.broken import BrokenContractError
from acumatica_b2b.testing.contract.erp import AsyncErpContract, ErpContract
from acumatica_b2b.testing.contract.erp_bench import ErpTraits
from acumatica_b2b.testing.contract.shop_machine import StorefrontMachine, storefront_machine
from acumatica_b2b.testing.contract.shop_made import ShopTraits
from acumatica_b2b.testing.contract.storefront import AsyncStorefrontContract, StorefrontContract
from acumatica_b2b.testing.contract.tenant import Tenant

__all__ = [
    "AsyncErpContract",
    "AsyncStorefrontContract",
    "BrokenContractError",
    "ErpContract",
    "ErpTraits",
    "PlainErpOf",
    "PlainShopOf",
    "ShopTraits",
    "StorefrontContract",
    "StorefrontMachine",
    "Tenant",
    "storefront_machine",
]
