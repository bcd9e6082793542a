"""The contract of a transport, to be run by who made one."""

from asyncio import Runner
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from acumatica_b2b.http import AsyncTransport, Transport
from acumatica_b2b.testing.contract.transport_bench import (
    PlainTransportOf,
    TransportBench,
    sent_in_tasks,
    sent_in_threads,
)
from acumatica_b2b.testing.contract.transport_failing import Ends, Fails
from acumatica_b2b.testing.contract.transport_sending import Carries, KeepsNothing, Returns, Sends


# pytest runs the checks of the last base first: a request arrives, and its answer is returned
class _Checks(Ends, Fails, KeepsNothing, Returns, Sends, Carries):
    """All checks of a transport."""

    own_headers: ClassVar[frozenset[str]] = frozenset()
    """Headers, in lower case, that your transport adds on purpose, such as `user-agent`."""


class TransportContract(_Checks):
    """Every promise that the clients rely on, one test each, for a transport of yours.

    Subclass it in your tests, with a fixture `transport`. The checks serve on 127.0.0.1 and reach nobody
    else; a proxy must not be in between.

    Example::

        class TestMyTransport(TransportContract):
            @pytest.fixture
            def transport(self) -> MyTransport:
                return MyTransport()

    """

    @pytest.fixture
    def wire(self, transport: Transport) -> TransportBench:
        """Return the bench on which your transport is tried."""
        return TransportBench(transport, sent_in_threads(transport), self.own_headers)


class AsyncTransportContract(_Checks):
    """The same for an async transport: `transport` returns one, and `end` may close it.

    All calls and `end` run in one event loop, a fresh one for each check.
    """

    @pytest.fixture
    def wire(self, transport: AsyncTransport) -> Iterator[TransportBench]:
        """Yield the bench on which your transport is tried."""
        with Runner() as runner:
            plain = PlainTransportOf(transport, runner)
            yield TransportBench(plain, sent_in_tasks(transport, runner), self.own_headers)
            runner.run(self.end(transport))

    async def end(self, transport: Any) -> None:
        """Do what you like with the transport when its check is over."""
