import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from hypothesis import event, given, settings
from hypothesis import strategies as st

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import Customer
from acumatica_b2b.protocols import Everything
from tests.acumatica.conftest import Driver, Script, answer, configured, entity
from tests.acumatica.tables import (
    WORLD,
    Tables,
    a_contact,
    a_customer,
    a_location,
    as_written,
    filters,
    pages,
    tables,
    whole,
)


# ------------------------------------------------------------------ how servers collate
def without_case(text: str) -> Any:
    """Order as SQL Server's default does for plain letters."""
    return text.casefold()


def hyphens_last(text: str) -> Any:
    """Order as SQL Server's Unicode collations do: hyphens and apostrophes only break ties."""
    return (text.casefold().replace("-", "").replace("'", ""), text.casefold())


def punctuation_first(text: str) -> Any:
    """Order punctuation before digits, digits before letters."""
    return tuple((char.isalnum(), char) for char in text.casefold())


def letters_first(text: str) -> Any:
    """Order letters before digits, as nobody does."""
    return tuple((char.isdigit(), char) for char in text.casefold())


COLLATIONS = (as_written, without_case, hyphens_last, punctuation_first, letters_first)


def everything(script: Script, **settings_: Any) -> list[Customer]:
    """Return all customers of a reading."""
    found: list[Customer] = []
    with Acumatica(configured(**settings_), Password("sync", "secret"), script, clock=script, parallel=1) as erp:
        after = None
        while True:
            page = erp.read(Everything(), after)
            assert page.unreadable == ()
            found += page.items
            after = page.next
            if after is None:
                return found


# ------------------------------------------------------------------ order
@pytest.mark.parametrize("at", range(3))
def test_keys_that_do_not_ascend(driver: Driver, at: int) -> None:
    """A page whose keys do not ascend proves nothing: none of its customers is complete."""
    world = [list(rows) for rows in WORLD]
    world[at][0], world[at][1] = world[at][1], world[at][0]
    customers, contacts, locations = world
    found = pages(driver, tables(customers, contacts, locations), Everything())
    assert not any(customer.complete for page in found for customer in page.items)


@pytest.mark.parametrize("numbers", [([2, 1], [3]), ([2, 3], [1]), ([1, 2], [4, 3], [])])
def test_one_page_of_several(driver: Driver, numbers: tuple[list[int], ...]) -> None:
    """One page that does not ascend, in itself or behind the one before, leaves all of its listing unproven."""
    rest = iter(numbers)

    def answers(request: Request) -> Response:
        if entity(request) == "Contact":
            return answer([a_contact(number, "A") for number in next(rest)])
        return answer([a_customer("A")] if entity(request) == "Customer" else [])

    found = whole(pages(driver, Script(answers), Everything(), page=2))
    assert found == {"A": ([str(number) for page in numbers for number in page], [], False)}


def test_order_of_the_server(driver: Driver) -> None:
    """Where Python can't tell an order, the server is asked whether there is more between a page's ends."""
    names = ["A_1", "A1", "AA"]
    rows = Tables(
        {"Customer": [a_customer(name) for name in names], "Contact": [a_contact(1, "a1")], "CustomerLocation": []},
        collate=punctuation_first,
        in_order=True,
    )
    script = Script(rows)
    assert whole(pages(driver, script, Everything())) == {
        "A_1": ([], [], True),
        "A1": (["1"], [], True),
        "AA": ([], [], True),
    }
    assert filters(script, "Customer") == ["", "CustomerID ge 'A_1' and CustomerID le 'AA'"]


def test_rows_between_the_ends_of_a_page(driver: Driver) -> None:
    """A page that passes over a row between its ends proves nothing, and what follows is read all the same."""
    script = tables([a_customer(name) for name in ("B", "A", "D", "C", "E")])
    found = whole(pages(driver, script, Everything(), wave=3))
    assert set(found) == {"B", "A", "D", "E"}
    assert [found[name][2] for name in ("B", "A", "D")] == [False] * 3


def test_a_list_that_does_not_move_on(driver: Driver) -> None:
    """A list that ignores where it should go on is named instead of read for ever."""
    script = Script(lambda request: answer([a_customer("A"), a_customer("B")] if entity(request) == "Customer" else []))
    with pytest.raises(DecodeError, match="does not move on"):
        pages(driver, script, Everything(), wave=2)
    same = [a_contact(1, "A"), a_contact(2, "A")]
    script = Script(lambda request: answer({"Customer": [a_customer("A")], "Contact": same}.get(entity(request), [])))
    assert whole(pages(driver, script, Everything(), page=2)) == {"A": (["1", "2"], [], False)}


# ------------------------------------------------------------------ laws
NAMES = st.text("abAB12-_'/|ß ", min_size=1, max_size=4).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(NAMES, unique_by=hyphens_last, max_size=8),
    owners=st.lists(st.integers(0, 9), max_size=14),
    wave=st.integers(1, 4),
    page=st.integers(1, 3),
    ranges=st.booleans(),
    collate=st.sampled_from(COLLATIONS),
)
def test_pages_hold_everything(
    names: list[str],
    owners: list[int],
    wave: int,
    page: int,
    collate: Callable[[str], Any],
    *,
    ranges: bool,
) -> None:
    """However keys are collated and whatever the sizes of pages, each customer comes once, complete, with its own."""
    whose = [names[owner] if owner < len(names) else None for owner in owners]
    places = sorted({(owner, f"L{i % 3}") for i, owner in enumerate(whose) if owner})
    rows = {
        "Customer": [a_customer(name) for name in names],
        "Contact": [a_contact(i, owner) for i, owner in enumerate(whose, 1)],
        "CustomerLocation": [a_location(*key) for key in places],
    }
    script = Script(Tables(rows, collate=collate, in_order=True))
    found = everything(script, wave=wave, page=page, ranges=ranges, group=2)
    assert all(customer.complete for customer in found)
    assert Counter(customer.id for customer in found) == Counter(names)
    assert {
        one.id: ([contact.id for contact in one.contacts], sorted(place.id for place in one.locations)) for one in found
    } == {
        name: (
            [str(i) for i, owner in enumerate(whose, 1) if owner == name],
            [key for owner, key in places if owner == name],
        )
        for name in names
    }


@define
class Busy:
    """A tenant where people work while it is read: something happens before each answer."""

    names: list[str]
    chance: random.Random
    tables: Tables
    moved: set[str] = field(factory=set[str])
    last: int = 0

    def __call__(self, request: Request) -> None:
        """Let people do something, or nothing."""
        if "/" not in entity(request):
            for _ in range(self.chance.choice((0, 0, 1, 3))):
                self.chance.choice((self.open, self.close, self.hire, self.fire, self.edit, self.move, self.build))()

    def open(self) -> None:
        """Make a customer."""
        there = {self.tables.collate(name) for name in self.customers}
        free = [name for name in self.names if self.tables.collate(name) not in there]
        if free:
            self.tables.rows["Customer"].append(a_customer(self.chance.choice(free)))

    def close(self) -> None:
        """Delete a customer with all it has."""
        name = self.chance.choice(self.customers)
        for entity_, owner in (
            ("Customer", "CustomerID"),
            ("Contact", "BusinessAccount"),
            ("CustomerLocation", "Customer"),
        ):
            self.tables.rows[entity_][:] = [
                item for item in self.tables.rows[entity_] if item[owner].get("value") != name
            ]

    def hire(self) -> None:
        """Make a contact, whose customer may be written in another case."""
        self.last += 1
        name = self.chance.choice([*self.customers, None])
        spelled = (
            name.swapcase() if name and self.tables.collate(name.swapcase()) == self.tables.collate(name) else name
        )
        self.tables.rows["Contact"].append(a_contact(self.last, self.chance.choice((name, spelled))))

    def fire(self) -> None:
        """Delete a contact."""
        if contacts := self.tables.rows["Contact"]:
            contacts.remove(self.chance.choice(contacts))

    def edit(self) -> None:
        """Change a contact."""
        if contacts := self.tables.rows["Contact"]:
            self.chance.choice(contacts)["FirstName"] = {"value": str(self.chance.random())}

    def move(self) -> None:
        """Give a contact to another customer."""
        if contacts := self.tables.rows["Contact"]:
            contact = self.chance.choice(contacts)
            self.moved.add(str(contact["ContactID"]["value"]))
            contact["BusinessAccount"] = {"value": self.chance.choice(self.customers)}

    def build(self) -> None:
        """Make a location."""
        key = (self.chance.choice(self.customers), f"N{self.chance.randrange(9)}")
        if key not in self.locations:
            self.tables.rows["CustomerLocation"].append(a_location(*key))

    @property
    def customers(self) -> list[str]:
        """The customers there are; one always is."""
        return [item["CustomerID"]["value"] for item in self.tables.rows["Customer"]] or ["nobody"]

    @property
    def contacts(self) -> dict[str, str]:
        """Whose each contact is, as it is written."""
        rows = self.tables.rows["Contact"]
        return {str(item["ContactID"]["value"]): item["BusinessAccount"].get("value") or "" for item in rows}

    @property
    def locations(self) -> set[tuple[str, str]]:
        """The locations there are."""
        return {
            (item["Customer"]["value"], item["LocationID"]["value"]) for item in self.tables.rows["CustomerLocation"]
        }


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(NAMES, unique_by=hyphens_last, min_size=2, max_size=10),
    collate=st.sampled_from(COLLATIONS),
    chance=st.randoms(use_true_random=False),
    wave=st.integers(1, 3),
    page=st.integers(1, 3),
    ranges=st.booleans(),
)
def test_paging_under_change(
    names: list[str],
    collate: Callable[[str], Any],
    chance: random.Random,
    wave: int,
    page: int,
    *,
    ranges: bool,
) -> None:
    """Whatever is inserted, deleted and edited between pages, a proven reading loses and doubles no row that stayed."""
    stored: dict[str, list[Any]] = {"Customer": [], "Contact": [], "CustomerLocation": []}
    busy = Busy(names, chance, Tables(stored, collate=collate, in_order=True))
    stored["Customer"] += [a_customer(name) for name in names[::2]]
    for _ in range(3 * len(names)):
        chance.choice((busy.hire, busy.hire, busy.build))()
    customers, contacts, locations = set(busy.customers), busy.contacts, busy.locations

    def happening(request: Request) -> None:
        busy(request)
        customers.intersection_update(busy.customers)
        for contact in contacts.keys() - busy.contacts.keys():
            del contacts[contact]
        locations.intersection_update(busy.locations)

    busy.tables.refused = happening
    found = everything(Script(busy.tables), wave=wave, page=page, ranges=ranges, group=2)
    read = Counter[str](customer.id for customer in found)
    proven = all(customer.complete for customer in found)
    event(f"proven: {proven}")
    assert all(read[name] == 1 for name in customers) or not proven
    assert all(read[name] <= 1 for name in customers)
    for customer in found:
        if not customer.complete:
            continue
        here = Counter(contact.id for contact in customer.contacts)
        mine = {
            contact
            for contact, owner in contacts.items()
            if owner.casefold() == customer.id.casefold() and contact not in busy.moved
        }
        assert max(here.values(), default=1) == 1
        assert customer.id not in customers or mine <= here.keys()
        places = Counter(place.id for place in customer.locations)
        assert max(places.values(), default=1) == 1
        assert {key for owner, key in locations if owner == customer.id} <= places.keys()
    everyone = Counter[str](contact.id for customer in found for contact in customer.contacts)
    assert all(everyone[contact] <= 1 for contact in contacts if contact not in busy.moved)
