from collections.abc import Callable

import pytest

from acumatica_b2b.http import Request
from tests.simulators.bigcommerce.conftest import Api, user_body

URL = "https://shop.example/stores/simulated/v3/customers"


class TestCustomersOfTheShop:
    def test_by_address(self, api: Api) -> None:
        """The core API finds customers by several addresses at once, whatever their case, company users and others."""
        user = api.user(api.company(email="ada@a.example"), "Max+1@a.example")
        shopper = api.shop.add_shopper("sue@home.example")
        reply = api.core("GET", "/customers", **{"email:in": "MAX+1@a.example,sue@home.example,no@home.example"})
        found = {row["email"]: row["id"] for row in reply.data}
        assert found == {"Max+1@a.example": api.shop.users[user].customer_id, "sue@home.example": shopper}
        assert reply.body["meta"]["pagination"] == {
            "total": 2,
            "count": 2,
            "per_page": 50,
            "current_page": 1,
            "total_pages": 1,
        }

    def test_by_id_and_group(self, api: Api) -> None:
        """It finds them by ids and by customer group as well."""
        shopper = api.shop.add_shopper("sue@home.example")
        customer = api.shop.users[api.user(api.company(), "max@a.example")].customer_id
        assert [row["id"] for row in api.core("GET", "/customers", **{"id:in": f"{shopper},9"}).data] == [shopper]
        grouped = api.core("GET", "/customers", **{"customer_group_id:in": "304"}).data
        assert customer in {row["id"] for row in grouped}
        assert shopper not in {row["id"] for row in grouped}

    def test_pages(self, api: Api) -> None:
        """Its pages are numbered from 1 and hold up to 250."""
        ids = [api.shop.add_shopper(f"s{number}@home.example") for number in range(5)]
        assert [row["id"] for row in api.core("GET", "/customers", limit=2, page=3).data] == ids[4:]
        assert api.core("GET", "/customers", limit=251).status == 422

    def test_names_follow_the_user(self, api: Api) -> None:
        """A company user's name is the customer's too, since B2B Edition's record wins."""
        company = api.company()
        api.shop.add_shopper("max@a.example")
        user = api.user(company, "max@a.example", firstName="Max")
        api("PUT", f"/users/{user}", {"firstName": "Moritz"})
        (row,) = api.core("GET", "/customers", **{"email:in": "max@a.example"}).data
        assert (row["first_name"], row["last_name"], row["company"]) == ("Moritz", "Born", "Aero")

    def test_writing(self, api: Api) -> None:
        """Customers are made and changed ten at a time; taken addresses and unknown ids are refused by field."""
        row = {"email": "sue@home.example", "first_name": "Sue", "last_name": "Li"}
        (made,) = api.core("POST", "/customers", [row]).data
        refused = api.core("POST", "/customers", [row])
        assert (refused.status, list(refused.body["errors"])) == (422, ["0.email"])
        (changed,) = api.core("PUT", "/customers", [{"id": made["id"], "customer_group_id": 304}]).data
        assert (changed["customer_group_id"], changed["email"]) == (304, "sue@home.example")
        assert list(api.core("PUT", "/customers", [{"id": 7}]).body["errors"]) == ["0.id"]
        assert api.core("POST", "/customers", [row] * 11).status == 413
        assert api.core("POST", "/customers", ["sue"]).status == 422

    @pytest.mark.parametrize(("method", "path", "status"), [("PATCH", "/customers", 405), ("GET", "/orders", 404)])
    def test_dead_ends(self, api: Api, method: str, path: str, status: int) -> None:
        """What it does not know it refuses with a status and a title."""
        reply = api.core(method, path)
        assert reply.status == reply.body["status"] == status

    def test_another_store(self, api: Api) -> None:
        """Another store's hash in the path is not found."""
        url = "https://shop.example/stores/another/v3/customers"
        assert api.shop.handle(Request(method="GET", url=url, headers=api.shop.credentials)).status == 404

    def test_a_body_that_is_no_json(self, api: Api) -> None:
        """A body that is no JSON is refused with 400."""
        request = Request(method="POST", url=URL, headers=api.shop.credentials, body=b"{")
        assert api.shop.handle(request).status == 400


class TestItsCredentials:
    def test_the_token_alone(self, api: Api) -> None:
        """The core API needs the token and no store hash in the headers."""
        right = Request(method="GET", url=URL, headers=(("X-Auth-Token", api.shop.token),))
        assert api.shop.handle(right).status == 200
        assert api.shop.handle(Request(method="GET", url=URL, headers=(("X-Auth-Token", "guess"),))).status == 401

    def test_its_scope(self, make: Callable[..., Api]) -> None:
        """A token without the scope for customers is refused there, and works for B2B Edition."""
        api = make(customers_scope=False)
        assert api.core("GET", "/customers").status == 403
        assert api("GET", "/users").status == 200

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_the_other_scope(self, make: Callable[..., Api], status: int) -> None:
        """A token without the scope B2B Edition is refused there in one of three ways, and works for the core."""
        api = make(b2b_scope=False, scope_refusal=status)
        assert api("GET", "/users").status == status
        assert api.core("GET", "/customers").status == 200


class TestOrders:
    def test_they_move_with_the_person(self, api: Api) -> None:
        """A shopper's orders become the company's when he is made its user, and stay there when he is not any more."""
        company = api.company()
        api.shop.add_shopper("max@a.example", orders=2)
        api.shop.add_shopper("sue@home.example", orders=1)
        user = api.user(company, "MAX@a.example")
        assert [order.company_id for order in api.shop.shoppers.orders.values()] == [company, company, None]
        api("DELETE", f"/users/{user}")
        assert [order.company_id for order in api.shop.shoppers.orders.values()] == [company, company, None]

    def test_they_move_with_the_admin(self, api: Api) -> None:
        """The admin that is made with a company brings its orders along as well."""
        api.shop.add_shopper("ada@a.example", orders=1)
        company = api.company(email="ada@a.example")
        assert [order.company_id for order in api.shop.shoppers.orders.values()] == [company]


class TestWebhookSubscriptions:
    def test_they_are_kept(self, api: Api) -> None:
        """A webhook is made with scope and destination, listed and deleted; only HTTPS is taken."""
        wanted = {"scope": "store/company/updated", "destination": "https://host.example/hook"}
        made = api.core("POST", "/hooks", wanted).data
        assert (made["scope"], made["is_active"]) == ("store/company/updated", True)
        assert api.core("GET", "/hooks").data == [made]
        assert api.core("POST", "/hooks", {**wanted, "destination": "http://host.example"}).status == 422
        assert api.core("DELETE", f"/hooks/{made['id']}").data == made
        assert api.core("DELETE", f"/hooks/{made['id']}").status == 404
        assert api.core("GET", "/hooks").data == []


def test_a_new_user_spends_of_both_limits(api: Api) -> None:
    """A user whose shopper has to be made costs one request of the core API's limit, too."""
    company = api.company()
    api.shop.add_shopper("sue@a.example")

    def left() -> int:
        return int(api.response("GET", "/stores/simulated/v3/hooks").header("X-Rate-Limit-Requests-Left") or "")

    before = left()
    api.user(company, "sue@a.example")
    assert left() == before - 1
    api.user(company, "max@a.example")
    assert left() == before - 3
    assert api("POST", "/users", user_body(company, "max@a.example")).status == 422
