"""Updates of companies that share calls."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.actions import Changes, UpdateCompany
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.errors import OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Response
from acumatica_b2b.model import CompanyID, CustomerID, StorefrontID
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests.bigcommerce.conftest import STAMP, Clock, Shop, answer, company_row, listed, one, refused

BULK = "PUT companies/bulk"


def update(i: int | str, *changes: tuple[str, str]) -> UpdateCompany:
    """Return the update of a company, of its phone if nothing else is said."""
    sent: Changes = changes or (("phone", "9"),)
    return UpdateCompany(company=CompanyID(StorefrontID(str(i))), customer=CustomerID(f"C{i}"), changes=sent)


def claim(i: int) -> UpdateCompany:
    """Return the writing of a company's external id."""
    return update(i, ("external_id", f"note-{i}"))


def test_shared_calls(shop: Shop) -> None:
    """Plain changes of many companies go ten to a call, one alone by itself."""
    shop.on(BULK, one(companyId=1)).on("PUT companies/21", one(companyId=21))
    outcomes = shop.ask(lambda client: client.perform([update(i) for i in range(1, 22)]))
    assert outcomes == tuple(Ok(str(i)) for i in range(1, 22))
    assert shop.routes() == [BULK, BULK, "PUT companies/21"]
    assert shop.bodies(BULK)[0][0] == {"companyId": 1, "companyPhone": "9"}
    assert shop.bodies("PUT companies/21") == [{"companyPhone": "9"}]


def test_what_is_not_shared(shop: Shop) -> None:
    """A status and extra fields go by calls of their own; a field or company that can't be refuses by itself."""
    shop.on(BULK, one(companyId=1)).on("PUT companies/3/status", one(companyId=3))
    shop.on("GET companies/4", one(**company_row(4))).on("PUT companies/4", one(companyId=4))
    actions = [
        update(1),
        update("x"),
        update(3, ("active", "no")),
        update(4, ("extra_fields.Tax", "G")),
        update(5, ("nickname", "N")),
        update(2),
    ]
    outcomes = shop.ask(lambda client: client.perform(actions))
    assert [isinstance(outcome, Ok) for outcome in outcomes] == [True, False, True, True, False, True]
    assert outcomes[1].error.reason is Reason.GONE
    assert outcomes[4].error.reason is Reason.UNSUPPORTED
    assert [[row["companyId"] for row in rows] for rows in shop.bodies(BULK)] == [[1, 2]]


def test_refused_batch(shop: Shop) -> None:
    """After a refusal each company is sent singly, and gets its own answer."""
    shop.on(BULK, refused("Company was not valid.", 400))
    shop.on("PUT companies/1", one(companyId=1)).on("PUT companies/2", refused({"company_phone": ["too long"]}))
    shop.on("GET companies/2", one(**company_row(2)))
    first, second = shop.ask(lambda client: client.perform([update(1), update(2)]))
    assert first == Ok("1")
    assert str(second.error) == "update company 2 of customer 'C2': companyPhone: too long"


def test_lost_batch(shop: Shop) -> None:
    """A batch whose answer was lost is sent again, since twice does no more than once; then it is unknown."""
    shop.on(BULK, OSError("reset"), answer(503, {}), one(companyId=1))
    assert shop.ask(lambda client: client.perform([update(1), update(2)])) == (Ok("1"), Ok("2"))
    shop.on(BULK, answer(503, {}))
    outcomes = shop.ask(lambda client: client.perform([update(1), update(2)]))
    assert [type(outcome.error) for outcome in outcomes] == [OutcomeUnknownError] * 2


def test_external_ids_read_back(shop: Shop) -> None:
    """External ids that a batch did not write are seen by one listing of what changed, and sent singly."""
    shop.on(BULK, one(companyId=1)).on("PUT companies/2", one(companyId=2))
    shop.on("GET companies", listed(company_row(1, uuid="note-1"), company_row(2), company_row(3, uuid="note-3")))
    assert shop.ask(lambda client: client.perform([claim(1), claim(2), claim(3)])) == (Ok("1"), Ok("2"), Ok("3"))
    assert shop.routes() == [BULK, "GET companies", "PUT companies/2"]
    assert shop.queries("GET companies")[0]["minModified"] == str(STAMP - 150)
    assert shop.bodies("PUT companies/2") == [{"uuid": "note-2"}]


@pytest.mark.parametrize("listing", [listed(), refused("no")])
def test_external_ids_unseen(shop: Shop, listing: Response) -> None:
    """Where no listing shows them, external ids are sent singly."""
    shop.on(BULK, one(companyId=1)).on("GET companies", listing)
    shop.on("PUT companies/1", one(companyId=1)).on("PUT companies/2", one(companyId=2))
    assert shop.ask(lambda client: client.perform([claim(1), claim(2)])) == (Ok("1"), Ok("2"))


def test_no_listing_without_external_ids(shop: Shop) -> None:
    """With a field configured the external id is an extra field, and never shares a call."""
    shop.on("GET companies/1", one(**company_row(1))).on("PUT companies/1", one(companyId=1))
    shop.on("GET companies/2", one(**company_row(2))).on("PUT companies/2", one(companyId=2))
    assert shop.ask(lambda client: client.perform([claim(1), claim(2)]), company_id_field="ID") == (Ok("1"), Ok("2"))
    assert BULK not in shop.routes()


def test_twice_the_same(shop: Shop) -> None:
    """The same change asked for twice is made once and answered twice."""
    shop.on("PUT companies/1", one(companyId=1))
    assert shop.ask(lambda client: client.perform([update(1), update(1)])) == (Ok("1"), Ok("1"))
    assert len(shop.sent) == 1


# ------------------------------------------------------------------ a law
def store(count: int) -> tuple[BigCommerceSimulator, list[int]]:
    """Return a store with companies, and their ids."""
    shop = BigCommerceSimulator(requests_per_minute=None)
    for i in range(count):
        body: dict[str, Any] = {"companyName": f"Company {i}", "companyPhone": "1", "country": "US"}
        admin = {"adminFirstName": "Ann", "adminLastName": "Lee", "adminEmail": f"u{i}@example.com"}
        shop.by_hand("POST", "/companies", {**body, **admin, "companyEmail": "o@example.com"})
    return shop, list(shop.companies)


@settings(max_examples=25)
@given(st.integers(0, 25), st.sets(st.integers(0, 24)), st.booleans())
def test_each_has_its_own_outcome(count: int, bad: set[int], atomic: bool) -> None:  # noqa: FBT001 - drawn
    """Whichever companies are refused, those fail by name and all others are changed, whatever shared their call."""
    shop, ids = store(count)
    shop.bulk_atomic = atomic
    client = BigCommerce(
        BigCommerceConfig(store_hash=shop.store_hash, token=shop.token), shop, clock=Clock(), parallel=1
    )
    actions = [update(id_, ("phone", "9" * 51 if i in bad else f"{i}9")) for i, id_ in enumerate(ids)]
    outcomes = client.perform(actions)
    for i, (id_, outcome) in enumerate(zip(ids, outcomes, strict=True)):
        if i in bad:
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.error, RejectedError)
            assert f"company {id_} " in str(outcome.error)
        else:
            assert outcome == Ok(str(id_))
            assert shop.companies[id_].company_phone == f"{i}9"
