"""The world: all that a run knows of one customer. Every observation and every step makes a new one."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from acumatica_b2b.actions import (
    Step,
    UpdateUser,
)
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.folding import applied
from acumatica_b2b.logstate import Link, LogState
from acumatica_b2b.mapping import Desired, contact_record, customer_record, map_contact, plain_email
from acumatica_b2b.matching import Contest, Pairs, contested, match_addresses, match_users, referred
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
    DesiredUser,
    LocationID,
    Record,
    RecordKind,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import Guarded, SyncPolicy
from acumatica_b2b.steps import address_fields, company_fields, digests, record_of, sent_fields, user_fields
from acumatica_b2b.synclog import Entry, Linked, Refused, Unlinked, digest

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
    """Return what names a company of this customer to who looks at it: its id, or else the external id."""
    known = CompanyID(StorefrontID(identifier)) if identifier else None
    return CompanyRef(customer=world.customer.id, external_id=world.customer.note_id, id=known, again=again)


def noted(world: World, *entries: Entry) -> World:
    """Return the world with entries added to its state, to be saved with the next commit."""
    if not entries:
        return world
    state = applied(world.state, *entries)
    lost = {record: link.id for record, link in world.state.links.items() if record not in state.links}
    return evolve(world, state=state, unsaved=(*world.unsaved, *entries), unlinked={**world.unlinked, **lost})


# ------------------------------------------------------------------ observing
def adopted(world: World, company: Company | None) -> World:
    """Return the world as just observed: its company, who is who in it, and the links that follow."""
    world = evolve(world, company=company)
    contest = contested(world.desired, _known(world), deleted_users(world), {**world.lost, **movers(world)})
    world = evolve(world, contest=contest, pairs=Pairs(users={}), places={})
    if company is None:
        return world
    references = {c.id: referred(c.reference, world.policy) for c in world.customer.contacts}
    pairs = match_users(
        _who_may_have_one(world),
        company,
        world.state.contacts,
        {contact: UserID(StorefrontID(user)) for contact, user in references.items() if user},
        _kept(world),
        frozenset((ContactID(record.id), user) for record, user in world.state.apart),
    )
    apart = frozenset((LocationID(record.id), address) for record, address in world.state.apart)
    places = match_addresses(world.desired, company, world.locations, apart)
    world = evolve(world, pairs=pairs, places=places)
    return noted(world, *_links(world, company))


def _who_may_have_one(world: World) -> Iterator[DesiredUser]:
    """Yield who may be paired with a user of this company.

    Not one who still has a user in another customer's company; nor may one whose user people deleted
    take over the user of somebody else who had the same address.
    """
    made = {user.external_id.lower() for user in world.users.values()}
    linked = {plain_email(world.users[user].email) for user in world.linked.values()}
    for wanted in world.contest.users:
        taken_over = wanted.email in linked and is_deleted(world, wanted.contact)
        if wanted.external_id in made or not (wanted.contact in world.elsewhere or taken_over):
            yield wanted


def _known(world: World) -> frozenset[ContactID]:
    """Return the contacts who have a user here, by its link or its external id, or come from one elsewhere."""
    there = {user.external_id.lower() for user in world.users.values() if user.external_id}
    # whose old user was removed by now, and the link with it
    coming = {finding.record for finding in world.state.findings if finding.kind is FindingKind.MOVE_WAITS}
    users = world.desired.users
    known = (u.contact for u in users if u.external_id in there or contact_record(u.contact) in coming)
    return frozenset(known).union(world.linked, world.elsewhere)


def movers(world: World) -> Mapping[str, ContactID]:
    """Return the addresses of contacts on their way to another customer, but for those that linked ones have."""
    moved = [map_contact(now, world.policy) for now in world.gone.values() if now and now.customer]
    if not moved:
        return {}
    users = world.users
    held = {plain_email(users[user].email) for contact, user in world.linked.items() if contact not in world.gone}
    return {user.email: user.contact for user in moved if isinstance(user, DesiredUser) and user.email not in held}


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


def _kept(world: World) -> frozenset[ContactID]:
    """Return the contacts who want no user here and keep the one they have.

    They are on their way to another customer, or no leavers.

    A contact whose user holds the very address that went to another contact loses that user to it.
    """
    findings = world.desired.findings
    out = {f.record.id for f in findings if f.record.kind is RecordKind.CONTACT and f.kind.about.leaves}
    out |= {user.contact for user in world.contest.users}
    lost = {user.contact: user.email for user in world.desired.users}
    linked, users = world.linked, world.users
    moved = {contact for contact, now in world.gone.items() if now and now.customer}
    return frozenset(contact for contact in moved if contact in linked) | frozenset(
        contact.id
        for contact in world.customer.contacts
        if contact.id in linked
        and contact.id not in out
        and plain_email(users[linked[contact.id]].email) != lost.get(contact.id)
    )


def _links(world: World, company: Company) -> Iterator[Entry]:
    """Yield what the log has to learn from an observation."""
    state, users = world.state, world.users
    pairs = {contact_record(contact): user for contact, user in world.pairs.users.items()}
    places = {Record(RecordKind.LOCATION, location): address for location, address in world.places.items()}
    now: dict[Record, str] = {world.record: company.id, **pairs, **places}
    taken_over = {(record.kind, identifier) for record, identifier in now.items()}
    for record, link in state.links.items():
        if record not in now and (record.kind, link.id) in taken_over:
            yield Unlinked(record=record)
    for record, identifier in now.items():
        old = state.links.get(record)
        granted = record in pairs and _was_granted(world, record, users[pairs[record]])
        if old is None or old.id != identifier or (granted and identifier not in state.granted):
            yield Linked(record=record, id=identifier, granted=granted)
    for record, identifier in _made_before_a_crash(world, company):
        if record not in now and record not in state.links and (record.kind, identifier) not in taken_over:
            user = users.get(UserID(StorefrontID(identifier)))
            yield Linked(record=record, id=identifier, granted=user is not None and _was_granted(world, record, user))


def _made_before_a_crash(world: World, company: Company) -> Iterator[tuple[Record, str]]:
    """Yield what a run that was cut off had made: where it is wanted no more, nothing else leads to it."""
    begun = [intent.step for intent in world.state.open.values() if intent.step.do.startswith("Create")]
    if not begun:
        return
    notes = {contact_record(contact.id): contact.note_id for contact in world.customer.contacts}
    users = {plain_email(user.email): user for user in company.users}
    addresses = {digests(address_fields(address))["address"]: address.id for address in company.addresses}
    for step in begun:
        record = contact_record(ContactID(step.admin)) if step.admin else step.record
        user, address = users.get(step.email), addresses.get(step.fields.get("address", ""))
        if user and user.external_id.lower() in {"", notes.get(record, user.external_id.lower())}:
            yield record, user.id
        elif address:
            yield record, address


def _was_granted(world: World, record: Record, user: CompanyUser) -> bool:
    """Tell whether an admin has the role from us, also by a step whose answer nobody recorded."""
    if user.role != world.policy.primary_role:
        return False
    return record.id in world.state.awaited or user.id in world.state.grants


def read_back(world: World, company: Company | None) -> World:
    """Return the world with what the shop made of the values it was sent in this run.

    What differs is remembered, so that a shop that rewrites a value is not written to for ever.
    An e-mail address is no such value: see `findings`.
    """
    world = adopted(world, company)
    if company is None:
        return world
    return _email_checked(noted(world, *_rewritten(world, company)))


def _email_checked(world: World) -> World:
    """Return the world in which a change of address that the shop did not take is refused."""
    users = world.users
    for step, email in _last_addresses(world).items():
        if step.user in users and plain_email(users[step.user].email) != email:
            error = RejectedError(Reason.INVALID, "the shop did not take the new e-mail address")
            refused = Refused(
                step=digest(step), reason=error.reason, message=str(error), record=contact_record(step.contact)
            )
            world = noted(evolve(world, refused={**world.refused, step: error}), refused)
    return world


def _last_addresses(world: World) -> Mapping[UpdateUser, str]:
    """Return the last change of each user's address in this run: one that was parked has two."""
    changes = [step for step in world.taken if isinstance(step, UpdateUser) and dict(step.changes).get("email")]
    return {step: dict(step.changes)["email"] for step in {step.user: step for step in changes}.values()}


def _rewritten(world: World, company: Company) -> Iterator[Entry]:
    written: dict[Record, set[str]] = {}
    for step in world.taken:
        written.setdefault(record_of(step), set()).update(sent_fields(step))
    there = {world.record: digests(company_fields(company))}
    there |= {contact_record(c): digests(user_fields(world.users[u])) for c, u in world.pairs.users.items()}
    addresses = {address.id: address for address in company.addresses}
    there |= {
        Record(RecordKind.LOCATION, location): digests(address_fields(addresses[address]))
        for location, address in world.places.items()
    }
    for record in sorted(written & there.keys()):
        link = world.state.links.get(record)
        if link and (seen := _differs(link, there[record], written[record])):
            yield Linked(record=record, id=link.id, seen=seen)


def _differs(link: Link, there: Mapping[str, str], written: set[str]) -> dict[str, str]:
    return {
        name: there[name]
        for name, sent in link.sent.items()
        if name in written & there.keys() - {"email"} and there[name] not in {sent, link.seen.get(name)}
    }
