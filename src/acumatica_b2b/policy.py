"""What a host decides: `SyncPolicy` and `Limits`, plain data."""

import enum
import re
from collections.abc import Iterable

from attrs import field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.model import RecordKind


class TakeBack(enum.Enum):
    """Whose Primary Admin role is taken back once the primary contact has it."""

    OURS = "ours"
    """That of users to whom this library gave it."""
    LINKED = "linked"
    """That of any user linked to a contact."""
    ALL = "all"
    """Everybody's."""


class FirstAdmin(enum.Enum):
    """Who becomes the admin of a new company whose customer has no eligible primary contact."""

    PRIMARY_ONLY = "primary-only"
    """Nobody: the company waits."""
    LOWEST_CONTACT = "lowest-contact"
    """The eligible contact with the lowest id, until the primary may."""


class CustomerLeaves(enum.Enum):
    """What becomes of a company whose customer takes part no more."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"


class ProtectedLeaver(enum.Enum):
    """What becomes of a user who has left and is the company's last one, or its last admin."""

    KEEP = "keep"
    """The user stays as it is."""
    SUSPEND = "suspend"
    """The user stays with a role that permits nothing, until somebody else can take its place."""


class ExistingShoppers(enum.Enum):
    """What becomes of a contact whose e-mail address a shopper of the store has who is no company user."""

    ADOPT = "adopt"
    """The shopper becomes the company user; past orders move to the company."""
    HOLD = "hold"
    """The contact waits for a person's decision."""
    REFUSE = "refuse"
    """The contact gets no company user."""


class Guarded(enum.Enum):
    """What is counted before it goes out."""

    REMOVALS = "removals"
    HAND_OVERS = "hand-overs"
    EMAIL_CHANGES = "e-mail changes"
    ADOPTIONS = "adoptions"


@frozen(kw_only=True)
class Lengths:
    """How long the shop lets a text be; what is longer is a finding, never cut."""

    company_name: int = 200
    company_email: int = 200
    email: int = 100
    name: int = 100
    phone: int = 50
    address: int = 200
    city: int = 100


@frozen(kw_only=True)
class Limits:
    """How much may happen in `hours`, over all runs and runners, without a person's approval.

    Up to `share_from` - 1 a share is not looked at: of three users one is a third.
    """

    removals: int = 25
    hand_overs: int = 25
    email_changes: int = 50
    adoptions: int = 50
    share: float = 0.20
    share_from: int = 10
    hours: float = 24.0
    half_of_company_from: int = 4
    """From so many linked users on, never more than half of one company's are removed."""
    failures: float = 0.40
    failures_from: int = 20


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _kinds(values: Iterable[RecordKind]) -> frozenset[RecordKind]:
    return frozenset(values)


def _texts(values: object) -> frozenset[str] | None:
    return None if values is None else frozenset(values)  # type: ignore[call-overload]  # any iterable of texts


@frozen(kw_only=True)
class SyncPolicy:
    """What takes part, who becomes what, and what may be touched. None as a set means: any."""

    store: str = "store"
    """Names the pair of tenant and storefront account; begins every key of the sync log."""

    customer_classes: frozenset[str] | None = field(default=None, converter=_texts)
    customer_statuses: frozenset[str] | None = field(default=frozenset({"Active"}), converter=_texts)
    customer_categories: frozenset[str] | None = field(default=frozenset({"Organization"}), converter=_texts)
    """Compared only where the version of the ERP has a category."""
    guests: bool = False
    connection_types: frozenset[str] | None = field(default=None, converter=_texts)
    include_contacts: bool = True
    include_locations: bool = True

    primary_role: str = "Admin"
    admin_roles: frozenset[str] = field(default=frozenset(), converter=_names)
    """Further roles that make a user an admin."""
    user_role: str = "Senior Buyer"
    """What a contact who is not primary is created with."""
    take_back: TakeBack = TakeBack.OURS
    role_is_ours: bool = False
    """Whoever has the primary role has it from us: nobody else gives it."""
    first_admin: FirstAdmin = FirstAdmin.PRIMARY_ONLY
    customer_leaves: CustomerLeaves = CustomerLeaves.KEEP
    protected_leaver: ProtectedLeaver = ProtectedLeaver.KEEP
    suspended_role: str = ""
    """A role without permissions, for `ProtectedLeaver.SUSPEND`."""
    existing_shoppers: ExistingShoppers = ExistingShoppers.ADOPT
    parking_domain: str = ""
    """A mail domain of yours, for one address at a time while company users swap theirs; empty: swaps are held."""
    adopt_companies: bool = False
    recreate_deleted: bool = False
    """Make again what people deleted in the shop."""

    first_name_filler: str = ""
    """Stands for a missing first name; empty: such a contact is held."""
    owned_company_fields: frozenset[str] = field(default=frozenset({"name", "email", "phone"}), converter=_names)
    owned_user_fields: frozenset[str] = field(
        default=frozenset({"email", "first_name", "last_name", "phone"}), converter=_names
    )
    """Fields that follow the ERP after creation; an extra field is named `extra_fields.NAME`."""
    external_ids_at_once: bool = False
    """Write a linked company user's missing external id by a request of its own, not along with its next change."""
    lengths: Lengths = Lengths()

    write_back: frozenset[RecordKind] = field(default=frozenset(RecordKind), converter=_kinds)
    """Which records get the commerce reference ID."""
    reference_format: str = "{id}"
    reference_id: str = r"[0-9]+"
    """What a storefront's id looks like, as a regular expression: all else is a foreign value."""
    reference_length: int = 40

    limits: Limits = Limits()
    check_tenant: bool = True
    """Stop where the ERP holds none of the customers that the log knows."""
    max_attempts: int = 5
    snapshot_every: int = 50
    """After so many commits one snapshot stands for a customer's log; its Customer Log is kept beside it."""
    retention_days: float | None = 400.0
    """For how long the Customer Log is kept, and at most for twice that; None: for ever. A full run lets go of it."""
    lease: float = 180.0
    """Seconds for which a recorded step is left to who recorded it; it is sent in the first half of them."""

    def __attrs_post_init__(self) -> None:
        if (
            not self.store.isascii()
            or not self.store.isprintable()
            or not 0 < len(self.store) <= 60
            or "/" in self.store
        ):
            raise ConfigurationError(
                f"store {self.store!r} begins the log's keys: take 1 to 60 ASCII characters, no '/'"
            )
        if self.reference_format.count("{id}") != 1:
            raise ConfigurationError(f"reference_format {self.reference_format!r} has to hold '{{id}}' once")
        if self.lease <= 0:
            raise ConfigurationError(f"lease {self.lease} has to be longer than a request may take")
        if self.snapshot_every < 2:
            raise ConfigurationError(f"snapshot_every {self.snapshot_every} has to be 2 or more")
        if self.retention_days is not None and self.retention_days < 1:
            raise ConfigurationError(f"retention_days {self.retention_days} has to be a day or more, or None")
        if self.user_role in self.admin_roles:
            raise ConfigurationError(f"user_role {self.user_role!r} is one of admin_roles: everybody would be an admin")
        if self.protected_leaver is ProtectedLeaver.SUSPEND and self.suspended_role in {"", *self._working_roles}:
            raise ConfigurationError(
                f"suspended_role {self.suspended_role!r} has to be a role of its own, one without permissions"
            )
        if re.search(r"[^a-z0-9.-]", self.parking_domain):
            raise ConfigurationError(
                f"parking_domain {self.parking_domain!r} is no mail domain in lower case, such as 'parked.example.com'"
            )
        if self.primary_role == self.user_role:
            raise ConfigurationError(
                f"primary_role and user_role are both {self.user_role!r}: nobody could be told apart"
            )

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that the policy names."""
        suspends = self.protected_leaver is ProtectedLeaver.SUSPEND
        return (*self._working_roles, self.suspended_role) if suspends else self._working_roles

    @property
    def _working_roles(self) -> tuple[str, ...]:
        return (self.primary_role, self.user_role, *sorted(self.admin_roles))
