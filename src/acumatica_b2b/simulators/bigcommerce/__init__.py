"""BigCommerce B2B Edition as one object that answers requests, with the store it keeps."""

from acumatica_b2b.simulators.bigcommerce.envelope import RefusedError
from acumatica_b2b.simulators.bigcommerce.records import (
    Channel,
    ExtraField,
    Order,
    Role,
    Shopper,
    StoredAddress,
    StoredCompany,
    StoredUser,
    SuperAdmin,
)
from acumatica_b2b.simulators.bigcommerce.simulator import BigCommerceSimulator

__all__ = [
    "BigCommerceSimulator",
    "Channel",
    "ExtraField",
    "Order",
    "RefusedError",
    "Role",
    "Shopper",
    "StoredAddress",
    "StoredCompany",
    "StoredUser",
    "SuperAdmin",
]
