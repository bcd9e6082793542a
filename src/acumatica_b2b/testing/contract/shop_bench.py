"""The bench on which a storefront is tried: it makes records, performs, looks, and says what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeVar

import pytest
from attrs import define, evolve, field

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyID,
    CompanyRef,
    CompanyUser,
    DesiredAddress,
    DesiredUser,
    HandOver,
    StorefrontID,
    UserID,
)
from acumatica_b2b.protocols import Storefront
from acumatica_b2b.testing.contract.asking import answers
from acumatica_b2b.testing.contract.broken import Why, broken, differences
from acumatica_b2b.testing.contract.patience import until
from acumatica_b2b.testing.contract.shop_actions import (
    creating,
    granting,
    moving_admin,
    told,
    told_error,
    updating,
    updating_company,
)
from acumatica_b2b.testing.contract.shop_made import (
    Home,
    Person,
    ShopTraits,
    new_address,
    new_company,
    new_user,
    seen_user,
)

__tracebackhide__ = True  # pytest shows the check that failed, and not the way through here

T = TypeVar("T")

_REFUSED: Final = Why(
    "the engine would count the step as failed, and give the record up after some attempts",
    "perform: the case of this action; if the sandbox lacks something, say so with the contract's traits",
)
_ID: Final = Why(
    "the id is what the engine remembers the record by: the next run would not find it",
    "perform: it returns the id of the record it made or changed, as the text that observe shows",
)
_GONE: Final = Why(
    "the engine would take the company for deleted, and with it all its users",
    "observe: how it finds a company by CompanyRef.id and by CompanyRef.external_id",
)
_REASON: Final = Why(
    "the reason decides what the engine does next: it looks who has an address, forgets a link, or tries again",
    "perform: which RejectedError(reason) stands for what the shop says",
)


@define(eq=False)
class ShopBench:
    """One storefront under trial. What it makes is unique, so the shop need not be empty."""

    storefront: Storefront
    traits: ShopTraits = field(factory=ShopTraits)
    made: list[CompanyID] = field(factory=list[CompanyID], init=False)
    """The companies that were made, for who tidies up."""

    @property
    def can(self) -> Capabilities:
        """What the shop declares."""
        return self.storefront.capabilities

    # ---- calls
    def perform(self, *actions: Action) -> list[Outcome[StorefrontID]]:
        """Return what came of the actions."""
        return answers("perform", self.storefront.perform, actions)

    def observe(self, *refs: CompanyRef) -> list[Outcome[Company | None]]:
        """Return what is seen of the companies."""
        return answers("observe", self.storefront.observe, refs)

    def find(self, *emails: str) -> list[Outcome[CompanyUser | None]]:
        """Return who holds the addresses."""
        return answers("find_users", self.storefront.find_users, emails)

    def optional(self, name: str) -> Callable[..., Any]:
        """Return a method that a shop may have; the check is skipped where it has none."""
        method: Callable[..., Any] | None = getattr(self.storefront, name, None)
        if method is None:
            pytest.skip(f"the shop has no {name}")
        return method

    # ---- writing
    def do(self, action: Action, why: Why = _REFUSED) -> StorefrontID:
        """Return the id that a legal action answers."""
        (outcome,) = self.perform(action)
        return self.done(action, outcome, why)

    def done(self, action: Action, outcome: Outcome[StorefrontID], why: Why = _REFUSED) -> StorefrontID:
        """Return the id in an outcome that has to be one."""
        did = f"perform({told(action)}), which is legal"
        match outcome:
            case Ok(str() as made) if made.strip():
                return made
            case Ok(made):
                raise broken(did=did, should="answer a text that is not empty", but=f"the id is {made!r}", why=_ID)
            case Failed(error):
                but = f"it failed with {told_error(error)}"
                raise broken(did=did, should="be done", but=but, why=why) from error

    def refused(self, action: Action, reason: Reason | None, what: str, why: Why = _REASON) -> None:
        """Check that an action is refused for a reason, or for any."""
        (outcome,) = self.perform(action)
        self.require_refusal(action, outcome, reason, what, why)

    def require_refusal(
        self, action: Action, outcome: Outcome[StorefrontID], reason: Reason | None, what: str, why: Why = _REASON
    ) -> None:
        """Check that an outcome is a refusal, for a reason or for any."""
        match outcome:
            case Failed(RejectedError(reason=said)) if reason in {None, said}:
                return
            case Failed() if reason is None:
                return
            case Ok(value):
                but = f"it answered Ok({value!r})"
            case Failed(error):
                but = f"it failed with {told_error(error)}"
        should = "fail" if reason is None else f"fail with RejectedError(Reason.{reason.name})"
        raise broken(did=f"perform({told(action)}), {what}", should=should, but=but, why=why)

    # ---- making
    def company(self) -> Home:
        """Make a company that has an admin, as a run makes it."""
        wanted, admin, role = new_company(self.traits), new_user(self.traits), self.traits.primary_role
        inline = self.can.admin_at_creation
        made = CompanyID(self.do(CreateCompany(company=wanted, admin=admin if inline else None, role=role)))
        self.made.append(made)
        user = self._inline_admin(made, admin) if inline else UserID(self.do(creating(made, admin, role)))
        home = Home(id=made, wanted=wanted, admin=Person(id=user, company=made, wanted=admin, role=role))
        self._claim(home)
        if inline and self.can.admin_role not in {"", role}:
            atomic = self.can.hand_over is HandOver.ATOMIC
            self.do(moving_admin(home.admin, role) if atomic else granting(home.admin, role))
        return home

    def _inline_admin(self, company: CompanyID, admin: DesiredUser) -> UserID:
        (found,) = self.until(lambda: [self.holder(admin.email)], lambda found: found[0] is not None)
        if found is None:
            did = f"perform(CreateCompany with an admin) made company {company!r}"
            why = Why("nobody could tell who the company's admin is", "find_users, and the inline admin of perform")
            raise broken(did=did, should="make the admin too", but="nobody has the admin's e-mail address", why=why)
        return found.id

    def _claim(self, home: Home) -> None:
        """Write the external ids that a creation does not keep, as a run does."""
        seen = self.seen(home)
        if seen.external_id.lower() != home.wanted.external_id:
            self.change_company(home, ("external_id", home.wanted.external_id))
        if any(user.id == home.admin.id and not user.external_id for user in seen.users):
            self.change(home.admin, ("external_id", home.admin.wanted.external_id))

    def user(self, home: Home, *, role: str = "") -> Person:
        """Make a user of a company."""
        wanted, role = new_user(self.traits), role or self.traits.user_role
        return Person(id=self.create(home, wanted, role), company=home.id, wanted=wanted, role=role)

    def create(self, home: Home, wanted: DesiredUser, role: str = "") -> UserID:
        """Make this user of a company."""
        return UserID(self.do(creating(home.id, wanted, role or self.traits.user_role)))

    def address(self, home: Home) -> tuple[AddressID, DesiredAddress]:
        """Make an address of a company; the check is skipped where the shop keeps none."""
        self.require_addresses()
        wanted = new_address(self.traits)
        return AddressID(self.do(CreateAddress(company=home.id, address=wanted))), wanted

    def require_addresses(self) -> None:
        """Skip the check where the shop keeps no addresses."""
        if not self.can.addresses:
            pytest.skip("the shop declares that it keeps no addresses")

    def change(self, person: Person, *changes: tuple[str, str]) -> StorefrontID:
        """Change fields of a user."""
        return self.do(updating(person, *changes))

    def change_company(self, home: Home, *changes: tuple[str, str]) -> StorefrontID:
        """Change fields of a company."""
        return self.do(updating_company(home, *changes))

    def set_role(self, person: Person, role: str) -> Person:
        """Give a user another role."""
        self.do(granting(person, role))
        return evolve(person, role=role)

    # ---- looking
    def seen(self, home: Home) -> Company:
        """Return a company that has to be there."""
        (outcome,) = self.until(lambda: self.observe(home.ref), lambda found: _there(found[0]))
        match outcome:
            case Ok(Company() as company):
                return company
            case Ok(other):
                but = f"it answered Ok({other!r})"
            case Failed(error):
                but = f"it failed with {told_error(error)}"
        did = f"observe was asked for company {home.id!r}, which was made just now"
        raise broken(did=did, should="answer the company", but=but, why=_GONE)

    def holder(self, email: str) -> CompanyUser | None:
        """Return who holds an address, without waiting."""
        (outcome,) = self.find(email)
        match outcome:
            case Ok(found):
                return found
            case Failed(error):
                did = "find_users was asked who holds an e-mail address"
                why = Why("the engine could not tell whether an address is free", "find_users")
                but = f"it failed with {told_error(error)}"
                raise broken(did=did, should="answer the user, or None", but=but, why=why) from error

    def until(self, look: Callable[[], T], good: Callable[[T], bool]) -> T:
        """Return what is seen, as soon as it is good or patience ends."""
        return until(self.traits, look, good)

    def settle(self) -> None:
        """Wait until every reading shows what was written."""
        if self.traits.patience:
            self.traits.clock.sleep(self.traits.patience)

    def shows(self, did: str, look: Callable[[], Mapping[str, object]], should: Mapping[str, object], why: Why) -> None:
        """Check that what is seen has these values."""
        found = self.until(look, lambda seen: differences(should, seen) == ("", ""))
        wanted, but = differences(should, found)
        if wanted:
            raise broken(did=did, should=f"be seen as {wanted}", but=f"it shows {but}", why=why)

    def users(self, home: Home) -> dict[UserID, CompanyUser]:
        """Return a company's users by their ids."""
        return {user.id: user for user in self.seen(home).users}

    def user_seen(self, home: Home, user: UserID) -> Mapping[str, object]:
        """Return what a company shows of a user; nothing where it shows none."""
        found = self.users(home).get(user)
        return {} if found is None else seen_user(found)

    def holders_of(self, home: Home, role: str) -> frozenset[UserID]:
        """Return who has a role in a company."""
        return frozenset(user.id for user in self.seen(home).users if user.role == role)

    def require_holders(self, home: Home, expected: AbstractSet[UserID], did: str, why: Why) -> None:
        """Check who has the primary role in a company."""
        role = self.traits.primary_role
        found = self.until(lambda: self.holders_of(home, role), lambda holders: not holders ^ expected)
        if found ^ expected:
            should = f"leave {sorted(expected)} with the role {role!r}"
            raise broken(did=did, should=should, but=f"{sorted(found) or 'nobody'} has it", why=why)

    def emails_of(self, homes: Sequence[Home]) -> dict[CompanyID, frozenset[str]]:
        """Return the addresses of the users of several companies."""
        return {home.id: frozenset(user.email.lower() for user in self.seen(home).users) for home in homes}


def _there(outcome: Outcome[Company | None]) -> bool:
    return isinstance(outcome, Ok) and outcome.value is not None
