"""The sync log: its commits and their entries. See `logstate` for what they fold to, `customer_log` for people's view.

It holds what observing can't tell: which links and grants are ours, what was sent and what was
read back after it, what may still be under way, who was refused how often, which findings are known.
Values of fields are kept as digests.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, cast

from attrs import field, frozen

from acumatica_b2b.codec import decode, decode_tagged, encode_tagged, plain
from acumatica_b2b.decisions import Decision
from acumatica_b2b.errors import DecodeError, Reason
from acumatica_b2b.findings import Finding
from acumatica_b2b.model import Discreet, Record

SCHEMA = 2
"""Of the bodies that are written. 1 knew no decisions and no snapshots; all its entries fold."""


def digest(value: object) -> str:
    """Return 16 hexadecimal digits that stand for a value made of records, texts, numbers and tuples."""
    return hashlib.blake2b(repr(plain(value)).encode(), digest_size=8).hexdigest()


def no_fields() -> Mapping[str, str]:
    """Return no fields: the default where a step sends none."""
    return {}


Grant: TypeAlias = Literal["", "give", "take", "move", "suspend", "restore"]
"""What a step does to the Primary Admin's role, or to that of one who left."""


@frozen(kw_only=True, repr=False)
class LoggedStep(Discreet):
    """What the log keeps of a step; `fields` are digests of what is sent."""

    hash: str
    do: str
    record: Record
    id: str = ""
    email: str = ""
    """Of a creation only: it is found by it when its answer is lost."""
    admin: str = ""
    """Of a company's creation only: the contact who is its first admin."""
    grant: Grant = ""
    former_role: str = ""
    reference: str = ""
    fields: Mapping[str, str] = field(factory=no_fields, hash=False)


# ------------------------------------------------------------------ entries
@frozen(kw_only=True)
class Intended:
    """A step is about to go out, and may be sent until then."""

    step: LoggedStep
    until: datetime


@frozen(kw_only=True)
class Done:
    """The intended step with that hash took effect on the record with that id."""

    step: str
    id: str


@frozen(kw_only=True)
class Refused:
    """The other system said no to the intended step with that hash."""

    step: str
    reason: Reason
    message: str = ""
    record: Record | None = None
    """What the step was about; not told in schema 1, where the intent says it."""


@frozen(kw_only=True)
class Unanswered:
    """Nobody knows whether the intended step with that hash took effect."""

    step: str


@frozen(kw_only=True)
class NotSent:
    """The intended step with that hash never went out."""

    step: str


@frozen(kw_only=True)
class Linked:
    """A record and its counterpart belong together; `seen` is what was read back of what was sent."""

    record: Record
    id: str
    granted: bool = False
    seen: Mapping[str, str] = field(factory=no_fields, hash=False)


@frozen(kw_only=True)
class Unlinked:
    """A record has no counterpart any more."""

    record: Record


@frozen(kw_only=True)
class Found:
    """A finding came up."""

    finding: Finding


@frozen(kw_only=True)
class Cleared:
    """A finding is no longer so."""

    finding: Finding


@frozen(kw_only=True)
class SettledAt:
    """For ERP values with this digest there is nothing left to do; "": there is.

    `places` is the digest of its locations and of what should become of them, `basis` that of all
    that decides on them besides: while these two stay, no location and no address need be read.
    """

    digest: str
    primary: str = ""
    places: str = ""
    basis: str = ""
    fingerprint: str = ""
    """Of the ERP values as they were read, for who wants to know that nothing changed before decoding them."""


@frozen(kw_only=True)
class Decided:
    """A person made a choice about a record."""

    by: str
    decision: Decision


@frozen(kw_only=True)
class Snapshot:
    """All that the entries before it came to, as plain data."""

    state: Any


Entry: TypeAlias = (
    Intended
    | Done
    | Refused
    | Unanswered
    | NotSent
    | Linked
    | Unlinked
    | Found
    | Cleared
    | SettledAt
    | Decided
    | Snapshot
)


@frozen(kw_only=True)
class Body:
    """What one commit says."""

    run: str
    at: datetime
    entries: tuple[Entry, ...]


def write_body(body: Body) -> str:
    """Return a commit's body as JSON text."""
    entries = [encode_tagged(entry) for entry in body.entries]
    return json.dumps(
        {"schema": SCHEMA, "run": body.run, "at": body.at.isoformat(), "entries": entries},
        ensure_ascii=False,
        separators=(",", ":"),
    )


_SETTLED_LAST = re.compile(
    r'\{"is":"SettledAt","digest":"\w+"(?:,"primary":"[^"\\]*")?(?:,"places":"\w+")?(?:,"basis":"\w+")?'
    r',"fingerprint":"(\w+)"\}\]\}\Z'
)


def last_fingerprint(text: str) -> str:
    """Return the fingerprint of the SettledAt that a commit's text ends with; "": it ends otherwise.

    The end of the text is looked at and nothing is parsed: no text within an entry has quotes that are not escaped.
    """
    found = _SETTLED_LAST.search(text, max(0, len(text) - 400))
    return found[1] if found else ""


def read_body(text: str) -> Body:
    """Return what a commit's text says.

    Raises:
        DecodeError: it is not a body of this or an older schema.

    """
    envelope = read_envelope(text, SCHEMA)
    return Body(
        run=envelope.run,
        at=envelope.at,
        entries=tuple(decode_tagged(entry, Entry) for entry in envelope.entries),
    )


def primary_told(text: str) -> str | None:
    """Return the primary contact that one commit's text leaves in the state; None where it says nothing of it.

    Raises:
        DecodeError: it is not a body of this or an older schema.

    """
    for entry in reversed(read_envelope(text, SCHEMA).entries):
        if not isinstance(entry, dict) or cast("dict[str, object]", entry).get("is") not in _TELL_PRIMARY:
            continue
        match decode_tagged(cast("object", entry), Entry):
            case SettledAt(primary=primary):
                return primary
            case Snapshot(state=state):
                return str(state.get("primary", ""))
            case _:
                pass
    return None


_TELL_PRIMARY: Final = {SettledAt.__name__, Snapshot.__name__}


@frozen(kw_only=True)
class Envelope:
    """What every commit of the log has, whatever its entries."""

    schema: int
    run: str
    at: datetime
    entries: tuple[Any, ...]


def read_envelope(text: str, newest: int) -> Envelope:
    """Return a commit's text with its entries as plain data.

    Raises:
        DecodeError: it is not of the documented shape, or of a schema above the newest.

    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("a commit of the log is no JSON") from None
    envelope = decode(data, Envelope)
    if envelope.schema > newest:
        raise DecodeError(f"a commit of the log has schema {envelope.schema}; this version reads up to {newest}")
    return envelope
