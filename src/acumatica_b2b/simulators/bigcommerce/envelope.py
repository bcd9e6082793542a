"""The API's envelope: calls and queries in, answers and the five shapes of errors out."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeGuard, TypeVar
from urllib.parse import parse_qsl

from attrs import field, frozen

T = TypeVar("T")

LARGEST_PAGE: Final = 250
LARGEST_BULK: Final = 10

PARAMETER_ERROR: Final = "Parameter Error"
LOGICAL_ERROR: Final = "Processing data contains logical errors"
NOT_NULL: Final = "This field may not be null."
_STAMPS: Final = {"Created": "created_at", "Modified": "updated_at"}


@frozen
class Answer:
    """A status and the JSON that goes with it."""

    status: int
    body: Mapping[str, Any]

    @property
    def data(self) -> Any:
        """The payload inside the envelope."""
        return self.body.get("data")


class RefusedError(Exception):
    """The API says no; `detail` is what it says, without the envelope."""

    def __init__(self, answer: Answer, detail: Any, *, conflict: bool = False) -> None:
        super().__init__(answer, detail)
        self.answer = answer
        self.detail = detail
        self.conflict = conflict

    def __str__(self) -> str:
        return f"the store answers {self.answer.status}"


# ------------------------------------------------------------------ answers
def done(data: Any, message: str = "Success", *, pagination: Mapping[str, int] | None = None) -> Answer:
    """Return the answer of a success; the API spells its message differently per resource."""
    meta: dict[str, Any] = {"message": message}
    if pagination is not None:
        meta["pagination"] = pagination
    return Answer(200, {"code": 200, "data": data, "meta": meta})


def enveloped(status: int, data: Any, message: str) -> Answer:
    """Return the answer of a failure, in the envelope."""
    return Answer(status, {"code": status, "data": data, "meta": {"message": message}})


def invalid(errors: Mapping[str, Any]) -> RefusedError:
    """Return the refusal of fields, by their names in snake_case."""
    return RefusedError(enveloped(422, {"errMsg": errors}, PARAMETER_ERROR), errors)


def illogical(text: str, *, conflict: bool = False) -> RefusedError:
    """Return the refusal of what is well-formed and can't be."""
    return RefusedError(enveloped(422, {"errMsg": text}, LOGICAL_ERROR), text, conflict=conflict)


def plain(status: int, message: str) -> RefusedError:
    """Return the refusal whose only word is the message."""
    return RefusedError(enveloped(status, {}, message), message)


def not_found(text: str) -> RefusedError:
    """Return the refusal of an id that names nothing, as users and addresses say it."""
    return RefusedError(enveloped(404, {"errMsg": text}, "Not Found Error"), text)


def bare(status: int, message: str) -> RefusedError:
    """Return the refusal of the channels, which have no envelope."""
    return RefusedError(Answer(status, {"code": status, "message": message}), message)


# ------------------------------------------------------------------ queries
@frozen
class Query:
    """The query of a URL, read as the API reads it."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Return the query behind the question mark."""
        return cls(tuple(parse_qsl(text)))

    def every(self, *names: str) -> tuple[str, ...]:
        """Return all values that have one of these names."""
        return tuple(value for name, value in self.pairs if name in names)

    def one(self, name: str) -> str | None:
        """Return the last value of a name."""
        return next(reversed(self.every(name)), None)

    def number(self, name: str) -> int | None:
        """Return a value as a number."""
        value = self.one(name)
        if value is None or value.isdecimal():
            return None if value is None else int(value)
        raise invalid({_snake(name): ["A valid integer is required."]})

    def flag(self, name: str) -> bool | None:
        """Return a value as yes or no."""
        value = self.one(name)
        return None if value is None else value.lower() in {"1", "true"}

    def page(
        self,
        items: Sequence[T],
        render: Callable[[T], Any],
        message: str = "Success",
        largest: int = LARGEST_PAGE,
    ) -> Answer:
        """Return the wanted page of the items."""
        limit, offset = self.number("limit"), self.number("offset") or 0
        limit = 10 if limit is None else limit
        if limit > largest:
            raise plain(413, "Request Entity Too Large")
        if limit < 1:
            raise invalid({"limit": ["Ensure this value is greater than or equal to 1."]})
        pagination = {"totalCount": len(items), "limit": limit, "offset": offset}
        return done([render(item) for item in items[offset : offset + limit]], message, pagination=pagination)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def stamp_tests(query: Query, *, inclusive: bool = False) -> list[Callable[[Any], bool]]:
    """Return what a query asks of a record's stamps; whether the bounds belong to it differs by resource."""
    tests: list[Callable[[Any], bool]] = []
    for parameter, stamp in _STAMPS.items():
        after, before = query.number(f"min{parameter}"), query.number(f"max{parameter}")
        if after is not None:
            tests.append(_later(attrgetter(stamp), after - inclusive))
        if before is not None:
            tests.append(_earlier(attrgetter(stamp), before + inclusive))
    return tests


def earliest(query: Query) -> int | None:
    """Return the stamp before which nothing was written that a query asks for; None: it asks for all times."""
    bounds = (query.number(f"min{parameter}") for parameter in _STAMPS)
    return max((bound for bound in bounds if bound is not None), default=None)


def _later(stamp: Callable[[Any], int], bound: int) -> Callable[[Any], bool]:
    return lambda record: stamp(record) > bound


def _earlier(stamp: Callable[[Any], int], bound: int) -> Callable[[Any], bool]:
    return lambda record: stamp(record) < bound


@frozen(kw_only=True)
class Call:
    """One request below the resource: `GET /users/7` has the path ("7",)."""

    method: str
    path: tuple[str, ...] = ()
    query: Query = Query()
    body: Any = field(default=None, repr=False)


def number_in(path: str, otherwise: RefusedError) -> int:
    """Return the id in a path."""
    if path.isdecimal():
        return int(path)
    raise otherwise


def no_such_route(call: Call) -> RefusedError:
    """Return the refusal of a method that the path does not know."""
    return plain(405, f'Method "{call.method}" not allowed.')


# ------------------------------------------------------------------ bulk calls
@frozen(kw_only=True)
class Bulk:
    """What became of the rows of a bulk call; `refused` is parallel to the rows."""

    made: tuple[Any, ...]
    refused: tuple[RefusedError | None, ...]

    @property
    def failures(self) -> tuple[RefusedError, ...]:
        """The refusals alone."""
        return tuple(refusal for refusal in self.refused if refusal)


def in_bulk(rows: Sequence[Any], make: Callable[[Any], Any], undo: Callable[[Any], None] | None) -> Bulk:
    """Make each row by itself; with `undo`, one refusal takes back all of them."""
    made: list[Any] = []
    refused: list[RefusedError | None] = []
    for row in rows:
        try:
            made.append(make(row))
            refused.append(None)
        except RefusedError as refusal:
            refused.append(refusal)
    if undo and any(refused):
        while made:
            undo(made.pop())
    return Bulk(made=tuple(made), refused=tuple(refused))


def rows_of(body: Any, too_many: RefusedError) -> list[Any]:
    """Return the rows of a bulk call."""
    if not is_list(body) or not body:
        raise invalid({"non_field_errors": ["Expected a list of items."]})
    if len(body) > LARGEST_BULK:
        raise too_many
    return body


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is a list."""
    return isinstance(value, list)


def too_many_rows() -> RefusedError:
    """Return the refusal of more than ten rows, as users and addresses say it."""
    text = "Add up to ten data at a time"
    return RefusedError(enveloped(413, {"errMsg": text}, "Request Entity Too Large"), text)


def bulk_refusal(bulk: Bulk) -> RefusedError:
    """Return the refusal of a bulk call, as users and addresses say it.

    Rows are listed in parallel, save that mere conflicts are one sentence.
    """
    if all(failure.conflict for failure in bulk.failures):
        return illogical(str(bulk.failures[0].detail) if len(bulk.failures) == 1 else _joined(bulk.failures))
    errors = [_row_errors(refusal) for refusal in bulk.refused]
    return RefusedError(enveloped(422, {"errMsg": errors}, PARAMETER_ERROR), errors)


def _joined(failures: Sequence[RefusedError]) -> str:
    return " ".join(str(failure.detail) for failure in failures)


def _row_errors(refusal: RefusedError | None) -> Any:
    if refusal is None:
        return {}
    return {"non_field_errors": [refusal.detail]} if isinstance(refusal.detail, str) else refusal.detail
