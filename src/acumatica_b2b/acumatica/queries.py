"""What is asked of each entity, and the filters that ask for some of its rows.

The filters speak the API's dialect, OData 3: texts in single quotes, numbers bare, moments as
`datetimeoffset'…'`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from attrs import evolve, frozen

from acumatica_b2b.acumatica.config import (
    AcumaticaConfig,
    AttributeRow,
    Everyone,
    OptIn,
    PlainField,
    SiteRows,
    UserField,
)
from acumatica_b2b.http import Headers, Request, at

Key: TypeAlias = tuple[str | int, ...]
HEADERS: Headers = (("Accept", "application/json"),)
FILTER_LENGTH: Final = 1200
"""How long an encoded list of ids in a filter may be: IIS takes 2,048 characters of query in all."""
POSTAL = ("AddressLine1", "AddressLine2", "City", "State", "PostalCode", "Country")


@frozen(kw_only=True)
class Shape:
    """An entity with its key fields, and what of it is asked for."""

    entity: str
    keys: tuple[str, ...]
    select: tuple[str, ...]
    expand: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()
    otherwise: "Shape | None" = None
    """What tells the same to whom a list with this shape is refused."""

    def only_keys(self) -> "Shape":
        """Return the same entity with nothing but its key fields, which any list can export."""
        return evolve(self, select=self.keys, expand=(), custom=(), otherwise=None)

    def reading(self, *sources: OptIn | None) -> "Shape":
        """Return the shape with fields that the configuration names."""
        asked = [_asked(where) for where in sources]
        return evolve(
            self,
            select=_distinct(self.select, *(select for select, _, _ in asked)),
            expand=_distinct(self.expand, *(expand for _, expand, _ in asked)),
            custom=_distinct(self.custom, *(custom for _, _, custom in asked)),
            otherwise=self.otherwise and self.otherwise.reading(*sources),
        )

    def options(self) -> dict[str, str]:
        """Return the query options that ask for exactly this."""
        lists = {"$select": self.select, "$expand": self.expand, "$custom": self.custom}
        return {name: ",".join(values) for name, values in lists.items() if values}


Paths: TypeAlias = tuple[str, ...]


def _asked(where: OptIn | None) -> tuple[Paths, Paths, Paths]:
    """Return what `$select`, `$expand` and `$custom` need for a configured place."""
    match where:
        case None | Everyone():
            return (), (), ()
        case PlainField(name):
            return (name,), (), ()
        case UserField():
            return (), (), (str(where),)
        case AttributeRow():
            return ("Attributes/AttributeID", "Attributes/Value"), ("Attributes",), ()
        case SiteRows(detail):
            return tuple(f"{detail}/{name}" for name in where.fields), (detail,), ()
        case _:
            assert_never(where)


def _distinct(*several: Paths) -> Paths:
    return tuple(dict.fromkeys(name for names in several for name in names))


# ------------------------------------------------------------------ shapes
CUSTOMER_KEYS = Shape(entity="Customer", keys=("CustomerID",), select=("CustomerID", "LastModifiedDateTime"))
CONTACT_KEYS = Shape(
    entity="Contact", keys=("ContactID",), select=("ContactID", "BusinessAccount", "LastModifiedDateTime")
)
LOCATION_KEYS = Shape(
    entity="CustomerLocation",
    keys=("Customer", "LocationID"),
    select=("Customer", "LocationID", "LastModifiedDateTime"),
)


def _nested(entity: str, *fields: str) -> tuple[str, ...]:
    return (*(f"{entity}/{name}" for name in fields), *(f"{entity}/Address/{name}" for name in POSTAL))


def contacts(config: AcumaticaConfig) -> Shape:
    """Return what is read of a contact."""
    names = ("NoteID", "Active", "FirstName", "LastName", "Email", "Phone1", "Phone2", "Phone3", "JobTitle")
    shape = evolve(CONTACT_KEYS, select=(*CONTACT_KEYS.select, *names))
    return shape.reading(*contact_sources(config))


def contact_sources(config: AcumaticaConfig) -> tuple[OptIn | None, ...]:
    """Return the places that the configuration names for contacts."""
    attributes = config.contact_attributes.values()
    return (config.contact_opt_in, config.connection_type, config.contact_reference, *attributes)


def marks(config: AcumaticaConfig) -> Shape:
    """Return what is read of a customer to know its primary contact."""
    return _with_mark(config, CUSTOMER_KEYS.only_keys())


def _with_mark(config: AcumaticaConfig, shape: Shape) -> Shape:
    """Return the shape with the primary contact: by its own field, else by the linked one."""
    linked = evolve(shape, select=(*shape.select, "PrimaryContact/ContactID"), expand=("PrimaryContact", *shape.expand))
    if not config.since(23, 200):
        return linked
    return evolve(shape, select=(*shape.select, "PrimaryContactID"), otherwise=linked)


def customers(config: AcumaticaConfig) -> Shape:
    """Return what is read of a customer."""
    shape = evolve(
        CUSTOMER_KEYS,
        select=(
            *(*CUSTOMER_KEYS.select, "CustomerName", "CustomerClass", "Status"),
            *(("NoteID", "IsGuestCustomer") if config.since(22, 200) else ()),
            *(("Email", "CustomerCategory") if config.since(23, 200) else ()),
            *_nested("MainContact", "Email", "Phone1", "Phone2"),
        ),
        expand=("MainContact", "MainContact/Address"),
    )
    return _with_mark(config, shape).reading(config.customer_reference)


def locations(config: AcumaticaConfig) -> Shape:
    """Return what is read of a customer location."""
    added = (
        *(("NoteID",) if config.since(22, 200) else ()),
        *(("Default",) if config.since(23, 200) else ()),
    )
    nested = _nested("LocationContact", "FirstName", "LastName", "Phone1")
    shape = evolve(
        LOCATION_KEYS,
        select=(*LOCATION_KEYS.select, "LocationName", "Active", *added, *nested),
        expand=("LocationContact", "LocationContact/Address"),
    )
    return shape.reading(config.location_reference)


# ------------------------------------------------------------------ filters
def literal(value: str | int) -> str:
    """Return a value as the filter dialect writes it.

    >>> literal("O'HARA"), literal(7)
    ("'O''HARA'", '7')
    """
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def any_of(field: str, values: Sequence[str]) -> str:
    """Return a filter for the rows whose field is one of some values."""
    return " or ".join(f"{field} eq {literal(value)}" for value in values)


def between(field: str, first: str, last: str) -> str:
    """Return a filter for a range of values, both ends included."""
    return f"{field} ge {literal(first)} and {field} le {literal(last)}"


def bound(keys: Sequence[str], key: Key, sign: str) -> str:
    """Return a filter for the rows on one side of a key, in the order of the keys; `sign` is gt, ge, lt or le.

    >>> bound(("Customer", "LocationID"), ("C1", "MAIN"), "ge")
    "Customer gt 'C1' or (Customer eq 'C1' and LocationID ge 'MAIN')"
    """
    (name, *names), (value, *values) = keys, key
    if not names:
        return f"{name} {sign} {literal(value)}"
    rest = bound(names, tuple(values), sign)
    return f"{name} {sign[0]}t {literal(value)} or ({name} eq {literal(value)} and {rest})"


def groups(config: AcumaticaConfig, field: str, ids: Sequence[str]) -> list[list[str]]:
    """Return ids in groups, each of which fits into one filter."""
    found: list[list[str]] = [[]]
    room = FILTER_LENGTH
    for one in ids:
        length = len(quote(f"{any_of(field, [one])} or "))
        if found[-1] and (len(found[-1]) == config.group or length > room):
            found.append([])
            room = FILTER_LENGTH
        found[-1].append(one)
        room -= length
    return [group for group in found if group]


def modified_since(moment: datetime) -> str:
    """Return a filter for what was written at a moment or later.

    With `ge`, because the database keeps three-hundredths of a second only.
    """
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"LastModifiedDateTime ge datetimeoffset'{text}'"


def all_of(*filters: str) -> str:
    """Return a filter for the rows that fit all of some filters; "" fits every row."""
    told = [text for text in filters if text]
    if len(told) < 2:
        return "".join(told)
    return " and ".join(f"({text})" if " or " in text else text for text in told)


# ------------------------------------------------------------------ requests
def listing(config: AcumaticaConfig, shape: Shape, where: str, top: int) -> Request:
    """Return the request for the first `top` rows that fit a filter."""
    query = ({"$filter": where} if where else {}) | {"$top": str(top)} | shape.options()
    return _get(config, shape, (), query)


def single(config: AcumaticaConfig, shape: Shape, address: Sequence[str]) -> Request:
    """Return the request for one row, by its keys or its id."""
    return _get(config, shape, address, shape.options())


def _get(config: AcumaticaConfig, shape: Shape, address: Sequence[str], query: dict[str, str]) -> Request:
    url = at(config.url, "entity", config.endpoint, config.version, shape.entity, *address, query=query)
    return Request(method="GET", url=url, headers=HEADERS, deadline=config.read_deadline)
