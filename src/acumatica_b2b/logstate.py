"""The state that a customer's log implies: links, grants, what may still be under way, and the rest. See `folding`."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from attrs import define, field, frozen

from acumatica_b2b.findings import Finding
from acumatica_b2b.model import ContactID, Record, RecordKind, StorefrontID, UserID
from acumatica_b2b.synclog import Intended, no_fields


@frozen(kw_only=True)
class Link:
    """A record's counterpart, with digests of what was last sent to it and what came back of that."""

    id: str
    sent: Mapping[str, str] = field(factory=no_fields, hash=False)
    seen: Mapping[str, str] = field(factory=no_fields, hash=False)


@frozen(kw_only=True)
class Refusals:
    """How often a step about a record was refused."""

    record: Record | None
    times: int


@frozen(kw_only=True)
class LogState:
    """What a customer's log says, folded."""

    run: str = ""
    links: Mapping[Record, Link] = field(factory=dict[Record, Link])
    granted: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    """Contacts whose user is created with the Primary Admin's role; its id is not known yet."""
    former_roles: Mapping[str, str] = field(factory=dict[str, str])
    switched_off: frozenset[tuple[RecordKind, str]] = frozenset()
    """Users and companies that we deactivated, or were about to, and did not activate again."""
    suspended: frozenset[str] = frozenset()
    """Users to whom we gave, or were about to give, the role without permissions, and no other since."""
    gave_way: str = ""
    """Who lost the Primary Admin's role to us last."""
    references: Mapping[Record, str] = field(factory=dict[Record, str])
    open: Mapping[str, Intended] = field(factory=dict[str, Intended])
    refusals: Mapping[str, Refusals] = field(factory=dict[str, Refusals])
    skipped: frozenset[Record] = frozenset()
    """What people said is to be left as it is."""
    retried: frozenset[Record] = frozenset()
    """What people said is to be made again, should it be gone."""
    apart: frozenset[tuple[Record, str]] = frozenset()
    """What people said is not to be linked."""
    findings: frozenset[Finding] = frozenset()
    digest: str = ""
    primary: str = ""
    """The primary contact that was last seen."""
    places: str = ""
    basis: str = ""
    archived: bool = False
    """Whether rows of the Customer Log are kept beside the log."""

    @cached_property
    def grants(self) -> frozenset[UserID]:
        """Whose Primary Admin role is ours; one that was intended counts as given."""
        intended = {i.step.id for i in self.open.values() if i.step.grant in {"give", "move"} and i.step.id}
        return frozenset(UserID(StorefrontID(user)) for user in self.granted | intended)

    @cached_property
    def contacts(self) -> Mapping[ContactID, UserID]:
        """The links of contacts."""
        return {
            ContactID(record.id): UserID(StorefrontID(link.id))
            for record, link in self.links.items()
            if record.kind is RecordKind.CONTACT
        }

    def busy_until(self, now: datetime) -> datetime | None:
        """Return when the last running lease ends, None where none runs."""
        leases = [intent.until for intent in self.open.values() if intent.until > now]
        return max(leases, default=None)


def own_contacts(state: LogState) -> frozenset[ContactID]:
    """Return the contacts who have a user of this customer's company, or are about to get one."""
    coming = {ContactID(i.step.admin or i.step.record.id) for i in state.open.values() if i.step.email}
    return frozenset(coming.union(state.contacts))


@define(kw_only=True)
class Draft:
    """A state that entries are added to: to copy it for each would cost the square of a company's people."""

    run: str
    links: dict[Record, Link]
    granted: set[str]
    awaited: set[str]
    former_roles: dict[str, str]
    switched_off: set[tuple[RecordKind, str]]
    suspended: set[str]
    gave_way: str
    references: dict[Record, str]
    open: dict[str, Intended]
    refusals: dict[str, Refusals]
    skipped: set[Record]
    retried: set[Record]
    apart: set[tuple[Record, str]]
    findings: set[Finding]
    digest: str
    primary: str
    places: str
    basis: str
    archived: bool

    def state(self) -> LogState:
        """Return what it has come to."""
        return LogState(
            run=self.run,
            links=self.links,
            granted=frozenset(self.granted),
            awaited=frozenset(self.awaited),
            former_roles=self.former_roles,
            switched_off=frozenset(self.switched_off),
            suspended=frozenset(self.suspended),
            gave_way=self.gave_way,
            references=self.references,
            open=self.open,
            refusals=self.refusals,
            skipped=frozenset(self.skipped),
            retried=frozenset(self.retried),
            apart=frozenset(self.apart),
            findings=frozenset(self.findings),
            digest=self.digest,
            primary=self.primary,
            places=self.places,
            basis=self.basis,
            archived=self.archived,
        )


def draft_of(state: LogState) -> Draft:
    """Return a draft that begins with a state, and leaves it as it is."""
    return Draft(
        run=state.run,
        links=dict(state.links),
        granted=set(state.granted),
        awaited=set(state.awaited),
        former_roles=dict(state.former_roles),
        switched_off=set(state.switched_off),
        suspended=set(state.suspended),
        gave_way=state.gave_way,
        references=dict(state.references),
        open=dict(state.open),
        refusals=dict(state.refusals),
        skipped=set(state.skipped),
        retried=set(state.retried),
        apart=set(state.apart),
        findings=set(state.findings),
        digest=state.digest,
        primary=state.primary,
        places=state.places,
        basis=state.basis,
        archived=state.archived,
    )
