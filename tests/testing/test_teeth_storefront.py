"""The contract of storefronts has teeth: each of these broken shops is caught by the check that is named for it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import Phase, settings

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.errors import NotSentError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    HandOver,
    NoteID,
    StorefrontID,
)
from acumatica_b2b.testing import MemoryShop
from acumatica_b2b.testing.contract import BrokenContractError, ShopTraits, StorefrontContract, storefront_machine
from acumatica_b2b.testing.contract.shop_bench import ShopBench

T = TypeVar("T")
CHECKS = [name for name in dir(StorefrontContract) if name.startswith("test_")]


# ------------------------------------------------------------------ how a shop can be broken
@define(kw_only=True, eq=False)
class Twisted(MemoryShop):
    """A shop that does, answers or shows something else than it should."""

    instead: Callable[["Twisted", Action], Action | Outcome[Any] | None] = lambda _, __: None
    """What is done in the place of an action, or answered without doing anything; None: what was asked."""
    says: Callable[[Action, Outcome[StorefrontID]], Any] = lambda _, outcome: outcome
    shows: Callable[[Company], Any] = lambda company: company
    finds: Callable[["Twisted", str, CompanyUser | None], CompanyUser | None] = lambda _, __, user: user
    declares: dict[str, Any] = field(factory=dict[str, Any])

    @property
    def capabilities(self) -> Capabilities:
        return evolve(super().capabilities, **self.declares)

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        seen = super().observe(companies)
        return [Ok(self.shows(o.value)) if isinstance(o, Ok) and o.value else o for o in seen]

    def find_users(self, emails: Sequence[str], /) -> Any:
        found = super().find_users(emails)
        return [Ok(self.finds(self, e, o.value)) for e, o in zip(emails, found, strict=True) if isinstance(o, Ok)]

    def perform(self, actions: Sequence[Action], /) -> Any:
        return [self.says(action, self._one(action)) for action in actions]

    def _one(self, action: Action) -> Outcome[Any]:
        match self.instead(self, action):
            case None:
                return super().perform([action])[0]
            case Ok() | Failed() as outcome:
                return outcome
            case other:
                return super().perform([other])[0]

    def people(self) -> Iterator[CompanyUser]:
        """Yield everybody."""
        for company in self.snapshot().values():
            yield from company.users

    def users_of(self, company: CompanyID) -> tuple[CompanyUser, ...]:
        """Return the users of a company."""
        return self.snapshot()[company].users


def users(company: Company, **changes: Any) -> Company:
    """Return the company with all its users changed."""
    return evolve(company, users=tuple(evolve(user, **changes) for user in company.users))


def quietly(*kinds: type) -> Callable[[Twisted, Action], Outcome[Any] | None]:
    """Return what answers some kinds of actions without doing them."""
    return lambda _, action: Ok(target(action)) if isinstance(action, kinds) else None


def target(action: Any) -> StorefrontID:
    """Return the id of what an action is about."""
    return StorefrontID(getattr(action, "user", None) or getattr(action, "id", None) or action.company)


def also(action: Any, *changes: tuple[str, str]) -> Any:
    """Return the change with some more."""
    named = {name for name, _ in action.changes}
    return evolve(action, changes=(*action.changes, *(pair for pair in changes if pair[0] not in named)))


def without(action: Any, *names: str) -> Any:
    """Return the change without some fields."""
    return evolve(action, changes=tuple(pair for pair in action.changes if pair[0] not in names))


class Stale(MemoryShop):
    """Shows each company as it was when it was first looked at."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        seen: dict[object, Any] = self.__dict__.setdefault("seen", {})
        found = super().observe(companies)
        return [
            outcome if outcome == Ok(None) else seen.setdefault(outcome.value.id if outcome.value else 0, outcome)
            for outcome in found
            if isinstance(outcome, Ok)
        ]


class NoAddressesNobody(MemoryShop):
    """Shows nothing but the company to who does not look at its addresses."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        found = zip(companies, super().observe(companies), strict=True)
        return [
            Ok(evolve(o.value, users=())) if isinstance(o, Ok) and o.value and not ref.addresses else o
            for ref, o in found
        ]


class StaleSearch(MemoryShop):
    """Remembers whom it found by an address."""

    def find_users(self, emails: Sequence[str], /) -> Any:
        seen: dict[str, Any] = self.__dict__.setdefault("found", {})
        found = zip(emails, super().find_users(emails), strict=True)
        return [o if o == Ok(None) and e not in seen else seen.setdefault(e, o) for e, o in found]


class Deduplicates(MemoryShop):
    """Answers what is asked twice once."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        return super().observe(tuple(dict.fromkeys(companies)))


class DeduplicatesAddresses(MemoryShop):
    """The same with addresses."""

    def find_users(self, emails: Sequence[str], /) -> Any:
        return super().find_users(tuple(dict.fromkeys(emails)))


class AnswersTooMuch(MemoryShop):
    """Lists the whole store with every address asked for."""

    def find_users(self, emails: Sequence[str], /) -> Any:
        return [*super().find_users(emails), Ok(None)]


class AnswersNobodyNot(MemoryShop):
    """Leaves out addresses that nobody has."""

    def find_users(self, emails: Sequence[str], /) -> Any:
        return [outcome for outcome in super().find_users(emails) if outcome != Ok(None)]


class Sorts(MemoryShop):
    """Answers a bulk call in an order of its own."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        return [*reversed(super().perform(actions))]


class SortsCompanies(MemoryShop):
    """Shows companies in the order of their ids."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        found: list[Any] = [*super().observe(companies)]
        there = sorted((o for o in found if o != Ok(None)), key=lambda o: int(o.value.id) if isinstance(o, Ok) else 0)
        return there + [o for o in found if o == Ok(None)]


class Raises(MemoryShop):
    """Raises what concerns one record."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        for outcome in (outcomes := super().perform(actions)):
            if isinstance(outcome, Failed):
                raise outcome.error
        return outcomes


class RaisesOnOddIds(MemoryShop):
    """Takes every id for a number."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        return super().observe(
            [evolve(ref, id=ref.id and CompanyID(StorefrontID(str(int(ref.id))))) for ref in companies]
        )


class StopsAtTheFirst(MemoryShop):
    """Does nothing behind the first refusal of a call."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        outcomes: list[Any] = []
        for action in actions:
            stopped = any(isinstance(outcome, Failed) for outcome in outcomes)
            outcomes += [Failed(NotSentError("stopped"))] if stopped else super().perform([action])
        return outcomes


class MissesInBulk(MemoryShop):
    """Lists users of the first ten companies of a call."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        found: list[Any] = [*super().observe(companies)]
        return [*found[:10], *(Ok(evolve(outcome.value, users=())) for outcome in found[10:])]


class TakesTheFirst(MemoryShop):
    """Takes the first of several companies with one external id."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        by_id = {company.external_id: company for company in reversed(self.snapshot().values())}
        seen = zip(companies, super().observe(companies), strict=True)
        return [Ok(by_id[ref.external_id]) if isinstance(o, Failed) else o for ref, o in seen]


class FindsByPart(MemoryShop):
    """Searches external ids as texts."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        whole = [company.external_id for company in self.snapshot().values()]

        def like(ref: CompanyRef) -> CompanyRef:
            match = next((one for one in whole if one.startswith(ref.external_id)), ref.external_id)
            return evolve(ref, external_id=NoteID(match))

        return super().observe([like(ref) for ref in companies])


class NeedsTheId(MemoryShop):
    """Knows companies by their own ids only."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        return [o if ref.id else Ok(None) for ref, o in zip(companies, super().observe(companies), strict=True)]


class AbsentIsAnError(MemoryShop):
    """Fails where there is no such company."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        gone = Failed(RejectedError(Reason.GONE, "404"))
        return [gone if outcome == Ok(None) else outcome for outcome in super().observe(companies)]


class HidesSwitchedOff(MemoryShop):
    """Shows no company that is switched off."""

    def observe(self, companies: Sequence[CompanyRef], /) -> Any:
        found: list[Any] = [*super().observe(companies)]
        return [Ok(None) if o != Ok(None) and not o.value.active else o for o in found]


class TwoWrites(MemoryShop):
    """Writes names before it asks for the address."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        for action in actions:
            if isinstance(action, UpdateUser):
                super().perform([without(action, "email")])
        return super().perform(actions)


class TwoCalls(MemoryShop):
    """Makes a company first, and its admin then."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        outcomes: list[Any] = []
        for action in actions:
            if isinstance(action, CreateCompany) and action.admin:
                self.admin_at_creation = False
                (made,) = super().perform([evolve(action, admin=None)])
                self.admin_at_creation = True
                home = CompanyID(made.value) if isinstance(made, Ok) else CompanyID(StorefrontID(""))
                (user,) = super().perform([CreateUser(company=home, user=action.admin, role=action.role)])
                outcomes.append(user if isinstance(user, Failed) else made)
            else:
                outcomes += super().perform([action])
        return outcomes


class BothStayAdmin(MemoryShop):
    """Moves the role without taking it from anybody."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        outcomes: list[Any] = []
        for action in actions:
            self.hand_over = HandOver.PROMOTE_FIRST if isinstance(action, MoveAdmin) else HandOver.ATOMIC
            grant: Action = action
            if isinstance(action, MoveAdmin):
                grant = SetRole(company=action.company, user=action.user, contact=action.contact, role=action.role)
            outcomes += super().perform([grant])
            self.hand_over = HandOver.ATOMIC
        return outcomes


class UsesIdsAgain(MemoryShop):
    """Gives the id of who was removed to who comes next."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        outcomes = super().perform(actions)
        self._ids -= sum(isinstance(action, RemoveUser) for action in actions)
        return outcomes


class ChangesItsMind(MemoryShop):
    """Declares something else when it has companies."""

    @property
    def capabilities(self) -> Capabilities:
        return evolve(super().capabilities, deactivates=bool(self.snapshot()))


class SaysNothingOfRoles(MemoryShop):
    """Looks for no roles."""

    def require_roles(self, names: Sequence[str], /) -> None:
        """Do nothing."""


class EverybodyShops(MemoryShop):
    """Says of every address that somebody shops with it."""

    def find_shoppers(self, emails: Sequence[str], /) -> Any:
        return [Ok("S1") for _ in emails]


class EverybodyIsAbove(MemoryShop):
    """Says of every address that it is a super admin's."""

    def super_admins(self, emails: Sequence[str], /) -> Any:
        return [Ok(value=True) for _ in emails]


class ShowsItsSurveyForEver(MemoryShop):
    """Goes on to show what it surveyed, whatever was written since."""

    def perform(self, actions: Sequence[Action], /) -> Any:
        kept = dict(self._survey)
        done = super().perform(actions)
        self._survey = kept
        return done


# ------------------------------------------------------------------ the table
@frozen
class Tooth:
    """A broken shop, and the check that has to catch it."""

    name: str
    caught_by: str
    make: Callable[[], MemoryShop]


def tooth(name: str, caught_by: str, **twist: Any) -> Tooth:
    """Return a row whose shop is twisted."""
    return Tooth(name, f"test_{caught_by}", lambda: Twisted(**twist))


def row(kind: type[MemoryShop], caught_by: str, **settings: Any) -> Tooth:
    """Return a row whose shop is of a class of its own."""
    return Tooth(kind.__name__, f"test_{caught_by}", lambda: kind(**settings))


def drops_phone(_: Twisted, action: Action) -> Action | None:
    """Make companies, users and addresses with another phone than asked."""
    match action:
        case CreateCompany(company=company):
            return evolve(action, company=evolve(company, phone="1"))
        case CreateUser(user=user):
            return evolve(action, user=evolve(user, phone=""))
        case CreateAddress(address=address):
            return evolve(action, address=evolve(address, phone=""))
        case _:
            return None


def only(kind: type, twist: Callable[[Any], Any]) -> Callable[[Twisted, Action], Any]:
    """Return what twists one kind of action."""
    return lambda _, action: twist(action) if isinstance(action, kind) else None


def drops_external_id(_: Twisted, action: Action) -> Action | None:
    """Never write the external id of a user."""
    match action:
        case CreateUser(user=user):
            return evolve(action, user=evolve(user, external_id=NoteID("")))
        case UpdateUser():
            changes = tuple(pair for pair in action.changes if pair[0] != "external_id")
            return evolve(action, changes=changes)
        case _:
            return None


def removes_the_last(shop: Twisted, action: Action) -> Action | None:
    """Remove whoever came last."""
    if not isinstance(action, RemoveUser):
        return None
    return RemoveUser(company=action.company, user=shop.users_of(action.company)[-1].id, contact=action.contact)


def writes_to_all(shop: Twisted, action: Action) -> None:
    """Write a change to every user of the store."""
    if isinstance(action, UpdateUser):
        for user in [*shop.people()]:
            MemoryShop.perform(
                shop, [without(evolve(action, company=user.company, user=user.id), "external_id", "email")]
            )


def removes_all_addresses(shop: Twisted, action: Action) -> None:
    """Remove all other addresses along."""
    if isinstance(action, RemoveAddress):
        for address in shop.snapshot()[action.company].addresses:
            if address.id != action.id:
                MemoryShop.perform(shop, [evolve(action, id=address.id)])


def by_case(_: Twisted, email: str, user: CompanyUser | None) -> CompanyUser | None:
    """Find an address only as it is written."""
    return user if user and user.email == email else None


def by_part(shop: Twisted, email: str, _: CompanyUser | None) -> CompanyUser | None:
    """Find whoever has an address that contains what was asked for."""
    return next((user for user in shop.people() if email.lower() in user.email.lower()), None)


def without_tags(shop: Twisted, email: str, user: CompanyUser | None) -> CompanyUser | None:
    """Find an address without its tag."""
    name, _, domain = email.lower().partition("@")
    plain = f"{name.partition('+')[0]}@{domain}"
    return user or next((user for user in shop.people() if user.email.lower() == plain), None)


def in_the_first(shop: Twisted, _: str, user: CompanyUser | None) -> CompanyUser | None:
    """Find users of the company that was made last."""
    return user if user and user.company == [*shop.snapshot()][-1] else None


def reworded(reason: Reason, other: Reason) -> Callable[[Action, Outcome[Any]], Outcome[Any]]:
    """Return what tells one reason for another."""

    def says(_: Action, outcome: Outcome[Any]) -> Outcome[Any]:
        match outcome:
            case Failed(RejectedError(reason=said)) if said is reason:
                return Failed(RejectedError(other, "no"))
            case _:
                return outcome

    return says


def forgives(reason: Reason) -> Callable[[Action, Outcome[Any]], Outcome[Any]]:
    """Return what calls a refusal a success."""

    def says(action: Action, outcome: Outcome[Any]) -> Outcome[Any]:
        match outcome:
            case Failed(RejectedError(reason=said)) if said is reason:
                return Ok(target(action) if not isinstance(action, CreateUser) else StorefrontID("1"))
            case _:
                return outcome

    return says


def unlabelled(company: Company) -> Company:
    """Return the company as if a role that is not the usual one cost the external id."""
    shown = (evolve(user, external_id="") if user.role == "Junior Buyer" else user for user in company.users)
    return evolve(company, users=tuple(shown))


ATOMIC = {"hand_over": HandOver.ATOMIC}
INLINE = {"admin_at_creation": True}
TEETH = [
    # ---- what was performed is observed
    tooth("a phone is dropped when a company is made", "performed_is_observed_create_company", instead=drops_phone),
    tooth("a change of a company is ignored", "performed_is_observed_update_company", instead=quietly(UpdateCompany)),
    tooth("a phone is dropped when a user is made", "performed_is_observed_create_user", instead=drops_phone),
    tooth("a change of a user is ignored", "performed_is_observed_update_user", instead=quietly(UpdateUser)),
    tooth("a role is silently not set", "performed_is_observed_set_role", instead=quietly(SetRole)),
    tooth("a hand-over is ignored", "performed_is_observed_move_admin", instead=quietly(MoveAdmin), **ATOMIC),
    tooth("a removal is ignored", "performed_is_observed_remove_user", instead=quietly(RemoveUser)),
    tooth("a phone is dropped when an address is made", "performed_is_observed_create_address", instead=drops_phone),
    tooth("a change of an address is ignored", "performed_is_observed_update_address", instead=quietly(UpdateAddress)),
    tooth("a removal of an address is ignored", "performed_is_observed_remove_address", instead=quietly(RemoveAddress)),
    tooth(
        "an address is no default when it is changed",
        "performed_is_observed_update_address",
        instead=only(UpdateAddress, lambda a: evolve(a, address=evolve(a.address, default_shipping=False))),
    ),
    # ---- answers
    row(Sorts, "actions_are_answered_in_order"),
    row(StopsAtTheFirst, "one_bad_action_does_not_stop_the_others"),
    tooth("an error is swallowed", "one_bad_action_does_not_stop_the_others", says=forgives(Reason.EMAIL_TAKEN)),
    tooth(
        "None stands for an error",
        "one_bad_action_does_not_stop_the_others",
        says=lambda _, outcome: None if isinstance(outcome, Failed) else outcome,
    ),
    row(Deduplicates, "companies_are_answered_in_order"),
    row(SortsCompanies, "companies_are_answered_in_order"),
    row(DeduplicatesAddresses, "addresses_are_answered_in_order"),
    row(AnswersTooMuch, "addresses_are_answered_in_order"),
    row(AnswersNobodyNot, "addresses_are_answered_in_order"),
    row(Raises, "what_concerns_one_record_is_returned"),
    row(RaisesOnOddIds, "what_concerns_one_record_is_returned"),
    tooth(
        "gone is told as invalid", "a_write_to_what_is_not_there_is_gone", says=reworded(Reason.GONE, Reason.INVALID)
    ),
    tooth("gone is told as done", "a_repeated_removal_is_gone", says=forgives(Reason.GONE)),
    tooth("taken is told as other", "a_taken_address_is_email_taken", says=reworded(Reason.EMAIL_TAKEN, Reason.OTHER)),
    row(TwoCalls, "a_company_with_a_taken_admin_is_not_made", **INLINE),
    row(TwoWrites, "what_is_refused_leaves_no_trace"),
    tooth(
        "an unknown action is answered with success",
        "an_unknown_action_is_unsupported",
        says=forgives(Reason.UNSUPPORTED),
        addresses=False,
    ),
    tooth(
        "a change answers its company's id",
        "ids_are_those_that_are_observed",
        says=lambda action, outcome: Ok(action.company) if isinstance(action, UpdateUser) else outcome,
    ),
    tooth(
        "ids are numbers",
        "performed_is_observed_create_company",
        says=lambda _, outcome: Ok(int(outcome.value)) if isinstance(outcome, Ok) else outcome,
    ),
    row(UsesIdsAgain, "ids_are_never_used_again"),
    # ---- readings
    tooth("one page of users", "every_user_is_listed", shows=lambda c: evolve(c, users=c.users[:20])),
    tooth("a user on two pages", "every_user_is_listed", shows=lambda c: evolve(c, users=c.users + c.users[20:21])),
    tooth("never complete", "a_whole_listing_is_complete", shows=lambda c: evolve(c, complete=False)),
    row(AbsentIsAnError, "a_company_that_is_not_there_is_none"),
    row(FindsByPart, "a_company_that_is_not_there_is_none"),
    row(NeedsTheId, "a_company_is_found_by_its_external_id"),
    row(TakesTheFirst, "two_companies_of_one_external_id_are_told"),
    row(MissesInBulk, "many_companies_are_observed_at_once"),
    row(NoAddressesNobody, "a_look_without_addresses_shows_all_else"),
    tooth("search heeds case", "users_are_found_in_any_case", finds=by_case),
    tooth("search by part", "nobody_is_found_by_a_like_address", finds=by_part),
    tooth("search without tags", "nobody_is_found_by_a_like_address", finds=without_tags),
    tooth("search in one company", "users_are_found_over_all_companies", finds=in_the_first),
    tooth("external ids are dropped", "external_ids_come_back_unchanged", instead=drops_external_id),
    tooth("roles have other names", "role_names_come_back_as_given", shows=lambda c: users(c, role="2")),
    tooth("extra fields are dropped", "extra_fields_are_kept", shows=lambda c: users(c, extra_fields=())),
    row(Stale, "a_read_right_after_a_write_sees_it"),
    row(StaleSearch, "a_read_right_after_a_write_sees_it"),
    # ---- what a change leaves
    tooth(
        "a change of a user blanks its phone",
        "a_change_leaves_the_other_fields",
        instead=only(UpdateUser, lambda action: also(action, ("phone", ""))),
    ),
    tooth(
        "a change of a company forgets its phone",
        "a_change_of_a_company_leaves_the_rest",
        instead=only(UpdateCompany, lambda action: also(action, ("phone", "1"))),
    ),
    tooth("a role costs the external id", "a_role_leaves_the_fields", shows=unlabelled),
    tooth("a change goes to everybody", "a_change_leaves_other_users", instead=writes_to_all),
    tooth("somebody else is removed", "a_removal_removes_one_user", instead=removes_the_last),
    tooth("all addresses are removed", "a_change_leaves_other_addresses", instead=removes_all_addresses),
    # ---- what is declared
    row(ChangesItsMind, "capabilities_do_not_change"),
    tooth(
        "an admin is said to be needed",
        "admin_at_creation_is_as_declared",
        declares={"admin_at_creation": True},
    ),
    tooth(
        "an admin is needed, and it is not said",
        "admin_at_creation_is_as_declared",
        declares={"admin_at_creation": False},
        **INLINE,
    ),
    row(BothStayAdmin, "atomic_leaves_one_admin", **ATOMIC),
    tooth(
        "two can't stand, and it is said that they can",
        "promote_first_lets_two_stand",
        hand_over=HandOver.DEMOTE_FIRST,
        strict=True,
        declares={"hand_over": HandOver.PROMOTE_FIRST},
    ),
    tooth("two can stand, and it is said that not", "demote_first_refuses_a_second", hand_over=HandOver.DEMOTE_FIRST),
    tooth(
        "switched off is hidden",
        "deactivated_users_are_listed_as_inactive",
        deactivates=True,
        shows=lambda c: evolve(c, users=tuple(user for user in c.users if user.active)),
    ),
    tooth(
        "switched off is not told",
        "deactivated_users_are_listed_as_inactive",
        deactivates=True,
        shows=lambda c: users(c, active=True),
    ),
    tooth(
        "who is switched off is not found",
        "deactivated_users_are_listed_as_inactive",
        deactivates=True,
        finds=lambda _, __, user: user if user and user.active else None,
    ),
    row(HidesSwitchedOff, "deactivated_companies_are_shown_as_inactive", deactivates=True),
    tooth(
        "an address can't be changed, and it is not said",
        "changes_of_email_are_as_declared",
        changes_email=False,
        declares={"changes_email": True},
    ),
    tooth(
        "an address can be changed, and it is said that not",
        "changes_of_email_are_as_declared",
        declares={"changes_email": False},
    ),
    tooth(
        "addresses that nobody spoke of",
        "addresses_are_as_declared",
        addresses=False,
        shows=lambda c: evolve(c, addresses=(CompanyAddress(id=c.id),)),
    ),
    row(SaysNothingOfRoles, "required_roles_are_known"),
    row(EverybodyShops, "strangers_are_no_shoppers"),
    row(EverybodyIsAbove, "company_users_are_no_super_admins"),
    row(ShowsItsSurveyForEver, "a_survey_shows_what_is_there"),
]


# ------------------------------------------------------------------ the tests
def failing(make: Callable[[], MemoryShop]) -> dict[str, BrokenContractError]:
    """Return the checks that a shop fails."""
    contract, found = StorefrontContract(), dict[str, BrokenContractError]()
    for name in CHECKS:
        try:
            getattr(contract, name)(ShopBench(make(), ShopTraits(extra_field="Title")))
        except BrokenContractError as error:
            found[name] = error
        except pytest.skip.Exception:
            continue
    return found


@pytest.mark.parametrize("bad", TEETH, ids=lambda bad: bad.name)
def test_a_broken_shop_is_caught(bad: Tooth) -> None:
    """Each broken shop is caught by the check that is named for it, and none makes a check itself fall over."""
    assert bad.caught_by in failing(bad.make)


@pytest.mark.parametrize("regime", HandOver)
def test_a_sound_shop_is_not(regime: HandOver) -> None:
    """A sound shop fails no check, although all of them run in the same account."""
    shop = MemoryShop(hand_over=regime, strict=True, deactivates=True)
    assert failing(lambda: shop) == {}


@pytest.mark.parametrize(
    "make",
    [
        UsesIdsAgain,
        BothStayAdmin,
        lambda: Twisted(finds=by_case),
        lambda: Twisted(instead=quietly(SetRole)),
        lambda: Twisted(instead=removes_the_last),
        lambda: Twisted(shows=lambda company: evolve(company, users=company.users[:2])),
    ],
    ids=["ids again", "two admins", "case", "roles ignored", "wrong removal", "cut list"],
)
def test_random_steps_catch_it_as_well(make: Callable[[], MemoryShop]) -> None:
    """What the checks catch one by one, the state machine finds by itself."""
    machine: Any = storefront_machine(make)
    machine.settings = settings(machine.settings, max_examples=100, derandomize=True, phases=[Phase.generate])
    with pytest.raises(BrokenContractError):
        machine("runTest").debug()


def test_every_check_catches_something() -> None:
    """No check of the contract is without a broken shop that it is there for."""
    assert {bad.caught_by for bad in TEETH} == set(CHECKS)
