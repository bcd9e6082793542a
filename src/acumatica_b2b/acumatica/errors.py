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
)
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import Allowance, Response

LOGIN_LIMIT: Final = "API Login Limit"
REFUSALS: Final = ("PXOuterException", "PXSetPropertyException", "PXRowPersistingException")
"""Exceptions with which a form refuses a value: the transaction is rolled back, and would be again."""


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


def shown(text: str) -> str:
    """Return a text of the other system in one line, of bearable length and without e-mail addresses."""
    line = " ".join(re.sub(r"[^\s'\"<>()]+@[^\s'\"<>()]+", "<e-mail>", text).split())
    return line if len(line) <= 300 else f"{line[:300]}…"


def complaint(response: Response) -> Complaint:
    """Return what the body of an error says; a body that is no JSON is a text."""
    try:
        body: object = json.loads(response.body)
    except ValueError:
        text = response.body.decode("utf-8", "replace").strip()
        page = "html" in (response.header("content-type") or "") or text.startswith("<")
        return Complaint(texts=(text,) if text and not page else ())
    types: list[str] = []
    texts: list[str] = []
    while level := _object(body):
        types += _strings(level, "exceptionType")
        texts += _strings(level, "exceptionMessage", "message", "messageDetail", "error")
        for name, lines in _object(level.get("modelState")).items():
            texts += (f"{name}: {line}" if name else str(line) for line in _list(lines))
        body = level.get("innerException")
    return Complaint(tuple(types), tuple(texts))


def _object(data: object) -> dict[str, Any]:
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _list(data: object) -> Sequence[Any]:
    return cast("Sequence[Any]", data) if isinstance(data, list) else []


def _strings(level: dict[str, Any], *names: str) -> list[str]:
    return [text for name in names if isinstance(text := level.get(name), str)]


def classify(response: Response) -> Outcome[Response]:
    """Return the answer, or what it means as an error."""
    if 200 <= response.status < 300:
        return _web_page(response) if "html" in (response.header("content-type") or "") else Ok(response)
    said = complaint(response)
    if _no_seat(response):
        message = (
            f"Acumatica opens no further session ({LOGIN_LIMIT}); sign out idle ones, give those left open"
            " 10 minutes to end by themselves, or raise the licence's number of API users (SM604000)"
        )
        return Failed(RateLimitedError(message, _retry_after(response)))
    return Failed(_by_text(said) or _by_status(response, said))


def told(response: Response) -> Allowance | None:
    """Return what an answer tells of the licence's quota: nothing, unless its queue is full."""
    full = response.status == 429 and not _no_seat(response)
    return Allowance(left=0, resets=_retry_after(response)) if full else None


def _no_seat(response: Response) -> bool:
    return LOGIN_LIMIT.lower().encode() in response.body.lower()


def _web_page(response: Response) -> Failed:
    message = (
        f"Acumatica answered {response.status} with a web page instead of data; check that `url` is the instance's"
    )
    return Failed(DecodeError(message))


def _by_text(said: Complaint) -> Exception | None:
    if said.is_a("NoEntitySatisfiesTheConditionException") or said.says("No entity satisfies the condition"):
        return RejectedError(Reason.GONE, "Acumatica has no such record")
    if said.is_a("CannotOptimizeException") or said.says("Optimization cannot be performed"):
        fields = tuple(re.findall(r"^\s*([\w/.]+): View ", "\n".join(said.texts), re.MULTILINE))
        message = f"Acumatica can't list the fields {', '.join(fields) or '(not named)'}; read record by record"
        return CannotOptimizeError(fields, message)
    if said.is_a("PXSetupNotEnteredException", "PXUndefinedCompanyException"):
        return ConfigurationError(f"Acumatica can't work with this tenant: {said}; check `tenant` and its set-up")
    if said.says("Invalid credentials"):
        return AuthenticationError(f"Acumatica refused name or password: {said}")
    if said.is_a(*REFUSALS):
        return RejectedError(Reason.INVALID, f"Acumatica refused: {said}")
    return None


def _by_status(response: Response, said: Complaint) -> Exception:
    match response.status:
        case 401:
            return AuthenticationError(f"Acumatica does not take the session ({said}); check name, password and tenant")
        case 403:
            # No AuthenticationError: signing in anew would help nobody, and would leave a session open.
            return ConfigurationError(f"Acumatica denies access: {said}; give the user access rights to that form")
        case 404:
            return ConfigurationError("Acumatica has no such endpoint or entity; check `url`, `endpoint` and `version`")
        case 412:
            return RejectedError(Reason.GONE, "Acumatica has no such record to update")
        case 422:
            return RejectedError(Reason.INVALID, f"Acumatica refused: {shown('; '.join(nested_errors(response)))}")
        case 429:
            return RateLimitedError("Acumatica's queue of requests is full (429)", _retry_after(response))
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
    return float(seconds) if seconds.isdecimal() else None


def nested_errors(response: Response) -> tuple[str, ...]:
    """Return every error that a refused record echoes, each behind the path of its field."""
    try:
        found = tuple(_errors_of(json.loads(response.body), ()))
    except ValueError:
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
