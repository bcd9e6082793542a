"""Finding companies by external id, and many at once."""

from collections import Counter

import pytest
from attrs import evolve

from acumatica_b2b.errors import OutcomeUnknownError, Reason
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from tests.bigcommerce.conftest import (
    GUID,
    STAMP,
    Shop,
    address_row,
    company_row,
    listed,
    observing,
    one,
    ref,
    refused,
    user_row,
    with_company,
)


def test_by_uuid(shop: Shop) -> None:
    """A company is found by its uuid, whatever its case, from one list; that is remembered."""
    with_company(shop, uuid=GUID.upper()).on("GET companies", listed(company_row(4), company_row(5, uuid=GUID.upper())))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first[0].value.id == second[0].value.id == "5"
    assert shop.queries("GET companies") == [
        {"sortBy": "companyName", "orderBy": "ASC", "limit": "200", "offset": "0"},
    ]


def test_missed_uuid(shop: Shop) -> None:
    """A miss reads only what changed since, by the server's clock with a margin; a hit then is found."""
    with_company(shop, uuid=GUID)
    shop.on("GET companies", listed(company_row(4)), listed(company_row(5, uuid=GUID)))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first == (Ok(None),)
    assert second[0].value.id == "5"
    assert [query.get("minModified") for query in shop.queries("GET companies")] == [None, str(STAMP - 150)]


def test_no_clock(shop: Shop) -> None:
    """Where the server tells no time, a miss reads the full list again."""
    shop.on("GET companies", Response(status=200, body=listed().body))
    shop.play(observing(ref()), observing(ref()))
    assert ["minModified" in query for query in shop.queries("GET companies")] == [False, False]


def test_forget(shop: Shop) -> None:
    """What was remembered is read anew after forget()."""
    with_company(shop, uuid=GUID).on("GET companies", listed(company_row(5, uuid=GUID)))
    shop.play(observing(ref()), lambda client: client.forget(), observing(ref()))
    assert shop.routes().count("GET companies") == 2
    assert shop.routes().count("GET companies/roles") == 2


def test_remembered_too_long(shop: Shop) -> None:
    """A company that no longer holds the external id is not taken for the one that does."""
    with_company(shop, uuid="other").on("GET companies", listed(company_row(5, uuid=GUID)))
    assert shop.ask(observing(ref())) == (Ok(None),)


def test_ambiguous(shop: Shop) -> None:
    """Two companies with one external id are refused by their ids; when one lets go, the other is found."""
    with_company(shop, uuid=GUID)
    both = listed(company_row(5, uuid=GUID), company_row(7, uuid=GUID), company_row(8, uuid=GUID, companyStatus=4))
    shop.on("GET companies", both, listed(company_row(7)))
    first, second = shop.play(observing(ref()), observing(ref()))
    assert first[0].error.reason is Reason.AMBIGUOUS
    assert "'C1'" in str(first[0].error)
    assert "5, 7" in str(first[0].error)
    assert second[0].value.id == "5"


def test_unproven_list(shop: Shop) -> None:
    """A list of companies that shifts twice tells nothing: the company is looked for again later."""
    shop.on("GET companies", listed(company_row(5), total=2))
    assert isinstance(shop.ask(observing(ref()))[0].error, OutcomeUnknownError)


def test_by_extra_field(shop: Shop) -> None:
    """With a field configured, a company is found by exact match, and compared exactly."""
    fields = [{"fieldName": "Acumatica ID", "fieldValue": GUID}]
    near = [{"fieldName": "Acumatica ID", "fieldValue": GUID + "1"}]
    with_company(shop, extraFields=fields)
    shop.on("GET companies", listed(company_row(4, extraFields=near), company_row(5, extraFields=fields)))
    [outcome] = shop.ask(observing(ref()), company_id_field="Acumatica ID")
    assert outcome.value.external_id == GUID
    [query] = shop.queries("GET companies")
    assert query["extraFields"] == f"Acumatica ID:{GUID}"
    assert query["extraFieldFilterType"] == "exact-match"
    assert query["isIncludeExtraFields"] == "1"


def test_several_by_extra_field(shop: Shop) -> None:
    """Several companies by exact match are ambiguous, none is None, and an unproven answer is neither."""
    fields = [{"fieldName": "ID", "fieldValue": GUID}]
    shop.on("GET companies", listed(company_row(4, extraFields=fields), company_row(5, extraFields=fields)))
    assert shop.ask(observing(ref()), company_id_field="ID")[0].error.reason is Reason.AMBIGUOUS
    shop.on("GET companies", listed())
    assert shop.ask(observing(ref()), company_id_field="ID") == (Ok(None),)
    shop.on("GET companies", listed(company_row(4), total=2))
    assert isinstance(shop.ask(observing(ref()), company_id_field="ID")[0].error, OutcomeUnknownError)


def test_many_by_extra_field(shop: Shop) -> None:
    """Ten customers or more are looked for in one list, not by a request for each."""
    shop.on("GET companies", listed())
    refs = [ref(external_id=f"id-{i}") for i in range(10)]
    assert shop.ask(observing(*refs), company_id_field="ID") == (Ok(None),) * 10
    assert shop.routes() == ["GET companies"]


# ------------------------------------------------------------------ many at once
def test_many_by_id(shop: Shop) -> None:
    """Many companies are read from three lists of the whole store where that takes fewer requests."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 12))))
    shop.on("GET users", listed(*(user_row(i, company=i) for i in range(1, 12))))
    shop.on("GET addresses", listed(address_row(1, company="3")))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert [outcome.value.users[0].id for outcome in outcomes] == [str(i) for i in range(1, 11)]
    assert len(outcomes[2].value.addresses) == 1
    assert all(outcome.value.complete for outcome in outcomes)
    assert len(shop.sent) == 3 + 3 + 1


def test_absent_from_the_list(shop: Shop) -> None:
    """That a company is gone is proven by asking for it, not by its absence in a list."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 10))))
    shop.on("GET users", listed()).on("GET addresses", listed())
    shop.on("GET companies/10", one(**company_row(10)))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert outcomes[9].value.id == "10"


@pytest.mark.parametrize("users", [listed(user_row(1, firstName=7)), listed(user_row(1), total=2), listed(total=9000)])
def test_lists_that_will_not_do(shop: Shop, users: Response) -> None:
    """Where a list can't be read, is unproven or too long, its rows are read company by company; the others stay."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 11)))).on("GET addresses", listed())

    def by_company(request: Request) -> Response:
        return listed() if "companyId" in request.url else users

    shop.on("GET users", by_company)
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert all(isinstance(outcome, Ok) for outcome in outcomes)
    assert [asked["companyId"] for asked in shop.queries("GET users")[-10:]] == [str(i) for i in range(1, 11)]
    assert len(shop.sent) < 3 + 3 + 10 + 4


def test_one_list_of_three(shop: Shop) -> None:
    """Each list is read where it takes fewer requests than its rows company by company; once, and not again."""
    shop.on("GET companies", listed(*(company_row(i) for i in range(1, 12))))
    shop.on("GET users", lambda request: listed() if "companyId" in request.url else listed(total=9000))
    refs = [evolve(ref(str(i)), addresses=False) for i in range(1, 11)]
    shop.on("GET addresses", listed(address_row(1, company="3")))
    again = [evolve(each, again=True) for each in refs]
    *_, later = shop.play(observing(*refs), observing(*again), observing(evolve(again[2], addresses=True)))
    asked = Counter(route for route in shop.routes() if route != "GET companies/roles")
    assert asked == {"GET companies": 2, "GET users": 1 + 10, "GET addresses": 1}
    assert len(later[0].value.addresses) == 1


def test_marked_deleted_in_the_list(shop: Shop) -> None:
    """A company that a list shows as deleted is asked for, and gone."""
    shop.on("GET companies", listed(*(company_row(i, companyStatus=4 if i == 3 else 1) for i in range(1, 11))))
    shop.on("GET users", listed()).on("GET addresses", listed()).on("GET companies/3", refused("gone", 404))
    outcomes = shop.ask(observing(*(ref(str(i)) for i in range(1, 11))))
    assert [outcome.value is None for outcome in outcomes] == [i == 3 for i in range(1, 11)]
