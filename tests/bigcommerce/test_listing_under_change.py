"""Listings of several pages while somebody else adds, edits and removes."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.bigcommerce import BigCommerceConfig
from acumatica_b2b.bigcommerce.api import Api, Listing, pages
from acumatica_b2b.bigcommerce.lists import users
from acumatica_b2b.bigcommerce.records import UserRecord
from acumatica_b2b.flow import Ok, run
from acumatica_b2b.http import Request, Response, Send
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.bench import FrozenClock
from tests.bigcommerce.conftest import answer, user_row

Change: TypeAlias = tuple[str, int]
"""What someone does, "add", "edit" or "remove", and to whom."""
Row: TypeAlias = dict[str, Any]
Order: TypeAlias = Callable[[Row], Any]

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS: Final[Mapping[str, Order]] = {
    "id": lambda row: row["id"],
    "last edited first": lambda row: (-row["updatedAt"], row["id"]),
    "name": lambda row: (row["firstName"], row["id"]),
}


@define
class BusyShop:
    """A list of users by offset, in an order that shifts; each request first meets the next changes."""

    size: int
    order: Order
    changes: Sequence[Sequence[Change]] = ()
    now: int = int(START.timestamp())
    rows: dict[int, Row] = field(factory=dict[int, Row])
    asked: list[Mapping[str, str]] = field(factory=list[Mapping[str, str]])
    edited: dict[int, Row] = field(factory=dict[int, Row])
    stays: set[int] = field(factory=set[int])
    newest: int = 0

    def __attrs_post_init__(self) -> None:
        for i in range(self.size):
            self.add(name=i * 7919)
        for row in self.rows.values():
            row["updatedAt"] -= 86_400 + row["id"] * 7907 % 4000
        self.stays = set(self.rows)

    def add(self, name: int) -> None:
        """Add a user."""
        self.newest += 1
        self.rows[self.newest] = user_row(self.newest, firstName=f"{name % 1009:04}", updatedAt=self.now)

    def do(self, change: Change) -> None:
        """Change something; a second goes by now and then."""
        kind, which = change
        self.now += which % 2
        if kind == "add":
            self.add(which)
        elif self.rows:
            id_ = sorted(self.rows)[which % len(self.rows)]
            if kind == "remove":
                self.stays.discard(id_)
                del self.rows[id_]
            else:
                self.rows[id_] |= {"firstName": f"{which * 31 % 1009:04}", "updatedAt": self.now}

    def answer(self, request: Request) -> Response:
        """Return a page, after the changes that come before it."""
        query = dict(parse_qsl(urlsplit(request.url).query))
        if self.asked and self.changes:
            now, *self.changes = self.changes
            for change in now:
                self.do(change)
            for id_, fields in self.edited.items():
                self.rows[id_] |= fields
        self.asked.append(query)
        since, offset, limit = int(query.get("minModified", 0)), int(query["offset"]), int(query["limit"])
        there = sorted((row for row in self.rows.values() if row["updatedAt"] > since), key=self.order)
        meta = {"message": "Success", "pagination": {"totalCount": len(there), "limit": limit, "offset": offset}}
        body = {"code": 200, "data": there[offset : offset + limit], "meta": meta}
        return answer(200, body, Date=format_datetime(datetime.fromtimestamp(self.now, UTC), usegmt=True))


def read(answer: Callable[[Request], Response], page_size: int) -> Listing[UserRecord]:
    """Return the listing of all users, from a shop that answers so."""

    def answers(batch: Iterable[Any]) -> list[Any]:
        assert all(isinstance(effect, Send) for effect in batch)
        return [Ok(answer(effect.request)) for effect in batch]

    return run(users(Api(BigCommerceConfig(store_hash="simulated", token="t", page_size=page_size)), {}), answers)


def listed(shop: BusyShop, page_size: int = 10) -> Listing[UserRecord]:
    """Return the listing of all users."""
    return read(shop.answer, page_size)


def seen(listing: Listing[UserRecord]) -> list[int]:
    """Return the ids of who was seen."""
    return [row.id for row in listing.rows]


# ------------------------------------------------------------------ what a proof is worth
WHICH = st.integers(0, 60)
ADD, EDIT, REMOVE = (st.tuples(st.just(kind), WHICH) for kind in ("add", "edit", "remove"))
BETWEEN = st.one_of(
    st.just(()), st.tuples(ADD), st.tuples(EDIT), st.tuples(REMOVE), st.tuples(REMOVE, ADD), st.tuples(EDIT, EDIT, EDIT)
)
CHANGES: st.SearchStrategy[Sequence[Sequence[Change]]] = st.lists(BETWEEN, min_size=2, max_size=12)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=150, deadline=None)
@given(size=st.integers(5, 30), changes=CHANGES)
def test_who_was_there_throughout(order: str, size: int, changes: Sequence[Sequence[Change]]) -> None:
    """Nobody that was there throughout is missing in a proven listing, and nobody is in it twice."""
    shop = BusyShop(size, ORDERS[order], changes)
    listing = listed(shop, page_size=6)
    assert len(set(seen(listing))) == len(listing.rows)
    assert not listing.proven or shop.stays <= set(seen(listing))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(4))
def test_thousands(order: str, seed: int) -> None:
    """Of 5,000 users that others add to and edit meanwhile, a proven listing has all, at 27 requests."""
    dice = random.Random(seed)
    changes = [[(dice.choice(("add", "edit")), dice.randrange(5000))] for _ in range(60)]
    shop = BusyShop(5000, ORDERS[order], changes)
    listing = listed(shop, page_size=200)
    assert listing.proven
    assert shop.stays == set(range(1, 5001)) <= set(seen(listing))
    assert len(shop.asked) == 27
    assert len(shop.asked) == pages(Api(BigCommerceConfig(store_hash="h", token="t")), 5000)


@pytest.mark.parametrize("seed", range(6))
def test_thousands_with_removals(seed: int) -> None:
    """Where 5,000 users are removed from and added to at random, those throughout are all there if it is proven."""
    dice = random.Random(seed)
    choices = ("add", "edit", "remove")
    changes = [[(dice.choice(choices), dice.randrange(5000))] * (dice.random() < seed / 10) for _ in range(120)]
    shop = BusyShop(5000, ORDERS["id"], changes)
    listing = listed(shop, page_size=200)
    assert not listing.proven or shop.stays <= set(seen(listing))
    assert len(set(seen(listing))) == len(listing.rows)


@define
class Crowd:
    """A simulated store with 5,000 users, which others change before every page."""

    dice: random.Random
    shop: BigCommerceSimulator = field(init=False)
    clock: FrozenClock = field(factory=FrozenClock)
    stays: set[int] = field(init=False)
    kinds: tuple[str, ...] = ()
    home: int = 0

    def __attrs_post_init__(self) -> None:
        self.shop = BigCommerceSimulator(now=self.clock.now, requests_per_minute=None, token="t")
        self.shop.latest_first = True
        company = {"companyName": "A", "companyPhone": "1", "companyEmail": "a@x.example", "country": "US"}
        admin = {"adminFirstName": "A", "adminLastName": "B", "adminEmail": "admin@x.example"}
        self.home = self.shop.by_hand("POST", "/companies", {**company, **admin})["companyId"]
        for number in range(4999):
            self.add(number)
            self.clock.sleep(0.5)
        self.clock.sleep(3600)
        self.stays = set(self.shop.users)
        assert len(self.stays) == 5000

    def add(self, number: int) -> None:
        """Add a user."""
        body = {"firstName": "A", "lastName": "B", "email": f"u{number}@x.example", "companyId": self.home, "role": 2}
        self.shop.by_hand("POST", "/users", body)

    def meddle(self) -> None:
        """Add, edit or remove someone."""
        self.clock.sleep(self.dice.randrange(2))
        id_ = self.dice.choice(sorted(self.shop.users))
        match self.dice.choice(self.kinds):
            case "add":
                self.add(self.dice.randrange(10**6, 10**9))
            case "edit":
                self.shop.by_hand("PUT", f"/users/{id_}", {"lastName": f"B{self.dice.random()}"})
            case _:
                self.shop.by_hand("DELETE", f"/users/{id_}")
                self.stays.discard(id_)

    def answer(self, request: Request) -> Response:
        """Return a page, after a change."""
        if self.kinds:
            self.meddle()
        return self.shop.send(request)

    def listed(self, *kinds: str) -> Listing[UserRecord]:
        """Return the listing of all users, while others do such things."""
        self.kinds = kinds
        return read(self.answer, 200)


def test_the_simulated_store() -> None:
    """Of a store's 5,000 users in the order of their last change, a proven listing has all that stay, once each."""
    crowd = Crowd(random.Random(7))
    for kinds in ((), ("add", "edit"), ("add", "edit", "remove")):
        listing = crowd.listed(*kinds)
        assert listing.proven or "remove" in kinds
        assert not listing.proven or crowd.stays <= set(seen(listing))
        assert len(set(seen(listing))) == len(listing.rows)


# ------------------------------------------------------------------ one by one
def test_one_page() -> None:
    """One page shows one moment: it needs no second look."""
    shop = BusyShop(10, ORDERS["id"])
    assert listed(shop).proven
    assert [query["offset"] for query in shop.asked] == ["0"]


def test_pages_overlap() -> None:
    """Pages begin with the last row of the one before; what changed meanwhile is read at the end."""
    shop = BusyShop(21, ORDERS["id"])
    listing = listed(shop)
    assert (listing.proven, seen(listing)) == (True, list(range(1, 22)))
    assert [query["offset"] for query in shop.asked] == ["0", "9", "18", "0"]
    [*pages_read, closing] = shop.asked
    assert "minModified" not in {name for query in pages_read for name in query}
    assert int(closing["minModified"]) < START.timestamp()


def test_removed_and_added() -> None:
    """A total that stays the same proves nothing, where one was removed and another added between two pages."""
    twice = [("remove", 0), ("add", 2)]
    shop = BusyShop(20, ORDERS["id"], [twice, [], twice, twice])
    listing = listed(shop)
    assert len({query["offset"] for query in shop.asked}) > 1
    assert not listing.proven


def test_read_again() -> None:
    """A listing that can't be proven is read once more, and proven then if nobody disturbs it."""
    shop = BusyShop(20, ORDERS["id"], [[("remove", 0)]])
    listing = listed(shop)
    assert (listing.proven, len(listing.rows)) == (True, 19)


def test_fallen_total() -> None:
    """Where the total falls both times, the listing is unproven."""
    shop = BusyShop(30, ORDERS["id"], [[("remove", 25)] for _ in range(9)])
    assert not listed(shop).proven


def test_fallen_total_with_enough_rows() -> None:
    """A total that fell proves nothing, even where as many were seen as there were at first."""
    shop = BusyShop(400, ORDERS["id"], [[("remove", 0)]])
    listing = listed(shop, page_size=200)
    assert listing.proven
    assert seen(listing) == list(range(2, 401))


def test_shared_row_edited() -> None:
    """A row that two pages share joins them only as long as nobody edits it: it may stand elsewhere now."""
    shop = BusyShop(20, ORDERS["name"])
    for id_, row in shop.rows.items():
        row["firstName"] = f"{id_:04}"
    shop.changes = [[("remove", 0), ("add", 1008)]]
    shop.edited = {10: {"firstName": "0013", "updatedAt": shop.now}}
    listing = listed(shop)
    assert 11 in seen(listing)
    assert listing.proven


def test_edited_past_the_reader() -> None:
    """Who moves to a page that was read already, because someone edits him, is read at the end."""
    shop = BusyShop(20, ORDERS["last edited first"])
    last = max(shop.rows.values(), key=shop.order)["id"]
    shop.changes = [[("edit", sorted(shop.rows).index(last))]]
    listing = listed(shop)
    assert listing.proven
    assert last in seen(listing)
    assert len(shop.asked) == 4


@pytest.mark.parametrize(("size", "proven"), [(10, True), (11, False)])
def test_no_clock(size: int, proven: bool) -> None:  # noqa: FBT001 - what is expected
    """Where the server doesn't tell its time, only a list of one page is proven."""
    shop = BusyShop(size, ORDERS["id"])
    assert read(lambda request: evolve(shop.answer(request), headers=()), 10).proven is proven


def test_much_changed() -> None:
    """Where so much changed that it takes several pages itself, that is read the same way."""
    shop = BusyShop(40, ORDERS["name"], [[("edit", i) for i in range(25)]])
    listing = listed(shop)
    assert listing.proven
    assert shop.stays == set(seen(listing))
    assert sum("minModified" in query for query in shop.asked) > 3
