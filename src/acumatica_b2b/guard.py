"""The guard: what may go out without a person's approval, counted from the log over all runs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from acumatica_b2b.actions import CreateUser, MoveAdmin, RemoveUser, SetRole, Step, UpdateCompany, UpdateUser
from acumatica_b2b.model import ContactID, CustomerID, StorefrontID, UserID
from acumatica_b2b.people import first_of, is_parked, standing
from acumatica_b2b.policy import Guarded, Limits
from acumatica_b2b.shop import is_pending, pending
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World


def guarded(world: World, step: Step) -> Guarded | None:
    """Return what a step is counted as; None for what goes out all the same."""
    match step:
        case RemoveUser():
            return Guarded.REMOVALS
        case UpdateUser(changes=changes) | UpdateCompany(changes=changes) if ("active", "no") in changes:
            return Guarded.REMOVALS
        case SetRole(role=role) if role == world.policy.suspended_role:
            return Guarded.REMOVALS
        case UpdateUser(user=user, changes=changes) if any(name == "email" for name, _ in changes):
            ring = ring_of(world, step)
            counted_before = is_parked(world, user) or (ring and step.contact != first_of(ring))
            return None if counted_before else Guarded.EMAIL_CHANGES  # who steps aside counts for its whole ring
        case CreateUser(role=role) if role == world.policy.primary_role and standing(world).ours:
            return Guarded.HAND_OVERS
        case SetRole(user=user) if user in world.state.suspended and step.role != world.policy.primary_role:
            return None
        case SetRole(user=user) if set(standing(world).ours) - {user} or step.role != world.policy.primary_role:
            return Guarded.HAND_OVERS
        case MoveAdmin(user=user) if {*standing(world).ours, *standing(world).foreign} - {user}:
            return Guarded.HAND_OVERS  # the one call takes it from whoever had it
        case _:
            return None


def ring_of(world: World, step: Step) -> tuple[ContactID, ...]:
    """Return who moves round with a step that changes an address, the one who steps aside first included."""
    contact = step.contact if isinstance(step, UpdateUser) and world.policy.parking_domain else None
    return world.rings.get(contact, ()) if contact else ()


def weight(world: World, step: Step) -> int:
    """Return for how many a step counts: a ring goes round or stays, so that nobody stays parked."""
    ring = ring_of(world, step)
    return len(ring) if ring and guarded(world, step) is Guarded.EMAIL_CHANGES else 1


def counted(kinds: Iterable[Guarded]) -> Mapping[Guarded, int]:
    """Return how much one company's steps count for: a hand-over, which gives and takes, is one."""
    return {kind: 1 if kind is Guarded.HAND_OVERS else count for kind, count in Counter(kinds).items()}


# ------------------------------------------------------------------ what people approved
def approval(step: Step) -> str:
    """Return what an approval names a step by: all of it."""
    return digest(step)


def approval_of_adoption(customer: CustomerID, company: str) -> str:
    """Return what an approval names the taking over of a company by."""
    return digest(("adopt", customer, company))


def is_approved(step: Step, approved: frozenset[str]) -> bool:
    """Tell whether people approved exactly this step, shown with or without its user's id."""
    if not approved:
        return False
    if approval(step) in approved:
        return True
    if not isinstance(step, SetRole | MoveAdmin | UpdateUser) or step.contact is None or is_pending(step.user):
        return False
    return approval(evolve(step, user=UserID(StorefrontID(pending(step.contact))))) in approved


def is_held(world: World, step: Step) -> bool:
    """Tell whether the guard holds a step back."""
    return guarded(world, step) in world.held and not is_approved(step, world.approved)


# ------------------------------------------------------------------ limits
@frozen(kw_only=True)
class Spent:
    """So many of a kind went out at a time."""

    kind: Guarded
    count: int
    at: datetime


@frozen(kw_only=True)
class Tally:
    """What the whole store has, and what went out lately."""

    users: int = 0
    companies: int = 0
    spent: tuple[Spent, ...] = ()
    approvals: Mapping[str, datetime] = field(factory=dict[str, datetime])
    """What people approved, and when."""

    def approved(self, limits: Limits, now: datetime) -> frozenset[str]:
        """Return what is approved now: an approval lasts as long as the window of the limits."""
        since = now - timedelta(hours=limits.hours)
        return frozenset(key for key, at in self.approvals.items() if at > since)


def within(limits: Limits, tally: Tally, kind: Guarded, count: int, now: datetime) -> bool:
    """Tell whether so many more of a kind may go out now."""
    return count + spent_lately(limits, tally, kind, now) <= most(limits, tally, kind)


def spent_lately(limits: Limits, tally: Tally, kind: Guarded, now: datetime) -> int:
    """Return how many of a kind went out within the hours that the limits look back."""
    since = now - timedelta(hours=limits.hours)
    return sum(spent.count for spent in tally.spent if spent.kind is kind and spent.at > since)


def most(limits: Limits, tally: Tally, kind: Guarded) -> int:
    """Return how many of a kind may go out within those hours."""
    number, of = _bounds(limits, tally)[kind]
    return min(number, max(limits.share_from - 1, int(limits.share * of)))


def _bounds(limits: Limits, tally: Tally) -> Mapping[Guarded, tuple[int, int]]:
    return {
        Guarded.REMOVALS: (limits.removals, tally.users),
        Guarded.HAND_OVERS: (limits.hand_overs, tally.companies),
        Guarded.EMAIL_CHANGES: (limits.email_changes, tally.users),
        Guarded.ADOPTIONS: (limits.adoptions, tally.companies),
    }
