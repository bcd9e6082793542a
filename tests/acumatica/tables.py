"""Rows that are listed as a database would: filtered and ordered by its own collation."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field

from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import Customer
from acumatica_b2b.protocols import Cursor, Page, Query
from tests.acumatica.conftest import NO_ENTITY, Driver, Script, answer, entity, fault, query, row

STAMP = "2023-12-14T02:00:00+00:00"
OPTIMIZE = fault("PX.Api.ContractBased.OptimizedExport.CannotOptimizeException", "Optimization cannot be performed.")
KEYS: Final = {"Customer": ["CustomerID"], "Contact": ["ContactID"], "CustomerLocation": ["Customer", "LocationID"]}


def guid(n: int) -> str:
    """Return an id."""
    return f"00000000-0000-0000-0000-{n:012}"


def a_customer(key: str, primary: int | None = None, stamp: str = STAMP, **fields: Any) -> dict[str, Any]:
    """Return a customer's row."""
    told = {"CustomerID": key, "CustomerName": key.title(), "Status": "Active", "PrimaryContactID": primary}
    return row(**(told | {"LastModifiedDateTime": stamp} | fields))


def a_contact(key: int, customer: str | None, stamp: str = STAMP, **fields: Any) -> dict[str, Any]:
    """Return a contact's row."""
    told = {"ContactID": key, "NoteID": guid(key), "BusinessAccount": customer, "Active": True}
    return row(**(told | {"LastModifiedDateTime": stamp} | fields))


def a_location(customer: str, key: str, stamp: str = STAMP) -> dict[str, Any]:
    """Return a location's row."""
    return row(Customer=customer, LocationID=key, NoteID=guid(9), Active=True, LastModifiedDateTime=stamp)


def as_written(text: str) -> Any:
    """Order texts as Python does."""
    return text


@define(eq=False)
class Cell:
    """A text that compares as the database compares it."""

    text: str
    collate: Callable[[str], Any]

    def __eq__(self, other: object) -> bool:
        return bool(self.collate(self.text) == self.collate(str(other)))

    def __hash__(self) -> int:
        return hash(self.collate(self.text))

    def __lt__(self, other: str) -> bool:
        return bool(self.collate(self.text) < self.collate(other))

    def __gt__(self, other: str) -> bool:
        return bool(self.collate(self.text) > self.collate(other))

    def __le__(self, other: str) -> bool:
        return not self > other

    def __ge__(self, other: str) -> bool:
        return not self < other


@define
class Tables:
    """Rows of each entity, of which a filter chooses; `in_order` off: they are listed as they stand."""

    rows: Mapping[str, list[dict[str, Any]]]
    refused: Callable[[Request], Response | None] = field(default=lambda _: None)
    collate: Callable[[str], Any] = as_written
    in_order: bool = False

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        refusal = self.refused(request)
        if refusal is not None:
            return refusal
        name, *key = entity(request).split("/")
        if key:
            return next((answer(item) for item in self.rows[name] if self.key(item, name) == key), NO_ENTITY)
        options = query(request)
        fits = self.filtered(options.get("$filter", ""))
        chosen = [item for item in self.listed(name) if fits(item)]
        return answer(chosen[: int(options["$top"])])

    def listed(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of an entity, in the order in which they are listed."""
        rows = self.rows[name]
        return sorted(rows, key=lambda item: self.order(item, name)) if self.in_order else rows

    def order(self, item: dict[str, Any], name: str) -> list[Any]:
        """Return by what a row is ordered."""
        values = (item[part]["value"] for part in KEYS[name])
        return [value if isinstance(value, int) else self.collate(value) for value in values]

    @staticmethod
    def key(item: dict[str, Any], name: str) -> list[str]:
        """Return the key of a row."""
        return [str(item[part]["value"]) for part in KEYS[name]]

    def filtered(self, where: str) -> Callable[[dict[str, Any]], bool]:
        """Return what tells whether a row fits a filter."""
        words = {"eq": "==", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "datetimeoffset": ""}
        tokens = re.findall(r"'(?:[^']|'')*'|\w+|\S", where)
        python = " ".join(repr(t[1:-1].replace("''", "'")) if t[0] == "'" else words.get(t, t) for t in tokens)
        code = compile(python or "True", "filter", "eval")
        return lambda item: bool(eval(code, {}, self.values(item)))  # noqa: S307 -- our own filters

    def values(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a row by name."""
        cells = {name: cell.get("value") or "" for name, cell in item.items() if isinstance(cell, dict)}
        return {name: Cell(value, self.collate) if isinstance(value, str) else value for name, value in cells.items()}


def tables(
    customers: list[dict[str, Any]],
    contacts: list[dict[str, Any]] | None = None,
    locations: list[dict[str, Any]] | None = None,
    refused: Callable[[Request], Response | None] = lambda _: None,
) -> Script:
    """Return a script that answers from tables."""
    return Script(
        Tables({"Customer": customers, "Contact": contacts or [], "CustomerLocation": locations or []}, refused)
    )


def pages(driver: Driver, script: Script, what: Query, **settings_: Any) -> list[Page[Customer]]:
    """Return all pages of a reading."""
    found: list[Page[Customer]] = []
    after: Cursor | None = None
    while not found or after:
        found.append(driver.call(script, "read", what, after, **settings_))
        after = found[-1].next
    return found


def whole(found: list[Page[Customer]]) -> dict[str, tuple[list[str], list[str], bool]]:
    """Return of each customer its contacts, its locations, and whether it is complete."""
    return {
        customer.id: (
            [contact.id for contact in customer.contacts],
            [location.id for location in customer.locations],
            customer.complete,
        )
        for page in found
        for customer in page.items
    }


def filters(script: Script, name: str) -> list[str]:
    """Return the filters that lists of an entity were asked with."""
    return [query(request).get("$filter", "") for request in script.asked if entity(request) == name]


WORLD = (
    [a_customer("A", 1), a_customer("B"), a_customer("C", 4)],
    [
        a_contact(1, "A"),
        a_contact(2, "B"),
        a_contact(3, None),
        a_contact(4, "C"),
        a_contact(5, "BX"),
        a_contact(6, "A"),
    ],
    [a_location("A", "EAST"), a_location("A", "MAIN"), a_location("B", "MAIN")],
)
EXPECTED = {
    "A": (["1", "6"], ["EAST", "MAIN"], True),
    "B": (["2"], ["MAIN"], True),
    "C": (["4"], [], True),
}
