from collections.abc import Callable
from typing import Any

import pytest

from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.protocols import AsyncKnowsRoles, AsyncStorefront, KnowsRoles, Storefront
from tests.bigcommerce.conftest import ROLES, Shop, listed


def requiring(*names: str) -> Callable[[Any], Any]:
    """Return the act of requiring roles."""
    return lambda client: client.require_roles(names)


def test_roles_there(shop: Shop) -> None:
    """Roles that are there pass, read once by full pages."""
    shop.play(requiring("Admin", "Primary Admin"), requiring("Junior Buyer"), requiring())
    assert shop.routes() == ["GET companies/roles"]


def test_roles_on_the_second_page(shop: Shop) -> None:
    """All pages of roles are read."""
    second = listed(*ROLES[2:], total=4)
    shop.on("GET companies/roles", listed(*ROLES[:3], total=4), second, listed())
    shop.ask(requiring("Primary Admin"), page_size=3)
    assert len(shop.sent) == 3


def test_missing_role(shop: Shop) -> None:
    """A missing role is named together with those that the store has."""
    with pytest.raises(ConfigurationError, match=r"no role 'Owner'.*'Admin', 'Junior Buyer', 'Primary Admin'"):
        shop.ask(requiring("Owner"))


def test_no_roles_at_all(shop: Shop) -> None:
    """A store without roles says so."""
    shop.on("GET companies/roles", listed())
    with pytest.raises(ConfigurationError, match="none"):
        shop.ask(requiring("Admin"))


def test_ambiguous_role(shop: Shop) -> None:
    """Two roles of one name are named by their ids."""
    shop.on("GET companies/roles", listed(*ROLES, {"id": 7, "name": "Admin", "roleType": 2}))
    with pytest.raises(ConfigurationError, match=r"2 roles 'Admin' \(ids 12793, 7\)"):
        shop.ask(requiring("Admin"))


def test_new_role(shop: Shop) -> None:
    """A role made after the first reading is found by a second."""
    shop.on("GET companies/roles", listed(*ROLES), listed(*ROLES, {"id": 7, "name": "Owner", "roleType": 2}))
    shop.play(requiring("Admin"), requiring("Owner"))
    assert len(shop.sent) == 2


def test_case_of_a_role(shop: Shop) -> None:
    """Names of roles are compared exactly."""
    with pytest.raises(ConfigurationError):
        shop.ask(requiring("admin"))


def test_protocols(shop: Shop) -> None:
    """Both clients are storefronts that know their roles."""

    def fits(client: Any) -> Any:
        assert isinstance(client, KnowsRoles)
        assert isinstance(client, AsyncKnowsRoles)
        return client.capabilities

    capabilities = shop.ask(fits)
    assert capabilities.admin_at_creation
    assert capabilities.hand_over.value == "promote-first"


def test_static_protocols() -> None:
    """The type checkers hold both clients against the protocols."""
    sync: type[Storefront] = BigCommerce
    twin: type[AsyncStorefront] = AsyncBigCommerce
    assert (sync, twin) == (BigCommerce, AsyncBigCommerce)
