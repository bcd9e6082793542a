"""Each shape of error, with each status, as the answer to each call: what comes of it, sync and async alike."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from attrs import evolve, frozen

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
from acumatica_b2b.bigcommerce.errors import TooLargeError
from acumatica_b2b.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed
from acumatica_b2b.http import Retries
from acumatica_b2b.model import (
    AddressID,
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
from tests.bigcommerce.conftest import ROLES, Shop, address_row, answer, company_row, listed, one, user_row

SECRETS: Final = ("secret-token", "@")
HERE: Final = CompanyID(StorefrontID("5"))
PLACE: Final = PostalAddress(line1="1 Main", city="Oslo", country="NO")


def person(number: int) -> DesiredUser:
    """Return a user as it should be."""
    return DesiredUser(
        contact=ContactID(f"K{number}"),
        external_id=NoteID(f"n{number}"),
        email=f"u{number}@x.example",
        first_name="Ann",
        last_name="Lee",
    )


def new_company(number: int) -> CreateCompany:
    """Return the creation of a company."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{number}"),
        external_id=NoteID(f"c{number}"),
        name="Acme",
        email="office@x.example",
        phone="5",
        address=PostalAddress(country="NO"),
    )
    return CreateCompany(company=desired, admin=person(number), role="Admin")


def new_user(number: int) -> CreateUser:
    """Return the creation of a user."""
    return CreateUser(company=HERE, user=person(number), role="Junior Buyer")


def placed(number: int) -> DesiredAddress:
    """Return an address as it should be."""
    return DesiredAddress(
        location=LocationID(f"L{number}"),
        external_id=NoteID(f"p{number}"),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        address=PLACE,
    )


def new_address(number: int) -> CreateAddress:
    """Return the creation of an address."""
    return CreateAddress(company=HERE, address=placed(number))


RENAMED: Final = UpdateCompany(company=HERE, customer=CustomerID("C1"), changes=(("name", "N"),))
CHANGED: Final = UpdateUser(
    company=HERE, user=UserID(StorefrontID("7")), contact=ContactID("K1"), changes=(("phone", "1"),)
)


# ------------------------------------------------------------------ the calls
@frozen(kw_only=True)
class Call:
    """Something the client can be asked for, the routes that answer so, and how an error names the record."""

    act: Callable[[Any], Any]
    routes: tuple[str, ...]
    record: str = ""
    repeatable: bool = True


def writing(action: Action, route: str, record: str, *, repeatable: bool = True) -> Call:
    """Return the call that does one thing."""
    return Call(act=lambda client: client.perform([action]), routes=(route,), record=record, repeatable=repeatable)


def creating(*actions: Action, path: str, record: str) -> Call:
    """Return the call that makes records; a bulk call is answered as the single ones are."""
    bulk = (f"POST {path}/bulk",) if len(actions) > 1 else ()
    return Call(
        act=lambda client: client.perform(actions), routes=(*bulk, f"POST {path}"), record=record, repeatable=False
    )


def observing(id_: str | None) -> Callable[[Any], Any]:
    """Return the act of observing a company."""
    company = None if id_ is None else CompanyID(StorefrontID(id_))
    ref = CompanyRef(customer=CustomerID("C1"), external_id=NoteID("n"), id=company)
    return lambda client: client.observe([ref])


CALLS: Final[Mapping[str, Call]] = {
    "roles": Call(act=lambda client: client.require_roles(["Admin"]), routes=("GET companies/roles",)),
    "company": Call(act=observing("5"), routes=("GET companies/5",)),
    "users of a company": Call(act=observing("5"), routes=("GET users",)),
    "addresses of a company": Call(act=observing("5"), routes=("GET addresses",)),
    "company by external id": Call(act=observing(None), routes=("GET companies",)),
    "user by address": Call(act=lambda client: client.find_users(["u1@x.example"]), routes=("GET users",)),
    "new company": creating(new_company(1), path="companies", record="the company of customer 'C1'"),
    "new companies": creating(new_company(1), new_company(2), path="companies", record="customer 'C1'"),
    "new user": creating(new_user(1), path="users", record="the company user of contact 'K1' in company 5"),
    "new users": creating(new_user(1), new_user(2), path="users", record="contact 'K1'"),
    "new address": creating(new_address(1), path="addresses", record="the address of location 'L1' in company 5"),
    "new addresses": creating(new_address(1), new_address(2), path="addresses", record="location 'L1'"),
    "company's change": writing(RENAMED, "PUT companies/5", "company 5"),
    "companies' changes": Call(
        act=lambda client: client.perform([RENAMED, evolve(RENAMED, company=CompanyID(StorefrontID("6")))]),
        routes=("PUT companies/bulk", "PUT companies/5", "PUT companies/6"),
        record="company 5",
    ),
    "company off": writing(evolve(RENAMED, changes=(("active", "no"),)), "PUT companies/5/status", "company 5"),
    "user's change": writing(CHANGED, "PUT users/7", "7"),
    "user's role": writing(
        SetRole(company=HERE, user=UserID(StorefrontID("7")), contact=None, role="Admin"), "PUT users/7", "7"
    ),
    "address's change": writing(
        UpdateAddress(company=HERE, id=AddressID(StorefrontID("9")), address=placed(1)), "PUT addresses/9", "'L1'"
    ),
    "user's removal": writing(
        RemoveUser(company=HERE, user=UserID(StorefrontID("7")), contact=ContactID("K1")), "DELETE users/7", "7"
    ),
    "address's removal": writing(
        RemoveAddress(company=HERE, id=AddressID(StorefrontID("9")), location=LocationID("L1")),
        "DELETE addresses/9",
        "9",
    ),
}


# ------------------------------------------------------------------ the answers
@frozen(kw_only=True)
class Shape:
    """How a body says what is wrong, and how we then say it."""

    body: Any
    said: str
    reason: Reason = Reason.INVALID
    """Where the status is one of a refusal's, 400, 409 or 422."""


SHAPES: Final[Mapping[str, Shape]] = {
    "by field": Shape(
        body={"code": 10012, "data": {"errMsg": {"company_phone": ["may not be null"], "last_name": ["too long"]}}},
        said="companyPhone: may not be null; lastName: too long",
    ),
    "text": Shape(
        body={"code": 200, "data": {"errMsg": "Email already exists. ['john.doe@example.com']"}},
        said="Email already exists.",
        reason=Reason.EMAIL_TAKEN,
    ),
    "message": Shape(
        body={"code": 422, "data": {}, "meta": {"message": "The company name is required."}},
        said="The company name is required.",
    ),
    "rows": Shape(
        body={"code": 409, "data": {"errors": [{"id": "42", "_detail": "bad country of a@b.example"}]}},
        said="bad country of <e-mail>",
    ),
    "parallel rows": Shape(body={"data": [{}, {"first_name": ["too long"]}]}, said="firstName: too long"),
    "hierarchy": Shape(
        body={"status": 400, "title": "Parameter error.", "errors": {"1": "Invalid child company ID."}},
        said="Invalid child company ID.",
    ),
    "channels": Shape(
        body={"code": 403, "message": "Multi storefront is not enabled"}, said="Multi storefront is not enabled"
    ),
    "last user": Shape(
        body={"code": 422, "data": {"errMsg": "The last user in company can not be deleted."}},
        said="The last user in company can not be deleted.",
        reason=Reason.LAST_USER,
    ),
}
REFUSALS: Final[Mapping[int, Reason | None]] = {
    400: None,
    404: Reason.GONE,
    405: Reason.UNSUPPORTED,
    406: Reason.OTHER,
    409: None,
    415: None,
    422: None,
    501: Reason.UNSUPPORTED,
    507: Reason.OTHER,
}
"""The reason that a status gives where the words give none; None: what is asked for is invalid."""
OTHERS: Final[Mapping[int, type[Exception]]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    408: OutcomeUnknownError,
    413: TooLargeError,
    429: RateLimitedError,
    500: OutcomeUnknownError,
    502: OutcomeUnknownError,
    503: OutcomeUnknownError,
    504: OutcomeUnknownError,
}


def shop_that(call: Call, status: int, body: object) -> Shop:
    """Return a shop in which all goes well but this call."""
    shop = Shop().on("GET companies/roles", listed(*ROLES)).on("GET states", answer(404, {}))
    shop.on("GET countries", answer(404, {})).on("GET companies", listed()).on("GET addresses", listed())
    shop.on("GET users", listed()).on("GET companies/5", one(**company_row(5)))
    shop.on("GET users/7", one(**user_row(7))).on("GET addresses/9", one(**address_row(9)))
    for route in call.routes:
        shop.on(route, answer(status, body))
    return shop


def error_of(call: Call, shop: Shop) -> Exception | None:
    """Return what a call comes to, on both clients: what is raised, or else its first failure."""
    try:
        result = shop.ask(call.act, retries=Retries(attempts=1, patience=0.0))
    except Exception as error:
        return error
    return next((outcome.error for outcome in result or () if isinstance(outcome, Failed)), None)


# ------------------------------------------------------------------ the table
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", REFUSALS)
def test_refusals(name: str, status: int) -> None:
    """A refusal is a RejectedError with its reason, and its words name the record that is written."""
    call = CALLS[name]
    for shape in SHAPES.values():
        words = shape.reason is not Reason.INVALID
        if status == 404 and words:
            continue  # what is not there is not said to be taken
        error = error_of(call, shop_that(call, status, shape.body))
        if status == 404 and call.record == "":
            # a company is not there; a list is always there, for whoever may read it
            assert error is None if name == "company" else type(error) is AuthenticationError
            continue
        assert isinstance(error, RejectedError), (shape, error)
        assert error.reason is (shape.reason if words else REFUSALS[status] or Reason.INVALID)
        assert shape.said in str(error)
        assert call.record in str(error)
        assert not any(secret in f"{error} {error!r}" for secret in SECRETS)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", OTHERS)
def test_what_is_no_refusal(name: str, status: int) -> None:
    """What is no refusal has its own class, whatever the body says, and tells nothing of it."""
    call = CALLS[name]
    for shape in SHAPES.values():
        shop = shop_that(call, status, shape.body)
        error = error_of(call, shop)
        if (name, status) == ("user's removal", 500):
            assert isinstance(error, RejectedError)
            assert error.reason is Reason.LAST_ADMIN
        else:
            assert type(error) is OTHERS[status], (shape, error)
        assert not any(secret in f"{error} {error!r}" for secret in SECRETS)
        if not call.repeatable:
            assert sum(shop.routes().count(route) for route in call.routes) == 1


@pytest.mark.parametrize("name", CALLS)
def test_web_pages(name: str) -> None:
    """A web page in the place of an answer proves nothing: neither that a record is gone nor that it was made."""
    call = CALLS[name]
    for status in (200, 404) if call.record or name == "company" else (200,):
        shop = shop_that(call, status, {})
        for route in call.routes:
            shop.on(route, evolve(answer(status, {}), body=b"<html>"))
        error = error_of(call, shop)
        assert type(error).__name__ in {"DecodeError", "OutcomeUnknownError"}, error
        assert call.repeatable or type(error) is OutcomeUnknownError
