"""What a client of one store has to be told."""

from attrs import field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Headers, Retries


@frozen(kw_only=True)
class BigCommerceConfig:
    """One store of B2B Edition, and how its records are made.

    `token` is an API token with the scope "B2B Edition: modify". `company_id_field` names a unique
    extra field of companies that holds the external id: companies are then looked up by it, else by
    their `uuid`, for which the API has no filter. `deadline` is in seconds, for one request.

    Raises:
        ConfigurationError: a value that no store accepts.

    """

    store_hash: str
    token: str = field(repr=False)
    url: str = "https://api-b2b.bigcommerce.com/api/v3/io"
    channel_ids: tuple[int, ...] = (1,)
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
        # super admins stop at 200, users at 250; a page above its bound is answered with 413
        if not 1 <= self.page_size <= 200:
            message = f"page_size of BigCommerceConfig is {self.page_size}; the API takes 1 to 200"
            raise ConfigurationError(message)

    @property
    def headers(self) -> Headers:
        """The headers that sign every request; the two belong together."""
        return (("X-Auth-Token", self.token), ("X-Store-Hash", self.store_hash), ("Accept", "application/json"))
