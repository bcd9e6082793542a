import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acumatica_b2b.acumatica import Acumatica, OAuthPassword, Password
from acumatica_b2b.acumatica.sign_in import SignIn
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
)
from acumatica_b2b.flow import Batch, Failed, Ok, run
from acumatica_b2b.http import Request, Response, Retries, Session
from acumatica_b2b.protocols import PrimaryMarks
from tests.acumatica.conftest import BAD_PASSWORD, Driver, Script, answer, configured, fault

APPLICATION = OAuthPassword(client_id="guid@Live", client_secret="hush", name="sync", password="secret")
RECORDED = Path(__file__).parents[3] / "shared" / "samples" / "acumatica" / "login_logout_headers.json"


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
    """A sign-out that fails is tried once and hides neither result nor error."""

    def lost(_: Request) -> Response:
        raise NotSentError

    script = Script(lambda _: answer([]), sign_out=lost)
    assert marks(driver, script).items == ()
    assert paths(script).count("entity/auth/logout") == 1
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


def test_an_outage_at_sign_in_is_tried_again(driver: Driver) -> None:
    """A gateway that is down while signing in is tried again."""
    answers = iter([Response(status=503), answer(None, 204, ("Set-Cookie", "a=b"))])
    script = Script(lambda _: answer([]), sign_in=lambda _: next(answers))
    assert marks(driver, script).items == ()


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


# ------------------------------------------------------------------ OAuth
def tokens(*answers: dict[str, str] | Response) -> Any:
    """Return what the token endpoint answers, one after the other."""
    rest = iter(answers)
    return lambda _: token if isinstance(token := next(rest), Response) else answer(token)


def test_token(driver: Driver) -> None:
    """A connected application gets a token for name and password, and ends its session with the same token."""
    script = Script(lambda _: answer([]), sign_in=tokens({"access_token": "t1", "refresh_token": "r1"}))
    marks(driver, script, credentials=APPLICATION, branch="MAIN")
    grant, asked, logout = script.requests
    assert paths(script)[0] == "identity/connect/token"
    form = {name: value for name, [value] in parse_qs(grant.body.decode()).items()}
    assert form == {
        "grant_type": "password",
        "client_id": "guid@Live",
        "client_secret": "hush",
        "username": "sync",
        "password": "secret",
        "scope": "api offline_access",
    }
    assert header(asked, "Authorization") == header(logout, "Authorization") == "Bearer t1"
    assert header(asked, "PX-CbApiBranch") == "MAIN"
    assert "hush" not in repr(script.requests)


def test_token_is_refreshed(driver: Driver) -> None:
    """An expired token is renewed with its refresh token, which goes on with the same session."""
    granted = tokens({"access_token": "t1", "refresh_token": "r1"}, {"access_token": "t2", "refresh_token": "r2"})
    answers = iter([Response(status=401), answer([])])
    script = Script(lambda _: next(answers), sign_in=granted)
    marks(driver, script, credentials=APPLICATION)
    form = parse_qs(script.requests[2].body.decode())
    assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["r1"])
    assert header(script.requests[-1], "Authorization") == "Bearer t2"


def test_a_void_refresh_token_falls_back(driver: Driver) -> None:
    """A refresh token that is void is followed by one grant for name and password, and is not used again."""
    void = answer({"error": "invalid_grant"}, 400)
    granted = tokens({"access_token": "t1", "refresh_token": "r1"}, void, {"access_token": "t2"})
    answers = iter([Response(status=401), answer([])])
    script = Script(lambda _: next(answers), sign_in=granted)
    marks(driver, script, credentials=APPLICATION)
    kinds = [parse_qs(request.body.decode())["grant_type"] for request in script.requests if "token" in request.url]
    assert kinds == [["password"], ["refresh_token"], ["password"]]


def test_a_refused_application(driver: Driver) -> None:
    """A wrong secret is an AuthenticationError that names the endpoint's own code."""
    script = Script(lambda _: answer([]), sign_in=tokens(answer({"error": "invalid_client"}, 400)))
    with pytest.raises(AuthenticationError, match="invalid_client"):
        marks(driver, script, credentials=APPLICATION)


def test_an_answer_without_a_token(driver: Driver) -> None:
    """A token endpoint that answers without a token is of no documented shape."""
    script = Script(lambda _: answer([]), sign_in=tokens({"token_type": "Bearer"}))
    with pytest.raises(DecodeError, match="access_token"):
        marks(driver, script, credentials=APPLICATION)


def test_application_of_another_tenant() -> None:
    """An application of another tenant, or a scope that opens a session a request, is refused at once."""
    with pytest.raises(ConfigurationError, match="Live"):
        SignIn(configured(tenant="Test"), APPLICATION)
    scope = "api:concurrent_access"
    concurrent = OAuthPassword(client_id="guid@Live", client_secret="", name="", password="", scope=scope)
    with pytest.raises(ConfigurationError, match="concurrent"):
        SignIn(configured(), concurrent)


def test_a_lost_refresh_is_not_repeated() -> None:
    """A refresh whose answer was lost is not sent again: its token may be void."""
    sign_in = SignIn(configured(), APPLICATION)
    replies = iter([answer({"access_token": "t1", "refresh_token": "r1"}), None, answer({"access_token": "t2"})])

    def reply(batch: Batch) -> list[Any]:
        assert len(batch) == 1
        response = next(replies)
        return [Failed(OutcomeUnknownError("lost")) if response is None else Ok(response)]

    assert run(sign_in(), reply) == Session(headers=(("Authorization", "Bearer t1"),))
    assert run(sign_in(), reply) == Session(headers=(("Authorization", "Bearer t2"),))
