"""Looking again at a company costs only what a write touched and no answer told."""

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateUser,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce import BigCommerce
from acumatica_b2b.bigcommerce.records import CompanyRecord, UserRecord
from acumatica_b2b.bigcommerce.sights import Sight, Sights
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyID,
    ContactID,
    CustomerID,
    LocationID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.bigcommerce.conftest import Shop, doing, listed, observing, one, ref, refused, user_row, with_company
from tests.bigcommerce.test_against_simulator import client_of, company, person, placed, value
from tests.bigcommerce.test_against_simulator import ref as ref_of

FIVE = CompanyID(StorefrontID("5"))
NINE, TWELVE = UserID(StorefrontID("9")), UserID(StorefrontID("12"))
AGAIN = evolve(ref("5"), again=True)


def renaming(user: UserID = NINE, field: str = "first_name", text: str = "Bea") -> UpdateUser:
    """Return a change of a user."""
    return UpdateUser(company=FIVE, user=user, contact=ContactID("K9"), changes=((field, text),))


def looked(shop: Shop, action: Action, again: Any = AGAIN) -> tuple[list[str], Any]:
    """Return what a second look asks after an action, and what it shows."""
    shop.play(observing(ref("5")), doing(action))
    before = len(shop.sent)
    looks = shop.play(observing(ref("5")), doing(action), observing(again))
    return shop.routes()[before:], looks[-1][0].value


@pytest.fixture
def five(shop: Shop) -> Shop:
    """Return a shop with a company, whose users may be changed."""
    with_company(shop)
    told = one(**user_row(9, firstName="Bea", role=12793))
    return shop.on("PUT users/9", told).on("PUT companies/5", one(companyId=5)).on("PUT addresses/3", one(addressId=3))


# ------------------------------------------------------------------ what is read again
def test_a_change_that_the_answer_tells_is_not_read_back(five: Shop) -> None:
    """Where the answer tells what became of the fields that were sent, nothing is asked, and they are shown."""
    asked, seen = looked(five, renaming())
    assert asked == []
    assert [(user.id, user.first_name) for user in seen.users] == [("9", "Bea"), ("12", "Ann")]


def test_a_role_that_the_answer_tells_is_not_read_back(five: Shop) -> None:
    """So it is with a role."""
    five.on("PUT users/9", one(**user_row(9, role=12794, companyRoleName="Senior Buyer")))
    asked, seen = looked(five, SetRole(company=FIVE, user=NINE, contact=ContactID("K9"), role="Senior Buyer"))
    assert asked == []
    assert {user.id: user.role for user in seen.users} == {"9": "Senior Buyer", "12": "Junior Buyer"}


def test_a_new_email_address_is_read_back(five: Shop) -> None:
    """A new e-mail address is read back, whatever the answer told; company and addresses are not."""
    five.on("PUT users/9", one(**user_row(9, email="new@example.com")))
    asked, _ = looked(five, renaming(field="email", text="new@example.com"))
    assert asked == ["GET users"]


@pytest.mark.parametrize("told", [one(), one(**user_row(9, firstName=None)), one(**user_row(77, firstName="Bea"))])
def test_what_the_answer_does_not_tell_is_read(five: Shop, told: Any) -> None:
    """Where the answer tells no user, another one, or not all that was sent, the users are read."""
    five.on("PUT users/9", told)
    asked, _ = looked(five, renaming())
    assert asked == ["GET users"]


def test_a_refused_change_is_read(five: Shop) -> None:
    """What became of a user whose change was refused is read."""
    five.on("PUT users/9", refused("no"))
    assert looked(five, renaming())[0] == ["GET users"]


def test_a_changed_company_is_read(five: Shop) -> None:
    """Of a company whose fields changed only they are read."""
    changed = UpdateCompany(company=FIVE, customer=CustomerID("C1"), changes=(("name", "New"),))
    assert looked(five, changed)[0] == ["GET companies/5"]


def test_a_changed_address_is_read(five: Shop) -> None:
    """What became of an address is told by no answer: the addresses are read, unless nobody looks at them."""
    place = evolve(placed(0), address=PostalAddress(line1="1 Main", city="Austin", country="US"))
    changed = UpdateAddress(company=FIVE, id=AddressID(StorefrontID("3")), address=place)
    assert looked(five, changed)[0] == ["GET addresses"]


def test_a_look_anew_reads_all(five: Shop) -> None:
    """Who does not look again, but anew, reads all of it."""
    assert looked(five, renaming(), ref("5"))[0] == ["GET companies/5", "GET users", "GET addresses"]


def test_without_addresses(shop: Shop) -> None:
    """Addresses are read only for who asks for them; where they are asked for later, that is all that is read."""
    with_company(shop)
    [bare], [whole] = shop.play(observing(evolve(ref("5"), addresses=False)), observing(AGAIN))
    assert shop.routes() == ["GET companies/5", "GET users", "GET companies/roles", "GET addresses"]
    assert (bare.value.addresses, bare.value.complete, len(whole.value.addresses)) == ((), True, 1)


def test_unproven_rows_are_not_remembered(shop: Shop) -> None:
    """What a listing could not prove is read again."""
    with_company(shop).on("GET users", listed(user_row(9), total=2))
    [first], [second] = shop.play(observing(ref("5")), observing(AGAIN))
    assert not first.value.complete
    assert not second.value.complete
    assert shop.routes().count("GET users") > 1


# ------------------------------------------------------------------ what is kept
def sight(*users: int) -> Sight:
    """Return a company as it was read."""
    rows = {i: UserRecord(id=i, company_id=5, email=f"u{i}@example.com", first_name="Ann") for i in users}
    return Sight(record=CompanyRecord(company_id=5, company_name="Five"), users=rows, addresses=())


def test_a_write_during_a_reading() -> None:
    """A reading that began before a write is not remembered."""
    sights = Sights()
    sights.wrote(renaming(), 2)
    sights.saw("5", sight(9), 1)
    assert sights.of("5").known_users is None
    sights.saw("5", sight(9), 3)
    assert sights.of("5") == evolve(sight(9), touched=2)
    sights.saw("5", sight(12), 1)  # a late one
    assert sights.of("5") == evolve(sight(9), touched=2)


def test_a_write_that_was_told_of_hides_no_other() -> None:
    """Where two writes went to one user, what is told of the one says nothing of the other."""
    sights = Sights()
    sights.saw("5", sight(9), 1)
    for turn, sent in ((2, {"email": "new@example.com"}), (3, {"firstName": "Bea"})):
        sights.wrote(renaming(), turn)
        sights.told("5", UserRecord(id=9, company_id=5, email="new@example.com", first_name="Bea"), sent)
    assert sights.of("5").known_users is None


def test_only_what_was_sent_is_taken_from_an_answer() -> None:
    """Of an answer only the fields that were sent are taken: it may leave others out."""
    sights = Sights()
    sights.saw("5", sight(9, 12), 1)
    sights.wrote(renaming(), 2)
    assert sights.of("5").known_users is None
    sights.told("5", UserRecord(id=9, company_id=5, email="", first_name="Bea"), {"firstName": "Bea"})
    told = sights.of("5").known_users or ()
    assert [(user.id, user.first_name, user.email) for user in told] == [
        (9, "Bea", "u9@example.com"),
        (12, "Ann", "u12@example.com"),
    ]


def test_too_many_companies() -> None:
    """Of too many companies only those that were read last are remembered."""
    sights = Sights()
    for i in range(1, 1_003):
        sights.saw(str(i), sight(9), 1)
    assert [i for i in range(1, 1_003) if sights.of(str(i)).record is None] == [1, 2]


@pytest.mark.parametrize("odd", ["", "x", "-1"])
def test_odd_ids(odd: str) -> None:
    """Of what is no company nothing is remembered."""
    sights = Sights()
    sights.wrote(evolve(renaming(), company=CompanyID(StorefrontID(odd))), 1)
    sights.saw(odd, sight(9), 2)
    assert sights.of(odd).record is None


# ------------------------------------------------------------------ whatever is done
def state(company_: Company) -> Any:
    """Return a company without the order of what is in it."""
    return evolve(company_, users=(), addresses=()), set(company_.users), set(company_.addresses)


def steps(draw: Any, there: Company) -> Sequence[Action]:
    """Draw what is done to a company: changes, additions and removals, of users and addresses."""
    user = draw(st.sampled_from(there.users))
    place = draw(st.sampled_from(there.addresses)) if there.addresses else None
    number = draw(st.integers(0, 9))
    field = draw(st.sampled_from(("first_name", "phone", "email", "external_id")))
    text = f"x{number}@new.example" if field == "email" else f"Text {number}"
    possible: list[Action] = [
        UpdateUser(company=there.id, user=user.id, contact=ContactID("K"), changes=((field, text),)),
        SetRole(company=there.id, user=user.id, contact=None, role=draw(st.sampled_from(("Admin", "Junior Buyer")))),
        UpdateCompany(company=there.id, customer=CustomerID("C1"), changes=(("name", text),)),
        CreateUser(company=there.id, user=person(number), role="Junior Buyer"),
        RemoveUser(company=there.id, user=user.id, contact=ContactID("K")),
        CreateAddress(company=there.id, address=placed(number)),
    ]
    if place:
        changed = evolve(placed(number), label=text)
        possible.append(UpdateAddress(company=there.id, id=place.id, address=changed))
        possible.append(RemoveAddress(company=there.id, id=place.id, location=LocationID("L")))
    chosen: list[Action] = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=2, unique_by=type))
    return chosen


def as_it_is(client: BigCommerce, id_: CompanyID, *, again: bool) -> Company:
    """Return the company as a client shows it."""
    return value(client.observe([evolve(ref_of(1, id_), again=again)])[0])  # type: ignore[no-any-return]  # a company


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_second_look_shows_what_there_is(data: st.DataObject) -> None:
    """Whatever a client has done to a company, looked at again it is as a client that remembers nothing finds it."""
    shop = BigCommerceSimulator()
    [made] = client_of(shop).perform([company(1)])
    assert isinstance(made, Ok)
    client, id_ = client_of(shop), CompanyID(made.value)
    client.perform([CreateUser(company=id_, user=person(i), role="Junior Buyer") for i in (20, 21)])
    there = as_it_is(client, id_, again=False)
    for _ in range(data.draw(st.integers(1, 4))):
        for action in steps(data.draw, there):
            [outcome] = client.perform([action])
            event(f"{type(action).__name__}: {type(outcome).__name__}")
        there = as_it_is(client, id_, again=True)
        assert state(there) == state(as_it_is(client_of(shop), id_, again=False))
