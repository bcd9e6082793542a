"""What people do in an ERP, as far as a test can do it in their place."""

from typing import NoReturn

import pytest

from acumatica_b2b.model import ContactID, CustomerID, LocationID


class Tenant:
    """Edits by people. Override those that your test can do; checks that need another are skipped.

    Contacts are added so that they take part: active, and opted in where that is asked for.
    """

    def add_customer(self, name: str) -> CustomerID:
        """Add a customer without contacts; return the id that the ERP gave it."""
        self._lacks("add_customer", name)

    def add_contact(self, customer: CustomerID, *, first_name: str, last_name: str, email: str) -> ContactID:
        """Add a contact to a customer; return its id."""
        self._lacks("add_contact", customer, first_name, last_name, email)

    def add_location(self, customer: CustomerID, name: str) -> LocationID:
        """Add a location to a customer; return its id."""
        self._lacks("add_location", customer, name)

    def rename_customer(self, customer: CustomerID, name: str) -> None:
        """Give a customer another name."""
        self._lacks("rename_customer", customer, name)

    def rename_contact(self, contact: ContactID, first_name: str) -> None:
        """Give a contact another first name."""
        self._lacks("rename_contact", contact, first_name)

    def rename_location(self, customer: CustomerID, location: LocationID, name: str) -> None:
        """Give a location another name."""
        self._lacks("rename_location", customer, location, name)

    def set_primary(self, customer: CustomerID, contact: ContactID | None) -> None:
        """Make a contact the customer's primary one, or nobody."""
        self._lacks("set_primary", customer, contact)

    def move_contact(self, contact: ContactID, customer: CustomerID | None) -> None:
        """Attach a contact to another customer, or to none."""
        self._lacks("move_contact", contact, customer)

    def delete_contact(self, contact: ContactID) -> None:
        """Delete a contact."""
        self._lacks("delete_contact", contact)

    def delete_customer(self, customer: CustomerID) -> None:
        """Delete a customer."""
        self._lacks("delete_customer", customer)

    def _lacks(self, edit: str, *_: object) -> NoReturn:
        pytest.skip(f"{type(self).__name__} has no {edit}")


def offers(tenant: Tenant, edit: str) -> bool:
    """Tell whether a tenant can do an edit."""
    return getattr(type(tenant), edit) is not getattr(Tenant, edit)
