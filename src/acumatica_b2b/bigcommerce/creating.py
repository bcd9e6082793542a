"""Creates ten at a time, and how each is confirmed: nothing in a bulk answer tells whose id is whose.

After the answers of a wave's bulk calls the store is listed once, and again only while its lists lag
behind. What the list shows was made, whatever the answer said; what it does not show is sent again singly
only where the answer was a refusal and the list is proven. A create whose answer was lost is never sent again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from attrs import evolve, frozen

from acumatica_b2b.bigcommerce.api import Api, earlier, in_slices
from acumatica_b2b.bigcommerce.errors import addresses_named, classify_bulk, moment, refusal
from acumatica_b2b.errors import AcumaticaB2BError, DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, ask
from acumatica_b2b.http import Pause, Response, attempt
from acumatica_b2b.model import StorefrontID

A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)
Json: TypeAlias = Mapping[str, Any]
BULK: Final = 10
"""One more is answered with 413."""
_LONGEST_LAG: Final = 5.0
"""Seconds to wait at most before a list is looked at for the first time."""


@frozen(kw_only=True)
class Listed:
    """What a listing shows of what was to be made: the id of each, and whether it missed nothing."""

    ids: tuple[int | None, ...]
    proven: bool


@frozen(kw_only=True)
class Sent:
    """When something was sent at the earliest: in unix seconds of the server, and in turns of the client."""

    stamp: int
    turn: int


class Creates(Protocol[A_contra]):
    """What tells the creation of companies, users and addresses apart."""

    @property
    def path(self) -> str:
        """Where they are posted."""
        ...

    def check(self, action: A_contra, /) -> None:
        """Raise RejectedError where there is no way to ask for it."""
        ...

    def name(self, action: A_contra, /) -> str:
        """Return what is about to be done, for an error."""
        ...

    def email(self, action: A_contra, /) -> str:
        """Return the e-mail address by which a refusal would name it, in lower case."""
        ...

    def body(self, action: A_contra, /) -> Json:
        """Return what is posted singly."""
        ...

    def row(self, action: A_contra, /) -> Json:
        """Return what is posted as a row of a bulk call."""
        ...

    def made(self, response: Response, /) -> int:
        """Return the id that the answer to a single create tells."""
        ...

    def wrote(self, action: A_contra, /) -> None:
        """Remember that something may have been made: what was read before does not show it."""
        ...

    def listed(self, actions: Sequence[A_contra], sent: Sent, /) -> Flow[Listed]:
        """Return the ids of those that are there, made since they were sent."""
        ...


@frozen(kw_only=True)
class _Answered:
    """A bulk call was answered, and only a listing can tell what came of this row."""

    sent: Sent
    refused: RejectedError | None
    named: bool = False


_State: TypeAlias = Outcome[StorefrontID] | _Answered


def create(api: Api, kind: Creates[A], actions: Sequence[A]) -> Flow[tuple[Outcome[StorefrontID], ...]]:
    """Return the id of each record that was made, or why it was not."""
    states: list[_State | None] = [_unfit(kind, action) for action in actions]
    fit = [i for i, state in enumerate(states) if state is None]
    chunks = [fit[i : i + BULK] for i in range(0, len(fit), BULK)]
    answers = yield from in_slices(_send(api, kind, [actions[i] for i in chunk]) for chunk in chunks)
    for chunk, answer in zip(chunks, answers, strict=True):
        for i, state in zip(chunk, answer, strict=True):
            states[i] = state
    doubtful = [(i, state) for i, state in enumerate(states) if isinstance(state, _Answered)]
    settled = yield from _settle(api, kind, [(actions[i], state) for i, state in doubtful])
    for (i, _), outcome in zip(doubtful, settled, strict=True):
        states[i] = outcome
    return tuple(state for state in states if isinstance(state, Ok | Failed))


def _unfit(kind: Creates[A], action: A) -> Failed | None:
    try:
        kind.check(action)
    except RejectedError as error:
        return Failed(_about(kind, action, error))
    return None


def _send(api: Api, kind: Creates[A], actions: Sequence[A]) -> Flow[Sequence[_State]]:
    if len(actions) == 1:
        return [(yield from _singly(api, kind, actions[0]))]
    rows, turn = [kind.row(action) for action in actions], next(api.known.turns)
    post = api.write("POST", kind.path, "bulk", body=rows, repeatable=False, classify=classify_bulk)
    answer: Outcome[Response] = yield from attempt(post)
    for action in actions:
        kind.wrote(action)
    if isinstance(answer, Failed):
        return [Failed(_about(kind, action, answer.error)) for action in actions]
    refused, named = refusal(answer.value), addresses_named(answer.value)
    sent = Sent(stamp=earlier(api, moment(answer.value)), turn=turn)
    return [_Answered(sent=sent, refused=refused, named=kind.email(action) in named) for action in actions]


def _singly(api: Api, kind: Creates[A], action: A) -> Flow[Outcome[StorefrontID]]:
    answer: Outcome[StorefrontID] = yield from attempt(_made(api, kind, action))
    kind.wrote(action)
    return answer if isinstance(answer, Ok) else Failed(_about(kind, action, answer.error))


def _made(api: Api, kind: Creates[A], action: A) -> Flow[StorefrontID]:
    response = yield from api.write("POST", kind.path, body=kind.body(action), repeatable=False)
    return StorefrontID(str(kind.made(response)))


def _settle(
    api: Api, kind: Creates[A], doubtful: Sequence[tuple[A, _Answered]]
) -> Flow[Sequence[Outcome[StorefrontID]]]:
    if not doubtful:
        return ()
    listed = yield from _listed(api, kind, doubtful)
    return (
        yield from in_slices(
            _confirmed(api, kind, action, answered, id_=id_, proven=listed.proven)
            for (action, answered), id_ in zip(doubtful, listed.ids, strict=True)
        )
    )


def _listed(api: Api, kind: Creates[A], doubtful: Sequence[tuple[A, _Answered]]) -> Flow[Listed]:
    """List them once, when lists show what was made; again, a little later, while one does not show it."""
    retries, waited = api.config.retries, 0.0
    stamp = min(answered.sent.stamp for _, answered in doubtful)
    sent = Sent(stamp=stamp, turn=min(answered.sent.turn for _, answered in doubtful))
    said_made = [i for i, (_, answered) in enumerate(doubtful) if answered.refused is None]
    listed = Listed(ids=(None,) * len(doubtful), proven=False)
    for look in range(max(1, retries.attempts)):
        if pause := retries.first_pause * 2.0 ** (look - 1) if look else api.known.lag:
            yield from ask(Pause(pause))
        waited += pause
        found: Outcome[Listed] = yield from attempt(kind.listed([action for action, _ in doubtful], sent))
        if isinstance(found, Failed):
            break
        listed = found.value
        if all(listed.ids[i] is not None for i in said_made):
            api.known.lag = min(waited, _LONGEST_LAG)
            break
    return listed


def _confirmed(
    api: Api, kind: Creates[A], action: A, answered: _Answered, *, id_: int | None, proven: bool
) -> Flow[Outcome[StorefrontID]]:
    if id_ is not None:
        return Ok(StorefrontID(str(id_)))
    if answered.refused is not None and proven:
        if answered.named:
            return Failed(_about(kind, action, answered.refused))
        outcome = yield from _singly(api, kind, action)  # its own reason, if the fault was another row's
        return (yield from _late(api, kind, action, answered, outcome))
    seen = "the bulk call was answered, and no listing shows whether this row of it was made"
    return Failed(_about(kind, action, OutcomeUnknownError(seen)))


def _late(
    api: Api, kind: Creates[A], action: A, answered: _Answered, outcome: Outcome[StorefrontID]
) -> Flow[Outcome[StorefrontID]]:
    """Return the id where the address is taken by the row itself: it was made, and the list was late to show it."""
    match outcome:
        case Failed(RejectedError(reason=Reason.EMAIL_TAKEN)):
            listed = yield from _listed(api, kind, [(action, evolve(answered, refused=None))])
            return outcome if listed.ids[0] is None else Ok(StorefrontID(str(listed.ids[0])))
        case _:
            return outcome


def _about(kind: Creates[A], action: A, error: Exception) -> Exception:
    """Return the error with what was about to be done to which record."""
    match error:
        case RejectedError():
            named: AcumaticaB2BError = RejectedError(error.reason, f"{kind.name(action)}: {error}")
        case OutcomeUnknownError() | DecodeError():
            # an answer that can't be read does not say that nothing was made
            named = OutcomeUnknownError(f"{kind.name(action)}: {error}")
        case _:
            return error
    named.__cause__ = error
    return named
