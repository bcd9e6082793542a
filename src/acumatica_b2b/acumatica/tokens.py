"""What a host keeps or gives for signing in: its tokens."""

from typing import Protocol


class TokenSource(Protocol):
    """Gives access tokens that the host obtains by its own means."""

    def token(self, refused: str | None, /) -> str:
        """Return an access token; `refused` is the one that Acumatica no longer takes, None at first.

        Asked by one thread at a time. What it raises ends the run.
        """
        ...


class AsyncTokenSource(Protocol):
    """The same, awaited."""

    async def token(self, refused: str | None, /) -> str:
        """Return an access token; `refused` is the one that Acumatica no longer takes, None at first."""
        ...


class TokenStore(Protocol):
    """Keeps the refresh token of one grant, which changes with each use: the one before it is void.

    Of those who share a grant only one may sign in at a time.
    """

    def load(self, /) -> str | None:
        """Return the refresh token that was saved last, or None."""
        ...

    def save(self, refresh_token: str, /) -> None:
        """Keep a refresh token: durable when this returns. What came with it is used only afterwards."""
        ...


class AsyncTokenStore(Protocol):
    """The same, awaited."""

    async def load(self, /) -> str | None:
        """Return the refresh token that was saved last, or None."""
        ...

    async def save(self, refresh_token: str, /) -> None:
        """Keep a refresh token."""
        ...
