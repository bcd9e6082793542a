"""What comes out of the library, whatever goes wrong: no secret, and no e-mail address but where one is needed."""

import asyncio
import json
import pickle
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import httpx
from attrs import define, evolve, field
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from acumatica_b2b import AsyncContactSync, ContactSync, SyncPolicy
from acumatica_b2b.acumatica import Acumatica, AsyncAcumatica, Credentials, OAuthPassword, Password
from acumatica_b2b.acumatica import events as erp_events
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerce
from acumatica_b2b.bigcommerce import events as shop_events
from acumatica_b2b.errors import AcumaticaB2BError, ConfigurationError, DecodeError, WrongSecretError
from acumatica_b2b.http import Response
from acumatica_b2b.model import Contact, Customer, Location
from acumatica_b2b.policy import ExistingShoppers
from acumatica_b2b.simulators import AcumaticaSimulator, BigCommerceSimulator
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    ENABLED,
    AcumaticaSettings,
    AddressRow,
    ContactRow,
    CustomerRow,
    LocationRow,
)
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import AsyncStoreOf
from acumatica_b2b.testing.strategies import erps, policies
from acumatica_b2b.transports.httpx import AsyncHttpxTransport, HttpxTransport
from tests.ears import listening
from tests.systems.conftest import ERP, NO_LIMITS, SHOP, Clock
from tests.systems.matrix import EXCEPTIONS, HUSH, INTERRUPTS, PERSON, WORDS, AsyncTime, Meets, Way

MARK: Final = "zq7"
"""Part of every e-mail address that people have here."""
SETTINGS: Final = AcumaticaSettings(password="pw-zq1", client_secret="cs-zq2", seats=50)
TOKEN: Final = "tk-zq3"
HOOK: Final = "wh-zq4"
SECRETS: Final = ("pw-zq1", "cs-zq2", TOKEN, HOOK, *HUSH, PERSON)
WAYS_IN: Final[tuple[Credentials, ...]] = (
    Password("sync", "pw-zq1"),
    OAuthPassword(client_id=SETTINGS.client_id, client_secret="cs-zq2", name="sync", password="pw-zq1"),
)


# ------------------------------------------------------------------ a generated world behind both APIs
def marked(text: str) -> str:
    """Return a text whose e-mail addresses are recognisable."""
    return text.replace("@", f".{MARK}@")


def put(tenant: AcumaticaSimulator, customer: Customer) -> None:
    """Put a generated customer into the tenant, with its contacts and locations."""
    where = AddressRow(
        line1=customer.address.line1, city=customer.address.city, postal_code="10115", country=customer.address.country
    )
    tenant.put_customer(
        CustomerRow(
            id=customer.id,
            name=customer.name,
            note_id=customer.note_id,
            customer_class=customer.customer_class,
            status=customer.status,
            email=marked(customer.email),
            phone=next(iter(customer.phones), ""),
            address=where,
        )
    )
    for contact in customer.contacts:
        put_contact(tenant, contact)
    for location in customer.locations:
        put_location(tenant, customer, location, where)
    tenant.set_primary(customer.id, int(customer.primary_contact) if customer.primary_contact else None)


def put_contact(tenant: AcumaticaSimulator, contact: Contact) -> None:
    """Put a generated contact into the tenant."""
    opted = {ENABLED: contact.association.enabled, CONNECTION_TYPE: contact.association.connection_type}
    tenant.put_contact(
        ContactRow(
            id=int(contact.id),
            note_id=contact.note_id,
            customer=contact.customer,
            active=contact.active,
            first_name=contact.first_name,
            last_name=contact.last_name,
            email=marked(contact.email),
            phones=contact.phones,
            custom={**opted},
        )
    )


def put_location(tenant: AcumaticaSimulator, customer: Customer, location: Location, where: AddressRow) -> None:
    """Put a generated location into the tenant."""
    row = LocationRow(id=location.id, customer=customer.id, name=location.name, note_id=location.note_id, address=where)
    tenant.put_location(evolve(row, default=location.default, first_name=location.first_name, phone=location.phone))


# ------------------------------------------------------------------ what goes wrong
TOLD: Final = json.dumps({"message": WORDS, "meta": {"message": WORDS}, "data": {"errMsg": WORDS}}).encode()
ANSWERS: Final[tuple[Callable[[Response], Response], ...]] = (
    lambda _: Response(status=400, body=TOLD),
    lambda _: Response(status=403, body=TOLD),
    lambda _: Response(status=404, body=TOLD),
    lambda _: Response(status=422, body=TOLD),
    lambda _: Response(status=429, body=TOLD),
    lambda _: Response(status=500, body=TOLD),
    lambda _: Response(status=302, headers=(("Location", f"/x?{WORDS}"),), body=TOLD),
    lambda _: Response(status=200, headers=(("Content-Type", "text/html"),), body=TOLD),
    lambda answer: evolve(answer, body=answer.body[: len(answer.body) // 2]),
    lambda answer: evolve(answer, body=answer.body.replace(b'":"', b'":["').replace(b'","', b'"],"', 1)),
)
FAULTS: Final = (
    *(
        Meets(comes=kind, acts=acts)
        for name, kind in EXCEPTIONS.items()
        if name not in INTERRUPTS
        for acts in (False, True)
    ),
    *(Meets(comes=comes, acts=acts) for comes in ANSWERS for acts in (False, True) for _ in range(4)),
)


@define(eq=False, repr=False)
class Tapped(Way):
    """A way on which things go wrong by chance; it remembers every secret that went over it."""

    die: random.Random = field(factory=random.Random, kw_only=True)
    chance: float = field(default=0.0, kw_only=True)
    secrets: set[str] = field(factory=set[str], kw_only=True)

    def __attrs_post_init__(self) -> None:
        self.script = lambda _number, _line: self.die.choice(FAULTS) if self.die.random() < self.chance else None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, or what comes instead."""
        response = super().handle_request(request)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.secrets |= {value} if name in {".ASPXAUTH", "ASP.NET_SessionId"} else set()
        self.secrets.update(re.findall(r'"(?:access|refresh)_token": ?"(.+?)"', response.text))
        return response


# ------------------------------------------------------------------ what comes out
def shown(value: object) -> Iterator[str]:
    """Yield all that a value shows; of an error also what its pickle holds, and the errors of ours that led to it."""
    yield str(value)
    yield repr(value)
    if isinstance(value, BaseException):
        again = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
        yield repr((value.args, vars(value), str(again), again.args, vars(again)))
        before = value.__cause__ or (None if value.__suppress_context__ else value.__context__)
        if before is not None and type(before).__module__.startswith("acumatica_b2b"):
            yield from shown(before)


def leaks(texts: Iterable[str], secrets: Iterable[str] = SECRETS) -> list[tuple[str, str]]:
    """Return the secrets and addresses that texts hold, each with the text around it."""
    patterns = [*map(re.escape, filter(lambda secret: len(secret) > 3, secrets)), MARK, "@", "%40"]
    found = re.compile("|".join(patterns))
    plain = (text.replace(SETTINGS.client_id, "<client id>") for text in texts)
    return [
        (hit.group(), text[max(0, hit.start() - 200) : hit.end() + 50])
        for text in plain
        for hit in found.finditer(text)
    ]


def stored(store: MemoryStore) -> Iterator[str]:
    """Yield what is in the log, without the addresses by which creations are found again."""
    keys = store.keys("", None, 10_000)
    for commits in store.load(keys):
        for commit in commits:
            yield commit.key
            yield json.dumps(_without_needed(json.loads(commit.body)))


def _without_needed(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_needed(item) for item in node]
    if not isinstance(node, dict):
        return node
    needed = node.get("do") in {"CreateCompany", "CreateUser"} and "hash" in node
    return {key: _without_needed(value) for key, value in node.items() if not (needed and key == "email")}


# ------------------------------------------------------------------ the property
@define(eq=False, repr=False)
class Scene:
    """Both systems, a log, and all that anybody was told."""

    customers: Sequence[Customer]
    policy: SyncPolicy
    credentials: Credentials
    die: random.Random
    store: MemoryStore = field(factory=MemoryStore)
    clock: Clock = field(factory=Clock)
    told: list[str] = field(factory=list[str])
    secrets: set[str] = field(factory=set[str])
    tenant: AcumaticaSimulator = field(init=False)
    shop: BigCommerceSimulator = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tenant = AcumaticaSimulator(settings=SETTINGS, now=self.clock.now)
        self.shop = BigCommerceSimulator(now=self.clock.now, token=TOKEN, requests_per_minute=None, core_requests=None)
        for customer in self.customers:
            put(self.tenant, customer)
        self.shop.add_shopper(marked("ann@a.example"))

    def hear(self, value: object) -> None:
        """Remember what somebody was told."""
        self.told += shown(value)

    def way(self, chance: float) -> Tapped:
        """Return a way to both systems."""
        return Tapped(self.tenant, self.shop, die=self.die, chance=chance, secrets=self.secrets)

    def run(self, chance: float) -> None:
        """Let a host look at everything and sync, in threads."""
        config, way = evolve(SHOP, token=TOKEN), self.way(chance)
        with httpx.Client(transport=way, trust_env=False) as client:
            transport = HttpxTransport(client)
            shop = BigCommerce(config, transport, clock=self.clock, parallel=1)
            erp = Acumatica(ERP, self.credentials, transport, clock=self.clock, parallel=1)
            sync = ContactSync(
                erp=erp,
                storefront=shop,
                store=self.store,
                policy=self.policy,
                clock=self.clock,
                listener=self.hear,
                workers=1,
            )
            for value in (config, ERP, self.credentials, transport, shop, erp, sync, self.store):
                self.hear(value)
            ids = [contact.id for customer in self.customers for contact in customer.contacts]
            acts: list[Callable[[], Any]] = [
                sync.check,
                sync.plan,
                sync.sync_all,
                *(lambda id_=id_: sync.explain(id_) for id_ in ids[:2]),
                *(lambda key=customer.id: sync.log(key) for customer in self.customers),
            ]
            for act in acts:
                self.tell(act)
            self.tell(erp.close)

    def tell(self, act: Callable[[], Any]) -> None:
        """Remember what an act returns, or raises."""
        try:
            came = act()
        except AcumaticaB2BError as error:
            self.hear(error)
            return
        self.hear(came)
        for trouble in getattr(came, "troubles", ()):
            self.hear(trouble.error)

    async def arun(self, chance: float) -> None:
        """Let a host sync in tasks."""
        time = AsyncTime(self.clock)
        async with httpx.AsyncClient(transport=self.way(chance), trust_env=False) as client:
            transport = AsyncHttpxTransport(client)
            shop = AsyncBigCommerce(evolve(SHOP, token=TOKEN), transport, clock=time, parallel=1)
            erp = AsyncAcumatica(ERP, self.credentials, transport, clock=time, parallel=1)
            store, policy = AsyncStoreOf(self.store), self.policy
            sync = AsyncContactSync(erp=erp, storefront=shop, store=store, policy=policy, clock=time, workers=1)
            for act in (sync.sync_changed, erp.close):
                try:
                    self.hear(await act())
                except AcumaticaB2BError as error:
                    self.hear(error)

    def change(self) -> None:
        """Let some people have other addresses, and some leave."""
        self.clock.sleep(86_400)
        for row in self.tenant.snapshot().contacts:
            match self.die.randrange(4):
                case 0:
                    self.tenant.put_contact(evolve(row, email=f"new{row.id}.{MARK}@b.example"))
                case 1:
                    self.tenant.put_contact(evolve(row, active=not row.active))
                case _:
                    pass


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    customers=erps(max_customers=3, max_contacts=6),
    policy=policies(),
    shoppers=st.sampled_from(ExistingShoppers),
    credentials=st.sampled_from(WAYS_IN),
    seed=st.integers(0, 2**32),
    chance=st.sampled_from((0.0, 0.05, 0.2)),
)
def test_nothing_leaks(
    customers: Sequence[Customer],
    policy: SyncPolicy,
    shoppers: ExistingShoppers,
    credentials: Credentials,
    seed: int,
    chance: float,
) -> None:
    """No error, repr, event, finding, Customer Log row, explanation or log line holds a secret or an e-mail address.

    The sync log holds no secret either, and an address only where a creation is about to go out: it is found by it.
    """
    policy = evolve(policy, existing_shoppers=shoppers, limits=NO_LIMITS)
    scene = Scene(customers, policy, credentials, random.Random(seed))
    with listening() as lines:
        scene.run(chance)
        scene.change()
        asyncio.run(scene.arun(chance))
        scene.clock.sleep(86_400)
        scene.run(0.0)
    secrets = {*SECRETS, *scene.secrets}
    assert scene.secrets
    assert any("HTTP Request" in line for line in lines)
    assert leaks(scene.told, secrets) == []
    assert leaks(lines, secrets) == []
    assert leaks(stored(scene.store), secrets) == []


# ------------------------------------------------------------------ what both systems send by themselves
HOOKS: Final = (
    erp_events.Webhook(header="X-Secret", secret=HOOK, columns={"B2B contacts": "Customer"}),
    shop_events.Webhook(store_hash="abc", header="X-Secret", secret=HOOK),
)


@given(
    hook=st.sampled_from(HOOKS),
    secret=st.sampled_from((HOOK, "wh-other", "", f"{HOOK} ")),
    body=st.one_of(
        st.just(WORDS.encode()),
        st.just(json.dumps({"Query": WORDS, "Id": WORDS, "TimeStamp": WORDS, "scope": WORDS}).encode()),
        st.just(
            json.dumps({"Query": "B2B contacts", "Id": "1", "TimeStamp": 1, "Inserted": [{WORDS: PERSON}]}).encode()
        ),
        st.binary(max_size=20),
    ),
)
def test_notifications_leak_nothing(hook: Any, secret: str, body: bytes) -> None:
    """What a webhook says of a notification that is not right holds neither its secret nor what it was sent."""
    told = [*shown(hook)]
    try:
        told += shown(hook.notification([("X-Secret", secret)], body))
    except (WrongSecretError, DecodeError, ConfigurationError) as error:
        told += shown(error)
    assert leaks(told) == []
