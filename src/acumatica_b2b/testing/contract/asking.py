"""Calls with several items, whose answers are looked at before anything is made of them."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from acumatica_b2b.errors import AuthenticationError, ConfigurationError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.testing.contract.broken import Why, broken

__tracebackhide__ = True  # pytest shows the check that failed, and not the way through here

S = TypeVar("S")
T = TypeVar("T")

_RAISED: Final = "what is raised ends the whole run, so one bad record would cost all others"
_COUNT: Final = "nobody can tell which answer is whose, and the run ends with an error that names this method"
_KIND: Final = "the engine matches on Ok and Failed, and takes anything else for a bug of the client"


def answers(method: str, call: Callable[[Sequence[S]], Sequence[Outcome[T]]], items: Sequence[S]) -> list[Outcome[T]]:
    """Return one outcome for each item.

    Raises:
        BrokenContractError: it raised, or there is not one outcome for each.
        AuthenticationError, ConfigurationError: the set-up is wrong, which is no fault of the client.

    """
    did = f"{method} was asked for {len(items)} at once"
    try:
        found = list(call(items))
    except (AuthenticationError, ConfigurationError):
        raise
    except Exception as error:
        should = "return one outcome for each, Failed(error) where one goes wrong"
        look = f"{method}: catch what concerns one record, or lift a function for one with acumatica_b2b.each"
        raise broken(
            did=did, should=should, but=f"it raised {type(error).__name__}: {error}", why=Why(_RAISED, look)
        ) from error
    if len(found) != len(items):
        look = f"{method}: what it does with items that it skips, joins or answers twice"
        but = f"it gave {len(found)}"
        raise broken(did=did, should=f"give {len(items)} answers, in the order asked", but=but, why=Why(_COUNT, look))
    for place, outcome in enumerate(found):
        _require_outcome(method, did, place, outcome)
    return found


def _require_outcome(method: str, did: str, place: int, outcome: object) -> None:
    match outcome:
        case Ok() | Failed(Exception()):
            return
        case _:
            but = f"answer number {place + 1} is {outcome!r}"
            why = Why(_KIND, f"{method}: every answer is Ok(value) or Failed(error)")
            raise broken(did=did, should="answer each with Ok(value) or Failed(error)", but=but, why=why)
