"""What a client remembers of one store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final, Generic, TypeVar

from attrs import define, evolve, field, frozen

from acumatica_b2b.bigcommerce.records import CompanyRecord, RoleRecord, UserRecord
from acumatica_b2b.bigcommerce.sights import Sights
from acumatica_b2b.bigcommerce.spool import Spool

R = TypeVar("R")
_MOST_USERS: Final = 10_000
_MOST_MADE: Final = 1_000
_NEVER: Final = -1


@frozen
class Seen(Generic[R]):
    """A row, and the turns between which it was read."""

    row: R
    begun: int
    turn: int


@frozen(kw_only=True)
class Tail(Generic[R]):
    """The end of a list as far as it was read: all rows made `since` a stamp, up to the place `reached`.

    `edge` are the ids of the last ones, `turn` is when the last reading began, `read_at` the same in unix seconds
    of the server. Of rows read up to the turn `forgot` not all are kept. Only where so many rows were read that
    the list's order is known, `ordered`, it may be read on from there.
    """

    since: int
    reached: int = 0
    edge: tuple[int, ...] = ()
    rows: Mapping[int, Seen[R]] = field(factory=dict[int, Seen[R]])
    turn: int = 0
    read_at: int = 0
    forgot: int = 0
    ordered: bool = False


@define(kw_only=True)
class Made:
    """A company that this client made after `stamp`: nothing in it is older.

    Its users and addresses were last written to at these turns, its own fields at `changed_at`; no addresses are
    looked for before there were any. `record` is the company as it was read since then, if it was. `changed` are users
    as the shop answered a change of their role.
    """

    stamp: int
    users: int
    addresses: int
    record: CompanyRecord | None
    changed_at: int = 0
    changed: dict[int, UserRecord] = field(factory=dict[int, UserRecord])


@frozen(kw_only=True)
class Index:
    """Which company holds which external id, as of `read_at` in unix seconds of the server, and of a turn."""

    held: Mapping[int, str]
    read_at: int
    turn: int = 0

    def holders(self) -> Mapping[str, Sequence[int]]:
        """Return the companies of each external id, by their ids."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for company, external_id in sorted(self.held.items()):
            holders[external_id].append(company)
        return {external_id: ids for external_id, ids in holders.items() if external_id}


@frozen(kw_only=True)
class Survey:
    """All companies with their users and addresses, as of `read_at` in unix seconds of the server, and of a turn."""

    spool: Spool
    read_at: int
    turn: int


@define
class Known:
    """What is read once, since it changes seldom and not knowing of a change does no harm.

    And `users`: those that were seen last, by their ids, as they were then. `tails` are the ends of lists, by
    path, but for those whose order is another; those of `being_read` are read on just now. `turns` tell what came
    first, of reads and writes alike. `lag` is by how many seconds lists were late to show what was made.
    `sights` are companies as they were read last.
    """

    roles: tuple[RoleRecord, ...] | None = None
    companies: Index | None = None
    places: dict[tuple[str, str], str | None] = field(factory=dict[tuple[str, str], str | None])
    super_admins: frozenset[str] | None = None
    users: dict[int, UserRecord] = field(factory=dict[int, UserRecord])
    turns: Iterator[int] = field(factory=lambda: count(1), eq=False)
    tails: dict[str, Tail[Any]] = field(factory=dict[str, Tail[Any]])
    shuffled: set[str] = field(factory=set[str])
    being_read: set[str] = field(factory=set[str])
    lag: float = 0.0
    made: dict[int, Made] = field(factory=dict[int, Made])
    sights: Sights = field(factory=Sights)
    survey: Survey | None = None

    def saw(self, users: Iterable[UserRecord]) -> None:
        """Remember users as they are now; of too many only these."""
        seen = {user.id: user for user in users}
        if len(self.users) + len(seen) > _MOST_USERS:
            self.users = {}
        self.users |= seen

    def made_company(self, record: CompanyRecord, stamp: int, turn: int) -> None:
        """Remember a company that was made just now, and read by this turn; of too many only the latest."""
        self.made[record.company_id] = Made(stamp=stamp, users=turn, addresses=_NEVER, record=record)
        for old in tuple(self.made)[:-_MOST_MADE]:
            self.made.pop(old, None)

    def changed_company(self, company: str) -> None:
        """Remember that fields of a company may have changed: only a reading from now on shows them."""
        if company.isdecimal() and (made := self.made.get(int(company))):
            made.changed_at, made.record = next(self.turns), None

    def changed_user(self, company: str, user: int) -> None:
        """Remember what a change made of a user, where the shop has told it."""
        made, now = self.made.get(int(company)) if company.isdecimal() else None, self.users.get(user)
        if made and now:
            made.changed[user] = now
        else:
            self.lost_sight(company)

    def lost_sight(self, company: str) -> None:
        """Remember no longer that a company was made here: it has to be read by itself."""
        if company.isdecimal():
            self.made.pop(int(company), None)

    def forget_holders(self, external_ids: Collection[str]) -> Sequence[str]:
        """Remember no longer who holds some external ids; return those of which somebody was remembered."""
        index = self.companies
        wrong = {company: held for company, held in index.held.items() if held in external_ids} if index else {}
        if index and wrong:
            held = {company: name for company, name in index.held.items() if company not in wrong}
            self.companies = evolve(index, held=held)
        return sorted(set(wrong.values()))

    def look_anew(self, company: str) -> None:
        """Remember nothing of a company that was read earlier, whatever comes of reading it now."""
        self.lost_sight(company)
        self.sights.look_anew(company)

    def forget(self) -> None:
        """Read it all anew when it is next needed."""
        self.roles = self.companies = self.super_admins = self.survey = None
        self.places, self.users, self.tails, self.made = {}, {}, {}, {}
        self.shuffled, self.lag, self.sights = set(), 0.0, Sights()
