"""What a request on an entity answers: PUT, PATCH and DELETE."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.http import Response
from acumatica_b2b.simulators.acumatica.answers import RefusedError, fault, json_response, plain
from acumatica_b2b.simulators.acumatica.bodies import BodyReader, Changes, DetailChange, body_of
from acumatica_b2b.simulators.acumatica.entities import Target, by_keys, key_of, matches
from acumatica_b2b.simulators.acumatica.render import detail_id
from acumatica_b2b.simulators.acumatica.rows import DetailRow
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION
from acumatica_b2b.simulators.acumatica.state import State, note_id_of
from acumatica_b2b.simulators.acumatica.tables import Record, Value

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
    if target.contract.extends not in target.settings.patches:
        raise _not_allowed("PATCH")
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
        raise _not_allowed("DELETE")
    remove(target.state, by_keys(target))
    return Response(status=204)


def remove(state: State, record: Record) -> None:
    """Take a record out of its table."""
    state.table(record.entity).discard(record.key)
    if record.entity == CONTACT:
        state.deleted[record.key] = record


def _changes(target: Target) -> Changes:
    if target.keys:
        raise _not_allowed(target.request.method)
    reader = BodyReader(settings=target.settings, entity=target.entity, contract=target.contract)
    return reader.read(body_of(target.request))


def _not_allowed(method: str) -> RefusedError:
    return plain(405, f"The requested resource does not support http method '{method}'.")


def _named(target: Target, changes: Changes) -> Record | None:
    table = target.state.table(target.entity)
    keys = tuple(changes.values.get(name) for name in _KEYS[target.entity])
    if changes.id is not None:
        return table.notes.get(changes.id)
    if all(keys):
        return table.records.get(key_of(target, keys))
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
    record.key = key_of(target, tuple(values[name] for name in _KEYS[target.entity]))
    record.note_id = note_id_of(target.entity, record.key, now.isoformat())
    record.values |= values | {"LastModifiedDateTime": now}
    record.custom |= changes.custom
    record.attributes |= changes.attributes
    record.details |= _details(target, record, changes)
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
    known = target.settings.attributes.get(target.entity)
    for name in changes.attributes:
        if known is not None and name not in known:
            errors[f"Attributes/{name}"] = f"Attribute '{name}' cannot be found in the system."
    if errors:
        raise _unprocessable(target, changes, record)


def _unprocessable(target: Target, changes: Changes, record: Record) -> RefusedError:
    note = record.note_id or note_id_of("<NEW>", target.entity)
    preview = evolve(record, note_id=note, values=record.values | changes.values, custom=record.custom | changes.custom)
    echo = target.renderer().render(preview)
    for path, message in changes.errors.items():
        _mark(echo, path, message)
    head: dict[str, Any] = {name: echo.pop(name) for name in ("id", "rowNumber")}
    del echo["note"]
    verb = "Updating " if record.note_id else "Inserting "
    head["error"] = f"{verb} '{target.entity}' record raised at least one error. Please review the errors."
    return RefusedError(json_response(422, head | dict(sorted(echo.items(), key=_place))))


def _mark(echo: dict[str, Any], path: str, message: str) -> None:
    """Put an error beside the value it is about; of detail rows only those with one come back."""
    name, *rest = path.replace(".", "/").split("/")
    if name == "Attributes":
        row = {"AttributeID": {"value": rest[0], "error": message}, "custom": {}}
        echo[name] = [*(one for one in echo.get(name, ()) if "error" in one["AttributeID"]), row]
        return
    cell = echo.setdefault(name, {})
    for part in rest:
        cell = cell.setdefault(part, {})
    cell["error"] = message


def _place(item: tuple[str, Any]) -> tuple[bool, bool, str]:
    return item[0] == "_links", item[0] == "custom", item[0].lower()


def _different(state: State, record: Record, changes: Changes) -> Changes:
    return Changes(
        values={path: value for path, value in changes.values.items() if state.read(record, path) != value},
        custom={name: value for name, value in changes.custom.items() if record.custom.get(name) != value},
        attributes={name: value for name, value in changes.attributes.items() if record.attributes.get(name) != value},
        details=changes.details,
    )


def _update(target: Target, record: Record, changes: Changes, now: datetime) -> None:
    own = {path: value for path, value in changes.values.items() if path not in _KEYS[target.entity]}
    linked = any("/" in path for path in own) or changes.attributes or changes.details
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
    record.details |= _details(target, record, changes)


def _details(target: Target, record: Record, changes: Changes) -> dict[str, tuple[DetailRow, ...]]:
    return {name: _rows(target, record, name, wanted) for name, wanted in changes.details.items()}


def _rows(target: Target, record: Record, name: str, wanted: Sequence[DetailChange]) -> tuple[DetailRow, ...]:
    """Return the detail rows of a record with some changed; a row is found by its id or its key, else added."""
    old = record.details.get(name, ())
    rows = {detail_id(record.note_id, name, place, target.salt): row for place, row in enumerate(old, 1)}
    key = next(one.fields[0].name for one in target.contract.details(target.entity) if one.name == name)
    for change in wanted:
        by_key = (one for one, row in rows.items() if row.get(key) == change.values.get(key))
        found = change.id if change.id in rows else next(by_key, f"new {len(rows)}")
        rows[found] = {} if change.delete else {**rows.get(found, {}), **change.values}
    return tuple(row for row in rows.values() if row)


def _clear_primary(state: State, contact: Record, now: datetime) -> None:
    """Take the mark from a contact that leaves its customer, as the screen does."""
    customer = state.customer(str(contact.get("BusinessAccount")))
    if customer is not None and customer.values.get("PrimaryContactID") == contact.key:
        cleared: dict[str, Value] = {"PrimaryContactID": None, "LastModifiedDateTime": now}
        state.customers.change(customer, cleared)


def _answer(target: Target, record: Record) -> Response:
    return json_response(200, target.renderer().render(record))
