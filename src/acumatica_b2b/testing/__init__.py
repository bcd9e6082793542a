"""For the tests of hosts: both systems in memory, and faults on cue.

`acumatica_b2b.testing.strategies` needs hypothesis and is imported by its own name.
"""

from acumatica_b2b.testing.awaited import AsyncErpOf, AsyncShopOf
from acumatica_b2b.testing.faults import Crash, Fault, Faults, FaultyErp, FaultyShop, FaultyStore, at, whenever
from acumatica_b2b.testing.memory_erp import MemoryErp
from acumatica_b2b.testing.memory_shop import MemoryShop

__all__ = [
    "AsyncErpOf",
    "AsyncShopOf",
    "Crash",
    "Fault",
    "Faults",
    "FaultyErp",
    "FaultyShop",
    "FaultyStore",
    "MemoryErp",
    "MemoryShop",
    "at",
    "whenever",
]
