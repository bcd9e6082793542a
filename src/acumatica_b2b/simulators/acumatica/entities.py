"""What a request on an entity answers: reading."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from attrs import frozen

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.acumatica.answers import RefusedError, fault, json_response, no_entity, plain
from acumatica_b2b.simulators.acumatica.filters import Scope, candidates
from acumatica_b2b.simulators.acumatica.odata import ODataError, names, parse
from acumatica_b2b.simulators.acumatica.render import Renderer, shape
from acumatica_b2b.simulators.acumatica.schema import CONTACT, LOCATION, Contract
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings
from acumatica_b2b.simulators.acumatica.state import State
from acumatica_b2b.simulators.acumatica.tables import Key, Record

_GUID: Final = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@frozen(kw_only=True)
class Target:
    """What a request on an entity is aimed at, and the tenant it meets."""

    state: State
    settings: AcumaticaSettings
    request: Request
    entity: str
    contract: Contract
    keys: tuple[str, ...]
    query: Mapping[str, str]
    base: str
    salt: str

    def header(self, name: str) -> str | None:
        """Return a header of the request, whatever its case."""
        return next((value for key, value in self.request.headers if key.lower() == name), None)

    def renderer(self, *, single: bool = True) -> Renderer:
        """Return what makes the answer's JSON."""
        return Renderer(
            state=self.state,
            settings=self.settings,
            shape=shape(self.entity, self.contract, self.query),
            base=self.base,
            salt=self.salt,
            single=single,
        )


def read(target: Target) -> Response:
    """Answer a GET: a list, a record by its keys or its id, or the schema of custom fields."""
    if target.keys == ("$adHocSchema",):
        return json_response(200, target.renderer().skeleton())
    if target.keys:
        return json_response(200, target.renderer().render(by_keys(target)))
    renderer = target.renderer(single=False)
    text = target.query.get("$filter", "")
    with_filter = _names(text) if text else frozenset[str]()
    renderer.check_optimisable(with_filter)
    found = islice(matches(target), _count(target, "$skip") or 0, None)
    rows = enumerate(islice(found, _count(target, "$top")), 1)
    return json_response(200, [renderer.render(record, row) for row, record in rows])


def by_keys(target: Target) -> Record:
    """Return the record that the URL names by its keys or its id.

    Raises:
        RefusedError: there is none.

    """
    table = target.state.table(target.entity)
    single = target.keys[0]
    if len(target.keys) == 1 and _GUID.fullmatch(single):
        record = table.notes.get(single.lower())
    else:
        keys = tuple(single.split("|")) if len(target.keys) == 1 else target.keys
        record = table.records.get(key_of(target, keys))
    if record is None:
        raise no_entity()
    return record


def key_of(target: Target, keys: tuple[object, ...]) -> Key | None:
    """Return the key in the tables that key fields stand for; None for what can't be one."""
    texts = [str(key or "") for key in keys]
    collate = target.state.collate
    match target.entity, texts:
        case _ if not all(texts):
            return None
        case "Contact", [number]:
            return int(number) if re.fullmatch(r"-?\d{1,10}", number) else None
        case "CustomerLocation", [customer, location]:
            return (collate(customer), collate(location))
        case "Customer", [customer]:
            return collate(customer)
        case _:
            return None


def matches(target: Target) -> Iterator[Record]:
    """Return the records that the query's filter leaves, in the order of their keys.

    Raises:
        RefusedError: the filter is none, or does not fit its fields.

    """
    table = target.state.table(target.entity)
    text = target.query.get("$filter", "")
    if not text:
        return table.walk(None)
    scope = Scope(state=target.state, settings=target.settings, entity=target.entity, contract=target.contract)
    try:
        node = parse(text)
        holds = scope.compiled(node)
    except ODataError as error:
        raise _query_fault(error) from None
    return filter(holds, table.walk(candidates(node, table)))


def _names(text: str) -> frozenset[str]:
    try:
        return names(parse(text))
    except ODataError as error:
        raise _query_fault(error) from None


def _query_fault(error: ODataError) -> RefusedError:
    return fault(text=str(error), kind="Microsoft.Data.OData.ODataException")


def _count(target: Target, option: str) -> int | None:
    text = target.query.get(option)
    if text is not None and not text.isdecimal():
        raise _query_fault(ODataError(text=f"Invalid value '{text}' for {option} query option found."))
    return None if text is None else int(text)


def check_rights(target: Target) -> None:
    """Refuse an entity whose screen the user has no right to, or that was never set up."""
    screen, form = {
        CONTACT: ("CR302000", "Customer Management Preferences"),
        LOCATION: ("AR303020", "Accounts Receivable Preferences"),
    }.get(target.entity, ("AR303000", "Accounts Receivable Preferences"))
    if target.entity in target.settings.forbidden:
        raise plain(403, f"You have insufficient rights to access the {target.entity} ({screen}) form.")
    if target.entity in target.settings.not_set_up:
        text = f"The required configuration data is not entered on the {form} form."
        raise fault(text=text, kind="PX.Data.PXSetupNotEnteredException")
