import re
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.http import Request, json_body
from acumatica_b2b.simulators import (
    AcumaticaSettings,
    AcumaticaSimulator,
    ContactRow,
    CustomerRow,
    Dataset,
    dataset,
    edits,
)
from acumatica_b2b.simulators.acumatica import CONNECTION_TYPE, ENABLED, Collation
from acumatica_b2b.simulators.acumatica.flaws import FLAWS

MAILBOX = re.compile(r"[a-z0-9.]+@[a-z0-9-]+\.example")
WILD = dataset(600, seed=11)
ODD = dataset(100, seed=11, odd_ids=True)
CLEAN = dataset(200, seed=11, bad=False)


def contacts_of(rows: Dataset, customer: CustomerRow) -> list[ContactRow]:
    return [contact for contact in rows.contacts if contact.customer == customer.id]


@settings(max_examples=20)
@given(customers=st.integers(0, 20), seed=st.integers(0, 1000), bad=st.booleans())
def test_a_seed_gives_the_same_records(customers: int, seed: int, bad: bool) -> None:  # noqa: FBT001  # hypothesis passes by keyword
    """The same arguments give the same records, and the flaws change neither numbers nor NoteIDs."""
    rows = dataset(customers, seed, bad=bad)
    assert rows == dataset(customers, seed, bad=bad)
    other = dataset(customers, seed, bad=not bad)
    assert [one.note_id for one in rows.contacts] == [one.note_id for one in other.contacts]
    assert len(rows.customers) == customers


def test_seeds_differ() -> None:
    """Another seed gives other records."""
    assert dataset(5, seed=1) != dataset(5, seed=2)


def test_ids_are_unique() -> None:
    """Customers, contacts and NoteIDs are unique over the tenant, locations within their customer."""
    assert len({one.id for one in WILD.customers}) == len(WILD.customers)
    assert len({one.id for one in WILD.contacts}) == len(WILD.contacts)
    assert len({(one.customer, one.id) for one in WILD.locations}) == len(WILD.locations)
    notes = [one.note_id for group in (WILD.customers, WILD.contacts, WILD.locations) for one in group]
    assert len(set(notes)) == len(notes)


@pytest.mark.parametrize("collation", Collation)
def test_odd_ids_are_unique_to_every_collation(collation: Collation) -> None:
    """Ids as people type them in are no two the same, whichever collation compares them; the rest stays."""
    odd = dataset(200, seed=11, odd_ids=True)
    assert len({collation.key(one.id) for one in odd.customers}) == 200
    assert [one.email for one in odd.contacts] == [one.email for one in dataset(200, seed=11).contacts]
    texts = "".join(one.id for one in odd.customers)
    assert set("-'/| _") < set(texts)
    assert not texts.isascii()


def test_odd_ids_are_ordered_by_the_collation() -> None:
    """A tenant with such ids lists them in the collation's order, which is not that of code points."""
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(collation=Collation.WORD_SORT))
    listed = [one.id for one in simulator.load(dataset(40, seed=3, odd_ids=True)).snapshot().customers]
    assert listed == sorted(listed, key=Collation.WORD_SORT.key) != sorted(listed)


def test_contacts_have_a_long_tail() -> None:
    """Most customers have few contacts, some have very many, none more than 30; locations are 1 to 4."""
    contacts = Counter(one.customer for one in WILD.contacts)
    assert set(contacts) == {one.id for one in WILD.customers}
    assert sorted(contacts.values())[len(contacts) // 2] <= 3
    assert 20 <= max(contacts.values()) <= 30
    assert set(Counter(one.customer for one in WILD.locations).values()) == {1, 2, 3, 4}


def test_clean_records_are_fit() -> None:
    """Without flaws every contact is enabled and active with an own address, and every customer has its primary."""
    emails = [one.email for one in CLEAN.contacts]
    assert all(MAILBOX.fullmatch(email) for email in emails)
    assert len(set(emails)) == len(emails)
    assert all(one.active and one.first_name and one.last_name for one in CLEAN.contacts)
    assert all(one.custom == {ENABLED: True, CONNECTION_TYPE: "B2B"} for one in CLEAN.contacts)
    for customer in CLEAN.customers:
        assert customer.primary_contact in {one.id for one in contacts_of(CLEAN, customer)}
        assert customer.status == "Active"
        assert customer.phone
        assert customer.email
        assert customer.address.country == "US"
    assert all(one.address.city for one in CLEAN.locations)


def test_every_domain_is_an_example() -> None:
    """No address can reach anybody: every domain ends in .example, every phone number is a fictitious one."""
    fields = [one.email for one in WILD.contacts] + [one.email for one in WILD.customers]
    emails = [email for email in fields if "@" in email]
    assert all(part.endswith((".example", "@")) for email in emails for part in email.lower().split(";"))
    assert all("555-01" in phone for one in WILD.contacts for phone in one.phones)


def test_every_flaw_is_found() -> None:
    """A tenant of some hundred customers has every kind of flaw at least once."""
    families = [(customer, contacts_of(WILD, customer)) for customer in WILD.customers]
    own = [{one.id: one for one in contacts} for _, contacts in families]
    everybody = {one.id for one in WILD.contacts}
    emails = Counter(one.email.lower() for one in WILD.contacts if one.email)
    primaries = [(customer.primary_contact, mine) for (customer, _), mine in zip(families, own, strict=True)]
    within = [Counter(one.email.lower() for one in contacts if one.email) for _, contacts in families]
    found = {
        "no e-mail": any(not one.email for one in WILD.contacts),
        "malformed": any(
            one.email and ";" not in one.email and not MAILBOX.fullmatch(one.email.lower()) for one in WILD.contacts
        ),
        "several": any(";" in one.email for one in WILD.contacts),
        "shared with primary": any(
            mine[number].email and counts[mine[number].email.lower()] > 1
            for (number, mine), counts in zip(primaries, within, strict=True)
            if number in mine
        ),
        "shared by others": any(
            email != mine[number].email.lower() and count > 1
            for (number, mine), counts in zip(primaries, within, strict=True)
            if number in mine
            for email, count in counts.items()
        ),
        "shared across": emails["purchasing@buying-group.example"] > 1,
        "no first name": any(not one.first_name for one in WILD.contacts),
        "inactive primary": any(number in mine and not mine[number].active for number, mine in primaries),
        "no primary": any(number is None for number, _ in primaries),
        "primary elsewhere": any(number in everybody - set(mine) for number, mine in primaries),
        "dangling": any(number is not None and number not in everybody for number, _ in primaries),
        "no phone": any(not one.phone for one in WILD.customers),
        "no company e-mail": any(not one.email for one in WILD.customers),
        "no country": any(not one.address.country for one in WILD.customers),
        "not active": any(one.status != "Active" for one in WILD.customers),
        "nobody enabled": any(not any(one.custom[ENABLED] for one in contacts) for _, contacts in families),
        "other connection": any(one.custom[CONNECTION_TYPE] != "B2B" for one in WILD.contacts),
        "no city": any(not one.address.city for one in WILD.locations),
    }
    assert [name for name, there in found.items() if not there] == []
    assert len(found) == len(FLAWS)


def test_most_of_a_wild_tenant_is_sound() -> None:
    """Even with flaws most contacts are enabled and most customers have a primary of their own."""
    enabled = sum(one.custom[ENABLED] is True for one in WILD.contacts) / len(WILD.contacts)
    assert 0.75 < enabled < 0.97
    named = sum(
        customer.primary_contact in {one.id for one in contacts_of(WILD, customer)} for customer in WILD.customers
    )
    assert named > 0.85 * len(WILD.customers)


def test_big_tenants_load_quickly() -> None:
    """Some ten thousand contacts are made, loaded and read by key within seconds."""
    begin = time.perf_counter()
    rows = dataset(5_000, seed=1)
    simulator = AcumaticaSimulator().load(rows)
    assert len(rows.contacts) > 10_000
    assert simulator.contact(rows.contacts[-1].id or 0).email == rows.contacts[-1].email
    assert time.perf_counter() - begin < 10


# ------------------------------------------------------------------ a day of changes
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def signed_in(rows: Dataset) -> tuple[AcumaticaSimulator, str]:
    simulator = AcumaticaSimulator(now=lambda: NOW).load(rows)
    body = json_body({"name": "sync", "password": "secret"})
    answer = simulator.handle(Request(method="POST", url="http://erp/entity/auth/login", body=body))
    return simulator, "; ".join(line.partition(";")[0] for line in answer.header_values("set-cookie"))


def apply(simulator: AcumaticaSimulator, cookie: str, rows: Dataset, seed: int) -> list[int]:
    return [
        simulator.handle(
            Request(method=edit.method, url=f"http://erp{edit.path}", headers=(("Cookie", cookie),), body=edit.body)
        ).status
        for edit in edits(rows, seed)
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rows", [WILD, ODD], ids=["wild", "odd ids"])
def test_a_day_of_changes_is_accepted(rows: Dataset, seed: int) -> None:
    """Every change of a day is accepted, whatever the ids are; one contact comes, one goes."""
    simulator, cookie = signed_in(rows)
    statuses = apply(simulator, cookie, rows, seed)
    assert sorted(set(statuses)) == [200, 204]
    assert len(statuses) == 9
    assert len(simulator.snapshot().contacts) == len(rows.contacts)


def test_a_day_of_changes_has_every_kind() -> None:
    """A day has one change of each kind: each moves what it says, and nothing else."""
    simulator, cookie = signed_in(WILD)
    before = simulator.snapshot()
    apply(simulator, cookie, WILD, seed=5)
    after = simulator.snapshot()
    old = {one.id: one for one in before.contacts}
    new = {one.id: one for one in after.contacts}
    both = [(old[number], new[number]) for number in old.keys() & new.keys()]
    changed = [(one, two) for one, two in both if one != two]
    kinds = Counter(
        name
        for one, two in changed
        for name in ("email", "last_name", "active", "custom")
        if getattr(one, name) != getattr(two, name)
    )
    assert kinds == {"email": 1, "last_name": 1, "active": 1, "custom": 2}
    assert all(two.modified == NOW for _, two in changed)
    assert len(old.keys() - new.keys()) == len(new.keys() - old.keys()) == 1
    moved = [(one, two) for one, two in zip(before.customers, after.customers, strict=True) if one != two]
    assert [evolve(two, primary_contact=one.primary_contact, modified=one.modified) == one for one, two in moved] == [
        True
    ]
    places = [(one, two) for one, two in zip(before.locations, after.locations, strict=True) if one != two]
    assert [two.address.city for _, two in places] == ["Seattle"]


def test_changes_are_drawn_from_a_seed() -> None:
    """The same seed gives the same changes, from the data set as from a simulator that holds it."""
    assert edits(WILD, 4) == edits(WILD, 4) != edits(WILD, 5)
    assert edits(AcumaticaSimulator().load(WILD), 4) == edits(WILD, 4)


def test_changes_touch_each_customer_once() -> None:
    """Over several rounds no customer is changed twice, so that the order does not matter."""
    found = edits(WILD, 1, rounds=5)
    customers = [re.search(r"C\d{9}", edit.description) for edit in found]
    assert len(found) == 45
    assert len({match[0] for match in customers if match}) == 45


def test_descriptions_hold_no_address() -> None:
    """A description can be shown and logged: it holds no e-mail address."""
    assert not any("@" in edit.description for edit in edits(WILD, 1))


def test_a_tenant_too_small_has_fewer_changes() -> None:
    """A kind of change that fits no customer is left out; an empty tenant has none."""
    assert edits(Dataset(), 1) == ()
    assert len(edits(dataset(3, seed=1, bad=False), 1)) <= 3
