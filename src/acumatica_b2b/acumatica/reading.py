"""Flows that read customers whole, with all their contacts and locations, and contacts by themselves."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

from attrs import evolve, frozen

from acumatica_b2b.acumatica import queries, records
from acumatica_b2b.acumatica.config import AcumaticaConfig, OptIn
from acumatica_b2b.acumatica.kept import Kept, keeping
from acumatica_b2b.acumatica.listing import Listing, fits_path, found, listed
from acumatica_b2b.errors import ConfigurationError, DecodeError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, Undecoded
from acumatica_b2b.protocols import Unreadable

C = TypeVar("C")


@frozen(kw_only=True)
class Wave:
    """Rows of customers read together, with the rows of all their contacts and locations."""

    customers: tuple[Kept, ...] = ()
    contacts: tuple[Kept, ...] = ()
    locations: tuple[Kept, ...] = ()
    proven: bool = True


# ------------------------------------------------------------------ rows
def around(config: AcumaticaConfig, customers: Listing[Kept]) -> Flow[Wave]:
    """Return listed customers with what belongs to them, read by their range."""
    ids = [row.owner for row in customers.rows.values()]
    if not ids:
        return Wave(proven=customers.proven)
    contact_filters = _filters(config, "BusinessAccount", ids)
    location_filters = _filters(config, "Customer", ids)
    contacts, locations = keeping(config).contacts, keeping(config).locations
    listings = yield from together(
        (
            *(listed(config, contacts.shape, where, config.page, contacts) for where in contact_filters),
            *(listed(config, locations.shape, where, config.page, locations) for where in location_filters),
        )
    )
    return Wave(
        customers=tuple(customers.rows.values()),
        contacts=_rows(listings[: len(contact_filters)]),
        locations=_rows(listings[len(contact_filters) :]),
        proven=customers.proven and all(listing.proven for listing in listings),
    )


def _filters(config: AcumaticaConfig, field: str, ids: Sequence[str]) -> list[str]:
    if config.ranges:
        return [queries.between(field, ids[0], ids[-1])]
    return [queries.any_of(field, group) for group in queries.groups(config, field, ids)]


def _rows(listings: Iterable[Listing[Kept]]) -> tuple[Kept, ...]:
    return tuple(row for listing in listings for row in listing.rows.values())


def named(config: AcumaticaConfig, ids: Sequence[str]) -> Flow[Wave]:
    """Return the customers of one group of ids, as far as there are any, with what belongs to them."""
    keep = keeping(config)
    customers, contacts, locations = yield from together(
        listed(config, kind.shape, queries.any_of(kind.owner, ids), config.page, kind)
        for kind in (keep.customers, keep.contacts, keep.locations)
    )
    return Wave(
        customers=tuple(customers.rows.values()),
        contacts=tuple(contacts.rows.values()),
        locations=tuple(locations.rows.values()),
        proven=contacts.proven and locations.proven,
    )


def require_fields(config: AcumaticaConfig, wave: Wave) -> None:
    """Raise ConfigurationError for a configured field that came with no row at all."""
    _require("Contact", queries.contact_sources(config), wave.contacts)
    _require("Customer", (config.customer_reference,), wave.customers)
    _require("CustomerLocation", (config.location_reference,), wave.locations)


def _require(entity: str, places: Iterable[OptIn | None], rows: Sequence[Kept]) -> None:
    for place in places:
        if place is None or not rows or any(row.row().has(place) for row in rows):
            continue
        way_out = f"look up its view and name with GET {entity}/$adHocSchema"
        message = f"none of {len(rows)} records of {entity} came with the field {str(place)!r}; {way_out}"
        raise ConfigurationError(message)


# ------------------------------------------------------------------ records
def customers_of(config: AcumaticaConfig, wave: Wave) -> dict[CustomerID, Outcome[Customer]]:
    """Return the customers of a wave; a row that can't be decoded is its customer's failure."""
    return {one.id: decoded(one) for one in undecoded_of(config, wave)}


def decoded(one: Undecoded) -> Outcome[Customer]:
    """Return a customer, or why what was read of it is none."""
    try:
        return Ok(one.decode())
    except DecodeError as error:
        return Failed(error)


def undecoded_of(config: AcumaticaConfig, wave: Wave) -> list[Undecoded]:
    """Return the customers of a wave, of which nothing is decoded yet but whose the rows are."""
    ids = [row.owner for row in wave.customers]
    contacts, locations = _by_customer(wave.contacts, ids), _by_customer(wave.locations, ids)
    keep = keeping(config)
    return [
        Undecoded(
            id=CustomerID(row.owner),
            as_read=keep.as_read(row, contacts[row.owner], locations[row.owner]),
            references=tuple([one.reference for one in (row, *contacts[row.owner], *locations[row.owner])]),
            complete=wave.proven,
            decode=partial(_customer, config, wave, row, contacts[row.owner], locations[row.owner]),
        )
        for row in wave.customers
    ]


def _customer(
    config: AcumaticaConfig, wave: Wave, row: Kept, contacts: Sequence[Kept], locations: Sequence[Kept]
) -> Customer:
    return records.customer(
        row.row(),
        config,
        tuple([records.contact(contact.row(), config) for contact in contacts]),
        tuple([records.location(location.row(), config) for location in locations]),
        complete=wave.proven,
        as_read=keeping(config).as_read(row, contacts, locations),
    )


def _by_customer(rows: Iterable[Kept], ids: Iterable[str]) -> defaultdict[str, list[Kept]]:
    """Return rows by whose they are; a row of no customer of the wave is asked for by nobody."""
    exact = {name: name for name in ids}
    spelled = {name.casefold(): name for name in exact}
    found: defaultdict[str, list[Kept]] = defaultdict(list)
    for row in rows:
        # The database may compare without case, and so does who refers to a customer.
        found[exact.get(row.owner) or spelled.get(row.owner.casefold(), row.owner)].append(row)
    return found


def sorted_out(
    outcomes: Iterable[tuple[CustomerID, Outcome[C]]],
) -> tuple[tuple[C, ...], tuple[Unreadable, ...]]:
    """Return the customers that could be read, and those that could not."""
    items: list[C] = []
    unreadable: list[Unreadable] = []
    for customer, outcome in outcomes:
        match outcome:
            case Ok(read):
                items.append(read)
            case Failed(error):
                unreadable.append(Unreadable(customer=customer, error=error))
    return tuple(items), tuple(unreadable)


# ------------------------------------------------------------------ by name
def customers(config: AcumaticaConfig, ids: Sequence[CustomerID]) -> Flow[list[Outcome[Customer | None]]]:
    """Return customers by their ids, in their order; None: the ERP has no such customer."""
    distinct = list(dict.fromkeys(ids))
    several = queries.groups(config, "BusinessAccount", distinct)  # the longest name: fits every entity's filter
    results = yield from together(attempt(_group(config, group)) for group in several)
    outcomes: dict[str, Outcome[Customer | None]] = {}
    for group, result in zip(several, results, strict=True):
        match result:
            case Ok(found):
                outcomes |= found
            case Failed():
                outcomes |= dict.fromkeys(group, result)
    return [outcomes[customer] for customer in ids]


def _group(config: AcumaticaConfig, ids: Sequence[str]) -> Flow[dict[str, Outcome[Customer | None]]]:
    wave = yield from named(config, ids)
    there = {row.owner.casefold() for row in wave.customers}
    absent = [name for name in ids if name.casefold() not in there]
    confirmed = yield from together(_confirmed(config, name) for name in absent)
    late = {name: row for name, row in zip(absent, confirmed, strict=True) if row is not None}
    # Found by key though the list lacks it: what belongs to it was asked for by the same id.
    wave = evolve(wave, customers=(*wave.customers, *late.values()))
    outcomes = {name.casefold(): outcome for name, outcome in customers_of(config, wave).items()}
    # The server may spell an id otherwise than it was asked for, and yet mean no other.
    spelled = {name: row.owner for name, row in late.items()}
    return {name: outcomes.get(spelled.get(name, name).casefold(), Ok(None)) for name in ids}


def _confirmed(config: AcumaticaConfig, name: str) -> Flow[Kept | None]:
    """Return the customer of an id that a list did not have; None is the ERP's own word."""
    keep = keeping(config).customers
    if fits_path((name,)):
        row = yield from found(config, keep.shape, (name,))
        return None if row is None else keep(row, json.dumps(row.data))
    # Such an id can't be asked for by key; a list of it alone has to do.
    alone = yield from listed(config, keep.shape, queries.any_of(keep.owner, [name]), 2, keep)
    return next(iter(alone.rows.values()), None)


def contacts(config: AcumaticaConfig, ids: Sequence[ContactID]) -> Flow[list[Outcome[Contact | None]]]:
    """Return contacts by their ids, in their order; None: the ERP has no such contact."""
    return list((yield from together(attempt(_contact(config, contact)) for contact in ids)))


def _contact(config: AcumaticaConfig, contact: ContactID) -> Flow[Contact | None]:
    if not (contact.isascii() and contact.isdecimal()):
        raise RejectedError(Reason.INVALID, f"contact {contact!r} can't be read: the ids of contacts are numbers")
    row = yield from found(config, queries.contacts(config), (contact,))
    return None if row is None else records.contact(row, config)
