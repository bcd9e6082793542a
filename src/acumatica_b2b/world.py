"""The world: all that a run knows of one customer. Every observation and every step makes a new one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from acumatica_b2b.actions import (
    Step,
)
from acumatica_b2b.folding import applied
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import Desired, contact_record, customer_record, plain_email
from acumatica_b2b.matching import Contest, Pairs
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyID,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    LocationID,
    Record,
    RecordKind,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import Guarded, SyncPolicy
from acumatica_b2b.synclog import Entry

T = TypeVar("T")


@frozen(kw_only=True)
class Home:
    """Where a contact's user is, according to the log of another customer."""

    customer: CustomerID
    user: UserID


@frozen(kw_only=True)
class Loaded:
    """The oldest commit of a log that was loaded: its first one, or its last snapshot."""

    version: int
    at: datetime


@frozen(kw_only=True)
class World:
    """What one run knows of one customer.

    `holders` says who has an address in the whole store, as far as that was asked; `gone` what
    the ERP says of contacts that are linked here and no longer the customer's: None proves a deletion.
    """

    customer: Customer
    desired: Desired
    policy: SyncPolicy
    capabilities: Capabilities
    state: LogState = LogState()
    company: Company | None = None
    version: int = 0
    first: Loaded | None = None
    """Where the log as it was loaded begins."""
    fingerprint: str = ""
    """What the log ends with, where it ends with a SettledAt."""
    ambiguous: str = ""
    adopts: str = ""
    contest: Contest = Contest(users=())
    pairs: Pairs = Pairs(users={})
    places: Mapping[LocationID, AddressID] = field(factory=dict[LocationID, AddressID])
    indexed: frozenset[ContactID] = frozenset()
    """The contacts that the index over all customers gives to this one."""
    index: Mapping[ContactID, int] = field(factory=dict[ContactID, int])
    """The versions of the index's logs, as far as they were loaded."""
    elsewhere: Mapping[ContactID, Home] = field(factory=dict[ContactID, Home])
    holders: Mapping[str, CompanyUser | None] = field(factory=dict[str, CompanyUser | None])
    shoppers: Mapping[str, str] = field(factory=dict[str, str])
    """Who has a wanted address and never was a user of ours, where the policy asks."""
    super_admins: frozenset[str] = frozenset()
    """Wanted addresses that are known to belong to people above all companies."""
    lost: Mapping[str, ContactID] = field(factory=dict[str, ContactID])
    """Addresses that go to contacts of other customers of the wave."""
    rings: Mapping[ContactID, tuple[ContactID, ...]] = field(factory=dict[ContactID, tuple[ContactID, ...]])
    """Who waits for one another's address, over the customers of the wave."""
    gone: Mapping[ContactID, Contact | None] = field(factory=dict[ContactID, Contact | None])
    may_remove: bool = False
    surveyed: bool = False
    """Whether the company may be shown as a survey found it, a while ago."""
    planning: bool = False
    """Whether this is a plan: ids that nobody knows yet are written back all the same."""
    allowed: frozenset[Guarded] = frozenset()
    held: frozenset[Guarded] = frozenset()
    approved: frozenset[str] = frozenset()
    """What people approved, as `guard.approval` names it: no limit holds it."""
    unguarded: bool = False
    """Whether this is to show what would be done if people approved all of it."""
    expected: frozenset[tuple[str, Record]] | None = None
    """The steps of the plan that is followed, by kind and record; None where none is."""
    unlinked: Mapping[Record, str] = field(factory=dict[Record, str])
    """Which counterparts were lost in this run."""
    refused: Mapping[Step, Exception] = field(factory=dict[Step, Exception])
    taken: tuple[Step, ...] = ()
    unsaved: tuple[Entry, ...] = ()
    _answers: dict[Any, Any] = field(factory=dict[Any, Any], init=False, repr=False, eq=False)

    def once(self, ask: Callable[["World"], T]) -> T:
        """Return what a question about this world comes to: asked again, it is not looked for again."""
        if ask not in self._answers:
            self._answers[ask] = ask(self)
        answer: T = self._answers[ask]
        return answer

    @cached_property
    def record(self) -> Record:
        """The customer's own record."""
        return customer_record(self.customer.id)

    @cached_property
    def users(self) -> Mapping[UserID, CompanyUser]:
        """The company's users by id."""
        return {user.id: user for user in self.company.users} if self.company else {}

    @cached_property
    def users_at(self) -> Mapping[str, tuple[CompanyUser, ...]]:
        """The company's users by the address they have."""
        found: dict[str, tuple[CompanyUser, ...]] = {}
        for user in self.users.values():
            email = plain_email(user.email)
            found[email] = (*found.get(email, ()), user)
        return found

    @cached_property
    def linked(self) -> Mapping[ContactID, UserID]:
        """The contacts whose linked user is there."""
        there = self.users
        return {contact: user for contact, user in self.state.contacts.items() if user in there}

    @cached_property
    def attempted(self) -> frozenset[Step]:
        """What was taken or refused in this run: it is not proposed again."""
        return frozenset((*self.taken, *self.refused))

    @property
    def locations(self) -> Mapping[LocationID, AddressID]:
        """The links of locations."""
        return {
            LocationID(record.id): AddressID(StorefrontID(link.id))
            for record, link in self.state.links.items()
            if record.kind is RecordKind.LOCATION
        }


def company_ref(world: World, identifier: str | None, *, again: bool = False) -> CompanyRef:
    """Return what names a company of this customer to who looks at it: its id, or else the external id.

    Nobody looks at its addresses where the locations were left unread.
    """
    return CompanyRef(
        customer=world.customer.id,
        external_id=world.customer.note_id,
        id=CompanyID(StorefrontID(identifier)) if identifier else None,
        again=again,
        addresses=world.customer.locations_read,
    )


def noted(world: World, *entries: Entry) -> World:
    """Return the world with entries added to its state, to be saved with the next commit."""
    if not entries:
        return world
    state = applied(world.state, *entries)
    lost = {record: link.id for record, link in world.state.links.items() if record not in state.links}
    return evolve(world, state=state, unsaved=(*world.unsaved, *entries), unlinked={**world.unlinked, **lost})


def may_be_made_again(world: World, record: Record) -> bool:
    """Tell whether the policy, or a person, wants what people deleted in the shop."""
    return world.policy.recreate_deleted or record in world.state.retried


def deleted_users(world: World) -> frozenset[ContactID]:
    """Return the contacts whose linked user was deleted by people: a proven listing lacks it."""
    missing = world.state.contacts.keys() - world.linked.keys()
    return frozenset(contact for contact in missing if is_deleted(world, contact))


def is_deleted(world: World, contact: ContactID) -> bool:
    """Tell whether people deleted the user that a contact is linked to."""
    proven = world.company is not None and world.company.complete
    missing = contact in world.state.contacts and contact not in world.linked
    return proven and missing and not may_be_made_again(world, contact_record(contact))
