"""What an answer of the contract-based REST API means.

A status tells little here: 500 stands for a wrong password, a full licence, a missing record and a
bad query alike. So the exception's type and text decide first.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from attrs import frozen

from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    discreet,
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Allowance, Response

LOGIN_LIMIT: Final = "API Login Limit"
REFUSALS: Final = ("PXOuterException", "PXSetPropertyException", "PXRowPersistingException")
"""Exceptions with which a form refuses a value: the transaction is rolled back, and would be again."""
QUERY_FAULTS: Final = ("ODataException", "KeyNotFoundException")
"""Exceptions of a list whose query the API can't make out: it would be no wiser next time."""
LONGEST_WAIT: Final = 600.0
"""Seconds that a request waits in the licence's queue at most, then it is declined."""


class CannotOptimizeError(RejectedError):
    """A list can't be exported by one SQL query because of `fields`; record by record it can be read."""

    def __init__(self, fields: tuple[str, ...], message: str) -> None:
        super().__init__(Reason.UNSUPPORTED, message)
        self.args = (fields, message)
        self.fields = fields


@frozen
class Complaint:
    """What an error's body says: exception types and texts, from the outside in, fit to be shown."""

    types: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def is_a(self, *types: str) -> bool:
        """Return whether it is an exception of one of these classes, whatever their namespace."""
        return any(kind.rpartition(".")[2] in types for kind in self.types)

    def says(self, text: str) -> bool:
        """Return whether a text is part of it."""
        return any(text.lower() in line.lower() for line in self.texts)

    def __str__(self) -> str:
        told = list(dict.fromkeys(self.texts))
        specific = [line for line in told if not line.startswith("An error has occurred")]
        return shown(" / ".join(specific or told or self.types or ("no explanation",)))


def shown(text: str, longest: int = 300) -> str:
    """Return a text of the other system in one line, not too long, without e-mail addresses and secrets."""
    line = discreet(" ".join(text.split())[:2000])
    return line if len(line) <= longest else f"{line[:longest]}…"


def complaint(response: Response) -> Complaint:
    """Return what the body of an error says; a body that is no JSON is a text."""
    body = _parsed(response)
    if body is None or isinstance(body, str):
        text = response.body.decode("utf-8", "replace").strip(' "\r\n\t\ufeff')
        return Complaint(texts=(text,) if text and not _is_page(response) else ())
    types: list[str] = []
    texts: list[str] = []
    while level := _object(body):
        types += _strings(level, "exceptionType")
        texts += _strings(level, "exceptionMessage", "message", "messageDetail", "error", "error_description")
        for name, lines in _object(level.get("modelState")).items():
            texts += (f"{name}: {line}" if name else str(line) for line in _list(lines))
        body = level.get("innerException") or level.get("error")
    return Complaint(tuple(types), tuple(texts))


def _parsed(response: Response) -> object:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def _is_page(response: Response) -> bool:
    return "html" in (response.header("content-type") or "") or response.body.lstrip().startswith(b"<")


def _object(data: object) -> dict[str, Any]:
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _list(data: object) -> Sequence[Any]:
    return cast("Sequence[Any]", data) if isinstance(data, list) else []


def _strings(level: dict[str, Any], *names: str) -> list[str]:
    return [text for name in names if isinstance(text := level.get(name), str)]


def classify(response: Response) -> Outcome[Response]:
    """Return the answer, or what it means as an error."""
    if 200 <= response.status < 300:
        return _web_page(response) if _is_page(response) else Ok(response)
    said = complaint(response)
    return Failed(_by_text(response, said) or _by_status(response, said))


def classify_put(response: Response) -> Outcome[Response]:
    """Return the same of an answer to a PUT that must make no record, and says 412 where there is none."""
    return Failed(_no_record()) if response.status == 412 else classify(response)


def classify_patch(response: Response) -> Outcome[Response]:
    """Return the same of an answer to a PATCH, which says 404 where there is no record."""
    gone = response.status == 404 and not _is_page(response)
    if gone and not complaint(response).says("HTTP resource"):  # that one is of a wrong version or entity
        return Failed(_no_record())
    return classify_put(response)


def _no_record() -> RejectedError:
    return RejectedError(Reason.GONE, "Acumatica has no such record")


def told(response: Response) -> Allowance | None:
    """Return what an answer tells of the licence's quota: nothing, unless its queue is full."""
    full = response.status == 429 and not _no_seat(response)
    return Allowance(left=0, resets=_retry_after(response)) if full else None


def _no_seat(response: Response) -> bool:
    """Return whether the licence, or the limit of one user or application (SM201010), opens no session."""
    text = response.body.lower()
    of_user = b"sm201010" in text and (b"limit" in text or b"concurrent" in text)
    return LOGIN_LIMIT.lower().encode() in text or of_user


def full_house(response: Response) -> RateLimitedError:
    """Return what it means that no session is opened."""
    message = (
        f"Acumatica opens no further session ({LOGIN_LIMIT}); sign out idle ones, give those left open 10 minutes"
        " to end by themselves, or raise the number of API users of the licence (SM604000) or of this user (SM201010)"
    )
    return RateLimitedError(message, _retry_after(response))


def _web_page(response: Response) -> Failed:
    message = (
        f"Acumatica answered {response.status} with a web page instead of data; check that `url` is the instance's"
    )
    return Failed(DecodeError(message))


def _by_text(response: Response, said: Complaint) -> Exception | None:
    if said.says("Invalid credentials"):
        return AuthenticationError(f"Acumatica refused name or password: {said}")
    if _no_seat(response):
        return full_house(response)
    if said.is_a("NoEntitySatisfiesTheConditionException") or said.says("No entity satisfies the condition"):
        return _no_record()
    if said.is_a("CannotOptimizeException") or said.says("Optimization cannot be performed"):
        return _cannot_optimize(said)
    if said.is_a("PXSetupNotEnteredException", "PXUndefinedCompanyException"):
        return ConfigurationError(f"Acumatica can't work with this tenant: {said}; check `tenant` and its set-up")
    if said.is_a(*QUERY_FAULTS):
        return RejectedError(Reason.UNSUPPORTED, f"Acumatica can't make out what is asked: {said}; check `version`")
    if said.is_a(*REFUSALS):
        return RejectedError(Reason.INVALID, f"Acumatica refused: {said}")
    return None


def _cannot_optimize(said: Complaint) -> CannotOptimizeError:
    fields = tuple(dict.fromkeys(re.findall(r"^\s*([\w/.]+): View ", "\n".join(said.texts), re.MULTILINE)))
    named = shown(", ".join(fields)) or "(not named)"
    return CannotOptimizeError(fields, f"Acumatica can't list the fields {named}; read record by record")


def _by_status(response: Response, said: Complaint) -> Exception:
    match response.status:
        case 401:
            return AuthenticationError(f"Acumatica does not take the session ({said}); check name, password and tenant")
        case 403:
            # No AuthenticationError: signing in anew would help nobody, and would leave a session open.
            return ConfigurationError(f"Acumatica denies access: {said}; give the user access rights to that form")
        case 404:
            return ConfigurationError("Acumatica has no such endpoint or entity; check `url`, `endpoint` and `version`")
        case 422:
            return RejectedError(Reason.INVALID, f"Acumatica refused: {_told_errors(nested_errors(response))}")
        case 429:
            way_out = "give the budget the licence's numbers (SM604000), or run less beside this"
            return RateLimitedError(f"Acumatica's queue of requests is full (429); {way_out}", _retry_after(response))
        case status if 300 <= status < 400 and "login.aspx" in (response.header("location") or "").lower():
            way_out = "check name, password and tenant"
            return AuthenticationError(f"Acumatica leads to its page for signing in ({status}); {way_out}")
        case status if 300 <= status < 400:
            way_out = "check `url`, and that the endpoint opens in Acumatica (SM207060)"
            return ConfigurationError(f"Acumatica answers with a redirect ({status}), which is not followed; {way_out}")
        case status if 400 <= status < 500 and status != 408:
            reason = Reason.INVALID if status == 400 else Reason.OTHER
            return RejectedError(reason, f"Acumatica refused ({status}): {said}")
        case status:
            return OutcomeUnknownError(f"Acumatica failed ({status}): {said}")


def _retry_after(response: Response) -> float | None:
    seconds = (response.header("retry-after") or "").strip()
    return min(float(seconds), LONGEST_WAIT) if seconds.isdecimal() else None


# ------------------------------------------------------------------ refused records
def nested_errors(response: Response) -> tuple[str, ...]:
    """Return every error that a refused record echoes, each behind the path of its field.

    A path leads through linked entities and the rows of details: `Details[0].Project`,
    `MainContact.Address.City`, `custom.Contact.UsrX`; an error without one is of the record as a whole.
    """
    try:
        found = tuple(_errors_of(_parsed(response), ()))
    except RecursionError:
        found = ()
    return found or (str(complaint(response)),)


def _errors_of(node: object, path: tuple[str, ...]) -> Iterator[str]:
    for i, item in enumerate(_list(node)):
        yield from _errors_of(item, (*path[:-1], f"{path[-1] if path else ''}[{i}]"))
    for name, child in _object(node).items():
        if name == "error" and isinstance(child, str):
            yield f"{'.'.join(path)}: {child}" if path else child
        else:
            yield from _errors_of(child, (*path, name))


def _told_errors(errors: tuple[str, ...], most: int = 5) -> str:
    """Return some errors as one text, those of fields first: that of the record only says that there are some."""
    ordered = sorted(errors, key=lambda error: not re.match(r"[\w.\[\]]+: ", error))
    told = "; ".join(shown(error) for error in ordered[:most])
    return f"{told}; and {len(errors) - most} more" if len(errors) > most else told
