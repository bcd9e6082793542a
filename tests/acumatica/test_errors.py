import json
import pickle

import pytest

from acumatica_b2b.acumatica.errors import (
    CannotOptimizeError,
    classify,
    classify_patch,
    classify_put,
    complaint,
    nested_errors,
    shown,
    told,
)
from acumatica_b2b.errors import (
    AcumaticaB2BError,
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Allowance, Response
from tests.acumatica.conftest import BAD_PASSWORD, NO_ENTITY, answer, fault

SETUP = fault("PX.Data.PXSetupNotEnteredException", "The required configuration data is not entered.")
TENANT = fault("PX.Data.PXUndefinedCompanyException", "A proper company ID cannot be determined.")
OPTIMIZE = fault(
    "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException",
    "Optimization cannot be performed.The following fields cause the error:\r\n"
    "Email: View ContactCurrent has BQL delegate\r\nMainContact/Phone1: View DefContact has BQL delegate",
)
LIMIT = fault("PX.Data.PXException", "API Login Limit")


def error_of(response: Response) -> Exception:
    """Return the error that an answer means."""
    outcome = classify(response)
    assert isinstance(outcome, Failed)
    return outcome.error


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (BAD_PASSWORD, AuthenticationError),
        (Response(status=401), AuthenticationError),
        (LIMIT, RateLimitedError),
        (Response(status=429, body=b"API Login Limit"), RateLimitedError),
        (Response(status=429, body=b"The custom error module does not recognize this error."), RateLimitedError),
        (NO_ENTITY, RejectedError),
        (OPTIMIZE, CannotOptimizeError),
        (SETUP, ConfigurationError),
        (TENANT, ConfigurationError),
        (
            answer({"message": "You have insufficient rights to access the Contact (CR302000) form."}, 403),
            ConfigurationError,
        ),
        (Response(status=404), ConfigurationError),
        (Response(status=302, headers=(("Location", "/ui/error"),)), ConfigurationError),
        (Response(status=412), RejectedError),
        (Response(status=400, body=b"{}"), RejectedError),
        (Response(status=408), OutcomeUnknownError),
        (fault("System.Data.SqlClient.SqlException", "Timeout expired."), OutcomeUnknownError),
        (fault("PX.Data.PXSetPropertyException", "The value is too long."), RejectedError),
        (Response(status=502, body=b"<html>"), OutcomeUnknownError),
        (Response(status=503), OutcomeUnknownError),
        (Response(status=504), OutcomeUnknownError),
        (Response(status=200, headers=(("Content-Type", "text/html"),), body=b"<html>"), DecodeError),
    ],
)
def test_classify(response: Response, kind: type[AcumaticaB2BError]) -> None:
    """The exception's type and text decide before the status does."""
    error = error_of(response)
    assert type(error) is kind
    assert str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 -- ours


def test_reasons() -> None:
    """A missing record is GONE, a refused value INVALID; a 412 to a read proves nothing."""
    errors = [error_of(response) for response in (NO_ENTITY, answer({"error": "no"}, 422), Response(status=412))]
    reasons = [error.reason for error in errors if isinstance(error, RejectedError)]
    assert reasons == [Reason.GONE, Reason.INVALID, Reason.OTHER]


def test_answers_pass() -> None:
    """An answer with data, or with none on purpose, is no error, even if its data mention one."""
    told = answer([{"CustomerName": {"value": "API Login Limit"}}])
    assert classify(told) == Ok(told)
    assert isinstance(classify(Response(status=204)), Ok)


def test_cannot_optimize_names_its_fields() -> None:
    """A list that can't be exported names the fields that are to blame."""
    error = error_of(OPTIMIZE)
    assert isinstance(error, CannotOptimizeError)
    assert error.fields == ("Email", "MainContact/Phone1")
    assert "MainContact/Phone1" in str(error)


def test_a_blamed_field_is_named_once() -> None:
    """A field that the outer and the inner exception name is named once, and a long list is cut."""
    body = json.loads(OPTIMIZE.body)
    error = error_of(answer(body | {"innerException": body}, 500))
    assert isinstance(error, CannotOptimizeError)
    assert error.fields == ("Email", "MainContact/Phone1")
    many = "\n".join(f"Field{i}: View V has BQL delegate" for i in range(1000))
    assert len(str(error_of(fault("X", f"Optimization cannot be performed.\n{many}")))) < 400


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("soon", None), ("", None), ("99999", 600.0), ("9" * 400, 600.0), ("-1", None)]
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """A full queue tells how long to wait only if it says so in seconds, and never longer than its longest wait."""
    response = Response(status=429, headers=(("Retry-After", text),))
    error = error_of(response)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds
    assert told(response) == Allowance(left=0, resets=seconds)


@pytest.mark.parametrize("response", [LIMIT, Response(status=429, body=b"API Login Limit"), answer({}), NO_ENTITY])
def test_told(response: Response) -> None:
    """A full house, data and other errors tell nothing of the queue of requests."""
    assert told(response) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The limit of concurrent sign-ins is reached. See Users (SM201010).", RateLimitedError),
        ("The user is disabled. See Users (SM201010).", OutcomeUnknownError),
        ("Error: Invalid credentials. The limit of tries is shown on Users (SM201010).", AuthenticationError),
    ],
)
def test_the_limit_of_one_user(text: str, kind: type[Exception]) -> None:
    """The limit of one user is a full house; a wrong password stays one, whatever else is said."""
    assert type(error_of(fault("PX.Data.PXException", text))) is kind


# ------------------------------------------------------------------ writes
@pytest.mark.parametrize(
    ("response", "put", "patch"),
    [
        (Response(status=412), Reason.GONE, Reason.GONE),
        (Response(status=404), None, Reason.GONE),
        (answer({"message": "No entity satisfies the condition."}, 404), Reason.GONE, Reason.GONE),
        (answer({"message": "No HTTP resource was found that matches the request URI."}, 404), None, None),
        (Response(status=404, headers=(("Content-Type", "text/html"),), body=b"<html>"), None, None),
        (NO_ENTITY, Reason.GONE, Reason.GONE),
        (answer({"error": "no"}, 422), Reason.INVALID, Reason.INVALID),
    ],
)
def test_a_write_to_no_record(response: Response, put: Reason | None, patch: Reason | None) -> None:
    """What a PUT answers with 412 and a PATCH with 404 is a missing record; a missing endpoint is none."""
    for classified, kind in ((classify_put, put), (classify_patch, patch)):
        outcome = classified(response)
        assert isinstance(outcome, Failed)
        assert getattr(outcome.error, "reason", None) is kind
        assert isinstance(outcome.error, RejectedError if kind else ConfigurationError)


def test_a_good_write() -> None:
    """The answer to a write that was done passes."""
    done = answer({"ContactID": {"value": 7}})
    assert classify_put(done) == classify_patch(done) == Ok(done)


def test_nested_errors() -> None:
    """Each error of a refused record stands behind its path, through linked entities, rows and custom fields."""
    body = {
        "error": "all wrong",
        "Address": {"City": {"value": "X", "error": "no such city"}},
        "Details": [{"Amount": {}}, {"error": "row wrong", "Project": {"value": "X", "error": "no such project"}}],
        "custom": {"Contact": {"UsrX": {"type": "CustomStringField", "value": "x", "error": "too long"}}},
    }
    assert nested_errors(answer(body, 422)) == (
        "all wrong",
        "Address.City: no such city",
        "Details[1]: row wrong",
        "Details[1].Project: no such project",
        "custom.Contact.UsrX: too long",
    )
    assert str(error_of(answer(body, 422))) == (
        "Acumatica refused: Address.City: no such city; Details[1]: row wrong; Details[1].Project: no such project;"
        " custom.Contact.UsrX: too long; all wrong"
    )


def test_many_nested_errors() -> None:
    """Of a hundred errors the first are told, each cut to a bearable length, and how many more there are."""
    body = {"Details": [{"Project": {"error": f"wrong {i} {'x' * 1000}"}} for i in range(100)]}
    text = str(error_of(answer(body, 422)))
    assert "Details[4].Project" in text
    assert text.endswith("and 95 more")
    assert len(text) < 2000


def test_bottomless_answers() -> None:
    """An answer nested without end is an error like any other."""
    deep = b'{"a":' * 100_000
    for status, kind in ((500, OutcomeUnknownError), (422, RejectedError), (400, RejectedError)):
        assert type(error_of(Response(status=status, body=deep))) is kind
    below = b'{"a":' * 900 + b'{"error":"deep"}' + b"}" * 900
    assert type(error_of(Response(status=422, body=below))) is RejectedError


def test_inner_exceptions() -> None:
    """An exception is found inside the one that wraps it."""
    inner = json.loads(NO_ENTITY.body)
    wrapped = answer({"message": "An error has occurred.", "exceptionType": "X", "innerException": inner}, 500)
    error = error_of(wrapped)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.GONE


@pytest.mark.parametrize("body", [{}, [], 7, {"message": None}, {"innerException": {}}, {"modelState": {"a": 7}}])
def test_nothing_is_explained(body: object) -> None:
    """A body that explains nothing is said to be one."""
    assert "no explanation" in str(error_of(Response(status=500, body=json.dumps(body).encode())))


def test_what_tokens_are_refused_with() -> None:
    """The words of OAuth and OData errors are found as well."""
    assert str(complaint(answer({"error": "invalid_grant", "error_description": "expired"}, 400))) == (
        "invalid_grant / expired"
    )
    assert str(complaint(answer({"error": {"code": "", "message": "bad query"}}, 400))) == "bad query"


def test_no_addresses_shown() -> None:
    """No e-mail address and no stack trace of the ERP's words gets into an error."""
    body = {
        "exceptionMessage": "User anna.b@example.com is locked",
        "exceptionType": "X",
        "stackTrace": "at PX.Data.Secret()",
    }
    text = str(error_of(answer(body, 500)))
    assert "locked" in text
    assert "anna" not in text
    assert "Secret" not in text
    assert len(shown("x" * 5000)) < 400


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to anna.b+c@mail.test, again", "to <e-mail>, again"),
        ("'anna@mail.test' (bob@mail.test)", "'<e-mail>' (<e-mail>)"),
        ('"anna b"@mail.test', "<e-mail>"),
        ("?q=anna%40mail.test&x=1", "?q=<e-mail>&x=1"),
        ('{"Email":"anna\\u0040mail.test"', '{"Email":"<e-mail>"'),
        ("anna&#64;mail.test", "<e-mail>"),
        ("Authorization: Bearer abc.d-e_f/g=", "Authorization: Bearer <hidden>"),
        ('{"password":"pass word","x":1}', '{"password":<hidden>,"x":1}'),
        ("password = 'pass word'", "password = <hidden>"),
        ('"token":"cut o', '"token":<hidden>'),
        ("client_secret=abc&grant_type=x", "client_secret=<hidden>&grant_type=x"),
        ("refresh_token: abc", "refresh_token: <hidden>"),
        (".ASPXAUTH=abc; ASP.NET_SessionId=def; path=/", ".ASPXAUTH=<hidden>; ASP.NET_SessionId=<hidden>; path=/"),
        ("two\r\n lines\tand  blanks", "two lines and blanks"),
        ("Project 'TES2323T  ' cannot be found", "Project 'TES2323T ' cannot be found"),
    ],
)
def test_what_is_shown(text: str, told: str) -> None:
    """The ERP's words are shown in one line, without e-mail addresses, passwords, tokens and session cookies."""
    assert shown(text) == told
