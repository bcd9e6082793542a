"""Creating addresses, and all kinds at once."""

from acumatica_b2b.errors import OutcomeUnknownError, Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import PostalAddress
from tests.bigcommerce.conftest import (
    BULK,
    SINCE,
    Shop,
    address,
    address_row,
    company,
    doing,
    listed,
    one,
    reasons,
    refused,
    user,
    user_row,
)


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
