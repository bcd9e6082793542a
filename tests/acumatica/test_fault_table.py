"""Each way in which Acumatica says no, at each call: the table of what comes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve, frozen

from acumatica_b2b.acumatica import Credentials, OAuthPassword, Password
from acumatica_b2b.acumatica.errors import CannotOptimizeError
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Request, Response, Retries
from acumatica_b2b.model import ContactID, CustomerID, NoteID, Record, RecordKind, Reference
from acumatica_b2b.protocols import ChangedSince, Everything, PrimaryMarks, Watermark
from tests.acumatica.conftest import Driver, Script, answer, fault, row

PERSON = "anna.b@mail.test"
TOLD = f" (anna: {PERSON}; password=s3cret; Authorization: Bearer t0ken; .ASPXAUTH=c00kie)"
SECRETS = ("anna.b", "mail.test", "s3cret", "t0ken", "c00kie", "cl13nt")
"""What the answers below say and no error may repeat."""
HTML, TEXT = ("Content-Type", "text/html"), ("Content-Type", "text/plain")
BLAMED = (
    "Optimization cannot be performed.The following fields cause the error:\r\nEmail: View Contact has BQL delegate"
)


def http_error(kind: str, text: str) -> Response:
    """Return an exception as the API words it, with more in it than anybody should see."""
    return fault(kind, text + TOLD, 500)


def message(status: int, text: str) -> Response:
    """Return an answer with a message and no exception."""
    return answer({"message": text + TOLD}, status)


def plain(status: int, text: str = "", *headers: tuple[str, str]) -> Response:
    """Return an answer that is no JSON."""
    return Response(status=status, headers=headers, body=text.encode())


@frozen(kw_only=True)
class Meaning:
    """What an answer means to a call, and to a sign-in."""

    error: type[Exception]
    reason: Reason | None = None
    tries: int = 1
    """How often a request is sent before that is the last word."""
    sign_in: type[Exception] = AuthenticationError
    sign_ins: int = 1


REFUSED = Meaning(error=AuthenticationError, tries=2)  # once with the session, once with a fresh one
BUSY = Meaning(error=RateLimitedError, tries=3, sign_in=RateLimitedError, sign_ins=3)  # until patience ends
SET_UP = Meaning(error=ConfigurationError, sign_in=ConfigurationError)
GONE = Meaning(error=RejectedError, reason=Reason.GONE)
NOT_OPTIMISED = Meaning(error=CannotOptimizeError, reason=Reason.UNSUPPORTED)
UNSUPPORTED = Meaning(error=RejectedError, reason=Reason.UNSUPPORTED)
INVALID = Meaning(error=RejectedError, reason=Reason.INVALID)
OTHER = Meaning(error=RejectedError, reason=Reason.OTHER)
FAULT = Meaning(error=OutcomeUnknownError, tries=2)
LOST = Meaning(error=OutcomeUnknownError, tries=2, sign_in=NotSentError)  # a seat may be taken: no second sign-in
PAGE = Meaning(error=DecodeError, sign_in=DecodeError)
NO_DATA = Meaning(error=DecodeError, sign_in=ConfigurationError)

_PX, _BASED = "PX.Data.PXException", "PX.Api.ContractBased"
TABLE = {
    # signing in and the licence
    "wrong password": (REFUSED, http_error(_PX, "Error: Invalid credentials.")),
    "wrong password, cut": (REFUSED, plain(500, '{"exceptionMessage":"Error: Invalid credentials.' + TOLD)),
    "no such tenant": (SET_UP, http_error("PX.Data.PXUndefinedCompanyException", "A proper company ID cannot be")),
    "full house": (BUSY, http_error(_PX, "API Login Limit")),
    "full house, as text": (BUSY, plain(429, "API Login Limit", TEXT)),
    "full house, unspoken": (BUSY, plain(429, "The custom error module does not recognize this error.", TEXT)),
    "limit of the user": (BUSY, http_error(_PX, "The limit of sign-ins is reached, see Users (SM201010)")),
    "queue full": (BUSY, plain(429)),
    "queue full, with a time": (BUSY, plain(429, "", ("Retry-After", "3"))),
    # status codes and bodies
    "not signed in": (REFUSED, message(401, "Authorization has been denied.")),
    "not signed in, no body": (REFUSED, plain(401)),
    "no right": (SET_UP, message(403, "You have insufficient rights to access the Contact (CR302000) form.")),
    "no right, no body": (SET_UP, plain(403)),
    "no such record": (GONE, http_error(f"{_BASED}.NoEntitySatisfiesTheConditionException", "No entity satisfies")),
    "no such record, by text": (GONE, message(500, "No entity satisfies the condition.")),
    "no such entity": (SET_UP, message(404, "No HTTP resource was found that matches the request URI.")),
    "no such entity, no body": (SET_UP, plain(404)),
    "no such page": (SET_UP, plain(404, f"<html>{TOLD}", HTML)),
    "list not optimised": (NOT_OPTIMISED, http_error(f"{_BASED}.OptimizedExport.CannotOptimizeException", BLAMED)),
    "list not optimised, by text": (NOT_OPTIMISED, message(500, BLAMED)),
    "query not understood": (UNSUPPORTED, http_error("Microsoft.Data.OData.ODataException", "An unknown function")),
    "empty body": (INVALID, answer({"message": "Invalid.", "modelState": {"": [f"should not be empty{TOLD}"]}}, 400)),
    "refused fields": (INVALID, answer({"error": "no", "Email": {"value": PERSON, "error": f"no{TOLD}"}}, 422)),
    "refused, no body": (INVALID, plain(422)),
    "precondition": (OTHER, message(412, "no")),
    "not set up": (SET_UP, http_error("PX.Data.PXSetupNotEnteredException", "The data is not entered on the form.")),
    "redirect": (SET_UP, plain(302, "<html>", ("Location", f"/ui/error?{PERSON}"))),
    "refused by a form": (INVALID, http_error("PX.Data.PXSetPropertyException", "The value is too long.")),
    "fault of a form": (FAULT, http_error("System.Data.SqlClient.SqlException", "Timeout expired.")),
    "fault of the server": (LOST, plain(500, f"<html>{TOLD}", HTML)),
    "server away": (evolve(LOST, sign_ins=2), plain(503, TOLD, TEXT)),
    "gateway tired": (LOST, plain(504)),
    "too slow": (LOST, plain(408)),
    "some other refusal": (OTHER, message(411, "Length required.")),
    # what proxies and broken sites make of an answer
    "page instead of data": (PAGE, plain(200, f"<html>{TOLD}", HTML)),
    "page without a type": (PAGE, plain(200, f"<!DOCTYPE html>{TOLD}")),
    "data cut off": (NO_DATA, plain(200, '[{"id":"' + TOLD)),
    "data of another kind": (NO_DATA, plain(200, TOLD, TEXT)),
    "no data": (NO_DATA, plain(204)),
}


def reference(contact: str) -> Reference:
    """Return a reference of a contact."""
    record = Record(RecordKind.CONTACT, contact)
    return Reference(record=record, note_id=NoteID("n"), customer=CustomerID("C1"), value="42")


@frozen
class Call:
    """A method of the client; one of several records answers with outcomes, the others raise."""

    method: str
    argument: Any
    outcomes: bool
    requests: int = 1
    """How many requests go out side by side."""


CALLS = {
    "everything": Call("read", Everything(), outcomes=False),
    "changed": Call("read", ChangedSince(watermark=Watermark("{}")), outcomes=False, requests=3),
    "marks": Call("read", PrimaryMarks(), outcomes=False),
    "customers": Call("customers", [CustomerID("C1")], outcomes=True, requests=3),
    "contacts": Call("contacts", [ContactID("7")], outcomes=True),
    "write": Call("write_references", [reference("7")], outcomes=True),
}
FEW = Retries(attempts=2, first_pause=1, patience=9)
"""Rate limits are waited out two or three times: the budget holds back for longer than the pauses."""
SETTINGS: dict[str, Any] = {"contact_reference": "ExtRefNbr", "retries": FEW}
CREDENTIALS: dict[str, Credentials] = {
    "cookie": Password(PERSON, "s3cret"),
    "token": OAuthPassword(client_id="id@Live", client_secret="cl13nt", name=PERSON, password="s3cret"),
}


def said(error: BaseException | None) -> Iterator[str]:
    """Yield all that an error and what led to it may show."""
    while error is not None:
        yield from (str(error), repr(error), *map(repr, error.args))
        error = error.__cause__ or error.__context__


def no_secrets(error: Exception) -> None:
    """Fail if an error shows what it must not."""
    text = "\n".join(said(error))
    assert [secret for secret in SECRETS if secret in text] == []
    assert "@" not in text


def in_time(expected: Meaning, tries: int, sent: int, side_by_side: int = 1) -> None:
    """Fail unless as many requests were sent as the table says; of those that are to wait, a few."""
    most = 4 if expected.error is RateLimitedError else tries
    assert tries <= sent <= most * side_by_side


def answers(call: Call, driver: Driver, script: Script, **settings: Any) -> Outcome[Any]:
    """Return what a call comes to; where it answers with outcomes, that of its one record."""
    arguments = (call.argument, None) if call.method == "read" else (call.argument,)
    settings = {**SETTINGS, "credentials": CREDENTIALS["cookie"], **settings}
    try:
        result = driver.call(script, call.method, *arguments, **settings)
    except Exception as error:  # whatever it is, it is compared
        return Failed(error)
    if call.outcomes:
        (outcome,) = result
        return outcome  # type: ignore[no-any-return]  # a client's
    return Ok(result)


def of_contact_7(request: Request) -> bool:
    """Return whether a request reads or writes contact 7."""
    return "/Contact/7" in request.url or b'"value":7}' in request.body


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("case", TABLE)
def test_calls(driver: Driver, case: str, name: str) -> None:
    """Each fault at each call is the documented error, in time, and tells nothing that it must not."""
    (expected, told), call = TABLE[case], CALLS[name]
    script = Script(lambda _: told)
    outcome = answers(call, driver, script)
    if expected is GONE and name == "contacts":
        assert outcome == Ok(None)  # asked by its key: the ERP's own word that there is none
        return
    assert isinstance(outcome, Failed)
    told_of_a_write = name == "write" and expected is NOT_OPTIMISED  # not that it ever would be
    assert type(outcome.error) is (RejectedError if told_of_a_write else expected.error)
    no_record = name == "write" and case == "precondition"  # a write says that there has to be one
    assert getattr(outcome.error, "reason", None) is (Reason.GONE if no_record else expected.reason)
    assert str(outcome.error)
    no_secrets(outcome.error)
    if expected is not NOT_OPTIMISED:  # which is tried with fewer and fewer fields
        in_time(expected, expected.tries, len(script.asked), call.requests)


@pytest.mark.parametrize("name", ["contacts", "write"])
@pytest.mark.parametrize("case", TABLE)
def test_of_one_record_or_of_all(driver: Driver, case: str, name: str) -> None:
    """A fault that concerns one record is its outcome, and the next one is served; a wrong set-up ends the call."""
    (expected, told), call = TABLE[case], CALLS[name]
    other = {"contacts": ContactID("8"), "write": reference("8")}[name]
    script = Script(lambda asked: told if of_contact_7(asked) else answer(row(ContactID=8, ExtRefNbr="42")))
    if issubclass(expected.error, AuthenticationError | ConfigurationError):
        with pytest.raises(expected.error):
            driver.call(script, call.method, [*call.argument, other], **SETTINGS)
        return
    first, second = driver.call(script, call.method, [*call.argument, other], **SETTINGS)
    assert isinstance(first, Failed) or first == Ok(None)
    assert isinstance(second, Ok)


@pytest.mark.parametrize("kind", CREDENTIALS)
@pytest.mark.parametrize("case", TABLE)
def test_signing_in(driver: Driver, case: str, kind: str) -> None:
    """Each fault at the sign-in ends the call with the documented error, and no request goes out without a session."""
    expected, told = TABLE[case]
    script = Script(lambda _: answer({}), sign_in=lambda _: told)
    outcome = answers(CALLS["contacts"], driver, script, credentials=CREDENTIALS[kind])
    assert isinstance(outcome, Failed)
    without_token = kind == "token" and expected is NO_DATA
    assert isinstance(outcome.error, DecodeError if without_token else expected.sign_in)
    no_secrets(outcome.error)
    assert script.asked == []
    in_time(expected, expected.sign_ins, len(script.requests))


@pytest.mark.parametrize("case", TABLE)
def test_signing_out(driver: Driver, case: str) -> None:
    """A fault at the sign-out changes nothing of what was done, and holds nobody up for long."""
    script = Script(lambda _: answer(row(ContactID=7)), sign_out=lambda _: TABLE[case][1])
    outcome = answers(CALLS["contacts"], driver, script)
    assert isinstance(outcome, Ok)
    assert outcome.value.id == "7"
    assert any(request.url.endswith("/logout") for request in script.requests)
    assert sum(script.pauses) <= 10


@pytest.mark.parametrize("name", CALLS)
def test_what_is_sent_is_not_shown(driver: Driver, name: str) -> None:
    """No request, answer or credential shows in its repr what only Acumatica should see."""
    script = Script(lambda _: TABLE["fault of a form"][1])
    answers(CALLS[name], driver, script)
    shown = repr((script.requests, TABLE, CREDENTIALS))
    assert len(script.requests) > 2
    assert [secret for secret in (*SECRETS, "abc", "def") if secret in shown] == []
