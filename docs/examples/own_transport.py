"""Sends requests with nothing but the standard library, each over a connection of its own."""

from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from time import monotonic
from urllib.parse import urlsplit

from acumatica_b2b import NotSentError, OutcomeUnknownError, Request, Response


class StandardTransport:
    """A transport; what stalls ends at the deadline, what drips with the first 8 KiB behind it."""

    def send(self, request: Request, /) -> Response:
        ends, url, body = monotonic() + request.deadline, urlsplit(request.url), bytearray()
        named = f"{request.method} {url.path}"
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        with closing(kind(url.netloc, timeout=request.deadline)) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise NotSentError(f"{named} was not sent; check the address and the network") from error
            socket, target = connection.sock, request.url.removeprefix(f"{url.scheme}://{url.netloc}")
            connection.request(request.method, target, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            while not answer.isclosed() and len(body) <= request.max_bytes and monotonic() < ends:
                socket.settimeout(max(ends - monotonic(), 0.001))
                body += answer.read(8192)
            if not answer.isclosed() or answer.length or len(body) > request.max_bytes:
                raise OutcomeUnknownError(f"the answer to {named} came too late, is too large or broke off")
        return Response(status=answer.status, headers=tuple(answer.getheaders()), body=bytes(body))
