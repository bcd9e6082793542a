"""All requests of the BigCommerce client against the official specification, served by Prism.

`nox -s prism` starts it and says where it is; elsewhere these tests skip. Prism holds each request against
the specification, and answers with the examples in it.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import pytest
from attrs import evolve, field, frozen

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
from acumatica_b2b.bigcommerce.errors import classify
from acumatica_b2b.check import Needs
from acumatica_b2b.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed
from acumatica_b2b.http import Response
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
    RecordKind,
    StorefrontID,
    UserID,
)
from tests.contract.conftest import URL, Act, Forced, documented_errors, played

pytestmark = pytest.mark.skipif(not URL, reason="Prism is not running: nox -s prism")

FIVE: Final = StorefrontID("42")
"""The company that the examples of users are of."""
ROLE: Final = "io test"
"""The one role of the examples."""
PLACE: Final = PostalAddress(line1="1 Main", city="Austin", state="TX", country="US", postal_code="78704")


def person(number: int) -> DesiredUser:
    """Return a user as it should be."""
    return DesiredUser(
        contact=ContactID(f"K{number}"),
        external_id=NoteID(f"note-{number}"),
        email=f"u{number}@x.example",
        first_name="Ann",
        last_name="Lee",
        phone="555",
        extra_fields=(("Title", "CEO"),),
    )


def new_company(number: int) -> CreateCompany:
    """Return the creation of a company."""
    desired = DesiredCompany(
        customer=CustomerID(f"C{number}"),
        external_id=NoteID(f"company-{number}"),
        name="Acme",
        email="office@x.example",
        phone="555",
        address=PLACE,
        extra_fields=(("Tax", "G"),),
    )
    return CreateCompany(company=desired, admin=person(number), role=ROLE)


def new_user(number: int) -> CreateUser:
    """Return the creation of a user."""
    return CreateUser(company=CompanyID(FIVE), user=person(number), role=ROLE)


PLACED: Final = DesiredAddress(
    location=LocationID("L1"),
    external_id=NoteID("place"),
    label="Dock",
    first_name="Ann",
    last_name="Lee",
    phone="555",
    address=PLACE,
    default_shipping=True,
    extra_fields=(("Gate", "3"),),
)
NEW_ADDRESS: Final = CreateAddress(company=CompanyID(FIVE), address=PLACED)
USER_CHANGES: Final = (("email", "b@x.example"), ("phone", "1"), ("first_name", "Bo"), ("external_id", "n"))
CHANGED: Final = UpdateUser(company=CompanyID(FIVE), user=UserID(FIVE), contact=ContactID("K"), changes=USER_CHANGES)
RENAMED: Final = UpdateCompany(company=CompanyID(FIVE), customer=CustomerID("C"), changes=(("name", "N"),))
ROLE_SET: Final = SetRole(company=CompanyID(FIVE), user=UserID(FIVE), contact=None, role=ROLE)
REMOVED: Final = RemoveUser(company=CompanyID(FIVE), user=UserID(FIVE), contact=ContactID("K"))
PLACE_REMOVED: Final = RemoveAddress(company=CompanyID(FIVE), id=AddressID(FIVE), location=LocationID("L1"))


def doing(*actions: Action) -> Act:
    """Return the act of performing actions."""
    return lambda client: client.perform(actions)


def observing(*ids: str | None) -> Act:
    """Return the act of observing companies, by id or by external id."""
    refs = [
        CompanyRef(
            customer=CustomerID("C"),
            external_id=NoteID(f"n{i}"),
            id=None if id_ is None else CompanyID(StorefrontID(id_)),
        )
        for i, id_ in enumerate(ids)
    ]
    return lambda client: client.observe(refs)


def finding(count: int) -> Act:
    """Return the act of looking for users."""
    return lambda client: client.find_users([f"u{i}@x.example" for i in range(count)])


# ------------------------------------------------------------------ the calls
@frozen(kw_only=True)
class Call:
    """Something the client can be asked for, the route that matters in it, and its configuration."""

    act: Act
    route: str
    config: Mapping[str, Any] = field(factory=dict[str, Any])


CALLS: Final[Mapping[str, Call]] = {
    "roles": Call(act=lambda client: client.require_roles([ROLE]), route="GET companies/roles"),
    "company by id": Call(act=observing("42"), route="GET companies/{companyId}"),
    "users of a company": Call(act=observing("42"), route="GET users"),
    "addresses of a company": Call(act=observing("42"), route="GET addresses"),
    "company by uuid": Call(act=observing(None), route="GET companies"),
    "company by extra field": Call(
        act=observing(None), route="GET companies", config={"company_id_field": "Acumatica ID"}
    ),
    "whole store": Call(act=observing(*(str(i) for i in range(1, 30))), route="GET companies/{companyId}"),
    "user by address": Call(act=finding(1), route="GET users"),
    "users by address": Call(act=finding(12), route="GET users"),
    "super admins": Call(act=lambda client: client.super_admins(["a@x.example"]), route="GET companies/super-admins"),
    "new company": Call(act=doing(new_company(1)), route="POST companies"),
    "new company's state": Call(act=doing(new_company(1)), route="GET states"),
    "new dependent company": Call(act=doing(new_company(1)), route="POST companies", config={"catalog_id": 7}),
    "new independent company": Call(act=doing(new_company(1)), route="POST companies", config={"customer_group_id": 7}),
    "new companies": Call(act=doing(*map(new_company, range(10))), route="POST companies/bulk"),
    "new user": Call(act=doing(new_user(1)), route="POST users"),
    "new users": Call(act=doing(*map(new_user, range(10))), route="POST users/bulk"),
    "new address": Call(act=doing(NEW_ADDRESS), route="POST addresses"),
    "new address's country": Call(act=doing(NEW_ADDRESS), route="GET countries"),
    "new addresses": Call(act=doing(NEW_ADDRESS, NEW_ADDRESS), route="POST addresses/bulk"),
    "change of a company": Call(act=doing(RENAMED), route="PUT companies/{companyId}"),
    "change of its extra fields": Call(
        act=doing(evolve(RENAMED, changes=(("external_id", "n"), ("extra_fields.Tax", "H")))),
        route="PUT companies/{companyId}",
    ),
    "changes of companies": Call(
        act=doing(RENAMED, evolve(RENAMED, company=CompanyID(StorefrontID("43")))), route="PUT companies/bulk"
    ),
    "switching a company off": Call(
        act=doing(evolve(RENAMED, changes=(("active", "no"),))), route="PUT companies/{companyId}/status"
    ),
    "change of a user": Call(act=doing(CHANGED), route="PUT users/{userId}"),
    "change of a user's extra fields": Call(
        act=doing(evolve(CHANGED, changes=(("extra_fields.Title", "CFO"),))), route="GET users/{userId}"
    ),
    "a role": Call(act=doing(ROLE_SET), route="PUT users/{userId}"),
    "change of an address": Call(
        act=doing(UpdateAddress(company=CompanyID(FIVE), id=AddressID(FIVE), address=PLACED)),
        route="PUT addresses/{addressId}",
    ),
    "removal of a user": Call(act=doing(REMOVED), route="DELETE users/{userId}"),
    "removal of an address": Call(act=doing(PLACE_REMOVED), route="DELETE addresses/{addressId}"),
}
BULK: Final = ("POST companies/bulk", "POST users/bulk", "POST addresses/bulk")
UNKNOWN_PLACES: Final = ("GET states", "GET countries")


@pytest.mark.parametrize("name", CALLS)
def test_no_violation(name: str) -> None:
    """No request violates the specification, and its answers decode."""
    call = CALLS[name]
    result, wire = played(call.act, **call.config)
    assert wire.violations == []
    assert call.route in wire.routes
    assert isinstance(error_in(result), RejectedError | OutcomeUnknownError | None), result


def test_check() -> None:
    """Looking at the set-up violates nothing."""
    needs = Needs(roles=(ROLE,), references=frozenset(RecordKind))
    checks, wire = played(lambda client: client.check(needs))
    assert wire.violations == []
    assert {"GET channels", "GET companies/roles", "GET users/extra-fields"} <= set(wire.routes)
    assert checks


@pytest.mark.parametrize("name", CALLS)
def test_documented_errors(name: str) -> None:
    """Each error that the specification has for a call is told by its class and its reason."""
    call = CALLS[name]
    for code, prefer in documented_errors(call.route):
        result, wire = played(call.act, Forced(route=call.route, prefer=prefer), **call.config)
        assert wire.violations == []
        assert {answer.status for answer in wire.answers} == {code}
        said = classify(wire.answers[0])
        assert isinstance(said, Failed)
        assert meaning(said.error) == expected(code, wire.answers[0]), (name, prefer)
        assert meaning(error_in(result)) == comes_to(call.route, code, wire.answers[0]), (name, prefer)


# ------------------------------------------------------------------ what is expected
Meaning: TypeAlias = tuple[str, Reason | None] | None


def meaning(error: Exception | None) -> Meaning:
    """Return an error's class and reason; None where there is no error."""
    if error is None:
        return None
    return type(error).__name__, error.reason if isinstance(error, RejectedError) else None


def error_in(result: Any) -> Exception | None:
    """Return what was raised, or else the first failure among outcomes."""
    if isinstance(result, Exception):
        return result
    return next((outcome.error for outcome in result or () if isinstance(outcome, Failed)), None)


def expected(code: int, answer: Response) -> Meaning:
    """Return what an answer means: by its status, and for some refusals by its words."""
    match code:
        case 401 | 403:
            return AuthenticationError.__name__, None
        case 429:
            return RateLimitedError.__name__, None
        case 413:
            return "TooLargeError", None
        case 404:
            return RejectedError.__name__, Reason.GONE
        case _:
            return RejectedError.__name__, reason_said(answer.body.decode().lower())


def reason_said(text: str) -> Reason:
    """Return the reason that the words of a refusal give."""
    if "email already exists" in text or "user already exists" in text:
        return Reason.EMAIL_TAKEN
    return Reason.LAST_USER if "last user" in text else Reason.INVALID


def comes_to(route: str, code: int, answer: Response) -> Meaning:
    """Return what a call comes to where one route gives this answer."""
    if route in UNKNOWN_PLACES and code == 404:
        return None  # the code of a state or country does as well
    if route == "GET companies/{companyId}" and code == 404:
        return None  # there is no such company
    if route in BULK and code in {400, 409, 422}:
        return OutcomeUnknownError.__name__, None  # the examples of lists prove nothing
    if route == "PUT companies/bulk" and code in {400, 404}:
        return None  # sent singly, each company gets its own answer
    return expected(code, answer)
