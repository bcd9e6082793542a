"""What a request can do that was sent in time and arrives after its lease: all of it, kind by kind."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias, get_args

import pytest
from attrs import define, evolve, frozen

from acumatica_b2b import (
    Action,
    Company,
    CompanyID,
    Contact,
    ContactID,
    CreateAddress,
    CreateCompany,
    CreateUser,
    Customer,
    CustomerID,
    HandOver,
    LocationID,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.flow import Outcome
from acumatica_b2b.model import Reference, StorefrontID
from acumatica_b2b.testing import Crash, MemoryErp
from acumatica_b2b.testing.strategies import note_id
from tests import oracle
from tests.engine.interleavings import LaxShop, Scene, doubled
from tests.engine.test_machine import OFF, ON, good_contact, good_customer

C1 = CustomerID("C1")
PAT, QUINN, RORY = ContactID("100"), ContactID("101"), ContactID("102")
DOCK = LocationID("DOCK")
Edit: TypeAlias = Callable[[MemoryErp], None]


# ------------------------------------------------------------------ edits of people
def contact(key: ContactID, **fields: object) -> Edit:
    """Return the edit of a contact."""
    return lambda erp: erp.put_contact(C1, evolve(_contact(erp, key), **fields))  # type: ignore[arg-type]  # any field


def _contact(erp: MemoryErp, key: ContactID) -> Contact:
    return next((one for one in erp.snapshot()[C1].contacts if one.id == key), good_contact(key, C1, "rory@b.example"))


def customer(**fields: object) -> Edit:
    """Return the edit of the customer."""
    return lambda erp: erp.put(evolve(erp.snapshot()[C1], **fields))  # type: ignore[arg-type]  # any field


def dock(**fields: object) -> Edit:
    """Return the edit of a second location, which is made where there is none."""

    def edit(erp: MemoryErp) -> None:
        here: Customer = erp.snapshot()[C1]
        main = here.locations[0]
        old = next((place for place in here.locations if place.id == DOCK), None)
        new = evolve(old or evolve(main, id=DOCK, note_id=_OTHER, default=False, reference=""), **fields)  # type: ignore[arg-type]  # any field
        erp.put(evolve(here, locations=(main, new)))

    return edit


_OTHER = note_id(3, 2)


def mark(key: ContactID) -> Edit:
    """Return the edit that makes a contact primary."""
    return lambda erp: erp.set_primary(C1, key)


def nothing(_: MemoryErp) -> None:
    """Leave all as it is."""


# ------------------------------------------------------------------ the network
@define(kw_only=True, eq=False)
class SlowShop(LaxShop):
    """A lax shop behind a network that keeps the first request of a kind, and whoever waits for it."""

    keeps: Callable[[object], bool] | None = None
    kept: Action | None = None

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions, unless one of them is to be late."""
        late = next((action for action in actions if self.keeps and self.keeps(action)), None)
        if late:
            others = [action for action in actions if action is not late]
            self.keeps, self.kept = None, late
            LaxShop.perform(self, others)
            raise Crash
        return LaxShop.perform(self, actions)


@frozen
class Effect:
    """What a late request did, what the next run did about it, and what stays wrong."""

    did: str
    repair: str
    stays: str


@frozen(kw_only=True)
class Late:
    """A request that is late: what calls for it, what it is, what people do before it arrives."""

    name: str
    begin: tuple[Edit, ...] = ()
    change: Edit = nothing
    is_it: Callable[[object], bool]
    turn: Edit = nothing
    regimes: tuple[HandOver, ...]
    does: Effect


def kind(of: type, **wanted: object) -> Callable[[object], bool]:
    """Return the test for an action of a type with such values."""
    return lambda one: isinstance(one, of) and all(getattr(one, name) == value for name, value in wanted.items())


GIVE, TAKE = kind(SetRole, role="Admin"), kind(SetRole, role="Senior Buyer")
NEW, NEWER = "new@b.example", "newer@b.example"


def new_address_given_on(erp: MemoryErp) -> None:
    """Give the address that Quinn was to have to Rory, who is new, and Quinn another one."""
    contact(QUINN, email=NEWER)(erp)
    contact(RORY, email=NEW)(erp)


ALL = tuple(HandOver)
TWO = (HandOver.PROMOTE_FIRST, HandOver.DEMOTE_FIRST)
ONE = (HandOver.ATOMIC,)
LATE = (
    Late(
        name="a company is created",
        begin=(customer(status="Hold"),),
        change=customer(status="Active"),
        is_it=kind(CreateCompany),
        regimes=ALL,
        does=Effect("a second company", "", "a second company"),
    ),
    Late(
        name="a user is created",
        change=contact(RORY),
        is_it=kind(CreateUser),
        regimes=ALL,
        does=Effect("one more user", "", "one user too many"),
    ),
    Late(
        name="a user is created, and the contact has left since",
        change=contact(RORY),
        is_it=kind(CreateUser),
        turn=contact(RORY, association=OFF),
        regimes=ALL,
        does=Effect("one more user", "LEFT_BEHIND", "one user too many"),
    ),
    Late(
        name="an address is created",
        change=dock(),
        is_it=kind(CreateAddress),
        regimes=ALL,
        does=Effect("one more address", "", "one address too many"),
    ),
    Late(
        name="a company is changed",
        change=customer(name="New"),
        is_it=kind(UpdateCompany),
        regimes=ALL,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="a company is changed, and has changed again since",
        change=customer(name="New"),
        is_it=kind(UpdateCompany),
        turn=customer(name="Newer"),
        regimes=ALL,
        does=Effect("an old value", "UpdateCompany", ""),
    ),
    Late(
        name="a user is changed",
        change=contact(QUINN, first_name="New"),
        is_it=kind(UpdateUser),
        regimes=ALL,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="a user is changed, and has changed again since",
        change=contact(QUINN, first_name="New"),
        is_it=kind(UpdateUser),
        turn=contact(QUINN, first_name="Newer"),
        regimes=ALL,
        does=Effect("an old value", "UpdateUser", ""),
    ),
    Late(
        name="an e-mail address is changed, and has changed again since",
        change=contact(QUINN, email=NEW),
        is_it=kind(UpdateUser),
        turn=contact(QUINN, email=NEWER),
        regimes=ALL,
        does=Effect("an old value", "UpdateUser", ""),
    ),
    Late(
        name="an e-mail address is changed, and another contact has it since",
        change=contact(QUINN, email=NEW),
        is_it=kind(UpdateUser),
        turn=new_address_given_on,
        regimes=ALL,
        does=Effect("an old value", "UpdateUser", ""),
    ),
    Late(
        name="an address is changed, and has changed again since",
        begin=(dock(),),
        change=dock(name="New"),
        is_it=kind(UpdateAddress),
        turn=dock(name="Newer"),
        regimes=ALL,
        does=Effect("an old value", "UpdateAddress", ""),
    ),
    Late(
        name="the role is granted",
        change=mark(QUINN),
        is_it=GIVE,
        regimes=TWO,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="the role is granted, and the mark has moved back since",
        change=mark(QUINN),
        is_it=GIVE,
        turn=mark(PAT),
        regimes=TWO,
        does=Effect("two admins", "OTHER_ADMIN", "two admins"),
    ),
    Late(
        name="the role is taken back",
        change=mark(QUINN),
        is_it=TAKE,
        regimes=TWO,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="the role is taken back, and the mark has moved back since",
        change=mark(QUINN),
        is_it=TAKE,
        turn=mark(PAT),
        regimes=TWO,
        does=Effect("no admin", "SetRole", ""),
    ),
    Late(
        name="the role is moved",
        change=mark(QUINN),
        is_it=kind(MoveAdmin),
        regimes=ONE,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="the role is moved, and the mark has moved back since",
        change=mark(QUINN),
        is_it=kind(MoveAdmin),
        turn=mark(PAT),
        regimes=ONE,
        does=Effect("another admin", "MoveAdmin", ""),
    ),
    Late(
        name="a user is removed",
        change=contact(QUINN, association=OFF),
        is_it=kind(RemoveUser),
        regimes=ALL,
        does=Effect("nothing", "", ""),
    ),
    Late(
        name="a user is removed, and the contact has come back since",
        change=contact(QUINN, association=OFF),
        is_it=kind(RemoveUser),
        turn=contact(QUINN, association=ON),
        regimes=ALL,
        does=Effect("one user less", "DELETED_IN_SHOP", "no user"),
    ),
    Late(
        name="an address is removed, and the location has come back since",
        begin=(dock(),),
        change=dock(active=False),
        is_it=kind(RemoveAddress),
        turn=dock(active=True),
        regimes=ALL,
        does=Effect("one address less", "DELETED_IN_SHOP", "no address"),
    ),
)


def effect(late: Late, hand_over: HandOver) -> Effect | None:
    """Play it; None: this regime has no such request."""
    scene = Scene(hand_over=hand_over)
    scene.shop = shop = SlowShop(hand_over=hand_over)
    sync = scene.sync()
    scene.erp.put(good_customer(1, 2))
    for edit in late.begin:
        edit(scene.erp)
    sync.sync_all()
    late.change(scene.erp)
    shop.keeps = late.is_it
    with suppress(Crash):  # frozen, for good
        sync.sync_all()
    if shop.kept is None:
        return None
    scene.clock.sleep(scene.policy.lease + 1)
    late.turn(scene.erp)
    sync.sync_all()
    assert wrong(scene) == "", "before it arrives all is well"
    before = shop.snapshot()
    shop.perform([shop.kept])
    did = difference(before, shop.snapshot())
    report = sync.sync_all()
    names = sorted({type(step).__name__ for step in report.steps})
    found = sorted({finding.kind.name for finding in report.findings} - {"NOT_ENABLED"})
    stays = wrong(scene)
    assert sync.sync_all().steps == ()
    return Effect(did, ", ".join([*names, *found]), stays)


def wrong(scene: Scene) -> str:
    """Return in words what is not as the oracle says, and what is there twice."""
    customers = scene.erp.snapshot()
    companies = sorted(scene.shop.snapshot().values(), key=lambda company: -int(company.id))
    complaints = oracle.check(customers, oracle.companies_of(customers, companies), scene.policy)
    complaints += ["a second company"] * (len(companies) > len(customers))
    complaints += ["nobody should have it"] * any(key for key in doubled(scene.freeze().shop) if len(companies) == 1)
    said = (next((words for sign, words in WORDS.items() if sign in complaint), complaint) for complaint in complaints)
    return ", ".join(dict.fromkeys(words for words in said if words))


WORDS = {
    "a second company": "a second company",
    "it has no user": "no user",
    "nobody should have it": "one user too many",
    "a location has two": "one address too many",
    "it has no address": "no address",
    "role is": "two admins",
    "reference is": "",  # follows from the others
}


def difference(was: Mapping[CompanyID, Company], now: Mapping[CompanyID, Company]) -> str:
    """Return in words what became of the shop."""
    words: list[str] = []
    if len(now) > len(was):
        words.append("a second company")
    for key, old in was.items():
        new = now[key]
        users = {user.id: user for user in old.users}, {user.id: user for user in new.users}
        admins = [sum(user.role == "Admin" for user in one.users) for one in (old, new)]
        words += ["one more user"] * (len(users[1]) > len(users[0])) + ["one user less"] * (
            len(users[1]) < len(users[0])
        )
        words += ["one more address"] * (len(new.addresses) > len(old.addresses))
        words += ["one address less"] * (len(new.addresses) < len(old.addresses))
        words += ["no admin"] * (admins[1] == 0) + ["two admins"] * (admins[1] > 1)
        same = admins[1] == 1 and {u.id for u in old.users if u.role == "Admin"} != {
            u.id for u in new.users if u.role == "Admin"
        }
        words += ["another admin"] * same
        kept = [(users[0][one], users[1][one]) for one in users[0].keys() & users[1].keys()]
        values = any(evolve(a, role="") != evolve(b, role="") for a, b in kept) or old.name != new.name
        places = len(new.addresses) == len(old.addresses) and set(new.addresses) != set(old.addresses)
        words += ["an old value"] * (values or places)
    return ", ".join(words) or "nothing"


@pytest.mark.parametrize("hand_over", HandOver, ids=lambda regime: regime.value)
@pytest.mark.parametrize("late", LATE, ids=lambda late: late.name)
def test_what_a_late_request_does_is_known(late: Late, hand_over: HandOver) -> None:
    """On a shop that enforces nothing, a request that arrives after its lease does what is listed, and no more."""
    assert effect(late, hand_over) == (late.does if hand_over in late.regimes else None)


def test_every_kind_of_action_is_listed() -> None:
    """No kind of action is missing in the list."""
    samples = {CreateCompany, CreateUser, CreateAddress, UpdateCompany, UpdateUser, UpdateAddress, SetRole, MoveAdmin}
    assert samples | {RemoveUser, RemoveAddress} == set(get_args(Action))


@define(eq=False)
class SlowErp(MemoryErp):
    """An ERP behind a network that keeps the first reference of a contact, and whoever waits for it."""

    keeps: str = ""
    kept: Reference | None = None

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write them, unless one is to be late."""
        late = next((one for one in references if one.record.id == self.keeps), None)
        if late:
            self.keeps, self.kept = "", late
            raise Crash
        return MemoryErp.write_references(self, references)


@pytest.mark.parametrize(("turn", "did"), [(nothing, False), (contact(RORY, association=OFF), True)])
def test_a_late_reference_names_at_worst_nobody(turn: Edit, did: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """A late reference says what is there, or names a user that is gone; a contact that comes back gets another."""
    erp = SlowErp()
    scene = Scene(erp=erp)
    sync = scene.sync()
    erp.put(good_customer(1, 2))
    sync.sync_all()
    contact(RORY)(erp)
    erp.keeps = RORY
    with suppress(Crash):
        sync.sync_all()
    scene.clock.sleep(scene.policy.lease + 1)
    turn(erp)
    sync.sync_all()
    before = erp.snapshot()
    assert erp.kept
    erp.write_references([erp.kept])
    assert (erp.snapshot() != before) is did
    sync.sync_all()
    contact(RORY, association=ON)(erp)
    assert sync.sync_all().ok
    assert wrong(scene) == ""
    assert sync.sync_all().steps == ()
