"""Who the ERP listed in a run, and whom the log knows beside them: customers that were deleted."""

from collections.abc import Mapping, Sequence
from typing import Final

from acumatica_b2b.effects import Keys, Load
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.folding import fold
from acumatica_b2b.ids import Census
from acumatica_b2b.keys import contact_key, customer_key, customer_of
from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import DELETED, customer_record
from acumatica_b2b.model import ContactID, CustomerID
from acumatica_b2b.observing import read_home
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.synclog import digest, read_body
from acumatica_b2b.terms import Terms

_PAGE: Final = 1000
"""Keys of the log that are read at once."""


def homes_of(contacts: Sequence[ContactID], policy: SyncPolicy) -> Flow[Mapping[ContactID, CustomerID]]:
    """Return whose company has a user of these contacts, as far as the index over all customers knows."""
    logs = yield from ask_all(Load(contact_key(policy, contact)) for contact in contacts)
    homes = {contact: read_home(log[-1].body) for contact, log in zip(contacts, logs, strict=True) if log}
    return {contact: home.customer for contact, home in homes.items() if home}


def unlisted(census: Census, terms: Terms, *, known: bool) -> Flow[frozenset[CustomerID]]:
    """Return the customers with a company that were not listed; with `known` also those known to be deleted."""
    found: set[CustomerID] = set()
    prefix, after = customer_key(terms.policy, CustomerID("")), None
    while keys := (yield from ask(Keys(prefix, _PAGE, after))):
        missing = census.missing(customer_of(terms.policy, key) for key in keys)
        logs = yield from ask_all(Load(customer_key(terms.policy, customer)) for customer in missing)
        for customer, log in zip(missing, logs, strict=True):
            state = fold(read_body(commit.body) for commit in log)
            if customer_record(customer) in state.links and (known or not _is_settled(customer, state)):
                found.add(customer)
        after = keys[-1]
    return frozenset(found)


def _is_settled(customer: CustomerID, state: LogState) -> bool:
    """Tell whether it is on record that the customer was deleted, and nothing is left to do about it."""
    told = any(f.kind is FindingKind.CUSTOMER_LEFT and f.detail == DELETED for f in state.findings)
    switched_off = state.links[customer_record(customer)].sent.get("active") == digest("no")
    return bool(state.digest) and (told or switched_off)
