"""What is said of one contact: all sections of its explanation, and the one sentence above them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from acumatica_b2b.explaining.dossier import Dossier, Side
from acumatica_b2b.explaining.explanation import Explanation, Line, Section
from acumatica_b2b.explaining.planning import is_held, of_guard, of_outcomes, of_plan
from acumatica_b2b.explaining.reading import of_acumatica, of_eligibility
from acumatica_b2b.explaining.standing import of_match
from acumatica_b2b.findings import Status
from acumatica_b2b.flow import Failed
from acumatica_b2b.words import describe, role_words

_PARTS: Final[Mapping[str, tuple[str, Callable[[Dossier], Iterator[Line]]]]] = {
    "read": ("What Acumatica says", of_acumatica),
    "eligibility": ("Whether it takes part", of_eligibility),
    "match": ("Which company, which company user", of_match),
    "plan": ("What the next sync would do", of_plan),
    "guard": ("What the guard would hold back", of_guard),
    "outcomes": ("What happened last", of_outcomes),
}


def told(dossier: Dossier) -> Explanation:
    """Return what is so about a contact, in a person's words."""
    home, lead = dossier.home, dossier.lead
    company = lead.world.company if lead and lead.world else None
    user = lead.user if lead else None
    sections = {name: _section(name, dossier) for name in _PARTS}
    return Explanation(
        contact=dossier.contact,
        summary=_summary(dossier),
        **sections,
        customer=dossier.person.customer if dossier.person else None,
        takes_part=home.takes_part if home else False,
        company=company.id if company else None,
        user=user.id if user else None,
        steps=sum(len(side.steps) for side in dossier.sides),
        findings=tuple(finding for side in dossier.sides for finding in side.findings),
        busy_until=max((side.busy_until for side in dossier.sides if side.busy_until), default=None),
        known=dossier.known,
        trouble=str(_trouble(dossier) or ""),
    )


def _section(name: str, dossier: Dossier) -> Section:
    """Return one side of the matter; of a contact that nobody knows only what was read."""
    title, lines = _PARTS[name]
    return Section(title=title, lines=tuple(lines(dossier) if dossier.known or name == "read" else ()))


# ------------------------------------------------------------------ all of it in one sentence
def _summary(dossier: Dossier) -> str:
    name = f"Contact {str(dossier.contact)!r}"
    if not dossier.known:
        return f"{name} is known neither to Acumatica nor to the log."
    if error := _trouble(dossier):
        return f"{name} can't be explained to the end: {error}."
    sides = sorted(dossier.sides, key=lambda side: side.user is None)
    said = "; ".join(filter(None, (_standing(side, dossier) for side in sides))) or _belongs(dossier)
    return f"{name} {said}. {_next(dossier)}."


def _trouble(dossier: Dossier) -> Exception | None:
    """Return the first thing that kept from knowing all."""
    if isinstance(dossier.read, Failed):
        return dossier.read.error
    return next((side.error for side in dossier.sides if side.error), None)


def _belongs(dossier: Dossier) -> str:
    return "belongs to no customer" if dossier.person else "is gone from Acumatica"


def _standing(side: Side, dossier: Dossier) -> str:
    """Return how the contact stands at one customer, as the end of a sentence."""
    at = f" at customer {str(side.customer)!r}" if len(dossier.sides) > 1 else ""
    if side.user is None and side is not dossier.home:
        return ""
    against = [finding for finding in side.findings if finding.status is not Status.PROCESSED]
    own = [finding for finding in against if finding.record == side.record]
    others = against if side.is_skipped or not side.user else []
    why = next((f": {finding.meaning}" for finding in (*own, *others)), "")
    return f"{_is(side, at)}{why}"


def _is(side: Side, at: str) -> str:
    if side.user is None or side.world is None:
        return f"is no company user{at}" if side.takes_part else f"takes no part{at}"
    user = side.user
    role = role_words(user.role, side.world.policy.primary_role)
    fate = ", and takes part no more" if side.leaves else ", which stays as it is" if side.stays else ""
    return f"is company user {user.id} of company {user.company}{at}, {role}{fate}"


def _next(dossier: Dossier) -> str:
    steps = [describe(step, dossier.terms.policy.primary_role) for side in dossier.sides for step in side.steps]
    if not steps:
        return "Nothing to do" + (", until a person approves it" if any(s.on_approval for s in dossier.sides) else "")
    would = f"The next sync would {steps[0]}" if len(steps) == 1 else f"The next sync would: {'; '.join(steps)}"
    return f"{would}; the guard holds it until a person approves it" if is_held(dossier) else would
