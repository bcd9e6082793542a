from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, frozen
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.simulators.bigcommerce.tables import Table


@frozen
class Row:
    updated_at: int
    text: str = ""


@define
class Clock:
    time: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


WRITES = st.tuples(st.integers(1, 6), st.sampled_from(["write", "keep the stamp", "remove"]), st.integers(-4, 4))


@given(st.lists(WRITES, max_size=30), st.integers(0, 4), st.integers(-5, 15))
def test_what_was_written_since(writes: Sequence[tuple[int, str, int]], lag: int, since: int) -> None:
    """Among the records written since a stamp is every listed one that bears it or a later one, as it is listed.

    That holds whatever the lag, though clocks be set back, and though a write leaves the stamp as it was.
    """
    clock = Clock()
    stamp = int(clock.time.timestamp()) + since
    table: Table[Row] = Table(clock, lambda: lag)
    for id_, what, seconds in writes:
        clock.time += timedelta(seconds=seconds)
        known = table.get(id_)
        if what == "remove":
            table.pop(id_, None)
        elif what == "keep the stamp" and known:
            table[id_] = Row(known.updated_at, known.text + "x")
        else:
            table[id_] = Row(int(clock.time.timestamp()))
    listed, some = table.listed(), table.listed(table.written_since(stamp))
    assert {id_: row for id_, row in listed.items() if row.updated_at >= stamp}.items() <= some.items()
    assert some.items() <= listed.items()
