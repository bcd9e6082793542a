import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.bigcommerce.records import (
    AddressRecord,
    CompanyRecord,
    CreatedAddress,
    CreatedCompany,
    CreatedUser,
    ExtraFieldRecord,
    One,
    UserRecord,
    decoded,
    normal_id,
    pairs,
)
from acumatica_b2b.bigcommerce.translating import company_address, company_user
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Response
from acumatica_b2b.model import PostalAddress
from tests.bigcommerce.conftest import address_row, company_row, one, user_row

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "bigcommerce"


def sample(name: str) -> list[Any]:
    """Return a recorded reply, as its recorder wrapped it."""
    path = SAMPLES / f"{name}.json"
    if not path.exists():
        pytest.skip("recorded replies are not part of the project")
    recorded: list[Any] = json.loads(path.read_text())
    return recorded


def reply(data: object) -> Response:
    """Return an answer with that body."""
    return Response(status=200, body=json.dumps(data).encode())


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("bc_create_company", One[CreatedCompany]),
        ("bc_create_user", One[CreatedUser]),
        ("bc_update_address", One[CreatedAddress]),
    ],
)
def test_recorded_answers(name: str, cls: type[Any]) -> None:
    """What a store answered to a create or an update decodes."""
    assert decoded(reply(sample(name)[0]), cls, name).data


def test_recorded_user() -> None:
    """A recorded user decodes to the company user it is."""
    record = decoded(reply(sample("bc_get_user")[0]), One[UserRecord], "users").data
    user = company_user(record, "Junior Buyer")
    assert (user.id, user.company, user.external_id) == ("18382574", "12711142", "")
    assert record.company_role_id == 12795


@pytest.mark.parametrize("name", ["bc_company_users_items", "bc_users_by_email_items"])
def test_recorded_users(name: str) -> None:
    """Recorded users of a listing decode."""
    for item in sample(name):
        assert decoded(reply({"data": item}), One[UserRecord], "users").data.id


def test_recorded_address() -> None:
    """A recorded address decodes, its company's id being a text."""
    record = decoded(reply({"data": sample("bc_company_addresses_items")[0]}), One[AddressRecord], "addresses").data
    address = company_address(record)
    assert (address.address.state, address.address.country, address.external_id) == ("TS", "IN", "")
    assert record.company_id == "12623321"


@pytest.mark.parametrize(
    ("row", "cls", "path"),
    [
        (user_row(1, email=3), One[UserRecord], "users.data.email"),  # type: ignore[arg-type]  # that is the point
        ({**user_row(1), "id": "1"}, One[UserRecord], "users.data.id"),
        ({**user_row(1), "companyRoleId": "1"}, One[UserRecord], "users.data.company_role_id"),
        (company_row(1, companyStatus="1"), One[CompanyRecord], "users.data.company_status"),
        (address_row(1, isDefaultBilling="false"), One[AddressRecord], "users.data.is_default_billing"),
    ],
)
def test_strictness(row: dict[str, Any], cls: type[Any], path: str) -> None:
    """A value of another type than recorded is named by its path, never made to fit."""
    with pytest.raises(DecodeError) as caught:
        decoded(one(**row), cls, "users")
    assert caught.value.path == path


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": null}', b"null", b'"x"'])
def test_no_envelope(body: bytes) -> None:
    """An answer without its envelope is a DecodeError."""
    with pytest.raises(DecodeError):
        decoded(Response(status=200, body=body), One[UserRecord], "users")


def test_nothing_given() -> None:
    """Empty, missing and null are the same."""
    nothing: dict[str, Any] = {
        "firstName": None,
        "lastName": "",
        "phoneNumber": None,
        "uuid": None,
        "extraFields": None,
    }
    user = company_user(decoded(one(**user_row(1, **nothing)), One[UserRecord], "users").data, "Admin")
    assert (user.first_name, user.last_name, user.phone, user.external_id, user.extra_fields) == ("", "", "", "", ())
    bare = company_address(AddressRecord(address_id=1))
    assert (bare.label, bare.address, bare.default_billing) == ("", PostalAddress(), False)


def test_state_without_code() -> None:
    """Where the shop has no code, the name of state and country is told."""
    bare = company_address(AddressRecord(address_id=1, state_code="", state_name="84", country_name="Denmark"))
    assert bare.address == PostalAddress(state="84", country="Denmark")


def test_extra_fields() -> None:
    """Values of extra fields are texts, whatever type the store gives a number."""
    fields = (ExtraFieldRecord(field_name="a", field_value=7), ExtraFieldRecord(field_name="b"))
    assert pairs(fields) == (("a", "7"), ("b", ""))
    record = CompanyRecord(company_id=1, company_name="x", uuid="u", extra_fields=fields)
    assert (record.external_id("a"), record.external_id("z"), record.external_id(None)) == ("7", "", "u")


@given(st.uuids())
def test_guids(guid: UUID) -> None:
    """A GUID is compared in lower case and without blanks."""
    assert normal_id(f" {str(guid).upper()} ") == str(guid)


def test_other_ids() -> None:
    """An external id that is no GUID keeps its case."""
    assert normal_id("ABC1") == "ABC1"
    assert normal_id(None) == ""
