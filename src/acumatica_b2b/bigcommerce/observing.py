"""Flows that look at companies."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from acumatica_b2b.bigcommerce import translating
from acumatica_b2b.bigcommerce.api import MANY, Api, Listing, in_slices
from acumatica_b2b.bigcommerce.lists import addresses, companies, pages_of, users
from acumatica_b2b.bigcommerce.locating import locate
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, One, UserRecord, decoded, normal_id
from acumatica_b2b.bigcommerce.remembering import remembered
from acumatica_b2b.bigcommerce.roles import names_of
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import Company, CompanyRef


@frozen(kw_only=True)
class _Found:
    """A company as it was read, before its roles have names."""

    record: CompanyRecord
    users: tuple[UserRecord, ...]
    addresses: tuple[AddressRecord, ...]
    complete: bool


def observe(api: Api, refs: Sequence[CompanyRef]) -> Flow[tuple[Outcome[Company | None], ...]]:
    """Return the companies as they are, each by its id or else by its external id."""
    located = iter((yield from locate(api, [ref for ref in refs if ref.id is None])))
    ids: list[Outcome[str | None]] = [next(located) if ref.id is None else Ok(ref.id) for ref in refs]
    wanted = dict.fromkeys(id_.value for id_ in ids if isinstance(id_, Ok) and id_.value is not None)
    again = {ref.id for ref in refs if ref.again}
    shown: Mapping[str, Outcome[_Found | None]] = {
        id_: Ok(_Found(record=whole.record, users=whole.users, addresses=whole.addresses, complete=True))
        for id_, whole in (yield from remembered(api, [id_ for id_ in wanted if id_ in again])).items()
    }
    reads = {**shown, **(yield from _read_all(api, tuple(id_ for id_ in wanted if id_ not in shown)))}
    found = [_checked(api, ref, id_, reads) for ref, id_ in zip(refs, ids, strict=True)]
    users = [user for read in found if isinstance(read, Ok) and read.value for user in read.value.users]
    api.known.saw(users)
    names: Outcome[Mapping[int, str]] = yield from attempt(names_of(api, users))
    return tuple(_outcome(api, read, names) for read in found)


def _checked(
    api: Api, ref: CompanyRef, id_: Outcome[str | None], reads: Mapping[str, Outcome[_Found | None]]
) -> Outcome[_Found | None]:
    if isinstance(id_, Failed):
        return id_
    read = Ok(None) if id_.value is None else reads[id_.value]
    if ref.id is None and isinstance(read, Ok) and read.value is not None:
        # which company holds the external id may have been remembered from earlier
        held = read.value.record.external_id(api.config.company_id_field)
        return read if held == normal_id(ref.external_id) else Ok(None)
    return read


def _outcome(api: Api, read: Outcome[_Found | None], names: Outcome[Mapping[int, str]]) -> Outcome[Company | None]:
    match read, names:
        case Failed(), _:
            return read
        case Ok(None), _:
            return Ok(None)
        case Ok(_Found(users=(_, *_))), Failed():
            return names
        case Ok(_Found() as found), _:
            return Ok(_company(api, found, names.value if isinstance(names, Ok) else {}))
        case _:
            raise AssertionError


def _company(api: Api, found: _Found, names: Mapping[int, str]) -> Company:
    return translating.company(
        found.record,
        id_field=api.config.company_id_field,
        users=tuple(translating.company_user(user, names[user.id]) for user in found.users),
        addresses=tuple(map(translating.company_address, found.addresses)),
        complete=found.complete,
    )


def _read_all(api: Api, ids: Sequence[str]) -> Flow[Mapping[str, Outcome[_Found | None]]]:
    """Return companies by id: from the lists of the whole store where that costs less."""
    listed: Mapping[str, _Found] = (yield from _whole_store(api, len(ids))) if len(ids) >= MANY else {}
    # a list shows what is there; that something is gone is known by asking for it
    rest = tuple(id_ for id_ in ids if id_ not in listed)
    singly: Sequence[Outcome[_Found | None]] = yield from in_slices(attempt(_read(api, id_)) for id_ in rest)
    found = {id_: Ok(company) for id_, company in listed.items()}
    return {**found, **dict(zip(rest, singly, strict=True))}


def _read(api: Api, id_: str) -> Flow[_Found | None]:
    if not (id_.isascii() and id_.isdigit()):
        return None  # no company of this store has such an id
    of_company = {"companyId": id_}
    company, its_users, its_addresses = yield from together(
        (
            attempt(_record(api, id_)),
            attempt(users(api, of_company)),
            attempt(addresses(api, of_company)),
        )
    )
    found: CompanyRecord | None = _value(company)
    if found is None or found.deleted:
        return None
    return _joined(found, _value(its_users), _value(its_addresses))


def _record(api: Api, id_: str) -> Flow[CompanyRecord | None]:
    try:
        response = yield from api.get("companies", id_)
    except RejectedError as error:
        if error.reason is Reason.GONE:
            return None
        raise
    return decoded(response, One[CompanyRecord], f"companies/{id_}").data


def _whole_store(api: Api, wanted: int) -> Flow[Mapping[str, _Found]]:
    """Return all companies of the store; none where that takes more requests than one by one."""
    sizes = yield from together(attempt(pages_of(api, path)) for path in ("companies", "users", "addresses"))
    if sum(size.value if isinstance(size, Ok) else wanted for size in sizes) >= len(sizes) * wanted:
        return {}
    lists = yield from together(
        (attempt(companies(api, {})), attempt(users(api, {})), attempt(addresses(api, {}))),
    )
    # one record that can't be read, or rows that shift, must not cost all companies: they are read singly
    found = [each.value for each in lists if isinstance(each, Ok) and each.value.proven]
    return _by_company(*found) if len(found) == len(lists) else {}


def _by_company(
    companies: Listing[CompanyRecord], users: Listing[UserRecord], addresses: Listing[AddressRecord]
) -> Mapping[str, _Found]:
    users_of: defaultdict[str, list[UserRecord]] = defaultdict(list)
    for user in users.rows:
        users_of[str(user.company_id)].append(user)
    addresses_of: defaultdict[str, list[AddressRecord]] = defaultdict(list)
    for address in addresses.rows:
        addresses_of[str(address.company_id)].append(address)
    return {
        id_: _Found(record=record, users=tuple(users_of[id_]), addresses=tuple(addresses_of[id_]), complete=True)
        for record in companies.rows
        if not record.deleted
        for id_ in [str(record.company_id)]
    }


def _joined(record: CompanyRecord, users: Listing[UserRecord], addresses: Listing[AddressRecord]) -> _Found:
    # a filter that a server does not know it ignores
    id_ = str(record.company_id)
    return _Found(
        record=record,
        users=tuple(row for row in users.rows if str(row.company_id) == id_),
        addresses=tuple(row for row in addresses.rows if str(row.company_id) == id_),
        complete=users.proven and addresses.proven,
    )


def _value(outcome: Outcome[Any]) -> Any:
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome.value
