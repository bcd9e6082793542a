"""Which company and which user: links, external ids, references, addresses, what people deleted, adoptions."""

from typing import Any

import pytest
from attrs import define, evolve, field

from acumatica_b2b.actions import CreateCompany, CreateUser, RemoveUser
from acumatica_b2b.findings import Status
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import Company, CompanyID, CompanyRef, ContactID
from acumatica_b2b.policy import FirstAdmin, Limits, SyncPolicy
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryShop
from tests.bench import (
    ANNA,
    BILL,
    CARL,
    HERE,
    MARK,
    THERE,
    Bench,
    contact,
    customer,
    done,
    finding,
    kinds,
    location,
    note,
)

inline = pytest.mark.parametrize("admin_at_creation", [False, True], ids=["created-empty", "created-with-admin"])


@define(kw_only=True, eq=False)
class Forgetful(MemoryShop):
    """A shop whose listings lack users and say that they are not proven."""

    hidden: set[str] = field(factory=set[str])

    def _observed(self, ref: CompanyRef) -> Outcome[Company | None]:
        found = super()._observed(ref)
        if not self.hidden or not isinstance(found, Ok) or not found.value:
            return found
        users = tuple(user for user in found.value.users if user.id not in self.hidden)
        return Ok(evolve(found.value, users=users, complete=False))


def started(**settings: Any) -> Bench:
    """Return a bench whose company has Mark, its primary, and Anna."""
    bench = Bench(**settings)
    bench.put(customer(MARK, ANNA, primary=MARK))
    assert bench.sync().ok
    return bench


def companies(bench: Bench) -> list[CompanyID]:
    """Return the ids of all companies of the shop."""
    return sorted(bench.shop.snapshot())


# ------------------------------------------------------------------ which company
def test_company_by_link() -> None:
    """The company is the linked one, also after people took its external id away."""
    bench = started()
    company = bench.company()
    bench.shop._put(evolve(company, external_id=""))
    bench.sync()
    assert bench.shop.snapshot().keys() == {company.id}
    assert bench.company().id == company.id


def test_company_by_reference() -> None:
    """Without a log the company is the one that the customer's reference names."""
    bench = started()
    company = bench.company()
    bench.shop._put(evolve(company, external_id=""))
    bench.store = MemoryStore()
    bench.sync()
    assert bench.shop.snapshot().keys() == {company.id}


def test_company_by_external_id() -> None:
    """Without a log and a reference the company is the one with the customer's external id."""
    bench = started()
    company = bench.company()
    bench.store = MemoryStore()
    bench.change_customer(reference="")
    bench.sync()
    assert bench.shop.snapshot().keys() == {company.id}
    assert bench.customer().reference == company.id


def test_company_never_by_name() -> None:
    """A company of the same name is another one."""
    bench = Bench()
    other = bench.shop.add_company("Acme")
    bench.put(customer(MARK, primary=MARK))
    bench.sync()
    assert bench.company().id != other


def test_two_companies_with_its_external_id() -> None:
    """Two companies answer to a customer: COMPANY_AMBIGUOUS, both named, and nothing is written."""
    bench = Bench()
    for _ in range(2):
        bench.shop.add_company("Acme", external_id=note(1, 1))
    bench.put(customer(MARK, primary=MARK))
    report = bench.sync()
    assert done(report) == []
    assert finding(report, "COMPANY_AMBIGUOUS", HERE).status is Status.HELD


def test_a_reference_to_another_customer_s_company() -> None:
    """A reference that names another customer's company is not followed, and nothing is written there."""
    bench = started()
    theirs = bench.company().id
    bench.put(customer(BILL, number=2, primary=BILL, reference=theirs))
    report = bench.sync()
    assert ("COMPANY_AMBIGUOUS", THERE) in kinds(report)
    assert set(bench.roles()) == {"mark", "anna"}


@pytest.mark.parametrize("recreate", [False, True])
def test_company_deleted_by_hand(*, recreate: bool) -> None:
    """A company that people deleted is not made again and named DELETED_IN_SHOP, unless the policy says recreate."""
    bench = started(policy=SyncPolicy(recreate_deleted=recreate))
    bench.shop.delete_company(bench.company().id)
    report = bench.sync()
    if recreate:
        assert bench.roles() == {"mark": "Admin", "anna": "Senior Buyer"}
        assert bench.customer().reference == bench.company().id
        assert bench.contact(ANNA).reference == bench.user(ANNA).id
    else:
        assert bench.shop.snapshot() == {}
        assert finding(report, "DELETED_IN_SHOP", HERE).status is Status.SKIPPED


def test_deleted_company_stays_deleted() -> None:
    """A company that people deleted is not made again by any later run either."""
    bench = started()
    bench.shop.delete_company(bench.company().id)
    for _ in range(3):
        bench.change(MARK, phones=(f"555-{bench.versions()}",))
        bench.sync()
    assert bench.shop.snapshot() == {}


# ------------------------------------------------------------------ adoptions
def by_hand(shop: MemoryShop, *names: str, name: str = "Acme by hand") -> CompanyID:
    """Make a company with users by hand."""
    company = shop.add_company(name)
    for one in names:
        shop.add_user(company, f"{one}@acme.example", role="Senior Buyer")
    return company


ADOPT = SyncPolicy(adopt_companies=True)


@pytest.mark.parametrize("names", [("mark",), ("anna", "bill"), ("mark", "stranger")])
def test_adoption(names: tuple[str, ...]) -> None:
    """With the policy's leave a company is adopted that holds the primary's address or most of the contacts'."""
    bench = Bench(policy=ADOPT)
    adopted = by_hand(bench.shop, *names)
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    plan = bench.plan()
    report = bench.sync()
    assert plan.companies[0].adopts == adopted
    assert companies(bench) == [adopted]
    assert report.ok
    assert {"mark", "anna", "bill"} <= set(bench.roles())
    assert bench.admins() == {"mark"}


def test_adopted_strangers_stay() -> None:
    """Users of an adopted company who are nobody's stay, run after run."""
    bench = Bench(policy=ADOPT)
    by_hand(bench.shop, "mark", "stranger")
    bench.put(customer(MARK, primary=MARK))
    for _ in range(2):
        bench.sync()
    assert set(bench.roles()) == {"mark", "stranger"}


@pytest.mark.parametrize("names", [("anna",), ("stranger",)])
def test_no_adoption(names: tuple[str, ...]) -> None:
    """A company that holds neither the primary's address nor most of the contacts' is not adopted."""
    bench = Bench(policy=ADOPT)
    other = by_hand(bench.shop, *names)
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    bench.sync()
    assert bench.company().id != other


def test_a_company_with_an_external_id_is_not_adopted() -> None:
    """Another customer's company is not adopted, whoever's address it holds."""
    bench = Bench(policy=ADOPT)
    other = bench.shop.add_company("Other", external_id=note(1, 99))
    bench.shop.add_user(other, MARK.email, role="Senior Buyer")
    bench.put(customer(MARK, primary=MARK))
    bench.sync()
    assert bench.shop.snapshot()[other].external_id == note(1, 99)


def test_several_to_adopt() -> None:
    """Several companies could be adopted: COMPANY_AMBIGUOUS, both named, and nothing is written."""
    bench = Bench(policy=ADOPT)
    ids = by_hand(bench.shop, "mark"), by_hand(bench.shop, "anna", "bill", name="Other")
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    report = bench.sync()
    assert done(report) == []
    assert all(company in finding(report, "COMPANY_AMBIGUOUS", HERE).detail for company in ids)


def test_adoptions_are_guarded() -> None:
    """Adoptions are counted by the guard; what is over the limit is Held."""
    bench = Bench(policy=SyncPolicy(adopt_companies=True, limits=Limits(adoptions=1)))
    for number, one in ((1, MARK), (2, ANNA)):
        bench.put(customer(one, number=number, primary=one))
        by_hand(bench.shop, one.first_name.lower())
    bench.sync(HERE)
    report = bench.sync(THERE)
    assert bench.find_company(HERE)
    assert bench.find_company(THERE) is None
    assert ("GUARD_HELD", THERE) in kinds(report)
    bench.clock.sleep(25 * 3600)
    bench.sync(THERE)
    assert bench.find_company(THERE)


@inline
def test_no_company_where_the_primary_s_address_is_held_elsewhere(*, admin_at_creation: bool) -> None:
    """Where the primary's address belongs elsewhere no company is made that would have no admin."""
    bench = Bench(shop=MemoryShop(admin_at_creation=admin_at_creation))
    other = by_hand(bench.shop, "mark")
    bench.put(customer(MARK, ANNA, primary=MARK))
    report = bench.sync()
    assert companies(bench) == [other]
    found = finding(report, "EMAIL_OWNED_ELSEWHERE", MARK.id)
    assert other in found.detail
    assert bench.shop.snapshot()[other].users[0].id in found.detail


@inline
def test_the_lowest_is_first_admin_where_the_primary_s_address_is_held_elsewhere(*, admin_at_creation: bool) -> None:
    """By policy the lowest eligible contact is the first admin also where the primary's address belongs elsewhere."""
    policy = SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT)
    bench = Bench(shop=MemoryShop(admin_at_creation=admin_at_creation, strict=True), policy=policy)
    by_hand(bench.shop, "mark")
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    for _ in range(2):
        bench.sync()
    assert bench.roles() == {"anna": "Admin", "bill": "Senior Buyer"}


# ------------------------------------------------------------------ which user
def test_user_by_link() -> None:
    """A user is its contact's by link, whatever people made of address and external id."""
    bench = started()
    user = bench.user(ANNA)
    bench.shop.edit_user(user.id, (("email", "other@acme.example"), ("external_id", "")))
    bench.sync()
    assert bench.user(ANNA) == user


@pytest.mark.parametrize("sign", ["external_id", "reference", "email"])
def test_user_without_a_log(sign: str) -> None:
    """Without a log a user is found by external id, by its contact's reference or by address, each alone."""
    bench = started()
    user = bench.user(ANNA)
    bench.store = MemoryStore()
    if sign != "external_id":
        bench.shop.edit_user(user.id, (("external_id", ""),))
    if sign != "reference":
        bench.change(ANNA, reference="")
    if sign != "email":
        bench.shop.edit_user(user.id, (("email", "other@acme.example"),))
    bench.sync()
    [found] = [one for one in bench.company().users if one.id == user.id]
    assert evolve(found, external_id=user.external_id) == user
    assert bench.contact(ANNA).reference == user.id


def test_a_missing_external_id_waits_for_a_change() -> None:
    """A linked user who lacks its external id gets it along with its next change, and not by an update of its own."""
    bench = started(shop=MemoryShop(admin_at_creation=True, keeps_admin_external_id=False))
    [admin] = [user for user in bench.company().users if user.role == "Admin"]
    assert admin.external_id == ""
    assert done(bench.sync()) == []
    bench.change(MARK, phones=("555-0199",))
    assert done(bench.sync()) == ["UpdateUser 101"]
    assert bench.user(MARK).id == admin.id


def test_a_missing_external_id_at_once() -> None:
    """Where the policy says so, a user made along with its company gets its external id by a request of its own."""
    shop = MemoryShop(admin_at_creation=True, keeps_admin_external_id=False)
    bench = started(shop=shop, policy=SyncPolicy(external_ids_at_once=True))
    assert bench.user(MARK).role == "Admin"


def test_user_by_address_in_capitals() -> None:
    """A user whose address people wrote in capitals is its contact's."""
    bench = started()
    user = bench.shop.add_user(bench.company().id, "BILL@ACME.Example", role="Junior Buyer")
    bench.add(BILL)
    bench.sync()
    assert bench.user(BILL).id == user
    assert bench.user(BILL).role == "Junior Buyer"


def test_never_by_name_or_phone() -> None:
    """A user of the same name and phone is another one."""
    bench = started()
    like = bench.shop.add_user(bench.company().id, "william@acme.example", role="Senior Buyer")
    bench.shop.edit_user(like, (("first_name", "Bill"), ("last_name", "Ames"), ("phone", "555")))
    bench.add(evolve(BILL, phones=("555",)))
    bench.sync()
    assert bench.user(BILL).id != like


def test_two_contacts_name_one_user() -> None:
    """A contact whose reference names another contact's user gets REFERENCE_CONFLICT, and a user of its own."""
    bench = started()
    anna = bench.user(ANNA).id
    bench.add(evolve(BILL, reference=anna))
    report = bench.sync()
    assert ("REFERENCE_CONFLICT", BILL.id) in kinds(report)
    assert bench.user(ANNA).id == anna
    assert bench.user(BILL).id != anna
    assert bench.contact(BILL).reference == anna


@pytest.mark.parametrize("recreate", [False, True])
def test_user_deleted_by_hand(*, recreate: bool) -> None:
    """A user that people deleted is not made again and named DELETED_IN_SHOP, unless the policy says recreate."""
    bench = started(policy=SyncPolicy(recreate_deleted=recreate))
    old = bench.user(ANNA).id
    bench.shop.delete_user(old)
    report = bench.sync()
    if recreate:
        assert bench.user(ANNA).id != old
        assert bench.contact(ANNA).reference == bench.user(ANNA).id
    else:
        assert bench.find_user(ANNA) is None
        found = finding(report, "DELETED_IN_SHOP", ANNA.id)
        assert (found.status, found.detail) == (Status.SKIPPED, f"company user {old}")
        assert report.ok


def test_deleted_user_stays_deleted() -> None:
    """A user that people deleted is not made again when its contact changes, nor by any later run."""
    bench = started()
    bench.shop.delete_user(bench.user(ANNA).id)
    for email in ("anna@acme.example", "new@acme.example"):
        bench.change(ANNA, email=email)
        assert ("DELETED_IN_SHOP", ANNA.id) in kinds(bench.sync())
    assert set(bench.roles()) == {"mark"}


def test_user_made_anew_by_hand() -> None:
    """A user that people deleted and made again is its contact's again."""
    bench = started()
    bench.shop.delete_user(bench.user(ANNA).id)
    bench.sync()
    anew = bench.shop.add_user(bench.company().id, ANNA.email, role="Junior Buyer")
    report = bench.sync()
    assert bench.user(ANNA).id == anew
    assert report.findings == ()


def test_address_deleted_by_hand() -> None:
    """An address that people deleted is not made again and named DELETED_IN_SHOP."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK, locations=(location(),)))
    bench.sync()
    company = bench.company()
    bench.shop._put(evolve(company, addresses=()))
    report = bench.sync()
    assert bench.company().addresses == ()
    assert ("DELETED_IN_SHOP", "MAIN") in kinds(report)


def test_contact_deleted_and_made_anew() -> None:
    """A contact that was deleted and made anew with the same address is re-linked to its user."""
    bench = started()
    user = bench.user(ANNA)
    bench.erp.remove_contact(ANNA.id)
    bench.add(contact(105, "Anna"))
    report = bench.sync()
    assert report.ok
    again = bench.user(contact(105))
    assert (again.id, again.role) == (user.id, user.role)
    assert not any(isinstance(a, RemoveUser) for a in bench.shop.journal)
    assert bench.contact(contact(105)).reference == user.id
    assert done(bench.sync()) == []


def test_contact_replaced_while_inactive() -> None:
    """A contact that was switched off and made anew with the same address is re-linked to its user."""
    bench = started()
    user = bench.user(ANNA).id
    bench.change(ANNA, active=False)
    bench.add(contact(105, "Anna"))
    bench.sync()
    assert bench.user(contact(105)).id == user
    assert bench.contact(ANNA).reference == ""


def test_primary_made_anew() -> None:
    """A primary contact that was deleted and made anew keeps its user and its role."""
    bench = started()
    user = bench.user(MARK).id
    bench.erp.remove_contact(MARK.id)
    bench.add(contact(105, "Mark"))
    bench.erp.set_primary(HERE, ContactID("105"))
    bench.sync()
    assert bench.user(contact(105)).id == user
    assert bench.admins() == {"mark"}


def test_linked_contact_without_an_email() -> None:
    """A linked contact whose e-mail is gone is no leaver: its user stays as it is, MISSING_EMAIL."""
    bench = started()
    user = bench.user(ANNA)
    bench.change(ANNA, email="")
    report = bench.sync()
    assert done(report) == []
    assert kinds(report) == {("MISSING_EMAIL", ANNA.id)}
    assert bench.user(ANNA) == user


def test_linked_contact_with_a_bad_email() -> None:
    """A linked contact whose e-mail is malformed is no leaver: its user stays as it is, INVALID_EMAIL."""
    bench = started()
    bench.change(ANNA, email="anna at acme")
    report = bench.sync()
    assert done(report) == []
    assert kinds(report) == {("INVALID_EMAIL", ANNA.id)}


def test_listing_that_is_not_proven() -> None:
    """A linked user whom an unproven listing does not show is neither called deleted nor made again."""
    shop = Forgetful()
    bench = started(shop=shop)
    shop.hidden = {bench.user(ANNA).id}
    report = bench.sync()
    assert done(report) == []
    assert kinds(report) == {("READ_INCOMPLETE", HERE)}
    assert report.ok


# ------------------------------------------------------------------ shared addresses
def test_shared_by_two_contacts() -> None:
    """Two contacts share an address: the lowest gets it, the other is DUPLICATE_EMAIL naming the winner."""
    bench = started()
    bench.add(contact(1000, "Zoe", email="same@acme.example"))
    bench.add(contact(200, "Yan", email="Same@acme.example"))
    report = bench.sync()
    assert "200" in finding(report, "DUPLICATE_EMAIL", "1000").detail
    assert bench.user(contact(200)).first_name == "Yan"
    assert report.ok


def test_linked_contact_beats_a_lower_one() -> None:
    """A linked contact keeps its address against a lower one."""
    bench = started()
    bench.add(contact(5, "Zoe", email=ANNA.email))
    report = bench.sync()
    assert kinds(report) == {("DUPLICATE_EMAIL", "5")}
    assert bench.user(ANNA).first_name == "Anna"


def test_primary_beats_a_linked_contact() -> None:
    """The primary gets the address of a linked contact: the user is re-linked, not replaced."""
    bench = started()
    user = bench.user(ANNA).id
    bench.add(contact(105, "Zoe", email=ANNA.email))
    bench.erp.set_primary(HERE, ContactID("105"))
    report = bench.sync()
    assert bench.user(contact(105, "Zoe")).id == user
    assert bench.user(contact(105, "Zoe")).first_name == "Zoe"
    assert kinds(report) == {("DUPLICATE_EMAIL", ANNA.id)}
    assert [type(a) for a in bench.shop.journal].count(CreateUser) == 2
    assert not any(isinstance(a, RemoveUser) for a in bench.shop.journal)
    assert bench.contact(contact(105)).reference == user


@inline
def test_shared_across_new_customers(*, admin_at_creation: bool) -> None:
    """Two new customers' primaries share an address: the lowest CustomerID gets it, the other makes no company."""
    bench = Bench(shop=MemoryShop(admin_at_creation=admin_at_creation))
    for number in (2, 1):
        one = contact(100 + number, "Mark")
        bench.put(customer(one, number=number, primary=one))
    report = bench.sync()
    assert bench.admins(HERE) == {"mark"}
    assert [type(a) for a in bench.shop.journal].count(CreateCompany) == 1
    assert "101" in finding(report, "DUPLICATE_EMAIL", "102").detail


def test_shared_with_another_customer_s_first_admin() -> None:
    """The lowest CustomerID gets a shared address also where the other contact would come with its new company."""
    bench = Bench(shop=MemoryShop(admin_at_creation=True))
    zoe, yan = contact(900, "Zoe", email="same@acme.example"), contact(300, "Yan", email="same@acme.example")
    bench.put(customer(MARK, zoe, primary=MARK), customer(yan, number=2, primary=yan))
    bench.sync()
    assert bench.find_user(zoe)
    assert bench.find_company(THERE) is None


def test_who_gets_no_company_claims_nothing() -> None:
    """A customer whose primary loses its address to another gets no company, and keeps no address from a third."""
    bench = Bench(shop=MemoryShop(admin_at_creation=True))
    first, second = contact(1, "Bob", email="bob@acme.example"), contact(2, "Bob", email="bob@acme.example")
    beside, third = contact(3, "Ann", email="ann@acme.example"), contact(4, "Ann", email="ann@acme.example")
    bench.put(customer(first, primary=first), customer(second, beside, number=2, primary=second))
    bench.put(customer(third, number=3, primary=third))
    for _ in range(2):
        bench.sync()
    assert bench.find_company(THERE) is None
    assert bench.find_user(third)


def test_shared_across_customers() -> None:
    """Contacts of two customers share an address: the lowest CustomerID gets it, DUPLICATE_EMAIL names the winner."""
    bench = Bench()
    same = "same@acme.example"
    bench.put(customer(MARK, contact(900, "Zoe", email=same), primary=MARK))
    bench.put(customer(ANNA, contact(300, "Yan", email=same), number=2, primary=ANNA))
    report = bench.sync()
    assert bench.find_user(contact(900))
    assert bench.find_user(contact(300)) is None
    assert "900" in finding(report, "DUPLICATE_EMAIL", "300").detail


def test_shared_across_customers_fails_nobody() -> None:
    """A contact that is Held for an address shared across customers makes no run fail."""
    bench = Bench()
    bench.put(customer(MARK, contact(900, "Zoe", email="same@acme.example"), primary=MARK))
    bench.put(customer(ANNA, contact(300, "Yan", email="same@acme.example"), number=2, primary=ANNA))
    assert bench.sync().ok
    assert bench.sync().ok


def test_linked_across_customers() -> None:
    """Across customers the linked contact has the address, also against a lower CustomerID."""
    bench = Bench()
    bench.put(customer(ANNA, BILL, number=2, primary=ANNA))
    bench.sync()
    bench.put(customer(MARK, contact(50, "Zoe", email=BILL.email), primary=MARK))
    report = bench.sync()
    assert bench.user(BILL).first_name == "Bill"
    assert bench.find_user(contact(50)) is None
    assert "50" in {record for _, record in kinds(report)}


# ------------------------------------------------------------------ addresses held by others
def test_held_in_another_company() -> None:
    """An address held by a user of another company is EMAIL_OWNED_ELSEWHERE, naming company and user id."""
    bench = started()
    other = bench.shop.add_company("Other")
    user = bench.shop.add_user(other, BILL.email, role="Senior Buyer")
    bench.add(BILL)
    bench.add(CARL)
    report = bench.sync()
    found = finding(report, "EMAIL_OWNED_ELSEWHERE", BILL.id)
    assert found.detail == f"company user {user} of company {other}"
    assert found.status is Status.HELD
    assert "carl" in bench.roles()


def test_held_in_another_company_is_asked_again() -> None:
    """Once the other user is gone, the next run makes the contact's own."""
    bench = started()
    other = bench.shop.add_company("Other")
    bench.shop.add_user(other, "someone@else.example", role="Senior Buyer")
    user = bench.shop.add_user(other, BILL.email, role="Senior Buyer")
    bench.add(BILL)
    bench.sync()
    assert bench.find_user(BILL) is None
    bench.shop.delete_user(user)
    assert bench.sync().findings == ()
    assert bench.find_user(BILL)


def test_held_address_is_asked_for_once() -> None:
    """A run that knows who has an address does not try to take it again."""
    bench = started()
    bench.shop.add_user(bench.shop.add_company("Other"), BILL.email, role="Senior Buyer")
    bench.add(BILL)
    bench.sync()
    report = bench.sync()
    assert ("EMAIL_OWNED_ELSEWHERE", BILL.id) in kinds(report)
    assert report.ok


def test_held_in_the_own_company() -> None:
    """An address held by another contact's user of the same company names company and user id too."""
    bench = started()
    bench.change(ANNA, email="")
    bench.add(evolve(BILL, email=ANNA.email))
    report = bench.sync()
    found = finding(report, "EMAIL_OWNED_ELSEWHERE", BILL.id)
    assert bench.user(ANNA).id in found.detail
    assert f"company {bench.company().id}" in found.detail


def test_super_admin() -> None:
    """An address that is taken although no company user has it is SUPER_ADMIN_EMAIL."""
    bench = started(shop=MemoryShop(reserved={BILL.email}))
    bench.add(BILL)
    bench.add(CARL)
    for _ in range(2):
        assert ("SUPER_ADMIN_EMAIL", BILL.id) in kinds(bench.sync())
    assert "carl" in bench.roles()


def test_primary_is_a_super_admin() -> None:
    """Where the primary's address is a super admin's no company is left without an admin."""
    bench = Bench(shop=MemoryShop(reserved={MARK.email}, admin_at_creation=True))
    bench.put(customer(MARK, ANNA, primary=MARK))
    report = bench.sync()
    assert ("SUPER_ADMIN_EMAIL", MARK.id) in kinds(report)
    assert bench.shop.snapshot() == {}
