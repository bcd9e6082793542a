"""Requests to one store, full listings of it, and what a client remembers of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

from attrs import define, field, frozen

from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.errors import classify, moment
from acumatica_b2b.bigcommerce.records import PageOf, RoleRecord, Total, decoded
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Flow, together
from acumatica_b2b.http import Classify, Request, Response, at, json_body, send

MARGIN: Final = 120
"""Seconds by which clocks of the store's servers may differ."""

_WIDTH: Final = 50
"""Requests that may be refused together once a minute's 150 are spent."""

MANY: Final = 10
"""From so many records on, the whole list may be cheaper than one request for each."""


class HasID(Protocol):
    """A record of a listing."""

    @property
    def id(self) -> int:
        """What tells it apart."""
        ...


R = TypeVar("R", bound=HasID)
T = TypeVar("T")


@frozen(kw_only=True)
class Index:
    """Which company holds which external id, as of `read_at` in unix seconds of the server."""

    held: Mapping[int, str]
    read_at: int

    def holders(self) -> Mapping[str, Sequence[int]]:
        """Return the companies of each external id, by their ids."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for company, external_id in sorted(self.held.items()):
            holders[external_id].append(company)
        return {external_id: ids for external_id, ids in holders.items() if external_id}


@define
class Known:
    """What is read once: it changes seldom, and not knowing of a change does no harm."""

    roles: tuple[RoleRecord, ...] | None = None
    companies: Index | None = None
    places: dict[tuple[str, str], str | None] = field(factory=dict[tuple[str, str], str | None])

    def forget(self) -> None:
        """Read it all anew when it is next needed."""
        self.roles = self.companies = None
        self.places = {}


@frozen
class Api:
    """One store and what is known of it."""

    config: BigCommerceConfig
    known: Known = field(factory=Known)

    def get(self, *path: str, query: Mapping[str, str] | None = None) -> Flow[Response]:
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

    `proven` says that none was missed: the total never fell, and so many different ones were seen.
    `read_at` is when its reading began, less what clocks may differ; 0 where the server doesn't say.
    """

    rows: tuple[R, ...]
    proven: bool
    read_at: int


def listing(api: Api, page: type[PageOf[R]], *path: str, query: Mapping[str, str] | None = None) -> Flow[Listing[R]]:
    """Return all records of a list by full pages, read once more where it changed meanwhile."""
    found = yield from _listing(api, page, path, query or {})
    return found if found.proven else (yield from _listing(api, page, path, query or {}))


def _listing(api: Api, page: type[PageOf[R]], path: Sequence[str], query: Mapping[str, str]) -> Flow[Listing[R]]:
    size = api.config.page_size
    answers: list[tuple[Response, PageOf[R]]] = []
    offset, total = 0, 1
    while offset < total:
        offsets = range(offset, total, size)
        answers += yield from in_slices(_page(api, page, path, query, start) for start in offsets)
        offset = offsets[-1] + size
        total = max(answer.meta.pagination.total_count for _, answer in answers)
    rows = {row.id: row for _, answer in answers for row in answer.data}
    first = answers[0][1].meta.pagination.total_count
    fell = any(answer.meta.pagination.total_count < first for _, answer in answers)
    return Listing(
        rows=tuple(rows.values()),
        proven=not fell and len(rows) >= total,
        read_at=earlier(api, moment(answers[0][0])),
    )


def _page(
    api: Api, page: type[PageOf[R]], path: Sequence[str], query: Mapping[str, str], offset: int
) -> Flow[tuple[Response, PageOf[R]]]:
    paging = {"limit": str(api.config.page_size), "offset": str(offset)}
    response = yield from api.get(*path, query={**query, **paging})
    return response, decoded(response, page, "/".join(path))


def count(api: Api, path: str) -> Flow[int]:
    """Return how many records a list has in all."""
    response = yield from api.get(path, query={"limit": "1", "offset": "0"})
    return decoded(response, Total, path).meta.pagination.total_count


def pages(api: Api, records: int) -> int:
    """Return how many requests a listing of so many records takes."""
    return max(1, -(-records // api.config.page_size))


def earlier(api: Api, stamp: int) -> int:
    """Return a stamp before anything that a request, answered at `stamp`, can have done."""
    return max(0, stamp - MARGIN - int(api.config.deadline)) if stamp else 0


def since(parameter: str, stamp: int) -> Mapping[str, str]:
    """Return the query for what happened since a stamp; for everything where it is 0."""
    return {parameter: str(stamp)} if stamp else {}
