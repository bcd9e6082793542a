"""What a simulated tenant is loaded with, and what a test reads back: plain records."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from attrs import field, frozen

from acumatica_b2b.model import MaybeUnset

CustomValue: TypeAlias = str | bool | int | MaybeUnset | None
"""UNSET: the field does not come back for this record, though the tenant has it."""

DetailRow: TypeAlias = Mapping[str, CustomValue]
"""One detail row that an endpoint of the tenant's own shows: its fields by name."""


@frozen(kw_only=True)
class AddressRow:
    """An address; state and country as codes."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@frozen(kw_only=True)
class CustomerRow:
    """A customer. `email`, `phone` and `address` are those of its main contact."""

    id: str
    name: str
    note_id: str = ""
    """Empty: made from the id."""
    customer_class: str = "LOCAL"
    status: str = "Active"
    category: str = "Organization"
    guest: bool = False
    email: str = ""
    phone: str = ""
    address: AddressRow = AddressRow()
    primary_contact: int | None = None
    """Any number, even one that names no contact of this customer."""
    custom: Mapping[str, CustomValue] = field(factory=dict[str, CustomValue])
    """By `<View>.<Field>`."""
    attributes: Mapping[str, str] = field(factory=dict[str, str])
    details: Mapping[str, tuple[DetailRow, ...]] = field(factory=dict[str, tuple[DetailRow, ...]])
    """Detail rows by the name of their list."""
    modified: datetime | None = None


@frozen(kw_only=True)
class ContactRow:
    """A contact; without an `id` it gets the next number."""

    id: int | None = None
    note_id: str = ""
    customer: str | None = None
    active: bool = True
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phones: tuple[str, ...] = ()
    """At most three."""
    job_title: str = ""
    type: str = "Contact"
    reference_number: str = ""
    """ExtRefNbr."""
    address: AddressRow = AddressRow()
    custom: Mapping[str, CustomValue] = field(factory=dict[str, CustomValue])
    attributes: Mapping[str, str] = field(factory=dict[str, str])
    details: Mapping[str, tuple[DetailRow, ...]] = field(factory=dict[str, tuple[DetailRow, ...]])
    modified: datetime | None = None


@frozen(kw_only=True)
class LocationRow:
    """A customer location; its id is unique within the customer only."""

    id: str
    customer: str
    name: str = ""
    note_id: str = ""
    active: bool = True
    default: bool = False
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    address: AddressRow = AddressRow()
    reference_number: str = ""
    custom: Mapping[str, CustomValue] = field(factory=dict[str, CustomValue])
    attributes: Mapping[str, str] = field(factory=dict[str, str])
    details: Mapping[str, tuple[DetailRow, ...]] = field(factory=dict[str, tuple[DetailRow, ...]])
    modified: datetime | None = None


@frozen(kw_only=True)
class Dataset:
    """The records of one tenant."""

    customers: tuple[CustomerRow, ...] = ()
    contacts: tuple[ContactRow, ...] = ()
    locations: tuple[LocationRow, ...] = ()
