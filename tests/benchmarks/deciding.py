"""How long it takes to decide what is to be done for a company, by its size: `python tests/benchmarks/deciding.py`.

Microseconds of CPU a contact, of values in memory: no system is asked, nothing is stored. Where a line says as much
as the one above it, the cost grows with the company's length.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

from attrs import evolve, frozen

from acumatica_b2b import HandOver, SyncPolicy, World, adopted, map_customer, next_steps, plan_company, settle
from acumatica_b2b.actions import Step, WriteReference
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.folding import fold
from acumatica_b2b.judgement import findings
from acumatica_b2b.model import Capabilities, Company, Contact, Customer, StorefrontID
from acumatica_b2b.settling import intended
from acumatica_b2b.steps import logged
from acumatica_b2b.synclog import Body, read_body, write_body
from tests.bench import contact, customer, location

T = TypeVar("T")
R = TypeVar("R")

SIZES: Final = (1, 10, 50, 200, 1_000)
POLICY: Final = SyncPolicy()
SHOP: Final = Capabilities(hand_over=HandOver.PROMOTE_FIRST, addresses=True)
NOW: Final = datetime(2026, 5, 1, tzinfo=UTC)
WORK: Final = 200
"""So many contacts are decided on at least, for a time that can be measured."""


@frozen(kw_only=True)
class Synced:
    """A customer whose company is as it should be, and the text of its log."""

    customer: Customer
    company: Company
    log: str

    def world(self, customer: Customer | None = None) -> World:
        """Return what a run knows once the log was loaded, with nothing in it worked out yet."""
        return evolve(known(customer or self.customer), state=fold([read_body(self.log)]))


def known(one: Customer) -> World:
    """Return the world of a customer of whom there is no log."""
    return World(customer=one, desired=map_customer(one, POLICY), policy=POLICY, capabilities=SHOP)


def crowd(size: int) -> Customer:
    """Return a customer with so many contacts and one location."""
    people = tuple(contact(100_000 + number, f"Guest{number}") for number in range(size))
    return customer(*people, primary=people[0], locations=(location(),))


def synced(one: Customer) -> Synced:
    """Return a customer after its first load, with ids that a shop might give."""
    world, ids = adopted(known(one), None), count(1)
    while steps := next_steps(world):
        world = intended(world, steps, NOW)
        for step in steps:
            world = settle(world, step, _outcome(step, next(ids)))
    if world.company is None:
        raise RuntimeError(f"customer {one.id!r} got no company")
    log = write_body(Body(run="r1", at=NOW, entries=world.unsaved))
    return Synced(customer=world.customer, company=world.company, log=log)


def _outcome(step: Step, number: int) -> Outcome[StorefrontID | None]:
    if isinstance(step, WriteReference):
        return Ok(None)
    return Ok(StorefrontID(logged(step, POLICY, {}).id or str(number)))


# ------------------------------------------------------------------ what is measured
def plan(world: World) -> int:
    """Plan a first load; return how many steps it has."""
    return len(plan_company(adopted(world, None)).steps)


def decide(world: World, company: Company) -> int:
    """Decide what is to be done now, and what people have to know; return how many steps there are."""
    seen = adopted(world, company)
    steps = next_steps(seen)
    findings(seen)
    return len(steps)


@frozen(kw_only=True)
class Line:
    """What a company of one size takes, in seconds of CPU, and how many steps it came to."""

    size: int
    log: float
    nothing: float
    one: float
    everyone: float
    first_load: float
    steps: tuple[int, int, int, int]

    def __str__(self) -> str:
        figures = (self.log, self.nothing, self.one, self.everyone, self.first_load)
        return f"{self.size:>10,}" + "".join(f"{figure * 1e6 / self.size:>14,.1f}" for figure in figures)


def measured(size: int, work: int = WORK) -> Line:
    """Measure a company of so many contacts, or several of them until there is enough to measure."""
    rounds = -(-work // size)
    one = synced(crowd(size))
    there = one.company
    one_moved = evolve(one.customer, contacts=tuple(_moved(one.customer.contacts, last_only=True)))
    all_moved = evolve(one.customer, contacts=tuple(_moved(one.customer.contacts, last_only=False)))
    log, _ = _timed(rounds, lambda: one.log, lambda text: fold([read_body(text)]))
    nothing, none = _timed(rounds, one.world, lambda world: decide(world, there))
    changed, single = _timed(rounds, lambda: one.world(one_moved), lambda world: decide(world, there))
    everyone, all_ = _timed(rounds, lambda: one.world(all_moved), lambda world: decide(world, there))
    first_load, steps = _timed(rounds, lambda: known(crowd(size)), plan)
    return Line(
        size=size,
        log=log,
        nothing=nothing,
        one=changed,
        everyone=everyone,
        first_load=first_load,
        steps=(none, single, all_, steps),
    )


def _moved(contacts: tuple[Contact, ...], *, last_only: bool) -> Iterator[Contact]:
    """Yield the contacts, the last one or all of them at a new address."""
    for one in contacts:
        changes = one is contacts[-1] or not last_only
        yield evolve(one, email=one.email.replace("@acme.", "@apex.")) if changes else one


def _timed(rounds: int, make: Callable[[], T], do: Callable[[T], R]) -> tuple[float, R]:
    """Return the seconds that it takes once, the best of three, and what comes of it; what is needed is made before."""
    best = float("inf")
    result = do(make())
    for _ in range(3):
        inputs = [make() for _ in range(rounds)]
        began = time.process_time()
        for each in inputs:
            result = do(each)
        best = min(best, time.process_time() - began)
    return best / rounds, result


def main() -> None:
    """Print the table, a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="contacts of a company")
    heads = ("log read", "nothing", "one moved", "all moved", "first load")
    sys.stdout.write("  contacts" + "".join(f"{head:>14}" for head in heads) + "\n")
    for size in parser.parse_args().sizes:
        sys.stdout.write(f"{measured(size)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
