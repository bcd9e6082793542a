"""The flow that writes commerce reference IDs back: one field of one record a request, and never a new record."""

from collections.abc import Sequence
from typing import Any, assert_never

from acumatica_b2b.acumatica.config import AcumaticaConfig, AttributeRow, PlainField, Source, UserField
from acumatica_b2b.acumatica.errors import classify_patch, classify_put
from acumatica_b2b.acumatica.queries import CONTACT_KEYS, CUSTOMER_KEYS, HEADERS, LOCATION_KEYS, Shape
from acumatica_b2b.acumatica.rows import row_of, text_at
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Flow, Outcome, together
from acumatica_b2b.http import Headers, Request, at, attempt, json_body, send_signed
from acumatica_b2b.model import RecordKind, Reference


def write_references(config: AcumaticaConfig, references: Sequence[Reference]) -> Flow[list[Outcome[None]]]:
    """Return what came of each reference, in order; requests go out side by side."""
    return list((yield from together(attempt(_write(config, reference)) for reference in references)))


def _write(config: AcumaticaConfig, reference: Reference) -> Flow[None]:
    source, shape, keys = _place(config, reference)
    if source is None:
        way_out = f"set `{reference.record.kind.value}_reference`"
        message = f"no field is configured for the commerce reference ID of {reference.record}; {way_out}"
        raise RejectedError(Reason.UNSUPPORTED, message)
    shape = shape.only_keys().reading(source)
    request = _request(config, shape, keys | _field(source, reference.value))
    classify = classify_patch if config.patch else classify_put
    try:
        response = yield from send_signed(request, classify, config.retries, repeatable=True)
    except RejectedError as error:
        raise RejectedError(
            error.reason, f"writing the commerce reference ID of {reference.record}: {error}"
        ) from error
    _compare(reference, source, text_at(row_of(response.json(), shape), source))


def _place(config: AcumaticaConfig, reference: Reference) -> tuple[Source | None, Shape, dict[str, Any]]:
    """Return the field, the entity and the key fields of a reference's record."""
    key = reference.record.id
    match reference.record.kind:
        case RecordKind.CONTACT:
            if not (key.isascii() and key.isdecimal()):
                raise RejectedError(
                    Reason.INVALID, f"{reference.record} can't be written to: ids of contacts are numbers"
                )
            return config.contact_reference, CONTACT_KEYS, {"ContactID": {"value": int(key)}}
        case RecordKind.CUSTOMER:
            return config.customer_reference, CUSTOMER_KEYS, {"CustomerID": {"value": key}}
        case RecordKind.LOCATION:
            keys = {"Customer": {"value": reference.customer}, "LocationID": {"value": key}}
            return config.location_reference, LOCATION_KEYS, keys
        case _:
            assert_never(reference.record.kind)


def _request(config: AcumaticaConfig, shape: Shape, body: dict[str, Any]) -> Request:
    # Without If-Match, a PUT that finds no record makes one; a PATCH never does.
    condition: Headers = () if config.patch else (("If-Match", "*"),)
    return Request(
        method="PATCH" if config.patch else "PUT",
        url=at(config.url, "entity", config.endpoint, config.version, shape.entity, query=shape.options()),
        headers=(*HEADERS, ("Content-Type", "application/json"), *condition),
        body=json_body(body),
        deadline=config.write_deadline,
    )


def _field(source: Source, value: str) -> dict[str, Any]:
    match source:
        case PlainField(name):
            return {name: {"value": value}}
        case UserField(view, name):
            return {"custom": {view: {name: {"type": "CustomStringField", "value": value}}}}
        case AttributeRow(name):
            # The other rows stay: a row that is not named is not touched.
            return {"Attributes": [{"AttributeID": {"value": name}, "Value": {"value": value}}]}
        case _:
            assert_never(source)


def _compare(reference: Reference, source: Source, kept: object) -> None:
    """Raise RejectedError unless the ERP kept what it was sent."""
    if kept == reference.value or not (isinstance(kept, str) or reference.value):
        return
    if not isinstance(kept, str):
        way_out = "check view and name, and that the field can be written"
        message = f"the ERP answered without the field {str(source)!r} of {reference.record}; {way_out}"
    else:
        sent, left = len(reference.value), len(kept)
        message = (
            f"the ERP kept another commerce reference ID of {reference.record} than it was sent:"
            f" {left} characters of {sent}; make the field {str(source)!r} longer"
        )
    raise RejectedError(Reason.INVALID, message)
