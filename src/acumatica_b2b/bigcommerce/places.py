"""Names of states and countries from the shop's own lists; the ERP knows them by their codes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, UpdateAddress
from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.records import CountryRecord, One, StateRecord, decoded
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import PostalAddress

_BY_CODE = "1"


Place: TypeAlias = tuple[str, str]
"""The code of a country, and that of one of its states or nothing."""


def learn(api: Api, actions: Iterable[Action]) -> Flow[Mapping[Place, Failed]]:
    """Look up the places that some actions name, each once; return those of which nobody knows what they are called."""
    wanted = {place for action in actions for place in named_by(action)}
    missing = sorted(wanted - api.known.places.keys())
    answers = yield from together(attempt(_name(api, *place)) for place in missing)
    unknown: dict[Place, Failed] = {}
    for place, answer in zip(missing, answers, strict=True):
        match answer:
            case Ok(name):
                api.known.places[place] = name
            case Failed(RejectedError()):
                api.known.places[place] = None
            case Failed():
                unknown[place] = answer
    return unknown


def named_by(action: Action) -> Iterator[Place]:
    """Yield the places whose names an action sends."""
    match action:
        case CreateCompany():
            address = action.company.address
        case CreateAddress() | UpdateAddress():
            address = action.address.address
            if address.country:
                yield (address.country.upper(), "")
        case _:
            return
    if address.country and address.state:
        yield _key(address)


def state_name(api: Api, address: PostalAddress) -> str | None:
    """Return the full name of a state; None: the shop knows no such code for the country."""
    return api.known.places.get(_key(address)) if address.state else None


def country_name(api: Api, address: PostalAddress) -> str | None:
    """Return the full name of a country; None: the shop knows no such code."""
    return api.known.places.get((address.country.upper(), ""))


def _key(address: PostalAddress) -> Place:
    return address.country.upper(), address.state.upper()


def _name(api: Api, country: str, state: str) -> Flow[str]:
    # the states of countries that have none in the shop's list are answered with 404
    if state:
        query = {"searchType": _BY_CODE, "q": state, "country": country}
        response = yield from api.get("states", query=query)
        return decoded(response, One[StateRecord], "states").data.state_name
    response = yield from api.get("countries", query={"searchType": _BY_CODE, "q": country})
    return decoded(response, One[CountryRecord], "countries").data.country_name
