"""What a check of a set-up finds: before the first run, or when a run says that the set-up is wrong.

A client that can tell more of its system than the engine asks for has a method `check`
(`ChecksItself`). It looks at one thing after another with a `Book`, which keeps what was found.
"""

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from attrs import define, field, frozen

from acumatica_b2b.errors import AcumaticaB2BError
from acumatica_b2b.flow import Flow
from acumatica_b2b.model import RecordKind


class Part(enum.Enum):
    """Which part of the set-up was looked at."""

    ERP = "ERP"
    STOREFRONT = "storefront"
    LOG = "sync log"


class Verdict(enum.Enum):
    """What looking at it came to."""

    GOOD = "good"
    NOTE = "note"
    """Nothing is wrong, but somebody should know."""
    WRONG = "wrong"
    NOT_LOOKED_AT = "not looked at"
    """It rests on something that is wrong."""


@frozen(kw_only=True)
class Check:
    """One thing that was looked at: what was seen, and the way out where it is wrong."""

    part: Part
    about: str
    verdict: Verdict
    said: str
    way_out: str = ""


@frozen(kw_only=True)
class CheckResult:
    """All that was looked at, in order. Nothing was written to either system."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: a sync can run."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[Check, ...]:
        """What is wrong."""
        return tuple(check for check in self.checks if check.verdict is Verdict.WRONG)


@frozen(kw_only=True)
class Needs:
    """What the policy will ask of both systems."""

    roles: tuple[str, ...] = ()
    connection_types: frozenset[str] | None = None
    """The accepted ones; None: any."""
    addresses: bool = True
    references: frozenset[RecordKind] = frozenset()
    """The kinds of record that get the commerce reference ID."""
    reference_format: str = "{id}"
    reference_length: int = 40
    shoppers: bool = False
    """Whether the storefront has to tell who shops there already."""
    fills: frozenset[str] | None = frozenset()
    """The names of the extra fields that the mapping fills; None: nobody knows."""


@runtime_checkable
class ChecksItself(Protocol):
    """An ERP or a storefront that can look at its own set-up (optional). It writes nothing."""

    def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at; what is wrong is a value here, nothing is raised for it."""
        ...


@runtime_checkable
class AsyncChecksItself(Protocol):
    """`ChecksItself`, awaited."""

    async def check(self, needs: Needs, /) -> Sequence[Check]:
        """Return what was looked at."""
        ...


# ------------------------------------------------------------------ looking
@frozen(kw_only=True)
class Seen:
    """One thing that a look found; `about` where it is not what the look is named for."""

    verdict: Verdict
    said: str
    way_out: str = ""
    about: str = ""


def good(said: str, about: str = "") -> Seen:
    """Return that something is as it should be."""
    return Seen(verdict=Verdict.GOOD, said=said, about=about)


def note(said: str, way_out: str = "", about: str = "") -> Seen:
    """Return what somebody should know."""
    return Seen(verdict=Verdict.NOTE, said=said, way_out=way_out, about=about)


def wrong(said: str, way_out: str, about: str = "") -> Seen:
    """Return what is wrong, with the way out."""
    return Seen(verdict=Verdict.WRONG, said=said, way_out=way_out, about=about)


@define
class Book:
    """Keeps what the looks at one part found; one that fails stops only those that rest on it."""

    part: Part
    checks: list[Check] = field(factory=list[Check], init=False)
    _looks: dict[str, list[Check]] = field(factory=dict[str, list[Check]], init=False)

    def look(self, about: str, flow: Flow[Iterable[Seen]], way_out: str, *, rests_on: Sequence[str] = ()) -> Flow[None]:
        """Look at something, unless what it rests on is wrong; `way_out` is for errors that name none."""
        for basis in rests_on:
            if why := self._fails(basis):
                flow.close()
                self.skip(about, why)
                return
        try:
            found = tuple((yield from flow))
        except Exception as error:  # whatever went wrong is what was looked for
            found = (_raised(error, way_out),)
        for seen in found:
            self._keep(about, seen)

    def skip(self, about: str, why: str) -> None:
        """Note that something was not looked at."""
        self._keep(about, Seen(verdict=Verdict.NOT_LOOKED_AT, said=why))

    def add(self, checks: Iterable[Check]) -> None:
        """Keep what somebody else found."""
        for check in checks:
            self._add(check.about, check)

    def stands(self, look: str) -> bool:
        """Return whether something was looked at, and nothing of it is wrong."""
        return look in self._looks and not self._fails(look)

    def _fails(self, look: str) -> str:
        """Return why nothing can rest on a look; "" where it can."""
        for check in self._looks.get(look, ()):
            if check.verdict is Verdict.WRONG:
                return f"because of the {check.about}"
            if check.verdict is Verdict.NOT_LOOKED_AT:
                return check.said
        return ""

    def _keep(self, look: str, seen: Seen) -> None:
        about = seen.about or look
        self._add(look, Check(part=self.part, about=about, verdict=seen.verdict, said=seen.said, way_out=seen.way_out))

    def _add(self, look: str, check: Check) -> None:
        self.checks.append(check)
        self._looks.setdefault(look, []).append(check)


def _raised(error: Exception, way_out: str) -> Seen:
    if not isinstance(error, AcumaticaB2BError):
        return wrong(f"looking at it raised {type(error).__name__}", "correct the client")
    # the house's errors end with the way out
    said, _, own = str(error).rpartition("; ")
    return wrong(said, own) if said else wrong(own, way_out)
