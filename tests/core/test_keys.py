"""The names of the logs: what they look like, and that a customer's leads back to the customer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.keys import address_key, contact_key, customer_key, customer_of, history_key
from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.terms import LeftToAnotherError
from tests.bench import FrozenClock

POLICY = SyncPolicy(store="north")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("C000000288", "C000000288"),
        ("A B/C", "A B/C"),
        ("x~", "x~"),
        ("~x", "~7e78"),
        ("Ä", "~c384"),
        ("a\nb", "~610a62"),
    ],
    ids=range(6),
)
def test_names(identifier: str, name: str) -> None:
    """A log is named by store, kind and id; an id that is not printable ASCII is spelled in digits behind a tilde."""
    assert customer_key(POLICY, CustomerID(identifier)) == f"north/customer/{name}"
    assert contact_key(POLICY, ContactID(identifier)) == f"north/contact/{name}"
    assert history_key(POLICY, CustomerID(identifier)) == f"north/history/{name}"
    assert address_key(POLICY, "00ff") == "north/address/00ff"


@given(st.text())
def test_name_leads_back(identifier: str) -> None:
    """The name of a customer's log leads back to the customer, and is printable ASCII."""
    customer = CustomerID(identifier.encode("utf-8", "ignore").decode())
    key = customer_key(POLICY, customer)
    assert key.isascii()
    assert key.isprintable()
    assert customer_of(POLICY, key) == customer


def test_left_to_another() -> None:
    """What is left to another runner says until when, apart from its words."""
    until = FrozenClock().now()
    error = LeftToAnotherError("busy", until)
    assert (str(error), error.until) == ("busy", until)
    assert LeftToAnotherError("busy").until is None
    assert error.args == ("busy", until)
