"""The plan: which steps may go out now, and their unfolding when every step succeeds."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from attrs import evolve, frozen

from acumatica_b2b.actions import RemoveUser, Step
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.flow import Ok
from acumatica_b2b.guard import approval, approval_of_adoption, guarded, is_held, weight
from acumatica_b2b.judgement import findings
from acumatica_b2b.leaving import leaving
from acumatica_b2b.model import CustomerID, Record, StorefrontID
from acumatica_b2b.policy import Guarded
from acumatica_b2b.proposals import PROPOSALS, aborted
from acumatica_b2b.settling import intended, settled
from acumatica_b2b.shop import pending
from acumatica_b2b.steps import record_of, target_of
from acumatica_b2b.world import World


def next_steps(world: World) -> tuple[Step, ...]:
    """Return the steps that may go out now, all independent; () when nothing can be done any more."""
    for propose in PROPOSALS:
        if steps := tuple(step for step in propose(world) if _may_go_out(world, step)):
            return steps
    return ()


def _may_go_out(world: World, step: Step) -> bool:
    return (
        step not in world.attempted
        and not is_held(world, step)
        and not aborted(world, step)
        and (world.expected is None or kind_of(step) in world.expected)
    )


def kind_of(step: Step) -> tuple[str, Record]:
    """Return what a plan is held to: what is done to which record."""
    return type(step).__name__, record_of(step)


# ------------------------------------------------------------------ unfolding
@frozen(kw_only=True)
class CompanyPlan:
    """What would be done for one customer, in order, and why the rest would not."""

    customer: CustomerID
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    adopts: str = ""
    """The company of the shop that would be taken over."""
    removals: int = 0
    """How many users would be removed, behind the guard."""
    on_approval: tuple[Step, ...] = ()
    """What would be done besides, were the plan approved: too much of one company for the guard alone."""
    guarded: tuple[tuple[Guarded, str], ...] = ()
    """What counts against the limits, or needs an approval: of which kind, and the name it is approved by."""

    @property
    def says(self) -> bool:
        """Whether something would be done, or is to be told."""
        return bool(self.steps or self.findings or self.adopts or self.on_approval)


def plan_company(world: World) -> CompanyPlan:
    """Return the plan for one customer: its next steps, unfolded as if each succeeded."""
    start = evolve(world, planning=True, approved=frozenset(), expected=None)
    added = tuple(_unfolding(start))
    removed = tuple(_unfolding(evolve(added[-1].world, may_remove=True)))
    end = removed[-1].world
    too_much = any(finding.kind is FindingKind.GUARD_HELD for finding in leaving(end).findings)
    approved = tuple(_unfolding(evolve(end, unguarded=True))) if too_much else (removed[-1],)
    return CompanyPlan(
        customer=world.customer.id,
        steps=end.taken,
        findings=findings(end),
        adopts=world.adopts,
        removals=sum(isinstance(step, RemoveUser) for step in end.taken),
        on_approval=approved[-1].world.taken[len(end.taken) :],
        guarded=(*_adoption(world), *_counted((*added, *removed, *approved))),
    )


@frozen
class _Turn:
    """A world, and the steps that go out in it."""

    world: World
    steps: tuple[Step, ...]


def _adoption(world: World) -> Iterator[tuple[Guarded, str]]:
    if world.adopts:
        yield Guarded.ADOPTIONS, approval_of_adoption(world.customer.id, world.adopts)


def _counted(turns: Iterable[_Turn]) -> Iterator[tuple[Guarded, str]]:
    for turn in turns:
        for step in turn.steps:
            if kind := guarded(turn.world, step):
                yield from [(kind, approval(step))] * weight(turn.world, step)


def unfolded(world: World) -> World:
    """Return the world after all steps that may go out, each of them successful."""
    *_, last = _unfolding(world)
    return last.world


def _unfolding(world: World) -> Iterator[_Turn]:
    """Yield turn after turn, each step successful; the last one has nothing to do."""
    while steps := next_steps(world):
        yield _Turn(world, steps)
        world = intended(world, steps, datetime.max.replace(tzinfo=UTC))
        world = settled(world, steps, [Ok(_id_made(step)) for step in steps])
    yield _Turn(world, ())


def _id_made(step: Step) -> StorefrontID:
    return StorefrontID(target_of(step) or pending(record_of(step).id))
