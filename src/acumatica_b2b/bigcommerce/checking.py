"""Looks at the set-up of one store, and writes nothing: token, roles, channels, extra fields, ids."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from acumatica_b2b.bigcommerce import roles
from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.errors import classify
from acumatica_b2b.check import Book, Check, Needs, Part, Seen, good, note, wrong
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, DecodeError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import Request, Response, at, send

_GUID: Final = 36
"""How long the ERP's id of a record is, which the store keeps."""
_USUAL: Final = 8
"""How many digits the ids of a store have, where it has no records yet."""
_RESOURCES: Final = {"companies": "company", "users": "company user", "addresses": "address"}
_SAMPLE: Final = {"limit": "50", "offset": "0"}
_ALL: Final = {"limit": "200", "offset": "0"}


def check(config: BigCommerceConfig, needs: Needs) -> Flow[tuple[Check, ...]]:
    """Return what was looked at, in the order in which it is needed."""
    book = Book(Part.STOREFRONT)
    token = ("token",)
    yield from book.look("token", _token(config), "check `url` and the way to that host")
    way_out = "make the role in B2B Edition, or name another one in the policy"
    yield from book.look("roles", _roles(config, needs), way_out, rests_on=token)
    yield from book.look("channels", _channels(config), "correct channel_ids", rests_on=token)
    for resource in (*("companies", "users"), *(("addresses",) if needs.addresses else ())):
        about = f"extra fields of {resource}"
        way_out = "see in B2B Edition which extra fields there are"
        yield from book.look(about, _extra_fields(config, resource, needs), way_out, rests_on=token)
    yield from book.look("company behaviour", _regime(config), "look at a company in B2B Edition", rests_on=token)
    if needs.references:
        flow = _references(config, needs)
        yield from book.look("length of references", flow, "correct reference_format", rests_on=token)
    if needs.shoppers:
        way_out = "give the token's API account the scope 'Customers: read-only', or adopt existing shoppers"
        yield from book.look("existing shoppers", _shoppers(config), way_out, rests_on=token)
    yield from book.look("passwords", _passwords(config), "")
    return tuple(book.checks)


# ------------------------------------------------------------------ the store
def _token(config: BigCommerceConfig) -> Flow[Iterable[Seen]]:
    yield from _rows(config, "companies", query=_SAMPLE)
    said = "the store lets the token read companies; whether it may write, only a write tells"
    return (good(f"{said}: its scope has to be 'B2B Edition: modify'"),)


def _rows(config: BigCommerceConfig, *path: str, query: Mapping[str, str]) -> Flow[Sequence[Mapping[str, Any]]]:
    request = Request(
        method="GET", url=at(config.url, *path, query=query), headers=config.headers, deadline=config.deadline
    )
    response = yield from send(request, _classified, config.retries, repeatable=True)
    match response.json():
        case {"data": [*rows]} if all(isinstance(row, dict) for row in cast("list[object]", rows)):
            return cast("list[Mapping[str, Any]]", rows)
        case _:
            raise DecodeError("the answer has no list of data", "/".join(path))


def _classified(response: Response) -> Outcome[Response]:
    """Return what `classify` does, with the ways out that a refusal of the credentials has."""
    outcome = classify(response)
    if isinstance(outcome, Ok):
        return outcome
    match response.status:
        case 401:
            said = "the store refuses the token (401)"
            way_out = "copy token and store hash anew, both of the same store"
        case 403:
            said = "the token lacks a right (403)"
            way_out = "give its API account the scope 'B2B Edition: modify'"
        case 404:
            said = "there is no B2B Edition (404)"
            way_out = "check `url`, that the store has B2B Edition, and the token's scope 'B2B Edition: modify'"
        case 500:
            said = "the store fails (500), as it does where the store hash is not the token's"
            way_out = "check store_hash, then try again"
        case _:
            return outcome
    return Failed(_RefusedError(response.status, f"{said}; {way_out}"))


class _RefusedError(ConfigurationError):
    """A refusal that concerns the set-up."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _roles(config: BigCommerceConfig, needs: Needs) -> Flow[Iterable[Seen]]:
    yield from roles.require(Api(config), needs.roles)
    return (good(f"{_listed(repr(name) for name in needs.roles)} are there, each once"),)


def _channels(config: BigCommerceConfig) -> Flow[Iterable[Seen]]:
    try:
        rows = yield from _rows(config, "channels", query={})
    except (_RefusedError, RejectedError) as error:
        return _single(config, error)
    there = {row.get("channelId"): row for row in rows}
    return tuple(_channel(wanted, there) for wanted in _wanted(config))


def _wanted(config: BigCommerceConfig) -> Sequence[int]:
    return sorted({*config.channel_ids, *config.channels.values()})


def _single(config: BigCommerceConfig, error: Exception) -> tuple[Seen, ...]:
    """Return what a store with one storefront, which refuses to list its channels, comes to."""
    expected = isinstance(error, _RefusedError) and error.status == 403
    if not (expected or (isinstance(error, RejectedError) and error.reason is Reason.INVALID)):
        raise error
    if other := [wanted for wanted in _wanted(config) if wanted != 1]:
        said = (
            f"the store has one storefront, which is channel 1, but the configuration names {_listed(map(str, other))}"
        )
        return (wrong(said, "set channel_ids to [1], or switch on multi-storefront in B2B Edition"),)
    return (good("the store has one storefront, channel 1"),)


def _channel(wanted: int, there: Mapping[Any, Mapping[str, Any]]) -> Seen:
    row = there.get(wanted)
    if row is None:
        known = _listed(f"{number} ({one.get('name')})" for number, one in there.items()) or "none"
        return wrong(f"the store has no channel {wanted}", f"name one that it has in channel_ids and channels: {known}")
    name = f"channel {wanted} ({row.get('name')})"
    if row.get("b2bEnabled") is False:
        return wrong(
            f"{name} is not enabled for B2B Edition", "enable it there, or take it out of channel_ids and channels"
        )
    if row.get("status") not in {None, "active", "connected"}:
        return note(f"{name} is {row.get('status')}", "activate it before people shop there")
    return good(f"{name} is there, enabled for B2B Edition")


# ------------------------------------------------------------------ extra fields
def _extra_fields(config: BigCommerceConfig, resource: str, needs: Needs) -> Flow[Iterable[Seen]]:
    rows = yield from _rows(config, resource, "extra-fields", query=_ALL)
    known = {str(row.get("fieldName")): row for row in rows}
    seen = list(_required(config, resource, known, needs))
    if resource == "companies":
        seen += _external_id(config.company_id_field, known)
    return seen or (good("none is required that nothing fills"),)


def _required(
    config: BigCommerceConfig, resource: str, known: Mapping[str, Mapping[str, Any]], needs: Needs
) -> Iterator[Seen]:
    own = {config.company_id_field} if config.company_id_field and resource == "companies" else set[str]()
    # the built-in ones are the fields that the client sends anyway
    required = [name for name, row in known.items() if _yes(row.get("isRequired")) and row.get("configType") != 1]
    unfilled = sorted({*required} - own - (needs.fills or frozenset()))
    if not unfilled:
        return
    names, record = _listed(map(repr, unfilled)), _RESOURCES[resource]
    if needs.fills is None:
        yield note(f"each {record} needs {names}", "see that your mapping fills them in extra_fields")
    else:
        way_out = "make them optional in B2B Edition, or fill extra_fields with a mapping of your own"
        yield wrong(f"each {record} needs {names}, which nothing fills: its creation would be refused", way_out)


def _external_id(name: str | None, known: Mapping[str, Mapping[str, Any]]) -> Iterator[Seen]:
    about = "external ID of companies"
    if name is None:
        said = "it is kept in `uuid`, which the API can't search: all companies are listed once a process"
        yield note(said, "add a unique extra field to companies, and name it in company_id_field", about)
    elif name not in known:
        there = _listed(map(repr, known)) or "none"
        yield wrong(
            f"companies have no extra field {name!r}",
            f"add it in B2B Edition as a unique text, or name one of these in company_id_field: {there}",
            about,
        )
    elif not _yes(known[name].get("isUnique")):
        yield wrong(f"the extra field {name!r} is not unique", "mark it unique in B2B Edition", about)
    elif (longest := _number(known[name].get("maximumLength"))) is not None and longest < _GUID:
        way_out = f"let it hold {_GUID} characters in B2B Edition"
        yield wrong(f"the extra field {name!r} holds {longest} characters; an ID has {_GUID}", way_out, about)
    else:
        yield good(f"companies are found by the unique extra field {name!r}", about)


def _yes(value: object) -> bool:
    return value in {True, "1", "true"}


def _number(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


# ------------------------------------------------------------------ companies, references, people
def _regime(config: BigCommerceConfig) -> Flow[Iterable[Seen]]:
    rows = yield from _rows(config, "companies", query=_SAMPLE)
    catalogs = {row["catalogId"] for row in rows if row.get("catalogId")}
    if not rows:
        said = "no company is there yet to tell whether companies are Independent or Dependent"
        return (note(said, "if they are Dependent (B2B Edition → Settings), name their price list in catalog_id"),)
    if catalogs and config.catalog_id is None:
        said = "companies are Dependent: each is made with a price list, and catalog_id names none"
        return (wrong(said, f"set catalog_id; other companies have {_listed(map(str, sorted(catalogs)))}"),)
    if not catalogs and config.catalog_id is not None:
        said = f"no company has a price list, as where companies are Independent; catalog_id is {config.catalog_id}"
        return (note(said, "if they are Independent, name a customer_group_id instead"),)
    return (good("companies are Dependent, with a price list each" if catalogs else "companies are Independent"),)


def _references(config: BigCommerceConfig, needs: Needs) -> Flow[Iterable[Seen]]:
    companies = yield from _rows(config, "companies", query=_SAMPLE)
    users = yield from _rows(config, "users", query=_SAMPLE)
    ids = [str(row.get(key, "")) for rows, key in ((companies, "companyId"), (users, "id")) for row in rows]
    digits = max([_USUAL, *map(len, ids)])
    longest = len(needs.reference_format.replace("{id}", "9" * digits))
    if longest > needs.reference_length:
        said = (
            f"a reference of this store has {longest} characters, more than reference_length = {needs.reference_length}"
        )
        way_out = "shorten reference_format, or take a field of the ERP that holds it and raise reference_length"
        return (wrong(said, way_out),)
    return (good(f"a reference has {longest} characters; there is room for {needs.reference_length}"),)


def _shoppers(config: BigCommerceConfig) -> Flow[Iterable[Seen]]:
    url = at(config.core_url, "stores", config.store_hash, "v3", "customers", query={"limit": "1"})
    request = Request(method="GET", url=url, headers=config.core_headers, deadline=config.deadline)
    try:
        # another quota than B2B Edition's: the budget has no say in it
        yield from send(request, classify, config.retries, repeatable=True, free=True)
    except AuthenticationError as error:
        # B2B Edition takes the same token, so it is a right that lacks
        raise ConfigurationError("the core API does not let the token read customers") from error
    return (good("the core API tells who shops there already"),)


def _passwords(config: BigCommerceConfig) -> Flow[Iterable[Seen]]:
    yield from ()
    if config.welcome_mail:
        return (note("BigCommerce writes a welcome mail to everybody who is made, and leads them to a password"),)
    said = "no mail goes to the people who are made, and they have no password yet"
    return (note(said, "tell them to use 'Forgot your password?' in the shop, or set welcome_mail"),)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
