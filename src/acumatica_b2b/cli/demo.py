"""`demo`: a story played over loopback HTTP, each act synced by the very function behind `sync`."""

import time
from collections.abc import Iterator

from attrs import frozen

from acumatica_b2b.cli import connect
from acumatica_b2b.cli.config import Config, parse_config
from acumatica_b2b.cli.logged import rows_of
from acumatica_b2b.cli.stage import Clerk, Stage
from acumatica_b2b.cli.story import Act, Story
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.report import Plan, RunReport
from acumatica_b2b.simulators import ContactRow, CustomerRow, LocationRow
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE, CUSTOMER_REFERENCE, LOCATION_REFERENCE
from acumatica_b2b.simulators.bigcommerce import StoredUser


@frozen(kw_only=True)
class Count:
    """What one system was asked."""

    requests: int
    writes: int

    def since(self, earlier: "Count") -> "Count":
        """Return what came since."""
        return Count(requests=self.requests - earlier.requests, writes=self.writes - earlier.writes)


@frozen(kw_only=True)
class UserLine:
    """A company user, and the contact that it was made of, as both systems have them now."""

    name: str
    email: str
    role: str
    primary_admin: bool
    contact: str
    reference: str
    """The contact's commerce reference ID."""


@frozen(kw_only=True)
class CompanyLine:
    """A customer and its company as both systems have them now."""

    customer: str
    name: str
    company: str
    reference: str
    """The customer's commerce reference ID."""
    users: tuple[UserLine, ...]
    locations: tuple[tuple[str, str], ...]
    """The customer's locations, each with its commerce reference ID."""


@frozen(kw_only=True)
class Scene:
    """An act, what the sync made of it, and how both systems stand then."""

    act: Act
    plan: Plan
    report: RunReport
    log: tuple[tuple[str, LogRow], ...]
    """The rows that this sync added, each with its customer."""
    companies: tuple[CompanyLine, ...]
    acumatica: Count
    bigcommerce: Count
    seconds: float

    @property
    def writes(self) -> int:
        """How many writes both systems saw."""
        return self.acumatica.writes + self.bigcommerce.writes


def play(story: Story, stage: Stage) -> Iterator[Scene]:
    """Yield scene after scene: edits over HTTP, a plan, a sync."""
    host = connect.Host(config=parse_config(stage.toml), environ=stage.environ)
    customers = tuple(customer.id for customer in story.dataset.customers)
    known = dict.fromkeys(customers, 0)
    with Clerk(stage) as clerk:
        for act in story.acts:
            for edit in act.edits:
                clerk.do(edit)
            plan = connect.plan(host, ())
            before, began = _counts(stage), time.monotonic()
            report = connect.sync(host, connect.Scope.CHANGED)
            seconds = time.monotonic() - began
            acumatica, bigcommerce = (now.since(then) for now, then in zip(_counts(stage), before, strict=True))
            yield Scene(
                act=act,
                plan=plan,
                report=report,
                log=_added(host.config, known),
                companies=companies(stage, customers, host.config.policy.primary_role),
                acumatica=acumatica,
                bigcommerce=bigcommerce,
                seconds=seconds,
            )


def _counts(stage: Stage) -> tuple[Count, Count]:
    acumatica, bigcommerce = stage.acumatica, stage.bigcommerce
    return (
        Count(requests=acumatica.requests, writes=acumatica.writes),
        Count(requests=bigcommerce.requests, writes=bigcommerce.writes),
    )


def _added(config: Config, known: dict[str, int]) -> tuple[tuple[str, LogRow], ...]:
    """Return the rows behind the known ones, and know them from now on."""
    added: list[tuple[str, LogRow]] = []
    for customer, count in known.items():
        rows = rows_of(customer, config)
        added += [(customer, row) for row in rows[count:]]
        known[customer] = len(rows)
    return tuple(added)


# ------------------------------------------------------------------ how both systems stand
def companies(stage: Stage, customers: tuple[str, ...], primary_role: str) -> tuple[CompanyLine, ...]:
    """Return the companies there are, read from the systems themselves and not through our clients."""
    made = {company.uuid.lower(): company for company in stage.bigcommerce.companies.values()}
    found: list[CompanyLine] = []
    for row in map(stage.acumatica.customer, customers):
        company = made.get(row.note_id.lower())
        if company is not None:
            users = [user for user in stage.bigcommerce.users.values() if user.company_id == company.id]
            people = {_text(contact, CONTACT_REFERENCE): contact for contact in stage.acumatica.contacts_of(row.id)}
            lines = (_user(stage, user, people.get(str(user.id)), primary_role) for user in users)
            found.append(
                CompanyLine(
                    customer=row.id,
                    name=company.company_name,
                    company=str(company.id),
                    reference=_text(row, CUSTOMER_REFERENCE),
                    users=tuple(sorted(lines, key=lambda line: not line.primary_admin)),
                    locations=tuple(
                        (place.id, _text(place, LOCATION_REFERENCE)) for place in stage.acumatica.locations_of(row.id)
                    ),
                )
            )
    return tuple(found)


def _user(stage: Stage, user: StoredUser, contact: ContactRow | None, primary_role: str) -> UserLine:
    role = stage.bigcommerce.roles[user.company_role_id].name
    return UserLine(
        name=f"{user.first_name} {user.last_name}",
        email=user.email,
        role=role,
        primary_admin=role == primary_role,
        contact=str(contact.id) if contact else "",
        reference=_text(contact, CONTACT_REFERENCE) if contact else "",
    )


def _text(row: CustomerRow | ContactRow | LocationRow, name: str) -> str:
    return str(row.custom.get(name) or "")
