"""A pytest plugin for mutation runs: what kills a mutant soonest comes first, dice are cast alike."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put examples before drawn cases, the module's own file first; refuse ids that mutmut can't hand to pytest again.

    Raises:
        pytest.UsageError: an id holds a backslash.

    """
    for item in items:
        if "\\" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} holds a backslash, which mutmut can't name: give the case an id")
    module = os.environ.get("MUTANT_UNDER_TEST", "").rpartition(".x")[0].rpartition(".")[2]
    own = f"test_{module}.py"
    items.sort(key=lambda item: ("hypothesis" in item.keywords, item.path.name != own, item.nodeid))
