"""The physical bound: how many requests the two APIs cost whoever wastes none, for docs/performance.md.

It knows what the APIs allow, and nothing of the clients. Sign-in, sign-out and what is looked up once a
process (roles, states, custom fields) are not in it.
"""

from math import ceil
from typing import Final

from attrs import frozen

from tests.benchmarks.tenants import Size

A_MINUTE: Final = 150
"""Requests that each of the two systems grants."""
BULK: Final = 10
"""Records of one bulk call."""
SHOP_PAGE: Final = 200
CUSTOMERS_PAGE: Final = 200
"""Customers that are read together, so that their contacts and locations are read by their range."""
ERP_PAGE: Final = 500
KEYS_PAGE: Final = 2000
CHANGED: Final = 5
"""Requests to both systems for one changed contact, beyond those that find it."""


@frozen(kw_only=True)
class Bound:
    """Requests to each system."""

    shop: int
    erp: int

    @property
    def seconds(self) -> float:
        """How long the slower system's quota takes to grant them."""
        return max(self.shop, self.erp) / A_MINUTE * 60


def first_load(size: Size) -> Bound:
    """Return what an empty store and a full tenant cost.

    At the shop every record is made by a bulk call, whose answer does not tell whose id is whose: one full
    listing of all that was made does; and one page says before that there is nothing. At the ERP
    everything is read once, and every record gets its reference.
    """
    others = size.contacts - size.customers  # a company is made together with its first user
    made = sum(_pages(records, BULK) for records in (size.customers, others, size.locations))
    told = sum(_pages(records, SHOP_PAGE) for records in (size.customers, size.contacts, size.locations))
    read = _pages(size.customers, CUSTOMERS_PAGE) + _pages(size.contacts, ERP_PAGE) + _pages(size.locations, ERP_PAGE)
    return Bound(shop=1 + made + told, erp=read + size.records)


def unchanged(size: Size) -> Bound:
    """Return what it costs to see that nothing changed: three lists of changes, and the marks of all customers."""
    return Bound(shop=0, erp=3 + _pages(size.customers, KEYS_PAGE))


def changed(size: Size, contacts: int, *, hand_overs: int = 0) -> int:
    """Return what so many changed contacts may cost at both systems together; a hand-over is a write more."""
    more_pages = _pages(contacts, KEYS_PAGE) - 1
    return unchanged(size).erp + more_pages + CHANGED * contacts + hand_overs


def _pages(records: int, page: int) -> int:
    return ceil(records / page)
