"""What people do by hand, in Acumatica and in the shop: each edit is decided by one die."""

import random
from collections.abc import Sequence

from attrs import define, evolve, field

from acumatica_b2b.actions import RemoveAddress, UpdateAddress, UpdateCompany
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.model import (
    Company,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    DesiredAddress,
    Location,
    LocationID,
    NoteID,
    PostalAddress,
    SiteAssociation,
)
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.simulating.shop import STRANGE, Truth

POOL = tuple(f"{name}@b.example" for name in ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"))
ODD = ("", "no-at-sign", "Ann@B.example", "bob@b.example; cyd@b.example")
ON, OFF = SiteAssociation(enabled=True), SiteAssociation(enabled=False)
STREETS = tuple(PostalAddress(line1=f"{n} Main St", city="Springfield", state="IL", country="US") for n in range(1, 4))


def note_id(kind: int, number: int) -> NoteID:
    """Return the NoteID of a kind's record number `number`."""
    return NoteID(f"{kind:08x}-0000-4000-8000-{number:012x}")


def contact(key: ContactID, customer: CustomerID, email: str) -> Contact:
    """Return a contact with whom nothing is wrong."""
    return Contact(
        id=key,
        note_id=note_id(2, int(key)),
        customer=customer,
        first_name="Given",
        last_name=f"Family{key}",
        email=email,
        phones=("555-0101",),
        association=ON,
    )


def customer(number: int, people: int) -> Customer:
    """Return a customer with whom nothing is wrong; the addresses of its contacts are the pool's."""
    key = CustomerID(f"C{number}")
    ids = [ContactID(str(number * 100 + n)) for n in range(people)]
    return Customer(
        id=key,
        note_id=note_id(1, number),
        name=f"Customer {number}",
        email=f"office{number}@a.example",
        phones=("555-0100",),
        address=STREETS[0],
        primary_contact=ids[0] if ids else None,
        contacts=tuple(contact(one, key, POOL[(4 * number + n) % len(POOL)]) for n, one in enumerate(ids)),
        locations=(
            Location(id=LocationID("MAIN"), note_id=note_id(3, number), name="Main", default=True, address=STREETS[0]),
        ),
    )


@define(eq=False)
class Clerks:
    """Those who work in Acumatica. `movers` are the contacts that ever changed their customer."""

    erp: MemoryErp
    movers: set[ContactID] = field(factory=set[ContactID])
    places: int = 0

    def edit(self, die: random.Random) -> str:
        """Change something; say what, and begin with "!" where the change leaves no stamp."""
        held = die.choice(sorted(self.erp.snapshot().values(), key=lambda one: one.id))
        what = die.choices(tuple(_CLERKS), tuple(_CLERKS.values()))[0]
        match what:
            case "add":
                return self._put(held, contact(self.erp.next_contact_id(), held.id, die.choice(POOL)), "is new")
            case "customer":
                return self._customer(held, die)
            case "location":
                return self._location(held, die)
            case "nobody":
                self.erp.set_primary(held.id, None)
                return f"{held.id}: nobody is primary"
            case _ if held.contacts:
                return self._contact(what, held, die.choice(held.contacts), die)
            case _:
                return "nobody there"

    def _put(self, held: Customer, new: Contact, what: str) -> str:
        self.erp.put_contact(held.id, new)
        return f"{held.id}: contact {new.id} {what}, e-mail {new.email}"

    def _contact(self, what: str, held: Customer, one: Contact, die: random.Random) -> str:
        match what:
            case "primary":
                self.erp.set_primary(held.id, one.id)
                return f"{held.id}: contact {one.id} is primary"
            case "email":
                return self._put(held, evolve(one, email=die.choice(POOL)), "changes")
            case "odd":
                return self._put(held, evolve(one, email=die.choice(ODD)), "changes")
            case "name":
                name = die.choice(("Given", "Other", ""))
                return self._put(held, evolve(one, first_name=name, phones=(f"555-{die.randrange(9)}",)), "is renamed")
            case "opt-in":
                turned = OFF if one.association == ON else ON
                return self._put(held, evolve(one, association=turned, active=True), f"opts {turned.enabled}")
            case "inactive":
                return self._put(held, evolve(one, active=not one.active), f"is active: {not one.active}")
            case "remove":
                self.erp.remove_contact(one.id)
                return f"!{held.id}: contact {one.id} is deleted"
            case _:
                self.movers.add(one.id)
                to = die.choice((*sorted(self.erp.snapshot()), None))
                self.erp.move_contact(one.id, to)
                return f"{'' if to else '!'}{held.id}: contact {one.id} moves to {to}"

    def _customer(self, held: Customer, die: random.Random) -> str:
        match die.choice(("name", "phone", "email", "status", "status", "address")):
            case "name":
                held = evolve(held, name=f"Customer {die.randrange(99)}")
            case "phone":
                held = evolve(held, phones=die.choice(((), ("555-0100",), ("555-0177",))))
            case "email":
                held = evolve(held, email=die.choice(("", f"office{die.randrange(9)}@a.example")))
            case "address":
                held = evolve(held, address=die.choice(STREETS))
            case _:
                held = evolve(held, status="Active" if held.status != "Active" else "Hold")
        self.erp.put(held)
        return f"{held.id}: {held.name}, {held.phones}, {held.email}, {held.status}, {held.address.line1}"

    def _location(self, held: Customer, die: random.Random) -> str:
        places = {place.id: place for place in held.locations}
        if die.random() < 0.3 or not places:
            self.places += 1
            key = LocationID(f"L{self.places}")
            new = Location(id=key, note_id=note_id(4, self.places), name=str(key), address=die.choice(STREETS))
        else:
            old = die.choice(tuple(places.values()))
            new = die.choice((evolve(old, active=not old.active), evolve(old, address=die.choice(STREETS))))
        places[new.id] = new
        self.erp.put(evolve(held, locations=tuple(places.values())))
        return f"{held.id}: location {new.id} at {new.address.line1}, active: {new.active}"


_CLERKS = {
    "primary": 6,
    "email": 6,
    "opt-in": 4,
    "add": 3,
    "remove": 2,
    "move": 3,
    "odd": 1,
    "name": 2,
    "inactive": 1,
    "customer": 2,
    "location": 2,
    "nobody": 1,
}


@define(eq=False)
class Shopkeepers:
    """Those who work in the shop's own back office."""

    shop: MemoryShop
    policy: SyncPolicy
    truth: Truth
    strangers: int = 0

    def edit(self, die: random.Random, kinds: Sequence[str]) -> str:
        """Change something; what the shop refuses stays as it is."""
        companies = sorted(self.shop.snapshot().values(), key=lambda company: int(company.id))
        if not companies:
            return "no company is there"
        what, company = die.choice(kinds), die.choice(companies)
        try:
            return f"company {company.id}: {self._edited(what, company, die)}"
        except RejectedError:
            return f"company {company.id}: {what} is refused"

    def _edited(self, what: str, company: Company, die: random.Random) -> str:
        match what:
            case "stranger":
                return self._stranger(company, die)
            case "company":
                for user in company.users:
                    self._left(user)
                self.shop.delete_company(company.id)
                return "is deleted"
            case "unmark":
                changes = (("external_id", ""),)
                self.shop.perform([UpdateCompany(company=company.id, customer=CustomerID(""), changes=changes)])
                return "its external id is wiped"
            case "address" if company.addresses:
                return self._address(company, die)
            case _ if company.users:
                return self._user(what, company, die.choice(company.users), die)
            case _:
                return "nobody there"

    def _stranger(self, company: Company, die: random.Random) -> str:
        self.strangers += 1
        known = die.random() < 0.3
        email = die.choice(POOL) if known else f"person{self.strangers}@{STRANGE}"
        role = die.choice((self.policy.user_role, "Junior Buyer"))
        return f"user {self.shop.add_user(company.id, email, role=role)} is added, e-mail {email}"

    def _user(self, what: str, company: Company, user: CompanyUser, die: random.Random) -> str:
        match what:
            case "name":
                self.shop.edit_user(user.id, (("first_name", "Changed"),))
            case "phone":
                self.shop.edit_user(user.id, (("phone", "555-0999"),))
            case "forget":
                self.shop.edit_user(user.id, (("external_id", ""),))
            case "delete" if len(company.users) > 1:
                self.shop.delete_user(user.id)
                self._left(user)
            case "role":
                self._role(user, die.choice((self.policy.primary_role, self.policy.user_role, "Junior Buyer")))
            case _:
                return "nothing"
        self.truth.leaderless.discard(company.id)
        return f"user {user.id}: {what}"

    def _left(self, user: CompanyUser) -> None:
        self.truth.by_people.discard(user.id)
        self.truth.leaderless.discard(user.company)

    def _role(self, user: CompanyUser, role: str) -> None:
        self.shop.set_role(user.id, role)
        self.truth.granted = {home: one for home, one in self.truth.granted.items() if one != user.id}
        if role == self.policy.primary_role and user.id not in self.truth.given:
            self.truth.by_people.add(user.id)

    def _address(self, company: Company, die: random.Random) -> str:
        one = die.choice(company.addresses)
        if die.random() < 0.5:
            self.shop.perform([RemoveAddress(company=company.id, id=one.id, location=LocationID(""))])
            return f"address {one.id} is deleted"
        made = DesiredAddress(
            location=LocationID(""),
            external_id=NoteID(one.external_id if die.random() < 0.7 else ""),
            label="Changed",
            first_name="Some",
            last_name="One",
            address=one.address,
            default_shipping=one.default_shipping,
        )
        self.shop.perform([UpdateAddress(company=company.id, id=one.id, address=made)])
        return f"address {one.id} is edited, external id {made.external_id!r}"


HARMLESS = ("stranger", "forget", "unmark")
"""What people may do while a run is under way, and it can still keep every promise.

A name or phone typed in just then may be taken for the shop's own way of writing ours, and stays."""
ANYTHING = (*HARMLESS, "name", "phone", "stranger", "delete", "delete", "role", "role", "role", "address", "company")
