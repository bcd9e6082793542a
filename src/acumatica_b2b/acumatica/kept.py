"""What is kept of a row: its text, and what tells it from other rows, taken while it lies parsed before us.

A parsed row takes seven times the room of its text, and most rows are never looked at again.
"""

import json
import marshal
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig, Source
from acumatica_b2b.acumatica.queries import Shape
from acumatica_b2b.acumatica.records import reference_at
from acumatica_b2b.acumatica.rows import Row
from acumatica_b2b.codec import plain
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.model import UNSET, MaybeUnset

Cells: TypeAlias = Callable[[Any], Any]
"""Gets from a parsed row what records are made of; raises KeyError or TypeError where some of it did not come."""
_FORM: Final = 2
"""Of what marshal writes: the newest one in which equal values are always written alike."""

_LISTS: Final = frozenset({list})


@define  # not frozen, as there is one for each row of a tenant, and frozen ones take twice the time to make
class Kept:
    """One row: whose it is, its text, its cells but for stamp and reference, and its reference.

    No cells: not all of them came, or something is wrong with it. Then nothing can be said without decoding it.
    """

    owner: str
    text: str = field(repr=False)
    shape: Shape = field(repr=False)
    cells: bytes = field(repr=False)
    reference: str | MaybeUnset = field(repr=False)

    def row(self) -> Row:
        """Return the row, parsed."""
        return Row(json.loads(self.text), self.shape)


@frozen
class Keeping:
    """How the rows of one entity are kept; `owner` is the field that says whose they are."""

    shape: Shape
    owner: str
    reference: Source | None
    cells: Cells

    def __call__(self, row: Row, text: str) -> Kept:
        """Return what is kept of a row."""
        data = row.data
        try:
            if self.shape.otherwise and data.get("PrimaryContact"):
                raise KeyError  # noqa: TRY301 -- it came by the other shape, of which these cells show not all
            cells = marshal.dumps(self.cells(data), _FORM)
            stamp = data["LastModifiedDateTime"].get("value")
            if stamp is not None and datetime.fromisoformat(stamp).tzinfo is None:
                raise ValueError  # noqa: TRY301 -- a record with a wrong one can't be decoded
            reference = reference_at(row, self.reference)
        except (AttributeError, DecodeError, KeyError, TypeError, ValueError):
            cells, reference = b"", UNSET
        return Kept(row.text(self.owner), text, self.shape, cells, reference)


@frozen
class Keepings:
    """How customers and what belongs to them are kept under one configuration, which the salt stands for."""

    customers: Keeping
    contacts: Keeping
    locations: Keeping
    salt: bytes

    def as_read(self, customer: Kept, contacts: Sequence[Kept], locations: Sequence[Kept]) -> str:
        """Return 16 hexadecimal digits that stand for a customer with all that belongs to it; "": not known."""
        cells = [customer.cells, *[one.cells for one in contacts], *[one.cells for one in locations]]
        if b"" in cells:
            return ""
        counts = b"%d %d " % (len(contacts), len(locations))
        return blake2b(counts + b"".join(cells), digest_size=8, key=self.salt).hexdigest()


@lru_cache(maxsize=10)
def keeping(config: AcumaticaConfig) -> Keepings:
    """Return how rows are kept that are read as the configuration says."""
    customers = _keeping(queries.customers(config), "CustomerID", config.customer_reference)
    contacts = _keeping(queries.contacts(config), "BusinessAccount", config.contact_reference)
    locations = _keeping(queries.locations(config), "Customer", config.location_reference)
    places = (config.contact_opt_in, config.connection_type, tuple(sorted(config.contact_attributes.items())))
    references = (config.customer_reference, config.contact_reference, config.location_reference)
    meant = (config.enabled_texts, config.sites, config.site_types)
    shapes = (customers.shape, contacts.shape, locations.shape)
    told = repr(plain((places, references, meant, shapes)))
    return Keepings(customers, contacts, locations, blake2b(told.encode(), digest_size=16).digest())


def _keeping(shape: Shape, owner: str, reference: Source | None) -> Keeping:
    without = {str(reference), "LastModifiedDateTime"}
    paths = [path.split("/") for path in shape.select if path not in without]
    custom = [["custom", *name.split(".")] for name in shape.custom if name not in without]
    return Keeping(shape, owner, reference, _getter([["id"], *paths, *custom]))


def _getter(paths: list[list[str]]) -> Cells:
    """Return what gets what stands at these paths; at a list, in each of its items."""
    here = [first for first, *rest in paths if not rest]
    below: dict[str, list[list[str]]] = {}
    for first, *rest in paths:
        if rest:
            below.setdefault(first, []).append(rest)
    inner = [(name, _getter(rests)) for name, rests in below.items()]
    get: Cells = itemgetter(*here) if here else lambda _: ()

    def cells(row: Any) -> Any:
        if type(row) in _LISTS:
            return [cells(item) for item in row]
        return (get(row), *[within(row[name]) for name, within in inner])

    def last(row: Any) -> Any:
        return [get(item) for item in row] if type(row) in _LISTS else get(row)

    if inner:
        ((name, within), *more) = inner
        return cells if more else lambda row: cells(row) if type(row) in _LISTS else (get(row), within(row[name]))
    return last
