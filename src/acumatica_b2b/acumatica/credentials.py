"""With what the clients sign in."""

from typing import TypeAlias

from attrs import field, frozen

from acumatica_b2b.acumatica.tokens import AsyncTokenSource, AsyncTokenStore, TokenSource, TokenStore


@frozen
class Password:
    """Signs in with a name and a password; the session is a cookie."""

    name: str = field(repr=False)
    password: str = field(repr=False)


@frozen(kw_only=True)
class OAuthPassword:
    """Signs in as a connected application (SM303010) with the resource owner password flow.

    `client_id` is `<GUID>@<tenant>`: it alone decides on the tenant. With the scope `offline_access`
    a renewed token goes on with the same session, and a `store` lets the next client go on with the
    same grant; where its refresh token is refused, name and password are sent.
    """

    client_id: str
    client_secret: str = field(repr=False)
    name: str = field(repr=False)
    password: str = field(repr=False)
    scope: str = "api offline_access"
    store: TokenStore | AsyncTokenStore | None = field(default=None, repr=False)


@frozen(kw_only=True)
class OAuthRefresh:
    """Signs in as a connected application that a person authorised, with the refresh token of a `store`.

    The host puts the first one there, from the authorization code flow with the scope `offline_access`.
    """

    client_id: str
    client_secret: str = field(repr=False)
    store: TokenStore | AsyncTokenStore = field(repr=False)


@frozen(kw_only=True)
class HostToken:
    """Signs in with the host's own access tokens.

    Their session is the host's too, who signs it out; unless `owns_session` leaves that to the client.
    """

    source: TokenSource | AsyncTokenSource = field(repr=False)
    owns_session: bool = False


Credentials: TypeAlias = Password | OAuthPassword | OAuthRefresh | HostToken
"""Stores and sources are awaited by `AsyncAcumatica`, and called by `Acumatica`."""
