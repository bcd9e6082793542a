"""What the store would send to webhooks: ids only, and not of everything that changes."""

import json
from collections.abc import Mapping
from hashlib import sha1
from typing import Any, Final

from acumatica_b2b.simulators.bigcommerce.records import StoredUser

_TOLD_OF_A_USER: Final = ("first_name", "last_name", "email", "phone_number", "extra_fields")


def payload(scope: str, store_hash: str, stamp: int, ids: Mapping[str, int]) -> Mapping[str, Any]:
    """Return what a webhook of this scope receives."""
    told = {"scope": f"store/{scope}", "store_id": "1000", "data": dict(ids)}
    # the hash tells repeated deliveries apart, and protects nothing
    digest = sha1(json.dumps([told, stamp]).encode(), usedforsecurity=False).hexdigest()
    return {**told, "hash": digest, "created_at": stamp, "producer": f"stores/{store_hash}"}


# https://docs.bigcommerce.com, B2B Edition Webhooks: roles and channels are not among what is told.
def tells(before: StoredUser, after: StoredUser) -> bool:
    """Tell whether a change of a user fires its webhook."""
    return any(getattr(before, name) != getattr(after, name) for name in _TOLD_OF_A_USER)
