"""The benchmark of deciding measures what it says: each case comes to the steps that it should."""

import pytest

from tests.benchmarks.deciding import measured


@pytest.mark.parametrize("size", [1, 3])
def test_what_is_measured(size: int) -> None:
    """Nothing is done, one change, one for each contact, and a first load: all records and their references."""
    line = measured(size, work=1)
    assert line.steps == (0, 1, size, 2 * (1 + size + 1))
    assert len(str(line).split()) == 6
