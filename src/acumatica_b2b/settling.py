"""What a step makes of the world: it is intended, taken, and settled with what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from attrs import evolve

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
from acumatica_b2b.errors import LeaseEndedError, NotSentError, RateLimitedError, RejectedError
from acumatica_b2b.flow import Failed, Outcome
from acumatica_b2b.model import (
    AddressID,
    ContactID,
    RecordKind,
    StorefrontID,
    UserID,
)
from acumatica_b2b.shop import after
from acumatica_b2b.steps import logged, record_of
from acumatica_b2b.synclog import Done, Entry, Intended, NotSent, Refused, Unanswered
from acumatica_b2b.world import World, noted


def intended(world: World, steps: tuple[Step, ...], until: datetime) -> World:
    """Return the world with steps about to go out."""
    roles: Mapping[str, str] = {user.id: user.role for user in world.users.values()}
    return noted(world, *(Intended(step=logged(step, world.policy, roles), until=until) for step in steps))


def settle(world: World, step: Step, outcome: Outcome[StorefrontID | None]) -> World:
    """Return the world after one intended step and what came of it.

    A refused step is a fact of the world: it is not proposed again in this run.
    """
    key = logged(step, world.policy, {}).hash
    if isinstance(outcome, Failed):
        return _unsettled(world, step, key, outcome.error)
    identifier = outcome.value or ""
    world = evolve(world, taken=(*world.taken, step))
    world = noted(world, Done(step=key, id=identifier))
    return _stepped(world, step, identifier)


def _unsettled(world: World, step: Step, key: str, error: Exception) -> World:
    match error:
        case LeaseEndedError():  # nothing is wrong with the step: it is proposed anew
            return noted(world, NotSent(step=key))
        case NotSentError() | RateLimitedError():
            entry: Entry = NotSent(step=key)
        case RejectedError():
            entry = Refused(step=key, reason=error.reason, message=str(error), record=record_of(step))
        case _:
            entry = Unanswered(step=key)
    return noted(evolve(world, refused={**world.refused, step: error}), entry)


def _stepped(world: World, step: Step, identifier: str) -> World:
    company = after(world.company, step, identifier, world.capabilities, world.policy)
    world = evolve(world, company=company)
    match step:
        case CreateCompany(admin=admin) if admin and company:
            return _paired(world, admin.contact, company.users[0].id)
        case CreateUser(user=user):
            return _paired(world, user.contact, UserID(StorefrontID(identifier)))
        case CreateAddress(address=address):
            places = {**world.places, address.location: AddressID(StorefrontID(identifier))}
            return evolve(world, places=places)
        case RemoveUser(user=user, contact=contact):
            return _paired(_released(world, user), contact, None)
        case UpdateUser(user=user, changes=changes) if any(name == "email" for name, _ in changes):
            return _released(world, user)
        case WriteReference(reference=reference):
            unlinked = {record: lost for record, lost in world.unlinked.items() if record != reference.record}
            return evolve(_referenced(world, step), unlinked=unlinked)
        case (
            CreateCompany()
            | UpdateCompany()
            | UpdateUser()
            | SetRole()
            | MoveAdmin()
            | UpdateAddress()
            | RemoveAddress()
        ):
            return world
        case _:
            assert_never(step)


def _released(world: World, user: UserID) -> World:
    """Return the world in which a user has given up the address that it was asked for."""
    holders = {email: holder for email, holder in world.holders.items() if holder is None or holder.id != user}
    return evolve(world, holders=holders)


def _paired(world: World, contact: ContactID, user: UserID | None) -> World:
    pairs = {c: u for c, u in world.pairs.users.items() if c != contact}
    return evolve(world, pairs=evolve(world.pairs, users=pairs if user is None else {**pairs, contact: user}))


def _referenced(world: World, step: WriteReference) -> World:
    """Return the world whose ERP record holds the written reference."""
    customer, record, value = world.customer, step.reference.record, step.reference.value
    match record.kind:
        case RecordKind.CUSTOMER:
            customer = evolve(customer, reference=value)
        case RecordKind.CONTACT:
            contacts = tuple(evolve(c, reference=value) if c.id == record.id else c for c in customer.contacts)
            customer = evolve(customer, contacts=contacts)
        case RecordKind.LOCATION:
            places = tuple(evolve(p, reference=value) if p.id == record.id else p for p in customer.locations)
            customer = evolve(customer, locations=places)
        case _:
            assert_never(record.kind)
    return evolve(world, customer=customer)
