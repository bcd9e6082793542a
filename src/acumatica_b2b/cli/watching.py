"""What a command shows while it works, and how it is stopped: progress, waits, signals."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Final

from attrs import define
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from acumatica_b2b.effects import CustomerSettled, Event, RunStarted, Waiting, WaveRead

_ENDINGS: Final = ("SIGINT", "SIGTERM", "SIGHUP")


class StoppedError(Exception):
    """Somebody stopped the command while this thread was waiting."""


@define
class StoppableClock:
    """The machine's own time; waiting for it ends when `stop` is set."""

    stop: threading.Event
    tell: Callable[[float], None]
    """Hears of each wait, in seconds."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float, /) -> None:
        """Wait.

        Raises:
            StoppedError: it was stopped.

        """
        self.tell(seconds)
        if self.stop.wait(seconds):
            raise StoppedError


@contextmanager
def stoppable() -> Generator[threading.Event]:
    """Let Ctrl-C, SIGTERM and a closed terminal end a command in order; the event tells other threads."""
    stop = threading.Event()

    def end(number: int, _: FrameType | None) -> None:
        stop.set()
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    numbers = [number for name in _ENDINGS if (number := getattr(signal, name, None)) and _is_heard(number)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only the main thread may take signals
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_heard(number: int) -> bool:
    # under nohup a command outlives its terminal
    return number != getattr(signal, "SIGHUP", None) or signal.getsignal(number) != signal.SIG_IGN


@define
class Watcher:
    """Shows a run's events: a bar on a terminal, and the reasons for waiting anywhere."""

    console: Console
    progress: Progress
    _read: int = 0
    _settled: int = 0

    def hear(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._show("syncing")
            case WaveRead(customers=customers):
                self._read += customers
                self._show(f"{self._read} customers read")
            case CustomerSettled():
                self._settled += 1
                self._show(f"{self._read} customers read")
            case Waiting(seconds=seconds, reason=reason):
                self.console.print(f"waiting {seconds:.0f} s: {reason}", highlight=False)

    def wait(self, seconds: float) -> None:
        """Show that a system asked for patience."""
        if seconds >= 1:
            self._show(f"waiting {seconds:.0f} s, for a system is busy")

    def _show(self, what: str) -> None:
        total = max(self._read, self._settled) or None
        for task in self.progress.task_ids:
            self.progress.update(task, description=what, total=total, completed=self._settled)


@contextmanager
def watched(console: Console, what: str) -> Generator[Watcher]:
    """Show a bar while the block runs, where the console is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(what, total=None)
        yield Watcher(console, progress)
