"""One quota that others spend too: how fast the client is, and how seldom it is refused."""

import random
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from attrs import define, field

from acumatica_b2b.actions import CreateCompany, CreateUser, UpdateUser
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import (
    CompanyID,
    ContactID,
    CustomerID,
    DesiredCompany,
    DesiredUser,
    NoteID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
Headers = Literal["always", "unless_refused", "never"]


@define
class Store:
    """A store whose requests take 400 ms or half as much more or less, and of which others spend half the quota."""

    headers: Headers = "always"
    at: datetime = START
    statuses: list[int] = field(factory=list[int])
    dice: random.Random = field(factory=lambda: random.Random(7))
    shop: BigCommerceSimulator = field(init=False)
    _others: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.shop = BigCommerceSimulator(now=self.now, limit_headers=self.headers, core_requests=None)

    def now(self) -> datetime:
        """Return the time."""
        return self.at

    def sleep(self, seconds: float, /) -> None:
        """Let it pass, while others send what they have to, at 75 requests a minute."""
        while seconds > 0:
            step = min(seconds, 0.8)
            seconds -= step
            self.at += timedelta(seconds=step)
            self._others += step * 75 / 60
            self.shop.spend(int(self._others))
            self._others -= int(self._others)

    def send(self, request: Request, /) -> Response:
        """Return the store's answer, after its time."""
        self.sleep(0.4 * self.dice.uniform(0.5, 1.5))
        response = self.shop.handle(request)
        self.statuses.append(response.status)
        return response

    def client(self) -> BigCommerce:
        """Return a client of it."""
        settings = BigCommerceConfig(store_hash=self.shop.store_hash, token=self.shop.token)
        return BigCommerce(settings, self, clock=self, parallel=1)


def person(i: int) -> DesiredUser:
    """Return the user that contact i should become."""
    return DesiredUser(
        contact=ContactID(f"K{i}"),
        external_id=NoteID(f"note-{i}"),
        email=f"u{i}@example.com",
        first_name="Ann",
        last_name="Lee",
    )


def company(i: int) -> CreateCompany:
    """Return the creation of company i, its admin being contact i."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{i}"),
        external_id=NoteID(f"cnote-{i}"),
        name=f"Company {i}",
        email="o@example.com",
        phone="5",
        address=PostalAddress(line1="1 Main", city="Copenhagen", postal_code="1", country="DK"),
    )
    return CreateCompany(company=desired, admin=person(i), role="Admin")


@pytest.mark.parametrize("headers", ["always", "unless_refused"])
def test_first_load_beside_others(headers: Headers) -> None:
    """While others spend half the quota, 2,000 users are made with under 1 % of refusals, in the time that is left."""
    store = Store(headers=headers)
    client = store.client()
    homes = [outcome.value for outcome in client.perform([company(i) for i in range(200)]) if isinstance(outcome, Ok)]
    users = [
        CreateUser(company=CompanyID(StorefrontID(homes[i % 200])), user=person(i), role="Junior Buyer")
        for i in range(200, 2000)
    ]
    made = [outcome.value for outcome in client.perform(users) if isinstance(outcome, Ok)]
    assert len(set(made)) == 1800
    changes = (("phone", "9"),)
    actions = [
        UpdateUser(company=users[i].company, user=UserID(made[i]), contact=users[i].user.contact, changes=changes)
        for i in range(300)
    ]
    assert all(isinstance(outcome, Ok) for outcome in client.perform(actions))
    sent, refused = len(store.statuses), store.statuses.count(429)
    assert refused < sent / 100
    minutes = (store.at - START) / timedelta(minutes=1)
    assert minutes <= 1.1 * sent / 75
