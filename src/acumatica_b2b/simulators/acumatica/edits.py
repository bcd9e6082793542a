"""A day of changes at the ERP's screens, as requests for the simulator."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from random import Random
from typing import Final
from urllib.parse import quote

from attrs import frozen

from acumatica_b2b.http import json_body
from acumatica_b2b.simulators.acumatica.rows import ContactRow, CustomerRow, Dataset, LocationRow
from acumatica_b2b.simulators.acumatica.settings import ENABLED
from acumatica_b2b.simulators.acumatica.tenant import Tenant


@frozen(kw_only=True)
class Edit:
    """What a person of the company does in the ERP, as a request; the caller adds base URL and session."""

    description: str
    method: str
    path: str
    body: bytes = b""


@frozen(kw_only=True)
class _Family:
    customer: CustomerRow
    contacts: tuple[ContactRow, ...]
    locations: tuple[LocationRow, ...]

    @property
    def others(self) -> tuple[ContactRow, ...]:
        """The active contacts that are not primary."""
        return tuple(one for one in self.contacts if one.active and one.id != self.customer.primary_contact)


def edits(source: Dataset | Tenant, seed: int, *, version: str = "24.200.001", rounds: int = 1) -> tuple[Edit, ...]:
    """Return a plausible day of changes, each on another customer: one of every kind a round.

    They are requests for a simulator; the one that moves the primary contact goes to its control route, for
    no API of Acumatica can do that. A kind that fits no customer is left out.
    """
    families = _families(source.snapshot() if isinstance(source, Tenant) else source)
    Random(seed).shuffle(families)  # noqa: S311  # made-up changes, not secrets
    base = f"/entity/Default/{version}"
    found: list[Edit] = []
    for change in _CHANGES * rounds:
        for place, family in enumerate(families):
            edit = change(family, base)
            if edit is not None:
                found.append(edit)
                del families[place]
                break
    return tuple(found)


def _families(rows: Dataset) -> list[_Family]:
    contacts: dict[str | None, list[ContactRow]] = defaultdict(list)
    locations: dict[str, list[LocationRow]] = defaultdict(list)
    for contact in rows.contacts:
        contacts[contact.customer].append(contact)
    for location in rows.locations:
        locations[location.customer].append(location)
    return [
        _Family(customer=one, contacts=tuple(contacts[one.id]), locations=tuple(locations[one.id]))
        for one in rows.customers
    ]


def _put(base: str, entity: str, description: str, body: Mapping[str, object]) -> Edit:
    return Edit(description=description, method="PUT", path=f"{base}/{entity}", body=json_body(body))


def _put_contact(base: str, contact: ContactRow, what: str, **fields: object) -> Edit:
    body = {"ContactID": contact.id, **fields}
    cells: dict[str, object] = {name: {"value": value} for name, value in body.items()}
    return _put(base, "Contact", f"contact {contact.id} of {contact.customer} {what}", cells)


def _custom(name: str, kind: str, value: object) -> dict[str, object]:
    view, _, short = name.partition(".")
    return {view: {short: {"type": kind, "value": value}}}


def _association(base: str, contact: ContactRow, what: str, *, enabled: bool) -> Edit:
    body = {"ContactID": {"value": contact.id}, "custom": _custom(ENABLED, "CustomBooleanField", enabled)}
    return _put(base, "Contact", f"contact {contact.id} of {contact.customer} {what}", body)


def _enable(family: _Family, base: str) -> Edit | None:
    for contact in family.others:
        if contact.custom.get(ENABLED) is not True:
            return _association(base, contact, "is enabled for the storefront", enabled=True)
    return None


def _disable(family: _Family, base: str) -> Edit | None:
    for contact in family.others:
        if contact.custom.get(ENABLED) is True:
            return _association(base, contact, "is enabled no more", enabled=False)
    return None


def _move_primary(family: _Family, _: str) -> Edit | None:
    if not family.others:
        return None
    customer, contact = family.customer.id, family.others[0]
    return Edit(
        description=f"contact {contact.id} becomes the primary contact of {customer}",
        method="POST",
        path=f"/simulator/customers/{quote(customer, safe='')}/primary",
        body=json_body({"contact": contact.id}),
    )


def _change_email(family: _Family, base: str) -> Edit | None:
    for contact in family.others:
        if contact.email:
            return _put_contact(base, contact, "gets another e-mail address", Email=f"new.{contact.email}")
    return None


def _delete(family: _Family, base: str) -> Edit | None:
    if not family.others:
        return None
    number = family.others[-1].id
    description = f"contact {number} of {family.customer.id} is deleted"
    return Edit(description=description, method="DELETE", path=f"{base}/Contact/{number}")


def _add(family: _Family, base: str) -> Edit | None:
    customer = family.customer.id
    fields = {"BusinessAccount": customer, "FirstName": "Nia", "LastName": "Newcomer"}
    fields["Email"] = f"nia.newcomer@{_domain(customer)}.example"
    cells: dict[str, object] = {name: {"value": value} for name, value in fields.items()}
    cells["custom"] = _custom(ENABLED, "CustomBooleanField", value=True)
    return _put(base, "Contact", f"customer {customer} gets a new contact", cells)


def _domain(customer: str) -> str:
    return re.sub("[^a-z0-9]+", "-", customer.lower()).strip("-")


def _rename(family: _Family, base: str) -> Edit | None:
    if not family.others:
        return None
    contact = family.others[0]
    return _put_contact(base, contact, "changes the last name", LastName=f"{contact.last_name}-Smith")


def _deactivate(family: _Family, base: str) -> Edit | None:
    return _put_contact(base, family.others[0], "is made inactive", Active=False) if family.others else None


def _move_location(family: _Family, base: str) -> Edit | None:
    if not family.locations:
        return None
    location = family.locations[-1]
    address = {"AddressLine1": {"value": "77 New Harbor Way"}, "City": {"value": "Seattle"}, "State": {"value": "WA"}}
    body = {
        "Customer": {"value": location.customer},
        "LocationID": {"value": location.id},
        "LocationName": {"value": f"{location.name} (moved)"},
        "LocationContact": {"Address": address},
    }
    return _put(base, "CustomerLocation", f"location {location.id} of {location.customer} moves to Seattle", body)


_CHANGES: Final[tuple[Callable[[_Family, str], Edit | None], ...]] = (
    _enable,
    _disable,
    _move_primary,
    _change_email,
    _delete,
    _add,
    _rename,
    _deactivate,
    _move_location,
)
