"""BigCommerce's own customers: they exist without B2B Edition, and outlive it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Any

from attrs import define, evolve, field

from acumatica_b2b.simulators.bigcommerce.records import Order, Shopper


@define(kw_only=True, eq=False, repr=False)
class Shoppers:
    """Everybody who can sign in to the shop, company users included, and their orders."""

    now: Callable[[], datetime]
    rows: dict[int, Shopper] = field(factory=dict[int, Shopper], init=False)
    orders: dict[int, Order] = field(factory=dict[int, Order], init=False)
    _by_email: dict[str, int] = field(factory=dict[str, int], init=False)
    _ids: Iterator[int] = field(factory=lambda: count(692), init=False)
    _order_ids: Iterator[int] = field(factory=lambda: count(100), init=False)

    def __len__(self) -> int:
        return len(self.rows)

    def by_email(self, email: str) -> Shopper | None:
        """Return the shopper with an address, in whatever case."""
        known = self._by_email.get(email.lower())
        return None if known is None else self.rows[known]

    def add(self, email: str, **values: Any) -> Shopper:
        """Store a new shopper."""
        now = self.now()
        shopper = Shopper(id=next(self._ids), email=email, created_at=now, modified_at=now, **values)
        return self._keep(shopper)

    def change(self, id_: int, **values: Any) -> Shopper:
        """Change what is known of a shopper."""
        known = self.rows[id_]
        self._by_email.pop(known.email.lower())
        return self._keep(evolve(known, modified_at=self.now(), **values))

    def link(self, email: str, *, company_id: int, **values: Any) -> Shopper:
        """Return the shopper of a new company user, made if there is none; his orders move to the company."""
        known = self.by_email(email)
        shopper = self.change(known.id, email=email, **values) if known else self.add(email, **values)
        for order in tuple(self.orders.values()):
            if order.shopper_id == shopper.id:
                self.orders[order.id] = evolve(order, company_id=company_id)
        return shopper

    def readdress(self, id_: int, email: str) -> Shopper:
        """Return the shopper of a user that changes its address.

        The shopper goes along, unless another one has the new address already: then that is linked.
        """
        other = self.by_email(email)
        return other if other and other.id != id_ else self.change(id_, email=email)

    def order(self, shopper: int, company: int | None) -> int:
        """Return the id of an order placed now."""
        order = Order(id=next(self._order_ids), shopper_id=shopper, company_id=company)
        self.orders[order.id] = order
        return order.id

    def _keep(self, shopper: Shopper) -> Shopper:
        self.rows[shopper.id] = shopper
        self._by_email[shopper.email.lower()] = shopper.id
        return shopper
