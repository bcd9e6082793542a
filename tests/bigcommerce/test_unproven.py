"""What follows where a listing can't be proven: nobody is removed, and nothing is called deleted."""

import json

from attrs import define, evolve, field

from acumatica_b2b import ContactSync, SyncPolicy
from acumatica_b2b.actions import CreateUser, RemoveUser
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.http import Request, Response
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp
from tests.bench import ANNA, BILL, CARL, MARK, NO, FrozenClock, customer


@define
class Meddler:
    """The way to a simulated store, on which somebody adds and removes a user again while users are listed."""

    shop: BigCommerceSimulator
    company: int | None = None
    hides: str = ""
    extra: int | None = None

    def send(self, request: Request, /) -> Response:
        """Return the store's answer."""
        if self.company is not None and request.method == "GET" and "/users?" in request.url:
            self.meddle(self.company)
        response = self.shop.send(request)
        return evolve(response, body=self.without(response.body))

    def meddle(self, company: int) -> None:
        """Add a user before one page, and remove it before the next one."""
        if self.extra is None:
            body = {"firstName": "A", "lastName": "B", "email": "other@x.example", "companyId": company, "role": 2}
            self.extra = self.shop.by_hand("POST", "/users", body)["userId"]
        else:
            self.shop.by_hand("DELETE", f"/users/{self.extra}")
            self.extra = None

    def without(self, body: bytes) -> bytes:
        """Return a listing that has passed by one user, as if rows had shifted."""
        if not self.hides or self.company is None:
            return body
        said = json.loads(body)
        if isinstance(said["data"], list):
            said["data"] = [row for row in said["data"] if row.get("email") != self.hides]
        return json.dumps(said).encode()


@define
class Synced:
    """A tenant with one customer, whose contacts are users of a store already."""

    erp: MemoryErp = field(factory=MemoryErp)
    clock: FrozenClock = field(factory=FrozenClock)
    shop: BigCommerceSimulator = field(init=False)
    way: Meddler = field(init=False)
    sync: ContactSync = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.erp.put(customer(MARK, ANNA, BILL, CARL, primary=MARK))
        self.shop = BigCommerceSimulator(now=self.clock.now, requests_per_minute=None)
        self.way = Meddler(self.shop)
        config = BigCommerceConfig(store_hash=self.shop.store_hash, token=self.shop.token, page_size=3)
        client = BigCommerce(config, self.way, clock=self.clock, parallel=1)
        self.sync = ContactSync(
            erp=self.erp, storefront=client, store=MemoryStore(), clock=self.clock, workers=1, policy=SyncPolicy()
        )
        assert self.sync.sync_all().ok
        assert len(self.emails()) == 4

    def emails(self) -> set[str]:
        """Return whose users the store has, by the name before the address's @."""
        return {user.email.partition("@")[0] for user in self.shop.users.values()}

    def disturbed(self) -> None:
        """Let somebody else be at work from now on."""
        (self.way.company,) = self.shop.companies

    def left_alone(self) -> None:
        """Let nobody else be at work from now on."""
        self.way.company = None


def test_unproven_removes_nobody() -> None:
    """A leaver stays as long as the listing of his company is unproven, and goes with the first proven one."""
    side = Synced()
    side.erp.put(customer(MARK, ANNA, BILL, evolve(CARL, association=NO), primary=MARK))
    side.disturbed()
    report = side.sync.sync_all()
    assert "carl" in side.emails()
    assert not [step for step in report.steps if isinstance(step, RemoveUser)]
    side.left_alone()
    side.sync.sync_all()
    assert side.emails() - {"other"} == {"mark", "anna", "bill"}


def test_unproven_calls_nothing_deleted() -> None:
    """Whom an unproven listing does not show is neither called deleted nor made once more."""
    side = Synced()
    side.disturbed()
    side.way.hides = BILL.email
    report = side.sync.sync_all()
    assert not [step for step in report.steps if isinstance(step, CreateUser | RemoveUser)]
    assert not [found for found in report.findings if found.kind is FindingKind.DELETED_IN_SHOP]
    assert "bill" in side.emails()
