"""Tells an answer of the API from an error."""

import re
from typing import Final

from acumatica_b2b.bigcommerce.complaints import addresses_in, complaints, without_addresses
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
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Allowance, Response, server_time

_LONGEST: Final = 300
_EMAIL_TAKEN: Final = re.compile(r"(?<!company )\be-?mail\b[^.;]*\balready\b|\buser already exists\b", re.IGNORECASE)
_LAST_USER: Final = re.compile(r"\blast user\b", re.IGNORECASE)
_REASONS: Final = {
    404: Reason.GONE,
    405: Reason.UNSUPPORTED,
    501: Reason.UNSUPPORTED,
    **dict.fromkeys((400, 409, 415, 422), Reason.INVALID),
}
_REFUSED_BY_SERVER: Final = frozenset({501, 507})
"""Above 499, and yet nothing was done."""
_RESETS: Final = (
    ("X-Request-Window-Resets-After", 1.0),
    ("X-Rate-Limit-Time-Reset-Ms", 0.001),
    ("Retry-After", 1.0),
)
"""Both families of headers: this API's carry units, the core API's are in milliseconds."""
_LONGEST_WAIT: Final = 600.0
"""Seconds; no window of either API is as long, so nobody waits longer because of a header."""
_REMAINING: Final = ("X-Requests-Remaining", "X-Rate-Limit-Requests-Left")


class TooLargeError(AcumaticaB2BError):
    """A request held more rows than the API takes: a fault of this library, so the run ends."""


def told(response: Response) -> Allowance | None:
    """Return what an answer tells of the store's quota, in either family of headers."""
    if response.status == 429:
        return Allowance(left=0, resets=_seconds(response))
    found = (re.match(r"\s*(\d{1,9})\b", response.header(name) or "") for name in _REMAINING)
    left = next((int(match[1]) for match in found if match), None)
    return None if left is None else Allowance(left=left, resets=_seconds(response))


def classify(response: Response) -> Outcome[Response]:
    """Return the answer, or the error that it means; the `code` in its body counts for nothing."""
    if response.status == 204:
        return Ok(response)
    if 200 <= response.status < 300:
        return _readable(response)
    return Failed(_error(response))


def classify_list(response: Response) -> Outcome[Response]:
    """Return what `classify` does, for a list: none is ever gone, so a 404 refuses the credentials."""
    if response.status == 404:
        message = (
            "the storefront says that its own list is not found (404), as it does to a token without the scope"
            " 'B2B Edition: modify'; check that, X-Store-Hash, and url in BigCommerceConfig"
        )
        return Failed(AuthenticationError(message))
    return classify(response)


def classify_removal(response: Response) -> Outcome[Response]:
    """Return what `classify` does, for the removal of a user: there a 500 protects the last admin."""
    # until 2025-08 the API documented 500 for the only administrator; sent again it might succeed
    if response.status == 500:
        message = "the storefront answered 500, as it does for a company's only administrator; name another one first"
        return Failed(RejectedError(Reason.LAST_ADMIN, message))
    return classify(response)


def classify_core(response: Response) -> Outcome[Response]:
    """Return what `classify` does, for the store's core API: there the token needs another scope."""
    if response.status in {401, 403}:
        message = (
            f"the store's core API refuses the token ({response.status}); give it the scope 'Customers: read-only',"
            " or adopt existing shoppers, which asks for nobody"
        )
        return Failed(AuthenticationError(message))
    return classify(response)


def classify_bulk(response: Response) -> Outcome[Response]:
    """Return what `classify` does, but a refusal as an answer: some rows of it may have been made."""
    return Ok(response) if refusal(response) else classify(response)


def refusal(response: Response) -> RejectedError | None:
    """Return why a bulk call was refused; None: it was not."""
    match classify(response):
        case Failed(RejectedError() as error):
            return error
        case _:
            return None


def addresses_named(response: Response) -> frozenset[str]:
    """Return the e-mail addresses that a refusal complains of, in lower case."""
    return addresses_in("\n".join(complaints(_body(response))))


def moment(response: Response) -> int:
    """Return when the server answered, in unix seconds by its own clock; 0 where it doesn't say."""
    said = server_time(response)
    return 0 if said is None else int(said.timestamp())


def _readable(response: Response) -> Outcome[Response]:
    try:
        response.json()
    except DecodeError as error:
        return Failed(error)
    return Ok(response)


def _error(response: Response) -> Exception:
    status = response.status
    error: Exception
    if status in {401, 403}:
        error = AuthenticationError(
            f"the storefront refuses the credentials ({status}); check that X-Auth-Token has the scope"
            " 'B2B Edition: modify' and that X-Store-Hash is of the same store"
        )
    elif status == 429:
        error = RateLimitedError("the store's requests of this minute are spent; go on later", _seconds(response))
    elif status == 413:
        error = TooLargeError(
            "the storefront takes no request of this size (413), which this library should never have sent; report it"
        )
    elif status < 400:
        error = ConfigurationError(f"the storefront redirects ({status}); check url in BigCommerceConfig")
    elif status == 408 or (status >= 500 and status not in _REFUSED_BY_SERVER):
        error = OutcomeUnknownError(f"the storefront answered {status}; what was asked for may have been done")
    else:
        error = _refused(response)
    return error


def _refused(response: Response) -> Exception:
    body = _body(response)
    if response.status == 404 and body is None:
        # a stray 404 of some proxy is no proof that a record is gone
        return DecodeError("the storefront's 404 is no JSON; check url in BigCommerceConfig")
    text = "; ".join(dict.fromkeys(complaints(body)))
    unsaid = f"the storefront refused ({response.status}) and did not say why"
    return RejectedError(_reason(response.status, text), without_addresses(text)[:_LONGEST] or unsaid)


def _reason(status: int, text: str) -> Reason:
    if _EMAIL_TAKEN.search(text):
        return Reason.EMAIL_TAKEN
    if _LAST_USER.search(text):
        return Reason.LAST_USER
    return _REASONS.get(status, Reason.OTHER)


def _seconds(response: Response) -> float | None:
    for name, unit in _RESETS:
        number = re.match(r"\s*(\d+(?:\.\d+)?)\s*(?:s|$)", response.header(name) or "")
        if number:
            return min(float(number[1]) * unit, _LONGEST_WAIT)
    return None


def _body(response: Response) -> object:
    try:
        body: object = response.json()
    except DecodeError:
        return None
    return body
