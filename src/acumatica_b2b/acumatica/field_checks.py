"""Judges where the configuration keeps values, by the schema that the tenant tells: places, kinds, lengths."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final, assert_never

from acumatica_b2b.acumatica.config import (
    AcumaticaConfig,
    AttributeRow,
    Everyone,
    OptIn,
    PlainField,
    SiteRows,
    UserField,
)
from acumatica_b2b.acumatica.schema import Schema
from acumatica_b2b.check import Needs, Seen, good, note, wrong

_EXT_REF_NBR: Final = 40
"""How long the standard field ExtRefNbr may be: its length in the ERP's own definition."""
_TEXTS: Final = frozenset({"CustomStringField"})
_KINDS: Final = {
    "opt-in": frozenset({"CustomBooleanField", "CustomStringField", "CustomIntField"}),
    "connection type": frozenset({"CustomStringField", "CustomIntField"}),
}
_WORDS: Final = {
    "CustomBooleanField": "yes or no",
    "CustomStringField": "a text",
    "CustomIntField": "a number",
    "CustomLongField": "a number",
    "CustomDecimalField": "a number",
    "CustomDateTimeField": "a date",
    "CustomGuidField": "a GUID",
}


def judged(config: AcumaticaConfig, schema: Schema, needs: Needs) -> tuple[Seen, ...]:
    """Return what there is to say of each place that the configuration names in one entity."""
    return tuple(_field(schema, about, where, needs) for about, where in _configured(config, schema.entity))


def _configured(config: AcumaticaConfig, entity: str) -> Iterator[tuple[str, OptIn | None]]:
    """Yield where the configuration keeps what, of one entity."""
    match entity:
        case "Contact":
            yield "opt-in", config.contact_opt_in
            if config.connection_type is not None:
                yield "connection type", config.connection_type
            for name, where in config.contact_attributes.items():
                yield f"attribute {name!r}", where
            yield "reference of contacts", config.contact_reference
        case "Customer":
            yield "reference of customers", config.customer_reference
        case _:
            yield "reference of locations", config.location_reference


def _field(schema: Schema, about: str, where: OptIn | None, needs: Needs) -> Seen:
    match where:
        case None:
            return note("no field is configured; commerce reference IDs are kept in the sync log only", about=about)
        case Everyone():
            return note("everyone: each contact of a customer that takes part is opted in", about=about)
        case PlainField(name):
            return _plain(schema, about, name, needs)
        case UserField(view, name):
            return _custom(schema, about, view, name, needs)
        case AttributeRow(name):
            way_out = f"see that the class of the records has the attribute {name!r}"
            return note(f"{where} is read from the attributes' rows, which no schema lists", way_out, about)
        case SiteRows(detail=detail):
            if detail in schema.plain:
                return good(f"{detail} is there, with a row for each site", about)
            way_out = _nearest(detail, schema.plain, "its fields")
            return wrong(f"{schema.entity} has no rows {detail!r} in this endpoint", way_out, about)
        case _:
            assert_never(where)


def _plain(schema: Schema, about: str, name: str, needs: Needs) -> Seen:
    if name not in schema.plain:
        if views := schema.views_of(name):  # written without its view
            return _custom(schema, about, views[0], name, needs)
        way_out = _nearest(name, schema.plain, "its fields")
        return wrong(f"{schema.entity} has no field {name!r} in this version of the endpoint", way_out, about)
    if name == "ExtRefNbr" and about.startswith("reference") and needs.reference_length > _EXT_REF_NBR:
        said = f"ExtRefNbr holds {_EXT_REF_NBR} characters, fewer than reference_length = {needs.reference_length}"
        return wrong(said, f"set reference_length to {_EXT_REF_NBR} in the policy", about)
    return good(f"{name} is there", about)


def _custom(schema: Schema, about: str, view: str, name: str, needs: Needs) -> Seen:
    kind = schema.custom.get(view, {}).get(name)
    if kind is None:
        return _missing(schema, about, view, name)
    reference = about.startswith("reference")
    wanted = _TEXTS if reference else _KINDS.get(about)
    word = _WORDS.get(kind, kind)
    if wanted and kind not in wanted:
        way_out = f"name a field that is {' or '.join(sorted(_WORDS[kind] for kind in wanted))}"
        return wrong(f"{view}.{name} is {word}", way_out, about)
    # a length is told by no answer of this API
    length = f"; it has to hold {needs.reference_length} characters (reference_length)" if reference else ""
    return good(f"{view}.{name} is there: {word}{length}", about)


def _missing(schema: Schema, about: str, view: str, name: str) -> Seen:
    if elsewhere := schema.views_of(name):
        said = f"{name} is not in view {view}, but in {' and '.join(elsewhere)}"
        return wrong(said, f"write '{elsewhere[0]}.{name}'", about)
    known = (f"{view}.{name}" for view, fields in schema.custom.items() for name in fields)
    way_out = _nearest(f"{view}.{name}", known, "the tenant's custom fields")
    return wrong(f"the tenant has no field '{view}.{name}' here", way_out, about)


def _nearest(name: str, known: Iterable[str], what: str) -> str:
    there = sorted(known)
    near = get_close_matches(name, there, n=3, cutoff=0.5) or there[:5]
    if not near:
        return "publish the customization that adds it, or see that its form shows it to this user"
    return f"name one of {what}, nearest: {', '.join(near)}"
