"""The guard: what may go out without a person's approval, counted from the log over all runs."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from acumatica_b2b.actions import MoveAdmin, RemoveUser, SetRole, Step, UpdateCompany, UpdateUser
from acumatica_b2b.people import standing
from acumatica_b2b.policy import Guarded, Limits
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
        case UpdateUser(changes=changes) if any(name == "email" for name, _ in changes):
            return Guarded.EMAIL_CHANGES
        case SetRole(user=user) if user in world.state.suspended and step.role != world.policy.primary_role:
            return None
        case SetRole(user=user) if set(standing(world).ours) - {user} or step.role != world.policy.primary_role:
            return Guarded.HAND_OVERS
        case MoveAdmin(user=user) if {*standing(world).ours, *standing(world).foreign} - {user}:
            return Guarded.HAND_OVERS  # the one call takes it from whoever had it
        case _:
            return None


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


def within(limits: Limits, tally: Tally, kind: Guarded, count: int, now: datetime) -> bool:
    """Tell whether so many more of a kind may go out now."""
    since = now - timedelta(hours=limits.hours)
    total = count + sum(spent.count for spent in tally.spent if spent.kind is kind and spent.at > since)
    most, of = _bounds(limits, tally)[kind]
    return total <= most and (total < limits.share_from or total <= limits.share * of)


def _bounds(limits: Limits, tally: Tally) -> Mapping[Guarded, tuple[int, int]]:
    return {
        Guarded.REMOVALS: (limits.removals, tally.users),
        Guarded.HAND_OVERS: (limits.hand_overs, tally.companies),
        Guarded.EMAIL_CHANGES: (limits.email_changes, tally.users),
        Guarded.ADOPTIONS: (limits.adoptions, tally.companies),
    }
