"""The store's own list of countries and states, and how it looks one up."""

from collections.abc import Mapping
from typing import Any, Final

from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    Query,
    RefusedError,
    done,
    invalid,
    no_such_route,
    plain,
)
from acumatica_b2b.simulators.bigcommerce.records import Place
from acumatica_b2b.simulators.bigcommerce.state import Shop


def _table(text: str) -> Mapping[str, str]:
    """Return "CA California, …" as names by code."""
    return {entry[:2]: entry[3:] for entry in text.split(", ")}


# https://docs.bigcommerce.com, B2B Edition, Get a State: addresses in these must name their state.
_STATE_NEEDED: Final = _table(
    "AE United Arab Emirates, AR Argentina, AT Austria, AU Australia, BR Brazil, CA Canada, CH Switzerland, CL Chile, "
    "DE Germany, ES Spain, ID Indonesia, IE Ireland, IN India, IT Italy, JP Japan, MM Myanmar, MX Mexico, "
    "MY Malaysia, NZ New Zealand, PH Philippines, QA Qatar, RO Romania, US United States, ZA South Africa"
)
COUNTRIES: Final[Mapping[str, str]] = {
    **_STATE_NEEDED,
    **_table(
        "BE Belgium, CN China, CZ Czech Republic, DK Denmark, FI Finland, FR France, GB United Kingdom, "
        "NL Netherlands, NO Norway, PL Poland, PT Portugal, SE Sweden, SG Singapore"
    ),
}
STATES: Final[Mapping[str, Mapping[str, str]]] = {
    "US": _table(
        "AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, "
        "DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, "
        "KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, "
        "MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, "
        "NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, "
        "PA Pennsylvania, RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, "
        "VT Vermont, VA Virginia, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming"
    ),
    "CA": _table(
        "AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador, "
        "NT Northwest Territories, NS Nova Scotia, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, "
        "SK Saskatchewan, YT Yukon"
    ),
}


def find(table: Mapping[str, str], *, code: str = "", name: str = "") -> tuple[str, str] | None:
    """Return (code, name) where code and name, as far as given, agree on one."""
    for known_code, known_name in table.items():
        if code.upper() in {"", known_code} and name.casefold() in {"", known_name.casefold()}:
            return (known_code, known_name) if code or name else None
    return None


def country_name(text: str) -> str:
    """Return the full name of a country given by name or code.

    Raises:
        RefusedError: there is none.

    """
    found = find(COUNTRIES, code=text) or find(COUNTRIES, name=text)
    if not found:
        raise invalid({"country": ["Please enter a valid country name or country code."]})
    return found[1]


# ------------------------------------------------------------------ where an address is
def place_of(given: Mapping[str, Any], known: Place | None = None) -> Place:
    """Return the place that a body names, on top of what is known.

    Raises:
        RefusedError: no such country or state, or one is missing.

    """
    country = _country(given, known)
    named = given.get("state_code") or given.get("state_name")
    if known and country[0] == known.country_code and not named:
        return known
    state = _state(country[0], given.get("state_code", ""), given.get("state_name", ""))
    return Place(country_code=country[0], country_name=country[1], state_code=state[0], state_name=state[1])


def _country(given: Mapping[str, Any], known: Place | None) -> tuple[str, str]:
    code, name = given.get("country_code", ""), given.get("country_name", "")
    if known and not (code or name):
        return known.country_code, known.country_name
    if not (code or name):
        raise invalid({"non_field_errors": ["At least one of the country and country code is not empty"]})
    # A new name alone leaves the old code behind, and then they disagree.
    found = find(COUNTRIES, code=code or (known.country_code if known else ""), name=name)
    if not found:
        raise invalid({"country_code" if code else "country_name": ["Please enter a valid country."]})
    return found


def _state(country: str, code: str, name: str) -> tuple[str, str]:
    if not (code or name):
        if country in _STATE_NEEDED:
            raise invalid({"state_name": ["The state is required for the country."]})
        return "", ""
    if country not in STATES:
        return code, name or code
    found = find(STATES[country], code=code, name=name)
    if not found:
        raise invalid({"state_code" if code else "state_name": [_NO_STATE]})
    return found


# ------------------------------------------------------------------ the look-ups
_NO_STATE: Final = "Please enter a valid state name or state abbreviation for the country."


def answer_country(_: Shop, call: Call) -> Answer:
    """Answer `GET /countries`."""
    query = _searched(call)
    code, name = _look_up(COUNTRIES, query, query.one("q"), plain(404, "Resource not found"))
    return done({"countryCode": code, "countryName": name}, "SUCCESS")


def answer_state(_: Shop, call: Call) -> Answer:
    """Answer `GET /states`."""
    query = _searched(call)
    nothing = plain(404, _NO_STATE)
    home = "US" if query.number("searchType") else "United States"
    country = _look_up(COUNTRIES, query, query.one("country") or home, nothing)[0]
    code, name = _look_up(STATES.get(country, {}), query, query.one("q"), nothing)
    return done({"stateCode": code, "stateName": name}, "SUCCESS")


def _searched(call: Call) -> Query:
    if (call.method, call.path) != ("GET", ()):
        raise no_such_route(call)
    return call.query


def _look_up(table: Mapping[str, str], query: Query, text: str | None, otherwise: RefusedError) -> tuple[str, str]:
    """Search by code (1) or name (0), as `searchType` says."""
    text = text or ""
    found = find(table, code=text) if query.number("searchType") else find(table, name=text)
    if not found:
        raise otherwise
    return found
