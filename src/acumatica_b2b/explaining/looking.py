"""The flow behind `explain`: it looks as a run would look, at one contact, and writes nothing."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from attrs import evolve

from acumatica_b2b.effects import Load, Now, ReadContact, ReadCustomer
from acumatica_b2b.errors import AuthenticationError, DecodeError, Reason, RejectedError, RemoteError
from acumatica_b2b.explaining.dossier import Dossier, Side
from acumatica_b2b.explaining.explanation import Explanation
from acumatica_b2b.explaining.telling import told
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.flow import Batch, Effect, Failed, Flow, Ok, Outcome, ask, through, together
from acumatica_b2b.folding import fold
from acumatica_b2b.keys import contact_key
from acumatica_b2b.logstate import own_contacts
from acumatica_b2b.model import ContactID, Customer, CustomerID, NoteID
from acumatica_b2b.observing import company_of, loaded, observed
from acumatica_b2b.plan import CompanyPlan, plan_company
from acumatica_b2b.runs import run_state
from acumatica_b2b.saving import log_of
from acumatica_b2b.shared import claims_settled
from acumatica_b2b.synclog import Linked, Unlinked, read_body
from acumatica_b2b.terms import Terms
from acumatica_b2b.world import World

T = TypeVar("T")


def explain(contact: ContactID, terms: Terms) -> Flow[Explanation]:
    """Return what is so about one contact and why; nothing is written anywhere.

    Raises:
        AuthenticationError: a credential is wrong.
        StoreError: the sync log can't be read.

    """
    read = yield from _answered(ReadContact(contact))
    named = read.value.customer if isinstance(read, Ok) and read.value else None
    known = yield from _known(contact, terms)
    sides: tuple[Side, ...] = ()
    for customer in sorted({customer for customer in (named, known) if customer}):  # as a run claims addresses
        side = yield from _logged(Side(customer=customer, contact=contact), terms)
        sides = (*sides, (yield from _found(side)))
    sides = _that_matter((yield from _looked(sides, terms)), named)
    tally = (yield from run_state(terms)).tally
    now = yield from ask(Now())
    return told(Dossier(contact=contact, read=read, sides=sides, tally=tally, now=now, terms=terms))


def _answered(effect: Effect[Outcome[T]]) -> Flow[Outcome[T]]:
    """Return the answer, also where the system could not even be asked."""
    try:
        return (yield from ask(effect))
    except AuthenticationError:
        raise
    except RemoteError as error:
        return Failed(error)


def _known(contact: ContactID, terms: Terms) -> Flow[CustomerID | None]:
    """Return whose company has, or last had, a user of this contact, as far as the log knows."""
    commits = yield from ask(Load(contact_key(terms.policy, contact)))
    match read_body(commits[-1].body).entries if commits else ():
        case (Linked(record=record) | Unlinked(record=record), *_):
            return CustomerID(record.id)
        case _:
            return None


def _that_matter(sides: Iterable[Side], named: CustomerID | None) -> tuple[Side, ...]:
    """Return the customer that the ERP names, and another one only if there is something to tell of it."""
    telling = (side for side in sides if side.customer == named or side.mine or side.rows or side.error)
    return tuple(sorted(telling, key=lambda side: side.customer != named))


# ------------------------------------------------------------------ one customer
def _logged(side: Side, terms: Terms) -> Flow[Side]:
    """Return what the log says of the contact, and who is at work on its customer."""
    log = yield from log_of(side.customer, terms.policy)
    now = yield from ask(Now())
    try:
        before, every = fold(log.bodies()), log.told()
    except DecodeError as error:
        return evolve(side, error=error)
    rows = tuple(row for row in every if row.record == side.record)
    mine = side.contact in own_contacts(before)
    busy = before.busy_until(now)
    return evolve(side, logged=log.version > 0, before=before, rows=rows, mine=mine, busy_until=busy)


def _found(side: Side) -> Flow[Side]:
    """Return the customer as the ERP has it."""
    found = yield from _answered(ReadCustomer(side.customer))
    match found:
        case Failed(error):
            return evolve(side, error=side.error or error)
        case Ok(None) if side.logged:
            return evolve(side, found=Customer(id=side.customer, note_id=NoteID(""), name="", deleted=True))
        case Ok(None):
            gone = RejectedError(Reason.GONE, f"the ERP has no customer {str(side.customer)!r}")
            return evolve(side, error=gone)
        case Ok(customer):
            return evolve(side, found=customer)


def _looked(sides: tuple[Side, ...], terms: Terms) -> Flow[tuple[Side, ...]]:
    """Return how things stand in the shop, and what the next run would make of them."""
    try:
        return (yield from through(together(_planned(side, terms) for side in sides), claims_settled))
    except AuthenticationError:
        raise
    except RemoteError as error:  # the shop could not even be asked
        return tuple(evolve(side, error=side.error or error) for side in sides)


def _planned(side: Side, terms: Terms) -> Flow[Side]:
    if side.found is None or side.error:
        return side
    try:
        world = yield from through(loaded(side.found, terms), _past_all_leases)
        world = evolve(world, planning=True)
        world = yield from observed(world, terms.owners, (yield from company_of(world)))
    except AuthenticationError:
        raise
    except (RemoteError, DecodeError) as error:
        return evolve(side, error=error)
    plan = _passed_over(world) if side.is_skipped else plan_company(world)
    return evolve(side, world=world, plan=plan)


def _passed_over(world: World) -> CompanyPlan:
    """Return the plan for a customer that people want left as it is."""
    skipped = Finding(kind=FindingKind.SKIPPED, record=world.record)
    return CompanyPlan(customer=world.customer.id, steps=(), findings=(skipped,))


def _past_all_leases(batch: Batch) -> Flow[Sequence[Any]]:
    """Answer what time it is so that no lease is running: who writes nothing disturbs nobody."""
    if all(isinstance(effect, Now) for effect in batch):
        return [datetime.max.replace(tzinfo=UTC) for _ in batch]
    return (yield batch)
