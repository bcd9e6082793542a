"""What is said of answers that do not fit their effects; all else of flows: tests/test_flow.py."""

import pytest

from acumatica_b2b.effects import Now, ReadCustomer
from acumatica_b2b.flow import Batch, Flow, ask_all, run
from acumatica_b2b.model import CustomerID


def test_answers_that_do_not_fit() -> None:
    """Too few answers are an error that tells how many, and of which effects, each kind once."""
    effects = (Now(), ReadCustomer(CustomerID("C1")), Now())

    def asking() -> Flow[None]:
        yield from ask_all(effects)

    def too_few(batch: Batch) -> list[Batch]:
        return [batch]

    with pytest.raises(ValueError, match=r"^1 answers to 3 effects \(Now, ReadCustomer\)$"):
        run(asking(), too_few)
