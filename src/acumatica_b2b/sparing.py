"""What a customer is settled for: digests of the ERP's values that decide, so that nothing is looked at in vain.

Its places, that is its locations, are settled by themselves: while none of them changed, nor what decides on them
besides, neither they nor the addresses of its company are looked at.
"""

from attrs import evolve

from acumatica_b2b.effects import ReadCustomer
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Flow, ask, value_of
from acumatica_b2b.locations import is_named
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import Desired, map_customer
from acumatica_b2b.model import Company, Customer, CustomerID, RecordKind, Undecoded
from acumatica_b2b.synclog import SettledAt, digest
from acumatica_b2b.terms import Terms
from acumatica_b2b.world import World


# ------------------------------------------------------------------ digests
def settled_at(world: World, *, done: bool) -> SettledAt:
    """Return what the log learns of a customer that was looked at; places that were left out stay as they were."""
    primary = world.desired.primary or ""
    if not done:
        return SettledAt(digest="", primary=primary)
    read, state = world.customer.locations_read, world.state
    return SettledAt(
        digest=_people(world),
        primary=primary,
        places=_places(world) if read else state.places,
        basis=_basis(world, named=all(map(is_named, world.customer.locations))) if read else state.basis,
    )


def settled_before(state: LogState) -> SettledAt:
    """Return what the log learned of it last."""
    return SettledAt(digest=state.digest, primary=state.primary, places=state.places, basis=state.basis)


def is_settled(world: World) -> bool:
    """Tell whether nothing that decides has changed since nothing was left to do."""
    state = world.state
    if state.open or not state.digest or state.digest != _people(world):
        return False
    return places_settled(world) if not world.customer.locations_read else state.places == _places(world)


def places_settled(world: World) -> bool:
    """Tell whether the places are as they were when nothing was left to do; of unread ones: whatever decides on them.

    Where there is no company yet it may be made, and its addresses with it.
    """
    state = world.state
    if state.open or not state.digest or (world.desired.takes_part and world.record not in state.links):
        return False
    return _has_basis(world) and (not world.customer.locations_read or state.places == _places(world))


def _people(world: World) -> str:
    """Return what stands for the values that decide on all but the places, our own write-backs included."""
    customer, policy = world.customer, world.policy
    references = (customer.reference, tuple((contact.id, contact.reference) for contact in customer.contacts))
    roles = (policy.primary_role, policy.user_role, sorted(policy.admin_roles), policy.reference_format)
    return digest((_without_places(world.desired), references, roles, customer.complete))


def _places(world: World) -> str:
    """Return what stands for the locations and what should become of them."""
    references = tuple((location.id, location.reference) for location in world.customer.locations)
    findings = tuple(finding for finding in world.desired.findings if finding.record.kind is RecordKind.LOCATION)
    return digest((world.desired.addresses, findings, references))


def _basis(world: World, *, named: bool) -> str:
    """Return what stands for all that decides on places besides the locations: see `locations`.

    Where all of them are named, nobody's address bears the primary contact's name.
    """
    customer, policy = world.customer, world.policy
    primary = None if named else next((c for c in customer.contacts if c.id == customer.primary_contact), None)
    left_out = tuple(f.detail for f in world.desired.findings if f.kind is FindingKind.CUSTOMER_FILTERED)[:1]
    return digest(
        (
            (customer.address, left_out, (primary.id, primary.first_name, primary.last_name) if primary else named),
            (policy.include_locations, policy.lengths, world.capabilities.addresses, policy.recreate_deleted),
            (policy.reference_format, policy.reference_length, RecordKind.LOCATION in policy.write_back),
        )
    )


def _has_basis(world: World) -> bool:
    """Tell whether what decides on places besides the locations is what it was."""
    return world.state.basis in {_basis(world, named=named) for named in (True, False)}


def fingerprint(read: Customer | Undecoded, terms: Terms) -> str:
    """Return what stands for a customer as it was read, and for all that decides what becomes of it; "": unknown."""
    bare = isinstance(read, Customer) and not read.locations_read
    if bare or not (read.as_read and terms.edition):
        return ""
    return digest(repr((terms.edition, read.as_read, read.references, read.complete)))


# ------------------------------------------------------------------ what is left out
def may_be_bare(customer: CustomerID, terms: Terms) -> bool:
    """Tell whether a customer that came without its locations may be synced so, if its places are settled."""
    # another mapping may make addresses of whatever it likes; who was left open may have changed before
    return terms.trust_digest and terms.mapping is map_customer and customer not in terms.left_open


def without_places(world: World) -> World:
    """Return the world in which nothing of its places is looked at."""
    customer = evolve(world.customer, locations=(), locations_read=False)
    return evolve(world, customer=customer, desired=_without_places(world.desired))


def _without_places(desired: Desired) -> Desired:
    findings = tuple(finding for finding in desired.findings if finding.record.kind is not RecordKind.LOCATION)
    return evolve(desired, addresses=(), findings=findings)


def is_linked(world: World, company: Company | str | None) -> bool:
    """Tell whether the company that was found is the one that the log knows, or neither has one."""
    link = world.state.links.get(world.record)
    found = company.id if isinstance(company, Company) else company
    return (link.id if link else None) == found


def whole(customer: Customer | Undecoded) -> Flow[Customer | Undecoded]:
    """Return the customer with its locations; what is not decoded yet has them.

    Raises:
        RejectedError: the ERP has it no more.
        RemoteError: it could not be read.

    """
    if isinstance(customer, Undecoded) or customer.locations_read:
        return customer
    read = value_of((yield from ask(ReadCustomer(customer.id))))
    if read is None:
        raise RejectedError(Reason.GONE, f"the ERP has no customer {str(customer.id)!r}")
    return read
