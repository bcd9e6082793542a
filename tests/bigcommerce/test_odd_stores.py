"""The client against stores that behave otherwise: switches of the simulated store."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import AuthenticationError, RateLimitedError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyID,
    CompanyRef,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator, ExtraField

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = PostalAddress(line1="1 Main", city="Austin", state="TX", postal_code="78704", country="US")


@define
class World:
    """A clock that moves by waiting, and by as much as each request takes; and what is asked meanwhile."""

    at: datetime = START
    took: float = 0.0
    slept: list[float] = field(factory=list[float])

    def now(self) -> datetime:
        """Return the time."""
        return self.at

    def sleep(self, seconds: float, /) -> None:
        """Let it pass."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def store(self, **switches: Any) -> BigCommerceSimulator:
        """Return a store on this clock."""
        return BigCommerceSimulator(now=self.now, **{"requests_per_minute": None, **switches})

    def client(self, shop: BigCommerceSimulator, **config: Any) -> BigCommerce:
        """Return a client of the store, on this clock."""
        settings = BigCommerceConfig(**{"store_hash": shop.store_hash, "token": shop.token, **config})
        return BigCommerce(settings, Wire(self, shop), clock=self, parallel=1)


@define
class Wire:
    """The way to a store, each request taking its time."""

    world: World
    shop: BigCommerceSimulator
    answers: list[int] = field(factory=list[int])

    def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        self.world.at += timedelta(seconds=self.world.took)
        response = self.shop.handle(request)
        self.answers.append(response.status)
        return response


@pytest.fixture
def world() -> World:
    """Return a new world."""
    return World()


def person(i: int, **fields: Any) -> DesiredUser:
    """Return the user that contact i should become."""
    named = {"contact": ContactID(f"K{i}"), "external_id": NoteID(f"note-{i}"), "email": f"u{i}@example.com"}
    return DesiredUser(**{**named, "first_name": "Ann", "last_name": "Lee", "phone": "5", **fields})


def company(i: int, **fields: Any) -> CreateCompany:
    """Return the creation of company i."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{i}"),
        external_id=NoteID(f"cnote-{i}"),
        name="Same Name",
        email="o@example.com",
        phone="5",
        address=PLACE,
        **fields,
    )
    return CreateCompany(company=desired, admin=person(1000 + i), role="Admin")


def user(home: str, i: int, role: str = "Junior Buyer", **fields: Any) -> CreateUser:
    """Return the creation of user i."""
    return CreateUser(company=CompanyID(StorefrontID(home)), user=person(i, **fields), role=role)


def ref(i: int, id_: str | None = None) -> CompanyRef:
    """Return which company to look at."""
    known = None if id_ is None else CompanyID(StorefrontID(id_))
    return CompanyRef(customer=CustomerID(f"C{i}"), external_id=NoteID(f"cnote-{i}"), id=known)


def value(outcome: Outcome[Any]) -> Any:
    """Return what came of it."""
    assert isinstance(outcome, Ok), outcome
    return outcome.value


def reason(outcome: Outcome[Any]) -> Reason:
    """Return why it was refused."""
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RejectedError), outcome
    return outcome.error.reason


def done(client: BigCommerce, *actions: Action) -> list[Any]:
    """Return the ids of what was done."""
    return [value(outcome) for outcome in client.perform(actions)]


def seen(client: BigCommerce, i: int) -> Company:
    """Return company i as it is."""
    observed: Company = value(client.observe([ref(i)])[0])
    return observed


# ------------------------------------------------------------------ lists and bulk calls
def test_lists_that_lag(world: World) -> None:
    """Where lists show a new record some seconds late, ids are waited for, and nothing is made twice."""
    shop = world.store(listing_lag=5.0, shuffle_bulk=True)
    client = world.client(shop)
    homes = done(client, *(company(i) for i in range(12)))
    ids = done(client, *(user(homes[i % 12], i) for i in range(20)))
    assert {shop.users[int(id_)].email for id_ in ids} == {f"u{i}@example.com" for i in range(20)}
    assert len(shop.companies) == 12
    assert len(shop.users) == 32
    assert max(world.slept) <= 5.0


def test_batch_that_drops_external_ids(world: World) -> None:
    """Where neither creation nor batch update keeps `uuid`, each company gets it by an update of its own."""
    shop = world.store(drops_uuid_on_create=True, drops_uuid_on_bulk_update=True)
    client = world.client(shop)
    homes = done(client, *(company(i) for i in range(12)))
    claims = (
        UpdateCompany(company=home, customer=CustomerID("C"), changes=(("external_id", f"cnote-{i}"),))
        for i, home in enumerate(homes)
    )
    done(client, *claims)
    assert [shop.companies[int(home)].uuid for home in homes] == [f"cnote-{i}" for i in range(12)]


# ------------------------------------------------------------------ kinds of stores
def test_dependent_companies(world: World) -> None:
    """A store of dependent companies takes a company with its price list, and none without."""
    shop = world.store(dependent=True)
    assert isinstance(world.client(shop).perform([company(1)])[0], Failed)
    [home] = done(world.client(shop, catalog_id=7), company(1))
    assert shop.companies[int(home)].catalog_id == 7


def test_customer_group(world: World) -> None:
    """A store of independent companies puts a company into the group of the configuration."""
    shop = world.store()
    group = shop.add_group("Wholesale")
    [home] = done(world.client(shop, customer_group_id=group), company(1))
    assert shop.companies[int(home)].customer_group_id == group


def test_several_storefronts(world: World) -> None:
    """On several storefronts a user is on those of its sites, and a later change leaves that as it is."""
    shop = world.store(multi_storefront=True)
    first, second = (channel.channel_id for channel in shop.channels[:2])
    client = world.client(shop, channel_ids=(first,), channels={"MAIN": first, "OUTLET": second})
    [home] = done(client, company(1))
    outlet, everywhere, default = done(
        client, user(home, 1, sites=("OUTLET",)), user(home, 2, sites=("OUTLET", "MAIN")), user(home, 3)
    )
    changes = (("phone", "9"),)
    done(client, UpdateUser(company=home, user=outlet, contact=ContactID("K1"), changes=changes))
    on = [set(shop.users[int(id_)].channel_ids) for id_ in (outlet, everywhere, default)]
    assert on == [{second}, {first, second}, {first}]


def test_custom_primary_role(world: World) -> None:
    """A store's own role reads back as 2, and is told from Junior Buyer by its id."""
    shop = world.store()
    shop.add_role("Primary Admin")
    client = world.client(shop)
    [home] = done(client, company(1))
    [new] = done(client, user(home, 1))
    done(client, SetRole(company=home, user=new, contact=ContactID("K1"), role="Primary Admin"))
    assert {user.role for user in seen(client, 1).users} == {"Admin", "Primary Admin"}
    assert shop.role_of(shop.users[int(new)]).legacy == 2


def test_required_extra_fields(world: World) -> None:
    """Extra fields that a store wants with every update go with those of users and addresses, and stay."""
    shop = world.store()
    shop.extra_fields["users"] = (ExtraField(name="Title", required=True), ExtraField(name="Desk"))
    shop.extra_fields["addresses"] = (ExtraField(name="Dock", required=True),)
    client = world.client(shop)
    create = company(1)
    admin = evolve(person(1001), extra_fields=(("Title", "CEO"), ("Desk", "4")))
    [home] = done(client, evolve(create, admin=admin))
    [holder] = seen(client, 1).users
    kit = ContactID("K1001")
    done(client, UpdateUser(company=home, user=holder.id, contact=kit, changes=(("phone", "9"),)))
    done(client, UpdateUser(company=home, user=holder.id, contact=kit, changes=(("extra_fields.Desk", "5"),)))
    done(client, SetRole(company=home, user=holder.id, contact=kit, role="Senior Buyer"))
    [changed] = seen(client, 1).users
    assert (changed.phone, changed.role, dict(changed.extra_fields)) == (
        "9",
        "Senior Buyer",
        {"Title": "CEO", "Desk": "5"},
    )
    placed = DesiredAddress(
        location=LocationID("L1"),
        external_id=NoteID("a"),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        address=PLACE,
        extra_fields=(("Dock", "2"),),
    )
    [place] = done(client, CreateAddress(company=home, address=placed))
    moved = evolve(placed, label="Gate", extra_fields=())
    done(client, UpdateAddress(company=home, id=AddressID(place), address=moved))
    stored = shop.addresses[int(place)]
    assert (stored.label, dict(stored.extra_fields)) == ("Gate", {"Dock": "2"})


def test_last_admin(world: World) -> None:
    """A store that still protects the last admin says so with 500, and keeps him."""
    shop = world.store(protects_last_admin=True)
    client = world.client(shop)
    [home] = done(client, company(1))
    done(client, user(home, 1))
    [admin] = [holder for holder in seen(client, 1).users if holder.role == "Admin"]
    removal = RemoveUser(company=home, user=UserID(admin.id), contact=ContactID("K1001"))
    assert reason(client.perform([removal])[0]) is Reason.LAST_ADMIN
    assert int(admin.id) in shop.users


@pytest.mark.parametrize(("status", "active"), [(0, True), (1, True), (2, False), (3, False)])
def test_companies_by_status(world: World, status: int, active: bool) -> None:  # noqa: FBT001 - of the table
    """A pending or approved company is active; a rejected or inactive one is there, and is not."""
    shop = world.store()
    client = world.client(shop)
    [home] = done(client, company(1))
    shop.companies[int(home)] = evolve(shop.companies[int(home)], company_status=status)
    assert seen(client, 1).active is active


def test_deleted_company(world: World) -> None:
    """A company that is marked deleted is gone, by its id and by its external id."""
    shop = world.store()
    client = world.client(shop)
    [home] = done(client, company(1))
    shop.companies[int(home)] = evolve(shop.companies[int(home)], company_status=4)
    assert client.observe([ref(1, home), ref(1)]) == (Ok(None), Ok(None))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_token_without_scope(world: World, status: int) -> None:
    """However a store refuses a token without scope, the run ends, and no company is taken for gone."""
    shop = world.store(scope_refusal=status)
    client = world.client(shop)
    [home] = done(client, company(1))
    shop.b2b_scope = False
    with pytest.raises(AuthenticationError, match="B2B Edition: modify"):
        client.observe([ref(1, home)])


# ------------------------------------------------------------------ others in the store
def test_super_admin_known_before(world: World) -> None:
    """A super admin's address is told before anything is made with it; the creation would be refused."""
    shop = world.store()
    shop.by_hand("POST", "/super-admins", {"firstName": "Ada", "lastName": "Ray", "email": "U1@example.com"})
    client = world.client(shop)
    assert client.super_admins(["u1@example.com", "u2@example.com"]) == (Ok(value=True), Ok(value=False))
    assert client.find_users(["u1@example.com"]) == (Ok(None),)
    [home] = done(client, company(1))
    assert reason(client.perform([user(home, 1)])[0]) is Reason.EMAIL_TAKEN


def test_shoppers_known_before(world: World) -> None:
    """A shopper is told by his id before he is made a user, and is the same afterwards."""
    shop = world.store()
    shopper = shop.add_shopper("Ann@example.com", orders=3)
    client = world.client(shop)
    assert client.find_shoppers(["ann@example.com", "bo@example.com"]) == (Ok(str(shopper)), Ok(None))
    [home] = done(client, company(1))
    [id_] = done(client, user(home, 1, email="ann@example.com"))
    assert shop.users[int(id_)].customer_id == shopper
    shop.customers_scope = False
    with pytest.raises(AuthenticationError, match="Customers: read-only"):
        client.find_shoppers(["ann@example.com"])


def test_quota_of_the_core_api(world: World) -> None:
    """The core API's requests are let out by its own headers: none of many is refused."""
    shop = world.store(core_requests=20, requests_per_minute=150)
    client = world.client(shop)
    for _ in range(60):
        client.find_shoppers(["ann@example.com"])
    assert shop.requests == 60
    assert world.at - START <= timedelta(seconds=4 * 30)


@pytest.mark.parametrize("headers", ["always", "unless_refused", "never"])
def test_quota_shared_with_others(world: World, headers: Any) -> None:
    """While another integration spends half of the quota, nearly no request is refused, and none fails."""
    shop = world.store(requests_per_minute=150, limit_headers=headers)
    world.took = 0.2
    client = world.client(shop)
    [home] = done(client, company(1))
    [holder] = seen(client, 1).users
    sent = shop.requests
    for i in range(300):
        if i % 2:
            shop.spend(1)
        changes = (("phone", str(i)),)
        done(client, UpdateUser(company=home, user=holder.id, contact=ContactID("K"), changes=changes))
    refused = shop.requests - sent - 300
    assert refused <= (3 if headers == "always" else 30)
    assert shop.users[int(holder.id)].phone_number == "299"


def test_patience(world: World) -> None:
    """Refusals without a word are waited out by longer and longer pauses; no try begins once patience is over."""
    shop = world.store(requests_per_minute=150)
    client = world.client(shop, retries=Retries(patience=100.0))
    shop.fail_next(429, {}, times=1000)
    [outcome] = client.find_users(["a@example.com"])
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RateLimitedError)
    assert sum(world.slept) == 5 + 10 + 20 + 40 + 60
    assert shop.requests == 6


def test_patience_is_for_refusals(world: World) -> None:
    """A request that only waits its turn, however long, is not given up at its first refusal."""
    shop = world.store(requests_per_minute=None, limit_headers="never")
    client = world.client(shop, retries=Retries(patience=50.0))
    for _ in range(147):
        client.find_users(["a@example.com"])
    shop.fail_next(429, {}, times=1)
    assert client.find_users(["a@example.com"]) == (Ok(None),)
    assert world.slept[0] == 60.0


# ------------------------------------------------------------------ awaited
@define
class AsyncWire:
    """The way to a store, awaited."""

    shop: BigCommerceSimulator

    async def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        await asyncio.sleep(0)
        return self.shop.handle(request)


def test_outsiders_awaited(world: World) -> None:
    """The async client knows super admins and shoppers as well."""
    shop = world.store()
    shopper = shop.add_shopper("ann@example.com")
    shop.by_hand("POST", "/super-admins", {"firstName": "Ada", "lastName": "Ray", "email": "ada@example.com"})
    settings = BigCommerceConfig(store_hash=shop.store_hash, token=shop.token)

    async def ask() -> tuple[Any, Any]:
        client = AsyncBigCommerce(settings, AsyncWire(shop))
        emails = ["ada@example.com", "ann@example.com"]
        return await client.super_admins(emails), await client.find_shoppers(emails)

    admins, shoppers = asyncio.run(ask())
    assert admins == (Ok(value=True), Ok(value=False))
    assert shoppers[1] == Ok(str(shopper))
