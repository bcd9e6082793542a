"""What a client remembers of one store."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import define, field, frozen

from acumatica_b2b.bigcommerce.records import RoleRecord, UserRecord

_MOST_USERS: Final = 10_000


@frozen(kw_only=True)
class Index:
    """Which company holds which external id, as of `read_at` in unix seconds of the server."""

    held: Mapping[int, str]
    read_at: int

    def holders(self) -> Mapping[str, Sequence[int]]:
        """Return the companies of each external id, by their ids."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for company, external_id in sorted(self.held.items()):
            holders[external_id].append(company)
        return {external_id: ids for external_id, ids in holders.items() if external_id}


@define
class Known:
    """What is read once, since it changes seldom and not knowing of a change does no harm.

    And `users`: those that were seen last, by their ids, as they were then.
    """

    roles: tuple[RoleRecord, ...] | None = None
    companies: Index | None = None
    places: dict[tuple[str, str], str | None] = field(factory=dict[tuple[str, str], str | None])
    super_admins: frozenset[str] | None = None
    users: dict[int, UserRecord] = field(factory=dict[int, UserRecord])

    def saw(self, users: Iterable[UserRecord]) -> None:
        """Remember users as they are now; of too many only these."""
        seen = {user.id: user for user in users}
        if len(self.users) + len(seen) > _MOST_USERS:
            self.users = {}
        self.users |= seen

    def forget(self) -> None:
        """Read it all anew when it is next needed."""
        self.roles = self.companies = self.super_admins = None
        self.places, self.users = {}, {}
