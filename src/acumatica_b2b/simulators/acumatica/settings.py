"""What a simulated instance is like: its accounts, versions, licence and customization."""

import enum
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from acumatica_b2b.simulators.acumatica.collation import Collation

VERSIONS: Final = ("20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001")
"""The versions of the Default endpoint that can be served, oldest first."""

ENABLED: Final = "Contact.UsrKCEnabled"
CONNECTION_TYPE: Final = "Contact.UsrKCConnectionType"
CONTACT_REFERENCE: Final = "Contact.UsrKCReferenceID"
CUSTOMER_REFERENCE: Final = "BAccount.UsrKCReferenceID"
LOCATION_REFERENCE: Final = "Location.UsrKCReferenceID"


class CustomKind(enum.Enum):
    """The type of a custom field, as its JSON names it."""

    STRING = "CustomStringField"
    BOOLEAN = "CustomBooleanField"
    INT = "CustomIntField"


@frozen(kw_only=True)
class CustomField:
    """A field that a customization added to a screen; `name` is `<View>.<Field>`."""

    name: str
    kind: CustomKind = CustomKind.STRING
    length: int | None = None


DEFAULT_CUSTOM_FIELDS: Final[Mapping[str, tuple[CustomField, ...]]] = {
    "Contact": (
        CustomField(name=ENABLED, kind=CustomKind.BOOLEAN),
        CustomField(name=CONNECTION_TYPE),
        CustomField(name=CONTACT_REFERENCE, length=40),
    ),
    "Customer": (CustomField(name=CUSTOMER_REFERENCE, length=40),),
    "CustomerLocation": (CustomField(name=LOCATION_REFERENCE, length=40),),
}


# ------------------------------------------------------------------ endpoints of the tenant's own
@frozen(kw_only=True)
class AddedField:
    """A plain field that an endpoint of the tenant's own adds to an entity or to its detail rows."""

    name: str
    kind: CustomKind = CustomKind.STRING
    shows: str = ""
    """The custom field, `<View>.<Field>`, that it shows; empty: it has a value of its own."""


@frozen(kw_only=True)
class AddedDetail:
    """A list of detail rows that such an endpoint adds, as `SiteAssociations`; the first field is their key."""

    name: str
    entity: str
    fields: tuple[AddedField, ...]


@frozen(kw_only=True)
class CustomEndpoint:
    """An endpoint of the tenant's own, which extends a version of Default."""

    name: str
    version: str
    extends: str = "24.200.001"
    fields: Mapping[str, tuple[AddedField, ...]] = field(factory=dict[str, tuple[AddedField, ...]])
    """Per entity."""
    details: Mapping[str, tuple[AddedDetail, ...]] = field(factory=dict[str, tuple[AddedDetail, ...]])
    """Per entity."""


# ------------------------------------------------------------------ the instance
@frozen(kw_only=True)
class Licence:
    """How much the licence lets through, besides the seats; None: no bound.

    From half of a minute's requests on each is delayed, by the seconds left in the minute divided by the
    requests left in it. Of those that wait for one of the `concurrent` places, at most `queue` may.
    """

    requests: int | None = None
    """How many in a minute."""
    concurrent: int | None = None
    queue: int = 20
    patience: float = 600.0
    """Seconds after which a request that waited is declined."""


@frozen(kw_only=True)
class AcumaticaSettings:
    """One instance. Every switch is off by default: what most instances do is what you get."""

    username: str = "sync"
    password: str = field(default="secret", repr=False)
    tenants: tuple[str, ...] = ("Company",)
    """A single one accepts any name, as a real instance does; its first is the default."""
    client_id: str = "6a47c888-0b10-4911-9fbe-7c5cf8918e20@Company"
    client_secret: str = field(default="client-secret", repr=False)
    seats: int = 3
    """How many sessions may be open: the licence's API users."""
    full_house_is_429: bool = False
    """With all seats taken a sign-in gets a 429 of plain text that names no reason, not the 500."""
    locks_after: int | None = None
    """How many wrong passwords lock the account, for the right one too."""
    licence: Licence = Licence()

    versions: tuple[str, ...] = VERSIONS
    endpoints: tuple[CustomEndpoint, ...] = ()
    """Endpoints of the tenant's own; `GET /entity` names them to who is signed in."""
    patches: frozenset[str] = frozenset({"25.200.001"})
    """The versions of Default that take a PATCH; endpoints that extend them do as well."""
    build: str = "25.200.0248"
    bare_versions: bool = False
    """`GET /entity` answers a bare array, as older builds do."""
    links: bool = True
    """Records carry `_links`, as newer builds do."""
    documents: Mapping[str, bytes] = field(factory=dict[str, bytes], repr=False)
    """JSON documents by their path below `/entity`, such as `Default/24.200.001/swagger.json`; where none
    is given, each endpoint describes itself."""
    broken_metadata: bool = False
    """Every `/entity` URL redirects to `/ui/error`, as 26.x does when an endpoint is damaged."""
    demands_length: bool = False
    """A POST without `Content-Length` gets 411. On over a real wire only: in process no one adds the header."""

    custom_fields: Mapping[str, tuple[CustomField, ...]] = field(factory=lambda: DEFAULT_CUSTOM_FIELDS)
    """Per entity; a field that is not here does not come back, however it is asked for."""
    attributes: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    """Per entity the attributes that its classes have: each record has a row for each, and another is a
    422. An entity that is not here takes any."""
    empty_custom_is_null: bool = False
    """An empty custom field has `"value": null` instead of no value."""
    unoptimised: Mapping[str, Mapping[str, str]] = field(factory=dict[str, Mapping[str, str]])
    """Per entity the fields, each with its view, that a list can't be read with."""
    absent: Mapping[str, frozenset[str]] = field(factory=dict[str, frozenset[str]])
    """Per entity the fields that do not come back, as when the feature they belong to is off."""
    forbidden: frozenset[str] = frozenset()
    """Entities whose screen the user has no right to."""
    not_set_up: frozenset[str] = frozenset()
    """Entities whose module was never configured."""

    collation: Collation = Collation.CASE_INSENSITIVE
    key_width: int = 0
    """Keys that are texts come padded with blanks to this many characters."""
    fraction_digits: int = 3
    """How fine stamps are, 0 to 7 digits; with 3 they are kept in three-hundredths of a second."""
    primary_moves_stamp: bool = True
    """Whether "Set as Primary" moves the customer's LastModifiedDateTime."""
    linked_moves_stamp: bool = False
    """Whether a change of a linked entity, such as an address, moves the record's stamp."""

    def custom_field(self, entity: str, name: str) -> CustomField | None:
        """Return the custom field of that name, which is `<View>.<Field>`."""
        return next((one for one in self.custom_fields.get(entity, ()) if one.name == name), None)
