from collections.abc import Callable
from typing import Any

import pytest

from acumatica_b2b.simulators.bigcommerce import ExtraField
from tests.simulators.bigcommerce.conftest import START, Api, address_body, company_body, user_body


def sent(api: Api, method: str, path: str, body: object = None) -> list[tuple[str, dict[str, int]]]:
    """Return scope and ids of the webhooks that a call sends."""
    before = len(api.shop.sent_hooks)
    api(method, path, body)
    return [(hook["scope"].removeprefix("store/"), hook["data"]) for hook in api.shop.sent_hooks[before:]]


class TestWebhooks:
    def test_a_payload(self, api: Api) -> None:
        """A payload holds ids and no data, a stamp, and a hash that differs from change to change."""
        company = api.company()
        api.clock.pass_by(1)
        api("PUT", f"/companies/{company}", {"city": "Waco"})
        hooks: Any = api.shop.sent_hooks
        assert set(hooks[-1]) == {"scope", "store_id", "data", "hash", "created_at", "producer"}
        assert (hooks[2]["created_at"], hooks[-1]["producer"]) == (int(START.timestamp()) + 1, "stores/simulated")
        api.clock.pass_by(1)
        api("PUT", f"/companies/{company}", {"city": "Reno"})
        assert len({hook["hash"] for hook in hooks}) == len(hooks) == 4

    def test_of_companies(self, api: Api) -> None:
        """A company's making, change, status and end are told; a change of nothing is not."""
        company = api.company()
        ids = {"company_id": company}
        path = f"/companies/{company}"
        assert [scope for scope, _ in sent(api, "POST", "/companies", company_body("B"))] == [
            "company/created",
            "company/user/created",
        ]
        assert sent(api, "PUT", path, {"city": "Waco"}) == [("company/updated", ids)]
        assert sent(api, "PUT", path, {"city": "Waco"}) == []
        assert sent(api, "PUT", f"{path}/status", {"companyStatus": 3}) == [
            ("company/statusUpdated", ids),
            ("company/updated", ids),
        ]
        assert sent(api, "PUT", f"{path}/status", {"companyStatus": 3}) == []
        assert sent(api, "DELETE", path) == [("company/deleted", ids)]

    def test_companies_in_bulk_are_not_told(self, api: Api) -> None:
        """The making of companies in bulk fires nothing; their change does."""
        assert sent(api, "POST", "/companies/bulk", [company_body("A"), company_body("B")]) == []
        rows = [{"companyId": company, "city": "Waco"} for company in api.shop.companies]
        assert len(sent(api, "PUT", "/companies/bulk", rows)) == 2

    def test_of_users(self, api: Api) -> None:
        """A user's making, change of name, address or phone, and end are told, with its company."""
        api.shop.define_extra_field("users", ExtraField(name="Code"))
        company = api.company()
        user = api.user(company, "max@a.example")
        ids = {"company_id": company, "user_id": user}
        extra = {"extraFields": [{"fieldName": "Code", "fieldValue": "1"}]}
        for change in ({"firstName": "Mia"}, {"email": "mia@a.example"}, {"phoneNumber": "1"}, extra):
            assert sent(api, "PUT", f"/users/{user}", change) == [("company/user/updated", ids)]
        assert sent(api, "DELETE", f"/users/{user}") == [("company/user/deleted", ids)]

    @pytest.mark.parametrize("change", [{"role": 0}, {"channelIds": [1]}, {"uuid": "note-1"}, {}])
    def test_what_of_users_is_not_told(self, api: Api, change: dict[str, object]) -> None:
        """A change of role, channels or uuid fires nothing."""
        user = api.user(api.company(), "max@a.example")
        assert sent(api, "PUT", f"/users/{user}", change) == []

    def test_of_addresses(self, api: Api) -> None:
        """An address's making, change and end are told, with its company."""
        company = api.company()
        (made,) = sent(api, "POST", "/addresses", address_body(company))
        address = made[1]["address_id"]
        assert made == ("company/address/created", {"company_id": company, "address_id": address})
        assert sent(api, "PUT", f"/addresses/{address}", {})[0][0] == "company/address/updated"
        assert sent(api, "DELETE", f"/addresses/{address}")[0][0] == "company/address/deleted"

    def test_of_super_admins(self, api: Api) -> None:
        """A super admin's making, change and assignment are told, the last one to both sides."""
        company, admin = api.company(), api.super_admin("super@shop.example")
        assignment = {"companies": [{"companyId": company, "isAssigned": True}]}
        assert api.shop.sent_hooks[-1]["scope"] == "store/superadmin/created"
        assert sent(api, "PUT", f"/super-admins/info/{admin}", {}) == [("superadmin/updated", {"user_id": admin})]
        assert [scope for scope, _ in sent(api, "PUT", f"/super-admins/{admin}", assignment)] == [
            "superadmin/assignmentUpdated",
            "company/superadmin/assignmentUpdated",
        ]

    def test_of_what_was_refused(self, make: Callable[..., Api]) -> None:
        """Of a bulk call the made rows are told alone, and none where it was taken back."""
        for atomic, told in ((False, 1), (True, 0)):
            api = make(bulk_atomic=atomic)
            company = api.company(email="ada@a.example")
            users = [user_body(company, "max@a.example"), user_body(company, "ada@a.example")]
            addresses = [address_body(company), {**address_body(company), "city": ""}]
            assert len(sent(api, "POST", "/users/bulk", users)) == told
            assert len(sent(api, "POST", "/addresses/bulk", addresses)) == told
