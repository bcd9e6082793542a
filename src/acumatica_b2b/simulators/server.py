"""A loopback HTTP server for anything that answers requests: the simulators behind real HTTP."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final, Protocol, Self

from attrs import define, field

from acumatica_b2b.http import Headers, Request, Response

LOOPBACK: Final = "127.0.0.1"
_BODILESS: Final = frozenset({204, 304})
_OWN_HEADERS: Final = frozenset({"content-length", "transfer-encoding", "connection"})


class Handles(Protocol):
    """What can be served: the simulators, or an object of a test."""

    def handle(self, request: Request) -> Response:
        """Return the answer; called in one thread per connection."""
        ...


@define
class Server:
    """Serves a handler on 127.0.0.1 while its `with` block runs; port 0 takes a free one.

    A handler that raises ConnectionError loses its answer: the connection ends without one. What
    else it raises is answered with 500 and the error's name.

    >>> from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
    >>> with Server(BigCommerceSimulator()) as server:
    ...     print(server.url.rpartition(":")[0])
    http://127.0.0.1
    """

    handler: Handles
    port: int = field(default=0, kw_only=True)
    _listener: "_Listener | None" = field(default=None, init=False)
    _thread: Thread | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The server's address without a path, such as `http://127.0.0.1:49152`.

        Raises:
            RuntimeError: it is not running.

        """
        if self._listener is None:
            message = "the server has no address outside its with block"
            raise RuntimeError(message)
        return self._listener.url

    def __enter__(self) -> Self:
        self._listener = _Listener(self.handler, self.port)
        # A short poll, since it is how long the end of the block has to wait.
        self._thread = Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        listener, thread = self._listener, self._thread
        self._listener = self._thread = None
        if listener and thread:
            listener.shutdown()
            listener.hang_up()
            listener.server_close()
            thread.join()


class _Listener(ThreadingHTTPServer):
    """Knows its open connections: clients keep theirs, and each holds a thread."""

    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 128

    def __init__(self, handler: Handles, port: int) -> None:
        self.handler = handler
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__((LOOPBACK, port), _Connection)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the waiting for further requests on all connections."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RD)
                except OSError:  # the client was faster
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that goes away is no news."""


class _Connection(BaseHTTPRequestHandler):
    """Turns HTTP into requests and responses back into HTTP."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride] - it is never served by another

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self._write(Response(status=411, body=b"send a Content-Length"))
            return
        request = Request(
            method=self.command,
            url=self.server.url + self.path,
            headers=tuple(self.headers.items()),
            body=self.rfile.read(int(length)),
        )
        try:
            response = self.server.handler.handle(request)
        except ConnectionError:
            self.close_connection = True
            return
        except Exception as error:  # a test sees it in the answer
            response = Response(status=500, body=f"the handler raised {type(error).__name__}".encode())
        self._write(response)

    # The names that http.server looks for.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - as above

    def _write(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in self._headers(response):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and response.status not in _BODILESS:
            self.wfile.write(response.body)

    def _headers(self, response: Response) -> Headers:
        own: list[tuple[str, str]] = []
        if response.status not in _BODILESS:
            own.append(("Content-Length", str(len(response.body))))
        if self.close_connection:
            own.append(("Connection", "close"))
        return (*own, *(pair for pair in response.headers if pair[0].lower() not in _OWN_HEADERS))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server calls it by
        """Keep quiet."""
