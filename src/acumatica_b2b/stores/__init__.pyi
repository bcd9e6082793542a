from acumatica_b2b.stores.memory import MemoryStore
from acumatica_b2b.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore"]
