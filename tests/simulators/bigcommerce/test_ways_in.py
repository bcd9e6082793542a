from collections.abc import Callable

import pytest

from acumatica_b2b.http import Request
from tests.simulators.bigcommerce.conftest import Api


class TestSigningIn:
    @pytest.mark.parametrize(
        "headers",
        [
            (),
            (("X-Auth-Token", "simulated-token"),),
            (("X-Store-Hash", "simulated"),),
            (("X-Auth-Token", "simulated-token"), ("X-Store-Hash", "another")),
            (("X-Auth-Token", "guessed"), ("X-Store-Hash", "simulated")),
        ],
    )
    def test_both_headers_are_needed(self, api: Api, headers: tuple[tuple[str, str], ...]) -> None:
        """A request without the right token and the right store hash is answered with 401."""
        url = "https://shop.example/api/v3/io/companies"
        response = api.shop.handle(Request(method="GET", url=url, headers=headers))
        assert response.status == 401
        assert response.json()["data"]["errMsg"].startswith("Invalid token header.")

    def test_header_names_have_no_case(self, api: Api) -> None:
        """Header names are compared without their case."""
        headers = tuple((name.lower(), value) for name, value in api.shop.credentials)
        url = "https://shop.example/api/v3/io/companies"
        assert api.shop.send(Request(method="GET", url=url, headers=headers)).status == 200

    def test_a_legacy_token_does_not_go_with_the_hash(self, api: Api) -> None:
        """The legacy authToken together with X-Store-Hash is answered with 500."""
        headers = (("authToken", "jwt"), *api.shop.credentials)
        url = "https://shop.example/api/v3/io/companies"
        assert api.shop.handle(Request(method="GET", url=url, headers=headers)).status == 500


class TestPagesAndWays:
    def test_pages(self, api: Api) -> None:
        """A list shows ten records unless told, tells the total, and goes on behind the offset."""
        for number in range(12):
            api.company(f"C{number}")
        first = api("GET", "/users")
        rest = api("GET", "/users", limit=5, offset=10)
        assert len(first.data) == 10
        assert len(rest.data) == 2
        assert rest.body["meta"]["pagination"] == {"totalCount": 12, "limit": 5, "offset": 10}

    @pytest.mark.parametrize("path", ["/companies", "/users", "/addresses", "/companies/roles"])
    def test_too_large_a_page(self, api: Api, path: str) -> None:
        """A limit above 250 is refused with 413, below 1 or no number with 422."""
        assert api("GET", path, limit=250).status == 200
        assert api("GET", path, limit=251).status == 413
        assert api("GET", path, limit=0).status == 422
        assert api("GET", path, limit="all").error == {"limit": ["A valid integer is required."]}

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/orders", 404),
            ("PATCH", "/companies", 405),
            ("PATCH", "/users", 405),
            ("POST", "/addresses/bulk/7", 405),
            ("DELETE", "/countries", 405),
            ("DELETE", "/companies/roles", 405),
            ("DELETE", "/super-admins", 405),
            ("GET", "/companies/7", 404),
            ("GET", "/companies/none", 404),
            ("GET", "/users/7", 404),
            ("GET", "/users/customer/7", 404),
            ("GET", "/addresses/7", 404),
            ("GET", "/companies/roles/7", 404),
            ("GET", "/super-admins/info/7", 404),
        ],
    )
    def test_dead_ends(self, api: Api, method: str, path: str, status: int) -> None:
        """What is not there is answered with 404, a method that a path does not know with 405."""
        assert api(method, path).status == status

    def test_records_know_their_methods(self, make: Callable[..., Api]) -> None:
        """A record that is there refuses a method it does not know."""
        api = make(multi_storefront=True)
        company = api.company(channelIds=[1])
        address, user = api.address(company), api.shop.users_of(company)[0].id
        for path in (f"/companies/{company}", f"/users/{user}", f"/addresses/{address}", "/channels/1"):
            assert api("PATCH", path, {}).status == 405

    def test_another_base(self, api: Api) -> None:
        """Only the base path of the management API answers."""
        request = Request(method="GET", url="https://shop.example/api/v2/io/users", headers=api.shop.credentials)
        assert api.shop.handle(request).status == 404

    def test_a_body_that_is_no_json(self, api: Api) -> None:
        """A body that is no JSON is refused with 400, one that is no object with 422."""
        url = "https://shop.example/api/v3/io/users"
        request = Request(method="POST", url=url, headers=api.shop.credentials, body=b"{")
        assert api.shop.handle(request).status == 400
        assert api("POST", "/users", []).status == 422
