"""How much a reading keeps of what it has read."""

import tracemalloc

from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.protocols import Everything
from acumatica_b2b.quota import Quota
from tests.benchmarks.reading import EACH, Tenant

CONFIG = AcumaticaConfig(url="https://erp.example.com/Live", contact_opt_in="everyone", wave=10, page=100)


def peak(customers: int) -> int:
    """Return the most memory that a reading of so many customers took, in bytes."""
    tenant, read, after = Tenant(customers), 0, None
    with Acumatica(CONFIG, Password("sync", "secret"), tenant, parallel=1, budget=Quota()) as erp:
        erp.read(Everything(), None)
        tracemalloc.start()
        while True:
            page = erp.read(Everything(), after)
            read += sum(len(one.contacts) for one in page.items)
            after = page.next
            if after is None:
                break
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert read == customers * EACH
    return most


def test_flat_memory() -> None:
    """A reading of four times as many contacts takes about as much memory: one wave is there at a time."""
    assert peak(200) < 2 * peak(50)
