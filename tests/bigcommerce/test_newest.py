"""The newest rows of the lists: each read once, and nobody missed."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import CreateAddress, CreateUser, RemoveUser, SetRole, UpdateCompany, UpdateUser
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.known import Tail
from acumatica_b2b.bigcommerce.newest import USERS, newest
from acumatica_b2b.bigcommerce.records import UserRecord
from acumatica_b2b.flow import Flow, Ok, run, together
from acumatica_b2b.http import Request, Response, Send
from acumatica_b2b.model import Company, CompanyID, UserID
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.bench import FrozenClock
from tests.bigcommerce.test_against_simulator import client_of, company, done, note, person, placed, ref, value

HOME = {"companyName": "A", "companyPhone": "1", "companyEmail": "a@x.example", "country": "US"}
ADMIN = {"adminFirstName": "A", "adminLastName": "B", "adminEmail": "admin@x.example"}


# ------------------------------------------------------------------ while others change the list
@define
class Street:
    """A store whose users come, change and go; some of that before each request."""

    latest_first: bool = False
    clock: FrozenClock = field(factory=FrozenClock)
    shop: BigCommerceSimulator = field(init=False)
    api: Api = field(init=False)
    home: int = 0
    made: int = 0
    stays: set[int] = field(factory=set[int])
    coming: list[Sequence[str]] = field(factory=list[Sequence[str]])
    requests: int = 0
    die: random.Random = field(factory=lambda: random.Random(3))

    def __attrs_post_init__(self) -> None:
        self.shop = BigCommerceSimulator(
            now=self.clock.now, requests_per_minute=None, token="t", latest_first=self.latest_first
        )
        self.home = self.shop.by_hand("POST", "/companies", {**HOME, **ADMIN})["companyId"]
        self.clock.sleep(3600)
        self.api = Api(BigCommerceConfig(store_hash=self.shop.store_hash, token="t", page_size=8))

    @property
    def now(self) -> int:
        """The time in unix seconds."""
        return int(self.clock.now().timestamp())

    def do(self, what: str) -> None:
        """Add, edit or remove a user; or let a second pass."""
        users = sorted(self.shop.users)
        match what:
            case "add":
                self.made += 1
                body = {"firstName": "A", "lastName": "B", "email": f"u{self.made}@x.example", "role": 2}
                self.shop.by_hand("POST", "/users", {**body, "companyId": self.home})
            case "edit":
                self.shop.by_hand("PUT", f"/users/{self.die.choice(users)}", {"lastName": f"B{self.die.random()}"})
            case "remove" if len(users) > 1:
                gone = self.die.choice(users)
                self.stays.discard(gone)
                self.shop.by_hand("DELETE", f"/users/{gone}")
            case _:
                self.clock.sleep(1)

    def read(self, stamp: int) -> Tail[UserRecord] | None:
        """Return the newest users; what comes before each request is done before it."""
        return run(self.reading(stamp), self.answers)

    def reading(self, stamp: int) -> Flow[Tail[UserRecord] | None]:
        """Return the flow of a reading that begins now."""
        return newest(self.api, USERS, stamp, next(self.api.known.turns))

    def answers(self, batch: Iterable[Any]) -> list[Any]:
        """Return the store's answers to requests; a pause passes."""
        return [Ok(self.answer(effect.request)) if isinstance(effect, Send) else None for effect in batch]

    def answer(self, request: Request) -> Response:
        """Return the store's answer, after what others do before it."""
        self.requests += 1
        if self.coming:
            for what in self.coming.pop(0):
                self.do(what)
        return self.shop.send(request)


WHAT = st.sampled_from(["add", "add", "add", "edit", "remove", "wait"])
BETWEEN = st.lists(WHAT, max_size=12)


@pytest.mark.parametrize("latest_first", [False, True])
@settings(max_examples=500, deadline=None)
@given(turns=st.lists(st.tuples(BETWEEN, st.lists(BETWEEN, max_size=4)), min_size=1, max_size=6))
def test_nobody_new_is_missed(latest_first: bool, turns: Any) -> None:  # noqa: FBT001 - the store's order
    """Whoever was made since the stamp, and was there during all of a reading, is among the newest rows."""
    street = Street(latest_first=latest_first)
    stamp = street.now - 1
    for before, during in turns:
        for what in before:
            street.do(what)
        street.stays = {user.id for user in street.shop.users.values() if user.created_at > stamp}
        street.coming = list(during)
        tail = street.read(stamp)
        street.coming = []
        if tail is not None:
            assert street.stays <= tail.rows.keys()
            assert all(seen.row.id == id_ for id_, seen in tail.rows.items())


def test_each_row_once() -> None:
    """A list that grows is read from where it was last read to."""
    street = Street()
    stamp = street.now - 1
    for _ in range(20):
        for _ in range(14):
            street.do("add")
        street.do("wait")
        street.read(stamp)
    # 280 users by pages of 8 that share a row: the first reading shows one second only, and is no proof of order
    assert street.requests == 2 + 4 + 18 * 2
    assert len(street.read(stamp).rows) == 280  # type: ignore[union-attr]  # it is in order


def test_growth_during_a_reading() -> None:
    """Rows that were added when the last page had been read are read the next time, and nothing else once more."""
    street = Street()
    stamp = street.now - 1
    for _ in range(20):
        street.do("add")
        street.do("wait")
    street.coming = [[], [], ["add"]]
    first = run(street.reading(stamp), lambda batch: street.answers(tuple(batch)[::-1])[::-1])
    assert first
    assert (len(first.rows), street.requests) == (20, 3)
    again = street.read(stamp)
    assert again
    assert (len(again.rows), street.requests) == (21, 4)


def test_workers_read_one_after_another() -> None:
    """Who finds another at it waits: what that one reads need not be read twice."""
    street = Street()
    stamp = street.now - 1
    for _ in range(30):
        street.do("add")
        street.do("wait")
    tails = run(together([street.reading(stamp), street.reading(stamp)]), street.answers)
    assert [len(tail.rows) for tail in tails if tail] == [30, 30]
    assert street.requests == 5


def test_a_reading_that_is_cut_off_leaves_the_way_free() -> None:
    """A worker whose reading ends half-way keeps nobody else from reading."""
    street = Street()
    cut_off = street.reading(street.now - 1)
    next(cut_off)
    cut_off.close()
    assert street.read(street.now - 1) is not None


def test_another_order() -> None:
    """A store that lists in another order is found out once: its newest rows are not looked for again."""
    street = Street(latest_first=True)
    stamp = street.now - 1
    for _ in range(20):
        street.do("add")
        street.do("wait")
    assert street.read(stamp) is None
    before = street.requests
    assert street.read(stamp) is None
    assert street.requests == before


def test_a_late_row() -> None:
    """A row that appears before rows that were read already is found by reading anew."""
    street = Street()
    stamp = street.now - 1
    for _ in range(20):
        street.do("add")
        street.do("wait")
    late = sorted(street.shop.users)[-3]
    hidden = street.shop.users[late]
    del street.shop.users[late]
    first = street.read(stamp)
    assert first
    assert late not in first.rows
    street.shop.users[late] = hidden
    street.do("add")
    again = street.read(stamp)
    assert again
    assert again.rows.keys() == {user.id for user in street.shop.users.values() if user.created_at > stamp}


# ------------------------------------------------------------------ companies looked at again
@define
class Wave:
    """Thirty new companies in a store that has others."""

    shop: BigCommerceSimulator
    client: BigCommerce
    homes: list[CompanyID]

    def look(self, *which: int, again: bool = True) -> list[Company]:
        """Return companies as they are."""
        refs = [evolve(ref(i, self.homes[i]), again=again) for i in which or range(30)]
        return [value(outcome) for outcome in self.client.observe(refs)]

    def cost(self, *which: int, again: bool = True) -> int:
        """Return what a look costs in requests; it shows what a look at the store itself shows."""
        before = self.shop.requests
        seen = self.look(*which, again=again)
        spent = self.shop.requests - before
        assert seen == self.look(*which, again=False)
        return spent


@pytest.fixture
def wave() -> Wave:
    """Return a wave whose companies were made, and were looked at."""
    clock = FrozenClock()
    shop = BigCommerceSimulator(now=clock.now, requests_per_minute=None)
    shop.by_hand("POST", "/companies", {**HOME, **ADMIN})
    clock.time += timedelta(hours=1)
    client = client_of(shop)
    return Wave(shop, client, done(client, *(company(i) for i in range(30))))


def test_what_was_made_is_read_once(wave: Wave) -> None:
    """After a wave's creates a look at its companies costs a page of users, and a second one nothing."""
    before = wave.shop.requests
    seen = wave.look()
    assert wave.shop.requests - before == 1  # the companies were read to know their ids, and have no addresses yet
    assert all(one.complete and len(one.users) == 1 for one in seen)
    assert wave.cost() == 0


def test_what_the_answers_told_is_not_read_again(wave: Wave) -> None:
    """Users and addresses whose ids were looked up after their creation are shown by that very look."""
    done(wave.client, *(CreateUser(company=wave.homes[i], user=person(i), role="Junior Buyer") for i in range(30)))
    done(wave.client, *(CreateAddress(company=wave.homes[i], address=placed(i)) for i in range(30)))
    assert wave.cost() == 0
    assert all(len(one.users) == 2 and len(one.addresses) == 1 for one in wave.look())


def test_who_was_made_alone_is_read(wave: Wave) -> None:
    """A user whose creation told its id is read with the newest rows."""
    wave.look()
    done(wave.client, CreateUser(company=wave.homes[3], user=person(3), role="Junior Buyer"))
    assert wave.cost() == 1
    assert len(wave.look(3)[0].users) == 2


def test_a_first_look_is_at_the_store(wave: Wave) -> None:
    """Without being told that a company was looked at in this run, it is read afresh."""
    wave.look()
    wave.shop.by_hand("PUT", f"/companies/{wave.homes[2]}", {"companyPhone": "999"})
    assert wave.look(2)[0].phone == "555"
    assert wave.look(2, again=False)[0].phone == "999"


def test_what_was_changed_is_read_back(wave: Wave) -> None:
    """What an update or a removal made of a company is read from the store, whatever was known of it."""
    done(wave.client, *(CreateUser(company=wave.homes[i], user=person(i), role="Junior Buyer") for i in range(2)))
    users = [one.users[-1].id for one in wave.look(0, 1)]
    changes = (("email", "new@example.com"),)
    done(wave.client, UpdateUser(company=wave.homes[0], user=users[0], contact=person(0).contact, changes=changes))
    assert wave.cost(0) == 3
    done(wave.client, RemoveUser(company=wave.homes[1], user=UserID(users[1]), contact=person(1).contact))
    assert wave.cost(1) == 3
    assert wave.look(0)[0].users[-1].email == "new@example.com"
    assert len(wave.look(1)[0].users) == 1


def test_fields_of_companies_are_read_back_together(wave: Wave) -> None:
    """After updates of a wave's companies their fields are read by full pages."""
    wave.look()
    updates = [
        UpdateCompany(company=h, customer=company(0).company.customer, changes=(("phone", "7"),)) for h in wave.homes
    ]
    done(wave.client, *updates)
    assert wave.cost() <= 2
    assert {one.phone for one in wave.look()} == {"7"}


def test_roles_are_known_by_their_answers(wave: Wave) -> None:
    """A change of role is answered with the user as it is now, which need not be read."""
    users = [one.users[0] for one in wave.look()]
    done(wave.client, *(SetRole(company=u.company, user=u.id, contact=None, role="Senior Buyer") for u in users))
    assert wave.cost() == 0
    assert {user.role for one in wave.look() for user in one.users} == {"Senior Buyer"}


def test_forgotten(wave: Wave) -> None:
    """After forget() nothing is known of companies made before."""
    wave.look()
    wave.client.forget()
    assert wave.cost(4) > 0


def test_external_ids_stay_apart(wave: Wave) -> None:
    """Each company is shown with its own users only."""
    assert [one.external_id for one in wave.look()] == [note("c", i) for i in range(30)]
    assert [one.users[0].email for one in wave.look()] == [person(1000 + i).email for i in range(30)]


def test_late_lists_are_waited_for() -> None:
    """How late a store's lists are is learned once: the next wave's are looked at when they show it."""
    clock = FrozenClock()
    shop = BigCommerceSimulator(now=clock.now, requests_per_minute=None, listing_lag=2.0)
    settings = BigCommerceConfig(store_hash=shop.store_hash, token=shop.token)
    client = BigCommerce(settings, shop, clock=clock, parallel=1)
    spent: list[int] = []
    for wave in range(3):
        before = shop.requests
        done(client, *(company(10 * wave + i) for i in range(10)))
        spent.append(shop.requests - before)
    # roles and places are looked up once; a bulk call, and a list of what it made
    assert spent[1:] == [2, 2]
