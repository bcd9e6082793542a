"""Signing in and out, for one client: which session is open, who is refused, and until when."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar, assert_never, cast

from attrs import define, evolve, field, frozen

from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.credentials import Credentials, HostToken, OAuthPassword, OAuthRefresh, Password
from acumatica_b2b.acumatica.grants import Grants, VoidTokenError
from acumatica_b2b.acumatica.schema import located
from acumatica_b2b.acumatica.sessions import (
    IDLE,
    Bearer,
    Cookies,
    UnansweredError,
    bearer_session,
    log_in,
    sign_out,
)
from acumatica_b2b.acumatica.versions import resolved
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, DecodeError, RemoteError
from acumatica_b2b.flow import Batch, Effect, Flow, Ok, ask, ask_all, through
from acumatica_b2b.http import AskHost, Renew, Request, Response, Send, Session

T = TypeVar("T")

_SOON: Final = timedelta(seconds=30)
"""How long a failed sign-in speaks for all who ask: those who waited for it would each wait as long."""


@frozen
class _Failure:
    """Why it failed, and until when it is not tried again; None: never."""

    error: Exception
    until: datetime | None

    def lasts(self, now: datetime) -> bool:
        """Return whether it is the answer to whoever asks now."""
        return self.until is None or now < self.until

    def again(self) -> Exception:
        """Return the error, to be raised once more."""
        return type(self.error)(*self.error.args)


@define(eq=False)
class SignIn:
    """Gives sessions for one set of credentials, one after the other; once refused, these are not sent again."""

    config: AcumaticaConfig
    credentials: Credentials = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    _fresh: Callable[[], Flow[Session]] = field(init=False, repr=False)
    _open: Session | None = field(default=None, init=False, repr=False)
    """The session that is ours to sign out."""
    _last: Session | None = field(default=None, init=False, repr=False)
    """The session that was given last, whosever it is."""
    _given: str | None = field(default=None, init=False, repr=False)
    """The token that the host gave last."""
    _failure: _Failure | None = field(default=None, init=False, repr=False)
    _wanted: bool = field(default=False, init=False)
    """Whether somebody needs the configuration prepared, not just a session."""
    _prepared: bool = field(default=False, init=False)
    _unprepared: _Failure | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        match self.credentials:
            case Password() as password:
                self._fresh = partial(self._by_cookie, password)
            case OAuthPassword() | OAuthRefresh() as application:
                self._fresh = partial(self._by_grant, Grants(self.config, application, self.now))
            case HostToken() as host:
                self._fresh = partial(self._by_host, host)
            case _:
                assert_never(self.credentials)

    def __call__(self) -> Flow[Session]:
        """Return a fresh session; the one before it is signed out, unless it goes on.

        Raises:
            AuthenticationError: the credentials are wrong; each further call raises it without asking,
                since Acumatica locks an account after some tries.
            RateLimitedError: no seat became free within the patience of the retries.
            NotSentError: the sign-in did not come through.

        """
        if self._failure is not None and self._failure.lasts(self.now()):
            raise self._failure.again()
        self._failure = None
        if self._wants_preparing and self._last is not None:
            session = self._renamed(self._last)
            yield from self._prepare(session)
            if self._unprepared is None or not isinstance(self._unprepared.error, AuthenticationError):
                return session
            self._unprepared = None  # the session has ended: a fresh one is prepared
        try:
            self._last = session = yield from self._fresh()
        except (RemoteError, ConfigurationError, DecodeError) as error:
            self._failure = self._lasting(error)
            raise
        if self._wants_preparing:
            yield from self._prepare(session)
        return session

    @property
    def _wants_preparing(self) -> bool:
        return self._wanted and not self._prepared

    def _renamed(self, session: Session) -> Session:
        """Return an open session as another object, by which those who wait see that it was seen to."""
        match self._open:
            case None:
                return evolve(session)
            case Cookies() as latest:
                self._open = evolve(latest, first=None)
            case latest:
                self._open = evolve(latest)
        return self._open

    def _lasting(self, error: Exception) -> _Failure | None:
        match error:
            case _ if isinstance(self.credentials, HostToken):
                return None  # to give another token is up to the host
            case VoidTokenError():
                return None  # the void one is known, and another may be saved at any time
            case AuthenticationError():
                return _Failure(error, None)
            case UnansweredError() if not isinstance(self.credentials, OAuthRefresh):
                # The password may be wrong, and the seat that it may have taken is free by then.
                return _Failure(error, self.now() + IDLE)
            case _:
                return _Failure(error, self.now() + _SOON)

    def _by_cookie(self, password: Password) -> Flow[Session]:
        yield from self.leave()
        self._open = yield from log_in(self.config, password)
        return self._open

    def _by_grant(self, grants: Grants) -> Flow[Session]:
        self._open = yield from grants.bearer(self.leave)
        return self._open

    def _by_host(self, host: HostToken) -> Flow[Session]:
        refused = self._given
        yield from self.leave()
        token: object = yield from ask(AskHost(partial(host.source.token, refused)))
        if not isinstance(token, str) or not token:
            way_out = "Acumatica calls its source, AsyncAcumatica awaits it"
            raise ConfigurationError(f"the TokenSource gave {type(token).__name__} instead of a token; {way_out}")
        if token == refused:
            way_out = "let the TokenSource renew the token that it is told of"
            raise AuthenticationError(f"Acumatica refused the host's token, and was given the same again; {way_out}")
        bearer = bearer_session(self.config, token)
        self._given, self._open = token, bearer if host.owns_session else None
        return bearer

    # -------------------------------------------------------------- within a session
    def within(self, flow: Callable[[AcumaticaConfig], Flow[T]]) -> Flow[T]:
        """Return what a flow of requests comes to, given the configuration with all that the tenant tells of it.

        Its tokens are renewed before they expire, and its cookies as answers renew them.
        """
        if not self._prepared:
            yield from self._ready()
        return (yield from through(flow(self.config), self._answer))

    def _ready(self) -> Flow[None]:
        # Signing in is what many wait for and one does, so what is asked once a client is asked there.
        if self._unprepared is not None:
            if self._unprepared.lasts(self.now()):
                raise self._unprepared.again()
            self._unprepared = None
        self._wanted = True
        session = yield from ask(Renew(None))
        if self._wants_another_try:
            yield from ask(Renew(session))  # it was opened for a check, or preparing it failed a while ago
        if self._unprepared is not None:
            raise self._unprepared.again()

    @property
    def _wants_another_try(self) -> bool:
        """Whether nothing is prepared, and that may be the session's fault: it has ended, or never tried to."""
        if self._unprepared is None:
            return not self._prepared
        return isinstance(self._unprepared.error, AuthenticationError)

    def _prepare(self, session: Session) -> Flow[None]:
        """Learn the version of the endpoint, and where the tenant has its fields."""
        try:
            config = yield from through(resolved(self.config), partial(_answer_in, session))
            self.config = yield from through(located(config), partial(_answer_in, session))
        except (RemoteError, ConfigurationError, DecodeError) as error:
            # Told by who wanted it: the session is good, and to be signed out at the end.
            self._unprepared = _Failure(error, self.now() + _SOON)
        else:
            self._prepared, self._unprepared = True, None

    def _answer(self, batch: Batch) -> Flow[Sequence[Any]]:
        answers = yield from ask_all(_as_given(effect) for effect in batch)
        seen: list[Any] = []
        for effect, answer in zip(batch, answers, strict=True):
            seen.append((yield from self._seen(effect, answer)))
        return seen

    def _seen(self, effect: Effect[Any], answer: Any) -> Flow[Any]:
        match effect, answer:
            case Renew(), Bearer(ends=datetime() as ends) if ends <= self.now():
                return (yield from ask(Renew(answer)))
            case Renew(), Cookies():
                latest = self._open
                return latest if isinstance(latest, Cookies) and latest.first is answer else answer
            case Send(request), Ok(Response() as response):
                self._hear(request, response)
                return cast("object", answer)
            case _:
                return answer

    def _hear(self, request: Request, response: Response) -> None:
        latest = self._open
        if isinstance(latest, Cookies):
            renewed = latest.told(request, response)
            if renewed is not latest and self._open is latest:  # by now another thread may have signed in anew
                self._open = renewed

    def leave(self) -> Flow[None]:
        """Sign out of the session that is open, if it is ours; one that can't be ends by itself."""
        self._given = self._last = None
        if self._open is None:
            return
        with suppress(Exception):  # nothing may hide the error that led here
            yield from sign_out(self.config, self._open)
        self._open = None


def _answer_in(session: Session, batch: Batch) -> Flow[Sequence[Any]]:
    """Return the answers to a batch, within a session that has just been opened."""
    answers = iter((yield from ask_all(effect for effect in batch if not isinstance(effect, Renew))))
    return [session if isinstance(effect, Renew) else next(answers) for effect in batch]


def _as_given(effect: Effect[Any]) -> Effect[Any]:
    """Return a question for another session under the name by which the caller knows the refused one."""
    match effect:
        case Renew(Cookies(first=Session() as first)):
            return Renew(first)
        case _:
            return effect
