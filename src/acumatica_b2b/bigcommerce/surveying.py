"""A survey of the store: its three lists read once, by full pages, into a spool.

What it shows is as old as the run, so no write rests on it; a company that may have changed while it was read, or
that we have written to since, is looked at by itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from attrs import define, field

from acumatica_b2b import codec
from acumatica_b2b.actions import Action, CreateCompany
from acumatica_b2b.bigcommerce.api import MANY, Api, Listing, earlier, listing, overlap, page_at, pages, since
from acumatica_b2b.bigcommerce.errors import moment
from acumatica_b2b.bigcommerce.known import Survey
from acumatica_b2b.bigcommerce.lists import whole_lists
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, PageOf, UserRecord
from acumatica_b2b.bigcommerce.remembering import Whole
from acumatica_b2b.bigcommerce.spool import Spool, SpoolError
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.flow import Flow, Ok, Outcome, together
from acumatica_b2b.http import Response, attempt

R = TypeVar("R")
_AT_ONCE: Final = 20
"""So many pages are in memory."""
_IDS: Final = {"companies": "companyId", "users": "id", "addresses": "addressId"}
_PAGES: Final[Mapping[str, type[PageOf[Any]]]] = {
    "companies": PageOf[CompanyRecord],
    "users": PageOf[UserRecord],
    "addresses": PageOf[AddressRecord],
}


# ------------------------------------------------------------------ reading
def survey(api: Api, companies: int) -> Flow[None]:
    """Read all companies where that takes fewer requests than so many one by one; whatever goes wrong, read none."""
    api.known.survey = None
    if companies < MANY:
        return
    try:
        read: Outcome[Survey | None] = yield from attempt(_read(api, companies))
    except (SpoolError, OverflowError):  # no space on the disk, say: each company is looked at by itself
        return
    api.known.survey = read.value if isinstance(read, Ok) else None


def _read(api: Api, companies: int) -> Flow[Survey | None]:
    turn, lists = next(api.known.turns), whole_lists(api)
    firsts = yield from together(_page(api, of, query, 0) for of, query in lists.items())
    if sum(pages(api, page.meta.pagination.total_count) for _, page in firsts) >= len(lists) * companies:
        return None
    spool = Spool()
    for (of, query), first in zip(lists.items(), firsts, strict=True):
        if not (yield from _spooled(api, spool, of, query, first)):
            again = yield from _page(api, of, query, 0)
            if not (yield from _spooled(api, spool, of, query, again)):
                return None
    return Survey(spool=spool, read_at=_began(api, firsts[0]), turn=turn)


def _page(api: Api, of: str, query: Mapping[str, str], offset: int) -> Flow[tuple[Response, PageOf[Any]]]:
    return page_at(api, PageOf[Any], (of,), query, offset)


def _began(api: Api, first: tuple[Response, PageOf[Any]]) -> int:
    return earlier(api, moment(first[0]))


def _spooled(
    api: Api, spool: Spool, of: str, query: Mapping[str, str], first: tuple[Response, PageOf[Any]]
) -> Flow[bool]:
    """Read a list that begins with this page; return whether it is proven, as `api.listing` proves it."""
    spool.clear(of)
    chain = _Chain(spool, of)
    chain.add(first[1])
    size, shared = api.config.page_size, overlap(api)
    reached = size
    while reached < chain.most and chain.holds:
        offsets = range(reached - shared, chain.most - shared, size - shared)[:_AT_ONCE]
        more = yield from together(_page(api, of, query, offset) for offset in offsets)
        if not sum([chain.add(page) for _, page in more]):
            return False  # whatever its total says, there is no more
        reached = offsets[-1] + size
    if reached == size or not chain.holds:
        return chain.holds and chain.rows >= chain.most
    began = _began(api, first)
    return began > 0 and (yield from _closed(api, chain, {**query, **since("minModified", began)}))


def _closed(api: Api, chain: "_Chain", meanwhile: Mapping[str, str]) -> Flow[bool]:
    """Leave out the companies in which something changed meanwhile; return whether nobody can have been missed."""
    page: Any = _PAGES[chain.of]
    changed: Listing[Any] = yield from listing(api, page, chain.of, query=meanwhile)
    before = [chain.spool.owner(chain.of, row.id) for row in changed.rows]
    chain.spool.leave_out({owner for owner in before if owner is not None})
    chain.spool.leave_out({str(row.company_id) for row in changed.rows})
    return changed.proven and chain.rows + before.count(None) >= chain.most


@define
class _Chain:
    """Pages of a list, on their way to the spool: each shares a row with the next, and their total never falls."""

    spool: Spool
    of: str
    holds: bool = True
    rows: int = 0
    most: int = 0
    _first: int | None = None
    _before: Mapping[int, Any] = field(factory=dict[int, Any])

    def add(self, page: PageOf[Any]) -> int:
        """Keep a page; return how many of its rows are new."""
        total = page.meta.pagination.total_count
        rows = {_id(self.of, row): row for row in page.data}
        if self._first is None:
            self._first = total
        else:
            joined = any(self._before.get(id_) == row for id_, row in rows.items())
            # nor may it grow faster than it is read
            self.holds = self.holds and joined and self._first <= total <= 2 * self._first
        new = self.spool.put(self.of, ((id_, str(row.get("companyId")), _text(row)) for id_, row in rows.items()))
        self.rows, self.most, self._before = self.rows + new, max(self.most, total), rows
        return new


def _id(of: str, row: Any) -> int:
    fields: Mapping[str, Any] = cast("Mapping[str, Any]", row) if isinstance(row, Mapping) else {}
    id_ = fields.get(_IDS[of])
    if not isinstance(id_, int):
        raise DecodeError(f"a row has no number as its {_IDS[of]}", of)
    return id_


def _text(row: Any) -> str:
    # as ASCII: half a surrogate pair is a text of JSON, and none of SQLite
    return json.dumps(row, separators=(",", ":"))


# ------------------------------------------------------------------ what it shows
def shown(api: Api, ids: Iterable[str]) -> Mapping[str, Whole]:
    """Return those of the companies that the survey shows."""
    if (taken := api.known.survey) is None:
        return {}
    try:
        found = {id_: _whole(taken.spool.of(id_)) for id_ in ids}
    except SpoolError:
        api.known.survey = None
        return {}
    return {id_: whole for id_, whole in found.items() if whole is not None}


def _whole(texts: Mapping[str, Sequence[str]]) -> Whole | None:
    """Return a company; None where it is not there, or not to be read: that is told by looking at it."""
    try:
        records = _decoded(texts.get("companies", ()), CompanyRecord)
        users = _decoded(texts.get("users", ()), UserRecord)
        addresses = _decoded(texts.get("addresses", ()), AddressRecord)
    except DecodeError:
        return None
    if not records or records[0].deleted:
        return None
    return Whole(record=records[0], users=users, addresses=addresses)


def _decoded(texts: Sequence[str], record: type[R]) -> tuple[R, ...]:
    return tuple(codec.decode(json.loads(text), record, codec.camel()) for text in texts)


def surveyed_companies(taken: Survey) -> tuple[CompanyRecord, ...]:
    """Return all companies as they were surveyed.

    Raises:
        DecodeError: one of them can't be read.

    """
    return _decoded(tuple(taken.spool.texts("companies")), CompanyRecord)


def written_to(api: Api, actions: Iterable[Action]) -> None:
    """Show the companies of these actions no more."""
    if (taken := api.known.survey) is not None:
        try:
            taken.spool.leave_out(action.company for action in actions if not isinstance(action, CreateCompany))
        except SpoolError:
            api.known.survey = None
