"""What an observation makes of the world: who is who in the company, and what the log learns by it."""

from collections.abc import Iterator, Mapping

from attrs import evolve

from acumatica_b2b.actions import (
    UpdateUser,
)
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.logstate import Link
from acumatica_b2b.mapping import contact_record, map_contact, plain_email
from acumatica_b2b.matching import Contest, Pairs, contested, match_addresses, match_users, referred
from acumatica_b2b.model import (
    Company,
    CompanyUser,
    ContactID,
    DesiredUser,
    LocationID,
    Record,
    RecordKind,
    StorefrontID,
    UserID,
)
from acumatica_b2b.steps import address_fields, company_fields, digests, record_of, sent_fields, user_fields
from acumatica_b2b.synclog import Entry, Linked, Refused, Unlinked, digest
from acumatica_b2b.world import World, deleted_users, is_deleted, noted


def adopted(world: World, company: Company | None) -> World:
    """Return the world as just observed: its company, who is who in it, and the links that follow."""
    world = evolve(world, company=company)
    contest = contested(world.desired, _known(world), deleted_users(world), {**world.lost, **movers(world)})
    if company is None:
        return evolve(world, contest=contest, pairs=Pairs(users={}), places={})
    references = {c.id: referred(c.reference, world.policy) for c in world.customer.contacts}
    pairs = match_users(
        _who_may_have_one(world, contest),
        company,
        world.state.contacts,
        {contact: UserID(StorefrontID(user)) for contact, user in references.items() if user},
        _kept(world, contest),
        frozenset((ContactID(record.id), user) for record, user in world.state.apart),
    )
    apart = frozenset((LocationID(record.id), address) for record, address in world.state.apart)
    places = match_addresses(world.desired, company, world.locations, apart)
    world = evolve(world, contest=contest, pairs=pairs, places=places)
    return noted(world, *_links(world, company))


def _who_may_have_one(world: World, contest: Contest) -> Iterator[DesiredUser]:
    """Yield who may be paired with a user of this company.

    Not one who still has a user in another customer's company; nor may one whose user people deleted
    take over the user of somebody else who had the same address.
    """
    made = {user.external_id.lower() for user in world.users.values()}
    linked = {plain_email(world.users[user].email) for user in world.linked.values()}
    for wanted in contest.users:
        taken_over = wanted.email in linked and is_deleted(world, wanted.contact)
        if wanted.external_id in made or not (wanted.contact in world.elsewhere or taken_over):
            yield wanted


def _known(world: World) -> frozenset[ContactID]:
    """Return the contacts who have a user here, by its link or its external id, or come from one elsewhere."""
    there = {user.external_id.lower() for user in world.users.values() if user.external_id}
    # whose old user was removed by now, and the link with it
    coming = {finding.record for finding in world.state.findings if finding.kind is FindingKind.MOVE_WAITS}
    users = world.desired.users
    known = (u.contact for u in users if u.external_id in there or contact_record(u.contact) in coming)
    return frozenset(known).union(world.linked, world.elsewhere)


def movers(world: World) -> Mapping[str, ContactID]:
    """Return the addresses of contacts on their way to another customer, but for those that linked ones have."""
    moved = [map_contact(now, world.policy) for now in world.gone.values() if now and now.customer]
    if not moved:
        return {}
    users = world.users
    held = {plain_email(users[user].email) for contact, user in world.linked.items() if contact not in world.gone}
    return {user.email: user.contact for user in moved if isinstance(user, DesiredUser) and user.email not in held}


def _kept(world: World, contest: Contest) -> frozenset[ContactID]:
    """Return the contacts who want no user here and keep the one they have.

    They are on their way to another customer, or no leavers.

    A contact whose user holds the very address that went to another contact loses that user to it.
    """
    findings = world.desired.findings
    out = {f.record.id for f in findings if f.record.kind is RecordKind.CONTACT and f.kind.about.leaves}
    out |= {user.contact for user in contest.users}
    lost = {user.contact: user.email for user in world.desired.users}
    linked, users = world.linked, world.users
    moved = {contact for contact, now in world.gone.items() if now and now.customer}
    return frozenset(contact for contact in moved if contact in linked) | frozenset(
        contact.id
        for contact in world.customer.contacts
        if contact.id in linked
        and contact.id not in out
        and plain_email(users[linked[contact.id]].email) != lost.get(contact.id)
    )


def _links(world: World, company: Company) -> Iterator[Entry]:
    """Yield what the log has to learn from an observation."""
    state, users = world.state, world.users
    pairs = {contact_record(contact): user for contact, user in world.pairs.users.items()}
    places = {Record(RecordKind.LOCATION, location): address for location, address in world.places.items()}
    now: dict[Record, str] = {world.record: company.id, **pairs, **places}
    lost = [(record, link.id) for record, link in state.links.items() if record not in now]
    made = [one for one in _made_before_a_crash(world, company) if one[0] not in now and one[0] not in state.links]
    taken_over = {(record.kind, now[record]) for record in (now if lost or made else ())}
    for record, identifier in lost:
        if (record.kind, identifier) in taken_over:
            yield Unlinked(record=record)
    for record, identifier in now.items():
        old = state.links.get(record)
        granted = record.kind is RecordKind.CONTACT and _was_granted(world, record, users[pairs[record]])
        if old is None or old.id != identifier or (granted and identifier not in state.granted):
            yield Linked(record=record, id=identifier, granted=granted)
    for record, identifier in made:
        if (record.kind, identifier) not in taken_over:
            user = users.get(UserID(StorefrontID(identifier)))
            yield Linked(record=record, id=identifier, granted=user is not None and _was_granted(world, record, user))


def _made_before_a_crash(world: World, company: Company) -> Iterator[tuple[Record, str]]:
    """Yield what a run that was cut off had made: where it is wanted no more, nothing else leads to it."""
    begun = [intent.step for intent in world.state.open.values() if intent.step.do.startswith("Create")]
    if not begun:
        return
    notes = {contact_record(contact.id): contact.note_id for contact in world.customer.contacts}
    users = {plain_email(user.email): user for user in company.users}
    addresses = {digests(address_fields(address))["address"]: address.id for address in company.addresses}
    for step in begun:
        record = contact_record(ContactID(step.admin)) if step.admin else step.record
        user, address = users.get(step.email), addresses.get(step.fields.get("address", ""))
        if user and user.external_id.lower() in {"", notes.get(record, user.external_id.lower())}:
            yield record, user.id
        elif address:
            yield record, address


def _was_granted(world: World, record: Record, user: CompanyUser) -> bool:
    """Tell whether an admin has the role from us, also by a step whose answer nobody recorded."""
    if user.role != world.policy.primary_role:
        return False
    return record.id in world.state.awaited or user.id in world.state.grants


def read_back(world: World, company: Company | None) -> World:
    """Return the world with what the shop made of the values it was sent in this run.

    What differs is remembered, so that a shop that rewrites a value is not written to for ever.
    An e-mail address is no such value: see `findings`.
    """
    world = adopted(world, company)
    if company is None:
        return world
    return _email_checked(noted(world, *_rewritten(world, company)))


def _email_checked(world: World) -> World:
    """Return the world in which a change of address that the shop did not take is refused."""
    users = world.users
    for step, email in _last_addresses(world).items():
        if step.user in users and plain_email(users[step.user].email) != email:
            error = RejectedError(Reason.INVALID, "the shop did not take the new e-mail address")
            refused = Refused(
                step=digest(step), reason=error.reason, message=str(error), record=contact_record(step.contact)
            )
            world = noted(evolve(world, refused={**world.refused, step: error}), refused)
    return world


def _last_addresses(world: World) -> Mapping[UpdateUser, str]:
    """Return the last change of each user's address in this run: one that was parked has two."""
    changes = [step for step in world.taken if isinstance(step, UpdateUser) and dict(step.changes).get("email")]
    return {step: dict(step.changes)["email"] for step in {step.user: step for step in changes}.values()}


def _rewritten(world: World, company: Company) -> Iterator[Entry]:
    written: dict[Record, set[str]] = {}
    for step in world.taken:
        written.setdefault(record_of(step), set()).update(sent_fields(step))
    there = {world.record: digests(company_fields(company))}
    there |= {contact_record(c): digests(user_fields(world.users[u])) for c, u in world.pairs.users.items()}
    addresses = {address.id: address for address in company.addresses}
    there |= {
        Record(RecordKind.LOCATION, location): digests(address_fields(addresses[address]))
        for location, address in world.places.items()
    }
    for record in sorted(written & there.keys()):
        link = world.state.links.get(record)
        if link and (seen := _differs(link, there[record], written[record])):
            yield Linked(record=record, id=link.id, seen=seen)


def _differs(link: Link, there: Mapping[str, str], written: set[str]) -> dict[str, str]:
    return {
        name: there[name]
        for name, sent in link.sent.items()
        if name in written & there.keys() - {"email"} and there[name] not in {sent, link.seen.get(name)}
    }
