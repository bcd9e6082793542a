"""The three lists that tell of companies: companies, users, addresses; by full pages."""

from collections.abc import Mapping
from typing import Final

from acumatica_b2b.bigcommerce.api import Api, Listing, count, listing, pages
from acumatica_b2b.bigcommerce.records import AddressRecord, CompanyRecord, PageOf, UserRecord
from acumatica_b2b.flow import Flow

_WITH_EXTRA_FIELDS: Final = {"isIncludeExtraFields": "1"}
_BY_NAME: Final = {"sortBy": "companyName", "orderBy": "ASC"}
"""The default order, by last update, shifts the pages while anybody writes."""


def whole_lists(api: Api) -> Mapping[str, Mapping[str, str]]:
    """Return the query of each list for all that is in it."""
    return {"companies": {**_BY_NAME, **of_companies(api)}, "users": of_users(api), "addresses": {}}


def companies(api: Api, query: Mapping[str, str]) -> Flow[Listing[CompanyRecord]]:
    """Return companies, with all that tells whose they are."""
    return listing(api, PageOf[CompanyRecord], "companies", query={**_BY_NAME, **of_companies(api), **query})


def users(api: Api, query: Mapping[str, str]) -> Flow[Listing[UserRecord]]:
    """Return users with their extra fields."""
    return listing(api, PageOf[UserRecord], "users", query={**of_users(api), **query})


def addresses(api: Api, query: Mapping[str, str]) -> Flow[Listing[AddressRecord]]:
    """Return addresses."""
    return listing(api, PageOf[AddressRecord], "addresses", query=query)


def of_companies(api: Api) -> Mapping[str, str]:
    """Return the query for what tells whose a company is."""
    return {} if api.config.company_id_field is None else _WITH_EXTRA_FIELDS


def of_users(_: Api) -> Mapping[str, str]:
    """Return the query for users with their extra fields."""
    return _WITH_EXTRA_FIELDS


def pages_of(api: Api, path: str) -> Flow[int]:
    """Return how many requests a whole list takes."""
    return pages(api, (yield from count(api, path)))
