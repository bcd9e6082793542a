"""What a transport makes of a bad network: it ends in time, and says whether the request was sent."""

import socket
from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.http import Request
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.transport_bench import TransportBench, get, post
from acumatica_b2b.testing.contract.wire import Behaviour, Wire, answer, answering, chunk, head, serving

_DEADLINE: Final = 0.4
_HALF: Final = Why(
    "half an answer would be taken for a whole one: users that are not in it would be taken for deleted",
    "send: a body that is shorter than it says, or whose last chunk is missing, is an error",
)
_LATE: Final = Why(
    "the lease of a step would end while its request is still out, and two runs would write at once",
    "send: a deadline for the whole request, not a timeout for each read, which every drop begins anew",
)
_LARGE: Final = Why("an endless answer would eat the memory of the process", "send: count the bytes while they come")
_SWALLOWED: Final = Why(
    "an answer that nobody gave would decide what is done next",
    "send: raise what goes wrong; the clients tell errors of the network from answers",
)


# ------------------------------------------------------------------ how a server can be bad
def _cut(line: Wire) -> None:
    line.request()


def _half_a_head(line: Wire) -> None:
    line.request()
    line.send(b"HTTP/1.1 200 OK\r\nContent-Le")


def _half_a_body(line: Wire) -> None:
    line.request()
    line.send(answer(b'{"data":[', length=100))


def _half_the_chunks(line: Wire) -> None:
    line.request()
    line.send(head(200, ("Transfer-Encoding", "chunked")) + chunk(b'{"data":['))


def _no_http(line: Wire) -> None:
    line.request()
    line.send(b"220 mail.example ESMTP\r\n")


def _stalls(line: Wire) -> None:
    line.request()
    if line.stall():
        line.send(answer())


def _stalls_midway(line: Wire) -> None:
    line.request()
    line.send(answer(b'{"data":[', length=11))
    if line.stall():
        line.send(b"]}")


def _drips(line: Wire) -> None:
    line.request()
    line.send(head(200, ("Transfer-Encoding", "chunked")))
    if line.drip(chunk(b" ")):
        line.send(chunk(b"{}") + chunk(b""))


def _drips_headers(line: Wire) -> None:
    line.request()
    line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: ")
    if line.drip(b"x"):
        line.send(b"\r\n\r\n{}")


def _does_not_listen(line: Wire) -> None:
    if line.stall() and line.request():
        line.send(answer())


def _endless(line: Wire) -> None:
    line.request()
    line.send(head(200, ("Transfer-Encoding", "chunked")))
    piece = chunk(b"x" * 65_536)
    if all(line.send(piece) for _ in range(1_000)):
        line.send(chunk(b""))


BROKEN: Final[dict[str, Behaviour]] = {
    "before it answered": _cut,
    "in the middle of the headers": _half_a_head,
    "in the middle of the body": _half_a_body,
    "before the last chunk": _half_the_chunks,
    "after words that are no HTTP": _no_http,
}
"""Servers that hang up, by when they do."""
SLOW: Final[dict[str, Behaviour]] = {
    "does not answer": _stalls,
    "stops in the middle of the body": _stalls_midway,
    "sends its headers drop by drop": _drips_headers,
    "sends its body drop by drop": _drips,
    "does not read the request": _does_not_listen,
}
"""Servers that take their time, by what they do."""


class Fails:
    """What could not be sent is told from what may have been."""

    def test_who_is_not_there_was_sent_nothing(self, wire: TransportBench) -> None:
        """A connection that is refused raises NotSentError: nothing has happened, and it is safe to try again."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            wire.not_sent("a request was sent to a port where nobody listens", post(url))

    def test_who_speaks_no_tls_was_sent_nothing(self, wire: TransportBench) -> None:
        """A server that fails at TLS has read no request: NotSentError."""

        def behave(line: Wire) -> None:
            line.connection.recv(4_096)
            line.send(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n")

        with serving(behave) as server:
            did = "an https request was sent to a server that speaks no TLS"
            wire.not_sent(did, post(server.url(scheme="https")))

    @pytest.mark.parametrize("when", BROKEN)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_an_answer_that_breaks_off_is_unknown(self, wire: TransportBench, method: str, when: str) -> None:
        """A server that hangs up before its answer is complete leaves it unknown what it did; nobody asks again."""
        did = f"a {method} was sent, and the server hung up {when}"
        with serving(BROKEN[when]) as server:
            body = b"{}" if method == "POST" else b""
            why = _HALF if when.startswith(("in", "before the")) else _SWALLOWED
            wire.lost(did, evolve(post(server.url(), body, deadline=5.0), method=method), why)
        _once(did, len(server.seen))

    def test_nothing_is_sent_again_over_a_connection_that_was_kept(self, wire: TransportBench) -> None:
        """A server that hangs up on the second request of a connection gets it once: nobody knows what it did."""

        def behave(line: Wire) -> None:
            line.request()
            if line.send(answer()):
                line.request()

        did = "two POSTs were sent, and the server hung up before it answered the second"
        with serving(behave) as server:
            wire.answered("a request was sent", post(server.url("/first")))
            outcome = wire.send(post(server.url("/second"), deadline=5.0))
        del outcome  # over a connection of its own it was answered
        _once(did, sum(seen.target == "/second" for seen in server.seen))


class Ends:
    """A request ends at its deadline and at its size, whatever the server does."""

    @pytest.mark.parametrize("how", SLOW)
    def test_a_request_ends_at_its_deadline(self, wire: TransportBench, how: str) -> None:
        """A request ends when its whole deadline has passed, although something still comes; its outcome is unknown."""
        body = b"x" * 30_000_000 if how == "does not read the request" else b"{}"
        with serving(SLOW[how]) as server:
            did = f"a request with a deadline of {_DEADLINE} seconds was sent to a server that {how}"
            wire.lost(did, post(server.url(), body, deadline=_DEADLINE), _LATE)

    def test_an_answer_in_time_is_not_cut_off(self, wire: TransportBench) -> None:
        """An answer that takes a while, but less than the deadline, comes whole."""

        def behave(line: Wire) -> None:
            line.request()
            line.send(head(200, ("Transfer-Encoding", "chunked")))
            line.drip(chunk(b"."), 0.2)
            line.send(chunk(b""))

        with serving(behave) as server:
            response = wire.answered("an answer took 0.2 of 30 seconds", get(server.url()))
        if response.body != b"." * 10:
            why = Why("what takes a while would never come to an end", "send: its deadline is request.deadline")
            did = "an answer of 10 bytes came within 0.2 of 30 seconds"
            raise broken(did=did, should="return all of it", but=f"it returned {response.body!r}", why=why)

    def test_an_answer_of_the_largest_size_is_returned(self, wire: TransportBench) -> None:
        """An answer of exactly `max_bytes` is returned."""
        did = "an answer of 100,000 bytes came, which is max_bytes"
        with serving(answering(answer(b"x" * 100_000))) as server:
            response = wire.answered(did, _sized(server.url()))
        if len(response.body) != 100_000:
            but = f"it returned {len(response.body)}"
            raise broken(did=did, should="return all of it", but=but, why=_LARGE)

    def test_a_larger_answer_is_not_cut_in_silence(self, wire: TransportBench) -> None:
        """An answer of one byte more raises: it is not cut off at `max_bytes` and returned."""
        with serving(answering(answer(b"x" * 100_001))) as server:
            did = "an answer of 100,001 bytes came, one more than max_bytes"
            wire.lost(did, _sized(server.url()), _LARGE)

    def test_a_request_ends_at_its_size(self, wire: TransportBench) -> None:
        """An answer that goes on and on ends at `max_bytes`."""
        with serving(_endless) as server:
            did = "an answer of 65 MB came in chunks, where max_bytes is 100,000"
            wire.lost(did, _sized(server.url()), _LARGE)


def _sized(url: str) -> Request:
    return evolve(get(url), max_bytes=100_000)


def _once(did: str, times: int) -> None:
    if times != 1:
        why = Why(
            "what did happen would be done again: a company or a user would be made twice",
            "send: the library's own retries; urllib3 and others try again when a connection that was kept is cut",
        )
        raise broken(did=did, should="be sent once", but=f"it was sent {times} times", why=why)
