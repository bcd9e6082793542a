"""Frozen records of both sides, and their ids.

The ERP knows customers, contacts and locations; the storefront knows companies, company users and
company addresses. Mapping makes `Desired…` records of the former, to be compared with the latter.
"""

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, NewType, TypeAlias, cast

from attrs import field, fields, frozen

from acumatica_b2b.errors import without_emails

CustomerID = NewType("CustomerID", str)
ContactID = NewType("ContactID", str)
LocationID = NewType("LocationID", str)
NoteID = NewType("NoteID", str)
"""The ERP's own lasting id of any record, a GUID in lower case; the storefront's *external id*."""

StorefrontID = NewType("StorefrontID", str)
CompanyID = NewType("CompanyID", StorefrontID)
UserID = NewType("UserID", StorefrontID)
AddressID = NewType("AddressID", StorefrontID)


class Unset(enum.Enum):
    """Asked for and not answered: neither yes nor no, neither a value nor its absence."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
MaybeUnset: TypeAlias = Literal[Unset.UNSET]


class Discreet:
    """What shows no e-mail address: the repr of a record soon stands in a log."""

    __slots__ = ()

    def __repr__(self) -> str:
        told = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(cast("Any", type(self))))
        return without_emails(f"{type(self).__name__}({told})")


class RecordKind(enum.Enum):
    """Which kind of ERP record something is about."""

    CUSTOMER = "customer"
    CONTACT = "contact"
    LOCATION = "location"


@frozen(order=True)
class Record:
    """Names one ERP record; a location's id is unique within its customer only."""

    kind: RecordKind = field(order=lambda kind: kind.value)
    id: str

    def __str__(self) -> str:
        return f"{self.kind.value} {self.id!r}"


# ------------------------------------------------------------------ Acumatica's side
@frozen(kw_only=True, repr=False)
class PostalAddress(Discreet):
    """Where something is. `state` and `country` as the ERP has them: codes, such as CA and US."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@frozen(kw_only=True)
class SiteAssociation:
    """A contact's opt-in to the storefront, with the connection type it was given.

    `enabled` is UNSET when its field was asked for and did not come back. `sites` names the
    enabled sites where one store serves several.
    """

    enabled: bool | MaybeUnset = False
    connection_type: str | MaybeUnset = ""
    sites: tuple[str, ...] = ()


@frozen(kw_only=True, repr=False)
class Contact(Discreet):
    """A person of a customer (CR302000). `email` is the field as it stands: it may hold several."""

    id: ContactID
    note_id: NoteID
    customer: CustomerID | None
    active: bool = True
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phones: tuple[str, ...] = ()
    job_title: str = ""
    association: SiteAssociation = SiteAssociation()
    reference: str | MaybeUnset = ""
    modified: datetime | None = None
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)


@frozen(kw_only=True, repr=False)
class Location(Discreet):
    """A place of a customer (AR303020); `default` is the one that orders are shipped to."""

    id: LocationID
    note_id: NoteID
    name: str = ""
    active: bool = True
    default: bool = False
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    address: PostalAddress = PostalAddress()
    reference: str | MaybeUnset = ""
    modified: datetime | None = None
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)


@frozen(kw_only=True, repr=False)
class Customer(Discreet):
    """A customer (AR303000) with its contacts and locations.

    `complete` says that contacts and locations were read in full: only then does the absence of
    one mean anything. `email` already falls back to the main contact's. `category` is empty where
    the version has none. Where locations were not read, as none of them changed, `locations_read` is
    False, and there are none here; of the contacts `complete` says the same.
    """

    id: CustomerID
    note_id: NoteID
    name: str
    customer_class: str = ""
    status: str = "Active"
    category: str = ""
    guest: bool = False
    email: str = ""
    phones: tuple[str, ...] = ()
    address: PostalAddress = PostalAddress()
    primary_contact: ContactID | None = None
    contacts: tuple[Contact, ...] = ()
    locations: tuple[Location, ...] = ()
    complete: bool = True
    locations_read: bool = True
    reference: str | MaybeUnset = ""
    modified: datetime | None = None
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    deleted: bool = False
    """There is no such customer any more, by the ERP's own word: all but the id is unknown."""
    as_read: str = field(default="", eq=False)
    """What stands for all that it was made of, but for references, where the client tells that; "": unknown."""

    @property
    def references(self) -> tuple[str | MaybeUnset, ...]:
        """Its own commerce reference ID, then those of its contacts, then those of its locations."""
        contacts, locations = self.contacts, self.locations
        return (self.reference, *[one.reference for one in contacts], *[one.reference for one in locations])


@frozen(kw_only=True, eq=False, repr=False)
class Undecoded:
    """A customer as it was read, made a record of when that is needed: most have not changed since the last run.

    `as_read`, `references` and `complete` are those of the customer that `decode` makes, or it raises DecodeError.
    """

    id: CustomerID
    as_read: str
    references: tuple[str | MaybeUnset, ...]
    complete: bool
    decode: Callable[[], Customer]


@frozen(kw_only=True, repr=False)
class Reference(Discreet):
    """The commerce reference ID to write back to one ERP record; `value` "" clears it."""

    record: Record
    note_id: NoteID
    customer: CustomerID
    value: str


# ------------------------------------------------------------------ what there should be
@frozen(kw_only=True, repr=False)
class DesiredCompany(Discreet):
    """The company that a customer should become."""

    customer: CustomerID
    external_id: NoteID
    name: str
    email: str
    phone: str
    address: PostalAddress
    extra_fields: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True, repr=False)
class DesiredUser(Discreet):
    """The company user that a contact should become; `email` is one address, in lower case."""

    contact: ContactID
    external_id: NoteID
    email: str
    first_name: str
    last_name: str
    phone: str = ""
    extra_fields: tuple[tuple[str, str], ...] = ()
    sites: tuple[str, ...] = ()


@frozen(kw_only=True, repr=False)
class DesiredAddress(Discreet):
    """The address that a location should become."""

    location: LocationID
    external_id: NoteID
    label: str
    first_name: str
    last_name: str
    phone: str = ""
    address: PostalAddress = PostalAddress()
    default_shipping: bool = False
    default_billing: bool = False
    extra_fields: tuple[tuple[str, str], ...] = ()


# ------------------------------------------------------------------ the storefront's side
@frozen(kw_only=True, repr=False)
class CompanyUser(Discreet):
    """A person who buys for a company, as the storefront has it.

    `role` is the name under which the policy knows the role; a client tells roles apart by their
    ids. `external_id` is "" where nobody wrote one.
    """

    id: UserID
    company: CompanyID
    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    role: str = ""
    external_id: str = ""
    active: bool = True
    extra_fields: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True, repr=False)
class CompanyAddress(Discreet):
    """An address of a company, with state and country as codes where the shop tells them."""

    id: AddressID
    external_id: str = ""
    label: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    address: PostalAddress = PostalAddress()
    default_shipping: bool = False
    default_billing: bool = False


@frozen(kw_only=True, repr=False)
class Company(Discreet):
    """A company with its users and addresses, as the storefront has it.

    `complete` says that the listing is proven: only then does the absence of a user mean anything. `surveyed` says
    that it is shown as a survey found it a while ago, and may have changed since.
    """

    id: CompanyID
    name: str
    email: str = ""
    phone: str = ""
    external_id: str = ""
    active: bool = True
    users: tuple[CompanyUser, ...] = ()
    addresses: tuple[CompanyAddress, ...] = ()
    complete: bool = True
    surveyed: bool = False


@frozen(kw_only=True)
class CompanyRef:
    """Which company to look at: by `id` where it is known, else by `external_id`.

    `again` says that this run has looked at it or made it before, and written to it since: what the storefront's
    client has read after its own last write to the company will do, and need not be read once more; so will what
    the answer to a write told of the record. Without `addresses` those need not be read: nobody looks at them.
    `surveyed` says that what `Surveys.survey` has read will do: for a first look, on which no write rests.
    """

    customer: CustomerID
    external_id: NoteID
    id: CompanyID | None = None
    again: bool = False
    addresses: bool = True
    surveyed: bool = False


class HandOver(enum.Enum):
    """How a storefront lets the Primary Admin's role pass from one user to another."""

    ATOMIC = "atomic"
    """One call moves it."""
    PROMOTE_FIRST = "promote-first"
    """Two may stand side by side, none must not."""
    DEMOTE_FIRST = "demote-first"
    """The server refuses two."""


@frozen(kw_only=True)
class Capabilities:
    """What a storefront can do, as far as the engine decides on it."""

    hand_over: HandOver
    admin_at_creation: bool = False
    """A company can't be made without its admin."""
    admin_role: str = ""
    """The role that such an admin gets, whatever it is asked to be; empty: the one asked for."""
    addresses: bool = False
    deactivates: bool = False
    """A user can be switched off without being removed."""
    deactivates_companies: bool = False
    """So can a company."""
    changes_email: bool = True
    bulk: int = 1
    """So many creations of one kind share a call."""
