"""Companies as they were read last, kept up with what the shop has told since: what a write touched is read anew."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, assert_never

from attrs import define, evolve, field

from acumatica_b2b.actions import (
    Action,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, UserRecord

_MOST: Final = 1_000
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "firstName": ("first_name",),
    "lastName": ("last_name",),
    "phoneNumber": ("phone_number",),
    "uuid": ("uuid",),
    "role": ("role",),
    "companyRoleId": ("company_role_id", "company_role_name"),
    "extraFields": ("extra_fields",),
}
"""What an answer tells of what was sent. An e-mail address is not among it: each change of one is read back."""


_EMPTY: Final = (None, "", ())
"""What does not tell whether a field was left out: empty fields are answered as such."""


@define(kw_only=True)
class Sight:
    """One company: None is what has to be read; so have all users while nobody knows what became of some."""

    record: CompanyRecord | None = None
    users: dict[int, UserRecord] | None = None
    addresses: tuple[AddressRecord, ...] | None = None
    doubtful: Counter[int] = field(factory=Counter[int])
    """Of how many writes to each user nobody knows what they made of him."""
    touched: int = 0
    """The turn of the last write."""

    @property
    def known_users(self) -> tuple[UserRecord, ...] | None:
        """The users, where what is known of all of them holds."""
        return None if self.users is None or self.doubtful.total() else tuple(self.users.values())


@define
class Sights:
    """The companies that were read lately, by their ids."""

    _sights: dict[int, Sight] = field(factory=dict[int, Sight])

    def of(self, company: str) -> Sight:
        """Return what is known of a company: nothing, where it was not read lately."""
        return self._sights.get(int(company), Sight()) if company.isdecimal() else Sight()

    def look_anew(self, company: str) -> None:
        """Remember nothing of a company but when it was last written to."""
        self._keep(company, Sight(touched=self.of(company).touched))

    def saw(self, company: str, sight: Sight, begun: int) -> None:
        """Remember a company as it was read from a turn on; not, where it was written to meanwhile."""
        if (touched := self.of(company).touched) <= begun:
            sight.touched = touched
            self._keep(company, sight)

    def wrote(self, action: Action, turn: int) -> None:
        """Forget what a step may change, before it goes out."""
        if isinstance(action, CreateCompany):
            return
        sight = self.of(action.company)
        sight.touched = turn
        match action:
            case UpdateCompany():
                sight.record = None
            case UpdateUser(user=user) | SetRole(user=user) if user.isdecimal():
                sight.doubtful[int(user)] += 1
            case UpdateUser() | SetRole() | CreateUser() | RemoveUser() | MoveAdmin():
                sight.users = None
            case CreateAddress() | UpdateAddress() | RemoveAddress():
                sight.addresses = None
            case _:
                assert_never(action)
        self._keep(action.company, sight)

    def told(self, company: str, after: UserRecord | None, sent: Mapping[str, Any]) -> None:
        """Remember what an answer tells of a user's fields that were sent; where it tells not all, he is to be read."""
        sight = self.of(company)
        before = sight.users.get(after.id) if after and sight.users else None
        if after is None or before is None or sight.users is None or not sent.keys() <= _TOLD.keys():
            return
        now = {name: getattr(after, name) for key in sent for name in _TOLD[key]}
        if all(getattr(after, _TOLD[key][0]) not in _EMPTY for key in sent):
            sight.users[after.id] = evolve(before, **now)
            sight.doubtful[after.id] -= 1

    def _keep(self, company: str, sight: Sight) -> None:
        if not company.isdecimal():
            return
        self._sights.pop(int(company), None)
        self._sights[int(company)] = sight
        for old in tuple(self._sights)[:-_MOST]:
            self._sights.pop(old, None)
