"""The sweep of the primary marks: whose primary contact is another than the log says."""

from collections.abc import Sequence

from acumatica_b2b.census import unlisted
from acumatica_b2b.effects import Load, NextPage
from acumatica_b2b.flow import Flow, ask, ask_all
from acumatica_b2b.ids import Census
from acumatica_b2b.keys import customer_key
from acumatica_b2b.model import Customer, CustomerID
from acumatica_b2b.protocols import Commit, PrimaryMarks
from acumatica_b2b.synclog import primary_told
from acumatica_b2b.terms import Terms


def moved_marks(census: Census, terms: Terms, size: int) -> Flow[frozenset[CustomerID]]:
    """Return the customers whose primary contact is another than the log says, or who are gone: no stamp tells it.

    The census counts all that there are.
    """
    moved: set[CustomerID] = set()
    while page := (yield from ask(NextPage(PrimaryMarks(), size))):
        census.count(customer.id for customer in page.items)
        census.count(unreadable.customer for unreadable in page.unreadable)
        logs = yield from ask_all(Load(customer_key(terms.policy, customer.id)) for customer in page.items)
        for customer, commits in zip(page.items, logs, strict=True):
            if (
                commits
                and isinstance(customer, Customer)
                and known_primary(commits) != (customer.primary_contact or "")
            ):
                moved.add(customer.id)
    return frozenset(moved) | (yield from unlisted(census, terms, known=False))


def known_primary(commits: Sequence[Commit]) -> str:
    """Return the primary contact that a log knows: the newest commit that tells it is enough, nothing is folded."""
    told = (primary_told(commit.body) for commit in reversed(commits))
    return next((primary for primary in told if primary is not None), "")
