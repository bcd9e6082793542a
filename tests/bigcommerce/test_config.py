from typing import Any

import pytest

from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Request, Response


def config(**fields: Any) -> BigCommerceConfig:
    """Return a configuration."""
    return BigCommerceConfig(**{"store_hash": "hash", "token": "secret-token", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"token": ""},
        {"token": "a b"},
        {"token": "a\r\nX-Other: 1"},
        {"token": "ü"},
        {"store_hash": ""},
        {"channel_ids": ()},
        {"page_size": 0},
        {"page_size": 201},
    ],
)
def test_impossible_values(fields: dict[str, Any]) -> None:
    """A value that no store accepts is refused by its name, before any request."""
    with pytest.raises(ConfigurationError, match=next(iter(fields))) as caught:
        config(**fields)
    assert "X-Other" not in str(caught.value)


@pytest.mark.parametrize("size", [1, 200])
def test_page_sizes(size: int) -> None:
    """Pages of 1 to 200 are accepted."""
    assert config(page_size=size).page_size == size


class Nowhere:
    """A transport that is never used."""

    def send(self, request: Request, /) -> Response:
        """Do nothing."""
        raise AssertionError(request)


class AsyncNowhere:
    """The same, awaited."""

    async def send(self, request: Request, /) -> Response:
        """Do nothing."""
        raise AssertionError(request)


def test_no_secret_shown() -> None:
    """The token shows in no repr."""
    shown = repr((config(), BigCommerce(config(), Nowhere()), AsyncBigCommerce(config(), AsyncNowhere())))
    assert "secret-token" not in shown
    assert "hash" in shown
