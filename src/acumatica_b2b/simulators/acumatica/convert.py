"""Between the plain rows of a data set and the records of the tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from acumatica_b2b.simulators.acumatica.rows import AddressRow, ContactRow, CustomerRow, LocationRow
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION
from acumatica_b2b.simulators.acumatica.state import State, note_id_of
from acumatica_b2b.simulators.acumatica.tables import Record, Value

_PHONES: Final = ("Phone1", "Phone2", "Phone3")


def customer_record(state: State, row: CustomerRow, *, number: int, modified: datetime) -> Record:
    """Return the record of a customer; `number` is its BAccountID."""
    values: dict[str, Value] = {
        "BAccountID": number,
        "CustomerID": row.id,
        "CustomerName": row.name,
        "CustomerClass": row.customer_class or None,
        "Status": row.status,
        "CustomerCategory": row.category or None,
        "IsGuestCustomer": row.guest,
        "PrimaryContactID": row.primary_contact,
        "MainContact/ContactID": 10_000_000 + number,
        "MainContact/Email": row.email or None,
        "MainContact/Phone1": row.phone or None,
        **_address(row.address, "MainContact/Address"),
        **_stamps(modified),
    }
    key = state.collate(row.id)
    return _record(CUSTOMER, key, row.note_id or note_id_of(CUSTOMER, key), values, row)


def contact_record(row: ContactRow, *, number: int, modified: datetime) -> Record:
    """Return the record of a contact."""
    values: dict[str, Value] = {
        "ContactID": number,
        "BusinessAccount": row.customer or None,
        "Active": row.active,
        "FirstName": row.first_name or None,
        "LastName": row.last_name or None,
        "Email": row.email or None,
        "JobTitle": row.job_title or None,
        "Type": row.type,
        "ExtRefNbr": row.reference_number or None,
        **dict(zip(_PHONES, (*row.phones, None, None, None), strict=False)),
        **_address(row.address, "Address"),
        **_stamps(modified),
    }
    return _record(CONTACT, number, row.note_id or note_id_of(CONTACT, number), values, row)


def location_record(state: State, row: LocationRow, *, modified: datetime) -> Record:
    """Return the record of a location."""
    values: dict[str, Value] = {
        "Customer": row.customer,
        "LocationID": row.id,
        "LocationName": row.name or None,
        "Active": row.active,
        "Default": row.default,
        "ExtRefNbr": row.reference_number or None,
        "LocationContact/FirstName": row.first_name or None,
        "LocationContact/LastName": row.last_name or None,
        "LocationContact/Email": row.email or None,
        "LocationContact/Phone1": row.phone or None,
        **_address(row.address, "LocationContact/Address"),
        **_stamps(modified),
    }
    key = (state.collate(row.customer), state.collate(row.id))
    return _record(LOCATION, key, row.note_id or note_id_of(LOCATION, *key), values, row)


def customer_row(record: Record) -> CustomerRow:
    """Return a customer as a plain row."""
    primary = record.get("PrimaryContactID")
    return CustomerRow(
        id=_text(record, "CustomerID"),
        name=_text(record, "CustomerName"),
        note_id=record.note_id,
        customer_class=_text(record, "CustomerClass"),
        status=_text(record, "Status"),
        category=_text(record, "CustomerCategory"),
        guest=bool(record.get("IsGuestCustomer")),
        email=_text(record, "MainContact/Email"),
        phone=_text(record, "MainContact/Phone1"),
        address=_address_row(record, "MainContact/Address"),
        primary_contact=primary if isinstance(primary, int) else None,
        custom=dict(record.custom),
        attributes=dict(record.attributes),
        details=dict(record.details),
        modified=_modified(record),
    )


def contact_row(record: Record) -> ContactRow:
    """Return a contact as a plain row."""
    return ContactRow(
        id=record.key,
        note_id=record.note_id,
        customer=_text(record, "BusinessAccount") or None,
        active=bool(record.get("Active")),
        first_name=_text(record, "FirstName"),
        last_name=_text(record, "LastName"),
        email=_text(record, "Email"),
        phones=tuple(phone for name in _PHONES if (phone := _text(record, name))),
        job_title=_text(record, "JobTitle"),
        type=_text(record, "Type"),
        reference_number=_text(record, "ExtRefNbr"),
        address=_address_row(record, "Address"),
        custom=dict(record.custom),
        attributes=dict(record.attributes),
        details=dict(record.details),
        modified=_modified(record),
    )


def location_row(record: Record) -> LocationRow:
    """Return a location as a plain row."""
    return LocationRow(
        id=_text(record, "LocationID"),
        customer=_text(record, "Customer"),
        name=_text(record, "LocationName"),
        note_id=record.note_id,
        active=bool(record.get("Active")),
        default=bool(record.get("Default")),
        first_name=_text(record, "LocationContact/FirstName"),
        last_name=_text(record, "LocationContact/LastName"),
        email=_text(record, "LocationContact/Email"),
        phone=_text(record, "LocationContact/Phone1"),
        address=_address_row(record, "LocationContact/Address"),
        reference_number=_text(record, "ExtRefNbr"),
        custom=dict(record.custom),
        attributes=dict(record.attributes),
        details=dict(record.details),
        modified=_modified(record),
    )


def _record(
    entity: str,
    key: object,
    note_id: str,
    values: Mapping[str, Value],
    row: CustomerRow | ContactRow | LocationRow,
) -> Record:
    return Record(
        entity=entity,
        key=key,
        note_id=note_id,
        values=dict(values),
        custom=dict(row.custom),
        attributes=dict(row.attributes),
        details=dict(row.details),
    )


_ADDRESS: Final = {
    "AddressLine1": "line1",
    "AddressLine2": "line2",
    "City": "city",
    "State": "state",
    "PostalCode": "postal_code",
    "Country": "country",
}


def _address(row: AddressRow, path: str) -> dict[str, Value]:
    return {f"{path}/{name}": value for name, ours in _ADDRESS.items() if (value := getattr(row, ours))}


def _address_row(record: Record, path: str) -> AddressRow:
    return AddressRow(**{ours: _text(record, f"{path}/{name}") for name, ours in _ADDRESS.items()})


def _stamps(modified: datetime) -> dict[str, Value]:
    return {"CreatedDateTime": modified, "LastModifiedDateTime": modified}


def _text(record: Record, path: str) -> str:
    return str(record.get(path) or "")


def _modified(record: Record) -> datetime | None:
    stamp = record.get("LastModifiedDateTime")
    return stamp if isinstance(stamp, datetime) else None
