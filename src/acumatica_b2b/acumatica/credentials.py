"""With what the clients sign in."""

from typing import TypeAlias

from attrs import field, frozen


@frozen
class Password:
    """Signs in with a name and a password; the session is a cookie."""

    name: str = field(repr=False)
    password: str = field(repr=False)


@frozen(kw_only=True)
class OAuthPassword:
    """Signs in as a connected application (SM303010) with the resource owner password flow.

    `client_id` is `<GUID>@<tenant>`: it alone decides on the tenant. With the scope
    `offline_access` a renewed token goes on with the same session.
    """

    client_id: str
    client_secret: str = field(repr=False)
    name: str = field(repr=False)
    password: str = field(repr=False)
    scope: str = "api offline_access"


Credentials: TypeAlias = Password | OAuthPassword
