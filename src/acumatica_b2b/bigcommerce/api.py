"""Requests to one store, and full listings of it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Final, Generic, Protocol, TypeVar

from attrs import field, frozen

from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.errors import classify, classify_list, moment
from acumatica_b2b.bigcommerce.known import Known
from acumatica_b2b.bigcommerce.records import PageOf, Total, decoded
from acumatica_b2b.errors import DecodeError, Reason, RejectedError
from acumatica_b2b.flow import Flow, together
from acumatica_b2b.http import Classify, Request, Response, at, json_body, send

MARGIN: Final = 120
"""Seconds by which clocks of the store's servers may differ."""

_WIDTH: Final = 50
"""Requests that may be refused together once a minute's 150 are spent."""

MANY: Final = 10
"""From so many records on, the whole list may be cheaper than one request for each."""

_MOST_ROWS: Final = 5_000_000
"""No list of a store has so many: a total beyond it is a fault of the server's."""

_MOST_GROWTHS: Final = 50
"""So often a list may grow while its end is looked for."""

_CLOSINGS: Final = 2
"""How often what changed meanwhile is read, where that itself takes several pages."""


class HasID(Protocol):
    """A record of a listing."""

    @property
    def id(self) -> int:
        """What tells it apart."""
        ...


R = TypeVar("R", bound=HasID)
T = TypeVar("T")


@frozen
class Api:
    """One store and what is known of it."""

    config: BigCommerceConfig
    known: Known = field(factory=Known)

    def get(self, *path: str, query: Mapping[str, str] | None = None, classify: Classify = classify) -> Flow[Response]:
        """Return the answer to a read."""
        return self._send(self._request("GET", at(self.config.url, *path, query=query)), classify, repeatable=True)

    def write(
        self, method: str, *path: str, body: object = None, repeatable: bool, classify: Classify = classify
    ) -> Flow[Response]:
        """Return the answer to a write; see `http.send` for `repeatable`."""
        request = self._request(method, at(self.config.url, *path), b"" if body is None else json_body(body))
        return self._send(request, classify, repeatable=repeatable)

    def _request(self, method: str, url: str, body: bytes = b"") -> Request:
        kind = (("Content-Type", "application/json"),) if body else ()
        headers = (*self.config.headers, *kind)
        return Request(method=method, url=url, headers=headers, body=body, deadline=self.config.deadline)

    def _send(self, request: Request, classify: Classify, *, repeatable: bool) -> Flow[Response]:
        return send(request, classify, self.config.retries, repeatable=repeatable)


def number(id_: str, what: str) -> int:
    """Return an id of ours as the store's number.

    Raises:
        RejectedError: it is none, so no record of this store has it.

    """
    if id_.isascii() and id_.isdigit():
        return int(id_)
    raise RejectedError(Reason.GONE, f"{what} {id_!r} is no id of this store; clear the reference in the ERP")


def record_id(id_: str) -> str:
    """Return an id of ours as it stands in a path.

    Raises:
        RejectedError: no record of this store has it.

    """
    return str(number(id_, "record"))


def in_slices(flows: Iterable[Flow[T]]) -> Flow[tuple[T, ...]]:
    """Return the results of any number of flows, `together` but for so many at a time."""
    results: list[T] = []
    waiting = iter(flows)
    while now := tuple(islice(waiting, _WIDTH)):
        results += yield from together(now)
    return tuple(results)


# ------------------------------------------------------------------ listings
@frozen(kw_only=True)
class Listing(Generic[R]):
    """All records of a list.

    `proven` says that none was missed that was there all the time. `read_at` is when its reading
    began, less what clocks may differ; 0 where the server doesn't say.
    """

    rows: tuple[R, ...]
    proven: bool
    read_at: int


def listing(api: Api, page: type[PageOf[R]], *path: str, query: Mapping[str, str] | None = None) -> Flow[Listing[R]]:
    """Return all records of a list by full pages, read once more where it can't be proven.

    Offsets shift while others add, edit and remove. A list of several pages is proven if its total never
    fell, neighbouring pages share a row that is the same in both, so that nothing stood between them, and
    what was edited meanwhile, and may have moved past its reader, is read once more.
    """
    found = yield from _listing(api, page, path, query or {}, _CLOSINGS)
    return found if found.proven else (yield from _listing(api, page, path, query or {}, _CLOSINGS))


def _listing(
    api: Api, page: type[PageOf[R]], path: Sequence[str], query: Mapping[str, str], closings: int
) -> Flow[Listing[R]]:
    started, read = yield from _pages(api, page, path, query)
    rows = {row.id: row for one in read for row in one.data}
    totals = [one.meta.pagination.total_count for one in read]
    proven, closed = min(totals) == totals[0] and _joined(read), len(read) == 1
    if proven and not closed and started and closings:
        meanwhile = {**query, **since("minModified", started)}
        changed: Listing[R] = yield from _listing(api, page, path, meanwhile, closings - 1)
        rows |= {row.id: row for row in changed.rows}
        closed = changed.proven
    # who is missed even by the last closing read was edited during every reading
    proven = proven and (closed or not closings) and len(rows) >= max(totals)
    return Listing(rows=tuple(rows.values()), proven=proven, read_at=started)


def _pages(
    api: Api, page: type[PageOf[R]], path: Sequence[str], query: Mapping[str, str]
) -> Flow[tuple[int, Sequence[PageOf[R]]]]:
    """Return when the reading began, and all pages, each beginning with the last rows of the one before.

    Raises:
        DecodeError: the list has no end.

    """
    size, shared = api.config.page_size, overlap(api)
    response, first = yield from page_at(api, page, path, query, 0)
    read, reached, total, growths = [first], size, first.meta.pagination.total_count, 0
    there = {row.id for row in first.data}
    while reached < total:
        if total > _MOST_ROWS or growths > _MOST_GROWTHS:
            raise DecodeError(f"the list does not end: behind {reached} rows its total says {total}", "/".join(path))
        offsets = range(reached - shared, total - shared, size - shared)[:_WIDTH]
        answers = yield from together(page_at(api, page, path, query, offset) for offset in offsets)
        read += [one for _, one in answers]
        reached = offsets[-1] + size
        if not (new := {row.id for _, one in answers for row in one.data} - there):
            break  # whatever the total says, there is no more: the list is not proven
        there |= new
        grown = max(one.meta.pagination.total_count for _, one in answers)
        total, growths = max(total, grown), growths + (grown > total)
    return earlier(api, moment(response)), read


def overlap(api: Api) -> int:
    """Return how many rows of a page are read again with the next: others may have removed some before them."""
    return api.config.page_size // 40 or 1


def _joined(read: Sequence[PageOf[R]]) -> bool:
    """Tell whether each page shares a row with the next one: the same row, for an edited one may have moved."""
    for before, after in pairwise(read):
        there = {row.id: row for row in after.data}
        if not any(there.get(row.id) == row for row in before.data):
            return False
    return True


def page_at(
    api: Api, page: type[PageOf[R]], path: Sequence[str], query: Mapping[str, str], offset: int
) -> Flow[tuple[Response, PageOf[R]]]:
    """Return an answer, and the page of a list that it is."""
    paging = {"limit": str(api.config.page_size), "offset": str(offset)}
    response = yield from api.get(*path, query={**query, **paging}, classify=classify_list)
    return response, decoded(response, page, "/".join(path))


def count(api: Api, path: str) -> Flow[int]:
    """Return how many records a list has in all."""
    response = yield from api.get(path, query={"limit": "1", "offset": "0"}, classify=classify_list)
    return decoded(response, Total, path).meta.pagination.total_count


def pages(api: Api, records: int) -> int:
    """Return how many requests a listing of so many records takes: its pages, and what closes several."""
    size = api.config.page_size
    return 1 if records <= size else 2 - (size - records) // (size - overlap(api))


def earlier(api: Api, stamp: int) -> int:
    """Return a stamp before anything that a request, answered at `stamp`, can have done."""
    return max(0, stamp - MARGIN - int(api.config.deadline)) if stamp else 0


def since(parameter: str, stamp: int) -> Mapping[str, str]:
    """Return the query for what happened since a stamp; for everything where it is 0."""
    return {parameter: str(stamp)} if stamp else {}
