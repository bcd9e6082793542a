"""What an ERP does with commerce reference IDs: that one field of that one record, and nothing else."""

from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import Contact, ContactID, Customer, Location, LocationID, Record, RecordKind, Reference
from acumatica_b2b.protocols import Everything
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.erp_bench import ErpBench, nowhere, refer, references_of, view
from acumatica_b2b.testing.contract.shop_actions import told_error

_AGAIN: Final = "it would be written again in every run"
_KINDS: Final = (RecordKind.CUSTOMER, RecordKind.CONTACT, RecordKind.LOCATION)


class Written:
    """What was written is read."""

    def test_a_written_reference_is_read_customer(self, bench: ErpBench) -> None:
        """The reference of a customer is read back by every reading."""
        _require_read_back(bench, RecordKind.CUSTOMER)

    def test_a_written_reference_is_read_contact(self, bench: ErpBench) -> None:
        """The reference of a contact is read back by every reading."""
        _require_read_back(bench, RecordKind.CONTACT)

    def test_a_written_reference_is_read_location(self, bench: ErpBench) -> None:
        """The reference of a location is read back by every reading."""
        _require_read_back(bench, RecordKind.LOCATION)


class Writes:
    """One field of one record."""

    def test_a_reference_can_be_changed_and_cleared(self, bench: ErpBench) -> None:
        """A reference that was written is replaced by the next, and cleared by an empty one."""
        seen = _whole(bench)
        why = Why("who left would still seem to have a user", "write_references: an empty value clears the field")
        for reference in _records(bench, seen):
            for value in ("12345", "67890", ""):
                bench.wrote(evolve(reference, value=value))
                did = f"write_references({reference.record} to {value!r})"
                name = f"{seen.id}: {reference.record}"
                bench.shows(did, lambda: _named(bench.seen(seen.id)), {name: value}, why)

    def test_a_reference_goes_to_its_record_alone(self, bench: ErpBench) -> None:
        """A reference is written to its record and to no other: of the same customer, or of another."""
        seen, other = _whole(bench), _whole(bench)
        before = {**_named(seen), **_named(other)}
        why = Why("another person's user would be taken for this contact's", "write_references: which record is meant")
        for number, reference in enumerate(_records(bench, seen)):
            value = f"9{number}00"
            bench.wrote(evolve(reference, value=value))
            before[f"{seen.id}: {reference.record}"] = value
        did = "write_references, one of each kind"
        bench.shows(did, lambda: {**_named(bench.seen(seen.id)), **_named(bench.seen(other.id))}, before, why)

    def test_a_write_changes_no_other_field(self, bench: ErpBench) -> None:
        """While references are written, all other fields stay."""
        seen = _whole(bench)
        before = view(seen)
        for reference in _records(bench, seen):
            bench.wrote(evolve(reference, value="4711"))
        why = Why("what people entered in the ERP would be lost", "write_references: send the one field only")
        bench.shows("write_references, one of each kind", lambda: view(bench.seen(seen.id)), before, why)

    def test_a_write_makes_no_record(self, bench: ErpBench) -> None:
        """A reference for a record that is not there fails with GONE, and makes none."""
        seen = _whole(bench)
        before = view(seen)
        why = Why(
            "the ERP would be full of empty contacts and customers", "write_references: If-Match: *, never an upsert"
        )
        for reference in _unknown(bench, seen):
            (outcome,) = bench.write(reference)
            _require_gone(reference, outcome, why)
        unknown = [*bench.customers(bench.traits.unknown_customer), *bench.contacts(bench.traits.unknown_contact)]
        if unknown != [Ok(None), Ok(None)] or bench.traits.unknown_customer in bench.read(Everything()).by_id:
            raise broken(did="write_references to nothing", should="make nothing", but=f"{unknown} is there", why=why)
        bench.shows("write_references to nothing", lambda: view(bench.seen(seen.id)), before, why)

    def test_references_are_answered_in_order(self, bench: ErpBench) -> None:
        """Of several references the one that can't be written fails in its place, and all others are written."""
        if RecordKind.CONTACT not in bench.traits.references:
            pytest.skip("the traits name no field for references of contacts")
        seen = _whole(bench, contacts=3)
        references = [refer(seen, contact, f"8{number}") for number, contact in enumerate(seen.contacts)]
        lost = next(one for one in _unknown(bench, seen) if one.record.kind is RecordKind.CONTACT)
        outcomes = bench.write(references[0], lost, *references[1:])
        kinds = [isinstance(outcome, Ok) for outcome in outcomes]
        why = Why("one bad record would cost the others, or be taken for done", "write_references: each by itself")
        if kinds != [True, False, True, True]:
            did = "write_references(good, unknown, good, good)"
            raise broken(did=did, should="fail the second alone", but=f"it answered {outcomes}", why=why)
        should = {contact.id: f"8{number}" for number, contact in enumerate(seen.contacts)}
        did = "write_references, one bad among good ones"
        bench.shows(did, lambda: {c.id: c.reference for c in bench.seen(seen.id).contacts}, should, why)


def _whole(bench: ErpBench, *, contacts: int = 2) -> Customer:
    """Return a customer that was entered, with contacts and, where they have a reference, locations."""
    locations = 2 if RecordKind.LOCATION in bench.traits.references else 0
    seen = bench.seen(bench.customer(contacts=contacts, locations=locations).id)
    if (len(seen.contacts), len(seen.locations)) != (contacts, locations):
        should = f"show {contacts} contacts and {locations} locations"
        but = f"it shows {len(seen.contacts)} and {len(seen.locations)}"
        why = Why("nobody's reference could be written back", "customers: what is read along with a customer")
        raise broken(did=f"customers([{seen.id!r}]), entered just now", should=should, but=but, why=why)
    return seen


def _records(bench: ErpBench, customer: Customer) -> list[Reference]:
    """Return the references of one record of each kind that has a field for it, with no value."""
    parts: tuple[Customer | Contact | Location, ...] = (customer, customer.contacts[0], *customer.locations[:1])
    references = [refer(customer, part, "") for part in parts]
    return [one for one in references if one.record.kind in bench.traits.references]


def _named(customer: Customer) -> dict[str, object]:
    return {f"{customer.id}: {record}": value for record, value in references_of(customer).items()}


def _unknown(bench: ErpBench, customer: Customer) -> list[Reference]:
    """Return references of records that are not there."""
    ids = (bench.traits.unknown_customer, bench.traits.unknown_contact, LocationID("NOSUCH"))
    owners = (bench.traits.unknown_customer, customer.id, customer.id)
    return [
        Reference(record=Record(kind, key), note_id=nowhere(), customer=owner, value="1")
        for kind, key, owner in zip(_KINDS, ids, owners, strict=True)
        if kind in bench.traits.references
    ]


def _require_gone(reference: Reference, outcome: Outcome[None], why: Why) -> None:
    match outcome:
        case Failed(RejectedError(reason=Reason.GONE)):
            return
        case Failed(error):
            but = f"it failed with {told_error(error)}"
        case Ok():
            but = "it answered Ok"
    did = f"write_references({reference.record}, which is not there)"
    raise broken(did=did, should="fail with RejectedError(Reason.GONE)", but=but, why=why)


def _require_read_back(bench: ErpBench, kind: RecordKind) -> None:
    if kind not in bench.traits.references:
        pytest.skip(f"the traits name no field for the reference of a {kind.value}")
    seen = _whole(bench, contacts=1)
    (reference,) = (one for one in _records(bench, seen) if one.record.kind is kind)
    reference = evolve(reference, value="12345")
    bench.wrote(reference)
    why = Why(_AGAIN, f"write_references, and the reference of a {kind.value} in customers, contacts and read")
    did = f"write_references({reference.record}), then customers, contacts and read"
    places = ("customers", "read", *(("contacts",) if kind is RecordKind.CONTACT else ()))
    should: dict[str, object] = dict.fromkeys(places, "12345")
    bench.shows(did, lambda: _everywhere(bench, reference), should, why)


def _everywhere(bench: ErpBench, reference: Reference) -> dict[str, object]:
    record = reference.record
    found = bench.read(Everything()).by_id.get(reference.customer)
    shown = {"customers": references_of(bench.seen(reference.customer)).get(record)}
    shown |= {"read": references_of(found).get(record) if found else None}
    if record.kind is RecordKind.CONTACT:
        shown |= {"contacts": bench.contact_seen(ContactID(record.id)).reference}
    return shown
