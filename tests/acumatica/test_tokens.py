import asyncio
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from attrs import define, evolve, field

from acumatica_b2b.acumatica import (
    Acumatica,
    AsyncTokenStore,
    OAuthPassword,
    OAuthRefresh,
    TokenStore,
)
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    StoreError,
)
from acumatica_b2b.http import Request, Response
from acumatica_b2b.protocols import PrimaryMarks
from tests.acumatica.conftest import Driver, Script, answer, configured

APPLICATION = OAuthPassword(client_id="guid@Live", client_secret="hush", name="sync", password="secret")
VOID = answer({"error": "invalid_grant"}, 400)
EXPIRED = Response(status=401)


def marks(driver: Driver, script: Script, **settings: Any) -> Any:
    """Read the primary marks, which is one request."""
    return driver.call(script, "read", PrimaryMarks(), None, **settings)


def header(request: Request, name: str) -> str | None:
    """Return a header of a request."""
    return next((value for key, value in request.headers if key.lower() == name.lower()), None)


def told(script: Script) -> list[str]:
    """Return what was asked for, one word each: the kind of grant, the bearer of a request or of a sign-out."""
    return list(_told(script))


def _told(script: Script) -> Iterator[str]:
    for request in script.requests:
        if request.url.endswith("/connect/token"):
            form = parse_qs(request.body.decode())
            yield f"{form['grant_type'][0]} {form.get('refresh_token', [''])[0]}".strip()
        else:
            bearer = (header(request, "Authorization") or "").removeprefix("Bearer ")
            yield f"out {bearer}" if request.url.endswith("/logout") else bearer


def tokens(*answers: dict[str, Any] | Response) -> Any:
    """Return what the token endpoint answers, one after the other."""
    rest = iter(answers)
    return lambda _: token if isinstance(token := next(rest), Response) else answer(token)


def token(n: int, **more: Any) -> dict[str, Any]:
    """Return a token answer with a refresh token."""
    return {"access_token": f"t{n}", "refresh_token": f"r{n}", "token_type": "Bearer", **more}


def answers(*statuses: int) -> Any:
    """Return what data requests are answered, one after the other."""
    rest = iter(statuses)
    return lambda _: answer([], next(rest))


@define
class _Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float, /) -> None:
        self.moment += timedelta(seconds=seconds)


@define
class Keeper:
    """A store: it tells what it was asked, and breaks on cue."""

    saved: str | None = None
    calls: list[str] = field(factory=list[str])
    broken: int = 0

    def load(self) -> str | None:
        """Return what is kept."""
        self.calls.append("load")
        return self.saved

    def save(self, refresh_token: str, /) -> None:
        """Keep it."""
        self.calls.append(f"save {refresh_token}")
        if self.broken:
            self.broken -= 1
            message = f"INSERT {refresh_token} failed"
            raise RuntimeError(message)
        self.saved = refresh_token


@define
class AsyncKeeper:
    """The same, awaited."""

    keeper: Keeper

    async def load(self) -> str | None:
        """Return what is kept."""
        await asyncio.sleep(0)
        return self.keeper.load()

    async def save(self, refresh_token: str, /) -> None:
        """Keep it."""
        await asyncio.sleep(0)
        self.keeper.save(refresh_token)


def kept(driver: Driver, keeper: Keeper) -> TokenStore | AsyncTokenStore:
    """Return a store as the driver takes it."""
    return AsyncKeeper(keeper) if driver.asynchronous else keeper


def refresh(driver: Driver, keeper: Keeper) -> OAuthRefresh:
    """Return credentials whose refresh token is kept."""
    return OAuthRefresh(client_id="guid@Live", client_secret="hush", store=kept(driver, keeper))


# ------------------------------------------------------------------ name and password
def test_token(driver: Driver) -> None:
    """A connected application gets a token for name and password, and ends its session with the same token."""
    script = Script(lambda _: answer([]), sign_in=tokens(token(1)))
    marks(driver, script, credentials=APPLICATION, branch="MAIN")
    form = {name: value for name, [value] in parse_qs(script.requests[0].body.decode()).items()}
    assert form == {
        "grant_type": "password",
        "client_id": "guid@Live",
        "client_secret": "hush",
        "username": "sync",
        "password": "secret",
        "scope": "api offline_access",
    }
    assert told(script) == ["password", "t1", "out t1"]
    assert header(script.requests[1], "PX-CbApiBranch") == "MAIN"


def test_token_is_refreshed(driver: Driver) -> None:
    """An expired token is renewed with its refresh token, which goes on with the same session."""
    script = Script(answers(401, 200), sign_in=tokens(token(1), token(2)))
    marks(driver, script, credentials=APPLICATION)
    assert told(script) == ["password", "t1", "refresh_token r1", "t2", "out t2"]


@pytest.mark.parametrize(("life", "after", "grants"), [(3600, 3539, 1), (3600, 3541, 2), (60, 29, 1), (60, 31, 2)])
def test_token_is_renewed_early(life: int, after: int, grants: int) -> None:
    """A token is renewed a minute before it expires, or at half its life if that is short; no request is refused."""
    script = Script(lambda _: answer([]), sign_in=tokens(token(1, expires_in=life), token(2, expires_in=life)))
    clock = _Clock(datetime(2026, 5, 1, tzinfo=UTC))
    erp = Acumatica(configured(), APPLICATION, script, clock=clock)
    erp.read(PrimaryMarks(), None)
    clock.sleep(after)
    erp.read(PrimaryMarks(), None)
    assert told(script) == ["password", "t1", *(["refresh_token r1", "t2"] if grants == 2 else ["t1"])]


def test_one_session_a_token(driver: Driver) -> None:
    """With the scope `api` alone, which opens a session a token, the old one is signed out before a new one opens."""
    script = Script(answers(401, 200), sign_in=tokens({"access_token": "t1"}, {"access_token": "t2"}))
    marks(driver, script, credentials=evolve(APPLICATION, scope="api"))
    assert told(script) == ["password", "t1", "out t1", "password", "t2", "out t2"]


def test_a_void_refresh_token_falls_back(driver: Driver) -> None:
    """A refresh token that is void is followed by one grant for name and password, and is not used again."""
    script = Script(answers(401, 200), sign_in=tokens(token(1), VOID, {"access_token": "t2"}))
    marks(driver, script, credentials=APPLICATION)
    assert told(script) == ["password", "t1", "refresh_token r1", "out t1", "password", "t2", "out t2"]


def test_a_lost_refresh_is_not_repeated(driver: Driver) -> None:
    """A refresh whose answer was lost is not sent again: its token may be void."""
    script = Script(answers(401, 200), sign_in=tokens(token(1), Response(status=504), token(2)))
    marks(driver, script, credentials=APPLICATION)
    assert told(script) == ["password", "t1", "refresh_token r1", "out t1", "password", "t2", "out t2"]


def test_a_refused_application(driver: Driver) -> None:
    """A wrong secret is an AuthenticationError that names the endpoint's own code; it is sent once."""
    script = Script(lambda _: answer([]), sign_in=tokens(answer({"error": "invalid_client"}, 400)))
    with pytest.raises(AuthenticationError, match="invalid_client") as caught:
        driver.call(script, "contacts", ["1", "2"], credentials=APPLICATION)
    assert "hush" not in f"{caught.value!r} {pickle.dumps(caught.value)!r}"
    assert len(script.requests) == 1


def test_a_secret_that_changed(driver: Driver) -> None:
    """An application that is refused while refreshing sends no password after it, which would be refused as well."""
    script = Script(lambda _: EXPIRED, sign_in=tokens(token(1), answer({"error": "invalid_client"}, 400)))
    with pytest.raises(AuthenticationError, match="invalid_client"):
        marks(driver, script, credentials=APPLICATION)
    assert told(script)[:3] == ["password", "t1", "refresh_token r1"]
    assert "password" not in told(script)[1:]


def test_an_answer_without_a_token(driver: Driver) -> None:
    """A token endpoint that answers without a token is of no documented shape."""
    script = Script(lambda _: answer([]), sign_in=tokens({"token_type": "Bearer"}))
    with pytest.raises(DecodeError, match="access_token"):
        marks(driver, script, credentials=APPLICATION)


def test_application_of_another_tenant() -> None:
    """An application of another tenant, or a scope that opens a session a request, is refused at once."""
    script = Script(lambda _: answer([]))
    with pytest.raises(ConfigurationError, match="Live"):
        Acumatica(configured(tenant="Test"), APPLICATION, script)
    with pytest.raises(ConfigurationError, match="Live"):
        Acumatica(configured(tenant="Test"), refresh(Driver(asynchronous=False), Keeper()), script)
    with pytest.raises(ConfigurationError, match="concurrent"):
        Acumatica(configured(), evolve(APPLICATION, scope="api:concurrent_access"), script)


# ------------------------------------------------------------------ a stored refresh token
def test_a_stored_token(driver: Driver) -> None:
    """A stored refresh token signs in, and the one that replaces it is saved before the new access token is used."""
    keeper = Keeper(saved="r0")
    seen: list[list[str]] = []

    def data(_: Request) -> Response:
        seen.append(list(keeper.calls))
        return answer([])

    script = Script(data, sign_in=tokens(token(1)))
    marks(driver, script, credentials=refresh(driver, keeper))
    assert told(script) == ["refresh_token r0", "t1", "out t1"]
    assert seen == [["load", "save r1"]]
    assert keeper.saved == "r1"


def test_a_store_that_fails(driver: Driver) -> None:
    """A refresh token that could not be saved stops everything that came with it, and is in no error's text."""
    keeper = Keeper(saved="r0", broken=1)
    script = Script(lambda _: answer([]), sign_in=tokens(token(1)))
    with pytest.raises(StoreError, match="RuntimeError") as caught:
        marks(driver, script, credentials=refresh(driver, keeper))
    assert "r1" not in f"{caught.value!r}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert script.asked == []


def test_a_store_that_recovers() -> None:
    """A refresh token that could not be saved is handed over again by the next request, and used once it is kept."""
    keeper = Keeper(saved="r0", broken=1)
    script = Script(lambda _: answer([]), sign_in=tokens(token(1)))
    erp = Acumatica(configured(), refresh(Driver(asynchronous=False), keeper), script, clock=script)
    with pytest.raises(StoreError):
        erp.read(PrimaryMarks(), None)
    assert erp.read(PrimaryMarks(), None).items == ()
    assert keeper.calls == ["load", "save r1", "save r1"]
    assert told(script) == ["refresh_token r0", "t1"]


def test_a_void_stored_token(driver: Driver) -> None:
    """A stored refresh token that is void is sent once; the error says how to get another."""
    keeper = Keeper(saved="r0")
    script = Script(lambda _: answer([]), sign_in=tokens(VOID))
    with pytest.raises(AuthenticationError, match="authorise the application") as caught:
        driver.call(script, "contacts", ["1", "2"], credentials=refresh(driver, keeper))
    assert "r0" not in str(caught.value)
    assert told(script) == ["refresh_token r0"]


def test_a_lost_refresh_of_a_stored_token() -> None:
    """A stored refresh token whose answer was lost is tried again by a request half a minute later: it may be good."""
    keeper = Keeper(saved="r0")
    script = Script(lambda _: answer([]), sign_in=tokens(Response(status=504), token(1)))
    clock = _Clock(datetime(2026, 5, 1, tzinfo=UTC))
    erp = Acumatica(configured(), refresh(Driver(asynchronous=False), keeper), script, clock=clock)
    for seconds in (0, 29):
        clock.sleep(seconds)
        with pytest.raises(NotSentError, match="may be void"):
            erp.read(PrimaryMarks(), None)
    clock.sleep(1)
    assert erp.read(PrimaryMarks(), None).items == ()
    assert told(script) == ["refresh_token r0", "refresh_token r0", "t1"]


def test_a_new_authorisation_is_taken_up() -> None:
    """A refresh token that is saved after one was refused is tried by the same client; the refused one never again."""
    keeper = Keeper(saved="r0")
    script = Script(lambda _: answer([]), sign_in=tokens(VOID, token(2)))
    erp = Acumatica(configured(), refresh(Driver(asynchronous=False), keeper), script, clock=script)
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            erp.read(PrimaryMarks(), None)
    keeper.saved = "r1"
    assert erp.read(PrimaryMarks(), None).items == ()
    assert told(script) == ["refresh_token r0", "refresh_token r1", "t2"]


def test_a_token_that_another_client_refreshed(driver: Driver) -> None:
    """A refresh token that somebody else replaced meanwhile is looked up once more."""
    keeper = Keeper(saved="r0")

    def endpoint(request: Request) -> Response:
        if b"r0" in request.body:
            keeper.saved = "r1"
            return VOID
        return answer(token(2))

    script = Script(lambda _: answer([]), sign_in=endpoint)
    marks(driver, script, credentials=refresh(driver, keeper))
    assert told(script)[:3] == ["refresh_token r0", "refresh_token r1", "t2"]


def test_an_empty_store(driver: Driver) -> None:
    """A store without a token asks for a person to authorise the application; a password is sent where there is one."""
    script = Script(lambda _: answer([]), sign_in=tokens(token(1)))
    with pytest.raises(AuthenticationError, match="or there is none"):
        marks(driver, script, credentials=refresh(driver, Keeper()))
    assert script.requests == []
    keeper = Keeper()
    marks(driver, script, credentials=evolve(APPLICATION, store=kept(driver, keeper)))
    assert told(script)[0] == "password"
    assert keeper.saved == "r1"


def test_a_grant_goes_on_in_the_next_client(driver: Driver) -> None:
    """With a store the next client goes on with the grant of the last one, and sends no password."""
    keeper = Keeper()
    script = Script(lambda _: answer([]), sign_in=tokens(token(1), token(2)))
    for _ in range(2):
        marks(driver, script, credentials=evolve(APPLICATION, store=kept(driver, keeper)))
    assert told(script) == ["password", "t1", "out t1", "refresh_token r1", "t2", "out t2"]


def test_no_secret_is_told(driver: Driver) -> None:
    """No token and no secret is in the text of credentials or of a client."""
    told = [APPLICATION, refresh(driver, Keeper(saved="r0"))]
    client = Acumatica(configured(), APPLICATION, Script(lambda _: answer([])))
    assert not [word for word in ("hush", "secret'", "'sync'", "r0", "Keeper") if word in f"{told} {client}"]
