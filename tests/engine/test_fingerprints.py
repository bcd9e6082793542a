from datetime import timedelta

import pytest
from attrs import evolve

from acumatica_b2b.drivers import Parties, Threads
from acumatica_b2b.engine import sync_customer
from acumatica_b2b.folding import fold
from acumatica_b2b.keys import customer_key
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.protocols import Commit
from acumatica_b2b.synclog import Body, Intended, LoggedStep, last_fingerprint, read_body, write_body
from acumatica_b2b.terms import Settled, Terms
from tests.bench import ANNA, HERE, MARK, Bench, customer


def settled(bench: Bench, run: str) -> Settled:
    """Sync the customer as it was read by a client that tells what stands for it."""
    terms = Terms(policy=bench.policy, capabilities=bench.shop.capabilities, run=run)
    read = evolve(bench.customer(), as_read="0123456789abcdef")
    parties = Parties(erp=bench.erp, storefront=bench.shop, store=bench.store, clock=bench.clock)
    return Threads(parties).run(sync_customer(read, terms))


@pytest.mark.parametrize("run", ["first", "second"])
def test_what_was_left_open_has_no_fingerprint(run: str) -> None:
    """Where a step was open, in this run or before, the log is folded once more before a fingerprint is trusted."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    settled(bench, "first")
    key = customer_key(bench.policy, HERE)
    (log,) = bench.store.load([key])
    assert last_fingerprint(log[-1].body)
    step = LoggedStep(hash="x", do="UpdateUser", record=contact_record(ANNA.id), id="9")
    intent = Intended(step=step, until=bench.clock.now() - timedelta(seconds=1))
    body = write_body(Body(run="first", at=bench.clock.now(), entries=(intent,)))
    bench.store.append([Commit(key=key, version=log[-1].version + 1, body=body)])
    assert not settled(bench, run).steps
    (log,) = bench.store.load([key])
    assert fold(read_body(commit.body) for commit in log).digest
    assert last_fingerprint(log[-1].body) == ""
    settled(bench, "third")
    settled(bench, "fourth")
    (log,) = bench.store.load([key])
    assert last_fingerprint(log[-1].body)
