"""The three readings: everything, what changed, the primary marks; each page by page.

Cursors and watermarks are JSON, opaque to everyone else. A watermark holds three moments of the
server's own time, one each for customers, contacts and locations.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, assert_never, cast

from attrs import evolve, field, frozen

from acumatica_b2b.acumatica import queries, records
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.kept import keeping
from acumatica_b2b.acumatica.listing import Course, Listing, gathered, page
from acumatica_b2b.acumatica.queries import Shape
from acumatica_b2b.acumatica.reading import (
    Wave,
    around,
    customers_of,
    decoded,
    require_fields,
    sorted_out,
    undecoded_of,
)
from acumatica_b2b.acumatica.rows import Row, as_row, newest
from acumatica_b2b.acumatica.wanted import Read, Wanted, read_wanted
from acumatica_b2b.codec import decode, encode
from acumatica_b2b.errors import ConfigurationError, DecodeError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.model import ContactID, Customer, CustomerID, Undecoded
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, PrimaryMarks, Query, Unreadable, Watermark

T = TypeVar("T")
C = TypeVar("C")

SLACK: Final = 30.0
"""By how many seconds the server's clock may seem to go back without anything being done about it."""


@frozen(kw_only=True)
class Marks:
    """Up to where each kind of record has been read, in the server's time; None: not at all.

    `ahead` says by how many seconds the server's clock was ahead of ours.
    """

    customers: datetime | None = None
    contacts: datetime | None = None
    locations: datetime | None = None
    ahead: float | None = None


@frozen(kw_only=True)
class Place:
    """Where a reading goes on: behind a customer, or with the customers that remain."""

    marks: Marks = field(factory=Marks)
    after: str = ""
    course: Course = field(factory=Course)
    remaining: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    """Those of whom nothing but contacts changed."""
    strays: tuple[str, ...] = ()


def since(moment: datetime) -> Watermark:
    """Return the watermark with which changes are read from a moment on, whatever was read before.

    >>> from datetime import UTC
    >>> ChangedSince(watermark=since(datetime(2026, 5, 1, tzinfo=UTC))).watermark[:42]
    '{"customers":"2026-05-01T00:00:00+00:00","'

    Raises:
        ConfigurationError: the moment has no zone.

    """
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} has no zone; say in which one it is meant"
        raise ConfigurationError(message)
    return Watermark(_written(Marks(customers=moment, contacts=moment, locations=moment)))


def read_undecoded(
    config: AcumaticaConfig, query: Query, cursor: Cursor | None, now: datetime | None = None
) -> Flow[Page[Customer | Undecoded]]:
    """Return the same as `read`; where changes are read, nothing is decoded yet."""
    if not isinstance(query, ChangedSince):
        return (yield from read(config, query, cursor, now))
    place = None if cursor is None else _parsed(cursor, Place, "cursor")
    if place is None:
        place = yield from _changed(config, query, now)
    wanted, found = yield from _wanted(config, place)
    items, unreadable = sorted_out(_as_it_came(one, wanted) for one in undecoded_of(config, found.wave))
    return _page(place, found, items, unreadable)


def _as_it_came(one: Undecoded, wanted: Wanted) -> tuple[CustomerID, Outcome[Customer | Undecoded]]:
    """Return a customer not decoded yet; one whose locations were not read is: nothing stands for all of it."""
    return one.id, _without_locations(decoded(one)) if wanted.is_bare(one.id) else Ok(one)


def read(
    config: AcumaticaConfig, query: Query, cursor: Cursor | None, now: datetime | None = None
) -> Flow[Page[Customer]]:
    """Return one page of a reading, and where it goes on; `now` is our own time, by which the server's is checked.

    Raises:
        ConfigurationError: a configured field came with no record of the page.

    """
    place = None if cursor is None else _parsed(cursor, Place, "cursor")
    match query:
        case Everything():
            return (yield from _everything(config, place, now))
        case ChangedSince():
            if place is None:
                place = yield from _changed(config, query, now)
            return (yield from _remaining(config, place))
        case PrimaryMarks():
            return (yield from _primary_marks(config, place or Place()))
        case _:
            assert_never(query)


def _written(value: Marks | Place) -> str:
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"))


def _parsed(text: str, kind: type[T], name: str) -> T:
    message = f"this {name} was not made by the Acumatica client; read everything to get a new one"
    try:
        data: object = json.loads(text)
        if not isinstance(data, dict):
            raise ConfigurationError(message)
        return decode(cast("object", data), kind)
    except (ValueError, DecodeError):
        raise ConfigurationError(message) from None


# ------------------------------------------------------------------ everything
def _everything(config: AcumaticaConfig, place: Place | None, now: datetime | None) -> Flow[Page[Customer]]:
    after = place.after if place else ""
    course, keep = place.course if place else Course(), keeping(config).customers
    listing = yield from page(config, keep.shape, "", (after,) if after else None, config.wave, keep)
    wave = yield from around(config, listing)
    require_fields(config, wave)
    marks = place.marks if place else _begun(listing, wave, now)
    items, unreadable = sorted_out(customers_of(config, wave).items())
    return Page(
        items=items,
        unreadable=unreadable,
        next=_next(listing, after, course, marks),
        watermark=Watermark(_written(marks)),
    )


def _next(listing: Listing[Any], after: str, course: Course, marks: Marks) -> Cursor | None:
    if listing.stuck:
        message = f"the list of customers behind {after!r} does not move on: it shows that customer again"
        raise DecodeError(message, "Customer")
    if not listing.more or listing.last is None:
        return None
    key = str(listing.last[0])
    return Cursor(_written(Place(marks=marks, after=key, course=course.onward("Customer", key))))


def _begun(listing: Listing[Any], wave: Wave, now: datetime | None) -> Marks:
    """Return the server's time at the first answer; where it tells none, the latest stamps of its rows."""
    asked = listing.asked
    if asked is not None:
        return Marks(customers=asked, contacts=asked, locations=asked, ahead=_ahead(asked, now))
    customers, contacts, locations = (
        newest(one.row() for one in rows) for rows in (wave.customers, wave.contacts, wave.locations)
    )
    return Marks(customers=customers, contacts=contacts, locations=locations)


def _ahead(server: datetime | None, now: datetime | None) -> float | None:
    return None if server is None or now is None else (server - now).total_seconds()


# ------------------------------------------------------------------ primary marks
def _primary_marks(config: AcumaticaConfig, place: Place) -> Flow[Page[Customer]]:
    after = (place.after,) if place.after else None
    listing = yield from page(config, queries.marks(config), "", after, config.keys_page, _marked)
    items, unreadable = sorted_out(listing.rows.values())
    return Page(items=items, unreadable=unreadable, next=_next(listing, place.after, place.course, place.marks))


def _marked(row: Row, _: str) -> tuple[CustomerID, Outcome[Customer]]:
    name = CustomerID(row.text("CustomerID"))
    try:
        return name, Ok(records.marked(row))
    except DecodeError as error:
        return name, Failed(error)


# ------------------------------------------------------------------ changes
@frozen(kw_only=True)
class Stamped:
    """Whose records of one kind changed, and up to where that was read."""

    customers: frozenset[str]
    strays: frozenset[str]
    """Contacts that are no customer's."""
    proven: bool
    asked: datetime | None
    newest: datetime | None

    def mark(self, since: datetime | None) -> datetime | None:
        """Return the next mark; a listing that proves nothing is read again from where it began."""
        if not self.proven:
            return since
        return self.asked or max((mark for mark in (since, self.newest) if mark is not None), default=None)


def _changed(config: AcumaticaConfig, query: ChangedSince, now: datetime | None) -> Flow[Place]:
    """Return the customers that changed, themselves or by a contact or location, and the next marks."""
    since = _parsed(query.watermark, Marks, "watermark")
    found = yield from _all_stamped(config, since, timedelta())
    ahead = _ahead(found[0].asked, now)
    back = 0.0 if ahead is None or since.ahead is None else since.ahead - ahead
    if back > SLACK:
        # The server's clock went back: what was written since then may be stamped as that much older.
        found = yield from _all_stamped(config, since, timedelta(seconds=back))
    customers, contacts, locations = found
    return Place(
        marks=Marks(
            customers=customers.mark(since.customers),
            contacts=contacts.mark(since.contacts),
            locations=locations.mark(since.locations),
            # A mark that stays where it was is to be compared with the clock of then.
            ahead=ahead if all(kind.proven for kind in found) else since.ahead,
        ),
        remaining=tuple(sorted(frozenset[str]().union(*(kind.customers for kind in found)) - {""})),
        bare=() if query.locations else _bare(*found),
        strays=tuple(sorted(contacts.strays)),
    )


def _bare(customers: Stamped, contacts: Stamped, locations: Stamped) -> tuple[str, ...]:
    """Return whose contacts changed, and nothing else of them: a list that proves nothing tells of nobody."""
    if not (customers.proven and locations.proven):
        return ()
    more = {one.casefold() for one in customers.customers | locations.customers}
    return tuple(sorted(one for one in contacts.customers if one and one.casefold() not in more))


def _all_stamped(config: AcumaticaConfig, since: Marks, back: timedelta) -> Flow[tuple[Stamped, ...]]:
    asked = (
        (queries.CUSTOMER_KEYS, "CustomerID", since.customers),
        (queries.CONTACT_KEYS, "BusinessAccount", since.contacts),
        (queries.LOCATION_KEYS, "Customer", since.locations),
    )
    return (yield from together(_stamped(config, shape, name, mark and mark - back) for shape, name, mark in asked))


def _stamped(config: AcumaticaConfig, shape: Shape, owner: str, since: datetime | None) -> Flow[Stamped]:
    # The server tells its time when it answers, which may be that much later than when it looked.
    reach = timedelta(seconds=max(config.overlap, config.read_deadline) + SLACK)
    where = "" if since is None else queries.modified_since(since - reach)

    def add(whole: Stamped | None, listing: Listing[Row]) -> Stamped:
        rows = tuple(listing.rows.values())
        found = Stamped(
            customers=frozenset(row.text(owner) for row in rows),
            strays=frozenset(str(row.number("ContactID")) for row in rows if not row.text(owner)),
            proven=listing.proven,
            asked=listing.asked,
            newest=newest(rows),
        )
        return found if whole is None else _with(whole, found)

    return (yield from gathered(config, shape, where, config.keys_page, as_row, add))


def _with(whole: Stamped, found: Stamped) -> Stamped:
    stamps = [stamp for stamp in (whole.newest, found.newest) if stamp is not None]
    return evolve(
        whole,
        customers=whole.customers | found.customers,
        strays=whole.strays | found.strays,
        proven=whole.proven and found.proven,
        newest=max(stamps, default=None),
    )


def _remaining(config: AcumaticaConfig, place: Place) -> Flow[Page[Customer]]:
    wanted, found = yield from _wanted(config, place)
    outcomes = customers_of(config, found.wave).items()
    items, unreadable = sorted_out(
        (key, _without_locations(outcome) if wanted.is_bare(key) else outcome) for key, outcome in outcomes
    )
    return _page(place, found, items, unreadable)


def _wanted(config: AcumaticaConfig, place: Place) -> Flow[tuple[Wanted, Read]]:
    wanted = Wanted(ids=place.remaining, bare=frozenset(one.casefold() for one in place.bare))
    found = yield from read_wanted(config, wanted)
    require_fields(config, found.wave)
    return wanted, found


def _page(place: Place, found: Read, items: Sequence[C], unreadable: tuple[Unreadable, ...]) -> Page[C]:
    return Page(
        items=tuple(items),
        unreadable=unreadable,
        strays=tuple(ContactID(contact) for contact in place.strays),
        next=Cursor(_written(_behind(place, found.later))) if found.later else None,
        watermark=Watermark(_written(place.marks)),
    )


def _behind(place: Place, later: tuple[str, ...]) -> Place:
    bare = tuple(sorted(frozenset(place.bare).intersection(later)))
    return Place(marks=place.marks, remaining=later, bare=bare)


def _without_locations(outcome: Outcome[Customer]) -> Outcome[Customer]:
    if isinstance(outcome, Failed):
        return outcome
    return Ok(evolve(outcome.value, locations=(), locations_read=False, as_read=""))
