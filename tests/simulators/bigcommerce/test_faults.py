import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from acumatica_b2b.http import Request
from acumatica_b2b.simulators.bigcommerce import RefusedError
from tests.simulators.bigcommerce.conftest import START, Api, address_body, company_body, user_body


class TestFaultsAndCounters:
    def test_failures_on_cue(self, api: Api) -> None:
        """The next requests fail as told, without any effect, and then no more."""
        api.shop.fail_next(503, {"code": 503}, times=2)
        replies = [api("POST", "/companies", company_body()) for _ in range(3)]
        assert [reply.status for reply in replies] == [503, 503, 200]
        assert replies[0].body == {"code": 503}
        assert len(api.shop.companies) == 1

    def test_lost_answers(self, api: Api) -> None:
        """A failure may come although the request took effect."""
        api.shop.fail_next(504, {}, applied=True)
        assert api("POST", "/companies", company_body()).status == 504
        assert len(api.shop.companies) == 1

    def test_chosen_requests(self, api: Api) -> None:
        """A failure may be kept for the requests that it concerns."""
        api.shop.fail_next(500, b"<html>", concerns=lambda request: request.method == "DELETE")
        company = api.company()
        url = f"https://shop.example/api/v3/io/companies/{company}"
        response = api.shop.handle(Request(method="DELETE", url=url, headers=api.shop.credentials))
        assert (response.status, response.body) == (500, b"<html>")

    def test_counters(self, api: Api) -> None:
        """The store counts what arrived, lists it by method and path, and tells writes from reads."""
        company = api.company()
        api("GET", "/users", companyId=company)
        api("DELETE", f"/companies/{company}")
        assert api.shop.calls == [("POST", "/companies"), ("GET", "/users"), ("DELETE", f"/companies/{company}")]
        assert (api.shop.requests, api.shop.writes) == (3, 2)

    def test_people(self, api: Api) -> None:
        """What a person does by hand follows the same rules, and is neither counted nor limited."""
        api.shop.requests_per_minute = 0
        company = api.shop.by_hand("POST", "/companies", company_body(email="ada@a.example"))["companyId"]
        (ada,) = api.shop.by_hand("GET", f"/users?companyId={company}")
        assert ada["email"] == "ada@a.example"
        with pytest.raises(RefusedError, match="422") as caught:
            api.shop.by_hand("DELETE", f"/users/{ada['id']}")
        assert caught.value.detail == "The last user in company can not be deleted."
        assert api.shop.requests == 0

    def test_no_address_in_a_repr(self, api: Api) -> None:
        """Neither a record's repr nor a refusal's text holds an e-mail address or the token."""
        company = api.company(email="ada@a.example")
        with pytest.raises(RefusedError) as caught:
            api.shop.by_hand("POST", "/users", user_body(company, "ada@a.example"))
        shown = f"{api.shop!r} {api.shop.companies} {api.shop.users} {caught.value}"
        assert "@" not in shown
        assert api.shop.token not in shown

    def test_threads(self, make: Callable[..., Api]) -> None:
        """Of many that ask for one e-mail address at once, one gets it."""
        api = make(requests_per_minute=None)
        company = api.company()

        def now() -> datetime:  # lets other threads run between the check of an address and its use
            time.sleep(0.0005)
            return START

        api.shop.now = now
        with ThreadPoolExecutor(8) as pool:
            bodies = [user_body(company, f"u{number // 8}@a.example") for number in range(80)]
            statuses = Counter(pool.map(lambda body: api("POST", "/users", body).status, bodies))
        assert statuses == {200: 10, 422: 70}

    @pytest.mark.parametrize(("path", "kept"), [("/companies/bulk", 4), ("/users/bulk", 3), ("/addresses/bulk", 3)])
    def test_chosen_rows(self, api: Api, path: str, kept: int) -> None:
        """A store may be told which rows it won't make; the others of a bulk call are made."""
        company = api.company()
        rows: dict[str, list[dict[str, object]]] = {
            "/companies/bulk": [company_body("A"), company_body("B", addressLine2="x")],
            "/users/bulk": [user_body(company, "a@a.example"), user_body(company, "b@a.example", addressLine2="x")],
            "/addresses/bulk": [address_body(company), address_body(company, addressLine2="x")],
        }
        api.shop.refuses = lambda body: "not this one" if body.get("addressLine2") else None
        reply = api("POST", path, rows[path])
        assert reply.status in {400, 422}
        assert "not this one" in str(reply.body)
        tables = (api.shop.companies, api.shop.users, api.shop.addresses)
        assert sum(len(table) for table in tables) == kept

    def test_lost_answers_of_bulk_calls(self, api: Api) -> None:
        """The answer of a bulk call may be lost although a part of its rows was made."""
        company = api.company(email="ada@a.example")
        api.shop.fail_next(504, applied=True, concerns=lambda request: "/users/bulk" in request.url)
        rows = [user_body(company, email) for email in ("max@a.example", "ada@a.example")]
        response = api.response("POST", "/api/v3/io/users/bulk", rows)
        assert (response.status, response.body) == (504, b"")
        assert api.emails(companyId=company) == ["ada@a.example", "max@a.example"]

    def test_dates(self, api: Api) -> None:
        """Each answer bears the time of the store's own clock."""
        api.clock.pass_by(61)
        for path in ("/api/v3/io/users", "/stores/simulated/v3/customers", "/elsewhere"):
            assert api.response("GET", path).header("Date") == "Sun, 01 Mar 2026 12:01:01 GMT"
