"""What people decide about a record, and what the next run makes of it."""

import pytest
from attrs import evolve

from acumatica_b2b import (
    ContactSync,
    CreateCompany,
    CreateUser,
    Decision,
    DecisionError,
    RemoveAddress,
    SyncPolicy,
    UpdateCompany,
)
from acumatica_b2b.decisions import Choice
from acumatica_b2b.model import (
    CompanyID,
    CompanyUser,
    CustomerID,
    HandOver,
    LocationID,
    Record,
    RecordKind,
    UserID,
)
from acumatica_b2b.policy import ExistingShoppers
from acumatica_b2b.terms import LeftToAnotherError
from acumatica_b2b.testing import Crash, Fault, FaultyShop, MemoryShop, whenever
from tests.bench import ANNA, BILL, HERE, MARK, THERE, Bench, Refusing, customer, done, kinds, location


def of(one: object) -> Record:
    """Return a contact's record."""
    return Record(RecordKind.CONTACT, one.id)  # type: ignore[attr-defined]  # a contact


ACME = Record(RecordKind.CUSTOMER, HERE)


def started(*contacts: object, **settings: object) -> Bench:
    """Return a bench whose one customer is synced."""
    bench = Bench(**settings)  # type: ignore[arg-type]  # as given
    bench.put(customer(*(contacts or (MARK, ANNA)), primary=MARK))  # type: ignore[arg-type]  # contacts
    assert bench.sync().ok
    return bench


def say(bench: Bench, choice: Choice, record: Record, identifier: str = "", key: CustomerID = HERE) -> None:
    """Decide something."""
    bench.contact_sync.decide(key, Decision(choice=choice, record=record, id=identifier), by="kim")


def delete_address(bench: Bench) -> None:
    """Delete the company's one address by hand."""
    company = bench.company()
    (address,) = company.addresses
    bench.shop.perform([RemoveAddress(company=company.id, id=address.id, location=LocationID(""))])


def wipe_external_id(bench: Bench, company: CompanyID) -> None:
    """Take a company's external id away by hand."""
    changes = (("external_id", ""),)
    bench.shop.perform([UpdateCompany(company=company, customer=CustomerID(""), changes=changes)])


def user_of(bench: Bench, user: UserID) -> CompanyUser:
    """Return a company user by its id."""
    return next(one for company in bench.shop.snapshot().values() for one in company.users if one.id == user)


# ------------------------------------------------------------------ retry
def test_what_people_deleted_is_made_again_after_retry() -> None:
    """A company user whom people deleted is made again once somebody says retry, and only then."""
    bench = started()
    bench.shop.delete_user(bench.user(ANNA).id)
    assert ("DELETED_IN_SHOP", ANNA.id) in kinds(bench.sync())
    say(bench, Choice.RETRY, of(ANNA))
    assert done(bench.sync()) == ["CreateUser 102", "WriteReference 102"]
    bench.shop.delete_user(bench.user(ANNA).id)
    assert ("DELETED_IN_SHOP", ANNA.id) in kinds(bench.sync())


def test_a_deleted_company_is_made_again_with_all_its_users() -> None:
    """Retry of a customer makes its company again, users and addresses included."""
    bench = started(shop=MemoryShop(addresses=True))
    bench.change_customer(locations=(location(),))
    bench.sync()
    bench.shop.delete_company(bench.company().id)
    assert ("DELETED_IN_SHOP", HERE) in kinds(bench.sync())
    say(bench, Choice.RETRY, ACME)
    assert bench.sync().ok
    assert {user.first_name for user in bench.company().users} == {"Mark", "Anna"}
    assert set(bench.addresses()) == {"Main"}
    assert bench.sync().steps == ()


def test_a_deleted_address_is_made_again_after_retry() -> None:
    """An address that people deleted is made again once somebody says retry of its location."""
    bench = started(shop=MemoryShop(addresses=True))
    bench.change_customer(locations=(location(),))
    bench.sync()
    delete_address(bench)
    assert ("DELETED_IN_SHOP", "MAIN") in kinds(bench.sync())
    say(bench, Choice.RETRY, Record(RecordKind.LOCATION, "MAIN"))
    assert bench.sync().ok
    assert set(bench.addresses()) == {"Main"}


def test_aborted_steps_are_tried_again_after_retry() -> None:
    """What was refused too often is tried again when somebody says retry, of the record or of its customer."""
    for record in (of(ANNA), ACME):
        shop = Refusing(refuses=lambda action: isinstance(action, CreateUser) and action.user.contact == ANNA.id)
        bench = Bench(shop=shop)
        bench.put(customer(MARK, ANNA, primary=MARK))
        for _ in range(6):
            report = bench.sync()
        assert ("ABORTED", ANNA.id) in kinds(report)
        shop.refuses = lambda _: False
        assert bench.sync().steps == ()
        say(bench, Choice.RETRY, record)
        assert bench.sync().ok
        assert bench.find_user(ANNA)


def test_retry_of_one_record_leaves_the_tries_of_another() -> None:
    """Retry of Anna says nothing of Bill, who was refused as often."""
    shop = Refusing(refuses=lambda action: isinstance(action, CreateUser) and action.user.contact != MARK.id)
    bench = Bench(shop=shop)
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    for _ in range(6):
        bench.sync()
    shop.refuses = lambda _: False
    say(bench, Choice.RETRY, of(ANNA))
    assert ("ABORTED", BILL.id) in kinds(bench.sync())
    assert bench.find_user(ANNA)
    assert not bench.find_user(BILL)


def test_a_held_shopper_is_adopted_after_retry() -> None:
    """A contact held for a shopper's address becomes the user when somebody says retry."""
    bench = started(MARK, policy=SyncPolicy(existing_shoppers=ExistingShoppers.HOLD))
    bench.shop.shoppers[ANNA.email] = "77"
    bench.add(ANNA)
    assert ("SHOPPER_HELD", ANNA.id) in kinds(bench.sync())
    say(bench, Choice.RETRY, of(ANNA))
    assert bench.sync().ok
    assert bench.find_user(ANNA)


# ------------------------------------------------------------------ skip
def test_a_skipped_contact_is_left_as_it_is() -> None:
    """Nobody makes, changes or removes the user of a contact that is skipped, until somebody says retry."""
    bench = started()
    say(bench, Choice.SKIP, of(ANNA))
    bench.change(ANNA, first_name="Anne", active=False)
    report = bench.sync()
    assert report.steps == ()
    assert kinds(report) == {("SKIPPED", ANNA.id)}
    bench.change(ANNA, active=True)
    say(bench, Choice.RETRY, of(ANNA))
    assert done(bench.sync()) == ["UpdateUser 102"]
    assert bench.user(ANNA).first_name == "Anne"


def test_a_skipped_contact_gets_no_user() -> None:
    """A new contact that is skipped at once never becomes a user; the others do."""
    bench = started()
    bench.add(BILL)
    say(bench, Choice.SKIP, of(BILL))
    assert bench.sync().steps == ()
    assert not bench.find_user(BILL)


def test_a_skipped_primary_contact_keeps_what_it_has() -> None:
    """Who is Primary Admin and skipped stays so; who is not yet does not become it."""
    bench = started()
    say(bench, Choice.SKIP, of(MARK))
    assert bench.sync().steps == ()
    assert bench.admins() == {"mark"}
    bench.change_customer(primary_contact=ANNA.id)
    say(bench, Choice.SKIP, of(ANNA))
    assert ("PRIMARY_NOT_ELIGIBLE", HERE) in kinds(bench.sync())
    assert bench.admins() == {"mark"}


def test_a_skipped_customer_is_left_as_it_is() -> None:
    """Of a skipped customer nothing is changed, whatever changes in Acumatica; a plan says so too."""
    bench = started()
    say(bench, Choice.SKIP, ACME)
    bench.add(BILL)
    bench.change(ANNA, active=False)
    assert bench.plan().steps == ()
    report = bench.sync()
    assert report.steps == ()
    assert kinds(report) == {("SKIPPED", HERE)}
    say(bench, Choice.RETRY, ACME)
    assert bench.sync().ok
    assert set(bench.roles()) == {"mark", "bill"}


def test_a_skipped_location_keeps_its_address() -> None:
    """The address of a skipped location is neither changed nor removed."""
    bench = started(shop=MemoryShop(addresses=True))
    bench.change_customer(locations=(location(),))
    bench.sync()
    say(bench, Choice.SKIP, Record(RecordKind.LOCATION, "MAIN"))
    bench.change_customer(locations=(location(name="Other"),))
    assert bench.sync().steps == ()
    assert set(bench.addresses()) == {"Main"}


def test_retry_of_a_customer_ends_the_skips_of_its_records() -> None:
    """What was skipped of a customer is synced again when somebody says retry of the customer."""
    bench = started()
    say(bench, Choice.SKIP, of(ANNA))
    bench.change(ANNA, first_name="Anne")
    assert bench.sync().steps == ()
    say(bench, Choice.RETRY, ACME)
    assert done(bench.sync()) == ["UpdateUser 102"]


# ------------------------------------------------------------------ link and unlink
def test_a_linked_user_becomes_the_contacts() -> None:
    """A user whom somebody links to a contact gets its values, where no rule would have found it."""
    bench = started(MARK)
    made = bench.shop.add_user(bench.company().id, "someone@else.example", role="Junior Buyer")
    bench.add(ANNA)
    say(bench, Choice.LINK, of(ANNA), made)
    assert bench.sync().ok
    assert bench.user(ANNA).id == made
    assert bench.user(ANNA).email == "anna@acme.example"
    assert bench.contact(ANNA).reference == made
    assert len(bench.company().users) == 2


def test_an_unlinked_user_is_nobodys_and_stays_so() -> None:
    """A pair that somebody parted is not found again by external id, reference or e-mail address."""
    bench = started()
    user = bench.user(ANNA).id
    say(bench, Choice.UNLINK, of(ANNA))
    bench.change(ANNA, last_name="Other")
    for _ in range(2):
        report = bench.sync()
        assert ("EMAIL_OWNED_ELSEWHERE", ANNA.id) in kinds(report)
    assert user_of(bench, user).last_name == "Ames"
    bench.change(ANNA, active=False)
    bench.sync()
    assert user_of(bench, user)
    bench.change(ANNA, active=True)
    say(bench, Choice.LINK, of(ANNA), user)
    assert bench.sync().ok
    assert user_of(bench, user).last_name == "Other"


def test_an_unlinked_admin_is_a_foreign_one() -> None:
    """The Primary Admin's role of a user who was unlinked is ours no more: it is left, and told."""
    bench = started(shop=MemoryShop(hand_over=HandOver.PROMOTE_FIRST))
    say(bench, Choice.UNLINK, of(MARK))
    bench.change_customer(primary_contact=ANNA.id)
    assert ("OTHER_ADMIN", HERE) in kinds(bench.sync())
    assert bench.admins() == {"mark", "anna"}


@pytest.mark.parametrize(
    ("choice", "record", "identifier", "words"),
    [
        (Choice.LINK, of(ANNA), "99", "has no company user '99'"),
        (Choice.LINK, of(ANNA), "MARK", "is linked to contact '101'; unlink that first"),
        (Choice.LINK, of(BILL), "99", "is not one of customer 'C1'"),
        (Choice.LINK, ACME, "1", "say adopt"),
        (Choice.UNLINK, ACME, "", "say adopt"),
        (Choice.ADOPT, of(ANNA), "1", "say link"),
        (Choice.ADOPT, ACME, "99", "no company '99'"),
        (Choice.ADOPT, ACME, "THERE", "another customer's external id"),
        (Choice.RETRY, of(BILL), "", "is not one of customer 'C1'"),
        (Choice.SKIP, Record(RecordKind.LOCATION, "MAIN"), "", "is not one of customer 'C1'"),
    ],
)
def test_what_does_not_fit_is_refused(choice: Choice, record: Record, identifier: str, words: str) -> None:
    """A decision that does not fit what there is names record and way out, and leaves no trace."""
    bench = started()
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.sync()
    ids = {"MARK": bench.user(MARK).id, "THERE": bench.company(THERE).id}
    before = bench.versions()
    with pytest.raises(DecisionError, match=words):
        say(bench, choice, record, ids.get(identifier, identifier))
    assert bench.versions() == before


def test_unlinking_what_is_not_linked_is_refused() -> None:
    """A contact without a user can't be unlinked."""
    bench = started()
    bench.add(evolve(BILL, email=""))
    with pytest.raises(DecisionError, match="linked to nothing"):
        say(bench, Choice.UNLINK, of(BILL))


def test_a_contact_of_another_company_is_not_linked_twice() -> None:
    """Who has a user in another customer's company can't be linked here before it is unlinked there."""
    bench = started()
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.sync()
    made = bench.shop.add_user(bench.company().id, "someone@else.example", role="Junior Buyer")
    bench.erp.move_contact(BILL.id, HERE)
    with pytest.raises(DecisionError, match="of customer 'C2'; unlink that first"):
        say(bench, Choice.LINK, of(BILL), made)


def test_a_customer_that_acumatica_lacks_is_named() -> None:
    """Nothing can be decided of a customer that does not exist."""
    with pytest.raises(DecisionError, match="no customer 'C9'"):
        say(started(), Choice.RETRY, ACME, key=CustomerID("C9"))


def test_a_decision_waits_for_the_run_at_work() -> None:
    """While a run's lease is running, a decision about its customer is refused, with the time to come back."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK))
    dying = FaultyShop(bench.shop, whenever(lambda what: isinstance(what, CreateUser), Fault.CRASH_AFTER))
    with pytest.raises(Crash):
        ContactSync(erp=bench.erp, storefront=dying, store=bench.store, clock=bench.clock, workers=1).sync_all()
    with pytest.raises(LeftToAnotherError, match="until"):
        say(bench, Choice.SKIP, of(MARK))


def test_a_decision_after_a_crash_keeps_what_is_open() -> None:
    """A decision between a crash and the next run hides nothing: what was begun is looked for first."""
    bench = Bench(shop=MemoryShop(admin_at_creation=True, keeps_external_id=False))
    bench.put(customer(MARK, ANNA, primary=MARK))
    dying = FaultyShop(bench.shop, whenever(lambda what: isinstance(what, CreateCompany), Fault.CRASH_AFTER))
    with pytest.raises(Crash):
        ContactSync(erp=bench.erp, storefront=dying, store=bench.store, clock=bench.clock, workers=1).sync_all()
    bench.clock.sleep(bench.policy.lease + 1)
    say(bench, Choice.SKIP, of(ANNA))
    bench.sync()
    assert len(bench.shop.snapshot()) == 1
    assert set(bench.roles()) == {"mark"}


# ------------------------------------------------------------------ adopt
def test_an_adopted_company_is_the_customers() -> None:
    """A company that somebody has a customer adopt becomes its own, and its users those of its contacts."""
    bench = Bench()
    company = bench.shop.add_company("Old Acme")
    old = bench.shop.add_user(company, "anna@acme.example", role="Junior Buyer")
    bench.put(customer(MARK, ANNA, primary=MARK))
    say(bench, Choice.ADOPT, ACME, company)
    assert bench.sync().ok
    assert bench.company().id == company
    assert bench.user(ANNA).id == old
    assert bench.customer().reference == company
    assert bench.sync().steps == ()


def test_adopting_another_company_matches_everybody_anew() -> None:
    """A customer that adopts another company has its users there; those of the first one stay as they are."""
    bench = started()
    first = bench.company()
    second = bench.shop.add_company("Second")
    wipe_external_id(bench, first.id)
    for user in first.users:
        bench.shop.edit_user(user.id, (("email", f"old-{user.id}@acme.example"), ("external_id", "")))
    say(bench, Choice.ADOPT, ACME, second)
    assert bench.sync().ok
    assert bench.company().id == second
    assert set(bench.roles()) == {"mark", "anna"}
    assert len(bench.shop.snapshot()[first.id].users) == 2


def test_another_company_is_not_adopted_beside_the_first() -> None:
    """While the customer's company stands and bears its external id, no other one is adopted."""
    bench = started()
    second = bench.shop.add_company("Second")
    with pytest.raises(DecisionError, match="is customer 'C1''s still; delete it in the shop"):
        say(bench, Choice.ADOPT, ACME, second)


def test_an_unlinked_address_stays_apart() -> None:
    """An address that somebody parted from its location is not found again by its external id."""
    bench = started(shop=MemoryShop(addresses=True))
    bench.change_customer(locations=(location(),))
    bench.sync()
    (old,) = bench.company().addresses
    say(bench, Choice.UNLINK, Record(RecordKind.LOCATION, "MAIN"))
    bench.change_customer(locations=(location(name="Other"),))
    bench.sync()
    assert next(one for one in bench.company().addresses if one.id == old.id).label == "Main"


def test_what_is_made_again_is_made_once() -> None:
    """Retry of a record that people deleted makes it again once, whatever else is open at its customer."""
    bench = started()
    bench.add(evolve(BILL, email=""))
    bench.shop.delete_user(bench.user(ANNA).id)
    bench.sync()
    say(bench, Choice.RETRY, of(ANNA))
    bench.sync()
    bench.shop.delete_user(bench.user(ANNA).id)
    assert ("DELETED_IN_SHOP", ANNA.id) in kinds(bench.sync())


def test_a_company_of_another_customer_is_not_adopted() -> None:
    """A company that the log gives to another customer can't be adopted, though its external id is gone."""
    bench = started()
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.sync()
    other = bench.company(THERE).id
    wipe_external_id(bench, other)
    with pytest.raises(DecisionError, match="belongs to customer 'C2'; have that one adopt another first"):
        say(bench, Choice.ADOPT, ACME, other)


# ------------------------------------------------------------------ what is told
def test_decisions_stand_in_the_customer_log() -> None:
    """The Customer Log says who decided what, and when."""
    bench = started()
    say(bench, Choice.SKIP, of(ANNA))
    row = bench.log()[-1]
    assert (row.record, row.what, row.message) == (of(ANNA), "to be skipped", "said by kim")


def test_a_decided_customer_is_looked_at_by_the_next_run_of_changes() -> None:
    """A run by changes looks at a customer that somebody decided about, though nothing changed in Acumatica."""
    bench = started()
    bench.shop.delete_user(bench.user(ANNA).id)
    bench.sync()
    bench.contact_sync.sync_changed()
    say(bench, Choice.RETRY, of(ANNA))
    assert done(bench.contact_sync.sync_changed())[0] == "CreateUser 102"


@pytest.mark.parametrize("choice", [Choice.RETRY, Choice.SKIP])
def test_a_decision_writes_to_neither_system(choice: Choice) -> None:
    """A decision is an entry in the log and nothing else."""
    bench = started()
    before = len(bench.shop.journal)
    say(bench, choice, of(ANNA))
    assert len(bench.shop.journal) == before
