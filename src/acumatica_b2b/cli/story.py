"""What the demo plays: a tenant, and acts of edits that people make in it."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from acumatica_b2b.http import json_body
from acumatica_b2b.simulators import AddressRow, ContactRow, CustomerRow, Dataset, Edit, LocationRow, dataset, edits
from acumatica_b2b.simulators.acumatica import CONNECTION_TYPE, ENABLED

FACEBOOK: Final = "C000000288"
FIRST_CONTACT: Final = 100_001
_ENDPOINT: Final = "/entity/Default/24.200.001"


@frozen(kw_only=True)
class Act:
    """What people do in Acumatica before the next sync."""

    title: str
    said: tuple[str, ...] = ()
    """What there is to tell besides the edits."""
    edits: tuple[Edit, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Everything there is to tell, a line each."""
        return (*self.said, *(edit.description for edit in self.edits))


@frozen(kw_only=True)
class Story:
    """A tenant as it is at first, and what becomes of it."""

    dataset: Dataset
    acts: tuple[Act, ...]


# ------------------------------------------------------------------ edits
def _put(entity: str, description: str, fields: Mapping[str, str | int], **nested: Mapping[str, Any]) -> Edit:
    body = {**_cells(fields), **nested}
    return Edit(description=description, method="PUT", path=f"{_ENDPOINT}/{entity}", body=json_body(body))


def _cells(fields: Mapping[str, str | int]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in fields.items()}


def _association() -> dict[str, Any]:
    view, _, enabled = ENABLED.partition(".")
    connection_type = CONNECTION_TYPE.partition(".")[2]
    return {
        view: {
            enabled: {"type": "CustomBooleanField", "value": True},
            connection_type: {"type": "CustomStringField", "value": "B2B"},
        }
    }


def _enabled(contact: int, who: str) -> Edit:
    description = f"{who}: “Enable Kensium Commerce Framework” is checked, Connection Type is B2B"
    return _put("Contact", description, {"ContactID": contact}, custom=_association())


def _hired(first: str, last: str, phone: str) -> Edit:
    person = {"FirstName": first, "LastName": last, "Email": f"{first.lower()}@test.com", "Phone1": phone}
    description = f"contact {first} {last} is created and enabled for the site"
    return _put("Contact", description, {"BusinessAccount": FACEBOOK, **person}, custom=_association())


def _opened(location: str, name: str) -> Edit:
    address = {"AddressLine1": "12 Dock St", "City": "Oakland", "State": "CA", "PostalCode": "94607", "Country": "US"}
    clerk = {"FirstName": "Ana", "LastName": "Lima"}
    place = {"Customer": FACEBOOK, "LocationID": location, "LocationName": name}
    description = f"location {location} “{name}” is opened"
    return _put("CustomerLocation", description, place, LocationContact={**_cells(clerk), "Address": _cells(address)})


def _primary(contact: int, who: str) -> Edit:
    return Edit(
        description=f"{who}: the Primary box is checked",
        method="POST",
        path=f"/simulator/customers/{FACEBOOK}/primary",
        body=json_body({"contact": contact}),
    )


# ------------------------------------------------------------------ Facebook
def facebook(mark: int = FIRST_CONTACT) -> Story:
    """Return the customer "Facebook", from a contact that takes no part to a Primary Admin that moved.

    `mark` is the number of its first contact; the tenant has none above it.
    """
    return Story(
        dataset=_facebook(mark),
        acts=(
            Act(
                title="A customer with one contact",
                said=(
                    f"customer {FACEBOOK} “Facebook”, class LOCAL, with one location",
                    "contact Mark Z, markz@test.com, 4444444444: neither enabled for the site nor Primary",
                ),
            ),
            Act(title="The contact is enabled for the site", edits=(_enabled(mark, "Mark Z"),)),
            Act(title="The contact becomes the primary contact", edits=(_primary(mark, "Mark Z"),)),
            Act(
                title="Two colleagues and a second location",
                edits=(
                    _hired("Priya", "Nair", "4444444445"),
                    _hired("Tom", "Okafor", "4444444446"),
                    _opened("DOCK", "Oakland Warehouse"),
                ),
            ),
            Act(title="Another contact becomes primary", edits=(_primary(mark + 1, "Priya Nair"),)),
            Act(title="Nothing changed", said=("nobody touched anything",)),
        ),
    )


def _facebook(mark: int) -> Dataset:
    address = AddressRow(line1="1 Hacker Way", city="Menlo Park", state="CA", postal_code="94025", country="US")
    customer = CustomerRow(
        id=FACEBOOK,
        name="Facebook",
        customer_class="LOCAL",
        email="accounts@test.com",
        phone="6505434800",
        address=address,
    )
    contact = ContactRow(
        id=mark, customer=FACEBOOK, first_name="Mark", last_name="Z", email="markz@test.com", phones=("4444444444",)
    )
    location = LocationRow(
        id="MAIN",
        customer=FACEBOOK,
        name="Primary Location",
        default=True,
        first_name="Robin",
        last_name="Vale",
        address=address,
    )
    return Dataset(customers=(customer,), contacts=(contact,), locations=(location,))


# ------------------------------------------------------------------ generated tenants
def generated(customers: int, seed: int) -> Story:
    """Return a story of so many made-up customers, bad records among them, and a day of changes."""
    tenant = dataset(customers, seed)
    return Story(
        dataset=tenant,
        acts=(
            Act(
                title=f"{customers} customers meet an empty shop", said=("some of the records are as bad as real ones",)
            ),
            Act(title="A day of changes", edits=edits(tenant, seed)),
            Act(title="Nothing changed", said=("nobody touched anything",)),
        ),
    )


def mixed(customers: int, seed: int) -> Story:
    """Return Facebook among so many made-up customers, with all that is worth a first sync in one act."""
    tenant = dataset(customers, seed)
    others = [one for one in tenant.customers if one.id != FACEBOOK]
    contacts = [one for one in tenant.contacts if one.customer != FACEBOOK]
    locations = [one for one in tenant.locations if one.customer != FACEBOOK]
    story = facebook(max((one.id or 0 for one in contacts), default=FIRST_CONTACT) + 1)
    _, enabled, primary, grown, *_ = story.acts
    return Story(
        dataset=Dataset(
            customers=(*others, *story.dataset.customers),
            contacts=(*contacts, *story.dataset.contacts),
            locations=(*locations, *story.dataset.locations),
        ),
        acts=(Act(title="Before the first sync", edits=(*enabled.edits, *primary.edits, *grown.edits)),),
    )
