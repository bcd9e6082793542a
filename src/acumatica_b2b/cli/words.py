"""Steps in tables: their signs, what many of them come to, and what comes with them."""

import enum
from collections.abc import Iterator
from typing import Final, assert_never

from acumatica_b2b.actions import (
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    Step,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
    WriteReference,
)
from acumatica_b2b.policy import ExistingShoppers, SyncPolicy
from acumatica_b2b.report import Plan
from acumatica_b2b.words import PRIMARY_ADMIN

_FEW: Final = 20
"""So many companies that are taken over are named."""


class Sort(enum.Enum):
    """What a step does to what is there; the value is its sign in a table."""

    ADDS = "+"
    CHANGES = "~"
    HANDS_OVER = "★"
    REMOVES = "-"
    WRITES_BACK = "←"


def sort_of(step: Step) -> Sort:
    """Return what a step does to what is there."""
    match step:
        case CreateCompany() | CreateUser() | CreateAddress():
            return Sort.ADDS
        case UpdateCompany() | UpdateUser() | UpdateAddress():
            return Sort.CHANGES
        case SetRole() | MoveAdmin():
            return Sort.HANDS_OVER
        case RemoveUser() | RemoveAddress():
            return Sort.REMOVES
        case WriteReference():
            return Sort.WRITES_BACK
        case _:
            assert_never(step)


_KINDS = {
    CreateCompany: "companies created",
    UpdateCompany: "companies changed",
    CreateUser: "company users created",
    UpdateUser: "company users changed",
    CreateAddress: "addresses created",
    UpdateAddress: "addresses changed",
    SetRole: "roles given",
    MoveAdmin: f"{PRIMARY_ADMIN}s moved",
    RemoveUser: "company users removed",
    RemoveAddress: "addresses removed",
    WriteReference: "commerce reference IDs written to Acumatica",
}


def plural(step: Step) -> str:
    """Return what many steps of this kind come to."""
    return _KINDS[type(step)]


def notes(plan: Plan, policy: SyncPolicy) -> Iterator[str]:
    """Yield what a plan's steps bring with them in BigCommerce, which no step says."""
    if adopted := [f"{one.adopts} by {one.customer}" for one in plan.companies if one.adopts]:
        more = f", and {len(adopted) - _FEW} more" if len(adopted) > _FEW else ""
        yield f"Companies of the shop that customers take over: {', '.join(adopted[:_FEW])}{more}."
    makes_users = any(isinstance(step, CreateCompany | CreateUser) for step in plan.steps)
    if makes_users and policy.existing_shoppers is ExistingShoppers.ADOPT:
        yield "A shopper with a new company user's address becomes that user: past orders move to the company."
    if any(isinstance(step, RemoveUser) for step in plan.steps):
        yield "Who is removed from a company keeps a plain shop login."
