"""Which customers the companies of a shop belong to, as the log says."""

from collections.abc import Iterable
from typing import Final

from acumatica_b2b.effects import Keys, Load
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.logstate import fold
from acumatica_b2b.model import CustomerID, Record, RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.synclog import read_body
from acumatica_b2b.terms import customer_key, customer_of

_PAGE: Final = 200
"""Logs that are read at once."""


def customers_of(companies: Iterable[str], policy: SyncPolicy) -> Flow[tuple[CustomerID, ...]]:
    """Return the customers that are linked to these companies, in the order of their logs, all of which are read."""
    wanted = frozenset(companies)
    found: list[CustomerID] = []
    prefix, after = customer_key(policy, CustomerID("")), None
    while wanted and (keys := (yield from ask(Keys(prefix, _PAGE, after)))):
        logs = yield from ask_all(Load(key) for key in keys)
        for key, commits in zip(keys, logs, strict=True):
            customer = customer_of(policy, key)
            link = fold(read_body(commit.body) for commit in commits).links.get(Record(RecordKind.CUSTOMER, customer))
            if link and link.id in wanted:
                found.append(customer)
        after = keys[-1]
    return tuple(found)
