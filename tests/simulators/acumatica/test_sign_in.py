import re
from urllib.parse import urlencode

import pytest

from acumatica_b2b.http import Headers, Request, Response, json_body
from tests.simulators.acumatica.conftest import CREDENTIALS, ROOT, Erp, exception, furnish, make, sample


# ------------------------------------------------------------------ sign-in
def test_sign_in_sets_each_cookie_twice() -> None:
    """A sign-in answers 204 with every cookie twice, the session's one httponly and not secure over plain http."""
    response = make().log_in()
    cookies = response.header_values("Set-Cookie")
    assert response.status == 204
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names[:10:2] == names[1:10:2]
    assert names[10:] == ["requestid", "requeststat"]
    assert "ASP.NET_SessionId" in cookies[2]
    assert "HttpOnly" in cookies[2]
    assert not any("secure" in cookie for cookie in cookies)


def test_cookies_have_the_recorded_names() -> None:
    """The cookies of a sign-in have the names and attributes of the recorded ones, in their order."""
    recorded = sample("login_logout_headers.json")["login_204"]["headers"]["Set-Cookie"]
    expected = [re.sub(r"=[^;]*", "", line, count=1) for line in recorded]
    erp = make()
    cookies = erp.simulator.handle(
        Request(method="POST", url="https://erp.example/entity/auth/login", body=json_body(CREDENTIALS))
    ).header_values("set-cookie")
    found = [re.sub(r"=[^;]*", "", line, count=1) for line in cookies]
    dates = re.compile(r"expires=[^;]*")
    assert [dates.sub("", line) for line in found] == [dates.sub("", line) for line in expected]


def test_cookies_of_a_sign_out_are_the_recorded_ones(erp: Erp) -> None:
    """A sign-out sets the recorded cookies, in their order."""
    recorded = sample("login_logout_headers.json")["logout_204"]["headers"]["Set-Cookie"]
    found = erp.ask("POST", "entity/auth/logout").header_values("set-cookie")
    masked = [
        [re.sub(r"expires=\w{3}, \d\d-\w{3}-20[^;]*|request(id|stat)=[^;]*", r"\1", line) for line in lines]
        for lines in (found, recorded)
    ]
    assert masked[0] == masked[1]


def test_sign_in_reads_a_form() -> None:
    """A sign-in may be sent as a form."""
    simulator = make().simulator
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    body = urlencode(CREDENTIALS).encode()
    url = f"{ROOT}/entity/auth/login"
    assert simulator.handle(Request(method="POST", url=url, headers=headers, body=body)).status == 204


def test_wrong_password_is_a_500() -> None:
    """A wrong password gets the recorded 500, not a 401."""
    expected = (500, "Error: Invalid credentials. Please try again.", "PXException")
    assert exception(make().log_in(password="wrong")) == expected
    recorded = sample("login_500_invalid_credentials.json")
    assert (500, recorded["exceptionMessage"], recorded["exceptionType"].rpartition(".")[2]) == expected


def test_company_beside_tenant_is_refused() -> None:
    """Company and tenant sent together fail; the older company alone works."""
    assert make().log_in(company="Company").status == 500
    assert make().log_in(company="Company", tenant=None).status == 204


def test_unknown_tenant_matters_with_several_only() -> None:
    """A single tenant accepts any name; several refuse an unknown one and take the first for none."""
    assert make().log_in(tenant="Elsewhere").status == 204
    several = make(tenants=("East", "West"))
    assert exception(several.log_in(tenant="North"))[2] == "PXUndefinedCompanyException"
    several.log_in(tenant="west")
    assert several.cookies["CompanyID"] == "West"
    several.log_in(tenant=None)
    assert several.cookies["CompanyID"] == "East"


def test_last_seat_taken_refuses_the_next() -> None:
    """With all seats taken a sign-in is a 500 "API Login Limit"; after a sign-out it works again."""
    erp = make(seats=2)
    erp.log_in()
    erp.log_in()
    assert exception(erp.log_in())[:2] == (500, "API Login Limit")
    assert erp.ask("POST", "entity/auth/logout").status == 204
    assert erp.simulator.open_sessions == 1
    assert erp.log_in().status == 204


def test_full_house_may_be_a_429() -> None:
    """By switch a sign-in that finds no seat is a 429 of plain text which does not say so."""
    erp = make(seats=1, full_house_is_429=True)
    erp.log_in()
    refused = erp.log_in()
    assert (refused.status, refused.header("Content-Type")) == (429, "text/plain")
    assert b"does not recognize" in refused.body


def test_wrong_passwords_lock_the_account() -> None:
    """By switch the account is locked after so many wrong passwords: then the right one does not help either."""
    erp = make(locks_after=2)
    assert erp.log_in(password="wrong").status == 500
    assert erp.log_in().status == 204
    assert erp.log_in(password="wrong").status == 500
    assert erp.simulator.wrong_passwords == 2
    assert "locked" in exception(erp.log_in())[1]
    assert token(erp).json() == {"error": "invalid_grant"}


def test_session_ends_after_ten_idle_minutes(erp: Erp) -> None:
    """A session lives for ten minutes after its last request; then requests get 401 and the seat is free."""
    erp.clock.on(minutes=9)
    assert erp.get("Contact/5").status == 200
    erp.clock.on(minutes=9)
    assert erp.get("Contact/5").status == 200
    erp.clock.on(minutes=10)
    assert erp.get("Contact/5").status == 401
    assert erp.simulator.open_sessions == 0


def test_sign_out_ends_the_session(erp: Erp) -> None:
    """After a sign-out the cookies are good for nothing, and the answer expires them."""
    gone = erp.ask("POST", "entity/auth/logout").header_values("set-cookie")[:4]
    assert all("=; expires=" in cookie and ("1999" in cookie or "2025" in cookie) for cookie in gone)
    assert erp.get("Contact").status == 401


def test_session_needs_both_cookies(erp: Erp) -> None:
    """A request with only one of the two session cookies is not signed in."""
    del erp.cookies[".ASPXAUTH"]
    assert erp.get("Contact").status == 401


def test_length_is_demanded_by_switch() -> None:
    """By switch a POST without Content-Length gets 411."""
    erp = make(demands_length=True)
    assert erp.log_in().status == 411
    assert erp.ask("POST", "entity/auth/logout", None, (("Content-Length", "0"),)).status == 204


# ------------------------------------------------------------------ OAuth
def token(erp: Erp, **form: str) -> Response:
    given = {
        "grant_type": "password",
        "client_id": erp.simulator.settings.client_id,
        "client_secret": "client-secret",
        "username": "sync",
        "password": "secret",
        "scope": "api offline_access",
    }
    body = urlencode({**given, **form}).encode()
    return erp.simulator.handle(Request(method="POST", url=f"{ROOT}/identity/connect/token", body=body))


def bearer(response: Response) -> Headers:
    return (("Authorization", f"Bearer {response.json()['access_token']}"),)


def test_password_grant_gives_an_hour() -> None:
    """A password grant gives a bearer token for 3600 s, with the keys of the documented answer."""
    erp = furnish(make())
    erp.cookies.clear()
    answer = token(erp)
    assert answer.json() | {"access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
        "refresh_token": "",
        "scope": "api offline_access",
    }
    assert erp.entity("GET", "Contact/5", None, bearer(answer)).status == 200
    erp.clock.on(seconds=3600)
    assert erp.entity("GET", "Contact/5", None, bearer(answer)).status == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"password": "wrong"}, "invalid_grant"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"),
    ],
)
def test_token_endpoint_names_the_error(form: dict[str, str], error: str) -> None:
    """The token endpoint answers 400 with OAuth's error code; there are no client credentials."""
    response = token(make(), **form)
    assert (response.status, response.json()) == (400, {"error": error})


def test_refresh_token_rotates() -> None:
    """A refresh gives a new refresh token, and the old one is void."""
    erp = make()
    first = token(erp).json()["refresh_token"]
    second = token(erp, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert token(erp, grant_type="refresh_token", refresh_token=first).status == 400
    assert token(erp, grant_type="refresh_token", refresh_token=second).status == 200


def test_refresh_token_lasts_thirty_days() -> None:
    """A refresh token is void after thirty days."""
    erp = make()
    refresh = token(erp).json()["refresh_token"]
    erp.clock.on(days=30)
    assert token(erp, grant_type="refresh_token", refresh_token=refresh).status == 400


def test_offline_grant_takes_one_seat() -> None:
    """A grant with offline access takes one seat, which its refreshed tokens share."""
    erp = make()
    first = token(erp)
    assert erp.simulator.open_sessions == 0
    erp.entity("GET", "Contact", None, bearer(first))
    second = token(erp, grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    erp.entity("GET", "Contact", None, bearer(second))
    assert erp.simulator.open_sessions == 1


def test_api_scope_takes_a_seat_a_token() -> None:
    """With scope api alone every token takes a seat, and keeps it for its hour unless signed out."""
    erp = make()
    for answer in (token(erp, scope="api"), token(erp, scope="api")):
        assert "refresh_token" not in answer.json()
        erp.entity("GET", "Contact", None, bearer(answer))
    erp.clock.on(minutes=59)
    assert erp.simulator.open_sessions == 2
    erp.clock.on(minutes=1)
    assert erp.simulator.open_sessions == 0


def test_concurrent_access_takes_a_seat_a_session() -> None:
    """With concurrent access every call without cookies takes another seat, until none is left."""
    erp = make(seats=2)
    answer = token(erp, scope="api:concurrent_access")
    first = erp.entity("GET", "Contact", None, bearer(answer))
    assert any("ASP.NET_SessionId" in cookie for cookie in first.header_values("set-cookie"))
    erp.entity("GET", "Contact", None, bearer(answer))
    assert exception(erp.entity("GET", "Contact", None, bearer(answer)))[1] == "API Login Limit"


def test_signing_out_with_a_bearer_frees_the_seat() -> None:
    """Signing out with a token frees its seat; using the token again opens one anew; revoking does not free it."""
    erp = make()
    answer = token(erp)
    erp.entity("GET", "Contact", None, bearer(answer))
    erp.ask("POST", "entity/auth/logout", None, bearer(answer))
    assert erp.simulator.open_sessions == 0
    assert erp.entity("GET", "Contact", None, bearer(answer)).status == 200
    form = urlencode({"token": answer.json()["access_token"]}).encode()
    erp.simulator.handle(Request(method="POST", url=f"{ROOT}/identity/connect/revocation", body=form))
    assert erp.simulator.open_sessions == 1
    assert erp.entity("GET", "Contact", None, bearer(answer)).status == 401
