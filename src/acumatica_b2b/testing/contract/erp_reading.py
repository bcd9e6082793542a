"""What an ERP shows: what people entered, every customer once and whole, and its own word on what is gone."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from attrs import fields

from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import Contact, ContactID, Customer, CustomerID
from acumatica_b2b.protocols import Everything, PrimaryMarks
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.erp_bench import ErpBench, contact_view, view

R = TypeVar("R", Customer, Contact)

_LEAVERS: Final = "who is missing would be taken for a leaver and lose the user, or never get one"
_MIXED: Final = "the engine would take one record's answer for another's"


class Entered:
    """What people entered is read."""

    def test_what_people_entered_is_read(self, bench: ErpBench) -> None:
        """A customer is read whole: its name, every contact with name and e-mail, every location."""
        made = bench.customer(contacts=3, locations=2)
        why = Why(_LEAVERS, "customers: what is read along with a customer, and what makes it complete")
        bench.shows("customers([id])", lambda: view(bench.seen(made.id)), made.view, why)

    def test_what_people_change_is_read(self, bench: ErpBench) -> None:
        """A customer, a contact and a location that got another name are read with it."""
        made = bench.customer(locations=1)
        bench.seen(made.id)
        bench.contact_seen(made.contact)
        why = Why("the user would keep a name that is no longer the contact's", "customers, contacts: a cache")
        bench.tenant.rename_contact(made.contact, "Bea")
        contact = {**made.contacts[made.contact], "first_name": "Bea"}
        bench.shows("contacts([id])", lambda: contact_view(bench.contact_seen(made.contact)), contact, why)
        bench.tenant.rename_customer(made.id, f"{made.name} Ltd")
        bench.tenant.rename_location(made.id, made.location, "Yard")
        should = {"name": f"{made.name} Ltd", "locations": {made.location: "Yard"}}
        bench.shows("customers([id])", lambda: view(bench.seen(made.id)), should, why)

    def test_the_primary_contact_is_read(self, bench: ErpBench) -> None:
        """The contact that people make primary is read as such, and so is that nobody is."""
        made = bench.customer(contacts=2)
        why = Why("somebody else would be Primary Admin", "customers: Customer.primary_contact")
        for contact in (*made.contacts, None):
            bench.tenant.set_primary(made.id, contact)
            should = {"primary_contact": contact}
            bench.shows(
                "customers([id])", lambda: {"primary_contact": bench.seen(made.id).primary_contact}, should, why
            )


class Pages:
    """Every customer is read once, whole, in order."""

    def test_every_customer_is_read_once(self, bench: ErpBench) -> None:
        """Everything reads every customer once, however many pages it takes."""
        made = {bench.customer(contacts=0).id for _ in range(bench.traits.many)}
        found = bench.until(lambda: bench.read(Everything()), lambda reading: made <= reading.by_id.keys())
        if missing := sorted(made - found.by_id.keys()):
            why = Why("they would be taken for deleted, with all their users", "read: where each page begins")
            but = f"{len(missing)} are missing, such as {missing[0]!r}"
            did = f"read(Everything()) over {len(found.pages)} pages"
            raise broken(did=did, should=f"give all of {len(made)} new customers", but=but, why=why)

    def test_customers_ascend(self, bench: ErpBench) -> None:
        """Customers come in the order of their ids, over all pages."""
        for _ in range(3):
            bench.customer(contacts=0)
        ids = [customer.id for customer in bench.read(Everything()).items]
        keys = [bench.traits.order(key) for key in ids]
        behind = next((i for i in range(1, len(keys)) if keys[i - 1] >= keys[i]), None)
        if behind is not None:
            why = Why(
                "a page that does not ascend proves nothing, and may have left some out", "read: the order of its list"
            )
            but = f"{ids[behind]!r} comes behind {ids[behind - 1]!r}"
            raise broken(did="read(Everything())", should="ascend by CustomerID", but=but, why=why)

    def test_pages_hold_whole_customers(self, bench: ErpBench) -> None:
        """Each customer of a page comes with all its contacts and locations, the first and last of a page, too."""
        made = [bench.customer(contacts=2, locations=1) for _ in range(max(3, bench.traits.many // 2))]
        should = {one.id: one.view for one in made}
        why = Why(_LEAVERS, "read: contacts and locations of a page's customers; where do their lists end?")

        def look() -> Mapping[CustomerID, object]:
            found = bench.read(Everything()).by_id
            return {key: view(found[key]) for key in should if key in found}

        bench.shows("read(Everything())", look, should, why)

    def test_everything_agrees_with_asking_by_id(self, bench: ErpBench) -> None:
        """What a reading gives of a customer is what it gives when asked for that customer."""
        bench.customer(contacts=2, locations=1)
        items = bench.read(Everything()).items[-5:]
        asked = bench.customers(*(customer.id for customer in items))
        why = Why(
            "a customer synced alone would become something else than in a full run", "read and customers: one mapping"
        )
        for customer, outcome in zip(items, asked, strict=True):
            found = outcome.value if isinstance(outcome, Ok) else None
            if found != customer:
                unlike = _unlike(customer, found)
                did = f"customers([{customer.id!r}]), after read(Everything())"
                raise broken(did=did, should="answer the same", but=f"it differs in {unlike}", why=why)

    def test_a_cursor_may_be_used_again(self, bench: ErpBench) -> None:
        """A page that is asked for twice is the same page."""
        for _ in range(bench.traits.many):
            bench.customer(contacts=0)
        first = bench.erp.read(Everything(), None)
        again = [bench.erp.read(Everything(), first.next).items for _ in range(2)]
        if again[0] != again[1]:
            why = Why("a run that goes on after a fault would leave customers out", "read: what a cursor stands for")
            ids = [[customer.id for customer in items] for items in again]
            did = "read(Everything(), the same cursor), twice"
            raise broken(did=did, should="give the same page", but=f"it gave {ids[0]} and then {ids[1]}", why=why)


class Asked:
    """Who is asked for by id is answered in place."""

    def test_customers_are_answered_in_order(self, bench: ErpBench) -> None:
        """Of several customers each is answered in its place: one asked for twice, and one that is not there, too."""
        one, two = bench.customer().id, bench.customer().id
        ids = (two, bench.traits.unknown_customer, one, two)
        expected = [two, None, one, two]
        found = bench.until(lambda: _ids(bench.customers(*ids)), lambda found: found == expected)
        if found != expected:
            why = Why(_MIXED, "customers: answer by id, not by what a list happens to give; None where there is none")
            raise broken(did=f"customers({[*ids]})", should=f"answer {expected}", but=f"it answered {found}", why=why)

    def test_contacts_are_answered_in_order(self, bench: ErpBench) -> None:
        """Of several contacts each is answered in its place: one asked for twice, and one that is not there, too."""
        one, two = bench.customer().contact, bench.customer().contact
        ids = (two, bench.traits.unknown_contact, one, two)
        expected = [two, None, one, two]
        found = bench.until(lambda: _ids(bench.contacts(*ids)), lambda found: found == expected)
        if found != expected:
            why = Why(_MIXED, "contacts: answer by id, not by what a list happens to give; None where there is none")
            raise broken(did=f"contacts({[*ids]})", should=f"answer {expected}", but=f"it answered {found}", why=why)

    def test_odd_ids_are_answered(self, bench: ErpBench) -> None:
        """Ids that no ERP would make are answered one by one, and nothing is raised."""
        made = bench.customer()
        bench.seen(made.id)
        why = Why("one bad id in the log would end every run", "customers, contacts: ids with quotes, slashes, letters")
        first, *_ = bench.customers(made.id, CustomerID("it's / odd?"), CustomerID("%"))
        last = bench.contacts(ContactID("not a number"), ContactID("'"), made.contact)[-1]
        if _ids([first]) + _ids([last]) != [made.id, made.contact]:
            but = f"{first} and {last} were answered"
            raise broken(did="customers and contacts, odd ids among them", should="answer the rest", but=but, why=why)

    def test_a_contact_is_found_where_it_is_now(self, bench: ErpBench) -> None:
        """A contact that was moved is its new customer's, and then nobody's: in its own answer and in theirs."""
        old, new = bench.customer(contacts=2), bench.customer()
        contact = old.contact
        why = Why(
            "a mover would lose its user, or keep one in each company", "contacts and customers: whose a contact is"
        )
        for home in (new.id, None):
            bench.tenant.move_contact(contact, home)
            bench.shows(
                f"contacts([{contact!r}]), moved to {home!r}",
                lambda: {"customer": bench.contact_seen(contact).customer},
                {"customer": home},
                why,
            )

            def look() -> Mapping[CustomerID, object]:
                return {key: contact in {one.id for one in bench.seen(key).contacts} for key in (old.id, new.id)}

            did = f"customers([{old.id!r}, {new.id!r}]): have they contact {contact!r}?"
            bench.shows(did, look, {old.id: False, new.id: home == new.id}, why)

    def test_a_deleted_contact_is_none(self, bench: ErpBench) -> None:
        """A contact that was deleted is None, and its customer shows it no more."""
        made = bench.customer(contacts=2)
        bench.contact_seen(made.contact)
        bench.tenant.delete_contact(made.contact)
        why = Why(
            "only None proves that a contact is gone: its user would stay for ever", "contacts: the ERP's own word"
        )
        (outcome,) = bench.until(lambda: bench.contacts(made.contact), lambda found: found == [Ok(None)])
        listed = {one.id for one in bench.seen(made.id).contacts}
        if outcome != Ok(None) or made.contact in listed:
            but = f"contacts answered {outcome!r}, and its customer lists {sorted(listed)}"
            raise broken(did="a contact was deleted", should="be Ok(None) and not be listed", but=but, why=why)

    def test_a_deleted_customer_is_none(self, bench: ErpBench) -> None:
        """A customer that was deleted is None, and comes in no reading."""
        made = bench.customer(contacts=0)
        bench.seen(made.id)
        bench.tenant.delete_customer(made.id)
        why = Why(
            "its company would stay for ever, and nobody be told", "customers: the ERP's own word; read: no cache"
        )
        (outcome,) = bench.until(lambda: bench.customers(made.id), lambda found: found == [Ok(None)])
        if outcome != Ok(None) or made.id in bench.read(Everything()).by_id:
            but = f"customers answered {outcome!r}, or read(Everything()) gives it"
            raise broken(did="a customer was deleted", should="be Ok(None) and not be read", but=but, why=why)

    def test_note_ids_last(self, bench: ErpBench) -> None:
        """Every record has a NoteID of its own, in lower case, that stays when the record is changed."""
        made = bench.customer(contacts=2, locations=1)

        def notes() -> list[str]:
            seen = bench.seen(made.id)
            return [seen.note_id, *(c.note_id for c in seen.contacts), *(place.note_id for place in seen.locations)]

        before = notes()
        bench.tenant.rename_customer(made.id, f"{made.name} Ltd")
        after = notes()
        sound = len({*before}) == len(before) and all(note and note == note.lower() for note in before)
        if not sound or before != after:
            why = Why("who lost the log finds users by it: they would be made twice", "note_id of every record")
            but = f"they are {before}, and later {after}"
            raise broken(did="customers([id])", should="show lasting NoteIDs, each its own", but=but, why=why)


class Marks:
    """The primary marks tell everybody's primary contact."""

    def test_marks_tell_every_primary_contact(self, bench: ErpBench) -> None:
        """PrimaryMarks reads every customer once with its primary contact, and says that it is not all of it."""
        made = [bench.customer() for _ in range(3)]
        bench.tenant.set_primary(made[0].id, made[0].contact)
        bench.tenant.set_primary(made[1].id, made[1].contact)
        bench.tenant.set_primary(made[1].id, None)
        should = {made[0].id: made[0].contact, made[1].id: None, made[2].id: None}
        why = Why("a change of the primary contact that leaves no stamp would never be seen", "read(PrimaryMarks())")

        def look() -> Mapping[CustomerID, object]:
            found = bench.read(PrimaryMarks()).by_id
            return {key: found[key].primary_contact for key in should if key in found}

        bench.shows("read(PrimaryMarks())", look, should, why)
        marks = bench.read(PrimaryMarks()).items
        if any(customer.complete for customer in marks):
            why = Why(
                "the engine would take their contacts for deleted: none came along", "PrimaryMarks: complete=False"
            )
            raise broken(did="read(PrimaryMarks())", should="be incomplete", but="complete is True", why=why)
        everything = bench.read(Everything()).by_id.keys()
        if everything ^ {customer.id for customer in marks}:
            why = Why("a change of the primary contact would be missed in those", "read(PrimaryMarks()): all customers")
            but = f"{len(marks)} of {len(everything)} came, or others"
            raise broken(did="read(PrimaryMarks())", should="give every customer", but=but, why=why)


def _ids(outcomes: Sequence[Outcome[R | None]]) -> list[object]:
    return [outcome.value.id if isinstance(outcome, Ok) and outcome.value else _none(outcome) for outcome in outcomes]


def _none(outcome: Outcome[R | None]) -> object:
    return outcome.value if isinstance(outcome, Ok) else outcome


def _unlike(customer: Customer, found: Customer | None) -> str:
    if found is None:
        return "everything: it is not there"
    return ", ".join(f.name for f in fields(Customer) if getattr(customer, f.name) != getattr(found, f.name))
