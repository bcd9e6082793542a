"""Ids that were met, at eight bytes each."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b import ids
from acumatica_b2b.ids import Census
from acumatica_b2b.model import CustomerID

C = [CustomerID(f"C{n}") for n in range(10)]
customers = st.lists(st.sampled_from(C))


@given(st.lists(customers), customers)
def test_missing(listed: list[list[CustomerID]], asked: list[CustomerID]) -> None:
    """Those are missing that were not counted, in the order in which they are asked for, however often it is asked."""
    one = Census()
    everybody: set[CustomerID] = set()
    for page in listed:
        one.count(page)
        everybody.update(page)
        assert one.missing(asked) == [customer for customer in asked if customer not in everybody]
    assert one.missing(asked) == [customer for customer in asked if customer not in everybody]


def test_marks_are_spread() -> None:
    """Customers are told apart by eight bytes each, of all that an unsigned number of that size can be."""
    many = [CustomerID(str(n)) for n in range(1000)]
    one = Census()
    one.count(many[::2])
    assert one.missing(many) == many[1::2]
    every = [ids._mark(customer) for customer in many]
    assert min(every) < 2**58
    assert 2**63 < max(every) < 2**64
    assert max(len(part) for part in one._parts) < 20, "what is sorted at once is a small part of all"
    assert repr(one) == "Census()"


def test_eight_bytes_each() -> None:
    """Ten thousand ids take hardly more than eight bytes each, sorted or not."""
    many = [str(n) for n in range(10_000)]
    one = Census()
    one.count(many)
    for _ in range(2):
        taken = sum(sys.getsizeof(part) for part in one._parts) - len(one._parts) * sys.getsizeof(one._parts[0][:0])
        assert 80_000 <= taken < 110_000
        assert one.missing(many) == []
