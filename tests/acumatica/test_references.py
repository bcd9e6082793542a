import json
from typing import Any

import pytest

from acumatica_b2b.errors import ConfigurationError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import CustomerID, NoteID, Record, RecordKind, Reference
from tests.acumatica.conftest import NO_ENTITY, Driver, Script, answer, entity, query

FIELDS: dict[str, Any] = {
    "contact_reference": "Contact.UsrKCRef",
    "customer_reference": "AccountRef",
    "location_reference": "ExtRefNbr",
    "check_fields": False,
}


def reference(kind: RecordKind, record: str, value: str = "42") -> Reference:
    """Return a reference of customer C1."""
    return Reference(record=Record(kind, record), note_id=NoteID("n"), customer=CustomerID("C1"), value=value)


CONTACT = reference(RecordKind.CONTACT, "7")
CUSTOMER = reference(RecordKind.CUSTOMER, "C1")
LOCATION = reference(RecordKind.LOCATION, "MAIN")


def echo(request: Request) -> Response:
    """Answer with what was sent."""
    return answer(json.loads(request.body))


def write(driver: Driver, script: Script, *references: Reference, **settings: Any) -> Any:
    """Write references, one after the other."""
    return driver.call(script, "write_references", references, **(FIELDS | settings))


def test_one_field_of_one_record(driver: Driver) -> None:
    """A reference is written as nothing but the record's key and the one field, to records that exist."""
    script = Script(echo)
    assert write(driver, script, CONTACT, CUSTOMER, LOCATION) == [Ok(None)] * 3
    assert [(request.method, entity(request)) for request in script.asked] == [
        ("PUT", "Contact"),
        ("PUT", "Customer"),
        ("PUT", "CustomerLocation"),
    ]
    assert [json.loads(request.body) for request in script.asked] == [
        {"ContactID": {"value": 7}, "custom": {"Contact": {"UsrKCRef": {"type": "CustomStringField", "value": "42"}}}},
        {"CustomerID": {"value": "C1"}, "AccountRef": {"value": "42"}},
        {"Customer": {"value": "C1"}, "LocationID": {"value": "MAIN"}, "ExtRefNbr": {"value": "42"}},
    ]
    assert all(("If-Match", "*") in request.headers for request in script.asked)
    assert [query(request) for request in script.asked] == [
        {"$select": "ContactID", "$custom": "Contact.UsrKCRef"},
        {"$select": "CustomerID,AccountRef"},
        {"$select": "Customer,LocationID,ExtRefNbr"},
    ]
    assert {request.deadline for request in script.asked} == {60.0}


def test_an_attribute(driver: Driver) -> None:
    """A reference that is an attribute is written as that one row, and read back from its row."""
    script = Script(lambda request: echo(request) if b"42" in request.body else answer({"Attributes": []}))
    kept = write(driver, script, CONTACT, reference(RecordKind.CONTACT, "7", "43"), contact_reference="Attributes[REF]")
    assert json.loads(script.asked[0].body) == {
        "ContactID": {"value": 7},
        "Attributes": [{"AttributeID": {"value": "REF"}, "Value": {"value": "42"}}],
    }
    assert query(script.asked[0]) == {
        "$select": "ContactID,Attributes/AttributeID,Attributes/Value",
        "$expand": "Attributes",
    }
    assert kept[0] == Ok(None)
    assert "without the field 'Attributes[REF]'" in str(kept[1].error)


def test_patch(driver: Driver) -> None:
    """Where it is switched on, PATCH is sent, to which 404 says that there is no such record."""
    script = Script(echo)
    assert write(driver, script, CONTACT, patch=True) == [Ok(None)]
    assert [request.method for request in script.asked] == ["PATCH"]
    assert "If-Match" not in dict(script.asked[0].headers)
    (outcome,) = write(driver, Script(lambda _: Response(status=404)), CONTACT, patch=True)
    assert outcome.error.reason is Reason.GONE


def test_patch_without_its_route(driver: Driver) -> None:
    """An endpoint that lacks PATCH or the entity ends the run instead of passing for a missing record."""
    missing = answer({"message": "No HTTP resource was found that matches the request URI '/x'."}, 404)
    with pytest.raises(ConfigurationError):
        write(driver, Script(lambda _: missing), CONTACT, patch=True)


def test_clearing(driver: Driver) -> None:
    """A reference is cleared with an empty text, whatever form its absence comes back in."""
    answers = iter([answer({"ContactID": {"value": 7}}), answer({"ContactID": {"value": 7}, "AccountRef": {}})])
    script = Script(lambda _: next(answers))
    cleared = [reference(RecordKind.CONTACT, "7", ""), reference(RecordKind.CUSTOMER, "C1", "")]
    assert write(driver, script, *cleared) == [Ok(None)] * 2
    assert json.loads(script.asked[1].body)["AccountRef"] == {"value": ""}


@pytest.mark.parametrize(
    ("response", "reason", "told"),
    [
        (
            answer({"ContactID": {"value": 7}, "custom": {"Contact": {"UsrKCRef": {"value": "4"}}}}),
            Reason.INVALID,
            "1 char",
        ),
        (answer({"ContactID": {"value": 7}, "custom": {}}), Reason.INVALID, "without the field"),
        (Response(status=412), Reason.GONE, "contact '7'"),
        (NO_ENTITY, Reason.GONE, "contact '7'"),
        (answer({"ContactID": {"value": 7, "error": "locked"}}, 422), Reason.INVALID, "ContactID: locked"),
    ],
)
def test_refused(driver: Driver, response: Response, reason: Reason, told: str) -> None:
    """What was cut, ignored, gone or refused is that reference's failure, naming the record."""
    (outcome,) = write(driver, Script(lambda _: response), CONTACT)
    assert isinstance(outcome.error, RejectedError)
    assert outcome.error.reason is reason
    assert told in str(outcome.error)
    assert "contact '7'" in str(outcome.error)


def test_one_failure_costs_one_reference(driver: Driver) -> None:
    """Outcomes come in the order of what was asked, each by itself."""
    script = Script(lambda request: Response(status=412) if entity(request) == "Customer" else echo(request))
    first, second, third = write(driver, script, CONTACT, CUSTOMER, LOCATION)
    assert (first, third) == (Ok(None), Ok(None))
    assert isinstance(second, Failed)


def test_unconfigured(driver: Driver) -> None:
    """A kind of record without a configured field is UNSUPPORTED, and nothing is sent."""
    script = Script(echo)
    (outcome,) = write(driver, script, LOCATION, location_reference=None)
    assert outcome.error.reason is Reason.UNSUPPORTED
    assert "location_reference" in str(outcome.error)
    assert script.asked == []


def test_an_id_that_is_no_number(driver: Driver) -> None:
    """A contact whose id is no number is refused before anything is sent."""
    script = Script(echo)
    (outcome,) = write(driver, script, reference(RecordKind.CONTACT, "x"))
    assert outcome.error.reason is Reason.INVALID
    assert script.asked == []


def test_lost_answers_are_repeated(driver: Driver) -> None:
    """A lost answer is asked for again, since the same reference may be written twice; then it is unknown."""
    answers = iter([Response(status=503), answer({"AccountRef": {"value": "42"}})])
    assert write(driver, Script(lambda _: next(answers)), CUSTOMER) == [Ok(None)]
    (outcome,) = write(driver, Script(lambda _: Response(status=503)), CUSTOMER)
    assert isinstance(outcome.error, OutcomeUnknownError)
