from collections.abc import Callable
from typing import Any

import pytest

from acumatica_b2b.actions import (
    Action,
    Changes,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.errors import ConfigurationError, DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Response, Retries
from acumatica_b2b.model import (
    AddressID,
    CompanyID,
    ContactID,
    CustomerID,
    DesiredAddress,
    LocationID,
    NoteID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from tests.bigcommerce.conftest import Shop, answer, company_row, listed, one, refused, user_row

COMPANY = CompanyID(StorefrontID("5"))
USER = UserID(StorefrontID("7"))
ADDRESS = AddressID(StorefrontID("3"))
ANN = ContactID("K1")


def doing(*actions: Action) -> Callable[[Any], Any]:
    """Return the act of performing."""
    return lambda client: client.perform(actions)


def update_user(*changes: tuple[str, str], user: str = "7") -> UpdateUser:
    """Return changes of a user."""
    return UpdateUser(company=COMPANY, user=UserID(StorefrontID(user)), contact=ANN, changes=changes)


def update_company(*changes: tuple[str, str]) -> UpdateCompany:
    """Return changes of a company."""
    return UpdateCompany(company=COMPANY, customer=CustomerID("C1"), changes=changes)


def set_role(role: str) -> SetRole:
    """Return a change of role."""
    return SetRole(company=COMPANY, user=USER, contact=ANN, role=role)


REMOVE_USER = RemoveUser(company=COMPANY, user=USER, contact=ANN)
REMOVE_ADDRESS = RemoveAddress(company=COMPANY, id=ADDRESS, location=LocationID("L1"))


def reason(outcome: Any) -> Reason:
    """Return why an action was refused."""
    assert isinstance(outcome.error, RejectedError)
    return outcome.error.reason


def with_user(shop: Shop, **fields: Any) -> Shop:
    """Return the shop with user 7."""
    return shop.on("GET users/7", one(**user_row(7, **fields)))


# ------------------------------------------------------------------ users
def test_update_user(shop: Shop) -> None:
    """Changes are sent under the API's names, beside the fields that the user has."""
    with_user(shop, phoneNumber="555", uuid="n").on("PUT users/7", one(**user_row(7, firstName="Bo")))
    assert shop.ask(doing(update_user(("first_name", "Bo")))) == (Ok("7"),)
    assert shop.bodies("PUT users/7") == [{"firstName": "Bo", "lastName": "Lee", "phoneNumber": "555", "uuid": "n"}]
    assert shop.routes() == ["GET users/7", "PUT users/7"]


def test_all_fields_of_a_user(shop: Shop) -> None:
    """Every field has the API's name; one may be emptied."""
    with_user(shop, phoneNumber="555").on("PUT users/7", one(**user_row(7, firstName="Bo", lastName="Ek")))
    changes: Changes = (("first_name", "Bo"), ("last_name", "Ek"), ("phone", ""), ("external_id", "n"))
    assert shop.ask(doing(update_user(*changes))) == (Ok("7"),)
    assert shop.bodies("PUT users/7") == [{"firstName": "Bo", "lastName": "Ek", "phoneNumber": "", "uuid": "n"}]


def test_update_of_a_user_seen_before(shop: Shop) -> None:
    """A user who was observed, found or updated before is not read again, but for after forget()."""
    with_user(shop).on("PUT users/7", one(**user_row(7, firstName="Bo")), one(**user_row(7, firstName="Cy")))
    shop.on("GET users", listed(user_row(7, email="a@example.com")))
    found = lambda client: client.find_users(["a@example.com"])  # noqa: E731 - an act
    acts = [doing(update_user(("first_name", name))) for name in ("Bo", "Cy")]
    shop.play(found, acts[0], doing(update_user(("phone", "5"))))
    assert shop.bodies("PUT users/7")[1] == {"firstName": "Bo", "lastName": "Lee", "phoneNumber": "5"}
    assert "GET users/7" not in shop.routes()
    shop.play(found, lambda client: client.forget(), *acts)
    assert shop.routes().count("GET users/7") == 1


def test_update_email(shop: Shop) -> None:
    """An address that the shop tells in other case is the same; one that it kept is a refusal without the address."""
    with_user(shop).on("PUT users/7", one(**user_row(7, email="Bo@x.de")), one(**user_row(7, email="ann@x.de")))
    [first], [second] = shop.play(*[doing(update_user(("email", "bo@x.de")))] * 2)
    assert first == Ok("7")
    assert reason(second) is Reason.INVALID
    assert "@" not in str(second.error)
    assert "contact 'K1'" in str(second.error)


def test_email_read_back(shop: Shop) -> None:
    """Where the answer to a new address does not tell it, the user is read."""
    shop.on("GET users/7", one(**user_row(7)), one(**user_row(7, email="bo@x.de")), one(**user_row(7)))
    shop.on("PUT users/7", one())
    [first], [second] = shop.play(*[doing(update_user(("email", "bo@x.de")))] * 2)
    assert first == Ok("7")
    assert reason(second) is Reason.INVALID


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [("first_name", "Bo", "first name"), ("last_name", "Ek", "last name"), ("phone", "9", "phone")],
)
def test_ignored_field(shop: Shop, field: str, value: str, kept: str) -> None:
    """A field that the shop answers as it was is told as kept."""
    with_user(shop, phoneNumber="555").on("PUT users/7", one(**user_row(7, phoneNumber="555")))
    [outcome] = shop.ask(doing(update_user((field, value))))
    assert reason(outcome) is Reason.INVALID
    assert str(outcome.error).endswith(f"kept the old {kept}")


def test_field_in_the_shops_own_way(shop: Shop) -> None:
    """A value that the shop tells in its own way was taken: a phone by its digits, a name without case."""
    with_user(shop, phoneNumber="5 55").on("PUT users/7", one(**user_row(7, phoneNumber="5 55", firstName="Anna B.")))
    assert shop.ask(doing(update_user(("phone", "(5) 55"), ("first_name", "Anna")))) == (Ok("7"),)


def test_taken_email(shop: Shop) -> None:
    """An address that is taken is told as such."""
    with_user(shop).on("PUT users/7", refused("Email already exists. ['bo@x.de']"))
    [outcome] = shop.ask(doing(update_user(("email", "bo@x.de"))))
    assert reason(outcome) is Reason.EMAIL_TAKEN
    assert str(outcome.error) == "update company user 7 of contact 'K1': Email already exists."


def test_update_extra_field(shop: Shop) -> None:
    """Extra fields are read, merged, and sent all; those without a value are not."""
    held = [
        {"fieldName": "A", "fieldValue": "1"},
        {"fieldName": "B", "fieldValue": 2},
        {"fieldName": "C", "fieldValue": ""},
    ]
    shop.on("GET users/7", one(**user_row(7, extraFields=held))).on("PUT users/7", one())
    shop.ask(doing(update_user(("extra_fields.B", ""), ("extra_fields.D.E", "4"), ("phone", "5"))))
    fields = [("A", "1"), ("B", ""), ("D.E", "4")]
    [body] = shop.bodies("PUT users/7")
    assert body["phoneNumber"] == "5"
    assert body["extraFields"] == [{"fieldName": name, "fieldValue": value} for name, value in fields]


def test_required_extra_fields_of_a_user(shop: Shop) -> None:
    """Where a store wants a user's extra fields with every update, they go with fields and with roles."""
    with_user(shop, extraFields=[{"fieldName": "Title", "fieldValue": "CEO"}])
    shop.on("PUT users/7", refused("Title is required"), one(**user_row(7, firstName="Bo")))
    assert shop.ask(doing(update_user(("first_name", "Bo")))) == (Ok("7"),)
    assert shop.bodies("PUT users/7")[1]["extraFields"] == [{"fieldName": "Title", "fieldValue": "CEO"}]
    shop.on("PUT users/7", refused("Title is required"), one(**user_row(7, role=900)))
    assert shop.ask(doing(set_role("Primary Admin"))) == (Ok("7"),)
    assert shop.bodies("PUT users/7")[1] == {
        "role": 2,
        "companyRoleId": 900,
        "extraFields": [{"fieldName": "Title", "fieldValue": "CEO"}],
    }


def test_unknown_field(shop: Shop) -> None:
    """A field that this storefront can't change is refused without a request."""
    outcomes = shop.ask(doing(update_user(("active", "no")), update_company(("nickname", "x"))))
    assert [reason(outcome) for outcome in outcomes] == [Reason.UNSUPPORTED] * 2
    assert shop.sent == []


def test_lost_update(shop: Shop) -> None:
    """An update whose answer was lost is sent again."""
    with_user(shop).on("PUT users/7", OSError("reset"), answer(503, {}), one())
    assert shop.ask(doing(update_user(("phone", "1")))) == (Ok("7"),)
    assert shop.slept == [1.0, 2.0]


def test_user_gone(shop: Shop) -> None:
    """A user that is not there, or whose id is none of this store, is gone."""
    gone = refused("User matching query does not exist.", 404)
    with_user(shop).on("PUT users/7", gone).on("GET users/8", gone)
    users = ("7", "8", "x/1")
    outcomes = shop.ask(doing(*(update_user(("phone", "1"), user=user) for user in users)))
    assert [reason(outcome) for outcome in outcomes] == [Reason.GONE] * 3
    assert shop.routes() == ["GET users/7", "GET users/8", "PUT users/7"]


def test_unreadable_update(shop: Shop) -> None:
    """A page instead of an answer fails that record."""
    with_user(shop).on("PUT users/7", Response(status=200, body=b"<html>"))
    assert isinstance(shop.ask(doing(update_user(("phone", "1"))))[0].error, DecodeError)


def test_update_without_content(shop: Shop) -> None:
    """An update that answers nothing is done."""
    with_user(shop).on("PUT users/7", Response(status=204))
    assert shop.ask(doing(update_user(("phone", "1")))) == (Ok("7"),)


# ------------------------------------------------------------------ roles
def test_set_role(shop: Shop) -> None:
    """A role is given by its id, with the number that goes with it."""
    shop.on("PUT users/7", one(**user_row(7, role=900)))
    assert shop.ask(doing(set_role("Primary Admin"))) == (Ok("7"),)
    assert shop.bodies("PUT users/7") == [{"role": 2, "companyRoleId": 900}]


def test_role_not_taken(shop: Shop) -> None:
    """A role that the shop says it kept is a refusal."""
    shop.on("PUT users/7", one(**user_row(7, role=12795)))
    [outcome] = shop.ask(doing(set_role("Admin")))
    assert reason(outcome) is Reason.INVALID
    assert "role 'Admin'" in str(outcome.error)


def test_role_read_back(shop: Shop) -> None:
    """Where the answer to a new role does not tell it, the user is read."""
    shop.on("PUT users/7", one()).on("GET users/7", one(**user_row(7, role=12793)), one(**user_row(7, role=900)))
    [first], [second] = shop.play(*[doing(set_role("Admin"))] * 2)
    assert first == Ok("7")
    assert reason(second) is Reason.INVALID


def test_unknown_role(shop: Shop) -> None:
    """An unknown role raises before anything is written."""
    with pytest.raises(ConfigurationError):
        shop.ask(doing(REMOVE_USER, set_role("Owner")))
    assert shop.routes() == ["GET companies/roles"]


def test_move_admin(shop: Shop) -> None:
    """There is no single call that moves the Primary Admin."""
    [outcome] = shop.ask(doing(MoveAdmin(company=COMPANY, user=USER, contact=ANN, role="Admin")))
    assert reason(outcome) is Reason.UNSUPPORTED


# ------------------------------------------------------------------ removals
def test_remove(shop: Shop) -> None:
    """A user and an address are removed by their ids."""
    shop.on("DELETE users/7", one(userId=7)).on("DELETE addresses/3", one(addressId=3))
    assert shop.ask(doing(REMOVE_USER, REMOVE_ADDRESS)) == (Ok("7"), Ok("3"))
    assert all(request.body == b"" for request in shop.sent)
    assert all(name != "Content-Type" for request in shop.sent for name, _ in request.headers)


def test_last_user(shop: Shop) -> None:
    """The last user stays."""
    shop.on("DELETE users/7", refused("The last user in company can not be deleted."))
    assert reason(shop.ask(doing(REMOVE_USER))[0]) is Reason.LAST_USER


def test_last_admin(shop: Shop) -> None:
    """A 500 on the removal of a user is the last admin's, and never sent again."""
    shop.on("DELETE users/7", answer(500, {}))
    assert reason(shop.ask(doing(REMOVE_USER))[0]) is Reason.LAST_ADMIN
    assert len(shop.sent) == 1


def test_lost_then_last_admin(shop: Shop) -> None:
    """A 500 after a lost answer is not sent again either."""
    shop.on("DELETE users/7", OSError("reset"), answer(500, {}))
    assert reason(shop.ask(doing(REMOVE_USER))[0]) is Reason.LAST_ADMIN
    assert len(shop.sent) == 2


@pytest.mark.parametrize(("action", "route"), [(REMOVE_USER, "DELETE users/7"), (REMOVE_ADDRESS, "DELETE addresses/3")])
def test_gone_already(shop: Shop, action: Action, route: str) -> None:
    """What is not there is gone; after a lost answer that means that the removal is done."""
    gone = refused("does not exist", 404)
    shop.on(route, gone)
    assert reason(shop.ask(doing(action))[0]) is Reason.GONE
    shop.on(route, OSError("reset"), gone)
    assert isinstance(shop.ask(doing(action))[0], Ok)
    shop.on(route, answer(502, {}), answer(503, {}), gone)
    assert isinstance(shop.ask(doing(action))[0], Ok)
    assert shop.slept == [1.0, 1.0]


def test_lost_removal(shop: Shop) -> None:
    """A removal that stays unanswered is unknown; it is tried once only where the configuration says so."""
    shop.on("DELETE users/7", OSError("reset"))
    assert isinstance(shop.ask(doing(REMOVE_USER))[0].error, OutcomeUnknownError)
    assert len(shop.sent) == 5
    shop.ask(doing(REMOVE_USER), retries=Retries(attempts=1))
    assert len(shop.sent) == 1


def test_500_on_an_address(shop: Shop) -> None:
    """A 500 on the removal of an address is a lost answer like any other."""
    shop.on("DELETE addresses/3", answer(500, {}), one())
    assert shop.ask(doing(REMOVE_ADDRESS)) == (Ok("3"),)


# ------------------------------------------------------------------ companies
def test_update_company(shop: Shop) -> None:
    """A company's fields go under the API's names, its external id as uuid."""
    shop.on("PUT companies/5", one(companyId=5))
    changes = (("name", "N"), ("email", "n@x.de"), ("phone", "1"), ("external_id", "n"))
    assert shop.ask(doing(update_company(*changes))) == (Ok("5"),)
    assert shop.bodies("PUT companies/5") == [
        {"companyName": "N", "companyEmail": "n@x.de", "companyPhone": "1", "uuid": "n"},
    ]


def test_external_id_in_a_field(shop: Shop) -> None:
    """With a field configured, the external id goes there, together with all extra fields."""
    shop.on("GET companies/5", one(**company_row(5, extraFields=[{"fieldName": "Tax", "fieldValue": "G"}])))
    shop.on("PUT companies/5", one(companyId=5))
    shop.ask(doing(update_company(("external_id", "n"))), company_id_field="ID")
    assert shop.bodies("PUT companies/5") == [
        {"extraFields": [{"fieldName": "Tax", "fieldValue": "G"}, {"fieldName": "ID", "fieldValue": "n"}]},
    ]


def test_required_extra_fields(shop: Shop) -> None:
    """Where a store wants its extra fields with every update, they are sent once it says no."""
    shop.on("GET companies/5", one(**company_row(5, extraFields=[{"fieldName": "Tax", "fieldValue": "G"}])))
    shop.on("PUT companies/5", refused("Tax is required"), one(companyId=5))
    assert shop.ask(doing(update_company(("name", "N")))) == (Ok("5"),)
    assert shop.bodies("PUT companies/5")[1]["extraFields"] == [{"fieldName": "Tax", "fieldValue": "G"}]


def test_refused_company(shop: Shop) -> None:
    """A refusal that no extra field can mend is told."""
    shop.on("GET companies/5", one(**company_row(5))).on("PUT companies/5", refused({"company_name": ["too long"]}))
    [outcome] = shop.ask(doing(update_company(("name", "N"))))
    assert str(outcome.error) == "update company 5 of customer 'C1': companyName: too long"
    shop.on("PUT companies/5", refused("no", 404))
    assert reason(shop.ask(doing(update_company(("name", "N"))))[0]) is Reason.GONE
    assert shop.routes() == ["PUT companies/5"]


@pytest.mark.parametrize(("active", "status"), [("yes", 1), ("no", 3)])
def test_company_status(shop: Shop, active: str, status: int) -> None:
    """A company is switched on and off by its status alone."""
    shop.on("PUT companies/5/status", one(companyId=5))
    assert shop.ask(doing(update_company(("active", active)))) == (Ok("5"),)
    assert shop.bodies("PUT companies/5/status") == [{"companyStatus": status}]
    assert len(shop.sent) == 1


def test_company_status_and_name(shop: Shop) -> None:
    """Fields and status are two calls; a status that is neither yes nor no is refused."""
    shop.on("PUT companies/5/status", one(companyId=5)).on("PUT companies/5", one(companyId=5))
    shop.ask(doing(update_company(("active", "no"), ("name", "N"))))
    assert shop.routes() == ["PUT companies/5", "PUT companies/5/status"]
    assert reason(shop.ask(doing(update_company(("active", "maybe"))))[0]) is Reason.INVALID


# ------------------------------------------------------------------ addresses
def test_update_address(shop: Shop) -> None:
    """An address of ours is sent whole, but for whose it is."""
    desired = DesiredAddress(
        location=LocationID("L1"),
        external_id=NoteID("n"),
        label="Dock",
        first_name="Ann",
        last_name="Lee",
        address=PostalAddress(line1="1", city="LA", state="ca", country="us"),
        default_billing=True,
    )
    shop.on("GET states", one(stateName="California")).on("GET countries", one(countryName="United States"))
    shop.on("PUT addresses/3", one(addressId=3))
    assert shop.ask(doing(UpdateAddress(company=COMPANY, id=ADDRESS, address=desired))) == (Ok("3"),)
    [body] = shop.bodies("PUT addresses/3")
    assert "companyId" not in body
    assert (body["stateCode"], body["stateName"], body["countryName"]) == ("CA", "California", "United States")
    assert (body["isBilling"], body["isDefaultBilling"], body["isDefaultShipping"]) == (True, True, False)


def test_side_by_side(shop: Shop) -> None:
    """One refused action costs no other; each has its outcome in order."""
    with_user(shop).on("PUT users/7", refused("bad"), one()).on("DELETE addresses/3", one())
    outcomes = shop.ask(doing(update_user(("phone", "1")), REMOVE_ADDRESS, update_user(("phone", "2"))))
    assert [isinstance(outcome, Ok) for outcome in outcomes] == [False, True, True]
