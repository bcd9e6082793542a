"""What a client of one store has to be told."""

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Headers, Retries


@frozen(kw_only=True)
class BigCommerceConfig:
    """One store of B2B Edition, and how its records are made.

    `token` is an API token with the scope "B2B Edition: modify", and "Customers: read-only" where
    shoppers are looked for. `company_id_field` names a unique extra field of companies that holds the
    external id: companies are then looked up by it, else by their `uuid`, for which the API has no
    filter. `channels` says which channel each site of the ERP is; `channel_ids` are for users without
    a site, and all where it is empty. A store of dependent companies gives each the price list
    `catalog_id`, one of independent companies the `customer_group_id`: None its default, 0 none.
    `deadline` is in seconds, for one request.

    Raises:
        ConfigurationError: a value that no store accepts.

    """

    store_hash: str
    token: str = field(repr=False)
    url: str = "https://api-b2b.bigcommerce.com/api/v3/io"
    core_url: str = "https://api.bigcommerce.com"
    channel_ids: tuple[int, ...] = (1,)
    channels: Mapping[str, int] = field(factory=dict[str, int], hash=False)
    catalog_id: int | None = None
    customer_group_id: int | None = None
    welcome_mail: bool = False
    company_id_field: str | None = None
    page_size: int = 200
    retries: Retries = field(factory=Retries)
    deadline: float = 30.0

    def __attrs_post_init__(self) -> None:
        for name, value in (("store_hash", self.store_hash), ("token", self.token)):
            if not value or not value.isascii() or not value.isprintable() or " " in value:
                message = f"{name} of BigCommerceConfig must be printable ASCII without spaces; copy it from the store"
                raise ConfigurationError(message)
        if not self.channel_ids:
            message = "channel_ids of BigCommerceConfig names no channel; a store with one storefront has channel 1"
            raise ConfigurationError(message)
        if self.catalog_id is not None and self.customer_group_id is not None:
            message = (
                "BigCommerceConfig has a catalog_id, for dependent companies, and a customer_group_id, for"
                " independent ones; keep the one of the store's behaviour"
            )
            raise ConfigurationError(message)
        # super admins stop at 200, users at 250; a page above its bound is answered with 413; pages overlap by a row
        if not 2 <= self.page_size <= 200:
            message = f"page_size of BigCommerceConfig is {self.page_size}; it may be 2 to 200"
            raise ConfigurationError(message)

    @property
    def headers(self) -> Headers:
        """The headers that sign every request to B2B Edition; the two belong together."""
        return (("X-Auth-Token", self.token), ("X-Store-Hash", self.store_hash), ("Accept", "application/json"))

    @property
    def core_headers(self) -> Headers:
        """The headers that sign a request to the store's core API."""
        return (("X-Auth-Token", self.token), ("Accept", "application/json"))

    @property
    def all_channels(self) -> tuple[int, ...]:
        """Every channel that some user may have: a company has to be on them all."""
        return tuple(dict.fromkeys((*self.channel_ids, *self.channels.values())))

    def channels_of(self, sites: Iterable[str]) -> tuple[int, ...]:
        """Return the channels of a user with these sites of the ERP; none where no site is one of `channels`."""
        named = tuple(sites)
        if not (self.channels and named):
            return self.channel_ids
        return tuple(dict.fromkeys(self.channels[site] for site in named if site in self.channels))
