"""Finding users by their address."""

from collections.abc import Callable
from typing import Any

import pytest

from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from tests.bigcommerce.conftest import Shop, listed, refused, user_row


def finding(*emails: str) -> Callable[[Any], Any]:
    """Return the act of looking for addresses."""
    return lambda client: client.find_users(emails)


def test_find_users(shop: Shop) -> None:
    """Who holds an address is told, compared without case; nobody is None; nothing is asked for none."""

    def users(request: Request) -> Response:
        return listed(user_row(1, email="Ann@Example.com ")) if "ann%40" in request.url else listed()

    shop.on("GET users", users)
    found = shop.ask(finding("ann@example.com", "bob@example.com", " ", "ann@example.com"))
    assert [outcome.value and outcome.value.id for outcome in found] == ["1", None, None, "1"]
    assert shop.routes() == ["GET users", "GET users", "GET companies/roles"]


def test_find_near_address(shop: Shop) -> None:
    """An answer with another address is not believed."""
    shop.on("GET users", listed(user_row(1, email="joann@example.com")))
    assert shop.ask(finding("ann@example.com")) == (Ok(None),)


def test_find_many(shop: Shop) -> None:
    """Many addresses are looked for in one list of all users."""
    shop.on("GET users", listed(user_row(1, email="U3@example.com")))
    found = shop.ask(finding(*(f"u{i}@example.com" for i in range(10))))
    assert [outcome.value is not None for outcome in found] == [i == 3 for i in range(10)]
    assert len(shop.sent) == 3


def test_find_many_in_an_empty_store(shop: Shop) -> None:
    """A store without users is asked for many addresses twice, not once for each."""
    shop.on("GET users", listed())
    assert shop.ask(finding(*(f"u{i}@example.com" for i in range(50)))) == (Ok(None),) * 50
    assert len(shop.sent) == 2


@pytest.mark.parametrize("users", [listed(total=9000), listed(user_row(1), total=2)])
def test_find_many_singly(shop: Shop, users: Response) -> None:
    """Where the list of all users is too long or unproven, each address is asked for."""
    shop.on("GET users", lambda request: listed() if "email=" in request.url else users)
    assert shop.ask(finding(*(f"u{i}@example.com" for i in range(10)))) == (Ok(None),) * 10
    assert sum("email" in query for query in shop.queries("GET users")) == 10
    assert len(shop.sent) < 10 + 4


def test_find_refused(shop: Shop) -> None:
    """A refused look-up is that address's outcome; unreadable roles are each holder's."""
    shop.on("GET users", refused("Enter a valid email address."), listed(user_row(1, email="b@x.de")))
    shop.on("GET companies/roles", refused("no"))
    first, second = shop.ask(finding("a@x", "b@x.de"))
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
