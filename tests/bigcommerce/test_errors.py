import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.bigcommerce.complaints import addresses_in, complaints, without_addresses
from acumatica_b2b.bigcommerce.errors import (
    TooLargeError,
    addresses_named,
    classify,
    classify_bulk,
    classify_core,
    classify_removal,
    moment,
    refusal,
    told,
)
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    RemoteError,
)
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Allowance, Response
from tests.bigcommerce.conftest import STAMP, answer, one, refused


def error_of(response: Response) -> Exception:
    """Return the error that an answer means."""
    outcome = classify(response)
    assert isinstance(outcome, Failed)
    return outcome.error


@pytest.mark.parametrize("status", [200, 201, 202])
def test_success(status: int) -> None:
    """Every status of the two hundreds with JSON is an answer."""
    assert classify(answer(status, {"code": 200})) == Ok(answer(status, {"code": 200}))


def test_no_content() -> None:
    """A 204 is an answer although it has no body."""
    assert classify(Response(status=204)) == Ok(Response(status=204))


def test_body_code_counts_for_nothing() -> None:
    """The status decides, whatever private number the body's code is."""
    assert isinstance(classify(answer(200, {"code": 10012, "data": {}})), Ok)
    assert isinstance(error_of(answer(422, {"code": 200, "data": {}})), RejectedError)


def test_html_with_success() -> None:
    """A page with status 200 is a DecodeError, not an answer."""
    page = Response(status=200, headers=(("Content-Type", "text/html"),), body=b"<html>")
    assert isinstance(error_of(page), DecodeError)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"data": {"errMsg": {"company_phone": ["This field may not be null."]}}},
            "companyPhone: This field may not be null.",
        ),
        ({"data": {"errMsg": {"roles": {"0": ["no choice"]}}}}, "roles: no choice"),
        ({"data": {"errMsg": {"Tax_id": ["too long"]}}}, "Tax_id: too long"),
        ({"data": {"errMsg": {"non_field_errors": ["User must have a role."]}}}, "User must have a role."),
        ({"data": {"errMsg": [{}, {"last_name": ["may not be null"]}]}}, "lastName: may not be null"),
        ({"data": {"errMsg": "Check is default fields."}, "meta": {"message": "logical"}}, "Check is default fields."),
        ({"data": {}, "meta": {"message": "The company name is required."}}, "The company name is required."),
        ({"data": {"errors": [{"id": "42", "_detail": "bad country"}]}, "meta": {"message": "m"}}, "bad country"),
        ({"data": [{"email": ["Enter a valid email."]}]}, "email: Enter a valid email."),
        ({"status": 400, "title": "Parameter error.", "errors": {"1": "Invalid child."}}, "Invalid child."),
        ({"code": 422, "message": "Multi storefront is not enabled"}, "Multi storefront is not enabled"),
        ({"status": 422, "title": "Parameter error."}, "Parameter error."),
    ],
)
def test_five_shapes(body: object, said: str) -> None:
    """What a refusal says is found in each of its shapes, with the names that requests use."""
    error = error_of(answer(422, body))
    assert isinstance(error, RejectedError)
    assert (error.reason, str(error)) == (Reason.INVALID, said)


@pytest.mark.parametrize("body", [[], "no", None, {"data": None}, {"data": {"errMsg": ""}}])
def test_silent_refusal(body: object) -> None:
    """A refusal that says nothing still is one, and tells its status."""
    assert "422" in str(error_of(answer(422, body)))


def test_same_complaint_once() -> None:
    """What is said twice is told once."""
    assert str(error_of(refused({"email": ["bad", "bad"]}))) == "email: bad"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.INVALID),
        (404, Reason.GONE),
        (405, Reason.UNSUPPORTED),
        (406, Reason.OTHER),
        (409, Reason.INVALID),
        (422, Reason.INVALID),
        (501, Reason.UNSUPPORTED),
        (507, Reason.OTHER),
    ],
)
def test_reasons_by_status(status: int, reason: Reason) -> None:
    """A refusal's reason follows from its status where its text says nothing special."""
    error = error_of(refused("no", status))
    assert isinstance(error, RejectedError)
    assert error.reason is reason


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (422, "Email already exists. ['john.doe@example.com']", Reason.EMAIL_TAKEN),
        (400, "The user already exists.", Reason.EMAIL_TAKEN),
        (422, {"email": ["This e-mail is already used by a super admin"]}, Reason.EMAIL_TAKEN),
        (422, {"company_email": ["already exists"]}, Reason.INVALID),
        (409, "Company email already exists", Reason.INVALID),
        (422, "The last user in company can not be deleted.", Reason.LAST_USER),
    ],
)
def test_reasons_by_text(status: int, said: object, reason: Reason) -> None:
    """An address taken and the last user are known by what is said; a company's own e-mail is no user's."""
    error = error_of(refused(said, status))
    assert isinstance(error, RejectedError)
    assert error.reason is reason


def test_no_address_in_errors() -> None:
    """A refusal's message loses the addresses that it names, a list of them with its brackets."""
    assert str(error_of(refused("Email already exists. ['john.doe@example.com']"))) == "Email already exists."
    assert str(error_of(refused("o'brien@x.co is taken"))) == "<e-mail> is taken"


@given(st.emails(), st.sampled_from(["{}", "['{}']", "a {} b", "['x@y.zz', '{}']", '"{}"']))
def test_no_address_survives(email: str, frame: str) -> None:
    """No address survives in a message, whatever it is framed by."""
    if "'" not in email:
        assert email not in without_addresses(frame.format(email))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["data", "errMsg", "errors", "meta", "message", "id", "_detail", "0"]), inner
            )
        ),
    )
)
def test_any_body_is_read(body: object) -> None:
    """No body, however odd, breaks the reading of a refusal."""
    assert all(isinstance(text, str) for text in complaints(body))
    assert isinstance(error_of(answer(400, body)), RejectedError)


def test_stray_404() -> None:
    """A 404 that is a page, or says nothing, proves nothing gone: only the store's own words do."""
    assert isinstance(error_of(Response(status=404, body=b"<html>")), DecodeError)
    assert isinstance(error_of(Response(status=404)), DecodeError)
    said = error_of(answer(404, {"code": 404, "data": {}, "meta": {"message": "Not found."}}))
    assert isinstance(said, RejectedError)
    assert said.reason is Reason.GONE


@pytest.mark.parametrize("status", [401, 403])
def test_credentials(status: int) -> None:
    """Refused credentials are told with both headers and the scope."""
    error = error_of(answer(status, {"data": {"errMsg": "Invalid token header abc."}}))
    assert isinstance(error, AuthenticationError)
    assert all(part in str(error) for part in ("X-Auth-Token", "X-Store-Hash", "B2B Edition: modify"))
    assert "abc" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 304, 307])
def test_redirects(status: int) -> None:
    """A redirect is a wrong url in the configuration."""
    assert isinstance(error_of(Response(status=status)), ConfigurationError)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_outcome_unknown(status: int) -> None:
    """After an error of the server nobody knows what was done."""
    assert isinstance(error_of(answer(status, {})), OutcomeUnknownError)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_Request_Window_Resets_After": "0.397 s"}, 0.397),
        ({"X_Rate_Limit_Time_Reset_Ms": "1500"}, 1.5),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "Thu, 01 Jan 2026 00:10:00 GMT"}, None),
        ({"X_Request_Window_Resets_After": "12.5 s", "Retry_After": "7"}, 12.5),
        ({}, None),
    ],
)
def test_rate_limit(headers: dict[str, str], seconds: float | None) -> None:
    """How long to wait is read from the headers of either API, where there are any."""
    error = error_of(answer(429, {}, **headers))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == pytest.approx(seconds)


def test_too_large() -> None:
    """A request that is too large is a fault of this library, not of a record."""
    error = error_of(refused("Add up to ten data at a time", 413))
    assert isinstance(error, TooLargeError)
    assert not isinstance(error, RemoteError)
    assert "413" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - made here
    bulk = classify_bulk(refused("Add up to ten data at a time", 413))
    assert isinstance(bulk, Failed)


@pytest.mark.parametrize("status", [401, 403])
def test_core_scope(status: int) -> None:
    """A token that the core API refuses is told with the scope that it needs there."""
    outcome = classify_core(answer(status, {"status": status, "title": "abc"}))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, AuthenticationError)
    assert "Customers: read-only" in str(outcome.error)
    assert isinstance(classify_core(one()), Ok)


@pytest.mark.parametrize(
    ("headers", "allowance"),
    [
        (
            {"X_Requests_Remaining": "7 times", "X_Request_Window_Resets_After": "0.397 s"},
            Allowance(left=7, resets=0.397),
        ),
        ({"X_Rate_Limit_Requests_Left": "0", "X_Rate_Limit_Time_Reset_Ms": "1500"}, Allowance(left=0, resets=1.5)),
        ({"X_Requests_Remaining": "150 times"}, Allowance(left=150)),
        ({"X_Requests_Remaining": "many"}, None),
        ({}, None),
    ],
)
def test_allowance(headers: dict[str, str], allowance: Allowance | None) -> None:
    """Every answer tells the budget what is left, in either family of headers and with their units."""
    assert told(answer(200, {}, **headers)) == allowance


def test_allowance_of_a_refusal() -> None:
    """A 429 leaves nothing, whatever its headers say."""
    refusal = answer(429, {}, X_Requests_Remaining="9 times", Retry_After="3")
    assert told(refusal) == Allowance(left=0, resets=3.0)
    assert told(answer(429, {})) == Allowance(left=0)


def test_last_admin() -> None:
    """A 500 protects the last admin when a user is removed, and only then."""
    outcome = classify_removal(answer(500, {}))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RejectedError)
    assert outcome.error.reason is Reason.LAST_ADMIN
    assert isinstance(classify_removal(one()), Ok)
    gone = classify_removal(refused("no", 404))
    assert isinstance(gone, Failed)


def test_bulk_refusals_are_answers() -> None:
    """A refused bulk call is an answer, since some of its rows may have been made; an outage is none."""
    response = refused("Email already exists. ['A@x.de', 'b@x.de']")
    assert classify_bulk(response) == Ok(response)
    assert isinstance(refusal(response), RejectedError)
    assert addresses_named(response) == {"a@x.de", "b@x.de"}
    assert isinstance(classify_bulk(answer(503, {})), Failed)
    assert refusal(one()) is None
    assert classify_bulk(one()) == Ok(one())


def test_addresses_in_text() -> None:
    """Addresses are told in lower case."""
    assert addresses_in("x A.b+c@D.example, y") == {"a.b+c@d.example"}


def test_moment() -> None:
    """The server's own clock is read from its Date, 0 where that is missing or odd."""
    assert moment(one()) == STAMP
    assert moment(Response(status=200)) == 0
    assert moment(Response(status=200, headers=(("date", "yesterday"),))) == 0


@pytest.mark.parametrize("status", [301, 401, 404, 422, 429, 500])
def test_errors_pickle(status: int) -> None:
    """Every error of an answer pickles."""
    error = error_of(refused("no", status))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - made here


def test_long_refusal() -> None:
    """A refusal that goes on for ever is cut."""
    assert len(str(error_of(refused("no " * 1000)))) == 300
