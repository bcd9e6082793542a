"""All that was looked at for one contact: values from which its explanation is told."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from acumatica_b2b.actions import CreateCompany, Step
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.findings import Finding
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.guard import Tally, approval
from acumatica_b2b.leaving import leavers
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import contact_record, customer_record
from acumatica_b2b.model import CompanyUser, Contact, ContactID, Customer, CustomerID, Record
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import Guarded
from acumatica_b2b.steps import record_of
from acumatica_b2b.terms import Terms
from acumatica_b2b.world import World


@frozen(kw_only=True)
class Side:
    """How one customer stands to the contact: in the ERP, in the log, in the shop, by the next plan."""

    customer: CustomerID
    contact: ContactID
    before: LogState = LogState()
    """What the log says, before anybody looked."""
    logged: bool = False
    """Whether there is a log of the customer."""
    rows: tuple[LogRow, ...] = ()
    mine: bool = False
    """Whether the log has a user of the contact here."""
    busy_until: datetime | None = None
    found: Customer | None = None
    world: World | None = None
    plan: CompanyPlan | None = None
    error: Exception | None = None

    @property
    def record(self) -> Record:
        """The contact's record."""
        return contact_record(self.contact)

    @property
    def person(self) -> Contact | None:
        """The contact as its customer lists it."""
        listed = self.found.contacts if self.found else ()
        return next((one for one in listed if one.id == self.contact), None)

    @property
    def user(self) -> CompanyUser | None:
        """The contact's user, also one who is to leave."""
        if self.world is None:
            return None
        user = self.world.pairs.users.get(self.contact) or self.world.linked.get(self.contact)
        return self.world.users.get(user) if user else None

    @property
    def is_skipped(self) -> bool:
        """Whether people want the whole customer left as it is."""
        return customer_record(self.customer) in self.before.skipped

    @property
    def takes_part(self) -> bool:
        """Whether the contact is to be a user here, as far as its own data and people's decisions go."""
        if self.world is None or self.is_skipped:
            return False
        return any(user.contact == self.contact for user in self.world.desired.users)

    @property
    def leaves(self) -> bool:
        """Whether the contact's user is to go."""
        if self.world is None or self.is_skipped:
            return False
        return any(leaver.contact == self.contact for leaver in leavers(self.world))

    @property
    def stays(self) -> bool:
        """Whether the contact's user stays as it is, wanted or not."""
        unpaired = self.world is not None and self.contact not in self.world.pairs.users
        return self.user is not None and not self.leaves and (unpaired or self.is_skipped)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the plan about the contact."""
        return tuple(step for step in self.plan.steps if _concerns(step, self.record)) if self.plan else ()

    @property
    def on_approval(self) -> tuple[Step, ...]:
        """The steps about the contact that wait for a person's approval."""
        return tuple(step for step in self.plan.on_approval if _concerns(step, self.record)) if self.plan else ()

    @property
    def counted(self) -> Mapping[Step, Guarded]:
        """Those of all these steps that the guard counts, and as what."""
        kinds = {name: kind for kind, name in self.plan.guarded} if self.plan else {}
        steps = (*self.steps, *self.on_approval)
        return {step: kinds[name] for step in steps if (name := approval(step)) in kinds}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings about the contact and its customer."""
        about = {self.record, customer_record(self.customer)}
        return tuple(finding for finding in self.plan.findings if finding.record in about) if self.plan else ()

    @property
    def mapped(self) -> frozenset[Finding]:
        """Those of them that the mapping came to."""
        return frozenset(self.world.desired.findings) if self.world else frozenset()


def _concerns(step: Step, record: Record) -> bool:
    inline = isinstance(step, CreateCompany) and step.admin is not None and contact_record(step.admin.contact) == record
    return inline or record_of(step) == record


@frozen(kw_only=True)
class Dossier:
    """All that was looked at: the contact, the customers that have to do with it, what the guard counted."""

    contact: ContactID
    read: Outcome[Contact | None]
    sides: tuple[Side, ...]
    tally: Tally
    now: datetime
    terms: Terms

    @property
    def person(self) -> Contact | None:
        """The contact as the ERP has it, its customer's listing first."""
        listed = next((side.person for side in self.sides if side.person), None)
        return listed or (self.read.value if isinstance(self.read, Ok) else None)

    @property
    def home(self) -> Side | None:
        """The customer whose contact it is."""
        named = self.person.customer if self.person else None
        return next((side for side in self.sides if side.customer == named), None)

    @property
    def lead(self) -> Side | None:
        """The customer in whose company the contact has its user, else whose contact it is."""
        return next((side for side in self.sides if side.user), self.home)

    @property
    def known(self) -> bool:
        """Whether Acumatica or the log knows the contact, as far as could be asked."""
        return self.person is not None or bool(self.sides) or isinstance(self.read, Failed)

    def at(self, side: Side) -> str:
        """Return which customer is spoken of, where there are two."""
        return f"at customer {str(side.customer)!r}: " if len(self.sides) > 1 else ""
