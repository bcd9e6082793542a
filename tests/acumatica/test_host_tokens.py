import asyncio
from collections.abc import Iterator

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import AsyncTokenSource, HostToken, TokenSource
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, OutcomeUnknownError
from acumatica_b2b.http import Response
from tests.acumatica.conftest import Driver, Script, answer
from tests.acumatica.test_tokens import answers, marks, told


@define
class Source:
    """A source of tokens: it tells what it was asked."""

    given: Iterator[str] = field(factory=lambda: iter(["h1", "h2"]))
    calls: list[str] = field(factory=list[str])

    def token(self, refused: str | None, /) -> str:
        """Return the next token."""
        self.calls.append(f"refused {refused}")
        return next(self.given)


@define
class AsyncSource:
    """The same, awaited."""

    source: Source

    async def token(self, refused: str | None, /) -> str:
        """Return the next token."""
        await asyncio.sleep(0)
        return self.source.token(refused)


def hosted(driver: Driver, source: Source, *, owns_session: bool = False) -> HostToken:
    """Return credentials whose tokens are the host's."""
    given: TokenSource | AsyncTokenSource = AsyncSource(source) if driver.asynchronous else source
    return HostToken(source=given, owns_session=owns_session)


def test_a_host_token(driver: Driver) -> None:
    """A host's own token is asked for once and sent; its session is not signed out."""
    source = Source()
    script = Script(lambda _: answer([]))
    driver.call(script, "customers", ["C1", "C2"], credentials=hosted(driver, source), group=1)
    assert set(told(script)) == {"h1"}
    assert source.calls == ["refused None"]


def test_an_owned_host_token(driver: Driver) -> None:
    """A session of a host's token that the client owns is signed out, before each new one and at the end."""
    script = Script(answers(401, 200))
    marks(driver, script, credentials=hosted(driver, Source(), owns_session=True))
    assert told(script) == ["h1", "out h1", "h2", "out h2"]


def test_a_refused_host_token(driver: Driver) -> None:
    """A token that is refused is shown to the host, who gives another."""
    source = Source()
    script = Script(answers(401, 200))
    marks(driver, script, credentials=hosted(driver, source))
    assert told(script) == ["h1", "h2"]
    assert source.calls == ["refused None", "refused h1"]


def test_a_host_that_gives_the_same_again(driver: Driver) -> None:
    """A host that gives the refused token again is told so, and nothing is sent with it."""
    script = Script(lambda _: Response(status=401))
    with pytest.raises(AuthenticationError, match="renew the token"):
        marks(driver, script, credentials=hosted(driver, Source(given=iter(["h1", "h1"]))))
    assert told(script) == ["h1"]


def test_a_host_that_gives_nothing(driver: Driver) -> None:
    """A source that gives something other than a token is a ConfigurationError."""
    with pytest.raises(ConfigurationError, match="instead of a token"):
        marks(driver, Script(lambda _: answer([])), credentials=hosted(driver, Source(given=iter([""]))))


def test_a_host_that_fails(driver: Driver) -> None:
    """What a host's source raises is raised as it is, and it is asked again by the next request."""

    def given() -> Iterator[str]:
        message = "down"
        raise OutcomeUnknownError(message)
        yield ""

    with pytest.raises(OutcomeUnknownError, match="down"):
        marks(driver, Script(lambda _: answer([])), credentials=hosted(driver, Source(given=given())))


def test_a_source_is_not_told() -> None:
    """A host's source is in no text of its credentials."""
    assert "Source" not in str(hosted(Driver(asynchronous=False), Source()))
