"""Which fields an entity has in which version of the Default endpoint.

One word a field: its name, its kind, and from and up to which release it exists. A kind in capitals
is a linked entity, in brackets a detail entity. Source: the vendor's definitions of the endpoint.
What an endpoint of the tenant's own adds comes from the settings.
"""

import enum
import re
from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Final

from attrs import field, frozen

from acumatica_b2b.simulators.acumatica.settings import AddedDetail, AddedField, CustomEndpoint, CustomKind

CUSTOMER: Final = "Customer"
CONTACT: Final = "Contact"
LOCATION: Final = "CustomerLocation"
TOP_LEVEL: Final = (CONTACT, CUSTOMER, LOCATION)


class Kind(enum.Enum):
    """The type of a scalar field, as error messages name it."""

    STRING = "Edm.String"
    INT = "Edm.Int32"
    BOOLEAN = "Edm.Boolean"
    DECIMAL = "Edm.Decimal"
    MOMENT = "Edm.DateTimeOffset"
    GUID = "Edm.Guid"


_KINDS: Final = {
    "s": Kind.STRING,
    "i": Kind.INT,
    "b": Kind.BOOLEAN,
    "m": Kind.DECIMAL,
    "d": Kind.MOMENT,
    "g": Kind.GUID,
}


@frozen(kw_only=True)
class Field:
    """One field of an entity: a scalar, a linked entity or a list of detail entities."""

    name: str
    kind: Kind | None = None
    linked: str | None = None
    detail: str | None = None
    custom: str | None = None
    """The custom field, `<View>.<Field>`, that an endpoint of the tenant's own shows under this name."""


_ENTITIES: Final[Mapping[str, str]] = {
    CONTACT: """
        Active:b Activities:[Row] Address:Address AddressValidated:b Attention:s Attributes:[AttributeValue]
        BusinessAccount:s Campaigns:[Row] Cases:[Row] CompanyName:s ContactClass:s ContactID:i ContactMethod:s
        ConvertedBy:s DateOfBirth:d DisplayName:s DoNotCall:b DoNotEmail:b DoNotFax:b DoNotMail:b Duplicate:s
        DuplicateFound:b Duplicates:[Row] Email:s ExtRefNbr:s@24 Fax:s FaxType:s FirstName:s FullName:s@22 Gender:s
        Image:s JobTitle:s LanguageOrLocale:s LastIncomingActivity:d LastModifiedDateTime:d LastName:s
        LastOutgoingActivity:d MaritalStatus:s MarketingLists:[Row] MiddleName:s NoMarketing:b NoMassMail:b NoteID:g
        Notifications:[Row] Opportunities:[Row] OverrideAccountAddress:b OverrideSalesTerritory:b@22-22 Owner:s
        OwnerEmployeeName:s ParentAccount:s Phone1:s Phone1Type:s Phone2:s Phone2Type:s Phone3:s Phone3Type:s
        QualificationDate:d Reason:s Relations:[Row] RoleAssignments:[Row]@23 SalesTerritoryID:s@22-22 Source:s
        SourceCampaign:s SpouseOrPartnerName:s Status:s Synchronize:b Title:s Type:s UserInfo:Nothing WebSite:s
        Workgroup:s WorkgroupDescription:s
    """,
    CUSTOMER: """
        AccountRef:s ApplyOverdueCharges:b Attributes:[AttributeValue] AutoApplyPayments:b BAccountID:i@22
        BillingAddressOverride:b BillingContact:Contact BillingContactOverride:b Contacts:[CustomerContact]
        CreatedDateTime:d CreditLimit:m@22 CreditVerificationRules:Nothing CurrencyID:s CurrencyRateType:s
        CustomerCategory:s@23 CustomerClass:s CustomerID:s CustomerName:s Email:s@23 EnableCurrencyOverride:b
        EnableRateOverride:b EnableWriteOffs:b EntityUsageType:s@22 FOBPoint:s IsGuestCustomer:b@22
        LastModifiedDateTime:d LeadTimedays:i LocationName:s MainContact:Contact MultiCurrencyStatements:b NoteID:g@22
        OrderPriority:i ParentRecord:s PaymentInstructions:[Row] PriceClassID:s PrimaryContact:Contact
        PrimaryContactID:i@23 PrintDunningLetters:b PrintInvoices:b PrintStatements:b ResidentialDelivery:b
        RestrictVisibilityTo:s@22 Salespersons:[Row] SaturdayDelivery:b SendDunningLettersbyEmail:b
        SendInvoicesbyEmail:b SendStatementsbyEmail:b ShipVia:s ShippingAddressOverride:b ShippingBranch:s
        ShippingContact:Contact ShippingContactOverride:b ShippingRule:s ShippingTerms:s ShippingZoneID:s
        StatementCycleID:s StatementType:s Status:s TaxExemptionNumber:s@22 TaxRegistrationID:s TaxZone:s Terms:s
        WarehouseID:s WriteOffLimit:m
    """,
    LOCATION: """
        Active:b AddressOverride:b Calendar:s ContactOverride:b CreatedDateTime:d Customer:s Default:b@23
        DefaultProject:s EntityUsageType:s ExtRefNbr:s@24 FOBPoint:s FedExGroundCollect:b Insurance:b
        LastModifiedDateTime:d LeadTimeDays:i LocationContact:Contact LocationID:s LocationName:s NoteID:g@22
        OrderPriority:i PriceClass:s ResidentialDelivery:b RoleAssignments:[Row]@23 SaturdayDelivery:b ShipVia:s
        ShippingBranch:s ShippingRule:s ShippingTerms:s ShippingZone:s Status:s@23 TaxExemptionNbr:s
        TaxRegistrationID:s TaxZone:s Warehouse:s
    """,
    "Address": """
        AddressLine1:s AddressLine2:s BuildingName:s@25 BuildingNumber:s@25 City:s Country:s Department:s@25
        DistrictName:s@25 Floor:s@25 PostBox:s@25 PostalCode:s Room:s@25 State:s StreetName:s@25 SubDepartment:s@25
        TownLocationName:s@25 UnitNumber:s@25 Validated:b
    """,
    "CustomerContact": "Contact:Contact ContactID:i LastModifiedDateTime:d@23",
    "AttributeValue": """
        AttributeDescription:s AttributeID:s IsActive:b@24 RefNoteID:g Required:b Value:s ValueDescription:s
    """,
    "Nothing": "",
    "Row": "",
}
_WORD: Final = re.compile(r"(?P<name>\w+):(?P<kind>\[?\w+\]?)(?:@(?P<since>\d+)(?:-(?P<until>\d+))?)?")


CUSTOM_KINDS: Final[Mapping[CustomKind, Kind]] = {
    CustomKind.STRING: Kind.STRING,
    CustomKind.BOOLEAN: Kind.BOOLEAN,
    CustomKind.INT: Kind.INT,
}


@cache
def _shipped(entity: str, release: int) -> tuple[Field, ...]:
    words = _WORD.finditer(_ENTITIES.get(entity, ""))
    return tuple(
        _field(word["name"], word["kind"])
        for word in words
        if int(word["since"] or 0) <= release <= int(word["until"] or 99)
    )


def _field(name: str, kind: str) -> Field:
    if kind in _KINDS:
        return Field(name=name, kind=_KINDS[kind])
    if kind.startswith("["):
        return Field(name=name, detail=kind.strip("[]"))
    return Field(name=name, linked=kind)


@frozen(kw_only=True)
class Contract:
    """What one endpoint serves: a version of Default, or the tenant's own that extends one."""

    name: str = "Default"
    version: str
    extends: str
    """The version of Default; its own where it is Default."""
    added: CustomEndpoint | None = None
    _known: dict[str, Mapping[str, Field]] = field(factory=dict[str, Mapping[str, Field]], init=False, eq=False)

    def fields(self, entity: str) -> Mapping[str, Field]:
        """Return an entity's fields in the order in which an answer has them: by name, whatever the case.

        >>> "PrimaryContactID" in default("22.200.001").fields("Customer")
        False
        """
        if entity not in self._known:
            found = (*_shipped(entity, int(self.extends[:2])), *self._added(entity))
            self._known[entity] = {one.name: one for one in sorted(found, key=lambda one: one.name.lower())}
        return self._known[entity]

    def _added(self, entity: str) -> tuple[Field, ...]:
        rows = (detail.fields for detail in self._rows() if detail.entity == entity)
        plain = () if self.added is None else self.added.fields.get(entity, ())
        details = (Field(name=one.name, detail=one.entity) for one in self.details(entity))
        return (*map(_plain, plain), *map(_plain, chain.from_iterable(rows)), *details)

    def _rows(self) -> tuple[AddedDetail, ...]:
        return () if self.added is None else tuple(chain.from_iterable(self.added.details.values()))

    def details(self, entity: str) -> tuple[AddedDetail, ...]:
        """Return the lists of detail rows that the endpoint adds to an entity."""
        return () if self.added is None else self.added.details.get(entity, ())

    def find(self, entity: str, path: str) -> Field | None:
        """Return the field at a path such as `MainContact/Address/City`; None where there is none."""
        head, _, rest = path.partition("/")
        found = self.fields(entity).get(head)
        if not rest or found is None:
            return found
        inner = found.linked or found.detail
        return self.find(inner, rest) if inner else None

    def crosses_detail(self, entity: str, path: str) -> bool:
        """Return whether a path leads through a list of detail entities."""
        head, _, rest = path.partition("/")
        found = self.fields(entity).get(head)
        if not rest or found is None:
            return False
        return found.detail is not None or (found.linked is not None and self.crosses_detail(found.linked, rest))


def default(version: str) -> Contract:
    """Return a version of the endpoint Default."""
    return Contract(version=version, extends=version)


def _plain(one: AddedField) -> Field:
    return Field(name=one.name, kind=CUSTOM_KINDS[one.kind], custom=one.shows or None)
