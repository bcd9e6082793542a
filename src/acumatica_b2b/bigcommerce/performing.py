"""The flow of a batch of independent actions: some share calls, all else goes out side by side."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    SetRole,
    UpdateCompany,
)
from acumatica_b2b.bigcommerce.api import Api, in_slices
from acumatica_b2b.bigcommerce.batching import update_companies
from acumatica_b2b.bigcommerce.changing import change
from acumatica_b2b.bigcommerce.creating import create
from acumatica_b2b.bigcommerce.creations import Addresses, Companies, Users
from acumatica_b2b.bigcommerce.places import learn, named_by
from acumatica_b2b.bigcommerce.records import RoleRecord
from acumatica_b2b.bigcommerce.roles import require
from acumatica_b2b.bigcommerce.surveying import written_to
from acumatica_b2b.flow import Failed, Flow, Outcome, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import DesiredUser, StorefrontID

_SHARING: Final = (CreateCompany, CreateUser, CreateAddress, UpdateCompany)


def perform(api: Api, actions: Sequence[Action]) -> Flow[tuple[Outcome[StorefrontID], ...]]:
    """Return one outcome for each action, in order.

    Raises:
        ConfigurationError: a role's name is not the store's; nothing was written.
        AuthenticationError: the store refuses the credentials.

    """
    written_to(api, actions)
    roles: Outcome[Mapping[str, RoleRecord]] = yield from attempt(require(api, _roles(actions)))
    if isinstance(roles, Failed):
        return tuple(roles for _ in actions)
    unknown = yield from learn(api, actions)
    # what was not learned only now must not be sent by its code: of a company, it would stay
    held = [next((unknown[place] for place in named_by(action) if place in unknown), None) for action in actions]
    fit = [action for action, failed in zip(actions, held, strict=True) if failed is None]
    for action in fit:
        api.known.sights.wrote(action, next(api.known.turns))
    performed = iter((yield from _performed(api, fit, roles.value)))
    return tuple(next(performed) if failed is None else failed for failed in held)


def _performed(
    api: Api, actions: Sequence[Action], roles: Mapping[str, RoleRecord]
) -> Flow[tuple[Outcome[StorefrontID], ...]]:
    companies = [action for action in actions if isinstance(action, CreateCompany)]
    users = [action for action in actions if isinstance(action, CreateUser)]
    addresses = [action for action in actions if isinstance(action, CreateAddress)]
    updates = [action for action in actions if isinstance(action, UpdateCompany)]
    others = [action for action in actions if not isinstance(action, _SHARING)]
    lanes: tuple[Sequence[Outcome[StorefrontID]], ...] = yield from together(
        (
            create(api, Companies(api), companies),
            create(api, Users(api, roles), users),
            create(api, Addresses(api), addresses),
            update_companies(api, updates),
            in_slices(attempt(change(api, action, roles)) for action in others),
        )
    )
    return _in_order(actions, lanes)


def _roles(actions: Sequence[Action]) -> Iterator[str]:
    for action in actions:
        match action:
            case CreateUser(role=role) | SetRole(role=role) | CreateCompany(admin=DesiredUser(), role=role):
                yield role
            case _:
                pass


def _in_order(
    actions: Sequence[Action], lanes: Sequence[Sequence[Outcome[StorefrontID]]]
) -> tuple[Outcome[StorefrontID], ...]:
    queues = [iter(lane) for lane in lanes]
    return tuple(next(queues[_lane(action)]) for action in actions)


def _lane(action: Action) -> int:
    return next((i for i, kind in enumerate(_SHARING) if isinstance(action, kind)), len(_SHARING))
