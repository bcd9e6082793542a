import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import define, evolve

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.acumatica.sessions import UnansweredError, cookie_session
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    RateLimitedError,
)
from acumatica_b2b.http import Request, Response, Retries, with_session
from acumatica_b2b.model import CustomerID
from acumatica_b2b.protocols import PrimaryMarks
from tests.acumatica.conftest import BAD_PASSWORD, Driver, Script, answer, configured, fault

RECORDED = Path(__file__).parents[3] / "shared" / "samples" / "acumatica" / "login_logout_headers.json"


@define
class Time:
    """A clock that a test moves; who waits moves it as well."""

    moment: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        self.moment += timedelta(seconds=seconds)


def paths(script: Script) -> list[str]:
    """Return the paths that were asked for, below the instance."""
    return [urlsplit(request.url).path.removeprefix("/Live/") for request in script.requests]


def marks(driver: Driver, script: Script, **settings: Any) -> Any:
    """Read the primary marks, which is one request."""
    return driver.call(script, "read", PrimaryMarks(), None, **settings)


def header(request: Request, name: str) -> str | None:
    """Return a header of a request."""
    return next((value for key, value in request.headers if key.lower() == name.lower()), None)


def test_sign_in_and_out(driver: Driver) -> None:
    """A client signs in for its tenant and branch, sends its cookies as a value, and signs out with a length of 0."""
    script = Script(lambda _: answer([]))
    marks(driver, script, branch="MAIN")
    login, _, logout = script.requests
    assert paths(script)[::2] == ["entity/auth/login", "entity/auth/logout"]
    assert json.loads(login.body) == {"name": "sync", "password": "secret", "tenant": "Live", "branch": "MAIN"}
    assert [header(request, "Cookie") for request in script.requests[1:]] == [
        ".ASPXAUTH=abc; ASP.NET_SessionId=def"
    ] * 2
    assert (logout.method, header(logout, "Content-Length"), logout.body) == ("POST", "0", b"")


def test_company_is_never_sent(driver: Driver) -> None:
    """Tenant and branch are left out where none is configured; `company` is never sent."""
    script = Script(lambda _: answer([]))
    marks(driver, script, tenant="")
    assert set(json.loads(script.requests[0].body)) == {"name", "password"}


def test_signed_out_after_failure(driver: Driver) -> None:
    """A client signs out after a failure as well, and what failed is what is raised."""
    script = Script(lambda _: Response(status=404))
    with pytest.raises(ConfigurationError):
        marks(driver, script)
    assert paths(script)[-1] == "entity/auth/logout"


def test_a_failing_sign_out_hides_nothing(driver: Driver) -> None:
    """A sign-out that fails is tried once more and hides neither result nor error."""

    def lost(_: Request) -> Response:
        raise NotSentError

    script = Script(lambda _: answer([]), sign_out=lost)
    assert marks(driver, script).items == ()
    assert paths(script).count("entity/auth/logout") == 2
    with pytest.raises(ConfigurationError):
        marks(driver, Script(lambda _: Response(status=404), sign_out=lambda _: Response(status=500)))


def test_closing_does_not_sign_in() -> None:
    """A client that never asked for anything, or is closed already, sends nothing when it is closed."""
    script = Script(lambda _: answer([]))
    with Acumatica(configured(), Password("sync", "secret"), script) as erp:
        erp.close()
    assert script.requests == []


def test_closing_twice() -> None:
    """A client that is closed twice signs out once."""
    script = Script(lambda _: answer([]))
    with Acumatica(configured(), Password("sync", "secret"), script) as erp:
        erp.read(PrimaryMarks(), None)
        erp.close()
    assert paths(script).count("entity/auth/logout") == 1


def test_wrong_password_is_sent_once(driver: Driver) -> None:
    """A wrong password is an AuthenticationError and is sent once, however much is asked for."""
    script = Script(lambda _: answer([]), sign_in=lambda _: BAD_PASSWORD)
    with pytest.raises(AuthenticationError, match="not tried again") as caught:
        driver.call(script, "contacts", ["1", "2", "3"])
    assert "secret" not in str(caught.value)
    assert paths(script) == ["entity/auth/login"]


def test_refused_credentials_stay_refused() -> None:
    """Credentials that were refused are not sent again by the same client, not even by parallel requests."""
    script = Script(lambda _: answer([]), sign_in=lambda _: BAD_PASSWORD)
    erp = Acumatica(configured(), Password("sync", "wrong"), script, clock=script, parallel=8)
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            erp.contacts([str(i) for i in range(20)])  # type: ignore[misc]  # ids as texts
    assert len(script.requests) == 1


def test_a_refusal_in_another_language(driver: Driver) -> None:
    """A sign-in that Acumatica itself refuses is a refusal, whatever language it is told in."""
    refusal = fault("PX.Data.PXException", "Fehler: Ungültige Anmeldeinformationen.")
    script = Script(lambda _: answer([]), sign_in=lambda _: refusal)
    with pytest.raises(AuthenticationError, match="Anmelde"):
        marks(driver, script)
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [429, 500])
def test_login_limit_is_waited_for(driver: Driver, status: int) -> None:
    """A full licence is waited for: its seats become free by themselves."""
    full = fault("PX.Data.PXException", "API Login Limit", status)
    answers = iter([full, full, answer(None, 204, ("Set-Cookie", "a=b"))])
    script = Script(lambda _: answer([]), sign_in=lambda _: next(answers))
    assert marks(driver, script).items == ()
    assert script.pauses == [1.0, 2.0]


def test_login_limit_is_waited_for_boundedly(driver: Driver) -> None:
    """A licence that stays full ends in an error that tells what to do."""
    full = fault("PX.Data.PXException", "API Login Limit")
    script = Script(lambda _: answer([]), sign_in=lambda _: full)
    with pytest.raises(RateLimitedError, match="SM604000"):
        marks(driver, script, retries=Retries(patience=30.0))
    assert sum(script.pauses) <= 30


def test_a_full_licence_that_names_no_reason(driver: Driver) -> None:
    """A 429 to the sign-in, whatever its text, says what to do about seats, since most often there is none left."""
    text = b"The custom error module does not recognize this error."
    full = Response(status=429, headers=(("Content-Type", "text/plain"),), body=text)
    script = Script(lambda _: answer([]), sign_in=lambda _: full)
    with pytest.raises(RateLimitedError, match=r"API users.*SM604000"):
        marks(driver, script, retries=Retries(patience=1.0))


def test_an_outage_at_sign_in_is_tried_again(driver: Driver) -> None:
    """A gateway that is down while signing in is tried again."""
    answers = iter([Response(status=503), answer(None, 204, ("Set-Cookie", "a=b"))])
    script = Script(lambda _: answer([]), sign_in=lambda _: next(answers))
    assert marks(driver, script).items == ()


@pytest.mark.parametrize("wrong", [False, True])
def test_a_lost_sign_in_is_not_repeated(driver: Driver, *, wrong: bool) -> None:
    """A sign-in whose answer is lost is not sent again at once, however much is asked for: it may have been wrong."""

    def lost(_: Request) -> Response:
        if wrong:
            raise ValueError("the transport broke")
        return Response(status=504)

    script = Script(lambda _: answer([]), sign_in=lost)
    with pytest.raises(UnansweredError, match="10 minutes"):
        driver.call(script, "customers", ["C1", "C2", "C3"], group=1)
    assert paths(script) == ["entity/auth/login"]


def test_a_lost_sign_in_is_repeated_when_its_session_has_ended() -> None:
    """Ten minutes after a sign-in was lost, when no seat can be held by it any more, it is sent again."""
    answers = iter([Response(status=504), answer(None, 204, ("Set-Cookie", "a=b"))])
    script, time = Script(lambda _: answer([]), sign_in=lambda _: next(answers)), Time()
    with Acumatica(configured(), Password("sync", "secret"), script, clock=time) as erp:
        for minutes in (0, 9):
            time.sleep(60 * minutes)
            with pytest.raises(UnansweredError):
                erp.read(PrimaryMarks(), None)
        time.sleep(60)
        assert erp.read(PrimaryMarks(), None).items == ()


def test_who_waited_for_a_full_licence_does_not_wait_again() -> None:
    """A licence that stays full holds up parallel requests together, not each for itself; later it is asked again."""
    full = fault("PX.Data.PXException", "API Login Limit")
    script, time = Script(lambda _: answer([]), sign_in=lambda _: full), Time()
    config = configured(retries=Retries(patience=30.0), group=1)
    erp = Acumatica(config, Password("sync", "secret"), script, clock=time, parallel=4)
    began = time.now()
    with pytest.raises(RateLimitedError):
        erp.customers([CustomerID(f"C{i}") for i in range(20)])
    assert time.now() - began <= timedelta(seconds=30)
    asked = len(script.requests)
    time.sleep(31)
    with pytest.raises(RateLimitedError):
        erp.customers([CustomerID("C1")])
    assert len(script.requests) == 2 * asked


def test_a_refused_session_is_signed_out_before_a_new_one(driver: Driver) -> None:
    """A session that is no longer taken is signed out first, so that a client never holds two seats."""
    answers = iter([Response(status=401), answer([])])
    script = Script(lambda _: next(answers))
    marks(driver, script)
    assert paths(script)[2:4] == ["entity/auth/logout", "entity/auth/login"]


def test_cookies_are_renewed() -> None:
    """A ticket that an answer renews is sent from then on, also with the sign-out; what tells of a request is not."""
    renewed = (("Set-Cookie", ".ASPXAUTH=new; path=/"), ("Set-Cookie", "requestid=7"), ("Set-Cookie", "UserBranch=2"))
    script = Script(lambda _: answer([], 200, *renewed))
    with Acumatica(configured(), Password("sync", "secret"), script, clock=script) as erp:
        for _ in range(2):
            erp.read(PrimaryMarks(), None)
    sent = [header(request, "Cookie") for request in script.requests[1:]]
    fresh = ".ASPXAUTH=new; ASP.NET_SessionId=def"
    assert sent == [".ASPXAUTH=abc; ASP.NET_SessionId=def", fresh, fresh]


def test_a_late_answer_of_an_older_session() -> None:
    """An answer to a request of another session renews nothing of the one that is open."""
    session = cookie_session({".ASPXAUTH": "a", "ASP.NET_SessionId": "s"})
    late = answer([], 200, ("Set-Cookie", ".ASPXAUTH=b"))
    request = Request(method="GET", url="http://erp/", headers=(("Cookie", ".ASPXAUTH=old"),))
    assert session.told(request, late) is session
    assert session.told(with_session(evolve(request, headers=()), session), late).values[".ASPXAUTH"] == "b"


def test_a_renewed_ticket_that_is_refused() -> None:
    """A session that is refused under its renewed cookies is signed in anew, as any other."""
    renewed = ("Set-Cookie", ".ASPXAUTH=new; path=/")
    answers = iter([answer([], 200, renewed), Response(status=401), answer([])])
    script = Script(lambda _: next(answers))
    with Acumatica(configured(), Password("sync", "secret"), script, clock=script) as erp:
        erp.read(PrimaryMarks(), None)
        erp.read(PrimaryMarks(), None)
    assert paths(script).count("entity/auth/login") == 2


def test_used_again_after_closing() -> None:
    """A client that is used after it was closed signs in again, and out again."""
    script = Script(lambda _: answer([]))
    erp = Acumatica(configured(), Password("sync", "secret"), script, clock=script)
    for _ in range(2):
        erp.read(PrimaryMarks(), None)
        erp.close()
    assert [path.rpartition("/")[2] for path in paths(script)] == ["login", "Customer", "logout"] * 2


def test_no_secret_is_told(driver: Driver) -> None:
    """Neither name nor password is in a client's text, an error's text, or an error that was pickled."""
    refusal = fault("PX.Data.PXException", "Error: Invalid credentials for sync@example.com. Please try again.")
    script = Script(lambda _: answer([]), sign_in=lambda _: refusal)
    with pytest.raises(AuthenticationError) as caught:
        marks(driver, script)
    client = Acumatica(configured(), Password("sync-user", "hush-hush"), script, clock=script)
    told = f"{caught.value!r} {caught.value} {pickle.dumps(caught.value)!r} {client!r} {client.credentials!r}"
    assert all(word not in told for word in ("secret", "hush", "sync-user", "@example.com"))


def test_an_expired_session_is_renewed_once(driver: Driver) -> None:
    """A session that ended is signed in anew once; refused again, that ends it."""
    answers = iter([Response(status=401), answer([])])
    script = Script(lambda _: next(answers))
    marks(driver, script)
    assert paths(script).count("entity/auth/login") == 2
    script = Script(lambda _: Response(status=401))
    with pytest.raises(AuthenticationError):
        marks(driver, script)
    assert paths(script).count("entity/auth/login") == 2


def test_missing_rights_do_not_sign_in_anew(driver: Driver) -> None:
    """A form that the user may not open is a ConfigurationError with its name, without a second session."""
    denied = answer({"message": "You have insufficient rights to access the Customer (AR303000) form."}, 403)
    script = Script(lambda _: denied)
    with pytest.raises(ConfigurationError, match="AR303000"):
        marks(driver, script)
    assert paths(script).count("entity/auth/login") == 1


def test_a_sign_in_without_cookies(driver: Driver) -> None:
    """An address that takes any sign-in without giving a session is no instance's."""
    script = Script(lambda _: answer([]), sign_in=lambda _: Response(status=204))
    with pytest.raises(ConfigurationError, match="url"):
        marks(driver, script)
    script = Script(
        lambda _: answer([]), sign_in=lambda _: Response(status=200, headers=(("Content-Type", "text/html"),))
    )
    with pytest.raises(DecodeError, match="web page"):
        marks(driver, script)


def test_recorded_cookies(driver: Driver) -> None:
    """Of the recorded sign-in, which sets each cookie twice, each is sent back once."""
    if not RECORDED.exists():
        pytest.skip("no recording")
    lines = json.loads(RECORDED.read_text())["login_204"]["headers"]["Set-Cookie"]
    script = Script(
        lambda _: answer([]), sign_in=lambda _: answer(None, 204, *(("Set-Cookie", line) for line in lines))
    )
    marks(driver, script)
    sent = (header(script.asked[0], "Cookie") or "").split("; ")
    assert [cookie.partition("=")[0] for cookie in sent] == [
        ".ASPXAUTH",
        "ASP.NET_SessionId",
        "CompanyID",
        "Locale",
        "UserBranch",
        "requestid",
        "requeststat",
    ]
    assert "Locale=Culture=en-US&TimeZone=GMTM0800A" in sent
