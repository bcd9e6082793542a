"""A web app that takes Acumatica's push notifications, and the worker that syncs the customers they name."""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from acumatica_b2b import ConfigurationError, ContactSync, DecodeError
from acumatica_b2b.acumatica.events import Inbox, Webhook
from acumatica_b2b.errors import WrongSecretError

LARGEST = 10_000_000
log = logging.getLogger(__name__)


class Receiver:
    """Answers in no time, whatever a sync is doing: what is named waits in the inbox."""

    def __init__(self, hook: Webhook, sync: ContactSync) -> None:
        self.hook, self.sync = hook, sync
        self.inbox, self.lock, self.news = Inbox(), threading.Lock(), threading.Event()

    # ------------------------------------------------------------------ the web app (WSGI)
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.receive(environ), [("Content-Length", "0")])
        return []

    def receive(self, environ: dict[str, Any]) -> str:
        headers = [(key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_")]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if environ["REQUEST_METHOD"] != "POST" or length > LARGEST:
            return "405 Method Not Allowed" if length <= LARGEST else "413 Content Too Large"
        try:
            one = self.hook.notification(headers, environ["wsgi.input"].read(length))
        except WrongSecretError:
            return "401 Unauthorized"
        except DecodeError as error:
            log.warning("no notification: %s", error)
            return "400 Bad Request"
        except ConfigurationError as error:  # Acumatica keeps it for two days: set it right, then send it again
            log.error("push notifications: %s", error)  # noqa: TRY400 -- the sentence says it all
            return "500 Internal Server Error"
        with self.lock:
            self.inbox = self.inbox.put(one)
        self.news.set()
        return "204 No Content"

    # ------------------------------------------------------------------ the worker
    def work(self, ended: threading.Event, every: float = 300.0) -> None:
        due = 0.0  # at once: nobody listened while this was not running
        while not ended.is_set():
            left = due - time.monotonic()
            if left > 0 and self.news.wait(left):
                self.sync_named()
            else:
                self.sync.sync_changed()
                due = time.monotonic() + every

    def sync_named(self) -> None:
        self.news.clear()
        inbox = self.inbox
        report = self.sync.sync(inbox.customers)
        if not report.stopped:  # a system could not be reached: they wait on
            with self.lock:
                self.inbox = self.inbox.without(inbox.waiting)
