"""The names of the logs: each begins with the store, and is printable ASCII whatever the ids are."""

from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.protocols import LogKey


def customer_key(policy: SyncPolicy, customer: CustomerID) -> LogKey:
    """Return the key of a customer's log."""
    return LogKey(f"{policy.store}/customer/{_ascii(customer)}")


def customer_of(policy: SyncPolicy, key: LogKey) -> CustomerID:
    """Return the customer whose log has this key."""
    name = key.removeprefix(customer_key(policy, CustomerID("")))
    return CustomerID(bytes.fromhex(name[1:]).decode() if name.startswith("~") else name)


def contact_key(policy: SyncPolicy, contact: ContactID) -> LogKey:
    """Return the key of the index that says whose user a contact has."""
    return LogKey(f"{policy.store}/contact/{_ascii(contact)}")


def history_key(policy: SyncPolicy, customer: CustomerID) -> LogKey:
    """Return the key of what is kept of the Customer Log when a customer's log was cut short."""
    return LogKey(f"{policy.store}/history/{_ascii(customer)}")


def address_key(policy: SyncPolicy, fingerprint: str) -> LogKey:
    """Return the key of what says that a user of ours has had, or was to have, the address of this digest."""
    return LogKey(f"{policy.store}/address/{fingerprint}")


def _ascii(identifier: str) -> str:
    plain = identifier.isascii() and identifier.isprintable() and not identifier.startswith("~")
    return identifier if plain else f"~{identifier.encode().hex()}"
