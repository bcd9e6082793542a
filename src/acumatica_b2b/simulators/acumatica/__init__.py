"""Acumatica ERP's contract-based REST API as one object that answers requests."""

from acumatica_b2b.simulators.acumatica.collation import Collation
from acumatica_b2b.simulators.acumatica.rows import (
    AddressRow,
    ContactRow,
    CustomerRow,
    CustomValue,
    Dataset,
    DetailRow,
    LocationRow,
)
from acumatica_b2b.simulators.acumatica.service import AcumaticaSimulator
from acumatica_b2b.simulators.acumatica.settings import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    DEFAULT_CUSTOM_FIELDS,
    ENABLED,
    LOCATION_REFERENCE,
    VERSIONS,
    AcumaticaSettings,
    AddedDetail,
    AddedField,
    CustomEndpoint,
    CustomField,
    CustomKind,
    Licence,
)
from acumatica_b2b.simulators.acumatica.tenant import Transaction

__all__ = [
    "CONNECTION_TYPE",
    "CONTACT_REFERENCE",
    "CUSTOMER_REFERENCE",
    "DEFAULT_CUSTOM_FIELDS",
    "ENABLED",
    "LOCATION_REFERENCE",
    "VERSIONS",
    "AcumaticaSettings",
    "AcumaticaSimulator",
    "AddedDetail",
    "AddedField",
    "AddressRow",
    "Collation",
    "ContactRow",
    "CustomEndpoint",
    "CustomField",
    "CustomKind",
    "CustomValue",
    "CustomerRow",
    "Dataset",
    "DetailRow",
    "Licence",
    "LocationRow",
    "Transaction",
]
