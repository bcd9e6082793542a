import asyncio
from collections.abc import Iterator

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, AsyncTokenSource, HostToken, TokenSource
from acumatica_b2b.check import Needs
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, OutcomeUnknownError
from acumatica_b2b.http import Request, Response
from acumatica_b2b.protocols import PrimaryMarks
from tests.acumatica.conftest import AsyncScript, Driver, Script, answer, configured
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


@pytest.mark.parametrize("owns_session", [False, True])
def test_a_token_that_a_check_was_given(*, owns_session: bool) -> None:
    """The host's token with which a set-up was checked goes on to serve the readings."""
    source = Source()
    script = Script(lambda _: answer([]))
    credentials = HostToken(source=source, owns_session=owns_session)
    with Acumatica(configured(), credentials, script, clock=script) as erp:
        assert erp.check(Needs())
        for _ in range(2):
            erp.read(PrimaryMarks(), None)
    assert source.calls == ["refused None"]
    assert told(script)[-2:] == (["h1", "out h1"] if owns_session else ["h1", "h1"])


def test_tasks_behind_a_check() -> None:
    """Tasks that all begin to read behind a check share its token, and prepare to read once."""
    source, endpoints = Source(), [{"name": "Default", "version": "24.200.001"}]
    script = Script(lambda request: answer(endpoints if request.url.endswith("/entity") else []))
    both = AsyncScript(script)

    async def reading() -> int:
        credentials = HostToken(source=AsyncSource(source))
        async with AsyncAcumatica(configured(version=""), credentials, both, clock=both) as erp:
            await erp.check(Needs())
            asked = len(script.requests)
            await asyncio.gather(*(erp.read(PrimaryMarks(), None) for _ in range(5)))
            return len(script.requests) - asked

    assert asyncio.run(reading()) == 1 + 5
    assert source.calls == ["refused None"]


def test_a_token_that_ended_behind_a_check() -> None:
    """A token that a check was given and that is refused when the client prepares to read is renewed."""
    source = Source()

    def answers_by_token(request: Request) -> Response:
        if ended and ("Authorization", "Bearer h1") in request.headers:
            return Response(status=401)
        return answer([{"name": "Default", "version": "24.200.001"}] if request.url.endswith("/entity") else [])

    ended: list[bool] = []
    script = Script(answers_by_token)
    with Acumatica(configured(version=""), HostToken(source=source), script, clock=script) as erp:
        erp.check(Needs())
        ended.append(True)
        assert erp.read(PrimaryMarks(), None).items == ()
    assert source.calls == ["refused None", "refused h1"]


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


def test_a_source_of_the_wrong_kind() -> None:
    """A sync source in an async client, and the other way round, is a mistake that is named."""
    script = Script(lambda _: answer([]))
    erp = Acumatica(configured(), HostToken(source=AsyncSource(Source())), script)
    with pytest.raises(ConfigurationError, match=r"AsyncSource.token\(\) is async"):
        erp.read(PrimaryMarks(), None)

    async def read() -> None:
        await AsyncAcumatica(configured(), HostToken(source=Source()), AsyncScript(script)).read(PrimaryMarks(), None)

    with pytest.raises(ConfigurationError, match=r"Source.token\(\) is not async"):
        asyncio.run(read())
