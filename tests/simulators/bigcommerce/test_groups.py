from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.bigcommerce.conftest import Api, company_body


def group_of(api: Api, email: str) -> int:
    shopper = api.shop.shoppers.by_email(email)
    assert shopper
    return shopper.customer_group_id


class TestIndependentCompanies:
    def test_its_people_join_its_group(self, api: Api) -> None:
        """New users join their company's group; those there don't follow when the company changes it."""
        group = api.shop.add_group("Wholesale")
        company = api.company(email="ada@a.example", customerGroupId=group)
        assert group_of(api, "ada@a.example") == group
        api("PUT", f"/companies/{company}", {"customerGroupId": 304})
        api.user(company, "max@a.example")
        assert (group_of(api, "ada@a.example"), group_of(api, "max@a.example")) == (group, 304)
        assert api("GET", f"/companies/{company}").data["bcGroupName"] == "Default"

    def test_price_lists_are_not_its_own(self, api: Api) -> None:
        """A price list is passed over in silence with a company, and refused with 405 by its own call."""
        company = api.company(catalogId=3)
        api("PUT", f"/companies/{company}", {"catalogId": 3, "priceListAssign": [{"channelId": 1, "priceListId": 2}]})
        shown = api("GET", f"/companies/{company}").data
        assert (shown["catalogId"], shown["priceListAssign"]) == (None, [])
        assert api("PUT", f"/companies/{company}/catalogs", {"catalogId": 3}).status == 405

    def test_its_group_outlives_it(self, api: Api) -> None:
        """A deleted company leaves its customer group behind."""
        group = api.shop.add_group("Wholesale")
        api("DELETE", f"/companies/{api.company(customerGroupId=group)}")
        assert group in api.shop.groups


class TestDependentCompanies:
    @pytest.fixture
    def api(self, make: Callable[..., Api]) -> Api:
        return make(dependent=True)

    def test_a_price_list_is_needed(self, api: Api) -> None:
        """A company without price list is refused, unless there are several storefronts."""
        assert api("POST", "/companies", company_body()).error == {"catalog_id": ["This field may not be null."]}
        company = api.company(catalogId=3)
        shown = api("GET", f"/companies/{company}").data
        assert (shown["catalogId"], shown["catalogName"]) == (3, "Price List 3")

    @pytest.mark.parametrize("catalog", [4, "4"])
    def test_a_price_list_changes(self, api: Api, catalog: Any) -> None:
        """A price list is given by number or text, with the company or by its own call."""
        company = api.company(catalogId=3)
        api("PUT", f"/companies/{company}", {"catalogId": catalog})
        assert api.shop.companies[company].catalog_id == 4
        api("PUT", f"/companies/{company}/catalogs", {"catalogId": 5})
        assert api.shop.companies[company].catalog_id == 5
        assert api("PUT", f"/companies/{company}/catalogs", {"catalogId": "five"}).status == 422

    def test_a_group_of_its_own(self, api: Api) -> None:
        """Each company gets a customer group, whatever group it names; names that are taken get a suffix."""
        groups = [
            api("POST", "/companies", company_body("A", email=email, catalogId=3, customerGroupId=304)).data
            for email in ("a@a.example", "b@a.example")
        ]
        first, second = (made["customerGroupId"] for made in groups)
        assert len({first, second, 304}) == 3
        assert api.shop.groups[first] == "A"
        assert api.shop.groups[second].startswith("A ")
        api("PUT", f"/companies/{groups[0]['companyId']}", {"customerGroupId": 304})
        assert api.shop.companies[groups[0]["companyId"]].customer_group_id == first

    def test_its_group_ends_with_it(self, api: Api) -> None:
        """A deleted company takes its customer group along, and its people are in none."""
        company = api.company(email="ada@a.example", catalogId=3)
        group = api.shop.companies[company].customer_group_id
        api("DELETE", f"/companies/{company}")
        assert group not in api.shop.groups
        assert group_of(api, "ada@a.example") == 0

    def test_several_storefronts(self, make: Callable[..., Api]) -> None:
        """With several storefronts a company has a price list for each, and needs none."""
        api = make(dependent=True, multi_storefront=True)
        company = api.company(channelIds=[1])
        lists = [{"channelId": 1, "priceListId": 2}]
        assert api("PUT", f"/companies/{company}", {"priceListAssign": lists}).status == 200
        (shown,) = api("GET", f"/companies/{company}").data["priceListAssign"]
        assert (shown["channelId"], shown["priceListId"], shown["channelName"]) == (1, 2, "Default Storefront")
        assert api("PUT", f"/companies/{company}", {"priceListAssign": [1]}).status == 422
        api("PUT", f"/companies/{company}", {"city": "Waco"})
        assert api.shop.companies[company].price_lists == ((1, 2),)
