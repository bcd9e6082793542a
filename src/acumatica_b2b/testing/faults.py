"""Faults on cue: a storefront, an ERP or a store that refuses, falls silent or dies where a test says so.

Every single effect (an action, a reference, a commit, a question) is one cue, answered by the script
with a `Fault`. Wrappers that share one `Faults` die together, as the parts of one process do.
"""

import enum
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from attrs import define, field, frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.errors import (
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    StoreError,
)
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
)
from acumatica_b2b.protocols import (
    Commit,
    Cursor,
    Erp,
    KnowsRoles,
    KnowsShoppers,
    LogKey,
    Page,
    Query,
    Storefront,
    SyncLogStore,
)

S = TypeVar("S")
T = TypeVar("T")


class Crash(BaseException):
    """The process dies here: no error that anyone may catch."""


class Fault(enum.Enum):
    """What becomes of one effect."""

    NONE = "none"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    RATE_LIMITED = "rate-limited"
    LOST = "lost"
    """It did not take effect, but nobody can know."""
    ANSWER_LOST = "answer-lost"
    """It took effect, but nobody can know."""
    LEFT_OUT = "left-out"
    """It took effect, and its answer is missing in the list."""
    CRASH_BEFORE = "crash-before"
    CRASH_AFTER = "crash-after"


Script: TypeAlias = Callable[[object], Fault] | Iterable[Fault]
"""Faults by the effect that is about to happen, or one after another and then none."""


def _in_turn(faults: Iterator[Fault]) -> Callable[[object], Fault]:
    return lambda _: next(faults, Fault.NONE)


def _callable(script: Script) -> Callable[[object], Fault]:
    return script if callable(script) else _in_turn(iter(script))


@define
class Faults:
    """A script being played. `seen` counts the effects so far; after a crash nothing happens any more."""

    script: Callable[[object], Fault] = field(converter=_callable, repr=False)
    seen: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False, eq=False)

    def play(self, what: object, do: Callable[[], Outcome[T]]) -> Outcome[T] | None:
        """Return what comes of one effect; None where its answer is left out."""
        with self._lock:
            fault = self._cue(what)
            if fault is Fault.CRASH_BEFORE:
                self._die()
            untouched = _UNTOUCHED.get(fault)
            if untouched is not None:
                return Failed(untouched())
            outcome = do()
            if fault is Fault.CRASH_AFTER:
                self._die()
            if fault is Fault.ANSWER_LOST:
                return Failed(OutcomeUnknownError("the answer was lost on cue"))
            return None if fault is Fault.LEFT_OUT else outcome

    def play_all(self, items: Sequence[S], do: Callable[[S], Outcome[T]]) -> list[Outcome[T]]:
        """Return what comes of each item, without those whose answers are left out."""
        played = (self.play(item, partial(do, item)) for item in items)
        return [outcome for outcome in played if outcome is not None]

    def revive(self) -> None:
        """Begin a new process: the script goes on where it stopped."""
        self.dead = False

    def _cue(self, what: object) -> Fault:
        if self.dead:
            raise Crash
        self.seen += 1
        return self.script(what)

    def _die(self) -> None:
        self.dead = True
        raise Crash


_UNTOUCHED: dict[Fault, Callable[[], Exception]] = {
    Fault.REFUSED: lambda: RejectedError(Reason.OTHER, "refused on cue"),
    Fault.NOT_SENT: lambda: NotSentError("not sent on cue"),
    Fault.RATE_LIMITED: lambda: RateLimitedError("rate-limited on cue", 1.0),
    Fault.LOST: lambda: OutcomeUnknownError("lost on cue"),
}


def _faults(given: Faults | Script) -> Faults:
    return given if isinstance(given, Faults) else Faults(given)


def at(number: int, fault: Fault) -> Faults:
    """Return the script in which the effect of this number, from 1 on, meets a fault."""
    return Faults((*(Fault.NONE for _ in range(1, number)), fault))


def whenever(meets: Callable[[object], bool], fault: Fault) -> Faults:
    """Return the script in which every effect that meets a condition meets the fault."""
    return Faults(lambda what: fault if meets(what) else Fault.NONE)


def _only(answers: Sequence[T]) -> T:
    (answer,) = answers
    return answer


@frozen
class FaultyShop:
    """A storefront with faults; each action and each question is a call of its own."""

    shop: Storefront
    faults: Faults = field(converter=_faults)

    @property
    def capabilities(self) -> Capabilities:
        """What the storefront can do."""
        return self.shop.capabilities

    def require_roles(self, names: Sequence[str], /) -> None:
        """Ask the storefront, if it knows its roles."""
        if isinstance(self.shop, KnowsRoles):
            self.shop.require_roles(names)

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies, or what the script makes of the questions."""
        return self.faults.play_all(companies, lambda ref: _only(self.shop.observe([ref])))

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return the holders, or what the script makes of the questions."""
        return self.faults.play_all(emails, lambda email: _only(self.shop.find_users([email])))

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the shoppers, or what the script makes of the questions; a shop that can't tell has none."""
        if not isinstance(self.shop, KnowsShoppers):
            return [Ok(None) for _ in emails]
        shop = self.shop
        return self.faults.play_all(emails, lambda email: _only(shop.find_shoppers([email])))

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions, as far as the script lets them happen."""
        return self.faults.play_all(actions, lambda action: _only(self.shop.perform([action])))


@frozen
class FaultyErp:
    """An ERP with faults; a page that meets one is an error raised."""

    erp: Erp
    faults: Faults = field(converter=_faults)

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page, or raise what the script makes of it."""
        page = self.faults.play(query, lambda: Ok(self.erp.read(query, after)))
        if isinstance(page, Ok):
            return page.value
        raise OutcomeUnknownError("the page was left out on cue") if page is None else page.error

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return the customers, or what the script makes of the questions."""
        return self.faults.play_all(ids, lambda key: _only(self.erp.customers([key])))

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return the contacts, or what the script makes of the questions."""
        return self.faults.play_all(ids, lambda key: _only(self.erp.contacts([key])))

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write the references, as far as the script lets it happen."""
        return self.faults.play_all(references, lambda reference: _only(self.erp.write_references([reference])))


@frozen
class FaultyStore:
    """A store with faults; what is no crash and no missing answer is a StoreError."""

    store: SyncLogStore
    faults: Faults = field(converter=_faults)

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return the commits of each key."""
        return _stored(self.faults.play_all(keys, lambda key: Ok(_only(self.store.load([key])))))

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store the commits one by one, as far as the script lets it happen."""
        return _stored(self.faults.play_all(commits, lambda commit: Ok(_only(self.store.append([commit])))))

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return the keys that begin with `prefix`."""
        found = self.faults.play_all([prefix], lambda _: Ok(self.store.keys(prefix, after, limit)))
        return [key for keys in _stored(found) for key in keys]

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits."""

        def dropped(_: LogKey) -> Outcome[None]:
            self.store.drop(key, before)
            return Ok(None)

        _stored(self.faults.play_all([key], dropped))


def _stored(outcomes: Sequence[Outcome[T]]) -> list[T]:
    answers: list[T] = []
    for outcome in outcomes:
        match outcome:
            case Ok(answer):
                answers.append(answer)
            case Failed(error):
                message = f"the store failed: {error}"
                raise StoreError(message) from error
    return answers
