"""Worlds in regimes: a run without a crash, and judgement over what becomes of all that a crash leaves behind."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Final, TypeAlias, TypeVar

import pytest
from attrs import evolve, fields, frozen

from acumatica_b2b.model import Company, CompanyAddress, CompanyUser, Contact, Customer, Location
from acumatica_b2b.policy import SyncPolicy
from tests import oracle
from tests.engine.crash_watch import Watch
from tests.engine.crash_worlds import WORLDS
from tests.engine.crashes import KEEPING, REGIMES, Leftover, Regime, Scene, Tape, World

T = TypeVar("T")

COMPLETE: Final = os.environ.get("ACUMATICA_B2B_CRASHES") == "whole"
"""Whether everything is crossed with everything."""
LATER: Final = SyncPolicy().lease + 1
"""When no lease runs any more."""


# ------------------------------------------------------------------ which worlds in which regimes
def in_regimes(worlds: Sequence[World], everywhere: Sequence[World] = ()) -> pytest.MarkDecorator:
    """Have a test run for these worlds: in one regime of each way of handing over, or everywhere."""
    every = [(world, regime) for world in worlds for regime in regimes_of(world, everywhere)]
    return pytest.mark.parametrize(("world", "regime"), every, ids=[f"{w}-{r}" for w, r in every])


def regimes_of(world: World, everywhere: Sequence[World] = ()) -> list[Regime]:
    """Return the regimes in which a world is crashed: most worlds take the traits beside the hand-over in turn."""
    if world in everywhere:
        return list(REGIMES)
    kept = KEEPING[WORLDS.index(world) % len(KEEPING)]
    return [regime for regime in REGIMES if (regime.inline, regime.keeps, regime.keeps_admin) == kept]


def every(number: int, items: Sequence[T]) -> list[tuple[int, T]]:
    """Return a sample with its numbers, the first and the last among them; all of them where all is asked for."""
    last = len(items) - 1
    return [(i, item) for i, item in enumerate(items) if COMPLETE or i in {0, last} or i % number == 0]


class told_of(AbstractContextManager[None]):  # noqa: N801 - reads as a clause of `with`
    """Says of a failure at which crash it happened."""

    def __init__(self, tape: Tape, *numbers: int) -> None:
        around = [kind for kind, before, after in tape.effects if before <= numbers[0] <= after]
        self.where = f"left behind: {', then '.join(map(str, numbers))} (around {', '.join(around)})"

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Add a note."""
        if error is not None:
            error.add_note(self.where)


# ------------------------------------------------------------------ cases
@frozen(kw_only=True)
class Case:
    """A world in a regime: its run without a crash, and what that comes to."""

    world: World
    regime: Regime
    begun: Leftover
    before: oracle.Companies
    tape: Tape
    old: frozenset[str]
    wanted: object
    later: object
    """The picture after the day that follows."""

    @classmethod
    def of(cls, world: World, regime: Regime, *, changed: bool = False, backwards: bool = False) -> "Case":
        """Play the run without a crash, and the day after; the oracle has to agree."""
        policy = evolve(world.policy, snapshot_every=2) if regime.short_logs else world.policy
        scene = Scene(shop=regime.shop(**world.settings), policy=policy, backwards=backwards)
        world.begin(scene)
        scene.clock.sleep(regime.pause)
        whose = scene.linked() | scene.adoptable()
        begun = Leftover(scene=scene, watch=Watch.over(scene.shop, scene.policy, whose))
        old, before = ids_of(scene), scene.companies()
        tape = Tape.of(begun, changed=changed)
        done, later = tape.leftovers[-1].revived().scene, tape.leftovers[-1].revived().scene
        world.then(later)
        later.run()
        case = cls(
            world=world,
            regime=regime,
            begun=begun,
            before=before,
            tape=tape,
            old=old,
            wanted=picture(done, old),
            later=picture(later, old),
        )
        case.judge(done)
        assert world.ends in {"", told(done)}
        return case

    def judge(self, scene: Scene) -> None:
        """Check that all is as after the run without a crash, as the oracle says, and that nothing is left to do."""
        if self.world.judged:
            self.judge_by_rules(scene)
        assert picture(scene, self.old) == self.wanted
        self.judge_rest(scene)

    def recover(self, left: Leftover, *, later: float, changed: bool = False) -> Scene:
        """Return the scene after the next run, judged: it takes over at once, or waits for what leases are left."""
        one = left.revived(later=later).scene
        leased, began = bool(one.leased()), one.clock.time
        report = one.run(changed=changed)
        assert not report.stopped, report.stopped
        assert not report.troubles, report.troubles
        assert (one.clock.time > began) is (leased and later < one.policy.lease), "it took over too early or too late"
        self.judge(one)
        return one

    def judge_by_rules(self, scene: Scene) -> None:
        """Check that all is as the oracle says, seen from before the run."""
        customers, past = scene.erp.snapshot(), self.begun.scene
        step = oracle.Step(customers=customers, before=self.before, policy=past.policy, history=past.history)
        complaints = oracle.check_step(step, scene.companies())
        assert not complaints, complaints

    def judge_next_day(self, scene: Scene) -> None:
        """Check that the day after comes to what it would have come to."""
        self.world.then(scene)
        scene.run()
        assert picture(scene, self.old) == self.later

    def judge_rest(self, scene: Scene) -> None:
        """Check that nothing is left to do."""
        plan = scene.planned()
        assert plan.steps == ()
        assert plan.troubles == ()
        before = scene.said()
        again = scene.run()
        assert again.steps == ()
        assert again.troubles == ()
        assert scene.said() <= before, "a run with nothing to do wrote to the log"


def told(scene: Scene) -> str:
    """Return the users of all companies with their roles, company by company."""
    companies = scene.shop.snapshot().values()
    return " ".join(
        f"{user.email.partition('@')[0]}:{user.role if user.active else 'off'}"
        for company in sorted(companies, key=lambda company: company.external_id)
        for user in sorted(company.users, key=lambda user: user.email)
    )


def case_of(world: World, regime: Regime, *, changed: bool = False, backwards: bool = False) -> Case:
    """Return a world in a regime, played once."""
    return _played(world, regime, changed, backwards)


@cache
def _played(world: World, regime: Regime, changed: bool, backwards: bool) -> Case:  # noqa: FBT001 - a cache's key
    return Case.of(world, regime, changed=changed, backwards=backwards)


# ------------------------------------------------------------------ comparing
def picture(scene: Scene, old: frozenset[str]) -> object:
    """Return shop and references such that two worlds compare: new ids are replaced by whose they are."""
    companies, erp = scene.shop.snapshot().values(), scene.erp.snapshot().values()
    parts = [part for company in companies for part in _parts(company)]
    names: dict[str, str] = {
        part.id: part.id if part.id in old else f"{type(part).__name__} {part.external_id}" for part in parts
    }
    shop = {(names[part.id], *(_value(part, name, names) for name in _FIELDS[type(part)])) for part in parts}
    assert len(shop) == len(parts)
    held: list[Customer | Contact | Location] = []
    for customer in erp:
        held += (customer, *customer.contacts, *customer.locations)
    return shop, {(type(one).__name__, one.id): names.get(str(one.reference), one.reference) for one in held}


Part: TypeAlias = Company | CompanyUser | CompanyAddress


def _parts(company: Company) -> tuple[Part, ...]:
    return (company, *company.users, *company.addresses)


_FIELDS: Final = {
    kind: tuple(field.name for field in fields(kind) if field.name not in {"id", "users", "addresses"})
    for kind in (Company, CompanyUser, CompanyAddress)
}


def _value(part: Part, name: str, names: Mapping[str, str]) -> object:
    value = getattr(part, name)
    return names[value] if name == "company" else value


def ids_of(scene: Scene) -> frozenset[str]:
    """Return all ids of the shop."""
    return frozenset(part.id for company in scene.shop.snapshot().values() for part in _parts(company))
