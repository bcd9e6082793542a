"""How much memory and how many requests a reading of a whole tenant takes: `python tests/benchmarks/reading.py`.

The tenant is made up row by row as it is asked for, so that what is measured is the reading alone.
"""

import argparse
import json
import re
import resource
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import Customer
from acumatica_b2b.protocols import Cursor, Everything
from acumatica_b2b.quota import Quota

EACH = 20
"""Contacts of a customer."""
STAMP = {"value": "2026-05-01T08:00:00.123+00:00"}
ADDRESS = {"AddressLine1": {"value": "1 Main Street"}, "City": {"value": "Austin"}, "Country": {"value": "US"}}


@define
class Tenant:
    """A tenant of so many customers, each with its contacts and one location; a transport."""

    customers: int
    requests: int = 0

    def send(self, request: Request, /) -> Response:
        """Answer a request."""
        self.requests += 1
        parts = urlsplit(request.url)
        if parts.path.endswith("/login"):
            return Response(status=204, headers=(("Set-Cookie", ".ASPXAUTH=x; path=/"),))
        if parts.path.endswith("/logout"):
            return Response(status=204)
        query = dict(parse_qsl(parts.query))
        rows = self.rows(parts.path.rpartition("/")[2], query.get("$filter", ""))
        body = json.dumps([row for row, _ in zip(rows, range(int(query["$top"])), strict=False)])
        return Response(status=200, headers=(("Date", "Fri, 01 May 2026 08:00:00 GMT"),), body=body.encode())

    def rows(self, entity: str, where: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of an entity that fit a filter, in the order of their keys."""
        bounds = {sign: int(number) for sign, number in re.findall(r"(g[et]|le) 'C(\d+)'", where)}
        first = bounds.get("ge", bounds.get("gt", -1) + 1)
        last = bounds.get("le", self.customers - 1)
        if entity == "Contact":
            behind = re.search(r"ContactID gt (\d+)", where)
            start = max(first * EACH, int(behind[1]) + 1 if behind else 0)
            return (contact(number) for number in range(start, (last + 1) * EACH))
        make = customer if entity == "Customer" else location
        return (make(number) for number in range(first, last + 1))


def customer(number: int) -> dict[str, Any]:
    """Return a customer's row."""
    told: dict[str, Any] = {
        "CustomerID": name(number),
        "CustomerName": f"Customer {number}",
        "CustomerClass": "DEFAULT",
    }
    told |= {"Status": "Active", "PrimaryContactID": number * EACH, "Email": f"c{number}@example.com"}
    main = {"Email": {"value": f"c{number}@example.com"}, "Phone1": {"value": "+1 555 0100"}, "Address": ADDRESS}
    return row(number, **told) | {"MainContact": main}


def contact(number: int) -> dict[str, Any]:
    """Return a contact's row."""
    told = {"ContactID": number, "BusinessAccount": name(number // EACH), "Active": True, "FirstName": f"Ann{number}"}
    return row(
        number, **told, LastName="Ames", Email=f"ann{number}@example.com", Phone1="+1 555 0100", JobTitle="Buyer"
    )


def location(number: int) -> dict[str, Any]:
    """Return a location's row."""
    told = {"Customer": name(number), "LocationID": "MAIN", "LocationName": "Main", "Active": True, "Default": True}
    return row(number, **told) | {"LocationContact": {"Address": ADDRESS}}


def name(number: int) -> str:
    """Return the id of a customer."""
    return f"C{number:08}"


def row(number: int, **fields: Any) -> dict[str, Any]:
    """Return a row."""
    guid = f"00000000-0000-0000-0000-{number:012}"
    cells = {field: {"value": value} for field, value in fields.items()}
    return {"id": guid, "rowNumber": 1, "note": None, "NoteID": {"value": guid}, "LastModifiedDateTime": STAMP} | cells


def customers(tenant: Tenant) -> Iterator[Customer]:
    """Yield all customers of a tenant."""
    config = AcumaticaConfig(url="https://erp.example.com/Live", contact_opt_in="everyone")
    unbound = Quota(requests=1_000_000)
    with Acumatica(config, Password("sync", "secret"), tenant, parallel=1, budget=unbound) as erp:
        after: Cursor | None = None
        while True:
            page = erp.read(Everything(), after)
            yield from page.items
            after = page.next
            if after is None:
                return


def measure(contacts: int) -> str:
    """Return one line of the table."""
    tenant = Tenant(contacts // EACH)
    tracemalloc.start()
    started = time.perf_counter()
    read = sum(len(one.contacts) for one in customers(tenant) if one.complete)
    seconds = time.perf_counter() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if read != contacts:
        sys.exit(f"{read} of {contacts} contacts were read")
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{contacts:>10,} {tenant.requests:>10,} {seconds:>9.1f} {peak / 1e6:>14.1f} {resident:>15.1f}"


def main() -> None:
    """Print the table, a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contacts", nargs="*", type=int, default=[2_000, 20_000, 200_000])
    sys.stdout.write("  contacts   requests   seconds  peak heap (MB)  peak process (MB)\n")
    for contacts in parser.parse_args().contacts:
        sys.stdout.write(f"{measure(contacts)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
