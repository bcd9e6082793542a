"""Which customers the companies of a shop belong to, as the log says."""

from collections.abc import Callable, Iterable
from typing import Final

from attrs import define, field

from acumatica_b2b.effects import Keys, Load
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.folding import fold
from acumatica_b2b.ids import Census
from acumatica_b2b.keys import customer_key, customer_of
from acumatica_b2b.model import CustomerID, Record, RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.synclog import read_body

_PAGE: Final = 200
"""Logs that are read at once."""


def customers_of(companies: Iterable[str], policy: SyncPolicy) -> Flow[tuple[CustomerID, ...]]:
    """Return the customers that are linked to these companies, in the order of their logs, all of which are read."""
    wanted, found = frozenset(companies), list[CustomerID]()

    def note(customer: CustomerID, company: str) -> None:
        if company in wanted:
            found.append(customer)

    if wanted:
        yield from _each_link(policy, note)
    return tuple(found)


@define
class Owners:
    """Which companies are linked by the log, which is read when somebody asks first."""

    _linked: Census | None = field(default=None, init=False, repr=False)

    def have(self, company: str, policy: SyncPolicy) -> Flow[bool]:
        """Tell whether a customer is linked to a company."""
        if self._linked is None:
            linked = Census()
            yield from _each_link(policy, lambda _, company: linked.count([company]))
            self._linked = linked
        return not self._linked.missing([company])


def _each_link(policy: SyncPolicy, note: Callable[[CustomerID, str], None]) -> Flow[None]:
    """Read all logs, some at a time, and hand on which customer is linked to which company."""
    prefix, after = customer_key(policy, CustomerID("")), None
    while keys := (yield from ask(Keys(prefix, _PAGE, after))):
        logs = yield from ask_all(Load(key) for key in keys)
        for key, commits in zip(keys, logs, strict=True):
            customer = customer_of(policy, key)
            link = fold(read_body(commit.body) for commit in commits).links.get(Record(RecordKind.CUSTOMER, customer))
            if link:
                note(customer, link.id)
        after = keys[-1]
