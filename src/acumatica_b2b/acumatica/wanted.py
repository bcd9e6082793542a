"""Customers that changed, read by groups of ids, or by ranges where many of them stand close together."""

from collections.abc import Sequence

from attrs import frozen

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.kept import Keeping, Kept, keeping
from acumatica_b2b.acumatica.listing import listed, page
from acumatica_b2b.acumatica.reading import Wave
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
    keep = keeping(config)
    customers, contacts, locations = yield from together(
        (
            _grouped(config, keep.customers, ids),
            _grouped(config, keep.contacts, ids),
            _grouped(config, keep.locations, located),
        )
    )
    return _wave(customers.rows, contacts, locations)


@frozen
class _Rows:
    rows: tuple[Kept, ...]
    proven: bool


def _wave(customers: tuple[Kept, ...], contacts: _Rows, locations: _Rows) -> Wave:
    proven = contacts.proven and locations.proven
    return Wave(customers=customers, contacts=contacts.rows, locations=locations.rows, proven=proven)


def _grouped(config: AcumaticaConfig, keep: Keeping, ids: Sequence[str]) -> Flow[_Rows]:
    filters = [queries.any_of(keep.owner, each) for each in queries.groups(config, keep.owner, ids)]
    listings = yield from together(listed(config, keep.shape, where, config.page, keep) for where in filters)
    # an id in two spellings may stand in two groups
    rows = {key: row for listing in listings for key, row in listing.rows.items()}
    return _Rows(tuple(rows.values()), all(listing.proven for listing in listings))


# ------------------------------------------------------------------ by ranges
def _by_range(config: AcumaticaConfig, wanted: Wanted) -> Flow[Read | None]:
    """Return those of a page of all customers that are wanted; None where they are too few of it."""
    keep, behind = keeping(config), queries.bound(("CustomerID",), (wanted.ids[0],), "ge")
    listing = yield from page(config, keep.customers.shape, behind, None, config.wave, keep.customers)
    named = {one.casefold() for one in wanted.ids}
    there = [row.owner for row in listing.rows.values()]
    hits = [i for i, one in enumerate(there) if one.casefold() in named]
    if not listing.proven or not _is_many(config, hits) or 3 * len(hits) < hits[-1] + 1 - hits[0]:
        return None
    # the server's own order says what lies between two ids, and ours may be another
    rows = [row for row in listing.rows.values() if row.owner.casefold() in named]
    ids = [row.owner for row in rows]
    contacts, locations = yield from together(
        (
            _ranged(config, keep.contacts, ids),
            _ranged(config, keep.locations, wanted.located(ids)),
        )
    )
    return Read(wave=_wave(tuple(rows), contacts, locations), later=_later(wanted, ids))


def _later(wanted: Wanted, read: Sequence[str]) -> tuple[str, ...]:
    """Return who is to be read yet; last who should have been there, and goes by another name or is gone."""
    there, known = frozenset(read), {one.casefold() for one in read}
    # a database may tell case apart: beside one read as it is spelled, another spelling may be another customer
    twins = {one.casefold() for one in wanted.ids if one in there}
    left = [one for one in wanted.ids if one not in there]
    rest = [one for one in left if (key := one.casefold()) not in known or key in twins]
    return tuple(sorted(rest, key=lambda one: (one <= read[-1], one)))


def _ranged(config: AcumaticaConfig, keep: Keeping, ids: Sequence[str]) -> Flow[_Rows]:
    """Return what belongs to customers, and to those between them; of a few by their ids."""
    if len(ids) <= config.group:
        return (yield from _grouped(config, keep, ids))
    listing = yield from listed(config, keep.shape, queries.between(keep.owner, ids[0], ids[-1]), config.page, keep)
    return _Rows(tuple(listing.rows.values()), listing.proven)
