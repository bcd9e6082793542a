from collections.abc import Callable

import pytest

from acumatica_b2b.http import Request
from tests.simulators.bigcommerce.conftest import Api, company_body


class TestRateLimit:
    def test_one_window(self, make: Callable[..., Api]) -> None:
        """Requests over the limit are refused with 429 until the window of a minute has passed."""
        api = make(requests_per_minute=2)
        body = company_body()
        statuses = [api("GET", "/users").status, api("GET", "/users").status, api("POST", "/companies", body).status]
        assert statuses == [200, 200, 429]
        assert not api.shop.companies
        api.clock.pass_by(59.9)
        assert api("GET", "/users").status == 429
        api.clock.pass_by(0.1)
        assert api("GET", "/users").status == 200

    def test_headers(self, make: Callable[..., Api]) -> None:
        """Each answer tells the limit, what is left of it and when it begins anew, with units."""
        api = make()
        request = Request(method="GET", url="https://shop.example/api/v3/io/users", headers=api.shop.credentials)
        api.shop.handle(request)
        api.clock.pass_by(12.5)
        response = api.shop.handle(request)
        assert response.header("X-Requests-Allocated") == "150 times/60 s"
        assert response.header("X-Requests-Window-Length") == "60 s"
        assert response.header("X-Requests-Remaining") == "148 times"
        assert response.header("X-Request-Window-Resets-After") == "47.500 s"
        assert response.header("X-Request-Id") == "simulated-2"

    def test_off(self, make: Callable[..., Api]) -> None:
        """Without a limit no request is refused."""
        api = make(requests_per_minute=None)
        assert {api("GET", "/users").status for _ in range(200)} == {200}

    def test_strangers_spend_nothing(self, make: Callable[..., Api]) -> None:
        """A request with a wrong credential spends nothing of the limit."""
        api = make(requests_per_minute=1)
        api.shop.handle(Request(method="GET", url="https://shop.example/api/v3/io/users"))
        assert api("GET", "/users").status == 200

    def test_others_spend_it_too(self, api: Api) -> None:
        """What other integrations send is spent of the same limit, and ends with the window."""
        api.shop.spend(149)
        assert [api("GET", "/users").status for _ in range(2)] == [200, 429]
        api.shop.spend(10**6)
        api.clock.pass_by(60)
        api.shop.spend(50)
        assert remaining(api) == "99 times"

    def test_others_overspend(self, api: Api) -> None:
        """Where others send more than the limit allows, nothing is left, and no less than that."""
        api.shop.spend(1000)
        assert remaining(api) == "0 times"

    def test_without_a_limit_others_spend_nothing_of_it(self, make: Callable[..., Api]) -> None:
        """A store without limit refuses nobody, whatever others send."""
        api = make(requests_per_minute=None)
        api.shop.spend(1000)
        assert api("GET", "/users").status == 200

    @pytest.mark.parametrize(("told", "expected"), [("always", (1, 1)), ("unless_refused", (1, 0)), ("never", (0, 0))])
    def test_who_tells_it(self, make: Callable[..., Api], told: str, expected: tuple[int, int]) -> None:
        """A store may keep the limit to itself, always or where it refuses."""
        api = make(requests_per_minute=1, core_requests=1, limit_headers=told)
        for path, header in (
            ("/api/v3/io/users", "X-Requests-Remaining"),
            ("/stores/simulated/v3/customers", "X-Rate-Limit-Requests-Left"),
        ):
            first, second = api.response("GET", path), api.response("GET", path)
            assert (first.status, second.status) == (200, 429)
            assert (len(first.header_values(header)), len(second.header_values(header))) == expected


class TestTheCoreLimit:
    def test_its_window(self, api: Api) -> None:
        """The core API takes 150 requests in 30 seconds, whatever the B2B API takes, and tells it in milliseconds."""
        api.shop.spend(150)
        api.shop.spend(149, core=True)
        response = api.response("GET", "/stores/simulated/v3/customers")
        api.clock.pass_by(12.5)
        refused = api.response("GET", "/stores/simulated/v3/customers")
        assert (response.status, refused.status) == (200, 429)
        assert refused.header("X-Rate-Limit-Requests-Quota") == "150"
        assert refused.header("X-Rate-Limit-Requests-Left") == "0"
        assert refused.header("X-Rate-Limit-Time-Window-Ms") == "30000"
        assert refused.header("X-Rate-Limit-Time-Reset-Ms") == "17500"
        api.clock.pass_by(17.5)
        assert api.core("GET", "/customers").status == 200

    def test_off(self, make: Callable[..., Api]) -> None:
        """Without a limit no request is refused, and none is told."""
        api = make(core_requests=None)
        responses = [api.response("GET", "/stores/simulated/v3/customers") for _ in range(200)]
        assert {response.status for response in responses} == {200}
        assert responses[0].header("X-Rate-Limit-Requests-Left") is None


def remaining(api: Api) -> str | None:
    return api.response("GET", "/api/v3/io/users").header("X-Requests-Remaining")
