"""A fault at any effect, where the policy parks addresses, suspends leavers and holds shoppers."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from attrs import evolve

from acumatica_b2b import ContactSync
from acumatica_b2b.model import HandOver
from acumatica_b2b.policy import ExistingShoppers, ProtectedLeaver, SyncPolicy
from acumatica_b2b.testing import Crash, Fault, Faults, FaultyErp, FaultyShop, FaultyStore, MemoryShop, at
from tests.bench import ANNA, BILL, CARL, HERE, MARK, Bench, customer

POLICY = SyncPolicy(
    parking_domain="parked.example",
    protected_leaver=ProtectedLeaver.SUSPEND,
    suspended_role="Suspended",
    existing_shoppers=ExistingShoppers.HOLD,
)


def swap(bench: Bench) -> None:
    """Mark and Anna of one company swap their addresses, and so do Carl and Bill of two."""
    for one, email in ((MARK, "anna"), (ANNA, "carl"), (BILL, "mark"), (CARL, "bill")):
        bench.change(one, email=f"{email}@acme.example")


def leave(bench: Bench) -> None:
    """The primary contact leaves, and nobody follows."""
    bench.change(MARK, active=False)


def come_back(bench: Bench) -> None:
    """The primary contact was gone and is back."""
    leave(bench)
    bench.sync()
    bench.change(MARK, active=True)


def hire_again(bench: Bench) -> None:
    """Somebody was gone, leaving a shopper behind, and is back."""
    bench.change(ANNA, active=False)
    bench.sync()
    bench.change(ANNA, active=True)


def run(bench: Bench, faults: Faults) -> None:
    """Sync everything, with faults on all sides."""
    ContactSync(
        erp=FaultyErp(bench.erp, faults),
        storefront=FaultyShop(bench.shop, faults),
        store=FaultyStore(bench.store, faults),
        clock=bench.clock,
        policy=bench.policy,
        workers=1,
    ).sync_all()


def right(bench: Bench) -> dict[str, tuple[str, str]]:
    """Return address and role of everybody, where nothing is left to do."""
    assert bench.sync().steps == ()
    users = (user for company in bench.shop.snapshot().values() for user in company.users)
    return {user.first_name: (user.email, user.role) for user in users}


def started(hand_over: HandOver) -> Bench:
    roles = ("Admin", "Senior Buyer", "Suspended")
    bench = Bench(shop=MemoryShop(hand_over=hand_over, roles=roles, strict=False), policy=POLICY)
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.sync().ok
    return bench


FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.ANSWER_LOST, Fault.LOST)
CASES = [
    pytest.param(work, hand_over, fault, id=f"{fault}-{hand_over.value}-{work.__name__}")
    for i, fault in enumerate(FAULTS)
    for j, hand_over in enumerate(HandOver)
    for work in (swap, leave, come_back, hire_again)
    if work in {leave, come_back} or i % 3 == j  # the others hand nothing over
]


@pytest.mark.parametrize(("work", "hand_over", "fault"), CASES)
def test_a_fault_at_any_effect(work: Callable[[Bench], None], hand_over: HandOver, fault: Fault) -> None:
    """Whatever single effect fails, the next run makes of it what a run without faults makes."""
    calm = started(hand_over)
    work(calm)
    calm.sync()
    wanted = right(calm)
    number = 0
    while True:
        number += 1
        bench = started(hand_over)
        work(bench)
        faults = at(number, fault)
        with suppress(Crash, Exception):  # a process ends in any way
            run(bench, faults)
        faults.revive()
        bench.clock.sleep(POLICY.lease + 1)
        bench.sync()
        assert right(bench) == wanted
        if faults.seen < number:
            break
    assert number > 8


def test_policies_do_not_hide_a_lost_hire() -> None:
    """Who was to be made when the answer was lost is no stranger to the next run, though a shopper remained."""
    bench = started(HandOver.PROMOTE_FIRST)
    bench.policy = evolve(POLICY)
    bench.shop.delete_user(bench.user(ANNA).id)
    bench.policy = evolve(POLICY, recreate_deleted=True)
    assert bench.sync(HERE).ok
    assert bench.user(ANNA).email == "anna@acme.example"
