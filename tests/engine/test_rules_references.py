"""Write-back of commerce reference IDs: what is written, what stands in its way, what is left alone."""

from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b.actions import WriteReference
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import Status
from acumatica_b2b.flow import Failed, Outcome
from acumatica_b2b.model import UNSET, RecordKind, Reference
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp
from tests.bench import ANNA, BILL, HERE, MARK, THERE, Bench, customer, done, finding, kinds, location

PLACE = location("MAIN", default=True)


@define(kw_only=True, eq=False)
class Locked(MemoryErp):
    """An ERP that refuses references to some records."""

    locked: frozenset[str] = frozenset()
    written: list[Reference] = field(factory=list[Reference])

    def _written(self, reference: Reference) -> Outcome[None]:
        if reference.record.id in self.locked:
            return Failed(RejectedError(Reason.INVALID, "the record is locked"))
        self.written.append(reference)
        return super()._written(reference)


def started(**settings: Any) -> Bench:
    """Return a bench after the first sync of a customer with two contacts and a location."""
    bench = Bench(**settings)
    bench.put(customer(MARK, ANNA, primary=MARK, locations=(PLACE,)))
    bench.sync()
    return bench


def references(bench: Bench) -> tuple[object, ...]:
    """Return the references of customer, contacts and locations."""
    one = bench.customer()
    return one.reference, *(c.reference for c in one.contacts), *(place.reference for place in one.locations)


def test_written() -> None:
    """Customer, contacts and locations get the ids of their counterparts, once."""
    bench = started()
    company = bench.company()
    ids = (company.id, bench.user(MARK).id, bench.user(ANNA).id, company.addresses[0].id)
    assert references(bench) == ids
    assert done(bench.sync()) == []


def test_company_s_first() -> None:
    """The references are written after all else, the company's first."""
    bench = Bench(erp=(erp := Locked()))
    bench.put(customer(MARK, ANNA, primary=MARK, locations=(PLACE,)))
    report = bench.sync()
    kinds_of_steps = [isinstance(step, WriteReference) for step in report.steps]
    assert kinds_of_steps == sorted(kinds_of_steps)
    assert [one.record.id for one in erp.written] == [HERE, MARK.id, ANNA.id, "MAIN"]


def test_only_with_a_counterpart() -> None:
    """A record without a counterpart gets no reference."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.change(ANNA, email="")
    bench.sync()
    assert bench.contact(ANNA).reference == ""


def test_format() -> None:
    """References are written in the policy's format and read back in it."""
    bench = started(policy=SyncPolicy(reference_format="B2B-{id}"))
    assert bench.contact(MARK).reference == f"B2B-{bench.user(MARK).id}"
    bench.store = MemoryStore()
    bench.shop.edit_user(bench.user(ANNA).id, (("external_id", ""), ("email", "other@acme.example")))
    bench.sync()
    assert len(bench.company().users) == 2


@pytest.mark.parametrize("kind", RecordKind, ids=lambda kind: kind.value)
def test_kinds(kind: RecordKind) -> None:
    """The policy says which kinds of records get a reference."""
    bench = started(policy=SyncPolicy(write_back=frozenset({kind})))
    wanted = {RecordKind.CUSTOMER: (True, False, False, False), RecordKind.CONTACT: (False, True, True, False)}
    assert tuple(map(bool, references(bench))) == wanted.get(kind, (False, False, False, True))


def test_too_long() -> None:
    """A reference that the field can't hold is REFERENCE_TOO_LONG with its length; the user stays."""
    bench = started(policy=SyncPolicy(reference_format="a-very-long-prefix-{id}", reference_length=10))
    report = bench.sync()
    assert finding(report, "REFERENCE_TOO_LONG", MARK.id).detail == "20"
    assert references(bench) == ("", "", "", "")
    assert set(bench.roles()) == {"mark", "anna"}


def test_foreign_value() -> None:
    """A foreign value is REFERENCE_CONFLICT, named, and stays; the user is made all the same."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK, reference="SHOP/7"))
    bench.change(ANNA, reference="X-17")
    report = bench.sync()
    assert kinds(report) == {("REFERENCE_CONFLICT", HERE), ("REFERENCE_CONFLICT", ANNA.id)}
    assert "X-17" in finding(report, "REFERENCE_CONFLICT", ANNA.id).detail
    assert references(bench) == ("SHOP/7", bench.user(MARK).id, "X-17")
    assert report.ok


def test_foreign_value_is_cleared() -> None:
    """Once the foreign value is cleared, ours is written."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.change(ANNA, reference="X-17")
    bench.sync()
    bench.change(ANNA, reference="")
    assert bench.sync().findings == ()
    assert bench.contact(ANNA).reference == bench.user(ANNA).id


def test_nobody_s_value() -> None:
    """A value in our format that names no user of the store is overwritten."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.change(ANNA, reference="999999")
    assert bench.sync().findings == ()
    assert bench.contact(ANNA).reference == bench.user(ANNA).id


def test_somebody_s_value_here() -> None:
    """A value that names another user of the company is REFERENCE_CONFLICT and stays."""
    bench = started()
    mark = bench.user(MARK).id
    bench.change(ANNA, reference=mark)
    report = bench.sync()
    assert ("REFERENCE_CONFLICT", ANNA.id) in kinds(report)
    assert bench.contact(ANNA).reference == mark


def test_own_old_value() -> None:
    """Our own old value is overwritten when the user was made anew."""
    bench = started(policy=SyncPolicy(recreate_deleted=True))
    old = bench.user(ANNA).id
    bench.shop.delete_user(old)
    bench.sync()
    assert bench.contact(ANNA).reference == bench.user(ANNA).id != old


def test_value_changed_by_people() -> None:
    """A value of ours that people made a foreign one of is REFERENCE_CONFLICT; cleared, it is written again."""
    bench = started()
    bench.change(ANNA, reference="gone to lunch")
    assert ("REFERENCE_CONFLICT", ANNA.id) in kinds(bench.sync())
    bench.change(ANNA, reference="")
    bench.sync()
    assert bench.contact(ANNA).reference == bench.user(ANNA).id


def test_refused() -> None:
    """Where the ERP refuses a reference, only that one is Failed; the next run tries again."""
    bench = Bench(erp=(erp := Locked(locked=frozenset({ANNA.id}))))
    bench.put(customer(MARK, ANNA, primary=MARK))
    report = bench.sync()
    assert finding(report, "REFUSED", ANNA.id).status is Status.FAILED
    assert "the record is locked" in finding(report, "REFUSED", ANNA.id).detail
    assert (set(bench.roles()), bench.contact(MARK).reference) == ({"mark", "anna"}, bench.user(MARK).id)
    assert not report.ok
    erp.locked = frozenset()
    assert bench.sync().ok
    assert bench.contact(ANNA).reference == bench.user(ANNA).id


def test_not_readable() -> None:
    """A reference that was asked for and did not come is neither overwritten nor a finding."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.change(ANNA, reference=UNSET)
    report = bench.sync()
    assert "WriteReference 102" not in done(report)
    assert "WriteReference 101" in done(report)
    assert report.findings == ()


def test_held_contact_keeps_its_reference() -> None:
    """A linked contact that is Held keeps user and reference."""
    bench = started()
    held = bench.contact(ANNA).reference
    bench.change(ANNA, first_name="")
    bench.sync()
    assert bench.contact(ANNA).reference == held


def test_mover_s_reference() -> None:
    """A mover's old reference is overwritten with its new user's id."""
    bench = started()
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.sync()
    old = bench.contact(ANNA).reference
    bench.erp.move_contact(ANNA.id, THERE)
    bench.sync()
    assert bench.contact(ANNA).reference == bench.user(ANNA).id != old


def test_finding_tells_no_address() -> None:
    """No finding says an e-mail address, also where people put one into the reference field."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.change(ANNA, reference="anna@acme.example")
    report = bench.sync()
    assert ("REFERENCE_CONFLICT", ANNA.id) in kinds(report)
    assert not any("@" in str(found) for found in report.findings)
    assert not any("@" in row.message for row in bench.log())
