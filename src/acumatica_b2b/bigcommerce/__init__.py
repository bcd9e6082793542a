"""BigCommerce B2B Edition: a storefront over its REST Management API V3."""

from acumatica_b2b.bigcommerce.client import AsyncBigCommerce, BigCommerce
from acumatica_b2b.bigcommerce.config import BigCommerceConfig

__all__ = ["AsyncBigCommerce", "BigCommerce", "BigCommerceConfig"]
