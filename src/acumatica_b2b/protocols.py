"""What a host may replace, each with its async twin; and the helper for who has no bulk calls."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Generic, NewType, Protocol, TypeAlias, TypeVar, runtime_checkable

from attrs import frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, DecodeError, OutcomeUnknownError, RemoteError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Reference,
    StorefrontID,
    Undecoded,
)

S = TypeVar("S")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Cursor = NewType("Cursor", str)
"""Where the next page begins; opaque to everyone but who made it."""
Watermark = NewType("Watermark", str)
"""Up to where changes have been read; opaque to everyone but who made it."""
LogKey = NewType("LogKey", str)
"""Names one log: store and record, at most 255 printable ASCII characters."""


@frozen(kw_only=True)
class Everything:
    """All customers, in the order of their ids."""


@frozen(kw_only=True)
class ChangedSince:
    """The customers that changed, or had a contact or location change, since a watermark."""

    watermark: Watermark
    locations: bool = True
    """Whether each comes with its locations; else one of whom nothing but contacts changed may come without.

    Such a customer says so: its `locations_read` is False.
    """


@frozen(kw_only=True)
class PrimaryMarks:
    """All customers with nothing but their id and primary contact; none of them `complete`."""


Query: TypeAlias = Everything | ChangedSince | PrimaryMarks


@frozen(kw_only=True)
class Unreadable:
    """A customer whose record could not be read, and why."""

    customer: CustomerID
    error: Exception


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """Some records of a reading; `next` is None on the last page.

    `watermark` is where a later reading of changes has to begin so that it misses none: taken when
    this reading began, the same on each of its pages. `strays` are contacts that changed and are no
    customer's: whose they were is to be looked at.
    """

    items: tuple[T_co, ...]
    unreadable: tuple[Unreadable, ...] = ()
    strays: tuple[ContactID, ...] = ()
    next: Cursor | None = None
    watermark: Watermark | None = None


class Erp(Protocol):
    """Acumatica, or what stands for it. Outcomes come in the order of what was asked."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations."""
        ...

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole; None is the ERP's own word that there is none."""
        ...

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now; None proves that one is gone."""
        ...

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else, and never make a record by it."""
        ...


class Storefront(Protocol):
    """A B2B shop. Outcomes come in the order of what was asked.

    What concerns one record is returned as `Failed`; what is raised (a wrong credential, a bug)
    ends the run.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the engine may ask of it."""
        ...

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now, with users and addresses; None: there is none."""
        ...

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address in the whole store, compared without case."""
        ...

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do independent steps; return for each the id of the record it made or changed."""
        ...


@runtime_checkable
class ReadsUndecoded(Protocol):
    """An ERP that makes records of what it read when they are needed (optional)."""

    def read_undecoded(self, query: Query, after: Cursor | None, /) -> Page[Customer | Undecoded]:
        """Return what `read` returns; customers that can't be decoded are among the items."""
        ...


@runtime_checkable
class KnowsRoles(Protocol):
    """A storefront that can tell before a run whether its roles are all there (optional)."""

    def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        ...


@runtime_checkable
class Surveys(Protocol):
    """A storefront that can read all its companies at once, for less than looking at each would cost (optional)."""

    def survey(self, companies: int, /) -> None:
        """Read them all where that costs less than looking at so many one by one; 0: let go what was read.

        From then on `observe` may answer a `CompanyRef` that is `surveyed` with what was read, marked as
        `Company.surveyed`, until the storefront itself has written to the company. A survey never says that there
        is no such company, nor shows one that it may not have read whole: those are looked at.
        """
        ...


@runtime_checkable
class KnowsShoppers(Protocol):
    """A storefront that can tell who shops there without being a company user (optional).

    Asked only where `SyncPolicy.existing_shoppers` holds or refuses them.
    """

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the shopper who has each address, compared without case; None: nobody."""
        ...


@runtime_checkable
class KnowsSuperAdmins(Protocol):
    """A storefront that can tell which addresses belong to people above all companies (optional)."""

    def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return for each address, compared without case, whether no company user can have it."""
        ...


@frozen(kw_only=True)
class Commit:
    """One addition to one log, stored if and only if (key, version) is free.

    Versions of a key begin with 1. `snapshot` says that `body` stands for all earlier versions.
    """

    key: LogKey
    version: int
    body: str
    snapshot: bool = False


class SyncLogStore(Protocol):
    """Where the sync log is kept: rows of text, with compare-and-swap as "the version is free"."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version, from its last snapshot on, or more."""
        ...

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit True: durable; or False: its version is taken. Each by itself."""
        ...

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`, in order, behind `after`."""
        ...

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`."""
        ...


@runtime_checkable
class Scrubs(Protocol):
    """A store in whose files something of what was dropped may be found for a while (optional).

    Asked when a person was forgotten; dropping alone need not be for good then.
    """

    def scrub(self) -> None:
        """Leave nothing of what was dropped."""
        ...


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """Return the time with its zone."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...


# ------------------------------------------------------------------ async twins
class AsyncErp(Protocol):
    """`Erp`, awaited."""

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers, each with all its contacts and locations."""
        ...

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        ...

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now."""
        ...

    async def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else."""
        ...


class AsyncStorefront(Protocol):
    """`Storefront`, awaited."""

    @property
    def capabilities(self) -> Capabilities:
        """What the engine may ask of it."""
        ...

    async def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        ...

    async def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address in the whole store."""
        ...

    async def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do independent steps."""
        ...


@runtime_checkable
class AsyncReadsUndecoded(Protocol):
    """`ReadsUndecoded`, awaited."""

    async def read_undecoded(self, query: Query, after: Cursor | None, /) -> Page[Customer | Undecoded]:
        """Return what `read` returns."""
        ...


@runtime_checkable
class AsyncSurveys(Protocol):
    """`Surveys`, awaited."""

    async def survey(self, companies: int, /) -> None:
        """Read all companies where that costs less than looking at so many one by one; 0: let go what was read."""
        ...


@runtime_checkable
class AsyncKnowsShoppers(Protocol):
    """`KnowsShoppers`, awaited."""

    async def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the shopper who has each address."""
        ...


@runtime_checkable
class AsyncKnowsSuperAdmins(Protocol):
    """`KnowsSuperAdmins`, awaited."""

    async def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return for each address whether no company user can have it."""
        ...


@runtime_checkable
class AsyncKnowsRoles(Protocol):
    """`KnowsRoles`, awaited."""

    async def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        ...


class AsyncSyncLogStore(Protocol):
    """`SyncLogStore`, awaited."""

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return each key's commits by version."""
        ...

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return for each commit whether it is durable."""
        ...

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return up to `limit` keys that begin with `prefix`."""
        ...

    async def drop(self, key: LogKey, before: int, /) -> None:
        """Forget the commits of a key with versions below `before`."""
        ...


@runtime_checkable
class AsyncScrubs(Protocol):
    """`Scrubs`, awaited."""

    async def scrub(self) -> None:
        """Leave nothing of what was dropped."""
        ...


class AsyncClock(Protocol):
    """`Clock`, awaited."""

    def now(self) -> datetime:
        """Return the time with its zone."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...


# ------------------------------------------------------------------ one by one
def each(do: Callable[[S], T], items: Sequence[S]) -> list[Outcome[T]]:
    """Do it for one item after another; what one raises is that one's outcome.

    >>> each(lambda n: 10 // n, [2, 5])
    [Ok(value=5), Ok(value=2)]
    """
    outcomes: list[Outcome[T]] = []
    for item in items:
        try:
            outcomes.append(Ok(do(item)))
        except Exception as error:  # sorted out by own_outcome, which raises what ends the run
            outcomes.append(own_outcome(error, do))
    return outcomes


async def aeach(do: Callable[[S], Awaitable[T]], items: Sequence[S]) -> list[Outcome[T]]:
    """Do it for one item after another, awaited."""
    outcomes: list[Outcome[T]] = []
    for item in items:
        try:
            outcomes.append(Ok(await do(item)))
        except Exception as error:  # as in each()
            outcomes.append(own_outcome(error, do))
    return outcomes


def own_outcome(error: Exception, do: object) -> Failed:
    """Return what an error means for the one record; raise it where it ends the run."""
    match error:
        case AuthenticationError() | ConfigurationError():
            raise error
        case RemoteError() | DecodeError():
            return Failed(error)
        case _:
            name = getattr(do, "__qualname__", type(do).__name__)
            unknown = OutcomeUnknownError(f"{name} raised {type(error).__name__}; it may have taken effect")
            unknown.__cause__ = error
            return Failed(unknown)
