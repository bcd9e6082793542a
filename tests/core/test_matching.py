"""Who is who, as values: references, contests for an address, pairs of contacts and users, adoptions."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.mapping import Desired, contact_record, map_customer
from acumatica_b2b.matching import (
    Contest,
    Pairs,
    adoptable,
    contested,
    match_addresses,
    match_users,
    reference_to,
    referred,
)
from acumatica_b2b.model import (
    UNSET,
    AddressID,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    Contact,
    ContactID,
    DesiredUser,
    LocationID,
    NoteID,
    StorefrontID,
    UserID,
)
from acumatica_b2b.policy import SyncPolicy
from tests.bench import ANNA, BILL, MARK, contact, customer, location, storefront_id

POLICY = SyncPolicy()
HERE = CompanyID(StorefrontID("1"))
U1, U2, U3 = map(storefront_id, ("11", "12", "13"))


def desired(*contacts: Contact, primary: Contact | None = None) -> Desired:
    """Return what a customer with these contacts becomes."""
    return map_customer(customer(*contacts, primary=primary), POLICY)


def user(key: UserID, email: str = "", external_id: str = "") -> CompanyUser:
    """Return a company user."""
    return CompanyUser(id=key, company=HERE, email=email or f"{key}@shop.example", external_id=external_id)


def matched(
    contacts: tuple[Contact, ...],
    *users: CompanyUser,
    links: dict[Contact, UserID] | None = None,
    references: dict[Contact, UserID] | None = None,
    kept: tuple[Contact, ...] = (),
) -> Pairs:
    """Return who is who."""
    return match_users(
        desired(*contacts).users,
        Company(id=HERE, name="Acme", users=users),
        {one.id: key for one, key in (links or {}).items()},
        {one.id: key for one, key in (references or {}).items()},
        frozenset(one.id for one in kept),
    )


# ------------------------------------------------------------------ references
@pytest.mark.parametrize(
    ("reference", "found"),
    [("7", "7"), (" 7 ", "7"), ("", None), ("7a", None), ("B2B-7", None), ("7 8", None), (UNSET, None)],
)
def test_referred(reference: str, found: str | None) -> None:
    """A reference names a storefront's id where it is of the policy's format, else it is a foreign value."""
    assert referred(reference, POLICY) == found


def test_reference_format() -> None:
    """The policy's format stands around the id, character by character."""
    policy = SyncPolicy(reference_format="B2B.({id})")
    assert reference_to("7", policy) == "B2B.(7)"
    assert referred("B2B.(7)", policy) == "7"
    assert referred("B2Bx(7)", policy) is None


def test_reference_id() -> None:
    """What an id looks like is the policy's too, alternatives included."""
    policy = SyncPolicy(reference_format="u-{id}", reference_id="[0-9]+|new")
    assert [referred(text, policy) for text in ("u-7", "u-new", "new", "u-old")] == ["7", "new", None, None]


@given(st.integers(0, 10**12).map(str), st.sampled_from(["{id}", "B2B-{id}", "{id}/x", "a+{id}?"]))
def test_a_reference_is_read_back(identifier: str, reference_format: str) -> None:
    """What is written as a reference is read back as the same id."""
    policy = SyncPolicy(reference_format=reference_format)
    assert referred(reference_to(identifier, policy), policy) == identifier


# ------------------------------------------------------------------ shared addresses
SHARED = (contact(9, "Zoe", email="x@a.example"), contact(10, "Yan", email="X@a.example"), BILL)


@pytest.mark.parametrize(
    ("primary", "linked", "winner"),
    [
        (None, (), "9"),
        (None, ("10",), "10"),
        (None, ("9", "10"), "9"),
        (SHARED[1], (), "10"),
        (SHARED[1], ("9",), "10"),
        (BILL, ("10",), "10"),
    ],
)
def test_shared_address(primary: Contact | None, linked: tuple[str, ...], winner: str) -> None:
    """A shared address goes to the primary contact, else to one already linked, else to the lowest id."""
    contest = contested(desired(*SHARED, primary=primary), frozenset(map(ContactID, linked)))
    assert {one.contact for one in contest.users} == {winner, BILL.id}
    (found,) = contest.findings
    assert (found.kind, {found.record.id, winner}) == (FindingKind.DUPLICATE_EMAIL, {"9", "10"})
    assert winner in found.detail


@pytest.mark.parametrize(
    ("deleted", "primary", "linked", "winner"),
    [
        (("9",), None, (), "10"),
        (("9",), SHARED[0], (), "10"),
        (("9", "10"), None, (), "9"),
        (("9", "10"), SHARED[1], (), "10"),
        (("10",), None, ("10",), "9"),
    ],
)
def test_whose_user_was_deleted_comes_last(
    deleted: tuple[str, ...], primary: Contact | None, linked: tuple[str, ...], winner: str
) -> None:
    """Who is made no user anyway, because people deleted it, gives way even as the primary or linked one."""
    contest = contested(
        desired(*SHARED, primary=primary), frozenset(map(ContactID, linked)), frozenset(map(ContactID, deleted))
    )
    assert {one.contact for one in contest.users} == {winner, BILL.id}


def test_address_that_is_spoken_for() -> None:
    """An address that goes to another customer's contact is nobody's here; the finding names that one."""
    contest = contested(desired(*SHARED), spoken_for={"x@a.example": ContactID("900")})
    assert [one.contact for one in contest.users] == [BILL.id]
    assert contest.findings == tuple(
        Finding(kind=FindingKind.DUPLICATE_EMAIL, record=contact_record(ContactID(key)), detail="contact '900'")
        for key in ("9", "10")
    )
    own = contested(desired(*SHARED), spoken_for={"x@a.example": ContactID("10")})
    assert [one.contact for one in own.users] == ["10", BILL.id]


def test_own_addresses() -> None:
    """Contacts with addresses of their own all have them."""
    assert contested(desired(MARK, ANNA)) == Contest(users=desired(MARK, ANNA).users)


@given(st.permutations([contact(n, email=f"{n % 3}@a.example") for n in range(1, 9)]), st.sets(st.integers(1, 8)))
def test_contest_does_not_depend_on_order(contacts: list[Contact], linked: set[int]) -> None:
    """Who gets an address does not depend on the order in which the ERP lists its contacts."""
    links = frozenset(ContactID(str(n)) for n in linked)
    there = contested(desired(*contacts), links)
    again = contested(desired(*sorted(contacts, key=lambda one: one.id)), links)
    assert set(there.users) == set(again.users)
    assert set(there.findings) == set(again.findings)


# ------------------------------------------------------------------ users
def test_by_link() -> None:
    """A contact's user is the one it is linked to, before any other sign."""
    users = (user(U1), user(U2, external_id=MARK.note_id), user(U3, MARK.email))
    assert matched((MARK,), *users, links={MARK: U1}, references={MARK: U3}).users == {MARK.id: U1}


def test_by_external_id() -> None:
    """Without a link it is the one with its external id, compared without case."""
    users = (user(U1), user(U2, external_id=MARK.note_id.upper()), user(U3, MARK.email))
    assert matched((MARK,), *users, references={MARK: U1}).users == {MARK.id: U2}


def test_by_reference() -> None:
    """Without these it is the one that its reference names, before one with its address."""
    assert matched((MARK,), user(U1), user(U2, MARK.email), references={MARK: U1}).users == {MARK.id: U1}


@pytest.mark.parametrize("email", ["mark@acme.example", " Mark@ACME.example "])
def test_by_email(email: str) -> None:
    """At last it is the one with its address, trimmed and in lower case."""
    assert matched((MARK,), user(U1, email)).users == {MARK.id: U1}


def test_by_nothing_else() -> None:
    """Name and phone are no sign; nor is a link to a user who is not there."""
    mark = evolve(MARK, phones=("555",))
    like = evolve(user(U1), first_name="Mark", last_name="Ames", phone="555")
    assert matched((mark,), like, links={mark: U2}).users == {}


def test_a_user_is_claimed_once() -> None:
    """A user is one contact's at most, in that order; who names it by reference comes too late."""
    pairs = matched((MARK, ANNA), user(U1, ANNA.email), links={ANNA: U1}, references={MARK: U1})
    assert pairs == Pairs(users={ANNA.id: U1}, late=((MARK.id, U1),))


def test_order_of_claims_is_not_that_of_contacts() -> None:
    """A later contact's link comes before an earlier contact's address."""
    assert matched((MARK, ANNA), user(U1, MARK.email), links={ANNA: U1}).users == {ANNA.id: U1}


def test_who_comes_too_late_takes_the_next_sign() -> None:
    """A contact whose reference names another's user is still found by its own address."""
    users = (user(U1), user(U2, MARK.email))
    pairs = matched((MARK, ANNA), *users, links={ANNA: U1}, references={MARK: U1})
    assert pairs == Pairs(users={ANNA.id: U1, MARK.id: U2})


def test_kept_users_are_reserved() -> None:
    """The user of a contact who wants none now is nobody else's."""
    pairs = matched((ANNA,), user(U1, ANNA.email), links={MARK: U1}, kept=(MARK,))
    assert pairs.users == {}


@pytest.mark.parametrize("sign", ["link", "external", "reference", "email"])
def test_parted_stay_apart(sign: str) -> None:
    """A pair that people said is none is none, whatever says so; another user of the same contact may be."""
    one = user(U1, MARK.email if sign == "email" else "", MARK.note_id if sign == "external" else "")
    mark = desired(MARK).users
    links = {MARK.id: U1} if sign == "link" else {}
    references = {MARK.id: U1} if sign == "reference" else {}
    there = Company(id=HERE, name="Acme", users=(one,))
    assert match_users(mark, there, links, references, frozenset()).users == {MARK.id: U1}
    apart = frozenset({(MARK.id, U1), (ANNA.id, U2)})
    assert match_users(mark, there, links, references, frozenset(), apart) == Pairs(users={})
    both = evolve(there, users=(one, user(U2, external_id=MARK.note_id)))
    assert match_users(mark, both, links, references, frozenset(), apart).users == {MARK.id: U2}


def test_who_is_kept_without_a_link_keeps_nobody() -> None:
    """A contact who is to keep its user and is linked to none reserves none."""
    assert matched((ANNA,), user(U1, ANNA.email), kept=(MARK,)).users == {ANNA.id: U1}


def test_who_is_late_for_a_kept_user() -> None:
    """A contact whose reference names a user that somebody keeps is late, once for each sign."""
    pairs = matched((ANNA,), user(U1), links={MARK: U1}, references={ANNA: U1}, kept=(MARK,))
    assert pairs == Pairs(users={}, late=((ANNA.id, U1),))


signs = st.dictionaries(st.sampled_from((MARK, ANNA, BILL)), st.sampled_from((U1, U2, U3)))
companies = st.lists(
    st.builds(
        user,
        st.sampled_from((U1, U2, U3)),
        st.sampled_from((MARK.email, ANNA.email, "")),
        st.sampled_from((MARK.note_id, BILL.note_id, "")),
    ),
    unique_by=(lambda one: one.id, lambda one: one.email),
)


@given(companies, signs, signs)
def test_pairs_are_one_to_one(
    users: list[CompanyUser], links: dict[Contact, UserID], references: dict[Contact, UserID]
) -> None:
    """Nobody has two users, no user is two contacts', and every user is there; a late contact has none."""
    pairs = matched((MARK, ANNA, BILL), *users, links=links, references=references)
    assert len(set(pairs.users.values())) == len(pairs.users)
    assert set(pairs.users.values()) <= {one.id for one in users}
    assert pairs.users.keys().isdisjoint(one for one, _ in pairs.late)


@given(companies, signs)
def test_a_link_that_is_nobody_else_s_holds(users: list[CompanyUser], links: dict[Contact, UserID]) -> None:
    """A contact whose linked user is there, and is linked to nobody else, has that user."""
    pairs = matched((MARK, ANNA, BILL), *users, links=links)
    claims = list(links.values())
    for one, key in links.items():
        if key in {there.id for there in users} and claims.count(key) == 1:
            assert pairs.users[one.id] == key


# ------------------------------------------------------------------ addresses
def test_addresses() -> None:
    """A location's address is the one it is linked to, else the one with its external id, each claimed once."""
    places = (location("MAIN"), location("EAST"), location("WEST"))
    wanted = map_customer(customer(MARK, primary=MARK, locations=places), POLICY)
    there = tuple(
        CompanyAddress(id=AddressID(StorefrontID(key)), external_id=external)
        for key, external in (("1", ""), ("2", places[1].note_id.upper()), ("3", "strange"))
    )
    company = Company(id=HERE, name="Acme", addresses=there)
    links = {LocationID("MAIN"): AddressID(StorefrontID("1")), LocationID("WEST"): AddressID(StorefrontID("9"))}
    assert match_addresses(wanted, company, links) == {"MAIN": "1", "EAST": "2"}


def test_a_linked_address_is_claimed_first() -> None:
    """A link comes before another location's external id, whichever location the ERP lists first."""
    places = (location("MAIN"), location("EAST"))
    wanted = map_customer(customer(MARK, primary=MARK, locations=places), POLICY)
    address = CompanyAddress(id=AddressID(StorefrontID("1")), external_id=places[0].note_id)
    company = Company(id=HERE, name="Acme", addresses=(address,))
    assert match_addresses(wanted, company, {LocationID("EAST"): address.id}) == {"EAST": "1"}


def test_parted_addresses_stay_apart() -> None:
    """An address that people parted from its location is not its, by link or external id; another one may be."""
    places = (location("MAIN"), location("EAST"))
    wanted = map_customer(customer(MARK, primary=MARK, locations=places), POLICY)
    one, two = AddressID(StorefrontID("1")), AddressID(StorefrontID("2"))
    address = CompanyAddress(id=one, external_id=places[0].note_id)
    company = Company(id=HERE, name="Acme", addresses=(address, CompanyAddress(id=two)))
    links = {LocationID("MAIN"): two}
    assert match_addresses(wanted, company, links) == {"MAIN": "2"}
    assert match_addresses(wanted, company, links, frozenset({(LocationID("MAIN"), "2")})) == {"MAIN": "1"}
    both = frozenset({(LocationID("MAIN"), "1"), (LocationID("MAIN"), "2"), (LocationID("EAST"), "9")})
    assert match_addresses(wanted, company, links, both) == {}


def test_addresses_are_compared_by_note_id() -> None:
    """An address without external id is nobody's by external id; one is compared without case."""
    note = NoteID("abcdef00-0000-0000-0000-000000000001")
    wanted = map_customer(customer(MARK, primary=MARK, locations=(location("MAIN", note_id=note),)), POLICY)
    address = CompanyAddress(id=AddressID(StorefrontID("1")), external_id=note.upper())
    company = Company(
        id=HERE, name="Acme", addresses=(address, evolve(address, id=AddressID(StorefrontID("2")), external_id=""))
    )
    assert match_addresses(wanted, company, {}) == {"MAIN": "1"}
    without = map_customer(customer(MARK, primary=MARK, locations=(location("MAIN", note_id=NoteID("")),)), POLICY)
    assert match_addresses(without, company, {}) == {}
    linked = {LocationID("MAIN"): AddressID(StorefrontID("2"))}
    assert match_addresses(wanted, company, linked) == {"MAIN": "2"}


# ------------------------------------------------------------------ adoptions
def of(*companies: str | None) -> list[CompanyUser | None]:
    """Return a user of each company, or nobody."""
    return [evolve(user(U1), company=CompanyID(StorefrontID(key))) if key else None for key in companies]


@pytest.mark.parametrize(
    ("holders", "primary", "wanted", "found"),
    [
        (of(None, None, None), None, 3, set[str]()),
        (of("7", None, None), None, 3, set[str]()),
        (of("7", "7", None, None), None, 4, set[str]()),
        (of("7", "7", None), None, 3, {"7"}),
        (of("7", None, None), "7", 3, {"7"}),
        (of("7", "7", "8"), "8", 3, {"7", "8"}),
    ],
)
def test_adoptable(holders: list[CompanyUser | None], primary: str | None, wanted: int, found: set[str]) -> None:
    """A company may be adopted that holds the primary's address, or more than half of the contacts'."""
    assert adoptable(holders, of(primary)[0], wanted) == found


def test_desired_users_are_compared_by_note_id() -> None:
    """A user without external id is nobody's by external id, not even that of a contact without one."""
    nobody = DesiredUser(
        contact=MARK.id, external_id=NoteID(""), email="m@a.example", first_name="Mark", last_name="Ames"
    )
    company = Company(id=HERE, name="Acme", users=(user(U1),))
    assert match_users((nobody,), company, {}, {}, frozenset()).users == {}
