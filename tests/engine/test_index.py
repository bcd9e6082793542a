"""The index over all customers: whose user a contact has."""

from collections.abc import Sequence

import pytest

from acumatica_b2b.model import Record, RecordKind
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.synclog import Body, Unlinked, read_body, write_body
from tests.bench import ANNA, HERE, MARK, THERE, Bench, customer


class Contested(MemoryStore):
    """A store in which somebody else writes about Anna just before we do, so many times."""

    times = 0

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store commits, behind somebody else's."""
        for commit in commits:
            if commit.key.endswith(f"/contact/{ANNA.id}") and self.times:
                self.times -= 1
                super().append([Commit(key=commit.key, version=commit.version, body=_body())])
        return super().append(commits)


def _body() -> str:
    record = Record(RecordKind.CUSTOMER, THERE)
    return write_body(Body(run="another", at=Bench().clock.now(), entries=(Unlinked(record=record),)))


@pytest.mark.parametrize("times", [0, 1, 3])
def test_index_says_who_came_last(times: int) -> None:
    """What a run says of a contact is said behind whatever another one said meanwhile."""
    store = Contested()
    bench = Bench(store=store)
    bench.put(customer(MARK, ANNA, primary=MARK))
    store.times = times
    assert bench.sync().ok
    (log,) = store.load([LogKey(f"store/contact/{ANNA.id}")])
    (entry,) = read_body(log[-1].body).entries
    assert entry.record == Record(RecordKind.CUSTOMER, HERE)  # type: ignore[union-attr]  # a link
    assert log[-1].version == times + 1
