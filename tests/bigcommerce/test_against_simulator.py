"""The client against the simulated store, which was written from the facts alone."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Request, Response
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
    UserID,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator, ExtraField
from tests.bigcommerce.conftest import Clock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = PostalAddress(line1="1 Main", city="Austin", state="TX", postal_code="78704", country="US")


def note(kind: str, i: int) -> NoteID:
    """Return the NoteID of record i."""
    return NoteID(f"{kind}0000000-0000-4000-8000-{i:012d}")


def person(i: int) -> DesiredUser:
    """Return the user that contact i should become."""
    return DesiredUser(
        contact=ContactID(f"K{i}"),
        external_id=note("a", i),
        email=f"u{i}@example.com",
        first_name="Ann",
        last_name=f"Lee {i}",
        phone="555",
    )


def company(i: int) -> CreateCompany:
    """Return the creation of company i with its admin."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{i}"),
        external_id=note("c", i),
        name="Same Name",
        email="office@example.com",
        phone="555",
        address=PLACE,
    )
    return CreateCompany(company=desired, admin=person(1000 + i), role="Admin")


def placed(i: int) -> DesiredAddress:
    """Return the address that location i should become."""
    return DesiredAddress(
        location=LocationID(f"L{i}"),
        external_id=note("b", i),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        phone="5",
        address=PLACE,
        default_shipping=i == 0,
    )


def rewritten(i: int, id_: CompanyID) -> UpdateCompany:
    """Return the writing of company i's external id."""
    return UpdateCompany(company=id_, customer=CustomerID(f"C{i}"), changes=(("external_id", note("c", i)),))


def ref(i: int, id_: CompanyID | None = None) -> CompanyRef:
    """Return which company to look at."""
    return CompanyRef(customer=CustomerID(f"C{i}"), external_id=note("c", i), id=id_)


def client_of(shop: BigCommerceSimulator, **config: Any) -> BigCommerce:
    """Return a client of the store."""
    settings = BigCommerceConfig(**{"store_hash": shop.store_hash, "token": shop.token, **config})
    return BigCommerce(settings, shop, clock=Clock(), parallel=1)


def value(outcome: Outcome[Any]) -> Any:
    """Return what came of it."""
    assert isinstance(outcome, Ok), outcome
    return outcome.value


def reason(outcome: Outcome[Any]) -> Reason:
    """Return why it was refused."""
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RejectedError)
    return outcome.error.reason


def done(client: BigCommerce, *actions: Action) -> list[Any]:
    """Return the ids of what was done."""
    return [value(outcome) for outcome in client.perform(actions)]


def seen(client: BigCommerce, i: int) -> Company:
    """Return company i as the client sees it, found by its external id."""
    observed: Company = value(client.observe([ref(i)])[0])
    return observed


@pytest.mark.parametrize("drops", [True, False])
@pytest.mark.parametrize("shuffles", [True, False])
def test_first_load(drops: bool, shuffles: bool) -> None:  # noqa: FBT001 - switches of the simulator
    """A first load costs a create for each ten and a listing; every id is the right record's."""
    shop = BigCommerceSimulator(requests_per_minute=None, drops_uuid_on_create=drops, shuffle_bulk=shuffles)
    client = client_of(shop)
    homes = done(client, *(company(i) for i in range(25)))
    assert shop.writes == 3
    assert shop.requests == 3 + 3 + (1 if drops else 0)  # roles, a state, one or two listings
    before = shop.writes
    ids = done(client, *(CreateUser(company=homes[i % 25], user=person(i), role="Junior Buyer") for i in range(60)))
    assert shop.writes - before == 6
    places = done(client, *(CreateAddress(company=homes[i], address=placed(i)) for i in range(12)))
    before = shop.writes
    done(client, *(rewritten(i, homes[i]) for i in range(25)))
    assert shop.writes - before == 3
    companies = [value(outcome) for outcome in client.observe([ref(i) for i in range(25)])]
    assert [observed.id for observed in companies] == homes
    assert all(observed.complete for observed in companies)
    held = {user.external_id: user.id for observed in companies for user in observed.users}
    assert [held[note("a", i)] for i in range(60)] == ids
    assert [companies[i].addresses[0].id for i in range(12)] == places
    assert companies[0].addresses[0].address == PLACE
    assert companies[0].addresses[0].default_shipping
    assert {user.role for user in companies[3].users} == {"Admin", "Junior Buyer"}
    assert shop.welcomed == []


def test_found_again() -> None:
    """A company is found by its uuid or by a unique extra field, and not by a part of it."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    client = client_of(shop)
    [home] = done(client, company(1))
    assert seen(client, 1).id == home
    assert client.observe([ref(2)]) == (Ok(None),)
    shop.extra_fields["companies"] = (ExtraField(name="Acumatica", unique=True),)
    by_field = client_of(shop, company_id_field="Acumatica")
    assert by_field.observe([ref(1)]) == (Ok(None),)
    done(by_field, rewritten(1, home))
    assert seen(by_field, 1).external_id == note("c", 1)
    assert by_field.observe([CompanyRef(customer=CustomerID("C1"), external_id=NoteID("c000"))]) == (Ok(None),)


@pytest.mark.parametrize("atomic", [True, False])
def test_bad_rows(atomic: bool) -> None:  # noqa: FBT001 - a switch of the simulator
    """A bad row of a bulk call costs itself only, whether or not the call is atomic."""
    shop = BigCommerceSimulator(requests_per_minute=None, bulk_atomic=atomic)
    client = client_of(shop)
    [home] = done(client, company(1))
    others = [CreateUser(company=home, user=person(i), role="Junior Buyer") for i in range(7)]
    [other] = done(client, company(2))
    stranger = CreateUser(company=other, user=person(1001), role="Junior Buyer")
    outcomes = client.perform([*others[:3], stranger, *others[3:]])
    assert reason(outcomes[3]) is Reason.EMAIL_TAKEN
    assert Counter(type(outcome) for outcome in outcomes) == {Ok: 7, Failed: 1}
    assert len(seen(client, 1).users) == 8


@pytest.mark.parametrize("atomic", [True, False])
def test_bad_companies(atomic: bool) -> None:  # noqa: FBT001 - a switch of the simulator
    """A company whose admin's address is taken fails by itself."""
    shop = BigCommerceSimulator(requests_per_minute=None, bulk_atomic=atomic)
    client = client_of(shop)
    done(client, company(1))
    clash = CreateCompany(company=company(2).company, admin=person(1001), role="Admin")
    outcomes = client.perform([company(3), clash, company(4)])
    assert isinstance(outcomes[0], Ok)
    assert reason(outcomes[1]) is Reason.EMAIL_TAKEN
    assert isinstance(outcomes[2], Ok)
    assert len(shop.companies) == 3


def test_lost_answers() -> None:
    """A create whose answer was lost took effect, and is found, not sent again."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    client = client_of(shop)
    shop.fail_next(503, applied=True, concerns=lambda request: request.method == "POST")
    [outcome] = client.perform([company(1)])
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert len(shop.companies) == 1
    home = seen(client, 1).id
    [holder] = client.find_users(["U1001@example.com"])
    assert value(holder).company == home
    shop.fail_next(503, applied=True, concerns=lambda request: request.method == "DELETE")
    [extra] = done(client, CreateUser(company=home, user=person(1), role="Junior Buyer"))
    assert done(client, RemoveUser(company=home, user=extra, contact=ContactID("K1"))) == [extra]


def test_hand_over() -> None:
    """The role passes by promoting first; an update reads back; the last user stays."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    client = client_of(shop)
    [home] = done(client, company(1))
    [new] = done(client, CreateUser(company=home, user=person(1), role="Junior Buyer"))
    [old] = [user for user in seen(client, 1).users if user.role == "Admin"]
    done(client, SetRole(company=home, user=new, contact=ContactID("K1"), role="Admin"))
    done(client, SetRole(company=home, user=old.id, contact=None, role="Senior Buyer"))
    assert {user.id: user.role for user in seen(client, 1).users} == {new: "Admin", old.id: "Senior Buyer"}
    changes = (("email", "new@example.com"), ("first_name", "Bo"), ("phone", "9"), ("external_id", note("a", 9)))
    done(client, UpdateUser(company=home, user=old.id, contact=ContactID("K2"), changes=changes))
    [changed] = [user for user in seen(client, 1).users if user.id == old.id]
    shown = (changed.email, changed.first_name, changed.last_name, changed.phone, changed.external_id)
    assert shown == ("new@example.com", "Bo", "Lee 1001", "9", note("a", 9))
    taken = UpdateUser(company=home, user=old.id, contact=ContactID("K2"), changes=(("email", "u1@example.com"),))
    assert reason(client.perform([taken])[0]) is Reason.EMAIL_TAKEN
    removal = RemoveUser(company=home, user=old.id, contact=ContactID("K2"))
    assert done(client, removal) == [old.id]
    assert reason(client.perform([removal])[0]) is Reason.GONE
    last = RemoveUser(company=home, user=UserID(new), contact=ContactID("K1"))
    assert reason(client.perform([last])[0]) is Reason.LAST_USER


def test_addresses_and_status() -> None:
    """An address is updated whole and removed; a company is switched off and on."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    client = client_of(shop)
    [home] = done(client, company(1))
    [place] = done(client, CreateAddress(company=home, address=placed(1)))
    moved = PostalAddress(line1="2 Side", city="Copenhagen", postal_code="1", country="DK")
    desired = DesiredAddress(
        location=LocationID("L1"),
        external_id=note("b", 1),
        label="Harbour",
        first_name="Bo",
        last_name="Ek",
        address=moved,
        default_billing=True,
    )
    done(client, UpdateAddress(company=home, id=AddressID(place), address=desired))
    [observed] = seen(client, 1).addresses
    assert (observed.address, observed.label, observed.default_billing) == (moved, "Harbour", True)
    done(client, RemoveAddress(company=home, id=AddressID(place), location=LocationID("L1")))
    assert seen(client, 1).addresses == ()
    for active in ("no", "yes"):
        done(client, UpdateCompany(company=home, customer=CustomerID("C1"), changes=(("active", active),)))
        assert seen(client, 1).active is (active == "yes")


def test_required_extra_fields() -> None:
    """Extra fields that a store wants with every update go with it, and stay what they were."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    shop.extra_fields["companies"] = (ExtraField(name="Tax", required=True), ExtraField(name="ID", unique=True))
    client = client_of(shop, company_id_field="ID")
    create = company(1)
    [home] = done(client, evolve(create, company=evolve(create.company, extra_fields=(("Tax", "G"),))))
    done(client, UpdateCompany(company=home, customer=CustomerID("C1"), changes=(("name", "New"),)))
    done(client, UpdateCompany(company=home, customer=CustomerID("C1"), changes=(("extra_fields.Tax", "H"),)))
    assert (seen(client, 1).name, seen(client, 1).external_id) == ("New", note("c", 1))
    assert dict(shop.companies[int(home)].extra_fields) == {"Tax": "H", "ID": note("c", 1)}


def test_rate_limit() -> None:
    """More requests than a minute has are waited for, and none fails."""
    clock = Clock()
    shop = BigCommerceSimulator(now=lambda: START + timedelta(seconds=sum(clock.slept)))
    client = BigCommerce(BigCommerceConfig(store_hash=shop.store_hash, token=shop.token), shop, clock=clock, parallel=1)
    [home] = done(client, company(1))
    [holder] = client.observe([ref(1, home)])
    [user] = value(holder).users
    changes = [(("phone", str(i)),) for i in range(300)]
    done(client, *(UpdateUser(company=home, user=user.id, contact=ContactID("K1"), changes=each) for each in changes))
    assert shop.requests <= 3 + 300 + 2 * 50
    assert max(clock.slept) <= 60


@define
class AsyncShop:
    """The store, awaited."""

    shop: BigCommerceSimulator

    async def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        await asyncio.sleep(0)
        return self.shop.handle(request)


def test_async() -> None:
    """The async client does the same, four requests at a time."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    settings = BigCommerceConfig(store_hash=shop.store_hash, token=shop.token)

    async def load() -> list[Company]:
        client = AsyncBigCommerce(settings, AsyncShop(shop))
        await client.require_roles(["Admin", "Junior Buyer"])
        homes = [value(outcome) for outcome in await client.perform([company(i) for i in range(45)])]
        users = [CreateUser(company=home, user=person(i), role="Junior Buyer") for i, home in enumerate(homes)]
        assert all(isinstance(outcome, Ok) for outcome in await client.perform(users))
        return [value(outcome) for outcome in await client.observe([ref(i) for i in range(45)])]

    companies = asyncio.run(load())
    assert [len(observed.users) for observed in companies] == [2] * 45
