"""Names of states and countries from the shop's own lists; the ERP knows them by their codes."""

from collections.abc import Iterable

from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.records import CountryRecord, One, StateRecord, decoded
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import PostalAddress

_BY_CODE = "1"


def learn(api: Api, states_of: Iterable[PostalAddress], countries_of: Iterable[PostalAddress]) -> Flow[None]:
    """Look up the states of some addresses and the countries of some, each once."""
    states = {key for key in map(_key, states_of) if all(key)}
    countries = {(address.country.upper(), "") for address in countries_of if address.country}
    missing = sorted((states | countries) - api.known.places.keys())
    answers = yield from together(attempt(_name(api, *key)) for key in missing)
    for key, answer in zip(missing, answers, strict=True):
        match answer:
            case Ok(name):
                api.known.places[key] = name
            case Failed(RejectedError()):
                api.known.places[key] = None
            case Failed():
                pass  # the code will do for now; asked again with the next address


def state_name(api: Api, address: PostalAddress) -> str | None:
    """Return the full name of a state; None: the shop knows no such code for the country."""
    return api.known.places.get(_key(address)) if address.state else None


def country_name(api: Api, address: PostalAddress) -> str | None:
    """Return the full name of a country; None: the shop knows no such code."""
    return api.known.places.get((address.country.upper(), ""))


def _key(address: PostalAddress) -> tuple[str, str]:
    return address.country.upper(), address.state.upper()


def _name(api: Api, country: str, state: str) -> Flow[str]:
    # the states of countries that have none in the shop's list are answered with 404
    if state:
        query = {"searchType": _BY_CODE, "q": state, "country": country}
        response = yield from api.get("states", query=query)
        return decoded(response, One[StateRecord], "states").data.state_name
    response = yield from api.get("countries", query={"searchType": _BY_CODE, "q": country})
    return decoded(response, One[CountryRecord], "countries").data.country_name
