"""What people decide, recorded: the next run acts on it."""

from collections.abc import Iterator
from typing import assert_never

from attrs import evolve

from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.effects import Load, Now, Observe, ReadCustomer
from acumatica_b2b.errors import DecisionError
from acumatica_b2b.flow import Flow, ask, value_of
from acumatica_b2b.keys import contact_key
from acumatica_b2b.mapping import contact_record
from acumatica_b2b.model import (
    Company,
    ContactID,
    Customer,
    CustomerID,
    NoteID,
    Record,
    RecordKind,
)
from acumatica_b2b.observing import loaded, read_home
from acumatica_b2b.runlog import Grown, Opened
from acumatica_b2b.runs import recorded
from acumatica_b2b.saving import saved
from acumatica_b2b.synclog import Decided, Entry, Linked, Unlinked
from acumatica_b2b.terms import Terms
from acumatica_b2b.whose import customers_of
from acumatica_b2b.world import World, company_ref, noted


def decide(customer: CustomerID, decision: Decision, by: str, terms: Terms) -> Flow[None]:
    """Record what a person decided of a record of this customer, who is looked at again by the next run.

    Raises:
        DecisionError: there is no such record, or its counterpart can't be what the decision says.
        LeftToAnotherError: a run is at work on this customer.
        RemoteError: a system could not be asked.

    """
    found = value_of((yield from ask(ReadCustomer(customer))))
    if found is None and decision.choice is not Choice.UNLINK:
        raise DecisionError(f"Acumatica has no customer {customer!r}, so there is nothing to decide about it")
    gone = Customer(id=customer, note_id=NoteID(""), name="", deleted=True)
    world = yield from loaded(found or gone, terms)
    # under the name of the last run, so that what it left open stays so: nobody has looked yet
    terms = evolve(terms, run=world.state.run or terms.run)
    _require_record(world, decision)
    entries = yield from _entries(world, decision, by)
    decided = noted(world, *entries)
    yield from saved(decided, terms, (yield from ask(Now())))
    users = len(decided.state.contacts) - len(world.state.contacts)
    companies = (world.record in decided.state.links) - (world.record in world.state.links)
    grown = [Grown(users=users, companies=companies)] if users or companies else []
    yield from recorded(terms, lambda _: [Opened(customers=(customer,)), *grown])


def _entries(world: World, decision: Decision, by: str) -> Flow[tuple[Entry, ...]]:
    """Return what the log learns; raise where the decision does not fit."""
    said = Decided(by=by, decision=decision)
    match decision.choice:
        case Choice.RETRY | Choice.SKIP:
            return (said,)
        case Choice.LINK:
            yield from _require_counterpart(world, decision)
            return (said, Linked(record=decision.record, id=decision.id))
        case Choice.UNLINK:
            parted = evolve(decision, id=_counterpart(world, decision))
            return (Decided(by=by, decision=parted), Unlinked(record=decision.record))
        case Choice.ADOPT:
            yield from _require_company(world, decision)
            return (said, *_adopted(world, decision))
        case _:
            assert_never(decision.choice)


def _require_record(world: World, decision: Decision) -> None:
    """Pass when the record is this customer's, or was, and is of a kind that the choice is about."""
    record, customer = decision.record, world.customer
    known = {world.record, *world.state.links, *(finding.record for finding in world.desired.findings)}
    known |= {finding.record for finding in world.state.findings}
    known |= {*_records_of(customer)}
    if record not in known:
        raise DecisionError(f"{record} is not one of customer {customer.id!r}; name the customer that it belongs to")
    of_customer = record.kind is RecordKind.CUSTOMER
    if of_customer and decision.choice in {Choice.LINK, Choice.UNLINK}:
        raise DecisionError(f"{record} can't be linked by itself; say adopt, and the company that it is")
    if not of_customer and decision.choice is Choice.ADOPT:
        raise DecisionError(f"{record} can't adopt a company; say link, and its counterpart there")


def _records_of(customer: Customer) -> Iterator[Record]:
    yield from (contact_record(contact.id) for contact in customer.contacts)
    yield from (Record(RecordKind.LOCATION, location.id) for location in customer.locations)


def _counterpart(world: World, decision: Decision) -> str:
    """Return what a record is linked to."""
    link = world.state.links.get(decision.record)
    if link is None:
        raise DecisionError(f"{decision.record} of customer {world.customer.id!r} is linked to nothing")
    return link.id


def _require_counterpart(world: World, decision: Decision) -> Flow[None]:
    """Pass when the company has that user or address, and it is nobody else's."""
    record, identifier = decision.record, decision.id
    link = world.state.links.get(world.record)
    if link is None:
        raise DecisionError(f"customer {world.customer.id!r} has no company yet that {record} could be linked in")
    company = yield from _company(world, link.id)
    of_contact = record.kind is RecordKind.CONTACT
    there = {user.id for user in company.users} if of_contact else {address.id for address in company.addresses}
    if identifier not in there:
        what = "company user" if of_contact else "address"
        raise DecisionError(f"company {company.id} of customer {world.customer.id!r} has no {what} {identifier!r}")
    for other, taken in world.state.links.items():
        if taken.id == identifier and other.kind is record.kind and other != record:
            raise DecisionError(f"{identifier} is linked to {other}; unlink that first")
    if of_contact:
        yield from _require_here(world, ContactID(record.id))


def _require_here(world: World, contact: ContactID) -> Flow[None]:
    """Pass when no other customer's company has a user of this contact."""
    log = yield from ask(Load(contact_key(world.policy, contact)))
    home = read_home(log[-1].body) if log else None
    if home and home.customer != world.customer.id:
        raise DecisionError(
            f"{contact_record(contact)} has company user {home.user} of customer {home.customer!r}; unlink that first"
        )


def _require_company(world: World, decision: Decision) -> Flow[None]:
    """Pass when there is such a company, and it is no other customer's."""
    company = yield from _company(world, decision.id)
    if company.external_id.lower() not in {"", world.customer.note_id}:
        raise DecisionError(f"company {company.id} has another customer's external id; clear it in the shop first")
    owners = yield from customers_of([company.id], world.policy)
    for owner in owners:
        if owner != world.customer.id:
            raise DecisionError(
                f"company {company.id} belongs to customer {owner!r}; have that one adopt another first"
            )
    old = world.state.links.get(world.record)
    if old and old.id != decision.id and (yield from _stands(world, old.id)):
        raise DecisionError(
            f"company {old.id} is customer {world.customer.id!r}'s still; delete it in the shop, or clear its external "
            "id and its users' there, before another is adopted"
        )


def _stands(world: World, identifier: str) -> Flow[bool]:
    """Tell whether a company is there and bears the customer's external id."""
    company = yield from _observed(world, identifier)
    return company is not None and company.external_id.lower() == world.customer.note_id


def _observed(world: World, identifier: str) -> Flow[Company | None]:
    return value_of((yield from ask(Observe(company_ref(world, identifier)))))


def _company(world: World, identifier: str) -> Flow[Company]:
    company = yield from _observed(world, identifier)
    if company is None or company.id != identifier:
        raise DecisionError(f"the shop has no company {identifier!r} for customer {world.customer.id!r}")
    return company


def _adopted(world: World, decision: Decision) -> Iterator[Entry]:
    """Yield what the log learns: who was linked in another company is matched anew."""
    old = world.state.links.get(decision.record)
    if old is None or old.id != decision.id:
        yield from (Unlinked(record=record) for record in world.state.links)
    yield Linked(record=decision.record, id=decision.id)
