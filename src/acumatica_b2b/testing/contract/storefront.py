"""The contract of a storefront, to be run by who made one."""

from asyncio import Runner
from collections.abc import Iterator, Sequence
from typing import ClassVar

import pytest

from acumatica_b2b.model import CompanyID
from acumatica_b2b.protocols import AsyncStorefront, Storefront
from acumatica_b2b.testing.contract.bridge import PlainShopOf
from acumatica_b2b.testing.contract.shop_answering import Answers
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_changing import LeavesAlone
from acumatica_b2b.testing.contract.shop_declaring import Declares
from acumatica_b2b.testing.contract.shop_made import ShopTraits
from acumatica_b2b.testing.contract.shop_performed import Performed
from acumatica_b2b.testing.contract.shop_reading import Reads


# pytest runs the checks of the last base first: what was performed is observed
class _Checks(Declares, LeavesAlone, Reads, Answers, Performed):
    """All checks of a storefront."""

    traits: ClassVar[ShopTraits] = ShopTraits()

    def tidy_up(self, companies: Sequence[CompanyID]) -> None:
        """Do what you like with the companies that a check made; by default they stay."""


class StorefrontContract(_Checks):
    """Every promise that the engine relies on, one test each, for a storefront of yours.

    Subclass it in your tests, with a fixture `storefront`. What the checks make there is unique, so a
    sandbox that others use as well will do; `traits` says what they have to know of it.

    Example::

        class TestMyShop(StorefrontContract):
            traits = ShopTraits(primary_role="Primary Admin", user_role="Buyer")

            @pytest.fixture
            def storefront(self) -> MyShop:
                return MyShop(...)

    """

    @pytest.fixture
    def shop(self, storefront: Storefront) -> Iterator[ShopBench]:
        """Yield the bench on which your storefront is tried."""
        bench = ShopBench(storefront, self.traits)
        yield bench
        self.tidy_up(bench.made)


class AsyncStorefrontContract(_Checks):
    """The same for an async storefront: `storefront` returns one, and `close` may end it.

    The storefront's calls and `close` run in one event loop, a fresh one for each check.
    """

    @pytest.fixture
    def shop(self, storefront: AsyncStorefront) -> Iterator[ShopBench]:
        """Yield the bench on which your storefront is tried."""
        with Runner() as runner:
            bench = ShopBench(PlainShopOf(storefront, runner), self.traits)
            yield bench
            self.tidy_up(bench.made)
            runner.run(self.close(storefront))

    async def close(self, storefront: AsyncStorefront) -> None:
        """Do what you like with the storefront when its check is over."""
