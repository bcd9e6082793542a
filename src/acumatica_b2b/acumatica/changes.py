"""The three readings: everything, what changed, the primary marks; each page by page.

Cursors and watermarks are JSON, opaque to everyone else. A watermark holds three moments of the
server's own time, one each for customers, contacts and locations.
"""

import json
from datetime import datetime, timedelta
from typing import TypeVar, assert_never, cast

from attrs import field, frozen

from acumatica_b2b.acumatica import queries, records
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.listing import Listing, ascend, listed, page
from acumatica_b2b.acumatica.queries import Shape
from acumatica_b2b.acumatica.reading import Wave, around, customers_of, groups, named, require_fields, sorted_out
from acumatica_b2b.acumatica.records import Row, newest
from acumatica_b2b.codec import decode, encode
from acumatica_b2b.errors import ConfigurationError, DecodeError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.model import Customer, CustomerID
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, PrimaryMarks, Query, Watermark

T = TypeVar("T")


@frozen(kw_only=True)
class Marks:
    """Up to where each kind of record has been read, in the server's time; None: not at all."""

    customers: datetime | None = None
    contacts: datetime | None = None
    locations: datetime | None = None


@frozen(kw_only=True)
class Place:
    """Where a reading goes on: behind a customer, or with the customers that remain."""

    marks: Marks = field(factory=Marks)
    after: str = ""
    remaining: tuple[str, ...] = ()


def read(config: AcumaticaConfig, query: Query, cursor: Cursor | None) -> Flow[Page[Customer]]:
    """Return one page of a reading, and where it goes on.

    Raises:
        ConfigurationError: a configured field came with no record of the page.

    """
    place = None if cursor is None else _parsed(cursor, Place, "cursor")
    match query:
        case Everything():
            return (yield from _everything(config, place))
        case ChangedSince(watermark=watermark):
            if place is None:
                place = yield from _changed(config, _parsed(watermark, Marks, "watermark"))
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
def _everything(config: AcumaticaConfig, place: Place | None) -> Flow[Page[Customer]]:
    after = place.after if place else ""
    listing = yield from page(config, queries.customers(config), "", (after,) if after else None, config.wave)
    wave = yield from around(config, listing)
    require_fields(config, wave)
    marks = place.marks if place else _begun(listing, wave)
    items, unreadable = sorted_out(customers_of(config, wave).items())
    return Page(
        items=items,
        unreadable=unreadable,
        next=_next(listing, after, marks),
        watermark=Watermark(_written(marks)),
    )


def _next(listing: Listing, after: str, marks: Marks) -> Cursor | None:
    if not listing.more or listing.last is None:
        return None
    if after and not ascend([(after,), listing.last]):
        message = f"the list of customers behind {after!r} does not move on: it ends with {listing.last[0]!r}"
        raise DecodeError(message, "Customer")
    return Cursor(_written(Place(marks=marks, after=str(listing.last[0]))))


def _begun(listing: Listing, wave: Wave) -> Marks:
    """Return the server's time at the first answer; where it tells none, the latest stamps of its rows."""
    if listing.asked is not None:
        return Marks(customers=listing.asked, contacts=listing.asked, locations=listing.asked)
    return Marks(customers=newest(wave.customers), contacts=newest(wave.contacts), locations=newest(wave.locations))


# ------------------------------------------------------------------ primary marks
def _primary_marks(config: AcumaticaConfig, place: Place) -> Flow[Page[Customer]]:
    after = (place.after,) if place.after else None
    listing = yield from page(config, queries.marks(config), "", after, config.keys_page)
    outcomes = [(CustomerID(row.text("CustomerID")), _marked(row)) for row in listing.rows.values()]
    items, unreadable = sorted_out(outcomes)
    return Page(items=items, unreadable=unreadable, next=_next(listing, place.after, place.marks))


def _marked(row: Row) -> Outcome[Customer]:
    try:
        return Ok(records.marked(row))
    except DecodeError as error:
        return Failed(error)


# ------------------------------------------------------------------ changes
def _changed(config: AcumaticaConfig, since: Marks) -> Flow[Place]:
    """Return the customers that changed, themselves or by a contact or location, and the next marks."""
    asked = (
        (queries.CUSTOMER_KEYS, since.customers, "CustomerID"),
        (queries.CONTACT_KEYS, since.contacts, "BusinessAccount"),
        (queries.LOCATION_KEYS, since.locations, "Customer"),
    )
    listings = yield from together(_stamped(config, shape, mark) for shape, mark, _ in asked)
    ids = {
        row.text(name) for listing, (_, _, name) in zip(listings, asked, strict=True) for row in listing.rows.values()
    }
    marks = [_advanced(listing, mark) for listing, (_, mark, _) in zip(listings, asked, strict=True)]
    customers, contacts, locations = marks
    return Place(
        marks=Marks(customers=customers, contacts=contacts, locations=locations),
        remaining=tuple(sorted(ids - {""})),
    )


def _stamped(config: AcumaticaConfig, shape: Shape, since: datetime | None) -> Flow[Listing]:
    # The server tells its time when it answers, which may be that much later than when it looked.
    reach = timedelta(seconds=max(config.overlap, config.read_deadline))
    where = "" if since is None else queries.modified_since(since - reach)
    return (yield from listed(config, shape, where, config.keys_page))


def _advanced(listing: Listing, since: datetime | None) -> datetime | None:
    """Return the next mark; a listing that proves nothing is read again from where it began."""
    if not listing.proven:
        return since
    reached = listing.asked or newest(listing.rows.values())
    return max((mark for mark in (since, reached) if mark is not None), default=None)


def _remaining(config: AcumaticaConfig, place: Place) -> Flow[Page[Customer]]:
    now, later = place.remaining[: config.wave], place.remaining[config.wave :]
    waves = yield from together(named(config, group) for group in groups(config, now))
    require_fields(
        config,
        Wave(
            customers=tuple(row for wave in waves for row in wave.customers),
            contacts=tuple(row for wave in waves for row in wave.contacts),
            locations=tuple(row for wave in waves for row in wave.locations),
        ),
    )
    items, unreadable = sorted_out(pair for wave in waves for pair in customers_of(config, wave).items())
    return Page(
        items=items,
        unreadable=unreadable,
        next=Cursor(_written(Place(marks=place.marks, remaining=later))) if later else None,
        watermark=Watermark(_written(place.marks)),
    )
