"""What a run over everything costs where nothing changed, and what memory a survey of a large shop takes.

    python tests/benchmarks/everything.py             sync_all of 1,000 and 10,000 unchanged contacts
    python tests/benchmarks/everything.py 500 5000    of other sizes
    python tests/benchmarks/everything.py --surveys   surveys of shops of up to 1,000,000 users

The first loads a made-up tenant into an empty shop, lets an hour pass, and syncs everything once more; both systems
and the time are simulated as in loads.py. The second makes up the rows of a shop as they are asked for, so that what
is measured is the survey alone, with a look at every company.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from attrs import define, frozen

sys.path.insert(0, str(Path(__file__).parents[2]))

from acumatica_b2b.acumatica import AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import CompanyID, CompanyRef, CustomerID, NoteID, StorefrontID
from acumatica_b2b.quota import Quota
from acumatica_b2b.simulators.acumatica import Dataset
from tests.benchmarks.bound import SHOP_PAGE
from tests.benchmarks.loading import check, syncing
from tests.benchmarks.stage import ERP, Stage, stage
from tests.benchmarks.tenants import Size, size_of, tenant
from tests.virtual_time import AsyncMemoryStore, run

_LATER: Final = 3600.0
_SEED: Final = 5
EACH: Final = 5
"""Users of a company of the shop that is surveyed."""
_WAVE: Final = 200


# ------------------------------------------------------------------ a run over everything
@frozen(kw_only=True)
class Unchanged:
    """What a run over everything came to, in which nothing was to be done."""

    size: Size
    shop: int
    erp: int
    seconds: float
    """Simulated."""
    cpu: float

    @property
    def bound(self) -> int:
        """Full pages of the shop's three lists."""
        lists = (self.size.customers, self.size.contacts, self.size.locations)
        return sum(ceil(rows / SHOP_PAGE) for rows in lists)


def unchanged(contacts: int, seed: int = _SEED) -> Unchanged:
    """Return what syncing everything once more came to."""
    rows = tenant(contacts, seed)
    return run(_unchanged(rows, seed))


async def _unchanged(rows: Dataset, seed: int) -> Unchanged:
    place, store, size = stage(rows, seed), AsyncMemoryStore(), size_of(rows)
    await _synced(place, store, size)
    await asyncio.sleep(_LATER)
    place.to_erp.forget()
    place.to_shop.forget()
    began, cpu = place.clock.now(), time.process_time()
    steps = await _synced(place, store, size)
    if steps:
        raise RuntimeError(f"{steps} steps were taken where nothing was to be done")
    seconds, cpu = (place.clock.now() - began).total_seconds(), time.process_time() - cpu
    return Unchanged(size=size, shop=place.to_shop.counted, erp=place.to_erp.counted, seconds=seconds, cpu=cpu)


async def _synced(place: Stage, store: AsyncMemoryStore, size: Size) -> int:
    async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
        report = await syncing(place, erp, store).sync_all()
    check(report, place, size)
    return len(report.steps)


# ------------------------------------------------------------------ a survey
@define
class Shop:
    """A shop of so many users, whose rows are made as they are asked for; a transport."""

    users: int
    requests: int = 0

    def send(self, request: Request, /) -> Response:
        """Answer a request for a page of a list."""
        self.requests += 1
        parts = urlsplit(request.url)
        query = dict(parse_qsl(parts.query))
        name = parts.path.rpartition("/")[2]
        count, make = self.lists()[name]
        count = 0 if "minModified" in query else count
        first = int(query["offset"])
        rows = [make(number) for number in range(first, min(count, first + int(query["limit"])))]
        meta = {"message": "Success", "pagination": {"totalCount": count, "limit": len(rows), "offset": first}}
        body = json.dumps({"code": 200, "data": rows, "meta": meta}).encode()
        return Response(status=200, headers=(("Date", "Fri, 01 May 2026 08:00:00 GMT"),), body=body)

    def lists(self) -> Mapping[str, tuple[int, Callable[[int], dict[str, Any]]]]:
        """Return how long each list is, and how its rows are made."""
        companies = self.users // EACH
        return {
            "companies": (companies, _company),
            "users": (self.users, _user),
            "addresses": (2 * companies, _address),
            "roles": (1, lambda _: {"id": 1, "name": "Admin", "roleType": 1}),
        }


def _company(number: int) -> dict[str, Any]:
    named = {"companyId": number, "companyName": f"Company {number:08}", "companyEmail": f"c{number}@example.com"}
    told = {"companyPhone": "+1 555 0100", "companyStatus": 1, "uuid": f"{number:08}", "extraFields": []}
    return {**named, **told, "createdAt": 1_700_000_000, "updatedAt": 1_700_000_000, "city": "Austin", "country": "US"}


def _user(number: int) -> dict[str, Any]:
    named = {"id": number, "companyId": number // EACH, "email": f"u{number}@example.com", "firstName": "Ann"}
    told = {"lastName": f"Ames {number}", "phoneNumber": "+1 555 0100", "role": 0, "companyRoleId": 1}
    return {**named, **told, "companyRoleName": "Admin", "uuid": f"{number:08}", "updatedAt": 1_700_000_000}


def _address(number: int) -> dict[str, Any]:
    named = {"addressId": number, "companyId": str(number // 2), "externalId": f"{number:08}", "label": "Main"}
    told = {"firstName": "Ann", "lastName": "Ames", "addressLine1": "1 Main Street", "city": "Austin"}
    return {**named, **told, "stateCode": "TX", "countryCode": "US", "isDefaultShipping": True}


def surveyed(users: int) -> str:
    """Return one line of the table: a survey, and a look at each company, a wave at a time."""
    shop, companies = Shop(users), users // EACH
    config = BigCommerceConfig(store_hash="simulated", token="simulated-token")
    client = BigCommerce(config, shop, parallel=1, budget=Quota(requests=100_000_000))
    began, cpu = _resident(), time.process_time()
    client.survey(companies)
    reading, seen = time.process_time() - cpu, 0
    for first in range(0, companies, _WAVE):
        for outcome in client.observe([_ref(number) for number in range(first, min(companies, first + _WAVE))]):
            seen += len(outcome.value.users) if isinstance(outcome, Ok) and outcome.value else 0
    if seen != users:
        raise RuntimeError(f"{seen} of {users} users were seen")
    looking = time.process_time() - cpu - reading
    told = f"{users:>9,} {companies:>9,} | {shop.requests:>8,} | {began:>9.0f} {_resident():>7.0f}"
    return f"{told} | {reading:>13.1f} {looking:>15.1f}"


def _ref(number: int) -> CompanyRef:
    id_ = CompanyID(StorefrontID(str(number)))
    return CompanyRef(customer=CustomerID("C"), external_id=NoteID(""), id=id_, surveyed=True)


def _resident() -> float:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ------------------------------------------------------------------ the command line
def main() -> None:
    """Print the tables, a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", nargs="*", type=int)
    parser.add_argument("--surveys", action="store_true", help="surveys of made-up shops instead")
    asked = parser.parse_args()
    # a process each, so that none measures what another left behind
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        if asked.surveys:
            say("    users companies | requests | MB before, at most | CPU s to read, to look at each")
            for line in pool.map(surveyed, asked.contacts or (10_000, 100_000, 1_000_000)):
                say(line)
            return
        say("contacts companies locations |  shop bound |   ERP | seconds | CPU s, with the simulators")
        for one in pool.map(unchanged, asked.contacts or (1_000, 10_000)):
            size = one.size
            say(
                f"{size.contacts:>8,} {size.customers:>9,} {size.locations:>9,} | {one.shop:>5,} {one.bound:>5,} "
                f"| {one.erp:>5,} | {one.seconds:>7.0f} | {one.cpu:>5.1f}"
            )


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
