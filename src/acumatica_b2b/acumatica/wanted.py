"""Customers that changed, read by groups of ids, or by ranges where many of them stand close together."""

from collections.abc import Sequence

from attrs import frozen

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.listing import Listing, listed, page
from acumatica_b2b.acumatica.queries import Shape
from acumatica_b2b.acumatica.reading import Wave
from acumatica_b2b.acumatica.rows import Row
from acumatica_b2b.flow import Flow, together


@frozen(kw_only=True)
class Wanted:
    """Ids of customers, in order; of the bare ones, in lower case, nothing but contacts changed."""

    ids: tuple[str, ...]
    bare: frozenset[str] = frozenset()

    def is_bare(self, customer: str) -> bool:
        """Tell whether the locations of a customer need not be read."""
        return customer.casefold() in self.bare

    def located(self, ids: Sequence[str]) -> list[str]:
        """Return those of some customers whose locations are read."""
        return [one for one in ids if not self.is_bare(one)]


@frozen(kw_only=True)
class Read:
    """Customers that were read, and the ids that are to be read yet."""

    wave: Wave
    later: tuple[str, ...] = ()


def read_wanted(config: AcumaticaConfig, wanted: Wanted) -> Flow[Read]:
    """Return a wave of wanted customers: by their range where that takes fewer requests than by groups of ids."""
    if config.ranges and _is_many(config, wanted.ids) and (found := (yield from _by_range(config, wanted))):
        return found
    now, later = wanted.ids[: config.wave], wanted.ids[config.wave :]
    return Read(wave=(yield from _by_groups(config, now, wanted.located(now))), later=later)


def _is_many(config: AcumaticaConfig, customers: Sequence[object]) -> bool:
    """Tell whether groups take more requests than a range does; the one for the range's customers is spent anyway."""
    return len(customers) > 2 * config.group


# ------------------------------------------------------------------ by groups
def _by_groups(config: AcumaticaConfig, ids: Sequence[str], located: Sequence[str]) -> Flow[Wave]:
    customers, contacts, locations = yield from together(
        (
            _grouped(config, queries.customers(config), "CustomerID", ids),
            _grouped(config, queries.contacts(config), "BusinessAccount", ids),
            _grouped(config, queries.locations(config), "Customer", located),
        )
    )
    return _wave(customers.rows, contacts, locations)


@frozen
class _Rows:
    rows: tuple[Row, ...]
    proven: bool


def _wave(customers: tuple[Row, ...], contacts: _Rows, locations: _Rows) -> Wave:
    proven = contacts.proven and locations.proven
    return Wave(customers=customers, contacts=contacts.rows, locations=locations.rows, proven=proven)


def _grouped(config: AcumaticaConfig, shape: Shape, field: str, ids: Sequence[str]) -> Flow[_Rows]:
    groups = queries.groups(config, field, ids)
    listings = yield from together(listed(config, shape, queries.any_of(field, each), config.page) for each in groups)
    rows = tuple(row for listing in listings for row in listing.rows.values())
    return _Rows(rows, all(listing.proven for listing in listings))


# ------------------------------------------------------------------ by ranges
def _by_range(config: AcumaticaConfig, wanted: Wanted) -> Flow[Read | None]:
    """Return those of a page of all customers that are wanted; None where they are too few of it."""
    behind = queries.bound(("CustomerID",), (wanted.ids[0],), "ge")
    listing: Listing = yield from page(config, queries.customers(config), behind, None, config.wave)
    named = {one.casefold() for one in wanted.ids}
    there = [row.text("CustomerID") for row in listing.rows.values()]
    hits = [i for i, one in enumerate(there) if one.casefold() in named]
    if not listing.proven or not _is_many(config, hits) or 3 * len(hits) < hits[-1] + 1 - hits[0]:
        return None
    # the server's own order says what lies between two ids, and ours may be another
    rows = [row for row in listing.rows.values() if row.text("CustomerID").casefold() in named]
    ids = [row.text("CustomerID") for row in rows]
    contacts, locations = yield from together(
        (
            _ranged(config, queries.contacts(config), "BusinessAccount", ids),
            _ranged(config, queries.locations(config), "Customer", wanted.located(ids)),
        )
    )
    return Read(wave=_wave(tuple(rows), contacts, locations), later=_later(wanted, ids))


def _later(wanted: Wanted, read: Sequence[str]) -> tuple[str, ...]:
    """Return who is to be read yet; last who should have been there, and goes by another name or is gone."""
    known = {one.casefold() for one in read}
    rest = [one for one in wanted.ids if one.casefold() not in known]
    return tuple(sorted(rest, key=lambda one: (one <= read[-1], one)))


def _ranged(config: AcumaticaConfig, shape: Shape, field: str, ids: Sequence[str]) -> Flow[_Rows]:
    """Return what belongs to customers, and to those between them; of a few by their ids."""
    if len(ids) <= config.group:
        return (yield from _grouped(config, shape, field, ids))
    listing = yield from listed(config, shape, queries.between(field, ids[0], ids[-1]), config.page)
    return _Rows(tuple(listing.rows.values()), listing.proven)
