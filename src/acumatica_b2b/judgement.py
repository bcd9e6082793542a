"""The findings of one world: why something was not done, all of it, for plan, log and report."""

from collections.abc import Iterator

from acumatica_b2b.actions import CreateCompany, CreateUser, Step
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.leaving import leavers, leaving
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import NoteID, Record, RecordKind
from acumatica_b2b.people import (
    email_changes,
    holder,
    is_super_admins,
    obstacle,
    shopper_in_the_way,
    standing,
    unbroken_rings,
    verdict,
)
from acumatica_b2b.proposals import PROPOSALS, aborted, admin_to_be, switches_off
from acumatica_b2b.references import reference_findings
from acumatica_b2b.steps import record_of
from acumatica_b2b.world import World, may_be_made_again


def findings(world: World) -> tuple[Finding, ...]:
    """Return every finding of a world, those to act on now first, each once."""
    found = {finding for part in _PARTS for finding in part(world)}
    return tuple(sorted(found, key=lambda finding: (not finding.act_now, finding)))


def _mapped(world: World) -> Iterator[Finding]:
    yield from world.desired.findings
    yield from world.contest.findings
    for contact, user in world.pairs.late:
        detail = f"it names company user {user}, who is another contact's"
        yield Finding(kind=FindingKind.REFERENCE_CONFLICT, record=contact_record(contact), detail=detail)


def _company(world: World) -> Iterator[Finding]:
    def because(kind: FindingKind, detail: str = "") -> Finding:
        return Finding(kind=kind, record=world.record, detail=detail)

    linked = world.state.links.get(world.record)
    if not world.desired.takes_part:
        if (linked or world.company) and not switches_off(world):
            reason = next((f.detail for f in world.desired.findings), "")
            yield because(FindingKind.CUSTOMER_LEFT, reason)
        return
    if world.ambiguous:
        yield because(FindingKind.COMPANY_AMBIGUOUS, world.ambiguous)
    if world.company is None and linked and not may_be_made_again(world, world.record):
        yield because(FindingKind.DELETED_IN_SHOP, f"company {linked.id}")
    if world.company is None and admin_to_be(world) is None:
        named = world.desired.primary
        yield because(FindingKind.PRIMARY_NOT_ELIGIBLE, repr(named)) if named else because(FindingKind.NO_PRIMARY)
    if world.company is None:
        for wanted in world.contest.users:
            yield Finding(kind=FindingKind.COMPANY_WAITS, record=contact_record(wanted.contact))
    if world.company and not world.company.complete:
        yield because(FindingKind.READ_INCOMPLETE, "its company's users")
    if not world.customer.complete:
        yield because(FindingKind.READ_INCOMPLETE, "its contacts")


def _admins(world: World) -> Iterator[Finding]:
    if world.company is None or not world.desired.takes_part:
        return
    people = standing(world)
    for kind in verdict(world).findings:
        match kind:
            case FindingKind.OTHER_ADMIN:
                detail = ", ".join(people.foreign)
                yield Finding(kind=kind, record=world.record, detail=detail)
            case FindingKind.PRIMARY_NOT_ELIGIBLE:
                yield Finding(kind=kind, record=world.record, detail=repr(world.desired.primary))
            case FindingKind.PROTECTED_ADMIN:
                last = set(people.left)
                for leaver in leavers(world):
                    if leaver.user in last:
                        yield Finding(kind=kind, record=contact_record(leaver.contact), detail=leaver.user)
            case _:
                yield Finding(kind=kind, record=world.record)


def _unread(world: World) -> Iterator[Finding]:
    """Yield what is known of locations that were not read: it is as it was."""
    if not world.customer.locations_read:
        yield from (finding for finding in world.state.findings if finding.record.kind is RecordKind.LOCATION)


def _addresses(world: World) -> Iterator[Finding]:
    if world.company is None or not world.company.complete or not world.capabilities.addresses:
        return
    for wanted in world.desired.addresses:
        record = Record(RecordKind.LOCATION, wanted.location)
        link = world.state.links.get(record)
        if link and wanted.location not in world.places and not may_be_made_again(world, record):
            yield Finding(kind=FindingKind.DELETED_IN_SHOP, record=record, detail=f"address {link.id}")


def _people(world: World) -> Iterator[Finding]:
    if not world.desired.takes_part:
        return
    rings = unbroken_rings(world)
    changes = email_changes(world)
    for wanted in world.contest.users:
        record = contact_record(wanted.contact)
        if ring := rings.get(wanted.contact):
            detail = ", ".join(str(contact_record(contact)) for contact in ring)
            yield Finding(kind=FindingKind.EMAIL_CYCLE, record=record, detail=detail)
        elif wanted.contact in changes and not world.capabilities.changes_email:
            yield Finding(kind=FindingKind.EMAIL_FIXED, record=record)
        elif wanted.contact in changes and (user := holder(world, wanted)):
            detail = f"company user {user.id} of company {user.company}"
            yield Finding(kind=FindingKind.EMAIL_OWNED_ELSEWHERE, record=record, detail=detail)
        elif wanted.contact in changes and (shopper := shopper_in_the_way(world, wanted)):
            yield Finding(kind=shopper[0], record=record, detail=shopper[1])
        elif wanted.contact in changes and is_super_admins(world, wanted):
            yield Finding(kind=FindingKind.SUPER_ADMIN_EMAIL, record=record)
        elif wanted.contact not in world.pairs.users and (finding := obstacle(world, wanted)):
            yield finding
    yield from leaving(world).findings


def _left_behind(world: World) -> Iterator[Finding]:
    """Yield the users of contacts who left that nobody linked: made by a request that came too late, most likely."""
    out = {finding.record for finding in world.desired.findings if finding.kind.about.leaves}
    if not out:
        return
    notes = {contact.note_id: contact_record(contact.id) for contact in world.customer.contacts}
    linked = {*world.linked.values(), *world.pairs.users.values()}
    for user in (user for user in world.users.values() if user.active and user.id not in linked):
        record = notes.get(NoteID(user.external_id.lower()))
        if record and record in out and (record, user.id) not in world.state.apart:
            yield Finding(kind=FindingKind.LEFT_BEHIND, record=record, detail=user.id)


def _stopped(world: World) -> Iterator[Finding]:
    for step in _aborted(world):
        yield Finding(kind=FindingKind.ABORTED, record=record_of(step), detail=type(step).__name__)
        if isinstance(step, CreateUser) and step.user.contact == world.desired.primary:
            detail = repr(world.desired.primary)
            yield Finding(kind=FindingKind.PRIMARY_NOT_ELIGIBLE, record=world.record, detail=detail)
    for kind in world.held:
        yield Finding(kind=FindingKind.GUARD_HELD, record=world.record, detail=f"its {kind.value}")
    for step, error in world.refused.items():
        if isinstance(error, RejectedError) and not explained(world, step, error):
            yield Finding(kind=FindingKind.REFUSED, record=record_of(step), detail=str(error))


def _aborted(world: World) -> Iterator[Step]:
    if world.state.refusals:  # of most there are none, and to propose is work
        yield from (step for propose in PROPOSALS for step in propose(world) if aborted(world, step))


def explained(world: World, step: Step, error: Exception) -> bool:
    """Tell whether another finding says already why the step was refused: its address is somebody else's."""
    if not isinstance(error, RejectedError) or error.reason is not Reason.EMAIL_TAKEN:
        return False
    admin = step.admin.contact if isinstance(step, CreateCompany) and step.admin else None
    contact = step.user.contact if isinstance(step, CreateUser) else getattr(step, "contact", admin)
    wanted = world.contest.by_contact.get(contact)
    return wanted is not None and wanted.email in world.holders


_PARTS = (_mapped, _company, _admins, _people, _left_behind, _unread, _addresses, _stopped, reference_findings)
