"""Findings: typed reasons why something was not done, each with what it means and the way out."""

import enum

from attrs import field, frozen

from acumatica_b2b.model import Record


class Status(enum.Enum):
    """How a record stands, with the meanings of Acumatica's sync history; Held is ours."""

    PREPARED = "Prepared"
    PROCESSED = "Processed"
    FAILED = "Failed"
    ABORTED = "Aborted"
    SKIPPED = "Skipped"
    DELETED = "Deleted"
    INVALID = "Invalid"
    FILTERED = "Filtered"
    HELD = "Held"


@frozen
class About:
    """What a kind of finding means, and the way out; `{}` stands for the finding's detail."""

    status: Status
    meaning: str
    way_out: str
    act_now: bool = field(default=False, kw_only=True)
    leaves: bool = field(default=False, kw_only=True)
    """The contact takes part no more: the user that was made of it may go."""
    looked_at_again: bool = field(default=False, kw_only=True)
    """The shop, or a person, may solve it without a change in the ERP."""


class FindingKind(enum.Enum):
    """Every reason there is."""

    # ---- who takes part
    CUSTOMER_FILTERED = About(
        Status.FILTERED,
        "its customer takes no part: {}",
        "change the customer, or the policy's classes, statuses and categories",
    )
    NOT_ENABLED = About(
        Status.FILTERED,
        "it is not enabled for the site",
        "enable it in the contact's site association",
        leaves=True,
    )
    CONNECTION_TYPE = About(
        Status.FILTERED,
        "its connection type {} is not accepted",
        "change the connection type, or the policy's connection_types",
        leaves=True,
    )
    INACTIVE = About(Status.FILTERED, "it is inactive", "activate it in Acumatica", leaves=True)
    NOT_INCLUDED = About(
        Status.FILTERED,
        "the policy includes no records of its kind",
        "set include_contacts or include_locations",
    )
    OPT_IN_UNREADABLE = About(
        Status.HELD,
        "its opt-in field {} was asked for and did not come back, which is not a no",
        "check the field's name and the API user's rights to it",
    )
    CUSTOMER_LEFT = About(
        Status.HELD,
        "it takes part no more ({}); its company and users stay as they are",
        "remove them in the shop, or set the policy's customer_leaves",
    )
    READ_INCOMPLETE = About(
        Status.HELD,
        "not all of {} could be read, so nobody is taken for a leaver",
        "run again when both systems answer in full",
        looked_at_again=True,
    )
    # ---- contacts
    MISSING_EMAIL = About(Status.INVALID, "it has no e-mail address", "enter one in Acumatica")
    INVALID_EMAIL = About(Status.INVALID, "its e-mail address is malformed", "correct it in Acumatica")
    EMAIL_LIST = About(
        Status.PROCESSED,
        "its e-mail field holds {} addresses; the first is used",
        "leave one address in the field",
    )
    DUPLICATE_EMAIL = About(
        Status.HELD,
        "its e-mail address goes to {}, who has it too",
        "give one of them an address of its own",
    )
    MISSING_FIRST_NAME = About(
        Status.HELD,
        "it has no first name",
        "enter one in Acumatica, or set the policy's first_name_filler",
    )
    MISSING_LAST_NAME = About(Status.HELD, "it has no last name", "enter one in Acumatica")
    TOO_LONG = About(Status.HELD, "its {} is longer than the shop allows", "shorten it in Acumatica")
    # ---- company and addresses
    MISSING_COMPANY_EMAIL = About(
        Status.HELD,
        "neither it nor its main contact nor its admin has an e-mail address",
        "enter one on the customer in Acumatica",
    )
    MISSING_PHONE = About(
        Status.HELD,
        "neither its main contact nor its admin has a phone number",
        "enter one on the customer in Acumatica",
    )
    MISSING_COUNTRY = About(Status.HELD, "its main address has no country", "enter one in Acumatica")
    MISSING_ADDRESS_FIELD = About(Status.HELD, "its address has no {}", "enter it on the location in Acumatica")
    COMPANY_AMBIGUOUS = About(
        Status.HELD,
        "several companies of the shop answer to it: {}",
        "leave its external id on one of them",
        looked_at_again=True,
    )
    COMPANY_WAITS = About(Status.HELD, "its company does not exist yet", "see the customer's own finding")
    # ---- Primary Admin
    NO_PRIMARY = About(
        Status.HELD,
        "none of its contacts is primary",
        "set a primary contact in Acumatica",
    )
    PRIMARY_NOT_ELIGIBLE = About(
        Status.HELD,
        "its primary contact {} may not be a company user",
        "see that contact's own finding, or set another primary contact",
    )
    OTHER_ADMIN = About(
        Status.PROCESSED,
        "users who were not made admin by this library are admins too: {}",
        "change their role in the shop, or set the policy's take_back",
        looked_at_again=True,
    )
    PROTECTED_ADMIN = About(
        Status.HELD,
        "user {} stays although its contact left: it is the company's last admin",
        "set another primary contact who may be a company user",
        act_now=True,
        looked_at_again=True,
    )
    PROTECTED_LAST_USER = About(
        Status.HELD,
        "user {} stays although its contact left: it is the company's last user",
        "add a user, or remove the company in the shop",
        act_now=True,
        looked_at_again=True,
    )
    NO_ADMIN_LEFT = About(
        Status.FAILED,
        "its company has no admin: the new one was refused, and so was the old one",
        "make a user admin in the shop",
        act_now=True,
        looked_at_again=True,
    )
    # ---- who is who
    REFERENCE_CONFLICT = About(
        Status.HELD,
        "its commerce reference ID is a foreign value: {}",
        "clear the field in Acumatica, or correct it",
    )
    REFERENCE_TOO_LONG = About(
        Status.FAILED,
        "its commerce reference ID has {} characters, more than the field holds",
        "lengthen the field, or set another one",
    )
    DELETED_IN_SHOP = About(
        Status.SKIPPED,
        "{} was deleted by people in the shop and is not made again",
        "say retry, or set the policy's recreate_deleted, to have it made again",
    )
    LEFT_BEHIND = About(
        Status.HELD,
        "it takes part no more, and company user {} bears its external id, though no sync is known to have linked them",
        "remove that user in the shop, or say link and sync",
    )
    EMAIL_OWNED_ELSEWHERE = About(
        Status.HELD,
        "its e-mail address belongs to {}",
        "change one of the two addresses, or remove that user",
        looked_at_again=True,
    )
    SUPER_ADMIN_EMAIL = About(
        Status.HELD,
        "the shop says that its e-mail address is taken, though no company user has it: a super admin's, most likely",
        "give the contact another address",
        looked_at_again=True,
    )
    EMAIL_CYCLE = About(
        Status.HELD,
        "its new e-mail address is held by one who waits for it in turn: {}",
        "give one of them a temporary address in Acumatica first",
        looked_at_again=True,
    )
    SHOPPER_HELD = About(
        Status.HELD,
        "its e-mail address is that of {}, who is no company user",
        "give it another address, or say retry: the shopper becomes the user, and past orders join the company",
        looked_at_again=True,
    )
    SHOPPER_REFUSED = About(
        Status.SKIPPED,
        "its e-mail address is that of {}, who is no company user, and the policy refuses such",
        "give it another address in Acumatica",
    )
    EMAIL_FIXED = About(
        Status.HELD,
        "the shop can't change a user's e-mail address",
        "turn the policy's recreate_deleted on and remove the user in the shop: it is made anew",
    )
    MOVE_WAITS = About(
        Status.HELD,
        "it came from another customer and waits until {} is removed there",
        "nothing: it is created once the removal went through",
        looked_at_again=True,
    )
    MOVE_BLOCKED_LAST_USER = About(
        Status.HELD,
        "{} moved to another customer, but its user is the last one of this company",
        "add another user here, or remove the company in the shop",
        act_now=True,
        looked_at_again=True,
    )
    # ---- what stopped it
    GUARD_HELD = About(
        Status.HELD,
        "the guard holds back {}",
        "look at the plan, and approve it if it is right",
        looked_at_again=True,
    )
    ABORTED = About(
        Status.ABORTED,
        "{} was refused too often and is tried no more",
        "change the record in Acumatica, or say retry",
    )
    SKIPPED = About(
        Status.SKIPPED,
        "somebody said that it is to be skipped: it is left as it is",
        "say retry to have it synced again",
    )
    REFUSED = About(
        Status.FAILED, "refused: {}", "correct the record; it is tried again with the next run", looked_at_again=True
    )

    @property
    def about(self) -> About:
        """What this kind means."""
        return self.value


@frozen(kw_only=True, order=True)
class Finding:
    """One reason about one record; `detail` names what else is concerned, never an e-mail address."""

    record: Record
    kind: FindingKind = field(order=lambda kind: kind.name)
    detail: str = ""

    @property
    def status(self) -> Status:
        """How the record stands because of it."""
        return self.kind.about.status

    @property
    def act_now(self) -> bool:
        """Whether a person has to look at it today."""
        return self.kind.about.act_now

    @property
    def meaning(self) -> str:
        """What is so."""
        return self.kind.about.meaning.replace("{}", self.detail)

    @property
    def way_out(self) -> str:
        """What to do about it."""
        return self.kind.about.way_out

    def __str__(self) -> str:
        return f"{self.record}: {self.meaning}; {self.way_out}"
