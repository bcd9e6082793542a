"""What a transport sends and returns: the request as it is, the answer as it is, and nothing of its own."""

import gzip
import json
from itertools import chain
from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.flow import Failed
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.transport_bench import TransportBench, get, post, raised
from acumatica_b2b.testing.contract.wire import Seen, Wire, answer, answering, chunk, head, serving

_OTHER: Final = "the system would be asked something else than the client meant"
_READ: Final = "the client would read something else than the system said"
_SESSION: Final = "sessions of one account would meet: a client signs in and out by itself, with cookies of its own"
_FOLLOWED: Final = "a request, its credential with it, would go where nobody meant it to go"
NEEDED: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""What a transport may add to a request by itself, in lower case."""
BYTES: Final = bytes(range(256))
ODD: Final = (b"", BYTES, b"\xef\xbb\xbf{}", "é".encode("latin-1"), b"\x1f\x8b\x08 no gzip")
"""Bodies that invite a guess."""
TARGETS: Final = (
    "/entity/Default/24.200.001/Customer?$filter=Status%20eq%20%27Active%27&$select=CustomerID,Status",
    "/a%2Fb/%C3%A4/%25/c%20d?x=%2B&y=%26%3D&empty=",
    "/users?email=pat%2Bshop%40acme.example&sort=-id,name",
    "/x/~user/-._/1;2",
)
"""Paths and queries as the clients write them."""


def _echo(seen: Seen) -> bytes:
    return answer(json.dumps({"target": seen.target, "body": seen.body.decode()}).encode())


class Carries:
    """A request arrives, and its answer is returned."""

    def test_a_request_arrives_and_its_answer_is_returned(self, wire: TransportBench) -> None:
        """A request reaches the server as it is, and the server's answer is returned: status, headers and body."""
        with serving(answering(answer(b'{"id":7}', ("X-Told", "yes"), status=201))) as server:
            did = "a POST with a body was sent"
            response = wire.answered(did, post(server.url("/users"), b'{"name":"Pat"}'))
        got = [(seen.method, seen.target, seen.body) for seen in server.seen]
        if got != [("POST", "/users", b'{"name":"Pat"}')]:
            why = Why(_OTHER, "send: method, URL and body")
            raise broken(did=did, should="reach the server once, as it is", but=f"it got {got}", why=why)
        told = response.status, response.header("x-told"), response.body
        if told != (201, "yes", b'{"id":7}'):
            why = Why(_READ, "send: the Response that it makes")
            should = "return status 201, the header X-Told and the body"
            raise broken(did=did, should=should, but=f"it returned {told}", why=why)


class Sends:
    """A request goes out as it is."""

    @pytest.mark.parametrize("target", TARGETS)
    def test_a_url_arrives_to_the_letter(self, wire: TransportBench, target: str) -> None:
        """Path and query arrive encoded as they were: nothing is decoded, encoded twice or put in order."""
        with serving(answering(answer())) as server:
            wire.answered("a request was sent", get(server.url(target)))
        if (arrived := server.seen[0].target) != target:
            why = Why(_OTHER, "send: a library that takes a URL apart and builds a new one")
            raise broken(did=f"{target} was asked for", should="arrive so", but=f"it was {arrived}", why=why)

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_every_method_arrives(self, wire: TransportBench, method: str) -> None:
        """Each method is sent as it is, with its body where it has one."""
        body = b"" if method in {"GET", "DELETE"} else b"{}"
        with serving(answering(answer())) as server:
            wire.answered(f"a {method} was sent", evolve(post(server.url(), body), method=method))
        arrived = server.seen[0].method, server.seen[0].body
        if arrived != (method, body):
            why = Why(_OTHER, "send: the method")
            raise broken(did=f"a {method} was sent", should="arrive so", but=f"it was {arrived}", why=why)

    @pytest.mark.parametrize("body", [BYTES, b"x" * 1_000_000, b"\x1f\x8b{}", "ä\r\n\0".encode()], ids=len)
    def test_a_body_arrives_to_the_letter(self, wire: TransportBench, body: bytes) -> None:
        """A body arrives byte by byte, whatever the bytes, and says how long it is."""
        did = f"a POST with a body of {len(body)} bytes was sent"
        with serving(answering(answer())) as server:
            wire.answered(did, post(server.url(), body))
        if server.seen[0].body != body:
            why = Why(_OTHER, "send: the body is bytes, and is not encoded, compressed or stripped")
            but = f"{len(server.seen[0].body)} bytes arrived, and not the same"
            raise broken(did=did, should="bring all of them", but=but, why=why)

    def test_headers_arrive(self, wire: TransportBench) -> None:
        """The headers of a request arrive, once each, with the values that they have."""
        headers = (
            ("Authorization", "Bearer a.b-c~d+e/f=="),
            ("Cookie", "seat=1; tenant=Live|x"),
            ("If-Match", "*"),
            ("X-Auth-Token", 'q"uo,te;d'),
            ("Accept", "application/json"),
        )
        with serving(answering(answer())) as server:
            wire.answered("a request with headers was sent", post(server.url(), b"{}", *headers))
        for name, value in (*headers, ("Content-Type", "application/json")):
            if (arrived := server.seen[0].values(name.lower())) != [value]:
                why = Why(_OTHER, "send: the headers; those that the library has defaults for as well")
                did = f"the header {name}: {value} was sent"
                raise broken(did=did, should="arrive so, once", but=f"it arrived as {arrived}", why=why)

    def test_nothing_is_added(self, wire: TransportBench) -> None:
        """No header is added but what HTTP needs: Host, lengths, Connection, and Accept-Encoding by who decodes."""
        with serving(answering(answer())) as server:
            wire.answered("a request was sent", post(server.url(), b"{}"))
        arrived = {name.lower() for name, _ in server.seen[0].headers}
        added = sorted(arrived - NEEDED - wire.own_headers - {"content-type"})
        if added:
            harm = "a client says all that it means; a default of a library may win over it, or be a credential"
            look = "send: the library's default headers; what has to stay goes into own_headers of your test"
            did = "a request with the header Content-Type was sent"
            raise broken(did=did, should="arrive so", but=f"it had {', '.join(added)} as well", why=Why(harm, look))


class Returns:
    """An answer comes back as it is."""

    @pytest.mark.parametrize("status", [200, 201, 202, 204, 304, 400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503])
    def test_every_status_is_an_answer(self, wire: TransportBench, status: int) -> None:
        """An answer is returned whatever its status, and asked for once: the clients try again by themselves."""
        bare = status in {204, 304}
        headers = (("WWW-Authenticate", 'Basic realm="x"'), ("Retry-After", "0"))
        said = head(status, *headers) if bare else answer(b'{"told":1}', *headers, status=status)
        did = f"a request was answered with status {status}"
        with serving(answering(said)) as server:
            response = wire.answered(did, get(server.url()))
        told = response.status, response.body
        if told != (status, b"" if bare else b'{"told":1}'):
            why = Why(_READ, "send: what a status makes of the answer")
            raise broken(did=did, should="return it with its body", but=f"it returned {told}", why=why)
        if len(server.seen) != 1:
            why = Why("the quota would be spent twice, and a step taken twice", "send: the library's own retries")
            raise broken(did=did, should="be sent once", but=f"it was sent {len(server.seen)} times", why=why)

    def test_headers_come_in_pairs(self, wire: TransportBench) -> None:
        """Headers of the same name stay apart, cookies above all: they hold commas."""
        cookies = ("seat=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "tenant=Live; HttpOnly", "seat=2; Path=/x")
        headers = [("Set-Cookie", value) for value in cookies]
        with serving(answering(answer(b"{}", *headers, ("X-RateLimit-Left", "7")))) as server:
            response = wire.answered("a request was answered with three cookies", get(server.url()))
        if (told := response.header_values("set-cookie")) != cookies:
            why = Why("a session would lack its cookies, and be refused", "send: a dict of headers joins or drops them")
            did = f"a request was answered with {len(cookies)} headers Set-Cookie"
            raise broken(did=did, should="return each as a pair of its own", but=f"it returned {told}", why=why)
        if (left := response.header("x-ratelimit-left")) != "7":
            why = Why("quotas and patience are read from headers", "send: the headers of the answer")
            raise broken(did="the header X-RateLimit-Left: 7 came", should="return it", but=f"it is {left!r}", why=why)

    @pytest.mark.parametrize("body", ODD, ids=len)
    def test_a_body_comes_to_the_letter(self, wire: TransportBench, body: bytes) -> None:
        """A body is returned byte by byte: no character set, no mark at its beginning, no guess changes it."""
        kind = ("Content-Type", "text/plain; charset=latin-1")
        with serving(answering(answer(body, kind))) as server:
            response = wire.answered("a request was answered", get(server.url()))
        if response.body != body:
            why = Why(_READ, "send: take the bytes, not the text")
            did = f"the answer's body is {body[:40]!r}"
            raise broken(did=did, should="return it", but=f"it returned {response.body[:40]!r}", why=why)

    def test_a_body_comes_whole_however_it_is_sent(self, wire: TransportBench) -> None:
        """A body comes whole in chunks, up to the end of the connection, and in pieces with pauses between."""

        def chunks(line: Wire) -> None:
            line.request()
            line.send(head(200, ("Transfer-Encoding", "chunked")) + b"".join(map(chunk, parts)) + chunk(b""))

        def to_the_end(line: Wire) -> None:
            line.request()
            line.send(head(200, ("Connection", "close")) + whole)

        def slowly(line: Wire) -> None:
            line.request()
            line.send(answer(b"", length=len(whole)))
            for part in parts:
                line.send(part)
                line.stopped.wait(0.02)

        parts = [b"x" * 10_000, b"y", b"z" * 70_000]
        whole = b"".join(parts)
        for name, behave in (("in chunks", chunks), ("up to the end", to_the_end), ("in pieces", slowly)):
            with serving(behave) as server:
                response = wire.answered(f"an answer came {name}", get(server.url()))
            if response.body != whole:
                why = Why(_READ, "send: read until the library says that the body has ended")
                did = f"an answer of {len(whole)} bytes came {name}"
                raise broken(did=did, should="return all", but=f"it returned {len(response.body)}", why=why)

    def test_who_asks_for_compressed_answers_decodes_them(self, wire: TransportBench) -> None:
        """An encoding that the transport asks for is undone; one that nobody asked for is not."""

        def behave(seen: Seen) -> bytes:
            asked = {part.partition(";")[0].strip() for part in ",".join(seen.values("accept-encoding")).split(",")}
            return answer(packed, ("Content-Encoding", "gzip")) if "gzip" in asked else answer(plain)

        plain = b'{"told":"' + b"x" * 5_000 + b'"}'
        packed = gzip.compress(plain)
        with serving(answering(behave)) as server:
            response = wire.answered("a request was answered", get(server.url()))
        if response.body != plain:
            asked = ", ".join(server.seen[0].values("accept-encoding"))
            why = Why(_READ, "send: Accept-Encoding, and who decodes")
            did = f"the transport asked for Accept-Encoding: {asked}"
            raise broken(did=did, should="decode what it gets", but=f"the body is {response.body[:20]!r}…", why=why)


class KeepsNothing:
    """Nothing of one request gets into another."""

    def test_no_cookie_is_kept(self, wire: TransportBench) -> None:
        """What an answer sets is not sent with the next request, which has the cookies that it was given."""
        said = answer(b"{}", ("Set-Cookie", "seat=1; Path=/"), ("Set-Cookie", "tenant=Live"))
        with serving(answering(said)) as server:
            for headers in ((), (("Cookie", "seat=own"),), ()):
                wire.answered("a request was sent", get(server.url(), *headers))
        sent = [seen.values("cookie") for seen in server.seen]
        if sent != [[], ["seat=own"], []]:
            why = Why(_SESSION, "send: the library's cookie jar; give it one that takes nothing")
            did = "three requests were sent, the second with the header Cookie: seat=own; each answer set cookies"
            should = "send no cookie, this one, no cookie"
            raise broken(did=did, should=should, but=f"the cookies were {sent}", why=why)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_an_answer(self, wire: TransportBench, status: int) -> None:
        """A redirect is returned, and nobody goes there: a sign-in tells by it that it failed."""
        with serving(answering(answer())) as elsewhere:
            said = answer(b"", ("Location", elsewhere.url("/elsewhere")), status=status)
            did = f"a POST was answered with status {status} and a Location"
            with serving(answering(said)) as server:
                response = wire.answered(did, post(server.url(), b"{}", ("Authorization", "Bearer x")))
        if elsewhere.seen or len(server.seen) != 1 or response.status != status:
            why = Why(_FOLLOWED, "send: follow_redirects, allow_redirects or what your library calls it")
            but = f"it returned status {response.status}, after {len(server.seen) + len(elsewhere.seen)} requests"
            raise broken(did=did, should="return it after one request", but=but, why=why)

    def test_callers_may_share_it(self, wire: TransportBench) -> None:
        """Requests that are under way at the same time, in threads or in tasks, get each its own answer."""
        with serving(answering(_echo)) as server:
            requests = [post(server.url(f"/{n}"), f"body {n} {'x' * n * 500}".encode()) for n in range(8)]
            outcomes = list(chain.from_iterable(wire.send_all(requests) for _ in range(4)))
        for place, outcome in enumerate(outcomes):
            request = requests[place % len(requests)]
            did = f"{len(requests)} requests were under way at the same time"
            why = Why("a client asks up to four things at once, and would mix up their answers", "send: what it shares")
            if isinstance(outcome, Failed):
                raise broken(did=did, should="answer each", but=raised(outcome.error), why=why) from outcome.error
            if outcome.value.json()["body"] != request.body.decode():
                raise broken(did=did, should="give each its own answer", but="one got another's", why=why)
