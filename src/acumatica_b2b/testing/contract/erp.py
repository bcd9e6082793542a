"""The contract of an ERP client, to be run by who made one."""

from asyncio import Runner
from collections.abc import Iterator
from typing import ClassVar

import pytest

from acumatica_b2b.protocols import AsyncErp, Erp
from acumatica_b2b.testing.contract.bridge import PlainErpOf
from acumatica_b2b.testing.contract.erp_bench import ErpBench, ErpTraits
from acumatica_b2b.testing.contract.erp_changes import Changes
from acumatica_b2b.testing.contract.erp_reading import Asked, Entered, Marks, Pages
from acumatica_b2b.testing.contract.erp_writing import Writes, Written
from acumatica_b2b.testing.contract.tenant import Tenant


# pytest runs the checks of the last base first: what was written and entered is read
class _Checks(Changes, Marks, Asked, Pages, Writes, Entered, Written):
    """All checks of an ERP."""

    traits: ClassVar[ErpTraits] = ErpTraits()


class ErpContract(_Checks):
    """Every promise that the engine relies on, one test each, for an ERP client of yours.

    Subclass it in your tests, with a fixture `erp`, and a fixture `tenant` that edits as people do: a
    `Tenant` with the methods that your test can offer. What is entered is unique and stays.

    Example::

        class TestMyErp(ErpContract):
            @pytest.fixture
            def erp(self) -> MyErp:
                return MyErp(...)

            @pytest.fixture
            def tenant(self) -> Tenant:
                return MyTenant(...)

    """

    @pytest.fixture
    def bench(self, erp: Erp, tenant: Tenant) -> ErpBench:
        """Return the bench on which your ERP client is tried."""
        return ErpBench(erp, tenant, self.traits)


class AsyncErpContract(_Checks):
    """The same for an async client: `erp` returns one, and `close` may end it.

    The client's calls and `close` run in one event loop, a fresh one for each check.
    """

    @pytest.fixture
    def bench(self, erp: AsyncErp, tenant: Tenant) -> Iterator[ErpBench]:
        """Yield the bench on which your ERP client is tried."""
        with Runner() as runner:
            yield ErpBench(PlainErpOf(erp, runner), tenant, self.traits)
            runner.run(self.close(erp))

    async def close(self, erp: AsyncErp) -> None:
        """Do what you like with the client when its check is over."""
