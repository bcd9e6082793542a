"""Flows that look at companies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve, frozen

from acumatica_b2b.bigcommerce import surveying, translating
from acumatica_b2b.bigcommerce.api import MANY, Api, Listing, in_slices
from acumatica_b2b.bigcommerce.lists import addresses, companies, pages_of, users
from acumatica_b2b.bigcommerce.locating import locate
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, One, UserRecord, decoded, normal_id
from acumatica_b2b.bigcommerce.remembering import Whole, remembered
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
    surveyed: bool = False


@frozen(kw_only=True)
class _Look:
    """A company to be read, with or without its addresses, and what is known of it already."""

    id: str
    addresses: bool
    sight: Sight
    begun: int
    """The turn since which it is read."""

    @property
    def known_addresses(self) -> tuple[AddressRecord, ...] | None:
        """The addresses that need not be read."""
        return self.sight.addresses if self.addresses else ()


def observe(api: Api, refs: Sequence[CompanyRef]) -> Flow[tuple[Outcome[Company | None], ...]]:
    """Return the companies as they are, each by its id or else by its external id."""
    found = yield from _seen(api, refs)
    nobody = {normal_id(ref.external_id): ref for ref, read in found.items() if ref.id is None and _is_nobody(read)}
    # whom an external id led astray: another company may hold it by now
    if misled := [nobody[external_id] for external_id in api.known.forget_holders(nobody)]:
        found |= yield from _seen(api, misled)
    there = [read.value for read in found.values() if isinstance(read, Ok) and read.value]
    users = [user for company in there for user in company.users]
    api.known.saw(user for company in there if not company.surveyed for user in company.users)
    names: Outcome[Mapping[int, str]] = yield from attempt(names_of(api, users))
    return tuple(_outcome(api, found[ref], names) for ref in refs)


def _is_nobody(read: Outcome[_Found | None]) -> bool:
    return isinstance(read, Ok) and read.value is None


def _seen(api: Api, refs: Sequence[CompanyRef]) -> Flow[dict[CompanyRef, Outcome[_Found | None]]]:
    located = iter((yield from locate(api, [ref for ref in refs if ref.id is None])))
    ids: list[Outcome[str | None]] = [next(located) if ref.id is None else Ok(ref.id) for ref in refs]
    named = [
        (id_.value, ref) for ref, id_ in zip(refs, ids, strict=True) if isinstance(id_, Ok) and id_.value is not None
    ]
    past = surveying.shown(api, {id_ for id_, _ in named}.difference(id_ for id_, ref in named if not ref.surveyed))
    again = {id_ for id_, ref in named if ref.again}
    whole = yield from remembered(api, again)
    looks = _looks(api, [(id_, ref) for id_, ref in named if id_ not in whole and id_ not in past])
    reads: dict[str, Outcome[_Found | None]] = {
        **{id_: _found(it, surveyed=True) for id_, it in past.items()},
        **{id_: _found(it) for id_, it in whole.items()},
        **(yield from _read_all(api, looks)),
    }
    return {ref: _checked(api, ref, id_, reads) for ref, id_ in zip(refs, ids, strict=True)}


def _found(whole: Whole, *, surveyed: bool = False) -> Ok[_Found | None]:
    users, addresses = whole.users, whole.addresses
    return Ok(_Found(whole.record, users, addresses, complete=True, surveyed=surveyed))


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
        surveyed=found.surveyed,
    )


def _looks(api: Api, named: Iterable[tuple[str, CompanyRef]]) -> Sequence[_Look]:
    """Return each company once: with its addresses if anybody asks for them, and anew if anybody wants it so."""
    refs: defaultdict[str, list[CompanyRef]] = defaultdict(list)
    for id_, ref in named:
        refs[id_].append(ref)
    begun = next(api.known.turns)
    for id_, its in refs.items():
        if not all(ref.again for ref in its):
            api.known.look_anew(id_)
    return [
        _Look(
            id=id_,
            begun=begun,
            addresses=any(ref.addresses for ref in its),
            sight=api.known.sights.of(id_) if all(ref.again for ref in its) else Sight(),
        )
        for id_, its in refs.items()
    ]


def _read_all(api: Api, looks: Sequence[_Look]) -> Flow[Mapping[str, Outcome[_Found | None]]]:
    """Return companies by id: of the lists of the whole store those that cost less."""
    if len(looks) >= MANY:
        looks = yield from _listed(api, looks)
    found: Sequence[Outcome[_Found | None]] = yield from in_slices(attempt(_read(api, look)) for look in looks)
    return {look.id: outcome for look, outcome in zip(looks, found, strict=True)}


def _read(api: Api, look: _Look) -> Flow[_Found | None]:
    if not (look.id.isascii() and look.id.isdigit()):
        return None  # no company of this store has such an id
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
        api.known.sights.saw(look.id, sight, look.begun)
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


# ------------------------------------------------------------------ the whole store
def _listed(api: Api, looks: Sequence[_Look]) -> Flow[Sequence[_Look]]:
    """Return the looks with what lists of the whole store show: each list where it takes fewer requests.

    A list shows what is there; that a company is gone is known by asking for it, and for all of it.
    """
    wanted: list[int] = [
        sum(look.sight.record is None for look in looks),
        sum(look.sight.known_users is None for look in looks),
        sum(look.known_addresses is None for look in looks),
    ]
    lists: tuple[Listing[Any] | None, ...] = yield from together(
        (
            _list(api, "companies", companies(api, {}), wanted[0]),
            _list(api, "users", users(api, {}), wanted[1]),
            _list(api, "addresses", addresses(api, {}), wanted[2]),
        )
    )
    by_company = [_by_company(rows) for rows in lists]
    return [_shown(look, *by_company) for look in looks]


def _shown(
    look: _Look,
    records: Mapping[str, Sequence[CompanyRecord]] | None,
    its_users: Mapping[str, Sequence[UserRecord]] | None,
    its_addresses: Mapping[str, Sequence[AddressRecord]] | None,
) -> _Look:
    sight, record = look.sight, look.sight.record
    if record is None and records is not None:
        record = next((one for one in records.get(look.id, ()) if not one.deleted), None)
        if record is None:
            return look
    users_ = sight.known_users if its_users is None else its_users.get(look.id, ())
    known = Sight(
        record=record,
        users=None if users_ is None else {user.id: user for user in users_},
        addresses=sight.addresses if its_addresses is None else tuple(its_addresses.get(look.id, ())),
    )
    return evolve(look, sight=known)


def _list(api: Api, path: str, rows: Flow[Listing[Any]], wanted: int) -> Flow[Listing[Any] | None]:
    """Return a whole list; None where that takes more requests than asking for each that is wanted."""
    size: Outcome[int] = (yield from attempt(pages_of(api, path))) if wanted >= MANY else Ok(wanted)
    if isinstance(size, Failed) or size.value >= wanted:
        return None
    found: Outcome[Listing[Any]] = yield from attempt(rows)
    # one record that can't be read, or rows that shift, must not cost all companies: they are read singly
    return found.value if isinstance(found, Ok) and found.value.proven else None


def _by_company(listing: Listing[Any] | None) -> Mapping[str, list[Any]] | None:
    if listing is None:
        return None
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    for row in listing.rows:
        rows[str(row.company_id)].append(row)
    return rows


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
