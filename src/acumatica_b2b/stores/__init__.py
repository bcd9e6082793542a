"""Where the sync log is kept: in memory, or in one SQLite file that needs no server."""

from acumatica_b2b.lazily import lazily

__all__, __getattr__, __dir__ = lazily(  # pyright: ignore[reportUnsupportedDunderAll]  # it reads the stub
    __name__,
    {
        "memory": "MemoryStore",
        "sqlite": "SqliteStore",
    },
)
