"""The store: what it keeps, and the rules that hold across resources."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from threading import RLock
from typing import Any, Final, TypeVar

from attrs import define, field

from acumatica_b2b.simulators.bigcommerce.envelope import RefusedError, illogical, invalid
from acumatica_b2b.simulators.bigcommerce.hooks import payload
from acumatica_b2b.simulators.bigcommerce.records import (
    ADMIN,
    JUNIOR_BUYER,
    Channel,
    ExtraField,
    Resource,
    Role,
    StoredAddress,
    StoredCompany,
    StoredUser,
    SuperAdmin,
)
from acumatica_b2b.simulators.bigcommerce.shoppers import Shoppers
from acumatica_b2b.simulators.bigcommerce.switches import Switches
from acumatica_b2b.simulators.bigcommerce.tables import Table

ICON: Final = "https://s3.amazonaws.com/bc-channel-platform/channel-icons/bigcommerce.svg"

T = TypeVar("T")


def _ids_by_company() -> dict[int, dict[int, None]]:
    return defaultdict(dict)


@define(kw_only=True, eq=False, repr=False)
class Shop(Switches):
    """A store: tables of records by id, and what people can do only in its control panel.

    Its ids begin where those of no two kinds meet; role ids are the store's own.
    """

    companies: Table[StoredCompany] = field(init=False)
    users: Table[StoredUser] = field(init=False)
    addresses: Table[StoredAddress] = field(init=False)
    super_admins: dict[int, SuperAdmin] = field(factory=dict[int, SuperAdmin], init=False)
    roles: dict[int, Role] = field(factory=dict[int, Role], init=False)
    groups: dict[int, str] = field(factory=dict[int, str], init=False)
    """Customer groups: their names by id."""
    shoppers: Shoppers = field(init=False)
    welcomed: list[int] = field(factory=list[int], init=False)
    """The ids of the users that a welcome mail went to, in order."""
    sent_hooks: list[Mapping[str, Any]] = field(factory=list[Mapping[str, Any]], init=False)
    """The payloads that webhooks of every scope would have received, in order."""
    extra_fields: dict[Resource, tuple[ExtraField, ...]] = field(
        factory=dict[Resource, tuple[ExtraField, ...]], init=False
    )
    channels: tuple[Channel, ...] = field(init=False)
    lock: RLock = field(factory=RLock, init=False)

    _holders: dict[str, int] = field(factory=dict[str, int], init=False)
    _members: dict[int, dict[int, None]] = field(factory=_ids_by_company, init=False)
    _owned: dict[int, dict[int, None]] = field(factory=_ids_by_company, init=False)
    _company_ids: Iterator[int] = field(factory=lambda: count(12_711_142), init=False)
    _user_ids: Iterator[int] = field(factory=lambda: count(18_382_087), init=False)
    _address_ids: Iterator[int] = field(factory=lambda: count(35_205_391), init=False)
    _group_ids: Iterator[int] = field(factory=lambda: count(400), init=False)
    _role_ids: Iterator[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.companies, self.users, self.addresses = (Table(self.time, self.lag) for _ in range(3))
        self.shoppers = Shoppers(now=self.time)
        self._role_ids = count(self.first_role_id)
        for legacy, name in enumerate(("Admin", "Senior Buyer", "Junior Buyer")):
            role = Role(id=self.new_role_id(), name=name, legacy=legacy)
            self.roles[role.id] = role
        self.groups[self.default_group] = "Default"
        self.channels = (Channel(id=754, channel_id=1, name="Default Storefront"),)
        if self.multi_storefront:
            self.channels += (Channel(id=755, channel_id=1_000_123, name="Second Storefront"),)

    # -------------------------------------------------------------- ids and stamps
    def stamp(self) -> int:
        """Return the time as the store writes it."""
        return int(self.time().timestamp())

    def new_company_id(self) -> int:
        """Return an id that no company ever had."""
        return next(self._company_ids)

    def new_user_id(self) -> int:
        """Return an id that no user and no super admin ever had."""
        return next(self._user_ids)

    def new_address_id(self) -> int:
        """Return an id that no address ever had."""
        return next(self._address_ids)

    def new_role_id(self) -> int:
        """Return an id that no role ever had."""
        return next(self._role_ids)

    def add_group(self, name: str) -> int:
        """Return the id of a new customer group."""
        group = next(self._group_ids)
        self.groups[group] = name
        return group

    # -------------------------------------------------------------- e-mail addresses
    def user_by_email(self, email: str) -> StoredUser | None:
        """Return the company user that holds an address, in whatever case."""
        holder = self._holders.get(email.lower())
        return None if holder is None else self.users[holder]

    def super_admin_by_email(self, email: str) -> SuperAdmin | None:
        """Return the super admin that holds an address."""
        return next((admin for admin in self.super_admins.values() if admin.email.lower() == email.lower()), None)

    def require_free(self, email: str, user: int | None = None) -> None:
        """Refuse an address that someone other than this user holds anywhere in the store."""
        holder = self._holders.get(email.lower())
        if (holder is not None and holder != user) or self.super_admin_by_email(email):
            raise _email_taken(email)

    # -------------------------------------------------------------- users and addresses, with their indexes
    def keep_user(self, user: StoredUser) -> StoredUser:
        """Store a user, new or changed."""
        known = self.users.get(user.id)
        if known:
            del self._holders[known.email.lower()]
        self.users[user.id] = user
        self._holders[user.email.lower()] = user.id
        self._members[user.company_id][user.id] = None
        return user

    def drop_user(self, user: StoredUser) -> None:
        """Forget a user; the shopper stays, with its orders, as one that buys for himself."""
        del self.users[user.id], self._holders[user.email.lower()], self._members[user.company_id][user.id]
        if self.dependent:  # there, the group is what makes him one of the company
            self.shoppers.change(user.customer_id, customer_group_id=0)

    def users_of(self, company_id: int) -> tuple[StoredUser, ...]:
        """Return the users of a company by their ids."""
        with self.lock:
            return tuple(self.users[member] for member in sorted(self._members.get(company_id, ())))

    def listed_users(self, company_id: int | None, email: str | None, since: int | None) -> Iterable[StoredUser]:
        """Return the users that lists show by now, of one company or address where told.

        `since`: those written before that stamp need not be among them.
        """
        among: Iterable[int] | None = None if since is None else self.users.written_since(since)
        if company_id is not None:
            among = self._members.get(company_id, ())
        if email is not None:
            holder = self._holders.get(email.lower())
            among = () if holder is None else (holder,)
        listed = self.users.listed(among).values()
        if company_id is None and email is None:
            return listed
        return [
            user
            for user in listed
            if company_id in {None, user.company_id} and (email is None or user.email.lower() == email.lower())
        ]

    def addresses_of(self, company_id: int) -> tuple[StoredAddress, ...]:
        """Return the addresses of a company by their ids."""
        with self.lock:
            return tuple(self.addresses[owned] for owned in sorted(self._owned.get(company_id, ())))

    def listed_addresses(self, company_id: int | None, since: int | None) -> Iterable[StoredAddress]:
        """Return the addresses that lists show by now, of one company where told; `since` as of users."""
        among: Iterable[int] | None = None if since is None else self.addresses.written_since(since)
        if company_id is not None:
            among = self._owned.get(company_id, ())
        listed = self.addresses.listed(among).values()
        return listed if company_id is None else [one for one in listed if one.company_id == company_id]

    def keep_address(self, address: StoredAddress) -> StoredAddress:
        """Store an address, new or changed."""
        self.addresses[address.id] = address
        self._owned[address.company_id][address.id] = None
        return address

    def drop_address(self, address: StoredAddress) -> None:
        """Forget an address."""
        del self.addresses[address.id], self._owned[address.company_id][address.id]

    def drop_company(self, company: StoredCompany) -> None:
        """Forget a company with its users and addresses, and with its group where that is its own."""
        for user in self.users_of(company.id):
            self.drop_user(user)
        for address in self.addresses_of(company.id):
            self.drop_address(address)
        if self.dependent:
            self.groups.pop(company.customer_group_id, None)
        del self.companies[company.id]

    # -------------------------------------------------------------- roles and channels
    def role_of(self, user: StoredUser) -> Role:
        """Return what a user may do."""
        return self.roles[user.company_role_id]

    def admins_of(self, company_id: int) -> tuple[StoredUser, ...]:
        """Return the users of a company that have the predefined role Admin."""
        return tuple(user for user in self.users_of(company_id) if self.role_of(user).legacy == ADMIN)

    def predefined_role(self, legacy: int) -> Role:
        """Return the role that the number 0, 1 or 2 means."""
        return next(role for role in self.roles.values() if role.legacy == legacy and not role.custom)

    def add_role(self, name: str) -> Role:
        """Add a custom role; the field `role` shows it as a junior buyer's."""
        with self.lock:
            role = Role(id=self.new_role_id(), name=name, legacy=JUNIOR_BUYER, custom=True)
            self.roles[role.id] = role
            return role

    def chosen_channels(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return a user's channels; where there is one only, it need not be named."""
        known = {channel.channel_id: channel for channel in self.channels}
        if unknown := [wanted for wanted in ids if wanted not in known]:
            raise invalid({"channel_ids": [f"Channel {unknown[0]} does not exist."]})
        chosen = tuple(ids) or (() if self.multi_storefront else (self.channels[0].channel_id,))
        if not any(known[channel].b2b_enabled for channel in chosen):
            raise _no_channel()
        return chosen

    # -------------------------------------------------------------- the control panel
    def add_shopper(self, email: str, *, orders: int = 0) -> int:
        """Let someone register in the shop without a company, and buy something; return the customer's id."""
        with self.lock:
            shopper = self.shoppers.by_email(email) or self.shoppers.add(email)
            for _ in range(orders):
                self.shoppers.order(shopper.id, None)
            return shopper.id

    def define_extra_field(self, resource: Resource, wanted: ExtraField) -> None:
        """Add an extra field to companies, users or addresses."""
        with self.lock:
            self.extra_fields[resource] = (*self.extra_fields.get(resource, ()), wanted)

    # -------------------------------------------------------------- what comes of a write
    def tell(self, scope: str, **ids: int) -> None:
        """Send a webhook, such as that of `company/user/created`."""
        self.sent_hooks.append(payload(scope, self.store_hash, self.stamp(), ids))

    def require_no_objection(self, given: Mapping[str, Any]) -> None:
        """Refuse what the switch `refuses` says."""
        if objection := self.refuses(given):
            raise illogical(objection)

    def in_answer_order(self, made: Sequence[T]) -> list[T]:
        """Return what a bulk call made in the order in which it is told."""
        return [*made[1:], *made[:1]] if self.shuffle_bulk else list(made)

    def undo_of(self, undo: Callable[[Any], None]) -> Callable[[Any], None] | None:
        """Return how a bulk call takes back its rows, if it does."""
        return undo if self.bulk_atomic else None


def _email_taken(email: str) -> RefusedError:
    return illogical(f"Email already exists. ['{email}']", conflict=True)


def _no_channel() -> RefusedError:
    return illogical("At least one B2B storefront needs to be enabled for a Company user.")
