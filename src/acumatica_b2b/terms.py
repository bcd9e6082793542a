"""On what terms a run works, and how a customer stands when it has done what it may."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from attrs import Factory, field, fields, frozen

from acumatica_b2b.actions import Step
from acumatica_b2b.errors import AcumaticaB2BError, RemoteError
from acumatica_b2b.findings import Finding
from acumatica_b2b.mapping import CustomerMapping, map_customer
from acumatica_b2b.model import Capabilities, CustomerID, Record
from acumatica_b2b.policy import Guarded, SyncPolicy
from acumatica_b2b.synclog import digest
from acumatica_b2b.whose import Owners


def _edition(terms: "Terms") -> str:
    return _edition_of(terms.policy) if terms.mapping is map_customer else ""


@cache
def _edition_of(policy: SyncPolicy) -> str:
    try:
        released = version("acumatica-b2b")
    except PackageNotFoundError:  # then nobody could tell when the map changes
        return ""
    values: list[Any] = [getattr(policy, one.name) for one in fields(SyncPolicy)]
    told = tuple(_in_order(value) if type(value) in _SETS else value for value in values)
    return digest((released, told))


_SETS: Final = frozenset({frozenset})


def _in_order(values: frozenset[object]) -> tuple[str, ...]:
    return tuple(sorted(map(str, values)))


@frozen(kw_only=True)
class Expected:
    """What a plan said of a customer: a digest of all of it, and its steps by kind and record."""

    digest: str
    steps: frozenset[tuple[str, Record]]


@frozen(kw_only=True)
class Terms:
    """On what terms a run works."""

    policy: SyncPolicy
    capabilities: Capabilities
    mapping: CustomerMapping = map_customer
    run: str
    may_remove: bool = False
    allowed: frozenset[Guarded] = frozenset()
    held: frozenset[Guarded] = frozenset()
    trust_digest: bool = False
    """Whether a customer with unchanged ERP values needs no look at the shop."""
    left_open: frozenset[CustomerID] = frozenset()
    """Whom earlier runs left open: what changed of them then was not all synced."""
    surveyed: bool = False
    """Whether a first look may be at what the shop was surveyed to hold; see `protocols.Surveys`."""
    expected: Mapping[CustomerID, Expected] = field(factory=dict[CustomerID, Expected])
    """The plans to be followed to the letter; customers without one are synced as they stand."""
    first_pass: bool = True
    """Whether what the plans were made from is to be unchanged: later they are under way."""
    owners: Owners = field(factory=Owners)
    """Who is known to have which company, read once a run."""
    approved: frozenset[str] = frozenset()
    """What people approved, as `guard.approval` names it."""
    told: int = 100_000
    """So many steps and findings are kept for the report; more are counted."""
    edition: str = field(default=Factory(_edition, takes_self=True), init=False)
    """What stands for the policy and this version of the map; "" where the map is the host's, and nobody knows it."""


@frozen(kw_only=True)
class Settled:
    """How one customer stands after a run has done what it may."""

    customer: CustomerID
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    failures: int = 0
    """How many steps were refused or went unanswered."""
    removals: int = 0
    """How many users are due to be removed, in the second pass."""
    second_pass: bool = False
    """Whether something is due then."""
    look_at: frozenset[CustomerID] = frozenset()
    waits: bool = False
    """Whether an address or a mover has to be released elsewhere first."""
    released: bool = False
    """Whether an address was given up, or a contact lost its user here."""
    open: bool = False
    """Whether it is to be looked at again, changed in the ERP or not."""
    linked_users: int = 0
    """How many users are linked now."""
    linked_companies: int = 0
    users: int = 0
    """How many more users are linked than before."""
    companies: int = 0
    held: frozenset[Guarded] = frozenset()
    """What the guard held back here."""
    outage: RemoteError | None = None
    """Why a system could not be reached: the run ends."""


class LeftToAnotherError(AcumaticaB2BError):
    """Another runner is at work on this customer, until its lease ends."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message, until)
        self.until = until

    def __str__(self) -> str:
        return str(self.args[0])
