"""The oracle, against examples worked out by hand: its complaints have to be right before they are believed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.flow import Ok
from acumatica_b2b.model import (
    UNSET,
    Company,
    CompanyID,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    Record,
    RecordKind,
    SiteAssociation,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import FirstAdmin, Lengths, SyncPolicy, TakeBack
from acumatica_b2b.testing import MemoryShop, strategies
from tests import oracle
from tests.oracle import ExpectedUser, Fate, Step

HERE = CustomerID("C1")
THERE = CustomerID("C2")
MAIN = PostalAddress(line1="1 Main Street", city="Berlin", country="DE")
YES = SiteAssociation(enabled=True, connection_type="B2B")
POLICY = SyncPolicy()


def contact(key: str, email: str = "", *, association: SiteAssociation = YES, active: bool = True) -> Contact:
    return Contact(
        id=ContactID(key),
        note_id=NoteID(f"note-{key}"),
        customer=HERE,
        active=active,
        first_name="Ann",
        last_name="Ames",
        email=email or f"c{key}@a.example",
        phones=("1", "2"),
        association=association,
    )


def customer(*contacts: Contact, primary: str | None = "1", key: CustomerID = HERE) -> Customer:
    return Customer(
        id=key,
        note_id=NoteID(f"note-{key}"),
        name="Acme",
        email="office@a.example",
        phones=("", "555-0100"),
        address=MAIN,
        primary_contact=None if primary is None else ContactID(primary),
        contacts=contacts,
    )


def place(key: str, *, default: bool = False, where: PostalAddress = MAIN, active: bool = True) -> Location:
    return Location(
        id=LocationID(key), note_id=NoteID(f"note-{key}"), name=key, default=default, address=where, active=active
    )


def keys(found: Mapping[ContactID, ExpectedUser]) -> set[str]:
    return set(found)


# ------------------------------------------------------------------ who takes part
@pytest.mark.parametrize(
    ("changes", "policy", "takes_part"),
    [
        ({}, POLICY, True),
        ({"status": "On Hold"}, POLICY, False),
        ({"status": "On Hold"}, SyncPolicy(customer_statuses=None), True),
        ({"category": "Individual"}, POLICY, False),
        ({"category": "Organization"}, POLICY, True),
        ({"category": "Individual"}, SyncPolicy(customer_categories=None), True),
        ({"guest": True}, POLICY, False),
        ({"guest": True}, SyncPolicy(guests=True), True),
        ({"customer_class": "RETAIL"}, POLICY, True),
        ({"customer_class": "RETAIL"}, SyncPolicy(customer_classes=frozenset({"WHOLESALE"})), False),
    ],
)
def test_customers(changes: dict[str, Any], policy: SyncPolicy, takes_part: bool) -> None:  # noqa: FBT001 - a column
    """A customer takes part by status, category where there is one, class and not being a guest."""
    one = evolve(customer(contact("1")), **changes)
    assert oracle.joins(one, policy) is takes_part
    assert keys(oracle.expected_users(one, policy)) == ({"1"} if takes_part else set())


B2B_ONLY = SyncPolicy(connection_types=frozenset({"B2B"}))


@pytest.mark.parametrize(
    ("changes", "policy", "wanted"),
    [
        ({}, POLICY, oracle.Standing.FIT),
        ({"active": False}, POLICY, oracle.Standing.OUT),
        ({"association": SiteAssociation(enabled=False)}, POLICY, oracle.Standing.OUT),
        ({"association": SiteAssociation(enabled=UNSET)}, POLICY, oracle.Standing.UNFIT),
        ({"association": SiteAssociation(enabled=True, connection_type="B2C")}, POLICY, oracle.Standing.FIT),
        ({"association": SiteAssociation(enabled=True, connection_type="B2C")}, B2B_ONLY, oracle.Standing.OUT),
        ({"association": SiteAssociation(enabled=True, connection_type=UNSET)}, B2B_ONLY, oracle.Standing.UNFIT),
        ({"association": SiteAssociation(enabled=True, connection_type=UNSET)}, POLICY, oracle.Standing.FIT),
        ({"association": SiteAssociation(enabled=UNSET, connection_type="B2C")}, B2B_ONLY, oracle.Standing.UNCLEAR),
        ({"email": ""}, POLICY, oracle.Standing.UNFIT),
        ({"email": "nobody"}, POLICY, oracle.Standing.UNFIT),
        ({"first_name": ""}, POLICY, oracle.Standing.UNFIT),
        ({"first_name": ""}, SyncPolicy(first_name_filler="-"), oracle.Standing.FIT),
        ({"last_name": ""}, SyncPolicy(first_name_filler="-"), oracle.Standing.UNFIT),
        ({"last_name": "Wolfe"}, SyncPolicy(lengths=Lengths(name=4)), oracle.Standing.UNFIT),
        ({}, SyncPolicy(include_contacts=False), oracle.Standing.UNFIT),
    ],
)
def test_contacts(changes: dict[str, Any], policy: SyncPolicy, wanted: oracle.Standing) -> None:
    """A contact is out by its own fields only, and what is unreadable or missing is no way out."""
    assert oracle.standing(evolve(contact("1"), **changes), policy) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ann@A.Example", "ann@a.example"),
        (" ann@a.example ", "ann@a.example"),
        ("ann@a.example; bob@a.example", "ann@a.example"),
        ("ann@a.example,bob@a.example", "ann@a.example"),
        ("; bob@a.example", "bob@a.example"),
        ("nobody; bob@a.example", ""),
        ("a b@a.example", ""),
        ("ann@localhost", ""),
        ("@a.example", ""),
        ("a@b@a.example", ""),
        ("", ""),
    ],
)
def test_addresses_of_fields(text: str, wanted: str) -> None:
    """The first address of a field counts, in lower case, and a malformed one is none."""
    assert oracle.address_of(text) == wanted


def test_shared_address() -> None:
    """A shared address goes to the primary contact, else to the linked one, else to the lowest number."""
    shared = [contact(key, "x@a.example") for key in ("10", "9", "30")]
    assert keys(oracle.expected_users(customer(*shared, primary="10"), POLICY)) == {"10"}
    assert keys(oracle.expected_users(customer(*shared, primary=None), POLICY)) == {"9"}
    linked = frozenset({ContactID("30")})
    assert keys(oracle.expected_users(customer(*shared, primary=None), POLICY, linked)) == {"30"}
    assert keys(oracle.expected_users(customer(*shared, primary="10"), POLICY, linked)) == {"10"}


def test_unfit_primary_claims_nothing() -> None:
    """An inactive primary contact leaves a shared address to another."""
    one = customer(contact("1", "x@a.example", active=False), contact("2", "X@a.example"))
    assert keys(oracle.expected_users(one, POLICY)) == {"2"}


def test_users_to_the_field() -> None:
    """A user is told by address, names and first phone."""
    assert oracle.expected_users(customer(contact("1", "X@a.example")), POLICY) == {
        ContactID("1"): ExpectedUser(email="x@a.example", first_name="Ann", last_name="Ames", phone="1")
    }


# ------------------------------------------------------------------ company, admin, addresses
def test_company_fields() -> None:
    """E-mail and phone are the customer's, else the admin's."""
    one = customer(contact("1"))
    told = oracle.ExpectedCompany(name="Acme", email="office@a.example", phone="555-0100")
    assert oracle.expected_company(one, POLICY) == told
    bare = evolve(one, email="", phones=())
    assert oracle.expected_company(bare, POLICY) == evolve(told, email="c1@a.example", phone="1")


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({}, True),
        ({"address": evolve(MAIN, country="")}, False),
        ({"name": ""}, False),
        ({"name": "x" * 201}, False),
        ({"status": "Inactive"}, False),
        ({"primary_contact": None}, False),
        ({"primary_contact": ContactID("99")}, False),
        ({"phones": ()}, True),
        ({"phones": (), "contacts": (evolve(contact("1"), phones=()),)}, False),
    ],
)
def test_creation(changes: dict[str, Any], made: bool) -> None:  # noqa: FBT001 - a column
    """A company is made only with an eligible primary contact, a name, a phone and a country."""
    assert oracle.company_can_be_made(evolve(customer(contact("1")), **changes), POLICY) is made


def test_first_admin() -> None:
    """By policy the lowest eligible contact stands in on creation, and never afterwards."""
    one = customer(contact("10"), contact("9"), contact("8", active=False), primary=None)
    lowest = SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT)
    assert oracle.expected_first_admin(one, POLICY) is None
    assert oracle.expected_first_admin(one, lowest) == "9"
    assert oracle.expected_first_admin(one, lowest, frozenset({"c9@a.example"})) == "10"
    assert oracle.expected_admin(one, lowest) is None
    assert oracle.expected_admin(evolve(one, primary_contact=ContactID("10")), POLICY) == "10"
    assert oracle.expected_admin(evolve(one, primary_contact=ContactID("8")), POLICY) is None


def test_default_addresses() -> None:
    """The default location is shipped to; of those at the main address the default or the lowest is billed."""
    elsewhere = evolve(MAIN, city="Bonn")
    places = (place("B"), place("A"), place("C", default=True, where=elsewhere))
    found = oracle.expected_addresses(evolve(customer(contact("1")), locations=places), POLICY)
    assert {key: (one.default_shipping, one.default_billing) for key, one in found.items()} == {
        "A": (False, True),
        "B": (False, False),
        "C": (True, False),
    }
    both = (place("A"), place("B", default=True))
    found = oracle.expected_addresses(evolve(customer(contact("1")), locations=both), POLICY)
    assert found[LocationID("B")].default_billing


def test_names_of_addresses() -> None:
    """Names come from the location when it has both, else from the primary contact in whatever state."""
    one = evolve(
        customer(contact("1", active=False)),
        locations=(
            evolve(place("A"), first_name="Lou", last_name="Lane"),
            evolve(place("B"), first_name="Lou"),
            place("C", active=False),
            place("D", where=evolve(MAIN, line1="")),
        ),
    )
    found = oracle.expected_addresses(one, POLICY)
    assert {key: (where.first_name, where.last_name) for key, where in found.items()} == {
        "A": ("Lou", "Lane"),
        "B": ("Ann", "Ames"),
    }
    assert set(oracle.expected_addresses(evolve(one, primary_contact=None), POLICY)) == {"A"}
    assert oracle.expected_addresses(one, SyncPolicy(include_locations=False)) == {}


# ------------------------------------------------------------------ a fresh world
def perform(shop: MemoryShop, action: Action) -> StorefrontID:
    (outcome,) = shop.perform([action])
    assert isinstance(outcome, Ok), outcome
    return outcome.value


Made = tuple[dict[CustomerID, Customer], dict[CustomerID, Company | None]]


def built(customers: Mapping[CustomerID, Customer], policy: SyncPolicy) -> Made:
    """Return the world after a sync that does as it is told by the oracle, which is all it can be compared with."""
    shop, after = MemoryShop(), dict(customers)
    taken: set[str] = set()
    for key, users in oracle.expected_world(customers, policy).items():
        if users is None:
            continue
        one, told = customers[key], oracle.expected_company(customers[key], policy, taken)
        first = oracle.expected_first_admin(one, policy, taken)
        assert told is not None
        assert first is not None
        made = DesiredCompany(
            customer=key,
            external_id=one.note_id,
            name=told.name,
            email=told.email,
            phone=told.phone,
            address=one.address,
        )
        people = {contact: desired(contact, users[contact], one) for contact in users}
        company = CompanyID(
            perform(shop, CreateCompany(company=made, admin=people.pop(first), role=policy.primary_role))
        )
        for person in people.values():
            perform(shop, CreateUser(company=company, user=person, role=policy.user_role))
        for location, address in oracle.expected_addresses(one, policy).items():
            perform(shop, CreateAddress(company=company, address=desired_address(one, location, address)))
        after[key] = referred(one, shop.snapshot()[company])
        taken |= {person.email for person in users.values()}
    return after, oracle.companies_of(customers, shop.snapshot().values())


def desired(key: ContactID, told: ExpectedUser, one: Customer) -> DesiredUser:
    note = next(held.note_id for held in one.contacts if held.id == key)
    return DesiredUser(
        contact=key,
        external_id=note,
        email=told.email,
        first_name=told.first_name,
        last_name=told.last_name,
        phone=told.phone,
    )


def desired_address(one: Customer, key: LocationID, told: oracle.ExpectedAddress) -> DesiredAddress:
    return DesiredAddress(
        location=key,
        external_id=next(held.note_id for held in one.locations if held.id == key),
        label=told.label,
        first_name=told.first_name,
        last_name=told.last_name,
        phone=told.phone,
        address=told.address,
        default_shipping=told.default_shipping,
        default_billing=told.default_billing,
    )


def referred(one: Customer, company: Company) -> Customer:
    """Return the customer with the references of everything that has a counterpart."""
    ids: dict[str, str] = {user.external_id: user.id for user in company.users}
    ids |= {address.external_id: address.id for address in company.addresses}
    return evolve(
        one,
        reference=company.id,
        contacts=tuple(evolve(held, reference=ids.get(held.note_id, "")) for held in one.contacts),
        locations=tuple(evolve(held, reference=ids.get(held.note_id, "")) for held in one.locations),
    )


def world(*customers: Customer) -> dict[CustomerID, Customer]:
    return {one.id: one for one in customers}


def test_address_across_customers() -> None:
    """Across customers a shared address goes to the lowest CustomerID, and its loser may lose its company by it."""
    first = customer(contact("1"), contact("2", "x@a.example"))
    second = customer(contact("3", "x@a.example"), contact("4"), primary="3", key=THERE)
    found = oracle.expected_world(world(second, first), POLICY)
    assert found[HERE] is not None
    assert found[THERE] is None
    waits = evolve(first, primary_contact=None)
    found = oracle.expected_world(world(second, waits), POLICY)
    assert found[HERE] is None
    assert keys(found[THERE] or {}) == {"3", "4"}


OWN = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@OWN
@given(strategies.erps(), strategies.policies())
def test_expected_world_is_legal(drawn: tuple[Customer, ...], policy: SyncPolicy) -> None:
    """What is expected can be built in a shop that keeps its own rules, and is then complained of by neither check."""
    after, companies = built(world(*drawn), policy)
    assert oracle.check(after, companies, policy) == []
    step = Step(customers=after, before=dict.fromkeys(after), policy=policy)
    assert oracle.check_step(step, companies) == []


@OWN
@given(strategies.erps(), strategies.policies())
def test_fates_agree_with_the_fresh_world(drawn: tuple[Customer, ...], policy: SyncPolicy) -> None:
    """In a fresh world a fate is what is expected, where it is not left open."""
    customers = world(*drawn)
    step = Step(customers=customers, before=dict.fromkeys(customers), policy=policy)
    wanted = {key for users in oracle.expected_world(customers, policy).values() for key in users or ()}
    for one in drawn:
        for held in one.contacts:
            fate = step.fate(held.id)
            assert fate in ({Fate.USER, Fate.FREE} if held.id in wanted else {Fate.NONE, Fate.FREE})


@OWN
@given(strategies.erps(ordinary=True), strategies.policies())
def test_second_sync(drawn: tuple[Customer, ...], policy: SyncPolicy) -> None:
    """A world to which nothing happened is expected to stay as it is: nobody leaves, nobody is made."""
    after, companies = built(world(*drawn), policy)
    past = oracle.remember(Step(customers=after, before=dict.fromkeys(after), policy=policy), companies)
    step = Step(customers=after, before=companies, policy=policy, history=past)
    assert oracle.check_step(step, companies) == []
    assert oracle.remember(step, companies) == past
    assert not {step.fate(key) for key in past.users} & {Fate.GONE, Fate.NONE}


def swapped(company: Company, index: int, **changes: Any) -> Company:
    users = list(company.users)
    users[index] = evolve(users[index], **changes)
    return evolve(company, users=tuple(users))


BREAKS: dict[str, tuple[Callable[[Company], Company | None], str]] = {
    "company missing": (lambda _: None, "a company is missing"),
    "company name": (lambda c: evolve(c, name="Other"), "company: name is 'Other', not 'Acme'"),
    "company phone": (lambda c: evolve(c, phone="9"), "company: phone is '9', not '555-0100'"),
    "user missing": (lambda c: evolve(c, users=c.users[:1]), "contact 2: it has no user"),
    "user too many": (
        lambda c: evolve(c, users=(*c.users, evolve(c.users[0], id=UserID(StorefrontID("99")), email="z@a.example"))),
        "user 99: nobody should have it",
    ),
    "user name": (lambda c: swapped(c, 1, last_name="X"), "user of contact 2: last_name is 'X', not 'Ames'"),
    "user phone": (lambda c: swapped(c, 1, phone="X"), "user of contact 2: phone is 'X', not '1'"),
    "admin missing": (lambda c: swapped(c, 0, role="Senior Buyer"), "user of contact 1: role is 'Senior Buyer'"),
    "admin too many": (lambda c: swapped(c, 1, role="Admin"), "user of contact 2: role is 'Admin'"),
    "address missing": (lambda c: evolve(c, addresses=()), "location MAIN: it has no address"),
    "address default": (
        lambda c: evolve(c, addresses=(evolve(c.addresses[0], default_billing=False),)),
        "address of location MAIN: default_billing is False, not True",
    ),
    "other id": (lambda c: swapped(c, 1, id=UserID(StorefrontID("99"))), "contact 2: reference is '3', not '99'"),
    "other company id": (
        lambda c: evolve(c, id=CompanyID(StorefrontID("99"))),
        "customer C1: reference is '1', not '99'",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_complaints(name: str) -> None:
    """Whatever differs from what is expected is complained of, by record and field."""
    one = evolve(customer(contact("1"), contact("2")), locations=(place("MAIN", default=True),))
    after, companies = built(world(one), POLICY)
    assert oracle.check(after, companies, POLICY) == []
    spoil, complaint = BREAKS[name]
    company = companies[HERE]
    assert company is not None
    complaints = oracle.check(after, {HERE: spoil(company)}, POLICY)
    assert any(complaint in found for found in complaints), complaints


def test_unwanted_company() -> None:
    """A company of a customer without an eligible primary contact is complained of."""
    _, companies = built(world(customer(contact("1"))), POLICY)
    waits = world(customer(contact("1"), primary=None))
    assert oracle.check(waits, companies, POLICY) == ["C1: a company is there"]
    stray = world(evolve(customer(contact("1"), primary=None), reference="7"))
    assert oracle.check(stray, {HERE: None}, POLICY) == ["C1: customer C1: reference '7' names nothing"]


def test_reference_not_for_all_kinds() -> None:
    """A kind of record that the policy writes no reference to has none."""
    one = customer(contact("1"))
    after, companies = built(world(one), POLICY)
    quiet = SyncPolicy(write_back=frozenset({RecordKind.CONTACT}))
    assert oracle.check(after, companies, quiet) == ["C1: customer C1: reference is '1', not ''"]


def test_foreign_and_long_references() -> None:
    """A foreign value stays, and an id that is too long for the field is not asked for."""
    after, companies = built(world(customer(contact("1"))), POLICY)
    foreign = world(evolve(after[HERE], reference="by hand"))
    assert oracle.check(foreign, companies, POLICY) == []
    bare = world(customer(contact("1")))
    assert oracle.check(bare, companies, SyncPolicy(reference_length=0)) == []


# ------------------------------------------------------------------ a world with a past
class Past:
    """A world after one sync, to be edited and judged."""

    def __init__(self, *customers: Customer, policy: SyncPolicy = POLICY) -> None:
        self.policy = policy
        self.customers, self.companies = built(world(*customers), policy)
        fresh = Step(customers=self.customers, before=dict.fromkeys(self.customers), policy=policy)
        self.history = oracle.remember(fresh, self.companies)

    def edit(self, key: str, **changes: Any) -> None:
        """Change fields of a contact."""
        for one in self.customers.values():
            contacts = tuple(evolve(held, **changes) if held.id == key else held for held in one.contacts)
            self.customers[one.id] = evolve(one, contacts=contacts)

    def remove(self, key: str) -> None:
        """Delete a contact."""
        for one in self.customers.values():
            self.customers[one.id] = evolve(one, contacts=tuple(held for held in one.contacts if held.id != key))

    def add(self, one: Contact, to: CustomerID = HERE) -> None:
        """Make a contact."""
        held = self.customers[to]
        self.customers[to] = evolve(held, contacts=(*held.contacts, one))

    def move(self, key: str, to: CustomerID) -> None:
        """Attach a contact to another customer."""
        (one,) = (held for customer in self.customers.values() for held in customer.contacts if held.id == key)
        self.remove(key)
        self.add(one, to)

    def primary(self, key: str | None, of: CustomerID = HERE) -> None:
        """Set the primary contact."""
        marked = None if key is None else ContactID(key)
        self.customers[of] = evolve(self.customers[of], primary_contact=marked)

    def company(self, key: CustomerID = HERE) -> Company:
        """Return a company that is there."""
        found = self.companies[key]
        assert found is not None
        return found

    def user(self, key: str) -> CompanyUser:
        """Return the user of a contact."""
        home, user = self.history.users[ContactID(key)]
        return next(one for one in self.company(home).users if one.id == user)

    def step(self, *excused: Record, changes_email: bool = True, outsiders: frozenset[str] = frozenset()) -> Step:
        """Return the step to be judged."""
        return Step(
            customers=self.customers,
            before=self.companies,
            policy=self.policy,
            history=self.history,
            excused=frozenset(excused),
            changes_email=changes_email,
            outsiders=outsiders,
        )

    def fates(self, *keys: str) -> list[Fate]:
        """Return the fates of contacts."""
        step = self.step()
        return [step.fate(ContactID(key)) for key in keys]

    def after(self, *without: str, **roles: str) -> dict[CustomerID, Company | None]:
        """Return the companies without some users and with other roles, by contact id behind `c`."""
        gone = {self.user(key).id for key in without}
        given = {self.user(key.removeprefix("c")).id: role for key, role in roles.items()}
        return {
            key: company
            and evolve(
                company,
                users=tuple(
                    evolve(user, role=given.get(user.id, user.role)) for user in company.users if user.id not in gone
                ),
            )
            for key, company in self.companies.items()
        }


def three(policy: SyncPolicy = POLICY) -> Past:
    """Return a company of three: 1 is primary."""
    return Past(customer(contact("1"), contact("2"), contact("3")), policy=policy)


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({"active": False}, Fate.GONE),
        ({"association": SiteAssociation(enabled=False)}, Fate.GONE),
        ({"association": SiteAssociation(enabled=UNSET)}, Fate.KEPT),
        ({"email": ""}, Fate.KEPT),
        ({"email": "nobody"}, Fate.KEPT),
        ({"last_name": ""}, Fate.KEPT),
        ({"last_name": "New"}, Fate.USER),
        ({"email": "new@a.example"}, Fate.USER),
    ],
)
def test_leaving(changes: dict[str, Any], fate: Fate) -> None:
    """Only who is inactive or not enabled leaves; a missing or unreadable field takes nobody's user away."""
    past = three()
    past.edit("3", **changes)
    assert past.fates("1", "2", "3") == [Fate.USER, Fate.USER, fate]
    complaints = oracle.check_step(past.step(), past.after("3"))
    assert any("user 4" in found or "0 users" in found for found in complaints) is (fate is not Fate.GONE)


def test_leaver_goes() -> None:
    """A leaver's user is taken away, and its reference is cleared."""
    past = three()
    past.remove("2")
    past.edit("3", active=False)
    assert past.fates("2", "3") == [Fate.GONE, Fate.GONE]
    past = three()
    past.edit("3", active=False)
    assert oracle.check_step(past.step(), past.companies) == ["contact 3: user 4 should be gone"]
    assert oracle.check_step(past.step(), past.after("3")) == ["contact 3: its reference was not cleared"]
    past.edit("3", reference="")
    assert oracle.check_step(past.step(), past.after("3")) == []


def test_deleted_contact() -> None:
    """The user of a contact that is no more is taken away as well."""
    past = three()
    past.remove("3")
    assert oracle.check_step(past.step(), past.companies) == ["contact 3: user 4 should be gone"]
    assert oracle.check_step(past.step(), past.after("3")) == []


def test_leaving_of_an_admin() -> None:
    """An admin who left goes once a new primary contact may have the role; others go with or without one."""
    past = three()
    past.edit("1", active=False, reference="")
    assert oracle.check_step(past.step(), past.companies) == []
    past.primary("2")
    assert "contact 1: user 2 should be gone" in oracle.check_step(past.step(), past.after(c2="Admin"))
    assert oracle.check_step(past.step(), past.after("1", c2="Admin")) == []
    past = three()
    past.primary(None)
    past.edit("3", active=False, reference="")
    assert oracle.check_step(past.step(), past.companies) == ["contact 3: user 4 should be gone"]


def test_replaced_user() -> None:
    """Who had a user in this company keeps that very one."""
    past = three()
    past.edit("3", reference="50")
    company = swapped(past.company(), 2, id=UserID(StorefrontID("50")))
    assert "contact 3: its user 4 was replaced by 50" in oracle.check_step(past.step(), {HERE: company})


def test_capitals_in_the_shop() -> None:
    """An address that the shop has in capitals is the same address."""
    past = three()
    past.companies = {HERE: swapped(past.company(), 2, email="C3@A.Example")}
    assert oracle.check(past.customers, past.companies, POLICY) == []
    assert past.fates("3") == [Fate.USER]
    assert oracle.check_step(past.step(), past.companies) == []
    assert oracle.remember(past.step(), past.companies) == past.history


def test_excused() -> None:
    """Of what the run itself says that the guard held it back nothing is asked."""
    past = three()
    past.edit("3", active=False)
    assert oracle.check_step(past.step(Record(RecordKind.CONTACT, "3")), past.companies) == []


def test_customer_leaves() -> None:
    """A customer that takes part no more keeps its company and every user."""
    past = three()
    past.edit("3", active=False)
    past.customers[HERE] = evolve(past.customers[HERE], status="Inactive")
    assert past.fates("1", "3") == [Fate.KEPT, Fate.KEPT]
    assert oracle.check_step(past.step(), past.companies) == []
    assert "C1: user 4: it is gone and should not be" in oracle.check_step(past.step(), past.after("3"))


def test_last_admin() -> None:
    """A company that had an admin has one after every sync."""
    past = three()
    past.edit("1", active=False)
    assert oracle.check_step(past.step(), past.companies) == []
    assert "C1: its company lost its last admin" in oracle.check_step(past.step(), past.after("1"))


def test_hand_over() -> None:
    """A new primary contact gets the role, and who had it from the sync gives it back."""
    past = three()
    past.primary("2")
    assert "C1: contact 2: its user is not admin" in oracle.check_step(past.step(), past.companies)
    both = oracle.check_step(past.step(), past.after(c2="Admin"))
    assert both == ["C1: user 2: the primary role was not taken back"]
    assert oracle.check_step(past.step(), past.after(c1="Senior Buyer", c2="Admin")) == []


def test_others_grants() -> None:
    """A grant that is not of the sync stays, unless the policy takes back more."""
    for policy, complaints in (
        (POLICY, []),
        (SyncPolicy(take_back=TakeBack.LINKED), ["C1: user 4: the primary role was not taken back"]),
        (SyncPolicy(take_back=TakeBack.ALL), ["C1: user 4: the primary role was not taken back"]),
        (SyncPolicy(role_is_ours=True), ["C1: user 4: the primary role was not taken back"]),
    ):
        past = three(policy)
        past.companies = past.after(c3="Admin")
        assert oracle.check_step(past.step(), past.companies) == complaints


def test_no_primary() -> None:
    """Without an eligible primary contact the admin stays, and nobody else is made one."""
    for primary in (None, "99"):
        past = three()
        past.primary(primary)
        assert oracle.check_step(past.step(), past.companies) == []
        gained = oracle.check_step(past.step(), past.after(c2="Admin"))
        assert gained == ["C1: user 3: it was made admin and is nobody's primary"]


def test_granted_is_remembered() -> None:
    """After a hand-over the grant is the new one's."""
    past = three()
    assert past.history.granted == {HERE: "2"}
    past.primary("2")
    for former in ("Senior Buyer", "Admin"):
        assert oracle.remember(past.step(), past.after(c1=former, c2="Admin")).granted == {HERE: "3"}


def test_chain() -> None:
    """An address is passed on when its holder takes another, or leaves."""
    past = three()
    past.edit("2", email="c3@a.example")
    assert past.fates("2", "3") == [Fate.FREE, Fate.FREE]
    past.edit("3", email="new@a.example")
    assert past.fates("2", "3") == [Fate.USER, Fate.USER]
    past.edit("3", active=False)
    assert past.fates("2", "3") == [Fate.USER, Fate.GONE]
    past.edit("3", active=True, email="")
    assert past.fates("2", "3") == [Fate.KEPT, Fate.KEPT]


def test_cycle() -> None:
    """Those who wait for one another's address keep their own."""
    past = three()
    past.edit("2", email="c3@a.example")
    past.edit("3", email="c2@a.example")
    assert past.fates("1", "2", "3") == [Fate.USER, Fate.KEPT, Fate.KEPT]
    past.edit("1", email="c3@a.example")
    past.primary("1")
    assert past.fates("2", "3") != [Fate.USER, Fate.USER]


def test_fixed_addresses() -> None:
    """Where the shop changes no address, a user with another one stays as it is."""
    past = three()
    past.edit("3", email="new@a.example")
    assert past.step(changes_email=False).fate(ContactID("3")) is Fate.KEPT


def test_owned_elsewhere() -> None:
    """An address of a user that is nobody's here is not to be had."""
    past = three()
    past.add(contact("4", "x@b.example"))
    assert past.fates("4") == [Fate.USER]
    assert past.step(outsiders=frozenset({"x@b.example"})).fate(ContactID("4")) is Fate.NONE


def test_adopted_by_address() -> None:
    """A user that people made with a contact's address in its company becomes that contact's."""
    past = three()
    by_hand = evolve(past.user("3"), id=UserID(StorefrontID("77")), email="x@b.example", external_id="")
    past.companies[HERE] = evolve(past.company(), users=(*past.company().users, by_hand))
    past.add(contact("4", "x@b.example"))
    assert past.fates("4") == [Fate.USER]
    past.edit("4", reference="77")
    assert oracle.check_step(past.step(), past.companies) == []
    removed = {HERE: evolve(past.company(), users=past.company().users[:3])}
    assert "C1: user 77: it is gone and should not be" in oracle.check_step(past.step(), removed)


def test_made_anew() -> None:
    """A contact that was deleted and made anew with its address gets the user that was there."""
    past = three()
    past.remove("3")
    past.add(contact("4", "c3@a.example"))
    assert past.fates("4") == [Fate.USER]
    past.edit("4", reference="4")
    assert oracle.check_step(past.step(), past.companies) == []
    assert set(oracle.remember(past.step(), past.companies).users) == {"1", "2", "4"}


def test_primary_beats_linked() -> None:
    """A new primary contact with a linked contact's address takes over that contact's user."""
    past = three()
    past.add(contact("4", "c3@a.example"))
    assert past.fates("3", "4") == [Fate.USER, Fate.NONE]
    past.primary("4")
    assert past.fates("3", "4") == [Fate.FREE, Fate.USER]


def test_deleted_in_shop() -> None:
    """A user that people deleted is not made again, nor after that."""
    past = three()
    past.companies = past.after("3")
    assert past.fates("3") == [Fate.NONE]
    assert oracle.check_step(past.step(), past.companies) == []
    again = evolve(
        past.company(),
        users=(
            *past.company().users,
            evolve(past.company().users[0], id=UserID(StorefrontID("50")), email="c3@a.example", role="Senior Buyer"),
        ),
    )
    assert "C1: user 50: it was made and should not be" in oracle.check_step(past.step(), {HERE: again})
    past.history = oracle.remember(past.step(), past.companies)
    assert past.history.deleted == {"3"}
    past.add(contact("4", "c3@a.example"))
    assert past.fates("3", "4") == [Fate.NONE, Fate.FREE]
    past.remove("4")
    assert past.fates("3") == [Fate.NONE]
    past.edit("3", active=False)
    past.history = oracle.remember(past.step(), past.companies)
    past.edit("3", active=True)
    assert past.fates("3") == [Fate.FREE]


def test_deleted_company() -> None:
    """A company that people deleted is not made again."""
    past = three()
    before = past.companies
    past.companies = {HERE: None}
    assert oracle.check_step(past.step(), {HERE: None}) == []
    assert oracle.check_step(past.step(), before) == ["C1: a company was made that should not be"]


def test_move() -> None:
    """Who moves leaves one company and joins the other, unless the one can't do without."""
    other = customer(contact("4"), contact("5"), primary="4", key=THERE)
    past = Past(customer(contact("1"), contact("2"), contact("3")), other)
    past.move("3", THERE)
    assert past.fates("3") == [Fate.USER]
    assert "contact 3: it has 0 users with its address" in oracle.check_step(past.step(), past.companies)
    past.edit("3", active=False)
    assert past.fates("3") == [Fate.GONE]
    alone = Past(customer(contact("1")), other)
    alone.move("1", THERE)
    assert alone.fates("1") == [Fate.FREE]


def test_new_company() -> None:
    """A customer whose primary contact became eligible gets its company, and one without does not."""
    past = Past(customer(contact("1"), contact("2"), primary=None))
    assert past.companies == {HERE: None}
    assert past.fates("1", "2") == [Fate.NONE, Fate.NONE]
    past.primary("1")
    assert past.fates("1", "2") == [Fate.USER, Fate.USER]
    assert "C1: its company is missing" in oracle.check_step(past.step(), {HERE: None})


def test_locations_of_a_past() -> None:
    """The address of a location that left goes, that of one which lacks a field stays."""
    one = evolve(customer(contact("1")), locations=(place("MAIN", default=True), place("EAST")))
    past = Past(one)
    held = past.customers[HERE]
    assert oracle.check_step(past.step(), past.companies) == []
    past.customers[HERE] = evolve(held, locations=(held.locations[0], evolve(held.locations[1], active=False)))
    assert any("its location left" in found for found in oracle.check_step(past.step(), past.companies))
    bare = evolve(held.locations[1], address=evolve(MAIN, city=""))
    past.customers[HERE] = evolve(held, locations=(held.locations[0], bare))
    assert oracle.check_step(past.step(), past.companies) == []
    past.customers[HERE] = held
    none = {HERE: evolve(past.company(), addresses=())}
    assert "C1: location MAIN: it has 0 addresses" in oracle.check_step(past.step(), none)
    twice = {HERE: evolve(past.company(), addresses=(*past.company().addresses, *past.company().addresses[:1]))}
    assert "C1: location MAIN: it has 2 addresses" in oracle.check_step(past.step(), twice)


def test_company_follows() -> None:
    """Name, e-mail and phone of a company follow the customer."""
    past = three()
    past.customers[HERE] = evolve(past.customers[HERE], name="New", email="", phones=("555-0111",))
    assert oracle.check_step(past.step(), past.companies) == [
        "C1: company: name is 'Acme', not 'New'",
        "C1: company: phone is '555-0100', not '555-0111'",
    ]


@OWN
@given(strategies.erps(ordinary=True), strategies.policies(), st.data())
def test_complaints_of_idleness(drawn: tuple[Customer, ...], policy: SyncPolicy, data: st.DataObject) -> None:
    """Whoever must have a user with other fields than it had is complained of when nothing was done."""
    past = Past(*drawn, policy=policy)
    assume(past.history.users)
    key = data.draw(st.sampled_from(sorted(past.history.users)))
    past.edit(key, last_name="Zed")
    complaints = oracle.check_step(past.step(), past.companies)
    assert past.step().fate(key) is Fate.USER
    assert any(f"contact {key}: user: last_name" in found for found in complaints)
