"""The one way into the shop: every single write of every run is judged here, and what is true is kept."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import define, field

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateUser,
)
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyID,
    CompanyRef,
    CompanyUser,
    ContactID,
    CustomerID,
    DesiredUser,
    HandOver,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import Guarded, SyncPolicy, TakeBack
from acumatica_b2b.testing import MemoryErp, MemoryShop

STRANGE = "outside.example"
"""The mail domain of people whom Acumatica does not know."""


class BrokenError(BaseException):
    """A promise was broken: nothing in between may take it for an error of its own."""


@define(kw_only=True)
class Truth:
    """What really happened in the shop, told by nothing but its single writes and people's edits."""

    contact_of: dict[UserID, ContactID] = field(factory=dict[UserID, ContactID])
    """Whose user it is, of those whom the sync made."""
    customer_of: dict[CompanyID, CustomerID] = field(factory=dict[CompanyID, CustomerID])
    addresses: set[AddressID] = field(factory=set[AddressID])
    granted: dict[CustomerID, UserID] = field(factory=dict[CustomerID, UserID])
    """Who was given the primary role last by the sync, and still has it from there."""
    by_people: set[UserID] = field(factory=set[UserID])
    """To whom people gave the primary role."""
    removed: set[UserID] = field(factory=set[UserID])
    """Whom the sync took away."""
    orphaned: set[UserID] = field(factory=set[UserID])
    """Whom nothing tells any more whose they are: people wiped it all."""
    leaderless: set[CompanyID] = field(factory=set[CompanyID])
    """Companies whose last admin the sync took the role from, and nobody has it since."""
    unlogged: set[str] = field(factory=set[str])
    """Users and companies of which the log knows nothing since it was lost."""
    counted: dict[Guarded, list[datetime]] = field(factory=lambda: {kind: [] for kind in Guarded})
    """When what the guard counts went out, as long as the log remembers it."""
    given: set[UserID] = field(factory=set[UserID])
    """To whom the sync ever gave the primary role."""


@define(eq=False)
class Door:
    """A storefront that checks the promises after every single write."""

    shop: MemoryShop
    erp: MemoryErp
    policy: SyncPolicy
    truth: Truth
    tell: Callable[[str], None]
    now: Callable[[], datetime]

    @property
    def capabilities(self) -> Capabilities:
        """What the shop can do."""
        return self.shop.capabilities

    def require_roles(self, names: Sequence[str], /) -> None:
        """Ask the shop."""
        self.shop.require_roles(names)

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Ask the shop."""
        return self.shop.observe(companies)

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Ask the shop."""
        return self.shop.find_users(emails)

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Ask the shop."""
        return self.shop.find_shoppers(emails)

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do one after another, each judged by itself."""
        return [self._one(action) for action in actions]

    def _one(self, action: Action) -> Outcome[StorefrontID]:
        before = self.shop.snapshot()
        (outcome,) = self.shop.perform([action])
        if isinstance(outcome, Ok):
            self.tell(f"  shop: {action} -> {outcome.value}")
            self._judged(action, before)
            self._noted(action, outcome.value)
        return outcome

    # ---- the promises
    def _judged(self, action: Action, before: dict[CompanyID, Company]) -> None:
        match action:
            case CreateCompany(admin=admin):
                self._alone(action)
                if admin:
                    self._no_twin(admin, None, before)
            case CreateUser(user=user):
                self._no_twin(user, action.company, before)
            case RemoveUser(user=removed) | UpdateUser(user=removed):
                self._ours(removed, before, action)
            case RemoveAddress(id=address) if address not in self.truth.addresses:
                raise BrokenError(f"address {address} was removed and was not ours")
            case SetRole(user=member, role=role) if role != self.policy.primary_role:
                self._may_take(member, before, action)
            case _:
                pass
        self._guarded(action)
        if not isinstance(action, CreateCompany):
            self._led(action.company, before, action)

    def _led(self, company: CompanyID, before: dict[CompanyID, Company], action: Action) -> None:
        if self._admins(self.shop.snapshot()[company]):
            self.truth.leaderless.discard(company)
        elif self._admins(before[company]) and not self._suspends(action):
            self.truth.leaderless.add(company)
            if self.shop.hand_over is not HandOver.DEMOTE_FIRST or not isinstance(action, SetRole):
                raise BrokenError(f"company {company} lost its last admin by {type(action).__name__}")

    def _guarded(self, action: Action) -> None:
        limits, changes = self.policy.limits, dict(action.changes) if isinstance(action, UpdateUser) else {}
        if isinstance(action, RemoveUser) or self._suspends(action):
            kind, most = Guarded.REMOVALS, limits.removals
        elif "email" in changes:
            kind, most = Guarded.EMAIL_CHANGES, limits.email_changes
        else:
            return
        since = self.now() - timedelta(hours=limits.hours)
        recent = [at for at in self.truth.counted[kind] if at > since]
        self.truth.counted[kind] = [*recent, self.now()]
        # where so few are linked, the share allows less than what is too few to be looked at
        if len(recent) >= min(most, limits.share_from - 1):
            raise BrokenError(f"{len(recent) + 1} {kind.value} went out in {limits.hours} hours")

    def _suspends(self, action: Action) -> bool:
        """Tell whether the policy has the last admin suspended, who left."""
        return isinstance(action, SetRole) and action.role == self.policy.suspended_role

    def _admins(self, company: Company) -> int:
        return sum(user.role in {self.policy.primary_role, *self.policy.admin_roles} for user in company.users)

    def _no_twin(self, made: DesiredUser, home: CompanyID | None, before: dict[CompanyID, Company]) -> None:
        for company in before.values():
            for user in company.users:
                if self.is_of(user, made, home):
                    raise BrokenError(f"contact {made.contact} has user {user.id} and got another one")
                if self.truth.contact_of.get(user.id) == made.contact:
                    self.truth.orphaned.add(user.id)

    def is_of(self, user: CompanyUser, made: DesiredUser, home: CompanyID | None) -> bool:
        """Tell whether a user is already that of a contact about to get one, and anything is left to know it by."""
        if user.id in self.truth.orphaned or self.truth.contact_of.get(user.id) != made.contact:
            return False
        if user.id not in self.truth.unlogged:
            return True
        (found,) = self.erp.contacts([made.contact])
        held = found.value if isinstance(found, Ok) else None
        by_reference = held is not None and held.reference == user.id
        # without the log, a user of another company is found by its address only, and the new one has that
        return user.company == home and (user.external_id == made.external_id or by_reference)

    def _alone(self, action: CreateCompany) -> None:
        customer = next((c for c in self.erp.snapshot().values() if c.note_id == action.company.external_id), None)
        for key, owner in self.truth.customer_of.items() if customer else ():
            company = self.shop.snapshot().get(key)
            if company is None or customer is None or owner != customer.id:
                continue
            told = company.external_id == customer.note_id or customer.reference == key
            if key not in self.truth.unlogged or told:
                raise BrokenError(f"customer {owner} has company {key} and got another one")

    def _ours(self, user: UserID, before: dict[CompanyID, Company], action: Action) -> None:
        held = next(one for company in before.values() for one in company.users if one.id == user)
        if held.email.endswith(STRANGE) and user not in self.truth.contact_of:
            raise BrokenError(f"user {user} is nobody of ours, and {type(action).__name__} touched it")

    def _may_take(self, user: UserID, before: dict[CompanyID, Company], action: SetRole) -> None:
        held = next(one for one in before[action.company].users if one.id == user)
        mine = self.policy.take_back is not TakeBack.OURS or self.policy.role_is_ours
        left = action.role == self.policy.suspended_role
        if held.role == self.policy.primary_role and user in self.truth.by_people and not mine and not left:
            raise BrokenError(f"user {user} has its role from people, and the sync took it")

    # ---- what is true now
    def _noted(self, action: Action, made: StorefrontID) -> None:
        match action:
            case CreateCompany(company=wanted, admin=admin, role=role):
                key = CompanyID(made)
                owner = next((c.id for c in self.erp.snapshot().values() if c.note_id == wanted.external_id), None)
                if owner:
                    self.truth.customer_of[key] = owner
                if admin:
                    (user,) = self.shop.snapshot()[key].users
                    self.truth.contact_of[user.id] = admin.contact
                    self._role_given(key, user.id, role)
            case CreateUser(company=company, user=person, role=role):
                self.truth.contact_of[UserID(made)] = person.contact
                self._role_given(company, UserID(made), role)
            case RemoveUser(user=user):
                self.truth.removed.add(user)
            case UpdateUser(user=user, contact=contact):
                self.truth.contact_of[user] = contact
            case SetRole(company=company, user=user, role=role) | MoveAdmin(company=company, user=user, role=role):
                self._role_given(company, user, role)
            case CreateAddress():
                self.truth.addresses.add(AddressID(made))
            case _:
                pass

    def _role_given(self, company: CompanyID, user: UserID, role: str) -> None:
        customer = self.truth.customer_of.get(company)
        if role == self.policy.primary_role:
            self.truth.by_people.discard(user)
            self.truth.given.add(user)
            if customer:
                self.truth.granted[customer] = user
        elif customer and self.truth.granted.get(customer) == user:
            del self.truth.granted[customer]
