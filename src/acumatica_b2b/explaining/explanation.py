"""What is so about one contact, and why: an `Explanation` in sections, for people."""

import enum
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from attrs import field, frozen

from acumatica_b2b.findings import Finding, Status
from acumatica_b2b.model import CompanyID, ContactID, CustomerID, RecordKind, UserID

_EMAIL: Final = re.compile(r"[^\s'\"<>()]+@[^\s'\"<>()]+")
_WIDTH: Final = 100


def without_addresses(text: str) -> str:
    """Return a text in which no e-mail address stands.

    >>> without_addresses("it names mark@test.com")
    'it names <e-mail>'
    """
    return _EMAIL.sub("<e-mail>", text)


class Mark(enum.Enum):
    """What a line is to its reader; the value is its sign in plain text."""

    SAID = " "
    """So it is."""
    GOOD = "+"
    """As it should be."""
    STEP = ">"
    """The next sync will do it."""
    WAITS = "!"
    """Something is not done because of it."""
    ACT_NOW = "!!"
    """A person has to look at it today."""
    QUIET = "."
    """To be known, and no more."""


@frozen(kw_only=True)
class Line:
    """One thing that is so, with the way out where there is one; no e-mail address stands in it."""

    text: str = field(converter=without_addresses)
    way_out: str = field(default="", converter=without_addresses)
    mark: Mark = Mark.SAID
    kind: str = ""
    """The kind of step or finding that it tells of."""
    at: datetime | None = None
    """Of what happened: when."""


@frozen(kw_only=True)
class Section:
    """What is so about one side of the matter."""

    title: str
    lines: tuple[Line, ...]


@frozen(kw_only=True)
class Explanation:
    """All that is known of one contact, and what the next sync would do about it. Nothing was written.

    As a text it is what `acumatica-b2b explain` prints.
    """

    contact: ContactID
    summary: str = field(converter=without_addresses)
    """The whole of it in one sentence."""
    read: Section
    """What Acumatica says."""
    eligibility: Section
    """Whether it takes part, and why not."""
    match: Section
    """Which company and which company user, by what evidence; which role, and whose grant it is."""
    plan: Section
    """What the next sync would do about it, and what that waits for."""
    guard: Section
    """What would be held back, and how much of each limit is spent."""
    outcomes: Section
    """What happened last, what people decided, who is at work on it now."""

    customer: CustomerID | None = None
    """Whose contact it is in Acumatica; None where it is nobody's, or could not be read."""
    takes_part: bool = False
    company: CompanyID | None = None
    user: UserID | None = None
    steps: int = 0
    """How many steps the next sync would take about it."""
    findings: tuple[Finding, ...] = ()
    """Those about it and about its customer."""
    busy_until: datetime | None = None
    """Until when another run has it."""
    known: bool = True
    """Whether Acumatica or the log knows anything of it."""
    trouble: str = field(default="", converter=without_addresses)
    """What kept from knowing all."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """Those of the six that have something to say, in the order in which they are told."""
        every = (self.read, self.eligibility, self.match, self.plan, self.guard, self.outcomes)
        return tuple(section for section in every if section.lines)

    def __str__(self) -> str:
        return "\n".join(_told(self))


def of_finding(finding: Finding) -> Line:
    """Return what a finding says, with its way out."""
    quiet = finding.status in {Status.PROCESSED, Status.FILTERED}
    mark = Mark.ACT_NOW if finding.act_now else Mark.QUIET if quiet else Mark.WAITS
    whose = "" if finding.record.kind is RecordKind.CONTACT else f"{finding.record}: "
    return Line(text=f"{whose}{finding.meaning}", way_out=finding.way_out, mark=mark, kind=finding.kind.name)


def _told(explanation: Explanation) -> Iterator[str]:
    yield from textwrap.wrap(explanation.summary, _WIDTH)
    for section in explanation.sections:
        yield ""
        yield section.title
        for line in section.lines:
            when = f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M} " if line.at else ""
            indent = " " * 5
            yield from textwrap.wrap(
                when + line.text, _WIDTH, initial_indent=f"{line.mark.value:>3}  ", subsequent_indent=indent
            )
            if line.way_out:
                yield from textwrap.wrap(
                    f"way out: {line.way_out}", _WIDTH, initial_indent=indent, subsequent_indent=indent
                )
