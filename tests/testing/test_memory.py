"""The ERP and the storefront in memory, and faults on cue."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.errors import (
    ConfigurationError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    StoreError,
)
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.model import (
    AddressID,
    CompanyID,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    HandOver,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Record,
    RecordKind,
    Reference,
    StorefrontID,
    UserID,
)
from acumatica_b2b.protocols import (
    AsyncErp,
    AsyncStorefront,
    ChangedSince,
    Commit,
    Cursor,
    Erp,
    Everything,
    KnowsRoles,
    LogKey,
    Page,
    PrimaryMarks,
    Query,
    Storefront,
    SyncLogStore,
    Watermark,
)
from acumatica_b2b.testing import (
    AsyncErpOf,
    AsyncShopOf,
    Crash,
    Fault,
    Faults,
    FaultyErp,
    FaultyShop,
    FaultyStore,
    MemoryErp,
    MemoryShop,
    at,
    whenever,
)

BERLIN = PostalAddress(line1="1 Main Street", city="Berlin", country="DE")


def the_company(key: str) -> CompanyID:
    return CompanyID(StorefrontID(key))


def the_user(key: str) -> UserID:
    return UserID(StorefrontID(key))


def the_address(key: str) -> AddressID:
    return AddressID(StorefrontID(key))


def contact(key: str) -> Contact:
    return Contact(id=ContactID(key), note_id=NoteID(f"note-{key}"), customer=None, email=f"c{key}@a.example")


def customer(key: str, *contact_ids: str, locations: tuple[Location, ...] = ()) -> Customer:
    contacts = tuple(contact(one) for one in contact_ids)
    return Customer(id=CustomerID(key), note_id=NoteID(f"note-{key}"), name=key, contacts=contacts, locations=locations)


def erp_of(*customers: Customer, page_size: int = 100, stamps_primary: bool = True) -> MemoryErp:
    erp = MemoryErp(page_size=page_size, stamps_primary=stamps_primary)
    erp.put(*customers)
    return erp


def everything(erp: Erp, query: Query) -> list[Customer]:
    found: list[Customer] = []
    after: Cursor | None = None
    while True:
        page = erp.read(query, after)
        found += page.items
        if page.next is None:
            return found
        after = page.next


def mark(erp: Erp) -> ChangedSince:
    watermark = erp.read(Everything(), None).watermark
    assert watermark is not None
    return ChangedSince(watermark=watermark)


def changed(erp: Erp, since: ChangedSince) -> list[str]:
    return [one.id for one in everything(erp, since)]


def bare(erp: Erp, since: ChangedSince) -> dict[str, bool]:
    found = everything(erp, evolve(since, locations=False))
    assert all(one.locations_read or not one.locations for one in found)
    return {one.id: not one.locations_read for one in found}


def reference(kind: RecordKind, key: str, value: str, *, note: str = "", of: str = "C1") -> Reference:
    return Reference(
        record=Record(kind, key), note_id=NoteID(note or f"note-{key}"), customer=CustomerID(of), value=value
    )


def reason(outcome: object) -> Reason:
    assert isinstance(outcome, Failed), outcome
    assert isinstance(outcome.error, RejectedError), outcome
    return outcome.error.reason


# ------------------------------------------------------------------ the ERP
def test_protocols() -> None:
    """Both systems and their wrappers keep to the protocols."""
    erps: list[Erp] = [MemoryErp(), FaultyErp(MemoryErp(), ())]
    shops: list[Storefront] = [MemoryShop(), FaultyShop(MemoryShop(), ())]
    later: tuple[AsyncErp, AsyncStorefront] = AsyncErpOf(erps[1]), AsyncShopOf(shops[1])
    assert all(isinstance(shop, KnowsRoles) for shop in shops)
    assert later[1].capabilities == shops[0].capabilities


def test_pages() -> None:
    """Pages come in the order of ids, each with the watermark at which the reading began."""
    erp = erp_of(customer("C2"), customer("C1"), customer("C3"), page_size=2)
    first = erp.read(Everything(), None)
    erp.put(customer("C4"))
    second = erp.read(Everything(), first.next)
    assert [[one.id for one in page.items] for page in (first, second)] == [["C1", "C2"], ["C3", "C4"]]
    assert second.watermark == first.watermark
    assert second.next is None
    assert erp.requests == 2


def test_locations_that_nobody_asks_for() -> None:
    """Who asks for changes without locations gets those customers without, of whom nothing but contacts changed."""
    place = Location(id=LocationID("MAIN"), note_id=NoteID("note-MAIN"))
    erp = erp_of(*(evolve(customer(f"C{n}"), locations=(place,)) for n in (1, 2, 3)))
    since = mark(erp)
    for key in ("C1", "C2", "C3"):
        erp.put_contact(CustomerID(key), contact(f"9{key[1]}"))
    assert bare(erp, since) == {"C1": True, "C2": True, "C3": True}
    erp.put(evolve(erp.snapshot()[CustomerID("C2")], name="Bolt"))
    erp.put(evolve(erp.snapshot()[CustomerID("C3")], locations=(evolve(place, name="Yard"),)))
    assert bare(erp, since) == {"C1": True, "C2": False, "C3": False}
    assert all(one.locations for one in everything(erp, since))


def test_last_page_is_full() -> None:
    """A last page that is just full has no next one."""
    assert erp_of(customer("C1"), customer("C2"), page_size=2).read(Everything(), None).next is None


def test_marks() -> None:
    """A sweep of primary marks tells id and primary contact and nothing else, and is not complete."""
    erp = erp_of(evolve(customer("C1", "1"), primary_contact=ContactID("1")))
    (found,) = everything(erp, PrimaryMarks())
    assert (found.id, found.primary_contact, found.complete) == ("C1", "1", False)
    assert (found.name, found.note_id, found.contacts) == ("", "", ())


EDITS: dict[str, tuple[Callable[[MemoryErp], object], list[str]]] = {
    "nothing": (lambda erp: erp.put(*erp.snapshot().values()), []),
    "customer": (lambda erp: erp.put(evolve(erp.snapshot()[CustomerID("C1")], name="New")), ["C1"]),
    "contact": (lambda erp: erp.put_contact(CustomerID("C2"), evolve(contact("2"), active=False)), ["C2"]),
    "new contact": (lambda erp: erp.put_contact(CustomerID("C2"), contact("7")), ["C2"]),
    "deleted contact": (lambda erp: erp.remove_contact(ContactID("1")), []),
    "moved contact": (lambda erp: erp.move_contact(ContactID("1"), CustomerID("C2")), ["C2"]),
    "detached contact": (lambda erp: erp.move_contact(ContactID("1"), None), []),
    "primary": (lambda erp: erp.set_primary(CustomerID("C1"), ContactID("1")), ["C1"]),
    "reference": (lambda erp: erp.write_references([reference(RecordKind.CONTACT, "1", "9")]), ["C1"]),
}


@pytest.mark.parametrize("name", EDITS)
def test_changes(name: str) -> None:
    """A delta holds the customers of changed records, and not those that only lost one."""
    edit, wanted = EDITS[name]
    erp = erp_of(customer("C1", "1"), customer("C2", "2"), page_size=1)
    since = mark(erp)
    edit(erp)
    assert changed(erp, since) == wanted
    assert changed(erp, mark(erp)) == []


def test_unstamped_primary() -> None:
    """A primary mark may change without a stamp; the sweep tells it all the same."""
    erp = erp_of(customer("C1", "1"), stamps_primary=False)
    since = mark(erp)
    erp.set_primary(CustomerID("C1"), ContactID("1"))
    assert changed(erp, since) == []
    assert everything(erp, PrimaryMarks())[0].primary_contact == "1"


def test_stamps_per_record() -> None:
    """Only the changed record gets a new stamp."""
    erp = erp_of(customer("C1", "1", "2"))
    before = erp.snapshot()[CustomerID("C1")]
    erp.put_contact(before.id, evolve(before.contacts[0], job_title="Buyer"))
    after = erp.snapshot()[CustomerID("C1")]
    assert (after.modified, after.contacts[1]) == (before.modified, before.contacts[1])
    assert after.contacts[0].modified != before.contacts[0].modified


def test_moving() -> None:
    """A moved contact is its new customer's, a detached one nobody's, a deleted one gone."""
    erp = erp_of(customer("C1", "1", "2"), customer("C2"))
    erp.move_contact(ContactID("1"), CustomerID("C2"))
    erp.move_contact(ContactID("2"), None)
    moved, detached, missing = erp.contacts([ContactID("1"), ContactID("2"), ContactID("3")])
    assert isinstance(moved, Ok)
    assert moved.value == erp.snapshot()[CustomerID("C2")].contacts[0]
    assert moved.value.customer == "C2"
    assert isinstance(detached, Ok)
    assert detached.value is not None
    assert detached.value.customer is None
    assert missing == Ok(None)
    assert erp.snapshot()[CustomerID("C1")].contacts == ()
    erp.move_contact(ContactID("2"), CustomerID("C1"))
    erp.remove_contact(ContactID("2"))
    assert erp.contacts([ContactID("2")]) == [Ok(None)]


def test_next_contact_id() -> None:
    """An id is never given twice, whatever was deleted since."""
    erp = erp_of(customer("C1", "5", "3"))
    erp.remove_contact(ContactID("5"))
    assert erp.next_contact_id() == "6"


def test_moving_to_nowhere() -> None:
    """A contact is not lost when its new customer does not exist."""
    erp = erp_of(customer("C1", "1"))
    with pytest.raises(KeyError):
        erp.move_contact(ContactID("1"), CustomerID("C9"))
    assert len(erp.snapshot()[CustomerID("C1")].contacts) == 1


def test_one_customer_per_contact() -> None:
    """A contact of two customers is refused."""
    erp = erp_of(customer("C1", "1"))
    with pytest.raises(ValueError, match="contact '1' is not of customer 'C2'; move it with move_contact"):
        erp.put(customer("C2", "1"))


def test_deleted_customer() -> None:
    """A deleted customer is None, and its contacts are attached to none."""
    erp = erp_of(customer("C1", "1"))
    erp.remove_customer(CustomerID("C1"))
    assert erp.customers([CustomerID("C1")]) == [Ok(None)]
    (found,) = erp.contacts([ContactID("1")])
    assert isinstance(found, Ok)
    assert found.value is not None


def test_references() -> None:
    """Every kind of record takes a reference, and nothing else of it changes."""
    place = Location(id=LocationID("MAIN"), note_id=NoteID("note-MAIN"))
    erp = erp_of(customer("C1", "1", "2", locations=(place,)))
    erp.move_contact(ContactID("2"), None)
    seen: list[int] = []
    erp.on_write = lambda: seen.append(erp.writes)
    wanted = [
        reference(RecordKind.CUSTOMER, "C1", "10"),
        reference(RecordKind.CONTACT, "1", "11"),
        reference(RecordKind.LOCATION, "MAIN", "12"),
        reference(RecordKind.CONTACT, "2", "13"),
    ]
    assert erp.write_references(wanted) == [Ok(None)] * 4
    found = erp.snapshot()[CustomerID("C1")]
    assert [found.reference, found.contacts[0].reference, found.locations[0].reference] == ["10", "11", "12"]
    (detached,) = erp.contacts([ContactID("2")])
    assert isinstance(detached, Ok)
    assert detached.value is not None
    assert detached.value.reference == "13"
    assert evolve(found.contacts[0], reference="", modified=None, customer=None) == contact("1")
    assert (erp.requests, erp.writes, seen) == (2, 4, [1, 2, 3, 4])


@pytest.mark.parametrize(
    "wrong",
    [
        reference(RecordKind.CONTACT, "9", "1"),
        reference(RecordKind.CONTACT, "1", "1", note="note-other"),
        reference(RecordKind.CUSTOMER, "C9", "1", of="C9"),
        reference(RecordKind.LOCATION, "MAIN", "1"),
    ],
)
def test_reference_makes_no_record(wrong: Reference) -> None:
    """A reference to a record that is not there is refused and makes none."""
    erp = erp_of(customer("C1", "1"))
    before = erp.snapshot()
    assert reason(erp.write_references([wrong])[0]) is Reason.GONE
    assert (erp.snapshot(), erp.writes) == (before, 0)


def test_long_reference() -> None:
    """A reference that is too long is refused, or cut where the ERP was set to cut."""
    erp = erp_of(customer("C1", "1"))
    erp.reference_length = 3
    wanted = [reference(RecordKind.CONTACT, "1", "12345")]
    assert reason(erp.write_references(wanted)[0]) is Reason.INVALID
    erp.cuts = True
    assert erp.write_references(wanted) == [Ok(None)]
    assert erp.snapshot()[CustomerID("C1")].contacts[0].reference == "123"


# ------------------------------------------------------------------ the storefront
def person(key: str, email: str = "") -> DesiredUser:
    return DesiredUser(
        contact=ContactID(key),
        external_id=NoteID(f"note-{key}"),
        email=email or f"c{key}@a.example",
        first_name="Ann",
        last_name="Ames",
        phone="1",
        extra_fields=(("Title", "Buyer"),),
    )


def company(key: str = "C1", *, country: str = "DE", phone: str = "555-0100") -> DesiredCompany:
    return DesiredCompany(
        customer=CustomerID(key),
        external_id=NoteID(f"note-{key}"),
        name=key,
        email=f"{key.lower()}@a.example",
        phone=phone,
        address=PostalAddress(country=country),
    )


def creation(key: str = "C1", admin: DesiredUser | None = None, role: str = "Admin") -> CreateCompany:
    return CreateCompany(company=company(key), admin=admin, role=role)


def adding(user: DesiredUser, role: str = "Senior Buyer", of: str = "1") -> CreateUser:
    return CreateUser(company=the_company(of), user=user, role=role)


def update(user: str, *changes: tuple[str, str]) -> UpdateUser:
    return UpdateUser(company=the_company("1"), user=the_user(user), contact=ContactID(""), changes=changes)


def role(user: str, name: str) -> SetRole:
    return SetRole(company=the_company("1"), user=the_user(user), contact=None, role=name)


def move(user: str, name: str = "Admin") -> MoveAdmin:
    return MoveAdmin(company=the_company("1"), user=the_user(user), contact=ContactID(""), role=name)


def removal(user: str, of: str = "1") -> RemoveUser:
    return RemoveUser(company=the_company(of), user=the_user(user), contact=ContactID(""))


def done(shop: Storefront, *actions: Action) -> list[str]:
    made: list[str] = []
    for outcome in shop.perform(actions):
        assert isinstance(outcome, Ok), outcome
        made.append(outcome.value)
    return made


def refusal(shop: Storefront, action: Action) -> Reason:
    return reason(shop.perform([action])[0])


def shop_of_two(
    hand_over: HandOver = HandOver.PROMOTE_FIRST, *, strict: bool = False, deactivates: bool = False
) -> MemoryShop:
    """Return a shop with company 1, its admin 2 and its buyer 3."""
    shop = MemoryShop(hand_over=hand_over, strict=strict, deactivates=deactivates)
    assert done(shop, creation(admin=person("1")), adding(person("2"))) == ["1", "3"]
    return shop


def roles(shop: MemoryShop) -> dict[str, str]:
    return {user.id: user.role for one in shop.snapshot().values() for user in one.users}


def user(shop: MemoryShop, key: str) -> CompanyUser:
    return next(user for one in shop.snapshot().values() for user in one.users if user.id == key)


def test_creation() -> None:
    """A company is made with its admin, a user with its role and everything that was asked for."""
    shop = shop_of_two()
    found = shop.snapshot()[the_company("1")]
    assert (found.name, found.email, found.phone, found.external_id) == ("C1", "c1@a.example", "555-0100", "note-C1")
    assert roles(shop) == {"2": "Admin", "3": "Senior Buyer"}
    assert user(shop, "3") == CompanyUser(
        id=the_user("3"),
        company=the_company("1"),
        email="c2@a.example",
        first_name="Ann",
        last_name="Ames",
        phone="1",
        role="Senior Buyer",
        external_id="note-2",
        extra_fields=(("Title", "Buyer"),),
    )


def test_counts() -> None:
    """Calls count as requests, successes as writes; the hook runs after every single one of them."""
    shop = MemoryShop()
    seen: list[int] = []
    shop.on_write = lambda: seen.append(len(shop.snapshot()[the_company("1")].users))
    actions: list[Action] = [creation(admin=person("1")), adding(person("1")), adding(person("2"))]
    outcomes = shop.perform(actions)
    shop.observe([])
    shop.find_users([])
    assert [type(outcome) for outcome in outcomes] == [Ok, Failed, Ok]
    assert (shop.requests, shop.writes, seen) == (3, 2, [1, 2])
    assert shop.journal == [actions[0], actions[2]]


def test_invariant_escapes() -> None:
    """What the hook raises is no refusal."""
    shop = MemoryShop(on_write=lambda: pytest.fail("broken"))
    with pytest.raises(pytest.fail.Exception, match="broken"):
        shop.perform([creation()])


def test_observing() -> None:
    """A company is found by id where one is given, else by external id, and several are ambiguous."""
    shop = MemoryShop()
    done(shop, creation())
    ref = CompanyRef(customer=CustomerID("C1"), external_id=NoteID("note-C1"))
    held = shop.snapshot()[the_company("1")]
    assert shop.observe([ref, evolve(ref, id=the_company("1")), evolve(ref, id=the_company("9"))]) == [
        Ok(held),
        Ok(held),
        Ok(None),
    ]
    assert shop.observe([evolve(ref, external_id=NoteID("other"))]) == [Ok(None)]
    shop.add_company("Double", external_id="note-C1")
    assert reason(shop.observe([ref])[0]) is Reason.AMBIGUOUS


def test_finding_users() -> None:
    """The holder of an address is found in the whole store, without regard to case."""
    shop = shop_of_two()
    found, missing = shop.find_users([" C2@A.Example", "nobody@a.example"])
    assert found == Ok(user(shop, "3"))
    assert missing == Ok(None)


def test_one_address_one_user() -> None:
    """An address is held by one user of the whole store, and is free again when given up."""
    shop = shop_of_two()
    done(shop, creation("C2"))
    taken = adding(person("9", "C2@a.example"), of="4")
    assert refusal(shop, taken) is Reason.EMAIL_TAKEN
    assert refusal(shop, update("2", ("email", "c2@A.EXAMPLE"))) is Reason.EMAIL_TAKEN
    assert refusal(shop, creation("C3", person("9", "c2@a.example"))) is Reason.EMAIL_TAKEN
    assert len(shop.snapshot()) == 2
    done(shop, update("3", ("email", "new@a.example")), taken)


def test_released_addresses() -> None:
    """The addresses of removed users and deleted companies are free."""
    shop = shop_of_two()
    done(shop, removal("3"), adding(person("2")))
    shop.delete_company(the_company("1"))
    assert shop.find_users(["c1@a.example", "c2@a.example"]) == [Ok(None), Ok(None)]
    done(shop, creation("C2", person("1")))


def test_super_admin() -> None:
    """A super admin's address is taken although no company user has it."""
    shop = MemoryShop(reserved={"root@a.example"})
    assert shop.find_users(["root@a.example"]) == [Ok(None)]
    assert refusal(shop, creation(admin=person("1", "Root@a.example"))) is Reason.EMAIL_TAKEN


def test_last_user() -> None:
    """The last user of a company can't be removed."""
    shop = shop_of_two()
    done(shop, removal("2"))
    assert refusal(shop, removal("3")) is Reason.LAST_USER
    assert roles(shop) == {"3": "Senior Buyer"}


@pytest.mark.parametrize(
    "action",
    [
        adding(person("9"), of="9"),
        UpdateCompany(company=the_company("9"), customer=CustomerID("C1"), changes=()),
        update("9", ("phone", "2")),
        role("9", "Admin"),
        removal("9"),
        removal("2", of="4"),
        RemoveAddress(company=the_company("1"), id=the_address("9"), location=LocationID("MAIN")),
        CreateAddress(
            company=the_company("9"),
            address=DesiredAddress(
                location=LocationID("MAIN"), external_id=NoteID("n"), label="", first_name="", last_name=""
            ),
        ),
    ],
)
def test_gone(action: Action) -> None:
    """What is not there is gone, a user of another company included."""
    shop = shop_of_two()
    done(shop, creation("C2"))
    assert refusal(shop, action) is Reason.GONE


@pytest.mark.parametrize(
    "action",
    [
        adding(person("9"), "Emperor"),
        adding(evolve(person("9"), last_name="")),
        adding(evolve(person("9"), email=" ")),
        role("3", "Emperor"),
        update("3", ("first_name", "")),
        update("3", ("role", "Admin")),
        UpdateCompany(company=the_company("1"), customer=CustomerID("C1"), changes=(("colour", "red"),)),
        CreateCompany(company=company("C2", country=""), admin=None, role="Admin"),
        CreateCompany(company=company("C2", phone=""), admin=None, role="Admin"),
    ],
)
def test_invalid(action: Action) -> None:
    """What lacks a required field, or names a field or role that is not there, is invalid."""
    shop = shop_of_two()
    before = shop.snapshot()
    assert refusal(shop, action) is Reason.INVALID
    assert shop.snapshot() == before


def test_updates() -> None:
    """Fields change together or not at all."""
    shop = shop_of_two(deactivates=True)
    done(
        shop,
        update("3", ("email", "n@a.example"), ("phone", "2"), ("extra_fields.Title", "Chef"), ("active", "no")),
        UpdateCompany(
            company=the_company("1"), customer=CustomerID("C1"), changes=(("name", "New"), ("external_id", "x"))
        ),
    )
    changed = user(shop, "3")
    assert (changed.email, changed.phone, changed.active) == ("n@a.example", "2", False)
    assert changed.extra_fields == (("Title", "Chef"),)
    assert (shop.snapshot()[the_company("1")].name, shop.snapshot()[the_company("1")].external_id) == ("New", "x")
    assert refusal(shop, update("3", ("phone", "3"), ("email", "c1@a.example"))) is Reason.EMAIL_TAKEN
    assert user(shop, "3") == changed
    assert refusal(shop, update("3", ("active", "maybe"))) is Reason.INVALID


def test_capabilities() -> None:
    """What the shop was set not to be able to do is refused as unsupported."""
    shop = MemoryShop(admin_at_creation=True, addresses=False, changes_email=False)
    told = shop.capabilities
    assert (told.admin_at_creation, told.addresses, told.deactivates, told.changes_email) == (True, False, False, False)
    assert refusal(shop, creation()) is Reason.INVALID
    done(shop, creation(admin=person("1")))
    assert refusal(shop, update("2", ("email", "n@a.example"))) is Reason.UNSUPPORTED
    assert refusal(shop, update("2", ("active", "no"))) is Reason.UNSUPPORTED
    assert refusal(shop, CreateAddress(company=the_company("1"), address=desired("MAIN"))) is Reason.UNSUPPORTED
    assert refusal(shop, move("2")) is Reason.UNSUPPORTED


def test_external_id_at_creation() -> None:
    """Where the shop drops a company's external id on creation, an update sets it."""
    shop = MemoryShop(keeps_external_id=False)
    done(shop, creation())
    assert shop.snapshot()[the_company("1")].external_id == ""
    changes = (("external_id", "x"),)
    done(shop, UpdateCompany(company=the_company("1"), customer=CustomerID("C1"), changes=changes))
    assert shop.snapshot()[the_company("1")].external_id == "x"


def test_required_roles() -> None:
    """A role that is missing or there twice is a configuration error that names it."""
    shop = MemoryShop(roles=("Admin", "Buyer", "Buyer"))
    shop.require_roles(["Admin"])
    for name, count in (("Buyer", 2), ("Emperor", 0)):
        with pytest.raises(ConfigurationError, match=f"the shop has {count} roles named '{name}'"):
            shop.require_roles(["Admin", name])


# ------------------------------------------------------------------ regimes
def test_atomic() -> None:
    """An atomic shop has one holder: its role is moved by one call, and in no other way."""
    shop = shop_of_two(HandOver.ATOMIC)
    assert refusal(shop, role("3", "Admin")) is Reason.INVALID
    assert refusal(shop, adding(person("9"), "Admin")) is Reason.INVALID
    assert refusal(shop, move("3", "Junior Buyer")) is Reason.UNSUPPORTED
    done(shop, move("3"))
    assert roles(shop) == {"2": "Senior Buyer", "3": "Admin"}
    shop.set_role(the_user("2"), "Admin")
    assert roles(shop) == {"2": "Admin", "3": "Senior Buyer"}
    done(shop, role("2", "Junior Buyer"))
    assert refusal(shop, role("3", "Admin")) is Reason.INVALID
    done(shop, move("3"))
    assert roles(shop) == {"2": "Junior Buyer", "3": "Admin"}


def test_demote_first() -> None:
    """A strict DEMOTE_FIRST shop refuses a second holder and lets the first one go."""
    shop = shop_of_two(HandOver.DEMOTE_FIRST, strict=True)
    assert refusal(shop, role("3", "Admin")) is Reason.INVALID
    assert refusal(shop, adding(person("9"), "Admin")) is Reason.INVALID
    done(shop, role("2", "Senior Buyer"), role("3", "Admin"))
    assert roles(shop) == {"2": "Senior Buyer", "3": "Admin"}


@pytest.mark.parametrize("action", [role("2", "Senior Buyer"), removal("2"), update("2", ("active", "no"))])
def test_promote_first(action: Action) -> None:
    """A strict PROMOTE_FIRST shop keeps its last admin, any other lets it go."""
    shop = shop_of_two(strict=True, deactivates=True)
    assert refusal(shop, action) is Reason.LAST_ADMIN
    done(shop, role("3", "Admin"), action)
    done(shop_of_two(deactivates=True), action)


def test_other_admin_roles() -> None:
    """A user of a further admin role is an admin as well."""
    shop = MemoryShop(strict=True, admin_roles=frozenset({"Junior Buyer"}))
    done(shop, creation(admin=person("1")), adding(person("2"), "Junior Buyer"), removal("2"))


# ------------------------------------------------------------------ addresses
def desired(
    key: str, *, shipping: bool = False, billing: bool = False, where: PostalAddress = BERLIN
) -> DesiredAddress:
    return DesiredAddress(
        location=LocationID(key),
        external_id=NoteID(f"note-{key}"),
        label=key,
        first_name="Ann",
        last_name="Ames",
        phone="1",
        address=where,
        default_shipping=shipping,
        default_billing=billing,
    )


def test_addresses() -> None:
    """Addresses are made, changed and removed; one at most is the default of a kind."""
    shop = MemoryShop()
    done(shop, creation())
    here = the_company("1")
    first, second = done(
        shop,
        CreateAddress(company=here, address=desired("MAIN", shipping=True, billing=True)),
        CreateAddress(company=here, address=desired("EAST", shipping=True)),
    )
    main, east = shop.snapshot()[here].addresses
    assert (main.default_shipping, main.default_billing) == (False, True)
    assert (east.default_shipping, east.default_billing, east.external_id) == (True, False, "note-EAST")
    done(shop, UpdateAddress(company=here, id=the_address(second), address=desired("EAST", billing=True)))
    assert [one.default_billing for one in shop.snapshot()[here].addresses] == [False, True]
    done(shop, UpdateAddress(company=here, id=the_address(first), address=desired("WEST")))
    assert shop.snapshot()[here].addresses[0].label == "WEST"
    done(shop, RemoveAddress(company=here, id=the_address(second), location=LocationID("EAST")))
    assert [one.id for one in shop.snapshot()[here].addresses] == [first]
    wrong = CreateAddress(company=here, address=desired("X", where=evolve(BERLIN, city="")))
    assert refusal(shop, wrong) is Reason.INVALID


# ------------------------------------------------------------------ people
def test_people() -> None:
    """People's edits keep to the rules of the shop and count for nothing."""
    shop = shop_of_two()
    requests, writes = shop.requests, shop.writes
    made = shop.add_user(the_company("1"), "by-hand@a.example", role="Junior Buyer")
    shop.edit_user(made, (("phone", "7"),))
    shop.set_role(made, "Admin")
    assert (user(shop, made).phone, user(shop, made).role) == ("7", "Admin")
    with pytest.raises(RejectedError) as caught:
        shop.edit_user(made, (("email", "c1@a.example"),))
    assert caught.value.reason is Reason.EMAIL_TAKEN
    assert "@" not in str(caught.value)
    for key in ("2", "3"):
        shop.delete_user(the_user(key))
    with pytest.raises(RejectedError):
        shop.delete_user(made)
    with pytest.raises(RejectedError):
        shop.delete_user(the_user("99"))
    assert (shop.requests, shop.writes, len(shop.journal)) == (requests, writes, 2)


def test_threads() -> None:
    """Calls from many threads lose nothing."""
    shop = MemoryShop()
    done(shop, creation())
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: done(shop, adding(person(str(n))))[0], range(100)))
    assert len(set(made)) == len(roles(shop)) == 100
    assert shop.writes == 101


def test_awaited() -> None:
    """Wrapped for tasks, both systems answer the same."""
    erp, shop = erp_of(customer("C1", "1")), shop_of_two()
    later, store = AsyncErpOf(erp), AsyncShopOf(shop)

    async def ask() -> tuple[object, ...]:
        await store.require_roles(["Admin"])
        ref = CompanyRef(customer=CustomerID("C1"), external_id=NoteID("note-C1"))
        return (
            await later.read(Everything(), None),
            await later.customers([CustomerID("C1")]),
            await later.contacts([ContactID("1")]),
            await later.write_references([reference(RecordKind.CONTACT, "1", "3")]),
            await store.observe([ref]),
            await store.find_users(["c1@a.example"]),
            await store.perform([role("3", "Admin")]),
        )

    page, customers, contacts, *_ = answers = asyncio.run(ask())
    assert isinstance(page, Page)
    assert customers == [Ok(page.items[0])]
    assert contacts == [Ok(page.items[0].contacts[0])]
    assert answers[3:] == (
        [Ok(None)],
        [
            Ok(
                evolve(
                    shop.snapshot()[the_company("1")],
                    users=(user(shop, "2"), evolve(user(shop, "3"), role="Senior Buyer")),
                )
            )
        ],
        [Ok(user(shop, "2"))],
        [Ok("3")],
    )


def test_no_test_library_is_loaded() -> None:
    """Importing the systems in memory loads neither hypothesis nor pytest."""
    script = "import sys, acumatica_b2b.testing; sys.exit('hypothesis' in sys.modules or 'pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - a fixed script


# ------------------------------------------------------------------ faults
class Rows:
    """A store in memory, as small as can be."""

    def __init__(self) -> None:
        self.rows: dict[tuple[LogKey, int], Commit] = {}

    def load(self, keys: Sequence[LogKey], /) -> list[list[Commit]]:
        return [[row for (key, _), row in sorted(self.rows.items()) if key == one] for one in keys]

    def append(self, commits: Sequence[Commit], /) -> list[bool]:
        answers: list[bool] = []
        for commit in commits:
            free = (commit.key, commit.version) not in self.rows
            if free:
                self.rows[commit.key, commit.version] = commit
            answers.append(free)
        return answers

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> list[LogKey]:
        found = sorted({key for key, _ in self.rows if key.startswith(prefix) and key > (after or "")})
        return found[:limit]

    def drop(self, key: LogKey, before: int, /) -> None:
        self.rows = {at: row for at, row in self.rows.items() if at[0] != key or at[1] >= before}


MEANS: dict[Fault, tuple[type[Exception], int]] = {
    Fault.REFUSED: (RejectedError, 1),
    Fault.NOT_SENT: (NotSentError, 1),
    Fault.RATE_LIMITED: (RateLimitedError, 1),
    Fault.LOST: (OutcomeUnknownError, 1),
    Fault.ANSWER_LOST: (OutcomeUnknownError, 2),
}


@pytest.mark.parametrize("fault", MEANS)
def test_faults(fault: Fault) -> None:
    """Each fault answers with its own error, and only a lost answer leaves its effect behind."""
    error, users = MEANS[fault]
    shop = MemoryShop()
    done(shop, creation(admin=person("1")))
    faulty = FaultyShop(shop, [Fault.NONE, fault])
    assert isinstance(faulty.find_users(["x@a.example"])[0], Ok)
    (outcome,) = faulty.perform([adding(person("2"))])
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, error)
    assert len(roles(shop)) == users
    assert isinstance(faulty.perform([adding(person("3"))])[0], Ok)


def test_too_few_answers() -> None:
    """An answer that is left out is missing in the list, though its effect took place."""
    shop = shop_of_two()
    faulty = FaultyShop(shop, whenever(lambda what: isinstance(what, SetRole), Fault.LEFT_OUT))
    assert len(faulty.perform([role("3", "Admin"), update("3", ("phone", "2"))])) == 1
    assert roles(shop)["3"] == "Admin"


@pytest.mark.parametrize(("fault", "users"), [(Fault.CRASH_BEFORE, 2), (Fault.CRASH_AFTER, 3)])
def test_crashes(fault: Fault, users: int) -> None:
    """A crash stops the batch before or after one effect, and everything of that process with it."""
    shop, erp, faults = shop_of_two(), erp_of(customer("C1")), at(2, fault)
    faulty, its_erp = FaultyShop(shop, faults), FaultyErp(erp, faults)
    its_erp.read(Everything(), None)
    with pytest.raises(Crash):
        faulty.perform([adding(person("3")), adding(person("4"))])
    assert len(roles(shop)) == users
    with pytest.raises(Crash):
        its_erp.customers([CustomerID("C1")])
    assert faults.seen == 2
    faults.revive()
    assert isinstance(its_erp.customers([CustomerID("C1")])[0], Ok)


def test_crash_is_no_exception() -> None:
    """A crash passes through everything that catches exceptions."""
    assert not issubclass(Crash, Exception)


def test_faulty_erp() -> None:
    """A page raises its fault, single questions and references answer with theirs."""
    erp = erp_of(customer("C1", "1"))
    faults = Faults([Fault.NOT_SENT, Fault.LEFT_OUT, Fault.REFUSED, Fault.REFUSED, Fault.ANSWER_LOST])
    faulty = FaultyErp(erp, faults)
    with pytest.raises(NotSentError):
        faulty.read(Everything(), None)
    with pytest.raises(OutcomeUnknownError):
        faulty.read(Everything(), None)
    assert isinstance(faulty.customers([CustomerID("C1")])[0], Failed)
    assert isinstance(faulty.contacts([ContactID("1")])[0], Failed)
    assert isinstance(faulty.write_references([reference(RecordKind.CONTACT, "1", "3")])[0], Failed)
    assert erp.snapshot()[CustomerID("C1")].contacts[0].reference == "3"
    assert faulty.read(Everything(), None).items == tuple(erp.snapshot().values())


def test_faulty_store() -> None:
    """A store with faults raises StoreError, and the commits that met none are durable."""
    rows = Rows()
    store: SyncLogStore = rows
    key, other = LogKey("s/a"), LogKey("s/b")
    commits = [Commit(key=one, version=version, body="") for one in (key, other) for version in (1, 2)]
    faulty = FaultyStore(store, at(2, Fault.NOT_SENT))
    with pytest.raises(StoreError, match="the store failed: not sent on cue"):
        faulty.append(commits)
    assert (key, 2) not in rows.rows
    assert faulty.append(commits) == [False, True, False, False]
    assert faulty.keys("s/", key, 9) == [other]
    faulty.drop(key, 2)
    assert [len(found) for found in faulty.load([key, other])] == [1, 2]


def test_script_by_effect() -> None:
    """A script may choose the fault by what is about to happen."""
    asked: list[object] = []

    def script(what: object) -> Fault:
        asked.append(what)
        return Fault.NONE

    faulty = FaultyShop(MemoryShop(), script)
    faulty.require_roles(["Admin"])
    ref = CompanyRef(customer=CustomerID("C1"), external_id=NoteID("n"))
    assert faulty.observe([ref]) == [Ok(None)]
    assert asked == [ref]


def test_watermark_text() -> None:
    """A watermark is the number of changes so far."""
    assert erp_of(customer("C1")).read(Everything(), None).watermark == Watermark("1")
