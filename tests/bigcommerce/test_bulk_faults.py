"""Ten records at once, of which any may be refused, while the answer is shuffled or lost."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import pytest
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import (
    CompanyID,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    PostalAddress,
    StorefrontID,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator

Create: TypeAlias = CreateCompany | CreateUser | CreateAddress
Outcomes: TypeAlias = Sequence[Outcome[StorefrontID]]

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE: Final = PostalAddress(line1="1 Main", city="Austin", state="TX", postal_code="78704", country="US")
TEN: Final = range(10)
SAID: Final = "the store does not like it"


def note(kind: int, number: int) -> NoteID:
    """Return a GUID."""
    return NoteID(f"{kind:08}-0000-4000-8000-{number:012}")


def person(number: int) -> DesiredUser:
    """Return a user as it should be."""
    return DesiredUser(
        contact=ContactID(f"K{number}"),
        external_id=note(2, number),
        email=f"u{number}@x.example",
        first_name="Ann",
        last_name="Lee",
        phone="555",
    )


def new_company(number: int) -> CreateCompany:
    """Return the creation of a company; all have the same name."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{number}"),
        external_id=note(1, number),
        name="Acme",
        email="office@x.example",
        phone="555",
        address=PLACE,
    )
    return CreateCompany(company=desired, admin=person(number), role="Admin")


def placed(number: int) -> DesiredAddress:
    """Return an address as it should be."""
    return DesiredAddress(
        location=LocationID(f"L{number}"),
        external_id=note(3, number),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        phone="5",
        address=PLACE,
    )


@define
class Waiting:
    """A clock on which nobody has to wait."""

    def now(self) -> datetime:
        """Return always the same moment."""
        return START

    def sleep(self, _seconds: float, /) -> None:
        """Go on at once."""


@define
class AsyncWaiting:
    """The same, awaited."""

    def now(self) -> datetime:
        """Return always the same moment."""
        return START

    async def sleep(self, _seconds: float, /) -> None:
        """Go on at once."""


@frozen
class AsyncShop:
    """The store, awaited."""

    shop: BigCommerceSimulator

    async def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        await asyncio.sleep(0)
        return self.shop.handle(request)


@define
class Side:
    """A store with three companies that belong to the numbers 100 to 102, and who performs on it."""

    awaited: bool
    shop: BigCommerceSimulator = field(
        factory=lambda: BigCommerceSimulator(now=lambda: START, requests_per_minute=None)
    )
    homes: list[CompanyID] = field(factory=list[CompanyID])

    def __attrs_post_init__(self) -> None:
        made = self.perform([new_company(100), new_company(101), new_company(102)])
        self.homes = [CompanyID(outcome.value) for outcome in made if isinstance(outcome, Ok)]
        assert len(self.homes) == 3

    def perform(self, actions: Sequence[Create]) -> Outcomes:
        """Return what came of it."""
        config = BigCommerceConfig(
            store_hash=self.shop.store_hash, token=self.shop.token, retries=Retries(attempts=1, patience=0.0)
        )
        if self.awaited:
            client = AsyncBigCommerce(config, AsyncShop(self.shop), clock=AsyncWaiting())
            return asyncio.run(client.perform(actions))
        return BigCommerce(config, self.shop, clock=Waiting(), parallel=1).perform(actions)

    def refuse(self, keys: set[str]) -> None:
        """Refuse whoever has one of these addresses or external ids."""

        def said(body: Mapping[str, Any]) -> str | None:
            held = {body.get("email"), body.get("adminEmail"), body.get("externalId")}
            return SAID if held & keys else None

        self.shop.refuses = said

    def lose_next_bulk(self) -> None:
        """Lose the answer of the next bulk call, which takes effect."""
        self.shop.fail_next(502, applied=True, concerns=lambda request: request.url.endswith("/bulk"))


# ------------------------------------------------------------------ the three kinds
@frozen
class Kind:
    """Companies, users or addresses: what is created, and what is there of it."""

    name: str

    def action(self, side: Side, number: int) -> Create:
        """Return the creation of number so and so; users and addresses go round the companies."""
        home = side.homes[number % 3]
        match self.name:
            case "companies":
                return new_company(number)
            case "users":
                return CreateUser(company=home, user=person(number), role="Junior Buyer")
            case _:
                return CreateAddress(company=home, address=placed(number))

    def key(self, number: int) -> str:
        """Return what the store would refuse it by."""
        return str(placed(number).external_id) if self.name == "addresses" else person(number).email

    def record(self, number: int) -> str:
        """Return how an error names it."""
        return {"companies": f"customer 'C{number}'", "users": f"contact 'K{number}'"}.get(
            self.name, f"location 'L{number}'"
        )

    def there(self, side: Side) -> list[tuple[str, str, str]]:
        """Return what the store has: the id, the key and the company of each that is ours."""
        mine = {self.key(number) for number in TEN}
        match self.name:
            case "companies":
                admins = {user.company_id: user.email for user in side.shop.users.values()}
                rows = [(str(id_), admins[id_], str(id_)) for id_ in side.shop.companies]
            case "users":
                rows = [(str(one.id), one.email, str(one.company_id)) for one in side.shop.users.values()]
            case _:
                rows = [
                    (str(one.id), one.external_id or "", str(one.company_id)) for one in side.shop.addresses.values()
                ]
        return [row for row in rows if row[1] in mine]

    def home(self, side: Side, number: int, id_: str) -> str:
        """Return the company that it belongs to."""
        return id_ if self.name == "companies" else side.homes[number % 3]


KINDS: Final = {name: Kind(name) for name in ("companies", "users", "addresses")}


# ------------------------------------------------------------------ the property
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, deadline=None)
@given(
    refused=st.sets(st.sampled_from(TEN)),
    atomic=st.booleans(),
    shuffled=st.booleans(),
    lost=st.booleans(),
    awaited=st.booleans(),
)
def test_any_subset_refused(
    name: str, *, refused: set[int], atomic: bool, shuffled: bool, lost: bool, awaited: bool
) -> None:
    """The refused fail by name, the rest are there once and under their own ids, and nobody is in another's company."""
    kind, side = KINDS[name], Side(awaited)
    side.shop.bulk_atomic, side.shop.shuffle_bulk = atomic, shuffled
    side.refuse({kind.key(number) for number in refused})
    if lost:
        side.lose_next_bulk()
    came_to = dict(zip(TEN, side.perform([kind.action(side, number) for number in TEN]), strict=True))
    if lost:
        open_ = {number for number, outcome in came_to.items() if is_open(outcome)}
        there = {key for _, key, _ in kind.there(side)}
        again = [number for number in sorted(open_) if kind.key(number) not in there]  # as after any lost answer: look
        came_to |= dict(zip(again, side.perform([kind.action(side, number) for number in again]), strict=True))
    for number in refused:
        assert_refused(kind, number, came_to[number])
    held = {key: (id_, home) for id_, key, home in kind.there(side)}
    assert Counter(key for _, key, _ in kind.there(side)) == Counter(kind.key(n) for n in TEN if n not in refused)
    for number in set(TEN) - refused:
        id_, home = held[kind.key(number)]
        outcome = came_to[number]
        assert is_open(outcome) or outcome == Ok(id_)
        assert lost or not is_open(outcome)
        assert home == kind.home(side, number, id_)


def is_open(outcome: Outcome[StorefrontID]) -> bool:
    """Tell whether nobody knows what came of it."""
    return isinstance(outcome, Failed) and isinstance(outcome.error, OutcomeUnknownError)


def assert_refused(kind: Kind, number: int, outcome: Outcome[StorefrontID]) -> None:
    """Assert that a refusal names its record and says the store's own words."""
    assert isinstance(outcome, Failed), outcome
    assert isinstance(outcome.error, RejectedError), outcome
    assert kind.record(number) in str(outcome.error)
    assert SAID in str(outcome.error)


# ------------------------------------------------------------------ whose address it is
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("atomic", [False, True])
@settings(max_examples=15, deadline=None)
@given(taken=st.sets(st.sampled_from(TEN), min_size=1))
def test_addresses_taken(taken: set[int], *, atomic: bool, awaited: bool) -> None:
    """Users whose addresses are held elsewhere are EMAIL_TAKEN by name, and who holds them stays where he is."""
    side, kind = Side(awaited), KINDS["users"]
    stranger = side.perform([new_company(200)])[0]
    assert isinstance(stranger, Ok)
    for number in taken:
        elsewhere = CreateUser(company=CompanyID(stranger.value), user=person(number), role="Junior Buyer")
        assert isinstance(side.perform([elsewhere])[0], Ok)
    side.shop.bulk_atomic = atomic
    outcomes = side.perform([kind.action(side, number) for number in TEN])
    for number, outcome in zip(TEN, outcomes, strict=True):
        if number in taken:
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.error, RejectedError)
            assert outcome.error.reason is Reason.EMAIL_TAKEN
            assert kind.record(number) in str(outcome.error)
        else:
            assert isinstance(outcome, Ok)
    homes = {key: home for _, key, home in kind.there(side)}
    assert {number for number in TEN if homes[kind.key(number)] == stranger.value} == taken


def test_lost_bulk_is_not_sent_again() -> None:
    """A bulk call whose answer is lost is never sent again by itself."""
    side = Side(awaited=False)
    side.lose_next_bulk()
    before = side.shop.writes
    outcomes = side.perform([KINDS["users"].action(side, number) for number in TEN])
    assert side.shop.writes == before + 1
    assert all(is_open(outcome) or isinstance(outcome, Ok) for outcome in outcomes)
