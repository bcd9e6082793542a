"""Who leaves and who stays: contacts, customers, locations, and the guard over all of it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import define, evolve

from acumatica_b2b.actions import RemoveUser, UpdateUser
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.errors import OutcomeUnknownError
from acumatica_b2b.findings import Status
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    UNSET,
    AddressID,
    Company,
    CompanyRef,
    Contact,
    ContactID,
    CustomerID,
    Record,
    RecordKind,
    SiteAssociation,
    StorefrontID,
)
from acumatica_b2b.policy import CustomerLeaves, Guarded, Limits, SyncPolicy
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.bench import (
    ADDRESS,
    ANNA,
    BILL,
    CARL,
    HERE,
    MARK,
    NO,
    THERE,
    Bench,
    Refusing,
    contact,
    crowd,
    customer,
    done,
    finding,
    kinds,
    location,
)

FOUR = (MARK, ANNA, BILL, CARL)


def started(*contacts: Contact, **settings: Any) -> Bench:
    """Return a bench whose company has these contacts, the first its primary; else four of them."""
    bench = Bench(**settings)
    people = contacts or FOUR
    bench.put(customer(*people, primary=people[0]))
    assert bench.sync().ok
    assert len(bench.roles()) == len(people)
    return bench


# ------------------------------------------------------------------ contacts that leave
def inactive(bench: Bench) -> None:
    """Make Anna inactive."""
    bench.change(ANNA, active=False)


def deleted(bench: Bench) -> None:
    """Delete Anna."""
    bench.erp.remove_contact(ANNA.id)


def not_enabled(bench: Bench) -> None:
    """End Anna's site association."""
    bench.change(ANNA, association=NO)


def of_nobody(bench: Bench) -> None:
    """Detach Anna from her customer."""
    bench.erp.move_contact(ANNA.id, None)


def out_of_scope(bench: Bench) -> None:
    """Give Anna a connection type that is not accepted."""
    bench.change(ANNA, association=SiteAssociation(enabled=True, connection_type="B2C"))
    bench.policy = evolve(bench.policy, connection_types={"B2B"})


LEAVE = (inactive, deleted, not_enabled, of_nobody, out_of_scope)


@pytest.mark.parametrize("leave", LEAVE)
def test_leaver(leave: Callable[[Bench], None]) -> None:
    """A contact that is inactive, deleted, un-associated or out of scope loses its user, and nobody else does."""
    bench = started()
    leave(bench)
    report = bench.sync()
    assert done(report)[0] == "RemoveUser 102"
    assert set(bench.roles()) == {"mark", "bill", "carl"}
    assert report.ok
    assert not report.held


@pytest.mark.parametrize("leave", LEAVE)
def test_leaver_comes_back(leave: Callable[[Bench], None]) -> None:
    """Who left and comes back gets a user again: removed by us is not deleted by people."""
    bench = started()
    leave(bench)
    bench.sync()
    bench.policy = SyncPolicy()
    if leave is of_nobody:
        bench.erp.move_contact(ANNA.id, HERE)
    else:
        bench.add(ANNA)
    bench.sync()
    assert set(bench.roles()) == {"mark", "anna", "bill", "carl"}


@pytest.mark.parametrize("leave", LEAVE)
def test_leaver_where_users_are_switched_off(leave: Callable[[Bench], None]) -> None:
    """Where the shop can switch users off, a leaver's is switched off, not removed; once."""
    bench = started(shop=MemoryShop(deactivates=True, strict=True))
    leave(bench)
    assert done(bench.sync()) == ["UpdateUser 102"]
    assert not bench.user(ANNA).active
    assert done(bench.sync()) == []


def test_switched_off_and_back() -> None:
    """A user that we switched off is switched on again when its contact comes back."""
    bench = started(shop=MemoryShop(deactivates=True))
    inactive(bench)
    bench.sync()
    bench.change(ANNA, active=True)
    bench.sync()
    assert bench.user(ANNA).active
    assert done(bench.sync()) == []


def test_switched_off_and_made_anew() -> None:
    """A user that we switched off is switched on for the contact that was made anew with the same address."""
    bench = started(shop=MemoryShop(deactivates=True))
    inactive(bench)
    bench.sync()
    anew = contact(105, "Anna")
    bench.add(anew)
    bench.sync()
    assert bench.user(anew).active
    assert done(bench.sync()) == []


def test_switched_off_by_hand() -> None:
    """A user that people switched off stays off: whether it is on is not ours to say."""
    bench = started(shop=MemoryShop(deactivates=True))
    bench.shop.edit_user(bench.user(ANNA).id, (("active", "no"),))
    bench.sync()
    assert not bench.user(ANNA).active


UNREADABLE: tuple[dict[str, Any], ...] = (
    {"email": ""},
    {"email": "anna"},
    {"first_name": ""},
    {"last_name": ""},
    {"last_name": "x" * 200},
    {"association": SiteAssociation(enabled=UNSET)},
    {"association": SiteAssociation(enabled=True, connection_type=UNSET)},
)


@pytest.mark.parametrize("fields", UNREADABLE, ids=str)
def test_no_leaver(fields: dict[str, Any]) -> None:
    """A contact with a bad or an unreadable field is no leaver: its user stays as it is, and a finding says why."""
    bench = started(policy=SyncPolicy(connection_types=frozenset({"B2B"})))
    user = bench.user(ANNA)
    bench.change(ANNA, **fields)
    report = bench.sync()
    assert bench.user(ANNA) == user
    assert ANNA.id in {record for _, record in kinds(report)}


def test_contacts_not_included() -> None:
    """Where the policy includes contacts no more, nobody leaves."""
    bench = started(policy=SyncPolicy())
    bench.policy = SyncPolicy(include_contacts=False)
    assert done(bench.sync()) == []
    assert len(bench.roles()) == 4


def test_strangers_stay() -> None:
    """A user that we did not link stays, whatever its address, also when all else leaves."""
    bench = started()
    bench.shop.add_user(bench.company().id, "stranger@acme.example", role="Senior Buyer")
    deleted(bench)
    bench.sync()
    assert "stranger" in bench.roles()


def test_contact_that_was_never_ours() -> None:
    """A contact that never took part takes nobody along when it leaves."""
    bench = started()
    bench.shop.add_user(bench.company().id, "dora@acme.example", role="Senior Buyer")
    bench.add(contact(105, "Dora", active=False))
    bench.sync()
    assert "dora" in bench.roles()


# ------------------------------------------------------------------ proof
@define(kw_only=True, eq=False)
class Uncertain(MemoryErp):
    """An ERP that lists not all it has, or can't read what it is asked for."""

    hides: frozenset[ContactID] = frozenset()
    complete: bool = True
    silent: bool = False

    def _seen(self, one: Any) -> Any:
        contacts = tuple(c for c in one.contacts if c.id not in self.hides)
        return evolve(one, contacts=contacts, complete=self.complete)

    def read(self, query: Any, after: Any, /) -> Any:
        """Return one page of customers."""
        page = super().read(query, after)
        return evolve(page, items=tuple(map(self._seen, page.items)))

    def customers(self, ids: Sequence[CustomerID], /) -> Any:
        """Return these customers."""
        found = super().customers(ids)
        return [Ok(self._seen(one.value)) if isinstance(one, Ok) and one.value else one for one in found]

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts."""
        if self.silent:
            return [Failed(OutcomeUnknownError("no answer")) for _ in ids]
        return super().contacts(ids)


def test_absent_is_not_gone() -> None:
    """A contact that the list lacks and the ERP still has for this customer is no leaver."""
    erp = Uncertain()
    bench = started(erp=erp)
    erp.hides = frozenset({ANNA.id})
    assert done(bench.sync()) == []
    assert "anna" in bench.roles()


def test_absent_and_unreadable() -> None:
    """A contact that the list lacks and that can't be read by its id is not taken for gone: its customer waits."""
    erp = Uncertain()
    bench = started(erp=erp)
    erp.hides, erp.silent = frozenset({ANNA.id}), True
    report = bench.sync()
    assert "anna" in bench.roles()
    assert [trouble.customer for trouble in report.troubles] == [HERE]


def test_incomplete_reading() -> None:
    """While a customer's contacts are not read in full nobody leaves, READ_INCOMPLETE; what changed goes out."""
    erp = Uncertain()
    bench = started(erp=erp)
    erp.complete = False
    inactive(bench)
    bench.change(BILL, last_name="Bell")
    report = bench.sync()
    assert ("READ_INCOMPLETE", HERE) in kinds(report)
    assert set(bench.roles()) == {"mark", "anna", "bill", "carl"}
    assert bench.user(BILL).last_name == "Bell"
    erp.complete = True
    bench.sync()
    assert "anna" not in bench.roles()


@define(kw_only=True, eq=False)
class Unproven(MemoryShop):
    """A shop whose listings are not proven."""

    proven: bool = False

    def _observed(self, ref: CompanyRef) -> Outcome[Company | None]:
        found = super()._observed(ref)
        if isinstance(found, Ok) and found.value:
            return Ok(evolve(found.value, complete=self.proven))
        return found


def test_unproven_listing() -> None:
    """While the company's listing is not proven nobody leaves, READ_INCOMPLETE."""
    shop = Unproven(proven=True)
    bench = started(shop=shop)
    shop.proven = False
    inactive(bench)
    report = bench.sync()
    assert ("READ_INCOMPLETE", HERE) in kinds(report)
    assert "anna" in bench.roles()


# ------------------------------------------------------------------ never the last
def test_last_user() -> None:
    """The company's last user stays, PROTECTED_LAST_USER, to be acted on now."""
    bench = started(MARK)
    bench.change(MARK, active=False)
    report = bench.sync()
    found = finding(report, "PROTECTED_LAST_USER", MARK.id)
    assert found.act_now
    assert bench.user(MARK).id in found.detail
    assert bench.admins() == {"mark"}
    assert not report.ok


def test_last_active_user() -> None:
    """The company's last active user stays also where users are switched off."""
    bench = started(MARK, shop=MemoryShop(deactivates=True))
    bench.change(MARK, active=False)
    bench.sync()
    assert bench.user(MARK).active


def test_last_admin() -> None:
    """The company's last admin stays, PROTECTED_ADMIN, to be acted on now; another leaver goes."""
    bench = started()
    bench.change(MARK, active=False)
    bench.change(BILL, active=False)
    report = bench.sync()
    assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer", "carl": "Senior Buyer"}
    found = finding(report, "PROTECTED_ADMIN", MARK.id)
    assert found.act_now
    assert bench.user(MARK).id in found.detail
    assert report.findings[0].act_now
    assert not report.ok


def test_protected_admin_goes_when_there_is_another() -> None:
    """A protected admin goes in the run that has another one."""
    bench = started()
    bench.change(MARK, active=False)
    bench.sync()
    bench.erp.set_primary(HERE, ANNA.id)
    assert bench.sync().ok
    assert bench.roles() == {"anna": "Admin", "bill": "Senior Buyer", "carl": "Senior Buyer"}


def test_last_admin_where_users_are_switched_off() -> None:
    """The last admin is not switched off either."""
    bench = started(shop=MemoryShop(deactivates=True, strict=True))
    bench.change(MARK, active=False)
    bench.sync()
    assert bench.user(MARK).active


# ------------------------------------------------------------------ the guard, within a company
@pytest.mark.parametrize(
    ("people", "leavers", "gone"), [(2, 2, 0), (3, 2, 2), (4, 2, 2), (4, 3, 0), (5, 3, 0), (6, 3, 3)]
)
def test_half_of_a_company(people: int, leavers: int, gone: int) -> None:
    """In one company never all linked users are removed, and from four on never more than half."""
    bench = started(*crowd(people))
    bench.erp.set_primary(HERE, crowd(people)[-1].id)
    bench.sync()
    bench.shop.add_user(bench.company().id, "stranger@acme.example", role="Senior Buyer")
    bench.shop.set_role(bench.company().users[-1].id, "Admin")
    for one in crowd(people)[:leavers]:
        bench.change(one, active=False)
    report = bench.sync()
    assert len(bench.roles()) == people + 1 - gone
    assert (("GUARD_HELD", HERE) in kinds(report)) == (gone == 0)


def test_all_linked_users() -> None:
    """Also where strangers would be left, not all linked users of a company go at once."""
    bench = started(MARK, ANNA)
    bench.shop.add_user(bench.company().id, "stranger@acme.example", role="Admin")
    bench.change(MARK, active=False)
    bench.change(ANNA, active=False)
    report = bench.sync()
    assert len(bench.roles()) == 3
    assert ("GUARD_HELD", HERE) in kinds(report)


def test_the_rest_goes_on() -> None:
    """Where the guard holds a company's removals, its additions and updates go out."""
    bench = started()
    for one in (ANNA, BILL, CARL):
        bench.change(one, active=False)
    bench.add(contact(105, "Dora"))
    bench.change(MARK, last_name="Bell")
    bench.sync()
    assert set(bench.roles()) == {"mark", "anna", "bill", "carl", "dora"}
    assert bench.user(MARK).last_name == "Bell"


# ------------------------------------------------------------------ the guard, over the store and over time
def town(number: int, *, size: int = 4, **settings: Any) -> Bench:
    """Return a bench with so many companies of so many users each."""
    bench = Bench(**settings)
    for n in range(1, number + 1):
        people = crowd(size, start=1000 * n)
        bench.put(customer(*people, number=n, primary=people[0]))
    assert bench.sync().ok
    return bench


def leave(bench: Bench, number: int, *, last: int = 1) -> None:
    """Let the last contacts of a company leave."""
    for one in bench.customer(CustomerID(f"C{number}")).contacts[-last:]:
        bench.change(one, active=False)


def removed(bench: Bench) -> int:
    """Return how many users were removed or switched off so far."""
    off = (("active", "no"),)
    return sum(
        isinstance(a, RemoveUser) or (isinstance(a, UpdateUser) and a.changes == off) for a in bench.shop.journal
    )


@pytest.mark.parametrize("deactivates", [False, True])
def test_removals_are_counted(*, deactivates: bool) -> None:
    """One removal too many for the store holds all that are due, REMOVALS in the report; additions go out."""
    bench = town(3, policy=SyncPolicy(limits=Limits(removals=2)), shop=MemoryShop(deactivates=deactivates))
    for n in (1, 2, 3):
        leave(bench, n)
    bench.add(contact(105, "Dora"))
    report = bench.sync()
    assert removed(bench) == 0
    assert report.held == {Guarded.REMOVALS}
    assert {record for kind, record in kinds(report) if kind == "GUARD_HELD"} == {"C1", "C2", "C3"}
    assert "dora" in bench.roles()


def test_removals_are_counted_over_runs() -> None:
    """Removals are counted over all runs of 24 hours, and no longer."""
    bench = town(3, policy=SyncPolicy(limits=Limits(removals=2)))
    for n in (1, 2):
        leave(bench, n)
        assert not bench.sync(CustomerID(f"C{n}")).held
        bench.clock.sleep(3600)
    leave(bench, 3)
    assert bench.sync().held == {Guarded.REMOVALS}
    assert removed(bench) == 2
    bench.clock.sleep(22.5 * 3600)
    assert not bench.sync().held
    assert removed(bench) == 3


def test_what_was_held_is_not_counted() -> None:
    """Removals that were held back do not count against later ones."""
    bench = town(3, policy=SyncPolicy(limits=Limits(removals=2)))
    for n in (1, 2, 3):
        leave(bench, n)
    for _ in range(3):
        assert bench.sync().held
    bench.change(bench.customer(THERE).contacts[-1], active=True)
    assert not bench.sync().held
    assert removed(bench) == 2


def test_share_of_removals() -> None:
    """From the tenth removal of a day on never more than a fifth of the store's linked users go."""
    bench = town(10)
    for n in range(1, 10):
        leave(bench, n)
    assert not bench.sync().held
    leave(bench, 10)
    assert bench.sync().held == {Guarded.REMOVALS}
    assert removed(bench) == 9


def test_default_share() -> None:
    """Ten of forty linked users are more than a fifth: Held; ten of sixty are not."""
    for companies, held in ((10, True), (15, False)):
        bench = town(companies)
        for n in range(1, 11):
            leave(bench, n)
        assert bool(bench.sync().held) is held
        assert removed(bench) == (0 if held else 10)


def test_default_number() -> None:
    """Twenty-six removals are too many, however big the store."""
    bench = town(26, size=6)
    for n in range(1, 26):
        leave(bench, n)
    assert not bench.sync().held
    leave(bench, 26)
    assert bench.sync().held == {Guarded.REMOVALS}
    assert removed(bench) == 25


def hand_over(bench: Bench, number: int) -> None:
    """Make a company's second contact its primary."""
    key = CustomerID(f"C{number}")
    bench.erp.set_primary(key, bench.customer(key).contacts[1].id)


def handed_over(bench: Bench, numbers: range) -> int:
    """Return how many of the companies have their second contact as their only admin."""
    keys = [CustomerID(f"C{n}") for n in numbers]
    names = {key: bench.customer(key).contacts[1].first_name.lower() for key in keys}
    return sum(bench.admins(key) == {names[key]} for key in keys)


def test_hand_overs_are_counted() -> None:
    """One hand-over too many holds them all, HAND_OVERS in the report; every company keeps its one admin."""
    bench = town(3, policy=SyncPolicy(limits=Limits(hand_overs=2)))
    for n in (1, 2, 3):
        hand_over(bench, n)
    report = bench.sync()
    assert report.held == {Guarded.HAND_OVERS}
    assert handed_over(bench, range(1, 4)) == 0
    assert all(len(bench.admins(CustomerID(f"C{n}"))) == 1 for n in (1, 2, 3))


def test_a_hand_over_counts_once() -> None:
    """A hand-over counts once, though it takes two calls; a day later the next goes out."""
    bench = town(3, policy=SyncPolicy(limits=Limits(hand_overs=2)))
    for n in (1, 2):
        hand_over(bench, n)
    assert not bench.sync().held
    assert handed_over(bench, range(1, 3)) == 2
    hand_over(bench, 3)
    assert bench.sync().held == {Guarded.HAND_OVERS}
    bench.clock.sleep(24 * 3600 + 1)
    assert not bench.sync().held
    assert handed_over(bench, range(1, 4)) == 3


def test_first_grants_are_no_hand_overs() -> None:
    """Grants in new companies are additions: they are not counted."""
    bench = town(5, policy=SyncPolicy(limits=Limits(hand_overs=0)))
    assert all(len(bench.admins(CustomerID(f"C{n}"))) == 1 for n in range(1, 6))


def test_a_run_in_which_many_fail_stops() -> None:
    """A run in which 40 % of twenty or more customers fail stops, and says so."""
    bench = Bench(wave=10)
    bench.erp.page_size = 10
    for n in range(1, 61):
        one = contact(1000 + n, f"Guest{n}")
        bench.put(customer(one, number=n, primary=one))
    shop = Refusing(refuses=lambda _: True)
    bench.shop = shop
    report = bench.sync()
    assert report.stopped
    assert report.customers < 60
    assert not report.ok


# ------------------------------------------------------------------ customers that leave
@pytest.mark.parametrize("fields", [{"status": "Inactive"}, {"guest": True}, {"category": "Individual"}], ids=str)
def test_customer_leaves(fields: dict[str, Any]) -> None:
    """A customer that takes part no more keeps its company and all its users, CUSTOMER_LEFT."""
    bench = started()
    company = bench.company()
    bench.change_customer(**fields)
    bench.change(ANNA, active=False)
    report = bench.sync()
    assert done(report) == []
    assert bench.company() == company
    assert finding(report, "CUSTOMER_LEFT", HERE).status is Status.HELD


def test_customer_that_never_was() -> None:
    """A customer that never took part is Filtered and has not left."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK, status="Inactive"))
    assert kinds(bench.sync()) == {("CUSTOMER_FILTERED", HERE), ("CUSTOMER_FILTERED", MARK.id)}


def test_customer_comes_back() -> None:
    """A customer that comes back goes on with the company it had."""
    bench = started()
    bench.change_customer(status="Inactive")
    bench.sync()
    bench.change_customer(status="Active", name="Acme again")
    bench.sync()
    assert bench.company().name == "Acme again"
    assert len(bench.shop.snapshot()) == 1


DEACTIVATE = SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE)


def test_customer_is_switched_off() -> None:
    """By policy the company of a customer that left is switched off, once, and its users stay in it."""
    bench = started(policy=DEACTIVATE, shop=MemoryShop(deactivates=True))
    bench.change_customer(status="Inactive")
    assert done(bench.sync()) == ["UpdateCompany C1"]
    assert not bench.company().active
    assert len(bench.company().users) == 4
    assert done(bench.sync()) == []


def test_customer_is_switched_on_again() -> None:
    """The company that we switched off is switched on when its customer comes back."""
    bench = started(policy=DEACTIVATE, shop=MemoryShop(deactivates=True))
    bench.change_customer(status="Inactive")
    bench.sync()
    bench.change_customer(status="Active")
    bench.sync()
    assert bench.company().active
    assert done(bench.sync()) == []


def test_company_switched_off_by_hand() -> None:
    """A company that people switched off stays off."""
    bench = started(shop=MemoryShop(deactivates=True))
    bench.shop._put(evolve(bench.company(), active=False))
    bench.sync()
    assert not bench.company().active


def test_shop_that_can_t_switch_off() -> None:
    """Where the shop can't switch a company off it is kept as it is: nothing is refused, CUSTOMER_LEFT."""
    bench = started(policy=DEACTIVATE)
    bench.change_customer(status="Inactive")
    report = bench.sync()
    assert ("CUSTOMER_LEFT", HERE) in kinds(report)
    assert report.ok


def test_switched_off_is_not_kept() -> None:
    """Where the company of a customer that left was switched off, no finding says that it stays as it is."""
    bench = started(policy=DEACTIVATE, shop=MemoryShop(deactivates=True))
    bench.change_customer(status="Inactive")
    assert ("CUSTOMER_LEFT", HERE) not in kinds(bench.sync())


# ------------------------------------------------------------------ references of who left
def test_reference_of_a_leaver_is_cleared() -> None:
    """On removal the reference on the contact is cleared."""
    bench = started()
    inactive(bench)
    assert done(bench.sync()) == ["RemoveUser 102", "WriteReference 102"]
    assert bench.contact(ANNA).reference == ""


def test_reference_that_people_changed_is_not_cleared() -> None:
    """On removal a reference that is not our value any more stays."""
    bench = started()
    bench.change(ANNA, active=False, reference="see file")
    bench.sync()
    assert bench.find_user(ANNA) is None
    assert bench.contact(ANNA).reference == "see file"


def test_reference_of_a_contact_that_is_gone() -> None:
    """Where the contact is deleted there is nothing to clear."""
    bench = started()
    deleted(bench)
    assert done(bench.sync()) == ["RemoveUser 102"]


# ------------------------------------------------------------------ locations
MAIN, EAST = location("MAIN", default=True), location("EAST", address=evolve(ADDRESS, city="Bonn"))


def placed(**settings: Any) -> Bench:
    """Return a bench whose company has two addresses of ours."""
    bench = Bench(**settings)
    bench.put(customer(MARK, primary=MARK, locations=(MAIN, EAST)))
    assert bench.sync().ok
    assert set(bench.addresses()) == {"Main", "East"}
    return bench


def test_locations() -> None:
    """Locations become addresses, with what they are the default for, and get their references."""
    bench = placed()
    main = bench.addresses()["Main"]
    assert (main.default_shipping, main.default_billing, main.external_id) == (True, True, MAIN.note_id)
    assert [place.reference for place in bench.customer().locations] == [main.id, bench.addresses()["East"].id]
    assert done(bench.sync()) == []


def test_location_changes() -> None:
    """A changed location changes its address."""
    bench = placed()
    bench.change_customer(locations=tuple(evolve(p, phone="555-0177") for p in bench.customer().locations))
    bench.sync()
    assert {address.phone for address in bench.addresses().values()} == {"555-0177"}


@pytest.mark.parametrize("how", ["inactive", "deleted"])
def test_location_leaves(how: str) -> None:
    """A location that is inactive or deleted loses its address; its reference is cleared where it still stands."""
    bench = placed()
    main, east = bench.customer().locations
    left = (main, evolve(east, active=False)) if how == "inactive" else (main,)
    bench.change_customer(locations=left)
    assert bench.sync().ok
    assert set(bench.addresses()) == {"Main"}
    assert [place.reference for place in bench.customer().locations[1:]] == [""] * (len(left) - 1)
    assert done(bench.sync()) == []


def test_location_lacks_a_field() -> None:
    """A location that lacks a field is no leaver: its address stays."""
    bench = placed()
    main, east = bench.customer().locations
    bench.change_customer(locations=(main, evolve(east, address=evolve(east.address, city=""))))
    report = bench.sync()
    assert kinds(report) == {("MISSING_ADDRESS_FIELD", "EAST")}
    assert set(bench.addresses()) == {"Main", "East"}


def test_addresses_of_people() -> None:
    """An address that people made stays as it is."""
    bench = placed()
    company = bench.company()
    by_hand = evolve(company.addresses[0], id=AddressID(StorefrontID("99")), external_id="", label="By hand")
    bench.shop._put(evolve(company, addresses=(*company.addresses, by_hand)))
    bench.change_customer(locations=())
    bench.sync()
    assert set(bench.addresses()) == {"By hand"}


def test_locations_not_included() -> None:
    """Where the policy includes locations no more, their addresses stay."""
    bench = placed()
    bench.policy = SyncPolicy(include_locations=False)
    assert done(bench.sync()) == []
    assert set(bench.addresses()) == {"Main", "East"}


def test_shop_without_addresses() -> None:
    """A shop that keeps no addresses is asked for none, and nothing is Held."""
    bench = Bench(shop=MemoryShop(addresses=False))
    bench.put(customer(MARK, primary=MARK, locations=(MAIN, EAST)))
    report = bench.sync()
    assert report.ok
    assert done(report) == ["CreateCompany C1", "CreateUser 101", "WriteReference C1", "WriteReference 101"]
    assert [place.reference for place in bench.customer().locations] == ["", ""]


def test_same_location_id_of_two_customers() -> None:
    """Location ids are unique within a customer only: two customers' MAIN are two addresses."""
    bench = placed()
    bench.put(customer(BILL, number=2, primary=BILL, locations=(location("MAIN", name="Depot", note_id=EAST.note_id),)))
    bench.sync()
    assert set(bench.addresses(HERE)) == {"Main", "East"}
    assert set(bench.addresses(THERE)) == {"Depot"}


def test_a_user_whom_nobody_linked_is_told_of() -> None:
    """A user with the external id of a contact who left, linked by nobody, stays and is told: LEFT_BEHIND."""
    bench = started()
    bench.change(ANNA, active=False)
    bench.sync()
    made = bench.shop.add_user(bench.company().id, ANNA.email, role="Senior Buyer", external_id=ANNA.note_id)
    report = bench.sync()
    assert finding(report, "LEFT_BEHIND", ANNA.id).detail == made
    assert bench.find_user(ANNA)
    bench.contact_sync.decide(
        HERE, Decision(choice=Choice.LINK, record=Record(RecordKind.CONTACT, ANNA.id), id=made), by="kim"
    )
    bench.sync()
    assert not bench.find_user(ANNA)
    assert ("LEFT_BEHIND", ANNA.id) not in kinds(bench.sync())


def test_half_a_company_gets_no_second_address() -> None:
    """Where a company could not be read in full, no address is made that may be there already."""
    bench = started(shop=Half(addresses=True))
    bench.change_customer(locations=(location(),))
    bench.sync()
    bench.store = MemoryStore()
    bench.shop.half = True  # type: ignore[attr-defined]  # as above
    bench.sync()
    bench.shop.half = False  # type: ignore[attr-defined]  # as above
    bench.sync()
    assert len(bench.company().addresses) == 1


@define(kw_only=True, eq=False)
class Half(MemoryShop):
    """A shop whose lists come in half."""

    half: bool = False

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return companies without addresses, and say so."""
        seen = super().observe(companies)
        if not self.half:
            return seen
        read = [one.value for one in seen if isinstance(one, Ok)]
        return [Ok(evolve(company, addresses=(), complete=False)) if company else Ok(None) for company in read]
