"""What the store keeps: frozen records, replaced as a whole when they change."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

ExtraValues: TypeAlias = tuple[tuple[str, str], ...]
Resource: TypeAlias = Literal["companies", "users", "addresses"]

ADMIN: Final = 0
JUNIOR_BUYER: Final = 2


@frozen(kw_only=True)
class Role:
    """What a company user may do; `legacy` is the number that the field `role` knows it by."""

    id: int
    name: str
    legacy: int
    custom: bool = False
    permissions: tuple[tuple[str, int], ...] = ()
    """Codes, each with its level: 1 own, 2 company, 3 company and subsidiaries."""


@frozen(kw_only=True)
class ExtraField:
    """A field that people added in the control panel; there is no other way to add one."""

    name: str
    required: bool = False
    unique: bool = False
    longest: int = 255


@frozen(kw_only=True)
class Channel:
    """A storefront. `id` is B2B Edition's own, `channel_id` the one everything else uses."""

    id: int
    channel_id: int
    name: str
    b2b_enabled: bool = True


@frozen(kw_only=True)
class Shopper:
    """A BigCommerce customer as the core API knows it."""

    id: int
    email: str = field(repr=False)
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    company: str = ""
    customer_group_id: int = 0
    created_at: datetime
    modified_at: datetime


@frozen(kw_only=True)
class Order:
    """An order of a shopper; `company_id` is None while he bought for himself."""

    id: int
    shopper_id: int
    company_id: int | None


@frozen(kw_only=True)
class StoredCompany:
    """A company as the store keeps it."""

    id: int
    company_name: str
    company_email: str = field(repr=False)
    company_phone: str
    country: str
    address_line1: str = ""
    address_line2: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    uuid: str = ""
    company_status: int = 1
    customer_group_id: int
    catalog_id: int | None = None
    price_lists: tuple[tuple[int, int], ...] = ()
    """Price lists by channel."""
    extra_fields: ExtraValues = ()
    created_at: int
    updated_at: int


@frozen(kw_only=True)
class StoredUser:
    """A company user as the store keeps it, with the shopper it is linked to."""

    id: int
    company_id: int
    customer_id: int
    email: str = field(repr=False)
    first_name: str
    last_name: str
    phone_number: str = ""
    company_role_id: int
    channel_ids: tuple[int, ...]
    uuid: str = ""
    extra_fields: ExtraValues = ()
    created_at: int
    updated_at: int


@frozen(kw_only=True)
class SuperAdmin:
    """A seller's own person: holds an e-mail address that no company user can have."""

    id: int
    customer_id: int
    email: str = field(repr=False)
    first_name: str
    last_name: str
    phone: str = ""
    uuid: str = ""
    company_ids: frozenset[int] = frozenset()
    channel_ids: tuple[int, ...] = ()
    created_at: int
    updated_at: int


@frozen(kw_only=True)
class Place:
    """A country and a state of it, both by code and name."""

    country_code: str
    country_name: str
    state_code: str = ""
    state_name: str = ""


@frozen(kw_only=True)
class StoredAddress:
    """An address of a company as the store keeps it."""

    id: int
    company_id: int
    first_name: str
    last_name: str
    phone_number: str = ""
    address_line1: str
    address_line2: str = ""
    city: str
    zip_code: str = ""
    place: Place
    is_billing: bool = False
    is_shipping: bool = False
    is_default_billing: bool = False
    is_default_shipping: bool = False
    label: str = ""
    external_id: str | None = None
    extra_fields: ExtraValues = ()
    created_at: int
    updated_at: int
