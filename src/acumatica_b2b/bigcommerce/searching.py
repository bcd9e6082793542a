"""Flows that look for users by their e-mail address, in the whole store."""

from collections.abc import Mapping, Sequence

from acumatica_b2b.bigcommerce.api import MANY, Api, in_slices
from acumatica_b2b.bigcommerce.lists import pages_of, users
from acumatica_b2b.bigcommerce.records import UserRecord, folded
from acumatica_b2b.bigcommerce.roles import names_of
from acumatica_b2b.bigcommerce.translating import company_user
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import attempt
from acumatica_b2b.model import CompanyUser


def find_users(api: Api, emails: Sequence[str]) -> Flow[tuple[Outcome[CompanyUser | None], ...]]:
    """Return who holds each address."""
    wanted = {folded(email): email.strip() for email in emails if folded(email)}
    holders = yield from _holders(api, wanted)
    found = [user.value for user in holders.values() if isinstance(user, Ok) and user.value]
    api.known.saw(found)
    names: Outcome[Mapping[int, str]] = yield from attempt(names_of(api, found))
    return tuple(_outcome(holders.get(folded(email), Ok(None)), names) for email in emails)


def _outcome(holder: Outcome[UserRecord | None], names: Outcome[Mapping[int, str]]) -> Outcome[CompanyUser | None]:
    if isinstance(holder, Failed):
        return holder
    if holder.value is None:
        return Ok(None)
    return names if isinstance(names, Failed) else Ok(company_user(holder.value, names.value[holder.value.id]))


def _holders(api: Api, emails: Mapping[str, str]) -> Flow[Mapping[str, Outcome[UserRecord | None]]]:
    if len(emails) >= MANY:
        listed: Outcome[Mapping[str, UserRecord] | None] = yield from attempt(_all_users(api, len(emails)))
        if isinstance(listed, Ok) and listed.value is not None:
            return {key: Ok(listed.value.get(key)) for key in emails}
    singly: Sequence[Outcome[UserRecord | None]] = yield from in_slices(
        attempt(_holder(api, email)) for email in emails.values()
    )
    return dict(zip(emails, singly, strict=True))


def _holder(api: Api, email: str) -> Flow[UserRecord | None]:
    found = yield from users(api, {"email": email})
    return next((user for user in found.rows if folded(user.email) == folded(email)), None)


def _all_users(api: Api, wanted: int) -> Flow[Mapping[str, UserRecord] | None]:
    """Return all users by address; None where that takes more requests than one by one."""
    if (yield from pages_of(api, "users")) >= wanted:
        return None
    found = yield from users(api, {})
    # a user who was removed and made anew while the list was read is in it twice
    rows = sorted(found.rows, key=lambda user: user.id)
    return {folded(user.email): user for user in rows} if found.proven else None
