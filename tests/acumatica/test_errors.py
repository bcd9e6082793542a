import json
import pickle
from pathlib import Path

import pytest

from acumatica_b2b.acumatica.errors import CannotOptimizeError, classify, complaint, nested_errors, shown
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
from acumatica_b2b.http import Response
from tests.acumatica.conftest import BAD_PASSWORD, NO_ENTITY, answer, fault

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "acumatica"
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


def sample(name: str) -> bytes:
    """Return a recorded body, where the recordings are at hand."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (BAD_PASSWORD, AuthenticationError),
        (Response(status=401), AuthenticationError),
        (LIMIT, RateLimitedError),
        (Response(status=429, body=b"API Login Limit"), RateLimitedError),
        (Response(status=200 + 229, body=b"The custom error module does not recognize this error."), RateLimitedError),
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
    """A missing record is GONE whether it was read or written, a refused value INVALID."""
    reasons = [error_of(response) for response in (NO_ENTITY, Response(status=412), answer({"error": "no"}, 422))]
    assert [error.reason for error in reasons if isinstance(error, RejectedError)] == [
        Reason.GONE,
        Reason.GONE,
        Reason.INVALID,
    ]


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


def test_retry_after() -> None:
    """A full queue tells how long to wait only if it says so in seconds."""
    waits = [error_of(Response(status=429, headers=(("Retry-After", text),))) for text in ("7", "soon")]
    assert [error.retry_after for error in waits if isinstance(error, RateLimitedError)] == [7.0, None]


def test_nested_errors() -> None:
    """Each error of a refused record stands behind the path of its field."""
    body = {"error": "all wrong", "Details": [{"Project": {"value": "X", "error": "no such project"}}]}
    assert nested_errors(answer(body, 422)) == ("all wrong", "Details[0].Project: no such project")
    assert "Details[0].Project: no such project" in str(error_of(answer(body, 422)))


def test_inner_exceptions() -> None:
    """An exception is found inside the one that wraps it."""
    inner = json.loads(NO_ENTITY.body)
    wrapped = answer({"message": "An error has occurred.", "exceptionType": "X", "innerException": inner}, 500)
    error = error_of(wrapped)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.GONE


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


def test_recorded_wrong_password() -> None:
    """The recorded answer to a wrong password is one."""
    body = sample("login_500_invalid_credentials.json")
    assert isinstance(error_of(Response(status=500, body=body)), AuthenticationError)


def test_recorded_500s() -> None:
    """The three recorded 500s are told apart."""
    recorded = json.loads(sample("error_500_bodies.json"))
    kinds = {name: type(error_of(answer(case["body"], 500))) for name, case in recorded.items()}
    assert kinds == {
        "missing_record_by_key": RejectedError,
        "virgin_tenant": ConfigurationError,
        "optimization": CannotOptimizeError,
    }


def test_recorded_422() -> None:
    """The recorded refusal names the row's error and the field's, with its path."""
    body = sample("bill_put_422_field_and_row_errors.20.200.001.json")
    row, field = nested_errors(Response(status=422, body=body))
    assert row.startswith("Inserting")
    assert field.startswith("Details[0].Project: Project")


def test_recorded_400() -> None:
    """The recorded answer to an empty body is told in its own words."""
    body = sample("customer_put_400_empty_body.20.200.001.json")
    assert "should not be empty" in str(complaint(Response(status=400, body=body)))
