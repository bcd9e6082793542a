"""A survey of the store: what it shows, what it costs, and what becomes of it when something goes wrong."""

import asyncio
import gc
import json
import random
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import CreateAddress, CreateUser, UpdateUser
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig, surveying
from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.spool import Spool
from acumatica_b2b.errors import AuthenticationError
from acumatica_b2b.flow import Flow, Ok, run
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import Company, CompanyID, CompanyRef, CustomerID, NoteID, StorefrontID, UserID
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.simulators.bigcommerce.envelope import RefusedError
from tests.bench import FrozenClock
from tests.bigcommerce.test_against_simulator import client_of, company, person, placed, value
from tests.bigcommerce.test_listing_under_change import CHANGES, ORDERS, START, BusyShop, Change

COMPANIES = 14


@define(eq=False)
class Town:
    """A store with companies of one to three users, in which others may be at work before each request."""

    size: int = COMPANIES
    page: int = 8
    clock: FrozenClock = field(factory=FrozenClock)
    shop: BigCommerceSimulator = field(init=False)
    client: BigCommerce = field(init=False)
    homes: list[CompanyID] = field(init=False)
    sent: list[Request] = field(factory=list[Request], init=False)
    coming: list[Sequence[int]] = field(factory=list[Sequence[int]], init=False)
    touched: set[str] = field(factory=set[str], init=False)
    changed: set[int] = field(factory=set[int], init=False)
    made: int = 0

    def __attrs_post_init__(self) -> None:
        self.shop = BigCommerceSimulator(now=self.clock.now, requests_per_minute=None, token="t")
        hand = client_of(self.shop)
        made = hand.perform([company(i) for i in range(self.size)])
        self.homes = [CompanyID(value(one)) for one in made]
        people = [i for i in range(3 * self.size) if i % 3 < i % 4]
        places = [i for i in range(2 * self.size) if i % 2 <= i % 3]
        homes = self.homes
        hand.perform([CreateUser(company=homes[i % self.size], user=person(i), role="Junior Buyer") for i in people])
        hand.perform([CreateAddress(company=homes[i % self.size], address=placed(i)) for i in places])
        self.clock.sleep(3600)
        config = BigCommerceConfig(
            store_hash=self.shop.store_hash, token="t", page_size=self.page, retries=Retries(attempts=2)
        )
        self.client = BigCommerce(config, self, clock=self.clock, parallel=1)

    def send(self, request: Request, /) -> Response:
        """Return the store's answer, after what others do before it."""
        self.sent.append(request)
        for seed in self.coming.pop(0) if self.coming else ():
            self.work(random.Random(seed))
        return self.shop.send(request)

    def work(self, die: random.Random) -> None:
        """Do what people do in the control panel; what the store refuses is not done."""
        shop, user = self.shop, self.shop.users[die.choice(sorted(self.shop.users))]
        home, there = self.shop.companies[user.company_id], die.choice(sorted(self.shop.addresses) or [0])
        self.made += 1
        self.clock.sleep(die.randrange(2))
        body = {
            "firstName": "A",
            "lastName": "B",
            "email": f"new{self.made}@x.example",
            "companyId": home.id,
            "role": 2,
        }
        match die.randrange(6):
            case 0:
                ways: tuple[Any, ...] = ("POST", "/users", body)
            case 1:
                ways = ("PUT", f"/users/{user.id}", {"lastName": f"Edited {self.made}"})
                self.changed.add(user.id)
            case 2:
                ways = ("DELETE", f"/users/{user.id}")
            case 3:
                ways = ("PUT", f"/companies/{home.id}", {"companyName": f"Name {die.randrange(99)}"})
            case 4 if there:
                home = shop.companies[int(shop.addresses[there].company_id)]
                ways = ("DELETE", f"/addresses/{there}")
            case _:
                ways = ("DELETE", f"/companies/{home.id}")
        try:
            shop.by_hand(*ways)
        except RefusedError:
            return
        self.touched.add(str(home.id))

    def look(self, *, surveyed: bool = True) -> list[Company | None]:
        """Return all companies, as they were surveyed where that will do."""
        refs = [ref(i, id_, surveyed=surveyed) for i, id_ in enumerate(self.homes)]
        return [value(outcome) for outcome in self.client.observe(refs)]

    def truth(self) -> list[Company | None]:
        """Return all companies as somebody sees them who looks at each by itself."""
        hand = client_of(self.shop)
        return [value(hand.observe([ref(i, id_)])[0]) for i, id_ in enumerate(self.homes)]

    def routes(self) -> list[str]:
        """Return the lists that were asked for; "#": one company."""
        paths = [request.url.partition("/io/")[2].partition("?")[0] for request in self.sent]
        return ["#" if path.removeprefix("companies/").isdecimal() else path for path in paths]


def ref(i: int, id_: CompanyID | None = None, *, surveyed: bool = True) -> CompanyRef:
    """Return which company to look at."""
    note = NoteID(f"c0000000-0000-4000-8000-{i:012d}")
    return CompanyRef(customer=CustomerID(f"C{i}"), external_id=note, id=id_, surveyed=surveyed)


def fresh(company: Company | None) -> Company | None:
    """Return a company as if it had been looked at."""
    return company and evolve(company, surveyed=False)


# ------------------------------------------------------------------ what it shows
WORK = st.lists(st.integers(0, 2**32), max_size=2)


@settings(max_examples=150, deadline=None)
@given(during=st.lists(WORK, max_size=12), after=st.lists(st.integers(0, 2**32), max_size=4))
def test_what_a_survey_shows(during: list[list[int]], after: list[int]) -> None:
    """A company is shown as somebody saw it who looked when the survey was over, or else as it is now."""
    town = Town()
    there = town.truth()
    town.coming = [*during]
    town.client.survey(COMPANIES)
    town.coming = []
    busy, then = set(town.touched), town.truth()
    for seed in after:
        town.work(random.Random(seed))
    now = town.truth()
    for id_, before, past, present, told in zip(town.homes, there, then, now, town.look(), strict=True):
        if told is None or not told.surveyed:
            assert told == present
        elif id_ not in busy:
            assert fresh(told) == past
        else:
            stayed = {user.id for user in (before.users if before else ()) if int(user.id) not in town.changed}
            gone = {user.id for user in (before.users if before else ())} - {u.id for u in (past.users if past else ())}
            assert stayed - gone <= {user.id for user in told.users}
            assert len({user.id for user in told.users}) == len(told.users)


def test_an_undisturbed_survey_shows_everything() -> None:
    """Where nobody is at work, every company is shown as it is, without a request."""
    town = Town()
    town.client.survey(COMPANIES)
    town.look()  # the roles are read once
    town.sent.clear()
    told = town.look()
    assert all(one and one.surveyed for one in told)
    assert [fresh(one) for one in told] == town.truth()
    assert town.sent == []


def test_by_external_id() -> None:
    """A company whose id is not known is found without one more listing; that there is none is looked up."""
    town = Town()
    town.client.survey(COMPANIES)
    town.look()
    town.sent.clear()
    refs = [ref(i) for i in range(COMPANIES)]
    assert [fresh(value(one)) for one in town.client.observe(refs)] == town.truth()
    assert town.sent == []
    assert town.client.observe([ref(99)])[0] == town.client.observe([evolve(ref(99), surveyed=False)])[0]
    assert all("minModified" in request.url for request in town.sent)
    town.shop.by_hand("DELETE", f"/companies/{town.homes[3]}")
    assert value(town.client.observe([ref(3)])[0]).surveyed, "it is confirmed by who looks afresh"
    assert value(town.client.observe([evolve(ref(3), surveyed=False)])[0]) is None


def test_a_company_found_by_a_customer_that_changed() -> None:
    """A company whose user changed during the survey is not taken for absent: it would be made once more."""
    town = Town()
    victim = next(user for user in town.shop.users.values() if str(user.company_id) == town.homes[3])

    def edit() -> None:
        town.shop.by_hand("PUT", f"/users/{victim.id}", {"lastName": "Edited"})

    town.coming = []
    _before(town, "/users?", edit)
    town.client.survey(COMPANIES)
    found = value(town.client.observe([ref(3)])[0])
    assert (found.id, found.surveyed) == (town.homes[3], False)
    assert "Edited" in {user.last_name for user in found.users}


def _before(town: Town, part: str, act: Callable[[], None]) -> None:
    """Do something before the first request for this."""
    inner, todo = town.shop.handle, [act]

    class Way:
        def send(self, request: Request, /) -> Response:
            if part in request.url and todo:
                todo.pop()()
            town.sent.append(request)
            return inner(request)

    town.client = BigCommerce(town.client.config, Way(), clock=town.clock, parallel=1)


def test_own_writes_are_seen() -> None:
    """A company that was written to since is shown as it is."""
    town = Town()
    town.client.survey(COMPANIES)
    told = town.look()[3]
    assert told
    change = UpdateUser(company=told.id, user=told.users[0].id, contact=person(0).contact, changes=(("phone", "777"),))
    assert value(town.client.perform([change])[0]) == told.users[0].id
    after = town.look()
    assert [one and one.surveyed for one in after] == [i != 3 for i in range(COMPANIES)]
    assert after[3] == town.truth()[3]


def test_who_wants_it_as_it_is_now() -> None:
    """What the survey knows is not told to who wants a company as it is now, even beside one who does not."""
    town = Town()
    town.client.survey(COMPANIES)
    both = town.client.observe([ref(3, town.homes[3]), ref(3, town.homes[3], surveyed=False)])
    assert [value(one).surveyed for one in both] == [False, False]


def test_a_company_made_since() -> None:
    """A company that was made after the survey is shown as it is."""
    town = Town()
    town.client.survey(COMPANIES)
    (made,) = client_of(town.shop).perform([company(50)])
    found = value(town.client.observe([ref(50, CompanyID(value(made)))])[0])
    assert (found.surveyed, len(found.users)) == (False, 1)


@pytest.mark.parametrize("end", [lambda client: client.survey(0), lambda client: client.forget()], ids=["0", "forget"])
def test_the_end_of_a_survey(end: Callable[[BigCommerce], None]) -> None:
    """When the run is over, or the client forgets, what was read is let go."""
    town = Town()
    town.client.survey(COMPANIES)
    end(town.client)
    assert not any(one and one.surveyed for one in town.look())


# ------------------------------------------------------------------ what it costs
def test_each_page_once() -> None:
    """A survey takes the pages of three lists and what closes them; then nobody is looked at by himself."""
    town = Town(size=60, page=40)
    town.client.survey(60)
    town.look()
    # 60 companies, 120 users and 80 addresses by pages of 40 that share a row, each list closed once
    users, places = len(town.shop.users), len(town.shop.addresses)
    pages = [2 - (40 - rows) // 39 for rows in (60, users, places)]
    assert len(town.sent) == sum(pages) + 1
    assert town.routes().count("companies/roles") == 1


@pytest.mark.parametrize("cheaper", [False, True])
def test_only_where_it_is_cheaper(cheaper: bool) -> None:  # noqa: FBT001 - what is so
    """A store that holds much more than is looked at is not surveyed; to know that takes a page of each list."""
    town = Town(size=40)
    rows = (town.shop.companies, town.shop.users, town.shop.addresses)
    pages = sum(2 - (8 - len(listed)) // 7 for listed in rows)
    town.client.survey(pages // 3 + cheaper)
    assert len(town.sent) == (pages if cheaper else 3)
    assert any(one and one.surveyed for one in town.look()) is cheaper


def test_few_are_looked_at_by_themselves() -> None:
    """For a few companies nobody asks how large the store is."""
    town = Town(size=3)
    town.client.survey(3)
    assert town.sent == []


# ------------------------------------------------------------------ what a proof is worth
def spooled(answer: Callable[[Request], Response], page_size: int) -> set[int] | None:
    """Return the ids of the users that are in the spool; None where it is not proven that all are."""
    api, spool = Api(BigCommerceConfig(store_hash="simulated", token="t", page_size=page_size)), Spool()

    def answers(batch: Iterable[Any]) -> list[Any]:
        return [Ok(answer(effect.request)) for effect in batch]

    def reading() -> Flow[bool]:
        first = yield from surveying._page(api, "users", {}, 0)
        return (yield from surveying._spooled(api, spool, "users", {}, first))

    proven = run(reading(), answers)
    return {json.loads(text)["id"] for text in spool.texts("users")} if proven else None


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=150, deadline=None)
@given(size=st.integers(5, 30), changes=CHANGES)
def test_who_was_there_throughout(order: str, size: int, changes: Sequence[Sequence[Change]]) -> None:
    """Whoever was there throughout, and was not edited, is in a proven list."""
    shop = BusyShop(size, ORDERS[order], changes)
    found = spooled(shop.answer, page_size=6)
    unchanged = {id_ for id_ in shop.stays if shop.rows[id_]["updatedAt"] < START.timestamp()}
    assert found is None or unchanged <= found


def test_one_taken_and_one_added() -> None:
    """A total that stays the same proves nothing, where one was removed and another added between two pages."""
    assert spooled(BusyShop(20, ORDERS["id"], [[("remove", 0), ("add", 2)]]).answer, 10) is None
    assert spooled(BusyShop(20, ORDERS["id"], [[("remove", 19)]]).answer, 10) is None
    assert spooled(BusyShop(20, ORDERS["id"]).answer, 10) == set(range(1, 21))


def test_a_list_without_end() -> None:
    """A list that grows as it is read, or says that it goes on where nothing comes, is given up."""
    endless = [[("add", i)] * 60 for i in range(900)]
    shop = BusyShop(20, ORDERS["id"], endless)
    assert spooled(shop.answer, 10) is None
    assert len(shop.asked) < 20
    liar = BusyShop(20, ORDERS["id"])
    assert spooled(lambda request: _more(liar.answer(request)), 10) is None


def _more(response: Response) -> Response:
    said = json.loads(response.body)
    said["meta"]["pagination"]["totalCount"] = 100_000
    return evolve(response, body=json.dumps(said).encode())


# ------------------------------------------------------------------ when something goes wrong
def looks(town: Town) -> None:
    """Assert that each company is shown by a look of its own, as it is."""
    told = town.look()
    assert told == town.truth()
    assert not any(one and one.surveyed for one in told)


@pytest.mark.parametrize("page", [0, 4, 9])
@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_store_that_refuses(page: int, status: int) -> None:
    """Where a page of the survey can't be had there is no survey, and nothing else is amiss."""
    town = Town()
    town.shop.fail_next(status, concerns=lambda _: len(town.sent) > page, times=1000)
    town.client.survey(COMPANIES)
    town.shop._faults.clear()
    looks(town)


def test_a_lost_answer() -> None:
    """A page whose answer is lost is asked for again; one that never comes ends the survey."""
    for losses, surveyed in ((1, True), (5, False)):
        town = Town()
        left = [None] * losses

        class Way:
            def send(self, request: Request, /, town: Town = town, left: list[None] = left) -> Response:
                if "/users" in request.url and left:
                    left.pop()
                    raise OSError
                return town.shop.send(request)

        town.client = BigCommerce(town.client.config, Way(), clock=town.clock, parallel=1)
        town.client.survey(COMPANIES)
        assert all(one and one.surveyed is surveyed for one in town.look())


def test_a_wrong_credential() -> None:
    """Where the store refuses the token, the survey says so."""
    town = Town()
    town.shop.token = "another"
    with pytest.raises(AuthenticationError):
        town.client.survey(COMPANIES)


def test_a_record_that_cannot_be_read() -> None:
    """A record that can't be read costs its own company the saving, and is told by looking at that one."""
    town = Town()
    victim = next(user.id for user in town.shop.users.values() if str(user.company_id) == town.homes[3])
    town.client = BigCommerce(town.client.config, _Spoiling(town, victim, "firstName"), clock=town.clock, parallel=1)
    town.client.survey(COMPANIES)
    told = town.client.observe([ref(i, id_) for i, id_ in enumerate(town.homes)])
    assert [type(one).__name__ for one in told] == ["Failed" if i == 3 else "Ok" for i in range(COMPANIES)]
    assert all(value(one).surveyed for i, one in enumerate(told) if i != 3)


def test_half_a_letter() -> None:
    """A name that was cut in the middle of a letter is surveyed like any other."""
    town = Town()
    user = next(user for user in town.shop.users.values() if str(user.company_id) == town.homes[3])
    town.shop.users[user.id] = evolve(user, first_name="Ann \ud83d")
    town.client.survey(COMPANIES)
    seen = value(town.client.observe([ref(3, town.homes[3])])[0])
    assert "Ann \ud83d" in {one.first_name for one in seen.users}
    assert seen.surveyed


def test_a_number_beyond_all_bounds() -> None:
    """An id that no table holds ends the survey, and nothing else."""
    town = Town()
    town.client = BigCommerce(town.client.config, _Growing(town), clock=town.clock, parallel=1)
    town.client.survey(COMPANIES)
    assert town.client._api.known.survey is None


@define
class _Growing:
    town: Town

    def send(self, request: Request, /) -> Response:
        """Return the answer, in which all ids of companies have grown."""
        response = self.town.shop.send(request)
        body = json.loads(
            response.body, object_hook=lambda row: row | {"companyId": 10**20} if "companyId" in row else row
        )
        return evolve(response, body=json.dumps(body).encode())


def test_a_record_without_id() -> None:
    """A row that does not say whose it is ends the survey."""
    town = Town()
    victim = next(iter(town.shop.users))
    town.client = BigCommerce(town.client.config, _Spoiling(town, victim, "id"), clock=town.clock, parallel=1)
    town.client.survey(COMPANIES)
    assert town.client._api.known.survey is None


@define
class _Spoiling:
    town: Town
    user: int
    field: str

    def send(self, request: Request, /) -> Response:
        """Return the answer with one field that is none."""
        response = self.town.shop.send(request)
        said = json.loads(response.body)
        for row in said["data"] if isinstance(said["data"], list) else ():
            if row.get("id") == self.user:
                row[self.field] = ["odd"]
        return evolve(response, body=json.dumps(said).encode())


@pytest.mark.parametrize("method", ["put", "of", "leave_out"])
def test_a_full_disk(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the temporary file can't be written or read, each company is looked at by itself."""
    town = Town()

    def failing(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Spool, method, failing)
    town.client.survey(COMPANIES)
    change = UpdateUser(company=town.homes[0], user=_first(town), contact=person(0).contact, changes=(("phone", "7"),))
    assert value(town.client.perform([change])[0])
    looks(town)


def _first(town: Town) -> UserID:
    user = next(user for user in town.shop.users.values() if str(user.company_id) == town.homes[0])
    return UserID(StorefrontID(str(user.id)))


def test_in_tasks() -> None:
    """The async client does the same, and a survey that is cancelled leaves nothing behind."""
    town = Town()

    @define
    class Way:
        left: int

        async def send(self, request: Request, /) -> Response:
            self.left -= 1
            if not self.left:
                await asyncio.Event().wait()
            return town.shop.send(request)

    async def acts() -> None:
        client = AsyncBigCommerce(town.client.config, Way(10**9))
        await client.survey(COMPANIES)
        refs = [ref(i, id_) for i, id_ in enumerate(town.homes)]
        assert [fresh(value(one)) for one in await client.observe(refs)] == town.truth()
        assert all(value(one).surveyed for one in await client.observe(refs))
        cut_off = AsyncBigCommerce(town.client.config, Way(9))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cut_off.survey(COMPANIES), 0.05)
        assert cut_off._api.known.survey is None

    asyncio.run(acts())


def test_threads_share_a_survey() -> None:
    """Several threads look at what one has surveyed."""
    town = Town()
    town.client.survey(COMPANIES)
    told: list[Any] = []
    threads = [threading.Thread(target=lambda: told.append(town.look())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert all(one == told[0] and one[0].surveyed for one in told)


# ------------------------------------------------------------------ the spool
def test_rows_are_kept_once() -> None:
    """A row that is read again takes the place of what it was, also in another company."""
    spool = Spool()
    assert spool.put("users", [(1, "5", "a"), (2, "5", "b")]) == 2
    assert spool.put("users", [(2, "6", "c"), (3, "6", "d")]) == 1
    assert spool.put("companies", [(5, "5", "home")]) == 1
    assert spool.of("5") == {"companies": ["home"], "users": ["a"]}
    assert spool.of("6") == {"users": ["c", "d"]}
    spool.leave_out(["6", "7"])
    assert (spool.of("6"), spool.owner("users", 3), spool.owner("users", 4)) == ({}, "6", None)
    spool.clear("users")
    assert (spool.of("5"), list(spool.texts("users"))) == ({"companies": ["home"]}, [])


def test_any_number_of_rows() -> None:
    """All rows of a list come back, in the order of their ids."""
    spool = Spool()
    spool.put("users", [(i, "5", str(i)) for i in range(2500, 0, -1)])
    assert list(spool.texts("users")) == [str(i) for i in range(1, 2501)]


def test_the_file_goes_with_the_spool() -> None:
    """When nobody knows of it any more, its file is closed, which removes it."""
    spool = Spool()
    database = spool._database
    del spool
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        database.execute("SELECT 1")
