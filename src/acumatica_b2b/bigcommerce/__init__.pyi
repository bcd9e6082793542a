from acumatica_b2b.bigcommerce.client import AsyncBigCommerce, BigCommerce
from acumatica_b2b.bigcommerce.config import BigCommerceConfig

__all__ = ["AsyncBigCommerce", "BigCommerce", "BigCommerceConfig"]
