from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.bigcommerce.conftest import START, Api, company_body, without


class TestCompanies:
    @pytest.mark.parametrize(
        "key",
        [
            "companyName",
            "companyPhone",
            "companyEmail",
            "country",
            "adminFirstName",
            "adminLastName",
            "adminEmail",
        ],
    )
    def test_required_fields(self, api: Api, key: str) -> None:
        """A company without one of its seven required fields is refused and leaves nothing behind."""
        reply = api("POST", "/companies", without(company_body(), key))
        assert reply.status == 422
        if key == "companyName":
            assert reply.body == {"code": 422, "data": {}, "meta": {"message": "The company name is required."}}
        else:
            snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
            assert reply.error == {snake: ["This field may not be null."]}
        assert not api.shop.companies
        assert not api.shop.users

    def test_its_admin_is_made_with_it(self, api: Api) -> None:
        """A company comes with one user, who has the predefined role Admin and the answered customer."""
        reply = api("POST", "/companies", company_body(adminPhoneNumber="555-0199"))
        users = api("GET", "/users", companyId=reply.data["companyId"]).data
        assert [(user["role"], user["companyRoleName"], user["phoneNumber"]) for user in users] == [
            (0, "Admin", "555-0199")
        ]
        assert users[0]["customerId"] == reply.data["customerId"]

    @pytest.mark.parametrize("country", ["US", "us", "United States"])
    def test_country_names(self, api: Api, country: str) -> None:
        """A country is taken by name or code and answered by its full name."""
        company = api.company(country=country)
        assert api("GET", f"/companies/{company}").data["country"] == "United States"
        assert api("PUT", f"/companies/{company}", {"country": "DE"}).status == 200
        assert api.shop.companies[company].country == "Germany"

    def test_an_unknown_country(self, api: Api) -> None:
        """A country that the store does not list is refused."""
        assert "country" in api("POST", "/companies", company_body(country="Atlantis")).error

    def test_one_company_in_full(self, api: Api) -> None:
        """A company shows empty texts, null catalogues, numbers for stamps and status, and extra fields."""
        company = api("GET", f"/companies/{api.company()}").data
        stamp = int(START.timestamp())
        assert (company["createdAt"], company["updatedAt"]) == (stamp, stamp)
        assert (company["companyStatus"], company["catalogId"], company["uuid"]) == (1, None, "")
        assert (company["addressLine1"], company["extraFields"]) == ("", [])
        assert company["parentCompany"] == {"id": None, "name": ""}

    def test_its_group(self, api: Api) -> None:
        """A company gets the default customer group unless it names one; 0 is none."""
        assert api("POST", "/companies", company_body("A")).data["customerGroupId"] == 304
        assert api("POST", "/companies", company_body("B", customerGroupId=0)).data["customerGroupId"] == 0
        assert len(api("GET", "/companies", bcGroupId=304).data) == 1

    def test_a_taken_admin_email(self, api: Api) -> None:
        """An admin's e-mail that a user holds is refused, and the company is not made."""
        api.company("A", email="ada@a.example")
        reply = api("POST", "/companies", company_body("B", email="ADA@a.example"))
        assert reply.error == "Email already exists. ['ADA@a.example']"
        assert reply.message == "Processing data contains logical errors"
        assert len(api.shop.companies) == 1

    @pytest.mark.parametrize(("drops", "uuid"), [(False, "note-1"), (True, "")])
    def test_uuid_on_creation(self, make: Callable[..., Api], drops: bool, uuid: str) -> None:  # noqa: FBT001 - pytest
        """A company keeps its uuid from creation on; some stores take it from an update only."""
        api = make(drops_uuid_on_create=drops)
        company = api.company(uuid="note-1")
        assert api.shop.companies[company].uuid == uuid
        api("PUT", f"/companies/{company}", {"uuid": "note-1"})
        assert api("GET", "/companies").data[0]["uuid"] == "note-1"

    def test_updates_are_partial(self, api: Api) -> None:
        """An update changes what it names, passes over unknown keys in silence and refuses blank names."""
        company = api.company()
        before = api.shop.companies[company]
        api.clock.pass_by(5)
        assert api("PUT", f"/companies/{company}", {"city": "Waco", "phone": "x", "adminEmail": "x"}).status == 200
        after = api.shop.companies[company]
        assert (after.city, after.company_phone) == ("Waco", before.company_phone)
        assert after.updated_at == before.updated_at + 5
        assert api("PUT", f"/companies/{company}", {"companyName": ""}).status == 422

    @pytest.mark.parametrize(
        ("key", "value", "complaint"),
        [
            ("companyName", "x" * 201, "Ensure this field has no more than 200 characters."),
            ("companyEmail", "office", "Enter a valid email address."),
            ("companyPhone", 555, "Not a valid string."),
            ("customerGroupId", "1", "A valid integer is required."),
        ],
    )
    def test_wrong_values(self, api: Api, key: str, value: object, complaint: str) -> None:
        """A value of the wrong type, form or length is refused by its field's name."""
        assert list(api("PUT", f"/companies/{api.company()}", {key: value}).error.values()) == [[complaint]]

    def test_status(self, api: Api) -> None:
        """A company's status is set by its own call, 0 to 3, and filters the list."""
        company = api.company()
        assert api("PUT", f"/companies/{company}/status", {"companyStatus": 3}).data == {"companyId": company}
        assert api("PUT", f"/companies/{company}/status", {"companyStatus": 4}).status == 422
        assert [found["companyId"] for found in api("GET", "/companies", companyStatus=3).data] == [company]
        assert not api("GET", "/companies", companyStatus=1).data

    def test_deleting(self, api: Api) -> None:
        """A deleted company takes users and addresses along, and leaves the shoppers."""
        company = api.company(email="ada@a.example")
        api.address(company)
        assert api("DELETE", f"/companies/{company}").data == {}
        assert not api.shop.users
        assert not api.shop.addresses
        assert api.shop.shoppers.by_email("ada@a.example")
        assert api("DELETE", f"/companies/{company}").status == 404

    def test_order_of_the_list(self, api: Api) -> None:
        """Companies come by last update, latest first, unless the query says by name or ascending."""
        ids = {}
        for name in "BCA":
            ids[name] = api.company(name)
            api.clock.pass_by(1)
        api("PUT", f"/companies/{ids['C']}", {"city": "Waco"})

        def names(**query: object) -> str:
            return "".join(company["companyName"] for company in api("GET", "/companies", **query).data)

        assert names() == "CAB"
        assert names(orderBy="ASC") == "BAC"
        assert names(sortBy="companyName", orderBy="ASC") == "ABC"

    def test_filters_of_the_list(self, api: Api) -> None:
        """Companies are filtered by part of the name, by customer, and by both stamps, bounds included."""
        first = api("POST", "/companies", company_body("Aero")).data
        api.clock.pass_by(10)
        second = api("POST", "/companies", company_body("Zeppelin")).data
        start = int(START.timestamp())

        def found(**query: object) -> set[int]:
            return {company["companyId"] for company in api("GET", "/companies", **query).data}

        assert found(q="EPP") == {second["companyId"]}
        assert found(customerId=first["customerId"]) == {first["companyId"]}
        assert found(customerId=1) == set()
        assert found(minCreated=start + 10) == {second["companyId"]}
        assert found(maxModified=start) == {first["companyId"]}
        assert found(minModified=start, maxCreated=start + 10) == {first["companyId"], second["companyId"]}

    def test_welcome_mails(self, api: Api) -> None:
        """The flag of the welcome mail has one name for one company and another in a bulk call."""
        api.company("A", acceptCreationEmail=True)
        api.company("B", acceptWelcomeEmail=True)
        api("POST", "/companies/bulk", [company_body("C", acceptCreationEmail=True)])
        api("POST", "/companies/bulk", [company_body("D", acceptWelcomeEmail=True)])
        welcomed = [api.shop.users[user].email for user in api.shop.welcomed]
        assert welcomed == ["admin@a.example", "admin@d.example"]


class TestCompaniesInBulk:
    def test_ten_at_most(self, api: Api) -> None:
        """Ten companies are made at once, eleven are refused with 413, none with 422."""
        rows = [company_body(f"C{number}") for number in range(11)]
        assert api("POST", "/companies/bulk", rows).status == 413
        assert api("POST", "/companies/bulk", []).status == 422
        reply = api("POST", "/companies/bulk", rows[:10])
        assert [row["companyId"] for row in reply.data] == list(api.shop.companies)

    def test_partial_success(self, api: Api) -> None:
        """A refused row does not keep the others from being made; the answer lists the refused alone."""
        rows = [company_body("A"), company_body("B", email="admin@a.example"), company_body("C")]
        reply = api("POST", "/companies/bulk", rows)
        assert reply.status == reply.body["code"] == 400
        assert [error["id"] for error in reply.data["errors"]] == ["1"]
        assert reply.data["errors"][0]["_detail"] == "Email already exists. ['admin@a.example']"
        assert [company.company_name for company in api.shop.companies.values()] == ["A", "C"]

    @pytest.mark.parametrize(("row", "status"), [({"email": "admin@a.example"}, 409), ({"country": "Atlantis"}, 422)])
    def test_no_success(self, api: Api, row: dict[str, Any], status: int) -> None:
        """Where nothing was made, conflicts are answered with 409 and wrong values with 422."""
        api.company("A")
        assert api("POST", "/companies/bulk", [company_body("B", **row)]).status == status

    def test_all_or_nothing(self, make: Callable[..., Api]) -> None:
        """An atomic store makes no company of a bulk call in which one is refused."""
        api = make(bulk_atomic=True)
        assert api("POST", "/companies/bulk", [company_body("A"), without(company_body("B"), "country")]).status == 422
        assert not api.shop.companies
        assert api("POST", "/companies", company_body("A")).status == 200

    def test_shuffled_answers(self, make: Callable[..., Api]) -> None:
        """A store may answer a bulk call in another order than it was asked in."""
        api = make(shuffle_bulk=True)
        reply = api("POST", "/companies/bulk", [company_body("A"), company_body("B")])
        told = [api.shop.companies[row["companyId"]].company_name for row in reply.data]
        assert told == ["B", "A"]

    def test_updates(self, make: Callable[..., Api]) -> None:
        """A bulk update changes each company; a refused one is named by its id, an unknown one ends the call."""
        api = make()
        a, b = api.company("A"), api.company("B")
        rows = [{"companyId": a, "city": "Waco"}, {"companyId": b, "city": "Reno"}]
        assert api("PUT", "/companies/bulk", rows).status == 200
        assert [company.city for company in api.shop.companies.values()] == ["Waco", "Reno"]
        reply = api("PUT", "/companies/bulk", [{"companyId": a, "city": "Bonn"}, {"companyId": b, "city": 1}])
        assert (reply.status, [error["id"] for error in reply.data["errors"]]) == (400, [str(b)])
        assert api.shop.companies[a].city == "Bonn"
        assert api("PUT", "/companies/bulk", [{"companyId": a, "city": "Kiel"}, {"companyId": 7}]).status == 404
        assert api.shop.companies[a].city == "Bonn"
        assert api("PUT", "/companies/bulk", rows * 6).status == 413

    def test_uuid_in_a_bulk_update(self, make: Callable[..., Api]) -> None:
        """A bulk update stores the uuid; where the switch says so, it passes over it in silence."""
        for drops, uuid in ((False, "note-1"), (True, "")):
            api = make(drops_uuid_on_bulk_update=drops)
            company = api.company()
            reply = api("PUT", "/companies/bulk", [{"companyId": company, "uuid": "note-1", "city": "Waco"}])
            assert reply.status == 200
            assert (api.shop.companies[company].uuid, api.shop.companies[company].city) == (uuid, "Waco")

    def test_atomic_updates(self, make: Callable[..., Api]) -> None:
        """An atomic store takes all updates of a bulk call back when one is refused."""
        api = make(bulk_atomic=True)
        a, b = api.company("A"), api.company("B")
        api("PUT", "/companies/bulk", [{"companyId": a, "city": "Bonn"}, {"companyId": b, "city": 1}])
        assert api.shop.companies[a].city == ""
