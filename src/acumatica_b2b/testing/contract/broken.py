"""What a check says when a contract is broken, so that nobody has to read the check to understand it."""

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

K = TypeVar("K")


class BrokenContractError(AssertionError):
    """Something does not keep its contract; the message says what, what for, and where to look."""


@frozen
class Why:
    """What a check is for: what the engine would do wrong, and where a client goes wrong."""

    harm: str
    look: str


def broken(*, did: str, should: str, but: str, why: Why) -> BrokenContractError:
    """Return the error that says it all."""
    lines = (
        did,
        f"  it should: {should}",
        f"  but:       {but}",
        f"  therefore: {why.harm}",
        f"  look at:   {why.look}",
    )
    return BrokenContractError("\n".join(lines))


def differences(expected: Mapping[K, object], found: Mapping[K, object]) -> tuple[str, str]:
    """Return the fields that differ, as they should be and as they are."""
    differing = [name for name in expected if name not in found or found[name] != expected[name]]
    told = (", ".join(f"{name} {where.get(name, 'missing')!r}" for name in differing) for where in (expected, found))
    should, but = told
    return should, but
