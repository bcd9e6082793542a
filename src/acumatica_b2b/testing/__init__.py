"""For the tests of hosts: both systems in memory, and faults on cue.

`acumatica_b2b.testing.strategies` needs hypothesis, `acumatica_b2b.testing.contract` needs pytest as well; each
is imported by its own name.
"""

from acumatica_b2b.testing.awaited import AsyncErpOf, AsyncShopOf, AsyncStoreOf
from acumatica_b2b.testing.faults import Crash, Cue, Fault, Faults, Late, Script, at, randomly, whenever
from acumatica_b2b.testing.faulty import FaultyErp, FaultyShop, FaultyStore, FaultyTransport
from acumatica_b2b.testing.faulty_awaited import (
    AsyncFaultyErp,
    AsyncFaultyShop,
    AsyncFaultyStore,
    AsyncFaultyTransport,
)
from acumatica_b2b.testing.memory_erp import MemoryErp
from acumatica_b2b.testing.memory_shop import MemoryShop

__all__ = [
    "AsyncErpOf",
    "AsyncFaultyErp",
    "AsyncFaultyShop",
    "AsyncFaultyStore",
    "AsyncFaultyTransport",
    "AsyncShopOf",
    "AsyncStoreOf",
    "Crash",
    "Cue",
    "Fault",
    "Faults",
    "FaultyErp",
    "FaultyShop",
    "FaultyStore",
    "FaultyTransport",
    "Late",
    "MemoryErp",
    "MemoryShop",
    "Script",
    "at",
    "randomly",
    "whenever",
]
