"""Tells at the end of a session what was crashed: every kind of effect, how often, in which regimes."""

import json
from collections import Counter
from typing import Any, Final

import pytest
from attrs import define, field

from acumatica_b2b.model import HandOver

PROPERTY: Final = "crashes"


@define
class Counts:
    """What the tests of crashes noted down, over all processes of a session."""

    runs: set[tuple[str, str]] = field(factory=set[tuple[str, str]])
    kinds: Counter[tuple[str, str]] = field(factory=Counter[tuple[str, str]])
    """How many effects of each kind, by the way of handing over."""
    states: int = 0
    recoveries: int = 0
    pairs: int = 0

    def add(self, noted: str) -> None:
        """Add what one test noted."""
        world, regime, kinds, states, recoveries = json.loads(noted)
        if not kinds:
            self.pairs += recoveries
            return
        hand_over = next(one.value for one in HandOver if regime.startswith(one.value))
        self.runs.add((world, regime))
        self.kinds.update({(kind, hand_over): times for kind, times in kinds.items()})
        self.states += states
        self.recoveries += recoveries

    def lines(self) -> list[str]:
        """Return what there is to say."""
        worlds, regimes = ({run[i] for run in self.runs} for i in (0, 1))
        effects = sum(self.kinds.values())
        behind = f"which left {self.states} different states: {self.recoveries} recoveries"
        said = [
            f"{len(worlds)} worlds in {len(regimes)} regimes, {len(self.runs)} of both together: {effects} effects",
            f"{2 * effects} crashes, one before and one after each effect, {behind}",
            f"{self.pairs} crashes in the run that recovers, each recovered from",
            f"{'crashed before, and as often after':<36}" + "".join(f"{one.value:>15}" for one in HandOver),
        ]
        for kind in sorted({kind for kind, _ in self.kinds}):
            times = "".join(f"{self.kinds[kind, one.value] or '-':>15}" for one in HandOver)
            said.append(f"  {kind:<34}{times}")
        return said


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the counts, where crashes were tried."""
    reports: list[pytest.TestReport] = terminalreporter.getreports("passed")
    noted = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    if not noted:
        return
    counts = Counts()
    for one in noted:
        counts.add(str(one))
    terminalreporter.section("crashes")
    for line in counts.lines():
        terminalreporter.line(line)
