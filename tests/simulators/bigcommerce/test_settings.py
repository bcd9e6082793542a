from collections.abc import Callable

import pytest
from attrs import evolve

from tests.simulators.bigcommerce.conftest import Api, Reply, user_body, without


class TestSettings:
    def test_predefined_roles(self, make: Callable[..., Api]) -> None:
        """A store has three predefined roles whose ids are its own."""
        roles = make(first_role_id=27605)("GET", "/companies/roles").data
        assert [(role["id"], role["name"], role["roleType"]) for role in roles] == [
            (27605, "Admin", 1),
            (27606, "Senior Buyer", 1),
            (27607, "Junior Buyer", 1),
        ]

    def test_roles_in_pages(self, api: Api) -> None:
        """Roles come in pages and are found by a part of their names."""
        role = api.shop.add_role("Primary Admin")
        page = api("GET", "/companies/roles", limit=3, offset=3)
        assert [found["id"] for found in page.data] == [role.id]
        assert page.body["meta"]["pagination"]["totalCount"] == 4
        names = [found["name"] for found in api("GET", "/companies/roles", q="admin").data]
        assert names == ["Admin", "Primary Admin"]
        assert api("GET", f"/companies/roles/{role.id}").data["name"] == "Primary Admin"

    def test_permissions(self, api: Api) -> None:
        """A custom role has the permissions it was last given, and may have none."""
        given = [{"code": "get_users", "permissionLevel": 2}, {"code": "get_addresses", "permissionLevel": 1}]
        role = api("POST", "/companies/roles", {"name": "Buyer", "permissions": given}).data
        shown = api("GET", f"/companies/roles/{role['id']}").data["permissions"]
        assert [(one["code"], one["permissionLevel"]) for one in shown] == [("get_users", 2), ("get_addresses", 1)]
        suspended = api("PUT", f"/companies/roles/{role['id']}", {"name": "Suspended", "permissions": []}).data
        assert (suspended["name"], suspended["permissions"]) == ("Suspended", [])
        assert api("POST", "/companies/roles", {"name": "Buyer", "permissions": ["get_users"]}).status == 422

    def test_which_roles_stay(self, api: Api) -> None:
        """Predefined roles can't be changed or deleted, and no role that a user has can be deleted."""
        admin = api("GET", "/companies/roles").data[0]["id"]
        for method in ("PUT", "DELETE"):
            assert api(method, f"/companies/roles/{admin}", {"name": "Boss"}).status == 422
        role = api.shop.add_role("Primary Admin").id
        user = api.user(api.company(), "max@a.example", companyRoleId=role)
        assert api("DELETE", f"/companies/roles/{role}").status == 422
        api("PUT", f"/users/{user}", {"role": 1})
        assert api("DELETE", f"/companies/roles/{role}").status == 200
        assert api("GET", f"/companies/roles/{role}").status == 404

    def test_a_storefront_without_b2b(self, make: Callable[..., Api]) -> None:
        """A user needs one storefront that is enabled for B2B Edition."""
        api = make(multi_storefront=True)
        company = api.company(channelIds=[1])
        api.shop.channels = (evolve(api.shop.channels[0], b2b_enabled=False), *api.shop.channels[1:])
        assert api("GET", "/channels/1").data["b2bEnabled"] is False
        assert api("POST", "/users", user_body(company, "max@a.example")).status == 422
        assert api("POST", "/users", user_body(company, "max@a.example", channelIds=[1, 1_000_123])).status == 200

    def test_countries(self, api: Api) -> None:
        """A country is looked up by name or code; one that is not listed is answered with 404."""
        germany = {"countryCode": "DE", "countryName": "Germany"}
        assert api("GET", "/countries", searchType=1, q="DE").data == germany
        assert api("GET", "/countries", searchType=0, q="germany").data == germany
        assert api("GET", "/countries", searchType=0, q="DE").message == "Resource not found"

    def test_states(self, api: Api) -> None:
        """A state is looked up in its country, in the United States unless one is named."""
        assert api("GET", "/states", searchType=1, q="TX").data == {"stateCode": "TX", "stateName": "Texas"}
        ontario = api("GET", "/states", searchType=0, q="Ontario", country="Canada")
        assert ontario.data["stateCode"] == "ON"
        assert api("GET", "/states", searchType=1, q="ON").status == 404
        assert api("GET", "/states", searchType=1, q="ON", country="DE").status == 404

    @pytest.mark.parametrize("status", [403, 422])
    def test_channels_of_a_single_storefront(self, make: Callable[..., Api], status: int) -> None:
        """A store with one storefront refuses to list channels, outside the usual envelope."""
        reply = make(channels_refusal=status)("GET", "/channels")
        assert reply == Reply(status, {"code": status, "message": "Multi storefront is not enabled"})

    def test_several_storefronts(self, make: Callable[..., Api]) -> None:
        """A store with several storefronts lists them, and each user must name one that exists."""
        api = make(multi_storefront=True)
        channels = [channel["channelId"] for channel in api("GET", "/channels").data]
        assert len(channels) == 2
        assert api("GET", f"/channels/{channels[1]}").data["b2bEnabled"] is True
        assert api("GET", "/channels/754").body == {"code": 404, "message": "Channel does not exist"}
        company = api.company(channelIds=channels)
        body = user_body(company, "max@a.example")
        for nothing in (without(body, "channelIds"), {**body, "channelIds": []}):
            reply = api("POST", "/users", nothing)
            assert reply.error == "At least one B2B storefront needs to be enabled for a Company user."
        assert "channel_ids" in api("POST", "/users", {**body, "channelIds": [754]}).error
        assert "channel_ids" in api("POST", "/users", {**body, "channelIds": ["1"]}).error
        api("POST", "/users", {**body, "channelIds": channels[1:]})
        assert api.emails(channelId=channels[1]) == ["admin@aero.example", "max@a.example"]
        assert api.emails(channelId=channels[0]) == ["admin@aero.example"]
        (user,) = api("GET", "/users", email="max@a.example").data
        assert api("PUT", f"/users/{user['id']}", {"channelIds": []}).status == 422
        assert api("PUT", f"/users/{user['id']}", {"channelIds": channels}).status == 200
        assert api.emails(channelId=channels[0]) == ["admin@aero.example", "max@a.example"]

    def test_channels_need_not_be_named(self, api: Api) -> None:
        """A store with one storefront takes users that name no channel."""
        body = without(user_body(api.company(), "max@a.example"), "channelIds")
        assert api("POST", "/users", body).status == 200
