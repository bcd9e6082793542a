"""What people decide about one record, where the rules leave it to them."""

import enum

from attrs import frozen

from acumatica_b2b.model import Record


class Choice(enum.Enum):
    """What a person can say of a record."""

    RETRY = "retry"
    """Try again what was refused too often, make again what was deleted in the shop; of a customer: all of it."""
    SKIP = "skip"
    """Leave it as it is, and whatever it became, until somebody says `RETRY`."""
    LINK = "link"
    """This contact is that company user, this location that address."""
    UNLINK = "unlink"
    """They are not; and they are not to be taken for one another again."""
    ADOPT = "adopt"
    """This customer is that company, whose users are matched to its contacts."""


@frozen(kw_only=True)
class Decision:
    """A choice about one record; `id` is the storefront's, where the choice names a counterpart."""

    choice: Choice
    record: Record
    id: str = ""
