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
from acumatica_b2b.simulators.datasets import Edit, dataset, edits

__all__ = [
    "AcumaticaSettings",
    "AcumaticaSimulator",
    "AddressRow",
    "ContactRow",
    "CustomField",
    "CustomKind",
    "CustomerRow",
    "Dataset",
    "Edit",
    "LocationRow",
    "dataset",
    "edits",
]
