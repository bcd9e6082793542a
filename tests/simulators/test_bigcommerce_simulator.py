import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from attrs import define, field, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from acumatica_b2b.http import Request
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator, ExtraField, RefusedError

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "bigcommerce"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@define
class Clock:
    """Stands still until told."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@frozen
class Reply:
    status: int
    body: Any

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def error(self) -> Any:
        return self.data["errMsg"]

    @property
    def message(self) -> str:
        return str(self.body["meta"]["message"])


@define
class Api:
    """Calls a store as a client would, signed in."""

    shop: BigCommerceSimulator
    clock: Clock = field(factory=Clock)

    def __call__(self, method: str, path: str, body: object = None, **query: object) -> Reply:
        url = f"https://shop.example/api/v3/io{path}?{urlencode(query, doseq=True)}"
        raw = b"" if body is None else json.dumps(body).encode()
        response = self.shop.handle(Request(method=method, url=url, headers=self.shop.credentials, body=raw))
        return Reply(response.status, response.json())

    def company(self, name: str = "Aero", *, email: str | None = None, **fields: object) -> int:
        body = company_body(name, email=email, **fields)
        return int(self("POST", "/companies", body).data["companyId"])

    def user(self, company: int, email: str, **fields: object) -> int:
        return int(self("POST", "/users", user_body(company, email, **fields)).data["userId"])

    def address(self, company: int, **fields: object) -> int:
        return int(self("POST", "/addresses", address_body(company, **fields)).data["addressId"])

    def emails(self, **query: object) -> list[str]:
        return [user["email"] for user in self("GET", "/users", **query).data]


def company_body(name: str = "Aero", *, email: str | None = None, **fields: object) -> dict[str, object]:
    return {
        "companyName": name,
        "companyPhone": "555-0100",
        "companyEmail": f"office@{name.lower()}.example",
        "country": "US",
        "adminFirstName": "Ada",
        "adminLastName": "Byron",
        "adminEmail": email or f"admin@{name.lower()}.example",
        **fields,
    }


def user_body(company: int, email: str, **fields: object) -> dict[str, object]:
    return {
        "companyId": company,
        "email": email,
        "firstName": "Max",
        "lastName": "Born",
        "role": 2,
        "channelIds": [1],
        **fields,
    }


def address_body(company: int, **fields: object) -> dict[str, object]:
    return {
        "companyId": company,
        "firstName": "Max",
        "lastName": "Born",
        "addressLine1": "1 Main St",
        "city": "Austin",
        "stateCode": "TX",
        "countryCode": "US",
        **fields,
    }


def without(body: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in body.items() if key not in keys}


@pytest.fixture
def make() -> Callable[..., Api]:
    def build(**switches: Any) -> Api:
        clock = Clock()
        return Api(BigCommerceSimulator(now=clock, **switches), clock)

    return build


@pytest.fixture
def api(make: Callable[..., Api]) -> Api:
    return make()


class TestRecordedTypes:
    """The simulator's answers have the keys and types of answers recorded from a real store."""

    @staticmethod
    def recorded(name: str) -> Any:
        path = SAMPLES / f"bc_{name}.json"
        if not path.exists():
            pytest.skip("the recorded samples are not here")
        return json.loads(path.read_text())

    @staticmethod
    def shape(value: Any) -> Any:
        match value:
            case dict():
                return {key: TestRecordedTypes.shape(item) for key, item in value.items()}
            case list():
                return [TestRecordedTypes.shape(item) for item in value]
            case _:
                return type(value).__name__

    def same(self, ours: Any, recorded: Any) -> None:
        assert self.shape(ours) == self.shape(recorded)

    def test_a_created_company(self, api: Api) -> None:
        """Creating a company answers the ids of company, customer and customer group, and no more."""
        self.same([api("POST", "/companies", company_body()).body], self.recorded("create_company"))

    def test_an_updated_company(self, api: Api) -> None:
        """Updating a company answers its id."""
        reply = api("PUT", f"/companies/{api.company()}", {"companyPhone": "1"})
        self.same([reply.body], self.recorded("update_company"))
        assert reply.message == "SUCCESS"

    def test_a_created_user(self, api: Api) -> None:
        """Creating a user answers its id and its customer's."""
        reply = api("POST", "/users", user_body(api.company(), "max@aero.example"))
        self.same([reply.body], self.recorded("create_user"))
        assert reply.message == "Success"

    def test_a_user(self, api: Api) -> None:
        """Reading one user shows its extra fields, as an empty list where there are none."""
        user = api.user(api.company(), "max@aero.example")
        self.same([api("GET", f"/users/{user}").body], self.recorded("get_user"))

    def test_listed_users(self, api: Api) -> None:
        """Listing users shows the same without extra fields."""
        company = api.company()
        api.user(company, "max@aero.example")
        self.same(api("GET", "/users", companyId=company).data, self.recorded("company_users_items"))
        self.same(api("GET", "/users", email="max@aero.example").data, self.recorded("users_by_email_items"))

    def test_listed_addresses(self, api: Api) -> None:
        """Listing addresses shows the company's id as a text and an unset external id as null."""
        api.address(company := api.company())
        self.same(api("GET", "/addresses", companyId=company).data, self.recorded("company_addresses_items"))

    def test_an_updated_address(self, api: Api) -> None:
        """Updating an address answers its id."""
        address = api.address(api.company())
        self.same([api("PUT", f"/addresses/{address}", {"city": "Waco"}).body], self.recorded("update_address"))


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
        assert "ada@a.example" in api.shop.shoppers
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

    def test_atomic_updates(self, make: Callable[..., Api]) -> None:
        """An atomic store takes all updates of a bulk call back when one is refused."""
        api = make(bulk_atomic=True)
        a, b = api.company("A"), api.company("B")
        api("PUT", "/companies/bulk", [{"companyId": a, "city": "Bonn"}, {"companyId": b, "city": 1}])
        assert api.shop.companies[a].city == ""


class TestUsers:
    @pytest.mark.parametrize(
        ("key", "named"),
        [("firstName", "first_name"), ("lastName", "last_name"), ("email", "email"), ("companyId", "company_id")],
    )
    def test_required_fields(self, api: Api, key: str, named: str) -> None:
        """A user without name, e-mail or company is refused by the field's snake_case name."""
        reply = api("POST", "/users", without(user_body(api.company(), "max@aero.example"), key))
        assert reply.status == 422
        assert reply.message == "Parameter Error"
        assert reply.error == {named: ["This field may not be null."]}

    def test_a_role_is_needed(self, api: Api) -> None:
        """A user with neither role nor companyRoleId is refused."""
        reply = api("POST", "/users", without(user_body(api.company(), "max@aero.example"), "role"))
        assert reply.error == {"non_field_errors": ["User must have a role."]}

    @pytest.mark.parametrize("fields", [{"role": 5}, {"companyRoleId": 5}, {"email": "max"}, {"companyId": 5}])
    def test_wrong_values(self, api: Api, fields: dict[str, Any]) -> None:
        """A role, e-mail address or company that is none is refused, and nobody is made."""
        api.company()
        company = next(iter(api.shop.companies))
        assert api("POST", "/users", user_body(company, "max@aero.example") | fields).status == 422
        assert len(api.shop.users) == 1

    def test_emails_are_unique_in_the_whole_store(self, api: Api) -> None:
        """An e-mail that a user of any company or a super admin holds is refused, whatever its case."""
        a, b = api.company("A"), api.company("B")
        api.user(a, "max@a.example")
        api("POST", "/super-admins", {"firstName": "S", "lastName": "A", "email": "super@shop.example"})
        for company, email in ((b, "max@a.example"), (a, "MAX@a.example"), (b, "Super@shop.example")):
            reply = api("POST", "/users", user_body(company, email))
            assert (reply.status, reply.error) == (422, f"Email already exists. ['{email}']")

    def test_a_super_admin_needs_a_free_email(self, api: Api) -> None:
        """A super admin with a company user's e-mail is refused with 400, with a shopper's it is made."""
        api.company(email="ada@a.example")
        body = {"firstName": "S", "lastName": "A", "email": "ada@a.example"}
        reply = api("POST", "/super-admins", body)
        assert (reply.status, reply.message) == (400, "The user already exists.")
        shopper = api.shop.add_shopper("super@shop.example")
        made = api("POST", "/super-admins", {**body, "email": "super@shop.example"}).data
        assert made["customerId"] == shopper
        assert api("GET", f"/super-admins/info/{made['userId']}").data["email"] == "super@shop.example"
        assert api.emails() == ["ada@a.example"]

    def test_custom_roles(self, api: Api) -> None:
        """A custom role is given by companyRoleId, counts more than role, and reads back as role 2."""
        role = api("POST", "/companies/roles", {"name": "Primary Admin", "permissions": []}).data
        assert role["roleType"] == 2
        user = api.user(api.company(), "max@aero.example", role=0, companyRoleId=role["id"])
        read = api("GET", f"/users/{user}").data
        assert (read["role"], read["companyRoleId"], read["companyRoleName"]) == (2, role["id"], "Primary Admin")
        assert api.emails(roles=2) == ["max@aero.example"]

    def test_filters_of_the_list(self, api: Api) -> None:
        """Users are filtered by company, exact e-mail, roles, channel, and part of name, e-mail or company."""
        a, b = api.company("Aero", email="ada@a.example"), api.company("Bau", email="bea@b.example")
        api.user(a, "max@a.example", firstName="Maximilian", role=1)
        assert api.emails(companyId=a) == ["ada@a.example", "max@a.example"]
        assert api.emails(companyId=b, email="max@a.example") == []
        assert api.emails(email="max@a.example") == ["max@a.example"]
        assert api.emails(email="max@a") == []
        assert api.emails(roles=[1, 2]) == ["max@a.example"]
        assert api.emails(**{"roles[]": 0}) == ["ada@a.example", "bea@b.example"]
        assert api("GET", "/users", roles=99).error == {"roles": {"0": ['"99" is not a valid choice.']}}
        assert api.emails(channelId=1) == api.emails()
        assert api.emails(channelId=2) == []
        assert api.emails(q="imil") == ["max@a.example"]
        assert api.emails(q="BAU") == ["bea@b.example"]

    def test_stamps_in_filters(self, api: Api) -> None:
        """Users are listed whose stamps are later and earlier than the bounds, the bounds excluded."""
        company = api.company(email="ada@a.example")
        api.clock.pass_by(10)
        api.user(company, "max@a.example")
        start = int(START.timestamp())
        assert api.emails(minCreated=start) == ["max@a.example"]
        assert api.emails(maxModified=start + 10) == ["ada@a.example"]
        assert api.emails(minModified=start - 1, maxCreated=start + 11) == ["ada@a.example", "max@a.example"]

    def test_updates(self, api: Api) -> None:
        """An update changes what it names and never the company."""
        a, b = api.company("A"), api.company("B")
        user = api.user(a, "max@a.example", uuid="note-1")
        api.clock.pass_by(5)
        reply = api("PUT", f"/users/{user}", {"firstName": "Moritz", "companyId": b, "phone": "1"})
        assert reply.status == 200
        read = api("GET", f"/users/{user}").data
        assert (read["firstName"], read["lastName"], read["companyId"]) == ("Moritz", "Born", a)
        assert (read["uuid"], read["phoneNumber"], read["role"]) == ("note-1", "", 2)
        assert read["updatedAt"] == read["createdAt"] + 5

    def test_an_update_answers_other_channel_ids(self, api: Api) -> None:
        """An update's answer names channels by an internal id, with the real one beside it."""
        user = api.user(api.company(), "max@aero.example")
        (channel,) = api("PUT", f"/users/{user}", {}).data["channelList"]
        (real,) = api("GET", f"/users/{user}").data["channelList"]
        assert channel["channelId"] != channel["bcChannelId"] == real["channelId"] == 1

    def test_role_changes(self, api: Api) -> None:
        """A role may be given by number or by id, and the last admin may be demoted."""
        company = api.company()
        (admin,) = api.shop.users_of(company)
        senior = api("GET", "/companies/roles", q="senior").data[0]["id"]
        api("PUT", f"/users/{admin.id}", {"companyRoleId": senior})
        assert api("GET", f"/users/{admin.id}").data["companyRoleName"] == "Senior Buyer"
        assert api.shop.admins_of(company) == ()
        api("PUT", f"/users/{admin.id}", {"role": 0})
        assert [user.id for user in api.shop.admins_of(company)] == [admin.id]

    def test_an_email_changes(self, api: Api) -> None:
        """A changed e-mail frees the old one; the shopper goes along; a taken one is refused."""
        company = api.company(email="ada@a.example")
        user = api.user(company, "max@a.example")
        customer = api.shop.users[user].customer_id
        assert api("PUT", f"/users/{user}", {"email": "ada@a.example"}).status == 422
        assert api("PUT", f"/users/{user}", {"email": "Max@A.example"}).status == 200
        assert api("PUT", f"/users/{user}", {"email": "moritz@a.example"}).data["customerId"] == customer
        assert api.emails(email="max@a.example") == []
        assert api("POST", "/users", user_body(company, "max@a.example")).data["bcId"] != customer

    def test_an_email_of_a_former_user(self, api: Api) -> None:
        """A user that takes a shopper's e-mail is linked to that shopper."""
        company = api.company()
        user = api.user(company, "max@a.example")
        shopper = api.shop.add_shopper("former@a.example")
        assert api("PUT", f"/users/{user}", {"email": "former@a.example"}).data["customerId"] == shopper

    def test_the_last_user_stays(self, api: Api) -> None:
        """A company's last user can't be deleted; its last admin can."""
        company = api.company()
        (admin,) = api.shop.users_of(company)
        other = api.user(company, "max@aero.example")
        assert api("DELETE", f"/users/{admin.id}").data == {"userId": admin.id}
        reply = api("DELETE", f"/users/{other}")
        assert (reply.status, reply.error) == (422, "The last user in company can not be deleted.")
        assert [user.id for user in api.shop.users_of(company)] == [other]

    def test_a_deleted_user_stays_a_shopper(self, api: Api) -> None:
        """A deleted user is gone, its customer is not: a new user of the e-mail, anywhere, gets the same one."""
        a, b = api.company("A"), api.company("B")
        user = api.user(a, "max@a.example")
        customer = api("GET", f"/users/{user}").data["customerId"]
        assert api("GET", f"/users/customer/{customer}").data["id"] == user
        api("DELETE", f"/users/{user}")
        assert api("GET", f"/users/{user}").error == "User matching query does not exist."
        assert api("PUT", f"/users/{user}", {}).status == 404
        assert api("DELETE", f"/users/{user}").status == 404
        assert api("GET", f"/users/customer/{customer}").status == 404
        assert api("POST", "/users", user_body(b, "MAX@a.example")).data["bcId"] == customer

    def test_welcome_mails(self, api: Api) -> None:
        """A welcome mail goes out when it was asked for, and only then."""
        company = api.company()
        api.user(company, "max@a.example")
        user = api.user(company, "mia@a.example", acceptWelcomeEmail=True)
        assert api.shop.welcomed == [user]


class TestUsersInBulk:
    def test_ten_at_most(self, api: Api) -> None:
        """Ten users are made at once, eleven are refused with 413; the answer holds no e-mails."""
        company = api.company()
        rows = [user_body(company, f"u{number}@a.example") for number in range(11)]
        refused = api("POST", "/users/bulk", rows)
        assert (refused.status, refused.error) == (413, "Add up to ten data at a time")
        reply = api("POST", "/users/bulk", rows[:10])
        assert [set(row) for row in reply.data] == [{"userId", "bcId"}] * 10
        assert [api.shop.users[row["userId"]].email for row in reply.data] == [row["email"] for row in rows[:10]]

    def test_conflicts(self, api: Api) -> None:
        """Refused e-mails, also those twice in one call, are listed; the other users are made."""
        company = api.company(email="ada@a.example")
        emails = ["ada@a.example", "max@a.example", "MAX@a.example"]
        reply = api("POST", "/users/bulk", [user_body(company, email) for email in emails])
        assert reply.status == 422
        assert "['ada@a.example']" in reply.error
        assert "['MAX@a.example']" in reply.error
        assert api.emails(companyId=company) == ["ada@a.example", "max@a.example"]

    def test_wrong_rows(self, api: Api) -> None:
        """Wrong rows are listed in parallel to the request, the made ones as empty objects."""
        company = api.company(email="ada@a.example")
        rows = [
            user_body(company, "max@a.example"),
            without(user_body(company, "mia@a.example"), "lastName"),
            user_body(company, "ada@a.example"),
        ]
        reply = api("POST", "/users/bulk", rows)
        assert reply.error[:2] == [{}, {"last_name": ["This field may not be null."]}]
        assert reply.error[2] == {"non_field_errors": ["Email already exists. ['ada@a.example']"]}
        assert api.emails(companyId=company) == ["ada@a.example", "max@a.example"]

    def test_all_or_nothing(self, make: Callable[..., Api]) -> None:
        """An atomic store makes no user of a bulk call in which one is refused."""
        api = make(bulk_atomic=True)
        company = api.company(email="ada@a.example")
        rows = [user_body(company, "max@a.example"), user_body(company, "ada@a.example")]
        assert api("POST", "/users/bulk", rows).status == 422
        assert api.emails() == ["ada@a.example"]
        assert api("POST", "/users/bulk", rows[:1]).status == 200

    def test_shuffled_answers(self, make: Callable[..., Api]) -> None:
        """A store may answer a bulk call in another order than it was asked in."""
        api = make(shuffle_bulk=True)
        company = api.company()
        reply = api("POST", "/users/bulk", [user_body(company, "a@a.example"), user_body(company, "b@a.example")])
        assert [api.shop.users[row["userId"]].email for row in reply.data] == ["b@a.example", "a@a.example"]


class TestAddresses:
    @pytest.mark.parametrize("key", ["firstName", "lastName", "addressLine1", "city", "companyId"])
    def test_required_fields(self, api: Api, key: str) -> None:
        """An address without names, line, city or company is refused."""
        reply = api("POST", "/addresses", without(address_body(api.company()), key))
        assert list(reply.error.values()) == [["This field may not be null."]]
        assert not api.shop.addresses

    def test_its_company_must_be_there(self, api: Api) -> None:
        """An address of a company that is not there is refused."""
        assert api("POST", "/addresses", address_body(7)).error == {"company_id": ["Company does not exist."]}

    @pytest.mark.parametrize(
        "place",
        [
            {"countryCode": "US", "stateCode": "TX"},
            {"countryName": "United States", "stateName": "Texas"},
            {"countryCode": "US", "countryName": "United States", "stateName": "texas"},
        ],
    )
    def test_places(self, api: Api, place: dict[str, str]) -> None:
        """Country and state are taken by codes or names and answered by both."""
        body = without(address_body(api.company()), "countryCode", "stateCode") | place
        address = api("POST", "/addresses", body).data["addressId"]
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryCode"], read["countryName"]) == ("US", "United States")
        assert (read["stateCode"], read["stateName"]) == ("TX", "Texas")

    @pytest.mark.parametrize(
        ("place", "wrong"),
        [
            ({"country": "US", "stateCode": "TX"}, "non_field_errors"),
            ({"countryCode": "XX"}, "country_code"),
            ({"countryName": "Atlantis"}, "country_name"),
            ({"countryCode": "US"}, "state_name"),
            ({"countryCode": 1}, "country_code"),
            ({"countryCode": "DE"}, "state_name"),
            ({"countryCode": "US", "stateCode": "ON"}, "state_code"),
            ({"countryCode": "CA", "stateName": "Texas"}, "state_name"),
            ({"countryCode": "CA", "countryName": "United States", "stateCode": "ON"}, "country_code"),
        ],
    )
    def test_places_that_are_none(self, api: Api, place: dict[str, str], wrong: str) -> None:
        """A country must be listed, a state be one of it, and be there where the country needs one."""
        body = without(address_body(api.company()), "countryCode", "stateCode") | place
        reply = api("POST", "/addresses", body)
        assert (reply.status, list(reply.error)) == (422, [wrong])

    def test_a_country_without_states(self, api: Api) -> None:
        """An address in a country that needs no state has none."""
        body = without(address_body(api.company()), "stateCode") | {"countryCode": "GB"}
        address = api("POST", "/addresses", body).data["addressId"]
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryName"], read["stateCode"], read["stateName"]) == ("United Kingdom", "", "")

    def test_a_place_changes(self, api: Api) -> None:
        """A new code brings its name and needs its state; a new country name needs its code."""
        address = api.address(api.company())
        assert api("PUT", f"/addresses/{address}", {"countryCode": "CA"}).status == 422
        assert api("PUT", f"/addresses/{address}", {"countryName": "Canada", "stateCode": "ON"}).status == 422
        assert api("PUT", f"/addresses/{address}", {"countryCode": "CA", "stateCode": "ON"}).status == 200
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryName"], read["stateName"]) == ("Canada", "Ontario")
        assert api("PUT", f"/addresses/{address}", {"stateCode": "QC"}).status == 200
        assert api.shop.addresses[address].place.state_name == "Quebec"

    def test_external_ids(self, api: Api) -> None:
        """An external id is found by its filter, may be one of several, and is null when cleared."""
        company = api.company()
        first = api.address(company, externalId="note-1")
        second = api.address(company, externalId="note-2")
        api.address(company, externalId="")

        def found(*ids: str) -> list[int]:
            return [row["addressId"] for row in api("GET", "/addresses", **{"externalId[]": ids}).data]

        assert found("note-2") == [second]
        assert found("note-1", "note-2") == [first, second]
        assert found("note") == []
        api("PUT", f"/addresses/{first}", {"externalId": None})
        shown = [row["externalId"] for row in api("GET", "/addresses").data]
        assert shown == [None, "note-2", None]

    def test_the_company_is_a_text(self, api: Api) -> None:
        """An address shows its company's id as a text, unlike everything else."""
        address = api.address(company := api.company())
        assert api("GET", f"/addresses/{address}").data["companyId"] == str(company)

    def test_uses(self, api: Api) -> None:
        """Addresses are filtered by company and use."""
        a, b = api.company("A"), api.company("B")
        billing = api.address(a, isBilling=True)
        shipping = api.address(b, isShipping=True)

        def found(**query: object) -> list[int]:
            return [row["addressId"] for row in api("GET", "/addresses", **query).data]

        assert found(isBilling="true") == [billing]
        assert found(isBilling="false") == [shipping]
        assert found(isShipping=1, companyId=b) == [shipping]
        assert found(companyId=a) == [billing]

    @pytest.mark.parametrize(
        "fields",
        [
            {"isDefaultShipping": True},
            {"isDefaultBilling": True, "isShipping": True},
            {"isDefaultShipping": True, "isShipping": False},
        ],
    )
    def test_a_default_needs_its_use(self, api: Api, fields: dict[str, bool]) -> None:
        """A default mark is refused unless the use itself comes with it."""
        company = api.company()
        address = api.address(company)
        for reply in (
            api("POST", "/addresses", address_body(company, **fields)),
            api("PUT", f"/addresses/{address}", fields),
        ):
            assert (reply.status, reply.error) == (422, "Check is default fields and corresponding field.")

    def test_one_default(self, api: Api) -> None:
        """A company has one default address of a use: a new one ends the former, in that company alone."""
        a, b = api.company("A"), api.company("B")
        default = {"isShipping": True, "isDefaultShipping": True}
        first, other = api.address(a, **default), api.address(b, **default)
        second = api.address(a, **default)
        marked = {address.id for address in api.shop.addresses.values() if address.is_default_shipping}
        assert marked == {second, other}
        assert api.shop.addresses[first].is_shipping

    def test_updates_and_deletion(self, api: Api) -> None:
        """An update changes what it names; a deleted address is gone."""
        address = api.address(company := api.company(), label="Dock", phoneNumber="1")
        api("PUT", f"/addresses/{address}", {"label": "Dock 2"})
        read = api("GET", f"/addresses/{address}").data
        assert (read["label"], read["phoneNumber"], read["city"]) == ("Dock 2", "1", "Austin")
        assert api("PUT", f"/addresses/{address}", {"city": ""}).status == 422
        assert api("DELETE", f"/addresses/{address}").data == {"addressId": address}
        assert api("GET", f"/addresses/{address}").error == "Address matching query does not exist."
        assert api.shop.addresses_of(company) == ()

    def test_in_bulk(self, make: Callable[..., Api]) -> None:
        """A bulk call answers whole addresses, makes the good rows, lists the others, and takes ten at most."""
        api = make(shuffle_bulk=True)
        company = api.company()
        good, bad = address_body(company, label="A"), without(address_body(company), "lastName")
        reply = api("POST", "/addresses/bulk", [good, {**good, "label": "B"}])
        assert [row["label"] for row in reply.data] == ["B", "A"]
        reply = api("POST", "/addresses/bulk", [good, bad])
        assert (reply.status, reply.error) == (422, [{}, {"last_name": ["This field may not be null."]}])
        assert len(api.shop.addresses) == 3
        assert api("POST", "/addresses/bulk", [good] * 11).status == 413
        api.shop.bulk_atomic = True
        api("POST", "/addresses/bulk", [good, bad])
        assert len(api.shop.addresses) == 3


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


EMAILS = st.sampled_from([f"{name}@shop.example" for name in ("ada", "ADA", "bea", "Bea", "cy", "dan", "eve")])


class Store(RuleBasedStateMachine):
    """Whatever is asked of it, the store keeps its rules; read through the API alone."""

    companies = Bundle("companies")
    users = Bundle("users")

    def __init__(self) -> None:
        super().__init__()
        self.api = Api(BigCommerceSimulator(requests_per_minute=None, now=Clock()))
        self.super_admins: set[str] = set()

    def listed(self, **query: object) -> list[Any]:
        return list(self.api("GET", "/users", limit=250, **query).data)

    @rule(target=companies, email=EMAILS)
    def create_company(self, email: str) -> Any:
        reply = self.api("POST", "/companies", company_body(email=email))
        return reply.data["companyId"] if reply.status == 200 else multiple()

    @rule(target=users, company=companies, email=EMAILS, role=st.integers(0, 2))
    def create_user(self, company: int, email: str, role: int) -> Any:
        taken = {user["email"].lower() for user in self.listed()} | self.super_admins
        reply = self.api("POST", "/users", user_body(company, email, role=role))
        assert (reply.status == 200) == (email.lower() not in taken)
        return reply.data["userId"] if reply.status == 200 else multiple()

    @rule(target=users, company=companies, emails=st.lists(EMAILS, min_size=1, max_size=4))
    def create_users(self, company: int, emails: list[str]) -> Any:
        before = {user["id"] for user in self.listed()}
        self.api("POST", "/users/bulk", [user_body(company, email) for email in emails])
        return multiple(*({user["id"] for user in self.listed()} - before))

    @rule(user=users, email=EMAILS, company=companies)
    def change_user(self, user: int, email: str, company: int) -> None:
        before = self.api("GET", f"/users/{user}").data.get("companyId")
        self.api("PUT", f"/users/{user}", {"email": email, "companyId": company})
        assert self.api("GET", f"/users/{user}").data.get("companyId") == before

    @rule(user=users)
    def delete_user(self, user: int) -> None:
        found = self.api("GET", f"/users/{user}")
        colleagues = self.listed(companyId=found.data["companyId"]) if found.status == 200 else []
        expected = {0: 404, 1: 422}.get(len(colleagues), 200)
        assert self.api("DELETE", f"/users/{user}").status == expected

    @rule(company=companies)
    def delete_an_admin(self, company: int) -> None:
        users = self.listed(companyId=company)
        for user in users[:1]:
            assert self.api("DELETE", f"/users/{user['id']}").status == (422 if len(users) == 1 else 200)

    @rule(company=consumes(companies))
    def delete_company(self, company: int) -> None:
        assert self.api("DELETE", f"/companies/{company}").status == 200

    @rule(email=EMAILS)
    def create_super_admin(self, email: str) -> None:
        reply = self.api("POST", "/super-admins", {"firstName": "S", "lastName": "A", "email": email})
        if reply.status == 200:
            assert email.lower() not in self.super_admins
            self.super_admins.add(email.lower())

    @invariant()
    def emails_are_unique(self) -> None:
        emails = [user["email"].lower() for user in self.listed()]
        assert len({*emails, *self.super_admins}) == len(emails) + len(self.super_admins)

    @invariant()
    def shoppers_belong_to_one_user(self) -> None:
        customers = [user["customerId"] for user in self.listed()]
        assert len(set(customers)) == len(customers)
        for user in self.listed():
            assert self.api.shop.shoppers[user["email"].lower()] == user["customerId"]

    @invariant()
    def each_user_belongs_to_one_company_and_none_is_empty(self) -> None:
        companies = [company["companyId"] for company in self.api("GET", "/companies", limit=250).data]
        members = [user["id"] for company in companies for user in self.listed(companyId=company)]
        assert sorted(members) == [user["id"] for user in self.listed()]
        assert {user["companyId"] for user in self.listed()} == set(companies)


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
