"""Answers in the shapes that Acumatica gives them, and the exception that carries a refusal."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from acumatica_b2b.http import Headers, Response

JSON_TYPE: Final = ("Content-Type", "application/json; charset=utf-8")
_RAW_NUMBER: Final = re.compile(r'"\\u0000(-?[0-9.]+)"')


class RefusedError(Exception):
    """Ends the handling of a request; `response` is what the caller gets."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(status: int, value: object, headers: Headers = ()) -> Response:
    """Return a JSON answer; decimals keep their places, which `json` alone would cut."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_raw_number)
    return Response(status=status, headers=(JSON_TYPE, *headers), body=_RAW_NUMBER.sub(r"\1", text).encode())


def _raw_number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"\0{value:.4f}"
    message = f"{type(value).__name__} has no JSON"
    raise TypeError(message)


def moment_text(moment: datetime, digits: int = 6) -> str:
    """Return a moment as Acumatica writes it: zeros at the end of the fraction are cut.

    >>> from datetime import UTC
    >>> moment_text(datetime(2023, 12, 14, 17, 20, 45, 160_000, tzinfo=UTC))
    '2023-12-14T17:20:45.16+00:00'
    """
    text = moment.isoformat()
    if not moment.microsecond:
        return text
    if digits == 7:  # finer than Python knows, so that the last one is made up
        return f"{text[:-6]}{moment.microsecond % 9 + 1}+00:00"
    return f"{text[:-6].rstrip('0')}+00:00"


def cell(value: object, digits: int = 6) -> dict[str, object]:
    """Return the JSON of one field: `{}` when it is empty."""
    if value is None or value == "":
        return {}
    return {"value": moment_text(value, digits) if isinstance(value, datetime) else value}


def fault(*, text: str, kind: str, trace: str = "") -> RefusedError:
    """Return the refusal with which Acumatica reports most of what goes wrong: an HTTP 500."""
    body = {"message": "An error has occurred.", "exceptionMessage": text, "exceptionType": kind}
    return RefusedError(json_response(500, body | ({"stackTrace": trace} if trace else {})))


def no_entity() -> RefusedError:
    """Return the refusal for a record that is not there."""
    return fault(
        text="No entity satisfies the condition.", kind="PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
    )


def bad_request(*, text: str, path: str = "") -> RefusedError:
    """Return the refusal of a body that is not of the documented shape."""
    return plain(400, "The request is invalid.", {"modelState": {path: [text]}})


def plain(status: int, message: str, more: Mapping[str, object] | None = None) -> RefusedError:
    """Return a refusal with nothing but a message."""
    return RefusedError(json_response(status, {"message": message, **(more or {})}))


def declined(text: str = "") -> Response:
    """Return the 429 of the licence; nothing says why or for how long."""
    headers: Headers = (("Content-Type", "text/plain"),) if text else ()
    return Response(status=429, headers=headers, body=text.encode())


def cannot_optimize(views: Mapping[str, str]) -> RefusedError:
    """Return the refusal of a list whose fields, given with their views, need graph code."""
    lines = "".join(f"{name}: View {view} has BQL delegate\r\n" for name, view in views.items())
    text = f"Optimization cannot be performed.The following fields cause the error:\r\n{lines}"
    return fault(text=text, kind="PX.Api.ContractBased.OptimizedExport.CannotOptimizeException")
