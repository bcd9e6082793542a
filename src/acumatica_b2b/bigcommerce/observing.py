"""Flows that look at companies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import frozen

from acumatica_b2b.bigcommerce import translating
from acumatica_b2b.bigcommerce.api import MANY, Api, Listing, in_slices
from acumatica_b2b.bigcommerce.lists import addresses, companies, pages_of, users
from acumatica_b2b.bigcommerce.locating import locate
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, One, UserRecord, decoded, normal_id
from acumatica_b2b.bigcommerce.remembering import remembered
from acumatica_b2b.bigcommerce.roles import names_of
from acumatica_b2b.bigcommerce.sights import Sight
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import Company, CompanyRef

R = TypeVar("R", UserRecord, AddressRecord)


@frozen
class _Found:
    """A company as it was read, before its roles have names."""

    record: CompanyRecord
    users: tuple[UserRecord, ...]
    addresses: tuple[AddressRecord, ...]
    complete: bool


@frozen(kw_only=True)
class _Look:
    """A company to be read, with or without its addresses, and what is known of it already."""

    id: str
    addresses: bool
    sight: Sight

    @property
    def known_addresses(self) -> tuple[AddressRecord, ...] | None:
        """The addresses that need not be read."""
        return self.sight.addresses if self.addresses else ()

    @property
    def requests(self) -> int:
        """How many requests it takes by itself, at least."""
        return [self.sight.record, self.sight.known_users, self.known_addresses].count(None)


def observe(api: Api, refs: Sequence[CompanyRef]) -> Flow[tuple[Outcome[Company | None], ...]]:
    """Return the companies as they are, each by its id or else by its external id."""
    located = iter((yield from locate(api, [ref for ref in refs if ref.id is None])))
    ids: list[Outcome[str | None]] = [next(located) if ref.id is None else Ok(ref.id) for ref in refs]
    named = [
        (id_.value, ref) for ref, id_ in zip(refs, ids, strict=True) if isinstance(id_, Ok) and id_.value is not None
    ]
    again = {id_ for id_, ref in named if ref.again}
    whole = yield from remembered(api, again)
    looks = _looks(api, [(id_, ref) for id_, ref in named if id_ not in whole])
    reads: dict[str, Outcome[_Found | None]] = {
        **{id_: Ok(_Found(it.record, it.users, it.addresses, complete=True)) for id_, it in whole.items()},
        **(yield from _read_all(api, looks)),
    }
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


def _looks(api: Api, named: Iterable[tuple[str, CompanyRef]]) -> Sequence[_Look]:
    """Return each company once: with its addresses if anybody asks for them, and anew if anybody wants it so."""
    refs: defaultdict[str, list[CompanyRef]] = defaultdict(list)
    for id_, ref in named:
        refs[id_].append(ref)
    return [
        _Look(
            id=id_,
            addresses=any(ref.addresses for ref in its),
            sight=api.known.sights.of(id_) if all(ref.again for ref in its) else Sight(),
        )
        for id_, its in refs.items()
    ]


def _read_all(api: Api, looks: Sequence[_Look]) -> Flow[Mapping[str, Outcome[_Found | None]]]:
    """Return companies by id: from the lists of the whole store where that costs less."""
    listed: Mapping[str, _Found] = (yield from _whole_store(api, looks)) if len(looks) >= MANY else {}
    # a list shows what is there; that something is gone is known by asking for it
    rest = tuple(look for look in looks if look.id not in listed)
    singly: Sequence[Outcome[_Found | None]] = yield from in_slices(attempt(_read(api, look)) for look in rest)
    found = {id_: Ok(company) for id_, company in listed.items()}
    return {**found, **{look.id: outcome for look, outcome in zip(rest, singly, strict=True)}}


def _read(api: Api, look: _Look) -> Flow[_Found | None]:
    if not (look.id.isascii() and look.id.isdigit()):
        return None  # no company of this store has such an id
    begun = next(api.known.turns)
    company, its_users, its_addresses = yield from together(
        (attempt(_record_of(api, look)), attempt(_users_of(api, look)), attempt(_addresses_of(api, look)))
    )
    found: CompanyRecord | None = _value(company)
    if found is None or found.deleted:
        return None
    read = _joined(found, _value(its_users), _value(its_addresses))
    if read.complete:
        there = read.addresses if look.addresses else look.sight.addresses
        sight = Sight(record=found, users={user.id: user for user in read.users}, addresses=there)
        api.known.sights.saw(look.id, sight, begun)
    return read


def _record_of(api: Api, look: _Look) -> Flow[CompanyRecord | None]:
    return look.sight.record or (yield from _record(api, look.id))


def _users_of(api: Api, look: _Look) -> Flow[Listing[UserRecord]]:
    known = look.sight.known_users
    return (yield from users(api, {"companyId": look.id})) if known is None else _known(known)


def _addresses_of(api: Api, look: _Look) -> Flow[Listing[AddressRecord]]:
    known = look.known_addresses
    return (yield from addresses(api, {"companyId": look.id})) if known is None else _known(known)


def _known(rows: tuple[R, ...]) -> Listing[R]:
    return Listing(rows=rows, proven=True, read_at=0)


def _record(api: Api, id_: str) -> Flow[CompanyRecord | None]:
    try:
        response = yield from api.get("companies", id_)
    except RejectedError as error:
        if error.reason is Reason.GONE:
            return None
        raise
    return decoded(response, One[CompanyRecord], f"companies/{id_}").data


def _whole_store(api: Api, looks: Sequence[_Look]) -> Flow[Mapping[str, _Found]]:
    """Return all companies of the store; none where that takes more requests than one by one."""
    singly = sum(look.requests for look in looks)
    sizes = yield from together(attempt(pages_of(api, path)) for path in ("companies", "users", "addresses"))
    if sum(size.value if isinstance(size, Ok) else singly for size in sizes) >= singly:
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
