from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.bigcommerce.conftest import START, Api, user_body, without


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

    def test_an_older_store_keeps_the_last_admin(self, make: Callable[..., Api]) -> None:
        """A store as of before August 2025 answers the removal of the only admin with 500, and keeps it."""
        api = make(protects_last_admin=True)
        company = api.company()
        (admin,) = api.shop.users_of(company)
        other = api.user(company, "max@aero.example")
        assert api("DELETE", f"/users/{admin.id}").status == 500
        api("PUT", f"/users/{other}", {"role": 0})
        assert api("DELETE", f"/users/{admin.id}").status == 200
        assert api("DELETE", f"/users/{other}").status == 422

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
