"""Rows of the contract-based REST API as records, decoded strictly: a wrong type is an error with its path.

`{}`, `{"value": null}` and an absent ordinary field are empty. A field that the configuration names
and whose key is absent is UNSET.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, assert_never, cast

from attrs import field, frozen

from acumatica_b2b.acumatica.config import AcumaticaConfig, Everyone, PlainField, Source, UserField
from acumatica_b2b.acumatica.queries import Key, Shape
from acumatica_b2b.codec import decode
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Response
from acumatica_b2b.model import (
    UNSET,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    MaybeUnset,
    NoteID,
    PostalAddress,
    SiteAssociation,
)

T = TypeVar("T")


@frozen
class Row:
    """One row, with the path that leads to it."""

    data: Mapping[str, Any] = field(repr=False)
    path: str

    def text(self, name: str) -> str:
        """Return a text without the blanks around it; empty: ""."""
        return (self._typed(name, str) or "").strip()

    def number(self, name: str) -> int | None:
        """Return a whole number; empty: None."""
        return self._typed(name, int)

    def flag(self, name: str, *, empty: bool) -> bool:
        """Return yes or no, or what an empty field stands for."""
        found = self._typed(name, bool)
        return empty if found is None else found

    def moment(self, name: str) -> datetime | None:
        """Return a moment with its zone; empty: None."""
        found = _value(self.data.get(name), f"{self.path}.{name}")
        if found is None:
            return None
        try:
            return decode(found, datetime)
        except DecodeError as error:
            raise DecodeError(str(error.args[0]), f"{self.path}.{name}") from None

    def linked(self, name: str) -> "Row":
        """Return a linked entity; one that is not there is a row of empty fields."""
        return Row(_mapping(self.data.get(name), f"{self.path}.{name}"), f"{self.path}.{name}")

    def at(self, source: Source) -> object:
        """Return what is kept where the configuration says; empty: None; no such key: UNSET."""
        match source:
            case PlainField(name):
                fields, path = self.data, f"{self.path}.{name}"
            case UserField(view, name):
                path = f"{self.path}.custom.{source}"
                custom = _mapping(self.data.get("custom"), f"{self.path}.custom")
                fields = _mapping(custom.get(view), f"{self.path}.custom.{view}")
            case _:
                assert_never(source)
        return _value(fields[name], path) if name in fields else UNSET

    def note_id(self) -> NoteID:
        """Return the record's lasting id: `NoteID`, which is `id` where the version has no such field."""
        plain = self.data.get("id")
        found = self.text("NoteID") or (plain if isinstance(plain, str) else "")
        if not found:
            message = "neither NoteID nor id came"
            raise DecodeError(message, self.path)
        return NoteID(found.lower())

    def _typed(self, name: str, kind: type[T]) -> T | None:
        found = _value(self.data.get(name), f"{self.path}.{name}")
        if found is None or type(found) is kind:
            return found
        message = f"expected {kind.__name__}, not {type(found).__name__}"
        raise DecodeError(message, f"{self.path}.{name}.value")


def _mapping(data: object, path: str) -> Mapping[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        message = f"expected an object, not {type(data).__name__}"
        raise DecodeError(message, path)
    return cast("dict[str, Any]", data)


def _value(cell: object, path: str) -> Any:
    return _mapping(cell, path).get("value")


def row_of(data: object, shape: Shape) -> Row:
    """Return one parsed row of an entity, its path naming the record by its keys."""
    row = _mapping(data or None, shape.entity)
    keys = (_value(row.get(name), f"{shape.entity}.{name}") for name in shape.keys)
    return Row(row, f"{shape.entity}[{','.join('?' if key is None else str(key).strip() for key in keys)}]")


def rows_of(response: Response, shape: Shape) -> tuple[Row, ...]:
    """Return the rows of a list."""
    data = response.json()
    if not isinstance(data, list):
        message = f"expected a list, not {type(data).__name__}"
        raise DecodeError(message, shape.entity)
    return tuple(row_of(item, shape) for item in cast("list[object]", data))


def key_of(row: Row, shape: Shape) -> Key:
    """Return the key fields of a row."""
    key = tuple(row.number(name) if name == "ContactID" else row.text(name) for name in shape.keys)
    full = tuple(part for part in key if part is not None and part != "")
    if len(full) < len(key):
        message = f"a row came without its key {', '.join(shape.keys)}"
        raise DecodeError(message, row.path)
    return full


def newest(rows: Iterable[Row]) -> datetime | None:
    """Return the latest stamp of some rows."""
    stamps = (row.moment("LastModifiedDateTime") for row in rows)
    return max((stamp for stamp in stamps if stamp is not None), default=None)


# ------------------------------------------------------------------ records
def reference_at(row: Row, source: Source | None) -> str | MaybeUnset:
    """Return a commerce reference ID; UNSET where no place is configured: then none is written either."""
    return UNSET if source is None else text_at(row, source)


def text_at(row: Row, source: Source | None) -> str | MaybeUnset:
    """Return what is kept at a configured place as a text; no place: ""."""
    if source is None:
        return ""
    match row.at(source):
        case None:
            return ""
        case str(text):
            return text.strip()
        case bool(flag):
            return "true" if flag else "false"
        case int() | float() as number:
            return str(number)
        case found if found is UNSET:
            return UNSET
        case found:
            message = f"expected a plain value, not {type(found).__name__}"
            raise DecodeError(message, f"{row.path}.{source}")


def _enabled(row: Row, config: AcumaticaConfig) -> bool | MaybeUnset:
    if isinstance(config.contact_opt_in, Everyone):
        return True
    text = text_at(row, config.contact_opt_in)
    return text if text is UNSET else text.lower() in {accepted.lower() for accepted in config.enabled_texts} | {"true"}


def _attributes(row: Row, sources: Mapping[str, Source]) -> dict[str, str]:
    found = ((name, text_at(row, where)) for name, where in sources.items())
    return {name: text for name, text in found if text is not UNSET}


def _address(row: Row) -> PostalAddress:
    return PostalAddress(
        line1=row.text("AddressLine1"),
        line2=row.text("AddressLine2"),
        city=row.text("City"),
        state=row.text("State"),
        postal_code=row.text("PostalCode"),
        country=row.text("Country"),
    )


def _phones(row: Row, *names: str) -> tuple[str, ...]:
    return tuple(phone for name in names if (phone := row.text(name)))


def contact(row: Row, config: AcumaticaConfig) -> Contact:
    """Return a contact of its row."""
    account = row.text("BusinessAccount")
    return Contact(
        id=ContactID(str(row.number("ContactID"))),
        note_id=row.note_id(),
        customer=CustomerID(account) if account else None,
        active=row.flag("Active", empty=True),
        first_name=row.text("FirstName"),
        last_name=row.text("LastName"),
        email=row.text("Email"),
        phones=_phones(row, "Phone1", "Phone2", "Phone3"),
        job_title=row.text("JobTitle"),
        association=SiteAssociation(
            enabled=_enabled(row, config), connection_type=text_at(row, config.connection_type)
        ),
        reference=reference_at(row, config.contact_reference),
        modified=row.moment("LastModifiedDateTime"),
        attributes=_attributes(row, config.contact_attributes),
    )


def location(row: Row, config: AcumaticaConfig) -> Location:
    """Return a customer location of its row; `default` is False where the version does not tell."""
    person = row.linked("LocationContact")
    return Location(
        id=LocationID(row.text("LocationID")),
        note_id=row.note_id(),
        name=row.text("LocationName"),
        active=row.flag("Active", empty=True),
        default=row.flag("Default", empty=False),
        first_name=person.text("FirstName"),
        last_name=person.text("LastName"),
        phone=person.text("Phone1"),
        address=_address(person.linked("Address")),
        reference=reference_at(row, config.location_reference),
        modified=row.moment("LastModifiedDateTime"),
    )


def primary_contact(row: Row) -> ContactID | None:
    """Return the contact that a customer names as its primary one."""
    found = row.number("PrimaryContactID") or row.linked("PrimaryContact").number("ContactID")
    # A customer without one may show a contact that was never saved; those count down from zero.
    return ContactID(str(found)) if found is not None and found > 0 else None


def marked(row: Row) -> Customer:
    """Return nothing of a customer but its id and primary contact."""
    return Customer(
        id=CustomerID(row.text("CustomerID")),
        note_id=row.note_id(),
        name="",
        primary_contact=primary_contact(row),
        complete=False,
    )


def customer(
    row: Row, config: AcumaticaConfig, contacts: tuple[Contact, ...], locations: tuple[Location, ...], *, complete: bool
) -> Customer:
    """Return a customer of its row, with contacts and locations."""
    main = row.linked("MainContact")
    return Customer(
        id=CustomerID(row.text("CustomerID")),
        note_id=row.note_id(),
        name=row.text("CustomerName"),
        customer_class=row.text("CustomerClass"),
        status=row.text("Status"),
        category=row.text("CustomerCategory"),
        guest=row.flag("IsGuestCustomer", empty=False),
        email=row.text("Email") or main.text("Email"),
        phones=_phones(main, "Phone1", "Phone2"),
        address=_address(main.linked("Address")),
        primary_contact=primary_contact(row),
        contacts=contacts,
        locations=locations,
        complete=complete,
        reference=reference_at(row, config.customer_reference),
        modified=row.moment("LastModifiedDateTime"),
    )
