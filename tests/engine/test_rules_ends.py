"""How a run ends that can't go on, and what a mistaken set-up is told."""

from collections.abc import Sequence

import pytest

from acumatica_b2b import ContactSync
from acumatica_b2b.errors import AuthenticationError, ConfigurationError, NotSentError
from acumatica_b2b.model import Customer, HandOver
from acumatica_b2b.policy import Limits, SyncPolicy
from acumatica_b2b.protocols import Cursor, Page, PrimaryMarks, Query
from acumatica_b2b.testing import MemoryErp, MemoryShop
from tests.bench import ANNA, HERE, MARK, Bench, customer, kinds


class Dark(MemoryErp):
    """A tenant whose primary marks can't be read."""

    error: Exception = NotSentError("no route")

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return a page of anything else."""
        if isinstance(query, PrimaryMarks):
            raise self.error
        return super().read(query, after)


def dark(error: Exception) -> Bench:
    """Return a bench that was synced, and whose primary marks can be read no more."""
    bench = Bench()
    bench.put(customer(MARK, ANNA, primary=MARK))
    bench.sync()
    bench.erp = Dark()
    bench.erp.error = error
    return bench


def test_marks_that_can_t_be_read() -> None:
    """A run by changes that can't read the primary marks ends and says so; nothing is lost by it."""
    bench = dark(NotSentError("no route"))
    asked = bench.shop.requests
    report = bench.contact_sync.sync_changed()
    assert "primary marks" in report.stopped
    assert not report.ok
    assert bench.shop.requests == asked


def test_marks_with_a_wrong_credential() -> None:
    """A wrong credential is raised, at the primary marks as anywhere."""
    bench = dark(AuthenticationError("wrong"))
    with pytest.raises(AuthenticationError):
        bench.contact_sync.sync_changed()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"wave": 0}])
def test_no_workers(wrong: dict[str, int]) -> None:
    """A run has at least one worker, and a wave at least one customer."""
    bench = Bench()
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} of ContactSync is 0"):
        ContactSync(erp=bench.erp, storefront=bench.shop, store=bench.store, **wrong)  # type: ignore[arg-type]  # of two kinds


def test_a_role_taken_from_a_stranger_is_counted() -> None:
    """Where one call moves the role, it is taken from whoever had it: that is counted as a hand-over."""

    def admins(*, hand_overs: int) -> tuple[Sequence[str], set[tuple[str, str]]]:
        shop = MemoryShop(hand_over=HandOver.ATOMIC)
        bench = Bench(shop=shop, policy=SyncPolicy(limits=Limits(hand_overs=hand_overs)))
        bench.put(customer(MARK, ANNA))
        company = shop.add_company("Acme", external_id=bench.customer().note_id)
        shop.add_user(company, "boss@acme.example", role="Admin")
        bench.sync()
        bench.erp.set_primary(HERE, MARK.id)
        report = bench.sync()
        return sorted(bench.admins()), kinds(report)

    assert admins(hand_overs=25)[0] == ["mark"]
    held, found = admins(hand_overs=0)
    assert held == ["boss"]
    assert ("GUARD_HELD", HERE) in found
