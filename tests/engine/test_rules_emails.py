"""E-mail changes, chains and swaps; contacts that move to another customer."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b.actions import Action, CreateUser, RemoveUser, UpdateUser
from acumatica_b2b.findings import Status
from acumatica_b2b.model import CompanyUser, Contact
from acumatica_b2b.policy import Limits, SyncPolicy
from acumatica_b2b.testing import MemoryShop
from tests.bench import (
    ANNA,
    BILL,
    CARL,
    HERE,
    MARK,
    THERE,
    Bench,
    Refusing,
    Rewriting,
    contact,
    crowd,
    customer,
    done,
    finding,
    kinds,
)


def started(**settings: Any) -> Bench:
    """Return a bench with two companies: Mark and Anna here, Bill and Carl there."""
    bench = Bench(**settings)
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))
    assert bench.sync().ok
    return bench


def changed_emails(bench: Bench, *, after: int) -> list[str]:
    """Return whose address was changed, in order, since so many actions."""
    journal = bench.shop.journal[after:]
    return [a.contact for a in journal if isinstance(a, UpdateUser) and "email" in dict(a.changes)]


def rename(bench: Bench, **emails: str) -> None:
    """Give contacts other addresses, by first name: mark="anna" gives Mark Anna's."""
    people = {one.first_name.lower(): one for one in (MARK, ANNA, BILL, CARL)}
    for name, email in emails.items():
        bench.change(people[name], email=f"{email}@acme.example")


# ------------------------------------------------------------------ changes
def test_change() -> None:
    """A changed address is changed on the same user."""
    bench = started()
    user = bench.user(ANNA)
    rename(bench, anna="ann")
    assert done(bench.sync()) == ["UpdateUser 102"]
    assert bench.user(ANNA) == evolve(user, email="ann@acme.example")


def test_change_of_case() -> None:
    """A change of case is no change."""
    bench = started()
    bench.change(ANNA, email="ANNA@Acme.Example")
    assert done(bench.sync()) == []


def test_case_in_the_shop() -> None:
    """A user whose address people wrote in capitals has the right one."""
    bench = started()
    bench.shop.edit_user(bench.user(ANNA).id, (("email", "Anna@Acme.Example"),))
    assert done(bench.sync()) == []


def test_shop_that_writes_addresses_its_own_way() -> None:
    """A shop that keeps addresses in capitals is not written to for ever."""

    def capitals(user: CompanyUser) -> CompanyUser:
        return evolve(user, email=user.email.upper())

    bench = started(shop=Rewriting(capitals).shop())
    assert done(bench.sync()) == []
    rename(bench, anna="ann")
    bench.sync()
    assert done(bench.sync()) == []


def test_change_by_hand_is_put_back() -> None:
    """An address that people changed in the shop is put back."""
    bench = started()
    bench.shop.edit_user(bench.user(ANNA).id, (("email", "other@acme.example"),))
    bench.sync()
    assert bench.user(ANNA).email == ANNA.email


def test_change_that_does_not_take() -> None:
    """Every e-mail change is read back: one that the shop confirmed and did not make is told, run after run."""
    deaf = _Deaf()
    bench = started(shop=deaf)
    rename(bench, anna="ann")
    report = bench.sync()
    assert bench.user(ANNA).email == ANNA.email
    assert ANNA.id in {record for _, record in kinds(report)}


class _Deaf(MemoryShop):
    """A shop that confirms e-mail changes and does not make them."""

    def _do(self, action: Action) -> Any:
        if isinstance(action, UpdateUser):
            action = evolve(action, changes=tuple(c for c in action.changes if c[0] != "email"))
        return super()._do(action)


def test_shop_that_can_t_change_addresses() -> None:
    """Where the shop can't change an address: EMAIL_FIXED, the user stays, its other fields follow."""
    bench = started(shop=MemoryShop(changes_email=False))
    bench.change(ANNA, email="ann@acme.example", last_name="Bell")
    report = bench.sync()
    assert finding(report, "EMAIL_FIXED", ANNA.id).status is Status.HELD
    assert (bench.user(ANNA).email, bench.user(ANNA).last_name) == (ANNA.email, "Bell")
    assert report.ok


@pytest.mark.parametrize("recreate", [True, False])
def test_way_out_of_an_address_that_can_t_be_changed(*, recreate: bool) -> None:
    """What EMAIL_FIXED says is true: a user removed in the shop is made anew where the policy recreates, else not."""
    bench = started(shop=MemoryShop(changes_email=False), policy=SyncPolicy(recreate_deleted=recreate))
    rename(bench, anna="ann")
    report = bench.sync()
    bench.shop.delete_user(bench.user(ANNA).id)
    bench.sync()
    assert ("ann" in bench.roles()) is recreate
    assert "recreate_deleted" in finding(report, "EMAIL_FIXED", ANNA.id).way_out


def test_email_not_owned() -> None:
    """Where the policy does not own the address, it is set on creation and never changed."""
    bench = started(policy=SyncPolicy(owned_user_fields=frozenset({"first_name", "last_name"})))
    rename(bench, anna="ann")
    report = bench.sync()
    assert done(report) == []
    assert report.findings == ()
    assert bench.user(ANNA).email == ANNA.email


def test_freed_address() -> None:
    """An address that its holder gives up goes to a new contact in the same run."""
    bench = started()
    rename(bench, anna="ann")
    bench.add(contact(105, "Zoe", email=ANNA.email))
    bench.sync()
    assert (bench.user(ANNA).email, bench.user(contact(105)).email) == ("ann@acme.example", ANNA.email)


def test_freed_by_a_leaver() -> None:
    """An address that a leaver gives up goes to a new contact in the same run."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, *crowd(3), primary=MARK))
    bench.sync()
    bench.change(ANNA, active=False, email="anna@home.example")
    bench.add(contact(105, "Zoe", email=ANNA.email))
    bench.sync()
    holder = bench.user(contact(105))
    assert holder.email == ANNA.email
    assert bench.find_user(ANNA) is None


# ------------------------------------------------------------------ chains
def test_chain_in_a_company() -> None:
    """In a chain each address is released before it is claimed, in one run."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, BILL, primary=MARK))
    bench.sync()
    began = len(bench.shop.journal)
    rename(bench, mark="anna", anna="bill", bill="free")
    assert bench.sync().ok
    assert [bench.user(one).email for one in (MARK, ANNA, BILL)] == [ANNA.email, BILL.email, "free@acme.example"]
    assert changed_emails(bench, after=began) == [BILL.id, ANNA.id, MARK.id]


@pytest.mark.parametrize("names", [{"anna": "carl", "carl": "free"}, {"carl": "anna", "anna": "free"}], ids=str)
def test_chain_across_companies(names: dict[str, str]) -> None:
    """A chain across companies is done in one run, whoever comes first, and at its end nothing is Held or Failed."""
    bench = started()
    rename(bench, **names)
    report = bench.sync()
    assert {bench.user(one).email for one in (ANNA, CARL)} == {f"{name}@acme.example" for name in names.values()}
    assert report.findings == ()


def test_chain_across_companies_fails_nobody() -> None:
    """A run that did all of a chain across companies did not fail."""
    bench = started()
    rename(bench, anna="carl", carl="free")
    assert bench.sync().ok


def test_long_chain_across_companies() -> None:
    """A chain through three companies is done in one run."""
    bench = started()
    dora = contact(105, "Dora")
    bench.put(customer(dora, number=3, primary=dora))
    bench.sync()
    bench.change(dora, email="free@acme.example")
    rename(bench, anna="carl", carl="dora")
    report = bench.sync()
    assert [bench.user(one).email for one in (ANNA, CARL, dora)] == [CARL.email, dora.email, "free@acme.example"]
    assert report.findings == ()


def test_chain_that_ends_nowhere() -> None:
    """A chain whose last address is a stranger's is Held, each link of it naming who has its address."""
    bench = started()
    other = bench.shop.add_company("Other")
    stranger = bench.shop.add_user(other, "taken@acme.example", role="Senior Buyer")
    rename(bench, mark="anna", anna="taken")
    report = bench.sync()
    assert stranger in finding(report, "EMAIL_OWNED_ELSEWHERE", ANNA.id).detail
    assert bench.user(ANNA).id in finding(report, "EMAIL_OWNED_ELSEWHERE", MARK.id).detail
    assert [bench.user(one).email for one in (MARK, ANNA)] == [MARK.email, ANNA.email]


# ------------------------------------------------------------------ swaps
def test_swap() -> None:
    """Two users of a company can't swap addresses: EMAIL_CYCLE, Held, each naming both; their other fields follow."""
    bench = started()
    rename(bench, mark="anna", anna="mark")
    bench.change(ANNA, last_name="Bell")
    report = bench.sync()
    for one in (MARK, ANNA):
        found = finding(report, "EMAIL_CYCLE", one.id)
        assert found.status is Status.HELD
        assert MARK.id in found.detail
        assert ANNA.id in found.detail
    assert [bench.user(one).email for one in (MARK, ANNA)] == [MARK.email, ANNA.email]
    assert bench.user(ANNA).last_name == "Bell"


def test_ring_of_three() -> None:
    """A ring of three is Held, all named; who only waits for one of them is EMAIL_OWNED_ELSEWHERE."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, BILL, CARL, primary=MARK))
    bench.sync()
    rename(bench, mark="anna", anna="bill", bill="mark")
    report = bench.sync()
    assert kinds(report) == {("EMAIL_CYCLE", one.id) for one in (MARK, ANNA, BILL)}
    for one in (MARK, ANNA, BILL):
        assert all(other.id in finding(report, "EMAIL_CYCLE", one.id).detail for other in (MARK, ANNA, BILL))


def test_swap_across_companies() -> None:
    """Two users of two companies can't swap addresses: EMAIL_CYCLE, Held, each naming both."""
    bench = started()
    rename(bench, anna="carl", carl="anna")
    report = bench.sync()
    assert [bench.user(one).email for one in (ANNA, CARL)] == [ANNA.email, CARL.email]
    for one in (ANNA, CARL):
        found = finding(report, "EMAIL_CYCLE", one.id)
        assert ANNA.id in found.detail
        assert CARL.id in found.detail


def test_broken_swap() -> None:
    """Once one of two gets a temporary address in the ERP, the swap is done."""
    bench = started()
    rename(bench, mark="anna", anna="mark")
    bench.sync()
    rename(bench, anna="temporary")
    bench.sync()
    rename(bench, anna="mark")
    assert bench.sync().findings == ()
    assert [bench.user(one).email for one in (MARK, ANNA)] == [ANNA.email, MARK.email]


# ------------------------------------------------------------------ the guard on changes
def test_email_changes_are_guarded() -> None:
    """E-mail changes over the limit are Held; names and phones follow all the same; a day later they go out."""
    bench = started(policy=SyncPolicy(limits=Limits(email_changes=1)))
    bench.change(MARK, email="m@acme.example", last_name="Bell")
    bench.change(ANNA, email="a@acme.example", last_name="Bell")
    report = bench.sync()
    assert [bench.user(one).email for one in (MARK, ANNA)] == [MARK.email, ANNA.email]
    assert {bench.user(one).last_name for one in (MARK, ANNA)} == {"Bell"}
    assert ("GUARD_HELD", HERE) in kinds(report)
    assert report.held


# ------------------------------------------------------------------ moves
def moving(one: Contact = ANNA, **settings: Any) -> Bench:
    """Return a bench on which a contact has just moved from the first customer to the second."""
    bench = started(**settings)
    bench.erp.move_contact(one.id, THERE)
    return bench


def test_move() -> None:
    """A contact that moved is removed from its old company and made in its new one, in one run."""
    bench = moving()
    report = bench.sync()
    assert set(bench.roles(HERE)) == {"mark"}
    assert bench.roles(THERE) == {"bill": "Admin", "carl": "Senior Buyer", "anna": "Senior Buyer"}
    assert bench.contact(ANNA).reference == bench.user(ANNA).id
    assert report.findings == ()
    assert report.ok


def test_move_removes_first() -> None:
    """The mover is removed there before it is made here: its address is never held twice."""
    bench = moving()
    bench.sync()
    acts = [type(a) for a in bench.shop.journal if isinstance(a, CreateUser | RemoveUser)]
    assert acts[-2:] == [RemoveUser, CreateUser]


@pytest.mark.parametrize("only", [HERE, THERE])
def test_move_seen_from_one_side(only: str) -> None:
    """Whichever of the two customers is synced, the other joins the run."""
    bench = moving()
    bench.sync(HERE if only == HERE else THERE)
    assert "anna" not in bench.roles(HERE)
    assert "anna" in bench.roles(THERE)


def test_move_then_rest() -> None:
    """After a move nothing is left to do."""
    bench = moving()
    bench.sync()
    report = bench.sync()
    assert done(report) == []
    assert report.findings == ()


def test_move_of_the_last_user() -> None:
    """The mover is the old company's last user: MOVE_BLOCKED_LAST_USER, to be acted on now, and nothing is lost."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.erp.move_contact(MARK.id, THERE)
    report = bench.sync()
    found = finding(report, "MOVE_BLOCKED_LAST_USER", HERE)
    assert found.act_now
    assert MARK.id in found.detail
    assert ("MOVE_WAITS", MARK.id) in kinds(report)
    assert set(bench.roles(HERE)) == {"mark"}
    assert set(bench.roles(THERE)) == {"bill"}


def test_blocked_move_goes_on() -> None:
    """A blocked move is made once the old company has another user and another admin."""
    bench = Bench()
    bench.put(customer(MARK, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.erp.move_contact(MARK.id, THERE)
    bench.sync()
    bench.add(ANNA)
    bench.add(CARL)
    bench.erp.set_primary(HERE, ANNA.id)
    for _ in range(2):
        report = bench.sync()
    assert bench.roles(HERE) == {"anna": "Admin", "carl": "Senior Buyer"}
    assert "mark" in bench.roles(THERE)
    assert report.ok


def test_move_of_the_admin() -> None:
    """The old company's last admin does not move before another may be admin."""
    bench = moving(MARK)
    report = bench.sync()
    assert bench.admins(HERE) == {"mark"}
    assert ("MOVE_WAITS", MARK.id) in kinds(report)
    bench.erp.set_primary(HERE, ANNA.id)
    bench.sync()
    assert bench.roles(HERE) == {"anna": "Admin"}
    assert "mark" in bench.roles(THERE)


def test_move_with_a_new_address() -> None:
    """A contact that moved and changed its address is one person still: removed there, made here."""
    bench = moving()
    rename(bench, anna="new")
    bench.sync()
    assert set(bench.roles(HERE)) == {"mark"}
    assert "new" in bench.roles(THERE)


def test_move_where_users_are_switched_off() -> None:
    """Where leavers are switched off a mover is removed all the same: its address is needed in its new company."""
    bench = moving(shop=MemoryShop(deactivates=True))
    report = bench.sync()
    assert set(bench.roles(HERE)) == {"mark"}
    assert "anna" in bench.roles(THERE)
    assert bench.user(ANNA).active
    assert report.findings == ()


def test_move_is_guarded() -> None:
    """A mover's removal is counted by the guard: Held there, and not made here."""
    bench = moving(policy=SyncPolicy(limits=Limits(removals=0)))
    report = bench.sync()
    assert "anna" in bench.roles(HERE)
    assert "anna" not in bench.roles(THERE)
    assert ("MOVE_WAITS", ANNA.id) in kinds(report)
    assert report.held


def test_move_to_a_new_customer() -> None:
    """A contact that moved to a customer without a company becomes that one's first admin."""
    bench = started()
    bench.put(customer(number=3))
    bench.erp.move_contact(ANNA.id, customer(number=3).id)
    bench.erp.set_primary(customer(number=3).id, ANNA.id)
    bench.sync()
    assert bench.roles(customer(number=3).id) == {"anna": "Admin"}
    assert set(bench.roles(HERE)) == {"mark"}


def test_move_back() -> None:
    """A contact that moved there and back is where it was."""
    bench = moving()
    bench.sync()
    bench.erp.move_contact(ANNA.id, HERE)
    bench.sync()
    assert "anna" in bench.roles(HERE)
    assert set(bench.roles(THERE)) == {"bill", "carl"}


def test_contact_of_no_customer() -> None:
    """A contact that belongs to no customer any more leaves."""
    bench = started()
    bench.erp.move_contact(ANNA.id, None)
    bench.sync()
    assert set(bench.roles(HERE)) == {"mark"}


def test_removal_refused() -> None:
    """A mover whose removal is refused there is not made here, and the refusal is told."""
    shop = Refusing()
    bench = moving(shop=shop)
    shop.refuses = lambda action: isinstance(action, RemoveUser)
    report = bench.sync()
    assert "anna" not in bench.roles(THERE)
    assert ("MOVE_WAITS", ANNA.id) in kinds(report)
    assert not report.ok


def test_a_mover_does_not_take_an_address_from_who_has_it() -> None:
    """Who moves away and is given a linked colleague's address elsewhere leaves it to the colleague."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK), customer(BILL, number=2, primary=BILL))
    bench.sync()
    bench.change(MARK, email=ANNA.email)
    bench.erp.move_contact(MARK.id, THERE)
    bench.change(ANNA, first_name="Anne")
    bench.sync()
    assert bench.user(ANNA).first_name == "Anne"
    assert ("DUPLICATE_EMAIL", ANNA.id) not in kinds(bench.sync())


def test_a_mover_keeps_the_address_against_who_never_had_it() -> None:
    """A mover keeps its address, and has a user again, though a lower id of the new customer wants it as well."""
    bench = Bench()
    mover = contact(301, "Fay")
    rival = contact(250, "Guy", email=mover.email)
    bench.put(customer(MARK, primary=MARK), customer(BILL, mover, number=2, primary=BILL))
    bench.sync()
    bench.add(rival)
    assert ("DUPLICATE_EMAIL", rival.id) in kinds(bench.sync())
    bench.erp.move_contact(mover.id, HERE)
    bench.sync()
    bench.sync()
    assert bench.user(mover).email == mover.email
    assert ("DUPLICATE_EMAIL", rival.id) in kinds(bench.sync())
