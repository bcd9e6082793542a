"""The cookies that answers set, in the recorded order, most of them twice."""

from datetime import UTC, datetime, timedelta
from typing import Final

from acumatica_b2b.http import Headers
from acumatica_b2b.simulators.acumatica.state import note_id_of

_LONG_AGO: Final = "Tue, 12-Oct-1999 00:00:00 GMT"
_BRANCH: Final = "UserBranch=1; path=/"
_SESSION: Final = ("Locale=TimeZone=GMTM0800A&Culture=en-US; path=/", _BRANCH)
_DOTNET_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)


def signed_in(*, auth: str, session: str, tenant: str, now: datetime, secure: bool) -> Headers:
    """Return the cookies of a new session."""
    days, mark = _date(now + timedelta(days=3)), " secure;" if secure else ""
    return _twice(
        f".ASPXAUTH={auth}; path=/;{mark} HttpOnly; SameSite=None",
        f"ASP.NET_SessionId={session}; path=/; HttpOnly; SameSite=Lax",
        f"CompanyID={tenant}; expires={days}; path=/",
        f"Locale=Culture=en-US&TimeZone=GMTM0800A; expires={days}; path=/",
        _BRANCH,
    )


def signed_out(now: datetime) -> Headers:
    """Return the cookies that end those of a session."""
    return _twice(
        f".ASPXAUTH=; expires={_LONG_AGO}; path=/; HttpOnly",
        f"ASP.NET_SessionId=; expires={_date(now - timedelta(days=365))}; path=/",
        *_SESSION,
    )


def of_data() -> Headers:
    """Return what the answer to a request of a session sets anew."""
    return _twice(*_SESSION)


def tracking(path: str, number: int, now: datetime) -> Headers:
    """Return the two that tell the next request which one came before it."""
    ticks = (now - _DOTNET_EPOCH) // timedelta(microseconds=1) * 10
    identity = note_id_of("request", number).replace("-", "").upper()
    stat = f"+st:{number}+sc:~/entity{path}+start:{ticks}+tg:"
    return _set(f"requestid={identity}; path=/", f"requeststat={stat}; path=/")


def _date(moment: datetime) -> str:
    return moment.strftime("%a, %d-%b-%Y %H:%M:%S GMT")


def _twice(*cookies: str) -> Headers:
    return _set(*(cookie for cookie in cookies for _ in range(2)))


def _set(*cookies: str) -> Headers:
    return tuple(("Set-Cookie", cookie) for cookie in cookies)
