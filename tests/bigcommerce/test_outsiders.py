"""People of the store who are no company users: super admins and shoppers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import AuthenticationError, DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Allowance, Request, Response
from tests.bigcommerce.conftest import Clock, Shop, answer, listed, refused

ADMINS = "GET companies/super-admins"
CORE = "GET /stores/hash/v3/customers"


def admin(id_: int, email: str) -> dict[str, Any]:
    """Return a super admin as the API answers it."""
    return {"id": id_, "firstName": "Ada", "lastName": "Ray", "email": email, "phone": "", "uuid": ""}


def asking(*emails: str) -> Callable[[Any], Any]:
    """Return the act of asking for super admins."""
    return lambda client: client.super_admins(emails)


def seeking(*emails: str) -> Callable[[Any], Any]:
    """Return the act of looking for shoppers."""
    return lambda client: client.find_shoppers(emails)


def shoppers(*rows: tuple[int, str]) -> Response:
    """Return what the core API answers, with more fields than are needed."""
    data = [{"id": id_, "email": email, "first_name": "Ann", "customer_group_id": 0} for id_, email in rows]
    pagination = {"total": len(data), "count": len(data), "per_page": 250, "current_page": 1, "total_pages": 1}
    return answer(200, {"data": data, "meta": {"pagination": pagination}})


# ------------------------------------------------------------------ super admins
def test_super_admins(shop: Shop) -> None:
    """Who is a super admin is told without case, from one list that is remembered."""
    shop.on(ADMINS, listed(admin(1, "Ada@x.de")))
    first, second = shop.play(asking("ada@X.de ", "bo@x.de"), asking("bo@x.de", "cy@x.de"))
    assert first == (Ok(value=True), Ok(value=False))
    assert second == (Ok(value=False), Ok(value=False))
    assert shop.queries(ADMINS)[0]["limit"] == "200"
    assert len(shop.sent) == 1


def test_super_admin_no_more(shop: Shop) -> None:
    """Who is remembered as a super admin is read anew: he may have ceased to be one."""
    shop.on(ADMINS, listed(admin(1, "ada@x.de")), listed(admin(1, "ada@x.de")), listed())
    answers = shop.play(*[asking("ada@x.de")] * 3)
    assert answers == [(Ok(value=True),), (Ok(value=True),), (Ok(value=False),)]


def test_new_super_admin(shop: Shop) -> None:
    """After forget() the list is read anew."""
    shop.on(ADMINS, listed(), listed(admin(1, "ada@x.de")))
    answers = shop.play(asking("ada@x.de"), lambda client: client.forget(), asking("ada@x.de"))
    assert (answers[0], answers[2]) == ((Ok(value=False),), (Ok(value=True),))


def test_super_admins_unreadable(shop: Shop) -> None:
    """Where the list can't be read, each address fails; a wrong token ends the run; nobody asks for nobody."""
    shop.on(ADMINS, refused("no"))
    assert all(isinstance(outcome, Failed) for outcome in shop.ask(asking("a@x.de", "b@x.de")))
    assert shop.ask(asking()) == ()
    assert shop.sent == []
    shop.on(ADMINS, answer(403, {}))
    with pytest.raises(AuthenticationError):
        shop.ask(asking("a@x.de"))


# ------------------------------------------------------------------ shoppers
def test_find_shoppers(shop: Shop) -> None:
    """The customer of an address is told by his id, compared without case; nobody is None."""
    shop.on(CORE, shoppers((9, "Ann@X.de"), (8, "other@x.de")))
    assert shop.ask(seeking("ann@x.de", "bo@x.de", " ")) == (Ok("9"), Ok(None), Ok(None))
    [request] = shop.sent
    assert urlsplit(request.url).netloc == "api.bigcommerce.com"
    query = parse_qs(urlsplit(request.url).query)
    assert query == {"email:in": ["ann@x.de,bo@x.de"], "limit": ["250"]}


def test_core_headers(shop: Shop) -> None:
    """The core API is asked with the token alone: the store is in the path."""
    shop.on(CORE, shoppers())
    shop.ask(seeking("ann@x.de"))
    names = {name for name, _ in shop.sent[0].headers}
    assert names == {"X-Auth-Token", "Accept"}


def test_many_shoppers(shop: Shop) -> None:
    """Fifty addresses share a request, each asked for once."""
    shop.on(CORE, shoppers())
    emails = [f"u{i}@x.de" for i in range(101)]
    assert shop.ask(seeking(*emails, "U1@x.de")) == (Ok(None),) * 102
    sizes = [parse_qs(urlsplit(request.url).query)["email:in"][0].count(",") + 1 for request in shop.sent]
    assert sizes == [50, 50, 1]
    assert shop.ask(seeking()) == ()


def test_several_shoppers(shop: Shop) -> None:
    """Of several customers with one address, on several channels, the oldest is told."""
    shop.on(CORE, shoppers((9, "ann@x.de"), (4, "ann@x.de"), (7, "ann@x.de")))
    assert shop.ask(seeking("ann@x.de")) == (Ok("4"),)


def test_address_with_a_comma(shop: Shop) -> None:
    """An address that the filter would take for two is refused, and costs no other."""
    shop.on(CORE, shoppers((4, "b@x.de")))
    first, second = shop.ask(seeking('"a,b@x.de"@x.de', "b@x.de"))
    assert isinstance(first, Failed)
    assert isinstance(first.error, RejectedError)
    assert first.error.reason is Reason.INVALID
    assert "@" not in str(first.error)
    assert second == Ok("4")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(422, {"status": 422, "title": "Invalid", "errors": {"email:in": "no"}}), RejectedError),
        (answer(500, {}), OutcomeUnknownError),
        (answer(200, {"data": [{"id": "9"}]}), DecodeError),
    ],
)
def test_refused_search(shop: Shop, reply: Response, error: type[Exception]) -> None:
    """A search that fails is the outcome of each of its addresses."""
    shop.on(CORE, reply)
    outcomes = shop.ask(seeking("a@x.de", "b@x.de"))
    assert [type(outcome.error) for outcome in outcomes] == [error] * 2


def test_token_without_the_scope(shop: Shop) -> None:
    """A token that may not read customers ends the run, and the scope is named."""
    shop.on(CORE, answer(403, {}))
    with pytest.raises(AuthenticationError, match="Customers: read-only"):
        shop.ask(seeking("a@x.de"))


class Purse:
    """A budget that lets all out and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Allowance | None] = []

    def take(self, now: datetime, /) -> float:
        """Let it out."""
        assert now.tzinfo is UTC
        return 0.0

    def answered(self, now: datetime, told: Allowance | None, /) -> None:
        """Note it."""
        assert now.tzinfo is UTC
        self.told.append(told)


class Both:
    """A transport to both APIs."""

    def send(self, request: Request, /) -> Response:
        """Answer by API, each with its own headers."""
        core = "/v3/customers" in request.url
        left = {"X-Rate-Limit-Requests-Left": "11"} if core else {"X-Requests-Remaining": "22 times"}
        body = shoppers() if core else listed()
        return Response(status=200, headers=tuple(left.items()), body=body.body)


def test_two_budgets() -> None:
    """The core API has a quota of its own: each budget hears of its own answers only."""
    ours, core = Purse(), Purse()
    client = BigCommerce(
        BigCommerceConfig(store_hash="hash", token="token"), Both(), clock=Clock(), budget=ours, core_budget=core
    )
    client.find_shoppers(["a@x.de"])
    client.super_admins(["a@x.de"])
    assert ours.told == [Allowance(left=22)]
    assert core.told == [Allowance(left=11)]
