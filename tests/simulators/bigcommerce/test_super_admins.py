from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.bigcommerce.conftest import Api, user_body


def body(email: str, **fields: object) -> dict[str, object]:
    return {"firstName": "S", "lastName": "A", "email": email, **fields}


class TestSuperAdmins:
    def test_one(self, api: Api) -> None:
        """A super admin is read by its id, with the customer it is and without a uuid that nobody gave."""
        admin = api.super_admin("super@shop.example", phone="1")
        shown = api("GET", f"/super-admins/info/{admin}").data
        assert (shown["email"], shown["phone"]) == ("super@shop.example", "1")
        shopper = api.shop.shoppers.by_email("super@shop.example")
        assert shopper
        assert shown["customerId"] == shopper.id
        assert "uuid" not in shown

    def test_its_address_stays(self, api: Api) -> None:
        """An update changes names and phone, and passes over the address."""
        admin = api.super_admin("super@shop.example")
        api.clock.pass_by(5)
        shown = api("PUT", f"/super-admins/info/{admin}", {"phone": "2", "email": "other@shop.example"}).data
        assert (shown["phone"], shown["email"]) == ("2", "super@shop.example")
        assert shown["updatedAt"] == shown["createdAt"] + 5
        assert api("PATCH", f"/super-admins/info/{admin}").status == 405

    def test_the_list(self, api: Api) -> None:
        """Super admins are listed latest first, found by uuid, name, address and stamps, and are no users."""
        first = api.super_admin("sue@shop.example", uuid="u1")
        api.clock.pass_by(10)
        second = api.super_admin("tom@shop.example", firstName="Tom")

        def found(**query: object) -> list[int]:
            return [admin["id"] for admin in api("GET", "/companies/super-admins", **query).data]

        assert found() == [second, first]
        assert found(orderBy="ASC") == [first, second]
        assert found(uuid="u1") == [first]
        assert found(q="TOM@") == [second]
        assert found(minCreated=api.shop.stamp() - 10) == [second]
        assert api.emails() == []

    @pytest.mark.parametrize("path", ["/companies/super-admins", "/super-admins/companies"])
    def test_their_pages(self, api: Api, path: str) -> None:
        """Pages of super admins end at 200."""
        assert api("GET", path, limit=200).status == 200
        assert api("GET", path, limit=201).status == 413

    def test_assignments(self, api: Api) -> None:
        """Assigning names the companies that change; the others stay assigned, and both sides tell of it."""
        a, b, admin = api.company("A"), api.company("B"), api.super_admin("super@shop.example")
        api("PUT", f"/super-admins/{admin}", {"companies": [{"companyId": a, "isAssigned": True}]})
        api("PUT", f"/companies/{b}/super-admins", {"superAdmins": [{"superAdminId": admin, "isAssigned": True}]})
        assigned = api("GET", f"/super-admins/{admin}/companies").data
        assert [company["companyName"] for company in assigned] == ["A", "B"]
        api("PUT", f"/super-admins/{admin}", {"companies": [{"companyId": a, "isAssigned": False}]})
        assert api("GET", f"/companies/{a}/super-admins").data == []
        assert [found["id"] for found in api("GET", f"/companies/{b}/super-admins").data] == [admin]
        counts = {row["companyName"]: row["superAdminCount"] for row in api("GET", "/super-admins/companies").data}
        assert counts == {"A": 0, "B": 1}

    def test_assigning_what_is_not_there(self, api: Api) -> None:
        """Assigning an unknown company or super admin is refused with 404, a body of another form with 422."""
        company, admin = api.company(), api.super_admin("super@shop.example")
        unknown = {"companies": [{"companyId": 7, "isAssigned": True}]}
        assert api("PUT", f"/super-admins/{admin}", unknown).status == 404
        nobody = {"superAdmins": [{"superAdminId": 7, "isAssigned": True}]}
        assert api("PUT", f"/companies/{company}/super-admins", nobody).status == 404
        assert api("PUT", f"/super-admins/{admin}", {"companies": [company]}).status == 422


class TestSuperAdminsInBulk:
    def test_ten_at_most(self, api: Api) -> None:
        """Ten super admins are made at once and answered by their ids, eleven are refused with 413."""
        rows = [body(f"s{number}@shop.example") for number in range(11)]
        assert api("POST", "/super-admins/bulk", rows).status == 413
        made = api("POST", "/super-admins/bulk", rows[:10]).data["superAdminIds"]
        assert made == list(api.shop.super_admins)

    def test_a_missing_name(self, api: Api) -> None:
        """Wrong rows are answered as a list in parallel to the request, outside of any errMsg."""
        reply = api("POST", "/super-admins/bulk", [body("a@shop.example"), {"email": "b@shop.example"}])
        assert (reply.status, reply.data[0]) == (422, {})
        assert set(reply.data[1]) == {"first_name", "last_name"}

    def test_a_taken_address(self, make: Callable[..., Api]) -> None:
        """A company user's address is refused with 400; an atomic store then makes nobody."""
        api = make(bulk_atomic=True)
        api.company(email="ada@a.example")
        reply = api("POST", "/super-admins/bulk", [body("s@shop.example"), body("ada@a.example")])
        assert (reply.status, reply.error) == (400, "The super admin already exists")
        assert not api.shop.super_admins

    @pytest.mark.parametrize("email", ["super@shop.example", "SUPER@shop.example"])
    def test_a_user_can_not_have_its_address(self, api: Api, email: str) -> None:
        """A super admin's address is taken for company users, whatever its case, in creation and update."""
        api.super_admin("super@shop.example")
        company: Any = api.company()
        user = api.user(company, "max@aero.example")
        assert api("POST", "/users", user_body(company, email)).status == 422
        assert api("PUT", f"/users/{user}", {"email": email}).status == 422
