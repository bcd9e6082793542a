"""Two runners on the same customers, shop and log: every interleaving of small worlds, and some of larger ones."""

import os
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

import pytest
from attrs import define, evolve

from acumatica_b2b import Contact, ContactID, CustomerID, HandOver, SyncPolicy
from acumatica_b2b.drivers import Parties, Talk
from acumatica_b2b.effects import Perform
from acumatica_b2b.protocols import Commit
from acumatica_b2b.stores import MemoryStore
from tests import oracle
from tests.engine.interleavings import Edit, Frozen, Scene, Search, Shop, doubled, last_admins
from tests.engine.test_machine import OFF, good_customer

FIRST, SECOND = CustomerID("C1"), CustomerID("C2")
PLAIN = SyncPolicy(include_locations=False, write_back=frozenset(), check_tenant=False)
WHOLE = os.environ.get("ACUMATICA_B2B_INTERLEAVINGS") == "whole"
"""Whether the large set is looked at: whole runs, write-back, locations, writes of a batch one by one."""


# ------------------------------------------------------------------ worlds
Edits: TypeAlias = tuple[Edit, ...]


def people(scene: Scene, customer: CustomerID = FIRST) -> tuple[Contact, ...]:
    """Return a customer's contacts as they are now."""
    return scene.erp.snapshot()[customer].contacts


def synced(scene: Scene, *counts: int) -> None:
    """Load the ERP and sync it."""
    scene.erp.put(*(good_customer(number, count) for number, count in enumerate(counts, 1)))
    scene.sync().sync_all()


def marked(number: int) -> Edit:
    """Return the edit that makes the contact with this number primary."""
    return lambda erp: erp.set_primary(FIRST, ContactID(str(100 + number)))


def a_first_load(scene: Scene) -> Edits:
    """Two contacts, and nothing in the shop."""
    scene.erp.put(good_customer(1, 2))
    return ()


def a_hand_over(scene: Scene) -> Edits:
    """The primary mark has moved."""
    synced(scene, 2)
    marked(1)(scene.erp)
    return ()


def a_mark_that_moves(scene: Scene) -> Edits:
    """The primary mark moves at any time, so that the runners may read either."""
    synced(scene, 2)
    return (marked(1),)


def a_mark_that_moves_back(scene: Scene) -> Edits:
    """The primary mark has moved, and at any time moves back."""
    synced(scene, 2)
    marked(1)(scene.erp)
    return (marked(0),)


def a_mark_that_moves_on(scene: Scene) -> Edits:
    """The primary mark has moved, and at any time moves on to a third contact."""
    synced(scene, 3)
    marked(1)(scene.erp)
    return (marked(2),)


def a_leaver(scene: Scene) -> Edits:
    """One of two takes part no more."""
    synced(scene, 2)
    scene.erp.put_contact(FIRST, evolve(people(scene)[1], association=OFF))
    return ()


def a_leaver_of_three(scene: Scene) -> Edits:
    """One of three takes part no more."""
    synced(scene, 3)
    scene.erp.put_contact(FIRST, evolve(people(scene)[2], association=OFF))
    return ()


def an_admin_who_leaves(scene: Scene) -> Edits:
    """The primary contact takes part no more, and another one is primary."""
    synced(scene, 2)
    scene.erp.put_contact(FIRST, evolve(people(scene)[0], association=OFF))
    marked(1)(scene.erp)
    return ()


def a_swap(scene: Scene) -> Edits:
    """Two contacts have each other's address."""
    scene.policy = evolve(scene.policy, parking_domain="parked.example")
    synced(scene, 2)
    one, other = people(scene)
    scene.erp.put_contact(FIRST, evolve(one, email=other.email))
    scene.erp.put_contact(FIRST, evolve(other, email=one.email))
    return ()


def a_mover(scene: Scene) -> Edits:
    """One of two contacts is another customer's now."""
    synced(scene, 2, 1)
    scene.erp.move_contact(people(scene)[1].id, SECOND)
    return ()


OF_ADMINS = (a_hand_over, a_mark_that_moves, a_mark_that_moves_back)
"""What the regime makes a difference to."""
SMALL = [(a_first_load, HandOver.PROMOTE_FIRST), (a_mark_that_moves, HandOver.PROMOTE_FIRST)]
SMALL += [(a_hand_over, hand_over) for hand_over in HandOver]
MORE = [(a_mark_that_moves, HandOver.ATOMIC), (a_mark_that_moves, HandOver.DEMOTE_FIRST)]
MORE += [(a_mark_that_moves_back, hand_over) for hand_over in HandOver]
MORE += [(a_leaver, HandOver.PROMOTE_FIRST), (a_swap, HandOver.PROMOTE_FIRST)]
LARGE = (a_mover, an_admin_who_leaves, a_swap, a_leaver_of_three, a_mark_that_moves_on)
"""Worlds with so many schedules that only some are looked at."""


# ------------------------------------------------------------------ promises
def kept(scene: Scene) -> Callable[[Shop, Shop], None]:
    """Return the check after every single change of the shop."""

    def check(was: Shop, now: Shop) -> None:
        assert not doubled(now), doubled(now)
        if scene.hand_over is not HandOver.DEMOTE_FIRST:
            assert not last_admins(was, now), (was, now)

    return check


def right(scene: Scene) -> Callable[[Frozen], None]:
    """Return the check of the next run after both have come to their end."""

    def check(world: Frozen) -> None:
        scene.thaw(world)
        scene.clock.sleep(scene.policy.lease + 1)
        sync = scene.sync()
        assert not sync.sync_all().stopped
        customers, companies = scene.erp.snapshot(), scene.shop.snapshot().values()
        found = oracle.companies_of(customers, companies)
        complaints = oracle.check(customers, found, scene.policy, addresses=scene.policy.include_locations)
        assert not complaints, complaints
        assert len(companies) == len(customers)
        assert sync.sync_all().steps == ()

    return check


def searched(scene: Scene, world: Callable[[Scene], Edits], *, singly: bool = False) -> Search:
    """Look at every schedule from a world; say how many there are."""
    edits = world(scene)
    search = Search(scene=scene, edits=edits, on_write=kept(scene), at_end=right(scene), singly=singly)
    schedules = search.run()
    name = f"{world.__name__}, {scene.hand_over.value}"
    print(f"\n{name}: {schedules:,} schedules, {search.states:,} states, {len(search.ends):,} ends")  # noqa: T201  # counts are part of the proof
    return search


def named(worlds: Sequence[tuple[Callable[[Scene], Edits], HandOver]]) -> list[Any]:
    """Return the worlds with readable names."""
    return [pytest.param(world, regime, id=f"{world.__name__}-{regime.value}") for world, regime in worlds]


@pytest.mark.parametrize(("world", "hand_over"), named(SMALL))
def test_every_interleaving_of_two_runners_is_safe(world: Callable[[Scene], Edits], hand_over: HandOver) -> None:
    """In every schedule nobody is doubled, no company loses its last admin, and the next run ends right."""
    assert len(searched(Scene(hand_over=hand_over, policy=PLAIN), world).ends) > 1


@pytest.mark.skipif(not WHOLE, reason="nox -s interleavings")
@pytest.mark.parametrize(("world", "hand_over"), named(MORE))
def test_every_interleaving_of_more_worlds_is_safe(world: Callable[[Scene], Edits], hand_over: HandOver) -> None:
    """So it is in larger worlds, and in those where people edit at any time."""
    assert len(searched(Scene(hand_over=hand_over, policy=PLAIN), world).ends) > 1


@pytest.mark.skipif(not WHOLE, reason="nox -s interleavings")
def test_every_interleaving_of_single_writes_is_safe() -> None:
    """So it is where another runner may act between any two writes of one batch, such as the users of a first load."""
    searched(Scene(policy=PLAIN), a_first_load, singly=True)


@pytest.mark.parametrize("hand_over", HandOver, ids=lambda regime: regime.value)
@pytest.mark.parametrize("world", LARGE, ids=lambda world: world.__name__)
def test_interleavings_of_larger_worlds_are_safe(world: Callable[[Scene], Edits], hand_over: HandOver) -> None:
    """In schedules drawn of whole runs, with locations and write-back, write by write, nothing else comes about."""
    scene = Scene(hand_over=hand_over, whole=True)
    edits = world(scene)
    search = Search(scene=scene, edits=edits, on_write=kept(scene), at_end=right(scene), singly=True)
    die = Random(f"{world.__name__} {hand_over.value}")
    for _ in range(200 if WHOLE else 5):
        search.walk(die)


@pytest.mark.parametrize("hand_over", HandOver, ids=lambda regime: regime.value)
def test_the_search_sees_what_one_schedule_in_thousands_does(hand_over: HandOver) -> None:
    """Were versions of the log not compared, some schedules would make people twice, or end wrong."""
    scene = Scene(hand_over=hand_over, policy=PLAIN)
    scene.store = Careless()
    with pytest.raises(AssertionError):
        searched(scene, a_first_load)


@pytest.mark.parametrize("world", [a_first_load, a_mark_that_moves_back], ids=lambda world: world.__name__)
def test_the_search_sees_what_is_sent_after_its_lease(world: Callable[[Scene], Edits]) -> None:
    """Did drivers not look at leases, a runner that slept would make people twice, or take the last admin's role."""
    scene = Scene(policy=PLAIN)
    search = Search(
        scene=scene, edits=world(scene), on_write=kept(scene), at_end=right(scene), parties=Sleepy, singly=False
    )
    with pytest.raises(AssertionError):
        search.run()


@define(kw_only=True)
class Sleepy(Parties):
    """Sends steps whenever it wakes up."""

    def _perform(self, effects: Sequence[Perform]) -> Talk[Sequence[Any]]:
        return (yield from self._send([effect.step for effect in effects]))


@define(eq=False)
class Careless(MemoryStore):
    """A store that takes every commit, behind what is there if its version is taken."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Return that all of them were kept."""
        for commit in commits:
            log = self._logs.setdefault(commit.key, {})
            version = commit.version if commit.version not in log else max(log) + 1
            log[version] = evolve(commit, version=version)
        return [True for _ in commits]
