"""Checks a whole set-up, in plain words: both systems as far as their clients can, the tenant, and the log.

Nothing is written to either system; to the sync log one commit, which is dropped again.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from attrs import define, field, frozen

from acumatica_b2b.check import Book, Check, CheckResult, ChecksItself, Needs, Part, Seen, Verdict, good, note, wrong
from acumatica_b2b.flow import Batch, Effect, Failed, Flow, Ok, Outcome, arun, ask, run
from acumatica_b2b.keys import customer_key, customer_of
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.protocols import (
    AsyncErp,
    AsyncStorefront,
    AsyncSyncLogStore,
    Commit,
    Erp,
    KnowsRoles,
    LogKey,
    PrimaryMarks,
    Storefront,
    SyncLogStore,
)
from acumatica_b2b.runlog import fold_runs

Fills: TypeAlias = frozenset[str] | None
"""The names of the extra fields that the mapping fills; None: nobody knows."""
_PROBES = 3
"""So many customers of the log are looked for in the ERP."""


def check(
    erp: Erp, storefront: Storefront, store: SyncLogStore, policy: SyncPolicy, *, fills: Fills = frozenset()
) -> CheckResult:
    """Return what was looked at, and the way out where it is wrong.

    What is wrong is a value: nothing is raised for it, and it stops only what rests on it.
    """
    setup = _Setup(erp, storefront, store, policy, needs_of(policy, fills))
    return run(setup.checked(), _answered)


async def acheck(
    erp: AsyncErp,
    storefront: AsyncStorefront,
    store: AsyncSyncLogStore,
    policy: SyncPolicy,
    *,
    fills: Fills = frozenset(),
) -> CheckResult:
    """Return the same over async clients."""
    setup = _Setup(erp, storefront, store, policy, needs_of(policy, fills))
    return await arun(setup.checked(), _awaited)


def needs_of(policy: SyncPolicy, fills: Fills = frozenset()) -> Needs:
    """Return what a policy will ask of both systems."""
    return Needs(
        roles=tuple(dict.fromkeys(policy.roles)),
        connection_types=policy.connection_types,
        addresses=policy.include_locations,
        references=policy.write_back,
        reference_format=policy.reference_format,
        reference_length=policy.reference_length,
        shoppers=policy.existing_shoppers is not ExistingShoppers.ADOPT,
        fills=fills,
    )


# ------------------------------------------------------------------ calls
@frozen(eq=False)
class _Call(Effect[Any]):
    """A call of a host's object, made or awaited."""

    call: Callable[[], Any]


def _answered(batch: Batch) -> Sequence[Any]:
    return [effect.call() for effect in batch if isinstance(effect, _Call)]


async def _awaited(batch: Batch) -> Sequence[Any]:
    return [await effect.call() for effect in batch if isinstance(effect, _Call)]


# ------------------------------------------------------------------ the flow
@define
class _Setup:
    """What is checked; the clients may be sync or async, all of one kind."""

    erp: Any
    storefront: Any
    store: Any
    policy: SyncPolicy
    needs: Needs
    _known: tuple[CustomerID, ...] = field(default=(), init=False)

    def checked(self) -> Flow[CheckResult]:
        """Return all that was looked at: ERP, storefront, log."""
        log = Book(Part.LOG)
        way_out = "check the store's set-up"
        yield from log.look("reading", self._read(), way_out)
        yield from log.look("writing", self._write(), way_out, rests_on=("reading",))
        erp, shop = Book(Part.ERP), Book(Part.STOREFRONT)
        yield from _own(erp, self.erp, self.needs, self._first_page())
        if not log.stands("reading"):
            erp.skip("tenant", "because of the sync log")
        elif self.policy.check_tenant:
            rests_on = tuple(check.about for check in erp.checks)
            yield from erp.look("tenant", self._tenant(), "check the tenant", rests_on=rests_on)
        yield from _own(shop, self.storefront, self.needs, self._roles())
        return CheckResult(checks=(*erp.checks, *shop.checks, *log.checks))

    # -------------------------------------------------------------- the log
    def _read(self) -> Flow[Iterable[Seen]]:
        store, key = self.policy.store, LogKey(f"{self.policy.store}/run")
        (commits,) = yield from ask(_Call(lambda: self.store.load([key])))
        fold_runs((commit.version, commit.body) for commit in commits)
        prefix = customer_key(self.policy, CustomerID(""))
        keys = yield from ask(_Call(lambda: self.store.keys(prefix, None, _PROBES)))
        self._known = tuple(customer_of(self.policy, key) for key in keys)
        if not commits and not keys:
            return (note(f"it is empty: nothing was synced for store {store!r} yet"),)
        return (good(f"it knows store {store!r} from earlier runs"),)

    def _write(self) -> Flow[Iterable[Seen]]:
        key = LogKey(f"{self.policy.store}/check")
        (commits,) = yield from ask(_Call(lambda: self.store.load([key])))
        probe = Commit(key=key, version=max((commit.version for commit in commits), default=0) + 1, body="{}")
        yield from ask(_Call(lambda: self.store.append([probe])))
        (again,) = yield from ask(_Call(lambda: self.store.append([probe])))
        yield from ask(_Call(lambda: self.store.drop(key, probe.version + 1)))
        if again:
            said = "it keeps two commits of one version: two runs at once would not see each other"
            return (wrong(said, "let append() answer False where (key, version) is taken"),)
        return (good("it keeps a commit, refuses a second one of that version, and drops it again"),)

    # -------------------------------------------------------------- the systems
    def _tenant(self) -> Flow[Iterable[Seen]]:
        if not self._known:
            way_out = "compare a plan for a customer that you know"
            return (note("nothing was synced yet, so no customer proves that it is the right one", way_out),)
        found: Sequence[Outcome[Any]] = yield from ask(_Call(lambda: self.erp.customers(self._known)))
        names = ", ".join(repr(str(customer)) for customer in self._known)
        if any(isinstance(outcome, Ok) and outcome.value is not None for outcome in found):
            return (good("it holds customers that were synced before"),)
        for outcome in found:
            if isinstance(outcome, Failed):
                raise outcome.error
        said = f"the ERP holds none of the customers {names}, which were synced before: it looks like another tenant"
        return (wrong(said, "correct the tenant, or set the policy's check_tenant to False"),)

    def _first_page(self) -> Flow[Iterable[Seen]]:
        yield from ask(_Call(lambda: self.erp.read(PrimaryMarks(), None)))
        return (good("a page of customers can be read; this client can't check more"),)

    def _roles(self) -> Flow[Iterable[Seen]]:
        if not isinstance(self.storefront, KnowsRoles):
            return (note("this client can't check itself", "give it check(), or require_roles()"),)
        yield from ask(_Call(lambda: self.storefront.require_roles(self.needs.roles)))
        return (good(f"the roles {', '.join(map(repr, self.needs.roles))} are there"),)


def _own(book: Book, client: Any, needs: Needs, otherwise: Flow[Iterable[Seen]]) -> Flow[None]:
    """Look at what a client itself can tell of its set-up, else at what any client can."""
    if not isinstance(client, ChecksItself):
        yield from book.look("client", otherwise, "check its set-up")
        return
    otherwise.close()
    try:
        book.add((yield from ask(_Call(lambda: client.check(needs)))))
    except Exception as error:  # a host's client may raise anything
        said = f"its check() raised {type(error).__name__}: {error}"
        way_out = "correct the client"
        book.add([Check(part=book.part, about="client", verdict=Verdict.WRONG, said=said, way_out=way_out)])
