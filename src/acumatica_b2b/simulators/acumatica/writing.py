"""What a request on an entity answers: PUT, PATCH and DELETE."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.http import Response
from acumatica_b2b.simulators.acumatica.answers import RefusedError, fault, json_response, plain
from acumatica_b2b.simulators.acumatica.bodies import BodyReader, Changes, body_of
from acumatica_b2b.simulators.acumatica.entities import Target, by_keys, key_of, matches
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION
from acumatica_b2b.simulators.acumatica.state import Record, State, Value, note_id_of

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    CONTACT: ("ContactID",),
    CUSTOMER: ("CustomerID",),
    LOCATION: ("Customer", "LocationID"),
}
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    CONTACT: ("LastName",),
    CUSTOMER: ("CustomerName",),
    LOCATION: ("Customer", "LocationID"),
}


def put(target: Target, now: datetime) -> Response:
    """Answer a PUT: change the record that body or filter name, or make a new one."""
    changes = _changes(target)
    record = _named(target, changes)
    if target.header("if-match") == "*" and record is None:
        raise plain(412, "The record does not exist, and the request only updates.")
    if target.header("if-none-match") == "*" and record is not None:
        raise plain(412, "The record exists, and the request only inserts.")
    if record is None:
        return _answer(target, _create(target, changes, now))
    _check(target, changes, record)
    _update(target, record, _different(target.state, record, changes), now)
    return _answer(target, record)


def patch(target: Target, now: datetime) -> Response:
    """Answer a PATCH: write exactly the fields given to a record that exists."""
    changes = _changes(target)
    if target.header("if-none-match") == "*":
        raise plain(412, "A PATCH only updates.")
    record = _named(target, changes)
    if record is None:
        raise plain(404, "No entity satisfies the condition.")
    _check(target, changes, record)
    _update(target, record, changes, now)
    return _answer(target, record)


def delete(target: Target) -> Response:
    """Answer a DELETE; a deleted contact stays in the database, out of everybody's sight."""
    if not target.keys:
        raise plain(405, "The requested resource does not support http method 'DELETE'.")
    remove(target.state, by_keys(target))
    return Response(status=204)


def remove(state: State, record: Record) -> None:
    """Take a record out of its table."""
    state.table(record.entity).discard(record.key)
    if record.entity == CONTACT:
        state.deleted[record.key] = record


def _changes(target: Target) -> Changes:
    if target.keys:
        raise plain(405, f"The requested resource does not support http method '{target.request.method}'.")
    reader = BodyReader(settings=target.settings, entity=target.entity, version=target.version)
    return reader.read(body_of(target.request))


def _named(target: Target, changes: Changes) -> Record | None:
    table = target.state.table(target.entity)
    keys = tuple(changes.values.get(name) for name in _KEYS[target.entity])
    if changes.id is not None:
        return table.notes.get(changes.id)
    if all(keys):
        return table.records.get(key_of(target.entity, keys))
    if not target.query.get("$filter"):
        return None
    found = tuple(islice(matches(target), 2))
    if len(found) > 1:
        raise fault(
            text="More than one entity satisfies the condition.", kind="PX.Api.ContractBased.ManyEntitiesException"
        )
    return found[0] if found else None


def _create(target: Target, changes: Changes, now: datetime) -> Record:
    state, values = target.state, changes.values
    if target.entity == CONTACT:
        values["ContactID"] = state.last_contact + 1
    if target.entity == CUSTOMER:
        values["BAccountID"] = state.last_account + 1
        values["CustomerID"] = values.get("CustomerID") or f"C{state.last_account + 1:09}"
        values["MainContact/ContactID"] = 10_000_000 + state.last_account + 1
    record = Record(entity=target.entity, key=None, note_id="", values={"CreatedDateTime": now})
    _check(target, changes, record)
    record.key = key_of(target.entity, tuple(values[name] for name in _KEYS[target.entity]))
    record.note_id = note_id_of(target.entity, record.key, now.isoformat())
    record.values |= values | {"LastModifiedDateTime": now}
    record.custom |= changes.custom
    record.attributes |= changes.attributes
    state.last_contact += target.entity == CONTACT
    state.last_account += target.entity == CUSTOMER
    state.table(target.entity).add(record)
    return record


def _check(target: Target, changes: Changes, record: Record) -> None:
    values, errors = changes.values, changes.errors
    for name in _REQUIRED[target.entity]:
        if values.get(name, record.get(name)) is None:
            errors[name] = f"'{name}' cannot be empty."
    parent = {CONTACT: "BusinessAccount", LOCATION: "Customer"}.get(target.entity, "")
    wanted = values.get(parent)
    if isinstance(wanted, str):
        customer = target.state.customer(wanted)
        if customer is None:
            errors[parent] = f"'{wanted}' cannot be found in the system."
        else:
            values[parent] = customer.get("CustomerID")
    if errors:
        raise _unprocessable(target, changes, record)


def _unprocessable(target: Target, changes: Changes, record: Record) -> RefusedError:
    note = record.note_id or note_id_of("<NEW>", target.entity)
    preview = evolve(record, note_id=note, values=record.values | changes.values, custom=record.custom | changes.custom)
    echo = target.renderer().render(preview)
    for path, message in changes.errors.items():
        _cell_at(echo, path)["error"] = message
    head: dict[str, Any] = {name: echo.pop(name) for name in ("id", "rowNumber")}
    del echo["note"]
    verb = "Updating " if record.note_id else "Inserting "
    head["error"] = f"{verb} '{target.entity}' record raised at least one error. Please review the errors."
    return RefusedError(json_response(422, head | echo))


def _cell_at(echo: dict[str, Any], path: str) -> dict[str, Any]:
    for part in path.replace(".", "/").split("/"):
        echo = echo.setdefault(part, {})
    return echo


def _different(state: State, record: Record, changes: Changes) -> Changes:
    return Changes(
        values={path: value for path, value in changes.values.items() if state.read(record, path) != value},
        custom={name: value for name, value in changes.custom.items() if record.custom.get(name) != value},
        attributes={name: value for name, value in changes.attributes.items() if record.attributes.get(name) != value},
    )


def _update(target: Target, record: Record, changes: Changes, now: datetime) -> None:
    own = {path: value for path, value in changes.values.items() if path not in _KEYS[target.entity]}
    linked = any("/" in path for path in own) or changes.attributes
    moves = any("/" not in path for path in own) or changes.custom
    if moves or (linked and target.settings.linked_moves_stamp):
        own["LastModifiedDateTime"] = now
    if target.entity == CONTACT and own.get("BusinessAccount", record.get("BusinessAccount")) != record.get(
        "BusinessAccount"
    ):
        _clear_primary(target.state, record, now)
    target.state.table(target.entity).change(record, own)
    record.custom |= changes.custom
    record.attributes |= changes.attributes


def _clear_primary(state: State, contact: Record, now: datetime) -> None:
    """Take the mark from a contact that leaves its customer, as the screen does."""
    customer = state.customer(str(contact.get("BusinessAccount")))
    if customer is not None and customer.values.get("PrimaryContactID") == contact.key:
        cleared: dict[str, Value] = {"PrimaryContactID": None, "LastModifiedDateTime": now}
        state.customers.change(customer, cleared)


def _answer(target: Target, record: Record) -> Response:
    return json_response(200, target.renderer().render(record))
