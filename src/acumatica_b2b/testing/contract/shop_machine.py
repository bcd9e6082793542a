"""A state machine for storefronts: random actions, held against the plainest thing that keeps the contract."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final
from unittest import TestCase
from uuid import uuid4

from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from acumatica_b2b.errors import Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import CompanyID, DesiredUser, HandOver, UserID
from acumatica_b2b.protocols import Storefront
from acumatica_b2b.testing.contract.broken import Why, broken, differences
from acumatica_b2b.testing.contract.shop_actions import creating, granting, moving_admin, removing, updating
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import Home, Person, ShopTraits, new_user, person_view, seen_user

_MAILBOXES: Final = ("ann", "Ann", "bob", "cy", "cy+tag", "CY", "c.y")
_NAMES: Final = ("Ann", "Bea", "Zoë", "O'Neil")
_WHY: Final = Why(
    "after such steps the engine's picture of the shop would be wrong, and so would its next plan",
    "the last step above: each step before it was seen as it should be",
)
_COMPANIES: Final = Bundle[Home]("companies")
_PEOPLE: Final = Bundle[Person]("people")


class StorefrontMachine(RuleBasedStateMachine):
    """Random steps on a storefront; after each the shop shows what the model has. Subclass it with `make`."""

    traits: ClassVar[ShopTraits] = ShopTraits()

    def __init__(self) -> None:
        super().__init__()
        self.shop = ShopBench(self.make(), self.traits)
        self.mark = uuid4().hex[:10]
        self.there: dict[CompanyID, dict[UserID, Person]] = {}
        self.homes: list[Home] = []

    def make(self) -> Storefront:
        """Return a storefront of yours, empty or not."""
        raise NotImplementedError

    # ---- what happens
    @precondition(lambda self: len(self.there) < 3)
    @rule(target=_COMPANIES)
    def create_company(self) -> Home:
        """Make a company with its admin."""
        home = self.shop.company()
        self.homes.append(home)
        self.there[home.id] = {home.admin.id: home.admin}
        return home

    @rule(target=_PEOPLE, home=_COMPANIES, mailboxes=st.lists(st.sampled_from(_MAILBOXES), min_size=1, max_size=4))
    def create_users(self, home: Home, mailboxes: Sequence[str]) -> Any:
        """Make users in one call; whose address is taken is refused, and no other."""
        apart = {self._email(mailbox).lower(): self._email(mailbox) for mailbox in mailboxes}
        wanted = [evolve(new_user(self.traits), email=email) for email in apart.values()]
        actions = [creating(home.id, user, self.traits.user_role) for user in wanted]
        taken = [self._holder(user.email) is not None for user in wanted]
        made: list[Person] = []
        for user, action, clash, outcome in zip(wanted, actions, taken, self.shop.perform(*actions), strict=True):
            if clash:
                self.shop.require_refusal(action, outcome, Reason.EMAIL_TAKEN, "whose address is taken", _WHY)
            else:
                made.append(self._made(home, user, UserID(self.shop.done(action, outcome, _WHY))))
        return multiple(*made)

    @rule(person=_PEOPLE, field=st.sampled_from(["first_name", "last_name"]), value=st.sampled_from(_NAMES))
    def change(self, person: Person, field: str, value: str) -> None:
        """Give a user another name; who was removed is gone."""
        now, action = self._now(person), updating(person, (field, value))
        if now is None:
            self.shop.refused(action, Reason.GONE, "who was removed", _WHY)
            return
        self.shop.do(action, _WHY)
        self._keep(evolve(now, wanted=_with(now.wanted, field, value)))

    @precondition(lambda self: self.shop.can.changes_email)
    @rule(person=_PEOPLE, mailbox=st.sampled_from(_MAILBOXES))
    def change_email(self, person: Person, mailbox: str) -> None:
        """Give a user another address, unless another has it."""
        now, email = self._now(person), self._email(mailbox).lower()
        action, holder = updating(person, ("email", email)), self._holder(email)
        if now is None:
            self.shop.refused(action, None, "who was removed", _WHY)
        elif holder not in {None, person.id}:
            self.shop.refused(action, Reason.EMAIL_TAKEN, "to an address that is taken", _WHY)
        else:
            self.shop.do(action, _WHY)
            self._keep(evolve(now, wanted=evolve(now.wanted, email=email)))

    @rule(person=_PEOPLE)
    def set_role(self, person: Person) -> None:
        """Give a user that is no admin another role; who was removed is gone."""
        now, role = self._now(person), self.traits.other_role or self.traits.user_role
        if now is None:
            self.shop.refused(granting(person, role), Reason.GONE, "who was removed", _WHY)
        elif now.role != self.traits.primary_role:
            self.shop.do(granting(person, role), _WHY)
            self._keep(evolve(now, role=role))

    @rule(person=_PEOPLE)
    def hand_over(self, person: Person) -> None:
        """Make a user the Primary Admin in the shop's own way; who was it before gets another role."""
        now, traits = self._now(person), self.traits
        if now is None or now.role == traits.primary_role:
            return
        (former,) = [one for one in self.there[person.company].values() if one.role == traits.primary_role]
        match self.shop.can.hand_over:
            case HandOver.ATOMIC:
                self.shop.do(moving_admin(now, traits.primary_role), _WHY)
                home = next(home for home in self.homes if home.id == now.company)
                self.shop.require_holders(home, {now.id}, "perform(MoveAdmin), after the steps above", _WHY)
                self.shop.do(granting(former, traits.user_role), _WHY)
            case HandOver.PROMOTE_FIRST:
                self.shop.do(granting(now, traits.primary_role), _WHY)
                self.shop.do(granting(former, traits.user_role), _WHY)
            case HandOver.DEMOTE_FIRST:
                self.shop.do(granting(former, traits.user_role), _WHY)
                self.shop.do(granting(now, traits.primary_role), _WHY)
        self._keep(evolve(former, role=traits.user_role))
        self._keep(evolve(now, role=traits.primary_role))

    @rule(person=_PEOPLE)
    def remove(self, person: Person) -> None:
        """Remove a user that is no admin; who was removed is gone."""
        now = self._now(person)
        if now is None:
            self.shop.refused(removing(person), Reason.GONE, "who was removed", _WHY)
        elif now.role != self.traits.primary_role:
            self.shop.do(removing(person), _WHY)
            del self.there[person.company][person.id]

    # ---- what is seen
    @invariant()
    def all_is_seen(self) -> None:
        """Every company shows its users as they are, and every address leads to who holds it."""
        self._require_users()
        self._require_holders()

    def _require_users(self) -> None:
        should = {
            _name(company, key): person_view(person, self.traits)
            for company, people in self.there.items()
            for key, person in people.items()
        }
        found = self.shop.until(self._seen, lambda seen: _unlike(should, seen) is None)
        if unlike := _unlike(should, found):
            wanted, but = unlike
            raise broken(did="observe, after the steps above", should=f"show {wanted}", but=f"it shows {but}", why=_WHY)

    def _require_holders(self) -> None:
        emails = sorted({self._email(mailbox).lower() for mailbox in _MAILBOXES})
        should = {email: self._holder(email) for email in emails}

        def look() -> Mapping[str, UserID | None]:
            found = (o.value if isinstance(o, Ok) else None for o in self.shop.find(*emails))
            return {email: user.id if user else None for email, user in zip(emails, found, strict=True)}

        found = self.shop.until(look, lambda seen: seen == should)
        if found != should:
            wanted, but = differences(should, found)
            did = "find_users, after the steps above"
            raise broken(did=did, should=f"answer {wanted}", but=f"it answers {but}", why=_WHY)

    def _seen(self) -> Mapping[str, Mapping[str, object]]:
        refs = [home.ref for home in self.homes]
        companies = [o.value for o in self.shop.observe(*refs) if isinstance(o, Ok) and o.value] if refs else []
        users = (user for company in companies for user in company.users)
        return {_name(user.company, user.id): seen_user(user) for user in users}

    # ---- the model
    def _email(self, mailbox: str) -> str:
        return f"{mailbox}.{self.mark}@{self.traits.domain}"

    def _holder(self, email: str) -> UserID | None:
        everybody = (person for people in self.there.values() for person in people.values())
        return next((person.id for person in everybody if person.wanted.email.lower() == email.lower()), None)

    def _now(self, person: Person) -> Person | None:
        return self.there[person.company].get(person.id)

    def _keep(self, person: Person) -> None:
        self.there[person.company][person.id] = person

    def _made(self, home: Home, user: DesiredUser, key: UserID) -> Person:
        lowered = evolve(user, email=user.email.lower())
        person = Person(id=key, company=home.id, wanted=lowered, role=self.traits.user_role)
        self._keep(person)
        return person


def _name(company: CompanyID, user: UserID) -> str:
    return f"user {user} of company {company}"


def _with(user: DesiredUser, field: str, value: str) -> DesiredUser:
    return evolve(user, first_name=value) if field == "first_name" else evolve(user, last_name=value)


def _unlike(
    should: Mapping[str, Mapping[str, object]], found: Mapping[str, Mapping[str, object]]
) -> tuple[str, str] | None:
    """Return the first user that differs, as it should be and as it is; None where all is well."""
    for name in sorted(should.keys() | found.keys()):
        if name not in found:
            return name, "no such user"
        if name not in should:
            return f"no {name}", "it still"
        wanted, but = differences(should[name], found[name])
        if wanted:
            return f"{name} with {wanted}", but
    return None


def storefront_machine(
    make: Callable[[], Storefront], traits: ShopTraits | None = None, *, examples: int = 20, steps: int = 15
) -> type[TestCase]:
    """Return a test that tries random steps, each trial on a storefront of its own.

    Example::

        TestMyShopUnderRandomSteps = storefront_machine(lambda: MyShop(...), examples=50)

    """
    chosen = traits or ShopTraits()

    class TriedStorefront(StorefrontMachine):
        traits = chosen

        def make(self) -> Storefront:
            return make()

    case: type[TestCase] = TriedStorefront.TestCase
    slow = (HealthCheck.too_slow, HealthCheck.filter_too_much)
    case.settings = settings(  # type: ignore[attr-defined]  # hypothesis reads it there
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=slow
    )
    return case
