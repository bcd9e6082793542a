"""Every recorded answer, byte for byte, through the client; and every recorded request to the simulator."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from acumatica_b2b.acumatica import OAuthPassword
from acumatica_b2b.acumatica.errors import CannotOptimizeError, classify, nested_errors
from acumatica_b2b.acumatica.events import Webhook
from acumatica_b2b.acumatica.queries import Shape
from acumatica_b2b.acumatica.rows import rows_of
from acumatica_b2b.acumatica.versions import choose, offers
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.model import CustomerID, NoteID, Record, RecordKind, Reference
from acumatica_b2b.simulators.acumatica import AcumaticaSettings, AcumaticaSimulator
from acumatica_b2b.simulators.datasets import dataset
from tests.acumatica.conftest import Driver, Script, answer, entity

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "acumatica"
URL = "https://erp.example.com/23r211"
JSON = (("Content-Type", "application/json; charset=utf-8"),)


def sample(name: str) -> bytes:
    """Return a recorded body, where the recordings are at hand."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    return path.read_bytes()


def recorded(name: str, status: int = 200) -> Response:
    """Return a recorded answer."""
    return Response(status=status, headers=JSON, body=sample(name))


def exchange(name: str) -> dict[str, Any]:
    """Return one of the recorded exchanges of headers."""
    found: dict[str, Any] = json.loads(sample("login_logout_headers.json"))[name]
    return found


def headers_of(name: str) -> Headers:
    """Return the headers of a recorded answer."""
    return tuple((key, value) for key, values in exchange(name)["headers"].items() for value in values)


def error_of(response: Response) -> Exception:
    """Return the error that an answer means."""
    outcome = classify(response)
    assert isinstance(outcome, Failed)
    return outcome.error


# ------------------------------------------------------------------ what the client makes of them
CUSTOMER = "customer_put_200.20.200.001.json"
REFUSAL = "bill_put_422_field_and_row_errors.20.200.001.json"
GUIDE_ROW = "contact_list_select_attributes.25.200.001_guide.json"
LOGIN = "login_500_invalid_credentials.json"


def test_a_customer(driver: Driver) -> None:
    """The recorded customer is read as it stands, empty fields and all."""

    def answers(request: Request) -> Response:
        return recorded(CUSTOMER) if entity(request) == "Customer/C1165" else answer([])

    (outcome,) = driver.call(Script(answers), "customers", [CustomerID("C1165")], version="20.200.001")
    assert isinstance(outcome, Ok)
    customer = outcome.value
    assert (customer.id, customer.name, customer.status) == ("C1165", "ACME", "Active")
    assert (customer.customer_class, customer.email, customer.phones) == ("DEFAULT", "", ())
    assert customer.note_id == "2eed8918-a59a-ee11-8359-0690322d016b"
    assert customer.primary_contact is None
    assert customer.modified.isoformat() == "2023-12-14T17:20:45.160000+00:00"


def test_a_written_customer(driver: Driver) -> None:
    """The recorded answer to a write shows that a reference was not kept: its field is empty."""
    reference = Reference(
        record=Record(RecordKind.CUSTOMER, "C1165"), note_id=NoteID("n"), customer=CustomerID("C1165"), value="42"
    )
    script = Script(lambda _: recorded(CUSTOMER))
    (outcome,) = driver.call(
        script, "write_references", [reference], version="20.200.001", customer_reference="AccountRef"
    )
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, RejectedError)
    assert "0 characters of 2" in str(outcome.error)


def test_rows_with_attributes() -> None:
    """The guide's row of a contact with attributes is read, what is empty in it as empty."""
    shape = Shape(entity="Contact", keys=("ContactID",), select=())
    (row,) = rows_of(recorded(GUIDE_ROW), shape)
    assert (row.text("FirstName"), row.text("LastName")) == ("Stephane", "Sans")
    assert row.text("JobTitle") == "Customer Service & Network Manager"
    assert row.note_id() == "6a47c888-0b10-e911-9fbe-7c5cf8918e20"


def test_a_refused_record() -> None:
    """The recorded 422 names the error of the row of details before that of the record as a whole."""
    response = recorded(REFUSAL, 422)
    error = error_of(response)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.INVALID
    assert [text.partition(":")[0] for text in nested_errors(response)][1:] == ["Details[0].Project"]
    assert str(error).startswith("Acumatica refused: Details[0].Project: Project 'TES2323T ' cannot be found")
    assert "Inserting 'AP Transactions' record" in str(error)


def test_an_empty_body() -> None:
    """The recorded 400 is a refusal in its own words."""
    error = error_of(recorded("customer_put_400_empty_body.20.200.001.json", 400))
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.INVALID
    assert "The request body should not be empty." in str(error)


def test_three_faults() -> None:
    """The recorded 500s are told apart, by their text where they have no type."""
    bodies = json.loads(sample("error_500_bodies.json"))
    errors = {name: error_of(answer(case["body"], case["status"])) for name, case in bodies.items()}
    gone, unset, unlistable = (errors[name] for name in ("missing_record_by_key", "virgin_tenant", "optimization"))
    assert isinstance(gone, RejectedError)
    assert gone.reason is Reason.GONE
    assert isinstance(unset, ConfigurationError)
    assert "Company Branches form" in str(unset)
    assert isinstance(unlistable, CannotOptimizeError)
    assert unlistable.fields == ("RealGainAcctID",)


def test_a_wrong_password(driver: Driver) -> None:
    """The recorded refusal of a password ends the call at once, without its stack trace."""
    script = Script(lambda _: answer([]), sign_in=lambda _: recorded(LOGIN, 500))
    with pytest.raises(AuthenticationError) as caught:
        driver.call(script, "customers", [CustomerID("C1")])
    assert "Invalid credentials. Please try again." in str(caught.value)
    assert "PXLogin" not in repr(caught.value)
    assert len(script.requests) == 1


def test_the_cookies_of_a_session(driver: Driver) -> None:
    """Each recorded cookie goes back once, in all requests until the sign-out, and that has a length."""
    script = Script(
        lambda _: answer([]),
        sign_in=lambda _: Response(status=204, headers=headers_of("login_204")),
        sign_out=lambda _: Response(status=204, headers=headers_of("logout_204")),
    )
    driver.call(script, "customers", [CustomerID("C 1")])
    login, *asked, logout = script.requests
    sent = dict(login.headers) | json.loads(login.body)
    assert {"name", "password", "tenant"} <= sent.keys()
    names = [".ASPXAUTH", "ASP.NET_SessionId", "CompanyID", "Locale", "UserBranch"]
    for request in (*asked, logout):
        (cookies,) = [value for name, value in request.headers if name == "Cookie"]
        found = [pair.partition("=")[0] for pair in cookies.split("; ")]
        assert found[:5] == names
        assert len(set(found)) == len(found)
        assert "Locale=Culture=en-US&TimeZone=GMTM0800A" in cookies
    assert ("Content-Length", "0") in logout.headers


def test_a_token(driver: Driver) -> None:
    """The recorded token is the bearer of the requests that follow."""
    application = OAuthPassword(client_id="id@Live", client_secret="s", name="n", password="p")
    script = Script(lambda _: answer([]), sign_in=lambda _: recorded("oauth_token_response.26.1_guide.json"))
    driver.call(script, "customers", [CustomerID("C 1")], credentials=application)
    assert script.asked
    for request in script.asked:
        assert ("Authorization", "Bearer 9zx2acU03l0ORLHfqwdCPxFHWJMzlLDqrOfJjlZcb_I") in request.headers


def test_the_versions() -> None:
    """Of the recorded list of endpoints the newest version of Default is taken."""
    offered = offers(recorded("entity_root_versions.26.1_guide.json"))
    assert len(offered) == 16
    assert choose("Default", offered) == "25.200.001"
    assert choose("eCommerce", offered) == "24.200.001"


def test_a_notification() -> None:
    """The recorded push notification names the key in the column that it is told to look at."""
    hook = Webhook(header="h", secret="s", columns={"Stock Items: Last Modified Date": "InventoryID"})
    told = hook.notification([("H", "s")], sample("push_notification_update.26.1_guide.json"))
    assert told.customers == ("AACOMPUT01",)


# ------------------------------------------------------------------ the same requests, to the simulator
class Caller:
    """Somebody who is signed in at a simulator, as the recordings were made."""

    def __init__(self, **settings: Any) -> None:
        self.simulator = AcumaticaSimulator(settings=AcumaticaSettings(**settings)).load(dataset(2, seed=7))
        login = {"name": "sync", "password": "secret"}
        self.signed = self.ask("POST", "auth/login", login)
        pairs = (value.partition(";")[0] for value in self.signed.header_values("set-cookie"))
        self.cookies = (("Cookie", "; ".join(dict.fromkeys(pairs))),)

    def ask(self, method: str, path: str, body: object = None, headers: Headers = ()) -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        headers = (*headers, ("Content-Type", "application/json"), *getattr(self, "cookies", ()))
        url = f"{URL}/entity/{path}".rstrip("/")
        return self.simulator.handle(Request(method=method, url=url, headers=headers, body=content))


def shape(data: object, path: str = "") -> Iterator[str]:
    """Yield the paths of JSON in their order, each with the kind of what stands there; `{}` and a value are alike."""
    match data:
        case dict():
            for name, inner in data.items():
                if name != "value":
                    yield f"{path}.{name}"
                    yield from shape(inner, f"{path}.{name}")
        case [first, *_]:
            yield from shape(first, f"{path}[0]")
        case _:
            return


def told_in(cookies: list[str]) -> list[str]:
    """Return the names of cookies, in their order, each with its attributes and without its value."""
    return [re.sub(r"expires=[^;]+", "expires", re.sub(r"=[^;]*", "", one, count=1)) for one in cookies]


def test_replay_of_a_created_customer() -> None:
    """The simulator answers the recorded creation with the recorded fields in their order, and of their kinds."""
    body = {"CustomerID": {"value": "123"}, "CustomerName": {"value": "ACME"}, "TaxZone": {"value": "AVALARA"}}
    absent = {"Customer": frozenset({"ShippingBranch"})}  # the recorded tenant has but one branch
    told = Caller(links=False, absent=absent).ask("PUT", "Default/20.200.001/Customer", body)
    wanted = json.loads(sample(CUSTOMER))
    assert told.status == 200
    assert list(shape(told.json())) == list(shape(wanted))
    kinds = {name: type(cell["value"]) for name, cell in wanted.items() if isinstance(cell, dict) and "value" in cell}
    assert {name: type(told.json()[name].get("value")) for name in kinds} == kinds


def test_replay_of_a_created_contact() -> None:
    """The simulator fills the same fields of a new contact as a live instance does."""
    wanted = set(json.loads(sample("contact_put_response_shape.json"))["populated_keys"])
    body = {name: {"value": f"{name}@example.com"} for name in ("LastName", "FirstName", "Email")}
    told = Caller().ask("PUT", "Default/22.200.001/Contact", body).json()
    links = {f"_links.{name}" for name in told.pop("_links")}
    filled = {name for name, cell in told.items() if not isinstance(cell, dict) or "value" in cell}
    assert filled - {"note"} | links == wanted


def test_replay_of_a_list_with_attributes() -> None:
    """The simulator answers the guide's list of contacts with attributes in the guide's order of keys."""
    options = "$expand=Attributes&$select=FirstName,LastName,JobTitle,Attributes/AttributeID,Attributes/Value"
    caller = Caller(links=False)
    (contact, *_) = caller.simulator.contacts_of("C000000001")
    change = {
        "ContactID": {"value": contact.id},
        "Attributes": [{"AttributeID": {"value": "INTEREST"}, "Value": {"value": "X"}}],
    }
    assert caller.ask("PUT", "Default/25.200.001/Contact", change).status == 200
    rows = caller.ask("GET", f"Default/25.200.001/Contact?{options}").json()
    (row,) = [row for row in rows if row["Attributes"]]
    assert list(shape(row)) == list(shape(json.loads(sample(GUIDE_ROW))[0]))


def test_replay_of_an_empty_body() -> None:
    """The simulator answers a write without a body byte for byte as recorded."""
    told = Caller().ask("PUT", "Default/20.200.001/Customer")
    assert (told.status, told.body) == (400, sample("customer_put_400_empty_body.20.200.001.json").rstrip())


def test_replay_of_a_missing_record() -> None:
    """The simulator answers for a record that is not there as recorded."""
    case = json.loads(sample("error_500_bodies.json"))["missing_record_by_key"]
    told = Caller().ask("GET", "Default/24.200.001/Customer/NOBODY")
    assert told.status == case["status"]
    assert [*told.json().items()][:3] == [*case["body"].items()]


def test_replay_of_a_list_that_is_not_optimised() -> None:
    """The simulator words the refusal of a list as recorded."""
    case = json.loads(sample("error_500_bodies.json"))["optimization"]
    told = Caller(unoptimised={"Customer": {"Email": "CuryRecords"}}).ask("GET", "Default/24.200.001/Customer")
    assert told.status == case["status"]
    said = {name: told.json()[name] for name in case["body"]}
    assert said["exceptionMessage"].rstrip() == case["body"]["exceptionMessage"].replace("RealGainAcctID", "Email")
    assert list(told.json())[:2] == list(case["body"])


def test_replay_of_a_wrong_password() -> None:
    """The simulator refuses a password with the recorded words under the recorded keys."""
    wanted = json.loads(sample(LOGIN))
    told = Caller().ask("POST", "auth/login", {"name": "sync", "password": "wrong"})
    assert told.status == 500
    assert list(told.json()) == list(wanted)
    del wanted["stackTrace"]
    assert wanted.items() <= told.json().items()


@pytest.mark.parametrize("name", ["login_204", "logout_204", "customer_put"])
def test_replay_of_cookies(name: str) -> None:
    """The simulator sets the recorded cookies with their attributes, each as often, in the recorded order."""
    caller = Caller()
    body = {"CustomerName": {"value": "ACME"}}
    asked: dict[str, Callable[[], Response]] = {
        "login_204": lambda: caller.signed,
        "logout_204": lambda: caller.ask("POST", "auth/logout"),
        "customer_put": lambda: caller.ask("PUT", "Default/20.200.001/Customer", body),
    }
    told = asked[name]()
    assert told.status == exchange(name)["status"]["code"]
    assert told_in(list(told.header_values("set-cookie"))) == told_in(exchange(name)["headers"]["Set-Cookie"])


def test_replay_of_a_token() -> None:
    """The simulator gives a token under the recorded keys in their order, but no identity that nobody asked for."""
    simulator = AcumaticaSimulator()
    form = {
        "grant_type": "password",
        "client_id": simulator.settings.client_id,
        "client_secret": simulator.settings.client_secret,
        "username": "sync",
        "password": "secret",
        "scope": "api offline_access",
    }
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    url = f"{URL}/identity/connect/token"
    told = simulator.handle(Request(method="POST", url=url, headers=headers, body=urlencode(form).encode()))
    wanted = json.loads(sample("oauth_token_response.26.1_guide.json"))
    assert list(told.json()) == [name for name in wanted if name != "id_token"]
    assert (told.json()["expires_in"], told.json()["token_type"]) == (3600, "Bearer")


def test_replay_of_the_versions() -> None:
    """The simulator lists its endpoints in the recorded shape, and tells of each where it is."""
    wanted = json.loads(sample("entity_root_versions.26.1_guide.json"))
    told = Caller().ask("GET", "").json()
    assert list(shape(told)) == list(shape(wanted))
    for row in told["endpoints"]:
        assert row["href"] == f"/23r211/entity/{row['name']}/{row['version']}/"


def test_every_recording_is_looked_at() -> None:
    """No recording is left that no test here names."""
    if not SAMPLES.exists():
        pytest.skip("no recordings")
    source = Path(__file__).read_text()
    assert [path.name for path in SAMPLES.glob("*.json") if path.name not in source] == []
