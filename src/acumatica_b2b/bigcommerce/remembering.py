"""Companies that this client made itself, shown from what it has read since its own last write to them.

Nothing in such a company is older than the company, so the newest rows of the three lists hold all of it: after a
wave's creates they are read once, and not once for each company.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.known import Made, Tail
from acumatica_b2b.bigcommerce.newest import ADDRESSES, USERS, Growing, latest, newest
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, UserRecord
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.http import attempt


@frozen(kw_only=True)
class Whole:
    """A company with all that is in it."""

    record: CompanyRecord
    users: tuple[UserRecord, ...]
    addresses: tuple[AddressRecord, ...]


def remembered(api: Api, ids: Iterable[str]) -> Flow[Mapping[str, Whole]]:
    """Return those of the companies that the newest rows of the lists show as they are after our last write."""
    made = {id_: made for id_ in ids if id_.isascii() and id_.isdigit() and (made := api.known.made.get(int(id_)))}
    if not made:
        return {}
    stamp = min(each.stamp for each in made.values())
    lists: Sequence[Tail[Any] | None] = yield from together(
        (
            _read_since(api, USERS, stamp, max(each.users for each in made.values())),
            _read_since(api, ADDRESSES, stamp, max(each.addresses for each in made.values())),
        )
    )
    yield from _read_records(api, made)
    users, addresses = map(_by_company, lists)
    found: dict[str, Whole] = {}
    for id_, each in made.items():
        turns = (each.users, each.addresses)
        # a company has an admin; one who was a shopper before may be older than the company
        shown = all(_shows(tail, each, turn) for tail, turn in zip(lists, turns, strict=True))
        if not users[id_] or each.record is None or not shown:
            continue
        its_users = tuple(_now(user, each) for user in users[id_])
        found[id_] = Whole(record=each.record, users=its_users, addresses=tuple(addresses[id_]))
    return found


def _read_records(api: Api, made: Mapping[str, Made]) -> Flow[None]:
    """Read the companies whose own fields were changed since they were read."""
    missing = {int(id_): each for id_, each in made.items() if each.record is None}
    if not missing:
        return
    turn, stamp = next(api.known.turns), min(each.stamp for each in missing.values())
    read: Outcome[Mapping[int, CompanyRecord]] = yield from attempt(latest(api, missing, stamp))
    for id_, record in read.value.items() if isinstance(read, Ok) else ():
        if (each := missing.get(id_)) and each.changed_at < turn:
            each.record = record


def _now(user: UserRecord, made: Made) -> UserRecord:
    now = made.changed.get(user.id)
    if now is None:
        return user
    # an answer to a change of the role need not tell the rest
    names = ("role", "company_role_id", "company_role_name")
    return evolve(user, **{name: getattr(now, name) for name in names})


def _read_since(api: Api, of: Growing[Any], stamp: int, turn: int) -> Flow[Tail[Any] | None]:
    """Return the newest rows of a list, read once more where that was last done before `turn`."""
    if turn < 0:
        return Tail(since=stamp)
    read: Outcome[Tail[Any] | None] = yield from attempt(newest(api, of, stamp, turn))
    match read:
        case Ok(tail):
            return tail
        case Failed():  # each company is read by itself, and says what is wrong
            return None


def _shows(tail: Tail[Any] | None, made: Made, turn: int) -> bool:
    return tail is not None and tail.since <= made.stamp and tail.turn > turn


def _by_company(tail: Tail[Any] | None) -> Mapping[str, list[Any]]:
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    for seen in tail.rows.values() if tail else ():
        rows[str(seen.row.company_id)].append(seen.row)
    return rows
