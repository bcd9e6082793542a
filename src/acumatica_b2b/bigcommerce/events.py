"""Webhooks of B2B Edition: from what a web app receives to the companies that are worth a look.

A webhook tells ids and nothing else, and it only says where to look: what is written, the sync finds
out by itself. Nothing here does I/O: the web app is the host's, and so is the place where its `Inbox`
is kept. What they tell: https://docs.bigcommerce.com, B2B Edition Webhooks.
"""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from attrs import evolve, field, frozen

from acumatica_b2b.codec import an_object, json_object
from acumatica_b2b.errors import ConfigurationError, DecodeError, WrongSecretError
from acumatica_b2b.model import AddressID, CompanyID, StorefrontID, UserID

Row: TypeAlias = dict[str, Any]

SCOPES: Final = (
    "store/company/created",
    "store/company/updated",
    "store/company/deleted",
    "store/company/statusUpdated",
    "store/company/user/created",
    "store/company/user/updated",
    "store/company/user/deleted",
    "store/company/address/created",
    "store/company/address/updated",
    "store/company/address/deleted",
)
"""What to subscribe to: all else a sync has no use for. None of them tells of a changed role."""

_DISTANT: Final = 253_402_300_800
"""The year 10000 in unix seconds."""


@frozen(kw_only=True)
class Notification:
    """That something happened to a company, or to one of its users or addresses."""

    hash: str
    """The same for each delivery of it."""
    scope: str
    company: CompanyID
    user: UserID | None = None
    address: AddressID | None = None
    at: datetime


@frozen(kw_only=True)
class Webhook:
    """Where a store sends its notifications: whose they are, and the header that proves it.

    The store signs nothing. `header` and `secret` are a header's name and value that were given as its
    `headers` when the webhook was created.

    >>> hook = Webhook(store_hash="abc", header="X-Secret", secret="s3")
    >>> body = b'''{"scope": "store/company/user/created", "data": {"company_id": 5, "user_id": 7},
    ...     "hash": "352e", "created_at": 1561482670, "producer": "stores/abc"}'''
    >>> told = hook.notification([("x-secret", "s3")], body)
    >>> told.company, told.user
    ('5', '7')

    Raises:
        ConfigurationError: a value is missing.

    """

    store_hash: str
    header: str
    secret: str = field(repr=False)

    def __attrs_post_init__(self) -> None:
        for name, value in (("store_hash", self.store_hash), ("header", self.header), ("secret", self.secret)):
            if not value:
                message = f"a Webhook without {name!r} would take anybody's word; set it here as in the store"
                raise ConfigurationError(message)

    def notification(self, headers: Iterable[tuple[str, str]], body: bytes) -> Notification | None:
        """Return what a request tells; None: of nothing that is in `SCOPES`.

        Nothing of its body is looked at before its secret.

        Raises:
            WrongSecretError: it does not have the secret.
            DecodeError: it is no notification.
            ConfigurationError: it is of another store.

        """
        self._check_secret(headers)
        told = json_object(body, "a notification")
        self._check_store(told)
        if (scope := _text(told, "scope")) not in SCOPES:
            return None
        data = an_object(told.get("data"), "data")
        user, address = _id(data, "user_id"), _id(data, "address_id")
        return Notification(
            hash=_text(told, "hash"),
            scope=scope,
            company=CompanyID(_required(_id(data, "company_id"), "data.company_id")),
            user=None if user is None else UserID(user),
            address=None if address is None else AddressID(address),
            at=_moment(told.get("created_at")),
        )

    def _check_secret(self, headers: Iterable[tuple[str, str]]) -> None:
        given = [value for name, value in headers if name.lower() == self.header.lower()]
        # as bytes, since texts beyond ASCII can't be compared in constant time
        if [hmac.compare_digest(value.encode(errors="replace"), self.secret.encode()) for value in given] != [True]:
            wrong = "another value in" if given else "no"
            message = f"a notification came with {wrong} header {self.header!r}; compare it with that of the webhook"
            raise WrongSecretError(message)

    def _check_store(self, told: Row) -> None:
        if _text(told, "producer") != f"stores/{self.store_hash}":
            message = f"a notification of another store came to the webhook of {self.store_hash!r}"
            raise ConfigurationError(f"{message}; give each store's webhooks their own address and secret")


# ------------------------------------------------------------------ what is kept of them
def companies_to_look_at(notifications: Iterable[Notification]) -> tuple[CompanyID, ...]:
    """Return the companies of notifications, each once, in the order of their first ones."""
    return tuple(dict.fromkeys(one.company for one in sorted(notifications, key=lambda one: one.at)))


@frozen(kw_only=True)
class Inbox:
    """Notifications that wait for a sync, and the hashes of those that came before: a value for the host to keep.

    >>> one = Notification(hash="1", scope=SCOPES[1], company=CompanyID("5"), at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> inbox = Inbox().put(one).put(one)
    >>> inbox.companies, inbox.without(inbox.waiting).put(one).companies
    (('5',), ())
    """

    waiting: tuple[Notification, ...] = ()
    seen: tuple[str, ...] = field(default=(), repr=False)
    """The last `memory` hashes, in the order in which they came."""
    memory: int = 1000

    @property
    def companies(self) -> tuple[CompanyID, ...]:
        """Which companies to look at: each once, what waits longest first."""
        return companies_to_look_at(self.waiting)

    def put(self, one: Notification | None) -> "Inbox":
        """Return the inbox with a notification; the same inbox where it came before."""
        if one is None or one.hash in self.seen:
            return self
        return evolve(self, waiting=(*self.waiting, one), seen=(*self.seen, one.hash)[-self.memory :])

    def without(self, done: Iterable[Notification]) -> "Inbox":
        """Return the inbox behind a sync of some of its notifications; what came meanwhile still waits."""
        synced = set(done)
        return evolve(self, waiting=tuple(one for one in self.waiting if one not in synced))


# ------------------------------------------------------------------ bodies
def _text(told: Row, name: str) -> str:
    value: object = told.get(name)
    if isinstance(value, str) and value:
        return value
    message = "expected a text that is not empty"
    raise DecodeError(message, name)


def _id(data: Row, name: str) -> StorefrontID | None:
    """Return an id, a number that may come as a text; None where there is none."""
    value: object = data.get(name)
    if value is None:
        return None
    text = str(value)
    if isinstance(value, int | str) and text.isascii() and text.isdigit():
        return StorefrontID(text)
    message = "expected the number of a record"
    raise DecodeError(message, f"data.{name}")


def _required(value: StorefrontID | None, path: str) -> StorefrontID:
    if value is None:
        message = "expected the number of a record"
        raise DecodeError(message, path)
    return value


def _moment(value: object) -> datetime:
    if type(value) is int and 0 <= value < _DISTANT:
        return datetime.fromtimestamp(value, UTC)
    message = "expected unix seconds"
    raise DecodeError(message, "created_at")
