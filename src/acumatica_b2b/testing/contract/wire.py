"""A server of plain sockets on this machine, which behaves as badly as it is told to."""

import select
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

from attrs import define, field, frozen

from acumatica_b2b.http import Headers

PATIENCE: Final = 5.0
"""Seconds after which a server that stalls or drips gives up and answers: who is still there has no deadline."""
_BEAT: Final = 0.02


@frozen(kw_only=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


def answer(body: bytes = b"{}", *headers: tuple[str, str], status: int = 200, length: int | None = None) -> bytes:
    """Return an answer as it goes over the wire; `length` is what it says of its body."""
    said = (*headers, ("Content-Length", str(len(body) if length is None else length)))
    return head(status, *said) + body


def head(status: int, *headers: tuple[str, str]) -> bytes:
    """Return the beginning of an answer."""
    lines = [f"HTTP/1.1 {status} Contract", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return one chunk of a body whose length is not known."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@define(eq=False)
class Wire:
    """One connection, as the server has it."""

    connection: socket.socket
    seen: list[Seen]
    stopped: threading.Event
    _rest: bytearray = field(factory=bytearray)

    def request(self) -> Seen | None:
        """Return the next request; None where the client has hung up."""
        text = self._until(b"\r\n\r\n")
        if text is None:
            return None
        first, *lines = text.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        body = self._body({name.lower(): value for name, value in headers})
        self.seen.append(Seen(method=method, target=target, headers=headers, body=body))
        return self.seen[-1]

    def send(self, data: bytes) -> bool:
        """Send, and tell whether the client is still there."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return not self.stopped.is_set()

    def drip(self, drop: bytes, seconds: float | None = None) -> bool:
        """Send drop after drop for a long time, or for some seconds; tell whether the client is still there then."""
        drops = int((seconds or PATIENCE) / _BEAT)
        return all(self.send(drop) and not self.stopped.wait(_BEAT) for _ in range(drops))

    def stall(self) -> bool:
        """Do nothing for a long time, and tell whether the client is still there then."""
        return all(not self.stopped.wait(_BEAT) and not self._gone() for _ in range(int(PATIENCE / _BEAT)))

    def _gone(self) -> bool:
        try:
            readable, _, _ = select.select([self.connection], [], [], 0.0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def _until(self, end: bytes) -> bytes | None:
        while end not in self._rest:
            if not self._read():
                return None
        text, _, self._rest = self._rest.partition(end)
        return bytes(text)

    def _exactly(self, count: int) -> bytes:
        while len(self._rest) < count and self._read():
            pass
        body, self._rest = self._rest[:count], self._rest[count:]
        return bytes(body)

    def _read(self) -> bool:
        more = self.connection.recv(1_048_576)
        self._rest += more
        return bool(more)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self._exactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int((self._until(b"\r\n") or b"0").partition(b";")[0], 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")
        return body


Behaviour: TypeAlias = Callable[[Wire], object]
"""What a server does with one connection, from its first byte on; then it hangs up."""


def answering(*answers: bytes | Callable[[Seen], bytes]) -> Behaviour:
    """Return the behaviour of a sound server: one answer after another, the last one for ever."""
    ahead = list(answers)

    def behave(wire: Wire) -> None:
        while seen := wire.request():
            said = ahead.pop(0) if len(ahead) > 1 else ahead[0]
            if not wire.send(said if isinstance(said, bytes) else said(seen)):
                return

    return behave


@frozen
class Loopback:
    """A server that is listening: its port, and what it has seen."""

    port: int
    seen: list[Seen]

    def url(self, target: str = "/", scheme: str = "http") -> str:
        """Return an address of it."""
        return f"{scheme}://127.0.0.1:{self.port}{target}"


@define(eq=False)
class _Listening:
    """A listening socket, and the threads of its connections."""

    listener: socket.socket
    behave: Behaviour
    seen: list[Seen] = field(factory=list[Seen])
    stopped: threading.Event = field(factory=threading.Event)
    wires: list[Wire] = field(factory=list[Wire])
    threads: list[threading.Thread] = field(factory=list[threading.Thread])

    def accept(self) -> None:
        """Begin a thread for each connection."""
        while True:
            connection, _ = self.listener.accept()
            if self.stopped.is_set():
                connection.close()
                return
            wire = Wire(connection, self.seen, self.stopped)
            self.wires.append(wire)
            self.threads.append(threading.Thread(target=self.serve, args=(wire,)))
            self.threads[-1].start()

    def serve(self, wire: Wire) -> None:
        """Behave, and hang up."""
        with wire.connection, suppress(OSError, ValueError):
            self.behave(wire)
            wire.connection.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Hang up on everybody, and wait until all threads have ended."""
        for wire in self.wires:
            with suppress(OSError):
                wire.connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()


@contextmanager
def serving(behave: Behaviour) -> Generator[Loopback]:
    """Serve in a thread for each connection; all of them have ended when the block has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = _Listening(listener, behave)
        acceptor = threading.Thread(target=listening.accept)
        acceptor.start()
        try:
            yield Loopback(listener.getsockname()[1], listening.seen)
        finally:
            listening.stopped.set()
            # accept() waits for one more connection, whatever becomes of its socket
            socket.create_connection(listener.getsockname()).close()
            acceptor.join()
            listening.end()
