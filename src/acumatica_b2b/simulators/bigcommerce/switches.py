"""Where real stores differ, or where nobody knows how they behave: a switch each."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from attrs import define

LimitHeaders: TypeAlias = Literal["always", "unless_refused", "never"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing(_: Mapping[str, Any]) -> str | None:
    return None


@define(kw_only=True, eq=False, repr=False)
class Switches:
    """How this store behaves; all may be set while it runs, save `multi_storefront` and `first_role_id`."""

    now: Callable[[], datetime] = _utc_now
    store_hash: str = "simulated"

    bulk_atomic: bool = False
    """One refused row of a bulk call refuses them all."""
    shuffle_bulk: bool = False
    """Bulk calls answer in another order than they were asked in: no row is in its place."""
    drops_uuid_on_create: bool = False
    """A company's `uuid` is stored by an update only."""
    drops_uuid_on_bulk_update: bool = False
    """Nor is it stored by a bulk update, whose documentation does not name it."""
    protects_last_admin: bool = False
    """The removal of a company's only admin is answered with 500, as until August 2025."""
    listing_lag: float = 0.0
    """Seconds until lists of companies, users and addresses show what was made, changed or removed.

    Reading by id shows it at once.
    """
    latest_first: bool = False
    """Users and addresses, too, are listed by their last change, latest first: every write shifts the pages."""

    refuses: Callable[[Mapping[str, Any]], str | None] = _nothing
    """What the store says to the body of a company, user or address that it won't make; None: it has no objection."""

    dependent: bool = False
    """Dependent Companies behaviour: a customer group for each company, and a price list to be named."""
    multi_storefront: bool = False
    """There are several channels, and a user has to name its own."""
    channels_refusal: int = 403
    """How a store with one storefront refuses `/channels`: documented as 403, seen as 422."""

    b2b_scope: bool = True
    """Whether the token has the scope "B2B Edition"."""
    customers_scope: bool = True
    """Whether the token has the scope "Customers", which the core API needs."""
    scope_refusal: int = 403
    """How the B2B API refuses a token without scope: seen as 401, 403 and 404."""

    requests_per_minute: int | None = 150
    core_requests: int | None = 150
    """Requests to the core API in 30 seconds; every shopper that the B2B API makes is one of them."""
    limit_headers: LimitHeaders = "always"
    """Which answers tell what is left of the limit."""

    first_role_id: int = 12793
    default_group: int = 304

    def time(self) -> datetime:
        """Return what the clock says."""
        return self.now()

    def lag(self) -> float:
        """Return by how many seconds lists are late."""
        return self.listing_lag
