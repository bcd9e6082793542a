"""What the engine asks for, besides the actions themselves, and what it tells."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from attrs import field, frozen

from acumatica_b2b.actions import Step
from acumatica_b2b.findings import Finding
from acumatica_b2b.flow import Effect, Outcome
from acumatica_b2b.model import Company, CompanyRef, CompanyUser, Contact, ContactID, Customer, CustomerID, Undecoded
from acumatica_b2b.policy import Guarded
from acumatica_b2b.protocols import Commit, LogKey, Page, Query


@frozen(kw_only=True, eq=False)
class Chosen:
    """These customers, wherever they are in the ERP's order. Each such source is read for itself."""

    customers: tuple[CustomerID, ...]


Source: TypeAlias = Query | Chosen


@frozen
class NextPage(Effect[Page[Customer | Undecoded] | None]):
    """The next page of a source in this run, each page given once; None at its end."""

    stage = 1
    source: Source
    size: int


@frozen
class Load(Effect[Sequence[Commit]]):
    """The commits of one log."""

    stage = 10
    key: LogKey


@frozen
class Keys(Effect[Sequence[LogKey]]):
    """Some keys that begin with a prefix, in order, behind `after`."""

    stage = 10
    prefix: str
    limit: int
    after: LogKey | None = None


@frozen
class Observe(Effect[Outcome[Company | None]]):
    """A company as it is now."""

    stage = 20
    company: CompanyRef


@frozen
class FindUser(Effect[Outcome[CompanyUser | None]]):
    """Who has an address in the whole store."""

    stage = 21
    email: str


@frozen
class FindShopper(Effect[Outcome[str | None]]):
    """Who shops with an address without being a company user."""

    stage = 21
    email: str


@frozen
class IsSuperAdmin(Effect[Outcome[bool]]):
    """Whether an address belongs to somebody above all companies; no, where the storefront can't tell."""

    stage = 21
    email: str


@frozen
class ReadCustomer(Effect[Outcome[Customer | None]]):
    """A customer as it is now."""

    stage = 15
    customer: CustomerID


@frozen
class ReadContact(Effect[Outcome[Contact | None]]):
    """A contact as it is now, whosever it is."""

    stage = 22
    contact: ContactID


@frozen(kw_only=True)
class Wish:
    """A contact is to have an address; `has` is the one that its user has now."""

    contact: ContactID
    email: str
    has: str = ""


@frozen(kw_only=True)
class Claimed:
    """Which of the addresses claimed go to whom else, and who waits for one another in a ring."""

    lost: Mapping[str, ContactID] = field(factory=dict[str, ContactID])
    rings: Mapping[ContactID, tuple[ContactID, ...]] = field(factory=dict[ContactID, tuple[ContactID, ...]])


@frozen
class Claim(Effect[Claimed]):
    """What comes of a customer's wishes beside those of the other customers of its wave."""

    stage = 23
    wishes: tuple[Wish, ...]
    needs: ContactID | None = None
    """Who has to get its address, or there is no company for the others."""
    surveyed: bool = False
    """Whether what the wishes `has` is as a survey found it a while ago."""


@frozen
class Reserve(Effect[bool]):
    """Whether so many of a kind may go out without a person's approval; if so, they are counted."""

    stage = 24
    kind: Guarded
    count: int


@frozen
class Append(Effect[bool]):
    """Whether a commit is stored; no: its version is taken."""

    stage = 25
    commit: Commit


@frozen
class Drop(Effect[None]):
    """Nothing, once the commits of a log with versions below `before` are forgotten."""

    stage = 27
    key: LogKey
    before: int


@frozen
class Scrub(Effect[None]):
    """Nothing, once no file of the log holds anything of what was dropped."""

    stage = 28


@frozen
class Perform(Effect[Outcome[Any]]):
    """A step, to be sent before a time at which enough of its lease is left."""

    step: Step
    until: datetime
    stage: int
    """The step's own."""


@frozen
class Now(Effect[datetime]):
    """The time."""

    stage: int = 26


@frozen
class NewID(Effect[str]):
    """A text that nobody has used before."""


@frozen
class Wait(Effect[None]):
    """Some time."""

    stage = 90
    seconds: float


@frozen
class RequireRoles(Effect[None]):
    """Nothing, where the storefront has these roles, or can't tell."""

    stage = 5
    names: tuple[str, ...]


@frozen
class RequireShoppers(Effect[None]):
    """Nothing, where the storefront can tell who shops there."""

    stage = 5


@frozen
class Survey(Effect[None]):
    """Nothing, once the storefront knows that about so many companies will be looked at; 0: no more will."""

    stage = 6
    companies: int


@frozen
class Tell(Effect[None]):
    """That the caller's listener hears of it."""

    stage = 80
    event: "Event"


# ------------------------------------------------------------------ events
@frozen(kw_only=True)
class RunStarted:
    """A run began."""

    run: str


@frozen(kw_only=True)
class WaveRead:
    """So many customers came from the ERP."""

    customers: int


@frozen(kw_only=True)
class CustomerSettled:
    """A customer is as near to what it should be as it may come for now."""

    customer: CustomerID
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    error: Exception | None = None


@frozen(kw_only=True)
class Waiting:
    """The run waits, and why."""

    seconds: float
    reason: str


Event: TypeAlias = RunStarted | WaveRead | CustomerSettled | Waiting
