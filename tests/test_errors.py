import copy
import inspect
import pickle
import re

import pytest

from acumatica_b2b import errors
from acumatica_b2b.errors import AcumaticaB2BError, DecodeError, RateLimitedError, Reason, RejectedError, RemoteError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
SAMPLES = [
    *(kind("company 'Aperture' can't be read") for kind in CLASSES if "__init__" not in vars(kind)),
    DecodeError("expected str"),
    DecodeError("expected str", path="data[3].email"),
    RateLimitedError("150 requests a minute"),
    RateLimitedError("150 requests a minute", retry_after=2.5),
    RejectedError(Reason.EMAIL_TAKEN),
    RejectedError(Reason.LAST_ADMIN, "company 7 would have no admin"),
]


def drawn_tree() -> dict[str, str | None]:
    """Return each class that the module's docstring draws, with the one it hangs from."""
    above: list[str] = []
    tree: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        if drawn := re.match(r" {4}((?:│   |    )*)(?:[├└]── )?(\w+Error)\b", line):
            branch = line[4:].find("── ") >= 0
            depth = len(drawn[1]) // 4 + branch
            tree[drawn[2]] = above[depth - 1] if depth else None
            above[depth:] = [drawn[2]]
    return tree


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every error is drawn at the top of its module, below the one it is a kind of, and no other."""
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}
    assert drawn_tree() == real | {"AcumaticaB2BError": None}


def test_every_error_has_a_sample_here() -> None:
    """The tests below speak of every class."""
    assert {type(sample) for sample in SAMPLES} == set(CLASSES)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", SAMPLES, ids=repr)
def test_every_error_pickles(error: AcumaticaB2BError, protocol: int) -> None:
    """An error that crosses a process keeps its class, message, arguments and attributes."""
    twin = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 -- what we have just pickled ourselves
    assert (type(twin), str(twin), twin.args, vars(twin)) == (type(error), str(error), error.args, vars(error))


@pytest.mark.parametrize("error", SAMPLES, ids=repr)
def test_every_error_can_be_copied(error: AcumaticaB2BError) -> None:
    """A copy of an error says what the error says."""
    twin = copy.copy(error)
    assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("error", SAMPLES, ids=repr)
def test_every_error_says_something(error: AcumaticaB2BError) -> None:
    """No error has an empty message, and none shows its arguments as a tuple."""
    assert str(error)
    assert not str(error).startswith("(")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DecodeError("expected str"), "expected str"),
        (DecodeError("expected str", path="data[3].email"), "data[3].email: expected str"),
        (RateLimitedError("ask later", retry_after=2.5), "ask later"),
        (RejectedError(Reason.GONE), "gone"),
        (RejectedError(Reason.GONE, "user 12 is not there"), "user 12 is not there"),
    ],
)
def test_an_error_reads_as_a_sentence(error: AcumaticaB2BError, message: str) -> None:
    """The message names the field where there is a path, and the reason where nothing else is known."""
    assert str(error) == message


def test_errors_tell_what_they_know() -> None:
    """Path, pause and reason are attributes."""
    assert DecodeError("expected str", path="a.b").path == "a.b"
    assert RateLimitedError("ask later").retry_after is None
    assert RejectedError(Reason.LAST_USER).reason is Reason.LAST_USER


def test_a_late_send_counts_as_not_sent() -> None:
    """Who handles requests that were not sent handles those of an ended lease as well."""
    assert issubclass(errors.LeaseEndedError, errors.NotSentError)
    assert not issubclass(errors.StoreError, RemoteError)


def test_no_address_in_a_refusal() -> None:
    """Whatever a system answers, a refusal shows no e-mail address."""
    error = errors.RejectedError(errors.Reason.OTHER, "can't take 'anna@acme.example' (or <b@c.example>)")
    assert str(error) == "can't take '<e-mail>' (or <<e-mail>>)"
    assert "@" not in repr(error)
