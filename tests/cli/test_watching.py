import io
import signal
import threading

import pytest
from rich.console import Console

from acumatica_b2b.cli.watching import StoppableClock, StoppedError, stoppable, watched
from acumatica_b2b.effects import CustomerSettled, RunStarted, Waiting, WaveRead
from acumatica_b2b.model import CustomerID


def settled(customer: str) -> CustomerSettled:
    """Return the event that a customer is done."""
    return CustomerSettled(customer=CustomerID(customer), steps=(), findings=())


def test_a_terminal_shows_how_far_it_is() -> None:
    """On a terminal a bar tells how many customers were read, and moves with each that is done."""
    text = io.StringIO()
    with watched(Console(file=text, force_terminal=True, width=100), "syncing") as watcher:
        for event in (RunStarted(run="1"), WaveRead(customers=4), settled("C1"), settled("C2")):
            watcher.hear(event)
        (task,) = watcher.progress.tasks
        assert (task.description, task.completed, task.total) == ("4 customers read", 2, 4)
        for event in (WaveRead(customers=1), settled("C2")):  # the second pass reads once more
            watcher.hear(event)
        assert (task.description, task.completed, task.total) == ("5 customers read", 3, 5)
        watcher.wait(59)
        assert "waiting 59 s" in watcher.progress.tasks[0].description


def test_elsewhere_only_waits_are_told() -> None:
    """Where the output is no terminal there is no bar, but a line says why nothing goes on."""
    text = io.StringIO()
    with watched(Console(file=text, width=100), "syncing") as watcher:
        for event in (RunStarted(run="1"), WaveRead(customers=4), settled("C1")):
            watcher.hear(event)
        watcher.hear(Waiting(seconds=61.2, reason="3 customers are left to a run that was cut off"))
    assert text.getvalue() == "waiting 61 s: 3 customers are left to a run that was cut off\n"


def test_a_wait_ends_when_it_is_stopped() -> None:
    """A wait, of whatever length, ends at once when the command is stopped; each is told before."""
    stop, told = threading.Event(), list[float]()
    clock = StoppableClock(stop, told.append)
    clock.sleep(0.01)
    stop.set()
    with pytest.raises(StoppedError):
        clock.sleep(3600)
    assert told == [0.01, 3600]
    assert clock.now().tzinfo is not None


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_signals_stop_the_waits_of_all_threads(number: signal.Signals, error: type[BaseException]) -> None:
    """Ctrl-C and SIGTERM end the main thread's work and tell the others; afterwards they mean what they did before."""
    before = signal.getsignal(number)
    with stoppable() as stop:
        with pytest.raises(error):
            signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is before


def test_other_threads_leave_signals_alone() -> None:
    """A command that runs in another thread than the main one takes no signals."""
    before, seen = signal.getsignal(signal.SIGINT), list[object]()

    def work() -> None:
        with stoppable():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
