"""The tokens of a connected application: granted once for each client, then refreshed."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, assert_never
from urllib.parse import urlencode

from attrs import define, field

from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import OAuthPassword, OAuthRefresh
from acumatica_b2b.acumatica.sessions import Bearer, UnansweredError, answered, bearer_session
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, DecodeError, StoreError
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.http import AskHost, Request, Response, at

_EARLY: Final = timedelta(seconds=60)
"""How long before its end a token is renewed: a request may wait in the licence's queue."""


class VoidTokenError(AuthenticationError):
    """The stored refresh token is void; another one may be good."""


@define(eq=False)
class Grants:
    """Gives access tokens of one application.

    A refresh token is void once it was used, so each new one is handed to the store before the access
    token that came with it is used.
    """

    config: AcumaticaConfig
    application: OAuthPassword | OAuthRefresh = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    _refresh: str = field(default="", init=False, repr=False)
    _void: str = field(default="", init=False, repr=False)
    _unsaved: Bearer | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        scope = self.application.scope if isinstance(self.application, OAuthPassword) else ""
        if "api:concurrent_access" in scope.split():
            message = "scope 'api:concurrent_access' opens a session a request here; use 'api offline_access'"
            raise ConfigurationError(message)
        _, _, tenant = self.application.client_id.partition("@")
        if self.config.tenant and tenant and tenant.casefold() != self.config.tenant.casefold():
            told = f"client_id signs in to tenant {tenant!r}, but `tenant` is {self.config.tenant!r}"
            raise ConfigurationError(f"{told}; make them the same")

    def bearer(self, leave: Callable[[], Flow[None]]) -> Flow[Bearer]:
        """Return a session that goes on with the grant; of a new one, after `leave`, where that can't be.

        Raises:
            VoidTokenError: the stored refresh token is void, and there is no password to fall back on.
            StoreError: the store failed; the next call hands the same refresh token over again.

        """
        if (renewed := (yield from self._renewed())) is not None:
            return renewed
        match self.application:
            case OAuthPassword() as application:
                # A new grant takes another seat; a refreshed one would have gone on with its own.
                yield from leave()
                return (yield from self._granted(application))
            case OAuthRefresh():
                raise VoidTokenError(
                    "Acumatica does not take the stored refresh token, or there is none; let a person authorise the"
                    " application, with the scope offline_access, and save the refresh token that comes of it"
                )
            case _:
                assert_never(self.application)

    def _renewed(self) -> Flow[Bearer | None]:
        if self._unsaved is not None:
            return (yield from self._saved(self._unsaved))
        # Who shares the grant may have refreshed it meanwhile, so a refused token is looked up once more.
        for _ in range(2):
            refresh = yield from self._known()
            if not refresh or refresh == self._void:
                break
            if (bearer := (yield from self._refreshed(refresh))) is not None:
                return bearer
        return None

    def _granted(self, application: OAuthPassword) -> Flow[Bearer]:
        owner = {
            "grant_type": "password",
            "username": application.name,
            "password": application.password,
            "scope": application.scope,
        }
        return (yield from self._token(owner))

    def _refreshed(self, refresh: str) -> Flow[Bearer | None]:
        """Return the session of a refreshed token; None: it is void, or may be."""
        try:
            return (yield from self._token({"grant_type": "refresh_token", "refresh_token": refresh}))
        except UnansweredError:
            if isinstance(self.application, OAuthRefresh):
                raise
        except AuthenticationError as error:
            if "invalid_grant" not in str(error):
                raise  # the application itself is refused, and would be again
        self._void = refresh
        return None

    def _token(self, grant: Mapping[str, str]) -> Flow[Bearer]:
        client = {"client_id": self.application.client_id, "client_secret": self.application.client_secret}
        request = Request(
            method="POST",
            url=at(self.config.url, "identity", "connect", "token"),
            headers=(("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")),
            body=urlencode({**grant, **client}).encode(),
            deadline=self.config.read_deadline,
        )
        asked = self.now()
        perhaps = "it may have been granted, and a refresh token that it was asked with may be void"
        response = yield from answered(request, self.config, perhaps)
        bearer, refresh = _read(response, self.config, asked)
        if not refresh:
            return bearer
        self._refresh = refresh
        return (yield from self._saved(bearer))

    # -------------------------------------------------------------- the store
    def _known(self) -> Flow[str]:
        store = self.application.store
        return self._refresh if store is None else (yield from _asked("give a refresh token", store.load)) or ""

    def _saved(self, bearer: Bearer) -> Flow[Bearer]:
        self._unsaved = bearer
        if self.application.store is not None:
            yield from _asked("keep the new refresh token", partial(self.application.store.save, self._refresh))
        self._unsaved = None
        return bearer


def _read(response: Response, config: AcumaticaConfig, asked: datetime) -> tuple[Bearer, str]:
    match response.json():
        case {"access_token": str(access), **rest} if access:
            seconds, refresh = rest.get("expires_in"), rest.get("refresh_token")
            return bearer_session(config, access, _ends(asked, seconds)), refresh if isinstance(refresh, str) else ""
        case _:
            raise DecodeError("the token endpoint answered without an access token", "access_token")


def _ends(asked: datetime, seconds: object) -> datetime | None:
    """Return when to renew a token: before it expires, yet not at once where it lives shortly."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        return None
    life = timedelta(seconds=min(seconds, 1e9))
    return asked + max(life - _EARLY, life / 2)


def _asked(what: str, call: Callable[[], Any]) -> Flow[Any]:
    try:
        return (yield from ask(AskHost(call)))
    except Exception as error:  # a host's store may raise anything, and its words may hold the token
        message = f"the TokenStore could not {what} ({type(error).__name__}); nothing was sent with it: mend the store"
        raise StoreError(message) from None
