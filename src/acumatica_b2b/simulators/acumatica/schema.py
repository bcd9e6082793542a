"""Which fields an entity has in which version of the Default endpoint.

One word a field: its name, its kind, and from and up to which release it exists. A kind in capitals
is a linked entity, in brackets a detail entity. Source: the vendor's definitions of the endpoint.
"""

import enum
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from attrs import frozen

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


_ENTITIES: Final[Mapping[str, str]] = {
    CONTACT: """
        Active:b Activities:[Row] Address:Address AddressValidated:b Attention:s Attributes:[Attribute]
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
        AccountRef:s ApplyOverdueCharges:b Attributes:[Attribute] AutoApplyPayments:b BAccountID:i@22
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
    "CustomerContact": "Contact:Contact ContactID:i LastModifiedDateTime:d",
    "Attribute": """
        AttributeDescription:s AttributeID:s IsActive:b@24 RefNoteID:g Required:b Value:s ValueDescription:s
    """,
    "Nothing": "",
    "Row": "",
}
_WORD: Final = re.compile(r"(?P<name>\w+):(?P<kind>\[?\w+\]?)(?:@(?P<since>\d+)(?:-(?P<until>\d+))?)?")


@cache
def fields(entity: str, version: str) -> Mapping[str, Field]:
    """Return an entity's fields in the order in which an answer has them: by name, whatever the case.

    >>> "PrimaryContactID" in fields("Customer", "22.200.001")
    False
    """
    release = int(version[:2])
    words = [
        word
        for word in _WORD.finditer(_ENTITIES[entity])
        if int(word["since"] or 0) <= release <= int(word["until"] or 99)
    ]
    return {
        word["name"]: _field(word["name"], word["kind"])
        for word in sorted(words, key=lambda word: word["name"].lower())
    }


def _field(name: str, kind: str) -> Field:
    if kind in _KINDS:
        return Field(name=name, kind=_KINDS[kind])
    if kind.startswith("["):
        return Field(name=name, detail=kind.strip("[]"))
    return Field(name=name, linked=kind)


def find(entity: str, version: str, path: str) -> Field | None:
    """Return the field at a path such as `MainContact/Address/City`; None where there is none."""
    head, _, rest = path.partition("/")
    found = fields(entity, version).get(head)
    if not rest or found is None:
        return found
    inner = found.linked or found.detail
    return find(inner, version, rest) if inner else None


def crosses_detail(entity: str, version: str, path: str) -> bool:
    """Return whether a path leads through a list of detail entities."""
    head, _, rest = path.partition("/")
    found = fields(entity, version).get(head)
    if not rest or found is None:
        return False
    return found.detail is not None or (found.linked is not None and crosses_detail(found.linked, version, rest))
