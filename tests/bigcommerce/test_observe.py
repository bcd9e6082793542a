"""Looking at companies by their ids."""

import pytest

from acumatica_b2b.errors import AuthenticationError, ConfigurationError, DecodeError, RejectedError
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    PostalAddress,
    StorefrontID,
    UserID,
)
from tests.bigcommerce.conftest import (
    GUID,
    ROLES,
    Shop,
    address_row,
    answer,
    company_row,
    listed,
    observing,
    one,
    ref,
    refused,
    user_row,
    with_company,
)


def test_by_id(shop: Shop) -> None:
    """A company comes whole, its users by their ids, with names of roles, codes of places, ids as texts."""
    with_company(shop, uuid=GUID.upper())
    [outcome] = shop.ask(observing(ref("5")))
    user = CompanyUser(
        id=UserID(StorefrontID("9")),
        company=CompanyID(StorefrontID("5")),
        email="u9@example.com",
        first_name="Ann",
        last_name="Lee",
        role="Admin",
        external_id=GUID,
    )
    assert outcome == Ok(
        Company(
            id=CompanyID(StorefrontID("5")),
            name="Company 5",
            phone="1",
            external_id=GUID,
            users=(
                user,
                CompanyUser(
                    id=UserID(StorefrontID("12")),
                    company=user.company,
                    email="u12@example.com",
                    first_name="Ann",
                    last_name="Lee",
                    role="Junior Buyer",
                ),
            ),
            addresses=(
                CompanyAddress(
                    id=AddressID(StorefrontID("3")),
                    external_id=GUID,
                    address=PostalAddress(state="CA", country="US"),
                    default_shipping=True,
                ),
            ),
        )
    )
    assert shop.routes() == ["GET companies/5", "GET users", "GET addresses", "GET companies/roles"]
    assert shop.queries("GET users") == [{"isIncludeExtraFields": "1", "companyId": "5", "limit": "200", "offset": "0"}]


def test_signed(shop: Shop) -> None:
    """Every request carries the token and the store's hash, and the deadline of the configuration."""
    with_company(shop)
    shop.ask(observing(ref("5")), deadline=7.0)
    for request in shop.sent:
        assert ("X-Auth-Token", "secret-token") in request.headers
        assert ("X-Store-Hash", "hash") in request.headers
        assert request.deadline == 7.0


def test_gone(shop: Shop) -> None:
    """A company that is not found, or is marked deleted, is None."""
    with_company(shop, 6, companyStatus=4).on("GET companies/5", refused("This resource is not found.", 404))
    assert shop.ask(observing(ref("5"), ref("6"))) == (Ok(None), Ok(None))


@pytest.mark.parametrize("id_", ["roles", "", "٣", "5/6", "-1"])
def test_foreign_reference(shop: Shop, id_: str) -> None:
    """A reference that is no number names no company, and nothing is asked."""
    assert shop.ask(observing(ref(id_))) == (Ok(None),)
    assert shop.sent == []


@pytest.mark.parametrize(("status", "active"), [(0, True), (1, True), (2, False), (3, False)])
def test_status(shop: Shop, status: int, active: bool) -> None:  # noqa: FBT001 - what the status means
    """A pending or approved company is active, a rejected or inactive one is not."""
    with_company(shop, companyStatus=status)
    [outcome] = shop.ask(observing(ref("5")))
    assert outcome.value.active is active


def test_rows_of_others(shop: Shop) -> None:
    """Users and addresses of other companies are left out, should the server ignore the filter."""
    shop.on("GET companies/5", one(**company_row(5)))
    shop.on("GET users", listed(user_row(1), user_row(2, company=6)))
    shop.on("GET addresses", listed(address_row(1, company=6), address_row(2, company=5)))
    [outcome] = shop.ask(observing(ref("5")))
    assert [user.id for user in outcome.value.users] == ["1"]
    assert [address.id for address in outcome.value.addresses] == ["2"]


# ------------------------------------------------------------------ one record's trouble
def test_undecodable_user(shop: Shop) -> None:
    """A user that can't be read fails its company, naming the field, and no other."""
    with_company(shop, 6)
    with_company(shop)

    def users(request: Request) -> Response:
        broken = user_row(1, firstName=7)
        return listed(user_row(2), broken) if "companyId=5" in request.url else listed()

    shop.on("GET users", users)
    [five, six] = shop.ask(observing(ref("5"), ref("6")))
    assert isinstance(five.error, DecodeError)
    assert five.error.path == "users.data[1].first_name"
    assert six.value.id == "6"


def test_refused_read(shop: Shop) -> None:
    """A refused read is that company's; wrong credentials and a redirect end the run."""
    with_company(shop).on("GET users", refused("bad"))
    [outcome] = shop.ask(observing(ref("5")))
    assert isinstance(outcome.error, RejectedError)
    shop.on("GET users", answer(403, {}))
    with pytest.raises(AuthenticationError):
        shop.ask(observing(ref("5")))
    shop.on("GET users", Response(status=302))
    with pytest.raises(ConfigurationError):
        shop.ask(observing(ref("5")))


def test_list_not_found(shop: Shop) -> None:
    """A token without its scope may meet a 404 everywhere: no company is gone because of it, the run ends."""
    nothing = refused("not found", 404)
    shop.on("GET companies/5", nothing).on("GET users", nothing).on("GET addresses", nothing)
    with pytest.raises(AuthenticationError, match="B2B Edition: modify"):
        shop.ask(observing(ref("5")))
    with pytest.raises(AuthenticationError):
        shop.ask(observing(*(ref(str(i)) for i in range(20))))


def test_lost_answer_of_a_read(shop: Shop) -> None:
    """A read whose answer was lost is sent again."""
    with_company(shop)
    shop.on("GET companies/5", OSError("reset"), one(**company_row(5)))
    assert isinstance(shop.ask(observing(ref("5")))[0], Ok)
    assert shop.slept == [1.0]


def test_rate_limited_read(shop: Shop) -> None:
    """A 429 is waited out as long as the server says."""
    with_company(shop)
    shop.on("GET addresses", answer(429, {}, X_Request_Window_Resets_After="12.5 s"), listed())
    assert isinstance(shop.ask(observing(ref("5")))[0], Ok)
    assert shop.slept == [12.5]


def test_roles_unreadable(shop: Shop) -> None:
    """Without the roles no company with users can be told; one without users can."""
    with_company(shop).on("GET companies/roles", refused("no"))
    shop.on("GET companies/6", one(**company_row(6)))
    [five, six] = shop.ask(observing(ref("5"), ref("6")))
    assert isinstance(five.error, RejectedError)
    assert six.value.users == ()


# ------------------------------------------------------------------ proof
def test_unproven_addresses(shop: Shop) -> None:
    """Addresses have to be proven as well as users."""
    with_company(shop).on("GET addresses", listed(address_row(1), total=2))
    assert not shop.ask(observing(ref("5")))[0].value.complete


# ------------------------------------------------------------------ roles
def test_unknown_role_id(shop: Shop) -> None:
    """A role that is not in the remembered list is looked up once more."""
    with_company(shop)
    new = {"id": 901, "name": "Approver", "roleType": 2}
    shop.on("GET companies/roles", listed(*ROLES), listed(*ROLES, new))
    later = listed(user_row(1, role=901))
    shop.on("GET users", listed(user_row(1)), later)
    first, second = shop.play(observing(ref("5")), observing(ref("5")))
    assert first[0].value.users[0].role == "Admin"
    assert second[0].value.users[0].role == "Approver"
    assert shop.routes().count("GET companies/roles") == 2


def test_role_of_the_same_name(shop: Shop) -> None:
    """A role whose id is unknown is never told by its bare name: that may be another's."""
    with_company(shop).on("GET users", listed(user_row(1, role=77, companyRoleName="Admin")))
    assert shop.ask(observing(ref("5")))[0].value.users[0].role == "Admin (role 77)"
    assert shop.routes().count("GET companies/roles") == 1


@pytest.mark.parametrize(
    ("number", "name"), [(0, "Admin"), (1, "Senior Buyer"), (2, "Junior Buyer"), (None, ""), (9, "")]
)
def test_role_by_number(shop: Shop, number: int | None, name: str) -> None:
    """A user without a role's id has the predefined role of its number."""
    row = {**user_row(1), "companyRoleId": None, "role": number}
    with_company(shop).on("GET users", listed(row))
    assert shop.ask(observing(ref("5")))[0].value.users[0].role == name


def test_custom_role_without_id(shop: Shop) -> None:
    """A custom role reads back as 2: without its id it has the name that the user shows."""
    row = {**user_row(1), "companyRoleId": None, "role": 2, "companyRoleName": "Approver"}
    with_company(shop).on("GET users", listed(row))
    assert shop.ask(observing(ref("5")))[0].value.users[0].role == "Approver"
