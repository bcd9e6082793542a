import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
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
from tests.bigcommerce.conftest import (
    STAMP,
    Clock,
    Shop,
    address_row,
    answer,
    company_row,
    listed,
    one,
    refused,
    user_row,
)

SINCE = str(STAMP - 150)
BULK = answer(200, {"code": 200, "data": [{"userId": 999, "bcId": 1}], "meta": {"message": "Success"}})


def person(i: int, **fields: Any) -> DesiredUser:
    """Return the user that contact number i should become."""
    named = {"contact": ContactID(f"K{i}"), "external_id": NoteID(f"note-{i}"), "email": f"u{i}@example.com"}
    return DesiredUser(**{**named, "first_name": "Ann", "last_name": "Lee", **fields})


def user(i: int, company: str = "5", role: str = "Junior Buyer", **fields: Any) -> CreateUser:
    """Return the creation of user number i."""
    return CreateUser(company=CompanyID(StorefrontID(company)), user=person(i, **fields), role=role)


def company(i: int, *, admin: bool = True, **fields: Any) -> CreateCompany:
    """Return the creation of company number i, its admin being user number i."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{i}"),
        external_id=NoteID(f"cnote-{i}"),
        name=f"Company {i}",
        email="office@example.com",
        phone="555",
        **{"address": PostalAddress(line1="1 Main", city="Austin", country="US"), **fields},
    )
    return CreateCompany(company=desired, admin=person(i) if admin else None, role="Admin")


def address(i: int, company: str = "5", **fields: Any) -> CreateAddress:
    """Return the creation of address number i."""
    desired = DesiredAddress(
        location=LocationID(f"L{i}"),
        external_id=NoteID(f"anote-{i}"),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        **{"address": PostalAddress(line1="1 Main", city="Austin", country="DK"), **fields},
    )
    return CreateAddress(company=CompanyID(StorefrontID(company)), address=desired)


def doing(*actions: Action) -> Callable[[Any], Any]:
    """Return the act of performing."""
    return lambda client: client.perform(actions)


def reasons(outcomes: Sequence[Any]) -> list[object]:
    """Return each outcome's id, or its reason, or its error's class."""
    told: list[object] = []
    for outcome in outcomes:
        match outcome:
            case Ok(id_):
                told.append(id_)
            case Failed(RejectedError(reason=reason)):
                told.append(reason)
            case Failed(error):
                told.append(type(error))
    return told


# ------------------------------------------------------------------ users
def test_one_user(shop: Shop) -> None:
    """A single user is posted singly, and its answer tells its id."""
    shop.on("POST users", one(userId=31, bcId=693))
    act = doing(user(1, phone="555", extra_fields=(("Title", "CEO"),)))
    assert shop.ask(act, channel_ids=(1, 7)) == (Ok("31"),)
    assert shop.bodies("POST users") == [
        {
            "firstName": "Ann",
            "lastName": "Lee",
            "email": "u1@example.com",
            "phoneNumber": "555",
            "companyId": 5,
            "role": 2,
            "companyRoleId": 12795,
            "channelIds": [1, 7],
            "acceptWelcomeEmail": False,
            "uuid": "note-1",
            "extraFields": [{"fieldName": "Title", "fieldValue": "CEO"}],
        }
    ]


@pytest.mark.parametrize(
    ("role", "number", "id_"),
    [("Admin", 0, 12793), ("Senior Buyer", 1, 12794), ("Junior Buyer", 2, 12795), ("Primary Admin", 2, 900)],
)
def test_role_fields(shop: Shop, role: str, number: int, id_: int) -> None:
    """The role's id goes with the number that the API has for it, 2 for a store's own."""
    shop.on("POST users", one(userId=31))
    shop.ask(doing(user(1, role=role)), welcome_mail=True)
    [body] = shop.bodies("POST users")
    assert (body["role"], body["companyRoleId"], body["acceptWelcomeEmail"]) == (number, id_, True)
    assert "extraFields" not in body


def test_custom_role_of_a_predefined_name(shop: Shop) -> None:
    """A role that the store made is 2, whatever its name."""
    shop.on("GET companies/roles", listed({"id": 8, "name": "Admin", "roleType": 2})).on("POST users", one(userId=31))
    shop.ask(doing(user(1, role="Admin")))
    assert (shop.bodies("POST users")[0]["role"], shop.bodies("POST users")[0]["companyRoleId"]) == (2, 8)


def test_unknown_role(shop: Shop) -> None:
    """An unknown role raises before any request but the roles' goes out."""
    shop.on("POST users", one(userId=31))
    with pytest.raises(ConfigurationError, match="no role 'Owner'"):
        shop.ask(doing(user(1), user(2, role="Owner")))
    assert shop.routes() == ["GET companies/roles"]


def test_roles_unreadable(shop: Shop) -> None:
    """Where the roles can't be read, nothing is written and every action fails."""
    shop.on("GET companies/roles", refused("no")).on("POST users", one(userId=31))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [Reason.INVALID] * 2
    assert shop.routes() == ["GET companies/roles"]


def test_bulk_users(shop: Shop) -> None:
    """Users of several companies share calls of ten; ids come from one listing, never by position."""
    shop.on("POST users/bulk", BULK).on("POST users", one(userId=77))
    rows = [user_row(100 + i, company=5 + i % 2, email=f"U{i}@example.com") for i in range(30)]
    shop.on("GET users", listed(*reversed(rows)))
    outcomes = shop.ask(doing(*(user(i, str(5 + i % 2)) for i in range(21))))
    assert outcomes == tuple([Ok(str(100 + i)) for i in range(20)] + [Ok("77")])
    assert [len(body) for body in shop.bodies("POST users/bulk")] == [10, 10]
    assert shop.queries("GET users") == [
        {"isIncludeExtraFields": "1", "minCreated": SINCE, "limit": "200", "offset": "0"},
    ]


def test_bulk_of_one_company(shop: Shop) -> None:
    """Users of one company are listed by it."""
    shop.on("POST users/bulk", BULK).on(
        "GET users", listed(user_row(8, email="u2@example.com"), user_row(7, email="u1@example.com"))
    )
    assert shop.ask(doing(user(1), user(2))) == (Ok("7"), Ok("8"))
    assert shop.queries("GET users")[0]["companyId"] == "5"


def test_earliest_answer(shop: Shop) -> None:
    """The list reaches back to the earliest of a wave's calls."""
    early = {"Date": "Thu, 01 Jan 2026 00:05:00 GMT"}
    shop.on("POST users/bulk", BULK, answer(200, {"data": []}, **early), BULK).on("GET users", listed())
    shop.ask(doing(*(user(i, str(5 + i % 2)) for i in range(30))))
    assert shop.queries("GET users")[0]["minCreated"] == str(STAMP - 300 - 150)


def test_same_address_elsewhere(shop: Shop) -> None:
    """A user of another company is not taken for the one that was to be made."""
    shop.on("POST users/bulk", BULK)
    shop.on("GET users", listed(user_row(7, email="u1@example.com"), user_row(8, company=9, email="u2@example.com")))
    assert reasons(shop.ask(doing(user(1), user(2, "6")))) == ["7", OutcomeUnknownError]


def test_server_without_clock(shop: Shop) -> None:
    """Where the server tells no time, the whole list tells the ids."""
    shop.on("POST users/bulk", Response(status=200, body=BULK.body))
    shop.on("GET users", listed(user_row(7, email="u1@example.com"), user_row(8, company=6, email="u2@example.com")))
    assert shop.ask(doing(user(1), user(2, "6"))) == (Ok("7"), Ok("8"))
    assert "minCreated" not in shop.queries("GET users")[0]


def test_refused_bulk(shop: Shop) -> None:
    """After a refusal the list tells what was made; who is named fails, the others are sent singly."""
    shop.on("POST users/bulk", refused("Email already exists. ['U2@example.com']"))
    shop.on("GET users", listed(user_row(7, email="u1@example.com")))
    shop.on("POST users", one(userId=9), refused({"phone_number": ["too long"]}))
    outcomes = shop.ask(doing(user(1), user(2), user(3), user(4)))
    assert reasons(outcomes) == ["7", Reason.EMAIL_TAKEN, "9", Reason.INVALID]
    assert str(outcomes[1].error) == "create the company user of contact 'K2' in company 5: Email already exists."
    assert str(outcomes[3].error).endswith("phoneNumber: too long")
    assert [body["email"] for body in shop.bodies("POST users")] == ["u3@example.com", "u4@example.com"]
    assert shop.routes().index("GET users") < shop.routes().index("POST users")


@pytest.mark.parametrize("listing", [listed(total=5), answer(500, {}), refused("no")])
def test_refused_bulk_unproven(shop: Shop, listing: Response) -> None:
    """Where no proven list shows what a refused call made, nothing is sent again."""
    shop.on("POST users/bulk", refused("bad")).on("GET users", listing).on("POST users", one(userId=9))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [OutcomeUnknownError] * 2
    assert "POST users" not in shop.routes()


@pytest.mark.parametrize(
    "lost", [OSError("reset"), answer(500, {}), answer(504, {}), Response(status=200, body=b"<html>")]
)
def test_lost_bulk(shop: Shop, lost: Response | Exception) -> None:
    """A create whose answer was lost is never sent again, and costs its ten only."""
    shop.on("POST users/bulk", lost, BULK)
    shop.on("GET users", listed(*(user_row(100 + i, email=f"u{i}@example.com") for i in range(10, 12))))
    outcomes = shop.ask(doing(*(user(i) for i in range(12))))
    assert reasons(outcomes) == [OutcomeUnknownError] * 10 + ["110", "111"]
    assert [len(body) for body in shop.bodies("POST users/bulk")] == [10, 2]


@pytest.mark.parametrize("lost", [OSError("reset"), answer(503, {}), one(), Response(status=200, body=b"<html>")])
def test_lost_single(shop: Shop, lost: Response | Exception) -> None:
    """A single create that is lost, or whose answer can't be read, is not sent again."""
    shop.on("POST users", lost, one(userId=1))
    [outcome] = shop.ask(doing(user(1)))
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert "'K1'" in str(outcome.error)
    assert shop.routes().count("POST users") == 1


def test_rate_limited_create(shop: Shop) -> None:
    """A 429 means that nothing happened: a create is sent again, and fails as it is once patience ends."""
    shop.on("POST users", answer(429, {}, Retry_After="3"), one(userId=1))
    assert shop.ask(doing(user(1))) == (Ok("1"),)
    shop.on("POST users/bulk", answer(429, {}, Retry_After="60"))
    assert reasons(shop.ask(doing(user(1), user(2)))) == [RateLimitedError] * 2


def test_refused_credentials(shop: Shop) -> None:
    """Refused credentials end the run, at the first of them."""
    shop.on("POST users/bulk", answer(401, {}))
    with pytest.raises(AuthenticationError):
        shop.ask(doing(user(1), user(2)))
    assert shop.routes().count("POST users/bulk") == 1


def test_foreign_company(shop: Shop) -> None:
    """A company whose id is no number fails by itself; the others are made."""
    shop.on("POST users", one(userId=1)).on("POST addresses", one(addressId=2)).on("GET countries", refused("", 404))
    outcomes = shop.ask(doing(user(1, "abc"), user(2), address(1, "abc"), address(2)))
    assert reasons(outcomes) == [Reason.GONE, "1", Reason.GONE, "2"]


def test_nothing_to_do(shop: Shop) -> None:
    """No actions, no requests."""
    assert shop.ask(doing()) == ()
    assert shop.sent == []


# ------------------------------------------------------------------ companies
def test_one_company(shop: Shop) -> None:
    """A company is posted with its admin, its state by name, and what is empty left out."""
    shop.on("GET states", one(stateCode="TX", stateName="Texas"))
    shop.on("POST companies", one(companyId=41, customerId=1, customerGroupId=None))
    place = PostalAddress(line1="1 Main", city="Austin", state="tx", postal_code="7", country="US")
    create = company(1, address=place, extra_fields=(("Tax", "G"),))
    create = evolve(create, admin=person(1, phone="9", extra_fields=(("Title", "CEO"),)))
    assert shop.ask(doing(create), welcome_mail=True, company_id_field="ID") == (Ok("41"),)
    assert shop.bodies("POST companies") == [
        {
            "companyName": "Company 1",
            "companyEmail": "office@example.com",
            "companyPhone": "555",
            "country": "US",
            "addressLine1": "1 Main",
            "city": "Austin",
            "state": "Texas",
            "zipCode": "7",
            "adminFirstName": "Ann",
            "adminLastName": "Lee",
            "adminEmail": "u1@example.com",
            "adminPhoneNumber": "9",
            "userExtraFields": [{"fieldName": "Title", "fieldValue": "CEO"}],
            "uuid": "cnote-1",
            "channelIds": [1],
            "extraFields": [{"fieldName": "Tax", "fieldValue": "G"}, {"fieldName": "ID", "fieldValue": "cnote-1"}],
            "acceptCreationEmail": True,
        }
    ]
    assert shop.queries("GET states") == [{"searchType": "1", "q": "TX", "country": "US"}]


def test_bare_company(shop: Shop) -> None:
    """Nothing empty and no extra field is sent where there is none."""
    shop.on("POST companies", one(companyId=41))
    shop.ask(doing(company(1, address=PostalAddress(country="DK"))))
    [body] = shop.bodies("POST companies")
    assert body["acceptCreationEmail"] is False
    assert not body.keys() & {"addressLine1", "city", "state", "zipCode", "adminPhoneNumber", "extraFields"}


@pytest.mark.parametrize("states", [refused("Please enter a valid state name", 404), answer(500, {})])
def test_unknown_state(shop: Shop, states: Response) -> None:
    """A state that the shop doesn't tell goes as its code."""
    shop.on("GET states", states).on("POST companies", one(companyId=41))
    shop.ask(doing(company(1, address=PostalAddress(state="84", country="DK"))))
    assert shop.bodies("POST companies")[0]["state"] == "84"


def test_states_once(shop: Shop) -> None:
    """A state is looked up once, an unknown one too."""
    shop.on("GET states", refused("", 404)).on("POST companies", one(companyId=41))
    create = company(1, address=PostalAddress(state="84", country="DK"))
    shop.play(doing(create), doing(create))
    assert shop.routes().count("GET states") == 1


def test_company_without_admin(shop: Shop) -> None:
    """A company without an admin is refused without a request; the others are made."""
    shop.on("POST companies", one(companyId=41))
    outcomes = shop.ask(doing(evolve(company(1, admin=False), role=""), company(2)))
    assert reasons(outcomes) == [Reason.UNSUPPORTED, "41"]
    assert "customer 'C1'" in str(outcomes[0].error)
    assert len(shop.bodies("POST companies")) == 1


def test_bulk_companies(shop: Shop) -> None:
    """C companies cost a create for each ten and one listing; they are told by external id."""
    shop.on("POST companies/bulk", answer(200, {"data": [], "meta": {}}))
    shop.on("GET companies", listed(*(company_row(100 + i, uuid=f"cnote-{i}") for i in reversed(range(20)))))
    outcomes = shop.ask(doing(*(company(i) for i in range(20))))
    assert outcomes == tuple(Ok(str(100 + i)) for i in range(20))
    assert shop.routes() == ["GET companies/roles", "POST companies/bulk", "POST companies/bulk", "GET companies"]
    assert shop.queries("GET companies")[0]["minCreated"] == SINCE
    assert all("acceptCreationEmail" not in row for row in shop.bodies("POST companies/bulk")[0])
    assert shop.bodies("POST companies/bulk")[0][0]["acceptWelcomeEmail"] is False


def test_bulk_companies_by_field(shop: Shop) -> None:
    """With a field configured, companies are told by it."""
    fields = [[{"fieldName": "ID", "fieldValue": f"cnote-{i}"}] for i in (1, 2)]
    shop.on("POST companies/bulk", one())
    shop.on("GET companies", listed(company_row(8, extraFields=fields[1]), company_row(7, extraFields=fields[0])))
    assert shop.ask(doing(company(1), company(2)), company_id_field="ID") == (Ok("7"), Ok("8"))


def test_dropped_external_id(shop: Shop) -> None:
    """Where the shop drops the external id, a company is told by its admin's address and its name."""
    shop.on("POST companies/bulk", one())
    shop.on(
        "GET companies",
        listed(
            *(company_row(i + 10, companyName=f"Company {i} ") for i in (3, 1)), company_row(12, companyName="Other")
        ),
    )
    shop.on("GET users", listed(*(user_row(i, company=i + 10, email=f"U{i}@example.com") for i in (1, 2, 3))))
    outcomes = shop.ask(doing(company(1), company(2), company(3)))
    assert reasons(outcomes) == ["11", OutcomeUnknownError, "13"]
    assert shop.queries("GET users")[0]["minCreated"] == SINCE


def test_external_id_twice(shop: Shop) -> None:
    """Two new companies of one external id tell nobody's id."""
    shop.on("POST companies/bulk", one())
    shop.on("GET companies", listed(*(company_row(i, uuid=f"cnote-{min(i, 2)}") for i in (1, 2, 3))))
    assert reasons(shop.ask(doing(company(1), company(2)))) == ["1", OutcomeUnknownError]


def test_refused_bulk_companies(shop: Shop) -> None:
    """A refused bulk of companies is listed, and what is not there is sent singly."""
    body = {"code": 409, "data": {"errors": [{"id": "1", "_detail": "conflict"}]}, "meta": {"message": "m"}}
    shop.on("POST companies/bulk", answer(409, body)).on("GET companies", listed(company_row(7, uuid="cnote-1")))
    shop.on("POST companies", refused("Email already exists. ['u2@example.com']"))
    outcomes = shop.ask(doing(company(1), company(2)))
    assert reasons(outcomes) == ["7", Reason.EMAIL_TAKEN]
    assert shop.bodies("POST companies")[0]["acceptCreationEmail"] is False


# ------------------------------------------------------------------ addresses
def test_one_address(shop: Shop) -> None:
    """An address goes with codes and names of its places, for shipping and for billing."""
    shop.on("GET states", one(stateCode="CA", stateName="California"))
    shop.on("GET countries", one(countryCode="US", countryName="United States"))
    shop.on("POST addresses", one(addressId=61))
    place = PostalAddress(line1="1 Main", line2="B", city="LA", state="CA", postal_code="9", country="US")
    create = address(1, address=place, phone="5", default_shipping=True, extra_fields=(("Dock", "2"),))
    assert shop.ask(doing(create)) == (Ok("61"),)
    assert shop.bodies("POST addresses") == [
        {
            "firstName": "Ann",
            "lastName": "Lee",
            "phoneNumber": "5",
            "addressLine1": "1 Main",
            "addressLine2": "B",
            "city": "LA",
            "stateCode": "CA",
            "stateName": "California",
            "countryCode": "US",
            "countryName": "United States",
            "zipCode": "9",
            "label": "Dock",
            "externalId": "anote-1",
            "isShipping": True,
            "isBilling": True,
            "isDefaultShipping": True,
            "isDefaultBilling": False,
            "extraFields": [{"fieldName": "Dock", "fieldValue": "2"}],
            "companyId": 5,
        }
    ]


def test_country_without_states(shop: Shop) -> None:
    """For a country whose states the shop doesn't know, the state goes by name only."""
    shop.on("GET states", refused("", 404)).on("GET countries", refused("", 404))
    shop.on("POST addresses", one(addressId=61))
    shop.ask(doing(address(1, address=PostalAddress(state="84", country="DK"))))
    [body] = shop.bodies("POST addresses")
    assert "stateCode" not in body
    assert (body["stateName"], body["countryCode"], body["countryName"]) == ("84", "DK", "DK")


def test_bulk_addresses(shop: Shop) -> None:
    """Addresses share calls of ten, and are told by external id and company, the newest of a pair."""
    shop.on("GET countries", one(countryName="Denmark")).on("POST addresses/bulk", one())
    rows = [address_row(7, company="6", external_id="anote-1"), address_row(9, external_id="ANOTE"), address_row(8)]
    shop.on(
        "GET addresses",
        listed(*rows, address_row(6, company=5, external_id="anote-1"), address_row(5, external_id="anote-1")),
    )
    outcomes = shop.ask(doing(address(1), address(1, "6"), address(2)))
    assert reasons(outcomes) == ["6", "7", OutcomeUnknownError]
    assert shop.queries("GET addresses")[0]["minCreated"] == SINCE


def test_bulk_addresses_of_one_company(shop: Shop) -> None:
    """A refused address is sent singly when the company's list does not show it."""
    shop.on("GET countries", refused("", 404)).on("POST addresses/bulk", refused([{}, {"city": ["may not be null"]}]))
    shop.on("GET addresses", listed(address_row(8, external_id="anote-1")))
    shop.on("POST addresses", refused({"city": ["may not be null"]}))
    outcomes = shop.ask(doing(address(1), address(2)))
    assert reasons(outcomes) == ["8", Reason.INVALID]
    assert str(outcomes[1].error) == "create the address of location 'L2' in company 5: city: may not be null"
    assert shop.queries("GET addresses")[0]["companyId"] == "5"


def test_mixed(shop: Shop) -> None:
    """Outcomes come in the order of the actions, whatever shared a call."""
    shop.on("GET countries", refused("", 404)).on("POST users/bulk", BULK).on("POST companies", one(companyId=41))
    shop.on("POST addresses", one(addressId=61))
    shop.on("GET users", listed(user_row(7, email="u1@example.com"), user_row(8, email="u2@example.com")))
    outcomes = shop.ask(doing(user(2), company(9), address(1), user(1)))
    assert reasons(outcomes) == ["8", "41", "61", "7"]


# ------------------------------------------------------------------ a law
class Faulty:
    """A store of users whose bulk calls make any part of what they are asked for."""

    def __init__(self, faults: list[tuple[int, set[int]]]) -> None:
        self.faults = faults
        self.rows: list[dict[str, Any]] = []
        self.posted: list[str] = []

    def send(self, request: Request, /) -> Response:
        """Answer one request."""
        if request.method == "GET":
            roles = {"id": 12795, "name": "Junior Buyer", "roleType": 1}
            return listed(roles) if "roles" in request.url else listed(*self.rows)
        body = json.loads(request.body)
        if not request.url.endswith("bulk"):
            return self.make(body)
        status, kept = self.faults.pop() if self.faults else (200, set(range(10)))
        for i, row in enumerate(body):
            self.posted.append(row["email"])
            if i in kept:
                self.add(row)
        return answer(status, {"code": status, "data": [], "meta": {"message": "m"}})

    def make(self, row: dict[str, Any]) -> Response:
        """Make one user as the API does: an address once."""
        if any(made["email"] == row["email"] for made in self.rows):
            return refused("Email already exists.")
        return one(userId=self.add(row))

    def add(self, row: dict[str, Any]) -> int:
        """Make one user."""
        id_ = 1000 - len(self.rows)
        self.rows.append(user_row(id_, company=row["companyId"], email=row["email"], role=12795))
        return id_


FAULTS = st.lists(st.tuples(st.sampled_from([200, 400, 409, 422, 500, 503]), st.sets(st.integers(0, 9))), max_size=4)


@given(st.integers(0, 35), FAULTS)
def test_whatever_a_bulk_call_made(count: int, faults: list[tuple[int, set[int]]]) -> None:
    """Whatever part of a call was made, an id is the right user's, and nobody is posted in bulk twice."""
    store = Faulty(list(faults))
    client = BigCommerce(BigCommerceConfig(store_hash="h", token="t"), store, clock=Clock(), parallel=1)
    actions = [user(i, str(5 + i % 3)) for i in range(count)]
    outcomes = client.perform(actions)
    made = {(row["email"], str(row["companyId"])): str(row["id"]) for row in store.rows}
    assert len(outcomes) == count
    for action, outcome in zip(actions, outcomes, strict=True):
        id_ = made.get((action.user.email, action.company))
        if isinstance(outcome, Ok):
            assert outcome.value == id_
        else:
            assert isinstance(outcome.error, OutcomeUnknownError)
    assert len(store.posted) == len(set(store.posted))
    if all(status < 500 for status, _ in faults) and not any(status == 200 for status, _ in faults):
        assert len(made) == count
