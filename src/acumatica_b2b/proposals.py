"""Proposals: what each part of the rules would do next, given one world."""

from collections.abc import Callable, Iterator, Mapping

from attrs import evolve

from acumatica_b2b.actions import (
    Changes,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    SetRole,
    Step,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.guard import is_held
from acumatica_b2b.leaving import admins, leaving
from acumatica_b2b.logstate import Link
from acumatica_b2b.mapping import contact_record, first_admin, first_admins
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyUser,
    DesiredCompany,
    DesiredUser,
    HandOver,
    LocationID,
    Record,
    RecordKind,
    UserID,
)
from acumatica_b2b.people import holder, obstacle, parking, shopper_in_the_way, unbroken_rings, verdict
from acumatica_b2b.policy import CustomerLeaves, Guarded, TakeBack
from acumatica_b2b.references import reference_steps
from acumatica_b2b.steps import address_fields, company_fields, user_fields
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World, may_be_made_again


def aborted(world: World, step: Step) -> bool:
    """Tell whether a step was refused too often; an open hand-over never is."""
    if isinstance(step, SetRole | MoveAdmin) or not world.state.refusals:
        return False
    refusals = world.state.refusals.get(digest(step))
    return refusals is not None and refusals.times >= world.policy.max_attempts


# ------------------------------------------------------------------ the company
def _creation(world: World) -> Iterator[Step]:
    if world.company or world.ambiguous or deleted_company(world):
        return
    wanted, admin = _wanted_company(world), admin_to_be(world)
    if wanted is None or admin is None or Guarded.ADOPTIONS in world.held:  # it has a company already
        return
    inline = admin if world.capabilities.admin_at_creation else None
    yield CreateCompany(company=wanted, admin=inline, role=world.policy.primary_role)


def admin_to_be(world: World) -> DesiredUser | None:
    """Return who is to be the first admin of a company: nobody whose address is held by another."""
    return world.once(_admin_to_be)


def _admin_to_be(world: World) -> DesiredUser | None:
    in_turn = first_admins(world.contest.users, world.desired.primary, world.policy)
    return next((user for user in in_turn if not obstacle(world, user)), None)


def _wanted_company(world: World) -> DesiredCompany | None:
    """Return the desired company; what its admin lent it comes from who is really to be its admin."""
    wanted, admin = world.desired.company, admin_to_be(world)
    mapped = first_admin(world.desired.users, world.desired.primary, world.policy)
    if wanted is None or admin is None or mapped is None or admin == mapped:
        return wanted
    lent = not world.customer.email.strip() and wanted.email == mapped.email
    email = admin.email if lent else wanted.email
    lent = not any(phone.strip() for phone in world.customer.phones) and wanted.phone == mapped.phone
    phone = admin.phone if lent and admin.phone else wanted.phone
    return evolve(wanted, email=email, phone=phone)


def can_have_users(world: World) -> bool:
    """Tell whether there is a company, or one may be made."""
    return world.company is not None or any(_creation(world))


def deleted_company(world: World) -> bool:
    """Tell whether people deleted the company that we had made or found."""
    return world.company is None and world.record in world.state.links and not may_be_made_again(world, world.record)


def _changes(world: World) -> Iterator[Step]:
    company = world.company
    if company is None:
        return
    if changes := _company_changes(world, company):
        yield UpdateCompany(company=company.id, customer=world.customer.id, changes=changes)
        if "external_id" in dict(changes) and not world.planning:
            return  # claimed first: nobody is put into it before it was looked whose it is
    if not world.desired.takes_part:
        return
    for user in world.contest.users:
        yield from _user_steps(world, company, user)
    if world.capabilities.addresses:
        yield from _address_steps(world, company)


def _company_changes(world: World, company: Company) -> Changes:
    link = world.state.links.get(world.record)
    if not world.desired.takes_part:
        leaves = switches_off(world) and company.active and link
        return (("active", "no"),) if leaves else ()
    back = not company.active and (RecordKind.CUSTOMER, company.id) in world.state.switched_off
    desired = _wanted_company(world)
    wanted = company_fields(desired) if desired else {}
    owned = (world.policy.owned_company_fields | {"external_id"}) & company_fields(company).keys()
    return (*_owed(wanted, company_fields(company), owned, link), *((("active", "yes"),) if back else ()))


def switches_off(world: World) -> bool:
    """Tell whether the company of a customer that leaves is switched off."""
    return world.policy.customer_leaves is CustomerLeaves.DEACTIVATE and world.capabilities.deactivates_companies


def _owed(wanted: Mapping[str, str], there: Mapping[str, str], owned: frozenset[str], link: Link | None) -> Changes:
    """Return the owned fields to be written.

    One is when its desired value is not the one sent last, or when the shop has another value than
    the one it had made of that.
    """
    return tuple(
        (name, value)
        for name, value in wanted.items()
        if name in owned and there.get(name, "") != value and not _known(name, value, there.get(name, ""), link)
    )


def _known(name: str, wanted: str, there: str, link: Link | None) -> bool:
    if link is None or link.sent.get(name) != digest(wanted):
        return False
    return digest(there) == link.seen.get(name)  # it is not what was sent: the shop has another value


# ------------------------------------------------------------------ users
def _user_steps(world: World, company: Company, wanted: DesiredUser) -> Iterator[Step]:
    own = world.pairs.users.get(wanted.contact)
    if own is None:
        unseen = wanted.contact in world.state.contacts and not company.complete
        if not unseen and not obstacle(world, wanted) and not holder(world, wanted):
            made = CreateUser(company=company.id, user=wanted, role=_role_at_creation(world, wanted))
            # a user it becomes all the same
            yield evolve(made, role=world.policy.user_role) if is_held(world, made) else made
        return
    user = world.users[own]
    fields, there = user_fields(wanted), user_fields(user)
    owned = world.policy.owned_user_fields | {"external_id"}
    if fields["email"] != there["email"]:  # most keep theirs, and rings are looked for among all
        if aside := parking(world).get(wanted.contact):
            fields["email"] = aside
        elif _email_waits(world, wanted):
            owned -= {"email"}
    link = world.state.links.get(contact_record(wanted.contact))
    changes = _owed(fields, there, owned, link)
    if not world.policy.external_ids_at_once and changes == _missing_id(wanted, user, link):
        changes = ()  # the company user is linked: an update of its own would buy little
    if not user.active and (RecordKind.CONTACT, user.id) in world.state.switched_off:
        changes = (*changes, ("active", "yes"))
    if not changes:
        return
    step = UpdateUser(company=company.id, user=own, contact=wanted.contact, changes=changes)
    if is_held(world, step):  # all but the address goes out all the same
        step = evolve(step, changes=tuple(change for change in changes if change[0] != "email"))
    if step.changes:
        yield step


def _missing_id(wanted: DesiredUser, user: CompanyUser, link: Link | None) -> Changes:
    """Return the external id that a user lacks and was never sent: it was made with its company, or by people."""
    sent = link is not None and "external_id" in link.sent
    return () if sent or user.external_id else (("external_id", wanted.external_id),)


def _email_waits(world: World, wanted: DesiredUser) -> bool:
    fixed = not world.capabilities.changes_email
    return (
        fixed
        or wanted.contact in unbroken_rings(world)
        or holder(world, wanted) is not None
        or shopper_in_the_way(world, wanted) is not None
        or wanted.email in world.super_admins
    )


def _role_at_creation(world: World, wanted: DesiredUser) -> str:
    """Return the primary role for who may have it at once: beside another admin, or as the first."""
    role = world.policy.primary_role
    if wanted.contact == world.desired.primary and world.capabilities.hand_over is HandOver.PROMOTE_FIRST:
        return role
    new = not world.users or wanted.contact in world.state.awaited  # or the run died that was to make its admin
    return role if new and wanted == admin_to_be(world) and not admins(world) else world.policy.user_role


# ------------------------------------------------------------------ addresses
def _address_steps(world: World, company: Company) -> Iterator[Step]:
    there = {address.id: address for address in company.addresses}
    for wanted in world.desired.addresses:
        own = world.places.get(wanted.location)
        record = Record(RecordKind.LOCATION, wanted.location)
        link = world.state.links.get(record)
        if own is None:
            # what is not seen of a company that was read in half may be there
            if company.complete and (link is None or may_be_made_again(world, record)):
                yield CreateAddress(company=company.id, address=wanted)
        elif _owed(address_fields(wanted), address_fields(there[own]), frozenset({"address"}), link):
            yield UpdateAddress(company=company.id, id=own, address=wanted)


# ------------------------------------------------------------------ Primary Admin
def _roles(world: World) -> Iterator[Step]:
    company = world.company
    if company is None or not world.desired.takes_part:
        return
    said, role = verdict(world), world.policy.primary_role
    contact_of = {user: contact for contact, user in (*world.linked.items(), *world.pairs.users.items())}
    if said.move and said.move in contact_of:
        yield MoveAdmin(company=company.id, user=said.move, contact=contact_of[said.move], role=role)
    if said.give:
        yield SetRole(company=company.id, user=said.give, contact=contact_of.get(said.give), role=role)
    back = world.state.suspended - {said.give, said.move}
    for contact, user in world.pairs.users.items():
        if user in back and world.users[user].role == world.policy.suspended_role:
            yield SetRole(company=company.id, user=user, contact=contact, role=_former_role(world, user))
    for user in said.take:
        yield SetRole(company=company.id, user=user, contact=contact_of.get(user), role=_former_role(world, user))


def _former_role(world: World, user: UserID) -> str:
    former = world.state.former_roles.get(user, "")
    admin = former == world.policy.primary_role or former in world.policy.admin_roles
    ours_only = world.policy.take_back is TakeBack.OURS
    return (
        former
        if former and (not admin or (ours_only and former != world.policy.primary_role))
        else world.policy.user_role
    )


# ------------------------------------------------------------------ leaving
def _removals(world: World) -> Iterator[Step]:
    if world.company is None or not world.may_remove:
        return
    company = world.company
    yield from leaving(world).steps(world)
    for location, address in lost_places(world).items():
        yield RemoveAddress(company=company.id, id=address, location=location)


def lost_places(world: World) -> Mapping[LocationID, AddressID]:
    """Return the addresses of ours whose location takes part no more."""
    company, customer = world.company, world.customer
    read = customer.complete and customer.locations_read
    sure = company and company.complete and read and world.desired.takes_part
    if not (sure and company and world.capabilities.addresses):
        return {}
    there = {address.id for address in company.addresses} - {*world.places.values()}
    kept = {
        f.record.id for f in world.desired.findings if f.record.kind is RecordKind.LOCATION and not f.kind.about.leaves
    }
    return {
        location: address for location, address in world.locations.items() if address in there and location not in kept
    }


PROPOSALS: tuple[Callable[[World], Iterator[Step]], ...] = (_creation, _changes, _roles, _removals, reference_steps)
"""In the order of a run: nothing of a later one goes out while an earlier one has something to do."""
