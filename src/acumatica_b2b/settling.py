"""What a step makes of the world: it is intended, taken, and settled with what came of it."""

from collections.abc import Mapping, Sequence
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
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.mapping import contact_record, customer_record
from acumatica_b2b.model import (
    AddressID,
    Customer,
    Record,
    RecordKind,
    StorefrontID,
    UserID,
)
from acumatica_b2b.shop import after
from acumatica_b2b.steps import logged, record_of
from acumatica_b2b.synclog import Done, Entry, Intended, NotSent, Refused, Unanswered, digest
from acumatica_b2b.world import World, noted


def intended(world: World, steps: tuple[Step, ...], until: datetime) -> World:
    """Return the world with steps about to go out."""
    roles: Mapping[str, str] = {user.id: user.role for user in world.users.values()}
    return noted(world, *(Intended(step=logged(step, world.policy, roles), until=until) for step in steps))


def settle(world: World, step: Step, outcome: Outcome[StorefrontID | None]) -> World:
    """Return the world after one intended step and what came of it.

    A refused step is a fact of the world: it is not proposed again in this run.
    """
    return settled(world, (step,), (outcome,))


def settled(world: World, steps: Sequence[Step], outcomes: Sequence[Outcome[StorefrontID | None]]) -> World:
    """Return the world after steps that went out together, each with what came of it."""
    answered = tuple(zip(steps, outcomes, strict=True))
    done = tuple((step, outcome.value or "") for step, outcome in answered if isinstance(outcome, Ok))
    failed = {step: outcome.error for step, outcome in answered if isinstance(outcome, Failed)}
    # nothing is wrong with a step whose lease ended: it is proposed anew
    refused = {step: error for step, error in failed.items() if not isinstance(error, LeaseEndedError)}
    company = after(world.company, done, world.capabilities, world.policy)
    world = noted(world, *(_entry(step, outcome) for step, outcome in answered))
    return _stepped(evolve(world, company=company, refused={**world.refused, **refused}), done)


def _entry(step: Step, outcome: Outcome[StorefrontID | None]) -> Entry:
    key = digest(step)
    match outcome:
        case Ok(value=identifier):
            return Done(step=key, id=identifier or "")
        case Failed(error=NotSentError() | RateLimitedError() | LeaseEndedError()):
            return NotSent(step=key)
        case Failed(error=RejectedError() as error):
            return Refused(step=key, reason=error.reason, message=str(error), record=record_of(step))
        case Failed():
            return Unanswered(step=key)
        case _:
            assert_never(outcome)


def _stepped(world: World, done: Sequence[tuple[Step, str]]) -> World:
    """Return the world in which who was made or removed is paired or not, and nobody holds what was given up."""
    pairs, places = dict(world.pairs.users), dict(world.places)
    released: set[UserID] = set()
    references: dict[Record, str] = {}
    for step, identifier in done:
        match step:
            case CreateCompany(admin=admin) if admin and world.company:
                pairs[admin.contact] = world.company.users[0].id
            case CreateUser(user=wanted):
                pairs[wanted.contact] = UserID(StorefrontID(identifier))
            case CreateAddress(address=address):
                places[address.location] = AddressID(StorefrontID(identifier))
            case RemoveUser(user=user, contact=contact):
                pairs.pop(contact, None)
                released.add(user)
            case UpdateUser(user=user, changes=changes) if any(name == "email" for name, _ in changes):
                released.add(user)
            case WriteReference(reference=reference):
                references[reference.record] = reference.value
            case (
                CreateCompany()
                | UpdateCompany()
                | UpdateUser()
                | SetRole()
                | MoveAdmin()
                | UpdateAddress()
                | RemoveAddress()
            ):
                pass
            case _:
                assert_never(step)
    return evolve(
        world,
        taken=(*world.taken, *(step for step, _ in done)),
        pairs=evolve(world.pairs, users=pairs),
        places=places,
        holders={email: user for email, user in world.holders.items() if user is None or user.id not in released},
        customer=_referenced(world.customer, references),
        unlinked={record: lost for record, lost in world.unlinked.items() if record not in references},
    )


def _referenced(customer: Customer, references: Mapping[Record, str]) -> Customer:
    """Return the customer whose records hold the written references."""
    if not references:
        return customer
    return evolve(
        customer,
        reference=references.get(customer_record(customer.id), customer.reference),
        contacts=tuple(
            evolve(contact, reference=references.get(contact_record(contact.id), contact.reference))
            for contact in customer.contacts
        ),
        locations=tuple(
            evolve(place, reference=references.get(Record(RecordKind.LOCATION, place.id), place.reference))
            for place in customer.locations
        ),
    )
