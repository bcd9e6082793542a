"""Steps in tables: their signs, what many of them come to, and what comes with them."""

import enum
from collections.abc import Iterator, Mapping
from typing import Final

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


_KINDS: Final[Mapping[type[Step], tuple[Sort, str]]] = {
    CreateCompany: (Sort.ADDS, "companies created"),
    UpdateCompany: (Sort.CHANGES, "companies changed"),
    CreateUser: (Sort.ADDS, "company users created"),
    UpdateUser: (Sort.CHANGES, "company users changed"),
    CreateAddress: (Sort.ADDS, "addresses created"),
    UpdateAddress: (Sort.CHANGES, "addresses changed"),
    SetRole: (Sort.HANDS_OVER, "roles given"),
    MoveAdmin: (Sort.HANDS_OVER, f"{PRIMARY_ADMIN}s moved"),
    RemoveUser: (Sort.REMOVES, "company users removed"),
    RemoveAddress: (Sort.REMOVES, "addresses removed"),
    WriteReference: (Sort.WRITES_BACK, "commerce reference IDs written to Acumatica"),
}


def sort_of(kind: type[Step]) -> Sort:
    """Return what a step of a kind does to what is there."""
    return _KINDS[kind][0]


def plural(kind: type[Step]) -> str:
    """Return what many steps of a kind come to."""
    return _KINDS[kind][1]


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
