"""Rows of one entity: page after page behind the last key, or one by its key.

The API promises no order; the one observed is that of the keys, as the database collates them. So each
page begins behind the server's last key, and a page whose keys do not ascend proves nothing.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, Generic, TypeVar

from attrs import evolve, frozen

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig
from acumatica_b2b.acumatica.errors import CannotOptimizeError, classify
from acumatica_b2b.acumatica.queries import Key, Shape
from acumatica_b2b.acumatica.rows import Keep, Row, as_row, kept_of, key_of, row_of, rows_of
from acumatica_b2b.errors import DecodeError, Reason, RejectedError
from acumatica_b2b.flow import Flow, together
from acumatica_b2b.http import Request, Response, send_signed, server_time

S = TypeVar("S")
T = TypeVar("T")

MOST_PAGES: Final = 20_000
"""No tenant has so many, of whatever size."""


@frozen(kw_only=True)
class Listing(Generic[T]):
    """What is kept of rows, by their keys, in the order they came.

    `last` is the server's last key. `proven`: the order of the keys proves that no row is missing.
    `more`: there may be rows behind these. `stuck`: the server did not go on behind the key it was
    told. `asked`: the server's own time at the first answer.
    """

    rows: dict[Key, T]
    last: Key | None
    proven: bool
    more: bool
    stuck: bool
    asked: datetime | None


@frozen(kw_only=True)
class Course:
    """How many full pages a listing has come to, and a key behind one of them, by which a circle shows."""

    pages: int = 0
    milestone: str = ""

    def onward(self, entity: str, key: str) -> "Course":
        """Return the course behind one more full page, which ends with this key.

        Raises:
            DecodeError: the list goes round in circles, or has no end.

        """
        if key == self.milestone:
            raise DecodeError(f"the list goes round in circles: behind {key!r} it comes to {key!r} again", entity)
        if self.pages >= MOST_PAGES:
            raise DecodeError(f"the list does not end: behind {self.pages} full pages there is another", entity)
        pages = self.pages + 1
        is_power_of_two = not pages & self.pages  # so there is one within every circle, whenever that begins
        return Course(pages=pages, milestone=key if is_power_of_two else self.milestone)


def listed(config: AcumaticaConfig, shape: Shape, where: str, top: int, keep: Keep[T]) -> Flow[Listing[T]]:
    """Return what is kept of all rows that fit a filter, `top` a request."""
    return (yield from gathered(config, shape, where, top, keep, _joined))


def _joined(whole: Listing[T] | None, following: Listing[T]) -> Listing[T]:
    if whole is None:
        return following
    proven = whole.proven and following.proven
    return evolve(following, rows=whole.rows | following.rows, proven=proven, asked=whole.asked)


def gathered(
    config: AcumaticaConfig,
    shape: Shape,
    where: str,
    top: int,
    keep: Keep[T],
    add: Callable[[S | None, Listing[T]], S],
) -> Flow[S]:
    """Return what `add` makes of the pages of a listing, of which no more than one is kept.

    Raises:
        DecodeError: the listing has no end.

    """
    following = yield from page(config, shape, where, None, top, keep)
    whole, course = add(None, following), Course()
    while following.more and not following.stuck:
        course = course.onward(shape.entity, str(following.last))
        following = yield from page(config, shape, where, following.last, top, keep)
        whole = add(whole, following)
    return whole


def page(
    config: AcumaticaConfig, shape: Shape, where: str, after: Key | None, top: int, keep: Keep[T]
) -> Flow[Listing[T]]:
    """Return what is kept of up to `top` rows that fit a filter, behind a key."""
    behind = queries.all_of(where, queries.bound(shape.keys, after, "gt") if after else "")
    response, exported = yield from _exported(config, shape, behind, top)
    listed = kept_of(response, shape, keep) if exported else []
    bare = [] if exported else kept_of(response, shape, as_row)
    keys = [key for key, _ in listed or bare]
    stuck = after is not None and after in keys
    in_order = ascend(keys if after is None else [after, *keys])
    proven = not stuck and (in_order or (yield from _whole(config, shape, where, keys)))
    return Listing(
        rows=dict(listed) if exported else (yield from _each_by_key(config, shape, dict(bare), keep)),
        last=keys[-1] if keys else after,
        proven=proven,
        more=len(keys) >= top,
        stuck=stuck,
        asked=server_time(response),
    )


def _exported(config: AcumaticaConfig, shape: Shape, where: str, top: int) -> Flow[tuple[Response, bool]]:
    """Return a list, and whether it has more than the keys: a list is one SQL query, which can't have every field."""
    try:
        return (yield from get(config, queries.listing(config, shape, where, top))), True
    except CannotOptimizeError:
        if shape.otherwise:
            return (yield from _exported(config, shape.otherwise, where, top))
    return (yield from get(config, queries.listing(config, shape.only_keys(), where, top))), False


def _each_by_key(config: AcumaticaConfig, shape: Shape, listed: dict[Key, Row], keep: Keep[T]) -> Flow[dict[Key, T]]:
    # By key a record is read through its form, so that no field of it has to be in the database.
    read = yield from together(found(config, shape, address(row, key)) for key, row in listed.items())
    return {key: keep(row, json.dumps(row.data)) for key, row in zip(listed, read, strict=True) if row is not None}


def found(config: AcumaticaConfig, shape: Shape, address: Sequence[str]) -> Flow[Row | None]:
    """Return the row of a key or id; None is the ERP's own word that there is none."""
    try:
        response = yield from get(config, queries.single(config, shape, address))
    except RejectedError as error:
        if error.reason is Reason.GONE:
            return None
        raise
    row = row_of(response.json(), shape)
    key_of(row, shape)  # a row without its key is nobody's
    return row


def address(row: Row, key: Key) -> tuple[str, ...]:
    """Return how a row is read by itself: by its keys, or by its id where a key does not fit into a path."""
    plain = row.data.get("id")
    return tuple(map(str, key)) if fits_path(key) or not isinstance(plain, str) else (plain,)


def fits_path(key: Key) -> bool:
    """Return whether IIS lets these keys through as parts of a path, where even encoded `/`, `&` or `:` are refused."""
    return all(re.fullmatch(r"[\w\- ]+", str(part), re.ASCII) for part in key)


def get(config: AcumaticaConfig, request: Request) -> Flow[Response]:
    """Return the answer to a request that only reads."""
    return (yield from send_signed(request, classify, config.retries, repeatable=True))


# ------------------------------------------------------------------ order
def _whole(config: AcumaticaConfig, shape: Shape, where: str, keys: list[Key]) -> Flow[bool]:
    """Return whether, by the server's own comparison, a page is all there is from its first to its last key."""
    if all(isinstance(part, int) for key in keys for part in key):
        return False  # numbers have one order only
    ends = (queries.bound(shape.keys, key, sign) for key, sign in ((keys[0], "ge"), (keys[-1], "le")))
    request = queries.listing(config, shape.only_keys(), queries.all_of(where, *ends), len(keys) + 1)
    rows = rows_of((yield from get(config, request)), shape)
    return sorted(map(str, keys)) == sorted(str(key_of(row, shape)) for row in rows)


def ascend(keys: Sequence[Key]) -> bool:
    """Return whether keys ascend without repetition, as one of the usual collations orders texts.

    >>> ascend([("AB",), ("A-C",), ("AD",)]), ascend([("B",), ("A",)])
    (True, False)
    """
    by_number = keys and all(type(part) is int for part in keys[0])
    orders = (_numbered,) if by_number else (_folded, _letters)
    return any(all(before < after for before, after in pairwise([order(key) for key in keys])) for order in orders)


def _numbered(key: Key) -> Key:
    return key


def _folded(key: Key) -> tuple[str | int, ...]:
    return tuple(part if isinstance(part, int) else part.casefold() for part in key)


def _letters(key: Key) -> tuple[str | int, ...]:
    # SQL Server's Unicode collations weigh hyphens and apostrophes last.
    return tuple(part if isinstance(part, int) else re.sub(r"[-']", "", part.casefold()) for part in key)
