"""The newest rows of a list, each read once, however many waves are under way.

A list whose rows stand in the order in which they were made grows at its end, so what was read of it need not be
read again. That users and addresses stand so is recorded, and nowhere documented: each page is looked at, and a list
in another order, or one whose rows moved, is read in full.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Generic

from attrs import frozen

from acumatica_b2b.bigcommerce.api import Api, Listing, R, earlier, in_slices, overlap, page_at, since
from acumatica_b2b.bigcommerce.errors import moment
from acumatica_b2b.bigcommerce.known import Seen, Tail
from acumatica_b2b.bigcommerce.lists import of_companies, of_users
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, PageOf, UserRecord
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.http import Pause

_MOST_ROWS: Final = 10_000
_LOOK_AGAIN: Final = 0.1
"""Seconds after which to ask again whether another worker has read the list to its end."""


def _id(row: Any) -> int:
    number: int = row.id
    return number


def _updated(row: CompanyRecord) -> int:
    return row.updated_at if isinstance(row.updated_at, int) else -row.id  # not in order, as it can't be told


@frozen(kw_only=True, eq=False)
class Growing(Generic[R]):
    """A list that grows at its end; `since` is the parameter that cuts off its beginning."""

    path: str
    page: type[PageOf[R]]
    since: str
    order: Callable[[R], int]
    query: Callable[[Api], Mapping[str, str]]
    ties: int = 0
    """Rows whose order is less than so much before the last one's are read again: they may have changed in place.

    Not so where the last one's is older than the reading: new rows come behind them all.
    """


COMPANIES: Final = Growing(
    path="companies",
    page=PageOf[CompanyRecord],
    since="minModified",
    order=_updated,
    # the one order of change that is documented; with it comes who changes an external id
    query=lambda api: {**of_companies(api), "sortBy": "updatedAt", "orderBy": "ASC"},
    ties=2,
)
USERS: Final = Growing(path="users", page=PageOf[UserRecord], since="minCreated", order=_id, query=of_users)
ADDRESSES: Final = Growing(
    path="addresses", page=PageOf[AddressRecord], since="minCreated", order=_id, query=lambda _: {}
)


def made_since(api: Api, of: Growing[R], stamp: int, turn: int) -> Flow[Listing[R] | None]:
    """Return the rows made since `stamp` and read after `turn`; None where only a full listing can tell."""
    tail = yield from newest(api, of, stamp, next(api.known.turns))
    if tail is None or tail.forgot > turn:
        return None
    rows = tuple(seen.row for seen in tail.rows.values() if seen.turn > turn)
    return Listing(rows=rows, proven=True, read_at=tail.read_at)


def latest(api: Api, wanted: Collection[int], stamp: int) -> Flow[Mapping[int, CompanyRecord]]:
    """Return companies changed since `stamp`, the latest first, until all wanted ones were read; or what there is."""
    query = {**of_companies(api), "sortBy": "updatedAt", "orderBy": "DESC", **since("minModified", stamp)}
    rows: dict[int, CompanyRecord] = {}
    offset, end = 0, 1
    while offset < min(end, _MOST_ROWS) and not rows.keys() >= set(wanted):
        _, page = yield from page_at(api, PageOf[CompanyRecord], ("companies",), query, offset)
        rows |= {row.id: row for row in page.data}
        offset, end = offset + api.config.page_size - overlap(api), page.meta.pagination.total_count
    return rows


def newest(api: Api, of: Growing[R], stamp: int, turn: int) -> Flow[Tail[R] | None]:
    """Return the rows made since `stamp`, and maybe earlier ones, as they were read after `turn`.

    None: the list's order does not tell. Workers read one after another, each from where the one before it stopped.
    """
    while of.path in api.known.being_read:
        yield from ask(Pause(_LOOK_AGAIN))
    tail: Tail[R] | None = api.known.tails.get(of.path)
    if tail is not None and tail.since <= stamp and tail.turn > turn:
        return tail
    api.known.being_read.add(of.path)
    try:
        return (yield from _newest(api, of, stamp, tail))
    finally:
        api.known.being_read.discard(of.path)


def _newest(api: Api, of: Growing[R], stamp: int, tail: Tail[R] | None) -> Flow[Tail[R] | None]:
    if not stamp or of.path in api.known.shuffled:
        return None
    if tail is not None and tail.since <= stamp:
        grown = yield from _grown(api, of, tail if tail.ordered else Tail(since=tail.since))
        if grown is not None:
            return grown
        api.known.tails.pop(of.path, None)
    if of.path in api.known.shuffled:
        return None
    first = min(stamp, *(made.stamp for made in tuple(api.known.made.values())), stamp)
    return (yield from _grown(api, of, Tail(since=first)))


def _grown(api: Api, of: Growing[R], tail: Tail[R]) -> Flow[Tail[R] | None]:
    """Return the tail with what was added to it; None where its rows are not where they were."""
    turn, begin = next(api.known.turns), tail.reached - len(tail.edge)
    read_at, pages = yield from _read_on(api, of, {**of.query(api), **since(of.since, tail.since)}, begin)
    rows = _in_place(pages)
    if rows is None or tuple(row.id for row in rows[: len(tail.edge)]) != tail.edge:
        return None
    several = begin > 0 or len(pages) > 1
    if several and not _ascends(of, rows):
        api.known.shuffled.add(of.path)
    grown = _with(api, of, tail, rows, turn, read_at)
    if several and not grown.ordered:
        return None  # but a single page shows all, whatever its order
    api.known.tails[of.path] = grown
    return grown


def _read_on(
    api: Api, of: Growing[R], query: Mapping[str, str], begin: int
) -> Flow[tuple[int, Sequence[tuple[int, PageOf[R]]]]]:
    """Return when the reading began, and the pages from a place to the end, each with its place."""
    size, shared = api.config.page_size, overlap(api)
    response, page = yield from page_at(api, of.page, (of.path,), query, begin)
    pages, reached, end = [(begin, page)], begin + size, page.meta.pagination.total_count
    while reached < end <= begin + _MOST_ROWS:
        offsets = range(reached - shared, end - shared, size - shared)
        more = yield from in_slices(page_at(api, of.page, (of.path,), query, offset) for offset in offsets)
        pages += [(offset, one) for offset, (_, one) in zip(offsets, more, strict=True)]
        reached, end = offsets[-1] + size, max(end, *(one.meta.pagination.total_count for _, one in more))
    return earlier(api, moment(response)), pages


def _ascends(of: Growing[R], rows: Sequence[R]) -> bool:
    return all(of.order(before) <= of.order(after) for before, after in pairwise(rows))


def _shows_order(api: Api, of: Growing[R], rows: Sequence[Any]) -> bool:
    """Tell whether rows show their list's order: many, and neither the latest made nor the latest changed come first.

    Rows of one second may tie in any order, and an old one that was changed just now is the latest changed.
    """
    if len(rows) <= api.config.page_size or not _ascends(of, rows):
        return False
    return _rises([row.created_at for row in rows]) and _rises([row.updated_at for row in rows])


def _rises(stamps: Sequence[Any]) -> bool:
    """Tell whether some stamp is later than one before it; a list that has none can't be told from its ids."""
    told = [stamp for stamp in stamps if isinstance(stamp, int)]
    return any(before < after for before, after in pairwise(told)) or not told


def _in_place(pages: Sequence[tuple[int, PageOf[R]]]) -> Sequence[R] | None:
    """Return all rows, none of which stood in two places; None where they did not stand still, or some are missing."""
    places: dict[int, R] = {}
    totals = [page.meta.pagination.total_count for _, page in pages]
    for offset, page in pages:
        for place, row in enumerate(page.data, offset):
            if places.setdefault(place, row).id != row.id:
                return None
    begin, rows = pages[0][0], list(places.values())
    all_there = list(places) == list(range(begin, begin + len(rows))) and begin + len(rows) >= totals[0]
    alone = len({row.id for row in rows}) == len(rows)
    return rows if all_there and alone and min(totals) == totals[0] else None


def _with(api: Api, of: Growing[R], tail: Tail[R], rows: Sequence[R], turn: int, read_at: int) -> Tail[R]:
    """Return the tail with its new rows; of too many only the newest."""
    end, known = next(api.known.turns), 0 if of.ties else len(tail.edge)
    there = {**tail.rows, **{row.id: Seen(row, turn, end) for row in rows[known:]}}
    forgot = tail.forgot
    for old in list(there)[:-_MOST_ROWS]:
        dropped = there.pop(old)
        forgot = max(forgot, dropped.turn)
        api.known.made.pop(_company_of(dropped.row), None)
    last = of.order(rows[-1]) if rows else 0
    late = sum(of.order(row) > last - of.ties for row in rows) if last + of.ties > read_at else 0
    return Tail(
        since=tail.since,
        reached=tail.reached - len(tail.edge) + len(rows),
        edge=tuple(row.id for row in rows[-max(late, overlap(api)) :]),
        rows=there,
        turn=turn,
        read_at=read_at,
        forgot=forgot,
        ordered=_ascends(of, rows) if tail.ordered else _shows_order(api, of, rows),
    )


def _company_of(row: Any) -> int:
    return int(row.company_id)
