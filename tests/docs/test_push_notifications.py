import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults

import pytest
from attrs import evolve

from acumatica_b2b import Contact, ContactID, ContactSync, Customer, CustomerID, NoteID, PostalAddress, SiteAssociation
from acumatica_b2b.acumatica.events import Webhook
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop
from docs.examples.push_notifications import LARGEST, Receiver

HOOK = Webhook(header="X-Sync-Secret", secret="s3cret", columns={"B2B contacts": "Customer"}, tenant="Live")
C1 = CustomerID("C1")


def customer(first_name: str = "Mark") -> Customer:
    """Return a customer with its primary contact."""
    contact = Contact(
        id=ContactID("1"),
        note_id=NoteID("note-1"),
        customer=C1,
        first_name=first_name,
        last_name="Example",
        email="mark@facebook.example",
        association=SiteAssociation(enabled=True),
    )
    return Customer(
        id=C1,
        note_id=NoteID("note-c1"),
        name="Facebook",
        email="info@facebook.example",
        phones=("+1 555 0100",),
        address=PostalAddress(line1="1 Hacker Way", city="Menlo Park", state="CA", country="US"),
        primary_contact=contact.id,
        contacts=(contact,),
    )


class Scene:
    """An ERP, a shop and the example between them."""

    def __init__(self) -> None:
        self.erp, self.shop = MemoryErp(), MemoryShop()
        self.erp.put(customer())
        self.app = Receiver(HOOK, ContactSync(erp=self.erp, storefront=self.shop, store=MemoryStore()))

    @property
    def names(self) -> list[str]:
        """The first names of all company users."""
        return [user.first_name for company in self.shop.snapshot().values() for user in company.users]

    def posted(self, key: str = "s3cret", method: str = "POST", length: int | None = None, **more: Any) -> str:
        """Return the status with which the app answers a notification of C1."""
        content = notification(**more)
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "HTTP_X_SYNC_SECRET": key}
        setup_testing_defaults(environ)
        environ |= {"wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(length or len(content))}
        said: list[str] = []
        self.app(environ, lambda status, _: said.append(status))  # type: ignore[arg-type]  # no writer
        return said[0]


def notification(**more: Any) -> bytes:
    """Return the body of a notification."""
    row = {"Customer": "C1   "}
    told = {"Query": "B2B contacts", "CompanyId": "Live", "Id": "1", "TimeStamp": 1, "Inserted": [row]}
    return json.dumps(told | more).encode()


@contextmanager
def working(app: Receiver, every: float) -> Iterator[None]:
    """Let the worker work until the block ends."""
    ended = threading.Event()
    worker = threading.Thread(target=app.work, args=(ended, every))
    worker.start()
    try:
        yield
    finally:
        ended.set()
        app.news.set()
        worker.join()


def in_time(holds: Callable[[], bool]) -> bool:
    """Return whether something comes true within some seconds."""
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 204),
        ({"key": "other"}, 401),
        ({"key": ""}, 401),
        ({"method": "GET"}, 405),
        ({"length": LARGEST + 1}, 413),
        ({"TimeStamp": "now"}, 400),
        ({"CompanyId": "Test"}, 500),
        ({"Query": "Other"}, 500),
        ({"Inserted": [{"Account": "C1"}]}, 500),
    ],
)
def test_what_the_example_answers(sent: dict[str, Any], status: int) -> None:
    """Each notification gets the answer that the page says, and only a good one is kept."""
    scene = Scene()
    assert scene.posted(**sent).startswith(f"{status} ")
    assert scene.app.inbox.customers == (("C1",) if status == 204 else ())


def test_a_notification_is_synced_once() -> None:
    """The customer of a notification is synced, and its repetition is answered and dropped."""
    scene = Scene()
    assert scene.posted()[:3] == "204"
    scene.app.sync_named()
    assert scene.names == ["Mark"]
    assert scene.posted()[:3] == "204"
    assert scene.app.inbox.customers == ()


def test_a_customer_waits_for_a_shop_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sync ends early, the customers of its notifications wait for the next."""
    scene = Scene()
    scene.posted()
    stopped = evolve(scene.app.sync.sync([]), stopped="the shop is away")
    monkeypatch.setattr(ContactSync, "sync", lambda *_: stopped)
    scene.app.sync_named()
    assert scene.app.inbox.customers == ("C1",)


def test_over_http() -> None:
    """Behind a real server, a change that is notified reaches the shop long before the next periodic run."""
    scene = Scene()

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with make_server("127.0.0.1", 0, scene.app, handler_class=Quiet) as server, working(scene.app, 3600.0):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            assert in_time(lambda: scene.names == ["Mark"])  # the worker's first run
            scene.erp.put(customer("Priscilla"))
            url, headers = f"http://127.0.0.1:{server.server_port}/", {"X-Sync-Secret": "s3cret"}
            with urlopen(Request(url, notification(), headers), timeout=10) as answer:
                assert answer.status == 204
            assert in_time(lambda: scene.names == ["Priscilla"])
        finally:
            server.shutdown()
            thread.join()


def test_what_no_notification_tells() -> None:
    """A change that nobody notifies of is found by the periodic run."""
    scene = Scene()
    with working(scene.app, 0.02):
        assert in_time(lambda: scene.names == ["Mark"])
        scene.erp.put(customer("Priscilla"))
        assert in_time(lambda: scene.names == ["Priscilla"])
