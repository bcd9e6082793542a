"""Records as JSON: `id, rowNumber, note`, the fields by name, `custom`, `_links`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from acumatica_b2b.model import UNSET
from acumatica_b2b.simulators.acumatica.answers import cannot_optimize, cell, fault
from acumatica_b2b.simulators.acumatica.rows import CustomValue
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION, Contract, Field
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings, CustomField
from acumatica_b2b.simulators.acumatica.state import State, note_id_of
from acumatica_b2b.simulators.acumatica.tables import PARENT, Record, Value

Json: TypeAlias = dict[str, Any]
Read: TypeAlias = Callable[[str], Value]
Plan: TypeAlias = tuple[tuple[str, Callable[[Record], Any]], ...]

_NOWHERE: Final = -2_147_483_648
"""The number of the contact that a graph inserts for a customer without a primary."""
_TEXT_KEYS: Final = frozenset({*PARENT.items(), (LOCATION, "LocationID")})
_GRAPHS: Final[Mapping[str, str]] = {
    CONTACT: "PX.Objects.CR.ContactMaint/Contact",
    CUSTOMER: "PX.Objects.AR.CustomerMaint/BAccount",
    LOCATION: "PX.Objects.AR.CustomerLocationMaint/Location",
}


@frozen(kw_only=True)
class Shape:
    """What of a record was asked for."""

    entity: str
    contract: Contract
    select: frozenset[str] | None = None
    """None: everything. Holds the parents of nested paths too."""
    whole: frozenset[str] = frozenset()
    """The selected paths as they were given."""
    expand: frozenset[str] = frozenset()
    custom: tuple[str, ...] = ()

    def shows(self, path: str) -> bool:
        """Return whether the answer has the field at this path."""
        if self.select is None or path in self.select:
            return True
        parent = path.rpartition("/")[0]
        return bool(parent) and parent in self.whole


def shape(entity: str, contract: Contract, query: Mapping[str, str]) -> Shape:
    """Return what a query asks for.

    Raises:
        RefusedError: a selected or expanded field that this version does not have.

    """
    selected, expanded = _paths(query.get("$select", "")), _paths(query.get("$expand", ""))
    for path in (*selected, *expanded):
        if path != "files" and contract.find(entity, path) is None:
            raise fault(
                text=f"The given key '{path}' was not present in the dictionary.",
                kind="System.Collections.Generic.KeyNotFoundException",
            )
    return Shape(
        entity=entity,
        contract=contract,
        select=frozenset(_with_parents(selected)) if selected else None,
        whole=frozenset(selected),
        expand=frozenset(_with_parents(expanded)),
        custom=_paths(query.get("$custom", "")),
    )


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _with_parents(paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        parts = path.split("/")
        yield from ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def detail_id(parent: str, path: str, row: int, salt: str) -> str:
    """Return the id of a detail row, which lasts as long as a session."""
    return note_id_of(parent, path, row, salt)


def _known(value: CustomValue) -> str | bool | int | None:
    return None if value is UNSET else value


@define(kw_only=True)
class Renderer:
    """Makes the JSON of one answer."""

    state: State
    settings: AcumaticaSettings
    shape: Shape
    base: str
    """The path of the endpoint, such as `/entity/Default/24.200.001`."""
    salt: str = ""
    """Ids of detail entities last as long as a session."""
    single: bool = False
    """Read through the graph, one record by key: it may insert what a list does not have."""
    _plan: Plan = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._plan = self._planned()

    def _planned(self) -> Plan:
        absent = self.settings.absent.get(self.shape.entity, frozenset[str]())
        return tuple(
            (one.name, self._part(one))
            for one in self.shape.contract.fields(self.shape.entity).values()
            if one.name not in absent
            and self.shape.shows(one.name)
            and (one.kind is not None or one.name in self.shape.expand)
        )

    def check_optimisable(self, filtered: frozenset[str]) -> None:
        """Refuse a list that shows or filters by a field which needs graph code."""
        views = self.settings.unoptimised.get(self.shape.entity, {})
        named = {name for name, _ in self._plan} | {path.partition("/")[0] for path in filtered}
        bad = {name: view for name, view in views.items() if name in named}
        if bad:
            raise cannot_optimize(bad)

    def render(self, record: Record, row: int = 1) -> Json:
        """Return the JSON of a record."""
        out: Json = {"id": record.note_id, "rowNumber": row, "note": {"value": ""}}
        for name, part in self._plan:
            out[name] = part(record)
        out["custom"] = self._custom(record)
        if self.settings.links:
            out["_links"] = self._links(record)
        return out

    def _part(self, one: Field) -> Callable[[Record], Any]:
        if one.custom is not None:
            name = one.custom
            return lambda record: cell(_known(record.custom.get(name)))
        if one.kind is not None:
            return self._scalar(self.state.reader(self.shape.entity, one.name), one.name)
        if one.linked is not None:
            return lambda record: self._linked(one, one.name, record.note_id, self._reads(record))
        return lambda record: self._details(one, record)

    def _scalar(self, read: Callable[[Record], Value], name: str) -> Callable[[Record], Json]:
        width, digits = self.settings.key_width, self.settings.fraction_digits
        if width and (self.shape.entity, name) in _TEXT_KEYS:
            return lambda record: cell(text.ljust(width) if (text := str(read(record) or "")) else None)
        return lambda record: cell(read(record), digits)

    def _reads(self, record: Record) -> Read:
        def read(path: str) -> Value:
            value = self.state.read(record, path)
            if self.single and path == "PrimaryContact/ContactID" and value is None:
                return _NOWHERE
            return value

        return read

    def _linked(self, one: Field, path: str, parent: str, read: Read, at: str | None = None) -> Json:
        """Return a linked entity; its values are read below `at`, its place in the shape is `path`."""
        at = path if at is None else at
        prefix = f"{at}/" if at else ""
        note = read(f"{prefix}NoteID")
        out: Json = {"id": note or note_id_of(parent, path), "rowNumber": 1, "note": None}
        for inner in self.shape.contract.fields(str(one.linked)).values():
            place = f"{path}/{inner.name}"
            if not self.shape.shows(place):
                continue
            if inner.kind is not None:
                out[inner.name] = cell(read(prefix + inner.name), self.settings.fraction_digits)
            elif place in self.shape.expand:
                out[inner.name] = self._linked(inner, place, parent, read, prefix + inner.name) if inner.linked else []
        out["custom"] = {}
        return out

    def _details(self, one: Field, record: Record) -> list[Json]:
        if one.detail == "AttributeValue":
            values = dict.fromkeys(self.settings.attributes.get(record.entity, ()), "") | record.attributes
            return [self._attribute(record, row, item) for row, item in enumerate(values.items(), 1)]
        if one.detail == "CustomerContact":
            contacts = self.state.contacts.of(str(record.get("CustomerID")))
            return [self._customer_contact(contact, row) for row, contact in enumerate(contacts, 1)]
        known = self.shape.contract.fields(str(one.detail))
        rows = record.details.get(one.name, ())
        return [
            self._row(one.name, row, record.note_id, {name: cell(_known(item.get(name))) for name in known})
            for row, item in enumerate(rows, 1)
        ]

    def _row(self, path: str, row: int, parent: str, values: Mapping[str, Any]) -> Json:
        head: Json = {"id": detail_id(parent, path, row, self.salt), "rowNumber": row, "note": None}
        shown = {name: value for name, value in values.items() if self.shape.shows(f"{path}/{name}")}
        return head | shown | {"custom": {}}

    def _attribute(self, record: Record, row: int, item: tuple[str, str]) -> Json:
        known = {"AttributeID": item[0], "RefNoteID": record.note_id, "Required": False, "Value": item[1]}
        values = {name: cell(known.get(name)) for name in self.shape.contract.fields("AttributeValue")}
        return self._row("Attributes", row, record.note_id, values)

    def _customer_contact(self, contact: Record, row: int) -> Json:
        values: Json = {}
        if "Contacts/Contact" in self.shape.expand:
            inner = Field(name="Contact", linked=CONTACT)
            values["Contact"] = self._linked(inner, "Contacts/Contact", contact.note_id, self._grid_reads(contact), "")
        values["ContactID"] = cell(contact.key)
        if "LastModifiedDateTime" in self.shape.contract.fields("CustomerContact"):
            values["LastModifiedDateTime"] = cell(contact.get("LastModifiedDateTime"), self.settings.fraction_digits)
        return self._row("Contacts", row, contact.note_id, values)

    def _grid_reads(self, contact: Record) -> Read:
        read = self.state.reader
        return lambda path: read(CONTACT, path)(contact) if path in _GRID or path.startswith("Address/") else None

    def _custom(self, record: Record) -> Json:
        out: Json = {}
        for name in self.shape.custom:
            declared = self.settings.custom_field(self.shape.entity, name)
            value = record.custom.get(name)
            if declared is not None and value is not UNSET:
                view, _, short = name.partition(".")
                out.setdefault(view, {})[short] = self._custom_cell(declared, value)
        return out

    def _custom_cell(self, declared: CustomField, value: CustomValue) -> Json:
        empty = value is None or value == ""
        if empty:
            return {"type": declared.kind.value} | ({"value": None} if self.settings.empty_custom_is_null else {})
        return {"type": declared.kind.value, "value": value}

    def _links(self, record: Record) -> Json:
        return {
            "self": f"{self.base}/{self.shape.entity}/{record.note_id}",
            "files:put": f"{self.base}/files/{_GRAPHS[self.shape.entity]}/{record.note_id}/{{filename}}",
        }

    def skeleton(self) -> Json:
        """Return what `$adHocSchema` answers: every field empty, every custom field with its type."""
        out: Json = {"id": note_id_of("schema", self.shape.entity), "rowNumber": 1, "note": {"value": ""}}
        for one in self.shape.contract.fields(self.shape.entity).values():
            out[one.name] = {} if one.kind or one.linked else []
        custom: Json = {}
        for declared in self.settings.custom_fields.get(self.shape.entity, ()):
            view, _, short = declared.name.partition(".")
            custom.setdefault(view, {})[short] = {"type": declared.kind.value, "value": None}
        return out | {"custom": custom, "_workflowActions": []}


_GRID: Final = frozenset(
    {
        *("Active", "AddressValidated", "ContactID", "DisplayName", "Email", "ExtRefNbr", "Fax", "FirstName"),
        *("JobTitle", "LastName", "MiddleName", "Title", "WebSite"),
        *("Phone1", "Phone1Type", "Phone2", "Phone2Type"),
    }
)
"""What the grid of a customer's contacts fills of each; no NoteID, no BusinessAccount."""
