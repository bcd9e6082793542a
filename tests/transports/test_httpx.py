import asyncio
import gzip
import json
import logging
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest
from attrs import define, evolve, field

from acumatica_b2b.errors import NotSentError, OutcomeUnknownError
from acumatica_b2b.http import Headers, Request, Response
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport


class Loopback(BaseHTTPRequestHandler):
    """Answers by path, some of it badly."""

    protocol_version = "HTTP/1.1"
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.paths.append(self.path)
        getattr(self, self.path.partition("?")[0].strip("/"), self.echo)()

    do_POST = do_GET  # noqa: N815 -- the library's name

    def answer(self, body: bytes, *headers: tuple[str, str], status: int = 200, length: int | None = None) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def echo(self) -> None:
        """Tell what was asked, and set cookies."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body.decode()}
        self.answer(json.dumps(told).encode(), ("Set-Cookie", "seat=1; path=/"), ("Set-Cookie", "tenant=Live; path=/"))

    def redirect(self) -> None:
        """Point elsewhere."""
        self.answer(b"", ("Location", "/echo"), status=302)

    def lost(self) -> None:
        """Point to a place that is no URL, and that nobody should see."""
        self.answer(b"", ("Location", "http://[::1/echo?told=s3cret"), status=302)

    def zipped(self) -> None:
        """Answer compressed."""
        self.answer(gzip.compress(b"x" * 50_000), ("Content-Encoding", "gzip"))

    def broken(self) -> None:
        """Claim to answer compressed."""
        self.answer(b"plain", ("Content-Encoding", "gzip"))

    def vanish(self) -> None:
        """Read the request and hang up."""
        self.close_connection = True

    def half(self) -> None:
        """Hang up in the middle of the answer."""
        self.answer(b"half", length=8)
        self.close_connection = True

    def stall(self) -> None:
        """Take long to answer."""
        time.sleep(1.0)
        self.answer(b"late")

    def linger(self) -> None:
        """Take long to begin the answer, and longer to go on."""
        time.sleep(0.4)
        self.answer(b"half", length=8)
        time.sleep(1.0)

    def trickle(self) -> None:
        """Send even the headers drop by drop, and never their end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drops: ")
        for _ in range(1000):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.02)

    def drip(self) -> None:
        """Answer drop by drop."""
        self.answer(b"", length=1000)
        for _ in range(1000):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.02)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a server on this machine."""
    with Quiet(("127.0.0.1", 0), Loopback) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@define
class Sender:
    """Sends requests over one httpx client, with the sync or the async transport."""

    asynchronous: bool
    jar: dict[str, str] = field(factory=dict[str, str])
    headers: dict[str, str] = field(factory=dict[str, str])
    cookies: dict[str, str] = field(factory=dict[str, str], init=False)

    def send(self, *requests: Request) -> list[Response]:
        """Return the answers; afterwards `cookies` is what the client's own jar holds."""
        if self.asynchronous:
            return asyncio.run(self._awaited(requests))
        with httpx.Client(
            trust_env=False, cookies=self.jar, headers=self.headers, auth=("host", "own"), follow_redirects=True
        ) as client:
            first, second = HttpxTransport(client), HttpxTransport(client)
            answers = [(first, second)[i % 2].send(request) for i, request in enumerate(requests)]
            self.cookies = dict(client.cookies)
        return answers

    async def _awaited(self, requests: tuple[Request, ...]) -> list[Response]:
        async with httpx.AsyncClient(
            trust_env=False, cookies=self.jar, headers=self.headers, auth=("host", "own"), follow_redirects=True
        ) as client:
            first, second = AsyncHttpxTransport(client), AsyncHttpxTransport(client)
            answers = [await (first, second)[i % 2].send(request) for i, request in enumerate(requests)]
            self.cookies = dict(client.cookies)
        return answers

    def fail(self, request: Request) -> str:
        """Return the words of the error that a request ends in."""
        with pytest.raises((NotSentError, OutcomeUnknownError)) as caught:
            self.send(request)
        return f"{caught.type.__name__}: {caught.value}"


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def sender(request: pytest.FixtureRequest) -> Sender:
    """Return a sender of each kind."""
    return Sender(asynchronous=request.param)


def get(url: str, *headers: tuple[str, str], deadline: float = 5.0, max_bytes: int = 1_000_000) -> Request:
    """Return a request that reads."""
    return Request(method="GET", url=url, headers=headers, deadline=deadline, max_bytes=max_bytes)


def echoed(response: Response) -> Headers:
    """Return the headers that reached the server."""
    return tuple((name.lower(), value) for name, value in response.json()["headers"])


def test_what_is_sent(sender: Sender, url: str) -> None:
    """A request goes out as it is: method, encoded query, headers and body."""
    target = f"{url}/echo?$filter=ID%20gt%20%27a%27&x=%2B"
    request = evolve(get(target, ("X-One", "1"), ("X-One", "2")), method="POST", body="ä".encode())
    (response,) = sender.send(request)
    told = response.json()
    assert (told["method"], told["path"], told["body"]) == ("POST", "/echo?$filter=ID%20gt%20%27a%27&x=%2B", "ä")
    assert [value for name, value in echoed(response) if name == "x-one"] == ["1", "2"]
    assert [value for name, value in echoed(response) if name == "content-length"] == ["2"]


def test_an_empty_body_has_a_length(sender: Sender, url: str) -> None:
    """A POST without a body has one Content-Length, 0, given or not."""
    plain = evolve(get(f"{url}/echo"), method="POST")
    for response in sender.send(plain, evolve(plain, headers=(("Content-Length", "0"),))):
        assert [value for name, value in echoed(response) if name == "content-length"] == ["0"]


def test_sessions_do_not_meet(sender: Sender, url: str) -> None:
    """Two sessions over one client send their own cookies, neither each other's nor the client's."""
    sender.jar = {"host": "own"}
    first, second, third = sender.send(
        get(f"{url}/echo", ("Cookie", "seat=a")), get(f"{url}/echo"), get(f"{url}/echo", ("Cookie", "seat=c"))
    )
    sent = [[value for name, value in echoed(response) if name == "cookie"] for response in (first, second, third)]
    assert sent == [["seat=a"], [], ["seat=c"]]


def test_the_jar_of_the_client_stays_its_own(sender: Sender, url: str) -> None:
    """The client's own jar keeps what it had and takes nothing from answers, which still tell their cookies."""
    sender.jar = {"host": "own"}
    (response,) = sender.send(get(f"{url}/echo"))
    assert sender.cookies == {"host": "own"}
    assert response.header_values("set-cookie") == ("seat=1; path=/", "tenant=Live; path=/")


def test_nothing_of_the_client_is_sent(sender: Sender, url: str) -> None:
    """The client's headers and credentials are not sent, nor are those that a URL holds."""
    sender.headers = {"X-Host": "own"}
    for address in (url, url.replace("127", "user:secret@127", 1)):
        names = {name for name, _ in echoed(sender.send(get(f"{address}/echo"))[0])}
        assert not names & {"authorization", "x-host", "cookie"}


def test_redirects_are_answers(sender: Sender, url: str) -> None:
    """A redirect is returned, not followed."""
    Loopback.paths.clear()
    (response,) = sender.send(get(f"{url}/redirect"))
    assert (response.status, response.header("location")) == (302, "/echo")
    assert Loopback.paths == ["/redirect"]


def test_compressed(sender: Sender, url: str) -> None:
    """A compressed answer is asked for and comes decoded."""
    response, told = sender.send(get(f"{url}/zipped"), get(f"{url}/echo"))
    assert response.body == b"x" * 50_000
    assert ("accept-encoding", "gzip") in echoed(told)
    assert "OutcomeUnknownError" in sender.fail(get(f"{url}/broken"))


def test_too_large(sender: Sender, url: str) -> None:
    """An answer larger than allowed, decoded, ends in an error that names the size."""
    told = sender.fail(get(f"{url}/zipped", max_bytes=49_999))
    assert told.startswith("OutcomeUnknownError")
    assert "larger than 49999 bytes" in told
    assert sender.send(get(f"{url}/zipped", max_bytes=50_000))[0].status == 200


@pytest.mark.parametrize("path", ["drip", "stall", "trickle"])
def test_deadline(sender: Sender, url: str, path: str) -> None:
    """A request ends at its total deadline, whether the answer drips or does not come."""
    began = time.monotonic()
    told = sender.fail(get(f"{url}/{path}?secret=1", deadline=0.3))
    assert time.monotonic() - began < 0.8
    assert told.startswith("OutcomeUnknownError")
    assert "secret" not in told


def test_deadline_of_all_phases(sender: Sender, url: str) -> None:
    """What the headers took is not given to the body once more."""
    began = time.monotonic()
    told = sender.fail(get(f"{url}/linger", deadline=0.6))
    assert time.monotonic() - began < 0.9
    assert told.startswith("OutcomeUnknownError")


def test_deadline_over_a_connection_that_is_used_again(sender: Sender, url: str) -> None:
    """The deadline is kept over a connection that another request, of another transport, opened."""
    began = time.monotonic()
    Loopback.paths.clear()
    with pytest.raises(OutcomeUnknownError):
        sender.send(get(f"{url}/echo"), get(f"{url}/trickle", deadline=0.3))
    assert Loopback.paths == ["/echo", "/trickle"]
    assert time.monotonic() - began < 0.8


def test_deadline_over_a_connection_of_the_caller(url: str) -> None:
    """Over a connection that the caller's own requests opened, it is kept from the second request on."""
    with httpx.Client(trust_env=False) as client:
        client.get(f"{url}/echo")
        transport = HttpxTransport(client)
        transport.send(get(f"{url}/echo"))
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError, match="ReadTimeout"):
            transport.send(get(f"{url}/trickle", deadline=0.3))
        assert time.monotonic() - began < 0.8


def test_the_callers_own_requests_have_no_deadline_of_ours(url: str) -> None:
    """The caller's own requests over a connection of ours take the time that the caller gives them."""
    with httpx.Client(trust_env=False) as client:
        HttpxTransport(client).send(get(f"{url}/echo", deadline=0.2))
        assert client.get(f"{url}/stall", timeout=5).text == "late"


@pytest.mark.parametrize("path", ["vanish", "half"])
def test_lost_answers(sender: Sender, url: str, path: str) -> None:
    """A server that hangs up after the request leaves its outcome unknown, without a query in the message."""
    told = sender.fail(get(f"{url}/{path}?secret=1"))
    assert told.startswith("OutcomeUnknownError: GET http://127.0.0.1")
    assert "secret" not in told


def test_refused(sender: Sender) -> None:
    """A request that reaches no server was not sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        told = sender.fail(get(f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/x?secret=1"))
    assert told.startswith("NotSentError")
    assert "secret" not in told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how a full queue of connections acts is Linux's")
def test_no_answer_to_connecting(sender: Sender) -> None:
    """A server that accepts no connection in time was sent nothing, however short the deadline."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        try:
            told = sender.fail(get(f"http://127.0.0.1:{full.getsockname()[1]}/", deadline=0.4))
        finally:
            for one in waiting:
                one.close()
        assert told.startswith("NotSentError")


def test_connecting_took_all_the_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose deadline passed while it was being connected is not sent any more."""
    connect = socket.create_connection

    def slow(*arguments: Any, **more: Any) -> socket.socket:
        time.sleep(0.2)
        return connect(*arguments, **more)

    monkeypatch.setattr(socket, "create_connection", slow)
    Loopback.paths.clear()
    assert "took all of its time" in Sender(asynchronous=False).fail(get(f"{url}/echo", deadline=0.1))
    assert Loopback.paths == []


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1/x", "http://[::1/x", "127.0.0.1/x", "http://127.0.0.1:port/x", "http://"]
)
def test_malformed(sender: Sender, address: str) -> None:
    """What is no address of the web was not sent."""
    assert sender.fail(get(address)).startswith("NotSentError")


def test_a_malformed_header(sender: Sender, url: str) -> None:
    """A header that can't be written was not sent, and is not shown."""
    told = sender.fail(get(url, ("Authorization", "sécret\u2603")))
    assert told.startswith("NotSentError")
    assert "cret" not in told


@pytest.mark.parametrize("value", ["Bearer t0ken\n", "Bearer t0ken\r\nX-Two: 2", "t0ken\x00"])
def test_a_header_that_breaks_its_line(sender: Sender, url: str, value: str) -> None:
    """A header that would break its line was not sent, and neither the error nor what led to it shows it."""
    Loopback.paths.clear()
    with pytest.raises(NotSentError, match="a header is malformed") as caught:
        sender.send(get(f"{url}/echo", ("Authorization", value)))
    assert "t0ken" not in "".join(traceback.format_exception(caught.value))
    assert Loopback.paths == []


@pytest.mark.parametrize("path", ["echo", "lost", "vanish"])
def test_what_httpx_logs(sender: Sender, url: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """What httpx and httpcore log of our requests, at any level, shows no query, no credential and no cookie."""
    caplog.set_level(logging.DEBUG)
    target = get(f"{url.replace('//', '//user:s3cret@')}/{path}?email=ann%40a.example", ("Cookie", "seat=s3cret"))
    with suppress(OutcomeUnknownError):
        sender.send(target)
    assert "send_request_headers" in caplog.text
    assert [hidden for hidden in ("s3cret", "ann", "seat=", "tenant=", "/echo?told") if hidden in caplog.text] == []


def test_what_httpx_logs_of_others(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the caller's own requests log is left as it is."""
    caplog.set_level(logging.DEBUG)
    with httpx.Client(trust_env=False) as client:
        HttpxTransport(client).send(get(f"{url}/echo"))
        client.get(f"{url}/echo?mine")
    assert f"GET {url}/echo?mine" in caplog.text
    assert "seat=1" in caplog.text


def test_a_closed_client(url: str) -> None:
    """A client that its owner has closed sends nothing."""
    client = httpx.Client(trust_env=False)
    transport = HttpxTransport(client)
    client.close()
    with pytest.raises(NotSentError, match="closed"):
        transport.send(get(url))


def test_connections_are_shared(url: str) -> None:
    """Transports use the connections of their client, so that its limits hold for all of them."""
    limits = httpx.Limits(max_connections=1)
    with (
        httpx.Client(trust_env=False, limits=limits) as client,
        client.stream("GET", f"{url}/echo"),
        pytest.raises(NotSentError, match="PoolTimeout"),
    ):
        HttpxTransport(client).send(get(f"{url}/echo", deadline=0.4))


def test_nothing_in_repr() -> None:
    """A transport shows nothing of its client."""
    with httpx.Client(headers={"Authorization": "secret"}) as client:
        assert repr(HttpxTransport(client)) == "HttpxTransport()"
