"""What Acumatica says of a contact and its customer, and whether the contact takes part."""

from collections.abc import Iterator
from typing import Final

from acumatica_b2b.explaining.dossier import Dossier, Side
from acumatica_b2b.explaining.explanation import Line, Mark, of_finding
from acumatica_b2b.flow import Failed
from acumatica_b2b.mapping import emails_of
from acumatica_b2b.model import UNSET, Contact, Customer


# ------------------------------------------------------------------ read
def of_acumatica(dossier: Dossier) -> Iterator[Line]:
    """Yield what the ERP has of the contact and its customer; never an e-mail address."""
    if isinstance(dossier.read, Failed):
        yield Line(text=f"the contact could not be read: {dossier.read.error}", way_out=_AGAIN, mark=Mark.WAITS)
    person = dossier.person
    if person:
        yield from _of_person(person)
    elif not isinstance(dossier.read, Failed):
        yield Line(text="Acumatica has no such contact", way_out=_NO_SUCH, mark=Mark.WAITS)
    for side in dossier.sides:
        yield from _of_customer(side, dossier)


_AGAIN: Final = "ask again when Acumatica answers"
_NO_SUCH: Final = "look for its ContactID on its screen (CR302000); one that was deleted has a new one when made anew"


def _of_person(person: Contact) -> Iterator[Line]:
    name = " ".join(filter(None, (person.first_name.strip(), person.last_name.strip())))
    whose = f"contact of customer {str(person.customer)!r}" if person.customer else "contact of no customer"
    yield Line(text=f"{name or 'without a name'}, {whose}")
    yield Line(text="active") if person.active else Line(text="inactive", mark=Mark.WAITS)
    yield _opt_in(person)
    match len(emails_of(person.email)):
        case 0:
            yield Line(text="no e-mail address", mark=Mark.WAITS)
        case 1:
            yield Line(text="has an e-mail address")
        case number:
            yield Line(text=f"has {number} e-mail addresses, the first of which is used")
    if person.reference is UNSET:
        yield Line(text="its commerce reference ID did not come back", mark=Mark.WAITS)
    else:
        shown = f"commerce reference ID {person.reference}" if person.reference else "no commerce reference ID yet"
        yield Line(text=shown, mark=Mark.SAID if person.reference else Mark.QUIET)


def _opt_in(person: Contact) -> Line:
    association = person.association
    if association.enabled is UNSET:
        return Line(text="whether it is enabled for the site did not come back", mark=Mark.WAITS)
    if not association.enabled:
        return Line(text="not enabled for the site", mark=Mark.WAITS)
    kind = "" if association.connection_type is UNSET else association.connection_type
    where = f" ({', '.join(association.sites)})" if association.sites else ""
    return Line(text=f"enabled for the site{where}" + (f", connection type {kind!r}" if kind else ""))


def _of_customer(side: Side, dossier: Dossier) -> Iterator[Line]:
    name = str(side.customer)
    found = side.found
    if found is None:
        yield Line(text=f"customer {name!r} could not be read: {side.error}", mark=Mark.WAITS)
        return
    if found.deleted:
        yield Line(text=f"customer {name!r} was deleted", mark=Mark.WAITS)
        return
    yield Line(text=f"customer {name!r} is {found.name}, {found.status or 'without a status'}")
    if side is dossier.home or side.person:
        yield _primary(side, found)
    else:
        yield Line(text=f"it is no contact of customer {name!r} any more, says Acumatica", mark=Mark.WAITS)
    if not found.complete:
        yield Line(text=f"the contacts of customer {name!r} could not all be read", mark=Mark.WAITS)
    elif side is dossier.home and side.person is None:
        yield Line(text=f"the list of contacts of customer {name!r} does not have it", mark=Mark.WAITS)


def _primary(side: Side, found: Customer) -> Line:
    if found.primary_contact == side.contact:
        return Line(text="it is the primary contact, who is to be the Primary Admin")
    if found.primary_contact:
        return Line(text=f"not the primary contact: that is contact {str(found.primary_contact)!r}")
    return Line(text="not the primary contact: the customer has none", mark=Mark.QUIET)


# ------------------------------------------------------------------ eligibility
def of_eligibility(dossier: Dossier) -> Iterator[Line]:
    """Yield whether the contact takes part, and each reason against it, its own and its customer's."""
    for side in dossier.sides:
        at = dossier.at(side)
        if side.world is None:
            yield Line(text=f"{at}not known: {side.error}", mark=Mark.WAITS)
            continue
        if side.takes_part:
            yield Line(text=f"{at}takes part", mark=Mark.GOOD)
        elif side is not dossier.home:
            yield Line(text=f"{at}takes no part: {_gone(dossier.person)}", mark=Mark.WAITS)
        else:
            yield Line(text=f"{at}takes no part", mark=Mark.WAITS)
        yield from (of_finding(finding) for finding in side.findings if finding in side.mapped)
    if not dossier.sides:
        why = "takes no part: it belongs to no customer" if dossier.person else "not known"
        yield Line(text=why, mark=Mark.WAITS)


def _gone(person: Contact | None) -> str:
    if person is None:
        return "Acumatica has it no more"
    return "it is another's contact now" if person.customer else "it is nobody's contact now"
