from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.bigcommerce.conftest import Api


def names(api: Api, **query: object) -> list[str]:
    return [company["companyName"] for company in api("GET", "/companies", **query).data]


class TestPagesUnderChange:
    def test_companies_shift(self, api: Api) -> None:
        """A company that changes between two pages moves to the front: another one is shown twice, it is not at all."""
        for name in "ABCD":
            api.company(name)
            api.clock.pass_by(1)
        first = names(api, limit=2)
        api("PUT", f"/companies/{next(iter(api.shop.companies))}", {"city": "Waco"})
        assert first + names(api, limit=2, offset=2) == ["D", "C", "C", "B"]

    def test_a_new_company_shifts(self, api: Api) -> None:
        """A company that is made between two pages pushes the last one of the first page to the next."""
        for name in "AB":
            api.company(name)
            api.clock.pass_by(1)
        first = names(api, limit=1)
        api.company("C")
        assert first + names(api, limit=1, offset=1) == ["B", "B"]

    @pytest.mark.parametrize(("latest_first", "shown"), [(False, "ab"), (True, "ba")])
    def test_users_and_addresses(
        self,
        make: Callable[..., Api],
        latest_first: bool,  # noqa: FBT001 - pytest hands it over
        shown: str,
    ) -> None:
        """Users and addresses come by their ids; where the switch says so, by their last change, latest first."""
        api = make(latest_first=latest_first)
        company = api.company(email="a@a.example")
        api.address(company, label="a")
        api.clock.pass_by(1)
        api.user(company, "b@a.example")
        api.address(company, label="b")
        assert "".join(email[0] for email in api.emails()) == shown
        assert "".join(row["label"] for row in api("GET", "/addresses").data) == shown

    def test_ties(self, make: Callable[..., Api]) -> None:
        """Users of one stamp come by their ids, whatever the order."""
        api = make(latest_first=True)
        company = api.company(email="a@a.example")
        for name in "cb":
            api.user(company, f"{name}@a.example")
        assert api.emails() == ["a@a.example", "c@a.example", "b@a.example"]


class TestListingLag:
    """Lists are late, reading by id is not."""

    def test_what_is_made(self, make: Callable[..., Api]) -> None:
        """A new record is read by its id at once, and listed when the lag has passed."""
        api = make(listing_lag=30)
        company = api.company(email="ada@a.example")
        user, address = api.user(company, "max@a.example"), api.address(company)
        for path in (f"/companies/{company}", f"/users/{user}", f"/addresses/{address}"):
            assert api("GET", path).status == 200
        queries: dict[str, dict[str, Any]] = {
            "/companies": {},
            "/users": {"companyId": company},
            "/addresses": {"companyId": company},
        }
        api.clock.pass_by(29.9)
        assert [api("GET", path, **query).data for path, query in queries.items()] == [[], [], []]
        assert api.emails(email="max@a.example") == []
        api.clock.pass_by(0.1)
        assert [len(api("GET", path, **query).data) for path, query in queries.items()] == [1, 2, 1]
        assert api.emails(email="MAX@a.example") == ["max@a.example"]

    def test_what_is_changed(self, make: Callable[..., Api]) -> None:
        """A changed record is listed as it was, by what it was, until the lag has passed."""
        api = make(listing_lag=30)
        company = api.company("A", email="ada@a.example")
        api.clock.pass_by(30)
        (user,) = api.shop.users_of(company)
        api("PUT", f"/users/{user.id}", {"email": "eve@a.example"})
        api("PUT", f"/companies/{company}", {"companyName": "B"})
        api("PUT", f"/companies/{company}", {"companyName": "C"})
        assert (names(api), api.emails()) == (["A"], ["ada@a.example"])
        assert (api.emails(email="eve@a.example"), api.emails(email="ada@a.example")) == ([], ["ada@a.example"])
        api.clock.pass_by(30)
        assert (names(api), api.emails()) == (["C"], ["eve@a.example"])

    def test_what_is_removed(self, make: Callable[..., Api]) -> None:
        """A removed record is listed until the lag has passed, and not found by its id at once."""
        api = make(listing_lag=30)
        company = api.company()
        user = api.user(company, "max@a.example")
        api.clock.pass_by(30)
        assert api("DELETE", f"/users/{user}").status == 200
        assert api("GET", f"/users/{user}").status == 404
        assert "max@a.example" in api.emails(companyId=company)
        api("DELETE", f"/companies/{company}")
        assert len(api.emails(q="aero")) == 2
        api.clock.pass_by(30)
        assert api.emails() == []

    def test_the_rules_are_not_late(self, make: Callable[..., Api]) -> None:
        """An address is taken before lists show who has it."""
        api = make(listing_lag=30)
        company = api.company(email="ada@a.example")
        with pytest.raises(KeyError):
            api.user(company, "ADA@a.example")
        assert len(api.shop.users) == 1

    def test_it_may_end(self, make: Callable[..., Api]) -> None:
        """A lag that is set back to nothing ends at once."""
        api = make(listing_lag=30)
        api.company("A")
        api.shop.listing_lag = 0
        assert names(api) == ["A"]
