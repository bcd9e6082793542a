import json
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.errors import (
    AuthenticationError,
    DecodeError,
    LeaseEndedError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RejectedError,
    RemoteError,
)
from acumatica_b2b.flow import Batch, Effect, Failed, Flow, Ok, Outcome, run
from acumatica_b2b.http import (
    Pause,
    Renew,
    Request,
    Response,
    Retries,
    Send,
    Session,
    at,
    attempt,
    json_body,
    send,
    send_signed,
    with_session,
)

T = TypeVar("T")

GET = Request(method="GET", url="http://h/x")
OK = Response(status=200)
RETRIES = Retries(attempts=3, first_pause=1.0, longest_pause=60.0, patience=600.0)
UNSENT = NotSentError("no route")
LOST = OutcomeUnknownError("no answer")
NO = RejectedError(Reason.INVALID, "no")
WRONG = AuthenticationError("401")


def slow_down(retry_after: float | None = None) -> RateLimitedError:
    """Return what a system says that wants patience."""
    return RateLimitedError("slow down", retry_after)


def classify(response: Response) -> Outcome[Response]:
    """Tell answers apart by status."""
    match response.status:
        case 200:
            return Ok(response)
        case 401:
            return Failed(WRONG)
        case 429:
            return Failed(slow_down(5.0))
        case 422:
            return Failed(NO)
        case _:
            return Failed(LOST)


@define
class Script:
    """Answers sends from a list, renews with a session a call, and keeps what was asked for."""

    replies: list[Outcome[Response]]
    asked: list[Effect[Any]] = field(factory=list[Effect[Any]])
    sessions: int = 0

    def __call__(self, batch: Batch) -> Sequence[Any]:
        """Return the answers to one batch."""
        return [self.answer(effect) for effect in batch]

    def answer(self, effect: Effect[Any]) -> Outcome[Response] | Session | None:
        """Return the answer to one effect."""
        self.asked.append(effect)
        match effect:
            case Send():
                return self.replies.pop(0)
            case Renew():
                self.sessions += 1
                return session(self.sessions)
            case _:
                return None

    @property
    def pauses(self) -> list[float]:
        """The waits asked for, in order."""
        return [effect.seconds for effect in self.asked if isinstance(effect, Pause)]


def session(number: int) -> Session:
    """Return what the n-th sign-in gives."""
    return Session(headers=(("Authorization", f"Bearer {number}"),))


def status(code: int) -> Outcome[Response]:
    """Return what a transport makes of an answer."""
    return Ok(Response(status=code))


# ------------------------------------------------------------------ values
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (at("http://h"), "http://h"),
        (at("http://h/"), "http://h"),
        (at("http://h/x/", "Contact", "100073"), "http://h/x/Contact/100073"),
        (at("http://h", "a/b", "c?d#e", "f g", "100%"), "http://h/a%2Fb/c%3Fd%23e/f%20g/100%25"),
        (at("http://h", "Müller"), "http://h/M%C3%BCller"),
        (at("http://h", query={}), "http://h"),
        (at("http://h", query={"$top": "2", "$skip": "4"}), "http://h?$top=2&$skip=4"),
        (at("http://h", query={"$expand": "Contacts,MainContact"}), "http://h?$expand=Contacts,MainContact"),
        (at("http://h", query={"$filter": "ID eq 'A&B'"}), "http://h?$filter=ID%20eq%20%27A%26B%27"),
        (at("http://h", query={"email": "a+b@c=d"}), "http://h?email=a%2Bb%40c%3Dd"),
    ],
)
def test_a_url_is_encoded_once(url: str, expected: str) -> None:
    """Segments and query are percent-encoded; what OData writes plainly stays plain."""
    assert url == expected


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_url_leads_where_it_says(segment: str) -> None:
    """RejectedError: an id that is empty or made of dots would make a request for something else."""
    with pytest.raises(RejectedError, match="can't stand in the path of a URL"):
        at("http://h", "Contact", segment)


SEGMENTS = st.text(min_size=1).filter(lambda text: text not in {".", ".."})


@given(st.lists(SEGMENTS, max_size=4), st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_a_server_reads_what_was_meant(path: list[str], query: dict[str, str]) -> None:
    """Whatever a segment or a value holds, it comes out of the URL as it went in, and stays where it is."""
    parts = urlsplit(at("http://h/base", *path, query=query))
    assert (parts.scheme, parts.netloc, parts.fragment) == ("http", "h", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "base", *path]
    assert parse_qsl(parts.query, keep_blank_values=True) == list(query.items())


def test_headers_are_found_whatever_their_case() -> None:
    """A header that comes several times keeps all its values, in order."""
    response = Response(status=200, headers=(("Set-Cookie", "a=1"), ("X-Id", "7"), ("set-cookie", "b=2")))
    assert response.header_values("SET-COOKIE") == ("a=1", "b=2")
    assert response.header("set-cookie") == "a=1"
    assert response.header("Retry-After") is None
    assert response.header_values("Retry-After") == ()


def test_no_repr_shows_headers_or_body() -> None:
    """What may hold a secret or an e-mail address stays out of reprs, and so out of logs."""
    secret = (("Authorization", "Bearer hush"),)
    request = Request(method="POST", url="http://h", headers=secret, body=b"hush")
    response = Response(status=200, headers=secret, body=b"hush")
    assert "hush" not in repr((request, response, Session(headers=secret), Send(request), Ok(response)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_json_comes_back(value: object) -> None:
    """What was written as a body is read from one."""
    assert Response(status=200, body=json_body(value)).json() == value


@pytest.mark.parametrize("text", ["ü", "😀", "\ud800"], ids=["letter", "emoji", "half-a-pair"])
def test_every_text_that_json_can_carry_can_be_sent(text: str) -> None:
    """Even half a surrogate pair, which JSON may carry and UTF-8 may not, goes out as it came in."""
    assert json.loads(json_body({"name": text})) == {"name": text}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            Response(status=502, headers=(("Content-Type", "text/html"),), body=b"<html>"),
            r"the answer with status 502 \(text/html, 6 bytes\) is no JSON",
        ),
        (Response(status=200), r"the answer with status 200 \(no content type, 0 bytes\) is no JSON"),
        (Response(status=200, body=b"\xff{}"), "is no JSON"),
        (Response(status=200, body=b"[" * 100_000), "is no JSON"),
    ],
    ids=["html", "empty", "not-utf-8", "too-deep"],
)
def test_what_is_no_json_is_named_and_not_shown(response: Response, message: str) -> None:
    """DecodeError: status, content type and length say enough; the body may hold anything."""
    with pytest.raises(DecodeError, match=message) as caught:
        response.json()
    assert "html>" not in str(caught.value)


# ------------------------------------------------------------------ when to send again
@pytest.mark.parametrize(
    ("error", "attempt_", "waited", "repeatable", "pause"),
    [
        (UNSENT, 1, 0.0, False, 1.0),
        (UNSENT, 2, 1.0, False, 2.0),
        (UNSENT, 3, 3.0, False, None),
        (LeaseEndedError("late"), 1, 0.0, False, 1.0),
        (LOST, 1, 0.0, True, 1.0),
        (LOST, 3, 0.0, True, None),
        (LOST, 1, 0.0, False, None),
        (slow_down(5.0), 1, 0.0, False, 5.0),
        (slow_down(None), 3, 0.0, False, 4.0),
        (slow_down(3600.0), 1, 0.0, False, 60.0),
        (slow_down(0.0), 1, 0.0, False, 1.0),
        (slow_down(60.0), 1, 540.0, False, 60.0),
        (slow_down(60.0), 1, 541.0, False, None),
        (NO, 1, 0.0, True, None),
        (WRONG, 1, 0.0, True, None),
        (RemoteError("?"), 1, 0.0, True, None),
    ],
    ids=str,
)
def test_when_a_request_is_sent_again(
    error: RemoteError,
    attempt_: int,
    waited: float,
    repeatable: bool,  # noqa: FBT001 -- a column of the table
    pause: float | None,
) -> None:
    """What surely did not happen is sent again, what may have happened only where twice is once."""
    assert RETRIES.pause(error, attempt_, waited, repeatable=repeatable) == pause


ERRORS = st.sampled_from([UNSENT, LOST, NO, WRONG]) | st.builds(slow_down, st.none() | st.floats(0, 1e6))
POLICIES = st.builds(
    Retries,
    attempts=st.integers(1, 9),
    first_pause=st.floats(0.5, 5),
    longest_pause=st.floats(5, 100),
    patience=st.floats(0, 300),
)


@given(POLICIES, ERRORS, st.integers(1, 10_000), st.floats(0, 1000), st.booleans())
def test_a_pause_is_never_shorter_than_the_first_nor_longer_than_the_longest(
    retries: Retries,
    error: RemoteError,
    attempt_: int,
    waited: float,
    repeatable: bool,  # noqa: FBT001 -- drawn
) -> None:
    """Whatever was said, and after however many tries, a pause is within its bounds; and there is a last one."""
    pause = retries.pause(error, attempt_, waited, repeatable=repeatable)
    assert pause is None or retries.first_pause <= pause <= retries.longest_pause
    if pause is not None and isinstance(error, RateLimitedError):
        assert waited + pause <= retries.patience
    elif pause is not None:
        assert attempt_ < retries.attempts


@given(POLICIES, st.integers(1, 60), st.booleans())
def test_pauses_grow(retries: Retries, attempt_: int, repeatable: bool) -> None:  # noqa: FBT001 -- drawn
    """The pause after a later try is not shorter."""
    one = retries.pause(slow_down(), attempt_, 0.0, repeatable=repeatable)
    next_one = retries.pause(slow_down(), attempt_ + 1, 0.0, repeatable=repeatable)
    assert one is None or next_one is None or one <= next_one


@given(POLICIES, st.floats(0, 0.5))
def test_a_system_that_is_always_busy_is_given_up(retries: Retries, retry_after: float) -> None:
    """However short the pauses it asks for, a request ends within its patience."""
    script = Script([Failed(slow_down(retry_after))] * (int(retries.patience / retries.first_pause) + 2))
    with pytest.raises(RateLimitedError):
        run(send(GET, classify, retries, repeatable=True), script)
    assert sum(script.pauses) <= retries.patience + 1e-6


# ------------------------------------------------------------------ send
def test_a_good_answer_is_the_answer() -> None:
    """A request that is answered is sent once."""
    script = Script([status(200)])
    assert run(send(GET, classify, RETRIES, repeatable=False), script) == OK
    assert script.asked == [Send(GET)]


@pytest.mark.parametrize(
    ("replies", "repeatable", "pauses"),
    [
        ([Failed(UNSENT), status(200)], False, [1.0]),
        ([Failed(UNSENT), Failed(UNSENT), status(200)], False, [1.0, 2.0]),
        ([status(429), status(429), status(429), status(200)], False, [5.0, 5.0, 5.0]),
        ([Failed(LOST), status(200)], True, [1.0]),
        ([status(500), status(200)], True, [1.0]),
    ],
)
def test_a_request_is_sent_again_after_a_pause(
    replies: list[Outcome[Response]],
    repeatable: bool,  # noqa: FBT001 -- a column of the table
    pauses: list[float],
) -> None:
    """The transport's errors and the vendor's are treated alike: the same request, after a pause."""
    script = Script(list(replies))
    assert run(send(GET, classify, RETRIES, repeatable=repeatable), script) == OK
    assert script.pauses == pauses
    assert script.asked == [Send(GET), *(step for pause in pauses for step in (Pause(pause), Send(GET)))]


@pytest.mark.parametrize(
    ("replies", "repeatable", "error"),
    [
        ([Failed(UNSENT)] * 3, False, UNSENT),
        ([Failed(LOST)] * 3, True, LOST),
        ([Failed(LOST)], False, LOST),
        ([status(500)], False, LOST),
        ([status(422)], True, NO),
        ([status(401)], True, WRONG),
        ([Failed(UNSENT), status(422)], True, NO),
        ([Failed(DecodeError("no JSON"))], True, DecodeError),
    ],
)
def test_the_last_error_is_raised(
    replies: list[Outcome[Response]],
    repeatable: bool,  # noqa: FBT001 -- a column of the table
    error: RemoteError | type[Exception],
) -> None:
    """Given up is what was refused, what may have happened, and what failed too often."""
    script = Script(list(replies))
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind) as caught:
        run(send(GET, classify, RETRIES, repeatable=repeatable), script)
    assert script.replies == []
    assert isinstance(error, type) or caught.value is error


@given(st.lists(st.sampled_from([200, 422, 429, 500]), min_size=1, max_size=8).map(lambda codes: [*codes, 200]))
def test_what_may_have_happened_is_not_sent_again_blindly(codes: list[int]) -> None:
    """After an answer was lost, a request that must not happen twice is not sent any more."""
    script = Script([status(code) for code in codes])
    run(attempt(send(GET, classify, RETRIES, repeatable=False)), script)
    sent = codes[: len(codes) - len(script.replies)]
    assert 500 not in sent[:-1]
    assert 422 not in sent[:-1]


# ------------------------------------------------------------------ send_signed
def signed(number: int) -> Send:
    """Return the request as it carries the n-th session."""
    return Send(with_session(GET, session(number)))


def test_a_signed_request_carries_the_session() -> None:
    """The session's headers come behind the request's own."""
    script = Script([status(200)])
    request = Request(method="GET", url="http://h", headers=(("Accept", "application/json"),))
    run(send_signed(request, classify, RETRIES, repeatable=False), script)
    assert script.asked[0] == Renew(None)
    assert isinstance(script.asked[1], Send)
    assert script.asked[1].request.headers == (("Accept", "application/json"), ("Authorization", "Bearer 1"))


def test_a_refused_session_is_renewed_once() -> None:
    """A request that meets an ended session is sent with a fresh one, and only with that one."""
    script = Script([status(401), status(200)])
    assert run(send_signed(GET, classify, RETRIES, repeatable=False), script) == OK
    assert script.asked == [Renew(None), signed(1), Renew(session(1)), signed(2)]


def test_a_fresh_session_that_is_refused_is_a_wrong_credential() -> None:
    """AuthenticationError: nobody tries a third time, that would lock the account."""
    script = Script([status(401), status(401)])
    with pytest.raises(AuthenticationError):
        run(send_signed(GET, classify, RETRIES, repeatable=True), script)
    assert script.sessions == 2


def test_a_signed_request_is_retried_like_any_other() -> None:
    """Pauses and a renewal go together: the retried request carries the fresh session."""
    script = Script([Failed(UNSENT), status(401), status(429), status(200)])
    assert run(send_signed(GET, classify, RETRIES, repeatable=False), script) == OK
    expected = [Renew(None), signed(1), Pause(1.0), signed(1), Renew(session(1)), signed(2), Pause(5.0), signed(2)]
    assert script.asked == expected


@pytest.mark.parametrize("failure", [UNSENT, WRONG])
def test_what_a_sign_in_raises_ends_the_request(failure: RemoteError) -> None:
    """An error of the sign-in is the request's error, and the request is not sent."""
    asked: list[Effect[Any]] = []

    def answer(batch: Batch) -> Sequence[Any]:
        asked.extend(batch)
        raise failure

    with pytest.raises(type(failure)):
        run(send_signed(GET, classify, RETRIES, repeatable=True), answer)
    assert asked == [Renew(None)]


# ------------------------------------------------------------------ attempt
def raising(error: Exception) -> Flow[Response]:
    """Return a flow that fails."""
    yield from ()
    raise error


@pytest.mark.parametrize("error", [UNSENT, LOST, NO, slow_down(), DecodeError("no JSON")], ids=repr)
def test_what_concerns_one_record_is_its_outcome(error: Exception) -> None:
    """An error about one request is a value."""
    assert run(attempt(raising(error)), Script([])) == Failed(error)


@pytest.mark.parametrize("error", [WRONG, ZeroDivisionError()], ids=repr)
def test_what_concerns_the_run_is_raised(error: Exception) -> None:
    """A wrong credential and a bug end the run."""
    with pytest.raises(type(error)):
        run(attempt(raising(error)), Script([]))


def test_what_comes_of_a_flow_is_its_outcome() -> None:
    """A flow that ends well is Ok."""
    assert run(attempt(send(GET, classify, RETRIES, repeatable=False)), Script([status(200)])) == Ok(OK)
