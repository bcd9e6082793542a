"""Looking again until what was written is seen, or patience ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from acumatica_b2b.protocols import Clock

T = TypeVar("T")


class Patient(Protocol):
    """For how many seconds to look, and how often."""

    @property
    def patience(self) -> float:
        """Seconds in all."""
        ...

    @property
    def pause(self) -> float:
        """Seconds between two looks."""
        ...

    @property
    def clock(self) -> Clock:
        """The time that passes meanwhile."""
        ...


def until(traits: Patient, look: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Return what is seen, as soon as it is good or patience ends."""
    ends = traits.clock.now() + timedelta(seconds=traits.patience)
    while not good(found := look()) and traits.clock.now() < ends:
        traits.clock.sleep(traits.pause)
    return found
