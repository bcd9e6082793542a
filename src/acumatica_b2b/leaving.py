"""Who has left a company, and what may become of them."""

from attrs import frozen

from acumatica_b2b.actions import RemoveUser, SetRole, Step, UpdateUser
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import CompanyUser, ContactID, CustomerID, RecordKind, UserID
from acumatica_b2b.policy import ProtectedLeaver
from acumatica_b2b.synclog import digest
from acumatica_b2b.world import World


def admins(world: World) -> tuple[CompanyUser, ...]:
    """Return the active users who have the primary role or one of the policy's admin roles."""
    roles = {world.policy.primary_role, *world.policy.admin_roles}
    return tuple(user for user in world.users.values() if user.role in roles and user.active)


@frozen(kw_only=True)
class Leaver:
    """A user of ours whose contact takes part no more; `to` is the customer it moved to."""

    contact: ContactID
    user: UserID
    to: CustomerID | None = None


def leavers(world: World) -> tuple[Leaver, ...]:
    """Return who has left, proven: a contact that takes part no more, or is this customer's no more."""
    return world.once(_leavers)


def _leavers(world: World) -> tuple[Leaver, ...]:
    company, customer = world.company, world.customer
    if not (company and company.complete and customer.complete):
        return ()
    out = {f.record.id for f in world.desired.findings if f.record.kind is RecordKind.CONTACT and f.kind.about.leaves}
    claimed = set(world.pairs.users.values())
    moved = {contact: now.customer for contact, now in world.gone.items() if now}
    return tuple(
        Leaver(contact=contact, user=user, to=moved.get(contact))
        for contact, user in world.linked.items()
        # of a customer that left only those go who are another's now
        if ((contact in out or contact in world.gone) if world.desired.takes_part else moved.get(contact))
        and user not in claimed
        and world.users[user].active
    )


@frozen(kw_only=True)
class Leaving:
    """What becomes of those who left: who is removed, who is only suspended, and why."""

    go: tuple[Leaver, ...] = ()
    suspend: tuple[Leaver, ...] = ()
    findings: tuple[Finding, ...] = ()

    def steps(self, world: World) -> tuple[Step, ...]:
        """Return what it takes: who stays is suspended before others go."""
        suspended = (suspension(world, leaver) for leaver in self.suspend)
        return (*suspended, *(removal(world, leaver) for leaver in self.go))


def leaving(world: World) -> Leaving:
    """Return what may become of the leavers now: the last user and the last admin are never removed."""
    return world.once(_leaving)


def _leaving(world: World) -> Leaving:
    due = leavers(world)
    if not due:
        return Leaving()
    here = sum(user.active for user in world.users.values())
    if len(due) == here == 1:
        return Leaving(suspend=_suspendable(world, due), findings=(_last_user(due[0], world),))
    stay = _last_admins(world, due)
    going = tuple(leaver for leaver in due if leaver not in stay)
    last = going[:1] if len(going) == here else ()
    go, suspend = going[len(last) :], _suspendable(world, (*stay, *last))
    if (excess := _too_many(world, len(due))) and not _approved(world, Leaving(go=go, suspend=suspend)):
        return Leaving(findings=(Finding(kind=FindingKind.GUARD_HELD, record=world.record, detail=excess),))
    protected = (
        Finding(kind=FindingKind.PROTECTED_ADMIN, record=contact_record(leaver.contact), detail=str(leaver.user))
        for leaver in stay
    )
    return Leaving(go=go, suspend=suspend, findings=(*protected, *(_last_user(leaver, world) for leaver in last)))


def _approved(world: World, going: Leaving) -> bool:
    return world.unguarded or all(digest(step) in world.approved for step in going.steps(world))


def suspension(world: World, leaver: Leaver) -> SetRole:
    """Return what takes every permission from one who stays for want of another."""
    company, role = world.users[leaver.user].company, world.policy.suspended_role
    return SetRole(company=company, user=leaver.user, contact=leaver.contact, role=role)


def removal(world: World, leaver: Leaver) -> Step:
    """Return what takes a leaver out of the company."""
    company = world.users[leaver.user].company
    if world.capabilities.deactivates and leaver.to is None:  # a mover's address is needed elsewhere
        off = (("active", "no"),)
        return UpdateUser(company=company, user=leaver.user, contact=leaver.contact, changes=off)
    return RemoveUser(company=company, user=leaver.user, contact=leaver.contact)


def _last_admins(world: World, due: tuple[Leaver, ...]) -> tuple[Leaver, ...]:
    """Return the leavers who are admins, or were until they were suspended, where nobody else is."""
    going = {leaver.user for leaver in due}
    in_charge = {admin.id for admin in admins(world)}
    if in_charge - going:
        return ()
    return tuple(leaver for leaver in due if leaver.user in in_charge or _is_suspended(world, leaver))


def _suspendable(world: World, stay: tuple[Leaver, ...]) -> tuple[Leaver, ...]:
    suspends = world.policy.protected_leaver is ProtectedLeaver.SUSPEND
    return tuple(leaver for leaver in stay if suspends and not _is_suspended(world, leaver))


def _is_suspended(world: World, leaver: Leaver) -> bool:
    suspends = world.policy.protected_leaver is ProtectedLeaver.SUSPEND
    return suspends and world.users[leaver.user].role == world.policy.suspended_role


def _last_user(leaver: Leaver, world: World) -> Finding:
    if leaver.to:
        kind, detail = FindingKind.MOVE_BLOCKED_LAST_USER, str(contact_record(leaver.contact))
        return Finding(kind=kind, record=world.record, detail=detail)
    record = contact_record(leaver.contact)
    return Finding(kind=FindingKind.PROTECTED_LAST_USER, record=record, detail=str(leaver.user))


def _too_many(world: World, due: int) -> str:
    linked = sum(world.users[user].active for user in world.linked.values())
    if due == linked:
        return f"the removal of all its {linked} linked company users"
    if linked >= world.policy.limits.half_of_company_from and due * 2 > linked:
        return f"the removal of {due} of its {linked} linked company users"
    return ""
