"""What is asked of each entity, and the filters that ask for some of its rows.

The filters speak the API's dialect, OData 3: texts in single quotes, numbers bare, moments as
`datetimeoffset'…'`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from attrs import evolve, frozen

from acumatica_b2b.acumatica.config import AcumaticaConfig, Everyone, OptIn, PlainField, UserField
from acumatica_b2b.http import Headers, Request, at

Key: TypeAlias = tuple[str | int, ...]
HEADERS: Headers = (("Accept", "application/json"),)
POSTAL = ("AddressLine1", "AddressLine2", "City", "State", "PostalCode", "Country")


@frozen(kw_only=True)
class Shape:
    """An entity with its key fields, and what of it is asked for."""

    entity: str
    keys: tuple[str, ...]
    select: tuple[str, ...]
    expand: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()

    def only_keys(self) -> "Shape":
        """Return the same entity with nothing but its key fields, which any list can export."""
        return evolve(self, select=self.keys, expand=(), custom=())

    def reading(self, *sources: OptIn | None) -> "Shape":
        """Return the shape with fields that the configuration names."""
        plain = tuple(where.name for where in sources if isinstance(where, PlainField))
        custom = tuple(str(where) for where in sources if isinstance(where, UserField))
        return evolve(
            self,
            select=tuple(dict.fromkeys((*self.select, *plain))),
            custom=tuple(dict.fromkeys((*self.custom, *custom))),
        )

    def options(self) -> dict[str, str]:
        """Return the query options that ask for exactly this."""
        lists = {"$select": self.select, "$expand": self.expand, "$custom": self.custom}
        return {name: ",".join(values) for name, values in lists.items() if values}


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
    opt_in = None if isinstance(config.contact_opt_in, Everyone) else config.contact_opt_in
    return shape.reading(opt_in, config.connection_type, config.contact_reference, *config.contact_attributes.values())


def marks(config: AcumaticaConfig) -> Shape:
    """Return what is read of a customer to know its primary contact."""
    if config.since(23, 200):
        return evolve(CUSTOMER_KEYS, select=("CustomerID", "PrimaryContactID"))
    return evolve(CUSTOMER_KEYS, select=("CustomerID", "PrimaryContact/ContactID"), expand=("PrimaryContact",))


def customers(config: AcumaticaConfig) -> Shape:
    """Return what is read of a customer."""
    mark = marks(config)
    added = (
        *(("NoteID", "IsGuestCustomer") if config.since(22, 200) else ()),
        *(("Email", "CustomerCategory") if config.since(23, 200) else ()),
    )
    shape = evolve(
        mark,
        select=(
            *mark.select,
            *("CustomerName", "CustomerClass", "Status", "LastModifiedDateTime"),
            *added,
            *_nested("MainContact", "Email", "Phone1", "Phone2"),
        ),
        expand=(*mark.expand, "MainContact", "MainContact/Address"),
    )
    return shape.reading(config.customer_reference)


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


def behind(keys: Sequence[str], key: Key) -> str:
    """Return a filter for the rows behind a key, in the order of the keys.

    >>> behind(("Customer", "LocationID"), ("C1", "MAIN"))
    "Customer gt 'C1' or (Customer eq 'C1' and LocationID gt 'MAIN')"
    """
    (name, *names), (value, *values) = keys, key
    greater = f"{name} gt {literal(value)}"
    return f"{greater} or ({name} eq {literal(value)} and {behind(names, tuple(values))})" if names else greater


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
