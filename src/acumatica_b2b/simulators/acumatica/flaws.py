"""What is wrong with real customers, each as a change of one in the making."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final, TypeAlias

from attrs import define, evolve

from acumatica_b2b.simulators.acumatica.rows import ContactRow, CustomerRow, LocationRow
from acumatica_b2b.simulators.acumatica.settings import CONNECTION_TYPE, ENABLED

FIRST_CONTACT: Final = 100_001
"""The number of the first contact of every data set."""


@define(kw_only=True)
class Draft:
    """A customer in the making."""

    customer: CustomerRow
    contacts: list[ContactRow]
    locations: list[LocationRow]

    def change(self, place: int, contact: ContactRow) -> None:
        """Put a contact in the place of another."""
        self.contacts[place] = contact


Flaw: TypeAlias = Callable[[Draft, Random], None]


def _no_email(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    draft.change(place, evolve(draft.contacts[place], email=""))


def _malformed_email(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    local, _, domain = draft.contacts[place].email.partition("@")
    wrong = random.choice((f"{local}(at){domain}", f"{local}@@{domain}", "n/a", f"{local}@", f"{local} @{domain}"))
    draft.change(place, evolve(draft.contacts[place], email=wrong))


def _several_emails(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    email = draft.contacts[place].email
    draft.change(place, evolve(draft.contacts[place], email=f"{email}; second.{email}"))


def _shared_with_primary(draft: Draft, random: Random) -> None:
    if len(draft.contacts) > 1:
        place = random.randrange(1, len(draft.contacts))
        draft.change(place, evolve(draft.contacts[place], email=draft.contacts[0].email.upper()))


def _shared_by_others(draft: Draft, _: Random) -> None:
    if len(draft.contacts) > 2:
        draft.change(2, evolve(draft.contacts[2], email=draft.contacts[1].email))


def _shared_across_customers(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    draft.change(place, evolve(draft.contacts[place], email="purchasing@buying-group.example"))


def _no_first_name(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    draft.change(place, evolve(draft.contacts[place], first_name=""))


def _inactive_primary(draft: Draft, _: Random) -> None:
    draft.change(0, evolve(draft.contacts[0], active=False))


def _no_primary(draft: Draft, _: Random) -> None:
    draft.customer = evolve(draft.customer, primary_contact=None)


def _primary_elsewhere(draft: Draft, _: Random) -> None:
    first = draft.contacts[0].id or FIRST_CONTACT
    elsewhere = first - 1 if first > FIRST_CONTACT else first + len(draft.contacts)
    draft.customer = evolve(draft.customer, primary_contact=elsewhere)


def _dangling_primary(draft: Draft, _: Random) -> None:
    draft.customer = evolve(draft.customer, primary_contact=9_999_999)


def _no_company_phone(draft: Draft, _: Random) -> None:
    draft.customer = evolve(draft.customer, phone="")


def _no_company_email(draft: Draft, _: Random) -> None:
    draft.customer = evolve(draft.customer, email="")


def _no_country(draft: Draft, _: Random) -> None:
    draft.customer = evolve(draft.customer, address=evolve(draft.customer.address, country=""))


def _not_active(draft: Draft, random: Random) -> None:
    draft.customer = evolve(draft.customer, status=random.choice(("Inactive", "On Hold", "Credit Hold")))


def _nobody_enabled(draft: Draft, _: Random) -> None:
    draft.contacts[:] = [evolve(contact, custom={**contact.custom, ENABLED: False}) for contact in draft.contacts]


def _other_connection(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.contacts))
    contact = draft.contacts[place]
    draft.change(place, evolve(contact, custom={**contact.custom, CONNECTION_TYPE: "B2C"}))


def _location_without_city(draft: Draft, _: Random) -> None:
    last = draft.locations[-1]
    draft.locations[-1] = evolve(last, address=evolve(last.address, city=""))


FLAWS: Final[Mapping[str, Flaw]] = {
    "no e-mail": _no_email,
    "malformed e-mail": _malformed_email,
    "several e-mails in one field": _several_emails,
    "e-mail shared with the primary": _shared_with_primary,
    "e-mail shared by two others": _shared_by_others,
    "e-mail shared across customers": _shared_across_customers,
    "no first name": _no_first_name,
    "inactive primary": _inactive_primary,
    "no primary": _no_primary,
    "primary of another customer": _primary_elsewhere,
    "primary that no contact is": _dangling_primary,
    "customer without phone": _no_company_phone,
    "customer without e-mail": _no_company_email,
    "customer without country": _no_country,
    "customer not active": _not_active,
    "nobody enabled": _nobody_enabled,
    "other connection type": _other_connection,
    "location without city": _location_without_city,
}
"""What may be wrong with a customer; those about shared addresses need enough contacts to show."""
