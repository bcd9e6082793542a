from collections.abc import Callable
from typing import Any

import pytest

from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    CustomerID,
    NoteID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from tests.bigcommerce.conftest import (
    ROLES,
    STAMP,
    Shop,
    address_row,
    answer,
    company_row,
    listed,
    one,
    refused,
    user_row,
)

GUID = "0a1b2c3d-0000-4000-8000-00000000000f"


def ref(id_: str | None = None, *, external_id: str = GUID, customer: str = "C1") -> CompanyRef:
    """Return which company to look at."""
    company = None if id_ is None else CompanyID(StorefrontID(id_))
    return CompanyRef(customer=CustomerID(customer), external_id=NoteID(external_id), id=company)


def observing(*refs: CompanyRef) -> Callable[[Any], Any]:
    """Return the act of observing."""
    return lambda client: client.observe(refs)


def with_company(shop: Shop, id_: int = 5, **fields: Any) -> Shop:
    """Return the shop with one company that has two users and an address."""
    shop.on(f"GET companies/{id_}", one(**company_row(id_, **fields)))
    shop.on("GET users", listed(user_row(12, company=id_, role=12795), user_row(9, company=id_, uuid=GUID.upper())))
    return shop.on("GET addresses", listed(address_row(3, company=str(id_), external_id=GUID, isDefaultShipping=True)))


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


def test_inactive(shop: Shop) -> None:
    """Status 3 is inactive, all others are active."""
    with_company(shop, companyStatus=3)
    with_company(shop, 6, companyStatus=0)
    [five, six] = shop.ask(observing(ref("5"), ref("6")))
    assert (five.value.active, six.value.active) == (False, True)


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


def test_lost_answer_of_a_read(shop: Shop) -> None:
    """A read whose answer was lost is sent again."""
    with_company(shop)
    shop.on("GET companies/5", OSError("reset"), one(**company_row(5)))
    assert isinstance(shop.ask(observing(ref("5")))[0], Ok)
    assert shop.slept == [1.0]


def test_rate_limited_read(shop: Shop) -> None:
    """A 429 is waited out as long as the server says."""
    with_company(shop)
    shop.on("GET companies/5", answer(429, {}, X_Request_Window_Resets_After="12.5 s"), one(**company_row(5)))
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
def pages(rows: list[dict[str, Any]], size: int) -> Callable[[Request], Response]:
    """Return a route that answers by limit and offset."""

    def page(request: Request) -> Response:
        offset = int(request.url.rpartition("offset=")[2])
        return listed(*rows[offset : offset + size], total=len(rows))

    return page


def test_full_pages(shop: Shop) -> None:
    """All pages are read, each once, and the whole is proven."""
    with_company(shop)
    shop.on("GET users", pages([user_row(i) for i in range(1, 6)], 2))
    [outcome] = shop.ask(observing(ref("5")), page_size=2)
    assert len(outcome.value.users) == 5
    assert outcome.value.complete
    assert [query["offset"] for query in shop.queries("GET users")] == ["0", "2", "4"]


def test_grown_while_read(shop: Shop) -> None:
    """Users that come while the pages are read are read as well."""
    with_company(shop)
    first, second = listed(user_row(1), total=2), listed(user_row(2), total=3)
    shop.on("GET users", first, second, listed(user_row(3), total=3))
    [outcome] = shop.ask(observing(ref("5")), page_size=1)
    assert [user.id for user in outcome.value.users] == ["1", "2", "3"]
    assert outcome.value.complete


def test_fallen_total(shop: Shop) -> None:
    """Where the total fell while it was read, the list is read once more."""
    with_company(shop)
    shop.on("GET users", listed(user_row(1), total=3), listed(total=2), listed(total=2), listed(user_row(2)))
    [outcome] = shop.ask(observing(ref("5")), page_size=1)
    assert [user.id for user in outcome.value.users] == ["2"]
    assert outcome.value.complete


def test_fallen_total_with_enough_rows(shop: Shop) -> None:
    """A total that falls proves nothing, even where as many rows were seen as there were at first."""
    with_company(shop)
    shop.on("GET users", listed(user_row(1), total=2), listed(user_row(2), total=1), listed(user_row(2)))
    [outcome] = shop.ask(observing(ref("5")), page_size=1)
    assert [user.id for user in outcome.value.users] == ["2"]


def test_unproven(shop: Shop) -> None:
    """A list that is unproven twice says that it is not complete."""
    with_company(shop)
    shop.on("GET users", listed(user_row(1), total=2), listed(user_row(1), total=2), listed(user_row(1), total=2))
    [outcome] = shop.ask(observing(ref("5")), page_size=1)
    assert not outcome.value.complete
    assert shop.routes().count("GET users") == 4


def test_unproven_addresses(shop: Shop) -> None:
    """Addresses have to be proven as well as users."""
    with_company(shop).on("GET addresses", listed(address_row(1), total=2))
    assert not shop.ask(observing(ref("5")))[0].value.complete


# ------------------------------------------------------------------ by external id
def test_by_uuid(shop: Shop) -> None:
    """A company is found by its uuid, whatever its case, from one list; that is remembered."""
    with_company(shop, uuid=GUID.upper()).on("GET companies", listed(company_row(4), company_row(5, uuid=GUID.upper())))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first[0].value.id == second[0].value.id == "5"
    assert shop.queries("GET companies") == [
        {"sortBy": "companyName", "orderBy": "ASC", "limit": "200", "offset": "0"},
    ]


def test_missed_uuid(shop: Shop) -> None:
    """A miss reads only what changed since, by the server's clock with a margin; a hit then is found."""
    with_company(shop, uuid=GUID)
    shop.on("GET companies", listed(company_row(4)), listed(company_row(5, uuid=GUID)))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first == (Ok(None),)
    assert second[0].value.id == "5"
    assert [query.get("minModified") for query in shop.queries("GET companies")] == [None, str(STAMP - 150)]


def test_no_clock(shop: Shop) -> None:
    """Where the server tells no time, a miss reads the full list again."""
    shop.on("GET companies", Response(status=200, body=listed().body))
    shop.play(observing(ref()), observing(ref()))
    assert ["minModified" in query for query in shop.queries("GET companies")] == [False, False]


def test_forget(shop: Shop) -> None:
    """What was remembered is read anew after forget()."""
    with_company(shop, uuid=GUID).on("GET companies", listed(company_row(5, uuid=GUID)))
    shop.play(observing(ref()), lambda client: client.forget(), observing(ref()))
    assert shop.routes().count("GET companies") == 2
    assert shop.routes().count("GET companies/roles") == 2


def test_remembered_too_long(shop: Shop) -> None:
    """A company that no longer holds the external id is not taken for the one that does."""
    with_company(shop, uuid="other").on("GET companies", listed(company_row(5, uuid=GUID)))
    assert shop.ask(observing(ref())) == (Ok(None),)


def test_ambiguous(shop: Shop) -> None:
    """Two companies with one external id are refused by their ids; when one lets go, the other is found."""
    with_company(shop, uuid=GUID)
    both = listed(company_row(5, uuid=GUID), company_row(7, uuid=GUID), company_row(8, uuid=GUID, companyStatus=4))
    shop.on("GET companies", both, listed(company_row(7)))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first[0].error.reason is Reason.AMBIGUOUS
    assert "'C1'" in str(first[0].error)
    assert "5, 7" in str(first[0].error)
    assert second[0].value.id == "5"


def test_unproven_list(shop: Shop) -> None:
    """A list of companies that shifts twice tells nothing: the company is looked for again later."""
    shop.on("GET companies", listed(company_row(5), total=2))
    assert isinstance(shop.ask(observing(ref()))[0].error, OutcomeUnknownError)


def test_by_extra_field(shop: Shop) -> None:
    """With a field configured, a company is found by exact match, and compared exactly."""
    fields = [{"fieldName": "Acumatica ID", "fieldValue": GUID}]
    near = [{"fieldName": "Acumatica ID", "fieldValue": GUID + "1"}]
    with_company(shop, extraFields=fields)
    shop.on("GET companies", listed(company_row(4, extraFields=near), company_row(5, extraFields=fields)))
    [outcome] = shop.ask(observing(ref()), company_id_field="Acumatica ID")
    assert outcome.value.external_id == GUID
    [query] = shop.queries("GET companies")
    assert query["extraFields"] == f"Acumatica ID:{GUID}"
    assert query["extraFieldFilterType"] == "exact-match"
    assert query["isIncludeExtraFields"] == "1"


def test_several_by_extra_field(shop: Shop) -> None:
    """Several companies by exact match are ambiguous, none is None, and an unproven answer is neither."""
    fields = [{"fieldName": "ID", "fieldValue": GUID}]
    shop.on("GET companies", listed(company_row(4, extraFields=fields), company_row(5, extraFields=fields)))
    assert shop.ask(observing(ref()), company_id_field="ID")[0].error.reason is Reason.AMBIGUOUS
    shop.on("GET companies", listed())
    assert shop.ask(observing(ref()), company_id_field="ID") == (Ok(None),)
    shop.on("GET companies", listed(company_row(4), total=2))
    assert isinstance(shop.ask(observing(ref()), company_id_field="ID")[0].error, OutcomeUnknownError)


def test_many_by_extra_field(shop: Shop) -> None:
    """Ten customers or more are looked for in one list, not by a request for each."""
    shop.on("GET companies", listed())
    refs = [ref(external_id=f"id-{i}") for i in range(10)]
    assert shop.ask(observing(*refs), company_id_field="ID") == (Ok(None),) * 10
    assert shop.routes() == ["GET companies"]


# ------------------------------------------------------------------ many at once
def test_many_by_id(shop: Shop) -> None:
    """Many companies are read from three lists of the whole store where that takes fewer requests."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 12))))
    shop.on("GET users", listed(*(user_row(i, company=i) for i in range(1, 12))))
    shop.on("GET addresses", listed(address_row(1, company="3")))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert [outcome.value.users[0].id for outcome in outcomes] == [str(i) for i in range(1, 11)]
    assert len(outcomes[2].value.addresses) == 1
    assert all(outcome.value.complete for outcome in outcomes)
    assert len(shop.sent) == 3 + 3 + 1


def test_absent_from_the_list(shop: Shop) -> None:
    """That a company is gone is proven by asking for it, not by its absence in a list."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 10))))
    shop.on("GET users", listed()).on("GET addresses", listed())
    shop.on("GET companies/10", one(**company_row(10)))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert outcomes[9].value.id == "10"


@pytest.mark.parametrize("users", [listed(user_row(1, firstName=7)), listed(user_row(1), total=2), listed(total=9000)])
def test_lists_that_will_not_do(shop: Shop, users: Response) -> None:
    """Where a list can't be read, is unproven or too long, companies are read one by one."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 11)))).on("GET addresses", listed())

    def by_company(request: Request) -> Response:
        return listed() if "companyId" in request.url else users

    shop.on("GET users", by_company)
    for i in range(1, 11):
        shop.on(f"GET companies/{i}", one(**company_row(i)))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert all(isinstance(outcome, Ok) for outcome in outcomes)
    assert "GET companies/7" in shop.routes()
    assert len(shop.sent) < 3 + 2 + 10 * 3 + 4


def test_marked_deleted_in_the_list(shop: Shop) -> None:
    """A company that a list shows as deleted is asked for, and gone."""
    shop.on("GET companies", listed(*(company_row(i, companyStatus=4 if i == 3 else 1) for i in range(1, 11))))
    shop.on("GET users", listed()).on("GET addresses", listed()).on("GET companies/3", refused("gone", 404))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert [outcome.value is None for outcome in outcomes] == [i == 3 for i in range(1, 11)]


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


# ------------------------------------------------------------------ find_users
def finding(*emails: str) -> Callable[[Any], Any]:
    """Return the act of looking for addresses."""
    return lambda client: client.find_users(emails)


def test_find_users(shop: Shop) -> None:
    """Who holds an address is told, compared without case; nobody is None; nothing is asked for none."""

    def users(request: Request) -> Response:
        return listed(user_row(1, email="Ann@Example.com ")) if "ann%40" in request.url else listed()

    shop.on("GET users", users)
    found = shop.ask(finding("ann@example.com", "bob@example.com", " ", "ann@example.com"))
    assert [outcome.value and outcome.value.id for outcome in found] == ["1", None, None, "1"]
    assert shop.routes() == ["GET users", "GET users", "GET companies/roles"]


def test_find_near_address(shop: Shop) -> None:
    """An answer with another address is not believed."""
    shop.on("GET users", listed(user_row(1, email="joann@example.com")))
    assert shop.ask(finding("ann@example.com")) == (Ok(None),)


def test_find_many(shop: Shop) -> None:
    """Many addresses are looked for in one list of all users."""
    shop.on("GET users", listed(user_row(1, email="U3@example.com")))
    found = shop.ask(finding(*(f"u{i}@example.com" for i in range(10))))
    assert [outcome.value is not None for outcome in found] == [i == 3 for i in range(10)]
    assert len(shop.sent) == 3


def test_find_many_in_an_empty_store(shop: Shop) -> None:
    """A store without users is asked for many addresses twice, not once for each."""
    shop.on("GET users", listed())
    assert shop.ask(finding(*(f"u{i}@example.com" for i in range(50)))) == (Ok(None),) * 50
    assert len(shop.sent) == 2


@pytest.mark.parametrize("users", [listed(total=9000), listed(user_row(1), total=2)])
def test_find_many_singly(shop: Shop, users: Response) -> None:
    """Where the list of all users is too long or unproven, each address is asked for."""
    shop.on("GET users", lambda request: listed() if "email=" in request.url else users)
    assert shop.ask(finding(*(f"u{i}@example.com" for i in range(10)))) == (Ok(None),) * 10
    assert sum("email" in query for query in shop.queries("GET users")) == 10
    assert len(shop.sent) < 10 + 4


def test_find_refused(shop: Shop) -> None:
    """A refused look-up is that address's outcome; unreadable roles are each holder's."""
    shop.on("GET users", refused("Enter a valid email address."), listed(user_row(1, email="b@x.de")))
    shop.on("GET companies/roles", refused("no"))
    first, second = shop.ask(finding("a@x", "b@x.de"))
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
