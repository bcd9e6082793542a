import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from attrs import define, field

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.simulators.server import Server


@define
class Probe:
    """Notes the requests and answers as told."""

    answer: Callable[[Request], Response] = lambda _: Response(status=200, body=b"hello")
    seen: list[Request] = field(factory=list)

    def handle(self, request: Request) -> Response:
        self.seen.append(request)
        return self.answer(request)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


def raised(error: Exception) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        raise error

    return answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_request_arrives_whole(client: httpx.Client, method: str) -> None:
    """A request arrives with its method, encoded URL, headers and body."""
    probe = Probe()
    with Server(probe) as server:
        url = f"{server.url}/a%2Fb?q=x%20y&q=%C3%A4"
        reply = client.request(method, url, content=b"\x00body", headers={"X-One": "1"})
    (request,) = probe.seen
    assert (reply.status_code, reply.content) == (200, b"hello")
    assert (request.method, request.url, request.body) == (method, url, b"\x00body")
    assert [value for name, value in request.headers if name.lower() == "x-one"] == ["1"]


def test_a_response_arrives_whole(client: httpx.Client) -> None:
    """An answer arrives with its status, its length, and each of several Set-Cookie headers."""
    headers = (("Set-Cookie", "a=1; path=/"), ("Set-Cookie", "b=2"), ("Content-Type", "text/x"))
    with Server(Probe(lambda _: Response(status=422, headers=headers, body=b"no"))) as server:
        reply = client.get(server.url)
    assert (reply.status_code, reply.content) == (422, b"no")
    assert reply.headers.get_list("Set-Cookie") == ["a=1; path=/", "b=2"]
    assert (reply.headers["Content-Length"], reply.headers["Content-Type"]) == ("2", "text/x")


def test_a_handler_does_not_decide_on_the_framing(client: httpx.Client) -> None:
    """A handler's own Content-Length or Connection header is left out."""
    headers = (("content-length", "99"), ("Connection", "close"))
    with Server(Probe(lambda _: Response(status=200, headers=headers, body=b"ok"))) as server:
        replies = [client.get(server.url) for _ in range(2)]
    assert [reply.headers.get_list("Content-Length") for reply in replies] == [["2"], ["2"]]


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body(client: httpx.Client, status: int) -> None:
    """An answer that has no body by its status leaves the connection usable."""
    with Server(Probe(lambda _: Response(status=status, body=b"dropped"))) as server:
        replies = [client.get(server.url) for _ in range(2)]
    assert [(reply.status_code, reply.content) for reply in replies] == [(status, b"")] * 2


def test_head(client: httpx.Client) -> None:
    """HEAD is answered with the length of the body and without it."""
    with Server(Probe()) as server:
        reply = client.head(server.url)
        assert (reply.headers["Content-Length"], reply.content) == ("5", b"")
        assert client.get(server.url).content == b"hello"


def test_connections_are_kept() -> None:
    """Requests of one client share one connection."""
    with Server(Probe()) as server, socket.create_connection(("127.0.0.1", port_of(server))) as connection:
        for _ in range(3):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\nhello")


def test_a_body_without_length_is_refused(client: httpx.Client) -> None:
    """A chunked body is refused with 411, and the handler does not hear of it."""
    probe = Probe()
    with Server(probe) as server:
        reply = client.post(server.url, content=iter([b"a", b"b"]))
    assert reply.status_code == 411
    assert not probe.seen


def test_a_handler_that_fails(client: httpx.Client) -> None:
    """A handler's exception is answered with 500 and its name, without its text."""
    with Server(Probe(raised(KeyError("secret")))) as server:
        reply = client.get(server.url)
    assert (reply.status_code, reply.text) == (500, "the handler raised KeyError")


def test_a_lost_answer(client: httpx.Client) -> None:
    """A handler that raises ConnectionError ends the connection without an answer."""
    with Server(Probe(raised(ConnectionResetError()))) as server, pytest.raises(httpx.RemoteProtocolError):
        client.get(server.url)


def test_it_is_quiet(client: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither requests, nor failures, nor nonsense write anything to the terminal."""
    with Server(Probe(raised(ValueError()))) as server:
        client.get(server.url)
        with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            connection.recv(4096)
    assert capfd.readouterr() == ("", "")


def test_only_this_machine_reaches_it() -> None:
    """The server listens on the loopback address alone, on the port it was given."""
    with Server(Probe()) as first:
        assert first.url.startswith("http://127.0.0.1:")
        port = port_of(first)
    with Server(Probe(), port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match="in use"), Server(Probe(), port=port):
            pytest.fail("two servers on one port")


def test_it_ends_with_its_block() -> None:
    """Behind the block nothing listens, no thread is left, and connections that clients keep are ended."""
    before = threading.active_count()
    with httpx.Client(trust_env=False) as client:
        with Server(Probe()) as server:
            url = server.url
            client.get(url)
        assert threading.active_count() == before
        with pytest.raises(httpx.ConnectError):
            client.get(url)
    with pytest.raises(RuntimeError, match="with block"):
        _ = server.url


def test_an_answer_under_way_is_finished() -> None:
    """A request that is being handled when the block ends still gets its answer."""
    entered, released = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        entered.set()
        released.wait(10)
        return Response(status=200, body=b"late")

    with ThreadPoolExecutor(1) as pool:
        with Server(Probe(slow)) as server:
            reply = pool.submit(httpx.get, server.url, trust_env=False)
            assert entered.wait(10)
            threading.Timer(0.05, released.set).start()
        assert reply.result(10).text == "late"


def test_many_at_once() -> None:
    """Connections are served at the same time."""
    together = threading.Barrier(8, timeout=10)

    def answer(_: Request) -> Response:
        together.wait()
        return Response(status=200)

    with Server(Probe(answer)) as server, httpx.Client(trust_env=False) as client, ThreadPoolExecutor(8) as pool:
        statuses = {reply.status_code for reply in pool.map(client.get, [server.url] * 8)}
    assert statuses == {200}


def test_a_simulator_behind_real_http(client: httpx.Client) -> None:
    """A simulated store is created in and read from over HTTP as it is in memory."""
    shop = BigCommerceSimulator()
    company = {
        "companyName": "Aero",
        "companyPhone": "555-0100",
        "companyEmail": "office@aero.example",
        "country": "US",
        "adminFirstName": "Ada",
        "adminLastName": "Byron",
        "adminEmail": "ada@aero.example",
    }
    with Server(shop) as server:
        base, headers = f"{server.url}/api/v3/io", dict(shop.credentials)
        assert client.get(f"{base}/companies").status_code == 401
        made = client.post(f"{base}/companies", json=company, headers=headers).json()["data"]
        listed = client.get(f"{base}/users", params={"email": "ada@aero.example"}, headers=headers)
    assert listed.json()["data"][0]["companyId"] == made["companyId"]
    assert listed.headers["X-Requests-Remaining"] == "148 times"
    assert shop.calls == [("GET", "/companies"), ("POST", "/companies"), ("GET", "/users")]


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])
