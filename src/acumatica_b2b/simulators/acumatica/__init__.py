"""Acumatica ERP's contract-based REST API as one object that answers requests."""

from acumatica_b2b.simulators.acumatica.rows import (
    AddressRow,
    ContactRow,
    CustomerRow,
    CustomValue,
    Dataset,
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
    CustomField,
    CustomKind,
)

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
    "AddressRow",
    "ContactRow",
    "CustomField",
    "CustomKind",
    "CustomValue",
    "CustomerRow",
    "Dataset",
    "LocationRow",
]
