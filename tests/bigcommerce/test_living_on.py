"""A client that lives on from run to run: what it remembered hides nothing that others did, nor what no answer told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve, field

from acumatica_b2b.actions import CreateAddress, CreateUser, SetRole, UpdateCompany, UpdateUser
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import Company, CompanyID, CompanyRef, ContactID, CustomerID
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.bench import FrozenClock
from tests.bigcommerce.test_against_simulator import client_of, company, done, person, placed, ref, value

DAY = 86_400.0


@define(eq=False)
class Town:
    """A store, a client that lives on, and somebody else who works in the store by hand."""

    clock: FrozenClock = field(factory=FrozenClock)
    shop: BigCommerceSimulator = field(init=False)
    client: BigCommerce = field(init=False)
    hand: BigCommerce = field(init=False)
    answers: Callable[[Request, dict[str, Any]], None] = lambda *_: None

    def __attrs_post_init__(self) -> None:
        self.shop = BigCommerceSimulator(now=self.clock.now, requests_per_minute=None)
        self.client = client_of(self.shop)
        settings = BigCommerceConfig(store_hash=self.shop.store_hash, token=self.shop.token)
        self.client = BigCommerce(settings, self, clock=self.clock, parallel=1)
        self.hand = client_of(self.shop)

    def send(self, request: Request, /) -> Response:
        """Return the store's answer, as it is told."""
        response = self.shop.send(request)
        data = json.loads(response.body)
        self.answers(request, data)
        return evolve(response, body=json.dumps(data).encode())

    def made(self, count: int = 2) -> list[CompanyID]:
        """Make companies by the client, a while after the store was opened."""
        self.clock.sleep(DAY)
        return done(self.client, *(company(i) for i in range(count)))

    def look(self, number: int, home: CompanyID | None, *, again: bool = False) -> Company | None:
        """Return what a look shows."""
        found: CompanyRef = evolve(ref(number, home), again=again)
        seen: Company | None = value(self.client.observe([found])[0])
        return seen


def test_what_others_did_since_the_last_run_stays_seen() -> None:
    """A company that was made a run ago and is looked at anew is not shown as it was when a write is read back."""
    town = Town()
    home, _ = town.made()
    before = town.look(0, home, again=True)
    assert before is not None
    town.clock.sleep(DAY)
    town.shop.by_hand("PUT", f"/users/{before.users[0].id}", {"firstName": "Other"})
    done(town.hand, CreateUser(company=home, user=person(7), role="Junior Buyer"))
    done(town.hand, CreateAddress(company=home, address=placed(7)))
    assert town.look(0, home) == town.look(0, home)
    done(town.client, UpdateCompany(company=home, customer=CustomerID("C0"), changes=(("name", "New"),)))
    after = town.look(0, home, again=True)
    assert after == town.look(0, home)
    assert after is not None
    assert ([user.first_name for user in after.users], len(after.addresses)) == (["Other", "Ann"], 1)


def test_a_look_that_shows_not_all_leaves_nothing_older() -> None:
    """Where a look anew is not complete, a second one does not show what was seen the day before."""
    town = Town()
    home, _ = town.made()
    done(town.hand, *(CreateUser(company=home, user=person(i), role="Junior Buyer") for i in range(3)))
    seen = town.look(0, home)
    assert seen is not None
    town.clock.sleep(DAY)
    town.shop.by_hand("DELETE", f"/users/{seen.users[-1].id}")

    def short(request: Request, data: dict[str, Any]) -> None:
        if "/users?" in request.url and "companyId" in request.url:
            data["meta"]["pagination"]["totalCount"] += 1

    town.answers = short
    anew, again = town.look(0, home), town.look(0, home, again=True)
    assert anew is not None
    assert again is not None
    assert not again.complete
    assert again.users == anew.users


def test_an_answer_to_a_role_need_not_tell_the_rest() -> None:
    """Of a user whose role was changed the answer is believed for the role; names and ids stay what was read."""
    town = Town()
    home, _ = town.made()
    done(town.client, CreateUser(company=home, user=person(7), role="Junior Buyer"))
    seen = town.look(0, home, again=True)
    assert seen is not None

    def bare(request: Request, data: dict[str, Any]) -> None:
        if request.method == "PUT":
            data["data"] |= {"uuid": None, "firstName": None}

    town.answers = bare
    done(town.client, SetRole(company=home, user=seen.users[1].id, contact=ContactID("K7"), role="Senior Buyer"))
    assert town.look(0, home, again=True) == town.look(0, home)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_answer_tells_nothing(empty: str | None) -> None:
    """Where the answer leaves empty what was sent, the user is read."""
    town = Town()
    home, _ = town.made()
    done(town.hand, CreateUser(company=home, user=person(7), role="Junior Buyer"))
    seen = town.look(0, home)
    assert seen is not None

    def forgetful(request: Request, data: dict[str, Any]) -> None:
        if request.method == "PUT":
            data["data"]["uuid"] = empty

    town.answers = forgetful
    changes = (("external_id", "b0000000-0000-4000-8000-000000000071"),)
    done(town.client, UpdateUser(company=home, user=seen.users[1].id, contact=ContactID("K7"), changes=changes))
    assert town.look(0, home, again=True) == town.look(0, home)


def test_an_admin_older_than_the_company() -> None:
    """A company whose admin is not among the newest users is looked at by itself: it has one."""
    town = Town()

    def adopted(request: Request, data: dict[str, Any]) -> None:
        if "/users?" in request.url and "minCreated" in request.url:
            data["data"], data["meta"]["pagination"]["totalCount"] = [], 0

    town.answers = adopted
    home, _ = town.made()
    again = town.look(0, home, again=True)
    assert again == town.look(0, home)
    assert again is not None
    assert len(again.users) == 1


def test_a_company_made_again_by_others() -> None:
    """Where others removed a company and made another for its customer, that one is found, and none is made twice."""
    town = Town()
    homes = town.made(14)
    refs = [ref(i) for i in range(14)]
    assert [one.id for one in map(value, town.client.observe(refs))] == homes
    town.shop.by_hand("DELETE", f"/companies/{homes[0]}")
    town.clock.sleep(DAY)
    (other,) = done(town.hand, company(0))
    assert [one.id for one in map(value, town.client.observe(refs))] == [other, *homes[1:]]
    assert town.look(0, None) == town.look(0, other)
