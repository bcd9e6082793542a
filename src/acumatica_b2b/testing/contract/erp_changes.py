"""What changed since a reading is found by the next."""

from collections.abc import Callable, Mapping
from typing import Final

from acumatica_b2b.model import CustomerID
from acumatica_b2b.protocols import ChangedSince, Everything, Watermark
from acumatica_b2b.testing.contract.broken import Why, broken, differences
from acumatica_b2b.testing.contract.erp_bench import Entered, ErpBench, Reading, view

_MISSED: Final = "the change would reach the shop with the next full run only, days later"
_LOOK: Final = "read(ChangedSince): the stamps of customers, contacts and locations, each with its own watermark"


class Changes:
    """Whatever changed is read, and nothing twice needed."""

    def test_a_changed_customer_is_found(self, bench: ErpBench) -> None:
        """A customer that changed after a reading began comes, whole, with the changes since."""
        made = bench.customer(contacts=2, locations=1)
        should = {**made.view, "name": f"{made.name} Ltd"}
        _require_found(bench, made, should, lambda: bench.tenant.rename_customer(made.id, f"{made.name} Ltd"))

    def test_a_changed_contact_brings_its_customer(self, bench: ErpBench) -> None:
        """A contact that changed brings its customer whole, the contacts that did not change included."""
        made = bench.customer(contacts=2, locations=1)
        changed = made.with_contact(made.contact, {**made.contacts[made.contact], "first_name": "Bea"})
        _require_found(bench, made, changed, lambda: bench.tenant.rename_contact(made.contact, "Bea"))

    def test_a_changed_location_brings_its_customer(self, bench: ErpBench) -> None:
        """A location that changed brings its customer whole."""
        made = bench.customer(contacts=1, locations=2)
        should = {**made.view, "locations": {**made.locations, made.location: "Yard"}}
        _require_found(bench, made, should, lambda: bench.tenant.rename_location(made.id, made.location, "Yard"))

    def test_locations_are_left_out_only_where_none_changed(self, bench: ErpBench) -> None:
        """Who asks without locations gets them where one or the customer changed; else they come, or it says so."""
        made = bench.customer(contacts=1, locations=2)
        before = bench.read(Everything()).watermark
        bench.tenant.rename_contact(made.contact, "Bea")
        should = made.with_contact(made.contact, {**made.contacts[made.contact], "first_name": "Bea"})
        why = Why("its addresses would be taken for what nobody wants, and removed", "read: Customer.locations_read")

        def look() -> Mapping[str, object]:
            reading = _changes(bench, before, made.id, locations=False)
            found = reading.by_id.get(made.id)
            bare = found is not None and not (found.locations_read or found.locations)
            return {**_view(reading, made.id), **({"locations": dict(made.locations)} if bare else {})}

        bench.shows("read(ChangedSince, locations=False) after a change of a contact", look, should, why)
        places = {**made.locations, made.location: "Yard"}
        why = Why("the changed location would never reach the shop", "read: whose locations are left out")
        bench.tenant.rename_location(made.id, made.location, "Yard")
        _require_read(bench, before, made.id, {**should, "locations": places}, why)
        other, before = bench.customer(locations=1), bench.read(Everything()).watermark
        bench.tenant.rename_customer(other.id, f"{other.name} Ltd")
        _require_read(bench, before, other.id, {**other.view, "name": f"{other.name} Ltd"}, why)

    def test_a_new_contact_brings_its_customer(self, bench: ErpBench) -> None:
        """A contact that was added brings its customer whole."""
        made, before = bench.customer(), bench.read(Everything()).watermark
        should = made.with_contact(*bench.contact(made.id))
        reading = _changes(bench, before, made.id)
        bench.shows("read(ChangedSince)", lambda: _view(reading, made.id), should, Why(_MISSED, _LOOK))

    def test_a_new_customer_is_found(self, bench: ErpBench) -> None:
        """A customer that was added after a reading began comes with the changes since."""
        before = bench.read(Everything()).watermark
        made = bench.customer()
        reading = _changes(bench, before, made.id)
        why = Why(_MISSED, _LOOK)
        bench.shows("read(ChangedSince)", lambda: _view(reading, made.id), made.view, why)

    def test_a_moved_contact_brings_its_new_customer(self, bench: ErpBench) -> None:
        """A contact that was moved brings the customer that it is of now."""
        old, new = bench.customer(contacts=2), bench.customer()
        reading = _after(bench, lambda: bench.tenant.move_contact(old.contact, new.id), new.id)
        found = reading.by_id.get(new.id)
        if found is None or old.contact not in {contact.id for contact in found.contacts}:
            but = "the customer did not come" if found is None else "it came without the contact"
            did = f"read(ChangedSince) after contact {old.contact!r} was moved to {new.id!r}"
            raise broken(did=did, should="bring the new customer with it", but=but, why=Why(_MISSED, _LOOK))

    def test_a_contact_of_no_customer_is_a_stray(self, bench: ErpBench) -> None:
        """A contact that was detached from its customer comes as a stray, or its former customer does."""
        made = bench.customer(contacts=2)
        before = bench.read(Everything()).watermark
        bench.tenant.move_contact(made.contact, None)

        def told(reading: Reading) -> bool:
            strays = {contact for page in reading.pages for contact in page.strays}
            return made.contact in strays or made.id in reading.by_id

        if not told(bench.until(lambda: bench.read(ChangedSince(watermark=before)), told)):
            but = "neither the contact nor its former customer came"
            why = Why("who left would keep its user until the next full run", "read(ChangedSince): Page.strays")
            did = f"read(ChangedSince) after contact {made.contact!r} was detached"
            raise broken(did=did, should="tell of it", but=but, why=why)

    # ---- watermarks
    def test_the_watermark_is_of_the_beginning(self, bench: ErpBench) -> None:
        """What changes while everything is read comes with the changes since: the watermark was taken before."""
        for _ in range(bench.traits.many):
            bench.customer(contacts=0)
        first = bench.erp.read(Everything(), None)
        changed = first.items[0].id
        bench.tenant.rename_customer(changed, f"{first.items[0].name} Ltd")
        reading = _changes(bench, bench.rest(Everything(), first).watermark, changed)
        if changed not in reading.by_id:
            why = Why(
                "what changes during a reading would never be read", "read: take the watermark with the first page"
            )
            did = f"read(ChangedSince) after {changed!r} changed behind the first page of Everything"
            raise broken(did=did, should="bring it", but="it did not come", why=why)

    def test_the_watermark_is_the_same_on_each_page(self, bench: ErpBench) -> None:
        """Every page of a reading has the watermark of its beginning: of everything, and of changes."""
        for _ in range(bench.traits.many):
            bench.customer(contacts=0)
        everything = bench.read(Everything())
        changed = bench.read(ChangedSince(watermark=everything.watermark))
        for name, reading in (("Everything", everything), ("ChangedSince", changed)):
            marks = [page.watermark for page in reading.pages]
            if len({*marks}) != 1 or not marks[0]:
                why = Why("a run that ends early would go on from a place that it has not read", "read: Page.watermark")
                did = f"read({name}) over {len(marks)} pages"
                raise broken(did=did, should="have one watermark", but=f"it has {marks}", why=why)

    def test_changes_can_be_read_on(self, bench: ErpBench) -> None:
        """The watermark of a reading of changes leads on to the next, any number of times."""
        made, mark = bench.customer(), bench.read(Everything()).watermark
        for name in ("One", "Two", "Three"):
            bench.tenant.rename_customer(made.id, f"{made.name} {name}")
            reading = _changes(bench, mark, made.id)
            should = {"name": f"{made.name} {name}"}
            _require(_view(reading, made.id), should)
            mark = reading.watermark


def _require(seen: Mapping[str, object], should: Mapping[str, object]) -> None:
    wanted, but = differences(should, seen)
    if wanted:
        did, why = "read(ChangedSince the last reading of changes)", Why(_MISSED, _LOOK)
        raise broken(did=did, should=f"show {wanted}", but=f"it shows {but}", why=why)


def _after(bench: ErpBench, edit: Callable[[], object], customer: CustomerID) -> Reading:
    """Return the changes since before an edit, as soon as the customer is among them."""
    before = bench.read(Everything()).watermark
    edit()
    return _changes(bench, before, customer)


def _changes(bench: ErpBench, since: Watermark, customer: CustomerID, *, locations: bool = True) -> Reading:
    asked = ChangedSince(watermark=since, locations=locations)
    return bench.until(lambda: bench.read(asked), lambda found: customer in found.by_id)


def _require_read(
    bench: ErpBench, since: Watermark, customer: CustomerID, should: Mapping[str, object], why: Why
) -> None:
    """Raise unless the customer comes with its locations, though they are not asked for."""

    def look() -> Mapping[str, object]:
        reading = _changes(bench, since, customer, locations=False)
        found = reading.by_id.get(customer)
        return _view(reading, customer) if found and found.locations_read else {}

    bench.shows("read(ChangedSince, locations=False) after a change of more than contacts", look, should, why)


def _require_found(bench: ErpBench, made: Entered, should: dict[str, object], edit: Callable[[], object]) -> None:
    reading = _after(bench, edit, made.id)
    did = f"read(ChangedSince) after a change of customer {made.id!r} or of what belongs to it"
    bench.shows(did, lambda: _view(reading, made.id), should, Why(_MISSED, _LOOK))


def _view(reading: Reading, customer: CustomerID) -> dict[str, object]:
    found = reading.by_id.get(customer)
    return {} if found is None else view(found)
