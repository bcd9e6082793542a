"""The API's records as it answers them."""

import re
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from acumatica_b2b import codec
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Response

R = TypeVar("R")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DELETED: Final = 4


@frozen(kw_only=True)
class ExtraFieldRecord:
    """One extra field; a number's value may come as a number."""

    field_name: str
    field_value: Any = None

    @property
    def pair(self) -> tuple[str, str]:
        """Name and value, "" where nobody gave one."""
        return self.field_name, "" if self.field_value is None else str(self.field_value)


@frozen(kw_only=True)
class CompanyRecord:
    """A company; `company_status` is 0 pending, 1 approved, 2 rejected, 3 inactive, 4 deleted."""

    company_id: int
    company_name: str
    company_email: str | None = None
    company_phone: str | None = None
    company_status: int = 1
    uuid: str | None = None
    created_at: Any = None
    updated_at: Any = None
    extra_fields: tuple[ExtraFieldRecord, ...] | None = None

    @property
    def id(self) -> int:
        """What tells it apart in a listing."""
        return self.company_id

    @property
    def deleted(self) -> bool:
        """Whether nothing but its record is left."""
        return self.company_status == _DELETED

    def external_id(self, name: str | None) -> str:
        """Return the ERP's id of it: the extra field of that name, or its `uuid`."""
        return normal_id(self.uuid if name is None else dict(pairs(self.extra_fields)).get(name))


@frozen(kw_only=True)
class UserRecord:
    """A company user. Roles are told apart by `company_role_id`; `role` is 2 for all custom ones."""

    id: int
    company_id: int
    email: str
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    role: int | None = None
    company_role_id: int | None = None
    company_role_name: str | None = None
    uuid: str | None = None
    created_at: Any = None
    updated_at: Any = None
    extra_fields: tuple[ExtraFieldRecord, ...] | None = None


@frozen(kw_only=True)
class SuperAdminRecord:
    """A super admin: who manages companies and belongs to none."""

    id: int
    email: str


@frozen(kw_only=True)
class ShopperRecord:
    """A customer of the store's core API: a company user's login, or a shopper of nobody's."""

    id: int
    email: str


@frozen(kw_only=True)
class AddressRecord:
    """An address; its `company_id` comes as a number or as a text."""

    address_id: int
    created_at: Any = None
    company_id: Any = None
    external_id: str | None = None
    label: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state_code: str | None = None
    state_name: str | None = None
    zip_code: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    is_default_shipping: bool | None = None
    is_default_billing: bool | None = None
    updated_at: Any = None

    @property
    def id(self) -> int:
        """What tells it apart in a listing."""
        return self.address_id


@frozen(kw_only=True)
class WithExtraFields:
    """The extra fields of any record."""

    extra_fields: tuple[ExtraFieldRecord, ...] | None = None


@frozen(kw_only=True)
class RoleRecord:
    """A role of the store; `role_type` 1 is predefined, 2 made by the store."""

    id: int
    name: str
    role_type: int = 2


@frozen(kw_only=True)
class StateRecord:
    """A state's full name."""

    state_name: str


@frozen(kw_only=True)
class CountryRecord:
    """A country's full name."""

    country_name: str


@frozen(kw_only=True)
class CreatedCompany:
    """What the creation of a company answers."""

    company_id: int


@frozen(kw_only=True)
class CreatedUser:
    """What the creation of a user answers."""

    user_id: int


@frozen(kw_only=True)
class CreatedAddress:
    """What the creation of an address answers."""

    address_id: int


@frozen(kw_only=True)
class Pagination:
    """How many records a listing has in all."""

    total_count: int


@frozen(kw_only=True)
class Meta:
    """What a listing says of itself."""

    pagination: Pagination


@frozen(kw_only=True)
class PageOf(Generic[R]):
    """One page of a listing."""

    data: tuple[R, ...]
    meta: Meta


@frozen(kw_only=True)
class Data(Generic[R]):
    """The rows of an answer, whatever else it tells."""

    data: tuple[R, ...]


@frozen(kw_only=True)
class Total:
    """What a listing says of itself, without its rows."""

    meta: Meta


@frozen(kw_only=True)
class One(Generic[R]):
    """An answer about one record."""

    data: R


def decoded(response: Response, cls: type[R], what: str) -> R:
    """Return the body of an answer about `what`.

    Raises:
        DecodeError: with the path of the field, beginning with `what`.

    """
    try:
        return codec.decode(response.json(), cls, codec.camel())
    except DecodeError as error:
        raise DecodeError(str(error.args[0]), f"{what}.{error.path}".rstrip(".")) from None


# ------------------------------------------------------------------ what they hold
def normal_id(text: str | None) -> str:
    """Return an external id as it is compared: GUIDs in lower case."""
    stripped = (text or "").strip()
    return stripped.lower() if _GUID.fullmatch(stripped) else stripped


def folded(email: str) -> str:
    """Return an e-mail address as it is compared."""
    return email.strip().casefold()


def pairs(fields: tuple[ExtraFieldRecord, ...] | None) -> tuple[tuple[str, str], ...]:
    """Return extra fields as pairs of name and value."""
    return tuple(field.pair for field in fields or ())
