"""The plan: which steps may go out now, and their unfolding when every step succeeds."""

from datetime import UTC, datetime

from attrs import evolve, frozen

from acumatica_b2b.actions import RemoveUser, Step
from acumatica_b2b.findings import Finding
from acumatica_b2b.flow import Ok
from acumatica_b2b.guard import guarded
from acumatica_b2b.judgement import findings
from acumatica_b2b.model import CustomerID, StorefrontID
from acumatica_b2b.proposals import PROPOSALS, aborted
from acumatica_b2b.settling import intended, settle
from acumatica_b2b.shop import pending
from acumatica_b2b.steps import logged, record_of
from acumatica_b2b.world import World


def next_steps(world: World) -> tuple[Step, ...]:
    """Return the steps that may go out now, all independent; () when nothing can be done any more."""
    for propose in PROPOSALS:
        if steps := tuple(step for step in propose(world) if _may_go_out(world, step)):
            return steps
    return ()


def _may_go_out(world: World, step: Step) -> bool:
    return (
        step not in world.refused
        and step not in world.taken
        and guarded(world, step) not in world.held
        and not aborted(world, step)
    )


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


def plan_company(world: World) -> CompanyPlan:
    """Return the plan for one customer: its next steps, unfolded as if each succeeded."""
    world = unfolded(evolve(world, planning=True))
    end = unfolded(evolve(world, may_remove=True))
    removals = sum(isinstance(step, RemoveUser) for step in end.taken)
    return CompanyPlan(
        customer=world.customer.id,
        steps=end.taken,
        findings=findings(end),
        adopts=world.adopts,
        removals=removals,
    )


def unfolded(world: World) -> World:
    """Return the world after all steps that may go out, each of them successful."""
    while steps := next_steps(world):
        world = intended(world, steps, datetime.max.replace(tzinfo=UTC))
        for step in steps:
            world = settle(world, step, Ok(StorefrontID(_id_made(world, step))))
    return world


def _id_made(world: World, step: Step) -> str:
    known = logged(step, world.policy, {}).id
    return known or pending(record_of(step).id)
