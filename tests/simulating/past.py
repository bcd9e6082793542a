"""What is known of a store's past: what the oracle may expect of a run, and of what nothing can be said."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from attrs import define, evolve, field

from acumatica_b2b.model import (
    Company,
    CompanyUser,
    ContactID,
    CustomerID,
    LocationID,
    Record,
    RecordKind,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import RunReport
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests import oracle
from tests.simulating.shop import Truth


@define(eq=False)
class Past:
    """The oracle's history, kept true through runs that were cut off, through losses and people's edits.

    Of what a run may or may not have linked before it was cut off, the history says nothing until a run without
    faults has made it sure.
    """

    erp: MemoryErp
    shop: MemoryShop
    policy: SyncPolicy
    truth: Truth
    movers: set[ContactID]
    """Contacts who ever changed their customer."""
    history: oracle.History = field(factory=oracle.History)
    before: oracle.Companies = field(factory=dict[CustomerID, Company | None])
    """The companies as the last run found them."""
    outsiders: frozenset[str] = frozenset()
    leaderless: frozenset[CustomerID] = frozenset()
    ragged: bool = False
    """Whether something ran, or was edited, of which nobody judged what came."""
    lost: set[CustomerID] = field(factory=set[CustomerID])
    """Customers and companies that nothing tells to belong together."""
    sure: set[str] = field(factory=set[str])
    """Users and companies that a judged run has seen."""
    pending: set[ContactID] = field(factory=set[ContactID])
    """Contacts to be linked again since the log was lost."""

    def look(self) -> None:
        """Take the world for what the next run finds."""
        self.before = self.companies()
        homes = {company.id for company in self.before.values() if company}
        outside = (company for key, company in self.shop.snapshot().items() if key not in homes)
        self.outsiders = frozenset(oracle.lowered(user.email) for company in outside for user in company.users)
        mine = self.truth.leaderless
        self.leaderless = frozenset(key for key, company in self.before.items() if company and company.id in mine)
        self.remember()

    @contextmanager
    def edited(self) -> Iterator[None]:
        """Take notice of what people do in the shop meanwhile."""
        users, places = self._users(), self._places()
        homes = {key: company.id for key, company in self.companies().items() if company}
        yield
        self.open_places(places - self._places())
        deleted, known = users - self._users(), {link[1]: key for key, link in self.history.users.items()}
        contacts = {
            contact
            for user, contact in self.truth.contact_of.items()
            if user in deleted and (user not in self.sure or known.get(user) != contact)  # had the log them? who knows
        }
        self.history = evolve(self.history, open=self.history.open | contacts)
        there = self.shop.snapshot()
        self.lost |= {key for key, company in homes.items() if company not in there and company not in self.sure}

    def _users(self) -> set[UserID]:
        return {user.id for company in self.shop.snapshot().values() for user in company.users}

    def _places(self) -> set[tuple[CustomerID, str]]:
        """Return the addresses there are, by customer and external id."""
        there = self.companies()
        return {(key, one.external_id) for key, company in there.items() if company for one in company.addresses}

    def open_places(self, lost: Iterable[tuple[CustomerID, str]]) -> None:
        """Say nothing any more of locations whose addresses people deleted, or left without their external id."""
        places: dict[tuple[CustomerID, str], LocationID] = {
            (key, one.note_id): one.id for key, held in self.erp.snapshot().items() for one in held.locations
        }
        new = {(key, places[key, note]) for key, note in lost if (key, note) in places}
        self.history = evolve(self.history, open_places=self.history.open_places | new)

    def judged(self, report: RunReport) -> oracle.Step:
        """Return what the oracle is to judge."""
        excused = {f.record for f in report.findings if f.kind.name in {"GUARD_HELD", "ABORTED", "REFUSED"}}
        step = self.asked()
        # whether people's deletion holds for a contact that moves on is left open
        excused |= {Record(RecordKind.CONTACT, one) for one in step.deleted & self.movers}
        excused |= {Record(RecordKind.CONTACT, one) for one in self._in_the_way(step)}
        lost = {key for key, company in self.before.items() if key in self.lost or (self.lost and company is None)}
        excused |= {Record(RecordKind.CUSTOMER, one) for one in lost}
        return evolve(step, excused=frozenset(excused))

    def _in_the_way(self, step: oracle.Step) -> set[ContactID]:
        """Return movers and others who want their addresses: who comes first where waves are small is left open."""
        moved = {
            key for key, link in step.linked.items() if key in step.contacts and link[0] != step.contacts[key][0].id
        }
        wanted = {step.claims_by_itself(key) for key in moved} - {""}
        return {key for key in step.contacts if step.claims_by_itself(key) in wanted}

    def asked(self) -> oracle.Step:
        """Return the world as the last run found it."""
        return oracle.Step(
            customers=self.erp.snapshot(),
            before=self.before,
            policy=self.policy,
            history=self.history,
            outsiders=self.outsiders,
            leaderless=self.leaderless,
        )

    def companies(self) -> dict[CustomerID, Company | None]:
        """Return the shop's companies by customer: by the external id, or as they were made."""
        there = self.shop.snapshot()
        by_note = {company.external_id: company for company in there.values() if company.external_id}
        made = {owner: there[key] for key, owner in self.truth.customer_of.items() if key in there}
        return {key: by_note.get(held.note_id) or made.get(key) for key, held in self.erp.snapshot().items()}

    def remember(self) -> None:
        """Bring the past up to what really happened since the last judged run."""
        unknown = {
            key: company for key, company in self.before.items() if company and company.id in self.truth.unlogged
        }
        self.lost |= {key for key, company in unknown.items() if not self.tells(key, company)}
        unlike = {key for key in self.pending if not self.looks_linked(key)}
        self.history = evolve(self.history, open=self.history.open | unlike)
        if not self.ragged:
            return
        history, truth = self.history, self.truth
        users = {key: link for key, link in history.users.items() if link[1] not in truth.removed}
        moved = {key for key, (_, user) in users.items() if truth.contact_of.get(user, key) != key}
        users = {key: link for key, link in users.items() if key not in moved}
        now = {user.id: (home, user) for home, company in self.before.items() if company for user in company.users}
        for user, contact in truth.contact_of.items():
            if user in now and user not in truth.orphaned:
                users[contact] = (now[user][0], user)
        deleted = history.deleted | {key for key, (_, user) in users.items() if user not in now}
        step = oracle.Step(customers=self.erp.snapshot(), before=self.before, policy=self.policy)
        linked = {user: key for key, (_, user) in users.items()}
        unsure: dict[ContactID, tuple[CustomerID, UserID]] = {}
        for user, (home, held) in now.items():
            for one in self.erp.snapshot()[home].contacts:
                if step.claims_by_itself(one.id) == held.email and linked.get(user) != one.id:
                    unsure |= {one.id: (home, user)} if one.id not in users else {}
                    unsure |= {linked[user]: users[linked[user]]} if user in linked else {}
        homes = {key for key, company in self.before.items() if company}
        self.history = oracle.History(
            users=users | unsure,
            companies=history.companies | homes | set(truth.customer_of.values()),
            granted={home: user for home, user in truth.granted.items() if user in now},
            deleted=frozenset(),
            open=history.open | deleted | moved | unsure.keys(),
            open_places=history.open_places,
        )
        self.ragged = False

    def looks_linked(self, key: ContactID) -> bool:
        """Tell whether a contact whose link was lost is sure to be linked again."""
        step = self.asked()
        link = self.history.users.get(key)
        return link is not None and link[1] in step.users and self.is_linked(key, step, *step.users[link[1]])

    def settle(self, step: oracle.Step, history: oracle.History) -> None:
        """Take what the oracle says of the past for the truth."""
        after = self.companies()
        there = {user.id: (key, user) for key, company in after.items() if company for user in company.users}
        surely = {key for key, (_, user) in history.users.items() if self.is_linked(key, step, *there[user])}
        stranded = {
            contact
            for contact, (home, _) in step.history.users.items()
            if home in step.history.companies and not step.stands(home)
        }
        for contact in sorted(surely):
            user = history.users[contact][1]
            self.truth.contact_of[user] = contact
            self.truth.orphaned.discard(user)
            self.truth.unlogged.discard(user)
        found = {key for key, company in after.items() if company and self.tells(key, company)}
        self.truth.unlogged -= {company.id for key, company in after.items() if company and key in found}
        granted = {home: user for home, user in self.truth.granted.items() if home in history.granted}
        stranded |= self.pending - surely
        self.pending.clear()
        self.history = evolve(history, granted=granted, open=(history.open | step.history.open) - surely | stranded)
        companies = {key: company.id for key, company in self.companies().items() if company}
        self.lost -= found
        self.sure = {*there, *companies.values()}

    def is_linked(self, key: ContactID, step: oracle.Step, home: CustomerID, user: CompanyUser) -> bool:
        """Tell whether a run without faults can't but have linked a contact to a user."""
        if key not in step.contacts or home in self.lost:
            return False
        customer, contact = step.contacts[key]
        same = step.claims_by_itself(key) == oracle.lowered(user.email) and contact.note_id == user.external_id
        return same and customer.id == home

    def tells(self, customer: CustomerID, company: Company) -> bool:
        """Tell whether a customer and its company name one another, whatever the log says."""
        held = self.erp.snapshot()[customer]
        named = held.reference == company.id and not self.policy.adopt_companies  # another may come first
        return held.note_id == company.external_id or named

    def forget(self) -> None:
        """Work out what can still be known without the log."""
        truth, there = self.truth, self.shop.snapshot()
        truth.customer_of = {key: owner for key, owner in truth.customer_of.items() if key in there}
        truth.granted.clear()
        truth.given.clear()
        truth.counted = {kind: [] for kind in truth.counted}
        truth.unlogged = {*there, *(user.id for company in there.values() for user in company.users)}
        self.before = self.companies()
        known: set[CustomerID] = set()
        for key, company in self.before.items():
            if company and not self.tells(key, company):
                self.lost.add(key)
            elif company:
                known.add(key)
        step = self.asked()
        users: dict[ContactID, tuple[CustomerID, UserID]] = {}
        astray: set[ContactID] = set()
        for home, company in self.before.items():
            for user in company.users if company else ():
                contact = truth.contact_of.get(user.id)
                found = step.contacts.get(contact) if contact else None
                if contact is None or found is None:
                    continue
                if user.external_id == found[1].note_id or found[1].reference == user.id:
                    users[contact] = (home, user.id)
                    astray |= {contact} if found[0].id != home else set()
                else:
                    truth.orphaned.add(user.id)
        claims = Counter(step.claims_by_itself(key) for key in step.contacts)
        unfit = {key for key in step.contacts if not step.claims_by_itself(key) or claims[step.claims(key)] > 1}
        self.history = oracle.History(
            users=users,
            companies=frozenset(known),
            open=frozenset(unfit | astray | self._gone(truth.contact_of.values())),
            open_places=self.history.open_places,
        )
        self.pending = set(users)
        self.open_places(self._places())

    def _gone(self, contacts: Iterable[ContactID]) -> set[ContactID]:
        """Return the contacts of these that no customer has."""
        return set(contacts) - {one.id for held in self.erp.snapshot().values() for one in held.contacts}
