from typing import Any

import pytest

from acumatica_b2b.simulators.bigcommerce import ExtraField
from tests.simulators.bigcommerce.conftest import Api, address_body, company_body, user_body


class TestExtraFields:
    @staticmethod
    def values(**values: str) -> list[dict[str, str]]:
        return [{"fieldName": name.replace("_", " "), "fieldValue": value} for name, value in values.items()]

    def test_companies_are_found_by_them(self, api: Api) -> None:
        """An extra field filters companies by a part of its value, or exactly where that is asked for."""
        api.shop.define_extra_field("companies", ExtraField(name="ERP id"))
        c1 = api.company("A", extraFields=self.values(ERP_id="C1"))
        c12 = api.company("B", extraFields=self.values(ERP_id="C12"))
        api.company("C")

        def found(**query: object) -> set[int]:
            return {company["companyId"] for company in api("GET", "/companies", **query).data}

        assert found(extraFields="ERP id:C1") == {c1, c12}
        assert found(extraFields="ERP id:C1", extraFieldFilterType="exact-match") == {c1}
        assert found(extraFields=["ERP id:C1", "ERP id:C12"]) == {c12}
        assert found(extraFields="Other:C1") == set()

    def test_lists_show_them_when_asked(self, api: Api) -> None:
        """Lists hold extra fields only where the query asks for them."""
        resource: Any
        for resource in ("companies", "users", "addresses"):
            api.shop.define_extra_field(resource, ExtraField(name="ERP id"))
        company = api.company(extraFields=self.values(ERP_id="1"), userExtraFields=self.values(ERP_id="2"))
        api.address(company, extraFields=self.values(ERP_id="3"))
        for path, value in (("/companies", "1"), ("/users", "2"), ("/addresses", "3")):
            assert "extraFields" not in api("GET", path).data[0]
            (shown,) = api("GET", path, isIncludeExtraFields="1").data[0]["extraFields"]
            assert (shown["fieldName"], shown["fieldValue"]) == ("ERP id", value)

    def test_a_company_shows_their_kind(self, api: Api) -> None:
        """A company's extra field is shown with label, kind and whether it is required, as texts."""
        api.shop.define_extra_field("companies", ExtraField(name="ERP id", required=True))
        company = api.company(extraFields=self.values(ERP_id="1"))
        assert api("GET", f"/companies/{company}").data["extraFields"] == [
            {
                "fieldName": "ERP id",
                "fieldValue": "1",
                "labelName": "ERP id",
                "isRequired": "1",
                "dataType": "0",
                "fieldType": 0,
            }
        ]

    def test_unknown_and_malformed(self, api: Api) -> None:
        """An extra field that nobody defined, one that is too long, or a list of another form is refused."""
        api.shop.define_extra_field("users", ExtraField(name="Code", longest=2))
        user = api.user(api.company(), "max@a.example")
        for wrong in (self.values(Other="1"), self.values(Code="123"), ["Code"], [{"fieldName": "Code"}]):
            assert api("PUT", f"/users/{user}", {"extraFields": wrong}).status == 422

    def test_required_in_every_update_of_a_company(self, api: Api) -> None:
        """A required extra field must come with creation and with each update of a company."""
        api.shop.define_extra_field("companies", ExtraField(name="Code", required=True))
        assert api("POST", "/companies", company_body()).status == 422
        company = api.company(extraFields=self.values(Code="1"))
        assert api("PUT", f"/companies/{company}", {"city": "Waco"}).status == 422
        assert api("PUT", f"/companies/{company}", {"city": "Waco", "extraFields": self.values(Code="1")}).status == 200

    def test_required_in_every_update_of_others(self, api: Api) -> None:
        """The same holds for users and addresses."""
        company = api.company()
        resource: Any
        for resource in ("users", "addresses"):
            api.shop.define_extra_field(resource, ExtraField(name="Code", required=True))
        code: dict[str, Any] = {"extraFields": self.values(Code="1")}
        assert api("POST", "/users", user_body(company, "max@a.example")).status == 422
        user, address = api.user(company, "max@a.example", **code), api.address(company, **code)
        for path in (f"/users/{user}", f"/addresses/{address}"):
            assert api("PUT", path, {"phoneNumber": "1"}).status == 422
            assert api("PUT", path, {"phoneNumber": "1", **code}).status == 200

    def test_what_comes_replaces_all(self, api: Api) -> None:
        """The extra fields of an update replace all that were there; without any, they stay."""
        for name in "AB":
            api.shop.define_extra_field("users", ExtraField(name=name))
        user = api.user(api.company(), "max@a.example", extraFields=self.values(A="1", B="2"))
        api("PUT", f"/users/{user}", {"firstName": "Mia"})
        assert api.shop.users[user].extra_fields == (("A", "1"), ("B", "2"))
        api("PUT", f"/users/{user}", {"extraFields": self.values(B="3")})
        assert api("GET", f"/users/{user}").data["extraFields"] == [{"fieldName": "B", "fieldValue": "3"}]

    def test_unique_values(self, api: Api) -> None:
        """A unique extra field refuses another record's value, and takes the record's own again."""
        resource: Any
        for resource in ("companies", "users", "addresses"):
            api.shop.define_extra_field(resource, ExtraField(name="Code", unique=True))
        code: dict[str, Any] = {"extraFields": self.values(Code="1")}
        company = api.company("A", **code)
        user, address = api.user(company, "max@a.example", **code), api.address(company, **code)
        assert api("POST", "/companies", company_body("B", **code)).status == 422
        assert api("POST", "/users", user_body(company, "mia@a.example", **code)).status == 422
        assert api("POST", "/addresses", address_body(company, **code)).status == 422
        for path in (f"/companies/{company}", f"/users/{user}", f"/addresses/{address}"):
            assert api("PUT", path, code).status == 200

    @pytest.mark.parametrize("resource", ["companies", "users", "addresses"])
    def test_configuration(self, api: Api, resource: Any) -> None:
        """The store lists which extra fields are defined, with their rules."""
        api.shop.define_extra_field(resource, ExtraField(name="Code", unique=True, longest=9))
        (shown,) = api("GET", f"/{resource}/extra-fields").data
        assert (shown["fieldName"], shown["isUnique"], shown["isRequired"]) == ("Code", True, False)
        assert (shown["configType"], shown["maximumLength"]) == (2, "9")
