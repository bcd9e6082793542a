"""What was read and is known already is not decoded; whatever else may have changed is noticed all the same."""

from typing import Any

import pytest
from attrs import evolve

from acumatica_b2b import ContactSync, SyncPolicy, map_customer
from acumatica_b2b.acumatica import Acumatica, Password, records
from acumatica_b2b.bigcommerce import BigCommerce
from acumatica_b2b.folding import fold
from acumatica_b2b.model import Customer
from acumatica_b2b.protocols import ChangedSince, Cursor, Page, Query
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE
from acumatica_b2b.synclog import SettledAt, last_fingerprint, read_body
from tests.systems.conftest import ERP, NO_LIMITS, SHOP, Systems


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return whom the client of the ERP has made records of."""
    names: list[str] = []
    decoded = records.customer

    def counted(row: Any, *arguments: Any, **more: Any) -> Customer:
        found: Customer = decoded(row, *arguments, **more)
        names.append(found.id)
        return found

    monkeypatch.setattr(records, "customer", counted)
    return names


def loaded(systems: Systems) -> tuple[int, ...]:
    """Load two customers and let a run see its own references come back."""
    ids = (*systems.customer("AAA", "Ann", "Abe"), *systems.customer("BBB", "Bea"))
    assert systems.sync().ok
    return ids


def again(systems: Systems, made: list[str], **fields: Any) -> tuple[list[str], int]:
    """Run over what changed; return of whom records were made, and how much was written to the shop."""
    made.clear()
    before, commits, references = systems.way.writes, versions(systems), systems.references()
    storefront = BigCommerce(SHOP, systems.way, clock=systems.clock)
    settings: dict[str, Any] = {"erp": systems.erp, "policy": systems.policy} | fields
    sync = ContactSync(storefront=storefront, store=systems.store, clock=systems.clock, workers=1, **settings)
    assert sync.sync_changed().ok
    if systems.way.writes == before and systems.references() == references:
        assert versions(systems) == commits, "a run that found nothing new wrote something"
    return sorted(set(made)), systems.way.writes - before


def versions(systems: Systems) -> dict[str, int]:
    """Return how long the customers' logs are."""
    return {key: log[-1].version for key, log in logs(systems).items()}


def logs(systems: Systems) -> dict[str, Any]:
    """Return the customers' logs."""
    keys = systems.store.keys("store/customer/", None, 100)
    return dict(zip(keys, systems.store.load(keys), strict=True))


@pytest.fixture(autouse=True)
def unprobed(systems: Systems) -> None:
    """Let runs take the tenant for the same."""
    systems.policy = evolve(systems.policy, check_tenant=False)


def test_own_references_come_back(systems: Systems, made: list[str]) -> None:
    """What a load wrote itself is known when it comes back: of nobody a record is made."""
    loaded(systems)
    assert again(systems, made) == ([], 0)


def test_changes_are_noticed(systems: Systems, made: list[str]) -> None:
    """A contact's new name is decoded and written; a new title is decoded and not written, a reference either."""
    ann, abe, bea = loaded(systems)
    systems.change(ann, last_name="Smith")
    assert again(systems, made) == (["AAA"], 1)
    assert again(systems, made) == (["AAA"], 0)  # its locations were not read: nothing stands for all of it
    systems.change(bea, job_title="Owner")
    assert again(systems, made) == (["AAA", "BBB"], 0)
    systems.change(abe, custom={**systems.tenant.contact(abe).custom, CONTACT_REFERENCE: ""})
    found, writes = again(systems, made)
    assert ("AAA" in found, writes) == (True, 0)
    assert systems.references()["Abe"]


def test_another_policy(systems: Systems, made: list[str]) -> None:
    """Under another policy everybody who comes back is decoded."""
    loaded(systems)
    other = evolve(systems.policy, first_name_filler="Dear")
    assert again(systems, made, policy=other) == (["AAA", "BBB"], 0)


def test_another_map(systems: Systems, made: list[str]) -> None:
    """Nothing is known of a host's own map: what comes back is decoded and mapped, and a changed map noticed."""
    loaded(systems)

    def same(customer: Customer, policy: SyncPolicy) -> Any:
        return map_customer(customer, policy)

    assert again(systems, made, mapping=same) == (["AAA", "BBB"], 0)

    def shouting(customer: Customer, policy: SyncPolicy) -> Any:
        desired = map_customer(customer, policy)
        return evolve(desired, users=tuple(evolve(user, last_name="DOE") for user in desired.users))

    assert again(systems, made, mapping=shouting) == (["AAA", "BBB"], 3)


def test_a_client_that_reads_otherwise(systems: Systems, made: list[str]) -> None:
    """A host's client that reads in its own way is asked in that way, though it inherits another."""

    class Own(Acumatica):
        def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
            page = super().read(query, after)
            if not isinstance(query, ChangedSince):
                return page
            renamed = (evolve(one, name=f"{one.name} & Sons") for one in page.items)
            return evolve(page, items=tuple(renamed))

    loaded(systems)
    with Own(ERP, Password("sync", "secret"), systems.tenant, clock=systems.clock) as erp:
        found = again(systems, made, erp=erp)
    assert found[0] == ["AAA", "BBB"]
    assert {one.company_name for one in systems.shop.companies.values()} == {"AAA Inc & Sons", "BBB Inc & Sons"}


def test_a_record_that_can_not_be_decoded(systems: Systems, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that went bad costs that customer, with the error that a full reading has."""
    (ann, *_) = loaded(systems)
    systems.change(ann, last_name="Smith")
    exact = systems.tenant.send

    def bad(request: Any, /) -> Any:
        response = exact(request)
        return evolve(response, body=response.body.replace(b'"LastName":{"value":"Smith"}', b'"LastName":{"value":5}'))

    monkeypatch.setattr(type(systems.tenant), "send", lambda _, request: bad(request))
    (trouble,) = systems.sync(changed=True).troubles
    (same,) = systems.sync().troubles
    assert (trouble.customer, str(trouble.error)) == (same.customer, str(same.error))
    assert "LastName" in str(trouble.error)
    assert made


def test_a_fingerprint_outlives_a_snapshot(systems: Systems, made: list[str]) -> None:
    """A snapshot keeps what the log ended with: who was known stays known."""
    systems.policy = SyncPolicy(limits=NO_LIMITS, snapshot_every=2, check_tenant=False)
    loaded(systems)
    ends = {key: log[-1] for key, log in logs(systems).items()}
    assert all(commit.snapshot and last_fingerprint(commit.body) for commit in ends.values())
    states = [fold([read_body(commit.body)]) for commit in ends.values()]
    assert all(state.digest and state.places and state.basis for state in states)
    assert again(systems, made) == ([], 0)


def test_what_is_open_has_no_fingerprint(systems: Systems) -> None:
    """Whoever has a fingerprint is settled, and nothing of it is open."""
    loaded(systems)
    systems.contact("AAA", "Ben", email="bea@mail.example")
    systems.sync(changed=True)
    for log in logs(systems).values():
        bodies = [read_body(commit.body) for commit in log]
        state, last = fold(bodies), bodies[-1].entries[-1]
        known = last_fingerprint(log[-1].body)
        assert known == (last.fingerprint if isinstance(last, SettledAt) else "")
        assert not known or (state.digest and not state.open)
