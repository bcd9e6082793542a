"""The people of one company: who is admin, who stands in whose way, who has left."""

from collections.abc import Collection, Iterator, Mapping

from acumatica_b2b.actions import CreateCompany, CreateUser, MoveAdmin, SetRole, Step, UpdateUser
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.leaving import admins, leavers
from acumatica_b2b.locations import id_order
from acumatica_b2b.mapping import contact_record, plain_email
from acumatica_b2b.model import CompanyUser, ContactID, DesiredUser, HandOver, StorefrontID, UserID
from acumatica_b2b.policy import ExistingShoppers, TakeBack
from acumatica_b2b.primary_admin import Primary, Standing, Verdict, primary_admin
from acumatica_b2b.world import World, is_deleted


# ------------------------------------------------------------------ Primary Admin
def verdict(world: World) -> Verdict:
    """Return what the Primary Admin rule says of an existing company."""
    return primary_admin(standing(world))


def standing(world: World) -> Standing:
    """Return how the people of an existing company stand."""
    return world.once(_standing)


def _standing(world: World) -> Standing:
    named = world.desired.primary
    user = world.pairs.users.get(named) if named else None
    in_charge = [admin.id for admin in admins(world)]
    others = [admin for admin in in_charge if admin != user]
    ours = _to_take_back(world)
    left = {leaver.user for leaver in leavers(world)}
    refused = {step.user for step in world.refused if isinstance(step, SetRole | MoveAdmin)}
    demotes_first = world.capabilities.hand_over is HandOver.DEMOTE_FIRST
    back = world.users.get(UserID(StorefrontID(world.state.gave_way))) if demotes_first else None
    return Standing(
        primary=_primary(world, user, in_charge),
        user=user,
        ours=tuple(other for other in others if other in ours and other not in refused),
        foreign=tuple(other for other in others if other not in ours or other in refused),
        left=tuple(other for other in others if other in left),
        hand_over=world.capabilities.hand_over,
        refused=user in refused,
        gave_way=back.id if back and back.active and back.id not in refused else None,
    )


def _primary(world: World, user: UserID | None, in_charge: Collection[UserID]) -> Primary:
    named = world.desired.primary
    winner = world.contest.by_contact.get(named)
    match named, winner, user:
        case None, _, _:
            return Primary.NOBODY
        case _, None, _:
            return Primary.NOT_ELIGIBLE
        case _, winner, None:
            return Primary.NOT_ELIGIBLE if obstacle(world, winner) else Primary.NOT_YET_A_USER
        case _, _, user if not world.users[user].active:
            return Primary.NOT_ELIGIBLE
        case _, _, user:
            return Primary.ADMIN if user in in_charge else Primary.USER


def _to_take_back(world: World) -> frozenset[UserID]:
    """Return whose role is taken back when another is primary."""
    also = world.policy.role_is_ours
    exclusive = {u.id for u in world.users.values() if also and u.role == world.policy.primary_role}
    match world.policy.take_back:
        case TakeBack.OURS:
            return world.state.grants | exclusive
        case TakeBack.LINKED:
            return world.state.grants | exclusive | frozenset(world.linked.values())
        case TakeBack.ALL:
            return frozenset(world.users)


# ------------------------------------------------------------------ who stands in whose way
def holder(world: World, wanted: DesiredUser) -> CompanyUser | None:
    """Return the user, not its own, who has the address that a desired user is to have."""
    own = world.pairs.users.get(wanted.contact)
    for user in world.users_at.get(wanted.email, ()):
        if user.id != own:
            return user
    elsewhere = world.holders.get(wanted.email)
    known = elsewhere is not None and elsewhere.id in world.users
    return None if known else elsewhere


def obstacle(world: World, wanted: DesiredUser) -> Finding | None:
    """Return why a desired user who is none yet can't be made, as far as is known."""

    def because(kind: FindingKind, detail: str) -> Finding:
        return Finding(kind=kind, record=contact_record(wanted.contact), detail=detail)

    linked, home = world.state.contacts.get(wanted.contact), world.elsewhere.get(wanted.contact)
    if linked and is_deleted(world, wanted.contact):
        return because(FindingKind.DELETED_IN_SHOP, f"company user {linked}")
    if home:
        return because(FindingKind.MOVE_WAITS, f"company user {home.user} of customer {home.customer!r}")
    if taken := _taken_address(world, wanted):
        return because(*taken)
    return None


def _taken_address(world: World, wanted: DesiredUser) -> tuple[FindingKind, str] | None:
    user = holder(world, wanted)
    parted = user is not None and (contact_record(wanted.contact), user.id) in world.state.apart
    if user and wanted.external_id and user.external_id.lower() == wanted.external_id and not parted:
        return FindingKind.MOVE_WAITS, f"company user {user.id} of company {user.company}"
    if user and user.id in world.users and _releases(world, user.id):
        return None
    if user:
        return FindingKind.EMAIL_OWNED_ELSEWHERE, f"company user {user.id} of company {user.company}"
    if is_super_admins(world, wanted):
        return FindingKind.SUPER_ADMIN_EMAIL, ""
    return shopper_in_the_way(world, wanted)


def shopper_in_the_way(world: World, wanted: DesiredUser) -> tuple[FindingKind, str] | None:
    """Return what the policy says of the shopper, never a user of ours, who has a wanted address."""
    shopper = world.shoppers.get(wanted.email)
    holds = world.policy.existing_shoppers is ExistingShoppers.HOLD
    if not shopper or (holds and contact_record(wanted.contact) in world.state.retried):
        return None
    return (FindingKind.SHOPPER_HELD if holds else FindingKind.SHOPPER_REFUSED), f"shopper {shopper}"


def is_super_admins(world: World, wanted: DesiredUser) -> bool:
    """Tell whether an address is a super admin's: the shop says so, or it is taken and no company user has it."""
    taken = wanted.email in world.holders and refused_as_taken(world, wanted)
    return taken or wanted.email in world.super_admins


def refused_as_taken(world: World, wanted: DesiredUser) -> bool:
    """Tell whether the shop said in this run that an address is taken."""
    return (wanted.contact, wanted.email) in world.once(_refused_claims)


def _refused_claims(world: World) -> frozenset[tuple[ContactID, str] | None]:
    """Return who was to get which address, where the shop said that it is taken."""
    return frozenset(
        _claim(step)
        for step, error in world.refused.items()
        if isinstance(error, RejectedError) and error.reason is Reason.EMAIL_TAKEN
    )


def _claim(step: Step) -> tuple[ContactID, str] | None:
    """Return who is to get which address by a step."""
    match step:
        case CreateUser(user=user):
            return user.contact, user.email
        case CreateCompany(admin=admin) if admin:
            return admin.contact, admin.email
        case UpdateUser(contact=contact, changes=changes):
            return contact, dict(changes).get("email", "")
        case _:
            return None


def _releases(world: World, user: UserID) -> bool:
    """Tell whether a user of this company is about to give up its address."""
    wanted = world.contest.by_contact.get(world.pairs.contacts.get(user))
    return wanted is not None and _changes_email(world, wanted)


def email_changes(world: World) -> Mapping[ContactID, DesiredUser]:
    """Return the desired users whose user has another address now."""
    return world.once(_email_changes)


def _email_changes(world: World) -> Mapping[ContactID, DesiredUser]:
    return {wanted.contact: wanted for wanted in world.contest.users if _changes_email(world, wanted)}


def _changes_email(world: World, wanted: DesiredUser) -> bool:
    if "email" not in world.policy.owned_user_fields:
        return False
    user = world.pairs.users.get(wanted.contact)
    return user is not None and plain_email(world.users[user].email) != wanted.email


def email_cycles(world: World) -> Iterator[tuple[ContactID, ...]]:
    """Yield each ring of contacts of whom each waits for the address that the next one has."""
    changes = email_changes(world)
    waits_for: dict[ContactID, ContactID] = {}
    for contact, wanted in changes.items():
        user = holder(world, wanted)
        if user and (next_contact := world.pairs.contacts.get(user.id)) in changes and next_contact:
            waits_for[contact] = next_contact
    yield from rings(waits_for)


def unbroken_rings(world: World) -> Mapping[ContactID, tuple[ContactID, ...]]:
    """Return the rings in which nobody can move, by each of their contacts: none has moved, or is parked."""
    return world.once(_unbroken_rings)


def _unbroken_rings(world: World) -> Mapping[ContactID, tuple[ContactID, ...]]:
    if not (world.rings or email_changes(world)):
        return {}
    stuck = {contact for contact in email_changes(world) if not is_parked(world, world.pairs.users[contact])}
    moved = world.pairs.users.keys() - stuck
    own = {contact: ring for ring in email_cycles(world) for contact in ring}
    return {contact: ring for contact, ring in {**world.rings, **own}.items() if moved.isdisjoint(ring)}


def parking(world: World) -> Mapping[ContactID, str]:
    """Return who of this customer steps aside so that a ring can move, with the address taken meanwhile."""
    return world.once(_parking)


def _parking(world: World) -> Mapping[ContactID, str]:
    if not (world.policy.parking_domain and world.capabilities.changes_email):
        return {}
    first = {first_of(ring) for ring in unbroken_rings(world).values()}
    return {contact: _parked_at(world, user) for contact, user in world.pairs.users.items() if contact in first}


def first_of(ring: tuple[ContactID, ...]) -> ContactID:
    """Return who of a ring steps aside."""
    return min(ring, key=id_order)


def _parked_at(world: World, user: UserID) -> str:
    return f"parked-{user.lower()}@{world.policy.parking_domain}"


def is_parked(world: World, user: UserID) -> bool:
    """Tell whether a user has the address that it was given for a while."""
    there = world.users.get(user)
    return there is not None and plain_email(there.email) == _parked_at(world, user)


def rings(waits_for: Mapping[ContactID, ContactID]) -> Iterator[tuple[ContactID, ...]]:
    """Yield each ring in which everybody waits for the next one."""
    seen: set[ContactID] = set()
    for start in sorted(waits_for, key=id_order):
        path: list[ContactID] = []
        at: ContactID | None = start
        while at is not None and at not in seen:
            seen.add(at)
            path.append(at)
            at = waits_for.get(at)
        if at is not None and at in path:
            yield tuple(path[path.index(at) :])
