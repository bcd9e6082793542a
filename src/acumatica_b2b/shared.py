"""What several customers of a wave want at once."""

from collections.abc import Sequence
from typing import Any

from acumatica_b2b.actions import CreateCompany, CreateUser, Step, UpdateUser
from acumatica_b2b.effects import Perform
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Batch, Failed, Flow


def one_claim_each(batch: Batch) -> Flow[Sequence[Any]]:
    """Let one step of a batch have an address, the first, before any call is filled; refuse the others.

    Flows stand in the order of their customers' ids, so the first is the lowest.
    """
    claimed: set[str] = set()
    late: set[int] = set()
    for i, effect in enumerate(batch):
        email = _claim(effect.step) if isinstance(effect, Perform) else ""
        if email and email in claimed:
            late.add(i)
        claimed.add(email)
    if not late:
        return (yield batch)
    first = tuple(effect for i, effect in enumerate(batch) if i not in late)
    answers = iter((yield first))
    refused = Failed(RejectedError(Reason.EMAIL_TAKEN, "another customer's contact has the same e-mail address"))
    return [refused if i in late else next(answers) for i in range(len(batch))]


def _claim(step: Step) -> str:
    match step:
        case CreateUser(user=user):
            return user.email
        case CreateCompany(admin=admin) if admin:
            return admin.email
        case UpdateUser(changes=changes):
            return dict(changes).get("email", "")
        case _:
            return ""
