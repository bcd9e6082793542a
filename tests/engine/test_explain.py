"""Explanations: what a person is told of one contact, in each situation, and that telling writes nothing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acumatica_b2b import AsyncContactSync, in_threads
from acumatica_b2b.actions import Action, CreateCompany, CreateUser, Step
from acumatica_b2b.decisions import Choice, Decision
from acumatica_b2b.drivers import Parties, Threads
from acumatica_b2b.errors import AuthenticationError, NotSentError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.explaining import Explanation, Mark, Section, explain
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.keys import customer_key
from acumatica_b2b.mapping import contact_record, customer_record
from acumatica_b2b.model import UNSET, Contact, ContactID, Customer, CustomerID, HandOver, SiteAssociation, StorefrontID
from acumatica_b2b.policy import Limits, ProtectedLeaver, SyncPolicy
from acumatica_b2b.protocols import Commit
from acumatica_b2b.steps import record_of
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.terms import Terms
from acumatica_b2b.testing import AsyncErpOf, AsyncShopOf, MemoryErp, MemoryShop, strategies
from tests.bench import (
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
    note,
)

TWIN = contact(105, "Mark")
"""Somebody with Mark's address."""


# ------------------------------------------------------------------ systems with a will of their own
class Losing(MemoryShop):
    """A shop whose answers to creations of companies are lost."""

    def _performed(self, action: Action) -> Outcome[StorefrontID]:
        outcome = super()._performed(action)
        return Failed(OutcomeUnknownError("no answer")) if isinstance(action, CreateCompany) else outcome


class CutOff(BaseException):
    """The end of a process."""


def cut_off() -> None:
    """End the process."""
    raise CutOff


@define
class Away:
    """A system of which some calls don't get through."""

    system: Any
    calls: tuple[str, ...]
    error: Exception = field(factory=lambda: NotSentError("the request to acumatica.example was not sent"))

    def __getattr__(self, name: str) -> Any:
        """Return the system's own, or what fails."""
        return self._fail if name in self.calls else getattr(self.system, name)

    def _fail(self, *_: object) -> Any:
        raise self.error


@define
class Short:
    """An ERP that tells less of one customer than it has."""

    system: MemoryErp
    told: Outcome[Customer | None]

    def __getattr__(self, name: str) -> Any:
        """Return the ERP's own."""
        return getattr(self.system, name)

    def customers(self, ids: Sequence[CustomerID]) -> list[Outcome[Customer | None]]:
        """Return the customer that is told of."""
        return [self.told for _ in ids]


# ------------------------------------------------------------------ asking
def explained(bench: Bench, one: Contact | str, *, erp: Any = None, shop: Any = None) -> Explanation:
    """Return the explanation of a contact; while it is made nothing is written, and no address stands in it."""
    before = _everything(bench)
    parties = Parties(erp=erp or bench.erp, storefront=shop or bench.shop, store=bench.store, clock=bench.clock)
    terms = Terms(policy=bench.policy, capabilities=bench.shop.capabilities, mapping=bench.mapping, run="asked")
    key = one if isinstance(one, str) else one.id
    told = Threads(parties).run(explain(ContactID(key), terms))
    assert _everything(bench) == before
    assert "@" not in repr(told) + str(told)
    return told


def _everything(bench: Bench) -> tuple[Any, ...]:
    """Return all that could be written to."""
    logs = {key: tuple(log) for key, log in bench.store._logs.items()}
    return len(bench.shop.journal), bench.shop.snapshot(), bench.erp.writes, bench.erp.snapshot(), logs


def said(part: Explanation | Section) -> str:
    """Return what is said, in one line."""
    if isinstance(part, Explanation):
        return " ".join(str(part).split())
    return " | ".join(f"{line.text}; {line.way_out}" if line.way_out else line.text for line in part.lines)


def marked(section: Section, mark: Mark) -> list[str]:
    """Return the lines of a section with a mark."""
    return [line.text for line in section.lines if line.mark is mark]


def found(told: Explanation) -> set[str]:
    """Return the kinds of all findings that are told, each once."""
    names = [line.kind for section in told.sections for line in section.lines if line.way_out and line.kind]
    kinds_told = [name for name in names if name in FindingKind.__members__]
    assert len(told.findings) == len(kinds_told)
    return set(kinds_told)


def started(*contacts: Contact, **settings: Any) -> Bench:
    """Return a bench whose company has these contacts, or Mark and Anna; the first is primary."""
    bench = Bench(**settings)
    people = contacts or (MARK, ANNA)
    bench.put(customer(*people, primary=people[0]))
    assert bench.sync().ok
    return bench


# ------------------------------------------------------------------ who is well
def test_the_primary_contact_whom_all_is_well_with() -> None:
    """Of a primary contact in step one is told user, company, evidence, role and whose grant it is: nothing to do."""
    told = explained(bench := started(), MARK)
    user, company = bench.user(MARK).id, bench.company().id
    expected = f"Contact '101' is company user {user} of company {company}, Primary Admin. Nothing to do."
    assert told.summary == expected
    assert "it is the primary contact, who is to be the Primary Admin" in said(told.read)
    assert marked(told.eligibility, Mark.GOOD) == ["takes part"]
    assert marked(told.match, Mark.GOOD) == [
        f"company {company} (Acme), by its link in the log; commerce reference ID and external ID agree",
        f"company user {user}, by its link in the log; external ID, commerce reference ID and e-mail address agree",
    ]
    assert "its role is Primary Admin, given by this library" in said(told.match)
    assert (told.customer, told.takes_part, told.company, told.user) == (HERE, True, company, user)


def test_a_contact_who_is_not_primary() -> None:
    """Of a contact who is not primary one is told who is, and that its role is no Primary Admin's."""
    told = explained(started(), ANNA)
    assert "not the primary contact: that is contact '101'" in said(told.read)
    assert "its role is Senior Buyer, so it is not Primary Admin" in said(told.match)


def test_a_contact_of_a_customer_without_a_primary() -> None:
    """A customer without a primary contact is said to have none, with the finding about it."""
    bench = Bench()
    bench.put(customer(MARK, ANNA))
    told = explained(bench, ANNA)
    assert "not the primary contact: the customer has none" in said(told.read)
    assert found(told) == {"NO_PRIMARY", "COMPANY_WAITS"}
    assert "set a primary contact in Acumatica" in said(told.match)


def test_a_new_contact() -> None:
    """Of a contact that is to become a user one is told the steps, and that they wait for its company."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    told = explained(bench, ANNA)
    assert marked(told.match, Mark.STEP) == [
        "no company yet: the next sync makes it",
        "no company user yet: the next sync makes it",
    ]
    assert marked(told.plan, Mark.STEP) == [
        "create company user Anna Ames as Senior Buyer, once its company is there",
        "write its commerce reference ID to Acumatica, once it is a company user",
    ]
    assert "nothing has happened to it yet" in said(told.outcomes)


def test_a_company_made_with_its_admin() -> None:
    """Where a company is made with its admin, that step is the primary contact's."""
    bench = Bench(shop=MemoryShop(admin_at_creation=True))
    bench.put(customer(MARK, primary=MARK))
    told = explained(bench, MARK)
    assert "create company Acme with Mark Ames as Primary Admin" in said(told.plan)
    assert "no company user yet: the next sync makes it" in said(told.match)


def test_what_happened_to_it() -> None:
    """The last rows of the Customer Log about the contact are told with their time, those of others are not."""
    bench = started()
    bench.change(ANNA, first_name="Anne")
    bench.sync()
    told = explained(bench, ANNA)
    rows = [(line.text, line.at) for line in told.outcomes.lines if line.at]
    mine = [row for row in bench.log() if row.record == contact_record(ANNA.id)]
    assert rows == [(f"{row.what} ({row.id})", row.at) for row in mine]
    assert rows[-1][0].startswith("company user updated")


def test_only_the_last_of_many_outcomes() -> None:
    """Of many outcomes the last eight are told, and how many came before them."""
    bench = started()
    for number in range(9):
        bench.change(ANNA, first_name=f"Anna{number}")
        bench.sync()
    told = explained(bench, ANNA)
    rows = [line for line in told.outcomes.lines if line.at]
    assert len(rows) == 8
    assert rows[0].text.startswith("company user updated")
    assert "3 earlier rows are in the Customer Log" in said(told.outcomes)


# ------------------------------------------------------------------ who takes no part
@pytest.mark.parametrize(
    ("changes", "read", "kind"),
    [
        ({"active": False}, "inactive", "INACTIVE"),
        ({"association": NO}, "not enabled for the site", "NOT_ENABLED"),
        (
            {"association": SiteAssociation(enabled=UNSET)},
            "whether it is enabled for the site did not come back",
            "OPT_IN_UNREADABLE",
        ),
        (
            {"association": SiteAssociation(enabled=True, connection_type="B2C", sites=("EU", "US"))},
            "enabled for the site (EU, US), connection type 'B2C'",
            "CONNECTION_TYPE",
        ),
        ({"email": ""}, "no e-mail address", "MISSING_EMAIL"),
        ({"email": "anna"}, "has an e-mail address", "INVALID_EMAIL"),
        ({"first_name": ""}, "Ames, contact of customer 'C1'", "MISSING_FIRST_NAME"),
        ({"first_name": "", "last_name": " "}, "without a name, contact", "MISSING_FIRST_NAME"),
        ({"last_name": "A" * 101}, "has an e-mail address", "TOO_LONG"),
    ],
)
def test_why_it_takes_no_part(changes: dict[str, Any], read: str, kind: str) -> None:
    """Each reason why a contact takes no part is told with what was read and the way out; there is nothing to do."""
    bench = Bench(policy=SyncPolicy(connection_types=frozenset({"B2B"})))
    bench.put(customer(MARK, evolve(ANNA, **changes), primary=MARK))
    told = explained(bench, ANNA)
    about = FindingKind[kind].about
    assert read in said(told.read)
    assert found(told) == {kind}
    assert marked(told.eligibility, Mark.WAITS)[0] == "takes no part"
    assert about.way_out in said(told.eligibility)
    assert told.summary.startswith("Contact '102' takes no part: ")
    assert not told.takes_part
    assert "nothing to do" in said(told.plan)


def test_several_addresses_in_one_field() -> None:
    """A field with several addresses is told as such, by number; the contact takes part with the first."""
    bench = Bench()
    bench.put(customer(MARK, evolve(ANNA, email="anna@acme.example; a@acme.example"), primary=MARK))
    told = explained(bench, ANNA)
    assert "has 2 e-mail addresses, the first of which is used" in said(told.read)
    assert (told.takes_part, found(told)) == (True, {"EMAIL_LIST"})
    assert told.summary.startswith("Contact '102' is no company user. The next sync would")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"status": "Inactive"}, "its status is 'Inactive'"), ({"guest": True}, "it is a guest customer")],
)
def test_a_customer_that_takes_no_part(fields: dict[str, Any], reason: str) -> None:
    """Where the customer takes no part, that is the reason, told for the contact and for the customer."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK, **fields))
    told = explained(bench, MARK)
    assert told.summary == f"Contact '101' takes no part: its customer takes no part: {reason}. Nothing to do."
    assert found(told) == {"CUSTOMER_FILTERED"}


def test_a_user_whose_contact_became_inactive() -> None:
    """A user whose contact left is told to be removed, in the second pass, counted by the guard."""
    bench = started()
    bench.change(ANNA, active=False)
    told = explained(bench, ANNA)
    assert "Senior Buyer, and takes part no more: it is inactive. The next sync would: remove" in told.summary
    assert "its contact takes part here no more, so it is to go" in said(told.match)
    assert "remove the company user, in the second pass" in said(told.plan)
    assert "“remove the company user” counts among the removals and may go out" in said(told.guard)


def test_a_user_who_keeps_its_contact_s_place() -> None:
    """A user whose contact lost its address is no leaver: it stays as it is, and that is told."""
    bench = started()
    bench.change(ANNA, email="")
    told = explained(bench, ANNA)
    assert "Senior Buyer, which stays as it is: it has no e-mail address. Nothing to do." in told.summary
    assert "its contact is to have none here; it stays as it is" in said(told.match)


def test_a_customer_that_left() -> None:
    """The users of a customer that left stay; the contact is told that, with the way out."""
    bench = started()
    bench.change_customer(status="Inactive")
    told = explained(bench, ANNA)
    assert found(told) == {"CUSTOMER_FILTERED", "CUSTOMER_LEFT"}
    assert told.user == bench.user(ANNA).id
    assert told.steps == 0


# ------------------------------------------------------------------ which company, which user
def test_an_address_that_two_have() -> None:
    """Who loses an address to another contact is told who has it; the winner has nothing to fear."""
    bench = Bench()
    bench.put(customer(MARK, TWIN, primary=MARK))
    told = explained(bench, TWIN)
    assert "its e-mail address goes to contact '101', who has it too" in told.summary
    assert (found(told), found(explained(bench, MARK))) == ({"DUPLICATE_EMAIL"}, set())


def test_an_address_of_another_company() -> None:
    """Who has an address that a user of another company holds is told which company and which user."""
    bench = started()
    other = bench.shop.add_company("Others")
    holder = bench.shop.add_user(other, "bill@acme.example", role="Admin")
    bench.add(BILL)
    bench.sync()
    told = explained(bench, BILL)
    assert f"belongs to company user {holder} of company {other}" in told.summary
    assert found(told) == {"EMAIL_OWNED_ELSEWHERE"}
    assert "Nothing to do." in told.summary


@pytest.mark.parametrize(
    ("forget", "evidence"),
    [
        ((), "by its link in the log; external ID, commerce reference ID and e-mail address agree"),
        (("log",), "by its external ID; commerce reference ID and e-mail address agree"),
        (("log", "external"), "by its commerce reference ID; e-mail address agrees"),
        (("log", "external", "reference"), "by its e-mail address"),
    ],
)
def test_by_what_evidence(forget: tuple[str, ...], evidence: str) -> None:
    """Whatever is lost, the strongest evidence that is left decides, and what agrees with it is told."""
    bench = started()
    company = bench.company()
    if "external" in forget:
        users = tuple(evolve(user, external_id="") for user in company.users)
        bench.shop._put(evolve(company, users=users))
    if "reference" in forget:
        bench.change(ANNA, reference="")
    if "log" in forget:
        bench.store = MemoryStore()
    assert evidence in marked(explained(bench, ANNA).match, Mark.GOOD)[1]


@pytest.mark.parametrize(
    ("forget", "evidence"),
    [
        (("external",), "by its link in the log; commerce reference ID agrees"),
        (("log",), "by its commerce reference ID; external ID agrees"),
        (("log", "reference"), "by its external ID"),
        (("log", "reference", "external"), "by its e-mail addresses of its contacts, which its users have"),
    ],
)
def test_by_what_evidence_a_company_is_its_own(forget: tuple[str, ...], evidence: str) -> None:
    """The same goes for the company; one that is taken over is known by its users' addresses."""
    bench = started(policy=SyncPolicy(adopt_companies=True))
    if "external" in forget:
        bench.shop._put(evolve(bench.company(), external_id=""))
    if "reference" in forget:
        bench.change_customer(reference="")
    if "log" in forget:
        bench.store = MemoryStore()
    assert marked(explained(bench, ANNA).match, Mark.GOOD)[0].endswith(f"(Acme), {evidence}")


def test_a_company_whose_creation_was_never_answered() -> None:
    """A company that was made although the answer was lost is known by the address of its admin."""
    shop = Losing(admin_at_creation=True, keeps_external_id=False)
    bench = Bench(shop=shop)
    bench.put(customer(MARK, primary=MARK))
    bench.sync()
    bench.clock.sleep(1000)
    told = explained(bench, MARK)
    assert "for whom it was made when the answer was lost" in said(told.match)
    assert "CreateCompany was begun and nobody knows what came of it" in said(told.outcomes)


def test_a_company_that_is_ambiguous() -> None:
    """Where two companies answer to the customer, both are named and there is nothing to do."""
    bench = Bench()
    ids = [bench.shop.add_company("Acme", external_id=note(1, 1)) for _ in range(2)]
    bench.put(customer(MARK, primary=MARK))
    told = explained(bench, MARK)
    assert "COMPANY_AMBIGUOUS" in found(told)
    assert all(str(one) in said(told.match) for one in ids)
    assert told.steps == 0


def test_a_user_that_people_deleted() -> None:
    """A user that people deleted in the shop is not made again; one is told so, with the way out."""
    bench = started()
    user = bench.user(ANNA).id
    bench.shop.delete_user(user)
    told = explained(bench, ANNA)
    assert f"no company user: company user {user}, to whom it is linked, is not there" in said(told.match)
    assert found(told) == {"DELETED_IN_SHOP"}
    assert told.steps == 0


def test_a_company_that_people_deleted() -> None:
    """The same goes for a company."""
    bench = started()
    bench.shop.delete_company(bench.company().id)
    told = explained(bench, ANNA)
    assert marked(told.match, Mark.WAITS)[0] == "no company"
    assert "DELETED_IN_SHOP" in found(told)


def test_a_user_whom_people_switched_off() -> None:
    """A user who is switched off is told to be."""
    bench = started(shop=MemoryShop(deactivates=True))
    bench.shop.edit_user(bench.user(ANNA).id, (("active", "no"),))
    assert marked(explained(bench, ANNA).match, Mark.GOOD)[1].endswith(", switched off")


def test_a_foreign_reference() -> None:
    """A foreign value in the reference field is told, and left there."""
    bench = started()
    bench.change(ANNA, reference="X-1")
    told = explained(bench, ANNA)
    assert "commerce reference ID X-1" in said(told.read)
    assert found(told) == {"REFERENCE_CONFLICT"}


def test_a_reference_that_did_not_come_back() -> None:
    """A reference that was asked for and did not come is said to be missing, not empty."""
    bench = started()
    bench.change(ANNA, reference=UNSET)
    assert "its commerce reference ID did not come back" in said(explained(bench, ANNA).read)


# ------------------------------------------------------------------ whose grant
def test_an_admin_whom_people_made() -> None:
    """An admin whom people made is told to be theirs, and the finding says what to do about it."""
    bench = started()
    bench.shop.set_role(bench.user(ANNA).id, "Admin")
    told = explained(bench, ANNA)
    assert "its role is Primary Admin, given by people in the shop" in said(told.match)
    assert "OTHER_ADMIN" in found(told)


def test_an_admin_by_policy() -> None:
    """An admin whose role the policy takes for ours, and one whose other role makes an admin, are told so."""
    bench = started(policy=SyncPolicy(role_is_ours=True, admin_roles=frozenset({"Junior Buyer"})))
    bench.shop.set_role(bench.user(ANNA).id, "Admin")
    assert "taken for given by this library, as the policy says" in said(explained(bench, ANNA).match)
    bench.shop.set_role(bench.user(ANNA).id, "Junior Buyer")
    assert "which makes it an admin as well, given by people in the shop" in said(explained(bench, ANNA).match)


def test_the_next_primary_contact() -> None:
    """Of a hand-over both are told their part, in the right order, counted by the guard."""
    bench = started()
    bench.erp.set_primary(HERE, ANNA.id)
    new, old = explained(bench, ANNA), explained(bench, MARK)
    assert marked(new.plan, Mark.STEP) == ["make the company user Primary Admin"]
    assert marked(old.plan, Mark.STEP) == ["make the company user Senior Buyer, once another user is Primary Admin"]
    assert "counts among the hand-overs and may go out" in said(new.guard)


@pytest.mark.parametrize("hand_over", [HandOver.ATOMIC, HandOver.DEMOTE_FIRST])
def test_a_new_primary_contact_who_is_handed_the_role_later(hand_over: HandOver) -> None:
    """Where a new user can't be made with the role, it gets it once it is there, and one is told so."""
    bench = started(shop=MemoryShop(hand_over=hand_over))
    bench.put(evolve(bench.customer(), contacts=(*bench.customer().contacts, BILL), primary_contact=BILL.id))
    told = explained(bench, BILL)
    assert "make the company user Primary Admin, once it is a company user" in marked(told.plan, Mark.STEP)


def test_a_suspended_leaver() -> None:
    """A leaver who stays with a role that permits nothing is told to have it."""
    policy = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Suspended")
    bench = started(MARK, policy=policy, shop=MemoryShop(roles=("Admin", "Senior Buyer", "Suspended")))
    bench.change(MARK, active=False)
    assert "make the company user Suspended" in said(explained(bench, MARK).plan)
    bench.sync()
    told = explained(bench, MARK)
    assert "its role is Suspended, which permits nothing" in said(told.match)
    assert marked(told.plan, Mark.ACT_NOW) == ["user 2 stays although its contact left: it is the company's last user"]


# ------------------------------------------------------------------ the guard, refusals, leases
def test_what_the_guard_holds_back() -> None:
    """A removal beyond the limit is said to be held, with how much of the limit is spent and the way out."""
    bench = started(MARK, ANNA, BILL, CARL, policy=SyncPolicy(limits=Limits(removals=1)))
    bench.change(BILL, active=False)
    bench.sync()
    bench.change(ANNA, active=False)
    told = explained(bench, ANNA)
    held = "“remove the company user” counts among the removals, of which no more may go out now: it is held"
    assert marked(told.guard, Mark.WAITS) == [held]
    assert "removals 1 of 1" in said(told.guard)
    assert "look at the plan, and approve it if it is right" in said(told.guard)


def test_too_many_of_one_company() -> None:
    """Where too many users of one company are to go, that is told, and that the removal waits for a person."""
    bench = started(MARK, ANNA, BILL, CARL)
    for one in (ANNA, BILL, CARL):
        bench.change(one, active=False)
    told = explained(bench, ANNA)
    assert found(told) >= {"GUARD_HELD", "INACTIVE"}
    assert marked(told.plan, Mark.WAITS) == [
        "remove the company user, once a person approves it",
        "clear its commerce reference ID in Acumatica, once a person approves it",
    ]
    assert told.summary.endswith("Nothing to do, until a person approves it.")


def test_the_limits_of_a_larger_store() -> None:
    """How much of a limit there is follows the size of the store, as it does for the guard."""
    bench = started(*crowd(60))
    assert "removals 0 of 12, hand-overs 0 of 9, e-mail changes 0 of 12" in said(explained(bench, "200").guard)


def refusing_anna(action: Action) -> bool:
    """Refuse to make Anna's user."""
    return isinstance(action, CreateUser) and action.user.contact == ANNA.id


def test_a_contact_who_was_refused() -> None:
    """A refusal is told among the outcomes; the step is still to be done, until it was refused too often."""
    bench = Bench(shop=Refusing(refuses=refusing_anna))
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    told = explained(bench, ANNA)
    assert "not company user created: the shop does not like it" in said(told.outcomes)
    assert told.steps == 2
    for _ in range(4):
        bench.sync()
    told = explained(bench, ANNA)
    assert (told.steps, found(told)) == (0, {"ABORTED"})
    assert FindingKind.ABORTED.about.way_out in said(told.plan)


def test_another_run_at_work() -> None:
    """While another run has the customer one is told until when, and all the rest as it stands now."""
    bench = Bench(shop=MemoryShop(on_write=cut_off))
    bench.put(customer(MARK, ANNA, primary=MARK))
    with pytest.raises(CutOff):
        bench.sync()
    told = explained(bench, ANNA)
    assert told.busy_until == bench.clock.now() + timedelta(seconds=180)
    assert "another run is at work on it, or was cut off: it has it until 12:03:00 UTC" in said(told.outcomes)
    assert told.takes_part


# ------------------------------------------------------------------ what people decided
def decided(bench: Bench, choice: Choice, identifier: str = "") -> None:
    """Record what Sandra decided of Anna."""
    decision = Decision(choice=choice, record=contact_record(ANNA.id), id=identifier)
    bench.contact_sync.decide(HERE, decision, by="Sandra")


def test_a_contact_to_be_skipped() -> None:
    """Of a contact that is to be skipped one is told so, by whom and when, and the way out; its user stays."""
    bench = started()
    bench.change(ANNA, first_name="Anne")
    decided(bench, Choice.SKIP)
    told = explained(bench, ANNA)
    assert (found(told), told.steps, told.user) == ({"SKIPPED"}, 0, bench.user(ANNA).id)
    assert "to be skipped: said by Sandra" in said(told.outcomes)
    decided(bench, Choice.RETRY)
    told = explained(bench, ANNA)
    assert (found(told), told.steps) == (set(), 1)
    assert "somebody said that it is to be tried again" in said(told.outcomes)


def test_a_customer_to_be_skipped() -> None:
    """Of a contact whose customer is to be skipped one is told so; whatever became of it, there is nothing to do."""
    bench = started()
    bench.change(ANNA, active=False)
    decision = Decision(choice=Choice.SKIP, record=customer_record(HERE))
    bench.contact_sync.decide(HERE, decision, by="Sandra")
    told = explained(bench, ANNA)
    assert (found(told), told.takes_part) == ({"SKIPPED"}, False)
    assert told.summary.endswith("somebody said that it is to be skipped: it is left as it is. Nothing to do.")
    bench.change(ANNA, active=True, first_name="Anne")
    assert (explained(bench, ANNA).steps, bench.plan().steps) == (0, ())


def test_a_contact_that_is_somebody_else() -> None:
    """Of a contact that was unlinked one is told which user it is not; of one that was linked, which it is."""
    bench = started()
    user = bench.user(ANNA).id
    decided(bench, Choice.UNLINK)
    told = explained(bench, ANNA)
    assert told.user is None
    assert f"somebody said that it is not company user {user}" in said(told.outcomes)
    decided(bench, Choice.LINK, user)
    told = explained(bench, ANNA)
    assert told.user == user
    assert f"linked by a person ({user}): said by Sandra" in said(told.outcomes)


def test_a_step_that_was_approved() -> None:
    """Of a step beyond the limits that somebody approved one is told that it was."""
    bench = started(policy=SyncPolicy(limits=Limits(removals=0)))
    bench.change(ANNA, active=False)
    bench.contact_sync.approve(bench.plan(), by="Sandra")
    assert "counts among the removals; somebody approved it" in said(explained(bench, ANNA).guard)


# ------------------------------------------------------------------ movers, strangers, outages
def test_a_contact_that_moved() -> None:
    """Of a contact that is another customer's now both customers are told: removed there, then made here."""
    bench = started()
    bench.put(customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.erp.move_contact(ANNA.id, THERE)
    told = explained(bench, ANNA)
    assert told.customer == THERE
    assert "it is no contact of customer 'C1' any more, says Acumatica" in said(told.read)
    here = "at customer 'C1': takes no part: it is another's contact now"
    assert said(told.eligibility) == f"at customer 'C2': takes part | {here}"
    assert "at customer 'C1': remove the company user" in said(told.plan)
    assert "MOVE_WAITS" in found(told)
    assert told.user == bench.user(ANNA).id


def test_a_contact_of_no_customer() -> None:
    """A contact that was detached from its customer is told to be nobody's, and to leave its company."""
    bench = started()
    bench.erp.move_contact(ANNA.id, None)
    told = explained(bench, ANNA)
    assert "Anna Ames, contact of no customer" in said(told.read)
    assert "takes no part: it is nobody's contact now" in said(told.eligibility)
    assert "remove the company user" in told.summary


def test_a_contact_that_never_was_a_customer_s() -> None:
    """A contact of no customer, of whom the log knows nothing, takes no part."""
    bench = started()
    bench.add(BILL)
    bench.erp.move_contact(BILL.id, None)
    told = explained(bench, BILL)
    assert told.summary == "Contact '103' belongs to no customer. Nothing to do."
    assert said(told.eligibility) == "takes no part: it belongs to no customer"


def test_a_contact_that_was_deleted() -> None:
    """Of a deleted contact one is told what becomes of its user, and later what became of it."""
    bench = started()
    bench.erp.remove_contact(ANNA.id)
    told = explained(bench, ANNA)
    assert "Acumatica has no such contact" in said(told.read)
    assert "The next sync would remove the company user." in told.summary
    bench.sync()
    told = explained(bench, ANNA)
    assert told.summary == "Contact '102' is gone from Acumatica. Nothing to do."
    assert "company user removed" in said(told.outcomes)


def test_a_contact_that_nobody_knows() -> None:
    """A contact that neither Acumatica nor the log knows is told to be unknown."""
    told = explained(started(), "999")
    assert told.summary == "Contact '999' is known neither to Acumatica nor to the log."
    assert (told.known, told.customer, told.findings) == (False, None, ())
    assert told.sections == (told.read,)


def test_a_customer_that_was_deleted() -> None:
    """Of a contact whose customer was deleted one is told so, and that its user stays."""
    bench = started()
    bench.erp.remove_customer(HERE)
    told = explained(bench, ANNA)
    assert "customer 'C1' was deleted" in said(told.read)
    assert told.user == bench.user(ANNA).id


def test_an_outage_of_acumatica() -> None:
    """Where Acumatica can't be reached one is told so, and what the log knows; nothing is raised."""
    bench = started()
    erp = Away(bench.erp, ("contacts", "customers"))
    told = explained(bench, ANNA, erp=erp)
    assert told.summary.startswith("Contact '102' can't be explained to the end: the request to acumatica.example")
    assert f"the log links it to company user {bench.user(ANNA).id}" in said(told.match)
    assert "company user created" in said(told.outcomes)
    assert "nothing to do" not in said(told).lower()


def test_a_customer_that_can_t_be_read() -> None:
    """Where the contact can be read and its customer can't, the one is told and the other named."""
    bench = started()
    told = explained(bench, ANNA, erp=Away(bench.erp, ("customers",)))
    assert "Anna Ames, contact of customer 'C1'" in said(told.read)
    assert "customer 'C1' could not be read: " in said(told.read)
    assert "no plan can be made: " in said(told.plan)


def test_a_customer_that_fails_by_itself() -> None:
    """Where the one customer can't be read one is told why; where Acumatica denies having it, that is told."""
    bench = started()
    erp = Short(bench.erp, Failed(RejectedError(Reason.OTHER, "the screen says no")))
    assert "customer 'C1' could not be read: the screen says no" in said(explained(bench, ANNA, erp=erp).read)
    bench.store = MemoryStore()
    told = explained(bench, ANNA, erp=Short(bench.erp, Ok(None)))
    assert "the ERP has no customer 'C1'" in told.summary


def test_a_log_that_can_t_be_read() -> None:
    """Where the customer's log can't be read one is told so, and the rest all the same."""
    bench = started()
    key = customer_key(bench.policy, HERE)
    broken = Commit(key=key, version=len(bench.store._logs[key]) + 1, body="{")
    bench.store.append([broken])
    told = explained(bench, ANNA)
    assert told.trouble == "a commit of the log is no JSON"
    assert "Anna Ames, contact of customer 'C1'" in said(told.read)


def test_a_list_that_does_not_have_it() -> None:
    """A contact that its customer's list lacks, although all was read, is told to be missing there."""
    bench = started()
    kept = tuple(one for one in bench.customer().contacts if one.id != ANNA.id)
    told = explained(bench, ANNA, erp=Short(bench.erp, Ok(evolve(bench.customer(), contacts=kept))))
    assert "the list of contacts of customer 'C1' does not have it" in said(told.read)


def test_an_outage_of_the_shop() -> None:
    """Where the shop can't be reached the reading is told, and that no plan can be made."""
    bench = started()
    told = explained(bench, ANNA, shop=Away(bench.shop, ("observe",)))
    assert "Anna Ames, contact of customer 'C1'" in said(told.read)
    assert "no plan can be made: " in said(told.plan)


def test_a_wrong_credential_ends_it() -> None:
    """A wrong credential is an error here as everywhere: it is the set-up's, not the contact's."""
    bench = started()
    with pytest.raises(AuthenticationError):
        explained(bench, ANNA, erp=Away(bench.erp, ("contacts",), AuthenticationError("no")))
    with pytest.raises(AuthenticationError):
        explained(bench, ANNA, shop=Away(bench.shop, ("observe",), AuthenticationError("no")))


def test_a_mapping_that_raises() -> None:
    """A host's own mapping that raises is named, as in a run."""
    bench = started()

    def broken(*_: Any) -> Any:
        raise KeyError

    bench.mapping = broken
    assert "the mapping of customer 'C1' raised KeyError" in explained(bench, ANNA).summary


def test_a_customer_that_was_not_read_in_full() -> None:
    """Where the customer's contacts could not all be read, that is told; one that is not listed is no leaver."""
    bench = started()
    kept = tuple(one for one in bench.customer().contacts if one.id != ANNA.id)
    erp = Short(bench.erp, Ok(evolve(bench.customer(), contacts=kept, complete=False)))
    told = explained(bench, ANNA, erp=erp)
    assert "the contacts of customer 'C1' could not all be read" in said(told.read)
    assert "READ_INCOMPLETE" in found(told)
    assert told.steps == 0


# ------------------------------------------------------------------ for everybody alike
def test_both_classes_explain_alike() -> None:
    """`ContactSync` and `AsyncContactSync` explain a contact in the very same words."""
    bench = started()
    sides = AsyncErpOf(bench.erp), AsyncShopOf(bench.shop)
    later = AsyncContactSync(erp=sides[0], storefront=sides[1], store=in_threads(bench.store))
    for one in (MARK, ANNA, BILL):
        assert asyncio.run(later.explain(one.id)).plan == bench.contact_sync.explain(one.id).plan
        assert str(asyncio.run(later.explain(one.id))) == str(explained(bench, one))


def test_no_address_is_told() -> None:
    """No e-mail address is told, not even one that stands in a name or in a reference."""
    bench = Bench()
    person = evolve(MARK, last_name="Ames <m@ames.example>", reference="mark@acme.example")
    bench.put(customer(person, primary=person, name="Acme (office@acme.example)"))
    told = explained(bench, MARK)
    assert "customer 'C1' is Acme (<e-mail>), Active" in said(told.read)
    assert "commerce reference ID <e-mail>" in said(told.read)


def test_no_line_is_too_long() -> None:
    """As a text an explanation has at most 100 columns, however long the names are."""
    bench = Bench()
    bench.put(customer(evolve(MARK, last_name="Ames " * 19), primary=MARK, name="Acme " * 30))
    assert max(map(len, str(explained(bench, MARK)).splitlines())) <= 100


# ------------------------------------------------------------------ whatever the world
def about(step: Step, key: ContactID) -> bool:
    """Tell whether a step is about a contact."""
    inline = isinstance(step, CreateCompany) and step.admin is not None and step.admin.contact == key
    return inline or record_of(step) == contact_record(key)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.erps(max_customers=2, max_contacts=5), st.data())
def test_it_says_what_the_plan_says(customers: tuple[Customer, ...], data: st.DataObject) -> None:
    """In any world every contact is told the steps of the plan about it, and nothing to do if there is none."""
    bench = Bench(policy=data.draw(strategies.policies()))
    bench.put(*customers)
    if data.draw(st.booleans()):
        bench.sync()
        for _ in range(data.draw(st.integers(1, 3))):
            strategies.edit(bench.erp, data.draw(strategies.erp_edits(bench.erp)))
    for one in customers:
        for person in one.contacts:
            told = explained(bench, person)
            now = bench.erp.contacts([person.id])[0]
            plan = bench.plan(*sorted({side for side in (told.customer, one.id) if side in bench.erp.snapshot()}))
            steps = [step for step in plan.steps if about(step, person.id)]
            assert len(told.plan.lines) >= told.steps == len(steps), now
            assert ("nothing to do" in said(told).lower()) == (told.known and not steps)
