"""An unchanged contact, step by step: the waves of a tenant that was loaded before, and what is made of their bytes."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from acumatica_b2b import SyncPolicy
from acumatica_b2b.acumatica import AsyncAcumatica, Password, listing, reading
from acumatica_b2b.acumatica.kept import keeping
from acumatica_b2b.effects import Load
from acumatica_b2b.engine import sync_customer
from acumatica_b2b.flow import Batch, Flow, Ok, run, together
from acumatica_b2b.folding import fold
from acumatica_b2b.http import AsyncTransport, Request, Response, Send, Session
from acumatica_b2b.keys import customer_key
from acumatica_b2b.model import Capabilities, Customer, CustomerID, HandOver, Undecoded
from acumatica_b2b.observing import loaded
from acumatica_b2b.protocols import Cursor, Everything, Page
from acumatica_b2b.simulators.acumatica import Dataset
from acumatica_b2b.sparing import settled_at
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.synclog import read_body
from acumatica_b2b.terms import Settled, Terms
from acumatica_b2b.world import World
from tests import virtual_time
from tests.benchmarks.loading import check, syncing
from tests.benchmarks.stage import ERP, stage
from tests.benchmarks.tenants import Size, size_of, tenant
from tests.virtual_time import BEGINNING, AsyncMemoryStore

TERMS: Final = Terms(
    policy=SyncPolicy(), capabilities=Capabilities(hand_over=HandOver.ATOMIC), run="again", trust_digest=True
)
Values: TypeAlias = dict[str, Any]


@frozen(kw_only=True)
class Wave:
    """A page of customers with what belongs to them, as it came, and what earlier runs know of them."""

    after: Cursor | None
    answers: dict[str, Response] = field(repr=False)
    store: MemoryStore = field(repr=False)
    digests: dict[CustomerID, str] = field(factory=dict[CustomerID, str], repr=False)
    last: dict[str, Values] = field(factory=dict[str, Values], repr=False)

    @property
    def bodies(self) -> list[tuple[str, bytes]]:
        """The bytes, each with the entity that they are rows of."""
        return [(urlsplit(url).path.rpartition("/")[2], answer.body) for url, answer in self.answers.items()]

    def said(self, batch: Batch) -> list[Any]:
        """Answer what a client asks, as the ERP did."""
        return [Ok(self.answers[ask.request.url]) if isinstance(ask, Send) else Session() for ask in batch]

    def logged(self, batch: Batch) -> list[Any]:
        """Answer what the engine asks."""
        logs = iter(self.store.load([ask.key for ask in batch if isinstance(ask, Load)]))
        return [next(logs) if isinstance(ask, Load) else BEGINNING for ask in batch]


@frozen(kw_only=True)
class Ground:
    """What is measured on."""

    size: Size
    waves: tuple[Wave, ...]


# ------------------------------------------------------------------ the ground
def ground(contacts: int, seed: int) -> Ground:
    """Return the waves of a tenant that was loaded before."""
    records_ = tenant(contacts, seed)
    return virtual_time.run(_ground(records_, seed))


async def _ground(dataset: Dataset, seed: int) -> Ground:
    place, store, size = stage(dataset, seed), AsyncMemoryStore(), size_of(dataset)
    async with AsyncAcumatica(ERP, Password("sync", "secret"), place.to_erp, clock=place.clock) as erp:
        check(await syncing(place, erp, store).sync_all(), place, size)
    heard = Listening(place.to_erp)
    waves: list[Wave] = []
    after: Cursor | None = None
    async with AsyncAcumatica(ERP, Password("sync", "secret"), heard, clock=place.clock) as erp:
        while not waves or after:
            heard.lists.clear()
            page = await erp.read(Everything(), after)
            waves.append(_known(Wave(after=after, answers=dict(heard.lists), store=store.store), page))
            after = page.next
    return Ground(size=size, waves=tuple(waves))


@frozen
class Listening:
    """A transport that keeps the lists that come through it."""

    way: AsyncTransport
    lists: dict[str, Response] = field(factory=dict[str, Response], init=False)

    async def send(self, request: Request, /) -> Response:
        """Return the answer."""
        response = await self.way.send(request)
        if "$top" in request.url:
            self.lists[request.url] = response
        return response


def _known(wave: Wave, page: Page[Customer]) -> Wave:
    """Return the wave with what the log, and the plain loop, know of its customers."""
    logs = wave.store.load([customer_key(TERMS.policy, customer.id) for customer in page.items])
    states = [fold(read_body(commit.body) for commit in log) for log in logs]
    digests = {customer.id: state.digest for customer, state in zip(page.items, states, strict=True)}
    return evolve(wave, digests=digests, last=dict(_plain_values(wave)))


# ------------------------------------------------------------------ this library
def ours(wave: Wave) -> None:
    """Read the wave as a run over changes does, and see that there is nothing to do."""
    settled(wave, undecoded(wave, rows(wave, None)))


def rows(wave: Wave, _: object) -> reading.Wave:
    """Return the rows of the wave, in order and complete."""

    def flow() -> Flow[reading.Wave]:
        after = json.loads(wave.after)["after"] if wave.after else None
        keep = keeping(ERP).customers
        listed = yield from listing.page(ERP, keep.shape, "", after and (after,), ERP.wave, keep)
        return (yield from reading.around(ERP, listed))

    return run(flow(), wave.said)


def undecoded(_: Wave, read: reading.Wave) -> list[Undecoded]:
    """Return the customers that they are, as they came."""
    return reading.undecoded_of(ERP, read)


def settled(wave: Wave, customers: Sequence[Customer | Undecoded]) -> None:
    """Look into the log of each and see that there is nothing to do."""
    if len(customers) != len(wave.digests):
        raise RuntimeError("a customer is missing")
    for one in run(together(sync_customer(customer, TERMS) for customer in customers), wave.logged):
        if one != Settled(customer=one.customer):
            raise RuntimeError("a customer is not what it was")


def records(_: Wave, read: reading.Wave) -> list[Customer]:
    """Return the customers that they are."""
    return [outcome.value for outcome in reading.customers_of(ERP, read).values() if isinstance(outcome, Ok)]


def mapped(_: Wave, customers: Sequence[Customer]) -> list[World]:
    """Return what each should become; the log says nothing of them yet."""
    return [
        run(loaded(customer, TERMS), lambda batch: [() if isinstance(batch[0], Load) else BEGINNING])
        for customer in customers
    ]


def compare(wave: Wave, worlds: Sequence[World]) -> None:
    """Raise unless each is as the log says."""
    if [world for world in worlds if wave.digests[world.customer.id] != settled_at(world, done=True).digest]:
        raise RuntimeError("a customer is not what it was")


# ------------------------------------------------------------------ others
def loads(wave: Wave) -> None:
    """Parse the bytes, nothing more."""
    for _, body in wave.bodies:
        json.loads(body)


def plain_loop(wave: Wave) -> None:
    """Parse the bytes and compare the fields of each row with what they were, as a script does."""
    for key, values in _plain_values(wave):
        if wave.last[key] != values:
            raise RuntimeError(f"{key} is not what it was")


_ADDRESS: Final = ("AddressLine1", "AddressLine2", "City", "State", "PostalCode", "Country")
_FIELDS: Final = {
    "Customer": (
        *("CustomerID", "CustomerName", "CustomerClass", "CustomerCategory", "Status", "Email", "IsGuestCustomer"),
        *("PrimaryContactID", "NoteID"),
    ),
    "Contact": (
        *("ContactID", "BusinessAccount", "Active", "FirstName", "LastName", "Email", "Phone1", "Phone2", "Phone3"),
        *("JobTitle", "NoteID"),
    ),
    "CustomerLocation": ("Customer", "LocationID", "LocationName", "Active", "Default", "NoteID"),
}
_PERSON: Final = {"Customer": "MainContact", "CustomerLocation": "LocationContact"}


def _plain_values(wave: Wave) -> Iterator[tuple[str, Values]]:
    for entity, body in wave.bodies:
        for row in json.loads(body):
            values = {name: row[name].get("value") for name in _FIELDS[entity]}
            for view in row["custom"].values():
                values |= {name: cell.get("value") for name, cell in view.items()}
            if person := row.get(_PERSON.get(entity)):
                values |= {
                    name: person[name].get("value")
                    for name in ("Email", "FirstName", "LastName", "Phone1")
                    if name in person
                }
                values |= {name: person["Address"][name].get("value") for name in _ADDRESS}
            yield row["id"], values
