"""Push notifications (SM302000): from what a webhook receives to the customers that are worth a look.

A notification only says where to look; what is written, the sync finds out by itself. Nothing here
does I/O: the web app is the host's, and so is the place where its `Inbox` is kept.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar, cast

from attrs import evolve, field, frozen

from acumatica_b2b.acumatica.errors import shown
from acumatica_b2b.codec import an_object, json_object, typed
from acumatica_b2b.errors import ConfigurationError, DecodeError, WrongSecretError
from acumatica_b2b.model import CustomerID

T = TypeVar("T")
Row: TypeAlias = dict[str, Any]

_LAST: Final = 3_155_378_976_000_000_000
"""One tick behind the year 9999; ticks are tenths of a microsecond since the year 1 began."""


@frozen(kw_only=True)
class Notification:
    """What one transaction in Acumatica did to the rows of one query.

    `customers` has both the old and the new customer of a record that moved, each once.
    """

    id: str
    query: str
    ticks: int
    """`TimeStamp`: ticks of .NET, larger with each transaction."""
    customers: tuple[CustomerID, ...]

    @property
    def sent(self) -> datetime:
        """The moment of the transaction, read as UTC."""
        return datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=self.ticks // 10)


def _columns(columns: Mapping[str, str | Iterable[str]]) -> Mapping[str, tuple[str, ...]]:
    return {query: (names,) if isinstance(names, str) else tuple(names) for query, names in columns.items()}


@frozen(kw_only=True)
class Webhook:
    """A destination of the type Webhook: the secret it sends, and which column of a query names the customer.

    `header` and `secret` are the header name and value of the destination; Acumatica signs nothing.
    `columns` says per query (the title of the generic inquiry) in which column, or columns, the
    customer's id stands. A `tenant` refuses the notifications of others.

    >>> hook = Webhook(header="X-Secret", secret="s3", columns={"B2B contacts": "Customer"})
    >>> body = b'{"Query":"B2B contacts","Id":"1","TimeStamp":1,"Deleted":[{"Customer":"C1 "}]}'
    >>> hook.notification([("x-secret", "s3")], body).customers
    ('C1',)

    Raises:
        ConfigurationError: there is no secret, or no column.

    """

    header: str
    secret: str = field(repr=False)
    columns: Mapping[str, tuple[str, ...]] = field(converter=_columns, hash=False)
    tenant: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.header or not self.secret:
            message = "a Webhook without `header` or `secret` would take anybody's word; set both in Acumatica and here"
            raise ConfigurationError(message)
        if not self.columns or not all(names and all(names) for names in self.columns.values()):
            message = "`columns` of a Webhook names no column of some query; say which one holds the customer's id"
            raise ConfigurationError(message)

    def notification(self, headers: Iterable[tuple[str, str]], body: bytes) -> Notification:
        """Return what a request tells; nothing of its body is looked at before its secret.

        Raises:
            WrongSecretError: it does not have the secret.
            DecodeError: it is no notification.
            ConfigurationError: of another tenant, of a query that `columns` lacks, or without its column.

        """
        self._check_secret(headers)
        told = json_object(body, "a notification")
        self._check_tenant(told)
        query = _text(told, "Query")
        customers = dict.fromkeys(_customers(told, query, self._names(query)))
        return Notification(
            id=_text(told, "Id").lower(), query=query, ticks=_ticks(told.get("TimeStamp")), customers=tuple(customers)
        )

    def _check_secret(self, headers: Iterable[tuple[str, str]]) -> None:
        given = [value for name, value in headers if name.lower() == self.header.lower()]
        # As bytes, since texts beyond ASCII can't be compared in constant time.
        good = [hmac.compare_digest(value.encode(errors="replace"), self.secret.encode()) for value in given]
        if good != [True]:
            wrong = "another value in" if given else "no"
            message = f"a notification came with {wrong} header {self.header!r}; compare it with the destination's"
            raise WrongSecretError(f"{message} (SM302000)")

    def _check_tenant(self, told: Row) -> None:
        if self.tenant and _text(told, "CompanyId").casefold() != self.tenant.casefold():
            message = f"a notification of tenant {shown(told['CompanyId'])!r} came to the webhook of {self.tenant!r}"
            raise ConfigurationError(f"{message}; give each tenant's destination its own address and secret")

    def _names(self, query: str) -> tuple[str, ...]:
        if query not in self.columns:
            known = ", ".join(map(repr, self.columns))
            message = (
                f"a notification of the query {shown(query)!r} came, but `columns` of the Webhook names only {known}"
            )
            raise ConfigurationError(message)
        return self.columns[query]


# ------------------------------------------------------------------ what is kept of them
@frozen(kw_only=True)
class Inbox:
    """Notifications that wait for a sync, and which came before: a value for the host to keep.

    Acumatica sends some of them twice: a transaction and a query together are one notification.

    >>> one = Notification(id="1", query="q", ticks=2, customers=(CustomerID("C2"),))
    >>> two = Notification(id="2", query="q", ticks=1, customers=(CustomerID("C1"), CustomerID("C2")))
    >>> inbox = Inbox().put(one).put(two).put(one)
    >>> inbox.customers, inbox.without(inbox.waiting).put(two).customers
    (('C1', 'C2'), ())
    """

    waiting: tuple[Notification, ...] = ()
    """By the time of their transactions."""
    seen: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Id and query of the last `memory` notifications, in the order in which they came."""
    memory: int = 1000

    @property
    def customers(self) -> tuple[CustomerID, ...]:
        """Whom to sync: each once, who waits longest first."""
        return tuple(dict.fromkeys(customer for one in self.waiting for customer in one.customers))

    def put(self, one: Notification) -> "Inbox":
        """Return the inbox with a notification; the same inbox where it came before."""
        name = (one.id, one.query)
        if name in self.seen:
            return self
        waiting = (*self.waiting, one) if one.customers else self.waiting
        return evolve(
            self,
            waiting=tuple(sorted(waiting, key=lambda one: one.ticks)),
            seen=(*self.seen, name)[-self.memory :],
        )

    def without(self, done: Iterable[Notification]) -> "Inbox":
        """Return the inbox behind a sync of some of its notifications; what came meanwhile still waits."""
        synced = set(done)
        return evolve(self, waiting=tuple(one for one in self.waiting if one not in synced))


# ------------------------------------------------------------------ bodies
def _text(told: Row, name: str) -> str:
    if text := typed(told.get(name), str, name).strip():
        return text
    message = "expected a text that is not empty"
    raise DecodeError(message, name)


def _ticks(value: object) -> int:
    ticks = typed(value, int, "TimeStamp")
    if not 0 <= ticks < _LAST:
        message = "expected ticks of .NET, of the years 1 to 9999"
        raise DecodeError(message, "TimeStamp")
    return ticks


def _rows(told: Row) -> Iterator[tuple[str, Row]]:
    """Yield the rows with their paths: an update is a pair, one row of each kind."""
    for kind in ("Inserted", "Deleted"):
        rows: object = told.get(kind)
        for i, row in enumerate(cast("list[object]", [] if rows is None else typed(rows, list, kind))):
            yield f"{kind}[{i}]", an_object(row, f"{kind}[{i}]")


def _customers(told: Row, query: str, names: tuple[str, ...]) -> Iterator[CustomerID]:
    rows = list(_rows(told))
    for name in names:
        if rows and not any(name in row for _, row in rows):
            sent = shown(", ".join(dict.fromkeys(repr(name) for _, row in rows for name in row)))
            message = f"the query {query!r} sends no column {name!r}, but {sent or 'none'}"
            raise ConfigurationError(f"{message}; correct `columns` of the Webhook, or the inquiry")
    for path, row in rows:
        for name in names:
            yield from _customer(row.get(name), f"{path}.{name}")


def _customer(cell: object, path: str) -> Iterator[CustomerID]:
    """Yield the customer of a cell: keys are padded with blanks, and null is nobody."""
    if cell is None:
        return
    text = typed(cell, str, path).strip()
    if not text.isprintable():  # it would be trouble in every URL and log line behind this one
        message = "expected the id of a customer, without control characters"
        raise DecodeError(message, path)
    if text:
        yield CustomerID(text)
