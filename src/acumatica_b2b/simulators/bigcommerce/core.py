"""BigCommerce's core API, as far as a company user's shop login needs it: customers, and webhooks by scope."""

from collections.abc import Mapping, Sequence
from itertools import count
from math import ceil
from typing import Any, Final

from attrs import define, field

from acumatica_b2b.simulators.bigcommerce.envelope import LARGEST_BULK, LARGEST_PAGE, Answer, Call, Query
from acumatica_b2b.simulators.bigcommerce.fields import as_object
from acumatica_b2b.simulators.bigcommerce.records import Shopper
from acumatica_b2b.simulators.bigcommerce.state import Shop

_LIMIT: Final = 50
_CHANGEABLE: Final = ("first_name", "last_name", "phone", "company", "customer_group_id")
_TYPE: Final = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


def problem(status: int, title: str, **errors: str) -> Answer:
    """Return a failure as the core API tells it: a title, and errors by field."""
    return Answer(status, {"status": status, "title": title, "type": _TYPE, "errors": errors})


@define
class Core:
    """Answers what comes below `/stores/{store_hash}/v3`."""

    shop: Shop
    hooks: dict[int, Mapping[str, Any]] = field(factory=dict[int, Mapping[str, Any]], init=False)
    _ids: Any = field(factory=lambda: count(1), init=False)

    def answer(self, call: Call) -> Answer:
        """Return the answer to a call."""
        match call.method, call.path:
            case "GET", ("customers",):
                return self._page(self._wanted(call.query), call.query)
            case (("POST" | "PUT"), ("customers",)):
                return self._written(call)
            case "GET", ("hooks",):
                return Answer(200, {"data": list(self.hooks.values()), "meta": {}})
            case "POST", ("hooks",):
                return self._subscribe(as_object(call.body))
            case "DELETE", ("hooks", number) if number.isdecimal() and int(number) in self.hooks:
                return Answer(200, {"data": self.hooks.pop(int(number)), "meta": {}})
            case _, ("customers" | "hooks",):
                return problem(405, "Method not allowed")
            case _:
                return problem(404, "The requested resource was not found.")

    # -------------------------------------------------------------- reading
    def _wanted(self, query: Query) -> list[Shopper]:
        shoppers = list(self.shop.shoppers.rows.values())
        if (emails := _several(query, "email:in")) is not None:
            wanted = {email.lower() for email in emails}
            shoppers = [shopper for shopper in shoppers if shopper.email.lower() in wanted]
        if (ids := _several(query, "id:in")) is not None:
            shoppers = [shopper for shopper in shoppers if str(shopper.id) in ids]
        if (groups := _several(query, "customer_group_id:in")) is not None:
            shoppers = [shopper for shopper in shoppers if str(shopper.customer_group_id) in groups]
        return shoppers

    def _page(self, shoppers: Sequence[Shopper], query: Query) -> Answer:
        limit, page = query.number("limit") or _LIMIT, query.number("page") or 1
        if limit > LARGEST_PAGE:
            return problem(422, "The limit is out of range.", limit=f"must be at most {LARGEST_PAGE}")
        shown = [_shown(shopper) for shopper in shoppers[(page - 1) * limit : page * limit]]
        pagination = {
            "total": len(shoppers),
            "count": len(shown),
            "per_page": limit,
            "current_page": page,
            "total_pages": ceil(len(shoppers) / limit),
        }
        return Answer(200, {"data": shown, "meta": {"pagination": pagination}})

    # -------------------------------------------------------------- writing
    def _written(self, call: Call) -> Answer:
        rows = [as_object(row) for row in call.body or ()]
        if len(rows) > LARGEST_BULK:
            return problem(413, "Request Entity Too Large")
        wrong = self._complaints(rows, creating=call.method == "POST")
        if wrong:
            return problem(422, "Create customers failed." if call.method == "POST" else "Update failed.", **wrong)
        write = self._make if call.method == "POST" else self._change
        return Answer(200, {"data": [_shown(write(row)) for row in rows], "meta": {}})

    def _complaints(self, rows: Sequence[Mapping[str, Any]], *, creating: bool) -> dict[str, str]:
        wrong: dict[str, str] = {}
        for place, row in enumerate(rows):
            holder = self.shop.shoppers.by_email(str(row.get("email", "")))
            needed = ("email", "first_name", "last_name") if creating else ("id",)
            wrong |= {f"{place}.{name}": "error.path.missing" for name in needed if name not in row}
            if not creating and row.get("id") not in self.shop.shoppers.rows:
                wrong[f"{place}.id"] = "the customer does not exist"
            if creating and holder:
                wrong[f"{place}.email"] = "the email is already in use"
        return wrong

    def _make(self, row: Mapping[str, Any]) -> Shopper:
        return self.shop.shoppers.add(row["email"], **_values(row))

    def _change(self, row: Mapping[str, Any]) -> Shopper:
        return self.shop.shoppers.change(row["id"], **_values(row))

    def _subscribe(self, given: Mapping[str, Any]) -> Answer:
        if not str(given.get("destination", "")).startswith("https://"):
            return problem(422, "The destination must be served over HTTPS.", destination="must be HTTPS")
        id_ = next(self._ids)
        named = {key: given.get(key) for key in ("scope", "destination", "headers")}
        stamp = self.shop.stamp()
        self.hooks[id_] = {"id": id_, **named, "is_active": True, "created_at": stamp, "updated_at": stamp}
        return Answer(200, {"data": self.hooks[id_], "meta": {}})


def _several(query: Query, name: str) -> frozenset[str] | None:
    value = query.one(name)
    return None if value is None else frozenset(value.split(","))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _CHANGEABLE if name in row}


def _shown(shopper: Shopper) -> Mapping[str, Any]:
    return {
        "id": shopper.id,
        "email": shopper.email,
        "first_name": shopper.first_name,
        "last_name": shopper.last_name,
        "company": shopper.company,
        "phone": shopper.phone,
        "registration_ip_address": "",
        "notes": "",
        "tax_exempt_category": "",
        "customer_group_id": shopper.customer_group_id,
        "address_count": 0,
        "attribute_count": 0,
        "authentication": {"force_password_reset": False},
        "date_created": f"{shopper.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "date_modified": f"{shopper.modified_at:%Y-%m-%dT%H:%M:%SZ}",
        "accepts_product_review_abandoned_cart_emails": False,
        "origin_channel_id": 1,
        "channel_ids": None,
    }
