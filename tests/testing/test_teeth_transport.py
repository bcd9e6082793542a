"""The contract of a transport has teeth: each broken one is caught, and by the check that is named for it."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from inspect import getmembers
from itertools import product
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
from attrs import define, evolve, field

from acumatica_b2b.errors import NotSentError, OutcomeUnknownError
from acumatica_b2b.http import Request, Response
from acumatica_b2b.testing.contract.transport import AsyncTransportContract, TransportContract
from acumatica_b2b.testing.contract.transport_bench import (
    PlainTransportOf,
    TransportBench,
    sent_in_tasks,
    sent_in_threads,
)
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport

TLS = ssl.create_default_context()
"""Made once: it takes httpx longer to make one than to send a request."""


@define(eq=False)
class Plain:
    """What the broken ones are made of: sound, as `test_contract_transport` shows of `HttpxTransport`."""

    client: httpx.Client = field(factory=lambda: httpx.Client(verify=TLS, trust_env=False))

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return HttpxTransport(self.client).send(request)


@define(eq=False)
class KeepsCookies(Plain):
    """A jar."""

    jar: list[str] = field(factory=list[str])

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        own = [("Cookie", "; ".join(self.jar))] if self.jar else []
        response = Plain.send(self, evolve(request, headers=(*request.headers, *own)))
        self.jar += [value.partition(";")[0] for value in response.header_values("set-cookie")]
        return response


class FollowsRedirects(Plain):
    """Goes where it is pointed to."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        location = response.header("location")
        return Plain.send(self, evolve(request, url=location)) if location else response


class MergesHeaders(Plain):
    """Headers as a dict, joined by commas."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        merged = {name: ", ".join(response.header_values(name)) for name, _ in response.headers}
        return evolve(response, headers=tuple(merged.items()))


class LosesHeaders(Plain):
    """Headers as a dict, of which the last wins."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        return evolve(response, headers=tuple(dict(response.headers).items()))


class SwallowsErrors(Plain):
    """What goes wrong is a status 500."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        try:
            return Plain.send(self, request)
        except OutcomeUnknownError as error:
            return Response(status=500, body=str(error).encode())


class SwallowsRefusals(Plain):
    """What could not be sent is a status 503."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        try:
            return Plain.send(self, request)
        except NotSentError as error:
            return Response(status=503, body=str(error).encode())


class NeverSent(Plain):
    """Takes every error for one before the request."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        try:
            return Plain.send(self, request)
        except OutcomeUnknownError as error:
            raise NotSentError(str(error)) from error


class AlwaysUnknown(Plain):
    """Takes every error for one after the request."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        try:
            return Plain.send(self, request)
        except NotSentError as error:
            raise OutcomeUnknownError(str(error)) from error


class NoDeadline(Plain):
    """Waits as long as it takes."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, deadline=60.0))


class Impatient(Plain):
    """Knows better than the request how long to wait."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, deadline=min(0.1, request.deadline)))


class NoLimit(Plain):
    """Reads as much as there is."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, max_bytes=10**9))


class CutsAtTheLimit(Plain):
    """Reads all, and returns what was allowed."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, evolve(request, max_bytes=10**9))
        return evolve(response, body=response.body[: request.max_bytes])


class OneByteLess(Plain):
    """Counts from one."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, max_bytes=request.max_bytes - 1))


class Introduces(Plain):
    """Adds a User-Agent."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, headers=(*request.headers, ("User-Agent", "shop/1.0"))))


class Authorizes(Plain):
    """Adds a credential that a .netrc held."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, headers=(*request.headers, ("Authorization", "Basic eDp5"))))


class HasDefaults(Plain):
    """Sets a header that the request has, too."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, headers=(*request.headers, ("Accept", "*/*"))))


class DropsTheCookie(Plain):
    """Leaves cookies to a jar that it has not."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, headers=tuple(h for h in request.headers if h[0] != "Cookie")))


class RetriesLostAnswers(Plain):
    """Tries again what may have happened."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        try:
            return Plain.send(self, request)
        except OutcomeUnknownError:
            return Plain.send(self, request)


class RetriesOverKeptConnections(Plain):
    """Tries again when a connection that was kept is cut, as urllib3 does."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        kept = any(connection.is_idle() for connection in self.client._transport._pool.connections)  # type: ignore[attr-defined]  # what such a library knows
        try:
            return Plain.send(self, request)
        except OutcomeUnknownError:
            if not kept:
                raise
            return Plain.send(self, request)


class RetriesStatuses(Plain):
    """Tries again what a server was too busy for."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        return Plain.send(self, request) if response.status in {429, 502, 503} else response


class RaisesForStatus(Plain):
    """Takes a status for an error."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        if response.status >= 400:
            raise OutcomeUnknownError(f"status {response.status}")
        return response


class HidesTheBodyOfErrors(Plain):
    """Returns the status, and nothing of what was said."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        return evolve(response, body=b"") if response.status >= 400 else response


class RebuildsUrls(Plain):
    """Decodes a URL, and encodes it by its own rules."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        parts = urlsplit(request.url)
        path, query = quote(unquote(parts.path)), quote(unquote(parts.query), safe="=&$,")
        return Plain.send(self, evolve(request, url=f"{parts.scheme}://{parts.netloc}{path}?{query}"))


class SortsQueries(Plain):
    """Puts a query in order."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        url, mark, query = request.url.partition("?")
        return Plain.send(self, evolve(request, url=url + mark + "&".join(sorted(query.split("&")))))


class TunnelsMethods(Plain):
    """Sends what is neither GET nor POST as a POST."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, method=request.method if request.method == "GET" else "POST"))


class SendsText(Plain):
    """Takes bodies for text."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, body=request.body.decode("utf-8", "replace").encode()))


class ReadsText(Plain):
    """Takes answers for text."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        return evolve(response, body=response.body.decode("utf-8-sig", "replace").encode())


class GivesHalves(Plain):
    """Returns what came before something went wrong."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        came = b""
        with self.client.stream(request.method, request.url, content=request.body) as answer:
            try:
                for part in answer.iter_bytes():
                    came += part
            except httpx.HTTPError:
                pass
        return Response(status=answer.status_code, body=came)


class FirstPart(Plain):
    """Reads once."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        with self.client.stream(request.method, request.url, content=request.body) as answer:
            return Response(status=answer.status_code, body=next(answer.iter_bytes(), b""))


class TimesEachRead(Plain):
    """Has a timeout that every byte begins anew."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        answer = self.client.request(request.method, request.url, content=request.body, timeout=request.deadline)
        return Response(status=answer.status_code, body=answer.content)


class DoesNotDecode(Plain):
    """Asks for gzip, and returns it."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        headers = {"Accept-Encoding": "gzip, deflate"}
        with self.client.stream(request.method, request.url, content=request.body, headers=headers) as answer:
            return Response(status=answer.status_code, body=b"".join(answer.iter_raw()))


class TakesTheLastRequest(Plain):
    """Keeps the request in a field that all callers share."""

    last: Request | None = None

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        type(self).last = request
        time.sleep(0.001)
        return Plain.send(self, self.last or request)


class DropsBodies(Plain):
    """Sends a request without what it says."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return Plain.send(self, evolve(request, body=b""))


class OnlyCookies(Plain):
    """Returns the headers that its author needed."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = Plain.send(self, request)
        return evolve(response, headers=tuple(pair for pair in response.headers if pair[0].lower() == "set-cookie"))


class Invents(Plain):
    """Makes a success of every answer."""

    def send(self, request: Request, /) -> Response:
        """Return the answer."""
        return evolve(Plain.send(self, request), status=200)


BROKEN: list[tuple[type[Plain], str]] = [
    (Invents, "a_request_arrives_and_its_answer_is_returned"),
    (DropsBodies, "a_request_arrives_and_its_answer_is_returned"),
    (OnlyCookies, "headers_come_in_pairs"),
    (FirstPart, "an_answer_in_time_is_not_cut_off"),
    (FirstPart, "an_answer_of_the_largest_size_is_returned"),
    (KeepsCookies, "no_cookie_is_kept"),
    (FollowsRedirects, "a_redirect_is_an_answer"),
    (MergesHeaders, "headers_come_in_pairs"),
    (LosesHeaders, "headers_come_in_pairs"),
    (SwallowsErrors, "an_answer_that_breaks_off_is_unknown"),
    (SwallowsRefusals, "who_is_not_there_was_sent_nothing"),
    (NeverSent, "an_answer_that_breaks_off_is_unknown"),
    (AlwaysUnknown, "who_is_not_there_was_sent_nothing"),
    (AlwaysUnknown, "who_speaks_no_tls_was_sent_nothing"),
    (NoDeadline, "a_request_ends_at_its_deadline"),
    (TimesEachRead, "a_request_ends_at_its_deadline"),
    (Impatient, "an_answer_in_time_is_not_cut_off"),
    (NoLimit, "a_larger_answer_is_not_cut_in_silence"),
    (CutsAtTheLimit, "a_larger_answer_is_not_cut_in_silence"),
    (NoLimit, "a_request_ends_at_its_size"),
    (OneByteLess, "an_answer_of_the_largest_size_is_returned"),
    (Introduces, "nothing_is_added"),
    (Authorizes, "nothing_is_added"),
    (HasDefaults, "headers_arrive"),
    (DropsTheCookie, "headers_arrive"),
    (RetriesLostAnswers, "an_answer_that_breaks_off_is_unknown"),
    (RetriesOverKeptConnections, "nothing_is_sent_again_over_a_connection_that_was_kept"),
    (RetriesStatuses, "every_status_is_an_answer"),
    (RaisesForStatus, "every_status_is_an_answer"),
    (HidesTheBodyOfErrors, "every_status_is_an_answer"),
    (RebuildsUrls, "a_url_arrives_to_the_letter"),
    (SortsQueries, "a_url_arrives_to_the_letter"),
    (TunnelsMethods, "every_method_arrives"),
    (SendsText, "a_body_arrives_to_the_letter"),
    (ReadsText, "a_body_comes_to_the_letter"),
    (GivesHalves, "an_answer_that_breaks_off_is_unknown"),
    (FirstPart, "a_body_comes_whole_however_it_is_sent"),
    (DoesNotDecode, "who_asks_for_compressed_answers_decodes_them"),
    (TakesTheLastRequest, "callers_may_share_it"),
]
CHECKS = {n.removeprefix("test_"): check for n, check in getmembers(TransportContract) if n.startswith("test_")}


def cases(check: Callable[..., None]) -> Iterator[Mapping[str, Any]]:
    """Yield the arguments of each case of a check, the last ones first."""
    marks = [mark.args for mark in getattr(check, "pytestmark", ())]
    for values in product(*(reversed([*values]) for _, values in marks)):
        yield dict(zip((name for name, _ in marks), values, strict=True))


def caught(transport: Plain, check: str) -> AssertionError | None:
    """Return what a check says of a transport, in the first case that it fails."""
    bench = TransportBench(transport, sent_in_threads(transport))
    with transport.client:
        for arguments in cases(CHECKS[check]):
            try:
                CHECKS[check](TransportContract(), bench, **arguments)
            except AssertionError as error:
                return error
    return None


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_a_broken_transport_is_caught(broken: type[Plain], check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that is named for what is wrong fails, and says what was done and what came of it."""
    monkeypatch.setattr("acumatica_b2b.testing.contract.wire.PATIENCE", 0.6)
    error = caught(broken(), check)
    assert error is not None
    lines = str(error).splitlines()
    assert [line[:13] for line in lines[1:]] == ["  it should: ", "  but:       ", "  therefore: ", "  look at:   "]


def test_no_check_is_idle() -> None:
    """Each check catches some broken transport."""
    assert CHECKS.keys() == {check for _, check in BROKEN}


def test_what_a_transport_adds_on_purpose_may_be_allowed() -> None:
    """A header that the host names in `own_headers` may be added."""
    transport = Introduces()
    with transport.client:
        bench = TransportBench(transport, sent_in_threads(transport), frozenset({"user-agent"}))
        CHECKS["nothing_is_added"](TransportContract(), bench)


def test_tasks_that_share_what_they_must_not_are_caught() -> None:
    """An async transport that keeps its request in a field is caught as well: its callers are tasks of one loop."""

    @define(eq=False)
    class Shares:
        inner: AsyncHttpxTransport
        last: Request | None = None

        async def send(self, request: Request, /) -> Response:
            self.last = request
            await asyncio.sleep(0)
            return await self.inner.send(self.last)

    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(verify=TLS, trust_env=False)
        transport = Shares(AsyncHttpxTransport(client))
        bench = TransportBench(PlainTransportOf(transport, runner), sent_in_tasks(transport, runner))
        with pytest.raises(AssertionError, match="one got another's"):
            CHECKS["callers_may_share_it"](AsyncTransportContract(), bench)
        runner.run(client.aclose())


def test_the_first_check_is_that_a_request_arrives() -> None:
    """Who is wrong in everything reads first that a request does not arrive."""
    order = [name for base in reversed(TransportContract.__mro__) for name in vars(base) if name.startswith("test_")]
    assert order[0] == "test_a_request_arrives_and_its_answer_is_returned"
