"""What the database beneath does: order, blanks, stamps, and transactions that commit late."""

from datetime import timedelta

import pytest
from attrs import evolve

from acumatica_b2b.simulators import ContactRow, CustomerRow, Dataset
from acumatica_b2b.simulators.acumatica import Collation
from tests.simulators.acumatica.conftest import START, Erp, furnish, make

NAMES = ("b", "A", "C", "co-op", "coop", "cool", "a_1")


def named(collation: Collation) -> Erp:
    erp = make(collation=collation)
    erp.log_in()
    for name in NAMES:
        erp.simulator.put_customer(CustomerRow(id=name, name=name))
    return erp


@pytest.mark.parametrize(
    ("collation", "order"),
    [
        (Collation.CASE_INSENSITIVE, ["A", "a_1", "b", "C", "co-op", "cool", "coop"]),
        (Collation.WORD_SORT, ["A", "a_1", "b", "C", "cool", "coop", "co-op"]),
        (Collation.BINARY, ["A", "C", "a_1", "b", "co-op", "cool", "coop"]),
    ],
)
def test_order_is_the_collations(collation: Collation, order: list[str]) -> None:
    """Lists, and what comes behind a key, follow the collation that the instance has."""
    erp = named(collation)
    assert erp.keys("Customer") == order
    assert erp.keys("Customer", filter=f"CustomerID gt '{order[2]}'") == order[3:]


def test_case_matters_to_a_binary_collation_only() -> None:
    """Keys and texts that differ by case are the same, but for a binary collation; blanks behind never count."""
    assert named(Collation.CASE_INSENSITIVE).one("Customer/a ")["CustomerID"] == {"value": "A"}
    binary = named(Collation.BINARY)
    assert binary.get("Customer/a").status == 500
    assert binary.keys("Customer", filter="CustomerID eq 'A '") == ["A"]
    assert binary.keys("Customer", filter="startswith(CustomerName,'a')") == ["a_1"]


def test_keys_may_be_padded() -> None:
    """By switch text keys come padded with blanks, whichever entity shows them; filters don't mind."""
    erp = furnish(make(key_width=12))
    assert erp.keys("Customer", filter="CustomerID eq 'ABAKERY'") == ["ABAKERY     "]
    assert erp.one("Contact/5")["BusinessAccount"] == {"value": "ABAKERY     "}
    location = erp.one("CustomerLocation/ABAKERY/MAIN")
    assert (location["Customer"]["value"], location["LocationID"]["value"]) == ("ABAKERY     ", "MAIN        ")
    assert erp.keys("Contact", filter="BusinessAccount eq 'ABAKERY     '") == [5, 40]


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (0, "09:00:00+00:00"),
        (1, "09:00:00.2+00:00"),
        (3, "09:00:00.243+00:00"),
        (6, "09:00:00.242424+00:00"),
        (7, "09:00:00.2424241+00:00"),
    ],
)
def test_stamps_are_as_fine_as_the_column(digits: int, text: str) -> None:
    """Stamps have as many digits as their column keeps, and a filter by what was read finds the row."""
    erp = furnish(make(fraction_digits=digits))
    erp.clock.on(microseconds=242_424)
    erp.simulator.put_contact(ContactRow(id=7, last_name="New"))
    stamp = erp.one("Contact/7")["LastModifiedDateTime"]["value"]
    assert stamp == f"2026-03-01T{text}"
    assert 7 in erp.keys("Contact", filter=f"LastModifiedDateTime ge datetimeoffset'{stamp}'")


def test_late_transaction_shows_up_with_an_early_stamp() -> None:
    """What is committed late has the stamp of when it was written, earlier than rows that were seen before it."""
    erp = furnish(make())
    late = erp.simulator.begin()
    erp.clock.on(seconds=10)
    late.put(ContactRow(customer="ABAKERY", last_name="Late"))
    late.put(evolve(erp.simulator.customer("ABAKERY"), name="Renamed"))
    erp.clock.on(seconds=20)
    seen = erp.simulator.put_contact(ContactRow(customer="ABAKERY", last_name="Early"))
    assert erp.keys("Contact", filter="LastName eq 'Late'") == []
    late.commit()
    (row,) = erp.rows("Contact", filter="LastName eq 'Late'")
    assert row["ContactID"]["value"] < seen
    assert row["LastModifiedDateTime"]["value"] == "2026-03-01T09:00:10+00:00"
    assert erp.simulator.customer("ABAKERY").name == "Renamed"
    assert erp.simulator.customer("ABAKERY").modified == START + timedelta(seconds=10)


def test_clock_may_jump_back() -> None:
    """With a clock that was put back, a later change has an earlier stamp, and is found by that."""
    erp = furnish(make())
    erp.clock.on(hours=-1)
    erp.put("Contact", ContactID=40, LastName="New")
    assert erp.keys("Contact", filter="LastModifiedDateTime lt datetimeoffset'2026-03-01T08:30:00Z'") == [40]


def test_stamps_are_found_after_every_kind_of_change() -> None:
    """The index by stamp follows what is written, put and deleted, among many others."""
    erp = furnish(make())
    erp.simulator.load(Dataset(contacts=tuple(ContactRow(id=1000 + one, modified=START) for one in range(50))))
    later = "LastModifiedDateTime ge datetimeoffset'2026-03-01T09:00:01Z'"
    assert erp.keys("Contact", filter=later) == []
    erp.clock.on(minutes=1)
    erp.put("Contact", ContactID=5, LastName="New")
    created = erp.put("Contact", LastName="Newer").json()["ContactID"]["value"]
    erp.simulator.put_contact(ContactRow(id=41, last_name="Newest"))
    assert erp.keys("Contact", filter=later) == [5, 41, created]
    erp.entity("DELETE", "Contact/5")
    erp.simulator.delete_contact(41)
    assert erp.keys("Contact", filter=later) == [created]
    erp.clock.on(minutes=1)
    erp.put("Contact", ContactID=created, LastName="Newest")
    until = f"{later} and LastModifiedDateTime le datetimeoffset'2026-03-01T09:01:30Z'"
    assert erp.keys("Contact", filter=until) == []
