from collections.abc import Callable

import pytest

from tests.simulators.bigcommerce.conftest import Api, address_body, without


class TestAddresses:
    @pytest.mark.parametrize("key", ["firstName", "lastName", "addressLine1", "city", "companyId"])
    def test_required_fields(self, api: Api, key: str) -> None:
        """An address without names, line, city or company is refused."""
        reply = api("POST", "/addresses", without(address_body(api.company()), key))
        assert list(reply.error.values()) == [["This field may not be null."]]
        assert not api.shop.addresses

    def test_its_company_must_be_there(self, api: Api) -> None:
        """An address of a company that is not there is refused."""
        assert api("POST", "/addresses", address_body(7)).error == {"company_id": ["Company does not exist."]}

    @pytest.mark.parametrize(
        "place",
        [
            {"countryCode": "US", "stateCode": "TX"},
            {"countryName": "United States", "stateName": "Texas"},
            {"countryCode": "US", "countryName": "United States", "stateName": "texas"},
        ],
    )
    def test_places(self, api: Api, place: dict[str, str]) -> None:
        """Country and state are taken by codes or names and answered by both."""
        body = without(address_body(api.company()), "countryCode", "stateCode") | place
        address = api("POST", "/addresses", body).data["addressId"]
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryCode"], read["countryName"]) == ("US", "United States")
        assert (read["stateCode"], read["stateName"]) == ("TX", "Texas")

    @pytest.mark.parametrize(
        ("place", "wrong"),
        [
            ({"country": "US", "stateCode": "TX"}, "non_field_errors"),
            ({"countryCode": "XX"}, "country_code"),
            ({"countryName": "Atlantis"}, "country_name"),
            ({"countryCode": "US"}, "state_name"),
            ({"countryCode": 1}, "country_code"),
            ({"countryCode": "DE"}, "state_name"),
            ({"countryCode": "US", "stateCode": "ON"}, "state_code"),
            ({"countryCode": "CA", "stateName": "Texas"}, "state_name"),
            ({"countryCode": "CA", "countryName": "United States", "stateCode": "ON"}, "country_code"),
        ],
    )
    def test_places_that_are_none(self, api: Api, place: dict[str, str], wrong: str) -> None:
        """A country must be listed, a state be one of it, and be there where the country needs one."""
        body = without(address_body(api.company()), "countryCode", "stateCode") | place
        reply = api("POST", "/addresses", body)
        assert (reply.status, list(reply.error)) == (422, [wrong])

    def test_a_country_without_states(self, api: Api) -> None:
        """An address in a country that needs no state has none."""
        body = without(address_body(api.company()), "stateCode") | {"countryCode": "GB"}
        address = api("POST", "/addresses", body).data["addressId"]
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryName"], read["stateCode"], read["stateName"]) == ("United Kingdom", "", "")

    def test_a_place_changes(self, api: Api) -> None:
        """A new code brings its name and needs its state; a new country name needs its code."""
        address = api.address(api.company())
        assert api("PUT", f"/addresses/{address}", {"countryCode": "CA"}).status == 422
        assert api("PUT", f"/addresses/{address}", {"countryName": "Canada", "stateCode": "ON"}).status == 422
        assert api("PUT", f"/addresses/{address}", {"countryCode": "CA", "stateCode": "ON"}).status == 200
        read = api("GET", f"/addresses/{address}").data
        assert (read["countryName"], read["stateName"]) == ("Canada", "Ontario")
        assert api("PUT", f"/addresses/{address}", {"stateCode": "QC"}).status == 200
        assert api.shop.addresses[address].place.state_name == "Quebec"

    def test_external_ids(self, api: Api) -> None:
        """An external id is found by its filter, may be one of several, and is null when cleared."""
        company = api.company()
        first = api.address(company, externalId="note-1")
        second = api.address(company, externalId="note-2")
        api.address(company, externalId="")

        def found(*ids: str) -> list[int]:
            return [row["addressId"] for row in api("GET", "/addresses", **{"externalId[]": ids}).data]

        assert found("note-2") == [second]
        assert found("note-1", "note-2") == [first, second]
        assert found("note") == []
        api("PUT", f"/addresses/{first}", {"externalId": None})
        shown = [row["externalId"] for row in api("GET", "/addresses").data]
        assert shown == [None, "note-2", None]

    def test_the_company_is_a_text(self, api: Api) -> None:
        """An address shows its company's id as a text, unlike everything else."""
        address = api.address(company := api.company())
        assert api("GET", f"/addresses/{address}").data["companyId"] == str(company)

    def test_uses(self, api: Api) -> None:
        """Addresses are filtered by company and use."""
        a, b = api.company("A"), api.company("B")
        billing = api.address(a, isBilling=True)
        shipping = api.address(b, isShipping=True)

        def found(**query: object) -> list[int]:
            return [row["addressId"] for row in api("GET", "/addresses", **query).data]

        assert found(isBilling="true") == [billing]
        assert found(isBilling="false") == [shipping]
        assert found(isShipping=1, companyId=b) == [shipping]
        assert found(companyId=a) == [billing]

    @pytest.mark.parametrize(
        "fields",
        [
            {"isDefaultShipping": True},
            {"isDefaultBilling": True, "isShipping": True},
            {"isDefaultShipping": True, "isShipping": False},
        ],
    )
    def test_a_default_needs_its_use(self, api: Api, fields: dict[str, bool]) -> None:
        """A default mark is refused unless the use itself comes with it."""
        company = api.company()
        address = api.address(company)
        for reply in (
            api("POST", "/addresses", address_body(company, **fields)),
            api("PUT", f"/addresses/{address}", fields),
        ):
            assert (reply.status, reply.error) == (422, "Check is default fields and corresponding field.")

    def test_one_default(self, api: Api) -> None:
        """A company has one default address of a use: a new one ends the former, in that company alone."""
        a, b = api.company("A"), api.company("B")
        default = {"isShipping": True, "isDefaultShipping": True}
        first, other = api.address(a, **default), api.address(b, **default)
        second = api.address(a, **default)
        marked = {address.id for address in api.shop.addresses.values() if address.is_default_shipping}
        assert marked == {second, other}
        assert api.shop.addresses[first].is_shipping

    def test_updates_and_deletion(self, api: Api) -> None:
        """An update changes what it names; a deleted address is gone."""
        address = api.address(company := api.company(), label="Dock", phoneNumber="1")
        api("PUT", f"/addresses/{address}", {"label": "Dock 2"})
        read = api("GET", f"/addresses/{address}").data
        assert (read["label"], read["phoneNumber"], read["city"]) == ("Dock 2", "1", "Austin")
        assert api("PUT", f"/addresses/{address}", {"city": ""}).status == 422
        assert api("DELETE", f"/addresses/{address}").data == {"addressId": address}
        assert api("GET", f"/addresses/{address}").error == "Address matching query does not exist."
        assert api.shop.addresses_of(company) == ()

    def test_in_bulk(self, make: Callable[..., Api]) -> None:
        """A bulk call answers whole addresses, makes the good rows, lists the others, and takes ten at most."""
        api = make(shuffle_bulk=True)
        company = api.company()
        good, bad = address_body(company, label="A"), without(address_body(company), "lastName")
        reply = api("POST", "/addresses/bulk", [good, {**good, "label": "B"}])
        assert [row["label"] for row in reply.data] == ["B", "A"]
        reply = api("POST", "/addresses/bulk", [good, bad])
        assert (reply.status, reply.error) == (422, [{}, {"last_name": ["This field may not be null."]}])
        assert len(api.shop.addresses) == 3
        assert api("POST", "/addresses/bulk", [good] * 11).status == 413
        api.shop.bulk_atomic = True
        api("POST", "/addresses/bulk", [good, bad])
        assert len(api.shop.addresses) == 3
