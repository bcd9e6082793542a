"""Which customers the companies of a shop belong to, as the log says."""

from collections.abc import Iterable
from typing import Final

from attrs import define, field

from acumatica_b2b.effects import Keys, Load
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.keys import customer_key, customer_of
from acumatica_b2b.logstate import fold
from acumatica_b2b.model import CustomerID, Record, RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.synclog import read_body

_PAGE: Final = 200
"""Logs that are read at once."""


def customers_of(companies: Iterable[str], policy: SyncPolicy) -> Flow[tuple[CustomerID, ...]]:
    """Return the customers that are linked to these companies, in the order of their logs, all of which are read."""
    wanted = frozenset(companies)
    linked = (yield from _linked(policy)) if wanted else {}
    return tuple(customer for customer, company in linked.items() if company in wanted)


@define
class Owners:
    """Who has which company by the log, which is read when somebody asks first."""

    _known: dict[str, CustomerID] | None = field(default=None, init=False, repr=False)

    def of(self, company: str, policy: SyncPolicy) -> Flow[CustomerID | None]:
        """Return the customer that is linked to a company."""
        if self._known is None:
            linked = yield from _linked(policy)
            self._known = {company: customer for customer, company in linked.items()}
        return self._known.get(company)


def _linked(policy: SyncPolicy) -> Flow[dict[CustomerID, str]]:
    found: dict[CustomerID, str] = {}
    prefix, after = customer_key(policy, CustomerID("")), None
    while keys := (yield from ask(Keys(prefix, _PAGE, after))):
        logs = yield from ask_all(Load(key) for key in keys)
        for key, commits in zip(keys, logs, strict=True):
            customer = customer_of(policy, key)
            link = fold(read_body(commit.body) for commit in commits).links.get(Record(RecordKind.CUSTOMER, customer))
            if link:
                found[customer] = link.id
        after = keys[-1]
    return found
