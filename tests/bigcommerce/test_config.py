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
        {"page_size": 1},
        {"page_size": 201},
    ],
)
def test_impossible_values(fields: dict[str, Any]) -> None:
    """A value that no store accepts is refused by its name, before any request."""
    with pytest.raises(ConfigurationError, match=next(iter(fields))) as caught:
        config(**fields)
    assert "X-Other" not in str(caught.value)


@pytest.mark.parametrize("size", [2, 200])
def test_page_sizes(size: int) -> None:
    """Pages of 2 to 200 are accepted: they overlap by one row."""
    assert config(page_size=size).page_size == size


def test_channels_of_sites() -> None:
    """A user's channels are those of his sites; who has none, or a store without a table, has the default ones."""
    several = config(channel_ids=(1,), channels={"MAIN": 1, "SHOP": 7, "OUTLET": 7})
    assert several.channels_of(("OUTLET", "SHOP", "ELSEWHERE")) == (7,)
    assert several.channels_of(("SHOP", "MAIN")) == (7, 1)
    assert several.channels_of(()) == (1,)
    assert several.channels_of(("ELSEWHERE",)) == ()
    assert several.all_channels == (1, 7)
    assert config(channel_ids=(3,)).channels_of(("MAIN",)) == (3,)


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
