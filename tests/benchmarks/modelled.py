"""The same records as pydantic v2 models, as one would write them: only what is read, unknown fields ignored."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_pascal

V = TypeVar("V")


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, frozen=True, strict=True)


class Cell(BaseModel, Generic[V]):
    """A field: `{"value": …}`, or `{}` where it is empty."""

    model_config = ConfigDict(frozen=True, strict=True)
    value: V | None = None


Text = Cell[str]
Moment = Cell[Annotated[datetime, Field(strict=False)]]


class Address(_Model):
    """A postal address."""

    address_line1: Text
    address_line2: Text
    city: Text
    state: Text
    postal_code: Text
    country: Text


class ContactFields(_Model):
    """The custom fields of a contact."""

    enabled: Cell[bool] = Field(alias="UsrKCEnabled")
    reference: Text = Field(alias="UsrKCReferenceID")


class ContactCustom(_Model):
    """The views of a contact's custom fields."""

    contact: ContactFields = Field(alias="Contact")


class Contact(_Model):
    """A contact."""

    contact_id: Cell[int] = Field(alias="ContactID")
    note_id: Text = Field(alias="NoteID")
    business_account: Text
    active: Cell[bool]
    first_name: Text
    last_name: Text
    email: Text
    phone1: Text
    phone2: Text
    phone3: Text
    job_title: Text
    last_modified_date_time: Moment
    custom: ContactCustom = Field(alias="custom")


class Person(_Model):
    """Whom a location or a customer names."""

    email: Text = Text()
    first_name: Text = Text()
    last_name: Text = Text()
    phone1: Text
    address: Address


class Location(_Model):
    """A customer location."""

    customer: Text
    location_id: Text = Field(alias="LocationID")
    note_id: Text = Field(alias="NoteID")
    location_name: Text
    active: Cell[bool]
    default: Cell[bool]
    location_contact: Person
    last_modified_date_time: Moment
    custom: dict[str, dict[str, Text]] = Field(alias="custom")


class Customer(_Model):
    """A customer."""

    customer_id: Text = Field(alias="CustomerID")
    note_id: Text = Field(alias="NoteID")
    customer_name: Text
    customer_class: Text
    customer_category: Text
    status: Text
    email: Text
    is_guest_customer: Cell[bool]
    primary_contact_id: Cell[int] = Field(alias="PrimaryContactID")
    main_contact: Person
    last_modified_date_time: Moment
    custom: dict[str, dict[str, Text]] = Field(alias="custom")


_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    "Customer": TypeAdapter(list[Customer]),
    "Contact": TypeAdapter(list[Contact]),
    "CustomerLocation": TypeAdapter(list[Location]),
}


def of_bytes(bodies: Sequence[tuple[str, bytes]]) -> list[Any]:
    """Return the models of all rows, made of the bytes by pydantic's own parser."""
    return [model for entity, body in bodies for model in _ADAPTERS[entity].validate_json(body)]


def of_parsed(bodies: Sequence[tuple[str, bytes]]) -> list[Any]:
    """Return the same, made of what `json.loads` gives."""
    return [model for entity, body in bodies for model in _ADAPTERS[entity].validate_python(json.loads(body))]
