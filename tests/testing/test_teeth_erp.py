"""The contract of ERPs has teeth: each of these broken ERPs is caught by the check that is named for it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import evolve, frozen

from acumatica_b2b.errors import NotSentError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID, NoteID, RecordKind, Reference
from acumatica_b2b.protocols import ChangedSince, Cursor, Everything, Page, PrimaryMarks, Query, Watermark
from acumatica_b2b.testing import MemoryErp
from acumatica_b2b.testing.contract import BrokenContractError, ErpContract
from acumatica_b2b.testing.contract.erp_bench import ErpBench
from tests.testing.test_contract_erp import People

CHECKS = [name for name in dir(ErpContract) if name.startswith("test_")]


# ------------------------------------------------------------------ broken readings
class Shown(MemoryErp):
    """Shows customers otherwise than they are, wherever they are read."""

    def shown(self, customer: Customer) -> Customer:
        """Return what is shown of a customer."""
        return customer

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        whole = isinstance(query, Everything | ChangedSince)
        return evolve(page, items=tuple(map(self.shown, page.items))) if whole else page

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        found = super().customers(ids)
        return [Ok(self.shown(o.value)) if isinstance(o, Ok) and o.value else o for o in found]


class LacksLocations(Shown):
    """Reads no locations, and says that it is complete."""

    def shown(self, customer: Customer) -> Customer:
        return evolve(customer, locations=())


class NoteIdsInCapitals(Shown):
    """Shows NoteIDs in capitals."""

    def shown(self, customer: Customer) -> Customer:
        return evolve(customer, note_id=NoteID(customer.note_id.upper()))


class NoteIdsByStamp(Shown):
    """Takes the time of the last change into the NoteID."""

    def shown(self, customer: Customer) -> Customer:
        return evolve(customer, note_id=NoteID(f"{customer.note_id}-{customer.modified}".lower()))


class FirstIsPrimary(Shown):
    """Takes the first contact for the primary one."""

    def shown(self, customer: Customer) -> Customer:
        return evolve(customer, primary_contact=customer.contacts[0].id if customer.contacts else None)


class Cached(MemoryErp):
    """Remembers customers and contacts for ever."""

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        return remembered(self, ids, super().customers(ids))

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        return remembered(self, ids, super().contacts(ids))


def remembered(erp: MemoryErp, ids: Sequence[str], found: Sequence[Outcome[Any]]) -> list[Any]:
    """Return what was answered first."""
    seen: dict[str, Any] = erp.__dict__.setdefault("seen", {})
    return [o if o == Ok(None) and i not in seen else seen.setdefault(i, o) for i, o in zip(ids, found, strict=True)]


class SkipsAtPageEnds(MemoryErp):
    """Begins each page one customer too late."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, items=page.items[1:]) if after else page


class RepeatsAtPageEnds(MemoryErp):
    """Begins each page with the last customer of the one before."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        last = self.snapshot().get(CustomerID((after or "").partition(" ")[2]))
        return evolve(page, items=(last, *page.items)) if last else page


class NeverEnds(MemoryErp):
    """Gives a cursor with the last page, too."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, next=page.next or Cursor("0 "))


class Descends(MemoryErp):
    """Lists the newest customers of a page first."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, items=page.items[::-1])


class CutsTheLast(MemoryErp):
    """Loses contacts of the last customer of a page, whose list ends elsewhere."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        cut = tuple(evolve(one, contacts=one.contacts[:1]) for one in page.items[-1:])
        return evolve(page, items=(*page.items[:-1], *cut))


class MapsTwice(MemoryErp):
    """Has another mapping for lists than for single customers."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, items=tuple(evolve(one, status="") for one in page.items))


class OneCursor(MemoryErp):
    """Keeps its place itself, whatever cursor it is given."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, self.__dict__.get("place") if after else None)
        self.__dict__["place"] = page.next
        return page


class SortsContacts(MemoryErp):
    """Answers contacts and customers in the order of their ids."""

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        return super().contacts(sorted(ids, key=int))

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        return super().customers(sorted(ids))


class LeavesOutUnknown(MemoryErp):
    """Answers only who is there."""

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        return [outcome for outcome in super().contacts(ids) if outcome != Ok(None)]


class FailsForUnknown(MemoryErp):
    """Takes who is not there for an error."""

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        return [Failed(NotSentError("404")) if o == Ok(None) else o for o in super().customers(ids)]


class NumbersOnly(MemoryErp):
    """Raises where the id of a contact is no number."""

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        return super().contacts([ContactID(str(int(key))) for key in ids])


class OldHome(MemoryErp):
    """Says of a contact whose it was when it was first asked for."""

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        homes: dict[str, Any] = self.__dict__.setdefault("homes", {})
        found = [o.value for o in super().contacts(ids) if isinstance(o, Ok)]
        return [Ok(one and evolve(one, customer=homes.setdefault(one.id, one.customer))) for one in found]


class GoneIsInactive(MemoryErp):
    """Shows what was deleted as inactive."""

    def contacts(self, ids: Sequence[ContactID], /) -> Any:
        known: dict[str, Any] = self.__dict__.setdefault("known", {})
        now = zip(ids, super().contacts(ids), strict=True)
        found = {key: outcome.value for key, outcome in now if isinstance(outcome, Ok)}
        known.update({key: evolve(one, active=False) for key, one in found.items() if one})
        return [Ok(found[key] or known.get(key)) for key in ids]


class KeepsDeletedCustomers(MemoryErp):
    """Goes on listing a customer that was deleted."""

    def remove_customer(self, customer_id: CustomerID) -> None:
        self.put(evolve(self.snapshot()[customer_id], status="Inactive"))


class MarksOfSome(MemoryErp):
    """Lists only customers that have a primary contact."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        if not isinstance(query, PrimaryMarks):
            return page
        return evolve(page, items=tuple(one for one in page.items if one.primary_contact))


class CompleteMarks(MemoryErp):
    """Says of marks that they are all there is."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, items=tuple(evolve(one, complete=True) for one in page.items))


# ------------------------------------------------------------------ broken changes
class Changing(MemoryErp):
    """Leaves customers out of a reading of changes."""

    def changed(self, customer: Customer, since: int) -> bool:
        """Return whether a customer is one that changed."""
        raise NotImplementedError

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        if not isinstance(query, ChangedSince):
            return page
        since = int(query.watermark)
        return evolve(page, items=tuple(one for one in page.items if self.changed(one, since)), strays=())


def tick(record: Any) -> int:
    """Return when a record changed."""
    return int(record.modified.timestamp()) - 1704067200 if record.modified else 0


class CustomersOnly(Changing):
    """Looks at the stamps of customers alone."""

    def changed(self, customer: Customer, since: int) -> bool:
        return tick(customer) > since


class ContactsOnly(Changing):
    """Looks at the stamps of contacts alone."""

    def changed(self, customer: Customer, since: int) -> bool:
        return any(tick(contact) > since for contact in customer.contacts)


class OldOnesOnly(Changing):
    """Misses customers that were made since."""

    def changed(self, customer: Customer, since: int) -> bool:
        del since
        known: set[CustomerID] = self.__dict__.setdefault("known", set())
        return customer.id in known

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        if isinstance(query, Everything):
            self.__dict__.setdefault("known", set()).update(one.id for one in page.items)
        return page


class ChangedPartsOnly(MemoryErp):
    """Brings of a customer only the contacts that changed."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        if not isinstance(query, ChangedSince):
            return page
        since = int(query.watermark)
        items = (evolve(c, contacts=tuple(one for one in c.contacts if tick(one) > since)) for c in page.items)
        return evolve(page, items=tuple(items))


class Bare(MemoryErp):
    """Leaves out locations as soon as nobody asks for them."""

    says = False

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        if not isinstance(query, ChangedSince) or query.locations:
            return page
        items = (evolve(c, locations=(), locations_read=self.says) for c in page.items)
        return evolve(page, items=tuple(items))


class BareAndSilent(Bare):
    """Leaves them out, and says that it has read them."""

    says = True


class NoStrays(MemoryErp):
    """Tells nobody of contacts that are no customer's any more."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        return evolve(super().read(query, after), strays=())


class MarkOfTheEnd(MemoryErp):
    """Takes the watermark with the last page."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page, now = super().read(query, after), super().read(PrimaryMarks(), None).watermark
        return evolve(page, watermark=None if page.next else now)


class MarkOfEachPage(MemoryErp):
    """Takes a watermark with each page."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        self.put()
        return evolve(super().read(query, after), watermark=super().read(PrimaryMarks(), None).watermark)


class LostMark(MemoryErp):
    """Gives no usable watermark with changes."""

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        page = super().read(query, after)
        return evolve(page, watermark=Watermark("99999999")) if isinstance(query, ChangedSince) else page


# ------------------------------------------------------------------ broken writing
class Writing(MemoryErp):
    """Writes references one by one, each in its own way."""

    def one(self, reference: Reference) -> Outcome[None]:
        """Return what came of one."""
        return super().write_references([reference])[0]

    def write_references(self, references: Sequence[Reference], /) -> Any:
        return [self.one(reference) for reference in references]


def ignoring(kind: RecordKind) -> Callable[[], MemoryErp]:
    """Return what makes an ERP that ignores references of a kind."""

    class Ignores(Writing):
        def one(self, reference: Reference) -> Outcome[None]:
            return Ok(None) if reference.record.kind is kind else super().one(reference)

    return lambda: Ignores(page_size=7)


class NeverClears(Writing):
    """Takes an empty reference for none given."""

    def one(self, reference: Reference) -> Outcome[None]:
        return super().one(reference) if reference.value else Ok(None)


class WritesToAll(Writing):
    """Writes the reference of a contact to every contact of its customer."""

    def one(self, reference: Reference) -> Outcome[None]:
        held = self.snapshot().get(reference.customer)
        if reference.record.kind is RecordKind.CONTACT and held:
            self.put(evolve(held, contacts=tuple(evolve(one, reference=reference.value) for one in held.contacts)))
        return super().one(reference)


class ByIdAlone(Writing):
    """Takes the id of a location for unique."""

    def one(self, reference: Reference) -> Outcome[None]:
        if reference.record.kind is not RecordKind.LOCATION:
            return super().one(reference)
        for customer in self.snapshot().values():
            places = (
                evolve(place, reference=reference.value) if place.id == reference.record.id else place
                for place in customer.locations
            )
            self.put(evolve(customer, locations=tuple(places)))
        return super().one(reference)


class BlanksOthers(Writing):
    """Sends the whole record, with what it happens to know of it."""

    def one(self, reference: Reference) -> Outcome[None]:
        held = self.snapshot().get(reference.customer)
        if reference.record.kind is RecordKind.CONTACT and held:
            self.put(evolve(held, contacts=tuple(evolve(one, email="") for one in held.contacts)))
        return super().one(reference)


class MakesRecords(Writing):
    """Makes the record where there is none."""

    def one(self, reference: Reference) -> Outcome[None]:
        known = self.snapshot()
        if reference.record.kind is RecordKind.CUSTOMER and reference.record.id not in known:
            self.put(Customer(id=reference.customer, note_id=reference.note_id, name="", reference=reference.value))
        if reference.record.kind is RecordKind.CONTACT and self.contacts([ContactID(reference.record.id)]) == [
            Ok(None)
        ]:
            key = ContactID(reference.record.id)
            self.put_contact(reference.customer, Contact(id=key, note_id=reference.note_id, customer=None))
        return super().one(reference)


class GoneIsFine(Writing):
    """Says that all is well where there is no such record."""

    def one(self, reference: Reference) -> Outcome[None]:
        super().one(reference)
        return Ok(None)


class StopsAtTheFirst(MemoryErp):
    """Writes nothing behind the first failure."""

    def write_references(self, references: Sequence[Reference], /) -> Any:
        outcomes: list[Any] = []
        for reference in references:
            stopped = any(isinstance(outcome, Failed) for outcome in outcomes)
            outcomes += [Failed(NotSentError("stopped"))] if stopped else super().write_references([reference])
        return outcomes


# ------------------------------------------------------------------ the table
@frozen
class Tooth:
    """A broken ERP, and the check that has to catch it."""

    name: str
    caught_by: str
    make: Callable[[], MemoryErp]


def row(kind: type[MemoryErp], caught_by: str) -> Tooth:
    """Return a row whose ERP is of a class of its own."""
    return Tooth(kind.__name__, f"test_{caught_by}", lambda: kind(page_size=7))


TEETH = [
    *(
        Tooth(f"ignores {kind.value}", f"test_a_written_reference_is_read_{kind.value}", ignoring(kind))
        for kind in RecordKind
    ),
    row(LacksLocations, "what_people_entered_is_read"),
    row(Cached, "what_people_change_is_read"),
    row(FirstIsPrimary, "the_primary_contact_is_read"),
    row(SkipsAtPageEnds, "every_customer_is_read_once"),
    row(RepeatsAtPageEnds, "every_customer_is_read_once"),
    row(NeverEnds, "every_customer_is_read_once"),
    row(Descends, "customers_ascend"),
    row(CutsTheLast, "pages_hold_whole_customers"),
    row(MapsTwice, "everything_agrees_with_asking_by_id"),
    row(OneCursor, "a_cursor_may_be_used_again"),
    row(SortsContacts, "customers_are_answered_in_order"),
    row(FailsForUnknown, "customers_are_answered_in_order"),
    row(SortsContacts, "contacts_are_answered_in_order"),
    row(LeavesOutUnknown, "contacts_are_answered_in_order"),
    row(NumbersOnly, "odd_ids_are_answered"),
    row(OldHome, "a_contact_is_found_where_it_is_now"),
    row(GoneIsInactive, "a_deleted_contact_is_none"),
    row(KeepsDeletedCustomers, "a_deleted_customer_is_none"),
    row(NoteIdsInCapitals, "note_ids_last"),
    row(NoteIdsByStamp, "note_ids_last"),
    row(MarksOfSome, "marks_tell_every_primary_contact"),
    row(CompleteMarks, "marks_tell_every_primary_contact"),
    row(ContactsOnly, "a_changed_customer_is_found"),
    row(CustomersOnly, "a_changed_contact_brings_its_customer"),
    row(ChangedPartsOnly, "a_changed_contact_brings_its_customer"),
    row(CustomersOnly, "a_changed_location_brings_its_customer"),
    row(Bare, "locations_are_left_out_only_where_none_changed"),
    row(BareAndSilent, "locations_are_left_out_only_where_none_changed"),
    row(CustomersOnly, "a_new_contact_brings_its_customer"),
    row(OldOnesOnly, "a_new_customer_is_found"),
    row(CustomersOnly, "a_moved_contact_brings_its_new_customer"),
    row(NoStrays, "a_contact_of_no_customer_is_a_stray"),
    row(MarkOfTheEnd, "the_watermark_is_of_the_beginning"),
    row(MarkOfEachPage, "the_watermark_is_the_same_on_each_page"),
    row(LostMark, "changes_can_be_read_on"),
    row(NeverClears, "a_reference_can_be_changed_and_cleared"),
    row(WritesToAll, "a_reference_goes_to_its_record_alone"),
    row(ByIdAlone, "a_reference_goes_to_its_record_alone"),
    row(BlanksOthers, "a_write_changes_no_other_field"),
    row(MakesRecords, "a_write_makes_no_record"),
    row(GoneIsFine, "a_write_makes_no_record"),
    row(StopsAtTheFirst, "references_are_answered_in_order"),
]


# ------------------------------------------------------------------ the tests
def failing(make: Callable[[], MemoryErp]) -> dict[str, BrokenContractError]:
    """Return the checks that an ERP fails."""
    contract, found = ErpContract(), dict[str, BrokenContractError]()
    for name in CHECKS:
        erp = make()
        try:
            getattr(contract, name)(ErpBench(erp, People(erp)))
        except BrokenContractError as error:
            found[name] = error
    return found


@pytest.mark.parametrize("bad", TEETH, ids=lambda bad: f"{bad.name}, {bad.caught_by}")
def test_a_broken_erp_is_caught(bad: Tooth) -> None:
    """Each broken ERP is caught by the check that is named for it, and none makes a check itself fall over."""
    assert bad.caught_by in failing(bad.make)


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_a_sound_erp_is_not(page_size: int) -> None:
    """A sound ERP fails no check, whatever its pages."""
    assert failing(lambda: MemoryErp(page_size=page_size)) == {}


def test_every_check_catches_something() -> None:
    """No check of the contract is without a broken ERP that it is there for."""
    assert {bad.caught_by for bad in TEETH} == set(CHECKS)
