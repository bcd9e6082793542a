"""What the API's records are to us."""

from typing import Final

from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, UserRecord, normal_id, pairs
from acumatica_b2b.model import (
    AddressID,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyUser,
    PostalAddress,
    StorefrontID,
    UserID,
)

_OFF: Final = frozenset({2, 3})
"""Rejected and inactive; a pending company (0) may be approved any day."""


def company_user(record: UserRecord, role: str) -> CompanyUser:
    """Return the company user; `role` is its role's name."""
    return CompanyUser(
        id=UserID(StorefrontID(str(record.id))),
        company=CompanyID(StorefrontID(str(record.company_id))),
        email=record.email,
        first_name=record.first_name or "",
        last_name=record.last_name or "",
        phone=record.phone_number or "",
        role=role,
        external_id=normal_id(record.uuid),
        extra_fields=pairs(record.extra_fields),
    )


def company_address(record: AddressRecord) -> CompanyAddress:
    """Return the address, with codes of state and country where the shop tells them."""
    return CompanyAddress(
        id=AddressID(StorefrontID(str(record.address_id))),
        external_id=normal_id(record.external_id),
        label=record.label or "",
        first_name=record.first_name or "",
        last_name=record.last_name or "",
        phone=record.phone_number or "",
        address=PostalAddress(
            line1=record.address_line1 or "",
            line2=record.address_line2 or "",
            city=record.city or "",
            state=record.state_code or record.state_name or "",
            postal_code=record.zip_code or "",
            country=record.country_code or record.country_name or "",
        ),
        default_shipping=bool(record.is_default_shipping),
        default_billing=bool(record.is_default_billing),
    )


def company(
    record: CompanyRecord,
    *,
    id_field: str | None,
    users: tuple[CompanyUser, ...],
    addresses: tuple[CompanyAddress, ...],
    complete: bool,
    surveyed: bool,
) -> Company:
    """Return the company, its users by their ids."""
    return Company(
        id=CompanyID(StorefrontID(str(record.company_id))),
        name=record.company_name,
        email=record.company_email or "",
        phone=record.company_phone or "",
        external_id=record.external_id(id_field),
        active=record.company_status not in _OFF,
        users=tuple(sorted(users, key=lambda user: int(user.id))),
        addresses=tuple(sorted(addresses, key=lambda address: int(address.id))),
        complete=complete,
        surveyed=surveyed,
    )
