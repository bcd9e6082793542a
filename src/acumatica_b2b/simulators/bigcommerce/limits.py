"""How many requests a store takes in a window of time, and how it tells what is left."""

from datetime import datetime, timedelta

from attrs import define, field

from acumatica_b2b.http import Headers


@define(kw_only=True)
class Window:
    """Requests counted in windows: the next one begins with the first request after the last one's end."""

    length: timedelta
    spent: int = field(default=0, init=False)
    _began: datetime | None = field(default=None, init=False)

    def admits(self, allowed: int | None, now: datetime) -> bool:
        """Count one request and return True, or return False where all are spent."""
        self._turn(now)
        if allowed is not None and self.spent >= allowed:
            return False
        self.spent += 1
        return True

    def spend(self, requests: int, now: datetime) -> None:
        """Count so many requests that others sent."""
        self._turn(now)
        self.spent += requests

    def resets(self, now: datetime) -> float:
        """Return in how many seconds the window ends."""
        return max(0.0, (self._began + self.length - now).total_seconds()) if self._began else 0.0

    def _turn(self, now: datetime) -> None:
        if self._began is None or now - self._began >= self.length:
            self._began, self.spent = now, 0


def b2b_headers(window: Window, allowed: int, now: datetime) -> Headers:
    """Return what the B2B API tells of its limit, with units."""
    seconds = int(window.length.total_seconds())
    return (
        ("X-Requests-Allocated", f"{allowed} times/{seconds} s"),
        ("X-Requests-Window-Length", f"{seconds} s"),
        ("X-Requests-Remaining", f"{max(0, allowed - window.spent)} times"),
        ("X-Request-Window-Resets-After", f"{window.resets(now):.3f} s"),
    )


def core_headers(window: Window, allowed: int, now: datetime) -> Headers:
    """Return what the core API tells of its limit, in milliseconds."""
    return (
        ("X-Rate-Limit-Requests-Quota", str(allowed)),
        ("X-Rate-Limit-Requests-Left", str(max(0, allowed - window.spent))),
        ("X-Rate-Limit-Time-Window-Ms", str(int(window.length.total_seconds() * 1000))),
        ("X-Rate-Limit-Time-Reset-Ms", str(int(window.resets(now) * 1000))),
    )
