from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.simulators.bigcommerce.conftest import Api, Clock, company_body, user_body

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
            shopper = self.api.shop.shoppers.by_email(user["email"])
            assert shopper
            assert shopper.id == user["customerId"]

    @invariant()
    def each_user_belongs_to_one_company_and_none_is_empty(self) -> None:
        companies = [company["companyId"] for company in self.api("GET", "/companies", limit=250).data]
        members = [user["id"] for company in companies for user in self.listed(companyId=company)]
        assert sorted(members) == [user["id"] for user in self.listed()]
        assert {user["companyId"] for user in self.listed()} == set(companies)


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
