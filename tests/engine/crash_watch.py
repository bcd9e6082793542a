"""The promises that hold at every instant, looked at after each single write."""

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import define, evolve, field

from acumatica_b2b.actions import Action, CreateCompany, CreateUser, MoveAdmin, SetRole
from acumatica_b2b.model import Company, CompanyID, CompanyUser, HandOver
from acumatica_b2b.policy import SyncPolicy, TakeBack
from acumatica_b2b.testing import MemoryShop


@define(kw_only=True)
class Watch:
    """Looks at a shop after each single write; a promise that was broken is an AssertionError there and then.

    It knows whose each company and user is: what its external id says, or what it was made for.
    """

    shop: MemoryShop
    policy: SyncPolicy
    was: Mapping[CompanyID, Company]
    whose: dict[str, str] = field(factory=dict[str, str])
    gaps: set[CompanyID] = field(factory=set[CompanyID])
    """Companies between the two calls of DEMOTE_FIRST."""

    @classmethod
    def over(cls, shop: MemoryShop, policy: SyncPolicy, whose: Mapping[str, str]) -> "Watch":
        """Begin to watch a shop, knowing of some already whose they are."""
        made = cls(shop=shop, policy=policy, was=shop.snapshot(), whose=dict(whose))
        made.whose |= {part.id: part.external_id for part in _parts(made.was.values()) if part.external_id}
        shop.on_write = made
        return made

    def over_fork(self, shop: MemoryShop) -> "Watch":
        """Go on watching in a fork of the shop."""
        made = evolve(self, shop=shop, whose=dict(self.whose), gaps=set(self.gaps))
        shop.on_write = made
        return made

    def __call__(self) -> None:
        """Look at what the last action did."""
        action, now = self.shop.journal[-1], self.shop.snapshot()
        self._note_whose(action, now)
        assert self.was.keys() <= now.keys(), f"a company is gone by {action}"
        for key, old in self.was.items():
            if now[key] is not old:
                self._look_at_admins(action, old, now[key])
                self._look_at_strangers(action, old, now[key])
        times = Counter(self.whose[part.id] for part in _parts(now.values()) if part.id in self.whose)
        assert max(times.values(), default=1) == 1, f"somebody is there twice by {action}"
        self.was = now

    def _note_whose(self, action: Action, now: Mapping[CompanyID, Company]) -> None:
        old = {part.id for part in _parts(self.was.values())}
        made = [part.id for part in _parts(now.values()) if part.id not in old]
        match action:
            case CreateCompany(company=company, admin=admin):
                meant = (company.external_id, *((admin.external_id,) if admin else ()))
            case CreateUser(user=user):
                meant = (user.external_id,)
            case _:
                meant = ()
        self.whose.update(zip(made, meant, strict=True))
        self.whose |= {part.id: part.external_id for part in _parts(now.values()) if part.external_id}

    def _look_at_admins(self, action: Action, was: Company, now: Company) -> None:
        """Nobody goes without an admin, save between the two calls of DEMOTE_FIRST; what follows is the second."""
        role = action.role if isinstance(action, SetRole) else None
        if now.id in self.gaps:
            assert role == self.policy.primary_role, f"between the two calls of a hand-over came {action}"
        self.gaps.discard(now.id)
        if not _admins(was, self.policy) or _admins(now, self.policy) or role == self.policy.suspended_role != "":
            return
        demotes = self.shop.hand_over is HandOver.DEMOTE_FIRST and role is not None
        assert demotes, f"company {now.id} lost its last admin by {action}"
        self.gaps.add(now.id)

    def _look_at_strangers(self, action: Action, was: Company, now: Company) -> None:
        """Nobody is removed or changed who is not ours, and never a company's last user."""
        assert now.users or not was.users, f"company {now.id} lost its last user by {action}"
        there = {user.id: user for user in now.users}
        for old in was.users:
            if old.id not in self.whose:
                assert old.id in there, f"user {old.id} is not ours and was removed by {action}"
                allowed = isinstance(action, MoveAdmin) or self.policy.take_back is TakeBack.ALL
                same = evolve(there[old.id], role=old.role if allowed else there[old.id].role) == old
                assert same, f"user {old.id} is not ours and was changed by {action}"


def _parts(companies: Iterable[Company]) -> list[Company | CompanyUser]:
    parts: list[Company | CompanyUser] = []
    for company in companies:
        parts += (company, *company.users)
    return parts


def _admins(company: Company, policy: SyncPolicy) -> list[CompanyUser]:
    roles = {policy.primary_role, *policy.admin_roles}
    return [user for user in company.users if user.active and user.role in roles]
