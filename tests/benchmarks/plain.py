"""The plain loop that people write today: one record after the other, looked up, then made or changed.

It is a whole program of its own against the same two systems, and knows nothing of this library.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from attrs import define, field

from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.acumatica import CONTACT_REFERENCE, CUSTOMER_REFERENCE, LOCATION_REFERENCE
from tests.benchmarks.stage import Way

Row: TypeAlias = Mapping[str, Any]
EXTERNAL_ID: Final = "ERP customer"
"""The extra field of companies by which one can look for a customer's."""
_ENTITY: Final = "https://erp.example/Live/entity"
_SHOP: Final = "https://api-b2b.bigcommerce.com/api/v3/io"
_HEADERS: Final = (
    ("X-Auth-Token", "simulated-token"),
    ("X-Store-Hash", "simulated"),
    ("Content-Type", "application/json"),
)
_PAGE: Final = 200


@define
class PlainLoop:
    """Two connections and what a sign-in gave."""

    to_erp: Way
    to_shop: Way
    role: int
    """The id of the role of who is not the company's admin."""
    records: int = 0
    """How many were synced."""
    _cookies: str = field(default="", init=False)

    async def run(self) -> None:
        """Sync every customer, one record after the other."""
        await self._sign_in()
        async for customer in self._customers():
            await self._customer(customer)

    # -------------------------------------------------------------- one customer
    async def _customer(self, customer: Row) -> None:
        key, primary = _value(customer, "CustomerID"), _value(customer, "PrimaryContactID")
        contacts = await self._list("Contact", f"BusinessAccount eq '{key}'", CONTACT_REFERENCE)
        locations = await self._list("CustomerLocation", f"Customer eq '{key}'", LOCATION_REFERENCE, "LocationContact")
        first = next(contact for contact in contacts if _value(contact, "ContactID") == primary)
        company, shopper = await self._company(customer, first)
        await self._refer("Customer", {"CustomerID": key}, CUSTOMER_REFERENCE, company)
        for contact in contacts:
            user = await self._user(contact, company, shopper if contact is first else None)
            await self._refer("Contact", {"ContactID": _value(contact, "ContactID")}, CONTACT_REFERENCE, user)
        for location in locations:
            address = await self._address(location, first, company)
            keys = {"Customer": key, "LocationID": _value(location, "LocationID")}
            await self._refer("CustomerLocation", keys, LOCATION_REFERENCE, address)

    async def _company(self, customer: Row, admin: Row) -> tuple[int, int | None]:
        """Return the company's id and, if it was made just now, its admin's id as a shopper."""
        main, key = customer["MainContact"], _value(customer, "CustomerID")
        fields = {
            "companyName": _value(customer, "CustomerName"),
            "companyEmail": _value(main, "Email"),
            "companyPhone": _value(main, "Phone1"),
            "country": _value(main["Address"], "Country"),
            "extraFields": [{"fieldName": EXTERNAL_ID, "fieldValue": key}],
        }
        query = {"extraFields": f"{EXTERNAL_ID}:{key}", "extraFieldFilterType": "exact-match"}
        found = await self._shop("GET", f"companies?{urlencode(query)}")
        if found:
            company: int = found[0]["companyId"]
            await self._shop("PUT", f"companies/{company}", fields)
            return company, None
        person = {f"admin{name[0].upper()}{name[1:]}": value for name, value in _person(admin).items()}
        made = await self._shop("POST", "companies", {**fields, **person})
        return made["companyId"], made["customerId"]

    async def _user(self, contact: Row, company: int, shopper: int | None) -> int:
        fields = _person(contact) | {"uuid": _value(contact, "NoteID")}
        if shopper is not None:  # the list of users may be too late to show who was made a moment ago
            found = [await self._shop("GET", f"users/customer/{shopper}")]
        else:
            found = await self._shop("GET", f"users?{urlencode({'email': fields['email']})}")
        if found:
            user: int = found[0]["id"]
            await self._shop("PUT", f"users/{user}", fields)
            return user
        made = await self._shop("POST", "users", {**fields, "companyId": company, "companyRoleId": self.role})
        return int(made["userId"])

    async def _address(self, location: Row, person: Row, company: int) -> int:
        place, note = location["LocationContact"]["Address"], _value(location, "NoteID")
        fields = {
            "companyId": company,
            "firstName": _value(person, "FirstName"),
            "lastName": _value(person, "LastName"),
            "addressLine1": _value(place, "AddressLine1"),
            "city": _value(place, "City"),
            "zipCode": _value(place, "PostalCode"),
            "stateCode": _value(place, "State"),
            "countryCode": _value(place, "Country"),
            "label": _value(location, "LocationName"),
            "externalId": note,
        }
        found = await self._shop("GET", f"addresses?{urlencode({'companyId': company, 'externalId[]': note})}")
        if found:
            address: int = found[0]["addressId"]
            await self._shop("PUT", f"addresses/{address}", fields)
            return address
        made = await self._shop("POST", "addresses", fields)
        return int(made["addressId"])

    # -------------------------------------------------------------- the ERP
    async def _sign_in(self) -> None:
        answer = await self._erp("POST", "auth/login", {"name": "sync", "password": "secret", "tenant": "Company"})
        self._cookies = "; ".join(cookie.partition(";")[0] for cookie in answer.header_values("set-cookie"))

    async def _customers(self) -> AsyncIterator[Row]:
        last = ""
        expand = "MainContact,MainContact/Address"
        while page := await self._list("Customer", f"CustomerID gt '{last}'", CUSTOMER_REFERENCE, expand, top=_PAGE):
            for customer in page:
                yield customer
            last = _value(page[-1], "CustomerID")

    async def _list(self, entity: str, where: str, custom: str, expand: str = "", top: int = 1000) -> list[Row]:
        query = {"$filter": where, "$top": str(top), "$custom": custom}
        query |= (
            {"$expand": f"{expand},LocationContact/Address".removeprefix(",")} if expand == "LocationContact" else {}
        )
        query |= {"$expand": expand} if expand and expand != "LocationContact" else {}
        answer = await self._erp("GET", f"Default/24.200.001/{entity}?{urlencode(query)}")
        rows: list[Row] = json.loads(answer.body)
        return rows

    async def _refer(self, entity: str, keys: Mapping[str, Any], name: str, reference: int) -> None:
        """Write the commerce reference ID of a record."""
        view, _, short = name.partition(".")
        custom = {view: {short: {"type": "CustomStringField", "value": str(reference)}}}
        body = {key: {"value": value} for key, value in keys.items()} | {"custom": custom}
        await self._erp("PUT", f"Default/24.200.001/{entity}", body)
        self.records += 1

    async def _erp(self, method: str, path: str, body: Any = None) -> Response:
        headers = (("Content-Type", "application/json"), ("Cookie", self._cookies))
        return await _patient(self.to_erp, method, f"{_ENTITY}/{path}", headers, body)

    # -------------------------------------------------------------- the shop
    async def _shop(self, method: str, path: str, body: Any = None) -> Any:
        answer = await _patient(self.to_shop, method, f"{_SHOP}/{path}", _HEADERS, body)
        return json.loads(answer.body)["data"]


async def _patient(way: Way, method: str, url: str, headers: tuple[tuple[str, str], ...], body: Any) -> Response:
    """Return the answer; a request that was refused for being too fast is sent again when it may be."""
    data = b"" if body is None else json.dumps(body).encode()
    while (answer := await way.send(Request(method=method, url=url, headers=headers, body=data))).status == 429:
        told = answer.header("X-Request-Window-Resets-After") or "10"
        await asyncio.sleep(float(told.split()[0]) + 0.1)
    if answer.status >= 300:
        raise RuntimeError(f"{method} {url.partition('?')[0]}: {answer.status} {answer.body.decode()}")
    return answer


def _person(contact: Row) -> dict[str, Any]:
    fields = {"firstName": "FirstName", "lastName": "LastName", "email": "Email", "phoneNumber": "Phone1"}
    return {name: _value(contact, theirs) for name, theirs in fields.items()}


def _value(row: Row, name: str) -> Any:
    return row[name].get("value")
