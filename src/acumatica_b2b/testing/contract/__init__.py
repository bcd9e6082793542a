"""Contracts: what the engine relies on, as tests that a host runs on clients of its own (extra `testing`).

Each is a class to be subclassed in a test, and for storefronts, ERPs and stores there is a state machine
of hypothesis besides.
"""

from acumatica_b2b.testing.contract.bridge import PlainErpOf, PlainShopOf
from acumatica_b2b.testing.contract.broken import BrokenContractError
from acumatica_b2b.testing.contract.erp import AsyncErpContract, ErpContract
from acumatica_b2b.testing.contract.erp_bench import ErpTraits
from acumatica_b2b.testing.contract.erp_machine import ErpMachine, erp_machine
from acumatica_b2b.testing.contract.shop_machine import StorefrontMachine, storefront_machine
from acumatica_b2b.testing.contract.shop_made import ShopTraits
from acumatica_b2b.testing.contract.store import AsyncStoreContract, StoreContract
from acumatica_b2b.testing.contract.store_bench import PlainStoreOf
from acumatica_b2b.testing.contract.store_machine import StoreMachine, store_machine
from acumatica_b2b.testing.contract.storefront import AsyncStorefrontContract, StorefrontContract
from acumatica_b2b.testing.contract.tenant import Tenant
from acumatica_b2b.testing.contract.transport import AsyncTransportContract, TransportContract

__all__ = [
    "AsyncErpContract",
    "AsyncStoreContract",
    "AsyncStorefrontContract",
    "AsyncTransportContract",
    "BrokenContractError",
    "ErpContract",
    "ErpMachine",
    "ErpTraits",
    "PlainErpOf",
    "PlainShopOf",
    "PlainStoreOf",
    "ShopTraits",
    "StoreContract",
    "StoreMachine",
    "StorefrontContract",
    "StorefrontMachine",
    "Tenant",
    "TransportContract",
    "erp_machine",
    "store_machine",
    "storefront_machine",
]
