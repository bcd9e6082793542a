"""Both systems as objects that answer requests, for tests, trials and demonstrations: no test library needed."""

from acumatica_b2b.simulators.acumatica import (
    AcumaticaSettings,
    AcumaticaSimulator,
    AddressRow,
    ContactRow,
    CustomerRow,
    CustomField,
    CustomKind,
    Dataset,
    LocationRow,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator, ExtraField
from acumatica_b2b.simulators.datasets import Edit, dataset, edits
from acumatica_b2b.simulators.server import Server

__all__ = [
    "AcumaticaSettings",
    "AcumaticaSimulator",
    "AddressRow",
    "BigCommerceSimulator",
    "ContactRow",
    "CustomField",
    "CustomKind",
    "CustomerRow",
    "Dataset",
    "Edit",
    "ExtraField",
    "LocationRow",
    "Server",
    "dataset",
    "edits",
]
