"""Two runners at work on the same customers, shop and log, their batches interleaved at random."""

import random
from collections.abc import Sequence
from typing import Any

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b import ContactSync, Everything, HandOver, RunReport
from acumatica_b2b.drivers import Parties, Seeded
from acumatica_b2b.flow import Batch, Flow, SideBySide
from tests.engine.test_machine import Syncs


@define
class Runner:
    """A run that is driven batch by batch; `report` is there when it has come to its end."""

    flow: Flow[RunReport]
    driver: Seeded
    report: RunReport | None = None
    _stack: list[Flow[Any]] = field(factory=list[Flow[Any]])
    _batch: Batch = ()

    def __attrs_post_init__(self) -> None:
        """Go to the first batch."""
        self._stack = [self.flow]
        self._advance(None)

    def step(self) -> None:
        """Answer one batch."""
        self._advance(self.driver(self._batch))

    def _advance(self, answers: Sequence[Any] | None) -> None:
        line = self._stack[-1]
        try:
            self._batch = next(line) if answers is None else line.send(answers)
        except StopIteration as stop:
            self._stack.pop()
            if self._stack:
                self._advance([(stop.value,)])
            else:
                self.report = stop.value
            return
        if isinstance(self._batch[0], SideBySide):
            (worker,) = self._batch[0].flows
            self._stack.append(worker)
            self._advance(None)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(HandOver), st.booleans())
def test_two_runners_do_no_harm(seed: int, hand_over: HandOver, known: bool) -> None:  # noqa: FBT001  # drawn
    """However two runs interleave, nobody is doubled, no company loses its last admin, and the next run ends right."""
    die = random.Random(seed)
    scene = Syncs()
    people = [die.randint(1, 4) for _ in range(2)]
    scene.begin(people=people, hand_over=hand_over, inline=die.random() < 0.5, kept=True)
    if known:
        scene.run(0, scene.erp, scene.shop, scene.store)
        for _ in range(3):
            scene.edit_erp(die)
    scene.was = scene.shop.snapshot()
    sync = ContactSync(erp=scene.erp, storefront=scene.shop, store=scene.store, clock=scene.clock, workers=1)
    runners = [
        Runner(
            sync._synced(Everything()),
            Seeded(Parties(erp=scene.erp, storefront=scene.shop, store=scene.store, clock=scene.clock), die),
        )
        for _ in range(2)
    ]
    while waiting := [runner for runner in runners if runner.report is None]:
        die.choice(waiting).step()
    scene.clock.sleep(1000)
    scene.run(0, scene.erp, scene.shop, scene.store)
    assert scene.run(0, scene.erp, scene.shop, scene.store).steps == ()
    companies = scene.shop.snapshot().values()
    assert len({company.external_id for company in companies}) == len(companies)
    assert all(sum(user.role == "Admin" for user in company.users) == 1 for company in companies)
