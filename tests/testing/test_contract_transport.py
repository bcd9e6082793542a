"""Our transports, and the example of a host's own, keep the published contract."""

import ssl
from collections.abc import Iterator

import httpx
import pytest

from acumatica_b2b.testing.contract import AsyncTransportContract, TransportContract
from acumatica_b2b.testing.contract.transport_bench import TransportBench
from acumatica_b2b.testing.contract.transport_failing import BROKEN, SLOW
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport
from docs.examples.own_transport import StandardTransport

TLS = ssl.create_default_context()
"""Made once: it takes httpx longer to make one than to send a request."""


class TestHttpxTransport(TransportContract):
    """The transport over httpx, whose client has habits of its own."""

    @pytest.fixture
    def transport(self) -> Iterator[HttpxTransport]:
        """Yield a transport over a client that would follow, sign in and keep cookies."""
        with httpx.Client(
            verify=TLS, trust_env=False, follow_redirects=True, auth=("host", "own"), cookies={"a": "b"}
        ) as client:
            yield HttpxTransport(client)


class TestAsyncHttpxTransport(AsyncTransportContract):
    """The same, awaited."""

    @pytest.fixture
    def transport(self) -> AsyncHttpxTransport:
        """Return a transport over a client that would follow, sign in and keep cookies."""
        client = httpx.AsyncClient(
            verify=TLS, trust_env=False, follow_redirects=True, auth=("host", "own"), cookies={"a": "b"}
        )
        return AsyncHttpxTransport(client)

    async def end(self, transport: AsyncHttpxTransport) -> None:
        """Close the client."""
        await transport.client.aclose()


class TestStandardTransport(TransportContract):
    """The example of the guide, over the standard library; two limits of it are named there."""

    @pytest.fixture
    def transport(self) -> StandardTransport:
        """Return the transport."""
        return StandardTransport()

    @pytest.mark.parametrize("how", [how for how in SLOW if "drop" not in how])
    def test_a_request_ends_at_its_deadline(self, wire: TransportBench, how: str) -> None:
        """A request ends at its deadline, unless the body drips: http.client gathers 8 KiB of chunks first."""
        super().test_a_request_ends_at_its_deadline(wire, how)

    @pytest.mark.parametrize("when", [when for when in BROKEN if "headers" not in when])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_an_answer_that_breaks_off_is_unknown(self, wire: TransportBench, method: str, when: str) -> None:
        """An answer that breaks off is unknown, unless in its headers: http.client takes their end for the answer's."""
        super().test_an_answer_that_breaks_off_is_unknown(wire, method, when)
