"""One tenant, one shop and one sync log in memory, and builders that name only what a case is about."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import define, evolve, field, frozen

from acumatica_b2b import ContactSync, LogRow, Plan, RunReport
from acumatica_b2b.actions import Action, Step
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import Finding
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.mapping import CustomerMapping, map_customer
from acumatica_b2b.model import (
    Company,
    CompanyAddress,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    HandOver,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    SiteAssociation,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.steps import record_of
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop

HERE: Final = CustomerID("C1")
THERE: Final = CustomerID("C2")
ADDRESS: Final = PostalAddress(line1="1 Main Street", city="Berlin", postal_code="10115", country="DE")
YES: Final = SiteAssociation(enabled=True, connection_type="B2B")
NO: Final = SiteAssociation(enabled=False)
REGIMES: Final = tuple(HandOver)
SIDE_BY_SIDE: Final = (HandOver.ATOMIC, HandOver.PROMOTE_FIRST)
"""The regimes in which a company that has an admin is at no instant without one."""


# ------------------------------------------------------------------ builders
def note(kind: int, number: int) -> NoteID:
    """Return a GUID."""
    return NoteID(f"{kind:08}-0000-0000-0000-{number:012}")


def contact(number: int, name: str = "Mark", **fields: Any) -> Contact:
    """Return an eligible contact; its address is its first name's."""
    made = Contact(
        id=ContactID(str(number)),
        note_id=note(2, number),
        customer=None,
        first_name=name,
        last_name="Ames",
        email=f"{name.lower()}@acme.example",
        association=YES,
    )
    return evolve(made, **fields)


MARK: Final = contact(101, "Mark")
ANNA: Final = contact(102, "Anna")
BILL: Final = contact(103, "Bill")
CARL: Final = contact(104, "Carl")


def crowd(number: int, *, start: int = 200) -> tuple[Contact, ...]:
    """Return so many eligible contacts."""
    return tuple(contact(start + i, f"Guest{start + i}") for i in range(number))


def location(key: str = "MAIN", **fields: Any) -> Location:
    """Return a location with all that an address needs."""
    made = Location(
        id=LocationID(key),
        note_id=note(3, sum(key.encode())),
        name=key.title(),
        first_name="Lou",
        last_name="Lane",
        address=ADDRESS,
    )
    return evolve(made, **fields)


def customer(*contacts: Contact, number: int = 1, primary: Contact | None = None, **fields: Any) -> Customer:
    """Return a customer that takes part, with these contacts."""
    made = Customer(
        id=CustomerID(f"C{number}"),
        note_id=note(1, number),
        name="Acme",
        category="Organization",
        email="office@acme.example",
        phones=("555-0100",),
        address=ADDRESS,
        primary_contact=primary.id if primary else None,
        contacts=tuple(evolve(one, customer=CustomerID(f"C{number}")) for one in contacts),
    )
    return evolve(made, **fields)


# ------------------------------------------------------------------ the bench
@define
class FrozenClock:
    """A clock that only moves when someone sleeps or moves it."""

    time: datetime = datetime(2024, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time it shows."""
        return self.time

    def sleep(self, seconds: float, /) -> None:
        """Go on by so much."""
        self.time += timedelta(seconds=seconds)


def in_turn() -> Callable[[], int]:
    """Return a counter."""
    return iter(range(1, 1_000_000)).__next__


@define(kw_only=True)
class Bench:
    """A tenant, a shop, a log and a clock, with what a test asks of them."""

    erp: MemoryErp = field(factory=MemoryErp)
    shop: MemoryShop = field(factory=lambda: MemoryShop(strict=True))
    store: MemoryStore = field(factory=MemoryStore)
    clock: FrozenClock = field(factory=FrozenClock)
    policy: SyncPolicy = field(factory=SyncPolicy)
    mapping: CustomerMapping = map_customer
    wave: int = 200
    workers: int = 1

    @property
    def contact_sync(self) -> ContactSync:
        """Return what syncs them."""
        return ContactSync(
            erp=self.erp,
            storefront=self.shop,
            store=self.store,
            clock=self.clock,
            policy=self.policy,
            mapping=self.mapping,
            wave=self.wave,
            workers=self.workers,
        )

    def put(self, *customers: Customer) -> None:
        """Put customers into the tenant."""
        self.erp.put(*customers)

    def change(self, one: Contact, **fields: Any) -> None:
        """Change fields of a contact that is in the tenant."""
        owner = next(c for c in self.erp.snapshot().values() if one.id in {held.id for held in c.contacts})
        held = next(held for held in owner.contacts if held.id == one.id)
        self.erp.put_contact(owner.id, evolve(held, **fields))

    def change_customer(self, key: CustomerID = HERE, **fields: Any) -> None:
        """Change fields of a customer."""
        self.put(evolve(self.erp.snapshot()[key], **fields))

    def add(self, one: Contact, key: CustomerID = HERE) -> None:
        """Add a contact to a customer."""
        self.erp.put_contact(key, one)

    def sync(self, *ids: CustomerID) -> RunReport:
        """Sync these customers, or all."""
        return self.contact_sync.sync(ids) if ids else self.contact_sync.sync_all()

    def plan(self, *ids: CustomerID) -> Plan:
        """Return the plan for these customers, or for all."""
        return self.contact_sync.plan(ids or None)

    def log(self, key: CustomerID = HERE) -> tuple[LogRow, ...]:
        """Return a customer's log."""
        return self.contact_sync.log(key)

    def contact(self, one: Contact) -> Contact:
        """Return a contact as the tenant has it now."""
        (found,) = self.erp.contacts([one.id])
        assert isinstance(found, Ok)
        assert found.value
        return found.value

    def customer(self, key: CustomerID = HERE) -> Customer:
        """Return a customer as the tenant has it now."""
        return self.erp.snapshot()[key]

    def find_company(self, key: CustomerID = HERE) -> Company | None:
        """Return a customer's company, found by its external id."""
        external = note(1, int(key[1:]))
        return next((c for c in self.shop.snapshot().values() if c.external_id == external), None)

    def company(self, key: CustomerID = HERE) -> Company:
        """Return a customer's company, which has to be there."""
        found = self.find_company(key)
        assert found, f"customer {key} has no company"
        return found

    def find_user(self, one: Contact) -> CompanyUser | None:
        """Return a contact's user, found by its external id."""
        users = (user for company in self.shop.snapshot().values() for user in company.users)
        return next((user for user in users if user.external_id == one.note_id), None)

    def user(self, one: Contact) -> CompanyUser:
        """Return a contact's user, which has to be there."""
        found = self.find_user(one)
        assert found, f"contact {one.id} has no user"
        return found

    def roles(self, key: CustomerID = HERE) -> dict[str, str]:
        """Return the role of each user of a company, by the name before its address's @."""
        company = self.find_company(key)
        return {user.email.partition("@")[0]: user.role for user in company.users} if company else {}

    def admins(self, key: CustomerID = HERE) -> set[str]:
        """Return who has the primary role, by the name before the address's @."""
        return {name for name, role in self.roles(key).items() if role == self.policy.primary_role}

    def addresses(self, key: CustomerID = HERE) -> dict[str, CompanyAddress]:
        """Return the addresses of a company by label."""
        return {address.label: address for address in self.company(key).addresses}

    def versions(self) -> int:
        """Return how many commits the log has."""
        return sum(len(log) for log in self.store._logs.values())


# ------------------------------------------------------------------ what came of it
def kinds(source: RunReport | Plan | Iterable[Finding]) -> set[tuple[str, str]]:
    """Return the kind of each finding with the id of its record."""
    found = source.findings if isinstance(source, RunReport | Plan) else source
    return {(finding.kind.name, finding.record.id) for finding in found}


def finding(source: RunReport | Plan, kind: str, record: str) -> Finding:
    """Return the one finding of a kind about a record."""
    (found,) = [f for f in source.findings if (f.kind.name, f.record.id) == (kind, record)]
    return found


def done(source: RunReport | Plan | Iterable[Step]) -> list[str]:
    """Return the steps in short: what was done, and to which record."""
    steps = source.steps if isinstance(source, RunReport | Plan) else source
    return [f"{type(step).__name__} {record_of(step).id}" for step in steps]


def storefront_id(identifier: str) -> UserID:
    """Return a user's id."""
    return UserID(StorefrontID(identifier))


# ------------------------------------------------------------------ shops with a will of their own
@define(kw_only=True, eq=False)
class Refusing(MemoryShop):
    """A shop that refuses what a test says."""

    refuses: Callable[[Action], bool] = field(default=lambda _: False, repr=False)

    def _performed(self, action: Action) -> Outcome[StorefrontID]:
        if self.refuses(action):
            return Failed(RejectedError(Reason.OTHER, "the shop does not like it"))
        return super()._performed(action)


@frozen
class Rewriting:
    """Makes something else of the users' values that a shop keeps."""

    how: Callable[[CompanyUser], CompanyUser]

    def shop(self, **settings: Any) -> MemoryShop:
        """Return a shop that keeps users so."""
        return _RewritingShop(how=self.how, **settings)


@define(kw_only=True, eq=False)
class _RewritingShop(MemoryShop):
    how: Callable[[CompanyUser], CompanyUser]

    def _put(self, new: Company) -> None:
        super()._put(evolve(new, users=tuple(map(self.how, new.users))))
