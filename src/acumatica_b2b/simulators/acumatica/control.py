"""What no Acumatica has: the click of a person as a request, below `/simulator`."""

import json

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.acumatica.answers import RefusedError, bad_request, plain
from acumatica_b2b.simulators.acumatica.state import State
from acumatica_b2b.simulators.acumatica.tenant import Tenant


def primary(tenant: Tenant, state: State, customer: str, request: Request) -> Response:
    """Answer "Set as Primary" of a customer's screen.

    Raises:
        RefusedError: no such customer, or not one of its active contacts.

    """
    number = _wanted(request)
    refused = _refused(state, customer, number)
    if refused is not None:
        raise refused
    tenant.set_primary(customer, number)
    return Response(status=204)


def _wanted(request: Request) -> int | None:
    try:
        number = json.loads(request.body)["contact"]
    except (ValueError, KeyError, TypeError):
        raise bad_request(text='The body is {"contact": <number or null>}.') from None
    if number is not None and type(number) is not int:
        raise bad_request(text="The contact is a number or null.", path="contact")
    return number


def _refused(state: State, customer: str, number: int | None) -> RefusedError | None:
    if state.customer(customer) is None:
        return plain(404, f"There is no customer '{customer}'.")
    contact = state.contacts.records.get(number)
    if number is not None and (contact is None or contact not in state.contacts.of(customer)):
        return plain(409, f"Customer '{customer}' has no contact {number}.")
    if contact is not None and not contact.get("Active"):
        return plain(409, f"Contact {number} is inactive: it can't be made primary.")
    return None
