"""Flows that look for people of the store who are no company users: super admins and shoppers."""

from collections.abc import Sequence
from typing import Final

from acumatica_b2b.bigcommerce.api import Api, in_slices, listing
from acumatica_b2b.bigcommerce.errors import classify_core
from acumatica_b2b.bigcommerce.records import Data, PageOf, ShopperRecord, SuperAdminRecord, decoded, folded
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import Request, at, attempt, send

_AT_ONCE: Final = 50
"""Addresses of one request: more would make its URL too long for some servers."""


# ------------------------------------------------------------------ super admins
def super_admins(api: Api, emails: Sequence[str]) -> Flow[tuple[Outcome[bool], ...]]:
    """Return for each address whether it is a super admin's."""
    wanted = {folded(email) for email in emails}
    remembered = api.known.super_admins
    if not wanted or (remembered is not None and not wanted & remembered):
        return tuple(Ok(value=False) for _ in emails)
    # who is remembered as one may have ceased to be: that would hold a contact up for nothing
    admins: Outcome[frozenset[str]] = yield from attempt(_read_super_admins(api))
    if isinstance(admins, Failed):
        return tuple(admins for _ in emails)
    return tuple(Ok(folded(email) in admins.value) for email in emails)


def _read_super_admins(api: Api) -> Flow[frozenset[str]]:
    found = yield from listing(api, PageOf[SuperAdminRecord], "companies", "super-admins")
    api.known.super_admins = frozenset(folded(row.email) for row in found.rows)
    return api.known.super_admins


# ------------------------------------------------------------------ shoppers
def find_shoppers(api: Api, emails: Sequence[str]) -> Flow[tuple[Outcome[str | None], ...]]:
    """Return the customer id of the shopper with each address; several: the oldest."""
    wanted = sorted({key for email in emails if (key := folded(email)) and "," not in key})
    chunks = [wanted[i : i + _AT_ONCE] for i in range(0, len(wanted), _AT_ONCE)]
    answers: Sequence[Outcome[dict[str, int]]] = yield from in_slices(attempt(_shoppers(api, c)) for c in chunks)
    found: dict[str, Outcome[str | None]] = {}
    for chunk, answer in zip(chunks, answers, strict=True):
        for email in chunk:
            found[email] = answer if isinstance(answer, Failed) else Ok(_text(answer.value.get(email)))
    return tuple(_of(found, folded(email)) for email in emails)


def _of(found: dict[str, Outcome[str | None]], email: str) -> Outcome[str | None]:
    if "," in email:  # the filter would take it for two
        message = "look for a shopper by an address with a comma; correct the address in the ERP"
        return Failed(RejectedError(Reason.INVALID, message))
    return found.get(email, Ok(None))


def _shoppers(api: Api, emails: Sequence[str]) -> Flow[dict[str, int]]:
    path = ("stores", api.config.store_hash, "v3", "customers")
    url = at(api.config.core_url, *path, query={"email:in": ",".join(emails), "limit": "250"})
    request = Request(method="GET", url=url, headers=api.config.core_headers, deadline=api.config.deadline)
    response = yield from send(request, classify_core, api.config.retries, repeatable=True)
    rows = decoded(response, Data[ShopperRecord], "customers").data
    return {folded(row.email): row.id for row in sorted(rows, key=lambda row: row.id, reverse=True)}


def _text(id_: int | None) -> str | None:
    return None if id_ is None else str(id_)
