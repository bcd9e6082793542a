"""Creating users: singly, ten at a time, and whatever came of a call."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, OutcomeUnknownError, RateLimitedError, Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response, Retries
from tests.bigcommerce.conftest import (
    BULK,
    SINCE,
    STAMP,
    Clock,
    Shop,
    address,
    answer,
    doing,
    listed,
    one,
    reasons,
    refused,
    user,
    user_row,
)


def test_one_user(shop: Shop) -> None:
    """A single user is posted singly, and its answer tells its id."""
    shop.on("POST users", one(userId=31, bcId=693))
    act = doing(user(1, phone="555", extra_fields=(("Title", "CEO"),)))
    assert shop.ask(act, channel_ids=(1, 7)) == (Ok("31"),)
    assert shop.bodies("POST users") == [
        {
            "firstName": "Ann",
            "lastName": "Lee",
            "email": "u1@example.com",
            "phoneNumber": "555",
            "companyId": 5,
            "role": 2,
            "companyRoleId": 12795,
            "channelIds": [1, 7],
            "acceptWelcomeEmail": False,
            "uuid": "note-1",
            "extraFields": [{"fieldName": "Title", "fieldValue": "CEO"}],
        }
    ]


def test_channels_of_a_user(shop: Shop) -> None:
    """A user is on the channels of the contact's sites; one whose sites are all unknown is refused, named."""
    shop.on("POST users", one(userId=31))
    outcomes = shop.ask(doing(user(1, sites=("SHOP", "NEW"))), channels={"SHOP": 7})
    assert outcomes == (Ok("31"),)
    assert shop.bodies("POST users")[0]["channelIds"] == [7]
    [outcome] = shop.ask(doing(user(1, sites=("NEW",))), channels={"SHOP": 7})
    assert reasons([outcome]) == [Reason.INVALID]
    assert "contact 'K1'" in str(outcome.error)
    assert "site 'NEW'" in str(outcome.error)
    assert "POST users" not in shop.routes()


@pytest.mark.parametrize(
    ("role", "number", "id_"),
    [("Admin", 0, 12793), ("Senior Buyer", 1, 12794), ("Junior Buyer", 2, 12795), ("Primary Admin", 2, 900)],
)
def test_role_fields(shop: Shop, role: str, number: int, id_: int) -> None:
    """The role's id goes with the number that the API has for it, 2 for a store's own."""
    shop.on("POST users", one(userId=31))
    shop.ask(doing(user(1, role=role)), welcome_mail=True)
    [body] = shop.bodies("POST users")
    assert (body["role"], body["companyRoleId"], body["acceptWelcomeEmail"]) == (number, id_, True)
    assert "extraFields" not in body


def test_custom_role_of_a_predefined_name(shop: Shop) -> None:
    """A role that the store made is 2, whatever its name."""
    shop.on("GET companies/roles", listed({"id": 8, "name": "Admin", "roleType": 2})).on("POST users", one(userId=31))
    shop.ask(doing(user(1, role="Admin")))
    assert (shop.bodies("POST users")[0]["role"], shop.bodies("POST users")[0]["companyRoleId"]) == (2, 8)


def test_unknown_role(shop: Shop) -> None:
    """An unknown role raises before any request but the roles' goes out."""
    shop.on("POST users", one(userId=31))
    with pytest.raises(ConfigurationError, match="no role 'Owner'"):
        shop.ask(doing(user(1), user(2, role="Owner")))
    assert shop.routes() == ["GET companies/roles"]


def test_roles_unreadable(shop: Shop) -> None:
    """Where the roles can't be read, nothing is written and every action fails."""
    shop.on("GET companies/roles", refused("no")).on("POST users", one(userId=31))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [Reason.INVALID] * 2
    assert shop.routes() == ["GET companies/roles"]


def test_bulk_users(shop: Shop) -> None:
    """Users of several companies share calls of ten; ids come from one listing, never by position."""
    shop.on("POST users/bulk", BULK).on("POST users", one(userId=77))
    rows = [user_row(100 + i, company=5 + i % 2, email=f"U{i}@example.com") for i in range(30)]
    shop.on("GET users", listed(*reversed(rows)))
    outcomes = shop.ask(doing(*(user(i, str(5 + i % 2)) for i in range(21))))
    assert outcomes == tuple([Ok(str(100 + i)) for i in range(20)] + [Ok("77")])
    assert [len(body) for body in shop.bodies("POST users/bulk")] == [10, 10]
    assert shop.queries("GET users") == [
        {"isIncludeExtraFields": "1", "minCreated": SINCE, "limit": "200", "offset": "0"},
    ]


def test_bulk_of_one_company(shop: Shop) -> None:
    """Users of one company are listed by it."""
    shop.on("POST users/bulk", BULK).on(
        "GET users", listed(user_row(8, email="u2@example.com"), user_row(7, email="u1@example.com"))
    )
    assert shop.ask(doing(user(1), user(2))) == (Ok("7"), Ok("8"))
    assert shop.queries("GET users")[0]["companyId"] == "5"


def test_earliest_answer(shop: Shop) -> None:
    """The list reaches back to the earliest of a wave's calls."""
    early = {"Date": "Thu, 01 Jan 2026 00:05:00 GMT"}
    shop.on("POST users/bulk", BULK, answer(200, {"data": []}, **early), BULK).on("GET users", listed())
    shop.ask(doing(*(user(i, str(5 + i % 2)) for i in range(30))))
    assert shop.queries("GET users")[0]["minCreated"] == str(STAMP - 300 - 150)


def test_same_address_elsewhere(shop: Shop) -> None:
    """A user of another company is not taken for the one that was to be made."""
    shop.on("POST users/bulk", BULK)
    shop.on("GET users", listed(user_row(7, email="u1@example.com"), user_row(8, company=9, email="u2@example.com")))
    assert reasons(shop.ask(doing(user(1), user(2, "6")))) == ["7", OutcomeUnknownError]


def test_lists_that_lag(shop: Shop) -> None:
    """What the shop says it made and does not list yet is looked for again, after longer and longer pauses."""
    shop.on("POST users/bulk", BULK)
    first, rest = user_row(7, email="u1@example.com"), user_row(8, email="u2@example.com")
    shop.on("GET users", listed(), listed(first), listed(first, rest))
    assert shop.ask(doing(user(1), user(2))) == (Ok("7"), Ok("8"))
    assert shop.slept == [1.0, 2.0]
    assert shop.routes().count("POST users/bulk") == 1


def test_lag_without_end(shop: Shop) -> None:
    """What is never listed stays unknown, and is not sent again."""
    shop.on("POST users/bulk", BULK).on("GET users", listed())
    assert reasons(shop.ask(doing(user(1), user(2)))) == [OutcomeUnknownError] * 2
    assert shop.slept == [1.0, 2.0, 4.0]
    assert shop.routes() == ["GET companies/roles", "POST users/bulk", *["GET users"] * 4]
    shop.ask(doing(user(1), user(2)), retries=Retries(attempts=1))
    assert shop.routes().count("GET users") == 1


def test_server_without_clock(shop: Shop) -> None:
    """Where the server tells no time, the whole list tells the ids."""
    shop.on("POST users/bulk", Response(status=200, body=BULK.body))
    shop.on("GET users", listed(user_row(7, email="u1@example.com"), user_row(8, company=6, email="u2@example.com")))
    assert shop.ask(doing(user(1), user(2, "6"))) == (Ok("7"), Ok("8"))
    assert "minCreated" not in shop.queries("GET users")[0]


def test_refused_bulk(shop: Shop) -> None:
    """After a refusal the list tells what was made; who is named fails, the others are sent singly."""
    shop.on("POST users/bulk", refused("Email already exists. ['U2@example.com']"))
    shop.on("GET users", listed(user_row(7, email="u1@example.com")))
    shop.on("POST users", one(userId=9), refused({"phone_number": ["too long"]}))
    outcomes = shop.ask(doing(user(1), user(2), user(3), user(4)))
    assert reasons(outcomes) == ["7", Reason.EMAIL_TAKEN, "9", Reason.INVALID]
    assert str(outcomes[1].error) == "create the company user of contact 'K2' in company 5: Email already exists."
    assert str(outcomes[3].error).endswith("phoneNumber: too long")
    assert [body["email"] for body in shop.bodies("POST users")] == ["u3@example.com", "u4@example.com"]
    assert shop.routes().index("GET users") < shop.routes().index("POST users")


@pytest.mark.parametrize("listing", [listed(total=5), answer(500, {}), refused("no")])
def test_refused_bulk_unproven(shop: Shop, listing: Response) -> None:
    """Where no proven list shows what a refused call made, nothing is sent again."""
    shop.on("POST users/bulk", refused("bad")).on("GET users", listing).on("POST users", one(userId=9))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [OutcomeUnknownError] * 2
    assert "POST users" not in shop.routes()


@pytest.mark.parametrize(
    "lost", [OSError("reset"), answer(500, {}), answer(504, {}), Response(status=200, body=b"<html>")]
)
def test_lost_bulk(shop: Shop, lost: Response | Exception) -> None:
    """A create whose answer was lost is never sent again, and costs its ten only."""
    shop.on("POST users/bulk", lost, BULK)
    shop.on("GET users", listed(*(user_row(100 + i, email=f"u{i}@example.com") for i in range(10, 12))))
    outcomes = shop.ask(doing(*(user(i) for i in range(12))))
    assert reasons(outcomes) == [OutcomeUnknownError] * 10 + ["110", "111"]
    assert [len(body) for body in shop.bodies("POST users/bulk")] == [10, 2]


@pytest.mark.parametrize("lost", [OSError("reset"), answer(503, {}), one(), Response(status=200, body=b"<html>")])
def test_lost_single(shop: Shop, lost: Response | Exception) -> None:
    """A single create that is lost, or whose answer can't be read, is not sent again."""
    shop.on("POST users", lost, one(userId=1))
    [outcome] = shop.ask(doing(user(1)))
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert "'K1'" in str(outcome.error)
    assert shop.routes().count("POST users") == 1


def test_rate_limited_create(shop: Shop) -> None:
    """A 429 means that nothing happened: a create is sent again, and fails as it is once patience ends."""
    shop.on("POST users", answer(429, {}, Retry_After="3"), one(userId=1))
    assert shop.ask(doing(user(1))) == (Ok("1"),)
    shop.on("POST users/bulk", answer(429, {}, Retry_After="60"))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [RateLimitedError] * 2


def test_refused_credentials(shop: Shop) -> None:
    """Refused credentials end the run, at the first of them."""
    shop.on("POST users/bulk", answer(401, {}))
    with pytest.raises(AuthenticationError):
        shop.ask(doing(user(1), user(2)))
    assert shop.routes().count("POST users/bulk") == 1


def test_foreign_company(shop: Shop) -> None:
    """A company whose id is no number fails by itself; the others are made."""
    shop.on("POST users", one(userId=1)).on("POST addresses", one(addressId=2)).on("GET countries", refused("", 404))
    outcomes = shop.ask(doing(user(1, "abc"), user(2), address(1, "abc"), address(2)))
    assert reasons(outcomes) == [Reason.GONE, "1", Reason.GONE, "2"]


def test_nothing_to_do(shop: Shop) -> None:
    """No actions, no requests."""
    assert shop.ask(doing()) == ()
    assert shop.sent == []


# ------------------------------------------------------------------ a law
class Faulty:
    """A store of users whose bulk calls make any part of what they are asked for."""

    def __init__(self, faults: list[tuple[int, set[int]]]) -> None:
        self.faults = faults
        self.rows: list[dict[str, Any]] = []
        self.posted: list[str] = []

    def send(self, request: Request, /) -> Response:
        """Answer one request."""
        if request.method == "GET":
            roles = {"id": 12795, "name": "Junior Buyer", "roleType": 1}
            return listed(roles) if "roles" in request.url else listed(*self.rows)
        body = json.loads(request.body)
        if not request.url.endswith("bulk"):
            return self.make(body)
        status, kept = self.faults.pop() if self.faults else (200, set(range(10)))
        for i, row in enumerate(body):
            self.posted.append(row["email"])
            if i in kept:
                self.add(row)
        return answer(status, {"code": status, "data": [], "meta": {"message": "m"}})

    def make(self, row: dict[str, Any]) -> Response:
        """Make one user as the API does: an address once."""
        if any(made["email"] == row["email"] for made in self.rows):
            return refused("Email already exists.")
        return one(userId=self.add(row))

    def add(self, row: dict[str, Any]) -> int:
        """Make one user."""
        id_ = 1000 - len(self.rows)
        self.rows.append(user_row(id_, company=row["companyId"], email=row["email"], role=12795))
        return id_


FAULTS = st.lists(st.tuples(st.sampled_from([200, 400, 409, 422, 500, 503]), st.sets(st.integers(0, 9))), max_size=4)


@given(st.integers(0, 35), FAULTS)
def test_whatever_a_bulk_call_made(count: int, faults: list[tuple[int, set[int]]]) -> None:
    """Whatever part of a call was made, an id is the right user's, and nobody is posted in bulk twice."""
    store = Faulty(list(faults))
    client = BigCommerce(BigCommerceConfig(store_hash="h", token="t"), store, clock=Clock(), parallel=1)
    actions = [user(i, str(5 + i % 3)) for i in range(count)]
    outcomes = client.perform(actions)
    made = {(row["email"], str(row["companyId"])): str(row["id"]) for row in store.rows}
    assert len(outcomes) == count
    for action, outcome in zip(actions, outcomes, strict=True):
        id_ = made.get((action.user.email, action.company))
        if isinstance(outcome, Ok):
            assert outcome.value == id_
        else:
            assert isinstance(outcome.error, OutcomeUnknownError)
    assert len(store.posted) == len(set(store.posted))
    if all(status < 500 for status, _ in faults) and not any(status == 200 for status, _ in faults):
        assert len(made) == count
