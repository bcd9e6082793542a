"""Looks at the set-up of one tenant, and writes nothing: sign-in, endpoint, rights, and where values are kept."""

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import evolve

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig, Everyone
from acumatica_b2b.acumatica.errors import CannotOptimizeError, classify
from acumatica_b2b.acumatica.field_checks import judged
from acumatica_b2b.acumatica.queries import CONTACT_KEYS, CUSTOMER_KEYS, HEADERS, LOCATION_KEYS, Shape
from acumatica_b2b.acumatica.records import contact
from acumatica_b2b.acumatica.rows import rows_of
from acumatica_b2b.acumatica.schema import located, read_schema
from acumatica_b2b.acumatica.versions import choose, offers, resolved
from acumatica_b2b.check import Book, Check, Needs, Part, Seen, good, note, wrong
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.http import Renew, Request, Response, Session, at, send, send_signed
from acumatica_b2b.model import UNSET, Contact

_SAMPLE: Final = 20
"""So many contacts are read to see what comes of the configured fields."""


def check(config: AcumaticaConfig, needs: Needs) -> Flow[tuple[Check, ...]]:
    """Return what was looked at, in the order in which it is needed."""
    book = Book(Part.ERP)
    yield from book.look("address", _address(config), "check `url` and the way to that host")
    yield from book.look("sign-in", _sign_in(config), "check name, password and tenant", rests_on=("address",))
    way_out = "check `endpoint` and `version`"
    yield from book.look("endpoint", _endpoint(config), way_out, rests_on=("sign-in",))
    if book.stands("endpoint"):
        config = yield from resolved(config)
    shapes = (CUSTOMER_KEYS, CONTACT_KEYS, *((LOCATION_KEYS,) if needs.addresses else ()))
    for shape in shapes:
        rights, fields = f"rights to {shape.entity}", f"fields of {shape.entity}"
        way_out = "give the user access rights to its form"
        yield from book.look(rights, _readable(config, shape), way_out, rests_on=("endpoint",))
        way_out = f"open {shape.entity}/$adHocSchema of that endpoint as the same user, and see what it says"
        yield from book.look(fields, _fields(config, shape, needs), way_out, rests_on=(rights,))
    for about, entity, flow in (
        ("customers", "Customer", _customers(config)),
        ("contacts", "Contact", _contacts(config, needs)),
        *((("locations", "CustomerLocation", _locations(config)),) if needs.addresses else ()),
    ):
        rests_on = (f"rights to {entity}", f"fields of {entity}")
        yield from book.look(about, flow, "read one of them in a browser as the same user", rests_on=rests_on)
    return tuple(book.checks)


# ------------------------------------------------------------------ the instance
def _address(config: AcumaticaConfig) -> Flow[Iterable[Seen]]:
    response = yield from send(_versions(config), classify, config.retries, repeatable=True)
    offers(response)
    return (good(f"{_build(response)} answers there"),)


def _build(response: Response) -> str:
    match response.json():
        case {"version": {"acumaticaBuildVersion": str(build)}}:
            return f"Acumatica {build}"
        case _:
            return "Acumatica"  # older builds don't say which


def _sign_in(config: AcumaticaConfig) -> Flow[Iterable[Seen]]:
    session = yield from ask(Renew(None))
    landed = _landed(session)
    if config.tenant and landed and landed.casefold() != config.tenant.casefold():
        way_out = "correct `tenant`, or make sure that this is the one you mean: an instance with one takes any name"
        return (note(f"the session is in tenant {landed!r}, not in {config.tenant!r}", way_out),)
    where = f" to tenant {landed!r}" if landed else ""
    return (good(f"user and password open a session{where}; it takes one seat of the licence until the end of a run"),)


def _landed(session: Session) -> str:
    """Return the tenant that the cookies of a session name."""
    cookies = "; ".join(value for name, value in session.headers if name.lower() == "cookie").split("; ")
    return next((cookie.partition("=")[2] for cookie in cookies if cookie.startswith("CompanyID=")), "")


def _endpoint(config: AcumaticaConfig) -> Flow[Iterable[Seen]]:
    response = yield from send_signed(_versions(config), classify, config.retries, repeatable=True)
    offered = offers(response)
    if not config.version:
        newest = choose(config.endpoint, offered)
        return (good(f"{config.endpoint} {newest} is the newest that the instance offers and this library knows"),)
    versions = sorted(offer.version for offer in offered if offer.name == config.endpoint)
    if config.version in versions:
        return (good(f"{config.endpoint} {config.version} is there"), *_old(config))
    if versions:
        said = f"the instance has no version {config.version} of the endpoint {config.endpoint}"
        return (wrong(said, f"take one of its versions: {', '.join(versions)}"),)
    names = ", ".join(sorted({offer.name for offer in offered})) or "none"
    return (wrong(f"the instance has no endpoint {config.endpoint!r}", f"take one that it has: {names}"),)


def _old(config: AcumaticaConfig) -> Iterator[Seen]:
    if not config.since(23, 200):
        said = "before 23.200 customers tell their primary contact by a linked record only, and no category"
        yield note(said, "take a newer version of the endpoint, if the instance has one")


def _versions(config: AcumaticaConfig) -> Request:
    return Request(method="GET", url=at(config.url, "entity"), headers=HEADERS, deadline=config.read_deadline)


# ------------------------------------------------------------------ rights and fields
def _readable(config: AcumaticaConfig, shape: Shape) -> Flow[Iterable[Seen]]:
    yield from _listed(config, shape.only_keys(), 1)
    return (good(f"{shape.entity} can be read"),)


def _listed(config: AcumaticaConfig, shape: Shape, top: int) -> Flow[Response]:
    request = queries.listing(config, shape, "", top)
    return (yield from send_signed(request, classify, config.retries, repeatable=True))


def _fields(config: AcumaticaConfig, shape: Shape, needs: Needs) -> Flow[Iterable[Seen]]:
    return judged(config, (yield from read_schema(config, shape.entity)), needs)


# ------------------------------------------------------------------ what comes
def _of_none(config: AcumaticaConfig) -> AcumaticaConfig:
    """Return the configuration without the fields of any entity: what is wrong with one must not hide another."""
    nothing = evolve(config, contact_opt_in=Everyone(), connection_type=None, contact_attributes={})
    return evolve(nothing, contact_reference=None, customer_reference=None, location_reference=None)


def _customers(config: AcumaticaConfig) -> Flow[Iterable[Seen]]:
    config = yield from located(evolve(_of_none(config), customer_reference=config.customer_reference))
    try:
        yield from _listed(config, queries.customers(config), 1)
    except CannotOptimizeError as error:
        said = f"lists can't show {', '.join(error.fields) or 'all fields'} of customers: each is read by itself"
        return (note(said, "allow a request for each customer, or take a newer version of the endpoint"),)
    return (good("customers come with main contact and primary contact"),)


def _locations(config: AcumaticaConfig) -> Flow[Iterable[Seen]]:
    config = yield from located(evolve(_of_none(config), location_reference=config.location_reference))
    yield from _listed(config, queries.locations(config), 1)
    return (good("locations come with contact and address"),)


def _contacts(config: AcumaticaConfig, needs: Needs) -> Flow[Iterable[Seen]]:
    config = yield from located(evolve(config, customer_reference=None, location_reference=None))
    shape = queries.contacts(config)
    response = yield from _listed(config, shape, _SAMPLE)
    found = [contact(row, config) for row in rows_of(response, shape)]
    if not found:
        return (note("there is no contact to look at", "see that the user may see contacts, if there should be some"),)
    if unread := sorted({name for one in found for name in _unset(one, config)}):
        said = f"{' and '.join(unread)} did not come with a contact, though it was asked for"
        return (wrong(said, "let the user see the field on the form (access rights by field)"),)
    return _participation(found, needs)


def _unset(one: Contact, config: AcumaticaConfig) -> Iterator[str]:
    if one.association.enabled is UNSET:
        yield str(config.contact_opt_in)
    if one.association.connection_type is UNSET:
        yield str(config.connection_type)
    if one.reference is UNSET and config.contact_reference is not None:
        yield str(config.contact_reference)


def _participation(found: list[Contact], needs: Needs) -> tuple[Seen, ...]:
    """Return how many of some contacts are opted in, with an accepted connection type."""
    enabled = [one for one in found if one.association.enabled is True]
    types = sorted({str(one.association.connection_type) for one in enabled} - {""})
    accepted = needs.connection_types
    if not enabled:
        said = f"none of the first {len(found)} contacts is opted in"
        return (note(said, "enable the site association of those who should take part"),)
    if accepted is not None and not accepted.intersection(types):
        said = f"none of the {len(enabled)} contacts opted in among the first {len(found)} has an accepted type"
        return (note(said, f"accept in connection_types what contacts have: {', '.join(types) or 'nothing'}"),)
    return (good(f"{len(enabled)} of the first {len(found)} contacts are opted in"),)
