"""The store: what it keeps, its switches, and the rules that hold across resources."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Any, Final

from attrs import define, field

from acumatica_b2b.simulators.bigcommerce.envelope import RefusedError, illogical, invalid
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

ICON: Final = "https://s3.amazonaws.com/bc-channel-platform/channel-icons/bigcommerce.svg"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _ids_by_company() -> dict[int, dict[int, None]]:
    return defaultdict(dict)


@define(kw_only=True, eq=False, repr=False)
class Shop:
    """A store: tables of records by id, and what people can do only in its control panel.

    Its ids begin where those of no two kinds meet; role ids are the store's own.
    """

    now: Callable[[], datetime] = _utc_now

    bulk_atomic: bool = False
    """One refused row of a bulk call refuses them all."""
    shuffle_bulk: bool = False
    """Bulk calls answer in another order than they were asked in."""
    drops_uuid_on_create: bool = False
    """A company's `uuid` is stored by an update only."""
    multi_storefront: bool = False
    """There are several channels, and a user has to name its own."""
    channels_refusal: int = 403
    """How a store with one storefront refuses `/channels`: documented as 403, seen as 422."""
    first_role_id: int = 12793
    default_group: int = 304

    companies: dict[int, StoredCompany] = field(factory=dict[int, StoredCompany], init=False)
    users: dict[int, StoredUser] = field(factory=dict[int, StoredUser], init=False)
    addresses: dict[int, StoredAddress] = field(factory=dict[int, StoredAddress], init=False)
    super_admins: dict[int, SuperAdmin] = field(factory=dict[int, SuperAdmin], init=False)
    roles: dict[int, Role] = field(factory=dict[int, Role], init=False)
    shoppers: dict[str, int] = field(factory=dict[str, int], init=False)
    """The ids of BigCommerce customers by e-mail address; they outlive the company user."""
    welcomed: list[int] = field(factory=list[int], init=False)
    """The ids of the users that a welcome mail went to, in order."""
    extra_fields: dict[Resource, tuple[ExtraField, ...]] = field(
        factory=dict[Resource, tuple[ExtraField, ...]], init=False
    )
    channels: tuple[Channel, ...] = field(init=False)

    _holders: dict[str, int] = field(factory=dict[str, int], init=False)
    _members: dict[int, dict[int, None]] = field(factory=_ids_by_company, init=False)
    _owned: dict[int, dict[int, None]] = field(factory=_ids_by_company, init=False)
    _company_ids: Iterator[int] = field(factory=lambda: count(12_711_142), init=False)
    _user_ids: Iterator[int] = field(factory=lambda: count(18_382_087), init=False)
    _address_ids: Iterator[int] = field(factory=lambda: count(35_205_391), init=False)
    _shopper_ids: Iterator[int] = field(factory=lambda: count(692), init=False)
    _role_ids: Iterator[int] = field(init=False)
    lock: RLock = field(factory=RLock, init=False)

    def __attrs_post_init__(self) -> None:
        self._role_ids = count(self.first_role_id)
        for legacy, name in enumerate(("Admin", "Senior Buyer", "Junior Buyer")):
            role = Role(id=self.new_role_id(), name=name, legacy=legacy)
            self.roles[role.id] = role
        self.channels = (Channel(id=754, channel_id=1, name="Default Storefront"),)
        if self.multi_storefront:
            self.channels += (Channel(id=755, channel_id=1_000_123, name="Second Storefront"),)

    # -------------------------------------------------------------- ids and stamps
    def stamp(self) -> int:
        """Return the time as the store writes it."""
        return int(self.now().timestamp())

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

    def shopper(self, email: str) -> int:
        """Return the id of the BigCommerce customer with this address, made if there is none."""
        if email.lower() not in self.shoppers:
            self.shoppers[email.lower()] = next(self._shopper_ids)
        return self.shoppers[email.lower()]

    def readdressed_shopper(self, user: StoredUser, email: str) -> int:
        """Return the shopper of a user that changes its address.

        The shopper goes along, unless another one has the new address already: then that is linked.
        """
        if email.lower() not in self.shoppers:
            self.shoppers[email.lower()] = self.shoppers.pop(user.email.lower())
        return self.shoppers[email.lower()]

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
        """Forget a user; its shopper stays."""
        del self.users[user.id], self._holders[user.email.lower()], self._members[user.company_id][user.id]

    def users_of(self, company_id: int) -> tuple[StoredUser, ...]:
        """Return the users of a company by their ids."""
        with self.lock:
            return tuple(self.users[member] for member in sorted(self._members.get(company_id, ())))

    def addresses_of(self, company_id: int) -> tuple[StoredAddress, ...]:
        """Return the addresses of a company by their ids."""
        with self.lock:
            return tuple(self.addresses[owned] for owned in sorted(self._owned.get(company_id, ())))

    def keep_address(self, address: StoredAddress) -> StoredAddress:
        """Store an address, new or changed."""
        self.addresses[address.id] = address
        self._owned[address.company_id][address.id] = None
        return address

    def drop_address(self, address: StoredAddress) -> None:
        """Forget an address."""
        del self.addresses[address.id], self._owned[address.company_id][address.id]

    def drop_company(self, company: StoredCompany) -> None:
        """Forget a company with its users and addresses."""
        for user in self.users_of(company.id):
            self.drop_user(user)
        for address in self.addresses_of(company.id):
            self.drop_address(address)
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
        if not ids and self.multi_storefront:
            raise _no_channel()
        known = {channel.channel_id for channel in self.channels}
        if unknown := [wanted for wanted in ids if wanted not in known]:
            raise invalid({"channel_ids": [f"Channel {unknown[0]} does not exist."]})
        return tuple(ids) or (self.channels[0].channel_id,)

    # -------------------------------------------------------------- the control panel
    def add_shopper(self, email: str) -> int:
        """Let someone register in the shop without a company; return the customer's id."""
        with self.lock:
            return self.shopper(email)

    def define_extra_field(self, resource: Resource, wanted: ExtraField) -> None:
        """Add an extra field to companies, users or addresses."""
        with self.lock:
            self.extra_fields[resource] = (*self.extra_fields.get(resource, ()), wanted)

    def in_answer_order(self, made: Sequence[Any]) -> list[Any]:
        """Return what a bulk call made in the order in which it is told."""
        return list(reversed(made)) if self.shuffle_bulk else list(made)

    def undo_of(self, undo: Callable[[Any], None]) -> Callable[[Any], None] | None:
        """Return how a bulk call takes back its rows, if it does."""
        return undo if self.bulk_atomic else None


def _email_taken(email: str) -> RefusedError:
    return illogical(f"Email already exists. ['{email}']", conflict=True)


def _no_channel() -> RefusedError:
    return illogical("At least one B2B storefront needs to be enabled for a Company user.")
