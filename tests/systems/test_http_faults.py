"""Each fault of the network at each call of both clients: what comes of it, and that nothing is done twice."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from typing import Any, Final, TypeAlias

import pytest
from attrs import evolve, frozen

from acumatica_b2b.bigcommerce.errors import TooLargeError
from acumatica_b2b.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
)
from acumatica_b2b.http import Response
from tests.systems.matrix import (
    CALLS,
    EXCEPTIONS,
    HUSH,
    INTERRUPTS,
    NEVER_LEFT,
    PERSON,
    Came,
    Meets,
    World,
    ask,
    ever,
    main_request,
    once,
    role,
    told,
)

ALL: Final = os.environ.get("ACUMATICA_B2B_HTTP_FAULTS") == "whole"
"""Whether each case runs with both clients, and each exception at each request: ten times as many."""
SAMPLES: Final = (
    tuple(EXCEPTIONS) if ALL else ("httpx.ConnectTimeout", "httpx.ReadError", "RuntimeError", "asyncio.CancelledError")
)


@cache
def before() -> World:
    """Return the world as it is before each case."""
    return World()


@cache
def well(name: str) -> tuple[Came, Any]:
    """Return what a call comes to where all is well, and what is there then."""
    world = before().lent(CALLS[name])
    came = ask(CALLS[name], world, awaited=False)
    assert not came.errors(), came
    return came, world.state()


def drivers(*case: int) -> tuple[bool, ...]:
    """Return whether to await, for each driver that a case is for: both, or each in turn."""
    return (False, True) if ALL else (sum(case) % 2 == 1,)


# ------------------------------------------------------------------ exceptions
def check(name: str, number: int, kind: str, *, acts: bool, awaited: bool) -> None:
    """Let one request of a call meet an exception, and look at all that comes of it."""
    clean, afterwards = well(name)
    line, world = clean.lines[number], before().lent(CALLS[name])
    came = ask(CALLS[name], world, once(number, Meets(comes=EXCEPTIONS[kind], acts=acts)), awaited=awaited)
    case = (name, line, kind, acts, awaited, came)
    sent = Counter(zip(came.lines, came.bodies, strict=True))
    lost = kind not in NEVER_LEFT
    if kind in INTERRUPTS:
        assert type(came.raised) is EXCEPTIONS[kind], case
    elif lost and role(line) == "sign-in":
        assert_sign_in_lost(name, came)
        assert world.tenant.open_sessions == int(acts and line.endswith("/auth/login")), case
    elif lost and role(line) == "create":
        assert [type(error) for error in came.errors()] == [OutcomeUnknownError] * len(clean.value), case
        assert world.state() == (afterwards if acts else before().state()), case
    else:
        assert came.value == clean.value, case
        assert world.state() == afterwards, case
        assert world.tenant.open_sessions == 0, case
    if lost:
        assert all(times == 1 for (at, _), times in sent.items() if role(at) in {"create", "sign-in"}), case
    assert_discreet(came)


def assert_sign_in_lost(name: str, came: Came) -> None:
    """Assert that no request went out without a session, and that the check of a set-up says what is wrong."""
    if name == "check of the ERP":
        assert "wrong" in {check.verdict.value for check in came.value}
    else:
        assert isinstance(came.raised, NotSentError), came
        assert {role(line) for line in came.lines} == {"sign-in"}, came


def assert_discreet(came: Came) -> None:
    """Assert that no error of ours repeats what it was told."""
    for error in came.errors():
        text = told(error)
        assert [word for word in (*HUSH, PERSON, "@") if word in text] == [], text


@pytest.mark.parametrize("name", CALLS)
def test_every_exception_at_every_call(name: str) -> None:
    """Whatever httpx raises at whatever call, before the server acts or after, the outcome is of the right class.

    What was not sent is sent again, and so is what may be sent twice; a create or a sign-in whose answer was
    lost is not, and is reported as what nobody knows, or as what did not come to pass.
    """
    number, cases = main_request(CALLS[name], well(name)[0].lines), 0
    reads = role(well(name)[0].lines[number]) == "read"
    for i, kind in enumerate(EXCEPTIONS):
        before_only = kind in NEVER_LEFT or (reads and not ALL)
        in_turn = (False, True) if ALL else ((i + len(name)) % 2 == 1,)
        for acts in (False,) if before_only else in_turn:
            for awaited in drivers(i // 2, len(name)):
                check(name, number, kind, acts=acts, awaited=awaited)
                cases += 1
    print(f"{name}: {len(EXCEPTIONS)} exceptions, {cases} cases; {len(CALLS)} calls")  # noqa: T201  # part of the proof
    assert cases >= len(EXCEPTIONS) >= 42


@pytest.mark.parametrize("name", CALLS)
def test_every_request_of_every_call(name: str) -> None:
    """The same holds for every single request that a call consists of."""
    requests, cases = len(well(name)[0].lines), 0
    for number, (j, kind), acts in product(range(requests), enumerate(SAMPLES), (False, True)):
        if acts and kind in NEVER_LEFT:
            continue
        for awaited in drivers(number, j, acts):
            check(name, number, kind, acts=acts, awaited=awaited)
            cases += 1
    print(f"{name}: {len(SAMPLES)} exceptions at each of {requests} requests, {cases} cases")  # noqa: T201  # as above
    assert cases >= 7 * requests


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["httpx.ConnectError", "httpx.ReadError"])
def test_exceptions_without_end(kind: str, name: str) -> None:
    """What fails for ever ends, after few tries, in the class of what happened the last time."""
    call, (clean, _) = CALLS[name], well(name)
    line = clean.lines[main_request(call, clean.lines)]
    for awaited in (False, True):
        world = before().lent(call)
        came = ask(call, world, ever(f"^{line}$", Meets(comes=EXCEPTIONS[kind])), awaited=awaited)
        assert sum(sent == line for sent in came.lines) <= 4 * clean.lines.count(line)
        assert_discreet(came)
        if role(line) == "sign-out":
            assert came.value == clean.value
        elif name.startswith("check"):
            assert "wrong" in {check.verdict.value for check in came.value}
        else:
            expected = NotSentError if kind in NEVER_LEFT or role(line) == "sign-in" else OutcomeUnknownError
            assert came.errors(), came
            assert all(isinstance(error, expected) for error in came.errors()), came


# ------------------------------------------------------------------ answers
TOLD: Final = f"{PERSON} password=s3cret; Authorization: Bearer t0ken; .ASPXAUTH=c00kie".encode()
HTML: Final = ("Content-Type", "text/html; charset=utf-8")
Errors: TypeAlias = tuple[type[Exception], ...]


def _plain(status: int, *headers: tuple[str, str]) -> Callable[[Response], Response]:
    return lambda _: Response(status=status, headers=headers, body=TOLD)


def _typed(kind: str) -> Callable[[Response], Response]:
    return lambda answer: evolve(
        answer,
        headers=(*(pair for pair in answer.headers if pair[0].lower() != "content-type"), ("Content-Type", kind)),
    )


@frozen(kw_only=True)
class Shape:
    """An answer, and what it means to each kind of request; nothing: all goes well nevertheless."""

    comes: Callable[[Response], Response]
    read: Errors = ()
    create: Errors = ()
    change: Errors = ()
    removal: Errors = ()
    sign_in: Errors = ()
    acts: tuple[bool, ...] = (True,)


UNREADABLE: Final = Shape(
    comes=lambda answer: answer,
    read=(DecodeError,),
    create=(OutcomeUnknownError,),
    change=(DecodeError,),
    removal=(DecodeError,),
    sign_in=(DecodeError, ConfigurationError),
)
REFUSED: Final = Shape(
    comes=lambda answer: answer,
    read=(RejectedError,),
    create=(RejectedError,),
    change=(RejectedError,),
    removal=(RejectedError,),
    sign_in=(AuthenticationError,),
    acts=(False,),
)
SET_UP: Final = Shape(
    comes=lambda answer: answer,
    read=(ConfigurationError,),
    create=(ConfigurationError,),
    change=(ConfigurationError,),
    removal=(ConfigurationError,),
    sign_in=(ConfigurationError,),
    acts=(False,),
)
FAULT: Final = Shape(
    comes=lambda answer: answer, create=(OutcomeUnknownError,), sign_in=(NotSentError,), acts=(False, True)
)
SHAPES: Final[Mapping[str, Shape]] = {
    "cut off": evolve(UNREADABLE, comes=lambda answer: evolve(answer, body=answer.body[: len(answer.body) // 2])),
    "a page": evolve(UNREADABLE, comes=lambda _: Response(status=200, headers=(HTML,), body=b"<html>" + TOLD)),
    "a page without a type": evolve(UNREADABLE, comes=lambda _: Response(status=200, body=b"<!DOCTYPE html>" + TOLD)),
    "a text": evolve(UNREADABLE, comes=_plain(200)),
    "nothing": evolve(UNREADABLE, comes=lambda answer: Response(status=200, headers=answer.headers)),
    "data called a text": Shape(comes=_typed("text/plain")),
    "the page for signing in": evolve(
        SET_UP, comes=_plain(302, ("Location", f"/Frames/Login.aspx?ReturnUrl={PERSON}"))
    ),
    "another place": evolve(SET_UP, comes=_plain(307, ("Location", f"https://elsewhere.example/?{PERSON}"))),
    "413": evolve(REFUSED, comes=_plain(413)),
    "414": evolve(REFUSED, comes=_plain(414)),
    "429": Shape(comes=_plain(429), acts=(False,)),
    "500": evolve(FAULT, comes=_plain(500)),
    "502": evolve(FAULT, comes=_plain(502, HTML)),
    "503": evolve(FAULT, comes=_plain(503)),
    "504": evolve(FAULT, comes=_plain(504, HTML)),
}


def meant(name: str, shape: str, line: str) -> Errors:
    """Return the errors that an answer may mean to one request of a call."""
    erp, kind = CALLS[name].erp, role(line)
    if kind == "sign-out" or name.startswith("check"):
        return ()
    kind = "read" if kind == "look-up" else kind
    if shape == "413" and not erp:
        return (TooLargeError,)
    if shape == "the page for signing in" and erp:
        return (AuthenticationError,) if kind == "sign-in" else ()
    if (shape, kind, "/users/" in line) == ("500", "removal", True):
        return (RejectedError,)  # it is how the API protects the last admin
    errors: Errors = getattr(SHAPES[shape], kind.replace("-", "_"))
    confirms = kind == "read" and name in {"new companies", "new users", "new addresses"} and line.endswith(name[4:])
    return (OutcomeUnknownError,) if confirms and errors != (ConfigurationError,) else errors


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_answer_at_every_request(shape: str, name: str) -> None:
    """Whatever answer comes to whatever request, its meaning is the documented one, and nothing is made twice.

    Where not all cases are wanted, those are left out that are of no call's name, two of three.
    """
    call, (clean, _) = CALLS[name], well(name)
    main, turn = main_request(call, clean.lines), list(SHAPES).index(shape)
    for number, acts in product(range(len(clean.lines)), SHAPES[shape].acts):
        if not ALL and number != main and (number + turn) % 3:
            continue
        for awaited in drivers(number, acts):
            world, line = before().lent(call), clean.lines[number]
            came = ask(call, world, once(number, Meets(comes=SHAPES[shape].comes, acts=acts)), awaited=awaited)
            errors, case = meant(name, shape, line), (line, acts, awaited, came)
            found = came.errors()
            assert all(isinstance(error, errors) for error in found), case
            if not (errors or name.startswith("check")):
                assert came.value == clean.value, case
            if acts and role(line) == "create":
                sent = Counter(zip(came.lines, came.bodies, strict=True))
                assert all(times == 1 for (at, _), times in sent.items() if role(at) == "create"), case
            assert_no_doubles(world)
            assert_discreet(came)


def assert_no_doubles(world: World) -> None:
    """Assert that nobody and nothing is there twice."""
    shop = world.shop
    held = [
        *(one.uuid for one in shop.companies.values()),
        *(one.uuid for one in shop.users.values()),
        *(one.external_id for one in shop.addresses.values()),
    ]
    assert [id_ for id_, times in Counter(held).items() if times > 1 and id_] == []
