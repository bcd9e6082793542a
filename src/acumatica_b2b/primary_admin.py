"""The Primary Admin rule: who gets the role next, who gives it back, and what a person must know.

The contact named by `Customer.PrimaryContactID` is to be the company's Primary Admin, nobody else;
and at no instant is a company that had an admin without one, save between the two calls of
`HandOver.DEMOTE_FIRST`.
"""

import enum
from typing import assert_never

from attrs import frozen

from acumatica_b2b.findings import FindingKind
from acumatica_b2b.model import HandOver, UserID


class Primary(enum.Enum):
    """How the contact stands that the ERP names."""

    NOBODY = "nobody is named"
    NOT_ELIGIBLE = "may not be a company user"
    NOT_YET_A_USER = "is to be a user, and is none yet"
    USER = "is a user"
    ADMIN = "is a user and admin"


@frozen(kw_only=True)
class Standing:
    """Who stands where in an existing company, as far as the rule looks."""

    primary: Primary
    user: UserID | None = None
    """The primary's user."""
    ours: tuple[UserID, ...] = ()
    """Other admins whose grant is ours, or is to be taken back as if it were."""
    foreign: tuple[UserID, ...] = ()
    """Other admins."""
    left: tuple[UserID, ...] = ()
    """Admins of both kinds whose contact takes part no more."""
    hand_over: HandOver
    refused: bool = False
    """Whether the primary was refused the role in this run."""
    gave_way: UserID | None = None
    """Who lost the role to the primary last, and is still a user."""


@frozen(kw_only=True)
class Verdict:
    """What comes next. At most one of `give`, `move` and `take` is not empty."""

    give: UserID | None = None
    move: UserID | None = None
    take: tuple[UserID, ...] = ()
    findings: tuple[FindingKind, ...] = ()


def primary_admin(standing: Standing) -> Verdict:
    """Return the next step of the rule: the cases are the rows of the table, in the table's order."""
    s = standing
    others = (FindingKind.OTHER_ADMIN,) if s.foreign else ()
    match s.primary:
        # the primary is admin
        case Primary.ADMIN if not s.ours:
            return Verdict(findings=others)
        # the primary is admin, and another has it from us still: the second half of a hand-over
        case Primary.ADMIN:
            return Verdict(take=s.ours, findings=others)
        # another is admin, by our grant
        case Primary.USER if s.ours and not s.refused:
            return _hand_over(s, others)
        # others are admins, and not by our grant; or nobody is
        case Primary.USER if not s.refused:
            return _grant(s, others)
        # the primary is no user yet: it is created with the role, or created and then handed to
        case Primary.NOT_YET_A_USER:
            return Verdict(findings=others)
        # a hand-over came to no end, and nobody may get the role any more: back it goes
        case Primary.NOT_ELIGIBLE | Primary.NOBODY if s.gave_way and not (s.ours or s.foreign):
            return Verdict(give=s.gave_way)
        # the primary may not be a user: who has the role keeps it, also one whose contact left
        case Primary.NOT_ELIGIBLE:
            return Verdict(findings=(FindingKind.PRIMARY_NOT_ELIGIBLE, *_protected(s)))
        # nobody is primary: likewise
        case Primary.NOBODY:
            return Verdict(findings=(FindingKind.NO_PRIMARY, *_protected(s)))
        # the primary was refused, and somebody still has the role
        case Primary.USER if s.ours or s.foreign:
            return Verdict(findings=(*others, *_protected(s)))
        # the primary was refused after the old admin gave way: that one gets it back
        case Primary.USER if s.gave_way:
            return Verdict(give=s.gave_way)
        # the primary was refused, and there is nobody to give it back to
        case Primary.USER:
            return Verdict(findings=(FindingKind.NO_ADMIN_LEFT,))


def _hand_over(s: Standing, findings: tuple[FindingKind, ...]) -> Verdict:
    match s.hand_over:
        case HandOver.ATOMIC | HandOver.PROMOTE_FIRST:
            return _grant(s, findings)
        case HandOver.DEMOTE_FIRST:
            return Verdict(take=s.ours, findings=findings)
        case _:
            assert_never(s.hand_over)


def _grant(s: Standing, findings: tuple[FindingKind, ...]) -> Verdict:
    if s.hand_over is HandOver.ATOMIC:
        return Verdict(move=s.user)
    return Verdict(give=s.user, findings=findings)


def _protected(s: Standing) -> tuple[FindingKind, ...]:
    """Say so when every admin's contact has left: none of them may go."""
    admins = {*s.ours, *s.foreign}
    return (FindingKind.PROTECTED_ADMIN,) if admins and admins <= set(s.left) else ()
