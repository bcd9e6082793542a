from importlib.util import find_spec

import pytest

from tests.benchmarks import unchanged
from tests.benchmarks.contacts import CHANGED, PARTS, measured, pieces
from tests.benchmarks.unchanged import Ground, ground


@pytest.fixture(scope="module")
def on() -> Ground:
    """Return a small ground."""
    return ground(30, seed=3)


def test_every_line_is_measured(on: Ground) -> None:
    """Each line of the table is measured on every wave, and every piece finds that nothing has changed."""
    lines = measured(on, rounds=1)
    assert lines.keys() == {*pieces(), *PARTS, *CHANGED}
    assert all(microseconds > 0 for microseconds in lines.values())


def test_all_read_the_same_records(on: Ground) -> None:
    """Our records, the plain loop and the models see the same contacts, customers and locations."""
    for wave in on.waves:
        read = unchanged.rows(wave, None)
        records = unchanged.records(wave, read)
        assert {one.id for one in records} == {one.id for one in unchanged.undecoded(wave, read)}
        assert len(wave.last) == len(read.customers) + len(read.contacts) + len(read.locations)
        assert sum(1 + len(one.contacts) + len(one.locations) for one in records) == len(wave.last)
        if find_spec("pydantic"):
            from tests.benchmarks import modelled  # noqa: PLC0415  # it may not be installed

            assert len(modelled.of_bytes(wave.bodies)) == len(modelled.of_parsed(wave.bodies)) == len(wave.last)
    assert sum(len(wave.last) for wave in on.waves) == on.size.records
