"""BigCommerce B2B Edition: a storefront over its REST Management API V3."""

from acumatica_b2b.lazily import lazily

__all__, __getattr__, __dir__ = lazily(  # pyright: ignore[reportUnsupportedDunderAll]  # it reads the stub
    __name__,
    {
        "client": "AsyncBigCommerce BigCommerce",
        "config": "BigCommerceConfig",
    },
)
