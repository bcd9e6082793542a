"""What several customers of a wave want at once: one address for one contact, decided before any call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from acumatica_b2b.effects import Claim, Claimed, Wish
from acumatica_b2b.flow import Batch, Flow
from acumatica_b2b.model import ContactID
from acumatica_b2b.people import rings


def claims_settled(batch: Batch) -> Flow[Sequence[Any]]:
    """Answer the claims of a wave's customers; pass every other batch on.

    Who has the address already keeps it, else the first gets it: claims stand in the order of their
    customers' ids. Who was just seen to have it comes before who had it when the shop was surveyed.
    """
    claims = [effect for effect in batch if isinstance(effect, Claim)]
    if len(claims) < len(batch):
        return (yield batch)
    winners = _winners(claims)
    ring_of = {contact: ring for ring in _rings(winners.values()) for contact in ring}
    return [_answer(claim, winners, ring_of) for claim in claims]


def _winners(claims: Sequence[Claim]) -> Mapping[str, Wish]:
    """Return who gets which address; a customer that is left without a company gets none."""
    seen = sorted(claims, key=lambda claim: claim.surveyed)
    held = [wish for claim in seen for wish in claim.wishes if wish.has == wish.email]
    winners = {wish.email: wish for wish in reversed(held)}
    for claim in claims:
        needed = next((wish for wish in claim.wishes if wish.contact == claim.needs), None)
        if needed is None or winners.setdefault(needed.email, needed) == needed:
            for wish in claim.wishes:
                winners.setdefault(wish.email, wish)
    return winners


def _answer(claim: Claim, winners: Mapping[str, Wish], ring_of: Mapping[ContactID, tuple[ContactID, ...]]) -> Claimed:
    others = ((wish, winners.get(wish.email, wish)) for wish in claim.wishes)
    lost = {wish.email: winner.contact for wish, winner in others if winner != wish}
    mine = {wish.contact: ring_of[wish.contact] for wish in claim.wishes if wish.contact in ring_of}
    return Claimed(lost=lost, rings=mine)


def _rings(wishes: Iterable[Wish]) -> Iterator[tuple[ContactID, ...]]:
    changes = [wish for wish in wishes if wish.has and wish.has != wish.email]
    holder = {wish.has: wish.contact for wish in changes}
    return rings({wish.contact: holder[wish.email] for wish in changes if wish.email in holder})
