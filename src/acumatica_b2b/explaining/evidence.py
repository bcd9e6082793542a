"""By what a company and a company user are a customer's and a contact's, for people to judge."""

import enum

from acumatica_b2b.logstate import LogState
from acumatica_b2b.mapping import contact_record, emails_of, plain_email
from acumatica_b2b.matching import referred
from acumatica_b2b.model import Company, CompanyUser, ContactID, Customer
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.world import World


class Evidence(enum.Enum):
    """What speaks for a pair, the strongest first."""

    LINK = "link in the log"
    REFERENCE = "commerce reference ID"
    EXTERNAL_ID = "external ID"
    EMAIL = "e-mail address"
    ADOPTION = "e-mail addresses of its contacts, which its users have"
    LOST_ANSWER = "e-mail address of its admin, for whom it was made when the answer was lost"


def of_company(company: Company, customer: Customer, world: World, before: LogState) -> tuple[Evidence, ...]:
    """Return what speaks for a company, that which decided first; `before` is the log before it was observed."""
    link = before.links.get(world.record)
    held = {
        Evidence.LINK: link is not None and link.id == company.id,
        Evidence.REFERENCE: referred(customer.reference, world.policy) == company.id,
        Evidence.EXTERNAL_ID: bool(company.external_id) and company.external_id.lower() == customer.note_id,
        Evidence.ADOPTION: world.adopts == company.id,
    }
    return tuple(evidence for evidence, holds in held.items() if holds) or (Evidence.LOST_ANSWER,)


def of_user(
    user: CompanyUser, contact: ContactID, customer: Customer, before: LogState, policy: SyncPolicy
) -> tuple[Evidence, ...]:
    """Return what speaks for a company user, that which decided first."""
    link = before.links.get(contact_record(contact))
    person = next((one for one in customer.contacts if one.id == contact), None)
    held = {
        Evidence.LINK: link is not None and link.id == user.id,
        Evidence.EXTERNAL_ID: person is not None and user.external_id.lower() == person.note_id,
        Evidence.REFERENCE: person is not None and referred(person.reference, policy) == user.id,
        Evidence.EMAIL: person is not None and plain_email(user.email) in emails_of(person.email),
    }
    return tuple(evidence for evidence, holds in held.items() if holds)


def in_words(found: tuple[Evidence, ...]) -> str:
    """Return evidence as part of a sentence; "" where there is none.

    >>> in_words((Evidence.LINK, Evidence.EMAIL))
    'by its link in the log; e-mail address agrees'
    """
    if not found:
        return ""
    first, *others = (evidence.value for evidence in found)
    if not others:
        return f"by its {first}"
    *head, last = others
    agree = f"{', '.join(head)} and {last} agree" if head else f"{last} agrees"
    return f"by its {first}; {agree}"
