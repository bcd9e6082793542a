"""Which company and which company user a contact has, by what evidence, and which role."""

from collections.abc import Iterator
from typing import Final

from acumatica_b2b.actions import CreateCompany, CreateUser
from acumatica_b2b.explaining.dossier import Dossier, Side
from acumatica_b2b.explaining.evidence import in_words, of_company, of_user
from acumatica_b2b.explaining.explanation import Line, Mark, of_finding
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.model import CompanyUser
from acumatica_b2b.words import PRIMARY_ADMIN, role_words
from acumatica_b2b.world import World

OF_MATCH: Final = frozenset(
    {
        FindingKind.DUPLICATE_EMAIL,
        FindingKind.EMAIL_OWNED_ELSEWHERE,
        FindingKind.SUPER_ADMIN_EMAIL,
        FindingKind.SHOPPER_HELD,
        FindingKind.SHOPPER_REFUSED,
        FindingKind.MOVE_WAITS,
        FindingKind.COMPANY_AMBIGUOUS,
        FindingKind.COMPANY_WAITS,
        FindingKind.DELETED_IN_SHOP,
        FindingKind.NO_PRIMARY,
        FindingKind.PRIMARY_NOT_ELIGIBLE,
        FindingKind.OTHER_ADMIN,
        FindingKind.NO_ADMIN_LEFT,
    }
)
"""Findings about who is who: what is against taking part is told before them, all else after."""


def of_match(dossier: Dossier) -> Iterator[Line]:
    """Yield company, user and role at each customer, and what stands in the way of them."""
    for side in dossier.sides:
        at = dossier.at(side)
        if side.world is None:
            yield Line(text=f"{at}not known: {side.error}", mark=Mark.WAITS)
            yield from _of_log(side)
            continue
        yield _company(side, side.world, at)
        yield from _user(side, side.world, at)
        yield from (of_finding(f) for f in side.findings if f.kind in OF_MATCH and f not in side.mapped)
    if not dossier.sides:
        yield Line(text="no company and no company user", mark=Mark.QUIET)


def _of_log(side: Side) -> Iterator[Line]:
    """Yield what the log knows where nobody could look."""
    link = side.before.links.get(side.record)
    if link:
        yield Line(text=f"the log links it to company user {link.id}", mark=Mark.QUIET)


def _company(side: Side, world: World, at: str) -> Line:
    company = world.company
    if company and side.found:
        by = in_words(of_company(company, side.found, world, side.before))
        switched_off = "" if company.active else ", which is switched off"
        return Line(text=f"{at}company {company.id} ({company.name}), {by}{switched_off}", mark=Mark.GOOD)
    made = side.plan and any(isinstance(step, CreateCompany) for step in side.plan.steps)
    if made:
        return Line(text=f"{at}no company yet: the next sync makes it", mark=Mark.STEP)
    return Line(text=f"{at}no company", mark=Mark.WAITS)


def _user(side: Side, world: World, at: str) -> Iterator[Line]:
    user = side.user
    if user is None:
        yield _none(side, world, at)
        return
    by = in_words(of_user(user, side.contact, side.found, side.before, world.policy)) if side.found else ""
    said = (f"{at}company user {user.id}", by, "" if user.active else "switched off")
    yield Line(text=", ".join(filter(None, said)), mark=Mark.GOOD)
    if side.leaves:
        yield Line(text=f"{at}its contact takes part here no more, so it is to go", mark=Mark.WAITS)
    elif side.stays:
        yield Line(text=f"{at}its contact is to have none here; it stays as it is", mark=Mark.WAITS)
    yield _role(user, world, at)


def _none(side: Side, world: World, at: str) -> Line:
    makes = any(isinstance(step, CreateUser | CreateCompany) for step in side.steps)
    if makes:
        return Line(text=f"{at}no company user yet: the next sync makes it", mark=Mark.STEP)
    link = world.state.links.get(side.record)
    if link:
        return Line(text=f"{at}no company user: company user {link.id}, to whom it is linked, is not there")
    return Line(text=f"{at}no company user")


def _role(user: CompanyUser, world: World, at: str) -> Line:
    policy = world.policy
    words = role_words(user.role, policy.primary_role)
    if user.role == policy.primary_role:
        return Line(text=f"{at}its role is {words}, {_whose(user, world)}")
    if user.role in policy.admin_roles:
        return Line(text=f"{at}its role is {words}, which makes it an admin as well, {_whose(user, world)}")
    if user.role == policy.suspended_role and user.role:
        return Line(text=f"{at}its role is {words}, which permits nothing", mark=Mark.WAITS)
    return Line(text=f"{at}its role is {words or 'none'}, so it is not {PRIMARY_ADMIN}")


def _whose(user: CompanyUser, world: World) -> str:
    if user.id in world.state.grants:
        return "given by this library"
    if world.policy.role_is_ours and user.role == world.policy.primary_role:
        return "taken for given by this library, as the policy says"
    return "given by people in the shop"
