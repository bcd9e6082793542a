"""The bench on which a transport is tried: it sends over the loopback, and says what is wrong."""

from asyncio import Runner, gather
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from attrs import evolve, field, frozen

from acumatica_b2b.errors import NotSentError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.http import AsyncTransport, Headers, Request, Response, Transport
from acumatica_b2b.testing.contract.broken import Why, broken

SendAll = Callable[[Sequence[Request]], list[Outcome[Response]]]
"""What comes of many requests at once."""

AGAIN: Final = "what did happen would be sent again: a company or a user would be made twice"
"""What a NotSentError leads to that is none."""
LOOK_ERRORS: Final = "send: which errors of your library come before a byte is sent? only those are NotSentError"
_ANSWERS: Final = Why(
    "the clients read the status themselves: what is raised counts as an answer that was lost, and ends in findings",
    "send: does your library raise for a status, or for a header that it does not know?",
)


@frozen
class TransportBench:
    """One transport under trial."""

    transport: Transport
    send_all: SendAll
    own_headers: frozenset[str] = field(default=frozenset[str]())
    """What it may add to a request, in lower case, beside what HTTP needs."""

    def send(self, request: Request) -> Outcome[Response]:
        """Return what comes of one request."""
        return _outcome(lambda: self.transport.send(request))

    def answered(self, did: str, request: Request) -> Response:
        """Return the answer to a request that is answered."""
        outcome = self.send(request)
        if isinstance(outcome, Failed):
            but = raised(outcome.error)
            raise broken(did=did, should="return the answer", but=but, why=_ANSWERS) from outcome.error
        return outcome.value

    def lost(self, did: str, request: Request, why: Why) -> None:
        """Send a request whose answer does not come whole: it has to raise, and not that it was not sent."""
        outcome, should = self.send(request), "raise OutcomeUnknownError, or anything else but NotSentError"
        match outcome:
            case Ok(response):
                but = f"it returned status {response.status} and {len(response.body)} bytes"
                raise broken(did=did, should=should, but=but, why=why)
            case Failed(NotSentError() as error):
                raise broken(did=did, should=should, but=raised(error), why=Why(AGAIN, LOOK_ERRORS)) from error
            case Failed():
                return

    def not_sent(self, did: str, request: Request) -> None:
        """Send a request that reaches nobody: it has to raise that."""
        outcome, should = self.send(request), "raise NotSentError"
        harm = "nothing would be tried again, although that is safe, and the record would count as changed perhaps"
        why = Why(harm, LOOK_ERRORS)
        match outcome:
            case Ok(response):
                raise broken(did=did, should=should, but=f"it returned status {response.status}", why=why)
            case Failed(NotSentError()):
                return
            case Failed(error):
                raise broken(did=did, should=should, but=raised(error), why=why) from error


def raised(error: Exception) -> str:
    """Return an error as a sentence tells of it."""
    return f"it raised {type(error).__name__}: {error}"


def get(url: str, *headers: tuple[str, str], deadline: float = 30.0) -> Request:
    """Return a request that reads."""
    return Request(method="GET", url=url, headers=headers, deadline=deadline)


def post(url: str, body: bytes = b"{}", *headers: tuple[str, str], deadline: float = 30.0) -> Request:
    """Return a request that writes."""
    kind: Headers = (("Content-Type", "application/json"),)
    return evolve(get(url, deadline=deadline), method="POST", body=body, headers=(*kind, *headers))


# ------------------------------------------------------------------ sync and async
@frozen
class PlainTransportOf:
    """An async transport as a `Transport`; each call runs to its end in the runner's loop."""

    transport: AsyncTransport
    runner: Runner

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return self.runner.run(_awaited(self.transport.send(request)))


async def _awaited(coming: Coroutine[Any, Any, Response]) -> Response:
    return await coming


def _outcome(call: Callable[[], Response]) -> Outcome[Response]:
    try:
        return Ok(call())
    except Exception as error:  # a transport may raise anything
        return Failed(error)


def sent_in_threads(transport: Transport) -> SendAll:
    """Return what sends many requests at once, each in a thread of its own."""

    def one(request: Request) -> Outcome[Response]:
        return _outcome(lambda: transport.send(request))

    def send_all(requests: Sequence[Request]) -> list[Outcome[Response]]:
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(one, requests))

    return send_all


def sent_in_tasks(transport: AsyncTransport, runner: Runner) -> SendAll:
    """Return what sends many requests at once, each in a task of its own."""

    async def one(request: Request) -> Outcome[Response]:
        try:
            return Ok(await transport.send(request))
        except Exception as error:  # as above
            return Failed(error)

    async def send_all(requests: Sequence[Request]) -> list[Outcome[Response]]:
        return list(await gather(*map(one, requests)))

    return lambda requests: runner.run(send_all(requests))
