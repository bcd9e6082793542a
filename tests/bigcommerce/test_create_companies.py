"""Creating companies with their admins."""

import pytest
from attrs import evolve

from acumatica_b2b.errors import DecodeError, OutcomeUnknownError, Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Response
from acumatica_b2b.model import PostalAddress
from tests.bigcommerce.conftest import (
    SINCE,
    Shop,
    answer,
    company,
    company_row,
    doing,
    listed,
    one,
    person,
    reasons,
    refused,
    user_row,
)


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


def test_unknown_state(shop: Shop) -> None:
    """A state that the shop doesn't know goes as its code."""
    shop.on("GET states", refused("Please enter a valid state name", 404)).on("POST companies", one(companyId=41))
    shop.ask(doing(company(1, address=PostalAddress(state="84", country="DK"))))
    assert shop.bodies("POST companies")[0]["state"] == "84"


@pytest.mark.parametrize(
    ("states", "expected"), [(answer(500, {}), OutcomeUnknownError), (one(stateName=5), DecodeError)]
)
def test_state_that_was_not_learned(shop: Shop, states: Response, expected: type[Exception]) -> None:
    """A company whose state could not be looked up is not made: it would keep the code; another one is."""
    shop.on("GET states", states).on("POST companies", one(companyId=41))
    elsewhere = company(2, address=PostalAddress(country="DK"))
    lost, made = shop.ask(doing(company(1, address=PostalAddress(state="84", country="DK")), elsewhere))
    assert isinstance(lost.error, expected)
    assert made == Ok("41")
    assert [body["uuid"] for body in shop.bodies("POST companies")] == ["cnote-2"]


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
    assert shop.queries("GET companies")[0]["minModified"] == SINCE
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


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [({"catalog_id": 7}, "catalogId", 7), ({"customer_group_id": 0}, "customerGroupId", 0)],
)
def test_prices(shop: Shop, settings: dict[str, int], field: str, value: int) -> None:
    """A dependent company gets the price list of the configuration, an independent one the group, 0 being none."""
    shop.on("POST companies", one(companyId=41))
    shop.ask(doing(company(1)), **settings)
    [body] = shop.bodies("POST companies")
    assert body[field] == value
    shop.ask(doing(company(1)))
    [body] = shop.bodies("POST companies")
    assert not body.keys() & {"catalogId", "customerGroupId"}


def test_company_is_on_every_channel(shop: Shop) -> None:
    """A company is on every channel that some user of it may have."""
    shop.on("POST companies", one(companyId=41))
    shop.ask(doing(company(1)), channels={"SHOP": 7})
    assert shop.bodies("POST companies")[0]["channelIds"] == [1, 7]
