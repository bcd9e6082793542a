"""Who was listed and who was not, and whose company is whose, by the log alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b import census, whose
from acumatica_b2b.census import homes_of, unlisted
from acumatica_b2b.effects import Keys, Load
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.flow import Batch, Flow, run
from acumatica_b2b.ids import Census
from acumatica_b2b.keys import contact_key, customer_key
from acumatica_b2b.mapping import DELETED, customer_record
from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import Commit
from acumatica_b2b.synclog import (
    Body,
    Done,
    Entry,
    Found,
    Intended,
    Linked,
    LoggedStep,
    SettledAt,
    Unlinked,
    digest,
    write_body,
)
from acumatica_b2b.terms import Terms
from acumatica_b2b.whose import Owners, customers_of
from tests.core.worlds import SHOP

NOW = datetime(2024, 5, 1, tzinfo=UTC)
POLICY = SyncPolicy(store="north")
TERMS = Terms(policy=POLICY, capabilities=SHOP, run="r1")
C = [CustomerID(f"C{n}") for n in range(10)]


@define
class Logs:
    """Logs, and what was asked of them."""

    kept: dict[str, list[Commit]] = field(factory=dict[str, list[Commit]])
    asked: list[Keys] = field(factory=list[Keys])

    def put(self, key: str, *bodies: tuple[Entry, ...]) -> None:
        """Add commits to a log."""
        log = self.kept.setdefault(key, [])
        for entries in bodies:
            text = write_body(Body(run="r1", at=NOW, entries=entries))
            log.append(Commit(key=key, version=len(log) + 1, body=text))  # type: ignore[arg-type]  # a plain text

    def company(self, customer: CustomerID, *more: Entry, company: str = "1") -> None:
        """Add a log that says that a customer has a company."""
        self.put(customer_key(POLICY, customer), (Linked(record=customer_record(customer), id=company),), more)

    def answer(self, batch: Batch) -> Sequence[Any]:
        """Answer effects."""
        return [self._answer(effect) for effect in batch]

    def _answer(self, effect: Any) -> Any:
        if isinstance(effect, Load):
            return self.kept.get(effect.key, [])
        assert isinstance(effect, Keys)
        self.asked.append(effect)
        found = sorted(key for key in self.kept if key.startswith(effect.prefix) and key > (effect.after or ""))
        return found[: effect.limit]

    def ask(self, flow: Flow[Any]) -> Any:
        """Return what a flow comes to."""
        return run(flow, self.answer)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "_PAGE", 2)
    monkeypatch.setattr(whose, "_PAGE", 2)


# ------------------------------------------------------------------ customers that were not listed
def not_listed(logs: Logs, *listed: CustomerID, known: bool = False) -> set[CustomerID]:
    """Return the customers that were not listed and have a company."""
    one = Census()
    one.count(listed)
    return set(logs.ask(unlisted(one, TERMS, known=known)))


def test_unlisted() -> None:
    """A customer with a company that was not listed is found, on whichever page its log is."""
    logs = Logs()
    for customer in C[:5]:
        logs.company(customer)
    logs.put(
        customer_key(POLICY, C[5]), (Found(finding=Finding(kind=FindingKind.ABORTED, record=customer_record(C[5]))),)
    )
    logs.put(
        customer_key(POLICY, C[6]),
        (Linked(record=customer_record(C[6]), id="1"), Unlinked(record=customer_record(C[6]))),
    )
    logs.put("north/contact/101", (Linked(record=customer_record(C[7]), id="1"),))
    logs.put("south/customer/C8", (Linked(record=customer_record(C[8]), id="1"),))
    assert not_listed(logs, C[1], C[3]) == {C[0], C[2], C[4]}
    assert [(one.prefix, one.limit, one.after) for one in logs.asked[:2]] == [
        ("north/customer/", 2, None),
        ("north/customer/", 2, "north/customer/C1"),
    ]
    assert not_listed(logs, *C) == set()
    assert not_listed(Logs()) == set()


def told(customer: CustomerID, detail: str = DELETED, kind: FindingKind = FindingKind.CUSTOMER_LEFT) -> Found:
    """Return the finding that a customer was deleted."""
    return Found(finding=Finding(kind=kind, record=customer_record(customer), detail=detail))


def switched_off(customer: CustomerID, to: str = "no") -> tuple[Entry, ...]:
    """Return a step that switched its company off."""
    fields = {"active": digest(to)}
    step = LoggedStep(hash="h", do="UpdateCompany", record=customer_record(customer), id="1", fields=fields)
    return Intended(step=step, until=NOW), Done(step="h", id="1")


SETTLED = SettledAt(digest="d")


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ((told(C[0]), SETTLED), False),
        ((*switched_off(C[0]), SETTLED), False),
        ((told(C[0]),), True),
        (switched_off(C[0]), True),
        ((SETTLED,), True),
        ((*switched_off(C[0], "yes"), SETTLED), True),
        ((told(C[0], "its status is 'Inactive'"), SETTLED), True),
        ((told(C[0], kind=FindingKind.CUSTOMER_FILTERED), SETTLED), True),
    ],
    ids=["told", "off", "told-open", "off-open", "settled", "on", "another-reason", "another-finding"],
)
def test_known_to_be_deleted(entries: tuple[Entry, ...], found: bool) -> None:  # noqa: FBT001  # a table's column
    """A deleted customer of whom that is on record, with nothing left to do, is named only where it is asked for."""
    logs = Logs()
    logs.company(C[0], *entries)
    assert not_listed(logs) == ({C[0]} if found else set())
    assert not_listed(logs, known=True) == {C[0]}


# ------------------------------------------------------------------ homes
def test_homes() -> None:
    """Contacts lead to the customer that the index named last; who is in no index, or let go of, leads to nobody."""
    logs = Logs()
    contacts = [ContactID(str(n)) for n in (101, 102, 103)]
    logs.put(
        contact_key(POLICY, contacts[0]),
        (Linked(record=customer_record(C[1]), id="7"),),
        (Linked(record=customer_record(C[2]), id="8"),),
    )
    logs.put(contact_key(POLICY, contacts[1]), (Linked(record=customer_record(C[3]), id="9"),), ())
    contacts.append(ContactID("104"))
    logs.put(contact_key(POLICY, contacts[3]), (Linked(record=customer_record(C[4]), id="7"),))
    assert logs.ask(homes_of(contacts, POLICY)) == {contacts[0]: C[2], contacts[3]: C[4]}


# ------------------------------------------------------------------ whose company
def test_customers_of_companies() -> None:
    """Companies lead to the customers that are linked to them, in the order of the logs; none is read for nobody."""
    logs = Logs()
    for number, customer in enumerate(C[:5]):
        logs.company(customer, company=str(number))
    logs.put(customer_key(POLICY, C[5]), ())
    assert logs.ask(customers_of(["4", "0", "999"], POLICY)) == (C[0], C[4])
    assert [(one.prefix, one.limit, one.after) for one in logs.asked] == [
        ("north/customer/", 2, None),
        ("north/customer/", 2, "north/customer/C1"),
        ("north/customer/", 2, "north/customer/C3"),
        ("north/customer/", 2, "north/customer/C5"),
    ]
    logs.asked.clear()
    assert logs.ask(customers_of([], POLICY)) == ()
    assert logs.asked == []


def test_owners() -> None:
    """Which companies are linked is read from the log once; to whom is not kept."""
    logs, owners = Logs(), Owners()
    logs.company(C[1], company="7")
    assert logs.ask(owners.have("7", POLICY))
    count = len(logs.asked)
    assert not logs.ask(owners.have("8", POLICY))
    assert not logs.ask(owners.have(C[1], POLICY))
    assert logs.ask(owners.have("7", POLICY))
    assert len(logs.asked) == count == 2
