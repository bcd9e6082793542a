"""Write-back, as values: exactly what is written to which record, and what stands in the way."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import WriteReference
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.logstate import LogState
from acumatica_b2b.model import (
    UNSET,
    AddressID,
    Company,
    CompanyAddress,
    Contact,
    Customer,
    CustomerID,
    Location,
    LocationID,
    MaybeUnset,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.references import reference_findings, reference_steps
from acumatica_b2b.world import World
from tests.bench import ANNA, HERE, MARK, THERE, customer, location, storefront_id
from tests.core.worlds import company, links, seen, user_of

POLICY = SyncPolicy(reference_format="B2B-{id}", reference_id="[a-z]?[0-9]+")
PLACE = location("MAIN")
PLACED = {LocationID("MAIN"): "7"}
U = user_of(MARK).id


def there() -> Company:
    """Return a company with Mark and an address."""
    return company(user_of(MARK), addresses=(CompanyAddress(id=AddressID(StorefrontID("7"))),))


def one_of(
    reference: str | MaybeUnset = "B2B-1", mark: str | MaybeUnset = f"B2B-{U}", place: str | MaybeUnset = "B2B-7"
) -> Customer:
    """Return a customer whose records hold these references; all are as they should be unless the case says else."""
    return customer(
        evolve(MARK, reference=mark),
        primary=MARK,
        locations=(evolve(PLACE, reference=place),),
        reference=reference,
    )


def world(one: Customer, policy: SyncPolicy = POLICY, **fields: Any) -> World:
    """Return its world."""
    state = fields.pop("state", links(MARK, places=PLACED))
    return seen(one, there(), policy, state=state, **fields)


def written(at: World) -> list[tuple[str, str]]:
    """Return which records are written, and what."""
    return [(step.reference.record.id, step.reference.value) for step in reference_steps(at)]


def said(at: World) -> list[tuple[FindingKind, str, str]]:
    """Return what stands in the way of which record."""
    return [(found.kind, found.record.id, found.detail) for found in reference_findings(at)]


def test_each_record_gets_its_counterpart() -> None:
    """Customer, contact and location get their counterparts' ids in the policy's format, in this order."""
    at = world(one_of("", "", ""))
    assert list(reference_steps(at)) == [
        WriteReference(reference=Reference(record=record, note_id=note_id, customer=HERE, value=value))
        for record, note_id, value in (
            (Record(RecordKind.CUSTOMER, HERE), at.customer.note_id, "B2B-1"),
            (Record(RecordKind.CONTACT, MARK.id), MARK.note_id, f"B2B-{U}"),
            (Record(RecordKind.LOCATION, "MAIN"), PLACE.note_id, "B2B-7"),
        )
    ]
    assert said(at) == []


def test_what_is_right_stays() -> None:
    """A record that holds its counterpart's id is not written."""
    assert written(world(one_of())) == []
    assert said(world(one_of())) == []


@pytest.mark.parametrize("kind", RecordKind, ids=lambda kind: kind.value)
def test_kinds(kind: RecordKind) -> None:
    """Only records of the kinds that the policy names are written, or reported."""
    policy = evolve(POLICY, write_back=frozenset({kind}))
    ids = {RecordKind.CUSTOMER: HERE, RecordKind.CONTACT: MARK.id, RecordKind.LOCATION: "MAIN"}
    assert [record for record, _ in written(world(one_of("", "", ""), policy))] == [ids[kind]]
    assert [record for _, record, _ in said(world(one_of("x", "x", "x"), policy))] == [ids[kind]]


def test_without_a_company() -> None:
    """Without a company nothing is written."""
    assert written(seen(one_of("", "", ""), None, POLICY)) == []


def test_customer_that_takes_no_part() -> None:
    """Of a customer that takes no part nothing is written, and nothing is in the way."""
    at = world(evolve(one_of("", "x", ""), status="Inactive"))
    assert (written(at), said(at)) == ([], [])


def test_unreadable_value() -> None:
    """A value that could not be read is left alone and reported by nobody here."""
    at = world(one_of(UNSET, UNSET, UNSET))
    assert (written(at), said(at)) == ([], [])


def test_id_to_come() -> None:
    """An id that nobody knows yet is written by plans only."""
    new = company(user_of(MARK, id=storefront_id("new:101")))
    for planning in (True, False):
        at = seen(customer(MARK, reference="B2B-1"), new, POLICY, planning=planning)
        assert written(at) == ([(MARK.id, "B2B-new:101")] if planning else [])


@pytest.mark.parametrize(("length", "fits"), [(8, True), (7, False)])
def test_length(length: int, fits: bool) -> None:  # noqa: FBT001  # a table's column
    """A reference may be as long as the field; a longer one is a finding with its length, and is not written."""
    at = world(one_of(mark=""), evolve(POLICY, reference_length=length))
    assert written(at) == ([(MARK.id, f"B2B-{U}")] if fits else [])
    assert said(at) == ([] if fits else [(FindingKind.REFERENCE_TOO_LONG, MARK.id, "8")])


def test_id_to_come_has_no_length() -> None:
    """An id that nobody knows yet is not too long."""
    new = company(user_of(MARK, id=storefront_id("new:101")))
    at = seen(customer(MARK, reference="B2B-1"), new, evolve(POLICY, reference_length=5), planning=True)
    assert (written(at), said(at)) == ([(MARK.id, "B2B-new:101")], [])


@pytest.mark.parametrize("value", ["SHOP/7", "u101", "x"])
def test_foreign_value(value: str) -> None:
    """A value that is not of our format is a conflict that shows it, and stays."""
    at = world(one_of(mark=value))
    assert written(at) == []
    assert list(reference_findings(at)) == [
        Finding(kind=FindingKind.REFERENCE_CONFLICT, record=Record(RecordKind.CONTACT, MARK.id), detail=repr(value))
    ]


def test_foreign_value_with_an_address() -> None:
    """A foreign value with an e-mail address is not shown."""
    at = world(one_of(mark="mark@acme.example"))
    assert said(at) == [(FindingKind.REFERENCE_CONFLICT, MARK.id, "a text with an e-mail address")]


def test_value_that_we_wrote() -> None:
    """A value that we wrote ourselves is overwritten, whatever it looks like."""
    state = evolve(links(MARK, places=PLACED), references={Record(RecordKind.CONTACT, MARK.id): "old"})
    assert written(world(one_of(mark="old"), state=state)) == [(MARK.id, f"B2B-{U}")]
    assert written(world(one_of("old"), state=state)) == []


def test_value_of_our_format() -> None:
    """A value in our format is overwritten where it names nobody, or a record of another kind."""
    for value in ("B2B-999", "B2B-1", "B2B-7"):
        assert written(world(one_of(mark=value))) == [(MARK.id, f"B2B-{U}")]


def test_value_of_another_contact() -> None:
    """A value that names another contact's user is a conflict."""
    one = customer(MARK, evolve(ANNA, reference=f"B2B-{U}"), primary=MARK, reference="B2B-1")
    at = seen(one, company(user_of(MARK), user_of(ANNA)), POLICY, state=links(MARK, ANNA))
    assert written(at) == [(MARK.id, f"B2B-{U}")]
    assert said(at) == [(FindingKind.REFERENCE_CONFLICT, ANNA.id, f"'B2B-{U}'")]


# ------------------------------------------------------------------ what is cleared
def cleared(at: World) -> list[Reference]:
    """Return the references that clear a value."""
    return [step.reference for step in reference_steps(at) if not step.reference.value]


GONE = Record(RecordKind.CONTACT, ANNA.id)
CLOSED = Record(RecordKind.LOCATION, "EAST")


def leaver(reference: str | MaybeUnset) -> Contact:
    """Return a contact that takes part no more, with a reference."""
    return evolve(ANNA, active=False, reference=reference)


def closed(reference: str | MaybeUnset) -> Location:
    """Return a location that takes part no more, with a reference."""
    return location("EAST", active=False, reference=reference)


def left(contact: str | MaybeUnset = "", place: str | MaybeUnset = "", **fields: Any) -> World:
    """Return the world of a customer with a contact and a location that have no counterpart any more."""
    one = one_of()
    both = evolve(
        one,
        contacts=(*one.contacts, evolve(leaver(contact), customer=HERE)),
        locations=(*one.locations, closed(place)),
    )
    return world(both, **fields)


def test_value_that_we_wrote_is_cleared() -> None:
    """What we wrote to a contact or location that lost its counterpart is cleared."""
    state = evolve(links(MARK, places=PLACED), references={GONE: "B2B-u102", CLOSED: "B2B-8"})
    assert cleared(left("B2B-u102", "B2B-8", state=state)) == [
        Reference(record=GONE, note_id=ANNA.note_id, customer=HERE, value=""),
        Reference(record=CLOSED, note_id=closed("").note_id, customer=HERE, value=""),
    ]


def test_reference_to_what_was_lost_is_cleared() -> None:
    """A reference to a counterpart that was lost in this run is cleared, also where no log knows of its writing."""
    lost = {GONE: "u102", CLOSED: "8"}
    assert [one.record for one in cleared(left("B2B-u102", "B2B-8", unlinked=lost))] == [GONE, CLOSED]
    assert cleared(left("B2B-u999", "B2B-9", unlinked=lost)) == []


@pytest.mark.parametrize("value", ["", UNSET, "SHOP/7", "B2B-u102"], ids=str)
def test_what_is_not_ours_is_not_cleared(value: str | MaybeUnset) -> None:
    """What we neither wrote nor lost is not cleared, nor what is empty or unreadable."""
    assert cleared(left(value, value)) == []


def test_linked_record_is_not_cleared() -> None:
    """A record that is still linked keeps its reference, whether its counterpart is there or not."""
    state = evolve(
        links(MARK, ANNA, places={**PLACED, LocationID("EAST"): "8"}),
        references={GONE: "B2B-u102", CLOSED: "B2B-8"},
    )
    assert cleared(left("B2B-u102", "B2B-8", state=state)) == []


def test_paired_record_is_not_cleared() -> None:
    """Who is paired and has no link yet, as in a plan, gets its new reference; the old one is not cleared besides."""
    at = evolve(world(one_of(mark="B2B-9")), state=LogState(references={Record(RecordKind.CONTACT, MARK.id): "B2B-9"}))
    assert written(at) == [(MARK.id, f"B2B-{U}")]


def test_moved_contact_is_cleared_where_it_is_now() -> None:
    """A contact that moved to another customer loses our reference there; one that is gone for good has none."""
    moved = evolve(ANNA, customer=THERE, reference="B2B-u102")
    state = evolve(links(MARK, places=PLACED), references={GONE: "B2B-u102"})
    at = world(one_of(), state=state, gone={ANNA.id: moved})
    assert cleared(at) == [Reference(record=GONE, note_id=ANNA.note_id, customer=CustomerID("C2"), value="")]
    assert cleared(evolve(at, gone={ANNA.id: None})) == []
