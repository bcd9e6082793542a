"""Commerce reference IDs: which to write back to the ERP, and which foreign value stands in the way."""

from collections.abc import Iterator

from attrs import frozen

from acumatica_b2b.actions import WriteReference
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.matching import reference_to, referred
from acumatica_b2b.model import UNSET, CustomerID, MaybeUnset, NoteID, Record, RecordKind, Reference
from acumatica_b2b.shop import is_pending
from acumatica_b2b.world import World


@frozen(kw_only=True)
class Held:
    """A record of the ERP, the storefront's id of its counterpart, and the value it holds now."""

    record: Record
    note_id: NoteID
    id: str
    value: str | MaybeUnset


def reference_steps(world: World) -> Iterator[WriteReference]:
    """Yield the write-backs that are due: where there is a counterpart, or ours is gone."""
    for held in world.once(_counterparts):
        wanted = reference_to(held.id, world.policy)
        if held.value in {wanted, UNSET} or reference_finding(world, held) or is_pending(held.id) > world.planning:
            continue
        yield _write(held.record, held.note_id, world.customer.id, wanted)
    yield from _orphans(world)


def reference_findings(world: World) -> Iterator[Finding]:
    """Yield why references are not written."""
    for held in world.once(_counterparts):
        if finding := reference_finding(world, held):
            yield finding


def reference_finding(world: World, held: Held) -> Finding | None:
    """Return what is against overwriting a value, or against writing ours."""
    wanted = reference_to(held.id, world.policy)
    if held.value == wanted:
        return None
    if len(wanted) > world.policy.reference_length and not is_pending(held.id):
        return Finding(kind=FindingKind.REFERENCE_TOO_LONG, record=held.record, detail=str(len(wanted)))
    if held.value is UNSET or held.value in {"", world.state.references.get(held.record)}:
        return None
    named = referred(held.value, world.policy)
    if named is None or (named != held.id and (held.record.kind, named) in world.once(_named)):
        return Finding(kind=FindingKind.REFERENCE_CONFLICT, record=held.record, detail=_shown(held.value))
    return None


def _named(world: World) -> frozenset[tuple[RecordKind, str]]:
    """Return the ids of all counterparts."""
    return frozenset((held.record.kind, held.id) for held in world.once(_counterparts))


def _shown(value: str) -> str:
    return "a text with an e-mail address" if "@" in value else repr(value)


def _write(record: Record, note_id: NoteID, customer: CustomerID, value: str) -> WriteReference:
    return WriteReference(reference=Reference(record=record, note_id=note_id, customer=customer, value=value))


def _counterparts(world: World) -> tuple[Held, ...]:
    return tuple(_held(world))


def _held(world: World) -> Iterator[Held]:
    customer, kinds = world.customer, world.policy.write_back
    if world.company is None or not world.desired.takes_part:
        return
    if RecordKind.CUSTOMER in kinds:
        yield Held(record=world.record, note_id=customer.note_id, id=world.company.id, value=customer.reference)
    for contact in customer.contacts if RecordKind.CONTACT in kinds else ():
        if user := world.pairs.users.get(contact.id):
            record = contact_record(contact.id)
            yield Held(record=record, note_id=contact.note_id, id=user, value=contact.reference)
    for place in customer.locations if RecordKind.LOCATION in kinds else ():
        if address := world.places.get(place.id):
            record = Record(RecordKind.LOCATION, place.id)
            yield Held(record=record, note_id=place.note_id, id=address, value=place.reference)


def _orphans(world: World) -> Iterator[WriteReference]:
    """Yield what clears the value that we wrote, where the counterpart is gone."""
    moved = [contact for contact in world.gone.values() if contact]
    for contact in (*world.customer.contacts, *moved):
        record = contact_record(contact.id)
        paired = contact.id in world.pairs.users  # of a plan's users not all have a link
        if contact.reference and not paired and _is_orphan(world, record, contact.reference):
            yield _write(record, contact.note_id, contact.customer or world.customer.id, "")
    for place in world.customer.locations:
        record = Record(RecordKind.LOCATION, place.id)
        if place.reference and _is_orphan(world, record, place.reference):
            yield _write(record, place.note_id, world.customer.id, "")


def _is_orphan(world: World, record: Record, value: str | MaybeUnset) -> bool:
    lost = world.unlinked.get(record)
    ours = {world.state.references.get(record), reference_to(lost, world.policy) if lost else None}
    return record not in world.state.links and value in ours
